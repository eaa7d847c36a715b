/* Lognormal, given by its median and one high percentile, as measurements are reported.  Why it
 * works: the logarithm is normal around log p50, and the given percentile fixes its deviation. */
#include "sim/dist.h"

#include "sim/json_read.h"
#include "sim/math.h"

#define NORMAL_P95 1.6448536269514722
#define NORMAL_P99 2.3263478740408408

typedef struct {
    int64_t p50;
    int64_t p95; /* 0: absent; exactly one of the two is given */
    int64_t p99;
} Lognormal;

static double lognormal_quantile(const void *params, double p)
{
    const Lognormal *lognormal = params;
    double median = (double)lognormal->p50;
    double deviation = lognormal->p95 > 0 ? sim_log((double)lognormal->p95 / median) / NORMAL_P95
                                          : sim_log((double)lognormal->p99 / median) / NORMAL_P99;

    return median * sim_exp(deviation * sim_normal_quantile(p));
}

static bool lognormal_check(const void *params, const JsonNode *at, GError **error)
{
    const Lognormal *lognormal = params;
    int64_t high = lognormal->p95 > 0 ? lognormal->p95 : lognormal->p99;

    if ((lognormal->p95 > 0) == (lognormal->p99 > 0)) {
        json_error(error, at, "a lognormal takes p50 and exactly one of p95 and p99; found %s",
                   high > 0 ? "both" : "neither");
        return false;
    }
    if (high < lognormal->p50) {
        json_error(error, json_get(at, lognormal->p95 > 0 ? "p95" : "p99"),
                   "%s is below p50; give a percentile that is at least the median",
                   lognormal->p95 > 0 ? "p95" : "p99");
        return false;
    }
    return true;
}

#define PARAM_PERCENTILE(field, quantity, is_required, text)                                       \
    {                                                                                              \
        .name = #field, .summary = (text), .kind = (quantity),                                     \
        .offset = offsetof(Lognormal, field), .required = (is_required), .min = 1,                 \
        .max = (double)DIST_VALUE_MAX                                                              \
    }
#define PARAMS(quantity)                                                                           \
    {                                                                                              \
        PARAM_PERCENTILE(p50, quantity, true, "the median"),                                       \
            PARAM_PERCENTILE(p95, quantity, false, "95th percentile; this or p99"),                \
            PARAM_PERCENTILE(p99, quantity, false, "99th percentile; this or p95"),                \
    }

static const Param time_params[] = PARAMS(PARAM_DURATION);
static const Param size_params[] = PARAMS(PARAM_SIZE);
static const ParamTable time_table =
    DIST_PARAM_TABLE("lognormal-time", time_params, Lognormal, lognormal_check);
static const ParamTable size_table =
    DIST_PARAM_TABLE("lognormal-size", size_params, Lognormal, lognormal_check);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "lognormal",                                                              \
                 .summary = "lognormal by its median and p95 or p99",                              \
                 .params = (table)},                                                               \
        .quantile = lognormal_quantile,                                                            \
    }

const DistKindPair dist_kind_lognormal = {.time = KIND(&time_table), .size = KIND(&size_table)};
