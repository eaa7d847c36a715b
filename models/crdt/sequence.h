/* The order of a list's or array's elements: a Fugue tree (crdt-semantics.md 5; Weidner and
 * Kleppmann, "The Art of the Fugue", 2023).
 *
 * Every element hangs left or right of another, where its origin put it; siblings are sorted by id.
 * The order is the walk "left children, node, right children", a function of which elements were
 * ever made.  A balanced tree beside it finds the n-th visible one in O(log n).
 *
 * What is removed goes in three steps, so that no element under way ever hangs on one that is gone:
 *
 *     removed   a tombstone: it may be known here alone, and others may still hang elements on it
 *     retired   all members know of it (the stable clock covers it and a removal of it): it leaves
 *               the books, and this member hangs nothing on it any more
 *     dropped   all members have retired it, and all they made before that has arrived: nobody will
 *               name it again, and its memory is free.  The one element that may hang on it takes
 *               its place; while there are two, it stays
 *
 * So what is kept beside live elements is at most as many tombstones as there are live elements and
 * ones not yet dropped: a queue leaves nothing behind (sequence.c has the argument).
 *
 * A node is a number from 2, stable until it is dropped; what an element holds is the owner's.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/clock.h"
#include "models/crdt/sequence_order.h"

/* Names an element: the effect that made it, and which of its values it was.  Dot 0: the root. */
typedef struct {
    Dot dot;
    uint32_t index;
} SequenceId;

static inline bool sequence_id_is_equal(SequenceId a, SequenceId b)
{
    return a.dot == b.dot && a.index == b.index;
}

/* By member, then by age. */
int sequence_id_compare(SequenceId a, SequenceId b);

typedef enum { SIDE_LEFT, SIDE_RIGHT } SequenceSide;

enum {
    NODE_MADE = 1,    /* its insertion has arrived; else only named by others */
    NODE_PLACED = 2,  /* in the order: so are all its ancestors */
    NODE_REMOVED = 4, /* for good */
    NODE_SKIPPED = 8, /* nothing is hung on it from here any more */
    NODE_RETIRED = 16,
    NODE_LEAVING = 32, /* retired by all; goes when at most one element hangs on it */
    NODE_OWNERS = 64   /* the first flag that is free for the owner */
};

#define SEQUENCE_NONE 0u
#define SEQUENCE_ROOT 1u

typedef struct {
    Dot dot;
    uint64_t value; /* the owner's; of a removed node: the dot of a removal */
    uint32_t index; /* with dot, its id */
    uint32_t rank;  /* 0: sorted among its siblings by its id, else by ranks[rank] */
    uint32_t parent;
    uint32_t first_child[2]; /* by SequenceSide */
    uint32_t next_sibling;
    uint32_t next_removed; /* by the same origin; of free ones, the next */
    uint32_t bytes;        /* the owner's */
    uint8_t kind;          /* the owner's */
    uint8_t flags;
    uint8_t side;
} SequenceNode;

static_assert(sizeof(SequenceNode) == 56, "bytes a node");

typedef struct {
    uint32_t first, last;
    bool unsorted; /* these came out of turn */
} SequenceChain;

typedef struct {
    SequenceNode *nodes; /* entry 2n of the order is node n */
    uint32_t *table;     /* of ids: open addressing, 0 is free */
    SequenceOrder order;
    uint32_t count; /* numbers below may be in use */
    uint32_t capacity;
    uint32_t table_mask; /* the table's size less one */
    uint32_t free;       /* the first that was dropped and not used again */
    uint32_t table_count;
    uint32_t first_count; /* ids (0, 1) to (0, first_count) are nodes 2 and on, or dropped */
    uint32_t node_count;  /* in use, without the root */
    uint32_t placed_count, visible_count, removed_count, retired_count;
    uint32_t newest_sibling[MEMBER_MAX + 1]; /* by origin: the last hung beside others */
    uint32_t rank_count, rank_capacity;
    SequenceId *ranks;                     /* from 1; ranks[0].index is the first free one */
    SequenceChain removed[MEMBER_MAX + 1]; /* by the removal's origin, not retired */
    SequenceChain retired[MEMBER_MAX + 1]; /* not leaving */
} Sequence;

void sequence_init(Sequence *sequence);
void sequence_clear(Sequence *sequence);

/* What the empty sequence begins with: elements of ids (0, 1) to (0, count), each hung to the right
 * of the one before.  They are nodes 2 and on; no listener hears of them. */
void sequence_begin(Sequence *sequence, uint32_t count);

static inline bool sequence_node_is(const SequenceNode *node, uint8_t flags)
{
    return (node->flags & flags) == flags;
}

static inline bool sequence_node_is_visible(const SequenceNode *node)
{
    return (node->flags & (NODE_PLACED | NODE_REMOVED)) == NODE_PLACED;
}

/* Made or only named, but not in the order. */
static inline bool sequence_node_is_waiting(const SequenceNode *node)
{
    return node->dot != 0 && !sequence_node_is(node, NODE_PLACED);
}

static inline uint32_t sequence_count(const Sequence *sequence) /* visible ones */
{
    return sequence->visible_count;
}

static inline SequenceId sequence_id(const Sequence *sequence, uint32_t node)
{
    return (SequenceId){sequence->nodes[node].dot, sequence->nodes[node].index};
}

uint32_t sequence_find(const Sequence *sequence, SequenceId id); /* SEQUENCE_NONE: not here */

/* Found, or new: an id that others name, which is not made yet.  SEQUENCE_NONE: known covers the id
 * and it is not here, so it was dropped. */
uint32_t sequence_name(Sequence *sequence, const Clock *known, SequenceId id);

/* The node of an insertion that arrives, which it does once: others have named it, or it is new. */
uint32_t sequence_make(Sequence *sequence, SequenceId id);

/* Hears of each node that gets its place: from then on it can be visible. */
typedef struct {
    void (*placed)(void *owner, uint32_t node);
    void *owner;
} SequenceListener;

/* The node's insertion has arrived: it hangs on parent, and is in the order if parent is; so is
 * then all that hung on it already.  listener may be NULL. */
void sequence_hang(Sequence *sequence, uint32_t node, uint32_t parent, SequenceSide side,
                   const SequenceListener *listener);

/* The owner has let the value go: removal takes its place.  Once more: nothing but a second reason,
 * which the first is kept for. */
void sequence_remove(Sequence *sequence, uint32_t node, Dot removal);

/* As though it was retired, for the sake of naming alone. */
void sequence_skip(Sequence *sequence, uint32_t node);

void sequence_retire(Sequence *sequence, const Clock *stable);
void sequence_drop(Sequence *sequence, const Clock *retired_by_all);

/* A whole state comes in: as sequence_hang, in the place from_node has there.  known is the clock
 * of into's member. */
void sequence_hang_as(Sequence *into, uint32_t node, const Sequence *from, uint32_t from_node,
                      const Clock *known, const SequenceListener *listener);

uint32_t sequence_at(const Sequence *sequence, uint32_t index); /* the index-th of them */

/* A visible node on a walk, which any insertion or drop ends. */
typedef struct {
    uint32_t node; /* SEQUENCE_NONE: past either end */
    OrderPlace place;
} SequenceCursor;

SequenceCursor sequence_cursor(const Sequence *sequence, uint32_t index);
void sequence_cursor_forward(const Sequence *sequence, SequenceCursor *cursor);
void sequence_cursor_back(const Sequence *sequence, SequenceCursor *cursor);

/* The next in the order that is not skipped, removed ones included. */
uint32_t sequence_next_nameable(const Sequence *sequence, uint32_t node);

/* Where an element that shall become the visible one at index hangs. */
uint32_t sequence_anchor(const Sequence *sequence, uint32_t index, SequenceSide *out_side);
