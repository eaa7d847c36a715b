/* Elements taken from the ends of sorted sets, and arbitrary ones (crdt-semantics.md 3.5).
 *
 * Why it works: a pop is an observed remove of what is seen first here; two members may pop the
 * same element.  The blocking forms are the same pops, tried when they come and again whenever a
 * key they wait for has changed. */
#include <glib.h>

#include "models/data/pick.h"
#include "models/data/zset_order.h"

/* Takes count elements from one end; nested: each pushed as an array of its own. */
static void pop(CommandRun *run, Key *key, bool highest, uint32_t count, bool nested)
{
    g_autofree Scored *items = NULL;
    ZsetOrder order;

    if (count == 0)
        return;
    zset_order_open(run, key, true, &order);
    items = zset_order_copy(&order, highest ? order.count - count : 0, count);
    for (uint32_t i = 0; i < count; i++) {
        const Scored *item = &items[highest ? count - 1 - i : i];
        Reply *outer = nested ? run_open_array(run, 2) : NULL;

        run_push_text(run, element_name(key, &item->ref));
        run_push_score(run, item->score);
        if (nested)
            run_close_array(run, outer);
        run_remove(run, key, CRDT_ZSET, &item->ref);
    }
}

static uint32_t clip(CommandRun *run, const Key *key, int64_t count)
{
    return (uint32_t)MIN(count, (int64_t)key_live(run->store, key, CRDT_ZSET));
}

static void zpop(CommandRun *run, bool highest)
{
    int64_t count = 1;
    uint32_t taken;
    bool exists;
    Key key;

    if (run_count(run) > 2 && run_is_given(run, 1)) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if ((run_is_given(run, 1) && !run_integer_within(run, 1, 0, ERROR_POSITIVE, &count)) ||
        !run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
        return;
    taken = exists ? clip(run, &key, count) : 0;
    run_reply_array(run, taken * 2);
    pop(run, &key, highest, taken, false);
}

static void run_zpopmin(CommandRun *run)
{
    zpop(run, false);
}

static void run_zpopmax(CommandRun *run)
{
    zpop(run, true);
}

typedef struct {
    uint32_t first;
    int64_t keys;
    int64_t count;
    bool highest;
} MultiPop;

/* From argument `at` on.  Workload: a key in place of their number is the only one. */
static bool read_multi_pop(CommandRun *run, uint32_t at, MultiPop *out)
{
    bool counted = false;

    *out = (MultiPop){.keys = 1, .count = 1};
    if (run_arg(run, at)->kind == ARG_KEY)
        return true;
    out->first = at + 1;
    if (!run_integer_within(run, at, 1, "ERR numkeys should be greater than 0", &out->keys))
        return false;
    at = out->keys < run_count(run) - at ? at + (uint32_t)out->keys + 1 : run_count(run);
    out->highest = arg_is(run_arg(run, at), "MAX");
    if (!out->highest && !arg_is(run_arg(run, at), "MIN")) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    for (at++; at < run_count(run); at += 2, counted = true) {
        if (counted || !arg_is(run_arg(run, at), "COUNT") || at + 1 >= run_count(run)) {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
        if (!run_integer_within(run, at + 1, 1, "ERR count should be greater than 0", &out->count))
            return false;
    }
    return true;
}

static void pop_named(CommandRun *run, Key *key, uint32_t index, const MultiPop *query)
{
    uint32_t taken = clip(run, key, query->count);
    Reply *outer;

    run_reply_array(run, 2);
    run_push_key(run, key, index);
    outer = run_open_array(run, taken);
    pop(run, key, query->highest, taken, true);
    run_close_array(run, outer);
}

static void run_zmpop(CommandRun *run)
{
    MultiPop query;

    if (!read_multi_pop(run, 0, &query))
        return;
    for (uint32_t i = query.first; i < query.first + query.keys; i++) {
        bool exists;
        Key key;

        if (!run_find_to_write(run, i, CRDT_ZSET, &key, &exists))
            return;
        if (!exists)
            continue;
        pop_named(run, &key, i, &query);
        return;
    }
    run_reply_nil(run);
}

/* --- the same, waiting for a set that has elements */

/* A key, its element and the score, as BZPOPMIN replies. */
static bool serve_triple(CommandRun *run, uint32_t index, bool highest)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, index, CRDT_ZSET, &key, &exists) || !exists)
        return false;
    run_reply_array(run, 3);
    run_push_key(run, &key, index);
    pop(run, &key, highest, 1, false);
    return true;
}

static bool serve_lowest(CommandRun *run, uint32_t index)
{
    return serve_triple(run, index, false);
}

static bool serve_highest(CommandRun *run, uint32_t index)
{
    return serve_triple(run, index, true);
}

static void run_bzpopmin(CommandRun *run)
{
    Wait wait = {.type = CRDT_ZSET, .count = run_wait_keys(run), .serve = serve_lowest};

    if (run_timeout(run, wait.count, &wait.timeout_ms))
        run_serve_or_wait(run, &wait);
}

static void run_bzpopmax(CommandRun *run)
{
    Wait wait = {.type = CRDT_ZSET, .count = run_wait_keys(run), .serve = serve_highest};

    if (run_timeout(run, wait.count, &wait.timeout_ms))
        run_serve_or_wait(run, &wait);
}

static bool serve_multi(CommandRun *run, uint32_t index)
{
    MultiPop query;
    bool exists;
    Key key;

    if (!read_multi_pop(run, 1, &query) ||
        !run_find_to_write(run, index, CRDT_ZSET, &key, &exists) || !exists)
        return false;
    pop_named(run, &key, index, &query);
    return true;
}

static void run_bzmpop(CommandRun *run)
{
    Wait wait = {.type = CRDT_ZSET, .serve = serve_multi};
    MultiPop query;

    if (!read_multi_pop(run, 1, &query) || !run_timeout(run, 0, &wait.timeout_ms))
        return;
    wait.first = query.first;
    wait.count = (uint32_t)query.keys;
    run_serve_or_wait(run, &wait);
}

static void push_name(CommandRun *run, const Key *key, const ElementRef *ref, const SlotView *view)
{
    (void)view;
    run_push_text(run, element_name(key, ref));
}

static void push_name_and_score(CommandRun *run, const Key *key, const ElementRef *ref,
                                const SlotView *view)
{
    run_push_text(run, element_name(key, ref));
    run_push_score(run, view_score(view));
}

static void run_zrandmember(CommandRun *run)
{
    pick_run(run, &(PickCommand){CRDT_ZSET, "WITHSCORES", push_name, push_name_and_score});
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZPOPMIN", "take the lowest; others may too", -2, true, OP_ACCUM,
                      SHAPE_KEY, 1.6, run_zpopmin),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZPOPMAX", "take the highest; others may too", -2, true, OP_ACCUM,
                      SHAPE_KEY, 1.6, run_zpopmax),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZMPOP", "take from the first set that has any", -4, true,
                      OP_ACCUM, SHAPE_KEY, 1.8, run_zmpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BZPOPMIN", "ZPOPMIN, waiting for an element", -3, true, OP_ACCUM,
                      SHAPE_WAIT, 1.7, run_bzpopmin),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BZPOPMAX", "ZPOPMAX, waiting for an element", -3, true, OP_ACCUM,
                      SHAPE_WAIT, 1.7, run_bzpopmax),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BZMPOP", "ZMPOP, waiting for an element", -5, true, OP_ACCUM,
                      SHAPE_KEY, 1.9, run_bzmpop),
    COMMAND_SPEC("ZRANDMEMBER", "arbitrary elements", -2, false, OP_READ, SHAPE_KEY, 0.8,
                 run_zrandmember),
};

const CommandGroup command_group_zpop = {
    .head = {.name = "zpop", .summary = "elements taken from sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
