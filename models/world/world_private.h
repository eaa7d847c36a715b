/* Inside a world; for models/world only. */
#pragma once

#include "models/clients/traffic_manager.h"
#include "models/world/world.h"
#include "models/world/world_families.h"
#include "models/world/world_standby.h"
#include "models/world/world_watch.h"

/* Event sources (unique per rank); actors number their own events. */
enum {
    SOURCE_MEMBERS = 16, /* 16 each */
    SOURCE_LINKS = 128,
    SOURCE_SITES = 256, /* 64 each */
    SOURCE_MANAGER = 2048,
    SOURCE_FAULTS = 4096,
    SOURCE_OPERATORS = 5000,
    SOURCE_STANDBYS = 5500,
    SOURCE_SAMPLES = 6000,
    SOURCE_ABORTS = 6500,
};

typedef struct {
    World *world;
    uint32_t index;
    Handler begin, end;
} FaultTimer;

typedef struct {
    World *world;
    const AbortParams *params;
    const char *id;
    bool holding, done;
    SimTime held_since_ns;
} AbortState;

struct World {
    WorldConfig config;
    const Scenario *scenario;
    SimTime end_ns;
    Arena *arena;
    WorldFamilies *families;
    Kernel *kernel;

    Place *member_places[MEMBER_MAX];
    Place *site_places[SITE_MAX];
    Place *manager_place; /* NULL: no traffic manager */
    uint32_t place_count;

    Member *members[MEMBER_MAX];
    Link *links[MEMBER_MAX * MEMBER_MAX];
    Site *sites[SITE_MAX];
    SiteConfig *site_configs;
    TrafficManager *manager;
    WorldStandby *standbys[MEMBER_MAX];
    uint32_t standby_count;
    uint32_t member_count, link_count, site_count;
    Levers levers;

    Recording *recording;
    WorldWatch *watch; /* meters and observers */
    Operations *operations;
    FaultTimer *faults;
    FaultsInForce in_force;
    bool *fault_lasts; /* of in_force */
    AbortState *aborts;
    Handler tick, boundary;
    SimTime next_tick_ns;
    uint64_t control_seq;
    Digest events_digest;
    GArray *log; /* of WorldEvent */
    bool stopped, finished;
};

/* world_build.c: places, members, links, sites; borrowed parts go to the arena. */
bool world_build(World *world, GError **error);
void world_build_free(World *world);

/* world_log.c */
void world_log(World *world, SimTime at_ns, const char *kind, const char *subject, const char *what,
               const char *detail);

SimTime world_lookahead_ns(const World *world);
