/* What one run measured: instruments with labels, by time bucket and by segment.
 *
 * An instrument is one metric under one set of labels.  Events add up, samples go into histograms,
 * gauges are read once a second.  Time is cut in two ways: buckets of one second (series, alerts
 * look at the last completed BUCKETS_PER_ALERT of them) and segments, the stretches between phase
 * boundaries, of which every phase is a set.  Weights make estimates of a slice; sampled keys are
 * counted in GROUPS random groups by hash, whose spread gives the standard error (random-group
 * estimator; Wolter 2007).
 *
 * Instruments of an actor are written inside its place only; recording_tick and the segment switch
 * happen between windows.  A recording outlives its world: expectations, results and reports read
 * nothing else.
 *
 * Each second the world lets the meters write first (site_meter_tick, member_meter_tick,
 * lost_writes_merge) and then calls recording_tick; at a boundary off the whole
 * second it calls site_meter_flush, member_meter_flush and lost_writes_merge, then
 * recording_boundary.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/limits.h"
#include "sim/histogram.h"
#include "sim/param.h"
#include "sim/rng.h"
#include "sim/time.h"
#include "sim/units.h"

#define RECORDING_GROUPS  16
#define BUCKETS_PER_ALERT 10
#define RECORDING_NOTHING UINT32_MAX

/* Keys counted by weight, on their way to an instrument.  One of weight 1 is in for certain and
 * adds no error; sampled ones are counted by group. */
typedef struct {
    uint64_t exact;
    uint64_t groups[RECORDING_GROUPS];
} KeyCounts;

static inline uint32_t recording_group(uint64_t key)
{
    return (uint32_t)(rng_mix(key) >> 60);
}

static inline void key_counts_add_group(KeyCounts *counts, uint32_t group, uint32_t weight)
{
    *(weight > 1 ? &counts->groups[group] : &counts->exact) += weight;
}

static inline void key_counts_add(KeyCounts *counts, uint64_t key, uint32_t weight)
{
    key_counts_add_group(counts, weight > 1 ? recording_group(key) : 0, weight);
}

/* Event: count, sum, rate.  Sample: quantiles, mean, ...  Gauge: by bucket. */
typedef enum { METRIC_EVENT, METRIC_SAMPLE, METRIC_GAUGE } MetricKind;

/* What a label names; an instrument leaves those NULL that do not apply to it. */
#define LABELS(X)                                                                                  \
    X(site)                                                                                        \
    X(member)                                                                                      \
    X(link)                                                                                        \
    X(family)                                                                                      \
    X(op)                                                                                          \
    X(outcome)                                                                                     \
    X(cause)                                                                                       \
    X(anomaly)                                                                                     \
    X(alert)                                                                                       \
    X(fault)                                                                                       \
    X(runbook)                                                                                     \
    X(step)                                                                                        \
    X(ends)

typedef struct {
#define LABEL_FIELD(name) const char *name;
    LABELS(LABEL_FIELD)
#undef LABEL_FIELD
} Labels;

/* The family of metrics: one record each, listed in models/observe/metrics.h. */
typedef struct {
    PluginHead head; /* "latency.op" */
    MetricKind kind;
    Dimension dimension;
    bool is_share;      /* printed as a percentage */
    bool is_ratio;      /* a gauge of two counts, pooled by adding them: instrument_ratio */
    bool is_measured;   /* false: known to the language, but nothing supplies it yet */
    const char *awaits; /* not measured, but expectations on it are listed, with this as the reason
                           why they are not judged; NULL: refused */
    const char *labels; /* those an instrument of it carries: "site member family op outcome" */
} Metric;

extern const PluginFamily metric_family;

typedef struct Recording Recording;
typedef struct Instrument Instrument;

typedef struct {
    const char *phase; /* "steady", "fault:asia-isolated", "after:...", "all" */
    SimTime from_ns, to_ns;
} Phase;

typedef struct {
    SimTime duration_ns;
    const Phase *phases; /* this scenario's; for variants also those of the base, see phases.h */
    uint32_t phase_count;
    uint64_t seed;
    bool sliced;
} RecordingConfig;

Recording *recording_new(const RecordingConfig *config); /* copies all it needs */
void recording_free(Recording *recording);

/* The instrument of metric and labels, made when new.  Texts of labels are copied.  Set-up or
 * between windows. */
Instrument *recording_instrument(Recording *recording, const char *metric, const Labels *labels);

/* One that belongs to no recording's list yet, so that an actor may make it inside its place
 * without disturbing others.  It counts from the start; recording_adopt, between windows and before
 * the next tick, puts it into the list and owns it then. */
Instrument *instrument_new_apart(const Recording *recording, const char *metric,
                                 const Labels *labels);
void recording_adopt(Recording *recording, Instrument *instrument);

/* Alerts read samples of the last ten seconds: instruments of this metric keep them apart from now
 * on. Set-up only.  Other metrics need no watching. */
void recording_watch(Recording *recording, const Metric *metric);

/* Events. */
void instrument_count(Instrument *instrument, double amount); /* exact */
void instrument_count_keys(Instrument *instrument, const KeyCounts *counts);
/* The most one sampled key of this instrument can stand for: what a measured 0 may hide. */
void instrument_set_weight_max(Instrument *instrument, uint32_t weight);
/* Samples, base units (ns for times). */
void instrument_sample(Instrument *instrument, int64_t value, uint32_t weight);
/* The same for each of them; all belong to the present segment. */
void instrument_sample_all(Instrument *instrument, const HistogramSample *samples, uint32_t count);
/* Gauges: the reading of this second (one per tick; unset leaves the bucket empty). */
void instrument_set(Instrument *instrument, double value);
/* Gauges that are ratios: adds to the counts of this second; 0 of 0 leaves the bucket empty. */
void instrument_ratio(Instrument *instrument, double ok, double done);

/* Ends the one-second bucket at now_ns; switches segments when now_ns is a phase boundary.
 * Boundaries that are not on a whole second get recording_boundary calls of their own. */
void recording_tick(Recording *recording, SimTime now_ns);
void recording_boundary(Recording *recording, SimTime now_ns);
SimTime recording_next_boundary(const Recording *recording, SimTime after_ns); /* NEVER: none */
void recording_end(Recording *recording, SimTime now_ns);

/* Reading. */
uint32_t recording_instrument_count(const Recording *recording);
const Instrument *recording_instrument_at(const Recording *recording,
                                          uint32_t index); /* in order of making */
const Metric *instrument_metric(const Instrument *instrument);
const Labels *instrument_labels(const Instrument *instrument);
uint32_t recording_bucket_count(const Recording *recording); /* completed seconds */
/* Events: sum; gauges: NaN when empty; samples: count. */
double instrument_bucket(const Instrument *instrument, uint32_t second);
/* Ratios: the two counts of a second, both 0 when empty. */
void instrument_bucket_ratio(const Instrument *instrument, uint32_t second, double *out_ok,
                             double *out_done);
double instrument_total(const Instrument *instrument, const char *phase,
                        double *out_se); /* events */
/* Samples; borrowed, merged on demand: not for several threads at once. */
const Histogram *instrument_histogram(const Instrument *instrument, const char *phase);
const Phase *recording_phase(const Recording *recording, const char *name); /* NULL: unknown */
uint32_t recording_phase_count(const Recording *recording);
const Phase *recording_phase_at(const Recording *recording, uint32_t index);
uint64_t recording_seed(const Recording *recording);
bool recording_is_sliced(const Recording *recording);
SimTime recording_end_ns(const Recording *recording); /* so far, or where it ended */

/* Reading for evaluation; phase NULL means everything from t=0. */
double instrument_total_in(const Instrument *instrument, const Phase *phase); /* events */
void instrument_groups_in(const Instrument *instrument, const Phase *phase,
                          double into[RECORDING_GROUPS]); /* adds the sampled part */
double
recording_group_error(const double groups[RECORDING_GROUPS]); /* standard error of their sum */
void instrument_histogram_in(const Instrument *instrument, const Phase *phase, Histogram *into);
/* Samples of the last completed BUCKETS_PER_ALERT seconds; NULL: not watched or none completed. */
const Histogram *instrument_recent(const Instrument *instrument);
uint32_t instrument_weight_max(const Instrument *instrument); /* at least 1 */
/* The seconds whose gauge readings (at their end), or whose counts, belong to phase:
 * *out_from to *out_to - 1. */
void recording_gauge_seconds(const Recording *recording, const Metric *metric, const Phase *phase,
                             uint32_t *out_from, uint32_t *out_to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recording, recording_free)
