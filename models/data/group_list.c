/* Commands on lists (crdt-semantics.md 5).
 *
 * Why it works: indexes are looked up here and never leave; what is shipped names elements.  Each
 * element pushed is an effect of its own, as its dot is its name; elements removed by one command
 * go in one. */
#include <glib.h>
#include <string.h>

#include "models/crdt/body_list.h"
#include "models/data/list_argument.h"
#include "models/data/list_write.h"

#define ERROR_POSITIVE "ERR value is out of range, must be positive"
#define ERROR_NO_KEY   "ERR no such key"
#define ERROR_INDEX    "ERR index out of range"

static const CrdtBody *list_of(CommandRun *run, const Key *key, bool exists)
{
    return exists ? run_body(run, key, CRDT_LIST) : NULL;
}

PayloadText list_value_text(const Value *value)
{
    return (PayloadText){value->kind == VALUE_BYTES ? value->data : NULL, value->bytes};
}

Value list_argument(CommandRun *run, const Key *key, uint32_t index)
{
    PayloadText text;

    if (run_arg(run, index)->kind != ARG_INTEGER)
        return run_value(run, key, index);
    text = run_text(run, index);
    return (Value){.kind = VALUE_BYTES, .data = text.data, .bytes = text.bytes};
}

/* Simplified: every edit allocates its bytes, synthetic ones too. */
void list_edit_send(CommandRun *run, Key *key, PayloadWriter *edit, Value value)
{
    run_edit(run, key, CRDT_LIST, edit, value);
    payload_clear(edit);
}

static void insert_at(CommandRun *run, Key *key, uint32_t index, Value value)
{
    PayloadWriter edit = {0};

    list_edit_insert(run_body(run, key, CRDT_LIST), index, &edit);
    list_edit_send(run, key, &edit, value);
}

void list_push(CommandRun *run, Key *key, ListEnd end, Value value)
{
    insert_at(run, key, end == END_LEFT ? 0 : list_count(run_body(run, key, CRDT_LIST)), value);
}

static void push_values(CommandRun *run, ListEnd end, bool only_existing)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    if (exists || !only_existing)
        for (uint32_t i = 1; i < MAX(run_count(run), 2); i++)
            list_push(run, &key, end, list_argument(run, &key, i));
    exists |= !only_existing;
    run_reply_integer(run, list_count(list_of(run, &key, exists)));
}

/* LPUSH, RPUSH, LPUSHX and RPUSHX. */
static void run_push(CommandRun *run)
{
    const char *name = run->command->spec->name;

    push_values(run, name[0] == 'L' ? END_LEFT : END_RIGHT, g_str_has_suffix(name, "X"));
}

void list_reply_range(CommandRun *run, const CrdtBody *list, uint32_t from, uint32_t count)
{
    ListCursor cursor = list_cursor(list, from);

    for (uint32_t i = 0; i < count; i++) {
        Value value = list_cursor_value(&cursor);

        run_push_text(run, list_value_text(&value));
        list_cursor_forward(&cursor);
    }
}

static void run_llen(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_LIST, &key, &exists))
        run_reply_integer(run, list_count(list_of(run, &key, exists)));
}

/* Indexes from the end are negative; what lies outside is cut off.  false: nothing is inside. */
static bool range_within(int64_t start, int64_t stop, uint32_t length, uint32_t *out_from,
                         uint32_t *out_count)
{
    if (start < 0)
        start = MAX(start + length, 0);
    if (stop < 0)
        stop += length;
    stop = MIN(stop, (int64_t)length - 1);
    *out_from = 0;
    *out_count = 0;
    if (start > stop)
        return false;
    *out_from = (uint32_t)start;
    *out_count = (uint32_t)(stop - start + 1);
    return true;
}

static void run_lrange(CommandRun *run)
{
    const CrdtBody *list;
    uint32_t from;
    uint32_t count;
    int64_t start;
    int64_t stop;
    bool exists;
    Key key;

    if (!run_integer(run, 1, &start) || !run_integer(run, 2, &stop) ||
        !run_find(run, 0, CRDT_LIST, &key, &exists))
        return;
    list = list_of(run, &key, exists);
    range_within(start, stop, list_count(list), &from, &count);
    run_reply_array(run, count);
    list_reply_range(run, list, from, count);
}

static void run_ltrim(CommandRun *run)
{
    const CrdtBody *list;
    PayloadWriter edit = {0};
    uint32_t from;
    uint32_t count;
    int64_t start;
    int64_t stop;
    bool exists;
    Key key;

    if (!run_integer(run, 1, &start) || !run_integer(run, 2, &stop) ||
        !run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    run_reply_ok(run);
    list = list_of(run, &key, exists);
    range_within(start, stop, list_count(list), &from, &count);
    if (count == list_count(list))
        return;
    list_edit_remove_begin(&edit);
    for (ListCursor at = list_cursor(list, 0); at.index < from; list_cursor_forward(&at))
        list_edit_remove_id(list_cursor_id(&at), &edit);
    for (ListCursor at = list_cursor(list, from + count); list_cursor_is_valid(&at);
         list_cursor_forward(&at))
        list_edit_remove_id(list_cursor_id(&at), &edit);
    list_edit_send(run, &key, &edit, (Value){0});
}

/* false: no element is there. */
static bool index_within(int64_t index, uint32_t length, uint32_t *out)
{
    if (index < 0)
        index += length;
    *out = (uint32_t)index;
    return index >= 0 && index < (int64_t)length;
}

static void run_lindex(CommandRun *run)
{
    const CrdtBody *list;
    int64_t index;
    uint32_t at;
    bool exists;
    Value value;
    Key key;

    if (!run_find(run, 0, CRDT_LIST, &key, &exists))
        return;
    list = list_of(run, &key, exists);
    if (exists && !run_integer(run, 1, &index))
        return;
    run_spot(run, 1, MAX(list_count(list), 1), &index);
    if (!exists || !index_within(index, list_count(list), &at)) {
        run_reply_nil(run);
        return;
    }
    value = list_at(list, at);
    run_reply_text(run, list_value_text(&value));
}

static void run_lset(CommandRun *run)
{
    const CrdtBody *list;
    PayloadWriter edit = {0};
    int64_t index;
    uint32_t at;
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    if (!exists) {
        run_reply_error(run, ERROR_NO_KEY);
        return;
    }
    if (!run_integer(run, 1, &index))
        return;
    list = list_of(run, &key, exists);
    run_spot(run, 1, MAX(list_count(list), 1), &index);
    if (!index_within(index, list_count(list), &at)) {
        run_reply_error(run, ERROR_INDEX);
        return;
    }
    run_reply_ok(run);
    list_edit_set(list, at, &edit);
    list_edit_send(run, &key, &edit, list_argument(run, &key, 2));
}

static void run_linsert(CommandRun *run)
{
    bool before = arg_is(run_arg(run, 1), "BEFORE");
    const CrdtBody *list;
    ListCursor cursor;
    Value pivot;
    bool exists;
    Key key;

    if (!before && !arg_is(run_arg(run, 1), "AFTER")) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if (!run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    if (!exists) {
        run_reply_integer(run, 0);
        return;
    }
    list = list_of(run, &key, exists);
    pivot = list_argument(run, &key, 2);
    cursor = list_cursor(list, 0);
    if (!list_find(&cursor, LIST_FORWARD, &pivot)) {
        run_reply_integer(run, -1);
        return;
    }
    insert_at(run, &key, cursor.index + (before ? 0 : 1), list_argument(run, &key, 3));
    run_reply_integer(run, list_count(run_body(run, &key, CRDT_LIST)));
}

static void run_lrem(CommandRun *run)
{
    const CrdtBody *list;
    PayloadWriter edit = {0};
    ListDirection direction;
    ListCursor cursor;
    int64_t removed = 0;
    int64_t count;
    Value value;
    bool exists;
    Key key;

    if (!run_integer(run, 1, &count) || !run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    count = MAX(count, -INT64_MAX); /* has an opposite */
    list = list_of(run, &key, exists);
    value = list_argument(run, &key, 2);
    direction = count < 0 ? LIST_BACK : LIST_FORWARD;
    cursor = list_cursor(list, direction == LIST_BACK ? list_count(list) - 1 : 0);
    list_edit_remove_begin(&edit);
    while (list_find(&cursor, direction, &value)) {
        list_edit_remove_id(list_cursor_id(&cursor), &edit);
        removed++;
        if (removed == count || removed == -count)
            break;
        if (direction == LIST_FORWARD)
            list_cursor_forward(&cursor);
        else
            list_cursor_back(&cursor);
    }
    run_reply_integer(run, removed);
    if (removed > 0)
        list_edit_send(run, &key, &edit, (Value){0});
    else
        payload_clear(&edit);
}

static void list_copy(CommandRun *run, const Key *source, Key *target)
{
    ListCursor at = list_cursor(run_body(run, source, CRDT_LIST), 0);

    for (; list_cursor_is_valid(&at); list_cursor_forward(&at))
        list_push(run, target, END_RIGHT, list_cursor_value(&at));
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_CREATES, "LPUSH", "put elements in front", -3, true, OP_ACCUM,
                      SHAPE_VALUE, 0.5, run_push),
    COMMAND_SPEC_LIFE(LIFE_CREATES, "RPUSH", "put elements at the end", -3, true, OP_ACCUM,
                      SHAPE_VALUE, 0.4, run_push),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LPUSHX", "put elements in front of a list that is there", -3,
                      true, OP_ACCUM, SHAPE_VALUE, 0.5, run_push),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "RPUSHX", "put elements at the end of a list that is there", -3,
                      true, OP_ACCUM, SHAPE_VALUE, 0.4, run_push),
    COMMAND_SPEC("LLEN", "number of elements", 2, false, OP_READ, SHAPE_KEY, 0.2, run_llen),
    COMMAND_SPEC("LRANGE", "elements by index", 4, false, OP_READ, SHAPE_RANGE, 0.55, run_lrange),
    COMMAND_SPEC("LINDEX", "one element by index", 3, false, OP_READ, SHAPE_INDEX, 0.3, run_lindex),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LSET", "replace an element, unless it is removed elsewhere", 4,
                      true, OP_LWW, SHAPE_PATCH, 0.5, run_lset),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LINSERT", "put an element beside another", 5, true, OP_ACCUM,
                      SHAPE_VALUE, 0.6, run_linsert),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LREM", "remove equal elements, as far as observed", 4, true,
                      OP_LWW, SHAPE_KEY, 0.6, run_lrem),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LTRIM", "remove all but a range, as far as observed", 4, true,
                      OP_LWW, SHAPE_RANGE, 0.6, run_ltrim),
};

const CommandGroup command_group_list = {
    .head = {.name = "list", .summary = "elements in an order"},
    .serves = "list",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
    .copy = list_copy,
};
