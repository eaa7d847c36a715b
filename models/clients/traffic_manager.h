/* A DNS traffic manager: one detector shared by all clients, in a place of its own.
 *
 * It probes every endpoint, and answers queries with its view: the healthy endpoints at the time
 * the query arrives.  Clients cache the answer for its TTL.  When every endpoint looks degraded it
 * answers as if all were healthy (routing.md section 2).  It never touches existing connections.
 */
#pragma once

#include <glib.h>

#include "models/geo/member.h"
#include "models/routing/routing.h"

typedef struct TrafficManager TrafficManager;

typedef struct {
    Place *place; /* its own */
    uint32_t source;
    uint64_t seed;
    const PluginChoice *detect; /* a DETECT_DNS detector */
    Member *const *members;
    uint32_t member_count;
    const Dist *probe_rtt; /* to each member's place */
} TrafficManagerConfig;

TrafficManager *traffic_manager_new(const TrafficManagerConfig *config);
void traffic_manager_free(TrafficManager *manager);
void traffic_manager_start(TrafficManager *manager);

/* A query: post a DnsQuery with this handler to its place; the answer comes back as DnsAnswer. */
typedef struct {
    const Handler *reply_to;
    Place *reply_place;
    uint64_t call;
    SimTime return_ns;
} DnsQuery;

typedef struct {
    uint64_t call;
    uint32_t healthy; /* bit per member index */
    SimTime ttl_ns;
} DnsAnswer;

/* What it believes now: bit per member index, never 0. */
uint32_t traffic_manager_healthy(const TrafficManager *manager);
const Handler *traffic_manager_handler(const TrafficManager *manager);
Place *traffic_manager_place(const TrafficManager *manager);
SimTime traffic_manager_lookahead_ns(const TrafficManager *manager);
void traffic_manager_digest(const TrafficManager *manager, Digest *digest);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrafficManager, traffic_manager_free)
