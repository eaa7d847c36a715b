#include "tests/test.h"

#include <string.h>

#include "sim/digest.h"

static uint64_t digest_of(const void *bytes, size_t size)
{
    Digest digest = digest_begin();

    digest_bytes(&digest, bytes, size);
    return digest.value;
}

static void test_digest_of_a_fixed_sequence_is_pinned(void)
{
    Digest digest = digest_begin();

    digest_u64(&digest, 1);
    digest_text(&digest, "quintet simulates");
    EXPECT_INT(digest.value, (int64_t)UINT64_C(0xf20027822042db73));
}

static void test_order_and_every_byte_count(void)
{
    char text[40] = "a text that is longer than one word";
    uint64_t whole = digest_of(text, sizeof text);
    Digest ab = digest_begin(), ba = digest_begin();

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] ^= 1;
        EXPECT(digest_of(text, sizeof text) != whole);
        text[i] ^= 1;
    }
    digest_u64(&ab, 1);
    digest_u64(&ab, 2);
    digest_u64(&ba, 2);
    digest_u64(&ba, 1);
    EXPECT(ab.value != ba.value);
}

static void test_padding_is_not_content(void)
{
    EXPECT(digest_of("ab\0", 3) != digest_of("ab", 2));
    EXPECT(digest_of("", 0) != digest_begin().value);
}

static void test_texts_are_kept_apart(void)
{
    Digest left = digest_begin(), right = digest_begin();

    digest_text(&left, "ab");
    digest_text(&left, "c");
    digest_text(&right, "a");
    digest_text(&right, "bc");
    EXPECT(left.value != right.value);
}

static void test_alignment_does_not_matter(void)
{
    char buffer[64];
    uint64_t expected = digest_of("0123456789abcdefghij", 20);

    for (size_t offset = 0; offset < 16; offset++) {
        memcpy(buffer + offset, "0123456789abcdefghij", 20);
        EXPECT(digest_of(buffer + offset, 20) == expected);
    }
}

static const TestCase cases[] = {
    TEST(test_digest_of_a_fixed_sequence_is_pinned),
    TEST(test_order_and_every_byte_count),
    TEST(test_padding_is_not_content),
    TEST(test_texts_are_kept_apart),
    TEST(test_alignment_does_not_matter),
};
TEST_MAIN("digest", cases)
