/* What one member's data weighs in the product, by family and cause.
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
    bool planned; /* overhead given */
    DataBytes total;
    FamilyMemory families[FAMILY_MAX + 1]; /* last: born keys */
} Memory;

/* Borrows store. */
void memory_init(Memory *memory, const Store *store, const Family *const *families,
                 uint32_t family_count, double overhead);

/* The store changed keys of this family (family_count: born). */
void memory_touch(Memory *memory, uint32_t family_index);
void memory_touch_all(Memory *memory);

static inline int64_t memory_data_bytes(const Memory *memory)
{
    return memory->total.live + memory->total.headers + memory->total.siblings;
}
