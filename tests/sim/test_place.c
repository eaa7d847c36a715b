/* One place alone: how it merges streams with timers, and what becomes of posted bodies. */
#include "sim/place.h"
#include "sim/rng.h"
#include "tests/test.h"

typedef struct {
    Handler handler;
    Handler child;
    uint64_t sum;
} Hoarder;

static void count_body(void *actor, Place *place, void *body)
{
    (void)place;
    ((Hoarder *)actor)->sum += *(uint64_t *)body;
}

/* Holds its body while it posts enough to make the pool grow many times. */
static void hoard(void *actor, Place *place, void *body)
{
    Hoarder *hoarder = actor;
    const unsigned char *bytes = body;

    for (uint64_t i = 0; i < 5000; i++)
        place_post(place, place,
                   &(Post){.at_ns = SIM_MS + (SimTime)(i % 7),
                           .rank = RANK_CLIENT,
                           .seq = i,
                           .handler = &hoarder->child,
                           .body = &i,
                           .body_bytes = sizeof(i)});
    for (uint32_t i = 0; i < KERNEL_BODY_MAX; i++)
        EXPECT(bytes[i] == (unsigned char)i);
}

static void test_a_body_stays_while_its_handler_posts_more(void)
{
    Kernel *kernel = kernel_new(&(KernelConfig){.place_count = 1});
    Place *place = kernel_place(kernel, 0);
    Hoarder hoarder = {.sum = 0};
    unsigned char bytes[KERNEL_BODY_MAX];

    hoarder.handler = (Handler){hoard, &hoarder};
    hoarder.child = (Handler){count_body, &hoarder};
    for (uint32_t i = 0; i < KERNEL_BODY_MAX; i++)
        bytes[i] = (unsigned char)i;
    place_post(place, place,
               &(Post){.rank = RANK_FAULT,
                       .handler = &hoarder.handler,
                       .body = bytes,
                       .body_bytes = sizeof(bytes)});
    kernel_run_until(kernel, SIM_S);
    EXPECT_INT(hoarder.sum, 5000 * 4999 / 2);
    kernel_free(kernel);
}

typedef struct {
    Handler handler;
    uint32_t stream;
    SimTime period_ns;
    SimTime end_ns;
    uint64_t seq;
    GArray *keys;
    uint64_t order;
} Drummer;

static void beat(void *actor, Place *place, void *body)
{
    Drummer *drummer = actor;
    EventKey key = {place_now_ns(place), drummer->order | drummer->seq};

    (void)body;
    g_array_append_val(drummer->keys, key);
    if (key.at_ns < drummer->end_ns)
        place_set_stream(place, drummer->stream, key.at_ns + drummer->period_ns, ++drummer->seq);
}

static void note(void *actor, Place *place, void *body)
{
    EventKey key = *(EventKey *)body;

    EXPECT_INT(place_now_ns(place), key.at_ns);
    g_array_append_val((GArray *)actor, key);
}

static void post_noted(Place *place, Rng *rng, SimTime begin_ns, uint64_t seq,
                       const Handler *handler)
{
    Post post = {
        .at_ns = begin_ns + (SimTime)rng_below(rng, 250) * 4 * SIM_MS,
        .rank = (Rank)rng_below(rng, 5),
        .source = 100 + (uint32_t)rng_below(rng, 3),
        .seq = seq,
        .handler = handler,
    };
    EventKey key = {post.at_ns, event_order(post.rank, post.source, post.seq)};

    post.body = &key;
    post.body_bytes = sizeof(key);
    place_post(place, place, &post);
}

/* Streams with periods that meet often and timers on the same grid: all keys must come, and in
 * order. */
static bool merges_in_order(uint64_t seed, uint32_t stream_count, SimTime begin_ns)
{
    enum { STREAM_MAX = 80, TIMER_COUNT = 2000 };
    Kernel *kernel = kernel_new(&(KernelConfig){.place_count = 1});
    Place *place = kernel_place(kernel, 0);
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(EventKey));
    Handler noter = {note, keys};
    Drummer drummers[STREAM_MAX];
    Rng rng = rng_stream(seed, "merge");
    bool in_order = true;
    guint expected = TIMER_COUNT;

    for (uint32_t i = 0; i < stream_count; i++) {
        Rank rank = i % 2 ? RANK_CLIENT : RANK_MESSAGE;

        drummers[i] = (Drummer){.handler = {beat, &drummers[i]},
                                .period_ns = (SimTime)(1 + rng_below(&rng, 8)) * SIM_MS,
                                .end_ns = begin_ns + SIM_S,
                                .keys = keys,
                                .order = event_order(rank, i, 0)};
        drummers[i].stream = place_add_stream(place, rank, i, &drummers[i].handler);
        place_set_stream(place, drummers[i].stream, begin_ns, 0);
        expected += 1 + (guint)((SIM_S + drummers[i].period_ns - 1) / drummers[i].period_ns);
    }
    for (uint64_t i = 0; i < TIMER_COUNT; i++)
        post_noted(place, &rng, begin_ns, i, &noter);
    kernel_run_until(kernel, begin_ns + 2 * SIM_S);
    for (guint i = 1; i < keys->len; i++)
        in_order &= event_key_before(g_array_index(keys, EventKey, i - 1),
                                     g_array_index(keys, EventKey, i));
    in_order &= keys->len == kernel_event_count(kernel) && keys->len == expected;
    g_array_free(keys, TRUE);
    kernel_free(kernel);
    return in_order;
}

static void test_streams_and_timers_merge_in_key_order(void)
{
    for (long seed = 0; seed < test_count(20, 500); seed++)
        EXPECT(merges_in_order((uint64_t)seed, 6, 0));
}

/* More streams, and times, than one word holds; and a run across the bound. */
static void test_what_one_word_cannot_hold_comes_in_key_order_too(void)
{
    const SimTime bound_ns = INT64_C(1) << (64 - PLACE_POSITION_BITS);

    EXPECT(merges_in_order(1, 80, 0));
    EXPECT(merges_in_order(2, 6, 2 * bound_ns));
    EXPECT(merges_in_order(3, 6, bound_ns - SIM_S / 2));
}

typedef struct {
    Handler handler;
    uint32_t next_stream;
    uint32_t total;  /* hand-overs, the start included */
    uint32_t *count; /* shared by all */
} Relay;

static void hand_over(void *actor, Place *place, void *body)
{
    Relay *relay = actor;

    (void)body;
    if (++*relay->count < relay->total)
        place_set_stream(place, relay->next_stream, place_now_ns(place) + SIM_US, *relay->count);
}

/* Each handler sets another stream and leaves its own alone: what ran does not run again, and what
 * was unset before its time does not run at all. */
static void test_a_stream_left_alone_stays_silent(void)
{
    enum { RUNNERS = 5, LAPS = 40 };
    Kernel *kernel = kernel_new(&(KernelConfig){.place_count = 1});
    Place *place = kernel_place(kernel, 0);
    Relay relays[RUNNERS + 1];
    uint32_t streams[RUNNERS + 1];
    uint32_t count = 0;

    for (uint32_t i = 0; i <= RUNNERS; i++) {
        relays[i] =
            (Relay){.handler = {hand_over, &relays[i]}, .total = RUNNERS * LAPS, .count = &count};
        /* The order of adding is not that of events. */
        streams[i] = place_add_stream(place, RANK_CLIENT, 9 - i, &relays[i].handler);
    }
    for (uint32_t i = 0; i < RUNNERS; i++)
        relays[i].next_stream = streams[(i + 1) % RUNNERS];
    place_set_stream(place, streams[RUNNERS], SIM_US, 0);
    place_set_stream(place, streams[0], 0, 0);
    place_set_stream(place, streams[RUNNERS], SIM_TIME_NEVER, 0);
    kernel_run_until(kernel, SIM_TIME_NEVER);
    EXPECT_INT(count, RUNNERS * LAPS);
    EXPECT_INT(kernel_event_count(kernel), RUNNERS * LAPS);
    EXPECT_INT(kernel_now_ns(kernel), (RUNNERS * LAPS - 1) * SIM_US);
    kernel_free(kernel);
}

static const TestCase cases[] = {
    TEST(test_a_body_stays_while_its_handler_posts_more),
    TEST(test_streams_and_timers_merge_in_key_order),
    TEST(test_a_stream_left_alone_stays_silent),
    TEST(test_what_one_word_cannot_hold_comes_in_key_order_too),
};
TEST_MAIN("place", cases)
