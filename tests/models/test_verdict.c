/* What expressions say about recordings: verdicts of expectations, and alerts over the run so far.
 */
#include "tests/models/expression_fixture.h"

#include <string.h>

#include "models/observe/metrics.h"
#include "models/observe/phases.h"

/* 40 seconds: steady from 10 s, a fault from 20 s to 30 s. */
static const Phase phases[] = {
    {"steady", 10 * SIM_S, 20 * SIM_S},
    {"fault:x", 20 * SIM_S, 30 * SIM_S},
    {"after:x", 30 * SIM_S, 40 * SIM_S},
    {"all", 0, 40 * SIM_S},
};

static Recording *new_recording(uint64_t seed, bool sliced)
{
    return recording_new(&(RecordingConfig){.duration_ns = 40 * SIM_S,
                                            .phases = phases,
                                            .phase_count = 4,
                                            .seed = seed,
                                            .sliced = sliced});
}

static void advance(Recording *recording, uint32_t seconds)
{
    for (uint32_t i = 0; i < seconds; i++)
        recording_tick(recording, (SimTime)(recording_bucket_count(recording) + 1) * SIM_S);
}

static Instrument *latency_of(Recording *recording, const char *site)
{
    return recording_instrument(recording, "latency.op", &(Labels){.site = site});
}

static Verdict judge(const char *text, const char *phase, const VariantRuns *runs,
                     uint32_t run_count)
{
    g_autoptr(Arena) arena = arena_new();
    ExpectationContext context = {
        .variants = runs, .variant_count = run_count, .variant = "", .phase = phase};
    Verdict verdict;

    expression_judge(parse(text, arena), &context, &verdict);
    return verdict;
}

static Verdict judge_one(const char *text, const char *phase, const Recording *recording)
{
    const Recording *const recordings[] = {recording};

    return judge(text, phase, &(VariantRuns){"", recordings, 1}, 1);
}

#define EXPECT_VERDICT(text, phase, expected)                                                      \
    EXPECT_TEXT(verdict_kind_name(judge_one(text, phase, recording).kind), expected)

static void test_expression_pools_instruments_of_a_filter(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Verdict verdict;

    instrument_sample(latency_of(recording, "us-viewers"), 10 * SIM_MS, 1);
    instrument_sample(latency_of(recording, "asia-viewers"), 30 * SIM_MS, 1);
    instrument_sample(latency_of(recording, "asia-viewers"), 40 * SIM_MS, 1);
    advance(recording, 40);
    EXPECT_VERDICT("max(latency.op{site=us-viewers}) <= 10ms", "all", "pass");
    EXPECT_VERDICT("p50(latency.op) within 0.1% of 30ms", "all", "pass");
    EXPECT_VERDICT("count(latency.op) == 3", "all", "pass");
    EXPECT_VERDICT("mean(latency.op{site=asia-viewers}) == 35ms", "all", "pass");
    EXPECT_VERDICT("max(latency.op) < 40ms", "all", "fail");
    verdict = judge_one("max(latency.op) <= 39ms", "all", recording);
    EXPECT_TEXT(verdict.measured, "40 ms");
    EXPECT_TEXT(verdict.limit, "<= 39 ms");
    EXPECT(!verdict.one_draw);
    verdict = judge_one("max(latency.op{site=us-viewers}) <= 39ms", "all", recording);
    EXPECT(verdict.one_draw);
    EXPECT_TEXT(verdict.note, "rests on one draw");
}

static void test_expression_bare_metric_must_hold_for_every_sample(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);

    instrument_sample(latency_of(recording, "us-viewers"), 10 * SIM_MS, 1);
    instrument_sample(latency_of(recording, "us-viewers"), 30 * SIM_MS, 1);
    advance(recording, 40);
    EXPECT_VERDICT("latency.op <= 30ms", "all", "pass");
    EXPECT_VERDICT("latency.op <= 20ms", "all", "fail");
    EXPECT_VERDICT("latency.op >= 20ms", "all", "fail");
    EXPECT_VERDICT("latency.op >= 10ms", "all", "pass");
    EXPECT_VERDICT("latency.op == 10ms", "all", "fail");
    EXPECT_VERDICT("latency.op + latency.op <= 60ms", "all", "pass");
}

static void test_expression_events_count_from_zero(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *ops = recording_instrument(recording, "ops", &(Labels){.site = "us-viewers"});

    advance(recording, 15);
    instrument_count(ops, 50);
    advance(recording, 10);
    instrument_count(ops, 7);
    advance(recording, 15);
    EXPECT_VERDICT("sum(ops) == 57", "all", "pass");
    EXPECT_VERDICT("rate(ops) == 5/s", "steady", "pass");
    EXPECT_VERDICT("sum(ops{phase=fault:x}) == 7", "all", "pass");
    EXPECT_VERDICT("sum(oom.rejections) == 0", "all", "pass"); /* no instrument at all */
    EXPECT_VERDICT("last(ops) == 0", "steady", "pass");
    EXPECT_VERDICT("ops >= 50", "all", "pass");
    EXPECT_TEXT(judge_one("rate(ops) > 6/s", "steady", recording).measured, "5/s");
}

static void test_expression_gauges_look_at_every_bucket(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *us = recording_instrument(recording, "memory.used", &(Labels){.member = "us"});
    Instrument *eu = recording_instrument(recording, "memory.used", &(Labels){.member = "eu"});

    for (uint32_t second = 1; second <= 40; second++) {
        instrument_set(us, second * 1e9);
        if (second <= 35)
            instrument_set(eu, 1e9);
        advance(recording, 1);
    }
    /* Read at 10 s to 19 s: the reading at 20 s is the fault's. */
    EXPECT_VERDICT("max(memory.used) == 19GB", "steady", "pass");
    EXPECT_VERDICT("min(memory.used{member=us}) == 10GB", "steady", "pass");
    EXPECT_VERDICT("mean(memory.used{member=us}) == 14.5GB", "steady", "pass");
    EXPECT_VERDICT("p90(memory.used{member=us}) == 18GB", "steady", "pass");
    EXPECT_VERDICT("p50(memory.used) == 1GB", "steady", "pass");
    EXPECT_VERDICT("memory.used >= 1GB", "all", "pass");
    EXPECT_VERDICT("memory.used <= 30GB", "all", "fail");
    EXPECT_VERDICT("first(memory.used{member=us}) == 30GB", "after:x", "pass");
    /* eu's last reading is older than us's; both must hold. */
    EXPECT_VERDICT("last(memory.used) >= 2GB", "all", "fail");
    EXPECT_VERDICT("last(memory.used) >= 1GB", "all", "pass");
    EXPECT_VERDICT("last(memory.used) <= 40GB", "all", "pass");
}

static void test_expression_last_availability_pools_sites(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *us =
        recording_instrument(recording, "availability", &(Labels){.site = "us-viewers"});
    Instrument *eu =
        recording_instrument(recording, "availability", &(Labels){.site = "eu-viewers"});

    for (uint32_t second = 0; second < 40; second++) {
        if (second < 38) {
            instrument_ratio(us, 9, 9);
            instrument_ratio(eu, second == 37 ? 0 : 1, 1);
        }
        advance(recording, 1);
    }
    EXPECT_VERDICT("last(availability) == 90%", "all",
                   "pass"); /* the last second with any operation */
    EXPECT_VERDICT("last(availability{site=eu-viewers}) == 0%", "all", "pass");
    EXPECT_VERDICT("min(availability) == 0", "all", "pass");
    EXPECT_VERDICT("mean(availability) == 100%", "steady", "pass");
    EXPECT_TEXT(judge_one("last(availability) >= 99%", "all", recording).measured, "90%");
}

static void test_expression_without_data_says_what_is_missing(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Verdict verdict;

    latency_of(recording, "us-viewers");
    advance(recording, 40);
    verdict = judge_one("1 - p50(latency.op{site=us-viewers}) / 2ms <= 5", "all", recording);
    EXPECT_INT(verdict.kind, VERDICT_NO_DATA);
    EXPECT_TEXT(verdict.note, "no data: nothing was measured for p50(latency.op{site=us-viewers})");
    EXPECT_VERDICT("max(memory.used) <= 5GB", "all", "no data");
    EXPECT_VERDICT("last(availability) <= 5%", "all", "no data");
    EXPECT_VERDICT("count(failover.time) == 0", "all", "pass");
    EXPECT_VERDICT("1 / sum(ops) <= 5", "all", "no data"); /* nothing to divide by */
    EXPECT_TEXT(judge_one("1 / sum(ops) <= 5", "all", recording).note,
                "no data: sum(ops) is 0 or may be, and nothing can be divided by that");
}

static void test_expression_not_run_is_not_evaluated(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);

    advance(recording, 40);
    EXPECT_TEXT(
        judge_one("max(failover.time{variant=slow-dns}) > max(failover.time)", "all", recording)
            .note,
        "variant slow-dns was not run");
    EXPECT_TEXT(judge_one("count(unlink) == 0", "fault:y", recording).note,
                "no phase fault:y in the base");
    EXPECT_TEXT(judge_one("alert.lead < 0s", "all", recording).note,
                "alert.lead is not measured by this version");
    EXPECT_VERDICT("alert.lead < 0s", "all", "not evaluated");
}

/* Quantiles pool the seeds; a sum must hold in each. */
static void test_expression_pools_quantiles_but_sums_run_by_run(void)
{
    g_autoptr(Recording) one = new_recording(11, false);
    g_autoptr(Recording) two = new_recording(12, false);
    const Recording *const recordings[] = {one, two};
    const VariantRuns runs = {"", recordings, 2};
    Instrument *lost_one = recording_instrument(one, "ops", &(Labels){.site = "us-viewers"});
    Instrument *lost_two = recording_instrument(two, "ops", &(Labels){.site = "us-viewers"});
    Verdict verdict;

    instrument_count(lost_one, 3);
    instrument_count(lost_two, 5);
    instrument_sample(latency_of(one, "us-viewers"), 10, 1);
    instrument_sample(latency_of(one, "us-viewers"), 11, 1);
    instrument_sample(latency_of(two, "us-viewers"), 30, 1);
    advance(one, 40);
    advance(two, 40);
    EXPECT_INT(judge("p50(latency.op) == 11ns", "all", &runs, 1).kind, VERDICT_PASS);
    EXPECT_INT(judge("max(latency.op) == 30ns", "all", &runs, 1).kind, VERDICT_PASS);
    EXPECT_INT(judge("sum(ops) >= 3", "all", &runs, 1).kind, VERDICT_PASS);
    verdict = judge("sum(ops) <= 4", "all", &runs, 1);
    EXPECT_INT(verdict.kind, VERDICT_FAIL);
    EXPECT_TEXT(verdict.measured, "5");
    EXPECT_TEXT(verdict.note, "fails in 1 of 2 runs, worst with seed 12");
    EXPECT_TEXT(judge("sum(ops) > 3", "all", &runs, 1).measured, "3");
}

static void test_expression_compares_variants(void)
{
    g_autoptr(Recording) base = new_recording(1, false);
    g_autoptr(Recording) slow = new_recording(1, false);
    const Recording *const base_runs[] = {base}, *const slow_runs[] = {slow};
    const VariantRuns runs[] = {{"", base_runs, 1}, {"slow-dns", slow_runs, 1}};
    const char *text = "max(latency.op{variant=slow-dns}) > 3 * max(latency.op)";
    Verdict verdict;

    instrument_sample(latency_of(base, "us-viewers"), 10 * SIM_MS, 1);
    instrument_sample(latency_of(slow, "us-viewers"), 31 * SIM_MS, 1);
    advance(base, 40);
    advance(slow, 40);
    verdict = judge(text, "all", runs, 2);
    EXPECT_INT(verdict.kind, VERDICT_PASS);
    EXPECT_TEXT(verdict.limit, "> 30 ms");
    EXPECT_TEXT(judge("1 - max(latency.op) / max(latency.op{variant=slow-dns}) within 5% of 68%",
                      "all", runs, 2)
                    .limit,
                "within 5% of 68%");
}

/* A variant without the fault is steady to the end, but not when it is compared with the base. */
static void test_expression_across_variants_uses_the_bases_phase(void)
{
    const Phase own[] = {{"steady", 10 * SIM_S, 40 * SIM_S},
                         {"all", 0, 40 * SIM_S},
                         {PHASE_OF_BASE "steady", 10 * SIM_S, 20 * SIM_S}};
    g_autoptr(Recording) base = new_recording(1, false);
    g_autoptr(Recording) calm = recording_new(
        &(RecordingConfig){.duration_ns = 40 * SIM_S, .phases = own, .phase_count = 3, .seed = 1});
    const Recording *const base_runs[] = {base}, *const calm_runs[] = {calm};
    const VariantRuns runs[] = {{"", base_runs, 1}, {"single-region", calm_runs, 1}};
    g_autoptr(Arena) arena = arena_new();
    ExpectationContext context = {
        .variants = runs, .variant_count = 2, .variant = "single-region", .phase = "steady"};
    Instrument *ops = recording_instrument(calm, "ops", &(Labels){.site = "us-viewers"});
    Verdict verdict;

    advance(base, 40);
    advance(calm, 35);
    instrument_count(ops, 4); /* at 35 s: steady of its own, not of the base */
    advance(calm, 5);
    expression_judge(parse("sum(ops) == 4", arena), &context, &verdict);
    EXPECT_INT(verdict.kind, VERDICT_PASS);
    EXPECT_INT(judge("sum(ops{variant=single-region}) == sum(ops)", "steady", runs, 2).kind,
               VERDICT_PASS);
}

static void test_expression_slice_bounds_a_zero(void)
{
    g_autoptr(Recording) recording = new_recording(1, true);
    Instrument *lost =
        recording_instrument(recording, "data.lost_writes", &(Labels){.family = "overlay"});
    Verdict verdict;

    recording_instrument(recording, "data.lost_writes", &(Labels){.family = "official"});
    instrument_set_weight_max(lost, 64);
    advance(recording, 40);
    verdict = judge_one("sum(data.lost_writes{family=overlay}) == 0", "all", recording);
    EXPECT_INT(verdict.kind, VERDICT_PASS);
    EXPECT_NEAR(verdict.zero_bound, 192, 0);
    EXPECT_TEXT(verdict.note, "0 seen, upper bound 192");
    verdict = judge_one("sum(data.lost_writes{family=official}) == 0", "all", recording);
    EXPECT_TEXT(verdict.note, ""); /* a family that is all in */
}

static void test_expression_slice_says_what_it_cannot_know(void)
{
    g_autoptr(Recording) recording = new_recording(1, true);
    Instrument *ops = recording_instrument(recording, "ops", &(Labels){.site = "us-viewers"});
    KeyCounts counts = {0};
    Verdict verdict;

    key_counts_add(&counts, 3, 64); /* one sampled key: spread as wide as the sum */
    instrument_count_keys(ops, &counts);
    advance(recording, 40);
    verdict = judge_one("sum(ops) == 64", "all", recording);
    EXPECT_INT(verdict.kind, VERDICT_PASS);
    EXPECT(verdict.not_from_slice);
    EXPECT_NEAR(verdict.left_low, 0, 0);
    EXPECT_NEAR(verdict.left_high, 64 + 1.959964 * 64, 1e-9);
    EXPECT_TEXT(verdict.note, "not from this slice: 95 % interval 0 to 189");
}

/* ---- Alerts ---- */

static bool holds(const char *text, const Recording *recording)
{
    g_autoptr(Arena) arena = arena_new();

    return expression_holds_now(parse(text, arena), recording);
}

static void test_expression_alert_sees_the_last_completed_ten_seconds(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *lag = recording_instrument(recording, "replication.lag", &(Labels){.member = "us"});
    Instrument *ops = recording_instrument(recording, "ops", &(Labels){.site = "us-viewers"});

    for (uint32_t second = 1; second <= 25; second++) {
        EXPECT(second > 10 || !holds("max(replication.lag) >= 0s", recording)); /* none completed */
        instrument_set(lag, second * (double)SIM_S);
        instrument_count(ops, 1);
        advance(recording, 1);
    }
    EXPECT(holds("max(replication.lag{member=us}) == 20s", recording));
    EXPECT(holds("min(replication.lag{member=us}) == 11s", recording));
    EXPECT(holds("replication.lag <= 20s", recording));
    EXPECT(!holds("replication.lag <= 19s", recording));
    EXPECT(holds("last(replication.lag) == 20s", recording));
    EXPECT(holds("sum(ops) == 25", recording)); /* from t=0 */
    EXPECT(holds("last(ops) == 10", recording));
    EXPECT(holds("rate(ops) == 1/s", recording));
    EXPECT(!holds("max(memory.used) >= 0GB", recording));
    EXPECT(holds("count(unlink) == 0", recording));
}

static void test_expression_alert_takes_the_last_bucket_with_traffic(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *share =
        recording_instrument(recording, "availability", &(Labels){.member = "asia"});

    for (uint32_t second = 0; second < 32; second++) {
        if (second == 3)
            instrument_ratio(share, 1, 1);
        if (second == 12)
            instrument_ratio(share, 0, 1);
        if (second == 18)
            instrument_ratio(share, 2, 3);
        advance(recording, 1);
    }
    EXPECT(
        holds("last(availability{member=asia}) == 50%", recording)); /* 2 of 4 from 10 s to 20 s */
    EXPECT(
        !holds("mean(availability{member=asia}) >= 0%", recording)); /* nothing from 20 s to 30 s */
    EXPECT(holds("first(availability{member=asia}) == 100%", recording));
}

static void test_expression_alert_reads_watched_samples(void)
{
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *latency;

    recording_watch(recording, metric_find("latency.op"));
    latency = latency_of(recording, "us-viewers");
    instrument_sample(latency, 90 * SIM_MS, 1);
    advance(recording, 10);
    EXPECT(holds("max(latency.op) >= 90ms", recording));
    instrument_sample(latency, 20 * SIM_MS, 1);
    advance(recording, 10);
    EXPECT(holds("max(latency.op) <= 21ms", recording));
    EXPECT(holds("count(latency.op) == 2", recording));
}

static void test_expression_note_prints_the_value_now(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Recording) recording = new_recording(1, false);
    Instrument *us = recording_instrument(recording, "memory.headroom", &(Labels){.member = "us"});
    Instrument *eu = recording_instrument(recording, "memory.headroom", &(Labels){.member = "eu"});
    JsonNode one = node_of("memory.headroom{member=us}"), both = node_of("memory.headroom");
    char text[64];

    expression_print_now(expression_parse_value(&one, &scope, arena, NULL), recording, text,
                         sizeof text);
    EXPECT_TEXT(text, "no data");
    for (uint32_t second = 1; second <= 20; second++) {
        instrument_set(us, second * 1e9);
        instrument_set(eu, 2.5e9);
        advance(recording, 1);
    }
    expression_print_now(expression_parse_value(&one, &scope, arena, NULL), recording, text,
                         sizeof text);
    EXPECT_TEXT(text, "20 GB");
    expression_print_now(expression_parse_value(&both, &scope, arena, NULL), recording, text,
                         sizeof text);
    EXPECT_TEXT(text, "2.5 GB to 20 GB");
}

static const TestCase cases[] = {
    TEST(test_expression_pools_instruments_of_a_filter),
    TEST(test_expression_bare_metric_must_hold_for_every_sample),
    TEST(test_expression_events_count_from_zero),
    TEST(test_expression_gauges_look_at_every_bucket),
    TEST(test_expression_last_availability_pools_sites),
    TEST(test_expression_without_data_says_what_is_missing),
    TEST(test_expression_not_run_is_not_evaluated),
    TEST(test_expression_pools_quantiles_but_sums_run_by_run),
    TEST(test_expression_compares_variants),
    TEST(test_expression_across_variants_uses_the_bases_phase),
    TEST(test_expression_slice_bounds_a_zero),
    TEST(test_expression_slice_says_what_it_cannot_know),
    TEST(test_expression_alert_sees_the_last_completed_ten_seconds),
    TEST(test_expression_alert_takes_the_last_bucket_with_traffic),
    TEST(test_expression_alert_reads_watched_samples),
    TEST(test_expression_note_prints_the_value_now),
};
TEST_MAIN("verdict", cases)
