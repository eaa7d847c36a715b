/* Why it works: the walk "left children, node, right children" is kept as one order with counts,
 * and a node's subtree is a stretch of it.  Each node puts a mark beside itself where its subtree
 * borders on a sibling's: a right child's mark follows its subtree, a left child's precedes it.  As
 * both are put while the node has no descendants, they are neighbours, and all that is hung later
 * falls between them.  So the place of a new node is found at once: behind the mark of the sibling
 * before it, in front of the mark of the sibling after it, or next to its parent; however long a
 * subtree has grown, nobody walks it.
 *
 * Only members that did not see each other's make siblings, so a side has hardly more than one
 * child a member. */
#include "models/crdt/body_list_private.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/rng.h"

#define NODE_WEIGHT(visible)                                                                       \
    ((OrderWeight){.count = {[ORDER_NODES] = 1, [ORDER_VISIBLE] = (visible) ? 1 : 0}})
#define MARK_WEIGHT ((OrderWeight){.count = {0}})

static uint32_t entry_of_mark(uint32_t node)
{
    return node * 2 + 1;
}

static uint32_t *table_slot(uint32_t *table, uint32_t capacity, const ListNode *nodes, Dot id)
{
    uint32_t at = (uint32_t)rng_mix(id) & (capacity - 1);

    while (table[at] != 0 && nodes[table[at]].id != id)
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static void table_grow(CrdtBody *body)
{
    uint32_t capacity = body->table_capacity > 0 ? body->table_capacity * 2 : 8;
    uint32_t *table = g_new0(uint32_t, capacity);

    for (uint32_t node = LIST_NODE_ROOT + 1; node < body->count; node++)
        *table_slot(table, capacity, body->nodes, body->nodes[node].id) = node;
    g_free(body->table);
    body->table = table;
    body->table_capacity = capacity;
}

static uint32_t node_new(CrdtBody *body, Dot id)
{
    if (body->count == body->capacity) {
        body->capacity += body->capacity / 2;
        body->nodes = g_renew(ListNode, body->nodes, body->capacity);
    }
    body->nodes[body->count] = (ListNode){.id = id};
    return body->count++;
}

void list_tree_init(CrdtBody *body)
{
    uint32_t root;

    body->capacity = 4;
    body->nodes = g_new0(ListNode, body->capacity);
    body->count = LIST_NODE_ROOT;
    root = node_new(body, 0);
    body->nodes[root].flags = NODE_MADE | NODE_PLACED | NODE_REMOVED;
    list_order_reserve(&body->order, entry_of_mark(root) + 1);
    list_order_put_first(&body->order, list_entry(root));
}

void list_tree_clear(CrdtBody *body)
{
    g_free(body->nodes);
    g_free(body->table);
    list_order_clear(&body->order);
}

uint32_t list_tree_find(const CrdtBody *body, Dot id)
{
    if (id == 0)
        return LIST_NODE_ROOT;
    if (body->table_capacity == 0)
        return LIST_NODE_NONE;
    return *table_slot(body->table, body->table_capacity, body->nodes, id);
}

uint32_t list_tree_name(CrdtBody *body, Dot id)
{
    uint32_t *slot;
    uint32_t node = list_tree_find(body, id);

    if (node != LIST_NODE_NONE)
        return node;
    if (body->count * 3 >= body->table_capacity * 2)
        table_grow(body);
    node = node_new(body, id);
    slot = table_slot(body->table, body->table_capacity, body->nodes, id);
    *slot = node;
    return node;
}

static bool is_before_sibling(const ListNode *a, const ListNode *b)
{
    if (dot_member(a->id) != dot_member(b->id))
        return dot_member(a->id) < dot_member(b->id);
    return dot_seq(a->id) < dot_seq(b->id);
}

static void link_sibling(CrdtBody *body, uint32_t node)
{
    ListNode *nodes = body->nodes;
    uint32_t *link = &nodes[nodes[node].parent].first_child[nodes[node].side];

    while (*link != 0 && is_before_sibling(&nodes[*link], &nodes[node]))
        link = &nodes[*link].next_sibling;
    nodes[node].next_sibling = *link;
    *link = node;
}

/* The nearest sibling before the node that has its place; 0: none. */
static uint32_t placed_sibling_before(const CrdtBody *body, uint32_t node)
{
    const ListNode *nodes = body->nodes;
    uint32_t at = nodes[nodes[node].parent].first_child[nodes[node].side];
    uint32_t found = LIST_NODE_NONE;

    for (; at != node; at = nodes[at].next_sibling)
        if (list_node_is(&nodes[at], NODE_PLACED))
            found = at;
    return found;
}

static uint32_t placed_sibling_after(const CrdtBody *body, uint32_t node)
{
    uint32_t at = body->nodes[node].next_sibling;

    while (at != LIST_NODE_NONE && !list_node_is(&body->nodes[at], NODE_PLACED))
        at = body->nodes[at].next_sibling;
    return at;
}

static void place(CrdtBody *body, uint32_t node)
{
    const ListNode *made = &body->nodes[node];
    OrderWeight weight = NODE_WEIGHT(!list_node_is(made, NODE_REMOVED));
    uint32_t entry = list_entry(node);
    uint32_t sibling;

    list_order_reserve(&body->order, entry_of_mark(node) + 1);
    if (made->side == LIST_RIGHT) {
        sibling = placed_sibling_before(body, node);
        list_order_put_after(&body->order,
                             sibling != 0 ? entry_of_mark(sibling) : list_entry(made->parent),
                             entry, weight);
        list_order_put_after(&body->order, entry, entry_of_mark(node), MARK_WEIGHT);
    } else {
        sibling = placed_sibling_after(body, node);
        list_order_put_before(&body->order,
                              sibling != 0 ? entry_of_mark(sibling) : list_entry(made->parent),
                              entry, weight);
        list_order_put_before(&body->order, entry, entry_of_mark(node), MARK_WEIGHT);
    }
    body->nodes[node].flags |= NODE_PLACED;
    list_node_placed(body, node);
}

/* What comes after node in a walk over the subtree of top, parents first. */
static uint32_t next_in_subtree(const CrdtBody *body, uint32_t top, uint32_t node)
{
    const ListNode *nodes = body->nodes;

    if (nodes[node].first_child[LIST_LEFT] != 0)
        return nodes[node].first_child[LIST_LEFT];
    if (nodes[node].first_child[LIST_RIGHT] != 0)
        return nodes[node].first_child[LIST_RIGHT];
    for (; node != top; node = nodes[node].parent) {
        if (nodes[node].next_sibling != 0)
            return nodes[node].next_sibling;
        if (nodes[node].side == LIST_LEFT && nodes[nodes[node].parent].first_child[LIST_RIGHT] != 0)
            return nodes[nodes[node].parent].first_child[LIST_RIGHT];
    }
    return LIST_NODE_NONE;
}

/* Those that waited for the node have waited for nothing else: a node's descendants that are made
 * hang together. */
void list_tree_hang(CrdtBody *body, uint32_t node, uint32_t parent, ListSide side)
{
    body->nodes[node].parent = parent;
    body->nodes[node].side = (uint8_t)side;
    link_sibling(body, node);
    if (!list_node_is(&body->nodes[parent], NODE_PLACED))
        return;
    for (uint32_t at = node; at != LIST_NODE_NONE; at = next_in_subtree(body, node, at))
        place(body, at);
}

uint32_t list_tree_anchor(const CrdtBody *body, uint32_t index, ListSide *out_side)
{
    uint32_t left = LIST_NODE_ROOT;
    uint32_t next;

    if (index > 0)
        left = list_order_select(&body->order, ORDER_VISIBLE, index - 1) / 2;
    if (body->nodes[left].first_child[LIST_RIGHT] == 0) {
        *out_side = LIST_RIGHT;
        return left;
    }
    next = list_order_next(&body->order, ORDER_NODES, list_entry(left)) / 2;
    ensure(next != LIST_NODE_NONE && body->nodes[next].first_child[LIST_LEFT] == 0);
    *out_side = LIST_LEFT;
    return next;
}
