/* Why it works: effects of one origin arrive in its order and a region's ids ascend, so its entries
 * are appended; a removal leaves a hole, and holes are closed once they outnumber what is left,
 * which the removals have paid for.  Only when a key began anew while a part of its past is still
 * here do smaller ids follow larger ones; then an entry is put in its place and the tree says so.
 */
#include "models/crdt/body_stream_tree.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"

/* --- dots */
uint32_t dot_set_lower(const DotSet *set, Dot dot)
{
    uint32_t low = set->first;
    uint32_t high = set->end;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (set->dots[middle] < dot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool dot_set_has(const DotSet *set, Dot dot)
{
    uint32_t at = dot_set_lower(set, dot);

    return at < set->end && set->dots[at] == dot;
}

bool dot_set_add(DotSet *set, Dot dot)
{
    uint32_t at = dot_set_lower(set, dot);

    if (at < set->end && set->dots[at] == dot)
        return false;
    if (set->end == set->capacity) {
        uint32_t count = dot_set_count(set);

        if (set->first > 0 && set->first >= set->capacity / 2) {
            memmove(set->dots, &set->dots[set->first], count * sizeof(Dot));
        } else {
            set->capacity = set->capacity > 0 ? set->capacity * 2 : 8;
            set->dots = g_renew(Dot, set->dots, set->capacity);
            memmove(set->dots, &set->dots[set->first], count * sizeof(Dot));
        }
        at -= set->first;
        set->first = 0;
        set->end = count;
    }
    memmove(&set->dots[at + 1], &set->dots[at], (set->end - at) * sizeof(Dot));
    set->dots[at] = dot;
    set->end++;
    return true;
}

bool dot_set_take(DotSet *set, Dot dot)
{
    uint32_t at = dot_set_lower(set, dot);

    if (at == set->end || set->dots[at] != dot)
        return false;
    if (at == set->first) {
        set->first++;
        return true;
    }
    memmove(&set->dots[at], &set->dots[at + 1], (set->end - at - 1) * sizeof(Dot));
    set->end--;
    return true;
}

void dot_set_drop_up_to(DotSet *set, Dot dot)
{
    set->first = dot_set_lower(set, dot + 1);
}

void dot_set_clear(DotSet *set)
{
    g_free(set->dots);
    *set = (DotSet){0};
}

/* --- entries */
static int entry_compare(const StreamEntry *entry, StreamId id, Dot dot)
{
    int order = stream_id_compare(entry->id, id);

    if (order != 0)
        return order;
    return entry->dot < dot ? -1 : entry->dot > dot;
}

uint32_t tree_lower(const StreamTree *tree, StreamId id, Dot dot)
{
    uint32_t low = tree->first;
    uint32_t high = tree->end;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (entry_compare(&tree->entries[middle], id, dot) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t tree_lower_dot(const StreamTree *tree, Dot dot)
{
    uint32_t low = tree->first;
    uint32_t high = tree->end;

    ensure(!tree->disordered);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (tree->entries[middle].dot < dot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Closes the holes, so that what is left begins at 0, and looks again whether all is in order. */
static void tree_compact(StreamTree *tree)
{
    uint32_t count = 0;

    tree->disordered = false;
    for (uint32_t i = tree->first; i < tree->end; i++) {
        if (tree->entries[i].dead)
            continue;
        tree->entries[count] = tree->entries[i];
        if (count > 0 && tree->entries[count - 1].dot > tree->entries[count].dot)
            tree->disordered = true;
        count++;
    }
    tree->first = 0;
    tree->end = count;
    ensure(count == tree->live_count);
}

void tree_tidy(StreamTree *tree)
{
    while (tree->first < tree->end && tree->entries[tree->first].dead)
        tree->first++;
    while (tree->end > tree->first && tree->entries[tree->end - 1].dead)
        tree->end--;
    if (tree->live_count == 0) {
        g_free(tree->entries);
        *tree = (StreamTree){0};
        return;
    }
    if (tree->end - tree->first > 2 * tree->live_count + 16 || tree->disordered)
        tree_compact(tree);
    if (tree->capacity > 64 && tree->live_count < tree->capacity / 8) {
        tree_compact(tree);
        tree->capacity /= 4;
        tree->entries = g_renew(StreamEntry, tree->entries, tree->capacity);
    }
}

static void tree_make_room(StreamTree *tree)
{
    if (tree->end < tree->capacity)
        return;
    if (tree->live_count < tree->capacity - tree->capacity / 4) {
        tree_compact(tree); /* what it moves, at least a quarter of that was removed */
        return;
    }
    tree->capacity = tree->capacity > 0 ? tree->capacity * 2 : 4;
    tree->entries = g_renew(StreamEntry, tree->entries, tree->capacity);
}

void tree_insert(StreamTree *tree, const StreamEntry *entry)
{
    uint32_t at;

    tree_make_room(tree);
    at = tree_lower(tree, entry->id, entry->dot);
    if (at < tree->end) {
        memmove(&tree->entries[at + 1], &tree->entries[at], (tree->end - at) * sizeof(StreamEntry));
        tree->disordered = true;
    } else if (at > tree->first && tree->entries[at - 1].dot > entry->dot) {
        tree->disordered = true;
    }
    tree->entries[at] = *entry;
    tree->end++;
    tree->live_count++;
}

uint32_t entry_text_bytes(const StreamEntry *entry)
{
    uint32_t count;

    if (entry->kind != VALUE_BYTES)
        return entry->bytes;
    memcpy(&count, (const char *)(uintptr_t)entry->number, sizeof(count));
    return entry->bytes - (count + 1) * (uint32_t)sizeof(uint32_t);
}

void entry_free_value(StreamEntry *entry)
{
    if (entry->kind == VALUE_BYTES)
        g_free((char *)(uintptr_t)entry->number);
    entry->kind = VALUE_NONE;
}

StreamEntry entry_copy(const StreamEntry *entry)
{
    StreamEntry copy = *entry;

    if (entry->kind == VALUE_BYTES)
        copy.number =
            (uint64_t)(uintptr_t)g_memdup2((const char *)(uintptr_t)entry->number, entry->bytes);
    return copy;
}

void tree_kill(StreamTree *tree, uint32_t at)
{
    ensure(!tree->entries[at].dead);
    entry_free_value(&tree->entries[at]);
    tree->entries[at].dead = true;
    tree->live_count--;
}

void tree_clear(StreamTree *tree)
{
    for (uint32_t i = tree->first; i < tree->end; i++)
        if (!tree->entries[i].dead)
            entry_free_value(&tree->entries[i]);
    g_free(tree->entries);
    *tree = (StreamTree){0};
}

Dot tree_oldest(const StreamTree *tree)
{
    Dot oldest = UINT64_MAX;

    if (!tree->disordered)
        return tree->first < tree->end ? tree->entries[tree->first].dot : UINT64_MAX;
    for (uint32_t i = tree->first; i < tree->end; i++)
        if (!tree->entries[i].dead && tree->entries[i].dot < oldest)
            oldest = tree->entries[i].dot;
    return oldest;
}
