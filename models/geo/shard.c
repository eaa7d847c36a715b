/* Why it works: with one server and first come first served, a job ends at max(now, free-at) +
 * service; no event is needed to know it.  The busy time of a stretch is the work that came in it
 * plus the work left at its beginning less the work left at its end.
 *
 * Sliced: time is cut into seconds.  The load of the last whole seconds, counted with weights,
 * tells the stationary wait; the fluid backlog takes in each second's work and gives one second of
 * service.  A second is counted from t=0, never from a window. Simplified: a change of load shows
 * in the waits up to two seconds late.
 */
#include "models/geo/shard.h"

#include "models/geo/wait_table.h"
#include "sim/ensure.h"

#define SLICE_BUCKET_NS SIM_S

typedef struct {
    SimTime free_at_ns;
    double work_ns; /* taken in since the last reading, with weights */
    double left_ns; /* unfinished at the last reading */
    int64_t bucket; /* sliced: the second being counted */
    double bucket_work_ns;
    double bucket_jobs;
    double fluid_ns; /* backlog at the beginning of bucket */
    double load;     /* smoothed */
    double mean_ns;  /* of one job, smoothed */
} Shard;

struct Shards {
    Shard *shards;
    uint32_t count;
    double unit_ns; /* of relative cost 1, before slowdown */
    double slowdown;
    bool sliced;
    WaitTable *waits;
    RngKey draws;
    SimTime read_ns;
};

Shards *shards_new(const ShardsConfig *config)
{
    Shards *shards = g_new0(Shards, 1);
    g_autofree char *label = g_strconcat("member/", config->name, "/waits", NULL);
    static const double one = 1;

    ensure(config->shard_count > 0);
    shards->shards = g_new0(Shard, config->shard_count);
    shards->count = config->shard_count;
    shards->unit_ns = config->ops_per_s > 0 ? 1e9 * config->shard_count / config->ops_per_s : 0;
    shards->slowdown = 1;
    shards->sliced = config->sliced;
    shards->draws = rng_key(config->seed, label);
    if (config->sliced && config->mix.count > 0)
        shards->waits = wait_table_new(config->mix.costs, config->mix.shares, config->mix.count);
    else if (config->sliced)
        shards->waits = wait_table_new(&one, &one, 1);
    return shards;
}

void shards_free(Shards *shards)
{
    if (!shards)
        return;
    wait_table_free(shards->waits);
    g_free(shards->shards);
    g_free(shards);
}

/* Closes the second being counted and any empty ones up to now. */
static void bucket_turn(Shard *shard, int64_t bucket)
{
    while (shard->bucket < bucket) {
        double load = shard->bucket_work_ns / (double)SLICE_BUCKET_NS;

        shard->load = shard->bucket == 0 ? load : 0.5 * (shard->load + load);
        if (shard->bucket_jobs > 0)
            shard->mean_ns = shard->bucket_work_ns / shard->bucket_jobs;
        shard->fluid_ns += shard->bucket_work_ns - (double)SLICE_BUCKET_NS;
        if (shard->fluid_ns < 0)
            shard->fluid_ns = 0;
        shard->bucket_work_ns = 0;
        shard->bucket_jobs = 0;
        shard->bucket++;
        if (shard->fluid_ns == 0 && shard->load < 1e-9)
            shard->bucket = bucket; /* nothing left to forget */
    }
}

/* What is left of the backlog now: as if the load went on as smoothed. */
static double fluid_now(const Shard *shard, SimTime now_ns)
{
    double into = (double)(now_ns - shard->bucket * SLICE_BUCKET_NS);
    double left = shard->fluid_ns + (shard->load - 1) * into;

    return left > 0 ? left : 0;
}

static SimTime sliced_wait(Shards *shards, Shard *shard, const ShardJob *job)
{
    double wait = 0;

    bucket_turn(shard, job->now_ns / SLICE_BUCKET_NS);
    if (shard->load > 0) {
        uint64_t u64 = rng_keyed(shards->draws, (uint64_t)job->now_ns, rng_mix(job->key));

        wait = fluid_now(shard, job->now_ns);
        wait += wait_table_draw(shards->waits, shard->load, u64) * shard->mean_ns;
    }
    return (SimTime)wait;
}

/* Keys are dealt out by hash, which is not asked for where there is nothing to choose. */
static inline Shard *shard_of(const Shards *shards, uint64_t key)
{
    return shards->count == 1 ? shards->shards
                              : &shards->shards[rng_scale(rng_mix(key), shards->count)];
}

static inline double service_of(const Shards *shards, const ShardJob *job)
{
    return shards->unit_ns * job->cost * shards->slowdown;
}

static inline void occupy(const Shards *shards, Shard *shard, const ShardJob *job,
                          double service_ns)
{
    shard->work_ns += service_ns * job->weight;
    if (shards->sliced) {
        bucket_turn(shard, job->now_ns / SLICE_BUCKET_NS);
        shard->bucket_work_ns += service_ns * job->weight;
        shard->bucket_jobs += job->weight;
    } else {
        shard->free_at_ns = MAX(shard->free_at_ns, job->now_ns) + (SimTime)service_ns;
    }
}

void shards_occupy(Shards *shards, const ShardJob *job)
{
    occupy(shards, shard_of(shards, job->key), job, service_of(shards, job));
}

ShardTurn shards_serve(Shards *shards, const ShardJob *job)
{
    Shard *shard = shard_of(shards, job->key);
    double service_ns = service_of(shards, job);
    ShardTurn turn = {.service_ns = (SimTime)service_ns};

    if (shards->unit_ns == 0)
        return turn;
    if (shards->sliced)
        turn.wait_ns = sliced_wait(shards, shard, job);
    else if (shard->free_at_ns > job->now_ns)
        turn.wait_ns = shard->free_at_ns - job->now_ns;
    occupy(shards, shard, job, service_ns);
    return turn;
}

void shards_set_slowdown(Shards *shards, double factor)
{
    ensure(factor > 0);
    shards->slowdown = factor;
}

static double unfinished_ns(Shards *shards, Shard *shard, SimTime now_ns)
{
    if (shards->sliced) {
        bucket_turn(shard, now_ns / SLICE_BUCKET_NS);
        return fluid_now(shard, now_ns);
    }
    return shard->free_at_ns > now_ns ? (double)(shard->free_at_ns - now_ns) : 0;
}

double shards_take_utilisation(Shards *shards, SimTime now_ns)
{
    double span = (double)(now_ns - shards->read_ns);
    double most = 0;

    for (uint32_t i = 0; i < shards->count; i++) {
        Shard *shard = &shards->shards[i];
        double left = unfinished_ns(shards, shard, now_ns);
        double busy = shard->work_ns + shard->left_ns - left;

        if (busy > most)
            most = busy;
        shard->work_ns = 0;
        shard->left_ns = left;
    }
    shards->read_ns = now_ns;
    if (span <= 0)
        return 0;
    return most < span ? most / span : 1;
}
