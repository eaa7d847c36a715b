/* Commands on hashes: each field is assigned, incremented and removed on its own
 * (crdt-semantics.md 3.4).
 *
 * Why it works: a command makes one effect per field; on a declared key one effect for a run of
 * fields, and the write that creates the key writes all of them, so that its size is the family's
 * (rehearsal.md 3.1). */
#include <glib.h>

#include "models/data/pick.h"

/* Declared key: fields are a run of indexes with one synthetic value each. */
static void write_declared_fields(CommandRun *run, Key *key, bool exists)
{
    const FamilyState *state = key->state;
    const Arg *value = run_first_of(run, ARG_SYNTHETIC);
    LocalWrite write = {.op = EFFECT_ASSIGN, .type = CRDT_HASH, .now = run->now};

    run_declared_range(run, key, exists, &write);
    write.value = (Value){.kind = VALUE_SYNTHETIC, .number = value ? value->number : 0};
    write.value.bytes = value && exists
                            ? value->bytes
                            : family_value_bytes(state->family, key->kept) / state->fields;
    store_write(run->store, key, &write);
    run_reply_integer(run, exists ? 0 : state->fields);
}

/* Assigns the pairs from index 1 on; *out_added counts fields that were not there. */
static void assign_pairs(CommandRun *run, Key *key, int64_t *out_added)
{
    *out_added = 0;
    for (uint32_t i = 1; i + 1 < run_count(run); i += 2) {
        ElementRef ref = run_element(run, key, i);

        *out_added += !run_view(run, key, CRDT_HASH, &ref).present;
        run_assign(run, key, CRDT_HASH, &ref, run_value(run, key, i + 1));
    }
}

static void hset(CommandRun *run, bool reply_ok)
{
    int64_t added;
    bool exists;
    Key key;

    if (run_count(run) % 2 == 0 && run_arg(run, 1)->kind == ARG_BYTES) {
        run_reply_arity(run);
        return;
    }
    if (!run_find_to_write(run, 0, CRDT_HASH, &key, &exists))
        return;
    if (key.state && (run_count(run) < 2 || run_arg(run, 1)->kind != ARG_BYTES)) {
        write_declared_fields(run, &key, exists);
        return;
    }
    assign_pairs(run, &key, &added);
    if (reply_ok)
        run_reply_ok(run);
    else
        run_reply_integer(run, added);
}

static void run_hset(CommandRun *run)
{
    hset(run, false);
}

static void run_hmset(CommandRun *run)
{
    hset(run, true);
}

static void run_hsetnx(CommandRun *run)
{
    ElementRef ref;
    bool exists;
    bool present;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_HASH, &key, &exists))
        return;
    ref = run_element(run, &key, 1);
    present = run_view(run, &key, CRDT_HASH, &ref).present;
    if (!present)
        run_assign(run, &key, CRDT_HASH, &ref, run_value(run, &key, 2));
    run_reply_integer(run, !present);
}

/* What field index i shows; false when it or the key is not there. */
static bool read_field(CommandRun *run, const Key *key, bool exists, uint32_t i, ViewText *out)
{
    ElementRef ref;
    SlotView view;

    if (!exists)
        return false;
    ref = run_element(run, key, i);
    view = run_view(run, key, CRDT_HASH, &ref);
    if (view.present)
        view_text(&view, out);
    return view.present;
}

static void run_hget(CommandRun *run)
{
    ViewText text;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_HASH, &key, &exists))
        return;
    if (read_field(run, &key, exists, 1, &text))
        run_reply_text(run, text.text);
    else
        run_reply_nil(run);
}

static void run_hstrlen(CommandRun *run)
{
    ViewText text;
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_HASH, &key, &exists))
        run_reply_integer(run, read_field(run, &key, exists, 1, &text) ? text.text.bytes : 0);
}

static void run_hexists(CommandRun *run)
{
    ViewText text;
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_HASH, &key, &exists))
        run_reply_integer(run, read_field(run, &key, exists, 1, &text));
}

static void run_hmget(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_HASH, &key, &exists))
        return;
    run_reply_array(run, run_count(run) - 1);
    for (uint32_t i = 1; i < run_count(run); i++) {
        ViewText text;

        if (read_field(run, &key, exists, i, &text))
            run_push_text(run, text.text);
        else
            run_push_nil(run);
    }
}

/* What the slot's text weighs; false when nothing is there. */
static bool slot_text_bytes(const Store *store, const Slot *slot, uint32_t *out)
{
    SlotView view;
    ViewText text;

    if (slot_chain(slot) == 0 && slot_kind(slot) == VALUE_SYNTHETIC) {
        *out = slot->bytes;
        return slot->dot != 0;
    }
    view = slot_view(&store->world.pool, slot);
    if (view.present)
        view_text(&view, &text);
    *out = view.present ? text.text.bytes : 0;
    return view.present;
}

/* A workload asks only how much comes back; that needs no texts and no list.  Reading whole hashes
 * is what many workloads do most. */
static void reply_all_sizes(CommandRun *run, const Key *key, bool names, bool values)
{
    uint32_t per_name = names ? DECLARED_NAME_BYTES : 0;
    ElementRef ref = {0};

    for (; ref.index < key->state->fields; ref.index++) {
        const Slot *slot = key_slot(run->store, key, CRDT_HASH, &ref, false);
        uint32_t bytes;

        if (!slot_text_bytes(run->store, slot, &bytes))
            continue;
        run->reply->bytes += per_name + (values ? bytes : 0);
        run->reply->count += names + values;
    }
}

static void reply_all(CommandRun *run, bool names, bool values)
{
    uint32_t cursor = 0;
    ElementRef ref;
    bool exists;
    Slot *slot;
    Key key;

    if (!run_find(run, 0, CRDT_HASH, &key, &exists))
        return;
    run_reply_array(run, exists ? 2 * key_live(run->store, &key, CRDT_HASH) : 0);
    if (exists && key.state && !run->arena) {
        reply_all_sizes(run, &key, names, values);
        return;
    }
    while (exists && key_next_slot(run->store, &key, CRDT_HASH, &cursor, &ref, &slot)) {
        SlotView view = slot_view(&run->store->world.pool, slot);
        ViewText text;

        if (!view.present)
            continue;
        if (names)
            run_push_text(run, element_name(&key, &ref));
        if (values) {
            view_text(&view, &text);
            run_push_text(run, text.text);
        }
    }
}

static void run_hgetall(CommandRun *run)
{
    reply_all(run, true, true);
}

static void run_hkeys(CommandRun *run)
{
    reply_all(run, true, false);
}

static void run_hvals(CommandRun *run)
{
    reply_all(run, false, true);
}

static void run_hlen(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_HASH, &key, &exists))
        run_reply_integer(run, exists ? key_live(run->store, &key, CRDT_HASH) : 0);
}

static void run_hdel(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find_to_write(run, 0, CRDT_HASH, &key, &exists))
        run_reply_integer(run, exists ? run_remove_named(run, &key, CRDT_HASH) : 0);
}

static void run_hincrby(CommandRun *run)
{
    IncrementWrite write = {
        .type = CRDT_HASH, .integer = true, .not_a_number = "ERR hash value is not an integer"};
    int64_t amount = 1;
    Decimal value;
    bool exists;
    Key key;

    if (run_count(run) > 2 && run_arg(run, 2)->kind != ARG_SYNTHETIC &&
        !run_integer(run, 2, &amount))
        return;
    if (!run_find_to_write(run, 0, CRDT_HASH, &key, &exists))
        return;
    write.ref = run_element(run, &key, 1);
    write.amount = (Decimal)amount * DECIMAL_ONE;
    if (run_increment_checked(run, &key, &write, &value))
        run_reply_integer(run, (int64_t)(value / DECIMAL_ONE));
}

static void run_hincrbyfloat(CommandRun *run)
{
    IncrementWrite write = {.type = CRDT_HASH, .not_a_number = "ERR hash value is not a float"};
    char buffer[DECIMAL_TEXT_MAX];
    Decimal value;
    bool exists;
    Key key;

    write.reading = run_amount(run, 2, &write.amount);
    if (write.reading == DECIMAL_INFINITE)
        run_reply_error(run, "ERR value is NaN or Infinity");
    if (write.reading == DECIMAL_INFINITE || write.reading == DECIMAL_MALFORMED)
        return;
    if (!run_find_to_write(run, 0, CRDT_HASH, &key, &exists))
        return;
    write.ref = run_element(run, &key, 1);
    if (run_increment_checked(run, &key, &write, &value))
        run_reply_text(run, (PayloadText){buffer, (uint32_t)decimal_format(value, buffer)});
}

static void push_field(CommandRun *run, const Key *key, const ElementRef *ref, const SlotView *view)
{
    (void)view;
    run_push_text(run, element_name(key, ref));
}

static void push_field_and_value(CommandRun *run, const Key *key, const ElementRef *ref,
                                 const SlotView *view)
{
    ViewText text;

    run_push_text(run, element_name(key, ref));
    view_text(view, &text);
    run_push_text(run, text.text);
}

static void run_hrandfield(CommandRun *run)
{
    pick_run(run, &(PickCommand){CRDT_HASH, "WITHVALUES", push_field, push_field_and_value});
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("HSET", "assign fields", -4, true, OP_LWW, SHAPE_FIELDS, 0.63, run_hset),
    COMMAND_SPEC("HMSET", "assign fields", -4, true, OP_LWW, SHAPE_FIELDS, 0.63, run_hmset),
    COMMAND_SPEC("HSETNX", "assign a field if there is none here", 4, true, OP_CHECKED,
                 SHAPE_FIELDS, 0.63, run_hsetnx),
    COMMAND_SPEC("HGET", "one field", 3, false, OP_READ, SHAPE_MEMBERS, 0.62, run_hget),
    COMMAND_SPEC("HMGET", "several fields", -3, false, OP_READ, SHAPE_MEMBERS, 0.8, run_hmget),
    COMMAND_SPEC("HGETALL", "all fields and values", 2, false, OP_READ, SHAPE_KEY, 1.15,
                 run_hgetall),
    COMMAND_SPEC("HKEYS", "all fields", 2, false, OP_READ, SHAPE_KEY, 1.0, run_hkeys),
    COMMAND_SPEC("HVALS", "all values", 2, false, OP_READ, SHAPE_KEY, 1.0, run_hvals),
    COMMAND_SPEC("HLEN", "number of fields", 2, false, OP_READ, SHAPE_KEY, 0.5, run_hlen),
    COMMAND_SPEC("HEXISTS", "whether a field is there", 3, false, OP_READ, SHAPE_MEMBERS, 0.5,
                 run_hexists),
    COMMAND_SPEC("HSTRLEN", "length of a field's value", 3, false, OP_READ, SHAPE_MEMBERS, 0.5,
                 run_hstrlen),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "HDEL", "remove fields, as far as observed", -3, true, OP_LWW,
                      SHAPE_MEMBERS, 0.6, run_hdel),
    COMMAND_SPEC("HINCRBY", "add a whole number to a field", 4, true, OP_ACCUM, SHAPE_MEMBERS, 0.66,
                 run_hincrby),
    COMMAND_SPEC("HINCRBYFLOAT", "add a decimal number to a field", 4, true, OP_ACCUM,
                 SHAPE_MEMBERS, 0.9, run_hincrbyfloat),
    COMMAND_SPEC("HRANDFIELD", "arbitrary fields", -2, false, OP_READ, SHAPE_KEY, 0.8,
                 run_hrandfield),
};

const CommandGroup command_group_hash = {
    .head = {.name = "hash", .summary = "fields of hashes"},
    .serves = "hash",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
