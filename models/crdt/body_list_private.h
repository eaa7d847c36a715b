/* The inside of a list, for models/crdt/body_list*.c alone.
 *
 * crdt/sequence.h knows where elements are, body_list.c what they are worth, body_list_read.c what
 * a command sees and writes.
 */
#pragma once

#include "models/crdt/body_list.h"
#include "models/crdt/sequence.h"

enum { LIST_EDIT_INSERT = 1, LIST_EDIT_SET, LIST_EDIT_REMOVE };

/* INSERT: op, side, parent.  SET: op, id.  REMOVE: op, ids. */

/* A node's value is a Value's number (bytes owned); with this flag, the address of a ListRegister.
 */
enum { NODE_REGISTER = NODE_OWNERS };

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

/* Newest DEL of each origin: its clock has observed what the older ones had. */
typedef struct {
    Dot dot[MEMBER_MAX + 1];
    Clock ctx[MEMBER_MAX + 1];
    Clock all; /* their union */
} ListDeletes;

struct CrdtBody {
    int64_t value_bytes;
    int64_t sibling_count;
    ListDeletes *deletes; /* NULL: none */
    Sequence sequence;
};

static inline SequenceId list_sequence_id(Dot dot)
{
    return (SequenceId){.dot = dot};
}

static inline const ListRegister *list_register(const SequenceNode *node)
{
    return (const ListRegister *)(uintptr_t)node->value;
}

Value list_node_value(const SequenceNode *node);
