/* Why it works: a phase is a set of segments (a bit each), so what fell into it is the sum, or the
 * merge, of what fell into them.  Merged histograms are kept for the next reader; nothing else
 * changes by reading.
 */
#include "models/observe/recording_private.h"

#include <math.h>
#include <string.h>

#include "models/observe/metrics.h"
#include "sim/ensure.h"

static uint64_t phase_bits(const Recording *recording, const Phase *phase)
{
    if (!phase)
        return UINT64_MAX;
    for (uint32_t i = 0; i < recording->phase_count; i++)
        if (phase == &recording->phases[i])
            return recording->phase_segments[i];
    return recording_segments_of(recording, phase);
}

static double series_get(const Series *series, uint32_t second, double absent)
{
    return second < series->count ? series->values[second] : absent;
}

uint32_t recording_instrument_count(const Recording *recording)
{
    return recording->instruments->len;
}

const Instrument *recording_instrument_at(const Recording *recording, uint32_t index)
{
    ensure(index < recording->instruments->len);
    return recording->instruments->pdata[index];
}

const Metric *instrument_metric(const Instrument *instrument)
{
    return instrument->metric;
}

const Labels *instrument_labels(const Instrument *instrument)
{
    return &instrument->labels;
}

uint32_t instrument_weight_max(const Instrument *instrument)
{
    return instrument->weight_max;
}

uint32_t recording_bucket_count(const Recording *recording)
{
    return recording->bucket_count;
}

double instrument_bucket(const Instrument *instrument, uint32_t second)
{
    bool is_gauge = instrument->metric->kind == METRIC_GAUGE;

    if (is_gauge && instrument->metric->is_ratio) {
        double ok, done;

        instrument_bucket_ratio(instrument, second, &ok, &done);
        return done > 0 ? ok / done : NAN;
    }
    return series_get(&instrument->series, second, is_gauge ? NAN : 0);
}

void instrument_bucket_ratio(const Instrument *instrument, uint32_t second, double *out_ok,
                             double *out_done)
{
    *out_ok = series_get(&instrument->series, second, 0);
    *out_done = series_get(&instrument->series_done, second, 0);
}

double instrument_total_in(const Instrument *instrument, const Phase *phase)
{
    const Recording *recording = instrument->recording;
    uint64_t bits = phase_bits(recording, phase);
    double total = 0;

    ensure(instrument->metric->kind == METRIC_EVENT);
    for (uint32_t i = 0; i < segment_count(recording); i++)
        if (bits >> i & 1)
            total += instrument->sums[i];
    return total;
}

void instrument_groups_in(const Instrument *instrument, const Phase *phase,
                          double into[RECORDING_GROUPS])
{
    const Recording *recording = instrument->recording;
    uint64_t bits = phase_bits(recording, phase);

    for (uint32_t i = 0; instrument->groups && i < segment_count(recording); i++)
        for (uint32_t g = 0; (bits >> i & 1) && g < RECORDING_GROUPS; g++)
            into[g] += instrument->groups[(size_t)i * RECORDING_GROUPS + g];
}

double recording_group_error(const double groups[RECORDING_GROUPS])
{
    double total = 0, squares = 0;

    for (uint32_t g = 0; g < RECORDING_GROUPS; g++)
        total += groups[g];
    for (uint32_t g = 0; g < RECORDING_GROUPS; g++) {
        double off = groups[g] - total / RECORDING_GROUPS;

        squares += off * off;
    }
    return sqrt(squares * RECORDING_GROUPS / (RECORDING_GROUPS - 1));
}

double instrument_total(const Instrument *instrument, const char *phase_name, double *out_se)
{
    const Phase *phase = recording_phase(instrument->recording, phase_name);
    double groups[RECORDING_GROUPS] = {0};

    ensure(phase != NULL);
    instrument_groups_in(instrument, phase, groups);
    if (out_se)
        *out_se = recording_group_error(groups);
    return instrument_total_in(instrument, phase);
}

void instrument_histogram_in(const Instrument *instrument, const Phase *phase, Histogram *into)
{
    const Recording *recording = instrument->recording;
    uint64_t bits = phase_bits(recording, phase);

    ensure(instrument->metric->kind == METRIC_SAMPLE);
    for (uint32_t i = 0; i < segment_count(recording); i++)
        if ((bits >> i & 1) && instrument->histograms[i])
            histogram_merge(into, instrument->histograms[i]);
    if ((bits >> recording->segment & 1) && instrument->live)
        histogram_merge(into, instrument->live);
}

const Histogram *instrument_histogram(const Instrument *instrument, const char *phase_name)
{
    const Recording *recording = instrument->recording;
    const Phase *phase = recording_phase(recording, phase_name);
    Instrument *cache =
        (Instrument *)instrument; /* what was merged is kept, nothing else changes */
    Histogram **merged;

    ensure(phase != NULL);
    if (!cache->merged)
        cache->merged = g_new0(Histogram *, recording->phase_count);
    merged = &cache->merged[phase - recording->phases];
    if (*merged && recording->has_ended)
        return *merged;
    if (*merged)
        histogram_clear(*merged);
    else
        *merged = histogram_new();
    instrument_histogram_in(instrument, phase, *merged);
    return *merged;
}

const Histogram *instrument_recent(const Instrument *instrument)
{
    bool is_complete = instrument->recording->bucket_count >= BUCKETS_PER_ALERT;

    return is_complete ? instrument->recent : NULL;
}

const Phase *recording_phase(const Recording *recording, const char *name)
{
    for (uint32_t i = 0; i < recording->phase_count; i++)
        if (strcmp(recording->phases[i].phase, name) == 0)
            return &recording->phases[i];
    return NULL;
}

uint32_t recording_phase_count(const Recording *recording)
{
    return recording->phase_count;
}

const Phase *recording_phase_at(const Recording *recording, uint32_t index)
{
    ensure(index < recording->phase_count);
    return &recording->phases[index];
}

uint64_t recording_seed(const Recording *recording)
{
    return recording->seed;
}

bool recording_is_sliced(const Recording *recording)
{
    return recording->sliced;
}

SimTime recording_end_ns(const Recording *recording)
{
    return recording->now_ns;
}

static uint32_t seconds_up(SimTime at_ns)
{
    return (uint32_t)((at_ns + SIM_S - 1) / SIM_S);
}

/* A count of a second belongs to the phase that holds the whole second; a reading belongs to the
 * phase that holds its instant, the second's end: a fault that begins there is already seen by it.
 */
void recording_gauge_seconds(const Recording *recording, const Metric *metric, const Phase *phase,
                             uint32_t *out_from, uint32_t *out_to)
{
    uint32_t buckets = recording->bucket_count;
    uint32_t from = seconds_up(phase->from_ns);
    uint32_t to = (uint32_t)(phase->to_ns / SIM_S);

    if (metric->kind == METRIC_GAUGE && !metric->is_ratio) {
        from = from > 0 ? from - 1 : 0;
        to = seconds_up(phase->to_ns);
        to = to > 0 ? to - 1 : 0;
    }
    if (phase->to_ns >= recording->duration_ns)
        to = buckets;
    if (phase->from_ns >= phase->to_ns)
        to = from;
    *out_to = MIN(to, buckets);
    *out_from = MIN(from, *out_to);
}
