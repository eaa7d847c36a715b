/* Commands on HyperLogLogs at one member.  Replies and errors are those of redis-server 7.0.15. */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/hll.h"
#include "models/data/store.h"

typedef struct {
    Store *store;
    Arena *arena;
    Family family;
    const Family *list[1];
    int64_t now_ms;
    int effect_count;
} Fixture;

static void count_effect(void *actor, const Effect *effect)
{
    Fixture *f = actor;

    (void)effect;
    f->effect_count++;
}

/* Keys 0 to 9 are declared sketches; 0 to 4 hold the tokens 0 to 199 from the start,
 * half of what PFADD draws from. */
static void fixture_begin(Fixture *f)
{
    static const uint64_t prefilled[1] = {0x1f};
    StoreConfig config = {.member_id = 1,
                          .member_count = 1,
                          .family_count = 1,
                          .sink = {.emit = count_effect, .actor = f}};

    *f = (Fixture){.arena = arena_new()};
    f->family = (Family){.name = "visitors",
                         .type = CRDT_HYPERLOGLOG,
                         .key_count = 10,
                         .kept_count = 10,
                         .hot_count = 10,
                         .weight = 1,
                         .field_count = 400,
                         .prefilled = prefilled};
    f->list[0] = &f->family;
    config.families = f->list;
    f->store = store_new(&config);
}

static void fixture_end(Fixture *f)
{
    store_free(f->store);
    arena_free(f->arena);
}

static Reply run(Fixture *f, const char *name, const Arg *args, uint32_t count)
{
    Command command = {.spec = command_find(name, strlen(name)), .args = args, .count = count};
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    store_execute(f->store, &command, (WallTime){f->now_ms}, f->arena, &reply);
    return reply;
}

static Reply run_line(Fixture *f, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Arg args[24];
    uint32_t count = 0;

    for (; words[count + 1]; count++)
        args[count] = (Arg){.kind = ARG_BYTES,
                            .data = words[count + 1],
                            .bytes = (uint32_t)strlen(words[count + 1])};
    return run(f, words[0], args, count);
}

static void expect_integer(Fixture *f, const char *line, int64_t expected)
{
    Reply reply = run_line(f, line);

    if (reply.kind != REPLY_INTEGER || reply.integer != expected)
        g_printerr("%s: %s\n", line, reply.text ? reply.text : "");
    EXPECT_INT(reply.kind, REPLY_INTEGER);
    EXPECT_INT(reply.integer, expected);
}

static void expect_text(Fixture *f, const char *line, const char *expected)
{
    Reply reply = run_line(f, line);

    EXPECT_TEXT(reply.text, expected);
}

static void test_hyperloglog_replies_are_those_of_redis(void)
{
    Fixture f;

    fixture_begin(&f);
    expect_integer(&f, "PFCOUNT none", 0);
    expect_integer(&f, "PFADD k", 1);
    expect_integer(&f, "PFADD k", 0);
    expect_integer(&f, "PFCOUNT k", 0);
    expect_integer(&f, "EXISTS k", 1);
    expect_integer(&f, "PFADD k a b c", 1);
    expect_integer(&f, "PFADD k c b", 0);
    expect_integer(&f, "PFADD other c d", 1);
    expect_integer(&f, "PFCOUNT k", 3);
    expect_integer(&f, "PFCOUNT k other none", 4);
    expect_text(&f, "PFMERGE all k other none", "OK");
    expect_integer(&f, "PFCOUNT all", 4);
    expect_text(&f, "PFMERGE fresh", "OK");
    expect_integer(&f, "EXISTS fresh", 1);
    expect_text(&f, "TYPE k", "string");
    expect_text(&f, "RENAME all moved", "OK");
    expect_integer(&f, "EXISTS all", 0);
    expect_integer(&f, "COPY moved copied", 1);
    expect_integer(&f, "PFCOUNT moved", 4);
    expect_integer(&f, "PFCOUNT copied", 4);
    expect_integer(&f, "DEL k", 1);
    expect_integer(&f, "EXISTS k", 0);
    expect_integer(&f, "PFADD k z", 1);
    expect_integer(&f, "PFCOUNT k", 1);
    fixture_end(&f);
}

static void test_hyperloglog_errors_are_those_of_redis(void)
{
    const char *no_sketch = "WRONGTYPE Key is not a valid HyperLogLog string value.";
    const char *wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
    Fixture f;

    fixture_begin(&f);
    run_line(&f, "SET text hello");
    run_line(&f, "INCR number");
    run_line(&f, "SADD set a");
    run_line(&f, "PFADD k a");
    expect_text(&f, "PFADD text a", no_sketch);
    expect_text(&f, "PFCOUNT number", no_sketch);
    expect_text(&f, "PFCOUNT k text", no_sketch);
    expect_text(&f, "PFMERGE text k", no_sketch);
    expect_text(&f, "PFADD set a", wrong_type);
    expect_text(&f, "PFCOUNT k set", wrong_type);
    expect_text(&f, "PFMERGE k set", wrong_type);
    expect_text(&f, "SADD k a", wrong_type);
    expect_text(&f, "PFADD", "ERR wrong number of arguments for 'pfadd' command");
    expect_text(&f, "PFCOUNT", "ERR wrong number of arguments for 'pfcount' command");
    expect_integer(&f, "PFCOUNT k", 1);
    fixture_end(&f);
}

/* What changes nothing ships nothing; what adds much ships one effect. */
static void test_hyperloglog_one_command_is_at_most_one_effect(void)
{
    Arg args[300];
    char names[300][8];
    Fixture f;

    fixture_begin(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(args); i++) {
        g_snprintf(names[i], sizeof(names[i]), "e%u", i);
        args[i] = (Arg){.kind = ARG_BYTES, .data = names[i], .bytes = (uint32_t)strlen(names[i])};
    }
    EXPECT_INT(run(&f, "PFADD", args, G_N_ELEMENTS(args)).integer, 1);
    EXPECT_INT(f.effect_count, 1);
    EXPECT_INT(run(&f, "PFADD", args, G_N_ELEMENTS(args)).integer, 0);
    run_line(&f, "PFMERGE e0 e0");
    expect_integer(&f, "PFCOUNT e0", 301);
    EXPECT_INT(f.effect_count, 1);
    fixture_end(&f);
}

static void test_hyperloglog_get_and_set_carry_the_sketch(void)
{
    Arg set[2] = {{.kind = ARG_BYTES, .data = "copy", .bytes = 4}, {.kind = ARG_BYTES}};
    Reply reply;
    Fixture f;

    fixture_begin(&f);
    run_line(&f, "PFADD k a b c d e f g");
    reply = run_line(&f, "GET k");
    EXPECT_INT(reply.kind, REPLY_BULK);
    EXPECT_INT(reply.bytes, 38);
    set[1].data = reply.text;
    set[1].bytes = (uint32_t)reply.bytes;
    run_line(&f, "SET copy plain");
    run(&f, "SET", set, 2);
    expect_integer(&f, "PFCOUNT copy", 7);
    expect_integer(&f, "PFADD copy a g", 0);
    run_line(&f, "PFADD copy more");
    run(&f, "SET", set, 2);
    expect_integer(&f, "PFCOUNT copy", 7);
    expect_text(&f, "STRLEN copy",
                "WRONGTYPE Operation against a key holding the wrong kind of "
                "value");
    expect_text(&f, "SET copy plain", "OK");
    expect_text(&f, "GET copy", "plain");
    run_line(&f, "SADD set a");
    expect_text(&f, "GET set", "WRONGTYPE Operation against a key holding the wrong kind of value");
    fixture_end(&f);
}

/* SET with GET shows the sketch there was, and KEEPTTL its deadline. */
static void test_hyperloglog_set_options_hold_for_sketches(void)
{
    Arg set[4] = {{.kind = ARG_BYTES, .data = "k", .bytes = 1},
                  {.kind = ARG_BYTES},
                  {.kind = ARG_BYTES, .data = "GET", .bytes = 3},
                  {.kind = ARG_BYTES, .data = "KEEPTTL", .bytes = 7}};
    Reply sketch, reply;
    Fixture f;

    fixture_begin(&f);
    run_line(&f, "PFADD k a b c");
    run_line(&f, "EXPIRE k 100");
    sketch = run_line(&f, "GET k");
    set[1].data = sketch.text;
    set[1].bytes = (uint32_t)sketch.bytes;
    run_line(&f, "PFADD k d");
    reply = run(&f, "SET", set, 4);
    EXPECT_INT(reply.kind, REPLY_BULK);
    EXPECT(reply.bytes > sketch.bytes);
    expect_integer(&f, "PFCOUNT k", 3);
    expect_integer(&f, "TTL k", 100);
    run(&f, "SET", set, 3);
    expect_integer(&f, "TTL k", -1);
    run_line(&f, "SET k plain EX 50"); /* a string's deadline too */
    EXPECT_INT(run(&f, "SET", set, 4).kind, REPLY_BULK);
    expect_integer(&f, "PFCOUNT k", 3);
    expect_integer(&f, "TTL k", 50);
    fixture_end(&f);
}

/* Bytes that begin as a sketch and break off are kept as a string, and named for what they are. */
static void test_hyperloglog_corrupt_sketch_is_told_from_a_string(void)
{
    Arg set[2] = {{.kind = ARG_BYTES, .data = "k", .bytes = 1}, {.kind = ARG_BYTES}};
    Reply sketch;
    Fixture f;

    fixture_begin(&f);
    run_line(&f, "PFADD k a b c");
    sketch = run_line(&f, "GET k");
    set[1].data = sketch.text;
    set[1].bytes = (uint32_t)sketch.bytes - 2;
    run(&f, "SET", set, 2);
    expect_text(&f, "PFCOUNT k", "INVALIDOBJ Corrupted HLL object detected");
    set[1].bytes = 3; /* of the header */
    run(&f, "SET", set, 2);
    expect_text(&f, "PFCOUNT k", "WRONGTYPE Key is not a valid HyperLogLog string value.");
    fixture_end(&f);
}

static void test_hyperloglog_expires_like_any_key(void)
{
    Fixture f;

    fixture_begin(&f);
    run_line(&f, "PFADD k a");
    expect_integer(&f, "PEXPIRE k 100", 1);
    f.now_ms = 99;
    expect_integer(&f, "PFCOUNT k", 1);
    f.now_ms = 100;
    expect_integer(&f, "PFCOUNT k", 0);
    EXPECT_INT(run_line(&f, "GET k").kind, REPLY_NIL);
    expect_integer(&f, "PFADD k b", 1);
    expect_integer(&f, "PFCOUNT k", 1);
    expect_integer(&f, "TTL k", -1);
    fixture_end(&f);
}

/* A workload's arguments: tokens are counted as the text they stand for. */
static void test_hyperloglog_declared_keys_count_tokens(void)
{
    Arg key = {.kind = ARG_KEY, .number = 0};
    Arg add[2] = {{.kind = ARG_KEY, .number = 7}, {.kind = ARG_ELEMENT, .number = 3, .count = 2}};
    g_auto(Hll) whole = {0};
    Fixture f;

    fixture_begin(&f);
    for (uint64_t token = 0; token < 200; token++)
        hll_raise(&whole, hll_hash_token(token));
    EXPECT_INT(run(&f, "PFCOUNT", &key, 1).integer, hll_count(&whole));
    key.number = 7;
    EXPECT_INT(run(&f, "PFCOUNT", &key, 1).integer, 0);
    EXPECT_INT(run(&f, "PFADD", add, 2).integer, 1); /* creates it with these alone */
    EXPECT_INT(run(&f, "PFCOUNT", &key, 1).integer, 2);
    EXPECT_INT(run(&f, "PFADD", add, 2).integer, 0);
    EXPECT_INT(run(&f, "DEL", &key, 1).integer, 1);
    EXPECT_INT(run(&f, "PFCOUNT", &key, 1).integer, 0);
    fixture_end(&f);
}

/* A sketch of the start knows the first half of what a workload draws, and learns the rest. */
static void test_hyperloglog_declared_keys_start_with_half(void)
{
    Arg add[2] = {{.kind = ARG_KEY, .number = 0}, {.kind = ARG_ELEMENT, .count = 1}};
    int64_t risen = 0;
    Fixture f;

    fixture_begin(&f);
    for (add[1].number = 0; add[1].number < 200; add[1].number++)
        EXPECT_INT(run(&f, "PFADD", add, 2).integer, 0);
    for (; add[1].number < 400; add[1].number++)
        risen += run(&f, "PFADD", add, 2).integer;
    EXPECT(risen > 180); /* some meet a register that is as high already */
    EXPECT_INT(f.effect_count, risen);
    fixture_end(&f);
}

static const TestCase cases[] = {
    TEST(test_hyperloglog_replies_are_those_of_redis),
    TEST(test_hyperloglog_errors_are_those_of_redis),
    TEST(test_hyperloglog_one_command_is_at_most_one_effect),
    TEST(test_hyperloglog_get_and_set_carry_the_sketch),
    TEST(test_hyperloglog_set_options_hold_for_sketches),
    TEST(test_hyperloglog_corrupt_sketch_is_told_from_a_string),
    TEST(test_hyperloglog_expires_like_any_key),
    TEST(test_hyperloglog_declared_keys_count_tokens),
    TEST(test_hyperloglog_declared_keys_start_with_half),
};
TEST_MAIN("hyperloglog", cases)
