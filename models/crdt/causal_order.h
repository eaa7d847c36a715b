/* The order of delivery under causal consistency (crdt-semantics.md 1.8).
 *
 * An effect waits while an effect on the same key that its origin had observed is missing, and
 * while an older one of its own origin waits.  Effects on other keys are not waited for.
 */
#pragma once

#include "models/crdt/effect.h"

/* Where effects are read that have arrived or are missing. */
typedef struct {
    const void *logs[MEMBER_MAX + 1]; /* by origin; NULL: it delivers nothing and nobody waits for
                                         it */
    /* The effect with that dot of the log's member: made in room, or where it is kept. */
    const Effect *(*read)(const void *log, Dot dot, Effect *room);
} CausalLogs;

/* Applies effect, after which known covers it. */
typedef void (*CausalDeliver)(void *actor, const Effect *effect);

/* Delivers all that has arrived (of each origin, everything up to a seq) and need not wait.  known
 * is the receiver's clock, which deliver moves. */
void causal_order_deliver(const CausalLogs *logs, const Clock *known,
                          const uint64_t arrived[MEMBER_MAX + 1], CausalDeliver deliver,
                          void *actor);
