/* Wait: for a time, or until a condition holds; a timeout ends the runbook as failed. */
#include "models/operators/operators.h"

typedef struct {
    SimTime for_ns;
    const char *until;
    SimTime timeout_ns;
} WaitParams;

typedef struct {
    SimTime for_ns;
    const Expression *until; /* NULL: for_ns alone */
    SimTime timeout_ns;
} Wait;

static const void *wait_resolve(const void *params, const NameScope *names,
                                const ExpressionScope *scope, const JsonNode *step, Arena *arena,
                                GError **error)
{
    const WaitParams *p = params;
    Wait *state = arena_array(arena, Wait, 1);

    (void)names;
    state->for_ns = p->for_ns;
    state->timeout_ns = p->timeout_ns;
    if (!p->until && p->for_ns == 0) {
        json_error(
            error, step,
            "this wait has no end; give \"for\" (such as \"15m\") or \"until\" (a condition)");
        return NULL;
    }
    if (!p->until)
        return state;
    state->until = expression_parse(json_get(step, "until"), scope, arena, error);
    return state->until ? state : NULL;
}

static const Expression *wait_reads(const void *state)
{
    return ((const Wait *)state)->until;
}

static StepOutcome wait_act(const void *state, StepActions *actions)
{
    const Wait *wait = state;
    SimTime waited_ns = actions->now_ns - actions->started_ns;

    if (waited_ns < wait->for_ns)
        return STEP_AGAIN;
    if (!wait->until || expression_holds_now(wait->until, actions->recording))
        return STEP_DONE;
    return waited_ns >= wait->timeout_ns ? STEP_FAILED : STEP_AGAIN;
}

static const Param params[] = {
    {.name = "for",
     .summary = "at least this long",
     .kind = PARAM_DURATION,
     .min = 0,
     .max = 1e18,
     .offset = offsetof(WaitParams, for_ns)},
    {.name = "until",
     .summary = "a condition, looked at with every sample",
     .kind = PARAM_EXPRESSION,
     .offset = offsetof(WaitParams, until)},
    {.name = "timeout",
     .summary = "give up after this long",
     .kind = PARAM_DURATION,
     .fallback = "24h",
     .min = 0,
     .max = 1e18,
     .offset = offsetof(WaitParams, timeout_ns)},
};
static const ParamTable table = {.name = "verb-wait",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(WaitParams),
                                 .node_offset = SIZE_MAX};

const OperatorVerb operator_verb_wait = {
    .head = {"wait", "for a time, or until a condition holds", &table},
    .reads = wait_reads,
    .resolve = wait_resolve,
    .act = wait_act,
};
