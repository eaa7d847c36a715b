/* Slices: what a share of the keys says about all of them, and how sure it is.
 *
 * Why it works: the truth is known in closed form (rates are given; lost updates by fit.md 3.3), so
 * an estimate can be held against it over many seeds: right on average, and within its own 95 %
 * interval about as often as it says.
 */
#include "tests/world/world_fixture.h"

#define KEYS 100000

/* Two members, 100 ms apart, skewed writes to the same keys; one small family beside. */
static const char base[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"slice\", \"duration\": \"10s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": {\"max\": "
    "\"1GB\"}}},"
    " \"links\": {\"a~b\": {\"delay\": \"100ms\"}},"
    " \"sites\": {\"sa\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}},"
    "             \"sb\": {\"home\": \"b\", \"rtt\": {\"b\": \"2ms\"}}},"
    " \"families\": {"
    "   \"big\": {\"type\": \"string\", \"keys\": 100000, \"popularity\": {\"zipf\": 0.9},"
    "             \"ops\": {\"SET\": 0.4, \"GET\": 0.6}},"
    "   \"small\": {\"type\": \"counter\", \"keys\": 9999, \"ops\": {\"INCR\": 1}}},"
    " \"workloads\": {\"wa\": {\"site\": \"sa\", \"rate\": \"2500/s\", \"mix\": {\"big\": 0.8,"
    "                 \"small\": 0.2}},"
    "                 \"wb\": {\"site\": \"sb\", \"rate\": \"2500/s\", \"mix\": {\"big\": 0.8,"
    "                 \"small\": 0.2}}},"
    " \"routing\": {\"select\": \"pin\"},"
    " \"variants\": {\"busy\": {\"workloads\": {\"wa\": {\"rate\": \"5k/s\"}}},"
    "                \"alone\": {\"members\": {\"b\": null}, \"links\": {\"a~b\": null},"
    "                            \"sites\": {\"sb\": null}, \"workloads\": {\"wb\": null}}}}";

static const Family *family_of(const World *world, uint32_t index)
{
    return world_families_list(world->families)[index];
}

static void test_small_families_and_hot_keys_are_always_in(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        g_autoptr(Story) story = story_sliced(base, "", seed, 64);
        const Family *big = family_of(story->world, 0), *small = family_of(story->world, 1);

        EXPECT_INT(small->kept_count, 9999);
        for (uint64_t i = 0; i < small->kept_count; i += 101)
            EXPECT_INT(family_weight(small, i), 1);
        EXPECT(big->kept_count < KEYS / 32);
        for (uint64_t i = 0; i < 64; i++) {
            EXPECT_INT(popularity_rank_of(big->popularity, i), i);
            EXPECT_INT(family_weight(big, i), 1);
        }
        EXPECT_INT(family_weight(big, 64), 64);
    }
}

/* The weights of the kept keys stand for all keys: 64 hot ones and a binomial share of the rest. */
static void test_weights_add_up_to_the_keys(void)
{
    static const uint32_t slices[] = {4, 16, 64};

    for (uint32_t s = 0; s < G_N_ELEMENTS(slices); s++) {
        double sum = 0, runs = 10, share = 1.0 / slices[s];
        double deviation = slices[s] * sqrt((KEYS - 64) * share * (1 - share));

        for (uint64_t seed = 1; seed <= (uint64_t)runs; seed++) {
            g_autoptr(Story) story = story_sliced(base, "", seed, slices[s]);
            const Family *big = family_of(story->world, 0);
            double weight = 0;

            for (uint64_t i = 0; i < big->kept_count; i++)
                weight += family_weight(big, i);
            EXPECT_NEAR(weight, KEYS, 4 * deviation);
            EXPECT_NEAR(store_ledger(member_store(story_member(story, 0)), 0)->key_count, weight,
                        0);
            sum += weight;
        }
        EXPECT_NEAR(sum / runs, KEYS, 4 * deviation / sqrt(runs));
    }
}

/* Values of many sizes, some with a life: what the slice weighs stands for the whole, buckets
 * included, for they follow from the keys it stands for. */
static void test_live_memory_is_that_of_the_whole(void)
{
    static const char sizes[] =
        "{\"families\": {\"big\": {\"ttl\": \"1h\", \"value\": {\"lognormal\": {\"p50\": "
        "\"100B\", \"p99\": \"500B\"}}}}}";
    g_autoptr(Story) whole = story_sliced(base, sizes, 1, 1);
    double truth = (double)member_memory_bytes(story_member(whole, 0), MEMORY_LIVE);
    double sum = 0, runs = 20;

    for (uint64_t seed = 1; seed <= (uint64_t)runs; seed++) {
        g_autoptr(Story) story = story_sliced(base, sizes, seed, 16);

        sum += (double)member_memory_bytes(story_member(story, 0), MEMORY_LIVE);
    }
    /* A run keeps 6250 keys or so of weight 16: 1.2 % for their number and as much for sizes. */
    EXPECT_NEAR(sum / runs, truth, truth * 4 * 0.017 / sqrt(runs));
}

static bool same_keys(const Family *one, const Family *other)
{
    bool same = one->kept_count == other->kept_count;

    for (uint64_t i = 0; same && i < one->kept_count; i++)
        same = popularity_rank_of(one->popularity, i) == popularity_rank_of(other->popularity, i) &&
               family_is_prefilled(one, i) == family_is_prefilled(other, i);
    return same;
}

/* So that variants differ by what they change, never by which keys were looked at. */
static void test_every_variant_keeps_the_same_keys(void)
{
    g_autoptr(Story) story =
        story_sliced(base, "{\"families\": {\"big\": {\"prefill\": 0.5}}}", 7, 32);
    g_autoptr(Story) reseeded =
        story_sliced(base, "{\"families\": {\"big\": {\"prefill\": 0.5}}}", 8, 32);

    for (uint32_t i = 0; i < scenario_variant_count(story->file); i++) {
        g_autoptr(World) variant = fixture_world(
            story->file, &(WorldConfig){.seed = 7,
                                        .slice = 32,
                                        .scenario = scenario_variant_at(story->file, i)});

        EXPECT(same_keys(family_of(story->world, 0), family_of(variant, 0)));
        EXPECT(same_keys(family_of(story->world, 1), family_of(variant, 1)));
    }
    EXPECT(!same_keys(family_of(story->world, 0), family_of(reseeded->world, 0)));
}

/* Lost updates of two members with equal shares, by fit.md 3.3: each key's own saturation. */
static double lost_updates(double writes_per_s, double delay_s, double seconds)
{
    double harmonic = 0, lost = 0;

    for (int k = 1; k <= KEYS; k++)
        harmonic += pow(k, -0.9);
    for (int k = 1; k <= KEYS; k++) {
        double rate = writes_per_s * pow(k, -0.9) / harmonic;

        lost += rate / 2 * (1 - exp(-rate * delay_s));
    }
    return lost * seconds;
}

typedef struct {
    const char *what;
    double truth;
    double tolerance; /* of the mean, relative, beside the sampling error */
    double sum, squares, covered, not_from_slice;
} Figure;

/* Estimates are right on average, and their intervals cover the truth in about 95 % of cases.  With
 * 16 random groups and a normal quantile 93 % is what to expect; figures of one seed hang together,
 * so that a seed counts as two: at 100 figures four standard errors are 10 %. */
static void test_intervals_cover_the_truth_as_often_as_they_say(void)
{
    double runs = (double)test_count(50, 400), covered = 0, judged = 0;
    Figure figures[] = {
        {"count(ops{family=big})", 40000, 0.001, 0, 0, 0, 0},
        {"count(ops{family=big,op=SET})", 16000, 0.001, 0, 0, 0, 0},
        {"count(writes{site=sa,family=big})", 8000, 0.001, 0, 0, 0, 0},
        /* The last 0.1 s is not decided, and a millisecond's clock makes ties. */
        {"sum(data.lost_writes{family=big})", lost_updates(1600, 0.1, 9.9), 0.01, 0, 0, 0, 0},
    };

    for (uint64_t seed = 1; seed <= (uint64_t)runs; seed++) {
        g_autoptr(Story) story = story_sliced(base, "", seed, 16);

        story_end(story);
        for (uint32_t i = 0; i < G_N_ELEMENTS(figures); i++) {
            Figure *figure = &figures[i];
            Verdict verdict = story_judge(story, figure->what, "all");

            figure->sum += verdict.left.value;
            figure->squares += verdict.left.value * verdict.left.value;
            figure->covered +=
                verdict.left_low <= figure->truth && figure->truth <= verdict.left_high;
            figure->not_from_slice += verdict.not_from_slice;
            EXPECT(verdict.left_low < verdict.left_high);
        }
        EXPECT_NEAR(story_measure(story, "count(ops{family=small})", "all"), 10000,
                    4 * sqrt(10000));
    }
    for (uint32_t i = 0; i < G_N_ELEMENTS(figures); i++) {
        Figure *figure = &figures[i];
        double mean = figure->sum / runs;
        double error = sqrt((figure->squares / runs - mean * mean) / runs);

        EXPECT_NEAR(mean, figure->truth, 4 * error + figure->tolerance * figure->truth);
        EXPECT_NEAR(figure->not_from_slice, 0, 0);
        covered += figure->covered;
        judged += runs;
    }
    EXPECT(covered / judged > 0.93 - 4 * sqrt(0.93 * 0.07 / (2 * runs)));
    EXPECT(covered / judged < 0.995);
}

/* Without a slice a figure is what it is. */
static void test_whole_runs_have_no_interval(void)
{
    g_autoptr(Story) story = story_new(base, "{\"duration\": \"2s\"}", 1);
    Verdict verdict;

    story_end(story);
    verdict = story_judge(story, "count(ops{family=big})", "all");
    EXPECT(verdict.left_low >= verdict.left_high && verdict.left_low >= verdict.left.value);
}

/* A slice waits as the full load waits: one shard, W = rho / (2 (1 - rho)) services of 10 us, rho
 * the load as estimated from the kept keys, 7 % about the true 70 %.  It is estimated anew each
 * second, to about 3 %, so a tenth is allowed.  The first two seconds are still learning. */
static void test_waits_are_those_of_the_full_load(void)
{
    double runs = 6, load_sum = 0;

    for (uint64_t seed = 1; seed <= (uint64_t)runs; seed++) {
        g_autoptr(Story) story = story_sliced(
            base,
            "{\"members\": {\"b\": null, \"a\": {\"shards\": 1, \"capacity\": {\"ops\": "
            "\"100k/s\"}}}, \"links\": {\"a~b\": null}, \"sites\": {\"sb\": null, \"sa\": "
            "{\"rtt\": "
            "{\"a\": \"20us\"}}}, \"families\": {\"small\": null, \"big\": {\"ops\": {\"SET\": "
            "null,"
            " \"GET\": 1}}}, \"workloads\": {\"wb\": null, \"wa\": {\"rate\": \"70k/s\", \"mix\": "
            "{\"small\": null}}}, \"variants\": null, \"duration\": \"8s\", \"warmup\": \"2s\"}",
            seed, 64);
        double load, wait_us;

        story_end(story);
        load = story_measure(story, "mean(load.utilisation)", "steady");
        wait_us = story_measure(story, "mean(latency.op)", "steady") / 1e3 - 20 - 10;
        EXPECT_NEAR(wait_us / (10 * load / 2 / (1 - load)), 1, 0.12);
        load_sum += load;
    }
    EXPECT_NEAR(load_sum / runs, 0.7, 4 * 0.7 * 0.076 / sqrt(runs));
}

static const TestCase cases[] = {
    TEST(test_small_families_and_hot_keys_are_always_in),
    TEST(test_weights_add_up_to_the_keys),
    TEST(test_live_memory_is_that_of_the_whole),
    TEST(test_every_variant_keeps_the_same_keys),
    TEST(test_intervals_cover_the_truth_as_often_as_they_say),
    TEST(test_whole_runs_have_no_interval),
    TEST(test_waits_are_those_of_the_full_load),
};
TEST_MAIN("slice", cases)
