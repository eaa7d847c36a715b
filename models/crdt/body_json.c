/* Why it works: an assignment or removal covers what its origin had observed of the slot, told by
 * the clock it carries; where that clock is ahead of ours, the slot remembers it until all have
 * caught up.  What hangs below a covered assignment is unreachable for good: an edit that names a
 * container we no longer have, although its dot has arrived, is dead and dropped; one whose
 * container has not arrived waits in an orphan.  Removing an element is by its id and for ever.
 */
#include "models/crdt/body_json.h"

#include <string.h>

#include "models/crdt/json_state.h"
#include "sim/ensure.h"

typedef struct {
    CrdtBody *body;
    const BodyEffect *in;
    uint32_t cursor; /* in the edit */
    uint32_t index;  /* of the next value */
    bool is_ahead;   /* the context names effects that have not arrived */
} Apply;

static CrdtBody *body_create(void)
{
    CrdtBody *body = g_new0(CrdtBody, 1);

    body->orphans = g_ptr_array_new();
    body->graves = g_ptr_array_new();
    body->aheads = g_ptr_array_new();
    return body;
}

static void body_destroy(CrdtBody *body)
{
    json_slot_clear(body, &body->root);
    while (body->orphans->len > 0) {
        const JsonContainer *orphan = g_ptr_array_index(body->orphans, 0);

        json_orphan_drop(body, orphan->id);
    }
    g_clear_pointer(&body->containers, g_hash_table_destroy);
    g_ptr_array_free(body->orphans, TRUE);
    g_ptr_array_free(body->graves, TRUE);
    g_ptr_array_free(body->aheads, TRUE);
    g_free(body);
}

/* Simplified: a document from the start is one synthetic value, without keys or elements. */
static void body_fill(CrdtBody *body, uint32_t element_count, uint32_t value_bytes)
{
    JsonId id = {DOT_GENESIS, 0};
    JsonOrder order = {{0}, id};
    Content value = {.kind = CONTENT_OPAQUE, .count = value_bytes};

    (void)element_count;
    json_slot_add(body, &body->root, json_held_new(id, &order, &value));
}

static void take(Apply *a, void *out, uint32_t size)
{
    ensure(size <= a->in->edit.bytes && a->cursor <= a->in->edit.bytes - size);
    memcpy(out, a->in->edit.data + a->cursor, size);
    a->cursor += size;
}

static uint8_t take_byte(Apply *a)
{
    uint8_t byte;

    take(a, &byte, 1);
    return byte;
}

static uint32_t take_count(Apply *a)
{
    uint32_t count;

    take(a, &count, sizeof(count));
    return count;
}

static JsonId take_id(Apply *a)
{
    JsonId id = {0};

    take(a, &id.dot, sizeof(id.dot));
    take(a, &id.index, sizeof(id.index));
    return id;
}

/* It has arrived: what of it is not here any more is gone. */
static bool is_known(const Apply *a, Dot dot)
{
    return dot == a->in->effect->dot || clock_covers(&a->in->causality->clock, dot);
}

/* NULL: dead. */
static JsonContainer *container_for(const Apply *a, JsonId id, bool is_array)
{
    JsonContainer *container = json_container_find(a->body, id);

    if (!container && !is_known(a, id.dot))
        container = json_container_make(a->body, id, is_array);
    ensure(!container || container->is_array == is_array);
    return container;
}

/* The node of an element; SEQUENCE_NONE: dropped. */
static uint32_t node_for(const Apply *a, JsonContainer *array, JsonId id)
{
    return sequence_name(&array->sequence, &a->in->causality->clock, id);
}

/* The slot named at the cursor; NULL: dead.  A removal of an element goes by its node. */
static JsonSlot *take_slot(Apply *a, bool removes)
{
    JsonSlotKind kind = (JsonSlotKind)take_byte(a);
    JsonContainer *container;
    JsonElement *element;
    uint32_t node;
    JsonId id;

    if (kind == JSON_SLOT_ROOT)
        return &a->body->root;
    container = container_for(a, take_id(a), kind == JSON_SLOT_ELEMENT);
    if (kind == JSON_SLOT_MEMBER) {
        PayloadText name = content_read_key(a->in->edit, &a->cursor);

        return container ? &json_member_make(container, name)->slot : NULL;
    }
    id = take_id(a);
    node = container ? node_for(a, container, id) : SEQUENCE_NONE;
    if (node == SEQUENCE_NONE)
        return NULL;
    if (removes) {
        json_element_remove(a->body, container, node, a->in->effect->dot);
        return NULL;
    }
    element = json_element_make(container, node);
    return element ? &element->slot : NULL;
}

static void cover(const Apply *a, JsonSlot *slot)
{
    json_slot_cover(a->body, slot, &a->in->effect->ctx);
    if (a->is_ahead)
        json_slot_remember(a->body, slot, &a->in->effect->ctx);
}

static void assign(Apply *a, JsonSlot *slot, const JsonOrder *order);

/* Gives the array the value at the cursor as an element that hangs on parent; returns its node. */
static uint32_t insert(Apply *a, JsonContainer *array, uint32_t parent, SequenceSide side)
{
    uint32_t node = node_for(a, array, (JsonId){a->in->effect->dot, a->index});
    JsonElement *element;

    ensure(node != SEQUENCE_NONE && parent != SEQUENCE_NONE);
    if (!sequence_node_is(&array->sequence.nodes[node], NODE_MADE))
        sequence_hang(&array->sequence, node, parent, side, NULL);
    element = json_element_make(array, node);
    assign(a, element ? &element->slot : NULL, NULL);
    return node;
}

static void fill(Apply *a, JsonHeld *held)
{
    JsonContainer *container = json_container_find(a->body, held->id);
    bool is_array = held->value.kind == CONTENT_ARRAY;
    uint32_t last = SEQUENCE_ROOT;

    if (!container)
        container = json_container_make(a->body, held->id, is_array);
    ensure(container->is_array == is_array);
    json_container_adopt(a->body, container, held);
    for (uint32_t i = 0; i < held->value.count; i++) {
        if (is_array) {
            last = insert(a, container, last, SIDE_RIGHT);
        } else {
            PayloadText name = content_read_key(a->in->edit, &a->cursor);
            JsonSlot *slot = &json_member_make(container, name)->slot;

            assign(a, slot, NULL);
            json_slot_tidy(slot);
        }
    }
}

/* Passes the value at the cursor by, and with it what came early for its containers. */
static void skip(Apply *a)
{
    uint32_t end = a->index + content_skip(a->in->edit, &a->cursor);

    for (; a->index < end; a->index++)
        if (a->body->orphans->len > 0)
            json_orphan_drop(a->body, (JsonId){a->in->effect->dot, a->index});
}

/* Puts the value at the cursor into slot, unless that is dead (NULL) or the value covered already.
 * order NULL: a new place. */
static void assign(Apply *a, JsonSlot *slot, const JsonOrder *order)
{
    const Effect *effect = a->in->effect;
    JsonId id = {effect->dot, a->index};
    JsonOrder own = {effect->ts, id};
    Content value;
    JsonHeld *held;

    if (!slot || (slot->ahead && clock_covers(&slot->ahead->clock, id.dot))) {
        skip(a);
        return;
    }
    a->index++;
    value = content_read(a->in->edit, &a->cursor);
    held = json_held_new(id, order ? order : &own, &value);
    json_slot_add(a->body, slot, held);
    if (value.kind == CONTENT_ARRAY || value.kind == CONTENT_OBJECT)
        fill(a, held);
}

static void apply_assign(Apply *a)
{
    JsonSlot *slot = take_slot(a, false);
    JsonOrder order = {0};
    bool has_order = take_byte(a) != 0;

    if (has_order) {
        take(a, &order.ts, sizeof(order.ts));
        order.id = take_id(a);
    }
    if (slot)
        cover(a, slot);
    assign(a, slot, has_order ? &order : NULL);
    if (slot)
        json_slot_tidy(slot);
}

static void apply_remove(Apply *a)
{
    JsonSlot *slot = take_slot(a, true);

    if (!slot)
        return;
    cover(a, slot);
    json_slot_tidy(slot);
}

static void apply_insert(Apply *a)
{
    JsonContainer *array = container_for(a, take_id(a), true);
    JsonId parent_id = take_id(a);
    SequenceSide side = (SequenceSide)take_byte(a);
    uint32_t count = take_count(a);
    uint32_t parent = array ? node_for(a, array, parent_id) : SEQUENCE_NONE;

    for (; count > 0; count--) {
        if (array)
            parent = insert(a, array, parent, side);
        else
            assign(a, NULL, NULL);
        side = SIDE_RIGHT;
    }
}

static void apply_edit(Apply *a)
{
    while (a->cursor < a->in->edit.bytes)
        switch ((JsonOp)take_byte(a)) {
        case JSON_OP_ASSIGN:
            apply_assign(a);
            break;
        case JSON_OP_REMOVE:
            apply_remove(a);
            break;
        case JSON_OP_INSERT:
            apply_insert(a);
            break;
        }
}

static void body_apply(CrdtBody *body, const BodyEffect *in)
{
    Apply a = {.body = body,
               .in = in,
               .is_ahead = causality_is_ctx_ahead(in->causality, &in->effect->ctx)};

    if (in->effect->op == EFFECT_DELETE) {
        cover(&a, &body->root);
        return;
    }
    ensure(in->effect->op == EFFECT_EDIT);
    apply_edit(&a);
}

static bool body_is_present(const CrdtBody *body)
{
    return body->root.held != NULL;
}

static bool body_is_empty(CrdtBody *body, const Causality *causality)
{
    if (body->root.held || body->orphans->len > 0)
        return false;
    if (!body->root.ahead)
        return true;
    if (causality_is_ctx_ahead(causality, &body->root.ahead->clock))
        return false;
    json_slot_forget(body, &body->root);
    return true;
}

static BodySummary body_summary(const CrdtBody *body)
{
    return body->summary;
}

static bool is_covered_by(const Clock *clock, const Clock *stable)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (clock->seq[i] > stable->seq[i])
            return false;
    return true;
}

static void body_collect(CrdtBody *body, const Clock *stable)
{
    for (uint32_t i = body->aheads->len; i > 0; i--) {
        JsonAhead *ahead = g_ptr_array_index(body->aheads, i - 1);
        JsonSlot *slot = ahead->slot;

        if (is_covered_by(&ahead->clock, stable)) {
            json_slot_forget(body, slot);
            json_slot_tidy(slot);
        }
    }
    for (uint32_t i = 0; i < body->graves->len; i++) {
        JsonContainer *array = g_ptr_array_index(body->graves, i);
        int64_t begun = json_array_begin(array);

        sequence_retire(&array->sequence, stable);
        json_array_end(body, array, begun);
    }
}

static bool body_drop(CrdtBody *body, const Clock *retired_by_all)
{
    bool has_retired = false;

    /* Those without anything removed are replaced by later ones. */
    for (uint32_t i = body->graves->len; i > 0; i--) {
        JsonContainer *array = g_ptr_array_index(body->graves, i - 1);
        int64_t begun = json_array_begin(array);

        if (retired_by_all)
            sequence_drop(&array->sequence, retired_by_all);
        has_retired |= array->sequence.retired_count > 0;
        json_array_end(body, array, begun);
    }
    return has_retired;
}

/* Presence hangs on the root alone, so it is the root's assignments that count. */
static uint64_t body_oldest_rank(const CrdtBody *body)
{
    const JsonHeld *held = body->root.held;

    if (!held)
        return UINT64_MAX;
    return (uint64_t)dot_member(held->id.dot) << 60 | dot_seq(held->id.dot);
}

static void digest_slot(const JsonSlot *slot, Digest *digest);

static void digest_container(const JsonContainer *container, Digest *digest)
{
    if (container->is_array) {
        const Sequence *sequence = &container->sequence;
        SequenceCursor at = sequence_cursor(sequence, 0);

        digest_u64(digest, sequence_count(sequence));
        for (; at.node != SEQUENCE_NONE; sequence_cursor_forward(sequence, &at)) {
            digest_u64(digest, sequence->nodes[at.node].dot);
            digest_u64(digest, sequence->nodes[at.node].index);
            digest_slot(&json_element_at(container, at.node)->slot, digest);
        }
        return;
    }
    digest_u64(digest, container->member_count);
    for (GTreeNode *at = g_tree_node_first(container->members); at; at = g_tree_node_next(at)) {
        const JsonMember *member = g_tree_node_value(at);

        if (!member->slot.held)
            continue;
        digest_bytes(digest, member->name.data, member->name.bytes);
        digest_u64(digest, member->name.bytes);
        digest_slot(&member->slot, digest);
    }
}

static void digest_value(const JsonHeld *held, Digest *digest)
{
    const Content *value = &held->value;
    uint64_t bits = 0;

    switch (value->kind) {
    case CONTENT_NULL:
        break;
    case CONTENT_BOOL:
        bits = value->truth;
        break;
    case CONTENT_INTEGER:
    case CONTENT_OPAQUE:
        bits = value->token;
        break;
    case CONTENT_DOUBLE:
        memcpy(&bits, &value->real, sizeof(bits));
        break;
    case CONTENT_TEXT:
        digest_bytes(digest, value->text.data, value->text.bytes);
        bits = value->text.bytes;
        break;
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        digest_container(held->container, digest);
        break;
    }
    digest_u64(digest, bits);
}

static void digest_slot(const JsonSlot *slot, Digest *digest)
{
    for (const JsonHeld *held = slot->held; held; held = held->next) {
        digest_u64(digest, held->id.dot);
        digest_u64(digest, held->id.index);
        digest_u64(digest, (uint64_t)held->order.ts.ms);
        digest_u64(digest, held->order.id.dot);
        digest_u64(digest, held->order.id.index);
        digest_u64(digest, (uint64_t)held->value.kind);
        digest_value(held, digest);
    }
    digest_u64(digest, 0);
}

static void body_digest(const CrdtBody *body, Digest *digest)
{
    digest_slot(&body->root, digest);
}

const BodyRule body_json = {
    .create = body_create,
    .destroy = body_destroy,
    .fill = body_fill,
    .apply = body_apply,
    .merge = json_body_merge,
    .is_present = body_is_present,
    .is_empty = body_is_empty,
    .summary = body_summary,
    .collect = body_collect,
    .drop = body_drop,
    .oldest_rank = body_oldest_rank,
    .digest = body_digest,
};
