/* Every supported command against its row of COMMAND INFO, and what it says first of too few words,
 * too many, and keys of each type in each place. */
#include "tests/test.h"

#include "models/data/command_known.h"
#include "tests/judge/judge.h"

/* One command or subcommand ("xgroup|create") that both sides have. */
typedef struct {
    const CommandSpec *spec;
    GPtrArray *words; /* its name: one or two */
    int64_t arity;    /* as Redis has it */
    bool writes, blocks, is_of_connection;
} Row;

static bool begin(Judge *judge)
{
    const char *missing;

    *judge = (Judge){.stream_ids = STREAM_IDS_LIBERAL};
    missing = judge_server_start(&judge->server);
    EXPECT_TEXT(missing, NULL);
    return !missing;
}

static void add_word(GPtrArray *words, const char *text)
{
    g_ptr_array_add(words, g_string_new(text));
}

static void flags_read(const redisReply *flags, Row *out)
{
    for (size_t i = 0; i < flags->elements; i++) {
        const char *flag = flags->element[i]->str;

        out->writes |= strcmp(flag, "write") == 0;
        out->blocks |= strcmp(flag, "blocking") == 0;
        out->is_of_connection |= strcmp(flag, "pubsub") == 0;
    }
}

/* A command writes when one of its subcommands does.  false: Redis does not know it (the commands
 * of its modules). */
static bool row_read(const Judge *judge, const KnownCommand *known, Row *out)
{
    redisReply *reply = redisCommand(judge->server.connections[0], "COMMAND INFO %s", known->name);
    const redisReply *info = reply->elements == 1 ? reply->element[0] : NULL;
    g_auto(GStrv) names = g_strsplit(known->name, "|", 2);
    bool found = info && info->type == REDIS_REPLY_ARRAY;

    *out = (Row){.spec = known->spec};
    if (found) {
        const redisReply *subcommands = info->element[9];

        out->arity = info->element[1]->integer;
        flags_read(info->element[2], out);
        for (size_t i = 0; i < subcommands->elements; i++)
            flags_read(subcommands->element[i]->element[2], out);
        out->words = g_ptr_array_new_with_free_func(judge_free_word);
        for (char **name = names; *name; name++)
            add_word(out->words, *name);
    }
    freeReplyObject(reply);
    return found;
}

/* Transactions are a matter of the session (models/data/session.h), which has tests of its own. */
static bool is_of_session(const Row *row)
{
    static const char *const names[] = {"MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", NULL};

    return g_strv_contains(names, row->spec->name);
}

typedef void (*Visit)(Judge *judge, const Row *row);

static long visit_all(Judge *judge, Visit visit)
{
    long count = 0;

    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);
        Row row;

        if (known.standing != COMMAND_SUPPORTED || !row_read(judge, &known, &row))
            continue;
        visit(judge, &row);
        g_ptr_array_free(row.words, TRUE);
        count++;
    }
    return count;
}

/* --- the row itself */
static void compare_row(Judge *judge, const Row *row)
{
    (void)judge;
    if (row->words->len > 1)
        return;
    if (row->spec->arity != row->arity || (row->spec->writes != row->writes && !is_of_session(row)))
        g_printerr("%s: arity %d, writes %d; of Redis %" G_GINT64_FORMAT ", %d\n", row->spec->name,
                   row->spec->arity, row->spec->writes, row->arity, row->writes);
    EXPECT_INT(row->spec->arity, row->arity);
    EXPECT(row->spec->writes == row->writes ||
           is_of_session(row)); /* EXEC: what it executes does */
}

static void test_rows_are_those_of_command_info(void)
{
    Judge judge;

    if (!begin(&judge))
        return;
    EXPECT(visit_all(&judge, compare_row) > 150);
    judge_server_stop(&judge.server);
}

/* --- what is said first */

static const char *const makes[] = {"SET a text", "HSET a f v",     "RPUSH a e",    "SADD a e",
                                    "ZADD a 1 e", "XADD a 1-1 f v", "PFADD other e"};

static GPtrArray *words_of(const char *line)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(judge_free_word);
    g_auto(GStrv) texts = g_strsplit(line, " ", -1);

    for (char **text = texts; *text; text++)
        add_word(words, *text);
    return words;
}

static void send_word(Judge *judge, const char *word)
{
    g_autoptr(GPtrArray) words = words_of(word);

    judge_append(judge, words);
}

/* The reply to command after make, from an empty database; in a transaction nothing blocks. */
static Reply reply_of_redis(Judge *judge, const GPtrArray *make, const GPtrArray *command,
                            bool blocks)
{
    Reply reply;
    Reply whole;

    judge_server_clear(judge);
    judge_append(judge, make);
    if (blocks)
        send_word(judge, "MULTI");
    judge_append(judge, command);
    if (blocks)
        send_word(judge, "EXEC");
    judge_receive(judge);
    if (blocks)
        judge_receive(judge);
    reply = judge_receive(judge);
    if (!blocks)
        return reply;
    whole = judge_receive(judge);
    return whole.kind == REPLY_ARRAY && whole.count == 1 ? whole.items[0] : reply;
}

static void print_difference(const GPtrArray *make, const GPtrArray *command, const Reply *redis,
                             const Reply *ours)
{
    g_autofree char *a = judge_reply_text(redis);
    g_autofree char *b = judge_reply_text(ours);

    for (uint32_t i = 0; i < make->len; i++)
        g_printerr("%s ", ((const GString *)make->pdata[i])->str);
    g_printerr(" then ");
    for (uint32_t i = 0; i < command->len; i++)
        g_printerr("%s ", ((const GString *)command->pdata[i])->str);
    g_printerr("\n    redis: %s\n    ours:  %s\n", a, b);
}

static bool word_is(const GPtrArray *command, uint32_t at, const char *word)
{
    return command->len > at &&
           g_ascii_strcasecmp(((const GString *)command->pdata[at])->str, word) == 0;
}

/* Of a key that does not exist the product documents an empty list (streams.md); streams are not
 * dumped here. */
static bool is_documented(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (word_is(command, 0, "XINFO") && word_is(command, 1, "GROUPS"))
        return redis->kind == REPLY_ERROR && ours->kind == REPLY_ARRAY && ours->count == 0;
    return word_is(command, 0, "DUMP") && redis->kind == REPLY_BULK && ours->kind == REPLY_ERROR;
}

/* Errors are the same text; what is no error is no error on the other side. */
static void compare_errors(Judge *judge, const Row *row, const char *make_line, GPtrArray *command)
{
    g_autoptr(GPtrArray) make = words_of(make_line);
    Reply redis;
    Reply ours;
    bool same;

    judge_begin(judge);
    judge->now_ms = g_get_real_time() / 1000;
    redis = reply_of_redis(judge, make, command, row->blocks);
    (void)judge_ours(judge, make);
    ours = judge_ours(judge, command);
    same = redis.kind == REPLY_ERROR ? judge_reply_order(&redis, &ours) == 0
                                     : ours.kind != REPLY_ERROR;
    same = same || is_documented(command, &redis, &ours);
    if (!same)
        print_difference(make, command, &redis, &ours);
    EXPECT(same);
    judge_end(judge);
}

/* The name and count further words: a key of some type in one place, a number in all others. */
static GPtrArray *command_with(const Row *row, int64_t count, int64_t key_at)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(judge_free_word);

    for (uint32_t i = 0; i < row->words->len; i++)
        add_word(words, ((const GString *)row->words->pdata[i])->str);
    for (int64_t i = 0; i < count; i++)
        add_word(words, i == key_at ? "a" : "1");
    return words;
}

/* From no word at all to one less than needed, and one too many. */
static void compare_wrong_arity(Judge *judge, const Row *row)
{
    int64_t least = (row->arity < 0 ? -row->arity : row->arity) - (int64_t)row->words->len;

    if (is_of_session(row))
        return;
    for (int64_t count = 0; count <= least + 1; count++) {
        g_autoptr(GPtrArray) command = command_with(row, count, 0);

        if (count < least || (count > least && row->arity > 0))
            compare_errors(judge, row, makes[0], command);
    }
}

static void compare_wrong_types(Judge *judge, const Row *row)
{
    int64_t least = (row->arity < 0 ? -row->arity : row->arity) - (int64_t)row->words->len;
    int64_t most = least + (row->arity < 0);

    if (is_of_session(row) || row->is_of_connection)
        return;
    for (size_t make = 0; make < G_N_ELEMENTS(makes); make++)
        for (int64_t count = least; count <= most; count++)
            for (int64_t key_at = 0; key_at < count; key_at++) {
                g_autoptr(GPtrArray) command = command_with(row, count, key_at);

                compare_errors(judge, row, makes[make], command);
            }
}

static void test_wrong_arity_is_said_as_by_redis(void)
{
    Judge judge;

    if (!begin(&judge))
        return;
    EXPECT(visit_all(&judge, compare_wrong_arity) > 150);
    judge_server_stop(&judge.server);
}

static void test_wrong_types_are_said_as_by_redis(void)
{
    Judge judge;

    if (!begin(&judge))
        return;
    EXPECT(visit_all(&judge, compare_wrong_types) > 150);
    judge_server_stop(&judge.server);
}

static const TestCase cases[] = {
    TEST(test_rows_are_those_of_command_info),
    TEST(test_wrong_arity_is_said_as_by_redis),
    TEST(test_wrong_types_are_said_as_by_redis),
};
JUDGE_MAIN("judge_sweep", cases)
