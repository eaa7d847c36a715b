/* A failing ensure ends the process, so it fails in a child whose last words are read here. */
#include "tests/test.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/ensure.h"

typedef struct {
    char words[1024];
    int signal; /* that ended the child; 0: it ended by itself */
} Death;

static Death death_of(void (*act)(void))
{
    const struct rlimit no_core = {0, 0};
    Death death = {{0}, 0};
    int ends[2], status;
    size_t used = 0;
    ssize_t got;
    pid_t child;

    EXPECT_FATAL(pipe(ends) == 0);
    fflush(NULL);
    child = fork();
    EXPECT_FATAL(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], death.words + used, sizeof death.words - 1 - used)) > 0)
        used += (size_t)got;
    close(ends[0]);
    EXPECT(waitpid(child, &status, 0) == child);
    death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return death;
}

static void hold(void)
{
    int members = 2;

    ensure(members == 2);
}

static void fail_outside_a_run(void)
{
    int members = 2;

    ensure(members > 5);
}

static void fail_in_a_run(void)
{
    const EnsureContext context = {.scenario = "sports.json",
                                   .variant = "slow-dns",
                                   .seed = 42,
                                   .now_ns = 1500000000,
                                   .event_count = 77};

    ensure_context_set(&context);
    ensure(context.seed == 0);
}

static void fail_after_a_run(void)
{
    const EnsureContext context = {.scenario = "sports.json", .seed = 42};

    ensure_context_set(&context);
    ensure_context_set(NULL);
    ensure(context.seed == 0);
}

static void test_what_holds_says_nothing(void)
{
    Death death = death_of(hold);

    EXPECT_INT(death.signal, 0);
    EXPECT_TEXT(death.words, "");
}

static void test_failure_names_condition_and_place(void)
{
    Death death = death_of(fail_outside_a_run);

    EXPECT_INT(death.signal, SIGABRT);
    EXPECT(strstr(death.words, "ensure failed: members > 5") != NULL);
    EXPECT(strstr(death.words, "test_ensure.c:") != NULL);
    EXPECT(strstr(death.words, "seed") == NULL);
}

static void test_failure_in_a_run_says_how_to_repeat_it(void)
{
    Death death = death_of(fail_in_a_run);

    EXPECT(strstr(death.words, "scenario sports.json, variant slow-dns, seed 42, at 1500000000 ns, "
                               "after 77 events") != NULL);
}

static void test_cleared_context_is_forgotten(void)
{
    Death death = death_of(fail_after_a_run);

    EXPECT_INT(death.signal, SIGABRT);
    EXPECT(strstr(death.words, "sports.json") == NULL);
}

static const TestCase cases[] = {
    TEST(test_what_holds_says_nothing),
    TEST(test_failure_names_condition_and_place),
    TEST(test_failure_in_a_run_says_how_to_repeat_it),
    TEST(test_cleared_context_is_forgotten),
};
TEST_MAIN("ensure", cases)
