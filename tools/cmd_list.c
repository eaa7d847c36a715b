/* quintet list: what a scenario may be made of.
 *
 * Why it works: families, their members and the members' parameters are records and tables; this
 * prints them and knows none by name.
 */
#include <stdio.h>
#include <string.h>

#include "models/scenario/scenario.h"
#include "tools/json_write.h"
#include "tools/subcommand.h"
#include "tools/text_table.h"

typedef struct {
    gboolean json;
} ListOptions;

/* All families of the models, then the program's own. */
static const PluginFamily *family_at(uint32_t index)
{
    return index < scenario_plugin_family_count ? scenario_plugin_families[index]
                                                : &subcommand_family;
}

static uint32_t family_count(void)
{
    return scenario_plugin_family_count + 1;
}

static const PluginFamily *family_find(const char *name)
{
    g_autofree const char **names = g_new0(const char *, family_count());
    const char *nearest;

    for (uint32_t i = 0; i < family_count(); i++) {
        names[i] = family_at(i)->name;
        if (strcmp(names[i], name) == 0)
            return family_at(i);
    }
    nearest = nearest_name(name, names, family_count());
    if (nearest)
        complain_usage("\"%s\" is not a family; did you mean \"%s\"? (`quintet list` names all)",
                       name, nearest);
    else
        complain_usage("\"%s\" is not a family; `quintet list` names all", name);
    return NULL;
}

static void print_families(void)
{
    g_autoptr(TextTable) table = text_table_new("lrl");
    g_autoptr(GString) text = g_string_new(NULL);

    for (uint32_t i = 0; i < family_count(); i++) {
        const PluginFamily *family = family_at(i);
        g_autofree char *count = g_strdup_printf("%zu", family->count);

        text_table_cell(table, family->name);
        text_table_cell(table, count);
        text_table_cell(table, family->summary);
    }
    text_table_append(table, text, "", false);
    fputs(text->str, stdout);
    printf("\n  quintet list FAMILY         its members\n"
           "  quintet list FAMILY NAME    what one of them takes\n");
}

static void print_members(const PluginFamily *family)
{
    g_autoptr(TextTable) table = text_table_new("ll");
    g_autoptr(GString) text = g_string_new(NULL);

    for (size_t i = 0; i < family->count; i++) {
        text_table_cell(table, family->records[i]->name);
        text_table_cell(table, family->records[i]->summary);
    }
    text_table_append(table, text, "", false);
    fputs(text->str, stdout);
}

static ExitCode print_member(const PluginFamily *family, const char *name)
{
    const PluginHead *head = plugin_find(family, name);

    if (!head) {
        g_autoptr(GError) error = NULL;

        plugin_unknown(&error, NULL, family, name);
        return complain(error);
    }
    printf("%s: %s\n", head->name, head->summary);
    if (head->params) {
        g_autofree char *text = param_describe(head->params);

        fputs(text, stdout);
    } else {
        printf("takes no parameters\n");
    }
    return EXIT_PASSED;
}

static void write_family(JsonWriter *writer, const PluginFamily *family)
{
    json_write_begin_object(writer, NULL);
    json_write_text(writer, "family", family->name);
    json_write_text(writer, "summary", family->summary);
    json_write_begin_array(writer, "members");
    for (size_t i = 0; i < family->count; i++) {
        const PluginHead *head = family->records[i];

        json_write_begin_object(writer, NULL);
        json_write_text(writer, "name", head->name);
        json_write_text(writer, "summary", head->summary);
        json_write_begin_array(writer, "parameters");
        for (size_t p = 0; head->params && p < head->params->count; p++)
            json_write_text(writer, NULL, head->params->params[p].name);
        json_write_end_array(writer);
        json_write_end_object(writer);
    }
    json_write_end_array(writer);
    json_write_end_object(writer);
}

/* One family, or all when family is NULL. */
static void print_json(const PluginFamily *family)
{
    g_autoptr(JsonWriter) writer = json_writer_new();
    g_autofree char *text = NULL;

    json_write_begin_array(writer, NULL);
    for (uint32_t i = 0; i < family_count(); i++)
        if (!family || family == family_at(i))
            write_family(writer, family_at(i));
    json_write_end_array(writer);
    text = json_writer_finish(writer);
    fputs(text, stdout);
}

static ExitCode run(const void *data, char *const *words)
{
    const ListOptions *options = data;
    const PluginFamily *family = words[0] ? family_find(words[0]) : NULL;

    if (words[0] && !family)
        return EXIT_USAGE;
    if (family && words[1] && !options->json)
        return print_member(family, words[1]);
    if (options->json)
        print_json(family);
    else if (family)
        print_members(family);
    else
        print_families();
    return EXIT_PASSED;
}

static const Option options_table[] = {
    {"json", OPTION_FLAG, offsetof(ListOptions, json), NULL, "print as JSON"},
};

const Subcommand subcommand_list = {
    .head = {.name = "list",
             .summary = "what scenarios may be made of: families and their members"},
    .usage = "[FAMILY [NAME]] [options]",
    .examples = "  quintet list\n      all families\n"
                "  quintet list faults\n      all faults\n"
                "  quintet list faults isolate\n      its parameters, units, ranges and defaults\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(ListOptions),
    .word_max = 2,
    .run = run,
};
