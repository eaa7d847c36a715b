/* quintet check: is this file good to run?
 *
 * Why it works: loading already checks everything, variants included; what loading does not refuse
 * is advice, and is printed as a pre-flight list in the order of the rules.
 */
#include <stdio.h>

#include "sim/units.h"
#include "tools/json_write.h"
#include "tools/scenario_open.h"
#include "tools/subcommand.h"
#include "tools/text_table.h"

typedef struct {
    char **sets;
    gboolean json;
    gboolean quiet;
} CheckOptions;

static const struct {
    const char *word;
    Ink ink;
} levels[] = {
    [LINT_OK] = {"ok", INK_GOOD},
    [LINT_NOTE] = {"note", INK_QUIET},
    [LINT_WARNING] = {"warning", INK_WARN},
};

static void add_line(TextTable *table, LintLevel level, const char *place, const char *text)
{
    text_table_ink(table, levels[level].word, levels[level].ink);
    text_table_cell(table, place);
    text_table_cell(table, text);
}

static void add_scenario(TextTable *table, const Scenario *scenario)
{
    const char *variant = scenario_variant_name(scenario);
    g_autofree char *place =
        variant[0] ? g_strconcat("variants.", variant, NULL) : g_strdup("scenario");
    const char *about = variant[0] ? scenario_about(scenario) : ""; /* the file's own is long */
    char duration[UNIT_TEXT_MAX];
    g_autofree char *text = g_strdup_printf(
        "%u members, %u sites, %s, seed %" G_GUINT64_FORMAT ", %u %s%s%s",
        scenario_member_count(scenario), scenario_site_count(scenario),
        format_time(scenario_duration_ns(scenario), duration), scenario_seed(scenario),
        scenario_seeds(scenario), scenario_seeds(scenario) == 1 ? "run" : "runs",
        about[0] ? ": " : "", about);

    add_line(table, LINT_OK, place, text);
}

static void add_expectation(TextTable *table, const Expectation *expectation)
{
    g_autofree char *place = g_strconcat("expect.", expectation->id, NULL);

    if (!expectation->expression) {
        text_table_ink(table, "missing", INK_WARN);
        text_table_cell(table, place);
        text_table_cell(table, expectation->unsupported);
        return;
    }
    add_line(table, LINT_OK, place, expectation->text);
}

static void add_lint(TextTable *table, const Lint *lint)
{
    g_autofree char *text = lint->source[0] ? g_strdup_printf("%s [%s]", lint->text, lint->source)
                                            : g_strdup(lint->text);

    add_line(table, lint->level, lint->place, text);
}

static void print_list(const char *path, const ScenarioFile *file)
{
    g_autoptr(TextTable) table = text_table_new("lll");
    g_autoptr(GString) text = g_string_new(NULL);
    uint32_t advice = 0;

    add_scenario(table, scenario_base(file));
    for (uint32_t i = 0; i < scenario_variant_count(file); i++)
        add_scenario(table, scenario_variant_at(file, i));
    for (uint32_t i = 0; i < scenario_expectation_count(file); i++)
        add_expectation(table, scenario_expectation_at(file, i));
    for (uint32_t i = 0; i < scenario_lint_count(file); i++) {
        const Lint *lint = scenario_lint_at(file, i);

        /* Expectations have lines of their own above. */
        if (!g_str_has_prefix(lint->place, "expect."))
            add_lint(table, lint);
        advice += lint->level == LINT_WARNING ? 1 : 0;
    }
    g_string_append_printf(text, "%s: %s\n", path, scenario_title(scenario_base(file)));
    text_table_append(table, text, "  ", terminal_has_colour(stdout));
    g_string_append_printf(text, "good to run, %u %s\n  %s run %s\n", advice,
                           advice == 1 ? "warning" : "warnings", program_name(), path);
    fputs(text->str, stdout);
}

static void print_json(const char *path, const ScenarioFile *file)
{
    g_autoptr(JsonWriter) writer = json_writer_new();
    g_autofree char *text = NULL;

    json_write_begin_object(writer, NULL);
    json_write_text(writer, "file", path);
    json_write_text(writer, "scenario", scenario_name(scenario_base(file)));
    json_write_begin_array(writer, "variants");
    for (uint32_t i = 0; i < scenario_variant_count(file); i++)
        json_write_text(writer, NULL, scenario_variant_name(scenario_variant_at(file, i)));
    json_write_end_array(writer);
    json_write_begin_array(writer, "missing");
    for (uint32_t i = 0; i < scenario_expectation_count(file); i++)
        if (!scenario_expectation_at(file, i)->expression)
            json_write_text(writer, NULL, scenario_expectation_at(file, i)->id);
    json_write_end_array(writer);
    json_write_begin_array(writer, "advice");
    for (uint32_t i = 0; i < scenario_lint_count(file); i++) {
        const Lint *lint = scenario_lint_at(file, i);

        json_write_begin_object(writer, NULL);
        json_write_text(writer, "level", levels[lint->level].word);
        json_write_text(writer, "place", lint->place);
        json_write_text(writer, "text", lint->text);
        json_write_text(writer, "source", lint->source);
        json_write_end_object(writer);
    }
    json_write_end_array(writer);
    json_write_end_object(writer);
    text = json_writer_finish(writer);
    fputs(text, stdout);
}

static ExitCode run(const void *data, char *const *words)
{
    const CheckOptions *options = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenarioFile) file = scenario_open(words[0], options->sets, &error);

    if (!file)
        return complain(error);
    if (options->json)
        print_json(words[0], file);
    else if (!options->quiet)
        print_list(words[0], file);
    return EXIT_PASSED;
}

static const Option options_table[] = {
    {"set", OPTION_TEXTS, offsetof(CheckOptions, sets), "PATH=VALUE",
     "change the scenario before checking; repeat for more"},
    {"json", OPTION_FLAG, offsetof(CheckOptions, json), NULL, "print as JSON"},
    {"quiet", OPTION_FLAG, offsetof(CheckOptions, quiet), NULL, "print nothing but errors"},
};

const Subcommand subcommand_check = {
    .head = {.name = "check", .summary = "load a scenario, say what is good, missing or doubtful"},
    .usage = "FILE [options]",
    .examples = "  quintet check scenarios/rehearsals/sports-live-score.json\n"
                "      every variant and expectation, one line each; ends with 2 on an error\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(CheckOptions),
    .word_min = 1,
    .word_max = 1,
    .word_name = "a scenario file",
    .run = run,
};
