/* The operations a site has in hand.
 *
 * Slots come from chunks and go back to a free list; nothing is allocated per operation.  An
 * attempt is named by a call: slot, attempt and the slot's generation.  Whoever comes back with a
 * call of an operation that is gone finds another generation.
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
    Operation op;
    SimTime start_ns;
    SimTime attempt_ns;
    Dot dot;
    uint32_t generation;
    uint32_t connection;      /* the client's, of the attempt under way */
    uint32_t next;            /* free list, or waiting list of its client */
    uint16_t applied_count;   /* attempts known to have been applied */
    uint8_t attempt_count;    /* begun */
    uint8_t unanswered_count; /* sent, and no answer seen */
    uint8_t state;
    int8_t member; /* of the last attempt, -1: none */
} OpSlot;
static_assert(sizeof(OpSlot) <= 128, "two cache lines per operation");

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

static inline void op_prefetch(const OpPool *pool, uint32_t index)
{
    const char *slot = (const char *)op_slot(pool, index);

    prefetch(slot);
    prefetch(slot + 64);
}

static inline uint32_t op_pool_take(OpPool *pool)
{
    uint32_t index;

    if (__builtin_expect(pool->free_head == OP_NONE, 0))
        op_pool_grow(pool);
    index = pool->free_head;
    pool->free_head = op_slot(pool, index)->next;
    return index;
}

static inline void op_pool_put(OpPool *pool, uint32_t index)
{
    OpSlot *slot = op_slot(pool, index);

    slot->generation++;
    slot->state = OP_FREE;
    slot->next = pool->free_head;
    pool->free_head = index;
}

static inline uint64_t op_call(const OpSlot *slot, uint32_t index)
{
    return (uint64_t)slot->generation << 32 | (uint64_t)slot->attempt_count << 24 | index;
}

static inline uint32_t call_index(uint64_t call)
{
    return (uint32_t)(call & (OP_SLOT_MAX - 1));
}

static inline uint8_t call_attempt(uint64_t call)
{
    return (uint8_t)(call >> 24);
}

/* The slot while it still holds the operation of that call, else NULL. */
static inline OpSlot *op_of_call(const OpPool *pool, uint64_t call)
{
    OpSlot *slot = op_slot(pool, call_index(call));

    return slot->generation == (uint32_t)(call >> 32) ? slot : NULL;
}
