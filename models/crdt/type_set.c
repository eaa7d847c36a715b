/* Set: an element is in while some add of it is uncovered.
 *
 * Why it works: a remove covers exactly the adds its member had observed, told by the observed
 * clock it carries; an add covers no other member's add.  Of one origin's adds the newest says all,
 * because whoever observed it observed the older ones (crdt-semantics.md 4; Shapiro et al. 2011).
 */
#include "models/crdt/crdt.h"

#include <glib.h>

static void set_apply(SlotWorld *world, Slot *slot, const SlotWrite *write, const Effect *effect)
{
    (void)effect;
    slot_write(world, slot, write);
}

static void set_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 5);

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
        g_snprintf(line, size, "SADD %s e%u", key, n);
        break;
    case 3:
        g_snprintf(line, size, "SADD %s e%u e%u", key, n, n + 1);
        break;
    case 4:
    case 5:
        g_snprintf(line, size, "SREM %s e%u", key, n);
        break;
    case 6:
        g_snprintf(line, size, "SPOP %s", key);
        break;
    default:
        g_snprintf(line, size, "DEL %s", key);
        break;
    }
}

const CrdtType crdt_set = {
    .head = {.name = "set", .summary = "adds survive removes that had not seen them"},
    .redis_name = "set",
    .load_command = "SADD",
    .has_elements = true,
    .add_wins = true,
    .start_kind = VALUE_SYNTHETIC,
    .apply = set_apply,
    .merge = slot_merge,
    .digest = slot_digest,
    .draw = set_draw,
};
