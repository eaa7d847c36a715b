/* Why it works: bucket 0 holds the events at the floor, bucket i those whose time differs from the
 * floor in bit i-1 and in no higher one.  Times never go below the floor, so every event of a
 * bucket is earlier than every event of a higher one, and the least event is in the lowest occupied
 * bucket.  Splitting bucket i raises the floor to its least time, which then agrees with all other
 * events of that bucket in bit i-1: each moves to a lower bucket, at most 63 times in its life and
 * in practice a few.  Higher buckets keep their highest differing bit and stay.
 *
 * The last few of these moves would be the most frequent, so they are not made: the lowest buckets,
 * as long as they hold a few dozen together, are sorted into an array, the near events, and what is
 * pushed into their range is sorted in.  Where few events wait, that is all of them.  Near are the
 * times that agree with the floor from some bit up, so the floor may rise among them without moving
 * anything.  When too many are pushed there, that bit is lowered and the later ones go to buckets.
 *
 * A near event stays in a slot while it waits.  What is sorted is one word for each: its time, told
 * from where the floor was when the array was last empty, and its slot.  Making way for one among
 * fifty is then a copy of a few cache lines.
 *
 * Looking at the minimum never raises the floor: a place is looked at up to a window's end and may
 * then receive a message earlier than its least timer.  Hence a bucket too large to be sorted is
 * only searched when it becomes the lowest, and split when it is popped from.  What the search
 * found is kept, so that a few near events coming and going beside a large bucket do not search it
 * again each time.
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
#define NEAR_SORTED           64u /* sorting more costs more than dealing them out again */
#define NEAR_BITS             55u /* of a time, in one word with a slot */

_Static_assert(NEAR_SORTED <= TIMERS_NEAR_MAX / 2, "what was sorted leaves room to push");
_Static_assert(TIMERS_NEAR_MAX == UINT8_MAX + 1, "a slot is a byte");

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

static inline TimerEvent *bucket_room(Timers *timers, uint32_t index, uint64_t order)
{
    TimerBucket *bucket = &timers->buckets[index];

    if (__builtin_expect(bucket->count == bucket->capacity, 0))
        bucket_grow(bucket);
    timers->occupied |= UINT64_C(1) << index;
    return index == 0 ? instant_room(bucket, order) : &bucket->events[bucket->count++];
}

static inline void bucket_put(Timers *timers, const TimerEvent *event)
{
    uint32_t index = bucket_index(timers->floor_ns, event->at_ns);

    *bucket_room(timers, index, event->order) = *event;
}

/* Of the times that differ from the floor in nothing but their lowest `bits` bits. */
static inline SimTime last_of_range(SimTime floor_ns, uint32_t bits)
{
    return floor_ns | (SimTime)((UINT64_C(1) << bits) - 1);
}

/* Gives what is after the new last to buckets. */
static void near_cut(Timers *timers, SimTime last_ns)
{
    timers->near_last_ns = last_ns;
    while (timers->near_begin < timers->near_end) {
        uint8_t slot = (uint8_t)timers->near[timers->near_end - 1];
        const TimerEvent *event = &timers->slots[slot];

        if (event->at_ns <= last_ns)
            break;
        bucket_put(timers, event);
        timers->near_end--;
        timers->free_slots[timers->free_count++] = slot;
    }
}

/* The words have come to the end of their room: there may be some before them, else the later half
 * of the events, or more, does not stay near. */
static __attribute__((noinline)) void near_make_room(Timers *timers)
{
    uint32_t begin = timers->near_begin;
    uint32_t count = timers->near_end - begin;

    if (begin >= TIMERS_STRIDE + TIMERS_NEAR_MAX / 4) {
        memmove(&timers->near[TIMERS_STRIDE], &timers->near[begin], count * sizeof timers->near[0]);
        timers->near_begin = TIMERS_STRIDE;
        timers->near_end = TIMERS_STRIDE + count;
    } else {
        uint8_t middle = (uint8_t)timers->near[begin + count / 2];
        uint32_t index = bucket_index(timers->floor_ns, timers->slots[middle].at_ns);

        near_cut(timers,
                 index > 0 ? last_of_range(timers->floor_ns, index - 1) : timers->floor_ns - 1);
    }
}

void timers_init(Timers *timers)
{
    memset(timers, 0, sizeof *timers);
    timers->least = EVENT_KEY_NEVER;
    timers->near_begin = timers->near_end = TIMERS_STRIDE;
    timers->near_last_ns = last_of_range(0, NEAR_BITS);
    timers->free_count = TIMERS_NEAR_MAX;
    for (uint32_t i = 0; i < TIMERS_NEAR_MAX; i++)
        timers->free_slots[i] = (uint8_t)i;
    timers->searched = TIMERS_BUCKETS;
}

void timers_clear(Timers *timers)
{
    for (uint32_t i = 0; i < TIMERS_BUCKETS; i++)
        g_free(timers->buckets[i].events);
    timers_init(timers);
}

void timers_push_far(Timers *timers, EventKey key, const Handler *handler, void *body)
{
    TimerEvent event = {key.at_ns, key.order, handler, body};
    uint32_t index;

    ensure(key.at_ns < SIM_TIME_NEVER);
    if (timers->near_end == TIMERS_NEAR_END)
        near_make_room(timers);
    if (key.at_ns <= timers->near_last_ns) {
        timers_push_near(timers, event);
        return;
    }
    index = bucket_index(timers->floor_ns, key.at_ns);
    *bucket_room(timers, index, key.order) = event;
    if (index == timers->searched && event_key_before(key, timers->searched_least))
        timers->searched_least = key;
}

/* Sorts the lowest buckets into the near events, of which there are none.  The floor stays. */
static void near_gather(Timers *timers)
{
    timers->near_begin = timers->near_end = TIMERS_STRIDE;
    timers->near_base_ns = timers->floor_ns;
    timers->near_last_ns = MIN(last_of_range(timers->floor_ns, NEAR_BITS), SIM_TIME_NEVER - 1);
    while (timers->occupied != 0) {
        uint32_t index = (uint32_t)__builtin_ctzll(timers->occupied);
        TimerBucket *bucket = &timers->buckets[index];

        if (timers->near_end + bucket->count > TIMERS_STRIDE + NEAR_SORTED || index > NEAR_BITS) {
            SimTime last_ns =
                index > 0 ? last_of_range(timers->floor_ns, index - 1) : timers->floor_ns - 1;

            timers->near_last_ns = MIN(timers->near_last_ns, last_ns);
            break;
        }
        for (uint32_t i = 0; i < bucket->count; i++) {
            const TimerEvent *event = &bucket->events[i];

            prefetch(event->body); /* was written some thousand events ago */
            timers_push_near(timers, *event);
        }
        bucket->count = 0;
        timers->occupied &= timers->occupied - 1;
    }
}

/* Raises the floor to the least event and deals its bucket, the lowest, to lower ones. */
static void bucket_split(Timers *timers, uint32_t index)
{
    TimerBucket *bucket = &timers->buckets[index];
    const TimerEvent *events = bucket->events;
    uint32_t count = bucket->count;

    timers->floor_ns = timers->least.at_ns;
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

void timers_find_least(Timers *timers)
{
    uint32_t index;

    near_gather(timers);
    timers->least = EVENT_KEY_NEVER;
    if (timers->near_begin < timers->near_end) {
        timers->least = key_of(&timers->slots[(uint8_t)timers->near[timers->near_begin]]);
        return;
    }
    if (timers->occupied == 0)
        return;
    index = (uint32_t)__builtin_ctzll(timers->occupied);
    if (index == 0) {
        timers->least = key_of(&timers->buckets[0].events[0]);
        return;
    }
    if (index != timers->searched)
        bucket_search(timers, index);
    timers->least = timers->searched_least;
}

/* The least event is in a bucket that was not sorted, or is one of the crowd in bucket 0. */
void timers_bring_near(Timers *timers)
{
    TimerBucket *instant = &timers->buckets[0];

    ensure(timers->least.at_ns != SIM_TIME_NEVER);
    while (timers->near_begin == timers->near_end && !(timers->occupied & 1)) {
        bucket_split(timers, (uint32_t)__builtin_ctzll(timers->occupied));
        near_gather(timers);
    }
    if (timers->near_begin == timers->near_end) {
        TimerEvent least = instant_pop(instant);

        if (instant->count == 0)
            timers->occupied &= ~UINT64_C(1);
        timers->near_begin = timers->near_end = TIMERS_STRIDE;
        timers_push_near(timers, least);
    }
}

uint64_t timers_count(const Timers *timers)
{
    uint64_t count = timers->near_end - timers->near_begin;

    for (uint32_t i = 0; i < TIMERS_BUCKETS; i++)
        count += timers->buckets[i].count;
    return count;
}
