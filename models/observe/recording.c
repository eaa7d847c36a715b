/* Why it works: every write lands in the segment that is current, a number that changes only
 * between windows, so instruments need not be told of boundaries and one made inside a place counts
 * from its first write.  Samples that somebody watches are counted once: they wait in a histogram
 * of their own until these ten seconds end or the segment does.  A second's value waits in the
 * instrument until the tick appends it to a series; series of events stay as short as their last
 * non-zero second, because absent means zero.
 *
 * Sampled keys are also counted by group.  With T the sum over G groups T_g, the spread of the T_g
 * estimates the error: var(T) = G/(G-1) * sum of (T_g - T/G)^2.
 */
#include "models/observe/recording_private.h"

#include <math.h>
#include <string.h>

#include "models/observe/metrics.h"
#include "models/observe/phases.h"
#include "sim/ensure.h"

/* The segments that lie in a phase, one bit each. */
uint64_t recording_segments_of(const Recording *recording, const Phase *phase)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < segment_count(recording); i++) {
        SimTime from = i == 0 ? 0 : recording->boundaries[i - 1];
        SimTime to =
            i == recording->boundary_count ? recording->duration_ns : recording->boundaries[i];

        if (from >= phase->from_ns && to <= phase->to_ns && from < to)
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

Recording *recording_new(const RecordingConfig *config)
{
    Recording *recording = g_new0(Recording, 1);

    ensure(config->duration_ns > 0);
    recording->duration_ns = config->duration_ns;
    recording->seed = config->seed;
    recording->sliced = config->sliced;
    recording->phase_count = config->phase_count;
    recording->phases = g_new0(Phase, config->phase_count);
    recording->phase_segments = g_new0(uint64_t, config->phase_count);
    recording->boundary_count =
        phases_boundaries(config->phases, config->phase_count, config->duration_ns,
                          recording->boundaries, SEGMENT_MAX - 1);
    ensure(recording->boundary_count < SEGMENT_MAX);
    for (uint32_t i = 0; i < config->phase_count; i++) {
        recording->phases[i] = config->phases[i];
        recording->phases[i].phase = g_strdup(config->phases[i].phase);
        recording->phase_segments[i] = recording_segments_of(recording, &recording->phases[i]);
    }
    recording->instruments = g_ptr_array_new();
    recording->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    recording->watched = g_ptr_array_new();
    return recording;
}

static void free_histograms(Histogram **histograms, uint32_t count)
{
    for (uint32_t i = 0; histograms && i < count; i++)
        histogram_free(histograms[i]);
    g_free(histograms);
}

static void instrument_free(Instrument *instrument)
{
    const Recording *recording = instrument->recording;

    for (uint32_t i = 0; i < LABEL_COUNT; i++)
        g_free((char *)labels_get(&instrument->labels, i));
    free_histograms(instrument->histograms, segment_count(recording));
    free_histograms(instrument->merged, recording->phase_count);
    histogram_free(instrument->live);
    histogram_free(instrument->earlier);
    histogram_free(instrument->recent);
    g_free(instrument->series.values);
    g_free(instrument->series_done.values);
    g_free(instrument->sums);
    g_free(instrument->groups);
    g_free(instrument);
}

void recording_free(Recording *recording)
{
    if (!recording)
        return;
    for (uint32_t i = 0; i < recording->instruments->len; i++)
        instrument_free(recording->instruments->pdata[i]);
    for (uint32_t i = 0; i < recording->phase_count; i++)
        g_free((char *)recording->phases[i].phase);
    g_ptr_array_unref(recording->instruments);
    g_ptr_array_unref(recording->watched);
    g_hash_table_unref(recording->by_name);
    g_free(recording->phases);
    g_free(recording->phase_segments);
    g_free(recording);
}

/* One text per instrument; the separator cannot occur in an id. */
static char *instrument_key(const Metric *metric, const Labels *labels)
{
    GString *key = g_string_new(metric->head.name);

    for (uint32_t i = 0; i < LABEL_COUNT; i++) {
        const char *value = labels_get(labels, i);

        if (value)
            g_string_append_printf(key, "\n%u=%s", i, value);
    }
    return g_string_free(key, FALSE);
}

static void start_watching(Instrument *instrument)
{
    if (instrument->metric->kind == METRIC_SAMPLE && !instrument->live) {
        instrument->live = histogram_new();
        instrument->recent = histogram_new();
    }
}

Instrument *instrument_new_apart(const Recording *recording, const char *metric_name,
                                 const Labels *labels)
{
    const Metric *metric = metric_find(metric_name);
    Instrument *instrument = g_new0(Instrument, 1);

    ensure(metric != NULL);
    instrument->recording = recording;
    instrument->metric = metric;
    instrument->weight_max = 1;
    for (uint32_t i = 0; i < LABEL_COUNT; i++) {
        const char *value = labels_get(labels, i);

        ensure(!value || metric_has_label(metric, label_names[i]));
        labels_set(&instrument->labels, i, g_strdup(value));
    }
    if (metric->kind == METRIC_EVENT)
        instrument->sums = g_new0(double, segment_count(recording));
    else if (metric->kind == METRIC_SAMPLE)
        instrument->histograms = g_new0(Histogram *, segment_count(recording));
    for (uint32_t i = 0; i < recording->watched->len; i++)
        if (recording->watched->pdata[i] == metric)
            start_watching(instrument);
    return instrument;
}

void recording_adopt(Recording *recording, Instrument *instrument)
{
    char *key = instrument_key(instrument->metric, &instrument->labels);

    ensure(instrument->recording == recording);
    ensure(!g_hash_table_contains(recording->by_name, key));
    g_ptr_array_add(recording->instruments, instrument);
    g_hash_table_insert(recording->by_name, key, instrument);
}

Instrument *recording_instrument(Recording *recording, const char *metric_name,
                                 const Labels *labels)
{
    const Metric *metric = metric_find(metric_name);
    g_autofree char *key = NULL;
    Instrument *instrument;

    ensure(metric != NULL);
    key = instrument_key(metric, labels);
    instrument = g_hash_table_lookup(recording->by_name, key);
    if (!instrument) {
        instrument = instrument_new_apart(recording, metric_name, labels);
        recording_adopt(recording, instrument);
    }
    return instrument;
}

void recording_watch(Recording *recording, const Metric *metric)
{
    if (metric->kind != METRIC_SAMPLE)
        return;
    g_ptr_array_add(recording->watched, (void *)metric);
    for (uint32_t i = 0; i < recording->instruments->len; i++) {
        Instrument *instrument = recording->instruments->pdata[i];

        if (instrument->metric == metric)
            start_watching(instrument);
    }
}

void instrument_set_weight_max(Instrument *instrument, uint32_t weight)
{
    instrument->weight_max = MAX(weight, 1);
}

void instrument_count(Instrument *instrument, double amount)
{
    instrument->sums[instrument->recording->segment] += amount;
    instrument->current += amount;
}

static double *current_groups(Instrument *instrument)
{
    if (!instrument->groups)
        instrument->groups =
            g_new0(double, (size_t)segment_count(instrument->recording) * RECORDING_GROUPS);
    return instrument->groups + (size_t)instrument->recording->segment * RECORDING_GROUPS;
}

void instrument_count_keys(Instrument *instrument, const KeyCounts *counts)
{
    uint64_t total = counts->exact;

    for (uint32_t i = 0; i < RECORDING_GROUPS; i++) {
        if (counts->groups[i] == 0)
            continue;
        current_groups(instrument)[i] += (double)counts->groups[i];
        total += counts->groups[i];
    }
    instrument_count(instrument, (double)total);
}

static Histogram *segment_histogram(Instrument *instrument)
{
    Histogram **histogram = &instrument->histograms[instrument->recording->segment];

    if (!*histogram)
        *histogram = histogram_new();
    return *histogram;
}

void instrument_sample_all(Instrument *instrument, const HistogramSample *samples, uint32_t count)
{
    Histogram *histogram = instrument->live ? instrument->live : segment_histogram(instrument);
    uint64_t weight = 0;

    histogram_add_all(histogram, samples, count);
    for (uint32_t i = 0; i < count; i++)
        weight += samples[i].weight;
    instrument->current += (double)weight;
}

void instrument_sample(Instrument *instrument, int64_t value, uint32_t weight)
{
    instrument_sample_all(instrument, &(HistogramSample){value, weight}, 1);
}

void instrument_set(Instrument *instrument, double value)
{
    instrument->current = value;
    instrument->has_reading = true;
}

void instrument_ratio(Instrument *instrument, double ok, double done)
{
    instrument->current += ok;
    instrument->current_done += done;
    instrument->has_reading = instrument->current_done > 0;
}

/* Seconds nobody wrote hold `absent`. */
static void series_put(Series *series, uint32_t second, double value, double absent)
{
    if (second >= series->capacity) {
        series->capacity = MAX(second + 1, series->capacity + series->capacity / 2 + 64);
        series->values = g_renew(double, series->values, series->capacity);
    }
    while (series->count < second)
        series->values[series->count++] = absent;
    series->values[series->count++] = value;
}

/* The segment ends: its watched samples go where they belong. */
static void end_segment(Instrument *instrument)
{
    if (!instrument->live || histogram_sample_count(instrument->live) == 0)
        return;
    histogram_merge(segment_histogram(instrument), instrument->live);
    if (!instrument->earlier)
        instrument->earlier = histogram_new();
    histogram_merge(instrument->earlier, instrument->live);
    histogram_clear(instrument->live);
}

/* Ten seconds end, and the next begin with nothing. */
static void end_live(Instrument *instrument)
{
    Histogram *full = instrument->live;

    if (histogram_sample_count(full) > 0)
        histogram_merge(segment_histogram(instrument), full);
    if (instrument->earlier) {
        histogram_merge(full, instrument->earlier);
        histogram_free(instrument->earlier);
        instrument->earlier = NULL;
    }
    instrument->live = instrument->recent;
    instrument->recent = full;
    histogram_clear(instrument->live);
}

static void instrument_tick(Instrument *instrument, uint32_t second)
{
    bool is_gauge = instrument->metric->kind == METRIC_GAUGE;

    if (is_gauge && instrument->metric->is_ratio && instrument->has_reading) {
        series_put(&instrument->series, second, instrument->current, 0);
        series_put(&instrument->series_done, second, instrument->current_done, 0);
    } else if (is_gauge && instrument->has_reading) {
        series_put(&instrument->series, second, instrument->current, NAN);
    } else if (!is_gauge && (instrument->current > 0 || instrument->current < 0)) {
        series_put(&instrument->series, second, instrument->current, 0);
    }
    instrument->current = 0;
    instrument->current_done = 0;
    instrument->has_reading = false;
    if (instrument->live && (second + 1) % BUCKETS_PER_ALERT == 0)
        end_live(instrument);
}

static void end_bucket(Recording *recording)
{
    for (uint32_t i = 0; i < recording->instruments->len; i++)
        instrument_tick(recording->instruments->pdata[i], recording->bucket_count);
    recording->bucket_count++;
}

void recording_tick(Recording *recording, SimTime now_ns)
{
    ensure(!recording->has_ended);
    ensure(now_ns == (SimTime)(recording->bucket_count + 1) * SIM_S);
    end_bucket(recording);
    recording_boundary(recording, now_ns);
}

void recording_boundary(Recording *recording, SimTime now_ns)
{
    ensure(now_ns >= recording->now_ns);
    recording->now_ns = now_ns;
    while (recording->segment < recording->boundary_count &&
           recording->boundaries[recording->segment] <= now_ns) {
        for (uint32_t i = 0; i < recording->instruments->len; i++)
            end_segment(recording->instruments->pdata[i]);
        recording->segment++;
    }
}

SimTime recording_next_boundary(const Recording *recording, SimTime after_ns)
{
    for (uint32_t i = 0; i < recording->boundary_count; i++)
        if (recording->boundaries[i] > after_ns)
            return recording->boundaries[i];
    return SIM_TIME_NEVER;
}

static void series_trim(Series *series)
{
    series->capacity = series->count;
    series->values = g_renew(double, series->values, series->count);
}

void recording_end(Recording *recording, SimTime now_ns)
{
    ensure(!recording->has_ended && now_ns >= recording->now_ns);
    if (now_ns > (SimTime)recording->bucket_count * SIM_S)
        end_bucket(recording);
    recording->now_ns = now_ns;
    recording->has_ended = true;
    for (uint32_t i = 0; i < recording->instruments->len; i++) {
        Instrument *instrument = recording->instruments->pdata[i];

        series_trim(&instrument->series);
        series_trim(&instrument->series_done);
    }
}
