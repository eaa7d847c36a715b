/* How latency went over time: quantiles per site of each stretch of ten seconds.
 *
 * A recording keeps samples by phase and, of a metric that is watched (recording_watch), those of
 * the last ten seconds; this takes them each time they are complete.  Of a metric nobody watches
 * there is no course.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "models/observe/recording.h"

#define LATENCY_STRETCH_S BUCKETS_PER_ALERT

typedef struct {
    const char *site;
    int64_t from_s;
    uint64_t op_count; /* estimated under a slice */
    int64_t p50_ns, p99_ns, max_ns;
} LatencyStretch;

typedef struct LatencyCourse LatencyCourse;

LatencyCourse *latency_course_new(void);
void latency_course_free(LatencyCourse *course);

/* Takes the stretch that ends at now_ns; between windows, at multiples of its length (others are
 * ignored). */
void latency_course_take(LatencyCourse *course, const Recording *recording, SimTime now_ns);

uint32_t latency_course_count(const LatencyCourse *course);
const LatencyStretch *latency_course_at(const LatencyCourse *course, uint32_t index);
