/* Blocking commands: clients that wait for keys of one member (BLPOP, XREAD BLOCK and their like).
 *
 * A command that finds nothing to give becomes a waiter: its words and the keys it waits for.  Any
 * change of such a key makes it ready, whoever made it: a command here, an effect of another
 * member, a deadline.  After the whole command, transaction or effect the owner of the store
 * serves: keys in the order they became ready, of each key the waiters in the order they came, each
 * by its command's non-blocking form, whose writes are effects like any other's
 * (crdt-semantics.md 5: blocking pops are served from local state and wake on replicated pushes; so
 * two members may give the same element).  What a served command changes may make further keys
 * ready.  The order is that of Redis 7.0.
 *
 * The store knows no clock: as with deadlines (store.h), its owner asks when the next waiter's time
 * is up and calls back then.
 */
#pragma once

#include "models/data/store.h"

typedef struct Waiter Waiter;

/* Who asks. */
typedef struct {
    void *owner;  /* named when it is served */
    Arena *arena; /* of the late reply, and must live until then; NULL: no reply tree is built */
} WaiterClient;

/* As store_execute (no waiter: NULL), but a command that blocks is left waiting: then there is no
 * reply yet.  The waiter lives until it is served, times out or is ended, or the store is freed. */
Waiter *store_execute_or_wait(Store *store, const Command *command, WallTime now, Arena *arena,
                              Reply *out, const WaiterClient *client);

/* The owner of the next waiter that can be served and its reply; NULL: nobody (more) can be.  Call
 * until then, after everything that may have changed a key. */
void *store_serve_next(Store *store, WallTime now, Reply *out);

/* When the time of some waiter is up; false: of none.  Then the owners of all that are due, one a
 * call, with their replies; NULL: none (more). */
bool store_next_timeout(const Store *store, WallTime *out_at);
void *store_time_out_next(Store *store, WallTime now, Reply *out);

/* Its client is gone: it is never served. */
void waiter_end(Store *store, Waiter *waiter);

uint32_t store_waiter_count(const Store *store);
