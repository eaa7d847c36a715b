/* The order of a sorted set: by score, then by name (declared elements: by index).
 *
 * A set with places for more than ZSET_FEW elements keeps an index of it from the first question on
 * (zset_index.h); from then on a question costs O(log elements) and its answer.  An index goes with
 * the last element, a DEL and a full sync, and is made again when asked for.
 */
#pragma once

#include "models/data/command_run.h"
#include "models/data/zset_index.h"

#define ZSET_FEW 32 /* so many are looked at and sorted each time */

/* Of one key, until its next write. */
typedef struct {
    Store *store;
    Key key;
    uint32_t count;
    const ZsetIndex *index; /* NULL: the elements are these few */
    ZsetRun run;            /* of the index, as read last */
    Scored few[ZSET_FEW];
} ZsetOrder;

void zset_order_open(CommandRun *run, const Key *key, bool exists, ZsetOrder *out);
Scored zset_order_at(ZsetOrder *order, uint32_t rank); /* ranks side by side: O(1) each */
Scored *zset_order_copy(ZsetOrder *order, uint32_t first, uint32_t count); /* ascending, g_free */

/* How many elements come before a bound.  Where before holds here and there (a range by name of
 * scores that differ) a few elements are walked as Redis walks them: from rank from on, up to the
 * first for which it does not hold, or down to the first for which it does. */
typedef enum { WALK_UP, WALK_DOWN } ZsetWalk;
uint32_t zset_order_below(const ZsetOrder *order, ZsetBefore before, const void *bound,
                          uint32_t from, ZsetWalk walk);

/* Puts these in the place of whatever is under argument index, and replies how many there are.  The
 * names may belong to that same key. */
void zset_replace(CommandRun *run, uint32_t index, const Scored *items, uint32_t count);

void zset_sort(Scored *items, uint32_t count);

/* An assignment of a score. */
Value score_value(double score);

/* "1.5", "(1.5", "-inf"; exclusive with a parenthesis. */
typedef struct {
    double low, high;
    bool low_exclusive, high_exclusive;
} ScoreRange;

bool score_range_parse(CommandRun *run, uint32_t low_index, uint32_t high_index, ScoreRange *out);

void run_push_score(CommandRun *run, double score);
void run_reply_score(CommandRun *run, double score);
