/* HyperLogLog: an estimate of how many different elements were added; a DEL wins over what was
 * added concurrently (crdt-semantics.md 6).
 *
 * Why it works: see crdt/body_hll.c.  A register holds a maximum, so of one origin's records for a
 * key the newest is all that history needs. */
#include "models/crdt/body_hll.h"
#include "models/crdt/crdt.h"

static void hyperloglog_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 6);

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
    case 3:
        g_snprintf(line, size, "PFADD %s e%u", key, n);
        break;
    case 4:
        g_snprintf(line, size, "PFADD %s e%u e%u", key, n, n + 1);
        break;
    case 5:
        g_snprintf(line, size, "PFADD %s", key);
        break;
    case 6:
        g_snprintf(line, size, "PFMERGE %s %s", key, key);
        break;
    default:
        g_snprintf(line, size, "DEL %s", key);
        break;
    }
}

const CrdtType crdt_hyperloglog = {
    .head = {.name = "hll", .summary = "counts what was added; DEL beats what it has not seen"},
    .redis_name = "string",
    .load_command = "PFADD",
    .retains_by_key = true,
    .start_kind = VALUE_SYNTHETIC,
    .body = &body_hll,
    .draw = hyperloglog_draw,
};
