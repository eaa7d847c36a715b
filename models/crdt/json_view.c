/* Why it works: the first assignment of a slot is the visible one, and a child whose slot holds
 * none is not there.  Elements that are not in the walk yet, or removed, are not counted by it.
 */
#include "models/crdt/json_view.h"

#include "models/crdt/json_state.h"
#include "sim/ensure.h"

const JsonHeld *json_view_root(const CrdtBody *body)
{
    return body ? body->root.held : NULL;
}

Content json_view_head(const JsonHeld *held)
{
    Content head = held->value;

    if (head.kind == CONTENT_ARRAY)
        head.count = sequence_count(&held->container->sequence);
    else if (head.kind == CONTENT_OBJECT)
        head.count = held->container->member_count;
    return head;
}

const JsonHeld *json_view_parent(const JsonHeld *held)
{
    return held->slot->in ? held->slot->in->owner : NULL;
}

PayloadText json_view_name(const JsonHeld *held)
{
    if (!held->slot->in || held->slot->in->is_array)
        return (PayloadText){0};
    return ((const JsonMember *)held->slot)->name;
}

uint32_t json_view_depth(const JsonHeld *held)
{
    uint32_t depth = 0;

    while ((held = json_view_parent(held)))
        depth++;
    return depth;
}

const JsonHeld *json_view_member(const JsonHeld *object, PayloadText name)
{
    const JsonMember *member = json_member_find(object->container, name);

    return member ? member->slot.held : NULL;
}

const JsonHeld *json_view_at(const JsonHeld *array, uint32_t index)
{
    const JsonContainer *container = array->container;

    return json_element_at(container, sequence_at(&container->sequence, index))->slot.held;
}

static int place_compare(const void *a, const void *b)
{
    const JsonHeld *p = *(const JsonHeld *const *)a, *q = *(const JsonHeld *const *)b;

    if (p->order.ts.ms != q->order.ts.ms)
        return p->order.ts.ms < q->order.ts.ms ? -1 : 1;
    return sequence_id_compare(p->order.id, q->order.id);
}

void json_view_children(const JsonHeld *held, GPtrArray *out)
{
    const JsonContainer *container = held->container;
    uint32_t first = out->len;

    if (held->value.kind == CONTENT_ARRAY) {
        SequenceCursor at = sequence_cursor(&container->sequence, 0);

        for (; at.node != SEQUENCE_NONE; sequence_cursor_forward(&container->sequence, &at))
            g_ptr_array_add(out, json_element_at(container, at.node)->slot.held);
    } else if (held->value.kind == CONTENT_OBJECT) {
        for (GTreeNode *at = g_tree_node_first(container->members); at; at = g_tree_node_next(at)) {
            const JsonMember *member = g_tree_node_value(at);

            if (member->slot.held)
                g_ptr_array_add(out, member->slot.held);
        }
        if (out->len > first)
            qsort(out->pdata + first, out->len - first, sizeof(*out->pdata), place_compare);
    }
}

void json_style_break(const JsonStyle *style, uint32_t level, GString *out)
{
    if (!style)
        return;
    g_string_append_len(out, style->newline.data, style->newline.bytes);
    for (uint32_t i = 0; i < level; i++)
        g_string_append_len(out, style->indent.data, style->indent.bytes);
}

void json_view_print(const JsonHeld *held, const JsonStyle *style, uint32_t level, GString *out)
{
    bool is_object = held->value.kind == CONTENT_OBJECT;
    g_autoptr(GPtrArray) children = NULL;

    if (!held->container) {
        content_print_scalar(&held->value, out);
        return;
    }
    children = g_ptr_array_new();
    json_view_children(held, children);
    g_string_append_c(out, is_object ? '{' : '[');
    for (uint32_t i = 0; i < children->len; i++) {
        const JsonHeld *child = g_ptr_array_index(children, i);

        if (i > 0)
            g_string_append_c(out, ',');
        json_style_break(style, level + 1, out);
        if (is_object) {
            content_print_text(json_view_name(child), out);
            g_string_append_c(out, ':');
            if (style)
                g_string_append_len(out, style->space.data, style->space.bytes);
        }
        json_view_print(child, style, level + 1, out);
    }
    if (children->len > 0)
        json_style_break(style, level, out);
    g_string_append_c(out, is_object ? '}' : ']');
}

void json_view_write(const JsonHeld *held, PayloadWriter *out)
{
    Content head = json_view_head(held);
    g_autoptr(GPtrArray) children = g_ptr_array_new();

    content_put(out, &head);
    json_view_children(held, children);
    for (uint32_t i = 0; i < children->len; i++) {
        const JsonHeld *child = g_ptr_array_index(children, i);

        if (head.kind == CONTENT_OBJECT)
            content_put_key(out, json_view_name(child));
        json_view_write(child, out);
    }
}

static bool is_scalar_equal(const Content *a, const Content *b)
{
    switch (a->kind) {
    case CONTENT_NULL:
        return true;
    case CONTENT_BOOL:
        return a->truth == b->truth;
    case CONTENT_INTEGER:
        return a->integer == b->integer;
    case CONTENT_DOUBLE:
        return a->real == b->real;
    case CONTENT_TEXT:
        return payload_text_is_equal(a->text, b->text);
    case CONTENT_OPAQUE:
        return a->token == b->token && a->count == b->count;
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        break;
    }
    return false;
}

static bool is_equal(const JsonHeld *held, PayloadText content, uint32_t *cursor)
{
    Content head = content_read(content, cursor), own = json_view_head(held);

    if (own.kind != head.kind)
        return false;
    if (!held->container)
        return is_scalar_equal(&own, &head);
    if (own.count != head.count)
        return false;
    for (uint32_t i = 0; i < head.count; i++) {
        const JsonHeld *child;

        if (head.kind == CONTENT_ARRAY)
            child = json_view_at(held, i);
        else
            child = json_view_member(held, content_read_key(content, cursor));
        if (!child || !is_equal(child, content, cursor))
            return false;
    }
    return true;
}

bool json_view_is_equal(const JsonHeld *held, PayloadText content)
{
    uint32_t cursor = 0;

    return is_equal(held, content, &cursor);
}
