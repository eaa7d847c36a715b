/* The last writer of each key and element, while somebody may still overwrite it unseen.
 *
 * A writer that every later write has seen is stale: it may be forgotten at any moment, which only
 * somebody who counts the slots would notice.
 */
#pragma once

#include <stdint.h>

#include "models/crdt/clock.h"

typedef struct {
    uint64_t key;
    Dot dot; /* 0: the slot is free */
    int64_t ts_ms;
    uint64_t element; /* its index; in a list its id */
} Writer;

_Static_assert(sizeof(Writer) == 32, "fit.md allows 32 bytes per live key");

typedef struct {
    Clock stable;  /* writers it covers are stale */
    Writer *slots; /* in huge pages: they are met at random */
    void *memory;
    uint32_t size, used; /* slots; size is a power of two */
} LastWriters;

void last_writers_init(LastWriters *writers);
void last_writers_clear(LastWriters *writers); /* frees what it holds */

/* The slot of key and element, or one where they may go: a stale one, or a free one. */
Writer *last_writers_find(const LastWriters *writers, uint64_t key, uint64_t element);
void last_writers_prefetch(const LastWriters *writers, uint64_t key, uint64_t element);

/* Fills the slot that was found for its key and element; others may move. */
void last_writers_set(LastWriters *writers, Writer *slot, const Writer *writer);
