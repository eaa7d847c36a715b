/* Why it works: entries stand side by side, so walking them, or picking one, costs nothing for what
 * is not there, and an entry's place can be kept in four bytes.  They are found through buckets
 * with open addressing, each of them a place + 1 or 0; both lie in one block, for an empty table is
 * in every key.  The last entry takes the place of one that goes. */
#include "models/data/store_private.h"

#include <string.h>

#define CAPACITY_MIN 4 /* of the buckets, three quarters of which may be full */

static uint32_t entry_room(const ElementTable *table)
{
    return table->capacity / 4 * 3;
}

static uint32_t *buckets_of(const ElementTable *table)
{
    return (uint32_t *)(void *)(table->entries + entry_room(table));
}

/* The bucket that holds the place, which is there. */
static uint32_t bucket_of_place(const ElementTable *table, uint32_t place)
{
    const uint32_t *buckets = buckets_of(table);
    uint32_t mask = table->capacity - 1;
    uint32_t at = (uint32_t)table->entries[place].hash & mask;

    while (buckets[at] != place + 1)
        at = (at + 1) & mask;
    return at;
}

/* The bucket of the name, or the free one where it belongs. */
static uint32_t bucket_of_name(const ElementTable *table, const ElementRef *ref)
{
    const uint32_t *buckets = buckets_of(table);
    uint32_t mask = table->capacity - 1;
    uint32_t at = (uint32_t)ref->hash & mask;

    for (; buckets[at] != 0; at = (at + 1) & mask) {
        const Element *entry = &table->entries[buckets[at] - 1];

        if (entry->hash == ref->hash && stored_name_equal(entry->name, ref->name))
            break;
    }
    return at;
}

static void grow(ElementTable *table)
{
    ElementTable larger = {.capacity = MAX(table->capacity * 2, CAPACITY_MIN),
                           .count = table->count};
    size_t entry_bytes = entry_room(&larger) * sizeof(Element);
    uint32_t *buckets;

    larger.entries = g_malloc(entry_bytes + larger.capacity * sizeof(uint32_t));
    buckets = buckets_of(&larger);
    memset(buckets, 0, larger.capacity * sizeof(uint32_t));
    for (uint32_t place = 0; place < table->count; place++) {
        uint32_t at = (uint32_t)table->entries[place].hash & (larger.capacity - 1);

        while (buckets[at] != 0)
            at = (at + 1) & (larger.capacity - 1);
        buckets[at] = place + 1;
        larger.entries[place] = table->entries[place];
    }
    g_free(table->entries);
    *table = larger;
}

Element *element_find(const ElementTable *table, const ElementRef *ref)
{
    uint32_t place;

    if (table->capacity == 0)
        return NULL;
    place = buckets_of(table)[bucket_of_name(table, ref)];
    return place > 0 ? &table->entries[place - 1] : NULL;
}

Element *element_add(ElementTable *table, const ElementRef *ref)
{
    Element *entry;

    if (table->count == entry_room(table))
        grow(table);
    entry = &table->entries[table->count++];
    *entry = (Element){.hash = ref->hash, .name = name_store(ref->name)};
    buckets_of(table)[bucket_of_name(table, ref)] = table->count;
    return entry;
}

static void free_bucket(ElementTable *table, uint32_t hole)
{
    uint32_t *buckets = buckets_of(table);
    uint32_t mask = table->capacity - 1;

    for (uint32_t at = (hole + 1) & mask; buckets[at] != 0; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)table->entries[buckets[at] - 1].hash & mask;

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            buckets[hole] = buckets[at];
            hole = at;
        }
    }
    buckets[hole] = 0;
}

void element_remove(ElementTable *table, uint32_t place)
{
    uint32_t last = table->count - 1;

    free_bucket(table, bucket_of_place(table, place));
    g_free(table->entries[place].name);
    if (place != last) {
        buckets_of(table)[bucket_of_place(table, last)] = place + 1;
        table->entries[place] = table->entries[last];
    }
    table->count--;
}

bool element_in_bucket(const ElementTable *table, uint32_t bucket, uint32_t *out_place)
{
    uint32_t place = buckets_of(table)[bucket];

    *out_place = place - 1;
    return place > 0;
}

void element_table_clear(ElementTable *table, SlotPool *pool)
{
    for (uint32_t i = 0; i < table->count; i++) {
        slot_clear(pool, &table->entries[i].slot);
        g_free(table->entries[i].name);
    }
    g_free(table->entries);
    *table = (ElementTable){0};
}
