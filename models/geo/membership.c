/* Who counts: force-unlink and what undoes it.
 *
 * Why it works: metadata is kept for linked peers only, so leaving a peer out of the minimum
 * releases at the next collection all that was kept for it.  The survivors stop sending to the
 * unlinked member and ignore what it says (in the product by a newer configuration version); what
 * they had of it stays.  The unlinked member is not told: it goes on alone and keeps metadata for a
 * group that has left it.
 *
 * What the survivors had received of the unlinked member differs by what was in flight, and nobody
 * will send it again; they level it out, or they would differ for good.  A survivor that is down at
 * that moment is levelled when it is back.  Simplified: levelling takes no time and no shard, and
 * reaches through a partition; the product's rule is not documented.
 *
 * Simplified: linking again merges the survivors' state into the returning member at once and keeps
 * what it wrote alone; the product discards that data and copies in the time the copy takes.
 */
#include "models/geo/member_parts.h"

static void level_up(Member *member, uint32_t origin, uint64_t to_seq)
{
    const Peer *from = &member->peers[origin];
    uint64_t seq = store_clock(member->store)->seq[origin];
    Effect room;

    if (!from->member || from->linked || from->cut_off || member->crashed)
        return;
    member->now_ns = place_now_ns(member->config.place);
    while (seq < to_seq)
        replication_merge(member,
                          effect_log_read(from->member->log, dot_make(origin, ++seq), &room));
    held_serve_soon(member, member->now_ns);
}

/* Gives every survivor that has unlinked origin what any of them has of it. */
static void survivors_level(Member *member, uint32_t origin)
{
    uint64_t most_seq = store_clock(member->store)->seq[origin];

    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].linked && id != origin)
            most_seq = MAX(most_seq, store_clock(member->peers[id].member->store)->seq[origin]);
    level_up(member, origin, most_seq);
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].linked && id != origin)
            level_up(member->peers[id].member, origin, most_seq);
}

void membership_restart(Member *member)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].out && !member->peers[id].linked)
            survivors_level(member, id);
}

void member_unlink_peer(Member *member, uint32_t peer_id)
{
    Peer *peer = &member->peers[peer_id];

    if (!peer->out || !peer->linked)
        return;
    peer->linked = peer->hearing = peer->asked = false;
    peer->hello_attempt++;
    sync_end(peer);
    peer->member->peers[member->config.id].cut_off = true;
    link_close(peer->out);
    survivors_level(member, peer_id);
    sync_collect(member);
    member_tell(member, &(GeoFact){.kind = GEO_UNLINK,
                                   .member_id = member->config.id,
                                   .peer_id = peer_id,
                                   .at_ns = place_now_ns(member->config.place)});
}

static void state_merge(Member *into, const Member *from, SimTime now_ns)
{
    const Clock *clock = store_clock(into->store);

    store_merge(into->store, from->store, member_wall(into, now_ns));
    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++)
        history_skip(&into->histories[origin], clock->seq[origin]);
    memory_touch_all(&into->memory);
    held_serve_soon(into, now_ns);
}

void member_relink_peer(Member *member, uint32_t peer_id)
{
    Peer *peer = &member->peers[peer_id];
    SimTime now_ns = place_now_ns(member->config.place);
    Peer *back;

    if (!peer->out || peer->linked)
        return;
    back = &peer->member->peers[member->config.id];
    state_merge(peer->member, member, now_ns);
    peer->known = *store_clock(peer->member->store);
    peer->linked = true;
    back->cut_off = back->hearing = back->asked = false;
    sync_collect(member);
    if (!link_is_partitioned(peer->in))
        sync_schedule_hello(peer, now_ns);
    if (!link_is_partitioned(back->in))
        sync_schedule_hello(back, now_ns);
    member_tell(member, &(GeoFact){.kind = GEO_RELINK,
                                   .member_id = member->config.id,
                                   .peer_id = peer_id,
                                   .at_ns = now_ns});
}

bool member_has_peer(const Member *member, uint32_t peer_id)
{
    return peer_id <= MEMBER_MAX && member->peers[peer_id].linked;
}
