/* Calls in the order in which something about them falls due, such as one constant timeout.
 *
 * A ring instead of a heap: adding one is a store of its name.  When it falls due stands in the
 * call's slot (op_pool.h); those whose operation has ended meanwhile are passed over when the ring
 * is full or its front falls due.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CALL_RING_FIRST 256 /* entries: a ring of a few kB stays in the cache */

typedef struct {
    uint64_t *calls;
    uint64_t head, tail; /* of a count without end; the ring holds [head, tail) */
    uint64_t capacity;   /* a power of two, or 0 */
} CallRing;

static inline void call_ring_clear(CallRing *ring)
{
    g_free(ring->calls);
    *ring = (CallRing){0};
}

static inline bool call_ring_is_empty(const CallRing *ring)
{
    return ring->head == ring->tail;
}

static inline uint64_t call_ring_front(const CallRing *ring)
{
    return ring->calls[ring->head & (ring->capacity - 1)];
}

static inline void call_ring_pop(CallRing *ring)
{
    ring->head++;
}

/* The next push would make it larger: the moment to drop what has no more use. */
static inline bool call_ring_is_full(const CallRing *ring)
{
    return ring->tail - ring->head == ring->capacity;
}

static inline void call_ring_push(CallRing *ring, uint64_t call)
{
    if (call_ring_is_full(ring)) {
        uint64_t capacity = ring->capacity ? ring->capacity * 2 : CALL_RING_FIRST;
        uint64_t *calls = g_new(uint64_t, capacity);

        for (uint64_t i = ring->head; i != ring->tail; i++)
            calls[i & (capacity - 1)] = ring->calls[i & (ring->capacity - 1)];
        g_free(ring->calls);
        ring->calls = calls;
        ring->capacity = capacity;
    }
    ring->calls[ring->tail++ & (ring->capacity - 1)] = call;
}
