/* Elements taken from the ends of sorted sets, and arbitrary ones (crdt-semantics.md 3.5).
 *
 * Why it works: a pop is an observed remove of what is seen first here; two members may pop the
 * same element.  What lists have too is in models/data/pop.h. */
#include <glib.h>

#include "models/data/pick.h"
#include "models/data/pop.h"
#include "models/data/zset_order.h"

/* Each element is two replies, name and score. */
static void pop_count(CommandRun *run, Key *key, PopEnd end, uint32_t count, bool grouped)
{
    g_autofree Scored *items = NULL;
    ZsetOrder order;

    if (count == 0)
        return;
    zset_order_open(run, key, true, &order);
    items = zset_order_copy(&order, end == POP_LAST ? order.count - count : 0, count);
    for (uint32_t i = 0; i < count; i++) {
        const Scored *item = &items[end == POP_LAST ? count - 1 - i : i];
        Reply *outer = grouped ? run_open_array(run, 2) : NULL;

        run_push_text(run, element_name(key, &item->ref));
        run_push_score(run, item->score);
        if (grouped)
            run_close_array(run, outer);
        run_remove(run, key, CRDT_ZSET, &item->ref);
    }
}

static uint32_t live_of(CommandRun *run, const Key *key)
{
    return key_live(run->store, key, CRDT_ZSET);
}

static const PopKind zset_pops = {
    .type = CRDT_ZSET,
    .words = {"MIN", "MAX"},
    .element_replies = 2,
    .count = live_of,
    .pop = pop_count,
};

static void zpop(CommandRun *run, PopEnd end)
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
    taken = exists ? pop_clip(run, &key, &zset_pops, count) : 0;
    run_reply_array(run, taken * 2);
    pop_count(run, &key, end, taken, false);
}

static void run_zpopmin(CommandRun *run)
{
    zpop(run, POP_FIRST);
}

static void run_zpopmax(CommandRun *run)
{
    zpop(run, POP_LAST);
}

static void run_zmpop(CommandRun *run)
{
    pop_several(run, &zset_pops);
}

/* --- the same, waiting for a set that has elements */

static bool serve_lowest(CommandRun *run, uint32_t index)
{
    return pop_one_serve(run, index, &zset_pops, POP_FIRST);
}

static void run_bzpopmin(CommandRun *run)
{
    pop_one_or_wait(run, &zset_pops, serve_lowest);
}

static bool serve_highest(CommandRun *run, uint32_t index)
{
    return pop_one_serve(run, index, &zset_pops, POP_LAST);
}

static void run_bzpopmax(CommandRun *run)
{
    pop_one_or_wait(run, &zset_pops, serve_highest);
}

static bool serve_several(CommandRun *run, uint32_t index)
{
    return pop_several_serve(run, index, &zset_pops);
}

static void run_bzmpop(CommandRun *run)
{
    pop_several_or_wait(run, &zset_pops, serve_several);
}

/* --- arbitrary elements */

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
                      SHAPE_WAIT, 1.9, run_bzmpop),
    COMMAND_SPEC("ZRANDMEMBER", "arbitrary elements", -2, false, OP_READ, SHAPE_KEY, 0.8,
                 run_zrandmember),
};

const CommandGroup command_group_zpop = {
    .head = {.name = "zpop", .summary = "elements taken from sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
