/* Shift: another distribution with a constant added, such as a fixed way plus a varying wait.  Why
 * it works: adding a constant moves every quantile by it. */
#include "sim/dist.h"

typedef struct {
    int64_t by;
    const Dist *of;
} Shift;

static double shift_quantile(const void *params, double p)
{
    const Shift *shift = params;

    return (double)shift->by + (double)dist_quantile(shift->of, p);
}

#define PARAMS(quantity, least, nested)                                                            \
    {                                                                                              \
        {.name = "by",                                                                             \
         .summary = "what is added",                                                               \
         .kind = (quantity),                                                                       \
         .offset = offsetof(Shift, by),                                                            \
         .required = true,                                                                         \
         .min = (least),                                                                           \
         .max = (double)DIST_VALUE_MAX},                                                           \
            {.name = "of",                                                                         \
             .summary = "what it is added to",                                                     \
             .kind = (nested),                                                                     \
             .offset = offsetof(Shift, of),                                                        \
             .required = true,                                                                     \
             .min = (least),                                                                       \
             .max = (double)DIST_VALUE_MAX},                                                       \
    }

static const Param time_params[] = PARAMS(PARAM_DURATION, -(double)DIST_VALUE_MAX, PARAM_DIST_TIME);
static const Param size_params[] = PARAMS(PARAM_SIZE, 0, PARAM_DIST_SIZE);
static const ParamTable time_table = DIST_PARAM_TABLE("shift-time", time_params, Shift, NULL);
static const ParamTable size_table = DIST_PARAM_TABLE("shift-size", size_params, Shift, NULL);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "shift",                                                                  \
                 .summary = "another distribution plus a constant",                                \
                 .params = (table)},                                                               \
        .quantile = shift_quantile, .is_bounded = true,                                            \
    }

const DistKindPair dist_kind_shift = {.time = KIND(&time_table), .size = KIND(&size_table)};
