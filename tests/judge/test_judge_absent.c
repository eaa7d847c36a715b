/* Where no redis-server is on the path a judge compares nothing, and everybody is told so.
 *
 * CTest is run from a folder of its own that includes the build's list of tests, so that its logs
 * are not those of the CTest that may be running us. */
#include "tests/test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    char *build;  /* where this program lies */
    char *folder; /* an empty one */
    char *output; /* of the last run */
    int code;
} Fixture;

static Fixture *fixture_new(void)
{
    Fixture *f = g_new0(Fixture, 1);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);

    EXPECT_FATAL(program != NULL);
    f->build = g_path_get_dirname(program);
    f->folder = g_dir_make_tmp("quintet-absent-XXXXXX", NULL);
    return f;
}

static void fixture_free(Fixture *f)
{
    g_autofree char *clean = g_strdup_printf("rm -rf '%s'", f->folder);

    g_spawn_command_line_sync(clean, NULL, NULL, NULL, NULL);
    g_free(f->build);
    g_free(f->folder);
    g_free(f->output);
    g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* With a path on which nothing is to be found. */
static void run(Fixture *f, char **argv)
{
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "PATH", f->folder, TRUE);
    g_autofree char *errors = NULL;
    g_autofree char *output = NULL;
    int status = -1;

    EXPECT(g_spawn_sync(NULL, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors,
                        &status, NULL));
    g_free(f->output);
    f->output = g_strconcat(output ? output : "", errors ? errors : "", NULL);
    f->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Every other judge of this build. */
static bool is_judge(const char *name)
{
    return g_str_has_prefix(name, "test_judge") && !strchr(name, '.') &&
           strcmp(name, "test_judge_absent") != 0;
}

static void test_judge_without_server_says_what_nobody_judges(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(GDir) folder = g_dir_open(f->build, 0, NULL);
    int count = 0;
    const char *name;

    EXPECT_FATAL(folder != NULL);
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *program = g_build_filename(f->build, name, NULL);

        if (!is_judge(name))
            continue;
        run(f, (char *[]){program, NULL});
        EXPECT_INT(f->code, TEST_SKIPPED);
        EXPECT(strstr(f->output, "skipped: there is no redis-server on this machine, so nothing "
                                 "judges test_") != NULL);
        count++;
    }
    EXPECT(count >= 6);
}

static void test_judge_without_server_is_skipped_to_ctest(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *ctest = g_find_program_in_path("ctest");
    g_autofree char *list = g_build_filename(f->folder, "CTestTestfile.cmake", NULL);
    g_autofree char *include = g_strdup_printf("include(\"%s/CTestTestfile.cmake\")\n", f->build);

    EXPECT_FATAL(ctest != NULL);
    EXPECT(g_file_set_contents(list, include, -1, NULL));
    run(f, (char *[]){ctest, "--test-dir", f->folder, "-R", "^test_judge_stream$", NULL});
    EXPECT_INT(f->code, 0);
    EXPECT(strstr(f->output, "***Skipped") != NULL);
    EXPECT(strstr(f->output, "test_judge_stream (Skipped)") != NULL);
}

static const TestCase cases[] = {
    TEST(test_judge_without_server_says_what_nobody_judges),
    TEST(test_judge_without_server_is_skipped_to_ctest),
};
TEST_MAIN("judge_absent", cases)
