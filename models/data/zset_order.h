/* The order of a sorted set: by score, then by name (declared elements: by index), computed when
 * asked for. */
#pragma once

#include "models/data/command_run.h"

typedef struct {
    double score;
    ElementRef ref;
} Scored;

typedef struct {
    Scored *items; /* ascending */
    uint32_t count;
} ScoredList;

ScoredList zset_sorted(CommandRun *run, const Key *key, bool exists); /* free items with g_free */
bool zset_first(CommandRun *run, const Key *key, bool highest,
                Scored *out); /* O(elements), no allocation */
uint32_t zset_count_before(CommandRun *run, const Key *key, const Scored *at, bool reverse);

/* Puts these in the place of whatever is under argument index, and replies how many there are.  The
 * names may belong to that same key. */
void zset_replace(CommandRun *run, uint32_t index, const Scored *items, uint32_t count);

void zset_sort(ScoredList *list);

/* An assignment of a score. */
Value score_value(double score);

/* "1.5", "(1.5", "-inf"; exclusive with a parenthesis. */
typedef struct {
    double low, high;
    bool low_exclusive, high_exclusive;
} ScoreRange;

bool score_range_parse(CommandRun *run, uint32_t low_index, uint32_t high_index, ScoreRange *out);
bool score_range_holds(const ScoreRange *range, double score);

void run_push_score(CommandRun *run, double score);
void run_reply_score(CommandRun *run, double score);
