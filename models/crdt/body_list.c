/* Why it works: a member keeps every node it has heard of, so its state only grows and a merge is a
 * union: nodes made, nodes removed, SETs and what they covered, DELs.  What arrives before what it
 * names finds a node without a place: a removal of it stays on it, a SET waits in its register, a
 * child hangs on it.  Whether a DEL had observed an element that comes late is told by the union of
 * the DELs' clocks; the same, one register's SETs alone, tells it of a SET.
 *
 * Removed nodes stand in line by the removal's origin, in its order: collecting looks at what goes
 * and one more. */
#include "models/crdt/body_list_private.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"

static CrdtBody *list_create(void)
{
    CrdtBody *body = g_new0(CrdtBody, 1);

    list_tree_init(body);
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

static void node_drop_value(ListNode *node)
{
    if (list_node_is(node, NODE_REMOVED))
        return;
    if (list_node_is(node, NODE_REGISTER))
        register_free((ListRegister *)(uintptr_t)node->number);
    else if (node->kind == VALUE_BYTES)
        g_free((void *)(uintptr_t)node->number);
    node->kind = VALUE_NONE;
    node->number = 0;
    node->bytes = 0;
    node->flags &= (uint8_t)~NODE_REGISTER;
}

static void list_destroy(CrdtBody *body)
{
    if (body == NULL)
        return;
    for (uint32_t node = LIST_NODE_ROOT + 1; node < body->count; node++)
        node_drop_value(&body->nodes[node]);
    g_free(body->deletes);
    list_tree_clear(body);
    g_free(body);
}

static void chain_made(CrdtBody *body, uint32_t at)
{
    ListOrigin *origin = &body->origins[dot_member(body->nodes[at].id)];

    if (origin->last != 0)
        body->nodes[origin->last].next_made = at;
    else
        origin->first = at;
    origin->last = at;
    if (origin->oldest == 0 && !list_node_is(&body->nodes[at], NODE_REMOVED))
        origin->oldest = at;
}

static void chain_removed(CrdtBody *body, uint32_t at, Dot removal)
{
    ListOrigin *origin = &body->origins[dot_member(removal)];
    const ListNode *last = &body->nodes[origin->gone_last];

    if (origin->gone == 0) {
        origin->gone = at;
    } else {
        origin->unsorted |= dot_seq(last->number) > dot_seq(removal);
        body->nodes[origin->gone_last].next_removed = at;
    }
    origin->gone_last = at;
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

Value list_node_value(const ListNode *node)
{
    const ListHead *head;

    if (!list_node_is(node, NODE_REGISTER))
        return value_of(node->number, node->bytes, node->kind);
    head = &list_register(node)->heads[0];
    return value_of(head->number, head->bytes, head->kind);
}

/* A node's share of the books: added when it becomes visible or changes, taken off before. */
static void count_node(CrdtBody *body, const ListNode *node, int64_t sign)
{
    if (!list_node_is_visible(node))
        return;
    body->value_bytes += sign * (int64_t)list_node_value(node).bytes;
    if (list_node_is(node, NODE_REGISTER))
        body->sibling_count += sign * (int64_t)(list_register(node)->count - 1);
}

void list_node_placed(CrdtBody *body, uint32_t node)
{
    count_node(body, &body->nodes[node], 1);
}

/* Idempotent.  removal is the dot of an effect that took the node away: any of them will do, as
 * each is reason enough for the node to be gone. */
static void node_remove(CrdtBody *body, uint32_t at, Dot removal)
{
    ListNode *node = &body->nodes[at];
    uint32_t *oldest = &body->origins[dot_member(node->id)].oldest;

    if (list_node_is(node, NODE_REMOVED))
        return;
    count_node(body, node, -1);
    if (list_node_is(node, NODE_PLACED))
        list_order_set_visible(&body->order, list_entry(at), -1);
    node_drop_value(node);
    node->flags |= NODE_REMOVED;
    node->number = removal;
    body->removed_count++;
    chain_removed(body, at, removal);
    while (*oldest != 0 && list_node_is(&body->nodes[*oldest], NODE_REMOVED))
        *oldest = body->nodes[*oldest].next_made;
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

/* The node of id.  One that a DEL had observed is removed as soon as it is known, made or not. */
static uint32_t node_name(CrdtBody *body, Dot id)
{
    uint32_t at = list_tree_name(body, id);
    Dot removal = delete_of(body, id);

    if (removal != 0)
        node_remove(body, at, removal);
    return at;
}

typedef struct {
    Dot id;
    Dot parent;
    ListSide side;
    Value value;
} ListInsert;

static void insert(CrdtBody *body, const ListInsert *made)
{
    uint32_t parent = node_name(body, made->parent);
    uint32_t at = node_name(body, made->id);
    ListNode *node = &body->nodes[at];

    ensure(!list_node_is(node, NODE_MADE));
    chain_made(body, at);
    node->flags |= NODE_MADE;
    if ((node->flags & (NODE_REMOVED | NODE_REGISTER)) == 0) { /* else covered */
        node->number = value_keep(&made->value);
        node->bytes = made->value.bytes;
        node->kind = (uint8_t)made->value.kind;
    }
    list_tree_hang(body, at, parent, made->side);
}

/* The genesis makes the same elements everywhere: one run of right children. */
static void list_fill(CrdtBody *body, uint32_t element_count, uint32_t value_bytes)
{
    Dot parent = 0;

    for (uint32_t i = 0; i < element_count; i++) {
        Dot id = dot_make(0, i + 1);
        Value value = {.kind = VALUE_SYNTHETIC, .number = i, .bytes = value_bytes / element_count};

        value.bytes += i < value_bytes % element_count;
        insert(body, &(ListInsert){.id = id, .parent = parent, .side = LIST_RIGHT, .value = value});
        parent = id;
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
static ListRegister *node_register(ListNode *node)
{
    ListRegister *set;

    if (list_node_is(node, NODE_REGISTER))
        return (ListRegister *)(uintptr_t)node->number;
    node_drop_value(node);
    set = g_new0(ListRegister, 1);
    node->number = (uint64_t)(uintptr_t)set;
    node->flags |= NODE_REGISTER;
    return set;
}

static void set_value(CrdtBody *body, Dot id, const Effect *effect, const Value *value)
{
    const uint32_t at = node_name(body, id); /* moves the nodes */
    ListNode *node = &body->nodes[at];
    ListHead head = {
        .dot = effect->dot, .ts = effect->ts.ms, .bytes = value->bytes, .kind = value->kind};
    ListRegister *set;

    if (list_node_is(node, NODE_REMOVED))
        return;
    count_node(body, node, -1);
    set = node_register(node);
    register_cover(set, &effect->ctx);
    register_add(set, head, value);
    count_node(body, node, 1);
}

/* Looks at every visible element, as a DEL of its key has to; those it had not observed stay. */
static void apply_delete(CrdtBody *body, Dot dot, const Clock *ctx)
{
    uint32_t member = dot_member(dot);
    uint32_t entry = list_order_next(&body->order, ORDER_VISIBLE, list_entry(LIST_NODE_ROOT));

    if (body->deletes == NULL)
        body->deletes = g_new0(ListDeletes, 1);
    if (dot_seq(dot) <= dot_seq(body->deletes->dot[member]))
        return;
    body->deletes->dot[member] = dot;
    body->deletes->ctx[member] = *ctx;
    clock_join(&body->deletes->all, ctx);
    while (entry != 0) {
        uint32_t node = entry / 2;

        entry = list_order_next(&body->order, ORDER_VISIBLE, entry);
        if (clock_covers(ctx, body->nodes[node].id))
            node_remove(body, node, dot);
    }
    if (list_order_count(&body->order, ORDER_NODES) + LIST_NODE_ROOT + 1 == body->count)
        return;
    for (uint32_t node = LIST_NODE_ROOT + 1; node < body->count; node++)
        if (!list_node_is(&body->nodes[node], NODE_PLACED) &&
            clock_covers(ctx, body->nodes[node].id))
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
    const PayloadText *edit = &change->edit;
    Value value;

    if (effect->op == EFFECT_DELETE) {
        apply_delete(body, effect->dot, &effect->ctx);
        return;
    }
    ensure(effect->op == EFFECT_EDIT && edit->bytes > 0);
    switch (edit->data[0]) {
    case LIST_EDIT_INSERT:
        insert(body, &(ListInsert){.id = effect->dot,
                                   .parent = read_dot(edit, 2),
                                   .side = edit->data[1] == LIST_LEFT ? LIST_LEFT : LIST_RIGHT,
                                   .value = effect_value(change)});
        return;
    case LIST_EDIT_SET:
        value = effect_value(change);
        set_value(body, read_dot(edit, 1), effect, &value);
        return;
    default:
        ensure(edit->data[0] == LIST_EDIT_REMOVE);
        for (uint32_t at = 1; at < edit->bytes; at += (uint32_t)sizeof(Dot))
            node_remove(body, list_tree_name(body, read_dot(edit, at)), effect->dot);
    }
}

static void merge_register(CrdtBody *into, Dot id, const ListRegister *from)
{
    const uint32_t at = node_name(into, id);
    ListNode *node = &into->nodes[at];
    ListRegister *set;

    if (list_node_is(node, NODE_REMOVED))
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

/* Elements in the order their origins made them, so that into's queues stay sorted. */
static void merge_made(CrdtBody *into, const CrdtBody *from, uint32_t member)
{
    const ListNode *node;

    for (uint32_t at = from->origins[member].first; at != 0; at = node->next_made) {
        uint32_t known;

        node = &from->nodes[at];
        known = list_tree_find(into, node->id);
        if (known != LIST_NODE_NONE && list_node_is(&into->nodes[known], NODE_MADE))
            continue;
        insert(into, &(ListInsert){.id = node->id,
                                   .parent = from->nodes[node->parent].id,
                                   .side = (ListSide)node->side,
                                   .value = (node->flags & (NODE_REMOVED | NODE_REGISTER)) != 0
                                                ? (Value){0}
                                                : list_node_value(node)});
    }
}

/* Removals first: what is gone needs no value. */
static void list_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from)
{
    (void)merge; /* nothing is ever forgotten here, so nothing has to be told from what was */
    for (uint32_t node = LIST_NODE_ROOT + 1; node < from->count; node++)
        if (list_node_is(&from->nodes[node], NODE_REMOVED))
            node_remove(into, list_tree_name(into, from->nodes[node].id), from->nodes[node].number);
    for (uint32_t member = 1; member <= MEMBER_MAX; member++)
        if (from->deletes != NULL && from->deletes->dot[member] != 0)
            apply_delete(into, from->deletes->dot[member], &from->deletes->ctx[member]);
    for (uint32_t node = LIST_NODE_ROOT + 1; node < from->count; node++)
        if (list_node_is(&from->nodes[node], NODE_REGISTER))
            merge_register(into, from->nodes[node].id, list_register(&from->nodes[node]));
    for (uint32_t member = 0; member <= MEMBER_MAX; member++)
        merge_made(into, from, member);
}

static bool list_is_present(const CrdtBody *body)
{
    return list_count(body) > 0;
}

static bool list_is_empty(CrdtBody *body, const Causality *causality)
{
    if (body->count > LIST_NODE_ROOT + 1)
        return false;
    return body->deletes == NULL || !causality_is_ctx_ahead(causality, &body->deletes->all);
}

static BodySummary list_summary(const CrdtBody *body)
{
    return (BodySummary){
        .value_bytes = body->value_bytes,
        .element_count = list_count(body),
        .header_count = (int64_t)(body->count - LIST_NODE_ROOT - 1) - body->settled_count,
        .tombstone_count = (int64_t)body->removed_count - body->settled_count,
        .sibling_count = body->sibling_count,
    };
}

static int compare_removals(const void *a, const void *b, void *data)
{
    const CrdtBody *body = data;
    const ListNode *x = &body->nodes[*(const uint32_t *)a];
    const ListNode *y = &body->nodes[*(const uint32_t *)b];

    if (x->number != y->number) /* dots of one origin */
        return x->number < y->number ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void sort_removed(CrdtBody *body, ListOrigin *origin)
{
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t *link = &origin->gone;

    for (uint32_t at = origin->gone; at != 0; at = body->nodes[at].next_removed)
        g_array_append_val(gone, at);
    g_array_sort_with_data(gone, compare_removals, body);
    for (uint32_t i = 0; i < gone->len; i++) {
        *link = origin->gone_last = g_array_index(gone, uint32_t, i);
        link = &body->nodes[*link].next_removed;
    }
    *link = 0;
    origin->unsorted = false;
}

/* The removed and what removed them known to all. */
static void settle(CrdtBody *body, ListOrigin *origin, const Clock *stable)
{
    if (origin->unsorted)
        sort_removed(body, origin);
    while (origin->gone != 0) {
        ListNode *node = &body->nodes[origin->gone];

        if (!clock_covers(stable, node->number) || !clock_covers(stable, node->id))
            break;
        node->flags |= NODE_SETTLED;
        body->settled_count++;
        origin->gone = node->next_removed;
    }
}

static void list_collect(CrdtBody *body, const Clock *stable)
{
    if (body->settled_count == body->removed_count)
        return;
    for (uint32_t member = 0; member <= MEMBER_MAX; member++)
        settle(body, &body->origins[member], stable);
}

static uint64_t list_oldest_rank(const CrdtBody *body)
{
    for (uint32_t member = 0; member <= MEMBER_MAX; member++) {
        const ListNode *node;

        for (uint32_t at = body->origins[member].oldest; at != 0; at = node->next_made) {
            node = &body->nodes[at];
            if (list_node_is_visible(node))
                return (uint64_t)member << 60 | dot_seq(node->id);
        }
    }
    return UINT64_MAX;
}

static void digest_value(Digest *digest, const Value *value)
{
    digest_u64(digest, (uint64_t)value->kind);
    digest_u64(digest, value->kind == VALUE_BYTES ? 0 : value->number);
    digest_u64(digest, value->bytes);
    if (value->kind == VALUE_BYTES)
        digest_bytes(digest, value->data, value->bytes);
}

static void digest_node(Digest *digest, const ListNode *node)
{
    Value value;

    digest_u64(digest, node->id);
    if (!list_node_is(node, NODE_REGISTER)) {
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

/* What is visible in its order; what waits for its place in no order, so by a sum.  What a DEL will
 * yet take away is left to the causality, which its store digests. */
static void list_digest(const CrdtBody *body, Digest *digest)
{
    uint64_t waiting = 0;
    uint32_t entry = list_entry(LIST_NODE_ROOT);

    digest_u64(digest, list_count(body));
    while ((entry = list_order_next(&body->order, ORDER_VISIBLE, entry)) != 0)
        digest_node(digest, &body->nodes[entry / 2]);
    if (list_order_count(&body->order, ORDER_NODES) + LIST_NODE_ROOT + 1 < body->count) {
        for (uint32_t at = LIST_NODE_ROOT + 1; at < body->count; at++) {
            const ListNode *node = &body->nodes[at];
            Digest one = digest_begin();

            if (list_node_is(node, NODE_PLACED))
                continue;
            digest_u64(&one, node->flags & (NODE_MADE | NODE_REMOVED));
            digest_u64(&one, node->side);
            digest_u64(&one, body->nodes[node->parent].id);
            if (list_node_is(node, NODE_REMOVED))
                digest_u64(&one, node->id);
            else
                digest_node(&one, node);
            waiting += one.value;
        }
    }
    digest_u64(digest, waiting);
}

const BodyRule body_list = {
    .create = list_create,
    .destroy = list_destroy,
    .fill = list_fill,
    .apply = list_apply,
    .merge = list_merge,
    .is_present = list_is_present,
    .is_empty = list_is_empty,
    .summary = list_summary,
    .collect = list_collect,
    .oldest_rank = list_oldest_rank,
    .digest = list_digest,
};
