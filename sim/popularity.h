/* Which key of a family an operation meets: popularity over ranks 0..n-1, drawn from an alias
 * table.
 *
 * Rank 0 is the most popular.  Kinds are a family (POPULARITY_KINDS): uniform, zipf (Gray et al.
 * 1994 shape p_k ~ 1/(k+1)^s, `scrambled` spreads hot ranks over the key ids by a bijection),
 * hotset, latest.  Draws cost one random word (Walker 1977, Vose 1991).  A slice keeps some ranks
 * only: the table is then built over the kept ranks with their own probabilities, and kept_share is
 * the sum of these.
 *
 * Draws are of ranks; popularity_key_of says which key of the family, 0..n-1, has a rank.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/param.h"

#define POPULARITY_KINDS(X)                                                                        \
    X(hotset)                                                                                      \
    X(latest)                                                                                      \
    X(uniform)                                                                                     \
    X(zipf)

/* How ranks lie on keys. */
typedef enum {
    POPULARITY_BY_RANK,   /* key k has rank k */
    POPULARITY_SCRAMBLED, /* spread evenly over the keys */
    POPULARITY_NEWEST,    /* the last key has rank 0 */
} PopularityOrder;

typedef struct {
    PluginHead head;
    /* Unnormalised weight of rank of n; non-increasing in rank. */
    double (*weight)(const void *params, uint64_t rank, uint64_t n);
    /* The sum of all n weights, in far less than n steps. */
    double (*total)(const void *params, uint64_t n);
    PopularityOrder (*order)(const void *params); /* NULL: by rank */
} PopularityKind;

#define POPULARITY_KIND_DECLARE(kind) extern const PopularityKind popularity_kind_##kind;
POPULARITY_KINDS(POPULARITY_KIND_DECLARE)
#undef POPULARITY_KIND_DECLARE

extern const PluginFamily popularity_family;

typedef struct Popularity Popularity;

/* keep: NULL for all ranks, else called once per rank, in order; true keeps it. */
typedef struct {
    const PluginChoice *choice; /* NULL or head NULL: uniform; params must outlive the popularity */
    uint64_t key_count;
    bool (*keep)(void *context, uint64_t rank);
    void *context;
} PopularityConfig;

/* At most 2^32 - 1 ranks may be kept. */
Popularity *popularity_new(const PopularityConfig *config);
void popularity_free(Popularity *popularity);

/* Fetches into the cache what popularity_draw will read for this word. */
void popularity_prefetch(const Popularity *popularity, uint64_t u64);

/* An index among the kept, 0..kept_count-1; kept_count > 0. */
uint64_t popularity_draw(const Popularity *popularity, uint64_t u64);
uint64_t popularity_kept_count(const Popularity *popularity);
uint64_t popularity_rank_of(const Popularity *popularity, uint64_t kept_index);
double popularity_share_of(const Popularity *popularity,
                           uint64_t kept_index); /* probability in the whole family */
double popularity_kept_share(const Popularity *popularity);

/* The key that has this rank, and back: bijections on 0..key_count-1. */
uint64_t popularity_key_of(const Popularity *popularity, uint64_t rank);
uint64_t popularity_rank_of_key(const Popularity *popularity, uint64_t key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Popularity, popularity_free)
