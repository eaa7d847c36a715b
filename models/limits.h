/* Bounds of the simulated world, each with the reason for it. */
#pragma once

#define MEMBER_MAX   5 /* Azure: up to five caches form one group */
#define FAMILY_MAX   64
#define SITE_MAX     16
#define WORKLOAD_MAX 32
#define SEGMENT_MAX  64 /* stretches of time between two phase boundaries */

/* Bytes an effect adds on the wire to its payload: dot, time, context, key (rehearsal.md 3.1,
 * assumed). */
#define EFFECT_WIRE_BYTES 80
