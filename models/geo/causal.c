/* Causal consistency: effects on a key are delivered in the order in which they were observed.
 *
 * Which effect waits for which is crdt/causal_order.h; here is how they come.  Members pass on what
 * they receive to the other N - 2, so that what is missing comes also while the direct link is down
 * (crdt-semantics.md 1.8); who has it already drops it by its clock.
 *
 * Why it works: what has arrived but waits is read in its origin's log, which nobody drops before
 * we have acknowledged it, and never inside a window.
 */
#include "models/geo/member_parts.h"

/* The log may be read: its owner keeps it for us. */
static const EffectLog *log_of(const Member *member, uint32_t origin)
{
    const Peer *peer = &member->peers[origin];

    return peer->member && peer->linked && !peer->cut_off ? peer->member->log : NULL;
}

static const Effect *logged(const void *log, Dot dot, Effect *room)
{
    return effect_log_read(log, dot, room);
}

/* Passed on to everybody who may lack it; its origin and whoever has reported it do not. */
static void deliver(void *actor, const Effect *effect)
{
    Member *member = actor;
    LinkOrigin origin = {dot_member(effect->dot), dot_seq(effect->dot)};
    const EffectLog *log = log_of(member, origin.id);

    replication_apply(member, effect);
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        Peer *peer = &member->peers[id];

        if (peer->out && link_follows(peer->out) && id != origin.id &&
            peer->known.seq[origin.id] < origin.seq)
            link_send_relay(peer->out, member->now_ns, effect_log_at(log, origin.seq), origin,
                            effect_log_wire_bytes(log, origin.seq));
    }
}

void causal_deliver(Member *member)
{
    CausalLogs logs = {.read = logged};

    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++)
        logs.logs[origin] = log_of(member, origin);
    causal_order_deliver(member->causal_order, &logs, store_clock(member->store), deliver, member);
}

void causal_arrive(Member *member, uint32_t origin, uint64_t seq)
{
    if (causal_order_arrive(member->causal_order, origin, seq))
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
    if (member->causal_order)
        causal_order_restart(member->causal_order, store_clock(member->store));
}
