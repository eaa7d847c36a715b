/* Stories of what bodies keep for history alone, from the removal to the last byte. */
#include "tests/effect_tape.h"
#include "tests/models/geo_fixture.h"

#include "models/crdt/body_list_private.h"
#include "models/data/command.h"
#include "models/data/store_private.h"
#include "models/geo/member_parts.h"

#define QUEUE 7

static const Sequence *queue_of(const GeoFixture *f, uint32_t member)
{
    Store *store = f->members[member]->store;
    Key key = {.state = &store->families[0], .kept = QUEUE};
    const CrdtBody *body = key_body(store, &key, CRDT_LIST, false);

    EXPECT_FATAL(body != NULL);
    return &body->sequence;
}

static GeoFixture *lists_new(uint32_t members, bool causal)
{
    return geo_new(&(GeoOptions){.members = members,
                                 .delay_ns = 20 * SIM_MS,
                                 .lists = true,
                                 .empty = true,
                                 .causal = causal});
}

/* And takes the last ones out when all has come. */
static void send_queue(GeoFixture *f, SimTime from_ns, SimTime until_ns)
{
    for (SimTime at_ns = from_ns; at_ns < until_ns; at_ns += 20 * SIM_MS) {
        geo_send(f, 1, at_ns, "RPUSH", QUEUE);
        geo_send(f, 2, at_ns + 10 * SIM_MS, "LPOP", QUEUE);
    }
    for (int i = 0; i < 5; i++)
        geo_send(f, 2, until_ns + SIM_S + i * SIM_MS, "LPOP", QUEUE);
}

static void expect_nothing_kept(const GeoFixture *f)
{
    for (uint32_t id = 1; id <= f->options.members; id++) {
        EXPECT_INT(queue_of(f, id)->node_count, 0);
        EXPECT_INT(f->members[id]->store->drop.tail - f->members[id]->store->drop.head, 0);
    }
}

/* 50 a second go in and out.  What waits to be dropped is what a few heartbeats' time has made. */
static void expect_queue_stays_small(bool causal)
{
    g_autoptr(GeoFixture) f = lists_new(3, causal);
    SimTime end_ns = test_count(60, 600) * SIM_S;

    send_queue(f, SIM_S, end_ns);
    for (SimTime at_ns = 5 * SIM_S; at_ns < end_ns; at_ns += 5 * SIM_S) {
        geo_run(f, at_ns);
        for (uint32_t id = 1; id <= 3; id++)
            EXPECT(queue_of(f, id)->node_count < 500);
    }
    geo_run(f, end_ns + 20 * SIM_S);
    EXPECT(geo_converged(f));
    expect_nothing_kept(f);
}

static void test_queue_stays_small_however_long_it_runs(void)
{
    expect_queue_stays_small(false);
}

static void test_queue_stays_small_under_causal_consistency(void)
{
    expect_queue_stays_small(true);
}

/* A silent member might name anything it knows of. */
static void test_silent_member_keeps_tombstones_and_its_return_frees_them(void)
{
    g_autoptr(GeoFixture) f = lists_new(3, false);

    send_queue(f, SIM_S, 5 * SIM_S);
    geo_run(f, 20 * SIM_S);
    geo_isolate(f, 3, true);
    send_queue(f, 20 * SIM_S, 40 * SIM_S);
    geo_run(f, 60 * SIM_S);
    EXPECT(queue_of(f, 1)->node_count >= 1000);
    geo_isolate(f, 3, false);
    geo_run(f, 90 * SIM_S);
    EXPECT(geo_converged(f));
    expect_nothing_kept(f);
}

/* The survivors retire what the unlinked member still names; linked again, it is understood. */
static void test_unlinked_member_may_name_what_the_others_have_retired(void)
{
    g_autoptr(GeoFixture) f = lists_new(3, false);

    for (int i = 0; i < 6; i++)
        geo_send(f, 1, SIM_S + i * SIM_MS, "RPUSH", QUEUE);
    geo_run(f, 10 * SIM_S);
    geo_isolate(f, 3, true);
    member_unlink_peer(f->members[1], 3);
    member_unlink_peer(f->members[2], 3);
    for (int i = 0; i < 4; i++)
        geo_send(f, 2, 10 * SIM_S + i * SIM_MS, "RPOP", QUEUE);
    for (int i = 0; i < 4; i++) {
        geo_send(f, 3, 20 * SIM_S + 2 * i * SIM_MS, "RPOP", QUEUE);
        geo_send(f, 3, 20 * SIM_S + (2 * i + 1) * SIM_MS, "LPUSH", QUEUE);
        geo_send(f, 3, 21 * SIM_S + i * SIM_MS, "RPUSH", QUEUE);
        geo_send(f, 1, 22 * SIM_S + i * SIM_MS, "RPUSH", QUEUE);
    }
    geo_run(f, 40 * SIM_S);
    EXPECT_INT(queue_of(f, 1)->retired_count, 4);
    geo_isolate(f, 3, false);
    member_relink_peer(f->members[1], 3);
    member_relink_peer(f->members[2], 3);
    geo_run(f, 70 * SIM_S);
    EXPECT(geo_converged(f));
    for (uint32_t id = 1; id <= 3; id++)
        EXPECT(queue_of(f, id)->removed_count <= sequence_count(queue_of(f, id)));
}

/* Member 2 hears late that 3 knows of a removal, and until then hangs an element on what 1 has
 * retired, while 1 does not hear it.  After the break its heartbeat, which says that 2 has retired
 * it too, is at 1 before the element is. */
static void expect_named_is_kept(SimTime heal_ns)
{
    g_autoptr(GeoFixture) f = lists_new(3, false);

    for (int i = 0; i < 6; i++)
        geo_send(f, 1, SIM_S + i * SIM_MS, "RPUSH", QUEUE);
    geo_run(f, 10 * SIM_S);
    link_partition(f->links[3][2]);
    for (int i = 0; i < 3; i++)
        geo_send(f, 1, 10 * SIM_S + i * SIM_MS, "RPOP", QUEUE);
    geo_run(f, 20 * SIM_S);
    EXPECT_INT(queue_of(f, 1)->retired_count, 3);
    EXPECT_INT(queue_of(f, 2)->retired_count, 0);
    link_partition(f->links[2][1]);
    geo_send(f, 2, 20 * SIM_S, "RPUSH", QUEUE);
    geo_run(f, 22 * SIM_S);
    link_heal(f->links[3][2]);
    geo_run(f, heal_ns);
    EXPECT_INT(queue_of(f, 2)->retired_count, 3);
    link_heal(f->links[2][1]);
    geo_run(f, 50 * SIM_S);
    EXPECT(geo_converged(f));
    for (uint32_t id = 1; id <= 3; id++) {
        EXPECT_INT(sequence_count(queue_of(f, id)), 4);
        EXPECT_INT(queue_of(f, id)->retired_count, 0);
    }
}

/* Wherever in the heartbeats' second the break ends. */
static void test_what_a_member_named_comes_before_what_it_has_retired_goes(void)
{
    for (int tenth = 0; tenth < 10; tenth++)
        expect_named_is_kept(30 * SIM_S + tenth * SIM_S / 10);
}

typedef struct {
    Store *stores[2];
    EffectTape *tapes[2];
    Arena *arena;
} Pair;

static void pair_begin(Pair *pair)
{
    pair->arena = arena_new();
    for (uint32_t i = 0; i < 2; i++) {
        pair->tapes[i] = effect_tape_new();
        pair->stores[i] = store_new(&(StoreConfig){
            .member_id = i + 1, .member_count = 2, .sink = effect_tape_sink(pair->tapes[i])});
    }
}

static void pair_end(Pair *pair)
{
    for (uint32_t i = 0; i < 2; i++) {
        store_free(pair->stores[i]);
        effect_tape_free(pair->tapes[i]);
    }
    arena_free(pair->arena);
}

static void say(Pair *pair, uint32_t at, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Command command = {.spec = command_find(words[0], strlen(words[0]))};
    Arg args[8];
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    command.args = args;
    for (; words[command.count + 1]; command.count++) {
        const char *word = words[command.count + 1];

        args[command.count] =
            (Arg){.kind = ARG_BYTES, .data = word, .bytes = (uint32_t)strlen(word)};
    }
    store_execute(pair->stores[at], &command, (WallTime){1}, pair->arena, &reply);
    EXPECT(reply.kind != REPLY_ERROR);
}

static void exchange(Pair *pair)
{
    for (uint32_t from = 0; from < 2; from++)
        while (effect_tape_play(pair->tapes[from], pair->stores[1 - from], (WallTime){1}))
            ;
}

static void collect_all(Pair *pair)
{
    Clock stable = *store_clock(pair->stores[0]), by_all;

    clock_meet(&stable, store_clock(pair->stores[1]));
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 2; i++)
            store_collect(pair->stores[i], &stable);
    by_all = *store_retired(pair->stores[0]);
    clock_meet(&by_all, store_retired(pair->stores[1]));
    for (int i = 0; i < 2; i++)
        store_drop(pair->stores[i], &by_all);
}

/* A list or document made during the run goes with its last element's last trace. */
static void test_born_key_is_freed_when_all_have_dropped_what_it_held(void)
{
    Pair pair;

    pair_begin(&pair);
    say(&pair, 0, "RPUSH work a b c");
    say(&pair, 1, "JSON.SET doc $ [1,2,3]");
    exchange(&pair);
    say(&pair, 1, "LPOP work 3");
    say(&pair, 0, "JSON.ARRPOP doc $ 1");
    say(&pair, 0, "JSON.ARRPOP doc $ 1");
    exchange(&pair);
    EXPECT_INT(pair.stores[0]->born.count, 2);
    collect_all(&pair);
    for (int i = 0; i < 2; i++)
        EXPECT_INT(pair.stores[i]->born.count, 1);
    say(&pair, 0, "RPUSH work d");
    say(&pair, 1, "LPUSH work e");
    say(&pair, 1, "DEL doc");
    exchange(&pair);
    say(&pair, 0, "DEL work");
    exchange(&pair);
    collect_all(&pair);
    for (int i = 0; i < 2; i++)
        EXPECT_INT(pair.stores[i]->born.count, 0);
    pair_end(&pair);
}

/* A member may be told that something is retired when every tombstone of then has been looked at
 * since; here one stands in front whose removal 2 has not heard of. */
static void test_retired_waits_for_every_body_that_stood_in_the_queue(void)
{
    Clock stable, more;
    Store *store;
    Pair pair;

    pair_begin(&pair);
    store = pair.stores[0];
    say(&pair, 0, "RPUSH work a b");
    exchange(&pair);
    stable = *store_clock(pair.stores[1]);
    say(&pair, 0, "LPOP work");
    for (int i = 0; i < 3; i++)
        store_collect(store, &stable);
    EXPECT_INT(store_retired(store)->seq[1], 0);
    exchange(&pair);
    more = *store_clock(pair.stores[1]);
    store_collect(store, &more);
    EXPECT(clock_covers(store_retired(store), dot_make(1, stable.seq[1])));
    EXPECT(!clock_covers(store_retired(store), dot_make(1, more.seq[1])));
    store_collect(store, &more);
    EXPECT(clock_covers(store_retired(store), dot_make(1, more.seq[1])));
    pair_end(&pair);
}

/* A peer that is linked again has not observed what was stable without it. */
static void test_nothing_is_retired_that_is_no_longer_stable(void)
{
    Clock low, high;
    Store *store;
    Pair pair;

    pair_begin(&pair);
    store = pair.stores[0];
    say(&pair, 0, "RPUSH work a");
    low = *store_clock(store);
    say(&pair, 0, "RPUSH work b");
    high = *store_clock(store);
    store_collect(store, &high);
    for (int i = 0; i < 3; i++)
        store_collect(store, &low);
    EXPECT_INT(store_retired(store)->seq[1], low.seq[1]);
    pair_end(&pair);
}

static uint64_t collect_length(const Store *store)
{
    return store->collect.tail - store->collect.head;
}

/* Values that stand side by side and are then written over, again and again, while nothing is
 * stable. */
static void test_body_waits_once_however_often_it_has_siblings(void)
{
    Pair pair;

    pair_begin(&pair);
    say(&pair, 0, "RPUSH work a");
    exchange(&pair);
    for (uint32_t i = 0; i < 20; i++) {
        say(&pair, 0, "LSET work 0 b");
        say(&pair, 1, "LSET work 0 c");
        exchange(&pair);
        say(&pair, i % 2, "LSET work 0 d");
        exchange(&pair);
        for (int at = 0; at < 2; at++)
            EXPECT(collect_length(pair.stores[at]) <= 1);
    }
    collect_all(&pair);
    for (int at = 0; at < 2; at++)
        EXPECT_INT(collect_length(pair.stores[at]), 0);
    pair_end(&pair);
}

static const TestCase cases[] = {
    TEST(test_queue_stays_small_however_long_it_runs),
    TEST(test_queue_stays_small_under_causal_consistency),
    TEST(test_silent_member_keeps_tombstones_and_its_return_frees_them),
    TEST(test_unlinked_member_may_name_what_the_others_have_retired),
    TEST(test_what_a_member_named_comes_before_what_it_has_retired_goes),
    TEST(test_born_key_is_freed_when_all_have_dropped_what_it_held),
    TEST(test_retired_waits_for_every_body_that_stood_in_the_queue),
    TEST(test_nothing_is_retired_that_is_no_longer_stable),
    TEST(test_body_waits_once_however_often_it_has_siblings),
};
TEST_MAIN("key_body", cases)
