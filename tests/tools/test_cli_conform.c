/* `quintet conform` and `quintet list commands`, as typed. */
#include "tests/tools/cli_fixture.h"

static const char wrong_case[] =
    "{\"type\": \"x\", \"cases\": [{\"name\": \"mine\", \"members\": 2, \"steps\": [\n"
    " {\"t\": 1, \"member\": 1, \"cmd\": [\"SET\", \"k\", \"a b\"]},\n"
    " {\"t\": 3, \"member\": 2, \"cmd\": [\"GET\", \"k\"], \"reply\": \"a b\"},\n"
    " {\"t\": 4, \"member\": 2, \"cmd\": [\"NOSUCH\"], \"reply\": {\"error\": \"ERR\"}}]}]}\n";

/* Written to the fixture's scenario file, which needs no scenario here. */
static void write_cases(const Fixture *f, const char *text)
{
    EXPECT(g_file_set_contents(f->scenario, text, -1, NULL));
}

static void test_cli_conform_passes_and_counts(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "conform tests/conformance/set.json tests/conformance/counter.json"), 0);
    EXPECT_TEXT(f->output, "18 passed, 0 failed\n");
}

static void test_cli_conform_prints_each_failing_step(void)
{
    g_autoptr(Fixture) f = fixture_new();

    write_cases(f, wrong_case);
    EXPECT_INT(command(f, "conform SCENARIO tests/conformance/set.json"), 1);
    EXPECT_SAYS(f->output, "FAIL  x: mine (");
    EXPECT_SAYS(f->output, "      t=3  member 2  GET k   expected \"a b\", got null\n");
    EXPECT_SAYS(f->output,
                "      t=4  member 2  NOSUCH  expected {\"error\":\"ERR\"}, got nothing: "
                "the program does not have the command \"NOSUCH\"\n");
    EXPECT_SAYS(f->output, "\n8 passed, 1 failed\n");
    EXPECT_INT(command(f, "conform SCENARIO --json"), 1);
    EXPECT_SAYS(f->output, "\"got\": \"null\"");
    EXPECT_SAYS(f->output, "\"failed\": 1");
}

static void test_cli_conform_shows_a_time_table(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "conform --show key-rename-vs-add-to-source"), 0);
    EXPECT_SAYS(f->output, "  t  member 1                  member 2\n");
    EXPECT_SAYS(f->output, "  2  --- sync ---              --- sync ---\n");
    EXPECT_SAYS(f->output, "  3  RENAME {k}a {k}b -> \"OK\"  SADD {k}a y -> 1\n");
    EXPECT_INT(command(f, "conform --show pubsub-in-a-transaction"), 0);
    EXPECT_SAYS(f->output, "a: SET k v -> \"QUEUED\"");
    EXPECT_SAYS(f->output, "  4                                        b: (messages) -> []\n");
    EXPECT_INT(command(f, "conform --show key-rename-vs-add"), 2);
    EXPECT_SAYS(f->errors, "did you mean \"key-rename-vs-add-to-source\"?");
    write_cases(f, wrong_case);
    EXPECT_INT(command(f, "conform SCENARIO --show mine"), 1);
    EXPECT_SAYS(f->output, "GET k -> null, expected \"a b\"\n");
}

/* The sound file before it is not run either. */
static void test_cli_conform_malformed_is_two_and_runs_nothing(void)
{
    g_autoptr(Fixture) f = fixture_new();

    write_cases(f, "{\"type\": \"x\", \"cases\": [{\"name\": \"mine\", \"members\": 1}]}");
    EXPECT_INT(command(f, "conform tests/conformance/geo.json SCENARIO"), 2);
    EXPECT_TEXT(f->output, "");
    EXPECT_SAYS(f->errors, ":1:53: cases.0.members: 1 members are no group; take 2 to 5\n");
    write_cases(f, "{\"type\": \"x\", \"cases\": []}"); /* nothing was shown by it */
    EXPECT_INT(command(f, "conform SCENARIO"), 2);
    write_cases(f, "{");
    EXPECT_INT(command(f, "conform SCENARIO"), 2);
    EXPECT_INT(command(f, "conform none.json"), 3);
    EXPECT_INT(command(f, "conform --list --show a"), 2);
}

static void test_cli_commands_say_what_became_of_them(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "list commands"), 0);
    EXPECT_SAYS(f->output, "refused: an active-active database is flushed by a management call");
    EXPECT_INT(command(f, "list commands --json"), 0);
    EXPECT_SAYS(f->output, "\"name\": \"object|encoding\",\n        \"standing\": \"refused\"");
    EXPECT_INT(command(f, "list commands object|encoding"), 0);
    EXPECT_SAYS(f->output, "OBJECT ENCODING, refused: ");
    EXPECT_INT(command(f, "list commands get"), 0);
    EXPECT_TEXT(f->output, "GET, supported: the value\n"
                           "  workload  an operation of families of string, counter\n");
    EXPECT_INT(command(f, "list commands flushal"), 2);
    EXPECT_SAYS(f->errors, "\"flushal\" is no command of Redis 7.0 or of its JSON module, and no "
                           "group of them; did you mean \"FLUSHALL\"? (");
    EXPECT_INT(command(f, "list commands nosuchthing"), 2);
    EXPECT_SAYS(f->errors, "no group of them (");
    EXPECT_INT(command(f, "check SCENARIO --set families.f.ops.FLUSHALL=0.1"), 2);
    EXPECT_SAYS(f->errors, "\"FLUSHALL\" is refused: ");
}

/* Supported is not enough for an operation of a family: what says so holds for `check` too. */
static void test_cli_commands_say_what_a_workload_can_send(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "list commands"), 0);
    EXPECT_SAYS(f->output, " of them a workload can send, as operations of a family");
    EXPECT_SAYS(f->output, "\nin workloads of every type\n  ");
    EXPECT_SAYS(f->output, "\nin workloads of stream\n  XADD, ");
    EXPECT_INT(command(f, "list commands pexpire"), 0);
    EXPECT_SAYS(f->output, "\n  workload  an operation of families of every type\n");
    EXPECT_INT(command(f, "list commands xtrim"), 0);
    EXPECT_SAYS(f->output, "\n  workload  cannot send it; `quintet conform` runs it\n");
    EXPECT_INT(command(f, "list commands xgroup|create"), 0);
    EXPECT_SAYS(f->output, "\n  workload  cannot send it; ");
    EXPECT_INT(command(f, "list commands SETEX --json"), 0);
    EXPECT_SAYS(f->output, "\"workload_types\": [\n");
    EXPECT_SAYS(f->output, "\"string\"");
    EXPECT_INT(command(f, "check SCENARIO --set families.f.ops.GETBIT=0.1"), 0);
    EXPECT_INT(command(f, "list commands getbit"), 0);
    EXPECT_SAYS(f->output, " families of string");
    EXPECT_INT(command(f, "check SCENARIO --set families.f.ops.BITPOS=0.1"), 2);
    EXPECT_INT(command(f, "list commands bitpos"), 0);
    EXPECT_SAYS(f->output, "cannot send it");
}

static const TestCase cases[] = {
    TEST(test_cli_conform_passes_and_counts),
    TEST(test_cli_conform_prints_each_failing_step),
    TEST(test_cli_conform_shows_a_time_table),
    TEST(test_cli_conform_malformed_is_two_and_runs_nothing),
    TEST(test_cli_commands_say_what_became_of_them),
    TEST(test_cli_commands_say_what_a_workload_can_send),
};
TEST_MAIN("cli_conform", cases)
