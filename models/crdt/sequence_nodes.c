/* Why it works: nodes live in one array and are named by their place in it, which stays theirs
 * until they are dropped; a hash table with open addressing leads there from an id.  What a
 * sequence begins with needs none: its ids say where it is, if it is still there.  A node that has
 * taken over another's place among its siblings has the rank of that one, which few have: ranks
 * live in an array of their own. */
#include "models/crdt/sequence_private.h"

#include <glib.h>

#include "sim/ensure.h"
#include "sim/rng.h"

#define TABLE_START 8

int sequence_id_compare(SequenceId a, SequenceId b)
{
    if (dot_member(a.dot) != dot_member(b.dot))
        return dot_member(a.dot) < dot_member(b.dot) ? -1 : 1;
    if (a.dot != b.dot)
        return a.dot < b.dot ? -1 : 1;
    return (a.index > b.index) - (a.index < b.index);
}

static uint32_t table_home(const Sequence *sequence, SequenceId id)
{
    return (uint32_t)rng_mix(id.dot ^ (uint64_t)id.index << 40) & sequence->table_mask;
}

/* Where id is in the table, or the free slot where it would be. */
static uint32_t table_at(const Sequence *sequence, SequenceId id)
{
    uint32_t at = table_home(sequence, id);

    while (sequence->table[at] != 0 &&
           !sequence_id_is_equal(sequence_id(sequence, sequence->table[at]), id))
        at = (at + 1) & sequence->table_mask;
    return at;
}

/* At most two of three places are taken. */
static void table_reserve(Sequence *sequence, uint32_t count)
{
    uint32_t *old = sequence->table;
    uint32_t old_size = old != NULL ? sequence->table_mask + 1 : 0;
    uint32_t size = MAX(old_size, TABLE_START);

    while (count * 3 >= (size - 1) * 2)
        size *= 2;
    if (size == old_size)
        return;
    sequence->table = g_new0(uint32_t, size);
    sequence->table_mask = size - 1;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i] != 0)
            sequence->table[table_at(sequence, sequence_id(sequence, old[i]))] = old[i];
    g_free(old);
}

/* Those behind move up unless they are at home already. */
static void table_remove(Sequence *sequence, SequenceId id)
{
    const uint32_t mask = sequence->table_mask;
    uint32_t hole = table_at(sequence, id);

    for (uint32_t at = (hole + 1) & mask; sequence->table[at] != 0; at = (at + 1) & mask) {
        uint32_t home = table_home(sequence, sequence_id(sequence, sequence->table[at]));

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        sequence->table[hole] = sequence->table[at];
        hole = at;
    }
    sequence->table[hole] = 0;
    sequence->table_count--;
}

/* One of those it began with, there or dropped. */
static bool is_first(const Sequence *sequence, SequenceId id)
{
    return dot_member(id.dot) == 0 && id.index == 0 && dot_seq(id.dot) <= sequence->first_count;
}

static void nodes_reserve(Sequence *sequence, uint32_t capacity)
{
    if (capacity <= sequence->capacity)
        return;
    sequence->nodes = g_renew(SequenceNode, sequence->nodes, capacity);
    sequence->capacity = capacity;
}

static uint32_t node_new(Sequence *sequence, SequenceId id)
{
    uint32_t node = sequence->free;

    if (node != SEQUENCE_NONE) {
        sequence->free = sequence->nodes[node].next_removed;
    } else {
        if (sequence->count == sequence->capacity)
            nodes_reserve(sequence, sequence->capacity + sequence->capacity / 2);
        node = sequence->count++;
    }
    sequence->nodes[node] = (SequenceNode){.dot = id.dot, .index = id.index};
    return node;
}

void sequence_init(Sequence *sequence)
{
    *sequence = (Sequence){.count = SEQUENCE_ROOT, .capacity = 4};
    sequence->nodes = g_new0(SequenceNode, sequence->capacity);
    (void)node_new(sequence, (SequenceId){0});
    sequence->nodes[SEQUENCE_ROOT].flags = NODE_MADE | NODE_PLACED | NODE_REMOVED | NODE_SKIPPED;
    sequence_order_reserve(&sequence->order, sequence_mark(SEQUENCE_ROOT) + 1);
    sequence_order_append(&sequence->order, sequence_item(sequence, SEQUENCE_ROOT));
}

void sequence_clear(Sequence *sequence)
{
    g_free(sequence->nodes);
    g_free(sequence->table);
    g_free(sequence->ranks);
    sequence_order_clear(&sequence->order);
    *sequence = (Sequence){0};
}

uint32_t sequence_find(const Sequence *sequence, SequenceId id)
{
    if (id.dot == 0)
        return SEQUENCE_ROOT;
    if (is_first(sequence, id)) {
        uint32_t node = SEQUENCE_ROOT + (uint32_t)dot_seq(id.dot);

        return sequence_id_is_equal(sequence_id(sequence, node), id) ? node : SEQUENCE_NONE;
    }
    return sequence->table == NULL ? SEQUENCE_NONE : sequence->table[table_at(sequence, id)];
}

/* An id that is nowhere: the first free slot from its home on is its own. */
static uint32_t make(Sequence *sequence, SequenceId id)
{
    uint32_t node, at;

    ensure(!is_first(sequence, id)); /* nobody makes again what was dropped */
    table_reserve(sequence, ++sequence->table_count);
    at = table_home(sequence, id);
    while (sequence->table[at] != 0)
        at = (at + 1) & sequence->table_mask;
    node = node_new(sequence, id);
    sequence->table[at] = node;
    sequence->node_count++;
    return node;
}

uint32_t sequence_make(Sequence *sequence, SequenceId id)
{
    bool is_any_named = sequence->placed_count < sequence->node_count;
    uint32_t node = is_any_named ? sequence_find(sequence, id) : SEQUENCE_NONE;

    return node != SEQUENCE_NONE ? node : make(sequence, id);
}

uint32_t sequence_name(Sequence *sequence, const Clock *known, SequenceId id)
{
    uint32_t node = sequence_find(sequence, id);

    if (node != SEQUENCE_NONE || clock_covers(known, id.dot))
        return node;
    return make(sequence, id);
}

void sequence_make_first(Sequence *sequence, uint32_t count)
{
    ensure(sequence->count == SEQUENCE_ROOT + 1 && sequence->table == NULL);
    nodes_reserve(sequence, SEQUENCE_ROOT + 1 + count + count / 2); /* it will be added to */
    for (uint32_t i = 1; i <= count; i++)
        (void)node_new(sequence, (SequenceId){.dot = dot_make(0, i)});
    sequence->node_count = sequence->first_count = count;
}

SequenceId sequence_rank(const Sequence *sequence, uint32_t node)
{
    uint32_t at = sequence->nodes[node].rank;

    return at != 0 ? sequence->ranks[at] : sequence_id(sequence, node);
}

static void rank_forget(Sequence *sequence, uint32_t node)
{
    uint32_t at = sequence->nodes[node].rank;

    if (at == 0)
        return;
    sequence->ranks[at].index = sequence->ranks[0].index;
    sequence->ranks[0].index = at;
    sequence->nodes[node].rank = 0;
}

void sequence_rank_set(Sequence *sequence, uint32_t node, SequenceId rank)
{
    uint32_t at = sequence->nodes[node].rank;

    if (at == 0 && sequence->rank_count > 0 && sequence->ranks[0].index != 0) {
        at = sequence->ranks[0].index;
        sequence->ranks[0].index = sequence->ranks[at].index;
    } else if (at == 0) {
        at = MAX(sequence->rank_count, 1u);
        if (at >= sequence->rank_capacity) {
            sequence->rank_capacity = MAX(4u, sequence->rank_capacity * 2);
            sequence->ranks = g_renew(SequenceId, sequence->ranks, sequence->rank_capacity);
            if (at == 1)
                sequence->ranks[0] = (SequenceId){0};
        }
        sequence->rank_count = at + 1;
    }
    sequence->ranks[at] = rank;
    sequence->nodes[node].rank = at;
}

void sequence_node_free(Sequence *sequence, uint32_t node)
{
    rank_forget(sequence, node);
    if (!is_first(sequence, sequence_id(sequence, node)))
        table_remove(sequence, sequence_id(sequence, node));
    sequence->nodes[node] = (SequenceNode){.next_removed = sequence->free};
    sequence->free = node;
    sequence->node_count--;
}
