/* String: a register that any member may assign and any member may increment.
 *
 * Why it works: concurrent assignments stay side by side and the reader takes the latest by wall
 * clock; increments are sums per origin that assignments cover as far as they had observed them
 * (crdt-semantics.md 3.1, 3.3). */
#include "models/crdt/crdt.h"

#include <glib.h>

static void string_apply(SlotWorld *world, Slot *slot, const SlotWrite *write, const Effect *effect)
{
    if (effect->op == EFFECT_INCREMENT)
        slot_increment(world, slot, effect->dot, effect_increment(effect));
    else
        slot_write(world, slot, write);
}

static void string_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 100);

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
        g_snprintf(line, size, "SET %s v%u", key, n);
        break;
    case 3:
        g_snprintf(line, size, "SET %s %u", key, n);
        break;
    case 4:
        g_snprintf(line, size, "APPEND %s x", key);
        break;
    case 5:
        g_snprintf(line, size, "DEL %s", key);
        break;
    case 6:
        g_snprintf(line, size, "INCRBYFLOAT %s 0.%u", key, n + 1);
        break;
    default:
        g_snprintf(line, size, "SETNX %s w%u", key, n);
        break;
    }
}

const CrdtType crdt_string = {
    .head = {.name = "string",
             .summary = "register, latest wall clock wins; increments of all members add up"},
    .redis_name = "string",
    .load_command = "SET",
    .start_kind = VALUE_SYNTHETIC,
    .apply = string_apply,
    .merge = slot_merge,
    .digest = slot_digest,
    .draw = string_draw,
};
