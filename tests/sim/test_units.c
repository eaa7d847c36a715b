/* Quantities as people write them: exact readings, refusals, and human text. */
#include "sim/units.h"

#include <string.h>

#include "tests/test.h"

static void expect_duration(const char *text, SimTime expected)
{
    SimTime ns = -1;

    EXPECT(parse_duration(text, &ns));
    EXPECT_INT(ns, expected);
}

static void test_durations_are_exact(void)
{
    expect_duration("85ms", 85 * SIM_MS);
    expect_duration("1h30m", 90 * SIM_MIN);
    expect_duration("0.9ms", 900000);
    expect_duration("-5ms", -5 * SIM_MS);
    expect_duration("1.5h", 90 * SIM_MIN);
    expect_duration("7us", 7000);
    expect_duration("2d", 2 * SIM_DAY);
    expect_duration("0s", 0);
    expect_duration("0.1s", SIM_S / 10);
    expect_duration("0.000000001s", 1);
    expect_duration("0.0000000004s", 0);
    expect_duration("0.0000000005s", 1);
    expect_duration("9223372036s", 9223372036 * SIM_S);
    expect_duration("-1h30m", -90 * SIM_MIN);
}

static void test_what_is_no_duration_leaves_the_output_alone(void)
{
    static const char *const bad[] = {
        "",     "5",      "ms",   "5 ms", " 5ms",      "5ms ",        "5MS",
        "+5ms", "--5ms",  "1.h",  ".5h",  "1e3s",      "5min",        "1h30",
        "5ms-", "1.2.3s", "1,5s", "0x1s", "\xd9\xa3s", "9223372037s", "99999999999999999999s",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        SimTime ns = 77;

        if (parse_duration(bad[i], &ns))
            g_printerr("\"%s\" was taken\n", bad[i]);
        EXPECT_INT(ns, 77);
    }
}

static void expect_size(const char *text, uint64_t expected)
{
    uint64_t bytes = 1;

    EXPECT(parse_size(text, &bytes));
    EXPECT(bytes == expected);
}

static void test_sizes_are_powers_of_ten_or_of_two(void)
{
    uint64_t bytes = 77;

    expect_size("900B", 900);
    expect_size("2KB", 2000);
    expect_size("2kB", 2000);
    expect_size("20GB", UINT64_C(20000000000));
    expect_size("20GiB", UINT64_C(20) << 30);
    expect_size("4.5TB", UINT64_C(4500000000000));
    expect_size("0.5KiB", 512);
    EXPECT(!parse_size("0.5B", &bytes));
    EXPECT(!parse_size("24", &bytes));
    EXPECT(!parse_size("-1B", &bytes));
    EXPECT(!parse_size("24gb", &bytes));
    EXPECT(!parse_size("24GB/s", &bytes));
    EXPECT(!parse_size("18446745TB", &bytes));
    EXPECT_INT(bytes, 77);
}

static void test_counts_are_whole(void)
{
    uint64_t count = 77;

    EXPECT(parse_count("27M", &count) && count == 27000000);
    EXPECT(parse_count("6.43M", &count) && count == 6430000);
    EXPECT(parse_count("400", &count) && count == 400);
    EXPECT(parse_count("0", &count) && count == 0);
    EXPECT(parse_count("18446744073709551615", &count) == false); /* more digits than are needed */
    EXPECT(!parse_count("1.5", &count));
    EXPECT(!parse_count("1.0005k", &count));
    EXPECT(!parse_count("27m", &count));
    EXPECT(!parse_count("-1", &count));
    EXPECT_INT(count, 0);
}

static void test_rates_are_per_second(void)
{
    double rate = 77;

    EXPECT(parse_rate("5k/s", &rate) && rate == 5000);
    EXPECT(parse_rate("300/min", &rate) && rate == 5);
    EXPECT(parse_rate("2.5M/day", &rate) && rate == 2500000.0 / 86400.0);
    EXPECT(parse_rate("7.2k/h", &rate) && rate == 2);
    EXPECT(parse_rate("0/s", &rate) && rate == 0);
    EXPECT(!parse_rate("5k", &rate));
    EXPECT(!parse_rate("5k/", &rate));
    EXPECT(!parse_rate("5k/ms", &rate));
    EXPECT(!parse_rate("-5/s", &rate));
    EXPECT(!parse_rate("5MB/s", &rate));
    EXPECT(rate == 0);
}

static void test_bandwidths_know_bits_from_bytes(void)
{
    uint64_t rate = 77;

    EXPECT(parse_bandwidth("1Gbps", &rate) && rate == 125000000);
    EXPECT(parse_bandwidth("8kbps", &rate) && rate == 1000);
    EXPECT(parse_bandwidth("40MB/s", &rate) && rate == 40000000);
    EXPECT(!parse_bandwidth("1Gbps/s", &rate));
    EXPECT(!parse_bandwidth("40MB", &rate));
    EXPECT(!parse_bandwidth("40MiB/s", &rate));
    EXPECT(!parse_bandwidth("40", &rate));
    EXPECT_INT(rate, 40000000);
}

static void test_shares_are_the_nearest_double(void)
{
    double share = 77;

    EXPECT(parse_share("5%", &share) && share == 0.05);
    EXPECT(parse_share("0.05", &share) && share == 0.05);
    EXPECT(parse_share("99.9%", &share) && share == 0.999);
    EXPECT(parse_share("70%", &share) && share == 0.7);
    EXPECT(!parse_share("%", &share));
    EXPECT(!parse_share("5 %", &share));
    EXPECT(!parse_share("5%%", &share));
    EXPECT(!parse_share("-5%", &share));
    EXPECT(share == 0.7);
}

static void expect_quantity(const char *text, double value, Dimension dimension, size_t used)
{
    Quantity quantity = {0};
    size_t actual = 0;

    EXPECT(quantity_parse(text, &quantity, &actual));
    if (quantity.value != value || actual != used)
        g_printerr("%s: %.17g, %d bytes used\n", text, quantity.value, (int)actual);
    EXPECT(quantity.value == value);
    EXPECT(dimension_equal(quantity.dimension, dimension));
    EXPECT_INT(actual, used);
}

static void test_quantities_carry_their_dimension(void)
{
    expect_quantity("45s", 45e9, (Dimension){1, 0}, 3);
    expect_quantity("1h30m)", 5400e9, (Dimension){1, 0}, 5);
    expect_quantity("30d", 30 * 86400e9, (Dimension){1, 0}, 3);
    expect_quantity("70%", 0.7, (Dimension){0, 0}, 3);
    expect_quantity("0.95", 0.95, (Dimension){0, 0}, 4);
    expect_quantity("100k", 1e5, (Dimension){0, 0}, 4);
    expect_quantity("5k / 2", 5000, (Dimension){0, 0}, 2);
    expect_quantity("1MB", 1e6, (Dimension){0, 1}, 3);
    expect_quantity("4.5TB ", 4.5e12, (Dimension){0, 1}, 5);
    expect_quantity("0/s", 0, (Dimension){-1, 0}, 3);
    expect_quantity("5k/s", 5000 / 1e9, (Dimension){-1, 0}, 4);
    expect_quantity("300/min", 5 / 1e9, (Dimension){-1, 0}, 7);
    expect_quantity("40MB/s", 40e6 / 1e9, (Dimension){-1, 1}, 6);
    expect_quantity("1Gbps", 0.125, (Dimension){-1, 1}, 5);
    expect_quantity("-5ms", -5e6, (Dimension){1, 0}, 4);
}

/* A slash before a name is a division, and letters that are no unit belong to what follows. */
static void test_quantities_stop_where_they_end(void)
{
    Quantity quantity;
    size_t used;

    expect_quantity("5/sum(x)", 5, (Dimension){0, 0}, 1);
    expect_quantity("5/s.x", 5, (Dimension){0, 0}, 1);
    expect_quantity("10m/2", 600e9, (Dimension){1, 0}, 3);
    expect_quantity("5x", 5, (Dimension){0, 0}, 1);
    expect_quantity("5%of", 0.05, (Dimension){0, 0}, 2);
    expect_quantity("1.5.2", 1.5, (Dimension){0, 0}, 3);
    EXPECT(!quantity_parse("", &quantity, &used));
    EXPECT(!quantity_parse("ms", &quantity, &used));
    EXPECT(!quantity_parse("-", &quantity, &used));
    EXPECT(!quantity_parse(".5", &quantity, &used));
}

static void test_durations_read_well(void)
{
    static const struct {
        double ns;
        const char *text;
    } cases_of[] = {
        {0, "0 s"},          {7, "7 ns"},         {34.2e6, "34.2 ms"},   {34.24e6, "34.2 ms"},
        {999.6e3, "1 ms"},   {1.5e3, "1.5 us"},   {45e9, "45 s"},        {59.99e9, "1m"},
        {750e9, "12m 30s"},  {720e9, "12m"},      {5400e9, "1h 30m"},    {7200e9, "2h"},
        {180e6, "180 ms"},   {86400e9 * 3, "3d"}, {-34.2e6, "-34.2 ms"}, {-90e9, "-1m 30s"},
        {270000e9, "3d 3h"}, {0.25, "0.25 ns"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases_of); i++) {
        char buffer[UNIT_TEXT_MAX];

        EXPECT_TEXT(format_duration(cases_of[i].ns, buffer), cases_of[i].text);
    }
}

static void test_exact_times_read_back(void)
{
    static const SimTime times[] = {0,
                                    1,
                                    85 * SIM_MS,
                                    90 * SIM_MIN,
                                    1500000,
                                    SIM_S + 1,
                                    SIM_DAY + SIM_MIN + 250 * SIM_MS,
                                    -SIM_HOUR,
                                    999999999,
                                    INT64_MAX - 1};
    char buffer[UNIT_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        expect_duration(format_time(times[i], buffer), times[i]);
    EXPECT_TEXT(format_time(90 * SIM_MIN, buffer), "1h30m");
    EXPECT_TEXT(format_time(85 * SIM_MS, buffer), "85ms");
    EXPECT_TEXT(format_time(1500000, buffer), "1.5ms");
    EXPECT_TEXT(format_time(SIM_HOUR + SIM_S + SIM_S / 4, buffer), "1h1.25s");
    EXPECT_TEXT(format_time(SIM_TIME_NEVER, buffer), "never");
    EXPECT_TEXT(format_time(0, buffer), "0s");
}

static void test_bytes_counts_and_shares_read_well(void)
{
    char buffer[UNIT_TEXT_MAX];

    EXPECT_TEXT(format_bytes(10.82e9, buffer), "10.8 GB");
    EXPECT_TEXT(format_bytes(900, buffer), "900 B");
    EXPECT_TEXT(format_bytes(0, buffer), "0 B");
    EXPECT_TEXT(format_bytes(999999, buffer), "1 MB");
    EXPECT_TEXT(format_count(5200, buffer), "5200");
    EXPECT_TEXT(format_count(52000, buffer), "52 k");
    EXPECT_TEXT(format_count(6430000, buffer), "6.43 M");
    EXPECT_TEXT(format_count(12.5, buffer), "12.5");
    EXPECT_TEXT(format_count(0, buffer), "0");
    EXPECT_TEXT(format_share(0.05, buffer), "5%");
    EXPECT_TEXT(format_share(0.9995, buffer), "99.95%");
    EXPECT_TEXT(format_share(1, buffer), "100%");
    EXPECT_TEXT(format_share(0.99999, buffer), ">99.99%");
    EXPECT_TEXT(format_share(0, buffer), "0%");
    EXPECT_TEXT(format_share(1e-12, buffer), "<0.000001%");
}

static void test_quantities_read_well(void)
{
    char buffer[UNIT_TEXT_MAX];

    EXPECT_TEXT(format_quantity((Quantity){34.2e6, {1, 0}}, false, buffer), "34.2 ms");
    EXPECT_TEXT(format_quantity((Quantity){5.2e-5, {-1, 0}}, false, buffer), "52 k/s");
    EXPECT_TEXT(format_quantity((Quantity){0.04, {-1, 1}}, false, buffer), "40 MB/s");
    EXPECT_TEXT(format_quantity((Quantity){0.7, {0, 0}}, true, buffer), "70%");
    EXPECT_TEXT(format_quantity((Quantity){0.7, {0, 0}}, false, buffer), "0.7");
    EXPECT_TEXT(format_quantity((Quantity){3, {2, 0}}, false, buffer), "3 (time^2)");
    EXPECT_TEXT(dimension_name((Dimension){0, 0}, buffer), "number");
    EXPECT_TEXT(dimension_name((Dimension){1, 0}, buffer), "time");
    EXPECT_TEXT(dimension_name((Dimension){0, 1}, buffer), "bytes");
    EXPECT_TEXT(dimension_name((Dimension){-1, 0}, buffer), "per time");
    EXPECT_TEXT(dimension_name((Dimension){-1, 1}, buffer), "bytes per time");
    EXPECT_TEXT(dimension_name((Dimension){1, -1}, buffer), "time per bytes");
}

static void test_no_number_overflows_its_text(void)
{
    static const double values[] = {1e300, -1e300, 1e19, -1e19, 1e-300, 123456789012345678.0};
    char buffer[UNIT_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        EXPECT(strlen(format_duration(values[i], buffer)) < UNIT_TEXT_MAX - 1);
        EXPECT(strlen(format_bytes(values[i], buffer)) < UNIT_TEXT_MAX - 1);
        EXPECT(strlen(format_count(values[i], buffer)) < UNIT_TEXT_MAX - 1);
        EXPECT(strlen(format_share(values[i], buffer)) < UNIT_TEXT_MAX - 1);
        EXPECT(!strchr(format_count(values[i], buffer), ','));
    }
}

static const TestCase cases[] = {
    TEST(test_durations_are_exact),
    TEST(test_what_is_no_duration_leaves_the_output_alone),
    TEST(test_sizes_are_powers_of_ten_or_of_two),
    TEST(test_counts_are_whole),
    TEST(test_rates_are_per_second),
    TEST(test_bandwidths_know_bits_from_bytes),
    TEST(test_shares_are_the_nearest_double),
    TEST(test_quantities_carry_their_dimension),
    TEST(test_quantities_stop_where_they_end),
    TEST(test_durations_read_well),
    TEST(test_exact_times_read_back),
    TEST(test_bytes_counts_and_shares_read_well),
    TEST(test_quantities_read_well),
    TEST(test_no_number_overflows_its_text),
};
TEST_MAIN("units", cases)
