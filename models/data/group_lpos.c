/* Where in a list equal elements are.
 *
 * Why it works: one walk from the end that RANK asks for, which skips its first matches and ends
 * with the last one wanted. */
#include <glib.h>

#include "models/crdt/body_list.h"
#include "models/data/list_argument.h"

#define ERROR_RANK_ZERO                                                                            \
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "   \
    "negative to start from the end of the list"

typedef struct {
    int64_t rank;
    int64_t count;   /* -1: not asked for, the first match alone; 0: all */
    int64_t compare; /* at most so many; 0: any */
} PositionQuery;

static bool read_position_option(CommandRun *run, uint32_t at, PositionQuery *query)
{
    const Arg *word = run_arg(run, at);
    bool has_value = at + 1 < run_count(run);

    if (has_value && arg_is(word, "COUNT"))
        return run_integer_within(run, at + 1, 0, "ERR COUNT can't be negative", &query->count);
    if (has_value && arg_is(word, "MAXLEN"))
        return run_integer_within(run, at + 1, 0, "ERR MAXLEN can't be negative", &query->compare);
    if (!has_value || !arg_is(word, "RANK")) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (!run_integer(run, at + 1, &query->rank))
        return false;
    if (query->rank == INT64_MIN) /* has no opposite: Redis then takes the last match */
        query->rank = -1;
    if (query->rank == 0)
        run_reply_error(run, ERROR_RANK_ZERO);
    return query->rank != 0;
}

static void reply_positions(CommandRun *run, const CrdtBody *list, const PositionQuery *query,
                            const Value *value)
{
    bool back = query->rank < 0;
    int64_t skip = (back ? -query->rank : query->rank) - 1;
    int64_t found = 0;
    int64_t compared = 0;
    ListCursor at = list_cursor(list, back ? list_count(list) - 1 : 0);

    if (query->count >= 0)
        run_reply_array(run, list_count(list));
    while (list_cursor_is_valid(&at) && (query->compare == 0 || compared++ < query->compare)) {
        Value here = list_cursor_value(&at);

        if (list_values_equal(&here, value) && skip-- <= 0) {
            if (query->count < 0) {
                run_reply_integer(run, at.index);
                return;
            }
            run_push_integer(run, at.index);
            if (++found == query->count)
                return;
        }
        if (back)
            list_cursor_back(&at);
        else
            list_cursor_forward(&at);
    }
    if (query->count < 0)
        run_reply_nil(run);
}

static void run_lpos(CommandRun *run)
{
    PositionQuery query = {.rank = 1, .count = -1};
    bool exists;
    Value value;
    Key key;

    for (uint32_t at = 2; at < run_count(run); at += 2)
        if (!read_position_option(run, at, &query))
            return;
    if (!run_find(run, 0, CRDT_LIST, &key, &exists))
        return;
    value = list_argument(run, &key, 1);
    reply_positions(run, exists ? run_body(run, &key, CRDT_LIST) : NULL, &query, &value);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("LPOS", "indexes of equal elements", -3, false, OP_READ, SHAPE_VALUE, 0.5,
                 run_lpos),
};

const CommandGroup command_group_lpos = {
    .head = {.name = "lpos", .summary = "positions in lists"},
    .serves = "list",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
