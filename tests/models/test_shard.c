#include "models/geo/shard.h"

#include "models/geo/wait_table.h"
#include "sim/math.h"
#include "tests/test.h"

static Shards *one_shard(double ops_per_s, bool sliced)
{
    ShardsConfig config = {
        .shard_count = 1, .ops_per_s = ops_per_s, .sliced = sliced, .seed = 3, .name = "us"};

    return shards_new(&config);
}

static SimTime gap_draw(Rng *rng, double mean_ns)
{
    return (SimTime)(-sim_log(1 - rng_unit(rng)) * mean_ns);
}

static void test_first_come_first_served(void)
{
    g_autoptr(Shards) shards = one_shard(1000, false);
    ShardJob job = {.cost = 1, .weight = 1};
    ShardTurn turn;

    turn = shards_serve(shards, &job);
    EXPECT_INT(turn.wait_ns, 0);
    EXPECT_INT(turn.service_ns, SIM_MS);
    job.cost = 2;
    turn = shards_serve(shards, &job);
    EXPECT_INT(turn.wait_ns, SIM_MS);
    EXPECT_INT(turn.service_ns, 2 * SIM_MS);
    job.now_ns = 2500 * SIM_US;
    shards_occupy(shards, &job);
    turn = shards_serve(shards, &job);
    EXPECT_INT(turn.wait_ns, 2500 * SIM_US);
}

/* Four shards of a member that can do 4000/s each take 1 ms; keys of one shard do not wait for
 * another. */
static void test_shards_share_the_capacity(void)
{
    ShardsConfig config = {.shard_count = 4, .ops_per_s = 4000, .seed = 3, .name = "us"};
    g_autoptr(Shards) shards = shards_new(&config);

    for (uint64_t i = 0, key = 0; i < 4; i++) {
        ShardJob job = {.cost = 1, .weight = 1};
        ShardTurn turn;

        while (rng_scale(rng_mix(key), 4) != i)
            key++;
        job.key = key;
        turn = shards_serve(shards, &job);
        EXPECT_INT(turn.wait_ns, 0);
        EXPECT_INT(turn.service_ns, SIM_MS);
    }
}

/* Mean wait of M/D/1: rho / (2 mu (1 - rho)). */
static void test_waits_follow_m_d_1(void)
{
    g_autoptr(Shards) shards = one_shard(10000, false);
    Rng rng = rng_stream(11, "test/md1");
    long count = test_count(400000, 4000000);
    double rho = 0.8;
    ShardJob job = {.cost = 1, .weight = 1};
    double sum = 0;

    for (long i = 0; i < count; i++) {
        job.now_ns += gap_draw(&rng, 1e9 / (rho * 10000));
        sum += (double)shards_serve(shards, &job).wait_ns;
    }
    EXPECT_NEAR(sum / (double)count, rho / (2 * (1 - rho)) * 1e5, 0.04 * 2e5);
}

/* M/M/1 with mu = 1 and rho = 0.8: mean sojourn 5, p99 23.03. */
static void test_sojourns_follow_m_m_1(void)
{
    g_autoptr(Shards) shards = one_shard(1000, false);
    Rng rng = rng_stream(12, "test/mm1");
    long count = test_count(1000000, 8000000);
    ShardJob job = {.weight = 1};
    double sum = 0;
    long above = 0;

    for (long i = 0; i < count; i++) {
        ShardTurn turn;

        job.now_ns += gap_draw(&rng, 1e6 / 0.8);
        job.cost = -sim_log(1 - rng_unit(&rng));
        turn = shards_serve(shards, &job);
        sum += (double)(turn.wait_ns + turn.service_ns);
        above += turn.wait_ns + turn.service_ns > (SimTime)(23.03 * SIM_MS);
    }
    EXPECT_NEAR(sum / (double)count / SIM_MS, 5, 0.15);
    EXPECT_NEAR((double)above / (double)count, 0.01, 0.0015);
}

static void test_utilisation_is_the_busy_share(void)
{
    g_autoptr(Shards) shards = one_shard(1000, false);
    ShardJob job = {.cost = 1, .weight = 1};

    for (int i = 0; i < 300; i++) {
        job.now_ns = i * 2 * SIM_MS;
        shards_serve(shards, &job);
    }
    EXPECT_NEAR(shards_take_utilisation(shards, 600 * SIM_MS), 0.5, 1e-9);
    job.now_ns = 600 * SIM_MS;
    for (int i = 0; i < 300; i++)
        shards_serve(shards, &job);
    EXPECT_NEAR(shards_take_utilisation(shards, 700 * SIM_MS), 1, 1e-9);
    EXPECT_NEAR(shards_take_utilisation(shards, 1100 * SIM_MS), 0.5, 1e-9);
}

static void test_slowdown_stretches_services(void)
{
    g_autoptr(Shards) shards = one_shard(1000, false);
    ShardJob job = {.cost = 1, .weight = 1};

    shards_set_slowdown(shards, 3);
    EXPECT_INT(shards_serve(shards, &job).service_ns, 3 * SIM_MS);
}

/* The table against closed forms: M/D/1 mean and share of no wait; hyperexponential mean. */
static void test_wait_table_has_the_stationary_means(void)
{
    static const double one = 1;
    static const double costs[] = {1, 10};
    static const double shares[] = {0.45, 0.05}; /* half of the load is not said */
    g_autoptr(WaitTable) constant = wait_table_new(&one, &one, 1);
    g_autoptr(WaitTable) mixed = wait_table_new(costs, shares, 2);
    double square = (0.9 + 10) / (1.9 * 1.9);

    for (double load = 0.1; load < 0.96; load += 0.05) {
        double sum = 0;
        double mixed_sum = 0;
        int none = 0;

        for (uint64_t i = 0; i < 4096; i++) {
            double wait = wait_table_draw(constant, load, i << 52);

            sum += wait;
            none += wait < 1e-9;
            mixed_sum += wait_table_draw(mixed, load, i << 52);
        }
        EXPECT_NEAR(sum / 4096, load / (2 * (1 - load)), 0.03 * load / (2 * (1 - load)));
        EXPECT_NEAR(mixed_sum / 4096, square * load / (2 * (1 - load)),
                    0.03 * square * load / (2 * (1 - load)));
        EXPECT_NEAR(none / 4096.0, 1 - load, 0.03);
    }
}

/* A slice of one in 32 waits like the whole: M/D/1 at load 0.7. */
static void test_sliced_waits_are_those_of_the_whole(void)
{
    g_autoptr(Shards) shards = one_shard(100000, true);
    Rng rng = rng_stream(13, "test/sliced");
    ShardJob job = {.cost = 1, .weight = 32};
    double sum = 0;
    long count = 0;

    while (job.now_ns < 200 * SIM_S) {
        ShardTurn turn;

        job.now_ns += gap_draw(&rng, 1e9 * 32 / 70000);
        job.key = rng_u64(&rng);
        turn = shards_serve(shards, &job);
        if (job.now_ns > 10 * SIM_S) {
            sum += (double)turn.wait_ns;
            count++;
        }
    }
    EXPECT_NEAR(sum / (double)count, 0.7 / 0.6 * 1e4, 0.08 * 0.7 / 0.6 * 1e4);
}

/* Offered twice what can be served for ten seconds: ten seconds of backlog, gone after the load has
 * gone. */
static void test_sliced_overload_builds_a_fluid_backlog(void)
{
    g_autoptr(Shards) shards = one_shard(1000, true);
    ShardJob job = {.cost = 1, .weight = 10};
    SimTime wait_ns = 0;

    for (; job.now_ns < 10 * SIM_S; job.now_ns += 5 * SIM_MS)
        wait_ns = shards_serve(shards, &job).wait_ns;
    EXPECT_NEAR(wait_ns, 10 * SIM_S, SIM_S / 10);
    for (; job.now_ns < 30 * SIM_S; job.now_ns += 100 * SIM_MS)
        wait_ns = shards_serve(shards, &job).wait_ns;
    EXPECT(wait_ns < 20 * SIM_MS);
}

static const TestCase cases[] = {
    TEST(test_first_come_first_served),
    TEST(test_shards_share_the_capacity),
    TEST(test_waits_follow_m_d_1),
    TEST(test_sojourns_follow_m_m_1),
    TEST(test_utilisation_is_the_busy_share),
    TEST(test_slowdown_stretches_services),
    TEST(test_wait_table_has_the_stationary_means),
    TEST(test_sliced_waits_are_those_of_the_whole),
    TEST(test_sliced_overload_builds_a_fluid_backlog),
};
TEST_MAIN("shard", cases)
