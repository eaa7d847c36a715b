/* Stories of messages between members with links: what they weigh, what a break does to them.
 *
 * A channel is named by the number of a key, and so tells which message it was. */
#include "tests/models/geo_fixture.h"

#include "sim/rng.h"

/* Somebody who listens to everything at a member. */
typedef struct {
    Subscriber *subscriber;
    GArray *heard; /* of uint64_t: the channels, in order */
} Listener;

static void listen(Listener *out, GeoFixture *f, uint32_t member)
{
    Store *store = (Store *)(uintptr_t)member_store(f->members[member]);

    out->subscriber = subscriber_new(store_pubsub(store));
    out->heard = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    subscriber_add(out->subscriber, PUBSUB_PATTERN, (PayloadText){"*", 1});
}

static void listen_end(Listener *listener)
{
    subscriber_free(listener->subscriber);
    g_array_free(listener->heard, TRUE);
}

static const GArray *heard_by(Listener *listener)
{
    g_autoptr(Arena) arena = arena_new();
    Reply message;

    while (subscriber_take(listener->subscriber, arena, &message)) {
        uint64_t channel = g_ascii_strtoull(message.items[2].text, NULL, 10);

        EXPECT_INT(message.items[3].bytes, 100);
        g_array_append_val(listener->heard, channel);
    }
    return listener->heard;
}

static void expect_heard(Listener *listener, const char *expected)
{
    const GArray *heard = heard_by(listener);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < heard->len; i++)
        g_string_append_printf(text, "%s%d", i > 0 ? " " : "",
                               (int)g_array_index(heard, uint64_t, i));
    EXPECT_TEXT(text->str, expected);
}

static void test_pubsub_geo_a_message_is_traffic_and_backlog_but_no_metadata(void)
{
    GeoOptions options = {.members = 2, .delay_ns = 40 * SIM_MS, .empty = true};
    g_autoptr(GeoFixture) f = geo_new(&options);
    uint64_t quiet, state;
    Listener listener;

    listen(&listener, f, 2);
    geo_run(f, 10 * SIM_S - SIM_MS);
    quiet = link_carried_bytes(f->links[1][2]);
    state = geo_state(f, 1);
    geo_isolate(f, 2, true);
    for (int i = 1; i <= 3; i++)
        geo_send(f, 1, 10 * SIM_S + i * SIM_MS, "PUBLISH", (uint64_t)i);
    geo_run(f, 11 * SIM_S);
    EXPECT_INT(geo_seq(f, 1, 1), 3);
    EXPECT_INT(geo_metadata(f, 1), 0);
    EXPECT_INT(member_record_count(f->members[1]), 0);
    /* 80 bytes of every effect, tag and length of the channel, its one digit, and the text. */
    EXPECT_INT(member_backlog_unacked_bytes(f->members[1]), 3 * (80 + 6 + 100));
    geo_isolate(f, 2, false);
    geo_run(f, 14 * SIM_S);
    EXPECT(link_carried_bytes(f->links[1][2]) >= quiet + 3 * (80 + 6 + 100));
    EXPECT_INT(member_backlog_unacked_bytes(f->members[1]), 0);
    EXPECT_INT(geo_metadata(f, 2), 0);
    EXPECT_INT(geo_state(f, 1), state);
    EXPECT_INT(geo_state(f, 2), state);
    expect_heard(&listener, "1 2 3");
    listen_end(&listener);
}

/* What the backlog still has comes late; what it has not, a full sync passes over. */
static void test_pubsub_geo_a_full_sync_loses_what_was_published_meanwhile(void)
{
    for (int is_full = 0; is_full < 2; is_full++) {
        GeoOptions options = {
            .members = 2, .delay_ns = 40 * SIM_MS, .backlog_bytes = is_full ? 400 : 4000};
        g_autoptr(GeoFixture) f = geo_new(&options);
        Listener listener;

        listen(&listener, f, 2);
        geo_send(f, 1, 0, "PUBLISH", 1);
        geo_run(f, SIM_S);
        geo_isolate(f, 2, true);
        for (uint64_t i = 2; i <= 6; i++)
            geo_send(f, 1, SIM_S + (SimTime)i * SIM_MS, "PUBLISH", i);
        geo_run(f, 2 * SIM_S);
        geo_isolate(f, 2, false);
        geo_run(f, 5 * SIM_S);
        EXPECT_INT(geo_count(f, 2, GEO_FULL_SYNC_END), is_full);
        EXPECT_INT(geo_seq(f, 2, 1), 6);
        geo_send(f, 1, 5 * SIM_S + SIM_MS, "PUBLISH", 7);
        geo_run(f, 6 * SIM_S);
        expect_heard(&listener, is_full ? "1 7" : "1 2 3 4 5 6 7");
        listen_end(&listener);
    }
}

/* What 1 published comes to 3 by way of 2 when the direct link is slow, and so before what 2
 * published after it had heard it; without the option it comes last. */
static void test_pubsub_geo_a_message_heard_comes_before_its_answer(void)
{
    for (int causal = 0; causal < 2; causal++) {
        GeoOptions options = {.members = 3, .delay_ns = 40 * SIM_MS, .causal = causal == 1};
        g_autoptr(GeoFixture) f = geo_new(&options);

        link_add_delay(f->links[1][3], 2 * SIM_S, 1);
        geo_send(f, 1, 0, "PUBLISH", 7);
        geo_send(f, 2, 100 * SIM_MS, "PUBLISH", 7);
        geo_run(f, 140 * SIM_MS);
        EXPECT_INT(geo_seq(f, 3, 2), 1);
        EXPECT_INT(geo_seq(f, 3, 1), causal);
        geo_run(f, 5 * SIM_S);
        EXPECT_INT(geo_count(f, 3, GEO_APPLY), 2);
    }
}

/* What each listener may have heard: of each origin a part of what was published, in order and
 * nothing twice; all of it where no full sync was. */
static long expect_parts(GeoFixture *f, Listener *listeners, const uint64_t *sent)
{
    long full_syncs = 0;

    for (uint32_t id = 1; id <= f->options.members; id++) {
        uint32_t syncs = geo_count(f, id, GEO_FULL_SYNC_END);
        const GArray *heard = heard_by(&listeners[id]);
        uint64_t last[MEMBER_MAX + 1] = {0};

        for (guint i = 0; i < heard->len; i++) {
            uint64_t channel = g_array_index(heard, uint64_t, i);

            EXPECT(channel % 1000 > last[channel / 1000]);
            last[channel / 1000] = channel % 1000;
        }
        EXPECT(syncs > 0 || heard->len == sent[1] + sent[2] + sent[3]);
        full_syncs += syncs;
        listen_end(&listeners[id]);
    }
    return full_syncs;
}

static long break_at_random(uint64_t seed)
{
    GeoOptions options = {.members = 3,
                          .delay_ns = 20 * SIM_MS,
                          .seed = seed,
                          .causal = seed % 3 == 0,
                          .backlog_bytes = seed % 2 ? 2000 : 0};
    g_autoptr(GeoFixture) f = geo_new(&options);
    Rng rng = rng_stream(seed, "pubsub_geo");
    uint64_t sent[MEMBER_MAX + 1] = {0};
    Listener listeners[MEMBER_MAX + 1];

    for (uint32_t id = 1; id <= 3; id++)
        listen(&listeners[id], f, id);
    for (int i = 0; i < 30; i++) {
        uint32_t a = 1 + (uint32_t)rng_below(&rng, 3);
        uint32_t b = 1 + (uint32_t)rng_below(&rng, 3);

        for (int k = 0; k < 4; k++) {
            uint32_t id = 1 + (uint32_t)rng_below(&rng, 3);
            bool is_message = rng_below(&rng, 3) > 0;

            geo_send(f, id, i * 500 * SIM_MS + k * 100 * SIM_MS, is_message ? "PUBLISH" : "SET",
                     is_message ? id * 1000 + ++sent[id] : rng_below(&rng, 3));
        }
        if (a != b)
            (rng_below(&rng, 3) == 0 ? link_partition : link_heal)(f->links[a][b]);
        geo_run(f, (i + 1) * 500 * SIM_MS);
    }
    for (uint32_t a = 1; a <= 3; a++)
        for (uint32_t b = 1; b <= 3; b++)
            while (a != b && link_is_partitioned(f->links[a][b]))
                link_heal(f->links[a][b]);
    geo_run(f, 60 * SIM_S);
    EXPECT(geo_converged(f));
    return expect_parts(f, listeners, sent);
}

static void test_pubsub_geo_broken_links_never_repeat_a_message(void)
{
    long full_syncs = 0;

    for (uint64_t seed = 1; seed <= (uint64_t)test_count(30, 500); seed++)
        full_syncs += break_at_random(seed);
    EXPECT(full_syncs > 0);
}

static const TestCase cases[] = {
    TEST(test_pubsub_geo_a_message_is_traffic_and_backlog_but_no_metadata),
    TEST(test_pubsub_geo_a_full_sync_loses_what_was_published_meanwhile),
    TEST(test_pubsub_geo_a_message_heard_comes_before_its_answer),
    TEST(test_pubsub_geo_broken_links_never_repeat_a_message),
};
TEST_MAIN("pubsub_geo", cases)
