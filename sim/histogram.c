/* Why it works: a value's bucket is found from its highest bit and the ten bits after it, without a
 * search.  Counts live in one block per power of two, made when a first value falls into it:
 * latencies spread over a handful of powers, so most histograms hold five or six blocks of 8 kB.
 * A bucket is met at random and mostly lies outside the caches near the core, so many samples are
 * added in two passes: one that asks for the buckets, one that counts in them.  A block knows which
 * of its parts were counted in, so merging and clearing pass over the others.
 * Sums are kept in 128-bit integers; adding and merging are then exact, and the order in which
 * threads or variants are merged cannot show in a result. */
#include "sim/histogram.h"

#include <math.h>
#include <string.h>

#include "sim/ensure.h"
#include "sim/json_read.h"
#include "sim/prefetch.h"

#define EXACT_BITS  11 /* values below 2^11 have buckets of their own */
#define EXACT_COUNT (1u << EXACT_BITS)
#define SPLIT_BITS  10 /* each power of two above is split into 2^10 */
#define SPLIT_COUNT (1u << SPLIT_BITS)
#define BLOCK_COUNT                                                                                \
    (63 - EXACT_BITS + 1) /* the exact block, and one per power of two up to 2^62                  \
                           */

#define FORMAT_VERSION 1

typedef unsigned __int128 Wide;

/* What every sample changes beside its bucket. */
typedef struct {
    uint64_t count; /* sum of weights */
    uint64_t sample_count;
    Wide sum;         /* of value times weight */
    Wide sum_squares; /* of weights */
    int64_t min, max;
} Sums;

#define PART_COUNT 32u /* slots that are merged and cleared together */

/* The buckets of one power of two. */
typedef struct {
    uint64_t *counts; /* NULL: no value yet */
    uint64_t touched; /* bit per PART_COUNT slots; where it is 0 all counts are */
} Block;

_Static_assert(EXACT_COUNT / PART_COUNT <= 64 && SPLIT_COUNT / PART_COUNT <= 64, "a bit each");

struct Histogram {
    Sums sums;
    Block blocks[BLOCK_COUNT];
};

#define AT_ONCE 32u /* buckets asked for before the first is counted in */

static inline uint32_t block_size(uint32_t block)
{
    return block == 0 ? EXACT_COUNT : SPLIT_COUNT;
}

static inline void bucket_of(uint64_t value, uint32_t *out_block, uint32_t *out_slot)
{
    uint32_t highest;

    if (value < EXACT_COUNT) {
        *out_block = 0;
        *out_slot = (uint32_t)value;
        return;
    }
    highest = 63u - (uint32_t)__builtin_clzll(value);
    *out_block = highest - EXACT_BITS + 1;
    *out_slot = (uint32_t)(value >> (highest - SPLIT_BITS)) - SPLIT_COUNT;
}

static int64_t bucket_middle(uint32_t block, uint32_t slot)
{
    uint32_t shift;

    if (block == 0)
        return slot;
    shift = block + EXACT_BITS - 1 - SPLIT_BITS;
    return (int64_t)(((uint64_t)(SPLIT_COUNT + slot) << shift) + (UINT64_C(1) << (shift - 1)));
}

/* The count of a bucket, which is about to be counted in. */
static inline uint64_t *count_ready(Histogram *histogram, uint32_t block, uint32_t slot)
{
    Block *it = &histogram->blocks[block];

    if (__builtin_expect(it->counts == NULL, 0))
        it->counts = g_new0(uint64_t, block_size(block));
    it->touched |= UINT64_C(1) << slot / PART_COUNT;
    return &it->counts[slot];
}

Histogram *histogram_new(void)
{
    Histogram *histogram = g_new0(Histogram, 1);

    histogram->sums.min = INT64_MAX;
    return histogram;
}

void histogram_free(Histogram *histogram)
{
    if (histogram == NULL)
        return;
    for (uint32_t block = 0; block < BLOCK_COUNT; block++)
        g_free(histogram->blocks[block].counts);
    g_free(histogram);
}

static inline uint64_t *bucket_ready(Histogram *histogram, int64_t value)
{
    uint32_t block, slot;

    bucket_of((uint64_t)value, &block, &slot);
    return count_ready(histogram, block, slot);
}

static inline void sums_add(Sums *sums, int64_t value, uint32_t weight)
{
    sums->count += weight;
    sums->sample_count++;
    sums->sum += (Wide)(uint64_t)value * weight;
    sums->sum_squares += (Wide)weight * weight;
    sums->min = MIN(sums->min, value);
    sums->max = MAX(sums->max, value);
}

static void add_some(Histogram *histogram, const HistogramSample *samples, uint32_t count)
{
    uint64_t *buckets[AT_ONCE];
    Sums sums = histogram->sums;

    for (uint32_t i = 0; i < count; i++) {
        buckets[i] = bucket_ready(histogram, MAX(samples[i].value, 0));
        prefetch(buckets[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        *buckets[i] += samples[i].weight;
        sums_add(&sums, MAX(samples[i].value, 0), samples[i].weight);
    }
    histogram->sums = sums;
}

void histogram_add_all(Histogram *histogram, const HistogramSample *samples, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += AT_ONCE)
        add_some(histogram, &samples[i], MIN(AT_ONCE, count - i));
}

void histogram_add(Histogram *histogram, int64_t value, uint32_t weight)
{
    histogram_add_all(histogram, &(HistogramSample){.value = value, .weight = weight}, 1);
}

static void block_merge(Histogram *into, const Histogram *from, uint32_t block)
{
    const Block *added = &from->blocks[block];

    for (uint64_t parts = added->touched; parts != 0; parts &= parts - 1) {
        uint32_t first = (uint32_t)__builtin_ctzll(parts) * PART_COUNT;
        uint64_t *sums = count_ready(into, block, first);

        for (uint32_t i = 0; i < PART_COUNT; i++)
            sums[i] += added->counts[first + i];
    }
}

void histogram_merge(Histogram *into, const Histogram *from)
{
    for (uint32_t block = 0; block < BLOCK_COUNT; block++)
        block_merge(into, from, block);
    into->sums.count += from->sums.count;
    into->sums.sample_count += from->sums.sample_count;
    into->sums.sum += from->sums.sum;
    into->sums.sum_squares += from->sums.sum_squares;
    into->sums.min = MIN(into->sums.min, from->sums.min);
    into->sums.max = MAX(into->sums.max, from->sums.max);
}

static void block_clear(Block *block)
{
    for (; block->touched != 0; block->touched &= block->touched - 1)
        memset(&block->counts[(uint32_t)__builtin_ctzll(block->touched) * PART_COUNT], 0,
               sizeof(uint64_t) * PART_COUNT);
}

void histogram_clear(Histogram *histogram)
{
    for (uint32_t block = 0; block < BLOCK_COUNT; block++)
        block_clear(&histogram->blocks[block]);
    histogram->sums = (Sums){.min = INT64_MAX};
}

uint64_t histogram_count(const Histogram *histogram)
{
    return histogram->sums.count;
}

uint64_t histogram_sample_count(const Histogram *histogram)
{
    return histogram->sums.sample_count;
}

/* The compiler's own conversion of 128 bits calls a library routine; this is exact to a last
 * rounding and the same everywhere. */
static double wide_to_double(Wide wide)
{
    return (double)(uint64_t)(wide >> 64) * 0x1p64 + (double)(uint64_t)wide;
}

double histogram_sum_squares(const Histogram *histogram)
{
    return wide_to_double(histogram->sums.sum_squares);
}

double histogram_effective_count(const Histogram *histogram)
{
    double total = (double)histogram->sums.count;

    return histogram->sums.count == 0 ? 0.0 : total * total / histogram_sum_squares(histogram);
}

/* The least whole weight that is a share p of the total.  A product within rounding of a whole
 * number is that number: 7 % of 100 is 7, though 0.07 * 100 exceeds it in binary. */
static uint64_t weight_needed(uint64_t total, double p)
{
    double exact = p * (double)total;
    double nearest = floor(exact + 0.5);
    uint64_t needed;

    needed = (uint64_t)(fabs(exact - nearest) <= exact * 1e-12 ? nearest : ceil(exact));
    return CLAMP(needed, 1, total);
}

int64_t histogram_quantile(const Histogram *histogram, double p)
{
    uint64_t needed, seen = 0;

    if (histogram->sums.count == 0)
        return 0;
    if (!(p > 0.0))
        return histogram->sums.min;
    if (p >= 1.0)
        return histogram->sums.max;
    needed = weight_needed(histogram->sums.count, p);
    for (uint32_t block = 0; block < BLOCK_COUNT; block++) {
        const uint64_t *counts = histogram->blocks[block].counts;

        if (counts == NULL)
            continue;
        for (uint32_t slot = 0; slot < block_size(block); slot++) {
            seen += counts[slot];
            if (seen >= needed)
                return CLAMP(bucket_middle(block, slot), histogram->sums.min, histogram->sums.max);
        }
    }
    return histogram->sums.max;
}

void histogram_quantile_interval(const Histogram *histogram, double p, int64_t *out_low,
                                 int64_t *out_high)
{
    double half_width = 0.0;

    p = CLAMP(p, 0.0, 1.0);
    if (histogram->sums.count > 0)
        half_width = 1.959963984540054 * sqrt(p * (1.0 - p) / histogram_effective_count(histogram));
    *out_low = histogram_quantile(histogram, p - half_width);
    *out_high = histogram_quantile(histogram, p + half_width);
}

double histogram_mean(const Histogram *histogram)
{
    if (histogram->sums.count == 0)
        return 0.0;
    return wide_to_double(histogram->sums.sum) / (double)histogram->sums.count;
}

int64_t histogram_min(const Histogram *histogram)
{
    return histogram->sums.count == 0 ? 0 : histogram->sums.min;
}

int64_t histogram_max(const Histogram *histogram)
{
    return histogram->sums.max;
}

static void varint_append(GByteArray *bytes, Wide value)
{
    do {
        guint8 byte = (guint8)(value & 0x7f);

        value >>= 7;
        if (value != 0)
            byte |= 0x80;
        g_byte_array_append(bytes, &byte, 1);
    } while (value != 0);
}

/* version, sum of weights, then unless that is 0: samples, sum, sum of squares, min, max, and for
 * each used bucket the number of empty ones skipped before it and its count. */
GBytes *histogram_to_bytes(const Histogram *histogram)
{
    GByteArray *bytes = g_byte_array_new();
    uint64_t skipped = 0;

    varint_append(bytes, FORMAT_VERSION);
    varint_append(bytes, histogram->sums.count);
    if (histogram->sums.count == 0)
        return g_byte_array_free_to_bytes(bytes);
    varint_append(bytes, histogram->sums.sample_count);
    varint_append(bytes, histogram->sums.sum);
    varint_append(bytes, histogram->sums.sum_squares);
    varint_append(bytes, (uint64_t)histogram->sums.min);
    varint_append(bytes, (uint64_t)histogram->sums.max);
    for (uint32_t block = 0; block < BLOCK_COUNT; block++) {
        const uint64_t *counts = histogram->blocks[block].counts;

        for (uint32_t slot = 0; slot < block_size(block); slot++) {
            if (counts == NULL || counts[slot] == 0) {
                skipped++;
                continue;
            }
            varint_append(bytes, skipped);
            varint_append(bytes, counts[slot]);
            skipped = 0;
        }
    }
    return g_byte_array_free_to_bytes(bytes);
}

typedef struct {
    const guint8 *at, *end;
    bool failed;
} Reader;

static Wide varint_take(Reader *reader)
{
    Wide value = 0;

    for (unsigned shift = 0; shift < 128 && reader->at < reader->end; shift += 7) {
        guint8 byte = *reader->at++;

        value |= (Wide)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    reader->failed = true;
    return 0;
}

static uint64_t varint_take_u64(Reader *reader)
{
    Wide value = varint_take(reader);

    if (value > UINT64_MAX)
        reader->failed = true;
    return (uint64_t)value;
}

static void buckets_take(Reader *reader, Histogram *histogram)
{
    uint64_t index = 0;

    while (!reader->failed && reader->at < reader->end) {
        uint64_t skipped = varint_take_u64(reader);
        uint64_t count = varint_take_u64(reader);
        uint64_t last = EXACT_COUNT + (uint64_t)(BLOCK_COUNT - 1) * SPLIT_COUNT;
        uint32_t block = 0;

        if (reader->failed || count == 0 || skipped >= last - index) {
            reader->failed = true;
            return;
        }
        index += skipped;
        if (index >= EXACT_COUNT)
            block = (uint32_t)((index - EXACT_COUNT) / SPLIT_COUNT) + 1;
        *count_ready(histogram, block,
                     (uint32_t)(block == 0 ? index : (index - EXACT_COUNT) % SPLIT_COUNT)) = count;
        histogram->sums.count += count;
        index++;
    }
}

Histogram *histogram_from_bytes(GBytes *bytes, GError **error)
{
    g_autoptr(Histogram) histogram = histogram_new();
    gsize size;
    Reader reader = {.at = g_bytes_get_data(bytes, &size)};
    uint64_t count;

    reader.end = size > 0 ? reader.at + size : reader.at; /* no bytes: a null pointer */
    if (varint_take_u64(&reader) != FORMAT_VERSION)
        reader.failed = true;
    count = varint_take_u64(&reader);
    if (count > 0) {
        histogram->sums.sample_count = varint_take_u64(&reader);
        histogram->sums.sum = varint_take(&reader);
        histogram->sums.sum_squares = varint_take(&reader);
        histogram->sums.min = (int64_t)varint_take_u64(&reader);
        histogram->sums.max = (int64_t)varint_take_u64(&reader);
        buckets_take(&reader, histogram);
        if (histogram->sums.min < 0 || histogram->sums.max < histogram->sums.min)
            reader.failed = true;
    }
    if (histogram->sums.count != count || reader.at != reader.end)
        reader.failed = true;
    if (reader.failed) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "a stored histogram of %" G_GSIZE_FORMAT
                    " bytes is damaged; expected format %d, complete",
                    size, FORMAT_VERSION);
        return NULL;
    }
    return g_steal_pointer(&histogram);
}
