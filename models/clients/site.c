/* Why it works: an operation costs its place one stream event (the arrival) and one timer (the
 * answer), and the member's place one more.  Its timeout costs none: the timeout is the same for
 * all attempts of a site, so deadlines fall due in the order in which they were set, and a ring of
 * them is looked at about once per timeout, passing over the thousands whose operation has long
 * ended.
 *
 * Everything random about an operation is computed from its own token and the attempt's number, so
 * what one operation meets can never shift what another draws.
 *
 * An operation whose answer is final stays in its slot while a retried write's other attempts may
 * still be answered: two of them applied is a duplicate, also when the client never saw either
 * answer.
 */
#include "models/clients/site.h"

#include "models/clients/client.h"
#include "models/clients/due_ring.h"
#include "models/clients/op_pool.h"
#include "models/clients/traffic_manager.h"
#include "models/clients/workload.h"
#include "sim/ensure.h"

enum { SOURCE_POSTS = 0, SOURCE_WORKLOADS = 1, SOURCE_TIMEOUTS = 1 + WORKLOAD_MAX };
static_assert(SOURCE_TIMEOUTS < 64, "a site has 64 sources");

/* Draws of one attempt, keyed by the operation's token. */
enum { DRAW_RTT, DRAW_BACKOFF, DRAW_JITTER, DRAWS_PER_ATTEMPT = 4 };

typedef struct {
    Site *site;
    Workload *workload;
    Handler handler;
    uint32_t stream;
} Arrivals;

struct Site {
    const SiteConfig *config;
    RngKey attempts;
    ClientPool *clients;
    OpPool ops;
    DueRing timeouts;
    DueRing lingering;
    uint32_t timeout_stream;
    uint64_t timeout_seq;
    uint64_t post_seq;
    Handler replied, backed_off, timed_out;
    Digest digest;
    SiteCounts counts;
    Arrivals arrivals[WORKLOAD_MAX];
};

typedef struct {
    uint64_t call;
} OpTimer;

static void begin_attempt(Site *site, uint32_t index, SimTime now_ns);

/* ---- the end of an operation ---- */

static void fold_end(Site *site, uint64_t op_seq, Outcome outcome, SimTime end_ns)
{
    digest_u64(&site->digest, op_seq);
    digest_u64(&site->digest, (uint64_t)outcome);
    digest_u64(&site->digest, (uint64_t)end_ns);
}

static void forget_late(Site *site, SimTime now_ns)
{
    while (!due_ring_is_empty(&site->lingering) &&
           due_ring_front(&site->lingering)->at_ns <= now_ns) {
        uint64_t call = due_ring_front(&site->lingering)->call;

        due_ring_pop(&site->lingering);
        if (op_of_call(&site->ops, call))
            op_pool_put(&site->ops, call_index(call));
    }
}

static void finish(Site *site, uint32_t index, Outcome outcome, SimTime now_ns)
{
    OpSlot *slot = op_slot(&site->ops, index);
    const Operation *op = &slot->op;
    bool may_be_applied_again =
        op->spec->writes && slot->attempt_count > 1 && slot->unanswered_count > 0;

    fold_end(site, op->seq, outcome, now_ns);
    site->counts.done += op->weight;
    site->counts.ok += outcome == OUTCOME_OK ? op->weight : 0;
    site->counts.in_flight--;
    if (site->config->listener.op_done) {
        OpFact fact = {
            .start_ns = slot->start_ns,
            .end_ns = now_ns,
            .attempt_ns = slot->attempt_ns,
            .op_seq = op->seq,
            .key = op->key,
            .spec = op->spec,
            .dot = outcome == OUTCOME_OK ? slot->dot : 0,
            .site_index = site->config->index,
            .client = op->client,
            .member_index = slot->member,
            .weight = op->weight,
            .family = op->family,
            .op_index = op->op_index,
            .attempts = slot->attempt_count,
            .outcome = (uint8_t)outcome,
        };

        site->config->listener.op_done(site->config->listener.actor, &fact);
    }
    if (!may_be_applied_again) {
        op_pool_put(&site->ops, index);
        return;
    }
    slot->state = OP_LINGERS;
    forget_late(site, now_ns);
    due_ring_push(&site->lingering, (Due){now_ns + SITE_LATE_REPLY_NS, op_call(slot, index)});
}

/* ---- attempts ---- */

static inline uint64_t token_word(const Site *site, uint64_t token, uint32_t attempt, uint64_t use)
{
    return rng_keyed(site->attempts, token, attempt * (uint64_t)DRAWS_PER_ATTEMPT + use);
}

static inline uint64_t attempt_word(const Site *site, const OpSlot *slot, uint64_t use)
{
    return token_word(site, slot->op.token, slot->attempt_count, use);
}

static void post_in_place(Site *site, const Handler *handler, SimTime at_ns, uint64_t call)
{
    OpTimer body = {call};

    place_post(site->config->place, site->config->place,
               &(Post){.at_ns = at_ns,
                       .rank = RANK_CLIENT,
                       .source = site->config->source + SOURCE_POSTS,
                       .seq = site->post_seq++,
                       .handler = handler,
                       .body = &body,
                       .body_bytes = sizeof(body)});
}

static void hear_result(Site *site, const OpSlot *slot, Outcome outcome, SimTime now_ns)
{
    if (slot->member < 0)
        return;
    client_hear_result(site->clients, &(ClientResult){.client = slot->op.client,
                                                      .member = (uint32_t)slot->member,
                                                      .outcome = outcome,
                                                      .sent_ns = slot->attempt_ns,
                                                      .now_ns = now_ns,
                                                      .weight = slot->op.weight});
}

/* Timeout, refusal and reset kill the connection; the operation is tried again if the policy dares.
 */
static void fail_attempt(Site *site, uint32_t index, Outcome outcome, SimTime now_ns)
{
    OpSlot *slot = op_slot(&site->ops, index);
    const RetryConfig *retry = &site->config->routing->retry;
    SimTime wait_ns;

    if (slot->member >= 0)
        client_lose(site->clients, slot->op.client, slot->connection);
    hear_result(site, slot, outcome, now_ns);
    if (!retry_allows(retry, slot->attempt_count, slot->op.spec->op_class)) {
        finish(site, index, outcome, now_ns);
        return;
    }
    wait_ns = retry_wait_ns(retry, slot->attempt_count, attempt_word(site, slot, DRAW_BACKOFF),
                            attempt_word(site, slot, DRAW_JITTER));
    slot->state = OP_BACKING_OFF;
    post_in_place(site, &site->backed_off, now_ns + wait_ns, op_call(slot, index));
}

static void arm_timeout(Site *site, SimTime at_ns, uint64_t call)
{
    if (due_ring_is_empty(&site->timeouts))
        place_set_stream(site->config->place, site->timeout_stream, at_ns, site->timeout_seq++);
    due_ring_push(&site->timeouts, (Due){at_ns, call});
}

static void send_attempt(Site *site, uint32_t index, SimTime now_ns)
{
    OpSlot *slot = op_slot(&site->ops, index);
    const Operation *op = &slot->op;
    const SiteConfig *config = site->config;
    Member *member = config->members[slot->member];
    uint64_t call = op_call(slot, index);
    SimTime rtt_ns = dist_sample(config->rtt[slot->member], attempt_word(site, slot, DRAW_RTT));
    Post post = {.at_ns = now_ns + rtt_ns / 2,
                 .rank = RANK_MESSAGE,
                 .source = config->source + SOURCE_POSTS,
                 .seq = site->post_seq++,
                 .handler = member_request_handler(member),
                 .body_bytes = sizeof(Request)};
    Request *request = place_post_room(config->place, member_place(member), &post);

    *request = (Request){
        .spec = op->spec,
        .reply_to = &site->replied,
        .reply_place = config->place,
        .key = op->key,
        .token = op->token,
        .call = call,
        .return_ns = rtt_ns - rtt_ns / 2,
        .ttl_ns = op->ttl_ns,
        .block_ns = op->block_ns,
        .patience_ns = config->routing->retry.timeout_ns,
        .element = op->element,
        .element_count = op->element_count,
        .value_bytes = op->value_bytes,
        .source = config->source,
        .weight = op->weight,
        .family = op->family,
    };
    slot->state = OP_SENT;
    slot->unanswered_count++;
    if (member_place(member) == config->place)
        member_prefetch(member, request, post.at_ns); /* a few dozen operations ahead */
    arm_timeout(site, now_ns + config->routing->retry.timeout_ns, call);
}

static void wait_for_answer(Site *site, Client *client, uint32_t index)
{
    OpSlot *slot = op_slot(&site->ops, index);

    slot->state = OP_RESOLVING;
    slot->next = OP_NONE;
    if (client->waiting_head == CLIENT_NOBODY_WAITS)
        client->waiting_head = index;
    else
        op_slot(&site->ops, client->waiting_tail)->next = index;
    client->waiting_tail = index;
}

static void begin_attempt(Site *site, uint32_t index, SimTime now_ns)
{
    OpSlot *slot = op_slot(&site->ops, index);
    Client *client = client_at(site->clients, slot->op.client);
    int32_t member = client->endpoint;

    if (member < 0) {
        OpView view = {slot->op.key, slot->op.family, slot->op.spec->op_class, slot->attempt_count};

        member = client_open(site->clients, slot->op.client, &view, now_ns);
    }
    if (member == CLIENT_RESOLVING) {
        wait_for_answer(site, client, index);
        return;
    }
    slot->attempt_count++;
    slot->attempt_ns = now_ns;
    slot->member = (int8_t)member;
    slot->connection = client->connection;
    if (member < 0)
        fail_attempt(site, index, OUTCOME_REFUSED, now_ns);
    else
        send_attempt(site, index, now_ns);
}

static void on_backed_off(void *actor, Place *place, void *body)
{
    Site *site = actor;
    uint64_t call = ((OpTimer *)body)->call;

    ensure(op_of_call(&site->ops, call)->state == OP_BACKING_OFF);
    begin_attempt(site, call_index(call), place_now_ns(place));
}

static void on_resolved(void *actor, uint32_t client)
{
    Site *site = actor;
    Client *c = client_at(site->clients, client);
    uint32_t index = c->waiting_head;
    SimTime now_ns = place_now_ns(site->config->place);

    c->waiting_head = c->waiting_tail = CLIENT_NOBODY_WAITS;
    while (index != OP_NONE) {
        uint32_t next = op_slot(&site->ops, index)->next;

        begin_attempt(site, index, now_ns);
        index = next;
    }
}

/* ---- answers and silence ---- */

static void count_applied(Site *site, OpSlot *slot, const Response *response, SimTime now_ns)
{
    if (response->dot == 0 || ++slot->applied_count < 2 || !site->config->listener.client)
        return;
    site->config->listener.client(site->config->listener.actor,
                                  &(ClientFact){.kind = CLIENT_DUPLICATE,
                                                .site_index = site->config->index,
                                                .client = slot->op.client,
                                                .from_index = -1,
                                                .to_index = response->member_index,
                                                .at_ns = now_ns,
                                                .family = slot->op.family,
                                                .weight = slot->op.weight});
}

static void on_replied(void *actor, Place *place, void *body)
{
    Site *site = actor;
    const Response *response = body;
    SimTime now_ns = place_now_ns(place);
    uint32_t index = call_index(response->call);
    OpSlot *slot = op_of_call(&site->ops, response->call);
    Outcome outcome = (Outcome)response->outcome;

    if (!slot)
        return;
    slot->unanswered_count--;
    count_applied(site, slot, response, now_ns);
    if (slot->state == OP_LINGERS) {
        if (slot->unanswered_count == 0)
            op_pool_put(&site->ops, index);
        return;
    }
    if (slot->state != OP_SENT || slot->attempt_count != call_attempt(response->call))
        return; /* of an attempt given up */
    if (response->reach_epoch != member_reach_epoch(site->config->members[slot->member]))
        return; /* lost on its way */
    slot->dot = response->dot;
    if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_RESET) {
        fail_attempt(site, index, outcome, now_ns);
        return;
    }
    hear_result(site, slot, outcome, now_ns);
    finish(site, index, outcome, now_ns);
}

static bool is_under_way(const Site *site, uint64_t call)
{
    const OpSlot *slot = op_of_call(&site->ops, call);

    return slot && slot->state == OP_SENT && slot->attempt_count == call_attempt(call);
}

static void on_timed_out(void *actor, Place *place, void *body)
{
    Site *site = actor;
    SimTime now_ns = place_now_ns(place);

    (void)body;
    while (!due_ring_is_empty(&site->timeouts)) {
        Due due = *due_ring_front(&site->timeouts);

        /* Most are answered long since, and their slots out of reach. */
        op_prefetch(&site->ops, call_index(due_ring_ahead(&site->timeouts, 8)->call));
        if (is_under_way(site, due.call)) {
            if (due.at_ns > now_ns) {
                place_set_stream(place, site->timeout_stream, due.at_ns, site->timeout_seq++);
                return;
            }
            due_ring_pop(&site->timeouts);
            fail_attempt(site, call_index(due.call), OUTCOME_TIMEOUT, now_ns);
        } else {
            due_ring_pop(&site->timeouts);
        }
    }
    place_set_stream(place, site->timeout_stream, SIM_TIME_NEVER, 0);
}

/* ---- arrivals ---- */

/* Kept in the system of record: the operation is counted and touches no member. */
static void pass_by(Site *site, const Operation *op, SimTime now_ns)
{
    fold_end(site, op->seq, OUTCOME_OK, now_ns);
    if (!site->config->listener.op_done)
        return;
    site->config->listener.op_done(site->config->listener.actor,
                                   &(OpFact){.start_ns = now_ns,
                                             .end_ns = now_ns,
                                             .attempt_ns = now_ns,
                                             .op_seq = op->seq,
                                             .key = op->key,
                                             .site_index = site->config->index,
                                             .client = op->client,
                                             .member_index = -1,
                                             .weight = op->weight,
                                             .family = op->family,
                                             .op_index = op->op_index,
                                             .outcome = OUTCOME_OK});
}

static void begin_operation(Site *site, uint32_t index, SimTime now_ns)
{
    OpSlot *slot = op_slot(&site->ops, index);

    slot->start_ns = now_ns;
    slot->attempt_ns = now_ns;
    slot->dot = 0;
    slot->applied_count = 0;
    slot->attempt_count = 0;
    slot->unanswered_count = 0;
    slot->member = -1;
    site->counts.in_flight++;
    begin_attempt(site, index, now_ns);
}

/* The round-trip tables of all sites together fill the caches near the core.  Whoever comes next
 * most likely goes home; a wrong guess costs nothing. */
static inline void prefetch_rtt(const Site *site, const Workload *workload)
{
    const Dist *rtt = site->config->rtt[site->config->home];

    if (rtt)
        dist_prefetch(rtt, token_word(site, workload_next_token(workload), 1, DRAW_RTT));
}

static void on_arrival(void *actor, Place *place, void *body)
{
    Arrivals *arrivals = actor;
    Site *site = arrivals->site;
    SimTime now_ns = place_now_ns(place);
    uint32_t index = op_pool_take(&site->ops);
    OpSlot *slot = op_slot(&site->ops, index);

    (void)body;
    workload_draw(arrivals->workload, &slot->op);
    workload_advance(arrivals->workload);
    place_set_stream(place, arrivals->stream, workload_next_ns(arrivals->workload),
                     workload_next_seq(arrivals->workload));
    prefetch_rtt(site, arrivals->workload);
    if (slot->op.spec) {
        begin_operation(site, index, now_ns);
    } else {
        pass_by(site, &slot->op, now_ns);
        op_pool_put(&site->ops, index);
    }
}

/* ---- life ---- */

Site *site_new(const SiteConfig *config)
{
    Site *site = g_new0(Site, 1);
    g_autofree char *label = g_strdup_printf("site/%s/attempts", config->name);

    ensure(config->workload_count <= WORKLOAD_MAX);
    ensure(config->routing->retry.attempts >= 1 && config->routing->retry.attempts < UINT8_MAX);
    site->config = config;
    site->attempts = rng_key(config->seed, label);
    site->digest = digest_begin();
    site->replied = (Handler){on_replied, site};
    site->backed_off = (Handler){on_backed_off, site};
    site->timed_out = (Handler){on_timed_out, site};
    op_pool_init(&site->ops);
    site->clients = client_pool_new(&(ClientPoolConfig){
        .site = config, .post_seq = &site->post_seq, .resolved = on_resolved, .actor = site});
    site->timeout_stream = place_add_stream(config->place, RANK_CLIENT,
                                            config->source + SOURCE_TIMEOUTS, &site->timed_out);
    for (uint32_t i = 0; i < config->workload_count; i++) {
        Arrivals *arrivals = &site->arrivals[i];

        arrivals->site = site;
        arrivals->handler = (Handler){on_arrival, arrivals};
        arrivals->workload = workload_new(&(WorkloadSetup){.config = &config->workloads[i],
                                                           .site_name = config->name,
                                                           .seed = config->seed,
                                                           .index = i,
                                                           .client_count = config->client_count,
                                                           .day_start_ns = config->day_start_ns});
        arrivals->stream = place_add_stream(
            config->place, RANK_CLIENT, config->source + SOURCE_WORKLOADS + i, &arrivals->handler);
    }
    return site;
}

void site_free(Site *site)
{
    if (!site)
        return;
    for (uint32_t i = 0; i < site->config->workload_count; i++)
        workload_free(site->arrivals[i].workload);
    client_pool_free(site->clients);
    op_pool_clear(&site->ops);
    due_ring_clear(&site->timeouts);
    due_ring_clear(&site->lingering);
    g_free(site);
}

void site_start(Site *site)
{
    for (uint32_t i = 0; i < site->config->workload_count; i++)
        place_set_stream(site->config->place, site->arrivals[i].stream,
                         workload_next_ns(site->arrivals[i].workload),
                         workload_next_seq(site->arrivals[i].workload));
    client_pool_start(site->clients);
}

/* ---- levers and readings ---- */

void site_redirect(Site *site, uint32_t from, int32_t to)
{
    client_pool_redirect(site->clients, from, to);
}

void site_restore(Site *site, uint32_t member, SimTime now_ns, SimTime over_ns)
{
    client_pool_restore(site->clients, member, now_ns, over_ns);
}

void site_note_fault(Site *site, uint32_t member, SimTime now_ns)
{
    client_pool_note_fault(site->clients, member, now_ns);
}

void site_set_burst(Site *site, double factor, SimTime now_ns)
{
    for (uint32_t i = 0; i < site->config->workload_count; i++) {
        Arrivals *arrivals = &site->arrivals[i];

        workload_set_burst(arrivals->workload, factor, now_ns);
        place_set_stream(site->config->place, arrivals->stream,
                         workload_next_ns(arrivals->workload),
                         workload_next_seq(arrivals->workload));
    }
}

static SimTime half_of_least(const Dist *rtt)
{
    return MAX(dist_min(rtt), 0) / 2;
}

SimTime site_lookahead_ns(const Site *site)
{
    const SiteConfig *config = site->config;
    SimTime least_ns = SIM_TIME_NEVER;

    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->rtt[i] && member_place(config->members[i]) != config->place)
            least_ns = MIN(least_ns, half_of_least(config->rtt[i]));
    if (config->traffic_manager && traffic_manager_place(config->traffic_manager) != config->place)
        least_ns = MIN(least_ns, half_of_least(config->dns_rtt));
    return least_ns;
}

SiteCounts site_counts(const Site *site)
{
    return site->counts;
}

double site_kept_share(const Site *site)
{
    double rate = 0, kept = 0;

    for (uint32_t i = 0; i < site->config->workload_count; i++) {
        rate += site->config->workloads[i].rate_per_s;
        kept +=
            site->config->workloads[i].rate_per_s * workload_kept_share(site->arrivals[i].workload);
    }
    return rate > 0 ? kept / rate : 1.0;
}

uint32_t site_client_count(const Site *site)
{
    return site->config->client_count;
}

int32_t site_client_endpoint(const Site *site, uint32_t client)
{
    return client < site->config->client_count ? client_peek(site->clients, client)->endpoint : -1;
}

const char *site_name(const Site *site)
{
    return site->config->name;
}

void site_digest(const Site *site, Digest *digest)
{
    digest_combine(digest, site->digest);
}
