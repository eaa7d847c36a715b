/* The form of DUMP: where redis-server 7.0.15 encodes plainly too, its bytes and ours are the same.
 */
#include "tests/test.h"

#include <string.h>

#include "models/data/rdb.h"

static PayloadText text_of(const char *text)
{
    return (PayloadText){text, (uint32_t)strlen(text)};
}

static void expect_bytes(const RdbWriter *writer, const char *bytes, size_t size)
{
    EXPECT_INT(writer->size, size);
    EXPECT_FATAL(writer->bytes->len == size);
    EXPECT(memcmp(writer->bytes->data, bytes, size) == 0);
}

static void test_rdb_string_is_that_of_redis(void)
{
    static const char bytes[] = "\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a";
    g_autoptr(GByteArray) out = g_byte_array_new();
    RdbWriter writer = {.bytes = out};

    rdb_begin(&writer, RDB_STRING);
    rdb_put_text(&writer, text_of("hello"));
    rdb_end(&writer);
    expect_bytes(&writer, bytes, sizeof(bytes) - 1);
}

/* ZADD z 1.5 a -2 b, with zset-max-listpack-entries 0. */
static void test_rdb_scores_are_those_of_redis(void)
{
    static const char bytes[] = "\x05\x02"
                                "\x01"
                                "a\x00\x00\x00\x00\x00\x00\xf8\x3f"
                                "\x01"
                                "b\x00\x00\x00\x00\x00\x00\x00\xc0"
                                "\x0a\x00\x33\x38\x18\xd0\x3a\x99\xd3\xd3";
    g_autoptr(GByteArray) out = g_byte_array_new();
    RdbWriter writer = {.bytes = out};

    rdb_begin(&writer, RDB_ZSET);
    rdb_put_count(&writer, 2);
    rdb_put_text(&writer, text_of("a"));
    rdb_put_score(&writer, 1.5);
    rdb_put_text(&writer, text_of("b"));
    rdb_put_score(&writer, -2);
    rdb_end(&writer);
    expect_bytes(&writer, bytes, sizeof(bytes) - 1);
}

static void test_rdb_counts_have_four_forms(void)
{
    static const struct {
        uint64_t count;
        const char *bytes;
        uint32_t size;
    } forms[] = {
        {63, "\x3f", 1},
        {64, "\x40\x40", 2},
        {16383, "\x7f\xff", 2},
        {16384, "\x80\x00\x00\x40\x00", 5},
        {UINT32_MAX, "\x80\xff\xff\xff\xff", 5},
        {UINT64_C(1) << 32, "\x81\x00\x00\x00\x01\x00\x00\x00\x00", 9},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        RdbWriter writer = {.bytes = out};

        rdb_put_count(&writer, forms[i].count);
        expect_bytes(&writer, forms[i].bytes, forms[i].size);
    }
}

/* A workload is told a size and no more, the same with bytes and without. */
static void test_rdb_synthetic_values_have_a_size_alone(void)
{
    RdbWriter writer = {0};

    rdb_begin(&writer, RDB_STRING);
    rdb_put_text(&writer, (PayloadText){NULL, 100});
    rdb_end(&writer);
    EXPECT_INT(writer.size, 1 + 2 + 100 + 2 + 8);
    EXPECT(writer.has_synthetic);
}

static const TestCase cases[] = {
    TEST(test_rdb_string_is_that_of_redis),
    TEST(test_rdb_scores_are_those_of_redis),
    TEST(test_rdb_counts_have_four_forms),
    TEST(test_rdb_synthetic_values_have_a_size_alone),
};
TEST_MAIN("rdb", cases)
