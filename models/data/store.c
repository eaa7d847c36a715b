/* Why it works: a member's state is its slots and its causality; every change goes through
 * change_apply in the order of the effects' arrival, and the clock moves right after.  All else
 * here is set-up and reading. */
#include "models/data/store.h"

#include <string.h>

#include "models/data/command_run.h"
#include "models/data/waiter.h"
#include "models/data/zset_index.h"
#include "sim/ensure.h"
#include "sim/pages.h"
#include "sim/prefetch.h"

/* What keys of this size have of their own.  Elements of a slot each are of equal size; a body
 * shares out what the division leaves over. */
static void count_start_size(Store *store, FamilyState *state, const BodyStart *start,
                             uint32_t bytes, int64_t weight)
{
    StoreLedger *ledger = &state->ledger;

    if (state->type->body) {
        BodySummary summary = start->summary;

        summary.value_bytes += start->is_sized ? bytes : 0;
        ledger->value_bytes += weight * summary.value_bytes;
        ledger->frame_bytes += weight * live_body(store, state->family->type, &summary);
        return;
    }
    if (state->fields > 1)
        bytes = bytes / state->fields * state->fields;
    ledger->value_bytes += weight * bytes;
    if (state->text_frames)
        ledger->frame_bytes += weight * live_register(state, bytes);
}

static bool has_one_size(const Family *family)
{
    return family->value_bytes && dist_min(family->value_bytes) == dist_max(family->value_bytes);
}

/* The books of what exists at the start. */
static void state_count_start(Store *store, FamilyState *state)
{
    const Family *family = state->family;
    StoreLedger *ledger = &state->ledger;
    bool constant = has_one_size(family);
    int64_t alike = 0; /* keys of one size, weighted */
    BodyStart start = {.summary = {.element_count = state->fields, .header_count = state->fields},
                       .is_sized = true};

    if (state->type->body)
        body_start(state, &start);
    for (uint64_t kept = 0; kept < family->kept_count; kept++) {
        int64_t weight;

        if (!family_is_prefilled(family, kept))
            continue;
        weight = family_weight(family, kept);
        ledger->key_count += weight;
        if (constant)
            alike += weight;
        else
            count_start_size(store, state, &start, family_value_bytes(family, kept), weight);
    }
    if (alike > 0)
        count_start_size(store, state, &start, (uint32_t)dist_min(family->value_bytes), alike);
    ledger->deadline_count = family->ttl_ns > 0 ? ledger->key_count : 0;
    ledger->element_count = ledger->key_count * start.summary.element_count;
    ledger->header_count = ledger->key_count * start.summary.header_count;
    ledger->frame_bytes += ledger->key_count * live_start_key(state);
}

/* What a slot holds that is there from the start. */
static void start_init(FamilyState *state)
{
    const Family *family = state->family;
    Slot *start = &state->start;

    start->dot = DOT_GENESIS;
    start->ts = INT64_MIN;
    slot_touch(start);
    slot_set_kind(start, state->type->start_kind);
    state->start_varies = !has_one_size(family);
    if (!state->start_varies)
        start->bytes = family_value_bytes(family, 0) / state->fields;
}

static void state_init(Store *store, FamilyState *state, const Family *family)
{
    size_t slot_count;

    state->family = family;
    if (family->type < 0)
        return;
    state->base = family->base;
    state->kept_count = family->kept_count;
    state->type = crdt_types[family->type];
    state->fields = 1;
    if ((state->type->has_elements || state->type->body) && family->field_count > 0)
        state->fields = family->field_count;
    live_init(state);
    state_count_start(store, state);
    if (state->type->body) {
        state->bodies = g_new0(BodyKeep, family->kept_count);
        store->has_bodies = true;
        return;
    }
    start_init(state);
    slot_count = (size_t)family->kept_count * state->fields;
    state->slots = pages_alloc(slot_count * sizeof(Slot), &state->slot_memory);
    state->is_register = !state->type->has_elements && family->retention != RETENTION_KEY;
    if (state->type->has_elements)
        state->live = g_new0(uint32_t, family->kept_count);
}

Store *store_new(const StoreConfig *config)
{
    Store *store = g_new0(Store, 1);

    ensure(config->member_id >= 1 && config->member_id <= MEMBER_MAX);
    store->config = *config;
    slot_pool_init(&store->world.pool);
    causality_init(&store->world.causality);
    store->world.wrong_arrival_order = config->wrong_arrival_order;
    store->pubsub = pubsub_new();
    store->families = g_new0(FamilyState, config->family_count);
    for (uint32_t i = 0; i < config->family_count; i++) {
        ensure(config->families[i]->index == i);
        state_init(store, &store->families[i], config->families[i]);
    }
    expiry_start(store);
    return store;
}

static void state_free(SlotPool *pool, FamilyState *state)
{
    size_t slot_count = state->slots ? (size_t)state->kept_count * state->fields : 0;

    for (size_t k = 0; k < slot_count; k++)
        if (slot_is_touched(&state->slots[k]))
            slot_clear(pool, &state->slots[k]);
    for (uint64_t k = 0; state->bodies && k < state->kept_count; k++)
        if (state->bodies[k].body)
            state->type->body->destroy(state->bodies[k].body);
    for (uint64_t k = 0; state->orders && k < state->kept_count; k++)
        zset_index_free(state->orders[k]);
    g_free(state->orders);
    g_free(state->bodies);
    g_free(state->slot_memory);
    g_free(state->expiry_memory);
    g_free(state->queued_ms);
    g_free(state->live);
    g_free(state->text_frames);
    g_free(state->frames);
}

void store_free(Store *store)
{
    if (!store)
        return;
    for (uint32_t i = 0; i < store->config.family_count; i++)
        state_free(&store->world.pool, &store->families[i]);
    for (uint32_t i = 0; i < store->born.capacity; i++)
        if (store->born.entries[i])
            born_free(&store->world.pool, store->born.entries[i]);
    g_free(store->born.entries);
    g_free(store->sketches);
    g_free(store->families);
    slot_pool_clear(&store->world.pool);
    causality_clear(&store->world.causality);
    deadline_heap_clear(&store->deadlines);
    collect_clear(&store->collect);
    collect_clear(&store->drop);
    waiters_free(store);
    if (store->watches)
        g_ptr_array_unref(store->watches);
    pubsub_free(store->pubsub);
    payload_clear(&store->payload);
    g_free(store);
}

void store_execute(Store *store, const Command *command, WallTime now, Arena *arena, Reply *out)
{
    store_execute_or_wait(store, command, now, arena, out, NULL);
}

/* What its origin's PUBLISH did there. */
static void apply_message(Store *store, const Effect *effect, bool ahead)
{
    Payload payload = payload_read(effect->payload, effect->payload_bytes);
    PubsubKind kind = effect->element == 1 ? PUBSUB_SHARD_CHANNEL : PUBSUB_CHANNEL;
    PayloadText text = {payload.value.data, effect->value.bytes};

    pubsub_deliver(store->pubsub, kind, payload.key, text);
    message_pass(store);
    causality_receive(&store->world.causality, effect->dot, &effect->ctx, ahead);
}

static void apply_anything(Store *store, const Effect *effect, bool ahead)
{
    Causality *causality = &store->world.causality;
    Change change = {.effect = effect, .ahead = ahead};

    if (effect->payload_bytes > 0)
        change.payload = payload_read(effect->payload, effect->payload_bytes);
    if (effect->family == FAMILY_NONE) {
        change.key = key_of_name(store, change.payload.key, effect->key);
    } else {
        change.key.state = &store->families[effect->family];
        change.key.kept = effect->key - change.key.state->base;
        ensure(change.key.kept < change.key.state->kept_count);
    }
    change_apply(store, &change);
    causality_receive(causality, effect->dot, &effect->ctx, change.ahead);
    change_tidy(store, &change);
}

bool store_apply(Store *store, const Effect *effect, WallTime now)
{
    Causality *causality = &store->world.causality;
    bool ahead = causality_is_ctx_ahead(causality, &effect->ctx);
    FamilyState *state;

    (void)now; /* what is visible at an instant is decided by readers */
    if (!causality_is_next(causality, effect->dot))
        return false;
    if (effect->family == FAMILY_NONE) {
        if (effect->op == EFFECT_PUBLISH)
            apply_message(store, effect, ahead);
        else
            apply_anything(store, effect, ahead);
        return true;
    }
    state = &store->families[effect->family];
    if (!change_is_register(state, effect)) {
        apply_anything(store, effect, ahead);
        return true;
    }
    ensure(effect->key - state->base < state->kept_count);
    change_register(store, state, effect, ahead);
    causality_receive(causality, effect->dot, &effect->ctx, ahead);
    return true;
}

bool store_pass_message(Store *store, const Effect *effect)
{
    Causality *causality = &store->world.causality;

    if (!causality_is_next(causality, effect->dot))
        return false;
    message_pass(store);
    causality_receive(causality, effect->dot, &effect->ctx,
                      causality_is_ctx_ahead(causality, &effect->ctx));
    return true;
}

Pubsub *store_pubsub(Store *store)
{
    return store->pubsub;
}

void store_prefetch(const Store *store, uint16_t family, uint64_t key)
{
    const FamilyState *state = &store->families[family];
    uint64_t kept = key - state->base;
    const Slot *slots;

    if (kept >= state->kept_count)
        return;
    if (!state->slots) {
        body_prefetch_place(state, kept);
        return;
    }
    slots = &state->slots[kept * state->fields];
    prefetch(slots);
    if (state->live) {
        prefetch((const char *)(slots + state->fields) - 1);
        prefetch(&state->live[kept]);
    }
    if (state->expiry)
        prefetch(&state->expiry[kept]);
}

void store_prefetch_chain(const Store *store, uint16_t family, uint64_t key, uint32_t element)
{
    const FamilyState *state = &store->families[family];
    uint64_t kept = key - state->base;
    const Slot *slot;

    if (kept >= state->kept_count || element >= state->fields)
        return;
    if (!state->slots) {
        body_prefetch(state, kept);
        return;
    }
    slot = &state->slots[kept * state->fields + element];
    if (store->world.pool.nodes)
        prefetch(&store->world.pool.nodes[slot_chain(slot)]); /* 0 too: a guess costs more */
}

bool store_has_bodies(const Store *store)
{
    return store->has_bodies;
}

void store_prefetch_body(const Store *store, uint16_t family, uint64_t key)
{
    const FamilyState *state = &store->families[family];
    uint64_t kept = key - state->base;

    if (kept < state->kept_count)
        body_prefetch(state, kept);
}

void store_prefetch_inside(const Store *store, uint16_t family, uint64_t key)
{
    const FamilyState *state = &store->families[family];
    uint64_t kept = key - state->base;

    if (kept < state->kept_count)
        body_prefetch_inside(state, kept);
}

const Clock *store_clock(const Store *store)
{
    return &store->world.causality.clock;
}

const StoreLedger *store_ledger(const Store *store, uint32_t family_index)
{
    ensure(family_index <= store->config.family_count);
    return family_index == store->config.family_count ? &store->born_ledger
                                                      : &store->families[family_index].ledger;
}

uint64_t store_superseded_seq(const Store *store)
{
    return store->superseded_seq;
}

bool store_last_was_remove(const Store *store)
{
    return store->last_was_remove;
}
