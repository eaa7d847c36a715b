/* What became of each command of a real Redis. */
#include "tests/test.h"

#include <string.h>

#include "models/data/command_known.h"
#include "models/data/store.h"

#define WORDS_MAX 4

typedef struct {
    Arg args[WORDS_MAX];
    uint32_t count;
} Words;

static Words words_of(const char *const *texts)
{
    Words words = {.count = 0};

    for (; *texts; texts++)
        words.args[words.count++] =
            (Arg){.kind = ARG_BYTES, .data = *texts, .bytes = (uint32_t)strlen(*texts)};
    return words;
}

#define WORDS(...) words_of((const char *const[]){__VA_ARGS__, NULL})

static void expect_unfound(Words words, const char *text)
{
    g_autoptr(Arena) arena = arena_new();
    Reply reply;

    EXPECT(!command_find_words(words.args, words.count));
    command_reply_unfound(words.args, words.count, arena, &reply);
    EXPECT_INT(reply.kind, REPLY_ERROR);
    EXPECT_TEXT(reply.text, text);
    EXPECT_INT(reply.bytes, strlen(text));
}

static void test_command_known_refusals_give_their_reason(void)
{
    expect_unfound(WORDS("flushall"), "ERR FLUSHALL is refused: an active-active database is "
                                      "flushed by a management call, at all members at once");
    expect_unfound(WORDS("Object", "Encoding", "k"),
                   "ERR OBJECT ENCODING is refused: an active-active database has CRDT.DEBUG "
                   "ENCODING in its place");
    expect_unfound(WORDS("OBJECT", "IDLETIME", "k"),
                   "ERR OBJECT IDLETIME is refused: the product has it, but the model keeps no "
                   "access times");
    expect_unfound(WORDS("MOVE", "k", "1"),
                   "ERR MOVE is refused: the product has no numbered databases and blocks what is "
                   "about them");
    expect_unfound(WORDS("EVAL", "return 1", "0"),
                   "ERR EVAL is refused: the product has it, but this version runs no scripts and "
                   "no functions");
}

/* As redis-server 7.0.15 replies. */
static void test_command_known_unknown_commands_reply_as_redis(void)
{
    char longer[201];

    expect_unfound(WORDS("BOGUS", "a", "b"),
                   "ERR unknown command 'BOGUS', with args beginning with: 'a' 'b' ");
    expect_unfound(WORDS("BOGUS"), "ERR unknown command 'BOGUS', with args beginning with: ");
    expect_unfound(WORDS("BO\nGUS", ""),
                   "ERR unknown command 'BO GUS', with args beginning with: '' ");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    {
        g_autofree char *clipped = g_strndup(longer, 128);
        g_autofree char *text = g_strdup_printf(
            "ERR unknown command '%s', with args beginning with: '%s' ", clipped, clipped);

        expect_unfound(WORDS(longer, longer, "y"), text);
    }
}

static void test_command_known_names_are_unique_and_in_order(void)
{
    for (size_t i = 1; i < command_known_count(); i++)
        EXPECT(strcmp(command_known_at(i - 1).name, command_known_at(i).name) < 0);
}

static void test_command_known_every_command_of_the_program_is_known_and_not_refused(void)
{
    for (size_t i = 0; i < command_count(); i++) {
        const char *name = command_at(i)->name;
        KnownCommand known;

        if (!command_known_find(name, strlen(name), &known)) {
            g_printerr("%s is not in models/data/command_known.c\n", name);
            EXPECT(false);
            continue;
        }
        EXPECT_INT(known.standing, COMMAND_SUPPORTED);
        EXPECT(known.spec == command_at(i));
        EXPECT(command_find_words(WORDS(name).args, 1) == known.spec);
    }
}

static void test_command_known_a_refusal_has_a_reason_and_others_have_none(void)
{
    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        EXPECT((known.standing == COMMAND_REFUSED) == (known.reason[0] != '\0'));
        EXPECT((known.standing == COMMAND_SUPPORTED) == (known.spec != NULL));
        EXPECT(known.standing == COMMAND_REFUSED || known.source[0] == '\0');
    }
}

/* A subcommand is not supported because its command is: the command must know it. */
static void test_command_known_supported_subcommands_are_there(void)
{
    StoreConfig config = {.member_id = 1};
    g_autoptr(Store) store = store_new(&config);
    g_autoptr(Arena) arena = arena_new();

    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);
        const char *bar = strchr(known.name, '|');
        Arg word = {.kind = ARG_BYTES};
        Command command = {.spec = known.spec, .args = &word, .count = 1};
        Reply reply;

        if (!bar || known.standing != COMMAND_SUPPORTED)
            continue;
        word.data = bar + 1;
        word.bytes = (uint32_t)strlen(bar + 1);
        store_execute(store, &command, (WallTime){1000}, arena, &reply);
        if (reply.kind == REPLY_ERROR && (g_str_has_prefix(reply.text, "ERR unknown subcommand") ||
                                          g_str_has_prefix(reply.text, "ERR syntax"))) {
            g_printerr("%s: %s\n", known.name, reply.text);
            EXPECT(false);
        }
    }
}

static const TestCase cases[] = {
    TEST(test_command_known_refusals_give_their_reason),
    TEST(test_command_known_unknown_commands_reply_as_redis),
    TEST(test_command_known_names_are_unique_and_in_order),
    TEST(test_command_known_every_command_of_the_program_is_known_and_not_refused),
    TEST(test_command_known_a_refusal_has_a_reason_and_others_have_none),
    TEST(test_command_known_supported_subcommands_are_there),
};
TEST_MAIN("command_known", cases)
