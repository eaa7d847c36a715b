/* Empirical: the listed values and no others, equally likely or by weight.  Why it works: values
 * are sorted once with their cumulative shares, and a quantile is the first value whose cumulative
 * share reaches p.  The table keeps these jumps (see sim/dist.c). */
#include "sim/dist.h"

#include "sim/json_read.h"

typedef struct {
    ParamMap values;  /* of int64_t */
    ParamMap weights; /* of double; empty: equal */
} Empirical;

typedef struct {
    int64_t value;
    double share_at_or_below;
} Point;

typedef struct {
    size_t count;
    Point points[];
} Sorted;

static int point_compare(const void *left, const void *right)
{
    const Point *a = left, *b = right;

    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    /* Equal values may swap, but not to a sum of another rounding. */
    return (a->share_at_or_below > b->share_at_or_below) -
           (a->share_at_or_below < b->share_at_or_below);
}

static void *empirical_prepare(const void *params)
{
    const Empirical *empirical = params;
    size_t count = empirical->values.count;
    Sorted *sorted = g_malloc0(sizeof *sorted + count * sizeof sorted->points[0]);
    double sum = 0.0;

    for (size_t i = 0; i < count; i++) {
        double weight = 1.0;

        if (empirical->weights.count > 0)
            weight = *param_map_at(&empirical->weights, double, i);
        if (weight > 0.0)
            sorted->points[sorted->count++] =
                (Point){.value = *param_map_at(&empirical->values, int64_t, i),
                        .share_at_or_below = weight};
    }
    qsort(sorted->points, sorted->count, sizeof sorted->points[0], point_compare);
    for (size_t i = 0; i < sorted->count; i++) {
        sum += sorted->points[i].share_at_or_below;
        sorted->points[i].share_at_or_below = sum;
    }
    for (size_t i = 0; i < sorted->count; i++)
        sorted->points[i].share_at_or_below /= sum;
    return sorted;
}

static double empirical_quantile(const void *params, double p)
{
    const Sorted *sorted = params;
    size_t first = 0, last = sorted->count - 1;

    while (first < last) {
        size_t middle = first + (last - first) / 2;

        if (sorted->points[middle].share_at_or_below >= p)
            last = middle;
        else
            first = middle + 1;
    }
    return (double)sorted->points[first].value;
}

static bool empirical_check(const void *params, const JsonNode *at, GError **error)
{
    const Empirical *empirical = params;
    double sum = 0.0;

    if (empirical->weights.count == 0)
        return true;
    if (empirical->weights.count != empirical->values.count) {
        json_error(error, json_get(at, "weights"),
                   "%" G_GSIZE_FORMAT " weights for %" G_GSIZE_FORMAT " values; give one for each",
                   empirical->weights.count, empirical->values.count);
        return false;
    }
    for (size_t i = 0; i < empirical->weights.count; i++)
        sum += *param_map_at(&empirical->weights, double, i);
    if (sum > 0.0)
        return true;
    json_error(error, json_get(at, "weights"), "all weights are 0; at least one must be positive");
    return false;
}

#define ITEM(quantity, least)                                                                      \
    {                                                                                              \
        .name = "value", .summary = "a value", .kind = (quantity), .min = (least),                 \
        .max = (double)DIST_VALUE_MAX                                                              \
    }
#define PARAMS(value_item)                                                                         \
    {                                                                                              \
        {.name = "values",                                                                         \
         .summary = "the values that occur",                                                       \
         .kind = PARAM_LIST,                                                                       \
         .offset = offsetof(Empirical, values),                                                    \
         .required = true,                                                                         \
         .item = (value_item),                                                                     \
         .count_min = 1,                                                                           \
         .count_max = 1000000},                                                                    \
            {.name = "weights",                                                                    \
             .summary = "how often each occurs, in any scale; default: equally",                   \
             .kind = PARAM_LIST,                                                                   \
             .offset = offsetof(Empirical, weights),                                               \
             .item = &weight_item},                                                                \
    }

static const Param weight_item = {
    .name = "weight", .summary = "a weight", .kind = PARAM_NUMBER, .min = 0, .max = 1e12};
static const Param time_item = ITEM(PARAM_DURATION, -(double)DIST_VALUE_MAX);
static const Param size_item = ITEM(PARAM_SIZE, 0);
static const Param time_params[] = PARAMS(&time_item);
static const Param size_params[] = PARAMS(&size_item);
static const ParamTable time_table =
    DIST_PARAM_TABLE("empirical-time", time_params, Empirical, empirical_check);
static const ParamTable size_table =
    DIST_PARAM_TABLE("empirical-size", size_params, Empirical, empirical_check);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "empirical",                                                              \
                 .summary = "listed values, equally likely or by weight",                          \
                 .params = (table)},                                                               \
        .quantile = empirical_quantile, .is_bounded = true, .prepare = empirical_prepare,          \
    }

const DistKindPair dist_kind_empirical = {.time = KIND(&time_table), .size = KIND(&size_table)};
