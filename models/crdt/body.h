/* A key that is one structure: lists, streams, HyperLogLogs, JSON documents.
 *
 * What slots are to strings and collections of elements, a body is to these types: the state one
 * member keeps for one key.  The visible value is a pure function of the set of effects received
 * (crdt-semantics.md 1.2); a body is opaque to all but its type.  Effects of one origin arrive in
 * order, those of different origins in any order, so an effect may come before one it had observed:
 * a body decides by the clocks that effects carry, never by what happens to be here.
 *
 * An edit is a type's own operation as bytes (EFFECT_EDIT); its layout is private to the type.  A
 * value that comes with it (a list's element, a stream's fields) may be synthetic or real; real
 * bytes travel in the effect's payload.
 */
#pragma once

#include "models/crdt/causality.h"
#include "models/crdt/payload.h"
#include "sim/digest.h"

typedef struct CrdtBody CrdtBody;

/* For the books, O(1): kept by the body as it changes. */
typedef struct {
    int64_t value_bytes;     /* of live values (names of stream fields, JSON keys included) */
    int64_t element_count;   /* live list elements, stream entries, JSON nodes; 1 for others */
    int64_t header_count;    /* ids kept: live elements, tombstones, group marks */
    int64_t tombstone_count; /* of these, what is no longer visible */
    int64_t sibling_count;   /* values kept beside the visible one */
} BodySummary;

typedef struct {
    const Effect *effect; /* EDIT of this type, or DELETE of the key */
    PayloadText edit;     /* EDIT: the operation; borrowed for the call */
    PayloadText value;    /* real bytes of effect->value; borrowed; data NULL: synthetic or none */
    const Causality *causality; /* of this member, before the effect */
} BodyEffect;

typedef struct {
    const Causality *into; /* what each side knew before */
    const Causality *from;
    const Causality *joined;
} BodyMerge;

/* What a declared family's `fields` are to one of its keys. */
typedef enum {
    BODY_FIELDS_NONE,  /* nothing: the key is one value */
    BODY_FIELDS_HELD,  /* the elements it starts with */
    BODY_FIELDS_DRAWN, /* the elements commands draw from.  It starts with the first half, because
                          to add one that is in does nothing. */
} BodyFields;

typedef struct {
    BodyFields fields;

    CrdtBody *(*create)(void);
    void (*destroy)(CrdtBody *body);

    /* Content from the start, made by the genesis: element_count synthetic elements of value_bytes
     * together.  NULL: keys of this type cannot exist from the start. */
    void (*fill)(CrdtBody *body, uint32_t element_count, uint32_t value_bytes);

    /* Any order across origins, each effect once.  A DELETE may come for a body that never held
     * anything, and need not come where it neither finds a body nor names effects that have not
     * arrived, unless it deletes this type (effect_deletes). */
    void (*apply)(CrdtBody *body, const BodyEffect *effect);

    /* into learns all from knows: equal to applying the missed effects.  Idempotent, commutative,
     * associative. */
    void (*merge)(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from);

    bool (*is_present)(const CrdtBody *body); /* the key exists for a reader */
    /* Nothing to remember: neither visible content nor what an effect still under way would need.
     * The causality is this member's, now. */
    bool (*is_empty)(CrdtBody *body, const Causality *causality);
    BodySummary (*summary)(const CrdtBody *body);

    /* Every linked member has observed stable, and what it sent before it did has arrived here:
     * tombstones and siblings up to there may go.  The same effects show the same with and without
     * it, now and later.  Which effects this member makes may differ: what it inserts from then on
     * can hang elsewhere in a sequence, at every member alike (crdt/sequence.h). */
    void (*collect)(CrdtBody *body, const Clock *stable);

    /* Frees what only held the place of things collected.  Every member (force-unlinked ones too)
     * has collected up to retired_by_all, and what it sent before it told so has arrived here;
     * NULL: just asks.  True: more is left for a later call.  NULL: all goes with collect. */
    bool (*drop)(CrdtBody *body, const Clock *retired_by_all);

    /* The body will be met soon: what it leads to.  NULL: nothing. */
    void (*prefetch)(const CrdtBody *body);

    /* As slot_oldest_rank: member << 60 | seq of the oldest live effect, UINT64_MAX without. */
    uint64_t (*oldest_rank)(const CrdtBody *body);

    /* Equal exactly when what is visible and what will be visible is equal, whatever was collected
     * and in whatever order it came. */
    void (*digest)(const CrdtBody *body, Digest *digest);
} BodyRule;
