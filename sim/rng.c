/* Why it works: seed and label are hashed apart (a finaliser for the seed, FNV-1a for the label)
 * and joined through the finaliser again, so that seeds 1, 2, 3 and labels of one letter's
 * difference give states with nothing in common.  Joining them by addition alone would not do:
 * splitmix64 steps by a constant, and two starts one step apart would share three of four words of
 * state.
 *
 * FNV-1a 64: Fowler, Noll and Vo, draft-eastlake-fnv.  splitmix64: Steele, Lea and Flood 2014;
 * Blackman and Vigna advise it for filling the state of xoshiro256++, and it never fills it with
 * zeros alone. */
#include "sim/rng.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

/* Keeps rng_key(s, l) apart from the first word of rng_stream(s, l). */
#define KEY_SALT UINT64_C(0x452821e638d01377)

static uint64_t label_hash(const char *label)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *label != '\0'; label++) {
        hash ^= (unsigned char)*label;
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t start_of(uint64_t seed, const char *label)
{
    return rng_mix(rng_mix(seed + GOLDEN) ^ label_hash(label));
}

Rng rng_stream(uint64_t seed, const char *label)
{
    uint64_t counter = start_of(seed, label);
    Rng rng;

    for (int i = 0; i < 4; i++) {
        counter += GOLDEN;
        rng.state[i] = rng_mix(counter);
    }
    return rng;
}

RngKey rng_key(uint64_t seed, const char *label)
{
    return (RngKey){.key = rng_mix(start_of(seed, label) ^ KEY_SALT)};
}
