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

extern const FaultKind fault_delay;

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

static bool slows(const Delay *delay, LinkPair pair)
{
    for (uint32_t i = 0; i < delay->count; i++)
        if (delay->pairs[i].from == pair.from && delay->pairs[i].to == pair.to)
            return true;
    return false;
}

/* What all faults in force together do to each link of this one: amounts add up, factors multiply.
 */
static void delay_set(const Delay *delay, const Levers *levers, const FaultsInForce *all)
{
    for (uint32_t i = 0; i < delay->count; i++) {
        Link *link = levers_link(levers, delay->pairs[i].from, delay->pairs[i].to);
        SimTime add_ns = 0;
        double factor = 1.0;
        uint32_t index = 0;

        for (const Fault *other; (other = fault_next(all, &fault_delay, &index));) {
            const Delay *one = other->state;

            if (!slows(one, delay->pairs[i]))
                continue;
            add_ns += one->add ? dist_sample(one->add, all->words[index - 1]) : 0;
            factor *= one->x;
        }
        if (link)
            link_add_delay(link, add_ns, factor);
    }
}

static void delay_turn(const void *state, const Levers *levers, SimTime now_ns,
                       const FaultsInForce *all)
{
    (void)now_ns;
    delay_set(state, levers, all);
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
    .adds_up = true,
    .head = {"delay", "a link becomes slower; nothing is lost", &table},
    .resolve = delay_resolve,
    .begin = delay_turn,
    .end = delay_turn,
};
