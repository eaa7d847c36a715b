/* Why it works: an edit names slots and elements by their ids, never by paths or indexes, and says
 * what to do with what its context had observed; so it means the same wherever and whenever it
 * arrives.  An assignment in place of a visible value hands on that value's place in its object.
 */
#include "models/crdt/json_edit.h"

#include <string.h>

#include "models/crdt/json_state.h"
#include "sim/ensure.h"

static void put_byte(PayloadWriter *out, uint32_t byte)
{
    payload_put_bytes(out, &(uint8_t){(uint8_t)byte}, 1);
}

static void put_count(PayloadWriter *out, uint32_t count)
{
    payload_put_bytes(out, &count, sizeof(count));
}

static void put_id(PayloadWriter *out, JsonId id)
{
    payload_put_bytes(out, &id.dot, sizeof(id.dot));
    payload_put_bytes(out, &id.index, sizeof(id.index));
}

static void put_member(PayloadWriter *out, const JsonContainer *object, PayloadText name)
{
    put_byte(out, JSON_SLOT_MEMBER);
    put_id(out, object->id);
    content_put_key(out, name);
}

static void put_element(PayloadWriter *out, const JsonElement *element)
{
    put_byte(out, JSON_SLOT_ELEMENT);
    put_id(out, element->slot.in->id);
    put_id(out, sequence_id(&element->slot.in->sequence, element->node));
}

static void put_slot(PayloadWriter *out, const JsonSlot *slot)
{
    if (!slot->in)
        put_byte(out, JSON_SLOT_ROOT);
    else if (slot->in->is_array)
        put_element(out, (const JsonElement *)slot);
    else
        put_member(out, slot->in, ((const JsonMember *)slot)->name);
}

void json_edit_assign(const JsonHeld *held, PayloadText content, PayloadWriter *out)
{
    put_byte(out, JSON_OP_ASSIGN);
    put_slot(out, held->slot);
    put_byte(out, 1);
    payload_put_bytes(out, &held->order.ts, sizeof(held->order.ts));
    put_id(out, held->order.id);
    payload_put_bytes(out, content.data, content.bytes);
}

static void assign_key(const JsonHeld *object, PayloadText name, PayloadText content,
                       PayloadWriter *out)
{
    put_byte(out, JSON_OP_ASSIGN);
    put_member(out, object->container, name);
    put_byte(out, 0);
    payload_put_bytes(out, content.data, content.bytes);
}

static void remove_slot(const JsonSlot *slot, PayloadWriter *out)
{
    put_byte(out, JSON_OP_REMOVE);
    put_slot(out, slot);
}

static void assign_head(const JsonHeld *held, const Content *head, PayloadWriter *out)
{
    PayloadWriter content = {0};

    content_put(&content, head);
    json_edit_assign(held, (PayloadText){(const char *)content.data, content.bytes}, out);
    payload_clear(&content);
}

static bool is_too_deep(const JsonHeld *parent, PayloadText content)
{
    uint32_t above = parent ? json_view_depth(parent) + 1 : 0;

    return above + content_depth(content) > JSON_NESTING_MAX + 1;
}

/* The value becomes that of a key that is not there yet. */
static JsonEditResult set_new_key(const CrdtBody *body, const JsonPath *path, PayloadText content,
                                  PayloadWriter *out)
{
    const JsonHeld *parent;
    PayloadText name;

    if (!json_path_is_static(path))
        return JSON_EDIT_NOT_STATIC;
    parent = json_path_find_parent(path, json_view_root(body), &name);
    if (!name.data)
        return JSON_EDIT_NO_INDEX;
    if (!parent || json_view_head(parent).kind != CONTENT_OBJECT)
        return JSON_EDIT_NOTHING;
    if (is_too_deep(parent, content))
        return JSON_EDIT_TOO_DEEP;
    assign_key(parent, name, content, out);
    return JSON_EDIT_DONE;
}

static bool is_inside(GHashTable *ids, const JsonHeld *held)
{
    while ((held = json_view_parent(held)))
        if (g_hash_table_contains(ids, &held->id))
            return true;
    return false;
}

/* What path names, without those that are inside others it names. */
static void find_outermost(const CrdtBody *body, const JsonPath *path, GPtrArray *out)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(json_id_hash, json_id_hash_equal);
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    json_path_find(path, json_view_root(body), found);
    for (uint32_t i = 0; i < found->len; i++)
        g_hash_table_add(ids, &((JsonHeld *)g_ptr_array_index(found, i))->id);
    for (uint32_t i = 0; i < found->len; i++)
        if (!is_inside(ids, g_ptr_array_index(found, i)))
            g_ptr_array_add(out, g_ptr_array_index(found, i));
}

void json_edit_create(PayloadText content, PayloadWriter *out)
{
    put_byte(out, JSON_OP_ASSIGN);
    put_byte(out, JSON_SLOT_ROOT);
    put_byte(out, 0);
    payload_put_bytes(out, content.data, content.bytes);
}

static JsonEditResult set_first(const JsonPath *path, PayloadText content, PayloadWriter *out)
{
    if (!json_path_is_root(path))
        return JSON_EDIT_NOT_ROOT;
    json_edit_create(content, out);
    return JSON_EDIT_DONE;
}

JsonEditResult json_edit_set(const CrdtBody *body, const JsonPath *path, PayloadText content,
                             JsonSetMode mode, PayloadWriter *out)
{
    const JsonHeld *root = json_view_root(body);
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    if (!root && mode == JSON_SET_OLD)
        return JSON_EDIT_NOTHING;
    if (is_too_deep(NULL, content))
        return JSON_EDIT_TOO_DEEP;
    if (!root)
        return set_first(path, content, out);
    json_path_find(path, root, found);
    if (found->len == 0)
        return mode == JSON_SET_OLD ? JSON_EDIT_NOTHING : set_new_key(body, path, content, out);
    if (mode == JSON_SET_NEW)
        return JSON_EDIT_NOTHING;
    for (uint32_t i = 0; i < found->len; i++) {
        const JsonHeld *held = g_ptr_array_index(found, i);

        if (is_too_deep(json_view_parent(held), content))
            return JSON_EDIT_TOO_DEEP;
        json_edit_assign(held, content, out);
    }
    return JSON_EDIT_DONE;
}

/* Copies the value at the cursor without the keys whose value is null (as RFC 7396 builds a value
 * that was not there); arrays are taken as they are. */
static void strip(PayloadText content, uint32_t *cursor, PayloadWriter *out)
{
    uint32_t first = *cursor, head_at = out->bytes;
    Content head = content_read(content, cursor);
    uint32_t count = head.count;

    if (head.kind != CONTENT_OBJECT) {
        *cursor = first;
        content_skip(content, cursor);
        payload_put_bytes(out, content.data + first, *cursor - first);
        return;
    }
    content_put(out, &head);
    for (uint32_t i = 0; i < count; i++) {
        PayloadText key = content_read_key(content, cursor);
        uint32_t peek = *cursor;

        if (content_read(content, &peek).kind == CONTENT_NULL) {
            *cursor = peek;
            head.count--;
            continue;
        }
        content_put_key(out, key);
        strip(content, cursor, out);
    }
    memcpy(out->data + head_at + 1, &head.count, sizeof(head.count));
}

/* name: a new key of held; data NULL: in place of held. */
static void assign_stripped(const JsonHeld *held, PayloadText name, PayloadText content,
                            PayloadWriter *out)
{
    PayloadWriter stripped = {0};
    uint32_t cursor = 0;
    PayloadText text;

    strip(content, &cursor, &stripped);
    text = (PayloadText){(const char *)stripped.data, stripped.bytes};
    if (name.data)
        assign_key(held, name, text, out);
    else
        json_edit_assign(held, text, out);
    payload_clear(&stripped);
}

/* The value at the cursor merged into held. */
static void merge_into(const JsonHeld *held, PayloadText content, uint32_t *cursor,
                       PayloadWriter *out)
{
    uint32_t first = *cursor;
    Content head = content_read(content, cursor);

    if (head.kind == CONTENT_NULL && held->slot->in) {
        remove_slot(held->slot, out);
        return;
    }
    if (head.kind != CONTENT_OBJECT || json_view_head(held).kind != CONTENT_OBJECT) {
        *cursor = first;
        content_skip(content, cursor);
        assign_stripped(held, (PayloadText){0},
                        (PayloadText){content.data + first, *cursor - first}, out);
        return;
    }
    for (uint32_t i = 0; i < head.count; i++) {
        PayloadText key = content_read_key(content, cursor);
        const JsonHeld *child = json_view_member(held, key);
        uint32_t value_at = *cursor;

        if (child) {
            merge_into(child, content, cursor, out);
            continue;
        }
        content_skip(content, cursor);
        if (content_read(content, &(uint32_t){value_at}).kind != CONTENT_NULL)
            assign_stripped(held, key, (PayloadText){content.data + value_at, *cursor - value_at},
                            out);
    }
}

JsonEditResult json_edit_merge(const CrdtBody *body, const JsonPath *path, PayloadText content,
                               PayloadWriter *out, bool *out_deletes_root)
{
    const JsonHeld *root = json_view_root(body);
    bool is_null = content_read(content, &(uint32_t){0}).kind == CONTENT_NULL;
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    *out_deletes_root = root && is_null && json_path_is_root(path);
    if (*out_deletes_root)
        return JSON_EDIT_DONE;
    if (is_too_deep(NULL, content))
        return JSON_EDIT_TOO_DEEP;
    if (!root)
        return set_first(path, content, out);
    find_outermost(body, path, found);
    if (found->len == 0)
        return is_null ? JSON_EDIT_NOTHING : set_new_key(body, path, content, out);
    for (uint32_t i = 0; i < found->len; i++) {
        const JsonHeld *held = g_ptr_array_index(found, i);
        uint32_t cursor = 0;

        if (is_too_deep(json_view_parent(held), content))
            return JSON_EDIT_TOO_DEEP;
        merge_into(held, content, &cursor, out);
    }
    return JSON_EDIT_DONE;
}

uint32_t json_edit_del(const CrdtBody *body, const JsonPath *path, PayloadWriter *out,
                       bool *out_deletes_root)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    *out_deletes_root = json_view_root(body) && json_path_is_root(path);
    if (*out_deletes_root)
        return 1;
    find_outermost(body, path, found);
    for (uint32_t i = 0; i < found->len; i++)
        remove_slot(((const JsonHeld *)g_ptr_array_index(found, i))->slot, out);
    return found->len;
}

static bool clear(const JsonHeld *held, PayloadWriter *out)
{
    Content head = json_view_head(held);
    g_autoptr(GPtrArray) children = NULL;

    if ((head.kind == CONTENT_INTEGER && head.integer != 0) ||
        (head.kind == CONTENT_DOUBLE && head.real != 0)) {
        assign_head(held, &(Content){.kind = CONTENT_INTEGER}, out);
        return true;
    }
    if ((head.kind != CONTENT_ARRAY && head.kind != CONTENT_OBJECT) || head.count == 0)
        return false;
    children = g_ptr_array_new();
    json_view_children(held, children);
    for (uint32_t i = 0; i < children->len; i++)
        remove_slot(((const JsonHeld *)g_ptr_array_index(children, i))->slot, out);
    return true;
}

uint32_t json_edit_clear(const CrdtBody *body, const JsonPath *path, PayloadWriter *out)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    uint32_t count = 0;

    find_outermost(body, path, found);
    for (uint32_t i = 0; i < found->len; i++)
        count += clear(g_ptr_array_index(found, i), out);
    return count;
}

static double as_double(const Content *number)
{
    return number->kind == CONTENT_INTEGER ? (double)number->integer : number->real;
}

bool json_edit_number(const JsonHeld *held, const Content *by, bool is_product, PayloadWriter *out,
                      Content *out_result)
{
    Content now = json_view_head(held), result = {.kind = CONTENT_INTEGER};
    bool overflows = true;

    ensure(now.kind == CONTENT_INTEGER || now.kind == CONTENT_DOUBLE);
    if (now.kind == CONTENT_INTEGER && by->kind == CONTENT_INTEGER)
        overflows = is_product ? __builtin_mul_overflow(now.integer, by->integer, &result.integer)
                               : __builtin_add_overflow(now.integer, by->integer, &result.integer);
    if (overflows) {
        double a = as_double(&now), b = as_double(by);

        result = (Content){.kind = CONTENT_DOUBLE, .real = is_product ? a * b : a + b};
        if (result.real - result.real != 0)
            return false;
    }
    assign_head(held, &result, out);
    *out_result = result;
    return true;
}

bool json_edit_append_text(const JsonHeld *held, PayloadText text, PayloadWriter *out,
                           uint32_t *out_bytes)
{
    Content head = json_view_head(held);
    g_autoptr(GString) whole = NULL;

    if (head.kind != CONTENT_TEXT)
        return false;
    whole = g_string_new_len(head.text.data, head.text.bytes);
    g_string_append_len(whole, text.data, text.bytes);
    head.text = (PayloadText){whole->str, (uint32_t)whole->len};
    assign_head(held, &head, out);
    *out_bytes = head.text.bytes;
    return true;
}

bool json_edit_toggle(const JsonHeld *held, PayloadWriter *out, bool *out_now)
{
    Content head = json_view_head(held);

    if (head.kind != CONTENT_BOOL)
        return false;
    head.truth = !head.truth;
    assign_head(held, &head, out);
    *out_now = head.truth;
    return true;
}

JsonEditResult json_edit_insert(const JsonHeld *array, uint32_t index, uint32_t count,
                                PayloadText contents, PayloadWriter *out)
{
    const Sequence *sequence = &array->container->sequence;
    uint32_t parent;
    SequenceSide side;

    for (uint32_t i = 0, cursor = 0; i < count; i++) {
        uint32_t first = cursor;

        content_skip(contents, &cursor);
        if (is_too_deep(array, (PayloadText){contents.data + first, cursor - first}))
            return JSON_EDIT_TOO_DEEP;
    }
    ensure(index <= json_view_head(array).count);
    parent = sequence_anchor(sequence, index, &side);
    put_byte(out, JSON_OP_INSERT);
    put_id(out, array->container->id);
    put_id(out, sequence_id(sequence, parent));
    put_byte(out, side);
    put_count(out, count);
    payload_put_bytes(out, contents.data, contents.bytes);
    return JSON_EDIT_DONE;
}

void json_edit_remove_elements(const JsonHeld *array, uint32_t from, uint32_t to,
                               PayloadWriter *out)
{
    for (; from < to; from++)
        remove_slot(json_view_at(array, from)->slot, out);
}
