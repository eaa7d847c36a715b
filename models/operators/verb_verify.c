/* Verify: at the end of its time a condition must hold, else the runbook ends as failed. */
#include "models/operators/operators.h"

typedef struct {
    const char *that;
} VerifyParams;

static const void *verify_resolve(const void *params, const NameScope *names,
                                  const ExpressionScope *scope, const JsonNode *step, Arena *arena,
                                  GError **error)
{
    (void)params;
    (void)names;
    return expression_parse(json_get(step, "that"), scope, arena, error);
}

static const Expression *verify_reads(const void *state)
{
    return state;
}

static StepOutcome verify_act(const void *state, StepActions *actions)
{
    return expression_holds_now(state, actions->recording) ? STEP_DONE : STEP_FAILED;
}

static const Param params[] = {
    {.name = "that",
     .summary = "what must hold",
     .kind = PARAM_EXPRESSION,
     .required = true,
     .offset = offsetof(VerifyParams, that)},
};
static const ParamTable table = {.name = "verb-verify",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(VerifyParams),
                                 .node_offset = SIZE_MAX};

const OperatorVerb operator_verb_verify = {
    .head = {"verify", "a condition must hold at the end of the step, else the runbook fails",
             &table},
    .reads = verify_reads,
    .resolve = verify_resolve,
    .act = verify_act,
};
