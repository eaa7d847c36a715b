/* A place from the kernel's side: what the kernel may do with it that its handlers may not.
 *
 * Only sim/kernel.c and sim/place.c include this; everyone else sees sim/kernel.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/arena.h"
#include "sim/ensure.h"
#include "sim/kernel.h"
#include "sim/timers.h"

typedef enum {
    PHASE_OUTSIDE, /* set-up, controls, between runs: the caller may touch every place */
    PHASE_WINDOW,  /* places run, each alone */
    PHASE_PUBLISH, /* what they sent becomes visible; nobody may ask for the time */
} KernelPhase;

/* What every place reads of its kernel and no place changes. */
typedef struct {
    KernelPhase phase;
    SimTime floor_ns; /* outside a window nothing may be set before this */
    SimTime gap_ns;   /* the least delay between two places; 0 when serial */
} KernelRules;

/* The room of one posted body; a free one links to the next. */
typedef union BodyCell {
    union BodyCell *next_free;
    _Alignas(16) unsigned char bytes[(KERNEL_BODY_MAX + 15) / 16 * 16];
} BodyCell;

typedef struct {
    Arena *arena; /* cells stay where they are until the place ends */
    BodyCell *free;
    uint32_t next_chunk_count;
} BodyPool;

typedef struct {
    Place *to;
    TimerEvent event;
} Departure;

/* A stream as its place keeps it: in the order of events of one instant. */
typedef struct {
    EventKey next; /* at_ns SIM_TIME_NEVER: nothing is set */
    const Handler *handler;
    uint64_t order; /* with seq 0 */
} PlaceStream;

#define PLACE_POSITION_BITS  6u
#define PLACE_PACKED_STREAMS (1u << PLACE_POSITION_BITS)

struct Place {
    EnsureContext context; /* its now_ns and event_count are the place's own */
    const KernelRules *rules;
    uint32_t index;
    bool is_running;
    bool has_sent; /* since the last place_deliver */

    EventKey last; /* of the last event: no two may be equal */
    EventKey stream_least;
    uint32_t stream_least_position;
    uint32_t stream_count;
    uint32_t stream_capacity;   /* a power of two */
    SimTime stream_far_ns;      /* heads cannot hold this and what is later */
    uint32_t *stream_positions; /* in streams, by what place_add_stream gave out */
    PlaceStream *streams;
    uint64_t *stream_heads; /* a tournament, see place.c */

    Departure *departures; /* to other places, until the window's end */
    uint32_t departure_count;
    uint32_t departure_capacity;

    BodyPool bodies;
    Timers timers;
};

void place_init(Place *place, uint32_t index, const KernelRules *rules);
void place_clear(Place *place);

static inline EventKey place_peek(const Place *place)
{
    EventKey timer = timers_peek(&place->timers);

    return event_key_before(timer, place->stream_least) ? timer : place->stream_least;
}

/* Runs the events before limit; until_sent: no more after one that sent something to another
 * place. */
void place_run(Place *place, EventKey limit, bool until_sent);

/* Gives the departures to their receivers; returns whether anything was sent since the last call.
 */
bool place_deliver(Place *place);
