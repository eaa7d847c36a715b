/* Isolate: clients, monitor and peers all lose a member; it runs on alone.
 *
 * Nothing answers, so clients see silence, not refusals.  Every link from and to the member is
 * partitioned; what was in flight is lost and resent after the heal.
 */
#include "models/faults/fault.h"

typedef struct {
    const char *member;
} IsolateParams;

typedef struct {
    uint32_t member_index;
} Isolate;

extern const FaultKind fault_isolate;

static const void *isolate_resolve(const void *params, const NameScope *scope, const JsonNode *at,
                                   Arena *arena, GError **error)
{
    const IsolateParams *p = params;
    Isolate *state = arena_array(arena, Isolate, 1);

    return scope_member(scope, p->member, at, &state->member_index, error) ? state : NULL;
}

static bool touches(const Link *link, uint32_t id)
{
    return link_from(link) == id || link_to(link) == id;
}

static void isolate_begin(const void *state, const Levers *levers, SimTime now_ns,
                          const FaultsInForce *all)
{
    const Isolate *isolate = state;
    Member *member = levers->members[isolate->member_index];

    (void)all;
    member_set_reachable(member, false);
    for (uint32_t i = 0; i < levers->link_count; i++)
        if (touches(levers->links[i], member_id(member)))
            link_partition(levers->links[i]);
    for (uint32_t i = 0; i < levers->site_count; i++)
        site_note_fault(levers->sites[i], isolate->member_index, now_ns);
}

static bool is_still_held(const Isolate *isolate, const FaultsInForce *all)
{
    uint32_t index = 0;

    for (const Fault *other; (other = fault_next(all, &fault_isolate, &index));)
        if (((const Isolate *)other->state)->member_index == isolate->member_index)
            return true;
    return false;
}

static void isolate_end(const void *state, const Levers *levers, SimTime now_ns,
                        const FaultsInForce *all)
{
    const Isolate *isolate = state;
    Member *member = levers->members[isolate->member_index];

    (void)now_ns;
    if (!is_still_held(isolate, all))
        member_set_reachable(member, true);
    for (uint32_t i = 0; i < levers->link_count; i++)
        if (touches(levers->links[i], member_id(member)))
            link_heal(levers->links[i]);
}

static const Param params[] = {
    {.name = "member",
     .summary = "the member that is cut off",
     .kind = PARAM_ID,
     .positional = true,
     .required = true,
     .offset = offsetof(IsolateParams, member)},
};
static const ParamTable table = {.name = "fault-isolate",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(IsolateParams),
                                 .node_offset = SIZE_MAX};

const FaultKind fault_isolate = {
    .head = {"isolate", "clients and peers both lose a member; it runs on alone", &table},
    .resolve = isolate_resolve,
    .begin = isolate_begin,
    .end = isolate_end,
};
