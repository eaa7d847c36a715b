/* What the three files of the slot share: heads and covers on the chain, without any rule. */
#pragma once

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

/* Copies bytes for a head to own. */
Head slot_head(const Slot *slot);
Head slot_node_head(const SlotNode *node);
uint64_t slot_copy_bytes(const char *data, uint32_t bytes);
void slot_put_inline(Slot *slot, const Head *head);
void slot_insert_head(SlotPool *pool, Slot *slot, const Head *head);
void slot_empty_inline(Slot *slot);
void slot_remove_head(SlotPool *pool, Slot *slot, Dot dot);
void slot_add_cover(SlotPool *pool, Slot *slot, Dot dot);
void slot_drop_lapsed(SlotPool *pool, Slot *slot, const Causality *causality);
SlotNode *slot_counter(SlotPool *pool, Slot *slot, uint32_t origin);
