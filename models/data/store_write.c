/* Why it works: a local write is an effect whose observed clock is everything this member knows;
 * applying it here by the rule all others use means there is no second implementation that could
 * disagree.  The effect carries what its receivers cannot know: names, real bytes, and the counters
 * it covers as seen here. */
#include "models/data/store_write.h"

static void put_cover(Store *store, int type, const ElementRef *ref, const Slot *slot)
{
    uint32_t cursor = 0;
    IncrementCover counter;

    while (slot_next_counter(&store->world.pool, slot, &cursor, &counter)) {
        PayloadCover cover = {
            .sum = counter.sum,
            .element = ref->name,
            .element_index = ref->index,
            .type = (uint8_t)type,
            .origin = (uint8_t)counter.origin,
        };
        payload_put_cover(&store->payload, &cover);
    }
}

static void put_key_covers(Store *store, const Key *key)
{
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        uint32_t cursor = 0;
        ElementRef ref;
        Slot *slot;

        if (key->state ? type != key->state->family->type : type == CRDT_COUNTER)
            continue;
        while (key_next_slot(store, key, type, &cursor, &ref, &slot))
            if (slot_chain(slot) != 0)
                put_cover(store, type, &ref, slot);
    }
}

static void put_element_covers(Store *store, const Key *key, const LocalWrite *write)
{
    uint32_t count = write->element_count > 1 ? write->element_count : 1;
    ElementRef ref = write->element;

    if (store->world.pool.counter_count == 0)
        return;
    for (uint32_t i = 0; i < count; i++, ref.index++) {
        const Slot *slot = key_slot(store, key, write->type, &ref, false);

        if (slot && slot_chain(slot) != 0)
            put_cover(store, write->type, &ref, slot);
    }
}

static void put_payload(Store *store, const Key *key, const LocalWrite *write)
{
    bool whole_key = write->op == EFFECT_DELETE || write->op == EFFECT_EXPIRE;

    payload_begin(&store->payload);
    if (!key->state) {
        payload_put_key(&store->payload, key->name);
        if (!whole_key && crdt_types[write->type]->has_elements)
            payload_put_element(&store->payload, write->element.name);
    }
    if (write->value.kind == VALUE_BYTES)
        payload_put_value(&store->payload, (PayloadText){write->value.data, write->value.bytes});
    if (write->op == EFFECT_EDIT)
        payload_put_edit(&store->payload, write->edit);
    if (write->op == EFFECT_DELETE)
        put_key_covers(store, key);
    else if (write->op == EFFECT_ASSIGN || write->op == EFFECT_REMOVE)
        put_element_covers(store, key, write);
}

/* What the member does to its own state: what every receiver will do. */
static void effect_apply_here(Store *store, Key *key, Effect *effect)
{
    uint64_t *seq = &store->world.causality.clock.seq[store->config.member_id];
    Change change = {.effect = effect, .key = *key};

    if (effect->payload_bytes > 0) {
        change.payload = payload_read(effect->payload, effect->payload_bytes);
        effect->value.data = change.payload.value.data;
    }
    change_apply(store, &change);
    ++*seq;
    change_tidy(store, &change);
    key->born = change.key.born;
}

/* Field by field: what was just written in small pieces is slow to read in large ones, and a whole
 * struct would be made elsewhere first. */
static inline void effect_fill(Effect *out, const Store *store, const Key *key,
                               const LocalWrite *write)
{
    const Clock *clock = &store->world.causality.clock;
    uint32_t self = store->config.member_id;

    out->dot = dot_make(self, clock->seq[self] + 1);
    out->ts = write->now;
    out->ctx = *clock;
    out->key = key->state ? key->state->base + key->kept : key->hash;
    out->element = write->element.index;
    out->element_count = write->element_count > 1 ? write->element_count : 1;
    out->value.number = write->value.number;
    out->value.data = write->value.data;
    out->value.bytes = write->value.bytes;
    out->value.kind = write->value.kind;
    out->amount = write->deadline_ms;
    out->family = key->state ? key->state->family->index : FAMILY_NONE;
    out->op = (uint8_t)write->op;
    out->type = (uint8_t)write->type;
    out->payload = NULL;
    out->payload_bytes = 0;
    if (write->op == EFFECT_INCREMENT) {
        out->amount = (int64_t)(write->amount / DECIMAL_ONE);
        out->value.number = (uint64_t)(int64_t)(write->amount % DECIMAL_ONE);
        out->value.kind = VALUE_INTEGER;
    }
}

static void write_effect(Store *store, Key *key, const LocalWrite *write)
{
    const EffectSink *sink = &store->config.sink;
    Effect effect;

    effect_fill(&effect, store, key, write);
    put_payload(store, key, write);
    if (store->payload.bytes > 0) {
        effect.payload = store->payload.data;
        effect.payload_bytes = store->payload.bytes;
    }
    /* As change_is_register says; but reading what was written just now would wait for it. */
    if (key->state && key->state->is_register && write->op == EFFECT_ASSIGN &&
        write->deadline_ms == 0 && store->payload.bytes == 0) {
        change_register(store, key->state, &effect, false);
        store->world.causality.clock.seq[store->config.member_id]++;
    } else {
        effect_apply_here(store, key, &effect);
    }
    if (sink->emit)
        sink->emit(sink->actor, &effect);
}

uint32_t store_publish(Store *store, const Publication *publication)
{
    const EffectSink *sink = &store->config.sink;
    PayloadText channel = publication->channel;
    PayloadText text = publication->text;
    Key key = {.name = channel, .hash = name_hash(channel.data, channel.bytes)};
    LocalWrite write = {
        .op = EFFECT_PUBLISH,
        .element.index = publication->kind == PUBSUB_SHARD_CHANNEL,
        .value = {.kind = text.data ? VALUE_BYTES : VALUE_SYNTHETIC, .bytes = text.bytes},
        .now = publication->now,
    };
    Effect effect;
    uint32_t taken = pubsub_deliver(store->pubsub, publication->kind, channel, text);

    effect_fill(&effect, store, &key, &write);
    payload_begin(&store->payload);
    payload_put_key(&store->payload, channel);
    if (text.data)
        payload_put_value(&store->payload, text);
    effect.payload = store->payload.data;
    effect.payload_bytes = store->payload.bytes;
    message_pass(store);
    store->world.causality.clock.seq[store->config.member_id]++;
    if (sink->emit)
        sink->emit(sink->actor, &effect);
    return taken;
}

int64_t store_family_deadline_ms(const Store *store, const Key *key, WallTime now)
{
    const Family *family = key->state->family;
    int64_t ttl_ns = family->ttl_ns;

    if (family->ttl) {
        uint64_t seq = store->world.causality.clock.seq[store->config.member_id];

        ttl_ns = dist_sample(family->ttl, rng_mix(family->salt ^ rng_mix(key->kept + (seq << 20))));
    }
    return now.ms + (ttl_ns + SIM_MS - 1) / SIM_MS;
}

/* The deadline a write that creates its key sets: the family's, or none where an old one was left
 * behind. */
static int64_t creation_deadline_ms(Store *store, const Key *key, WallTime now)
{
    if (key->state && key->state->family->ttl_ns != 0)
        return store_family_deadline_ms(store, key, now);
    return key_deadline_ms(store, key) == DEADLINE_NONE ? 0 : DEADLINE_NONE;
}

void store_write(Store *store, Key *key, const LocalWrite *write)
{
    LocalWrite whole;
    bool endless = key->state && key->state->family->ttl_ns == 0 && !key->state->expiry;
    bool adds = write->op == EFFECT_ASSIGN || write->op == EFFECT_ADD ||
                write->op == EFFECT_INCREMENT || write->op == EFFECT_EDIT;

    if (!adds || endless || write->deadline_ms != 0 || key_exists(store, key)) {
        write_effect(store, key, write);
        return;
    }
    whole = *write;
    whole.deadline_ms = creation_deadline_ms(store, key, write->now);
    if (whole.op != EFFECT_INCREMENT || whole.deadline_ms == 0) {
        write_effect(store, key, &whole);
        return;
    }
    write_effect(store, key, write);
    whole = (LocalWrite){.op = EFFECT_EXPIRE,
                         .type = write->type,
                         .deadline_ms = whole.deadline_ms,
                         .now = write->now};
    write_effect(store, key, &whole);
}

/* Of a key that is several types at once, those behind the shown one (crdt-semantics.md 2, type
 * conflict): a DEL covers them all. */
static uint64_t hidden_types(const Store *store, const Key *key, int shown)
{
    uint64_t types = 0;

    for (int type = 0; !key->state && type < CRDT_TYPE_COUNT; type++)
        if (type != shown && key_live(store, key, type) > 0)
            types |= UINT64_C(1) << type;
    return types;
}

void store_delete(Store *store, Key *key, WallTime now)
{
    int type = key_type(store, key);

    if (type >= 0)
        write_effect(store, key,
                     &(LocalWrite){.op = EFFECT_DELETE,
                                   .type = type,
                                   .value.number = hidden_types(store, key, type),
                                   .now = now});
}
