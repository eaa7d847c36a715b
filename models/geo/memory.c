/* Why it works: the store keeps its ledgers in O(1) per operation, and an operation touches one
 * family, so replacing that family's part of the total keeps the total exact without ever summing.
 * Runs of operations on one family replace it once, when the next family's turn comes or when
 * somebody asks.  Buckets follow from the number of keys alone.
 */
#include "models/geo/memory.h"

#include <string.h>

#include "models/data/footprint.h"
#include "sim/ensure.h"

const HeaderSizes header_sizes_default = {
    .key = KEY_HEADER_BYTES, .element = ELEMENT_HEADER_BYTES, .sibling = SIBLING_HEADER_BYTES};

/* Of keys that no family describes: as long as their visible values on average. */
static double born_sibling_bytes(const Memory *memory, const StoreLedger *ledger)
{
    double elements = ledger->element_count > 0 ? (double)ledger->element_count : 1;

    return (double)ledger->value_bytes / elements + (double)memory->headers.sibling;
}

static inline int64_t sibling_bytes(const Memory *memory, uint32_t index)
{
    const FamilyMemory *family = &memory->families[index];

    if (family->ledger->sibling_count == 0)
        return 0;
    return (int64_t)((double)family->ledger->sibling_count *
                     (index < memory->family_count ? family->sibling_bytes
                                                   : born_sibling_bytes(memory, family->ledger)));
}

static inline int64_t header_bytes(const Memory *memory, const StoreLedger *ledger)
{
    return ledger->key_count * memory->headers.key + ledger->header_count * memory->headers.element;
}

static DataBytes family_bytes(const Memory *memory, uint32_t index)
{
    const FamilyMemory *family = &memory->families[index];
    const StoreLedger *ledger = family->ledger;

    if (memory->overhead > 0) {
        double live = index < memory->family_count
                          ? (double)ledger->key_count * family->live_per_key
                          : (double)ledger->value_bytes * memory->overhead;

        return (DataBytes){.live = (int64_t)live, .siblings = sibling_bytes(memory, index)};
    }
    return (DataBytes){.live = ledger_live_bytes(ledger),
                       .headers = header_bytes(memory, ledger),
                       .siblings = sibling_bytes(memory, index),
                       .keys = ledger->key_count,
                       .deadlines = ledger->deadline_count};
}

static DataBytes replaced(const DataBytes *total, const DataBytes *old, const DataBytes *now)
{
    return (DataBytes){.live = total->live + now->live - old->live,
                       .headers = total->headers + now->headers - old->headers,
                       .siblings = total->siblings + now->siblings - old->siblings,
                       .keys = total->keys + now->keys - old->keys,
                       .deadlines = total->deadlines + now->deadlines - old->deadlines};
}

static int64_t buckets_bytes(const Memory *memory, const DataBytes *total)
{
    return (int64_t)footprint_shards_bytes((uint64_t)total->keys, (uint64_t)total->deadlines,
                                           memory->shard_count);
}

void memory_settle(Memory *memory, uint32_t family_index)
{
    FamilyMemory *family = &memory->families[family_index];
    DataBytes now = family_bytes(memory, family_index);

    memory->total = replaced(&memory->total, &family->bytes, &now);
    memory->settled_bytes = memory->total.live + buckets_bytes(memory, &memory->total) +
                            memory->total.headers + memory->total.siblings;
    family->bytes = now;
}

void memory_touch_all(Memory *memory)
{
    for (uint32_t f = 0; f <= memory->family_count; f++)
        memory_settle(memory, f);
}

DataBytes memory_total(const Memory *memory)
{
    DataBytes now = family_bytes(memory, memory->dirty);
    DataBytes total = replaced(&memory->total, &memory->families[memory->dirty].bytes, &now);

    total.live += buckets_bytes(memory, &total);
    return total;
}

/* Asked before every write.  Mostly no key came or went since the family was settled. */
int64_t memory_data_bytes(const Memory *memory)
{
    const FamilyMemory *family = &memory->families[memory->dirty];
    const StoreLedger *ledger = family->ledger;
    const DataBytes *old = &family->bytes;
    DataBytes total;

    if (memory->overhead == 0 && ledger->key_count == old->keys &&
        ledger->deadline_count == old->deadlines)
        return memory->settled_bytes + ledger_live_bytes(ledger) + header_bytes(memory, ledger) +
               sibling_bytes(memory, memory->dirty) - old->live - old->headers - old->siblings;
    total = memory_total(memory);
    return total.live + total.headers + total.siblings;
}

/* A value kept beside the visible one, by the family's mean. */
static double sibling_value(const Family *family, double overhead)
{
    double mean = family->value_bytes ? dist_mean(family->value_bytes) : 0;

    if (family->field_count > 1)
        mean /= family->field_count;
    return mean * (overhead > 0 ? overhead : 1);
}

void memory_init(Memory *memory, const Store *store, const Family *const *families,
                 uint32_t family_count, const MemoryConfig *config)
{
    ensure(family_count <= FAMILY_MAX);
    memset(memory, 0, sizeof *memory);
    memory->family_count = family_count;
    memory->shard_count = config->shard_count > 0 ? config->shard_count : 1;
    memory->overhead = config->overhead;
    memory->headers = config->headers ? *config->headers : header_sizes_default;
    for (uint32_t f = 0; f < family_count; f++) {
        double mean = families[f]->value_bytes ? dist_mean(families[f]->value_bytes) : 0;

        memory->families[f].live_per_key = mean * config->overhead;
        memory->families[f].sibling_bytes =
            sibling_value(families[f], config->overhead) + (double)memory->headers.sibling;
    }
    for (uint32_t f = 0; f <= family_count; f++)
        memory->families[f].ledger = store_ledger(store, f);
    memory_touch_all(memory);
}
