/* Crash: a member stops serving and refuses connections; it comes back with the data it had.
 *
 * Simplified: the product restarts from a replica that may lack the last unreplicated writes; here
 * the data at the crash is all there at the restart.
 */
#include "models/faults/fault.h"

typedef struct {
    const char *member;
} CrashParams;

typedef struct {
    uint32_t member_index;
} Crash;

extern const FaultKind fault_crash;

static const void *crash_resolve(const void *params, const NameScope *scope, const JsonNode *at,
                                 Arena *arena, GError **error)
{
    const CrashParams *p = params;
    Crash *state = arena_array(arena, Crash, 1);

    return scope_member(scope, p->member, at, &state->member_index, error) ? state : NULL;
}

static void crash_begin(const void *state, const Levers *levers, SimTime now_ns,
                        const FaultsInForce *all)
{
    const Crash *crash = state;
    Member *member = levers->members[crash->member_index];

    (void)all;
    member_crash(member);
    for (uint32_t i = 0; i < levers->link_count; i++)
        if (link_from(levers->links[i]) == member_id(member) ||
            link_to(levers->links[i]) == member_id(member))
            link_partition(levers->links[i]);
    for (uint32_t i = 0; i < levers->site_count; i++)
        site_note_fault(levers->sites[i], crash->member_index, now_ns);
}

static bool is_still_held(const Crash *crash, const FaultsInForce *all)
{
    uint32_t index = 0;

    for (const Fault *other; (other = fault_next(all, &fault_crash, &index));)
        if (((const Crash *)other->state)->member_index == crash->member_index)
            return true;
    return false;
}

static void crash_end(const void *state, const Levers *levers, SimTime now_ns,
                      const FaultsInForce *all)
{
    const Crash *crash = state;
    Member *member = levers->members[crash->member_index];

    (void)now_ns;
    if (!is_still_held(crash, all))
        member_restart(member);
    for (uint32_t i = 0; i < levers->link_count; i++)
        if (link_from(levers->links[i]) == member_id(member) ||
            link_to(levers->links[i]) == member_id(member))
            link_heal(levers->links[i]);
}

static const Param params[] = {
    {.name = "member",
     .summary = "the member that stops",
     .kind = PARAM_ID,
     .positional = true,
     .required = true,
     .offset = offsetof(CrashParams, member)},
};
static const ParamTable table = {.name = "fault-crash",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(CrashParams),
                                 .node_offset = SIZE_MAX};

const FaultKind fault_crash = {
    .head = {"crash", "a member refuses connections, then restarts with its data", &table},
    .resolve = crash_resolve,
    .begin = crash_begin,
    .end = crash_end,
};
