/* All who watch one run: meters of sites, members and links, lost writes, the trace.
 *
 * Observers hear facts inside the places where they arise and are brought together between windows,
 * so that no result depends on where windows were cut.  With observers off the meters that alerts,
 * guards and aborts read still run: they are part of the world.
 */
#pragma once

#include "models/clients/levers.h"
#include "models/observe/recording.h"
#include "models/scenario/scenario_parts.h"
#include "sim/trace.h"

typedef struct WorldWatch WorldWatch;

typedef struct {
    const Scenario *scenario;
    const Family *const *families;
    Recording *recording;
    Trace *trace; /* NULL: none */
    bool without_observers;
    /* Timeline of what members did by themselves; texts are borrowed for the call. */
    void (*log)(void *actor, SimTime at_ns, const char *kind, const char *subject, const char *what,
                const char *detail);
    void *log_actor;
} WorldWatchConfig;

WorldWatch *world_watch_new(const WorldWatchConfig *config);
void world_watch_free(WorldWatch *watch);

/* For members and sites being built. */
GeoListener world_watch_geo_listener(WorldWatch *watch, uint32_t member_index);
ClientListener world_watch_client_listener(WorldWatch *watch, uint32_t site_index);

void world_watch_attach(WorldWatch *watch, const Levers *levers,
                        Kernel *kernel);                    /* all actors exist now */
void world_watch_sample(WorldWatch *watch, SimTime now_ns); /* before each recording_tick */
void world_watch_settle(WorldWatch *watch, SimTime now_ns); /* before a boundary and at the end */

uint64_t world_watch_op_count(const WorldWatch *watch); /* operations finished, unweighted */
