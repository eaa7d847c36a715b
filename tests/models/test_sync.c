/* Stories about repair and collection in small groups with constant delays. */
#include "tests/models/geo_fixture.h"

#include "sim/math.h"
#include "sim/rng.h"

#define RECORD_BYTES 64

/* What a partition kept back is resent after the heal, and not before. */
static void test_heal_resends_what_was_kept_back(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 40 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_isolate(f, 2, true);
    for (int i = 0; i < 10; i++)
        geo_send(f, 1, i * SIM_MS, "SET", 7);
    geo_run(f, 500 * SIM_MS);
    geo_isolate(f, 2, false);
    EXPECT_INT(geo_seq(f, 2, 1), 0);
    EXPECT_INT(geo_count(f, 1, GEO_RESEND), 0);
    /* a second until the receiver asks, 40 ms there, 40 ms back */
    geo_run(f, 1580 * SIM_MS - 1);
    EXPECT_INT(geo_seq(f, 2, 1), 0);
    EXPECT_INT(geo_count(f, 1, GEO_RESEND), 1);
    EXPECT_INT(geo_heard(f, 1, GEO_RESEND, 0)->amount, 10);
    EXPECT_INT(geo_heard(f, 1, GEO_RESEND, 0)->at_ns, 1540 * SIM_MS);
    EXPECT(!member_is_healthy(f->members[2], 1580 * SIM_MS - 1));
    geo_run(f, 1580 * SIM_MS);
    EXPECT_INT(geo_seq(f, 2, 1), 10);
    EXPECT(member_is_healthy(f->members[2], 1580 * SIM_MS));
    EXPECT(geo_converged(f));
}

/* What was in flight when the link broke is lost and comes again; nothing comes twice. */
static void test_break_loses_what_is_in_flight_and_repairs_it(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 40 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    for (int i = 0; i < 100; i++)
        geo_send(f, 1, i * SIM_MS, "SET", (uint64_t)i);
    geo_run(f, 60 * SIM_MS);
    EXPECT_INT(geo_seq(f, 2, 1), 21);
    link_partition(f->links[1][2]);
    geo_run(f, 80 * SIM_MS);
    link_heal(f->links[1][2]);
    geo_run(f, 3 * SIM_S);
    EXPECT_INT(geo_seq(f, 2, 1), 100);
    EXPECT_INT(geo_count(f, 2, GEO_APPLY), 100);
    EXPECT(geo_converged(f));
}

/* The two directions fail apart: what the whole direction carries is not resent. */
static void test_one_way_break_leaves_the_other_way_alone(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 10 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    link_partition(f->links[1][2]);
    for (int i = 0; i < 10; i++) {
        geo_send(f, 1, i * SIM_MS, "SET", 1);
        geo_send(f, 2, i * SIM_MS, "SET", 2);
    }
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(geo_seq(f, 1, 2), 10);
    EXPECT_INT(geo_seq(f, 2, 1), 0);
    EXPECT_INT(member_unacked_count(f->members[2], 1), 10); /* no report of 1 gets to 2 */
    link_heal(f->links[1][2]);
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(geo_seq(f, 2, 1), 10);
    EXPECT_INT(geo_count(f, 2, GEO_RESEND), 0);
    EXPECT_INT(member_unacked_count(f->members[2], 1), 0);
    EXPECT(geo_converged(f));
}

/* A HELLO tells what its sender knows before the sender repeats what it had made knowing less: an
 * addition that a DEL beats must not find the DEL forgotten. */
static void test_hello_collects_no_del_that_beats_what_is_repeated(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 20 * SIM_MS, .sketches = true, .empty = true};
    g_autoptr(GeoFixture) f = geo_new(&options);

    link_partition(f->links[1][3]);
    link_partition(f->links[3][1]);
    geo_send(f, 3, 10 * SIM_MS, "PFADD", 7);
    geo_send(f, 2, 15 * SIM_MS, "PFADD", 7);
    geo_send(f, 2, 16 * SIM_MS, "DEL", 7); /* has not seen what 3 added */
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(geo_seq(f, 1, 3), 0);
    EXPECT_INT(geo_seq(f, 3, 2), 2);
    link_heal(f->links[1][3]);
    link_heal(f->links[3][1]);
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(geo_seq(f, 1, 3), 1);
    EXPECT(geo_converged(f));
}

static int64_t partition_metadata(Retention retention, const char *name, uint64_t keys,
                                  GeoFixture **out)
{
    GeoOptions options = {.members = 3, .delay_ns = 20 * SIM_MS, .retention = retention};
    GeoFixture *f = geo_new(&options);

    geo_run(f, 5 * SIM_S);
    geo_isolate(f, 3, true);
    for (uint64_t i = 0; i < 2000; i++)
        geo_send(f, 1, 5 * SIM_S + (SimTime)i * SIM_MS, name, i % keys);
    geo_run(f, 20 * SIM_S);
    *out = f;
    return geo_metadata(f, 1);
}

/* One record per effect under op, at every member that holds the effect; all gone after the heal.
 */
static void test_partition_keeps_one_record_per_effect(void)
{
    GeoFixture *f;

    EXPECT_INT(partition_metadata(RETENTION_OP, "SET", 5, &f), 2000 * RECORD_BYTES);
    EXPECT_INT(geo_metadata(f, 2), 2000 * RECORD_BYTES);
    EXPECT_INT(geo_metadata(f, 3), 0);
    geo_isolate(f, 3, false);
    geo_run(f, 30 * SIM_S);
    EXPECT_INT(geo_metadata(f, 1), 0);
    EXPECT_INT(geo_metadata(f, 2), 0);
    EXPECT_INT(member_backlog_unacked_bytes(f->members[1]), 0);
    EXPECT(geo_converged(f));
    geo_free(f);
}

static void test_partition_keeps_one_record_per_key(void)
{
    GeoFixture *f;

    EXPECT_INT(partition_metadata(RETENTION_KEY, "SET", 5, &f), 5 * RECORD_BYTES);
    EXPECT_INT(geo_metadata(f, 2), 5 * RECORD_BYTES);
    geo_free(f);
}

static void test_partition_keeps_nothing_of_writes_but_tombstones(void)
{
    GeoFixture *f;

    EXPECT_INT(partition_metadata(RETENTION_TOMBSTONE, "SET", 5, &f), 0);
    geo_send(f, 1, 20 * SIM_S, "DEL", 1);
    geo_run(f, 21 * SIM_S);
    EXPECT_INT(geo_metadata(f, 1), RECORD_BYTES);
    EXPECT_INT(member_memory_bytes(f->members[2], MEMORY_TOMBSTONES), RECORD_BYTES);
    geo_free(f);
}

static void test_reads_add_nothing_in_a_partition(void)
{
    GeoFixture *f;

    EXPECT_INT(partition_metadata(RETENTION_OP, "GET", 5, &f), 0);
    EXPECT_INT(f->clients[1].ok_count, 2000);
    geo_free(f);
}

/* Force-unlink releases what was kept for the dead member, and what it says later is ignored. */
static void test_unlink_releases_metadata_for_good(void)
{
    GeoFixture *f;

    partition_metadata(RETENTION_OP, "SET", 5, &f);
    geo_send(f, 3, 20 * SIM_S, "SET", 9);
    geo_run(f, 21 * SIM_S);
    member_unlink_peer(f->members[1], 3);
    member_unlink_peer(f->members[2], 3);
    EXPECT_INT(geo_metadata(f, 1), 0);
    EXPECT_INT(geo_metadata(f, 2), 0);
    EXPECT_INT(member_backlog_unacked_bytes(f->members[1]), 0);
    EXPECT(!member_has_peer(f->members[1], 3));
    EXPECT_INT(geo_count(f, 1, GEO_UNLINK), 1);
    geo_isolate(f, 3, false);
    geo_send(f, 1, 25 * SIM_S, "SET", 9);
    geo_run(f, 30 * SIM_S);
    EXPECT_INT(geo_metadata(f, 1), 0);
    EXPECT_INT(geo_seq(f, 1, 3), 0);
    EXPECT_INT(geo_seq(f, 3, 1), 0);
    EXPECT_INT(geo_seq(f, 2, 1), 2001);
    EXPECT(geo_metadata(f, 3) > 0); /* it does not know */
    geo_free(f);
}

/* One survivor had heard more of the dead member than the other; after the unlink both have the
 * same. */
static void test_survivors_agree_on_what_the_dead_member_wrote(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 20 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    link_add_delay(f->links[3][2], 50 * SIM_MS, 1);
    for (uint64_t i = 0; i < 100; i++)
        geo_send(f, 3, (SimTime)i * SIM_MS, "SET", i);
    geo_run(f, 90 * SIM_MS);
    geo_isolate(f, 3, true);
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(geo_seq(f, 1, 3), 71);
    EXPECT_INT(geo_seq(f, 2, 3), 21);
    member_unlink_peer(f->members[2], 3);
    member_unlink_peer(f->members[1], 3);
    EXPECT_INT(geo_seq(f, 2, 3), 71);
    EXPECT(geo_state(f, 1) == geo_state(f, 2));
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(geo_metadata(f, 1) + geo_metadata(f, 2), 0);
}

/* The survivor that had heard less is down when the dead member is dropped: it is levelled when it
 * is back, and the other way round when it had heard more. */
static void test_a_survivor_that_was_down_is_levelled_when_it_is_back(void)
{
    for (uint32_t less = 1; less <= 2; less++) {
        GeoOptions options = {.members = 3, .delay_ns = 20 * SIM_MS};
        g_autoptr(GeoFixture) f = geo_new(&options);

        link_add_delay(f->links[3][less], 50 * SIM_MS, 1);
        for (uint64_t i = 0; i < 100; i++)
            geo_send(f, 3, (SimTime)i * SIM_MS, "SET", i);
        geo_run(f, 90 * SIM_MS);
        geo_isolate(f, 3, true);
        member_crash(f->members[2]);
        geo_run(f, 5 * SIM_S);
        member_unlink_peer(f->members[1], 3);
        member_unlink_peer(f->members[2], 3);
        geo_run(f, 10 * SIM_S);
        member_restart(f->members[2]);
        EXPECT_INT(geo_seq(f, 1, 3), 71);
        EXPECT_INT(geo_seq(f, 2, 3), 71);
        geo_run(f, 20 * SIM_S);
        EXPECT(geo_state(f, 1) == geo_state(f, 2));
        EXPECT_INT(geo_metadata(f, 1) + geo_metadata(f, 2), 0);
    }
}

/* Two members, 80 ms each way, reports every second: 100 deletes/s leave rate x (D + A/2 + D) = 66
 * tombstones alive at their origin on average, and none at the receiver. */
static void test_tombstones_alive_follow_the_closed_form(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 80 * SIM_MS, .retention = RETENTION_TOMBSTONE};
    g_autoptr(GeoFixture) f = geo_new(&options);
    double sum = 0;
    long samples = 0;

    for (uint64_t i = 0; i < 3000; i++)
        geo_send(f, 1, (SimTime)i * 10 * SIM_MS, "DEL", i);
    for (SimTime now = 5 * SIM_S; now < 25 * SIM_S; now += 7 * SIM_MS) {
        geo_run(f, now);
        sum += (double)member_record_count(f->members[1]);
        samples++;
        EXPECT_INT(member_record_count(f->members[2]), 0);
    }
    EXPECT_NEAR(sum / (double)samples, 66, 1.5);
}

/* Five members, 80 ms everywhere, phases of the reports uniform: at the origin rate x (2 D + E max
 * of four phases) = 100 x (0.16 + 0.8), elsewhere rate x (2 D + E max of three - D) = 100 x (0.08 +
 * 0.75). */
static void test_tombstones_of_five_wait_for_the_last_report(void)
{
    long worlds = test_count(60, 600);
    double origin = 0;
    double other = 0;
    long samples = 0;

    for (long world = 0; world < worlds; world++) {
        GeoOptions options = {.members = 5,
                              .delay_ns = 80 * SIM_MS,
                              .retention = RETENTION_TOMBSTONE,
                              .seed = (uint64_t)world};
        g_autoptr(GeoFixture) f = geo_new(&options);

        for (uint64_t i = 0; i < 500; i++)
            geo_send(f, 1, (SimTime)i * 10 * SIM_MS, "DEL", i);
        for (SimTime now = 3 * SIM_S; now < 5 * SIM_S; now += 50 * SIM_MS) {
            geo_run(f, now);
            origin += (double)member_record_count(f->members[1]);
            other += (double)member_record_count(f->members[2]);
            samples++;
        }
    }
    EXPECT_NEAR(origin / (double)samples, 96, test_is_long() ? 1.5 : 4);
    EXPECT_NEAR(other / (double)samples, 83, test_is_long() ? 1.5 : 4);
}

/* A backlog too small for the partition: the state comes whole, takes the time its bytes take, and
 * both ends agree. */
static void test_overflown_backlog_leads_to_full_sync(void)
{
    GeoOptions options = {.members = 3,
                          .delay_ns = 40 * SIM_MS,
                          .backlog_bytes = 18000, /* 100 effects */
                          .rate_bytes_per_s = 10000000,
                          .overhead = 1,
                          .empty = true};
    g_autoptr(GeoFixture) f = geo_new(&options);
    const GeoHeard *begin;
    const GeoHeard *end;

    geo_isolate(f, 3, true);
    for (uint64_t i = 0; i < 1000; i++) {
        geo_send(f, 1, (SimTime)i * SIM_MS, "SET", i);
        geo_send(f, 2, (SimTime)i * SIM_MS, "SET", i + 500);
        geo_send(f, 3, (SimTime)i * SIM_MS, "SET", i + 700);
    }
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(member_memory_bytes(f->members[1], MEMORY_BACKLOG), 18000);
    EXPECT_INT(member_backlog_unacked_bytes(f->members[1]), 180000);
    geo_isolate(f, 3, false);
    for (uint64_t i = 0; i < 200; i++) /* writes go on during the repair */
        geo_send(f, 1 + (uint32_t)(i % 3), 6 * SIM_S + (SimTime)i * SIM_MS, "SET", i);
    geo_run(f, 12 * SIM_S);
    EXPECT_INT(geo_count(f, 1, GEO_RESEND), 0);
    EXPECT_INT(geo_count(f, 1, GEO_FULL_SYNC_BEGIN), 1);
    EXPECT_INT(geo_count(f, 3, GEO_FULL_SYNC_BEGIN), 2); /* its own writes did not fit either */
    EXPECT_INT(geo_count(f, 3, GEO_FULL_SYNC_END), 2);
    begin = geo_heard(f, 1, GEO_FULL_SYNC_BEGIN, 0);
    end = geo_heard(f, 3, GEO_FULL_SYNC_END, 0);
    EXPECT_FATAL(begin != NULL && end != NULL);
    EXPECT_NEAR(end->at_ns - begin->at_ns, begin->amount * 100 + 40 * SIM_MS, SIM_MS / 10);
    for (uint32_t member = 1; member <= 3; member++)
        EXPECT_INT(geo_seq(f, member, 1) + geo_seq(f, member, 2) + geo_seq(f, member, 3), 3200);
    EXPECT(geo_converged(f));
    EXPECT_INT(geo_metadata(f, 1) + geo_metadata(f, 2) + geo_metadata(f, 3), 0);
    EXPECT_INT(member_memory_bytes(f->members[1], MEMORY_SYNC), 0);
}

/* Thousands of missed effects come at once with a state; a client at that moment does not wait for
 * them, as it does for effects that come one by one. */
static void test_a_full_sync_queues_before_no_client(void)
{
    GeoOptions options = {
        .members = 2, .delay_ns = 40 * SIM_MS, .backlog_bytes = 18000, .ops_per_s = 1000};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_isolate(f, 2, true);
    for (uint64_t i = 0; i < 1000; i++)
        geo_send(f, 1, (SimTime)i * 2 * SIM_MS, "SET", i);
    geo_run(f, 5 * SIM_S);
    geo_isolate(f, 2, false);
    for (uint64_t i = 0; i < 300; i++)
        geo_send(f, 2, 5 * SIM_S + (SimTime)i * 10 * SIM_MS, "GET", i);
    for (SimTime now = 5 * SIM_S; now <= 9 * SIM_S; now += 10 * SIM_MS) {
        geo_run(f, now);
        EXPECT(f->clients[2].last.wait_ns <= SIM_MS);
    }
    EXPECT_INT(geo_count(f, 2, GEO_FULL_SYNC_END), 1);
    EXPECT_INT(geo_seq(f, 2, 1), 1000);
}

/* B bytes kept back over a link of C while w b are written: caught up after B / (C - w b). */
static void test_catch_up_takes_backlog_over_spare_rate(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 40 * SIM_MS, .rate_bytes_per_s = 36000};
    g_autoptr(GeoFixture) f = geo_new(&options);
    SimTime done_ns = 0;

    geo_isolate(f, 2, true);
    for (uint64_t i = 0; i < 6000; i++) /* 100/s x 180 B = 18 kB/s for a minute */
        geo_send(f, 1, (SimTime)i * 10 * SIM_MS, "SET", i % 1000);
    geo_run(f, 10 * SIM_S);
    geo_isolate(f, 2, false);
    for (SimTime now = 11 * SIM_S; now < 60 * SIM_S && !done_ns; now += 20 * SIM_MS) {
        geo_run(f, now);
        if (geo_seq(f, 1, 1) - geo_seq(f, 2, 1) <= 8)
            done_ns = now;
        if (now == 16 * SIM_S) /* two seconds of writes come in one: the lag falls linearly */
            EXPECT_NEAR(member_lag_ns(f->members[2], now), (22.16 - 16) * SIM_S, 0.1 * SIM_S);
    }
    /* asked at 11.04 s with 1104 effects due; spare rate 18 kB/s */
    EXPECT_NEAR(done_ns, 11.04 * SIM_S + 1104 * 180 / 18000.0 * SIM_S, 0.3 * SIM_S);
}

/* Partitions, heals and crashes at random instants, writes all along: in the end all agree, nothing
 * was skipped (ensured inside) and nothing is left over. */
static void test_random_breaks_always_converge(void)
{
    long worlds = test_count(20, 400);

    for (long world = 0; world < worlds; world++) {
        Rng rng = rng_stream((uint64_t)world, "test/breaks");
        GeoOptions options = {.members = 2 + (uint32_t)rng_below(&rng, 4),
                              .delay_ns = (SimTime)(5 + rng_below(&rng, 100)) * SIM_MS,
                              .rate_bytes_per_s = rng_below(&rng, 2) ? 2000000 : 0,
                              .backlog_bytes = rng_below(&rng, 2) ? 20000 : 0};
        g_autoptr(GeoFixture) f = geo_new(&options);
        bool down[MEMBER_MAX + 1][MEMBER_MAX + 1] = {{false}};
        SimTime now = 0;

        for (uint32_t i = 0; i < 4000; i++)
            geo_send(f, 1 + (uint32_t)rng_below(&rng, options.members),
                     (SimTime)rng_below(&rng, 30 * SIM_S), rng_below(&rng, 4) ? "SET" : "DEL",
                     rng_below(&rng, 50));
        for (int step = 0; step < 40; step++) {
            uint32_t a = 1 + (uint32_t)rng_below(&rng, options.members);
            uint32_t b = 1 + (uint32_t)rng_below(&rng, options.members);

            now += (SimTime)rng_below(&rng, (uint64_t)(1500 * SIM_MS));
            geo_run(f, now);
            if (a == b) {
                (member_is_crashed(f->members[a]) ? member_restart : member_crash)(f->members[a]);
            } else {
                (down[a][b] ? link_heal : link_partition)(f->links[a][b]);
                down[a][b] = !down[a][b];
            }
        }
        for (uint32_t a = 1; a <= options.members; a++) {
            member_restart(f->members[a]);
            for (uint32_t b = 1; b <= options.members; b++)
                if (down[a][b])
                    link_heal(f->links[a][b]);
        }
        /* A state of 23 MB takes 12 s over a slow link, and several may follow each other. */
        geo_run(f, now + 120 * SIM_S);
        EXPECT(geo_converged(f));
        for (uint32_t a = 1; a <= options.members; a++) {
            EXPECT_INT(geo_metadata(f, a), 0);
            EXPECT_INT(member_backlog_unacked_bytes(f->members[a]), 0);
            for (uint32_t b = 1; b <= options.members; b++)
                EXPECT_INT(geo_seq(f, a, b), geo_seq(f, b, b));
        }
        if (CU_get_number_of_failures() > 0) {
            g_printerr("repeat with world %ld\n", world);
            return;
        }
    }
}

static const TestCase cases[] = {
    TEST(test_heal_resends_what_was_kept_back),
    TEST(test_break_loses_what_is_in_flight_and_repairs_it),
    TEST(test_one_way_break_leaves_the_other_way_alone),
    TEST(test_hello_collects_no_del_that_beats_what_is_repeated),
    TEST(test_partition_keeps_one_record_per_effect),
    TEST(test_partition_keeps_one_record_per_key),
    TEST(test_partition_keeps_nothing_of_writes_but_tombstones),
    TEST(test_reads_add_nothing_in_a_partition),
    TEST(test_unlink_releases_metadata_for_good),
    TEST(test_survivors_agree_on_what_the_dead_member_wrote),
    TEST(test_a_survivor_that_was_down_is_levelled_when_it_is_back),
    TEST(test_a_full_sync_queues_before_no_client),
    TEST(test_tombstones_alive_follow_the_closed_form),
    TEST(test_tombstones_of_five_wait_for_the_last_report),
    TEST(test_overflown_backlog_leads_to_full_sync),
    TEST(test_catch_up_takes_backlog_over_spare_rate),
    TEST(test_random_breaks_always_converge),
};
TEST_MAIN("sync", cases)
