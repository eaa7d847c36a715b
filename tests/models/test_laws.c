/* Laws that hold for every registered type, on random histories.
 *
 * Two to four members write and exchange at random, FIFO per origin and in any order across
 * origins, with wrong clocks; bystanders who write nothing then take the same effects in orders of
 * their own.
 */
#include "tests/effect_tape.h"
#include "tests/test.h"

#include <string.h>

#include "models/data/store.h"

#define WRITERS_MAX 4
#define BYSTANDER   5

typedef struct {
    Store *stores[WRITERS_MAX];
    EffectTape *tapes[WRITERS_MAX];
    int64_t skew_ms[WRITERS_MAX];
    int writers;
    int type; /* -1: all types on the same keys */
    bool declared;
    bool wrong;
    Family family;
    const Family *families[1];
    Dist *value_bytes;
    Rng rng;
    Arena *arena;
    int64_t now_ms;
} History;

static Store *new_store(History *history, uint32_t id, EffectTape *tape)
{
    StoreConfig config = {
        .member_id = id,
        .member_count = (uint32_t)history->writers,
        .families = history->families,
        .family_count = history->declared ? 1 : 0,
        .wrong_arrival_order = history->wrong,
    };

    if (tape)
        config.sink = effect_tape_sink(tape);
    return store_new(&config);
}

static History *history_new(uint64_t seed, int type, bool declared, bool wrong)
{
    History *history = g_new0(History, 1);

    history->rng = rng_stream(seed, "laws");
    history->writers = 2 + (int)rng_below(&history->rng, WRITERS_MAX - 1);
    history->type = type;
    history->declared = declared;
    history->wrong = wrong;
    history->arena = arena_new();
    history->value_bytes = dist_new_constant(120);
    history->family =
        (Family){.name = "f",
                 .type = (int8_t)type,
                 .key_count = 3,
                 .kept_count = 3,
                 .hot_count = 3,
                 .weight = 1,
                 .base = 100,
                 .field_count = 4,
                 .value_bytes = history->value_bytes,
                 .ttl_ns = (int64_t)rng_below(&history->rng, 2) * 300 * SIM_MS,
                 .retention = rng_below(&history->rng, 2) ? RETENTION_KEY : RETENTION_OP,
                 .salt = seed};
    history->families[0] = &history->family;
    for (int i = 0; i < history->writers; i++) {
        history->skew_ms[i] = (int64_t)rng_below(&history->rng, 20);
        history->tapes[i] = effect_tape_new();
        history->stores[i] = new_store(history, (uint32_t)i + 1, history->tapes[i]);
    }
    return history;
}

static void history_free(History *history)
{
    for (int i = 0; i < history->writers; i++) {
        store_free(history->stores[i]);
        effect_tape_free(history->tapes[i]);
    }
    dist_free(history->value_bytes);
    arena_free(history->arena);
    g_free(history);
}

static Reply execute_line(History *history, Store *store, const char *line, WallTime now)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Command command = {.spec = command_find(words[0], strlen(words[0]))};
    Arg args[16];
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    command.args = args;
    for (; words[command.count + 1]; command.count++)
        args[command.count] = (Arg){.kind = ARG_BYTES,
                                    .data = words[command.count + 1],
                                    .bytes = (uint32_t)strlen(words[command.count + 1])};
    EXPECT_FATAL(command.count > 0);
    if (history->declared)
        args[0] = (Arg){.kind = ARG_KEY, .number = 100 + (uint64_t)(words[1][1] - '0')};
    if (history->declared && strcmp(words[0], "SET") == 0) /* as workloads write */
        args[1] =
            (Arg){.kind = ARG_SYNTHETIC, .number = args[1].bytes, .bytes = 40 + args[1].bytes};
    store_execute(store, &command, now, history->arena, &reply);
    return reply;
}

static void draw_line(History *history, char *line, size_t size)
{
    Rng *rng = &history->rng;
    int type = history->type >= 0 ? history->type : (int)rng_below(rng, CRDT_TYPE_COUNT);
    char key[8];

    g_snprintf(key, sizeof(key), "k%d", (int)rng_below(rng, history->declared ? 3 : 2));
    switch (rng_below(rng, 12)) {
    case 0:
        g_snprintf(line, size, "PEXPIRE %s %d", key, 1 + (int)rng_below(rng, 40));
        break;
    case 1:
        g_snprintf(line, size, "PERSIST %s", key);
        break;
    case 2:
        g_snprintf(line, size, "PUBLISH %s message", key); /* must change nothing */
        break;
    default:
        crdt_types[type]->draw(rng, key, line, size);
    }
}

static WallTime wall(const History *history, int member)
{
    return (WallTime){history->now_ms + history->skew_ms[member]};
}

/* Hands member `to` the next effect of origin `from` that it lacks, if there is one. */
static bool deliver(History *history, Store *to, int from)
{
    return effect_tape_play(history->tapes[from], to, (WallTime){history->now_ms});
}

static void history_run(History *history, int steps)
{
    for (int i = 0; i < steps; i++) {
        int member = (int)rng_below(&history->rng, (uint64_t)history->writers);
        int other = (int)rng_below(&history->rng, (uint64_t)history->writers);
        char line[128];

        history->now_ms += (int64_t)rng_below(&history->rng, 3);
        store_expire_due(history->stores[member], wall(history, member));
        if (rng_below(&history->rng, 5) < 2) {
            draw_line(history, line, sizeof(line));
            execute_line(history, history->stores[member], line, wall(history, member));
        } else if (other != member) {
            deliver(history, history->stores[member], other);
        }
    }
}

/* Delivers in random order until store's clock is limit (NULL: everything). */
static void catch_up(History *history, Store *store, const Clock *limit)
{
    bool open[WRITERS_MAX] = {0};
    int open_count = 0;

    for (int i = 0; i < history->writers; i++) {
        uint64_t goal = limit ? limit->seq[i + 1] : effect_tape_count(history->tapes[i]);

        open[i] = store_clock(store)->seq[i + 1] < goal;
        open_count += open[i];
    }
    while (open_count > 0) {
        int from = (int)rng_below(&history->rng, (uint64_t)history->writers);

        if (!open[from])
            continue;
        deliver(history, store, from);
        if (store_clock(store)->seq[from + 1] >=
            (limit ? limit->seq[from + 1] : effect_tape_count(history->tapes[from]))) {
            open[from] = false;
            open_count--;
        }
    }
}

static uint64_t digest_of(const Store *store)
{
    Digest digest = digest_begin();

    store_digest(store, &digest);
    return digest.value;
}

static bool books_equal(const Store *a, const Store *b, uint32_t family)
{
    return memcmp(store_ledger(a, family), store_ledger(b, family), sizeof(StoreLedger)) == 0;
}

/* All members and a bystander agree once they have everything. */
static bool converges(uint64_t seed, int type, bool declared, bool wrong)
{
    History *history = history_new(seed, type, declared, wrong);
    Store *bystander = new_store(history, BYSTANDER, NULL);
    bool equal = true;

    history_run(history, 120);
    catch_up(history, bystander, NULL);
    for (int i = 0; i < history->writers; i++) {
        catch_up(history, history->stores[i], NULL);
        equal &= digest_of(history->stores[i]) == digest_of(bystander);
        equal &= wrong || books_equal(history->stores[i], bystander, 0);
    }
    store_free(bystander);
    history_free(history);
    return equal;
}

static void expect_all(const char *law, bool (*holds)(uint64_t seed, int type, bool declared))
{
    long count = test_count(150, 5000);

    for (int type = -1; type < CRDT_TYPE_COUNT; type++)
        for (int declared = 0; declared < (type >= 0 ? 2 : 1); declared++) {
            long broken = 0;

            for (long seed = 1; seed <= count; seed++)
                if (!holds((uint64_t)seed, type, declared)) {
                    if (broken++ == 0)
                        g_printerr("%s: %s %s, seed %ld\n", law,
                                   type < 0 ? "all types" : crdt_types[type]->head.name,
                                   declared ? "declared" : "born", seed);
                }
            EXPECT_INT(broken, 0);
        }
}

static bool right_converges(uint64_t seed, int type, bool declared)
{
    return converges(seed, type, declared, false);
}

static void test_laws_members_converge(void)
{
    expect_all("converge", right_converges);
}

/* The law can fail: effects that win by arriving last part the members, for each type. */
static void test_laws_arrival_order_breaks_them(void)
{
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        int broken = 0;

        if (crdt_types[type]->body) /* the wrong rule is one of slots */
            continue;
        for (uint64_t seed = 1; seed <= 40; seed++)
            broken += !converges(seed, type, false, true);
        EXPECT(broken > 0);
    }
}

/* Whether two concurrent assignments of a declared string leave the same whichever comes first. */
static bool pair_converges(bool wrong)
{
    History *history = history_new(1, CRDT_STRING, true, wrong);
    Store *stores[2];
    bool same;

    history->family.retention = RETENTION_OP;
    for (uint32_t i = 0; i < 2; i++) {
        stores[i] = new_store(history, BYSTANDER, NULL);
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t member = 1 + (i ^ k);
            Effect effect = {.dot = dot_make(member, 1),
                             .ts.ms = 10 * (int64_t)member,
                             .key = history->family.base,
                             .op = EFFECT_ASSIGN,
                             .type = CRDT_STRING,
                             .element_count = 1,
                             .value = {.kind = VALUE_SYNTHETIC, .number = member, .bytes = 120}};

            EXPECT(store_apply(stores[i], &effect, (WallTime){0}));
        }
    }
    same = digest_of(stores[0]) == digest_of(stores[1]);
    store_free(stores[0]);
    store_free(stores[1]);
    history_free(history);
    return same;
}

/* The wrong rule holds for declared registers too, which have a shorter way of their own. */
static void test_laws_arrival_order_parts_declared_registers(void)
{
    EXPECT(pair_converges(false));
    EXPECT(!pair_converges(true));
}

static bool replay_is_ignored(uint64_t seed, int type, bool declared)
{
    History *history = history_new(seed, type, declared, false);
    Store *bystander = new_store(history, BYSTANDER, NULL);
    uint64_t before;
    bool ignored = true;

    history_run(history, 80);
    catch_up(history, bystander, NULL);
    before = digest_of(bystander);
    for (int i = 0; i < history->writers; i++)
        for (uint64_t seq = 1; seq <= effect_tape_count(history->tapes[i]); seq++)
            ignored &=
                !store_apply(bystander, effect_tape_at(history->tapes[i], seq), (WallTime){0});
    ignored &= digest_of(bystander) == before;
    store_free(bystander);
    history_free(history);
    return ignored;
}

static void test_laws_replay_is_ignored(void)
{
    expect_all("replay", replay_is_ignored);
}

/* A bystander that has random prefixes of each origin. */
static Store *partial(History *history)
{
    Store *store = new_store(history, BYSTANDER, NULL);
    Clock limit = {0};

    for (int i = 0; i < history->writers; i++)
        limit.seq[i + 1] = rng_below(&history->rng, effect_tape_count(history->tapes[i]) + 1);
    catch_up(history, store, &limit);
    return store;
}

static Store *applied(History *history, const Clock *clock)
{
    Store *store = new_store(history, BYSTANDER, NULL);

    catch_up(history, store, clock);
    return store;
}

static bool same(const Store *a, const Store *b)
{
    return digest_of(a) == digest_of(b) &&
           memcmp(store_clock(a), store_clock(b), sizeof(Clock)) == 0 && books_equal(a, b, 0);
}

/* a and b merged either way equal a store that applied what they both know; merging again changes
 * nothing; and what comes later is taken the same. */
static bool merge_equals_apply(uint64_t seed, int type, bool declared)
{
    History *history = history_new(seed, type, declared, false);
    WallTime now = {0};
    Store *a;
    Store *b;
    Store *a_again;
    Store *expected;
    bool equal;

    history_run(history, 100);
    a = partial(history);
    b = partial(history);
    a_again = applied(history, store_clock(a));
    store_merge(a, b, now);
    store_merge(b, a_again, now);
    expected = applied(history, store_clock(a));
    equal = same(a, expected) && same(b, expected);
    store_merge(a, b, now);
    equal &= same(a, expected);
    catch_up(history, a, NULL);
    catch_up(history, b, NULL);
    catch_up(history, expected, NULL);
    equal &= same(a, expected) && same(b, expected);
    store_free(a);
    store_free(b);
    store_free(a_again);
    store_free(expected);
    history_free(history);
    return equal;
}

static void test_laws_merge_equals_apply(void)
{
    expect_all("merge", merge_equals_apply);
}

static bool merge_is_associative(uint64_t seed, int type, bool declared)
{
    History *history = history_new(seed, type, declared, false);
    WallTime now = {0};
    Store *left[3];
    Store *right[3];
    bool equal;

    history_run(history, 100);
    for (int i = 0; i < 3; i++) {
        left[i] = partial(history);
        right[i] = applied(history, store_clock(left[i]));
    }
    store_merge(left[0], left[1], now);
    store_merge(left[0], left[2], now);
    store_merge(right[1], right[2], now);
    store_merge(right[0], right[1], now);
    equal = same(left[0], right[0]);
    for (int i = 0; i < 3; i++) {
        store_free(left[i]);
        store_free(right[i]);
    }
    history_free(history);
    return equal;
}

static void test_laws_merge_is_associative(void)
{
    expect_all("associative", merge_is_associative);
}

static const TestCase cases[] = {
    TEST(test_laws_members_converge),
    TEST(test_laws_arrival_order_breaks_them),
    TEST(test_laws_arrival_order_parts_declared_registers),
    TEST(test_laws_replay_is_ignored),
    TEST(test_laws_merge_equals_apply),
    TEST(test_laws_merge_is_associative),
};
TEST_MAIN("laws", cases)
