/* Clients behind a traffic manager: when an answer moves them, and when it does not. */
#include "models/clients/client.h"
#include "tests/models/site_fixture.h"

#define THREE_TRIES                                                                                \
    "{\"attempts\": 3, \"timeout\": \"1s\", \"backoff\": \"100ms\", \"max_class\": \"lww\"}"
#define DNS(ttl)                                                                                   \
    "{\"preset\": \"traffic-manager-10s\", \"detect\": {\"kind\": \"dns-tm\", \"ttl\": \"" ttl     \
    "\"}, \"retry\": " THREE_TRIES "}"

/* routing.md section 6, 4: the traffic manager gives the member up, its probes alone being lost.
 * The client that loses its connection goes where the answer sends it. */
static void test_dns_switch_keeps_a_live_connection(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = DNS("5s"), .rate_per_s = 50, .shares = {1}, .clients = 3);

    fixture_start(f);
    fixture_run_until(f, 20 * SIM_S);
    EXPECT_INT(traffic_manager_healthy(f->manager), 7);
    f->members[0].ignores_probes = true;
    fixture_run_until(f, 200 * SIM_S);
    EXPECT_INT(traffic_manager_healthy(f->manager), 6);
    EXPECT_INT(f->switch_count, 0);
    EXPECT_INT(f->tally[0].by_member[0], f->tally[0].done);
    f->members[0].is_refusing = true;
    fixture_run_until(f, 201 * SIM_S);
    EXPECT_INT(f->switch_count, 3);
    EXPECT_INT(site_client_endpoint(f->site, 0), 1);
}

/* A resolver three seconds away: whoever lost its connection while the answer is being renewed
 * waits for it, and the second an attempt may take begins only then. */
static void test_waiting_for_dns_is_no_timeout(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = "{\"detect\": {\"kind\": \"dns-tm\", \"ttl\": \"5s\"}, \"retry\": "
                           "{\"timeout\": \"1s\"}}",
                .rate_per_s = 50, .shares = {1}, .clients = 4, .dns_rtt_ns = 3 * SIM_S);

    fixture_start(f);
    fixture_run_until(f, 20 * SIM_S);
    EXPECT_INT(f->tally[0].latency_max_ns, 30 * SIM_MS); /* a live connection waits for no answer */
    f->members[0].is_refusing = true;
    fixture_run_until(f, 60 * SIM_S);
    EXPECT_INT(f->tally[0].by_outcome[OUTCOME_TIMEOUT], 0);
    EXPECT(f->tally[0].latency_max_ns > 2900 * SIM_MS);
    EXPECT(f->tally[0].latency_max_ns <= 3030 * SIM_MS);
    EXPECT(f->tally[0].by_outcome[OUTCOME_REFUSED] > 1500);
}

/* While all seem degraded the manager answers as if all were healthy, and clients stay with the
 * nearest. */
static void test_all_degraded_counts_as_all_healthy(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = DNS("10s"), .rate_per_s = 20, .shares = {1}, .clients = 2);

    fixture_start(f);
    for (uint32_t i = 0; i < 3; i++)
        fixture_silence(f, i, 0);
    fixture_run_until(f, 100 * SIM_S);
    EXPECT_INT(traffic_manager_healthy(f->manager), 7);
    f->members[0].is_silent = false;
    fixture_run_until(f, 102 * SIM_S);
    EXPECT(f->tally[0].by_member[0] > 0);
}

/* How many clients' connections are to that member. */
static uint32_t connected_to(const Fixture *f, int32_t member)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < site_client_count(f->site); i++)
        count += site_client_endpoint(f->site, i) == member;
    return count;
}

static void fixture_recover(Fixture *f, uint32_t member)
{
    f->members[member].is_silent = false;
}

/* They go at 139 to 181 s and are back on the road home only when the connections they then opened
 * are five to ten minutes old: the answer names the home again from 340 s on and alone moves
 * nobody. */
static void test_dns_clients_fail_back_when_their_connections_end(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = DNS("30s"), .rate_per_s = 2000, .shares = {1}, .clients = 100);
    SimTime away_from_ns;

    fixture_start(f);
    fixture_run_until(f, 100 * SIM_S);
    fixture_silence(f, 0, 100 * SIM_S);
    fixture_run_until(f, 300 * SIM_S);
    EXPECT_INT(f->switch_count, 100);
    EXPECT_INT(connected_to(f, 1), 100);
    away_from_ns = f->first_switch_ns;
    EXPECT(away_from_ns >= 139 * SIM_S && f->last_switch_ns <= 181 * SIM_S);
    fixture_recover(f, 0);
    fixture_run_until(f, away_from_ns + CLIENT_LIFE_MAX_NS / 2 - 1);
    EXPECT_INT(traffic_manager_healthy(f->manager), 7);
    EXPECT_INT(connected_to(f, 1), 100);
    fixture_run_until(f, 160 * SIM_S + CLIENT_LIFE_MAX_NS * 3 / 4);
    EXPECT_NEAR(connected_to(f, 0), 50, 20); /* not all at once */
    fixture_run_until(f, 181 * SIM_S + CLIENT_LIFE_MAX_NS);
    EXPECT_INT(connected_to(f, 0), 100);
    fixture_run_until(f, 2000 * SIM_S);
    EXPECT_INT(f->switch_count, 200); /* there and back, once each */
    EXPECT_INT(f->failover_count, 100);
}

/* A life that ends before the recovery is known begins another at the same place: worst is a probe,
 * a TTL and a whole life after the recovery. */
static void test_dns_clients_fail_back_within_a_life_of_a_late_recovery(void)
{
    SimTime late_ns = 100 * SIM_S + 2 * CLIENT_LIFE_MAX_NS;
    g_autoptr(Fixture) f =
        fixture(.routing = DNS("30s"), .rate_per_s = 500, .shares = {1}, .clients = 50);

    fixture_start(f);
    fixture_run_until(f, 100 * SIM_S);
    fixture_silence(f, 0, 100 * SIM_S);
    fixture_run_until(f, late_ns);
    EXPECT_INT(f->switch_count, 50);
    EXPECT_INT(connected_to(f, 1), 50);
    fixture_recover(f, 0);
    fixture_run_until(f, late_ns + CLIENT_LIFE_MAX_NS / 2);
    EXPECT(connected_to(f, 1) > 0);
    fixture_run_until(f, late_ns + 10 * SIM_S + 30 * SIM_S + CLIENT_LIFE_MAX_NS + SIM_S);
    EXPECT_INT(connected_to(f, 0), 50);
    EXPECT_INT(f->switch_count, 100);
}

/* The traffic manager never failed a probe, so it always names the home; the operator's word holds
 * through every renewal, for the member taken out and only until it is put back. */
static void test_renewals_respect_a_redirect(void)
{
    g_autoptr(Fixture) f =
        fixture(.routing = DNS("30s"), .rate_per_s = 200, .shares = {1}, .clients = 20);

    fixture_start(f);
    fixture_run_until(f, 10 * SIM_S);
    site_redirect(f->site, 0, 2);
    fixture_run_until(f, 10 * SIM_S + 3 * CLIENT_LIFE_MAX_NS);
    EXPECT_INT(connected_to(f, 2), 20);
    EXPECT_INT(f->switch_count, 20);
    site_restore(f->site, 0, 10 * SIM_S + 3 * CLIENT_LIFE_MAX_NS, 60 * SIM_S);
    fixture_run_until(f, 70 * SIM_S + 3 * CLIENT_LIFE_MAX_NS);
    EXPECT_INT(connected_to(f, 0), 20);
    EXPECT_INT(f->switch_count, 40);
}

/* An answer three seconds on its way falls due often enough that some lives end while it is: they
 * end with the answer, and no operation waits for a renewal. */
static void test_renewals_during_a_query_wait_for_the_answer(void)
{
    g_autoptr(Fixture) f = fixture(.routing = DNS("5s"), .rate_per_s = 500, .shares = {1},
                                   .clients = 50, .dns_rtt_ns = 3 * SIM_S);

    fixture_start(f);
    fixture_run_until(f, 60 * SIM_S);
    f->members[0].ignores_probes = true; /* away for the traffic manager alone */
    f->tally[0].latency_max_ns = 0;      /* the very first operations did wait for an answer */
    fixture_run_until(f, 60 * SIM_S + CLIENT_LIFE_MAX_NS);
    EXPECT_INT(connected_to(f, 1), 50);
    EXPECT_INT(f->switch_count, 50);
    EXPECT_INT(f->tally[0].latency_max_ns, 100 * SIM_MS);
}

/* Common random numbers: clients that go and come back ask the same things at the same instants as
 * clients that never move. */
static void test_failing_back_shifts_no_arrival(void)
{
    static const char *const routings[] = {DNS("30s"), "{\"select\": \"pin\"}"};
    uint64_t arrivals[2];

    for (int i = 0; i < 2; i++) {
        g_autoptr(Fixture) f =
            fixture(.routing = routings[i], .rate_per_s = 50, .shares = {2, 1, 1}, .clients = 7);

        fixture_start(f);
        fixture_run_until(f, 50 * SIM_S);
        fixture_silence(f, 0, 50 * SIM_S);
        fixture_run_until(f, 200 * SIM_S);
        fixture_recover(f, 0);
        fixture_run_until(f, 1000 * SIM_S);
        site_set_burst(f->site, 0, 1000 * SIM_S); /* nobody new: let all that is in hand end */
        fixture_run_until(f, 1100 * SIM_S);
        EXPECT_INT(site_counts(f->site).in_flight, 0);
        EXPECT_INT(f->switch_count, i == 0 ? 14 : 0);
        arrivals[i] = f->arrivals;
    }
    EXPECT(arrivals[0] == arrivals[1]);
}

static const TestCase cases[] = {
    TEST(test_dns_switch_keeps_a_live_connection),
    TEST(test_waiting_for_dns_is_no_timeout),
    TEST(test_all_degraded_counts_as_all_healthy),
    TEST(test_dns_clients_fail_back_when_their_connections_end),
    TEST(test_dns_clients_fail_back_within_a_life_of_a_late_recovery),
    TEST(test_renewals_respect_a_redirect),
    TEST(test_renewals_during_a_query_wait_for_the_answer),
    TEST(test_failing_back_shifts_no_arrival),
};
TEST_MAIN("site dns", cases)
