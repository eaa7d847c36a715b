/* How a scenario says what data weighs. */
#include "tests/world/world_fixture.h"

static const char pair[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"pair\", \"duration\": \"4s\","
    " \"members\": {\"a\": {\"shards\": 3, \"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": "
    "{\"max\": \"1GB\", \"overhead\": 2}}},"
    " \"links\": {\"a~b\": {\"delay\": \"50ms\"}},"
    " \"sites\": {\"s\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"hash\", \"keys\": 1000, \"value\": \"100B\","
    "                        \"ops\": {\"HGETALL\": 1}}},"
    " \"workloads\": {\"w\": {\"site\": \"s\", \"rate\": \"10/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\"}}";

static int64_t bytes_of(const char *patch, uint32_t member, MemoryCause cause)
{
    g_autoptr(Story) story = story_new(pair, patch, 1);

    return member_memory_bytes(story_member(story, member), cause);
}

/* By hand: name "f:1000" in 8, entry 32, object 16, and ten fields of "f10" and 10 bytes in a
 * listpack of 7 + 10 x (5 + 12) = 177, in 192; 512 buckets in each of three processes. */
static void test_memory_model_is_the_footprint_unless_told(void)
{
    EXPECT_INT(bytes_of("", 0, MEMORY_LIVE), 1000 * (8 + 32 + 16 + 192) + 3 * 512 * 8);
    EXPECT_INT(bytes_of("", 0, MEMORY_HEADERS), 1000 * (160 + 10 * 8));
    EXPECT_INT(bytes_of("", 1, MEMORY_LIVE), 1000 * 100 * 2);
    EXPECT_INT(bytes_of("", 1, MEMORY_HEADERS), 0);
}

static void test_memory_model_takes_every_parameter(void)
{
    EXPECT_INT(bytes_of("{\"members\": {\"a\": {\"memory\": {\"key_header\": \"0B\"}}}}", 0,
                        MEMORY_HEADERS),
               1000 * 10 * 8);
    EXPECT_INT(bytes_of("{\"members\": {\"a\": {\"memory\": {\"element_header\": \"20B\"}}}}", 0,
                        MEMORY_HEADERS),
               1000 * (160 + 10 * 20));
    EXPECT_INT(bytes_of("{\"families\": {\"f\": {\"key_size\": \"40B\"}}}", 0, MEMORY_LIVE),
               1000 * (48 + 32 + 16 + 192) + 3 * 512 * 8);
    EXPECT_INT(bytes_of("{\"families\": {\"f\": {\"field_size\": \"10B\"}}}", 0, MEMORY_LIVE),
               1000 * (8 + 32 + 16 + 256) + 3 * 512 * 8);
    /* One more entry a key and a dictionary of expiries. */
    EXPECT_INT(bytes_of("{\"families\": {\"f\": {\"ttl\": \"1h\"}}}", 0, MEMORY_LIVE),
               1000 * (32 + 8 + 32 + 16 + 192) + 2 * 3 * 512 * 8);
}

static const TestCase cases[] = {
    TEST(test_memory_model_is_the_footprint_unless_told),
    TEST(test_memory_model_takes_every_parameter),
};
TEST_MAIN("memory model", cases)
