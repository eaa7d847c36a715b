/* Why it works: a B+ tree whose branches know how many elements lie below them, so a rank is found
 * by adding up and a bound by comparing with each branch's first element.  What is full is split on
 * the way down, so there is always room below; what has become sparse is joined with a neighbour on
 * the way up, so that two neighbours together are never less than half of one node. */
#include "models/data/zset_index.h"

#include <string.h>

#include "sim/ensure.h"

/* With these a node is 512 bytes as malloc counts. */
#define LEAF_MAX  125
#define INNER_MAX 31

typedef struct {
    uint32_t count;
    uint32_t places[LEAF_MAX];
} Leaf;

typedef struct {
    void *node;     /* Leaf at height 0, else Inner */
    uint32_t first; /* the place that comes first below */
    uint32_t count; /* elements below */
} Branch;

typedef struct {
    uint32_t count;
    Branch branches[INNER_MAX];
} Inner;

struct ZsetIndex {
    Branch root;
    uint32_t height;
    uint32_t leaf_count, inner_count;
};

int scored_compare(const Scored *a, const Scored *b)
{
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    if (a->ref.index != b->ref.index)
        return a->ref.index < b->ref.index ? -1 : 1;
    return payload_text_compare(a->ref.name, b->ref.name);
}

/* --- nodes */

static Leaf *leaf_new(ZsetIndex *index)
{
    index->leaf_count++;
    return g_new0(Leaf, 1);
}

static Inner *inner_new(ZsetIndex *index)
{
    index->inner_count++;
    return g_new0(Inner, 1);
}

static void node_free(ZsetIndex *index, void *node, uint32_t height)
{
    *(height == 0 ? &index->leaf_count : &index->inner_count) -= 1;
    g_free(node);
}

static uint32_t node_count(const Branch *branch, uint32_t height)
{
    return height == 0 ? ((const Leaf *)branch->node)->count : ((const Inner *)branch->node)->count;
}

static uint32_t node_max(uint32_t height)
{
    return height == 0 ? LEAF_MAX : INNER_MAX;
}

/* What a branch knows of its node, told anew. */
static void branch_refresh(Branch *branch, uint32_t height)
{
    const Inner *inner = branch->node;
    const Leaf *leaf = branch->node;

    if (height == 0) {
        branch->count = leaf->count;
        branch->first = leaf->places[0];
        return;
    }
    branch->count = 0;
    branch->first = inner->branches[0].first;
    for (uint32_t i = 0; i < inner->count; i++)
        branch->count += inner->branches[i].count;
}

/* Items from `from` on of one node go behind those of another of the same height. */
static void node_pour(void *from_node, uint32_t from, void *to_node, uint32_t height)
{
    if (height == 0) {
        Leaf *source = from_node;
        Leaf *target = to_node;
        uint32_t count = source->count - from;

        memcpy(target->places + target->count, source->places + from, count * sizeof(uint32_t));
        target->count += count;
        source->count = from;
    } else {
        Inner *source = from_node;
        Inner *target = to_node;
        uint32_t count = source->count - from;

        memcpy(target->branches + target->count, source->branches + from, count * sizeof(Branch));
        target->count += count;
        source->count = from;
    }
}

static void inner_insert(Inner *inner, uint32_t at, Branch branch)
{
    memmove(inner->branches + at + 1, inner->branches + at, (inner->count - at) * sizeof(Branch));
    inner->branches[at] = branch;
    inner->count++;
}

static void inner_remove(Inner *inner, uint32_t at)
{
    inner->count--;
    memmove(inner->branches + at, inner->branches + at + 1, (inner->count - at) * sizeof(Branch));
}

/* --- set-up */

/* The branches of one level become those of the next, three quarters full and alike. */
static uint32_t build_level(ZsetIndex *index, Branch *branches, uint32_t count)
{
    uint32_t node_count_above = (count + INNER_MAX * 3 / 4 - 1) / (INNER_MAX * 3 / 4);
    uint32_t taken = 0;

    for (uint32_t i = 0; i < node_count_above; i++) {
        uint32_t end = (uint32_t)((uint64_t)count * (i + 1) / node_count_above);
        Inner *inner = inner_new(index);

        inner->count = end - taken;
        memcpy(inner->branches, branches + taken, inner->count * sizeof(Branch));
        taken = end;
        branches[i].node = inner; /* those up to taken are copied */
        branch_refresh(&branches[i], 1);
    }
    return node_count_above;
}

ZsetIndex *zset_index_new(const uint32_t *places, uint32_t count)
{
    ZsetIndex *index = g_new0(ZsetIndex, 1);
    uint32_t node_total = MAX((count + LEAF_MAX * 3 / 4 - 1) / (LEAF_MAX * 3 / 4), 1);
    g_autofree Branch *branches = g_new0(Branch, node_total);
    uint32_t taken = 0;

    for (uint32_t i = 0; i < node_total; i++) {
        uint32_t end = (uint32_t)((uint64_t)count * (i + 1) / node_total);
        Leaf *leaf = leaf_new(index);

        leaf->count = end - taken;
        if (leaf->count > 0)
            memcpy(leaf->places, places + taken, leaf->count * sizeof(uint32_t));
        taken = end;
        branches[i].node = leaf;
        branch_refresh(&branches[i], 0);
    }
    for (; node_total > 1; index->height++)
        node_total = build_level(index, branches, node_total);
    index->root = branches[0];
    return index;
}

static void free_below(ZsetIndex *index, void *node, uint32_t height)
{
    const Inner *inner = node;

    for (uint32_t i = 0; height > 0 && i < inner->count; i++)
        free_below(index, inner->branches[i].node, height - 1);
    node_free(index, node, height);
}

void zset_index_free(ZsetIndex *index)
{
    if (!index)
        return;
    free_below(index, index->root.node, index->height);
    g_free(index);
}

uint32_t zset_index_count(const ZsetIndex *index)
{
    return index->root.count;
}

uint64_t zset_index_bytes(const ZsetIndex *index)
{
    return sizeof(*index) + (uint64_t)index->leaf_count * sizeof(Leaf) +
           (uint64_t)index->inner_count * sizeof(Inner);
}

/* --- finding */

/* Which branch a bound lies in: the last whose first element comes before it. */
static uint32_t inner_find(const Inner *inner, const ZsetPlaces *places, ZsetBefore before,
                           const void *bound)
{
    uint32_t begin = 1;
    uint32_t end = inner->count;

    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        Scored item = places->read(places->set, inner->branches[middle].first);

        if (before(bound, &item))
            begin = middle + 1;
        else
            end = middle;
    }
    return begin - 1;
}

static uint32_t leaf_find(const Leaf *leaf, const ZsetPlaces *places, ZsetBefore before,
                          const void *bound)
{
    uint32_t begin = 0;
    uint32_t end = leaf->count;

    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        Scored item = places->read(places->set, leaf->places[middle]);

        if (before(bound, &item))
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

static bool is_before(const void *bound, const Scored *item)
{
    return scored_compare(item, bound) < 0;
}

/* So that an element's own branch is found, and not the one in front of it. */
static bool is_not_after(const void *bound, const Scored *item)
{
    return scored_compare(item, bound) <= 0;
}

uint32_t zset_index_below(const ZsetIndex *index, const ZsetPlaces *places, ZsetBefore before,
                          const void *bound)
{
    const void *node = index->root.node;
    uint32_t below = 0;

    for (uint32_t height = index->height; height > 0; height--) {
        const Inner *inner = node;
        uint32_t at = inner_find(inner, places, before, bound);

        for (uint32_t i = 0; i < at; i++)
            below += inner->branches[i].count;
        node = inner->branches[at].node;
    }
    return below + leaf_find(node, places, before, bound);
}

ZsetRun zset_index_run(const ZsetIndex *index, uint32_t rank)
{
    const void *node = index->root.node;
    ZsetRun run = {0};

    ensure(rank < index->root.count);
    for (uint32_t height = index->height; height > 0; height--) {
        const Inner *inner = node;
        uint32_t at = 0;

        while (rank - run.first >= inner->branches[at].count)
            run.first += inner->branches[at++].count;
        node = inner->branches[at].node;
    }
    run.places = ((const Leaf *)node)->places;
    run.count = ((const Leaf *)node)->count;
    return run;
}

/* --- changing */

static void split(ZsetIndex *index, Inner *parent, uint32_t at, uint32_t height)
{
    Branch *branch = &parent->branches[at];
    Branch right = {.node = height == 0 ? (void *)leaf_new(index) : (void *)inner_new(index)};

    node_pour(branch->node, node_max(height) / 2, right.node, height);
    branch_refresh(branch, height);
    branch_refresh(&right, height);
    inner_insert(parent, at + 1, right);
}

static void grow_root(ZsetIndex *index)
{
    Inner *inner = inner_new(index);

    inner_insert(inner, 0, index->root);
    index->root.node = inner;
    index->height++;
}

void zset_index_enter(ZsetIndex *index, const ZsetPlaces *places, uint32_t place)
{
    Scored item = places->read(places->set, place);
    Branch *branch = &index->root;
    uint32_t height;
    Leaf *leaf;
    uint32_t at;

    if (node_count(branch, index->height) == node_max(index->height))
        grow_root(index);
    for (height = index->height; height > 0; height--) {
        Inner *inner = branch->node;

        branch->count++;
        at = inner_find(inner, places, is_before, &item);
        if (node_count(&inner->branches[at], height - 1) == node_max(height - 1)) {
            split(index, inner, at, height - 1);
            at = inner_find(inner, places, is_before, &item);
        }
        branch = &inner->branches[at];
    }
    branch->count++;
    leaf = branch->node;
    at = leaf_find(leaf, places, is_before, &item);
    memmove(leaf->places + at + 1, leaf->places + at, (leaf->count - at) * sizeof(uint32_t));
    leaf->places[at] = place;
    leaf->count++;
    if (at > 0)
        return;
    /* The first of its leaf, and then of the whole tree: else it would lie in the branch before. */
    branch = &index->root;
    for (height = index->height;; height--) {
        branch->first = place;
        if (height == 0)
            return;
        branch = &((Inner *)branch->node)->branches[0];
    }
}

/* Two neighbours become one when that leaves room, an empty one goes. */
static void join(ZsetIndex *index, Inner *parent, uint32_t left, uint32_t height)
{
    Branch *a = &parent->branches[left];
    Branch *b = a + 1;

    if (left + 1 >= parent->count ||
        node_count(a, height) + node_count(b, height) > node_max(height) * 3 / 4)
        return;
    node_pour(b->node, 0, a->node, height);
    branch_refresh(a, height);
    node_free(index, b->node, height);
    inner_remove(parent, left + 1);
}

static void leave_below(ZsetIndex *index, Branch *branch, uint32_t height, const ZsetPlaces *places,
                        const Scored *item, uint32_t place)
{
    Inner *inner = branch->node;
    uint32_t at;

    if (height == 0) {
        Leaf *leaf = branch->node;

        at = leaf_find(leaf, places, is_before, item);
        ensure(at < leaf->count && leaf->places[at] == place);
        leaf->count--;
        memmove(leaf->places + at, leaf->places + at + 1, (leaf->count - at) * sizeof(uint32_t));
        branch_refresh(branch, height);
        return;
    }
    at = inner_find(inner, places, is_not_after, item);
    leave_below(index, &inner->branches[at], height - 1, places, item, place);
    if (node_count(&inner->branches[at], height - 1) == 0) {
        node_free(index, inner->branches[at].node, height - 1);
        inner_remove(inner, at);
    } else {
        join(index, inner, at, height - 1);
        if (at > 0)
            join(index, inner, at - 1, height - 1);
    }
    branch->first = inner->branches[0].first;
    branch->count--;
}

void zset_index_leave(ZsetIndex *index, const ZsetPlaces *places, uint32_t place)
{
    Scored item = places->read(places->set, place);

    leave_below(index, &index->root, index->height, places, &item, place);
    while (index->height > 0 && ((const Inner *)index->root.node)->count == 1) {
        Inner *old = index->root.node;

        index->root = old->branches[0];
        node_free(index, old, index->height--);
    }
}

void zset_index_move(ZsetIndex *index, const ZsetPlaces *places, uint32_t from, uint32_t to)
{
    Scored item = places->read(places->set, from);
    Branch *branch = &index->root;
    Leaf *leaf;
    uint32_t at;

    for (uint32_t height = index->height; height > 0; height--) {
        Inner *inner = branch->node;

        branch->first = branch->first == from ? to : branch->first;
        branch = &inner->branches[inner_find(inner, places, is_not_after, &item)];
    }
    branch->first = branch->first == from ? to : branch->first;
    leaf = branch->node;
    at = leaf_find(leaf, places, is_before, &item);
    ensure(at < leaf->count && leaf->places[at] == from);
    leaf->places[at] = to;
}
