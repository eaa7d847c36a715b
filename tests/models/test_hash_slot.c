#include "tests/test.h"

#include <string.h>

#include "models/data/hash_slot.h"

static int slot_of(const char *key)
{
    return hash_slot_of((PayloadText){key, (uint32_t)strlen(key)});
}

/* The check value of the cluster specification. */
static void test_hash_slot_crc_gives_the_published_value(void)
{
    EXPECT_INT(crc16_xmodem("123456789", 9), 0x31C3);
    EXPECT_INT(crc16_xmodem("", 0), 0);
}

/* As CLUSTER KEYSLOT of redis-server 7.0 replies. */
static void test_hash_slot_is_that_of_a_real_cluster(void)
{
    EXPECT_INT(slot_of("123456789"), 12739);
    EXPECT_INT(slot_of("foo"), 12182);
    EXPECT_INT(slot_of("bar"), 5061);
    EXPECT_INT(slot_of("hello"), 866);
    EXPECT_INT(slot_of("{}"), 15257);
    EXPECT_INT(slot_of("a}b{c"), 13587);
    EXPECT_INT(slot_of("x{y"), 2740);
    EXPECT_INT(slot_of(""), 0);
}

/* The examples of the cluster specification ("Hash tags"). */
static void test_hash_slot_is_that_of_the_first_tag_that_holds_anything(void)
{
    EXPECT_INT(slot_of("{user1000}.following"), slot_of("user1000"));
    EXPECT_INT(slot_of("{user1000}.followers"), slot_of("user1000"));
    EXPECT_INT(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    EXPECT_INT(slot_of("foo{bar}{zap}"), slot_of("bar"));
    EXPECT_INT(slot_of("foo{}{bar}"), 8363); /* the whole name */
    EXPECT(slot_of("foo{}{bar}") != slot_of("bar"));
}

static void test_hash_slot_reads_bytes_of_any_kind(void)
{
    EXPECT_INT(hash_slot_of((PayloadText){"\0\xff{\0}", 5}), hash_slot_of((PayloadText){"\0", 1}));
    EXPECT_INT(hash_slot_of((PayloadText){NULL, 0}), 0);
}

static const TestCase cases[] = {
    TEST(test_hash_slot_crc_gives_the_published_value),
    TEST(test_hash_slot_is_that_of_a_real_cluster),
    TEST(test_hash_slot_is_that_of_the_first_tag_that_holds_anything),
    TEST(test_hash_slot_reads_bytes_of_any_kind),
};
TEST_MAIN("hash_slot", cases)
