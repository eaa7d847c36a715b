/* Sorted set: each element's score is a slot with a floating-point base.
 *
 * Why it works: ZADD assigns, ZINCRBY increments, ZREM covers what was observed; the order of
 * elements is computed from the scores when asked for, so it needs no merging
 * (crdt-semantics.md 3.5). */
#include "models/crdt/crdt.h"

#include <glib.h>

static void zset_apply(SlotWorld *world, Slot *slot, const SlotWrite *write, const Effect *effect)
{
    if (effect->op == EFFECT_INCREMENT)
        slot_increment(world, slot, effect->dot, effect_increment(effect));
    else
        slot_write(world, slot, write);
}

static void zset_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 100);
    unsigned element = (unsigned)rng_below(rng, 4);

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
        g_snprintf(line, size, "ZADD %s %u.5 e%u", key, n, element);
        break;
    case 2:
        g_snprintf(line, size, "ZADD %s GT %u e%u", key, n, element);
        break;
    case 3:
    case 4:
        g_snprintf(line, size, "ZINCRBY %s %u.1 e%u", key, n, element);
        break;
    case 5:
        g_snprintf(line, size, "ZREM %s e%u", key, element);
        break;
    case 6:
        g_snprintf(line, size, "ZPOPMIN %s", key);
        break;
    default:
        g_snprintf(line, size, "DEL %s", key);
        break;
    }
}

const CrdtType crdt_zset = {
    .head = {.name = "zset",
             .summary = "each score is a register or counter; order follows from scores"},
    .redis_name = "zset",
    .load_command = "ZADD",
    .has_elements = true,
    .start_kind = VALUE_SCORE,
    .apply = zset_apply,
    .merge = slot_merge,
    .digest = slot_digest,
    .draw = zset_draw,
};
