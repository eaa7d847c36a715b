/* The line that tells whoever waits how far the runs are. */
#include "tools/progress.h"

#include "tests/test.h"

/* Keys are filled before simulated time begins. */
static void test_progress_says_what_it_waits_for(void)
{
    RunJob jobs[2] = {{.until_ns = 100 * SIM_S}, {.until_ns = 100 * SIM_S}};
    g_autoptr(Progress) progress = progress_new("tiny", jobs, 2, false);
    g_autofree char *filling = progress_line(progress);
    g_autofree char *done = NULL;

    EXPECT_TEXT(filling, "tiny: filling keys; 0 of 2 runs done");
    for (size_t i = 0; i < 2; i++)
        atomic_store(&jobs[i].now_ns, 100 * SIM_S);
    done = progress_line(progress);
    EXPECT_TEXT(done, "tiny: 100 %, 0 s left; 2 of 2 runs done");
}

static const TestCase cases[] = {
    TEST(test_progress_says_what_it_waits_for),
};
TEST_MAIN("progress", cases)
