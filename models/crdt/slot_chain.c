/* Why it works: nodes are named by index, so the pool may move when it grows; nobody keeps a node's
 * address across a push.  The inline head is kept the winner by every insertion and removal, so
 * readers need not look at the chain for the value. */
#include "models/crdt/slot_private.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/pages.h"

void slot_pool_init(SlotPool *pool)
{
    *pool = (SlotPool){.count = 1};
}

void slot_pool_clear(SlotPool *pool)
{
    g_free(pool->memory);
    slot_pool_init(pool);
}

static void pool_grow(SlotPool *pool)
{
    uint32_t capacity = pool->capacity > 0 ? pool->capacity * 2 : 256;

    ensure(capacity <= UINT32_C(1) << 28);
    pool->nodes = pages_grow(pool->nodes, pool->capacity * sizeof(SlotNode),
                             capacity * sizeof(SlotNode), &pool->memory);
    pool->capacity = capacity;
}

static uint32_t pool_take(SlotPool *pool)
{
    uint32_t index = pool->free;

    if (index != 0) {
        pool->free = pool->nodes[index].next;
    } else {
        if (pool->count >= pool->capacity) {
            pool_grow(pool);
        }
        index = pool->count++;
    }
    memset(&pool->nodes[index], 0, sizeof(SlotNode));
    return index;
}

static void slot_set_chain(Slot *slot, uint32_t index)
{
    slot->more = (slot->more & 15) | index << 4;
}

static SlotNode *chain_push(SlotPool *pool, Slot *slot, SlotNodeKind kind)
{
    uint32_t index = pool_take(pool);
    SlotNode *node = &pool->nodes[index];

    node->kind = (uint8_t)kind;
    node->next = slot_chain(slot);
    slot_set_chain(slot, index);
    return node;
}

static void head_release(const Head *head)
{
    if (head->kind == VALUE_BYTES)
        g_free((void *)(uintptr_t)head->number);
}

/* Takes a node out of the chain and keeps it for reuse; bytes its head owns are the caller's to
 * free or to move.  before is the one in front of it, 0 for the first. */
void slot_remove_node(SlotPool *pool, Slot *slot, uint32_t before, uint32_t index)
{
    SlotNode *node = &pool->nodes[index];

    if (before == 0)
        slot_set_chain(slot, node->next);
    else
        pool->nodes[before].next = node->next;
    pool->sibling_count -= node->kind == NODE_SIBLING;
    pool->counter_count -= node->kind == NODE_COUNTER;
    node->kind = NODE_FREE;
    node->next = pool->free;
    pool->free = index;
}

static void chain_remove(SlotPool *pool, Slot *slot, uint32_t index)
{
    uint32_t before = 0;

    for (uint32_t at = slot_chain(slot); at != index; at = pool->nodes[at].next)
        before = at;
    slot_remove_node(pool, slot, before, index);
}

uint64_t slot_copy_bytes(const char *data, uint32_t bytes)
{
    char *copy = g_malloc((size_t)bytes + 1);

    if (bytes > 0)
        memcpy(copy, data, bytes);
    copy[bytes] = '\0';
    return (uint64_t)(uintptr_t)copy;
}

/* A node for a further head, to be filled by the caller. */
uint32_t slot_push_sibling(SlotPool *pool, Slot *slot)
{
    chain_push(pool, slot, NODE_SIBLING);
    pool->sibling_count++;
    return slot_chain(slot);
}

static void sibling_add(SlotPool *pool, Slot *slot, const Head *head)
{
    uint32_t index = slot_push_sibling(pool, slot);

    slot_node_put(&pool->nodes[index], head);
}

void slot_insert_head(SlotPool *pool, Slot *slot, const Head *head)
{
    Head winner = slot_head(slot);

    if (winner.dot == 0) {
        slot_put_inline(slot, head);
    } else if (slot_head_beats(head, &winner)) {
        sibling_add(pool, slot, &winner);
        slot_put_inline(slot, head);
    } else {
        sibling_add(pool, slot, head);
    }
}

void slot_promote(SlotPool *pool, Slot *slot)
{
    uint32_t best = 0;
    Head best_head = {0};

    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        Head head;

        if (pool->nodes[at].kind != NODE_SIBLING)
            continue;
        head = slot_node_head(&pool->nodes[at]);
        if (best == 0 || slot_head_beats(&head, &best_head)) {
            best = at;
            best_head = head;
        }
    }
    slot_put_inline(slot, &best_head);
    if (best != 0)
        chain_remove(pool, slot, best);
}

void slot_remove_head(SlotPool *pool, Slot *slot, Dot dot)
{
    if (slot->dot == dot) {
        slot_empty_inline(slot);
        slot_promote(pool, slot);
        return;
    }
    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        SlotNode *node = &pool->nodes[at];

        if (node->kind == NODE_SIBLING && node->head.dot == dot) {
            Head head = slot_node_head(node);

            head_release(&head);
            chain_remove(pool, slot, at);
            return;
        }
    }
}

/* Keeps dot's cover; the newest per origin says all. */
void slot_add_cover(SlotPool *pool, Slot *slot, Dot dot)
{
    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next) {
        SlotNode *node = &pool->nodes[at];

        if (node->kind == NODE_COVER && dot_member(node->head.dot) == dot_member(dot)) {
            if (dot > node->head.dot)
                node->head.dot = dot;
            return;
        }
    }
    chain_push(pool, slot, NODE_COVER)->head.dot = dot;
}

void slot_drop_lapsed(SlotPool *pool, Slot *slot, const Causality *causality)
{
    uint32_t next;

    for (uint32_t at = slot_chain(slot); at != 0; at = next) {
        next = pool->nodes[at].next;
        if (pool->nodes[at].kind == NODE_COVER &&
            !causality_is_ahead(causality, pool->nodes[at].head.dot))
            chain_remove(pool, slot, at);
    }
}

void slot_clear(SlotPool *pool, Slot *slot)
{
    slot_empty_inline(slot);
    while (slot_chain(slot) != 0) {
        uint32_t at = slot_chain(slot);

        if (pool->nodes[at].kind == NODE_SIBLING) {
            Head head = slot_node_head(&pool->nodes[at]);

            head_release(&head);
        }
        chain_remove(pool, slot, at);
    }
    slot->more = 0;
    slot->ts = 0;
}

SlotNode *slot_counter(SlotPool *pool, Slot *slot, uint32_t origin)
{
    SlotNode *node;

    for (uint32_t at = slot_chain(slot); at != 0; at = pool->nodes[at].next)
        if (pool->nodes[at].kind == NODE_COUNTER && pool->nodes[at].origin == origin)
            return &pool->nodes[at];
    node = chain_push(pool, slot, NODE_COUNTER);
    pool->counter_count++;
    node->origin = (uint8_t)origin;
    return node;
}
