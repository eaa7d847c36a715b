/* Normal, cut off below.  Why it works: values below min become min, so the quantile function is
 * the normal one or min, whichever is greater; percentiles above min stay those of the normal. */
#include "sim/dist.h"

#include "sim/math.h"

typedef struct {
    int64_t mean;
    int64_t sd;
    int64_t min;
} Normal;

static double normal_quantile(const void *params, double p)
{
    const Normal *normal = params;
    double value = (double)normal->mean + (double)normal->sd * sim_normal_quantile(p);

    return MAX(value, (double)normal->min);
}

#define PARAM_FIELD(field, quantity, least, text)                                                  \
    .name = #field, .summary = (text), .kind = (quantity), .offset = offsetof(Normal, field),      \
    .min = (least), .max = (double)DIST_VALUE_MAX
#define PARAMS(quantity, least, zero)                                                              \
    {                                                                                              \
        {PARAM_FIELD(mean, quantity, least, "the mean, before cutting off"), .required = true},    \
            {PARAM_FIELD(sd, quantity, 0, "the standard deviation"), .required = true},            \
            {PARAM_FIELD(min, quantity, least, "lower values become this one"),                    \
             .fallback = (zero)},                                                                  \
    }

static const Param time_params[] = PARAMS(PARAM_DURATION, -(double)DIST_VALUE_MAX, "0ns");
static const Param size_params[] = PARAMS(PARAM_SIZE, 0, "0B");
static const ParamTable time_table = DIST_PARAM_TABLE("normal-time", time_params, Normal, NULL);
static const ParamTable size_table = DIST_PARAM_TABLE("normal-size", size_params, Normal, NULL);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "normal", .summary = "normal, cut off below", .params = (table)},         \
        .quantile = normal_quantile,                                                               \
    }

const DistKindPair dist_kind_normal = {.time = KIND(&time_table), .size = KIND(&size_table)};
