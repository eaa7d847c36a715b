/* The order of delivery under causal consistency (crdt-semantics.md 1.8).
 *
 * An effect waits while an effect on the same key that its origin had observed is missing, and
 * while an older one of its own origin waits.  Effects on other keys are not waited for.
 */
#pragma once

#include <glib.h>

#include "models/crdt/effect.h"

/* Where effects are read that have arrived or are missing. */
typedef struct {
    const void *logs[MEMBER_MAX + 1]; /* by origin; NULL: it delivers nothing and nobody waits for
                                         it */
    /* The effect with that dot of the log's member: made in room, or where it is kept. */
    const Effect *(*read)(const void *log, Dot dot, Effect *room);
} CausalLogs;

/* What has come to one receiver. */
typedef struct CausalOrder CausalOrder;

CausalOrder *causal_order_new(void);
void causal_order_free(CausalOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CausalOrder, causal_order_free)

/* The origin's effects up to seq are here; false: they were. */
bool causal_order_arrive(CausalOrder *order, uint32_t origin, uint64_t seq);
void causal_order_restart(CausalOrder *order, const Clock *known); /* what waited is lost */

/* Applies effect, after which known covers it. */
typedef void (*CausalDeliver)(void *actor, const Effect *effect);

/* Delivers all that has arrived and need not wait.  known is the receiver's clock, which deliver
 * moves; between calls it may have moved on. */
void causal_order_deliver(CausalOrder *order, const CausalLogs *logs, const Clock *known,
                          CausalDeliver deliver, void *actor);
