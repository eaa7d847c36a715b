/* The operations a site has in hand.
 *
 * Slots come from chunks and go back to a free list; nothing is allocated per operation.  An
 * attempt is named by a call: slot, attempt and the slot's generation.  Whoever comes back with a
 * call of an operation that is gone finds another generation.
 *
 * A slot holds what the end of an operation needs, which is one cache line, and not what its
 * attempts send: that is drawn again for each.
 */
#pragma once

#include <assert.h>

#include "models/clients/workload.h"
#include "sim/prefetch.h"

typedef enum {
    OP_FREE,
    OP_SENT,        /* an attempt is under way */
    OP_RESOLVING,   /* waits for a DNS answer */
    OP_BACKING_OFF, /* waits for its next attempt */
    OP_LINGERS,     /* has its final answer; earlier attempts may still be answered */
} OpState;

typedef struct {
    uint64_t call; /* of the last attempt begun */
    Operation op;
    SimTime start_ns;
    union {
        SimTime attempt_ns; /* when the last attempt began */
        SimTime end_ns;     /* of an operation that lingers */
    };
    union {
        uint32_t connection; /* the client's, of the attempt under way */
        uint32_t next;       /* free list, or waiting list of its client: no attempt is under way */
    };
    uint8_t applied_count;    /* attempts known to have been applied */
    uint8_t unanswered_count; /* sent, and no answer seen */
    uint8_t state;
    int8_t member; /* of the last attempt, -1: none */
} OpSlot;
static_assert(sizeof(OpSlot) == CACHE_LINE_BYTES, "one cache line per operation");

#define OP_CHUNK    1024u
#define OP_SLOT_MAX (1u << 24)
#define OP_NONE     UINT32_MAX

typedef struct {
    OpSlot **chunks;
    uint32_t chunk_count;
    uint32_t free_head;
} OpPool;

void op_pool_init(OpPool *pool);
void op_pool_clear(OpPool *pool);
void op_pool_grow(OpPool *pool);

static inline OpSlot *op_slot(const OpPool *pool, uint32_t index)
{
    return &pool->chunks[index / OP_CHUNK][index % OP_CHUNK];
}

/* A call: the slot's generation (32 bits), the attempt from 1 (8), the slot's index (24). */
#define CALL_ATTEMPT    (UINT64_C(1) << 24)
#define CALL_GENERATION (UINT64_C(1) << 32)

static inline uint32_t call_index(uint64_t call)
{
    return (uint32_t)(call & (OP_SLOT_MAX - 1));
}

static inline uint8_t call_attempt(uint64_t call)
{
    return (uint8_t)(call / CALL_ATTEMPT);
}

static inline OpSlot *op_pool_take(OpPool *pool)
{
    OpSlot *slot;

    if (__builtin_expect(pool->free_head == OP_NONE, 0))
        op_pool_grow(pool);
    slot = op_slot(pool, pool->free_head);
    pool->free_head = slot->next;
    return slot;
}

static inline void op_pool_put(OpPool *pool, OpSlot *slot)
{
    uint32_t index = call_index(slot->call);

    slot->call = (slot->call / CALL_GENERATION + 1) * CALL_GENERATION + index;
    slot->state = OP_FREE;
    slot->next = pool->free_head;
    pool->free_head = index;
}

/* The slot while it still holds the operation of that call, else NULL. */
static inline OpSlot *op_of_call(const OpPool *pool, uint64_t call)
{
    OpSlot *slot = op_slot(pool, call_index(call));

    return (slot->call ^ call) < CALL_GENERATION ? slot : NULL;
}
