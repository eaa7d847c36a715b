/* Clients before real members: what is asked is executed, what is acknowledged is there, and it
 * reaches the others.
 */
#include "models/clients/site.h"
#include "tests/models/geo_fixture.h"

typedef struct {
    GeoFixture *geo;
    Arena *arena;
    RoutingConfig routing;
    const Dist *rtt[2];
    Dist *near, *far;
    OpConfig ops[2];
    MixConfig mix;
    WorkloadConfig workload;
    SiteConfig config;
    Site *site;
    uint64_t acked_writes, ok, failed, duplicates, failovers;
    uint64_t by_member[2];
    SimTime latency_max_ns;
} Shop;

static void hear_op(void *actor, const OpFact *fact)
{
    Shop *shop = actor;

    if (fact->outcome != OUTCOME_OK) {
        shop->failed++;
        return;
    }
    shop->ok++;
    shop->by_member[fact->member_index]++;
    shop->acked_writes += fact->dot != 0;
    shop->latency_max_ns = MAX(shop->latency_max_ns, fact->end_ns - fact->start_ns);
}

static void hear_client(void *actor, const ClientFact *fact)
{
    Shop *shop = actor;

    shop->duplicates += fact->kind == CLIENT_DUPLICATE;
    shop->failovers += fact->kind == CLIENT_FAILOVER;
}

static void free_doc(void *doc)
{
    json_doc_free(doc);
}

static void shop_parse(Shop *shop, const char *routing)
{
    JsonDoc *doc = json_parse("routing.json", routing, strlen(routing), NULL);

    EXPECT_FATAL(doc != NULL);
    arena_own(shop->arena, doc, free_doc);
    EXPECT_FATAL(routing_parse(json_root(doc), shop->arena, &shop->routing, NULL));
}

/* One site in the first member's region, half reads and half writes, 500 a second. */
static Shop *shop_new(const char *routing)
{
    Shop *shop = g_new0(Shop, 1);

    shop->geo = geo_new(&(GeoOptions){.members = 2, .delay_ns = 40 * SIM_MS, .ops_per_s = 100000});
    shop->arena = arena_new();
    shop_parse(shop, routing);
    shop->rtt[0] = shop->near = dist_new_constant(10 * SIM_MS);
    shop->rtt[1] = shop->far = dist_new_constant(100 * SIM_MS);
    shop->ops[0] = (OpConfig){.spec = command_find("GET", 3), .share = 1};
    shop->ops[1] = (OpConfig){.spec = command_find("SET", 3), .share = 1};
    shop->mix =
        (MixConfig){.family = &shop->geo->family, .share = 1, .ops = shop->ops, .op_count = 2};
    shop->workload =
        (WorkloadConfig){.name = "load", .rate_per_s = 500, .mix = &shop->mix, .mix_count = 1};
    shop->config = (SiteConfig){
        .name = "shop",
        .place = member_place(shop->geo->members[1]),
        .source = 1024,
        .seed = 1,
        .client_count = 20,
        .members = shop->geo->members + 1,
        .member_count = 2,
        .rtt = shop->rtt,
        .routing = &shop->routing,
        .workloads = &shop->workload,
        .workload_count = 1,
        .listener = {hear_op, hear_client, shop},
    };
    shop->site = site_new(&shop->config);
    site_start(shop->site);
    return shop;
}

static void shop_free(Shop *shop)
{
    site_free(shop->site);
    geo_free(shop->geo);
    dist_free(shop->near);
    dist_free(shop->far);
    arena_free(shop->arena);
    g_free(shop);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shop, shop_free)

static void test_acknowledged_writes_reach_the_other_member(void)
{
    g_autoptr(Shop) shop = shop_new("{}");

    geo_run(shop->geo, 20 * SIM_S);
    site_set_burst(shop->site, 0, 20 * SIM_S);
    geo_run(shop->geo, 25 * SIM_S);
    EXPECT_NEAR(shop->ok, 10000, 400);
    EXPECT_INT(shop->failed, 0);
    EXPECT_NEAR(shop->acked_writes, shop->ok / 2, 200);
    EXPECT_INT(geo_seq(shop->geo, 2, 1), shop->acked_writes);
    EXPECT(shop->latency_max_ns >= 10 * SIM_MS && shop->latency_max_ns < 11 * SIM_MS);
    EXPECT(geo_converged(shop->geo));
}

/* Isolated for 30 s: the clients go to the other member within phi + T and a timeout, and come home
 * after the grace; every acknowledged write is at both in the end. */
static void test_isolated_members_clients_go_and_come_back(void)
{
    g_autoptr(Shop) shop = shop_new(
        "{\"select\": \"priority\", \"detect\": {\"kind\": \"ping-all\", \"grace\": \"40s\"},"
        " \"retry\": {\"attempts\": 3, \"timeout\": \"1s\"}}");

    geo_run(shop->geo, 20 * SIM_S);
    EXPECT_INT(shop->by_member[1], 0);
    geo_isolate(shop->geo, 1, true);
    member_set_reachable(shop->geo->members[1], false);
    site_note_fault(shop->site, 0, 20 * SIM_S);
    geo_run(shop->geo, 28 * SIM_S);
    EXPECT_INT(shop->failovers, 20);
    EXPECT_INT(site_client_endpoint(shop->site, 3), 1);
    geo_run(shop->geo, 50 * SIM_S);
    geo_isolate(shop->geo, 1, false);
    member_set_reachable(shop->geo->members[1], true);
    geo_run(shop->geo, 80 * SIM_S);
    for (uint32_t i = 0; i < 20; i++)
        EXPECT_INT(site_client_endpoint(shop->site, i), 0);
    site_set_burst(shop->site, 0, 80 * SIM_S);
    geo_run(shop->geo, 100 * SIM_S);
    EXPECT_INT(site_counts(shop->site).in_flight, 0);
    EXPECT(geo_converged(shop->geo));
    EXPECT(geo_seq(shop->geo, 1, 1) + geo_seq(shop->geo, 1, 2) >= shop->acked_writes);
    EXPECT(shop->failed > 100 && shop->failed < 2500);
}

/* A crashed member refuses: known after a round trip, so nobody waits for a timeout. */
static void test_crashed_member_refuses_quickly(void)
{
    g_autoptr(Shop) shop = shop_new("{\"select\": \"pin\", \"retry\": {\"timeout\": \"5s\"}}");

    geo_run(shop->geo, 10 * SIM_S);
    member_crash(shop->geo->members[1]);
    geo_run(shop->geo, 14 * SIM_S);
    EXPECT_NEAR(shop->failed, 2000, 200);
    member_restart(shop->geo->members[1]);
    geo_run(shop->geo, 20 * SIM_S);
    EXPECT_INT(site_client_endpoint(shop->site, 0), 0);
    EXPECT_NEAR(shop->ok, 8000, 400);
}

static const TestCase cases[] = {
    TEST(test_acknowledged_writes_reach_the_other_member),
    TEST(test_isolated_members_clients_go_and_come_back),
    TEST(test_crashed_member_refuses_quickly),
};
TEST_MAIN("site with members", cases)
