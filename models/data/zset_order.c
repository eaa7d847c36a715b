/* Why it works: scores may change with every increment of any member, so an index kept in order
 * would have to be mended on each effect; sets asked for their order are small or asked seldom, so
 * sorting then is cheaper. */
#include "models/data/zset_order.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const Scored *x = a;
    const Scored *y = b;
    uint32_t bytes = MIN(x->ref.name.bytes, y->ref.name.bytes);
    int names;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (x->ref.index != y->ref.index)
        return x->ref.index < y->ref.index ? -1 : 1;
    names = bytes > 0 ? memcmp(x->ref.name.data, y->ref.name.data, bytes) : 0;
    if (names != 0)
        return names;
    return (x->ref.name.bytes > y->ref.name.bytes) - (x->ref.name.bytes < y->ref.name.bytes);
}

static bool next_scored(CommandRun *run, const Key *key, uint32_t *cursor, Scored *out)
{
    Slot *slot;

    while (key_next_slot(run->store, key, CRDT_ZSET, cursor, &out->ref, &slot)) {
        SlotView view = slot_view(&run->store->world.pool, slot);

        if (!view.present)
            continue;
        out->score = view_score(&view);
        return true;
    }
    return false;
}

ScoredList zset_sorted(CommandRun *run, const Key *key, bool exists)
{
    ScoredList list = {0};
    uint32_t cursor = 0;
    uint32_t live = exists ? key_live(run->store, key, CRDT_ZSET) : 0;

    list.items = g_new(Scored, live + 1);
    while (list.count < live && next_scored(run, key, &cursor, &list.items[list.count]))
        list.count++;
    zset_sort(&list);
    return list;
}

void zset_sort(ScoredList *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(Scored), compare);
}

Value score_value(double score)
{
    Value value = {.kind = VALUE_SCORE, .bytes = sizeof(score)};

    memcpy(&value.number, &score, sizeof(score));
    return value;
}

/* DEL and assignments (crdt-semantics.md 3.5), from a copy of the names. */
void zset_replace(CommandRun *run, uint32_t index, const Scored *items, uint32_t count)
{
    g_autoptr(GByteArray) names = g_byte_array_new();
    uint32_t at = 0;
    bool exists;
    Key target;

    if (!run_find_to_write(run, index, -1, &target, &exists))
        return;
    if (target.state) {
        run_reply_error(run, "ERR storing into a declared key is not simulated");
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        g_byte_array_append(names, (const guint8 *)items[i].ref.name.data, items[i].ref.name.bytes);
    store_delete(run->store, &target, run->now);
    for (uint32_t i = 0; i < count; i++) {
        ElementRef ref = {.name = {(const char *)names->data + at, items[i].ref.name.bytes}};

        if (!names->data)
            ref.name.data = "";
        ref.hash = name_hash(ref.name.data, ref.name.bytes);
        at += ref.name.bytes;
        run_assign(run, &target, CRDT_ZSET, &ref, score_value(items[i].score));
    }
    run_reply_integer(run, count);
}

bool zset_first(CommandRun *run, const Key *key, bool highest, Scored *out)
{
    uint32_t cursor = 0;
    bool found = false;
    Scored each;

    while (next_scored(run, key, &cursor, &each)) {
        int order = found ? compare(&each, out) : 0;

        if (!found || (highest ? order > 0 : order < 0))
            *out = each;
        found = true;
    }
    return found;
}

uint32_t zset_count_before(CommandRun *run, const Key *key, const Scored *at, bool reverse)
{
    uint32_t cursor = 0;
    uint32_t count = 0;
    Scored each;

    while (next_scored(run, key, &cursor, &each)) {
        int order = compare(&each, at);

        count += reverse ? order > 0 : order < 0;
    }
    return count;
}

/* As strtod reads it up to a NUL, unlike all other numbers: blanks before it are skipped, and
 * nothing at all is 0. */
static bool bound_parse(CommandRun *run, uint32_t index, double *out, bool *out_exclusive)
{
    PayloadText text = run_text(run, index);
    uint32_t at = text.data && text.bytes > 0 && text.data[0] == '(';
    uint32_t end = at;

    *out_exclusive = at > 0;
    while (text.data && end < text.bytes && text.data[end] != '\0')
        end++;
    *out = 0;
    if (text.data && at == end)
        return true;
    while (at < end && g_ascii_isspace(text.data[at]))
        at++;
    if (text.data && double_parse(text.data + at, end - at, out))
        return true;
    run_reply_error(run, "ERR min or max is not a float");
    return false;
}

bool score_range_parse(CommandRun *run, uint32_t low_index, uint32_t high_index, ScoreRange *out)
{
    return bound_parse(run, low_index, &out->low, &out->low_exclusive) &&
           bound_parse(run, high_index, &out->high, &out->high_exclusive);
}

bool score_range_holds(const ScoreRange *range, double score)
{
    bool above = range->low_exclusive ? score > range->low : score >= range->low;
    bool below = range->high_exclusive ? score < range->high : score <= range->high;

    return above && below;
}

void run_push_score(CommandRun *run, double score)
{
    char buffer[DECIMAL_TEXT_MAX];

    if (run->arena)
        run_push_text(run, (PayloadText){buffer, (uint32_t)double_format(score, buffer)});
    else
        run_push_text(run, (PayloadText){NULL, SCORE_TEXT_BYTES});
}

void run_reply_score(CommandRun *run, double score)
{
    char buffer[DECIMAL_TEXT_MAX];

    if (run->arena)
        run_reply_text(run, (PayloadText){buffer, (uint32_t)double_format(score, buffer)});
    else
        run_reply_text(run, (PayloadText){NULL, SCORE_TEXT_BYTES});
}
