/* Why it works: a new file is built under a name that no other process uses and put in place by a
 * hard link, which fails instead of replacing when somebody else was first, whose file is then the
 * one opened; so nobody ever sees half a schema, and no file is ever lost.  What belongs together
 * is one transaction; SQLite's journal undoes the rest after a kill.
 */
#include "tools/store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "sim/ensure.h"
#include "tools/store_inside.h"
#include "tools/store_schema.h"
#include "tools/store_statement.h"
#include "tools/version.h"

#define BUSY_MS 10000 /* another quintet may be writing one run into the same file */

void store_file_fail(const StoreFile *store, int code, GError **error)
{
    const char *meaning = "";

    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
        meaning = "; what it held before is intact";
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        meaning = "; choose another file with --out";
        break;
    case SQLITE_BUSY:
        meaning = " by another program; try again when it is done";
        break;
    default:
        break;
    }
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "%s: cannot read or write results: %s%s",
                store->path, sqlite3_errmsg(store->db), meaning);
}

bool store_file_execute(StoreFile *store, const char *sql, GError **error)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        store_file_fail(store, code, error);
    return code == SQLITE_OK;
}

/* SQLite would only say that it cannot open it. */
static bool store_is_folder(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return false;
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                "%s: this is a folder; name a file in it, such as %s%sresults.db", path, path,
                g_str_has_suffix(path, "/") ? "" : "/");
    return true;
}

static StoreFile *store_file_connect(const char *path, int flags, GError **error)
{
    StoreFile *store = g_new0(StoreFile, 1);
    int code;

    store->path = g_strdup(path);
    code = sqlite3_open_v2(path, &store->db, flags, NULL);
    if (code != SQLITE_OK) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "%s: cannot open: %s", path,
                    store->db ? sqlite3_errmsg(store->db) : "out of memory");
        store_file_close(store);
        return NULL;
    }
    sqlite3_busy_timeout(store->db, BUSY_MS);
    return store;
}

static bool store_pragma(StoreFile *store, const char *sql, int64_t *out, GError **error)
{
    g_autoptr(Statement) statement = statement_new(store, sql, error);

    *out = 0;
    if (!statement)
        return false;
    if (!statement_row(statement, error))
        return false;
    *out = statement_column_int(statement, 0);
    return true;
}

/* A file is made by one build, and its tables have that build's version. */
static void complain_version(StoreFile *store, int64_t version, GError **error)
{
    g_autoptr(Statement) writer = statement_new(store, "SELECT max(version) FROM run", NULL);
    const char *name =
        writer && statement_row(writer, NULL) ? statement_column_text(writer, 0) : "";

    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                "%s: written by another build of quintet (%s%stables of version %" G_GINT64_FORMAT
                "; this one is %s, version %d); read it with that build, or run its scenario again "
                "into another file with --out",
                store->path, name, *name ? ", " : "", version, QUINTET_VERSION,
                STORE_SCHEMA_VERSION);
}

/* Ours, and of a version we know. */
static bool store_file_is_ours(StoreFile *store, GError **error)
{
    int64_t application_id = 0;
    int64_t version = 0;

    if (!store_pragma(store, "PRAGMA application_id", &application_id, NULL) ||
        application_id != STORE_APPLICATION_ID) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: this is not a results file of quintet; left as it is, choose another file",
                    store->path);
        return false;
    }
    if (!store_pragma(store, "PRAGMA user_version", &version, error))
        return false;
    if (version != STORE_SCHEMA_VERSION)
        complain_version(store, version, error);
    return version == STORE_SCHEMA_VERSION;
}

/* Puts the finished file in place unless somebody else was first: that one is as good. */
static bool store_put_in_place(const char *temporary, const char *path, GError **error)
{
    int failed = 0;

    if (link(temporary, path) != 0)
        failed = errno;
    /* Some file systems know no hard links; there the gap between look and rename is accepted. */
    if (failed && failed != EEXIST && !g_file_test(path, G_FILE_TEST_EXISTS))
        failed = g_rename(temporary, path) == 0 ? 0 : errno;
    g_unlink(temporary);
    if (failed && failed != EEXIST) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "%s: cannot create: %s", path,
                    g_strerror(failed));
        return false;
    }
    return true;
}

/* A file that cannot be made beside where it shall be: nearly always the folder's fault. */
static void complain_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: cannot create: the folder %s does not exist; make it, or choose another "
                    "file with --out",
                    path, folder);
    else
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: cannot create: the folder %s cannot be written; choose another file with "
                    "--out",
                    path, folder);
}

static bool store_file_create(const char *path, GError **error)
{
    g_autofree char *temporary = g_strdup_printf("%s.%d.tmp", path, (int)getpid());
    g_autofree char *schema = store_schema_sql();
    g_autofree char *sql = g_strconcat("BEGIN;\n", schema, "COMMIT;", NULL);
    StoreFile *store;
    bool created;

    g_unlink(temporary); /* of one with our id, killed before the link: never a results file */
    store = store_file_connect(temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (!store) {
        complain_folder(path, error);
        return false;
    }
    created = store_file_execute(store, sql, error);
    store_file_close(store);
    if (!created) {
        g_unlink(temporary);
        return false;
    }
    return store_put_in_place(temporary, path, error);
}

StoreFile *store_file_open(const char *path, GError **error)
{
    g_autoptr(StoreFile) store = NULL;

    if (store_is_folder(path, error))
        return NULL;
    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !store_file_create(path, error))
        return NULL;
    store = store_file_connect(path, SQLITE_OPEN_READWRITE, error);
    if (!store || !store_file_is_ours(store, error))
        return NULL;
    if (sqlite3_db_readonly(store->db, "main")) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: cannot write: the file is read-only; choose another file with --out",
                    path);
        return NULL;
    }
    return g_steal_pointer(&store);
}

StoreFile *store_file_open_reading(const char *path, GError **error)
{
    g_autoptr(StoreFile) store = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: no such file; `quintet run` makes one", path);
        return NULL;
    }
    if (store_is_folder(path, error))
        return NULL;
    store = store_file_connect(path, SQLITE_OPEN_READONLY, error);
    if (!store || !store_file_is_ours(store, error))
        return NULL;
    return g_steal_pointer(&store);
}

void store_file_close(StoreFile *store)
{
    if (!store)
        return;
    sqlite3_close(store->db);
    g_free(store->path);
    g_free(store);
}

const char *store_file_path(const StoreFile *store)
{
    return store->path;
}

char *store_run_id(const StoreRun *run)
{
    GString *id = g_string_new(NULL);

    g_string_append_printf(id, "%s.%s", run->scenario->hash, run->variant);
    if (run->point[0])
        g_string_append_printf(id, "@%s", run->point);
    g_string_append_printf(id, ".%" G_GUINT64_FORMAT, run->seed);
    if (run->slice > 1)
        g_string_append_printf(id, ".slice%u", run->slice);
    if (run->until_ns > 0) {
        char text[UNIT_TEXT_MAX];

        g_string_append_printf(id, ".until%s", format_time(run->until_ns, text));
    }
    return g_string_free(id, FALSE);
}

static bool store_insert_scenario(StoreFile *store, const StoreScenario *scenario, GError **error)
{
    g_autoptr(Statement) insert =
        statement_new(store, "INSERT OR IGNORE INTO scenario VALUES (?, ?, ?, ?)", error);

    if (!insert)
        return false;
    statement_text(insert, scenario->hash);
    statement_text(insert, scenario->name);
    statement_text(insert, scenario->title);
    statement_text(insert, scenario->text);
    return statement_run(insert, error);
}

static bool store_insert_run(StoreFile *store, const StoreRun *run, const StoreOutcome *outcome,
                             GError **error)
{
    g_autofree char *id = store_run_id(run);
    g_autoptr(Statement) insert = NULL;

    insert = statement_new(
        store,
        outcome ? "INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                : "INSERT OR IGNORE INTO run (run, scenario, variant, point, seed, slice, "
                  "until_ns, version, status) VALUES (?,?,?,?,?,?,?,?,?)",
        error);
    if (!insert)
        return false;
    statement_text(insert, id);
    statement_text(insert, run->scenario->hash);
    statement_text(insert, run->variant);
    statement_text(insert, run->point);
    statement_int(insert, (int64_t)run->seed); /* the bits; SQLite knows no unsigned numbers */
    statement_int(insert, (int64_t)run->slice);
    statement_int(insert, run->until_ns);
    statement_text(insert, QUINTET_VERSION);
    statement_text(insert, outcome ? "done" : "running");
    if (outcome) {
        char digest[17];

        g_snprintf(digest, sizeof(digest), "%016" G_GINT64_MODIFIER "x", outcome->digest);
        statement_text(insert, digest);
        statement_int(insert, outcome->ended_ns);
        statement_int(insert, outcome->stopped ? 1 : 0);
        statement_int(insert, (int64_t)outcome->event_count);
        statement_int(insert, (int64_t)outcome->client_op_count);
        statement_real(insert, outcome->kept_share);
    }
    return statement_run(insert, error);
}

/* Runs what works inside one transaction; on failure nothing of it stays. */
static bool store_file_commit(StoreFile *store, bool worked, GError **error)
{
    if (worked && store_file_execute(store, "COMMIT", error))
        return true;
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool store_file_begin_run(StoreFile *store, const StoreRun *run, GError **error)
{
    bool worked;

    if (!store_file_execute(store, "BEGIN IMMEDIATE", error))
        return false;
    worked = store_insert_scenario(store, run->scenario, error) &&
             store_insert_run(store, run, NULL, error);
    return store_file_commit(store, worked, error);
}

/* The digest of a run that is done, NULL when there is none. */
static bool store_done_digest(StoreFile *store, const char *id, char **out_digest, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(Statement) query =
        statement_new(store, "SELECT digest FROM run WHERE run = ? AND status = 'done'", error);

    *out_digest = NULL;
    if (!query)
        return false;
    statement_text(query, id);
    if (statement_row(query, &failure))
        *out_digest = g_strdup(statement_column_text(query, 0));
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    return true;
}

static bool store_clear_run(StoreFile *store, const char *id, GError **error)
{
    for (size_t i = 0; i < store_table_count; i++) {
        g_autofree char *sql = NULL;
        g_autoptr(Statement) erase = NULL;

        if (!store_tables[i].of_run)
            continue;
        sql = g_strdup_printf("DELETE FROM %s WHERE run = ?", store_tables[i].name);
        erase = statement_new(store, sql, error);
        if (!erase)
            return false;
        statement_text(erase, id);
        if (!statement_run(erase, error))
            return false;
    }
    return true;
}

bool store_file_finish_run(StoreFile *store, const StoreRun *run, const StoreOutcome *outcome,
                           bool replace, StoreRunResult *out_result, GError **error)
{
    g_autofree char *id = store_run_id(run);
    g_autofree char *stored = NULL;
    g_autofree char *made = g_strdup_printf("%016" G_GINT64_MODIFIER "x", outcome->digest);
    bool worked;

    if (!store_file_execute(store, "BEGIN IMMEDIATE", error))
        return false;
    if (!store_done_digest(store, id, &stored, error))
        return store_file_commit(store, false, error);
    if (stored && !replace) {
        *out_result = strcmp(stored, made) == 0 ? STORE_RUN_SAME : STORE_RUN_OTHER;
        return store_file_commit(store, true, error);
    }
    worked = store_clear_run(store, id, error) &&
             store_insert_scenario(store, run->scenario, error) &&
             store_insert_run(store, run, outcome, error) &&
             store_write_outcome(store, id, outcome, error);
    if (!store_file_commit(store, worked, error))
        return false;
    *out_result = STORE_RUN_TAKEN;
    return true;
}

const char *verdict_name(VerdictKind kind)
{
    static const char *const names[] = {
        [VERDICT_PASS] = "PASS",
        [VERDICT_FAIL] = "FAIL",
        [VERDICT_NO_DATA] = "NO DATA",
        [VERDICT_NOT_EVALUATED] = "NOT EVALUATED",
    };

    ensure((size_t)kind < G_N_ELEMENTS(names));
    return names[kind];
}

const char *verdict_text(const Verdict *verdict)
{
    bool measured = verdict->kind == VERDICT_PASS || verdict->kind == VERDICT_FAIL;

    return measured && verdict->not_from_slice ? VERDICT_NOT_FROM_SLICE
                                               : verdict_name(verdict->kind);
}

static bool store_insert_verdict(Statement *insert, const StoreRun *run, const StoreVerdict *row,
                                 GError **error)
{
    const Expectation *expectation = row->expectation;
    const Verdict *verdict = row->verdict;
    bool measured = verdict->kind == VERDICT_PASS || verdict->kind == VERDICT_FAIL;

    statement_text(insert, run->scenario->hash);
    statement_text(insert, expectation->id);
    statement_int(insert, (int64_t)run->slice);
    statement_int(insert, run->until_ns);
    statement_text(insert, row->seeds);
    statement_text(insert, expectation->variant);
    statement_text(insert, expectation->phase);
    statement_text(insert, expectation->must ? "must" : "should");
    statement_text(insert, verdict_text(verdict));
    statement_text(insert, verdict->measured);
    statement_text(insert, verdict->limit);
    statement_real(insert, measured ? verdict->left.value : (double)NAN);
    statement_real(insert, measured ? verdict->left_low : (double)NAN);
    statement_real(insert, measured ? verdict->left_high : (double)NAN);
    statement_text(insert, expectation->text);
    statement_text(insert, expectation->why);
    statement_text(insert, verdict->note);
    return statement_run(insert, error);
}

bool store_file_verdicts(StoreFile *store, const StoreRun *run, const StoreVerdict *verdicts,
                         uint32_t count, GError **error)
{
    g_autoptr(Statement) judged = statement_new(
        store, "INSERT OR REPLACE INTO verdict VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", error);
    g_autoptr(Statement) missing = statement_new(
        store, "INSERT OR IGNORE INTO verdict VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        judged ? error : NULL);
    bool worked = true;

    if (!judged || !missing || !store_file_execute(store, "BEGIN IMMEDIATE", error))
        return false;
    for (uint32_t i = 0; worked && i < count; i++) {
        bool is_judged = verdicts[i].verdict->kind != VERDICT_NOT_EVALUATED;

        worked = store_insert_verdict(is_judged ? judged : missing, run, &verdicts[i], error);
    }
    return store_file_commit(store, worked, error);
}
