/* Why it works: a node's place in the walk follows from its neighbours.  A right child comes behind
 * the last of its elder sibling's part, or behind its parent; a left child before the first of its
 * younger sibling's part, or before its parent.  Part means all that hangs below, whose ends are
 * found by going down one side.  A new element hangs left of a removed one only if that is the
 * first in the part of a visible element (or the root), never below another removed one's right; so
 * a removed element's only right child may take its place: what still comes for the removed one
 * comes before the child, as its lower level says.  The balanced tree is a treap whose priorities
 * are a hash of the id: no chance involved, and equal sets give equal trees.
 */
#include "models/crdt/json_sequence.h"

#include <stddef.h>

#include "sim/ensure.h"

int json_id_compare(JsonId a, JsonId b)
{
    uint32_t p = dot_member(a.dot), q = dot_member(b.dot);

    if (p != q)
        return p < q ? -1 : 1;
    if (a.dot != b.dot)
        return a.dot < b.dot ? -1 : 1;
    return (a.index > b.index) - (a.index < b.index);
}

static uint64_t priority(const SequenceNode *node)
{
    uint64_t z = (node->id.dot ^ ((uint64_t)node->id.index << 40)) * UINT64_C(0x9fb21c651e98df25);

    z = (z ^ (z >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return z ^ (z >> 29);
}

static uint32_t count_of(const SequenceNode *node)
{
    return node ? node->visible_count : 0;
}

static void recount(SequenceNode *node)
{
    node->visible_count = count_of(node->before) + count_of(node->behind) + !node->is_removed;
}

static void recount_up(SequenceNode *node)
{
    for (; node; node = node->up)
        recount(node);
}

static void put_in_place_of(Sequence *sequence, const SequenceNode *old, SequenceNode *now)
{
    if (!old->up)
        sequence->top = now;
    else if (old->up->before == old)
        old->up->before = now;
    else
        old->up->behind = now;
    if (now)
        now->up = old->up;
}

/* node takes the place of the one above it. */
static void rotate_up(Sequence *sequence, SequenceNode *node)
{
    SequenceNode *above = node->up;
    SequenceNode *inner;

    put_in_place_of(sequence, above, node);
    if (above->before == node) {
        inner = node->behind;
        above->before = inner;
        node->behind = above;
    } else {
        inner = node->before;
        above->behind = inner;
        node->before = above;
    }
    if (inner)
        inner->up = above;
    above->up = node;
    recount(above);
    recount(node);
}

static void tree_add(Sequence *sequence, SequenceNode *node, SequenceNode *above, bool before)
{
    node->up = above;
    node->before = node->behind = NULL;
    if (!above)
        sequence->top = node;
    else if (before)
        above->before = node;
    else
        above->behind = node;
    recount_up(node);
    while (node->up && priority(node) > priority(node->up))
        rotate_up(sequence, node);
}

/* left NULL: becomes the first. */
static void tree_add_behind(Sequence *sequence, SequenceNode *left, SequenceNode *node)
{
    SequenceNode *above = left ? left->behind : sequence->top;

    if (!above) {
        tree_add(sequence, node, left, false);
        return;
    }
    while (above->before)
        above = above->before;
    tree_add(sequence, node, above, true);
}

static void tree_add_before(Sequence *sequence, SequenceNode *right, SequenceNode *node)
{
    SequenceNode *above = right->before;

    if (!above) {
        tree_add(sequence, node, right, true);
        return;
    }
    while (above->behind)
        above = above->behind;
    tree_add(sequence, node, above, false);
}

static void tree_take_out(Sequence *sequence, SequenceNode *node)
{
    SequenceNode *above;

    while (node->before && node->behind) {
        bool is_before = priority(node->before) > priority(node->behind);

        rotate_up(sequence, is_before ? node->before : node->behind);
    }
    above = node->up;
    put_in_place_of(sequence, node, node->before ? node->before : node->behind);
    recount_up(above);
}

static SequenceNode **siblings(Sequence *sequence, const SequenceNode *node)
{
    return node->parent ? &node->parent->children[node->side] : &sequence->first;
}

/* The end of a node's part of the walk towards side. */
static SequenceNode *end_of(SequenceNode *node, SequenceSide side)
{
    while (node->children[side]) {
        node = node->children[side];
        while (side == SIDE_RIGHT && node->next)
            node = node->next;
    }
    return node;
}

static void place(Sequence *sequence, SequenceNode *node)
{
    SequenceNode *elder = NULL;

    node->is_placed = true;
    if (node->side == SIDE_LEFT) {
        tree_add_before(sequence, node->next ? end_of(node->next, SIDE_LEFT) : node->parent, node);
        return;
    }
    for (SequenceNode *s = *siblings(sequence, node); s != node; s = s->next)
        elder = s;
    tree_add_behind(sequence, elder ? end_of(elder, SIDE_RIGHT) : node->parent, node);
}

/* Takes what hung from a node that was not in the walk out of its lists and hangs it up again, top
 * down; `next` of those still to come keeps them in a row. */
static SequenceNode *detach_children(SequenceNode *node, SequenceNode *row)
{
    for (int side = SIDE_LEFT; side <= SIDE_RIGHT; side++)
        while (node->children[side]) {
            SequenceNode *child = node->children[side];

            node->children[side] = child->next;
            child->next = row;
            row = child;
        }
    return row;
}

static int sibling_compare(const SequenceNode *a, const SequenceNode *b)
{
    int order = json_id_compare(a->rank.key, b->rank.key);

    if (order == 0)
        order = (a->rank.level > b->rank.level) - (a->rank.level < b->rank.level);
    return order != 0 ? order : json_id_compare(a->id, b->id);
}

static void hang(Sequence *sequence, SequenceNode *node)
{
    SequenceNode **at = siblings(sequence, node);

    while (*at && sibling_compare(*at, node) < 0)
        at = &(*at)->next;
    node->next = *at;
    *at = node;
}

void sequence_position(Sequence *sequence, SequenceNode *node, SequenceNode *parent,
                       SequenceSide side, const SequenceRank *rank)
{
    SequenceNode *row;

    ensure(!node->is_positioned && (parent || side == SIDE_RIGHT));
    node->parent = parent;
    node->side = (uint8_t)side;
    node->rank = rank ? *rank : (SequenceRank){node->id, 0};
    node->is_positioned = true;
    if (parent && !parent->is_placed) {
        hang(sequence, node);
        return;
    }
    node->next = NULL;
    row = node;
    while (row) {
        SequenceNode *first = row;

        row = detach_children(first, row->next);
        hang(sequence, first);
        place(sequence, first);
    }
}

void sequence_remove(SequenceNode *node)
{
    ensure(!node->is_removed);
    node->is_removed = true;
    if (node->is_placed)
        recount_up(node);
}

bool sequence_is_spare(const SequenceNode *node)
{
    const SequenceNode *right = node->children[SIDE_RIGHT];

    return !node->children[SIDE_LEFT] && (!right || (node->is_placed && !right->next));
}

void sequence_take_out(Sequence *sequence, SequenceNode *node)
{
    SequenceNode *child = node->children[SIDE_RIGHT];

    ensure(sequence_is_spare(node) && node->is_removed);
    if (node->is_positioned) {
        SequenceNode **at = siblings(sequence, node);

        while (*at != node)
            at = &(*at)->next;
        *at = child ? child : node->next;
    }
    if (child) {
        child->next = node->next;
        child->parent = node->parent;
        child->side = node->side;
        child->rank.key = node->rank.key;
        child->rank.level += node->rank.level + 1;
    }
    if (node->is_placed)
        tree_take_out(sequence, node);
}

uint32_t sequence_count(const Sequence *sequence)
{
    return count_of(sequence->top);
}

SequenceNode *sequence_at(const Sequence *sequence, uint32_t index)
{
    SequenceNode *node = sequence->top;

    ensure(index < count_of(node));
    for (;;) {
        uint32_t before = count_of(node->before);

        if (index < before) {
            node = node->before;
        } else if (index == before && !node->is_removed) {
            return node;
        } else {
            index -= before + !node->is_removed;
            node = node->behind;
        }
    }
}

SequenceNode *sequence_first(const Sequence *sequence)
{
    SequenceNode *node = sequence->top;

    while (node && node->before)
        node = node->before;
    return node;
}

SequenceNode *sequence_next(const SequenceNode *node)
{
    if (node->behind) {
        SequenceNode *below = node->behind;

        while (below->before)
            below = below->before;
        return below;
    }
    while (node->up && node->up->behind == node)
        node = node->up;
    return node->up;
}

void sequence_place_for(const Sequence *sequence, uint32_t index, SequenceNode **out_parent,
                        SequenceSide *out_side)
{
    SequenceNode *left = index > 0 ? sequence_at(sequence, index - 1) : NULL;
    const SequenceNode *below = left ? left->children[SIDE_RIGHT] : sequence->first;

    *out_parent = left;
    *out_side = SIDE_RIGHT;
    if (!below)
        return;
    *out_parent = left ? sequence_next(left) : sequence_first(sequence);
    *out_side = SIDE_LEFT;
}
