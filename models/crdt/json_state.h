/* The state of one JSON document at one member; for the files of this type alone.
 *
 * A slot (the root, a key of an object, an element of an array) holds the assignments that nothing
 * covers, each with its value; the first by member id is the visible one (crdt-semantics.md 8).  A
 * container is named by the assignment that made it and lives as long as that is uncovered.  Edits
 * that arrive before the container they touch wait in an orphan of that name.
 */
#pragma once

#include <glib.h>

#include "models/crdt/body.h"
#include "models/crdt/json_content.h"
#include "models/crdt/json_view.h"
#include "models/crdt/sequence.h"

typedef struct JsonSlot JsonSlot;
typedef struct JsonContainer JsonContainer;

/* Names an element, a container or an assignment: the effect that made it, and which of its values
 * it was. */
typedef SequenceId JsonId;

/* A key's place among its object's: when the value was put there. */
typedef struct {
    WallTime ts;
    JsonId id;
} JsonOrder;

/* An uncovered assignment. */
struct JsonHeld {
    JsonHeld *next; /* by id: the next sibling */
    JsonSlot *slot;
    JsonId id; /* of its container too */
    JsonOrder order;
    Content value;            /* text is owned */
    JsonContainer *container; /* arrays and objects */
};

/* What the assignments and removals of a slot had observed that has not arrived here. */
typedef struct {
    Clock clock;
    JsonSlot *slot;
    uint32_t at; /* in CrdtBody.aheads */
} JsonAhead;

struct JsonSlot {
    JsonHeld *held;
    JsonAhead *ahead;  /* mostly NULL */
    JsonContainer *in; /* NULL: the root */
};

typedef struct {
    JsonSlot slot; /* first */
    PayloadText name;
} JsonMember;

/* An array's element that is not removed: the value of its node. */
typedef struct {
    JsonSlot slot; /* first */
    uint32_t node; /* in the array's sequence */
} JsonElement;

struct JsonContainer {
    JsonId id;
    JsonHeld *owner; /* NULL: an orphan */
    bool is_array;
    uint32_t at;           /* in CrdtBody.orphans */
    uint32_t member_count; /* keys with a value */
    GTree *members;        /* objects: JsonMember by name */
    Sequence sequence;     /* arrays */
    uint32_t grave_at;     /* in CrdtBody.graves, from 1; 0: nothing removed is left */
};

struct CrdtBody {
    JsonSlot root;
    GHashTable *containers; /* by id; looked up, never walked */
    GPtrArray *orphans, *aheads;
    GPtrArray *graves; /* arrays with removed elements */
    BodySummary summary;
};

/* NULL: removed, or nobody has put anything there. */
static inline JsonElement *json_element_at(const JsonContainer *array, uint32_t node)
{
    const SequenceNode *at = &array->sequence.nodes[node];

    return sequence_node_is(at, NODE_REMOVED) ? NULL : (JsonElement *)(uintptr_t)at->value;
}

guint json_id_hash(gconstpointer id);
gboolean json_id_hash_equal(gconstpointer a, gconstpointer b);

JsonContainer *json_container_find(const CrdtBody *body, JsonId id);
JsonContainer *json_container_make(CrdtBody *body, JsonId id, bool is_array); /* an orphan */
void json_container_adopt(CrdtBody *body, JsonContainer *orphan, JsonHeld *owner);
/* The assignment that would have made the container was dead: so is what waits for it, if any. */
void json_orphan_drop(CrdtBody *body, JsonId id);
/* Those whose assignments known covers, after a merge: looks at all of them. */
void json_orphans_drop(CrdtBody *body, const Clock *known);

JsonMember *json_member_find(const JsonContainer *object, PayloadText name);
JsonMember *json_member_make(JsonContainer *object, PayloadText name);

/* The element of a node that is in use, made if need be; NULL: removed. */
JsonElement *json_element_make(JsonContainer *array, uint32_t node);
void json_element_remove(CrdtBody *body, JsonContainer *array, uint32_t node, Dot removal);
/* Call around what retires or drops elements of an array: keeps the books and the graves. */
int64_t json_array_begin(const JsonContainer *array);
void json_array_end(CrdtBody *body, JsonContainer *array, int64_t begun);

/* Takes held; equal ids are a bug. */
void json_slot_add(CrdtBody *body, JsonSlot *slot, JsonHeld *held);
void json_slot_drop(CrdtBody *body, JsonSlot *slot, JsonHeld *held); /* with all below it */
void json_slot_cover(CrdtBody *body, JsonSlot *slot, const Clock *clock);
void json_slot_remember(CrdtBody *body, JsonSlot *slot, const Clock *clock);
void json_slot_forget(CrdtBody *body, JsonSlot *slot);
void json_slot_clear(CrdtBody *body, JsonSlot *slot);
/* An object's slot that says nothing goes. */
void json_slot_tidy(JsonSlot *slot);

JsonHeld *json_held_new(JsonId id, const JsonOrder *order, const Content *value);

/* An edit is a row of these, each with its kind, its address and what it says:
 *   ASSIGN  slot, place (one byte; 1: the place of the value it replaces follows), content
 *   REMOVE  slot
 *   INSERT  array, parent (dot 0: the root), side, count of values, contents; each value after the
 *           first hangs right of the one before
 * Every value within contents takes the next index of the edit; with the edit's dot it is the name
 * of its assignment, its container and its element. */
typedef enum { JSON_OP_ASSIGN, JSON_OP_REMOVE, JSON_OP_INSERT } JsonOp;
typedef enum { JSON_SLOT_ROOT, JSON_SLOT_MEMBER, JSON_SLOT_ELEMENT } JsonSlotKind;

void json_body_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from);
