/* Why it works: each key with a deadline of ours has one entry in a heap, at or before that
 * deadline.  An entry that comes up early is put back at the deadline then in force, so moving a
 * deadline later costs nothing; one that a shorter deadline replaced is known by its time and
 * dropped.  Ties are broken by the key's number. */
#include "models/data/store_private.h"

#include <string.h>

#include "models/data/store_write.h"
#include "sim/ensure.h"
#include "sim/pages.h"

#define BORN_BIT (UINT64_C(1) << 63)

void deadline_heap_clear(DeadlineHeap *heap)
{
    g_free(heap->items);
    *heap = (DeadlineHeap){0};
}

static bool deadline_before(Deadline a, Deadline b)
{
    return a.at_ms < b.at_ms || (a.at_ms == b.at_ms && a.key < b.key);
}

static void heap_sink(DeadlineHeap *heap, size_t at)
{
    Deadline item = heap->items[at];

    for (;;) {
        size_t child = at * 2 + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && deadline_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!deadline_before(heap->items[child], item))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = item;
}

static void heap_append(DeadlineHeap *heap, Deadline item)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity > 0 ? heap->capacity * 2 : 64;
        heap->items = g_renew(Deadline, heap->items, heap->capacity);
    }
    heap->items[heap->count++] = item;
}

static void heap_push(DeadlineHeap *heap, Deadline item)
{
    size_t at;

    heap_append(heap, item);
    for (at = heap->count - 1; at > 0 && deadline_before(item, heap->items[(at - 1) / 2]);
         at = (at - 1) / 2)
        heap->items[at] = heap->items[(at - 1) / 2];
    heap->items[at] = item;
}

static Deadline heap_pop(DeadlineHeap *heap)
{
    Deadline top = heap->items[0];

    heap->items[0] = heap->items[--heap->count];
    if (heap->count > 0)
        heap_sink(heap, 0);
    return top;
}

Slot state_start_expiry(const Store *store, const FamilyState *state, uint64_t kept)
{
    const Family *family = state->family;
    Slot slot = {0};
    int64_t life_ms;

    slot_touch(&slot);
    if (family->ttl_ns == 0 || !family_is_prefilled(family, kept))
        return slot;
    if (family->life_left_ms)
        life_ms = family->life_left_ms(family, kept);
    else
        life_ms =
            1 + (int64_t)rng_scale(rng_mix(family->salt + kept * UINT64_C(0xd1342543de82ef95)),
                                   (uint64_t)(family->ttl_ns / SIM_MS));
    slot.dot = DOT_GENESIS;
    slot.ts = store->config.start.ms + life_ms;
    return slot;
}

Slot *key_expiry(Store *store, const Key *key, bool create)
{
    FamilyState *state = key->state;
    Slot *slot;

    if (!state)
        return key->born ? &key->born->expiry : NULL;
    if (!state->expiry) {
        if (!create)
            return NULL;
        state->expiry =
            pages_alloc((size_t)state->kept_count * sizeof(Slot), &state->expiry_memory);
        state->queued_ms = g_new0(int64_t, state->kept_count);
    }
    slot = &state->expiry[key->kept];
    if (!slot_is_touched(slot))
        *slot = state_start_expiry(store, state, key->kept);
    return slot;
}

int64_t key_kept_deadline_ms(Store *store, const Key *key)
{
    const Slot *slot = key_expiry(store, key, false);

    return slot && slot->dot != 0 ? slot->ts : DEADLINE_NONE;
}

/* Deadlines from before the run belong to members by hash, so that each is some member's duty. */
static uint32_t genesis_owner(const Store *store, const Key *key)
{
    uint32_t member_count = store->config.member_count > 0 ? store->config.member_count : 1;
    uint64_t mixed;

    ensure(key->state); /* a key born during the run has none from before it */
    mixed = rng_mix(key->state->family->salt + key->kept * UINT64_C(0x9fb21c651e98df25) + 1);
    return 1 + (uint32_t)rng_scale(mixed, member_count);
}

bool key_is_deadline_owner(Store *store, const Key *key)
{
    const Slot *slot = key_expiry(store, key, false);

    if (!slot || slot->dot == 0 || slot->ts == DEADLINE_NONE)
        return false;
    if (dot_member(slot->dot) == 0)
        return genesis_owner(store, key) == store->config.member_id;
    return dot_member(slot->dot) == store->config.member_id;
}

static uint64_t deadline_key(const Key *key)
{
    if (key->state)
        return (uint64_t)key->state->family->index << 48 | key->kept;
    return BORN_BIT | key->born->hash;
}

static int64_t *queued_ms(const Key *key)
{
    return key->state ? &key->state->queued_ms[key->kept] : &key->born->queued_ms;
}

void expiry_changed(Store *store, const Key *key)
{
    int64_t at_ms;
    int64_t *queued;

    if (!key_is_deadline_owner(store, key))
        return;
    at_ms = key_deadline_ms(store, key);
    queued = queued_ms(key);
    if (*queued != 0 && *queued <= at_ms)
        return;
    *queued = at_ms;
    heap_push(&store->deadlines, (Deadline){at_ms, deadline_key(key)});
}

void expiry_start(Store *store)
{
    for (uint32_t i = 0; i < store->config.family_count; i++) {
        FamilyState *state = &store->families[i];
        Key key = {.state = state};

        if (!state->type || state->family->ttl_ns == 0)
            continue;
        key_expiry(store, &key, true);
        for (key.kept = 0; key.kept < state->kept_count; key.kept++) {
            Slot slot;

            if (!family_is_prefilled(state->family, key.kept) ||
                genesis_owner(store, &key) != store->config.member_id)
                continue;
            slot = state_start_expiry(store, state, key.kept);
            state->queued_ms[key.kept] = slot.ts;
            heap_append(&store->deadlines, (Deadline){slot.ts, deadline_key(&key)});
        }
    }
    for (size_t at = store->deadlines.count / 2; at-- > 0;)
        heap_sink(&store->deadlines, at);
}

bool store_next_expiry(const Store *store, WallTime *out_at)
{
    if (store->deadlines.count == 0)
        return false;
    out_at->ms = store->deadlines.items[0].at_ms;
    return true;
}

static void expire_key(Store *store, Key *key, WallTime now)
{
    *queued_ms(key) = 0;
    if (!key_is_deadline_owner(store, key) || !key_exists(store, key))
        return;
    if (key_is_expired(store, key, now))
        store_delete(store, key, now);
    else
        expiry_changed(store, key);
}

/* Entries of born keys name them by hash, all but its top bit: whoever is queued for that instant
 * is meant. */
static BornKey *born_queued_at(const Store *store, Deadline due)
{
    uint32_t mask = store->born.capacity - 1;

    if (store->born.capacity == 0)
        return NULL;
    for (uint32_t at = (uint32_t)due.key & mask; store->born.entries[at]; at = (at + 1) & mask) {
        BornKey *born = store->born.entries[at];

        if ((born->hash | BORN_BIT) == due.key && born->queued_ms == due.at_ms)
            return born;
    }
    return NULL;
}

void store_expire_due(Store *store, WallTime now)
{
    while (store->deadlines.count > 0 && store->deadlines.items[0].at_ms <= now.ms) {
        Deadline due = heap_pop(&store->deadlines);
        Key key = {0};

        if (due.key & BORN_BIT) {
            key.born = born_queued_at(store, due);
            if (!key.born)
                continue;
            key.name = stored_name(key.born->name);
            key.hash = key.born->hash;
        } else {
            key.state = &store->families[due.key >> 48];
            key.kept = due.key & ((UINT64_C(1) << 48) - 1);
            if (*queued_ms(&key) != due.at_ms)
                continue;
        }
        expire_key(store, &key, now);
    }
}
