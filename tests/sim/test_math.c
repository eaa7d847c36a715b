/* The simulator's own functions against libm, which only tests may use. */
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "sim/math.h"
#include "sim/rng.h"

/* How many representable numbers lie between a and b, both positive. */
static double ulps_between(double a, double b)
{
    int64_t x, y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return fabs((double)(x - y));
}

static double draw_between(Rng *rng, double from, double to)
{
    return from + (to - from) * rng_unit(rng);
}

static void test_log_is_within_two_ulp_over_all_magnitudes(void)
{
    Rng rng = rng_stream(1, "test/log");
    double worst = 0.0;

    for (long i = 0; i < test_count(200000, 5000000); i++) {
        double x = ldexp(1.0 + rng_unit(&rng), (int)rng_below(&rng, 2040) - 1021);

        worst = MAX(worst, ulps_between(fabs(sim_log(x)), fabs(log(x))));
        x = draw_between(&rng, 0.5, 2.0); /* where the logarithm is near 0 */
        worst = MAX(worst, ulps_between(fabs(sim_log(x)), fabs(log(x))));
    }
    EXPECT(worst <= 2.0);
    EXPECT(sim_log(1.0) == 0.0);
    EXPECT_NEAR(sim_log(5e-324), log(5e-324), 1e-12);
    EXPECT_NEAR(sim_log(DBL_MAX), log(DBL_MAX), 1e-12);
}

static void test_logs_are_those_one_by_one(void)
{
    Rng rng = rng_stream(3, "test/logs");

    for (long i = 0; i < test_count(10000, 300000); i++) {
        double values[SIM_LOGS], expected[SIM_LOGS];

        for (int k = 0; k < SIM_LOGS; k++) {
            values[k] = i % 2 ? 1.0 - rng_unit(&rng)
                              : ldexp(1.0 + rng_unit(&rng), (int)rng_below(&rng, 2040) - 1021);
            expected[k] = sim_log(values[k]);
        }
        sim_logs(values);
        EXPECT(memcmp(values, expected, sizeof values) == 0);
    }
}

static void test_exp_is_within_two_ulp_and_saturates(void)
{
    Rng rng = rng_stream(2, "test/exp");
    double worst = 0.0;

    for (long i = 0; i < test_count(200000, 5000000); i++) {
        double x = draw_between(&rng, -708.0, 709.7);

        worst = MAX(worst, ulps_between(sim_exp(x), exp(x)));
        x = draw_between(&rng, -1.0, 1.0);
        worst = MAX(worst, ulps_between(sim_exp(x), exp(x)));
    }
    EXPECT(worst <= 2.0);
    EXPECT(sim_exp(0.0) == 1.0);
    EXPECT(sim_exp(1000.0) == DBL_MAX);
    EXPECT(sim_exp(-1000.0) == 0.0);
    EXPECT_NEAR(sim_exp(709.78) / exp(709.78), 1.0, 1e-15);
    EXPECT_NEAR(sim_exp(-740.0), exp(-740.0), 1e-323);
}

static void test_pow_is_within_two_ulp_even_for_large_results(void)
{
    Rng rng = rng_stream(3, "test/pow");
    double worst = 0.0;

    for (long i = 0; i < test_count(200000, 5000000); i++) {
        double x = exp(draw_between(&rng, -20.0, 20.0));
        double y = draw_between(&rng, -34.0, 34.0);
        double near = draw_between(&rng, 0.9, 1.1);

        worst = MAX(worst, ulps_between(sim_pow(x, y), pow(x, y)));
        worst = MAX(worst, ulps_between(sim_pow(near, 100.0 * y), pow(near, 100.0 * y)));
    }
    EXPECT(worst <= 2.0);
    EXPECT(sim_pow(2.0, 10.0) == 1024.0);
    EXPECT(sim_pow(10.0, 3.0) == 1000.0);
    EXPECT(sim_pow(7.0, 0.0) == 1.0);
    EXPECT(sim_pow(0.5, 1e300) == 0.0);
    EXPECT(sim_pow(2.0, 1e300) == DBL_MAX);
}

static void test_normal_cdf_keeps_relative_precision_in_the_tail(void)
{
    for (double x = -37.0; x < 8.0; x += 0.0371) {
        double expected = 0.5 * erfc(-x / sqrt(2.0));

        EXPECT_NEAR(sim_normal_cdf(x) / expected, 1.0, 1e-12);
    }
    EXPECT(sim_normal_cdf(0.0) == 0.5);
    EXPECT(sim_normal_cdf(-100.0) == 0.0);
    EXPECT(sim_normal_cdf(100.0) == 1.0);
}

static void test_normal_quantile_inverts_the_cdf(void)
{
    for (double x = -12.0; x < 5.0; x += 0.0137) {
        double p = 0.5 * erfc(-x / sqrt(2.0));

        EXPECT_NEAR(sim_normal_quantile(p), x, x > 0.0 ? 1e-9 : 1e-12);
    }
    EXPECT_NEAR(sim_normal_quantile(0.95), 1.6448536269514722, 1e-14);
    EXPECT_NEAR(sim_normal_quantile(0.99), 2.3263478740408408, 1e-14);
    EXPECT(sim_normal_quantile(0.5) == 0.0);
}

/* Doubles apart: 0 when equal, whatever the signs. */
static double signed_ulps(double a, double b)
{
    return a == b ? 0.0 : (a < 0.0) != (b < 0.0) ? DBL_MAX : ulps_between(fabs(a), fabs(b));
}

static void test_sine_and_cosine_are_within_one_ulp(void)
{
    static const double spans[] = {1e-9, 0.01, 0.8, 3.2, 100.0, 1e6};
    Rng rng = rng_stream(4, "test/sin");
    double worst = 0.0;
    long unlike = 0, count = test_count(50000, 2000000);

    for (size_t span = 0; span < G_N_ELEMENTS(spans); span++) {
        for (long i = 0; i < count; i++) {
            double x = draw_between(&rng, -spans[span], spans[span]);

            worst = MAX(worst, signed_ulps(sim_sin(x), sin(x)));
            worst = MAX(worst, signed_ulps(sim_cos(x), cos(x)));
            unlike += (sim_sin(x) != sin(x)) + (sim_cos(x) != cos(x));
        }
    }
    for (int quarter = 1; quarter < 2000; quarter++) { /* where they nearly vanish */
        worst = MAX(worst, signed_ulps(sim_sin(quarter * M_PI_2), sin(quarter * M_PI_2)));
        worst = MAX(worst, signed_ulps(sim_cos(quarter * M_PI_2), cos(quarter * M_PI_2)));
    }
    EXPECT(worst <= 1.0);
    EXPECT(unlike < count / 10); /* of 12 count: libm itself is off by an ulp at times */
    EXPECT(sim_sin(0.0) == 0.0);
    EXPECT(sim_cos(0.0) == 1.0);
}

static void test_arc_sine_is_within_one_ulp(void)
{
    Rng rng = rng_stream(5, "test/asin");
    double worst = 0.0;
    long unlike = 0, count = test_count(100000, 5000000);

    for (long i = 0; i < count; i++) {
        double x = draw_between(&rng, -1.0, 1.0);
        double steep = 1.0 - exp(draw_between(&rng, -36.0, -1.0));
        double flat = exp(draw_between(&rng, -25.0, -0.1));

        worst = MAX(worst, signed_ulps(sim_asin(x), asin(x)));
        worst = MAX(worst, signed_ulps(sim_asin(steep), asin(steep)));
        worst = MAX(worst, signed_ulps(sim_asin(flat), asin(flat)));
        unlike += (sim_asin(x) != asin(x)) + (sim_asin(steep) != asin(steep));
    }
    EXPECT(worst <= 1.0);
    EXPECT(unlike < count / 10);
    EXPECT(sim_asin(1.0) == M_PI_2);
    EXPECT(sim_asin(-1.0) == -M_PI_2);
    EXPECT(sim_asin(0.0) == 0.0);
}

/* Bits, not values: these are what every compiler and level must give. */
static void test_bits_are_pinned(void)
{
    EXPECT(sim_log(3.7) == 0x1.4eeee650ae55p+0);
    EXPECT(sim_exp(-2.3) == 0x1.9aa9046ec997cp-4);
    EXPECT(sim_pow(1e6, -0.99) == 0x1.3434841deffc9p-20);
    EXPECT(sim_normal_quantile(0.999) == 0x1.8b8cbb720447p+1);
    EXPECT(sim_sin(1.3) == 0x1.ed577f9c51e4bp-1);
    EXPECT(sim_cos(100.7) == 0x1.f8b3e74a7dedap-1);
    EXPECT(sim_asin(0.9) == 0x1.1ea93705fa172p+0);
    EXPECT(sim_asin(0.3) == 0x1.380159e14f6ffp-2);
    EXPECT(sim_normal_cdf(-1.5) == 0x1.11a46d89647ecp-4);
}

static const TestCase cases[] = {
    TEST(test_log_is_within_two_ulp_over_all_magnitudes),
    TEST(test_logs_are_those_one_by_one),
    TEST(test_exp_is_within_two_ulp_and_saturates),
    TEST(test_pow_is_within_two_ulp_even_for_large_results),
    TEST(test_normal_cdf_keeps_relative_precision_in_the_tail),
    TEST(test_normal_quantile_inverts_the_cdf),
    TEST(test_sine_and_cosine_are_within_one_ulp),
    TEST(test_arc_sine_is_within_one_ulp),
    TEST(test_bits_are_pinned),
};
TEST_MAIN("math", cases)
