/* Why it works: workers only take the next job, run it in steps and say so in a queue; the caller's
 * thread alone hears, writes and draws, so neither the file nor the terminal needs a lock.  Signals
 * are blocked and asked for between messages: an interrupt is then an ordinary event at an ordinary
 * place.
 */
#include "tools/run_job.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "models/observe/metrics.h"
#include "sim/ensure.h"

/* Simulated time between two looks at the outside, and between two points of the latency course. */
#define STEP_NS (LATENCY_STRETCH_S * SIM_S)
#define TICK_US (200 * 1000)

typedef struct {
    RunJob *job; /* NULL: a worker has ended */
    bool started;
} Message;

typedef struct {
    RunJob *jobs;
    uint32_t count;
    _Atomic uint32_t next;
    _Atomic bool cancelled;
    GAsyncQueue *messages;
} Pool;

void run_job_clear(RunJob *job)
{
    world_free(job->world);
    recording_free(job->recording);
    job->recording = NULL;
    g_clear_error(&job->error);
    latency_course_free(job->course);
    g_free(job->started);
    job->course = NULL;
    job->world = NULL;
    job->started = NULL;
}

SimTime run_job_end_ns(const RunJob *job)
{
    return job->until_ns > 0 ? job->until_ns : scenario_duration_ns(job->scenario);
}

static void pool_say(Pool *pool, RunJob *job, bool started)
{
    Message *message = g_new(Message, 1);

    *message = (Message){.job = job, .started = started};
    g_async_queue_push(pool->messages, message);
}

/* What the kept keys were sent, divided by their share of the traffic, is what all keys were sent;
 * the estimate adds up what each kept key stands for. */
static double job_coverage(const World *world)
{
    const Recording *recording = world_recording(world);
    double sent = (double)world_client_op_count(world) / world_kept_share(world);
    double estimated = 0.0;

    for (uint32_t i = 0; i < recording_instrument_count(recording); i++) {
        const Instrument *instrument = recording_instrument_at(recording, i);

        if (instrument_metric(instrument) == metric_find("ops"))
            estimated += instrument_total_in(instrument, NULL);
    }
    if (!recording_is_sliced(recording))
        return 1.0;
    return sent > 0.0 ? estimated / sent : 0.0; /* not one operation: nothing is known */
}

/* In steps, so that it can be given up and shows how far it is; where it is cut changes nothing. */
static void job_simulate(Pool *pool, RunJob *job, gint64 began_us)
{
    SimTime end_ns = world_end_ns(job->world);
    SimTime now_ns = 0;

    while (now_ns < end_ns && !job->stopped) {
        if (atomic_load(&pool->cancelled))
            return;
        now_ns = MIN(now_ns + STEP_NS, end_ns);
        job->stopped = !world_run_until(job->world, now_ns);
        latency_course_take(job->course, world_recording(job->world), now_ns);
        atomic_store(&job->wall_us, g_get_monotonic_time() - began_us);
        atomic_store(&job->now_ns, now_ns);
    }
    world_finish(job->world);
    job->coverage = job_coverage(job->world);
    job->complete = true;
    atomic_store(&job->now_ns, MAX(run_job_end_ns(job), end_ns)); /* also when it stopped early */
}

static void job_run(Pool *pool, RunJob *job)
{
    g_autoptr(GDateTime) wall = g_date_time_new_now_utc();
    gint64 began_us = g_get_monotonic_time();
    WorldConfig config = {
        .scenario = job->scenario,
        .seed = job->seed,
        .slice = job->slice,
        .until_ns = job->until_ns,
        .threads = 1,
        .trace = job->trace,
    };

    job->started = g_date_time_format_iso8601(wall);
    job->course = latency_course_new();
    job->world = world_new(&config, &job->error);
    if (job->world)
        job_simulate(pool, job, began_us);
    job->took_s = (double)(g_get_monotonic_time() - began_us) / 1e6;
}

static gpointer pool_work(gpointer data)
{
    Pool *pool = data;

    while (!atomic_load(&pool->cancelled)) {
        uint32_t index = atomic_fetch_add(&pool->next, 1);

        if (index >= pool->count)
            break;
        pool_say(pool, &pool->jobs[index], true);
        job_run(pool, &pool->jobs[index]);
        pool_say(pool, &pool->jobs[index], false);
    }
    pool_say(pool, NULL, false);
    return NULL;
}

static void interrupts(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGTERM);
}

/* A signal that came; the next one is not waited for but ends the program at once. */
static bool pool_was_interrupted(void)
{
    const struct timespec at_once = {0};
    sigset_t set;

    interrupts(&set);
    if (sigtimedwait(&set, NULL, &at_once) < 0)
        return false;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return true;
}

typedef struct {
    Pool *pool;
    const RunListener *listener;
    uint32_t heard; /* results given on */
    RunJobsResult result;
    GError **error;
} Hearing;

static void hearing_fail(Hearing *hearing)
{
    hearing->result = RUN_JOBS_FAILED;
    atomic_store(&hearing->pool->cancelled, true);
}

/* Gives on the results whose turn it is. */
static void hear_results(Hearing *hearing, const bool *ended)
{
    Pool *pool = hearing->pool;

    while (hearing->result != RUN_JOBS_FAILED && hearing->heard < pool->count &&
           ended[hearing->heard]) {
        RunJob *job = &pool->jobs[hearing->heard];

        if (job->error) {
            g_propagate_error(hearing->error, g_steal_pointer(&job->error));
            hearing_fail(hearing);
            return;
        }
        hearing->heard++;
        if (job->complete &&
            !hearing->listener->finished(hearing->listener->actor, job, hearing->error))
            hearing_fail(hearing);
        if (job->complete) {
            job->recording = world_take_recording(job->world);
            g_clear_pointer(&job->world, world_free);
        }
    }
}

static void hear(Hearing *hearing, uint32_t workers)
{
    Pool *pool = hearing->pool;
    const RunListener *listener = hearing->listener;
    g_autofree bool *ended = g_new0(bool, pool->count);

    while (workers > 0) {
        g_autofree Message *message = g_async_queue_timeout_pop(pool->messages, TICK_US);

        if (hearing->result == RUN_JOBS_DONE && pool_was_interrupted()) {
            hearing->result = RUN_JOBS_INTERRUPTED;
            atomic_store(&pool->cancelled, true);
        }
        listener->tick(listener->actor);
        if (!message)
            continue;
        if (!message->job) {
            workers--;
        } else if (!message->started) {
            ended[message->job - pool->jobs] = true;
            hear_results(hearing, ended);
        } else if (hearing->result == RUN_JOBS_DONE &&
                   !listener->started(listener->actor, message->job, hearing->error)) {
            hearing_fail(hearing);
        }
    }
}

RunJobsResult run_jobs(RunJob *jobs, uint32_t count, uint32_t threads, const RunListener *listener,
                       GError **error)
{
    Pool pool = {.jobs = jobs, .count = count};
    Hearing hearing = {.pool = &pool, .listener = listener, .error = error};
    uint32_t workers = MAX(1, MIN(threads, count));
    g_autofree GThread **handles = g_new0(GThread *, workers);
    sigset_t set;
    sigset_t before;

    pool.messages = g_async_queue_new_full(g_free);
    interrupts(&set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    for (uint32_t i = 0; i < workers; i++)
        handles[i] = g_thread_new("run", pool_work, &pool);
    hear(&hearing, workers);
    for (uint32_t i = 0; i < workers; i++)
        g_thread_join(handles[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    g_async_queue_unref(pool.messages);
    return hearing.result;
}
