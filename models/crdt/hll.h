/* HyperLogLog: how many different elements were added, from 2^14 small registers.
 *
 * An element's hash chooses a register and a rank (how many zeros precede the hash's first one,
 * plus 1); a register keeps the highest rank it was given.  Raising is a maximum, so the order and
 * the number of additions do not matter, and the union of two sketches is the maximum per register.
 * Hash, ranks and estimator are those of Redis 7 (hyperloglog.c, version 7.0.15), so counts are
 * what it replies, to the unit.
 *
 * Small sketches keep their non-zero registers only, sorted; beyond HLL_SPARSE_MAX registers, or a
 * rank that the sparse encoding cannot hold, all registers in 6 bits each.  Which of the two
 * depends on the registers alone, never on the order of additions.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/payload.h"

#define HLL_REGISTER_COUNT 16384
#define HLL_RANK_MAX       51 /* 64 bits of hash less 14 that choose the register, plus 1 */

/* Redis turns dense when the sparse encoding passes 3000 bytes (hll-sparse-max-bytes).  Measured on
 * 7.0.15 with 60 keys of random elements: at 1577 to 1617 non-zero registers, 1596 in the mean.
 * Simplified: here the number of registers decides, because the bytes of the encoding can shrink
 * again and so would depend on the order of additions. */
#define HLL_SPARSE_MAX 1595

/* What one element asks for: register index to hold at least rank. */
typedef struct {
    uint16_t index;
    uint8_t rank; /* 1 to HLL_RANK_MAX */
} HllRaise;

HllRaise hll_hash(const void *element, uint32_t bytes);

/* A synthetic element is the decimal text of its token. */
HllRaise hll_hash_token(uint64_t token);

#define HLL_DENSE_BYTES (HLL_REGISTER_COUNT * 6 / 8)

typedef struct {
    /* Register i is the 6 bits from bit 6 i on, lowest bits first; one byte more, so that the last
     * register is read like the others. */
    uint8_t bits[HLL_DENSE_BYTES + 1];
    uint16_t of_rank[HLL_RANK_MAX + 1]; /* how many registers hold it; [0] is not kept */
} HllDense;

typedef struct {
    uint32_t *sparse; /* index << 8 | rank, rising; while dense is NULL */
    HllDense *dense;
    uint32_t count; /* registers that are not 0 */
    uint32_t capacity;
} Hll;

void hll_init(Hll *hll);
void hll_clear(Hll *hll);

uint32_t hll_rank(const Hll *hll, uint32_t index);
bool hll_raise(Hll *hll, HllRaise raise);   /* false: the register was that high before */
void hll_join(Hll *into, const Hll *from);  /* into becomes the union */
int64_t hll_count(const Hll *hll);          /* the estimate PFCOUNT replies */
uint64_t hll_memory_bytes(const Hll *hll);  /* of this process, behind the struct */
uint32_t hll_encoded_bytes(const Hll *hll); /* of the string that GET shows; scans when sparse */

/* The next register that is not 0, by rising index; *cursor begins at 0. */
bool hll_next(const Hll *hll, uint32_t *cursor, HllRaise *out);

/* The string Redis keeps: appended to out.  Its cached count is marked stale, as after PFADD.
 * Simplified: equal neighbours share an opcode wherever they can; Redis joins them only around the
 * register it has just changed, so its string may be some bytes longer and reads the same. */
void hll_write_redis(const Hll *hll, PayloadWriter *out);

/* Whether text is such a string, dense or sparse; into becomes the union with it.  False leaves
 * into as it was.  is_corrupt tells a string that has the header and is broken behind it (Redis:
 * INVALIDOBJ) from one that is no sketch at all (WRONGTYPE); may be NULL. */
bool hll_read_redis(Hll *into, PayloadText text, bool *out_is_corrupt);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hll, hll_clear)
