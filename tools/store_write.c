/* Why it works: an instrument's metric says by its kind and name which table it belongs to, so a
 * new metric needs nothing here.  Seconds are kept as one JSON list per instrument: a row per
 * second would make a file of two hours and twenty runs several gigabytes, and json_each gives the
 * rows back (view series_by_second).
 */
#include <math.h>
#include <string.h>

#include "sim/histogram.h"
#include "tools/store_inside.h"
#include "tools/store_statement.h"
#include "tools/version.h"

#define POOLED "*" /* label of a row that pools all values of it */

typedef struct {
    StoreFile *store;
    const char *run_id;
    const Recording *recording;
} Writing;

char *store_labels_text(const Labels *labels)
{
    GString *text = g_string_new(NULL);

#define LABEL_TEXT(name)                                                                           \
    if (labels->name)                                                                              \
        g_string_append_printf(text, "%s" #name "=%s", text->len > 0 ? "," : "", labels->name);
    LABELS(LABEL_TEXT)
#undef LABEL_TEXT
    return g_string_free(text, FALSE);
}

static const char *metric_unit(const Metric *metric)
{
    Dimension dimension = metric->dimension;

    if (metric->is_share)
        return "share";
    if (dimension_equal(dimension, (Dimension){.time = 1}))
        return "ns";
    if (dimension_equal(dimension, (Dimension){.bytes = 1}))
        return "bytes";
    if (dimension_equal(dimension, (Dimension){.time = -1}))
        return "per ns";
    if (dimension_equal(dimension, (Dimension){.time = -1, .bytes = 1}))
        return "bytes per ns";
    return "";
}

static bool metric_begins(const Metric *metric, const char *prefix)
{
    return g_str_has_prefix(metric->head.name, prefix);
}

/* run, metric, labels and the labels one asks for most. */
static void bind_labels(Statement *insert, const Writing *writing, const Metric *metric,
                        const Labels *labels)
{
    g_autofree char *text = store_labels_text(labels);

    statement_text(insert, writing->run_id);
    statement_text(insert, metric->head.name);
    statement_text(insert, text);
    statement_text(insert, labels->site);
    statement_text(insert, labels->member);
    statement_text(insert, labels->link);
    statement_text(insert, labels->family);
    statement_text(insert, labels->cause);
}

static void bind_instrument(Statement *insert, const Writing *writing, const Instrument *instrument)
{
    bind_labels(insert, writing, instrument_metric(instrument), instrument_labels(instrument));
}

static void bind_quantiles(Statement *insert, const Histogram *histogram)
{
    static const double shares[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    g_autoptr(GBytes) bytes = histogram_to_bytes(histogram);

    statement_int(insert, (int64_t)histogram_count(histogram));
    statement_int(insert, (int64_t)histogram_sample_count(histogram));
    for (size_t i = 0; i < G_N_ELEMENTS(shares); i++)
        statement_int(insert, histogram_quantile(histogram, shares[i]));
    statement_real(insert, histogram_mean(histogram));
    statement_int(insert, histogram_max(histogram));
    statement_blob(insert, bytes);
}

static bool write_phases(const Writing *writing, GError **error)
{
    g_autoptr(Statement) insert =
        statement_new(writing->store, "INSERT INTO phase VALUES (?,?,?,?,?)", error);

    if (!insert)
        return false;
    for (uint32_t i = 0; i < recording_phase_count(writing->recording); i++) {
        const Phase *phase = recording_phase_at(writing->recording, i);

        statement_text(insert, writing->run_id);
        statement_int(insert, (int64_t)i);
        statement_text(insert, phase->phase);
        statement_int(insert, phase->from_ns);
        statement_int(insert, phase->to_ns);
        if (!statement_run(insert, error))
            return false;
    }
    return true;
}

/* Appends value as JSON; whole numbers, which most are, without the cost of printing a double. */
static void append_reading(GString *text, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    char *digit = buffer + sizeof(buffer);

    if (!isfinite(value)) {
        g_string_append_len(text, "null", 4);
    } else if (value >= 0.0 && value < 1e15 && floor(value) == value) {
        uint64_t rest = (uint64_t)value;

        do {
            *--digit = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        g_string_append_len(text, digit, buffer + sizeof(buffer) - digit);
    } else {
        g_string_append(text, g_ascii_formatd(buffer, sizeof(buffer), "%.9g", value));
    }
}

/* All readings as a JSON list, or NULL when there was nothing but zero or nothing at all. */
static char *readings_text(const double *readings, uint32_t count, bool is_event)
{
    GString *text = g_string_sized_new(count * 4);
    bool empty = true;

    for (uint32_t second = 0; second < count; second++) {
        g_string_append_c(text, second > 0 ? ',' : '[');
        append_reading(text, readings[second]);
        empty = empty && (isnan(readings[second]) || (is_event && readings[second] == 0.0));
    }
    g_string_append(text, count > 0 ? "]" : "[]");
    if (empty) {
        g_string_free(text, TRUE);
        return NULL;
    }
    return g_string_free(text, FALSE);
}

/* What tells one series from another: of what clients do, families and operations are pooled second
 * by second; apart they are in the tables by phase. */
static Labels series_labels(const Instrument *instrument)
{
    Labels labels = *instrument_labels(instrument);

    if (instrument_metric(instrument)->kind == METRIC_EVENT && labels.site) {
        labels.family = NULL;
        labels.op = NULL;
    }
    return labels;
}

static char *series_key(const Instrument *instrument)
{
    Labels labels = series_labels(instrument);
    g_autofree char *text = store_labels_text(&labels);

    return g_strdup_printf("%s{%s}", instrument_metric(instrument)->head.name, text);
}

/* Adds up the instruments from first on that belong to its series; false when an earlier one has
 * begun it. */
static bool sum_series(const Recording *recording, char *const *keys, uint32_t first,
                       double *readings)
{
    uint32_t bucket_count = recording_bucket_count(recording);

    for (uint32_t i = 0; i < first; i++)
        if (strcmp(keys[i], keys[first]) == 0)
            return false;
    for (uint32_t second = 0; second < bucket_count; second++)
        readings[second] = instrument_bucket(recording_instrument_at(recording, first), second);
    for (uint32_t i = first + 1; keys[i]; i++) {
        if (strcmp(keys[i], keys[first]) != 0)
            continue;
        for (uint32_t second = 0; second < bucket_count; second++)
            readings[second] += instrument_bucket(recording_instrument_at(recording, i), second);
    }
    return true;
}

static bool write_one_series(Statement *insert, const Writing *writing,
                             const Instrument *instrument, const char *readings, GError **error)
{
    const Metric *metric = instrument_metric(instrument);
    Labels labels = series_labels(instrument);

    bind_labels(insert, writing, metric, &labels);
    statement_text(insert, metric->kind == METRIC_EVENT ? "event" : "gauge");
    statement_text(insert, metric_unit(metric));
    statement_text(insert, readings);
    return statement_run(insert, error);
}

/* Counts of samples per second are left out: the metric `ops` counts operations. */
static bool write_series(const Writing *writing, GError **error)
{
    g_autoptr(Statement) insert =
        statement_new(writing->store, "INSERT INTO series VALUES (?,?,?,?,?,?,?,?,?,?,1,?)", error);
    const Recording *recording = writing->recording;
    uint32_t bucket_count = recording_bucket_count(recording);
    uint32_t count = recording_instrument_count(recording);
    g_autofree double *readings = g_new0(double, bucket_count + 1);
    g_auto(GStrv) keys = g_new0(char *, count + 1);

    for (uint32_t i = 0; i < count; i++)
        keys[i] = series_key(recording_instrument_at(recording, i));
    for (uint32_t i = 0; insert && i < count; i++) {
        const Instrument *instrument = recording_instrument_at(recording, i);
        MetricKind kind = instrument_metric(instrument)->kind;
        g_autofree char *text = NULL;

        if (kind == METRIC_SAMPLE || !sum_series(recording, keys, i, readings))
            continue;
        text = readings_text(readings, bucket_count, kind == METRIC_EVENT);
        if (text && !write_one_series(insert, writing, instrument, text, error))
            return false;
    }
    return insert != NULL;
}

/* What one row of latencies is about. */
typedef struct {
    const Metric *metric;
    const Labels *labels;
    const char *phase;
    const Histogram *histogram;
} LatencyRow;

static bool write_latency_row(Statement *insert, const Writing *writing, const LatencyRow *row,
                              GError **error)
{
    const Labels *labels = row->labels;

    statement_text(insert, writing->run_id);
    statement_text(insert, row->metric->head.name);
    statement_text(insert, row->phase);
    statement_text(insert, labels->site);
    statement_text(insert, labels->member);
    statement_text(insert, labels->family);
    statement_text(insert, labels->op);
    statement_text(insert, labels->outcome);
    bind_quantiles(insert, row->histogram);
    return statement_run(insert, error);
}

/* One row more for each site that has not had its own yet, pooling all that it did in this phase.
 */
static bool write_latency_pool(Statement *insert, const Writing *writing, uint32_t first,
                               const char *phase, GError **error)
{
    const Instrument *like = recording_instrument_at(writing->recording, first);
    const Metric *metric = instrument_metric(like);
    const char *site = instrument_labels(like)->site;
    Labels labels = {
        .site = site, .member = POOLED, .family = POOLED, .op = POOLED, .outcome = POOLED};
    g_autoptr(Histogram) pool = histogram_new();

    for (uint32_t i = 0; i < recording_instrument_count(writing->recording); i++) {
        const Instrument *instrument = recording_instrument_at(writing->recording, i);
        const Histogram *part = NULL;

        if (instrument_metric(instrument) != metric ||
            g_strcmp0(instrument_labels(instrument)->site, site) != 0)
            continue;
        if (i < first)
            return true;
        part = instrument_histogram(instrument, phase);
        if (part)
            histogram_merge(pool, part);
    }
    if (histogram_sample_count(pool) == 0)
        return true;
    return write_latency_row(insert, writing, &(LatencyRow){metric, &labels, phase, pool}, error);
}

static bool write_sample_row(Statement *insert, const Writing *writing,
                             const Instrument *instrument, const char *phase,
                             const Histogram *histogram, GError **error)
{
    bind_instrument(insert, writing, instrument);
    statement_text(insert, phase);
    statement_text(insert, metric_unit(instrument_metric(instrument)));
    bind_quantiles(insert, histogram);
    return statement_run(insert, error);
}

static bool write_samples(const Writing *writing, const char *phase, GError **error)
{
    g_autoptr(Statement) latency = statement_new(
        writing->store, "INSERT INTO latency VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", error);
    g_autoptr(Statement) sample = statement_new(
        writing->store, "INSERT INTO sample VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        latency ? error : NULL);

    if (!latency || !sample)
        return false;
    for (uint32_t i = 0; i < recording_instrument_count(writing->recording); i++) {
        const Instrument *instrument = recording_instrument_at(writing->recording, i);
        const Metric *metric = instrument_metric(instrument);
        const Histogram *histogram = NULL;
        bool is_latency = metric_begins(metric, "latency.");
        bool worked;

        if (metric->kind != METRIC_SAMPLE)
            continue;
        if (is_latency && !write_latency_pool(latency, writing, i, phase, error))
            return false;
        histogram = instrument_histogram(instrument, phase);
        if (!histogram || histogram_sample_count(histogram) == 0)
            continue;
        if (is_latency)
            worked = write_latency_row(
                latency, writing,
                &(LatencyRow){metric, instrument_labels(instrument), phase, histogram}, error);
        else
            worked = write_sample_row(sample, writing, instrument, phase, histogram, error);
        if (!worked)
            return false;
    }
    return true;
}

static bool write_totals(const Writing *writing, const char *phase, GError **error)
{
    static const struct {
        const char *prefix;
        const char *sql;
    } tables[] = {
        {"anomaly.", "INSERT INTO anomaly VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
        {"bytes.", "INSERT INTO traffic VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
        {"data.", "INSERT INTO conflict VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
        {"", "INSERT INTO total VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
    };

    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        g_autoptr(Statement) insert = statement_new(writing->store, tables[t].sql, error);

        if (!insert)
            return false;
        for (uint32_t i = 0; i < recording_instrument_count(writing->recording); i++) {
            const Instrument *instrument = recording_instrument_at(writing->recording, i);
            const Metric *metric = instrument_metric(instrument);
            size_t match = 0;
            double standard_error = 0.0;

            while (!metric_begins(metric, tables[match].prefix))
                match++;
            if (metric->kind != METRIC_EVENT || match != t)
                continue;
            bind_instrument(insert, writing, instrument);
            statement_text(insert, phase);
            statement_real(insert, instrument_total(instrument, phase, &standard_error));
            statement_real(insert, isfinite(standard_error) ? standard_error : 0.0);
            if (!statement_run(insert, error))
                return false;
        }
    }
    return true;
}

typedef struct {
    uint32_t count;
    uint32_t max_second;
    double min, mean, max, last;
} GaugeSummary;

/* The mean of a ratio weighs its seconds by what was counted in them. */
static double gauge_mean(const Instrument *instrument, uint32_t from, uint32_t to, double sum,
                         uint32_t count)
{
    double ok_sum = 0.0;
    double done_sum = 0.0;

    if (!instrument_metric(instrument)->is_ratio)
        return sum / (double)count;
    for (uint32_t second = from; second < to; second++) {
        double ok;
        double done;

        instrument_bucket_ratio(instrument, second, &ok, &done);
        ok_sum += ok;
        done_sum += done;
    }
    return done_sum > 0.0 ? ok_sum / done_sum : 0.0;
}

static GaugeSummary summarize_gauge(const Recording *recording, const Instrument *instrument,
                                    const Phase *phase)
{
    GaugeSummary summary = {0};
    double sum = 0.0;
    uint32_t from;
    uint32_t to;

    recording_gauge_seconds(recording, instrument_metric(instrument), phase, &from, &to);
    for (uint32_t second = from; second < to; second++) {
        double value = instrument_bucket(instrument, second);

        if (isnan(value))
            continue;
        if (summary.count == 0 || value > summary.max) {
            summary.max = value;
            summary.max_second = second;
        }
        summary.min = summary.count == 0 ? value : MIN(summary.min, value);
        summary.last = value;
        summary.count++;
        sum += value;
    }
    if (summary.count > 0)
        summary.mean = gauge_mean(instrument, from, to, sum, summary.count);
    return summary;
}

static bool write_gauges(const Writing *writing, const Phase *phase, GError **error)
{
    g_autoptr(Statement) gauge = statement_new(
        writing->store, "INSERT INTO gauge VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", error);
    g_autoptr(Statement) memory =
        statement_new(writing->store, "INSERT INTO memory VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                      gauge ? error : NULL);

    if (!gauge || !memory)
        return false;
    for (uint32_t i = 0; i < recording_instrument_count(writing->recording); i++) {
        const Instrument *instrument = recording_instrument_at(writing->recording, i);
        const Metric *metric = instrument_metric(instrument);
        Statement *insert = metric_begins(metric, "memory.") ? memory : gauge;
        GaugeSummary summary;

        if (metric->kind != METRIC_GAUGE)
            continue;
        summary = summarize_gauge(writing->recording, instrument, phase);
        if (summary.count == 0)
            continue;
        bind_instrument(insert, writing, instrument);
        statement_text(insert, phase->phase);
        statement_int(insert, (int64_t)summary.count);
        statement_real(insert, summary.min);
        statement_real(insert, summary.mean);
        statement_real(insert, summary.max);
        statement_int(insert, (int64_t)summary.max_second + 1); /* read at that second's end */
        statement_real(insert, summary.last);
        if (!statement_run(insert, error))
            return false;
    }
    return true;
}

static bool write_log(const Writing *writing, const World *world, GError **error)
{
    g_autoptr(Statement) insert =
        statement_new(writing->store, "INSERT INTO event VALUES (?,?,?,?,?,?,?)", error);

    if (!insert)
        return false;
    for (uint32_t i = 0; world && i < world_log_count(world); i++) {
        const WorldEvent *event = world_log_at(world, i);

        statement_text(insert, writing->run_id);
        statement_int(insert, (int64_t)i);
        statement_int(insert, event->at_ns);
        statement_text(insert, event->kind);
        statement_text(insert, event->subject);
        statement_text(insert, event->what);
        statement_text(insert, event->detail);
        if (!statement_run(insert, error))
            return false;
    }
    return true;
}

/* A factor stands for the headers of keys and elements too. */
static bool write_memory_models(const Writing *writing, const World *world, GError **error)
{
    g_autoptr(Statement) insert =
        statement_new(writing->store, "INSERT INTO memory_model VALUES (?,?,?,?,?,?,?)", error);

    if (!insert)
        return false;
    for (uint32_t i = 0; world && i < world_member_count(world); i++) {
        const Member *member = world_member(world, i);
        const HeaderSizes *headers = member_header_sizes(member);
        double overhead = member_memory_overhead(member);

        statement_text(insert, writing->run_id);
        statement_text(insert, member_name(member));
        statement_text(insert, overhead > 0 ? "overhead" : "footprint");
        statement_real(insert, overhead);
        statement_int(insert, overhead > 0 ? 0 : headers->key);
        statement_int(insert, overhead > 0 ? 0 : headers->element);
        statement_int(insert, headers->sibling);
        if (!statement_run(insert, error))
            return false;
    }
    return true;
}

static bool write_course(const Writing *writing, const LatencyCourse *course, GError **error)
{
    g_autoptr(Statement) insert = statement_new(
        writing->store, "INSERT INTO latency_by_time VALUES (?,?,?,?,?,?,?,?)", error);

    if (!insert)
        return false;
    for (uint32_t i = 0; course && i < latency_course_count(course); i++) {
        const LatencyStretch *stretch = latency_course_at(course, i);

        statement_text(insert, writing->run_id);
        statement_text(insert, stretch->site);
        statement_int(insert, stretch->from_s);
        statement_int(insert, LATENCY_STRETCH_S);
        statement_int(insert, (int64_t)stretch->op_count);
        statement_int(insert, stretch->p50_ns);
        statement_int(insert, stretch->p99_ns);
        statement_int(insert, stretch->max_ns);
        if (!statement_run(insert, error))
            return false;
    }
    return true;
}

static bool write_provenance(const Writing *writing, const StoreOutcome *outcome, GError **error)
{
    g_autoptr(Statement) insert =
        statement_new(writing->store, "INSERT INTO provenance VALUES (?,?,?,?,?)", error);

    if (!insert)
        return false;
    statement_text(insert, writing->run_id);
    statement_text(insert, QUINTET_VERSION);
    statement_text(insert, QUINTET_COMPILER);
    statement_text(insert, outcome->started);
    statement_real(insert, outcome->took_s);
    return statement_run(insert, error);
}

bool store_write_outcome(StoreFile *store, const char *run_id, const StoreOutcome *outcome,
                         GError **error)
{
    Writing writing = {.store = store, .run_id = run_id, .recording = outcome->recording};

    if (!write_provenance(&writing, outcome, error) ||
        !write_log(&writing, outcome->world, error) ||
        !write_memory_models(&writing, outcome->world, error))
        return false;
    if (!outcome->recording)
        return true;
    if (!write_course(&writing, outcome->course, error) || !write_phases(&writing, error) ||
        !write_series(&writing, error))
        return false;
    for (uint32_t i = 0; i < recording_phase_count(outcome->recording); i++) {
        const Phase *phase = recording_phase_at(outcome->recording, i);

        if (!write_samples(&writing, phase->phase, error) ||
            !write_totals(&writing, phase->phase, error) || !write_gauges(&writing, phase, error))
            return false;
    }
    return true;
}
