/* Exponential: gaps of a Poisson process, service times without memory.  Why it works: the quantile
 * is the inverse of 1 - exp(-x / mean). */
#include "sim/dist.h"

#include "sim/math.h"

typedef struct {
    int64_t mean;
} Exp;

static double exp_quantile(const void *params, double p)
{
    const Exp *exponential = params;

    return -(double)exponential->mean * sim_log(1.0 - p);
}

#define PARAMS(quantity)                                                                           \
    {                                                                                              \
        {.name = "mean",                                                                           \
         .summary = "the mean",                                                                    \
         .kind = (quantity),                                                                       \
         .offset = offsetof(Exp, mean),                                                            \
         .required = true,                                                                         \
         .min = 1,                                                                                 \
         .max = (double)DIST_VALUE_MAX},                                                           \
    }

static const Param time_params[] = PARAMS(PARAM_DURATION);
static const Param size_params[] = PARAMS(PARAM_SIZE);
static const ParamTable time_table = DIST_PARAM_TABLE("exp-time", time_params, Exp, NULL);
static const ParamTable size_table = DIST_PARAM_TABLE("exp-size", size_params, Exp, NULL);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "exp",                                                                    \
                 .summary = "exponential, as gaps between independent arrivals",                   \
                 .params = (table)},                                                               \
        .quantile = exp_quantile,                                                                  \
    }

const DistKindPair dist_kind_exp = {.time = KIND(&time_table), .size = KIND(&size_table)};
