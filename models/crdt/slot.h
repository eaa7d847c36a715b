/* Slot: the building block of strings, hash fields, sorted-set scores, set elements and deadlines.
 *
 *     effects:  ASSIGN(v) | INCREMENT(amount) | ADD | REMOVE       (key DEL = REMOVE on every slot)
 *     cov     = what the ASSIGNs and REMOVEs received had observed; INCREMENT and ADD cover nothing
 *     heads   = ASSIGNs (ADDs) whose dot is not in cov
 *     value   = the head with the greatest (ts, then lower member) + increments not in cov
 *     present = a head or an uncovered increment
 *
 * (crdt-semantics.md 3 and 4.)  The common case, one head and no increments, is the 32 bytes of the
 * slot alone.  The rest hangs on a chain of nodes: further heads (siblings), covers that are ahead
 * of our clock, and one counter per origin that ever incremented.  The inline head is always the
 * winner.
 *
 * Simplified: a sibling or a counter's snapshot that every member has observed is kept until it is
 * covered; crdt-semantics.md 1.4 would let it go at once, so MEMORY_SIBLINGS is an upper bound.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/crdt/causality.h"
#include "models/crdt/decimal.h"
#include "models/crdt/effect.h"
#include "sim/digest.h"

typedef struct {
    Dot dot;         /* 0: no head */
    int64_t ts;      /* wall ms; a deadline for the slot of deadlines */
    uint64_t number; /* as in Value; for VALUE_BYTES the address of bytes this head owns */
    uint32_t bytes;
    uint32_t more; /* chain index << 4 | touched << 3 | ValueKind */
} Slot;

/* Aligned to 8 so that a node is 64 bytes. */
typedef Decimal StoredDecimal __attribute__((aligned(8)));

typedef enum { NODE_FREE, NODE_SIBLING, NODE_COVER, NODE_COUNTER } SlotNodeKind;

typedef struct {
    union {
        struct {
            Dot dot;
            int64_t ts;
            uint64_t number;
            uint32_t bytes;
            uint32_t value_kind;
        } head; /* SIBLING; COVER uses dot alone */
        struct {
            StoredDecimal sum;         /* of all increments of the origin received so far */
            StoredDecimal covered_sum; /* the same sum at covered_seq */
            uint64_t increment_seq;    /* of the newest received */
            uint64_t covered_seq;      /* increments up to here count no more */
            uint64_t record_seq;       /* newest record of this origin here: retention by key */
        } counter;
    };
    uint32_t next;
    uint8_t kind;   /* SlotNodeKind */
    uint8_t origin; /* COUNTER */
} SlotNode;

typedef struct {
    SlotNode *nodes; /* index 0 is none */
    void *memory;    /* what they were cut from */
    uint32_t count, capacity, free;
    uint32_t sibling_count; /* of all slots */
    uint32_t counter_count; /* likewise */
} SlotPool;

void slot_pool_init(SlotPool *pool);
void slot_pool_clear(SlotPool *pool); /* does not visit slots: clear those that own bytes first */

/* What every operation on a member's slots needs. */
typedef struct {
    SlotPool pool;
    Causality causality;
    bool wrong_arrival_order; /* a deliberately wrong rule for tests: what arrives last wins */
} SlotWorld;

/* What an effect does to one slot. */
typedef struct {
    Dot dot;
    int64_t ts;
    const Clock *ctx;
    Value value; /* ASSIGN and ADD; data is copied */
    EffectOp op;
    bool add_wins; /* the slot of a set: heads cover nothing, only removes do */
    bool ahead;    /* causality_is_ctx_ahead(ctx) */
    bool covered;  /* by something kept for the whole key (a DEL that came early) */
} SlotWrite;

void slot_write(SlotWorld *world, Slot *slot, const SlotWrite *write);

/* slot_write of an ASSIGN to a touched slot while nothing anywhere is ahead of our clock; the value
 * is not bytes.  Leaves a head. */
static inline void slot_assign(SlotPool *pool, Slot *slot, const Effect *effect);

/* For the one above: what the ASSIGN of dot takes away goes.  The node it is to be put in, 0: it
 * goes inline. */
uint32_t slot_level_room(SlotPool *pool, Slot *slot, Dot dot, int64_t ts, const Clock *ctx);

/* An increment; always counts, unless covered (the counter knows). */
void slot_increment(SlotWorld *world, Slot *slot, Dot dot, Decimal amount);

/* Increments of origin up to seq, whose sum is sum, are covered.  Idempotent, any order. */
typedef struct {
    uint32_t origin;
    uint64_t seq;
    Decimal sum;
} IncrementCover;

void slot_cover_increments(SlotWorld *world, Slot *slot, const IncrementCover *cover);

/* Chain walk over what a local ASSIGN or REMOVE has to ship as covers; *cursor starts at 0. */
bool slot_next_counter(const SlotPool *pool, const Slot *slot, uint32_t *cursor,
                       IncrementCover *out);

/* What a reader sees. */
typedef struct {
    bool present;
    bool has_base;
    bool has_increments;
    Value base; /* data borrowed from the slot */
    Decimal increments;
    Dot dot; /* of the winner, 0 without base */
    int64_t ts;
} SlotView;

SlotView slot_chain_view(const SlotPool *pool, const Slot *slot); /* for the next */
static inline SlotView slot_view(const SlotPool *pool, const Slot *slot);

/* For the books, which look at it before and after a change: O(1) where there is a head, else
 * O(chain). */
typedef struct {
    bool present;
    bool held; /* anything at all, visible or not */
    uint32_t value_bytes;
    uint32_t sibling_count; /* of the whole pool: what a change adds is the slot's */
} SlotSummary;

#define SLOT_COUNTER_BYTES 8 /* of a value that is increments alone, as Redis keeps an integer */

SlotSummary slot_chain_summary(const SlotPool *pool, const Slot *slot);

static inline uint32_t slot_chain(const Slot *slot)
{
    return slot->more >> 4;
}

static inline ValueKind slot_kind(const Slot *slot)
{
    return (ValueKind)(slot->more & 7);
}

/* A slot nobody touched still is what the family says it was at the start. */
static inline bool slot_is_touched(const Slot *slot)
{
    return slot->more & 8;
}

static inline void slot_touch(Slot *slot)
{
    slot->more |= 8;
}

static inline void slot_set_kind(Slot *slot, ValueKind kind)
{
    slot->more = (slot->more & ~UINT32_C(7)) | (uint32_t)kind;
}

static inline SlotSummary slot_summary(const SlotPool *pool, const Slot *slot)
{
    if (slot->dot != 0)
        return (SlotSummary){true, true, slot->bytes, pool->sibling_count};
    if (slot_chain(slot) != 0)
        return slot_chain_summary(pool, slot);
    return (SlotSummary){.sibling_count = pool->sibling_count};
}

/* Without increments. */
static inline SlotView slot_head_view(const Slot *slot)
{
    ValueKind kind = slot_kind(slot);

    return (SlotView){
        .present = slot->dot != 0,
        .has_base = slot->dot != 0,
        .base = {.number = slot->number,
                 .data = kind == VALUE_BYTES ? (const char *)(uintptr_t)slot->number : NULL,
                 .bytes = slot->bytes,
                 .kind = kind},
        .dot = slot->dot,
        .ts = slot->ts,
    };
}

static inline SlotView slot_view(const SlotPool *pool, const Slot *slot)
{
    if (slot_chain(slot) == 0 || pool->counter_count == 0)
        return slot_head_view(slot);
    return slot_chain_view(pool, slot);
}

static inline bool slot_is_present(const SlotPool *pool, const Slot *slot)
{
    return slot->dot != 0 || (slot_chain(slot) != 0 && slot_chain_summary(pool, slot).present);
}

/* Nothing left to remember: the slot may be dropped.  Lapsed covers are dropped first. */
bool slot_is_empty(SlotWorld *world, Slot *slot);

/* Notes that origin's newest record here is seq; returns the one before (0: none).  For retention
 * by key. */
uint64_t slot_note_record(SlotWorld *world, Slot *slot, Dot dot);

/* The (member, seq) smallest among live effects as a dot with member in front, UINT64_MAX when
 * absent: shows which of several types is older (crdt-semantics.md 2, type conflict). */
uint64_t slot_oldest_rank(const SlotPool *pool, const Slot *slot);

/* State merge: into learns what from knows.  joined is what both know together.  Idempotent,
 * commutative. */
typedef struct {
    SlotWorld *into;
    const SlotWorld *from;
    const Causality *joined;
    bool add_wins;
    const Dot *covers; /* key-level deletes of both sides that hold for this slot too */
    uint32_t cover_count;
} SlotMerge;

void slot_merge(const SlotMerge *merge, Slot *into, const Slot *from);

void slot_digest(const SlotWorld *world, const Slot *slot, Digest *digest);

void slot_clear(SlotPool *pool,
                Slot *slot); /* frees chain and bytes; the slot is empty and untouched */

static inline void slot_assign(SlotPool *pool, Slot *slot, const Effect *effect)
{
    const Value *value = &effect->value;
    uint32_t room = 0;

    ensure(value->kind != VALUE_BYTES);
    if (slot_chain(slot) != 0 || slot_kind(slot) == VALUE_BYTES ||
        (dot_member(slot->dot) != dot_member(effect->dot) &&
         !clock_covers(&effect->ctx, slot->dot)))
        room = slot_level_room(pool, slot, effect->dot, effect->ts.ms, &effect->ctx);
    if (room != 0) {
        SlotNode *node = &pool->nodes[room];

        node->head.dot = effect->dot;
        node->head.ts = effect->ts.ms;
        node->head.number = value->number;
        node->head.bytes = value->bytes;
        node->head.value_kind = (uint32_t)value->kind;
        return;
    }
    slot->dot = effect->dot;
    slot->ts = effect->ts.ms;
    slot->number = value->number;
    slot->bytes = value->bytes;
    slot_set_kind(slot, value->kind);
}

static_assert(sizeof(Slot) == 32, "one cache line holds two slots");
static_assert(sizeof(SlotNode) == 64, "a node is a cache line");
