/* Why it works: the sequence knows which elements were made and removed and where they are; here
 * are their values, and the two effects that name no element.  What arrives before what it names
 * finds a node without a place: a removal of it stays on it, a SET waits in its register, a child
 * hangs on it.  Whether a DEL had observed an element that comes late is told by the union of the
 * DELs' clocks; the same, one register's SETs alone, tells it of a SET.  So a state grows by union,
 * and a merge is one: elements made, elements removed, SETs and what they covered, DELs.  What is
 * named and not here, though its effect has arrived, was removed and dropped: there is nothing to
 * do. */
#include "models/crdt/body_list_private.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

static CrdtBody *list_create(void)
{
    CrdtBody *body = g_new0(CrdtBody, 1);

    sequence_init(&body->sequence);
    return body;
}

static void register_free(ListRegister *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->heads[i].kind == VALUE_BYTES)
            g_free((void *)(uintptr_t)set->heads[i].number);
    g_free(set->heads);
    g_free(set);
}

static void node_drop_value(SequenceNode *node)
{
    if (sequence_node_is(node, NODE_REMOVED))
        return;
    if (sequence_node_is(node, NODE_REGISTER))
        register_free((ListRegister *)(uintptr_t)node->value);
    else if (node->kind == VALUE_BYTES)
        g_free((void *)(uintptr_t)node->value);
    node->kind = VALUE_NONE;
    node->value = 0;
    node->bytes = 0;
    node->flags &= (uint8_t)~NODE_REGISTER;
}

static void list_destroy(CrdtBody *body)
{
    if (body == NULL)
        return;
    for (uint32_t node = SEQUENCE_ROOT + 1; node < body->sequence.count; node++)
        node_drop_value(&body->sequence.nodes[node]);
    g_free(body->deletes);
    sequence_clear(&body->sequence);
    g_free(body);
}

static uint64_t value_keep(const Value *value)
{
    char *copy;

    if (value->kind != VALUE_BYTES)
        return value->number;
    copy = g_malloc(value->bytes + 1u);
    if (value->bytes > 0)
        memcpy(copy, value->data, value->bytes);
    copy[value->bytes] = '\0';
    return (uint64_t)(uintptr_t)copy;
}

static Value value_of(uint64_t number, uint32_t bytes, uint32_t kind)
{
    Value value = {.bytes = bytes, .kind = (ValueKind)kind};

    if (value.kind == VALUE_BYTES)
        value.data = (const char *)(uintptr_t)number;
    else
        value.number = number;
    return value;
}

Value list_node_value(const SequenceNode *node)
{
    const ListHead *head;

    if (!sequence_node_is(node, NODE_REGISTER))
        return value_of(node->value, node->bytes, node->kind);
    head = &list_register(node)->heads[0];
    return value_of(head->number, head->bytes, head->kind);
}

/* A node's share of the books: added when it becomes visible or changes, taken off before. */
static void count_node(CrdtBody *body, const SequenceNode *node, int64_t sign)
{
    if (!sequence_node_is_visible(node))
        return;
    body->value_bytes += sign * (int64_t)list_node_value(node).bytes;
    if (sequence_node_is(node, NODE_REGISTER))
        body->sibling_count += sign * (int64_t)(list_register(node)->count - 1);
}

static void node_placed(void *owner, uint32_t node)
{
    CrdtBody *body = owner;

    count_node(body, &body->sequence.nodes[node], 1);
}

static void node_remove(CrdtBody *body, uint32_t at, Dot removal)
{
    SequenceNode *node = &body->sequence.nodes[at];

    if (!sequence_node_is(node, NODE_REMOVED)) {
        count_node(body, node, -1);
        node_drop_value(node);
    }
    sequence_remove(&body->sequence, at, removal);
}

/* A DEL that had observed id; 0: none. */
static Dot delete_of(const CrdtBody *body, Dot id)
{
    if (body->deletes == NULL || !clock_covers(&body->deletes->all, id))
        return 0;
    for (uint32_t member = 1; member <= MEMBER_MAX; member++)
        if (body->deletes->dot[member] != 0 && clock_covers(&body->deletes->ctx[member], id))
            return body->deletes->dot[member];
    return 0;
}

/* One that a DEL had observed is removed as soon as it is known, made or not; as other DELs may
 * have observed it too, it is skipped at once. */
static void node_meet_deletes(CrdtBody *body, uint32_t at)
{
    Dot removal = delete_of(body, body->sequence.nodes[at].dot);

    if (removal == 0)
        return;
    node_remove(body, at, removal);
    sequence_skip(&body->sequence, at);
}

/* The node of id, SEQUENCE_NONE where it was dropped.  known: what has arrived here. */
static uint32_t node_name(CrdtBody *body, const Clock *known, Dot id)
{
    uint32_t count = body->sequence.node_count;
    uint32_t at = sequence_name(&body->sequence, known, list_sequence_id(id));

    if (body->sequence.node_count != count)
        node_meet_deletes(body, at);
    return at;
}

/* The node of an insertion that arrives. */
static uint32_t node_make(CrdtBody *body, Dot id)
{
    uint32_t count = body->sequence.node_count;
    uint32_t at = sequence_make(&body->sequence, list_sequence_id(id));

    if (body->sequence.node_count != count)
        node_meet_deletes(body, at);
    return at;
}

static void node_take_value(SequenceNode *node, const Value *value)
{
    if ((node->flags & (NODE_REMOVED | NODE_REGISTER)) != 0)
        return; /* covered */
    node->value = value_keep(value);
    node->bytes = value->bytes;
    node->kind = (uint8_t)value->kind;
}

typedef struct {
    Dot id;
    Dot parent;
    SequenceSide side;
    Value value;
} ListInsert;

static void insert(CrdtBody *body, const Clock *known, const ListInsert *made)
{
    const SequenceListener listener = {node_placed, body};
    uint32_t parent = node_name(body, known, made->parent);
    uint32_t at = node_make(body, made->id);

    ensure(parent != SEQUENCE_NONE); /* nobody hangs anything on what all have retired */
    node_take_value(&body->sequence.nodes[at], &made->value);
    sequence_hang(&body->sequence, at, parent, made->side, &listener);
}

/* The genesis makes the same elements everywhere. */
static void list_fill(CrdtBody *body, uint32_t element_count, uint32_t value_bytes)
{
    sequence_begin(&body->sequence, element_count);
    for (uint32_t i = 0; i < element_count; i++) {
        SequenceNode *node = &body->sequence.nodes[SEQUENCE_ROOT + 1 + i];
        Value value = {.kind = VALUE_SYNTHETIC, .number = i, .bytes = value_bytes / element_count};

        value.bytes += i < value_bytes % element_count;
        node_take_value(node, &value);
        count_node(body, node, 1);
    }
}

static bool head_beats(const ListHead *a, const ListHead *b)
{
    if (a->ts != b->ts)
        return a->ts > b->ts;
    return dot_member(a->dot) < dot_member(b->dot);
}

static void register_cover(ListRegister *set, const Clock *ctx)
{
    uint32_t kept = 0;

    clock_join(&set->covered, ctx);
    for (uint32_t i = 0; i < set->count; i++) {
        if (!clock_covers(ctx, set->heads[i].dot))
            set->heads[kept++] = set->heads[i];
        else if (set->heads[i].kind == VALUE_BYTES)
            g_free((void *)(uintptr_t)set->heads[i].number);
    }
    set->count = kept;
}

/* Keeps the best first and the rest in order, so that equal registers look alike. */
static void register_add(ListRegister *set, ListHead head, const Value *value)
{
    uint32_t at;

    if (clock_covers(&set->covered, head.dot))
        return;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->heads[i].dot == head.dot)
            return;
    head.number = value_keep(value);
    if (set->count == set->capacity) {
        set->capacity += 1;
        set->heads = g_renew(ListHead, set->heads, set->capacity);
    }
    at = set->count++;
    for (; at > 0 && head_beats(&head, &set->heads[at - 1]); at--)
        set->heads[at] = set->heads[at - 1];
    set->heads[at] = head;
}

/* A SET has always observed the INSERT, whose value goes. */
static ListRegister *node_register(SequenceNode *node)
{
    ListRegister *set;

    if (sequence_node_is(node, NODE_REGISTER))
        return (ListRegister *)(uintptr_t)node->value;
    node_drop_value(node);
    set = g_new0(ListRegister, 1);
    node->value = (uint64_t)(uintptr_t)set;
    node->flags |= NODE_REGISTER;
    return set;
}

static void set_value(CrdtBody *body, uint32_t at, const Effect *effect, const Value *value)
{
    SequenceNode *node = &body->sequence.nodes[at];
    ListHead head = {
        .dot = effect->dot, .ts = effect->ts.ms, .bytes = value->bytes, .kind = value->kind};
    ListRegister *set;

    if (at == SEQUENCE_NONE || sequence_node_is(node, NODE_REMOVED))
        return;
    count_node(body, node, -1);
    set = node_register(node);
    register_cover(set, &effect->ctx);
    register_add(set, head, value);
    count_node(body, node, 1);
}

static void note_delete(CrdtBody *body, Dot dot, const Clock *ctx)
{
    if (body->deletes == NULL)
        body->deletes = g_new0(ListDeletes, 1);
    body->deletes->dot[dot_member(dot)] = dot;
    body->deletes->ctx[dot_member(dot)] = *ctx;
    clock_join(&body->deletes->all, ctx);
}

/* Looks at every element that is not skipped, as a DEL of its key has to: those it had not observed
 * stay, and it is a second reason for what is removed already. */
static void apply_delete(CrdtBody *body, Dot dot, const Clock *ctx)
{
    const Sequence *sequence = &body->sequence;
    uint32_t node = sequence_next_nameable(sequence, SEQUENCE_ROOT);

    if (body->deletes != NULL && dot_seq(dot) <= dot_seq(body->deletes->dot[dot_member(dot)]))
        return;
    note_delete(body, dot, ctx);
    while (node != SEQUENCE_NONE) {
        uint32_t next = sequence_next_nameable(sequence, node);

        if (clock_covers(ctx, sequence->nodes[node].dot))
            node_remove(body, node, dot);
        node = next;
    }
    if (sequence->placed_count == sequence->node_count)
        return;
    for (node = SEQUENCE_ROOT + 1; node < sequence->count; node++)
        if (sequence_node_is_waiting(&sequence->nodes[node]) &&
            clock_covers(ctx, sequence->nodes[node].dot))
            node_remove(body, node, dot);
}

static Dot read_dot(const PayloadText *edit, uint32_t at)
{
    Dot dot;

    ensure(at + sizeof(dot) <= edit->bytes);
    memcpy(&dot, edit->data + at, sizeof(dot));
    return dot;
}

static Value effect_value(const BodyEffect *change)
{
    Value value = change->effect->value;

    if (change->value.data == NULL) {
        ensure(value.kind != VALUE_BYTES);
        return value;
    }
    return (Value){.kind = VALUE_BYTES, .data = change->value.data, .bytes = change->value.bytes};
}

static void list_apply(CrdtBody *body, const BodyEffect *change)
{
    const Effect *effect = change->effect;
    const Clock *known = &change->causality->clock;
    const PayloadText *edit = &change->edit;
    Value value;
    uint32_t node;

    if (effect->op == EFFECT_DELETE) {
        apply_delete(body, effect->dot, &effect->ctx);
        return;
    }
    ensure(effect->op == EFFECT_EDIT && edit->bytes > 0);
    switch (edit->data[0]) {
    case LIST_EDIT_INSERT:
        insert(body, known,
               &(ListInsert){.id = effect->dot,
                             .parent = read_dot(edit, 2),
                             .side = edit->data[1] == SIDE_LEFT ? SIDE_LEFT : SIDE_RIGHT,
                             .value = effect_value(change)});
        return;
    case LIST_EDIT_SET:
        value = effect_value(change);
        set_value(body, node_name(body, known, read_dot(edit, 1)), effect, &value);
        return;
    default:
        ensure(edit->data[0] == LIST_EDIT_REMOVE);
        for (uint32_t at = 1; at < edit->bytes; at += (uint32_t)sizeof(Dot)) {
            node = node_name(body, known, read_dot(edit, at));
            if (node != SEQUENCE_NONE)
                node_remove(body, node, effect->dot);
        }
    }
}

static void merge_register(CrdtBody *into, uint32_t at, const ListRegister *from)
{
    SequenceNode *node = &into->sequence.nodes[at];
    ListRegister *set;

    if (sequence_node_is(node, NODE_REMOVED))
        return;
    count_node(into, node, -1);
    set = node_register(node);
    register_cover(set, &from->covered);
    for (uint32_t i = 0; i < from->count; i++) {
        Value value = value_of(from->heads[i].number, from->heads[i].bytes, from->heads[i].kind);

        register_add(set, from->heads[i], &value);
    }
    count_node(into, node, 1);
}

/* What `from` says of one element: that it is removed first, as what is gone needs no value. */
static void merge_node(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from, uint32_t node)
{
    const SequenceListener listener = {node_placed, into};
    const SequenceNode *there = &from->sequence.nodes[node];
    uint32_t at = sequence_find(&into->sequence, list_sequence_id(there->dot));
    Value value;

    if (at == SEQUENCE_NONE)
        return;
    if (sequence_node_is(there, NODE_REMOVED))
        node_remove(into, at, there->value);
    if (sequence_node_is(there, NODE_SKIPPED))
        sequence_skip(&into->sequence, at);
    if (sequence_node_is(there, NODE_REGISTER))
        merge_register(into, at, list_register(there));
    if (!sequence_node_is(there, NODE_MADE) ||
        sequence_node_is(&into->sequence.nodes[at], NODE_MADE))
        return;
    if ((there->flags & (NODE_REMOVED | NODE_REGISTER)) == 0) {
        value = list_node_value(there);
        node_take_value(&into->sequence.nodes[at], &value);
    }
    sequence_hang_as(&into->sequence, at, &from->sequence, node, &merge->into->clock, &listener);
}

static void list_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from)
{
    for (uint32_t member = 1; member <= MEMBER_MAX; member++)
        if (from->deletes != NULL && from->deletes->dot[member] != 0)
            apply_delete(into, from->deletes->dot[member], &from->deletes->ctx[member]);
    for (uint32_t node = SEQUENCE_ROOT + 1; node < from->sequence.count; node++)
        if (from->sequence.nodes[node].dot != 0)
            (void)node_name(into, &merge->into->clock, from->sequence.nodes[node].dot);
    for (uint32_t node = SEQUENCE_ROOT + 1; node < from->sequence.count; node++)
        if (from->sequence.nodes[node].dot != 0)
            merge_node(merge, into, from, node);
}

static bool list_is_present(const CrdtBody *body)
{
    return list_count(body) > 0;
}

static bool list_is_empty(CrdtBody *body, const Causality *causality)
{
    if (body->sequence.node_count > 0)
        return false;
    return body->deletes == NULL || !causality_is_ctx_ahead(causality, &body->deletes->all);
}

static BodySummary list_summary(const CrdtBody *body)
{
    const Sequence *sequence = &body->sequence;

    return (BodySummary){
        .value_bytes = body->value_bytes,
        .element_count = list_count(body),
        .header_count = (int64_t)sequence->node_count - sequence->retired_count,
        .tombstone_count = (int64_t)sequence->removed_count - sequence->retired_count,
        .sibling_count = body->sibling_count,
    };
}

static void list_collect(CrdtBody *body, const Clock *stable)
{
    sequence_retire(&body->sequence, stable);
}

static bool list_drop(CrdtBody *body, const Clock *retired_by_all)
{
    if (retired_by_all != NULL)
        sequence_drop(&body->sequence, retired_by_all);
    return body->sequence.retired_count > 0;
}

/* Looks at every visible element; asked only where a key shows several types at once. */
static uint64_t list_oldest_rank(const CrdtBody *body)
{
    const Sequence *sequence = &body->sequence;
    uint64_t oldest = UINT64_MAX;
    SequenceCursor at = sequence_cursor(sequence, 0);

    for (; at.node != SEQUENCE_NONE; sequence_cursor_forward(sequence, &at)) {
        Dot id = sequence->nodes[at.node].dot;

        oldest = MIN(oldest, (uint64_t)dot_member(id) << 60 | dot_seq(id));
    }
    return oldest;
}

static void digest_value(Digest *digest, const Value *value)
{
    digest_u64(digest, (uint64_t)value->kind);
    digest_u64(digest, value->kind == VALUE_BYTES ? 0 : value->number);
    digest_u64(digest, value->bytes);
    if (value->kind == VALUE_BYTES)
        digest_bytes(digest, value->data, value->bytes);
}

static void digest_node(Digest *digest, const SequenceNode *node)
{
    Value value;

    digest_u64(digest, node->dot);
    if (!sequence_node_is(node, NODE_REGISTER)) {
        value = list_node_value(node);
        digest_value(digest, &value);
        return;
    }
    for (uint32_t i = 0; i < list_register(node)->count; i++) {
        const ListHead *head = &list_register(node)->heads[i];

        value = value_of(head->number, head->bytes, head->kind);
        digest_u64(digest, head->dot);
        digest_u64(digest, (uint64_t)head->ts);
        digest_value(digest, &value);
    }
}

static uint64_t digest_waiting(const CrdtBody *body, const SequenceNode *node)
{
    Digest one = digest_begin();

    digest_u64(&one, node->flags & (NODE_MADE | NODE_REMOVED));
    digest_u64(&one, node->side);
    digest_u64(&one, body->sequence.nodes[node->parent].dot);
    if (sequence_node_is(node, NODE_REMOVED))
        digest_u64(&one, node->dot);
    else
        digest_node(&one, node);
    return one.value;
}

/* What is visible in its order; what waits for its place in no order, so by a sum.  What a DEL will
 * yet take away is left to the causality, which its store digests. */
static void list_digest(const CrdtBody *body, Digest *digest)
{
    const Sequence *sequence = &body->sequence;
    uint64_t waiting = 0;

    digest_u64(digest, list_count(body));
    for (SequenceCursor at = sequence_cursor(sequence, 0); at.node != SEQUENCE_NONE;
         sequence_cursor_forward(sequence, &at))
        digest_node(digest, &sequence->nodes[at.node]);
    for (uint32_t at = SEQUENCE_ROOT + 1;
         at < sequence->count && sequence->placed_count < sequence->node_count; at++)
        if (sequence_node_is_waiting(&sequence->nodes[at]))
            waiting += digest_waiting(body, &sequence->nodes[at]);
    digest_u64(digest, waiting);
}

/* Lists are short mostly: where their ids, nodes and order begin.  The addresses are numbers,
 * because arrays that are missing or shorter than what is fetched have none of their own there. */
static void list_prefetch(const CrdtBody *body)
{
    uintptr_t ids = (uintptr_t)body->sequence.table;
    uintptr_t nodes = (uintptr_t)body->sequence.nodes;
    uintptr_t order = (uintptr_t)body->sequence.order.blocks;

    for (size_t at = 0; at < 512; at += CACHE_LINE_BYTES) {
        prefetch((const void *)(nodes + at));
        if (at < sizeof(OrderBlock))
            prefetch((const void *)(order + at));
        if (at < 128)
            prefetch((const void *)(ids + at));
    }
}

const BodyRule body_list = {
    .create = list_create,
    .destroy = list_destroy,
    .fields = BODY_FIELDS_HELD,
    .fill = list_fill,
    .apply = list_apply,
    .merge = list_merge,
    .is_present = list_is_present,
    .is_empty = list_is_empty,
    .summary = list_summary,
    .collect = list_collect,
    .drop = list_drop,
    .prefetch = list_prefetch,
    .oldest_rank = list_oldest_rank,
    .digest = list_digest,
};
