/* The hold benchmark through the real kernel: one place, N timers waiting, each event a handler
 * call that posts the next at +Exp(1 s).  Windows of 40 ms, as in a run with far members.
 *
 *     kernel_hold N COUNT    prints {"events_per_cpu_s": ...}
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/kernel.h"
#include "sim/time.h"

#define STEP_COUNT 65536u /* increments drawn before the clock starts */

typedef struct {
    Handler handler;
    uint64_t seq;
    SimTime steps_ns[STEP_COUNT];
} Holder;

static void hold(void *actor, Place *place, void *body)
{
    Holder *holder = actor;
    uint64_t seq = holder->seq++;

    (void)body;
    place_post(place, place,
               &(Post){.at_ns = place_now_ns(place) + holder->steps_ns[seq % STEP_COUNT],
                       .rank = RANK_CLIENT,
                       .seq = seq,
                       .handler = &holder->handler});
}

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void fill(Holder *holder, Place *place, uint64_t waiting_count)
{
    uint64_t state = 1;

    holder->handler = (Handler){hold, holder};
    for (unsigned i = 0; i < STEP_COUNT; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        holder->steps_ns[i] = (SimTime)(-log(((double)(state >> 11) + 0.5) * 0x1p-53) * 1e9);
    }
    for (uint64_t i = 0; i < waiting_count; i++)
        place_post(place, place,
                   &(Post){.at_ns = holder->steps_ns[(i * 7919) % STEP_COUNT] + (SimTime)(i / 256),
                           .rank = RANK_CLIENT,
                           .seq = holder->seq++,
                           .handler = &holder->handler});
}

int main(int argc, char **argv)
{
    static Holder holder;
    uint64_t waiting_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
    Kernel *kernel = kernel_new(&(KernelConfig){.place_count = 1});
    SimTime warm_ns = 2 * SIM_S;
    SimTime run_ns = (SimTime)((double)count / (double)waiting_count * 1e9);
    uint64_t before_count;
    double begin_s;
    double used_s;

    kernel_set_lookahead(kernel, 40 * SIM_MS);
    fill(&holder, kernel_place(kernel, 0), waiting_count);
    kernel_run_until(kernel, warm_ns);
    before_count = kernel_event_count(kernel);
    begin_s = cpu_s();
    kernel_run_until(kernel, warm_ns + run_ns);
    used_s = cpu_s() - begin_s;
    count = kernel_event_count(kernel) - before_count;
    printf("{\"program\": \"kernel_hold\", \"waiting\": %" PRIu64 ", \"events\": %" PRIu64
           ", \"cpu_s\": %.4f, \"events_per_cpu_s\": %.0f}\n",
           waiting_count, count, used_s, (double)count / used_s);
    kernel_free(kernel);
    return 0;
}
