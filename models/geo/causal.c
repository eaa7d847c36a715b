/* Causal consistency: effects on a key are delivered in the order in which they were observed.
 *
 * An effect waits while an effect on the same key that its origin had observed is missing here.
 * Members pass on what they receive to the other N - 2, so that what is missing comes also while
 * the direct link is down (crdt-semantics.md 1.8); who has it already drops it by its clock.
 *
 * Why it works: knowledge of an origin is a prefix, so what has arrived but waits is a number per
 * origin, and the effects themselves are read in their origin's log, which nobody drops before we
 * have acknowledged them, and never inside a window.  Each delivery may free others, so all origins
 * are tried until none moves; the order in which they are tried decides nothing that the rule
 * leaves open but the instant, and it is fixed.
 */
#include "models/geo/member_parts.h"

#include <string.h>

#include "models/crdt/payload.h"
#include "sim/ensure.h"

/* The log may be read: its owner keeps it for us. */
static const EffectLog *log_of(const Member *member, uint32_t origin)
{
    const Peer *peer = &member->peers[origin];

    return peer->member && peer->linked && !peer->cut_off ? peer->member->log : NULL;
}

static bool same_key(const Effect *a, const Effect *b)
{
    PayloadText name, other;

    if (a->family != b->family || a->key != b->key)
        return false;
    if (a->family != FAMILY_NONE)
        return true;
    name = payload_read(a->payload, a->payload_bytes).key;
    other = payload_read(b->payload, b->payload_bytes).key;
    return name.bytes == other.bytes && memcmp(name.data, other.data, name.bytes) == 0;
}

static bool is_ready(const Member *member, const Effect *effect)
{
    const Clock *clock = store_clock(member->store);
    Effect room;

    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        const EffectLog *log = log_of(member, id);

        for (uint64_t seq = clock->seq[id] + 1; log && seq <= effect->ctx.seq[id]; seq++)
            if (same_key(effect, effect_log_read(log, dot_make(id, seq), &room)))
                return false;
    }
    return true;
}

/* To everybody who may lack it; its origin and whoever has reported it do not. */
static void pass_on(Member *member, const EffectLog *log, uint32_t origin, uint64_t seq)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        Peer *peer = &member->peers[id];

        if (peer->sending && id != origin && peer->known.seq[origin] < seq)
            link_send_relay(peer->out, member->now_ns, effect_log_at(log, seq),
                            (LinkOrigin){origin, seq}, effect_log_wire_bytes(log, seq));
    }
}

static bool deliver_of(Member *member, uint32_t origin)
{
    const EffectLog *log = log_of(member, origin);
    const Clock *clock = store_clock(member->store);
    bool moved = false;
    Effect room;

    while (log && clock->seq[origin] < member->arrived[origin]) {
        uint64_t seq = clock->seq[origin] + 1;
        const Effect *effect = effect_log_read(log, dot_make(origin, seq), &room);

        if (!is_ready(member, effect))
            break;
        replication_apply(member, effect);
        pass_on(member, log, origin, seq);
        moved = true;
    }
    return moved;
}

void causal_deliver(Member *member)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++)
            moved |= deliver_of(member, origin);
    }
}

void causal_arrive(Member *member, uint32_t origin, uint64_t seq)
{
    if (seq <= member->arrived[origin])
        return;
    member->arrived[origin] = seq;
    causal_deliver(member);
}

/* Its origin keeps for the peer what the peer lacks; from one that does not count it nothing is
 * passed on, and the log may be gone. */
static const EffectLog *log_kept_for(const Member *member, uint32_t origin, const Peer *peer)
{
    const EffectLog *log = log_of(member, origin);

    return log && member->peers[origin].member->peers[peer->id].linked ? log : NULL;
}

void causal_resend(Peer *peer, const Clock *known)
{
    Member *member = peer->owner;
    const Clock *clock = store_clock(member->store);

    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++) {
        const EffectLog *log = origin != peer->id ? log_kept_for(member, origin, peer) : NULL;

        if (!log)
            continue;
        /* The HELLO is as old as its way: what is dropped the peer has acknowledged since. */
        for (uint64_t seq = MAX(known->seq[origin] + 1, effect_log_first_kept(log));
             seq <= clock->seq[origin]; seq++)
            link_send_relay(peer->out, member->now_ns, effect_log_at(log, seq),
                            (LinkOrigin){origin, seq}, effect_log_wire_bytes(log, seq));
    }
}

void causal_restart(Member *member)
{
    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++)
        member->arrived[origin] = store_clock(member->store)->seq[origin];
}
