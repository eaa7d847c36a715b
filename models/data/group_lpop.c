/* Elements taken from the ends of lists, and moved between lists (crdt-semantics.md 5).
 *
 * Why it works: a pop removes what is at the end here, by its dot; two members may pop the same
 * element.  A move is an insert and a removal, so racing moves duplicate; the insert comes first,
 * so that a list rotated into itself is never empty in between.  The blocking moves are the same
 * moves, tried when they come and again whenever the source has changed; so are the pops, which
 * sorted sets have too (models/data/pop.h). */
#include <glib.h>

#include "models/data/list_write.h"
#include "models/data/pop.h"

static void remove_range(CommandRun *run, Key *key, uint32_t from, uint32_t count)
{
    PayloadWriter edit = {0};

    if (count == 0)
        return;
    list_edit_remove(run_body(run, key, CRDT_LIST), from, count, &edit);
    list_edit_send(run, key, &edit, (Value){0});
}

static void remove_id(CommandRun *run, Key *key, Dot id)
{
    PayloadWriter edit = {0};

    list_edit_remove_begin(&edit);
    list_edit_remove_id(id, &edit);
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

/* Into the array that is open; an element is one reply, so there is nothing to group. */
static void pop_count(CommandRun *run, Key *key, PopEnd end, uint32_t count, bool grouped)
{
    const CrdtBody *list = run_body(run, key, CRDT_LIST);
    uint32_t length = list_count(list);

    (void)grouped;
    if (end == POP_FIRST)
        list_reply_range(run, list, 0, count);
    else
        push_last(run, list, count);
    remove_range(run, key, end == POP_FIRST ? 0 : length - count, count);
}

static uint32_t length_of(CommandRun *run, const Key *key)
{
    return list_count(run_body(run, key, CRDT_LIST));
}

static const PopKind list_pops = {
    .type = CRDT_LIST,
    .words = {"LEFT", "RIGHT"},
    .element_replies = 1,
    .count = length_of,
    .pop = pop_count,
};

static void pop_one(CommandRun *run, Key *key, PopEnd end)
{
    const CrdtBody *list = run_body(run, key, CRDT_LIST);
    ListCursor at = list_cursor(list, end == POP_FIRST ? 0 : list_count(list) - 1);
    Value value = list_cursor_value(&at);

    run_reply_text(run, list_value_text(&value));
    remove_id(run, key, list_cursor_id(&at));
}

static void pop(CommandRun *run, PopEnd end)
{
    int64_t asked = -1;
    bool exists;
    Key key;

    if (run_count(run) > 2) {
        run_reply_arity(run);
        return;
    }
    if (run_count(run) == 2 && !run_integer_within(run, 1, 0, ERROR_POSITIVE, &asked))
        return;
    if (!run_find_to_write(run, 0, CRDT_LIST, &key, &exists))
        return;
    if (!exists) {
        run_reply_nil(run);
    } else if (run_count(run) == 2) {
        uint32_t count = pop_clip(run, &key, &list_pops, asked);

        run_reply_array(run, count);
        pop_count(run, &key, end, count, false);
    } else {
        pop_one(run, &key, end);
    }
}

static void run_lpop(CommandRun *run)
{
    pop(run, POP_FIRST);
}

static void run_rpop(CommandRun *run)
{
    pop(run, POP_LAST);
}

static void move(CommandRun *run, ListEnd from, ListEnd to)
{
    const CrdtBody *list;
    bool target_exists;
    bool exists;
    ListCursor at;
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
    at = list_cursor(list, from == END_LEFT ? 0 : list_count(list) - 1);
    value = list_cursor_value(&at);
    id = list_cursor_id(&at);
    run_reply_text(run, list_value_text(&value));
    list_push(run, &target, to, value);
    remove_id(run, &source, id);
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

static void run_lmpop(CommandRun *run)
{
    pop_several(run, &list_pops);
}

static void run_rpoplpush(CommandRun *run)
{
    move(run, END_RIGHT, END_LEFT);
}

/* --- the same, waiting for a list that has elements */

static bool serve_left(CommandRun *run, uint32_t index)
{
    return pop_one_serve(run, index, &list_pops, POP_FIRST);
}

static void run_blpop(CommandRun *run)
{
    pop_one_or_wait(run, &list_pops, serve_left);
}

static bool serve_right(CommandRun *run, uint32_t index)
{
    return pop_one_serve(run, index, &list_pops, POP_LAST);
}

static void run_brpop(CommandRun *run)
{
    pop_one_or_wait(run, &list_pops, serve_right);
}

static bool serve_several(CommandRun *run, uint32_t index)
{
    return pop_several_serve(run, index, &list_pops);
}

static void run_blmpop(CommandRun *run)
{
    pop_several_or_wait(run, &list_pops, serve_several);
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
                      SHAPE_WAIT, 0.6, run_blmpop),
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
