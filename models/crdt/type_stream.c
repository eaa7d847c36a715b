/* Stream: entries of every region merged by id, and consumer groups (crdt-semantics.md 7).
 *
 * Why it works: a key is one body; crdt/body_stream.h has the rule. */
#include "models/crdt/crdt.h"

#include <glib.h>

#include "models/crdt/body_stream.h"

static void draw_group(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned group = (unsigned)rng_below(rng, 2);

    switch (rng_below(rng, 6)) {
    case 0:
    case 1:
        g_snprintf(line, size, "XGROUP CREATE %s g%u 0 MKSTREAM", key, group);
        break;
    case 2:
        g_snprintf(line, size, "XGROUP DESTROY %s g%u", key, group);
        break;
    case 3:
    case 4:
        g_snprintf(line, size, "XREADGROUP GROUP g%u c%u COUNT 2 STREAMS %s >", group,
                   (unsigned)rng_below(rng, 2), key);
        break;
    default:
        g_snprintf(line, size, "XACK %s g%u %u-1 %u-2 %u-3", key, group,
                   (unsigned)rng_below(rng, 8), (unsigned)rng_below(rng, 8),
                   (unsigned)rng_below(rng, 8));
        break;
    }
}

static void stream_draw(Rng *rng, const char *key, char *line, size_t size)
{
    unsigned ms = (unsigned)rng_below(rng, 8);

    switch (rng_below(rng, 12)) {
    case 0:
    case 1:
    case 2:
        g_snprintf(line, size, "XADD %s * f v%u", key, ms);
        break;
    case 3:
    case 4:
        g_snprintf(line, size, "XADD %s %u f v%u", key, ms, ms);
        break;
    case 5:
        g_snprintf(line, size, "XDEL %s %u-1 %u-2 %u-3", key, ms, ms, ms);
        break;
    case 6:
        g_snprintf(line, size, "XTRIM %s MAXLEN %u", key, ms);
        break;
    case 7:
        g_snprintf(line, size, "DEL %s", key);
        break;
    default:
        draw_group(rng, key, line, size);
        break;
    }
}

const CrdtType crdt_stream = {
    .head = {.name = "stream",
             .summary = "entries of every region, merged by id; of groups, delete wins"},
    .redis_name = "stream",
    .load_command = "XADD",
    .start_kind = VALUE_SYNTHETIC,
    .body = &body_stream,
    .draw = stream_draw,
};
