/* Why it works: the limits have the names of redis.conf, in a table beside the fields they set, so
 * that a mistyped one gets its nearest match.
 */
#include "tools/calibration.h"

#include <string.h>

#include "sim/json_read.h"

#define LIMIT_MAX 1000000 /* more than any listpack is good for */

bool calibration_configure(FootprintRules *rules, const char *setting, GError **error)
{
    const struct {
        const char *name;
        uint64_t *value, min;
    } settings[] = {
        {"hash-max-listpack-entries", &rules->hash_max_listpack_entries, 0},
        {"hash-max-listpack-value", &rules->hash_max_listpack_value, 0},
        {"zset-max-listpack-entries", &rules->zset_max_listpack_entries, 0},
        {"zset-max-listpack-value", &rules->zset_max_listpack_value, 0},
        {"set-max-intset-entries", &rules->set_max_intset_entries, 0},
        {"list-max-listpack-bytes", &rules->list_max_listpack_bytes, 1},
        {"stream-node-max-bytes", &rules->stream_node_max_bytes, 0},
        {"stream-node-max-entries", &rules->stream_node_max_entries, 0},
        {"hll-sparse-max-bytes", &rules->hll_sparse_max_bytes, 0},
        {"jemalloc-quantum", &rules->jemalloc_quantum, 8},
    };
    const char *names[G_N_ELEMENTS(settings)];
    g_auto(GStrv) parts = g_strsplit(setting, "=", 2);
    const char *nearest;
    uint64_t value;

    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        names[i] = settings[i].name;
        if (!parts[0] || strcmp(parts[0], names[i]) != 0)
            continue;
        if (!parts[1] ||
            !g_ascii_string_to_unsigned(parts[1], 10, settings[i].min, LIMIT_MAX, &value, NULL)) {
            g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_INPUT,
                        "--config: \"%s\" needs a whole number, as in %s=%" G_GUINT64_FORMAT,
                        setting, names[i], *settings[i].value);
            return false;
        }
        if (settings[i].value == &rules->jemalloc_quantum && value != 8 && value != 16) {
            g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_INPUT, "--config: \"%s\" needs 8 or 16",
                        setting);
            return false;
        }
        *settings[i].value = value;
        return true;
    }
    nearest = parts[0] ? nearest_name(parts[0], names, G_N_ELEMENTS(names)) : NULL;
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_INPUT,
                "--config: \"%s\" is not a setting the model knows%s%s%s", setting,
                nearest ? "; did you mean \"" : "; as in hash-max-listpack-entries=128",
                nearest ? nearest : "", nearest ? "\"?" : "");
    return false;
}
