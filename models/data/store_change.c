/* Why it works: a change is a function of the effect alone.  Each slot it touches is measured
 * before and after, and the difference goes to the books; so they cannot drift from what the slots
 * hold, whoever wrote. */
#include "models/data/store_private.h"

#include "sim/ensure.h"

static int64_t register_frame(const FamilyState *state, SlotSummary summary)
{
    return summary.present ? live_register(state, summary.value_bytes) : 0;
}

static void elements_changed(Store *store, const Key *key, int type, int presence)
{
    bool existed = presence < 0 || key_exists(store, key);

    if (key->state) {
        state_add_live(key->state, key->kept, presence);
        live_elements_changed(key->state, key->kept, presence);
    } else {
        key->born->live[type] = (uint32_t)((int64_t)key->born->live[type] + presence);
    }
    if (!existed || !key_exists(store, key))
        live_key_changed(store, key, presence);
}

static void ledger_slot_changed(Store *store, const Key *key, int type, SlotSummary before,
                                SlotSummary after)
{
    StoreLedger *ledger = key->state ? &key->state->ledger : &store->born_ledger;
    int presence = (int)after.present - (int)before.present;
    int64_t siblings = (int64_t)after.sibling_count - (int64_t)before.sibling_count;
    bool alike = presence == 0 && siblings == 0 && before.held == after.held;
    bool is_register;
    int64_t weight;

    if (alike && before.value_bytes == after.value_bytes)
        return;
    is_register = key->state && key->state->text_frames;
    weight = key_weight(key);
    ledger->value_bytes += weight * ((int64_t)after.value_bytes - (int64_t)before.value_bytes);
    if (is_register)
        ledger->frame_bytes +=
            weight * (register_frame(key->state, after) - register_frame(key->state, before));
    if (alike)
        return; /* a value in place of another */
    ledger->header_count += weight * ((int64_t)after.held - (int64_t)before.held);
    if (crdt_types[type]->add_wins) /* an element has one name: further adds are dots, not copies */
        ledger->header_count += weight * siblings;
    else
        ledger->sibling_count += weight * siblings;
    if (presence == 0)
        return;
    ledger->element_count += weight * presence;
    if (is_register)
        live_key_changed(store, key, presence);
    else
        elements_changed(store, key, type, presence);
}

void slot_books(const Store *store, const Key *key, int type, PayloadText element, const Slot *slot,
                SlotBooks *out)
{
    out->summary = slot_summary(&store->world.pool, slot);
    if (key->born && crdt_types[type]->has_elements)
        out->element = live_born_element(store, type, element, slot);
}

void slot_changed(Store *store, const Key *key, int type, PayloadText element, const Slot *slot,
                  const SlotBooks *before)
{
    SlotBooks after;

    slot_books(store, key, type, element, slot, &after);
    ledger_slot_changed(store, key, type, before->summary, after.summary);
    if (!key->born)
        return;
    if (crdt_types[type]->has_elements)
        live_born_element_changed(store, key->born, type, &before->element, &after.element);
    else
        live_born_string_changed(store, key->born);
}

static bool born_delete_covers(const Store *store, const Change *change)
{
    const BornKey *born = change->key.born;

    for (uint32_t i = 0; born && i < born->delete_count; i++)
        if (causality_covers_next(&store->world.causality, born->deletes[i], change->effect->dot))
            return true;
    return false;
}

/* Keeps a DEL that names effects which have not arrived; lapsed ones go. */
static void born_keep_delete(Store *store, BornKey *born, const Change *change)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < born->delete_count; i++)
        if (dot_member(born->deletes[i]) != dot_member(change->effect->dot) &&
            causality_is_ahead(&store->world.causality, born->deletes[i]))
            born->deletes[kept++] = born->deletes[i];
    if (change->ahead)
        born->deletes[kept++] = change->effect->dot;
    born->delete_count = kept;
}

static SlotWrite write_of(const Store *store, const Change *change, int type)
{
    const Effect *effect = change->effect;
    SlotWrite write = {
        .dot = effect->dot,
        .ts = effect->ts.ms,
        .ctx = &effect->ctx,
        .value = effect->value,
        .op = (EffectOp)effect->op,
        .add_wins = crdt_types[type]->add_wins,
        .ahead = change->ahead,
        .covered = !change->key.state && born_delete_covers(store, change),
    };

    write.value.data = change->payload.value.data;
    return write;
}

static void change_summed_slot(Store *store, const Change *change, int type, const ElementRef *ref,
                               Slot *slot, const SlotWrite *write)
{
    SlotBooks before;

    if (change->key.state && change->effect->op == EFFECT_INCREMENT && slot->dot != 0) {
        /* An increment beside a head changes nothing the books count: two walks less over the
         * chain, for the counters that everybody increments. */
        crdt_types[type]->apply(&store->world, slot, write, change->effect);
        return;
    }
    slot_books(store, &change->key, type, ref->name, slot, &before);
    crdt_types[type]->apply(&store->world, slot, write, change->effect);
    slot_changed(store, &change->key, type, ref->name, slot, &before);
}

static void change_slot(Store *store, const Change *change, int type, const ElementRef *ref,
                        const SlotWrite *write)
{
    Slot *slot = key_slot(store, &change->key, type, ref, true);
    bool ordered = key_order(&change->key, type) != NULL;

    if (ordered)
        order_leave(store, &change->key, ref);
    change_summed_slot(store, change, type, ref, slot, write);
    if (ordered)
        order_enter(store, &change->key, ref);
}

/* The slot of deadlines follows the rule of registers with the deadline in place of the time: the
 * longest of the uncovered ones wins, ties go to the lower member (crdt-semantics.md 2). */
static void change_deadline(Store *store, const Change *change, int64_t deadline_ms)
{
    SlotWrite write = write_of(store, change, CRDT_STRING);
    bool removes = change->effect->op == EFFECT_DELETE;
    bool had = live_has_deadline(store, &change->key);
    Slot *slot = key_expiry(store, &change->key, !removes || change->ahead);

    if (!slot || (removes && slot->dot == 0 && slot_chain(slot) == 0 && !change->ahead))
        return;
    write.op = removes ? EFFECT_DELETE : EFFECT_ASSIGN;
    write.ts = deadline_ms;
    write.value = (Value){0};
    slot_write(&store->world, slot, &write);
    live_deadline_changed(store, &change->key, had);
    expiry_changed(store, &change->key);
}

static void change_delete(Store *store, Change *change)
{
    Key *key = &change->key;
    int first = key->state ? key->state->family->type : 0;
    int last = key->state ? first : CRDT_TYPE_COUNT - 1;

    for (int type = first; type <= last; type++) {
        SlotWrite write = write_of(store, change, type);
        uint32_t cursor = 0;
        ElementRef ref;
        Slot *slot;

        if (!key->state && type == CRDT_COUNTER)
            continue; /* a born counter is a string */
        if (key_order(key, type))
            order_drop(key);
        if (crdt_types[type]->body) {
            if (change->ahead || effect_deletes(change->effect, type) ||
                key_body(store, key, type, false))
                body_change(store, change, type);
            continue;
        }
        while (key_next_slot(store, key, type, &cursor, &ref, &slot)) {
            SlotBooks before;

            slot_books(store, key, type, ref.name, slot, &before);
            slot_write(&store->world, slot, &write);
            slot_changed(store, key, type, ref.name, slot, &before);
        }
    }
    if (key->born)
        born_keep_delete(store, key->born, change);
    change_deadline(store, change, 0);
}

static void change_elements(Store *store, Change *change, const ElementRef *first)
{
    const Effect *effect = change->effect;
    int type = effect->type;
    SlotWrite write = write_of(store, change, type);
    uint32_t count = effect->element_count > 0 && change->key.state ? effect->element_count : 1;
    ElementRef ref = *first;

    for (uint32_t i = 0; i < count; i++, ref.index++)
        change_slot(store, change, type, &ref, &write);
}

static void change_cover_counters(Store *store, const Change *change)
{
    const Effect *effect = change->effect;
    uint32_t cursor = change->payload.covers_at;
    PayloadCover cover;

    while (payload_next_cover(effect->payload, effect->payload_bytes, &cursor, &cover)) {
        ElementRef ref = {.index = cover.element_index, .name = cover.element};
        IncrementCover increments = {cover.origin, effect->ctx.seq[cover.origin], cover.sum};
        SlotBooks before;
        bool ordered;
        Slot *slot;

        ref.hash = name_hash(cover.element.data, cover.element.bytes);
        slot = key_slot(store, &change->key, cover.type, &ref, true);
        ordered = key_order(&change->key, cover.type) != NULL;
        if (ordered)
            order_leave(store, &change->key, &ref);
        slot_books(store, &change->key, cover.type, ref.name, slot, &before);
        slot_cover_increments(&store->world, slot, &increments);
        slot_changed(store, &change->key, cover.type, ref.name, slot, &before);
        if (ordered)
            order_enter(store, &change->key, &ref);
    }
}

static void change_note_record(Store *store, const Change *change, const ElementRef *ref)
{
    const Effect *effect = change->effect;
    bool by_key = change->key.state ? change->key.state->family->retention == RETENTION_KEY
                                    : effect->op == EFFECT_INCREMENT;

    store->superseded_seq = 0;
    store->last_was_remove = effect->op == EFFECT_REMOVE || effect->op == EFFECT_DELETE;
    if (!by_key || store->last_was_remove || effect->op == EFFECT_EXPIRE)
        return;
    if (crdt_types[effect->type]->body)
        store->superseded_seq = body_note_record(store, &change->key, effect->type, effect->dot);
    else
        store->superseded_seq = slot_note_record(
            &store->world, key_slot(store, &change->key, effect->type, ref, true), effect->dot);
}

/* A register that showed a value goes on showing one. */
static void register_sized(FamilyState *state, uint64_t kept, uint32_t before, uint32_t bytes)
{
    int64_t weight = family_weight(state->family, kept);

    state->ledger.value_bytes += weight * ((int64_t)bytes - (int64_t)before);
    state->ledger.frame_bytes +=
        weight * (live_register(state, bytes) - live_register(state, before));
}

/* The value appears, or something is ahead of our clock. */
static void change_register_summed(Store *store, const Key *key, const Effect *effect, bool ahead)
{
    Slot *slot = &key->state->slots[key->kept];
    SlotSummary before = slot_summary(&store->world.pool, slot);

    slot_write(&store->world, slot,
               &(SlotWrite){.dot = effect->dot,
                            .ts = effect->ts.ms,
                            .ctx = &effect->ctx,
                            .value.number = effect->value.number,
                            .value.bytes = effect->value.bytes,
                            .value.kind = effect->value.kind,
                            .op = EFFECT_ASSIGN,
                            .ahead = ahead});
    ledger_slot_changed(store, key, effect->type, before, slot_summary(&store->world.pool, slot));
}

void change_register(Store *store, FamilyState *state, const Effect *effect, bool ahead)
{
    SlotPool *pool = &store->world.pool;
    uint64_t kept = effect->key - state->base;
    Slot *slot = &state->slots[kept];
    uint32_t siblings = pool->sibling_count;
    uint32_t bytes;

    store->superseded_seq = 0;
    store->last_was_remove = false;
    if (!slot_is_touched(slot))
        *slot = state_start_slot(state, kept);
    if (slot->dot == 0 || store->world.causality.step_count > 0 ||
        store->world.wrong_arrival_order) {
        change_register_summed(store, &(Key){.state = state, .kept = kept}, effect, ahead);
        return;
    }
    bytes = slot->bytes;
    slot_assign(pool, slot, effect);
    if (pool->sibling_count != siblings)
        state->ledger.sibling_count += (int64_t)family_weight(state->family, kept) *
                                       ((int64_t)pool->sibling_count - (int64_t)siblings);
    if (slot->bytes != bytes)
        register_sized(state, kept, bytes, slot->bytes);
}

void change_apply(Store *store, Change *change)
{
    const Effect *effect = change->effect;
    ElementRef ref = {.index = effect->element, .name = change->payload.element};

    if (store->waiters)
        waiters_tell(store, &change->key);
    if (!change->key.state) {
        watches_tell(store, &change->key);
        key_create(store, &change->key);
        if (ref.name.data)
            ref.hash = name_hash(ref.name.data, ref.name.bytes);
    }
    if (effect->op == EFFECT_DELETE)
        change_delete(store, change);
    else if (effect->op == EFFECT_EXPIRE)
        change_deadline(store, change, effect->amount);
    else if (effect->op == EFFECT_EDIT)
        body_change(store, change, effect->type);
    else
        change_elements(store, change, &ref);
    if ((effect->op == EFFECT_ASSIGN || effect->op == EFFECT_ADD || effect->op == EFFECT_EDIT) &&
        effect->amount != 0)
        change_deadline(store, change, effect->amount);
    if (effect->payload_bytes > 0)
        change_cover_counters(store, change);
    change_note_record(store, change, &ref);
}

/* Empty elements and keys of the born go as soon as nothing about them need be remembered. */
void change_tidy(Store *store, Change *change)
{
    ElementRef ref = {.name = change->payload.element};

    if (change->key.state)
        return;
    for (int type = 0; type < CRDT_TYPE_COUNT && change->effect->op == EFFECT_DELETE; type++)
        key_drop_empty_elements(store, &change->key, type);
    if (change->effect->op == EFFECT_REMOVE && ref.name.data) {
        ref.hash = name_hash(ref.name.data, ref.name.bytes);
        key_drop_element_if_empty(store, &change->key, change->effect->type, &ref);
    }
    key_drop_if_empty(store, &change->key);
}
