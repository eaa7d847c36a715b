/* Timers: the pending events of one place, least key first.
 *
 * A monotone radix heap on integer nanoseconds: a simulator never schedules before what it has
 * already popped, and giving up that freedom makes the cost independent of how many events wait and
 * how their times are spread.  Events of one instant come out by their order word, so the order of
 * pushing never matters.
 *
 * The floor is the time of the last event *popped*, never of one merely looked at: a message
 * published later may still go below the least event waiting.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "sim/ensure.h"
#include "sim/kernel.h"
#include "sim/time.h"

#define TIMERS_BUCKETS  64
#define TIMERS_NEAR_MAX 256
#define TIMERS_STRIDE   8
#define TIMERS_NEAR_END (TIMERS_STRIDE + TIMERS_NEAR_MAX)

typedef struct {
    SimTime at_ns;
    uint64_t order; /* event_order(): unique among the events of one instant */
    const Handler *handler;
    void *body;
} TimerEvent;

typedef struct {
    TimerEvent *events;
    uint32_t count;
    uint32_t capacity;
} TimerBucket;

/* Open so that it can be a part of its place and popped from without a call; its fields are its
 * own. */
typedef struct {
    EventKey least; /* of all events, or EVENT_KEY_NEVER */
    SimTime floor_ns;
    SimTime near_last_ns;          /* what is not after this is near */
    SimTime near_base_ns;          /* what the times in near count from */
    uint32_t near_begin, near_end; /* of the near events, in key order */
    uint32_t free_count;           /* of free_slots */
    uint32_t searched;             /* the bucket whose least key is known, or TIMERS_BUCKETS */
    uint64_t occupied;             /* bit i: bucket i holds something */
    EventKey searched_least;
    uint64_t near[TIMERS_NEAR_END]; /* its time and slot; before near_begin: 0 */
    uint8_t free_slots[TIMERS_NEAR_MAX];
    TimerEvent slots[TIMERS_NEAR_MAX];
    TimerBucket buckets[TIMERS_BUCKETS];
} Timers;

#define EVENT_KEY_NEVER ((EventKey){SIM_TIME_NEVER, UINT64_MAX})

void timers_init(Timers *timers);
void timers_clear(Timers *timers);

/* The rare half of a push: an event that is not near, or for which there is no room.  Not as one
 * TimerEvent: what was just put together in memory is slow to copy. */
void timers_push_far(Timers *timers, EventKey key, const Handler *handler, void *body);

static inline void timers_shift_stride(uint64_t *words)
{
    uint64_t stride[TIMERS_STRIDE];

    memcpy(stride, words, sizeof stride);
    memcpy(words + 1, stride, sizeof stride);
}

/* Sorts an event in from the back: past strides of later ones, then one by one, then among those of
 * its instant.  A stride of zeros before the first word ends each of these. */
static inline void timers_push_near(Timers *timers, TimerEvent event)
{
    uint64_t time = (uint64_t)(event.at_ns - timers->near_base_ns + 1) << 8;
    uint64_t time_last = time | UINT8_MAX;
    uint8_t slot = timers->free_slots[--timers->free_count];
    uint64_t *at = &timers->near[timers->near_end++];

    timers->slots[slot] = event;
    for (; at[-TIMERS_STRIDE] > time_last; at -= TIMERS_STRIDE)
        timers_shift_stride(at - TIMERS_STRIDE);
    for (; at[-1] > time_last; at--)
        at[0] = at[-1];
    for (; at[-1] >= time && timers->slots[(uint8_t)at[-1]].order > event.order; at--)
        at[0] = at[-1];
    *at = time | slot;
}

/* at_ns is at least that of the last popped event, and below SIM_TIME_NEVER.  At exactly that time
 * the order may be lower than what was popped: it simply comes next. */
static inline void timers_push(Timers *timers, TimerEvent event)
{
    EventKey key = {event.at_ns, event.order};

    ensure(event.at_ns >= timers->floor_ns);
    if (event_key_before(key, timers->least))
        timers->least = key;
    if (event.at_ns <= timers->near_last_ns && timers->near_end < TIMERS_NEAR_END)
        timers_push_near(timers, event);
    else
        timers_push_far(timers, key, event.handler, event.body);
}

/* Of the least event, without taking it; EVENT_KEY_NEVER when there is none. */
static inline EventKey timers_peek(const Timers *timers)
{
    return timers->least;
}

/* The two rare parts of a pop: before it no event is near, after it the last near one has gone. */
void timers_bring_near(Timers *timers);
void timers_find_least(Timers *timers);

/* There must be one. */
static inline TimerEvent timers_pop(Timers *timers)
{
    uint8_t slot;
    TimerEvent result;

    if (__builtin_expect(timers->near_begin == timers->near_end, 0))
        timers_bring_near(timers);
    slot = (uint8_t)timers->near[timers->near_begin];
    timers->near[timers->near_begin++] = 0;
    result = timers->slots[slot];
    timers->free_slots[timers->free_count++] = slot;
    timers->floor_ns = result.at_ns;
    if (__builtin_expect(timers->near_begin < timers->near_end, 1)) {
        const TimerEvent *next = &timers->slots[(uint8_t)timers->near[timers->near_begin]];

        timers->least = (EventKey){next->at_ns, next->order};
    } else {
        timers_find_least(timers);
    }
    return result;
}

uint64_t timers_count(const Timers *timers);
