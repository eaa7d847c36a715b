/* Counter: a string that is only ever a number.
 *
 * Why it works: it is the string's slot (crdt-semantics.md 3.3).  It is a type of its own because
 * families of counters keep one history record per key and origin, and start from zero instead of
 * from opaque bytes. */
#include "models/crdt/crdt.h"

#include <glib.h>

static void counter_apply(SlotWorld *world, Slot *slot, const SlotWrite *write,
                          const Effect *effect)
{
    if (effect->op == EFFECT_INCREMENT)
        slot_increment(world, slot, effect->dot, effect_increment(effect));
    else
        slot_write(world, slot, write);
}

static void counter_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 100);

    switch (rng_below(rng, 6)) {
    case 0:
        g_snprintf(line, size, "SET %s %u", key, n);
        break;
    case 1:
        g_snprintf(line, size, "DEL %s", key);
        break;
    case 2:
        g_snprintf(line, size, "DECRBY %s %u", key, n);
        break;
    default:
        g_snprintf(line, size, "INCRBY %s %u", key, n);
        break;
    }
}

const CrdtType crdt_counter = {
    .head = {.name = "counter",
             .summary = "string counter: every member's increments add up, SET covers the seen"},
    .redis_name = "string",
    .load_command = "INCR",
    .retains_by_key = true,
    .start_kind = VALUE_INTEGER,
    .apply = counter_apply,
    .merge = slot_merge,
    .digest = slot_digest,
    .draw = counter_draw,
};
