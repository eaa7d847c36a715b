/* The parsed parts of a scenario, for the loader, the lints and the world.
 *
 * Plain structs filled by the parameter tables of scenario_tables.c, then resolved (names to
 * indexes, defaults from the region and SKU tables) by the loader.  Immutable once loaded.
 */
#pragma once

#include "models/scenario/scenario.h"

typedef struct {
    uint64_t max_bytes;
    double reserve;
    double overhead;
    uint64_t key_header_bytes, element_header_bytes, sibling_header_bytes;
    int evict; /* index in evict_names; 0: noeviction */
} MemoryParams;

typedef struct {
    double ops_per_s;
    const Dist *service;
} CapacityParams;

typedef struct {
    uint64_t keys;
    double rate_per_s;
} RebuildParams;

enum { ROLE_ACTIVE, ROLE_COLD_STANDBY };

typedef struct {
    const JsonNode *node;
    const char *region, *sku;
    int64_t shards;
    MemoryParams memory;
    CapacityParams capacity;
    uint64_t backlog_bytes;
    SimTime clock_skew_ns;
    int role;                 /* ROLE_ */
    RebuildParams rebuild;    /* of a cold standby */
    const JsonNode *security; /* kept, used by a later version */
    int32_t region_index;     /* resolved; -1: none */
} MemberParams;

typedef struct {
    const JsonNode *node;
    const Dist *delay, *delay_ba;
    SimTime jitter_every_ns;
    uint64_t bandwidth, bandwidth_ba;
    double loss;
    struct {
        int64_t level;
        double ratio;
    } compression;
} LinkParams;

typedef struct {
    const JsonNode *node;
    const char *home, *region;
    uint64_t clients;
    ParamMap rtt; /* of const Dist * */
    const Dist *dns_rtt;
    uint32_t home_index;
    int32_t region_index;
} SiteParams;

typedef struct {
    const JsonNode *node;
    double share;
    uint64_t fields;
    const Dist *bytes, *ttl;
    SimTime block_ns;
} OpParams;

typedef struct {
    const JsonNode *node;
    int type; /* index in family_type_names */
    uint64_t keys;
    const JsonNode *prefill;
    const Dist *value;
    uint64_t fields;
    const Dist *ttl;
    uint64_t metadata_bytes, tombstone_bytes;  /* 0: the default */
    uint64_t key_name_bytes, field_name_bytes; /* 0: as models/data/family.h makes names up */
    int retention;                             /* 0: the type's default, else 1 + Retention */
    PluginChoice popularity;
    ParamMap ops;  /* of OpParams */
    int ownership; /* these and below: kept for the fit report of a later version */
    bool record, idempotent;
    const JsonNode *invariants, *budgets, *locality;
    const CommandSpec *
        *specs;           /* resolved, per op; NULL for the READ and WRITE of external records */
    double prefill_share; /* resolved; below 0: steady */
} FamilyParams;

typedef struct {
    SimTime at_ns, for_ns;
    double x;
    const JsonNode *node;
} BurstParams;

typedef struct {
    SimTime period_ns;
    const JsonNode *points;
} CurveParams;

typedef struct {
    const JsonNode *node;
    const char *site;
    double rate_per_s;
    int arrivals;
    ParamMap mix; /* of double */
    CurveParams curve;
    ParamMap bursts;          /* of BurstParams */
    uint32_t site_index;      /* resolved, as are those below */
    uint32_t *family_indexes; /* per mix entry */
    SimTime *curve_at_ns;
    double *curve_factor;
    uint32_t curve_count;
} WorkloadParams;

typedef struct {
    const JsonNode *node;
    SimTime at_ns, wait_ns, for_ns;
    const char *after;
    bool hidden;
    PluginChoice kind;
} FaultParams;

typedef struct {
    const JsonNode *node;
    const char *when;
    SimTime for_ns;
    int action; /* 0 stop, 1 report */
    const Expression *expression;
} AbortParams;

typedef struct {
    const JsonNode *node;
    const char *that, *phase, *variant, *why;
    int severity; /* 0 must, 1 should */
} ExpectParams;

/* The whole document. */
typedef struct {
    const JsonNode *node;
    int format; /* scenario/1 is the only one */
    const char *name, *title, *redis_version, *clock, *slice;
    int profile;
    int64_t seed, seeds;
    SimTime duration_ns, warmup_ns;
    bool causal;
    ParamMap members, links, sites, families, workloads, faults;
    const JsonNode *routing;
    OperationsParams operations;
    ParamMap abort, expect;
    const JsonNode *params, *variants, *sweeps, *report;
} ScenarioParams;

extern const char *const evict_names[];
extern const char
    *const family_type_names[]; /* those this version simulates; the last is "external" */
extern const char *const profile_names[];
enum { FAMILY_TYPE_EXTERNAL = CRDT_TYPE_COUNT };

struct Scenario {
    ScenarioParams params;
    const char *variant; /* "" for the base */
    const char *about;
    NameScope names; /* members, sites, faults, alerts */
    Fault *faults;   /* in document order, times resolved */
    uint32_t fault_count;
    RoutingConfig *routing; /* per site */
    OperationsSpec operations;
    const Phase *phases;
    uint32_t phase_count;
    uint32_t slice;
    SimTime day_start_ns;
    ExpressionScope scope;
    Arena *arena; /* everything above */
};

struct ScenarioFile {
    JsonDoc *doc; /* owns merged trees */
    JsonDoc *source_doc;
    char *text;
    uint64_t hash;
    Scenario **scenarios; /* [0] is the base, then variants in document order */
    uint32_t scenario_count;
    Expectation *expectations;
    uint32_t expectation_count;
    GArray *lints;
    Arena *arena;
};

static inline const MemberParams *scenario_member(const Scenario *scenario, uint32_t index)
{
    return param_map_at(&scenario->params.members, MemberParams, index);
}

/* Members that replicate to each other; a cold standby is outside the group. */
bool scenario_replicates(const Scenario *scenario, uint32_t a, uint32_t b);

/* The delay of one direction: the link's own, or half the region matrix's round trip. */
typedef struct {
    const Dist *delay;
    SimTime jitter_every_ns;
    uint64_t rate_bytes_per_s;
    double loss;
    double compression_ratio;
} LinkSpec;

bool scenario_link(const Scenario *scenario, uint32_t from, uint32_t to, Arena *arena,
                   LinkSpec *out, GError **error);
/* Round trips of a site by member index; NULL entries are not reachable. */
bool scenario_site_rtt(const Scenario *scenario, uint32_t site, Arena *arena, const Dist **out,
                       GError **error);

void scenario_add_lint(ScenarioFile *file, LintLevel level, const char *place, const char *source,
                       const char *format, ...) G_GNUC_PRINTF(5, 6);
void scenario_lint(ScenarioFile *file); /* fills lints of the base */
