/* Why it works: what one side has and the other lacks, although the other's clock covers it, was
 * covered or removed over there; what the other's clock does not cover is news to it (the rule of
 * ORSWOT sets, Bieniusa et al. 2012).  A container missing on one side is met by an empty one, in
 * which the same rule brings over just what that side has not seen.
 */
#include "models/crdt/json_state.h"

#include "sim/ensure.h"

typedef struct {
    const BodyMerge *merge;
    CrdtBody *into;
    const CrdtBody *from;
} Merging;

static void merge_container(const Merging *m, JsonContainer *into, const JsonContainer *from);

static const JsonHeld *held_with_id(const JsonSlot *slot, JsonId id)
{
    for (const JsonHeld *held = slot ? slot->held : NULL; held; held = held->next)
        if (sequence_id_is_equal(held->id, id))
            return held;
    return NULL;
}

static bool had_covered(const JsonSlot *slot, const Clock *clock, Dot dot)
{
    return clock_covers(clock, dot) ||
           (slot && slot->ahead && clock_covers(&slot->ahead->clock, dot));
}

static void bring(const Merging *m, JsonSlot *slot, const JsonHeld *from)
{
    JsonHeld *held = json_held_new(from->id, &from->order, &from->value);
    JsonContainer *container;

    json_slot_add(m->into, slot, held);
    if (!from->container)
        return;
    container = json_container_find(m->into, from->id);
    if (!container)
        container = json_container_make(m->into, from->id, from->container->is_array);
    json_container_adopt(m->into, container, held);
    merge_container(m, container, from->container);
}

/* from NULL: nothing is there. */
static void merge_slot(const Merging *m, JsonSlot *into, const JsonSlot *from)
{
    for (JsonHeld *held = into->held; held;) {
        JsonHeld *next = held->next;
        const JsonHeld *other = held_with_id(from, held->id);

        if (other && held->container)
            merge_container(m, held->container, other->container);
        else if (!other && had_covered(from, &m->merge->from->clock, held->id.dot))
            json_slot_drop(m->into, into, held);
        held = next;
    }
    for (const JsonHeld *held = from ? from->held : NULL; held; held = held->next)
        if (!held_with_id(into, held->id) &&
            !had_covered(into, &m->merge->into->clock, held->id.dot))
            bring(m, into, held);
    if (from && from->ahead && causality_is_ctx_ahead(m->merge->joined, &from->ahead->clock))
        json_slot_remember(m->into, into, &from->ahead->clock);
}

static void merge_object(const Merging *m, JsonContainer *into, const JsonContainer *from)
{
    g_autoptr(GPtrArray) ours = g_ptr_array_new();

    for (GTreeNode *at = g_tree_node_first(into->members); at; at = g_tree_node_next(at))
        g_ptr_array_add(ours, g_tree_node_value(at));
    for (uint32_t i = 0; i < ours->len; i++) {
        JsonMember *member = g_ptr_array_index(ours, i);
        const JsonMember *other = json_member_find(from, member->name);

        merge_slot(m, &member->slot, other ? &other->slot : NULL);
        if (!other)
            json_slot_tidy(&member->slot);
    }
    for (GTreeNode *at = g_tree_node_first(from->members); at; at = g_tree_node_next(at)) {
        const JsonMember *other = g_tree_node_value(at);
        JsonMember *member = json_member_find(into, other->name);

        if (member) {
            json_slot_tidy(&member->slot);
            continue;
        }
        member = json_member_make(into, other->name);
        merge_slot(m, &member->slot, &other->slot);
        json_slot_tidy(&member->slot);
    }
}

static void merge_element(const Merging *m, JsonContainer *into, const JsonContainer *from,
                          uint32_t from_node)
{
    const SequenceNode *there = &from->sequence.nodes[from_node];
    const JsonElement *other = json_element_at(from, from_node);
    uint32_t node = sequence_find(&into->sequence, sequence_id(&from->sequence, from_node));

    if (node == SEQUENCE_NONE)
        return;
    if (sequence_node_is(there, NODE_REMOVED))
        json_element_remove(m->into, into, node, there->value);
    if (sequence_node_is(there, NODE_SKIPPED))
        sequence_skip(&into->sequence, node);
    if (sequence_node_is(there, NODE_MADE) &&
        !sequence_node_is(&into->sequence.nodes[node], NODE_MADE))
        sequence_hang_as(&into->sequence, node, &from->sequence, from_node, &m->merge->into->clock,
                         NULL);
    if (!sequence_node_is(&into->sequence.nodes[node], NODE_REMOVED))
        merge_slot(m, &json_element_make(into, node)->slot, other ? &other->slot : NULL);
}

static void merge_array(const Merging *m, JsonContainer *into, const JsonContainer *from)
{
    const Sequence *theirs = &from->sequence;

    for (uint32_t node = SEQUENCE_ROOT + 1; node < theirs->count; node++)
        if (theirs->nodes[node].dot != 0)
            (void)sequence_name(&into->sequence, &m->merge->into->clock, sequence_id(theirs, node));
    for (uint32_t node = SEQUENCE_ROOT + 1; node < theirs->count; node++)
        if (theirs->nodes[node].dot != 0)
            merge_element(m, into, from, node);
}

static void merge_container(const Merging *m, JsonContainer *into, const JsonContainer *from)
{
    ensure(into->is_array == from->is_array);
    if (into->is_array)
        merge_array(m, into, from);
    else
        merge_object(m, into, from);
}

/* Orphans of from belong to assignments that from lacks: they may be here, or dead here, or
 * unknown. */
static void merge_orphans(const Merging *m)
{
    for (uint32_t i = 0; i < m->from->orphans->len; i++) {
        const JsonContainer *orphan = g_ptr_array_index(m->from->orphans, i);
        JsonContainer *container = json_container_find(m->into, orphan->id);

        if (!container && clock_covers(&m->merge->into->clock, orphan->id.dot))
            continue;
        if (!container)
            container = json_container_make(m->into, orphan->id, orphan->is_array);
        merge_container(m, container, orphan);
    }
}

void json_body_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from)
{
    Merging m = {merge, into, from};

    merge_slot(&m, &into->root, &from->root);
    merge_orphans(&m);
    json_orphans_drop(into, &merge->joined->clock);
}
