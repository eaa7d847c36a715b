/* Whole worlds against formulas: arrivals, queues, detection and failover, lag, catch-up,
 * staleness.
 *
 * Why it works: with constant delays and one cause at a time a world is a textbook model, whose
 * mean is known without the program.  Tolerances are four standard errors of the estimate unless a
 * story says otherwise, so that a wrong constant fails and an unlucky seed does not.
 */
#include "tests/world/world_fixture.h"

#define MS SIM_MS

enum { A, B };

/* One member, one site beside it. */
static const char single[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"queue\", \"duration\": \"60s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}},"
    " \"sites\": {\"web\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 1000, \"ops\": {\"GET\": 1}}},"
    " \"workloads\": {\"w\": {\"site\": \"web\", \"rate\": \"100/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\", \"retry\": {\"attempts\": 1, \"timeout\": \"20s\"}}}";

/* Two members 40 ms apart, clients at a. */
static const char pair[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"pair\", \"duration\": \"100s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}, \"backlog\": \"100MB\"},"
    "               \"b\": {\"memory\": {\"max\": \"1GB\"}, \"backlog\": \"100MB\"}},"
    " \"links\": {\"a~b\": {\"delay\": \"40ms\"}},"
    " \"sites\": {\"web\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\", \"b\": \"80ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 100, \"value\": \"920B\","
    "               \"ops\": {\"SET\": 1}}},"
    " \"workloads\": {\"w\": {\"site\": \"web\", \"rate\": \"20/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\", \"retry\": {\"attempts\": 1, \"timeout\": \"500ms\"}}}";

/* Operations finished in each second. */
static double ops_in_second(const Story *story, uint32_t second)
{
    const Recording *recording = world_recording(story->world);
    double count = 0;

    for (uint32_t i = 0; i < recording_instrument_count(recording); i++) {
        const Instrument *instrument = recording_instrument_at(recording, i);

        if (strcmp(instrument_metric(instrument)->head.name, "ops") == 0)
            count += instrument_bucket(instrument, second);
    }
    return count;
}

/* Counts of seconds have variance equal to their mean; constant arrivals have almost none. */
static void test_arrivals_are_poisson(void)
{
    double n = 0, sum = 0, squares = 0;

    for (uint64_t seed = 1; seed <= (uint64_t)test_count(40, 1000); seed++) {
        g_autoptr(Story) story = story_new(single, "", seed);

        story_end(story);
        for (uint32_t second = 1; second < 60; second++) {
            double count = ops_in_second(story, second);

            n++;
            sum += count;
            squares += count * count;
        }
    }
    EXPECT_NEAR(sum / n, 100, 4 * sqrt(100 / n));
    /* The variance of a variance estimate of nearly normal counts is 2 v^2 / n. */
    EXPECT_NEAR(squares / n - sum / n * (sum / n), 100, 4 * 100 * sqrt(2 / n));
}

static void test_constant_arrivals_are_even(void)
{
    g_autoptr(Story) story =
        story_new(single, "{\"workloads\": {\"w\": {\"arrivals\": \"constant\"}}}", 1);

    story_end(story);
    for (uint32_t second = 1; second < 60; second++)
        EXPECT_NEAR(ops_in_second(story, second), 100, 1);
}

typedef struct {
    const char *rate, *ops;
    double wait_ms, load, tolerance_ms;
} Queue;

/* Pollaczek and Khinchine: W = lambda E[S^2] / (2 (1 - rho)).  One shard that does 1000 GETs a
 * second.  Waits of neighbours are alike for about 1 / (1 - rho)^2 services, hence the tolerances:
 * four times the wait's spread over the root of the number of independent stretches. */
static void test_waits_at_one_shard_are_those_of_the_queue(void)
{
    const CommandSpec *get = command_find("GET", 3), *hgetall = command_find("HGETALL", 7);
    double minutes = (double)test_count(5, 60), root = sqrt(minutes / 5);
    Queue queues[] = {{"300/s", "\"GET\": 1", 0.3 / 1.4, 0.3, 0.01},
                      {"700/s", "\"GET\": 1", 0.7 / 0.6, 0.7, 0.08},
                      {"850/s", "\"GET\": 1", 0.85 / 0.3, 0.85, 0.4},
                      {"300/s", "\"GET\": null, \"HGET\": 1, \"HGETALL\": 1", 0, 0, 0.08}};
    double s1 = command_find("HGET", 4)->relative_cost, s2 = hgetall->relative_cost;

    EXPECT_NEAR(get->relative_cost, 1, 1e-9);
    queues[3].load = 0.3 * (s1 + s2) / 2;
    queues[3].wait_ms = 0.3 * (s1 * s1 + s2 * s2) / 2 / (2 * (1 - queues[3].load));
    for (uint32_t i = 0; i < G_N_ELEMENTS(queues); i++) {
        g_autofree char *patch = g_strdup_printf(
            "{\"duration\": \"%dm\", \"members\": {\"a\": {\"shards\": 1, \"capacity\": {\"ops\": "
            "\"1k/s\"}}}, \"families\": {\"f\": {\"type\": \"%s\", \"ops\": {%s}}},"
            " \"workloads\": {\"w\": {\"rate\": \"%s\"}}}",
            (int)minutes, i == 3 ? "hash" : "string", queues[i].ops, queues[i].rate);
        g_autoptr(Story) story = story_new(single, patch, 1);
        double service_ms = i == 3 ? (s1 + s2) / 2 : 1, latency_ms;

        story_end(story);
        latency_ms = story_measure(story, "mean(latency.op)", "all") / 1e6;
        EXPECT_NEAR(latency_ms - 2 - service_ms, queues[i].wait_ms, queues[i].tolerance_ms / root);
        EXPECT_NEAR(story_measure(story, "mean(load.utilisation)", "all"), queues[i].load, 0.01);
    }
}

/* Time outside the shard makes nobody wait: it adds its own mean and no more. */
static void test_service_outside_the_shard_adds_its_mean(void)
{
    g_autoptr(Story) story = story_new(
        single,
        "{\"members\": {\"a\": {\"shards\": 1, \"capacity\": {\"ops\": \"1k/s\", \"service\": "
        "{\"exp\": {\"mean\": \"5ms\"}}}}}, \"workloads\": {\"w\": {\"rate\": \"700/s\"}}}",
        1);

    story_end(story);
    /* 42 000 draws of an exponential: 0.024 ms; the queue adds 0.04. */
    EXPECT_NEAR(story_measure(story, "mean(latency.op)", "all") / 1e6, 2 + 1 + 0.7 / 0.6 + 5,
                4 * 0.047);
}

typedef struct {
    double count, sum_s, least_s, most_s, squares;
    double spread_s; /* the least of all runs: clients of one run have phases of their own */
} Times;

/* failover.time of all clients over many seeds: each run has phases of its own. */
static Times failover_times(const char *patch, uint64_t runs)
{
    Times times = {.least_s = 1e9, .spread_s = 1e9};

    for (uint64_t seed = 1; seed <= runs; seed++) {
        g_autoptr(Story) story = story_new(pair, patch, seed);
        double mean_s, least_s, most_s;

        story_end(story);
        mean_s = story_measure(story, "mean(failover.time)", "all") / 1e9;
        times.count++;
        times.sum_s += mean_s;
        times.squares += mean_s * mean_s;
        least_s = story_measure(story, "min(failover.time)", "all") / 1e9;
        most_s = story_measure(story, "max(failover.time)", "all") / 1e9;
        times.least_s = MIN(times.least_s, least_s);
        times.most_s = MAX(times.most_s, most_s);
        times.spread_s = MIN(times.spread_s, most_s - least_s);
        EXPECT_NEAR(story_measure(story, "count(failover.time)", "all"), 50, 0);
    }
    return times;
}

static double standard_error(const Times *times)
{
    double mean = times->sum_s / times->count;

    return sqrt((times->squares / times->count - mean * mean) / times->count);
}

/* D = phi + T, phi uniform on I (routing.md section 3, row 1); then the client's next operation,
 * 0.2 s later on average, and its round trip. */
static void test_ping_all_fails_over_within_its_closed_form(void)
{
    Times times = failover_times(
        "{\"sites\": {\"web\": {\"clients\": 50}}, \"workloads\": {\"w\": {\"rate\": \"250/s\"}},"
        " \"routing\": {\"select\": \"geo-nearest\", \"detect\": {\"kind\": \"ping-all\","
        " \"interval\": \"5s\", \"timeout\": \"1s\", \"probes\": 1, \"grace\": \"60s\"}},"
        " \"duration\": \"40s\", \"faults\": {\"x\": {\"at\": \"20s\", \"isolate\": \"a\"}}}",
        (uint64_t)test_count(20, 200));

    EXPECT(times.least_s >= 1);
    EXPECT(times.least_s < 1.4);
    EXPECT(times.most_s <= 5 + 1 + 3);
    EXPECT(times.spread_s > 4);
    EXPECT_NEAR(times.sum_s / times.count, 2.5 + 1 + 0.2 + 0.08, 4 * standard_error(&times));
}

/* D = phi + k I + T, then what is left of the cached answer, uniform on the TTL (row 6); at most
 * I (k + 1) + T + TTL, a last timeout on the old endpoint and the client's next operation. */
static void test_dns_tm_fails_over_within_its_closed_form(void)
{
    Times times = failover_times(
        "{\"sites\": {\"web\": {\"clients\": 50}}, \"workloads\": {\"w\": {\"rate\": \"250/s\"}},"
        " \"routing\": {\"select\": \"geo-nearest\", \"detect\": {\"kind\": \"dns-tm\","
        " \"interval\": \"5s\", \"timeout\": \"3s\", \"tolerated\": 2, \"ttl\": \"20s\"}},"
        " \"duration\": \"100s\", \"faults\": {\"x\": {\"at\": \"45s\", \"isolate\": \"a\"}}}",
        (uint64_t)test_count(20, 1000));

    EXPECT(times.least_s >= 2 * 5 + 3);
    EXPECT(times.most_s <= 3 * 5 + 3 + 20 + 3);
    EXPECT(times.spread_s > 15);
    EXPECT_NEAR(times.sum_s / times.count, 2.5 + 10 + 3 + 10 + 0.2 + 0.1,
                4 * standard_error(&times));
}

/* b knows at t + 17 ms what it knew at t over the faster link, so what it knows is 17 ms older,
 * whenever one looks; the way back is as it was. */
static void test_a_slower_link_moves_the_lag_by_exactly_that(void)
{
    g_autoptr(Story) fast = story_new(pair, "", 1);
    g_autoptr(Story) slow =
        story_new(pair, "{\"links\": {\"a~b\": {\"delay\": \"57ms\", \"delay_ba\": \"40ms\"}}}", 1);
    Rng rng = rng_stream(1, "test/instants");

    for (SimTime at_ns = SIM_S; at_ns < 90 * SIM_S; at_ns += (SimTime)rng_below(&rng, 200 * MS)) {
        world_run_until(fast->world, at_ns);
        world_run_until(slow->world, at_ns + 17 * MS);
        EXPECT_INT(member_lag_ns(story_member(slow, B), at_ns + 17 * MS),
                   member_lag_ns(story_member(fast, B), at_ns) + 17 * MS);
    }
    for (SimTime at_ns = 90 * SIM_S + 17 * MS; at_ns < 99 * SIM_S; at_ns += 100 * MS) {
        world_run_until(fast->world, at_ns);
        world_run_until(slow->world, at_ns);
        EXPECT_INT(member_peer_known_ns(story_member(slow, A), 2),
                   member_peer_known_ns(story_member(fast, A), 2));
    }
}

/* Without writes b hears a heartbeat a second: what it knows is d to d + 1 s old, d + 0.5 s on
 * average; both are looked at every millisecond for ten heartbeats. */
static void test_the_lag_of_an_idle_link_is_its_delay_and_half_a_heartbeat(void)
{
    g_autoptr(Story) story =
        story_new(pair, "{\"families\": {\"f\": {\"ops\": {\"SET\": null, \"GET\": 1}}}}", 1);
    double sum_ms = 0, least_ms = 1e9, most_ms = 0;

    for (int i = 0; i < 10000; i++) {
        SimTime at_ns = 5 * SIM_S + i * MS;
        double lag_ms;

        world_run_until(story->world, at_ns);
        lag_ms = (double)member_lag_ns(story_member(story, B), at_ns) / 1e6;
        sum_ms += lag_ms;
        least_ms = MIN(least_ms, lag_ms);
        most_ms = MAX(most_ms, lag_ms);
    }
    EXPECT_NEAR(least_ms, 40.5, 0.5);
    EXPECT_NEAR(most_ms, 1039.5, 0.5);
    EXPECT_NEAR(sum_ms / 10000, 540, 1);
}

/* When b knows what a wrote up to a moment ago. */
static SimTime caught_up_at(Story *story, SimTime from_ns)
{
    SimTime now_ns = from_ns;

    do {
        now_ns += 10 * MS;
        story_run(story, now_ns);
    } while (member_unacked_count(story_member(story, A), 2) > 12);
    return now_ns;
}

/* B = w b P bytes wait; C - w b of the link is left for them: B / (C - w b) (fit.md 3.14).  w b is
 * 100 SETs a second of 80 + 920 bytes, C is 1 MB/s.  Around it stand the reconnect (1 s, in which
 * more piles up) and three trips: HELLO, the last byte, its acknowledgement. */
static void test_catch_up_takes_what_the_bytes_take(void)
{
    g_autoptr(Story) story = story_new(
        pair,
        "{\"links\": {\"a~b\": {\"bandwidth\": \"8Mbps\"}}, \"workloads\": {\"w\": {\"rate\": "
        "\"100/s\", \"arrivals\": \"constant\"}}, \"duration\": \"120s\","
        " \"faults\": {\"x\": {\"at\": \"10s\", \"for\": \"60s\", \"partition\": \"a|b\"}}}",
        1);
    SimTime heal_ns = 70 * SIM_S, caught_ns, half_ns;
    double behind_s = 60 + 1.04 + 0.04, expected_s = 1.08 + behind_s * 0.1 / (1 - 0.1);
    double lag_s;

    story_run(story, heal_ns);
    /* And what was on its way or not yet acknowledged when the partition began. */
    EXPECT_NEAR((double)member_backlog_unacked_bytes(story_member(story, A)), 6.06e6, 0.06e6);
    half_ns = heal_ns + (SimTime)((1.08 + behind_s * 0.1 / 0.9 / 2) * 1e9);
    story_run(story, half_ns);
    lag_s = (double)(half_ns - member_peer_known_ns(story_member(story, B), 1)) / 1e9;
    EXPECT_NEAR(lag_s, behind_s / 2, 1); /* it falls linearly */
    caught_ns = caught_up_at(story, half_ns);
    /* The end is seen by an acknowledgement: one trip, and up to a heartbeat's second. */
    EXPECT((double)(caught_ns - heal_ns) / 1e9 >= expected_s);
    EXPECT((double)(caught_ns - heal_ns) / 1e9 <= expected_s + 0.04 + 1.1);
}

/* Never, when as much is written as the link carries. */
static void test_catch_up_never_ends_on_a_full_link(void)
{
    g_autoptr(Story) story = story_new(
        pair,
        "{\"links\": {\"a~b\": {\"bandwidth\": \"800kbps\"}}, \"workloads\": {\"w\": {\"rate\": "
        "\"120/s\", \"arrivals\": \"constant\"}}}",
        1);
    int64_t half;

    story_run(story, 50 * SIM_S);
    half = member_unacked_count(story_member(story, A), 2);
    story_end(story);
    /* 120 - 100 a second stay behind. */
    EXPECT_NEAR((double)half, 50 * 20, 150);
    EXPECT_NEAR((double)(member_unacked_count(story_member(story, A), 2) - half), 50 * 20, 150);
}

/* Writes on their way are Poisson with mean lambda d: b lacks the newest with probability
 * 1 - exp(-lambda d), and lambda d of them on average (fit.md 3.5 and 3.6), at random instants. */
static void test_the_other_member_is_stale_as_often_as_writes_are_on_their_way(void)
{
    uint32_t cuts = (uint32_t)test_count(3000, 100000), stale = 0;
    g_autofree char *patch = g_strdup_printf("{\"duration\": \"%us\"}", cuts + 10);
    g_autoptr(Story) story = story_new(pair, patch, 1);
    Rng rng = rng_stream(1, "test/instants");
    double mean = 20 * 0.04, missing = 0, share = 1 - exp(-20 * 0.04);

    for (uint32_t i = 0; i < cuts; i++) {
        SimTime at_ns = (5 + (SimTime)i) * SIM_S + (SimTime)rng_below(&rng, SIM_S);
        uint64_t lacks;

        world_run_until(story->world, at_ns);
        lacks = store_clock(member_store(story_member(story, A)))->seq[1] -
                store_clock(member_store(story_member(story, B)))->seq[1];
        stale += lacks > 0;
        missing += (double)lacks;
    }
    EXPECT_NEAR((double)stale / cuts, share, 4 * sqrt(share * (1 - share) / cuts));
    EXPECT_NEAR(missing / cuts, mean, 4 * sqrt(mean / cuts));
}

/* In a partition reads cost no byte of memory, and on a link none ever. */
static void test_reads_alone_add_nothing(void)
{
    static const char patch[] =
        "{\"families\": {\"f\": {\"ops\": {\"SET\": null, \"GET\": 1}}}, \"workloads\": {\"w\": "
        "{\"rate\": \"%d/s\"}}, \"faults\": {\"x\": {\"at\": \"10s\", \"for\": \"80s\","
        " \"partition\": \"a|b\"}}}";
    double carried[2];

    for (int i = 0; i < 2; i++) {
        g_autofree char *text = g_strdup_printf(patch, i == 0 ? 1 : 500);
        g_autoptr(Story) story = story_new(pair, text, 1);
        int64_t before;

        story_run(story, 10 * SIM_S);
        before = member_memory_used(story_member(story, A));
        story_run(story, 90 * SIM_S);
        EXPECT_INT(member_memory_used(story_member(story, A)), before);
        story_end(story);
        carried[i] = story_measure(story, "sum(bytes.cross_region)", "all");
    }
    EXPECT_NEAR(carried[0], carried[1], 0);
    EXPECT(carried[0] > 0);
}

static const TestCase cases[] = {
    TEST(test_arrivals_are_poisson),
    TEST(test_constant_arrivals_are_even),
    TEST(test_waits_at_one_shard_are_those_of_the_queue),
    TEST(test_service_outside_the_shard_adds_its_mean),
    TEST(test_ping_all_fails_over_within_its_closed_form),
    TEST(test_dns_tm_fails_over_within_its_closed_form),
    TEST(test_a_slower_link_moves_the_lag_by_exactly_that),
    TEST(test_the_lag_of_an_idle_link_is_its_delay_and_half_a_heartbeat),
    TEST(test_catch_up_takes_what_the_bytes_take),
    TEST(test_catch_up_never_ends_on_a_full_link),
    TEST(test_the_other_member_is_stale_as_often_as_writes_are_on_their_way),
    TEST(test_reads_alone_add_nothing),
};
TEST_MAIN("closed forms", cases)
