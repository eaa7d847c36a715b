/* What `quintet check` advises: things that load and are mostly not meant. */
#include <string.h>

#include "models/scenario/scenario.h"
#include "tests/test.h"

static const char pair[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"x\", \"duration\": \"10m\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": {\"max\": "
    "\"1GB\"}}},"
    " \"links\": {\"a~b\": {\"delay\": \"5ms\"}},"
    " \"sites\": {\"s\": {\"home\": \"a\", \"rtt\": {\"a\": \"1ms\", \"b\": \"9ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 100, \"ops\": {\"GET\": 1}}},"
    " \"workloads\": {\"w\": {\"site\": \"s\", \"rate\": \"1/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\"}, %s}";

/* The first warning as "place: text", "" when there is none. */
static char *warning_of(const char *part)
{
    g_autofree char *text = g_strdup_printf(pair, part);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenarioFile) file = scenario_file_load(
        &(ScenarioSource){.file = "x.json", .text = text, .size = strlen(text)}, &error);

    if (!file)
        g_printerr("%s\n", error->message);
    EXPECT_FATAL(file != NULL);
    for (uint32_t i = 0; i < scenario_lint_count(file); i++) {
        const Lint *lint = scenario_lint_at(file, i);

        if (lint->level == LINT_WARNING)
            return g_strdup_printf("%s: %s", lint->place, lint->text);
    }
    return g_strdup("");
}

/* Two faults "p" from 1m to 3m and "q" from q_at on for 2m. */
static char *warning_of_faults(const char *one, const char *two, const char *q_at)
{
    g_autofree char *part =
        g_strdup_printf("\"faults\": {\"p\": {\"at\": \"1m\", \"for\": \"2m\", %s},"
                        " \"q\": {\"at\": \"%s\", \"for\": \"2m\", %s}}",
                        one, q_at, two);

    return warning_of(part);
}

static void test_one_fault_twice_at_once_is_advised_against(void)
{
    static const char isolate_a[] = "\"isolate\": \"a\"", isolate_b[] = "\"isolate\": \"b\"";
    static const char crash_a[] = "\"crash\": \"a\"";
    static const char delay[] = "\"delay\": {\"link\": \"a~b\", \"add\": \"50ms\"}";
    g_autofree char *same = warning_of_faults(isolate_a, isolate_a, "2m");
    g_autofree char *later = warning_of_faults(isolate_a, isolate_a, "3m");
    g_autofree char *other = warning_of_faults(isolate_a, isolate_b, "2m");
    g_autofree char *other_kind = warning_of_faults(isolate_a, crash_a, "2m");
    g_autofree char *adding_up = warning_of_faults(delay, delay, "2m");

    EXPECT_TEXT(same,
                "faults.q: does what faults.p does from 2m to 3m; the two last together until "
                "the later one ends, so move one or drop it");
    EXPECT_TEXT(later, "");
    EXPECT_TEXT(other, "");
    EXPECT_TEXT(other_kind, "");
    EXPECT_TEXT(adding_up, "");
}

static void test_a_must_that_nobody_can_judge_is_a_warning(void)
{
    static const char lead[] =
        "\"alerts\": {\"l\": {\"when\": \"max(replication.lag) > 9s\", \"notify\": \"o\"}},"
        "\"operators\": {\"o\": {\"ack\": \"1s\", \"decide\": \"1s\"}},"
        "\"runbooks\": {\"r\": {\"on\": \"l\", \"steps\": {\"n\": {\"do\": \"note\", \"print\": "
        "\"max(memory.used_pct)\"}}}},"
        "\"expect\": {\"e\": {\"that\": \"alert.lead{alert=l} > 5s\", \"phase\": \"all\","
        " \"severity\": \"%s\"}}";
    g_autofree char *of_must = g_strdup_printf(lead, "must");
    g_autofree char *of_should = g_strdup_printf(lead, "should");
    g_autofree char *must = warning_of(of_must);
    g_autofree char *should = warning_of(of_should);

    EXPECT(g_str_has_prefix(must, "expect.e: not judged: alert.lead "));
    EXPECT_TEXT(should, "");
}

static const TestCase cases[] = {
    TEST(test_one_fault_twice_at_once_is_advised_against),
    TEST(test_a_must_that_nobody_can_judge_is_a_warning),
};
TEST_MAIN("scenario lint", cases)
