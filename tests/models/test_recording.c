/* Instruments by second and by segment, and the errors of a slice. */
#include "models/observe/recording.h"

#include <math.h>
#include <string.h>

#include "models/observe/metrics.h"
#include "sim/rng.h"
#include "tests/test.h"

/* Warm-up to 10 s, a fault from 20.5 s to 30 s, 40 s in all. */
static const Phase phases[] = {
    {"steady", 10 * SIM_S, 20500 * SIM_MS},
    {"fault:x", 20500 * SIM_MS, 30 * SIM_S},
    {"after:x", 30 * SIM_S, 40 * SIM_S},
    {"all", 0, 40 * SIM_S},
};

static Recording *new_recording(bool sliced)
{
    return recording_new(&(RecordingConfig){.duration_ns = 40 * SIM_S,
                                            .phases = phases,
                                            .phase_count = 4,
                                            .seed = 7,
                                            .sliced = sliced});
}

/* Runs to the end; act is called in the middle of every second, and may be NULL. */
static void run(Recording *recording, void (*act)(Instrument *instrument, uint32_t second),
                Instrument *instrument)
{
    for (uint32_t second = 0; second < 40; second++) {
        SimTime begin = second * SIM_S;
        SimTime boundary = recording_next_boundary(recording, begin);

        if (boundary < begin + SIM_S)
            recording_boundary(recording, boundary);
        if (act)
            act(instrument, second);
        recording_tick(recording, begin + SIM_S);
    }
    recording_end(recording, 40 * SIM_S);
}

static void count_second(Instrument *instrument, uint32_t second)
{
    instrument_count(instrument, second);
}

static void test_recording_events_add_up_by_phase(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *ops = recording_instrument(recording, "ops", &(Labels){.site = "asia"});

    run(recording, count_second, ops);
    EXPECT_NEAR(instrument_total(ops, "all", NULL), 780, 0);
    /* Second 20 acts after the boundary at 20.5 s. */
    EXPECT_NEAR(instrument_total(ops, "steady", NULL), 145, 0);
    EXPECT_NEAR(instrument_total(ops, "fault:x", NULL), 245, 0);
    EXPECT_NEAR(instrument_total(ops, "after:x", NULL), 345, 0);
    EXPECT_NEAR(instrument_bucket(ops, 17), 17, 0);
    EXPECT_INT(recording_bucket_count(recording), 40);
}

static void test_recording_makes_an_instrument_once(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    char site[] = "asia";
    Instrument *one = recording_instrument(recording, "ops", &(Labels){.site = site});

    EXPECT(recording_instrument(recording, "ops", &(Labels){.site = "asia"}) == one);
    EXPECT(recording_instrument(recording, "ops", &(Labels){.member = "asia"}) != one);
    site[0] = 'x';
    EXPECT_TEXT(instrument_labels(one)->site, "asia");
    EXPECT_INT(recording_instrument_count(recording), 2);
    EXPECT(recording_instrument_at(recording, 0) == one);
}

static void sample_second(Instrument *instrument, uint32_t second)
{
    instrument_sample(instrument, second, 1);
}

static void test_recording_samples_go_to_their_segment(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *latency = recording_instrument(recording, "latency.op", &(Labels){.site = "asia"});

    run(recording, sample_second, latency);
    EXPECT_INT(histogram_count(instrument_histogram(latency, "all")), 40);
    EXPECT_INT(histogram_min(instrument_histogram(latency, "steady")), 10);
    EXPECT_INT(histogram_max(instrument_histogram(latency, "steady")), 19);
    EXPECT_INT(histogram_min(instrument_histogram(latency, "fault:x")), 20);
    EXPECT_INT(histogram_max(instrument_histogram(latency, "fault:x")), 29);
    EXPECT_NEAR(instrument_bucket(latency, 3), 1, 0);
}

/* A place may open an instrument while others run; it counts before it is adopted. */
static void test_recording_adopts_what_was_made_apart(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *apart;

    recording_tick(recording, SIM_S);
    apart = instrument_new_apart(recording, "latency.op", &(Labels){.site = "eu"});
    instrument_sample(apart, 5, 2);
    EXPECT_INT(recording_instrument_count(recording), 0);
    recording_adopt(recording, apart);
    recording_tick(recording, 2 * SIM_S);
    EXPECT(recording_instrument(recording, "latency.op", &(Labels){.site = "eu"}) == apart);
    EXPECT_NEAR(instrument_bucket(apart, 0), 0, 0);
    EXPECT_NEAR(instrument_bucket(apart, 1), 2, 0);
    EXPECT_INT(histogram_count(instrument_histogram(apart, "all")), 2);
}

static void set_even_seconds(Instrument *instrument, uint32_t second)
{
    if (second % 2 == 0)
        instrument_set(instrument, second);
}

static void test_recording_gauges_leave_unread_seconds_empty(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *used = recording_instrument(recording, "memory.used", &(Labels){.member = "us"});

    run(recording, set_even_seconds, used);
    EXPECT_NEAR(instrument_bucket(used, 18), 18, 0);
    EXPECT(isnan(instrument_bucket(used, 19)));
    EXPECT(isnan(instrument_bucket(used, 39)));
    EXPECT(isnan(instrument_bucket(used, 1000)));
}

static void ratio_second(Instrument *instrument, uint32_t second)
{
    instrument_ratio(instrument, second % 2, 1);
    instrument_ratio(instrument, 1, second % 2);
    if (second == 4)
        instrument_ratio(instrument, -1, -1);
}

static void test_recording_ratios_keep_both_counts(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *share = recording_instrument(recording, "availability", &(Labels){.site = "us"});
    double ok, done;

    run(recording, ratio_second, share);
    EXPECT_NEAR(instrument_bucket(share, 7), 1, 0);
    instrument_bucket_ratio(share, 7, &ok, &done);
    EXPECT_NEAR(ok, 2, 0);
    EXPECT_NEAR(done, 2, 0);
    EXPECT(isnan(instrument_bucket(share, 4))); /* 0 of 0 */
}

/* A reading at the instant a fault begins is the fault's, a count of the second before is not. */
static void test_recording_readings_belong_to_the_phase_of_their_instant(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    const Phase *after = recording_phase(recording, "after:x");
    const Phase *steady = recording_phase(recording, "steady");
    uint32_t from, to;

    run(recording, NULL, NULL);
    recording_gauge_seconds(recording, metric_find("memory.used"), after, &from, &to);
    EXPECT_INT(from, 29); /* read at 30 s */
    EXPECT_INT(to, 40);   /* the reading at the very end is the last phase's */
    recording_gauge_seconds(recording, metric_find("availability"), after, &from, &to);
    EXPECT_INT(from, 30);
    EXPECT_INT(to, 40);
    recording_gauge_seconds(recording, metric_find("memory.used"), steady, &from, &to);
    EXPECT_INT(from, 9);
    EXPECT_INT(to, 20);
}

/* Keys that are always in are exact; sampled ones carry an error near the true spread. */
static void test_recording_groups_estimate_the_error_of_a_slice(void)
{
    const uint32_t weight = 8;
    g_autoptr(Recording) recording = new_recording(true);
    Instrument *all = recording_instrument(recording, "ops", &(Labels){.site = "all"});
    Instrument *hot = recording_instrument(recording, "ops", &(Labels){.site = "hot"});
    KeyCounts all_counts = {0}, hot_counts = {0};
    Rng rng = rng_stream(1, "slice");
    uint32_t kept = 0;
    double error;

    for (uint64_t key = 0; key < 20000; key++) {
        uint64_t hash = rng_u64(&rng);

        key_counts_add(&hot_counts, hash, 1);
        if (hash % weight != 0)
            continue;
        for (int i = 0; i < 3; i++)
            key_counts_add(&all_counts, hash, weight);
        kept++;
    }
    instrument_count_keys(hot, &hot_counts);
    instrument_count_keys(all, &all_counts);
    EXPECT_NEAR(instrument_total(hot, "all", &error), 20000, 0);
    EXPECT_NEAR(error, 0, 0);
    EXPECT_NEAR(instrument_total(all, "all", &error), 3.0 * weight * kept, 1e-6);
    EXPECT(fabs(instrument_total(all, "all", NULL) - 60000) < 4 * error);
    /* Horvitz-Thompson with unknown kept number: sqrt(kept) * weight * 3; 16 groups know it within
     * half. */
    EXPECT_NEAR(error, 3.0 * weight * sqrt(kept), 0.5 * 3.0 * weight * sqrt(kept));
}

static void test_recording_group_sums_equal_key_by_key(void)
{
    g_autoptr(Recording) recording = new_recording(true);
    Instrument *one = recording_instrument(recording, "ops", &(Labels){.site = "one"});
    Instrument *sum = recording_instrument(recording, "ops", &(Labels){.site = "sum"});
    KeyCounts together = {0};
    double error_one, error_sum;

    for (uint64_t key = 0; key < 100; key++) {
        KeyCounts alone = {0};

        key_counts_add(&alone, key, 4);
        instrument_count_keys(one, &alone);
        key_counts_add(&together, key, 4);
    }
    instrument_count(one, 5);
    for (uint64_t key = 0; key < 5; key++)
        key_counts_add(&together, key, 1);
    instrument_count_keys(sum, &together);
    EXPECT_NEAR(instrument_total(sum, "all", &error_sum), instrument_total(one, "all", &error_one),
                0);
    EXPECT_NEAR(error_sum, error_one, 1e-9);
}

static void test_recording_watched_samples_show_the_last_ten_seconds(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *latency = recording_instrument(recording, "latency.op", &(Labels){.site = "asia"});

    recording_watch(recording, metric_find("latency.op"));
    EXPECT(instrument_recent(latency) == NULL);
    for (uint32_t second = 0; second < 25; second++) {
        instrument_sample(latency, second, 1);
        recording_tick(recording, (second + 1) * SIM_S);
    }
    EXPECT_INT(histogram_min(instrument_recent(latency)), 10);
    EXPECT_INT(histogram_max(instrument_recent(latency)), 19);
}

/* Two samples a second; the boundary at 20.5 s lies between those of second 20. */
static void test_recording_watched_samples_go_to_their_segment(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *latency = recording_instrument(recording, "latency.op", &(Labels){.site = "asia"});
    const Histogram *steady, *fault;

    recording_watch(recording, metric_find("latency.op"));
    for (uint32_t second = 0; second < 40; second++) {
        SimTime begin = second * SIM_S, boundary = recording_next_boundary(recording, begin);

        instrument_sample(latency, 2 * second, 1);
        if (boundary < begin + SIM_S)
            recording_boundary(recording, boundary);
        instrument_sample(latency, 2 * second + 1, 1);
        recording_tick(recording, begin + SIM_S);
        EXPECT_INT(histogram_count(instrument_histogram(latency, "all")), 2 * second + 2);
        if (second == 29) {
            EXPECT_INT(histogram_count(instrument_recent(latency)), 20);
            EXPECT_INT(histogram_min(instrument_recent(latency)), 40);
            EXPECT_INT(histogram_max(instrument_recent(latency)), 59);
        }
    }
    recording_end(recording, 40 * SIM_S);
    steady = instrument_histogram(latency, "steady");
    fault = instrument_histogram(latency, "fault:x");
    EXPECT_INT(histogram_count(steady), 21);
    EXPECT_INT(histogram_max(steady), 40);
    EXPECT_INT(histogram_count(fault), 19);
    EXPECT_INT(histogram_min(fault), 41);
    EXPECT_INT(histogram_min(instrument_recent(latency)), 60);
}

static void test_recording_ends_within_a_second(void)
{
    g_autoptr(Recording) recording = new_recording(false);
    Instrument *ops = recording_instrument(recording, "ops", &(Labels){.site = "asia"});

    recording_tick(recording, SIM_S);
    instrument_count(ops, 2);
    recording_end(recording, 1500 * SIM_MS);
    EXPECT_INT(recording_bucket_count(recording), 2);
    EXPECT_NEAR(instrument_bucket(ops, 1), 2, 0);
    EXPECT_INT(recording_end_ns(recording), 1500 * SIM_MS);
}

static void test_metrics_have_unique_names_and_known_labels(void)
{
    for (size_t i = 0; i < metric_family.count; i++) {
        const Metric *metric = metric_find(metric_family.records[i]->name);
        g_auto(GStrv) labels = g_strsplit(metric->labels, " ", -1);

        EXPECT(metric->head.name == metric_family.records[i]->name); /* the first of that name */
        EXPECT(*metric->head.summary != '\0');
        for (uint32_t k = 0; labels[k]; k++)
            EXPECT(g_strv_contains(
                (const gchar *const *)(const char *const[]){
#define NAME(label) #label,
                    LABELS(NAME) NULL},
                labels[k]));
    }
}

static const TestCase cases[] = {
    TEST(test_recording_events_add_up_by_phase),
    TEST(test_recording_makes_an_instrument_once),
    TEST(test_recording_samples_go_to_their_segment),
    TEST(test_recording_adopts_what_was_made_apart),
    TEST(test_recording_gauges_leave_unread_seconds_empty),
    TEST(test_recording_ratios_keep_both_counts),
    TEST(test_recording_readings_belong_to_the_phase_of_their_instant),
    TEST(test_recording_groups_estimate_the_error_of_a_slice),
    TEST(test_recording_group_sums_equal_key_by_key),
    TEST(test_recording_watched_samples_show_the_last_ten_seconds),
    TEST(test_recording_watched_samples_go_to_their_segment),
    TEST(test_recording_ends_within_a_second),
    TEST(test_metrics_have_unique_names_and_known_labels),
};
TEST_MAIN("recording", cases)
