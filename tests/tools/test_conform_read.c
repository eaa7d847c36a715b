/* What a malformed conformance file is told, and where. */
#include "tests/test.h"

#include <string.h>

#include "tools/conform_read.h"

#define CASE(rest)    "{\"type\": \"x\", \"cases\": [{\"name\": \"a\", " rest "}]}"
#define STEPS(rest)   CASE("\"members\": 2, \"steps\": [" rest "]")
#define COMMAND(rest) STEPS("{\"t\": 1, \"member\": 1, \"cmd\": [\"GET\", \"k\"], " rest "}")

/* The message for one line of JSON; NULL when it is sound. */
static void expect_error(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConformFile) file = conform_file_parse("f.json", text, strlen(text), &error);

    EXPECT((file == NULL) == (error != NULL));
    EXPECT_TEXT(error ? error->message : NULL, message);
    EXPECT(!error || g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_INPUT));
}

static void test_conform_read_keeps_what_is_written(void)
{
    static const char text[] =
        "{\"type\": \"x\", \"source\": \"s\", \"cases\": [{\"name\": \"a\", \"members\": 3, "
        "\"about\": \"b\", \"source\": \"p\", \"options\": {\"causal_consistency\": true, "
        "\"xadd_id_mode\": \"semi-strict\"}, \"steps\": [{\"t\": 0, \"sync\": [3, 1]}, "
        "{\"t\": 0, \"member\": 2, \"cmd\": [\"GET\"], \"reply\": null}, "
        "{\"t\": 4, \"sync\": true}]}]}";
    g_autoptr(ConformFile) file = conform_file_parse("f.json", text, strlen(text), NULL);
    const ConformCase *of;

    EXPECT_FATAL(file != NULL);
    EXPECT_INT(conform_case_count(file), 1);
    of = conform_case_at(file, 0);
    EXPECT_TEXT(of->name, "a");
    EXPECT_TEXT(of->about, "b");
    EXPECT_TEXT(of->source, "p");
    EXPECT(of->is_causal);
    EXPECT_INT(of->xadd_id, XADD_ID_SEMI_STRICT);
    EXPECT_INT(of->step_count, 3);
    EXPECT_INT(of->steps[0].sync_members, 5);
    EXPECT_INT(of->steps[1].member, 2);
    EXPECT(of->steps[1].reply != NULL);
    EXPECT_INT(of->steps[2].at_s, 4);
    EXPECT_INT(of->steps[2].sync_members, 7);
}

static void test_conform_read_files_and_cases(void)
{
    expect_error("[]", "f.json:1:1: a conformance file is a list; write {\"type\": ..., "
                       "\"source\": ..., \"cases\": [...]}");
    expect_error("{\"type\": \"x\", \"case\": []}",
                 "f.json:1:15: \"case\" is no part of a conformance file; did you mean "
                 "\"cases\"?");
    expect_error("{\"cases\": []}", "f.json:1:1: \"type\" is missing; say what its cases are "
                                    "about, as in \"hash\"");
    expect_error("{\"type\": \"x\", \"cases\": []}",
                 "f.json:1:24: cases: \"cases\" is empty; write at least one case: {\"name\": ..., "
                 "\"members\": 2, \"steps\": [...]}");
    expect_error("{\"type\": \"x\", \"cases\": [7]}",
                 "f.json:1:25: cases.0: a case is a number; write {\"name\": ..., \"members\": 2, "
                 "\"steps\": []}");
    expect_error(CASE("\"members\": 6, \"steps\": []"),
                 "f.json:1:50: cases.0.members: 6 members are no group; take 2 to 5");
    expect_error(CASE("\"members\": 2, \"steps\": []"),
                 "f.json:1:62: cases.0.steps: \"steps\" is empty; list what the members do");
    expect_error(CASE("\"members\": 2, \"options\": {\"xadd_id_mode\": \"loose\"}, \"steps\": []"),
                 "f.json:1:81: cases.0.options.xadd_id_mode: loose is no mode of XADD ids; take "
                 "strict, semi-strict or liberal");
    expect_error("{\"type\": \"x\", \"cases\": [\n"
                 "{\"name\": \"a\", \"members\": 2, \"steps\": [{\"t\": 1, \"sync\": true}]},\n"
                 "{\"name\": \"a\", \"members\": 2, \"steps\": [{\"t\": 1, \"sync\": true}]}]}",
                 "f.json:3:10: cases.1.name: \"a\" is the name of the case in line 2 too; give it "
                 "another");
}

static void test_conform_read_steps(void)
{
    expect_error(STEPS("{\"t\": 1}"), "f.json:1:63: cases.0.steps.0: a step has neither "
                                      "\"cmd\", \"messages\", \"sync\" nor \"send\"; give it one");
    expect_error(STEPS("{\"t\": 1.5, \"sync\": true}"),
                 "f.json:1:69: cases.0.steps.0.t: 1.5 is no time of a step; take a whole number "
                 "from 0 on");
    expect_error(STEPS("{\"t\": 2, \"sync\": true}, {\"t\": 1, \"sync\": true}"),
                 "f.json:1:93: cases.0.steps.1.t: t goes back from 2 to 1; put the steps in the "
                 "order of their times");
    expect_error(STEPS("{\"t\": 1, \"sync\": [1]}"),
                 "f.json:1:80: cases.0.steps.0.sync: \"sync\" takes true for all members, or a "
                 "list of at least two: [1, 2]");
    expect_error(STEPS("{\"t\": 1, \"sync\": [1, 3]}"),
                 "f.json:1:84: cases.0.steps.0.sync.1: 3 is no member of this case; take 1 to 2");
    expect_error(STEPS("{\"t\": 1, \"sync\": [1, 1]}"),
                 "f.json:1:84: cases.0.steps.0.sync.1: member 1 is named twice; name it once");
    expect_error(
        STEPS("{\"t\": 1, \"send\": true}"),
        "f.json:1:80: cases.0.steps.0.send: \"send\" takes who gives and who gets: [1, 2]");
    expect_error(STEPS("{\"t\": 1, \"send\": [1, 1]}"),
                 "f.json:1:84: cases.0.steps.0.send.1: member 1 is named twice; name it once");
    expect_error(
        STEPS("{\"t\": 1, \"send\": [1, 2], \"effects\": 0}"),
        "f.json:1:99: cases.0.steps.0.effects: \"effects\" is how many, from 1 on; leave it "
        "out for the state");
    expect_error(STEPS("{\"t\": 1, \"member\": 0, \"cmd\": [\"GET\"]}"),
                 "f.json:1:82: cases.0.steps.0.member: 0 is no member of this case; take 1 to 2");
    expect_error(STEPS("{\"t\": 1, \"member\": 1, \"cmd\": []}"),
                 "f.json:1:92: cases.0.steps.0.cmd: \"cmd\" is empty; list the command's words: "
                 "[\"GET\", \"k\"]");
    expect_error(STEPS("{\"t\": 1, \"member\": 1, \"cmd\": [\"EXPIRE\", \"k\", 5]}"),
                 "f.json:1:108: cases.0.steps.0.cmd.2: a word of a command is a number; write a "
                 "text: \"5\"");
    expect_error(COMMAND("\"replay\": 1"),
                 "f.json:1:106: cases.0.steps.0: \"replay\" is no part of a step with a "
                 "command; did you mean \"reply\"?");
}

#define CLIENT(rest) "{\"t\": 1, \"member\": 1, \"client\": " rest "}"

static void test_conform_read_clients(void)
{
    expect_error(STEPS(CLIENT("\"a\", \"cmd\": [\"GET\", \"k\"]") ", {\"t\": 1, \"client\": \"a\", "
                                                                  "\"messages\": []}"),
                 NULL);
    expect_error(STEPS(CLIENT("1, \"cmd\": [\"GET\", \"k\"]")),
                 "f.json:1:95: cases.0.steps.0.client: \"client\" is a number; give it a name: "
                 "\"a\"");
    expect_error(STEPS(CLIENT("\"a\", \"cmd\": [\"GET\", \"k\"]") ", {\"t\": 1, \"member\": 2, "
                                                                  "\"client\": \"a\", "
                                                                  "\"messages\": []}"),
                 "f.json:1:154: cases.0.steps.1.client: \"a\" is a client of member 1, not of 2; "
                 "name another");
    expect_error(STEPS(CLIENT("\"a\", \"messages\": []")),
                 "f.json:1:95: cases.0.steps.0.client: \"a\" has not asked for anything; give it "
                 "a command first");
    expect_error(STEPS("{\"t\": 1, \"messages\": []}"),
                 "f.json:1:63: cases.0.steps.0: \"member\" is missing; take 1 to 2");
    expect_error(STEPS("{\"t\": 1, \"member\": 1, \"messages\": \"x\"}"),
                 "f.json:1:97: cases.0.steps.0.messages: \"messages\" is a text; list them: "
                 "[[\"message\", \"channel\", \"text\"]]");
    expect_error(STEPS("{\"t\": 1, \"member\": 1, \"messages\": [], \"reply\": 1}"),
                 "f.json:1:101: cases.0.steps.0: \"reply\" is no part of a step with messages; its "
                 "parts are t, member, client, messages");
}

static void test_conform_read_replies(void)
{
    expect_error(COMMAND("\"reply\": [null, 1, {\"unordered\": [{\"approx\": 3.5}, "
                         "{\"one_of\": [\"a\", {\"error\": \"ERR\"}]}]}]"),
                 NULL);
    expect_error(COMMAND("\"reply\": true"),
                 "f.json:1:115: cases.0.steps.0.reply: no reply is true or false; write 1, 0, "
                 "\"OK\" or null");
    expect_error(COMMAND("\"reply\": [0.5]"),
                 "f.json:1:116: cases.0.steps.0.reply.0: 0.5 is no integer reply; write "
                 "{\"approx\": 0.5}, or a text for one exactly so");
    expect_error(COMMAND("\"reply\": {}"),
                 "f.json:1:115: cases.0.steps.0.reply: a reply has 0 forms; give exactly one of "
                 "unordered, error, approx, one_of");
    expect_error(COMMAND("\"reply\": {\"unorderd\": []}"),
                 "f.json:1:116: cases.0.steps.0.reply: \"unorderd\" is no part of a "
                 "reply; did you mean \"unordered\"?");
    expect_error(COMMAND("\"reply\": {\"one_of\": []}"),
                 "f.json:1:126: cases.0.steps.0.reply.one_of: \"one_of\" is empty, so nothing "
                 "could match; list the replies");
    expect_error(COMMAND("\"reply\": {\"error\": \"\"}"),
                 "f.json:1:125: cases.0.steps.0.reply.error: an error is told by how it begins: "
                 "{\"error\": \"WRONGTYPE\"}");
    expect_error(COMMAND("\"reply\": 9223372036854775808"),
                 "f.json:1:115: cases.0.steps.0.reply: 9223372036854775808 is no integer reply; "
                 "write {\"approx\": 9223372036854775808}, or a text for one exactly so");
}

static void test_conform_read_clients_that_wait(void)
{
    expect_error(STEPS("{\"t\": 1, \"member\": 1, \"client\": \"a\", \"cmd\": [\"BLPOP\", \"q\", "
                       "\"0\"], \"reply\": {\"waits\": true}}, "
                       "{\"t\": 2, \"client\": \"a\", \"reply\": [\"q\", \"x\"]}"),
                 NULL);
    expect_error(STEPS("{\"t\": 1, \"member\": 1}"),
                 "f.json:1:63: cases.0.steps.0: \"cmd\" is missing; list the command's words: "
                 "[\"GET\", \"k\"]");
    expect_error(STEPS(CLIENT("\"a\", \"reply\": null")),
                 "f.json:1:95: cases.0.steps.0.client: \"a\" has not asked for anything; give it "
                 "a command first");
    expect_error(COMMAND("\"reply\": {\"waits\": false}"),
                 "f.json:1:125: cases.0.steps.0.reply.waits: a client that waits is told by "
                 "{\"waits\": true} alone");
}

static void test_conform_read_says_when_there_is_no_file(void)
{
    g_autoptr(GError) error = NULL;

    EXPECT(conform_file_read("tests/conformance/none.json", &error) == NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO));
}

static const TestCase cases[] = {
    TEST(test_conform_read_keeps_what_is_written),
    TEST(test_conform_read_files_and_cases),
    TEST(test_conform_read_steps),
    TEST(test_conform_read_clients),
    TEST(test_conform_read_replies),
    TEST(test_conform_read_clients_that_wait),
    TEST(test_conform_read_says_when_there_is_no_file),
};
TEST_MAIN("conform_read", cases)
