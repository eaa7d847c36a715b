/* What a stream body is made of: one region's entries in id order, and sets of dots.
 *
 * Private to the stream body.  Appending is O(1), finding O(log n), removing O(1) amortised after
 * it was found.
 */
#pragma once

#include "models/crdt/body_stream.h"

/* Dots of one member, ascending. */
typedef struct {
    Dot *dots;
    uint32_t first, end, capacity;
} DotSet;

uint32_t dot_set_lower(const DotSet *set, Dot dot); /* index of the first at or above */
bool dot_set_has(const DotSet *set, Dot dot);
bool dot_set_add(DotSet *set, Dot dot);  /* false: was there */
bool dot_set_take(DotSet *set, Dot dot); /* false: was not there */
void dot_set_drop_up_to(DotSet *set, Dot dot);
void dot_set_clear(DotSet *set);

static inline uint32_t dot_set_count(const DotSet *set)
{
    return set->end - set->first;
}

typedef struct {
    StreamId id;
    Dot dot;
    uint64_t number; /* token, or the address of bytes this entry owns */
    uint32_t bytes;  /* synthetic size, or of the encoded fields */
    uint8_t kind;    /* ValueKind */
    bool dead;       /* a hole until the tree is tidied */
} StreamEntry;

uint32_t entry_text_bytes(const StreamEntry *entry); /* of names and values alone */
StreamEntry entry_copy(const StreamEntry *entry);
void entry_free_value(StreamEntry *entry);

/* Ascending by (id, dot).  Between changes the first and the last are no holes. */
typedef struct {
    StreamEntry *entries; /* first to end */
    uint32_t first, end, capacity;
    uint32_t live_count;
    bool disordered; /* dots do not ascend with ids: the key began anew while some of its past is
                        here */
} StreamTree;

uint32_t tree_lower(const StreamTree *tree, StreamId id, Dot dot); /* first at or above, or end */
uint32_t tree_lower_dot(const StreamTree *tree, Dot dot);          /* unless disordered */
void tree_insert(StreamTree *tree, const StreamEntry *entry);      /* takes what it owns */
void tree_kill(StreamTree *tree, uint32_t at);                     /* then, once: */
void tree_tidy(StreamTree *tree);
void tree_clear(StreamTree *tree);
Dot tree_oldest(const StreamTree *tree); /* UINT64_MAX: none */
