/* Documented behaviour, case by case (tests/conformance). */
#include "tests/test.h"

#include <string.h>

#include "tools/conform_match.h"
#include "tools/conform_run.h"

/* Cases that need a type, command or option the program does not have.  The list only shrinks: a
 * case on it that passes fails the test, and must leave. */
static const char *const later[] = {
    NULL,
};

static ConformFile *read_shipped(const char *type)
{
    g_autofree char *path = g_strdup_printf("tests/conformance/%s.json", type);
    g_autoptr(GError) error = NULL;
    ConformFile *file = conform_file_read(path, &error);

    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(file != NULL);
    return file;
}

static void print_failure(void *user, const ConformSeen *seen)
{
    const ConformCase *of = user;

    if (seen->outcome != CONFORM_PASSED && !g_strv_contains(later, of->name))
        g_printerr("%s: t=%" G_GINT64_FORMAT " member %u %s: expected %s, got %s %s\n", of->name,
                   seen->step->at_s, seen->step->member, seen->command, seen->expected, seen->got,
                   seen->missing);
}

static void run_file(const char *type, int passed, int later_count)
{
    g_autoptr(ConformFile) file = read_shipped(type);
    int passes = 0, laters = 0;

    for (uint32_t i = 0; i < conform_case_count(file); i++) {
        const ConformCase *of = conform_case_at(file, i);
        bool is_later = g_strv_contains(later, of->name);
        ConformOutcome outcome = conform_case_run(of, print_failure, (void *)(uintptr_t)of);

        passes += outcome == CONFORM_PASSED;
        laters += is_later;
        if (is_later && outcome == CONFORM_PASSED)
            g_printerr("%s passes: take it off the list\n", of->name);
        EXPECT(is_later == (outcome != CONFORM_PASSED));
    }
    EXPECT_TEXT(conform_file_type(file), type);
    EXPECT_INT(passes, passed);
    EXPECT_INT(laters, later_count);
}

static void test_conform_blocking(void)
{
    run_file("blocking", 11, 0);
}

static void test_conform_causal(void)
{
    run_file("causal", 3, 0);
}

static void test_conform_counter(void)
{
    run_file("counter", 10, 0);
}

static void test_conform_expiry(void)
{
    run_file("expiry", 8, 0);
}

static void test_conform_geo(void)
{
    run_file("geo", 2, 0);
}

static void test_conform_hash(void)
{
    run_file("hash", 11, 0);
}

static void test_conform_hyperloglog(void)
{
    run_file("hyperloglog", 6, 0);
}

static void test_conform_json(void)
{
    run_file("json", 21, 0);
}

static void test_conform_keys(void)
{
    run_file("keys", 10, 0);
}

static void test_conform_list(void)
{
    run_file("list", 9, 0);
}

static void test_conform_pubsub(void)
{
    run_file("pubsub", 8, 0);
}

static void test_conform_set(void)
{
    run_file("set", 8, 0);
}

static void test_conform_stream(void)
{
    run_file("stream", 15, 0);
}

static void test_conform_string(void)
{
    run_file("string", 13, 0);
}

static void test_conform_zset(void)
{
    run_file("zset", 10, 0);
}

typedef struct {
    int failed, passed;
    char *got; /* of the last failure */
} Count;

static void count(void *user, const ConformSeen *seen)
{
    Count *counts = user;

    counts->passed += seen->outcome == CONFORM_PASSED;
    if (seen->outcome == CONFORM_PASSED)
        return;
    counts->failed++;
    g_free(counts->got);
    counts->got = g_strdup(seen->missing[0] ? seen->missing : seen->got);
}

/* Runs the only case of a file with these steps. */
static ConformOutcome run_steps(const char *steps, Count *counts)
{
    g_autofree char *text = g_strdup_printf(
        "{\"type\": \"x\", \"cases\": [{\"name\": \"a\", \"members\": 3, \"steps\": [%s]}]}",
        steps);
    g_autoptr(GError) error = NULL;
    g_autoptr(ConformFile) file = conform_file_parse("x.json", text, strlen(text), &error);

    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(file != NULL);
    return conform_case_run(conform_case_at(file, 0), count, counts);
}

/* The runner tells a wrong reply from a right one, and goes on after it. */
static void test_conform_finds_every_wrong_reply(void)
{
    Count counts = {0};

    EXPECT_INT(run_steps("{\"t\": 1, \"member\": 1, \"cmd\": [\"SET\", \"k\", \"v\"]},"
                         "{\"t\": 2, \"member\": 2, \"cmd\": [\"GET\", \"k\"], \"reply\": \"v\"},"
                         "{\"t\": 3, \"member\": 1, \"cmd\": [\"GET\", \"k\"], \"reply\": \"v\"},"
                         "{\"t\": 3, \"member\": 1, \"cmd\": [\"GET\"]}",
                         &counts),
               CONFORM_FAILED);
    EXPECT_INT(counts.failed, 2);
    EXPECT_INT(counts.passed, 2);
    EXPECT_TEXT(counts.got, "{\"error\":\"ERR wrong number of arguments for 'get' command\"}");
    g_free(counts.got);
}

static void test_conform_a_sync_reaches_the_members_it_names(void)
{
    Count counts = {0};

    EXPECT_INT(run_steps("{\"t\": 1, \"member\": 1, \"cmd\": [\"SET\", \"k\", \"v\"]},"
                         "{\"t\": 2, \"sync\": [1, 3]},"
                         "{\"t\": 3, \"member\": 2, \"cmd\": [\"GET\", \"k\"], \"reply\": null},"
                         "{\"t\": 3, \"member\": 3, \"cmd\": [\"GET\", \"k\"], \"reply\": \"v\"},"
                         "{\"t\": 4, \"sync\": true},"
                         "{\"t\": 5, \"member\": 2, \"cmd\": [\"GET\", \"k\"], \"reply\": \"v\"}",
                         &counts),
               CONFORM_PASSED);
    EXPECT_INT(counts.passed, 6);
}

/* A client is a connection of its own; a step with messages takes what has come, and no other does.
 */
static void test_conform_a_client_hears_what_came_since_it_was_asked(void)
{
    Count counts = {0};

    EXPECT_INT(
        run_steps("{\"t\": 1, \"member\": 2, \"client\": \"a\", \"cmd\": [\"SUBSCRIBE\", \"c\"]},"
                  "{\"t\": 1, \"member\": 2, \"cmd\": [\"PUBLISH\", \"c\", \"x\"], \"reply\": 1},"
                  "{\"t\": 2, \"member\": 2, \"client\": \"a\", \"cmd\": [\"PING\"]},"
                  "{\"t\": 2, \"member\": 2, \"messages\": []},"
                  "{\"t\": 2, \"client\": \"a\", \"messages\": [[\"message\", \"c\", \"y\"]]},"
                  "{\"t\": 3, \"client\": \"a\", \"messages\": []}",
                  &counts),
        CONFORM_FAILED);
    EXPECT_INT(counts.failed, 1);
    EXPECT_TEXT(counts.got, "[[\"message\",\"c\",\"x\"]]");
    g_free(counts.got);
}

/* One way: a few effects of its own, or all that it knows. */
static void test_conform_a_send_gives_a_part_or_a_whole_state(void)
{
    Count counts = {0};

    EXPECT_INT(run_steps("{\"t\": 1, \"member\": 1, \"cmd\": [\"SET\", \"a\", \"v\"]},"
                         "{\"t\": 1, \"member\": 1, \"cmd\": [\"SET\", \"b\", \"v\"]},"
                         "{\"t\": 1, \"member\": 2, \"cmd\": [\"SET\", \"c\", \"v\"]},"
                         "{\"t\": 2, \"send\": [1, 2], \"effects\": 1},"
                         "{\"t\": 3, \"member\": 2, \"cmd\": [\"GET\", \"a\"], \"reply\": \"v\"},"
                         "{\"t\": 3, \"member\": 2, \"cmd\": [\"GET\", \"b\"], \"reply\": null},"
                         "{\"t\": 3, \"member\": 1, \"cmd\": [\"GET\", \"c\"], \"reply\": null},"
                         "{\"t\": 4, \"send\": [2, 3]},"
                         "{\"t\": 5, \"member\": 3, \"cmd\": [\"GET\", \"a\"], \"reply\": \"v\"},"
                         "{\"t\": 5, \"member\": 3, \"cmd\": [\"GET\", \"c\"], \"reply\": \"v\"},"
                         "{\"t\": 6, \"sync\": true}",
                         &counts),
               CONFORM_PASSED);
    EXPECT_INT(counts.passed, 11);
}

/* A case that expects an error must not pass for want of the command. */
static void test_conform_a_command_that_is_not_there_fails_and_says_so(void)
{
    Count counts = {0};

    EXPECT_INT(run_steps("{\"t\": 1, \"member\": 1, \"cmd\": [\"NOSUCH\", \"k\"],"
                         " \"reply\": {\"error\": \"ERR\"}}",
                         &counts),
               CONFORM_UNSUPPORTED);
    EXPECT_TEXT(counts.got, "the program does not have the command \"NOSUCH\"");
    g_free(counts.got);
}

static void test_conform_tells_who_waits_from_who_has_a_reply(void)
{
    Count counts = {0};

    EXPECT_INT(
        run_steps(
            "{\"t\": 1, \"member\": 1, \"cmd\": [\"GET\", \"k\"], \"reply\": {\"waits\": true}},"
            "{\"t\": 1, \"member\": 1, \"reply\": null},"
            "{\"t\": 2, \"member\": 1, \"client\": \"a\","
            " \"cmd\": [\"BLPOP\", \"q\", \"0\"], \"reply\": null},"
            "{\"t\": 3, \"member\": 1, \"client\": \"a\", \"cmd\": [\"GET\", \"k\"]},"
            "{\"t\": 4, \"member\": 1, \"client\": \"a\", \"reply\": null},"
            "{\"t\": 5, \"member\": 1, \"client\": \"a\", \"reply\": {\"waits\": true}},"
            "{\"t\": 6, \"member\": 1, \"cmd\": [\"RPUSH\", \"q\", \"x\"], \"reply\": 1},"
            "{\"t\": 7, \"member\": 1, \"client\": \"a\", \"reply\": {\"waits\": true}}",
            &counts),
        CONFORM_FAILED);
    EXPECT_INT(counts.failed, 6);
    EXPECT_INT(counts.passed, 2);
    EXPECT_TEXT(counts.got, "[\"q\",\"x\"]");
    g_free(counts.got);
}

static void test_conform_a_refused_command_has_replied(void)
{
    Count counts = {0};

    EXPECT_INT(run_steps("{\"t\": 1, \"member\": 1, \"cmd\": [\"FLUSHALL\"],"
                         " \"reply\": {\"error\": \"ERR FLUSHALL is refused\"}},"
                         "{\"t\": 1, \"member\": 1, \"cmd\": [\"object\", \"encoding\", \"k\"],"
                         " \"reply\": {\"error\": \"ERR OBJECT ENCODING is refused\"}}",
                         &counts),
               CONFORM_PASSED);
    EXPECT_INT(counts.passed, 2);
}

/* --- forms of replies */
static bool matches(const Reply *reply, const char *expected)
{
    g_autoptr(JsonDoc) doc = json_parse("expected", expected, strlen(expected), NULL);

    EXPECT_FATAL(doc != NULL);
    return conform_reply_matches(reply, json_root(doc));
}

#define BULK(word)                                                                                 \
    {                                                                                              \
        .kind = REPLY_BULK, .text = (word), .bytes = sizeof(word) - 1                              \
    }

static void test_conform_scalar_forms(void)
{
    Reply nil = {.kind = REPLY_NIL}, big = {.kind = REPLY_INTEGER, .integer = INT64_MAX};
    Reply text = BULK("a"), half = BULK("0.5"), zeros = BULK("a\0b"), empty = BULK("");
    Reply error = {.kind = REPLY_ERROR, .text = "WRONGTYPE Operation", .bytes = 19};
    Reply synthetic = {.kind = REPLY_BULK, .bytes = 3};

    EXPECT(matches(&nil, "null") && !matches(&empty, "null") && matches(&empty, "\"\""));
    EXPECT(matches(&big, "9223372036854775807") && !matches(&big, "9223372036854775806"));
    EXPECT(matches(&text, "\"a\"") && !matches(&text, "\"ab\"") && !matches(&zeros, "\"a\""));
    EXPECT(matches(&half, "{\"approx\": 0.5000000001}") && !matches(&half, "{\"approx\": 0.51}"));
    EXPECT(!matches(&zeros, "{\"approx\": 0}") && !matches(&synthetic, "{\"approx\": 0}"));
    EXPECT(!matches(&synthetic, "\"abc\""));
    EXPECT(matches(&error, "{\"error\": \"ERR\"}") && matches(&error, "{\"error\": \"WRONG\"}"));
    EXPECT(!matches(&error, "{\"error\": \"NOGROUP\"}") && !matches(&text, "{\"error\": \"ERR\"}"));
    EXPECT(!conform_reply_matches(&error, NULL) && conform_reply_matches(&nil, NULL));
}

/* An item that fits two replies leaves the other the one it needs. */
static void test_conform_nested_forms(void)
{
    Reply inner[] = {BULK("1"), BULK("2")};
    Reply items[] = {BULK("a"), {.kind = REPLY_ARRAY, .count = 2, .items = inner}};
    Reply list = {.kind = REPLY_ARRAY, .count = 2, .items = items};
    Reply pair = {.kind = REPLY_ARRAY, .count = 2, .items = inner};

    EXPECT(matches(&list, "[\"a\", [\"1\", \"2\"]]"));
    EXPECT(!matches(&list, "[\"a\", [\"2\", \"1\"]]"));
    EXPECT(matches(&list, "{\"unordered\": [{\"unordered\": [\"2\", {\"approx\": 1}]}, \"a\"]}"));
    EXPECT(!matches(&list, "{\"unordered\": [\"a\", \"a\"]}"));
    EXPECT(!matches(&list, "{\"unordered\": [\"a\"]}"));
    EXPECT(matches(&list, "{\"one_of\": [null, {\"one_of\": [[\"a\", [\"1\", \"2\"]]]}]}"));
    EXPECT(!matches(&list, "{\"one_of\": [null, []]}"));
    EXPECT(matches(&pair, "{\"unordered\": [{\"one_of\": [\"1\", \"2\"]}, \"1\"]}"));
    EXPECT(!matches(&pair, "{\"unordered\": [{\"one_of\": [\"1\", \"2\"]}, \"3\"]}"));
}

static void test_conform_replies_are_written_as_they_are_expected(void)
{
    Reply items[] = {BULK("a\"\\"), {.kind = REPLY_NIL}, BULK("\xff\n"), BULK("\xc3\xa4")};
    Reply list = {.kind = REPLY_ARRAY, .count = 4, .items = items};
    g_autofree char *text = conform_reply_text(&list);

    EXPECT_TEXT(text, "[\"a\\\"\\\\\",null,\"\\u00ff\\u000a\",\"\xc3\xa4\"]");
}

static const TestCase cases[] = {
    TEST(test_conform_blocking),
    TEST(test_conform_causal),
    TEST(test_conform_counter),
    TEST(test_conform_expiry),
    TEST(test_conform_geo),
    TEST(test_conform_hash),
    TEST(test_conform_hyperloglog),
    TEST(test_conform_json),
    TEST(test_conform_keys),
    TEST(test_conform_list),
    TEST(test_conform_pubsub),
    TEST(test_conform_set),
    TEST(test_conform_stream),
    TEST(test_conform_string),
    TEST(test_conform_zset),
    TEST(test_conform_finds_every_wrong_reply),
    TEST(test_conform_a_sync_reaches_the_members_it_names),
    TEST(test_conform_a_client_hears_what_came_since_it_was_asked),
    TEST(test_conform_a_send_gives_a_part_or_a_whole_state),
    TEST(test_conform_a_command_that_is_not_there_fails_and_says_so),
    TEST(test_conform_tells_who_waits_from_who_has_a_reply),
    TEST(test_conform_a_refused_command_has_replied),
    TEST(test_conform_scalar_forms),
    TEST(test_conform_nested_forms),
    TEST(test_conform_replies_are_written_as_they_are_expected),
};
TEST_MAIN("conform", cases)
