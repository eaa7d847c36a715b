/* Latest: the newest key is the most popular, older ones less by Zipf's law of their age in keys,
 * as in YCSB workload D (Cooper et al. 2010).  Why it works: weights are those of zipf, and rank 0
 * is the last key of the family. */
#include "sim/popularity.h"

#include "sim/zipf.h"

typedef struct {
    double exponent;
} Latest;

static double weight(const void *params, uint64_t rank, uint64_t n)
{
    const Latest *latest = params;

    (void)n;
    return zipf_weight(latest->exponent, rank);
}

static double total(const void *params, uint64_t n)
{
    const Latest *latest = params;

    return zipf_total(latest->exponent, n);
}

static PopularityOrder order(const void *params)
{
    (void)params;
    return POPULARITY_NEWEST;
}

static const Param latest_params[] = {
    {.name = "exponent",
     .summary = "how steep by age; 0.99 is the YCSB default",
     .kind = PARAM_NUMBER,
     .offset = offsetof(Latest, exponent),
     .required = true,
     .positional = true,
     .min = 0,
     .max = 5},
};

static const ParamTable latest_table = {
    .name = "popularity-latest",
    .params = latest_params,
    .count = G_N_ELEMENTS(latest_params),
    .struct_size = sizeof(Latest),
    .node_offset = SIZE_MAX,
};

const PopularityKind popularity_kind_latest = {
    .head = {.name = "latest",
             .summary = "the newest keys most, by Zipf's law of age",
             .params = &latest_table},
    .weight = weight,
    .total = total,
    .order = order,
};
