/* Stories about one member and its clients, and about what a group's digest may depend on. */
#include "tests/models/geo_fixture.h"

#include "models/geo/member_parts.h"
#include "sim/rng.h"

static void test_command_is_answered_after_its_service(void)
{
    GeoOptions options = {.members = 1, .delay_ns = SIM_MS, .ops_per_s = 1000};
    g_autoptr(GeoFixture) f = geo_new(&options);
    SimTime cost_ns = (SimTime)(SIM_MS * command_find("SET", 3)->relative_cost);

    geo_send(f, 1, SIM_S, "SET", 7);
    geo_send(f, 1, SIM_S, "SET", 7);
    geo_run(f, SIM_S + cost_ns);
    EXPECT_INT(f->clients[1].reply_count, 1);
    EXPECT_INT(f->clients[1].last.service_ns, cost_ns);
    EXPECT_INT(f->clients[1].last.dot, dot_make(1, 1));
    geo_run(f, SIM_S + 2 * cost_ns);
    EXPECT_INT(f->clients[1].reply_count, 2);
    EXPECT_INT(f->clients[1].last.wait_ns, cost_ns);
    EXPECT_INT(f->clients[1].last.dot, dot_make(1, 2));
    EXPECT_INT(f->clients[1].last.call, 2);
    EXPECT_INT(f->clients[1].last.member_index, 0);
}

static void test_probe_is_answered_without_touching_data(void)
{
    GeoOptions options = {.members = 2, .delay_ns = SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_send(f, 1, SIM_S, NULL, 0);
    geo_run(f, 2 * SIM_S);
    EXPECT_INT(f->clients[1].ok_count, 1);
    EXPECT_INT(f->clients[1].last.dot, 0);
    EXPECT_INT(geo_seq(f, 1, 1), 0);
}

/* Alone, a member keeps nothing for anybody. */
static void test_single_member_keeps_no_metadata(void)
{
    GeoOptions options = {.members = 1, .delay_ns = SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    for (uint64_t i = 0; i < 5000; i++)
        geo_send(f, 1, (SimTime)i * SIM_MS, i % 9 ? "SET" : "DEL", i);
    geo_run(f, 4500 * SIM_MS);
    EXPECT_INT(geo_seq(f, 1, 1), 4501);
    EXPECT_INT(geo_metadata(f, 1), 0);
    EXPECT_INT(member_backlog_unacked_bytes(f->members[1]), 0);
    EXPECT_INT(member_memory_bytes(f->members[1], MEMORY_BACKLOG), 0);
    EXPECT_INT(member_lag_ns(f->members[1], 4500 * SIM_MS), 0);
    EXPECT(effect_log_kept_count(f->members[1]->log) < 1024);
}

/* With writes flowing the newest thing known of the peer is as old as the link is long, and a
 * change of the delay moves the lag by exactly that. */
static void test_lag_is_the_delay(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 40 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    for (int i = 0; i < 20000; i++)
        geo_send(f, 1, i * SIM_MS, "SET", 1);
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(member_lag_ns(f->members[2], 5 * SIM_S), 40 * SIM_MS);
    link_add_delay(f->links[1][2], 17 * SIM_MS, 1);
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(member_lag_ns(f->members[2], 10 * SIM_S), 57 * SIM_MS);
    link_partition(f->links[1][2]);
    geo_run(f, 15 * SIM_S);
    EXPECT_NEAR(member_lag_ns(f->members[2], 15 * SIM_S), 5057 * SIM_MS, SIM_MS);
}

/* A healthy idle peer is heard of every second. */
static void test_idle_lag_stays_under_a_second_and_the_delay(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 40 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);
    SimTime most = 0;

    for (SimTime now = 2 * SIM_S; now < 12 * SIM_S; now += 13 * SIM_MS) {
        geo_run(f, now);
        most = MAX(most, member_lag_ns(f->members[1], now));
    }
    EXPECT(most > 900 * SIM_MS);
    EXPECT(most <= SIM_S + 40 * SIM_MS);
}

static void test_unreachable_member_answers_nothing(void)
{
    GeoOptions options = {.members = 1, .delay_ns = SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    member_set_reachable(f->members[1], false);
    geo_send(f, 1, SIM_S, "SET", 7);
    geo_run(f, 2 * SIM_S);
    EXPECT_INT(f->clients[1].reply_count, 0);
    EXPECT_INT(member_reach_epoch(f->members[1]), 1);
    member_set_reachable(f->members[1], true);
    geo_send(f, 1, 3 * SIM_S, "SET", 7);
    geo_run(f, 4 * SIM_S);
    EXPECT_INT(f->clients[1].ok_count, 1);
    EXPECT_INT(f->clients[1].last.reach_epoch, 1);
}

/* A crashed member refuses, keeps its data, and catches up after its restart. */
static void test_crashed_member_catches_up_after_restart(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 10 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_send(f, 2, 0, "SET", 5);
    geo_run(f, SIM_S);
    member_crash(f->members[2]);
    geo_send(f, 2, 2 * SIM_S, "SET", 6);
    geo_send(f, 1, 2 * SIM_S, "SET", 7);
    geo_run(f, 3 * SIM_S);
    EXPECT_INT(f->clients[2].last.outcome, OUTCOME_REFUSED);
    EXPECT_INT(geo_seq(f, 2, 1), 0);
    EXPECT_INT(geo_seq(f, 2, 2), 1);
    member_restart(f->members[2]);
    geo_run(f, 6 * SIM_S);
    EXPECT_INT(geo_seq(f, 2, 1), 1);
    EXPECT(geo_converged(f));
    EXPECT_INT(geo_metadata(f, 1), 0);
}

/* Writes are refused above max x (1 - reserve), reads and replication go on; deletes of others let
 * it recover. */
static void test_full_member_refuses_writes(void)
{
    GeoOptions options = {.members = 2,
                          .delay_ns = 10 * SIM_MS,
                          .memory_max_bytes = 20000,
                          .overhead = 1,
                          .empty = true};
    g_autoptr(GeoFixture) f = geo_new(&options);

    for (uint64_t i = 0; i < 300; i++)
        geo_send(f, 1, (SimTime)i * 100 * SIM_MS, "SET", i);
    geo_run(f, 40 * SIM_S);
    EXPECT(member_refuses_writes(f->members[1]));
    EXPECT(f->clients[1].oom_count > 80);
    EXPECT_INT(f->clients[1].ok_count + f->clients[1].oom_count, 300);
    EXPECT_NEAR(member_memory_bytes(f->members[1], MEMORY_LIVE), 19000, 1500);
    EXPECT_INT(geo_count(f, 1, GEO_OOM_BEGIN), 1 + geo_count(f, 1, GEO_OOM_END));
    geo_send(f, 1, 41 * SIM_S, "GET", 1);
    geo_run(f, 42 * SIM_S);
    EXPECT_INT(f->clients[1].last.outcome, OUTCOME_OK);
    geo_send(f, 1, 43 * SIM_S, "DEL", 1);
    geo_run(f, 44 * SIM_S);
    EXPECT_INT(f->clients[1].last.outcome, OUTCOME_OOM);
}

static void test_memory_used_is_the_sum_of_its_causes(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 30 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_isolate(f, 3, true);
    for (uint64_t i = 0; i < 500; i++)
        geo_send(f, 1 + (uint32_t)(i % 2), (SimTime)i * SIM_MS, i % 5 ? "SET" : "DEL", i);
    for (SimTime now = 0; now < 2 * SIM_S; now += 90 * SIM_MS) {
        geo_run(f, now);
        for (uint32_t id = 1; id <= 3; id++) {
            int64_t sum = 0;

            for (int cause = 0; cause < MEMORY_CAUSE_COUNT; cause++)
                sum += member_memory_bytes(f->members[id], (MemoryCause)cause);
            EXPECT_INT(member_memory_used(f->members[id]), sum);
        }
    }
    EXPECT(member_memory_bytes(f->members[1], MEMORY_BACKLOG) > 0);
    EXPECT(member_memory_bytes(f->members[1], MEMORY_TOMBSTONES) > 0);
}

static void test_wall_clock_carries_its_skew(void)
{
    GeoOptions options = {.members = 1, .delay_ns = SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    EXPECT_INT(member_wall(f->members[1], 1999999).ms, 1000001);
    member_set_skew(f->members[1], -SIM_S);
    EXPECT_INT(member_wall(f->members[1], 500 * SIM_US).ms, 999000);
    EXPECT_INT(member_wall(f->members[1], 0).ms, 999000);
    EXPECT_INT(member_wall(f->members[1], SIM_MS).ms, 999001);
}

static void test_applied_effects_occupy_the_shard(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 10 * SIM_MS, .ops_per_s = 1000};
    g_autoptr(GeoFixture) f = geo_new(&options);
    double cost = command_find("SET", 3)->relative_cost;

    geo_run(f, SIM_S);
    member_take_utilisation(f->members[2], SIM_S);
    for (int i = 0; i < 200; i++)
        geo_send(f, 1, SIM_S + i * 5 * SIM_MS, "SET", 3);
    geo_run(f, 2 * SIM_S);
    EXPECT_NEAR(member_take_utilisation(f->members[2], 2 * SIM_S), MIN(0.2 * cost, 1), 0.01);
}

/* A member linked again after a force-unlink ends with what all others have. */
static void test_relinked_member_converges(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 10 * SIM_MS};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_isolate(f, 3, true);
    for (uint64_t i = 0; i < 3000; i++)
        geo_send(f, 1 + (uint32_t)(i % 3), (SimTime)i * SIM_MS, "SET", i % 100);
    geo_run(f, 2 * SIM_S);
    member_unlink_peer(f->members[1], 3);
    member_unlink_peer(f->members[2], 3);
    geo_run(f, 5 * SIM_S);
    geo_isolate(f, 3, false);
    geo_run(f, 8 * SIM_S);
    EXPECT(!geo_converged(f));
    member_relink_peer(f->members[1], 3);
    member_relink_peer(f->members[2], 3);
    for (uint64_t i = 0; i < 300; i++)
        geo_send(f, 1 + (uint32_t)(i % 3), 8 * SIM_S + (SimTime)i * SIM_MS, "SET", i % 100);
    geo_run(f, 15 * SIM_S);
    EXPECT(geo_converged(f));
    for (uint32_t id = 1; id <= 3; id++)
        EXPECT_INT(geo_metadata(f, id), 0);
}

/* The member that set the deadline deletes the key when its own clock says so, and the delete
 * travels. */
static void test_owner_deletes_at_the_deadline_of_its_own_clock(void)
{
    GeoOptions options = {.members = 2,
                          .delay_ns = 10 * SIM_MS,
                          .empty = true,
                          .ttl_ns = 5 * SIM_S,
                          .skew_ns = SIM_S};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_send(f, 2, SIM_S, "SET", 7);
    geo_send(f, 1, 2 * SIM_S, "SET", 8);
    geo_run(f, 6 * SIM_S - SIM_MS);
    EXPECT_INT(geo_seq(f, 2, 2), 1);
    EXPECT_INT(store_ledger(member_store(f->members[1]), 0)->key_count, 2);
    geo_run(f, 6 * SIM_S + SIM_MS);
    EXPECT_INT(geo_seq(f, 2, 2), 2);
    EXPECT_INT(geo_seq(f, 1, 2), 1);
    geo_run(f, 6500 * SIM_MS);
    EXPECT_INT(geo_seq(f, 1, 2), 2);
    EXPECT_INT(store_ledger(member_store(f->members[1]), 0)->key_count, 1);
    member_set_skew(f->members[1], 10 * SIM_S); /* its clock jumps past the deadline */
    geo_run(f, 6600 * SIM_MS);
    EXPECT_INT(store_ledger(member_store(f->members[2]), 0)->key_count, 0);
    EXPECT_INT(member_memory_bytes(f->members[1], MEMORY_LIVE), 0);
}

typedef struct {
    uint32_t threads;
    bool serial;
    bool cut;
    SimTime more_delay_ns;
} Way;

static uint64_t digest_of_world(Way way)
{
    GeoOptions options = {.members = 5,
                          .delay_ns = 20 * SIM_MS,
                          .ops_per_s = 5000,
                          .rate_bytes_per_s = 1000000,
                          .threads = way.threads,
                          .serial = way.serial};
    g_autoptr(GeoFixture) f = geo_new(&options);
    Rng rng = rng_stream(5, "test/world");
    Rng cuts = rng_stream(6, "test/cuts");

    link_add_delay(f->links[1][2], way.more_delay_ns, 1);
    for (int i = 0; i < 5000; i++)
        geo_send(f, 1 + (uint32_t)rng_below(&rng, 5), (SimTime)rng_below(&rng, 10 * SIM_S),
                 rng_below(&rng, 3) ? "SET" : "GET", rng_below(&rng, 200));
    for (SimTime now = 0; way.cut && now < 4 * SIM_S; now += (SimTime)rng_below(&cuts, 10 * SIM_MS))
        geo_run(f, now);
    geo_run(f, 4 * SIM_S);
    geo_isolate(f, 4, true);
    geo_run(f, 6 * SIM_S);
    geo_isolate(f, 4, false);
    geo_run(f, 20 * SIM_S);
    EXPECT(geo_converged(f));
    return geo_digest(f);
}

/* Writes are told from what a deadline deletes. */
static void test_a_delete_by_deadline_is_no_clients_write(void)
{
    GeoOptions options = {
        .members = 2, .delay_ns = 20 * SIM_MS, .ttl_ns = 2 * SIM_S, .empty = true};
    g_autoptr(GeoFixture) f = geo_new(&options);

    for (uint64_t i = 0; i < 10; i++) {
        geo_send(f, 1, (SimTime)i * SIM_MS, "SET", i);
        geo_send(f, 1, SIM_S + (SimTime)i * SIM_MS, "GET", i);
    }
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(f->clients[1].write_count, 10);
    EXPECT_INT(f->clients[1].deadline_count, 10);
    EXPECT_INT(f->clients[2].write_count + f->clients[2].deadline_count, 0);
}

/* Two members add one element at a time: one name with two dots is no copy of a value. */
static void test_concurrent_adds_are_headers_not_siblings(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 20 * SIM_MS, .sets = true, .empty = true};
    g_autoptr(GeoFixture) f = geo_new(&options);
    int64_t before;

    before = member_memory_bytes(f->members[1], MEMORY_HEADERS);
    geo_send(f, 1, SIM_MS, "SADD", 7);
    geo_send(f, 2, SIM_MS, "SADD", 7);
    geo_run(f, SIM_S);
    for (uint32_t id = 1; id <= 2; id++) {
        EXPECT_INT(member_memory_bytes(f->members[id], MEMORY_SIBLINGS), 0);
        EXPECT_INT(store_ledger(member_store(f->members[id]), 0)->element_count, 1);
        EXPECT_INT(store_ledger(member_store(f->members[id]), 0)->header_count, 2);
        EXPECT(member_memory_bytes(f->members[id], MEMORY_HEADERS) > before);
    }
    geo_send(f, 1, 2 * SIM_S, "SREM", 7);
    geo_run(f, 3 * SIM_S);
    EXPECT_INT(member_memory_bytes(f->members[2], MEMORY_HEADERS), before);
}

static void test_digest_ignores_threads_cuts_and_serial_mode(void)
{
    uint64_t plain = digest_of_world((Way){0});

    EXPECT_INT(digest_of_world((Way){.threads = 2}), plain);
    EXPECT_INT(digest_of_world((Way){.threads = 5}), plain);
    EXPECT_INT(digest_of_world((Way){.serial = true}), plain);
    EXPECT_INT(digest_of_world((Way){.cut = true}), plain);
    EXPECT(digest_of_world((Way){.more_delay_ns = 1}) != plain);
}

static const TestCase cases[] = {
    TEST(test_command_is_answered_after_its_service),
    TEST(test_probe_is_answered_without_touching_data),
    TEST(test_single_member_keeps_no_metadata),
    TEST(test_lag_is_the_delay),
    TEST(test_idle_lag_stays_under_a_second_and_the_delay),
    TEST(test_unreachable_member_answers_nothing),
    TEST(test_crashed_member_catches_up_after_restart),
    TEST(test_full_member_refuses_writes),
    TEST(test_memory_used_is_the_sum_of_its_causes),
    TEST(test_wall_clock_carries_its_skew),
    TEST(test_applied_effects_occupy_the_shard),
    TEST(test_relinked_member_converges),
    TEST(test_owner_deletes_at_the_deadline_of_its_own_clock),
    TEST(test_a_delete_by_deadline_is_no_clients_write),
    TEST(test_concurrent_adds_are_headers_not_siblings),
    TEST(test_digest_ignores_threads_cuts_and_serial_mode),
};
TEST_MAIN("member", cases)
