/* Expectations: parsed once against the names of the base and of the variant they look at. */
#include <string.h>

#include "models/observe/metrics.h"
#include "models/scenario/scenario_resolve.h"

/* Why an expectation is listed and not judged; other metrics that nothing measures are refused. */
static const char *reason_unsupported(const Expression *expression)
{
    const Metric *metric = expression_unmeasured(expression);

    return metric ? metric->awaits : NULL;
}

bool scenario_check_measured(const Expression *expression, const JsonNode *at, GError **error)
{
    const Metric *metric = expression_unmeasured(expression);

    if (!metric)
        return true;
    json_error(error, at, "%s is not measured by this version; `quintet list metrics` says what is",
               metric->head.name);
    return false;
}

static const char *const *variant_names(const ScenarioFile *file, Arena *arena)
{
    const char **names = arena_array(arena, const char *, file->scenario_count + 1);

    for (uint32_t i = 1; i < file->scenario_count; i++)
        names[i - 1] = file->scenarios[i]->variant;
    return names;
}

static const char *const *phase_names(const Scenario *scenario, Arena *arena)
{
    const char **names = arena_array(arena, const char *, scenario->phase_count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < scenario->phase_count; i++)
        if (!g_str_has_prefix(scenario->phases[i].phase, "base/"))
            names[count++] = scenario->phases[i].phase;
    return names;
}

static const char *const *step_names(const Scenario *scenario, Arena *arena, bool ends)
{
    uint32_t count = 0, at = 0;
    const char **names;

    for (uint32_t i = 0; i < scenario->operations.runbook_count; i++)
        count += scenario->operations.runbooks[i].step_count;
    names = arena_array(arena, const char *, count + 1);
    for (uint32_t i = 0; i < scenario->operations.runbook_count; i++)
        for (uint32_t k = 0; k < scenario->operations.runbooks[i].step_count; k++) {
            const StepSpec *step = &scenario->operations.runbooks[i].steps[k];
            const char *name = ends ? step->ends : step->id;

            if (name)
                names[at++] = name;
        }
    return names;
}

static bool resolve_expectation(ScenarioFile *file, const ExpectParams *p, Expectation *out,
                                GError **error)
{
    const Scenario *base = file->scenarios[0];
    const Scenario *scenario = scenario_variant(file, out->variant);
    ExpressionScope scope = base->scope;

    if (!scenario)
        return scenario_unknown(error, json_get(p->node, "variant"), "variant", out->variant,
                                variant_names(file, file->arena));
    scope.variant = variant_names(file, file->arena);
    scope.phase = phase_names(base, file->arena);
    scope.step = step_names(base, file->arena, false);
    scope.ends = step_names(base, file->arena, true);
    if (name_index(scope.phase, out->phase) < 0)
        return scenario_unknown(error, json_get(p->node, "phase"), "phase", out->phase,
                                scope.phase);
    out->expression = expression_parse(json_get(p->node, "that"), &scope, file->arena, error);
    if (!out->expression)
        return false;
    out->unsupported = reason_unsupported(out->expression);
    if (!out->unsupported &&
        !scenario_check_measured(out->expression, json_get(p->node, "that"), error))
        return false;
    if (out->unsupported)
        out->expression = NULL;
    return true;
}

bool scenario_resolve_expectations(ScenarioFile *file, GError **error)
{
    const ParamMap *map = &file->scenarios[0]->params.expect;

    file->expectations = arena_array(file->arena, Expectation, map->count + 1);
    for (size_t i = 0; i < map->count; i++) {
        const ExpectParams *p = param_map_at(map, ExpectParams, i);
        Expectation *out = &file->expectations[i];

        *out = (Expectation){.id = map->ids[i],
                             .why = p->why ? p->why : "",
                             .variant = p->variant ? p->variant : "",
                             .phase = p->phase,
                             .text = p->that,
                             .must = p->severity == 0};
        if (!resolve_expectation(file, p, out, error))
            return false;
    }
    file->expectation_count = (uint32_t)map->count;
    return true;
}
