#include "models/geo/link.h"

#include "tests/sim/choice.h"
#include "tests/test.h"

static Link *constant_link(const Dist *delay, uint64_t rate)
{
    LinkConfig config = {.name = "us>eu",
                         .from_id = 1,
                         .to_id = 2,
                         .delay = delay,
                         .jitter_every_ns = 10 * SIM_S,
                         .rate_bytes_per_s = rate,
                         .seed = 1};

    return link_new(&config);
}

static LinkEntry take(Link *link)
{
    Clock clock;
    const LinkEntry *entry = link_take(link, &clock);

    EXPECT_FATAL(entry != NULL);
    return *entry;
}

/* Nothing is seen before the window ends; then everything, in order. */
static void test_entries_appear_when_published(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    g_autoptr(Link) link = constant_link(delay, 0);

    for (uint64_t seq = 1; seq <= 1000; seq++)
        link_send_effect(link, (SimTime)seq, NULL, seq, 100);
    EXPECT_INT(link_peek_ns(link), SIM_TIME_NEVER);
    EXPECT_INT(link_in_flight(link), 1000);
    link_publish(link);
    EXPECT_INT(link_peek_ns(link), 40 * SIM_MS + 1);
    EXPECT_INT(link_ahead(link, 999)->seq, 1000);
    EXPECT(link_ahead(link, 1000) == NULL);
    for (uint64_t seq = 1; seq <= 1000; seq++)
        EXPECT_INT(take(link).seq, seq);
    EXPECT_INT(link_in_flight(link), 0);
    EXPECT_INT(link_carried_bytes(link), 100000);
}

/* Whatever is sent, published, taken and lost in turn: what is taken is what was published, each
 * once and in order, and what lies ahead is what will come. */
static void test_random_traffic_keeps_its_order(void)
{
    g_autoptr(Dist) delay = dist_new_constant(SIM_MS);
    g_autoptr(Link) link = constant_link(delay, 0);
    Rng rng = rng_stream(1, "test/link");
    uint64_t sent = 0, published = 0, taken = 0;

    for (long i = test_count(500, 20000); i > 0; i--) {
        for (uint64_t n = rng_below(&rng, 900); n > 0; n--, sent++)
            link_send_effect(link, (SimTime)sent, NULL, sent + 1, 80);
        if (rng_below(&rng, 50) == 0) {
            link_clear(link);
            published = taken = sent;
        }
        if (rng_below(&rng, 2) == 0) {
            link_publish(link);
            published = sent;
        }
        for (uint64_t n = rng_below(&rng, 1200); n > 0 && taken < published; n--) {
            uint64_t far = rng_below(&rng, published - taken);

            EXPECT_INT(link_ahead(link, (uint32_t)far)->seq, taken + 1 + far);
            EXPECT_INT(link_peek_ns(link), (SimTime)taken + SIM_MS);
            EXPECT_INT(take(link).seq, ++taken);
        }
        EXPECT_INT(link_in_flight(link), sent - taken);
        EXPECT_INT(link_peek_ns(link),
                   taken < published ? (SimTime)taken + SIM_MS : SIM_TIME_NEVER);
    }
}

static void test_clocks_travel_with_their_entries(void)
{
    g_autoptr(Dist) delay = dist_new_constant(SIM_MS);
    g_autoptr(Link) link = constant_link(delay, 0);
    Clock clock = {0};

    for (uint64_t i = 1; i <= 100; i++) {
        clock.seq[3] = i;
        link_send_effect(link, 0, NULL, i, 80);
        link_send_clock(link, 0, LINK_HEARTBEAT, &clock, 80);
        if (i % 7 == 0)
            link_publish(link);
    }
    link_publish(link);
    for (uint64_t i = 1; i <= 100; i++) {
        EXPECT_INT(take(link).kind, LINK_EFFECT);
        EXPECT_FATAL(link_take(link, &clock) != NULL);
        EXPECT_INT(clock.seq[3], i);
    }
}

static Dist *uniform_delay(Arena *arena, SimTime min_ns, SimTime max_ns)
{
    PluginChoice choice = choice_make(arena, &dist_time_family, "uniform");

    choice_set_int(&choice, "min", min_ns);
    choice_set_int(&choice, "max", max_ns);
    return dist_new(&choice);
}

/* The delay is constant for ten seconds, differs between them, and an entry never overtakes
 * another. */
static void test_delay_wanders_but_order_holds(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) delay = uniform_delay(arena, 10 * SIM_MS, 90 * SIM_MS);
    g_autoptr(Link) link = constant_link(delay, 0);
    SimTime last_ns = 0;
    uint64_t count = 0;
    int changes = 0;

    for (SimTime now = 0; now < 200 * SIM_S; now += 7 * SIM_MS)
        link_send_effect(link, now, NULL, ++count, 80);
    link_publish(link);
    for (SimTime now = 0; now < 200 * SIM_S; now += 7 * SIM_MS) {
        LinkEntry entry = take(link);
        SimTime expected = MAX(now + link_delay_ns(link, now), last_ns);

        EXPECT_INT(entry.at_ns, expected);
        last_ns = entry.at_ns;
    }
    for (SimTime now = 10 * SIM_S; now < 200 * SIM_S; now += 10 * SIM_S) {
        changes += link_delay_ns(link, now) != link_delay_ns(link, now - 1);
        EXPECT_INT(link_delay_ns(link, now), link_delay_ns(link, now + 9 * SIM_S));
    }
    EXPECT_INT(changes, 19);
}

/* The draw of an interval depends on nothing but its number: silence and partitions do not shift
 * it. */
static void test_delay_of_an_interval_is_keyed(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) delay = uniform_delay(arena, 10 * SIM_MS, 90 * SIM_MS);
    g_autoptr(Link) busy = constant_link(delay, 0);
    g_autoptr(Link) idle = constant_link(delay, 0);

    for (SimTime now = 0; now < 100 * SIM_S; now += SIM_S)
        link_send_effect(busy, now, NULL, 1, 80);
    link_partition(idle);
    link_heal(idle);
    EXPECT_INT(link_delay_ns(busy, 95 * SIM_S), link_delay_ns(idle, 95 * SIM_S));
    EXPECT_INT(link_delay_ns(busy, 5 * SIM_S), link_delay_ns(idle, 5 * SIM_S));
}

/* A link of 1 MB/s takes 100 us for 100 B, and the next entry waits for it. */
static void test_bandwidth_adds_the_time_the_bytes_take(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    g_autoptr(Link) link = constant_link(delay, 1000000);

    link_send_effect(link, 0, NULL, 1, 100);
    link_send_effect(link, 0, NULL, 2, 100);
    link_send_effect(link, SIM_S, NULL, 3, 50);
    link_publish(link);
    EXPECT_INT(take(link).at_ns, 40 * SIM_MS + 100 * SIM_US);
    EXPECT_INT(take(link).at_ns, 40 * SIM_MS + 200 * SIM_US);
    EXPECT_INT(take(link).at_ns, SIM_S + 40 * SIM_MS + 50 * SIM_US);
}

static void test_compression_halves_time_and_bytes(void)
{
    g_autoptr(Dist) delay = dist_new_constant(0);
    LinkConfig config = {
        .name = "a>b", .delay = delay, .rate_bytes_per_s = 1000000, .compression_ratio = 0.5};
    g_autoptr(Link) link = link_new(&config);

    for (uint64_t i = 0; i < 1000; i++)
        link_send_effect(link, 0, NULL, i + 1, 101);
    link_publish(link);
    for (int i = 0; i < 999; i++)
        take(link);
    EXPECT_NEAR(take(link).at_ns, 50500 * SIM_US, SIM_US);
    EXPECT_INT(link_carried_bytes(link), 50500);
}

static void test_partition_loses_what_is_in_flight(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    g_autoptr(Link) link = constant_link(delay, 0);

    link_send_effect(link, 0, NULL, 1, 100);
    link_publish(link);
    link_send_effect(link, 1, NULL, 2, 100);
    link_partition(link);
    link_partition(link);
    link_send_effect(link, 2, NULL, 3, 100);
    link_heal(link);
    EXPECT(link_is_partitioned(link));
    link_heal(link);
    EXPECT(!link_is_partitioned(link));
    link_publish(link);
    EXPECT_INT(link_peek_ns(link), SIM_TIME_NEVER);
    link_send_effect(link, 3, NULL, 4, 100);
    link_publish(link);
    EXPECT_INT(take(link).seq, 4);
}

static void test_added_delay_and_loss_shape_the_delay(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    LinkConfig config = {.name = "a>b", .delay = delay, .loss = 0.2};
    g_autoptr(Link) lossy = link_new(&config);
    g_autoptr(Link) link = constant_link(delay, 0);

    EXPECT_INT(link_delay_ns(lossy, 0), 60 * SIM_MS); /* a quarter more sends, a round trip each */
    link_add_delay(link, 5 * SIM_MS, 3);
    EXPECT_INT(link_delay_ns(link, 0), 125 * SIM_MS);
    EXPECT_INT(link_delay_min_ns(link), 125 * SIM_MS);
    link_add_delay(link, 0, 1);
    EXPECT_INT(link_delay_ns(link, 0), 40 * SIM_MS);
}

static const TestCase cases[] = {
    TEST(test_entries_appear_when_published),
    TEST(test_random_traffic_keeps_its_order),
    TEST(test_clocks_travel_with_their_entries),
    TEST(test_delay_wanders_but_order_holds),
    TEST(test_delay_of_an_interval_is_keyed),
    TEST(test_bandwidth_adds_the_time_the_bytes_take),
    TEST(test_compression_halves_time_and_bytes),
    TEST(test_partition_loses_what_is_in_flight),
    TEST(test_added_delay_and_loss_shape_the_delay),
};
TEST_MAIN("link", cases)
