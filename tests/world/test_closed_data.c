/* Whole worlds against formulas: lost writes, what a sudden loss costs, steady populations, memory.
 *
 * Why it works: constant delays and uniform keys turn fit.md 3.2, 3.13 and 3.15 and
 * rehearsal.md 3.1 into plain numbers.  Tolerances are four standard errors of the estimate unless
 * a story says otherwise.
 */
#include "tests/world/world_fixture.h"

enum { A, B, C };

/* Three members, unequal delays, a site beside each. */
static const char trio[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"trio\", \"duration\": \"100s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": {\"max\": "
    "\"1GB\"}},"
    "               \"c\": {\"memory\": {\"max\": \"1GB\"}}},"
    " \"links\": {\"a~b\": {\"delay\": \"85ms\", \"delay_ba\": \"110ms\"},"
    "             \"a~c\": {\"delay\": \"200ms\"}, \"b~c\": {\"delay\": \"150ms\"}},"
    " \"sites\": {\"sa\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}},"
    "             \"sb\": {\"home\": \"b\", \"rtt\": {\"b\": \"2ms\"}},"
    "             \"sc\": {\"home\": \"c\", \"rtt\": {\"c\": \"2ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 20, \"metadata\": \"100B\","
    "               \"ops\": {\"SET\": 1}}},"
    " \"workloads\": {\"wa\": {\"site\": \"sa\", \"rate\": \"60/s\", \"mix\": {\"f\": 1}},"
    "                 \"wb\": {\"site\": \"sb\", \"rate\": \"40/s\", \"mix\": {\"f\": 1}},"
    "                 \"wc\": {\"site\": \"sc\", \"rate\": \"100/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\", \"retry\": {\"attempts\": 1, \"timeout\": \"1s\"}}}";

/* sum_i lambda_i sum_{j != i} (lambda_j / Lambda) (1 - exp(-Lambda d_ij)) per key (fit.md 3.2). */
static double lost_per_second(const double rates[3], const double delays[3][3])
{
    double total = rates[A] + rates[B] + rates[C], lost = 0;

    for (int i = A; i <= C; i++)
        for (int j = A; j <= C; j++)
            if (i != j)
                lost += rates[i] * rates[j] / total * (1 - exp(-total * delays[i][j]));
    return lost;
}

static void test_lost_updates_are_as_many_as_the_formula_says(void)
{
    static const double delays[3][3] = {{0, 0.085, 0.2}, {0.11, 0, 0.15}, {0.2, 0.15, 0}};
    static const double per_key[3] = {3, 2, 5};
    double runs = (double)test_count(4, 60), seconds = 100 * runs, lost = 0;
    double expected = 20 * lost_per_second(per_key, delays) * seconds;

    for (uint64_t seed = 1; seed <= (uint64_t)runs; seed++) {
        g_autoptr(Story) story = story_new(trio, "", seed);

        story_end(story);
        lost += story_measure(story, "sum(anomaly.A1)", "all");
        EXPECT_NEAR(story_measure(story, "sum(anomaly.A1)", "all"),
                    story_measure(story, "sum(data.lost_writes{cause=overwritten})", "all"), 0);
    }
    /* A write's fate depends on its neighbours within 0.2 s, so counts are no noisier than twice a
     * Poisson's.  The last 0.2 s of each run are not decided: a thousandth. */
    EXPECT_NEAR(lost, expected, 4 * sqrt(2 * expected) + expected * 0.002);
}

/* An element of a list that two set is a register as a string is (crdt-semantics.md 5); each of the
 * four gets a quarter of its key's writes. */
static void test_lost_updates_of_list_elements_are_as_many(void)
{
    static const double delays[3][3] = {{0, 0.085, 0.2}, {0.11, 0, 0.15}, {0.2, 0.15, 0}};
    static const double per_element[3] = {0.75, 0.5, 1.25};
    double expected = 20 * 4 * lost_per_second(per_element, delays) * 100;
    g_autoptr(Story) story = story_new(trio,
                                       "{\"families\": {\"f\": {\"type\": \"list\", \"fields\": 4, "
                                       "\"ops\": {\"SET\": null, \"LSET\": 1}}}}",
                                       1);

    story_end(story);
    EXPECT_NEAR(story_measure(story, "sum(anomaly.A1)", "all"), expected,
                4 * sqrt(2 * expected) + expected * 0.002);
}

/* Delays of seconds: the other limit, Lambda (1 - sum (lambda_i / Lambda)^2). */
static void test_lost_updates_saturate(void)
{
    double expected = 20 * 10 * (1 - 0.09 - 0.04 - 0.25) * 100, lost;
    g_autoptr(Story) story = story_new(
        trio,
        "{\"duration\": \"105s\", \"links\": {\"a~b\": null, \"a~c\": null, \"b~c\": null,"
        " \"*\": {\"delay\": \"5s\"}}}",
        1);

    story_end(story);
    lost = story_measure(story, "sum(anomaly.A1)", "all");
    EXPECT_NEAR(lost, expected * 1.05, expected * 0.06); /* 100 to 105 s of writes are decided */
}

/* Writes that nobody else has when their member is lost: w (t + d), t the silence before, d the way
 * to the nearest survivor; 200 writes a second, evenly spaced.  What the member goes on to
 * acknowledge until the end is lost too. */
static void test_a_sudden_loss_costs_the_writes_on_their_way(void)
{
    static const struct {
        int silence_s, end_s;
    } cases[] = {{1, 22}, {5, 26}, {5, 40}};

    for (uint32_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *patch = g_strdup_printf(
            "{\"links\": {\"a~b\": {\"delay\": \"400ms\", \"delay_ba\": \"300ms\"}, \"b~c\": "
            "{\"delay\": \"900ms\"}}, \"workloads\": {\"wa\": null, \"wc\": null, \"wb\": "
            "{\"rate\": "
            "\"200/s\", \"arrivals\": \"constant\"}}, \"sites\": {\"sa\": null, \"sc\": null},"
            " \"duration\": \"%ds\", \"faults\": {\"x\": {\"at\": \"20s\", \"partition\": "
            "\"a,c|b\"}},"
            " \"runbooks\": {\"drop\": {\"on\": \"fault:x\", \"steps\": {\"unlink\": {\"do\": "
            "\"force-unlink\", \"target\": \"b\", \"takes\": \"%ds\"}}}}}",
            cases[i].end_s, cases[i].silence_s);
        g_autoptr(Story) story = story_new(trio, patch, 1);
        double expected = 200 * (cases[i].end_s - 20 + 0.3);

        story_end(story);
        EXPECT_NEAR(story_measure(story, "sum(data.lost_writes{cause=unreplicated})", "all"),
                    expected, 3);
        EXPECT_NEAR(story_measure(story, "sum(anomaly.A23)", "all"), expected, 3);
    }
}

/* Existing keys at member a, on average over the run and at its worst second. */
typedef struct {
    double first, mean, least, most;
} Population;

static Population population_of(Story *story, uint32_t seconds)
{
    Population p = {.least = 1e12};

    for (uint32_t second = 0; second <= seconds; second++) {
        double count;

        story_run(story, second * SIM_S + 1);
        count = (double)store_ledger(member_store(story_member(story, A)), 0)->key_count;
        p.first = second == 0 ? count : p.first;
        p.mean += count / (seconds + 1);
        p.least = MIN(p.least, count);
        p.most = MAX(p.most, count);
    }
    return p;
}

/* Writes create and deletes remove: h / (h + d) of the keys exist, from the first instant on; each
 * key turns over several times in the run. */
static void test_steady_prefill_with_deletes_does_not_drift(void)
{
    g_autoptr(Story) story = story_new(
        trio,
        "{\"families\": {\"f\": {\"keys\": 40000, \"prefill\": \"steady\", \"ops\": {\"SET\": 3,"
        " \"DEL\": 1, \"GET\": 1}}}, \"workloads\": {\"wa\": {\"rate\": \"10k/s\"}, \"wb\": null,"
        " \"wc\": null}, \"sites\": {\"sb\": null, \"sc\": null}, \"duration\": \"41s\"}",
        1);
    Population p = population_of(story, 40);

    EXPECT_NEAR(p.mean, 30000, 300);
    /* One standard deviation of a count is sqrt(40000 * 3/16) = 87. */
    EXPECT(p.least > 30000 - 5 * 87 && p.most < 30000 + 5 * 87);
    EXPECT_NEAR(p.first, 30000, 4 * 87);
}

/* Sliding lives of 20 s renewed 0.05 times a second: 1 - exp(-1) of the keys exist. */
static void test_steady_prefill_with_lives_does_not_drift(void)
{
    g_autoptr(Story) story = story_new(
        trio,
        "{\"families\": {\"f\": {\"keys\": 40000, \"prefill\": \"steady\", \"ttl\": \"20s\","
        " \"ops\": {\"SET\": 1, \"GET\": 1}}}, \"workloads\": {\"wa\": {\"rate\": \"4k/s\"}, "
        "\"wb\": "
        "null, \"wc\": null}, \"sites\": {\"sb\": null, \"sc\": null}, \"duration\": \"61s\"}",
        1);
    Population p = population_of(story, 60);
    double expected = 40000 * (1 - exp(-1)), deviation = sqrt(expected * exp(-1));

    EXPECT_NEAR(p.mean, expected, 0.01 * expected);
    EXPECT_NEAR(p.first, expected, 4 * deviation);
    EXPECT(p.least > expected - 5 * deviation && p.most < expected + 5 * deviation);
}

/* Keys renewed hundreds of times in their ttl all exist; nothing divides by what is left of them.
 */
static void test_steady_prefill_of_hot_keys_has_them_all(void)
{
    g_autoptr(Story) story = story_new(
        trio,
        "{\"families\": {\"f\": {\"keys\": 100, \"prefill\": \"steady\", \"ttl\": \"20s\","
        " \"ops\": {\"SET\": 1}}}, \"workloads\": {\"wa\": {\"rate\": \"4k/s\"}, \"wb\": null, "
        "\"wc\": null}, \"sites\": {\"sb\": null, \"sc\": null}, \"duration\": \"61s\"}",
        1);

    EXPECT_NEAR(population_of(story, 5).first, 100, 0);
}

/* Metadata at a after b has been silent for some seconds. */
static double metadata_after(const char *family, double seconds)
{
    g_autofree char *patch =
        g_strdup_printf("{\"families\": {\"f\": %s}, \"workloads\": {\"wb\": null}, \"sites\": "
                        "{\"sb\": null}, \"faults\": {\"x\": {\"at\": \"10s\", \"for\": \"80s\","
                        " \"isolate\": \"b\"}}}",
                        family);
    g_autoptr(Story) story = story_new(trio, patch, 1);
    const Member *a = story_member(story, A);
    double bytes;

    story_run(story, (10 + (SimTime)seconds) * SIM_S);
    bytes = (double)(member_memory_bytes(a, MEMORY_HISTORY) +
                     member_memory_bytes(a, MEMORY_TOMBSTONES));
    story_end(story);
    /* After the heal everything is observed again but the last second and a way. */
    EXPECT(member_memory_bytes(a, MEMORY_HISTORY) + member_memory_bytes(a, MEMORY_TOMBSTONES) <
           160 * 2 * 100);
    return bytes;
}

/* `op`: every effect leaves a record: w m a second, in a straight line (fit.md 3.15).  160 SETs and
 * DELs a second; a DEL of an absent key, one in five, leaves nothing: w = 128 + 32 * 0.8. */
static void test_memory_in_isolation_grows_by_every_effect(void)
{
    static const char family[] = "{\"retention\": \"op\", \"keys\": 400, \"prefill\": \"steady\","
                                 " \"ops\": {\"SET\": 0.8, \"DEL\": 0.2}}";
    double per_second = (128 + 32 * 0.8) * 100;

    for (double seconds = 25; seconds <= 75; seconds += 25) {
        double effects = per_second / 100 * seconds;

        /* Up to 1.5 s of effects before the isolation were not yet observed by all. */
        EXPECT_NEAR(metadata_after(family, seconds), per_second * (seconds + 0.75),
                    4 * 100 * sqrt(effects) + per_second * 0.75);
    }
}

/* `tombstone`: removals alone; a key of this family is there 4 times in 5 when a DEL comes. */
static void test_memory_in_isolation_grows_by_removals_alone(void)
{
    static const char family[] = "{\"retention\": \"tombstone\", \"keys\": 400, \"prefill\": "
                                 "\"steady\", \"ops\": {\"SET\": 0.8, \"DEL\": 0.2}}";
    double per_second = 32 * 0.8 * 100;

    for (double seconds = 25; seconds <= 75; seconds += 25)
        EXPECT_NEAR(metadata_after(family, seconds), per_second * (seconds + 0.75),
                    4 * 100 * sqrt(per_second / 100 * seconds) + per_second * 0.75);
}

/* `key`: one record for each key that an origin wrote: m sum_o sum_k (1 - exp(-w_o p_k t)). */
static void test_memory_in_isolation_saturates_by_key(void)
{
    static const char family[] = "{\"retention\": \"key\", \"keys\": 2000, \"ops\": {\"SET\": 1}}";

    for (double seconds = 25; seconds <= 75; seconds += 25) {
        double a = 1 - exp(-60.0 / 2000 * (seconds + 0.75)),
               c = 1 - exp(-100.0 / 2000 * (seconds + 0.75));
        double deviation = sqrt(2000 * (a * (1 - a) + c * (1 - c)));

        EXPECT_NEAR(metadata_after(family, seconds), 100 * 2000 * (a + c),
                    4 * 100 * deviation + 100 * 160 * 0.75);
    }
}

static const TestCase cases[] = {
    TEST(test_lost_updates_are_as_many_as_the_formula_says),
    TEST(test_lost_updates_of_list_elements_are_as_many),
    TEST(test_lost_updates_saturate),
    TEST(test_a_sudden_loss_costs_the_writes_on_their_way),
    TEST(test_steady_prefill_with_deletes_does_not_drift),
    TEST(test_steady_prefill_with_lives_does_not_drift),
    TEST(test_steady_prefill_of_hot_keys_has_them_all),
    TEST(test_memory_in_isolation_grows_by_every_effect),
    TEST(test_memory_in_isolation_grows_by_removals_alone),
    TEST(test_memory_in_isolation_saturates_by_key),
};
TEST_MAIN("closed forms of data", cases)
