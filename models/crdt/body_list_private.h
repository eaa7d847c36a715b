/* The inside of a list, for models/crdt/body_list*.c alone.
 *
 * body_list_tree.c knows where nodes are, body_list.c what they are worth, body_list_read.c what a
 * command sees and writes.
 */
#pragma once

#include <assert.h>

#include "models/crdt/body_list.h"
#include "models/crdt/list_order.h"

typedef enum { LIST_LEFT, LIST_RIGHT } ListSide;

enum { LIST_EDIT_INSERT = 1, LIST_EDIT_SET, LIST_EDIT_REMOVE };

/* INSERT: op, side, parent.  SET: op, id.  REMOVE: op, ids. */

enum {
    NODE_MADE = 1,     /* its INSERT has arrived; else only named by others */
    NODE_PLACED = 2,   /* in the order: so are all its ancestors */
    NODE_REMOVED = 4,  /* for good */
    NODE_SETTLED = 8,  /* removed, and out of the books */
    NODE_REGISTER = 16 /* SET has touched it: number is the address of a ListRegister */
};

#define LIST_NODE_NONE 0u
#define LIST_NODE_ROOT 1u

typedef struct {
    Dot id;          /* 0: the root */
    uint64_t number; /* as in Value, bytes owned; removed: the dot of a removal */
    uint32_t bytes;
    uint32_t parent;
    uint32_t first_child[2]; /* by ListSide */
    uint32_t next_sibling;   /* by origin, then seq */
    uint32_t next_made;      /* of its origin, by seq */
    uint32_t next_removed;   /* by the same origin; 0 at the end, as everywhere */
    uint8_t kind;            /* ValueKind */
    uint8_t flags;
    uint8_t side;
} ListNode;

static_assert(sizeof(ListNode) == 48, "a node and its two entries in the order are 88 bytes");

/* One SET that no other had observed. */
typedef struct {
    Dot dot;
    int64_t ts;
    uint64_t number;
    uint32_t bytes;
    uint32_t kind;
} ListHead;

typedef struct {
    Clock covered;   /* what the SETs received had observed */
    ListHead *heads; /* the winner first */
    uint32_t count, capacity;
} ListRegister;

/* Chains of nodes; 0: none. */
typedef struct {
    uint32_t first, last;     /* made by the origin, in turn */
    uint32_t oldest;          /* the first of them that is not removed */
    uint32_t gone, gone_last; /* what it removed and is not settled */
    bool unsorted;            /* these came out of turn */
} ListOrigin;

/* Newest DEL of each origin: its clock has observed what the older ones had. */
typedef struct {
    Dot dot[MEMBER_MAX + 1];
    Clock ctx[MEMBER_MAX + 1];
    Clock all; /* their union */
} ListDeletes;

struct CrdtBody {
    ListNode *nodes; /* in the order they became known; entry 2n of the order is node n */
    uint32_t count, capacity;
    uint32_t *table; /* of ids: open addressing, 0 is free */
    uint32_t table_capacity;
    ListOrder order;
    ListOrigin origins[MEMBER_MAX + 1];
    ListDeletes *deletes; /* NULL: none */
    uint32_t removed_count, settled_count;
    int64_t value_bytes;
    int64_t sibling_count;
};

static inline bool list_node_is(const ListNode *node, uint8_t flags)
{
    return (node->flags & flags) == flags;
}

static inline bool list_node_is_visible(const ListNode *node)
{
    return (node->flags & (NODE_PLACED | NODE_REMOVED)) == NODE_PLACED;
}

static inline uint32_t list_entry(uint32_t node)
{
    return node * 2;
}

static inline const ListRegister *list_register(const ListNode *node)
{
    return (const ListRegister *)(uintptr_t)node->number;
}

void list_tree_init(CrdtBody *body);
void list_tree_clear(CrdtBody *body);

uint32_t list_tree_find(const CrdtBody *body, Dot id); /* 0: never heard of */
uint32_t list_tree_name(CrdtBody *body, Dot id);       /* found, or new and empty */

/* Hangs a node that has just been made on parent, and gives it its place in the order if parent has
 * one. */
void list_tree_hang(CrdtBody *body, uint32_t node, uint32_t parent, ListSide side);

/* Called for each node that gets its place: the first time it can be visible (body_list.c). */
void list_node_placed(CrdtBody *body, uint32_t node);

/* Where a new element of index has to hang. */
uint32_t list_tree_anchor(const CrdtBody *body, uint32_t index, ListSide *out_side);

Value list_node_value(const ListNode *node);
