/* A total order under insertion, with counts: which entry is the k-th, and how many come before
 * one.
 *
 * Entries are numbers from 1 chosen by the caller, dense.  Each weighs 0 or 1 in two counts:
 * whether it is a node that new ones may be hung on (the rest hold a place) and whether it is a
 * visible one.  Everything is O(log n) expected.
 */
#pragma once

#include <stdint.h>

typedef enum { ORDER_NAMEABLE, ORDER_VISIBLE, ORDER_COUNTS } OrderCount;

typedef struct {
    uint32_t left, right, parent; /* 0: none */
    uint32_t count[ORDER_COUNTS]; /* of the whole subtree */
} OrderEntry;

typedef struct {
    OrderEntry *entries; /* entry 0 stands for none and counts nothing */
    uint32_t capacity;
    uint32_t top;
} SequenceOrder;

typedef struct {
    uint32_t count[ORDER_COUNTS];
} OrderWeight;

void sequence_order_clear(SequenceOrder *order);
/* Room for entries below entry_limit. */
void sequence_order_reserve(SequenceOrder *order, uint32_t entry_limit);

/* Into the empty order; weighs 0. */
void sequence_order_put_first(SequenceOrder *order, uint32_t entry);
void sequence_order_put_after(SequenceOrder *order, uint32_t at, uint32_t entry,
                              OrderWeight weight);
void sequence_order_put_before(SequenceOrder *order, uint32_t at, uint32_t entry,
                               OrderWeight weight);

void sequence_order_remove(SequenceOrder *order, uint32_t entry);

/* Its weight no longer counts. */
void sequence_order_uncount(SequenceOrder *order, OrderCount which, uint32_t entry);

static inline uint32_t sequence_order_count(const SequenceOrder *order, OrderCount which)
{
    return order->top == 0 ? 0 : order->entries[order->top].count[which];
}

uint32_t sequence_order_select(const SequenceOrder *order, OrderCount which, uint32_t index);
uint32_t sequence_order_rank(const SequenceOrder *order, OrderCount which, uint32_t entry);

/* The nearest entry that counts, 0 at the end; entry itself need not count. */
uint32_t sequence_order_next(const SequenceOrder *order, OrderCount which, uint32_t entry);
uint32_t sequence_order_previous(const SequenceOrder *order, OrderCount which, uint32_t entry);
