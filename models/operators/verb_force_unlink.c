/* Force-unlink: the survivors stop keeping metadata for a member; irreversible, frees memory.
 *
 * Simplified: every survivor takes the order at once, one that is cut off too, where the product
 * brings a new configuration to it when it is back; and the metadata is freed at once, where the
 * product releases it over some time (no public figure).
 */
#include "models/operators/operators.h"

typedef struct {
    const char *target;
} UnlinkParams;

typedef struct {
    uint32_t target;
} Unlink;

static const void *unlink_resolve(const void *params, const NameScope *names,
                                  const ExpressionScope *scope, const JsonNode *step, Arena *arena,
                                  GError **error)
{
    const UnlinkParams *p = params;
    Unlink *state = arena_array(arena, Unlink, 1);

    (void)scope;
    return scope_member(names, p->target, json_get(step, "target"), &state->target, error) ? state
                                                                                           : NULL;
}

static StepOutcome unlink_act(const void *state, StepActions *actions)
{
    const Unlink *unlink = state;
    const Levers *levers = actions->levers;
    Member *target = levers->members[unlink->target];
    bool any = false;

    for (uint32_t i = 0; i < levers->member_count; i++) {
        if (i == unlink->target || !member_has_peer(levers->members[i], member_id(target)))
            continue;
        member_unlink_peer(levers->members[i], member_id(target));
        any = true;
    }
    g_snprintf(actions->detail, sizeof actions->detail, any ? "%s" : "%s was not linked",
               member_name(target));
    if (any)
        instrument_count(recording_instrument(actions->recording, "unlink",
                                              &(Labels){.member = member_name(target)}),
                         1);
    return any ? STEP_DONE : STEP_FAILED;
}

static const Param params[] = {
    {.name = "target",
     .summary = "the member to drop from the group",
     .kind = PARAM_ID,
     .required = true,
     .offset = offsetof(UnlinkParams, target)},
};
static const ParamTable table = {.name = "verb-force-unlink",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(UnlinkParams),
                                 .node_offset = SIZE_MAX};

const OperatorVerb operator_verb_force_unlink = {
    .head = {"force-unlink",
             "survivors stop keeping metadata for a member; irreversible, frees memory", &table},
    .takes = "{\"lognormal\": {\"p50\": \"3m\", \"p95\": \"10m\"}}",
    .resolve = unlink_resolve,
    .act = unlink_act,
};
