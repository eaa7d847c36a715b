/* One member's keys: declared families in arrays, keys born during the run in an open-addressing
 * table.
 *
 * The store executes commands on local state and hands each effect they make to the sink; it
 * applies effects of other members in any order across origins.  It knows no clock, no network and
 * no other member: the wall time, the next dot and the observed clock come in.  It keeps its books
 * (existing keys, bytes, siblings) in O(1) per operation and allocates nothing per synthetic
 * operation.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/body_stream.h"
#include "models/crdt/crdt.h"
#include "models/data/command.h"
#include "models/data/pubsub.h"
#include "sim/arena.h"

typedef struct Store Store;

/* Receives each effect of a local write, in order.  dot and ctx are given by the store from its own
 * clock; effect and payload are borrowed for the call. */
typedef struct {
    void (*emit)(void *actor, const Effect *effect);
    void *actor;
} EffectSink;

typedef struct {
    uint32_t member_id; /* 1..MEMBER_MAX */
    const Family *const *families;
    uint32_t family_count;
    EffectSink sink;
    uint32_t member_count; /* of the group at the start: deadlines of prefilled keys are shared out
                              among them; 0: 1 */
    StreamIdMode stream_ids; /* the documented crdt_xadd_id_uniqueness_mode */
    bool is_clustered;       /* keys of one command must share a hash slot: see command_keys.h */
    WallTime start; /* every member's wall clock at t=0, from which prefilled lives count */
    bool wrong_arrival_order; /* a deliberately wrong merge rule, for tests that must see a law
                                 break */
} StoreConfig;

/* Borrows families and sink.actor.  Declared keys that are prefilled exist, with the genesis dot.
 */
Store *store_new(const StoreConfig *config);
void store_free(Store *store);

/* Executes command at this member.  Writes bump the own component of the clock once per effect.
 * arena NULL: no reply tree is built (see Reply).  A blocking command does not block here: it is
 * answered as if its time were up (see waiter.h for one that does).  Reads of keys whose deadline
 * has passed see nothing; the owner's deletion duty is store_expire_due. */
void store_execute(Store *store, const Command *command, WallTime now, Arena *arena, Reply *out);

/* Applies an effect of another member; its dot must be the next of its origin.  Effects already
 * known are ignored and false is returned. */
bool store_apply(Store *store, const Effect *effect, WallTime now);

/* The same for a PUBLISH that a whole state stands for: a state holds no messages, so what was
 * published is known from now on and heard by nobody. */
bool store_pass_message(Store *store, const Effect *effect);

/* Of a declared key that will be met soon, by an effect or a command: its slots or what leads to
 * its body; once these are here, what hangs on one of them, or the body; at last what that leads
 * to. */
void store_prefetch(const Store *store, uint16_t family, uint64_t key);
void store_prefetch_chain(const Store *store, uint16_t family, uint64_t key, uint32_t element);
bool store_has_bodies(const Store *store); /* else the next are not worth the call */
void store_prefetch_body(const Store *store, uint16_t family, uint64_t key); /* alone */
void store_prefetch_inside(const Store *store, uint16_t family, uint64_t key);

const Clock *store_clock(const Store *store); /* what this member has observed, itself included */

/* Deadlines this member owns.  The member asks for the next one and calls back when its clock
 * reaches it; deletes the keys due, as effects through the sink.  The next one may be early (a
 * deadline that was moved or lost meanwhile): then nothing is deleted and the next is later. */
bool store_next_expiry(const Store *store, WallTime *out_at);
void store_expire_due(Store *store, WallTime now);

/* What exists, by family, weighted as the slice says (born keys under index family_count). */
typedef struct {
    int64_t key_count;   /* existing keys */
    int64_t value_bytes; /* of their values */
    int64_t element_count;
    int64_t sibling_count;  /* values kept beside the visible one */
    int64_t header_count;   /* elements or keys with any CRDT state, visible or not, and the further
                               dots of a set's elements */
    int64_t deadline_count; /* existing keys that will expire */
    int64_t frame_bytes;    /* see ledger_live_bytes */
    bool is_sized;          /* frame_bytes leaves value_bytes out */
} StoreLedger;

const StoreLedger *store_ledger(const Store *store, uint32_t family_index);

/* What Redis would keep for the family's existing keys (models/data/footprint.h), without the
 * buckets of the keyspace.  A key that several types live in keeps the values of all. */
static inline int64_t ledger_live_bytes(const StoreLedger *ledger)
{
    return ledger->frame_bytes + (ledger->is_sized ? ledger->value_bytes : 0);
}

/* For retention by key: the seq of the newest earlier record of the same origin on the same key and
 * element as the effect last emitted or applied, 0 when there is none. */
uint64_t store_superseded_seq(const Store *store);
bool store_last_was_remove(
    const Store *store); /* the effect last emitted or applied leaves a tombstone */

/* State of all keys folded in id order (declared) and hash order (born): equal exactly when what is
 * visible and what will be visible is equal. */
void store_digest(const Store *store, Digest *digest);

/* The full-sync rule: into learns everything from knows.  Equal to applying the missed effects
 * of its state (law). */
void store_merge(Store *into, const Store *from, WallTime now);

/* Every linked member has observed stable: what bodies keep for history alone goes as far as it
 * can.  The same effects show the same with and without it, now and later; which ones this member
 * makes may differ (collect in crdt/body.h). */
void store_collect(Store *store, const Clock *stable);

/* Up to where all keys have been collected: with effects it makes from now on, this member names
 * nothing more whose making and removal are up to there.  NULL: nothing here can be named so. */
const Clock *store_retired(const Store *store);

/* Every member has collected up to retired_by_all, and what it made before it told so has arrived:
 * frees what was kept in case that somebody names it. */
void store_drop(Store *store, const Clock *retired_by_all);

/* Whether a born key was changed since, by this member or an effect of another one, or came or went
 * with its deadline.  name is copied; every watch is ended before the store is freed. */
typedef struct StoreWatch StoreWatch;

StoreWatch *store_watch_begin(Store *store, PayloadText name, WallTime now);
bool store_watch_changed(Store *store, const StoreWatch *watch, WallTime now);
void store_watch_end(Store *store, StoreWatch *watch);

/* Who listens at this member.  Messages reach them from PUBLISH here and by store_apply; the
 * digest, the books and a merge know nothing of them. */
Pubsub *store_pubsub(Store *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
