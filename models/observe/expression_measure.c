/* Why it works: a metric under a label filter is a set of instruments.  Samples pool by merging
 * their histograms, events by adding, gauges by looking at all their readings, each over the
 * seconds or segments of the phase.  What could go either way (a bare metric, the last readings of
 * several members) is kept as the least and the greatest value, so that a comparison can demand
 * both.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/observe/expression_private.h"
#include "models/observe/metrics.h"
#include "models/observe/phases.h"
#include "sim/ensure.h"

#define NORMAL_95 1.959964 /* two-sided 95 % of a normal */

/* One run as a node sees it: from t=0 (phase NULL) in a live recording. */
typedef struct {
    const Recording *recording;
    const Phase *phase;
} Run;

typedef struct {
    const Node *node;
    const Scene *scene;
    Stat stat;
    Run *runs;
    uint32_t run_count;
} Search;

static Measure missing(const Node *node)
{
    return (Measure){.missing = node};
}

static Measure exactly(double low, double high)
{
    return (Measure){.low = low, .high = high, .sure_low = low, .sure_high = high};
}

static const VariantRuns *runs_of(const ExpectationContext *context, const char *variant)
{
    for (uint32_t i = 0; i < context->variant_count; i++)
        if (strcmp(context->variants[i].variant, variant) == 0)
            return &context->variants[i];
    return NULL;
}

static const Phase *phase_of(const Recording *recording, const Scene *scene, const char *name)
{
    const Phase *phase = NULL;

    if (scene->prefers_base_phase) {
        g_autofree char *of_base = g_strconcat(PHASE_OF_BASE, name, NULL);

        phase = recording_phase(recording, of_base);
    }
    return phase ? phase : recording_phase(recording, name);
}

/* The judge has checked that variant and phase exist. */
static void find_runs(Search *search)
{
    const Scene *scene = search->scene;
    const Node *node = search->node;
    bool is_per_run = stat_is_per_run(search->stat, node->metric->kind);
    const VariantRuns *runs;

    if (scene->live) {
        search->runs = g_new(Run, 1);
        search->runs[search->run_count++] = (Run){scene->live, NULL};
        return;
    }
    runs = runs_of(scene->context, node->variant ? node->variant : scene->context->variant);
    ensure(runs && runs->count > 0);
    search->runs = g_new(Run, runs->count);
    for (uint32_t i = 0; i < runs->count; i++) {
        const Recording *recording = runs->recordings[i];
        const char *name = node->phase ? node->phase : scene->context->phase;
        Run run = {recording, phase_of(recording, scene, name)};

        ensure(run.phase != NULL);
        if (!is_per_run || i == scene->run % runs->count)
            search->runs[search->run_count++] = run;
    }
    ensure(search->run_count > 0); /* who measures an event looks at the first */
}

/* The next instrument of run that the node means, from *index on; NULL when there is no more. */
static const Instrument *next_match(const Search *search, const Run *run, uint32_t *index)
{
    while (*index < recording_instrument_count(run->recording)) {
        const Instrument *instrument = recording_instrument_at(run->recording, (*index)++);

        if (instrument_metric(instrument) == search->node->metric &&
            labels_match(instrument_labels(instrument), &search->node->filter))
            return instrument;
    }
    return NULL;
}

/* Seconds of the phase; live: the last completed bucket of alerts (empty before there is one). */
static void seconds_of(const Search *search, const Run *run, uint32_t *out_from, uint32_t *out_to)
{
    if (run->phase) {
        recording_gauge_seconds(run->recording, search->node->metric, run->phase, out_from, out_to);
        return;
    }
    *out_to = recording_bucket_count(run->recording) / BUCKETS_PER_ALERT * BUCKETS_PER_ALERT;
    *out_from = *out_to >= BUCKETS_PER_ALERT ? *out_to - BUCKETS_PER_ALERT : 0;
}

/* Events: a second without any is a reading of 0, so these buckets are never empty. */
static Measure measure_event_bucket(const Search *search, const Run *run)
{
    uint32_t from, to, index = 0;
    double total = 0;

    seconds_of(search, run, &from, &to);
    if (from == to)
        return missing(search->node);
    if (run->phase && search->stat == STAT_last)
        from = to - 1;
    else if (run->phase && search->stat == STAT_first)
        to = from + 1;
    for (const Instrument *it; (it = next_match(search, run, &index));)
        for (uint32_t second = from; second < to; second++)
            total += instrument_bucket(it, second);
    if (search->stat == STAT_rate)
        total /= (double)(to - from) * (double)SIM_S;
    return exactly(total, total);
}

static double length_ns(const Run *run)
{
    SimTime end = recording_end_ns(run->recording);

    if (!run->phase)
        return (double)end;
    return (double)(MIN(run->phase->to_ns, end) - run->phase->from_ns);
}

static Measure measure_event(const Search *search)
{
    const Run *run = &search->runs[0];
    double groups[RECORDING_GROUPS] = {0};
    double total = 0, margin, scale = 1;
    uint32_t weight = 1, index = 0;
    Measure measure;

    if (search->stat == STAT_last || search->stat == STAT_first ||
        (search->stat == STAT_rate && !run->phase))
        return measure_event_bucket(search, run);
    if (run->phase && !(length_ns(run) > 0))
        return missing(search->node);
    for (const Instrument *it; (it = next_match(search, run, &index));) {
        total += instrument_total_in(it, run->phase);
        instrument_groups_in(it, run->phase, groups);
        weight = MAX(weight, instrument_weight_max(it));
    }
    if (search->stat == STAT_rate)
        scale = 1 / length_ns(run);
    margin = NORMAL_95 * recording_group_error(groups);
    measure = exactly(total * scale, total * scale);
    measure.sure_low = MAX(total - margin, 0) * scale;
    measure.sure_high = (total + margin) * scale;
    /* Rule of three: nothing seen in a share s of the keys bounds the total by 3 / s (fit.md 3.16).
     */
    if (!(total > 0) && weight > 1 && recording_is_sliced(run->recording))
        measure.zero_bound = 3.0 * weight * scale;
    return measure;
}

static double stat_share(Stat stat)
{
    static const double shares[] = {0.5, 0.9, 0.95, 0.99, 0.999};

    return shares[stat];
}

static bool is_quantile(Stat stat)
{
    return stat <= STAT_p999;
}

static Measure measure_histogram(const Search *search, const Histogram *pool, bool sliced)
{
    int64_t low, high;
    double value;
    Measure measure;

    if (search->stat == STAT_count)
        return exactly((double)histogram_count(pool), (double)histogram_count(pool));
    if (histogram_sample_count(pool) == 0)
        return missing(search->node);
    if (search->stat == STAT_EVERY)
        measure = exactly((double)histogram_min(pool), (double)histogram_max(pool));
    else if (search->stat == STAT_min || search->stat == STAT_max) {
        value = (double)(search->stat == STAT_min ? histogram_min(pool) : histogram_max(pool));
        measure = exactly(value, value);
    } else if (is_quantile(search->stat)) {
        value = (double)histogram_quantile(pool, stat_share(search->stat));
        measure = exactly(value, value);
        if (sliced) {
            histogram_quantile_interval(pool, stat_share(search->stat), &low, &high);
            measure.sure_low = (double)low;
            measure.sure_high = (double)high;
        }
    } else {
        value = histogram_mean(pool);
        if (search->stat == STAT_sum)
            value *= (double)histogram_count(pool);
        measure = exactly(value, value);
    }
    measure.one_draw = histogram_sample_count(pool) == 1;
    return measure;
}

/* Live, quantiles and the like see the last ten seconds, sum and count everything from t=0. */
static Measure measure_sample(const Search *search)
{
    bool is_total = search->stat == STAT_sum || search->stat == STAT_count;
    g_autoptr(Histogram) pool = histogram_new();
    bool sliced = false;

    for (uint32_t i = 0; i < search->run_count; i++) {
        const Run *run = &search->runs[i];
        uint32_t index = 0;

        sliced = sliced || recording_is_sliced(run->recording);
        for (const Instrument *it; (it = next_match(search, run, &index));) {
            const Histogram *recent = instrument_recent(it);

            if (run->phase || is_total)
                instrument_histogram_in(it, run->phase, pool);
            else if (recent)
                histogram_merge(pool, recent);
        }
    }
    return measure_histogram(search, pool, sliced);
}

/* Adds the two counts of seconds from..to-1 over all instruments; false when nothing was counted.
 */
static bool pool_ratio(const Search *search, const Run *run, const uint32_t seconds[2], double *out)
{
    double ok = 0, done = 0;
    uint32_t index = 0;

    for (const Instrument *it; (it = next_match(search, run, &index));) {
        for (uint32_t second = seconds[0]; second < seconds[1]; second++) {
            double ok_here, done_here;

            instrument_bucket_ratio(it, second, &ok_here, &done_here);
            ok += ok_here;
            done += done_here;
        }
    }
    *out = done > 0 ? ok / done : 0;
    return done > 0;
}

/* last and first of a ratio: the pooled value of the last (first) bucket in which anything
 * happened. A bucket is a second in a phase and ten seconds for alerts. */
static Measure measure_ratio_end(const Search *search, const Run *run)
{
    uint32_t width = run->phase ? 1 : BUCKETS_PER_ALERT;
    uint32_t from, to, count;
    double value;

    seconds_of(search, run, &from, &to);
    if (!run->phase)
        from = 0;
    count = (to - from) / width;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bucket = search->stat == STAT_first ? i : count - 1 - i;
        uint32_t begin = from + bucket * width;

        if (pool_ratio(search, run, (const uint32_t[2]){begin, begin + width}, &value))
            return exactly(value, value);
    }
    return missing(search->node);
}

/* last and first of plain gauges: each instrument's own, from the least to the greatest. */
static Measure measure_gauge_end(const Search *search, const Run *run)
{
    Measure measure = missing(search->node);
    uint32_t from, to, index = 0;

    seconds_of(search, run, &from, &to);
    if (!run->phase)
        from = 0;
    for (const Instrument *it; (it = next_match(search, run, &index));) {
        double value = NAN;

        for (uint32_t i = 0; i < to - from && isnan(value); i++)
            value = instrument_bucket(it, search->stat == STAT_first ? from + i : to - 1 - i);
        if (isnan(value))
            continue;
        if (measure.missing)
            measure = exactly(value, value);
        else
            measure = exactly(MIN(measure.low, value), MAX(measure.high, value));
    }
    return measure;
}

static int compare_doubles(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static GArray *gauge_readings(const Search *search)
{
    GArray *readings = g_array_new(FALSE, FALSE, sizeof(double));

    for (uint32_t i = 0; i < search->run_count; i++) {
        uint32_t from, to, index = 0;

        seconds_of(search, &search->runs[i], &from, &to);
        for (const Instrument *it; (it = next_match(search, &search->runs[i], &index));) {
            for (uint32_t second = from; second < to; second++) {
                double value = instrument_bucket(it, second);

                if (!isnan(value))
                    g_array_append_val(readings, value);
            }
        }
    }
    return readings;
}

static Measure measure_readings(const Search *search, GArray *readings)
{
    const double *values = (const double *)(void *)readings->data;
    uint32_t count = readings->len;
    double sum = 0, rank;

    if (count == 0)
        return missing(search->node);
    if (search->stat == STAT_mean) {
        for (uint32_t i = 0; i < count; i++)
            sum += values[i];
        return exactly(sum / count, sum / count);
    }
    qsort(readings->data, count, sizeof(double), compare_doubles);
    if (search->stat == STAT_EVERY)
        return exactly(values[0], values[count - 1]);
    if (search->stat == STAT_min)
        return exactly(values[0], values[0]);
    if (search->stat == STAT_max)
        return exactly(values[count - 1], values[count - 1]);
    rank = ceil(stat_share(search->stat) * count);
    rank = rank < 1 ? 1 : rank > count ? count : rank;
    return exactly(values[(uint32_t)rank - 1], values[(uint32_t)rank - 1]);
}

static Measure measure_gauge(const Search *search)
{
    g_autoptr(GArray) readings = NULL;

    if (search->stat == STAT_last || search->stat == STAT_first)
        return search->node->metric->is_ratio ? measure_ratio_end(search, &search->runs[0])
                                              : measure_gauge_end(search, &search->runs[0]);
    readings = gauge_readings(search);
    return measure_readings(search, readings);
}

Measure measure_metric(const Node *node, const Scene *scene)
{
    bool is_gauge = node->metric->kind == METRIC_GAUGE;
    Search search = {.node = node, .scene = scene, .stat = node->stat};
    Measure measure;

    if (is_gauge && node->stat == STAT_EVERY && scene->reads_last)
        search.stat = STAT_last;
    find_runs(&search);
    if (is_gauge)
        measure = measure_gauge(&search);
    else if (node->metric->kind == METRIC_SAMPLE)
        measure = measure_sample(&search);
    else
        measure = measure_event(&search);
    g_free(search.runs);
    return measure;
}
