/* Seeded random worlds: members, links, data, faults and people drawn at random, then run in
 * several ways.
 *
 * However a world is run (one window after another, cut at random instants and window by window,
 * one event at a time, on several threads, without observers), its digest is the same, its
 * invariants hold at every cut, and when everybody has gone quiet all members that are linked to
 * each other agree.  A slice of it is another world, of which the same holds.  A failure prints the
 * command that runs that seed alone.  That compilers agree is seen from outside, by
 * tests/digests.sh.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/world/random_world.h"
#include "tests/world/world_fixture.h"

#define SLICE 8

typedef enum { RUN_PLAIN, RUN_CUT, RUN_SERIAL, RUN_THREADS, RUN_UNOBSERVED, RUN_WAYS } RunWay;

static const char *const way_names[RUN_WAYS] = {"plain", "cut", "serial", "threads", "unobserved"};

/* An ensure or a sanitizer ends the process inside a world: what repeats it is said all the same.
 */
static char repeat_command[128];

static void say_how_to_repeat(void)
{
    ssize_t written = write(STDERR_FILENO, repeat_command, strlen(repeat_command));

    (void)written;
}

static void on_abort(int signal_number)
{
    say_how_to_repeat();
    signal(signal_number, SIG_DFL);
}

/* Of the sanitizers' run-time, where there is one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void begin_seed(uint64_t seed)
{
    g_snprintf(repeat_command, sizeof repeat_command,
               "repeat with: QUINTET_TEST_SEED=%d build-test/gcc/test_worlds\n", (int)seed);
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(say_how_to_repeat);
}

static bool are_linked(const World *world, uint32_t a, uint32_t b)
{
    return member_has_peer(world->members[a], b + 1) && member_has_peer(world->members[b], a + 1);
}

static uint64_t data_digest(const World *world, uint32_t member)
{
    Digest digest = digest_begin();

    store_digest(member_store(world->members[member]), &digest);
    return digest.value;
}

/* One that was force-unlinked, or a cold standby, goes its own way. */
static bool the_linked_agree(const World *world)
{
    bool agree = true;

    for (uint32_t a = 0; a < world->member_count; a++)
        for (uint32_t b = a + 1; b < world->member_count; b++) {
            const Clock *clock_a = store_clock(member_store(world->members[a]));
            const Clock *clock_b = store_clock(member_store(world->members[b]));
            bool same = true;

            if (!are_linked(world, a, b))
                continue;
            for (uint32_t origin = 1; origin <= world->member_count; origin++)
                same &= clock_a->seq[origin] == clock_b->seq[origin];
            if (!same)
                g_printerr("m%u and m%u do not know the same\n", a + 1, b + 1);
            else if (data_digest(world, a) != data_digest(world, b))
                g_printerr("m%u and m%u know the same and differ\n", a + 1, b + 1);
            agree &= same && data_digest(world, a) == data_digest(world, b);
        }
    return agree;
}

/* Cut anywhere; now and then a stretch of cuts as short as a window can be. */
static void run_in_pieces(World *world, uint64_t seed)
{
    Rng cuts = rng_stream(seed, "test/cuts");
    SimTime at_ns = 0;

    while (at_ns < RANDOM_WORLD_S * SIM_S) {
        bool is_stretch = rng_below(&cuts, 16) == 0;
        SimTime step_ns = is_stretch ? world_lookahead_ns(world) : 800 * SIM_MS;

        for (uint32_t i = 0; i < (is_stretch ? 10u : 1u); i++) {
            at_ns += is_stretch ? step_ns : (SimTime)rng_below(&cuts, (uint64_t)step_ns);
            world_run_until(world, at_ns);
            world_check(world);
        }
    }
}

static uint64_t run_one_way(const ScenarioFile *file, uint64_t seed, RunWay way, uint32_t slice)
{
    World *world = fixture_world(file, &(WorldConfig){.seed = seed,
                                                      .slice = slice,
                                                      .threads = way == RUN_THREADS ? 3 : 1,
                                                      .serial = way == RUN_SERIAL,
                                                      .without_observers = way == RUN_UNOBSERVED});
    uint64_t digest;

    if (way == RUN_CUT)
        run_in_pieces(world, seed);
    world_run_until(world, SIM_TIME_NEVER - 1);
    world_finish(world);
    world_check(world);
    EXPECT(the_linked_agree(world));
    digest = world_digest(world);
    world_free(world);
    return digest;
}

static bool run_all_ways(const ScenarioFile *file, uint64_t seed, uint32_t slice)
{
    uint64_t plain = run_one_way(file, seed, RUN_PLAIN, slice);
    bool same = true;

    for (int way = RUN_PLAIN + 1; way < RUN_WAYS; way++) {
        uint64_t digest = run_one_way(file, seed, (RunWay)way, slice);

        if (digest != plain)
            g_printerr("1/%u of the keys: %s is %016" G_GINT64_MODIFIER
                       "x, plain %016" G_GINT64_MODIFIER "x\n",
                       slice, way_names[way], digest, plain);
        same &= digest == plain;
    }
    return same;
}

static void for_each_seed(void (*visit)(const ScenarioFile *file, uint64_t seed))
{
    const char *only = getenv("QUINTET_TEST_SEED");
    uint64_t first = only ? g_ascii_strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : (uint64_t)test_count(12, 300);

    for (uint64_t seed = first; seed <= last; seed++) {
        unsigned failed_before = CU_get_number_of_failures();
        g_autofree char *text = random_scenario(seed);
        g_autoptr(ScenarioFile) file = fixture_load(text);

        begin_seed(seed);
        EXPECT(file != NULL);
        if (file)
            visit(file, seed);
        if (CU_get_number_of_failures() > failed_before) {
            say_how_to_repeat();
            break;
        }
    }
}

static void expect_whole_world_alike(const ScenarioFile *file, uint64_t seed)
{
    EXPECT(run_all_ways(file, seed, 1));
}

static void test_random_worlds_run_alike_and_agree(void)
{
    for_each_seed(expect_whole_world_alike);
}

static void expect_sliced_world_alike(const ScenarioFile *file, uint64_t seed)
{
    EXPECT(run_all_ways(file, seed, SLICE));
}

static void test_slices_of_random_worlds_run_alike_and_agree(void)
{
    for_each_seed(expect_sliced_world_alike);
}

/* Else the other stories would compare worlds in which nothing happens. */
static void test_random_worlds_draw_faults_people_and_unlinks(void)
{
    uint32_t faults = 0, fired = 0, steps = 0, unlinks = 0, full = 0;

    if (getenv("QUINTET_TEST_SEED"))
        return;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        g_autofree char *text = random_scenario(seed);
        g_autoptr(ScenarioFile) file = fixture_load(text);
        g_autoptr(World) world = fixture_world(file, &(WorldConfig){.seed = seed});

        begin_seed(seed);
        world_run_until(world, SIM_TIME_NEVER - 1);
        for (uint32_t i = 0; i < world_log_count(world); i++) {
            const WorldEvent *event = world_log_at(world, i);

            faults += strcmp(event->kind, "fault") == 0 && strcmp(event->what, "ends") == 0;
            fired += strcmp(event->kind, "alert") == 0 && strcmp(event->what, "fires") == 0;
            steps += strcmp(event->kind, "step") == 0 && strcmp(event->what, "done") == 0;
            unlinks += strcmp(event->kind, "step") == 0 && strstr(event->subject, "unlink") &&
                       strcmp(event->what, "done") == 0;
            full += strcmp(event->subject, "full") == 0 && strcmp(event->what, "fires") == 0;
        }
    }
    EXPECT(faults >= 6);
    EXPECT(fired >= 4);
    EXPECT(steps >= 12);
    EXPECT(unlinks >= 2);
    EXPECT(full >= 1);
}

static void test_two_seeds_differ(void)
{
    g_autofree char *text = random_scenario(1);
    g_autoptr(ScenarioFile) file = fixture_load(text);

    begin_seed(1);
    EXPECT(run_one_way(file, 1, RUN_PLAIN, 1) != run_one_way(file, 2, RUN_PLAIN, 1));
}

static const TestCase cases[] = {
    TEST(test_random_worlds_run_alike_and_agree),
    TEST(test_slices_of_random_worlds_run_alike_and_agree),
    TEST(test_random_worlds_draw_faults_people_and_unlinks),
    TEST(test_two_seeds_differ),
};

/* `test_worlds --print SEED` writes that world's scenario, for `quintet run`: tests/digests.sh
 * compares what programs of several compilers make of it. */
int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0) {
        g_autofree char *text = random_scenario(g_ascii_strtoull(argv[2], NULL, 10));

        puts(text);
        return 0;
    }
    return test_main("worlds", cases, G_N_ELEMENTS(cases));
}
