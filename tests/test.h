/* A test tells one story and its name is the claim.
 *
 *     static const TestCase cases[] = {
 *         TEST(test_link_heal_resends_backlog),
 *     };
 *     TEST_MAIN("link", cases)
 *
 * A forgotten case is an unused-function error.  QUINTET_TEST_LONG=1 in the environment asks for
 * the full counts (tools/test --long); test_count(short, long) chooses.
 */
#pragma once

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct {
    const char *name;
    void (*run)(void);
} TestCase;

#define TEST(function)                                                                             \
    {                                                                                              \
        .name = #function, .run = function                                                         \
    }

#define EXPECT(condition) CU_ASSERT(condition)
/* Leaves the story by a jump inside CUnit, which the analyzer does not see: abort() tells it. */
#define EXPECT_FATAL(condition)                                                                    \
    do {                                                                                           \
        const bool test_holds = (condition);                                                       \
        CU_assertImplementation(test_holds, __LINE__, #condition, __FILE__, "", CU_TRUE);          \
        if (!test_holds)                                                                           \
            abort();                                                                               \
    } while (0)
#define EXPECT_INT(actual, expected)                                                               \
    test_expect_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
#define EXPECT_TEXT(actual, expected)                                                              \
    test_expect_text((actual), (expected), #actual, __FILE__, __LINE__)
/* |actual - expected| <= tolerance */
#define EXPECT_NEAR(actual, expected, tolerance)                                                   \
    test_expect_near((double)(actual), (double)(expected), (double)(tolerance), #actual, __FILE__, \
                     __LINE__)

static inline void test_expect_int(long long actual, long long expected, const char *what,
                                   const char *file, int line)
{
    if (actual != expected)
        g_printerr("%s:%d: %s is %lld, expected %lld\n", file, line, what, actual, expected);
    CU_ASSERT(actual == expected);
}

static inline void test_expect_text(const char *actual, const char *expected, const char *what,
                                    const char *file, int line)
{
    bool same = g_strcmp0(actual, expected) == 0;

    if (!same)
        g_printerr("%s:%d: %s is\n%s\nexpected\n%s\n", file, line, what, actual ? actual : "(null)",
                   expected ? expected : "(null)");
    CU_ASSERT(same);
}

static inline void test_expect_near(double actual, double expected, double tolerance,
                                    const char *what, const char *file, int line)
{
    bool near = actual - expected <= tolerance && expected - actual <= tolerance;

    if (!near)
        g_printerr("%s:%d: %s is %.9g, expected %.9g +- %.3g\n", file, line, what, actual, expected,
                   tolerance);
    CU_ASSERT(near);
}

#define TEST_SKIPPED 77 /* exit code of a program that could not test; CTest says so */

static inline bool test_is_long(void)
{
    return getenv("QUINTET_TEST_LONG") != NULL;
}

static inline long test_count(long short_count, long long_count)
{
    return test_is_long() ? long_count : short_count;
}

static inline int test_main(const char *module, const TestCase *cases, size_t count)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite(module, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        CU_add_test(suite, cases[i].name, cases[i].run);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}

#define TEST_MAIN(module, cases)                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        return test_main(module, cases, sizeof(cases) / sizeof((cases)[0]));                       \
    }
