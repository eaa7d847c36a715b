#include "tests/test.h"

#include <math.h>

#include "sim/rng.h"

/* The first outputs of xoshiro256++ from state 1, 2, 3, 4, as its reference program prints them. */
static void test_generator_is_xoshiro256_plus_plus(void)
{
    static const uint64_t expected[] = {
        UINT64_C(41943041),
        UINT64_C(58720359),
        UINT64_C(3588806011781223),
        UINT64_C(3591011842654386),
        UINT64_C(9228616714210784205),
        UINT64_C(9973669472204895162),
    };
    Rng rng = {{1, 2, 3, 4}};

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        EXPECT(rng_u64(&rng) == expected[i]);
}

static void test_streams_and_keys_are_pinned(void)
{
    Rng rng = rng_stream(1, "site/asia/arrivals");
    RngKey key = rng_key(1, "retry");

    EXPECT_INT(rng_u64(&rng), (int64_t)UINT64_C(0x2f4d0728006ad2d1));
    EXPECT_INT(rng_u64(&rng), (int64_t)UINT64_C(0x87bc55593e542725));
    EXPECT_INT(rng_keyed(key, 7, 3), (int64_t)UINT64_C(0x68036cb1e1d84029));
}

static void test_same_label_gives_the_same_stream(void)
{
    Rng a = rng_stream(9, "link/1-2"), b = rng_stream(9, "link/1-2");

    for (int i = 0; i < 100; i++)
        EXPECT(rng_u64(&a) == rng_u64(&b));
}

static int common_bits(uint64_t a, uint64_t b)
{
    return 64 - __builtin_popcountll(a ^ b);
}

/* Neighbouring seeds and labels agree in half of their bits, as strangers do, at every shift: a
 * stream must not be another one some steps later. */
static void test_neighbouring_streams_have_nothing_in_common(void)
{
    static const char *const labels[] = {"a", "b", "aa", "ab", ""};
    uint64_t draws[4 * G_N_ELEMENTS(labels)][64];
    size_t stream_count = G_N_ELEMENTS(draws);
    long agreeing = 0, compared = 0;

    for (size_t i = 0; i < stream_count; i++) {
        Rng rng = rng_stream(i / G_N_ELEMENTS(labels), labels[i % G_N_ELEMENTS(labels)]);

        for (int k = 0; k < 64; k++)
            draws[i][k] = rng_u64(&rng);
    }
    for (size_t i = 0; i < stream_count; i++)
        for (size_t j = 0; j < i; j++)
            for (int k = 0; k < 64; k++) {
                agreeing += common_bits(draws[i][k], draws[j][k]);
                compared += 64;
                for (int shift = 0; shift < 8; shift++)
                    EXPECT(draws[i][k] != draws[j][(k + shift) % 64]);
            }
    EXPECT_NEAR((double)agreeing / (double)compared, 0.5, 0.5 * 5.0 / sqrt((double)compared));
}

static double chi_square(const long *counts, long cells, long total)
{
    double expected = (double)total / (double)cells, sum = 0.0;

    for (long i = 0; i < cells; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return sum;
}

#define CELLS 256

/* Chi square of 255 degrees of freedom: mean 255, deviation 22.6; five deviations are allowed. */
static void expect_even(const long *counts, long total)
{
    EXPECT_NEAR(chi_square(counts, CELLS, total), CELLS - 1, 5.0 * sqrt(2.0 * (CELLS - 1)));
}

static void test_draws_fill_cells_evenly(void)
{
    long total = test_count(200000, 5000000);
    long high[CELLS] = {0}, low[CELLS] = {0}, below[CELLS] = {0}, unit[CELLS] = {0};
    Rng rng = rng_stream(4, "test/even");

    for (long i = 0; i < total; i++) {
        uint64_t u = rng_u64(&rng);

        high[u >> 56]++;
        low[u & 255]++;
        below[rng_below(&rng, CELLS)]++;
        unit[(int)(rng_unit(&rng) * CELLS)]++;
    }
    expect_even(high, total);
    expect_even(low, total);
    expect_even(below, total);
    expect_even(unit, total);
}

static void test_keyed_draws_fill_cells_evenly_along_either_counter(void)
{
    long side = test_count(450, 2200);
    long first[CELLS] = {0}, pairs[CELLS] = {0};
    RngKey key = rng_key(4, "test/keyed");

    for (long a = 0; a < side; a++)
        for (long b = 0; b < side; b++) {
            uint64_t here = rng_keyed(key, (uint64_t)a, (uint64_t)b);
            uint64_t next = rng_keyed(key, (uint64_t)a, (uint64_t)b + 1);
            uint64_t beside = rng_keyed(key, (uint64_t)a + 1, (uint64_t)b);

            first[here >> 56]++;
            pairs[((here >> 60) << 4) | ((next ^ beside) >> 60)]++;
        }
    expect_even(first, side * side);
    expect_even(pairs, side * side);
}

static void test_keyed_draws_do_not_depend_on_order(void)
{
    RngKey key = rng_key(5, "client");
    uint64_t forward[50], found;

    for (uint64_t i = 0; i < 50; i++)
        forward[i] = rng_keyed(key, i, i % 7);
    for (uint64_t i = 50; i-- > 0;) {
        found = rng_keyed(rng_key(5, "client"), i, i % 7);
        EXPECT(found == forward[i]);
    }
    EXPECT(rng_keyed(key, 1, 2) != rng_keyed(key, 2, 1));
    EXPECT(rng_keyed(key, 1, 2) != rng_keyed(rng_key(5, "clienu"), 1, 2));
    EXPECT(rng_keyed(key, 1, 2) != rng_keyed(rng_key(6, "client"), 1, 2));
}

static void test_scale_reaches_both_ends_and_no_further(void)
{
    EXPECT_INT(rng_scale(0, 10), 0);
    EXPECT_INT(rng_scale(UINT64_MAX, 10), 9);
    EXPECT_INT(rng_scale(UINT64_MAX, 1), 0);
    EXPECT(rng_unit_of(UINT64_MAX) < 1.0);
    EXPECT(rng_unit_of(0) == 0.0);
}

static const TestCase cases[] = {
    TEST(test_generator_is_xoshiro256_plus_plus),
    TEST(test_streams_and_keys_are_pinned),
    TEST(test_same_label_gives_the_same_stream),
    TEST(test_neighbouring_streams_have_nothing_in_common),
    TEST(test_draws_fill_cells_evenly),
    TEST(test_keyed_draws_fill_cells_evenly_along_either_counter),
    TEST(test_keyed_draws_do_not_depend_on_order),
    TEST(test_scale_reaches_both_ends_and_no_further),
};
TEST_MAIN("rng", cases)
