/* The tables and views of a results file.
 *
 * Keys are natural: a run is named by its scenario's hash, variant, point, seed and whatever cut it
 * short, so that the same run made elsewhere has the same name.  Everything a run measured hangs on
 * that name and appears in the transaction that marks it done; views therefore see complete runs
 * only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STORE_APPLICATION_ID 0x514e5454 /* "QNTT": how we know a file is ours */
#define STORE_SCHEMA_VERSION 2

typedef struct {
    const char *name;
    const char *key;     /* columns of the primary key */
    const char *columns; /* their definitions */
    bool of_run;         /* has a column `run` and is emptied when that run is replaced */
    bool in_digest;      /* provenance is not: it says when and how long, not what */
    const char *results; /* SQL: which rows belong to a run that is done; NULL: all, as nothing else
                            is written before a run is */
} StoreTable;

extern const StoreTable store_tables[];
extern const size_t store_table_count;

/* Statements that create all tables and views. */
char *store_schema_sql(void);
