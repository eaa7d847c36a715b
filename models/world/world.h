/* The world of one run: places, members, links, sites, faults, operators and observers, wired
 * together.
 *
 * Built from an immutable scenario, one variant and one seed; run to its end or in pieces; read
 * through its recording.  It owns everything but the scenario.  Faults and operators pull the
 * public levers of members, links and sites between windows; observers watch.
 */
#pragma once

#include <glib.h>

#include "models/observe/recording.h"
#include "models/scenario/scenario.h"
#include "sim/kernel.h"
#include "sim/trace.h"

typedef struct World World;

typedef struct {
    const Scenario *scenario; /* borrowed: a variant is a scenario of its own after its patch */
    uint64_t seed;
    uint32_t slice;         /* keep about one in `slice` keys; 1: all */
    SimTime until_ns;       /* 0: the scenario's duration */
    uint32_t threads;       /* within this run; 0 and 1: one */
    bool serial;            /* one event at a time, for tests */
    bool without_observers; /* meters that alerts need stay */
    Trace *trace;           /* NULL: none */
} WorldConfig;

World *world_new(const WorldConfig *config, GError **error);
void world_free(World *world);

/* Runs to at most until_ns (cut anywhere, go on later); false: an abort condition stopped the run.
 */
bool world_run_until(World *world, SimTime until_ns);
void world_finish(World *world); /* closes the recording; after the last run_until */

SimTime world_end_ns(const World *world);
uint64_t world_digest(const World *world);
const Recording *world_recording(const World *world);
/* After world_finish: yours, so that the world can be freed before its results are judged. */
Recording *world_take_recording(World *world);
uint64_t world_event_count(const World *world);
uint64_t world_client_op_count(const World *world); /* simulated, unweighted */
double world_kept_share(const World *world);        /* of client operations, 1 without a slice */
void world_check(const World *world); /* invariants; ensure fails when one does not hold */

/* Every member knows everything of every other. */
bool world_has_converged(const World *world);

uint32_t world_member_count(const World *world);
const Member *world_member(const World *world, uint32_t index);

/* What happened, in order: faults, alerts, actions, membership. */
typedef struct {
    SimTime at_ns;
    const char *kind;    /* "fault", "alert", "step", "membership", "abort" */
    const char *subject; /* id */
    const char *what;    /* "begins", "ends", "fires", "done", ... */
    const char *detail;  /* may be "" */
} WorldEvent;

uint32_t world_log_count(const World *world);
const WorldEvent *world_log_at(const World *world, uint32_t index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)
