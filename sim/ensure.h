/* ensure: what must hold whatever the input; its failure is our bug.
 *
 * It stops the process in every build type and prints where the run was (seed, simulated time,
 * event number), so that anyone can repeat it.  User and machine errors are GError, never ensure;
 * simulated failures are data.
 */
#pragma once

#include <stdint.h>

/* Where the calling thread is in its run; printed when an ensure fails. */
typedef struct {
    const char *scenario; /* NULL outside a run */
    const char *variant;
    uint64_t seed;
    int64_t now_ns;
    uint64_t event_count;
} EnsureContext;

/* The one thread-local pointer of the program: borrowed until replaced, NULL clears it. */
void ensure_context_set(const EnsureContext *context);

_Noreturn void ensure_fail(const char *condition, const char *file, int line);

#define ensure(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            ensure_fail(#condition, __FILE__, __LINE__);                                           \
    } while (0)
