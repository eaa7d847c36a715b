/* One sequence of commands, given to a real Redis and to a store alone in its group, reply by
 * reply.
 *
 * Redis gets the sequence in one pipeline, and the store executes it at one instant of the same
 * clock.  The command "@ 2" is not one of Redis: from there on the second connection, or session,
 * speaks.  What Redis picked at random the store is made to hold afterwards, so that both sides go
 * on from the same state.  A sequence that ends in two different replies is made as short as it can
 * be and printed with both.
 */
#pragma once

#include "models/data/session.h"
#include "tests/judge/judge_grammar.h"
#include "tests/judge/judge_reply.h"
#include "tests/judge/judge_server.h"

typedef struct {
    ReplyRule rule;
    bool scores;        /* texts that are the same double are equal */
    const char *form;   /* see judge_grammar.h */
    const char *whole;  /* RULE_RANDOM: the command that lists what may be picked */
    const char *undone; /* RULE_RANDOM, when the pick is taken out: the command that puts it back */
    const char *taken;  /* likewise: the command that takes out what Redis picked */
} JudgeForm;

/* A documented difference between the product and Redis; both replies are of the same command. */
typedef struct {
    const char *reason;
    bool (*holds)(const GPtrArray *command, const Reply *redis, const Reply *ours);
} JudgeDifference;

typedef struct {
    const char *type;
    const char *const *keys;
    const JudgeForm *forms;
    size_t form_count;
} JudgeType;

typedef struct {
    JudgeServer server;
    const JudgeDifference *differences;
    size_t difference_count;
    const JudgeType *type;
    StreamIdMode stream_ids;
    Store *store;
    Session *sessions[JUDGE_CONNECTIONS];
    uint32_t speaker; /* index of the connection and the session */
    Arena *arena;
    int64_t now_ms;
    long documented; /* sequences that ended in a documented difference */
} Judge;

#define JUDGE_SEQUENCE_LENGTH 120
#define JUDGE_FAILURES_SHOWN  12

static const JudgeForm *judge_form_of(const Judge *judge, const GPtrArray *command)
{
    const GString *name = command->pdata[0];

    for (size_t i = 0; i < judge->type->form_count; i++) {
        const char *form = judge->type->forms[i].form;

        if (strncmp(form, name->str, name->len) == 0 &&
            (form[name->len] == ' ' || form[name->len] == '\0'))
            return &judge->type->forms[i];
    }
    return NULL; /* of the preamble */
}

static Reply judge_ours(Judge *judge, const GPtrArray *words)
{
    Arg *args = arena_array(judge->arena, Arg, words->len);
    Reply reply;

    for (uint32_t i = 0; i < words->len; i++) {
        const GString *word = words->pdata[i];

        args[i] = (Arg){.kind = ARG_BYTES, .data = word->str, .bytes = (uint32_t)word->len};
    }
    session_execute(judge->sessions[judge->speaker], args, words->len, (WallTime){judge->now_ms},
                    judge->arena, &reply);
    return reply;
}

static Reply judge_ours_named(Judge *judge, const char *name, const GString *key, const Reply *item)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(judge_free_word);

    g_ptr_array_add(words, g_string_new(name));
    g_ptr_array_add(words, g_string_new_len(key->str, (gssize)key->len));
    if (item)
        g_ptr_array_add(words, g_string_new_len(item->text, (gssize)item->bytes));
    return judge_ours(judge, words);
}

static bool judge_holds(const Reply *whole, const Reply *picked, uint32_t step)
{
    for (uint32_t i = 0; i + step <= whole->count; i += step) {
        bool same = true;

        for (uint32_t part = 0; part < step; part++)
            same &= judge_equal(&picked[part], &whole->items[i + part], true);
        if (same)
            return true;
    }
    return false;
}

/* As many items on both sides, ours all from the collection, and different ones unless repeats were
 * asked for. */
static bool judge_same_pick(const Reply *whole, const Reply *redis, const Reply *ours, bool repeats,
                            bool pairs)
{
    uint32_t step = pairs ? 2 : 1;

    if (redis->kind != ours->kind || redis->kind == REPLY_ERROR)
        return judge_reply_order(redis, ours) == 0;
    if (redis->kind != REPLY_ARRAY)
        return redis->kind == REPLY_NIL || judge_holds(whole, ours, 1);
    if (redis->count != ours->count || ours->count % step != 0)
        return false;
    for (uint32_t i = 0; i < ours->count; i += step) {
        if (!judge_holds(whole, &ours->items[i], step))
            return false;
        for (uint32_t j = 0; j < i && !repeats; j += step)
            if (judge_equal(&ours->items[i], &ours->items[j], false))
                return false;
    }
    return true;
}

/* Gives back what ours picked, and takes what Redis did. */
static void judge_follow_pick(Judge *judge, const JudgeForm *form, const GString *key,
                              const Reply *redis, const Reply *ours)
{
    const Reply *redis_items = redis->kind == REPLY_ARRAY ? redis->items : redis;
    const Reply *our_items = ours->kind == REPLY_ARRAY ? ours->items : ours;
    uint32_t count = redis->kind == REPLY_ARRAY ? redis->count : redis->kind == REPLY_BULK;

    for (uint32_t i = 0; i < count; i++)
        judge_ours_named(judge, form->undone, key, &our_items[i]);
    for (uint32_t i = 0; i < count; i++)
        judge_ours_named(judge, form->taken, key, &redis_items[i]);
}

static bool judge_has_word(const GPtrArray *command, const char *word)
{
    for (uint32_t i = 1; i < command->len; i++)
        if (g_ascii_strcasecmp(((const GString *)command->pdata[i])->str, word) == 0)
            return true;
    return false;
}

static bool judge_random_agrees(Judge *judge, const JudgeForm *form, const GPtrArray *command,
                                const Reply *redis, Reply *out_ours)
{
    static const GString none = {0};
    const GString *key = command->len > 1 ? command->pdata[1] : &none;
    Reply whole = {.kind = REPLY_ARRAY};
    bool pairs = judge_has_word(command, "WITHSCORES") || judge_has_word(command, "WITHVALUES");
    g_autofree char *list = g_strdup(form->whole);
    bool same;

    if (command->len > 1 || strcmp(form->whole, "KEYS") == 0) {
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(judge_free_word);

        g_ptr_array_add(words, g_string_new(list));
        g_ptr_array_add(words, strcmp(form->whole, "KEYS") == 0
                                   ? g_string_new("*")
                                   : g_string_new_len(key->str, (gssize)key->len));
        if (strcmp(form->whole, "ZRANGE") == 0) {
            g_ptr_array_add(words, g_string_new("0"));
            g_ptr_array_add(words, g_string_new("-1"));
            if (pairs)
                g_ptr_array_add(words, g_string_new("WITHSCORES"));
        } else if (strcmp(form->whole, "HKEYS") == 0 && pairs) {
            g_string_assign(words->pdata[0], "HGETALL");
        }
        whole = judge_ours(judge, words);
    }
    *out_ours = judge_ours(judge, command);
    same =
        judge_same_pick(&whole, redis, out_ours,
                        command->len > 2 && ((GString *)command->pdata[2])->str[0] == '-', pairs);
    if (same && form->undone && redis->kind != REPLY_NIL && redis->kind != REPLY_ERROR)
        judge_follow_pick(judge, form, key, redis, out_ours);
    return same;
}

static void judge_ignore_effect(void *actor, const Effect *effect)
{
    (void)actor;
    (void)effect;
}

static void judge_begin(Judge *judge)
{
    StoreConfig config = {.member_id = 1,
                          .member_count = 1,
                          .stream_ids = judge->stream_ids,
                          .sink = {.emit = judge_ignore_effect}};

    judge->store = store_new(&config);
    for (uint32_t i = 0; i < JUDGE_CONNECTIONS; i++)
        judge->sessions[i] = session_new(judge->store);
    judge->speaker = 0;
    judge->arena = arena_new();
}

static void judge_end(Judge *judge)
{
    for (uint32_t i = 0; i < JUDGE_CONNECTIONS; i++)
        session_free(judge->sessions[i]);
    store_free(judge->store);
    arena_free(judge->arena);
}

/* Who speaks from this command on; false: it is one for the server. */
static bool judge_changes_speaker(Judge *judge, const GPtrArray *command)
{
    if (strcmp(((const GString *)command->pdata[0])->str, "@") != 0)
        return false;
    judge->speaker = (uint32_t)atoi(((const GString *)command->pdata[1])->str) - 1;
    g_assert(judge->speaker < JUDGE_CONNECTIONS);
    return true;
}

static void judge_append(Judge *judge, const GPtrArray *words)
{
    g_autofree const char **texts = g_new(const char *, words->len);
    g_autofree size_t *sizes = g_new(size_t, words->len);

    for (uint32_t w = 0; w < words->len; w++) {
        const GString *word = words->pdata[w];

        texts[w] = word->str;
        sizes[w] = word->len;
    }
    redisAppendCommandArgv(judge->server.connections[judge->speaker], (int)words->len, texts,
                           sizes);
}

static Reply judge_receive(Judge *judge)
{
    redisContext *context = judge->server.connections[judge->speaker];
    void *received = NULL;
    Reply reply;

    if (redisGetReply(context, &received) != REDIS_OK)
        g_error("redis-server went away: %s", context->errstr);
    reply = judge_reply_of(received, judge->arena);
    freeReplyObject(received);
    return reply;
}

/* No key, no transaction and no watch. */
static void judge_server_clear(Judge *judge)
{
    for (uint32_t i = JUDGE_CONNECTIONS; i > 0; i--) {
        judge->speaker = i - 1;
        redisAppendCommand(judge->server.connections[judge->speaker], "RESET");
        judge_receive(judge);
    }
    redisAppendCommand(judge->server.connections[judge->speaker], "FLUSHALL");
    judge_receive(judge);
}

static bool judge_is_documented(const Judge *judge, const GPtrArray *command, const Reply *redis,
                                const Reply *ours)
{
    for (size_t i = 0; i < judge->difference_count; i++)
        if (judge->differences[i].holds(command, redis, ours))
            return true;
    return false;
}

typedef struct {
    uint32_t compared;
    uint32_t at; /* the first command with two replies; the sequence's length when there is none */
    char *redis, *ours;
} JudgeVerdict;

static char *judge_reply_text(const Reply *reply)
{
    GString *text = g_string_new(NULL);

    judge_print_reply(text, reply);
    return g_string_free(text, FALSE);
}

/* Sends what one connection says from `at` on, and returns where another begins. */
static uint32_t judge_send_stretch(Judge *judge, const GPtrArray *commands, uint32_t at)
{
    for (; at < commands->len; at++) {
        const GString *name = ((const GPtrArray *)commands->pdata[at])->pdata[0];

        if (strcmp(name->str, "@") == 0)
            break;
        judge_append(judge, commands->pdata[at]);
    }
    return at;
}

/* Executes the command here and says whether the reply is that of Redis. */
static bool judge_agrees(Judge *judge, const GPtrArray *command, Reply *redis, Reply *out_ours)
{
    const JudgeForm *form = judge_form_of(judge, command);

    if (form && form->rule == RULE_RANDOM)
        return judge_random_agrees(judge, form, command, redis, out_ours);
    *out_ours = judge_ours(judge, command);
    return judge_same(redis, out_ours, form ? form->rule : RULE_EXACT, form && form->scores);
}

/* From the first difference on the states are not the same: nothing after it is compared. */
static JudgeVerdict judge_compare(Judge *judge, const GPtrArray *commands)
{
    JudgeVerdict verdict = {.at = commands->len};
    uint32_t sent = 0;
    bool over = false;

    judge_begin(judge);
    judge_server_clear(judge);
    judge->now_ms = g_get_real_time() / 1000;
    for (uint32_t i = 0; i < commands->len; i++) {
        const GPtrArray *command = commands->pdata[i];
        Reply redis, ours;

        if (judge_changes_speaker(judge, command)) {
            sent = i + 1;
            continue;
        }
        if (sent <= i)
            sent = judge_send_stretch(judge, commands, i);
        redis = judge_receive(judge);
        if (over)
            continue;
        verdict.compared++;
        if (judge_agrees(judge, command, &redis, &ours))
            continue;
        over = true;
        if (judge_is_documented(judge, command, &redis, &ours)) {
            judge->documented++;
            continue;
        }
        verdict.at = i;
        verdict.redis = judge_reply_text(&redis);
        verdict.ours = judge_reply_text(&ours);
    }
    judge_end(judge);
    return verdict;
}

static void judge_verdict_clear(JudgeVerdict *verdict)
{
    g_free(verdict->redis);
    g_free(verdict->ours);
}

/* The same sequence without `count` commands from `at` on. */
static GPtrArray *judge_without(const GPtrArray *commands, uint32_t at, uint32_t count)
{
    GPtrArray *rest = g_ptr_array_new();

    for (uint32_t i = 0; i < commands->len; i++)
        if (i < at || i >= at + count)
            g_ptr_array_add(rest, commands->pdata[i]);
    return rest;
}

/* Leaves out ever shorter runs of commands as long as some difference of the same command remains.
 */
static GPtrArray *judge_shrink(Judge *judge, const GPtrArray *commands, uint32_t last)
{
    GPtrArray *best = judge_without(commands, last + 1, commands->len);
    const GPtrArray *wrong = commands->pdata[last];

    for (uint32_t run = best->len / 2; run > 0; run /= 2) {
        for (uint32_t at = 0; at + 1 < best->len;) {
            GPtrArray *less = judge_without(best, at, MIN(run, best->len - 1 - at));
            JudgeVerdict verdict = judge_compare(judge, less);
            bool keep = verdict.at + 1 == less->len && less->pdata[verdict.at] == wrong;

            judge_verdict_clear(&verdict);
            if (keep) {
                g_ptr_array_free(best, TRUE);
                best = less;
            } else {
                g_ptr_array_free(less, TRUE);
                at += run;
            }
        }
    }
    return best;
}

static void judge_print_failure(Judge *judge, const GPtrArray *commands)
{
    JudgeVerdict verdict = judge_compare(judge, commands);
    g_autoptr(GString) text = g_string_new(NULL);

    for (uint32_t i = 0; i < commands->len; i++) {
        const GPtrArray *words = commands->pdata[i];

        g_string_append(text, "   ");
        for (uint32_t w = 0; w < words->len; w++) {
            const GString *word = words->pdata[w];

            g_string_append_c(text, ' ');
            if (w == 0)
                g_string_append(text, word->str);
            else
                judge_print_text(text, word->str, word->len);
        }
        g_string_append_c(text, '\n');
    }
    g_printerr("%s: two replies to the last of\n%s      redis: %s\n      ours:  %s\n",
               judge->type->type, text->str, verdict.redis ? verdict.redis : "(the same)",
               verdict.ours ? verdict.ours : "(the same)");
    judge_verdict_clear(&verdict);
}

static void judge_free_command(void *words)
{
    g_ptr_array_free(words, TRUE);
}

/* A negative count asks for that many items with repeats: a huge one would never end. */
static void judge_tame(GPtrArray *words)
{
    const char *name = ((const GString *)words->pdata[0])->str;

    if (!strstr(name, "RAND"))
        return;
    for (uint32_t i = 2; i < words->len; i++) {
        GString *word = words->pdata[i];
        int64_t number;

        if (integer_parse(word->str, word->len, &number) && number < -99 && number != INT64_MIN)
            g_string_assign(word, "-7");
    }
}

/* Keys of every type, so that some commands meet the wrong one. */
static GPtrArray *judge_draw_sequence(const JudgeType *type, Rng *rng)
{
    static const char *const preamble[] = {"SET other:string text", "HSET other:hash m1 1 m2 x",
                                           "SADD other:set m1 m2 7", "ZADD other:zset 1 m1 2 m2"};
    GPtrArray *commands = g_ptr_array_new_with_free_func(judge_free_command);

    for (size_t i = 0; i < G_N_ELEMENTS(preamble); i++) {
        GPtrArray *words = g_ptr_array_new_with_free_func(judge_free_word);
        g_auto(GStrv) texts = g_strsplit(preamble[i], " ", -1);

        for (uint32_t w = 0; texts[w]; w++)
            g_ptr_array_add(words, g_string_new(texts[w]));
        g_ptr_array_add(commands, words);
    }
    while (commands->len < JUDGE_SEQUENCE_LENGTH) {
        const JudgeForm *form = &type->forms[rng_below(rng, type->form_count)];
        GPtrArray *words = judge_draw_command(rng, form->form, type->keys);

        judge_tame(words);
        g_ptr_array_add(commands, words);
    }
    return commands;
}

static bool judge_is_new(GPtrArray *seen, const GPtrArray *command)
{
    const char *name = ((const GString *)command->pdata[0])->str;

    for (uint32_t i = 0; i < seen->len; i++)
        if (strcmp(seen->pdata[i], name) == 0)
            return false;
    g_ptr_array_add(seen, g_strdup(name));
    return true;
}

/* Compares command_count random commands of the type; every command that failed is shown once. */
static void judge_type(Judge *judge, const JudgeType *type, long command_count)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
    Rng rng = rng_stream(1, type->type);
    long done = 0;
    long failed = 0;

    judge->type = type;
    judge->documented = 0;
    while (done < command_count && seen->len < JUDGE_FAILURES_SHOWN) {
        g_autoptr(GPtrArray) commands = judge_draw_sequence(type, &rng);
        JudgeVerdict verdict = judge_compare(judge, commands);

        done += verdict.compared;
        if (verdict.at < commands->len) {
            failed++;
            if (judge_is_new(seen, commands->pdata[verdict.at])) {
                GPtrArray *least = judge_shrink(judge, commands, verdict.at);

                judge_print_failure(judge, least);
                g_ptr_array_free(least, TRUE);
            }
        }
        judge_verdict_clear(&verdict);
    }
    if (failed > 0)
        g_printerr("%s: %ld sequences failed in %ld commands\n", type->type, failed, done);
    EXPECT_INT(failed, 0);
}

/* A server of its own for one type; returns how many sequences ended in a documented difference. */
static inline long judge_run(const Judge *with, const JudgeType *type, long command_count)
{
    Judge judge = *with;
    const char *missing = judge_server_start(&judge.server);

    EXPECT_TEXT(missing, NULL);
    if (missing)
        return 0;
    judge_type(&judge, type, command_count);
    judge_server_stop(&judge.server);
    return judge.documented;
}
