/* A site: a population of clients at one place, with its workloads and its routing.
 *
 * Operations arrive in streams (one per workload), meet a family, a key and a command by the mix,
 * and are sent to the endpoint the client's policy chooses.  Each attempt draws its own round trip,
 * keyed by (operation, attempt), so requests are not FIFO among each other and a retry never shifts
 * a later draw.  A site sees a member only through answers and silence.
 *
 * What it tells its listener: each operation once, with its final answer; and of each client
 * instance when it changed its endpoint, first succeeded elsewhere after a fault, or had one
 * operation applied twice.  The last is exact as long as the earlier attempt's answer is on its way
 * back within SITE_LATE_REPLY_NS of the operation's end, also when that answer is lost to the
 * client; an attempt no answer is ever made for applied nothing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/clients/op_fact.h"
#include "models/geo/member.h"
#include "models/routing/routing.h"
#include "sim/dist.h"
#include "sim/kernel.h"

typedef struct Site Site;
typedef struct TrafficManager
    TrafficManager; /* clients/traffic_manager.h: a shared detector in its own place */

typedef struct {
    const CommandSpec *spec; /* NULL: READ or WRITE of an external record */
    double share;            /* among the family's ops, normalised by the site */
    uint32_t field_count;    /* elements touched */
    const Dist *bytes;       /* of each value, NULL: by shape */
    const Dist *ttl;         /* NULL: the family's */
    SimTime block_ns;        /* of a command that waits: how long at most; 0: for ever */
} OpConfig;

typedef struct {
    const Family *family;
    double share; /* of the workload's operations, whole family, normalised by the site */
    const OpConfig *ops;
    uint32_t op_count;
} MixConfig;

typedef struct {
    SimTime from_ns, to_ns;
    double factor;
} BurstConfig;

typedef struct {
    const char *name;
    double rate_per_s; /* of all operations, before the slice */
    enum { ARRIVALS_POISSON, ARRIVALS_CONSTANT } arrivals;
    const MixConfig *mix;
    uint32_t mix_count;
    const BurstConfig *bursts;
    uint32_t burst_count;
    const SimTime *curve_at; /* times of day, ascending, NULL: flat */
    const double *curve_factor;
    uint32_t curve_count;
    SimTime curve_period_ns;
} WorkloadConfig;

typedef struct {
    uint32_t index;
    const char *name;
    Place *place;
    uint32_t source; /* base of 64 source numbers it may use */
    uint64_t seed;
    uint32_t client_count;
    uint32_t home;          /* member index */
    Member *const *members; /* all of the group; the site only posts to them */
    uint32_t member_count;
    const Dist *const *rtt; /* by member index; NULL: this member cannot be used */
    const Dist *dns_rtt;
    const RoutingConfig *routing;
    TrafficManager *traffic_manager; /* for DETECT_DNS, else NULL */
    const WorkloadConfig *workloads;
    uint32_t workload_count;
    SimTime day_start_ns; /* time of day at t=0, for curves */
    ClientListener listener;
} SiteConfig;

#define SITE_LATE_REPLY_NS (30 * SIM_S)

/* Borrows everything in config, config itself too; all of it must outlive the site. */
Site *site_new(const SiteConfig *config);
void site_free(Site *site);
void site_start(Site *site); /* arms the workloads at t=0 */

/* Levers, between windows. */
void site_redirect(Site *site, uint32_t from,
                   int32_t to); /* to -1: nearest healthy other; takes `from` out */
void site_restore(Site *site, uint32_t member, SimTime now_ns,
                  SimTime over_ns); /* put back, clients move back over that time */
void site_note_fault(Site *site, uint32_t member,
                     SimTime now_ns); /* start of failover.time for its clients */
/* On top of the configured bursts from now_ns on; 1: none.  Arrivals keep their draws, only faster
 * or slower. */
void site_set_burst(Site *site, double factor, SimTime now_ns);

/* The least delay of anything it sends to another place. */
SimTime site_lookahead_ns(const Site *site);

/* Readings between windows: operations finished since the start, weighted, and those that
 * succeeded. */
typedef struct {
    uint64_t done, ok; /* weighted, Redis operations only */
    uint64_t in_flight;
} SiteCounts;

SiteCounts site_counts(const Site *site);
double site_kept_share(const Site *site); /* of its operations, under a slice */
uint32_t site_client_count(const Site *site);
int32_t site_client_endpoint(const Site *site, uint32_t client); /* in use, -1 none */
const char *site_name(const Site *site);
void site_digest(const Site *site, Digest *digest);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Site, site_free)
