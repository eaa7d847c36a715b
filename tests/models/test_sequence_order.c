/* The order beside an array that is searched from the start. */
#include "models/crdt/sequence_order.h"

#include <glib.h>

#include "sim/rng.h"
#include "tests/test.h"

typedef struct {
    Rng rng;
    SequenceOrder order;
    GArray *items;  /* OrderItem, as they should stand */
    GArray *spares; /* entries that were taken out */
    uint32_t next;  /* not used yet */
} Pair;

static OrderItem item_at(const Pair *pair, uint32_t at)
{
    return g_array_index(pair->items, OrderItem, at);
}

static uint32_t random_at(Pair *pair)
{
    return (uint32_t)rng_below(&pair->rng, pair->items->len);
}

static OrderItem new_item(Pair *pair)
{
    uint64_t dice = rng_below(&pair->rng, 4);
    uint32_t entry;

    if (pair->spares->len > 0) {
        entry = g_array_index(pair->spares, uint32_t, pair->spares->len - 1);
        g_array_set_size(pair->spares, pair->spares->len - 1);
    } else {
        entry = pair->next++;
        sequence_order_reserve(&pair->order, pair->next);
    }
    return order_item(entry, dice > 0, dice > 1);
}

static void put_some(Pair *pair)
{
    uint32_t at = random_at(pair);
    uint32_t entry = item_at(pair, at) >> ORDER_COUNTS;
    OrderPair made = {new_item(pair), 0};

    made.second = new_item(pair);
    if (rng_below(&pair->rng, 2) == 0) {
        sequence_order_put_after(&pair->order, entry, made);
        at++;
    } else {
        sequence_order_put_before(&pair->order, entry, made);
    }
    g_array_insert_val(pair->items, at, made.first);
    g_array_insert_val(pair->items, at + 1, made.second);
}

static void remove_one(Pair *pair)
{
    uint32_t at = random_at(pair);
    uint32_t entry = item_at(pair, at) >> ORDER_COUNTS;

    if (pair->items->len == 1)
        return;
    sequence_order_remove(&pair->order, entry);
    g_array_remove_index(pair->items, at);
    g_array_append_val(pair->spares, entry);
}

static void move_one(Pair *pair)
{
    uint32_t from = random_at(pair), to = random_at(pair);
    OrderItem item = item_at(pair, from);

    if (from == to)
        return;
    sequence_order_move_after(&pair->order, item_at(pair, to) >> ORDER_COUNTS,
                              item >> ORDER_COUNTS);
    g_array_remove_index(pair->items, from);
    g_array_insert_val(pair->items, from < to ? to : to + 1, item);
}

static void append_one(Pair *pair)
{
    OrderItem item = new_item(pair);

    sequence_order_append(&pair->order, item);
    g_array_append_val(pair->items, item);
}

static void uncount_one(Pair *pair)
{
    OrderItem *item = &g_array_index(pair->items, OrderItem, random_at(pair));
    OrderCount which = rng_below(&pair->rng, 2) == 0 ? ORDER_NAMEABLE : ORDER_VISIBLE;

    if ((*item >> which & 1) == 0)
        return;
    *item &= ~(1u << which);
    sequence_order_uncount(&pair->order, which, *item >> ORDER_COUNTS);
}

static uint32_t entry_beside(const Pair *pair, OrderCount which, uint32_t at, bool forward)
{
    OrderPlace place = sequence_order_place(&pair->order, item_at(pair, at) >> ORDER_COUNTS);

    place = forward ? sequence_order_next(&pair->order, which, place)
                    : sequence_order_previous(&pair->order, which, place);
    return sequence_order_entry(&pair->order, place);
}

static void expect_same(const Pair *pair, OrderCount which)
{
    uint32_t rank = 0, before = 0;

    for (uint32_t at = 0; at < pair->items->len; at++) {
        uint32_t entry = item_at(pair, at) >> ORDER_COUNTS;

        EXPECT_INT(sequence_order_rank(&pair->order, which, entry), rank);
        EXPECT_INT(entry_beside(pair, which, at, false), before);
        if ((item_at(pair, at) >> which & 1) == 0)
            continue;
        EXPECT_INT(
            sequence_order_entry(&pair->order, sequence_order_select(&pair->order, which, rank)),
            entry);
        rank++;
        before = entry;
    }
    EXPECT_INT(sequence_order_count(&pair->order, which), rank);
    before = 0;
    for (uint32_t at = pair->items->len; at-- > 0;) {
        EXPECT_INT(entry_beside(pair, which, at, true), before);
        if ((item_at(pair, at) >> which & 1) != 0)
            before = item_at(pair, at) >> ORDER_COUNTS;
    }
}

/* Grows for a while, then shrinks to one entry. */
static void random_order(uint64_t seed)
{
    Pair pair = {.rng = rng_stream(seed, "order"),
                 .items = g_array_new(FALSE, FALSE, sizeof(OrderItem)),
                 .spares = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                 .next = 1};

    append_one(&pair);
    for (uint32_t step = 0; step < 900; step++) {
        uint64_t dice = rng_below(&pair.rng, 10);

        if (dice < 4)
            step < 450 ? put_some(&pair) : remove_one(&pair);
        else if (dice < 5)
            append_one(&pair);
        else if (dice < 6)
            move_one(&pair);
        else if (dice < 7)
            uncount_one(&pair);
        else
            remove_one(&pair);
        if (step % 50 != 0)
            continue;
        expect_same(&pair, ORDER_NAMEABLE);
        expect_same(&pair, ORDER_VISIBLE);
    }
    while (pair.items->len > 1)
        remove_one(&pair);
    expect_same(&pair, ORDER_VISIBLE);
    sequence_order_clear(&pair.order);
    g_array_free(pair.items, TRUE);
    g_array_free(pair.spares, TRUE);
}

static void test_sequence_order_is_that_of_an_array(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(60, 2000); seed++)
        random_order(seed);
}

static uint32_t blocks_in_use(const SequenceOrder *order)
{
    uint32_t count = order->block_count;

    for (uint32_t at = order->free; at != 0; at = order->blocks[at - 1].parent)
        count--;
    return count;
}

/* However much was in the order, and wherever it is taken out. */
static void test_sequence_order_keeps_few_blocks_for_few_entries(void)
{
    const uint32_t count = 20000, kept = count / 50;
    const uint32_t blocks = (count + ORDER_BLOCK_ITEMS - 1) / ORDER_BLOCK_ITEMS;
    SequenceOrder order = {0};

    sequence_order_reserve(&order, count + 1);
    for (uint32_t entry = 1; entry <= count; entry++)
        sequence_order_append(&order, order_item(entry, true, true));
    EXPECT_INT(blocks_in_use(&order), blocks);
    for (uint32_t entry = 1; entry <= count; entry++)
        if (entry % 50 != 0)
            sequence_order_remove(&order, entry);
    EXPECT_INT(sequence_order_count(&order, ORDER_VISIBLE), kept);
    EXPECT(blocks_in_use(&order) <= 4 * kept / ORDER_BLOCK_ITEMS + 1);
    for (uint32_t entry = 1; entry <= count / 2; entry++)
        if (entry % 50 != 0)
            sequence_order_append(&order, order_item(entry, true, true));
    EXPECT_INT(order.block_count, blocks); /* those of before are used again */
    sequence_order_clear(&order);
}

static const TestCase cases[] = {
    TEST(test_sequence_order_is_that_of_an_array),
    TEST(test_sequence_order_keeps_few_blocks_for_few_entries),
};
TEST_MAIN("sequence_order", cases)
