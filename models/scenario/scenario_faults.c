/* When faults begin and end: at a time, or after another fault; never past the end, never in a
 * circle. */
#include <string.h>

#include "models/scenario/scenario_resolve.h"
#include "sim/units.h"

enum { UNKNOWN, ACTIVE, KNOWN };

typedef struct {
    Scenario *scenario;
    uint8_t *state; /* per fault, for the depth-first walk */
} FaultTimes;

static bool fault_times(FaultTimes *times, uint32_t index, GError **error);

/* The begin: `at`, or the end of `after` plus `wait`. */
static bool fault_begin(FaultTimes *times, uint32_t index, SimTime *out_ns, GError **error)
{
    const Scenario *scenario = times->scenario;
    const FaultParams *p = param_map_at(&scenario->params.faults, FaultParams, index);
    bool has_at = json_get(p->node, "at") != NULL;
    int32_t after;

    if (has_at == (p->after != NULL)) {
        json_error(error, p->node,
                   has_at ? "both \"at\" and \"after\"; keep one"
                          : "no time; give \"at\" or \"after\"");
        return false;
    }
    *out_ns = p->at_ns;
    if (has_at)
        return true;
    after = name_index(scenario->names.faults, p->after);
    if (after < 0)
        return scenario_unknown(error, json_get(p->node, "after"), "fault", p->after,
                                scenario->names.faults);
    if (times->state[after] == ACTIVE) {
        json_error(error, json_get(p->node, "after"),
                   "the faults follow each other in a circle; give one of them \"at\"");
        return false;
    }
    if (!fault_times(times, (uint32_t)after, error))
        return false;
    *out_ns = scenario->faults[after].end_ns + p->wait_ns;
    return true;
}

static bool fault_times(FaultTimes *times, uint32_t index, GError **error)
{
    Scenario *scenario = times->scenario;
    const FaultParams *p = param_map_at(&scenario->params.faults, FaultParams, index);
    Fault *fault = &scenario->faults[index];
    SimTime duration_ns = scenario->params.duration_ns;
    const JsonNode *for_node = json_get(p->node, "for");
    char end_text[UNIT_TEXT_MAX], run_text[UNIT_TEXT_MAX];

    if (times->state[index] == KNOWN)
        return true;
    times->state[index] = ACTIVE;
    if (!fault_begin(times, index, &fault->begin_ns, error))
        return false;
    fault->end_ns = for_node ? fault->begin_ns + p->for_ns : duration_ns;
    if (fault->begin_ns >= duration_ns || fault->end_ns > duration_ns) {
        bool begins = fault->begin_ns >= duration_ns;

        json_error(error, for_node && !begins ? for_node : p->node,
                   "%s%s%s%s at %s, past the run's end (%s); shorten it or raise duration",
                   for_node && !begins ? "\"" : "", for_node && !begins ? for_node->text : "",
                   for_node && !begins ? "\" " : "", begins ? "begins" : "ends",
                   format_time(begins ? fault->begin_ns : fault->end_ns, end_text),
                   format_time(duration_ns, run_text));
        return false;
    }
    times->state[index] = KNOWN;
    return true;
}

bool scenario_resolve_faults(Scenario *scenario, GError **error)
{
    const ParamMap *map = &scenario->params.faults;
    g_autofree uint8_t *state = g_new0(uint8_t, map->count + 1);
    FaultTimes times = {scenario, state};

    scenario->fault_count = (uint32_t)map->count;
    scenario->faults = arena_array(scenario->arena, Fault, map->count + 1);
    for (uint32_t i = 0; i < map->count; i++) {
        const FaultParams *p = param_map_at(map, FaultParams, i);
        const FaultKind *kind = (const FaultKind *)p->kind.head;
        const JsonNode *at = p->kind.node ? p->kind.node : p->node;

        /* Its times may be known already, from a fault that follows it and stands before it. */
        scenario->faults[i].id = map->ids[i];
        scenario->faults[i].kind = kind;
        scenario->faults[i].state =
            kind->resolve(p->kind.params, &scenario->names, at, scenario->arena, error);
        if (!scenario->faults[i].state || !fault_times(&times, i, error))
            return false;
    }
    return true;
}
