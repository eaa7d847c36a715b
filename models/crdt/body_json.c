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
    body->tombstones = g_ptr_array_new();
    body->aheads = g_ptr_array_new();
    return body;
}

static void body_destroy(CrdtBody *body)
{
    json_slot_clear(body, &body->root);
    while (body->orphans->len > 0) {
        const JsonContainer *orphan = g_ptr_array_index(body->orphans, 0);

        json_orphans_drop(body, NULL, orphan->id.dot);
    }
    g_clear_pointer(&body->containers, g_hash_table_destroy);
    g_clear_pointer(&body->elements, g_hash_table_destroy);
    g_ptr_array_free(body->orphans, TRUE);
    g_ptr_array_free(body->tombstones, TRUE);
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

/* NULL: dead, or removed. */
static JsonElement *element_for(const Apply *a, JsonContainer *array, JsonId id)
{
    JsonElement *element = json_element_find(a->body, id);

    if (!element && !is_known(a, id.dot))
        element = json_element_make(a->body, array, id);
    return element && !element->node.is_removed ? element : NULL;
}

/* The slot named at the cursor; NULL: dead. */
static JsonSlot *take_slot(Apply *a)
{
    JsonSlotKind kind = (JsonSlotKind)take_byte(a);
    JsonContainer *container;
    JsonElement *element;
    JsonId id;

    if (kind == JSON_SLOT_ROOT)
        return &a->body->root;
    container = container_for(a, take_id(a), kind == JSON_SLOT_ELEMENT);
    if (kind == JSON_SLOT_MEMBER) {
        PayloadText name = content_read_key(a->in->edit, &a->cursor);

        return container ? &json_member_make(container, name)->slot : NULL;
    }
    id = take_id(a);
    element = container ? element_for(a, container, id) : NULL;
    return element ? &element->slot : NULL;
}

static void cover(const Apply *a, JsonSlot *slot)
{
    json_slot_cover(a->body, slot, &a->in->effect->ctx);
    if (a->is_ahead)
        json_slot_remember(a->body, slot, &a->in->effect->ctx);
}

static void assign(Apply *a, JsonSlot *slot, const JsonOrder *order);

/* Gives the array the value at the cursor as an element that hangs from parent. */
static JsonElement *insert(Apply *a, JsonContainer *array, JsonElement *parent, SequenceSide side)
{
    JsonId id = {a->in->effect->dot, a->index};
    JsonElement *element = json_element_find(a->body, id);

    if (!element)
        element = json_element_make(a->body, array, id);
    if (!element->node.is_positioned)
        json_element_position(element, parent, side, NULL);
    assign(a, element->node.is_removed ? NULL : &element->slot, NULL);
    return element;
}

static void fill(Apply *a, JsonHeld *held)
{
    JsonContainer *container = json_container_find(a->body, held->id);
    bool is_array = held->value.kind == CONTENT_ARRAY;
    JsonElement *last = NULL;

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
        a->index += content_skip(a->in->edit, &a->cursor);
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
    JsonSlot *slot = take_slot(a);
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
    JsonSlot *slot = take_slot(a);

    if (!slot)
        return;
    if (slot->in && slot->in->is_array) {
        json_element_remove(a->body, (JsonElement *)slot, a->in->effect->dot);
        return;
    }
    cover(a, slot);
    json_slot_tidy(slot);
}

/* What others hang from, which may be still to come; NULL is the root.  Simplified: one that was
 * taken out here while an insert was under way to it (its origin's clock came before its effects)
 * comes back at the end. */
static JsonElement *anchor(const Apply *a, JsonContainer *array, JsonId id)
{
    JsonElement *element = json_element_find(a->body, id);

    if (id.dot == 0 || element)
        return element;
    element = json_element_make(a->body, array, id);
    if (is_known(a, id.dot)) {
        json_element_position(element, NULL, SIDE_RIGHT, NULL);
        json_element_remove(a->body, element, a->in->effect->dot);
    }
    return element;
}

/* A removed element above an insert: whoever took it out for good gets it back.  Elsewhere its own
 * insert and removal decide. */
static void apply_above(const Apply *a, JsonContainer *array, const JsonPlace *place)
{
    JsonElement *element = json_element_find(a->body, place->id);

    if (element || !is_known(a, place->id.dot))
        return;
    element = json_element_make(a->body, array, place->id);
    json_element_position(element, anchor(a, array, place->parent), (SequenceSide)place->side,
                          &place->rank);
    json_element_remove(a->body, element, a->in->effect->dot);
}

static void apply_insert(Apply *a)
{
    JsonContainer *array = container_for(a, take_id(a), true);
    JsonId parent_id = take_id(a);
    SequenceSide side = (SequenceSide)take_byte(a);
    uint32_t above = take_count(a), count;
    JsonElement *parent = NULL;

    for (; above > 0; above--) {
        JsonPlace place = {.id = take_id(a)};

        place.parent = take_id(a);
        place.rank.key = take_id(a);
        place.rank.level = take_count(a);
        place.side = take_byte(a);
        if (array)
            apply_above(a, array, &place);
    }
    count = take_count(a);
    if (array && parent_id.dot != 0)
        parent = anchor(a, array, parent_id);
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
    if (body->orphans->len > 0)
        json_orphans_drop(body, NULL, in->effect->dot);
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

static bool may_go(const JsonElement *element, const Clock *stable)
{
    return element->node.is_removed && sequence_is_spare(&element->node) &&
           clock_covers(stable, element->node.id.dot) && clock_covers(stable, element->witness);
}

/* Up the walk: a parent may be spare now. */
static void collect_element(CrdtBody *body, JsonElement *element, const Clock *stable)
{
    while (element && may_go(element, stable)) {
        SequenceNode *parent = element->node.parent;

        json_element_free(body, element);
        element = parent ? json_element_of(parent) : NULL;
    }
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
    /* Freed ones are replaced by later ones; parents may lie on either side. */
    for (uint32_t i = body->tombstones->len; i > 0; i--)
        if (i <= body->tombstones->len)
            collect_element(body, g_ptr_array_index(body->tombstones, i - 1), stable);
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
        uint32_t count = sequence_count(&container->sequence);

        digest_u64(digest, count);
        for (uint32_t i = 0; i < count; i++) {
            SequenceNode *node = sequence_at(&container->sequence, i);

            digest_u64(digest, node->id.dot);
            digest_u64(digest, node->id.index);
            digest_slot(&json_element_of(node)->slot, digest);
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
    .oldest_rank = body_oldest_rank,
    .digest = body_digest,
};
