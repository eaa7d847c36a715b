/* Runs of worlds side by side: one job is one variant with one seed.
 *
 * Jobs share nothing but their immutable scenario, so how many threads there are changes how long
 * it takes and nothing else.  Whoever asked hears of starts and results on its own thread, results
 * in the order of jobs; that is where files are written.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "models/world/world.h"
#include "tools/latency_course.h"

typedef struct {
    /* What to run; borrowed. */
    const Scenario *scenario;
    uint64_t seed;
    uint32_t slice;
    SimTime until_ns; /* 0: the scenario's duration */
    Trace *trace;     /* NULL: none */

    /* What came of it. */
    World *world;          /* owned; freed once its results are written */
    Recording *recording;  /* owned; taken from the world then, for judging */
    LatencyCourse *course; /* owned */
    GError *error;
    bool stopped;
    bool complete;
    char *started; /* wall clock */
    double took_s;
    double coverage; /* estimated operations as a share of those sent; 1 without a slice */

    /* While it runs, for progress. */
    _Atomic int64_t now_ns;
    _Atomic int64_t wall_us;
} RunJob;

void run_job_clear(RunJob *job);
SimTime run_job_end_ns(const RunJob *job);

typedef struct {
    bool (*started)(void *actor, RunJob *job, GError **error);
    bool (*finished)(void *actor, RunJob *job, GError **error); /* in the order of jobs */
    void (*tick)(void *actor);                                  /* a few times a second */
    void *actor;
} RunListener;

typedef enum {
    RUN_JOBS_DONE,
    RUN_JOBS_FAILED,      /* error is set; unfinished jobs were given up */
    RUN_JOBS_INTERRUPTED, /* by Ctrl-C or SIGTERM; the same */
} RunJobsResult;

/* Runs count jobs on threads threads.  Signals are taken while it lasts and given back after. */
RunJobsResult run_jobs(RunJob *jobs, uint32_t count, uint32_t threads, const RunListener *listener,
                       GError **error);
