/* What DUMP gives, restored by a real Redis, is the value. */
#include "tests/test.h"

#include "tests/judge/judge.h"

static void add_word(GPtrArray *words, const char *text, size_t size)
{
    g_ptr_array_add(words, g_string_new_len(text, (gssize)size));
}

static GPtrArray *command_of(const char *line)
{
    g_auto(GStrv) texts = g_strsplit(line, " ", -1);
    GPtrArray *words = g_ptr_array_new_with_free_func(judge_free_word);

    for (char **text = texts; *text; text++)
        add_word(words, *text, strlen(*text));
    return words;
}

static Reply ours(Judge *judge, const char *line)
{
    g_autoptr(GPtrArray) words = command_of(line);

    return judge_ours(judge, words);
}

static Reply of_redis(Judge *judge, const GPtrArray *words)
{
    judge_append(judge, words);
    return judge_receive(judge);
}

/* Any bytes, of lengths on both sides of each form a count can have. */
static void add_random_text(GPtrArray *words, Rng *rng)
{
    static const uint32_t bounds[] = {0, 4, 62, 64, 66, 16382, 16384, 16400, 70000};
    uint32_t size = bounds[rng_below(rng, rng_below(rng, 40) == 0 ? G_N_ELEMENTS(bounds) : 5)];
    GString *text = g_string_new(NULL);

    size += (uint32_t)rng_below(rng, 3);
    for (uint32_t i = 0; i < size; i++)
        g_string_append_c(text, (char)rng_below(rng, 256));
    g_ptr_array_add(words, text);
}

static void add_random_score(GPtrArray *words, Rng *rng)
{
    static const char *const scores[] = {"0", "-0", "inf", "-inf", "1e300", "0.1", "-7", "3.25"};
    const char *score = scores[rng_below(rng, G_N_ELEMENTS(scores))];

    add_word(words, score, strlen(score));
}

/* How a value of each kind is made, with how many parts for an element, and what shows it all. */
typedef struct {
    const char *make, *show;
    bool pairs, scored;
    ReplyRule rule;
} Kind;

static const Kind kinds[] = {
    {"SET k", "GET k", .rule = RULE_EXACT},
    {"INCRBYFLOAT k", "GET k", .scored = true, .rule = RULE_EXACT},
    {"RPUSH k", "LRANGE k 0 -1", .rule = RULE_EXACT},
    {"SADD k", "SMEMBERS k", .rule = RULE_UNORDERED},
    {"HSET k", "HGETALL k", .pairs = true, .rule = RULE_UNORDERED_PAIRS},
    {"ZADD k", "ZRANGE k 0 -1 WITHSCORES", .pairs = true, .scored = true, .rule = RULE_EXACT},
    {"PFADD k", "PFCOUNT k", .rule = RULE_EXACT},
};

#define ELEMENTS_MAX 200

static void make_value(Judge *judge, const Kind *kind, Rng *rng)
{
    bool is_one = g_str_has_prefix(kind->show, "GET");
    uint32_t count =
        is_one ? 1 : 1 + (uint32_t)rng_below(rng, rng_below(rng, 4) == 0 ? ELEMENTS_MAX : 8);
    g_autoptr(GPtrArray) words = command_of(kind->make);
    Reply reply;

    for (uint32_t i = 0; i < count; i++) {
        if (is_one && kind->scored) {
            add_word(words, "12.5", 4);
            continue;
        }
        if (kind->scored)
            add_random_score(words, rng);
        add_random_text(words, rng);
        if (kind->pairs && !kind->scored)
            add_random_text(words, rng);
    }
    reply = judge_ours(judge, words);
    EXPECT(reply.kind != REPLY_ERROR);
}

static bool restored_is_the_same(Judge *judge, const Kind *kind)
{
    Reply dump = ours(judge, "DUMP k");
    Reply shown = ours(judge, kind->show);
    g_autoptr(GPtrArray) restore = command_of("RESTORE k 0");
    g_autoptr(GPtrArray) show = command_of(kind->show);
    Reply restored, theirs;

    add_word(restore, dump.text, dump.bytes);
    judge_server_clear(judge);
    restored = of_redis(judge, restore);
    theirs = of_redis(judge, show);
    if (restored.kind == REPLY_STATUS && judge_same(&theirs, &shown, kind->rule, kind->scored))
        return true;
    {
        g_autofree char *a = judge_reply_text(&theirs);
        g_autofree char *b = judge_reply_text(&shown);

        g_printerr("%s: RESTORE %s\n  redis: %s\n  ours:  %s\n", kind->make,
                   restored.text ? restored.text : "", a, b);
    }
    return false;
}

static void test_redis_restores_what_is_dumped(void)
{
    Judge judge = {.now_ms = 1000};
    const char *missing = judge_server_start(&judge.server);
    Rng rng = rng_stream(1, "dump");
    long failed = 0;

    EXPECT_TEXT(missing, NULL);
    if (missing)
        return;
    for (long i = 0; i < test_count(2000, 20000) && failed < 5; i++) {
        const Kind *kind = &kinds[rng_below(&rng, G_N_ELEMENTS(kinds))];

        judge_begin(&judge);
        make_value(&judge, kind, &rng);
        failed += !restored_is_the_same(&judge, kind);
        judge_end(&judge);
    }
    EXPECT_INT(failed, 0);
    judge_server_stop(&judge.server);
}

static void test_dumps_are_checked_by_redis(void)
{
    Judge judge = {.now_ms = 1000};
    const char *missing = judge_server_start(&judge.server);
    g_autoptr(GPtrArray) restore = command_of("RESTORE k 0");
    g_autofree char *broken = NULL;
    Reply dump;

    EXPECT_TEXT(missing, NULL);
    if (missing)
        return;
    judge_begin(&judge);
    (void)ours(&judge, "SET k value");
    dump = ours(&judge, "DUMP k");
    broken = g_memdup2(dump.text, dump.bytes);
    broken[2] ^= 1;
    add_word(restore, broken, dump.bytes);
    EXPECT_TEXT(of_redis(&judge, restore).text, "ERR DUMP payload version or checksum are wrong");
    judge_end(&judge);
    judge_server_stop(&judge.server);
}

static const TestCase cases[] = {
    TEST(test_redis_restores_what_is_dumped),
    TEST(test_dumps_are_checked_by_redis),
};
JUDGE_MAIN("judge_dump", cases)
