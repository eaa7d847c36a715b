/* Why it works: a stream is a radix tree from ids to listpacks of entries.  All full listpacks of a
 * stream of one shape are alike, because ids are kept as differences from a listpack's first, so
 * one is packed entry by entry and counted; the tree's nodes follow from where the ids part.
 */
#include "models/data/footprint_parts.h"

#include "sim/ensure.h"

#define STREAM_BYTES     80   /* tree, length, three ids, entries added, groups */
#define TREE_BYTES       24   /* head, elements, nodes */
#define TREE_NODE_HEAD   4    /* flags and size */
#define PREALLOCATED_MAX 4096 /* of a fresh listpack; it is shrunk when it is full */
#define LISTPACK_MAX     (UINT64_C(1) << 30)
#define WALKED_NODES_MAX 4096 /* Simplified: a longer stream's tree is scaled up from so many */
#define FIRST_ID_MS      UINT64_C(1700000000000) /* some day of this decade */

typedef struct {
    uint64_t entries, bytes; /* of a full listpack */
} Packed;

/* Count, deleted, number of fields, their names, and a zero that ends this first entry. */
static uint64_t first_entry_bytes(const FootprintShape *shape)
{
    return footprint_listpack_integer(1) + footprint_listpack_integer(0) +
           footprint_listpack_integer((int64_t)shape->entry_fields) +
           shape->entry_fields * footprint_listpack_text(shape->field_len) +
           footprint_listpack_integer(0);
}

/* Flags, differences of time and sequence, values, and how many items the entry has: the names are
 * those of the first entry and so are left out. */
static uint64_t entry_bytes(const FootprintShape *shape, uint64_t index)
{
    return footprint_listpack_integer(2) +
           footprint_listpack_integer((int64_t)(index * shape->entry_gap_ms)) +
           footprint_listpack_integer(0) +
           shape->entry_fields * footprint_listpack_text(shape->value_len) +
           footprint_listpack_integer((int64_t)shape->entry_fields + 3);
}

static Packed pack(const FootprintRules *rules, const FootprintShape *shape)
{
    uint64_t text_bytes = shape->entry_fields * (shape->field_len + shape->value_len);
    uint64_t limit = rules->stream_node_max_bytes;
    Packed packed = {.bytes = FOOTPRINT_LISTPACK_FRAME + first_entry_bytes(shape)};

    if (limit == 0 || limit > LISTPACK_MAX)
        limit = LISTPACK_MAX;
    while (packed.entries < shape->elements) {
        if (packed.entries > 0 && packed.bytes + text_bytes >= limit)
            break;
        if (rules->stream_node_max_entries && packed.entries >= rules->stream_node_max_entries)
            break;
        packed.bytes += entry_bytes(shape, packed.entries);
        packed.entries++;
    }
    return packed;
}

/* A node of so many characters and children, padded so that pointers are aligned. */
static uint64_t node_bytes(const FootprintRules *rules, uint64_t characters, uint64_t children,
                           bool has_value)
{
    uint64_t bytes = TREE_NODE_HEAD + characters;

    bytes = (bytes + 7) / 8 * 8 + children * 8 + (has_value ? 8 : 0);
    return footprint_class(rules, bytes);
}

/* Character `depth` of the key of a listpack: milliseconds, then sequence (0), big end first. */
static uint32_t id_character(const FootprintShape *shape, uint64_t step, uint64_t node,
                             uint32_t depth)
{
    uint64_t ms = FIRST_ID_MS + node * step * shape->entry_gap_ms;

    return depth < 8 ? (uint32_t)(ms >> (56 - 8 * depth)) & 0xff : 0;
}

typedef struct {
    const FootprintRules *rules;
    const FootprintShape *shape;
    uint64_t step; /* entries a listpack */
} Tree;

/* Keys first..last-1 agree in their characters before depth; ids rise, so those that share the next
 * character are neighbours. */
static uint64_t tree_bytes(const Tree *tree, uint64_t first, uint64_t last, uint32_t depth)
{
    const uint32_t key_len = 16;
    uint32_t at = depth;
    uint64_t bytes = 0;
    uint64_t children = 0;

    if (last - first == 1) {
        if (depth < key_len)
            bytes = node_bytes(tree->rules, key_len - depth, 1, false);
        return bytes + node_bytes(tree->rules, 0, 0, true);
    }
    while (at < key_len && id_character(tree->shape, tree->step, first, at) ==
                               id_character(tree->shape, tree->step, last - 1, at))
        at++;
    ensure(at < key_len); /* ids differ */
    if (at > depth)
        bytes += node_bytes(tree->rules, at - depth, 1, false);
    for (uint64_t from = first; from < last;) {
        uint32_t character = id_character(tree->shape, tree->step, from, at);
        uint64_t to = from + 1;

        while (to < last && id_character(tree->shape, tree->step, to, at) == character)
            to++;
        bytes += tree_bytes(tree, from, to, at + 1);
        children++;
        from = to;
    }
    return bytes + node_bytes(tree->rules, children, children, false);
}

static uint64_t last_listpack(const FootprintRules *rules, uint64_t bytes)
{
    uint64_t fresh = rules->stream_node_max_bytes;

    if (fresh == 0 || fresh > PREALLOCATED_MAX)
        fresh = PREALLOCATED_MAX;
    return footprint_class(rules, bytes > fresh ? bytes : fresh);
}

/* About 9 bytes of a branching node, what is left of the id, and the listpack's own node. */
static uint64_t tree_quick(const FootprintRules *rules, uint64_t nodes)
{
    if (nodes <= 1)
        return nodes * (node_bytes(rules, 16, 1, false) + node_bytes(rules, 0, 0, true));
    return node_bytes(rules, 5, 1, false) +
           nodes * (9 + node_bytes(rules, 10, 1, false) + node_bytes(rules, 0, 0, true));
}

/* As pack() does, but all entries are as long as the one in the middle of a full listpack: those
 * after it have longer differences of ids, those before it shorter ones. */
uint64_t footprint_stream_quick(const FootprintRules *rules, const FootprintShape *shape)
{
    uint64_t head = FOOTPRINT_LISTPACK_FRAME + first_entry_bytes(shape);
    uint64_t entry = entry_bytes(shape, rules->stream_node_max_entries / 2);
    uint64_t text_bytes = shape->entry_fields * (shape->field_len + shape->value_len);
    uint64_t limit = rules->stream_node_max_bytes;
    uint64_t bytes = footprint_class(rules, STREAM_BYTES) + footprint_class(rules, TREE_BYTES);
    uint64_t per_node;
    uint64_t nodes;

    if (limit == 0 || limit > LISTPACK_MAX)
        limit = LISTPACK_MAX;
    /* One goes in at least, and each further one while the limit is not reached. */
    per_node = head + text_bytes >= limit ? 1 : (limit - text_bytes - head - 1) / entry + 1;
    if (rules->stream_node_max_entries && per_node > rules->stream_node_max_entries)
        per_node = rules->stream_node_max_entries;
    nodes = (shape->elements + per_node - 1) / per_node;
    if (nodes == 0)
        return bytes;
    bytes += (nodes - 1) * footprint_class(rules, head + per_node * entry);
    bytes += last_listpack(rules, head + (shape->elements - (nodes - 1) * per_node) * entry);
    return bytes + tree_quick(rules, nodes);
}

uint64_t footprint_stream_value(const FootprintRules *rules, const FootprintShape *shape)
{
    Packed full = pack(rules, shape); /* one entry at least */
    uint64_t nodes = full.entries ? (shape->elements + full.entries - 1) / full.entries : 0;
    uint64_t walked = nodes < WALKED_NODES_MAX ? nodes : WALKED_NODES_MAX;
    Tree tree = {.rules = rules, .shape = shape, .step = full.entries};
    FootprintShape rest = *shape;
    uint64_t last_bytes;
    uint64_t bytes = footprint_class(rules, STREAM_BYTES) + footprint_class(rules, TREE_BYTES);

    if (nodes == 0)
        return bytes;
    ensure(shape->entry_gap_ms > 0 || nodes == 1);
    rest.elements = shape->elements - (nodes - 1) * full.entries;
    last_bytes = pack(rules, &rest).bytes;
    bytes += (nodes - 1) * footprint_class(rules, full.bytes);
    bytes += last_listpack(rules, last_bytes);
    return bytes + tree_bytes(&tree, 0, walked, 0) * nodes / walked;
}
