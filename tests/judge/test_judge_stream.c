/* Streams at one member against a real Redis, in the liberal mode of ids, where they are made as
 * Redis makes them. */
#include "tests/test.h"

#include "tests/judge/judge.h"

static const char *const keys[] = {"x1", "x2", "other:hash", NULL};

#define FORM(text)                                                                                 \
    {                                                                                              \
        .form = (text)                                                                             \
    }
#define ID "( 1-1 | 2-1 | 2-2 | 3-0 | 4-7 | 5 | 6-1 | 7-0 | 8-1 | 9-1 | 9-2 | 0 )"
#define ADD_ID                                                                                     \
    "( 1-1 | 2-1 | 3-* | 4 | 5-* | 6-6 | 7-* | 8-2 | 9-* | 9-9 | 10-* | 10-* | 11-* | 12-* )"
#define BOUND    "( - | + | ( 3-1 | 2 | 5 | (2-1 | (8 | 4-4 | 9-9 ) )"
#define GROUP    "( g1 | g1 | g2 )"
#define CONSUMER "( a | b | c )"

static const JudgeForm forms[] = {
    FORM("XADD <key> [ NOMKSTREAM ] [ ( MAXLEN | MAXLEN = ) <count> ] " ADD_ID " <name> <value>"),
    FORM("XADD <key> " ADD_ID " { <name> <value> }"),
    FORM("XADD <key> " ADD_ID " { <name> <value> }"),
    FORM("XADD <key> [ MINID " ID " ] " ADD_ID " { <name> <value> }"),
    FORM("XLEN <key>"),
    FORM("XDEL <key> { " ID " }"),
    FORM("XTRIM <key> ( MAXLEN <count> | MINID " ID " )"),
    FORM("XRANGE <key> " BOUND " " BOUND " [ COUNT <count> ]"),
    FORM("XREVRANGE <key> " BOUND " " BOUND " [ COUNT <count> ]"),
    FORM("XREAD [ COUNT <count> ] STREAMS <key> ( " ID " | $ )"),
    FORM("XREAD STREAMS <key> <key> " ID " " ID),
    FORM("XGROUP ( CREATE <key> " GROUP " ( 0 | $ | " ID " ) [ MKSTREAM ] | SETID <key> " GROUP
         " " ID " )"),
    FORM("XGROUP CREATE <key> " GROUP " 0 MKSTREAM"),
    FORM("XGROUP ( DESTROY <key> " GROUP " | CREATECONSUMER <key> " GROUP " " CONSUMER
         " | DELCONSUMER <key> " GROUP " " CONSUMER " )"),
    FORM("XREADGROUP GROUP " GROUP " " CONSUMER " [ COUNT <count> ] [ NOACK ] STREAMS <key> >"),
    FORM("XREADGROUP GROUP " GROUP " " CONSUMER " [ COUNT <count> ] STREAMS <key> >"),
    FORM("XREADGROUP GROUP " GROUP " " CONSUMER " [ COUNT <count> ] STREAMS <key> " ID),
    FORM("XACK <key> " GROUP " { " ID " }"),
    FORM("XPENDING <key> " GROUP),
    FORM("XCLAIM <key> " GROUP " " CONSUMER " 0 { " ID
         " } [ FORCE ] [ JUSTID ] [ RETRYCOUNT <few> ]"),
    FORM("XAUTOCLAIM <key> " GROUP " " CONSUMER " 0 " ID " [ COUNT <few> ] [ JUSTID ]"),
    {.form = "XINFO STREAM <key> [ FULL [ COUNT <count> ] ]", .rule = RULE_TIMES},
    FORM("XINFO STREAM <key>"),
    FORM("XSETID <key> " ID),
    FORM("DEL <key>"),
};

static const JudgeForm moving_forms[] = {
    FORM("XADD <key> " ADD_ID " { <name> <value> }"),
    FORM("XADD <key> [ ( MAXLEN | MAXLEN = ) <count> ] " ADD_ID " <name> <value>"),
    FORM("XDEL <key> { " ID " }"),
    FORM("XGROUP CREATE <key> " GROUP " 0 [ MKSTREAM ]"),
    FORM("XRANGE <key> - +"),
    FORM("XINFO STREAM <key>"),
    FORM("XSETID <key> " ID),
    FORM("RENAME <key> <key>"),
    FORM("RENAMENX <key> <key>"),
    FORM("COPY <key> <key> [ REPLACE ]"),
    FORM("DEL <key>"),
};

static const JudgeType types[] = {
    {.type = "stream", .keys = keys, .forms = forms, .form_count = G_N_ELEMENTS(forms)},
    {.type = "stream",
     .keys = keys,
     .forms = moving_forms,
     .form_count = G_N_ELEMENTS(moving_forms)},
};

static bool is(const GPtrArray *command, const char *name)
{
    return strcmp(((const GString *)command->pdata[0])->str, name) == 0;
}

/* Of a group made or set at an id that is not an end of the stream Redis does not know how many
 * entries it has read; here they are counted. */
static void blank_reading(const Reply *full)
{
    const Reply *groups = full->count == 18 ? &full->items[17] : NULL;

    for (uint32_t g = 0; groups && g < groups->count; g++) {
        groups->items[g].items[5] = (Reply){.kind = REPLY_NIL};
        groups->items[g].items[7] = (Reply){.kind = REPLY_NIL};
    }
}

/* What XINFO tells of the past: entries added, the last id, the largest deleted one. */
static bool differs_in_past(const Reply *redis, const Reply *ours)
{
    blank_reading(redis);
    blank_reading(ours);
    for (uint32_t i = 0; i < redis->count && i < ours->count; i++)
        if (i != 7 && i != 9 && i != 11 && !judge_equal(&redis->items[i], &ours->items[i], false))
            return false;
    return redis->count == ours->count;
}

/* The product: a stream without entries and groups does not exist, so what was removed last leaves
 * nothing, and ids begin anew. */
static bool differs_without_entries(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (is(command, "XINFO") && redis->kind == REPLY_ARRAY)
        return ours->kind == REPLY_ERROR ? redis->items[1].integer == 0
                                         : differs_in_past(redis, ours);
    if (is(command, "DEL"))
        return redis->integer > ours->integer;
    if (is(command, "XDEL")) /* the ids are read after the key was found */
        return redis->kind == REPLY_ERROR && ours->kind == REPLY_INTEGER && ours->integer == 0;
    if (is(command, "COPY") || is(command, "RENAMENX")) /* from, or onto, what is not there */
        return redis->integer != ours->integer || ours->kind == REPLY_ERROR;
    if (is(command, "XRANGE") || is(command, "XREVRANGE")) /* COUNT 0: nil when the key exists */
        return redis->kind == REPLY_NIL && ours->kind == REPLY_ARRAY && ours->count == 0;
    if (is(command, "XADD"))
        return redis->kind != REPLY_NIL && /* a smaller id, or NOMKSTREAM */
               (ours->kind == REPLY_BULK || ours->kind == REPLY_NIL);
    if (is(command, "XREADGROUP")) /* a group made at "$" of an emptied stream begins at 0 */
        return redis->kind == REPLY_NIL && ours->kind == REPLY_ARRAY;
    return ours->kind == REPLY_ERROR &&
           (strstr(ours->text, "requires the key to exist") || strstr(ours->text, "no such key"));
}

static bool differs_in_reading(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (!is(command, "XINFO"))
        return false;
    blank_reading(redis);
    blank_reading(ours);
    return judge_equal(redis, ours, false);
}

static bool differs_in_setid(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    return is(command, "XSETID") && redis->kind == REPLY_STATUS && ours->kind == REPLY_ERROR;
}

/* The product: RENAME loses a stream's groups and COPY does not copy them; one that had nothing
 * else is then not there. */
static bool differs_in_moved_groups(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (is(command, "XGROUP")) /* the name is taken */
        return redis->kind == REPLY_ERROR && ours->kind == REPLY_STATUS;
    if (!is(command, "XINFO") || redis->kind != REPLY_ARRAY || ours->kind != REPLY_ARRAY ||
        redis->items[15].integer <= ours->items[15].integer)
        return false;
    redis->items[15].integer = ours->items[15].integer;
    return differs_in_past(redis, ours);
}

/* The first is of those that move alone. */
static const JudgeDifference differences[] = {
    {"groups stay behind when a stream moves", differs_in_moved_groups},
    {"a stream without entries and groups does not exist", differs_without_entries},
    {"XSETID fails below the current last id", differs_in_setid},
    {"what a group has read is counted, never unknown", differs_in_reading},
};

static void judge_streams(const JudgeType *type, bool moves, long count)
{
    Judge judge = {.differences = &differences[!moves],
                   .difference_count = G_N_ELEMENTS(differences) - !moves,
                   .stream_ids = STREAM_IDS_LIBERAL};

    judge_run(&judge, type, count);
}

static void test_streams_reply_as_redis(void)
{
    judge_streams(&types[0], false, test_count(6000, 200000));
}

static void test_streams_move_as_in_redis(void)
{
    judge_streams(&types[1], true, test_count(2000, 50000));
}

static const TestCase cases[] = {
    TEST(test_streams_reply_as_redis),
    TEST(test_streams_move_as_in_redis),
};
JUDGE_MAIN("judge_stream", cases)
