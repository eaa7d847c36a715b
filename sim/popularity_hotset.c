/* Hotset: a share of the keys gets a share of the hits, evenly within and without.  Why it works:
 * two weights.  The hot set has at least one key; in a family so small that rounding would make its
 * keys less popular than the rest, all are equal. */
#include "sim/popularity.h"

#include <math.h>

#include "sim/json_read.h"

typedef struct {
    double keys; /* share of the keys that are hot */
    double hits; /* share of the operations that meet them */
} Hotset;

static uint64_t hot_count(const Hotset *hotset, uint64_t n)
{
    uint64_t count = (uint64_t)floor(hotset->keys * (double)n + 0.5);

    return CLAMP(count, 1, n);
}

static double weight(const void *params, uint64_t rank, uint64_t n)
{
    const Hotset *hotset = params;
    uint64_t hot = hot_count(hotset, n);
    double inside, outside;

    if (hot == n)
        return 1.0;
    inside = hotset->hits / (double)hot;
    outside = (1.0 - hotset->hits) / (double)(n - hot);
    if (inside < outside)
        return 1.0;
    return rank < hot ? inside : outside;
}

static double total(const void *params, uint64_t n)
{
    const Hotset *hotset = params;
    uint64_t hot;

    if (n == 0)
        return 0.0;
    hot = hot_count(hotset, n);
    return (double)hot * weight(params, 0, n) + (double)(n - hot) * weight(params, n - 1, n);
}

static bool check(const void *params, const JsonNode *at, GError **error)
{
    const Hotset *hotset = params;

    if (hotset->hits >= hotset->keys)
        return true;
    json_error(
        error, at,
        "the hot keys get a smaller share of hits than they are of keys; raise hits or lower keys");
    return false;
}

static const Param hotset_params[] = {
    {.name = "keys",
     .summary = "share of the keys that are hot",
     .kind = PARAM_SHARE,
     .offset = offsetof(Hotset, keys),
     .required = true,
     .min = 0,
     .max = 1},
    {.name = "hits",
     .summary = "share of the operations that meet them",
     .kind = PARAM_SHARE,
     .offset = offsetof(Hotset, hits),
     .required = true,
     .min = 0,
     .max = 1},
};

static const ParamTable hotset_table = {
    .name = "popularity-hotset",
    .params = hotset_params,
    .count = G_N_ELEMENTS(hotset_params),
    .struct_size = sizeof(Hotset),
    .node_offset = SIZE_MAX,
    .check = check,
};

const PopularityKind popularity_kind_hotset = {
    .head = {.name = "hotset",
             .summary = "a share of the keys gets a share of the hits",
             .params = &hotset_table},
    .weight = weight,
    .total = total,
};
