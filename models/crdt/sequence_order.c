/* Why it works: a treap (Seidel and Aragon 1996) whose keys are positions: the order is that of the
 * walk, the shape that of a heap over priorities hashed from the entries' numbers, so its depth is
 * logarithmic whatever the order of insertion and the same in every run.  A rotation moves one
 * subtree from a node to its parent; the counts of both follow without looking further. */
#include "models/crdt/sequence_order.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/rng.h"

void sequence_order_clear(SequenceOrder *order)
{
    g_free(order->entries);
    *order = (SequenceOrder){0};
}

void sequence_order_reserve(SequenceOrder *order, uint32_t entry_limit)
{
    uint32_t capacity = order->capacity > 0 ? order->capacity + order->capacity / 2 : 8;

    if (entry_limit <= order->capacity)
        return;
    if (capacity < entry_limit)
        capacity = entry_limit;
    order->entries = g_renew(OrderEntry, order->entries, capacity);
    memset(&order->entries[order->capacity], 0,
           (capacity - order->capacity) * sizeof(*order->entries));
    order->capacity = capacity;
}

static uint64_t priority(uint32_t entry)
{
    return rng_mix(entry);
}

static void replace_child(SequenceOrder *order, uint32_t parent, uint32_t old, uint32_t new)
{
    OrderEntry *above = &order->entries[parent];

    if (parent == 0)
        order->top = new;
    else if (above->left == old)
        above->left = new;
    else
        above->right = new;
}

static void rotate_up(SequenceOrder *order, uint32_t entry)
{
    OrderEntry *child = &order->entries[entry];
    uint32_t down = child->parent;
    OrderEntry *parent = &order->entries[down];
    uint32_t moved;

    if (parent->left == entry) {
        moved = child->right;
        parent->left = moved;
        child->right = down;
    } else {
        moved = child->left;
        parent->right = moved;
        child->left = down;
    }
    if (moved != 0)
        order->entries[moved].parent = down;
    child->parent = parent->parent;
    replace_child(order, child->parent, down, entry);
    parent->parent = entry;
    for (int which = 0; which < ORDER_COUNTS; which++) {
        uint32_t all = parent->count[which];

        parent->count[which] = all - child->count[which] + order->entries[moved].count[which];
        child->count[which] = all;
    }
}

static void lift(SequenceOrder *order, uint32_t entry)
{
    uint64_t own = priority(entry);

    while (order->entries[entry].parent != 0 && priority(order->entries[entry].parent) < own)
        rotate_up(order, entry);
}

static void hang(SequenceOrder *order, uint32_t parent, uint32_t entry, OrderWeight weight)
{
    const uint32_t nameable = weight.count[ORDER_NAMEABLE];
    const uint32_t visible = weight.count[ORDER_VISIBLE]; /* only what is nameable is */

    order->entries[entry] = (OrderEntry){.parent = parent, .count = {nameable, visible}};
    for (uint32_t at = nameable > 0 ? parent : 0; at != 0; at = order->entries[at].parent) {
        order->entries[at].count[ORDER_NAMEABLE] += nameable;
        order->entries[at].count[ORDER_VISIBLE] += visible;
    }
    lift(order, entry);
}

void sequence_order_put_first(SequenceOrder *order, uint32_t entry)
{
    ensure(order->top == 0 && entry != 0 && entry < order->capacity);
    order->entries[entry] = (OrderEntry){0};
    order->top = entry;
}

void sequence_order_put_after(SequenceOrder *order, uint32_t at, uint32_t entry, OrderWeight weight)
{
    uint32_t next = order->entries[at].right;

    if (next == 0) {
        order->entries[at].right = entry;
    } else {
        for (at = next; order->entries[at].left != 0;)
            at = order->entries[at].left;
        order->entries[at].left = entry;
    }
    hang(order, at, entry, weight);
}

void sequence_order_put_before(SequenceOrder *order, uint32_t at, uint32_t entry,
                               OrderWeight weight)
{
    uint32_t next = order->entries[at].left;

    if (next == 0) {
        order->entries[at].left = entry;
    } else {
        for (at = next; order->entries[at].right != 0;)
            at = order->entries[at].right;
        order->entries[at].right = entry;
    }
    hang(order, at, entry, weight);
}

/* Sinks to where no child is in the way; its own weight then leaves the counts above. */
void sequence_order_remove(SequenceOrder *order, uint32_t entry)
{
    OrderEntry *at = &order->entries[entry];

    while (at->left != 0 || at->right != 0) {
        uint32_t child = at->left;

        if (child == 0 || (at->right != 0 && priority(at->right) > priority(child)))
            child = at->right;
        rotate_up(order, child);
    }
    for (uint32_t above = at->parent; above != 0; above = order->entries[above].parent)
        for (int which = 0; which < ORDER_COUNTS; which++)
            order->entries[above].count[which] -= at->count[which];
    replace_child(order, at->parent, entry, 0);
    *at = (OrderEntry){0};
}

void sequence_order_uncount(SequenceOrder *order, OrderCount which, uint32_t entry)
{
    for (uint32_t at = entry; at != 0; at = order->entries[at].parent)
        order->entries[at].count[which] -= 1;
}

static uint32_t count_of(const SequenceOrder *order, OrderCount which, uint32_t entry)
{
    return order->entries[entry].count[which];
}

static uint32_t own_count(const SequenceOrder *order, OrderCount which, uint32_t entry)
{
    const OrderEntry *at = &order->entries[entry];

    return at->count[which] - count_of(order, which, at->left) - count_of(order, which, at->right);
}

/* The one with index others before it in the subtree. */
static uint32_t select_in(const SequenceOrder *order, OrderCount which, uint32_t at, uint32_t index)
{
    while (at != 0) {
        uint32_t before = count_of(order, which, order->entries[at].left);
        uint32_t own = own_count(order, which, at);

        if (index < before) {
            at = order->entries[at].left;
        } else if (index < before + own) {
            return at;
        } else {
            index -= before + own;
            at = order->entries[at].right;
        }
    }
    return 0;
}

uint32_t sequence_order_select(const SequenceOrder *order, OrderCount which, uint32_t index)
{
    ensure(index < sequence_order_count(order, which));
    return select_in(order, which, order->top, index);
}

uint32_t sequence_order_rank(const SequenceOrder *order, OrderCount which, uint32_t entry)
{
    uint32_t rank = count_of(order, which, order->entries[entry].left);

    for (uint32_t at = entry; order->entries[at].parent != 0; at = order->entries[at].parent) {
        const OrderEntry *parent = &order->entries[order->entries[at].parent];

        if (parent->right == at)
            rank += parent->count[which] - count_of(order, which, at);
    }
    return rank;
}

uint32_t sequence_order_next(const SequenceOrder *order, OrderCount which, uint32_t entry)
{
    uint32_t at = entry;

    if (count_of(order, which, order->entries[at].right) > 0)
        return select_in(order, which, order->entries[at].right, 0);
    for (uint32_t above; (above = order->entries[at].parent) != 0; at = above) {
        const OrderEntry *parent = &order->entries[above];

        if (parent->right == at)
            continue;
        if (own_count(order, which, above) > 0)
            return above;
        if (count_of(order, which, parent->right) > 0)
            return select_in(order, which, parent->right, 0);
    }
    return 0;
}

uint32_t sequence_order_previous(const SequenceOrder *order, OrderCount which, uint32_t entry)
{
    uint32_t at = entry;
    uint32_t count = count_of(order, which, order->entries[at].left);

    if (count > 0)
        return select_in(order, which, order->entries[at].left, count - 1);
    for (uint32_t above; (above = order->entries[at].parent) != 0; at = above) {
        const OrderEntry *parent = &order->entries[above];

        if (parent->left == at)
            continue;
        if (own_count(order, which, above) > 0)
            return above;
        count = count_of(order, which, parent->left);
        if (count > 0)
            return select_in(order, which, parent->left, count - 1);
    }
    return 0;
}
