/* Deadlines that are set in the order in which they fall due, such as those of one constant
 * timeout.
 *
 * A ring instead of a heap: setting one is a store, and those whose operation has ended meanwhile
 * are passed over when the ring is full or its front falls due.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/ensure.h"
#include "sim/time.h"

typedef struct {
    SimTime at_ns;
    uint64_t call;
} Due;

#define DUE_RING_FIRST 256 /* entries: a ring of a few kB stays in the cache */

typedef struct {
    Due *dues;
    uint64_t head, tail; /* of a count without end; the ring holds [head, tail) */
    uint64_t capacity;   /* a power of two, or 0 */
} DueRing;

static inline void due_ring_clear(DueRing *ring)
{
    g_free(ring->dues);
    *ring = (DueRing){0};
}

static inline bool due_ring_is_empty(const DueRing *ring)
{
    return ring->head == ring->tail;
}

static inline const Due *due_ring_front(const DueRing *ring)
{
    return &ring->dues[ring->head & (ring->capacity - 1)];
}

/* The next push would make it larger: the moment to drop what has no more use. */
static inline bool due_ring_is_full(const DueRing *ring)
{
    return ring->tail - ring->head == ring->capacity;
}

static inline void due_ring_pop(DueRing *ring)
{
    ring->head++;
}

static inline void due_ring_push(DueRing *ring, Due due)
{
    if (due_ring_is_full(ring)) {
        uint64_t capacity = ring->capacity ? ring->capacity * 2 : DUE_RING_FIRST;
        Due *dues = g_new(Due, capacity);

        for (uint64_t i = ring->head; i != ring->tail; i++)
            dues[i & (capacity - 1)] = ring->dues[i & (ring->capacity - 1)];
        g_free(ring->dues);
        ring->dues = dues;
        ring->capacity = capacity;
    }
    ring->dues[ring->tail++ & (ring->capacity - 1)] = due;
}
