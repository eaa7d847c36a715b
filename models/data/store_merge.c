/* Why it works: two stores are merged slot by slot by the rule of their type.  A slot one side
 * lacks is the same as an empty one: that side's clock tells whether it never saw what the other
 * holds or has seen it covered. The clock moves last, because the rules ask what each side knew on
 * its own. */
#include "models/data/store_private.h"

#include "sim/ensure.h"

typedef struct {
    Store *into;
    const Store *from;
    Causality joined;
} Merge;

static void merge_slot(Merge *merge, const Key *key, int type, PayloadText element, Slot *into,
                       const Slot *from)
{
    const BornKey *born = key->born;
    SlotMerge rule = {
        .into = &merge->into->world,
        .from = &merge->from->world,
        .joined = &merge->joined,
        .add_wins = crdt_types[type]->add_wins,
        .covers = born ? born->deletes : NULL,
        .cover_count = born ? born->delete_count : 0,
    };
    SlotBooks before;

    slot_books(merge->into, key, type, element, into, &before);
    crdt_types[type]->merge(&rule, into, from);
    slot_changed(merge->into, key, type, element, into, &before);
}

static void merge_deadline(Merge *merge, const Key *key, const Slot *from)
{
    const BornKey *born = key->born;
    SlotMerge rule = {
        .into = &merge->into->world,
        .from = &merge->from->world,
        .joined = &merge->joined,
        .covers = born ? born->deletes : NULL,
        .cover_count = born ? born->delete_count : 0,
    };

    bool had = live_has_deadline(merge->into, key);

    slot_merge(&rule, key_expiry(merge->into, key, true), from);
    live_deadline_changed(merge->into, key, had);
    expiry_changed(merge->into, key);
}

/* Either side may have nothing, which is something to learn: what it observed and does not hold was
 * removed there. */
static void merge_body(Merge *merge, const Key *key, int type, const BodyKeep *from)
{
    const BodyRule *rule = crdt_types[type]->body;
    BodyMerge both = {&merge->into->world.causality, &merge->from->world.causality, &merge->joined};
    const CrdtBody *theirs = from ? from->body : NULL;
    CrdtBody *nothing = theirs ? NULL : rule->create();
    BodyView before = body_view(merge->into, key, type);
    CrdtBody *into = key_body(merge->into, key, type, true);
    uint32_t self = merge->into->config.member_id;

    rule->merge(&both, into, theirs ? theirs : nothing);
    body_changed(merge->into, key, type, &before,
                 dot_make(self, merge->into->world.causality.clock.seq[self]));
    if (nothing)
        rule->destroy(nothing);
}

static void merge_family_bodies(Merge *merge, FamilyState *into, const FamilyState *from)
{
    Key key = {.state = into};

    for (key.kept = 0; key.kept < into->kept_count; key.kept++) {
        Key other = {.state = (FamilyState *)from, .kept = key.kept};

        if (!into->bodies[key.kept].body && !from->bodies[key.kept].body)
            continue;
        (void)key_body((Store *)merge->from, &other, into->family->type, true);
        merge_body(merge, &key, into->family->type, &from->bodies[key.kept]);
    }
}

static void merge_family(Merge *merge, uint32_t index)
{
    FamilyState *into = &merge->into->families[index];
    const FamilyState *from = &merge->from->families[index];
    Key key = {.state = into};

    ensure(into->kept_count == from->kept_count && into->fields == from->fields);
    if (into->bodies)
        merge_family_bodies(merge, into, from);
    for (key.kept = 0; into->type && key.kept < into->kept_count; key.kept++) {
        ElementRef ref = {0};

        order_drop(&key);
        for (; into->slots && ref.index < into->fields; ref.index++) {
            uint64_t at = key.kept * into->fields + ref.index;
            const Slot *slot = &from->slots[at];
            Slot start;

            if (!slot_is_touched(&into->slots[at]) && !slot_is_touched(slot))
                continue;
            start = state_start_slot(from, key.kept);
            merge_slot(merge, &key, into->family->type, ref.name,
                       key_slot(merge->into, &key, into->family->type, &ref, true),
                       slot_is_touched(slot) ? slot : &start);
        }
        if (into->expiry || from->expiry) {
            const Slot *slot = from->expiry ? &from->expiry[key.kept] : NULL;
            bool from_touched = slot && slot_is_touched(slot);
            Slot start = state_start_expiry(merge->from, from, key.kept);

            if (from_touched || (into->expiry && slot_is_touched(&into->expiry[key.kept])))
                merge_deadline(merge, &key, from_touched ? slot : &start);
        }
    }
}

/* The newest DEL per origin of both sides, as far as still ahead. */
static void merge_deletes(Merge *merge, BornKey *into, const BornKey *from)
{
    for (uint32_t i = 0; i < from->delete_count; i++) {
        uint32_t at = 0;

        while (at < into->delete_count &&
               dot_member(into->deletes[at]) != dot_member(from->deletes[i]))
            at++;
        if (at == into->delete_count)
            into->deletes[into->delete_count++] = from->deletes[i];
        else if (from->deletes[i] > into->deletes[at])
            into->deletes[at] = from->deletes[i];
    }
    (void)merge;
}

/* Each element once: a merge drops covers that lapse by it, so the same slot cannot be merged again
 * before the clock has moved. */
static void merge_born_elements(Merge *merge, Key *key, const BornKey *from, int type)
{
    const Slot none = {0};
    const ElementTable *theirs = &from->elements[type];
    Key other = {.born = (BornKey *)from};
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    while (key_next_slot(merge->into, key, type, &cursor, &ref, &slot)) {
        const Slot *their_slot = key_slot((Store *)merge->from, &other, type, &ref, false);

        merge_slot(merge, key, type, ref.name, slot, their_slot ? their_slot : &none);
    }
    for (uint32_t i = 0; i < theirs->count; i++) {
        ref = (ElementRef){.name = stored_name(theirs->entries[i].name),
                           .hash = theirs->entries[i].hash};
        if (!key_slot(merge->into, key, type, &ref, false))
            merge_slot(merge, key, type, ref.name, key_slot(merge->into, key, type, &ref, true),
                       &theirs->entries[i].slot);
    }
}

static void merge_born_key(Merge *merge, Key *key, const BornKey *from)
{
    merge_deletes(merge, key->born, from);
    order_drop(key);
    merge_slot(merge, key, CRDT_STRING, (PayloadText){0}, &key->born->string, &from->string);
    for (int type = 0; type < CRDT_TYPE_COUNT; type++)
        if (crdt_types[type]->has_elements)
            merge_born_elements(merge, key, from, type);
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        const BodyKeep *theirs = born_body(from, type);

        if (theirs || born_body(key->born, type))
            merge_body(merge, key, type, theirs);
    }
    merge_deadline(merge, key, &from->expiry);
}

static void merge_born(Merge *merge)
{
    const BornKey nothing = {0};
    Store *into = merge->into;

    for (uint32_t i = 0; i < into->born.capacity; i++) {
        Key key = {.born = into->born.entries[i]};
        Key other;

        if (!key.born)
            continue;
        key.name = stored_name(key.born->name);
        key.hash = key.born->hash;
        other = key_of_name((Store *)merge->from, key.name, key.hash);
        merge_born_key(merge, &key, other.born ? other.born : &nothing);
    }
    for (uint32_t i = 0; i < merge->from->born.capacity; i++) {
        const BornKey *from = merge->from->born.entries[i];
        Key key;

        if (!from)
            continue;
        key = key_of_name(into, stored_name(from->name), from->hash);
        if (key.born)
            continue;
        key_create(into, &key);
        ensure(key.born);
        merge_born_key(merge, &key, from);
    }
}

void store_merge(Store *into, const Store *from, WallTime now)
{
    Merge merge = {.into = into, .from = from};

    (void)now;
    ensure(into->config.family_count == from->config.family_count);
    watches_tell(into, NULL);
    if (into->waiters)
        waiters_tell(into, NULL);
    causality_init(&merge.joined);
    causality_join(&merge.joined, &into->world.causality, &from->world.causality);
    for (uint32_t i = 0; i < into->config.family_count; i++)
        merge_family(&merge, i);
    merge_born(&merge);
    causality_clear(&into->world.causality);
    into->world.causality = merge.joined;
}

/* One slot's part: nothing for slots without live effects, so that covered and never written agree.
 */
static uint64_t slot_part(const Store *store, int type, const Slot *slot, uint64_t place)
{
    Digest digest = digest_begin();

    if (!slot_is_present(&store->world.pool, slot))
        return 0;
    digest_u64(&digest, place);
    crdt_types[type]->digest(&store->world, slot, &digest);
    return digest.value;
}

/* A key that nobody touched is what the family says: it is made to be looked at. */
static uint64_t body_part(const Store *store, const Key *key, int type)
{
    const CrdtBody *body = key_body((Store *)store, key, type, false);
    Digest digest = digest_begin();

    if (!body || !crdt_types[type]->body->is_present(body))
        return 0;
    digest_u64(&digest, (uint64_t)type);
    crdt_types[type]->body->digest(body, &digest);
    return digest.value;
}

static void family_digest(const Store *store, const FamilyState *state, Digest *digest)
{
    for (uint64_t kept = 0; state->type && kept < state->kept_count; kept++) {
        uint64_t sum = 0;
        Slot start = state_start_slot(state, kept);
        Slot start_expiry = state_start_expiry(store, state, kept);
        const Slot *expiry = state->expiry ? &state->expiry[kept] : NULL;

        if (state->bodies)
            sum += body_part(store, &(Key){.state = (FamilyState *)state, .kept = kept},
                             state->family->type);
        for (uint32_t element = 0; state->slots && element < state->fields; element++) {
            const Slot *slot = &state->slots[kept * state->fields + element];

            sum += slot_part(store, state->family->type, slot_is_touched(slot) ? slot : &start,
                             element);
        }
        sum += slot_part(store, CRDT_STRING,
                         expiry && slot_is_touched(expiry) ? expiry : &start_expiry, UINT32_MAX);
        digest_u64(digest, sum);
    }
}

static uint64_t name_part(PayloadText name, uint64_t salt)
{
    Digest digest = digest_begin();

    digest_u64(&digest, salt);
    digest_bytes(&digest, name.data, name.bytes);
    return digest.value;
}

static uint64_t born_part(const Store *store, const BornKey *born)
{
    uint64_t sum = slot_part(store, CRDT_STRING, &born->string, 0);
    Digest digest = digest_begin();

    sum += slot_part(store, CRDT_STRING, &born->expiry, UINT32_MAX);
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        const ElementTable *table = &born->elements[type];

        if (crdt_types[type]->body)
            sum += body_part(store, &(Key){.born = (BornKey *)born}, type);
        for (uint32_t i = 0; i < table->count; i++)
            sum += slot_part(store, type, &table->entries[i].slot,
                             name_part(stored_name(table->entries[i].name), (uint64_t)type));
    }
    if (sum == 0)
        return 0;
    digest_u64(&digest, name_part(stored_name(born->name), 0));
    digest_u64(&digest, sum);
    return digest.value;
}

/* Parts of one key, and born keys, are added up: a sum does not depend on the order of the tables.
 */
void store_digest(const Store *store, Digest *digest)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < store->config.family_count; i++)
        family_digest(store, &store->families[i], digest);
    for (uint32_t i = 0; i < store->born.capacity; i++)
        if (store->born.entries[i])
            sum += born_part(store, store->born.entries[i]);
    digest_u64(digest, sum);
}
