/* quintet calibrate: does the memory model fit what a server took?
 *
 * Why it works: each row of the file is a shape the model can make up on its own, so model and
 * measurement are compared row by row, and a summary by type says how far to trust either.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/units.h"
#include "tools/calibration.h"
#include "tools/json_write.h"
#include "tools/subcommand.h"
#include "tools/text_table.h"

#define WORST_SHOWN 10
#define TOLERANCE   0.05

typedef struct {
    char **configs;
    char *tolerance;
    gboolean all;
    gboolean json;
    gboolean quiet;
} CalibrateOptions;

typedef struct {
    const char *path;
    const GArray *rows;
    double tolerance;
} Calibration;

static const CalibrationRow *row_at(const GArray *rows, guint index)
{
    return &g_array_index(rows, CalibrationRow, index);
}

static bool is_past(const Calibration *calibration, const CalibrationRow *row)
{
    return ABS(row->error) > calibration->tolerance;
}

/* The worst first; rows equally far off as in the file. */
static int by_error(const void *a, const void *b)
{
    const CalibrationRow *left = *(const CalibrationRow *const *)a;
    const CalibrationRow *right = *(const CalibrationRow *const *)b;
    double difference = ABS(right->error) - ABS(left->error);

    if (difference < 0 || difference > 0)
        return difference < 0 ? -1 : 1;
    return left->line < right->line ? -1 : left->line > right->line;
}

static void format_error(double error, char *text, gsize size)
{
    g_snprintf(text, (gulong)size, "%+.2f %%", error * 100);
}

static void add_headings(TextTable *table, const char *const *headings)
{
    for (; *headings; headings++)
        text_table_ink(table, *headings, INK_QUIET);
}

static void add_int(TextTable *table, uint64_t value)
{
    char text[32];

    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, value);
    text_table_cell(table, text);
}

static void add_bytes(TextTable *table, double bytes)
{
    char text[32];

    g_snprintf(text, sizeof text, "%.1f", bytes);
    text_table_cell(table, text);
}

static void add_row(TextTable *table, const Calibration *calibration, const CalibrationRow *row)
{
    bool differs = row->encoding[0] && g_strcmp0(row->encoding, row->model_encoding) != 0;
    g_autofree char *encoding =
        differs ? g_strdup_printf("%s, model: %s", row->encoding, row->model_encoding)
                : g_strdup(row->model_encoding);
    char error[32];

    add_int(table, row->line);
    text_table_cell(table, calibration_type_name(row->shape.type));
    text_table_ink(table, encoding, differs ? INK_WARN : INK_PLAIN);
    add_int(table, row->shape.key_len);
    add_int(table, row->shape.elements);
    add_int(table, row->shape.value_len);
    text_table_cell(table, row->shape.has_ttl ? "yes" : "");
    add_bytes(table, row->measured_bytes);
    add_bytes(table, row->model_bytes);
    format_error(row->error, error, sizeof error);
    text_table_ink(table, error, is_past(calibration, row) ? INK_BAD : INK_PLAIN);
    text_table_cell(table, row->note);
}

static void append_rows(const Calibration *calibration, bool all, GString *text)
{
    static const char *const headings[] = {"line",     "type",  "encoding", "key",
                                           "elements", "value", "ttl",      "measured",
                                           "model",    "error", "note",     NULL};
    g_autoptr(TextTable) table = text_table_new("rllrrrlrrrl");
    g_autofree const CalibrationRow **order =
        g_new0(const CalibrationRow *, calibration->rows->len);
    guint shown = 0;

    for (guint i = 0; i < calibration->rows->len; i++)
        order[i] = row_at(calibration->rows, i);
    if (!all)
        qsort(order, calibration->rows->len, sizeof *order, by_error);
    add_headings(table, headings);
    for (guint i = 0; i < calibration->rows->len; i++) {
        if (!all && i >= WORST_SHOWN && !is_past(calibration, order[i]))
            break;
        add_row(table, calibration, order[i]);
        shown++;
    }
    g_string_append_printf(text, all ? "%u rows:\n" : "the %u rows furthest off:\n", shown);
    text_table_append(table, text, "  ", terminal_has_colour(stdout));
}

static void add_summary(TextTable *table, const char *name, const CalibrationSummary *summary)
{
    char text[64];

    text_table_cell(table, name);
    add_int(table, summary->rows);
    g_snprintf(text, sizeof text, "%.2f %%", summary->median * 100);
    text_table_cell(table, text);
    format_error(summary->worst, text, sizeof text);
    text_table_cell(table, text);
    add_int(table, summary->worst_line);
    g_snprintf(text, sizeof text, "%.1f %%", 100.0 * summary->within / summary->rows);
    text_table_ink(table, text, summary->within < summary->rows ? INK_BAD : INK_GOOD);
}

static void append_summaries(const Calibration *calibration, GString *text)
{
    g_autoptr(TextTable) table = text_table_new("lrrrrr");
    g_autofree char *within = g_strdup_printf("within %g %%", calibration->tolerance * 100);
    const char *const headings[] = {"type", "rows", "median error", "worst error", "at line",
                                    within, NULL};

    add_headings(table, headings);
    for (uint32_t t = 0; t <= FOOTPRINT_TYPES; t++) {
        CalibrationSummary summary =
            calibration_summary(calibration->rows, (FootprintType)t, calibration->tolerance);

        if (summary.rows > 0)
            add_summary(table,
                        t == FOOTPRINT_TYPES ? "all" : calibration_type_name((FootprintType)t),
                        &summary);
    }
    text_table_append(table, text, "  ", terminal_has_colour(stdout));
}

/* What the model did not take from the notes, once for the file. */
static void append_remarks(const Calibration *calibration, GString *text)
{
    guint unused = 0;
    const CalibrationRow *first = NULL;

    for (guint i = 0; i < calibration->rows->len; i++) {
        const CalibrationRow *row = row_at(calibration->rows, i);

        unused += row->unused != NULL;
        if (row->unused && !first)
            first = row;
    }
    if (first)
        g_string_append_printf(text,
                               "%u notes tell the model nothing, the first in line %u: \"%s\"; "
                               "tests/calibration/README.md lists the phrases it knows\n",
                               unused, first->line, first->unused);
}

static void print_text(const Calibration *calibration, bool all)
{
    CalibrationSummary summary =
        calibration_summary(calibration->rows, FOOTPRINT_TYPES, calibration->tolerance);
    g_autoptr(GString) text = g_string_new(NULL);

    append_rows(calibration, all, text);
    g_string_append_c(text, '\n');
    append_summaries(calibration, text);
    append_remarks(calibration, text);
    if (summary.within == summary.rows)
        g_string_append_printf(text, "\n%s: every row is within %g %%\n", calibration->path,
                               calibration->tolerance * 100);
    else
        g_string_append_printf(text, "\n%s: %u of %u rows are past %g %%\n", calibration->path,
                               summary.rows - summary.within, summary.rows,
                               calibration->tolerance * 100);
    fputs(text->str, stdout);
}

static void write_row(JsonWriter *writer, const CalibrationRow *row)
{
    json_write_begin_object(writer, NULL);
    json_write_int(writer, "line", row->line);
    json_write_text(writer, "type", calibration_type_name(row->shape.type));
    json_write_text(writer, "encoding", row->encoding[0] ? row->encoding : NULL);
    json_write_text(writer, "model_encoding", row->model_encoding);
    json_write_int(writer, "key_len", (int64_t)row->shape.key_len);
    json_write_int(writer, "elements", (int64_t)row->shape.elements);
    json_write_int(writer, "value_len", (int64_t)row->shape.value_len);
    json_write_bool(writer, "ttl", row->shape.has_ttl);
    json_write_number(writer, "measured_bytes", row->measured_bytes);
    json_write_number(writer, "model_bytes", row->model_bytes);
    json_write_number(writer, "error", row->error);
    json_write_text(writer, "note", row->note);
    json_write_end_object(writer);
}

static void write_summary(JsonWriter *writer, const char *name, const CalibrationSummary *summary)
{
    json_write_begin_object(writer, NULL);
    json_write_text(writer, "type", name);
    json_write_int(writer, "rows", summary->rows);
    json_write_int(writer, "within", summary->within);
    json_write_number(writer, "median", summary->median);
    json_write_number(writer, "worst", summary->worst);
    json_write_int(writer, "worst_line", summary->worst_line);
    json_write_end_object(writer);
}

/* All rows, whether or not --all asks for them: a machine sorts for itself. */
static void print_json(const Calibration *calibration)
{
    g_autoptr(JsonWriter) writer = json_writer_new();
    g_autofree char *text = NULL;
    CalibrationSummary all =
        calibration_summary(calibration->rows, FOOTPRINT_TYPES, calibration->tolerance);

    json_write_begin_object(writer, NULL);
    json_write_text(writer, "file", calibration->path);
    json_write_number(writer, "tolerance", calibration->tolerance);
    json_write_bool(writer, "passed", all.within == all.rows);
    json_write_begin_array(writer, "summary");
    for (uint32_t t = 0; t < FOOTPRINT_TYPES; t++) {
        CalibrationSummary summary =
            calibration_summary(calibration->rows, (FootprintType)t, calibration->tolerance);

        if (summary.rows > 0)
            write_summary(writer, calibration_type_name((FootprintType)t), &summary);
    }
    write_summary(writer, "all", &all);
    json_write_end_array(writer);
    json_write_begin_array(writer, "rows");
    for (guint i = 0; i < calibration->rows->len; i++)
        write_row(writer, row_at(calibration->rows, i));
    json_write_end_array(writer);
    json_write_end_object(writer);
    text = json_writer_finish(writer);
    fputs(text, stdout);
}

/* A share, with or without its sign: "5", "5%" and "2.5" are percent. */
static bool read_tolerance(const char *text, double *out)
{
    g_autofree char *percent =
        g_str_has_suffix(text, "%") ? g_strdup(text) : g_strconcat(text, "%", NULL);

    return parse_share(percent, out) && *out >= 0 && *out <= 1;
}

static ExitCode run(const void *data, char *const *words)
{
    const CalibrateOptions *options = data;
    FootprintRules rules = footprint_rules_default;
    Calibration calibration = {.path = words[0], .tolerance = TOLERANCE};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows = NULL;
    CalibrationSummary summary;

    if (options->tolerance && !read_tolerance(options->tolerance, &calibration.tolerance))
        return complain_usage(
            "--tolerance: \"%s\" is not a percentage from 0 to 100, like 5 or 2.5",
            options->tolerance);
    for (char **config = options->configs; config && *config; config++)
        if (!calibration_configure(&rules, *config, &error))
            return complain(error);
    rows = calibration_read(words[0], &rules, &error);
    if (!rows)
        return complain(error);
    calibration.rows = rows;
    if (options->json)
        print_json(&calibration);
    else if (!options->quiet)
        print_text(&calibration, options->all);
    summary = calibration_summary(rows, FOOTPRINT_TYPES, calibration.tolerance);
    return summary.within == summary.rows ? EXIT_PASSED : EXIT_EXPECTATION;
}

static const Option options_table[] = {
    {"tolerance", OPTION_TEXT, offsetof(CalibrateOptions, tolerance), "PERCENT",
     "how far a row may be off: 5 unless told"},
    {"config", OPTION_TEXTS, offsetof(CalibrateOptions, configs), "NAME=VALUE",
     "a limit of redis.conf as on the measured server, or jemalloc-quantum=8; repeat for more"},
    {"all", OPTION_FLAG, offsetof(CalibrateOptions, all), NULL,
     "every row in the file's order, not the worst ones"},
    {"json", OPTION_FLAG, offsetof(CalibrateOptions, json), NULL, "print as JSON"},
    {"quiet", OPTION_FLAG, offsetof(CalibrateOptions, quiet), NULL, "print nothing but errors"},
};

const Subcommand subcommand_calibrate = {
    .head = {.name = "calibrate",
             .summary = "compare the memory model with measured bytes per key"},
    .usage = "FILE.csv [options]",
    .examples = "  quintet calibrate tests/calibration/redis-memory.csv\n"
                "      the worst rows and a summary by type; ends with 1 when a row is past 5 %\n"
                "  quintet calibrate mine.csv --all --tolerance 2.5 --config jemalloc-quantum=8\n"
                "      your own measurements, of a server built with the jemalloc of its source\n"
                "  the format, columns and notes: tests/calibration/README.md\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(CalibrateOptions),
    .word_min = 1,
    .word_max = 1,
    .word_name = "a file of measurements",
    .run = run,
};
