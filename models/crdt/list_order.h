/* A total order under insertion, with counts: which entry is the k-th, and how many come before
 * one.
 *
 * Entries are numbers from 1 chosen by the caller, dense, and never leave.  Each weighs 0 or 1 in
 * two counts: whether it is a node (the rest are marks that only hold a place) and whether that
 * node is visible.  Everything is O(log n) expected.
 */
#pragma once

#include <stdint.h>

typedef enum { ORDER_NODES, ORDER_VISIBLE, ORDER_COUNTS } OrderCount;

typedef struct {
    uint32_t left, right, parent; /* 0: none */
    uint32_t count[ORDER_COUNTS]; /* of the whole subtree */
} OrderEntry;

typedef struct {
    OrderEntry *entries; /* entry 0 stands for none and counts nothing */
    uint32_t capacity;
    uint32_t top;
} ListOrder;

typedef struct {
    uint32_t count[ORDER_COUNTS];
} OrderWeight;

void list_order_clear(ListOrder *order);
void list_order_reserve(ListOrder *order, uint32_t entry_limit); /* room for entries below */

void list_order_put_first(ListOrder *order, uint32_t entry); /* into the empty order; weighs 0 */
void list_order_put_after(ListOrder *order, uint32_t at, uint32_t entry, OrderWeight weight);
void list_order_put_before(ListOrder *order, uint32_t at, uint32_t entry, OrderWeight weight);

void list_order_set_visible(ListOrder *order, uint32_t entry, int32_t change); /* 1 or -1 */

static inline uint32_t list_order_count(const ListOrder *order, OrderCount which)
{
    return order->top == 0 ? 0 : order->entries[order->top].count[which];
}

uint32_t list_order_select(const ListOrder *order, OrderCount which, uint32_t index);
uint32_t list_order_rank(const ListOrder *order, OrderCount which, uint32_t entry);

/* The nearest entry that counts, 0 at the end; entry itself need not count. */
uint32_t list_order_next(const ListOrder *order, OrderCount which, uint32_t entry);
uint32_t list_order_previous(const ListOrder *order, OrderCount which, uint32_t entry);
