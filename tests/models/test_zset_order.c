/* The order of large sorted sets, kept, is what sorting them anew gives: after every step of random
 * histories of three members that write, exchange effects in any order across origins, and merge
 * whole states. */
#include "tests/effect_tape.h"
#include "tests/test.h"

#include <string.h>

#include "models/data/zset_order.h"

#define MEMBERS 3
#define FIELDS  90
#define NAMES   150

typedef struct {
    Store *stores[MEMBERS];
    EffectTape *tapes[MEMBERS];
    Family family;
    const Family *families[1];
    Dist *value_bytes;
    Rng rng;
    Arena *arena;
    long indexed; /* looks at an order that had been kept since an earlier one */
} Group;

static Group *group_new(uint64_t seed)
{
    Group *group = g_new0(Group, 1);

    group->rng = rng_stream(seed, "zset-order");
    group->arena = arena_new();
    group->value_bytes = dist_new_constant(720);
    group->family = (Family){.name = "f",
                             .type = CRDT_ZSET,
                             .key_count = 2,
                             .kept_count = 2,
                             .hot_count = 2,
                             .weight = 1,
                             .field_count = FIELDS,
                             .value_bytes = group->value_bytes,
                             .retention = RETENTION_OP,
                             .salt = seed};
    group->families[0] = &group->family;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        group->tapes[i] = effect_tape_new();
        group->stores[i] = store_new(&(StoreConfig){.member_id = i + 1,
                                                    .member_count = MEMBERS,
                                                    .families = group->families,
                                                    .family_count = 1,
                                                    .sink = effect_tape_sink(group->tapes[i])});
    }
    return group;
}

static void group_free(Group *group)
{
    for (int i = 0; i < MEMBERS; i++) {
        store_free(group->stores[i]);
        effect_tape_free(group->tapes[i]);
    }
    dist_free(group->value_bytes);
    arena_free(group->arena);
    g_free(group);
}

/* Key 0 is born, 1 and 2 are declared. */
static Reply execute(Group *group, Store *store, uint32_t key, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Command command = {.spec = command_find(words[0], strlen(words[0]))};
    Arg args[8] = {{.kind = ARG_BYTES, .data = "born", .bytes = 4}};
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    if (key > 0)
        args[0] = (Arg){.kind = ARG_KEY, .number = key - 1};
    command.args = args;
    for (command.count = 1; words[command.count]; command.count++)
        args[command.count] = (Arg){.kind = ARG_BYTES,
                                    .data = words[command.count],
                                    .bytes = (uint32_t)strlen(words[command.count])};
    store_execute(store, &command, (WallTime){1000}, group->arena, &reply);
    return reply;
}

static void write_something(Group *group, Store *store, uint32_t key)
{
    Rng *rng = &group->rng;
    unsigned element = (unsigned)rng_below(rng, NAMES);
    unsigned score = (unsigned)rng_below(rng, 40); /* many tie */
    char line[64];

    switch (rng_below(rng, 60)) {
    case 0:
        g_snprintf(line, sizeof(line), "ZPOPMIN 3");
        break;
    case 1:
        g_snprintf(line, sizeof(line), "ZPOPMAX");
        break;
    case 2:
        g_snprintf(line, sizeof(line), "ZREMRANGEBYSCORE %u (%u", score, score + 2);
        break;
    case 3:
        g_snprintf(line, sizeof(line), "ZREMRANGEBYRANK -4 -3");
        break;
    case 4:
        g_snprintf(line, sizeof(line), "ZADD %s e%u", score % 2 ? "inf" : "-inf", element);
        break;
    case 5:
        g_snprintf(line, sizeof(line), rng_below(rng, 8) == 0 ? "DEL" : "ZCARD");
        break;
    default:
        if (rng_below(rng, 4) == 0)
            g_snprintf(line, sizeof(line), "ZREM e%u", element);
        else if (rng_below(rng, 2) == 0)
            g_snprintf(line, sizeof(line), "ZINCRBY %u.5 e%u", score, element);
        else
            g_snprintf(line, sizeof(line), "ZADD %u e%u", score, element);
    }
    execute(group, store, key, line);
}

static void step(Group *group)
{
    int member = (int)rng_below(&group->rng, MEMBERS);
    int other = (int)rng_below(&group->rng, MEMBERS);
    Store *store = group->stores[member];

    if (rng_below(&group->rng, 400) == 0 && other != member)
        store_merge(store, group->stores[other], (WallTime){0});
    if (rng_below(&group->rng, 2) == 0) {
        write_something(group, store, (uint32_t)rng_below(&group->rng, 3));
    } else if (other != member) {
        for (int i = 0; i < 3 && effect_tape_play(group->tapes[other], store, (WallTime){0}); i++)
            ;
    }
}

static Key find_key(Store *store, uint32_t key)
{
    Key found;

    if (key > 0 && key_of_id(store, key - 1, &found))
        return found;
    return key_of_name(store, (PayloadText){"born", 4}, name_hash("born", 4));
}

static GArray *sort_anew(Store *store, const Key *key)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(Scored));
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    while (key_next_slot(store, key, CRDT_ZSET, &cursor, &ref, &slot)) {
        SlotView view = slot_view(&store->world.pool, slot);
        Scored item = {view_score(&view), ref};

        if (view.present)
            g_array_append_val(items, item);
    }
    zset_sort((Scored *)(void *)items->data, items->len);
    return items;
}

static bool order_is_right(Group *group, Store *store, uint32_t which)
{
    Key key = find_key(store, which);
    CommandRun run = {.store = store};
    g_autoptr(GArray) expected = sort_anew(store, &key);
    ZsetOrder order;
    bool right;

    group->indexed += key_order(&key, CRDT_ZSET) != NULL;
    zset_order_open(&run, &key, true, &order);
    right = order.count == expected->len && (order.count <= ZSET_FEW || order.index);
    for (uint32_t rank = 0; right && rank < order.count; rank++) {
        Scored item = zset_order_at(&order, rank);

        right = scored_compare(&item, &g_array_index(expected, Scored, rank)) == 0;
    }
    return right;
}

static long score_count(const GArray *items, double low, double high)
{
    long count = 0;

    for (uint32_t i = 0; i < items->len; i++)
        count += g_array_index(items, Scored, i).score >= low &&
                 g_array_index(items, Scored, i).score <= high;
    return count;
}

/* What the commands say of the born key. */
static bool replies_are_right(Group *group, Store *store)
{
    Key key = find_key(store, 0);
    g_autoptr(GArray) expected = sort_anew(store, &key);
    g_autofree char *name = NULL;
    g_autofree char *line = NULL;
    const Scored *item;
    uint32_t rank;
    bool right;

    if (expected->len == 0)
        return execute(group, store, 0, "ZRANK e1").kind == REPLY_NIL;
    rank = (uint32_t)rng_below(&group->rng, expected->len);
    item = &g_array_index(expected, Scored, rank);
    name = g_strndup(item->ref.name.data, item->ref.name.bytes);
    line = g_strdup_printf("ZRANK %s", name);
    right = execute(group, store, 0, line).integer == rank;
    g_free(line);
    line = g_strdup_printf("ZREVRANK %s", name);
    right &= execute(group, store, 0, line).integer == expected->len - 1 - rank;
    right &= execute(group, store, 0, "ZCOUNT 5 20").integer == score_count(expected, 5, 20);
    return right && execute(group, store, 0, "ZREVRANGEBYSCORE 30 10").count ==
                        (uint32_t)score_count(expected, 10, 30);
}

static void test_order_kept_is_the_order_sorted(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(4, 100); seed++) {
        Group *group = group_new(seed);
        long wrong = 0;

        for (int i = 0; i < 4000 && wrong == 0; i++) {
            step(group);
            for (int member = 0; member < MEMBERS; member++) {
                uint32_t key = (uint32_t)rng_below(&group->rng, 3);

                wrong += !order_is_right(group, group->stores[member], key);
                if (i % 16 == 0)
                    wrong += !replies_are_right(group, group->stores[member]);
            }
            arena_free(group->arena);
            group->arena = arena_new();
        }
        EXPECT_INT(wrong, 0);
        EXPECT(group->indexed > 4000); /* else nothing was shown */
        group_free(group);
    }
}

static void fill(Group *group, Store *store)
{
    for (unsigned i = 0; i < 100; i++) {
        char line[32];

        g_snprintf(line, sizeof(line), "ZADD %u e%u", i * 37 % 100, i);
        execute(group, store, 0, line);
    }
}

static bool keeps_order(Store *store)
{
    Key key = find_key(store, 0);

    return key_order(&key, CRDT_ZSET) != NULL;
}

static void test_no_order_is_kept_before_it_is_asked_for(void)
{
    Group *group = group_new(1);
    Store *store = group->stores[0];

    fill(group, store);
    execute(group, store, 0, "ZSCORE e1");
    execute(group, store, 0, "ZINCRBY 1 e1");
    EXPECT(!keeps_order(store));
    execute(group, store, 0, "ZRANK e1");
    EXPECT(keeps_order(store));
    group_free(group);
}

static void test_order_goes_with_the_key(void)
{
    static const char *const ends[] = {"DEL", "ZREMRANGEBYRANK 0 -1", "ZPOPMAX 100"};
    Group *group = group_new(1);
    Store *store = group->stores[0];

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        fill(group, store);
        EXPECT_INT(execute(group, store, 0, "ZRANK e1").integer, 37);
        execute(group, store, 0, ends[i]);
        EXPECT(!keeps_order(store));
        EXPECT(execute(group, store, 0, "ZRANK e1").kind == REPLY_NIL);
    }
    group_free(group);
}

static const TestCase cases[] = {
    TEST(test_order_kept_is_the_order_sorted),
    TEST(test_no_order_is_kept_before_it_is_asked_for),
    TEST(test_order_goes_with_the_key),
};
TEST_MAIN("zset_order", cases)
