#include "tests/test.h"

#include <math.h>

#include "sim/dist.h"
#include "sim/json_read.h"
#include "sim/time.h"
#include "tests/sim/choice.h"

#define P_LOW      0x1p-24
#define NORMAL_P95 1.6448536269514722

static Dist *lognormal_new(Arena *arena, int64_t p50, const char *name, int64_t high)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "lognormal");

    choice_set_int(&choice, "p50", p50);
    choice_set_int(&choice, name, high);
    return dist_new(&choice);
}

static Dist *pareto_new(Arena *arena, int64_t min, double alpha)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "pareto");

    choice_set_int(&choice, "min", min);
    choice_set_number(&choice, "alpha", alpha);
    return dist_new(&choice);
}

static Dist *exp_new(Arena *arena, const PluginFamily *family, int64_t mean)
{
    PluginChoice choice = choice_make(arena, family, "exp");

    choice_set_int(&choice, "mean", mean);
    return dist_new(&choice);
}

static Dist *uniform_new(Arena *arena, int64_t min, int64_t max)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "uniform");

    choice_set_int(&choice, "min", min);
    choice_set_int(&choice, "max", max);
    return dist_new(&choice);
}

static Dist *shift_new(Arena *arena, int64_t by, const Dist *of)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "shift");

    choice_set_int(&choice, "by", by);
    choice_set_pointer(&choice, "of", of);
    return dist_new(&choice);
}

/* A part as the mix's own table of parts lays it out. */
static Dist *mix_new(Arena *arena, double share, const Dist *first, const Dist *second)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "mix");
    const ParamTable *part = choice.head->params->params[0].table;
    ParamMap parts = {.count = 2, .items = arena_alloc(arena, 2 * part->struct_size)};
    double shares[2] = {share, 1.0 - share};
    const Dist *of[2] = {first, second};

    for (size_t i = 0; i < 2; i++) {
        PluginHead head = {.params = part};
        PluginChoice item = {.head = &head, .params = (char *)parts.items + i * part->struct_size};

        choice_set_number(&item, "share", shares[i]);
        choice_set_pointer(&item, "of", of[i]);
    }
    choice_set_map(&choice, NULL, parts);
    return dist_new(&choice);
}

static Dist *empirical_new(Arena *arena, const int64_t *values, const double *weights, size_t count)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "empirical");

    choice_set_map(&choice, "values",
                   (ParamMap){.count = count, .items = (void *)(uintptr_t)values});
    if (weights != NULL)
        choice_set_map(&choice, "weights",
                       (ParamMap){.count = count, .items = (void *)(uintptr_t)weights});
    return dist_new(&choice);
}

/* Monotone over random words and their neighbours and over all seams of the table, within its
 * bounds. */
static void expect_monotone(const Dist *dist)
{
    Rng rng = rng_stream(1, "test/monotone");
    int64_t last = dist_min(dist);

    EXPECT_INT(dist_sample(dist, 0), dist_min(dist));
    EXPECT_INT(dist_sample(dist, UINT64_MAX), dist_max(dist));
    for (int i = 0; i < 65536; i++) {
        uint64_t u = (uint64_t)i << 48;

        EXPECT(dist_sample(dist, u) >= last);
        last = dist_sample(dist, u | (rng_u64(&rng) >> 16));
        EXPECT(last >= dist_sample(dist, u));
        EXPECT(last <= dist_sample(dist, u | UINT64_C(0xffffffffffff)));
    }
    for (unsigned bit = 0; bit < 64; bit++)
        for (uint64_t sub = 32; sub < 64; sub++) {
            uint64_t u = bit < 5 ? sub : sub << (bit - 5);

            EXPECT(dist_sample(dist, u - 1) <= dist_sample(dist, u));
            EXPECT(dist_sample(dist, u) <= dist_sample(dist, u + 1));
            EXPECT(dist_sample(dist, ~u) <= dist_sample(dist, ~(u - 1)));
            EXPECT(dist_sample(dist, ~(u + 1)) <= dist_sample(dist, ~u));
        }
}

/* The mean that words spread evenly over their range give is the one that dist_mean states. */
static void expect_mean_of_samples(const Dist *dist, double tolerance)
{
    long count = test_count(1 << 18, 1 << 22);
    Rng rng = rng_stream(2, "test/mean");
    double sum = 0.0;

    for (long i = 0; i < count; i++) {
        uint64_t width = UINT64_MAX / (uint64_t)count;

        sum += (double)dist_sample(dist, (uint64_t)i * width + rng_below(&rng, width));
    }
    EXPECT_NEAR(sum / (double)count, dist_mean(dist), tolerance * dist_mean(dist));
}

static void test_constant_is_the_same_for_every_word(void)
{
    g_autoptr(Dist) dist = dist_new_constant(85 * SIM_MS);

    EXPECT_INT(dist_sample(dist, 0), 85 * SIM_MS);
    EXPECT_INT(dist_sample(dist, UINT64_MAX), 85 * SIM_MS);
    EXPECT_INT(dist_min(dist), 85 * SIM_MS);
    EXPECT_INT(dist_max(dist), 85 * SIM_MS);
    EXPECT_INT(dist_quantile(dist, 0.3), 85 * SIM_MS);
    EXPECT(dist_mean(dist) == 85e6);
    EXPECT(dist_cdf(dist, 85 * SIM_MS - 1) == 0.0);
    EXPECT(dist_cdf(dist, 85 * SIM_MS) == 1.0);
}

static void test_lognormal_meets_its_percentiles_and_mean(void)
{
    g_autoptr(Arena) arena = arena_new();

    for (int64_t high = 40; high <= 4000; high *= 10) {
        g_autoptr(Dist) by_p95 = lognormal_new(arena, 33 * SIM_MS, "p95", high * SIM_MS);
        g_autoptr(Dist) by_p99 = lognormal_new(arena, 33 * SIM_MS, "p99", high * SIM_MS);
        double sigma = log((double)high / 33.0) / NORMAL_P95;
        double mean = 33e6 * exp(0.5 * sigma * sigma);

        EXPECT_NEAR(dist_quantile(by_p95, 0.5), 33e6, 33e3);
        EXPECT_NEAR(dist_quantile(by_p95, 0.95), (double)high * 1e6, (double)high * 1e3);
        EXPECT_NEAR(dist_quantile(by_p99, 0.99), (double)high * 1e6, (double)high * 1e3);
        EXPECT_NEAR(dist_quantile(by_p95, 0.99), 33e6 * exp(2.3263478740408408 * sigma),
                    33e3 * exp(2.3263478740408408 * sigma));
        EXPECT_NEAR(dist_mean(by_p95), mean, 0.005 * mean);
        if (high < 4000) /* beyond, the mean is made by samples too rare to be met */
            expect_mean_of_samples(by_p95, 0.005);
        expect_monotone(by_p95);
    }
}

static void test_lognormal_without_spread_is_its_median(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) dist = lognormal_new(arena, 7 * SIM_MS, "p95", 7 * SIM_MS);

    EXPECT_INT(dist_min(dist), 7 * SIM_MS);
    EXPECT_INT(dist_max(dist), 7 * SIM_MS);
}

static void test_pareto_quantiles_hold_far_into_the_tail(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) dist = pareto_new(arena, 235 * SIM_US, 1.51);

    for (double above = 0.99; above >= 1e-6; above *= 0.83) {
        double expected = 235e3 * pow(above, -1.0 / 1.51);

        EXPECT_NEAR(dist_quantile(dist, 1.0 - above), expected, 0.005 * expected);
    }
    EXPECT_NEAR(dist_min(dist), 235e3, 1.0);
    EXPECT_NEAR(dist_max(dist), 235e3 * pow(P_LOW / 2, -1.0 / 1.51), 235e3);
    EXPECT_NEAR(dist_mean(dist), 235e3 * 1.51 / 0.51, 0.005 * 235e3 * 1.51 / 0.51);
    expect_monotone(dist);
}

static void test_exponential_has_the_right_shape(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) dist = exp_new(arena, &dist_time_family, 5 * SIM_MS);

    for (double above = 0.999; above >= 1e-6; above *= 0.71)
        EXPECT_NEAR(dist_quantile(dist, 1.0 - above), -5e6 * log(above), -5e3 * log(above) + 1);
    EXPECT_NEAR(dist_mean(dist), 5e6, 5e2);
    expect_monotone(dist);
    expect_mean_of_samples(dist, 0.001);
}

/* Sizes are small numbers; rounding must not shift their mean. */
static void test_small_sizes_keep_their_mean(void)
{
    g_autoptr(Arena) arena = arena_new();

    for (int64_t mean = 5; mean < 1000; mean *= 3) {
        g_autoptr(Dist) dist = exp_new(arena, &dist_size_family, mean);

        expect_mean_of_samples(dist, 0.01);
        EXPECT_NEAR(dist_mean(dist), (double)mean, 0.01 * (double)mean);
    }
}

static void test_uniform_reaches_exactly_its_bounds(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) dist = uniform_new(arena, -5 * SIM_MS, 15 * SIM_MS);

    EXPECT_INT(dist_min(dist), -5 * SIM_MS);
    EXPECT_INT(dist_max(dist), 15 * SIM_MS);
    EXPECT_NEAR(dist_mean(dist), 5e6, 1.0);
    for (double p = 0.001; p < 1.0; p += 0.001) {
        EXPECT_NEAR(dist_quantile(dist, p), -5e6 + 20e6 * p, 1.0);
        EXPECT_NEAR(dist_cdf(dist, (int64_t)(-5e6 + 20e6 * p)), p, 1e-6);
    }
    expect_monotone(dist);
}

static void test_normal_is_cut_off_at_its_least_value(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice choice = choice_make(arena, &dist_time_family, "normal");
    g_autoptr(Dist) dist = NULL;

    choice_set_int(&choice, "mean", 10 * SIM_MS);
    choice_set_int(&choice, "sd", 5 * SIM_MS);
    choice_set_int(&choice, "min", 2 * SIM_MS);
    dist = dist_new(&choice);
    EXPECT_INT(dist_min(dist), 2 * SIM_MS);
    EXPECT_INT(dist_quantile(dist, 0.05), 2 * SIM_MS);
    EXPECT_NEAR(dist_quantile(dist, 0.5), 10e6, 10.0);
    EXPECT_NEAR(dist_quantile(dist, 0.95), 10e6 + 5e6 * NORMAL_P95, 1e3);
    /* P(X <= 2 ms) of the normal, -1.6 deviations; the bend lies within one cell. */
    EXPECT_NEAR(dist_cdf(dist, 2 * SIM_MS), 0.0547993, 0x1p-10);
    expect_monotone(dist);
}

static void test_empirical_gives_listed_values_in_their_shares(void)
{
    static const int64_t values[] = {900, 100, 3000, 100};
    static const double weights[] = {3.0, 1.0, 0.5, 5.5};
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) dist = empirical_new(arena, values, weights, 4);
    long count = test_count(200000, 2000000), low = 0, middle = 0, high = 0;
    Rng rng = rng_stream(3, "test/empirical");

    for (long i = 0; i < count; i++) {
        int64_t value = dist_sample(dist, rng_u64(&rng));

        low += value == 100;
        middle += value == 900;
        high += value == 3000;
    }
    EXPECT_INT(low + middle + high, count);
    EXPECT_NEAR((double)low / (double)count, 0.65, 0.005);
    EXPECT_NEAR((double)middle / (double)count, 0.30, 0.005);
    EXPECT_NEAR(dist_cdf(dist, 100), 0.65, 1e-12);
    EXPECT_NEAR(dist_cdf(dist, 899), 0.65, 1e-12);
    EXPECT_NEAR(dist_cdf(dist, 900), 0.95, 1e-12);
    EXPECT_NEAR(dist_mean(dist), 485.0, 1e-6);
    expect_monotone(dist);
}

static void test_empirical_without_weights_is_even_and_may_be_long(void)
{
    enum { COUNT = 10000 };
    g_autoptr(Arena) arena = arena_new();
    int64_t *values = arena_array(arena, int64_t, COUNT);
    g_autoptr(Dist) dist = NULL;
    g_autoptr(Dist) single = NULL;

    for (int i = 0; i < COUNT; i++)
        values[i] = (i * INT64_C(7919)) % COUNT * 1000;
    dist = empirical_new(arena, values, NULL, COUNT);
    for (double p = 0.001; p < 0.9995; p += 0.001)
        EXPECT_NEAR(dist_quantile(dist, p), p * COUNT * 1000, 1100.0);
    EXPECT_NEAR(dist_mean(dist), 0.5 * (COUNT - 1) * 1000, 1000.0);
    EXPECT_INT(dist_min(dist), 0);
    EXPECT_INT(dist_max(dist), (COUNT - 1) * 1000);
    expect_monotone(dist);
    single = empirical_new(arena, values + 5, NULL, 1);
    EXPECT_INT(dist_min(single), values[5]);
    EXPECT_INT(dist_max(single), values[5]);
}

static void test_shift_moves_every_sample_by_as_much(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) of = lognormal_new(arena, 20 * SIM_MS, "p99", 90 * SIM_MS);
    g_autoptr(Dist) dist = shift_new(arena, -3 * SIM_MS, of);
    Rng rng = rng_stream(4, "test/shift");

    for (int i = 0; i < 10000; i++) {
        uint64_t u = rng_u64(&rng);

        EXPECT_NEAR(dist_sample(dist, u), dist_sample(of, u) - 3 * SIM_MS, 2.0);
    }
    EXPECT_NEAR(dist_mean(dist), dist_mean(of) - 3e6, 10.0);
    EXPECT_INT(dist_max(dist), dist_max(of) - 3 * SIM_MS);
    expect_monotone(dist);
}

static void test_mix_of_constants_gives_only_these(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) fast = dist_new_constant(SIM_MS), slow = dist_new_constant(100 * SIM_MS);

    for (double share = 0.05; share < 1.0; share += 0.0731) {
        g_autoptr(Dist) dist = mix_new(arena, share, fast, slow);
        Rng rng = rng_stream(5, "test/mix");

        for (int i = 0; i < 5000; i++) {
            int64_t value = dist_sample(dist, rng_u64(&rng));

            EXPECT(value == SIM_MS || value == 100 * SIM_MS);
        }
        EXPECT_NEAR(dist_cdf(dist, 50 * SIM_MS), share, 1e-12);
        EXPECT_NEAR(dist_mean(dist), share * 1e6 + (1.0 - share) * 100e6, 1.0);
        expect_monotone(dist);
    }
}

static void test_mix_leaves_the_gap_between_its_parts_empty(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) point = dist_new_constant(SIM_MS);
    g_autoptr(Dist) range = uniform_new(arena, 2 * SIM_MS, 200 * SIM_MS);
    g_autoptr(Dist) dist = mix_new(arena, 0.5, point, range);

    for (uint64_t i = 0; i < 100000; i++) {
        int64_t value = dist_sample(dist, i * (UINT64_MAX / 100000));

        EXPECT(value == SIM_MS || value >= 2 * SIM_MS - SIM_US);
    }
}

static void test_mix_has_the_weighted_cdf_of_its_parts(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) body = lognormal_new(arena, 20 * SIM_MS, "p99", 60 * SIM_MS);
    g_autoptr(Dist) tail = pareto_new(arena, 30 * SIM_MS, 1.51);
    g_autoptr(Dist) dist = mix_new(arena, 0.91, body, tail);

    for (int64_t value = 5 * SIM_MS; value < 20 * SIM_S; value += value / 20)
        EXPECT_NEAR(dist_cdf(dist, value),
                    0.91 * dist_cdf(body, value) + 0.09 * dist_cdf(tail, value), 1e-5);
    EXPECT_NEAR(dist_mean(dist), 0.91 * dist_mean(body) + 0.09 * dist_mean(tail),
                0.002 * dist_mean(dist));
    expect_monotone(dist);
}

static void test_quantile_and_cdf_are_inverse(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) dist = lognormal_new(arena, 33 * SIM_MS, "p99", 60 * SIM_MS);

    for (double p = 1e-6; p < 0.999999; p = p < 0.001 ? 2 * p : p + 0.00037)
        EXPECT_NEAR(dist_cdf(dist, dist_quantile(dist, p)), p, 1e-6 * p + 1e-9);
    EXPECT(dist_cdf(dist, dist_min(dist) - 1) == 0.0);
    EXPECT(dist_cdf(dist, dist_max(dist)) == 1.0);
}

/* In windows of 100 mean gaps a Poisson process has counts of mean 100 and variance 100. */
static void test_exponential_gaps_make_poisson_arrivals(void)
{
    long windows = test_count(4000, 100000);
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) gap = exp_new(arena, &dist_time_family, SIM_MS);
    Rng rng = rng_stream(6, "test/arrivals");
    double sum = 0.0, squares = 0.0, mean, variance;
    SimTime at = 0;

    for (long window = 1; window <= windows; window++) {
        double count = 0.0;

        for (; at < window * 100 * SIM_MS; count++)
            at += dist_sample(gap, rng_u64(&rng));
        sum += count;
        squares += count * count;
    }
    mean = sum / (double)windows;
    variance = squares / (double)windows - mean * mean;
    /* Four standard errors: of the mean 10 / sqrt(n), of the variance 100 sqrt(2 / n). */
    EXPECT_NEAR(mean, 100.0, 4.0 * 10.0 / sqrt((double)windows));
    EXPECT_NEAR(variance, 100.0, 4.0 * 100.0 * sqrt(2.0 / (double)windows));
}

static Dist *parse(const PluginFamily *family, const char *text, GError **error)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(JsonDoc) doc = json_parse("a.json", text, strlen(text), error);
    PluginChoice choice;

    if (doc == NULL || !plugin_parse(family, json_root(doc), arena, &choice, error))
        return NULL;
    return dist_new(&choice);
}

static void expect_median(const PluginFamily *family, const char *text, int64_t median)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Dist) dist = parse(family, text, &error);

    if (error != NULL)
        g_printerr("%s\n", error->message);
    EXPECT_FATAL(dist != NULL);
    EXPECT_NEAR(dist_quantile(dist, 0.5), median, 0.001 * (double)median);
}

static void expect_error(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Dist) dist = parse(&dist_time_family, text, &error);

    EXPECT_FATAL(dist == NULL && error != NULL);
    EXPECT_TEXT(error->message, message);
}

static void test_every_kind_is_read_from_a_scenario(void)
{
    const PluginFamily *time = &dist_time_family, *size = &dist_size_family;

    expect_median(time, "{\"lognormal\": {\"p50\": \"33ms\", \"p99\": \"60ms\"}}", 33 * SIM_MS);
    expect_median(size, "{\"lognormal\": {\"p50\": \"900B\", \"p95\": \"4KB\"}}", 900);
    expect_median(time, "{\"exp\": {\"mean\": \"1s\"}}", 693147181);
    expect_median(size, "{\"exp\": {\"mean\": \"1MB\"}}", 693147);
    expect_median(time, "{\"uniform\": {\"min\": \"1s\", \"max\": \"3s\"}}", 2 * SIM_S);
    expect_median(size, "{\"uniform\": {\"min\": \"0B\", \"max\": \"3KB\"}}", 1500);
    expect_median(time, "{\"normal\": {\"mean\": \"5m\", \"sd\": \"1m\", \"min\": \"1m\"}}",
                  5 * SIM_MIN);
    expect_median(size, "{\"normal\": {\"mean\": \"5KB\", \"sd\": \"1KB\"}}", 5000);
    expect_median(time, "{\"pareto\": {\"min\": \"1ms\", \"alpha\": 1}}", 2 * SIM_MS);
    expect_median(size, "{\"pareto\": {\"min\": \"1KB\", \"alpha\": 1}}", 2000);
    expect_median(time, "{\"empirical\": {\"values\": [\"1ms\", \"9ms\", \"5ms\"]}}", 5 * SIM_MS);
    expect_median(size, "{\"empirical\": {\"values\": [\"1B\", \"9B\"], \"weights\": [1, 2]}}", 9);
    expect_median(time,
                  "{\"shift\": {\"by\": \"-1ms\", \"of\": {\"uniform\": {\"min\": \"2ms\", "
                  "\"max\": \"4ms\"}}}}",
                  2 * SIM_MS);
    expect_median(size, "{\"shift\": {\"by\": \"1KB\", \"of\": \"1KB\"}}", 2000);
    expect_median(time,
                  "{\"mix\": {\"warm\": {\"share\": \"80%\", \"of\": \"2ms\"}, "
                  "\"cold\": {\"share\": 0.2, \"of\": {\"exp\": {\"mean\": \"1s\"}}}}}",
                  2 * SIM_MS);
    expect_median(size,
                  "{\"mix\": {\"small\": {\"share\": 0.3, \"of\": \"20B\"}, "
                  "\"large\": {\"share\": 0.7, \"of\": \"1KB\"}}}",
                  1000);
}

static void test_relations_between_parameters_are_checked(void)
{
    expect_error("{\"lognormal\": {\"p50\": \"33ms\"}}",
                 "a.json:1:15: lognormal: a lognormal takes p50 and exactly one of p95 and p99; "
                 "found neither");
    expect_error("{\"lognormal\": {\"p50\": \"33ms\", \"p99\": \"3ms\"}}",
                 "a.json:1:38: lognormal.p99: p99 is below p50; give a percentile that is at least "
                 "the median");
    expect_error("{\"uniform\": {\"min\": \"2s\", \"max\": \"1s\"}}",
                 "a.json:1:34: uniform.max: max is below min; exchange the two");
    expect_error("{\"empirical\": {\"values\": [\"1ms\"], \"weights\": [1, 2]}}",
                 "a.json:1:46: empirical.weights: 2 weights for 1 values; give one for each");
    expect_error(
        "{\"empirical\": {\"values\": [\"1ms\"], \"weights\": [0]}}",
        "a.json:1:46: empirical.weights: all weights are 0; at least one must be positive");
    expect_error("{\"mix\": {\"a\": {\"share\": 0.5, \"of\": \"1ms\"}, "
                 "\"b\": {\"share\": 0.4, \"of\": \"2ms\"}}}",
                 "a.json:1:9: mix: shares sum to 90.0 %; the parts of a mix must sum to 100 %");
}

/* Bits, not values: a table is the same on every machine and under every compiler. */
static void test_samples_are_pinned(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) body = lognormal_new(arena, 33 * SIM_MS, "p99", 60 * SIM_MS);
    g_autoptr(Dist) tail = pareto_new(arena, 30 * SIM_MS, 1.51);
    g_autoptr(Dist) dist = mix_new(arena, 0.9, body, tail);
    Rng rng = rng_stream(7, "test/pinned");
    uint64_t folded = 0;

    for (int i = 0; i < 100000; i++)
        folded = rng_mix(folded ^ (uint64_t)dist_sample(dist, rng_u64(&rng)));
    EXPECT_INT(folded, INT64_C(-4639226735611508369));
}

/* Down to one sample: two that differ in a value or in where they step are two. */
static void test_only_the_same_distributions_are_equal(void)
{
    static const char *const texts[] = {
        "{\"exp\": {\"mean\": \"2ms\"}}",
        "{\"exp\": {\"mean\": \"2001us\"}}",
        "{\"lognormal\": {\"p50\": \"2ms\", \"p99\": \"8ms\"}}",
        "{\"empirical\": {\"values\": [\"1ms\", \"3ms\"], \"weights\": [1, 2]}}",
        "{\"empirical\": {\"values\": [\"1ms\", \"3ms\"], \"weights\": [2, 1]}}",
    };
    g_autoptr(Dist) constant = dist_new_constant(2 * SIM_MS);

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Dist) one = parse(&dist_time_family, texts[i], NULL);

        EXPECT(!dist_equals(one, constant));
        for (size_t k = 0; k < G_N_ELEMENTS(texts); k++) {
            g_autoptr(Dist) other = parse(&dist_time_family, texts[k], NULL);

            EXPECT(dist_equals(one, other) == (i == k));
        }
    }
}

static const TestCase cases[] = {
    TEST(test_constant_is_the_same_for_every_word),
    TEST(test_lognormal_meets_its_percentiles_and_mean),
    TEST(test_lognormal_without_spread_is_its_median),
    TEST(test_pareto_quantiles_hold_far_into_the_tail),
    TEST(test_exponential_has_the_right_shape),
    TEST(test_small_sizes_keep_their_mean),
    TEST(test_uniform_reaches_exactly_its_bounds),
    TEST(test_normal_is_cut_off_at_its_least_value),
    TEST(test_empirical_gives_listed_values_in_their_shares),
    TEST(test_empirical_without_weights_is_even_and_may_be_long),
    TEST(test_shift_moves_every_sample_by_as_much),
    TEST(test_mix_of_constants_gives_only_these),
    TEST(test_mix_leaves_the_gap_between_its_parts_empty),
    TEST(test_mix_has_the_weighted_cdf_of_its_parts),
    TEST(test_quantile_and_cdf_are_inverse),
    TEST(test_exponential_gaps_make_poisson_arrivals),
    TEST(test_every_kind_is_read_from_a_scenario),
    TEST(test_relations_between_parameters_are_checked),
    TEST(test_only_the_same_distributions_are_equal),
    TEST(test_samples_are_pinned),
};
TEST_MAIN("dist", cases)
