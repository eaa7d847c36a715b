/* Simulated time, and a member's own wall clock.
 *
 * SimTime counts nanoseconds from the start of a run; it is the only time the kernel knows.  A
 * member's wall clock is another type, because it may be wrong: the compiler refuses to mix the
 * two.
 */
#pragma once

#include <stdint.h>

typedef int64_t SimTime;

#define SIM_NS         INT64_C(1)
#define SIM_US         INT64_C(1000)
#define SIM_MS         INT64_C(1000000)
#define SIM_S          INT64_C(1000000000)
#define SIM_MIN        (60 * SIM_S)
#define SIM_HOUR       (3600 * SIM_S)
#define SIM_DAY        (24 * SIM_HOUR)
#define SIM_TIME_NEVER INT64_MAX

/* Milliseconds of one member's own clock since its epoch. */
typedef struct {
    int64_t ms;
} WallTime;
