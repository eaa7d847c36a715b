/* What one member's data weighs in the product, by family and cause.
 *
 * A change only marks its family; the sums are made up when somebody asks, for members hear many
 * more effects than questions.
 *
 * Live data is what Redis keeps for the keys that exist (ledger_live_bytes) and the buckets of the
 * dictionaries they are in, one pair a shard, because shards are processes of their own.  With
 * `overhead` it is existing keys x mean value x overhead instead, buckets and headers included.
 *
 * Headers: the product documents that active-active data takes up to twice the memory (Redis
 * Software, "Plan your Active-Active databases"; Azure's page on active geo-replication names no
 * figure), and no layout.  The defaults are what a key and an element need at least to be merged:
 *
 * - key, 160: object head 16, observed clock of five members 5 x 16, dot and time of the newest
 *   write 16 and of the newest removal 16, deadline with its dot and time 24; together 152 bytes,
 * in the size class of 160;
 * - element, 8: its dot; a string or counter is one element of its key;
 * - sibling, 32: dot, time and the place beside the winner, 24 bytes in the class of 32; the value
 *   that is kept comes on top.
 *
 * A string of 100 bytes then takes 1.9 times what it does alone (176 + buckets 8 to 16, and 168), a
 * hash of 10 fields of 10 bytes as much (240 + buckets, and 240), a string of 1 kB 1.15 times.
 * Values much smaller than 100 bytes pay more than twice, as any header of its own makes them.
 */
#pragma once

#include <stdint.h>

#include "models/data/store.h"

/* Bytes of each. */
typedef struct {
    int64_t key, element, sibling;
} HeaderSizes;

#define KEY_HEADER_BYTES     160
#define ELEMENT_HEADER_BYTES 8
#define SIBLING_HEADER_BYTES 32
extern const HeaderSizes header_sizes_default; /* these */

typedef struct {
    double overhead;            /* 0: calibrated live data and headers */
    const HeaderSizes *headers; /* NULL: the default; copied */
    uint32_t shard_count;
} MemoryConfig;

/* Bytes by cause, and two counts. */
typedef struct {
    int64_t live, headers, siblings;
    int64_t keys, deadlines; /* in the dictionaries of the keyspace; none with overhead */
} DataBytes;

typedef struct {
    const StoreLedger *ledger;
    DataBytes bytes;     /* as settled */
    double live_per_key; /* with overhead */
    double sibling_bytes;
} FamilyMemory;

typedef struct {
    uint32_t family_count;
    uint32_t shard_count;
    double overhead;
    HeaderSizes headers;
    uint32_t dirty;                        /* the one family whose bytes may have changed since */
    DataBytes total;                       /* without what changed in it, and without buckets */
    int64_t settled_bytes;                 /* of total with its buckets */
    FamilyMemory families[FAMILY_MAX + 1]; /* last: born keys */
} Memory;

/* Borrows store. */
void memory_init(Memory *memory, const Store *store, const Family *const *families,
                 uint32_t family_count, const MemoryConfig *config);

/* The store changed keys of this family (family_count: born). */
static inline void memory_touch(Memory *memory, uint32_t family_index);
void memory_touch_all(Memory *memory);

DataBytes memory_total(const Memory *memory);    /* live with the buckets of the keyspace */
int64_t memory_data_bytes(const Memory *memory); /* of all causes here */

void memory_settle(Memory *memory, uint32_t family_index); /* for memory_touch */

static inline void memory_touch(Memory *memory, uint32_t family_index)
{
    if (memory->dirty == family_index)
        return;
    memory_settle(memory, memory->dirty);
    memory->dirty = family_index;
}
