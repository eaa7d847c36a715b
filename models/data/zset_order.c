/* Why it works: sorting a handful is cheaper than keeping them in order through every increment of
 * any member.  A larger set is sorted once, when first asked; from then on each change of a score
 * moves one element of the index (order_leave, order_enter), and the answer is read from there. */
#include "models/data/zset_order.h"

#include <stdlib.h>
#include <string.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

#define FETCH_AHEAD 6 /* elements */

static int compare(const void *a, const void *b)
{
    return scored_compare(a, b);
}

void zset_sort(Scored *items, uint32_t count)
{
    if (count > 1)
        qsort(items, count, sizeof(Scored), compare);
}

/* --- the index of a key */

/* What ZsetPlaces.set points to. */
typedef struct {
    Store *store;
    const Key *key;
} ZsetOfKey;

static ElementRef ref_at(const Key *key, uint32_t place)
{
    const Element *element;

    if (key->state)
        return (ElementRef){.index = place};
    element = &key->born->elements[CRDT_ZSET].entries[place];
    return (ElementRef){.name = stored_name(element->name), .hash = element->hash};
}

static Slot *slot_at(Store *store, const Key *key, uint32_t place)
{
    if (key->state)
        return key_slot(store, key, CRDT_ZSET, &(ElementRef){.index = place}, false);
    return &key->born->elements[CRDT_ZSET].entries[place].slot;
}

static Scored read_at(const void *set, uint32_t place)
{
    const ZsetOfKey *of = set;
    SlotView view = slot_view(&of->store->world.pool, slot_at(of->store, of->key, place));

    return (Scored){.score = view_score(&view), .ref = ref_at(of->key, place)};
}

static uint32_t place_of(const Key *key, const ElementRef *ref)
{
    const ElementTable *table;

    if (key->state)
        return ref->index;
    table = &key->born->elements[CRDT_ZSET];
    return (uint32_t)(element_find(table, ref) - table->entries);
}

static void order_keep(const Key *key, ZsetIndex *index)
{
    if (!key->state) {
        key->born->order = index;
        return;
    }
    if (!key->state->orders)
        key->state->orders = g_new0(ZsetIndex *, key->state->kept_count);
    key->state->orders[key->kept] = index;
}

void order_drop(const Key *key)
{
    ZsetIndex *index = key_order(key, CRDT_ZSET);

    if (!index)
        return;
    zset_index_free(index);
    order_keep(key, NULL);
}

void order_leave(Store *store, const Key *key, const ElementRef *element)
{
    ZsetOfKey of = {store, key};
    uint32_t place = place_of(key, element);

    if (slot_is_present(&store->world.pool, slot_at(store, key, place)))
        zset_index_leave(key_order(key, CRDT_ZSET), &(ZsetPlaces){read_at, &of}, place);
}

void order_enter(Store *store, const Key *key, const ElementRef *element)
{
    ZsetOfKey of = {store, key};
    uint32_t place = place_of(key, element);

    if (slot_is_present(&store->world.pool, slot_at(store, key, place)))
        zset_index_enter(key_order(key, CRDT_ZSET), &(ZsetPlaces){read_at, &of}, place);
    if (zset_index_count(key_order(key, CRDT_ZSET)) == 0)
        order_drop(key);
}

void order_move(Store *store, const Key *key, uint32_t from, uint32_t to)
{
    ZsetOfKey of = {store, key};

    if (slot_is_present(&store->world.pool, slot_at(store, key, from)))
        zset_index_move(key_order(key, CRDT_ZSET), &(ZsetPlaces){read_at, &of}, from, to);
}

/* --- the order of a key */

typedef struct {
    Scored item;
    uint32_t place;
} Placed;

static int compare_placed(const void *a, const void *b)
{
    return scored_compare(&((const Placed *)a)->item, &((const Placed *)b)->item);
}

/* Elements that are present, and those that were or may be. */
static uint32_t place_count(const Key *key)
{
    return key->state ? key->state->fields : key->born->elements[CRDT_ZSET].count;
}

static ZsetIndex *order_make(Store *store, const Key *key, uint32_t live)
{
    Placed *sorted = g_new(Placed, live);
    uint32_t *places = g_new(uint32_t, live);
    ZsetOfKey of = {store, key};
    uint32_t count = 0;
    ZsetIndex *index;

    for (uint32_t place = 0; place < place_count(key) && count < live; place++)
        if (slot_is_present(&store->world.pool, slot_at(store, key, place)))
            sorted[count++] = (Placed){read_at(&of, place), place};
    ensure(count == live);
    qsort(sorted, count, sizeof(Placed), compare_placed);
    for (uint32_t i = 0; i < count; i++)
        places[i] = sorted[i].place;
    index = zset_index_new(places, count);
    g_free(places);
    g_free(sorted);
    return index;
}

static void sort_few(ZsetOrder *order, const Key *key)
{
    const SlotPool *pool = &order->store->world.pool;
    uint32_t cursor = 0;
    uint32_t count = 0;
    ElementRef ref;
    Slot *slot;

    while (count < order->count &&
           key_next_slot(order->store, key, CRDT_ZSET, &cursor, &ref, &slot)) {
        SlotView view = slot_view(pool, slot);

        if (view.present)
            order->few[count++] = (Scored){view_score(&view), ref};
    }
    ensure(count == order->count);
    zset_sort(order->few, count);
}

void zset_order_open(CommandRun *run, const Key *key, bool exists, ZsetOrder *out)
{
    out->store = run->store;
    out->key = *key;
    out->run = (ZsetRun){0};
    out->count = exists ? key_live(run->store, key, CRDT_ZSET) : 0;
    out->index = key_order(key, CRDT_ZSET);
    if (!out->index && out->count > 0 && place_count(key) > ZSET_FEW) {
        order_keep(key, order_make(run->store, key, out->count));
        out->index = key_order(key, CRDT_ZSET);
    }
    if (!out->index)
        sort_few(out, key);
    else
        ensure(!exists || zset_index_count(out->index) == out->count);
}

/* Elements side by side in the order lie anywhere: those that will be asked for next are fetched
 * ahead, and their names once they are here. */
static void fetch_ahead(const ZsetOrder *order, uint32_t at)
{
    const ZsetRun *run = &order->run;
    const Element *entries;

    if (order->key.state || at + 2 * FETCH_AHEAD >= run->count)
        return;
    entries = order->key.born->elements[CRDT_ZSET].entries;
    prefetch(&entries[run->places[at + 2 * FETCH_AHEAD]]);
    prefetch(entries[run->places[at + FETCH_AHEAD]].name);
}

Scored zset_order_at(ZsetOrder *order, uint32_t rank)
{
    ZsetOfKey of = {order->store, &order->key};

    if (!order->index)
        return order->few[rank];
    if (rank - order->run.first >= order->run.count)
        order->run = zset_index_run(order->index, rank);
    fetch_ahead(order, rank - order->run.first);
    return read_at(&of, order->run.places[rank - order->run.first]);
}

Scored *zset_order_copy(ZsetOrder *order, uint32_t first, uint32_t count)
{
    Scored *items = g_new(Scored, count + 1);

    for (uint32_t i = 0; i < count; i++)
        items[i] = zset_order_at(order, first + i);
    return items;
}

uint32_t zset_order_below(const ZsetOrder *order, ZsetBefore before, const void *bound,
                          uint32_t from, ZsetWalk walk)
{
    ZsetOfKey of = {order->store, &order->key};

    if (order->index && order->count > 0)
        return zset_index_below(order->index, &(ZsetPlaces){read_at, &of}, before, bound);
    if (walk == WALK_UP)
        while (from < order->count && before(bound, &order->few[from]))
            from++;
    else
        while (from > 0 && !before(bound, &order->few[from - 1]))
            from--;
    return from;
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

/* As strtod reads it up to a NUL, unlike all other numbers: blanks before it are skipped, nothing
 * at all is 0, and what is too large is infinite. */
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
    if (text.data && double_parse_any(text.data + at, end - at, out))
        return true;
    run_reply_error(run, "ERR min or max is not a float");
    return false;
}

bool score_range_parse(CommandRun *run, uint32_t low_index, uint32_t high_index, ScoreRange *out)
{
    return bound_parse(run, low_index, &out->low, &out->low_exclusive) &&
           bound_parse(run, high_index, &out->high, &out->high_exclusive);
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
