/* Why it works: runs of one variant cost about the same per simulated second, those of different
 * variants may not; so each job is weighed by what its own variant has cost so far, and one not yet
 * begun by the mean.
 */
#include "tools/progress.h"

#include <stdio.h>
#include <string.h>

#include "sim/units.h"
#include "tools/terminal.h"

struct Progress {
    char *title;
    const RunJob *jobs;
    uint32_t count;
    bool visible;
    bool drawn;
    gint64 began_us;
};

Progress *progress_new(const char *title, const RunJob *jobs, uint32_t count, bool visible)
{
    Progress *progress = g_new0(Progress, 1);

    progress->title = g_strdup(title);
    progress->jobs = jobs;
    progress->count = count;
    progress->visible = visible;
    progress->began_us = g_get_monotonic_time();
    return progress;
}

void progress_free(Progress *progress)
{
    if (!progress)
        return;
    progress_clear(progress);
    g_free(progress->title);
    g_free(progress);
}

/* Wall-clock seconds per simulated second of jobs like this one (of all jobs: scenario NULL); 0
 * unknown. */
static double cost_of(const RunJob *jobs, uint32_t count, const Scenario *scenario)
{
    double wall_s = 0.0;
    double simulated_s = 0.0;

    for (uint32_t i = 0; i < count; i++) {
        if (scenario && jobs[i].scenario != scenario)
            continue;
        wall_s += (double)atomic_load(&jobs[i].wall_us) / 1e6;
        simulated_s += (double)atomic_load(&jobs[i].now_ns) / 1e9;
    }
    return simulated_s > 0.0 ? wall_s / simulated_s : 0.0;
}

void progress_estimate(const RunJob *jobs, uint32_t count, double elapsed_s, double *out_share,
                       double *out_left_s)
{
    double mean = cost_of(jobs, count, NULL);
    double all = 0.0;
    double done = 0.0;

    for (uint32_t i = 0; i < count; i++) {
        double own = cost_of(jobs, count, jobs[i].scenario);
        double weight = own > 0.0 ? own : (mean > 0.0 ? mean : 1.0);

        all += weight * (double)run_job_end_ns(&jobs[i]) / 1e9;
        done += weight * (double)atomic_load(&jobs[i].now_ns) / 1e9;
    }
    *out_share = all > 0.0 ? done / all : 0.0;
    *out_left_s = *out_share > 0.01 ? elapsed_s * (1.0 - *out_share) / *out_share : -1.0;
}

static bool job_is_running(const RunJob *job)
{
    SimTime now_ns = atomic_load(&job->now_ns);

    return now_ns > 0 && now_ns < run_job_end_ns(job);
}

static void append_running(const Progress *progress, GString *line)
{
    for (uint32_t i = 0; i < progress->count; i++) {
        const RunJob *job = &progress->jobs[i];
        SimTime minutes = atomic_load(&job->now_ns) / SIM_MIN;
        const char *variant;

        if (!job_is_running(job))
            continue;
        variant = scenario_variant_name(job->scenario);
        g_string_append_printf(line, ", %s at %d:%02d h", variant[0] ? variant : "base",
                               (int)(minutes / 60), (int)(minutes % 60));
    }
}

static void append_left(GString *line, double share, double left_s)
{
    g_string_append_printf(line, "%3.0f %%, ", 100.0 * share);
    if (left_s >= 60.0)
        g_string_append_printf(line, "%.0f min %02.0f s left", (double)((int)left_s / 60),
                               (double)((int)left_s % 60));
    else if (left_s >= 0.0)
        g_string_append_printf(line, "%.0f s left", left_s);
    else
        g_string_append(line, "time left unknown");
}

char *progress_line(const Progress *progress)
{
    GString *line = g_string_new(progress->title);
    double share;
    double left_s;
    uint32_t complete = 0;

    progress_estimate(progress->jobs, progress->count,
                      (double)(g_get_monotonic_time() - progress->began_us) / 1e6, &share, &left_s);
    for (uint32_t i = 0; i < progress->count; i++) {
        SimTime now_ns = atomic_load(&progress->jobs[i].now_ns);

        complete += now_ns >= run_job_end_ns(&progress->jobs[i]) ? 1 : 0;
    }
    g_string_append(line, ": ");
    /* Families are filled before time begins, which may take most of a short run. */
    if (share > 0.0)
        append_left(line, share, left_s);
    else
        g_string_append(line, "filling keys");
    g_string_append_printf(line, "; %u of %u runs done", complete, progress->count);
    append_running(progress, line);
    return g_string_free(line, FALSE);
}

void progress_draw(Progress *progress)
{
    g_autofree char *line = NULL;

    if (!progress->visible)
        return;
    line = progress_line(progress);
    fprintf(stderr, "\r\033[K%.*s", (int)terminal_columns(stderr) - 1, line);
    fflush(stderr);
    progress->drawn = true;
}

void progress_clear(Progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}
