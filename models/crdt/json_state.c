/* Why it works: a container is reached through the assignment that made it and named by it, so a
 * covered assignment takes all below it away, and no later edit can find it again.  All lists that
 * must be left quickly (orphans, graves, covers that came early) know each entry's index.
 */
#include "models/crdt/json_state.h"

#include "sim/ensure.h"

guint json_id_hash(gconstpointer key)
{
    const JsonId *id = key;
    uint64_t z = (id->dot ^ ((uint64_t)id->index << 40)) * UINT64_C(0x9fb21c651e98df25);

    return (guint)(z >> 32);
}

gboolean json_id_hash_equal(gconstpointer a, gconstpointer b)
{
    return sequence_id_is_equal(*(const JsonId *)a, *(const JsonId *)b);
}

static int name_compare(gconstpointer a, gconstpointer b)
{
    return payload_text_compare(*(const PayloadText *)a, *(const PayloadText *)b);
}

JsonContainer *json_container_find(const CrdtBody *body, JsonId id)
{
    return body->containers ? g_hash_table_lookup(body->containers, &id) : NULL;
}

JsonContainer *json_container_make(CrdtBody *body, JsonId id, bool is_array)
{
    JsonContainer *container = g_new0(JsonContainer, 1);

    container->id = id;
    container->is_array = is_array;
    if (is_array)
        sequence_init(&container->sequence);
    else
        container->members = g_tree_new(name_compare);
    if (!body->containers)
        body->containers = g_hash_table_new(json_id_hash, json_id_hash_equal);
    ensure(g_hash_table_insert(body->containers, &container->id, container));
    container->at = body->orphans->len;
    g_ptr_array_add(body->orphans, container);
    return container;
}

static void orphans_leave(CrdtBody *body, const JsonContainer *orphan)
{
    JsonContainer *last = g_ptr_array_index(body->orphans, body->orphans->len - 1);

    last->at = orphan->at;
    g_ptr_array_remove_index_fast(body->orphans, orphan->at);
}

void json_container_adopt(CrdtBody *body, JsonContainer *orphan, JsonHeld *owner)
{
    ensure(!orphan->owner);
    orphans_leave(body, orphan);
    orphan->owner = owner;
    owner->container = orphan;
}

static int64_t tombstones_of(const JsonContainer *array)
{
    return (int64_t)array->sequence.removed_count - array->sequence.retired_count;
}

static void graves_leave(CrdtBody *body, JsonContainer *array)
{
    JsonContainer *last;

    if (array->grave_at == 0)
        return;
    last = g_ptr_array_index(body->graves, body->graves->len - 1);
    last->grave_at = array->grave_at;
    g_ptr_array_remove_index_fast(body->graves, array->grave_at - 1);
    array->grave_at = 0;
}

int64_t json_array_begin(const JsonContainer *array)
{
    return tombstones_of(array);
}

void json_array_end(CrdtBody *body, JsonContainer *array, int64_t begun)
{
    int64_t change = tombstones_of(array) - begun;

    body->summary.tombstone_count += change;
    body->summary.header_count += change;
    if (array->sequence.removed_count == 0) {
        graves_leave(body, array);
    } else if (array->grave_at == 0) {
        g_ptr_array_add(body->graves, array);
        array->grave_at = body->graves->len;
    }
}

static void element_free(CrdtBody *body, JsonElement *element)
{
    json_slot_clear(body, &element->slot);
    g_free(element);
}

static void array_clear(CrdtBody *body, JsonContainer *array)
{
    int64_t tombstones = tombstones_of(array);

    for (uint32_t node = SEQUENCE_ROOT + 1; node < array->sequence.count; node++) {
        JsonElement *element = json_element_at(array, node);

        if (element)
            element_free(body, element);
    }
    graves_leave(body, array);
    body->summary.tombstone_count -= tombstones;
    body->summary.header_count -= tombstones;
    sequence_clear(&array->sequence);
}

static void container_free(CrdtBody *body, JsonContainer *container)
{
    if (container->members) {
        for (GTreeNode *at = g_tree_node_first(container->members); at; at = g_tree_node_next(at)) {
            JsonMember *member = g_tree_node_value(at);

            json_slot_clear(body, &member->slot);
            g_free((char *)member->name.data);
            g_free(member);
        }
        g_tree_destroy(container->members);
    }
    if (container->is_array)
        array_clear(body, container);
    if (!container->owner)
        orphans_leave(body, container);
    g_hash_table_remove(body->containers, &container->id);
    g_free(container);
}

void json_orphan_drop(CrdtBody *body, JsonId id)
{
    JsonContainer *orphan = json_container_find(body, id);

    if (orphan && !orphan->owner)
        container_free(body, orphan);
}

void json_orphans_drop(CrdtBody *body, const Clock *known)
{
    for (uint32_t i = body->orphans->len; i > 0; i--) {
        JsonContainer *orphan = g_ptr_array_index(body->orphans, i - 1);

        if (clock_covers(known, orphan->id.dot))
            container_free(body, orphan);
    }
}

JsonMember *json_member_find(const JsonContainer *object, PayloadText name)
{
    return g_tree_lookup(object->members, &name);
}

JsonMember *json_member_make(JsonContainer *object, PayloadText name)
{
    JsonMember *member = g_tree_lookup(object->members, &name);

    if (member)
        return member;
    member = g_new0(JsonMember, 1);
    member->slot.in = object;
    member->name =
        (PayloadText){g_memdup2(name.bytes > 0 ? name.data : "", MAX(name.bytes, 1)), name.bytes};
    g_tree_insert(object->members, &member->name, member);
    return member;
}

JsonElement *json_element_make(JsonContainer *array, uint32_t node)
{
    SequenceNode *at = &array->sequence.nodes[node];
    JsonElement *element = json_element_at(array, node);

    if (element || sequence_node_is(at, NODE_REMOVED))
        return element;
    element = g_new0(JsonElement, 1);
    element->slot.in = array;
    element->node = node;
    at->value = (uint64_t)(uintptr_t)element;
    return element;
}

void json_element_remove(CrdtBody *body, JsonContainer *array, uint32_t node, Dot removal)
{
    JsonElement *element = json_element_at(array, node);
    int64_t begun = json_array_begin(array);

    if (element)
        element_free(body, element);
    sequence_remove(&array->sequence, node, removal);
    json_array_end(body, array, begun);
}

static int64_t held_bytes(const JsonHeld *held)
{
    int64_t bytes = 0;

    switch (held->value.kind) {
    case CONTENT_INTEGER:
    case CONTENT_DOUBLE:
        bytes = 8;
        break;
    case CONTENT_TEXT:
        bytes = held->value.text.bytes;
        break;
    case CONTENT_OPAQUE:
        bytes = held->value.count;
        break;
    case CONTENT_NULL:
    case CONTENT_BOOL:
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        break;
    }
    if (held->slot->in && !held->slot->in->is_array)
        bytes += ((const JsonMember *)held->slot)->name.bytes;
    return bytes;
}

/* Simplified: values beside the visible one count as value bytes and elements too. */
static void count_held(CrdtBody *body, const JsonHeld *held, int sign)
{
    body->summary.value_bytes += sign * held_bytes(held);
    body->summary.element_count += sign;
    body->summary.header_count += sign;
}

JsonHeld *json_held_new(JsonId id, const JsonOrder *order, const Content *value)
{
    JsonHeld *held = g_new0(JsonHeld, 1);

    held->id = id;
    held->order = *order;
    held->value = *value;
    if (value->kind == CONTENT_TEXT)
        held->value.text.data =
            g_memdup2(value->text.bytes > 0 ? value->text.data : "", MAX(value->text.bytes, 1));
    return held;
}

void json_slot_add(CrdtBody *body, JsonSlot *slot, JsonHeld *held)
{
    JsonHeld **at = &slot->held;

    if (!slot->held && slot->in)
        slot->in->member_count++;
    else if (slot->held)
        body->summary.sibling_count++;
    while (*at && sequence_id_compare((*at)->id, held->id) < 0)
        at = &(*at)->next;
    ensure(!*at || !sequence_id_is_equal((*at)->id, held->id));
    held->next = *at;
    held->slot = slot;
    *at = held;
    count_held(body, held, 1);
}

void json_slot_drop(CrdtBody *body, JsonSlot *slot, JsonHeld *held)
{
    JsonHeld **at = &slot->held;

    while (*at != held)
        at = &(*at)->next;
    *at = held->next;
    count_held(body, held, -1);
    if (!slot->held && slot->in)
        slot->in->member_count--;
    else if (slot->held)
        body->summary.sibling_count--;
    if (held->container)
        container_free(body, held->container);
    if (held->value.kind == CONTENT_TEXT)
        g_free((char *)held->value.text.data);
    g_free(held);
}

void json_slot_cover(CrdtBody *body, JsonSlot *slot, const Clock *clock)
{
    for (JsonHeld *held = slot->held; held;) {
        JsonHeld *next = held->next;

        if (clock_covers(clock, held->id.dot))
            json_slot_drop(body, slot, held);
        held = next;
    }
}

void json_slot_remember(CrdtBody *body, JsonSlot *slot, const Clock *clock)
{
    if (!slot->ahead) {
        slot->ahead = g_new0(JsonAhead, 1);
        slot->ahead->slot = slot;
        slot->ahead->at = body->aheads->len;
        g_ptr_array_add(body->aheads, slot->ahead);
    }
    clock_join(&slot->ahead->clock, clock);
}

void json_slot_forget(CrdtBody *body, JsonSlot *slot)
{
    JsonAhead *last;

    if (!slot->ahead)
        return;
    last = g_ptr_array_index(body->aheads, body->aheads->len - 1);
    last->at = slot->ahead->at;
    g_ptr_array_remove_index_fast(body->aheads, slot->ahead->at);
    g_clear_pointer(&slot->ahead, g_free);
}

void json_slot_clear(CrdtBody *body, JsonSlot *slot)
{
    while (slot->held)
        json_slot_drop(body, slot, slot->held);
    json_slot_forget(body, slot);
}

void json_slot_tidy(JsonSlot *slot)
{
    JsonMember *member = (JsonMember *)slot;

    if (slot->held || slot->ahead || !slot->in || slot->in->is_array)
        return;
    g_tree_remove(slot->in->members, &member->name);
    g_free((char *)member->name.data);
    g_free(member);
}
