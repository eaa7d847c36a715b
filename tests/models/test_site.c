/* Clients: what they send, where, how long they wait, and what they do about silence. */
#include "tests/models/site_fixture.h"

#define PIN(retry) "{\"select\": \"pin\", \"detect\": \"none\", \"retry\": " retry "}"
#define THREE_TRIES                                                                                \
    "{\"attempts\": 3, \"timeout\": \"1s\", \"backoff\": \"100ms\", \"max_class\": \"lww\"}"
#define DNS(ttl)                                                                                   \
    "{\"preset\": \"traffic-manager-10s\", \"detect\": {\"kind\": \"dns-tm\", \"ttl\": \"" ttl     \
    "\"}, \"retry\": " THREE_TRIES "}"

/* N arrivals of a Poisson process in t: mean rate x t, variance the same. */
static void test_poisson_arrivals_have_their_rate(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{}"), .rate_per_s = 500, .shares = {1}, .clients = 10);
    double mean = 0, square = 0;
    int seconds = (int)test_count(200, 4000);

    fixture_start(f);
    fixture_run_until(f, seconds * SIM_S);
    for (int i = 0; i < seconds - 1; i++) {
        mean += (double)f->done_per_s[i] / (seconds - 1);
        square += (double)f->done_per_s[i] * (double)f->done_per_s[i] / (seconds - 1);
    }
    EXPECT_NEAR(mean, 500, 4 * 22.4 / 14.1);
    EXPECT_NEAR((square - mean * mean) / mean, 1, 0.4);
    EXPECT_INT(f->tally[FAMILY_READ].by_outcome[OUTCOME_OK], f->tally[FAMILY_READ].done);
    EXPECT_INT(f->tally[FAMILY_READ].last_latency_ns, 30 * SIM_MS);
}

static void test_constant_arrivals_are_evenly_spaced(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{}"), .rate_per_s = 300, .shares = {1}, .constant = true);

    fixture_start(f);
    fixture_run_until(f, 100 * SIM_S);
    for (int i = 0; i < 99; i++)
        EXPECT_INT(f->done_per_s[i], 300);
}

/* Three times the rate inside the burst, before and after as ever; another burst set from outside
 * multiplies. */
static void test_bursts_change_the_rate_at_their_instants(void)
{
    g_autoptr(Fixture) f = fixture(.routing = PIN("{}"), .rate_per_s = 1000, .shares = {1},
                                   .constant = true, .burst = {10500 * SIM_MS, 20 * SIM_S, 3});

    fixture_start(f);
    fixture_run_until(f, 30 * SIM_S);
    site_set_burst(f->site, 0.5, 30 * SIM_S);
    fixture_run_until(f, 40 * SIM_S);
    site_set_burst(f->site, 1, 40 * SIM_S);
    fixture_run_until(f, 50 * SIM_S);
    EXPECT_NEAR(f->done_per_s[9], 1000, 1);
    EXPECT_NEAR(f->done_per_s[10], 2000, 1);
    EXPECT_NEAR(f->done_per_s[15], 3000, 1);
    EXPECT_NEAR(f->done_per_s[20], 1000, 1);
    EXPECT_NEAR(f->done_per_s[35], 500, 1);
    EXPECT_NEAR(f->done_per_s[45], 1000, 1);
}

/* A gap in progress when the burst begins only passes faster: nothing is drawn anew. */
static void test_a_burst_of_one_changes_nothing(void)
{
    g_autoptr(Fixture) plain = fixture(.routing = PIN("{}"), .rate_per_s = 100, .shares = {1});
    g_autoptr(Fixture) poked = fixture(.routing = PIN("{}"), .rate_per_s = 100, .shares = {1});
    uint64_t apart = 0;

    fixture_start(plain);
    fixture_start(poked);
    fixture_run_until(plain, 100 * SIM_S);
    for (int i = 1; i <= 50; i++) {
        fixture_run_until(poked, i * SIM_S + 7);
        site_set_burst(poked->site, 1, i * SIM_S + 7);
    }
    fixture_run_until(poked, 100 * SIM_S);
    for (int i = 0; i < 99; i++)
        apart += plain->done_per_s[i] != poked->done_per_s[i];
    EXPECT(apart <= 1); /* a nanosecond of rounding at a poke may move one over a boundary */
    EXPECT_NEAR(plain->tally[0].done, poked->tally[0].done, 1);
}

/* Linear between points: over a whole period the mean factor is that of the trapezoids. */
static void test_curve_is_linear_between_its_points(void)
{
    static const SimTime at[] = {0, 10 * SIM_S, 30 * SIM_S};
    static const double factor[] = {1, 3, 0};
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{}"), .rate_per_s = 1000, .shares = {1}, .constant = true);
    double total = 0;

    f->workload.curve_at = at;
    f->workload.curve_factor = factor;
    f->workload.curve_count = 3;
    f->workload.curve_period_ns = 40 * SIM_S;
    fixture_renew_site(f);
    fixture_start(f);
    fixture_run_until(f, 41 * SIM_S);
    for (int i = 0; i < 40; i++)
        total += (double)f->done_per_s[i];
    EXPECT_NEAR(total, 1000 * (20 + 30 + 5), 2);
    EXPECT_NEAR(f->done_per_s[0], 1100, 1);
    EXPECT_NEAR(f->done_per_s[9], 2900, 1);
    EXPECT_NEAR(f->done_per_s[20], 1500 - 75, 1);
    EXPECT_NEAR(f->done_per_s[39], 950, 1);
}

/* Shares of the mix, and the system of record touches no member. */
static void test_mix_follows_its_shares(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{}"), .rate_per_s = 1000, .shares = {6, 2, 1, 1}, .clients = 5);
    double all = 0;

    fixture_start(f);
    fixture_run_until(f, 100 * SIM_S);
    for (int i = 0; i < FAMILY_ALL; i++)
        all += (double)f->tally[i].done;
    EXPECT_NEAR((double)f->tally[FAMILY_READ].done / all, 0.6, 0.008);
    EXPECT_NEAR((double)f->tally[FAMILY_WRITE].done / all, 0.2, 0.006);
    EXPECT_NEAR((double)f->tally[FAMILY_RECORD].done / all, 0.1, 0.005);
    EXPECT_INT(f->tally[FAMILY_RECORD].by_member[3], f->tally[FAMILY_RECORD].done);
    EXPECT_INT(site_counts(f->site).done, f->tally[0].done + f->tally[1].done + f->tally[2].done);
    EXPECT_INT(site_counts(f->site).ok, site_counts(f->site).done);
    EXPECT_INT(f->members[1].request_count, 0);
}

/* Common random numbers: another policy and a fault change answers, never what is asked, when and
 * by whom. */
static void test_arrivals_do_not_depend_on_routing_or_faults(void)
{
    static const char *const routings[] = {PIN("{}"), PIN(THREE_TRIES), "{\"preset\": \"jedis\"}",
                                           DNS("30s")};
    uint64_t arrivals = 0;

    for (int i = 0; i < 4; i++) {
        g_autoptr(Fixture) f =
            fixture(.routing = routings[i], .rate_per_s = 50, .shares = {2, 1, 1}, .clients = 7);

        fixture_start(f);
        fixture_run_until(f, 50 * SIM_S);
        if (i > 0)
            fixture_silence(f, 0, 50 * SIM_S);
        fixture_run_until(f, 150 * SIM_S);
        site_set_burst(f->site, 0, 150 * SIM_S); /* nobody new: let all that is in hand end */
        fixture_run_until(f, 300 * SIM_S);
        EXPECT_INT(site_counts(f->site).in_flight, 0);
        if (i > 0)
            EXPECT(f->arrivals == arrivals);
        arrivals = f->arrivals;
    }
}

/* 1 s, 100 ms, 1 s, 100 ms, 1 s; an increment is too dangerous to send twice. */
static void test_silence_is_retried_up_to_the_class(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN(THREE_TRIES), .rate_per_s = 20, .shares = {1, 1, 1});

    fixture_silence(f, 0, 0);
    fixture_start(f);
    fixture_run_until(f, 20 * SIM_S);
    site_set_burst(f->site, 0, 20 * SIM_S);
    fixture_run_until(f, 30 * SIM_S);
    for (int i = 0; i < 3; i++) {
        EXPECT(f->tally[i].done > 50);
        EXPECT_INT(f->tally[i].by_outcome[OUTCOME_TIMEOUT], f->tally[i].done);
    }
    EXPECT_INT(f->tally[FAMILY_READ].last_latency_ns, 3200 * SIM_MS);
    EXPECT_INT(f->tally[FAMILY_WRITE].attempts, 3 * f->tally[FAMILY_WRITE].done);
    EXPECT_INT(f->tally[FAMILY_COUNTER].attempts, f->tally[FAMILY_COUNTER].done);
    EXPECT_INT(f->tally[FAMILY_COUNTER].last_latency_ns, SIM_S);
}

/* A refusal comes back after the round trip and needs no timeout. */
static void test_refusal_is_known_after_a_round_trip(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{\"attempts\": 2, \"timeout\": \"1s\", \"backoff\": \"5ms\"}"),
                .rate_per_s = 20, .shares = {1});

    f->members[0].is_refusing = true;
    fixture_start(f);
    fixture_run_until(f, 20 * SIM_S);
    EXPECT(f->tally[0].done > 300);
    EXPECT_INT(f->tally[0].by_outcome[OUTCOME_REFUSED], f->tally[0].done);
    EXPECT_INT(f->tally[0].last_latency_ns, 65 * SIM_MS);
}

/* Nobody is believed to be well: an attempt ends as it begins, and the retry waits as after any
 * other failure. */
static void test_without_an_endpoint_attempts_are_refused_at_once(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = "{\"detect\": {\"kind\": \"ping-all\", \"probes\": 1}, \"retry\": "
                           "{\"attempts\": 2, \"timeout\": \"1s\", \"backoff\": \"100ms\"}}",
                .rate_per_s = 20, .shares = {1}, .clients = 5);

    fixture_start(f);
    for (uint32_t i = 0; i < 3; i++)
        fixture_silence(f, i, 0);
    fixture_run_until(f, 30 * SIM_S);
    EXPECT(f->tally[0].by_outcome[OUTCOME_REFUSED] > 300);
    EXPECT_INT(f->tally[0].by_outcome[OUTCOME_OK], 0);
    EXPECT_INT(f->tally[0].last_latency_ns, 100 * SIM_MS);
    EXPECT_INT(f->tally[0].attempts, 2 * f->tally[0].done);
}

/* A retry is drawn again from the operation's number; it is the same operation. */
static void test_a_retry_asks_what_the_first_attempt_did(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{\"attempts\": 2, \"timeout\": \"1s\", \"backoff\": \"5ms\"}"),
                .rate_per_s = 20, .shares = {1, 1});
    uint64_t done;

    f->members[0].is_refusing = true;
    fixture_start(f);
    fixture_run_until(f, 20 * SIM_S);
    EXPECT(f->members[0].asked != 0); /* some second attempts are under way */
    site_set_burst(f->site, 0, 20 * SIM_S);
    fixture_run_until(f, 22 * SIM_S);
    done = f->tally[FAMILY_READ].done + f->tally[FAMILY_WRITE].done;
    EXPECT(done > 300);
    EXPECT_INT(f->members[0].request_count, 2 * done);
    EXPECT(f->members[0].asked == 0);
}

/* The member is slower than the client is patient: each attempt is applied, only the last answer
 * could count. */
static void test_writes_applied_twice_are_duplicates(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN(THREE_TRIES), .rate_per_s = 10, .shares = {0, 1, 1});
    uint64_t writes;

    f->members[0].service_ns = 1500 * SIM_MS;
    fixture_start(f);
    fixture_run_until(f, 50 * SIM_S);
    site_set_burst(f->site, 0, 50 * SIM_S);
    fixture_run_until(f, 60 * SIM_S);
    writes = f->tally[FAMILY_WRITE].done;
    EXPECT(writes > 150);
    EXPECT_INT(f->tally[FAMILY_WRITE].by_outcome[OUTCOME_TIMEOUT], writes);
    EXPECT_INT(f->members[0].write_count, 3 * writes + f->tally[FAMILY_COUNTER].done);
    EXPECT_INT(f->duplicate_count, 2 * writes);
}

/* Answers under way when the member is cut off never arrive. */
static void test_answers_of_a_lost_member_are_lost(void)
{
    g_autoptr(Fixture) f = fixture(.routing = PIN("{\"timeout\": \"500ms\"}"), .rate_per_s = 100,
                                   .shares = {1}, .constant = true);

    fixture_start(f);
    fixture_run_until(f, 10 * SIM_S);
    fixture_silence(f, 0, 10 * SIM_S);
    f->members[0].is_silent = false; /* well again at once, but connections broke */
    fixture_run_until(f, 12 * SIM_S);
    EXPECT_NEAR(f->tally[0].by_outcome[OUTCOME_TIMEOUT], 2, 1); /* half a round trip's worth */
    EXPECT(f->tally[0].by_outcome[OUTCOME_OK] > 1190);
}

typedef struct {
    double mean_s, max_s, min_s;
    uint64_t count;
} Failover;

static Failover fail_over(const char *routing, uint32_t clients, SimTime wait_ns)
{
    g_autoptr(Fixture) f = fixture(.routing = routing, .rate_per_s = 20.0 * clients, .shares = {1},
                                   .clients = clients);

    fixture_start(f);
    fixture_run_until(f, 100 * SIM_S);
    fixture_silence(f, 0, 100 * SIM_S);
    fixture_run_until(f, 100 * SIM_S + wait_ns);
    EXPECT_INT(f->failover_count, clients);
    return (Failover){.mean_s = (double)f->failover_sum_ns / 1e9 / clients,
                      .max_s = (double)f->failover_max_ns / 1e9,
                      .min_s = (double)f->failover_min_ns / 1e9,
                      .count = f->failover_count};
}

/* Detection 39 to 49 s (one phase for all, the manager is shared), up to a TTL more, then one
 * timeout: the time an answer has left is uniform over its TTL. */
static void test_dns_failover_stays_within_its_closed_form(void)
{
    Failover failover = fail_over(DNS("30s"), 200, 120 * SIM_S);

    EXPECT(failover.min_s >= 39);
    EXPECT(failover.max_s <= 79 + 1 + 0.3);
    EXPECT_NEAR(failover.max_s - failover.min_s, 30, 2.5);
    failover = fail_over(DNS("300s"), 100, 400 * SIM_S);
    EXPECT(failover.max_s <= 349 + 1 + 0.3);
    EXPECT_NEAR(failover.max_s - failover.min_s, 300, 15);
}

/* phi + T per client, then the switch is at once; the next operation succeeds. */
static void test_ping_all_failover_stays_within_its_closed_form(void)
{
    Failover failover = fail_over(
        "{\"detect\": {\"kind\": \"ping-all\", \"probes\": 1}, \"retry\": {\"timeout\": \"1s\"}}",
        300, 20 * SIM_S);

    EXPECT(failover.min_s >= 1);
    EXPECT(failover.max_s <= 6 + 0.5);
    EXPECT_NEAR(failover.mean_s, 3.5 + 0.15,
                0.3); /* a round trip of 100 ms and the wait for an operation */
}

/* The first probe's timeout falls due while the second is under way: 0.99 s to 1.02 s after the
 * check began. */
static void test_a_probe_outlives_the_timeout_of_the_one_before(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = "{\"detect\": {\"kind\": \"ping-all\", \"delay\": \"960ms\"}}",
                .rate_per_s = 50, .shares = {1}, .clients = 5);

    fixture_start(f);
    fixture_run_until(f, 60 * SIM_S);
    EXPECT_INT(f->switch_count, 0);
    EXPECT_NEAR(f->members[0].probe_count, 5 * 3 * 60 / 5, 15);
    EXPECT_INT(f->tally[0].by_member[0], f->tally[0].done);
}

static void test_pinned_clients_wait_for_their_home(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = PIN("{}"), .rate_per_s = 50, .shares = {1}, .clients = 4);

    fixture_start(f);
    fixture_run_until(f, 10 * SIM_S);
    fixture_silence(f, 0, 10 * SIM_S);
    fixture_run_until(f, 60 * SIM_S);
    f->members[0].is_silent = false;
    fixture_run_until(f, 70 * SIM_S);
    EXPECT_INT(f->failover_count, 0);
    EXPECT_INT(f->tally[0].by_member[1] + f->tally[0].by_member[2], 0);
    EXPECT(f->tally[0].by_outcome[OUTCOME_TIMEOUT] > 2300);
    EXPECT_INT(site_client_endpoint(f->site, 0), 0);
}

/* The lever works for every policy, also for one that knows its home alone. */
static void test_redirect_moves_everybody_at_once(void)
{
    static const char *const routings[] = {PIN("{}"), "{}", DNS("30s"), "{\"preset\": \"jedis\"}"};

    for (int i = 0; i < 4; i++) {
        g_autoptr(Fixture) f =
            fixture(.routing = routings[i], .rate_per_s = 100, .shares = {1}, .clients = 10);
        uint64_t before;

        fixture_start(f);
        fixture_run_until(f, 10 * SIM_S);
        site_redirect(f->site, 0, i == 0 ? 2 : -1);
        before = f->members[0].request_count;
        fixture_run_until(f, 20 * SIM_S);
        EXPECT(f->members[0].request_count - before <= 3); /* those under way */
        EXPECT_INT(f->switch_count, 10);
        for (uint32_t j = 0; j < 10; j++)
            EXPECT_INT(site_client_endpoint(f->site, j), i == 0 ? 2 : 1);
        EXPECT_INT(f->tally[0].by_outcome[OUTCOME_OK], f->tally[0].done);
    }
}

/* One after another, evenly: after half the time half of them are back. */
static void test_restore_brings_clients_back_over_its_time(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = DNS("30s"), .rate_per_s = 500, .shares = {1}, .clients = 100);
    uint32_t home = 0;

    fixture_start(f);
    fixture_run_until(f, 10 * SIM_S);
    site_redirect(f->site, 0, -1);
    fixture_run_until(f, 60 * SIM_S);
    EXPECT_INT(f->switch_count, 100);
    site_restore(f->site, 0, 60 * SIM_S, 100 * SIM_S);
    fixture_run_until(f, 110 * SIM_S - 1);
    for (uint32_t i = 0; i < 100; i++)
        home += site_client_endpoint(f->site, i) == 0;
    EXPECT_INT(home, 50);
    fixture_run_until(f, 200 * SIM_S);
    EXPECT_INT(f->switch_count, 200);
    EXPECT_INT(f->last_switch_ns, 159 * SIM_S);
    EXPECT_INT(f->tally[0].by_outcome[OUTCOME_OK], f->tally[0].done);
}

/* A second redirect stops a restore that is under way. */
static void test_redirect_stops_a_restore(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = "{}", .rate_per_s = 500, .shares = {1}, .clients = 10);

    fixture_start(f);
    fixture_run_until(f, 10 * SIM_S);
    site_redirect(f->site, 0, -1);
    fixture_run_until(f, 20 * SIM_S);
    site_restore(f->site, 0, 20 * SIM_S, 10 * SIM_S);
    fixture_run_until(f, 25 * SIM_S);
    site_redirect(f->site, 0, -1);
    fixture_run_until(f, 40 * SIM_S);
    for (uint32_t i = 0; i < 10; i++)
        EXPECT_INT(site_client_endpoint(f->site, i), 1);
}

static bool keep_hot_and_a_fourth(void *context, uint64_t rank)
{
    (void)context;
    return rank < 100 || rank % 4 == 0;
}

/* One family whole, of the other 100 keys and a fourth of the remaining 900: the stream carries
 * what is kept at its own rate, and the weights make up for the rest. */
static void test_slice_thins_to_the_kept_share(void)
{
    static const PluginChoice uniform = {0};
    g_autoptr(Fixture) f = fixture(.routing = PIN("{}"), .rate_per_s = 1000, .shares = {1, 1});
    g_autoptr(Popularity) popularity = popularity_new(
        &(PopularityConfig){.choice = &uniform, .key_count = 1000, .keep = keep_hot_and_a_fourth});
    double kept = 0.5 + 0.5 * (100 + 225) / 1000;

    f->families[FAMILY_WRITE].popularity = popularity;
    f->families[FAMILY_WRITE].kept_count = popularity_kept_count(popularity);
    f->families[FAMILY_WRITE].hot_count = 100;
    f->families[FAMILY_WRITE].weight = 4;
    fixture_renew_site(f);
    fixture_start(f);
    fixture_run_until(f, 200 * SIM_S);
    EXPECT_NEAR(site_kept_share(f->site), kept, 1e-9);
    EXPECT_NEAR(f->tally[0].done + f->tally[1].done, 200 * 1000 * kept, 1600);
    EXPECT_NEAR(f->tally[FAMILY_WRITE].done, 200 * 162.5, 800);
    EXPECT_NEAR(f->tally[FAMILY_WRITE].weighted, 200 * 500, 2400);
    EXPECT_INT(site_counts(f->site).done, f->tally[0].weighted + f->tally[1].weighted);
}

/* The same bits however the run is cut, in threads or not. */
static void test_cuts_and_threads_are_invisible(void)
{
    uint64_t expected = 0;

    for (uint32_t i = 0; i < 3; i++) {
        g_autoptr(Fixture) f =
            fixture(.routing = DNS("10s"), .rate_per_s = 200, .shares = {1, 1, 1}, .clients = 20,
                    .threads = i == 2 ? 2 : 1);
        Rng rng = rng_stream(1, "test/cuts");
        Digest digest = digest_begin();

        fixture_start(f);
        for (SimTime at_ns = 0; i > 0 && at_ns < 20 * SIM_S;
             at_ns += (SimTime)rng_below(&rng, SIM_S / 10))
            fixture_run_until(f, at_ns);
        fixture_run_until(f, 20 * SIM_S);
        fixture_silence(f, 0, 20 * SIM_S);
        fixture_run_until(f, 120 * SIM_S);
        site_digest(f->site, &digest);
        traffic_manager_digest(f->manager, &digest);
        if (i > 0)
            EXPECT(digest.value == expected);
        expected = digest.value;
    }
}

static const TestCase cases[] = {
    TEST(test_poisson_arrivals_have_their_rate),
    TEST(test_constant_arrivals_are_evenly_spaced),
    TEST(test_bursts_change_the_rate_at_their_instants),
    TEST(test_a_burst_of_one_changes_nothing),
    TEST(test_curve_is_linear_between_its_points),
    TEST(test_mix_follows_its_shares),
    TEST(test_arrivals_do_not_depend_on_routing_or_faults),
    TEST(test_silence_is_retried_up_to_the_class),
    TEST(test_refusal_is_known_after_a_round_trip),
    TEST(test_without_an_endpoint_attempts_are_refused_at_once),
    TEST(test_a_retry_asks_what_the_first_attempt_did),
    TEST(test_writes_applied_twice_are_duplicates),
    TEST(test_answers_of_a_lost_member_are_lost),
    TEST(test_dns_failover_stays_within_its_closed_form),
    TEST(test_ping_all_failover_stays_within_its_closed_form),
    TEST(test_a_probe_outlives_the_timeout_of_the_one_before),
    TEST(test_pinned_clients_wait_for_their_home),
    TEST(test_redirect_moves_everybody_at_once),
    TEST(test_restore_brings_clients_back_over_its_time),
    TEST(test_redirect_stops_a_restore),
    TEST(test_slice_thins_to_the_kept_share),
    TEST(test_cuts_and_threads_are_invisible),
};
TEST_MAIN("site", cases)
