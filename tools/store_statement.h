/* One SQL statement against a results file: values are bound in order, rows are read by column.
 *
 * Everything outside tools/store*.c reads results through this; SQLite itself stays behind it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/store.h"

typedef struct Statement Statement;

Statement *statement_new(StoreFile *store, const char *sql, GError **error);
void statement_free(Statement *statement);

/* The next parameter.  Texts and blobs are copied; NULL binds ''. */
void statement_text(Statement *statement, const char *text);
void statement_int(Statement *statement, int64_t value);
void statement_real(Statement *statement, double value); /* not finite: NULL */
void statement_blob(Statement *statement, GBytes *bytes);

/* For statements without rows; ready to be bound again afterwards. */
bool statement_run(Statement *statement, GError **error);
/* The next row; false at the end and on errors (then *error is set).  At the end ready to be bound
 * again. */
bool statement_row(Statement *statement, GError **error);

typedef enum { COLUMN_NULL, COLUMN_INT, COLUMN_REAL, COLUMN_TEXT, COLUMN_BLOB } ColumnType;

uint32_t statement_column_count(const Statement *statement);
ColumnType statement_column_type(const Statement *statement, uint32_t column);
const char *statement_column_text(const Statement *statement,
                                  uint32_t column); /* borrowed, "" for NULL */
int64_t statement_column_int(const Statement *statement, uint32_t column);
double statement_column_real(const Statement *statement, uint32_t column); /* NaN for NULL */
GBytes *statement_column_blob(const Statement *statement, uint32_t column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Statement, statement_free)
