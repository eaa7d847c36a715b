/* Why it works: bucket 0 holds the events at the floor, bucket i those whose time differs from the
 * floor in bit i-1 and in no higher one.  Times never go below the floor, so every event of a
 * bucket is earlier than every event of a higher one, and the least event is in the lowest occupied
 * bucket.  Splitting bucket i raises the floor to its least time, which then agrees with all other
 * events of that bucket in bit i-1: each moves to a lower bucket, at most 63 times in its life and
 * in practice a few.  Higher buckets keep their highest differing bit and stay.
 *
 * The last few of these moves would be the most frequent, so they are not made: the lowest buckets,
 * as long as they hold a handful together, are sorted into a short array, the near events, and what
 * is pushed into their range is sorted in.  The floor may rise within that range without moving
 * anything, because all of it agrees in the higher bits.  When too much is pushed there, the near
 * events go back to buckets.
 *
 * Looking at the minimum moves nothing and never raises the floor: a place is looked at up to a
 * window's end and may then receive a message earlier than its least timer.  Hence a bucket too
 * large to be sorted is only searched when it becomes the lowest, and split when it is popped from.
 * What the search found is kept, so that a few near events coming and going beside a large bucket
 * do not search it again each time.
 *
 * Bucket 0 is a binary heap on the order word, because a thousand probes may share one instant and
 * a handler may post more of them while they are served.
 *
 * Ahuja, Mehlhorn, Orlin, Tarjan: Faster Algorithms for the Shortest Path Problem, JACM 37 (1990).
 */
#include "sim/timers.h"

#include <stddef.h>
#include <string.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

_Static_assert(sizeof(TimerEvent) == 32, "two events in a cache line");

#define BUCKET_CAPACITY_FIRST 16u
#define NEAR_FIRST            12u /* sorting more costs more than dealing them out again */

_Static_assert(NEAR_FIRST < TIMERS_NEAR_MAX / 2, "what was sorted leaves room to push");

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

static inline TimerEvent *instant_room(TimerBucket *bucket, uint64_t order)
{
    TimerEvent *heap = bucket->events;
    uint32_t at = bucket->count++;

    while (at > 0 && order < heap[(at - 1) / 2].order) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    return &heap[at];
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

static inline TimerEvent *bucket_room(Timers *timers, uint32_t index, EventKey key)
{
    TimerBucket *bucket = &timers->buckets[index];

    if (__builtin_expect(bucket->count == bucket->capacity, 0))
        bucket_grow(bucket);
    timers->occupied |= UINT64_C(1) << index;
    return index == 0 ? instant_room(bucket, key.order) : &bucket->events[bucket->count++];
}

static inline void bucket_put(Timers *timers, const TimerEvent *event)
{
    uint32_t index = bucket_index(timers->floor_ns, event->at_ns);

    *bucket_room(timers, index, key_of(event)) = *event;
}

static inline TimerEvent *near_room(Timers *timers, EventKey key)
{
    TimerEvent *near = timers->near;
    uint32_t at = timers->near_end++;

    while (at > timers->near_begin && event_key_before(key, key_of(&near[at - 1]))) {
        near[at] = near[at - 1];
        at--;
    }
    return &near[at];
}

/* Makes room for another near event, or makes none of them near. */
static __attribute__((noinline)) void near_make_room(Timers *timers)
{
    uint32_t begin = timers->near_begin, end = timers->near_end;

    timers->near_begin = timers->near_end = 0;
    if (begin >= TIMERS_NEAR_MAX / 2) {
        timers->near_end = end - begin;
        memmove(timers->near, &timers->near[begin], timers->near_end * sizeof(TimerEvent));
        return;
    }
    timers->near_buckets = 0;
    timers->searched = TIMERS_BUCKETS;
    for (uint32_t i = begin; i < end; i++)
        bucket_put(timers, &timers->near[i]);
}

void timers_init(Timers *timers)
{
    memset(timers, 0, sizeof *timers);
    timers->least = EVENT_KEY_NEVER;
    timers->searched = TIMERS_BUCKETS;
}

void timers_clear(Timers *timers)
{
    for (uint32_t i = 0; i < TIMERS_BUCKETS; i++)
        g_free(timers->buckets[i].events);
    timers_init(timers);
}

TimerEvent *timers_push_room(Timers *timers, SimTime at_ns, uint64_t order)
{
    EventKey key = {at_ns, order};
    TimerEvent *room;
    uint32_t index;

    ensure(at_ns >= timers->floor_ns);
    ensure(at_ns < SIM_TIME_NEVER);
    index = bucket_index(timers->floor_ns, at_ns);
    if (index < timers->near_buckets && timers->near_end == TIMERS_NEAR_MAX)
        near_make_room(timers);
    if (index < timers->near_buckets) {
        room = near_room(timers, key);
    } else {
        room = bucket_room(timers, index, key);
        if (index == timers->searched && event_key_before(key, timers->searched_least))
            timers->searched_least = key;
    }
    if (event_key_before(key, timers->least))
        timers->least = key;
    room->at_ns = at_ns;
    room->order = order;
    return room;
}

void timers_push(Timers *timers, const TimerEvent *event)
{
    TimerEvent *room = timers_push_room(timers, event->at_ns, event->order);

    room->handler = event->handler;
    room->body = event->body;
}

/* Sorts the lowest buckets into the near events, of which there are none.  The floor stays. */
static inline void near_gather(Timers *timers)
{
    timers->near_begin = timers->near_end = 0;
    while (timers->occupied != 0) {
        uint32_t index = (uint32_t)__builtin_ctzll(timers->occupied);
        TimerBucket *bucket = &timers->buckets[index];

        if (timers->near_end + bucket->count > NEAR_FIRST)
            break;
        for (uint32_t i = 0; i < bucket->count; i++) {
            const TimerEvent *event = &bucket->events[i];

            if (event->body) /* was written some thousand events ago */
                prefetch(event->body);
            *near_room(timers, key_of(event)) = *event;
        }
        bucket->count = 0;
        timers->occupied &= timers->occupied - 1;
        timers->near_buckets = index + 1;
    }
}

/* Raises the floor to the least event and deals its bucket, the lowest, to lower ones. */
static void bucket_split(Timers *timers, uint32_t index)
{
    TimerBucket *bucket = &timers->buckets[index];
    const TimerEvent *events = bucket->events;
    uint32_t count = bucket->count;

    timers->floor_ns = timers->least.at_ns;
    timers->near_buckets = 0;
    timers->searched = TIMERS_BUCKETS;
    timers->occupied &= ~(UINT64_C(1) << index);
    bucket->count = 0;
    for (uint32_t i = 0; i < count; i++)
        bucket_put(timers, &events[i]);
}

static __attribute__((noinline)) void bucket_search(Timers *timers, uint32_t index)
{
    const TimerBucket *bucket = &timers->buckets[index];
    EventKey least = key_of(&bucket->events[0]);

    for (uint32_t i = 1; i < bucket->count; i++)
        if (event_key_before(key_of(&bucket->events[i]), least))
            least = key_of(&bucket->events[i]);
    timers->searched = index;
    timers->searched_least = least;
}

/* After the last near event went. */
static __attribute__((noinline)) EventKey find_least(Timers *timers)
{
    uint32_t index;

    near_gather(timers);
    if (timers->near_end > 0)
        return key_of(&timers->near[0]);
    if (timers->occupied == 0)
        return EVENT_KEY_NEVER;
    index = (uint32_t)__builtin_ctzll(timers->occupied);
    if (index == 0)
        return key_of(&timers->buckets[0].events[0]);
    if (index != timers->searched)
        bucket_search(timers, index);
    return timers->searched_least;
}

/* The least event when none is near: the bucket it is in is too large to be sorted. */
static __attribute__((noinline)) TimerEvent pop_far(Timers *timers)
{
    TimerBucket *instant = &timers->buckets[0];
    TimerEvent result;

    while (timers->near_end == 0 && !(timers->occupied & 1)) {
        bucket_split(timers, (uint32_t)__builtin_ctzll(timers->occupied));
        near_gather(timers);
    }
    if (timers->near_end > 0)
        return timers->near[timers->near_begin++];
    result = instant_pop(instant);
    if (instant->count == 0)
        timers->occupied &= ~UINT64_C(1);
    return result;
}

TimerEvent timers_pop(Timers *timers)
{
    TimerEvent result;

    ensure(timers->least.at_ns != SIM_TIME_NEVER);
    if (timers->near_begin < timers->near_end)
        result = timers->near[timers->near_begin++];
    else
        result = pop_far(timers);
    timers->floor_ns = result.at_ns;
    if (timers->near_begin < timers->near_end)
        timers->least = key_of(&timers->near[timers->near_begin]);
    else
        timers->least = find_least(timers);
    return result;
}

uint64_t timers_count(const Timers *timers)
{
    uint64_t count = timers->near_end - timers->near_begin;

    for (uint32_t i = 0; i < TIMERS_BUCKETS; i++)
        count += timers->buckets[i].count;
    return count;
}
