/* Elements taken from the ends of sorted sets, and arbitrary ones (crdt-semantics.md 3.5).
 *
 * Why it works: a pop is an observed remove of what is seen first here; two members may pop the
 * same element. */
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

/* Workload: a key in place of their number is the only one. */
static bool read_multi_pop(CommandRun *run, MultiPop *out)
{
    bool counted = false;
    uint32_t at;

    *out = (MultiPop){.first = run_arg(run, 0)->kind != ARG_KEY, .keys = 1, .count = 1};
    if (out->first == 0)
        return true;
    if (!run_integer_within(run, 0, 1, "ERR numkeys should be greater than 0", &out->keys))
        return false;
    at = out->keys < run_count(run) ? (uint32_t)out->keys + 1 : run_count(run);
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

static void run_zmpop(CommandRun *run)
{
    MultiPop query;

    if (!read_multi_pop(run, &query))
        return;
    for (uint32_t i = query.first; i < query.first + query.keys; i++) {
        uint32_t taken;
        Reply *outer;
        bool exists;
        Key key;

        if (!run_find_to_write(run, i, CRDT_ZSET, &key, &exists))
            return;
        if (!exists)
            continue;
        taken = clip(run, &key, query.count);
        run_reply_array(run, 2);
        run_push_text(run, key.state ? (PayloadText){NULL, DECLARED_NAME_BYTES} : run_text(run, i));
        outer = run_open_array(run, taken);
        pop(run, &key, query.highest, taken, true);
        run_close_array(run, outer);
        return;
    }
    run_reply_nil(run);
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
    COMMAND_SPEC("ZRANDMEMBER", "arbitrary elements", -2, false, OP_READ, SHAPE_KEY, 0.8,
                 run_zrandmember),
};

const CommandGroup command_group_zpop = {
    .head = {.name = "zpop", .summary = "elements taken from sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
