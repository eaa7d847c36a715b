/* Measurements as people write them: what is understood, what is refused and how, what is judged.
 */
#include "tools/calibration.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/json_read.h"
#include "tests/test.h"
#include "tools/subcommand.h"

#define HEADER "type,key_len,elements,value_len,ttl,bytes_per_key\n"
#define NOTED  "type,key_len,elements,value_len,ttl,keys,bytes_per_key,note\n"

/* 96 bytes is what such a string takes. */
#define GOOD HEADER "string,16,1,8,0,96\n"
#define FAR  GOOD "string,16,1,8,0,110\n"

static GArray *parse(const char *text, GError **error)
{
    return calibration_parse("mine.csv", text, &footprint_rules_default, error);
}

static void expect_refusal(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows = parse(text, &error);

    EXPECT(rows == NULL);
    EXPECT_FATAL(error != NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_INPUT));
    EXPECT_TEXT(error->message, message);
}

static void test_calibration_refuses_bad_headers_with_their_remedy(void)
{
    expect_refusal("typ,key_len,elements,value_len,ttl,bytes_per_key\n",
                   "mine.csv:1: column \"typ\" is unknown; did you mean \"type\"?");
    expect_refusal("type,key_len,elements,ttl,bytes_per_key\n",
                   "mine.csv:1: column \"value_len\" is missing; the first line must name it");
    expect_refusal("type,type,elements,ttl,bytes_per_key\n",
                   "mine.csv:1: column \"type\" is there twice; keep one");
    expect_refusal("string,16,1,8,0,96\n",
                   "mine.csv:1: column \"string\" is unknown; the first line names the columns, as "
                   "in type,encoding,key_len,elements,value_len,ttl,keys,bytes_per_key,note");
    expect_refusal("", "mine.csv:1: no row of measurements; add one line for each experiment");
    expect_refusal(HEADER, "mine.csv:2: no row of measurements; add one line for each experiment");
}

static void test_calibration_refuses_bad_fields_with_their_remedy(void)
{
    expect_refusal(HEADER "strng,16,1,8,0,96\n",
                   "mine.csv:2: type: \"strng\" is unknown; did you mean \"string\"?");
    expect_refusal(HEADER "graph,16,1,8,0,96\n",
                   "mine.csv:2: type: \"graph\" is unknown; use string, hash, set, zset, list, "
                   "stream, hll or bitmap");
    expect_refusal(GOOD "\nstring,16,-1,8,0,96\n",
                   "mine.csv:4: elements: \"-1\" is not a whole number from 0 to 4294967296");
    expect_refusal(
        HEADER "string,16,1,600000000,0,96\n",
        "mine.csv:2: value_len: \"600000000\" is not a whole number from 0 to 536870912");
    expect_refusal(HEADER "string,16,1,8,yes,96\n",
                   "mine.csv:2: ttl: \"yes\" is not a whole number from 0 to 1");
    expect_refusal(HEADER "hash,16,0,8,0,96\n",
                   "mine.csv:2: elements: 0 elements are no key; strings have 1");
    expect_refusal(HEADER "string,16,1,8,0,many\n",
                   "mine.csv:2: bytes_per_key: \"many\" is not a number above 0, like 112.5");
    expect_refusal(HEADER "string,16,1,8,0,0\n",
                   "mine.csv:2: bytes_per_key: \"0\" is not a number above 0, like 112.5");
    expect_refusal(HEADER "string,16,1,8,0,nan\n",
                   "mine.csv:2: bytes_per_key: \"nan\" is not a number above 0, like 112.5");
    expect_refusal("encoding," HEADER "int,string,16,1,20,0,64\n",
                   "mine.csv:2: value_len: an int string has 1 to 19 digits, not 20");
}

static void test_calibration_refuses_bad_lines_with_their_remedy(void)
{
    expect_refusal(HEADER "string,16,1,8,0\n",
                   "mine.csv:2: 5 fields where the first line names 6 columns; a field may be "
                   "empty, its comma not left out");
    expect_refusal("\xef\xbb\xbf" HEADER "string,16,1,8,0,96\n",
                   "mine.csv:1: the file begins with a byte order mark; save it as UTF-8 without "
                   "one");
    expect_refusal(HEADER "string,16,1,8,0,96,a note\n",
                   "mine.csv:2: 7 fields where the first line names 6 columns; put a field with "
                   "commas in double quotes");
    expect_refusal(NOTED "string,16,1,8,0,100,96,\"half\n",
                   "mine.csv:2: a quoted field does not end; close it with \" on this line");
    expect_refusal(NOTED "string,16,1,8,0,100,96,\"half\" done\n",
                   "mine.csv:2: text after a closing quote; write a quote inside as \"\"");
}

static void test_calibration_reads_columns_by_name_and_files_from_elsewhere(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows = parse("bytes_per_key,ttl,value_len,elements,key_len,type\r\n"
                                   "96.5,0,8,1,16,string\r\n\r\n128,1,8,1,16,string\r\n",
                                   &error);
    const CalibrationRow *first;
    const CalibrationRow *second;

    EXPECT_FATAL(rows != NULL);
    EXPECT_INT(rows->len, 2);
    first = &g_array_index(rows, CalibrationRow, 0);
    second = &g_array_index(rows, CalibrationRow, 1);
    EXPECT_NEAR(first->measured_bytes, 96.5, 0);
    EXPECT_NEAR(first->model_bytes, 96, 0);
    EXPECT_NEAR(first->error, -0.5 / 96.5, 1e-12);
    EXPECT_INT(second->line, 4);
    EXPECT_NEAR(second->model_bytes, 128, 0);
}

static void test_calibration_notes_say_what_the_columns_cannot(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows =
        parse(NOTED "hash,16,5,8,0,100,96,\"20-byte field names, integers 0 to 500\"\n"
                    "stream,16,5,8,0,100,96,\"3 fields an entry, entries 40 ms apart\"\n"
                    "bitmap,16,512,0,0,100,96,grown by 4 SETBITs in rising order\n"
                    "list,16,512,4,0,100,96,integers\n"
                    "string,16,1,8,0,100,96,\"written on a \"\"Monday\"\"\"\n",
              &error);
    const CalibrationRow *row;

    EXPECT_FATAL(rows != NULL);
    row = (const CalibrationRow *)(void *)rows->data;
    EXPECT_INT(row[0].shape.field_len, 20);
    EXPECT(row[0].shape.integers.given);
    EXPECT_INT(row[0].shape.integers.max, 500);
    EXPECT_INT(row[1].shape.entry_fields, 3);
    EXPECT_INT(row[1].shape.entry_gap_ms, 40);
    EXPECT_INT(row[2].shape.growth_writes, 4);
    EXPECT_INT(row[3].shape.integers.starts, 100);
    EXPECT_TEXT(row[3].unused, NULL);
    EXPECT_TEXT(row[4].note, "written on a \"Monday\"");
    EXPECT_TEXT(row[4].unused, "written on a \"Monday\"");
}

static void test_calibration_summary_counts_medians_and_the_worst(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows = parse(FAR "string,16,1,8,0,98\nset,16,1,16,0,240\n", &error);
    CalibrationSummary strings;

    EXPECT_FATAL(rows != NULL);
    strings = calibration_summary(rows, FOOTPRINT_STRING, 0.05);
    EXPECT_INT(strings.rows, 3);
    EXPECT_INT(strings.within, 2);
    EXPECT_NEAR(strings.median, 2.0 / 98, 1e-12);
    EXPECT_NEAR(strings.worst, -14.0 / 110, 1e-12);
    EXPECT_INT(strings.worst_line, 3);
    EXPECT_INT(calibration_summary(rows, FOOTPRINT_TYPES, 0.05).rows, 4);
    EXPECT_INT(calibration_summary(rows, FOOTPRINT_LIST, 0.05).rows, 0);
}

static void expect_bad_setting(const char *setting, const char *message)
{
    FootprintRules rules = footprint_rules_default;
    g_autoptr(GError) error = NULL;

    EXPECT(!calibration_configure(&rules, setting, &error));
    EXPECT_FATAL(error != NULL);
    EXPECT_TEXT(error->message, message);
}

static void test_calibration_settings_have_the_names_of_redis(void)
{
    FootprintRules rules = footprint_rules_default;

    EXPECT(calibration_configure(&rules, "hash-max-listpack-entries=128", NULL));
    EXPECT_INT(rules.hash_max_listpack_entries, 128);
    EXPECT(calibration_configure(&rules, "jemalloc-quantum=8", NULL));
    EXPECT_INT(rules.jemalloc_quantum, 8);
    expect_bad_setting("hash-max-listpack-entry=1",
                       "--config: \"hash-max-listpack-entry=1\" is not a setting the model knows; "
                       "did you mean \"hash-max-listpack-entries\"?");
    expect_bad_setting("maxclients=1", "--config: \"maxclients=1\" is not a setting the model "
                                       "knows; as in hash-max-listpack-entries=128");
    expect_bad_setting("set-max-intset-entries",
                       "--config: \"set-max-intset-entries\" needs a whole number, as in "
                       "set-max-intset-entries=512");
    expect_bad_setting("jemalloc-quantum=9", "--config: \"jemalloc-quantum=9\" needs 8 or 16");
    expect_bad_setting("", "--config: \"\" is not a setting the model knows; as in "
                           "hash-max-listpack-entries=128");
}

/* Any text gives rows or an error that names a line, never a crash. */
static void test_calibration_survives_any_text(void)
{
    static const char good[] = NOTED "hash,16,5,8,0,100,96,\"20-byte field names, integers\"\n"
                                     "stream,16,5,8,1,100,96,\"3 fields an entry\"\n";
    static const char odd[] = ",\"\n\r\t-9.eEx \x01";
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    for (long i = 0; i < test_count(3000, 100000); i++) {
        g_autofree char *text = g_strdup(good);
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) rows = NULL;

        for (int change = g_rand_int_range(rand, 1, 5); change > 0; change--)
            text[g_rand_int_range(rand, 0, sizeof good - 1)] =
                odd[g_rand_int_range(rand, 0, sizeof odd - 1)];
        rows = parse(text, &error);
        EXPECT((rows != NULL) == (error == NULL));
        EXPECT(!error || g_str_has_prefix(error->message, "mine.csv:"));
    }
}

/* `quintet calibrate TEXT-as-a-file [option]` in a child; its output, for g_free. */
static char *calibrate(const char *text, const char *option, int expected)
{
    g_autofree char *folder = g_dir_make_tmp("quintet-test-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "mine.csv", NULL);
    g_autofree char *output = g_build_filename(folder, "output", NULL);
    char *said = NULL;
    int status = 0;
    pid_t child;

    EXPECT(!text || g_file_set_contents(file, text, -1, NULL));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        char *argv[] = {"quintet", "calibrate", file, (char *)option, NULL};
        int to = open(output, O_CREAT | O_WRONLY, 0600);
        int code;

        dup2(to, STDOUT_FILENO);
        dup2(to, STDERR_FILENO);
        code = (int)subcommand_main(option ? 4 : 3, argv);
        fflush(NULL);
        _exit(code);
    }
    EXPECT_INT(waitpid(child, &status, 0), child);
    EXPECT(WIFEXITED(status));
    EXPECT_INT(WEXITSTATUS(status), expected);
    EXPECT(g_file_get_contents(output, &said, NULL, NULL));
    g_unlink(file);
    g_unlink(output);
    g_rmdir(folder);
    return said;
}

static void expect_said(const char *said, const char *part)
{
    if (!strstr(said, part))
        g_printerr("\"%s\" is missing in:\n%s\n", part, said);
    EXPECT(strstr(said, part) != NULL);
}

static void test_calibrate_ends_with_0_1_2_or_3(void)
{
    g_autofree char *good = calibrate(GOOD, NULL, 0);
    g_autofree char *far = calibrate(FAR, NULL, 1);
    g_autofree char *loose = calibrate(FAR, "--tolerance=15%", 0);
    g_autofree char *quiet = calibrate(FAR, "--quiet", 1);
    g_autofree char *bad = calibrate(HEADER "string\n", NULL, 2);
    g_autofree char *option = calibrate(GOOD, "--tolerance=much", 2);
    g_autofree char *config = calibrate(GOOD, "--config=x=1", 2);
    g_autofree char *absent = calibrate(NULL, NULL, 3);

    expect_said(good, "mine.csv: every row is within 5 %");
    expect_said(far, "mine.csv: 1 of 2 rows are past 5 %");
    expect_said(far, "-12.73 %");
    expect_said(loose, "every row is within 15 %");
    EXPECT_TEXT(quiet, "");
    expect_said(bad, "mine.csv:2: 1 fields where");
    expect_said(option, "--tolerance: \"much\" is not a percentage from 0 to 100");
    expect_said(config, "--config: \"x=1\" is not a setting");
    expect_said(absent, "cannot read the measurements");
}

static void test_calibrate_prints_json_of_all_rows(void)
{
    g_autofree char *said = calibrate(FAR, "--json", 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) doc = json_parse("output", said, strlen(said), &error);

    EXPECT_FATAL(doc != NULL);
    expect_said(said, "\"passed\": false");
    expect_said(said, "\"line\": 3");
    expect_said(said, "\"measured_bytes\": 110");
    expect_said(said, "\"model_bytes\": 96");
}

static const TestCase cases[] = {
    TEST(test_calibration_refuses_bad_headers_with_their_remedy),
    TEST(test_calibration_refuses_bad_fields_with_their_remedy),
    TEST(test_calibration_refuses_bad_lines_with_their_remedy),
    TEST(test_calibration_reads_columns_by_name_and_files_from_elsewhere),
    TEST(test_calibration_notes_say_what_the_columns_cannot),
    TEST(test_calibration_summary_counts_medians_and_the_worst),
    TEST(test_calibration_settings_have_the_names_of_redis),
    TEST(test_calibration_survives_any_text),
    TEST(test_calibrate_ends_with_0_1_2_or_3),
    TEST(test_calibrate_prints_json_of_all_rows),
};
TEST_MAIN("calibration", cases)
