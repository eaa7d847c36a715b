/* Zipf: the key of rank k is met in proportion to 1 / (k + 1)^s.  Why it works: see sim/zipf.h.  As
 * in YCSB (Cooper et al. 2010), `scrambled` keeps hot keys from being neighbours; here by a
 * bijection, so that no two ranks share a key. */
#include "sim/popularity.h"

#include "sim/zipf.h"

typedef struct {
    double exponent;
    bool is_scrambled;
} Zipf;

static double weight(const void *params, uint64_t rank, uint64_t n)
{
    const Zipf *zipf = params;

    (void)n;
    return zipf_weight(zipf->exponent, rank);
}

static double total(const void *params, uint64_t n)
{
    const Zipf *zipf = params;

    return zipf_total(zipf->exponent, n);
}

static PopularityOrder order(const void *params)
{
    const Zipf *zipf = params;

    return zipf->is_scrambled ? POPULARITY_SCRAMBLED : POPULARITY_BY_RANK;
}

static const Param zipf_params[] = {
    {.name = "exponent",
     .summary = "how steep; 0 is uniform, 0.99 the YCSB default",
     .kind = PARAM_NUMBER,
     .offset = offsetof(Zipf, exponent),
     .required = true,
     .positional = true,
     .min = 0,
     .max = 5},
    {.name = "scrambled",
     .summary = "spread the hot keys over the family",
     .kind = PARAM_BOOL,
     .offset = offsetof(Zipf, is_scrambled)},
};

static const ParamTable zipf_table = {
    .name = "popularity-zipf",
    .params = zipf_params,
    .count = G_N_ELEMENTS(zipf_params),
    .struct_size = sizeof(Zipf),
    .node_offset = SIZE_MAX,
};

const PopularityKind popularity_kind_zipf = {
    .head = {.name = "zipf",
             .summary = "few keys often, many seldom, by Zipf's law",
             .params = &zipf_table},
    .weight = weight,
    .total = total,
    .order = order,
};
