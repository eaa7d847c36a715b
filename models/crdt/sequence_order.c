/* Why it works: entries stand in blocks, in order, as in the leaves of a B-tree; most sequences are
 * one block, and a walk reads memory in its order.  The blocks are the nodes of a treap (Seidel and
 * Aragon 1996) whose keys are positions: its shape is that of a heap over priorities hashed from
 * the blocks' numbers, so its depth is logarithmic whatever the order of insertion and the same in
 * every run.  A rotation moves one subtree from a node to its parent; the counts of both follow
 * without looking further.  A full block splits into halves, and one that is nearly empty joins a
 * neighbour that has room. */
#include "models/crdt/sequence_order.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/rng.h"

#define HALF (ORDER_BLOCK_ITEMS / 2)

void sequence_order_clear(SequenceOrder *order)
{
    g_free(order->blocks);
    g_free(order->block_of);
    *order = (SequenceOrder){0};
}

void sequence_order_reserve(SequenceOrder *order, uint32_t entry_limit)
{
    if (entry_limit <= order->entry_limit)
        return;
    ensure(entry_limit <= UINT32_MAX >> ORDER_COUNTS);
    order->entry_limit = MAX(entry_limit, order->entry_limit + order->entry_limit / 2);
    if (order->block_of != NULL)
        order->block_of = g_renew(uint32_t, order->block_of, order->entry_limit);
}

static OrderBlock *block_at(const SequenceOrder *order, uint32_t number)
{
    return &order->blocks[number - 1];
}

static uint32_t total_of(const SequenceOrder *order, OrderCount which, uint32_t number)
{
    return number == 0 ? 0 : block_at(order, number)->total[which];
}

static uint32_t weight_of(OrderItem item, OrderCount which)
{
    return item >> which & 1;
}

/* --- the tree of blocks */

static uint64_t priority(uint32_t number)
{
    return rng_mix(number);
}

static void replace_child(SequenceOrder *order, uint32_t parent, uint32_t old, uint32_t new)
{
    if (parent == 0)
        order->top = new;
    else if (block_at(order, parent)->left == old)
        block_at(order, parent)->left = new;
    else
        block_at(order, parent)->right = new;
}

static void rotate_up(SequenceOrder *order, uint32_t number)
{
    OrderBlock *child = block_at(order, number);
    uint32_t down = child->parent;
    OrderBlock *parent = block_at(order, down);
    uint32_t moved;

    if (parent->left == number) {
        moved = child->right;
        parent->left = moved;
        child->right = down;
    } else {
        moved = child->left;
        parent->right = moved;
        child->left = down;
    }
    if (moved != 0)
        block_at(order, moved)->parent = down;
    child->parent = parent->parent;
    replace_child(order, child->parent, down, number);
    parent->parent = number;
    for (OrderCount which = 0; which < ORDER_COUNTS; which++) {
        uint32_t all = parent->total[which];

        parent->total[which] = all - child->total[which] + total_of(order, which, moved);
        child->total[which] = all;
    }
}

/* Its block weighs so much more, or less. */
static void weigh(SequenceOrder *order, uint32_t number, OrderCount which, int32_t change)
{
    if (change == 0)
        return;
    block_at(order, number)->own[which] += (uint8_t)change;
    for (uint32_t at = number; at != 0; at = block_at(order, at)->parent)
        block_at(order, at)->total[which] += (uint32_t)change;
}

static void weigh_item(SequenceOrder *order, uint32_t number, OrderItem item, int32_t sign)
{
    for (OrderCount which = 0; which < ORDER_COUNTS; which++)
        weigh(order, number, which, sign * (int32_t)weight_of(item, which));
}

/* An empty one that hangs nowhere; others may have moved. */
static uint32_t block_new(SequenceOrder *order)
{
    uint32_t number = order->free;

    if (number != 0) {
        order->free = block_at(order, number)->parent;
    } else {
        if (order->block_count == order->block_capacity) {
            order->block_capacity += order->block_capacity / 2 + 1;
            order->blocks = g_renew(OrderBlock, order->blocks, order->block_capacity);
        }
        number = ++order->block_count;
    }
    memset(block_at(order, number), 0, offsetof(OrderBlock, items));
    return number;
}

/* An empty block behind another. */
static uint32_t block_put_after(SequenceOrder *order, uint32_t at)
{
    uint32_t number = block_new(order);
    uint32_t next = block_at(order, at)->right;

    if (order->block_of == NULL) {
        order->block_of = g_new(uint32_t, order->entry_limit);
        for (uint32_t entry = 0; entry < order->entry_limit; entry++)
            order->block_of[entry] = at;
    }
    if (next == 0) {
        block_at(order, at)->right = number;
    } else {
        for (at = next; block_at(order, at)->left != 0;)
            at = block_at(order, at)->left;
        block_at(order, at)->left = number;
    }
    block_at(order, number)->parent = at;
    while (at != 0 && priority(at) < priority(number)) {
        rotate_up(order, number);
        at = block_at(order, number)->parent;
    }
    return number;
}

/* Sinks to where no child is in the way. */
static void block_remove(SequenceOrder *order, uint32_t number)
{
    OrderBlock *gone = block_at(order, number);

    ensure(gone->length == 0);
    while (gone->left != 0 || gone->right != 0) {
        uint32_t child = gone->left;

        if (child == 0 || (gone->right != 0 && priority(gone->right) > priority(child)))
            child = gone->right;
        rotate_up(order, child);
    }
    replace_child(order, gone->parent, number, 0);
    gone->parent = order->free;
    order->free = number;
}

static uint32_t block_after(const SequenceOrder *order, uint32_t number)
{
    uint32_t at = block_at(order, number)->right;

    if (at != 0) {
        while (block_at(order, at)->left != 0)
            at = block_at(order, at)->left;
        return at;
    }
    while ((at = block_at(order, number)->parent) != 0 && block_at(order, at)->right == number)
        number = at;
    return at;
}

static uint32_t block_before(const SequenceOrder *order, uint32_t number)
{
    uint32_t at = block_at(order, number)->left;

    if (at != 0) {
        while (block_at(order, at)->right != 0)
            at = block_at(order, at)->right;
        return at;
    }
    while ((at = block_at(order, number)->parent) != 0 && block_at(order, at)->left == number)
        number = at;
    return at;
}

/* --- items of blocks */

static void settle(SequenceOrder *order, OrderItem item, uint32_t number)
{
    if (order->block_of != NULL)
        order->block_of[item >> ORDER_COUNTS] = number;
}

/* The items of one block from index on go to the end of another. */
static void pour(SequenceOrder *order, uint32_t from, uint32_t index, uint32_t into)
{
    OrderBlock *source = block_at(order, from);
    OrderBlock *target = block_at(order, into);
    int32_t moved[ORDER_COUNTS] = {0};

    for (uint32_t i = index; i < source->length; i++) {
        OrderItem item = source->items[i];

        target->items[target->length++] = item;
        settle(order, item, into);
        for (OrderCount which = 0; which < ORDER_COUNTS; which++)
            moved[which] += (int32_t)weight_of(item, which);
    }
    source->length = (uint8_t)index;
    for (OrderCount which = 0; which < ORDER_COUNTS; which++) {
        weigh(order, from, which, -moved[which]);
        weigh(order, into, which, moved[which]);
    }
}

OrderPlace sequence_order_place(const SequenceOrder *order, uint32_t entry)
{
    OrderPlace place = {order->block_of != NULL ? order->block_of[entry] : order->top, 0};
    const OrderBlock *block = block_at(order, place.block);

    while (place.index < block->length && block->items[place.index] >> ORDER_COUNTS != entry)
        place.index++;
    ensure(place.index < block->length);
    return place;
}

static void put(SequenceOrder *order, OrderPlace place, const OrderItem *items, uint32_t count)
{
    OrderBlock *block = block_at(order, place.block);

    if (block->length + count > ORDER_BLOCK_ITEMS) {
        uint32_t later = block_put_after(order, place.block);

        pour(order, place.block, HALF, later);
        if (place.index > HALF)
            place = (OrderPlace){later, place.index - HALF};
        block = block_at(order, place.block);
    }
    memmove(&block->items[place.index + count], &block->items[place.index],
            (block->length - place.index) * sizeof(*items));
    block->length += (uint8_t)count;
    for (uint32_t i = 0; i < count; i++) {
        block->items[place.index + i] = items[i];
        settle(order, items[i], place.block);
        weigh_item(order, place.block, items[i], 1);
    }
}

static bool join(SequenceOrder *order, uint32_t before, uint32_t after)
{
    uint32_t length;

    if (before == 0 || after == 0)
        return false;
    length = (uint32_t)block_at(order, before)->length + block_at(order, after)->length;
    if (length > HALF && block_at(order, before)->length > 0 && block_at(order, after)->length > 0)
        return false;
    pour(order, after, 0, before);
    block_remove(order, after);
    return true;
}

static OrderItem take(SequenceOrder *order, OrderPlace place)
{
    OrderBlock *block = block_at(order, place.block);
    OrderItem item = block->items[place.index];

    weigh_item(order, place.block, item, -1);
    block->length--;
    memmove(&block->items[place.index], &block->items[place.index + 1],
            (block->length - place.index) * sizeof(item));
    if (block->length < HALF / 2 && order->block_of != NULL &&
        !join(order, place.block, block_after(order, place.block)))
        (void)join(order, block_before(order, place.block), place.block);
    return item;
}

/* --- changes */

void sequence_order_append(SequenceOrder *order, OrderItem item)
{
    uint32_t last = order->top;

    if (last == 0)
        last = order->top = block_new(order);
    while (block_at(order, last)->right != 0)
        last = block_at(order, last)->right;
    if (block_at(order, last)->length == ORDER_BLOCK_ITEMS)
        last = block_put_after(order, last);
    put(order, (OrderPlace){last, block_at(order, last)->length}, &item, 1);
}

void sequence_order_put_after(SequenceOrder *order, uint32_t at, OrderPair pair)
{
    OrderPlace place = sequence_order_place(order, at);

    place.index++;
    put(order, place, (OrderItem[]){pair.first, pair.second}, 2);
}

void sequence_order_put_before(SequenceOrder *order, uint32_t at, OrderPair pair)
{
    put(order, sequence_order_place(order, at), (OrderItem[]){pair.first, pair.second}, 2);
}

void sequence_order_move_after(SequenceOrder *order, uint32_t at, uint32_t entry)
{
    OrderItem item = take(order, sequence_order_place(order, entry));
    OrderPlace place = sequence_order_place(order, at);

    place.index++;
    put(order, place, &item, 1);
}

void sequence_order_remove(SequenceOrder *order, uint32_t entry)
{
    (void)take(order, sequence_order_place(order, entry));
}

void sequence_order_uncount(SequenceOrder *order, OrderCount which, uint32_t entry)
{
    OrderPlace place = sequence_order_place(order, entry);
    OrderItem *item = &block_at(order, place.block)->items[place.index];

    ensure(weight_of(*item, which) == 1);
    *item &= ~(1u << which);
    weigh(order, place.block, which, -1);
}

/* --- reading */

/* The place with index others before it in the subtree, of those that count. */
static OrderPlace select_in(const SequenceOrder *order, OrderCount which, uint32_t number,
                            uint32_t index)
{
    OrderPlace place = {number, 0};
    const OrderBlock *block;

    for (;;) {
        uint32_t before;

        block = block_at(order, place.block);
        before = total_of(order, which, block->left);
        if (index < before) {
            place.block = block->left;
        } else if (index < before + block->own[which]) {
            index -= before;
            break;
        } else {
            index -= before + block->own[which];
            place.block = block->right;
        }
    }
    for (; index > 0 || weight_of(block->items[place.index], which) == 0; place.index++)
        index -= weight_of(block->items[place.index], which);
    return place;
}

OrderPlace sequence_order_select(const SequenceOrder *order, OrderCount which, uint32_t index)
{
    ensure(index < sequence_order_count(order, which));
    return select_in(order, which, order->top, index);
}

uint32_t sequence_order_rank(const SequenceOrder *order, OrderCount which, uint32_t entry)
{
    OrderPlace place = sequence_order_place(order, entry);
    const OrderBlock *block = block_at(order, place.block);
    uint32_t rank = total_of(order, which, block->left);

    for (uint32_t i = 0; i < place.index; i++)
        rank += weight_of(block->items[i], which);
    for (uint32_t at = place.block, above; (above = block_at(order, at)->parent) != 0; at = above)
        if (block_at(order, above)->right == at)
            rank += block_at(order, above)->total[which] - block_at(order, at)->total[which];
    return rank;
}

OrderPlace sequence_order_next(const SequenceOrder *order, OrderCount which, OrderPlace place)
{
    const OrderBlock *block = block_at(order, place.block);

    while (++place.index < block->length)
        if (weight_of(block->items[place.index], which) != 0)
            return place;
    if (total_of(order, which, block->right) > 0)
        return select_in(order, which, block->right, 0);
    for (uint32_t at = place.block, above; (above = block_at(order, at)->parent) != 0; at = above) {
        const OrderBlock *parent = block_at(order, above);

        if (parent->left == at && parent->total[which] > block_at(order, at)->total[which])
            return select_in(order, which, above, block_at(order, at)->total[which]);
    }
    return (OrderPlace){0};
}

OrderPlace sequence_order_previous(const SequenceOrder *order, OrderCount which, OrderPlace place)
{
    const OrderBlock *block = block_at(order, place.block);
    uint32_t count = total_of(order, which, block->left);

    while (place.index-- > 0)
        if (weight_of(block->items[place.index], which) != 0)
            return place;
    if (count > 0)
        return select_in(order, which, block->left, count - 1);
    for (uint32_t at = place.block, above; (above = block_at(order, at)->parent) != 0; at = above) {
        const OrderBlock *parent = block_at(order, above);

        count = parent->total[which] - block_at(order, at)->total[which];
        if (parent->right == at && count > 0)
            return select_in(order, which, above, count - 1);
    }
    return (OrderPlace){0};
}
