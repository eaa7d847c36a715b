/* Ranges of sorted sets: by rank, score or name, either way round; read, counted, stored or removed
 * (crdt-semantics.md 3.5).
 *
 * Why it works: all these commands are one query with different spellings.  What it selects is one
 * unbroken run of the order: from the first element past the near bound to the last before the far
 * one.  By name that is how Redis walks too, so even small sets whose scores differ, for which
 * ranges by name are not defined, reply alike.  A workload's query on a declared key needs only how
 * much comes back, so nothing is sorted for it. */
#include <string.h>

#include <glib.h>

#include "models/data/zset_order.h"

typedef enum { RANGE_BY_RANK, RANGE_BY_SCORE, RANGE_BY_LEX } RangeKind;

typedef struct {
    int infinite; /* -1, 0, 1 */
    bool exclusive;
    PayloadText text;
} LexBound;

typedef struct {
    RangeKind kind;
    bool reverse, with_scores, modern;
    bool stores;           /* RANGESTORE: WITHSCORES is no option */
    uint32_t first;        /* index of the first bound */
    int64_t offset, count; /* LIMIT; count < 0: all */
    int64_t start, stop;   /* by rank */
    ScoreRange scores;
    LexBound low, high;
} RangeQuery;

/* --- reading */

static bool read_option(CommandRun *run, uint32_t *index, RangeQuery *query)
{
    const Arg *arg = run_arg(run, *index);

    if (!query->stores && arg_is(arg, "WITHSCORES")) {
        query->with_scores = true;
    } else if (query->modern && query->kind == RANGE_BY_RANK && arg_is(arg, "BYSCORE")) {
        query->kind = RANGE_BY_SCORE;
    } else if (query->modern && query->kind == RANGE_BY_RANK && arg_is(arg, "BYLEX")) {
        query->kind = RANGE_BY_LEX;
    } else if (query->modern && !query->reverse && arg_is(arg, "REV")) {
        query->reverse = true;
    } else if (arg_is(arg, "LIMIT") && *index + 2 < run_count(run)) {
        if (!run_integer(run, *index + 1, &query->offset) ||
            !run_integer(run, *index + 2, &query->count))
            return false;
        *index += 2;
    } else {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    return true;
}

/* Workload: its numbers are no names; all names are meant. */
static bool read_lex(CommandRun *run, uint32_t index, int workload_infinite, LexBound *out)
{
    PayloadText text = run_text(run, index);
    char mark = text.data && text.bytes > 0 ? text.data[0] : '\0';

    *out = (LexBound){.exclusive = mark == '('};
    if (run_arg(run, index)->kind != ARG_BYTES) {
        out->infinite = workload_infinite;
        return true;
    }
    if (mark == '[' || mark == '(') {
        out->text = (PayloadText){text.data + 1, text.bytes - 1};
        return true;
    }
    out->infinite = mark == '-' ? -1 : 1;
    if ((mark == '-' || mark == '+') && text.bytes == 1)
        return true;
    run_reply_error(run, "ERR min or max not valid string range item");
    return false;
}

/* Workload: without bounds the ten first are meant. */
static bool read_bounds(CommandRun *run, RangeQuery *query)
{
    uint32_t low = query->first + (query->kind != RANGE_BY_RANK && query->reverse);
    uint32_t high = 2 * query->first + 1 - low;

    if (query->kind == RANGE_BY_SCORE)
        return score_range_parse(run, low, high, &query->scores);
    if (query->kind == RANGE_BY_LEX)
        return read_lex(run, low, -1, &query->low) && read_lex(run, high, 1, &query->high);
    if (run_count(run) < query->first + 2) {
        query->stop = SHAPE_RANGE_COUNT - 1;
        return true;
    }
    return run_integer(run, query->first, &query->start) &&
           run_integer(run, query->first + 1, &query->stop);
}

static bool read_query(CommandRun *run, RangeQuery *query)
{
    query->count = -1;
    for (uint32_t i = query->first + 2; i < run_count(run); i++)
        if (!read_option(run, &i, query))
            return false;
    if (query->count != -1 && query->kind == RANGE_BY_RANK) {
        run_reply_error(run, "ERR syntax error, LIMIT is only supported in combination with either "
                             "BYSCORE or BYLEX");
        return false;
    }
    if (query->with_scores && query->kind == RANGE_BY_LEX) {
        run_reply_error(run,
                        "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
        return false;
    }
    return read_bounds(run, query);
}

/* --- selecting */

/* Below 0: the name comes before the bound. */
static int compare_to_bound(PayloadText name, const LexBound *bound)
{
    static const PayloadText none = {"", 0};

    return bound->infinite != 0 ? -bound->infinite
                                : payload_text_compare(name.data ? name : none, bound->text);
}

/* As ZsetBefore, like the next. */
static bool is_below_low(const void *bound, const Scored *item)
{
    const RangeQuery *query = bound;
    int order;

    if (query->kind == RANGE_BY_SCORE)
        return query->scores.low_exclusive ? item->score <= query->scores.low
                                           : item->score < query->scores.low;
    order = compare_to_bound(item->ref.name, &query->low);
    return query->low.exclusive ? order <= 0 : order < 0;
}

static bool is_before_high(const void *bound, const Scored *item)
{
    const RangeQuery *query = bound;
    int order;

    if (query->kind == RANGE_BY_SCORE)
        return query->scores.high_exclusive ? item->score < query->scores.high
                                            : item->score <= query->scores.high;
    order = compare_to_bound(item->ref.name, &query->high);
    return query->high.exclusive ? order < 0 : order <= 0;
}

/* Whether the bounds leave room for anything between them. */
static bool bounds_are_open(const RangeQuery *query)
{
    const LexBound *low = &query->low;
    const LexBound *high = &query->high;
    int order;

    if (query->kind == RANGE_BY_SCORE)
        return query->scores.low < query->scores.high ||
               (query->scores.low == query->scores.high && !query->scores.low_exclusive &&
                !query->scores.high_exclusive);
    if (low->infinite != 0 || high->infinite != 0)
        return low->infinite < high->infinite;
    order = payload_text_compare(low->text, high->text);
    return order < 0 || (order == 0 && !low->exclusive && !high->exclusive);
}

/* A run of the order in the query's direction. */
typedef struct {
    int64_t first, count;
} Selection;

static Scored item_at(ZsetOrder *order, const RangeQuery *query, int64_t at)
{
    return zset_order_at(order, (uint32_t)(query->reverse ? order->count - 1 - at : at));
}

static Selection select_ranks(const RangeQuery *query, int64_t size)
{
    int64_t start = query->start < 0 ? MAX(query->start + size, 0) : query->start;
    int64_t stop = query->stop < 0 ? query->stop + size : MIN(query->stop, size - 1);

    return (Selection){.first = start, .count = start <= stop ? stop - start + 1 : 0};
}

/* From the first element past the near bound, if it lies before the far one; LIMIT's offset is
 * skipped without looking. */
static Selection select_up(const RangeQuery *query, ZsetOrder *order)
{
    int64_t first = zset_order_below(order, is_below_low, query, 0, WALK_UP);
    Scored nearest = first < order->count ? zset_order_at(order, (uint32_t)first) : (Scored){0};
    int64_t end;

    if (first == order->count || !is_before_high(query, &nearest) ||
        query->offset >= order->count - first)
        return (Selection){0};
    first += query->offset;
    end = zset_order_below(order, is_before_high, query, (uint32_t)first, WALK_UP);
    return (Selection){.first = first, .count = MAX(end - first, 0)};
}

static Selection select_down(const RangeQuery *query, ZsetOrder *order)
{
    int64_t end = zset_order_below(order, is_before_high, query, order->count, WALK_DOWN);
    Scored nearest = end > 0 ? zset_order_at(order, (uint32_t)end - 1) : (Scored){0};
    int64_t first;

    if (end == 0 || is_below_low(query, &nearest) || query->offset >= end)
        return (Selection){0};
    end -= query->offset;
    first = zset_order_below(order, is_below_low, query, (uint32_t)end, WALK_DOWN);
    return (Selection){.first = order->count - end, .count = MAX(end - first, 0)};
}

static Selection select_between(const RangeQuery *query, ZsetOrder *order)
{
    Selection selection = {0};
    Scored highest;
    Scored lowest;

    if (order->count == 0 || !bounds_are_open(query) || query->offset < 0)
        return selection;
    lowest = zset_order_at(order, 0);
    highest = zset_order_at(order, order->count - 1);
    if (is_below_low(query, &highest) || !is_before_high(query, &lowest))
        return selection;
    selection = query->reverse ? select_down(query, order) : select_up(query, order);
    if (query->count >= 0)
        selection.count = MIN(selection.count, query->count);
    return selection;
}

static Selection select_range(const RangeQuery *query, ZsetOrder *order)
{
    return query->kind == RANGE_BY_RANK ? select_ranks(query, order->count)
                                        : select_between(query, order);
}

/* What is selected, lowest first; free with g_free. */
static Scored *copy_selection(const RangeQuery *query, ZsetOrder *order, Selection selection)
{
    int64_t first =
        query->reverse ? order->count - selection.first - selection.count : selection.first;

    return zset_order_copy(order, (uint32_t)(selection.count > 0 ? first : 0),
                           (uint32_t)selection.count);
}

/* --- replying */

static void push_item(CommandRun *run, const Key *key, const RangeQuery *query, const Scored *item)
{
    run_push_text(run, element_name(key, &item->ref));
    if (query->with_scores)
        run_push_score(run, item->score);
}

static void reply_selection(CommandRun *run, const Key *key, const RangeQuery *query,
                            ZsetOrder *order)
{
    Selection selection = select_range(query, order);

    run_reply_array(run, (uint32_t)selection.count * 2);
    for (int64_t i = 0; i < selection.count; i++) {
        Scored item = item_at(order, query, selection.first + i);

        push_item(run, key, query, &item);
    }
}

static void reply_sizes(CommandRun *run, const Key *key, const RangeQuery *query, int64_t size)
{
    static const Scored any = {0};
    Selection selection = select_ranks(query, size);

    run_reply_array(run, 0);
    for (int64_t i = 0; i < selection.count; i++)
        push_item(run, key, query, &any);
}

static void range(CommandRun *run, RangeQuery query)
{
    ZsetOrder order;
    bool exists;
    Key key;

    query.first = 1;
    if (!read_query(run, &query) || !run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    if (key.state && !run->arena && query.kind == RANGE_BY_RANK) {
        reply_sizes(run, &key, &query, exists ? key_live(run->store, &key, CRDT_ZSET) : 0);
        return;
    }
    zset_order_open(run, &key, exists, &order);
    reply_selection(run, &key, &query, &order);
}

static void run_zrange(CommandRun *run)
{
    range(run, (RangeQuery){.modern = true});
}

static void run_zrevrange(CommandRun *run)
{
    range(run, (RangeQuery){.reverse = true});
}

static void run_zrangebyscore(CommandRun *run)
{
    range(run, (RangeQuery){.kind = RANGE_BY_SCORE});
}

static void run_zrevrangebyscore(CommandRun *run)
{
    range(run, (RangeQuery){.kind = RANGE_BY_SCORE, .reverse = true});
}

static void run_zrangebylex(CommandRun *run)
{
    range(run, (RangeQuery){.kind = RANGE_BY_LEX});
}

static void run_zrevrangebylex(CommandRun *run)
{
    range(run, (RangeQuery){.kind = RANGE_BY_LEX, .reverse = true});
}

/* --- stored, counted, removed */

static void run_zrangestore(CommandRun *run)
{
    RangeQuery query = {.modern = true, .stores = true, .first = 2};
    g_autofree Scored *items = NULL;
    Selection selection;
    ZsetOrder order;
    bool exists;
    Key key;

    if (!read_query(run, &query) || !run_find(run, 1, CRDT_ZSET, &key, &exists))
        return;
    zset_order_open(run, &key, exists, &order);
    selection = select_range(&query, &order);
    items = copy_selection(&query, &order, selection);
    zset_replace(run, 0, items, (uint32_t)selection.count);
}

static void count_range(CommandRun *run, RangeKind kind)
{
    RangeQuery query = {.kind = kind, .first = 1, .count = -1};
    ZsetOrder order;
    bool exists;
    Key key;

    if (!read_bounds(run, &query) || !run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    zset_order_open(run, &key, exists, &order);
    run_reply_integer(run, select_between(&query, &order).count);
}

static void run_zcount(CommandRun *run)
{
    count_range(run, RANGE_BY_SCORE);
}

static void run_zlexcount(CommandRun *run)
{
    count_range(run, RANGE_BY_LEX);
}

static void remove_range(CommandRun *run, RangeKind kind)
{
    RangeQuery query = {.kind = kind, .first = 1, .count = -1};
    g_autofree Scored *items = NULL;
    Selection selection;
    ZsetOrder order;
    bool exists;
    Key key;

    if (!read_bounds(run, &query) || !run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
        return;
    zset_order_open(run, &key, exists, &order);
    selection = select_range(&query, &order);
    items = copy_selection(&query, &order, selection);
    for (int64_t i = 0; i < selection.count; i++)
        run_remove(run, &key, CRDT_ZSET, &items[i].ref);
    run_reply_integer(run, selection.count);
}

static void run_zremrangebyrank(CommandRun *run)
{
    remove_range(run, RANGE_BY_RANK);
}

static void run_zremrangebyscore(CommandRun *run)
{
    remove_range(run, RANGE_BY_SCORE);
}

static void run_zremrangebylex(CommandRun *run)
{
    remove_range(run, RANGE_BY_LEX);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("ZRANGE", "elements by rank, score or name", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrange),
    COMMAND_SPEC("ZREVRANGE", "elements from the highest", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrevrange),
    COMMAND_SPEC("ZRANGEBYSCORE", "elements within scores", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrangebyscore),
    COMMAND_SPEC("ZREVRANGEBYSCORE", "elements within scores, from the highest", -4, false, OP_READ,
                 SHAPE_RANGE, 1.07, run_zrevrangebyscore),
    COMMAND_SPEC("ZRANGEBYLEX", "elements within names", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrangebylex),
    COMMAND_SPEC("ZREVRANGEBYLEX", "elements within names, from the highest", -4, false, OP_READ,
                 SHAPE_RANGE, 1.07, run_zrevrangebylex),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZRANGESTORE", "ZRANGE into another key", -5, true, OP_LWW,
                      SHAPE_RANGE, 2.0, run_zrangestore),
    COMMAND_SPEC("ZCOUNT", "elements within scores", 4, false, OP_READ, SHAPE_RANGE, 0.8,
                 run_zcount),
    COMMAND_SPEC("ZLEXCOUNT", "elements within names", 4, false, OP_READ, SHAPE_RANGE, 0.8,
                 run_zlexcount),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZREMRANGEBYRANK", "remove by rank, as far as observed", 4, true,
                      OP_ACCUM, SHAPE_RANGE, 1.6, run_zremrangebyrank),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZREMRANGEBYSCORE", "remove by score, as far as observed", 4,
                      true, OP_LWW, SHAPE_RANGE, 1.6, run_zremrangebyscore),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZREMRANGEBYLEX", "remove by name, as far as observed", 4, true,
                      OP_LWW, SHAPE_RANGE, 1.6, run_zremrangebylex),
};

const CommandGroup command_group_zrange = {
    .head = {.name = "zrange", .summary = "ranges of sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
