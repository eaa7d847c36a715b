/* Phases are what an expectation means by "steady" or "after the fault", and segments are what they
 * are made of. */
#include "models/observe/phases.h"

#include <string.h>

#include "tests/test.h"

static const Phase *find(const Phase *phases, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(phases[i].phase, name) == 0)
            return &phases[i];
    return NULL;
}

static void expect_phase(const Phase *phases, uint32_t count, const char *name,
                         const int minutes[2])
{
    const Phase *phase = find(phases, count, name);

    EXPECT_FATAL(phase != NULL);
    EXPECT_INT(phase->from_ns, minutes[0] * SIM_MIN);
    EXPECT_INT(phase->to_ns, minutes[1] * SIM_MIN);
}

#define EXPECT_PHASE(name, from, to) expect_phase(phases, count, name, (const int[2]){from, to})

static void test_phases_follow_warmup_and_fault(void)
{
    g_autoptr(Arena) arena = arena_new();
    const FaultInterval faults[] = {{"lost", 40 * SIM_MIN, 60 * SIM_MIN}};
    uint32_t count;
    const Phase *phases = phases_derive(&(PhasesConfig){.duration_ns = 120 * SIM_MIN,
                                                        .warmup_ns = 10 * SIM_MIN,
                                                        .faults = faults,
                                                        .fault_count = 1},
                                        arena, &count);

    EXPECT_INT(count, 4);
    EXPECT_PHASE("steady", 10, 40);
    EXPECT_PHASE("fault:lost", 40, 60);
    EXPECT_PHASE("after:lost", 60, 120);
    EXPECT_PHASE("all", 0, 120);
}

static void test_phases_without_faults_are_steady_to_the_end(void)
{
    g_autoptr(Arena) arena = arena_new();
    uint32_t count;
    const Phase *phases = phases_derive(
        &(PhasesConfig){.duration_ns = 30 * SIM_MIN, .warmup_ns = 10 * SIM_MIN}, arena, &count);

    EXPECT_INT(count, 2);
    EXPECT_PHASE("steady", 10, 30);
    EXPECT_PHASE("all", 0, 30);
}

static void test_phases_of_overlapping_faults_overlap(void)
{
    g_autoptr(Arena) arena = arena_new();
    const FaultInterval faults[] = {
        {"a", 20 * SIM_MIN, 40 * SIM_MIN},
        {"b", 30 * SIM_MIN, 50 * SIM_MIN},
        {"c", 70 * SIM_MIN, SIM_TIME_NEVER},
    };
    uint32_t count;
    const Phase *phases = phases_derive(
        &(PhasesConfig){.duration_ns = 90 * SIM_MIN, .faults = faults, .fault_count = 3}, arena,
        &count);

    EXPECT_PHASE("steady", 0, 20);
    EXPECT_PHASE("fault:a", 20, 40);
    EXPECT_PHASE("fault:b", 30, 50);
    EXPECT_PHASE("after:a", 40, 70);
    EXPECT_PHASE("after:b", 50, 70);
    EXPECT_PHASE("fault:c", 70, 90);
    EXPECT_PHASE("after:c", 90, 90);
}

static void test_phases_past_the_end_are_empty(void)
{
    g_autoptr(Arena) arena = arena_new();
    const FaultInterval faults[] = {{"late", 40 * SIM_MIN, 60 * SIM_MIN}};
    uint32_t count;
    const Phase *phases = phases_derive(&(PhasesConfig){.duration_ns = 20 * SIM_MIN,
                                                        .warmup_ns = 10 * SIM_MIN,
                                                        .faults = faults,
                                                        .fault_count = 1},
                                        arena, &count);

    EXPECT_PHASE("steady", 10, 20);
    EXPECT_PHASE("fault:late", 20, 20);
    EXPECT_PHASE("after:late", 20, 20);
}

static void test_phases_boundaries_are_inner_and_unique(void)
{
    const Phase phases[] = {
        {"steady", 10, 40}, {"fault:x", 40, 60}, {"after:x", 60, 100}, {"all", 0, 100}};
    SimTime out[8];

    EXPECT_INT(phases_boundaries(phases, 4, 100, out, 8), 3);
    EXPECT_INT(out[0], 10);
    EXPECT_INT(out[1], 40);
    EXPECT_INT(out[2], 60);
    EXPECT_INT(phases_boundaries(phases, 4, 100, out, 1), 3); /* told that they do not fit */
}

static void test_phases_of_base_join_where_they_differ(void)
{
    g_autoptr(Arena) arena = arena_new();
    const Phase base[] = {{"steady", 10, 40}, {"fault:x", 40, 60}, {"all", 0, 100}};
    const Phase own[] = {{"steady", 10, 100}, {"all", 0, 100}};
    uint32_t count;
    const Phase *joined = phases_join_base(own, 2, base, 3, arena, &count);

    EXPECT_INT(count, 4);
    EXPECT_INT(find(joined, count, "steady")->to_ns, 100);
    EXPECT_INT(find(joined, count, "base/steady")->to_ns, 40);
    EXPECT_INT(find(joined, count, "base/fault:x")->from_ns, 40);
    EXPECT(find(joined, count, "base/all") == NULL);
}

static const TestCase cases[] = {
    TEST(test_phases_follow_warmup_and_fault),
    TEST(test_phases_without_faults_are_steady_to_the_end),
    TEST(test_phases_of_overlapping_faults_overlap),
    TEST(test_phases_past_the_end_are_empty),
    TEST(test_phases_boundaries_are_inner_and_unique),
    TEST(test_phases_of_base_join_where_they_differ),
};
TEST_MAIN("phases", cases)
