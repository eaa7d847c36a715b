/* The results file: what is in it after which call, and what a kill or a full disk leaves. */
#include "tests/test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/report.h"
#include "tools/store.h"
#include "tools/store_schema.h"
#include "tools/store_statement.h"
#include "tools/version.h"

typedef struct {
    char *folder;
    char *path;
} Fixture;

static const StoreScenario scenario = {
    .hash = "00000000000000aa", .name = "story", .title = "A story", .text = "{}"};

static Fixture *fixture_new(void)
{
    Fixture *f = g_new0(Fixture, 1);

    f->folder = g_dir_make_tmp("quintet-test-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "results.db", NULL);
    return f;
}

static void fixture_free(Fixture *f)
{
    GDir *folder = g_dir_open(f->folder, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);

        g_unlink(path);
    }
    if (folder)
        g_dir_close(folder);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
    g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static StoreRun run_named(const char *variant, uint64_t seed)
{
    return (StoreRun){
        .scenario = &scenario, .variant = variant, .point = "", .seed = seed, .slice = 1};
}

/* Twenty seconds of one site and one member; latencies are around ms, one in ten times out. */
static Recording *record(int64_t ms)
{
    const Phase phases[] = {{"steady", 0, 10 * SIM_S}, {"all", 0, 20 * SIM_S}};
    RecordingConfig config = {
        .duration_ns = 20 * SIM_S, .phases = phases, .phase_count = 2, .seed = 1};
    Recording *recording = recording_new(&config);
    Labels good = {.site = "asia", .member = "us", .family = "f", .op = "GET", .outcome = "ok"};
    Labels bad = {.site = "asia", .member = "us", .family = "f", .op = "GET", .outcome = "timeout"};
    Labels member = {.member = "us"};
    Labels ops = {.site = "asia", .member = "us", .family = "f", .op = "GET"};
    Instrument *ok = recording_instrument(recording, "latency.op", &good);
    Instrument *late = recording_instrument(recording, "latency.op", &bad);
    Instrument *used = recording_instrument(recording, "memory.used", &member);
    Instrument *count = recording_instrument(recording, "ops", &ops);

    for (int second = 0; second < 20; second++) {
        for (int i = 0; i < 10; i++)
            instrument_sample(i == 0 ? late : ok, (ms + i) * SIM_MS, 1);
        instrument_count(count, 10);
        instrument_set(used, second == 7 ? 5e9 : 1e9);
        recording_tick(recording, (second + 1) * SIM_S);
    }
    recording_end(recording, 20 * SIM_S);
    return recording;
}

static StoreOutcome outcome_of(const Recording *recording, uint64_t digest)
{
    return (StoreOutcome){.recording = recording,
                          .digest = digest,
                          .ended_ns = 20 * SIM_S,
                          .event_count = 7,
                          .client_op_count = 200,
                          .kept_share = 1.0,
                          .started = "at some time",
                          .took_s = 0.25};
}

static StoreFile *open_good(const Fixture *f)
{
    g_autoptr(GError) error = NULL;
    StoreFile *store = store_file_open(f->path, &error);

    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(store != NULL);
    return store;
}

static StoreRunResult finish(StoreFile *store, const StoreRun *run, uint64_t digest, bool replace)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Recording) recording = record(30);
    StoreOutcome outcome = outcome_of(recording, digest);
    StoreRunResult result = STORE_RUN_OTHER;

    EXPECT(store_file_begin_run(store, run, &error));
    EXPECT(store_file_finish_run(store, run, &outcome, replace, &result, &error));
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    return result;
}

/* The first column of all rows, joined by blanks. */
static char *ask(StoreFile *store, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Statement) query = statement_new(store, sql, &error);
    GString *text = g_string_new(NULL);

    while (query && statement_row(query, &error))
        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
                               statement_column_text(query, 0));
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    return g_string_free(text, FALSE);
}

#define EXPECT_ANSWER(store, sql, expected)                                                        \
    do {                                                                                           \
        g_autofree char *answer = ask((store), (sql));                                             \
        EXPECT_TEXT(answer, (expected));                                                           \
    } while (0)

static uint64_t digest_of(StoreFile *store)
{
    uint64_t digest = 0;

    EXPECT(store_file_digest(store, &digest, NULL));
    return digest;
}

/* A new file is there complete, empty and under its own name; opening it again changes nothing. */
static void test_store_new_file_is_complete_at_once(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *temporary = g_strdup_printf("%s.%d.tmp", f->path, (int)getpid());
    g_autoptr(StoreFile) store = NULL;
    g_autoptr(StoreFile) again = NULL;

    EXPECT(g_file_set_contents(temporary, "left by a kill", -1, NULL));
    store = open_good(f);
    again = open_good(f);
    EXPECT(!g_file_test(temporary, G_FILE_TEST_EXISTS));
    EXPECT_ANSWER(store, "PRAGMA user_version", "2");
    EXPECT_ANSWER(store, "SELECT count(*) FROM run", "0");
    EXPECT_INT(digest_of(store), digest_of(again));
}

/* Waits at the gate until it is closed, makes a run in the file and tells by its exit code. */
static pid_t racer_start(const Fixture *f, uint64_t seed, const int gate[2])
{
    pid_t child = fork();

    if (child == 0) {
        StoreRun run = run_named("", seed);
        StoreFile *store;
        char byte;

        close(gate[1]);
        if (read(gate[0], &byte, 1) != 0)
            _exit(9);
        store = store_file_open(f->path, NULL);
        _exit(store && store_file_begin_run(store, &run, NULL) ? 0 : 1);
    }
    return child;
}

/* Whoever comes second finds the first one's file, whenever he looks. */
static void test_store_processes_that_make_one_file_at_once_all_get_it(void)
{
    for (int round = 0; round < 8; round++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autoptr(StoreFile) store = NULL;
        g_autoptr(GDir) folder = NULL;
        pid_t racers[3];
        int gate[2];

        EXPECT_FATAL(pipe(gate) == 0);
        for (size_t i = 0; i < G_N_ELEMENTS(racers); i++)
            racers[i] = racer_start(f, i, gate);
        close(gate[0]);
        close(gate[1]);
        for (size_t i = 0; i < G_N_ELEMENTS(racers); i++) {
            int status = -1;

            EXPECT_INT(waitpid(racers[i], &status, 0), racers[i]);
            EXPECT_INT(status, 0);
        }
        folder = g_dir_open(f->folder, 0, NULL);
        EXPECT_TEXT(g_dir_read_name(folder), "results.db");
        EXPECT(g_dir_read_name(folder) == NULL);
        store = open_good(f);
        EXPECT_ANSWER(store, "SELECT count(*) FROM run WHERE status = 'running'", "3");
    }
}

/* Every view can be read, also when nothing is in the file. */
static void test_store_views_are_all_readable(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    g_autofree char *names = ask(store, "SELECT name FROM sqlite_master WHERE type = 'view'");
    g_auto(GStrv) views = g_strsplit(names, " ", -1);

    EXPECT(g_strv_length(views) >= 12);
    for (char **view = views; *view; view++) {
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", *view);

        EXPECT_ANSWER(store, sql, "0");
    }
}

/* What is not ours is refused and not changed by a byte. */
static void test_store_foreign_files_are_left_alone(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *after = NULL;
    StoreFile *store;

    EXPECT(g_file_set_contents(f->path, "dear diary", -1, NULL));
    store = store_file_open(f->path, &error);
    EXPECT(store == NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO));
    EXPECT(error && strstr(error->message, "not a results file of quintet"));
    EXPECT(g_file_get_contents(f->path, &after, NULL, NULL));
    EXPECT_TEXT(after, "dear diary");
}

static char *refusal_of_version(const Fixture *f, const char *pragma)
{
    g_autoptr(GError) error = NULL;
    StoreFile *store = open_good(f);

    EXPECT_ANSWER(store, pragma, "");
    store_file_close(store);
    store = store_file_open(f->path, &error);
    EXPECT(store == NULL);
    return error ? g_strdup(error->message) : NULL;
}

static void test_store_another_builds_tables_are_refused_with_what_to_do(void)
{
    g_autoptr(Fixture) f = fixture_new();
    StoreFile *store = open_good(f);
    StoreRun run = run_named("", 1);
    g_autofree char *found = NULL;
    g_autofree char *expected = NULL;

    finish(store, &run, 7, false);
    store_file_close(store);
    found = refusal_of_version(f, "PRAGMA user_version = 99");
    expected = g_strdup_printf("%s: written by another build of quintet (" QUINTET_VERSION
                               ", tables of version 99; this one is " QUINTET_VERSION
                               ", version 2); read it with that build, or run its scenario again "
                               "into another file with --out",
                               f->path);
    EXPECT_TEXT(found, expected);
}

static void test_store_tables_of_nobody_known_are_refused(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *found = refusal_of_version(f, "PRAGMA user_version = 1");

    EXPECT(found && strstr(found, "build of quintet (tables of version 1; this one is "));
}

static void test_store_missing_folder_is_an_error_of_the_machine(void)
{
    g_autoptr(GError) error = NULL;
    StoreFile *store = store_file_open("/nowhere/at/all.db", &error);

    EXPECT(store == NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO));
}

/* A kill between the two transactions leaves a row that says so and nothing else; the next try
 * completes it. */
static void test_store_killed_run_stays_running_until_made_again(void)
{
    g_autoptr(Fixture) f = fixture_new();
    StoreRun run = run_named("slow", 4);
    StoreFile *store = open_good(f);

    EXPECT(store_file_begin_run(store, &run, NULL));
    store_file_close(store);
    store = open_good(f);
    EXPECT_ANSWER(store, "SELECT status FROM runs", "incomplete");
    EXPECT_ANSWER(store, "SELECT count(*) FROM latency", "0");
    EXPECT_ANSWER(store, "SELECT count(*) FROM latency_by_phase", "0");
    EXPECT_INT(finish(store, &run, 11, false), STORE_RUN_TAKEN);
    EXPECT_ANSWER(store, "SELECT status FROM run", "done");
    EXPECT_ANSWER(store, "SELECT count(*) FROM latency_by_phase", "2");
    store_file_close(store);
}

static void test_store_done_run_is_kept_unless_asked(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    StoreRun run = run_named("", 4);

    EXPECT_INT(finish(store, &run, 11, false), STORE_RUN_TAKEN);
    EXPECT_INT(finish(store, &run, 11, false), STORE_RUN_SAME);
    EXPECT_INT(finish(store, &run, 12, false), STORE_RUN_OTHER);
    EXPECT_ANSWER(store, "SELECT digest FROM run", "000000000000000b");
    EXPECT_INT(finish(store, &run, 12, true), STORE_RUN_TAKEN);
    EXPECT_ANSWER(store, "SELECT digest FROM run", "000000000000000c");
    EXPECT_ANSWER(store, "SELECT count(*) FROM provenance", "1");
}

/* The same runs in another order, at another time, in another file. */
static void test_store_digest_ignores_order_and_provenance(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Fixture) g = fixture_new();
    g_autoptr(StoreFile) one = open_good(f);
    g_autoptr(StoreFile) two = open_good(g);
    StoreRun base = run_named("", 4);
    StoreRun slow = run_named("slow", 4);

    finish(one, &base, 11, false);
    finish(one, &slow, 12, false);
    finish(two, &slow, 12, false);
    EXPECT(digest_of(one) != digest_of(two));
    finish(two, &base, 11, false);
    EXPECT_ANSWER(two, "UPDATE provenance SET took_s = 99, started = 'later'", "");
    EXPECT_INT(digest_of(one), digest_of(two));
    EXPECT_ANSWER(two, "UPDATE total SET total = total + 1e-9 WHERE phase = 'all'", "");
    EXPECT(digest_of(one) != digest_of(two));
}

/* Neither its row nor a scenario of which nothing else was run is a result. */
static void test_store_digest_ignores_runs_that_are_not_done(void)
{
    static const StoreScenario other = {
        .hash = "00000000000000bb", .name = "other", .title = "Another story", .text = "{}"};
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    StoreRun done = run_named("", 4);
    StoreRun cut_off = run_named("slow", 4);
    uint64_t before;

    finish(store, &done, 11, false);
    before = digest_of(store);
    EXPECT(store_file_begin_run(store, &cut_off, NULL));
    EXPECT_INT(digest_of(store), before);
    cut_off.scenario = &other;
    EXPECT(store_file_begin_run(store, &cut_off, NULL));
    EXPECT_INT(digest_of(store), before);
    finish(store, &cut_off, 12, false);
    EXPECT(digest_of(store) != before);
}

/* An integer, a real and a text of the same look are different values. */
static void test_store_digest_sees_types(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    StoreRun run = run_named("", 4);
    uint64_t as_null;
    uint64_t as_real;

    finish(store, &run, 11, false);
    EXPECT_ANSWER(store, "UPDATE run SET kept_share = NULL", "");
    as_null = digest_of(store);
    EXPECT_ANSWER(store, "UPDATE run SET kept_share = 0.0", "");
    as_real = digest_of(store);
    EXPECT_ANSWER(store, "UPDATE run SET kept_share = ''", "");
    EXPECT(as_null != as_real);
    EXPECT(as_real != digest_of(store));
    EXPECT(as_null != digest_of(store));
}

static void test_store_what_was_measured_can_be_asked_for(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    StoreRun run = run_named("", 4);

    finish(store, &run, 11, false);
    EXPECT_ANSWER(store, "SELECT availability_pct FROM availability_by_phase", "90.0 90.0");
    EXPECT_ANSWER(store, "SELECT peak_bytes || '@' || at_s FROM memory_peak", "5000000000.0@8");
    EXPECT_ANSWER(store, "SELECT sum(value) FROM series_by_second WHERE metric = 'ops'", "200");
    EXPECT_ANSWER(store, "SELECT phase FROM latency_by_phase", "steady all");
    EXPECT_ANSWER(store, "SELECT run FROM run", "00000000000000aa..4");
}

/* Who lost it is named, and what belongs to no family only when there is something. */
static void test_store_views_of_losses_name_the_member(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    const Phase all = {"all", 0, SIM_S};
    RecordingConfig config = {.duration_ns = SIM_S, .phases = &all, .phase_count = 1, .seed = 1};
    g_autoptr(Recording) recording = recording_new(&config);
    static const char *const members[] = {"eu", "us"};
    StoreRun run = run_named("", 4);
    StoreOutcome outcome;
    StoreRunResult result;

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        Labels of_family = {.member = members[i], .family = "f", .cause = "overwritten"};
        Labels of_none = {.member = members[i], .cause = "overwritten"};
        Labels a1 = {.member = members[i], .family = "f", .anomaly = "A1"};
        Labels a1_of_none = {.member = members[i], .anomaly = "A1"};
        double lost = (double)i;

        instrument_count(recording_instrument(recording, "data.lost_writes", &of_family), lost);
        instrument_count(recording_instrument(recording, "data.lost_writes", &of_none), 2.0 * lost);
        instrument_count(recording_instrument(recording, "anomaly.A1", &a1), lost);
        instrument_count(recording_instrument(recording, "anomaly.A1", &a1_of_none), 2.0 * lost);
    }
    recording_tick(recording, SIM_S);
    recording_end(recording, SIM_S);
    outcome = outcome_of(recording, 11);
    EXPECT(store_file_begin_run(store, &run, NULL));
    EXPECT(store_file_finish_run(store, &run, &outcome, false, &result, NULL));
    EXPECT_ANSWER(store,
                  "SELECT member || '/' || family || '=' || writes FROM lost_writes ORDER BY "
                  "member, family",
                  "eu/f=0.0 us/=2.0 us/f=1.0");
    EXPECT_ANSWER(store,
                  "SELECT member || '/' || family || '=' || total FROM anomalies ORDER BY member, "
                  "family",
                  "eu/f=0.0 us/=2.0 us/f=1.0");
}

/* Quantiles of two runs are taken over all their operations, not over the runs' quantiles. */
static void test_report_pools_runs_of_a_variant(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    g_autoptr(Recording) fast = record(10);
    g_autoptr(Recording) slow = record(1000);
    g_autoptr(Report) report = NULL;
    g_autofree char *json = NULL;
    StoreRun runs[] = {run_named("", 4), run_named("", 5)};
    const Recording *recordings[] = {fast, slow};
    ReportQuery query = {.runs = runs, .run_count = 2};
    const ReportVariant *variant;
    const ReportSite *site;
    StoreRunResult result;

    for (int i = 0; i < 2; i++) {
        StoreOutcome outcome = outcome_of(recordings[i], 1);

        EXPECT(store_file_begin_run(store, &runs[i], NULL));
        EXPECT(store_file_finish_run(store, &runs[i], &outcome, false, &result, NULL));
    }
    report = report_load(store, &query, NULL);
    EXPECT_FATAL(report != NULL && report->variants->len == 1);
    variant = g_ptr_array_index(report->variants, 0);
    EXPECT_INT(variant->run_count, 2);
    EXPECT_FATAL(variant->sites->len == 2);
    site = g_ptr_array_index(variant->sites, 1);
    EXPECT_TEXT(site->phase, "all");
    EXPECT_NEAR(histogram_quantile(site->latency, 0.25), 14 * SIM_MS, SIM_MS);
    EXPECT_NEAR(histogram_quantile(site->latency, 0.75), 1004 * SIM_MS, 2 * SIM_MS);
    EXPECT_NEAR(site->op_count / site->seconds, 10.0, 1e-9);
    json = report_json(report);
    EXPECT(strstr(json, "\"availability\": 0.9,") != NULL);
}

static void write_verdict(StoreFile *store, const StoreRun *run, VerdictKind kind)
{
    Expectation expectation = {
        .id = "fast", .why = "", .variant = "", .phase = "all", .text = "x < y", .must = true};
    Verdict verdict = {.kind = kind};
    StoreVerdict row = {.expectation = &expectation, .verdict = &verdict, .seeds = "4+1"};

    EXPECT(store_file_verdicts(store, run, &row, 1, NULL));
}

static void test_store_unevaluated_verdict_replaces_no_other(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = open_good(f);
    StoreRun run = run_named("", 4);

    finish(store, &run, 11, false);
    write_verdict(store, &run, VERDICT_NOT_EVALUATED);
    EXPECT_ANSWER(store, "SELECT verdict FROM verdicts", "NOT EVALUATED");
    write_verdict(store, &run, VERDICT_FAIL);
    write_verdict(store, &run, VERDICT_NOT_EVALUATED);
    EXPECT_ANSWER(store, "SELECT verdict FROM verdicts", "FAIL");
}

/* Something that needs more room than the free ends of pages have. */
static Recording *record_much(void)
{
    const Phase all = {"all", 0, SIM_S};
    RecordingConfig config = {.duration_ns = SIM_S, .phases = &all, .phase_count = 1, .seed = 1};
    Recording *recording = recording_new(&config);

    for (int i = 0; i < 2000; i++) {
        g_autofree char *family = g_strdup_printf("family-%d", i);
        Labels labels = {.site = "asia", .member = "us", .family = family, .op = "GET"};

        instrument_count(recording_instrument(recording, "ops", &labels), 1);
    }
    recording_tick(recording, SIM_S);
    recording_end(recording, SIM_S);
    return recording;
}

/* In a child whose files may not grow: a disk that fills up while the second run is written. */
static int fill_disk(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreFile) store = store_file_open(path, &error);
    g_autoptr(Recording) recording = record_much();
    StoreRun run = run_named("second", 4);
    StoreOutcome outcome = outcome_of(recording, 12);
    StoreRunResult result;
    struct stat about;
    struct rlimit limit;

    if (!store || !store_file_begin_run(store, &run, &error) || stat(path, &about) != 0)
        return 2;
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = limit.rlim_max = (rlim_t)about.st_size;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    if (store_file_finish_run(store, &run, &outcome, false, &result, &error))
        return 3;
    return g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO) ? 0 : 4;
}

static void test_store_full_disk_leaves_earlier_runs_intact(void)
{
    g_autoptr(Fixture) f = fixture_new();
    StoreFile *store = open_good(f);
    StoreRun run = run_named("", 4);
    int status = -1;
    pid_t child;

    finish(store, &run, 11, false);
    store_file_close(store);
    child = fork();
    if (child == 0)
        _exit(fill_disk(f->path));
    EXPECT_INT(waitpid(child, &status, 0), child);
    EXPECT(WIFEXITED(status));
    EXPECT_INT(WEXITSTATUS(status), 0);
    store = open_good(f);
    EXPECT_ANSWER(store, "SELECT variant || ':' || status FROM run", ":done second:running");
    EXPECT_ANSWER(store, "SELECT count(*) FROM latency_by_phase", "2");
    EXPECT_ANSWER(store, "PRAGMA integrity_check", "ok");
    store_file_close(store);
}

static const TestCase cases[] = {
    TEST(test_store_new_file_is_complete_at_once),
    TEST(test_store_processes_that_make_one_file_at_once_all_get_it),
    TEST(test_store_views_are_all_readable),
    TEST(test_store_foreign_files_are_left_alone),
    TEST(test_store_another_builds_tables_are_refused_with_what_to_do),
    TEST(test_store_tables_of_nobody_known_are_refused),
    TEST(test_store_missing_folder_is_an_error_of_the_machine),
    TEST(test_store_killed_run_stays_running_until_made_again),
    TEST(test_store_done_run_is_kept_unless_asked),
    TEST(test_store_digest_ignores_order_and_provenance),
    TEST(test_store_digest_ignores_runs_that_are_not_done),
    TEST(test_store_digest_sees_types),
    TEST(test_store_what_was_measured_can_be_asked_for),
    TEST(test_store_views_of_losses_name_the_member),
    TEST(test_report_pools_runs_of_a_variant),
    TEST(test_store_unevaluated_verdict_replaces_no_other),
    TEST(test_store_full_disk_leaves_earlier_runs_intact),
};
TEST_MAIN("store", cases)
