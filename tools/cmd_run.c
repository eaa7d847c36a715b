/* quintet run: from a scenario file to results, a report and an exit code.
 *
 * Why it works: everything that can be wrong with the file or the options is found before the
 * results file is touched; runs are written as they end, in order; only then are expectations
 * judged over all of them, and the report is read back from the file, so what a person reads is
 * what was kept.
 */
#include <stdio.h>
#include <string.h>

#include "sim/trace.h"
#include "sim/units.h"
#include "tools/judge.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/run_plan.h"
#include "tools/scenario_open.h"
#include "tools/subcommand.h"
#include "tools/terminal.h"

#define DEFAULT_FOLDER "results"
#define THREADS_MAX    256

typedef struct {
    char **variants;
    char **sets;
    char *seed;
    char *seeds;
    char *slice;
    char *until;
    char *threads;
    char *out;
    gboolean json;
    gboolean quiet;
    gboolean strict;
    gboolean no_expect;
    gboolean trace;
    gboolean replace;
} RunOptions;

typedef struct {
    const RunOptions *options;
    RunPlan *plan;
    StoreFile *store;
    Progress *progress;
    uint32_t kept_count; /* runs that were there already, with the same digest */
} RunCall;

static const StoreRun *run_of(const RunCall *call, const RunJob *job)
{
    return &call->plan->runs[job - call->plan->jobs];
}

static bool on_started(void *actor, RunJob *job, GError **error)
{
    RunCall *call = actor;

    return store_file_begin_run(call->store, run_of(call, job), error);
}

static bool on_finished(void *actor, RunJob *job, GError **error)
{
    RunCall *call = actor;
    const StoreRun *run = run_of(call, job);
    SimTime end_ns = world_end_ns(job->world);
    StoreRunResult result;
    StoreOutcome outcome = {
        .recording = world_recording(job->world),
        .world = job->world,
        .course = job->course,
        .digest = world_digest(job->world),
        .ended_ns = end_ns,
        .stopped = job->stopped,
        .event_count = world_event_count(job->world),
        .client_op_count = world_client_op_count(job->world),
        .kept_share = world_kept_share(job->world),
        .started = job->started,
        .took_s = job->took_s,
    };

    /* A stopped run ends with its last whole second; buckets after it do not exist. */
    if (job->stopped)
        outcome.ended_ns = MIN(end_ns, (SimTime)recording_bucket_count(outcome.recording) * SIM_S);
    if (!store_file_finish_run(call->store, run, &outcome, call->options->replace, &result, error))
        return false;
    if (result == STORE_RUN_OTHER) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: holds another result of variant %s, seed %" G_GUINT64_FORMAT
                    " (made by another build); kept as it is: --replace takes the new one, --out "
                    "writes elsewhere",
                    store_file_path(call->store), run->variant[0] ? run->variant : "base",
                    run->seed);
        return false;
    }
    call->kept_count += result == STORE_RUN_SAME ? 1 : 0;
    return true;
}

static void on_tick(void *actor)
{
    progress_draw(((RunCall *)actor)->progress);
}

/* Judges, keeps the verdicts, and says whether a must failed. */
static bool call_judge(const RunCall *call, GArray **out_judgements, bool *out_failed,
                       GError **error)
{
    const RunPlan *plan = call->plan;
    GArray *judgements = judge(plan);
    g_autofree StoreVerdict *rows = g_new0(StoreVerdict, judgements->len + 1);

    *out_failed = false;
    for (guint i = 0; i < judgements->len; i++) {
        const Judgement *judgement = &g_array_index(judgements, Judgement, i);

        rows[i] = (StoreVerdict){.expectation = judgement->expectation,
                                 .verdict = &judgement->verdict,
                                 .seeds = judgement->seeds};
        if (judgement_fails(judgement, call->options->strict))
            *out_failed = true;
    }
    *out_judgements = judgements;
    return store_file_verdicts(call->store, &plan->runs[0], rows, judgements->len, error);
}

static void append_notes(const RunCall *call, const Report *report, GString *to)
{
    const ScenarioFile *file = call->plan->file;
    const char *path = store_file_path(call->store);
    const char *gap = "\n";

    for (uint32_t i = 0; i < scenario_lint_count(file); i++) {
        const Lint *lint = scenario_lint_at(file, i);

        /* What keeps an expectation from being judged stands with its verdict. */
        if (lint->level == LINT_OK || g_str_has_prefix(lint->place, "expect."))
            continue;
        g_string_append_printf(to, "%s%s: %s%s%s\n", gap,
                               lint->level == LINT_WARNING ? "warning" : "note", lint->place,
                               lint->place[0] ? ": " : "", lint->text);
        gap = "";
    }
    g_string_append_printf(to, "\nresults: %s", path);
    if (call->kept_count > 0)
        g_string_append_printf(to, " (%u of %u runs were there already, with the same digest)",
                               call->kept_count, call->plan->count);
    if (report->other_runs > 0)
        g_string_append_printf(to, "\n  the file also holds %u other %s of this scenario",
                               report->other_runs, report->other_runs == 1 ? "run" : "runs");
    g_string_append_printf(to, "\n  %s plot %s\n  sqlite3 -box %s 'select * from timeline'\n",
                           program_name(), path, path);
}

/* With --quiet only what went wrong is said, and what nobody looked at although it must hold. */
static void print_failures(const Report *report)
{
    for (guint i = 0; i < report->verdicts->len; i++) {
        const ReportVerdict *row = g_ptr_array_index(report->verdicts, i);

        bool is_open =
            strcmp(row->verdict, "NOT EVALUATED") == 0 && strcmp(row->severity, "must") == 0;

        if (!is_open && strcmp(row->verdict, "FAIL") != 0 && strcmp(row->verdict, "NO DATA") != 0 &&
            strcmp(row->verdict, VERDICT_NOT_FROM_SLICE) != 0)
            continue;
        printf("%s %s %s: %s, expected %s%s%s\n", row->verdict, row->severity, row->id,
               row->measured[0] ? row->measured : "nothing measured", row->that,
               row->note[0] ? "; " : "", row->note);
    }
}

static bool call_report(const RunCall *call, const GArray *judgements, GError **error)
{
    const RunPlan *plan = call->plan;
    guint verdict_count = judgements ? judgements->len : 0;
    g_autofree ReportVerdictKey *keys = g_new0(ReportVerdictKey, verdict_count + 1);
    ReportQuery query = {.runs = plan->runs,
                         .run_count = plan->count,
                         .verdicts = keys,
                         .verdict_count = verdict_count};
    g_autoptr(Report) report = NULL;

    for (guint i = 0; i < verdict_count; i++) {
        const Judgement *judgement = &g_array_index(judgements, Judgement, i);

        keys[i] = (ReportVerdictKey){.expectation = judgement->expectation->id,
                                     .seeds = judgement->seeds};
    }
    report = report_load(call->store, &query, error);
    if (!report)
        return false;
    report->strict = call->options->strict;
    if (call->options->json) {
        g_autofree char *json = report_json(report);

        fputs(json, stdout);
    } else if (call->options->quiet) {
        print_failures(report);
    } else {
        g_autoptr(GString) text = g_string_new(NULL);

        report_append_text(report, text, terminal_has_colour(stdout));
        append_notes(call, report, text);
        fputs(text->str, stdout);
    }
    return true;
}

static ExitCode call_interrupted(const RunCall *call)
{
    uint32_t complete = 0;

    for (uint32_t i = 0; i < call->plan->count; i++)
        complete += call->plan->jobs[i].complete ? 1 : 0;
    fprintf(stderr,
            "quintet: interrupted; %u of %u runs are complete in %s, the others count as "
            "incomplete\n",
            complete, call->plan->count, store_file_path(call->store));
    return EXIT_INTERRUPTED;
}

static ExitCode call_run(RunCall *call, uint32_t threads)
{
    RunListener listener = {
        .started = on_started, .finished = on_finished, .tick = on_tick, .actor = call};
    g_autoptr(GError) error = NULL;
    GArray *judgements = NULL;
    bool failed = false;
    bool worked = true;
    RunJobsResult result;

    result = run_jobs(call->plan->jobs, call->plan->count, threads, &listener, &error);
    progress_clear(call->progress);
    if (result == RUN_JOBS_INTERRUPTED)
        return call_interrupted(call);
    if (result == RUN_JOBS_FAILED)
        return complain(error);
    if (call->options->trace)
        fputs(trace_text(call->plan->jobs[0].trace), stdout);
    if (!call->options->no_expect)
        worked = call_judge(call, &judgements, &failed, &error);
    worked = worked && call_report(call, judgements, &error);
    judgements_free(judgements);
    if (!worked)
        return complain(error);
    return failed ? EXIT_EXPECTATION : EXIT_PASSED;
}

/* Where results go; the default folder is made when it is missing. */
static char *results_path(const RunOptions *options, const RunPlan *plan, GError **error)
{
    if (options->out)
        return g_strdup(options->out);
    if (g_mkdir_with_parents(DEFAULT_FOLDER, 0777) != 0) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO,
                    "%s: cannot create the folder for results; choose a file with --out",
                    DEFAULT_FOLDER);
        return NULL;
    }
    return g_strdup_printf("%s/%s.db", DEFAULT_FOLDER, plan->scenario.name);
}

static ExitCode run_planned(const RunOptions *options, RunPlan *plan, uint32_t threads)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = results_path(options, plan, &error);
    g_autoptr(StoreFile) store = path ? store_file_open(path, &error) : NULL;
    g_autoptr(Progress) progress = NULL;
    g_autoptr(Trace) trace = NULL;
    RunCall call = {.options = options, .plan = plan, .store = store};

    if (!store)
        return complain(error);
    if (options->trace) {
        trace = trace_new();
        plan->jobs[0].trace = trace;
    }
    progress = progress_new(plan->scenario.name, plan->jobs, plan->count,
                            !options->quiet && terminal_is_person(stderr));
    call.progress = progress;
    return call_run(&call, threads);
}

static ExitCode run(const void *data, char *const *words)
{
    const RunOptions *options = data;
    RunWish wish = {
        .variants = options->variants,
        .seed = options->seed,
        .seeds = options->seeds,
        .slice = options->slice,
        .until = options->until,
        .sets = options->sets,
    };
    uint64_t threads = g_get_num_processors();
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenarioFile) file = NULL;
    g_autoptr(RunPlan) plan = NULL;

    if (options->threads && !option_number("threads", options->threads, 1, THREADS_MAX, &threads))
        return EXIT_USAGE;
    if (options->out && !options->out[0])
        return complain_usage("--out: \"\" names no file; as in \"results/mine.db\"");
    if (options->trace && options->json)
        return complain_usage("--trace and --json both want the output; choose one");
    file = scenario_open(words[0], options->sets, &error);
    if (!file)
        return complain(error);
    plan = run_plan_new(file, &wish);
    if (!plan)
        return EXIT_USAGE;
    if (options->trace && plan->count != 1)
        return complain_usage("--trace shows one run and this would be %u; choose with --variant "
                              "(\"base\" is the base) and --seeds 1",
                              plan->count);
    return run_planned(options, plan, (uint32_t)threads);
}

#define FIELD(field) offsetof(RunOptions, field)

static const Option options_table[] = {
    {"variant", OPTION_TEXTS, FIELD(variants), "NAME",
     "run this variant, \"base\" for the base; repeat for more (default: base and all)"},
    {"seed", OPTION_TEXT, FIELD(seed), "N", "first seed, instead of the scenario's"},
    {"seeds", OPTION_TEXT, FIELD(seeds), "N",
     "repetitions of each variant, with seeds counting up"},
    {"set", OPTION_TEXTS, FIELD(sets), "PATH=VALUE",
     "change the scenario: --set params.ttl_dns=60s; repeat for more.  The results name it"},
    {"slice", OPTION_TEXT, FIELD(slice), "1/N", "simulate one key in N and estimate the rest"},
    {"until", OPTION_TEXT, FIELD(until), "DURATION", "stop early, as in 20m"},
    {"threads", OPTION_TEXT, FIELD(threads), "N", "runs side by side (default: all processors)"},
    {"out", OPTION_TEXT, FIELD(out), "FILE.db",
     "results file, made or extended (default: results/<name>.db)"},
    {"replace", OPTION_FLAG, FIELD(replace), NULL,
     "take new results in place of those of another build"},
    {"json", OPTION_FLAG, FIELD(json), NULL, "print the report as JSON"},
    {"quiet", OPTION_FLAG, FIELD(quiet), NULL, "print only expectations that failed"},
    {"strict", OPTION_FLAG, FIELD(strict), NULL, "also end with 1 when a must was not evaluated"},
    {"no-expect", OPTION_FLAG, FIELD(no_expect), NULL, "do not judge expectations"},
    {"trace", OPTION_FLAG, FIELD(trace), NULL, "print every fact of the (one) run"},
};

const Subcommand subcommand_run = {
    .head = {.name = "run", .summary = "simulate a scenario and judge its expectations"},
    .usage = "FILE [options]",
    .examples = "  quintet run scenarios/rehearsals/sports-live-score.json\n"
                "      the base and every variant, results into results/sports-live-score.db\n"
                "  quintet run FILE --variant base --variant slow-dns --seeds 5\n"
                "      two of them, five times each on common random numbers\n"
                "  quintet run FILE --set params.isolation=45m --out /tmp/what-if.db\n"
                "      the same scenario with one number changed\n"
                "  quintet run FILE --variant base --until 1m --slice 1/1024 --trace\n"
                "      what happens in the first minute, fact by fact\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(RunOptions),
    .word_min = 1,
    .word_max = 1,
    .word_name = "a scenario file",
    .run = run,
};
