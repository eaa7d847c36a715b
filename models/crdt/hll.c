/* Why it works: a register is only ever raised, so every sketch is a point of a lattice whose join
 * is the maximum per register; all else is representation.
 *
 * The estimator is that of Ertl ("New cardinality estimation algorithms for HyperLogLog sketches",
 * 2017, arXiv 1702.01284, section 4): it needs only how many registers hold each rank, which the
 * dense form keeps up to date and the sparse form counts.  sigma stands for the registers that are
 * still 0, tau for those that are full.  Its sums are taken in the order of that paper's algorithm
 * 6, rank by rank from the highest, because a double's last bit depends on it.
 */
#include "models/crdt/hll.h"

#include <math.h>
#include <string.h>

#include "sim/ensure.h"

#define HASH_SEED    UINT64_C(0xadc83b19)
#define INDEX_BITS   14
#define RANK_BITS    (64 - INDEX_BITS)       /* 50 */
#define SPARSE_RANKS 32                      /* the highest rank a sparse opcode holds */
#define HALF_LOG2E   0.721347520444481703680 /* 1 / (2 ln 2) */

/* MurmurHash64A (Austin Appleby, public domain), with numbers read as little-endian. */
static uint64_t hash64(const uint8_t *at, uint32_t bytes)
{
    const uint64_t factor = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t hash = HASH_SEED ^ (bytes * factor);
    uint64_t word;

    for (; bytes >= 8; bytes -= 8, at += 8) {
        memcpy(&word, at, 8);
        word *= factor;
        word ^= word >> 47;
        hash = (hash ^ (word * factor)) * factor;
    }
    if (bytes > 0) {
        word = 0;
        memcpy(&word, at, bytes);
        hash = (hash ^ word) * factor;
    }
    hash = (hash ^ (hash >> 47)) * factor;
    return hash ^ (hash >> 47);
}

HllRaise hll_hash(const void *element, uint32_t bytes)
{
    uint64_t hash = hash64(element, bytes);
    uint64_t rest = (hash >> INDEX_BITS) | (UINT64_C(1) << RANK_BITS); /* the rank ends here */

    return (HllRaise){.index = (uint16_t)(hash & (HLL_REGISTER_COUNT - 1)),
                      .rank = (uint8_t)(__builtin_ctzll(rest) + 1)};
}

HllRaise hll_hash_token(uint64_t token)
{
    char text[20];
    uint32_t at = sizeof(text);

    do
        text[--at] = (char)('0' + token % 10);
    while ((token /= 10) > 0);
    return hll_hash(text + at, (uint32_t)sizeof(text) - at);
}

void hll_init(Hll *hll)
{
    *hll = (Hll){0};
}

void hll_clear(Hll *hll)
{
    g_free(hll->sparse);
    g_free(hll->dense);
    hll_init(hll);
}

uint64_t hll_memory_bytes(const Hll *hll)
{
    return hll->capacity * sizeof(*hll->sparse) + (hll->dense ? sizeof(*hll->dense) : 0);
}

static uint32_t dense_get(const uint8_t *bits, uint32_t index)
{
    const uint8_t *at = bits + index * 6 / 8;
    uint32_t shift = index * 6 % 8;

    return (((uint32_t)at[0] | ((uint32_t)at[1] << 8)) >> shift) & 63;
}

static void dense_set(uint8_t *bits, uint32_t index, uint32_t rank)
{
    uint8_t *at = bits + index * 6 / 8;
    uint32_t shift = index * 6 % 8;
    uint32_t word = (uint32_t)at[0] | ((uint32_t)at[1] << 8);

    word = (word & ~(UINT32_C(63) << shift)) | (rank << shift);
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
}

/* Where index stands in the sparse form, or would. */
static uint32_t sparse_find(const Hll *hll, uint32_t index)
{
    uint32_t low = 0;
    uint32_t high = hll->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (hll->sparse[middle] >> 8 < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool sparse_has(const Hll *hll, uint32_t at, uint32_t index)
{
    return at < hll->count && hll->sparse[at] >> 8 == index;
}

uint32_t hll_rank(const Hll *hll, uint32_t index)
{
    uint32_t at;

    if (hll->dense)
        return dense_get(hll->dense->bits, index);
    at = sparse_find(hll, index);
    return sparse_has(hll, at, index) ? hll->sparse[at] & 0xff : 0;
}

static void become_dense(Hll *hll)
{
    hll->dense = g_new0(HllDense, 1);
    for (uint32_t i = 0; i < hll->count; i++) {
        uint32_t rank = hll->sparse[i] & 0xff;

        dense_set(hll->dense->bits, hll->sparse[i] >> 8, rank);
        hll->dense->of_rank[rank]++;
    }
    g_free(hll->sparse);
    hll->sparse = NULL;
    hll->capacity = 0;
}

static bool dense_raise(Hll *hll, HllRaise raise)
{
    HllDense *dense = hll->dense;
    uint32_t before = dense_get(dense->bits, raise.index);

    if (before >= raise.rank)
        return false;
    dense_set(dense->bits, raise.index, raise.rank);
    if (before > 0)
        dense->of_rank[before]--;
    else
        hll->count++;
    dense->of_rank[raise.rank]++;
    return true;
}

static void sparse_insert(Hll *hll, uint32_t at, uint32_t entry)
{
    if (hll->count == hll->capacity) {
        hll->capacity = MAX(hll->capacity + hll->capacity / 2, 4);
        hll->sparse = g_renew(uint32_t, hll->sparse, hll->capacity);
    }
    memmove(hll->sparse + at + 1, hll->sparse + at, (hll->count - at) * sizeof(*hll->sparse));
    hll->sparse[at] = entry;
    hll->count++;
}

bool hll_raise(Hll *hll, HllRaise raise)
{
    uint32_t entry = ((uint32_t)raise.index << 8) | raise.rank;
    uint32_t at;
    bool has;

    ensure(raise.index < HLL_REGISTER_COUNT && raise.rank >= 1 && raise.rank <= HLL_RANK_MAX);
    if (hll->dense)
        return dense_raise(hll, raise);
    at = sparse_find(hll, raise.index);
    has = sparse_has(hll, at, raise.index);
    if (has && hll->sparse[at] >= entry)
        return false;
    if (raise.rank > SPARSE_RANKS || (!has && hll->count == HLL_SPARSE_MAX)) {
        become_dense(hll);
        return dense_raise(hll, raise);
    }
    if (has)
        hll->sparse[at] = entry;
    else
        sparse_insert(hll, at, entry);
    return true;
}

bool hll_next(const Hll *hll, uint32_t *cursor, HllRaise *out)
{
    if (!hll->dense) {
        if (*cursor >= hll->count)
            return false;
        out->index = (uint16_t)(hll->sparse[*cursor] >> 8);
        out->rank = (uint8_t)hll->sparse[(*cursor)++];
        return true;
    }
    while (*cursor < HLL_REGISTER_COUNT) {
        uint32_t index = (*cursor)++;
        uint32_t rank = dense_get(hll->dense->bits, index);

        if (rank > 0) {
            *out = (HllRaise){.index = (uint16_t)index, .rank = (uint8_t)rank};
            return true;
        }
    }
    return false;
}

void hll_join(Hll *into, const Hll *from)
{
    uint32_t cursor = 0;
    HllRaise raise;

    while (hll_next(from, &cursor, &raise))
        hll_raise(into, raise);
}

/* x + sum over k >= 1 of x^(2^k) 2^(k-1), until it no longer changes; x < 1. */
static double sigma(double x)
{
    double weight = 1;
    double sum = x;
    double before;

    do {
        x *= x;
        before = sum;
        sum += x * weight;
        weight += weight;
    } while (sum != before);
    return sum;
}

/* (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3, likewise; 0 at both ends. */
static double tau(double x)
{
    double weight = 1;
    double sum = 1 - x;
    double before;

    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = sum;
        weight *= 0.5;
        sum -= (1 - x) * (1 - x) * weight;
    } while (sum != before);
    return sum / 3;
}

int64_t hll_count(const Hll *hll)
{
    const double registers = HLL_REGISTER_COUNT;
    uint16_t counted[HLL_RANK_MAX + 1] = {0};
    const uint16_t *of_rank = counted;
    double z;

    if (hll->count == 0)
        return 0; /* sigma would be infinite */
    if (hll->dense)
        of_rank = hll->dense->of_rank;
    else
        for (uint32_t i = 0; i < hll->count; i++)
            counted[hll->sparse[i] & 0xff]++;
    z = registers * tau((registers - of_rank[HLL_RANK_MAX]) / registers);
    for (int rank = RANK_BITS; rank >= 1; rank--)
        z = (z + of_rank[rank]) * 0.5;
    z += registers * sigma((HLL_REGISTER_COUNT - hll->count) / registers);
    return (int64_t)floor(HALF_LOG2E * registers * registers / z + 0.5);
}
