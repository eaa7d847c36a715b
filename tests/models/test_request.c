#include "models/geo/request.h"

#include <string.h>

#include "models/data/store.h"
#include "tests/test.h"

#define TYPE_ENTRY(type) #type,
static const char *const types[] = {CRDT_TYPES(TYPE_ENTRY)};
#define TYPES G_N_ELEMENTS(types)

typedef struct {
    Dist *value;
    Family families[TYPES];
    const Family *list[TYPES];
    Store *store;
    uint64_t effects;
} World;

static void count_effect(void *actor, const Effect *effect)
{
    (void)effect;
    ((World *)actor)->effects++;
}

static void world_init(World *world)
{
    StoreConfig config = {.member_id = 1,
                          .families = world->list,
                          .family_count = TYPES,
                          .sink = {.emit = count_effect, .actor = world}};

    memset(world, 0, sizeof *world);
    world->value = dist_new_constant(100);
    for (uint16_t type = 0; type < TYPES; type++) {
        bool single = strcmp(types[type], "string") == 0 || strcmp(types[type], "counter") == 0;

        world->families[type] = (Family){.name = types[type],
                                         .index = type,
                                         .type = (int8_t)type,
                                         .key_count = 100,
                                         .kept_count = 100,
                                         .hot_count = 100,
                                         .weight = 1,
                                         .base = 1000 + 100 * (uint64_t)type,
                                         .field_count = single ? 1 : 5,
                                         .value_bytes = world->value,
                                         .record_bytes = 64};
        world->list[type] = &world->families[type];
    }
    world->store = store_new(&config);
}

static void world_clear(World *world)
{
    store_free(world->store);
    dist_free(world->value);
}

static Reply send(World *world, const Request *request)
{
    Arg args[REQUEST_ARGS_MAX];
    Command command = {.spec = request->spec, .args = args, .count = request_args(request, args)};
    Reply reply = {0};

    store_execute(world->store, &command, (WallTime){1000}, NULL, &reply);
    return reply;
}

static ReplyKind execute(World *world, const CommandSpec *spec, uint16_t type, uint64_t key)
{
    return send(world, &(Request){.spec = spec,
                                  .key = world->families[type].base + key,
                                  .family = type,
                                  .token = 77,
                                  .element = 2,
                                  .element_count = 1,
                                  .value_bytes = 20,
                                  .weight = 1})
        .kind;
}

/* Commands about several keys, absolute times, or what only the value's writer knows have no
 * default form in a workload, and subscriptions need a connection. */
static const char *const without_default_form[] = {"BITOP",
                                                   "BITPOS",
                                                   "BLMOVE",
                                                   "BRPOPLPUSH",
                                                   "COPY",
                                                   "DISCARD",
                                                   "EXEC",
                                                   "EXPIREAT",
                                                   "GEORADIUS",
                                                   "GEORADIUSBYMEMBER",
                                                   "GEORADIUSBYMEMBER_RO",
                                                   "GEORADIUS_RO",
                                                   "GEOSEARCH",
                                                   "GEOSEARCHSTORE",
                                                   "JSON.ARRAPPEND",
                                                   "JSON.ARRINDEX",
                                                   "JSON.ARRINSERT",
                                                   "JSON.ARRLEN",
                                                   "JSON.ARRPOP",
                                                   "JSON.ARRTRIM",
                                                   "JSON.MSET",
                                                   "JSON.NUMINCRBY",
                                                   "JSON.NUMMULTBY",
                                                   "JSON.OBJKEYS",
                                                   "JSON.OBJLEN",
                                                   "JSON.STRAPPEND",
                                                   "LCS",
                                                   "LINSERT",
                                                   "LMOVE",
                                                   "LMPOP",
                                                   "LREM",
                                                   "MULTI",
                                                   "OBJECT",
                                                   "PEXPIREAT",
                                                   "PFMERGE",
                                                   "PSETEX",
                                                   "PSUBSCRIBE",
                                                   "PUBSUB",
                                                   "PUNSUBSCRIBE",
                                                   "RENAME",
                                                   "RENAMENX",
                                                   "RPOPLPUSH",
                                                   "SDIFFSTORE",
                                                   "SETEX",
                                                   "SINTERSTORE",
                                                   "SMOVE",
                                                   "SSUBSCRIBE",
                                                   "SUBSCRIBE",
                                                   "SUNIONSTORE",
                                                   "SUNSUBSCRIBE",
                                                   "UNSUBSCRIBE",
                                                   "WATCH",
                                                   "XAUTOCLAIM",
                                                   "XCLAIM",
                                                   "XGROUP",
                                                   "XINFO",
                                                   "XPENDING",
                                                   "XREADGROUP",
                                                   "XSETID",
                                                   "XTRIM",
                                                   "ZDIFFSTORE",
                                                   "ZINTERSTORE",
                                                   "ZRANGESTORE",
                                                   "ZUNIONSTORE"};

static bool has_no_default_form(const CommandSpec *spec)
{
    for (size_t i = 0; i < G_N_ELEMENTS(without_default_form); i++)
        if (strcmp(spec->name, without_default_form[i]) == 0)
            return true;
    return false;
}

/* Every command gets arguments it can work with on keys of one type at least. */
static void test_every_command_runs_with_its_shape(void)
{
    World world;

    world_init(&world);
    for (size_t i = 0; i < command_count(); i++) {
        const CommandSpec *spec = command_at(i);
        bool ran = false;

        for (uint16_t type = 0; type < TYPES; type++)
            ran |= execute(&world, spec, type, i % 100) != REPLY_ERROR;
        if (!ran && !has_no_default_form(spec))
            g_printerr("%s fails on every type\n", spec->name);
        EXPECT(ran || has_no_default_form(spec));
    }
    world_clear(&world);
}

/* A cold standby fills keys of any type with its command. */
static void test_every_type_has_a_command_that_loads_it(void)
{
    World world;

    world_init(&world);
    for (uint16_t type = 0; type < TYPES; type++) {
        const char *name = crdt_types[type]->load_command;
        const CommandSpec *spec = name ? command_find(name, strlen(name)) : NULL;

        EXPECT_FATAL(spec != NULL);
        EXPECT(execute(&world, spec, type, 1) != REPLY_ERROR);
    }
    world_clear(&world);
}

static void test_usual_writes_make_one_effect_each(void)
{
    static const struct {
        const char *command, *type;
    } writes[] = {{"SET", "string"}, {"INCR", "counter"}, {"INCRBY", "counter"},  {"HSET", "hash"},
                  {"HDEL", "hash"},  {"HINCRBY", "hash"}, {"SADD", "set"},        {"SREM", "set"},
                  {"ZADD", "zset"},  {"ZINCRBY", "zset"}, {"ZREM", "zset"},       {"DEL", "hash"},
                  {"DEL", "zset"},   {"DEL", "string"},   {"SETRANGE", "string"}, {"LPOP", "list"},
                  {"LMPOP", "list"}, {"ZPOPMIN", "zset"}, {"ZMPOP", "zset"}};
    World world;

    world_init(&world);
    for (size_t i = 0; i < G_N_ELEMENTS(writes); i++) {
        const CommandSpec *spec = command_find(writes[i].command, strlen(writes[i].command));
        uint16_t type = 0;

        while (strcmp(types[type], writes[i].type) != 0)
            type++;
        world.effects = 0;
        EXPECT(execute(&world, spec, type, i) != REPLY_ERROR);
        if (world.effects != 1)
            g_printerr("%s on %s\n", writes[i].command, writes[i].type);
        EXPECT_INT(world.effects, 1);
    }
    world_clear(&world);
}

static Reply send_spot(World *world, const char *name, uint16_t type, uint32_t spot, uint32_t bytes)
{
    return send(world, &(Request){.spec = command_find(name, strlen(name)),
                                  .key = world->families[type].base,
                                  .element = spot,
                                  .value_bytes = bytes});
}

/* Five elements: each fifth of the numbers a workload draws is one of them. */
static void test_a_spot_is_a_share_of_the_elements_that_are_there(void)
{
    World world;

    world_init(&world);
    for (uint32_t i = 0; i < 5; i++)
        EXPECT(send_spot(&world, "LSET", CRDT_LIST, i * 858993460U, 300 + i).kind != REPLY_ERROR);
    for (uint32_t i = 0; i < 5; i++)
        EXPECT_INT(send_spot(&world, "LINDEX", CRDT_LIST, (i + 1) * 858993459U, 0).bytes, 300 + i);
    world_clear(&world);
}

/* What is written to the last spot of 100 bytes is within them. */
static void test_a_patch_lengthens_no_value_it_fits_in(void)
{
    World world;

    world_init(&world);
    EXPECT(send_spot(&world, "SETRANGE", CRDT_STRING, UINT32_MAX, 20).kind != REPLY_ERROR);
    EXPECT(send_spot(&world, "SETBIT", CRDT_STRING, UINT32_MAX, 20).kind != REPLY_ERROR);
    EXPECT_INT(send_spot(&world, "STRLEN", CRDT_STRING, 0, 0).integer, 100);
    world_clear(&world);
}

static void test_outcomes_have_names(void)
{
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        EXPECT(outcome_name((Outcome)outcome) != NULL);
    EXPECT_TEXT(outcome_name(OUTCOME_OOM), "oom");
}

static const TestCase cases[] = {
    TEST(test_every_command_runs_with_its_shape),
    TEST(test_every_type_has_a_command_that_loads_it),
    TEST(test_usual_writes_make_one_effect_each),
    TEST(test_a_spot_is_a_share_of_the_elements_that_are_there),
    TEST(test_a_patch_lengthens_no_value_it_fits_in),
    TEST(test_outcomes_have_names),
};
TEST_MAIN("request", cases)
