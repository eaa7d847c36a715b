/* Why it works: a command speaks of indexes, an edit of ids and places.  The order answers one from
 * the other in O(log n); a cursor steps to the neighbour without asking for its index again. */
#include "models/crdt/body_list_private.h"

#include <string.h>

#include "sim/ensure.h"

uint32_t list_count(const CrdtBody *body)
{
    return body == NULL ? 0 : sequence_count(&body->sequence);
}

static const SequenceNode *node_at(const CrdtBody *body, uint32_t index)
{
    return &body->sequence.nodes[sequence_at(&body->sequence, index)];
}

Value list_at(const CrdtBody *body, uint32_t index)
{
    return list_node_value(node_at(body, index));
}

Dot list_id_at(const CrdtBody *body, uint32_t index)
{
    return node_at(body, index)->dot;
}

ListCursor list_cursor(const CrdtBody *body, uint32_t index)
{
    ListCursor cursor = {.body = body, .index = index};

    if (body != NULL)
        cursor.at = sequence_cursor(&body->sequence, index);
    return cursor;
}

bool list_cursor_is_valid(const ListCursor *cursor)
{
    return cursor->at.node != SEQUENCE_NONE;
}

void list_cursor_forward(ListCursor *cursor)
{
    ensure(list_cursor_is_valid(cursor));
    sequence_cursor_forward(&cursor->body->sequence, &cursor->at);
    cursor->index++;
}

void list_cursor_back(ListCursor *cursor)
{
    ensure(list_cursor_is_valid(cursor));
    sequence_cursor_back(&cursor->body->sequence, &cursor->at);
    cursor->index--;
}

Value list_cursor_value(const ListCursor *cursor)
{
    ensure(list_cursor_is_valid(cursor));
    return list_node_value(&cursor->body->sequence.nodes[cursor->at.node]);
}

Dot list_cursor_id(const ListCursor *cursor)
{
    ensure(list_cursor_is_valid(cursor));
    return cursor->body->sequence.nodes[cursor->at.node].dot;
}

bool list_values_equal(const Value *a, const Value *b)
{
    if (a->kind != b->kind || a->bytes != b->bytes)
        return false;
    if (a->kind != VALUE_BYTES)
        return a->number == b->number;
    return a->bytes == 0 || memcmp(a->data, b->data, a->bytes) == 0;
}

bool list_find(ListCursor *cursor, ListDirection direction, const Value *value)
{
    while (list_cursor_is_valid(cursor)) {
        Value here = list_cursor_value(cursor);

        if (list_values_equal(&here, value))
            return true;
        if (direction == LIST_FORWARD)
            list_cursor_forward(cursor);
        else
            list_cursor_back(cursor);
    }
    return false;
}

static void put_dot(PayloadWriter *edit, Dot dot)
{
    payload_put_bytes(edit, &dot, sizeof(dot));
}

void list_edit_insert(const CrdtBody *body, uint32_t index, PayloadWriter *edit)
{
    SequenceSide side = SIDE_RIGHT;
    Dot parent = 0;
    uint8_t head[2];

    ensure(index <= list_count(body));
    if (body != NULL)
        parent = body->sequence.nodes[sequence_anchor(&body->sequence, index, &side)].dot;
    head[0] = LIST_EDIT_INSERT;
    head[1] = (uint8_t)side;
    payload_put_bytes(edit, head, sizeof(head));
    put_dot(edit, parent);
}

void list_edit_set(const CrdtBody *body, uint32_t index, PayloadWriter *edit)
{
    const uint8_t op = LIST_EDIT_SET;

    payload_put_bytes(edit, &op, 1);
    put_dot(edit, list_id_at(body, index));
}

Dot list_edit_set_of(PayloadText edit)
{
    Dot id = 0;

    if (edit.bytes == 1 + sizeof(id) && edit.data[0] == LIST_EDIT_SET)
        memcpy(&id, edit.data + 1, sizeof(id));
    return id;
}

void list_edit_remove_begin(PayloadWriter *edit)
{
    const uint8_t op = LIST_EDIT_REMOVE;

    payload_put_bytes(edit, &op, 1);
}

void list_edit_remove_id(Dot id, PayloadWriter *edit)
{
    put_dot(edit, id);
}

void list_edit_remove(const CrdtBody *body, uint32_t from, uint32_t count, PayloadWriter *edit)
{
    ListCursor cursor = list_cursor(body, from);

    ensure(count <= list_count(body) - from);
    list_edit_remove_begin(edit);
    for (uint32_t i = 0; i < count; i++) {
        list_edit_remove_id(list_cursor_id(&cursor), edit);
        list_cursor_forward(&cursor);
    }
}
