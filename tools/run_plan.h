/* What one call of `quintet run` is to do: which variants, with which seeds, how long, on which
 * slice.
 *
 * Made from the scenario and the options before anything runs or is written, so a wrong option
 * costs nothing.
 */
#pragma once

#include "tools/run_job.h"
#include "tools/store.h"

/* What options may replace; NULL: the scenario's own. */
typedef struct {
    char *const *variants; /* NULL-terminated; "base" is the base; NULL: base and all variants that
                              run by default */
    const char *seed;
    const char *seeds;
    const char *slice; /* "1/64" */
    const char *until;
    char *const
        *sets; /* as the scenario was opened with; in the results they tell its runs apart */
} RunWish;

typedef struct {
    const ScenarioFile *file; /* borrowed */
    StoreScenario scenario;
    char hash[17];
    char *point;      /* the sets, "" without */
    uint64_t seed;    /* replaces the scenarios' own when has_seed */
    uint64_t seeds;   /* 0: the scenarios' own */
    uint64_t slice;   /* 0: the scenarios' own */
    SimTime until_ns; /* 0: the scenarios' own */
    bool has_seed;
    RunJob *jobs;   /* those of one variant side by side */
    StoreRun *runs; /* the same by name */
    uint32_t count;
} RunPlan;

/* NULL after complaining (tools/subcommand.h). */
RunPlan *run_plan_new(const ScenarioFile *file, const RunWish *wish);
void run_plan_free(RunPlan *plan);

uint64_t run_plan_seed(const RunPlan *plan, const Scenario *scenario);
uint32_t run_plan_seeds(const RunPlan *plan, const Scenario *scenario);
/* "20260601+20": the seeds a variant is run with under this plan. */
char *run_plan_seeds_text(const RunPlan *plan, const char *variant);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunPlan, run_plan_free)
