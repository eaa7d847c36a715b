/* Mix: with the given shares, one of several distributions, such as a warm and a cold path.  Why it
 * works: the probability of at most v is the share-weighted sum over the parts, read from their
 * tables, and the quantile is the least integer v where the sum reaches p.  That lies between the
 * least and the greatest of the parts' own quantiles, so halving finds it in few steps. */
#include "sim/dist.h"

#include <math.h>

#include "sim/json_read.h"

typedef struct {
    double share;
    const Dist *of;
} Part;

typedef struct {
    ParamMap parts; /* of Part; the whole object is this map */
} Mix;

static double mix_cdf(const Mix *mix, int64_t value)
{
    double below = 0.0, shares = 0.0;

    for (size_t i = 0; i < mix->parts.count; i++) {
        const Part *part = param_map_at(&mix->parts, Part, i);

        below += part->share * dist_cdf(part->of, value);
        shares += part->share;
    }
    return below / shares;
}

static double mix_quantile(const void *params, double p)
{
    const Mix *mix = params;
    int64_t first = INT64_MAX, last = INT64_MIN;

    for (size_t i = 0; i < mix->parts.count; i++) {
        const Part *part = param_map_at(&mix->parts, Part, i);
        int64_t quantile = dist_quantile(part->of, p);

        if (part->share > 0.0) {
            first = MIN(first, quantile);
            last = MAX(last, quantile);
        }
    }
    while (first < last) {
        int64_t middle = first + (last - first) / 2;

        if (mix_cdf(mix, middle) >= p)
            last = middle;
        else
            first = middle + 1;
    }
    return (double)first;
}

static bool mix_check(const void *params, const JsonNode *at, GError **error)
{
    const Mix *mix = params;
    double shares = 0.0;

    for (size_t i = 0; i < mix->parts.count; i++)
        shares += param_map_at(&mix->parts, Part, i)->share;
    if (fabs(shares - 1.0) <= 1e-6)
        return true;
    json_error(error, at, "shares sum to %d.%d %%; the parts of a mix must sum to 100 %%",
               (int)(shares * 1000.0 + 0.5) / 10, (int)(shares * 1000.0 + 0.5) % 10);
    return false;
}

#define PART_PARAMS(nested, least)                                                                 \
    {                                                                                              \
        {.name = "share",                                                                          \
         .summary = "how often this part is drawn",                                                \
         .kind = PARAM_SHARE,                                                                      \
         .offset = offsetof(Part, share),                                                          \
         .required = true,                                                                         \
         .min = 0,                                                                                 \
         .max = 1},                                                                                \
            {.name = "of",                                                                         \
             .summary = "its distribution",                                                        \
             .kind = (nested),                                                                     \
             .offset = offsetof(Part, of),                                                         \
             .required = true,                                                                     \
             .min = (least),                                                                       \
             .max = (double)DIST_VALUE_MAX},                                                       \
    }

static const Param time_part_params[] = PART_PARAMS(PARAM_DIST_TIME, -(double)DIST_VALUE_MAX);
static const Param size_part_params[] = PART_PARAMS(PARAM_DIST_SIZE, 0);
static const ParamTable time_part = DIST_PARAM_TABLE("mix-part-time", time_part_params, Part, NULL);
static const ParamTable size_part = DIST_PARAM_TABLE("mix-part-size", size_part_params, Part, NULL);

/* Without a name, the map is the whole object: its keys are the parts' ids. */
#define PARAMS(part_table)                                                                         \
    {                                                                                              \
        {.name = NULL,                                                                             \
         .summary = "the parts; their shares sum to 100 %",                                        \
         .kind = PARAM_MAP,                                                                        \
         .offset = offsetof(Mix, parts),                                                           \
         .required = true,                                                                         \
         .table = (part_table),                                                                    \
         .count_min = 2,                                                                           \
         .count_max = 64},                                                                         \
    }

static const Param time_params[] = PARAMS(&time_part);
static const Param size_params[] = PARAMS(&size_part);
static const ParamTable time_table = DIST_PARAM_TABLE("mix-time", time_params, Mix, mix_check);
static const ParamTable size_table = DIST_PARAM_TABLE("mix-size", size_params, Mix, mix_check);

#define KIND(table)                                                                                \
    {                                                                                              \
        .head = {.name = "mix",                                                                    \
                 .summary = "one of several distributions, by share",                              \
                 .params = (table)},                                                               \
        .quantile = mix_quantile, .is_bounded = true,                                              \
    }

const DistKindPair dist_kind_mix = {.time = KIND(&time_table), .size = KIND(&size_table)};
