/* The carried tables are plain CSV without surprises, read field by field where they lie.
 *
 * Look-ups happen once per member and link at load, so a linear scan is simple and fast enough; no
 * state is kept.
 */
#include "models/scenario/catalog.h"

#include <string.h>

#include "models/scenario/catalog_data.h"
#include "sim/units.h"

/* The start of the line after the one at `line`, NULL at the end. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end && end[1] ? end + 1 : NULL;
}

/* Field `index` of the line, copied; "" when there is none. */
static char *field(const char *line, uint32_t index)
{
    size_t length = strcspn(line, "\r\n");
    const char *at = line, *end = line + length;

    for (uint32_t i = 0; i < index; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));

        if (!comma)
            return g_strdup("");
        at = comma + 1;
    }
    length = (size_t)(end - at);
    {
        const char *comma = memchr(at, ',', length);

        return g_strndup(at, comma ? (size_t)(comma - at) : length);
    }
}

static bool field_equals(const char *line, uint32_t index, const char *text)
{
    g_autofree char *found = field(line, index);

    return strcmp(found, text) == 0;
}

/* The names of column `index` of a table, for nearest matches. */
static GPtrArray *column(const char *csv, uint32_t index)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (const char *line = next_line(csv); line; line = next_line(line))
        g_ptr_array_add(names, field(line, index));
    return names;
}

typedef struct {
    const char *what, *file, *example;
} Table;

static void unknown(GError **error, const JsonNode *at, const Table *table, const char *found,
                    GPtrArray *names)
{
    const char *nearest = nearest_name(found, (const char *const *)names->pdata, names->len);

    if (nearest)
        json_error(error, at, "no %s is called \"%s\"; did you mean \"%s\"?", table->what, found,
                   nearest);
    else
        json_error(error, at, "no %s is called \"%s\"; write one of those in %s, such as \"%s\"",
                   table->what, found, table->file, table->example);
}

static const char *region_line(int32_t index)
{
    const char *line = next_line(catalog_regions_csv);

    for (int32_t i = 0; i < index && line; i++)
        line = next_line(line);
    return line;
}

int32_t catalog_region(const char *name, const JsonNode *at, GError **error)
{
    int32_t index = 0;
    g_autoptr(GPtrArray) names = NULL;

    for (const char *line = next_line(catalog_regions_csv); line; line = next_line(line), index++)
        if (field_equals(line, 0, name) || field_equals(line, 1, name))
            return index;
    names = column(catalog_regions_csv, 1);
    unknown(error, at, &(Table){"region", "scenarios/data/regions.csv", "East US"}, name, names);
    return -1;
}

bool catalog_rtt_ms(int32_t from, int32_t to, double *out_p50, double *out_p95)
{
    g_autofree char *from_name = field(region_line(from), 0);
    g_autofree char *to_name = field(region_line(to), 0);

    if (from == to) {
        /* Between zones of one region: 1.55 ms (azure-behaviour.md section 10, one author's
         * measurement). */
        *out_p50 = 1.55;
        *out_p95 = 1.7;
        return true;
    }
    for (const char *line = next_line(catalog_rtt_csv); line; line = next_line(line)) {
        g_autofree char *p50 = NULL, *p95 = NULL;

        if (!field_equals(line, 0, from_name) || !field_equals(line, 1, to_name))
            continue;
        p50 = field(line, 2);
        p95 = field(line, 3);
        *out_p50 = g_ascii_strtod(p50, NULL);
        *out_p95 = g_ascii_strtod(p95, NULL);
        return *out_p50 > 0;
    }
    return false;
}

bool catalog_sku(const char *name, const JsonNode *at, CatalogSku *out, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    for (const char *line = next_line(catalog_skus_csv); line; line = next_line(line)) {
        g_autofree char *usable = NULL, *shards = NULL;

        if (!field_equals(line, 0, name))
            continue;
        usable = field(line, 4);
        shards = field(line, 6);
        out->usable_bytes = (uint64_t)(g_ascii_strtod(usable, NULL) * 1e9);
        out->shards = (uint32_t)g_ascii_strtoull(shards, NULL, 10);
        out->geo_replication = field_equals(line, 12, "yes");
        return true;
    }
    names = column(catalog_skus_csv, 0);
    unknown(error, at, &(Table){"SKU", "scenarios/data/skus.csv", "Balanced_B10"}, name, names);
    return false;
}
