/* What is on its way on a link, as its sender puts it there; for models/geo/link.c alone.
 *
 * Most of it is runs of the sender's log.  Other entries, and changes of the link's shape, keep
 * their place between runs.
 */
#pragma once

#include <glib.h>

#include "models/geo/link.h"

/* What the delay drawn and the bytes are made into. */
typedef struct {
    SimTime add_ns;
    double factor;    /* of the fault and of loss */
    uint64_t unit_ns; /* per byte before compression, in 2^-20; 0: unlimited */
} Shape;

typedef enum { PARCEL_RUN, PARCEL_RELAY, PARCEL_CLOCK, PARCEL_SHAPE } ParcelKind;

#define PARCEL_AS_MADE ((SimTime)-1)

typedef struct {
    ParcelKind kind;
    LinkEntryKind entry_kind; /* CLOCK */
    SimTime sent_ns;          /* RUN: or PARCEL_AS_MADE: each effect when it was made */
    uint64_t wire_bytes;      /* CLOCK, RELAY */
    union {
        struct {
            uint64_t seq, until_seq; /* of the sender's log, both included */
        } run;
        struct {
            LinkOrigin origin;
            const EffectRecord *record;
        } relay;
        Clock clock;
        Shape shape;
    };
} Parcel;

/* Growing, addressed by count. */
typedef struct {
    Parcel *parcels;
    uint64_t capacity;
    uint64_t head, tail;
} ParcelRing;

static inline void parcel_ring_grow(ParcelRing *ring)
{
    uint64_t capacity = ring->capacity ? ring->capacity * 2 : 4;
    Parcel *parcels = g_new(Parcel, capacity);

    for (uint64_t i = ring->head; i < ring->tail; i++)
        parcels[i & (capacity - 1)] = ring->parcels[i & (ring->capacity - 1)];
    g_free(ring->parcels);
    ring->parcels = parcels;
    ring->capacity = capacity;
}

static inline Parcel *parcel_ring_add(ParcelRing *ring)
{
    if (ring->tail - ring->head == ring->capacity)
        parcel_ring_grow(ring);
    return &ring->parcels[ring->tail++ & (ring->capacity - 1)];
}

static inline void parcel_ring_clear(ParcelRing *ring)
{
    ring->head = ring->tail = 0;
}
