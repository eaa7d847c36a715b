/* SORT: the elements of a list, set or sorted set in the order of numbers or texts.
 *
 * Why it works: each element gets a weight, its own text or what BY finds for it; equal weights
 * fall back on the elements' bytes, so the order is total.
 *
 * Simplified: texts are ordered by their bytes, as Redis does in the C locale. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "models/data/list_write.h"
#include "models/data/zset_order.h"

typedef struct {
    PayloadText name; /* owned */
    char *by;         /* owned; NULL: BY finds nothing */
    uint32_t by_bytes;
    double number;
} SortItem;

typedef struct {
    bool alpha, descending, unsorted, by_pattern;
    PayloadText by;
    int64_t offset, count;
    uint32_t store_index; /* 0: the elements are the reply */
    uint32_t get_count;
} SortQuery;

static bool read_limit(CommandRun *run, uint32_t index, SortQuery *query)
{
    return run_integer(run, index + 1, &query->offset) &&
           run_integer(run, index + 2, &query->count);
}

/* One option; *index moves to its last argument. */
static bool read_option(CommandRun *run, uint32_t *index, SortQuery *query)
{
    const Arg *arg = run_arg(run, *index);
    uint32_t left = run_count(run) - *index - 1;

    if (arg_is(arg, "ASC") || arg_is(arg, "DESC")) {
        query->descending = arg_is(arg, "DESC");
    } else if (arg_is(arg, "ALPHA")) {
        query->alpha = true;
    } else if (arg_is(arg, "LIMIT") && left >= 2) {
        if (!read_limit(run, *index, query))
            return false;
        *index += 2;
    } else if (arg_is(arg, "STORE") && left >= 1 && run->command->spec->writes) {
        query->store_index = ++*index;
    } else if (arg_is(arg, "BY") && left >= 1) {
        query->by = run_text(run, ++*index);
        query->by_pattern = query->by.data && memchr(query->by.data, '*', query->by.bytes);
        query->unsorted |= !query->by_pattern;
    } else if (arg_is(arg, "GET") && left >= 1) {
        query->get_count++;
        ++*index;
    } else {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    return true;
}

static bool read_query(CommandRun *run, SortQuery *query)
{
    query->count = -1;
    for (uint32_t i = 1; i < run_count(run); i++)
        if (!read_option(run, &i, query))
            return false;
    return true;
}

/* What the pattern finds when its star stands for the element: a string, or with "->" a hash's
 * field.  false: nothing. */
static bool look_up(CommandRun *run, PayloadText pattern, PayloadText element, ViewText *out)
{
    const char *star = pattern.data ? memchr(pattern.data, '*', pattern.bytes) : NULL;
    g_autoptr(GByteArray) name = NULL;
    PayloadText tail;
    PayloadText field = {NULL, 0};
    ElementRef ref = {0};
    SlotView view;
    Key key;
    int type;

    if (pattern.data && pattern.bytes == 1 && pattern.data[0] == '#') {
        out->text = element;
        return true;
    }
    if (!star)
        return false;
    tail = (PayloadText){star + 1, pattern.bytes - (uint32_t)(star + 1 - pattern.data)};
    for (uint32_t i = 0; i + 2 < tail.bytes; i++) {
        if (tail.data[i] != '-' || tail.data[i + 1] != '>')
            continue;
        field = (PayloadText){tail.data + i + 2, tail.bytes - i - 2};
        tail.bytes = i;
    }
    name = g_byte_array_new();
    g_byte_array_append(name, (const guint8 *)pattern.data, (guint)(star - pattern.data));
    g_byte_array_append(name, (const guint8 *)element.data, element.bytes);
    g_byte_array_append(name, (const guint8 *)tail.data, tail.bytes);
    key = key_of_name(run->store, (PayloadText){(const char *)name->data, name->len},
                      name_hash((const char *)name->data, name->len));
    type = field.data ? CRDT_HASH : CRDT_STRING;
    if (key_type(run->store, &key) != type || key_is_expired(run->store, &key, run->now))
        return false;
    if (field.data) {
        ref.name = field;
        ref.hash = name_hash(field.data, field.bytes);
    }
    view = run_view(run, &key, type, &ref);
    if (view.present)
        view_text(&view, out);
    return view.present;
}

/* --- loading */

static SortItem item_of(PayloadText name)
{
    SortItem item = {.name = {.bytes = name.bytes}};
    char *copy = g_malloc0((gsize)name.bytes + 1);

    if (name.bytes > 0 && name.data)
        memcpy(copy, name.data, name.bytes);
    item.name.data = copy;
    return item;
}

static void item_free(void *data)
{
    SortItem *item = data;

    g_free((char *)(uintptr_t)item->name.data);
    g_free(item->by);
}

static void load_zset(CommandRun *run, const Key *key, const SortQuery *query, GArray *items)
{
    bool reverse = query->unsorted && query->descending;
    ZsetOrder order;

    zset_order_open(run, key, true, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        Scored each = zset_order_at(&order, reverse ? order.count - 1 - i : i);
        SortItem item = item_of(each.ref.name);

        g_array_append_val(items, item);
    }
}

static void load_set(CommandRun *run, const Key *key, GArray *items)
{
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    while (key_next_slot(run->store, key, CRDT_SET, &cursor, &ref, &slot)) {
        SortItem item;

        if (!slot_is_present(&run->store->world.pool, slot))
            continue;
        item = item_of(ref.name);
        g_array_append_val(items, item);
    }
}

static void load_list(CommandRun *run, const Key *key, const SortQuery *query, GArray *items)
{
    const CrdtBody *list = run_body(run, key, CRDT_LIST);
    bool reverse = query->unsorted && query->descending;
    ListCursor cursor = list_cursor(list, reverse ? list_count(list) - 1 : 0);

    for (; list_cursor_is_valid(&cursor);
         reverse ? list_cursor_back(&cursor) : list_cursor_forward(&cursor)) {
        Value value = list_cursor_value(&cursor);
        bool real = value.kind == VALUE_BYTES;
        SortItem item = item_of((PayloadText){real ? value.data : NULL, real ? value.bytes : 0});

        g_array_append_val(items, item);
    }
}

/* strtod's reading up to a NUL: an empty text, or a missing one, is 0.  A number so small that it
 * lost digits is none, as for Redis. */
static bool weigh_number(PayloadText text, double *out)
{
    const char *nul = text.bytes > 0 ? memchr(text.data, '\0', text.bytes) : NULL;

    *out = 0;
    if (nul)
        text.bytes = (uint32_t)(nul - text.data);
    if (text.bytes == 0)
        return true;
    while (text.bytes > 0 && g_ascii_isspace(text.data[0])) {
        text.data++;
        text.bytes--;
    }
    return double_parse(text.data, text.bytes, out) && (*out == 0 || fabs(*out) >= DBL_MIN);
}

/* false: some weight is no number. */
static bool weigh(CommandRun *run, const SortQuery *query, GArray *items)
{
    bool right = true;

    for (uint32_t i = 0; i < items->len; i++) {
        SortItem *item = &g_array_index(items, SortItem, i);
        ViewText text = {.text = item->name};
        bool found = !query->by_pattern || look_up(run, query->by, item->name, &text);

        if (query->alpha && query->by_pattern && found) {
            item->by = g_malloc0((gsize)text.text.bytes + 1);
            item->by_bytes = text.text.bytes;
            if (text.text.data && text.text.bytes > 0)
                memcpy(item->by, text.text.data, text.text.bytes);
        } else if (!query->alpha && found) {
            right &= weigh_number(text.text, &item->number);
        }
    }
    return right;
}

/* --- ordering */

static int compare_items(const void *a, const void *b, void *data)
{
    const SortQuery *query = data;
    const SortItem *x = a;
    const SortItem *y = b;
    int order = 0;

    if (!query->alpha)
        order = (x->number > y->number) - (x->number < y->number);
    else if (query->by_pattern && (!x->by || !y->by))
        order = (x->by != NULL) - (y->by != NULL);
    else if (query->by_pattern)
        order = payload_text_compare((PayloadText){x->by, x->by_bytes},
                                     (PayloadText){y->by, y->by_bytes});
    if (order == 0)
        order = payload_text_compare(x->name, y->name);
    return query->descending ? -order : order;
}

/* --- replying */

static void push_gets(CommandRun *run, const SortItem *item)
{
    for (uint32_t i = 1; i + 1 < run_count(run); i++) {
        ViewText text;

        if (arg_is(run_arg(run, i), "LIMIT"))
            i += 2;
        else if (arg_is(run_arg(run, i), "BY") || arg_is(run_arg(run, i), "STORE"))
            i++;
        else if (arg_is(run_arg(run, i), "GET")) {
            if (look_up(run, run_text(run, ++i), item->name, &text))
                run_push_text(run, text.text);
            else
                run_push_nil(run);
        }
    }
}

static void reply_items(CommandRun *run, const SortQuery *query, const GArray *items)
{
    int64_t first = MIN(MAX(query->offset, 0), (int64_t)items->len);
    int64_t count = (int64_t)items->len - first;

    if (query->count >= 0)
        count = MIN(count, query->count);
    run_reply_array(run, (uint32_t)count * MAX(query->get_count, 1));
    for (int64_t i = first; i < first + count; i++) {
        const SortItem *item = &g_array_index(items, SortItem, i);

        if (query->get_count > 0)
            push_gets(run, item);
        else
            run_push_text(run, item->name);
    }
}

/* DEL and a list made of what the reply would be; nothing found is an empty element. */
static void store_reply(CommandRun *run, const SortQuery *query, const Reply *found)
{
    bool exists;
    Key target;

    if (!run_find_to_write(run, query->store_index, -1, &target, &exists))
        return;
    if (target.state) {
        run_reply_error(run, "ERR storing into a declared key is not simulated");
        return;
    }
    store_delete(run->store, &target, run->now);
    for (uint32_t i = 0; i < found->count; i++) {
        const Reply *item = &found->items[i];

        list_push(run, &target, END_RIGHT,
                  (Value){.kind = VALUE_BYTES,
                          .data = item->text ? item->text : "",
                          .bytes = item->text ? (uint32_t)item->bytes : 0});
    }
    run_reply_integer(run, found->count);
}

static void answer(CommandRun *run, const SortQuery *query, const GArray *items)
{
    Arena *asked = run->arena;
    Reply found;

    if (query->store_index == 0) {
        reply_items(run, query, items);
        return;
    }
    run->arena = arena_new();
    reply_items(run, query, items);
    found = *run->reply;
    store_reply(run, query, &found);
    arena_free(run->arena);
    run->arena = asked;
}

static void run_sort(CommandRun *run)
{
    SortQuery query = {0};
    GArray *items;
    bool exists;
    int type;
    Key key;

    if (!read_query(run, &query) || !run_find(run, 0, -1, &key, &exists))
        return;
    type = exists ? key_type(run->store, &key) : CRDT_SET;
    if (type != CRDT_SET && type != CRDT_ZSET && type != CRDT_LIST) {
        run_reply_error(run, ERROR_WRONGTYPE);
        return;
    }
    if (query.store_index != 0 && query.unsorted && type == CRDT_SET) {
        query.unsorted = false; /* what is stored must not depend on where elements stand */
        query.alpha = true;
    }
    items = g_array_new(FALSE, FALSE, sizeof(SortItem));
    g_array_set_clear_func(items, item_free);
    if (exists && type == CRDT_ZSET)
        load_zset(run, &key, &query, items);
    else if (exists && type == CRDT_LIST)
        load_list(run, &key, &query, items);
    else if (exists)
        load_set(run, &key, items);
    if (!query.unsorted && !weigh(run, &query, items)) {
        run_reply_error(run, "ERR One or more scores can't be converted into double");
    } else {
        if (!query.unsorted)
            g_array_sort_with_data(items, compare_items, &query);
        answer(run, &query, items);
    }
    g_array_free(items, TRUE);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SORT", "elements in order", -2, true, OP_READ, SHAPE_KEY, 8.0,
                      run_sort),
    COMMAND_SPEC("SORT_RO", "elements in order", -2, false, OP_READ, SHAPE_KEY, 8.0, run_sort),
};

const CommandGroup command_group_sort = {
    .head = {.name = "sort", .summary = "elements of collections in order"},
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
