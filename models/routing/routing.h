/* Which endpoint a client uses, what it believes healthy, and whether it tries again.
 *
 * Three families that compose: selectors choose among endpoints, detectors say which are healthy,
 * retries say whether a failed operation is tried again and where.  They are pure functions over
 * plain state: a policy sees only what a client could see, keeps all its memory in one block owned
 * by the site, and takes time and randomness as arguments, so that common random numbers survive a
 * change of policy (routing.md section 5).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/geo/request.h"
#include "sim/param.h"
#include "sim/rng.h"

#define SELECTORS(X)                                                                               \
    X(pin) /* home only: the control group */                                                      \
    X(geo_nearest)                                                                                 \
    X(priority)

#define DETECTORS(X)                                                                               \
    X(none)                                                                                        \
    X(ping_all)                                                                                    \
    X(dns_tm)

#define RETRIES(X) X(backoff)

/* One endpoint as this client knows it. */
typedef struct {
    SimTime base_rtt_ns; /* configured round trip (median) */
    int32_t priority;    /* smaller first; order of the site's list, home first */
    bool healthy;        /* as the detector says */
    bool barred;         /* an operator has taken it out of the routing */
    bool usable;         /* exists for this site (has an rtt and credentials) */
} EndpointView;

/* May be chosen by a policy that heeds health; what an operator took out is never chosen. */
static inline bool endpoint_is_candidate(const EndpointView *endpoint)
{
    return endpoint->usable && endpoint->healthy && !endpoint->barred;
}

typedef struct {
    SimTime now_ns;
    const EndpointView *endpoints; /* by member index */
    uint32_t endpoint_count;
    uint32_t home;  /* member index */
    int32_t active; /* endpoint in use, -1 none */
} ClientView;

typedef struct {
    uint64_t key;
    uint16_t family;
    OpClass op_class;
    uint8_t attempt; /* from 0 */
} OpView;

typedef struct {
    PluginHead head;
    size_t (*state_size)(const void *params, uint32_t endpoint_count); /* NULL: stateless */
    void (*init)(void *state, const void *params, const ClientView *view);
    /* The endpoint's index, -1: none is a candidate.  u64 is one random word of this attempt. */
    int32_t (*choose)(void *state, const void *params, const ClientView *view, const OpView *op,
                      uint64_t u64);
    void (*on_result)(void *state, const void *params, const ClientView *view, uint32_t endpoint,
                      Outcome outcome, SimTime rtt_ns); /* NULL: does not learn */
} Selector;

/* The nearest candidate by configured round trip, least index first among equals; -1: none. */
int32_t selector_nearest(const ClientView *view);

/* Where a detector runs. */
typedef enum {
    DETECT_CLIENT, /* one per client instance */
    DETECT_DNS,    /* one shared, in a place of its own, answers cached by clients for ttl */
} DetectAt;

typedef struct {
    PluginHead head;
    DetectAt at;
    size_t (*state_size)(const void *params, uint32_t endpoint_count);
    void (*init)(void *state, const void *params, uint32_t endpoint_count, SimTime now_ns);
    /* The next time endpoint wants a probe, SIM_TIME_NEVER: none.  phase in [0,1) is this prober's
     * own.  Asked once at the start and once after each on_probe; one probe of an endpoint is in
     * flight at a time.  A detector without state has NULL for every function but healthy. */
    SimTime (*probe_at)(void *state, const void *params, uint32_t endpoint, SimTime now_ns,
                        double phase);
    SimTime (*probe_timeout_ns)(const void *params);
    void (*on_probe)(void *state, const void *params, uint32_t endpoint, Outcome outcome,
                     SimTime sent_ns, SimTime now_ns);
    void (*on_result)(void *state, const void *params, uint32_t endpoint, Outcome outcome,
                      SimTime now_ns); /* may be NULL */
    uint32_t (*healthy)(const void *state, const void *params, uint32_t endpoint_count,
                        SimTime now_ns);   /* bit per endpoint */
    SimTime (*ttl_ns)(const void *params); /* DETECT_DNS: how long clients cache an answer */
} Detector;

extern const PluginFamily selector_family; /* "selectors" */
extern const PluginFamily detector_family; /* "detectors" */
extern const PluginFamily retry_family;    /* "retries" */

typedef struct {
    uint32_t attempts;     /* including the first */
    SimTime timeout_ns;    /* of one attempt */
    const Dist *backoff;   /* before the second attempt */
    const Dist *jitter;    /* added to each backoff, NULL: none */
    double backoff_factor; /* from attempt to attempt */
    SimTime backoff_cap_ns;
    OpClass max_class; /* highest class of operation that is tried again */
} RetryConfig;

/* The whole policy of a site. */
typedef struct {
    PluginChoice select;
    PluginChoice detect;
    RetryConfig retry;
} RoutingConfig;

/* Named presets (routing.md 1.1): jedis, redis-py, traffic-manager-10s, traffic-manager-30s, ... */
typedef struct {
    const char *name, *summary;
    const char *json; /* the routing object it stands for, merged under the scenario's own keys */
} RoutingPreset;

/* A retry is data, not behaviour: its record says which keys it takes (RetryConfig is what they
 * become). */
typedef struct {
    PluginHead head;
} RetryKind;

/* The wait before the attempt after `made` attempts (at least 1) failed. */
SimTime retry_wait_ns(const RetryConfig *retry, uint32_t made, uint64_t backoff_u64,
                      uint64_t jitter_u64);

static inline bool retry_allows(const RetryConfig *retry, uint32_t made, OpClass op_class)
{
    return made < retry->attempts && op_class <= retry->max_class;
}

const RoutingPreset *routing_preset_find(const char *name);
size_t routing_preset_count(void);
const RoutingPreset *routing_preset_at(size_t index);

/* layer over base (NULL: nothing), both routing objects: the preset that layer names comes between
 * them, null removes a key, and where layer names another plug-in than what is below it, none of
 * that one's parameters remain.  "preset" itself is gone from the result, which lives in arena;
 * both documents must outlive it.  An unknown preset is an error. */
const JsonNode *routing_layer(const JsonNode *base, const JsonNode *layer, Arena *arena,
                              GError **error);

/* Parses a routing object (after presets were merged and "sites" taken out). */
bool routing_parse(const JsonNode *node, Arena *arena, RoutingConfig *out, GError **error);
extern const ParamTable routing_table; /* for the schema */
