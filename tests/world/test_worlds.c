/* Seeded random worlds: members, links, data, faults and people drawn at random, then run in
 * several ways.
 *
 * However a world is run (one window after another, cut at random instants, one event at a time, on
 * several threads, sliced or not), its digest is the same, its invariants hold at every cut, and
 * when everybody has gone quiet all members agree.  A failure prints the seed; QUINTET_TEST_SEED=n
 * runs that one alone.
 */
#include "sim/rng.h"
#include "tests/world/world_fixture.h"

#define RUN_S 90

static uint64_t below(Rng *rng, uint64_t n)
{
    return rng_below(rng, n);
}

static void add_members(GString *text, Rng *rng, uint32_t count)
{
    g_string_append(text, "\"members\": {");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t skew = below(rng, 50), ops = 5 + below(rng, 50), backlog = 20 + below(rng, 2000);

        g_string_append_printf(
            text,
            "%s\"m%u\": {\"memory\": {\"max\": \"2GB\"}, \"backlog\": \"%dkB\", \"shards\": %d, "
            "\"clock_skew\": \"%dms\", \"capacity\": {\"ops\": \"%dk/s\"}}",
            i ? ", " : "", i + 1, (int)backlog, 1 + (int)below(rng, 4), (int)skew - 25, (int)ops);
    }
    g_string_append(text, "}, \"links\": {");
    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = a + 1; b < count; b++) {
            uint64_t delay = 5 + below(rng, 100), tail = 1 + below(rng, 40),
                     back = 5 + below(rng, 100);

            g_string_append_printf(
                text,
                "%s\"m%u~m%u\": {\"delay\": {\"lognormal\": {\"p50\": \"%dms\", \"p99\": "
                "\"%dms\"}}, "
                "\"delay_ba\": \"%dms\", \"bandwidth\": \"%dMbps\", \"jitter_every\": \"3s\"}",
                a + b > 1 ? ", " : "", a + 1, b + 1, (int)delay, (int)(delay + tail), (int)back,
                2 + (int)below(rng, 200));
        }
    g_string_append(text, "}, ");
}

static void add_sites(GString *text, Rng *rng, uint32_t count)
{
    static const char *const routes[] = {"pin", "priority", "geo-nearest"};

    g_string_append(text, "\"sites\": {");
    for (uint32_t i = 0; i < count; i++) {
        g_string_append_printf(text, "%s\"s%u\": {\"home\": \"m%u\", \"clients\": %d, \"rtt\": {",
                               i ? ", " : "", i + 1, i + 1, 1 + (int)below(rng, 8));
        for (uint32_t m = 0; m < count; m++)
            g_string_append_printf(text, "%s\"m%u\": \"%dms\"", m ? ", " : "", m + 1,
                                   m == i ? 1 : 10 + (int)below(rng, 200));
        g_string_append(text, "}}");
    }
    g_string_append_printf(
        text,
        "}, \"routing\": {\"select\": \"%s\", \"detect\": %s, \"retry\": {\"attempts\": %d, "
        "\"timeout\": "
        "\"500ms\", \"backoff\": \"50ms\", \"max_class\": \"%s\"}}, ",
        routes[below(rng, 3)],
        below(rng, 2)
            ? "{\"kind\": \"ping-all\", \"interval\": \"2s\"}"
            : "{\"kind\": \"dns-tm\", \"interval\": \"5s\", \"timeout\": \"2s\", \"tolerated\": "
              "1, \"ttl\": \"5s\"}",
        1 + (int)below(rng, 3), below(rng, 2) ? "accum" : "lww");
}

static void add_families(GString *text, Rng *rng)
{
    static const char *const families[] = {
        "\"str\": {\"type\": \"string\", \"keys\": 200, \"ops\": {\"GET\": 1, \"SET\": 1, \"DEL\": "
        "0.2, \"APPEND\": 0.1}",
        "\"cnt\": {\"type\": \"counter\", \"keys\": 20, \"ops\": {\"INCR\": 1, \"GET\": 1, "
        "\"DEL\": 0.05}",
        "\"hsh\": {\"type\": \"hash\", \"keys\": 300, \"fields\": 4, \"ops\": {\"HSET\": 1, "
        "\"HGETALL\": 1, \"HDEL\": 0.2, "
        "\"DEL\": 0.1}",
        "\"set\": {\"type\": \"set\", \"keys\": 50, \"fields\": 8, \"ops\": {\"SADD\": 1, "
        "\"SREM\": 0.5, \"SISMEMBER\": 1}",
        "\"zst\": {\"type\": \"zset\", \"keys\": 30, \"fields\": 6, \"ops\": {\"ZADD\": 1, "
        "\"ZINCRBY\": 1, \"ZREM\": 0.3, "
        "\"ZREVRANGE\": 1}",
    };

    g_string_append(text, "\"families\": {");
    for (uint32_t i = 0; i < G_N_ELEMENTS(families); i++)
        g_string_append_printf(text, "%s%s%s%s}", i ? ", " : "", families[i],
                               below(rng, 2) ? ", \"popularity\": {\"zipf\": 0.9}" : "",
                               below(rng, 3) ? "" : ", \"prefill\": 0.5");
    g_string_append(text, "}, ");
}

static void add_workloads(GString *text, Rng *rng, uint32_t count)
{
    g_string_append(text, "\"workloads\": {");
    for (uint32_t i = 0; i < count; i++)
        g_string_append_printf(text,
                               "%s\"w%u\": {\"site\": \"s%u\", \"rate\": \"%d/s\", \"mix\": "
                               "{\"str\": 1, \"cnt\": 1, \"hsh\": 1, "
                               "\"set\": 1, \"zst\": 1}, \"bursts\": {\"quiet\": {\"at\": \"60s\", "
                               "\"for\": \"30s\", \"x\": 0}}}",
                               i ? ", " : "", i + 1, i + 1, 20 + (int)below(rng, 100));
    g_string_append(text, "}, ");
}

static void add_faults(GString *text, Rng *rng, uint32_t count)
{
    uint64_t faults = below(rng, 4);

    g_string_append(text, "\"faults\": {");
    for (uint32_t i = 0; i < faults; i++) {
        uint64_t a = 1 + below(rng, count), b = 1 + below(rng, count),
                 at = 1000 + below(rng, 30000);
        uint64_t lasts = 1 + below(rng, 20), kind = below(rng, 4);

        g_string_append_printf(text, "%s\"f%u\": {\"at\": \"%dms\", \"for\": \"%ds\", ",
                               i ? ", " : "", i + 1, (int)at, (int)lasts);
        if (kind == 0 || a == b)
            g_string_append_printf(text, "\"isolate\": \"m%d\"}", (int)a);
        else if (kind == 1)
            g_string_append_printf(text, "\"partition\": \"m%d%sm%d\"}", (int)a,
                                   below(rng, 2) ? "|" : ">", (int)b);
        else if (kind == 2)
            g_string_append_printf(text, "\"crash\": \"m%d\"}", (int)a);
        else
            g_string_append_printf(text, "\"delay\": {\"link\": \"m%d~m%d\", \"add\": \"%dms\"}}",
                                   (int)a, (int)b, 1 + (int)below(rng, 200));
    }
    g_string_append(text, "}");
}

static char *random_scenario(uint64_t seed)
{
    Rng rng = rng_stream(seed, "test/worlds");
    uint32_t count = 1 + (uint32_t)below(&rng, 5);
    GString *text = g_string_new(NULL);

    g_string_append_printf(
        text,
        "{\"quintet\": \"scenario/1\", \"name\": \"random\", \"seed\": %d, \"duration\": \"%ds\", ",
        (int)seed, RUN_S);
    add_members(text, &rng, count);
    add_sites(text, &rng, count);
    add_families(text, &rng);
    add_workloads(text, &rng, count);
    add_faults(text, &rng, count);
    g_string_append(text, "}");
    return g_string_free(text, FALSE);
}

typedef enum { RUN_PLAIN, RUN_CUT, RUN_SERIAL, RUN_THREADS, RUN_UNOBSERVED, RUN_WAYS } RunWay;

static uint64_t run_one_way(const ScenarioFile *file, uint64_t seed, RunWay way)
{
    World *world = fixture_world(file, &(WorldConfig){.seed = seed,
                                                      .threads = way == RUN_THREADS ? 3 : 1,
                                                      .serial = way == RUN_SERIAL,
                                                      .without_observers = way == RUN_UNOBSERVED});
    Rng cuts = rng_stream(seed, "test/cuts");
    uint64_t digest;

    for (SimTime at_ns = 0; way == RUN_CUT && at_ns < RUN_S * SIM_S;
         at_ns += (SimTime)below(&cuts, 500 * SIM_MS)) {
        world_run_until(world, at_ns);
        world_check(world);
    }
    world_run_until(world, SIM_TIME_NEVER - 1);
    world_finish(world);
    world_check(world);
    EXPECT(world_has_converged(world));
    digest = world_digest(world);
    world_free(world);
    return digest;
}

static bool run_all_ways(uint64_t seed)
{
    g_autofree char *text = random_scenario(seed);
    ScenarioFile *file = fixture_load(text);
    uint64_t digests[RUN_WAYS];
    bool same = true;

    if (!file)
        return false;
    for (int way = 0; way < RUN_WAYS; way++) {
        digests[way] = run_one_way(file, seed, (RunWay)way);
        same &= digests[way] == digests[0];
    }
    if (!same)
        g_printerr("digests differ: plain %016" G_GINT64_MODIFIER "x cut %016" G_GINT64_MODIFIER
                   "x serial %016" G_GINT64_MODIFIER "x threads %016" G_GINT64_MODIFIER
                   "x unobserved %016" G_GINT64_MODIFIER "x\n",
                   digests[0], digests[1], digests[2], digests[3], digests[4]);
    scenario_file_free(file);
    return same;
}

static void test_random_worlds_run_alike_and_converge(void)
{
    const char *only = getenv("QUINTET_TEST_SEED");
    uint64_t first = only ? g_ascii_strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : (uint64_t)test_count(12, 300);

    for (uint64_t seed = first; seed <= last; seed++) {
        unsigned failed_before = CU_get_number_of_failures();

        EXPECT(run_all_ways(seed));
        if (CU_get_number_of_failures() > failed_before) {
            g_printerr("repeat with: QUINTET_TEST_SEED=%d build-test/gcc/test_worlds\n", (int)seed);
            break;
        }
    }
}

static void test_two_seeds_differ(void)
{
    g_autofree char *text = random_scenario(1);
    ScenarioFile *file = fixture_load(text);

    EXPECT(run_one_way(file, 1, RUN_PLAIN) != run_one_way(file, 2, RUN_PLAIN));
    scenario_file_free(file);
}

static const TestCase cases[] = {
    TEST(test_random_worlds_run_alike_and_converge),
    TEST(test_two_seeds_differ),
};
TEST_MAIN("worlds", cases)
