/* quintet conform: does the data behave as documented?
 *
 * Why it works: every file is read and checked before the first case is run, so that a mistake in
 * the last one does not hide behind the results of the others.
 */
#include <stdio.h>
#include <string.h>

#include "tools/conform_table.h"
#include "tools/subcommand.h"
#include "tools/text_table.h"

#define SHIPPED    "tests/conformance" /* what is run when no file is named */
#define LINE_CHARS 100                 /* for what was expected and what was got, side by side */

typedef struct {
    char *show;
    gboolean list;
    gboolean json;
} ConformOptions;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every .json of the folder, in the order of names. */
static bool add_folder(GPtrArray *paths, const char *folder, GError **error)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    guint begin = paths->len;
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".json"))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    if (dir)
        g_dir_close(dir);
    if (paths->len > begin) {
        qsort(paths->pdata + begin, paths->len - begin, sizeof(void *), by_name);
        return true;
    }
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                "%s: no .json file is there; name a conformance file, as in: %s conform FILE.json",
                folder, program_name());
    return false;
}

/* The files that words name, all of them sound; NULL after an error. */
static GPtrArray *read_files(char *const *words, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)conform_file_free);

    if (!words[0] && !add_folder(paths, SHIPPED, error))
        return NULL;
    for (char *const *word = words; *word; word++) {
        if (!g_file_test(*word, G_FILE_TEST_IS_DIR))
            g_ptr_array_add(paths, g_strdup(*word));
        else if (!add_folder(paths, *word, error))
            return NULL;
    }
    for (guint i = 0; i < paths->len; i++) {
        ConformFile *file = conform_file_read(g_ptr_array_index(paths, i), error);

        if (!file)
            return NULL;
        g_ptr_array_add(files, file);
    }
    return g_steal_pointer(&files);
}

/* --- running all cases */
typedef struct {
    uint32_t passed, failed;
    JsonWriter *writer; /* NULL: text, to stdout */
    const ConformFile *file;
    const ConformCase *of;
    TextTable *table; /* of the failing steps of one case; NULL: none yet */
} Tally;

/* What was expected and got stand in one line, or below each other when that would be long. */
static void add_failure(Tally *tally, const ConformSeen *seen)
{
    g_autofree char *at = g_strdup_printf("t=%" G_GINT64_FORMAT, seen->step->at_s);
    g_autofree char *member =
        seen->step->member > 0 ? g_strdup_printf("member %u", seen->step->member) : g_strdup("");
    g_autofree char *expected = g_strconcat("expected ", seen->expected, NULL);
    g_autofree char *got = seen->missing[0] ? g_strconcat("got nothing: ", seen->missing, NULL)
                                            : g_strconcat("got ", seen->got, NULL);
    g_autofree char *both = g_strconcat(expected, ", ", got, NULL);
    bool is_long = g_utf8_strlen(both, -1) > LINE_CHARS;

    if (!tally->table)
        tally->table = text_table_new("llll");
    text_table_cell(tally->table, at);
    text_table_cell(tally->table, member);
    text_table_cell(tally->table, seen->command);
    if (is_long) {
        text_table_cell(tally->table, expected);
        for (uint32_t i = 0; i < 3; i++)
            text_table_cell(tally->table, "");
    }
    text_table_ink(tally->table, is_long || !seen->expected[0] ? got : both, INK_BAD);
}

static void watch(void *user, const ConformSeen *seen)
{
    Tally *tally = user;

    if (seen->outcome == CONFORM_PASSED)
        return;
    if (!tally->writer) {
        add_failure(tally, seen);
        return;
    }
    json_write_begin_object(tally->writer, NULL);
    conform_seen_write(seen, tally->writer);
    json_write_end_object(tally->writer);
}

static void print_failures(Tally *tally)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "FAIL  %s: %s (%s:%d)\n", conform_file_type(tally->file),
                           tally->of->name, conform_file_path(tally->file), tally->of->node->line);
    text_table_append(tally->table, text, "      ", terminal_has_colour(stdout));
    fputs(text->str, stdout);
    text_table_free(tally->table);
    tally->table = NULL;
}

static void run_case(Tally *tally, const ConformCase *of)
{
    static const char *const words[] = {[CONFORM_PASSED] = "passed",
                                        [CONFORM_FAILED] = "failed",
                                        [CONFORM_UNSUPPORTED] = "missing"};
    ConformOutcome outcome;

    tally->of = of;
    if (tally->writer) {
        json_write_begin_object(tally->writer, NULL);
        json_write_text(tally->writer, "file", conform_file_path(tally->file));
        json_write_text(tally->writer, "type", conform_file_type(tally->file));
        json_write_text(tally->writer, "case", of->name);
        json_write_begin_array(tally->writer, "failures");
    }
    outcome = conform_case_run(of, watch, tally);
    if (tally->writer) {
        json_write_end_array(tally->writer);
        json_write_text(tally->writer, "outcome", words[outcome]);
        json_write_end_object(tally->writer);
    } else if (outcome != CONFORM_PASSED) {
        print_failures(tally);
    }
    tally->passed += outcome == CONFORM_PASSED;
    tally->failed += outcome != CONFORM_PASSED;
}

static void print_json(const JsonWriter *writer)
{
    g_autofree char *text = json_writer_finish(writer);

    fputs(text, stdout);
}

static ExitCode run_all(const GPtrArray *files, bool json)
{
    g_autoptr(JsonWriter) writer = json ? json_writer_new() : NULL;
    Tally tally = {.writer = writer};

    if (writer) {
        json_write_begin_object(writer, NULL);
        json_write_begin_array(writer, "cases");
    }
    for (guint i = 0; i < files->len; i++) {
        tally.file = g_ptr_array_index(files, i);
        for (uint32_t c = 0; c < conform_case_count(tally.file); c++)
            run_case(&tally, conform_case_at(tally.file, c));
    }
    if (writer) {
        json_write_end_array(writer);
        json_write_int(writer, "passed", tally.passed);
        json_write_int(writer, "failed", tally.failed);
        json_write_end_object(writer);
        print_json(writer);
    } else {
        printf("%u passed, %u failed\n", tally.passed, tally.failed);
    }
    return tally.failed == 0 ? EXIT_PASSED : EXIT_EXPECTATION;
}

/* --- one case, or all of them by name */
static ExitCode complain_case(const GPtrArray *files, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    for (guint i = 0; i < files->len; i++) {
        const ConformFile *file = g_ptr_array_index(files, i);

        for (uint32_t c = 0; c < conform_case_count(file); c++)
            g_ptr_array_add(names, (void *)(uintptr_t)conform_case_at(file, c)->name);
    }
    nearest = nearest_name(name, (const char *const *)names->pdata, names->len);
    for (guint i = 0; i < names->len && !nearest; i++)
        if (strstr(g_ptr_array_index(names, i), name))
            nearest = g_ptr_array_index(names, i);
    if (nearest)
        return complain_usage("--show: \"%s\" is no case of these files; did you mean \"%s\"?",
                              name, nearest);
    return complain_usage("--show: \"%s\" is no case of these files; `%s conform --list` names all",
                          name, program_name());
}

/* Files may have cases of one name: each is shown. */
static ExitCode show_case(const GPtrArray *files, const char *name, bool json)
{
    g_autoptr(JsonWriter) writer = json_writer_new();
    g_autoptr(GString) text = g_string_new(NULL);
    ConformOutcome worst = CONFORM_PASSED;
    uint32_t shown = 0;

    json_write_begin_array(writer, NULL);
    for (guint i = 0; i < files->len; i++) {
        const ConformFile *file = g_ptr_array_index(files, i);

        for (uint32_t c = 0; c < conform_case_count(file); c++) {
            const ConformCase *of = conform_case_at(file, c);
            ConformOutcome outcome;

            if (strcmp(of->name, name) != 0)
                continue;
            outcome = json ? conform_table_write(of, writer)
                           : conform_table_append(of, text, terminal_has_colour(stdout));
            worst = MAX(worst, outcome);
            shown++;
        }
    }
    json_write_end_array(writer);
    if (shown == 0)
        return complain_case(files, name);
    if (json)
        print_json(writer);
    else
        fputs(text->str, stdout);
    return worst == CONFORM_PASSED ? EXIT_PASSED : EXIT_EXPECTATION;
}

static void list_text(const GPtrArray *files)
{
    g_autoptr(TextTable) table = text_table_new("lll");
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < files->len; i++) {
        const ConformFile *file = g_ptr_array_index(files, i);

        for (uint32_t c = 0; c < conform_case_count(file); c++) {
            text_table_cell(table, conform_file_type(file));
            text_table_cell(table, conform_case_at(file, c)->name);
            text_table_cell(table, conform_case_at(file, c)->about);
        }
    }
    text_table_append(table, text, "", false);
    fputs(text->str, stdout);
}

static void list_json(const GPtrArray *files)
{
    g_autoptr(JsonWriter) writer = json_writer_new();

    json_write_begin_array(writer, NULL);
    for (guint i = 0; i < files->len; i++) {
        const ConformFile *file = g_ptr_array_index(files, i);

        for (uint32_t c = 0; c < conform_case_count(file); c++) {
            const ConformCase *of = conform_case_at(file, c);

            json_write_begin_object(writer, NULL);
            json_write_text(writer, "file", conform_file_path(file));
            json_write_text(writer, "type", conform_file_type(file));
            json_write_text(writer, "case", of->name);
            json_write_text(writer, "about", of->about);
            json_write_text(writer, "source", of->source);
            json_write_int(writer, "members", of->member_count);
            json_write_int(writer, "steps", of->step_count);
            json_write_end_object(writer);
        }
    }
    json_write_end_array(writer);
    print_json(writer);
}

static ExitCode run(const void *data, char *const *words)
{
    const ConformOptions *options = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) files = NULL;

    if (options->show && options->list)
        return complain_usage("conform: --show and --list were both given; take one of them");
    files = read_files(words, &error);
    if (!files)
        return complain(error);
    if (options->show)
        return show_case(files, options->show, options->json);
    if (!options->list)
        return run_all(files, options->json);
    if (options->json)
        list_json(files);
    else
        list_text(files);
    return EXIT_PASSED;
}

static const Option options_table[] = {
    {"show", OPTION_TEXT, offsetof(ConformOptions, show), "CASE",
     "run one case and print it as a time table: who asked what and saw what"},
    {"list", OPTION_FLAG, offsetof(ConformOptions, list), NULL, "name the cases, run none"},
    {"json", OPTION_FLAG, offsetof(ConformOptions, json), NULL, "print as JSON"},
};

const Subcommand subcommand_conform = {
    .head = {.name = "conform", .summary = "compare the data's behaviour with documented cases"},
    .usage = "[FILE...] [options]",
    .examples = "  quintet conform\n"
                "      every case of " SHIPPED "; ends with 1 when one fails\n"
                "  quintet conform mine.json\n"
                "      cases of your own (" SHIPPED "/FORMAT.md says how they are written);\n"
                "      ends with 2, and runs none, when the file is malformed\n"
                "  quintet conform --show key-rename-vs-add-to-source\n"
                "      one case as a table: a row per moment, a column per member\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(ConformOptions),
    .word_max = G_MAXUINT,
    .run = run,
};
