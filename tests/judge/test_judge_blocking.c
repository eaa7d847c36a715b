/* Clients that wait at one member against a real Redis: who is served, with what, and when.
 *
 * Four clients, each a connection to Redis and a session of a store, take turns at random; one that
 * waits has no turn until it is served, closes its connection, or its time is up.  After every turn
 * each client must have got the same reply on both sides, or none on both.  Two round trips of a
 * connection of our own make sure that Redis has nothing left to say.
 */
#include "tests/test.h"

#include "models/data/session.h"
#include "sim/rng.h"
#include "tests/judge/judge_reply.h"
#include "tests/judge/judge_server.h"

#define CLIENT_COUNT     4
#define PUSHER           (CLIENT_COUNT - 1) /* never waits, so that somebody always has a turn */
#define SEQUENCE_LENGTH  80
#define SHORT_TIMEOUT    "0.02"
#define SHORT_TIMEOUT_US 40000

typedef struct {
    redisContext *redis;
    Session *session;
} Client;

typedef struct {
    JudgeServer server;
    int port;
    Client clients[CLIENT_COUNT];
    Store *store;
    Arena *arena;
    Rng rng;
    GString *story;
    uint64_t counter; /* makes values and ids of their own */
    long compared;    /* replies, and their absence */
    long served;      /* who had waited */
    bool is_over;
} Judge;

static uint64_t below(Judge *judge, uint64_t bound)
{
    return rng_below(&judge->rng, bound);
}

/* --- what clients say: "L" a list, "Z" a sorted set, "S" a stream, "E" an end of a list, "V" a new
 * value, "I" a new id, "N" a small number, "T" a timeout */
static const char *const blocking[] = {
    "BLPOP L T",
    "BLPOP L L T",
    "BLPOP L L L T",
    "BRPOP L L T",
    "BLMOVE L L E E T",
    "BRPOPLPUSH L L T",
    "BLMPOP T 2 L L E COUNT N",
    "BLMPOP T 1 L E",
    "BZPOPMIN Z T",
    "BZPOPMAX Z Z T",
    "BZMPOP T 2 Z Z MIN COUNT N",
    "BZMPOP T 1 Z MAX",
    "XREAD COUNT N BLOCK 0 STREAMS S $",
    "XREAD BLOCK 0 STREAMS s1 s2 $ $",
    "XREADGROUP GROUP g a COUNT N BLOCK 0 STREAMS S >",
    "XREADGROUP GROUP g b BLOCK 0 NOACK STREAMS s1 >",
};

/* What overwrites a key of another type wakes nobody in Redis 7.0 (its next release did): so
 * nothing is stored under a name that may be of two types. */
static const char *const others[] = {
    "RPUSH L V",
    "RPUSH L V V",
    "LPUSH L V V V",
    "RPUSH L V",
    "LPUSHX L V",
    "LPOP L",
    "LLEN L",
    "LRANGE L 0 -1",
    "LMOVE L L E E",
    "RENAME l1 l2",
    "RENAME l3 mixed",
    "RENAME l2 l1",
    "RENAME z1 z2",
    "RENAME z2 mixed",
    "COPY l1 l3 REPLACE",
    "COPY l2 mixed REPLACE",
    "SORT L ALPHA STORE l1",
    "DEL L",
    "DEL Z L",
    "SET mixed text",
    "DEL mixed",
    "ZADD Z N V",
    "ZADD Z N V N V",
    "ZADD Z N V N V N V",
    "ZPOPMIN Z",
    "ZRANGE Z 0 -1",
    "ZUNIONSTORE z1 1 Z",
    "XADD S I f V",
    "XADD S I f V",
    "XADD S I f V",
    "XGROUP CREATE S g $",
    "XGROUP CREATE S g $",
    "XGROUP DESTROY S g",
    "XGROUP SETID S g 0",
    "DEL S",
    "MULTI",
    "EXEC",
    "EXEC",
};

static void append_value(Judge *judge, GPtrArray *words, char kind)
{
    static const char *const lists[] = {"l1", "l2", "l3", "mixed"};
    static const char *const zsets[] = {"z1", "z2", "mixed"};
    static const char *const streams[] = {"s1", "s2"};
    char *text = NULL;

    switch (kind) {
    case 'L':
        text = g_strdup(lists[below(judge, G_N_ELEMENTS(lists))]);
        break;
    case 'Z':
        text = g_strdup(zsets[below(judge, G_N_ELEMENTS(zsets))]);
        break;
    case 'S':
        text = g_strdup(streams[below(judge, G_N_ELEMENTS(streams))]);
        break;
    case 'E':
        text = g_strdup(below(judge, 2) ? "LEFT" : "RIGHT");
        break;
    case 'V':
        text = g_strdup_printf("v%" G_GUINT64_FORMAT, ++judge->counter);
        break;
    case 'I':
        text = g_strdup_printf("%" G_GUINT64_FORMAT "-1", ++judge->counter);
        break;
    case 'N':
        text = g_strdup_printf("%" G_GUINT64_FORMAT, 1 + below(judge, 3));
        break;
    default: /* a timeout */
        text = g_strdup(below(judge, 60) == 0 ? SHORT_TIMEOUT : below(judge, 2) ? "0" : "1000");
    }
    g_ptr_array_add(words, text);
}

static GPtrArray *draw_command(Judge *judge, bool may_block)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    const char *form = may_block && below(judge, 3) > 0
                           ? blocking[below(judge, G_N_ELEMENTS(blocking))]
                           : others[below(judge, G_N_ELEMENTS(others))];
    g_auto(GStrv) tokens = g_strsplit(form, " ", -1);

    for (char **token = tokens; *token; token++) {
        if (strlen(*token) == 1 && strchr("LZSEVINT", **token))
            append_value(judge, words, **token);
        else
            g_ptr_array_add(words, g_strdup(*token));
    }
    return words;
}

/* --- both sides */
static void tell(Judge *judge, uint32_t client, const char *what)
{
    g_string_append_printf(judge->story, "    client %u: %s\n", client, what);
}

static void settle(Judge *judge)
{
    for (int i = 0; i < 2; i++) {
        void *reply = redisCommand(judge->server.connections[0], "PING");

        if (!reply)
            g_error("redis-server went away: %s", judge->server.connections[0]->errstr);
        freeReplyObject(reply);
    }
}

static bool redis_has_more(const Client *client)
{
    char byte;

    return recv(client->redis->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void differ(Judge *judge, uint32_t client, const Reply *redis, const Reply *ours)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append(text, "\n      redis: ");
    if (redis)
        judge_print_reply(text, redis);
    else
        g_string_append(text, "(waits)");
    g_string_append(text, "\n      ours:  ");
    if (ours)
        judge_print_reply(text, ours);
    else
        g_string_append(text, "(waits)");
    g_printerr("two replies to client %u after\n%s%s\n", client, judge->story->str, text->str);
    judge->is_over = true;
    EXPECT(false);
}

/* ours NULL: the client waits. */
static void compare(Judge *judge, uint32_t number, Reply *ours)
{
    const Client *client = &judge->clients[number];
    void *received = NULL;
    Reply redis;

    judge->compared++;
    if (!redis_has_more(client)) {
        if (ours)
            differ(judge, number, NULL, ours);
        return;
    }
    if (redisGetReply(client->redis, &received) != REDIS_OK)
        g_error("redis-server went away: %s", client->redis->errstr);
    redis = judge_reply_of(received, judge->arena);
    freeReplyObject(received);
    if (!ours || !judge_same(&redis, ours, RULE_EXACT, true))
        differ(judge, number, &redis, ours);
}

/* Whoever was waiting before: served now or not, on both sides. */
static void compare_waiting(Judge *judge, const bool *waited)
{
    for (uint32_t i = 0; i < CLIENT_COUNT && !judge->is_over; i++) {
        Session *session = judge->clients[i].session;
        Reply ours;

        if (!waited[i])
            continue;
        judge->served += !session_is_waiting(session);
        compare(judge, i, session_take_late(session, &ours) ? &ours : NULL);
    }
}

static WallTime now_of(void)
{
    return (WallTime){g_get_real_time() / 1000};
}

static void ask(Judge *judge, uint32_t number, const GPtrArray *words)
{
    Client *client = &judge->clients[number];
    Arg *args = arena_array(judge->arena, Arg, words->len);
    g_autofree char *line = NULL;
    bool waited[CLIENT_COUNT];
    bool has_reply;
    Reply ours;

    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        waited[i] = session_is_waiting(judge->clients[i].session);
    for (guint i = 0; i < words->len; i++)
        args[i] = (Arg){
            .kind = ARG_BYTES, .data = words->pdata[i], .bytes = (uint32_t)strlen(words->pdata[i])};
    g_ptr_array_add((GPtrArray *)(uintptr_t)words, NULL);
    line = g_strjoinv(" ", (char **)words->pdata);
    tell(judge, number, line);
    redisAppendCommandArgv(client->redis, (int)words->len - 1, (const char **)words->pdata, NULL);
    for (int done = 0; !done;)
        if (redisBufferWrite(client->redis, &done) != REDIS_OK)
            g_error("redis-server went away: %s", client->redis->errstr);
    settle(judge);
    has_reply =
        session_execute(client->session, args, words->len - 1, now_of(), judge->arena, &ours);
    if (!has_reply)
        has_reply = session_take_late(client->session, &ours);
    compare(judge, number, has_reply ? &ours : NULL);
    compare_waiting(judge, waited);
}

static void connect_client(Judge *judge, uint32_t number)
{
    Client *client = &judge->clients[number];

    client->redis = redisConnect("127.0.0.1", judge->port);
    if (!client->redis || client->redis->err)
        g_error("redis-server takes no connection");
    client->session = session_new(judge->store);
}

static void close_client(Judge *judge, uint32_t number)
{
    redisFree(judge->clients[number].redis);
    session_free(judge->clients[number].session);
    judge->clients[number] = (Client){0};
}

static void take_turn(Judge *judge)
{
    uint32_t number = (uint32_t)below(judge, CLIENT_COUNT);
    bool waited[CLIENT_COUNT];

    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        waited[i] = session_is_waiting(judge->clients[i].session);
    if (waited[number] && below(judge, 12) > 0)
        number = PUSHER;
    if (waited[number]) {
        tell(judge, number, "(closes its connection)");
        close_client(judge, number);
        connect_client(judge, number);
        settle(judge);
        return;
    }
    {
        g_autoptr(GPtrArray) words = draw_command(judge, number != PUSHER);
        bool is_short = false;

        for (guint i = 0; i < words->len; i++)
            is_short |= strcmp(words->pdata[i], SHORT_TIMEOUT) == 0;
        ask(judge, number, words);
        waited[number] = session_is_waiting(judge->clients[number].session);
        if (!is_short || judge->is_over || !waited[number])
            return;
    }
    tell(judge, number, "(its time passes)");
    g_usleep(SHORT_TIMEOUT_US);
    settle(judge);
    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        waited[i] = session_is_waiting(judge->clients[i].session);
    sessions_serve(judge->store, now_of());
    compare_waiting(judge, waited);
}

static void run_sequence(Judge *judge)
{
    judge->store = store_new(
        &(StoreConfig){.member_id = 1, .member_count = 1, .stream_ids = STREAM_IDS_LIBERAL});
    judge->arena = arena_new();
    judge->story = g_string_new(NULL);
    freeReplyObject(redisCommand(judge->server.connections[0], "FLUSHALL"));
    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        connect_client(judge, i);
    for (uint32_t i = 0; i < SEQUENCE_LENGTH && !judge->is_over; i++)
        take_turn(judge);
    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        close_client(judge, i);
    settle(judge);
    g_string_free(judge->story, TRUE);
    arena_free(judge->arena);
    store_free(judge->store);
}

static void test_waiting_clients_are_served_as_by_redis(void)
{
    Judge judge = {.rng = rng_stream(1, "blocking")};
    const char *missing = judge_server_start(&judge.server);
    long count = test_count(10000, 200000);

    EXPECT_TEXT(missing, NULL);
    if (missing)
        return;
    judge.port = judge.server.connections[0]->tcp.port;
    while (judge.compared < count && !judge.is_over)
        run_sequence(&judge);
    EXPECT(judge.is_over || judge.served > count / 100);
    judge_server_stop(&judge.server);
}

static const TestCase cases[] = {
    TEST(test_waiting_clients_are_served_as_by_redis),
};
JUDGE_MAIN("judge_blocking", cases)
