#include "models/geo/link.h"

#include "tests/sim/choice.h"
#include "tests/test.h"

/* A link and the log it follows. */
typedef struct {
    EffectLog *log;
    Link *link;
} Fixture;

static Fixture fixture_new(const LinkConfig *config)
{
    Fixture f = {.log = effect_log_new(), .link = link_new(config)};
    LinkEnd end = {.actor = NULL};

    link_set_sender(f.link, &end, f.log);
    link_follow(f.link);
    return f;
}

static Fixture fixture_constant(const Dist *delay, uint64_t rate)
{
    LinkConfig config = {.name = "us>eu",
                         .from_id = 1,
                         .to_id = 2,
                         .delay = delay,
                         .jitter_every_ns = 10 * SIM_S,
                         .rate_bytes_per_s = rate,
                         .seed = 1};

    return fixture_new(&config);
}

static void fixture_free(Fixture *f)
{
    link_free(f->link);
    effect_log_free(f->log);
}

/* An effect whose key is its seq. */
static void send(const Fixture *f, SimTime now_ns, uint64_t bytes)
{
    uint64_t seq = effect_log_last_seq(f->log) + 1;
    Effect effect = {.dot = dot_make(1, seq), .key = seq, .op = EFFECT_ASSIGN};

    effect_log_append(f->log, &effect, now_ns, bytes);
}

static LinkEntry take(const Fixture *f)
{
    Clock clock;
    const LinkEntry *entry = link_take(f->link, &clock);

    EXPECT_FATAL(entry != NULL);
    return *entry;
}

static uint64_t in_flight(const Fixture *f)
{
    link_publish(f->link);
    return link_sent_count(f->link) - link_seen_count(f->link);
}

/* Nothing is seen before the window ends; then everything, in order, with what the log says. */
static void test_entries_appear_when_published(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    Fixture f = fixture_constant(delay, 0);

    for (SimTime now = 1; now <= 3000; now++)
        send(&f, now, 100);
    EXPECT_INT(link_peek_ns(f.link), SIM_TIME_NEVER);
    EXPECT(link_ahead(f.link, 0) == NULL);
    EXPECT_INT(link_carried_bytes(f.link), 300000);
    EXPECT_INT(in_flight(&f), 3000);
    EXPECT_INT(link_peek_ns(f.link), 40 * SIM_MS + 1);
    EXPECT_INT(link_ahead(f.link, 8)->key, 9);
    for (uint64_t seq = 1; seq <= 3000; seq++) {
        LinkEntry entry = take(&f);

        EXPECT_INT(entry.kind, LINK_EFFECT);
        EXPECT_INT(entry.seq, seq);
        EXPECT_INT(entry.sent_ns, (SimTime)seq);
        EXPECT_INT(entry.record->key, seq);
    }
    EXPECT(link_take(f.link, &(Clock){0}) == NULL);
    EXPECT(link_ahead(f.link, 0) == NULL);
    EXPECT_INT(in_flight(&f), 0);
    EXPECT_INT(link_carried_bytes(f.link), 300000);
    fixture_free(&f);
}

/* What random traffic is checked against: every entry on its own. */
typedef struct {
    uint64_t seq; /* 0: a clock */
    SimTime sent_ns, delay_ns;
} Expected;

typedef struct {
    Fixture f;
    Rng rng;
    GArray *sent; /* of Expected */
    guint published, taken;
    SimTime now_ns, delay_ns;
    SimTime last_ns; /* arrival */
} Traffic;

static void traffic_expect(Traffic *t, uint64_t seq)
{
    Expected expected = {seq, t->now_ns, t->delay_ns};

    g_array_append_val(t->sent, expected);
}

static void traffic_send(Traffic *t)
{
    Clock clock = {0};

    for (uint64_t n = rng_below(&t->rng, 900); n > 0; n--) {
        t->now_ns++;
        send(&t->f, t->now_ns, 80);
        if (link_follows(t->f.link))
            traffic_expect(t, effect_log_last_seq(t->f.log));
    }
    if (link_follows(t->f.link) && rng_below(&t->rng, 3) == 0) {
        clock.seq[1] = t->sent->len + 1;
        link_send_clock(t->f.link, t->now_ns, LINK_HEARTBEAT, &clock, 80);
        traffic_expect(t, 0);
    }
    if (link_follows(t->f.link) && rng_below(&t->rng, 9) == 0) {
        uint64_t last_seq = effect_log_last_seq(t->f.log);
        uint64_t from_seq = last_seq + 1 - rng_below(&t->rng, MIN(last_seq, 2000));

        link_resend(t->f.link, t->now_ns, from_seq);
        for (uint64_t seq = from_seq; seq <= last_seq; seq++)
            traffic_expect(t, seq);
    }
}

static void traffic_levers(Traffic *t)
{
    if (rng_below(&t->rng, 9) == 0) {
        t->delay_ns = SIM_MS * (SimTime)(1 + rng_below(&t->rng, 5));
        link_add_delay(t->f.link, t->delay_ns - SIM_MS, 1);
    }
    if (rng_below(&t->rng, 50) == 0) {
        link_close(t->f.link);
        t->published = t->taken = t->sent->len;
        t->last_ns = 0; /* nothing is on its way to be overtaken */
    }
    if (rng_below(&t->rng, 3) == 0)
        link_follow(t->f.link);
    if (rng_below(&t->rng, 2) == 0) {
        link_publish(t->f.link);
        t->published = t->sent->len;
    }
}

static void traffic_take(Traffic *t)
{
    const Expected *expected = &g_array_index(t->sent, Expected, t->taken++);
    const EffectRecord *ahead = link_ahead(t->f.link, 3);
    Clock clock;
    const LinkEntry *entry = link_take(t->f.link, &clock);

    EXPECT_FATAL(entry != NULL);
    t->last_ns = MAX(t->last_ns, expected->sent_ns + expected->delay_ns);
    EXPECT_INT(entry->at_ns, t->last_ns);
    EXPECT_INT(entry->sent_ns, expected->sent_ns);
    EXPECT_INT(entry->seq, expected->seq);
    EXPECT_INT(entry->kind, expected->seq > 0 ? LINK_EFFECT : LINK_HEARTBEAT);
    if (expected->seq > 0)
        EXPECT_INT(entry->record->key, expected->seq);
    else
        EXPECT_INT(clock.seq[1], t->taken);
    if (ahead) {
        EXPECT_FATAL(t->taken + 2 < t->published);
        EXPECT_INT(ahead->key, g_array_index(t->sent, Expected, t->taken + 2).seq);
    }
}

/* Whatever is sent, sent again, delayed, published, taken and lost in turn: what is taken is what
 * was published, each once, in order and with the delay it was sent with, and what lies ahead is
 * what will come. */
static void test_random_traffic_is_that_of_single_entries(void)
{
    g_autoptr(Dist) delay = dist_new_constant(SIM_MS);
    Traffic t = {.f = fixture_constant(delay, 0),
                 .rng = rng_stream(1, "test/link"),
                 .sent = g_array_new(FALSE, FALSE, sizeof(Expected)),
                 .delay_ns = SIM_MS};

    for (long i = test_count(500, 20000); i > 0; i--) {
        traffic_send(&t);
        traffic_levers(&t);
        for (uint64_t n = rng_below(&t.rng, 1200); n > 0 && t.taken < t.published; n--)
            traffic_take(&t);
        EXPECT_INT(link_sent_count(t.f.link), t.sent->len);
        EXPECT_INT(link_peek_ns(t.f.link) == SIM_TIME_NEVER, t.taken == t.published);
        EXPECT_INT(link_carried_bytes(t.f.link), 80 * (uint64_t)t.sent->len);
    }
    g_array_unref(t.sent);
    fixture_free(&t.f);
}

static void test_clocks_travel_with_their_entries(void)
{
    g_autoptr(Dist) delay = dist_new_constant(SIM_MS);
    Fixture f = fixture_constant(delay, 0);
    Clock clock = {0};

    for (uint64_t i = 1; i <= 100; i++) {
        clock.seq[3] = i;
        send(&f, 0, 80);
        link_send_clock(f.link, 0, LINK_HEARTBEAT, &clock, 80);
        if (i % 7 == 0)
            link_publish(f.link);
    }
    link_publish(f.link);
    for (uint64_t i = 1; i <= 100; i++) {
        EXPECT_INT(take(&f).kind, LINK_EFFECT);
        EXPECT_FATAL(link_take(f.link, &clock) != NULL);
        EXPECT_INT(clock.seq[3], i);
    }
    fixture_free(&f);
}

/* An effect of another member, passed on, stands between those of the log. */
static void test_relays_keep_their_place(void)
{
    g_autoptr(Dist) delay = dist_new_constant(SIM_MS);
    Fixture f = fixture_constant(delay, 0);
    EffectRecord record = {.key = 77};
    LinkEntry entry;

    send(&f, 1, 80);
    link_send_relay(f.link, 2, &record, (LinkOrigin){3, 12}, 50);
    send(&f, 3, 80);
    link_publish(f.link);
    EXPECT_INT(take(&f).seq, 1);
    entry = take(&f);
    EXPECT_INT(entry.kind, LINK_RELAY);
    EXPECT_INT(entry.origin, 3);
    EXPECT_INT(entry.seq, 12);
    EXPECT(entry.record == &record);
    EXPECT_INT(entry.at_ns, SIM_MS + 2);
    EXPECT_INT(take(&f).seq, 2);
    EXPECT_INT(link_relay_bytes(f.link), 50);
    EXPECT_INT(link_effect_bytes(f.link), 160);
    fixture_free(&f);
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
    Fixture f = fixture_constant(delay, 0);
    SimTime last_ns = 0;
    int changes = 0;

    for (SimTime now = 0; now < 200 * SIM_S; now += 7 * SIM_MS)
        send(&f, now, 80);
    link_publish(f.link);
    for (SimTime now = 0; now < 200 * SIM_S; now += 7 * SIM_MS) {
        LinkEntry entry = take(&f);
        SimTime expected = MAX(now + link_delay_ns(f.link, now), last_ns);

        EXPECT_INT(entry.at_ns, expected);
        last_ns = entry.at_ns;
    }
    for (SimTime now = 10 * SIM_S; now < 200 * SIM_S; now += 10 * SIM_S) {
        changes += link_delay_ns(f.link, now) != link_delay_ns(f.link, now - 1);
        EXPECT_INT(link_delay_ns(f.link, now), link_delay_ns(f.link, now + 9 * SIM_S));
    }
    EXPECT_INT(changes, 19);
    fixture_free(&f);
}

/* The draw of an interval depends on nothing but its number: silence and partitions do not shift
 * it. */
static void test_delay_of_an_interval_is_keyed(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) delay = uniform_delay(arena, 10 * SIM_MS, 90 * SIM_MS);
    Fixture busy = fixture_constant(delay, 0);
    Fixture idle = fixture_constant(delay, 0);

    for (SimTime now = 0; now < 100 * SIM_S; now += SIM_S)
        send(&busy, now, 80);
    link_partition(idle.link);
    link_heal(idle.link);
    EXPECT_INT(link_delay_ns(busy.link, 95 * SIM_S), link_delay_ns(idle.link, 95 * SIM_S));
    EXPECT_INT(link_delay_ns(busy.link, 5 * SIM_S), link_delay_ns(idle.link, 5 * SIM_S));
    fixture_free(&busy);
    fixture_free(&idle);
}

/* A link of 1 MB/s takes 100 us for 100 B, and the next entry waits for it. */
static void test_bandwidth_adds_the_time_the_bytes_take(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    Fixture f = fixture_constant(delay, 1000000);

    send(&f, 0, 100);
    send(&f, 0, 100);
    send(&f, SIM_S, 50);
    link_publish(f.link);
    EXPECT_INT(take(&f).at_ns, 40 * SIM_MS + 100 * SIM_US);
    EXPECT_INT(take(&f).at_ns, 40 * SIM_MS + 200 * SIM_US);
    EXPECT_INT(take(&f).at_ns, SIM_S + 40 * SIM_MS + 50 * SIM_US);
    fixture_free(&f);
}

static void test_compression_halves_time_and_bytes(void)
{
    g_autoptr(Dist) delay = dist_new_constant(0);
    LinkConfig config = {
        .name = "a>b", .delay = delay, .rate_bytes_per_s = 1000000, .compression_ratio = 0.5};
    Fixture f = fixture_new(&config);

    for (uint64_t i = 0; i < 1000; i++)
        send(&f, 0, 101);
    link_publish(f.link);
    for (int i = 0; i < 999; i++)
        take(&f);
    EXPECT_NEAR(take(&f).at_ns, 50500 * SIM_US, SIM_US);
    EXPECT_INT(link_carried_bytes(f.link), 50500);
    fixture_free(&f);
}

static void test_partition_loses_what_is_in_flight(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    Fixture f = fixture_constant(delay, 0);

    send(&f, 0, 100);
    link_publish(f.link);
    send(&f, 1, 100);
    link_partition(f.link);
    link_partition(f.link);
    send(&f, 2, 100);
    link_heal(f.link);
    EXPECT(link_is_partitioned(f.link));
    link_heal(f.link);
    EXPECT(!link_is_partitioned(f.link));
    link_publish(f.link);
    EXPECT_INT(link_peek_ns(f.link), SIM_TIME_NEVER);
    EXPECT(!link_follows(f.link)); /* until a new session begins */
    link_follow(f.link);
    send(&f, 3, 100);
    link_publish(f.link);
    EXPECT_INT(take(&f).seq, 4);
    fixture_free(&f);
}

static void test_added_delay_and_loss_shape_the_delay(void)
{
    g_autoptr(Dist) delay = dist_new_constant(40 * SIM_MS);
    LinkConfig config = {.name = "a>b", .delay = delay, .loss = 0.2};
    g_autoptr(Link) lossy = link_new(&config);
    Fixture f = fixture_constant(delay, 0);

    EXPECT_INT(link_delay_ns(lossy, 0), 60 * SIM_MS); /* a quarter more sends, a round trip each */
    link_add_delay(f.link, 5 * SIM_MS, 3);
    EXPECT_INT(link_delay_ns(f.link, 0), 125 * SIM_MS);
    EXPECT_INT(link_delay_min_ns(f.link), 125 * SIM_MS);
    link_add_delay(f.link, 0, 1);
    EXPECT_INT(link_delay_ns(f.link, 0), 40 * SIM_MS);
    fixture_free(&f);
}

static const TestCase cases[] = {
    TEST(test_entries_appear_when_published),
    TEST(test_random_traffic_is_that_of_single_entries),
    TEST(test_clocks_travel_with_their_entries),
    TEST(test_relays_keep_their_place),
    TEST(test_delay_wanders_but_order_holds),
    TEST(test_delay_of_an_interval_is_keyed),
    TEST(test_bandwidth_adds_the_time_the_bytes_take),
    TEST(test_compression_halves_time_and_bytes),
    TEST(test_partition_loses_what_is_in_flight),
    TEST(test_added_delay_and_loss_shape_the_delay),
};
TEST_MAIN("link", cases)
