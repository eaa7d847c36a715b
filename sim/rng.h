/* Random numbers: streams named by a label, and draws keyed by what they are for.
 *
 * A stream belongs to one actor and is named after it ("site/asia/arrivals"), so adding an actor
 * never shifts another's draws (common random numbers).  Where the order of draws may differ
 * between variants (a retry, an operator's stage) a draw is not taken from a stream but computed
 * from its own key, e.g. (client, operation, attempt).  xoshiro256++ after Blackman and Vigna 2019;
 * keyed draws are two rounds of a 64-bit finaliser (Stafford's mix 13) over key and counters.
 */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t state[4];
} Rng;

Rng rng_stream(uint64_t seed, const char *label);

static inline uint64_t rng_rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static inline uint64_t rng_u64(Rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rng_rotl(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotl(s[3], 45);
    return result;
}

/* Uniform on 0..n-1 without bias worth naming (multiply-shift, error below n / 2^64).  n > 0. */
static inline uint64_t rng_scale(uint64_t u64, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)u64 * n) >> 64);
}

static inline uint64_t rng_below(Rng *rng, uint64_t n)
{
    return rng_scale(rng_u64(rng), n);
}

/* Uniform on [0, 1), a multiple of 2^-53. */
static inline double rng_unit_of(uint64_t u64)
{
    return (double)(u64 >> 11) * 0x1.0p-53;
}

static inline double rng_unit(Rng *rng)
{
    return rng_unit_of(rng_u64(rng));
}

static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A family of keyed draws, named like a stream. */
typedef struct {
    uint64_t key;
} RngKey;

RngKey rng_key(uint64_t seed, const char *label);

/* What the draws for (a, 0), (a, 1), ... share: who needs several of them mixes a once. */
typedef struct {
    uint64_t word;
} RngRow;

static inline RngRow rng_row(RngKey key, uint64_t a)
{
    return (RngRow){rng_mix(key.key + a * UINT64_C(0x9e3779b97f4a7c15))};
}

static inline uint64_t rng_in_row(RngRow row, uint64_t b)
{
    return rng_mix(row.word + (b + 1) * UINT64_C(0xd1342543de82ef95));
}

/* The draw for (a, b) of this family; the same pair always gives the same number. */
static inline uint64_t rng_keyed(RngKey key, uint64_t a, uint64_t b)
{
    return rng_in_row(rng_row(key, a), b);
}
