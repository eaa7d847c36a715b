/* Why it works: instruments of one site are found by comparing names with the few sites seen so
 * far, and pooled in a histogram per site that is emptied after each stretch, so memory does not
 * grow with a run's detail.
 */
#include "tools/latency_course.h"

#include <string.h>

typedef struct {
    char *site;
    Histogram *pool;
} SitePool;

struct LatencyCourse {
    GArray *sites;     /* SitePool, in order of appearance */
    GArray *stretches; /* LatencyStretch */
};

static void site_pool_clear(gpointer data)
{
    SitePool *pool = data;

    g_free(pool->site);
    histogram_free(pool->pool);
}

LatencyCourse *latency_course_new(void)
{
    LatencyCourse *course = g_new0(LatencyCourse, 1);

    course->sites = g_array_new(FALSE, FALSE, sizeof(SitePool));
    g_array_set_clear_func(course->sites, site_pool_clear);
    course->stretches = g_array_new(FALSE, FALSE, sizeof(LatencyStretch));
    return course;
}

void latency_course_free(LatencyCourse *course)
{
    if (!course)
        return;
    g_array_free(course->sites, TRUE);
    g_array_free(course->stretches, TRUE);
    g_free(course);
}

static Histogram *pool_of(LatencyCourse *course, const char *site)
{
    SitePool fresh;

    for (guint i = 0; i < course->sites->len; i++) {
        SitePool *known = &g_array_index(course->sites, SitePool, i);

        if (strcmp(known->site, site) == 0)
            return known->pool;
    }
    fresh = (SitePool){.site = g_strdup(site), .pool = histogram_new()};
    g_array_append_val(course->sites, fresh);
    return fresh.pool;
}

static void take_pool(LatencyCourse *course, SitePool *pool, SimTime now_ns)
{
    LatencyStretch stretch = {
        .site = pool->site,
        .from_s = now_ns / SIM_S - LATENCY_STRETCH_S,
        .op_count = histogram_count(pool->pool),
    };

    if (histogram_sample_count(pool->pool) == 0)
        return;
    stretch.p50_ns = histogram_quantile(pool->pool, 0.5);
    stretch.p99_ns = histogram_quantile(pool->pool, 0.99);
    stretch.max_ns = histogram_max(pool->pool);
    g_array_append_val(course->stretches, stretch);
    histogram_clear(pool->pool);
}

void latency_course_take(LatencyCourse *course, const Recording *recording, SimTime now_ns)
{
    if (now_ns % (LATENCY_STRETCH_S * SIM_S) != 0)
        return;
    for (uint32_t i = 0; i < recording_instrument_count(recording); i++) {
        const Instrument *instrument = recording_instrument_at(recording, i);
        const char *site = instrument_labels(instrument)->site;
        const Histogram *recent = NULL;

        if (!site || strcmp(instrument_metric(instrument)->head.name, "latency.op") != 0)
            continue;
        recent = instrument_recent(instrument);
        if (recent && histogram_sample_count(recent) > 0)
            histogram_merge(pool_of(course, site), recent);
    }
    for (guint i = 0; i < course->sites->len; i++)
        take_pool(course, &g_array_index(course->sites, SitePool, i), now_ns);
}

uint32_t latency_course_count(const LatencyCourse *course)
{
    return course->stretches->len;
}

const LatencyStretch *latency_course_at(const LatencyCourse *course, uint32_t index)
{
    return &g_array_index(course->stretches, LatencyStretch, index);
}
