/* From scenario objects to specs: names resolved, expressions checked, cycles refused.
 *
 * Steps refer to each other by `after`; a step may only follow a step of its own runbook and never
 * itself, however far around.
 */
#include "models/operators/operators.h"

#include <string.h>

typedef struct {
    const JsonNode *node;
    const char *when;
    SimTime for_ns, every_ns;
    const char *notify;
} AlertParams;

static const Param alert_params[] = {
    {.name = "when",
     .summary = "the condition watched",
     .kind = PARAM_EXPRESSION,
     .required = true,
     .offset = offsetof(AlertParams, when)},
    {.name = "for",
     .summary = "how long it must hold",
     .kind = PARAM_DURATION,
     .fallback = "0s",
     .min = 0,
     .max = 1e18,
     .offset = offsetof(AlertParams, for_ns)},
    {.name = "every",
     .summary = "how often it is evaluated",
     .kind = PARAM_DURATION,
     .fallback = "1m",
     .min = 1e9,
     .max = 1e18,
     .offset = offsetof(AlertParams, every_ns)},
    {.name = "notify",
     .summary = "the operator",
     .kind = PARAM_ID,
     .required = true,
     .offset = offsetof(AlertParams, notify)},
};
const ParamTable alert_table = {.name = "alert",
                                .summary = "a condition that calls an operator",
                                .params = alert_params,
                                .count = G_N_ELEMENTS(alert_params),
                                .struct_size = sizeof(AlertParams),
                                .node_offset = offsetof(AlertParams, node)};

typedef struct {
    const char *from, *to;
    double x;
} OffHoursParams;

typedef struct {
    const JsonNode *node;
    const Dist *ack, *decide, *approve;
    ParamMap may;
    OffHoursParams off_hours;
    ParamMap mistakes;
} OperatorParams;

static const Param off_hours_params[] = {
    {.name = "from",
     .summary = "time of day, \"18:00\"",
     .kind = PARAM_TEXT,
     .required = true,
     .offset = offsetof(OffHoursParams, from)},
    {.name = "to",
     .summary = "time of day, \"07:00\"",
     .kind = PARAM_TEXT,
     .required = true,
     .offset = offsetof(OffHoursParams, to)},
    {.name = "x",
     .summary = "ack, decide and approve take this many times longer",
     .kind = PARAM_NUMBER,
     .fallback = "2",
     .min = 1,
     .max = 1000,
     .offset = offsetof(OffHoursParams, x)},
};
static const ParamTable off_hours_table = {.name = "off-hours",
                                           .params = off_hours_params,
                                           .count = G_N_ELEMENTS(off_hours_params),
                                           .struct_size = sizeof(OffHoursParams),
                                           .node_offset = SIZE_MAX};

static const Param verb_name = {.name = "verb", .summary = "an operator verb", .kind = PARAM_ID};

static const Param operator_params[] = {
    {.name = "ack",
     .summary = "from the alert to the acknowledgement",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(OperatorParams, ack)},
    {.name = "decide",
     .summary = "from the acknowledgement to the decision",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(OperatorParams, decide)},
    {.name = "approve",
     .summary = "for a second person's approval, where a step asks for it",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(OperatorParams, approve)},
    {.name = "may",
     .summary = "the verbs this operator may use (default: all)",
     .kind = PARAM_LIST,
     .item = &verb_name,
     .offset = offsetof(OperatorParams, may)},
    {.name = "off_hours",
     .summary = "when people are slower",
     .kind = PARAM_OBJECT,
     .table = &off_hours_table,
     .offset = offsetof(OperatorParams, off_hours)},
    {.name = "mistakes",
     .summary = "probability of a wrong move by verb",
     .kind = PARAM_ID_SHARES,
     .offset = offsetof(OperatorParams, mistakes)},
};
const ParamTable operator_table = {.name = "operator",
                                   .summary = "people, and how long they take",
                                   .params = operator_params,
                                   .count = G_N_ELEMENTS(operator_params),
                                   .struct_size = sizeof(OperatorParams),
                                   .node_offset = offsetof(OperatorParams, node)};

typedef struct {
    const JsonNode *node;
    PluginChoice verb;
    const char *after;
    const char *guard;
    const Dist *takes;
    bool approval;
    const char *ends;
} StepParams;

static const Param step_params[] = {
    {.name = "do",
     .summary = "the verb",
     .kind = PARAM_PLUGIN,
     .family = &operator_verb_family,
     .required = true,
     .offset = offsetof(StepParams, verb)},
    {.name = "after",
     .summary = "the step it follows (default: the runbook's start)",
     .kind = PARAM_ID,
     .offset = offsetof(StepParams, after)},
    {.name = "if",
     .summary = "skipped, and so done, when this does not hold",
     .kind = PARAM_EXPRESSION,
     .offset = offsetof(StepParams, guard)},
    {.name = "takes",
     .summary = "how long it takes; replaces the verb's own",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(StepParams, takes)},
    {.name = "approval",
     .summary = "a second person must approve first",
     .kind = PARAM_BOOL,
     .offset = offsetof(StepParams, approval)},
    {.name = "ends",
     .summary = "labels the time from the fault to this step's end",
     .kind = PARAM_ID,
     .offset = offsetof(StepParams, ends)},
};
static const ParamTable step_table = {.name = "step",
                                      .summary = "one action of a runbook",
                                      .params = step_params,
                                      .count = G_N_ELEMENTS(step_params),
                                      .struct_size = sizeof(StepParams),
                                      .node_offset = offsetof(StepParams, node)};

typedef struct {
    const JsonNode *node;
    const char *on;
    ParamMap steps;
} RunbookParams;

static const Param runbook_params[] = {
    {.name = "on",
     .summary = "an alert, or fault:<id> or after:<id>",
     .kind = PARAM_TEXT,
     .required = true,
     .offset = offsetof(RunbookParams, on)},
    {.name = "steps",
     .summary = "what is done",
     .kind = PARAM_MAP,
     .table = &step_table,
     .required = true,
     .count_min = 1,
     .count_max = 100,
     .offset = offsetof(RunbookParams, steps)},
};
const ParamTable runbook_table = {.name = "runbook",
                                  .summary = "steps that follow an alert or a fault",
                                  .params = runbook_params,
                                  .count = G_N_ELEMENTS(runbook_params),
                                  .struct_size = sizeof(RunbookParams),
                                  .node_offset = offsetof(RunbookParams, node)};

/* "18:00" to ns of the day. */
static bool read_time_of_day(const char *text, SimTime *out_ns)
{
    if (strlen(text) != 5 || text[2] != ':' || !g_ascii_isdigit(text[0]) ||
        !g_ascii_isdigit(text[1]) || !g_ascii_isdigit(text[3]) || !g_ascii_isdigit(text[4]))
        return false;
    *out_ns = ((text[0] - '0') * 10 + (text[1] - '0')) * SIM_HOUR +
              ((text[3] - '0') * 10 + (text[4] - '0')) * SIM_MIN;
    return *out_ns < SIM_DAY && text[3] < '6';
}

static const char *const *ids_of(const ParamMap *map, Arena *arena)
{
    const char **ids = arena_array(arena, const char *, map->count + 1);

    for (size_t i = 0; i < map->count; i++)
        ids[i] = map->ids[i];
    return ids;
}

static void unknown_name(GError **error, const JsonNode *at, const char *what, const char *found,
                         const char *const *names)
{
    size_t count = 0;
    const char *nearest;

    while (names[count])
        count++;
    nearest = nearest_name(found, names, count);
    if (nearest)
        json_error(error, at, "no %s is called \"%s\"; did you mean \"%s\"?", what, found, nearest);
    else
        json_error(error, at, "no %s is called \"%s\"; declare it or name one that exists", what,
                   found);
}

static bool verbs_exist(const ParamMap *map, const char *const *names, GError **error)
{
    for (size_t i = 0; i < map->count; i++)
        if (!plugin_find(&operator_verb_family, names[i])) {
            plugin_unknown(error, map->nodes[i], &operator_verb_family, names[i]);
            return false;
        }
    return true;
}

static bool operator_resolve(const OperatorParams *p, const char *id, OperatorSpec *out,
                             GError **error)
{
    const JsonNode *off = json_get(p->node, "off_hours");

    if (!verbs_exist(&p->may, p->may.items, error) ||
        !verbs_exist(&p->mistakes, (const char *const *)p->mistakes.ids, error))
        return false;
    for (size_t i = 0; i < p->mistakes.count; i++) {
        if (*param_map_at(&p->mistakes, double, i) > 0) {
            json_error(error, p->mistakes.nodes[i],
                       "mistakes are not simulated by this version; write 0 or leave it out");
            return false;
        }
    }
    *out = (OperatorSpec){
        .id = id, .ack = p->ack, .decide = p->decide, .approve = p->approve, .off_factor = 1};
    if (!off)
        return true;
    out->off_factor = p->off_hours.x;
    if (!read_time_of_day(p->off_hours.from, &out->off_from_ns)) {
        json_error(error, json_get(off, "from"), "\"%s\" is no time of day; write it as \"18:00\"",
                   p->off_hours.from);
        return false;
    }
    if (!read_time_of_day(p->off_hours.to, &out->off_to_ns)) {
        json_error(error, json_get(off, "to"), "\"%s\" is no time of day; write it as \"07:00\"",
                   p->off_hours.to);
        return false;
    }
    return true;
}

/* A verb's duration: the step's own, the control plane's, the verb's default. */
static bool step_duration(const StepParams *p, const JsonNode *control_plane, Arena *arena,
                          const Dist **out, GError **error)
{
    const OperatorVerb *verb = (const OperatorVerb *)p->verb.head;
    const JsonNode *at = control_plane ? json_get(control_plane, verb->head.name) : NULL;
    struct {
        const Dist *takes;
    } holder = {0};
    const Param takes = {.name = verb->head.name, .kind = PARAM_DIST_TIME, .offset = 0};
    const ParamTable wrapper = {.name = "takes",
                                .params = &takes,
                                .count = 1,
                                .struct_size = sizeof holder,
                                .node_offset = SIZE_MAX};
    g_autofree char *text = NULL;
    JsonDoc *doc;

    *out = p->takes;
    if (*out || (!at && !verb->takes))
        return true;
    text = at ? json_to_text(at) : g_strdup(verb->takes);
    {
        g_autofree char *wrapped = g_strdup_printf("{\"%s\": %s}", verb->head.name, text);

        doc = json_parse(at ? at->file : "default", wrapped, strlen(wrapped), error);
    }
    if (!doc)
        return false;
    arena_own(arena, doc, (void (*)(void *))json_doc_free);
    if (!param_parse(&wrapper, json_root(doc), arena, &holder, at ? NULL : error)) {
        if (at)
            json_error(error, at,
                       "not a duration; write \"3m\" or {\"lognormal\": {\"p50\": \"3m\", \"p95\": "
                       "\"10m\"}}");
        return false;
    }
    *out = holder.takes;
    return true;
}

typedef struct {
    const NameScope *names;
    const ExpressionScope *scope;
    const JsonNode *control_plane;
    Arena *arena;
} ResolveContext;

static bool step_resolve(const StepParams *p, const char *id, const char *const *step_ids,
                         const ResolveContext *c, StepSpec *out, GError **error)
{
    const OperatorVerb *verb = (const OperatorVerb *)p->verb.head;

    *out =
        (StepSpec){.id = id, .verb = verb, .after = -1, .approval = p->approval, .ends = p->ends};
    if (p->after) {
        out->after = name_index(step_ids, p->after);
        if (out->after < 0) {
            unknown_name(error, json_get(p->node, "after"), "step of this runbook", p->after,
                         step_ids);
            return false;
        }
    }
    if (p->guard) {
        out->guard = expression_parse(json_get(p->node, "if"), c->scope, c->arena, error);
        if (!out->guard)
            return false;
    }
    if (!step_duration(p, c->control_plane, c->arena, &out->takes, error))
        return false;
    out->state = verb->resolve(p->verb.params, c->names, c->scope, p->node, c->arena, error);
    return out->state != NULL;
}

static bool steps_are_acyclic(const RunbookParams *p, const StepSpec *steps, uint32_t count,
                              GError **error)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hops = 0;

        for (int32_t at = (int32_t)i; at >= 0; at = steps[at].after) {
            if (++hops <= count)
                continue;
            json_error(error, json_get(p->steps.nodes[i], "after"),
                       "the steps follow each other in a circle; one of them must come first");
            return false;
        }
    }
    return true;
}

static bool trigger_resolve(const RunbookParams *p, const NameScope *names, RunbookSpec *out,
                            GError **error)
{
    const JsonNode *at = json_get(p->node, "on");
    bool on_fault = g_str_has_prefix(p->on, "fault:");
    bool after_fault = g_str_has_prefix(p->on, "after:");
    const char *name = on_fault || after_fault ? p->on + 6 : p->on;
    const char *const *candidates = on_fault || after_fault ? names->faults : names->alerts;
    int32_t index = name_index(candidates, name);

    if (index < 0) {
        unknown_name(error, at, on_fault || after_fault ? "fault" : "alert", name, candidates);
        return false;
    }
    out->trigger = on_fault      ? RUNBOOK_ON_FAULT
                   : after_fault ? RUNBOOK_AFTER_FAULT
                                 : RUNBOOK_ON_ALERT;
    out->trigger_index = (uint32_t)index;
    return true;
}

/* An operator who is called by the runbook's alert must be allowed every verb of it. */
static bool runbook_is_allowed(const RunbookParams *p, const RunbookSpec *runbook,
                               const OperatorParams *person, GError **error)
{
    for (uint32_t i = 0; i < runbook->step_count && person->may.count > 0; i++) {
        bool allowed = false;

        for (size_t k = 0; k < person->may.count; k++)
            allowed |= strcmp(*param_map_at(&person->may, const char *, k),
                              runbook->steps[i].verb->head.name) == 0;
        if (!allowed) {
            json_error(error, json_get(p->steps.nodes[i], "do"),
                       "the operator called by this runbook's alert may not %s; add it to \"may\"",
                       runbook->steps[i].verb->head.name);
            return false;
        }
    }
    return true;
}

static bool runbook_resolve(const RunbookParams *p, const char *id, const ResolveContext *c,
                            RunbookSpec *out, GError **error)
{
    const char *const *step_ids = ids_of(&p->steps, c->arena);
    StepSpec *steps = arena_array(c->arena, StepSpec, p->steps.count);

    *out = (RunbookSpec){.id = id, .steps = steps, .step_count = (uint32_t)p->steps.count};
    if (!trigger_resolve(p, c->names, out, error))
        return false;
    for (size_t i = 0; i < p->steps.count; i++)
        if (!step_resolve(param_map_at(&p->steps, StepParams, i), p->steps.ids[i], step_ids, c,
                          &steps[i], error))
            return false;
    return steps_are_acyclic(p, steps, out->step_count, error);
}

static bool alerts_resolve(const OperationsParams *params, const ExpressionScope *scope,
                           Arena *arena, OperationsSpec *out, GError **error)
{
    AlertSpec *alerts = arena_array(arena, AlertSpec, params->alerts.count + 1);
    const char *const *operator_ids = ids_of(&params->operators, arena);

    for (size_t i = 0; i < params->alerts.count; i++) {
        const AlertParams *p = param_map_at(&params->alerts, AlertParams, i);
        int32_t person = name_index(operator_ids, p->notify);

        if (person < 0) {
            unknown_name(error, json_get(p->node, "notify"), "operator", p->notify, operator_ids);
            return false;
        }
        alerts[i] = (AlertSpec){.id = params->alerts.ids[i],
                                .for_ns = p->for_ns,
                                .every_ns = p->every_ns,
                                .operator_index = (uint32_t)person};
        alerts[i].when = expression_parse(json_get(p->node, "when"), scope, arena, error);
        if (!alerts[i].when)
            return false;
    }
    out->alerts = alerts;
    out->alert_count = (uint32_t)params->alerts.count;
    return true;
}

/* Durations by verb; "release" is of a later version. */
static bool control_plane_is_known(const JsonNode *control_plane, GError **error)
{
    if (control_plane && control_plane->kind != JSON_OBJECT) {
        json_error(error, control_plane,
                   "durations are given by verb; write {\"redirect\": \"3m\"}");
        return false;
    }
    for (size_t i = 0; control_plane && i < control_plane->count; i++) {
        const JsonNode *item = control_plane->items[i];

        if (strcmp(item->key, "about") == 0 || strcmp(item->key, "release") == 0 ||
            plugin_find(&operator_verb_family, item->key))
            continue;
        plugin_unknown(error, item, &operator_verb_family, item->key);
        return false;
    }
    return true;
}

bool operations_resolve(const OperationsParams *params, const NameScope *names,
                        const ExpressionScope *scope, Arena *arena, OperationsSpec *out,
                        GError **error)
{
    const ResolveContext context = {names, scope, params->control_plane, arena};
    OperatorSpec *operators = arena_array(arena, OperatorSpec, params->operators.count + 1);
    RunbookSpec *runbooks = arena_array(arena, RunbookSpec, params->runbooks.count + 1);

    if (!control_plane_is_known(params->control_plane, error))
        return false;
    for (size_t i = 0; i < params->operators.count; i++)
        if (!operator_resolve(param_map_at(&params->operators, OperatorParams, i),
                              params->operators.ids[i], &operators[i], error))
            return false;
    if (!alerts_resolve(params, scope, arena, out, error))
        return false;
    for (size_t i = 0; i < params->runbooks.count; i++) {
        const RunbookParams *p = param_map_at(&params->runbooks, RunbookParams, i);

        if (!runbook_resolve(p, params->runbooks.ids[i], &context, &runbooks[i], error))
            return false;
        if (runbooks[i].trigger == RUNBOOK_ON_ALERT &&
            !runbook_is_allowed(p, &runbooks[i],
                                param_map_at(&params->operators, OperatorParams,
                                             out->alerts[runbooks[i].trigger_index].operator_index),
                                error))
            return false;
    }
    out->operators = operators;
    out->operator_count = (uint32_t)params->operators.count;
    out->runbooks = runbooks;
    out->runbook_count = (uint32_t)params->runbooks.count;
    return true;
}

void operations_each_condition(const OperationsSpec *spec,
                               void (*visit)(void *actor, const Expression *expression),
                               void *actor)
{
    for (uint32_t i = 0; i < spec->alert_count; i++)
        visit(actor, spec->alerts[i].when);
    for (uint32_t i = 0; i < spec->runbook_count; i++)
        for (uint32_t k = 0; k < spec->runbooks[i].step_count; k++) {
            const StepSpec *step = &spec->runbooks[i].steps[k];
            const Expression *read = step->verb->reads ? step->verb->reads(step->state) : NULL;

            if (step->guard)
                visit(actor, step->guard);
            if (read)
                visit(actor, read);
        }
}
