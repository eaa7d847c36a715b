/* Stories about causal consistency. */
#include "tests/models/geo_fixture.h"

#include "sim/rng.h"

/* What member 1 wrote comes to 3 by way of 2 when the direct link is slow, and so comes before what
 * 2 wrote after seeing it; without the option it does not. */
static void test_causal_what_was_seen_comes_first(void)
{
    for (int causal = 0; causal < 2; causal++) {
        GeoOptions options = {.members = 3, .delay_ns = 40 * SIM_MS, .causal = causal == 1};
        g_autoptr(GeoFixture) f = geo_new(&options);

        link_add_delay(f->links[1][3], 2 * SIM_S, 1);
        geo_send(f, 1, 0, "SET", 7);
        geo_send(f, 2, 100 * SIM_MS, "SET", 7);
        geo_run(f, 80 * SIM_MS);
        EXPECT_INT(geo_seq(f, 2, 1), 1);
        EXPECT_INT(geo_seq(f, 3, 1), causal); /* 40 ms to 2 and 40 ms on */
        geo_run(f, 140 * SIM_MS);
        EXPECT_INT(geo_seq(f, 3, 2), 1);
        EXPECT_INT(geo_seq(f, 3, 1), causal);
        geo_run(f, 5 * SIM_S);
        EXPECT_INT(geo_seq(f, 3, 1), 1);
        EXPECT_INT(geo_count(f, 3, GEO_APPLY), 2); /* what comes twice is applied once */
        EXPECT(geo_converged(f));
    }
}

/* What everybody has by way of others may still be on its way on a slow link: its place in the log
 * is not used again before. */
static void test_causal_log_outlives_what_is_on_its_way(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 10 * SIM_MS, .causal = true};
    g_autoptr(GeoFixture) f = geo_new(&options);

    link_add_delay(f->links[1][3], 10 * SIM_S, 1);
    for (int i = 0; i < 5000; i++)
        geo_send(f, 1, i * SIM_MS, "SET", 7);
    geo_run(f, 9 * SIM_S);
    EXPECT_INT(geo_seq(f, 3, 1), 5000);
    EXPECT_INT(member_unacked_count(f->members[1], 3), 0);
    EXPECT(link_sent_count(f->links[1][3]) - link_seen_count(f->links[1][3]) > 5000);
    geo_run(f, 20 * SIM_S);
    EXPECT(link_sent_count(f->links[1][3]) - link_seen_count(f->links[1][3]) < 30);
    EXPECT_INT(geo_count(f, 3, GEO_APPLY), 5000);
    EXPECT(geo_converged(f));
}

/* On all links together. */
typedef struct {
    uint64_t direct, relayed, carried;
} Traffic;

static Traffic traffic_of(const GeoOptions *options, int writes)
{
    g_autoptr(GeoFixture) f = geo_new(options);
    Traffic traffic = {0};

    for (int i = 0; i < writes; i++)
        geo_send(f, 1, i * SIM_MS, "SET", 7);
    geo_run(f, 700 * SIM_MS);
    for (uint32_t a = 1; a <= options->members; a++) {
        for (uint32_t b = 1; b <= options->members; b++) {
            if (a == b)
                continue;
            traffic.direct += link_effect_bytes(f->links[a][b]);
            traffic.relayed += link_relay_bytes(f->links[a][b]);
            traffic.carried += link_carried_bytes(f->links[a][b]);
        }
    }
    return traffic;
}

/* Per write N - 1 messages without the option and, before anybody has reported, each of the N - 1
 * receivers passes it on to N - 2 others with it (crdt-semantics.md 1.8). */
static void test_causal_traffic_is_the_documented_factor(void)
{
    for (uint32_t members = 2; members <= MEMBER_MAX; members++) {
        GeoOptions options = {.members = members, .delay_ns = 10 * SIM_MS};
        Traffic quiet = traffic_of(&options, 0);
        Traffic plain = traffic_of(&options, 500);
        Traffic causal;
        double factor;

        options.causal = true;
        causal = traffic_of(&options, 500);
        factor = (double)causal.relayed / (double)causal.direct;
        EXPECT_INT(plain.direct, 500 * 180 * (members - 1));
        EXPECT_INT(plain.relayed, 0);
        EXPECT_INT(causal.direct, plain.direct);
        EXPECT_INT(causal.direct + causal.relayed, causal.carried - quiet.carried);
        /* Less where a heartbeat has said in time that its sender has the effect. */
        EXPECT(factor <= (double)(members - 2));
        EXPECT(factor >= 0.6 * (double)(members - 2));
    }
}

/* Every write's key by origin and seq, and whether some effect came before one it had seen. */
typedef struct {
    GArray *keys[MEMBER_MAX + 1];
    long broken;
} Seen;

static Seen *seen;

static void watch_order(GeoFixture *f, const GeoFact *fact)
{
    const Effect *effect = fact->effect;
    const Clock *clock;

    if (fact->kind == GEO_WRITE)
        g_array_append_val(seen->keys[fact->member_id], effect->key);
    if (fact->kind != GEO_APPLY)
        return;
    clock = store_clock(member_store(f->members[fact->member_id]));
    for (uint32_t id = 1; id <= f->options.members; id++)
        for (uint64_t seq = clock->seq[id] + 1; seq <= effect->ctx.seq[id]; seq++)
            seen->broken += g_array_index(seen->keys[id], uint64_t, seq - 1) == effect->key;
}

static void break_and_heal(GeoFixture *f, Rng *rng)
{
    uint32_t a = 1 + (uint32_t)rng_below(rng, f->options.members);
    uint32_t b = 1 + (uint32_t)rng_below(rng, f->options.members);

    if (a == b)
        return;
    switch (rng_below(rng, 4)) {
    case 0:
        link_partition(f->links[a][b]);
        break;
    case 1:
        link_add_delay(f->links[a][b], (SimTime)rng_below(rng, 3) * SIM_S, 1);
        break;
    default:
        while (link_is_partitioned(f->links[a][b]))
            link_heal(f->links[a][b]);
        break;
    }
}

static long orders_broken(uint64_t seed, bool causal)
{
    GeoOptions options = {.members = 3 + (uint32_t)(seed % 3),
                          .delay_ns = 20 * SIM_MS,
                          .causal = causal,
                          .seed = seed};
    g_autoptr(GeoFixture) f = geo_new(&options);
    Rng rng = rng_stream(seed, "causal");
    Seen own = {0};

    seen = &own;
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        own.keys[id] = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    f->watch = watch_order;
    for (int i = 0; i < 60; i++) {
        SimTime now_ns = i * 300 * SIM_MS;

        for (int k = 0; k < 4; k++)
            geo_send(f, 1 + (uint32_t)rng_below(&rng, options.members),
                     now_ns + (SimTime)rng_below(&rng, 300) * SIM_MS,
                     rng_below(&rng, 3) > 0 ? "SET" : "PUBLISH", rng_below(&rng, 3));
        break_and_heal(f, &rng);
        geo_run(f, now_ns + 300 * SIM_MS);
    }
    for (uint32_t a = 1; a <= options.members; a++)
        for (uint32_t b = 1; b <= options.members; b++)
            while (a != b && link_is_partitioned(f->links[a][b]))
                link_heal(f->links[a][b]);
    geo_run(f, 60 * SIM_S);
    EXPECT(geo_converged(f));
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        g_array_free(own.keys[id], TRUE);
    seen = NULL;
    return own.broken;
}

/* With links that break and are slow at random no effect comes before one on its key (no message
 * before one on its channel) that it had seen; the check can fire: without the option some do. */
static void test_causal_order_holds_with_broken_links(void)
{
    long without = 0;

    for (uint64_t seed = 1; seed <= (uint64_t)test_count(40, 1000); seed++) {
        long broken = orders_broken(seed, true);

        if (broken > 0)
            g_printerr("seed %" G_GUINT64_FORMAT ": %ld effects came too early\n", seed, broken);
        EXPECT_INT(broken, 0);
        without += orders_broken(seed, false);
    }
    EXPECT(without > 0);
}

/* A member that is cut off by force stops nobody's deliveries. */
static void test_causal_unlinked_member_is_not_waited_for(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 20 * SIM_MS, .causal = true};
    g_autoptr(GeoFixture) f = geo_new(&options);

    link_add_delay(f->links[1][3], 3600 * SIM_S, 1); /* 3 hears of 1 through 2 alone */
    link_partition(f->links[2][3]);
    geo_send(f, 1, 0, "SET", 7);
    geo_send(f, 2, 100 * SIM_MS, "SET", 7);
    geo_run(f, 5 * SIM_S);
    EXPECT_INT(geo_seq(f, 3, 2), 0);
    geo_isolate(f, 1, true);
    for (uint32_t id = 2; id <= 3; id++)
        member_unlink_peer(f->members[id], 1);
    link_heal(f->links[2][3]);
    geo_run(f, 20 * SIM_S);
    EXPECT_INT(geo_seq(f, 3, 2), 1);
}

/* What a member made after it cut another off is not passed on to that one, and need not be there
 * any more. */
static void test_causal_nothing_is_passed_on_from_who_cut_the_peer_off(void)
{
    GeoOptions options = {.members = 3, .delay_ns = 20 * SIM_MS, .causal = true};
    g_autoptr(GeoFixture) f = geo_new(&options);

    geo_isolate(f, 3, true);
    member_unlink_peer(f->members[1], 3);
    for (int i = 0; i < 5000; i++) /* more than a chunk of the log */
        geo_send(f, 1, i * SIM_MS, "SET", 7);
    geo_run(f, 10 * SIM_S);
    EXPECT_INT(geo_seq(f, 2, 1), 5000);
    link_heal(f->links[2][3]);
    link_heal(f->links[3][2]);
    geo_send(f, 2, 11 * SIM_S, "SET", 8);
    geo_run(f, 20 * SIM_S);
    EXPECT_INT(geo_seq(f, 3, 2), 1);
    EXPECT_INT(geo_seq(f, 3, 1), 0);
}

static const TestCase cases[] = {
    TEST(test_causal_what_was_seen_comes_first),
    TEST(test_causal_log_outlives_what_is_on_its_way),
    TEST(test_causal_traffic_is_the_documented_factor),
    TEST(test_causal_order_holds_with_broken_links),
    TEST(test_causal_unlinked_member_is_not_waited_for),
    TEST(test_causal_nothing_is_passed_on_from_who_cut_the_peer_off),
};
TEST_MAIN("causal", cases)
