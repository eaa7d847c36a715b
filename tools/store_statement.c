/* Why it works: parameters are bound by counting, so the order of calls is the order of question
 * marks, and a finished statement resets itself, so that a loop only binds and runs.
 */
#include "tools/store_statement.h"

#include <math.h>

#include "sim/ensure.h"
#include "tools/store_inside.h"

struct Statement {
    StoreFile *store;
    sqlite3_stmt *sql;
    int bound_count;
};

Statement *statement_new(StoreFile *store, const char *sql, GError **error)
{
    Statement *statement = g_new0(Statement, 1);
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement->sql, NULL);

    if (code != SQLITE_OK) {
        store_file_fail(store, code, error);
        g_free(statement);
        return NULL;
    }
    statement->store = store;
    return statement;
}

void statement_free(Statement *statement)
{
    if (!statement)
        return;
    sqlite3_finalize(statement->sql);
    g_free(statement);
}

void statement_text(Statement *statement, const char *text)
{
    int code = sqlite3_bind_text(statement->sql, ++statement->bound_count, text ? text : "", -1,
                                 SQLITE_TRANSIENT);

    ensure(code == SQLITE_OK || code == SQLITE_NOMEM || code == SQLITE_TOOBIG);
}

void statement_int(Statement *statement, int64_t value)
{
    int code = sqlite3_bind_int64(statement->sql, ++statement->bound_count, value);

    ensure(code == SQLITE_OK);
}

void statement_real(Statement *statement, double value)
{
    int code;

    statement->bound_count++;
    if (isfinite(value))
        code = sqlite3_bind_double(statement->sql, statement->bound_count, value);
    else
        code = sqlite3_bind_null(statement->sql, statement->bound_count);
    ensure(code == SQLITE_OK);
}

void statement_blob(Statement *statement, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    int code = sqlite3_bind_blob64(statement->sql, ++statement->bound_count, size > 0 ? data : "",
                                   size, SQLITE_TRANSIENT);

    ensure(code == SQLITE_OK || code == SQLITE_NOMEM || code == SQLITE_TOOBIG);
}

static void statement_again(Statement *statement)
{
    sqlite3_reset(statement->sql);
    statement->bound_count = 0;
}

bool statement_row(Statement *statement, GError **error)
{
    int code = sqlite3_step(statement->sql);

    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        store_file_fail(statement->store, code, error);
    statement_again(statement);
    return false;
}

bool statement_run(Statement *statement, GError **error)
{
    int code = sqlite3_step(statement->sql);

    if (code != SQLITE_DONE && code != SQLITE_ROW)
        store_file_fail(statement->store, code, error);
    statement_again(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW;
}

uint32_t statement_column_count(const Statement *statement)
{
    return (uint32_t)sqlite3_column_count(statement->sql);
}

ColumnType statement_column_type(const Statement *statement, uint32_t column)
{
    switch (sqlite3_column_type(statement->sql, (int)column)) {
    case SQLITE_INTEGER:
        return COLUMN_INT;
    case SQLITE_FLOAT:
        return COLUMN_REAL;
    case SQLITE_TEXT:
        return COLUMN_TEXT;
    case SQLITE_BLOB:
        return COLUMN_BLOB;
    default:
        return COLUMN_NULL;
    }
}

const char *statement_column_text(const Statement *statement, uint32_t column)
{
    const unsigned char *text = sqlite3_column_text(statement->sql, (int)column);

    return text ? (const char *)text : "";
}

int64_t statement_column_int(const Statement *statement, uint32_t column)
{
    return sqlite3_column_int64(statement->sql, (int)column);
}

double statement_column_real(const Statement *statement, uint32_t column)
{
    if (statement_column_type(statement, column) == COLUMN_NULL)
        return (double)NAN;
    return sqlite3_column_double(statement->sql, (int)column);
}

GBytes *statement_column_blob(const Statement *statement, uint32_t column)
{
    const void *data = sqlite3_column_blob(statement->sql, (int)column);
    int size = sqlite3_column_bytes(statement->sql, (int)column);

    return g_bytes_new(data, (gsize)size);
}
