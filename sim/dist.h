/* Distributions of durations and sizes, sampled from integer quantile tables.
 *
 * A table is built once at load from the kind's quantile function with the simulator's own
 * arithmetic; a sample costs one random word, a look-up and an integer interpolation, and is the
 * same on every machine. Tails are resolved down to a probability of 2^-24 on either side.  Kinds
 * are a family (DIST_KINDS): each is one file sim/dist_<kind>.c, written once and offered twice,
 * with parameters that are durations and with parameters that are sizes.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/param.h"
#include "sim/rng.h"

#define DIST_KINDS(X)                                                                              \
    X(empirical)                                                                                   \
    X(exp)                                                                                         \
    X(lognormal)                                                                                   \
    X(mix)                                                                                         \
    X(normal)                                                                                      \
    X(pareto)                                                                                      \
    X(shift)                                                                                       \
    X(uniform)

/* The largest duration (ns) or size (bytes) a parameter may give, and the bound of all samples. */
#define DIST_VALUE_MAX INT64_C(1000000000000000000)

typedef struct Dist Dist;

/* The family's record.  head.params fills a struct; its relations are checked by the table's own
 * check. */
typedef struct {
    PluginHead head;
    /* The result is in base units (ns or bytes), non-decreasing in p.  p is in (0, 1), or in [0, 1]
     * when the kind is bounded. */
    double (*quantile)(const void *params, double p);
    bool is_bounded;
    /* Optional: what quantile gets instead of params, made once per table and freed by g_free. */
    void *(*prepare)(const void *params);
} DistKind;

/* What a file of a kind exports. */
typedef struct {
    DistKind time; /* parameters are durations */
    DistKind size; /* parameters are sizes */
} DistKindPair;

#define DIST_KIND_DECLARE(kind) extern const DistKindPair dist_kind_##kind;
DIST_KINDS(DIST_KIND_DECLARE)
#undef DIST_KIND_DECLARE

/* A table for one list of parameters, and the initialiser of a record's head, for the files of
 * kinds. */
#define DIST_PARAM_TABLE(table_name, list, Params, check_function)                                 \
    {                                                                                              \
        .name = table_name, .params = (list), .count = G_N_ELEMENTS(list),                         \
        .struct_size = sizeof(Params), .node_offset = SIZE_MAX, .check = (check_function)          \
    }

extern const PluginFamily dist_time_family; /* parameters are durations */
extern const PluginFamily dist_size_family; /* parameters are sizes */

Dist *dist_new_constant(int64_t value);
Dist *dist_new(const PluginChoice *choice); /* a checked choice of one of the two families */
void dist_free(Dist *dist);
bool dist_equals(const Dist *dist, const Dist *other); /* every sample is the same */

/* Samples lie within +-DIST_VALUE_MAX.  Durations may be negative where parameters say so (a
 * uniform from -5ms, a shift by -1ms); who cannot use that asks dist_min at load. */
int64_t dist_sample(const Dist *dist, uint64_t u64); /* monotone in u64 */
void dist_prefetch(const Dist *dist, uint64_t u64);  /* such a sample is coming */
int64_t dist_min(const Dist *dist);                  /* the least value a sample can have */
int64_t dist_max(const Dist *dist);
double dist_mean(const Dist *dist); /* of the table */
int64_t dist_quantile(const Dist *dist,
                      double p); /* of the table: the least value v with P(X <= v) >= p */
double dist_cdf(const Dist *dist, int64_t value); /* of the table: P(X <= value) */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dist, dist_free)
