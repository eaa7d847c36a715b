/* What the store's own files share; nobody else includes this. */
#pragma once

#include <sqlite3.h>

#include "tools/store.h"

struct StoreFile {
    sqlite3 *db;
    char *path;
};

/* Sets error to "PATH: what SQLite says", with what it means for the user. */
void store_file_fail(const StoreFile *store, int code, GError **error);
bool store_file_execute(StoreFile *store, const char *sql, GError **error);
/* Everything store_file_finish_run writes below the run's own row. */
bool store_write_outcome(StoreFile *store, const char *run_id, const StoreOutcome *outcome,
                         GError **error);
