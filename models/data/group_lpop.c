/* Elements taken from the ends of lists, and moved between lists (crdt-semantics.md 5).
 *
 * Why it works: a pop removes what is at the end here, by its dot; two members may pop the same
 * element.  A move is an insert and a removal, so racing moves duplicate; the insert comes first,
 * so that a list rotated into itself is never empty in between.  The blocking forms are the same
 * pops, tried when they come and again whenever a key they wait for has changed. */
#include <glib.h>

#include "models/data/list_write.h"

static void remove_range(CommandRun *run, Key *key, uint32_t from, uint32_t count)
{
    PayloadWriter edit = {0};

    if (count == 0)
        return;
    list_edit_remove(run_body(run, key, CRDT_LIST), from, count, &edit);
    list_edit_send(run, key, &edit, (Value){0});
}

/* As popped: the last one first. */
static void push_last(CommandRun *run, const CrdtBody *list, uint32_t count)
{
    ListCursor cursor = list_cursor(list, list_count(list) - 1);

    for (uint32_t i = 0; i < count; i++) {
        Value value = list_cursor_value(&cursor);

        run_push_text(run, list_value_text(&value));
        list_cursor_back(&cursor);
    }
}

/* Into the array that is open. */
static void pop_count(CommandRun *run, Key *key, ListEnd end, uint32_t count)
{
    const CrdtBody *list = run_body(run, key, CRDT_LIST);
    uint32_t length = list_count(list);

    if (end == END_LEFT)
        list_reply_range(run, list, 0, count);
    else
        push_last(run, list, count);
    remove_range(run, key, end == END_LEFT ? 0 : length - count, count);
}

static uint32_t count_within(CommandRun *run, const Key *key, int64_t asked)
{
    return (uint32_t)MIN(asked, (int64_t)list_count(run_body(run, key, CRDT_LIST)));
}

static void pop_one(CommandRun *run, Key *key, ListEnd end)
{
    const CrdtBody *list = run_body(run, key, CRDT_LIST);
    uint32_t index = end == END_LEFT ? 0 : list_count(list) - 1;
    Value value = list_at(list, index);

    run_reply_text(run, list_value_text(&value));
    remove_range(run, key, index, 1);
}

static void pop(CommandRun *run, ListEnd end)
{
    int64_t asked = -1;
    bool exists;
    Key key;

    if (run_count(run) > 2) {
        run_reply_error(run, end == END_LEFT ? "ERR wrong number of arguments for 'lpop' command"
                                             : "ERR wrong number of arguments for 'rpop' command");
        return;
    }
    if (run_count(run) == 2 && !run_integer_within(run, 1, 0, ERROR_POSITIVE, &asked))
        return;
    if (!run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    if (!exists) {
        run_reply_nil(run);
    } else if (run_count(run) == 2) {
        uint32_t count = count_within(run, &key, asked);

        run_reply_array(run, count);
        pop_count(run, &key, end, count);
    } else {
        pop_one(run, &key, end);
    }
}

static void run_lpop(CommandRun *run)
{
    pop(run, END_LEFT);
}

static void run_rpop(CommandRun *run)
{
    pop(run, END_RIGHT);
}

static void move(CommandRun *run, ListEnd from, ListEnd to)
{
    PayloadWriter edit = {0};
    const CrdtBody *list;
    bool target_exists;
    bool exists;
    uint32_t index;
    Key source;
    Key target;
    Value value;
    Dot id;

    if (!run_find_to_write(run, 0, CRDT_LIST, &source, &exists))
        return;
    if (!exists) {
        run_reply_nil(run);
        return;
    }
    list = run_body(run, &source, CRDT_LIST);
    if (!run_find_to_write(run, 1, CRDT_LIST, &target, &target_exists))
        return;
    index = from == END_LEFT ? 0 : list_count(list) - 1;
    value = list_at(list, index);
    id = list_id_at(list, index);
    run_reply_text(run, list_value_text(&value));
    list_push(run, &target, to, value);
    list_edit_remove_begin(&edit);
    list_edit_remove_id(id, &edit);
    list_edit_send(run, &source, &edit, (Value){0});
}

static bool read_end(CommandRun *run, uint32_t index, ListEnd *out)
{
    *out = arg_is(run_arg(run, index), "LEFT") ? END_LEFT : END_RIGHT;
    if (*out == END_LEFT || arg_is(run_arg(run, index), "RIGHT"))
        return true;
    run_reply_error(run, ERROR_SYNTAX);
    return false;
}

static void run_lmove(CommandRun *run)
{
    ListEnd from;
    ListEnd to;

    if (read_end(run, 2, &from) && read_end(run, 3, &to))
        move(run, from, to);
}

/* numkeys key ... LEFT|RIGHT [COUNT count], from argument `first` on. */
typedef struct {
    uint32_t first;
    int64_t keys;
    int64_t count;
    ListEnd end;
} MultiPop;

static bool read_multi_pop(CommandRun *run, uint32_t first, MultiPop *out)
{
    uint32_t at;

    *out = (MultiPop){.first = first, .count = 1};
    if (!run_integer_within(run, first, 1, "ERR numkeys should be greater than 0", &out->keys))
        return false;
    at = out->keys < run_count(run) - first ? first + (uint32_t)out->keys + 1 : run_count(run);
    if (!read_end(run, at, &out->end))
        return false;
    at++;
    if (at >= run_count(run))
        return true;
    if (!arg_is(run_arg(run, at), "COUNT") || at + 1 >= run_count(run)) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (!run_integer_within(run, at + 1, 1, "ERR count should be greater than 0", &out->count))
        return false;
    if (at + 2 < run_count(run))
        run_reply_error(run, ERROR_SYNTAX);
    return at + 2 >= run_count(run);
}

static void pop_named(CommandRun *run, Key *key, uint32_t index, const MultiPop *query)
{
    uint32_t count = count_within(run, key, query->count);
    Reply *outer;

    run_reply_array(run, 2);
    run_push_key(run, key, index);
    outer = run_open_array(run, count);
    pop_count(run, key, query->end, count);
    run_close_array(run, outer);
}

static void run_lmpop(CommandRun *run)
{
    MultiPop query;

    if (!read_multi_pop(run, 0, &query))
        return;
    for (uint32_t i = 1; i <= query.keys; i++) {
        bool exists;
        Key key;

        if (!run_find_to_write(run, i, CRDT_LIST, &key, &exists))
            return;
        if (!exists)
            continue;
        pop_named(run, &key, i, &query);
        return;
    }
    run_reply_nil(run);
}

static void run_rpoplpush(CommandRun *run)
{
    move(run, END_RIGHT, END_LEFT);
}

/* --- the same, waiting for a list that has elements */

/* A key and its element, as BLPOP replies. */
static bool serve_pair(CommandRun *run, uint32_t index, ListEnd end)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, index, CRDT_LIST, &key, &exists) || !exists)
        return false;
    run_reply_array(run, 2);
    run_push_key(run, &key, index);
    pop_count(run, &key, end, 1);
    return true;
}

static bool serve_left(CommandRun *run, uint32_t index)
{
    return serve_pair(run, index, END_LEFT);
}

static bool serve_right(CommandRun *run, uint32_t index)
{
    return serve_pair(run, index, END_RIGHT);
}

/* key ... timeout; a workload names one key and may leave out how long. */
static void pop_or_wait(CommandRun *run, bool (*serve)(CommandRun *run, uint32_t index))
{
    Wait wait = {.type = CRDT_LIST, .count = run_wait_keys(run), .serve = serve};

    if (run_timeout(run, wait.count, &wait.timeout_ms))
        run_serve_or_wait(run, &wait);
}

static void run_blpop(CommandRun *run)
{
    pop_or_wait(run, serve_left);
}

static void run_brpop(CommandRun *run)
{
    pop_or_wait(run, serve_right);
}

static bool serve_move(CommandRun *run, uint32_t index)
{
    (void)index; /* the only one */
    run_lmove(run);
    return true;
}

static void run_blmove(CommandRun *run)
{
    Wait wait = {.type = CRDT_LIST, .count = 1, .serve = serve_move};
    ListEnd unused;

    if (read_end(run, 2, &unused) && read_end(run, 3, &unused) &&
        run_timeout(run, 4, &wait.timeout_ms))
        run_serve_or_wait(run, &wait);
}

static bool serve_rpoplpush(CommandRun *run, uint32_t index)
{
    (void)index;
    run_rpoplpush(run);
    return true;
}

static void run_brpoplpush(CommandRun *run)
{
    Wait wait = {.type = CRDT_LIST, .count = 1, .serve = serve_rpoplpush};

    if (run_timeout(run, 2, &wait.timeout_ms))
        run_serve_or_wait(run, &wait);
}

static bool serve_multi(CommandRun *run, uint32_t index)
{
    MultiPop query;
    bool exists;
    Key key;

    if (!read_multi_pop(run, 1, &query) ||
        !run_find_to_write(run, index, CRDT_LIST, &key, &exists) || !exists)
        return false;
    pop_named(run, &key, index, &query);
    return true;
}

static void run_blmpop(CommandRun *run)
{
    Wait wait = {.type = CRDT_LIST, .first = 2, .serve = serve_multi};
    MultiPop query;

    if (!read_multi_pop(run, 1, &query) || !run_timeout(run, 0, &wait.timeout_ms))
        return;
    wait.count = (uint32_t)query.keys;
    run_serve_or_wait(run, &wait);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LPOP", "take the first elements; others may too", -2, true,
                      OP_ACCUM, SHAPE_KEY, 0.4, run_lpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "RPOP", "take the last elements; others may too", -2, true,
                      OP_ACCUM, SHAPE_KEY, 0.4, run_rpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LMPOP", "take elements of the first list that has any", -4, true,
                      OP_ACCUM, SHAPE_KEY, 0.5, run_lmpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "LMOVE", "remove at one end here, add at one end there", 5, true,
                      OP_ACCUM, SHAPE_KEY, 0.9, run_lmove),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "RPOPLPUSH", "remove the last here, add in front there", 3, true,
                      OP_ACCUM, SHAPE_KEY, 0.9, run_rpoplpush),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BLPOP", "LPOP, waiting for an element", -3, true, OP_ACCUM,
                      SHAPE_WAIT, 0.5, run_blpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BRPOP", "RPOP, waiting for an element", -3, true, OP_ACCUM,
                      SHAPE_WAIT, 0.5, run_brpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BLMPOP", "LMPOP, waiting for an element", -5, true, OP_ACCUM,
                      SHAPE_KEY, 0.6, run_blmpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BLMOVE", "LMOVE, waiting for an element", 6, true, OP_ACCUM,
                      SHAPE_KEY, 1.0, run_blmove),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BRPOPLPUSH", "RPOPLPUSH, waiting for an element", 4, true,
                      OP_ACCUM, SHAPE_KEY, 1.0, run_brpoplpush),
};

const CommandGroup command_group_lpop = {
    .head = {.name = "lpop", .summary = "elements taken from lists, waiting for them if need be"},
    .serves = "list",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
