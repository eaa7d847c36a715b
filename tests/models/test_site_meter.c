/* From facts of a site to instruments. */
#include "models/observe/site_meter.h"

#include <math.h>
#include <string.h>

#include "tests/test.h"

static const char *const members[] = {"us", "asia"};
static const MeterFamily families[] = {{"overlay", 2, 16}, {"official", 1, 1}};
static const CommandSpec get = {.name = "GET"}, set = {.name = "SET", .writes = true};
static const Phase phases[] = {{"steady", 0, 1500 * SIM_MS}, {"all", 0, 10 * SIM_S}};

typedef struct {
    Recording *recording;
    SiteMeter *meter;
    ClientListener listener;
} Fixture;

static Fixture fixture_new(void)
{
    Fixture f;

    f.recording = recording_new(
        &(RecordingConfig){.duration_ns = 10 * SIM_S, .phases = phases, .phase_count = 2});
    f.meter = site_meter_new(&(SiteMeterConfig){.recording = f.recording,
                                                .site = "asia-viewers",
                                                .members = members,
                                                .member_count = 2,
                                                .families = families,
                                                .family_count = 2,
                                                .client_count = 3});
    f.listener = site_meter_listener(f.meter);
    return f;
}

static void fixture_clear(Fixture *f)
{
    site_meter_free(f->meter);
    recording_free(f->recording);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void op(Fixture *f, OpFact fact)
{
    fact.weight = MAX(fact.weight, 1);
    f->listener.op_done(f->listener.actor, &fact);
}

static void second(Fixture *f)
{
    site_meter_tick(f->meter);
    recording_tick(f->recording, (SimTime)(recording_bucket_count(f->recording) + 1) * SIM_S);
}

static double total(Fixture *f, const char *metric, Labels labels, const char *phase)
{
    return instrument_total(recording_instrument(f->recording, metric, &labels), phase, NULL);
}

static void test_site_meter_measures_first_attempt_to_final_answer(void)
{
    g_auto(Fixture) f = fixture_new();
    Labels labels = {.site = "asia-viewers",
                     .member = "asia",
                     .family = "overlay",
                     .op = "GET",
                     .outcome = "ok"};
    const Histogram *latency;

    op(&f, (OpFact){
               .start_ns = 100, .attempt_ns = 500, .end_ns = 700, .member_index = 1, .spec = &get});
    op(&f, (OpFact){.start_ns = 100, .end_ns = 300, .member_index = 1, .spec = &get, .weight = 16});
    second(&f);
    latency = instrument_histogram(recording_instrument(f.recording, "latency.op", &labels), "all");
    EXPECT_INT(histogram_count(latency), 17);
    EXPECT_INT(histogram_max(latency), 600);
    EXPECT_INT(histogram_quantile(latency, 0.5), 200);
    labels.outcome = NULL;
    EXPECT_NEAR(total(&f, "ops", labels, "all"), 17, 0);
    EXPECT_NEAR(total(&f, "writes", labels, "all"), 0, 0);
}

static void test_site_meter_tells_outcomes_apart(void)
{
    g_auto(Fixture) f = fixture_new();
    Labels labels = {.site = "asia-viewers", .member = "us", .family = "overlay", .op = "SET"};

    op(&f, (OpFact){.op_index = 1, .spec = &set, .outcome = OUTCOME_OK});
    op(&f, (OpFact){.op_index = 1, .spec = &set, .outcome = OUTCOME_OOM});
    op(&f, (OpFact){.op_index = 1, .spec = &set, .outcome = OUTCOME_TIMEOUT});
    op(&f, (OpFact){.op_index = 1, .spec = &set, .outcome = OUTCOME_TIMEOUT});
    second(&f);
    EXPECT_NEAR(total(&f, "ops", labels, "all"), 4, 0);
    EXPECT_NEAR(total(&f, "writes", labels, "all"), 1, 0);
    EXPECT_NEAR(total(&f, "oom.rejections", labels, "all"), 1, 0);
    labels.outcome = "timeout";
    EXPECT_NEAR(total(&f, "errors", labels, "all"), 2, 0);
    labels.outcome = "oom";
    EXPECT_NEAR(total(&f, "errors", labels, "all"), 1, 0);
}

static void test_site_meter_availability_is_empty_without_operations(void)
{
    g_auto(Fixture) f = fixture_new();
    Instrument *share =
        recording_instrument(f.recording, "availability", &(Labels){.site = "asia-viewers"});
    double ok, done;

    op(&f, (OpFact){.member_index = 1, .spec = &get, .weight = 3});
    op(&f, (OpFact){.member_index = -1, .spec = &get, .outcome = OUTCOME_REFUSED});
    second(&f);
    EXPECT_NEAR(instrument_bucket(share, 0), 0.75, 0);
    site_meter_member_ops(f.meter, 1, &ok, &done);
    EXPECT_NEAR(ok, 3, 0);
    EXPECT_NEAR(done, 3, 0);
    second(&f);
    EXPECT(isnan(instrument_bucket(share, 1)));
    site_meter_member_ops(f.meter, 1, &ok, &done);
    EXPECT_NEAR(done, 0, 0);
}

static void test_site_meter_ignores_systems_of_record(void)
{
    g_auto(Fixture) f = fixture_new();

    op(&f, (OpFact){.family = 1, .spec = NULL});
    second(&f);
    EXPECT_NEAR(total(&f, "ops", (Labels){.site = "asia-viewers", .family = "official"}, "all"), 0,
                0);
}

/* The phase ends at 1.5 s: what came before is flushed into it. */
static void test_site_meter_flushes_at_a_boundary(void)
{
    g_auto(Fixture) f = fixture_new();
    Labels labels = {.site = "asia-viewers", .member = "us", .family = "overlay", .op = "GET"};

    second(&f);
    op(&f, (OpFact){.spec = &get});
    site_meter_flush(f.meter);
    recording_boundary(f.recording, 1500 * SIM_MS);
    op(&f, (OpFact){.spec = &get});
    op(&f, (OpFact){.spec = &get});
    second(&f);
    EXPECT_NEAR(total(&f, "ops", labels, "steady"), 1, 0);
    EXPECT_NEAR(total(&f, "ops", labels, "all"), 3, 0);
}

static void test_site_meter_counts_a_quick_return_as_a_flap(void)
{
    g_auto(Fixture) f = fixture_new();
    ClientFact fact = {.kind = CLIENT_SWITCH, .client = 1, .weight = 1};
    const struct {
        int32_t from, to;
        SimTime at_ns;
    } switches[] = {{0, 1, SIM_S}, {1, 0, 60 * SIM_S}, {0, 1, 61 * SIM_S}, {1, 0, SIM_HOUR}};

    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
        fact.from_index = switches[i].from;
        fact.to_index = switches[i].to;
        fact.at_ns = switches[i].at_ns;
        f.listener.client(f.listener.actor, &fact);
    }
    EXPECT_NEAR(total(&f, "failover.flaps", (Labels){.site = "asia-viewers"}, "all"), 2, 0);
}

static void test_site_meter_hears_failovers_and_duplicates(void)
{
    g_auto(Fixture) f = fixture_new();
    Labels site = {.site = "asia-viewers"};
    Labels twice = {.site = "asia-viewers", .family = "official", .anomaly = "A12"};
    const ClientFact failover = {.kind = CLIENT_FAILOVER, .duration_ns = 9 * SIM_S, .weight = 1};
    const ClientFact duplicate = {.kind = CLIENT_DUPLICATE, .family = 1, .weight = 2};

    f.listener.client(f.listener.actor, &failover);
    f.listener.client(f.listener.actor, &duplicate);
    EXPECT_INT(histogram_max(instrument_histogram(
                   recording_instrument(f.recording, "failover.time", &site), "all")),
               9 * SIM_S);
    EXPECT_NEAR(total(&f, "anomaly.A12", twice, "all"), 2, 0);
}

static void test_site_meter_groups_sampled_keys(void)
{
    g_auto(Fixture) f = fixture_new();
    Labels labels = {.site = "asia-viewers", .member = "us", .family = "overlay", .op = "GET"};
    Instrument *ops;
    double error;

    for (uint64_t key = 0; key < 64; key++)
        op(&f, (OpFact){.spec = &get, .key = key, .weight = 16});
    second(&f);
    ops = recording_instrument(f.recording, "ops", &labels);
    EXPECT_NEAR(instrument_total(ops, "all", &error), 1024, 0);
    EXPECT_NEAR(error, 128, 64); /* sqrt(64) * 16, known within half from 16 groups */
    EXPECT_INT(instrument_weight_max(ops), 16);
}

static const TestCase cases[] = {
    TEST(test_site_meter_measures_first_attempt_to_final_answer),
    TEST(test_site_meter_tells_outcomes_apart),
    TEST(test_site_meter_availability_is_empty_without_operations),
    TEST(test_site_meter_ignores_systems_of_record),
    TEST(test_site_meter_flushes_at_a_boundary),
    TEST(test_site_meter_counts_a_quick_return_as_a_flap),
    TEST(test_site_meter_hears_failovers_and_duplicates),
    TEST(test_site_meter_groups_sampled_keys),
};
TEST_MAIN("site_meter", cases)
