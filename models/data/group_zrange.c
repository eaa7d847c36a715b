/* Ranges of sorted sets: by rank or by score, either way round (crdt-semantics.md 3.5).
 *
 * Why it works: the five commands are one query with different spellings; a workload's query on a
 * declared key needs only how much comes back, so nothing is sorted for it. */
#include <string.h>

#include <glib.h>

#include "models/data/zset_order.h"

typedef struct {
    bool by_score, reverse, with_scores, limited;
    int64_t offset, count; /* LIMIT; count < 0: all */
    int64_t start, stop;   /* by rank */
    ScoreRange scores;
} RangeQuery;

static bool read_option(CommandRun *run, uint32_t *index, bool modern, RangeQuery *query)
{
    const Arg *arg = run_arg(run, *index);

    if (arg_is(arg, "WITHSCORES")) {
        query->with_scores = true;
    } else if (modern && arg_is(arg, "BYSCORE")) {
        query->by_score = true;
    } else if (modern && arg_is(arg, "REV")) {
        query->reverse = true;
    } else if (arg_is(arg, "LIMIT") && *index + 2 < run_count(run)) {
        query->limited = true;
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

/* Workload: without bounds the ten first are meant. */
static bool read_bounds(CommandRun *run, RangeQuery *query)
{
    uint32_t low = query->by_score && query->reverse ? 2 : 1;

    if (query->by_score)
        return score_range_parse(run, low, 3 - low, &query->scores);
    if (run_count(run) < 3) {
        query->stop = 9;
        return true;
    }
    return run_integer(run, 1, &query->start) && run_integer(run, 2, &query->stop);
}

static bool read_query(CommandRun *run, bool modern, RangeQuery *query)
{
    query->count = -1;
    for (uint32_t i = 3; i < run_count(run); i++)
        if (!read_option(run, &i, modern, query))
            return false;
    if (query->limited && !query->by_score) {
        run_reply_error(run, "ERR syntax error, LIMIT is only supported in combination with either "
                             "BYSCORE or BYLEX");
        return false;
    }
    return read_bounds(run, query);
}

static void clip_ranks(RangeQuery *query, int64_t size)
{
    query->start = query->start < 0 ? MAX(query->start + size, 0) : query->start;
    query->stop = query->stop < 0 ? query->stop + size : MIN(query->stop, size - 1);
}

static void push_item(CommandRun *run, const Key *key, const RangeQuery *query, const Scored *item)
{
    run_push_text(run, element_name(key, &item->ref));
    if (query->with_scores)
        run_push_score(run, item->score);
}

static void reply_size_only(CommandRun *run, const Key *key, RangeQuery *query, int64_t size)
{
    const Scored any = {0};

    clip_ranks(query, size);
    for (int64_t i = query->start; i <= query->stop; i++)
        push_item(run, key, query, &any);
}

static void reply_list(CommandRun *run, const Key *key, RangeQuery *query, const ScoredList *list)
{
    int64_t skipped = 0;
    int64_t taken = 0;

    clip_ranks(query, list->count);
    for (int64_t i = 0; i < list->count; i++) {
        const Scored *item = &list->items[query->reverse ? list->count - 1 - i : i];

        if (query->by_score ? !score_range_holds(&query->scores, item->score)
                            : i < query->start || i > query->stop)
            continue;
        if (query->limited && (query->offset < 0 || skipped < query->offset)) {
            skipped++;
            continue;
        }
        if (query->count >= 0 && taken >= query->count)
            break;
        push_item(run, key, query, item);
        taken++;
    }
}

static void range(CommandRun *run, bool modern, RangeQuery query)
{
    ScoredList list;
    bool exists;
    Key key;

    if (!read_query(run, modern, &query) || !run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    run_reply_array(run, exists ? 2 * key_live(run->store, &key, CRDT_ZSET) : 0);
    if (key.state && !run->arena && !query.by_score) {
        reply_size_only(run, &key, &query, exists ? key_live(run->store, &key, CRDT_ZSET) : 0);
        return;
    }
    list = zset_sorted(run, &key, exists);
    reply_list(run, &key, &query, &list);
    g_free(list.items);
}

static void run_zrange(CommandRun *run)
{
    range(run, true, (RangeQuery){0});
}

static void run_zrevrange(CommandRun *run)
{
    range(run, false, (RangeQuery){.reverse = true});
}

static void run_zrangebyscore(CommandRun *run)
{
    range(run, false, (RangeQuery){.by_score = true});
}

static void run_zrevrangebyscore(CommandRun *run)
{
    range(run, false, (RangeQuery){.by_score = true, .reverse = true});
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("ZRANGE", "elements by rank or score", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrange),
    COMMAND_SPEC("ZREVRANGE", "elements from the highest", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrevrange),
    COMMAND_SPEC("ZRANGEBYSCORE", "elements within scores", -4, false, OP_READ, SHAPE_RANGE, 1.07,
                 run_zrangebyscore),
    COMMAND_SPEC("ZREVRANGEBYSCORE", "elements within scores, from the highest", -4, false, OP_READ,
                 SHAPE_RANGE, 1.07, run_zrevrangebyscore),
};

const CommandGroup command_group_zrange = {
    .head = {.name = "zrange", .summary = "ranges of sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
