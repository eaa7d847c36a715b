#include "models/crdt/decimal.h"

#include <float.h>
#include <string.h>

#include "tests/test.h"

static DecimalReading reading(const char *text)
{
    Decimal value;

    return decimal_read(text, strlen(text), &value);
}

static void expect_read(const char *text, const char *expected)
{
    char buffer[DECIMAL_TEXT_MAX] = "";
    Decimal value = 0;

    EXPECT_INT(decimal_read(text, strlen(text), &value), DECIMAL_READ);
    decimal_format(value, buffer);
    EXPECT_TEXT(buffer, expected);
}

static void test_decimal_adds_in_any_order(void)
{
    Decimal a = 0;
    Decimal b = 0;
    char text[DECIMAL_TEXT_MAX];

    EXPECT(decimal_parse("0.1", 3, &a) && decimal_parse("0.2", 3, &b));
    decimal_format(a + b, text);
    EXPECT_TEXT(text, "0.3");
    EXPECT(decimal_parse("-1.25e2", 7, &a));
    decimal_format(a, text);
    EXPECT_TEXT(text, "-125");
    EXPECT(!decimal_parse("1.5x", 4, &a));
    EXPECT(!decimal_parse("", 0, &a));
    EXPECT(!decimal_parse("9223372036854775808", 19, &a));
    EXPECT(decimal_parse("9223372036854775807", 19, &a));
}

static void test_decimal_rounds_the_last_place_once(void)
{
    expect_read("0.123456789012345678", "0.12345678901234568");
    expect_read("-0.123456789012345674", "-0.12345678901234567");
    expect_read("0.1234567890123456749999", "0.12345678901234567"); /* not by way of ...675 */
    expect_read("6e-18", "0.00000000000000001");
    expect_read("4e-18", "0");
    expect_read("6e-19", "0");
    expect_read("9223372036854775806.999999999999999984", "9223372036854775806.99999999999999998");
    expect_read("9223372036854775806.999999999999999999", "9223372036854775807");
    expect_read("1000000000000000000000000000000000000000e-30", "1000000000");
}

/* As strtold does for Redis: an amount may be so written. */
static void test_decimal_reads_hexadecimal(void)
{
    expect_read("0x10", "16");
    expect_read("-0X1.8", "-1.5");
    expect_read("0x7fffffffffffffff", "9223372036854775807");
    expect_read("0x.8p-3", "0.0625");
    expect_read("0x1p-60", "0");
    EXPECT_INT(reading("0x"), DECIMAL_MALFORMED);
    EXPECT_INT(reading("0x1p"), DECIMAL_MALFORMED);
    EXPECT_INT(reading("0x1g"), DECIMAL_MALFORMED);
    EXPECT_INT(reading("0xffffffffffffffff"), DECIMAL_TOO_LARGE);
    EXPECT_INT(reading("0x1p99"), DECIMAL_TOO_LARGE);
    EXPECT_INT(reading("0x1p99999"), DECIMAL_MALFORMED);
}

/* What a long double cannot hold is no number for Redis; what it can is one, but not for us. */
static void test_decimal_tells_too_large_from_malformed(void)
{
    EXPECT_INT(reading("1e309"), DECIMAL_TOO_LARGE);
    EXPECT_INT(reading("1e5000"), DECIMAL_MALFORMED);
    EXPECT_INT(reading("1e-5000"), DECIMAL_MALFORMED);
    EXPECT_INT(reading("1e99999999999999999999"), DECIMAL_MALFORMED);
    EXPECT_INT(reading("-Infinity"), DECIMAL_INFINITE);
    EXPECT_INT(reading("nan"), DECIMAL_MALFORMED);
    expect_read("1e-400", "0");
    expect_read("0e5000", "0");
}

/* Whole numbers against the compiler's conversion, which rounds once; and a double's own 17 digits.
 */
static void test_decimal_becomes_the_nearest_double(void)
{
    static const char *const texts[] = {"123456789012345678",
                                        "9007199254740993",
                                        "9007199254740995",
                                        "-9223372036854775807",
                                        "0.12345678901234568",
                                        "11805.3",
                                        "3.1",
                                        "-0.1"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Decimal value = 0;

        EXPECT(decimal_parse(texts[i], strlen(texts[i]), &value));
        EXPECT(decimal_to_double(value) == g_ascii_strtod(texts[i], NULL));
    }
    for (int64_t i = 1, step = 1; i < INT64_MAX / 4; i += step, step += step / 2 + 1)
        EXPECT(decimal_to_double((Decimal)i * DECIMAL_ONE) == (double)i);
}

/* Redis 7.0: no infinity and no 0 that the text did not say. */
static void test_double_out_of_range_is_no_number(void)
{
    static const char *const no_numbers[] = {"1e309", "-1e309", "1e5000", "1e-324", "1e-5000"};
    double value = 7;

    for (size_t i = 0; i < G_N_ELEMENTS(no_numbers); i++)
        EXPECT(!double_parse(no_numbers[i], strlen(no_numbers[i]), &value));
    EXPECT(value == 7);
    EXPECT(double_parse_any("1e309", 5, &value) && value > DBL_MAX);
    EXPECT(double_parse_any("1e-5000", 7, &value) && value == 0);
    EXPECT(double_parse("inf", 3, &value) && value > DBL_MAX);
    EXPECT(double_parse("5e-324", 6, &value) && value > 0);
    EXPECT(double_parse("0e5000", 6, &value) && value == 0);
}

static const TestCase cases[] = {
    TEST(test_decimal_adds_in_any_order),
    TEST(test_decimal_rounds_the_last_place_once),
    TEST(test_decimal_reads_hexadecimal),
    TEST(test_decimal_tells_too_large_from_malformed),
    TEST(test_decimal_becomes_the_nearest_double),
    TEST(test_double_out_of_range_is_no_number),
};
TEST_MAIN("decimal", cases)
