/* Charts as scripts: one scale and one unit, a key that fits, no line that vanishes behind another.
 */
#include "tests/test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tools/plot_chart.h"
#include "tools/store.h"

typedef struct {
    char *path;
    StoreFile *store;
    char *run;
} Fixture;

static void fixture_free(Fixture *f)
{
    store_file_close(f->store);
    g_unlink(f->path);
    g_free(f->path);
    g_free(f->run);
    g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* Ten seconds of members that keep live_bytes each, of at most max_bytes; their peers acknowledge
 * nothing of unacked_bytes each. */
static Recording *record(const double *live_bytes, double max_bytes, double unacked_bytes)
{
    static const char *const members[] = {"asia", "eu", "us"};
    const Phase all = {"all", 0, 10 * SIM_S};
    RecordingConfig config = {
        .duration_ns = 10 * SIM_S, .phases = &all, .phase_count = 1, .seed = 1};
    Recording *recording = recording_new(&config);

    for (int second = 0; second < 10; second++) {
        for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
            Labels member = {.member = members[i]};
            Labels live = {.member = members[i], .cause = "live"};

            instrument_set(recording_instrument(recording, "memory.bytes", &live), live_bytes[i]);
            live.cause = "history";
            instrument_set(recording_instrument(recording, "memory.bytes", &live),
                           i == 0 ? 1000 : 0);
            instrument_set(recording_instrument(recording, "memory.used", &member), live_bytes[i]);
            instrument_set(recording_instrument(recording, "memory.used_pct", &member),
                           live_bytes[i] / max_bytes);
            instrument_set(recording_instrument(recording, "replication.backlog", &member),
                           unacked_bytes * (double)(i == 1 ? 2 : 1));
        }
        recording_tick(recording, (second + 1) * SIM_S);
    }
    recording_end(recording, 10 * SIM_S);
    return recording;
}

static Fixture *fixture_new(const double *live_bytes, double max_bytes, double unacked_bytes)
{
    static const StoreScenario scenario = {
        .hash = "00000000000000aa", .name = "story", .title = "A story", .text = "{}"};
    StoreRun run = {.scenario = &scenario, .variant = "", .point = "", .seed = 1, .slice = 1};
    g_autoptr(Recording) recording = record(live_bytes, max_bytes, unacked_bytes);
    StoreOutcome outcome = {.recording = recording,
                            .digest = 1,
                            .ended_ns = 10 * SIM_S,
                            .kept_share = 1.0,
                            .started = "at some time"};
    g_autofree char *folder = g_dir_make_tmp("quintet-test-XXXXXX", NULL);
    StoreRunResult result;
    Fixture *f = g_new0(Fixture, 1);

    g_rmdir(folder);
    f->path = g_strconcat(folder, ".db", NULL);
    f->store = store_file_open(f->path, NULL);
    EXPECT_FATAL(f->store != NULL);
    EXPECT(store_file_begin_run(f->store, &run, NULL));
    EXPECT(store_file_finish_run(f->store, &run, &outcome, false, &result, NULL));
    f->run = store_run_id(&run);
    return f;
}

static char *script_of(const Fixture *f, const char *name)
{
    ChartOf of = {.run = f->run, .title = "story base"};
    GString *script = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (uint32_t i = 0; i < chart_count; i++)
        if (strcmp(charts[i].name, name) == 0)
            EXPECT(charts[i].append(f->store, &of, script, &error));
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    return g_string_free(script, FALSE);
}

static guint count_of(const char *script, const char *words)
{
    g_auto(GStrv) parts = g_strsplit(script, words, -1);

    return g_strv_length(parts) - 1;
}

#define EXPECT_COUNT(script, words, expected) EXPECT_INT(count_of((script), (words)), (expected))

static void test_plot_memory_has_one_scale_in_a_unit_that_fits(void)
{
    static const double live[] = {5e6, 20e6, 10e6};
    g_autoptr(Fixture) f = fixture_new(live, 1e9, 0);
    g_autofree char *script = script_of(f, "memory");

    EXPECT_COUNT(script, ": memory by cause, member by member'", 1);
    EXPECT_COUNT(script, "set ylabel 'memory (MB)'", 1);
    EXPECT_COUNT(script, "set yrange [", 1);
    EXPECT_COUNT(script, "set yrange [0:21]", 1);
    EXPECT_COUNT(script, "title 'maximum 1 GB, far above'", 3);
    EXPECT_COUNT(script, "title 'history'", 3); /* of one alone; else frames differ in height */
    EXPECT_COUNT(script, "title 'siblings'", 0);
}

/* The highest member's maximum is near, so all have theirs drawn. */
static void test_plot_memory_in_gb_shows_every_maximum(void)
{
    static const double live[] = {0.1e9, 2e9, 1e9};
    g_autoptr(Fixture) f = fixture_new(live, 4e9, 0);
    g_autofree char *script = script_of(f, "memory");

    EXPECT_COUNT(script, "set ylabel 'memory (GB)'", 1);
    EXPECT_COUNT(script, "set yrange [0:4.2]", 1);
    EXPECT_COUNT(script, "title 'maximum'", 3);
}

static void test_plot_what_is_not_acknowledged_is_called_so(void)
{
    static const double live[] = {1e6, 1e6, 1e6};
    g_autoptr(Fixture) f = fixture_new(live, 1e9, 3000);
    g_autofree char *script = script_of(f, "unacknowledged");

    EXPECT_COUNT(script, "set title 'story base: not acknowledged, by member'", 1);
    EXPECT_COUNT(script, "set ylabel 'not acknowledged by the slowest peer (kB)'", 1);
    EXPECT_COUNT(script, "backlog", 0);
}

/* The third is equal to the first, the second to none. */
static void test_plot_only_a_line_above_its_equal_is_dashed(void)
{
    static const double live[] = {1e6, 1e6, 1e6};
    g_autoptr(Fixture) f = fixture_new(live, 1e9, 3000);
    g_autofree char *script = script_of(f, "unacknowledged");

    EXPECT_COUNT(script, " dt (", 1);
    EXPECT_COUNT(script, "lw 3 lc 3 dt (10,20) title 'us'", 1);
}

static const TestCase cases[] = {
    TEST(test_plot_memory_has_one_scale_in_a_unit_that_fits),
    TEST(test_plot_memory_in_gb_shows_every_maximum),
    TEST(test_plot_what_is_not_acknowledged_is_called_so),
    TEST(test_plot_only_a_line_above_its_equal_is_dashed),
};
TEST_MAIN("plot", cases)
