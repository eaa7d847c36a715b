/* A total order under insertion, with counts: which entry is the k-th, and how many come before
 * one.
 *
 * Entries are numbers from 1 chosen by the caller, dense.  Each weighs 0 or 1 in two counts:
 * whether it is a node that new ones may be hung on (the rest hold a place) and whether it is a
 * visible one.  Everything is O(log n) expected, a step to a neighbour O(1) mostly.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum { ORDER_NAMEABLE, ORDER_VISIBLE, ORDER_COUNTS } OrderCount;

/* An entry and what it weighs: bits 1 << OrderCount. */
typedef uint32_t OrderItem;

static inline OrderItem order_item(uint32_t entry, bool is_nameable, bool is_visible)
{
    return entry << ORDER_COUNTS | (uint32_t)is_nameable << ORDER_NAMEABLE |
           (uint32_t)is_visible << ORDER_VISIBLE;
}

#define ORDER_BLOCK_ITEMS 56u

/* Neighbours in the order. */
typedef struct {
    uint32_t left, right, parent; /* blocks; 0: none */
    uint32_t total[ORDER_COUNTS]; /* of the whole subtree */
    uint8_t own[ORDER_COUNTS];
    uint8_t length;
    OrderItem items[ORDER_BLOCK_ITEMS];
} OrderBlock;

static_assert(sizeof(OrderBlock) == 248, "with what malloc adds, four lines of memory");

typedef struct {
    OrderBlock *blocks; /* number n is blocks[n - 1] */
    uint32_t *block_of; /* by entry; NULL: there is one block */
    uint32_t block_count, block_capacity;
    uint32_t free; /* the first block not in use; the next ones by parent */
    uint32_t top;
    uint32_t entry_limit;
} SequenceOrder;

void sequence_order_clear(SequenceOrder *order);
/* Room for entries below entry_limit. */
void sequence_order_reserve(SequenceOrder *order, uint32_t entry_limit);

/* At the end; the first one makes the order. */
void sequence_order_append(SequenceOrder *order, OrderItem item);

/* Two that follow each other. */
typedef struct {
    OrderItem first, second;
} OrderPair;

void sequence_order_put_after(SequenceOrder *order, uint32_t at, OrderPair pair);
void sequence_order_put_before(SequenceOrder *order, uint32_t at, OrderPair pair);

/* Takes entry out and puts it in behind at. */
void sequence_order_move_after(SequenceOrder *order, uint32_t at, uint32_t entry);
void sequence_order_remove(SequenceOrder *order, uint32_t entry); /* not the last one left */

/* Its weight no longer counts. */
void sequence_order_uncount(SequenceOrder *order, OrderCount which, uint32_t entry);

static inline uint32_t sequence_order_count(const SequenceOrder *order, OrderCount which)
{
    return order->top == 0 ? 0 : order->blocks[order->top - 1].total[which];
}

/* Of entries that count in `which` alone, how many come before entry. */
uint32_t sequence_order_rank(const SequenceOrder *order, OrderCount which, uint32_t entry);

/* Where an entry is, until one is put in or taken out. */
typedef struct {
    uint32_t block; /* 0: nowhere */
    uint32_t index; /* in the block */
} OrderPlace;

OrderPlace sequence_order_place(const SequenceOrder *order, uint32_t entry);
OrderPlace sequence_order_select(const SequenceOrder *order, OrderCount which, uint32_t index);

/* The nearest place that counts, nowhere at the end; the one begun at need not count. */
OrderPlace sequence_order_next(const SequenceOrder *order, OrderCount which, OrderPlace place);
OrderPlace sequence_order_previous(const SequenceOrder *order, OrderCount which, OrderPlace place);

static inline uint32_t sequence_order_entry(const SequenceOrder *order, OrderPlace place)
{
    return place.block == 0 ? 0 : order->blocks[place.block - 1].items[place.index] >> ORDER_COUNTS;
}
