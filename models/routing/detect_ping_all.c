/* Ping-all: each client checks each endpoint at a fixed rate, and a check passes when all its
 * probes do.
 *
 * The check fails on its first failed probe, so an endpoint that stops answering is found unhealthy
 * one probe timeout after the first probe it does not answer: D = phi + T (routing.md section 3,
 * row 1; after Jedis, MultiDbConfig.java and mcf/HealthCheckImpl.java at 9bcb5c602).  phi is
 * uniform on the interval when a check is one probe; with n probes d apart an outage that begins
 * inside a check meets its next probe already, which is sooner.
 *
 * Having failed, an endpoint stays barred for the grace period and is healthy again with the first
 * check that passes after it.  Simplified: the clients' separate failback tick (120 s) is not
 * modelled; a client goes back at that check.
 */
#include "models/routing/routing.h"

typedef struct {
    SimTime interval_ns;
    SimTime timeout_ns;
    uint64_t probe_count;
    SimTime delay_ns;
    SimTime grace_ns;
} PingAll;

typedef struct {
    SimTime check_ns; /* when the check in progress, or the next one, is due */
    SimTime probe_ns; /* the next probe */
    SimTime grace_until_ns;
    uint64_t passed_count; /* probes of this check */
    bool is_started;
    bool is_unhealthy;
} Endpoint;

static size_t ping_all_state_size(const void *params, uint32_t endpoint_count)
{
    (void)params;
    return sizeof(Endpoint) * endpoint_count;
}

static void ping_all_init(void *state, const void *params, uint32_t endpoint_count, SimTime now_ns)
{
    Endpoint *endpoints = state;

    (void)params;
    for (uint32_t i = 0; i < endpoint_count; i++)
        endpoints[i] = (Endpoint){.check_ns = now_ns};
}

static SimTime ping_all_probe_at(void *state, const void *params, uint32_t endpoint, SimTime now_ns,
                                 double phase)
{
    const PingAll *ping = params;
    Endpoint *e = (Endpoint *)state + endpoint;

    if (!e->is_started) {
        e->check_ns = now_ns + (SimTime)(phase * (double)ping->interval_ns);
        e->probe_ns = e->check_ns;
        e->is_started = true;
    }
    return e->probe_ns;
}

static SimTime ping_all_timeout_ns(const void *params)
{
    return ((const PingAll *)params)->timeout_ns;
}

/* Checks stay on their grid; one that took longer than the interval costs the ticks it covered. */
static void end_check(Endpoint *e, const PingAll *ping, SimTime now_ns)
{
    do
        e->check_ns += ping->interval_ns;
    while (e->check_ns < now_ns);
    e->probe_ns = e->check_ns;
    e->passed_count = 0;
}

static void ping_all_on_probe(void *state, const void *params, uint32_t endpoint, Outcome outcome,
                              SimTime sent_ns, SimTime now_ns)
{
    const PingAll *ping = params;
    Endpoint *e = (Endpoint *)state + endpoint;

    (void)sent_ns;
    if (outcome != OUTCOME_OK) {
        if (!e->is_unhealthy)
            e->grace_until_ns = now_ns + ping->grace_ns;
        e->is_unhealthy = true;
        end_check(e, ping, now_ns);
        return;
    }
    if (++e->passed_count < ping->probe_count) {
        e->probe_ns = now_ns + ping->delay_ns;
        return;
    }
    if (now_ns >= e->grace_until_ns)
        e->is_unhealthy = false;
    end_check(e, ping, now_ns);
}

static uint32_t ping_all_healthy(const void *state, const void *params, uint32_t endpoint_count,
                                 SimTime now_ns)
{
    const Endpoint *endpoints = state;
    uint32_t healthy = 0;

    (void)params, (void)now_ns;
    for (uint32_t i = 0; i < endpoint_count; i++)
        if (!endpoints[i].is_unhealthy)
            healthy |= UINT32_C(1) << i;
    return healthy;
}

static const Param params[] = {
    {.name = "interval",
     .summary = "from the start of one check to the start of the next",
     .kind = PARAM_DURATION,
     .offset = offsetof(PingAll, interval_ns),
     .fallback = "5s",
     .min = 1e6,
     .max = 864e11},
    {.name = "timeout",
     .summary = "how long one probe waits for its answer",
     .kind = PARAM_DURATION,
     .offset = offsetof(PingAll, timeout_ns),
     .fallback = "1s",
     .min = 1e6,
     .max = 3600e9},
    {.name = "probes",
     .summary = "probes per check, all of which must pass",
     .kind = PARAM_COUNT,
     .offset = offsetof(PingAll, probe_count),
     .fallback = "3",
     .min = 1,
     .max = 100},
    {.name = "delay",
     .summary = "between two probes of a check",
     .kind = PARAM_DURATION,
     .offset = offsetof(PingAll, delay_ns),
     .fallback = "500ms",
     .min = 0,
     .max = 3600e9},
    {.name = "grace",
     .summary = "how long an endpoint that failed stays out",
     .kind = PARAM_DURATION,
     .offset = offsetof(PingAll, grace_ns),
     .fallback = "60s",
     .min = 0,
     .max = 864e11},
};
static const ParamTable table = {.name = "detect-ping-all",
                                 .summary = "parameters of ping-all",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(PingAll),
                                 .node_offset = SIZE_MAX};

const Detector detector_ping_all = {
    .head = {"ping-all",
             "each client probes each endpoint; a check fails on its first failed probe", &table},
    .at = DETECT_CLIENT,
    .state_size = ping_all_state_size,
    .init = ping_all_init,
    .probe_at = ping_all_probe_at,
    .probe_timeout_ns = ping_all_timeout_ns,
    .on_probe = ping_all_on_probe,
    .healthy = ping_all_healthy,
};
