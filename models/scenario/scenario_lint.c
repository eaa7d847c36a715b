/* Advice that is not an error: what the product would refuse or warn of, and what this version
 * leaves out. */
#include <stdarg.h>
#include <string.h>

#include "models/scenario/scenario_resolve.h"

void scenario_add_lint(ScenarioFile *file, LintLevel level, const char *place, const char *source,
                       const char *format, ...)
{
    va_list args;
    g_autofree char *text = NULL;
    Lint lint;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    lint = (Lint){level, arena_text(file->arena, place), arena_text(file->arena, text),
                  arena_text(file->arena, source)};
    g_array_append_val(file->lints, lint);
}

static void lint_members(ScenarioFile *file, const Scenario *base)
{
    uint32_t count = (uint32_t)base->params.members.count;
    bool azure = strcmp(profile_names[base->params.profile], "azure-managed-redis") == 0;
    const MemberParams *first = scenario_member(base, 0);
    bool equal = true;

    for (uint32_t i = 0; i < count; i++) {
        const MemberParams *member = scenario_member(base, i);
        g_autofree char *place = g_strdup_printf("members.%s", base->names.members[i]);

        equal &= member->memory.max_bytes == first->memory.max_bytes &&
                 member->memory.evict == first->memory.evict &&
                 g_strcmp0(member->sku, first->sku) == 0;
        if (member->memory.evict != 0)
            scenario_add_lint(file, LINT_NOTE, place, "",
                              "eviction (%s) is not simulated by this version",
                              evict_names[member->memory.evict]);
        if (member->security)
            scenario_add_lint(file, LINT_NOTE, place, "",
                              "security is kept and not simulated by this version");
    }
    if (azure && !equal)
        scenario_add_lint(file, LINT_WARNING, "members", "how-to-active-geo-replication",
                          "all members of a group must have equal SKU, size and eviction policy");
    else
        scenario_add_lint(file, LINT_OK, "members", "", "%u member%s of equal size", count,
                          count == 1 ? "" : "s");
    if (azure && count > 1)
        scenario_add_lint(
            file, LINT_NOTE, "", "how-to-active-geo-replication",
            "the service gives no SLA on sync time; lag below is what the scenario's links say");
}

static void lint_later(ScenarioFile *file, const Scenario *base)
{
    const JsonNode *formats = base->params.report ? json_get(base->params.report, "formats") : NULL;

    if (base->params.sweeps)
        scenario_add_lint(file, LINT_NOTE, "sweeps", "", "kept and not run by this version");
    for (size_t i = 0; formats && i < formats->count; i++)
        if (formats->items[i]->kind == JSON_TEXT && strcmp(formats->items[i]->text, "text") != 0 &&
            strcmp(formats->items[i]->text, "json") != 0)
            scenario_add_lint(file, LINT_NOTE, "report.formats", "",
                              "\"%s\" comes with a later version", formats->items[i]->text);
    for (uint32_t i = 0; i < file->expectation_count; i++)
        if (file->expectations[i].unsupported) {
            g_autofree char *place = g_strdup_printf("expect.%s", file->expectations[i].id);

            scenario_add_lint(file, LINT_NOTE, place, "", "not judged: %s",
                              file->expectations[i].unsupported);
        }
    for (uint32_t i = 1; i < file->scenario_count; i++)
        if (!scenario_runs_by_default(file, file->scenarios[i])) {
            g_autofree char *place = g_strdup_printf("variants.%s", file->scenarios[i]->variant);

            scenario_add_lint(
                file, LINT_NOTE, place, "",
                "runs only when asked for: nothing it is there for can be judged yet");
        }
}

void scenario_lint(ScenarioFile *file)
{
    const Scenario *base = file->scenarios[0];

    scenario_add_lint(file, LINT_OK, "", "", "shape, units and references");
    scenario_add_lint(file, LINT_OK, "variants", "", "%u checked", file->scenario_count - 1);
    lint_members(file, base);
    scenario_add_lint(file, LINT_OK, "expect", "", "%u expectation%s, units checked",
                      file->expectation_count, file->expectation_count == 1 ? "" : "s");
    if (base->operations.alert_count > 0 && base->operations.runbook_count == 0)
        scenario_add_lint(file, LINT_WARNING, "runbooks", "rehearsal.md 1.2",
                          "alerts fire but nobody acts on them");
    lint_later(file, base);
}
