/* The command line: what a person mistypes, asks for help about, or interrupts. */
#include "tests/tools/cli_fixture.h"

#include <signal.h>
#include <sys/stat.h>

#include "tools/store.h"
#include "tools/store_statement.h"

static bool is_empty(const Fixture *f)
{
    return !g_file_test(f->results, G_FILE_TEST_EXISTS);
}

static void test_cli_without_words_explains_itself(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, ""), 2);
    EXPECT_SAYS(f->errors, "quintet SUBCOMMAND");
    EXPECT_INT(command(f, "--help"), 0);
    EXPECT_SAYS(f->output, "exit codes: 0 passed");
    EXPECT_INT(command(f, "--version"), 0);
    EXPECT_SAYS(f->output, "quintet ");
}

/* Each subcommand is in the list, helps in both ways and shows a command that begins with its name.
 */
static void test_cli_every_subcommand_helps_with_examples(void)
{
    g_autoptr(Fixture) f = fixture_new();

    for (size_t i = 0; i < subcommand_family.count; i++) {
        const char *name = subcommand_family.records[i]->name;
        g_autofree char *help = g_strdup_printf("help %s", name);
        g_autofree char *option = g_strdup_printf("%s --help", name);
        g_autofree char *first = NULL;
        g_autofree char *example = g_strdup_printf("quintet %s", name);

        EXPECT_INT(command(f, help), 0);
        first = g_strdup(f->output);
        EXPECT_SAYS(first, "examples:");
        EXPECT_SAYS(strstr(first, "examples:"), example);
        EXPECT_INT(command(f, option), 0);
        EXPECT_TEXT(f->output, first);
    }
}

static void test_cli_mistyped_words_get_their_nearest_match(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "chekc x.json"), 2);
    EXPECT_SAYS(f->errors, "\"chekc\" is not a subcommand; did you mean \"check\"?");
    EXPECT_INT(command(f, "run --sedes 3 SCENARIO"), 2);
    EXPECT_SAYS(f->errors, "--sedes is not an option of run; did you mean --seeds?");
    EXPECT_INT(command(f, "run SCENARIO --variant bussy"), 2);
    EXPECT_SAYS(f->errors, "quintet: --variant: \"bussy\" is not a variant of tiny; did you mean "
                           "\"busy\"? Known: busy, base\n");
    EXPECT_INT(command(f, "run SCENARIO --variant other"), 2);
    EXPECT_SAYS(f->errors, "\"other\" is not a variant of tiny; known: busy, base\n");
    EXPECT_INT(command(f, "list fualts"), 2);
    EXPECT_SAYS(f->errors, "\"fualts\" is not a family; did you mean \"faults\"?");
}

static void test_cli_wrong_values_are_refused_before_anything_is_written(void)
{
    static const struct {
        const char *words;
        const char *says;
    } wrong[] = {
        {"run --out RESULTS", "a scenario file is missing"},
        {"run SCENARIO more --out RESULTS", "\"more\" is one word too many"},
        {"run SCENARIO --out RESULTS --seed -1", "--seed: \"-1\" is not a whole number"},
        {"run SCENARIO --out RESULTS --seeds 0", "--seeds: \"0\" is not a whole number from 1"},
        {"run SCENARIO --out RESULTS --threads many", "--threads: \"many\""},
        {"run SCENARIO --out RESULTS --slice 64", "as in \"1/64\""},
        {"run SCENARIO --out RESULTS --slice 1/2000000", "at most \"1/1000000\""},
        {"run SCENARIO --out RESULTS --until 20", "--until: \"20\" is not a duration"},
        {"run SCENARIO --out RESULTS --until 0s",
         "--until: \"0s\" must be above zero; as in \"20m\"\n"},
        {"run SCENARIO --out=", "--out: \"\" names no file; as in \"results/mine.db\"\n"},
        {"run SCENARIO --out RESULTS --set members.us.memory.max=1",
         "--set members.us.memory.max=1: members.us.memory.max: 1 has no unit"},
        {"run SCENARIO --out RESULTS --set a=b", "--set a=b: \"a\" is unknown here; remove it\n"},
        {"run SCENARIO --out RESULTS --until 9h", "past the scenario's end (3m)"},
        {"run SCENARIO --out RESULTS --trace", "--trace shows one run"},
        {"run SCENARIO --out RESULTS --set duration=long", "duration"},
        {"plot RESULTS --format gif", "none of png, svg, both"},
    };
    g_autoptr(Fixture) f = fixture_new();

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        EXPECT_INT(command(f, wrong[i].words), 2);
        EXPECT_SAYS(f->errors, wrong[i].says);
        EXPECT(is_empty(f));
    }
}

/* Each kind of effect has its name there, a type's own operations too. */
static void test_cli_trace_names_a_lists_effects(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --trace --variant base --until 10s --quiet "
                          "--set families.f.type=list --set families.f.ops={\"LPUSH\":1}"),
               0);
    EXPECT_SAYS(f->output, " edit f ");
}

/* One message with the place; nothing written. */
static void test_cli_bad_scenario_ends_with_2_and_writes_nothing(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT(g_file_set_contents(f->scenario, tiny, sizeof(tiny) / 2, NULL));
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS"), 2);
    EXPECT_SAYS(f->errors, "tiny.json:");
    EXPECT(is_empty(f));
    EXPECT_INT(command(f, "check SCENARIO"), 2);
    EXPECT_TEXT(f->output, "");
}

static void test_cli_unreadable_files_end_with_3(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run /nowhere/x.json"), 3);
    EXPECT_SAYS(f->errors, "cannot read the scenario");
    EXPECT_INT(command(f, "digest RESULTS"), 3);
    EXPECT_SAYS(f->errors, "no such file");
    EXPECT_INT(command(f, "digest SCENARIO"), 3);
    EXPECT_SAYS(f->errors, "not a results file");
    EXPECT_INT(command(f, "run SCENARIO --out /nowhere/x.db"), 3);
    EXPECT_SAYS(f->errors, "/nowhere/x.db: cannot create: the folder /nowhere does not exist");
    EXPECT_INT(command(f, "run SCENARIO --out /"), 3);
    EXPECT_TEXT(f->errors,
                "quintet: /: this is a folder; name a file in it, such as /results.db\n");
    EXPECT_INT(command(f, "digest /tmp"), 3);
    EXPECT_TEXT(f->errors,
                "quintet: /tmp: this is a folder; name a file in it, such as /tmp/results.db\n");
}

static void test_cli_full_disk_behind_a_pipe_is_noticed(void)
{
    g_autoptr(Fixture) f = fixture_new();
    pid_t child;

    if (!g_file_test("/dev/full", G_FILE_TEST_EXISTS))
        return;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        char *argv[] = {"quintet", "--help", NULL};
        int file = open("/dev/full", O_WRONLY);

        redirect(f, "output", STDOUT_FILENO);
        redirect(f, "errors", STDERR_FILENO);
        if (file < 0 || dup2(file, STDOUT_FILENO) < 0)
            _exit(99);
        _exit((int)subcommand_main(2, argv));
    }
    EXPECT_INT(end(f, child), 3);
    EXPECT_SAYS(f->errors, "cannot write the output");
}

static void test_cli_check_warns_of_waits_that_outlast_the_clients(void)
{
    g_autoptr(Fixture) f = fixture_new();
    const char *waits = "families.f.ops.BLPOP  waits";

    EXPECT_INT(command(f, "check SCENARIO --set families.f.type=list "
                          "--set families.f.ops={\"BLPOP\":1}"),
               0);
    EXPECT_SAYS(f->output, waits);
    EXPECT_SAYS(f->output, "waits for ever, but the clients of ");
    EXPECT_INT(command(f, "check SCENARIO --set families.f.type=list "
                          "--set families.f.ops={\"BLPOP\":{\"share\":1,\"block\":\"1ms\"}}"),
               0);
    EXPECT(!strstr(f->output, waits));
}

static void test_cli_check_lists_variants_and_expectations(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "check SCENARIO"), 0);
    EXPECT_SAYS(f->output, "variants.busy");
    EXPECT_SAYS(f->output, "expect.some");
    EXPECT_SAYS(f->output, "good to run");
    EXPECT_INT(command(f, "check SCENARIO --json"), 0);
    EXPECT_SAYS(f->output, "\"scenario\": \"tiny\"");
}

static void test_cli_run_judges_reports_and_keeps(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS"), 0);
    EXPECT_SAYS(f->output, "viewers");
    EXPECT_SAYS(f->output, "busy");
    EXPECT_SAYS(f->output, "PASS");
    EXPECT_SAYS(f->output, "quintet plot");
    EXPECT_TEXT(f->errors, "");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS"), 0);
    EXPECT_SAYS(f->output, "2 of 2 runs were there already");
}

static void test_cli_plot_names_the_variants_there_are(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant busy"), 0);
    EXPECT_INT(command(f, "plot RESULTS --variant bussy"), 2);
    EXPECT_SAYS(f->errors, "did you mean \"busy\"? Known: busy\n");
    EXPECT_INT(command(f, "plot RESULTS --variant busy --variant nix"), 2);
    EXPECT_SAYS(f->errors, "quintet: --variant: \"nix\" is not a variant in ");
    EXPECT_SAYS(f->errors, "results.db; known: busy\n");
}

static void test_cli_report_notes_a_variant_with_thin_traffic(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --set variants.busy.workloads.w.rate=16/s"),
               0);
    EXPECT(strstr(f->output, "clients send") == NULL);
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --set variants.busy.workloads.w.rate=2/s"),
               0);
    EXPECT_SAYS(f->output, "\n  note: clients send ");
    EXPECT_SAYS(f->output, " of the base's operations\n");
}

static void test_cli_failed_must_ends_with_1(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --set expect.some.that=count(ops)<3"), 1);
    EXPECT_SAYS(f->output, "FAIL");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --quiet --set expect.some.that=count(ops)<3"),
               1);
    EXPECT_SAYS(f->output, "FAIL must some");
    EXPECT_INT(
        command(f, "run SCENARIO --out RESULTS --no-expect --set expect.some.that=count(ops)<3"),
        0);
}

static void test_cli_variant_not_run_fails_only_when_strict(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant busy"), 0);
    EXPECT_SAYS(f->output, "NOT EVALUATED");
    EXPECT_SAYS(f->output, "variant base was not run");
    EXPECT_SAYS(f->output, "0 without data, 1 not evaluated; nothing was judged, "
                           "1 must not evaluated: exit 1 only with --strict\n");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant busy --quiet"), 0);
    EXPECT_SAYS(f->output, "NOT EVALUATED must some: nothing measured");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant busy --strict"), 1);
    EXPECT_SAYS(f->output, "; nothing was judged, 1 must not evaluated: exit 1\n");
}

/* One run alone or all beside each other: the same file. */
static void test_cli_digest_does_not_depend_on_threads(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *one = NULL;

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --seeds 3 --threads 1"), 0);
    EXPECT_INT(command(f, "digest RESULTS"), 0);
    one = g_strdup(f->output);
    EXPECT_INT((long long)strlen(one), 17);
    g_unlink(f->results);
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --seeds 3 --threads 4"), 0);
    EXPECT_INT(command(f, "digest RESULTS"), 0);
    EXPECT_TEXT(f->output, one);
    g_unlink(f->results);
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --seeds 3 --seed 4"), 0);
    EXPECT_INT(command(f, "digest RESULTS"), 0);
    EXPECT(g_strcmp0(f->output, one) != 0);
}

static void test_cli_json_report_is_one_document(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) doc = NULL;
    const JsonNode *variants;

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --json"), 0);
    doc = json_parse("report", f->output, strlen(f->output), &error);
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(doc != NULL);
    variants = json_get(json_root(doc), "variants");
    EXPECT_INT(variants->count, 2);
    EXPECT_TEXT(json_get(json_get(json_root(doc), "expectations")->items[0], "verdict")->text,
                "PASS");
}

/* Three members: what each receives it passes on to one other, so that relaying doubles the
 * effects' bytes.  Two: the same option adds nothing. */
static void test_cli_causal_traffic_stands_beside_the_documented_factor(void)
{
    static const char third[] = "\"members\": {\"br\": {\"region\": \"Brazil South\", \"memory\": "
                                "{\"max\": \"1GB\"}},";
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(JsonDoc) doc = NULL;
    g_autoptr(GString) three = g_string_new(tiny);
    const JsonNode *traffic;

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --set causal=true"), 0);
    EXPECT(strstr(f->output, "two members have no third") != NULL);
    g_string_replace(three, "\"members\": {", third, 1);
    EXPECT(g_file_set_contents(f->scenario, three->str, -1, NULL));
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base"), 0);
    EXPECT(strstr(f->output, "causal traffic") == NULL);
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --set causal=true"), 0);
    EXPECT(strstr(f->output, "1.00 of direct, documented factor N-2 = 1") != NULL);
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --set causal=true --json"), 0);
    doc = json_parse("report", f->output, strlen(f->output), NULL);
    EXPECT_FATAL(doc != NULL);
    traffic = json_get(json_get(json_root(doc), "variants")->items[0], "causal_traffic");
    EXPECT_FATAL(traffic != NULL);
    EXPECT_NEAR(json_get(traffic, "relayed_per_direct")->number, 1, 0.05);
    EXPECT_NEAR(json_get(traffic, "documented_factor")->number, 1, 0);
    EXPECT_NEAR(json_get(traffic, "messages_per_write_bound")->number, 4, 0);
    EXPECT(json_get(traffic, "bytes")->number >
           json_get(traffic, "direct_bytes")->number + json_get(traffic, "relayed_bytes")->number);
}

/* Two what-ifs in one file: each view says which is which. */
static void test_cli_results_tell_what_was_set(void)
{
    static const char *const sets[] = {"workloads.w.rate=5/s", "workloads.w.rate=6/s"};
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = NULL;
    g_autoptr(Statement) query = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autofree char *run = g_strdup_printf("run SCENARIO --out RESULTS --set %s", sets[i]);

        EXPECT_INT(command(f, run), 0);
    }
    store = store_file_open_reading(f->results, NULL);
    query = statement_new(store,
                          "SELECT DISTINCT point FROM runs JOIN latency_by_phase USING (run) WHERE "
                          "run LIKE '%.@' || point || '.%' ORDER BY point",
                          NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
        EXPECT_FATAL(statement_row(query, NULL));
        EXPECT_TEXT(statement_column_text(query, 0), sets[i]);
    }
}

static int64_t count_runs(const char *path, const char *status)
{
    g_autoptr(StoreFile) store = store_file_open_reading(path, NULL);
    g_autoptr(Statement) query =
        store ? statement_new(store, "SELECT count(*) FROM run WHERE status = ?", NULL) : NULL;

    if (!query)
        return 0;
    statement_text(query, status);
    return statement_row(query, NULL) ? statement_column_int(query, 0) : 0;
}

/* A run too long to wait for is interrupted as soon as the file shows that it has begun. */
static void test_cli_interrupt_ends_with_130_and_leaves_runs_incomplete(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *words =
        fill(f, "run SCENARIO --out RESULTS --variant base --set duration=365d");
    pid_t child = start(f, words);

    for (int i = 0; i < 1000 && count_runs(f->results, "running") == 0; i++)
        g_usleep(10000);
    EXPECT_INT(count_runs(f->results, "running"), 1);
    kill(child, SIGINT);
    EXPECT_INT(end(f, child), 130);
    EXPECT_SAYS(f->errors, "interrupted; 0 of 1 runs are complete");
    EXPECT(strchr(f->errors, '\033') == NULL);
    EXPECT_INT(count_runs(f->results, "running"), 1);
    EXPECT_INT(count_runs(f->results, "done"), 0);
}

static void test_cli_completion_knows_every_option(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "completion"), 0);
    for (size_t i = 0; i < subcommand_family.count; i++) {
        const Subcommand *subcommand = subcommand_find(subcommand_family.records[i]->name);

        EXPECT_SAYS(f->output, subcommand->head.name);
        for (size_t o = 0; o < subcommand->option_count; o++)
            EXPECT_SAYS(f->output, subcommand->options[o].name);
    }
}

static void test_cli_schema_and_lists_are_valid_json(void)
{
    static const char *const words[] = {"schema",
                                        "list --json",
                                        "list faults --json",
                                        "list commands --json",
                                        "list commands FLUSHALL --json",
                                        "conform --list --json",
                                        "conform tests/conformance/set.json --json",
                                        "conform --show key-rename-replicates --json"};
    g_autoptr(Fixture) f = fixture_new();

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonDoc) doc = NULL;

        EXPECT_INT(command(f, words[i]), 0);
        doc = json_parse(words[i], f->output, strlen(f->output), &error);
        EXPECT_TEXT(error ? error->message : NULL, NULL);
        EXPECT(doc != NULL);
    }
}

/* The hottest keys are in, the many others are not: no figure is given, a must does not pass. */
static void test_cli_too_small_a_slice_neither_shows_figures_nor_passes(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --slice 1/1000000 --set "
                          "families.f.keys=30M --set families.f.popularity={\"zipf\":1.1}"),
               1);
    EXPECT_SAYS(f->output, "NOT FROM SLICE  must");
    EXPECT_SAYS(f->output, "~ not from this slice");
    EXPECT_SAYS(f->output, "1 must not from this slice: exit 1");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --slice 1/1000000 --json "
                          "--set families.f.keys=30M --set families.f.popularity={\"zipf\":1.1}"),
               1);
    EXPECT_SAYS(f->output, "\"ops_per_s_not_from_slice\": true");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --slice 1/1000000 --set "
                          "families.f.keys=30M --set expect.some.that=count(errors)==0 --set "
                          "families.f.popularity=uniform"),
               1);
    EXPECT_SAYS(f->output, "NOT FROM SLICE  must");
}

/* How far the operations per second may be off stands beside them. */
static void test_cli_an_estimated_rate_has_its_margin(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(GRegex) rate = g_regex_new("ops/s +\\+-\\n.* \\d+ +\\d+\\.\\d %\\n", 0, 0, NULL);

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --slice 1/2 --until 1m "
                          "--set families.f.keys=20000 --set workloads.w.rate=200/s"),
               0);
    EXPECT(g_regex_match(rate, f->output, 0, NULL));
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base"), 0);
    EXPECT(strstr(f->output, "+-") == NULL);
}

static void test_cli_all_keys_in_a_slice_are_no_estimate(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --slice 1/64 --set families.f.keys=50"), 0);
    EXPECT_SAYS(f->output, "PASS");
    EXPECT(strstr(f->output, "not from this slice") == NULL);
}

static void test_cli_phase_after_the_end_says_when_it_begins(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --until 1m --set "
                          "warmup=2m --set expect.some.phase=steady --set "
                          "expect.some.that=p50(latency.op)<1s"),
               1);
    EXPECT_SAYS(f->output, "no data: the run ended at 1m, phase steady begins at 2m");
    EXPECT_SAYS(f->output, "1 must without data: exit 1");
}

static void test_cli_two_lengths_in_one_file_are_told_apart(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(StoreFile) store = NULL;
    g_autoptr(Statement) query = NULL;

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base"), 0);
    EXPECT(strstr(f->output, "the file also holds") == NULL);
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --until 2m"), 0);
    EXPECT_SAYS(f->output, "the file also holds 1 other run of this scenario");
    store = store_file_open_reading(f->results, NULL);
    EXPECT_FATAL(store != NULL);
    query = statement_new(store,
                          "SELECT count(DISTINCT run), max(ended_min), max(until_min) FROM "
                          "latency_by_phase",
                          NULL);
    EXPECT_FATAL(query != NULL && statement_row(query, NULL));
    EXPECT_INT(statement_column_int(query, 0), 2);
    EXPECT_NEAR(statement_column_real(query, 1), 3.0, 1e-9);
    EXPECT_NEAR(statement_column_real(query, 2), 2.0, 1e-9);
}

static void test_cli_list_tells_what_a_member_is(void)
{
    static const struct {
        const char *words;
        const char *says;
    } asked[] = {
        {"list metrics latency.op", "statistics  p50, p90"},
        {"list metrics alert.lead",
         "measured    later: an expectation on it is listed and not judged\n"},
        {"list metrics anomaly.A7",
         "measured    later: refused in expressions until it is measured\n"},
        {"list metrics", "later: not measured by this version and refused by scenarios; only an "
                         "expectation on alert.lead is listed and not judged\n"},
        {"list commands hash", "HGETALL"},
        {"list types", "counter"},
        {"list presets jedis", "ping-all"},
        {"list metrics cpu --json", "\"measured\": false"},
        {"help help", "quintet help [SUBCOMMAND]"},
        {"help --help", "quintet SUBCOMMAND ..."},
        {"help schema", "quintet schema\n"},
    };
    g_autoptr(Fixture) f = fixture_new();

    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
        EXPECT_INT(command(f, asked[i].words), 0);
        EXPECT_SAYS(f->output, asked[i].says);
    }
    EXPECT_INT(command(f, "list metrics cpu --json"), 0);
    EXPECT(strstr(f->output, "latency.op") == NULL);
    EXPECT_INT(command(f, "list crash"), 2);
    EXPECT_SAYS(f->errors, "\"crash\" is one of faults: quintet list faults crash");
}

/* Beside each peak stands what weighed the member's data, in text, JSON and the file. */
static void test_cli_reports_say_which_memory_model(void)
{
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --until 1m --set "
                          "members.us.memory.overhead=2.5"),
               0);
    EXPECT_SAYS(f->output, "footprint\n");
    EXPECT_SAYS(f->output, "overhead x 2.5\n");
    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant base --until 1m --json --set "
                          "members.us.memory.overhead=2.5"),
               0);
    EXPECT_SAYS(f->output, "\"model\": \"footprint\"");
    EXPECT_SAYS(f->output, "\"model\": \"overhead\"");
}

/* A factor and headers of its own cannot both count. */
static void test_cli_check_warns_of_headers_beside_overhead(void)
{
    static const char warning[] = "memory.overhead stands for headers too";
    g_autoptr(Fixture) f = fixture_new();

    EXPECT_INT(command(f, "check SCENARIO --set members.us.memory.overhead=2"), 0);
    EXPECT(strstr(f->output, warning) == NULL);
    EXPECT_INT(command(f, "check SCENARIO --set members.us.memory.key_header=1B"), 0);
    EXPECT(strstr(f->output, warning) == NULL);
    EXPECT_INT(command(f, "check SCENARIO --set members.us.memory.overhead=2 --set "
                          "members.us.memory.element_header=1B"),
               0);
    EXPECT_SAYS(f->output, warning);
}

static const TestCase cases[] = {
    TEST(test_cli_reports_say_which_memory_model),
    TEST(test_cli_check_warns_of_headers_beside_overhead),
    TEST(test_cli_without_words_explains_itself),
    TEST(test_cli_every_subcommand_helps_with_examples),
    TEST(test_cli_mistyped_words_get_their_nearest_match),
    TEST(test_cli_wrong_values_are_refused_before_anything_is_written),
    TEST(test_cli_trace_names_a_lists_effects),
    TEST(test_cli_bad_scenario_ends_with_2_and_writes_nothing),
    TEST(test_cli_unreadable_files_end_with_3),
    TEST(test_cli_full_disk_behind_a_pipe_is_noticed),
    TEST(test_cli_check_warns_of_waits_that_outlast_the_clients),
    TEST(test_cli_check_lists_variants_and_expectations),
    TEST(test_cli_run_judges_reports_and_keeps),
    TEST(test_cli_plot_names_the_variants_there_are),
    TEST(test_cli_report_notes_a_variant_with_thin_traffic),
    TEST(test_cli_results_tell_what_was_set),
    TEST(test_cli_failed_must_ends_with_1),
    TEST(test_cli_variant_not_run_fails_only_when_strict),
    TEST(test_cli_digest_does_not_depend_on_threads),
    TEST(test_cli_json_report_is_one_document),
    TEST(test_cli_causal_traffic_stands_beside_the_documented_factor),
    TEST(test_cli_interrupt_ends_with_130_and_leaves_runs_incomplete),
    TEST(test_cli_completion_knows_every_option),
    TEST(test_cli_schema_and_lists_are_valid_json),
    TEST(test_cli_too_small_a_slice_neither_shows_figures_nor_passes),
    TEST(test_cli_an_estimated_rate_has_its_margin),
    TEST(test_cli_all_keys_in_a_slice_are_no_estimate),
    TEST(test_cli_phase_after_the_end_says_when_it_begins),
    TEST(test_cli_two_lengths_in_one_file_are_told_apart),
    TEST(test_cli_list_tells_what_a_member_is),
};
TEST_MAIN("cli", cases)
