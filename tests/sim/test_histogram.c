#include "tests/test.h"

#include <math.h>

#include "sim/histogram.h"
#include "sim/json_read.h"
#include "sim/math.h"
#include "sim/rng.h"

static int64_t draw_lognormal(Rng *rng)
{
    double p = rng_unit(rng) * 0.999999 + 5e-7;

    return (int64_t)(3.3e7 * sim_exp(0.6 * sim_normal_quantile(p)));
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void expect_equal(const Histogram *a, const Histogram *b)
{
    EXPECT_INT(histogram_count(a), (int64_t)histogram_count(b));
    EXPECT_INT(histogram_sample_count(a), (int64_t)histogram_sample_count(b));
    EXPECT(histogram_sum_squares(a) == histogram_sum_squares(b));
    EXPECT(histogram_mean(a) == histogram_mean(b));
    EXPECT_INT(histogram_min(a), histogram_min(b));
    EXPECT_INT(histogram_max(a), histogram_max(b));
    for (double p = 0.0; p <= 1.0; p += 1.0 / 512)
        EXPECT_INT(histogram_quantile(a, p), histogram_quantile(b, p));
}

static void test_quantiles_are_those_of_the_sorted_samples(void)
{
    static const double shares[] = {0.001, 0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999};
    long count = test_count(20000, 1000000);
    g_autofree int64_t *samples = g_new(int64_t, (gsize)count);
    g_autoptr(Histogram) histogram = histogram_new();
    Rng rng = rng_stream(1, "test/histogram");

    for (long i = 0; i < count; i++) {
        samples[i] = draw_lognormal(&rng);
        histogram_add(histogram, samples[i], 1);
    }
    qsort(samples, (size_t)count, sizeof samples[0], compare);
    for (size_t i = 0; i < G_N_ELEMENTS(shares); i++) {
        int64_t exact = samples[(long)ceil(shares[i] * (double)count - 1e-6) - 1];

        EXPECT_NEAR(histogram_quantile(histogram, shares[i]), exact, (double)exact * 0.0005);
    }
    EXPECT_INT(histogram_quantile(histogram, 0.0), samples[0]);
    EXPECT_INT(histogram_quantile(histogram, 1.0), samples[count - 1]);
    EXPECT_INT(histogram_min(histogram), samples[0]);
    EXPECT_INT(histogram_max(histogram), samples[count - 1]);
}

static void test_small_values_are_exact(void)
{
    g_autoptr(Histogram) histogram = histogram_new();

    for (int64_t value = 1; value <= 2000; value++)
        histogram_add(histogram, value, 1);
    for (int i = 1; i <= 100; i++)
        EXPECT_INT(histogram_quantile(histogram, i / 100.0), 20 * i);
    EXPECT_INT(histogram_quantile(histogram, 0.00051), 2);
    EXPECT(histogram_mean(histogram) == 1000.5);
}

/* Every power of two and its neighbours, up to the largest number there is. */
static void test_any_value_comes_back_within_a_tenth_of_a_percent(void)
{
    for (int bit = 0; bit < 63; bit++)
        for (int64_t near = -1; near <= 1; near++) {
            g_autoptr(Histogram) histogram = histogram_new();
            int64_t value = (INT64_C(1) << bit) + near;

            histogram_add(histogram, 0, 1);
            histogram_add(histogram, value, 8);
            histogram_add(histogram, INT64_MAX, 1);
            EXPECT_NEAR(histogram_quantile(histogram, 0.5), value, (double)value * 0.0005);
            EXPECT_INT(histogram_max(histogram), INT64_MAX);
        }
}

static void test_negative_values_count_as_zero(void)
{
    g_autoptr(Histogram) histogram = histogram_new();

    histogram_add(histogram, -5, 1);
    histogram_add(histogram, 5, 1);
    EXPECT_INT(histogram_min(histogram), 0);
    EXPECT(histogram_mean(histogram) == 2.5);
}

static void test_empty_histogram_answers_zero(void)
{
    g_autoptr(Histogram) histogram = histogram_new();
    int64_t low, high;

    histogram_quantile_interval(histogram, 0.5, &low, &high);
    EXPECT_INT(low, 0);
    EXPECT_INT(high, 0);
    EXPECT_INT(histogram_quantile(histogram, 0.5), 0);
    EXPECT_INT(histogram_min(histogram), 0);
    EXPECT_INT(histogram_max(histogram), 0);
    EXPECT(histogram_mean(histogram) == 0.0);
    EXPECT(histogram_effective_count(histogram) == 0.0);
}

static void test_weights_count_as_that_many_samples(void)
{
    g_autoptr(Histogram) weighted = histogram_new(), repeated = histogram_new();
    Rng rng = rng_stream(2, "test/weights");

    for (int i = 0; i < 1000; i++) {
        int64_t value = draw_lognormal(&rng);
        uint32_t weight = (uint32_t)rng_below(&rng, 70);

        histogram_add(weighted, value, weight);
        for (uint32_t k = 0; k < weight; k++)
            histogram_add(repeated, value, 1);
    }
    EXPECT_INT(histogram_count(weighted), (int64_t)histogram_count(repeated));
    EXPECT_INT(histogram_sample_count(weighted), 1000);
    EXPECT(histogram_mean(weighted) == histogram_mean(repeated));
    for (double p = 0.01; p < 1.0; p += 0.01)
        EXPECT_INT(histogram_quantile(weighted, p), histogram_quantile(repeated, p));
}

static void test_effective_count_is_kish(void)
{
    g_autoptr(Histogram) histogram = histogram_new();

    for (int i = 0; i < 64; i++)
        histogram_add(histogram, i, 1);
    EXPECT_NEAR(histogram_effective_count(histogram), 64.0, 1e-12);
    histogram_add(histogram, 100, 64);
    EXPECT_NEAR(histogram_effective_count(histogram), 128.0 * 128.0 / (64.0 + 4096.0), 1e-12);
}

static void test_merge_is_the_pooled_histogram_in_any_order(void)
{
    g_autoptr(Histogram) one = histogram_new(), two = histogram_new(), pooled = histogram_new();
    g_autoptr(Histogram) forward = histogram_new(), backward = histogram_new();
    Rng rng = rng_stream(3, "test/merge");

    for (int i = 0; i < 5000; i++) {
        int64_t value = draw_lognormal(&rng) >> (i % 3 * 9);
        uint32_t weight = i % 2 ? 1 : 64;

        histogram_add(i % 5 < 2 ? one : two, value, weight);
        histogram_add(pooled, value, weight);
    }
    histogram_merge(forward, one);
    histogram_merge(forward, two);
    histogram_merge(backward, two);
    histogram_merge(backward, one);
    expect_equal(forward, pooled);
    expect_equal(backward, pooled);
}

static void test_cleared_histogram_is_like_a_new_one(void)
{
    g_autoptr(Histogram) used = histogram_new(), fresh = histogram_new();

    histogram_add(used, 123456789, 7);
    histogram_clear(used);
    expect_equal(used, fresh);
    histogram_add(used, 5000, 1);
    histogram_add(fresh, 5000, 1);
    expect_equal(used, fresh);
}

static void test_bytes_round_trip(void)
{
    g_autoptr(Histogram) histogram = histogram_new();
    Rng rng = rng_stream(4, "test/bytes");

    for (int i = 0; i <= 3000; i++) {
        g_autoptr(GBytes) bytes = histogram_to_bytes(histogram);
        g_autoptr(GBytes) again = NULL;
        g_autoptr(Histogram) copy = NULL;

        if (i % 500 == 0) {
            copy = histogram_from_bytes(bytes, NULL);
            EXPECT_FATAL(copy != NULL);
            expect_equal(copy, histogram);
            again = histogram_to_bytes(copy);
            EXPECT(g_bytes_equal(bytes, again));
        }
        histogram_add(histogram, (int64_t)(rng_u64(&rng) >> (1 + i % 60)), (uint32_t)(i % 65));
    }
}

/* Cut short anywhere: an error.  With a byte changed: an error or a histogram, never a crash. */
static void test_damaged_bytes_are_refused(void)
{
    g_autoptr(Histogram) histogram = histogram_new();
    g_autoptr(GBytes) bytes = NULL;
    gsize size;
    const guint8 *data;
    int refused = 0;

    for (int i = 0; i < 50; i++)
        histogram_add(histogram, i * 100000, 1);
    bytes = histogram_to_bytes(histogram);
    data = g_bytes_get_data(bytes, &size);
    for (gsize i = 0; i < size; i++) {
        g_autofree guint8 *changed = g_memdup2(data, size);
        g_autoptr(GBytes) cut = g_bytes_new(data, i), other = NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(Histogram) short_copy = histogram_from_bytes(cut, &error), copy = NULL;

        changed[i] ^= 0x80;
        other = g_bytes_new(changed, size);
        copy = histogram_from_bytes(other, NULL);
        refused += copy == NULL;
        EXPECT(short_copy == NULL);
        EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO));
    }
    EXPECT(refused > 0);
}

/* Of many repetitions about 95 % must hold the true median, with even and with uneven weights. */
static void test_intervals_hold_the_true_quantile_nineteen_times_in_twenty(void)
{
    long rounds = test_count(1000, 10000);

    for (int uneven = 0; uneven < 2; uneven++) {
        Rng rng = rng_stream(5, "test/interval");
        long held = 0;

        for (long round = 0; round < rounds; round++) {
            g_autoptr(Histogram) histogram = histogram_new();
            int64_t low, high;

            for (int i = 0; i < 400; i++)
                histogram_add(histogram, (int64_t)rng_below(&rng, 1000000),
                              uneven && i % 2 ? 16 : 1);
            histogram_quantile_interval(histogram, 0.5, &low, &high);
            held += low <= 500000 && 500000 <= high;
        }
        EXPECT_NEAR((double)held / (double)rounds, 0.95, 0.025);
    }
}

static const TestCase cases[] = {
    TEST(test_quantiles_are_those_of_the_sorted_samples),
    TEST(test_small_values_are_exact),
    TEST(test_any_value_comes_back_within_a_tenth_of_a_percent),
    TEST(test_negative_values_count_as_zero),
    TEST(test_empty_histogram_answers_zero),
    TEST(test_weights_count_as_that_many_samples),
    TEST(test_effective_count_is_kish),
    TEST(test_merge_is_the_pooled_histogram_in_any_order),
    TEST(test_cleared_histogram_is_like_a_new_one),
    TEST(test_bytes_round_trip),
    TEST(test_damaged_bytes_are_refused),
    TEST(test_intervals_hold_the_true_quantile_nineteen_times_in_twenty),
};
TEST_MAIN("histogram", cases)
