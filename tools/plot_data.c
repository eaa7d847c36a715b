/* Why it works: SQLite unrolls and thins the series, so no more points leave the file than a chart
 * can show. */
#include "tools/plot_data.h"

#include <string.h>

#include "tools/store_statement.h"

#define POINTS_MAX 720

static void plot_curve_free(gpointer data)
{
    PlotCurve *curve = data;

    g_free(curve->group);
    g_free(curve->name);
    g_array_free(curve->x, TRUE);
    g_array_free(curve->y, TRUE);
    g_free(curve);
}

static void plot_shade_free(gpointer data)
{
    PlotShade *shade = data;

    g_free(shade->label);
    g_free(shade);
}

/* The last curve if it is the one named, else a new one: rows come curve by curve. */
static PlotCurve *curve_of(GPtrArray *curves, const char *group, const char *name)
{
    PlotCurve *curve = curves->len > 0 ? g_ptr_array_index(curves, curves->len - 1) : NULL;

    if (curve && strcmp(curve->group, group) == 0 && strcmp(curve->name, name) == 0)
        return curve;
    curve = g_new0(PlotCurve, 1);
    curve->group = g_strdup(group);
    curve->name = g_strdup(name);
    curve->x = g_array_new(FALSE, FALSE, sizeof(double));
    curve->y = g_array_new(FALSE, FALSE, sizeof(double));
    g_ptr_array_add(curves, curve);
    return curve;
}

/* Rows of (group, name, seconds, value) as curves; takes query. */
static GPtrArray *curves_from(Statement *query, double unit, GError **error)
{
    g_autoptr(GPtrArray) curves = g_ptr_array_new_with_free_func(plot_curve_free);
    g_autoptr(GError) failure = NULL;

    while (statement_row(query, &failure)) {
        PlotCurve *curve =
            curve_of(curves, statement_column_text(query, 0), statement_column_text(query, 1));
        double x = statement_column_real(query, 2) / 60.0;
        double y = statement_column_real(query, 3) / unit;

        g_array_append_val(curve->x, x);
        g_array_append_val(curve->y, y);
    }
    statement_free(query);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return g_steal_pointer(&curves);
}

GPtrArray *plot_latency_curves(StoreFile *store, const char *run, GError **error)
{
    Statement *query = statement_new(
        store,
        "SELECT site, 'p50', from_s + length_s / 2.0 AS at_s, p50 FROM latency_by_time "
        "WHERE run = ?1 UNION ALL SELECT site, 'p99', from_s + length_s / 2.0, p99 "
        "FROM latency_by_time WHERE run = ?1 ORDER BY 1, 2, 3",
        error);

    if (!query)
        return NULL;
    statement_text(query, run);
    return curves_from(query, 1e6, error);
}

static int64_t thinning(StoreFile *store, const char *run, GError **error)
{
    g_autoptr(Statement) query =
        statement_new(store, "SELECT ended_ns / 1000000000 FROM run WHERE run = ?", error);
    int64_t seconds = 0;

    if (!query)
        return 1;
    statement_text(query, run);
    if (statement_row(query, error))
        seconds = statement_column_int(query, 0);
    return MAX(1, (seconds + POINTS_MAX - 1) / POINTS_MAX);
}

GPtrArray *plot_series_curves(StoreFile *store, const char *run, const PlotSeries *series,
                              GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT %s, cause, reading.key / ?1 * ?1 + 1 AS at_s, %s(reading.atom) "
                        "FROM series JOIN json_each(series.readings) AS reading WHERE run = ?2 AND "
                        "metric = ?3 AND "
                        "%s <> '' AND reading.atom IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, cause "
                        "<> 'live', 2, 3", /* what is stacked stands on live data */
                        series->group, series->lowest ? "min" : "max", series->group);
    int64_t every = thinning(store, run, error);
    Statement *query = statement_new(store, sql, error && *error ? NULL : error);

    if (!query)
        return NULL;
    statement_int(query, every);
    statement_text(query, run);
    statement_text(query, series->metric);
    return curves_from(query, series->unit, error);
}

GPtrArray *plot_shades(StoreFile *store, const char *run, GError **error)
{
    g_autoptr(GPtrArray) shades = g_ptr_array_new_with_free_func(plot_shade_free);
    g_autoptr(GError) failure = NULL;
    g_autoptr(Statement) query = statement_new(
        store,
        "SELECT substr(phase, 7), from_ns / 6e10, min(to_ns, ended_ns) / 6e10 FROM phase JOIN run "
        "USING (run) WHERE run = ? AND phase LIKE 'fault:%' AND from_ns < ended_ns ORDER BY "
        "position",
        error);

    if (!query)
        return NULL;
    statement_text(query, run);
    while (statement_row(query, &failure)) {
        PlotShade *shade = g_new0(PlotShade, 1);

        shade->label = g_strdup(statement_column_text(query, 0));
        shade->from_min = statement_column_real(query, 1);
        shade->to_min = statement_column_real(query, 2);
        g_ptr_array_add(shades, shade);
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return g_steal_pointer(&shades);
}

double plot_memory_max(StoreFile *store, const char *run, const char *member, GError **error)
{
    g_autoptr(Statement) query = statement_new(
        store,
        "SELECT used.max / share.max FROM memory AS used JOIN memory AS share USING (run, member, "
        "phase) WHERE used.run = ? AND used.member = ? AND phase = 'all' AND "
        "used.metric = 'memory.used' AND share.metric = 'memory.used_pct' AND share.max > 0",
        error);

    if (!query)
        return 0.0;
    statement_text(query, run);
    statement_text(query, member);
    return statement_row(query, error) ? statement_column_real(query, 0) : 0.0;
}
