/* Union, intersection and difference of sorted sets and sets, read or stored
 * (crdt-semantics.md 3.5).
 *
 * Why it works: an element of the result comes from the first operand that has it, its score from
 * all of them in the order given; a plain set's elements score 1.  A stored result is DEL and
 * assignments. */
#include <string.h>

#include <glib.h>

#include "models/data/zset_order.h"

typedef enum { COMBINE_INTER, COMBINE_UNION, COMBINE_DIFF } Combine;
typedef enum { AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX } Aggregate;

typedef struct {
    Key key;
    int type;
    bool exists;
    double weight;
} Operand;

typedef struct {
    Combine how;
    Aggregate aggregate;
    bool with_scores;
    bool counts; /* ZINTERCARD */
    bool stores;
    int64_t limit;  /* 0: none */
    uint32_t first; /* index of the number of keys */
    Operand *operands;
    uint32_t count;
} Query;

/* --- reading */

static bool find_operand(CommandRun *run, uint32_t index, Operand *out)
{
    if (!run_find(run, index, -1, &out->key, &out->exists))
        return false;
    out->weight = 1;
    out->type = out->exists ? key_type(run->store, &out->key) : CRDT_ZSET;
    if (out->type == CRDT_ZSET || out->type == CRDT_SET)
        return true;
    run_reply_error(run, ERROR_WRONGTYPE);
    return false;
}

static bool read_weights(CommandRun *run, uint32_t index, Query *query)
{
    for (uint32_t i = 0; i < query->count; i++) {
        if (!run_double(run, index + i, &query->operands[i].weight)) {
            run_reply_error(run, "ERR weight value is not a float");
            return false;
        }
    }
    return true;
}

static bool read_aggregate(CommandRun *run, uint32_t index, Aggregate *out)
{
    const Arg *arg = run_arg(run, index);

    if (arg_is(arg, "SUM"))
        *out = AGGREGATE_SUM;
    else if (arg_is(arg, "MIN"))
        *out = AGGREGATE_MIN;
    else if (arg_is(arg, "MAX"))
        *out = AGGREGATE_MAX;
    else {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    return true;
}

static bool read_options(CommandRun *run, uint32_t index, Query *query)
{
    bool scored = query->how != COMBINE_DIFF && !query->counts;

    for (; index < run_count(run); index++) {
        const Arg *arg = run_arg(run, index);
        uint32_t left = run_count(run) - index - 1;

        if (scored && left >= query->count && arg_is(arg, "WEIGHTS")) {
            if (!read_weights(run, index + 1, query))
                return false;
            index += query->count;
        } else if (scored && left >= 1 && arg_is(arg, "AGGREGATE")) {
            if (!read_aggregate(run, ++index, &query->aggregate))
                return false;
        } else if (!query->stores && !query->counts && arg_is(arg, "WITHSCORES")) {
            query->with_scores = true;
        } else if (query->counts && left >= 1 && arg_is(arg, "LIMIT")) {
            if (!run_integer_within(run, ++index, 0, "ERR LIMIT can't be negative", &query->limit))
                return false;
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* Fills query->operands, which the caller frees; false: the error is the reply.  Workload: a key in
 * place of their number is the only one. */
static bool read_query(CommandRun *run, Query *query)
{
    bool alone = run_arg(run, query->first)->kind == ARG_KEY;
    g_autofree char *name = NULL;
    int64_t count = 1;

    if (!alone && !run_integer(run, query->first, &count))
        return false;
    if (count < 1) {
        name = g_ascii_strdown(run->command->spec->name, -1);
        run_reply_error_about(run, "ERR at least 1 input key is needed for '%s' command", name,
                              strlen(name));
        return false;
    }
    query->first += !alone;
    if (count > (int64_t)run_count(run) - query->first) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    query->count = (uint32_t)count;
    query->operands = g_new0(Operand, query->count);
    for (uint32_t i = 0; i < query->count; i++)
        if (!find_operand(run, query->first + i, &query->operands[i]))
            return false;
    return read_options(run, query->first + query->count, query);
}

/* --- combining */

static double score_of(int type, const SlotView *view)
{
    return type == CRDT_SET ? 1 : view_score(view);
}

/* A product or a sum that is no number counts as 0. */
static double number_or_zero(double score)
{
    return score == score ? score : 0;
}

static double joined(Aggregate aggregate, double a, double b)
{
    if (aggregate == AGGREGATE_MIN)
        return MIN(a, b);
    if (aggregate == AGGREGATE_MAX)
        return MAX(a, b);
    return number_or_zero(a + b);
}

/* The element's score over all operands; out_found: in how many it is, out_first: the first. */
static double weigh(CommandRun *run, const Query *query, const ElementRef *ref, uint32_t *out_found,
                    uint32_t *out_first)
{
    double score = 0;

    *out_found = 0;
    for (uint32_t i = 0; i < query->count; i++) {
        const Operand *operand = &query->operands[i];
        SlotView view = {0};
        double own;

        if (operand->exists)
            view = run_view(run, &operand->key, operand->type, ref);
        if (!view.present)
            continue;
        own = number_or_zero(operand->weight * score_of(operand->type, &view));
        score = *out_found == 0 ? own : joined(query->aggregate, score, own);
        *out_first = *out_found == 0 ? i : *out_first;
        ++*out_found;
    }
    return score;
}

static bool is_in_result(const Query *query, uint32_t walked, uint32_t found, uint32_t first)
{
    if (query->how == COMBINE_INTER)
        return found == query->count;
    return first == walked && (query->how == COMBINE_UNION || found == 1);
}

static void combine_operand(CommandRun *run, const Query *query, uint32_t walked, GArray *result)
{
    const Operand *operand = &query->operands[walked];
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    while (operand->exists &&
           key_next_slot(run->store, &operand->key, operand->type, &cursor, &ref, &slot)) {
        SlotView view = slot_view(&run->store->world.pool, slot);
        uint32_t found;
        uint32_t first = 0;
        Scored item = {.ref = ref};

        if (!view.present)
            continue;
        item.score = weigh(run, query, &ref, &found, &first);
        if (query->how == COMBINE_DIFF)
            item.score = score_of(operand->type, &view);
        if (is_in_result(query, walked, found, first))
            g_array_append_val(result, item);
    }
}

static GArray *combine(CommandRun *run, const Query *query)
{
    GArray *result = g_array_new(FALSE, FALSE, sizeof(Scored));
    uint32_t walks = query->how == COMBINE_UNION ? query->count : 1;

    for (uint32_t i = 0; i < walks; i++)
        combine_operand(run, query, i, result);
    zset_sort((Scored *)(void *)result->data, result->len);
    return result;
}

static void reply_result(CommandRun *run, const Query *query, const GArray *result)
{
    run_reply_array(run, result->len * 2);
    for (uint32_t i = 0; i < result->len; i++) {
        const Scored *item = &g_array_index(result, Scored, i);

        run_push_text(run, item->ref.name.data ? item->ref.name
                                               : (PayloadText){NULL, DECLARED_NAME_BYTES});
        if (query->with_scores)
            run_push_score(run, item->score);
    }
}

static void answer(CommandRun *run, Query query)
{
    GArray *result;

    query.first = query.stores ? 1 : 0;
    if (read_query(run, &query)) {
        result = combine(run, &query);
        if (query.counts)
            run_reply_integer(run, query.limit > 0 ? MIN(query.limit, (int64_t)result->len)
                                                   : (int64_t)result->len);
        else if (query.stores)
            zset_replace(run, 0, (const Scored *)(const void *)result->data, result->len);
        else
            reply_result(run, &query, result);
        g_array_free(result, TRUE);
    }
    g_free(query.operands);
}

static void run_zinter(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_INTER});
}

static void run_zunion(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_UNION});
}

static void run_zdiff(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_DIFF});
}

static void run_zinterstore(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_INTER, .stores = true});
}

static void run_zunionstore(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_UNION, .stores = true});
}

static void run_zdiffstore(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_DIFF, .stores = true});
}

static void run_zintercard(CommandRun *run)
{
    answer(run, (Query){.how = COMBINE_INTER, .counts = true});
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("ZINTER", "elements in all sorted sets", -3, false, OP_READ, SHAPE_KEY, 6.0,
                 run_zinter),
    COMMAND_SPEC("ZUNION", "elements in any sorted set", -3, false, OP_READ, SHAPE_KEY, 6.0,
                 run_zunion),
    COMMAND_SPEC("ZDIFF", "elements in the first sorted set alone", -3, false, OP_READ, SHAPE_KEY,
                 6.0, run_zdiff),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZINTERSTORE", "ZINTER into another key", -4, true, OP_LWW,
                      SHAPE_KEY, 9.0, run_zinterstore),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZUNIONSTORE", "ZUNION into another key", -4, true, OP_LWW,
                      SHAPE_KEY, 9.0, run_zunionstore),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZDIFFSTORE", "ZDIFF into another key", -4, true, OP_LWW,
                      SHAPE_KEY, 9.0, run_zdiffstore),
    COMMAND_SPEC("ZINTERCARD", "how many elements are in all sorted sets", -3, false, OP_READ,
                 SHAPE_KEY, 5.0, run_zintercard),
};

const CommandGroup command_group_zsetop = {
    .head = {.name = "zsetop", .summary = "sorted sets against sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
