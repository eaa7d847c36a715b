/* Families and workloads: commands fit types, shares name families, curves are in order. */
#include <string.h>

#include "models/data/command_known.h"
#include "models/observe/lost_writes.h"
#include "models/scenario/op_trial.h"
#include "models/scenario/scenario_resolve.h"
#include "sim/units.h"

/* Of a command for keys of this type: whether a workload can send it. */
static bool op_is_possible(const FamilyParams *family, size_t index, GError **error)
{
    g_autoptr(Arena) arena = arena_new();
    const char *reply = op_trial(family, index, arena);
    const char *remedy = "take another command";

    if (!reply)
        return true;
    if (op_trial_wants_ttl(family, index))
        remedy = op_trial_sends_ttl(family->specs[index])
                     ? "give the family or this operation a \"ttl\" such as \"10m\""
                     : "give the family a \"ttl\" such as \"10m\"";
    json_error_key(error, family->ops.nodes[index],
                   "\"%s\" cannot work as a workload sends it, with one key and the family's sizes "
                   "and times: %s; %s",
                   family->ops.ids[index], reply, remedy);
    return false;
}

static bool check_block(const OpParams *op, const CommandSpec *spec, GError **error)
{
    if (op->block_ns == 0 || spec->shape == SHAPE_WAIT)
        return true;
    json_error_key(
        error, json_get(op->node, "block"),
        "%s waits for nothing; \"block\" is for BLPOP, BRPOP, BZPOPMIN, BZPOPMAX and XREAD",
        spec->name);
    return false;
}

static bool resolve_op(const FamilyParams *family, size_t index, GError **error)
{
    const char *name = family->ops.ids[index];
    const JsonNode *at = family->ops.nodes[index];
    const char *type = family_type_names[family->type];
    const CommandSpec *spec = command_find(name, strlen(name));
    g_autoptr(GPtrArray) names = NULL;
    KnownCommand known;
    const char *nearest;

    if (family->type == FAMILY_TYPE_EXTERNAL) {
        if (strcmp(name, "READ") == 0 || strcmp(name, "WRITE") == 0)
            return true;
        json_error_key(
            error, at,
            "an external record has READ and WRITE, not \"%s\"; it is never simulated as Redis",
            name);
        return false;
    }
    if (spec && strcmp(spec->name, name) != 0) {
        json_error_key(error, at, "\"%s\" is not how commands are written; did you mean \"%s\"?",
                       name, spec->name);
        return false;
    }
    family->specs[index] = spec;
    if (spec && op_trial_serves(spec, family->type))
        return check_block(param_map_at(&family->ops, OpParams, index), spec, error);
    if (spec) {
        json_error_key(error, at,
                       "\"%s\" is no command for a %s; take one of its own or change the type",
                       name, type);
        return false;
    }
    if (command_known_find(name, strlen(name), &known) && known.standing == COMMAND_REFUSED) {
        json_error_key(error, at, "\"%s\" is refused: %s; take another command", name,
                       known.reason);
        return false;
    }
    names = g_ptr_array_new();
    for (size_t i = 0; i < command_count(); i++)
        g_ptr_array_add(names, (void *)(uintptr_t)command_at(i)->name);
    nearest = nearest_name(name, (const char *const *)names->pdata, names->len);
    json_error_key(error, at, "\"%s\" is not a command of this version; %s%s%s", name,
                   nearest ? "did you mean \"" : "`quintet list commands` prints them",
                   nearest ? nearest : "", nearest ? "\"?" : "");
    return false;
}

/* The closed form knows keys that are created, renewed and deleted whole. */
static bool has_steady_state(const FamilyParams *family, GError **error)
{
    for (size_t i = 0; i < family->ops.count; i++) {
        if (!family->specs[i] || family->specs[i]->life != LIFE_OTHER)
            continue;
        json_error(error, family->prefill,
                   "with %s there is no closed form for which keys exist in the long run; write a "
                   "share such as \"90%%\"",
                   family->ops.ids[i]);
        return false;
    }
    return true;
}

static bool resolve_prefill(FamilyParams *family, GError **error)
{
    const JsonNode *at = family->prefill;

    family->prefill_share = 1;
    if (!at)
        return true;
    if (at->kind == JSON_TEXT && strcmp(at->text, "steady") == 0) {
        family->prefill_share = -1;
        return has_steady_state(family, error);
    }
    if (at->kind == JSON_NUMBER)
        family->prefill_share = at->number;
    if ((at->kind == JSON_NUMBER ||
         (at->kind == JSON_TEXT && parse_share(at->text, &family->prefill_share))) &&
        family->prefill_share >= 0 && family->prefill_share <= 1)
        return true;
    json_error(error, at, "prefill is a share from 0 to 1 (such as \"95%%\") or \"steady\"");
    return false;
}

/* What keys of the type do not have would be believed and ignored. */
static bool check_fields(const FamilyParams *family, GError **error)
{
    const JsonNode *fields = json_get(family->node, "fields");
    const JsonNode *field_size = json_get(family->node, "field_size");
    const char *type = family_type_names[family->type];

    if (fields && (family->type == FAMILY_TYPE_EXTERNAL || !family_type_has_fields(family->type))) {
        json_error(error, fields,
                   "a key of type %s is one value without parts; drop \"fields\", or take \"hash\"",
                   type);
        return false;
    }
    if (!field_size || family->type == CRDT_HASH)
        return true;
    json_error(error, field_size,
               "keys of type %s have no fields with names; drop \"field_size\", or take \"hash\"",
               type);
    return false;
}

/* Commands that name elements, any number of them. */
static bool names_several(const CommandSpec *spec)
{
    return spec && spec->arity < 0 && (spec->shape == SHAPE_FIELDS || spec->shape == SHAPE_MEMBERS);
}

/* A key that expires as it is written was never there; 0 is no way to say "for ever" either. */
static bool check_ttl(const Dist *ttl, const JsonNode *object, const char *without, GError **error)
{
    if (!ttl || dist_mean(ttl) >= (double)SIM_MS)
        return true;
    json_error(error, json_get(object, "ttl"),
               "keys would be gone as soon as they are written; drop \"ttl\" %s, or write at least "
               "1ms",
               without);
    return false;
}

static bool check_op_fields(const FamilyParams *family, size_t index, GError **error)
{
    const OpParams *op = param_map_at(&family->ops, OpParams, index);
    const JsonNode *at = json_get(op->node, "fields");

    if (!at)
        return true;
    if (!names_several(family->specs[index])) {
        json_error(error, at,
                   "%s does not name several elements; drop \"fields\", which is for operations "
                   "such as HMGET, HSET and SADD",
                   family->ops.ids[index]);
        return false;
    }
    if (op->fields <= family->fields)
        return true;
    json_error(error, at,
               "%" G_GUINT64_FORMAT " elements of keys that have %" G_GUINT64_FORMAT
               "; lower it, or raise \"fields\" of the family",
               op->fields, family->fields);
    return false;
}

/* What a command does not carry would be believed and ignored. */
static bool check_op_sizes(const FamilyParams *family, size_t index, GError **error)
{
    const OpParams *op = param_map_at(&family->ops, OpParams, index);
    const char *name = family->ops.ids[index];

    if (op->bytes && !op_trial_sends_bytes(family, index)) {
        json_error(error, json_get(op->node, "bytes"),
                   "%s sends no value to the other members; drop \"bytes\"", name);
        return false;
    }
    if (op->ttl && !(family->specs[index] && op_trial_sends_ttl(family->specs[index]))) {
        json_error(error, json_get(op->node, "ttl"),
                   "%s sets no time to live; drop \"ttl\", which is for operations such as SET and "
                   "EXPIRE, or give it to the family",
                   name);
        return false;
    }
    return check_ttl(op->ttl, op->node, "for the family's", error);
}

static bool resolve_family(Scenario *scenario, FamilyParams *family, GError **error)
{
    double total = 0;

    if (!check_fields(family, error) ||
        !check_ttl(family->ttl, family->node, "for keys that do not expire", error))
        return false;
    family->specs = arena_array(scenario->arena, const CommandSpec *, family->ops.count);
    for (size_t i = 0; i < family->ops.count; i++) {
        if (!resolve_op(family, i, error) || !check_op_fields(family, i, error))
            return false;
        total += param_map_at(&family->ops, OpParams, i)->share;
    }
    for (size_t i = 0; i < family->ops.count; i++)
        if ((family->specs[i] && !op_is_possible(family, i, error)) ||
            !check_op_sizes(family, i, error))
            return false;
    if (total <= 0) {
        json_error(error, json_get(family->node, "ops"),
                   "the shares add up to 0; give one operation a share");
        return false;
    }
    return resolve_prefill(family, error);
}

static bool resolve_mix(Scenario *scenario, WorkloadParams *workload, GError **error)
{
    const char *const *families = scenario->scope.family;
    double total = 0;

    workload->family_indexes = arena_array(scenario->arena, uint32_t, workload->mix.count + 1);
    for (size_t i = 0; i < workload->mix.count; i++) {
        int32_t index = name_index(families, workload->mix.ids[i]);

        if (index < 0)
            return scenario_unknown(error, workload->mix.nodes[i], "family", workload->mix.ids[i],
                                    families);
        workload->family_indexes[i] = (uint32_t)index;
        total += *param_map_at(&workload->mix, double, i);
    }
    if (total > 0)
        return true;
    json_error(error, json_get(workload->node, "mix"),
               "the shares add up to 0; give one family a share");
    return false;
}

static bool resolve_bursts(const Scenario *scenario, const WorkloadParams *workload, GError **error)
{
    char at_text[UNIT_TEXT_MAX], end_text[UNIT_TEXT_MAX];

    for (size_t i = 0; i < workload->bursts.count; i++) {
        const BurstParams *burst = param_map_at(&workload->bursts, BurstParams, i);

        if (burst->at_ns + burst->for_ns <= scenario->params.duration_ns)
            continue;
        json_error(error, burst->node,
                   "ends at %s, past the run's end (%s); shorten it or raise duration",
                   format_time(burst->at_ns + burst->for_ns, at_text),
                   format_time(scenario->params.duration_ns, end_text));
        return false;
    }
    return true;
}

static bool resolve_curve(Scenario *scenario, WorkloadParams *workload, GError **error)
{
    const JsonNode *points = workload->curve.points;

    if (!points)
        return true;
    if (points->kind != JSON_OBJECT || points->count == 0) {
        json_error(error, points,
                   "write points as times of day and factors, such as {\"0h\": 0.4, \"12h\": 1.0}");
        return false;
    }
    workload->curve_at_ns = arena_array(scenario->arena, SimTime, points->count);
    workload->curve_factor = arena_array(scenario->arena, double, points->count);
    for (size_t i = 0; i < points->count; i++) {
        const JsonNode *point = points->items[i];
        SimTime *at_ns = &workload->curve_at_ns[i];

        if (!parse_duration(point->key, at_ns) || *at_ns < 0 ||
            *at_ns >= workload->curve.period_ns || (i > 0 && *at_ns <= at_ns[-1])) {
            json_error_key(error, point,
                           "\"%s\" is no later time inside the period; write times in rising order",
                           point->key);
            return false;
        }
        if (point->kind != JSON_NUMBER || point->number < 0) {
            json_error(error, point, "a factor is a number from 0 up, such as 0.4");
            return false;
        }
        workload->curve_factor[i] = point->number;
    }
    workload->curve_count = (uint32_t)points->count;
    return true;
}

static bool resolve_workload(Scenario *scenario, WorkloadParams *workload, GError **error)
{
    int32_t site = name_index(scenario->names.sites, workload->site);

    if (site < 0)
        return scenario_unknown(error, json_get(workload->node, "site"), "site", workload->site,
                                scenario->names.sites);
    workload->site_index = (uint32_t)site;
    return resolve_mix(scenario, workload, error) && resolve_bursts(scenario, workload, error) &&
           resolve_curve(scenario, workload, error);
}

/* Op names and other labels that expressions may use. */
static void collect_ops(Scenario *scenario)
{
    GPtrArray *names = g_ptr_array_new();
    const ParamMap *families = &scenario->params.families;
    const char **copy;

    for (size_t i = 0; i < families->count; i++) {
        const FamilyParams *family = param_map_at(families, FamilyParams, i);

        for (size_t k = 0; k < family->ops.count; k++)
            g_ptr_array_add(names, (void *)(uintptr_t)family->ops.ids[k]);
    }
    copy = arena_array(scenario->arena, const char *, names->len + 1);
    for (guint i = 0; i < names->len; i++)
        copy[i] = g_ptr_array_index(names, i);
    g_ptr_array_free(names, TRUE);
    scenario->scope.op = copy;
}

/* Families of which an expectation could be told 0 although nobody looked. */
static void collect_uncounted(Scenario *scenario)
{
    const ParamMap *families = &scenario->params.families;
    const char **names = arena_array(scenario->arena, const char *, families->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < families->count; i++)
        if (lost_writes_of_type(param_map_at(families, FamilyParams, i)->type) ==
            OVERWRITES_NOT_COUNTED)
            names[count++] = families->ids[i];
    scenario->scope.uncounted = names;
}

bool scenario_resolve_data(Scenario *scenario, GError **error)
{
    ScenarioParams *p = &scenario->params;

    for (size_t i = 0; i < p->families.count; i++)
        if (!resolve_family(scenario, param_map_at(&p->families, FamilyParams, i), error))
            return false;
    for (size_t i = 0; i < p->workloads.count; i++)
        if (!resolve_workload(scenario, param_map_at(&p->workloads, WorkloadParams, i), error))
            return false;
    collect_ops(scenario);
    collect_uncounted(scenario);
    return true;
}
