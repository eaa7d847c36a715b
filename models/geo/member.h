/* One member of the group: a regional cache, primary for reads and writes of its clients.
 *
 * It executes requests on its shards (FIFO; completion is computed from the shard's free-at time),
 * keeps its keys in a Store, logs each effect it makes for its peers, applies theirs, and keeps
 * books of its memory by cause.  Metadata of an effect stays until every linked member has observed
 * it; one silent peer therefore freezes collection everywhere.  Links carry effects; membership
 * says who counts.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/data/store.h"
#include "models/geo/geo_facts.h"
#include "models/geo/memory.h"
#include "models/geo/request.h"
#include "models/geo/shard.h"
#include "sim/dist.h"
#include "sim/kernel.h"

typedef struct Member Member;
typedef struct Link Link;

typedef enum {
    MEMORY_LIVE,       /* keys and values */
    MEMORY_HEADERS,    /* CRDT headers of keys and elements */
    MEMORY_SIBLINGS,   /* values kept beside the visible one */
    MEMORY_HISTORY,    /* records of effects not yet observed by all linked members */
    MEMORY_TOMBSTONES, /* the same of removals */
    MEMORY_BACKLOG, /* effects kept for peers that have not acknowledged them, within its bound */
    MEMORY_SYNC,    /* full-sync buffers */
    MEMORY_CLIENTS, /* client buffers */
    MEMORY_CAUSE_COUNT,
} MemoryCause;

const char *memory_cause_name(MemoryCause cause);

typedef struct {
    uint32_t id;           /* 1..MEMBER_MAX */
    uint32_t member_count; /* of the group at the start; deadlines of prefilled keys are shared out
                              by it */
    const char *name;
    Kernel *kernel;
    Place *place;
    uint32_t source; /* base of the source numbers it may use: source .. source + 15 */
    uint64_t seed;
    const Family *const *families;
    uint32_t family_count;
    uint32_t shard_count; /* more than one: clustered, see StoreConfig */
    double ops_per_s;     /* capacity of the whole member at relative cost 1; 0: unlimited */
    CostMix cost_mix;     /* of the commands it serves; used by the waits of sliced runs only */
    const Dist *service;  /* extra time per command that occupies no shard; NULL: none */
    uint64_t memory_max_bytes;
    double reserve_share; /* kept for replication; client writes are refused above 1 - reserve */
    double overhead;      /* 0: calibrated live-data model, else live = keys x value x overhead */
    const HeaderSizes *headers; /* NULL: the default; copied; see geo/memory.h */
    uint64_t backlog_bytes;     /* bound of the effect backlog */
    SimTime clock_skew_ns;
    int64_t clock_start_ms; /* wall clock at t=0 without skew */
    bool sliced;            /* waits come from the fluid model, see shard.h */
    bool causal;            /* effects on a key come in the order observed, see causal.c */
    GeoListener listener;
} MemberConfig;

/* Borrows families, dists, place and kernel.  Fails (QUINTET_ERROR_INPUT) when the families have
 * more kinds of record sizes than the history can tell apart. */
Member *member_new(const MemberConfig *config, GError **error);
void member_free(Member *member);

/* Links carry effects, heartbeats and acknowledgements of its sender to its receiver; both
 * directions are two links.  Call at both members of each pair, after all members exist and before
 * the run starts. */
void member_attach(Member *member, Link *outbound, Link *inbound);
void member_start(Member *member); /* arms heartbeats and expiry; at t=0 */

/* A request about a declared key is on its way: fetches what it will touch into the cache.  Changes
 * nothing that shows; only within the member's own place, for what lies where may change. */
void member_prefetch(Member *member, const Request *request);

/* Where requests go: post a Request with this handler to member_place. */
const Handler *member_request_handler(const Member *member);
Place *member_place(const Member *member);
uint32_t member_id(const Member *member);
const char *member_name(const Member *member);

/* Levers.  Between windows only. */
void member_set_reachable(Member *member,
                          bool reachable); /* clients and monitor; links have their own */
void member_crash(Member *member); /* refuses clients, sends and applies nothing; keeps its data */
void member_restart(Member *member);
void member_unlink_peer(Member *member,
                        uint32_t peer_id); /* force-unlink: stop keeping metadata for it */
void member_relink_peer(Member *member, uint32_t peer_id);
void member_set_skew(Member *member, SimTime skew_ns);
void member_set_slowdown(Member *member, double factor); /* service times x factor; 1: normal */

/* Readings.  Between windows, or inside the member's own place. */
bool member_is_reachable(const Member *member);
bool member_is_crashed(const Member *member);
uint64_t member_reach_epoch(const Member *member); /* grows whenever it stops being reachable */
bool member_has_peer(const Member *member, uint32_t peer_id); /* linked, not unlinked */
int64_t member_memory_bytes(const Member *member, MemoryCause cause);
int64_t member_memory_used(const Member *member);    /* all causes */
double member_memory_overhead(const Member *member); /* 0: live data as calibrated, with headers */
const HeaderSizes *member_header_sizes(const Member *member);
uint64_t member_memory_max(const Member *member);
bool member_refuses_writes(const Member *member);
SimTime member_lag_ns(const Member *member, SimTime now_ns); /* largest over linked peers */
SimTime member_peer_known_ns(const Member *member,
                             uint32_t peer_id); /* knows everything of peer up to */
int64_t member_record_count(
    const Member *member); /* history records and tombstones alive, of all origins */
int64_t member_backlog_unacked_bytes(
    const Member *member); /* not yet acknowledged by the slowest linked peer */
int64_t member_unacked_count(const Member *member,
                             uint32_t peer_id); /* own effects peer has not acknowledged */
/* Running, and all links of linked peers are up and in sync, both ways. */
bool member_is_healthy(const Member *member, SimTime now_ns);
double member_take_utilisation(Member *member,
                               SimTime now_ns); /* busiest shard since the last call */
const Store *member_store(const Member *member);
void member_digest(const Member *member, Digest *digest);
WallTime member_wall(const Member *member, SimTime now_ns);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Member, member_free)
