/* Note: writes a measured value into the timeline. */
#include "models/operators/operators.h"

typedef struct {
    const char *print;
} NoteParams;

static const void *note_resolve(const void *params, const NameScope *names,
                                const ExpressionScope *scope, const JsonNode *step, Arena *arena,
                                GError **error)
{
    (void)params;
    (void)names;
    return expression_parse_value(json_get(step, "print"), scope, arena, error);
}

static const Expression *note_reads(const void *state)
{
    return state;
}

static StepOutcome note_act(const void *state, StepActions *actions)
{
    expression_print_now(state, actions->recording, actions->detail, sizeof actions->detail);
    return STEP_DONE;
}

static const Param params[] = {
    {.name = "print",
     .summary = "the value to write down",
     .kind = PARAM_EXPRESSION,
     .required = true,
     .offset = offsetof(NoteParams, print)},
};
static const ParamTable table = {.name = "verb-note",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(NoteParams),
                                 .node_offset = SIZE_MAX};

const OperatorVerb operator_verb_note = {
    .head = {"note", "writes a measured value into the timeline", &table},
    .reads = note_reads,
    .resolve = note_resolve,
    .act = note_act,
};
