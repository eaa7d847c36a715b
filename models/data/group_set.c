/* Commands on sets (crdt-semantics.md 4).
 *
 * Why it works: SADD always makes an add, also of an element that is there, or a concurrent remove
 * elsewhere would win; SREM of what is not seen here makes nothing.  SMOVE is a remove and an add,
 * so racing moves duplicate. */
#include <glib.h>

#include "models/data/command_run.h"

static void set_add(CommandRun *run, Key *key, const ElementRef *ref)
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

static bool is_member(CommandRun *run, const Key *key, bool exists, const ElementRef *ref)
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
    run_reply_integer(run, is_member(run, &key, exists, &ref));
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

        run_push_integer(run, is_member(run, &key, exists, &ref));
    }
}

static void run_scard(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_SET, &key, &exists))
        run_reply_integer(run, exists ? key_live(run->store, &key, CRDT_SET) : 0);
}

/* The next present element; *cursor as in key_next_slot. */
static bool next_member(CommandRun *run, const Key *key, uint32_t *cursor, ElementRef *out)
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
    while (exists && next_member(run, &key, &cursor, &ref))
        run_push_text(run, element_name(&key, &ref));
}

/* An arbitrary element, repeatable: chosen by how many writes this member has made. */
static bool pick_member(CommandRun *run, const Key *key, ElementRef *out)
{
    uint32_t live = key_live(run->store, key, CRDT_SET);
    uint64_t seq = store_clock(run->store)->seq[run->store->config.member_id];
    uint64_t skip = live > 0 ? rng_scale(rng_mix(seq + 1), live) : 0;
    uint32_t cursor = 0;

    while (next_member(run, key, &cursor, out))
        if (skip-- == 0)
            return true;
    return false;
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
    int64_t count;
    bool exists;
    ElementRef ref;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_SET, &key, &exists))
        return;
    if (run_count(run) < 2 || run_arg(run, 1)->kind != ARG_BYTES) {
        pop_one(run, &key, exists);
        return;
    }
    if (!run_integer(run, 1, &count))
        return;
    if (count < 0) {
        run_reply_error(run, "ERR value is out of range, must be positive");
        return;
    }
    count = exists ? MIN(count, (int64_t)key_live(run->store, &key, CRDT_SET)) : 0;
    run_reply_array(run, (uint32_t)count);
    for (int64_t i = 0; i < count && pick_member(run, &key, &ref); i++) {
        run_push_text(run, element_name(&key, &ref));
        run_remove(run, &key, CRDT_SET, &ref);
    }
}

static void run_srandmember(CommandRun *run)
{
    ElementRef ref;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_SET, &key, &exists))
        return;
    if (exists && pick_member(run, &key, &ref))
        run_reply_text(run, element_name(&key, &ref));
    else
        run_reply_nil(run);
}

static void run_smove(CommandRun *run)
{
    bool source_exists;
    bool target_exists;
    Key source;
    Key target;
    ElementRef ref;

    if (!run_find_to_write(run, 0, CRDT_SET, &source, &source_exists) ||
        !run_find_to_write(run, 1, CRDT_SET, &target, &target_exists))
        return;
    ref = run_element(run, &source, 2);
    if (!is_member(run, &source, source_exists, &ref)) {
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

typedef struct {
    Key key;
    bool exists;
} SetOperand;

/* Whether the element is in any (all) of the operands from first to before last. */
static uint32_t count_in(CommandRun *run, const SetOperand *operands, uint32_t first, uint32_t last,
                         const ElementRef *ref)
{
    uint32_t found = 0;

    for (uint32_t i = first; i < last; i++)
        found += is_member(run, &operands[i].key, operands[i].exists, ref);
    return found;
}

static SetOperand *find_operands(CommandRun *run, uint32_t *out_capacity)
{
    SetOperand *operands = g_new0(SetOperand, run_count(run));

    *out_capacity = 0;
    for (uint32_t i = 0; i < run_count(run); i++) {
        if (!run_find(run, i, CRDT_SET, &operands[i].key, &operands[i].exists)) {
            g_free(operands);
            return NULL;
        }
        *out_capacity += operands[i].exists ? key_live(run->store, &operands[i].key, CRDT_SET) : 0;
    }
    return operands;
}

typedef enum { COMBINE_INTER, COMBINE_UNION, COMBINE_DIFF } Combine;

static void combine(CommandRun *run, Combine how)
{
    uint32_t capacity;
    g_autofree SetOperand *operands = find_operands(run, &capacity);
    uint32_t others = run_count(run) - 1;

    if (!operands)
        return;
    run_reply_array(run, capacity);
    for (uint32_t i = 0; i < (how == COMBINE_UNION ? run_count(run) : 1); i++) {
        uint32_t cursor = 0;
        ElementRef ref;

        while (operands[i].exists && next_member(run, &operands[i].key, &cursor, &ref)) {
            uint32_t found = how == COMBINE_UNION
                                 ? count_in(run, operands, 0, i, &ref)
                                 : count_in(run, operands, 1, run_count(run), &ref);

            if (how == COMBINE_INTER ? found == others : found == 0)
                run_push_text(run, element_name(&operands[i].key, &ref));
        }
    }
}

static void run_sinter(CommandRun *run)
{
    combine(run, COMBINE_INTER);
}

static void run_sunion(CommandRun *run)
{
    combine(run, COMBINE_UNION);
}

static void run_sdiff(CommandRun *run)
{
    combine(run, COMBINE_DIFF);
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
    COMMAND_SPEC("SINTER", "elements in all sets", -2, false, OP_READ, SHAPE_KEY, 5.6, run_sinter),
    COMMAND_SPEC("SUNION", "elements in any set", -2, false, OP_READ, SHAPE_KEY, 5.6, run_sunion),
    COMMAND_SPEC("SDIFF", "elements in the first set alone", -2, false, OP_READ, SHAPE_KEY, 5.6,
                 run_sdiff),
};

const CommandGroup command_group_set = {
    .head = {.name = "set", .summary = "elements of sets"},
    .serves = "set",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
