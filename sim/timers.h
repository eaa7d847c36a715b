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

#include "sim/kernel.h"
#include "sim/time.h"

#define TIMERS_BUCKETS  64
#define TIMERS_NEAR_MAX 32

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

/* Open so that it can be a part of its place; its fields are its own. */
typedef struct {
    EventKey least; /* of all events, or EVENT_KEY_NEVER */
    SimTime floor_ns;
    uint64_t occupied;             /* bit i: bucket i holds something */
    uint32_t near_buckets;         /* what would fall into a bucket below this one is near */
    uint32_t near_begin, near_end; /* of the near events, in key order */
    uint32_t searched;             /* the bucket whose least key is known, or TIMERS_BUCKETS */
    EventKey searched_least;
    TimerEvent near[TIMERS_NEAR_MAX];
    TimerBucket buckets[TIMERS_BUCKETS];
} Timers;

#define EVENT_KEY_NEVER ((EventKey){SIM_TIME_NEVER, UINT64_MAX})

void timers_init(Timers *timers);
void timers_clear(Timers *timers);

/* at_ns is at least that of the last popped event, and below SIM_TIME_NEVER.  At exactly that time
 * the order may be lower than what was popped: it simply comes next. */
void timers_push(Timers *timers, const TimerEvent *event);

/* The same, but handler and body are filled in by the caller, at once: an event that was put
 * together elsewhere a moment ago is slow to copy. */
TimerEvent *timers_push_room(Timers *timers, SimTime at_ns, uint64_t order);

/* Of the least event, without taking it; EVENT_KEY_NEVER when there is none. */
static inline EventKey timers_peek(const Timers *timers)
{
    return timers->least;
}

TimerEvent timers_pop(Timers *timers); /* there must be one */
uint64_t timers_count(const Timers *timers);
