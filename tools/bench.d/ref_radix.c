/* The bare reference of the kernel's hold benchmark: a monotone radix heap of 16-byte events and
 * nothing else.  Pop the least, push it again at +Exp(1 s); N events wait at all times.
 *
 *     ref_radix N COUNT    prints {"events_per_cpu_s": ...}
 *
 * Self-contained on purpose: it must not become faster or slower with the program it is compared
 * to.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEP_COUNT 65536u /* increments drawn before the clock starts */

typedef struct {
    int64_t at_ns;
    uint64_t seq;
} Event;

typedef struct {
    Event *events;
    uint64_t count;
    uint64_t capacity;
} Bucket;

static Bucket buckets[65];
static uint64_t occupied;
static int64_t floor_ns;

static void push(Event event)
{
    uint64_t difference = (uint64_t)(event.at_ns ^ floor_ns);
    unsigned index = difference ? 64u - (unsigned)__builtin_clzll(difference) : 0;
    Bucket *bucket = &buckets[index];

    if (bucket->count == bucket->capacity) {
        bucket->capacity = bucket->capacity ? bucket->capacity * 2 : 16;
        bucket->events = realloc(bucket->events, bucket->capacity * sizeof(Event));
        if (!bucket->events)
            exit(3);
    }
    bucket->events[bucket->count++] = event;
    occupied |= UINT64_C(1) << index;
}

static int earlier_last(const void *a, const void *b)
{
    const Event *x = a;
    const Event *y = b;

    return (x->seq < y->seq) - (x->seq > y->seq);
}

static Event pop(void)
{
    Bucket *instant = &buckets[0];

    if (instant->count == 0) {
        Bucket *bucket = &buckets[__builtin_ctzll(occupied)];
        uint64_t count = bucket->count;

        floor_ns = bucket->events[0].at_ns;
        for (uint64_t i = 1; i < count; i++)
            if (bucket->events[i].at_ns < floor_ns)
                floor_ns = bucket->events[i].at_ns;
        bucket->count = 0;
        occupied &= occupied - 1;
        for (uint64_t i = 0; i < count; i++)
            push(bucket->events[i]);
        if (instant->count > 1)
            qsort(instant->events, instant->count, sizeof(Event), earlier_last);
    }
    if (--instant->count == 0)
        occupied &= ~UINT64_C(1);
    return instant->events[instant->count];
}

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void hold(const int64_t *steps_ns, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        Event event = pop();

        event.at_ns += steps_ns[i % STEP_COUNT];
        event.seq = i;
        push(event);
    }
}

int main(int argc, char **argv)
{
    static int64_t steps_ns[STEP_COUNT];
    uint64_t waiting_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
    uint64_t state = 1;
    double begin_s;
    double used_s;

    for (unsigned i = 0; i < STEP_COUNT; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        steps_ns[i] = (int64_t)(-log(((double)(state >> 11) + 0.5) * 0x1p-53) * 1e9);
    }
    for (uint64_t i = 0; i < waiting_count; i++)
        push((Event){.at_ns = steps_ns[(i * 7919) % STEP_COUNT] + (int64_t)(i / 256), .seq = i});
    hold(steps_ns, 2 * waiting_count);
    begin_s = cpu_s();
    hold(steps_ns, count);
    used_s = cpu_s() - begin_s;
    printf("{\"program\": \"ref_radix\", \"waiting\": %" PRIu64 ", \"events\": %" PRIu64
           ", \"cpu_s\": %.4f, \"events_per_cpu_s\": %.0f}\n",
           waiting_count, count, used_s, (double)count / used_s);
    return 0;
}
