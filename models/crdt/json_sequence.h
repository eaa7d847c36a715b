/* The order of an array's elements: a Fugue tree (crdt-semantics.md 5; Weidner, Kleppmann 2023).
 *
 * Each element hangs left or right of another, where its origin put it; neighbours are sorted by
 * id.  The order is the walk left children, node, right children, so it depends on the set of
 * elements alone.  Removed elements stay in the walk while others may hang from them.  One of which
 * all members know that it is removed goes once at most one right child hangs from it: the child
 * takes its place among its siblings, rank included, so that queues leave nothing behind.  A
 * second, balanced tree over the same nodes finds the n-th visible one in O(log n).
 *
 * Nodes are owned by the caller and embedded in its elements.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/clock.h"

/* Names an element or a container: the effect that made it, and which of its values it was. */
typedef struct {
    Dot dot;
    uint32_t index;
} JsonId;

static inline bool json_id_is_equal(JsonId a, JsonId b)
{
    return a.dot == b.dot && a.index == b.index;
}

/* By member, then by age. */
int json_id_compare(JsonId a, JsonId b);

typedef enum { SIDE_LEFT, SIDE_RIGHT } SequenceSide;

/* Siblings are sorted by key, then level, then id.  A node's key is its id and its level 0 until it
 * takes the place of a removed parent: then it has that one's key, one level further. */
typedef struct {
    JsonId key;
    uint32_t level;
} SequenceRank;

typedef struct SequenceNode SequenceNode;
struct SequenceNode {
    JsonId id;
    SequenceRank rank;
    SequenceNode *parent;               /* NULL: the root, or not known yet */
    SequenceNode *children[2];          /* first of each side */
    SequenceNode *next;                 /* of the same parent and side */
    SequenceNode *up, *before, *behind; /* the balanced tree */
    uint32_t visible_count;             /* of its part of the balanced tree */
    uint8_t side;
    bool is_positioned; /* its parent and side are known */
    bool is_placed;     /* so are those of all above: it is part of the walk */
    bool is_removed;
};

typedef struct {
    SequenceNode *first; /* right children of the root */
    SequenceNode *top;   /* of the balanced tree */
} Sequence;

/* Says where node hangs (parent NULL: the root's right; rank NULL: its own).  If that is in the
 * walk, so is now node with all that already hung from it. */
void sequence_position(Sequence *sequence, SequenceNode *node, SequenceNode *parent,
                       SequenceSide side, const SequenceRank *rank);

/* The node is no longer visible. */
void sequence_remove(SequenceNode *node);

/* Nothing hangs from the node but at most one right child: when all know that it is removed, it may
 * be taken out. */
bool sequence_is_spare(const SequenceNode *node);
void sequence_take_out(Sequence *sequence, SequenceNode *node);

uint32_t sequence_count(const Sequence *sequence); /* visible ones */
SequenceNode *sequence_at(const Sequence *sequence, uint32_t index);
SequenceNode *sequence_first(const Sequence *sequence); /* of the walk, removed ones included */
SequenceNode *sequence_next(const SequenceNode *node);

/* Where an element that shall become the visible one at index hangs. */
void sequence_place_for(const Sequence *sequence, uint32_t index, SequenceNode **out_parent,
                        SequenceSide *out_side);
