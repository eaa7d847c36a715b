/* Why it works: every table is WITHOUT ROWID, so its rows in the order of the primary key are the
 * same whatever the order of writing, and a value's type is folded before its bits, so that 1, 1.0
 * and '1' differ.  A run that was cut off has measured nothing; without its row a file has the
 * digest of its results alone, whatever happened to other runs.
 */
#include <string.h>

#include "sim/digest.h"
#include "sim/ensure.h"
#include "tools/store_inside.h"
#include "tools/store_schema.h"
#include "tools/store_statement.h"

static void fold_value(Digest *digest, const Statement *row, uint32_t column)
{
    ColumnType type = statement_column_type(row, column);

    digest_u64(digest, (uint64_t)type);
    switch (type) {
    case COLUMN_NULL:
        break;
    case COLUMN_INT:
        digest_u64(digest, (uint64_t)statement_column_int(row, column));
        break;
    case COLUMN_REAL: {
        double value = statement_column_real(row, column);
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        digest_u64(digest, bits);
        break;
    }
    case COLUMN_TEXT:
        digest_text(digest, statement_column_text(row, column));
        break;
    case COLUMN_BLOB: {
        g_autoptr(GBytes) bytes = statement_column_blob(row, column);
        gsize size;
        const void *data = g_bytes_get_data(bytes, &size);

        digest_u64(digest, size);
        digest_bytes(digest, size > 0 ? data : "", size);
        break;
    }
    }
}

bool store_file_table_digest(StoreFile *store, uint32_t table_index, uint64_t *out_digest,
                             uint64_t *out_rows, GError **error)
{
    const StoreTable *table = &store_tables[table_index];
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s WHERE %s ORDER BY %s", table->name,
                                           table->results ? table->results : "true", table->key);
    g_autoptr(Statement) query = statement_new(store, sql, error);
    g_autoptr(GError) failure = NULL;
    Digest digest = digest_begin();
    uint64_t rows = 0;

    if (!query)
        return false;
    digest_text(&digest, table->name);
    while (statement_row(query, &failure)) {
        for (uint32_t i = 0; i < statement_column_count(query); i++)
            fold_value(&digest, query, i);
        rows++;
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    *out_digest = digest.value;
    *out_rows = rows;
    return true;
}

bool store_file_digest(StoreFile *store, uint64_t *out_digest, GError **error)
{
    Digest digest = digest_begin();

    for (uint32_t i = 0; i < store_table_count; i++) {
        uint64_t part;
        uint64_t rows;

        if (!store_tables[i].in_digest)
            continue;
        if (!store_file_table_digest(store, i, &part, &rows, error))
            return false;
        digest_u64(&digest, part);
        digest_u64(&digest, rows);
    }
    *out_digest = digest.value;
    return true;
}
