/* Why it works: the walk "left children, node, right children" is kept as one order with counts,
 * and a node's subtree is a stretch of it.  Each node puts a mark beside itself where its subtree
 * borders on a sibling's: a right child's mark follows its subtree, a left child's precedes it.  As
 * both are put while the node has no descendants, they are neighbours, and all that is hung later
 * falls between them.  So the place of a new node is found at once: behind the mark of the sibling
 * before it, in front of the mark of the sibling after it, or next to its parent; however long a
 * subtree has grown, nobody walks it.  Only members that did not see each other's make siblings, so
 * a side has hardly more than one child a member; but for what hangs beside retired ones, of which
 * there are many when nothing can be dropped for long.  An origin's elements are hung by age, so
 * among them the walk begins at its newest.
 *
 * Where a new element hangs.  Let `left` be the visible element before it (or the root) and `next`
 * the first after left that is not skipped.  If next lies right below left, the new one becomes a
 * left child of next, else a right child of left.  Whatever lies between left and next is skipped,
 * so invisible for good; in the first case all of next's left part lies there, in the second all of
 * left's right part, and the new one falls among it: between left and next, at every member,
 * whatever that still keeps.  With nothing skipped this is Fugue's rule.  A skipped node is never
 * named: left is visible, next is not skipped.
 *
 * Why a dropped node is never missed.  A member skips what it has retired, and what two effects it
 * knows of removed (as then it keeps one of the two dots, and others may go by the other).  So when
 * it has retired up to a clock, it names nothing any more that this clock covers together with any
 * removal of it.  Once all members have told so, and what they made before they told has arrived,
 * all that ever hangs on the node is here.  Dropping it with one child left gives the child its
 * place, the rank among its siblings included: those still to come will sort before or after it as
 * they would have before or after the node.  With two children it stays; but a tree has fewer nodes
 * that branch than leaves, and its leaves are live or not yet dropped.
 *
 * Two states.  What one side has not, though its clock covers it, it has dropped, and it stays so.
 * What it has not heard of hangs in the other state on a node that both have, or on one dropped
 * here: climbing from that over what is dropped here gives the place it would have if both had
 * dropped alike.  What the other has dropped and this one has not takes up that same place, but
 * only retired nodes are left of it, so its order among what shares the place shows nowhere. */
#include "models/crdt/sequence_private.h"

#include <glib.h>

#include "sim/ensure.h"

/* --- places */

/* A sibling before node, from which its place is not far: the newest of the same origin.  While
 * nothing can be dropped a side may have many.  SEQUENCE_NONE: look from the first. */
static uint32_t sibling_near(const Sequence *sequence, uint32_t node)
{
    const SequenceNode *nodes = sequence->nodes;
    uint32_t near = sequence->newest_sibling[dot_member(nodes[node].dot)];

    if (nodes[near].parent != nodes[node].parent || nodes[near].side != nodes[node].side ||
        sequence_id_compare(sequence_rank(sequence, near), sequence_rank(sequence, node)) >= 0)
        return SEQUENCE_NONE;
    return near;
}

/* The link that leads to node, or to where it belongs. */
static uint32_t *sibling_link(Sequence *sequence, uint32_t node)
{
    SequenceNode *nodes = sequence->nodes;
    const SequenceId rank = sequence_rank(sequence, node);
    uint32_t near = sibling_near(sequence, node);
    uint32_t *link = near != SEQUENCE_NONE
                         ? &nodes[near].next_sibling
                         : &nodes[nodes[node].parent].first_child[nodes[node].side];

    while (*link != 0 && *link != node &&
           sequence_id_compare(sequence_rank(sequence, *link), rank) < 0)
        link = &nodes[*link].next_sibling;
    return link;
}

/* The nearest sibling before the node that has its place; 0: none. */
static uint32_t placed_sibling_before(const Sequence *sequence, uint32_t node)
{
    const SequenceNode *nodes = sequence->nodes;
    uint32_t near = sibling_near(sequence, node);
    uint32_t at =
        near != SEQUENCE_NONE ? near : nodes[nodes[node].parent].first_child[nodes[node].side];
    uint32_t found = SEQUENCE_NONE;

    for (; at != node; at = nodes[at].next_sibling)
        if (sequence_node_is(&nodes[at], NODE_PLACED))
            found = at;
    return found;
}

static uint32_t placed_sibling_after(const Sequence *sequence, uint32_t node)
{
    uint32_t at = sequence->nodes[node].next_sibling;

    while (at != SEQUENCE_NONE && !sequence_node_is(&sequence->nodes[at], NODE_PLACED))
        at = sequence->nodes[at].next_sibling;
    return at;
}

static void count_placed(Sequence *sequence, uint32_t node)
{
    SequenceNode *placed = &sequence->nodes[node];

    placed->flags |= NODE_PLACED;
    sequence->placed_count++;
    sequence->visible_count += !sequence_node_is(placed, NODE_REMOVED);
}

static void place(Sequence *sequence, uint32_t node)
{
    const SequenceNode *made = &sequence->nodes[node];
    SequenceOrder *order = &sequence->order;
    OrderItem entry = sequence_item(sequence, node);
    OrderItem mark = order_item(sequence_mark(node), false, false);
    uint32_t at = made->parent * 2;
    uint32_t sibling;

    sequence_order_reserve(order, sequence_mark(node) + 1);
    if (made->side == SIDE_RIGHT) {
        sibling = placed_sibling_before(sequence, node);
        at = sibling != 0 ? sequence_mark(sibling) : at;
        sequence_order_put_after(order, at, (OrderPair){entry, mark});
    } else {
        sibling = placed_sibling_after(sequence, node);
        at = sibling != 0 ? sequence_mark(sibling) : at;
        sequence_order_put_before(order, at, (OrderPair){mark, entry});
    }
    count_placed(sequence, node);
}

/* What comes after node in a walk over the subtree of top, parents first. */
static uint32_t next_in_subtree(const Sequence *sequence, uint32_t top, uint32_t node)
{
    const SequenceNode *nodes = sequence->nodes;

    if (nodes[node].first_child[SIDE_LEFT] != 0)
        return nodes[node].first_child[SIDE_LEFT];
    if (nodes[node].first_child[SIDE_RIGHT] != 0)
        return nodes[node].first_child[SIDE_RIGHT];
    for (; node != top; node = nodes[node].parent) {
        if (nodes[node].next_sibling != 0)
            return nodes[node].next_sibling;
        if (nodes[node].side == SIDE_LEFT && nodes[nodes[node].parent].first_child[SIDE_RIGHT] != 0)
            return nodes[nodes[node].parent].first_child[SIDE_RIGHT];
    }
    return SEQUENCE_NONE;
}

/* Those that waited for the node have waited for nothing else: a node's descendants that are made
 * hang together. */
void sequence_hang(Sequence *sequence, uint32_t node, uint32_t parent, SequenceSide side,
                   const SequenceListener *listener)
{
    SequenceNode *made = &sequence->nodes[node];
    uint32_t *link;
    bool has_siblings;

    ensure(!sequence_node_is(made, NODE_MADE) && parent != SEQUENCE_NONE);
    ensure(parent != SEQUENCE_ROOT || side == SIDE_RIGHT);
    made->flags |= NODE_MADE;
    made->parent = parent;
    made->side = (uint8_t)side;
    link = sibling_link(sequence, node);
    has_siblings = link != &sequence->nodes[parent].first_child[side];
    made->next_sibling = *link;
    *link = node;
    if (!sequence_node_is(&sequence->nodes[parent], NODE_PLACED))
        return;
    for (uint32_t at = node; at != SEQUENCE_NONE; at = next_in_subtree(sequence, node, at)) {
        place(sequence, at);
        if (listener != NULL)
            listener->placed(listener->owner, at);
    }
    if (has_siblings)
        sequence->newest_sibling[dot_member(sequence->nodes[node].dot)] = node;
}

/* As hanging one by one would: all elements, then all their marks backwards. */
void sequence_begin(Sequence *sequence, uint32_t count)
{
    SequenceOrder *order = &sequence->order;
    const uint32_t last = SEQUENCE_ROOT + count;

    sequence_make_first(sequence, count);
    sequence_order_reserve(order, sequence_mark(last) + 1);
    for (uint32_t node = SEQUENCE_ROOT + 1; node <= last; node++) {
        SequenceNode *made = &sequence->nodes[node];

        made->flags |= NODE_MADE;
        made->side = SIDE_RIGHT;
        made->parent = node - 1;
        sequence->nodes[node - 1].first_child[SIDE_RIGHT] = node;
        sequence_order_append(order, sequence_item(sequence, node));
        count_placed(sequence, node);
    }
    for (uint32_t node = last; node > SEQUENCE_ROOT; node--)
        sequence_order_append(order, order_item(sequence_mark(node), false, false));
}

/* --- removing, retiring, dropping */

static void chain_append(Sequence *sequence, SequenceChain *chain, uint32_t node)
{
    SequenceNode *nodes = sequence->nodes;

    nodes[node].next_removed = SEQUENCE_NONE;
    if (chain->first == SEQUENCE_NONE) {
        chain->first = node;
    } else {
        chain->unsorted |= nodes[chain->last].value > nodes[node].value;
        nodes[chain->last].next_removed = node;
    }
    chain->last = node;
}

static int compare_removals(const void *a, const void *b, void *data)
{
    const Sequence *sequence = data;
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (sequence->nodes[x].value != sequence->nodes[y].value) /* dots of one origin */
        return sequence->nodes[x].value < sequence->nodes[y].value ? -1 : 1;
    return sequence_id_compare(sequence_id(sequence, x), sequence_id(sequence, y));
}

static void chain_sort(Sequence *sequence, SequenceChain *chain)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    for (uint32_t at = chain->first; at != 0; at = sequence->nodes[at].next_removed)
        g_array_append_val(nodes, at);
    g_array_sort_with_data(nodes, compare_removals, sequence);
    *chain = (SequenceChain){0};
    for (uint32_t i = 0; i < nodes->len; i++)
        chain_append(sequence, chain, g_array_index(nodes, uint32_t, i));
}

void sequence_skip(Sequence *sequence, uint32_t node)
{
    SequenceNode *gone = &sequence->nodes[node];

    ensure(sequence_node_is(gone, NODE_REMOVED));
    if (sequence_node_is(gone, NODE_SKIPPED))
        return;
    gone->flags |= NODE_SKIPPED;
    if (sequence_node_is(gone, NODE_PLACED))
        sequence_order_uncount(&sequence->order, ORDER_NAMEABLE, sequence_entry(node));
}

void sequence_remove(Sequence *sequence, uint32_t node, Dot removal)
{
    SequenceNode *gone = &sequence->nodes[node];

    if (sequence_node_is(gone, NODE_REMOVED)) {
        if (gone->value != removal)
            sequence_skip(sequence, node);
        return;
    }
    if (sequence_node_is(gone, NODE_PLACED)) {
        sequence_order_uncount(&sequence->order, ORDER_VISIBLE, sequence_entry(node));
        sequence->visible_count--;
    }
    gone->flags |= NODE_REMOVED;
    gone->value = removal;
    sequence->removed_count++;
    chain_append(sequence, &sequence->removed[dot_member(removal)], node);
}

/* A mark that stands on the wrong side of what is now the child's part moves to the other. */
static void take_out_marks(Sequence *sequence, uint32_t node, uint32_t child)
{
    SequenceOrder *order = &sequence->order;

    if (child != SEQUENCE_NONE && sequence->nodes[child].side != sequence->nodes[node].side)
        sequence_order_move_after(order, sequence_mark(node), sequence_mark(child));
    sequence_order_remove(order, sequence_mark(node));
    sequence_order_remove(order, sequence_entry(node));
}

/* The child that hangs on the node, if any, takes its place. */
static void take_out(Sequence *sequence, uint32_t node)
{
    SequenceNode *gone = &sequence->nodes[node];
    uint32_t child = gone->first_child[SIDE_LEFT] | gone->first_child[SIDE_RIGHT]; /* one is 0 */
    uint32_t *link = sibling_link(sequence, node);

    while (*link != node) /* past others of its rank */
        link = &sequence->nodes[*link].next_sibling;
    take_out_marks(sequence, node, child);
    *link = child != SEQUENCE_NONE ? child : gone->next_sibling;
    if (child != SEQUENCE_NONE) {
        sequence_rank_set(sequence, child, sequence_rank(sequence, node));
        sequence->nodes[child].next_sibling = gone->next_sibling;
        sequence->nodes[child].parent = gone->parent;
        sequence->nodes[child].side = gone->side;
    }
    sequence_node_free(sequence, node);
    sequence->placed_count--;
    sequence->removed_count--;
    sequence->retired_count--;
}

static bool is_spare(const Sequence *sequence, uint32_t node)
{
    const SequenceNode *nodes = sequence->nodes;
    uint32_t left = nodes[node].first_child[SIDE_LEFT];
    uint32_t right = nodes[node].first_child[SIDE_RIGHT];

    if (!sequence_node_is(&nodes[node], NODE_LEAVING) || (left != 0 && right != 0))
        return false;
    return nodes[left | right].next_sibling == 0; /* nodes[0] is all zeros */
}

/* Up the tree: with a child less a parent may go too.  What still waits for its own parent stays
 * for the next time. */
static void leave(Sequence *sequence, uint32_t node)
{
    SequenceNode *gone = &sequence->nodes[node];

    if (!sequence_node_is(gone, NODE_PLACED)) {
        chain_append(sequence, &sequence->retired[dot_member(gone->value)], node);
        return;
    }
    gone->flags |= NODE_LEAVING;
    while (is_spare(sequence, node)) {
        uint32_t parent = sequence->nodes[node].parent;

        take_out(sequence, node);
        node = parent;
    }
}

static void retire(Sequence *sequence, uint32_t node)
{
    sequence_skip(sequence, node);
    sequence->nodes[node].flags |= NODE_RETIRED;
    sequence->retired_count++;
}

/* Takes from the chain those that cut covers with their removal, as a row. */
static uint32_t chain_take(Sequence *sequence, SequenceChain *chain, const Clock *cut)
{
    SequenceNode *nodes = sequence->nodes;
    uint32_t *link = &chain->first;
    uint32_t row = SEQUENCE_NONE, *row_end = &row;
    uint32_t before = SEQUENCE_NONE;

    if (chain->unsorted)
        chain_sort(sequence, chain);
    while (*link != 0 && clock_covers(cut, nodes[*link].value)) {
        uint32_t node = *link;

        if (!clock_covers(cut, nodes[node].dot)) {
            before = node;
            link = &nodes[node].next_removed;
            continue;
        }
        *link = nodes[node].next_removed;
        if (chain->last == node)
            chain->last = before;
        *row_end = node;
        row_end = &nodes[node].next_removed;
    }
    *row_end = SEQUENCE_NONE;
    return row;
}

void sequence_retire(Sequence *sequence, const Clock *stable)
{
    if (sequence->retired_count == sequence->removed_count)
        return;
    for (uint32_t member = 0; member <= MEMBER_MAX; member++) {
        uint32_t row = chain_take(sequence, &sequence->removed[member], stable);

        while (row != SEQUENCE_NONE) {
            uint32_t node = row;

            row = sequence->nodes[node].next_removed;
            retire(sequence, node);
            chain_append(sequence, &sequence->retired[member], node);
        }
    }
}

static void shrink_if_empty(Sequence *sequence)
{
    if (sequence->node_count > 0 || sequence->count == SEQUENCE_ROOT + 1)
        return;
    sequence_clear(sequence);
    sequence_init(sequence);
}

static int compare_ids(const void *a, const void *b, void *data)
{
    const Sequence *sequence = data;

    return sequence_id_compare(sequence_id(sequence, *(const uint32_t *)a),
                               sequence_id(sequence, *(const uint32_t *)b));
}

/* In the order of siblings, whoever removed them: so each that goes is one of the first on its
 * side, however many there are. */
void sequence_drop(Sequence *sequence, const Clock *retired_by_all)
{
    g_autoptr(GArray) leaving = NULL;

    for (uint32_t member = 0; member <= MEMBER_MAX && sequence->retired_count > 0; member++) {
        uint32_t row = chain_take(sequence, &sequence->retired[member], retired_by_all);

        if (row != SEQUENCE_NONE && leaving == NULL)
            leaving = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        for (; row != SEQUENCE_NONE; row = sequence->nodes[row].next_removed)
            g_array_append_val(leaving, row);
    }
    if (leaving != NULL && leaving->len > 1)
        g_array_sort_with_data(leaving, compare_ids, sequence);
    for (uint32_t i = 0; leaving != NULL && i < leaving->len; i++)
        leave(sequence, g_array_index(leaving, uint32_t, i));
    shrink_if_empty(sequence);
}

/* --- two states */

void sequence_hang_as(Sequence *into, uint32_t node, const Sequence *from, uint32_t from_node,
                      const Clock *known, const SequenceListener *listener)
{
    SequenceId rank = sequence_rank(from, from_node);
    SequenceSide side = (SequenceSide)from->nodes[from_node].side;
    uint32_t above = from->nodes[from_node].parent;
    uint32_t parent;

    while ((parent = sequence_name(into, known, sequence_id(from, above))) == SEQUENCE_NONE) {
        rank = sequence_rank(from, above);
        side = (SequenceSide)from->nodes[above].side;
        above = from->nodes[above].parent;
    }
    if (!sequence_id_is_equal(rank, sequence_id(into, node)))
        sequence_rank_set(into, node, rank);
    sequence_hang(into, node, parent, side, listener);
}

/* --- reading */

SequenceCursor sequence_cursor(const Sequence *sequence, uint32_t index)
{
    SequenceCursor cursor = {0};

    if (index >= sequence_count(sequence))
        return cursor;
    cursor.place = sequence_order_select(&sequence->order, ORDER_VISIBLE, index);
    cursor.node = sequence_order_entry(&sequence->order, cursor.place) / 2;
    return cursor;
}

void sequence_cursor_forward(const Sequence *sequence, SequenceCursor *cursor)
{
    cursor->place = sequence_order_next(&sequence->order, ORDER_VISIBLE, cursor->place);
    cursor->node = sequence_order_entry(&sequence->order, cursor->place) / 2;
}

void sequence_cursor_back(const Sequence *sequence, SequenceCursor *cursor)
{
    cursor->place = sequence_order_previous(&sequence->order, ORDER_VISIBLE, cursor->place);
    cursor->node = sequence_order_entry(&sequence->order, cursor->place) / 2;
}

uint32_t sequence_at(const Sequence *sequence, uint32_t index)
{
    OrderPlace place = sequence_order_select(&sequence->order, ORDER_VISIBLE, index);

    return sequence_order_entry(&sequence->order, place) / 2;
}

uint32_t sequence_next_nameable(const Sequence *sequence, uint32_t node)
{
    const SequenceOrder *order = &sequence->order;
    OrderPlace place = sequence_order_place(order, sequence_entry(node));

    return sequence_order_entry(order, sequence_order_next(order, ORDER_NAMEABLE, place)) / 2;
}

/* Whether anything that is not skipped lies right below the node: what the order has between it
 * and the end of its subtree. */
static bool has_right_part(const Sequence *sequence, uint32_t node)
{
    const SequenceOrder *order = &sequence->order;
    const SequenceNode *made = &sequence->nodes[node];
    uint32_t end = sequence_mark(node);

    if (made->first_child[SIDE_RIGHT] == SEQUENCE_NONE)
        return false;
    if (node == SEQUENCE_ROOT)
        return sequence_next_nameable(sequence, node) != SEQUENCE_NONE;
    if (made->side == SIDE_LEFT)
        end = made->next_sibling != SEQUENCE_NONE ? sequence_mark(made->next_sibling)
                                                  : sequence_entry(made->parent);
    return sequence_order_rank(order, ORDER_NAMEABLE, end) >
           sequence_order_rank(order, ORDER_NAMEABLE, sequence_entry(node)) + 1;
}

uint32_t sequence_anchor(const Sequence *sequence, uint32_t index, SequenceSide *out_side)
{
    uint32_t left = index > 0 ? sequence_at(sequence, index - 1) : SEQUENCE_ROOT;
    uint32_t next = sequence_next_nameable(sequence, left);

    *out_side = SIDE_RIGHT;
    if (next == SEQUENCE_NONE || !has_right_part(sequence, left))
        return left;
    *out_side = SIDE_LEFT;
    return next;
}
