/* Requests that wait at a member: who is answered, when, and what happens to those who go. */
#include "tests/models/geo_fixture.h"

#include "models/data/waiter.h"

#define QUEUE 7

static const GeoOptions two = {.members = 2, .delay_ns = 50 * SIM_MS, .lists = true, .empty = true};

static int64_t queue_length(const GeoFixture *f, uint32_t member)
{
    return store_ledger(member_store(f->members[member]), 0)->element_count;
}

static uint32_t waiting(const GeoFixture *f, uint32_t member)
{
    return store_waiter_count(member_store(f->members[member]));
}

static void test_held_request_is_answered_when_something_comes(void)
{
    g_autoptr(GeoFixture) f = geo_new(&two);

    geo_send(f, 1, SIM_S, "BLPOP", QUEUE);
    geo_send(f, 1, 3 * SIM_S, "RPUSH", QUEUE);
    geo_run(f, 2 * SIM_S);
    EXPECT_INT(f->clients[1].reply_count, 0);
    EXPECT_INT(waiting(f, 1), 1);
    geo_run(f, 4 * SIM_S);
    EXPECT_INT(f->clients[1].ok_count, 2);
    EXPECT_INT(f->clients[1].last.call, 1); /* after the push */
    EXPECT_INT(f->clients[1].last_ns, 3 * SIM_S);
    EXPECT(f->clients[1].last.dot != 0); /* the pop is a write */
    EXPECT_INT(f->clients[1].last.reply_bytes, 8 + 100);
    EXPECT_INT(queue_length(f, 1), 0);
    EXPECT_INT(queue_length(f, 2), 0);
    EXPECT(geo_converged(f));
}

static void test_held_request_occupies_no_shard(void)
{
    GeoOptions slow = two;
    g_autoptr(GeoFixture) f = NULL;

    slow.ops_per_s = 10; /* at relative cost 1 */
    f = geo_new(&slow);
    geo_send(f, 1, SIM_S, "BLPOP", QUEUE);
    geo_send(f, 1, 10 * SIM_S, "LLEN", 1);
    geo_run(f, 11 * SIM_S);
    EXPECT_INT(f->clients[1].last.wait_ns, 0);
    geo_send(f, 1, 20 * SIM_S, "RPUSH", QUEUE);
    geo_run(f, 30 * SIM_S);
    EXPECT_INT(f->clients[1].last.call, 1);
    EXPECT_INT(f->clients[1].last.wait_ns, 40 * SIM_MS); /* behind the push, which costs 0.4 */
    EXPECT_INT(f->clients[1].last.service_ns, 50 * SIM_MS);
    EXPECT_INT(f->clients[1].last_ns, 20 * SIM_S + 90 * SIM_MS);
}

static void test_held_request_is_answered_by_a_push_elsewhere(void)
{
    g_autoptr(GeoFixture) f = geo_new(&two);

    geo_send(f, 2, SIM_S, "BRPOP", QUEUE);
    geo_send(f, 1, 3 * SIM_S, "RPUSH", QUEUE);
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(f->clients[2].ok_count, 1);
    EXPECT_INT(f->clients[2].last_ns, 3 * SIM_S + two.delay_ns);
    EXPECT_INT(queue_length(f, 1), 0);
    EXPECT(geo_converged(f));
}

static void test_held_request_gets_nil_when_its_time_is_up(void)
{
    GeoOptions options = two;
    g_autoptr(GeoFixture) f = NULL;

    options.block_ns = 5 * SIM_S;
    f = geo_new(&options);
    geo_send(f, 1, SIM_S, "BLPOP", QUEUE);
    geo_send(f, 1, 7 * SIM_S, "RPUSH", QUEUE);
    geo_run(f, 6 * SIM_S + 1);
    EXPECT_INT(f->clients[1].ok_count, 1);
    EXPECT_INT(f->clients[1].last_ns, 6 * SIM_S);
    EXPECT_INT(f->clients[1].last.reply_bytes, 0);
    EXPECT_INT(f->clients[1].last.dot, 0);
    geo_run(f, 8 * SIM_S);
    EXPECT_INT(queue_length(f, 1), 1);
}

static void test_held_request_of_a_client_that_gave_up_takes_nothing(void)
{
    GeoOptions options = two;
    g_autoptr(GeoFixture) f = NULL;

    options.patience_ns = SIM_S;
    f = geo_new(&options);
    geo_send(f, 1, SIM_S, "BLPOP", QUEUE);
    geo_run(f, 2 * SIM_S - 1);
    EXPECT_INT(waiting(f, 1), 1);
    geo_run(f, 2 * SIM_S + 1);
    EXPECT_INT(waiting(f, 1), 0);
    geo_send(f, 1, 3 * SIM_S, "RPUSH", QUEUE);
    geo_run(f, 4 * SIM_S);
    EXPECT_INT(f->clients[1].reply_count, 1); /* the push's */
    EXPECT_INT(queue_length(f, 1), 1);
}

static void test_held_requests_go_with_their_connections(void)
{
    for (uint32_t crash = 0; crash < 2; crash++) {
        g_autoptr(GeoFixture) f = geo_new(&two);

        geo_send(f, 1, SIM_S, "BLPOP", QUEUE);
        geo_run(f, 2 * SIM_S);
        if (crash)
            member_crash(f->members[1]);
        else
            member_set_reachable(f->members[1], false);
        geo_send(f, 2, 3 * SIM_S, "RPUSH", QUEUE);
        geo_run(f, 4 * SIM_S);
        EXPECT_INT(waiting(f, 1), 0);
        if (crash)
            member_restart(f->members[1]);
        else
            member_set_reachable(f->members[1], true);
        geo_run(f, 20 * SIM_S);
        EXPECT_INT(f->clients[1].reply_count, 0);
        EXPECT_INT(queue_length(f, 1), 1);
        EXPECT_INT(queue_length(f, 2), 1);
    }
}

/* As Redis, whose timeouts go by the wall clock; but a connection closes when it closes. */
static void test_held_timeouts_follow_the_clock_and_closing_does_not(void)
{
    GeoOptions options = two;
    g_autoptr(GeoFixture) f = NULL;

    options.block_ns = SIM_HOUR;
    f = geo_new(&options);
    geo_send(f, 1, SIM_S, "BLPOP", QUEUE);
    geo_run(f, 2 * SIM_S);
    member_set_skew(f->members[1], 2 * SIM_HOUR);
    geo_run(f, 3 * SIM_S);
    EXPECT_INT(f->clients[1].ok_count, 1);
    EXPECT_INT(f->clients[1].last_ns, 2 * SIM_S);
    f->options.patience_ns = 10 * SIM_S;
    geo_send(f, 1, 4 * SIM_S, "BLPOP", QUEUE);
    geo_run(f, 5 * SIM_S);
    member_set_skew(f->members[1], -2 * SIM_HOUR);
    geo_run(f, 14 * SIM_S + 1);
    EXPECT_INT(waiting(f, 1), 0);
    EXPECT_INT(f->clients[1].reply_count, 1);
}

static void test_held_request_is_answered_after_a_full_sync(void)
{
    GeoOptions options = two;
    g_autoptr(GeoFixture) f = NULL;

    options.backlog_bytes = 1000;
    f = geo_new(&options);
    geo_run(f, SIM_S);
    geo_isolate(f, 1, true);
    geo_send(f, 2, 2 * SIM_S, "BLPOP", QUEUE);
    for (uint64_t i = 0; i < 100; i++)
        geo_send(f, 1, 3 * SIM_S + (SimTime)i, "RPUSH", QUEUE);
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(f->clients[2].reply_count, 0);
    geo_isolate(f, 1, false);
    geo_run(f, 60 * SIM_S);
    EXPECT_INT(geo_count(f, 2, GEO_FULL_SYNC_END), 1);
    EXPECT_INT(f->clients[2].ok_count, 1);
    EXPECT_INT(queue_length(f, 1), 99);
    EXPECT(geo_converged(f));
}

/* A queue with workers at two members.  A job that both sides wait for is done twice: each pops it
 * before it hears of the other's pop.  When only one side waits, it is done once. */
static void test_held_work_queue_does_jobs_twice_when_both_sides_wait(void)
{
    g_autoptr(GeoFixture) f = geo_new(&two);
    const SimTime job_every_ns = SIM_S;

    for (int64_t i = 0; i < 20; i++) {
        geo_send(f, 1, i * job_every_ns, "BLPOP", QUEUE);
        if (i < 10)
            geo_send(f, 2, i * job_every_ns, "BLPOP", QUEUE);
        geo_send(f, 1, i * job_every_ns + 500 * SIM_MS, "RPUSH", QUEUE);
    }
    geo_run(f, 21 * job_every_ns);
    EXPECT_INT(f->clients[1].ok_count, 20 + 20);
    EXPECT_INT(f->clients[2].ok_count, 10);
    EXPECT_INT(f->clients[2].last_ns, 9 * job_every_ns + 550 * SIM_MS);
    EXPECT_INT(queue_length(f, 1), 0);
    EXPECT_INT(queue_length(f, 2), 0);
    EXPECT(geo_converged(f));
}

static void test_held_reader_hears_of_the_next_entry_alone(void)
{
    GeoOptions options = two;
    g_autoptr(GeoFixture) f = NULL;

    options.lists = false;
    options.streams = true;
    f = geo_new(&options);
    geo_send(f, 1, SIM_S, "XADD", QUEUE);
    geo_send(f, 2, 2 * SIM_S, "XREAD", QUEUE);
    geo_run(f, 3 * SIM_S);
    EXPECT_INT(waiting(f, 2), 1); /* what is there is not what comes next */
    geo_send(f, 1, 4 * SIM_S, "XADD", QUEUE);
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(f->clients[2].ok_count, 1);
    EXPECT_INT(f->clients[2].last_ns, 4 * SIM_S + two.delay_ns);
    EXPECT_INT(f->clients[2].last.dot, 0); /* it wrote nothing */
    EXPECT(f->clients[2].last.reply_bytes > 100);
    EXPECT(f->clients[2].last.reply_bytes < 200); /* one entry */
}

typedef struct {
    uint64_t digest;
    uint64_t answered;
} Outcomes;

/* Many who wait, give up and time out at three members. */
static Outcomes run_many(SimTime step_ns, bool serial, uint32_t threads)
{
    GeoOptions options = {.members = 3,
                          .delay_ns = 20 * SIM_MS,
                          .lists = true,
                          .empty = true,
                          .ops_per_s = 2000,
                          .serial = serial,
                          .threads = threads};
    g_autoptr(GeoFixture) f = geo_new(&options);
    Rng rng = rng_stream(5, "held");
    Outcomes outcomes = {0};

    for (uint32_t i = 0; i < 3000; i++) {
        uint64_t kind = rng_below(&rng, 4);
        uint64_t key = rng_below(&rng, 8);
        uint32_t member = 1 + (uint32_t)rng_below(&rng, 3);
        SimTime at_ns = (SimTime)rng_below(&rng, 10000) * 331 * SIM_US;
        SimTime short_ns = (SimTime)rng_below(&rng, 300) * SIM_MS;

        f->options.block_ns = kind == 2 ? short_ns : 0;
        f->options.patience_ns = kind == 3 ? short_ns + 1 : 0;
        geo_send(f, member, at_ns, kind == 0 ? "RPUSH" : kind == 1 ? "BRPOP" : "BLPOP", key);
    }
    for (SimTime at_ns = step_ns; at_ns <= 10 * SIM_S; at_ns += step_ns)
        geo_run(f, at_ns);
    geo_run(f, 10 * SIM_S);
    EXPECT(geo_converged(f));
    for (uint32_t id = 1; id <= 3; id++)
        outcomes.answered += f->clients[id].ok_count;
    outcomes.digest = geo_digest(f);
    return outcomes;
}

static void test_held_requests_are_answered_alike_in_any_cutting(void)
{
    Outcomes whole = run_many(10 * SIM_S, false, 1);
    Outcomes cut = run_many(7777 * SIM_US, false, 1);
    Outcomes serial = run_many(10 * SIM_S, true, 1);
    Outcomes threads = run_many(SIM_S, false, 3);

    EXPECT(whole.answered > 1000);
    EXPECT_INT(cut.digest, whole.digest);
    EXPECT_INT(serial.digest, whole.digest);
    EXPECT_INT(threads.digest, whole.digest);
    EXPECT_INT(cut.answered, whole.answered);
}

static const TestCase cases[] = {
    TEST(test_held_request_is_answered_when_something_comes),
    TEST(test_held_request_occupies_no_shard),
    TEST(test_held_request_is_answered_by_a_push_elsewhere),
    TEST(test_held_request_gets_nil_when_its_time_is_up),
    TEST(test_held_request_of_a_client_that_gave_up_takes_nothing),
    TEST(test_held_requests_go_with_their_connections),
    TEST(test_held_timeouts_follow_the_clock_and_closing_does_not),
    TEST(test_held_request_is_answered_after_a_full_sync),
    TEST(test_held_work_queue_does_jobs_twice_when_both_sides_wait),
    TEST(test_held_reader_hears_of_the_next_entry_alone),
    TEST(test_held_requests_are_answered_alike_in_any_cutting),
};
TEST_MAIN("held", cases)
