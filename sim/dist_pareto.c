/* Pareto: a least value and a tail that falls as a power, P(X > x) = (min / x)^alpha.  Why it
 * works: the quantile is the inverse of that.  The table ends at 2^-25, so moments that do not
 * exist (a variance with alpha <= 2) are finite in a run, as they are in life. */
#include "sim/dist.h"

#include "sim/math.h"

typedef struct {
    int64_t min;
    double alpha;
} Pareto;

static double pareto_quantile(const void *params, double p)
{
    const Pareto *pareto = params;

    return (double)pareto->min * sim_exp(-sim_log(1.0 - p) / pareto->alpha);
}

#define PARAMS(quantity)                                                                           \
    {                                                                                              \
        {.name = "min",                                                                            \
         .summary = "the least value",                                                             \
         .kind = (quantity),                                                                       \
         .offset = offsetof(Pareto, min),                                                          \
         .required = true,                                                                         \
         .min = 1,                                                                                 \
         .max = (double)DIST_VALUE_MAX},                                                           \
            {.name = "alpha",                                                                      \
             .summary = "how fast the tail falls; small is heavy",                                 \
             .kind = PARAM_NUMBER,                                                                 \
             .offset = offsetof(Pareto, alpha),                                                    \
             .required = true,                                                                     \
             .min = 0.1,                                                                           \
             .max = 1000},                                                                         \
    }

static const Param time_params[] = PARAMS(PARAM_DURATION);
static const Param size_params[] = PARAMS(PARAM_SIZE);
static const ParamTable time_table = DIST_PARAM_TABLE("pareto-time", time_params, Pareto, NULL);
static const ParamTable size_table = DIST_PARAM_TABLE("pareto-size", size_params, Pareto, NULL);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "pareto",                                                                 \
                 .summary = "a heavy tail above a least value",                                    \
                 .params = (table)},                                                               \
        .quantile = pareto_quantile,                                                               \
    }

const DistKindPair dist_kind_pareto = {.time = KIND(&time_table), .size = KIND(&size_table)};
