/* Sequences: what is dropped changes no order, now or later. */
#include "models/crdt/sequence.h"

#include <glib.h>

#include "sim/rng.h"
#include "tests/test.h"

static const Clock nothing = {{0}};
static const Clock everything = {
    {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

static SequenceId id_of(uint32_t member, uint64_t seq)
{
    return (SequenceId){.dot = dot_make(member, seq)};
}

/* Hangs id where its origin has put it; by id, so that it can be told to any sequence. */
static void hang(Sequence *sequence, SequenceId id, SequenceId parent, SequenceSide side)
{
    uint32_t above = sequence_name(sequence, &nothing, parent);
    uint32_t node = sequence_name(sequence, &nothing, id);

    sequence_hang(sequence, node, above, side, NULL);
}

static void expect_same_order(const Sequence *a, const Sequence *b)
{
    SequenceCursor x = sequence_cursor(a, 0), y = sequence_cursor(b, 0);

    EXPECT_INT(sequence_count(a), sequence_count(b));
    while (x.node != SEQUENCE_NONE && y.node != SEQUENCE_NONE) {
        EXPECT(sequence_id_is_equal(sequence_id(a, x.node), sequence_id(b, y.node)));
        sequence_cursor_forward(a, &x);
        sequence_cursor_forward(b, &y);
    }
    EXPECT_INT(x.node, y.node);
}

typedef struct {
    SequenceId id, parent;
    SequenceSide side;
} Insertion;

typedef struct {
    Rng rng;
    Sequence drops, keeps;
    Insertion pending[8]; /* made, but not told to the two */
    uint32_t pending_count;
    uint64_t seq;
} Pair;

static void make(Pair *pair)
{
    const Sequence *origin = rng_below(&pair->rng, 2) == 0 ? &pair->drops : &pair->keeps;
    uint32_t index = (uint32_t)rng_below(&pair->rng, sequence_count(origin) + 1);
    Insertion made = {.id = id_of(1 + (uint32_t)rng_below(&pair->rng, 5), ++pair->seq)};

    if (pair->pending_count == G_N_ELEMENTS(pair->pending))
        return;
    made.parent = sequence_id(origin, sequence_anchor(origin, index, &made.side));
    pair->pending[pair->pending_count++] = made;
}

static void tell(Pair *pair, uint32_t at)
{
    Insertion made = pair->pending[at];

    pair->pending[at] = pair->pending[--pair->pending_count];
    hang(&pair->drops, made.id, made.parent, made.side);
    hang(&pair->keeps, made.id, made.parent, made.side);
}

static void remove_at(Pair *pair, uint32_t index)
{
    SequenceId id = sequence_id(&pair->drops, sequence_at(&pair->drops, index));

    sequence_remove(&pair->drops, sequence_find(&pair->drops, id), dot_make(1, 1));
    sequence_remove(&pair->keeps, sequence_find(&pair->keeps, id), dot_make(1, 1));
}

/* All retire what is removed, once what names any of that has come; one drops it. */
static void retire(Pair *pair)
{
    for (uint32_t i = pair->pending_count; i > 0; i--) {
        uint32_t parent = sequence_find(&pair->drops, pair->pending[i - 1].parent);

        if (parent != SEQUENCE_ROOT && sequence_node_is(&pair->drops.nodes[parent], NODE_REMOVED))
            tell(pair, i - 1);
    }
    sequence_retire(&pair->drops, &everything);
    sequence_retire(&pair->keeps, &everything);
    sequence_drop(&pair->drops, &everything);
}

static void random_step(Pair *pair)
{
    uint32_t count = sequence_count(&pair->drops);
    uint64_t dice = rng_below(&pair->rng, 100);

    if (dice < 35)
        make(pair);
    else if (dice < 65 && pair->pending_count > 0)
        tell(pair, (uint32_t)rng_below(&pair->rng, pair->pending_count));
    else if (dice < 85 && count > 0)
        remove_at(pair, (uint32_t)rng_below(&pair->rng, count));
    else
        retire(pair);
}

static void random_sequence(uint64_t seed)
{
    Pair pair = {.rng = rng_stream(seed, "sequence")};

    sequence_init(&pair.drops);
    sequence_init(&pair.keeps);
    for (int step = 0; step < 200; step++) {
        random_step(&pair);
        expect_same_order(&pair.drops, &pair.keeps);
    }
    while (pair.pending_count > 0)
        tell(&pair, 0);
    expect_same_order(&pair.drops, &pair.keeps);
    while (sequence_count(&pair.drops) > 0)
        remove_at(&pair, 0);
    retire(&pair);
    EXPECT_INT(pair.drops.node_count, 0);
    EXPECT(pair.keeps.node_count > 0);
    sequence_clear(&pair.drops);
    sequence_clear(&pair.keeps);
}

static void test_sequence_dropping_changes_no_order(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(300, 10000); seed++)
        random_sequence(seed);
}

/* Whoever has not heard of an element yet may still get it with something hung on it, though all
 * know of its removal.  What was removed after it need not wait. */
static void test_sequence_element_is_retired_when_its_making_is_stable_too(void)
{
    const SequenceId early = id_of(1, 5), late = id_of(2, 1);
    Clock stable = {{0, 4, 3, 0, 0, 0}};
    Sequence sequence;

    sequence_init(&sequence);
    hang(&sequence, early, (SequenceId){0}, SIDE_RIGHT);
    hang(&sequence, late, early, SIDE_RIGHT);
    sequence_remove(&sequence, sequence_find(&sequence, early), dot_make(2, 2));
    sequence_remove(&sequence, sequence_find(&sequence, late), dot_make(2, 3));
    sequence_retire(&sequence, &stable);
    EXPECT(!sequence_node_is(&sequence.nodes[sequence_find(&sequence, early)], NODE_RETIRED));
    EXPECT(sequence_node_is(&sequence.nodes[sequence_find(&sequence, late)], NODE_RETIRED));
    stable.seq[1] = 5;
    sequence_retire(&sequence, &stable);
    EXPECT_INT(sequence.retired_count, 2);
    sequence_drop(&sequence, &stable);
    EXPECT_INT(sequence.node_count, 0);
    sequence_clear(&sequence);
}

/* The order without anything dropped: q, then o with c before it, then p.  Here q is gone and o has
 * its place; there o is gone and c has its.  Or the other way round: c, then o, q and p. */
static void expect_place_is_climbed_to(SequenceSide side)
{
    Sequence here, there;
    SequenceId root = {0}, q = id_of(1, 1), p = id_of(2, 2), o = id_of(3, 3), c = id_of(4, 4);
    Clock known = {{0, 1, 2, 3, 0, 0}};
    uint32_t node;

    sequence_init(&here);
    sequence_init(&there);
    hang(&here, q, root, SIDE_RIGHT);
    hang(&here, o, q, side);
    hang(&here, p, root, SIDE_RIGHT);
    hang(&there, q, root, SIDE_RIGHT);
    hang(&there, o, q, side);
    hang(&there, p, root, SIDE_RIGHT);
    hang(&there, c, o, SIDE_LEFT);
    sequence_remove(&here, sequence_find(&here, q), dot_make(1, 5));
    sequence_retire(&here, &everything);
    sequence_drop(&here, &everything);
    sequence_remove(&there, sequence_find(&there, o), dot_make(2, 5));
    sequence_retire(&there, &everything);
    sequence_drop(&there, &everything);
    EXPECT(sequence_find(&here, q) == SEQUENCE_NONE && sequence_find(&there, o) == SEQUENCE_NONE);
    node = sequence_name(&here, &known, c);
    sequence_hang_as(&here, node, &there, sequence_find(&there, c), &known, NULL);
    EXPECT_INT(sequence_count(&here), 3);
    EXPECT(sequence_at(&here, 2) == sequence_find(&here, p)); /* c and o share q's place */
    EXPECT(sequence_name(&here, &known, q) == SEQUENCE_NONE);
    sequence_clear(&here);
    sequence_clear(&there);
}

static void test_sequence_place_from_another_state_is_climbed_to(void)
{
    expect_place_is_climbed_to(SIDE_LEFT);
    expect_place_is_climbed_to(SIDE_RIGHT);
}

/* However long the runs are, neither what is named nor what was removed is looked for one by one.
 */
static void test_sequence_names_neighbours_past_long_retired_runs(void)
{
    const uint32_t count = (uint32_t)test_count(5000, 100000);
    Sequence sequence;
    SequenceSide side;

    sequence_init(&sequence);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = sequence_anchor(&sequence, i, &side);

        hang(&sequence, id_of(1, i + 1), sequence_id(&sequence, parent), side);
    }
    for (uint32_t i = 2; i < count; i++)
        sequence_remove(&sequence, sequence_at(&sequence, 1), dot_make(2, i));
    EXPECT(sequence_anchor(&sequence, 1, &side) == sequence_find(&sequence, id_of(1, 2)));
    EXPECT(side == SIDE_LEFT);
    sequence_retire(&sequence, &everything);
    EXPECT(sequence_anchor(&sequence, 1, &side) == sequence_find(&sequence, id_of(1, count)));
    EXPECT(side == SIDE_LEFT);
    EXPECT_INT(sequence.node_count, count);
    sequence_drop(&sequence, &everything);
    EXPECT_INT(sequence.node_count, 2);
    EXPECT(sequence_at(&sequence, 1) == sequence_find(&sequence, id_of(1, count)));
    sequence_clear(&sequence);
}

static bool lies_right_below(const Sequence *sequence, uint32_t left, uint32_t node)
{
    const SequenceNode *nodes = sequence->nodes;

    while (node != SEQUENCE_ROOT && nodes[node].parent != left)
        node = nodes[node].parent;
    return node != SEQUENCE_ROOT && nodes[node].side == SIDE_RIGHT;
}

/* Whatever lies around it, removed, retired or not; and it hangs on its right neighbour only where
 * that lies right below its left one. */
static void test_sequence_element_stands_where_it_was_put(void)
{
    Rng rng = rng_stream(7, "sequence");
    Sequence sequence;
    SequenceSide side;

    sequence_init(&sequence);
    for (uint64_t i = 1; i <= (uint64_t)test_count(3000, 100000); i++) {
        uint32_t index = (uint32_t)rng_below(&rng, sequence_count(&sequence) + 1);
        uint32_t parent = sequence_anchor(&sequence, index, &side);
        SequenceId id = id_of(1 + (uint32_t)rng_below(&rng, 5), i);
        uint32_t left = index > 0 ? sequence_at(&sequence, index - 1) : SEQUENCE_ROOT;

        EXPECT(side == SIDE_RIGHT ? parent == left : lies_right_below(&sequence, left, parent));
        hang(&sequence, id, sequence_id(&sequence, parent), side);
        EXPECT(sequence_at(&sequence, index) == sequence_find(&sequence, id));
        while (sequence_count(&sequence) > 0 && rng_below(&rng, 40) < 19)
            sequence_remove(
                &sequence,
                sequence_at(&sequence, (uint32_t)rng_below(&rng, sequence_count(&sequence))),
                dot_make(1, i));
        if (rng_below(&rng, 8) == 0)
            sequence_retire(&sequence, &everything);
        if (rng_below(&rng, 80) == 0)
            sequence_drop(&sequence, &everything);
    }
    sequence_clear(&sequence);
}

/* Two put an element before the same one; what hung on the first of the two is retired. */
static void test_sequence_neighbour_beside_is_none_below(void)
{
    SequenceId p = id_of(1, 1), first = id_of(1, 2), second = id_of(2, 1), below = id_of(1, 3);
    Sequence sequence;
    SequenceSide side;

    sequence_init(&sequence);
    hang(&sequence, p, (SequenceId){0}, SIDE_RIGHT);
    hang(&sequence, first, p, SIDE_LEFT);
    hang(&sequence, second, p, SIDE_LEFT);
    hang(&sequence, below, first, SIDE_RIGHT);
    sequence_remove(&sequence, sequence_find(&sequence, below), dot_make(1, 4));
    sequence_retire(&sequence, &everything);
    EXPECT(sequence_anchor(&sequence, 1, &side) == sequence_find(&sequence, first));
    EXPECT(side == SIDE_RIGHT);
    sequence_clear(&sequence);
}

/* What is retired stays while a member that was unlinked may come back.  Each push to the emptied
 * list then hangs beside all that were there before it, and is not led past them one by one; nor is
 * what goes when it does, whoever made it and whoever removed it. */
static void test_sequence_names_a_place_beside_very_many_siblings(void)
{
    const uint32_t count = (uint32_t)test_count(200000, 400000);
    Sequence sequence;
    SequenceSide side;

    sequence_init(&sequence);
    for (uint32_t i = 1; i <= count; i++) {
        EXPECT(sequence_anchor(&sequence, 0, &side) == SEQUENCE_ROOT && side == SIDE_RIGHT);
        hang(&sequence, id_of(1 + i % 2, i), (SequenceId){0}, side);
        sequence_remove(&sequence, sequence_at(&sequence, 0), dot_make(3 + i / 2 % 2, i));
        sequence_retire(&sequence, &everything);
    }
    EXPECT_INT(sequence.node_count, count);
    EXPECT_INT(sequence_count(&sequence), 0);
    sequence_drop(&sequence, &everything);
    EXPECT_INT(sequence.node_count, 0);
    sequence_clear(&sequence);
}

static void expect_grown_alike(Sequence *a, Sequence *b)
{
    for (uint32_t i = 0; i < 40; i++) {
        SequenceSide side_a, side_b;
        uint32_t index = i * 7 % (sequence_count(a) + 1);
        SequenceId above = sequence_id(a, sequence_anchor(a, index, &side_a));

        EXPECT(sequence_id_is_equal(above, sequence_id(b, sequence_anchor(b, index, &side_b))));
        EXPECT_INT(side_a, side_b);
        hang(a, id_of(1, i + 1), above, side_a);
        hang(b, id_of(1, i + 1), above, side_b);
        sequence_remove(a, sequence_at(a, i % 3), dot_make(2, i + 1));
        sequence_remove(b, sequence_at(b, i % 3), dot_make(2, i + 1));
        expect_same_order(a, b);
        if (i % 10 != 9)
            continue;
        sequence_retire(a, &everything);
        sequence_retire(b, &everything);
        sequence_drop(a, &everything);
        sequence_drop(b, &everything);
        expect_same_order(a, b);
    }
    EXPECT_INT(a->node_count, b->node_count);
}

/* Made at once or one by one, what a sequence begins with is the same, now and later. */
static void test_sequence_begins_as_if_hung_one_by_one(void)
{
    static const uint32_t counts[] = {3, 10, 27, 28, 200};

    for (uint32_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        Sequence at_once, one_by_one;

        sequence_init(&at_once);
        sequence_init(&one_by_one);
        sequence_begin(&at_once, counts[i]);
        for (uint32_t seq = 1; seq <= counts[i]; seq++)
            sequence_hang(&one_by_one, sequence_make(&one_by_one, id_of(0, seq)),
                          sequence_find(&one_by_one, id_of(0, seq - 1)), SIDE_RIGHT, NULL);
        expect_same_order(&at_once, &one_by_one);
        expect_grown_alike(&at_once, &one_by_one);
        EXPECT(sequence_find(&at_once, id_of(0, 1)) == SEQUENCE_NONE); /* dropped */
        sequence_clear(&at_once);
        sequence_clear(&one_by_one);
    }
}

static const TestCase cases[] = {
    TEST(test_sequence_dropping_changes_no_order),
    TEST(test_sequence_element_is_retired_when_its_making_is_stable_too),
    TEST(test_sequence_place_from_another_state_is_climbed_to),
    TEST(test_sequence_names_neighbours_past_long_retired_runs),
    TEST(test_sequence_element_stands_where_it_was_put),
    TEST(test_sequence_neighbour_beside_is_none_below),
    TEST(test_sequence_names_a_place_beside_very_many_siblings),
    TEST(test_sequence_begins_as_if_hung_one_by_one),
};
TEST_MAIN("sequence", cases)
