/* A results file: one SQLite file that holds many runs and outlives the program that made them.
 *
 * A new file appears complete with its schema or not at all.  A run is two transactions: its row
 * with status "running", then everything it measured together with status "done"; a kill between
 * them leaves the first and no other trace.  A run that is done is never overwritten unasked.  What
 * cannot be written is an error of kind QUINTET_ERROR_IO and leaves earlier runs as they were.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/world/world.h"
#include "tools/latency_course.h"

typedef struct StoreFile StoreFile;

/* Opens the results file at path, or makes it.  Anything there that is not a results file is an
 * error. */
StoreFile *store_file_open(const char *path, GError **error);
/* Opens one that must exist, for reading. */
StoreFile *store_file_open_reading(const char *path, GError **error);
void store_file_close(StoreFile *store);
const char *store_file_path(const StoreFile *store);

typedef struct {
    const char *hash; /* 16 hexadecimal digits */
    const char *name;
    const char *title;
    const char *text;
} StoreScenario;

/* What names a run. */
typedef struct {
    const StoreScenario *scenario;
    const char *variant; /* "" for the base */
    const char *point;   /* of a sweep, "" without */
    uint64_t seed;
    uint32_t slice;   /* 1: none */
    SimTime until_ns; /* 0: the scenario's duration */
} StoreRun;

char *store_run_id(const StoreRun *run); /* "8c1f….slow-dns.20260601" */

/* What came of it. */
typedef struct {
    const Recording *recording;
    const World *world;          /* its log; NULL: empty */
    const LatencyCourse *course; /* NULL: none */
    uint64_t digest;
    SimTime ended_ns;
    bool stopped; /* by an abort condition */
    uint64_t event_count;
    uint64_t client_op_count;
    double kept_share;
    const char *started; /* wall clock, for provenance */
    double took_s;
} StoreOutcome;

typedef enum {
    STORE_RUN_TAKEN, /* written now */
    STORE_RUN_SAME,  /* was there already, with the same digest */
    STORE_RUN_OTHER, /* was there already with another digest, and was kept */
} StoreRunResult;

/* First transaction.  A run that is done keeps its row until store_file_finish_run. */
bool store_file_begin_run(StoreFile *store, const StoreRun *run, GError **error);
/* Second transaction.  replace: a run that is done with another digest gives way. */
bool store_file_finish_run(StoreFile *store, const StoreRun *run, const StoreOutcome *outcome,
                           bool replace, StoreRunResult *out_result, GError **error);

typedef struct {
    const Expectation *expectation;
    const Verdict *verdict;
    const char *seeds; /* that it pools, "20260601+20" */
} StoreVerdict;

/* Third: what the runs of one call mean together.  One that was not evaluated never replaces
 * another. */
bool store_file_verdicts(StoreFile *store, const StoreRun *run, const StoreVerdict *verdicts,
                         uint32_t count, GError **error);

const char *verdict_name(VerdictKind kind); /* "PASS", "FAIL", "NO DATA", "NOT EVALUATED" */
/* Estimates that add up to less than this share of what clients send are not from this slice: the
 * same quarter that an interval may have. */
#define SLICE_COVERAGE_MIN 0.75
/* verdict_name, but what an estimate of a slice leaves open is neither passed nor failed. */
#define VERDICT_NOT_FROM_SLICE "NOT FROM SLICE"
const char *verdict_text(const Verdict *verdict);

/* Equality of results: all tables but provenance, rows in key order, values by type; runs that are
 * not done are no results. */
bool store_file_digest(StoreFile *store, uint64_t *out_digest, GError **error);
/* The same of one table (an index of store_tables). */
bool store_file_table_digest(StoreFile *store, uint32_t table_index, uint64_t *out_digest,
                             uint64_t *out_rows, GError **error);

/* "site=asia-viewers,outcome=ok": the key an instrument has in every table. */
char *store_labels_text(const Labels *labels);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreFile, store_file_close)
