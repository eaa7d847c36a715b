/* quintet plot: charts of the runs in a results file.
 *
 * Why it works: a chart is a script with its data inside, given to gnuplot as one file; nothing of
 * it is left when the picture is there.  gnuplot ends well also when the disk was full, so a
 * picture is drawn under another name and gets its own, and is listed, only when its last bytes are
 * those that its format ends with.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/units.h"
#include "tools/plot_chart.h"
#include "tools/store_statement.h"
#include "tools/subcommand.h"

typedef struct {
    char *out;
    char *format;
    char **variants;
} PlotOptions;

typedef struct {
    const char *extension;
    const char *terminal;
    const char *ending; /* the last bytes of every whole picture */
} PlotFormat;

#define PICTURE_SIZE G_STRINGIFY(PICTURE_PX) "," G_STRINGIFY(PICTURE_HEIGHT_PX)

static const PlotFormat formats[] = {
    {"png", "set terminal pngcairo size " PICTURE_SIZE " font 'DejaVu Sans,11' noenhanced",
     "IEND\xae\x42\x60\x82"}, /* PNG specification, section 11.2.5: the chunk IEND and its CRC */
    {"svg",
     "set terminal svg size " PICTURE_SIZE
     " dynamic font 'DejaVu Sans,12' background rgb 'white' noenhanced",
     "</svg>"},
};

typedef struct {
    char *path;
    char *temporary; /* where it is until it is whole */
    const PlotFormat *format;
} Picture;

static void picture_free(void *data)
{
    Picture *picture = data;

    g_unlink(picture->temporary);
    g_free(picture->path);
    g_free(picture->temporary);
    g_free(picture);
}

typedef struct {
    StoreFile *store;
    const PlotOptions *options;
    char *folder;
    uint32_t written;
} Plotting;

/* Before gnuplot, which would not say why it cannot. */
static bool create_in(const char *folder, const char *path, GError **error)
{
    int file = g_open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

    if (file >= 0) {
        close(file);
        return true;
    }
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                "%s: cannot write pictures there: %s; choose another folder with --out", folder,
                g_strerror(errno));
    return false;
}

static bool folder_is_writable(const char *folder, GError **error)
{
    g_autofree char *name = g_strdup_printf("quintet.%d.tmp", (int)getpid());
    g_autofree char *path = g_build_filename(folder, name, NULL);
    bool created = create_in(folder, path, error);

    if (created)
        g_unlink(path);
    return created;
}

static bool picture_is_whole(const Picture *picture)
{
    size_t length = strlen(picture->format->ending);
    g_autofree char *bytes = NULL;
    gsize size = 0;

    if (!g_file_get_contents(picture->temporary, &bytes, &size, NULL))
        return false;
    while (size > 0 && g_ascii_isspace(bytes[size - 1]))
        size--;
    return size >= length && memcmp(bytes + size - length, picture->format->ending, length) == 0;
}

/* Gives a drawn picture its name, and lists it. */
static bool picture_finish(const Picture *picture, GError **error)
{
    if (!picture_is_whole(picture)) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: only a part of the picture could be written, as on a full disk; make "
                    "room, or choose another folder with --out",
                    picture->path);
        return false;
    }
    if (g_rename(picture->temporary, picture->path) != 0) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: cannot write: %s; choose another folder with --out", picture->path,
                    g_strerror(errno));
        return false;
    }
    printf("%s\n", picture->path);
    return true;
}

/* gnuplot repeats the command and points into it before it says what is wrong. */
static const char *last_line(char *text)
{
    const char *newline = strrchr(g_strchomp(text), '\n');

    return newline ? newline + 1 : text;
}

static bool gnuplot_run(const char *script, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *complaint = NULL;
    g_autoptr(GError) failure = NULL;
    int file = g_file_open_tmp("quintet-XXXXXX.gp", &path, &failure);
    char *arguments[] = {"gnuplot", path, NULL};
    int status = 0;
    bool worked = false;

    if (file >= 0) {
        close(file);
        worked = g_file_set_contents(path, script, -1, &failure) &&
                 g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                              &complaint, &status, &failure) &&
                 g_spawn_check_wait_status(status, &failure);
        g_unlink(path);
    }
    if (worked)
        return true;
    if (g_error_matches(failure, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "gnuplot is not installed; on Debian: apt-get install gnuplot-nox");
    else
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "gnuplot failed: %s%s%s",
                    failure->message, complaint ? ": " : "", complaint ? last_line(complaint) : "");
    return false;
}

static Picture *picture_new(const char *folder, const char *stem, const PlotFormat *format)
{
    Picture *picture = g_new0(Picture, 1);
    g_autofree char *name = g_strdup_printf("%s.%s", stem, format->extension);

    picture->path = g_build_filename(folder, g_strdelimit(name, "/ ,", '-'), NULL);
    picture->temporary = g_strdup_printf("%s.%d.tmp", picture->path, (int)getpid());
    picture->format = format;
    return picture;
}

static void append_picture(GString *script, const Picture *picture, const char *body)
{
    g_auto(GStrv) parts = g_strsplit(picture->temporary, "'", -1);
    g_autofree char *quoted = g_strjoinv("''", parts);

    g_string_append_printf(script, "reset\n%s\nset output '%s'\n%sunset output\n",
                           picture->format->terminal, quoted, body);
}

static bool plot_chart(Plotting *plotting, const Chart *chart, const ChartOf *of, GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new("set encoding utf8\n");
    g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func(picture_free);
    g_autofree char *stem = g_strdup_printf("%s-%s", of->title, chart->name);
    g_autoptr(GError) failure = NULL;
    const char *wanted = plotting->options->format;

    if (!chart->append(plotting->store, of, body, &failure)) {
        if (failure)
            g_propagate_error(error, g_steal_pointer(&failure));
        else
            printf("nothing to draw: %s of %s\n", chart->name, of->title);
        return error == NULL || *error == NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        Picture *picture;

        if (wanted && strcmp(wanted, "both") != 0 && strcmp(wanted, formats[i].extension) != 0)
            continue;
        picture = picture_new(plotting->folder, stem, &formats[i]);
        g_ptr_array_add(pictures, picture);
        if (!create_in(plotting->folder, picture->temporary, error))
            return false;
        append_picture(script, picture, body->str);
    }
    if (!gnuplot_run(script->str, error))
        return false;
    for (guint i = 0; i < pictures->len; i++)
        if (!picture_finish(g_ptr_array_index(pictures, i), error))
            return false;
    plotting->written += pictures->len;
    return true;
}

static bool is_wanted(const PlotOptions *options, const char *variant)
{
    const char *name = variant[0] ? variant : "base";

    return !options->variants || g_strv_contains((const char *const *)options->variants, name);
}

/* What tells this run's pictures from all others: the row's scenario, variant, slice and length. */
static char *run_title(const Statement *row)
{
    GString *title = g_string_new(statement_column_text(row, 1));
    const char *variant = statement_column_text(row, 2);
    int64_t slice = statement_column_int(row, 3);
    SimTime until_ns = statement_column_int(row, 4);
    char text[UNIT_TEXT_MAX];

    g_string_append_printf(title, " %s", variant[0] ? variant : "base");
    if (slice > 1)
        g_string_append_printf(title, " slice%" G_GINT64_FORMAT, slice);
    if (until_ns > 0 && until_ns < statement_column_int(row, 5))
        g_string_append_printf(title, " until%s", format_time(until_ns, text));
    return g_string_free(title, FALSE);
}

/* title, or with " 2", " 3", ... when an earlier run has it; kept in used. */
static const char *title_once(GPtrArray *used, const char *title)
{
    char *chosen = g_strdup(title);

    for (guint i = 2; g_ptr_array_find_with_equal_func(used, chosen, g_str_equal, NULL); i++) {
        g_free(chosen);
        chosen = g_strdup_printf("%s %u", title, i);
    }
    g_ptr_array_add(used, chosen);
    return chosen;
}

/* The first seed of each variant: twenty repetitions would be twenty times the same picture. */
static bool plot_runs(Plotting *plotting, GError **error)
{
    g_autoptr(GPtrArray) used = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failure = NULL;
    g_autoptr(Statement) query = statement_new(
        plotting->store,
        /* The hash is part of the name only where one file holds several scenarios of one name. */
        "SELECT run, scenario.name || CASE WHEN (SELECT count(DISTINCT hash) FROM scenario AS "
        "other WHERE other.name = scenario.name) > 1 THEN ' ' || substr(scenario.hash, 1, 6) ELSE "
        "'' END, variant, slice, until_ns, (SELECT to_ns FROM phase WHERE phase.run = run.run AND "
        "phase.phase = 'all'), min(seed) FROM run JOIN scenario ON scenario.hash = run.scenario "
        "WHERE status = 'done' GROUP BY run.scenario, variant, point, slice, until_ns",
        error);

    if (!query)
        return false;
    while (statement_row(query, &failure)) {
        g_autofree char *title = run_title(query);
        bool wanted = is_wanted(plotting->options, statement_column_text(query, 2));
        ChartOf of = {.run = statement_column_text(query, 0), .title = title_once(used, title)};

        for (uint32_t i = 0; wanted && i < chart_count; i++)
            if (!plot_chart(plotting, &charts[i], &of, error))
                return false;
    }
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return failure == NULL && (error == NULL || *error == NULL);
}

/* Whether each variant asked for has a complete run in the file; complains when one has none. */
static bool variants_are_there(StoreFile *store, const PlotOptions *options, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *whose = g_strconcat("a variant in ", store_file_path(store), NULL);
    g_autoptr(GError) failure = NULL;
    g_autoptr(Statement) query = statement_new(
        store,
        "SELECT DISTINCT CASE variant WHEN '' THEN 'base' ELSE variant END FROM run WHERE status = "
        "'done' ORDER BY variant",
        error);

    while (query && statement_row(query, &failure))
        g_ptr_array_add(names, g_strdup(statement_column_text(query, 0)));
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    for (char **wanted = options->variants; names->len > 0 && wanted && *wanted; wanted++) {
        if (g_ptr_array_find_with_equal_func(names, *wanted, g_str_equal, NULL))
            continue;
        complain_name("--variant", *wanted, whose, (const char *const *)names->pdata, names->len);
        return false;
    }
    return true;
}

static char *default_folder(const char *path)
{
    g_autofree char *stem = g_strdup(path);

    if (g_str_has_suffix(stem, ".db"))
        stem[strlen(stem) - 3] = '\0';
    return g_strconcat(stem, "-plots", NULL);
}

static ExitCode run(const void *data, char *const *words)
{
    const PlotOptions *options = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreFile) store = NULL;
    g_autofree char *folder = options->out ? g_strdup(options->out) : default_folder(words[0]);
    Plotting plotting = {.options = options, .folder = folder};

    if (options->format && strcmp(options->format, "png") != 0 &&
        strcmp(options->format, "svg") != 0 && strcmp(options->format, "both") != 0)
        return complain_usage("--format: \"%s\" is none of png, svg, both", options->format);
    store = store_file_open_reading(words[0], &error);
    if (!store)
        return complain(error);
    if (!variants_are_there(store, options, &error))
        return EXIT_USAGE;
    if (error)
        return complain(error);
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        complain_usage("%s: cannot create the folder for plots; choose one with --out", folder);
        return EXIT_IO;
    }
    if (!folder_is_writable(folder, &error))
        return complain(error);
    plotting.store = store;
    if (!plot_runs(&plotting, &error))
        return complain(error);
    if (plotting.written == 0)
        return complain_usage("%s: no complete run to draw%s; `%s run` makes one", words[0],
                              options->variants ? " of the variants asked for" : "",
                              program_name());
    return EXIT_PASSED;
}

static const Option options_table[] = {
    {"out", OPTION_TEXT, offsetof(PlotOptions, out), "FOLDER",
     "where pictures go (default: FILE-plots beside the file)"},
    {"format", OPTION_TEXT, offsetof(PlotOptions, format), "png|svg|both",
     "kind of picture (default: both)"},
    {"variant", OPTION_TEXTS, offsetof(PlotOptions, variants), "NAME",
     "only this variant, \"base\" for the base; repeat for more"},
};

const Subcommand subcommand_plot = {
    .head = {.name = "plot",
             .summary = "draw latency, availability, memory, lag and what is not acknowledged"},
    .usage = "FILE.db [options]",
    .examples =
        "  quintet plot results/sports-live-score.db\n"
        "      five charts of each variant's first seed, faults shaded\n"
        "  quintet plot results/sports-live-score.db --variant slow-dns --format svg --out /tmp\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(PlotOptions),
    .word_min = 1,
    .word_max = 1,
    .word_name = "a results file",
    .run = run,
};
