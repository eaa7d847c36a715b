/* Why it works: a phase is an interval clipped to the run, and the boundaries of all phases cut the
 * run into segments no phase ever splits, so every phase is a set of whole segments.
 */
#include "models/observe/phases.h"

#include <string.h>

static SimTime clip(SimTime at_ns, SimTime duration_ns)
{
    return at_ns < 0 ? 0 : at_ns > duration_ns ? duration_ns : at_ns;
}

/* The first begin of a fault at or after from_ns, other than of fault number `except`. */
static SimTime next_fault_ns(const PhasesConfig *config, SimTime from_ns, uint32_t except)
{
    SimTime next = config->duration_ns;

    for (uint32_t i = 0; i < config->fault_count; i++) {
        SimTime begin = config->faults[i].from_ns;

        if (i != except && begin >= from_ns && begin < next)
            next = begin;
    }
    return next;
}

static Phase phase_of(const char *name, SimTime from_ns, SimTime to_ns, SimTime duration_ns)
{
    SimTime from = clip(from_ns, duration_ns);
    SimTime to = clip(to_ns, duration_ns);

    return (Phase){.phase = name, .from_ns = from, .to_ns = to < from ? from : to};
}

const Phase *phases_derive(const PhasesConfig *config, Arena *arena, uint32_t *out_count)
{
    SimTime end = config->duration_ns;
    uint32_t count = 0;
    Phase *phases = arena_array(arena, Phase, 2 + 2 * (size_t)config->fault_count);

    phases[count++] =
        phase_of("steady", config->warmup_ns, next_fault_ns(config, 0, config->fault_count), end);
    for (uint32_t i = 0; i < config->fault_count; i++) {
        const FaultInterval *fault = &config->faults[i];
        const char *during = arena_printf(arena, "fault:%s", fault->id);
        const char *after = arena_printf(arena, "after:%s", fault->id);

        phases[count++] = phase_of(during, fault->from_ns, fault->to_ns, end);
        phases[count++] =
            phase_of(after, fault->to_ns, next_fault_ns(config, fault->to_ns, i), end);
    }
    phases[count++] = phase_of("all", 0, end, end);
    *out_count = count;
    return phases;
}

static bool has_same(const Phase *phases, uint32_t count, const Phase *wanted)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(phases[i].phase, wanted->phase) == 0)
            return phases[i].from_ns == wanted->from_ns && phases[i].to_ns == wanted->to_ns;
    return false;
}

const Phase *phases_join_base(const Phase *own, uint32_t own_count, const Phase *base,
                              uint32_t base_count, Arena *arena, uint32_t *out_count)
{
    Phase *joined = arena_array(arena, Phase, (size_t)own_count + base_count);
    uint32_t count = own_count;

    memcpy(joined, own, own_count * sizeof *own);
    for (uint32_t i = 0; i < base_count; i++) {
        if (has_same(own, own_count, &base[i]))
            continue;
        joined[count] = base[i];
        joined[count++].phase = arena_printf(arena, PHASE_OF_BASE "%s", base[i].phase);
    }
    *out_count = count;
    return joined;
}

static uint32_t insert(SimTime *out, uint32_t count, uint32_t max, SimTime at_ns)
{
    uint32_t place = 0;

    while (place < count && out[place] < at_ns)
        place++;
    if ((place < count && out[place] == at_ns) || count == max)
        return count;
    memmove(&out[place + 1], &out[place], (count - place) * sizeof *out);
    out[place] = at_ns;
    return count + 1;
}

uint32_t phases_boundaries(const Phase *phases, uint32_t count, SimTime duration_ns, SimTime *out,
                           uint32_t max)
{
    uint32_t room = 2 * count;
    g_autofree SimTime *all = g_new(SimTime, room + 1);
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        const SimTime ends[] = {phases[i].from_ns, phases[i].to_ns};

        for (uint32_t k = 0; k < 2; k++)
            if (ends[k] > 0 && ends[k] < duration_ns)
                found = insert(all, found, room, ends[k]);
    }
    if (max > 0)
        memcpy(out, all, MIN(found, max) * sizeof *out);
    return found;
}
