/* A histogram of non-negative integers with 3 significant digits: log-linear buckets.
 *
 * Values below 2048 are exact; above, each power of two is split into 1024 equal buckets, so a
 * bucket is at most 0.1 % wide.  Counts carry weights (a slice counts a key 1/share times): total
 * is the estimate, and the effective sample size total^2 / sum of squares gives quantiles a
 * confidence interval (Woodruff). Storage grows by power of two as values appear.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Histogram Histogram;

Histogram *histogram_new(void);
void histogram_free(Histogram *histogram);

typedef struct {
    int64_t value; /* < 0 counts as 0 */
    uint32_t weight;
} HistogramSample;

void histogram_add(Histogram *histogram, int64_t value, uint32_t weight);
/* The same for each of them, in less time: who has many keeps some back. */
void histogram_add_all(Histogram *histogram, const HistogramSample *samples, uint32_t count);
void histogram_merge(Histogram *into, const Histogram *from);
void histogram_clear(Histogram *histogram);

uint64_t histogram_count(const Histogram *histogram);        /* sum of weights */
uint64_t histogram_sample_count(const Histogram *histogram); /* number of adds */
double histogram_sum_squares(const Histogram *histogram);    /* sum of squared weights */
double histogram_effective_count(const Histogram *histogram);
/* The least value v with at least share p of the weight at or below it, as the middle of its
 * bucket; exact minimum at p = 0 and maximum at p = 1.  0 when empty. */
int64_t histogram_quantile(const Histogram *histogram, double p);
/* 95 % interval of that quantile from the effective sample size. */
void histogram_quantile_interval(const Histogram *histogram, double p, int64_t *out_low,
                                 int64_t *out_high);
double histogram_mean(const Histogram *histogram); /* exact, not from buckets */
int64_t histogram_min(const Histogram *histogram);
int64_t histogram_max(const Histogram *histogram);

/* A compact portable encoding (little-endian varints) for the results file, and back. */
GBytes *histogram_to_bytes(const Histogram *histogram);
Histogram *histogram_from_bytes(GBytes *bytes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Histogram, histogram_free)
