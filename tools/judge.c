/* Why it works: an expectation that needs a variant which was not run is told apart before it is
 * evaluated, so "no data" always means that something ran and measured nothing.
 */
#include "tools/judge.h"

#include <string.h>

#include "models/observe/phases.h"
#include "sim/units.h"
#include "tools/store.h"

#define VARIANTS_NAMED_MAX 16

typedef struct {
    VariantRuns *variants;
    uint32_t count;
    const Recording **recordings; /* of all jobs, in their order */
} Ran;

static Ran collect(const RunPlan *plan)
{
    Ran ran = {.variants = g_new0(VariantRuns, plan->count),
               .recordings = g_new0(const Recording *, plan->count)};
    uint32_t recorded = 0;

    for (uint32_t i = 0; i < plan->count; i++) {
        const char *variant = plan->runs[i].variant;
        VariantRuns *last = ran.count > 0 ? &ran.variants[ran.count - 1] : NULL;

        if (!plan->jobs[i].complete)
            continue;
        ran.recordings[recorded] = plan->jobs[i].recording;
        if (!last || strcmp(last->variant, variant) != 0) {
            last = &ran.variants[ran.count++];
            *last = (VariantRuns){.variant = variant, .recordings = &ran.recordings[recorded]};
        }
        last->count++;
        recorded++;
    }
    return ran;
}

static bool has_run(const Ran *ran, const char *variant)
{
    for (uint32_t i = 0; i < ran->count; i++)
        if (strcmp(ran->variants[i].variant, variant) == 0)
            return true;
    return false;
}

/* A variant it needs and that was not run, or NULL. */
static const char *missing_variant(const Expectation *expectation, const Ran *ran)
{
    const char *named[VARIANTS_NAMED_MAX];
    uint32_t count = expression_variants(expectation->expression, named, VARIANTS_NAMED_MAX);

    if (!has_run(ran, expectation->variant))
        return expectation->variant;
    for (uint32_t i = 0; i < MIN(count, VARIANTS_NAMED_MAX); i++)
        if (!has_run(ran, named[i]))
            return named[i];
    return NULL;
}

/* The phase as the runs know it: a variant's own, else its base's; NULL: unknown. */
static const Phase *phase_of(const Recording *recording, const char *name)
{
    g_autofree char *of_base = g_strconcat(PHASE_OF_BASE, name, NULL);
    const Phase *own = recording_phase(recording, name);

    return own ? own : recording_phase(recording, of_base);
}

/* Says so when nothing could be measured because the run was over before its phase began. */
static void explain_no_data(const Expectation *expectation, const Ran *ran, Verdict *out)
{
    for (uint32_t i = 0; i < ran->count; i++) {
        const VariantRuns *runs = &ran->variants[i];
        const Recording *recording = runs->recordings[0];
        const Phase *phase = phase_of(recording, expectation->phase);
        SimTime end_ns = recording_end_ns(recording);
        char ended[UNIT_TEXT_MAX];
        char begins[UNIT_TEXT_MAX];

        if (strcmp(runs->variant, expectation->variant) != 0 || !phase || phase->from_ns < end_ns)
            continue;
        g_snprintf(
            out->note, sizeof(out->note), "no data: the run ended at %s, phase %s begins at %s",
            format_time(end_ns, ended), expectation->phase, format_time(phase->from_ns, begins));
    }
}

/* The least share of what a variant's clients send that its runs' estimates add up to: where whole
 * families have no key in the slice, no interval shows it. */
static double coverage_of(const RunPlan *plan, const char *variant)
{
    double least = 1.0;

    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->jobs[i].complete && strcmp(plan->runs[i].variant, variant) == 0)
            least = MIN(least, plan->jobs[i].coverage);
    return least;
}

static void doubt_coverage(const RunPlan *plan, const Expectation *expectation, Verdict *out)
{
    double coverage = coverage_of(plan, expectation->variant);
    char share[UNIT_TEXT_MAX];

    if (coverage >= SLICE_COVERAGE_MIN || (out->kind != VERDICT_PASS && out->kind != VERDICT_FAIL))
        return;
    out->not_from_slice = true;
    g_snprintf(out->note, sizeof(out->note),
               "not from this slice: its keys stand for %s of the clients' operations",
               format_share(coverage, share));
}

static void judge_one(const Expectation *expectation, const Ran *ran, Verdict *out)
{
    ExpectationContext context = {
        .variants = ran->variants,
        .variant_count = ran->count,
        .variant = expectation->variant,
        .phase = expectation->phase,
    };
    const char *missing;

    memset(out, 0, sizeof(*out));
    out->kind = VERDICT_NOT_EVALUATED;
    if (!expectation->expression) {
        g_strlcpy(out->note, expectation->unsupported ? expectation->unsupported : "not supported",
                  sizeof(out->note));
        return;
    }
    missing = missing_variant(expectation, ran);
    if (missing) {
        g_snprintf(out->note, sizeof(out->note), "variant %s was not run",
                   missing[0] ? missing : "base");
        return;
    }
    expression_judge(expectation->expression, &context, out);
    if (out->kind == VERDICT_NO_DATA)
        explain_no_data(expectation, ran, out);
}

static void judgement_clear(gpointer judgement)
{
    g_free(((Judgement *)judgement)->seeds);
}

GArray *judge(const RunPlan *plan)
{
    GArray *judgements = g_array_new(FALSE, TRUE, sizeof(Judgement));
    Ran ran = collect(plan);

    g_array_set_clear_func(judgements, judgement_clear);
    for (uint32_t i = 0; i < scenario_expectation_count(plan->file); i++) {
        Judgement judgement = {.expectation = scenario_expectation_at(plan->file, i)};

        judge_one(judgement.expectation, &ran, &judgement.verdict);
        doubt_coverage(plan, judgement.expectation, &judgement.verdict);
        judgement.seeds = run_plan_seeds_text(plan, judgement.expectation->variant);
        g_array_append_val(judgements, judgement);
    }
    g_free(ran.variants);
    g_free(ran.recordings);
    return judgements;
}

void judgements_free(GArray *judgements)
{
    if (judgements)
        g_array_free(judgements, TRUE);
}

bool judgement_fails(const Judgement *judgement, bool strict)
{
    switch (judgement->verdict.kind) {
    case VERDICT_PASS:
        return judgement->verdict.not_from_slice && judgement->expectation->must;
    case VERDICT_FAIL:
    case VERDICT_NO_DATA:
        return judgement->expectation->must;
    case VERDICT_NOT_EVALUATED:
        return strict && judgement->expectation->must;
    }
    return true;
}
