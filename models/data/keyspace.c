/* Why it works: a declared key is an index into arrays, so finding it is arithmetic and one cache
 * miss.  A slot of all zero bytes nobody touched stands for the starting value, which the family
 * tells from the key's index; it is written out when first needed, so a start costs no time per
 * key.  Born keys are found by name in a table of pointers (they stay put), their elements in
 * tables of their own (element_table.c: they move). */
#include "models/data/store_private.h"

#include <string.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

#define PREFETCH_AHEAD 8 /* elements, so that a walk does not wait for each name */

uint64_t name_hash(const char *name, uint32_t bytes)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ bytes;

    for (uint32_t i = 0; i < bytes; i++)
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    return rng_mix(hash);
}

PayloadText stored_name(const char *name)
{
    PayloadText text = {.data = name + sizeof(uint32_t)};

    memcpy(&text.bytes, name, sizeof(uint32_t));
    return text;
}

char *name_store(PayloadText name)
{
    char *stored = g_malloc(sizeof(uint32_t) + name.bytes);

    memcpy(stored, &name.bytes, sizeof(uint32_t));
    if (name.bytes > 0)
        memcpy(stored + sizeof(uint32_t), name.data, name.bytes);
    return stored;
}

bool stored_name_equal(const char *stored, PayloadText name)
{
    return payload_text_is_equal(stored_name(stored), name);
}

bool key_of_id(Store *store, uint64_t id, Key *out)
{
    for (uint32_t i = 0; i < store->config.family_count; i++) {
        FamilyState *state = &store->families[i];

        if (id - state->base < state->kept_count) {
            *out = (Key){.state = state, .kept = id - state->base};
            return true;
        }
    }
    return false;
}

static uint32_t born_find(const BornTable *table, PayloadText name, uint64_t hash)
{
    uint32_t mask = table->capacity - 1;
    uint32_t at = (uint32_t)hash & mask;

    while (table->entries[at] &&
           !(table->entries[at]->hash == hash && stored_name_equal(table->entries[at]->name, name)))
        at = (at + 1) & mask;
    return at;
}

Key key_of_name(Store *store, PayloadText name, uint64_t hash)
{
    Key key = {.name = name, .hash = hash};

    if (store->born.capacity > 0)
        key.born = store->born.entries[born_find(&store->born, name, hash)];
    return key;
}

static void born_grow(BornTable *table)
{
    BornTable larger = {.capacity = table->capacity > 0 ? table->capacity * 2 : 64,
                        .count = table->count};

    larger.entries = g_new0(BornKey *, larger.capacity);
    for (uint32_t i = 0; i < table->capacity; i++) {
        uint32_t at;

        if (!table->entries[i])
            continue;
        at = (uint32_t)table->entries[i]->hash & (larger.capacity - 1);
        while (larger.entries[at])
            at = (at + 1) & (larger.capacity - 1);
        larger.entries[at] = table->entries[i];
    }
    g_free(table->entries);
    *table = larger;
}

void key_create(Store *store, Key *key)
{
    BornTable *table = &store->born;

    if (key->state || key->born)
        return;
    if ((table->count + 1) * 4 > table->capacity * 3)
        born_grow(table);
    key->born = g_new0(BornKey, 1);
    key->born->hash = key->hash;
    key->born->name = name_store(key->name);
    table->entries[born_find(table, key->name, key->hash)] = key->born;
    table->count++;
}

void born_free(SlotPool *pool, BornKey *born)
{
    order_drop(&(Key){.born = born});
    slot_clear(pool, &born->string);
    slot_clear(pool, &born->expiry);
    for (int type = 0; type < CRDT_TYPE_COUNT; type++)
        element_table_clear(&born->elements[type], pool);
    born_bodies_free(born);
    live_born_free(born);
    g_free(born->name);
    g_free(born);
}

void key_drop_if_empty(Store *store, Key *key)
{
    BornTable *table = &store->born;
    BornKey *born = key->born;
    uint32_t mask = table->capacity - 1;
    uint32_t hole;

    if (!born || !slot_is_empty(&store->world, &born->string) ||
        !slot_is_empty(&store->world, &born->expiry) || !bodies_are_empty(store, born))
        return;
    for (int type = 0; type < CRDT_TYPE_COUNT; type++)
        if (born->elements[type].count > 0)
            return;
    for (uint32_t i = 0; i < born->delete_count; i++)
        if (causality_is_ahead(&store->world.causality, born->deletes[i]))
            return;
    hole = born_find(table, stored_name(born->name), born->hash);
    ensure(table->entries[hole] == born);
    for (uint32_t at = (hole + 1) & mask; table->entries[at]; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)table->entries[at]->hash & mask;

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->entries[hole] = table->entries[at];
            hole = at;
        }
    }
    table->entries[hole] = NULL;
    table->count--;
    born_free(&store->world.pool, born);
    key->born = NULL;
}

static void drop_if_empty_at(Store *store, const Key *key, int type, uint32_t place)
{
    ElementTable *table = &key->born->elements[type];

    if (!slot_is_empty(&store->world, &table->entries[place].slot))
        return;
    if (key_order(key, type) && place != table->count - 1)
        order_move(store, key, table->count - 1, place);
    element_remove(table, place);
}

void key_drop_element_if_empty(Store *store, const Key *key, int type, const ElementRef *element)
{
    const ElementTable *table = key->born ? &key->born->elements[type] : NULL;
    const Element *found = table ? element_find(table, element) : NULL;

    if (found)
        drop_if_empty_at(store, key, type, (uint32_t)(found - table->entries));
}

/* From the last down: what takes an empty one's place has been looked at. */
void key_drop_empty_elements(Store *store, const Key *key, int type)
{
    for (uint32_t place = key->born->elements[type].count; place-- > 0;)
        drop_if_empty_at(store, key, type, place);
}

Slot *key_slot(Store *store, const Key *key, int type, const ElementRef *element, bool create)
{
    Element *found;
    Slot *slot;

    (void)store;
    if (key->state) {
        uint64_t index = key->kept * key->state->fields;

        if (key->state->type->has_elements)
            index += element->index;
        slot = &key->state->slots[index];
        if (!slot_is_touched(slot))
            *slot = state_start_slot(key->state, key->kept);
        return slot;
    }
    if (!key->born)
        return NULL;
    if (!crdt_types[type]->has_elements)
        return &key->born->string;
    found = element_find(&key->born->elements[type], element);
    if (!found && create)
        found = element_add(&key->born->elements[type], element);
    return found ? &found->slot : NULL;
}

uint32_t state_live(const FamilyState *state, uint64_t kept)
{
    if (state->live[kept] != 0)
        return state->live[kept] - 1;
    return family_is_prefilled(state->family, kept) ? state->fields : 0;
}

void state_add_live(FamilyState *state, uint64_t kept, int change)
{
    state->live[kept] = (uint32_t)((int64_t)state_live(state, kept) + change) + 1;
}

uint32_t key_live(const Store *store, const Key *key, int type)
{
    const Slot *slot;

    if (!key->state)
        return key->born ? key->born->live[type] : 0;
    if (key->state->bodies)
        return body_is_present(store, key, key->state->family->type);
    if (key->state->type->has_elements)
        return state_live(key->state, key->kept);
    slot = &key->state->slots[key->kept];
    if (!slot_is_touched(slot))
        return family_is_prefilled(key->state->family, key->kept);
    return slot_is_present(&store->world.pool, slot);
}

bool key_exists(const Store *store, const Key *key)
{
    if (key->state)
        return key_live(store, key, 0) > 0;
    for (int type = 0; type < CRDT_TYPE_COUNT; type++)
        if (key_live(store, key, type) > 0)
            return true;
    return false;
}

/* Smallest member, then seq, among the live effects of one type's sub-state. */
static uint64_t born_oldest_rank(Store *store, const Key *key, int type)
{
    uint64_t oldest = UINT64_MAX;
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    if (crdt_types[type]->body)
        return crdt_types[type]->body->oldest_rank(key_body(store, key, type, true));
    while (key_next_slot(store, key, type, &cursor, &ref, &slot)) {
        uint64_t rank = slot_oldest_rank(&store->world.pool, slot);

        oldest = rank < oldest ? rank : oldest;
    }
    return oldest;
}

int key_type(const Store *store, const Key *key)
{
    int shown = -1;
    int live_count = 0;

    if (key->state)
        return key_exists(store, key) ? key->state->family->type : -1;
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        if (key_live(store, key, type) == 0)
            continue;
        shown = type;
        live_count++;
    }
    if (live_count > 1) {
        uint64_t best = UINT64_MAX;

        for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
            uint64_t rank = key_live(store, key, type) ? born_oldest_rank((Store *)store, key, type)
                                                       : UINT64_MAX;

            shown = rank < best ? type : shown;
            best = rank < best ? rank : best;
        }
    }
    return shown;
}

bool key_next_slot(Store *store, const Key *key, int type, uint32_t *cursor, ElementRef *out,
                   Slot **out_slot)
{
    const ElementTable *table;

    *out = (ElementRef){0};
    if (crdt_types[type]->body)
        return false;
    if (key->state || !crdt_types[type]->has_elements) {
        out->index = *cursor;
        if ((!key->state && !key->born) || (*cursor)++ >= (key->state ? key->state->fields : 1))
            return false;
        *out_slot = key_slot(store, key, type, out, false);
        return true;
    }
    if (!key->born)
        return false;
    table = &key->born->elements[type];
    if (*cursor >= table->count)
        return false;
    if (table->count - *cursor > PREFETCH_AHEAD)
        prefetch(table->entries[*cursor + PREFETCH_AHEAD].name);
    out->name = stored_name(table->entries[*cursor].name);
    out->hash = table->entries[*cursor].hash;
    *out_slot = &table->entries[*cursor].slot;
    (*cursor)++;
    return true;
}
