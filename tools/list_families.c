/* Why it works: a family's records begin with their head, so a member of a known family can be read
 * as what it is; all others are described by their table of parameters.
 */
#include "tools/list_families.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "models/data/command.h"
#include "models/observe/metrics.h"
#include "models/routing/routing.h"
#include "models/scenario/scenario.h"
#include "tools/subcommand.h"
#include "tools/text_table.h"

#define PRESETS "presets"

struct FamilyList {
    GPtrArray *families; /* const PluginFamily, borrowed but for presets */
    PluginFamily presets;
    PluginHead *heads;
    const PluginHead **records;
};

FamilyList *family_list_new(void)
{
    FamilyList *list = g_new0(FamilyList, 1);
    size_t count = routing_preset_count();

    list->families = g_ptr_array_new();
    list->heads = g_new0(PluginHead, count);
    list->records = g_new0(const PluginHead *, count);
    for (size_t i = 0; i < count; i++) {
        const RoutingPreset *preset = routing_preset_at(i);

        list->heads[i] = (PluginHead){.name = preset->name, .summary = preset->summary};
        list->records[i] = &list->heads[i];
    }
    list->presets = (PluginFamily){
        .name = PRESETS,
        .noun = "preset",
        .summary = "routing of clients and traffic managers people use: \"preset\": NAME",
        .records = list->records,
        .count = count,
    };
    for (uint32_t i = 0; i < scenario_plugin_family_count; i++)
        g_ptr_array_add(list->families, (gpointer)scenario_plugin_families[i]);
    g_ptr_array_add(list->families, (gpointer)&crdt_type_family);
    g_ptr_array_add(list->families, &list->presets);
    g_ptr_array_add(list->families, (gpointer)&subcommand_family);
    return list;
}

void family_list_free(FamilyList *list)
{
    if (!list)
        return;
    g_ptr_array_unref(list->families);
    g_free(list->heads);
    g_free(list->records);
    g_free(list);
}

uint32_t family_list_count(const FamilyList *list)
{
    return list->families->len;
}

const PluginFamily *family_list_at(const FamilyList *list, uint32_t index)
{
    return g_ptr_array_index(list->families, index);
}

static const char *const kind_names[] = {
    [METRIC_EVENT] = "event",
    [METRIC_SAMPLE] = "sample",
    [METRIC_GAUGE] = "gauge, read each second",
};

static const char *metric_unit_name(const Metric *metric)
{
    if (metric->is_share)
        return "share (%)";
    if (metric->dimension.time == 1)
        return "time";
    return metric->dimension.bytes == 1 ? "bytes" : "count";
}

/* The words of models/observe/expression_parse.c, which refuses all others. */
static const char *metric_statistics(const Metric *metric)
{
    if (metric->kind == METRIC_EVENT)
        return metric->dimension.bytes ? "sum, rate, last, first" : "sum, count, rate, last, first";
    if (metric->kind == METRIC_SAMPLE)
        return "p50, p90, p95, p99, p999, mean, max, min, sum, count";
    return "p50, p90, p95, p99, p999, mean, max, min, last, first";
}

static char *metric_example(const Metric *metric)
{
    const char *name = metric->head.name;

    if (metric->kind == METRIC_EVENT && metric->dimension.bytes)
        return g_strdup_printf("sum(%s) <= 10GB", name);
    if (metric->kind == METRIC_EVENT)
        return g_strdup_printf("count(%s) == 0", name);
    if (metric->kind == METRIC_SAMPLE)
        return g_strdup_printf("p99(%s) <= 200ms", name);
    if (metric->is_ratio)
        return g_strdup_printf("mean(%s) >= 99.9%%", name);
    if (metric->is_share)
        return g_strdup_printf("max(%s) <= 75%%", name);
    if (metric->dimension.time)
        return g_strdup_printf("max(%s) <= 5s", name);
    return g_strdup_printf(metric->dimension.bytes ? "max(%s) <= 10GB" : "min(%s) >= 1", name);
}

/* As models/scenario/scenario_expect.c takes an expectation on it. */
static const char *metric_measured(const Metric *metric)
{
    if (metric->is_measured)
        return "yes";
    if (metric->awaits)
        return "later: an expectation on it is listed and not judged";
    return "later: refused in expressions until it is measured";
}

static void describe_metric(const Metric *metric, GString *to)
{
    g_auto(GStrv) labels = g_strsplit(metric->labels, " ", -1);
    g_autofree char *list = g_strjoinv(", ", labels);
    g_autofree char *example = metric_example(metric);

    g_string_append_printf(to,
                           "  kind        %s\n  unit        %s\n  labels      %s\n"
                           "  statistics  %s\n  measured    %s\n  example     %s\n",
                           kind_names[metric->kind], metric_unit_name(metric), list,
                           metric_statistics(metric), metric_measured(metric), example);
}

static const char *class_name(OpClass op_class)
{
    static const char *const names[] = {
        [OP_READ] = "read", [OP_CHECKED] = "checked", [OP_LWW] = "lww", [OP_ACCUM] = "accum"};

    return names[op_class];
}

static void describe_commands(const CommandGroup *group, GString *to)
{
    g_autoptr(TextTable) table = text_table_new("lll");

    for (size_t i = 0; i < group->count; i++) {
        text_table_cell(table, group->specs[i].name);
        text_table_cell(table, class_name(group->specs[i].op_class));
        text_table_cell(table, group->specs[i].summary);
    }
    text_table_append(table, to, "  ", false);
}

static const Metric *as_metric(const PluginFamily *family, const PluginHead *head)
{
    return family == &metric_family ? (const Metric *)(const void *)head : NULL;
}

static const CommandGroup *as_commands(const PluginFamily *family, const PluginHead *head)
{
    return family == &command_group_family ? (const CommandGroup *)(const void *)head : NULL;
}

const char *family_member_mark(const PluginFamily *family, const PluginHead *head)
{
    const Metric *metric = as_metric(family, head);

    return metric && !metric->is_measured ? "later" : "";
}

void family_member_describe(const PluginFamily *family, const PluginHead *head, GString *to)
{
    const Metric *metric = as_metric(family, head);
    const CommandGroup *commands = as_commands(family, head);

    g_string_append_printf(to, "%s: %s\n", head->name, head->summary);
    if (metric) {
        describe_metric(metric, to);
    } else if (commands) {
        describe_commands(commands, to);
    } else if (strcmp(family->name, PRESETS) == 0) {
        g_string_append_printf(to, "  stands for %s\n", routing_preset_find(head->name)->json);
    } else if (family == &subcommand_family) {
        g_string_append_printf(to, "  %s help %s\n", program_name(), head->name);
    } else if (head->params) {
        g_autofree char *text = param_describe(head->params);

        g_string_append(to, text);
    } else {
        g_string_append(to, "takes no parameters\n");
    }
}

static void write_metric(const Metric *metric, JsonWriter *writer)
{
    g_auto(GStrv) labels = g_strsplit(metric->labels, " ", -1);
    g_autofree char *example = metric_example(metric);

    json_write_text(writer, "kind", kind_names[metric->kind]);
    json_write_text(writer, "unit", metric_unit_name(metric));
    json_write_begin_array(writer, "labels");
    for (char **label = labels; *label; label++)
        json_write_text(writer, NULL, *label);
    json_write_end_array(writer);
    json_write_text(writer, "statistics", metric_statistics(metric));
    json_write_bool(writer, "measured", metric->is_measured);
    json_write_text(writer, "example", example);
}

static void write_commands(const CommandGroup *group, JsonWriter *writer)
{
    json_write_begin_array(writer, "commands");
    for (size_t i = 0; i < group->count; i++) {
        json_write_begin_object(writer, NULL);
        json_write_text(writer, "name", group->specs[i].name);
        json_write_text(writer, "class", class_name(group->specs[i].op_class));
        json_write_text(writer, "summary", group->specs[i].summary);
        json_write_end_object(writer);
    }
    json_write_end_array(writer);
}

void family_member_write(const PluginFamily *family, const PluginHead *head, JsonWriter *writer)
{
    const Metric *metric = as_metric(family, head);
    const CommandGroup *commands = as_commands(family, head);

    json_write_text(writer, "name", head->name);
    json_write_text(writer, "summary", head->summary);
    json_write_begin_array(writer, "parameters");
    for (size_t p = 0; head->params && p < head->params->count; p++)
        json_write_text(writer, NULL, head->params->params[p].name);
    json_write_end_array(writer);
    if (metric)
        write_metric(metric, writer);
    if (commands)
        write_commands(commands, writer);
}
