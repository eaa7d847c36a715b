/* The family of replicated types: one merge rule a file.
 *
 * A type's state is per key and member.  The visible value is a pure function of the set of effects
 * received, never of their order of arrival across origins; storage may be compressed but must
 * equal that function (crdt-semantics.md 1.2).  The laws test draws from every registered type:
 * effects commute across origins, replay is idempotent, merge equals apply, members converge.
 *
 * A key is one slot (strings, counters), a slot per element, or one structure with rules of its own
 * (crdt/body.h: lists, sketches, streams, documents).  Covers of slots lapse by
 * themselves when the clock has caught up (crdt/causality.h).  Simplified: siblings and counter
 * snapshots go when they are covered, not already when every member has observed them;
 * history records and tombstones are accounted where retention is known, in geo.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/crdt/body.h"
#include "models/crdt/effect.h"
#include "models/crdt/slot.h"
#include "sim/digest.h"
#include "sim/param.h"
#include "sim/rng.h"

#define CRDT_TYPES(X)                                                                              \
    X(string) /* registers and counters: one slot, see crdt/slot.h */                              \
    X(counter)                                                                                     \
    X(hash)                                                                                        \
    X(set)                                                                                         \
    X(zset)                                                                                        \
    X(hyperloglog)                                                                                 \
    X(list)                                                                                        \
    X(stream)                                                                                      \
    X(json)

/* Indexes in the list above, for those who mean one type. */
enum {
    CRDT_STRING,
    CRDT_COUNTER,
    CRDT_HASH,
    CRDT_SET,
    CRDT_ZSET,
    CRDT_HYPERLOGLOG,
    CRDT_LIST,
    CRDT_STREAM,
    CRDT_JSON,
    CRDT_TYPE_COUNT
};

typedef struct {
    PluginHead head;
    const char *redis_name; /* as TYPE replies */
    bool has_elements;      /* a slot per element; else one per key */
    bool add_wins;          /* heads cover nothing, see SlotWrite */
    bool retains_by_key;    /* default retention: newest record per key, element, origin (1.4) */
    ValueKind start_kind;   /* of keys that exist from the start */
    const BodyRule
        *body; /* a key is one structure; NULL: it is slots, and what follows serves them */

    /* What effect does to one slot; write carries its common part. */
    void (*apply)(SlotWorld *world, Slot *slot, const SlotWrite *write, const Effect *effect);
    void (*merge)(const SlotMerge *merge, Slot *into, const Slot *from);
    void (*digest)(const SlotWorld *world, const Slot *slot, Digest *digest);

    const char *load_command; /* makes a declared key whole: how a cold standby is filled */

    /* Laws: a random write on key, one command line in the words of the protocol (not read in this
     * layer). */
    void (*draw)(Rng *rng, const char *key, char *line, size_t size);
} CrdtType;

#define CRDT_DECLARE(name) extern const CrdtType crdt_##name;
CRDT_TYPES(CRDT_DECLARE)
#undef CRDT_DECLARE

extern const CrdtType *const crdt_types[CRDT_TYPE_COUNT];
extern const PluginFamily crdt_type_family;
