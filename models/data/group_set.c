/* Commands on sets (crdt-semantics.md 4).
 *
 * Why it works: SADD always makes an add, also of an element that is there, or a concurrent remove
 * elsewhere would win; SREM of what is not seen here makes nothing.  SMOVE is a remove and an add,
 * so racing moves duplicate. */
#include <glib.h>

#include "models/data/pick.h"
#include "models/data/set_write.h"

void set_add(CommandRun *run, Key *key, const ElementRef *ref)
{
    store_write(run->store, key,
                &(LocalWrite){.op = EFFECT_ADD,
                              .type = CRDT_SET,
                              .element = *ref,
                              .value = {.bytes = key->state ? 0 : ref->name.bytes},
                              .now = run->now});
}

static void add_declared(CommandRun *run, Key *key, bool exists)
{
    LocalWrite write = {.op = EFFECT_ADD, .type = CRDT_SET, .now = run->now};
    int64_t added = 0;
    ElementRef ref;

    run_declared_range(run, key, exists, &write);
    ref = write.element;
    for (uint32_t i = 0; i < write.element_count; i++, ref.index++)
        added += !run_view(run, key, CRDT_SET, &ref).present;
    write.value =
        (Value){.kind = VALUE_SYNTHETIC,
                .bytes = family_value_bytes(key->state->family, key->kept) / key->state->fields};
    store_write(run->store, key, &write);
    run_reply_integer(run, added);
}

static void run_sadd(CommandRun *run)
{
    int64_t added = 0;
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_SET, &key, &exists))
        return;
    if (key.state && run_arg(run, 1)->kind != ARG_BYTES) {
        add_declared(run, &key, exists);
        return;
    }
    for (uint32_t i = 1; i < run_count(run); i++) {
        ElementRef ref = run_element(run, &key, i);

        added += !run_view(run, &key, CRDT_SET, &ref).present;
        set_add(run, &key, &ref);
    }
    run_reply_integer(run, added);
}

static void run_srem(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find_to_write(run, 0, CRDT_SET, &key, &exists))
        run_reply_integer(run, exists ? run_remove_named(run, &key, CRDT_SET) : 0);
}

bool set_holds(CommandRun *run, const Key *key, bool exists, const ElementRef *ref)
{
    return exists && run_view(run, key, CRDT_SET, ref).present;
}

static void run_sismember(CommandRun *run)
{
    ElementRef ref;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_SET, &key, &exists))
        return;
    ref = run_element(run, &key, 1);
    run_reply_integer(run, set_holds(run, &key, exists, &ref));
}

static void run_smismember(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_SET, &key, &exists))
        return;
    run_reply_array(run, run_count(run) - 1);
    for (uint32_t i = 1; i < run_count(run); i++) {
        ElementRef ref = run_element(run, &key, i);

        run_push_integer(run, set_holds(run, &key, exists, &ref));
    }
}

static void run_scard(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_SET, &key, &exists))
        run_reply_integer(run, exists ? key_live(run->store, &key, CRDT_SET) : 0);
}

bool set_next(CommandRun *run, const Key *key, uint32_t *cursor, ElementRef *out)
{
    Slot *slot;

    while (key_next_slot(run->store, key, CRDT_SET, cursor, out, &slot))
        if (slot_is_present(&run->store->world.pool, slot))
            return true;
    return false;
}

static void run_smembers(CommandRun *run)
{
    uint32_t cursor = 0;
    ElementRef ref;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_SET, &key, &exists))
        return;
    run_reply_array(run, exists ? key_live(run->store, &key, CRDT_SET) : 0);
    while (exists && set_next(run, &key, &cursor, &ref))
        run_push_text(run, element_name(&key, &ref));
}

static bool pick_member(CommandRun *run, const Key *key, ElementRef *out)
{
    Pick pick = pick_begin(run, key, CRDT_SET, 0);
    SlotView view;

    return pick_next(run, &pick, out, &view);
}

static void pop_one(CommandRun *run, Key *key, bool exists)
{
    ElementRef ref;

    if (!exists || !pick_member(run, key, &ref)) {
        run_reply_nil(run);
        return;
    }
    run_reply_text(run, element_name(key, &ref));
    run_remove(run, key, CRDT_SET, &ref);
}

static void run_spop(CommandRun *run)
{
    bool counted = run_is_given(run, 1);
    int64_t count = 1;
    bool exists;
    ElementRef ref;
    Key key;

    if (run_count(run) > 2 && counted) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if ((counted && !run_integer_within(run, 1, 0, ERROR_POSITIVE, &count)) ||
        !run_find_to_write(run, 0, CRDT_SET, &key, &exists))
        return;
    if (!counted) {
        pop_one(run, &key, exists);
        return;
    }
    count = exists ? MIN(count, (int64_t)key_live(run->store, &key, CRDT_SET)) : 0;
    run_reply_array(run, (uint32_t)count);
    for (int64_t i = 0; i < count && pick_member(run, &key, &ref); i++) {
        run_push_text(run, element_name(&key, &ref));
        run_remove(run, &key, CRDT_SET, &ref);
    }
}

static void push_member(CommandRun *run, const Key *key, const ElementRef *ref,
                        const SlotView *view)
{
    (void)view;
    run_push_text(run, element_name(key, ref));
}

static void run_srandmember(CommandRun *run)
{
    if (run_count(run) > 2 && run_is_given(run, 1))
        run_reply_error(run, ERROR_SYNTAX);
    else
        pick_run(run, &(PickCommand){CRDT_SET, NULL, push_member, NULL});
}

static void run_smove(CommandRun *run)
{
    bool source_exists;
    bool target_exists;
    Key source;
    Key target;
    ElementRef ref;

    if (!run_find_to_write(run, 0, -1, &source, &source_exists))
        return;
    if (!source_exists) {
        run_reply_integer(run, 0);
        return;
    }
    if (!run_find_to_write(run, 0, CRDT_SET, &source, &source_exists) ||
        !run_find_to_write(run, 1, CRDT_SET, &target, &target_exists))
        return;
    ref = run_element(run, &source, 2);
    if (!set_holds(run, &source, source_exists, &ref)) {
        run_reply_integer(run, 0);
        return;
    }
    run_reply_integer(run, 1);
    if (source.state == target.state && source.kept == target.kept && source.born == target.born)
        return;
    run_remove(run, &source, CRDT_SET, &ref);
    ref = run_element(run, &target, 2);
    set_add(run, &target, &ref);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("SADD", "add elements; adds survive concurrent removes", -3, true, OP_LWW,
                 SHAPE_MEMBERS, 0.55, run_sadd),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SREM", "remove elements, as far as observed", -3, true, OP_LWW,
                      SHAPE_MEMBERS, 0.8, run_srem),
    COMMAND_SPEC("SISMEMBER", "whether an element is in", 3, false, OP_READ, SHAPE_MEMBERS, 0.65,
                 run_sismember),
    COMMAND_SPEC("SMISMEMBER", "whether elements are in", -3, false, OP_READ, SHAPE_MEMBERS, 0.8,
                 run_smismember),
    COMMAND_SPEC("SMEMBERS", "all elements", 2, false, OP_READ, SHAPE_KEY, 5.6, run_smembers),
    COMMAND_SPEC("SCARD", "number of elements", 2, false, OP_READ, SHAPE_KEY, 0.5, run_scard),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SPOP", "take an arbitrary element; others may too", -2, true,
                      OP_ACCUM, SHAPE_KEY, 0.8, run_spop),
    COMMAND_SPEC("SRANDMEMBER", "an arbitrary element", -2, false, OP_READ, SHAPE_KEY, 0.65,
                 run_srandmember),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SMOVE", "remove here, add there", 4, true, OP_ACCUM,
                      SHAPE_MEMBERS, 1.3, run_smove),
};

const CommandGroup command_group_set = {
    .head = {.name = "set", .summary = "elements of sets"},
    .serves = "set",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
