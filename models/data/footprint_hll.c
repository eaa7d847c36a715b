/* Why it works: a sparse sketch's length depends on which of its 2^14 registers are set, and its
 * room on every length it ever had, so a few sketches are filled element by element with drawn
 * registers and the mean is taken.  The streams are fixed: the same shape gives the same bytes.
 *
 * Sparse form (hyperloglog.c): a run of up to 64 zero registers takes one byte, a longer one two;
 * up to four neighbours of one value take one byte.
 */
#include "models/data/footprint_parts.h"

#include <string.h>

#include "sim/rng.h"

#define REGISTERS         16384
#define HEAD_BYTES        16
#define DENSE_BYTES       (HEAD_BYTES + REGISTERS * 6 / 8)
#define SPARSE_VALUE_MAX  32
#define SPARSE_SHORT_ZERO 64
#define SPARSE_RUN        4
#define DRAWN_SKETCHES    96
#define SETTLED_ELEMENTS  200000 /* all registers are set long before */

typedef struct {
    uint8_t registers[REGISTERS];
    uint64_t len;
    bool is_dense;
} Sketch;

static uint32_t run_end(const Sketch *sketch, uint32_t from, uint32_t end)
{
    uint32_t to = from + 1;

    while (to < end && sketch->registers[to] == sketch->registers[from])
        to++;
    return to;
}

/* Registers from..end-1, which begin and end with whole runs. */
static uint64_t coded_bytes(const Sketch *sketch, uint32_t from, uint32_t end)
{
    uint64_t bytes = 0;

    while (from < end) {
        uint32_t to = run_end(sketch, from, end);

        if (sketch->registers[from] == 0)
            bytes += to - from > SPARSE_SHORT_ZERO ? 2 : 1;
        else
            bytes += (to - from + SPARSE_RUN - 1) / SPARSE_RUN;
        from = to;
    }
    return bytes;
}

/* Sets one register; only the runs beside it change their code. */
static void sketch_set(Sketch *sketch, uint32_t index, uint8_t value)
{
    uint32_t from = index;
    uint32_t end = index;
    uint64_t before;

    if (sketch->registers[index] >= value)
        return;
    for (int runs = 0; runs < 2 && from > 0; runs++)
        for (uint8_t same = sketch->registers[from - 1];
             from > 0 && sketch->registers[from - 1] == same; from--)
            ;
    for (int runs = 0; runs < 3 && end < REGISTERS; runs++)
        end = run_end(sketch, end, REGISTERS);
    before = coded_bytes(sketch, from, end);
    sketch->registers[index] = value;
    sketch->len = sketch->len + coded_bytes(sketch, from, end) - before;
}

/* One more than the zeros a random word begins with: the register's value. */
static uint8_t draw_value(Rng *rng)
{
    uint64_t word = rng_u64(rng) | 1;

    return (uint8_t)(__builtin_clzll(word) + 1);
}

/* Bytes of one sketch's string after so many distinct elements. */
static uint64_t sketch_bytes(const FootprintRules *rules, uint64_t elements, Rng *rng,
                             Sketch *sketch)
{
    const uint64_t most_growth = 3; /* what one register may add */
    FootprintBuffer buffer;

    memset(sketch, 0, sizeof *sketch);
    sketch->len = HEAD_BYTES + 2;
    buffer = footprint_buffer_new(rules, sketch->len);
    for (uint64_t e = 0; e < elements && e < SETTLED_ELEMENTS; e++) {
        uint32_t index = (uint32_t)rng_below(rng, REGISTERS);
        uint8_t value = draw_value(rng);

        buffer.len = sketch->len; /* room is made before it is known whether it is needed */
        footprint_buffer_reserve(rules, &buffer, most_growth);
        sketch_set(sketch, index, value);
        if (sketch->len > rules->hll_sparse_max_bytes || value > SPARSE_VALUE_MAX) {
            sketch->is_dense = true;
            return footprint_string_bytes(rules, DENSE_BYTES);
        }
    }
    return buffer.bytes;
}

double footprint_hyperloglog_value(const FootprintRules *rules, const FootprintShape *shape,
                                   double *out_dense)
{
    uint64_t sum = 0;
    uint32_t dense = 0;
    Sketch sketch;

    for (uint32_t s = 0; s < DRAWN_SKETCHES; s++) {
        Rng rng = rng_stream(s, "footprint/hyperloglog");

        sum += sketch_bytes(rules, shape->elements, &rng, &sketch);
        dense += sketch.is_dense;
    }
    *out_dense = (double)dense / DRAWN_SKETCHES;
    return (double)sum / DRAWN_SKETCHES;
}
