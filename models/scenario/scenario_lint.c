/* Advice that is not an error: what the product would refuse or warn of, and what this version
 * leaves out. */
#include <stdarg.h>
#include <string.h>

#include "models/geo/memory.h"
#include "models/scenario/op_trial.h"
#include "models/scenario/scenario_resolve.h"
#include "sim/units.h"

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
        if (member->memory.overhead > 0 &&
            (member->memory.key_header_bytes != (uint64_t)header_sizes_default.key ||
             member->memory.element_header_bytes != (uint64_t)header_sizes_default.element))
            scenario_add_lint(file, LINT_WARNING, place, "",
                              "memory.overhead stands for headers too, so key_header and "
                              "element_header are not used; drop either");
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
            "the service gives no SLA on sync time; the lag here is what the scenario's links say");
}

/* Sites that can never use some member, and members whose data does not fit. */
static void lint_reach_and_room(ScenarioFile *file, const Scenario *base)
{
    const ScenarioParams *p = &base->params;
    double bytes = 0;

    for (uint32_t i = 0; i < p->sites.count; i++) {
        const Dist *rtt[MEMBER_MAX] = {NULL};

        if (!scenario_site_rtt(base, i, file->arena, rtt, NULL))
            continue;
        for (uint32_t m = 0; m < p->members.count; m++)
            if (!rtt[m]) {
                g_autofree char *place = g_strdup_printf("sites.%s", base->names.sites[i]);

                scenario_add_lint(file, LINT_WARNING, place, "",
                                  "no round trip to %s is known, so its clients can never use it",
                                  base->names.members[m]);
            }
    }
    for (size_t i = 0; i < p->families.count; i++) {
        const FamilyParams *family = param_map_at(&p->families, FamilyParams, i);
        double share = family->prefill_share < 0 ? 1 : family->prefill_share;

        if (family->type != FAMILY_TYPE_EXTERNAL && family->prefill_share >= 0)
            bytes += (double)family->keys * share * dist_mean(family->value);
    }
    for (uint32_t m = 0; m < p->members.count; m++) {
        const MemberParams *member = scenario_member(base, m);
        double needed = bytes * MAX(member->memory.overhead, 1.0);
        g_autofree char *place = g_strdup_printf("members.%s.memory.max", base->names.members[m]);
        char needed_text[UNIT_TEXT_MAX], max_text[UNIT_TEXT_MAX];

        if (needed > (double)member->memory.max_bytes * (1 - member->memory.reserve))
            scenario_add_lint(file, LINT_WARNING, place, "",
                              "the keys that exist at the start need at least %s of %s: client "
                              "writes are refused from the beginning",
                              format_bytes(needed, needed_text),
                              format_bytes((double)member->memory.max_bytes, max_text));
    }
}

/* Clients who give up before the command they sent would stop waiting. */
static void lint_waits_of(ScenarioFile *file, const Scenario *base, const WorkloadParams *workload,
                          uint32_t family_index)
{
    const FamilyParams *family = param_map_at(&base->params.families, FamilyParams, family_index);
    SimTime patience_ns = base->routing[workload->site_index].retry.timeout_ns;
    char block_text[UNIT_TEXT_MAX], patience_text[UNIT_TEXT_MAX];

    for (size_t i = 0; i < family->ops.count; i++) {
        const OpParams *op = param_map_at(&family->ops, OpParams, i);
        g_autofree char *place = g_strdup_printf(
            "families.%s.ops.%s", base->params.families.ids[family_index], family->ops.ids[i]);

        if (!family->specs[i] || family->specs[i]->shape != SHAPE_WAIT ||
            (op->block_ns > 0 && op->block_ns < patience_ns))
            continue;
        scenario_add_lint(file, LINT_WARNING, place, "",
                          "waits %s%s, but the clients of %s give up after %s: longer waits end as "
                          "timeouts; set \"block\" below that",
                          op->block_ns > 0 ? "up to " : "for ever",
                          op->block_ns > 0 ? format_time(op->block_ns, block_text) : "",
                          base->names.sites[workload->site_index],
                          format_time(patience_ns, patience_text));
    }
}

static void lint_waits(ScenarioFile *file, const Scenario *base)
{
    for (size_t i = 0; i < base->params.workloads.count; i++) {
        const WorkloadParams *workload = param_map_at(&base->params.workloads, WorkloadParams, i);

        for (size_t m = 0; m < workload->mix.count; m++)
            lint_waits_of(file, base, workload, workload->family_indexes[m]);
    }
}

/* Lists and streams whose keys get elements and never lose any. */
static void lint_growth(ScenarioFile *file, const Scenario *base)
{
    for (size_t i = 0; i < base->params.families.count; i++) {
        const FamilyParams *family = param_map_at(&base->params.families, FamilyParams, i);
        const char *adds = NULL;
        bool ends = family->ttl != NULL;
        g_autofree char *place = g_strdup_printf("families.%s", base->params.families.ids[i]);

        if (family->type != CRDT_LIST && family->type != CRDT_STREAM)
            continue;
        for (size_t op = 0; op < family->ops.count; op++) {
            int64_t added = op_trial_elements_added(family, op);

            if (!(param_map_at(&family->ops, OpParams, op)->share > 0))
                continue;
            adds = added > 0 && !adds ? family->ops.ids[op] : adds;
            ends |= added < 0 || family->specs[op]->shape == SHAPE_TTL;
        }
        if (adds && !ends)
            scenario_add_lint(file, LINT_WARNING, place, "",
                              "%s adds and no operation removes, so the keys only grow; add %s or "
                              "a ttl",
                              adds, family->type == CRDT_LIST ? "a pop, LTRIM, DEL" : "DEL");
    }
}

static bool is_written_alike(const JsonNode *a, const JsonNode *b)
{
    if (a->kind != b->kind || a->count != b->count || g_strcmp0(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (g_strcmp0(a->items[i]->key, b->items[i]->key) != 0 ||
            !is_written_alike(a->items[i], b->items[i]))
            return false;
    return true;
}

/* The same twice at once is one of them, mostly by mistake; delays of one link add up. */
static void lint_overlaps(ScenarioFile *file, const Scenario *base)
{
    for (uint32_t b = 1; b < base->fault_count; b++)
        for (uint32_t a = 0; a < b; a++) {
            const Fault *one = &base->faults[a], *two = &base->faults[b];
            SimTime from_ns = MAX(one->begin_ns, two->begin_ns);
            SimTime to_ns = MIN(one->end_ns, two->end_ns);
            const FaultParams *p = param_map_at(&base->params.faults, FaultParams, a);
            const FaultParams *q = param_map_at(&base->params.faults, FaultParams, b);
            char from_text[UNIT_TEXT_MAX], to_text[UNIT_TEXT_MAX];
            g_autofree char *place = g_strdup_printf("faults.%s", two->id);

            if (one->kind != two->kind || one->kind->adds_up || from_ns >= to_ns ||
                !is_written_alike(p->kind.node, q->kind.node))
                continue;
            scenario_add_lint(file, LINT_WARNING, place, "",
                              "does what faults.%s does from %s to %s; the two last together until "
                              "the later one ends, so move one or drop it",
                              one->id, format_time(from_ns, from_text),
                              format_time(to_ns, to_text));
        }
}

static void lint_later(ScenarioFile *file, const Scenario *base)
{
    const JsonNode *formats = base->params.report ? json_get(base->params.report, "formats") : NULL;

    if (base->params.redis_version)
        scenario_add_lint(file, LINT_NOTE, "redis_version", "",
                          "kept; this version simulates the memory rules of 8.4 (a reserve)");
    if (base->params.routing && json_get(base->params.routing, "session"))
        scenario_add_lint(file, LINT_NOTE, "routing.session", "",
                          "session guarantees are kept and not simulated by this version");
    for (size_t i = 0; i < base->params.faults.count; i++)
        if (param_map_at(&base->params.faults, FaultParams, i)->hidden)
            scenario_add_lint(file, LINT_NOTE, "faults", "",
                              "\"hidden\" is for the tabletop of a later version");
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

            scenario_add_lint(file, file->expectations[i].must ? LINT_WARNING : LINT_NOTE, place,
                              "", "not judged: %s", file->expectations[i].unsupported);
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
    lint_reach_and_room(file, base);
    lint_waits(file, base);
    lint_growth(file, base);
    lint_overlaps(file, base);
    scenario_add_lint(file, LINT_OK, "expect", "", "%u expectation%s, units checked",
                      file->expectation_count, file->expectation_count == 1 ? "" : "s");
    if (base->operations.alert_count > 0 && base->operations.runbook_count == 0)
        scenario_add_lint(file, LINT_WARNING, "runbooks", "rehearsal.md 1.2",
                          "alerts fire but nobody acts on them");
    lint_later(file, base);
}
