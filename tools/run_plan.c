/* Why it works: the jobs of a plan are a plain product of variants and seeds in document order; a
 * job's place in it is also its place among the results.
 */
#include "tools/run_plan.h"

#include <string.h>

#include "sim/units.h"
#include "tools/subcommand.h"

#define SEEDS_MAX UINT64_C(100000)
#define SLICE_MAX UINT64_C(1000000)
#define BASE_NAME "base"

uint64_t run_plan_seed(const RunPlan *plan, const Scenario *scenario)
{
    return plan->has_seed ? plan->seed : scenario_seed(scenario);
}

uint32_t run_plan_seeds(const RunPlan *plan, const Scenario *scenario)
{
    return plan->seeds > 0 ? (uint32_t)plan->seeds : scenario_seeds(scenario);
}

char *run_plan_seeds_text(const RunPlan *plan, const char *variant)
{
    const Scenario *scenario = scenario_variant(plan->file, variant);

    return g_strdup_printf("%" G_GUINT64_FORMAT "+%u", run_plan_seed(plan, scenario),
                           run_plan_seeds(plan, scenario));
}

/* The variant of that name; "base" is the base unless a variant is called so. */
static const Scenario *find_variant(const ScenarioFile *file, const char *name)
{
    uint32_t count = scenario_variant_count(file);
    g_autofree const char **names = g_new0(const char *, count + 1);
    g_autofree char *whose = NULL;

    for (uint32_t i = 0; i < count; i++) {
        names[i] = scenario_variant_name(scenario_variant_at(file, i));
        if (strcmp(names[i], name) == 0)
            return scenario_variant_at(file, i);
    }
    if (strcmp(name, BASE_NAME) == 0)
        return scenario_base(file);
    names[count] = BASE_NAME;
    whose = g_strconcat("a variant of ", scenario_name(scenario_base(file)), NULL);
    complain_name("--variant", name, whose, names, count + 1);
    return NULL;
}

/* Scenarios to run, in document order whatever the order of options; NULL after complaining. */
static GPtrArray *choose_scenarios(const ScenarioFile *file, char *const *variants)
{
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    g_autoptr(GPtrArray) asked = g_ptr_array_new();

    for (char *const *name = variants; name && *name; name++) {
        const Scenario *scenario = find_variant(file, *name);

        if (!scenario)
            return NULL;
        g_ptr_array_add(asked, (gpointer)scenario);
    }
    for (uint32_t i = 0; i <= scenario_variant_count(file); i++) {
        const Scenario *scenario = i == 0 ? scenario_base(file) : scenario_variant_at(file, i - 1);

        if (variants ? g_ptr_array_find(asked, scenario, NULL)
                     : scenario_runs_by_default(file, scenario))
            g_ptr_array_add(chosen, (gpointer)scenario);
    }
    return g_steal_pointer(&chosen);
}

static bool read_until(RunPlan *plan, const char *text, const GPtrArray *scenarios)
{
    if (!parse_duration(text, &plan->until_ns)) {
        complain_usage("--until: \"%s\" is not a duration; as in \"20m\"", text);
        return false;
    }
    if (plan->until_ns <= 0) {
        complain_usage("--until: \"%s\" must be above zero; as in \"20m\"", text);
        return false;
    }
    for (guint i = 0; i < scenarios->len; i++) {
        SimTime duration_ns = scenario_duration_ns(g_ptr_array_index(scenarios, i));
        char buffer[UNIT_TEXT_MAX];

        if (plan->until_ns > duration_ns) {
            complain_usage("--until: \"%s\" is past the scenario's end (%s); shorten it, or "
                           "--set duration=%s",
                           text, format_time(duration_ns, buffer), text);
            return false;
        }
    }
    return true;
}

static bool read_slice(RunPlan *plan, const char *text)
{
    if (g_str_has_prefix(text, "1/") &&
        g_ascii_string_to_unsigned(text + 2, 10, 1, SLICE_MAX, &plan->slice, NULL))
        return true;
    complain_usage("--slice: \"%s\" is not a slice; as in \"1/64\": one key in 64, at most "
                   "\"1/%" G_GUINT64_FORMAT "\"",
                   text, SLICE_MAX);
    return false;
}

static bool read_wish(RunPlan *plan, const RunWish *wish, const GPtrArray *scenarios)
{
    plan->has_seed = wish->seed != NULL;
    if (wish->seed && !option_number("seed", wish->seed, 0, UINT64_MAX, &plan->seed))
        return false;
    if (wish->seeds && !option_number("seeds", wish->seeds, 1, SEEDS_MAX, &plan->seeds))
        return false;
    if (wish->slice && !read_slice(plan, wish->slice))
        return false;
    return !wish->until || read_until(plan, wish->until, scenarios);
}

static void add_jobs(RunPlan *plan, const Scenario *scenario)
{
    uint32_t seeds = run_plan_seeds(plan, scenario);

    plan->jobs = g_renew(RunJob, plan->jobs, plan->count + seeds);
    plan->runs = g_renew(StoreRun, plan->runs, plan->count + seeds);
    for (uint32_t i = 0; i < seeds; i++) {
        uint64_t seed = run_plan_seed(plan, scenario) + i;
        uint32_t slice = plan->slice > 0 ? (uint32_t)plan->slice : scenario_slice(scenario);

        memset(&plan->jobs[plan->count], 0, sizeof(RunJob));
        plan->jobs[plan->count].scenario = scenario;
        plan->jobs[plan->count].seed = seed;
        plan->jobs[plan->count].slice = slice;
        plan->jobs[plan->count].until_ns = plan->until_ns;
        plan->runs[plan->count] = (StoreRun){
            .scenario = &plan->scenario,
            .variant = scenario_variant_name(scenario),
            .point = plan->point,
            .seed = seed,
            .slice = slice,
            .until_ns = plan->until_ns,
        };
        plan->count++;
    }
}

RunPlan *run_plan_new(const ScenarioFile *file, const RunWish *wish)
{
    g_autoptr(RunPlan) plan = g_new0(RunPlan, 1);
    g_autoptr(GPtrArray) scenarios = choose_scenarios(file, wish->variants);
    const Scenario *base = scenario_base(file);

    if (!scenarios || !read_wish(plan, wish, scenarios))
        return NULL;
    plan->file = file;
    plan->point = wish->sets ? g_strjoinv(", ", (char **)wish->sets) : g_strdup("");
    g_snprintf(plan->hash, sizeof(plan->hash), "%016" G_GINT64_MODIFIER "x", scenario_hash(file));
    plan->scenario = (StoreScenario){
        .hash = plan->hash,
        .name = scenario_name(base),
        .title = scenario_title(base),
        .text = scenario_text(file),
    };
    for (guint i = 0; i < scenarios->len; i++)
        add_jobs(plan, g_ptr_array_index(scenarios, i));
    return g_steal_pointer(&plan);
}

void run_plan_free(RunPlan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; i < plan->count; i++)
        run_job_clear(&plan->jobs[i]);
    g_free(plan->jobs);
    g_free(plan->runs);
    g_free(plan->point);
    g_free(plan);
}
