/* The shards of a member: first come first served, keys dealt out by hash.
 *
 * Each of S shards serves one command of relative cost 1 in S / ops seconds.  Completion follows
 * from the moment the shard is free, without events.  Under a slice the kept commands are too few
 * to queue like the real ones, so waits are not scaled but come from two parts: the fluid backlog
 * of the full offered load (it exists only while more is offered than can be served) and a wait
 * drawn from the stationary wait at that load.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/rng.h"
#include "sim/time.h"

typedef struct Shards Shards;

/* Relative costs of the commands a member serves and how common they are; for the table of waits.
 */
typedef struct {
    const double *costs;
    const double *shares;
    uint32_t count; /* 0: every command costs 1 */
} CostMix;

typedef struct {
    uint32_t shard_count;
    double ops_per_s; /* of all shards at relative cost 1; 0: unlimited */
    bool sliced;
    CostMix mix;
    uint64_t seed;
    const char *name; /* of the member, names its draws */
} ShardsConfig;

Shards *shards_new(const ShardsConfig *config);
void shards_free(Shards *shards);

typedef struct {
    SimTime wait_ns;
    SimTime service_ns;
} ShardTurn;

/* A command on this key (0: on none) comes at now_ns; it stands for `weight` commands. */
typedef struct {
    SimTime now_ns;
    uint64_t key;
    double cost;
    uint32_t weight;
} ShardJob;

ShardTurn shards_serve(Shards *shards, const ShardJob *job);

/* The same for a command nobody waits for (an effect of another member). */
void shards_occupy(Shards *shards, const ShardJob *job);

void shards_set_slowdown(Shards *shards, double factor); /* of service times; 1: normal */

/* Share of the time since the last call that the busiest shard worked. */
double shards_take_utilisation(Shards *shards, SimTime now_ns);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shards, shards_free)
