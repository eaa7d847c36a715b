/* What one member's data weighs in the product, by family and cause.
 *
 * A change only marks its family; the sums are made up when somebody asks, for members hear many
 * more effects than questions.
 *
 * With `overhead` live data is existing keys x mean value x overhead, and headers are in it.
 * Without, each key and element costs a constant beside its bytes. Simplified: until the model
 * calibrated against real Redis replaces these constants.
 */
#pragma once

#include <stdint.h>

#include "models/data/store.h"

typedef struct {
    int64_t live, headers, siblings;
} DataBytes;

typedef struct {
    DataBytes bytes;
    double live_per_key; /* with overhead */
    double sibling_bytes;
} FamilyMemory;

typedef struct {
    const Store *store;
    uint32_t family_count;
    bool planned;                          /* overhead given */
    uint32_t dirty;                        /* the one family whose bytes may have changed since */
    DataBytes total;                       /* without what changed in it */
    FamilyMemory families[FAMILY_MAX + 1]; /* last: born keys */
} Memory;

/* Borrows store. */
void memory_init(Memory *memory, const Store *store, const Family *const *families,
                 uint32_t family_count, double overhead);

/* The store changed keys of this family (family_count: born). */
static inline void memory_touch(Memory *memory, uint32_t family_index);
void memory_touch_all(Memory *memory);

DataBytes memory_total(const Memory *memory);
int64_t memory_data_bytes(const Memory *memory); /* of all causes here */

void memory_settle(Memory *memory, uint32_t family_index); /* for memory_touch */

static inline void memory_touch(Memory *memory, uint32_t family_index)
{
    if (memory->dirty == family_index)
        return;
    memory_settle(memory, memory->dirty);
    memory->dirty = family_index;
}
