/* Why it works: a side that does not hold a dot its clock covers has seen it covered, so the dot
 * goes; a dot the side never saw goes only when something held there had observed it.  Both
 * questions are symmetrical, so either side ends with the same heads.  Covers are united, counters
 * are the maximum by seq. */
#include "models/crdt/slot.h"

#include <glib.h>

#include "models/crdt/slot_private.h"

/* Everything a slot holds, apart from counters, gathered for merge and digest. */
typedef struct {
    Head heads[MEMBER_MAX + 2];
    uint32_t head_count;
    Dot covers[MEMBER_MAX + 1];
    uint32_t cover_count;
} Gathered;

static Gathered slot_gather(const SlotPool *pool, const Slot *slot)
{
    Gathered all = {0};

    if (slot->dot != 0)
        all.heads[all.head_count++] = slot_head(slot);
    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        const SlotNode *node = &pool->nodes[at];

        if (node->kind == NODE_SIBLING)
            all.heads[all.head_count++] = slot_node_head(node);
        else if (node->kind == NODE_COVER)
            all.covers[all.cover_count++] = node->head.dot;
    }
    return all;
}

static bool gathered_has(const Gathered *all, Dot dot)
{
    for (uint32_t i = 0; i < all->head_count; i++)
        if (all->heads[i].dot == dot)
            return true;
    return false;
}

/* Whether the side that knows `causality` and holds `all` has covered dot. */
static bool side_covers(const SlotMerge *merge, const Causality *causality, const Gathered *all,
                        Dot dot)
{
    if (gathered_has(all, dot))
        return false;
    if (clock_covers(&causality->clock, dot))
        return true;
    for (uint32_t i = 0; i < all->head_count && !merge->add_wins; i++)
        if (causality_covers_unseen(causality, all->heads[i].dot, dot))
            return true;
    for (uint32_t i = 0; i < all->cover_count; i++)
        if (causality_covers_unseen(causality, all->covers[i], dot))
            return true;
    for (uint32_t i = 0; i < merge->cover_count; i++)
        if (causality_covers_unseen(causality, merge->covers[i], dot))
            return true;
    return false;
}

static void merge_counters(SlotMerge merge, Slot *into, const Slot *from)
{
    const SlotPool *theirs = &merge.from->pool;

    for (uint32_t at = slot_chain(from); at != 0; at = theirs->nodes[at].next) {
        const SlotNode *node = &theirs->nodes[at];
        SlotNode *own;

        if (node->kind != NODE_COUNTER)
            continue;
        own = slot_counter(&merge.into->pool, into, node->origin);
        if (node->counter.increment_seq > own->counter.increment_seq) {
            own->counter.increment_seq = node->counter.increment_seq;
            own->counter.sum = node->counter.sum;
        }
        if (node->counter.covered_seq > own->counter.covered_seq) {
            own->counter.covered_seq = node->counter.covered_seq;
            own->counter.covered_sum = node->counter.covered_sum;
        }
        if (node->counter.record_seq > own->counter.record_seq)
            own->counter.record_seq = node->counter.record_seq;
    }
}

void slot_merge(const SlotMerge *merge, Slot *into, const Slot *from)
{
    SlotPool *pool = &merge->into->pool;
    Gathered ours = slot_gather(pool, into);
    Gathered theirs = slot_gather(&merge->from->pool, from);

    slot_touch(into);
    for (uint32_t i = 0; i < ours.head_count; i++) {
        Dot dot = ours.heads[i].dot;

        if (!side_covers(merge, &merge->from->causality, &theirs, dot))
            continue;
        slot_remove_head(pool, into, dot);
        if (!merge->add_wins && causality_is_ahead(merge->joined, dot))
            slot_add_cover(pool, into, dot);
    }
    for (uint32_t i = 0; i < theirs.head_count; i++) {
        Head head = theirs.heads[i];

        if (gathered_has(&ours, head.dot))
            continue;
        if (!side_covers(merge, &merge->into->causality, &ours, head.dot)) {
            if (head.kind == VALUE_BYTES)
                head.number = slot_copy_bytes((const char *)(uintptr_t)head.number, head.bytes);
            slot_insert_head(pool, into, &head);
        } else if (!merge->add_wins && causality_is_ahead(merge->joined, head.dot)) {
            slot_add_cover(pool, into, head.dot);
        }
    }
    for (uint32_t i = 0; i < theirs.cover_count; i++)
        slot_add_cover(pool, into, theirs.covers[i]);
    slot_drop_lapsed(pool, into, merge->joined);
    merge_counters(*merge, into, from);
}

static void head_digest(const Head *head, Digest *digest)
{
    digest_u64(digest, head->dot);
    digest_u64(digest, (uint64_t)head->ts);
    digest_u64(digest, (uint64_t)head->kind << 32 | head->bytes);
    if (head->kind == VALUE_BYTES)
        digest_bytes(digest, (const void *)(uintptr_t)head->number, head->bytes);
    else
        digest_u64(digest, head->number);
}

/* By member, so that the order of arrival does not show. */
static void counters_digest(const SlotPool *pool, const Slot *slot, Digest *digest)
{
    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++) {
        for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
            const SlotNode *node = &pool->nodes[at];
            Decimal live;

            if (node->kind != NODE_COUNTER || node->origin != origin || !slot_counter_is_live(node))
                continue;
            live = node->counter.sum - node->counter.covered_sum;
            digest_u64(digest, origin);
            digest_u64(digest, node->counter.increment_seq);
            digest_u64(digest, (uint64_t)live);
            digest_u64(digest, (uint64_t)(live >> 64));
        }
    }
}

void slot_digest(const SlotWorld *world, const Slot *slot, Digest *digest)
{
    Gathered all;

    if (slot_chain(slot) == 0) { /* nearly all of a large family */
        Head head = slot_head(slot);

        if (head.dot != 0)
            head_digest(&head, digest);
        return;
    }
    all = slot_gather(&world->pool, slot);
    for (uint32_t member = 0; member <= MEMBER_MAX; member++)
        for (uint32_t i = 0; i < all.head_count; i++)
            if (dot_member(all.heads[i].dot) == member)
                head_digest(&all.heads[i], digest);
    counters_digest(&world->pool, slot, digest);
}
