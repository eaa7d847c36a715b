/* Why it works: a policy sees a view made for the moment it is asked, from what this instance
 * holds: its DNS answer or its own prober's belief, and the operators' bars.  It is asked only when
 * a connection opens, so none of this is on the path of an operation.
 *
 * The end of a connection's life is one timer per instance, never one per connection: all of an
 * instance's connections live equally long, so a younger one ends later, and a timer that finds a
 * younger one goes on to that one's end.  An outage in which each attempt opens a connection leaves
 * no heap of timers behind.
 *
 * Each instance's first answer ends at a moment of its own within the TTL and later ones a TTL
 * after they came. So at any instant the time an answer has left is uniform over the TTL, which is
 * the R of the detection time phi + k I + T + R (routing.md section 3, row 6).  Asking only when a
 * connection is lost would let all instances ask in step with the outage; hosts and resolvers serve
 * many connections, so their answers are refreshed by someone else's need.
 *
 * A restore moves the instances one after another with one timer that passes from each to the next.
 */
#include "models/clients/client.h"

#include <string.h>

#include "models/clients/traffic_manager.h"
#include "sim/ensure.h"

enum { DRAW_DNS_PHASE, DRAW_CHOOSE, DRAW_LIFE, DRAW_DNS_RTT = 16 };

struct ClientPool {
    ClientPoolConfig config;
    const SiteConfig *site;
    const Selector *selector;
    const Detector *detector;
    RngKey key;
    uint32_t count;
    Client *clients;
    unsigned char *selector_states; /* count blocks of selector_state_size */
    size_t selector_state_size;
    struct ProberOwner {
        ClientPool *pool;
        Prober *prober;
        uint32_t client;
    } * probers; /* NULL: the detector is no client's, or neither probes nor hears */
    EndpointView endpoints[MEMBER_MAX]; /* all but healthy and barred */
    uint32_t all_healthy;
    bool learns; /* some policy hears every result */
    int8_t redirect_to[MEMBER_MAX];
    uint32_t restore_count[MEMBER_MAX]; /* numbers the restores, so that a stale one stops */
    SimTime restore_over_ns[MEMBER_MAX], restore_begin_ns[MEMBER_MAX];
    Handler answer_ends, answered, move_back, life_ends;
};

typedef struct {
    uint32_t client;
    uint32_t member;
    uint32_t restore;
} ClientTimer;

static void post_timer(ClientPool *pool, const Handler *handler, SimTime at_ns, ClientTimer body)
{
    place_post(pool->site->place, pool->site->place,
               &(Post){.at_ns = at_ns,
                       .rank = RANK_CLIENT,
                       .source = pool->site->source,
                       .seq = (*pool->config.post_seq)++,
                       .handler = handler,
                       .body = &body,
                       .body_bytes = sizeof(body)});
}

Client *client_at(ClientPool *pool, uint32_t client)
{
    return &pool->clients[client];
}

const Client *client_peek(const ClientPool *pool, uint32_t client)
{
    return &pool->clients[client];
}

/* ---- choosing ---- */

static uint32_t believed_healthy(const ClientPool *pool, uint32_t client, SimTime now_ns)
{
    if (pool->probers)
        return prober_healthy(pool->probers[client].prober, now_ns);
    return pool->clients[client].healthy;
}

static void *selector_state(ClientPool *pool, uint32_t client)
{
    return pool->selector_states ? pool->selector_states + client * pool->selector_state_size
                                 : NULL;
}

static void fill_view(ClientPool *pool, uint32_t client, SimTime now_ns, ClientView *view)
{
    uint32_t healthy = believed_healthy(pool, client, now_ns);

    for (uint32_t i = 0; i < pool->site->member_count; i++) {
        pool->endpoints[i].healthy = healthy >> i & 1;
        pool->endpoints[i].barred = false;
    }
    *view = (ClientView){
        .now_ns = now_ns,
        .endpoints = pool->endpoints,
        .endpoint_count = pool->site->member_count,
        .home = pool->site->home,
        .active = -1,
    };
}

/* What the policy says; where an operator has barred that, where the operator sends it, or what the
 * policy says of the rest, or for a policy that knows only one endpoint the nearest healthy other.
 */
static int32_t choose(ClientPool *pool, uint32_t client, int32_t active, const OpView *op,
                      SimTime now_ns)
{
    const void *params = pool->site->routing->select.params;
    uint64_t u64 =
        rng_keyed(pool->key, (uint64_t)client << 32 | pool->clients[client].life_seq, DRAW_CHOOSE);
    uint8_t barred = pool->clients[client].barred;
    ClientView view;
    int32_t choice;

    fill_view(pool, client, now_ns, &view);
    view.active = active;
    choice = pool->selector->choose(selector_state(pool, client), params, &view, op, u64);
    ensure(choice >= -1 && choice < (int32_t)pool->site->member_count);
    if (choice < 0 || !(barred >> choice & 1))
        return choice;
    if (pool->redirect_to[choice] >= 0) {
        int32_t to = pool->redirect_to[choice];

        if (pool->endpoints[to].usable && !(barred >> to & 1))
            return to;
    }
    for (uint32_t i = 0; i < pool->site->member_count; i++)
        pool->endpoints[i].barred = barred >> i & 1;
    choice = pool->selector->choose(selector_state(pool, client), params, &view, op, u64);
    return choice >= 0 ? choice : selector_nearest(&view);
}

static void tell(const ClientPool *pool, ClientFact fact)
{
    fact.site_index = pool->site->index;
    if (pool->site->listener.client)
        pool->site->listener.client(pool->site->listener.actor, &fact);
}

/* Of the connection in use, new or renewed. */
static void begin_life(ClientPool *pool, uint32_t client, SimTime now_ns)
{
    Client *c = &pool->clients[client];
    double share;

    c->life_seq++;
    if (pool->detector->at != DETECT_DNS)
        return;
    share = rng_unit_of(rng_keyed(pool->key, client, DRAW_LIFE));
    c->renew_ns = now_ns + (SimTime)((0.5 + 0.5 * share) * (double)CLIENT_LIFE_MAX_NS);
    if (c->awaits_renewal)
        return;
    c->awaits_renewal = true;
    post_timer(pool, &pool->life_ends, c->renew_ns, (ClientTimer){.client = client});
}

static void connect_to(ClientPool *pool, uint32_t client, int32_t member, SimTime now_ns)
{
    Client *c = &pool->clients[client];
    int8_t before = c->last_endpoint;

    c->connection++;
    c->endpoint = (int8_t)member;
    c->last_endpoint = c->endpoint;
    begin_life(pool, client, now_ns);
    if (before >= 0 && before != c->endpoint)
        tell(pool, (ClientFact){.kind = CLIENT_SWITCH,
                                .client = client,
                                .from_index = before,
                                .to_index = member,
                                .at_ns = now_ns,
                                .weight = 1});
}

int32_t client_open(ClientPool *pool, uint32_t client, const OpView *op, SimTime now_ns)
{
    int32_t member;

    ensure(pool->clients[client].endpoint < 0);
    if (pool->clients[client].is_resolving)
        return CLIENT_RESOLVING;
    member = choose(pool, client, -1, op, now_ns);
    if (member < 0)
        return CLIENT_NO_ENDPOINT;
    connect_to(pool, client, member, now_ns);
    return member;
}

void client_lose(ClientPool *pool, uint32_t client, uint32_t connection)
{
    Client *c = &pool->clients[client];

    if (c->connection == connection)
        c->endpoint = -1;
}

/* Leaves a live connection for what the policy now prefers, if that is another endpoint. */
static void reconsider(ClientPool *pool, uint32_t client, int32_t active, SimTime now_ns)
{
    static const OpView nothing = {.family = FAMILY_NONE};
    const Client *c = &pool->clients[client];
    int32_t member;

    if (c->endpoint < 0)
        return;
    member = choose(pool, client, active, &nothing, now_ns);
    if (member >= 0 && member != c->endpoint)
        connect_to(pool, client, member, now_ns);
}

static void hear_belief(void *actor, uint32_t healthy)
{
    struct ProberOwner *owner = actor;
    ClientPool *pool = owner->pool;

    (void)healthy;
    reconsider(pool, owner->client, pool->clients[owner->client].endpoint,
               place_now_ns(pool->site->place));
}

/* ---- DNS ---- */

/* The pool replaces an old connection.  Without a candidate, or with the same one again, it has
 * what it needs for another life. */
static void renew(ClientPool *pool, uint32_t client, SimTime now_ns)
{
    static const OpView nothing = {.family = FAMILY_NONE};
    int32_t member = choose(pool, client, -1, &nothing, now_ns);

    if (member >= 0 && member != pool->clients[client].endpoint)
        connect_to(pool, client, member, now_ns);
    else
        begin_life(pool, client, now_ns);
}

static void on_life_ends(void *actor, Place *place, void *body)
{
    ClientPool *pool = actor;
    uint32_t client = ((ClientTimer *)body)->client;
    Client *c = &pool->clients[client];
    SimTime now_ns = place_now_ns(place);

    c->awaits_renewal = false;
    if (c->endpoint < 0)
        return;
    if (now_ns < c->renew_ns) {
        c->awaits_renewal = true;
        post_timer(pool, &pool->life_ends, c->renew_ns, (ClientTimer){.client = client});
    } else if (!c->is_resolving) { /* else the answer renews it */
        renew(pool, client, now_ns);
    }
}

static void on_answer_ends(void *actor, Place *place, void *body)
{
    ClientPool *pool = actor;
    uint32_t client = ((ClientTimer *)body)->client;
    Client *c = &pool->clients[client];
    TrafficManager *manager = pool->site->traffic_manager;
    SimTime rtt_ns = dist_sample(pool->site->dns_rtt,
                                 rng_keyed(pool->key, client, DRAW_DNS_RTT + c->query_count++));
    DnsQuery query = {
        .reply_to = &pool->answered,
        .reply_place = place,
        .call = client,
        .return_ns = rtt_ns - rtt_ns / 2,
    };

    c->is_resolving = true;
    place_post(place, traffic_manager_place(manager),
               &(Post){.at_ns = place_now_ns(place) + rtt_ns / 2,
                       .rank = RANK_MESSAGE,
                       .source = pool->site->source,
                       .seq = (*pool->config.post_seq)++,
                       .handler = traffic_manager_handler(manager),
                       .body = &query,
                       .body_bytes = sizeof(query)});
}

static void on_answered(void *actor, Place *place, void *body)
{
    ClientPool *pool = actor;
    const DnsAnswer *answer = body;
    uint32_t client = (uint32_t)answer->call;
    Client *c = &pool->clients[client];

    c->healthy = answer->healthy;
    c->is_resolving = false;
    post_timer(pool, &pool->answer_ends, place_now_ns(place) + answer->ttl_ns,
               (ClientTimer){.client = client});
    if (c->endpoint >= 0 && place_now_ns(place) >= c->renew_ns)
        renew(pool, client, place_now_ns(place));
    if (c->waiting_head != CLIENT_NOBODY_WAITS)
        pool->config.resolved(pool->config.actor, client);
}

/* ---- what happened to attempts ---- */

static void hear_success(ClientPool *pool, const ClientResult *result)
{
    Client *c = &pool->clients[result->client];

    if (c->fault_member < 0 || result->sent_ns < c->fault_ns)
        return;
    if ((uint32_t)c->fault_member != result->member)
        tell(pool, (ClientFact){.kind = CLIENT_FAILOVER,
                                .client = result->client,
                                .from_index = c->fault_member,
                                .to_index = (int32_t)result->member,
                                .at_ns = result->now_ns,
                                .duration_ns = result->now_ns - c->fault_ns,
                                .weight = 1});
    c->fault_member = -1; /* elsewhere, or well again where it was */
    c->awaits_result = pool->learns;
}

void client_hear_result(ClientPool *pool, const ClientResult *result)
{
    if (result->outcome == OUTCOME_OK)
        hear_success(pool, result);
    if (pool->selector->on_result) {
        ClientView view;

        fill_view(pool, result->client, result->now_ns, &view);
        view.active = pool->clients[result->client].endpoint;
        pool->selector->on_result(selector_state(pool, result->client),
                                  pool->site->routing->select.params, &view, result->member,
                                  result->outcome, result->now_ns - result->sent_ns);
    }
    if (pool->probers)
        prober_hear_result(pool->probers[result->client].prober, result->member, result->outcome,
                           result->now_ns);
}

/* ---- levers ---- */

void client_pool_redirect(ClientPool *pool, uint32_t from, int32_t to)
{
    ensure(from < pool->site->member_count && to < (int32_t)pool->site->member_count);
    pool->redirect_to[from] =
        (int8_t)(to < 0 ? -1 : to); /* to itself is barred: the nearest healthy other */
    pool->restore_count[from]++;
    for (uint32_t i = 0; i < pool->count; i++) {
        pool->clients[i].barred |= (uint8_t)(1u << from);
        if (pool->clients[i].endpoint == (int32_t)from)
            client_lose(pool, i, pool->clients[i].connection);
    }
}

static SimTime moment_of(const ClientPool *pool, uint32_t member, uint32_t client)
{
    double share = (double)client / (double)pool->count;

    return pool->restore_begin_ns[member] +
           (SimTime)((double)pool->restore_over_ns[member] * share);
}

static void on_move_back(void *actor, Place *place, void *body)
{
    ClientPool *pool = actor;
    ClientTimer timer = *(ClientTimer *)body;

    if (timer.restore != pool->restore_count[timer.member])
        return;
    pool->clients[timer.client].barred &= (uint8_t) ~(1u << timer.member);
    reconsider(pool, timer.client, -1, place_now_ns(place));
    if (++timer.client < pool->count)
        post_timer(pool, &pool->move_back, moment_of(pool, timer.member, timer.client), timer);
}

void client_pool_restore(ClientPool *pool, uint32_t member, SimTime now_ns, SimTime over_ns)
{
    ensure(member < pool->site->member_count && over_ns >= 0);
    pool->restore_begin_ns[member] = now_ns;
    pool->restore_over_ns[member] = over_ns;
    post_timer(pool, &pool->move_back, now_ns,
               (ClientTimer){.member = member, .restore = ++pool->restore_count[member]});
}

void client_pool_note_fault(ClientPool *pool, uint32_t member, SimTime now_ns)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        if (pool->clients[i].last_endpoint != (int32_t)member)
            continue;
        pool->clients[i].fault_member = (int8_t)member;
        pool->clients[i].awaits_result = true;
        pool->clients[i].fault_ns = now_ns;
    }
}

/* ---- life ---- */

static void make_endpoints(ClientPool *pool)
{
    const SiteConfig *site = pool->site;

    for (uint32_t i = 0; i < site->member_count; i++) {
        pool->endpoints[i] = (EndpointView){
            .base_rtt_ns = site->rtt[i] ? dist_quantile(site->rtt[i], 0.5) : SIM_TIME_NEVER,
            .priority = i == site->home ? 0 : (int32_t)i + 1,
            .usable = site->rtt[i] != NULL,
        };
        pool->redirect_to[i] = -1;
    }
    pool->all_healthy = (UINT32_C(1) << site->member_count) - 1;
}

static void make_selectors(ClientPool *pool)
{
    const PluginChoice *select = &pool->site->routing->select;

    if (!pool->selector->state_size)
        return;
    pool->selector_state_size =
        pool->selector->state_size(select->params, pool->site->member_count);
    pool->selector_states = g_malloc0_n(pool->count, pool->selector_state_size);
    for (uint32_t i = 0; pool->selector->init && i < pool->count; i++) {
        ClientView view;

        fill_view(pool, i, 0, &view);
        pool->selector->init(selector_state(pool, i), select->params, &view);
    }
}

static void make_probers(ClientPool *pool)
{
    const SiteConfig *site = pool->site;
    g_autofree char *label = g_strdup_printf("site/%s/probes", site->name);
    ProberConfig config = {
        .place = site->place,
        .source = site->source,
        .post_seq = pool->config.post_seq,
        .detect = &site->routing->detect,
        .members = site->members,
        .member_count = site->member_count,
        .rtt = site->rtt,
        .key = rng_key(site->seed, label),
        .changed = hear_belief,
    };

    pool->probers = g_new0(struct ProberOwner, pool->count);
    for (uint32_t i = 0; i < pool->count; i++) {
        pool->probers[i].pool = pool;
        pool->probers[i].client = i;
        config.number = i;
        config.actor = &pool->probers[i];
        pool->probers[i].prober = prober_new(&config);
    }
}

ClientPool *client_pool_new(const ClientPoolConfig *config)
{
    ClientPool *pool = g_new0(ClientPool, 1);
    g_autofree char *label = g_strdup_printf("site/%s/clients", config->site->name);

    ensure(config->site->client_count > 0 && config->site->member_count <= MEMBER_MAX);
    ensure(config->site->home < config->site->member_count);
    pool->config = *config;
    pool->site = config->site;
    pool->selector = (const Selector *)(const void *)pool->site->routing->select.head;
    pool->detector = (const Detector *)(const void *)pool->site->routing->detect.head;
    pool->key = rng_key(pool->site->seed, label);
    pool->count = pool->site->client_count;
    pool->clients = g_new0(Client, pool->count);
    pool->answer_ends = (Handler){on_answer_ends, pool};
    pool->answered = (Handler){on_answered, pool};
    pool->move_back = (Handler){on_move_back, pool};
    pool->life_ends = (Handler){on_life_ends, pool};
    make_endpoints(pool);
    if (pool->detector->at != DETECT_CLIENT)
        ensure(pool->site->traffic_manager && pool->site->dns_rtt);
    else if (pool->detector->probe_at || pool->detector->on_result)
        make_probers(pool);
    pool->learns = pool->selector->on_result || pool->probers;
    for (uint32_t i = 0; i < pool->count; i++)
        pool->clients[i] = (Client){.endpoint = -1,
                                    .last_endpoint = -1,
                                    .fault_member = -1,
                                    .healthy = pool->all_healthy,
                                    .awaits_result = pool->learns,
                                    .waiting_head = CLIENT_NOBODY_WAITS,
                                    .waiting_tail = CLIENT_NOBODY_WAITS};
    make_selectors(pool);
    return pool;
}

void client_pool_free(ClientPool *pool)
{
    if (!pool)
        return;
    for (uint32_t i = 0; pool->probers && i < pool->count; i++)
        prober_free(pool->probers[i].prober);
    g_free(pool->probers);
    g_free(pool->selector_states);
    g_free(pool->clients);
    g_free(pool);
}

void client_pool_start(ClientPool *pool)
{
    SimTime ttl_ns;

    for (uint32_t i = 0; pool->probers && i < pool->count; i++)
        prober_start(pool->probers[i].prober, 0);
    if (pool->detector->at == DETECT_CLIENT)
        return;
    ttl_ns = pool->detector->ttl_ns(pool->site->routing->detect.params);
    for (uint32_t i = 0; i < pool->count; i++) {
        double phase = rng_unit_of(rng_keyed(pool->key, i, DRAW_DNS_PHASE));

        post_timer(pool, &pool->answer_ends, (SimTime)(phase * (double)ttl_ns),
                   (ClientTimer){.client = i});
    }
}
