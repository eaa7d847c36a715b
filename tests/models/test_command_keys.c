#include "tests/test.h"

#include <string.h>

#include "models/data/command_keys.h"

#define WORD_MAX 16

typedef struct {
    GStrv texts;
    Arg args[WORD_MAX];
    Command command;
} Words;

static void words_init(Words *words, const char *line)
{
    uint32_t count = 0;

    words->texts = g_strsplit(line, " ", WORD_MAX);
    EXPECT_FATAL(words->texts[0] != NULL);
    for (; words->texts[count]; count++)
        words->args[count] = (Arg){.kind = ARG_BYTES,
                                   .data = words->texts[count],
                                   .bytes = (uint32_t)strlen(words->texts[count])};
    words->command = (Command){.spec = command_find(words->texts[0], strlen(words->texts[0])),
                               .args = words->args + 1,
                               .count = count - 1};
}

/* The keys of the line in order, the one beside the run first. */
static void expect_keys(const char *line, const char *expected)
{
    g_autoptr(GString) found = g_string_new(NULL);
    Words words;
    CommandKeys keys;

    words_init(&words, line);
    keys = command_keys(&words.command);
    if (keys.has_other)
        g_string_append_printf(found, "%s ", words.texts[1 + keys.other]);
    for (uint32_t i = 0; i < keys.count; i++)
        g_string_append_printf(found, "%s ", words.texts[1 + keys.first + i * keys.step]);
    EXPECT_TEXT(g_strchomp(found->str), expected);
    g_strfreev(words.texts);
}

static void test_command_keys_most_commands_have_their_key_first(void)
{
    expect_keys("GET a", "a");
    expect_keys("HSET a f v", "a");
    expect_keys("JSON.GET a $.x $.y", "a");
    expect_keys("XADD a * f v", "a");
}

static void test_command_keys_runs_are_found(void)
{
    expect_keys("MSET a 1 b 2 c 3", "a b c");
    expect_keys("JSON.MSET a $ 1 b $ 2", "a b");
    expect_keys("JSON.MGET a b $", "a b");
    expect_keys("BITOP AND d a b", "d a b");
    expect_keys("BLPOP a b 0", "a b");
    expect_keys("COPY a b REPLACE", "a b");
    expect_keys("XGROUP CREATE a g $", "a");
    expect_keys("XGROUP HELP", "");
    expect_keys("PING a", "");
}

static void test_command_keys_counted_ones_need_a_true_count(void)
{
    expect_keys("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d a b");
    expect_keys("ZINTER 2 a b WITHSCORES", "a b");
    expect_keys("BLMPOP 0 2 a b LEFT", "a b");
    expect_keys("ZUNIONSTORE d 5 a b", "");
    expect_keys("ZINTER 0 a", "");
    expect_keys("LMPOP x a LEFT", "");
}

static void test_command_keys_options_are_not_mistaken_for_keys(void)
{
    expect_keys("XREAD COUNT 2 STREAMS a b 0 0", "a b");
    expect_keys("XREADGROUP GROUP streams c STREAMS a >", "a");
    expect_keys("XREAD COUNT 2 BLOCK 0", "");
    expect_keys("SORT a BY store GET store LIMIT 0 1 STORE b STORE c", "c a");
    expect_keys("GEORADIUS a 1 1 1 m STOREDIST d", "d a");
    expect_keys("GEORADIUSBYMEMBER a STORE 1 m", "a");
}

static void test_command_keys_a_refused_slot_stays_open(void)
{
    Words words;
    int slot = HASH_SLOT_NONE;

    words_init(&words, "DEL a b");
    EXPECT(!command_keys_share_slot(&words.command, &slot));
    EXPECT_INT(slot, HASH_SLOT_NONE);
    g_strfreev(words.texts);
    words_init(&words, "DEL {a}1 {a}2");
    EXPECT(command_keys_share_slot(&words.command, &slot));
    EXPECT_INT(slot, hash_slot_of((PayloadText){"a", 1}));
    g_strfreev(words.texts);
    words_init(&words, "GET b");
    EXPECT(!command_keys_share_slot(&words.command, &slot));
    EXPECT_INT(slot, hash_slot_of((PayloadText){"a", 1}));
    g_strfreev(words.texts);
}

/* A workload's command is about one declared key, whatever its other words. */
static void test_command_keys_declared_ones_lie_in_no_slot(void)
{
    Arg args[] = {{.kind = ARG_KEY, .number = 1}, {.kind = ARG_KEY, .number = 2}};
    Command command = {.spec = command_find("DEL", 3), .args = args, .count = 2};
    int slot = HASH_SLOT_NONE;

    EXPECT(command_keys_share_slot(&command, &slot));
    EXPECT_INT(slot, HASH_SLOT_NONE);
}

static const TestCase cases[] = {
    TEST(test_command_keys_most_commands_have_their_key_first),
    TEST(test_command_keys_runs_are_found),
    TEST(test_command_keys_counted_ones_need_a_true_count),
    TEST(test_command_keys_options_are_not_mistaken_for_keys),
    TEST(test_command_keys_a_refused_slot_stays_open),
    TEST(test_command_keys_declared_ones_lie_in_no_slot),
};
TEST_MAIN("command_keys", cases)
