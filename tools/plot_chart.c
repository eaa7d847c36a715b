/* Why it works: every chart is data blocks and one plot command; shades of faults lie behind all of
 * them, so cause and effect are seen together.  Texts are single-quoted and not enhanced: names
 * mean themselves.
 */
#include "tools/plot_chart.h"

#include <string.h>

#include "tools/plot_data.h"

static void append_number(GString *script, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(script, g_ascii_formatd(buffer, sizeof(buffer), "%.7g", value));
}

static void append_quoted(GString *script, const char *text)
{
    g_string_append_c(script, '\'');
    for (const char *at = text; *at; at++) {
        if (*at == '\'')
            g_string_append_c(script, '\'');
        g_string_append_c(script, *at == '\n' ? ' ' : *at);
    }
    g_string_append_c(script, '\'');
}

static void append_set(GString *script, const char *what, const char *text)
{
    g_string_append_printf(script, "set %s ", what);
    append_quoted(script, text);
    g_string_append_c(script, '\n');
}

static bool append_shades(StoreFile *store, const ChartOf *of, GString *script, GError **error)
{
    g_autoptr(GPtrArray) shades = plot_shades(store, of->run, error);

    if (!shades)
        return false;
    for (guint i = 0; i < shades->len; i++) {
        const PlotShade *shade = g_ptr_array_index(shades, i);

        g_string_append_printf(script, "set object %u rect from ", i + 1);
        append_number(script, shade->from_min);
        g_string_append(script, ", graph 0 to ");
        append_number(script, shade->to_min);
        g_string_append(script, ", graph 1 fc rgb '#f4d6d2' fs solid noborder behind\n");
        g_string_append_printf(script, "set label %u ", i + 1);
        append_quoted(script, shade->label);
        g_string_append(script, " at ");
        append_number(script, shade->from_min);
        /* Above the frame, where no curve and no maximum comes. */
        g_string_append(script, ", graph 1.03 tc rgb '#a04030' noenhanced\n");
    }
    return true;
}

/* The data block $d<index>: x, lower, upper; lower is nothing but a floor when floor is NULL. */
static void append_block(GString *script, guint index, const PlotCurve *curve, const double *floor)
{
    g_string_append_printf(script, "$d%u << EOD\n", index);
    for (guint i = 0; i < curve->x->len; i++) {
        double low = floor ? floor[i] : 0.0;

        append_number(script, g_array_index(curve->x, double, i));
        g_string_append_c(script, ' ');
        append_number(script, low);
        g_string_append_c(script, ' ');
        append_number(script, low + g_array_index(curve->y, double, i));
        g_string_append_c(script, '\n');
    }
    g_string_append(script, "EOD\n");
}

/* One line per curve; curves of one group have one colour, the second of a group is thin. */
static void append_lines(GString *script, const GPtrArray *curves)
{
    guint colour = 0;
    const char *group = NULL;

    for (guint i = 0; i < curves->len; i++)
        append_block(script, i, g_ptr_array_index(curves, i), NULL);
    g_string_append(script, "plot ");
    for (guint i = 0; i < curves->len; i++) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);
        bool again = group && strcmp(group, curve->group) == 0;
        g_autofree char *key =
            g_strconcat(curve->group, curve->name[0] ? " " : "", curve->name, NULL);

        colour += again ? 0 : 1;
        group = curve->group;
        g_string_append_printf(script, "%s$d%u using 1:3 with lines lw %u lc %u title ",
                               i > 0 ? ", " : "", i, again ? 1 : 3, colour);
        append_quoted(script, key);
    }
    g_string_append_c(script, '\n');
}

/* Everything around the curves. */
static bool append_frame(StoreFile *store, const ChartOf *of, const char *what, GString *script,
                         GError **error)
{
    g_autofree char *title = g_strdup_printf("%s: %s", of->title, what);

    g_string_append(script, "set grid lt 1 lc rgb '#dddddd'\nset bmargin 6\n"
                            "set key bmargin center horizontal samplen 2 noenhanced\n"
                            "set title offset 0,1 noenhanced\nset tmargin 5\nset autoscale "
                            "xfix\nset xlabel 'simulated time (min)'\n");
    append_set(script, "title", title);
    return append_shades(store, of, script, error);
}

static bool latency_append(StoreFile *store, const ChartOf *of, GString *script, GError **error)
{
    g_autoptr(GPtrArray) curves = plot_latency_curves(store, of->run, error);

    if (!curves || curves->len == 0 ||
        !append_frame(store, of, "latency of operations by site, failures included", script, error))
        return false;
    g_string_append(script, "set ylabel 'latency (ms, logarithmic)'\nset logscale y\n");
    append_lines(script, curves);
    return true;
}

typedef struct {
    PlotSeries series;
    const char *what;
    const char *unit_text;
    const char *extra; /* commands */
} LineChart;

static bool line_chart_append(StoreFile *store, const ChartOf *of, const LineChart *chart,
                              GString *script, GError **error)
{
    g_autoptr(GPtrArray) curves = plot_series_curves(store, of->run, &chart->series, error);

    if (!curves || curves->len == 0 || !append_frame(store, of, chart->what, script, error))
        return false;
    append_set(script, "ylabel", chart->unit_text);
    g_string_append(script, chart->extra);
    append_lines(script, curves);
    return true;
}

static bool availability_append(StoreFile *store, const ChartOf *of, GString *script,
                                GError **error)
{
    static const LineChart chart = {
        .series = {.metric = "availability", .group = "site", .unit = 0.01, .lowest = true},
        .what = "availability by site, the worst second",
        .unit_text = "operations that succeed (%)",
        .extra = "set yrange [0:102]\n",
    };

    return line_chart_append(store, of, &chart, script, error);
}

static bool lag_append(StoreFile *store, const ChartOf *of, GString *script, GError **error)
{
    static const LineChart chart = {
        .series = {.metric = "replication.lag", .group = "member", .unit = 1e9},
        .what = "replication lag by member",
        .unit_text = "age of what a member knows of its peers (s)",
        .extra = "set yrange [0:*]\n",
    };

    return line_chart_append(store, of, &chart, script, error);
}

static bool backlog_append(StoreFile *store, const ChartOf *of, GString *script, GError **error)
{
    static const LineChart chart = {
        .series = {.metric = "replication.backlog", .group = "member", .unit = 1e6},
        .what = "replication backlog by member",
        .unit_text = "not yet acknowledged (MB)",
        .extra = "set yrange [0:*]\n",
    };

    return line_chart_append(store, of, &chart, script, error);
}

static bool curve_is_zero(const PlotCurve *curve)
{
    for (guint i = 0; i < curve->y->len; i++)
        if (g_array_index(curve->y, double, i) > 0.0)
            return false;
    return true;
}

/* A maximum this many times the peak would press the data onto the axis. */
#define MAXIMUM_FAR 5.0

/* Where the axis ends and the maximum is drawn, or told of when it is far above the data. */
static void append_maximum(GString *command, GString *script, double max_gb, double peak_gb)
{
    bool far = peak_gb > 0.0 && max_gb > MAXIMUM_FAR * peak_gb;

    if (max_gb > 0.0 && !far) {
        append_number(command, max_gb);
        g_string_append(command, " with lines lc rgb 'black' dt 3 lw 2 title 'maximum'\n");
    } else if (max_gb > 0.0) {
        g_string_append(command, "NaN with lines lc rgb 'black' dt 3 lw 2 title 'max ");
        append_number(command, max_gb);
        g_string_append(command, " GB, above'\n");
    } else {
        g_string_append(command, "NaN notitle\n");
    }
    g_string_append(script, "set yrange [0:");
    if (far || max_gb <= 0.0)
        g_string_append_c(script, '*');
    else
        append_number(script, 1.05 * MAX(max_gb, peak_gb));
    g_string_append(script, "]\n");
}

/* Curves from first on of one member, stacked; returns where the next member begins. */
static guint append_stack(const GPtrArray *curves, guint first, double max_gb, GString *script)
{
    const PlotCurve *head = g_ptr_array_index(curves, first);
    g_autofree double *floor = g_new0(double, head->x->len + 1);
    g_autoptr(GString) command = g_string_new("plot ");
    double peak_gb = 0.0;
    guint end = first;

    for (; end < curves->len; end++) {
        const PlotCurve *curve = g_ptr_array_index(curves, end);

        if (strcmp(curve->group, head->group) != 0)
            break;
        if (curve_is_zero(curve) || curve->x->len != head->x->len)
            continue;
        append_block(script, end, curve, floor);
        for (guint i = 0; i < curve->y->len; i++)
            floor[i] += g_array_index(curve->y, double, i);
        g_string_append_printf(command, "$d%u using 1:2:3 with filledcurves lc %u title ", end,
                               end - first + 1);
        append_quoted(command, curve->name);
        g_string_append(command, ", ");
    }
    for (guint i = 0; i < head->x->len; i++)
        peak_gb = MAX(peak_gb, floor[i]);
    append_maximum(command, script, max_gb, peak_gb);
    append_set(script, "title", head->group);
    g_string_append(script, command->str);
    return end;
}

static guint count_groups(const GPtrArray *curves)
{
    guint count = 0;

    for (guint i = 0; i < curves->len; i++) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);
        const PlotCurve *before = i > 0 ? g_ptr_array_index(curves, i - 1) : NULL;

        count += before && strcmp(before->group, curve->group) == 0 ? 0 : 1;
    }
    return count;
}

static bool memory_append(StoreFile *store, const ChartOf *of, GString *script, GError **error)
{
    static const PlotSeries series = {.metric = "memory.bytes", .group = "member", .unit = 1e9};
    g_autoptr(GPtrArray) curves = plot_series_curves(store, of->run, &series, error);

    if (!curves || curves->len == 0 || !append_frame(store, of, "memory by cause", script, error))
        return false;
    g_string_append_printf(script, "set multiplot layout 1,%u title ", count_groups(curves));
    append_quoted(script, of->title);
    g_string_append(script, "\nset ylabel 'memory by cause (GB)'\n"
                            "set style fill solid 0.8 noborder\nset bmargin 8\n");
    for (guint i = 0; i < curves->len;) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);
        g_autoptr(GError) failure = NULL;
        double max_bytes = plot_memory_max(store, of->run, curve->group, &failure);

        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        i = append_stack(curves, i, max_bytes / 1e9, script);
    }
    g_string_append(script, "unset multiplot\n");
    return true;
}

const Chart charts[] = {
    {"latency", "p50 and p99 by site over time", latency_append},
    {"availability", "share of operations that succeed, by site", availability_append},
    {"memory", "memory by cause, a panel for each member", memory_append},
    {"lag", "replication lag by member", lag_append},
    {"backlog", "replication backlog by member", backlog_append},
};
const uint32_t chart_count = G_N_ELEMENTS(charts);
