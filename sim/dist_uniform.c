/* Uniform between two bounds.  Why it works: its quantile function is a line, which a table of
 * lines holds exactly. */
#include "sim/dist.h"

#include "sim/json_read.h"

typedef struct {
    int64_t min;
    int64_t max;
} Uniform;

static double uniform_quantile(const void *params, double p)
{
    const Uniform *uniform = params;

    return (double)uniform->min + p * (double)(uniform->max - uniform->min);
}

static bool uniform_check(const void *params, const JsonNode *at, GError **error)
{
    const Uniform *uniform = params;

    if (uniform->max >= uniform->min)
        return true;
    json_error(error, json_get(at, "max"), "max is below min; exchange the two");
    return false;
}

#define PARAM_BOUND(field, quantity, least, text)                                                  \
    {                                                                                              \
        .name = #field, .summary = (text), .kind = (quantity), .offset = offsetof(Uniform, field), \
        .required = true, .min = (least), .max = (double)DIST_VALUE_MAX                            \
    }
#define PARAMS(quantity, least)                                                                    \
    {                                                                                              \
        PARAM_BOUND(min, quantity, least, "the least value"),                                      \
            PARAM_BOUND(max, quantity, least, "the greatest value"),                               \
    }

static const Param time_params[] = PARAMS(PARAM_DURATION, -(double)DIST_VALUE_MAX);
static const Param size_params[] = PARAMS(PARAM_SIZE, 0);
static const ParamTable time_table =
    DIST_PARAM_TABLE("uniform-time", time_params, Uniform, uniform_check);
static const ParamTable size_table =
    DIST_PARAM_TABLE("uniform-size", size_params, Uniform, uniform_check);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "uniform",                                                                \
                 .summary = "any value between two bounds, equally likely",                        \
                 .params = (table)},                                                               \
        .quantile = uniform_quantile, .is_bounded = true,                                          \
    }

const DistKindPair dist_kind_uniform = {.time = KIND(&time_table), .size = KIND(&size_table)};
