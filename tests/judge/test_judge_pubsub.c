/* Channels at one member against a real Redis: three connections that listen, publish and ask.
 *
 * A program is a list of commands, each of one connection; each is sent when the one before it has
 * been answered.  What our sessions say (what has come, then the reply) is written as RESP and read
 * by the same reader that reads from Redis, so that what has no frame of its own, as the second
 * reply to SUBSCRIBE a b inside an EXEC, falls on both sides into the same pieces.
 *
 * Redis goes through patterns, and through what is ended or listed without names, in the order of
 * its tables: there the order is not compared.
 */
#include "tests/test.h"

#include "models/data/session.h"
#include "tests/judge/judge_grammar.h"
#include "tests/judge/judge_reply.h"
#include "tests/judge/judge_server.h"

#define CLIENTS       3
#define PROGRAM_STEPS 50
#define FAILURES_MAX  5

typedef struct {
    GPtrArray *words; /* of GString */
    uint32_t client;
} Step;

typedef struct {
    JudgeServer server;
    redisContext *connections[CLIENTS];
    redisReader *readers[CLIENTS]; /* of what our sessions say */
    Store *store;
    Session *sessions[CLIENTS];
    Arena *arena;
    bool listened[CLIENTS]; /* the open transaction subscribes */
    bool is_open[CLIENTS];  /* a transaction */
    long compared;
} Bench;

static const char *const channels[] = {"a", "b", "ab", "news", NULL};

static const char *const forms[] = {
    "SUBSCRIBE { <key> }",
    "SUBSCRIBE { <key> }",
    "PSUBSCRIBE { ( * | a* | ? | [a-b] | n[^x]ws | ab ) }",
    "SSUBSCRIBE { <key> }",
    "UNSUBSCRIBE [ { <key> } ]",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE [ { ( * | a* | ? | [a-b] | n[^x]ws | ab ) } ]",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE [ { <key> } ]",
    "SUNSUBSCRIBE",
    "PUBLISH <key> message",
    "PUBLISH <key> message",
    "PUBLISH <key> message",
    "SPUBLISH <key> message",
    "PUBSUB CHANNELS [ ( * | a* | ? ) ]",
    "PUBSUB NUMSUB [ { <key> } ]",
    "PUBSUB NUMPAT",
    "PUBSUB SHARDCHANNELS [ a* ]",
    "PUBSUB SHARDNUMSUB { <key> }",
    "PING [ <value> ]",
    "ECHO <value>",
    "GET key",
    "MULTI",
    "EXEC",
    "EXEC",
    "DISCARD",
};

static const char *name_of(const Step *step)
{
    return ((const GString *)step->words->pdata[0])->str;
}

static void step_free(void *item)
{
    Step *step = item;

    g_ptr_array_unref(step->words);
    g_free(step);
}

/* Every message is another, so that one cannot be taken for a repeat. */
static GPtrArray *program_draw(Rng *rng)
{
    GPtrArray *program = g_ptr_array_new_with_free_func(step_free);

    for (uint32_t i = 0; i < PROGRAM_STEPS; i++) {
        Step *step = g_new0(Step, 1);
        GString *last;

        step->client = (uint32_t)rng_below(rng, CLIENTS);
        step->words = judge_draw_command(rng, forms[rng_below(rng, G_N_ELEMENTS(forms))], channels);
        last = step->words->pdata[step->words->len - 1];
        if (strcmp(last->str, "message") == 0)
            g_string_printf(last, "m%u", i);
        g_ptr_array_add(program, step);
    }
    return program;
}

/* --- our side */
static void write_resp(GString *out, const Reply *reply)
{
    switch (reply->kind) {
    case REPLY_NIL:
        g_string_append(out, "$-1\r\n");
        return;
    case REPLY_INTEGER:
        g_string_append_printf(out, ":%" G_GINT64_FORMAT "\r\n", reply->integer);
        return;
    case REPLY_BULK:
        g_string_append_printf(out, "$%" G_GUINT64_FORMAT "\r\n", reply->bytes);
        break;
    case REPLY_STATUS:
    case REPLY_ERROR:
        g_string_append_c(out, reply->kind == REPLY_ERROR ? '-' : '+');
        break;
    case REPLY_ARRAY:
        g_string_append_printf(out, "*%u\r\n", reply->count);
        /* fall through */
    case REPLY_SEVERAL:
        for (uint32_t i = 0; i < reply->count; i++)
            write_resp(out, &reply->items[i]);
        return;
    }
    g_string_append_len(out, reply->text, (gssize)reply->bytes);
    g_string_append(out, "\r\n");
}

static void say_ours(Bench *bench, const Step *step)
{
    Session *session = bench->sessions[step->client];
    Arg *words = arena_array(bench->arena, Arg, step->words->len);
    g_autoptr(GString) said = g_string_new(NULL);
    Reply reply;

    while (session_take_message(session, bench->arena, &reply))
        write_resp(said, &reply);
    for (uint32_t i = 0; i < step->words->len; i++) {
        const GString *word = step->words->pdata[i];

        words[i] = (Arg){.kind = ARG_BYTES, .data = word->str, .bytes = (uint32_t)word->len};
    }
    session_execute(session, words, step->words->len, (WallTime){1000}, bench->arena, &reply);
    write_resp(said, &reply);
    redisReaderFeed(bench->readers[step->client], said->str, said->len);
}

static Reply reply_taken(Bench *bench, void *received)
{
    Reply reply = judge_reply_of(received, bench->arena);

    freeReplyObject(received);
    return reply;
}

/* --- Redis */
static void ask_redis(Bench *bench, const Step *step)
{
    g_autofree const char **texts = g_new(const char *, step->words->len);
    g_autofree size_t *sizes = g_new(size_t, step->words->len);

    for (uint32_t i = 0; i < step->words->len; i++) {
        const GString *word = step->words->pdata[i];

        texts[i] = word->str;
        sizes[i] = word->len;
    }
    redisAppendCommandArgv(bench->connections[step->client], (int)step->words->len, texts, sizes);
}

/* The next that comes over the connection; false: nothing does, so ours said too much. */
static bool hear_redis(Bench *bench, uint32_t client, Reply *out)
{
    void *received = NULL;

    if (redisGetReply(bench->connections[client], &received) != REDIS_OK)
        return false;
    *out = reply_taken(bench, received);
    return true;
}

static redisContext *connect_again(const Bench *bench)
{
    redisContext *connection = redisConnect("127.0.0.1", bench->server.connections[0]->tcp.port);

    EXPECT_FATAL(connection && connection->err == 0);
    redisSetTimeout(connection, (struct timeval){.tv_sec = 2});
    return connection;
}

/* Both sides without any subscription or transaction. */
static void bench_begin(Bench *bench)
{
    bench->store = store_new(&(StoreConfig){.member_id = 1, .member_count = 1});
    bench->arena = arena_new();
    for (uint32_t i = 0; i < CLIENTS; i++) {
        Reply reply = {0};

        bench->sessions[i] = session_new(bench->store);
        bench->readers[i] = redisReaderCreate();
        bench->is_open[i] = bench->listened[i] = false;
        if (!bench->connections[i])
            bench->connections[i] = connect_again(bench);
        redisAppendCommand(bench->connections[i], "RESET");
        while (reply.kind != REPLY_STATUS || strcmp(reply.text, "RESET") != 0)
            EXPECT_FATAL(hear_redis(bench, i, &reply));
    }
}

static void bench_end(Bench *bench)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        session_free(bench->sessions[i]);
        redisReaderFree(bench->readers[i]);
        if (bench->connections[i]->err) { /* what was not read would come later */
            redisFree(bench->connections[i]);
            bench->connections[i] = NULL;
        }
    }
    store_free(bench->store);
    arena_free(bench->arena);
}

/* --- comparing */
static bool begins_with(const Reply *reply, const char *word)
{
    return reply->kind == REPLY_ARRAY && reply->count > 0 && reply->items[0].kind == REPLY_BULK &&
           strcmp(reply->items[0].text, word) == 0;
}

static ReplyRule rule_of(const Step *step)
{
    const GString *what = step->words->len > 1 ? step->words->pdata[1] : NULL;
    bool lists = strcmp(name_of(step), "PUBSUB") == 0 && what && strstr(what->str, "CHANNELS");

    return lists ? RULE_UNORDERED : RULE_EXACT;
}

/* Sorts what Redis gives in the order of its tables: pmessages of one message by their pattern, and
 * names that were ended together. */
static void sort_unordered(Reply *replies, uint32_t count, const Step *step)
{
    bool ends_all = step->words->len == 1 && g_str_has_suffix(name_of(step), "UNSUBSCRIBE");

    for (uint32_t end = 1, begin = 0; begin < count; begin = end++) {
        while (end < count && begins_with(&replies[begin], "pmessage") &&
               begins_with(&replies[end], "pmessage") &&
               judge_equal(&replies[begin].items[3], &replies[end].items[3], false))
            end++;
        judge_sort(&(Reply){.kind = REPLY_ARRAY, .items = replies + begin, .count = end - begin},
                   false);
    }
    for (uint32_t i = 0; i < count && ends_all; i++)
        for (uint32_t k = i + 1; k < count; k++)
            if (g_str_has_suffix(replies[i].items ? replies[i].items[0].text : "", "unsubscribe") &&
                judge_reply_order(&replies[k].items[1], &replies[i].items[1]) < 0) {
                Reply name = replies[i].items[1];

                replies[i].items[1] = replies[k].items[1];
                replies[k].items[1] = name;
            }
}

/* Redis looks a subcommand up, and counts its words, before it asks whether it may run now. */
static bool is_documented(const Step *step, const Reply *redis, const Reply *ours)
{
    return strcmp(name_of(step), "PUBSUB") == 0 && redis->kind == REPLY_ERROR &&
           (ours->kind == REPLY_STATUS || strstr(ours->text, "Can't execute"));
}

typedef enum { SAME, DOCUMENTED, DIFFERENT } Outcome;

/* told: NULL, or gets both sides of a difference. */
static Outcome step_compare(Bench *bench, const Step *step, GString *told)
{
    g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(Reply));
    g_autoptr(GArray) redis = g_array_new(FALSE, FALSE, sizeof(Reply));
    void *received = NULL;
    Reply reply;

    say_ours(bench, step);
    ask_redis(bench, step);
    while (redisReaderGetReply(bench->readers[step->client], &received) == REDIS_OK && received) {
        reply = reply_taken(bench, received);
        g_array_append_val(ours, reply);
        if (!hear_redis(bench, step->client, &reply))
            reply = (Reply){.kind = REPLY_ERROR, .text = "nothing", .bytes = 7};
        g_array_append_val(redis, reply);
    }
    if (ours->len == 0)
        return SAME; /* the end of an EXEC that the next reply completes */
    bench->compared++;
    sort_unordered((Reply *)(void *)ours->data, ours->len, step);
    sort_unordered((Reply *)(void *)redis->data, redis->len, step);
    for (guint i = 0; i < ours->len; i++) {
        Reply *a = &g_array_index(redis, Reply, i);
        Reply *b = &g_array_index(ours, Reply, i);

        if (judge_same(a, b, rule_of(step), false))
            continue;
        if (is_documented(step, a, b))
            return DOCUMENTED;
        if (told) {
            g_string_append(told, "      redis: ");
            judge_print_reply(told, a);
            g_string_append(told, "\n      ours:  ");
            judge_print_reply(told, b);
            g_string_append_c(told, '\n');
        }
        return DIFFERENT;
    }
    return SAME;
}

/* What a transaction publishes to its own connection comes after EXEC's reply here (session.c), so
 * a transaction that subscribes publishes nothing. */
static bool is_left_out(Bench *bench, const Step *step)
{
    const char *name = name_of(step);
    uint32_t client = step->client;

    if (strcmp(name, "MULTI") == 0 || strcmp(name, "EXEC") == 0 || strcmp(name, "DISCARD") == 0) {
        bench->listened[client] &= bench->is_open[client] && strcmp(name, "MULTI") == 0;
        bench->is_open[client] = strcmp(name, "MULTI") == 0;
        return false;
    }
    if (!bench->is_open[client])
        return false;
    if (strcmp(name, "SUBSCRIBE") == 0 || strcmp(name, "PSUBSCRIBE") == 0)
        bench->listened[client] = true;
    if (strstr(name, "UNSUBSCRIBE") || strcmp(name, "PUBSUB") == 0)
        return true; /* its order would not be known inside the reply to EXEC */
    return bench->listened[client] && strstr(name, "PUBLISH") != NULL;
}

/* How many steps went by without a difference; all: none was found. */
static uint32_t program_run(Bench *bench, const GPtrArray *program, GString *told)
{
    Outcome outcome = SAME;
    uint32_t at = 0;

    bench_begin(bench);
    for (; at < program->len && outcome == SAME; at++)
        if (!is_left_out(bench, program->pdata[at]))
            outcome = step_compare(bench, program->pdata[at], told);
    bench_end(bench);
    return outcome == DIFFERENT ? at - 1 : program->len;
}

static void program_print(Bench *bench, const GPtrArray *program)
{
    g_autoptr(GString) told = g_string_new(NULL);
    uint32_t last = program_run(bench, program, told);

    for (uint32_t i = 0; i <= last && i < program->len; i++) {
        const Step *step = program->pdata[i];
        g_autoptr(GString) line = g_string_new(NULL);

        g_string_printf(line, "    %u: %s", step->client, name_of(step));
        for (uint32_t w = 1; w < step->words->len; w++) {
            const GString *word = step->words->pdata[w];

            g_string_append_c(line, ' ');
            judge_print_text(line, word->str, word->len);
        }
        g_printerr("%s\n", line->str);
    }
    g_printerr("%s", told->str);
}

/* Leaves out one step after the other, as long as some difference remains. */
static void program_shrink(Bench *bench, GPtrArray *program)
{
    g_ptr_array_set_size(program, (int)program_run(bench, program, NULL) + 1);
    for (uint32_t at = program->len; at-- > 0;) {
        void *step = program->pdata[at];

        g_ptr_array_set_free_func(program, NULL);
        g_ptr_array_remove_index(program, at);
        if (program_run(bench, program, NULL) < program->len)
            step_free(step);
        else
            g_ptr_array_insert(program, (int)at, step);
        g_ptr_array_set_free_func(program, step_free);
    }
}

static void test_channels_say_what_redis_says(void)
{
    Bench bench = {0};
    const char *missing = judge_server_start(&bench.server);
    Rng rng = rng_stream(1, "judge_pubsub");
    int failures = 0;

    EXPECT_TEXT(missing, NULL);
    if (missing)
        return;
    while (bench.compared < test_count(10000, 200000) && failures < FAILURES_MAX) {
        g_autoptr(GPtrArray) program = program_draw(&rng);

        if (program_run(&bench, program, NULL) == program->len)
            continue;
        failures++;
        program_shrink(&bench, program);
        g_printerr("pubsub: two replies to the last of\n");
        program_print(&bench, program);
    }
    EXPECT_INT(failures, 0);
    for (uint32_t i = 0; i < CLIENTS; i++)
        redisFree(bench.connections[i]);
    judge_server_stop(&bench.server);
}

static const TestCase cases[] = {
    TEST(test_channels_say_what_redis_says),
};
JUDGE_MAIN("judge_pubsub", cases)
