/* Commands on sorted sets (crdt-semantics.md 3.5).
 *
 * Why it works: NX, XX, GT and LT are decided on what is seen here and only the outcome replicates:
 * ZADD as an assignment of the score, ZINCRBY and ZADD INCR as an amount, ZREM and ZPOP* as
 * observed removes. */
#include <string.h>

#include <glib.h>

#include "models/data/zset_order.h"

typedef struct {
    bool nx, xx, gt, lt, ch, incr;
    uint32_t first_pair;
} ZaddOptions;

static bool zadd_read_options(CommandRun *run, ZaddOptions *options)
{
    uint32_t pairs;

    for (options->first_pair = 1; options->first_pair < run_count(run); options->first_pair++) {
        const Arg *arg = run_arg(run, options->first_pair);
        bool *flag = arg_is(arg, "NX")     ? &options->nx
                     : arg_is(arg, "XX")   ? &options->xx
                     : arg_is(arg, "GT")   ? &options->gt
                     : arg_is(arg, "LT")   ? &options->lt
                     : arg_is(arg, "CH")   ? &options->ch
                     : arg_is(arg, "INCR") ? &options->incr
                                           : NULL;
        if (!flag)
            break;
        *flag = true;
    }
    pairs = run_count(run) - options->first_pair;
    if (pairs == 0 || pairs % 2 != 0)
        run_reply_error(run, ERROR_SYNTAX);
    else if (options->nx && options->xx)
        run_reply_error(run, "ERR XX and NX options at the same time are not compatible");
    else if ((options->gt && options->lt) || (options->nx && (options->gt || options->lt)))
        run_reply_error(run, "ERR GT, LT, and/or NX options at the same time are not compatible");
    else if (options->incr && pairs > 2)
        run_reply_error(run, "ERR INCR option supports a single increment-element pair");
    else
        return true;
    return false;
}

/* Whether the conditions let new_score in, given what is seen. */
static bool zadd_allowed(const ZaddOptions *options, const SlotView *view, double new_score)
{
    if (!view->present)
        return !options->xx;
    if (options->nx)
        return false;
    if (options->gt && new_score <= view_score(view))
        return false;
    return !options->lt || new_score < view_score(view);
}

typedef struct {
    double number;
    Decimal decimal;
    bool is_decimal; /* else no decimal holds it: infinite, too large, or all of it too small */
} Amount;

/* A workload may leave the amount out: it is 1. */
static bool read_amount(CommandRun *run, uint32_t index, Amount *out)
{
    const Arg *arg = run_arg(run, index);

    if (arg->kind == ARG_BYTES) {
        if (!run_double(run, index, &out->number))
            return false;
        out->is_decimal = decimal_parse(arg->data, arg->bytes, &out->decimal) &&
                          (out->decimal != 0 || out->number == 0);
        return true;
    }
    out->number = arg->kind == ARG_INTEGER ? (double)(int64_t)arg->number : 1.0;
    out->decimal =
        arg->kind == ARG_INTEGER ? (Decimal)(int64_t)arg->number * DECIMAL_ONE : DECIMAL_ONE;
    out->is_decimal = true;
    return true;
}

/* Simplified: an amount that no decimal holds replicates as an assignment of the sum.
 *
 * Replies the new score; nil when the conditions did not let it in. */
static void add_amount(CommandRun *run, Key *key, const ElementRef *ref, const Amount *amount,
                       const ZaddOptions *options)
{
    SlotView view = run_view(run, key, CRDT_ZSET, ref);
    double sum = (view.present ? view_score(&view) : 0) + amount->number;

    if (view.present ? options->nx : options->xx) {
        run_reply_nil(run);
        return;
    }
    if (sum != sum) {
        run_reply_error(run, "ERR resulting score is not a number (NaN)");
        return;
    }
    if (!zadd_allowed(options, &view, sum)) {
        run_reply_nil(run);
        return;
    }
    if (amount->is_decimal)
        run_increment(run, key, CRDT_ZSET, ref, amount->decimal);
    else
        run_assign(run, key, CRDT_ZSET, ref, score_value(sum));
    view = run_view(run, key, CRDT_ZSET, ref);
    run_reply_score(run, view_score(&view));
}

static void zadd_pairs(CommandRun *run, Key *key, const ZaddOptions *options)
{
    int64_t added = 0;
    int64_t changed = 0;
    double score;

    for (uint32_t i = options->first_pair; i < run_count(run); i += 2) {
        ElementRef ref = run_element(run, key, i + 1);
        SlotView view = run_view(run, key, CRDT_ZSET, &ref);

        run_double(run, i, &score);
        if (!zadd_allowed(options, &view, score))
            continue;
        added += !view.present;
        changed += !view.present || view_score(&view) != score;
        run_assign(run, key, CRDT_ZSET, &ref, score_value(score));
    }
    run_reply_integer(run, options->ch ? changed : added);
}

/* Workload: a run of elements gets one score, told by an integer or a token. */
static void zadd_declared(CommandRun *run, Key *key, bool exists)
{
    const Arg *score = run_first_of(run, ARG_INTEGER);
    const Arg *token = run_first_of(run, ARG_SYNTHETIC);
    LocalWrite write = {.op = EFFECT_ASSIGN, .type = CRDT_ZSET, .now = run->now};

    run_declared_range(run, key, exists, &write);
    write.value = score_value(score   ? (double)(int64_t)score->number
                              : token ? (double)(token->number % 1000000)
                                      : 0.0);
    store_write(run->store, key, &write);
    run_reply_integer(run, exists ? 0 : key->state->fields);
}

/* Nothing is written when one score is wrong. */
static bool zadd_scores_are_right(CommandRun *run, const ZaddOptions *options)
{
    double score;

    for (uint32_t i = options->first_pair; i < run_count(run); i += 2)
        if (!run_double(run, i, &score))
            return false;
    return true;
}

static void run_zadd(CommandRun *run)
{
    bool in_words = run_arg(run, 1)->kind == ARG_BYTES;
    ZaddOptions options = {0};
    Amount amount;
    ElementRef ref;
    bool exists;
    Key key;

    if (run_arg(run, 0)->kind == ARG_KEY && !in_words) {
        if (run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
            zadd_declared(run, &key, exists);
        return;
    }
    if (!zadd_read_options(run, &options) || !zadd_scores_are_right(run, &options) ||
        !run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
        return;
    if (!options.incr) {
        zadd_pairs(run, &key, &options);
        return;
    }
    read_amount(run, options.first_pair, &amount);
    ref = run_element(run, &key, options.first_pair + 1);
    add_amount(run, &key, &ref, &amount, &options);
}

static void run_zincrby(CommandRun *run)
{
    static const ZaddOptions none = {0};
    const Arg *element = run_first_of(run, ARG_ELEMENT);
    uint32_t amount_index = 1;
    ElementRef ref = {0};
    Amount amount;
    bool exists;
    Key key;

    while (element && amount_index < run_count(run) &&
           run_arg(run, amount_index)->kind != ARG_INTEGER)
        amount_index++;
    if (!read_amount(run, amount_index, &amount) ||
        !run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
        return;
    if (key.state && element)
        ref.index = (uint32_t)(element->number % key.state->fields);
    else
        ref = run_element(run, &key, 2);
    add_amount(run, &key, &ref, &amount, &none);
}

static void run_zrem(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
        run_reply_integer(run, exists ? run_remove_named(run, &key, CRDT_ZSET) : 0);
}

static void run_zscore(CommandRun *run)
{
    SlotView view = {0};
    ElementRef ref;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    ref = run_element(run, &key, 1);
    if (exists)
        view = run_view(run, &key, CRDT_ZSET, &ref);
    if (view.present)
        run_reply_score(run, view_score(&view));
    else
        run_reply_nil(run);
}

static void run_zmscore(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    run_reply_array(run, run_count(run) - 1);
    for (uint32_t i = 1; i < run_count(run); i++) {
        ElementRef ref = run_element(run, &key, i);
        SlotView view = exists ? run_view(run, &key, CRDT_ZSET, &ref) : (SlotView){0};

        if (view.present)
            run_push_score(run, view_score(&view));
        else
            run_push_nil(run);
    }
}

static void run_zcard(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_ZSET, &key, &exists))
        run_reply_integer(run, exists ? key_live(run->store, &key, CRDT_ZSET) : 0);
}

static bool comes_before(const void *bound, const Scored *item)
{
    return scored_compare(item, bound) < 0;
}

static void zrank(CommandRun *run, bool reverse)
{
    Scored at = {0};
    SlotView view = {0};
    ZsetOrder order;
    uint32_t rank;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    at.ref = run_element(run, &key, 1);
    if (exists)
        view = run_view(run, &key, CRDT_ZSET, &at.ref);
    if (!view.present) {
        run_reply_nil(run);
        return;
    }
    at.score = view_score(&view);
    zset_order_open(run, &key, true, &order);
    rank = zset_order_below(&order, comes_before, &at, 0, WALK_UP);
    run_reply_integer(run, reverse ? order.count - 1 - rank : rank);
}

static void run_zrank(CommandRun *run)
{
    zrank(run, false);
}

static void run_zrevrank(CommandRun *run)
{
    zrank(run, true);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("ZADD", "assign scores", -4, true, OP_LWW, SHAPE_MEMBERS, 1.02, run_zadd),
    COMMAND_SPEC("ZINCRBY", "add to a score", 4, true, OP_ACCUM, SHAPE_MEMBERS, 0.85, run_zincrby),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ZREM", "remove elements, as far as observed", -3, true, OP_LWW,
                      SHAPE_MEMBERS, 1.6, run_zrem),
    COMMAND_SPEC("ZSCORE", "one score", 3, false, OP_READ, SHAPE_MEMBERS, 0.8, run_zscore),
    COMMAND_SPEC("ZMSCORE", "several scores", -3, false, OP_READ, SHAPE_MEMBERS, 1.0, run_zmscore),
    COMMAND_SPEC("ZCARD", "number of elements", 2, false, OP_READ, SHAPE_KEY, 0.5, run_zcard),
    COMMAND_SPEC("ZRANK", "place from the lowest", 3, false, OP_READ, SHAPE_MEMBERS, 0.37,
                 run_zrank),
    COMMAND_SPEC("ZREVRANK", "place from the highest", 3, false, OP_READ, SHAPE_MEMBERS, 0.37,
                 run_zrevrank),
};

const CommandGroup command_group_zset = {
    .head = {.name = "zset", .summary = "elements and scores of sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
