/* Why it works: bucket 0 holds the events at the floor, bucket i those whose time differs from the
 * floor in bit i-1 and in no higher one.  Times never go below the floor, so every event of a
 * bucket is earlier than every event of a higher one, and the least event is in the lowest occupied
 * bucket.  Popping it from bucket i raises the floor to its time, which then agrees with all other
 * events of that bucket in bit i-1: each moves to a lower bucket, at most 63 times in its life and
 * in practice a few.  Higher buckets keep their highest differing bit and stay.
 *
 * Each bucket knows its least key from its pushes alone (nothing leaves it but all at once), so
 * looking at the minimum moves nothing.  That is what lets a place be looked at up to a window's
 * end and then receive a message earlier than its least timer: the floor is still where the last
 * pop was.
 *
 * Bucket 0 is a binary heap on the order word, because a thousand probes may share one instant and
 * a handler may post more of them while they are served.
 *
 * Ahuja, Mehlhorn, Orlin, Tarjan: Faster Algorithms for the Shortest Path Problem, JACM 37 (1990).
 */
#include "sim/timers.h"

#include <stddef.h>

#include <glib.h>

#include "sim/ensure.h"

_Static_assert(sizeof(TimerEvent) == 32, "two events in a cache line");

#define BUCKET_CAPACITY_FIRST 16u

static inline EventKey key_of(const TimerEvent *event)
{
    return (EventKey){event->at_ns, event->order};
}

/* Times are not negative, so the difference fits in 63 bits and the index in 0..63. */
static inline uint32_t bucket_index(SimTime floor_ns, SimTime at_ns)
{
    uint64_t difference = (uint64_t)floor_ns ^ (uint64_t)at_ns;

    return difference ? 64u - (uint32_t)__builtin_clzll(difference) : 0u;
}

static __attribute__((noinline)) void bucket_grow(TimerBucket *bucket)
{
    uint32_t capacity = bucket->capacity ? bucket->capacity * 2 : BUCKET_CAPACITY_FIRST;

    ensure(capacity > bucket->capacity);
    bucket->events = g_realloc_n(bucket->events, capacity, sizeof(TimerEvent));
    bucket->capacity = capacity;
}

static void instant_push(TimerBucket *bucket, const TimerEvent *event)
{
    TimerEvent *heap = bucket->events;
    uint32_t at = bucket->count++;

    while (at > 0 && event->order < heap[(at - 1) / 2].order) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = *event;
}

static TimerEvent instant_pop(TimerBucket *bucket)
{
    TimerEvent *heap = bucket->events;
    TimerEvent top = heap[0];
    uint32_t count = --bucket->count;
    TimerEvent last = heap[count];
    uint32_t at = 0;

    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && heap[child + 1].order < heap[child].order)
            child++;
        if (last.order <= heap[child].order)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

static inline void timers_deal(Timers *timers, const TimerEvent *event)
{
    uint32_t index = bucket_index(timers->floor_ns, event->at_ns);
    TimerBucket *bucket = &timers->buckets[index];
    EventKey key = key_of(event);

    if (bucket->count == bucket->capacity)
        bucket_grow(bucket);
    if (bucket->count == 0 || event_key_before(key, timers->bucket_least[index]))
        timers->bucket_least[index] = key;
    timers->occupied |= UINT64_C(1) << index;
    if (index == 0)
        instant_push(bucket, event);
    else
        bucket->events[bucket->count++] = *event;
}

void timers_init(Timers *timers)
{
    *timers = (Timers){.least = EVENT_KEY_NEVER};
}

void timers_clear(Timers *timers)
{
    for (uint32_t i = 0; i < TIMERS_BUCKETS; i++)
        g_free(timers->buckets[i].events);
    timers_init(timers);
}

void timers_push(Timers *timers, const TimerEvent *event)
{
    ensure(event->at_ns >= timers->floor_ns);
    ensure(event->at_ns < SIM_TIME_NEVER);
    timers_deal(timers, event);
    if (event_key_before(key_of(event), timers->least))
        timers->least = key_of(event);
}

/* Takes the least event of a bucket and deals the others to lower ones. */
static TimerEvent bucket_split(Timers *timers, uint32_t index)
{
    TimerBucket *bucket = &timers->buckets[index];
    EventKey least = timers->bucket_least[index];
    uint32_t count = bucket->count;
    uint32_t i = 0;
    TimerEvent result;

    timers->floor_ns = least.at_ns;
    timers->occupied &= ~(UINT64_C(1) << index);
    bucket->count = 0;
    for (; bucket->events[i].at_ns != least.at_ns || bucket->events[i].order != least.order; i++)
        timers_deal(timers, &bucket->events[i]);
    result = bucket->events[i];
    while (++i < count)
        timers_deal(timers, &bucket->events[i]);
    return result;
}

TimerEvent timers_pop(Timers *timers)
{
    TimerEvent result;
    uint32_t index;

    ensure(timers->occupied != 0);
    index = (uint32_t)__builtin_ctzll(timers->occupied);
    if (index > 0) {
        result = bucket_split(timers, index);
    } else {
        TimerBucket *instant = &timers->buckets[0];

        result = instant_pop(instant);
        if (instant->count > 0)
            timers->bucket_least[0] = key_of(&instant->events[0]);
        else
            timers->occupied &= ~UINT64_C(1);
    }
    if (timers->occupied == 0)
        timers->least = EVENT_KEY_NEVER;
    else
        timers->least = timers->bucket_least[__builtin_ctzll(timers->occupied)];
    return result;
}

uint64_t timers_count(const Timers *timers)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < TIMERS_BUCKETS; i++)
        count += timers->buckets[i].count;
    return count;
}
