/* Why it works: an operation costs its place one stream event (the arrival) and one timer (the
 * answer), and the member's place one more.  Its timeout costs none: the timeout is the same for
 * all attempts of a site, so deadlines fall due in the order in which they were set, and a ring of
 * them is looked at when it is full and about once per timeout, passing over those whose operation
 * has long ended.
 *
 * Everything random about an operation is computed from its own number and the attempt's, so what
 * one operation meets can never shift what another draws, and what it sends is not kept: a retry
 * draws it again.
 *
 * An operation whose answer is final stays in its slot while a retried write's other attempts may
 * still be answered: two of them applied is a duplicate, also when the client never saw either
 * answer.
 */
#include "models/clients/site.h"

#include "models/clients/call_ring.h"
#include "models/clients/client.h"
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
    uint64_t next_rtt_word; /* of the next operation's first attempt */
    uint32_t stream;
} Arrivals;

struct Site {
    const SiteConfig *config;
    RngKey attempts;
    ClientPool *clients;
    OpPool ops;
    CallRing timeouts;  /* attempts in the order in which they were sent */
    CallRing lingering; /* operations in the order in which they ended */
    uint32_t timeout_stream;
    bool timeout_armed;
    uint64_t timeout_seq;
    uint64_t post_seq;
    Handler replied, backed_off, timed_out;
    Digest digest;
    SiteCounts counts;
    Arrivals arrivals[WORKLOAD_MAX];
};

/* ---- the end of an operation ---- */

static void fold_end(Site *site, uint64_t op_seq, Outcome outcome, SimTime end_ns)
{
    digest_u64(&site->digest, op_seq);
    digest_u64(&site->digest, (uint64_t)outcome);
    digest_u64(&site->digest, (uint64_t)end_ns);
}

static void forget_late(Site *site, SimTime now_ns)
{
    while (!call_ring_is_empty(&site->lingering)) {
        OpSlot *slot = op_of_call(&site->ops, call_ring_front(&site->lingering));

        if (slot && slot->end_ns + SITE_LATE_REPLY_NS > now_ns)
            return;
        call_ring_pop(&site->lingering);
        if (slot)
            op_pool_put(&site->ops, slot);
    }
}

/* dot: of what the operation wrote, 0 if nothing. */
static void finish(Site *site, OpSlot *slot, Outcome outcome, Dot dot, SimTime now_ns)
{
    const Operation *op = &slot->op;

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
            .spec = op->kind->spec,
            .dot = outcome == OUTCOME_OK ? dot : 0,
            .site_index = site->config->index,
            .client = op->client,
            .member_index = slot->member,
            .weight = op->weight,
            .family = op->kind->family,
            .op_index = op->kind->op_index,
            .attempts = call_attempt(slot->call),
            .outcome = (uint8_t)outcome,
        };

        site->config->listener.op_done(site->config->listener.actor, &fact);
    }
    if (call_attempt(slot->call) == 1 || slot->unanswered_count == 0 || !op->kind->spec->writes) {
        op_pool_put(&site->ops, slot);
        return;
    }
    slot->state = OP_LINGERS; /* an attempt may be applied once more */
    slot->end_ns = now_ns;
    forget_late(site, now_ns);
    call_ring_push(&site->lingering, slot->call);
}

/* ---- attempts ---- */

static inline uint64_t attempt_word(const Site *site, uint64_t token, uint32_t attempt,
                                    uint64_t use)
{
    return rng_keyed(site->attempts, token, attempt * (uint64_t)DRAWS_PER_ATTEMPT + use);
}

static OpPick pick_of(const Site *site, const OpSlot *slot)
{
    const Workload *workload = site->arrivals[op_seq_workload(slot->op.seq)].workload;

    return workload_pick(workload, slot->op.seq);
}

static void hear_result(Site *site, const OpSlot *slot, Outcome outcome, SimTime now_ns)
{
    if (slot->member >= 0 && client_at(site->clients, slot->op.client)->awaits_result)
        client_hear_result(site->clients, &(ClientResult){.client = slot->op.client,
                                                          .member = (uint32_t)slot->member,
                                                          .outcome = outcome,
                                                          .sent_ns = slot->attempt_ns,
                                                          .now_ns = now_ns});
}

/* Timeout, refusal and reset kill the connection; the operation is tried again if the policy dares.
 */
static void fail_attempt(Site *site, OpSlot *slot, Outcome outcome, SimTime now_ns)
{
    const RetryConfig *retry = &site->config->routing->retry;
    uint32_t attempt = call_attempt(slot->call);
    uint64_t token;
    SimTime wait_ns;

    if (slot->member >= 0)
        client_lose(site->clients, slot->op.client, slot->connection);
    hear_result(site, slot, outcome, now_ns);
    if (!retry_allows(retry, attempt, slot->op.kind->spec->op_class)) {
        finish(site, slot, outcome, 0, now_ns);
        return;
    }
    token = pick_of(site, slot).token;
    wait_ns = retry_wait_ns(retry, attempt, attempt_word(site, token, attempt, DRAW_BACKOFF),
                            attempt_word(site, token, attempt, DRAW_JITTER));
    slot->state = OP_BACKING_OFF;
    place_post(site->config->place, site->config->place,
               &(Post){.at_ns = now_ns + wait_ns,
                       .rank = RANK_CLIENT,
                       .source = site->config->source + SOURCE_POSTS,
                       .seq = site->post_seq++,
                       .handler = &site->backed_off,
                       .body = &slot->call,
                       .body_bytes = sizeof(slot->call)});
}

/* Of those sent and not answered; NULL: none is. */
static OpSlot *oldest_under_way(Site *site)
{
    while (!call_ring_is_empty(&site->timeouts)) {
        uint64_t call = call_ring_front(&site->timeouts);
        OpSlot *slot = op_slot(&site->ops, call_index(call));

        if (slot->call == call && slot->state == OP_SENT)
            return slot;
        call_ring_pop(&site->timeouts);
    }
    return NULL;
}

static SimTime times_out_ns(const Site *site, const OpSlot *slot)
{
    return slot->attempt_ns + site->config->routing->retry.timeout_ns;
}

static void arm_timeout(Site *site, const OpSlot *slot)
{
    if (!site->timeout_armed)
        place_set_stream(site->config->place, site->timeout_stream, times_out_ns(site, slot),
                         site->timeout_seq++);
    site->timeout_armed = true;
    if (call_ring_is_full(&site->timeouts))
        (void)oldest_under_way(site); /* drops those answered before it */
    call_ring_push(&site->timeouts, slot->call);
}

static void send_attempt(Site *site, OpSlot *slot, const OpPick *pick, uint64_t rtt_word)
{
    const SiteConfig *config = site->config;
    Member *member = config->members[slot->member];
    SimTime rtt_ns = dist_sample(config->rtt[slot->member], rtt_word);
    Post post = {.at_ns = slot->attempt_ns + rtt_ns / 2,
                 .rank = RANK_MESSAGE,
                 .source = config->source + SOURCE_POSTS,
                 .seq = site->post_seq++,
                 .handler = member_request_handler(member),
                 .body_bytes = sizeof(Request)};
    Request *request = place_post_room(config->place, member_place(member), &post);

    workload_draw_request(pick, request);
    request->key = slot->op.key;
    request->weight = slot->op.weight;
    request->call = slot->call;
    request->reply_to = &site->replied;
    request->reply_place = config->place;
    request->return_ns = rtt_ns - rtt_ns / 2;
    request->patience_ns = config->routing->retry.timeout_ns;
    slot->state = OP_SENT;
    slot->unanswered_count++;
    if (member_place(member) == config->place)
        member_prefetch(member, request); /* a few dozen operations ahead */
    arm_timeout(site, slot);
}

static void wait_for_answer(Site *site, Client *client, OpSlot *slot)
{
    uint32_t index = call_index(slot->call);

    slot->state = OP_RESOLVING;
    slot->next = OP_NONE;
    if (client->waiting_head == CLIENT_NOBODY_WAITS)
        client->waiting_head = index;
    else
        op_slot(&site->ops, client->waiting_tail)->next = index;
    client->waiting_tail = index;
}

/* rtt_word: for the round trip, if the attempt is made. */
static void begin_attempt(Site *site, OpSlot *slot, const OpPick *pick, uint64_t rtt_word,
                          SimTime now_ns)
{
    Client *client = client_at(site->clients, slot->op.client);
    int32_t member = client->endpoint;

    if (member < 0) {
        OpView view = {slot->op.key, slot->op.kind->family, slot->op.kind->spec->op_class,
                       call_attempt(slot->call)};

        member = client_open(site->clients, slot->op.client, &view, now_ns);
    }
    if (member == CLIENT_RESOLVING) {
        wait_for_answer(site, client, slot);
        return;
    }
    slot->call += CALL_ATTEMPT;
    slot->attempt_ns = now_ns;
    slot->member = (int8_t)member;
    slot->connection = client->connection;
    if (member < 0)
        fail_attempt(site, slot, OUTCOME_REFUSED, now_ns);
    else
        send_attempt(site, slot, pick, rtt_word);
}

static void begin_later_attempt(Site *site, OpSlot *slot, SimTime now_ns)
{
    OpPick pick = pick_of(site, slot);
    uint32_t attempt = call_attempt(slot->call) + 1u;

    begin_attempt(site, slot, &pick, attempt_word(site, pick.token, attempt, DRAW_RTT), now_ns);
}

static void on_backed_off(void *actor, Place *place, void *body)
{
    Site *site = actor;
    OpSlot *slot = op_of_call(&site->ops, *(const uint64_t *)body);

    ensure(slot && slot->state == OP_BACKING_OFF);
    begin_later_attempt(site, slot, place_now_ns(place));
}

static void on_resolved(void *actor, uint32_t client)
{
    Site *site = actor;
    Client *c = client_at(site->clients, client);
    uint32_t index = c->waiting_head;
    SimTime now_ns = place_now_ns(site->config->place);

    c->waiting_head = c->waiting_tail = CLIENT_NOBODY_WAITS;
    while (index != OP_NONE) {
        OpSlot *slot = op_slot(&site->ops, index);

        index = slot->next;
        begin_later_attempt(site, slot, now_ns);
    }
}

/* ---- answers and silence ---- */

static void count_applied(Site *site, OpSlot *slot, const Response *response, SimTime now_ns)
{
    slot->applied_count = (uint8_t)(slot->applied_count + (response->dot != 0));
    if (slot->applied_count < 2 || response->dot == 0 || !site->config->listener.client)
        return;
    site->config->listener.client(site->config->listener.actor,
                                  &(ClientFact){.kind = CLIENT_DUPLICATE,
                                                .site_index = site->config->index,
                                                .client = slot->op.client,
                                                .from_index = -1,
                                                .to_index = response->member_index,
                                                .at_ns = now_ns,
                                                .family = slot->op.kind->family,
                                                .weight = slot->op.weight});
}

static void on_replied(void *actor, Place *place, void *body)
{
    Site *site = actor;
    const Response *response = body;
    SimTime now_ns = place_now_ns(place);
    OpSlot *slot = op_of_call(&site->ops, response->call);
    Outcome outcome = (Outcome)response->outcome;

    if (!slot)
        return;
    slot->unanswered_count--;
    count_applied(site, slot, response, now_ns);
    if (slot->state == OP_LINGERS) {
        if (slot->unanswered_count == 0)
            op_pool_put(&site->ops, slot);
        return;
    }
    if (slot->state != OP_SENT || slot->call != response->call)
        return; /* of an attempt given up */
    if (response->reach_epoch != member_reach_epoch(site->config->members[slot->member]))
        return; /* lost on its way */
    if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_RESET) {
        fail_attempt(site, slot, outcome, now_ns);
        return;
    }
    hear_result(site, slot, outcome, now_ns);
    finish(site, slot, outcome, response->dot, now_ns);
}

static void on_timed_out(void *actor, Place *place, void *body)
{
    Site *site = actor;
    SimTime now_ns = place_now_ns(place);
    OpSlot *slot = oldest_under_way(site);

    (void)body;
    while (slot && times_out_ns(site, slot) <= now_ns) {
        call_ring_pop(&site->timeouts);
        fail_attempt(site, slot, OUTCOME_TIMEOUT, now_ns);
        slot = oldest_under_way(site);
    }
    site->timeout_armed = slot != NULL;
    place_set_stream(place, site->timeout_stream, slot ? times_out_ns(site, slot) : SIM_TIME_NEVER,
                     site->timeout_seq++);
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
                                             .family = op->kind->family,
                                             .op_index = op->kind->op_index,
                                             .outcome = OUTCOME_OK});
}

static void begin_operation(Site *site, OpSlot *slot, const OpPick *pick, uint64_t rtt_word,
                            SimTime now_ns)
{
    slot->start_ns = now_ns;
    slot->attempt_ns = now_ns;
    slot->applied_count = 0;
    slot->unanswered_count = 0;
    slot->member = -1;
    site->counts.in_flight++;
    begin_attempt(site, slot, pick, rtt_word, now_ns);
}

/* The round-trip tables of all sites together fill the caches near the core.  Whoever comes next
 * most likely goes home; a wrong guess costs nothing. */
static inline void foresee(Arrivals *arrivals)
{
    const Site *site = arrivals->site;
    const Dist *rtt = site->config->rtt[site->config->home];

    arrivals->next_rtt_word =
        attempt_word(site, workload_next_pick(arrivals->workload)->token, 1, DRAW_RTT);
    if (rtt)
        dist_prefetch(rtt, arrivals->next_rtt_word);
}

static void on_arrival(void *actor, Place *place, void *body)
{
    Arrivals *arrivals = actor;
    Site *site = arrivals->site;
    Workload *workload = arrivals->workload;
    const OpPick *pick = workload_next_pick(workload);
    SimTime now_ns = place_now_ns(place);
    OpSlot *slot = op_pool_take(&site->ops);

    (void)body;
    workload_draw(workload, pick, &slot->op);
    if (slot->op.kind->spec) {
        begin_operation(site, slot, pick, arrivals->next_rtt_word, now_ns);
    } else {
        pass_by(site, &slot->op, now_ns);
        op_pool_put(&site->ops, slot);
    }
    workload_advance(workload);
    place_set_stream(place, arrivals->stream, workload_next_ns(workload),
                     workload_next_number(workload));
    foresee(arrivals);
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
        foresee(arrivals);
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
    call_ring_clear(&site->timeouts);
    call_ring_clear(&site->lingering);
    g_free(site);
}

void site_start(Site *site)
{
    for (uint32_t i = 0; i < site->config->workload_count; i++)
        place_set_stream(site->config->place, site->arrivals[i].stream,
                         workload_next_ns(site->arrivals[i].workload),
                         workload_next_number(site->arrivals[i].workload));
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
                         workload_next_number(arrivals->workload));
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
