/* What some runs of one scenario came to, read from a results file alone.
 *
 * Runs of one variant are pooled: quantiles over all their operations, availability over all
 * outcomes, the peak over all.  The same report can be made of last year's file; no simulator is
 * needed.
 */
#pragma once

#include "sim/histogram.h"
#include "tools/store.h"

typedef struct {
    char *site;
    char *phase;
    Histogram *latency; /* ns, first attempt to final answer, failures included */
    double ok_count;
    double op_count;
    double op_variance; /* of op_count, from the slice; 0 without */
    double seconds;     /* simulated, of all runs together */
} ReportSite;

typedef struct {
    char *member;
    double bytes;
    double share; /* of its maximum, NaN: unknown */
    int64_t at_s;
    char *model;     /* how data was weighed: "footprint" or "overhead", "" unknown */
    double overhead; /* the factor of the latter */
} ReportPeak;

/* What causal consistency costs between regions, over whole runs (crdt-semantics.md 1.8). */
typedef struct {
    uint32_t member_count; /* 0: not a run with causal consistency */
    double bytes;          /* all, acknowledgements and full syncs included; of these */
    double direct_bytes;   /* effects from the member that made them */
    double relayed_bytes;  /* effects of others, passed on */
} ReportTraffic;

typedef struct {
    char *variant;
    uint32_t run_count;
    uint32_t stopped_count; /* by an abort condition */
    uint64_t first_seed;
    SimTime ended_ns;   /* the longest */
    double simulated_s; /* of all runs together */
    double kept_share;
    double estimated_ops; /* of all runs, all sites */
    double sent_ops;  /* what clients sent: simulated operations by their share of the traffic */
    char *digest;     /* of its first run */
    GPtrArray *sites; /* ReportSite, by site, phases in their order */
    GPtrArray *peaks; /* ReportPeak */
    ReportTraffic traffic;
} ReportVariant;

typedef struct {
    char *id, *severity, *verdict, *measured, *allowed;
    char *variant, *phase, *that, *why, *note;
} ReportVerdict;

typedef struct {
    char *path;
    char *name;
    char *title;
    char *hash;
    uint32_t slice;
    uint32_t other_runs; /* of scenarios of this name in the same file, not in this report */
    bool strict;         /* a must that was not evaluated counts as failed */
    GPtrArray *variants; /* ReportVariant, in the order asked for */
    GPtrArray *verdicts; /* ReportVerdict, in the order asked for */
} Report;

typedef struct {
    const char *expectation;
    const char *seeds;
} ReportVerdictKey;

typedef struct {
    const StoreRun *runs; /* those of one variant side by side */
    uint32_t run_count;
    const ReportVerdictKey *verdicts;
    uint32_t verdict_count;
} ReportQuery;

Report *report_load(StoreFile *store, const ReportQuery *query, GError **error);
void report_free(Report *report);

/* A figure and its 95 % interval, which under a slice may be too wide to say anything. */
typedef struct {
    double value, low, high;
    bool not_from_slice;
} Estimate;

/* Whether whole parts of what clients send have no key in the slice: then no figure of the variant
 * is from this slice, however narrow its interval. */
double report_variant_coverage(const ReportVariant *variant); /* estimated of sent operations */
bool report_variant_lacks_keys(const ReportVariant *variant);
Estimate report_quantile(const ReportVariant *variant, const ReportSite *row, double share);
Estimate report_rate(const ReportVariant *variant, const ReportSite *row);         /* per second */
Estimate report_availability(const ReportVariant *variant, const ReportSite *row); /* 0 to 1 */

/* Relayed over direct bytes, NaN without any; its documented value is members - 2, NaN for two,
 * where the option adds nothing. */
double report_relay_factor(const ReportTraffic *traffic);
double report_relay_factor_documented(const ReportTraffic *traffic);
/* Messages between regions for one write, by bytes, and the most there can be: N - 1 of its origin,
 * and N - 2 of each receiver. */
double report_messages_per_write(const ReportTraffic *traffic);
double report_messages_per_write_bound(const ReportTraffic *traffic);

/* For people. */
void report_append_text(const Report *report, GString *to, bool colour);
/* The same as one JSON document. */
char *report_json(const Report *report);

uint32_t report_count(const Report *report, const char *verdict); /* "FAIL" */
/* Only those marked must. */
uint32_t report_count_musts(const Report *report, const char *verdict);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Report, report_free)
