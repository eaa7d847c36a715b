/* What a monitor sees of members, on a real small group. */
#include "models/observe/member_meter.h"

#include "tests/models/geo_fixture.h"

static const Phase phases[] = {{"all", 0, 60 * SIM_S}};

typedef struct {
    GeoFixture *geo;
    Recording *recording;
    MemberMeter *meter;
    uint32_t second;
} Fixture;

static void fixture_clear(Fixture *f)
{
    member_meter_free(f->meter);
    recording_free(f->recording);
    geo_free(f->geo);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Two members 40 ms apart with 10 GB each. */
static Fixture fixture_new(void)
{
    const GeoOptions options = {
        .members = 2, .delay_ns = 40 * SIM_MS, .memory_max_bytes = 10000000000};
    const double reserves[] = {0.05, 0.05};
    Fixture f = {.geo = geo_new(&options)};
    Link *const links[] = {f.geo->links[1][2], f.geo->links[2][1]};

    f.recording = recording_new(
        &(RecordingConfig){.duration_ns = 60 * SIM_S, .phases = phases, .phase_count = 1});
    f.meter = member_meter_new(&(MemberMeterConfig){.recording = f.recording,
                                                    .members = &f.geo->members[1],
                                                    .reserve_shares = reserves,
                                                    .member_count = 2,
                                                    .links = links,
                                                    .link_count = 2});
    return f;
}

static void run(Fixture *f, uint32_t seconds)
{
    for (uint32_t i = 0; i < seconds; i++) {
        SimTime now_ns = (SimTime)++f->second * SIM_S;

        geo_run(f->geo, now_ns);
        member_meter_tick(f->meter, now_ns);
        recording_tick(f->recording, now_ns);
    }
}

static double reading(Fixture *f, const char *metric, uint32_t second)
{
    return instrument_bucket(recording_instrument(f->recording, metric, &(Labels){.member = "us"}),
                             second);
}

static void test_member_meter_causes_add_up_to_what_is_used(void)
{
    g_auto(Fixture) f = fixture_new();
    double sum = 0, used;

    for (int i = 0; i < 500; i++)
        geo_send(f.geo, 1, i * SIM_MS, "SET", (uint64_t)i);
    run(&f, 1);
    used = reading(&f, "memory.used", 0);
    for (int cause = 0; cause < MEMORY_CAUSE_COUNT; cause++) {
        Labels labels = {.member = "us", .cause = memory_cause_name((MemoryCause)cause)};

        sum += instrument_bucket(recording_instrument(f.recording, "memory.bytes", &labels), 0);
    }
    EXPECT(used > 0);
    EXPECT_NEAR(sum, used, 0);
    EXPECT_NEAR(reading(&f, "memory.used_pct", 0), used / 1e10, 1e-12);
    EXPECT_NEAR(reading(&f, "memory.headroom", 0), 9.5e9 - used, 1);
}

static void test_member_meter_health_ends_with_a_partition_and_returns(void)
{
    g_auto(Fixture) f = fixture_new();

    run(&f, 5);
    EXPECT_NEAR(reading(&f, "geo.healthy", 4), 1, 0);
    geo_isolate(f.geo, 2, true);
    run(&f, 5);
    EXPECT_NEAR(reading(&f, "geo.healthy", 5), 0, 0);
    EXPECT(reading(&f, "replication.lag", 9) > 5e9);
    geo_isolate(f.geo, 2, false);
    run(&f, 5);
    EXPECT_NEAR(reading(&f, "geo.healthy", 14), 1, 0);
    EXPECT(reading(&f, "replication.lag", 14) < 2e9);
}

/* The links of a crashed peer are up and silent: it is out of sync after five seconds, and at once
 * itself. */
static void test_member_meter_health_ends_with_a_crash_of_a_peer(void)
{
    g_auto(Fixture) f = fixture_new();

    run(&f, 5);
    member_crash(f.geo->members[2]);
    EXPECT(!member_is_healthy(f.geo->members[2], 5 * SIM_S));
    run(&f, 8);
    EXPECT_NEAR(reading(&f, "geo.healthy", 6), 1, 0);
    EXPECT_NEAR(reading(&f, "geo.healthy", 12), 0, 0);
    member_restart(f.geo->members[2]);
    run(&f, 4);
    EXPECT_NEAR(reading(&f, "geo.healthy", 16), 1, 0);
}

/* The probe counts for the second it is sent in: unreachable from 3 s to 5 s is two seconds. */
static void test_member_meter_probes_at_the_begin_of_a_second(void)
{
    g_auto(Fixture) f = fixture_new();
    const double expected[] = {1, 1, 1, 0, 0, 1};

    for (uint32_t second = 0; second < G_N_ELEMENTS(expected); second++) {
        /* Levers are pulled before the sample of the same instant. */
        if (second == 2 || second == 4) {
            geo_run(f.geo, (second + 1) * SIM_S);
            member_set_reachable(f.geo->members[1], second == 4);
        }
        run(&f, 1);
    }
    for (uint32_t second = 0; second < G_N_ELEMENTS(expected); second++)
        EXPECT_NEAR(reading(&f, "availability", second), expected[second], 0);
}

static void test_member_meter_counts_every_byte_of_a_link_once(void)
{
    g_auto(Fixture) f = fixture_new();
    Instrument *bytes;

    for (int i = 0; i < 3000; i++)
        geo_send(f.geo, 1, i * SIM_MS, "SET", (uint64_t)i);
    bytes = recording_instrument(f.recording, "bytes.cross_region",
                                 &(Labels){.link = link_name(f.geo->links[1][2]), .member = "us"});
    run(&f, 2);
    member_meter_flush(f.meter);
    run(&f, 2);
    EXPECT(link_carried_bytes(f.geo->links[1][2]) > 0);
    EXPECT_NEAR(instrument_total(bytes, "all", NULL), link_carried_bytes(f.geo->links[1][2]), 0);
}

/* Counted apart is what somebody pays for; without the option there is nothing to count. */
static void test_member_meter_counts_own_effects_only_when_causal(void)
{
    for (int causal = 0; causal < 2; causal++) {
        g_autoptr(GeoFixture) geo =
            geo_new(&(GeoOptions){.members = 3, .delay_ns = 40 * SIM_MS, .causal = causal == 1});
        g_autoptr(Recording) recording = recording_new(
            &(RecordingConfig){.duration_ns = 60 * SIM_S, .phases = phases, .phase_count = 1});
        const double reserves[] = {0, 0, 0};
        Link *const links[] = {geo->links[1][2], geo->links[2][3]};
        g_autoptr(MemberMeter) meter =
            member_meter_new(&(MemberMeterConfig){.recording = recording,
                                                  .members = &geo->members[1],
                                                  .reserve_shares = reserves,
                                                  .member_count = 3,
                                                  .links = links,
                                                  .link_count = 2,
                                                  .causal = causal == 1});
        uint32_t counted = 0;

        for (int i = 0; i < 10; i++)
            geo_send(geo, 1, i * SIM_MS, "SET", (uint64_t)i);
        geo_run(geo, 5 * SIM_S);
        member_meter_flush(meter);
        for (uint32_t i = 0; i < recording_instrument_count(recording); i++) {
            const Instrument *instrument = recording_instrument_at(recording, i);
            const char *metric = instrument_metric(instrument)->head.name;
            bool relays =
                strcmp(instrument_labels(instrument)->link ?: "", link_name(geo->links[2][3])) == 0;

            counted += strcmp(metric, "bytes.direct") == 0 || strcmp(metric, "bytes.relayed") == 0;
            if (strcmp(metric, "bytes.direct") == 0)
                EXPECT_NEAR(instrument_total(instrument, "all", NULL), relays ? 0 : 10 * 180, 0);
            if (strcmp(metric, "bytes.relayed") == 0)
                EXPECT_NEAR(instrument_total(instrument, "all", NULL), relays ? 10 * 180 : 0, 0);
        }
        EXPECT_INT(counted, causal ? 4 : 0);
    }
}

static void test_member_meter_times_a_full_sync_from_begin_to_merge(void)
{
    g_auto(Fixture) f = fixture_new();
    GeoFact fact = {.kind = GEO_FULL_SYNC_BEGIN, .member_id = 2, .peer_id = 1, .at_ns = 3 * SIM_S};
    Instrument *sync = recording_instrument(f.recording, "sync.time", &(Labels){.member = "us"});

    member_meter_hear(f.meter, &fact);
    fact.kind = GEO_FULL_SYNC_END;
    fact.member_id = 1;
    fact.peer_id = 2;
    fact.at_ns = 10 * SIM_S;
    member_meter_hear(f.meter, &fact);
    member_meter_hear(f.meter, &fact); /* an end without a begin is none */
    EXPECT_INT(histogram_count(instrument_histogram(sync, "all")), 1);
    EXPECT_INT(histogram_max(instrument_histogram(sync, "all")), 7 * SIM_S);
}

static const TestCase cases[] = {
    TEST(test_member_meter_causes_add_up_to_what_is_used),
    TEST(test_member_meter_health_ends_with_a_partition_and_returns),
    TEST(test_member_meter_health_ends_with_a_crash_of_a_peer),
    TEST(test_member_meter_probes_at_the_begin_of_a_second),
    TEST(test_member_meter_counts_every_byte_of_a_link_once),
    TEST(test_member_meter_counts_own_effects_only_when_causal),
    TEST(test_member_meter_times_a_full_sync_from_begin_to_merge),
};
TEST_MAIN("member_meter", cases)
