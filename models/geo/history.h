/* Records of one origin's effects at one member, each kept until every linked member has observed
 * it.
 *
 * A record is one byte: the class of its effect, which says how many bytes it would take in the
 * product and whether it is a tombstone (crdt-semantics.md 1.4).  Seqs are contiguous, so a ring
 * suffices and collecting is walking.
 *
 * Simplified: a record goes when its own dot is stable; crdt-semantics.md 1.4 waits for the dots of
 * its context too, which are stable at about the same time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "models/data/family.h"

typedef enum { HISTORY_RECORD, HISTORY_TOMBSTONE, HISTORY_KINDS } HistoryKind;

#define HISTORY_CLASSES_MAX 256

/* What records of the member's families weigh; shared by its histories.  Class 0 weighs nothing. */
typedef struct {
    int64_t bytes[HISTORY_CLASSES_MAX];
    uint8_t kind[HISTORY_CLASSES_MAX];
    uint32_t count;
    uint8_t code[FAMILY_MAX + 1][HISTORY_KINDS][2]; /* last index: weight 1 or the family's */
} HistoryClasses;

/* Fills out; false when the families have more different record sizes than there are classes.  Born
 * keys are at index family_count and weigh HISTORY_BORN_BYTES. */
#define HISTORY_BORN_BYTES 64
bool history_classes_init(HistoryClasses *out, const Family *const *families,
                          uint32_t family_count);

/* What all histories of a member hold together. */
typedef struct {
    int64_t bytes[HISTORY_KINDS];
    uint64_t record_count; /* of non-empty records */
} HistoryBooks;

typedef struct {
    const HistoryClasses *classes;
    HistoryBooks *books;
    uint8_t *codes;     /* ring by seq */
    uint64_t capacity;  /* power of two */
    uint64_t first_seq; /* oldest kept */
    uint64_t next_seq;
    uint64_t stable_seq; /* all linked members have observed up to here */
    uint64_t room_until; /* a next_seq below this is kept, and the ring has room for it */
} History;

/* Borrows both; books are shared and begin as zeros. */
void history_init(History *history, const HistoryClasses *classes, HistoryBooks *books);
void history_clear(History *history);

/* The effect seq became known here.  Nothing is kept when everybody linked has observed it already.
 */
static inline void history_push(History *history, uint64_t seq, uint8_t code);
/* The record of seq is replaced by a newer one on the same key and element (retention by key). */
void history_supersede(History *history, uint64_t seq);
/* Effects up to seq became known at once by a state merge, without records. */
void history_skip(History *history, uint64_t seq);
/* All linked members have observed up to seq. */
void history_collect(History *history, uint64_t seq);

void history_push_rare(History *history, uint64_t seq, uint8_t code); /* for history_push */

static inline void history_push(History *history, uint64_t seq, uint8_t code)
{
    const HistoryClasses *classes = history->classes;

    if (seq != history->next_seq || seq >= history->room_until) {
        history_push_rare(history, seq, code);
        return;
    }
    history->next_seq++;
    history->codes[seq & (history->capacity - 1)] = code;
    history->books->bytes[classes->kind[code]] += classes->bytes[code];
    history->books->record_count += code != 0;
}
