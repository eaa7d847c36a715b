/* Uniform: every key is met equally often.  Why it works: equal weights; the draw needs no table.
 */
#include "sim/popularity.h"

static double uniform_weight(const void *params, uint64_t rank, uint64_t n)
{
    (void)params;
    (void)rank;
    (void)n;
    return 1.0;
}

static double uniform_total(const void *params, uint64_t n)
{
    (void)params;
    return (double)n;
}

const PopularityKind popularity_kind_uniform = {
    .head = {.name = "uniform", .summary = "every key equally often"},
    .weight = uniform_weight,
    .total = uniform_total,
};
