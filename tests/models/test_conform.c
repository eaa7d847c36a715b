/* Documented behaviour, case by case (tests/conformance). */
#include "tests/test.h"

#include <glib/gstdio.h>

#include "tools/conform_run.h"

/* Cases that need a type or command the program does not have yet. */
static const char *const later[] = {
    "bitfield-lww-whole-value",
    "bitfield-command-sequential",
    "bitfield-incrby-is-not-a-counter",
    "key-unlink-like-del", /* lists */
    NULL,
};

typedef struct {
    int passed;
    int later;
} Tally;

static void judge(void *user, const ConformResult *result)
{
    Tally *tally = user;
    bool is_later = g_strv_contains(later, result->name);

    tally->passed += result->outcome == CONFORM_PASSED;
    tally->later += is_later;
    /* A case that passes must leave the list. */
    if (result->outcome != (is_later ? CONFORM_UNSUPPORTED : CONFORM_PASSED))
        g_printerr("%s %s: %s\n", result->type, result->name, result->message);
    EXPECT(result->outcome == (is_later ? CONFORM_UNSUPPORTED : CONFORM_PASSED));
}

static void run_file(const char *type, int passed, int later_count)
{
    g_autofree char *path = g_strdup_printf("tests/conformance/%s.json", type);
    g_autoptr(GError) error = NULL;
    Tally tally = {0};

    EXPECT(conform_run_file(path, judge, &tally, &error));
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_INT(tally.passed, passed);
    EXPECT_INT(tally.later, later_count);
}

static void test_conform_string(void)
{
    run_file("string", 10, 3);
}

static void test_conform_counter(void)
{
    run_file("counter", 10, 0);
}

static void test_conform_hash(void)
{
    run_file("hash", 11, 0);
}

static void test_conform_set(void)
{
    run_file("set", 8, 0);
}

static void test_conform_zset(void)
{
    run_file("zset", 10, 0);
}

static void test_conform_expiry(void)
{
    run_file("expiry", 8, 0);
}

static void test_conform_keys(void)
{
    run_file("keys", 4, 1);
}

static void count_failed(void *user, const ConformResult *result)
{
    *(int *)user += result->outcome == CONFORM_FAILED;
}

/* The runner tells a wrong reply from a right one. */
static void test_conform_finds_a_wrong_reply(void)
{
    const char *text =
        "{\"type\": \"x\", \"cases\": [{\"name\": \"a\", \"members\": 2, \"steps\": ["
        "{\"t\": 1, \"member\": 1, \"cmd\": [\"SET\", \"k\", \"v\"]},"
        "{\"t\": 2, \"member\": 2, \"cmd\": [\"GET\", \"k\"], \"reply\": \"v\"}]}]}";
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "quintet-conform-wrong.json", NULL);
    int failed = 0;

    EXPECT_FATAL(g_file_set_contents(path, text, -1, NULL));
    EXPECT(conform_run_file(path, count_failed, &failed, NULL));
    EXPECT_INT(failed, 1);
    g_remove(path);
}

static const TestCase cases[] = {
    TEST(test_conform_string), TEST(test_conform_counter),
    TEST(test_conform_hash),   TEST(test_conform_set),
    TEST(test_conform_zset),   TEST(test_conform_expiry),
    TEST(test_conform_keys),   TEST(test_conform_finds_a_wrong_reply),
};
TEST_MAIN("conform", cases)
