/* Hash: each field is a slot of its own.
 *
 * Why it works: fields never touch each other, so a hash merges field by field like strings and
 * counters; HDEL covers one field as far as observed, DEL all of them (crdt-semantics.md 3.4). */
#include "models/crdt/crdt.h"

#include <glib.h>

static void hash_apply(SlotWorld *world, Slot *slot, const SlotWrite *write, const Effect *effect)
{
    if (effect->op == EFFECT_INCREMENT)
        slot_increment(world, slot, effect->dot, effect_increment(effect));
    else
        slot_write(world, slot, write);
}

static void hash_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 100);
    unsigned field = (unsigned)rng_below(rng, 4);

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
        g_snprintf(line, size, "HSET %s f%u %u", key, field, n);
        break;
    case 2:
        g_snprintf(line, size, "HSET %s f%u a%u g b%u", key, field, n, n);
        break;
    case 3:
    case 4:
        g_snprintf(line, size, "HINCRBY %s n%u %u", key, field, n);
        break;
    case 5:
        g_snprintf(line, size, "HDEL %s f%u n%u", key, field, field);
        break;
    case 6:
        g_snprintf(line, size, "DEL %s", key);
        break;
    default:
        g_snprintf(line, size, "HINCRBYFLOAT %s n%u 1.%u", key, field, n);
        break;
    }
}

const CrdtType crdt_hash = {
    .head = {.name = "hash",
             .summary = "each field is a register or counter; fields merge one by one"},
    .redis_name = "hash",
    .load_command = "HSET",
    .has_elements = true,
    .start_kind = VALUE_SYNTHETIC,
    .apply = hash_apply,
    .merge = slot_merge,
    .digest = slot_digest,
    .draw = hash_draw,
};
