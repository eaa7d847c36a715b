/* Why it works: a quantile's interval follows from the effective number of samples, a rate's from
 * how much random groups of keys differ.  Neither can see a part of the traffic of which the slice
 * holds no key at all; that shows in the sum, because what clients send is known exactly.
 */
#include <math.h>

#include "tools/report.h"

#define Z_95           1.96 /* of the normal distribution, 95 % */
#define NOT_FROM_SLICE 0.25 /* an interval's half-width as a share of the value */

double report_variant_coverage(const ReportVariant *variant)
{
    if (variant->kept_share >= 1.0)
        return 1.0;
    return variant->sent_ops > 0.0 ? variant->estimated_ops / variant->sent_ops : 0.0;
}

bool report_variant_lacks_keys(const ReportVariant *variant)
{
    return report_variant_coverage(variant) < SLICE_COVERAGE_MIN;
}

static Estimate judge_width(const ReportVariant *variant, Estimate estimate)
{
    double half = (estimate.high - estimate.low) / 2.0;

    if (variant->kept_share < 1.0)
        estimate.not_from_slice =
            report_variant_lacks_keys(variant) || half > NOT_FROM_SLICE * fabs(estimate.value);
    else
        estimate.low = estimate.high = estimate.value;
    return estimate;
}

Estimate report_quantile(const ReportVariant *variant, const ReportSite *row, double share)
{
    Estimate estimate = {.value = (double)histogram_quantile(row->latency, share)};
    int64_t low;
    int64_t high;

    histogram_quantile_interval(row->latency, share, &low, &high);
    estimate.low = (double)low;
    estimate.high = (double)high;
    return judge_width(variant, estimate);
}

Estimate report_rate(const ReportVariant *variant, const ReportSite *row)
{
    double seconds = row->seconds > 0.0 ? row->seconds : (double)NAN;
    double margin = Z_95 * sqrt(row->op_variance);
    Estimate estimate = {.value = row->op_count / seconds,
                         .low = MAX(row->op_count - margin, 0.0) / seconds,
                         .high = (row->op_count + margin) / seconds};

    return judge_width(variant, estimate);
}

Estimate report_availability(const ReportVariant *variant, const ReportSite *row)
{
    double share = row->op_count > 0.0 ? row->ok_count / row->op_count : (double)NAN;
    double effective = histogram_effective_count(row->latency);
    double margin = effective > 0.0 ? Z_95 * sqrt(share * (1.0 - share) / effective) : 0.0;
    Estimate estimate = {
        .value = share, .low = MAX(share - margin, 0.0), .high = MIN(share + margin, 1.0)};

    return judge_width(variant, estimate);
}
