/* What a table cannot say: references, limits of one value by another, defaults from the carried
 * data. */
#include "models/scenario/scenario_resolve.h"

#include <string.h>

#include "models/observe/phases.h"
#include "models/scenario/catalog.h"
#include "sim/units.h"

bool scenario_unknown(GError **error, const JsonNode *at, const char *what, const char *found,
                      const char *const *names)
{
    size_t count = 0;
    const char *nearest;
    g_autofree char *list = NULL;

    while (names[count])
        count++;
    nearest = nearest_name(found, names, count);
    list = g_strjoinv(", ", (char **)(void *)names);
    if (nearest)
        json_error(error, at, "no %s is called \"%s\"; did you mean \"%s\"?", what, found, nearest);
    else
        json_error(error, at, "no %s is called \"%s\"; there %s %s", what, found,
                   count == 1 ? "is" : "are", count > 0 ? list : "none");
    return false;
}

static const char *const *ids_of(const ParamMap *map, Arena *arena)
{
    const char **ids = arena_array(arena, const char *, map->count + 1);

    for (size_t i = 0; i < map->count; i++)
        ids[i] = map->ids[i];
    return ids;
}

static void collect_names(Scenario *scenario)
{
    ScenarioParams *p = &scenario->params;
    Arena *arena = scenario->arena;

    scenario->names.members = ids_of(&p->members, arena);
    scenario->names.sites = ids_of(&p->sites, arena);
    scenario->names.faults = ids_of(&p->faults, arena);
    scenario->names.alerts = ids_of(&p->operations.alerts, arena);
    scenario->scope = (ExpressionScope){.member = scenario->names.members,
                                        .site = scenario->names.sites,
                                        .family = ids_of(&p->families, arena),
                                        .fault = scenario->names.faults,
                                        .alert = scenario->names.alerts,
                                        .runbook = ids_of(&p->operations.runbooks, arena)};
}

static bool resolve_header(Scenario *scenario, GError **error)
{
    const ScenarioParams *p = &scenario->params;
    const char *clock = p->clock;
    bool is_time = strlen(clock) == 5 && clock[2] == ':';

    for (int i = 0; is_time && i < 5; i++)
        is_time = i == 2 || g_ascii_isdigit(clock[i]);
    if (!is_time || strcmp(clock, "23:59") > 0 || clock[3] > '5') {
        json_error(error, json_get(p->node, "clock"),
                   "\"%s\" is no time of day; write it as \"19:00\"", clock);
        return false;
    }
    scenario->day_start_ns = ((clock[0] - '0') * 10 + clock[1] - '0') * SIM_HOUR +
                             ((clock[3] - '0') * 10 + clock[4] - '0') * SIM_MIN;
    scenario->slice = 1;
    if (p->slice) {
        const char *digits = g_str_has_prefix(p->slice, "1/") ? p->slice + 2 : "";
        uint64_t slice = g_ascii_strtoull(digits, NULL, 10);

        if (slice < 1 || slice > 1000000 || strspn(digits, "0123456789") != strlen(digits)) {
            json_error(error, json_get(p->node, "slice"),
                       "\"%s\" is no slice; write \"1/64\" to keep one key in 64", p->slice);
            return false;
        }
        scenario->slice = (uint32_t)slice;
    }
    if (p->warmup_ns >= p->duration_ns) {
        json_error(error, json_get(p->node, "warmup"),
                   "the warm-up is as long as the run; shorten it or raise duration");
        return false;
    }
    return true;
}

/* Default backlog: 1 % of the database, 1 to 250 MB per shard (AA/manage.md). */
static uint64_t default_backlog(const MemberParams *member)
{
    uint64_t per_shard = member->memory.max_bytes / 100 / (uint64_t)member->shards;

    per_shard = CLAMP(per_shard, 1000000u, 250000000u);
    return per_shard * (uint64_t)member->shards;
}

static bool resolve_member(Scenario *scenario, MemberParams *member, GError **error)
{
    CatalogSku sku = {0};

    member->region_index = -1;
    if (member->region) {
        member->region_index =
            catalog_region(member->region, json_get(member->node, "region"), error);
        if (member->region_index < 0)
            return false;
    }
    if (member->sku && !catalog_sku(member->sku, json_get(member->node, "sku"), &sku, error))
        return false;
    if (member->sku && !sku.geo_replication && scenario->params.members.count > 1) {
        json_error(error, json_get(member->node, "sku"),
                   "%s cannot be a member of a group; take another SKU (see "
                   "how-to-active-geo-replication)",
                   member->sku);
        return false;
    }
    if (member->memory.max_bytes == 0)
        member->memory.max_bytes = sku.usable_bytes;
    if (member->memory.max_bytes == 0) {
        json_error(error, member->node,
                   "no memory limit; give a \"sku\" or \"memory\": {\"max\": \"24GB\"}");
        return false;
    }
    if ((member->role == ROLE_COLD_STANDBY) != (json_get(member->node, "rebuild") != NULL)) {
        json_error(error, member->node,
                   member->role == ROLE_COLD_STANDBY
                       ? "a cold standby starts empty; give \"rebuild\": {\"keys\": \"27M\", "
                         "\"rate\": \"10k/s\"}"
                       : "\"rebuild\" is for a cold standby; give \"role\": \"cold-standby\" too");
        return false;
    }
    if (member->shards == 0)
        member->shards = sku.shards > 0 ? sku.shards : 1;
    if (member->backlog_bytes == 0)
        member->backlog_bytes = default_backlog(member);
    return true;
}

/* Members that a variant removed may still be named; a name close to an existing one is a slip. */
static bool check_rtt_names(const Scenario *scenario, const SiteParams *site, GError **error)
{
    size_t count = scenario->params.members.count;

    for (size_t i = 0; i < site->rtt.count; i++) {
        const char *name = site->rtt.ids[i];
        const char *nearest = nearest_name(name, scenario->names.members, count);

        if (name_index(scenario->names.members, name) >= 0 || *scenario->variant || !nearest)
            continue;
        json_error_key(error, site->rtt.nodes[i],
                       "no member is called \"%s\"; did you mean \"%s\"?", name, nearest);
        return false;
    }
    return true;
}

static bool resolve_site(Scenario *scenario, SiteParams *site, GError **error)
{
    int32_t home = name_index(scenario->names.members, site->home);

    if (home < 0)
        return scenario_unknown(error, json_get(site->node, "home"), "member", site->home,
                                scenario->names.members);
    site->home_index = (uint32_t)home;
    site->region_index = scenario_member(scenario, site->home_index)->region_index;
    if (site->region) {
        site->region_index = catalog_region(site->region, json_get(site->node, "region"), error);
        if (site->region_index < 0)
            return false;
    }
    return check_rtt_names(scenario, site, error);
}

/* The matrix gives P50 and P95; a lognormal runs through both. */
static const Dist *dist_through(double p50_ms, double p95_ms, Arena *arena)
{
    g_autofree char *text = NULL;
    JsonDoc *doc;
    PluginChoice choice;
    Dist *dist;

    if (p95_ms <= p50_ms)
        dist = dist_new_constant((int64_t)(p50_ms * 1e6));
    else {
        text = g_strdup_printf("{\"lognormal\": {\"p50\": \"%dus\", \"p95\": \"%dus\"}}",
                               (int)(p50_ms * 1e3), (int)(p95_ms * 1e3));
        doc = json_parse("region-rtt.csv", text, strlen(text), NULL);
        arena_own(arena, doc, (void (*)(void *))json_doc_free);
        if (!plugin_parse(&dist_time_family, json_root(doc), arena, &choice, NULL))
            return NULL;
        dist = dist_new(&choice);
    }
    arena_own(arena, dist, (void (*)(void *))dist_free);
    return dist;
}

bool scenario_site_rtt(const Scenario *scenario, uint32_t index, Arena *arena, const Dist **out,
                       GError **error)
{
    const SiteParams *site = param_map_at(&scenario->params.sites, SiteParams, index);
    double p50, p95;

    for (uint32_t m = 0; m < scenario->params.members.count; m++) {
        int32_t region = scenario_member(scenario, m)->region_index;
        const char *const *ids = (const char *const *)site->rtt.ids;

        out[m] = NULL;
        for (size_t i = 0; i < site->rtt.count; i++)
            if (strcmp(ids[i], scenario->names.members[m]) == 0)
                out[m] = *param_map_at(&site->rtt, const Dist *, i);
        if (out[m] || region < 0 || site->region_index < 0)
            continue;
        if (catalog_rtt_ms(site->region_index, region, &p50, &p95))
            out[m] = dist_through(p50, p95, arena);
    }
    if (out[site->home_index])
        return true;
    json_error(error, site->node,
               "the round trip to its home \"%s\" is unknown; give \"rtt\" or both regions",
               site->home);
    return false;
}

static const LinkParams *find_link(const Scenario *scenario, const char *a, const char *b,
                                   bool *out_reversed)
{
    const ParamMap *links = &scenario->params.links;
    g_autofree char *forward = g_strdup_printf("%s~%s", a, b);
    g_autofree char *backward = g_strdup_printf("%s~%s", b, a);
    const LinkParams *any = NULL;

    *out_reversed = false;
    for (size_t i = 0; i < links->count; i++) {
        const LinkParams *link = param_map_at(links, LinkParams, i);

        if (strcmp(links->ids[i], forward) == 0)
            return link;
        if (strcmp(links->ids[i], backward) == 0) {
            *out_reversed = true;
            return link;
        }
        if (strcmp(links->ids[i], "*") == 0)
            any = link;
    }
    return any;
}

bool scenario_replicates(const Scenario *scenario, uint32_t a, uint32_t b)
{
    return scenario_member(scenario, a)->role == ROLE_ACTIVE &&
           scenario_member(scenario, b)->role == ROLE_ACTIVE;
}

bool scenario_link(const Scenario *scenario, uint32_t from, uint32_t to, Arena *arena,
                   LinkSpec *out, GError **error)
{
    bool reversed;
    const char *a = scenario->names.members[from], *b = scenario->names.members[to];
    const LinkParams *link = find_link(scenario, a, b, &reversed);
    int32_t from_region = scenario_member(scenario, from)->region_index;
    int32_t to_region = scenario_member(scenario, to)->region_index;
    double p50, p95;

    *out = (LinkSpec){.jitter_every_ns = 10 * SIM_S, .compression_ratio = 1};
    if (link) {
        out->delay = reversed && link->delay_ba ? link->delay_ba : link->delay;
        out->rate_bytes_per_s =
            reversed && link->bandwidth_ba ? link->bandwidth_ba : link->bandwidth;
        out->jitter_every_ns = link->jitter_every_ns;
        out->loss = link->loss;
        out->compression_ratio = link->compression.ratio;
    }
    if (!out->delay && from_region >= 0 && to_region >= 0 &&
        catalog_rtt_ms(from_region, to_region, &p50, &p95))
        out->delay = dist_through(p50 / 2, p95 / 2, arena);
    if (out->delay)
        return true;
    json_error(error, link ? link->node : json_get(scenario->params.node, "members"),
               "the delay between %s and %s is unknown; give links.%s~%s.delay or both regions", a,
               b, a, b);
    return false;
}

bool scenario_resolve_links(Scenario *scenario, GError **error)
{
    const ParamMap *links = &scenario->params.links;
    uint32_t count = (uint32_t)scenario->params.members.count;
    LinkPair pairs[2];
    uint32_t pair_count;
    LinkSpec spec;
    uint32_t seen[MEMBER_MAX] = {0};

    for (size_t i = 0; i < links->count; i++) {
        if (strcmp(links->ids[i], "*") == 0)
            continue;
        if (!scope_link(&scenario->names, links->ids[i], links->nodes[i], pairs, &pair_count,
                        error))
            return false;
        if (seen[pairs[0].from] >> pairs[0].to & 1) {
            json_error(
                error, links->nodes[i], "this pair is given twice; keep one of %s~%s and %s~%s",
                scenario->names.members[pairs[0].from], scenario->names.members[pairs[0].to],
                scenario->names.members[pairs[0].to], scenario->names.members[pairs[0].from]);
            return false;
        }
        seen[pairs[0].from] |= 1u << pairs[0].to;
        seen[pairs[0].to] |= 1u << pairs[0].from;
    }
    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = 0; b < count; b++)
            if (a != b && scenario_replicates(scenario, a, b) &&
                !scenario_link(scenario, a, b, scenario->arena, &spec, error))
                return false;
    return true;
}

typedef struct {
    const JsonNode *at;
    GError **error;
    bool failed;
} ConditionCheck;

static void check_condition(void *actor, const Expression *expression)
{
    ConditionCheck *check = actor;

    if (!check->failed)
        check->failed = !scenario_check_measured(expression, check->at, check->error);
}

/* Alerts, guards and waits on something nobody measures would silently never happen. */
static bool check_conditions(const Scenario *scenario, GError **error)
{
    ConditionCheck check = {json_get(scenario->params.node, "alerts"), error, false};

    operations_each_condition(&scenario->operations, check_condition, &check);
    return !check.failed;
}

static bool resolve_abort(Scenario *scenario, GError **error)
{
    ParamMap *map = &scenario->params.abort;

    for (size_t i = 0; i < map->count; i++) {
        AbortParams *abort = param_map_at(map, AbortParams, i);

        abort->expression = expression_parse(json_get(abort->node, "when"), &scenario->scope,
                                             scenario->arena, error);
        if (!abort->expression ||
            !scenario_check_measured(abort->expression, json_get(abort->node, "when"), error))
            return false;
    }
    return true;
}

static void derive_phases(Scenario *scenario)
{
    uint32_t count = scenario->fault_count;
    FaultInterval *faults = arena_array(scenario->arena, FaultInterval, count + 1);
    PhasesConfig config = {.duration_ns = scenario->params.duration_ns,
                           .warmup_ns = scenario->params.warmup_ns,
                           .faults = faults,
                           .fault_count = count};

    for (uint32_t i = 0; i < count; i++)
        faults[i] = (FaultInterval){scenario->faults[i].id, scenario->faults[i].begin_ns,
                                    scenario->faults[i].end_ns};
    scenario->phases = phases_derive(&config, scenario->arena, &scenario->phase_count);
}

/* A recording tells at most SEGMENT_MAX stretches apart. */
static bool phases_fit(const Scenario *scenario, GError **error)
{
    uint32_t count = phases_boundaries(scenario->phases, scenario->phase_count,
                                       scenario->params.duration_ns, NULL, 0);

    if (count < SEGMENT_MAX)
        return true;
    json_error(error, json_get(scenario->params.node, "faults"),
               "the faults cut the run into %u stretches, at most %d can be told apart; "
               "use fewer faults or a variant",
               count + 1, SEGMENT_MAX);
    return false;
}

bool scenario_join_base_phases(Scenario *scenario, const Scenario *base, GError **error)
{
    scenario->phases = phases_join_base(scenario->phases, scenario->phase_count, base->phases,
                                        base->phase_count, scenario->arena, &scenario->phase_count);
    return phases_fit(scenario, error);
}

bool scenario_resolve(Scenario *scenario, GError **error)
{
    ScenarioParams *p = &scenario->params;

    collect_names(scenario);
    if (!resolve_header(scenario, error))
        return false;
    for (size_t i = 0; i < p->members.count; i++)
        if (!resolve_member(scenario, param_map_at(&p->members, MemberParams, i), error))
            return false;
    for (size_t i = 0; i < p->sites.count; i++)
        if (!resolve_site(scenario, param_map_at(&p->sites, SiteParams, i), error))
            return false;
    if (!scenario_resolve_links(scenario, error) || !scenario_resolve_data(scenario, error) ||
        !scenario_resolve_faults(scenario, error) || !scenario_resolve_routing(scenario, error))
        return false;
    derive_phases(scenario);
    return phases_fit(scenario, error) &&
           operations_resolve(&p->operations, &scenario->names, &scenario->scope, scenario->arena,
                              &scenario->operations, error) &&
           check_conditions(scenario, error) && resolve_abort(scenario, error);
}
