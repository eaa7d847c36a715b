/* A cold standby: empty until clients come, then filled from the record with what the families
 * declare. */
#include "tests/world/world_fixture.h"

/* Nobody writes, so the standby must end up with what the active member has from the start. */
static const char record[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"record\", \"duration\": \"60s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}},"
    "               \"cold\": {\"memory\": {\"max\": \"1GB\"}, \"role\": \"cold-standby\","
    "                          \"rebuild\": {\"keys\": 600, \"rate\": \"20/s\"}}},"
    " \"links\": {\"a~cold\": {\"delay\": \"20ms\"}},"
    " \"sites\": {\"s\": {\"home\": \"cold\", \"rtt\": {\"a\": \"9ms\", \"cold\": \"2ms\"}}},"
    " \"families\": {"
    "  \"text\":  {\"type\": \"string\", \"keys\": 100, \"value\": \"103B\", \"ops\": {\"GET\": "
    "1}},"
    "  \"cart\":  {\"type\": \"hash\", \"keys\": 100, \"fields\": 7, \"value\": \"700B\","
    "            \"ops\": {\"HGET\": 1}},"
    "  \"tags\":  {\"type\": \"set\", \"keys\": 100, \"fields\": 7, \"value\": \"700B\","
    "            \"ops\": {\"SCARD\": 1}},"
    "  \"queue\": {\"type\": \"list\", \"keys\": 100, \"fields\": 7, \"value\": \"703B\","
    "            \"ops\": {\"LLEN\": 1}},"
    "  \"log\":   {\"type\": \"stream\", \"keys\": 100, \"fields\": 7, \"value\": \"703B\","
    "            \"ops\": {\"XLEN\": 1}},"
    "  \"page\":  {\"type\": \"json\", \"keys\": 100, \"value\": \"700B\", \"ops\": {\"JSON.GET\": "
    "1}}},"
    " \"workloads\": {\"w\": {\"site\": \"s\", \"rate\": \"10/s\", \"mix\": {\"text\": 1, \"log\": "
    "1}}},"
    " \"routing\": {\"select\": \"pin\"}}";

enum { TEXT, CART, TAGS, QUEUE, LOG, PAGE, FAMILIES };

static const StoreLedger *ledger_of(const Story *story, uint32_t member, uint32_t family)
{
    return store_ledger(member_store(story_member(story, member)), family);
}

static void test_a_rebuilt_standby_has_what_the_families_declare(void)
{
    g_autoptr(Story) story = story_new(record, "", 1);

    for (uint32_t f = 0; f < FAMILIES; f++)
        EXPECT_INT(ledger_of(story, 1, f)->key_count, 0);
    story_end(story);
    for (uint32_t f = 0; f < FAMILIES; f++) {
        EXPECT_INT(ledger_of(story, 1, f)->key_count, 100);
        EXPECT_INT(ledger_of(story, 1, f)->element_count, ledger_of(story, 0, f)->element_count);
        EXPECT_INT(ledger_of(story, 1, f)->value_bytes, ledger_of(story, 0, f)->value_bytes);
    }
    EXPECT_INT(ledger_of(story, 1, QUEUE)->element_count, 100 * 7);
    EXPECT_INT(ledger_of(story, 1, LOG)->element_count, 100 * 7);
}

/* 600 keys at 20 a second, however many writes each of them takes. */
static void test_a_rebuild_takes_the_keys_of_the_record_over_its_rate(void)
{
    g_autoptr(Story) story = story_new(record, "", 1);
    SimTime begun_ns, half_ns;

    story_run(story, 3 * SIM_S);
    begun_ns = story_when(story, "cold", "begins to rebuild", 0);
    half_ns = begun_ns + 15 * SIM_S;
    story_run(story, half_ns);
    EXPECT_INT(ledger_of(story, 1, TAGS)->key_count, 100);
    EXPECT_NEAR((double)ledger_of(story, 1, QUEUE)->element_count, 0, 7);
    story_run(story, half_ns + 5 * SIM_S / 2);
    EXPECT_NEAR((double)ledger_of(story, 1, QUEUE)->element_count, 350, 7);
    story_end(story);
    EXPECT_NEAR((double)(story_when(story, "cold", "is rebuilt", 0) - begun_ns), 30.0 * SIM_S,
                2.0 * SIM_S);
}

static const TestCase cases[] = {
    TEST(test_a_rebuilt_standby_has_what_the_families_declare),
    TEST(test_a_rebuild_takes_the_keys_of_the_record_over_its_rate),
};
TEST_MAIN("standby", cases)
