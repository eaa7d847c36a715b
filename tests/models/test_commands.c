/* Commands at one member: replies and errors as Redis 7, declared keys, books, deadlines. */
#include "tests/test.h"

#include <string.h>

#include "models/data/store.h"

typedef struct {
    Store *store;
    Arena *arena;
    Family families[3];
    const Family *list[3];
    Dist *bytes;
    int64_t now_ms;
    Effect last;
    int effect_count;
} Fixture;

static void count_effect(void *actor, const Effect *effect)
{
    Fixture *f = actor;

    f->last = *effect;
    f->effect_count++;
}

static void fixture_begin(Fixture *f)
{
    static const int types[3] = {CRDT_STRING, CRDT_HASH, CRDT_ZSET};
    StoreConfig config = {.member_id = 1,
                          .member_count = 1,
                          .family_count = 3,
                          .sink = {.emit = count_effect, .actor = f}};

    *f = (Fixture){.arena = arena_new(), .bytes = dist_new_constant(120)};
    for (int i = 0; i < 3; i++) {
        f->families[i] = (Family){.name = "f",
                                  .index = (uint16_t)i,
                                  .type = (int8_t)types[i],
                                  .key_count = 10,
                                  .kept_count = 10,
                                  .hot_count = 2,
                                  .weight = 4,
                                  .base = (uint64_t)i * 100,
                                  .field_count = i == 0 ? 1 : 4,
                                  .value_bytes = f->bytes,
                                  .salt = 5};
        f->list[i] = &f->families[i];
    }
    f->families[1].ttl_ns = 10 * SIM_S;
    config.families = f->list;
    f->store = store_new(&config);
}

static void fixture_end(Fixture *f)
{
    store_free(f->store);
    arena_free(f->arena);
    dist_free(f->bytes);
}

static void print(const Reply *reply, GString *out)
{
    if (reply->kind == REPLY_NIL)
        g_string_append(out, "nil");
    else if (reply->kind == REPLY_INTEGER)
        g_string_append_printf(out, ":%" G_GINT64_FORMAT, reply->integer);
    else if (reply->kind == REPLY_BULK)
        g_string_append_printf(out, "\"%s\"", reply->text ? reply->text : "~");
    else if (reply->kind != REPLY_ARRAY)
        g_string_append_printf(out, "%c%s", reply->kind == REPLY_ERROR ? '-' : '+', reply->text);
    for (uint32_t i = 0; reply->kind == REPLY_ARRAY && i <= reply->count; i++) {
        g_string_append(out, i == reply->count ? "]" : i == 0 ? "[" : " ");
        if (i < reply->count)
            print(&reply->items[i], out);
        if (i == 0 && reply->count == 0)
            g_string_prepend_c(out, '[');
    }
}

static void expect(Fixture *f, const char *line, const char *expected)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    Command command = {.spec = command_find(words[0], strlen(words[0]))};
    Arg args[24];
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    command.args = args;
    for (; words[command.count + 1]; command.count++) {
        const char *word = words[command.count + 1];

        args[command.count] =
            (Arg){.kind = ARG_BYTES, .data = word, .bytes = (uint32_t)strlen(word)};
    }
    store_execute(f->store, &command, (WallTime){f->now_ms}, f->arena, &reply);
    print(&reply, text);
    if (strcmp(text->str, expected) != 0)
        g_printerr("%s\n", line);
    EXPECT_TEXT(text->str, expected);
}

typedef struct {
    const char *line, *reply;
} Exchange;

static void expect_all(const Exchange *exchanges)
{
    Fixture f;

    fixture_begin(&f);
    for (; exchanges->line; exchanges++)
        expect(&f, exchanges->line, exchanges->reply);
    fixture_end(&f);
}

static void test_commands_string(void)
{
    expect_all((const Exchange[]){{"SET k hello", "+OK"},
                                  {"GET k", "\"hello\""},
                                  {"GET none", "nil"},
                                  {"SET k x NX", "nil"},
                                  {"SET none x XX", "nil"},
                                  {"SET k world GET", "\"hello\""},
                                  {"APPEND k !!", ":7"},
                                  {"STRLEN k", ":7"},
                                  {"SETRANGE k 1 OO", ":7"},
                                  {"GET k", "\"wOOld!!\""},
                                  {"GETRANGE k -3 -1", "\"d!!\""},
                                  {"GETRANGE k 5 2", "\"\""},
                                  {"GETDEL k", "\"wOOld!!\""},
                                  {"EXISTS k", ":0"},
                                  {"MSET a 1 b 2", "+OK"},
                                  {"MGET a c b", "[\"1\" nil \"2\"]"},
                                  {"SETNX a 9", ":0"},
                                  {"GETSET a 3", "\"1\""},
                                  {"SET a 1 EX 0", "-ERR invalid expire time in 'set' command"},
                                  {"SET a 1 NX XX", "-ERR syntax error"},
                                  {"SET a", "-ERR wrong number of arguments for 'set' command"},
                                  {"SET a 1 BAD", "-ERR syntax error"},
                                  {"SETRANGE a -1 x", "-ERR offset is out of range"},
                                  {"DEL a b nope", ":2"},
                                  {NULL, NULL}});
}

static void test_commands_counter(void)
{
    expect_all((const Exchange[]){
        {"INCR c", ":1"},
        {"INCRBY c 41", ":42"},
        {"DECRBY c 2", ":40"},
        {"DECR c", ":39"},
        {"GET c", "\"39\""},
        {"INCRBYFLOAT c 0.5", "\"39.5\""},
        {"INCR c", "-ERR value is not an integer or out of range"},
        {"INCRBYFLOAT c -0.5", "\"39\""},
        {"INCR c", ":40"},
        {"SET t abc", "+OK"},
        {"INCR t", "-ERR value is not an integer or out of range"},
        {"INCRBYFLOAT t 1", "-ERR value is not a valid float"},
        {"INCRBYFLOAT c inf", "-ERR increment would produce NaN or Infinity"},
        {"INCRBYFLOAT c 1e30", "-ERR increment or decrement would overflow"},
        {"INCRBYFLOAT c nan", "-ERR value is not a valid float"},
        {"INCRBY c 999999999999999999", "-ERR increment or decrement would overflow"},
        {"INCRBY c x", "-ERR value is not an integer or out of range"},
        {"SET n 007", "+OK"},
        {"TYPE c", "+string"},
        {"HGET c f", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
        {NULL, NULL}});
}

static void test_commands_hash(void)
{
    expect_all(
        (const Exchange[]){{"HSET h a 1 b 2", ":2"},
                           {"HSET h a 3", ":0"},
                           {"HGET h a", "\"3\""},
                           {"HMGET h a x", "[\"3\" nil]"},
                           {"HLEN h", ":2"},
                           {"HEXISTS h b", ":1"},
                           {"HSTRLEN h b", ":1"},
                           {"HINCRBY h a 4", ":7"},
                           {"HINCRBYFLOAT h a 0.25", "\"7.25\""},
                           {"HINCRBYFLOAT h a inf", "-ERR value is NaN or Infinity"},
                           {"HINCRBY h a 1", "-ERR hash value is not an integer"},
                           {"HSETNX h a 1", ":0"},
                           {"HDEL h a b zz", ":2"},
                           {"EXISTS h", ":0"},
                           {"HGETALL h", "[]"},
                           {"HSET h a", "-ERR wrong number of arguments for 'hset' command"},
                           {"HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"},
                           {"TYPE h", "+none"},
                           {NULL, NULL}});
}

static void test_commands_list(void)
{
    expect_all((const Exchange[]){{"RPUSH l a b c", ":3"},
                                  {"LPUSH l z y", ":5"},
                                  {"LRANGE l 0 -1", "[\"y\" \"z\" \"a\" \"b\" \"c\"]"},
                                  {"LINSERT l BEFORE a i", ":6"},
                                  {"LPOS l i", ":2"},
                                  {"LSET l -1 d", "+OK"},
                                  {"LSET l 9 d", "-ERR index out of range"},
                                  {"RPOPLPUSH l l", "\"d\""},
                                  {"LTRIM l 0 2", "+OK"},
                                  {"LMPOP 2 none l RIGHT COUNT 2", "[\"l\" [\"z\" \"y\"]]"},
                                  {"RPUSH l d e", ":3"},
                                  {"LREM l -1 d", ":1"},
                                  {"COPY l m", ":1"},
                                  {"RENAME m n", "+OK"},
                                  {"LRANGE n 0 -1", "[\"d\" \"e\"]"},
                                  {"LPOP l -1", "-ERR value is out of range, must be positive"},
                                  {"LPOP l 9", "[\"d\" \"e\"]"},
                                  {"EXISTS l m n", ":1"},
                                  {NULL, NULL}});
}

/* As Redis 7.0 replied to each of them. */
static void test_commands_read_numbers_to_their_last_digit(void)
{
    expect_all(
        (const Exchange[]){{"ZADD z 1e309 m", "-ERR value is not a valid float"},
                           {"ZADD z 1e-5000 m", "-ERR value is not a valid float"},
                           {"ZINCRBY z 123456789012345678 b", "\"1.2345678901234568e+17\""},
                           {"ZINCRBY z 9007199254740993 c", "\"9007199254740992\""},
                           {"ZRANGEBYSCORE z 1e309 inf", "[]"},
                           {"ZADD z 2.5e-20 d", ":1"},
                           {"ZINCRBY z 0 d", "\"2.5e-20\""},
                           {"ZINCRBY z 2.5e-20 d", "\"5e-20\""},
                           {"INCRBYFLOAT f 0.123456789012345678", "\"0.12345678901234568\""},
                           {"INCRBYFLOAT f 1e-5000", "-ERR value is not a valid float"},
                           {"INCRBYFLOAT g 0x10", "\"16\""},
                           {"HINCRBYFLOAT h f 1e5000", "-ERR value is not a valid float"},
                           {"HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity"},
                           {"SET s text", "+OK"},
                           {"INCRBYFLOAT s inf", "-ERR value is not a valid float"},
                           {"SET s -inf", "+OK"},
                           {"INCRBYFLOAT s 1", "-ERR increment would produce NaN or Infinity"},
                           {"RPUSH l 1e-310", ":1"},
                           {"SORT l", "-ERR One or more scores can't be converted into double"},
                           {NULL, NULL}});
}

static void test_commands_set(void)
{
    expect_all((const Exchange[]){{"SADD s a", ":1"},
                                  {"SADD s a b", ":1"},
                                  {"SCARD s", ":2"},
                                  {"SISMEMBER s b", ":1"},
                                  {"SMISMEMBER s a z", "[:1 :0]"},
                                  {"SREM s z a", ":1"},
                                  {"SMEMBERS s", "[\"b\"]"},
                                  {"SADD t b", ":1"},
                                  {"SINTER s t", "[\"b\"]"},
                                  {"SDIFF s t", "[]"},
                                  {"SUNION s t none", "[\"b\"]"},
                                  {"SMOVE s t b", ":1"},
                                  {"EXISTS s", ":0"},
                                  {"SPOP t", "\"b\""},
                                  {"SPOP t", "nil"},
                                  {"GET s", "nil"},
                                  {NULL, NULL}});
}

static void test_commands_zset(void)
{
    expect_all((const Exchange[]){
        {"ZADD z 1 a 2.5 b 2.5 c", ":3"},
        {"ZRANGE z 0 -1 WITHSCORES", "[\"a\" \"1\" \"b\" \"2.5\" \"c\" \"2.5\"]"},
        {"ZADD z XX CH 3 b 4 q", ":1"},
        {"ZADD z NX 9 a", ":0"},
        {"ZADD z GT CH 2 b", ":0"},
        {"ZADD z LT CH 2 b", ":1"},
        {"ZADD z INCR 1.5 b", "\"3.5\""},
        {"ZINCRBY z 0.1 a", "\"1.1\""},
        {"ZSCORE z a", "\"1.1\""},
        {"ZMSCORE z a q", "[\"1.1\" nil]"},
        {"ZRANK z b", ":2"},
        {"ZREVRANK z b", ":0"},
        {"ZCARD z", ":3"},
        {"ZCOUNT z (1.1 +inf", ":2"},
        {"ZRANGE z 0 0 REV", "[\"b\"]"},
        {"ZREVRANGE z 0 1", "[\"b\" \"c\"]"},
        {"ZRANGEBYSCORE z -inf (3.5 LIMIT 1 1", "[\"c\"]"},
        {"ZREVRANGEBYSCORE z +inf 2.5", "[\"b\" \"c\"]"},
        {"ZRANGE z 1 3 BYSCORE", "[\"a\" \"c\"]"},
        {"ZPOPMIN z", "[\"a\" \"1.1\"]"},
        {"ZPOPMAX z 5", "[\"b\" \"3.5\" \"c\" \"2.5\"]"},
        {"ZADD z x a", "-ERR value is not a valid float"},
        {"ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"},
        {"ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"},
        {"ZREM z a", ":0"},
        {"ZADD z inf a", ":1"},
        {"ZSCORE z a", "\"inf\""},
        {NULL, NULL}});
}

static void test_commands_deadlines(void)
{
    Fixture f;

    fixture_begin(&f);
    expect(&f, "SET k v EX 10", "+OK");
    EXPECT_INT(f.effect_count, 1); /* value and deadline are one effect */
    expect(&f, "TTL k", ":10");
    expect(&f, "SET k w KEEPTTL", "+OK");
    expect(&f, "PTTL k", ":10000");
    expect(&f, "EXPIRE k 5 GT", ":0");
    expect(&f, "EXPIRE k 20", ":1");
    expect(&f, "PERSIST k", ":1");
    expect(&f, "PERSIST k", ":0");
    expect(&f, "TTL k", ":-1");
    expect(&f, "RPUSH other a", ":1");
    expect(&f, "EXPIRE other 100", ":1");
    expect(&f, "SET other v KEEPTTL", "+OK"); /* of what it replaces */
    expect(&f, "TTL other", ":100");
    expect(&f, "DEL other", ":1");
    expect(&f, "PEXPIREAT k 3000", ":1");
    f.now_ms = 3000;
    expect(&f, "GET k", "nil");
    expect(&f, "TTL k", ":-2");
    expect(&f, "EXPIRE k 1", ":0");
    expect(&f, "SET k new", "+OK");
    expect(&f, "TTL k", ":-1");
    expect(&f, "EXPIRE k -1", ":1");
    expect(&f, "EXISTS k", ":0");
    EXPECT_INT(store_ledger(f.store, 3)->key_count, 0);
    fixture_end(&f);
}

static void test_commands_owner_deletes_when_due(void)
{
    WallTime next;
    Fixture f;

    fixture_begin(&f);
    for (int i = 0; i < 10; i++)
        store_expire_due(f.store, (WallTime){10000});
    EXPECT_INT(f.effect_count, 10); /* the declared hashes: ttl 10 s, lives spread over it */
    EXPECT_INT(store_ledger(f.store, 1)->key_count, 0);
    f.now_ms = 10000;
    expect(&f, "SET k v PX 500", "+OK");
    expect(&f, "PEXPIRE k 900", ":1");
    f.effect_count = 0;
    EXPECT(store_next_expiry(f.store, &next) && next.ms == 10500);
    store_expire_due(f.store, next);
    EXPECT_INT(f.effect_count, 0);
    EXPECT(store_next_expiry(f.store, &next) && next.ms == 10900);
    store_expire_due(f.store, next);
    EXPECT_INT(f.effect_count, 1);
    EXPECT_INT(f.last.op, EFFECT_DELETE);
    EXPECT(!store_next_expiry(f.store, &next));
    fixture_end(&f);
}

static Reply run_declared(Fixture *f, const char *name, uint64_t key, int arg_count,
                          const Arg *more)
{
    Arg args[4] = {{.kind = ARG_KEY, .number = key}};
    Command command = {
        .spec = command_find(name, strlen(name)), .args = args, .count = 1 + (uint32_t)arg_count};
    Reply reply;

    for (int i = 0; i < arg_count; i++)
        args[i + 1] = more[i];
    store_execute(f->store, &command, (WallTime){f->now_ms}, NULL, &reply);
    return reply;
}

#define SYNTHETIC(size) ((Arg){.kind = ARG_SYNTHETIC, .number = 77, .bytes = (size)})
#define ELEMENT(at, n)  ((Arg){.kind = ARG_ELEMENT, .number = (at), .count = (n)})

/* The write that creates a hash writes all of it; a later one its fields alone. */
static void test_commands_declared_hash_is_created_whole(void)
{
    Fixture f;
    Reply reply;

    fixture_begin(&f);
    EXPECT_INT(store_ledger(f.store, 1)->key_count, 2 + 8 * 4);
    EXPECT_INT(store_ledger(f.store, 1)->value_bytes, (2 + 8 * 4) * 120);
    run_declared(&f, "HSET", 100, 2, (Arg[]){ELEMENT(1, 2), SYNTHETIC(50)});
    EXPECT_INT(f.last.element_count, 2);
    EXPECT_INT(f.last.amount, 0); /* HSET keeps the deadline */
    EXPECT_INT(store_ledger(f.store, 1)->value_bytes, (2 + 8 * 4) * 120 + 2 * 20);
    reply = run_declared(&f, "HGETALL", 100, 0, NULL);
    EXPECT_INT(reply.count, 8);
    EXPECT(reply.items == NULL);
    run_declared(&f, "DEL", 100, 0, NULL);
    EXPECT(store_last_was_remove(f.store));
    EXPECT_INT(store_ledger(f.store, 1)->key_count, 1 + 8 * 4);
    f.effect_count = 0;
    reply = run_declared(&f, "DEL", 100, 0, NULL);
    EXPECT_INT(reply.integer, 0);
    EXPECT_INT(f.effect_count, 0);
    run_declared(&f, "HSET", 100, 2, (Arg[]){ELEMENT(1, 1), SYNTHETIC(50)});
    EXPECT_INT(f.effect_count, 1);
    EXPECT_INT(f.last.element_count, 4);
    EXPECT_INT(f.last.amount, 10000);
    EXPECT_INT(store_ledger(f.store, 1)->value_bytes, (2 + 8 * 4) * 120);
    fixture_end(&f);
}

static void test_commands_declared_reads_weigh_and_allocate_nothing(void)
{
    Fixture f;
    Reply reply;

    fixture_begin(&f);
    reply = run_declared(&f, "GET", 3, 0, NULL);
    EXPECT_INT(reply.bytes, 120);
    EXPECT(reply.text == NULL);
    run_declared(&f, "SET", 3, 1, (Arg[]){SYNTHETIC(300)});
    EXPECT_INT(run_declared(&f, "GET", 3, 0, NULL).bytes, 300);
    run_declared(&f, "ZINCRBY", 201, 1, (Arg[]){ELEMENT(2, 1)});
    EXPECT_INT(f.last.op, EFFECT_INCREMENT);
    EXPECT_INT(run_declared(&f, "ZREVRANGE", 201, 0, NULL).count, 4);
    EXPECT_INT(run_declared(&f, "ZREVRANK", 201, 1, (Arg[]){ELEMENT(2, 1)}).integer, 0);
    EXPECT_INT(run_declared(&f, "GET", 201, 0, NULL).kind, REPLY_ERROR);
    fixture_end(&f);
}

static void test_commands_superseded_names_the_older_record(void)
{
    Fixture f;

    fixture_begin(&f);
    expect(&f, "INCR c", ":1");
    EXPECT_INT(store_superseded_seq(f.store), 0);
    expect(&f, "SET other x", "+OK");
    expect(&f, "INCR c", ":2");
    EXPECT_INT(store_superseded_seq(f.store), 1);
    fixture_end(&f);
}

static void test_commands_born_books_return_to_zero(void)
{
    const StoreLedger *ledger;
    Fixture f;

    fixture_begin(&f);
    ledger = store_ledger(f.store, 3);
    expect(&f, "SET a 12345", "+OK");
    expect(&f, "HSET h f v", ":1");
    expect(&f, "SADD s abc de", ":2");
    EXPECT_INT(ledger->key_count, 3);
    EXPECT_INT(ledger->element_count, 4);
    EXPECT_INT(ledger->value_bytes, 5 + 1 + 5);
    expect(&f, "DEL a h s", ":3");
    EXPECT_INT(ledger->key_count, 0);
    EXPECT_INT(ledger->value_bytes, 0);
    EXPECT_INT(ledger->header_count, 0);
    fixture_end(&f);
}

static const TestCase cases[] = {
    TEST(test_commands_string),
    TEST(test_commands_counter),
    TEST(test_commands_hash),
    TEST(test_commands_list),
    TEST(test_commands_read_numbers_to_their_last_digit),
    TEST(test_commands_set),
    TEST(test_commands_zset),
    TEST(test_commands_deadlines),
    TEST(test_commands_owner_deletes_when_due),
    TEST(test_commands_declared_hash_is_created_whole),
    TEST(test_commands_declared_reads_weigh_and_allocate_nothing),
    TEST(test_commands_superseded_names_the_older_record),
    TEST(test_commands_born_books_return_to_zero),
};
TEST_MAIN("commands", cases)
