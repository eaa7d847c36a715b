/* Who waits for whom under causal consistency, without members or links. */
#include "models/crdt/causal_order.h"

#include <string.h>

#include "models/crdt/payload.h"
#include "sim/rng.h"
#include "tests/test.h"

#define LOG_MAX 24

/* Three origins' effects, and one receiver. */
typedef struct {
    Effect logs[4][LOG_MAX];
    CausalLogs view;
    Clock known;
    CausalOrder *order;
    GString *told; /* "1@1 2@1 ": as delivered */
} Fixture;

static const Effect *read_log(const void *log, Dot dot, Effect *room)
{
    *room = ((const Effect *)log)[dot_seq(dot) - 1];
    return room;
}

static void fixture_init(Fixture *f)
{
    *f = (Fixture){
        .view = {.read = read_log}, .order = causal_order_new(), .told = g_string_new(NULL)};
    for (uint32_t id = 1; id <= 3; id++)
        f->view.logs[id] = f->logs[id];
}

static void fixture_clear(Fixture *f)
{
    causal_order_free(f->order);
    g_string_free(f->told, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static Effect *made(Fixture *f, uint32_t origin, uint64_t seq, uint64_t key, Clock ctx)
{
    Effect *effect = &f->logs[origin][seq - 1];

    ctx.seq[origin] = seq - 1;
    *effect = (Effect){.dot = dot_make(origin, seq), .key = key, .ctx = ctx};
    return effect;
}

static void deliver(void *actor, const Effect *effect)
{
    Fixture *f = actor;

    f->known.seq[dot_member(effect->dot)]++;
    EXPECT_INT(f->known.seq[dot_member(effect->dot)], dot_seq(effect->dot));
    g_string_append_printf(f->told, "%u@%d ", dot_member(effect->dot), (int)dot_seq(effect->dot));
}

static const char *arrive(Fixture *f, uint32_t origin, uint64_t seq)
{
    g_string_truncate(f->told, 0);
    (void)causal_order_arrive(f->order, origin, seq);
    causal_order_deliver(f->order, &f->view, &f->known, deliver, f);
    return f->told->str;
}

/* What had been observed on the key comes first, whoever made it and however long the chain. */
static void test_causal_order_waits_for_what_was_observed_on_the_key(void)
{
    g_auto(Fixture) f;

    fixture_init(&f);
    made(&f, 1, 1, 7, (Clock){{0}});
    made(&f, 2, 1, 7, (Clock){{0, 1}});
    made(&f, 3, 1, 7, (Clock){{0, 0, 1}}); /* has seen 2's without 1's */
    EXPECT_TEXT(arrive(&f, 3, 1), "");
    EXPECT_TEXT(arrive(&f, 2, 1), "");
    EXPECT_TEXT(arrive(&f, 1, 1), "1@1 2@1 3@1 ");
    EXPECT_TEXT(arrive(&f, 1, 1), ""); /* nothing comes twice */
}

static void test_causal_order_is_kept_by_key(void)
{
    g_auto(Fixture) f;

    fixture_init(&f);
    made(&f, 1, 1, 7, (Clock){{0}});
    made(&f, 2, 1, 8, (Clock){{0, 1}}); /* observed, and about another key */
    made(&f, 2, 2, 7, (Clock){{0, 1}});
    made(&f, 2, 3, 8,
         (Clock){{0, 1}}); /* behind one that waits: an origin's effects are a prefix */
    EXPECT_TEXT(arrive(&f, 2, 3), "2@1 ");
    EXPECT_TEXT(arrive(&f, 1, 1), "1@1 2@2 2@3 ");
}

static void name_key(Effect *effect, PayloadWriter *writer, const char *name)
{
    payload_begin(writer);
    payload_put_key(writer, (PayloadText){name, (uint32_t)strlen(name)});
    effect->family = FAMILY_NONE;
    effect->payload = writer->data;
    effect->payload_bytes = writer->bytes;
}

/* Keys born during the run have hashes that may meet; declared ones are numbers of their family. */
static void test_causal_order_tells_keys_apart_by_name_and_family(void)
{
    static const struct {
        const char *name; /* NULL: of a family */
        bool waits;
    } others[] = {{"a", true}, {"b", false}, {NULL, false}};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_auto(Fixture) f;
        PayloadWriter first = {0}, second = {0};
        Effect *effect;

        fixture_init(&f);
        name_key(made(&f, 1, 1, 7, (Clock){{0}}), &first, "a");
        effect = made(&f, 2, 1, 7, (Clock){{0, 1}});
        if (others[i].name)
            name_key(effect, &second, others[i].name);
        EXPECT_TEXT(arrive(&f, 2, 1), others[i].waits ? "" : "2@1 ");
        payload_clear(&first);
        payload_clear(&second);
    }
}

/* A channel, a shard channel and a key of one name are three; a message waits for those before it
 * in its own channel. */
static void test_causal_order_tells_channels_from_keys_of_their_name(void)
{
    enum { KEY, CHANNEL, SHARD_CHANNEL, KINDS };

    for (int i = 0; i < KINDS * KINDS; i++) {
        int kinds[] = {i / KINDS, i % KINDS};
        g_auto(Fixture) f;
        PayloadWriter writers[2] = {{0}, {0}};

        fixture_init(&f);
        for (uint32_t m = 0; m < 2; m++) {
            Effect *effect = made(&f, m + 1, 1, 7, m == 0 ? (Clock){{0}} : (Clock){{0, 1}});

            name_key(effect, &writers[m], "a");
            effect->op = kinds[m] == KEY ? EFFECT_ASSIGN : EFFECT_PUBLISH;
            effect->element = kinds[m] == SHARD_CHANNEL;
        }
        EXPECT_TEXT(arrive(&f, 2, 1), kinds[0] == kinds[1] ? "" : "2@1 ");
        payload_clear(&writers[0]);
        payload_clear(&writers[1]);
    }
}

/* Whoever was cut off by force is not waited for, and delivers nothing. */
static void test_causal_order_does_not_wait_for_who_has_no_log(void)
{
    g_auto(Fixture) f;

    fixture_init(&f);
    made(&f, 1, 1, 7, (Clock){{0}});
    made(&f, 2, 1, 7, (Clock){{0, 1}});
    f.view.logs[1] = NULL;
    EXPECT_TEXT(arrive(&f, 1, 1), "");
    EXPECT_TEXT(arrive(&f, 2, 1), "2@1 ");
}

/* Nor is who is cut off while something waits for it. */
static void test_causal_order_ends_a_wait_for_who_is_cut_off(void)
{
    g_auto(Fixture) f;

    fixture_init(&f);
    made(&f, 1, 1, 7, (Clock){{0}});
    made(&f, 2, 1, 7, (Clock){{0, 1}});
    EXPECT_TEXT(arrive(&f, 2, 1), "");
    f.view.logs[1] = NULL;
    EXPECT_TEXT(arrive(&f, 2, 1), "2@1 ");
}

/* What waited has come by the state of one who had cut off its origin: the next of the same origin
 * waits for nothing. */
static void test_causal_order_forgets_a_wait_that_a_whole_state_ended(void)
{
    g_auto(Fixture) f;

    fixture_init(&f);
    made(&f, 1, 1, 7, (Clock){{0}});
    made(&f, 2, 1, 7, (Clock){{0, 1}});
    made(&f, 2, 2, 8, (Clock){{0, 1}});
    EXPECT_TEXT(arrive(&f, 2, 1), "");
    f.known.seq[2] = 1;
    EXPECT_TEXT(arrive(&f, 2, 2), "2@2 ");
}

/* A whole state moves the clock past what was waited for; what else is missing still counts. */
static void test_causal_order_goes_on_after_a_whole_state(void)
{
    g_auto(Fixture) f;

    fixture_init(&f);
    made(&f, 1, 1, 7, (Clock){{0}});
    made(&f, 1, 2, 8, (Clock){{0}});
    made(&f, 1, 3, 9, (Clock){{0}});
    made(&f, 2, 1, 7, (Clock){{0, 2, 0, 1}});
    made(&f, 2, 2, 9, (Clock){{0, 2, 0, 1}});
    made(&f, 3, 1, 9, (Clock){{0}});
    EXPECT_TEXT(arrive(&f, 2, 1), "");
    f.known.seq[1] = 2;
    EXPECT_TEXT(arrive(&f, 2, 1), "2@1 ");
    EXPECT_TEXT(arrive(&f, 1, 3), "1@3 ");
    EXPECT_TEXT(arrive(&f, 2, 2), "");
    EXPECT_TEXT(arrive(&f, 3, 1), "3@1 2@2 ");
}

/* The rule as it is stated, with nothing remembered. */
static bool rule_is_ready(const Fixture *f, const Clock *known, const Effect *effect)
{
    for (uint32_t id = 1; id <= 3; id++)
        for (uint64_t seq = known->seq[id] + 1; f->view.logs[id] && seq <= effect->ctx.seq[id];
             seq++)
            if (f->logs[id][seq - 1].key == effect->key)
                return false;
    return true;
}

static void rule_deliver(const Fixture *f, const Clock *arrived, Clock *known, GString *told)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t id = 1; id <= 3; id++)
            while (f->view.logs[id] && known->seq[id] < arrived->seq[id] &&
                   rule_is_ready(f, known, &f->logs[id][known->seq[id]])) {
                known->seq[id]++;
                g_string_append_printf(told, "%u@%d ", id, (int)known->seq[id]);
                moved = true;
            }
    }
}

/* Each member makes effects having observed some of the others'. */
static void make_histories(Fixture *f, Rng *rng)
{
    Clock made_clock = {0}, seen[4] = {0};

    for (uint32_t step = 0; step < 3 * LOG_MAX / 2; step++) {
        uint32_t id = 1 + (uint32_t)rng_below(rng, 3), other = 1 + (uint32_t)rng_below(rng, 3);

        seen[id].seq[other] +=
            rng_below(rng, made_clock.seq[other] - seen[id].seq[other] + 1) * (other != id);
        if (made_clock.seq[id] == LOG_MAX)
            continue;
        made(f, id, ++made_clock.seq[id], 1 + rng_below(rng, 4), seen[id]);
    }
    for (uint32_t id = 1; id <= 3; id++) /* the last ones have observed all */
        while (made_clock.seq[id] < LOG_MAX)
            made(f, id, ++made_clock.seq[id], 1 + rng_below(rng, 4), seen[id]);
}

/* A whole state takes the clock on, a crash takes it back, and what waited is lost with both. */
static void move_clock(Fixture *f, Rng *rng, Clock *arrived)
{
    bool crashes = rng_below(rng, 4) == 0;

    for (uint32_t id = 1; id <= 3; id++)
        f->known.seq[id] =
            crashes ? rng_below(rng, f->known.seq[id] + 1)
                    : f->known.seq[id] + rng_below(rng, MIN(4, LOG_MAX + 1 - f->known.seq[id]));
    causal_order_restart(f->order, &f->known);
    *arrived = f->known;
}

/* Whatever arrives, is cut off, comes back or comes by a whole state: the same is delivered, in the
 * same order, as by looking at everything each time. */
static void test_causal_order_is_the_rule_applied_to_everything(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(2000, 100000); seed++) {
        Rng rng = rng_stream(seed, "causal order");
        g_autoptr(GString) told = g_string_new(NULL);
        Clock arrived = {0}, known;
        g_auto(Fixture) f;

        fixture_init(&f);
        make_histories(&f, &rng);
        for (uint32_t step = 0; step < 60; step++) {
            uint32_t id = 1 + (uint32_t)rng_below(&rng, 3);
            uint64_t dice = rng_below(&rng, 16);

            if (dice == 0)
                f.view.logs[id] = f.view.logs[id] ? NULL : f.logs[id];
            else if (dice == 1)
                move_clock(&f, &rng, &arrived);
            arrived.seq[id] += rng_below(&rng, MIN(3, LOG_MAX + 1 - arrived.seq[id]));
            known = f.known;
            g_string_truncate(told, 0);
            rule_deliver(&f, &arrived, &known, told);
            EXPECT_TEXT(arrive(&f, id, arrived.seq[id]), told->str);
        }
    }
}

static const TestCase cases[] = {
    TEST(test_causal_order_waits_for_what_was_observed_on_the_key),
    TEST(test_causal_order_is_kept_by_key),
    TEST(test_causal_order_tells_keys_apart_by_name_and_family),
    TEST(test_causal_order_tells_channels_from_keys_of_their_name),
    TEST(test_causal_order_does_not_wait_for_who_has_no_log),
    TEST(test_causal_order_ends_a_wait_for_who_is_cut_off),
    TEST(test_causal_order_forgets_a_wait_that_a_whole_state_ended),
    TEST(test_causal_order_goes_on_after_a_whole_state),
    TEST(test_causal_order_is_the_rule_applied_to_everything),
};
TEST_MAIN("causal_order", cases)
