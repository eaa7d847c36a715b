/* The order of a large sorted set, kept from one question to the next: ranks are found, and
 * elements come and go, in O(log elements).
 *
 * It holds places alone, which number the elements of the set (a declared element's index, a born
 * one's place in its table), about 6 bytes for each; scores and names are read where they are.  So
 * an element must leave before its score changes and enter after.
 */
#pragma once

#include "models/data/store_private.h"

typedef struct {
    double score; /* never NaN */
    ElementRef ref;
} Scored;

/* By score, then by index (declared) or the name's bytes; -0 is 0. */
int scored_compare(const Scored *a, const Scored *b);

/* How to read the element at a place of the set that an index is of. */
typedef struct {
    Scored (*read)(const void *set, uint32_t place);
    const void *set;
} ZsetPlaces;

ZsetIndex *zset_index_new(const uint32_t *places, uint32_t count); /* in order */
void zset_index_free(ZsetIndex *index);

void zset_index_enter(ZsetIndex *index, const ZsetPlaces *places, uint32_t place);
void zset_index_leave(ZsetIndex *index, const ZsetPlaces *places, uint32_t place);
/* The element at from is about to stand at to, where none of the index is. */
void zset_index_move(ZsetIndex *index, const ZsetPlaces *places, uint32_t from, uint32_t to);

uint32_t zset_index_count(const ZsetIndex *index);
uint64_t zset_index_bytes(const ZsetIndex *index);

/* How many elements come before a bound: those for which before holds, which must be the first. */
typedef bool (*ZsetBefore)(const void *bound, const Scored *item);
uint32_t zset_index_below(const ZsetIndex *index, const ZsetPlaces *places, ZsetBefore before,
                          const void *bound);

/* A run of the order in which the element of a rank lies. */
typedef struct {
    const uint32_t *places; /* borrowed until the index changes */
    uint32_t first;         /* rank of places[0] */
    uint32_t count;
} ZsetRun;

ZsetRun zset_index_run(const ZsetIndex *index, uint32_t rank); /* rank < count */
