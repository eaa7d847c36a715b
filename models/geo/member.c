/* A member serves its clients: request in, command on the store, reply out.
 *
 * Why it works: a request is one event.  The command takes effect when it arrives and its
 * completion follows from the shard, so the reply can be posted at once for the moment it gets
 * back.  Chance (the time a proxy takes) is keyed by the request's arrival, so requests never shift
 * each other's draws.
 *
 * Simplified: a command takes effect when it reaches the member, not when its turn comes in the
 * shard; at maxmemory replication goes on (the product latches the member and reconciles later).
 */
#include "models/geo/member_parts.h"

#include <string.h>

#include "sim/ensure.h"
#include "sim/json_read.h"

#define PROBE_COST 0.1 /* PING beside GET (scenarios/data, service times at depth 100) */

static WallTime wall_at(const Member *member, SimTime now_ns)
{
    SimTime own_ns = now_ns + member->skew_ns;
    int64_t ms = own_ns / SIM_MS;

    if (own_ns % SIM_MS < 0)
        ms--;
    return (WallTime){member->config.clock_start_ms + ms};
}

SimTime member_time_of(const Member *member, WallTime at)
{
    return (at.ms - member->config.clock_start_ms) * SIM_MS - member->skew_ns;
}

/* Deletion duty: a timer for the next deadline this member owns, if none is set for earlier. */
static void expiry_arm(Member *member, SimTime now_ns)
{
    WallTime at;
    SimTime at_ns;
    Post post;

    if (!store_next_expiry(member->store, &at))
        return;
    at_ns = member_time_of(member, at);
    if (at_ns < now_ns)
        at_ns = now_ns;
    if (at_ns >= member->expiry_armed_ns)
        return;
    member->expiry_armed_ns = at_ns;
    post = (Post){.at_ns = at_ns,
                  .rank = RANK_MESSAGE,
                  .source = member->config.source + SOURCE_EXPIRY,
                  .seq = ++member->expiry_seq,
                  .handler = &member->expiry_handler};
    place_post(member->config.place, member->config.place, &post);
}

static void expiry_run(void *actor, Place *place, void *body)
{
    Member *member = actor;

    (void)body;
    member->now_ns = place_now_ns(place);
    if (member->now_ns < member->expiry_armed_ns || member->crashed)
        return; /* an earlier timer has taken its place */
    member->expiry_armed_ns = SIM_TIME_NEVER;
    store_expire_due(member->store, wall_at(member, member->now_ns));
    memory_touch_all(&member->memory);
    held_serve(member);
    expiry_arm(member, member->now_ns);
}

/* Writes are refused while memory stands above what is reserved for replication. */
void member_watch_memory(Member *member)
{
    bool refuses = member_memory_used(member) > member->memory_limit;

    if (refuses == member->refusing)
        return;
    member->refusing = refuses;
    member_tell(member, &(GeoFact){.kind = refuses ? GEO_OOM_BEGIN : GEO_OOM_END,
                                   .member_id = member->config.id,
                                   .at_ns = member->now_ns,
                                   .amount = member_memory_used(member)});
}

static void reply_post(Member *member, const Request *request, const Response *response,
                       SimTime at_ns)
{
    Post post = {.at_ns = at_ns + request->return_ns,
                 .rank = RANK_MESSAGE,
                 .source = member->config.source + SOURCE_REPLY,
                 .seq = ++member->reply_seq,
                 .handler = request->reply_to,
                 .body_bytes = sizeof *response};
    Response *sent = place_post_room(member->config.place, request->reply_place, &post);

    digest_u64(&member->digest, response->outcome);
    digest_u64(&member->digest, (uint64_t)post.at_ns);
    /* Field by field: what was just written in small pieces is slow to read in large ones. */
    sent->call = request->call;
    sent->service_ns = response->service_ns;
    sent->wait_ns = response->wait_ns;
    sent->reach_epoch = member->reach_epoch;
    sent->dot = response->dot;
    sent->reply_bytes = response->reply_bytes;
    sent->outcome = response->outcome;
    sent->member_index = (uint8_t)(member->config.id - 1);
}

void member_begin_command(Member *member, uint32_t value_bytes, bool writes)
{
    member->last_dot = 0;
    member->body_bytes = value_bytes;
    member->writing = writes;
    member->effect_count = 0;
}

void member_end_command(Member *member)
{
    member->body_bytes = 0;
    member->writing = false;
}

/* false: it waits. */
static bool command_execute(Member *member, const Request *request, Response *response)
{
    Arg args[REQUEST_ARGS_MAX];
    Command command = {.spec = request->spec, .args = args, .count = request_args(request, args)};
    Reply reply = {0};
    bool done = true;

    member_begin_command(member, request->value_bytes, request->spec->writes);
    if (request->spec->shape == SHAPE_WAIT)
        done = held_execute(member, request, &command, &reply);
    else
        store_execute(member->store, &command, wall_at(member, member->now_ns), NULL, &reply);
    member_end_command(member);
    if (!done)
        return false;
    if (reply.kind == REPLY_ERROR)
        response->outcome = OUTCOME_ERROR;
    response->dot = member->last_dot;
    response->reply_bytes = (uint32_t)MIN(reply.bytes, UINT32_MAX);
    if (!request->spec->writes)
        return true;
    memory_touch(&member->memory, family_slot(member, request->family));
    expiry_arm(member, member->now_ns);
    return true;
}

static void take_turn(Member *member, const Request *request, Response *response)
{
    ShardJob job = {.now_ns = member->now_ns,
                    .key = request->spec ? request->key : 0,
                    .cost = request->spec ? request->spec->relative_cost : PROBE_COST,
                    .weight = request->spec ? request->weight : 1};
    ShardTurn turn = shards_serve(member->shards, &job);

    response->wait_ns = turn.wait_ns;
    response->service_ns = turn.service_ns;
}

/* After the time it took, and the time a proxy takes. */
static void respond(Member *member, const Request *request, Response *response)
{
    if (member->config.service) {
        uint64_t u64 = rng_keyed(member->service_draws, (uint64_t)member->now_ns, request->call);
        SimTime extra_ns = dist_sample(member->config.service, u64);

        response->service_ns +=
            member->slowdown == 1 ? extra_ns : (SimTime)((double)extra_ns * member->slowdown);
    }
    reply_post(member, request, response,
               member->now_ns + response->wait_ns + response->service_ns);
}

void member_complete(Member *member, const Request *request, Response *response)
{
    take_turn(member, request, response);
    respond(member, request, response);
}

static void request_run(void *actor, Place *place, void *body)
{
    Member *member = actor;
    const Request *request = body;
    Response response = {.outcome = OUTCOME_OK};

    member->now_ns = place_now_ns(place);
    if (!member->reachable)
        return;
    if (member->crashed) {
        response.outcome = OUTCOME_REFUSED;
        reply_post(member, request, &response, member->now_ns);
        return;
    }
    if (request->spec && request->spec->writes)
        member_watch_memory(member);
    if (request->spec && request->spec->writes && member->refusing) {
        response.outcome = OUTCOME_OOM;
    } else {
        take_turn(member, request, &response);
        if (request->spec && !command_execute(member, request, &response))
            return;
    }
    respond(member, request, &response);
    held_serve(member);
}

/* A body is three steps away: each is taken a few requests after the one before. */
static void bodies_prefetch(Member *member, const Request *request)
{
    uint32_t count = member->ahead_count++;
    KeyAhead *oldest = &member->ahead[count % KEYS_AHEAD];
    const KeyAhead *middle = &member->ahead[(count + KEYS_AHEAD / 2) % KEYS_AHEAD];

    if (count >= KEYS_AHEAD) {
        store_prefetch_inside(member->store, oldest->family, oldest->key);
        store_prefetch_body(member->store, middle->family, middle->key);
    }
    *oldest = (KeyAhead){request->key, request->family};
}

void member_prefetch(Member *member, const Request *request)
{
    store_prefetch(member->store, request->family, request->key);
    if (store_has_bodies(member->store))
        bodies_prefetch(member, request);
}

static void parts_make(Member *member)
{
    const MemberConfig *config = &member->config;
    StoreConfig store = {.member_count = config->member_count,
                         .start = {config->clock_start_ms},
                         .member_id = config->id,
                         .is_clustered = config->shard_count > 1,
                         .families = config->families,
                         .family_count = config->family_count,
                         .sink = {.emit = replication_emit, .actor = member}};
    ShardsConfig shards = {.shard_count = config->shard_count > 0 ? config->shard_count : 1,
                           .ops_per_s = config->ops_per_s,
                           .sliced = config->sliced,
                           .mix = config->cost_mix,
                           .seed = config->seed,
                           .name = member->name};
    MemoryConfig memory = {.overhead = config->overhead,
                           .headers = config->headers,
                           .shard_count = shards.shard_count};
    g_autofree char *label = g_strconcat("member/", member->name, "/service", NULL);

    member->log = effect_log_new();
    for (uint32_t origin = 0; origin <= MEMBER_MAX; origin++)
        history_init(&member->histories[origin], &member->classes, &member->books);
    member->shards = shards_new(&shards);
    member->service_draws = rng_key(config->seed, label);
    member->store = store_new(&store);
    held_init(member);
    memory_init(&member->memory, member->store, config->families, config->family_count, &memory);
    replication_set_costs(member);
}

Member *member_new(const MemberConfig *config, GError **error)
{
    Member *member;

    ensure(config->id >= 1 && config->id <= MEMBER_MAX);
    member = g_new0(Member, 1);
    if (!history_classes_init(&member->classes, config->families, config->family_count)) {
        g_free(member);
        g_set_error(
            error, QUINTET_ERROR, QUINTET_ERROR_INPUT,
            "families have more than %d different sizes of metadata records; let some agree",
            HISTORY_CLASSES_MAX - 1);
        return NULL;
    }
    member->config = *config;
    member->name = g_strdup(config->name);
    member->skew_ns = config->clock_skew_ns;
    member->expiry_armed_ns = SIM_TIME_NEVER;
    member->memory_limit = INT64_MAX;
    if (config->memory_max_bytes > 0)
        member->memory_limit =
            (int64_t)((double)config->memory_max_bytes * (1 - config->reserve_share));
    member->reachable = true;
    member->slowdown = 1;
    member->digest = digest_begin();
    member->request_handler = (Handler){.run = request_run, .actor = member};
    member->expiry_handler = (Handler){.run = expiry_run, .actor = member};
    parts_make(member);
    if (config->causal)
        member->causal_order = causal_order_new();
    member->config.headers = NULL; /* the memory has its copy */
    return member;
}

void member_free(Member *member)
{
    if (!member)
        return;
    for (uint32_t origin = 0; origin <= MEMBER_MAX; origin++)
        history_clear(&member->histories[origin]);
    held_clear(member);
    shards_free(member->shards);
    causal_order_free(member->causal_order);
    effect_log_free(member->log);
    store_free(member->store);
    g_free(member->name);
    g_free(member);
}

void member_attach(Member *member, Link *outbound, Link *inbound)
{
    uint32_t id = link_to(outbound);
    Peer *peer = &member->peers[id];

    ensure(link_from(outbound) == member->config.id && link_from(inbound) == id);
    ensure(!peer->out);
    peer->owner = member;
    peer->id = id;
    peer->out = outbound;
    peer->in = inbound;
    sync_attach(member, peer);
}

void member_start(Member *member)
{
    sync_start(member);
    expiry_arm(member, place_now_ns(member->config.place));
}

void member_set_reachable(Member *member, bool reachable)
{
    if (member->reachable && !reachable) {
        member->reach_epoch++;
        held_drop_all(member);
    }
    member->reachable = reachable;
}

/* What was on its way to a crashed member is lost with its connections; what it had sent still
 * arrives. */
void member_crash(Member *member)
{
    if (member->crashed)
        return;
    member->crashed = true;
    member->reach_epoch++;
    held_drop_all(member);
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        member->peers[id].hearing = member->peers[id].asked = false;
}

void member_restart(Member *member)
{
    if (!member->crashed)
        return;
    member->crashed = false;
    member->restart_count++;
    member->now_ns = place_now_ns(member->config.place);
    member->expiry_armed_ns = SIM_TIME_NEVER;
    expiry_arm(member, member->now_ns);
    causal_restart(member);
    sync_restart(member);
    membership_restart(member);
}

void member_set_skew(Member *member, SimTime skew_ns)
{
    member->skew_ns = skew_ns;
    member->expiry_armed_ns = SIM_TIME_NEVER;
    expiry_arm(member, place_now_ns(member->config.place));
    held_rearm(member, place_now_ns(member->config.place));
}

void member_set_slowdown(Member *member, double factor)
{
    member->slowdown = factor;
    shards_set_slowdown(member->shards, factor);
}

WallTime member_wall(const Member *member, SimTime now_ns)
{
    return wall_at(member, now_ns);
}
