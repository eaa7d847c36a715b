/* JSON: documents whose slots hold assignments and whose arrays are sequences
 * (crdt-semantics.md 8).
 *
 * Why it works: a key is one body; crdt/body_json.h has the rule. */
#include "models/crdt/crdt.h"

#include <glib.h>

#include "models/crdt/body_json.h"

static void json_draw(Rng *rng, const char *key, char *line, size_t size)
{
    static const char *const paths[] = {"$.a", "$.b", "$.a.b", "$.b[0]", "$..a"};
    static const char *const values[] = {"1", "{}", "[1,2]", "{\"a\":{\"b\":1}}"};
    const char *path = paths[rng_below(rng, G_N_ELEMENTS(paths))];
    const char *value = values[rng_below(rng, G_N_ELEMENTS(values))];

    switch (rng_below(rng, 14)) {
    case 0:
    case 1:
        g_snprintf(line, size, "JSON.SET %s $ {\"a\":{\"b\":1},\"b\":[1,2,3]}", key);
        break;
    case 2:
    case 3:
    case 4:
        g_snprintf(line, size, "JSON.SET %s %s %s", key, path, value);
        break;
    case 5:
        g_snprintf(line, size, "JSON.DEL %s %s", key, path);
        break;
    case 6:
        g_snprintf(line, size, "JSON.CLEAR %s %s", key, path);
        break;
    case 7:
    case 8:
        g_snprintf(line, size, "JSON.ARRINSERT %s $.b 0 %s", key, value);
        break;
    case 9:
        g_snprintf(line, size, "JSON.ARRPOP %s $.b 0", key);
        break;
    case 10:
        g_snprintf(line, size, "JSON.NUMINCRBY %s $.a.b 2", key);
        break;
    case 11:
        g_snprintf(line, size, "JSON.ARRTRIM %s $.b 1 %" G_GUINT64_FORMAT, key, rng_below(rng, 4));
        break;
    case 12:
        g_snprintf(line, size, "JSON.MERGE %s $ {\"a\":null,\"b\":{\"a\":%s}}", key, value);
        break;
    default:
        g_snprintf(line, size, "DEL %s", key);
        break;
    }
}

const CrdtType crdt_json = {
    .head = {.name = "json",
             .summary = "documents; of concurrent values the smallest member's shows"},
    .redis_name = "ReJSON-RL",
    .load_command = "JSON.SET",
    .start_kind = VALUE_SYNTHETIC,
    .body = &body_json,
    .draw = json_draw,
};
