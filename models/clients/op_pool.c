/* Why it works: chunks never move, so a slot may be held while others are taken; the free list is
 * threaded through the slots and gives out the last one returned first, which is still in the
 * cache.
 */
#include "models/clients/op_pool.h"

#include "sim/ensure.h"

void op_pool_init(OpPool *pool)
{
    *pool = (OpPool){.free_head = OP_NONE};
}

void op_pool_clear(OpPool *pool)
{
    for (uint32_t i = 0; i < pool->chunk_count; i++)
        g_aligned_free(pool->chunks[i]);
    g_free(pool->chunks);
    op_pool_init(pool);
}

void op_pool_grow(OpPool *pool)
{
    uint32_t first = pool->chunk_count * OP_CHUNK;
    OpSlot *chunk = g_aligned_alloc0(OP_CHUNK, sizeof(OpSlot), CACHE_LINE_BYTES);

    ensure(first + OP_CHUNK <= OP_SLOT_MAX);
    if ((pool->chunk_count & (pool->chunk_count - 1)) == 0) /* the directory doubles */
        pool->chunks =
            g_renew(OpSlot *, pool->chunks, pool->chunk_count ? pool->chunk_count * 2 : 1);
    pool->chunks[pool->chunk_count++] = chunk;
    for (uint32_t i = OP_CHUNK; i-- > 0;) {
        chunk[i].call = first + i;
        chunk[i].next = pool->free_head;
        pool->free_head = first + i;
    }
}
