/* What a person reads who made a mistake in alerts, operators, runbooks or the control plane; the
 * place in the file is the business of test_scenario_errors. */
#include "tests/models/operations_fixture.h"

typedef struct {
    const char *patch, *message;
} Refusal;

#define DRILL(steps) "{\"runbooks\": {\"drill\": {\"on\": \"busy\", \"steps\": {" steps "}}}}"
#define ONCALL(keys) "{\"operators\": {\"oncall\": {" keys "}}}"
#define VERBS        "force-unlink, note, redirect, restore-routing, verify, wait"

static const Refusal refusals[] = {
    {DRILL("\"x\": {\"do\": \"wait\", \"for\": \"1s\", \"after\": \"y\"}, \"y\": {\"do\": "
           "\"wait\", \"for\": \"1s\", \"after\": \"x\"}"),
     "runbooks.drill.steps.x.after: the steps follow each other in a circle; one of them must come "
     "first"},
    {DRILL("\"x\": {\"do\": \"wait\", \"for\": \"1s\", \"after\": \"x\"}"),
     "runbooks.drill.steps.x.after: the steps follow each other in a circle; one of them must come "
     "first"},
    {DRILL("\"first\": {\"do\": \"wait\", \"for\": \"1s\"}, \"x\": {\"do\": \"wait\", \"for\": "
           "\"1s\", \"after\": \"frist\"}"),
     "runbooks.drill.steps.x.after: no step of this runbook is called \"frist\"; did you mean "
     "\"first\"?"},
    {DRILL("\"x\": {\"do\": \"reboot\"}"),
     "runbooks.drill.steps.x.do: \"reboot\" is not an operator verb; known: " VERBS},
    {DRILL("\"x\": {\"do\": \"wait\"}"),
     "runbooks.drill.steps.x: this wait has no end; give \"for\" (such as \"15m\") or \"until\" (a "
     "condition)"},
    {DRILL("\"x\": {\"do\": \"verify\", \"that\": \"rate(ops)\"}"),
     "runbooks.drill.steps.x.that: expected a comparison (<, <=, >, >=, ==, != or \"within 5% "
     "of\"), found the end"},
    {DRILL("\"x\": {\"do\": \"note\", \"print\": \"rate(ops) > 1/s\"}"),
     "runbooks.drill.steps.x.print: unexpected \">\" after the value"},
    {DRILL("\"x\": {\"do\": \"force-unlink\", \"target\": \"mars\"}"),
     "runbooks.drill.steps.x.target: no member is called \"mars\"; there are a, b, c"},
    {DRILL("\"x\": {\"do\": \"force-unlink\"}"),
     "runbooks.drill.steps.x: \"target\" is missing; write, for example, \"target\": \"us-east\""},
    {DRILL("\"x\": {\"do\": \"redirect\", \"from\": \"a\", \"to\": \"a\"}"),
     "runbooks.drill.steps.x.to: clients leave a and are sent to a; name another member or "
     "nearest-healthy"},
    {DRILL("\"x\": {\"do\": \"redirect\", \"from\": \"a\", \"to\": \"mars\"}"),
     "runbooks.drill.steps.x.to: no member is called \"mars\"; there are a, b, c"},
    {DRILL("\"x\": {\"do\": \"wait\", \"for\": \"1s\", \"if\": \"rate(ops) > 5ms\"}"),
     "runbooks.drill.steps.x.if: compares per time with time: \"rate(ops)\" and \"5ms\"; both "
     "sides need the same unit"},
    {"{\"runbooks\": {\"drill\": {\"on\": \"buzy\", \"steps\": {\"x\": {\"do\": \"wait\", \"for\": "
     "\"1s\"}}}}}",
     "runbooks.drill.on: no alert is called \"buzy\"; did you mean \"busy\"?"},
    {"{\"runbooks\": {\"drill\": {\"on\": \"after:x\", \"steps\": {\"x\": {\"do\": \"wait\","
     " \"for\": \"1s\"}}}}}",
     "runbooks.drill.on: no fault is called \"x\"; declare it or name one that exists"},
    {"{\"runbooks\": {\"drill\": {\"on\": \"busy\", \"steps\": {}}}}",
     "runbooks.drill.steps: 0 entries here; write at least 1"},
    {"{\"alerts\": {\"busy\": {\"notify\": \"oncal\"}}}",
     "alerts.busy.notify: no operator is called \"oncal\"; did you mean \"oncall\"?"},
    {"{\"alerts\": {\"busy\": {\"every\": \"10ms\"}}}",
     "alerts.busy.every: \"10ms\" is too small; write at least 1s"},
    {ONCALL("\"may\": [\"force-unlnk\"]"), "operators.oncall.may.0: \"force-unlnk\" is not an "
                                           "operator verb; did you mean \"force-unlink\"? Known: "
                                           "" VERBS},
    {ONCALL("\"mistakes\": {\"waiit\": 0}"),
     "operators.oncall.mistakes.waiit: \"waiit\" is not an operator verb; did you mean \"wait\"? "
     "Known: " VERBS},
    {ONCALL("\"mistakes\": {\"wait\": 0.5}"),
     "operators.oncall.mistakes.wait: mistakes are not simulated by this version; write 0 or leave "
     "it out"},
    {ONCALL("\"off_hours\": {\"from\": \"24:00\", \"to\": \"07:00\"}"),
     "operators.oncall.off_hours.from: \"24:00\" is no time of day; write it as \"18:00\""},
    {ONCALL("\"off_hours\": {\"from\": \"18:00\", \"to\": \"7\"}"),
     "operators.oncall.off_hours.to: \"7\" is no time of day; write it as \"07:00\""},
    {"{\"operators\": {\"oncall\": {\"may\": [\"note\"]}}, \"runbooks\": {\"drill\": {\"on\": "
     "\"busy\", \"steps\": {\"x\": {\"do\": \"wait\", \"for\": \"1s\"}}}}}",
     "runbooks.drill.steps.x.do: the operator called by this runbook's alert may not wait; add it "
     "to \"may\""},
    {"{\"control_plane\": {\"redirect\": 5}, \"runbooks\": {\"drill\": {\"on\": \"busy\", "
     "\"steps\": "
     "{\"x\": {\"do\": \"redirect\", \"from\": \"a\"}}}}}",
     "control_plane.redirect: not a duration; write \"3m\" or {\"lognormal\": {\"p50\": \"3m\", "
     "\"p95\": \"10m\"}}"},
    {"{\"control_plane\": {\"redirct\": \"5s\"}}",
     "control_plane.redirct: \"redirct\" is not an operator verb; did you mean \"redirect\"? "
     "Known: " VERBS},
};

static void test_bad_operations_are_refused_in_words(void)
{
    for (uint32_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *message = fixture_refusal(operations_base, refusals[i].patch);

        EXPECT_TEXT(message, refusals[i].message);
    }
}

static const TestCase cases[] = {
    TEST(test_bad_operations_are_refused_in_words),
};
TEST_MAIN("operations errors", cases)
