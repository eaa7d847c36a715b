/* Dns-tm: a DNS traffic manager probes every endpoint and names the healthy ones to all clients.
 *
 * An endpoint is degraded after tolerated + 1 consecutive failures and healthy again after one good
 * probe, so a black hole is seen after D = phi + k I + T; clients learn it when their cached answer
 * ends, up to a TTL later (routing.md sections 2 and 3, row 6; after Azure Traffic Manager's
 * endpoint monitoring).  The TTL is a required key because the product's own pages disagree about
 * its default.
 */
#include "models/routing/routing.h"

typedef struct {
    SimTime interval_ns;
    SimTime timeout_ns;
    uint64_t tolerated_count;
    SimTime ttl_ns;
} DnsTm;

typedef struct {
    SimTime probe_ns;       /* the next one */
    uint64_t failure_count; /* consecutive */
    bool is_started;
} Endpoint;

static size_t dns_tm_state_size(const void *params, uint32_t endpoint_count)
{
    (void)params;
    return sizeof(Endpoint) * endpoint_count;
}

static void dns_tm_init(void *state, const void *params, uint32_t endpoint_count, SimTime now_ns)
{
    Endpoint *endpoints = state;

    (void)params;
    for (uint32_t i = 0; i < endpoint_count; i++)
        endpoints[i] = (Endpoint){.probe_ns = now_ns};
}

static SimTime dns_tm_probe_at(void *state, const void *params, uint32_t endpoint, SimTime now_ns,
                               double phase)
{
    const DnsTm *dns = params;
    Endpoint *e = (Endpoint *)state + endpoint;

    if (!e->is_started) {
        e->probe_ns = now_ns + (SimTime)(phase * (double)dns->interval_ns);
        e->is_started = true;
    }
    return e->probe_ns;
}

static SimTime dns_tm_timeout_ns(const void *params)
{
    return ((const DnsTm *)params)->timeout_ns;
}

static void dns_tm_on_probe(void *state, const void *params, uint32_t endpoint, Outcome outcome,
                            SimTime sent_ns, SimTime now_ns)
{
    const DnsTm *dns = params;
    Endpoint *e = (Endpoint *)state + endpoint;

    (void)sent_ns, (void)now_ns;
    e->failure_count = outcome == OUTCOME_OK ? 0 : e->failure_count + 1;
    e->probe_ns += dns->interval_ns;
}

static uint32_t dns_tm_healthy(const void *state, const void *params, uint32_t endpoint_count,
                               SimTime now_ns)
{
    const DnsTm *dns = params;
    const Endpoint *endpoints = state;
    uint32_t healthy = 0;

    (void)now_ns;
    for (uint32_t i = 0; i < endpoint_count; i++)
        if (endpoints[i].failure_count <= dns->tolerated_count)
            healthy |= UINT32_C(1) << i;
    return healthy;
}

static SimTime dns_tm_ttl_ns(const void *params)
{
    return ((const DnsTm *)params)->ttl_ns;
}

static bool dns_tm_check(const void *object, const JsonNode *at, GError **error)
{
    const DnsTm *dns = object;

    if (dns->timeout_ns <= dns->interval_ns)
        return true;
    json_error(error, at,
               "the timeout of a probe is longer than the interval between probes; make it at most "
               "as long");
    return false;
}

static const Param params[] = {
    {.name = "interval",
     .summary = "between two probes of one endpoint",
     .kind = PARAM_DURATION,
     .offset = offsetof(DnsTm, interval_ns),
     .fallback = "30s",
     .min = 1e6,
     .max = 864e11},
    {.name = "timeout",
     .summary = "how long a probe waits for its answer",
     .kind = PARAM_DURATION,
     .offset = offsetof(DnsTm, timeout_ns),
     .fallback = "10s",
     .min = 1e6,
     .max = 864e11},
    {.name = "tolerated",
     .summary = "consecutive failures that do not yet count",
     .kind = PARAM_COUNT,
     .offset = offsetof(DnsTm, tolerated_count),
     .fallback = "3",
     .min = 0,
     .max = 1000},
    {.name = "ttl",
     .summary = "how long clients cache an answer",
     .kind = PARAM_DURATION,
     .offset = offsetof(DnsTm, ttl_ns),
     .required = true,
     .min = 1e8,
     .max = 6048e11},
};
static const ParamTable table = {.name = "detect-dns-tm",
                                 .summary = "parameters of dns-tm",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(DnsTm),
                                 .node_offset = SIZE_MAX,
                                 .check = dns_tm_check};

const Detector detector_dns_tm = {
    .head = {"dns-tm", "a DNS traffic manager probes endpoints; clients cache its answers", &table},
    .at = DETECT_DNS,
    .state_size = dns_tm_state_size,
    .init = dns_tm_init,
    .probe_at = dns_tm_probe_at,
    .probe_timeout_ns = dns_tm_timeout_ns,
    .on_probe = dns_tm_on_probe,
    .healthy = dns_tm_healthy,
    .ttl_ns = dns_tm_ttl_ns,
};
