/* A run is a list of controls between windows: faults begin and end, operators act, a sample is
 * taken each second.  Everything that changes who can reach whom, or how fast, is followed by a new
 * lookahead.
 */
#include "models/world/world.h"

#include <string.h>

#include "models/observe/metrics.h"
#include "models/world/world_private.h"
#include "sim/ensure.h"

#define METRICS_MAX 32u /* one expression reads no more */

static void control(World *world, SimTime at_ns, Rank rank, uint32_t source, const Handler *handler)
{
    kernel_at(world->kernel, &(Control){.at_ns = at_ns,
                                        .rank = rank,
                                        .source = source,
                                        .seq = world->control_seq++,
                                        .handler = handler});
}

static void after_change(World *world)
{
    kernel_set_lookahead(world->kernel, world_lookahead_ns(world));
}

static void fault_begins(void *actor, Place *place, void *body)
{
    FaultTimer *timer = actor;
    World *world = timer->world;
    const Fault *fault = &world->scenario->faults[timer->index];
    SimTime now_ns = kernel_now_ns(world->kernel);

    (void)place;
    (void)body;
    world_log(world, now_ns, "fault", fault->id, "begins", fault->kind->head.name);
    world->fault_lasts[timer->index] = true;
    fault->kind->begin(fault->state, &world->levers, now_ns, &world->in_force);
    operations_fault_begins(world->operations, timer->index, now_ns);
    after_change(world);
}

static void fault_ends(void *actor, Place *place, void *body)
{
    FaultTimer *timer = actor;
    World *world = timer->world;
    const Fault *fault = &world->scenario->faults[timer->index];
    SimTime now_ns = kernel_now_ns(world->kernel);

    (void)place;
    (void)body;
    world_log(world, now_ns, "fault", fault->id, "ends", fault->kind->head.name);
    world->fault_lasts[timer->index] = false;
    fault->kind->end(fault->state, &world->levers, now_ns, &world->in_force);
    operations_fault_ends(world->operations, timer->index, now_ns);
    after_change(world);
}

static void check_aborts(World *world, SimTime now_ns)
{
    for (size_t i = 0; i < world->scenario->params.abort.count; i++) {
        AbortState *abort = &world->aborts[i];

        if (abort->done)
            continue;
        if (!expression_holds_now(abort->params->expression, world->recording)) {
            abort->holding = false;
            continue;
        }
        if (!abort->holding)
            abort->held_since_ns = now_ns;
        abort->holding = true;
        if (now_ns - abort->held_since_ns < abort->params->for_ns)
            continue;
        abort->done = true;
        world_log(world, now_ns, "abort", abort->id,
                  abort->params->action == 0 ? "stops the run" : "noted", "");
        if (abort->params->action == 0) {
            world->stopped = true;
            world->end_ns = now_ns;
            kernel_stop(world->kernel);
        }
    }
}

/* The sample of a second: meters read everybody, then the recording closes its bucket. */
static void tick(void *actor, Place *place, void *body)
{
    World *world = actor;
    SimTime now_ns = kernel_now_ns(world->kernel);

    (void)place;
    (void)body;
    for (uint32_t i = 0; i < world->standby_count; i++)
        world_standby_look(world->standbys[i], now_ns);
    world_watch_sample(world->watch, now_ns);
    recording_tick(world->recording, now_ns);
    check_aborts(world, now_ns);
    if (now_ns + SIM_S <= world->end_ns)
        control(world, now_ns + SIM_S, RANK_SAMPLE, SOURCE_SAMPLES, &world->tick);
}

/* A phase boundary that is not on a whole second. */
static void boundary(void *actor, Place *place, void *body)
{
    World *world = actor;
    SimTime now_ns = kernel_now_ns(world->kernel);

    (void)place;
    (void)body;
    world_watch_settle(world->watch, now_ns);
    recording_boundary(world->recording, now_ns);
}

static void arm_boundaries(World *world)
{
    for (SimTime at_ns = recording_next_boundary(world->recording, 0); at_ns < world->end_ns;
         at_ns = recording_next_boundary(world->recording, at_ns))
        if (at_ns % SIM_S != 0)
            control(world, at_ns, RANK_SAMPLE, SOURCE_SAMPLES, &world->boundary);
}

static void arm_faults(World *world)
{
    const Scenario *scenario = world->scenario;
    uint64_t *words = arena_array(world->arena, uint64_t, scenario->fault_count + 1);

    world->faults = arena_array(world->arena, FaultTimer, scenario->fault_count + 1);
    world->fault_lasts = arena_array(world->arena, bool, scenario->fault_count + 1);
    world->in_force =
        (FaultsInForce){scenario->faults, world->fault_lasts, words, scenario->fault_count};
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        FaultTimer *timer = &world->faults[i];
        g_autofree char *label = g_strdup_printf("fault/%s", scenario->faults[i].id);

        *timer = (FaultTimer){world, i, {fault_begins, timer}, {fault_ends, timer}};
        words[i] = rng_keyed(rng_key(world->config.seed, label), 0, 0);
        control(world, scenario->faults[i].begin_ns, RANK_FAULT, SOURCE_FAULTS + 2 * i,
                &timer->begin);
        if (scenario->faults[i].end_ns < scenario->params.duration_ns)
            control(world, scenario->faults[i].end_ns, RANK_FAULT, SOURCE_FAULTS + 2 * i + 1,
                    &timer->end);
    }
}

/* What members did by themselves: in their own digests already. */
static void log_member(void *actor, SimTime at_ns, const char *kind, const char *subject,
                       const char *what, const char *detail)
{
    World *world = actor;
    WorldEvent event = {at_ns, arena_text(world->arena, kind), arena_text(world->arena, subject),
                        arena_text(world->arena, what), arena_text(world->arena, detail)};

    g_array_append_val(world->log, event);
}

static void log_operation(void *actor, SimTime at_ns, const char *kind, const char *subject,
                          const char *what, const char *detail)
{
    world_log(actor, at_ns, kind, subject, what, detail);
}

/* Alerts, guards and aborts read some sample metrics live; the recording keeps those apart. */
static void watch_condition(void *actor, const Expression *expression)
{
    World *world = actor;
    const Metric *metrics[METRICS_MAX];
    uint32_t count = expression_metrics(expression, metrics, METRICS_MAX);

    ensure(count <= METRICS_MAX);
    for (uint32_t i = 0; i < count; i++)
        recording_watch(world->recording, metrics[i]);
}

static void watch_conditions(World *world)
{
    const ParamMap *aborts = &world->scenario->params.abort;

    operations_each_condition(&world->scenario->operations, watch_condition, world);
    recording_watch(world->recording, metric_find("latency.op")); /* its course is drawn */
    for (size_t i = 0; i < aborts->count; i++)
        watch_condition(world, param_map_at(aborts, AbortParams, i)->expression);
}

static void build_recording(World *world)
{
    const Scenario *scenario = world->scenario;

    world->recording = recording_new(&(RecordingConfig){.duration_ns = world->end_ns,
                                                        .phases = scenario->phases,
                                                        .phase_count = scenario->phase_count,
                                                        .seed = world->config.seed,
                                                        .sliced = world->config.slice > 1});
    watch_conditions(world);
    world->watch =
        world_watch_new(&(WorldWatchConfig){.scenario = scenario,
                                            .families = world_families_list(world->families),
                                            .recording = world->recording,
                                            .trace = world->config.trace,
                                            .without_observers = world->config.without_observers,
                                            .log = log_member,
                                            .log_actor = world});
}

static void make_standbys(World *world)
{
    for (uint32_t i = 0; i < world->member_count; i++) {
        const MemberParams *p = scenario_member(world->scenario, i);

        if (p->role != ROLE_COLD_STANDBY)
            continue;
        world->standbys[world->standby_count] = world_standby_new(
            &(WorldStandbyConfig){.member = world->members[i],
                                  .member_index = i,
                                  .source = SOURCE_STANDBYS + i,
                                  .key_count = p->rebuild.keys,
                                  .keys_per_s = p->rebuild.rate_per_s,
                                  .families = world_families_list(world->families),
                                  .family_count = world_families_count(world->families),
                                  .levers = &world->levers,
                                  .recording = world->recording,
                                  .log = log_operation,
                                  .log_actor = world});
        world->standby_count++;
    }
}

static void start(World *world)
{
    const Scenario *scenario = world->scenario;

    world->aborts = arena_array(world->arena, AbortState, scenario->params.abort.count + 1);
    for (size_t i = 0; i < scenario->params.abort.count; i++)
        world->aborts[i] =
            (AbortState){.world = world,
                         .params = param_map_at(&scenario->params.abort, AbortParams, i),
                         .id = scenario->params.abort.ids[i]};
    world->tick = (Handler){tick, world};
    world->boundary = (Handler){boundary, world};
    make_standbys(world);
    world_watch_attach(world->watch, &world->levers, world->kernel);
    for (uint32_t i = 0; i < world->member_count; i++)
        member_start(world->members[i]);
    if (world->manager)
        traffic_manager_start(world->manager);
    for (uint32_t i = 0; i < world->site_count; i++)
        site_start(world->sites[i]);
    operations_start(world->operations);
    arm_faults(world);
    arm_boundaries(world);
    control(world, SIM_S, RANK_SAMPLE, SOURCE_SAMPLES, &world->tick);
    after_change(world);
}

World *world_new(const WorldConfig *config, GError **error)
{
    World *world = g_new0(World, 1);

    world->config = *config;
    world->config.serial |= config->trace != NULL; /* lines in the order of time */
    world->scenario = config->scenario;
    world->end_ns = config->until_ns > 0
                        ? MIN(config->until_ns, config->scenario->params.duration_ns)
                        : config->scenario->params.duration_ns;
    world->arena = arena_new();
    world->events_digest = digest_begin();
    world->log = g_array_new(FALSE, TRUE, sizeof(WorldEvent));
    world->families = world_families_new(config->scenario, config->seed, MAX(config->slice, 1u));
    build_recording(world);
    if (!world_build(world, error)) {
        world_free(world);
        return NULL;
    }
    world->operations =
        operations_new(&(OperationsConfig){.spec = &config->scenario->operations,
                                           .levers = &world->levers,
                                           .recording = world->recording,
                                           .kernel = world->kernel,
                                           .seed = config->seed,
                                           .source = SOURCE_OPERATORS,
                                           .day_start_ns = config->scenario->day_start_ns,
                                           .fault_names = config->scenario->names.faults,
                                           .log = log_operation,
                                           .log_actor = world});
    start(world);
    return world;
}

void world_free(World *world)
{
    if (!world)
        return;
    operations_free(world->operations);
    world_build_free(world);
    world_watch_free(world->watch);
    recording_free(world->recording);
    world_families_free(world->families);
    g_array_free(world->log, TRUE);
    arena_free(world->arena);
    g_free(world);
}

bool world_run_until(World *world, SimTime until_ns)
{
    if (world->stopped)
        return false;
    return kernel_run_until(world->kernel, MIN(until_ns, world->end_ns)) && !world->stopped;
}

void world_finish(World *world)
{
    if (world->finished)
        return;
    world->finished = true;
    world_watch_settle(world->watch, world->end_ns);
    recording_end(world->recording, world->end_ns);
}

SimTime world_end_ns(const World *world)
{
    return world->end_ns;
}

uint64_t world_digest(const World *world)
{
    Digest digest = digest_begin();

    for (uint32_t i = 0; i < world->member_count; i++)
        member_digest(world->members[i], &digest);
    for (uint32_t i = 0; i < world->site_count; i++)
        site_digest(world->sites[i], &digest);
    if (world->manager)
        traffic_manager_digest(world->manager, &digest);
    operations_digest(world->operations, &digest);
    digest_combine(&digest, world->events_digest);
    return digest.value;
}

Recording *world_take_recording(World *world)
{
    ensure(world->finished);
    return g_steal_pointer(&world->recording);
}

const Recording *world_recording(const World *world)
{
    return world->recording;
}

uint64_t world_event_count(const World *world)
{
    return kernel_event_count(world->kernel);
}

uint64_t world_client_op_count(const World *world)
{
    return world_watch_op_count(world->watch);
}

double world_kept_share(const World *world)
{
    double kept = 0, all = 0;

    for (uint32_t i = 0; i < world->site_count; i++) {
        double rate = 0;

        for (uint32_t k = 0; k < world->site_configs[i].workload_count; k++)
            rate += world->site_configs[i].workloads[k].rate_per_s;
        kept += rate * site_kept_share(world->sites[i]);
        all += rate;
    }
    return all > 0 ? kept / all : 1;
}

void world_log(World *world, SimTime at_ns, const char *kind, const char *subject, const char *what,
               const char *detail)
{
    WorldEvent event = {at_ns, arena_text(world->arena, kind), arena_text(world->arena, subject),
                        arena_text(world->arena, what), arena_text(world->arena, detail)};

    g_array_append_val(world->log, event);
    digest_u64(&world->events_digest, (uint64_t)at_ns);
    digest_text(&world->events_digest, subject);
    digest_text(&world->events_digest, what);
    if (world->config.trace)
        trace_line(world->config.trace, at_ns, "%s %s: %s%s%s", kind, subject, what,
                   *detail ? " " : "", detail);
}

uint32_t world_member_count(const World *world)
{
    return world->member_count;
}

const Member *world_member(const World *world, uint32_t index)
{
    return world->members[index];
}

uint32_t world_log_count(const World *world)
{
    return world->log->len;
}

const WorldEvent *world_log_at(const World *world, uint32_t index)
{
    return &g_array_index(world->log, WorldEvent, index);
}
