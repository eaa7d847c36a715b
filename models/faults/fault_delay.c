/* Delay: a link becomes slower by an amount, by a factor, or both; nothing is lost.
 *
 * The amount is drawn once when the fault begins; the link's own slow variation goes on beneath it.
 */
#include "models/faults/fault.h"

typedef struct {
    const char *link;
    const Dist *add;
    double x;
} DelayParams;

typedef struct {
    LinkPair pairs[2];
    uint32_t count;
    const Dist *add;
    double x;
} Delay;

static const void *delay_resolve(const void *params, const NameScope *scope, const JsonNode *at,
                                 Arena *arena, GError **error)
{
    const DelayParams *p = params;
    Delay *state = arena_array(arena, Delay, 1);

    if (!p->add && p->x == 1.0) {
        json_error(
            error, at,
            "this delay changes nothing; give \"add\" (such as \"50ms\") or \"x\" (such as 3)");
        return NULL;
    }
    if (!scope_link(scope, p->link, at, state->pairs, &state->count, error))
        return NULL;
    state->add = p->add;
    state->x = p->x;
    return state;
}

static void delay_set(const Delay *delay, const Levers *levers, SimTime add_ns, double factor)
{
    for (uint32_t i = 0; i < delay->count; i++) {
        Link *link = levers_link(levers, delay->pairs[i].from, delay->pairs[i].to);

        if (link)
            link_add_delay(link, add_ns, factor);
    }
}

static void delay_begin(const void *state, const Levers *levers, SimTime now_ns, uint64_t u64)
{
    const Delay *delay = state;

    (void)now_ns;
    delay_set(delay, levers, delay->add ? dist_sample(delay->add, u64) : 0, delay->x);
}

static void delay_end(const void *state, const Levers *levers, SimTime now_ns)
{
    (void)now_ns;
    delay_set(state, levers, 0, 1.0);
}

static const Param params[] = {
    {.name = "link",
     .summary = "a~b both ways, a>b one way",
     .kind = PARAM_TEXT,
     .required = true,
     .offset = offsetof(DelayParams, link)},
    {.name = "add",
     .summary = "added to the one-way delay",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(DelayParams, add)},
    {.name = "x",
     .summary = "the one-way delay times this",
     .kind = PARAM_NUMBER,
     .fallback = "1",
     .min = 0.1,
     .max = 1000,
     .offset = offsetof(DelayParams, x)},
};
static const ParamTable table = {.name = "fault-delay",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(DelayParams),
                                 .node_offset = SIZE_MAX};

const FaultKind fault_delay = {
    .head = {"delay", "a link becomes slower; nothing is lost", &table},
    .resolve = delay_resolve,
    .begin = delay_begin,
    .end = delay_end,
};
