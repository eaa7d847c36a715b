/* List: a sequence whose elements keep their places among concurrent edits.
 *
 * Why it works: see models/crdt/body_list.h. */
#include "models/crdt/crdt.h"

#include <glib.h>

#include "models/crdt/body_list.h"

static void list_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned n = (unsigned)rng_below(rng, 5);
    int index = (int)rng_below(rng, 7) - 3;

    switch (rng_below(rng, 12)) {
    case 0:
    case 1:
        g_snprintf(line, size, "LPUSH %s e%u", key, n);
        break;
    case 2:
    case 3:
        g_snprintf(line, size, "RPUSH %s e%u e%u", key, n, n + 1);
        break;
    case 4:
    case 5:
        g_snprintf(line, size, "LINSERT %s %s e%u i%u", key, n % 2 == 0 ? "BEFORE" : "AFTER", n, n);
        break;
    case 6:
        g_snprintf(line, size, "LSET %s %d s%u", key, index, n);
        break;
    case 7:
        g_snprintf(line, size, "LREM %s %d e%u", key, index, n);
        break;
    case 8:
        g_snprintf(line, size, "%s %s", n % 2 == 0 ? "LPOP" : "RPOP", key);
        break;
    case 9:
        g_snprintf(line, size, "LTRIM %s %d -1", key, index);
        break;
    case 10:
        g_snprintf(line, size, "RPOPLPUSH %s %s", key, key);
        break;
    default:
        g_snprintf(line, size, "DEL %s", key);
        break;
    }
}

const CrdtType crdt_list = {
    .head = {.name = "list", .summary = "elements keep their places; removals win over updates"},
    .redis_name = "list",
    .load_command = "LPUSH",
    .start_kind = VALUE_SYNTHETIC,
    .body = &body_list,
    .draw = list_draw,
};
