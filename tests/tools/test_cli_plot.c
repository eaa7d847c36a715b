/* quintet plot as a person meets it: whole pictures under their names, or one message and none. */
#include "tests/tools/cli_fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* How many names in the scenario's folder hold part. */
static guint count_files(const Fixture *f, const char *part)
{
    g_autoptr(GDir) folder = g_dir_open(f->folder, 0, NULL);
    const char *name;
    guint count = 0;

    while (folder && (name = g_dir_read_name(folder)))
        count += strstr(name, part) != NULL ? 1 : 0;
    return count;
}

static Fixture *fixture_with_results(void)
{
    Fixture *f = fixture_new();

    EXPECT_INT(command(f, "run SCENARIO --out RESULTS --variant busy --until 20s --no-expect"), 0);
    return f;
}

/* `quintet plot` into the scenario's folder, where no file may pass size_bytes: a disk that fills
 * up below a picture.  gnuplot ends with 0 then. */
static int plot_within(Fixture *f, rlim_t size_bytes)
{
    g_autofree char *words = g_strdup_printf("plot RESULTS --format png --out %s", f->folder);
    struct rlimit before;
    struct rlimit limit;
    int code;

    EXPECT(getrlimit(RLIMIT_FSIZE, &before) == 0);
    limit = before;
    limit.rlim_cur = size_bytes;
    signal(SIGXFSZ, SIG_IGN);
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    code = command(f, words);
    EXPECT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    signal(SIGXFSZ, SIG_DFL);
    return code;
}

static void test_plot_lists_the_pictures_there_are(void)
{
    g_autoptr(Fixture) f = fixture_with_results();

    EXPECT_INT(plot_within(f, RLIM_INFINITY), 0);
    EXPECT_TEXT(f->errors, "");
    EXPECT_SAYS(f->output, "/tiny-busy-until20s-latency.png\n");
    EXPECT_INT(count_files(f, ".png"), 5);
    EXPECT_INT(count_files(f, ".tmp"), 0);
}

/* The script, of about 1 kB, still fits; a picture does not. */
static void test_plot_a_full_disk_ends_with_3_and_leaves_no_part_of_a_picture(void)
{
    g_autoptr(Fixture) f = fixture_with_results();

    EXPECT_INT(plot_within(f, 4096), 3);
    EXPECT_TEXT(f->output, "");
    EXPECT_SAYS(f->errors, "/tiny-busy-until20s-latency.png: only a part of the picture could be "
                           "written, as on a full disk; make room, or choose another folder with "
                           "--out\n");
    EXPECT_INT(count_files(f, ".png"), 0);
}

/* Whoever may write everywhere cannot write there either. */
static void test_plot_an_unwritable_folder_is_found_before_the_first_picture(void)
{
    g_autoptr(Fixture) f = fixture_with_results();

    EXPECT_INT(command(f, "plot RESULTS --out /proc"), 3);
    EXPECT_TEXT(f->output, "");
    EXPECT_SAYS(f->errors, "quintet: /proc: cannot write pictures there: ");
    EXPECT_SAYS(f->errors, "; choose another folder with --out\n");
}

static const TestCase cases[] = {
    TEST(test_plot_lists_the_pictures_there_are),
    TEST(test_plot_a_full_disk_ends_with_3_and_leaves_no_part_of_a_picture),
    TEST(test_plot_an_unwritable_folder_is_found_before_the_first_picture),
};
TEST_MAIN("cli plot", cases)
