/* What existing keys would take in Redis: the books of live data.
 *
 * Why it works: a key's bytes are those of its name and entry, of its expiry, and of its value;
 * each part is a function of what is visible.  The first two follow the books of presence.  Of the
 * value:
 *
 *     a declared string    its text's size classes less the text (value_bytes has that already)
 *     a declared hash, set the encoding of so many equal elements, from a table filled as counts
 *                          first occur, less the elements' texts, which value_bytes has as written
 *     a zset, a counter    the same with the texts, for value_bytes counts what workloads send
 *     one structure        from its summary; the last figure is kept beside it
 *     a born key           from sums over its elements (footprint_sum.h), by their real texts
 *
 * So a write in place of a value of equal size does nothing here.
 *
 * Simplified: a number in a declared string weighs as a text of its 8 bytes, and one in a counter
 * always has an object of its own, so that increments need not be looked at.
 */
#include "models/data/command_run.h"
#include "models/data/store_private.h"

#define SCORE_BYTES 5 /* of a declared sorted set: a whole number of 24 bits in a listpack */

static const FootprintRules *const rules = &footprint_rules_default;

static FootprintType footprint_type(int type)
{
    return type == CRDT_HASH ? FOOTPRINT_HASH : type == CRDT_SET ? FOOTPRINT_SET : FOOTPRINT_ZSET;
}

static FootprintSum declared_element(const Family *family, uint32_t fields)
{
    uint64_t mean = family->value_bytes ? (uint64_t)dist_mean(family->value_bytes) : 0;
    PayloadText value = {.bytes = (uint32_t)(mean / fields)};

    if (family->type == CRDT_HASH)
        return footprint_field(rules, (PayloadText){.bytes = family_field_name_bytes(family)},
                               value);
    if (family->type == CRDT_SET)
        return footprint_member(rules, value);
    return footprint_scored_member(rules, value, SCORE_BYTES);
}

int64_t live_long_register(const FamilyState *state, uint32_t value_bytes)
{
    if (!state->ledger.is_sized)
        return footprint_number_bytes(rules, INT64_MAX);
    return footprint_text_bytes(rules, value_bytes) - value_bytes;
}

void live_init(FamilyState *state)
{
    const Family *family = state->family;
    uint64_t mean = family->value_bytes ? (uint64_t)dist_mean(family->value_bytes) : 0;

    state->key_bytes = (uint32_t)footprint_name_bytes(rules, family_key_name_bytes(family));
    state->ledger.is_sized =
        family->type == CRDT_STRING || family->type == CRDT_HASH || family->type == CRDT_SET;
    if (!state->type->has_elements) {
        state->text_frames = g_new(uint16_t, LIVE_SHORT_TEXT);
        for (uint32_t len = 0; len < LIVE_SHORT_TEXT; len++)
            state->text_frames[len] = (uint16_t)live_long_register(state, len);
        return;
    }
    state->element = declared_element(family, state->fields);
    state->element_bytes = state->ledger.is_sized ? (uint32_t)(mean / state->fields) : 0;
    state->frames = g_new0(int64_t, (size_t)state->fields + 1);
}

/* Of a key with so many elements, less their texts; 0 in the table: not asked for yet. */
static int64_t declared_frame(FamilyState *state, uint32_t elements)
{
    int64_t *frame = &state->frames[elements];
    FootprintSum sum = {0};

    if (*frame != 0 || elements == 0)
        return *frame;
    footprint_sum_add(&sum, &state->element, elements);
    *frame = footprint_sum_bytes(rules, footprint_type(state->family->type), &sum) -
             (int64_t)elements * state->element_bytes;
    return *frame;
}

void live_elements_changed(FamilyState *state, uint64_t kept, int change)
{
    uint32_t now = state_live(state, kept);
    uint32_t before = (uint32_t)((int64_t)now - change);

    state->ledger.frame_bytes += (int64_t)family_weight(state->family, kept) *
                                 (declared_frame(state, now) - declared_frame(state, before));
}

int64_t live_start_key(FamilyState *state)
{
    int64_t bytes = state->key_bytes;

    if (state->family->ttl_ns > 0)
        bytes += footprint_expiry_bytes(rules);
    if (state->type->has_elements)
        bytes += declared_frame(state, state->fields);
    return bytes;
}

/* Which steps a sketch's buffer took to its length is some work, so it is done once for each. */
static int64_t sketch_bytes(Store *store, uint64_t encoded_bytes)
{
    if (encoded_bytes > rules->hll_sparse_max_bytes)
        return footprint_sketch_bytes(rules, encoded_bytes);
    if (!store->sketches)
        store->sketches = g_new0(int64_t, rules->hll_sparse_max_bytes + 1);
    if (store->sketches[encoded_bytes] == 0)
        store->sketches[encoded_bytes] = footprint_sketch_bytes(rules, encoded_bytes);
    return store->sketches[encoded_bytes];
}

int64_t live_body(Store *store, int type, const BodySummary *summary)
{
    uint64_t elements = (uint64_t)summary->element_count;
    uint64_t bytes = (uint64_t)summary->value_bytes;

    switch (type) {
    case CRDT_LIST:
        return footprint_list_bytes(rules, elements, bytes);
    case CRDT_STREAM:
        return footprint_stream_bytes(rules, elements, bytes);
    case CRDT_HYPERLOGLOG:
        return sketch_bytes(store, bytes);
    default:
        return footprint_json_bytes(rules, elements, bytes);
    }
}

static StoreLedger *ledger_of(Store *store, const Key *key)
{
    return key->state ? &key->state->ledger : &store->born_ledger;
}

bool live_has_deadline(Store *store, const Key *key)
{
    return key_deadline_ms(store, key) != DEADLINE_NONE;
}

void live_deadline_changed(Store *store, const Key *key, bool had)
{
    StoreLedger *ledger = ledger_of(store, key);
    int64_t change = (int64_t)live_has_deadline(store, key) - had;

    if (change == 0 || !key_exists(store, key))
        return;
    ledger->deadline_count += change * key_weight(key);
    ledger->frame_bytes += change * key_weight(key) * footprint_expiry_bytes(rules);
}

void live_key_changed(Store *store, const Key *key, int presence)
{
    StoreLedger *ledger = ledger_of(store, key);
    int64_t change = presence * (int64_t)key_weight(key);

    ledger->key_count += change;
    ledger->frame_bytes += change * (key->state ? (int64_t)key->state->key_bytes
                                                : footprint_name_bytes(rules, key->name.bytes));
    if (!live_has_deadline(store, key))
        return;
    ledger->deadline_count += change;
    ledger->frame_bytes += change * footprint_expiry_bytes(rules);
}

void live_body_changed(Store *store, const Key *key, BodyKeep *keep, int64_t live_bytes)
{
    ledger_of(store, key)->frame_bytes += key_weight(key) * (live_bytes - keep->live_bytes);
    keep->live_bytes = live_bytes;
}

FootprintSum live_born_element(const Store *store, int type, PayloadText name, const Slot *slot)
{
    SlotView view = slot_view(&store->world.pool, slot);
    ViewText value;

    if (!view.present)
        return (FootprintSum){0};
    if (type == CRDT_SET)
        return footprint_member(rules, name);
    if (type == CRDT_ZSET)
        return footprint_scored_member(rules, name, footprint_score(view_score(&view)));
    view_text(&view, &value);
    return footprint_field(rules, name, value.text);
}

static FootprintSum *born_sum(BornKey *born, int type)
{
    BornSum *at = born->sums;

    while (at && at->type != type)
        at = at->next;
    if (!at) {
        at = g_new0(BornSum, 1);
        at->type = type;
        at->next = born->sums;
        born->sums = at;
    }
    return &at->sum;
}

void live_born_free(BornKey *born)
{
    while (born->sums) {
        BornSum *next = born->sums->next;

        g_free(born->sums);
        born->sums = next;
    }
}

void live_born_element_changed(Store *store, BornKey *born, int type, const FootprintSum *before,
                               const FootprintSum *after)
{
    FootprintSum *sum = born_sum(born, type);

    store->born_ledger.frame_bytes -= footprint_sum_bytes(rules, footprint_type(type), sum);
    footprint_sum_add(sum, before, -1);
    footprint_sum_add(sum, after, 1);
    store->born_ledger.frame_bytes += footprint_sum_bytes(rules, footprint_type(type), sum);
}

static int64_t born_string(const Store *store, const Slot *slot)
{
    SlotView view = slot_view(&store->world.pool, slot);
    ViewText value;
    int64_t number;

    if (!view.present)
        return 0;
    view_text(&view, &value);
    if (value.text.data && integer_parse(value.text.data, value.text.bytes, &number))
        return footprint_number_bytes(rules, number);
    return footprint_text_bytes(rules, value.text.bytes);
}

void live_born_string_changed(Store *store, BornKey *born)
{
    int64_t live_bytes = born_string(store, &born->string);

    store->born_ledger.frame_bytes += live_bytes - born->string_live_bytes;
    born->string_live_bytes = live_bytes;
}
