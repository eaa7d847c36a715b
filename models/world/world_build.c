/* From specs to actors: a place per member, sites beside the member of their region, a place for
 * the traffic manager; then links between all pairs, then sites, which may post to any member.
 */
#include <string.h>

#include "models/world/world_private.h"
#include "sim/ensure.h"

/* A site lives in the place of the member of its region (its home first), else in a place of its
 * own. */
static int32_t member_beside(const Scenario *scenario, uint32_t site_index)
{
    const SiteParams *site = param_map_at(&scenario->params.sites, SiteParams, site_index);
    uint32_t count = (uint32_t)scenario->params.members.count;

    if (scenario_member(scenario, site->home_index)->region_index == site->region_index)
        return (int32_t)site->home_index;
    for (uint32_t i = 0; i < count; i++)
        if (scenario_member(scenario, i)->region_index == site->region_index)
            return (int32_t)i;
    return -1;
}

static const PluginChoice *dns_detector(const Scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->params.sites.count; i++) {
        const PluginChoice *detect = &scenario->routing[i].detect;

        if (detect->head && ((const Detector *)detect->head)->at == DETECT_DNS)
            return detect;
    }
    return NULL;
}

static void build_places(World *world)
{
    const Scenario *scenario = world->scenario;
    uint32_t members = (uint32_t)scenario->params.members.count,
             sites = (uint32_t)scenario->params.sites.count;
    bool has_manager = dns_detector(scenario) != NULL;
    uint32_t count = members, next = members;

    for (uint32_t i = 0; i < sites; i++)
        count += member_beside(scenario, i) < 0 ? 1 : 0;
    count += has_manager ? 1 : 0;
    world->kernel = kernel_new(&(KernelConfig){.place_count = count,
                                               .thread_count = world->config.threads,
                                               .serial = world->config.serial});
    kernel_set_run(world->kernel, scenario->params.name, scenario->variant, world->config.seed);
    for (uint32_t i = 0; i < members; i++)
        world->member_places[i] = kernel_place(world->kernel, i);
    for (uint32_t i = 0; i < sites; i++) {
        int32_t beside = member_beside(scenario, i);

        world->site_places[i] =
            kernel_place(world->kernel, beside >= 0 ? (uint32_t)beside : next++);
    }
    if (has_manager)
        world->manager_place = kernel_place(world->kernel, next++);
    world->place_count = count;
    world->member_count = members;
    world->site_count = sites;
}

/* What commands a member serves, by cost, for the waits of a slice: all workloads' mixes together.
 */
static CostMix cost_mix(World *world)
{
    const ScenarioParams *p = &world->scenario->params;
    double *costs = arena_array(world->arena, double, 1024),
           *shares = arena_array(world->arena, double, 1024);
    uint32_t count = 0;

    for (size_t w = 0; w < p->workloads.count; w++) {
        const WorkloadParams *workload = param_map_at(&p->workloads, WorkloadParams, w);

        for (size_t m = 0; m < workload->mix.count; m++) {
            const FamilyParams *family =
                param_map_at(&p->families, FamilyParams, workload->family_indexes[m]);
            double share = workload->rate_per_s * *param_map_at(&workload->mix, double, m),
                   total = 0;

            for (size_t o = 0; o < family->ops.count; o++)
                total += param_map_at(&family->ops, OpParams, o)->share;
            for (size_t o = 0; o < family->ops.count && count < 1024; o++) {
                if (!family->specs[o])
                    continue;
                costs[count] = family->specs[o]->relative_cost;
                shares[count++] = share * param_map_at(&family->ops, OpParams, o)->share / total;
            }
        }
    }
    return (CostMix){costs, shares, count};
}

static bool build_members(World *world, GError **error)
{
    const Scenario *scenario = world->scenario;
    CostMix mix = cost_mix(world);

    for (uint32_t i = 0; i < world->member_count; i++) {
        const MemberParams *p = scenario_member(scenario, i);
        HeaderSizes headers = {.key = (int64_t)p->memory.key_header_bytes,
                               .element = (int64_t)p->memory.element_header_bytes,
                               .sibling = (int64_t)p->memory.sibling_header_bytes};
        MemberConfig config = {.id = i + 1,
                               .member_count = world->member_count,
                               .name = scenario->names.members[i],
                               .kernel = world->kernel,
                               .place = world->member_places[i],
                               .source = SOURCE_MEMBERS + 16 * i,
                               .seed = world->config.seed,
                               .families = p->role == ROLE_COLD_STANDBY
                                               ? world_families_empty(world->families)
                                               : world_families_list(world->families),
                               .family_count = world_families_count(world->families),
                               .shard_count = (uint32_t)p->shards,
                               .ops_per_s = p->capacity.ops_per_s,
                               .cost_mix = mix,
                               .service = p->capacity.service,
                               .memory_max_bytes = p->memory.max_bytes,
                               .reserve_share = p->memory.reserve,
                               .overhead = p->memory.overhead,
                               .headers = &headers,
                               .backlog_bytes = p->backlog_bytes,
                               .clock_skew_ns = p->clock_skew_ns,
                               .clock_start_ms = scenario->day_start_ns / SIM_MS,
                               .sliced = world->config.slice > 1,
                               .causal = scenario->params.causal,
                               .listener = world_watch_geo_listener(world->watch, i)};

        world->members[i] = member_new(&config, error);
        if (!world->members[i])
            return false;
    }
    return true;
}

static bool build_link(World *world, uint32_t from, uint32_t to, GError **error)
{
    LinkSpec spec;
    const char *const *names = world->scenario->names.members;
    LinkConfig config;

    if (!scenario_link(world->scenario, from, to, world->arena, &spec, error))
        return false;
    config = (LinkConfig){.name = arena_printf(world->arena, "%s>%s", names[from], names[to]),
                          .from_id = from + 1,
                          .to_id = to + 1,
                          .source = SOURCE_LINKS + world->link_count,
                          .delay = spec.delay,
                          .jitter_every_ns = spec.jitter_every_ns,
                          .rate_bytes_per_s = spec.rate_bytes_per_s,
                          .loss = spec.loss,
                          .compression_ratio = spec.compression_ratio,
                          .seed = world->config.seed,
                          .from = world->member_places[from],
                          .to = world->member_places[to]};
    world->links[world->link_count++] = link_new(&config);
    return true;
}

static Link *link_between(const World *world, uint32_t from_id, uint32_t to_id)
{
    for (uint32_t i = 0; i < world->link_count; i++)
        if (link_from(world->links[i]) == from_id && link_to(world->links[i]) == to_id)
            return world->links[i];
    return NULL;
}

static bool build_links(World *world, GError **error)
{
    for (uint32_t a = 0; a < world->member_count; a++)
        for (uint32_t b = 0; b < world->member_count; b++)
            if (a != b && scenario_replicates(world->scenario, a, b) &&
                !build_link(world, a, b, error))
                return false;
    for (uint32_t a = 0; a < world->member_count; a++)
        for (uint32_t b = 0; b < world->member_count; b++)
            if (a != b && scenario_replicates(world->scenario, a, b))
                member_attach(world->members[a], link_between(world, a + 1, b + 1),
                              link_between(world, b + 1, a + 1));
    return true;
}

static MixConfig build_mix(World *world, const WorkloadParams *workload, size_t index)
{
    uint32_t family_index = workload->family_indexes[index];
    const FamilyParams *family =
        param_map_at(&world->scenario->params.families, FamilyParams, family_index);
    OpConfig *ops = arena_array(world->arena, OpConfig, family->ops.count);

    for (size_t i = 0; i < family->ops.count; i++) {
        const OpParams *op = param_map_at(&family->ops, OpParams, i);

        ops[i] = (OpConfig){.spec = family->specs[i],
                            .share = op->share,
                            .field_count = (uint32_t)op->fields,
                            .bytes = op->bytes,
                            .ttl = op->ttl,
                            .block_ns = op->block_ns};
    }
    return (MixConfig){.family = world_families_list(world->families)[family_index],
                       .share = *param_map_at(&workload->mix, double, index),
                       .ops = ops,
                       .op_count = (uint32_t)family->ops.count};
}

static WorkloadConfig build_workload(World *world, size_t index)
{
    const ScenarioParams *p = &world->scenario->params;
    const WorkloadParams *workload = param_map_at(&p->workloads, WorkloadParams, index);
    MixConfig *mix = arena_array(world->arena, MixConfig, workload->mix.count);
    BurstConfig *bursts = arena_array(world->arena, BurstConfig, workload->bursts.count + 1);

    for (size_t i = 0; i < workload->mix.count; i++)
        mix[i] = build_mix(world, workload, i);
    for (size_t i = 0; i < workload->bursts.count; i++) {
        const BurstParams *burst = param_map_at(&workload->bursts, BurstParams, i);

        bursts[i] = (BurstConfig){burst->at_ns, burst->at_ns + burst->for_ns, burst->x};
    }
    return (WorkloadConfig){.name = p->workloads.ids[index],
                            .rate_per_s = workload->rate_per_s,
                            .arrivals =
                                workload->arrivals == 0 ? ARRIVALS_POISSON : ARRIVALS_CONSTANT,
                            .mix = mix,
                            .mix_count = (uint32_t)workload->mix.count,
                            .bursts = bursts,
                            .burst_count = (uint32_t)workload->bursts.count,
                            .curve_at = workload->curve_count > 0 ? workload->curve_at_ns : NULL,
                            .curve_factor = workload->curve_factor,
                            .curve_count = workload->curve_count,
                            .curve_period_ns = workload->curve.period_ns};
}

static bool build_site(World *world, uint32_t index, GError **error)
{
    const Scenario *scenario = world->scenario;
    const ScenarioParams *p = &scenario->params;
    const SiteParams *site = param_map_at(&p->sites, SiteParams, index);
    WorkloadConfig *workloads = arena_array(world->arena, WorkloadConfig, p->workloads.count);
    const Dist **rtt = arena_array(world->arena, const Dist *, world->member_count);
    const Detector *detector = (const Detector *)scenario->routing[index].detect.head;
    uint32_t count = 0;

    if (!scenario_site_rtt(scenario, index, world->arena, rtt, error))
        return false;
    for (size_t i = 0; i < p->workloads.count; i++)
        if (param_map_at(&p->workloads, WorkloadParams, i)->site_index == index)
            workloads[count++] = build_workload(world, i);
    world->site_configs[index] = (SiteConfig){
        .index = index,
        .name = scenario->names.sites[index],
        .place = world->site_places[index],
        .source = SOURCE_SITES + 64 * index,
        .seed = world->config.seed,
        .client_count = (uint32_t)site->clients,
        .home = site->home_index,
        .members = world->members,
        .member_count = world->member_count,
        .rtt = rtt,
        .dns_rtt = site->dns_rtt,
        .routing = &scenario->routing[index],
        .traffic_manager = detector && detector->at == DETECT_DNS ? world->manager : NULL,
        .workloads = workloads,
        .workload_count = count,
        .day_start_ns = scenario->day_start_ns,
        .listener = world_watch_client_listener(world->watch, index)};
    world->sites[index] = site_new(&world->site_configs[index]);
    return true;
}

/* The traffic manager's probers are as far from each member as a site of another region would be;
 * no public figure tells where they stand (assumed 40 ms round trip). */
static void build_manager(World *world)
{
    const PluginChoice *detect = dns_detector(world->scenario);
    Dist *probe_rtt;

    if (!detect)
        return;
    probe_rtt = dist_new_constant(40 * SIM_MS);
    arena_own(world->arena, probe_rtt, (void (*)(void *))dist_free);
    world->manager =
        traffic_manager_new(&(TrafficManagerConfig){.place = world->manager_place,
                                                    .source = SOURCE_MANAGER,
                                                    .seed = world->config.seed,
                                                    .detect = detect,
                                                    .members = world->members,
                                                    .member_count = world->member_count,
                                                    .probe_rtt = probe_rtt});
}

bool world_build(World *world, GError **error)
{
    build_places(world);
    if (!build_members(world, error) || !build_links(world, error))
        return false;
    build_manager(world);
    world->site_configs = arena_array(world->arena, SiteConfig, world->site_count);
    for (uint32_t i = 0; i < world->site_count; i++)
        if (!build_site(world, i, error))
            return false;
    world->levers = (Levers){.members = world->members,
                             .member_count = world->member_count,
                             .links = world->links,
                             .link_count = world->link_count,
                             .sites = world->sites,
                             .site_count = world->site_count};
    return true;
}

void world_build_free(World *world)
{
    for (uint32_t i = 0; i < world->standby_count; i++)
        world_standby_free(world->standbys[i]);
    for (uint32_t i = 0; i < world->site_count; i++)
        site_free(world->sites[i]);
    traffic_manager_free(world->manager);
    for (uint32_t i = 0; i < world->link_count; i++)
        link_free(world->links[i]);
    for (uint32_t i = 0; i < world->member_count; i++)
        member_free(world->members[i]);
    kernel_free(world->kernel);
}

SimTime world_lookahead_ns(const World *world)
{
    SimTime least_ns = SIM_HOUR;

    for (uint32_t i = 0; i < world->link_count; i++)
        least_ns = MIN(least_ns, link_delay_min_ns(world->links[i]));
    for (uint32_t i = 0; i < world->site_count; i++)
        least_ns = MIN(least_ns, site_lookahead_ns(world->sites[i]));
    if (world->manager)
        least_ns = MIN(least_ns, traffic_manager_lookahead_ns(world->manager));
    return least_ns;
}
