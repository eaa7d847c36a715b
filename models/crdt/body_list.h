/* List: a sequence whose elements have places of their own (crdt-semantics.md 5).
 *
 * Every element is a node of the Fugue tree (Weidner and Kleppmann 2023): the dot of the effect
 * that made it, the node it hangs on, and the side.  That place never changes, siblings have a
 * total order, so the order of the list is a function of which elements were ever made.
 *
 *     effects:  INSERT(parent, side, value) | SET(id, value) | REMOVE(ids) | DEL of the key
 *     visible = made, its ancestors too, in no REMOVE received, not observed by a DEL received
 *     value   = the greatest (ts, then lower member) of INSERT and SETs no SET received had
 * observed
 *
 * A removal wins over a SET it had not seen.  An element whose parent has not arrived waits for it.
 *
 * What was removed leaves the books when every linked member has observed it; its node (56
 * bytes, about 17 to 29 in the order and 8 in the table of ids, as for a live element) is free when
 * all members have retired it (crdt/sequence.h).
 *
 * Simplified: the books do not count what is retired and not dropped yet.  SETs that were observed
 * by all stay siblings until another SET covers them.
 */
#pragma once

#include "models/crdt/body.h"
#include "models/crdt/sequence.h"

extern const BodyRule body_list;

/* Readers take NULL for a list that is not there.  Indexes are of visible elements, from 0. */
uint32_t list_count(const CrdtBody *body);

Value list_at(const CrdtBody *body, uint32_t index); /* data borrowed until the next change */
Dot list_id_at(const CrdtBody *body, uint32_t index);

/* One visible element; a change of the list ends it. */
typedef struct {
    const CrdtBody *body;
    uint32_t index;
    SequenceCursor at;
} ListCursor;

ListCursor list_cursor(const CrdtBody *body, uint32_t index); /* past the end where index is */
bool list_cursor_is_valid(const ListCursor *cursor);
void list_cursor_forward(ListCursor *cursor);
void list_cursor_back(ListCursor *cursor);
Value list_cursor_value(const ListCursor *cursor);
Dot list_cursor_id(const ListCursor *cursor);

typedef enum { LIST_FORWARD, LIST_BACK } ListDirection;

/* From the cursor's element on, it included; false: none, and the cursor is past the end. */
bool list_find(ListCursor *cursor, ListDirection direction, const Value *value);

/* Bytes alike; synthetic values by size and token. */
bool list_values_equal(const Value *a, const Value *b);

/* The edits, appended to edit.  The value of an INSERT or SET goes with its effect. */
void list_edit_insert(const CrdtBody *body, uint32_t index, PayloadWriter *edit); /* 0 to count */
void list_edit_set(const CrdtBody *body, uint32_t index, PayloadWriter *edit);
Dot list_edit_set_of(PayloadText edit); /* the element a SET is about; 0: it is another edit */

/* Elements [from, from + count): what LPOP, RPOP and LTRIM take away. */
void list_edit_remove(const CrdtBody *body, uint32_t from, uint32_t count, PayloadWriter *edit);

/* One by one, for LREM: begin, then the ids; each once. */
void list_edit_remove_begin(PayloadWriter *edit);
void list_edit_remove_id(Dot id, PayloadWriter *edit);
