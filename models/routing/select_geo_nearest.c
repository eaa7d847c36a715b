/* Geo-nearest: the healthy endpoint with the smallest configured round trip.
 *
 * Hysteresis keeps a client where it is until another endpoint is clearly nearer, so that two
 * endpoints of nearly equal distance do not make it wander (routing.md section 3.1).
 */
#include "models/routing/routing.h"

typedef struct {
    double hysteresis; /* share by which another must be nearer */
} GeoNearest;

int32_t selector_nearest(const ClientView *view)
{
    int32_t best = -1;

    for (uint32_t i = 0; i < view->endpoint_count; i++) {
        if (!endpoint_is_candidate(&view->endpoints[i]))
            continue;
        if (best < 0 || view->endpoints[i].base_rtt_ns < view->endpoints[best].base_rtt_ns)
            best = (int32_t)i;
    }
    return best;
}

static int32_t geo_nearest_choose(void *state, const void *params, const ClientView *view,
                                  const OpView *op, uint64_t u64)
{
    const GeoNearest *geo = params;
    int32_t best = selector_nearest(view);
    int32_t active = view->active;

    (void)state, (void)op, (void)u64;
    if (best < 0 || active < 0 || !endpoint_is_candidate(&view->endpoints[active]))
        return best;
    if ((double)view->endpoints[best].base_rtt_ns <
        (double)view->endpoints[active].base_rtt_ns * (1.0 - geo->hysteresis))
        return best;
    return active;
}

static const Param params[] = {
    {.name = "hysteresis",
     .summary = "how much nearer another endpoint must be before a client leaves one that works",
     .kind = PARAM_SHARE,
     .offset = offsetof(GeoNearest, hysteresis),
     .fallback = "10%",
     .min = 0,
     .max = 1},
};
static const ParamTable table = {.name = "select-geo-nearest",
                                 .summary = "parameters of geo-nearest",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(GeoNearest),
                                 .node_offset = SIZE_MAX};

const Selector selector_geo_nearest = {
    .head = {"geo-nearest", "the healthy endpoint with the smallest round trip", &table},
    .choose = geo_nearest_choose,
};
