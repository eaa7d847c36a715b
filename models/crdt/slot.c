/* Why it works: an arriving effect is the next of its origin, so each head or cover held here
 * answers with one comparison whether it had observed the arriving one (causality.h), and the
 * arriving effect's own clock answers the other way round.  A head that is dropped while its
 * observed clock is still ahead of ours leaves a cover behind, because our clocks are not closed
 * under causality: who observed a head need not have observed all that the head had.  One cover per
 * origin is enough, as an origin's clock only grows. */
#include "models/crdt/slot.h"

#include "models/crdt/slot_private.h"

static inline Head head_of_write(const SlotWrite *write)
{
    const Value *value = &write->value;
    uint64_t number =
        value->kind == VALUE_BYTES ? slot_copy_bytes(value->data, value->bytes) : value->number;

    return (Head){write->dot, write->ts, number, value->bytes, value->kind};
}

static bool write_removes(const SlotWrite *write)
{
    return write->op == EFFECT_REMOVE || write->op == EFFECT_DELETE;
}

static inline bool observed(Dot dot, const Clock *ctx, Dot head)
{
    return dot_member(head) == dot_member(dot) || clock_covers(ctx, head);
}

/* Whether the write takes head away: a later write of the same origin always does. */
static bool write_drops(const SlotWrite *write, Dot head)
{
    if (write->op == EFFECT_ADD)
        return dot_member(head) == dot_member(write->dot);
    return observed(write->dot, write->ctx, head);
}

/* What one walk over the chain finds out and does. */
typedef struct {
    bool covered;              /* something here had observed the write */
    uint32_t sibling_count;    /* left */
    Dot ahead[MEMBER_MAX + 2]; /* heads dropped whose covers must stay */
    uint32_t ahead_count;
} ChainWalk;

static void walk_drop(ChainWalk *walk, const SlotWorld *world, const SlotWrite *write, Dot head)
{
    if (!write->add_wins && causality_is_ahead(&world->causality, head))
        walk->ahead[walk->ahead_count++] = head;
}

/* Drops the siblings the write takes away and the covers that have lapsed. */
static void walk_chain(ChainWalk *walk, SlotWorld *world, Slot *slot, const SlotWrite *write)
{
    const Causality *causality = &world->causality;
    SlotPool *pool = &world->pool;
    uint32_t before = 0;
    uint32_t next;

    for (uint32_t at = slot_chain(slot); at != 0; at = next) {
        const SlotNode *node = &pool->nodes[at];
        Dot dot = node->head.dot;
        bool goes = false;

        next = node->next;
        if (node->kind == NODE_COVER) {
            walk->covered |= causality_covers_next(causality, dot, write->dot);
            goes = !causality_is_ahead(causality, dot);
        } else if (node->kind == NODE_SIBLING) {
            walk->covered |= !write->add_wins && causality_covers_next(causality, dot, write->dot);
            goes = world->wrong_arrival_order || write_drops(write, dot);
            if (goes && node->head.value_kind == VALUE_BYTES)
                g_free((void *)(uintptr_t)node->head.number);
            if (goes)
                walk_drop(walk, world, write, dot);
            else
                walk->sibling_count++;
        }
        if (goes)
            slot_remove_node(pool, slot, before, at);
        else
            before = at;
    }
}

/* Drops the siblings an ASSIGN has observed, when nothing anywhere is ahead of our clock, so that
 * no cover counts.  spares: the node of one of them stays linked, for another head; 0: there was
 * none.
 */
static uint32_t level_drop(SlotPool *pool, Slot *slot, Dot dot, const Clock *ctx, bool spares)
{
    uint32_t spare = 0;
    uint32_t before = 0;
    uint32_t next;

    for (uint32_t at = slot_chain(slot); at != 0; at = next) {
        SlotNode *node = &pool->nodes[at];
        bool goes = node->kind == NODE_COVER; /* all have lapsed */

        next = node->next;
        if (node->kind == NODE_SIBLING && observed(dot, ctx, node->head.dot)) {
            if (node->head.value_kind == VALUE_BYTES)
                g_free((void *)(uintptr_t)node->head.number);
            goes = !spares || spare != 0;
            if (!goes)
                spare = at;
        }
        if (goes)
            slot_remove_node(pool, slot, before, at);
        else
            before = at;
    }
    return spare;
}

/* Inline for a head that comes, or the node of the sibling that beats it and takes that place. */
static uint32_t level_promote(SlotPool *pool, Slot *slot, Dot dot, int64_t ts)
{
    Head winner = {.dot = dot, .ts = ts};
    uint32_t best = 0;

    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        Head sibling = slot_node_head(&pool->nodes[at]);

        if (pool->nodes[at].kind != NODE_SIBLING || !slot_head_beats(&sibling, &winner))
            continue;
        best = at;
        winner = sibling;
    }
    if (best != 0)
        slot_put_inline(slot, &winner);
    return best;
}

/* The hot keys of a busy group: a sibling that goes leaves its node to the head that comes. */
uint32_t slot_level_room(SlotPool *pool, Slot *slot, Dot dot, int64_t ts, const Clock *ctx)
{
    bool stands = slot->dot != 0 && !observed(dot, ctx, slot->dot);
    uint32_t room = level_drop(pool, slot, dot, ctx, stands);
    Head own;

    if (!stands) {
        if (slot_kind(slot) == VALUE_BYTES)
            slot_empty_inline(slot);
        return level_promote(pool, slot, dot, ts);
    }
    if (room == 0)
        room = slot_push_sibling(pool, slot);
    own = slot_head(slot);
    if (!slot_head_beats(&(Head){.dot = dot, .ts = ts}, &own))
        return room;
    slot_node_put(&pool->nodes[room], &own);
    return 0;
}

static void slot_write_level(SlotWorld *world, Slot *slot, const SlotWrite *write)
{
    uint32_t room = slot_level_room(&world->pool, slot, write->dot, write->ts, write->ctx);
    Head head = head_of_write(write);

    if (room != 0)
        slot_node_put(&world->pool.nodes[room], &head);
    else
        slot_put_inline(slot, &head);
}

static void slot_write_chained(SlotWorld *world, Slot *slot, const SlotWrite *write)
{
    SlotPool *pool = &world->pool;
    ChainWalk walk = {.covered = write->covered};

    if (slot->dot != 0 && !write->add_wins)
        walk.covered |= causality_covers_next(&world->causality, slot->dot, write->dot);
    walk_chain(&walk, world, slot, write);
    if (slot->dot != 0 && (world->wrong_arrival_order || write_drops(write, slot->dot))) {
        walk_drop(&walk, world, write, slot->dot);
        slot_empty_inline(slot);
        if (walk.sibling_count > 0)
            slot_promote(pool, slot);
    }
    for (uint32_t i = 0; i < walk.ahead_count; i++)
        slot_add_cover(pool, slot, walk.ahead[i]);
    if (!write_removes(write) && (!walk.covered || world->wrong_arrival_order)) {
        Head head = head_of_write(write);

        slot_insert_head(pool, slot, &head);
        return;
    }
    if (write->ahead && write->op != EFFECT_ADD)
        slot_add_cover(pool, slot, write->dot);
}

/* The common case: at most one head, nothing else, and nothing ahead that would have to be
 * remembered. */
void slot_write(SlotWorld *world, Slot *slot, const SlotWrite *write)
{
    Head head;

    slot_touch(slot);
    if (slot_chain(slot) != 0 || write->covered || (write->ahead && write_removes(write)) ||
        (slot->dot != 0 &&
         (!write_drops(write, slot->dot) || causality_is_ahead(&world->causality, slot->dot)))) {
        if (write->op == EFFECT_ASSIGN && world->causality.step_count == 0 && !write->covered &&
            !write->add_wins && !world->wrong_arrival_order)
            slot_write_level(world, slot, write);
        else
            slot_write_chained(world, slot, write);
        return;
    }
    slot_empty_inline(slot);
    if (write_removes(write))
        return;
    head = head_of_write(write);
    slot_put_inline(slot, &head);
}

void slot_increment(SlotWorld *world, Slot *slot, Dot dot, Decimal amount)
{
    SlotNode *node = slot_counter(&world->pool, slot, dot_member(dot));

    slot_touch(slot);
    node->counter.sum += amount;
    node->counter.increment_seq = dot_seq(dot);
}

void slot_cover_increments(SlotWorld *world, Slot *slot, const IncrementCover *cover)
{
    SlotNode *node = slot_counter(&world->pool, slot, cover->origin);

    slot_touch(slot);
    if (cover->seq <= node->counter.covered_seq)
        return;
    node->counter.covered_seq = cover->seq;
    node->counter.covered_sum = cover->sum;
}

bool slot_next_counter(const SlotPool *pool, const Slot *slot, uint32_t *cursor,
                       IncrementCover *out)
{
    uint32_t at = *cursor == 0 ? slot_chain(slot) : pool->nodes[*cursor].next;

    if (pool->counter_count == 0)
        return false;
    for (; at != 0; at = pool->nodes[at].next) {
        const SlotNode *node = &pool->nodes[at];

        if (node->kind != NODE_COUNTER || node->counter.increment_seq == 0)
            continue;
        *out = (IncrementCover){node->origin, node->counter.increment_seq, node->counter.sum};
        *cursor = at;
        return true;
    }
    return false;
}

SlotView slot_chain_view(const SlotPool *pool, const Slot *slot)
{
    SlotView view = slot_head_view(slot);

    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        const SlotNode *node = &pool->nodes[at];

        if (node->kind != NODE_COUNTER || !slot_counter_is_live(node))
            continue;
        view.present = true;
        view.has_increments = true;
        view.increments += node->counter.sum - node->counter.covered_sum;
    }
    return view;
}

SlotSummary slot_chain_summary(const SlotPool *pool, const Slot *slot)
{
    SlotSummary summary = {
        .present = slot->dot != 0, .held = slot->dot != 0, .sibling_count = pool->sibling_count};

    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        const SlotNode *node = &pool->nodes[at];

        if (node->kind != NODE_COUNTER)
            continue;
        summary.present |= slot_counter_is_live(node);
        summary.held |= node->counter.increment_seq > 0 || node->counter.covered_seq > 0;
    }
    summary.held |= summary.present;
    if (slot->dot != 0)
        summary.value_bytes = slot->bytes;
    else if (summary.present)
        summary.value_bytes = SLOT_COUNTER_BYTES;
    return summary;
}

bool slot_is_empty(SlotWorld *world, Slot *slot)
{
    slot_drop_lapsed(&world->pool, slot, &world->causality);
    return slot->dot == 0 && slot_chain(slot) == 0;
}

uint64_t slot_note_record(SlotWorld *world, Slot *slot, Dot dot)
{
    SlotNode *node = slot_counter(&world->pool, slot, dot_member(dot));
    uint64_t before = node->counter.record_seq;

    node->counter.record_seq = dot_seq(dot);
    return before;
}

static uint64_t rank_of(uint32_t member, uint64_t seq)
{
    return (uint64_t)member << 60 | seq;
}

uint64_t slot_oldest_rank(const SlotPool *pool, const Slot *slot)
{
    uint64_t oldest = UINT64_MAX;

    if (slot->dot != 0)
        oldest = rank_of(dot_member(slot->dot), dot_seq(slot->dot));
    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        const SlotNode *node = &pool->nodes[at];
        uint64_t rank = UINT64_MAX;

        if (node->kind == NODE_SIBLING)
            rank = rank_of(dot_member(node->head.dot), dot_seq(node->head.dot));
        else if (node->kind == NODE_COUNTER && slot_counter_is_live(node))
            rank = rank_of(node->origin, node->counter.covered_seq + 1);
        oldest = rank < oldest ? rank : oldest;
    }
    return oldest;
}
