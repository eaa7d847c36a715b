/* Which words of a command are keys, against COMMAND GETKEYS of a real Redis. */
#include "tests/test.h"

#include "models/data/command_keys.h"
#include "models/data/command_known.h"
#include "tests/judge/judge.h"

#define CALL_WORD_MAX 9 /* drawn ones */

/* Words that stand for keys, counts and options alike. */
static void draw_words(Rng *rng, GPtrArray *words)
{
    static const char *const texts[] = {
        "k1", "k2",  "k3",    "k4", "1",     "2",  "3",   "STREAMS", "0", "GROUP", "COUNT", "STORE",
        "BY", "GET", "LIMIT", "m",  "BLOCK", "-1", "abc", "NX",      "$", "store", ""};
    uint64_t count = 1 + rng_below(rng, CALL_WORD_MAX);

    for (uint64_t i = 0; i < count; i++)
        g_ptr_array_add(words, g_string_new(texts[rng_below(rng, G_N_ELEMENTS(texts))]));
}

static void note_key(GPtrArray *keys, const char *key)
{
    g_ptr_array_add(keys, g_strdup(key));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Their order is of no matter, only which they are. */
static char *keys_text(GPtrArray *keys)
{
    g_ptr_array_sort(keys, compare_texts);
    g_ptr_array_add(keys, NULL);
    return g_strjoinv(",", (char **)keys->pdata);
}

static char *our_keys(const CommandSpec *spec, const GPtrArray *words)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    g_autofree Arg *args = g_new(Arg, words->len);
    Command command = {.spec = spec, .args = args + 1, .count = words->len - 1};
    CommandKeys keys;

    for (uint32_t i = 0; i < words->len; i++) {
        const GString *word = words->pdata[i];

        args[i] = (Arg){.kind = ARG_BYTES, .data = word->str, .bytes = (uint32_t)word->len};
    }
    keys = command_keys(&command);
    if (keys.has_other)
        note_key(found, command.args[keys.other].data);
    for (uint32_t i = 0; i < keys.count; i++)
        note_key(found, command.args[keys.first + i * keys.step].data);
    return keys_text(found);
}

/* NULL: so many words are not accepted. */
static char *redis_keys(const Judge *judge, const GPtrArray *words)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    g_autofree const char **texts = g_new(const char *, words->len + 2);
    redisReply *reply;
    bool accepted;

    texts[0] = "COMMAND";
    texts[1] = "GETKEYS";
    for (uint32_t i = 0; i < words->len; i++)
        texts[i + 2] = ((const GString *)words->pdata[i])->str;
    reply = redisCommandArgv(judge->server.connections[0], (int)words->len + 2, texts, NULL);
    accepted = reply->type == REDIS_REPLY_ARRAY || !strstr(reply->str, "number of arguments");
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
        note_key(found, reply->element[i]->str);
    freeReplyObject(reply);
    return accepted ? keys_text(found) : NULL;
}

/* Redis reads the name behind STORE of SORT as an option as well when it sounds like one, takes the
 * first of several places of GEORADIUS though the last is written, and finds no key of PFMERGE
 * without a source. */
static bool is_odd(const GPtrArray *words)
{
    static const char *const options[] = {"BY", "GET", "LIMIT"};
    uint32_t stores = 0;

    for (uint32_t i = 0; i < words->len; i++) {
        const char *word = ((const GString *)words->pdata[i])->str;
        const char *next = i + 1 < words->len ? ((const GString *)words->pdata[i + 1])->str : "";

        if (g_ascii_strcasecmp(word, "STORE") != 0)
            continue;
        stores++;
        for (size_t k = 0; k < G_N_ELEMENTS(options); k++)
            if (strcmp(next, options[k]) == 0)
                return true;
    }
    return stores > 1 ||
           (words->len == 2 && strcmp(((const GString *)words->pdata[0])->str, "pfmerge") == 0);
}

/* false: Redis does not have it, being a command of its modules, or it has subcommands, which are
 * commands of their own; HELP of these takes no further word. */
static bool compare_command(const Judge *judge, Rng *rng, const KnownCommand *known, int calls)
{
    redisReply *info = redisCommand(judge->server.connections[0], "COMMAND INFO %s", known->name);
    bool has = info->elements == 1 && info->element[0]->type == REDIS_REPLY_ARRAY &&
               info->element[0]->element[9]->elements == 0 &&
               !g_str_has_suffix(known->name, "|help");

    freeReplyObject(info);
    for (int call = 0; has && call < calls; call++) {
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(judge_free_word);
        g_auto(GStrv) names = g_strsplit(known->name, "|", 2);
        g_autofree char *redis = NULL;
        g_autofree char *ours = NULL;

        for (char **name = names; *name; name++)
            g_ptr_array_add(words, g_string_new(*name));
        if (strcmp(known->name, "xreadgroup") == 0) /* nothing else may stand there */
            g_ptr_array_add(words, g_string_new("GROUP"));
        draw_words(rng, words);
        redis = is_odd(words) ? NULL : redis_keys(judge, words);
        if (!redis)
            continue;
        ours = our_keys(known->spec, words);
        if (strcmp(ours, redis) == 0)
            continue;
        for (uint32_t i = 0; i < words->len; i++)
            g_printerr("%s ", ((const GString *)words->pdata[i])->str);
        g_printerr(": redis finds %s, ours are %s\n", redis, ours);
        EXPECT(false);
        break;
    }
    return has;
}

static void test_keys_are_those_redis_finds(void)
{
    Judge judge = {0};
    Rng rng = rng_stream(1, "keys");
    const char *missing = judge_server_start(&judge.server);
    int compared = 0;

    EXPECT_TEXT(missing, NULL);
    if (missing)
        return;
    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        if (known.standing == COMMAND_SUPPORTED)
            compared += compare_command(&judge, &rng, &known, (int)test_count(200, 5000));
    }
    EXPECT(compared > 150);
    judge_server_stop(&judge.server);
}

static const TestCase cases[] = {
    TEST(test_keys_are_those_redis_finds),
};
JUDGE_MAIN("judge_keys", cases)
