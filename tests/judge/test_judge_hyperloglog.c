/* HyperLogLogs at one member against a real Redis, beside the strings that Redis keeps them in. */
#include "tests/test.h"

#include "tests/judge/judge.h"

static const char *const keys[] = {"h1", "h2", "h3", "other:string", NULL};

static const JudgeForm forms[] = {
    {.form = "PFADD <key> { <member> }"},
    {.form = "PFADD <key> <element> { <element> <element> <element> }"},
    {.form = "PFADD <key> { <element> }"},
    {.form = "PFADD <key>"},
    {.form = "PFCOUNT <key>"},
    {.form = "PFCOUNT { <key> }"},
    {.form = "PFMERGE <key> { <key> }"},
    {.form = "PFMERGE <key>"},
    {.form = "GET <key>", .rule = RULE_SKETCH},
    {.form = "SET <key> <sketch> [ ( NX | XX | GET | KEEPTTL | EX <ttl> | PX <ttl-ms> ) ]",
     .rule = RULE_SKETCH},
    {.form = "SET <key> <value>", .rule = RULE_SKETCH},
    {.form = "TYPE <key>"},
    {.form = "EXISTS { <key> }"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "PERSIST <key>"},
    {.form = "RENAME <key> <key>"},
    {.form = "COPY <key> <key> [ REPLACE ]"},
    {.form = "DEL <key>"},
    {.form = "DBSIZE"},
    {.form = "SET ( b1 | b2 ) <broken-sketch>", .rule = RULE_SKETCH},
    {.form = "GET ( b1 | b2 )", .rule = RULE_SKETCH},
    {.form = "PFCOUNT ( b1 | b2 )"},
    {.form = "PFADD ( b1 | b2 ) <element>"},
    {.form = "PFMERGE <key> ( b1 | b2 )"},
};

static const JudgeType type = {
    .type = "hyperloglog", .keys = keys, .forms = forms, .form_count = G_N_ELEMENTS(forms)};

/* The product keeps a sketch or a register (crdt-semantics.md 6); Redis keeps a string, whose
 * cached count it believes and whose breaks it notices where it gets to them. */
static bool strings_are_sketches_or_not(const GPtrArray *command, const Reply *redis,
                                        const Reply *ours)
{
    (void)redis;
    (void)ours;
    return judge_has_word(command, "b1") || judge_has_word(command, "b2");
}

static const JudgeDifference differences[] = {
    {"a string is a sketch when it is assigned, or never", strings_are_sketches_or_not},
};

static void test_sketches_reply_as_redis(void)
{
    judge_run(&(Judge){.differences = differences, .difference_count = G_N_ELEMENTS(differences)},
              &type, test_count(6000, 200000));
}

static const TestCase cases[] = {
    TEST(test_sketches_reply_as_redis),
};
JUDGE_MAIN("judge_hyperloglog", cases)
