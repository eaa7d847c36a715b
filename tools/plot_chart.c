/* Why it works: every chart is data blocks and one plot command; shades of faults lie behind all of
 * them, so cause and effect are seen together.  Texts are single-quoted and not enhanced: names
 * mean themselves.
 */
#include "tools/plot_chart.h"

#include <math.h>
#include <string.h>

#include "sim/units.h"
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

static char *curve_title(const PlotCurve *curve)
{
    return g_strconcat(curve->group, curve->name[0] ? " " : "", curve->name, NULL);
}

/* About what a letter and the sample beside a title take in both terminals, generously. */
#define LETTER_PX 9
#define SAMPLE_PX 50

/* The key below the frame: as many columns as surely fit into width_px, else more rows; a whole
 * number of groups of rows_least entries above each other. */
static void append_key(GString *script, guint width_px, const GPtrArray *titles, guint rows_least)
{
    guint letters = 1;
    guint columns, rows;

    for (guint i = 0; i < titles->len; i++)
        letters = MAX(letters, (guint)g_utf8_strlen(g_ptr_array_index(titles, i), -1));
    columns = MAX(1, width_px / (LETTER_PX * letters + SAMPLE_PX));
    rows = (titles->len + columns - 1) / columns;
    rows = (rows + rows_least - 1) / rows_least * rows_least;
    g_string_append_printf(script,
                           "set bmargin %u\n"
                           "set key bmargin center vertical maxrows %u samplen 2 noenhanced\n",
                           5 + rows, rows);
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

/* Whether one can be told from the other by less than half of their points. */
static bool look_equal(const PlotCurve *one, const PlotCurve *other)
{
    guint count = MIN(one->y->len, other->y->len);
    guint equal = 0;

    for (guint i = 0; i < count; i++) {
        double a = g_array_index(one->y, double, i);
        double b = g_array_index(other->y, double, i);

        equal += fabs(a - b) <= 0.01 * MAX(a, b) ? 1 : 0;
    }
    return 2 * equal > count;
}

static bool hides_earlier(const GPtrArray *curves, guint index)
{
    for (guint i = 0; i < index; i++)
        if (look_equal(g_ptr_array_index(curves, i), g_ptr_array_index(curves, index)))
            return true;
    return false;
}

/* Later colours lie above earlier ones, with dashes that get shorter within the same period: equal
 * lines become stripes of all their colours. */
#define DASH_PERIOD 30

static void append_dashes(GString *script, guint colour, guint colours)
{
    guint dash = DASH_PERIOD * (colours - colour + 1) / colours;

    g_string_append_printf(script, " dt (%u,%u)", dash, DASH_PERIOD - dash);
}

/* One line per curve; curves of one group have one colour, the second of a group is thin. */
static void append_lines(GString *script, const GPtrArray *curves)
{
    g_autoptr(GPtrArray) titles = g_ptr_array_new_with_free_func(g_free);
    guint colours = count_groups(curves);
    guint colour = 0;
    const char *group = NULL;

    for (guint i = 0; i < curves->len; i++) {
        append_block(script, i, g_ptr_array_index(curves, i), NULL);
        g_ptr_array_add(titles, curve_title(g_ptr_array_index(curves, i)));
    }
    append_key(script, PICTURE_PX, titles, curves->len / colours);
    g_string_append(script, "plot ");
    for (guint i = 0; i < curves->len; i++) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);
        bool again = group && strcmp(group, curve->group) == 0;

        colour += again ? 0 : 1;
        group = curve->group;
        g_string_append_printf(script, "%s$d%u using 1:3 with lines lw %u lc %u", i > 0 ? ", " : "",
                               i, again ? 1 : 3, colour);
        if (hides_earlier(curves, i))
            append_dashes(script, colour, colours);
        g_string_append(script, " title ");
        append_quoted(script, g_ptr_array_index(titles, i));
    }
    g_string_append_c(script, '\n');
}

/* Everything around the curves. */
static bool append_frame(StoreFile *store, const ChartOf *of, const char *what, GString *script,
                         GError **error)
{
    g_autofree char *title = g_strdup_printf("%s: %s", of->title, what);

    g_string_append(script, "set grid lt 1 lc rgb '#dddddd'\n"
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
    double bytes;
    const char *name;
} ByteUnit;

/* The largest unit in which the top of an axis is at least 1. */
static const ByteUnit *byte_unit(double top_bytes)
{
    static const ByteUnit units[] = {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1.0, "bytes"}};
    size_t i = 0;

    while (i + 1 < G_N_ELEMENTS(units) && top_bytes < units[i].bytes)
        i++;
    return &units[top_bytes > 0.0 ? i : 1];
}

static double curves_top(const GPtrArray *curves)
{
    double top = 0.0;

    for (guint i = 0; i < curves->len; i++) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);

        for (guint k = 0; k < curve->y->len; k++)
            top = MAX(top, g_array_index(curve->y, double, k));
    }
    return top;
}

static void curves_divide(const GPtrArray *curves, double by)
{
    for (guint i = 0; i < curves->len; i++) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);

        for (guint k = 0; k < curve->y->len; k++)
            g_array_index(curve->y, double, k) /= by;
    }
}

typedef struct {
    PlotSeries series;
    bool is_bytes; /* in the unit that fits; unit_text is without one */
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
    if (chart->is_bytes) {
        const ByteUnit *unit = byte_unit(curves_top(curves));
        g_autofree char *label = g_strdup_printf("%s (%s)", chart->unit_text, unit->name);

        curves_divide(curves, unit->bytes);
        append_set(script, "ylabel", label);
    } else {
        append_set(script, "ylabel", chart->unit_text);
    }
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

static bool unacknowledged_append(StoreFile *store, const ChartOf *of, GString *script,
                                  GError **error)
{
    /* Not called backlog: in the chart of memory that is the buffer, which is bounded. */
    static const LineChart chart = {
        .series = {.metric = "replication.backlog", .group = "member", .unit = 1.0},
        .is_bytes = true,
        .what = "not acknowledged, by member",
        .unit_text = "not acknowledged by the slowest peer",
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

/* The curves of one member, stacked. */
typedef struct {
    guint first, end;
    double peak_bytes;
    double max_bytes; /* 0: unknown */
} Panel;

/* All panels have one scale, so that members can be compared. */
typedef struct {
    const ByteUnit *unit;
    double top_bytes;
    double peak_bytes;
} Scale;

/* A cause that any member has stands in the keys of all, so that their frames are equally high. */
static bool is_drawn(const GPtrArray *curves, const PlotCurve *curve, const PlotCurve *head)
{
    bool any = false;

    for (guint i = 0; i < curves->len && !any; i++) {
        const PlotCurve *other = g_ptr_array_index(curves, i);

        any = strcmp(other->name, curve->name) == 0 && !curve_is_zero(other);
    }
    return any && curve->x->len == head->x->len;
}

/* The panel that begins at first. */
static Panel panel_at(const GPtrArray *curves, guint first)
{
    const PlotCurve *head = g_ptr_array_index(curves, first);
    g_autofree double *sum = g_new0(double, head->x->len + 1);
    Panel panel = {.first = first, .end = first};

    for (; panel.end < curves->len; panel.end++) {
        const PlotCurve *curve = g_ptr_array_index(curves, panel.end);

        if (strcmp(curve->group, head->group) != 0)
            break;
        for (guint i = 0; is_drawn(curves, curve, head) && i < curve->y->len; i++)
            sum[i] += g_array_index(curve->y, double, i);
    }
    for (guint i = 0; i < head->x->len; i++)
        panel.peak_bytes = MAX(panel.peak_bytes, sum[i]);
    return panel;
}

static bool is_far(const Panel *panel, const Scale *scale)
{
    return scale->peak_bytes > 0.0 && panel->max_bytes > MAXIMUM_FAR * scale->peak_bytes;
}

static Scale scale_of(const GArray *panels)
{
    Scale scale = {0};

    for (guint i = 0; i < panels->len; i++)
        scale.peak_bytes = MAX(scale.peak_bytes, g_array_index(panels, Panel, i).peak_bytes);
    scale.top_bytes = scale.peak_bytes;
    for (guint i = 0; i < panels->len; i++) {
        const Panel *panel = &g_array_index(panels, Panel, i);

        if (!is_far(panel, &scale))
            scale.top_bytes = MAX(scale.top_bytes, panel->max_bytes);
    }
    scale.unit = byte_unit(scale.top_bytes);
    return scale;
}

/* The maximum is drawn, or told of when it is far above the data. */
static void append_maximum(GString *command, GPtrArray *titles, const Panel *panel,
                           const Scale *scale)
{
    char text[UNIT_TEXT_MAX];

    if (panel->max_bytes <= 0.0) {
        g_string_append(command, "NaN notitle\n");
        return;
    }
    if (is_far(panel, scale)) {
        g_string_append(command, "NaN");
        g_ptr_array_add(
            titles, g_strdup_printf("maximum %s, far above", format_bytes(panel->max_bytes, text)));
    } else {
        append_number(command, panel->max_bytes / scale->unit->bytes);
        g_ptr_array_add(titles, g_strdup("maximum"));
    }
    g_string_append(command, " with lines lc rgb 'black' dt 3 lw 2 title ");
    append_quoted(command, g_ptr_array_index(titles, titles->len - 1));
    g_string_append_c(command, '\n');
}

/* Curves are in the scale's unit by now. */
static void append_panel(GString *script, const GPtrArray *curves, const Panel *panel,
                         const Scale *scale, guint width_px)
{
    const PlotCurve *head = g_ptr_array_index(curves, panel->first);
    g_autofree double *floor = g_new0(double, head->x->len + 1);
    g_autoptr(GPtrArray) titles = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) command = g_string_new("plot ");

    for (guint c = panel->first; c < panel->end; c++) {
        const PlotCurve *curve = g_ptr_array_index(curves, c);

        if (!is_drawn(curves, curve, head))
            continue;
        append_block(script, c, curve, floor);
        for (guint i = 0; i < curve->y->len; i++)
            floor[i] += g_array_index(curve->y, double, i);
        g_string_append_printf(command, "$d%u using 1:2:3 with filledcurves lc %u title ", c,
                               c - panel->first + 1);
        append_quoted(command, curve->name);
        g_string_append(command, ", ");
        g_ptr_array_add(titles, g_strdup(curve->name));
    }
    append_maximum(command, titles, panel, scale);
    append_key(script, width_px, titles, 1);
    append_set(script, "title", head->group);
    g_string_append(script, command->str);
}

static GArray *panels_new(StoreFile *store, const char *run, const GPtrArray *curves,
                          GError **error)
{
    g_autoptr(GArray) panels = g_array_new(FALSE, TRUE, sizeof(Panel));

    for (guint i = 0; i < curves->len;) {
        const PlotCurve *curve = g_ptr_array_index(curves, i);
        Panel panel = panel_at(curves, i);
        g_autoptr(GError) failure = NULL;

        panel.max_bytes = plot_memory_max(store, run, curve->group, &failure);
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        g_array_append_val(panels, panel);
        i = panel.end;
    }
    return g_steal_pointer(&panels);
}

static bool memory_append(StoreFile *store, const ChartOf *of, GString *script, GError **error)
{
    static const PlotSeries series = {.metric = "memory.bytes", .group = "member", .unit = 1.0};
    g_autoptr(GPtrArray) curves = plot_series_curves(store, of->run, &series, error);
    g_autofree char *title = g_strdup_printf("%s: memory by cause, member by member", of->title);
    g_autoptr(GArray) panels = NULL;
    Scale scale;

    if (!curves || curves->len == 0 || !append_frame(store, of, "memory by cause", script, error))
        return false;
    panels = panels_new(store, of->run, curves, error);
    if (!panels)
        return false;
    scale = scale_of(panels);
    curves_divide(curves, scale.unit->bytes);
    g_string_append_printf(script, "set multiplot layout 1,%u title ", panels->len);
    append_quoted(script, title);
    g_string_append_printf(script,
                           "\nset ylabel 'memory (%s)'\n"
                           "set style fill solid 0.8 noborder\nset yrange [0:",
                           scale.unit->name);
    if (scale.top_bytes > 0.0)
        append_number(script, 1.05 * scale.top_bytes / scale.unit->bytes);
    else
        g_string_append_c(script, '*');
    g_string_append(script, "]\n");
    for (guint i = 0; i < panels->len; i++)
        append_panel(script, curves, &g_array_index(panels, Panel, i), &scale,
                     PICTURE_PX / panels->len);
    g_string_append(script, "unset multiplot\n");
    return true;
}

const Chart charts[] = {
    {"latency", "p50 and p99 by site over time", latency_append},
    {"availability", "share of operations that succeed, by site", availability_append},
    {"memory", "memory by cause, a panel for each member", memory_append},
    {"lag", "replication lag by member", lag_append},
    {"unacknowledged", "bytes not acknowledged, by member", unacknowledged_append},
};
const uint32_t chart_count = G_N_ELEMENTS(charts);
