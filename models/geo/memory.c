/* Why it works: the store keeps its ledgers in O(1) per operation, and an operation touches one
 * family, so replacing that family's part of the total keeps the total exact without ever summing.
 * Runs of operations on one family replace it once, when the next family's turn comes or when
 * somebody asks.
 */
#include "models/geo/memory.h"

#include <string.h>

#include "sim/ensure.h"

/* After scenarios/data (redis 7.0.15): a short string key with its dictionary entry, an element of
 * a small collection, a dot with time and flags, and the same beside a value kept as sibling. */
#define KEY_BYTES     80
#define ELEMENT_BYTES 16
#define HEADER_BYTES  24

static DataBytes family_bytes(const Memory *memory, const FamilyMemory *family,
                              const StoreLedger *ledger)
{
    DataBytes bytes = {.siblings =
                           (int64_t)((double)ledger->sibling_count * family->sibling_bytes)};

    if (memory->planned && family->live_per_key > 0) {
        bytes.live = (int64_t)((double)ledger->key_count * family->live_per_key);
        return bytes;
    }
    bytes.live = ledger->key_count * KEY_BYTES + ledger->value_bytes;
    bytes.live += ledger->element_count * ELEMENT_BYTES;
    bytes.headers = ledger->header_count * HEADER_BYTES;
    return bytes;
}

void memory_settle(Memory *memory, uint32_t family_index)
{
    FamilyMemory *family = &memory->families[family_index];
    DataBytes now = family_bytes(memory, family, store_ledger(memory->store, family_index));

    memory->total.live += now.live - family->bytes.live;
    memory->total.headers += now.headers - family->bytes.headers;
    memory->total.siblings += now.siblings - family->bytes.siblings;
    family->bytes = now;
}

void memory_touch_all(Memory *memory)
{
    for (uint32_t f = 0; f <= memory->family_count; f++)
        memory_settle(memory, f);
}

DataBytes memory_total(const Memory *memory)
{
    const FamilyMemory *family = &memory->families[memory->dirty];
    DataBytes now = family_bytes(memory, family, store_ledger(memory->store, memory->dirty));
    DataBytes total = memory->total;

    total.live += now.live - family->bytes.live;
    total.headers += now.headers - family->bytes.headers;
    total.siblings += now.siblings - family->bytes.siblings;
    return total;
}

int64_t memory_data_bytes(const Memory *memory)
{
    DataBytes total = memory_total(memory);

    return total.live + total.headers + total.siblings;
}

void memory_init(Memory *memory, const Store *store, const Family *const *families,
                 uint32_t family_count, double overhead)
{
    ensure(family_count <= FAMILY_MAX);
    memset(memory, 0, sizeof *memory);
    memory->store = store;
    memory->family_count = family_count;
    memory->planned = overhead > 0;
    memory->families[family_count].sibling_bytes = HEADER_BYTES + KEY_BYTES;
    for (uint32_t f = 0; f < family_count; f++) {
        double mean = families[f]->value_bytes ? dist_mean(families[f]->value_bytes) : 0;
        uint32_t fields = families[f]->field_count > 0 ? families[f]->field_count : 1;

        memory->families[f].live_per_key = mean * overhead;
        memory->families[f].sibling_bytes =
            mean / fields * (overhead > 0 ? overhead : 1) + HEADER_BYTES;
    }
    memory_touch_all(memory);
}
