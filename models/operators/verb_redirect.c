/* Redirect: clients leave one member for another by configuration; it frees no metadata. */
#include <string.h>

#include "models/operators/operators.h"

typedef struct {
    const char *from;
    const char *to;
} RedirectParams;

typedef struct {
    uint32_t from;
    int32_t to; /* -1: each site's nearest healthy other */
} Redirect;

static const void *redirect_resolve(const void *params, const NameScope *names,
                                    const ExpressionScope *scope, const JsonNode *step,
                                    Arena *arena, GError **error)
{
    const RedirectParams *p = params;
    Redirect *state = arena_array(arena, Redirect, 1);
    uint32_t to;

    (void)scope;
    if (!scope_member(names, p->from, json_get(step, "from"), &state->from, error))
        return NULL;
    state->to = -1;
    if (strcmp(p->to, "nearest-healthy") == 0)
        return state;
    if (!scope_member(names, p->to, json_get(step, "to"), &to, error))
        return NULL;
    if (to == state->from) {
        json_error(error, json_get(step, "to"),
                   "clients leave %s and are sent to %s; name another member or nearest-healthy",
                   p->from, p->to);
        return NULL;
    }
    state->to = (int32_t)to;
    return state;
}

static StepOutcome redirect_act(const void *state, StepActions *actions)
{
    const Redirect *redirect = state;
    const Levers *levers = actions->levers;

    for (uint32_t i = 0; i < levers->site_count; i++)
        site_redirect(levers->sites[i], redirect->from, redirect->to);
    g_snprintf(actions->detail, sizeof actions->detail, "from %s to %s",
               member_name(levers->members[redirect->from]),
               redirect->to < 0 ? "the nearest healthy"
                                : member_name(levers->members[redirect->to]));
    return STEP_DONE;
}

static const Param params[] = {
    {.name = "from",
     .summary = "the member clients leave",
     .kind = PARAM_ID,
     .required = true,
     .offset = offsetof(RedirectParams, from)},
    {.name = "to",
     .summary = "a member, or nearest-healthy",
     .kind = PARAM_ID,
     .fallback = "nearest-healthy",
     .offset = offsetof(RedirectParams, to)},
};
static const ParamTable table = {.name = "verb-redirect",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(RedirectParams),
                                 .node_offset = SIZE_MAX};

const OperatorVerb operator_verb_redirect = {
    .head = {"redirect",
             "clients leave one member for another; cheap and reversible, frees no memory", &table},
    .takes = "{\"lognormal\": {\"p50\": \"2m\", \"p95\": \"5m\"}}",
    .resolve = redirect_resolve,
    .act = redirect_act,
};
