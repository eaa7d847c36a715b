/* What keeping results costs: one variant run as `quintet run` does it, with the time taken apart.
 *
 *     logging FILE VARIANT UNTIL RESULTS.db
 *
 * prints {"simulated_s_per_cpu_s": ..., "logging_share": ...}: the second is the part of all CPU
 * time that went into the results file.  It is told apart by clock readings around the calls that
 * write, at instants when the one run has not begun or is over.
 */
#include <stdio.h>
#include <time.h>

#include "sim/pages.h"
#include "tools/run_plan.h"
#include "tools/scenario_open.h"

typedef struct {
    const RunPlan *plan;
    StoreFile *store;
    double writing_s;
    double simulated_s;
} Call;

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool on_started(void *actor, RunJob *job, GError **error)
{
    Call *call = actor;

    (void)job;
    return store_file_begin_run(call->store, &call->plan->runs[0], error);
}

static bool on_finished(void *actor, RunJob *job, GError **error)
{
    Call *call = actor;
    StoreRunResult result;
    StoreOutcome outcome = {.recording = world_recording(job->world),
                            .world = job->world,
                            .course = job->course,
                            .digest = world_digest(job->world),
                            .ended_ns = world_end_ns(job->world),
                            .stopped = job->stopped,
                            .event_count = world_event_count(job->world),
                            .client_op_count = world_client_op_count(job->world),
                            .kept_share = world_kept_share(job->world),
                            .started = job->started,
                            .took_s = job->took_s};
    double begin_s = cpu_s(); /* the digest of the world is part of the run, not of writing it */
    bool ok =
        store_file_finish_run(call->store, &call->plan->runs[0], &outcome, true, &result, error);

    call->writing_s += cpu_s() - begin_s;
    call->simulated_s = (double)world_end_ns(job->world) / (double)SIM_S;
    return ok;
}

static void on_tick(void *actor)
{
    (void)actor;
}

static bool run(char **words, Call *call, GError **error)
{
    g_autoptr(ScenarioFile) file = scenario_open(words[0], NULL, error);
    char *const variants[] = {words[1], NULL};
    RunWish wish = {.variants = variants, .until = words[2]};
    g_autoptr(RunPlan) plan = file ? run_plan_new(file, &wish) : NULL;
    g_autoptr(StoreFile) store = plan ? store_file_open(words[3], error) : NULL;
    RunListener listener = {on_started, on_finished, on_tick, call};

    if (!store)
        return false;
    call->plan = plan;
    call->store = store;
    return run_jobs(plan->jobs, plan->count, 1, &listener, error) == RUN_JOBS_DONE;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Call call = {0};

    pages_begin(); /* as the program does */
    if (argc != 5) {
        fprintf(stderr, "usage: logging FILE VARIANT UNTIL RESULTS.db\n");
        return 2;
    }
    if (!run(argv + 1, &call, &error)) {
        fprintf(stderr, "logging: %s\n", error ? error->message : "not run");
        return 2;
    }
    printf("{\"program\": \"logging\", \"variant\": \"%s\", \"cpu_s\": %.4f, "
           "\"simulated_s_per_cpu_s\": %.3f, \"logging_share\": %.5f}\n",
           argv[2], cpu_s(), call.simulated_s / cpu_s(), call.writing_s / cpu_s());
    return 0;
}
