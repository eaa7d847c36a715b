/* Restore routing: clients may use a member again and move back to it gradually. */
#include "models/operators/operators.h"

typedef struct {
    const char *to;
    SimTime over_ns;
} RestoreParams;

typedef struct {
    uint32_t to;
    SimTime over_ns;
} Restore;

static const void *restore_resolve(const void *params, const NameScope *names,
                                   const ExpressionScope *scope, const JsonNode *step, Arena *arena,
                                   GError **error)
{
    const RestoreParams *p = params;
    Restore *state = arena_array(arena, Restore, 1);

    (void)scope;
    state->over_ns = p->over_ns;
    return scope_member(names, p->to, json_get(step, "to"), &state->to, error) ? state : NULL;
}

static StepOutcome restore_act(const void *state, StepActions *actions)
{
    const Restore *restore = state;

    for (uint32_t i = 0; i < actions->levers->site_count; i++)
        site_restore(actions->levers->sites[i], restore->to, actions->now_ns, restore->over_ns);
    g_snprintf(actions->detail, sizeof actions->detail, "to %s",
               member_name(actions->levers->members[restore->to]));
    return STEP_DONE;
}

static const Param params[] = {
    {.name = "to",
     .summary = "the member clients may use again",
     .kind = PARAM_ID,
     .required = true,
     .offset = offsetof(RestoreParams, to)},
    {.name = "over",
     .summary = "how long the move back takes",
     .kind = PARAM_DURATION,
     .fallback = "0s",
     .min = 0,
     .max = 1e18,
     .offset = offsetof(RestoreParams, over_ns)},
};
static const ParamTable table = {.name = "verb-restore-routing",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(RestoreParams),
                                 .node_offset = SIZE_MAX};

const OperatorVerb operator_verb_restore_routing = {
    .head = {"restore-routing", "clients may use a member again and move back gradually", &table},
    .takes = "{\"lognormal\": {\"p50\": \"2m\", \"p95\": \"5m\"}}",
    .resolve = restore_resolve,
    .act = restore_act,
};
