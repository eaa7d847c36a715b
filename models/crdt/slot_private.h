/* What the three files of the slot share: heads and covers on the chain, without any rule. */
#pragma once

#include <glib.h>

#include "models/crdt/slot.h"

/* Heads, inline or not, in one shape. */
typedef struct {
    Dot dot;
    int64_t ts;
    uint64_t number;
    uint32_t bytes;
    ValueKind kind;
} Head;

static inline bool slot_counter_is_live(const SlotNode *node)
{
    return node->counter.increment_seq > node->counter.covered_seq;
}

static inline Head slot_head(const Slot *slot)
{
    return (Head){slot->dot, slot->ts, slot->number, slot->bytes, slot_kind(slot)};
}

static inline void slot_put_inline(Slot *slot, const Head *head)
{
    slot->dot = head->dot;
    slot->ts = head->ts;
    slot->number = head->number;
    slot->bytes = head->bytes;
    slot_set_kind(slot, head->kind);
}

/* Drops the inline head without looking for another. */
static inline void slot_empty_inline(Slot *slot)
{
    if (slot_kind(slot) == VALUE_BYTES)
        g_free((void *)(uintptr_t)slot->number);
    slot_put_inline(slot, &(Head){0});
}

static inline Head slot_node_head(const SlotNode *node)
{
    return (Head){node->head.dot, node->head.ts, node->head.number, node->head.bytes,
                  (ValueKind)node->head.value_kind};
}

static inline void slot_node_put(SlotNode *node, const Head *head)
{
    node->head.dot = head->dot;
    node->head.ts = head->ts;
    node->head.number = head->number;
    node->head.bytes = head->bytes;
    node->head.value_kind = (uint32_t)head->kind;
}

static inline bool slot_head_beats(const Head *a, const Head *b)
{
    return a->ts > b->ts || (a->ts == b->ts && dot_member(a->dot) < dot_member(b->dot));
}

uint32_t slot_push_sibling(SlotPool *pool, Slot *slot);
uint64_t slot_copy_bytes(const char *data, uint32_t bytes); /* for a head to own */
void slot_insert_head(SlotPool *pool, Slot *slot, const Head *head);
void slot_promote(SlotPool *pool, Slot *slot); /* the best sibling, after the inline head went */
void slot_remove_head(SlotPool *pool, Slot *slot, Dot dot);
void slot_remove_node(SlotPool *pool, Slot *slot, uint32_t before, uint32_t index);
void slot_add_cover(SlotPool *pool, Slot *slot, Dot dot);
void slot_drop_lapsed(SlotPool *pool, Slot *slot, const Causality *causality);
SlotNode *slot_counter(SlotPool *pool, Slot *slot, uint32_t origin);
