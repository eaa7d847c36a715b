/* Every shipped scenario, base and variants, in a short form that has it all: run whole, cut at
 * random instants, one event at a time, on several of the kernel's threads and without observers,
 * it is the same world.
 *
 * Why it works: a shipped fault comes late and its people are slow, so that a run of seconds would
 * see nothing of either.  Two short forms move everything to the front, by the same --set a user
 * has, in whatever scenario the folder holds: faults begin at 10 s and last a minute, bursts come
 * at 5 s, people and their steps take seconds, and traffic is thin unless the long run is asked
 * for.  In the first the alerts keep their conditions; in the second every alert fires while the
 * first fault lasts, so that runbooks for the worst case run too.  That the base of a scenario then
 * sees its faults end, its alerts fire and its steps done is part of the test.
 */
#include "sim/rng.h"
#include "tests/world/world_fixture.h"

#define SHIPPED_SLICE 1024
#define FIRST_FAULT_S 10

typedef enum { FORM_EARLY, FORM_ALARM, FORMS } ShortForm;

static const char *const form_names[FORMS] = {"early", "alarm"};

/* The scenario files under folder, in the order of their names. */
static void find_scenarios(const char *folder, GPtrArray *out)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            find_scenarios(path, out);
        else if (g_str_has_suffix(name, ".json") && strcmp(name, "schema.json") != 0)
            g_ptr_array_add(out, g_steal_pointer(&path));
    }
    if (dir)
        g_dir_close(dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Only scenarios: data of other formats may lie beside them. */
static GPtrArray *shipped_scenarios(void)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    find_scenarios("scenarios", paths);
    g_ptr_array_sort(paths, by_name);
    for (guint i = paths->len; i-- > 0;) {
        g_autofree char *text = NULL;

        if (!g_file_get_contents(paths->pdata[i], &text, NULL, NULL) ||
            !strstr(text, "\"scenario/1\"") || strstr(text, "\"$schema\""))
            g_ptr_array_remove_index(paths, i);
    }
    return paths;
}

static void add_set(GPtrArray *sets, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_set(GPtrArray *sets, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(sets, g_strdup_vprintf(format, args));
    va_end(args);
}

static size_t count_of(const JsonNode *node)
{
    return node ? node->count : 0;
}

static void hasten_faults(GPtrArray *sets, const JsonNode *faults)
{
    for (size_t i = 0; i < count_of(faults); i++) {
        const JsonNode *fault = faults->items[i];

        if (json_get(fault, "at"))
            add_set(sets, "faults.%s.at=%ds", fault->key, FIRST_FAULT_S + 2 * (int)i);
        if (json_get(fault, "wait"))
            add_set(sets, "faults.%s.wait=3s", fault->key);
        add_set(sets, "faults.%s.for=60s", fault->key);
    }
}

static void hasten_people(GPtrArray *sets, const JsonNode *root, ShortForm form)
{
    const JsonNode *alerts = json_get(root, "alerts"), *operators = json_get(root, "operators");

    for (size_t i = 0; i < count_of(alerts); i++) {
        const char *id = alerts->items[i]->key;

        add_set(sets, "alerts.%s.every=1s", id);
        add_set(sets, "alerts.%s.for=%s", id, form == FORM_ALARM ? "30s" : "2s");
        if (form == FORM_ALARM)
            add_set(sets, "alerts.%s.when=max(memory.used_pct) >= 0%%", id);
    }
    for (size_t i = 0; i < count_of(operators); i++) {
        add_set(sets, "operators.%s.ack=1s", operators->items[i]->key);
        add_set(sets, "operators.%s.decide=1s", operators->items[i]->key);
    }
}

static void hasten_runbooks(GPtrArray *sets, const JsonNode *runbooks)
{
    for (size_t i = 0; i < count_of(runbooks); i++) {
        const char *runbook = runbooks->items[i]->key;
        const JsonNode *steps = json_get(runbooks->items[i], "steps");

        for (size_t k = 0; k < count_of(steps); k++) {
            add_set(sets, "runbooks.%s.steps.%s.takes=3s", runbook, steps->items[k]->key);
            if (json_get(steps->items[k], "over"))
                add_set(sets, "runbooks.%s.steps.%s.over=5s", runbook, steps->items[k]->key);
        }
    }
}

static void change_traffic(GPtrArray *sets, const JsonNode *workloads)
{
    for (size_t i = 0; i < count_of(workloads); i++) {
        const JsonNode *bursts = json_get(workloads->items[i], "bursts");
        const char *workload = workloads->items[i]->key;

        if (!test_is_long())
            add_set(sets, "workloads.%s.rate=400/s", workload);
        for (size_t k = 0; k < count_of(bursts); k++) {
            const char *burst = bursts->items[k]->key;

            add_set(sets, "workloads.%s.bursts.%s.at=5s", workload, burst);
            add_set(sets, "workloads.%s.bursts.%s.for=10s", workload, burst);
        }
    }
}

static GPtrArray *short_form(const JsonNode *root, ShortForm form)
{
    GPtrArray *sets = g_ptr_array_new_with_free_func(g_free);

    add_set(sets, "warmup=5s");
    hasten_faults(sets, json_get(root, "faults"));
    hasten_people(sets, root, form);
    hasten_runbooks(sets, json_get(root, "runbooks"));
    change_traffic(sets, json_get(root, "workloads"));
    g_ptr_array_add(sets, NULL);
    return sets;
}

static ScenarioFile *load_short_form(const char *path, ShortForm form)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) doc = NULL;
    g_autoptr(GPtrArray) sets = NULL;
    ScenarioFile *file = NULL;
    gsize size = 0;

    if (g_file_get_contents(path, &text, &size, &error))
        doc = json_parse(path, text, size, &error);
    if (doc) {
        sets = short_form(json_root(doc), form);
        file = scenario_file_load(
            &(ScenarioSource){
                .file = path, .text = text, .size = size, .sets = (const char *const *)sets->pdata},
            &error);
    }
    if (!file)
        g_printerr("%s\n", error->message);
    return file;
}

typedef enum {
    WAY_PLAIN,
    WAY_CUT,
    WAY_SERIAL,
    WAY_TWO_THREADS,
    WAY_FIVE_THREADS,
    WAY_UNOBSERVED,
    WAYS
} Way;

static const char *const way_names[WAYS] = {"plain",     "cut",          "serial",
                                            "2 threads", "five threads", "unobserved"};

/* The second form differs in its first minutes alone, when every runbook runs at once; what a long
 * quiet time does is seen in the first. */
static SimTime run_ns(ShortForm form)
{
    return test_count(95, form == FORM_EARLY ? 20 * 60 : 4 * 60) * SIM_S;
}

static World *run_world(const Scenario *scenario, ShortForm form, uint64_t seed, Way way)
{
    static const uint32_t threads[WAYS] = {
        [WAY_TWO_THREADS] = 2, [WAY_FIVE_THREADS] = 5, [WAY_UNOBSERVED] = 1};
    SimTime until_ns = run_ns(form);
    World *world = fixture_world(NULL, &(WorldConfig){.scenario = scenario,
                                                      .seed = seed,
                                                      .slice = SHIPPED_SLICE,
                                                      .until_ns = until_ns,
                                                      .threads = threads[way],
                                                      .serial = way == WAY_SERIAL,
                                                      .without_observers = way == WAY_UNOBSERVED});
    Rng cuts = rng_stream(seed, "test/cuts");

    for (SimTime at_ns = 0; way == WAY_CUT && at_ns < until_ns;
         at_ns += (SimTime)rng_below(&cuts, 2 * SIM_S)) {
        world_run_until(world, at_ns);
        if (at_ns % 8 == 0) /* the check reads every key */
            world_check(world);
    }
    world_run_until(world, SIM_TIME_NEVER - 1);
    world_finish(world);
    world_check(world);
    return world;
}

static uint64_t digest_of_run(const Scenario *scenario, ShortForm form, uint64_t seed, Way way)
{
    g_autoptr(World) world = run_world(scenario, form, seed, way);

    return world_digest(world);
}

/* QUINTET_TEST_ONLY=path:variant:form runs that one alone. */
static bool is_asked_for(const char *path, const Scenario *scenario, ShortForm form)
{
    g_autofree char *name =
        g_strdup_printf("%s:%s:%s", path, scenario_variant_name(scenario), form_names[form]);
    const char *only = getenv("QUINTET_TEST_ONLY");

    return !only || strcmp(only, name) == 0;
}

static void say_how_to_repeat(const char *path, const Scenario *scenario, ShortForm form)
{
    g_printerr("repeat with: %sQUINTET_TEST_ONLY='%s:%s:%s' build-test/gcc/test_shipped\n",
               test_is_long() ? "QUINTET_TEST_LONG=1 " : "", path, scenario_variant_name(scenario),
               form_names[form]);
}

static void expect_same_in_all_ways(const char *path, const Scenario *scenario, ShortForm form)
{
    uint64_t seed = scenario_seed(scenario);
    uint64_t plain = digest_of_run(scenario, form, seed, WAY_PLAIN);
    bool same = true;

    for (int way = WAY_PLAIN + 1; way < WAYS; way++) {
        uint64_t digest = digest_of_run(scenario, form, seed, (Way)way);

        if (digest != plain)
            g_printerr("%s is %016" G_GINT64_MODIFIER "x, plain %016" G_GINT64_MODIFIER "x\n",
                       way_names[way], digest, plain);
        same &= digest == plain;
    }
    EXPECT(same);
    if (!same)
        say_how_to_repeat(path, scenario, form);
}

static void for_each_short_form(void (*visit)(const char *path, const Scenario *scenario,
                                              ShortForm form))
{
    g_autoptr(GPtrArray) paths = shipped_scenarios();

    EXPECT(paths->len > 0); /* run from the root of the repository */
    for (guint i = 0; i < paths->len; i++)
        for (int form = 0; form < FORMS; form++) {
            g_autoptr(ScenarioFile) file = load_short_form(paths->pdata[i], (ShortForm)form);

            EXPECT_FATAL(file != NULL);
            for (uint32_t v = 0; v <= scenario_variant_count(file); v++) {
                const Scenario *scenario =
                    v == 0 ? scenario_base(file) : scenario_variant_at(file, v - 1);

                if (is_asked_for(paths->pdata[i], scenario, (ShortForm)form))
                    visit(paths->pdata[i], scenario, (ShortForm)form);
            }
        }
}

static void test_shipped_scenarios_run_alike_in_all_ways(void)
{
    for_each_short_form(expect_same_in_all_ways);
}

static void expect_two_seeds_differ(const char *path, const Scenario *scenario, ShortForm form)
{
    uint64_t seed = scenario_seed(scenario);
    bool differ;

    if (form != FORM_ALARM || (*scenario_variant_name(scenario) && !test_is_long()))
        return;
    differ = digest_of_run(scenario, form, seed, WAY_PLAIN) !=
             digest_of_run(scenario, form, seed + 1, WAY_PLAIN);
    EXPECT(differ);
    if (!differ)
        say_how_to_repeat(path, scenario, form);
}

static void test_two_seeds_of_a_shipped_scenario_differ(void)
{
    for_each_short_form(expect_two_seeds_differ);
}

static uint32_t count_log(const World *world, const char *kind, const char *what)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < world_log_count(world); i++)
        count += strcmp(world_log_at(world, i)->kind, kind) == 0 &&
                 strcmp(world_log_at(world, i)->what, what) == 0;
    return count;
}

/* Else the other stories would compare worlds in which nothing happens. */
static void expect_it_has_it_all(const char *path, const Scenario *scenario, ShortForm form)
{
    const OperationsSpec *operations = &scenario->operations;
    unsigned failed_before = CU_get_number_of_failures();
    g_autoptr(World) world = NULL;

    if (*scenario_variant_name(scenario))
        return;
    world = run_world(scenario, form, scenario_seed(scenario), WAY_PLAIN);
    EXPECT_INT(count_log(world, "fault", "begins"), scenario->fault_count);
    EXPECT_INT(count_log(world, "fault", "ends"), scenario->fault_count);
    EXPECT(count_log(world, "alert", "fires") >=
           (form == FORM_ALARM ? operations->alert_count : MIN(operations->alert_count, 1)));
    EXPECT(count_log(world, "step", "done") > 0 || operations->runbook_count == 0);
    if (CU_get_number_of_failures() > failed_before)
        say_how_to_repeat(path, scenario, form);
}

static void test_short_forms_see_faults_alerts_and_steps(void)
{
    for_each_short_form(expect_it_has_it_all);
}

static const TestCase cases[] = {
    TEST(test_shipped_scenarios_run_alike_in_all_ways),
    TEST(test_two_seeds_of_a_shipped_scenario_differ),
    TEST(test_short_forms_see_faults_alerts_and_steps),
};
TEST_MAIN("shipped", cases)
