/* Sessions between members: heartbeats, acknowledgements, repair after a break, collection.
 *
 * Why it works: each direction of a pair is a session of its own, and the receiver is the one who
 * knows what it lacks.  When the link into it (or the member itself) was down, the receiver says
 * HELLO with its clock; the sender opens the session anew and continues exactly there: with the
 * effects from its backlog, or, if these are no longer all in it, with its whole state.  A HELLO
 * can only be lost by a break, and every end of a break leads to another one.  In between the
 * receiver ignores what comes, so it never sees a gap.
 *
 * A clock reported by a peer is its acknowledgement.  What all linked members reported is the
 * prefix nobody can ask for again, so records and logs are dropped up to it; a silent peer freezes
 * it.  An effect itself says that its origin has it, so the origin's own report is not waited for.
 *
 * Simplified: the end of a whole state applies the missed effects of every origin from their logs,
 * which by the laws equals merging the state (models/crdt); it occupies no shard.  Messages are no
 * part of a state, so those it skips are lost: the documents are silent, and Redis's pub/sub
 * promises at most once.
 */
#include "models/geo/member_parts.h"

#include "sim/ensure.h"
#include "sim/prefetch.h"

/* Linked peers' reports, without the origin's own; UINT64_MAX when nobody else has to know. */
static uint64_t known_by_all(const Member *member, uint32_t origin)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        const Peer *peer = &member->peers[id];

        if (peer->linked && id != origin && peer->known.seq[origin] < least)
            least = peer->known.seq[origin];
    }
    return least;
}

/* A HELLO, and a heartbeat heard before its answer, runs ahead of what its sender made earlier and
 * has to send again. */
static bool reports_are_behind_effects(const Member *member)
{
    const Clock *clock = store_clock(member->store);

    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].linked && member->peers[id].known.seq[id] > clock->seq[id])
            return false;
    return true;
}

/* What the linked ones have retired, an unlinked one may still name when it is linked again: it
 * keeps what it writes alone (membership.c). */
static void drop(Member *member)
{
    Clock by_all;

    if (!store_retired(member->store))
        return;
    by_all = *store_retired(member->store);
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].out)
            clock_meet(&by_all, &member->peers[id].retired);
    store_drop(member->store, &by_all);
}

/* What was dropped may be on its way to one who has it otherwise; its room is free when all that
 * was on its way at that moment has been taken.  When that is seen depends on where windows were
 * cut, which shows in this process's memory alone. */
static void log_release(Member *member)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        const Peer *peer = &member->peers[id];

        if (peer->out && link_seen_count(peer->out) < peer->release_count)
            return;
    }
    effect_log_release(member->log, member->release_seq);
    member->release_seq = effect_log_dropped_seq(member->log);
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].out)
            member->peers[id].release_count = link_sent_count(member->peers[id].out);
}

static void log_drop(Member *member, uint64_t seq)
{
    effect_log_drop(member->log, seq);
    log_release(member);
}

void sync_collect(Member *member)
{
    uint32_t own = member->config.id;
    uint64_t last_seq = effect_log_last_seq(member->log);
    uint64_t acked = MIN(known_by_all(member, own), last_seq);

    Clock stable = *store_clock(member->store);

    member->linked_count = 0;
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        member->linked_count += member->peers[id].linked;
    member->acked_bytes_min = effect_log_bytes_before(member->log, acked + 1);
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        uint64_t known = known_by_all(member, id);

        history_collect(&member->histories[id], known);
        stable.seq[id] = MIN(stable.seq[id], known);
    }
    if (reports_are_behind_effects(member))
        store_collect(member->store, &stable);
    drop(member);
    if (member->config.causal)
        member->drop_seq = acked; /* others may be reading what we all have acknowledged */
    else
        log_drop(member, acked);
}

void sync_end(Peer *peer)
{
    peer->owner->syncing &= ~(1u << peer->id);
    peer->sync_seq = 0;
}

static void report_take(Peer *peer, const Clock *clock)
{
    Member *member = peer->owner;

    clock_join(&peer->known, clock);
    if (peer->sync_seq > 0 && peer->known.seq[member->config.id] >= peer->sync_seq)
        sync_end(peer);
    sync_collect(member);
}

/* The heartbeat before it said how many effects its sender had made. */
static void retired_take(Peer *peer, const Clock *clock)
{
    uint64_t have = store_clock(peer->owner->store)->seq[peer->id];

    if (have < peer->retiring_seq)
        return; /* what comes meanwhile would only put it off */
    clock_join(&peer->retired, &peer->retiring);
    peer->retiring = *clock;
    peer->retiring_seq = peer->known.seq[peer->id];
    if (have >= peer->retiring_seq)
        clock_join(&peer->retired, clock);
}

static void known_until(Peer *peer, SimTime at_ns)
{
    if (at_ns > peer->known_ns)
        peer->known_ns = at_ns;
}

/* What has waited long enough is known up to the instant of the newest one that came in time. */
static void waits_over(Member *member)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        Peer *peer = &member->peers[id];

        if (peer->waiting_seq > 0 && store_clock(member->store)->seq[id] >= peer->waiting_seq)
            known_until(peer, peer->waiting_ns);
    }
}

/* Under causal consistency an effect that has come may have to wait for others. */
static void effect_wait(Peer *peer, const LinkEntry *entry)
{
    Member *member = peer->owner;

    if (entry->kind == LINK_EFFECT && entry->seq > peer->resumed_seq) {
        peer->waiting_seq = entry->seq;
        peer->waiting_ns = entry->sent_ns;
    }
    if (entry->kind == LINK_EFFECT)
        causal_arrive(member, peer->id, entry->seq);
    else if (entry->origin != member->config.id && peer->hearing)
        causal_arrive(member, (uint32_t)entry->origin, entry->seq);
    waits_over(member);
}

static void effect_take(Peer *peer, const LinkEntry *entry)
{
    Member *member = peer->owner;
    uint64_t have = store_clock(member->store)->seq[peer->id];
    Effect room;

    if (!peer->hearing)
        return;
    if (member->config.causal) {
        effect_wait(peer, entry);
        return;
    }
    if (entry->seq > have)
        replication_apply(member,
                          effect_record_read(entry->record, dot_make(peer->id, entry->seq), &room));
    if (entry->seq > peer->resumed_seq)
        known_until(peer, entry->sent_ns);
    else if (entry->seq > have)
        known_until(peer, effect_log_made_ns(peer->member->log, entry->seq));
}

/* The genesis' place in the clock tells how often the sender has restarted. */
static void hello_send(Peer *peer)
{
    Member *member = peer->owner;
    Clock clock = *store_clock(member->store);

    clock.seq[0] = member->restart_count;
    peer->asked = !link_is_partitioned(peer->out);
    link_send_clock(peer->out, member->now_ns, LINK_HELLO, &clock, LINK_CLOCK_BYTES);
}

static void backlog_resend(Peer *peer, uint64_t from_seq)
{
    Member *member = peer->owner;
    uint64_t last_seq = effect_log_last_seq(member->log);

    link_send_clock(peer->out, member->now_ns, LINK_RESUME, store_clock(member->store),
                    LINK_CLOCK_BYTES);
    link_resend(peer->out, member->now_ns, from_seq);
    member_tell(member, &(GeoFact){.kind = GEO_RESEND,
                                   .member_id = member->config.id,
                                   .peer_id = peer->id,
                                   .at_ns = member->now_ns,
                                   .amount = (int64_t)(last_seq + 1 - from_seq)});
}

static void state_send(Peer *peer)
{
    Member *member = peer->owner;
    int64_t bytes = memory_data_bytes(&member->memory);

    bytes += member_memory_bytes(member, MEMORY_HISTORY) +
             member_memory_bytes(member, MEMORY_TOMBSTONES);
    member->syncing |= 1u << peer->id;
    peer->sync_seq = effect_log_last_seq(member->log);
    peer->sync_bytes = effect_log_bytes_before(member->log, peer->sync_seq + 1);
    link_send_clock(peer->out, member->now_ns, LINK_SYNC, store_clock(member->store),
                    (uint64_t)bytes);
    member_tell(member, &(GeoFact){.kind = GEO_FULL_SYNC_BEGIN,
                                   .member_id = member->config.id,
                                   .peer_id = peer->id,
                                   .at_ns = member->now_ns,
                                   .amount = bytes});
}

/* The peer asks us to go on from its clock. */
static void hello_serve(Peer *peer, const Clock *clock)
{
    Member *member = peer->owner;
    uint64_t from_seq = clock->seq[member->config.id] + 1;

    if (link_is_partitioned(peer->out))
        return;
    link_follow(peer->out);
    if (from_seq >= effect_log_first_within(member->log, member->config.backlog_bytes))
        backlog_resend(peer, from_seq);
    else
        state_send(peer);
    if (member->config.causal)
        causal_resend(peer, clock);
    if (clock->seq[0] != peer->restarts_seen)
        peer->asked = false;
    peer->restarts_seen = clock->seq[0];
    if (!peer->hearing && !peer->asked)
        hello_send(peer);
}

/* Everything the sender knew when it sent its state.  Origins that cut us off no longer hold their
 * logs for us. */
static void state_take(Peer *peer, const LinkEntry *entry, const Clock *clock)
{
    Member *member = peer->owner;
    Effect room;

    peer->hearing = true;
    peer->resumed_seq = 0;
    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++) {
        const Peer *from = &member->peers[origin];

        if (!from->member || from->cut_off)
            continue;
        for (uint64_t seq = store_clock(member->store)->seq[origin] + 1; seq <= clock->seq[origin];
             seq++)
            replication_merge(member,
                              effect_log_read(from->member->log, dot_make(origin, seq), &room));
    }
    if (member->config.causal)
        causal_deliver(member);
    held_serve(member);
    known_until(peer, entry->sent_ns);
    member_tell(member, &(GeoFact){.kind = GEO_FULL_SYNC_END,
                                   .member_id = member->config.id,
                                   .peer_id = peer->id,
                                   .at_ns = member->now_ns});
}

static void entry_take(Peer *peer, const LinkEntry *entry, const Clock *clock)
{
    switch ((LinkEntryKind)entry->kind) {
    case LINK_EFFECT:
        effect_take(peer, entry);
        break;
    case LINK_RELAY:
        effect_wait(peer, entry);
        break;
    case LINK_HEARTBEAT:
        report_take(peer, clock);
        if (clock->seq[peer->id] <= store_clock(peer->owner->store)->seq[peer->id])
            known_until(peer, entry->sent_ns);
        if (peer->owner->config.causal) {
            causal_deliver(peer->owner); /* whom they waited for may have been unlinked */
            waits_over(peer->owner);
        }
        member_watch_memory(peer->owner);
        break;
    case LINK_RETIRED:
        retired_take(peer, clock);
        break;
    case LINK_HELLO:
        report_take(peer, clock);
        hello_serve(peer, clock);
        break;
    case LINK_RESUME:
        peer->hearing = true;
        peer->resumed_seq = clock->seq[peer->id];
        break;
    case LINK_SYNC:
        state_take(peer, entry, clock);
        break;
    }
}

/* Effects known to come are fetched ahead: first the effect from the origin's log, then its key,
 * then what hangs on the key or its body, then what that leads to.  A backlog comes all at once, so
 * a step has no more time than the effects before it take. */
static void effects_prefetch(const Peer *peer)
{
    const Store *store = peer->owner->store;
    const EffectRecord *far = link_ahead(peer->in, 12);
    const EffectRecord *middle = link_ahead(peer->in, 6);
    const EffectRecord *near = link_ahead(peer->in, 3);
    const EffectRecord *next = store_has_bodies(store) ? link_ahead(peer->in, 1) : NULL;

    if (far)
        prefetch(far);
    if (middle && middle->family != FAMILY_NONE)
        store_prefetch(store, middle->family, middle->key);
    if (near && near->family != FAMILY_NONE)
        store_prefetch_chain(store, near->family, near->key, near->element);
    if (next && next->family != FAMILY_NONE)
        store_prefetch_inside(store, next->family, next->key);
}

static void inbound_run(void *actor, Place *place, void *body)
{
    Peer *peer = actor;
    Member *member = peer->owner;
    const LinkEntry *entry = NULL;
    Clock clock;

    (void)body;
    member->now_ns = place_now_ns(place);
    if (link_peek_ns(peer->in) <= member->now_ns)
        entry = link_take(peer->in, &clock);
    if (entry && peer->linked && !member->crashed) {
        if (peer->hearing && !peer->cut_off)
            effects_prefetch(peer);
        entry_take(peer, entry, &clock);
    }
    place_set_stream(place, peer->stream, link_peek_ns(peer->in), link_taken_count(peer->in));
}

static void inbound_publish(void *actor, Place *receiver)
{
    Peer *peer = actor;

    link_publish(peer->in);
    if (peer->owner->drop_seq > 0)
        log_drop(peer->owner, peer->owner->drop_seq);
    place_set_stream(receiver, peer->stream, link_peek_ns(peer->in), link_taken_count(peer->in));
}

typedef struct {
    uint32_t peer_id;
    uint64_t attempt;
} HelloTimer;

void sync_schedule_hello(Peer *peer, SimTime now_ns)
{
    Member *member = peer->owner;
    HelloTimer timer = {.peer_id = peer->id, .attempt = ++peer->hello_attempt};
    Post post = {.at_ns = now_ns + link_reconnect_ns(peer->in, timer.attempt),
                 .rank = RANK_MESSAGE,
                 .source = member->config.source + SOURCE_HELLO,
                 .seq = ++member->hello_seq,
                 .handler = &member->hello_handler,
                 .body = &timer,
                 .body_bytes = sizeof timer};

    place_post(member->config.place, member->config.place, &post);
}

static void hello_run(void *actor, Place *place, void *body)
{
    Member *member = actor;
    const HelloTimer *timer = body;
    Peer *peer = &member->peers[timer->peer_id];

    member->now_ns = place_now_ns(place);
    if (timer->attempt == peer->hello_attempt && !peer->hearing && !peer->asked && peer->linked &&
        !member->crashed)
        hello_send(peer);
}

static void out_changed(void *actor, Link *link)
{
    Peer *peer = actor;
    Member *member = peer->owner;
    bool down = link_is_partitioned(link);
    SimTime now_ns = place_now_ns(member->config.place);

    if (down)
        peer->asked = false;
    else if (!peer->hearing && !link_is_partitioned(peer->in))
        sync_schedule_hello(peer, now_ns);
    member_tell(member, &(GeoFact){.kind = down ? GEO_LINK_DOWN : GEO_LINK_UP,
                                   .member_id = member->config.id,
                                   .peer_id = peer->id,
                                   .at_ns = now_ns});
}

static void in_changed(void *actor, Link *link)
{
    Peer *peer = actor;
    Place *place = peer->owner->config.place;

    if (link_is_partitioned(link)) {
        peer->hearing = peer->asked = false;
        peer->hello_attempt++; /* a HELLO being prepared is void */
        place_set_stream(place, peer->stream, SIM_TIME_NEVER, 0);
    } else {
        sync_schedule_hello(peer, place_now_ns(place));
    }
}

static void heartbeat_post(Peer *peer, SimTime at_ns)
{
    Member *member = peer->owner;
    Post post = {.at_ns = at_ns,
                 .rank = RANK_MESSAGE,
                 .source = member->config.source + SOURCE_HEARTBEAT + peer->id,
                 .seq = ++peer->heartbeat_seq,
                 .handler = &peer->heartbeat_handler};

    place_post(member->config.place, member->config.place, &post);
}

static void heartbeat_run(void *actor, Place *place, void *body)
{
    Peer *peer = actor;
    Member *member = peer->owner;

    (void)body;
    member->now_ns = place_now_ns(place);
    if (peer->linked && !member->crashed) {
        link_send_clock(peer->out, member->now_ns, LINK_HEARTBEAT, store_clock(member->store),
                        LINK_CLOCK_BYTES);
        if (store_retired(member->store)) /* in the heartbeat's bytes */
            link_send_clock(peer->out, member->now_ns, LINK_RETIRED, store_retired(member->store),
                            0);
    }
    heartbeat_post(peer, member->now_ns + HEARTBEAT_EVERY_NS);
}

void sync_attach(Member *member, Peer *peer)
{
    const MemberConfig *config = &member->config;
    LinkEnd sender = {.actor = peer, .changed = out_changed, .member = member};
    LinkEnd receiver = {.actor = peer, .changed = in_changed, .member = member};

    peer->linked = peer->hearing = true;
    peer->in_handler = (Handler){.run = inbound_run, .actor = peer};
    peer->heartbeat_handler = (Handler){.run = heartbeat_run, .actor = peer};
    link_set_sender(peer->out, &sender, member->log);
    link_follow(peer->out);
    link_set_receiver(peer->in, &receiver);
    peer->stream =
        place_add_stream(config->place, RANK_MESSAGE, link_source(peer->in), &peer->in_handler);
    kernel_on_publish(config->kernel, inbound_publish, peer, config->place);
}

/* Phases differ by link, so that reports spread over the second. */
void sync_start(Member *member)
{
    member->hello_handler = (Handler){.run = hello_run, .actor = member};
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        Peer *peer = &member->peers[id];
        g_autofree char *label = NULL;

        if (!peer->out)
            continue;
        peer->member = link_sending_member(peer->in);
        ensure(peer->member != NULL);
        label = g_strconcat("link/", link_name(peer->out), "/heartbeat", NULL);
        heartbeat_post(peer,
                       (SimTime)rng_scale(rng_keyed(rng_key(member->config.seed, label), 0, 0),
                                          (uint64_t)HEARTBEAT_EVERY_NS));
    }
    sync_collect(member);
}

void sync_restart(Member *member)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        Peer *peer = &member->peers[id];

        if (peer->out && peer->linked && !link_is_partitioned(peer->in))
            sync_schedule_hello(peer, member->now_ns);
    }
}
