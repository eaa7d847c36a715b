/* Timers against a reference that searches a plain array for the least key. */
#include "sim/timers.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/rng.h"
#include "tests/test.h"

#define REFERENCE_MAX 512u

typedef struct {
    EventKey keys[REFERENCE_MAX];
    uint32_t count;
} Reference;

static void push(Timers *timers, SimTime at_ns, uint64_t order)
{
    timers_push(timers, (TimerEvent){.at_ns = at_ns, .order = order});
}

static void expect_pop(Timers *timers, SimTime at_ns, uint64_t order)
{
    EventKey peeked = timers_peek(timers);
    TimerEvent event = timers_pop(timers);

    EXPECT_INT(peeked.at_ns, at_ns);
    EXPECT_INT(peeked.order, order);
    EXPECT_INT(event.at_ns, at_ns);
    EXPECT_INT(event.order, order);
}

static EventKey reference_pop(Reference *reference)
{
    uint32_t least = 0;
    EventKey result;

    for (uint32_t i = 1; i < reference->count; i++)
        if (event_key_before(reference->keys[i], reference->keys[least]))
            least = i;
    result = reference->keys[least];
    reference->keys[least] = reference->keys[--reference->count];
    return result;
}

/* One random life of pushes and pops, from few waiting to more than can be near and back; spread_ns
 * of a few makes most times equal. */
static bool life_agrees(uint64_t seed, SimTime spread_ns)
{
    Rng rng = rng_stream(seed, "timers");
    Reference reference = {.count = 0};
    Timers timers;
    SimTime now_ns = 0;
    uint64_t order = 0;
    bool agrees = true;

    timers_init(&timers);
    for (uint32_t step = 0; step < 3000; step++) {
        bool is_filling = rng_below(&rng, 100) < ((step / 500) % 2 ? 15u : 85u);

        if (is_filling && reference.count < REFERENCE_MAX) {
            uint64_t far = rng_below(&rng, 4) == 0 ? 1000 : 1;
            SimTime at_ns = now_ns + (SimTime)rng_below(&rng, (uint64_t)spread_ns * far);
            /* Unique, but in no relation to the order of pushing. */
            EventKey key = {at_ns, (rng_below(&rng, 16) << 32) | order++};

            push(&timers, key.at_ns, key.order);
            reference.keys[reference.count++] = key;
        } else if (reference.count > 0) {
            EventKey expected = reference_pop(&reference);
            EventKey peeked = timers_peek(&timers);
            TimerEvent event = timers_pop(&timers);

            agrees &= peeked.at_ns == expected.at_ns && peeked.order == expected.order;
            agrees &= event.at_ns == expected.at_ns && event.order == expected.order;
            now_ns = event.at_ns;
        }
        agrees &= timers_count(&timers) == reference.count;
    }
    timers_clear(&timers);
    return agrees;
}

static void test_events_come_out_in_key_order_whatever_their_times(void)
{
    static const SimTime spreads_ns[] = {1, 2, 7, 1000, SIM_MS, SIM_S, SIM_HOUR, 15 * SIM_HOUR};

    for (long seed = 0; seed < test_count(20, 1000); seed++)
        for (size_t i = 0; i < G_N_ELEMENTS(spreads_ns); i++)
            EXPECT(life_agrees((uint64_t)seed, spreads_ns[i]));
}

static void test_nothing_waiting_peeks_never(void)
{
    Timers timers;

    timers_init(&timers);
    EXPECT_INT(timers_peek(&timers).at_ns, SIM_TIME_NEVER);
    push(&timers, 5, 1);
    expect_pop(&timers, 5, 1);
    EXPECT_INT(timers_peek(&timers).at_ns, SIM_TIME_NEVER);
    EXPECT_INT(timers_count(&timers), 0);
    timers_clear(&timers);
}

/* A window ends with the heap looked at, and then a message is published before what was seen. */
static void test_peeking_does_not_forbid_an_earlier_push(void)
{
    Timers timers;

    timers_init(&timers);
    push(&timers, 10 * SIM_MS, 1);
    expect_pop(&timers, 10 * SIM_MS, 1);
    push(&timers, 900 * SIM_MS, 2);
    push(&timers, 901 * SIM_MS, 3);
    EXPECT_INT(timers_peek(&timers).at_ns, 900 * SIM_MS);
    push(&timers, 40 * SIM_MS, 4);
    EXPECT_INT(timers_peek(&timers).at_ns, 40 * SIM_MS);
    push(&timers, 10 * SIM_MS, 5);
    expect_pop(&timers, 10 * SIM_MS, 5);
    expect_pop(&timers, 40 * SIM_MS, 4);
    push(&timers, 900 * SIM_MS, 1);
    expect_pop(&timers, 900 * SIM_MS, 1);
    expect_pop(&timers, 900 * SIM_MS, 2);
    expect_pop(&timers, 901 * SIM_MS, 3);
    timers_clear(&timers);
}

static void test_push_at_the_present_with_a_lower_order_comes_next(void)
{
    Timers timers;

    timers_init(&timers);
    push(&timers, 7, 50);
    push(&timers, 7, 60);
    expect_pop(&timers, 7, 50);
    push(&timers, 7, 10);
    push(&timers, 7, 55);
    expect_pop(&timers, 7, 10);
    expect_pop(&timers, 7, 55);
    expect_pop(&timers, 7, 60);
    timers_clear(&timers);
}

static void test_a_crowded_instant_keeps_the_order_words(void)
{
    enum { CROWD = 5003 };
    Timers timers;

    timers_init(&timers);
    for (uint64_t i = 0; i < CROWD; i++)
        push(&timers, 3 * SIM_S, i * 1009 % CROWD);
    for (uint64_t i = 0; i < CROWD; i++)
        if (timers_pop(&timers).order != i)
            CU_FAIL_FATAL("an order word is out of turn");
    timers_clear(&timers);
}

static void test_the_last_nanosecond_before_never_is_a_time(void)
{
    Timers timers;

    timers_init(&timers);
    push(&timers, SIM_TIME_NEVER - 1, UINT64_MAX - 1);
    push(&timers, 0, 1);
    push(&timers, SIM_TIME_NEVER - 1, 1);
    expect_pop(&timers, 0, 1);
    expect_pop(&timers, SIM_TIME_NEVER - 1, 1);
    expect_pop(&timers, SIM_TIME_NEVER - 1, UINT64_MAX - 1);
    timers_clear(&timers);
}

/* Three far events are sorted ahead; then far more than there is room for comes before and between
 * them, while some are popped. */
static void test_a_crowd_pushed_among_the_next_few_keeps_its_order(void)
{
    enum { CROWD = 10 * TIMERS_NEAR_MAX };
    Timers timers;
    EventKey last = {0, 0};

    timers_init(&timers);
    push(&timers, 1, 1);
    for (uint64_t i = 1; i <= 3; i++)
        push(&timers, (SimTime)i * 300 * SIM_US, i);
    expect_pop(&timers, 1, 1);
    for (uint64_t i = 0; i < CROWD; i++) {
        push(&timers, last.at_ns + 1 + (SimTime)(i * 7919 % 1000) * SIM_US, 10 + i);
        if (i % 4 == 3) {
            TimerEvent event = timers_pop(&timers);

            EXPECT(event_key_before(last, (EventKey){event.at_ns, event.order}));
            last = (EventKey){event.at_ns, event.order};
        }
    }
    EXPECT_INT(timers_count(&timers), CROWD + 3 - CROWD / 4);
    while (timers_count(&timers) > 0) {
        EventKey peeked = timers_peek(&timers);

        EXPECT(event_key_before(last, peeked));
        expect_pop(&timers, peeked.at_ns, peeked.order);
        last = peeked;
    }
    timers_clear(&timers);
}

/* More than can be near, all after the floor in one step of the radix, and one nearer each time. */
static void test_what_is_no_longer_near_comes_after_what_is(void)
{
    enum { COUNT = 3 * TIMERS_NEAR_MAX };
    const SimTime bound_ns = INT64_C(1) << 40;
    Timers timers;

    timers_init(&timers);
    push(&timers, bound_ns - 1000, 0);
    expect_pop(&timers, bound_ns - 1000, 0);
    for (uint64_t i = COUNT; i > 0; i--)
        push(&timers, bound_ns + (SimTime)i, i);
    push(&timers, bound_ns - 1, 7);
    expect_pop(&timers, bound_ns - 1, 7);
    for (uint64_t i = 1; i <= COUNT; i++) {
        push(&timers, bound_ns + (SimTime)i, 0);
        expect_pop(&timers, bound_ns + (SimTime)i, 0);
        expect_pop(&timers, bound_ns + (SimTime)i, i);
    }
    EXPECT_INT(timers_peek(&timers).at_ns, SIM_TIME_NEVER);
    timers_clear(&timers);
}

/* The child ends by SIGABRT when ensure holds, by exit code 0 when it lets the push pass. */
static void test_a_push_before_the_last_pop_dies(void)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    EXPECT_FATAL(child >= 0);
    if (child == 0) {
        Timers timers;

        EXPECT_FATAL(freopen("/dev/null", "w", stderr) != NULL);
        timers_init(&timers);
        push(&timers, 10, 1);
        timers_pop(&timers);
        push(&timers, 9, 2);
        _exit(0);
    }
    EXPECT_INT(waitpid(child, &status, 0), child);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static const TestCase cases[] = {
    TEST(test_events_come_out_in_key_order_whatever_their_times),
    TEST(test_nothing_waiting_peeks_never),
    TEST(test_peeking_does_not_forbid_an_earlier_push),
    TEST(test_push_at_the_present_with_a_lower_order_comes_next),
    TEST(test_a_crowded_instant_keeps_the_order_words),
    TEST(test_the_last_nanosecond_before_never_is_a_time),
    TEST(test_a_crowd_pushed_among_the_next_few_keeps_its_order),
    TEST(test_what_is_no_longer_near_comes_after_what_is),
    TEST(test_a_push_before_the_last_pop_dies),
};
TEST_MAIN("timers", cases)
