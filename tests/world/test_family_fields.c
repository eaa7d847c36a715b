/* What a family's `value` and `fields` are to keys of each type: what exists at the start, and what
 * one write sends. */
#include "tests/world/world_fixture.h"

/* One write a second and no other traffic that depends on it. */
static const char pair[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"pair\", \"duration\": \"30s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": {\"max\": "
    "\"1GB\"}}},"
    " \"links\": {\"a~b\": {\"delay\": \"50ms\"}},"
    " \"sites\": {\"s\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"%s\", \"keys\": 100, \"value\": \"%uB\", %s"
    "                        \"ops\": {\"%s\": 1}}},"
    " \"workloads\": {\"w\": {\"site\": \"s\", \"rate\": \"10/s\", \"arrivals\": \"constant\","
    "                         \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\"}}";

#define WRITES 300
#define SMALL  400
#define LARGE  40000

static Story *story_of(const char *type, uint32_t value, uint32_t fields, const char *op)
{
    g_autofree char *some = fields > 0 ? g_strdup_printf("\"fields\": %u,", fields) : g_strdup("");
    g_autofree char *text = g_strdup_printf(pair, type, value, some, op);

    return story_new(text, "", 1);
}

static double bytes_sent(const char *type, uint32_t value, uint32_t fields, const char *op)
{
    g_autoptr(Story) story = story_of(type, value, fields, op);

    story_end(story);
    return story_measure(story, "sum(bytes.cross_region)", "all");
}

/* A document, or one element of ten: whatever the type keeps it in, its bytes travel. */
static void test_every_write_of_a_value_sends_its_size(void)
{
    static const struct {
        const char *type, *op;
        uint32_t fields;
    } writes[] = {{"string", "SET", 0},      {"string", "GETSET", 0}, {"string", "MSET", 0},
                  {"string", "SETRANGE", 0}, {"hash", "HSET", 10},    {"hash", "HMSET", 10},
                  {"set", "SADD", 10},       {"list", "LPUSH", 10},   {"list", "RPUSH", 10},
                  {"list", "LPUSHX", 10},    {"list", "RPUSHX", 10},  {"list", "LSET", 10},
                  {"stream", "XADD", 10},    {"json", "JSON.SET", 0}, {"json", "JSON.MERGE", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(writes); i++) {
        uint32_t fields = writes[i].fields;
        double more = bytes_sent(writes[i].type, LARGE, fields, writes[i].op) -
                      bytes_sent(writes[i].type, SMALL, fields, writes[i].op);
        double expected = (double)WRITES * (LARGE - SMALL) / MAX(fields, 1);

        if (more < 0.98 * expected || more > 1.02 * expected)
            g_printerr("%s sends %.0f more, expected %.0f\n", writes[i].op, more, expected);
        EXPECT_NEAR(more, expected, 0.02 * expected);
    }
}

/* The receiver keeps what it got: both members weigh the same in the end, but for a write that is
 * still under way. */
static void test_both_members_store_what_was_sent(void)
{
    static const char *const writes[][2] = {
        {"json", "JSON.SET"}, {"list", "LPUSH"}, {"list", "LSET"}, {"stream", "XADD"}};

    for (size_t i = 0; i < G_N_ELEMENTS(writes); i++) {
        g_autoptr(Story) story = story_of(writes[i][0], LARGE, 0, writes[i][1]);

        story_end(story);
        EXPECT_NEAR(member_memory_bytes(story_member(story, 0), MEMORY_LIVE),
                    member_memory_bytes(story_member(story, 1), MEMORY_LIVE), 1.1 * LARGE / 10);
    }
}

static int64_t elements_at_start(const char *type, uint32_t fields, const char *op)
{
    g_autoptr(Story) story = story_of(type, SMALL, fields, op);

    return store_ledger(member_store(story_member(story, 0)), 0)->element_count;
}

static void test_fields_are_what_a_key_starts_with(void)
{
    EXPECT_INT(elements_at_start("list", 7, "LLEN"), 100 * 7);
    EXPECT_INT(elements_at_start("stream", 7, "XLEN"), 100 * 7);
    EXPECT_INT(elements_at_start("hash", 7, "HLEN"), 100 * 7);
}

static int64_t live_at_start(const char *type, uint32_t fields, const char *op)
{
    g_autoptr(Story) story = story_of(type, SMALL, fields, op);

    return member_memory_bytes(story_member(story, 0), MEMORY_LIVE);
}

/* A hundred entries share a node of a stream. */
static void test_memory_follows_fields(void)
{
    EXPECT(live_at_start("list", 100, "LLEN") > live_at_start("list", 4, "LLEN"));
    EXPECT(live_at_start("stream", 300, "XLEN") > live_at_start("stream", 4, "XLEN"));
    EXPECT(live_at_start("hll", 100, "PFCOUNT") > live_at_start("hll", 4, "PFCOUNT"));
}

/* PFADD of what is in sends nothing; half of what is drawn is not. */
static void test_a_sketch_of_the_start_can_still_learn(void)
{
    EXPECT(bytes_sent("hll", SMALL, 1000, "PFADD") >
           bytes_sent("hll", SMALL, 1000, "PFCOUNT") + 80.0 * WRITES / 3);
}

/* Each operation takes one; the last may be on its way to the other member. */
static void test_a_workload_of_pops_takes_an_element_each(void)
{
    static const char *const pops[][2] = {
        {"list", "LPOP"},  {"list", "RPOP"},    {"list", "LMPOP"},
        {"list", "BLPOP"}, {"zset", "ZPOPMIN"}, {"zset", "BZPOPMAX"},
        {"zset", "ZMPOP"}, {"list", "BLMPOP"},  {"zset", "BZMPOP"}};

    for (size_t i = 0; i < G_N_ELEMENTS(pops); i++) {
        g_autoptr(Story) story = story_of(pops[i][0], SMALL, 10, pops[i][1]);

        story_end(story);
        for (uint32_t member = 0; member < 2; member++) {
            const Store *store = member_store(story_member(story, member));
            int64_t taken = 100 * 10 - store_ledger(store, 0)->element_count;

            EXPECT_NEAR(taken, WRITES, 1);
        }
    }
}

/* Thirty writes to ten elements: seldom is one left. */
static void test_positions_are_drawn_from_the_elements_held(void)
{
    static const char one[] =
        "{\"quintet\": \"scenario/1\", \"name\": \"one\", \"duration\": \"30s\","
        " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}},"
        " \"sites\": {\"s\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}}},"
        " \"families\": {\"f\": {\"type\": \"list\", \"keys\": 1, \"value\": \"400B\","
        "                        \"ops\": {\"LSET\": {\"share\": 1, \"bytes\": \"1kB\"}}}},"
        " \"workloads\": {\"w\": {\"site\": \"s\", \"rate\": \"1/s\", \"mix\": {\"f\": 1}}},"
        " \"routing\": {\"select\": \"pin\"}}";
    g_autoptr(Story) story = story_new(one, "", 1);
    const StoreLedger *ledger = store_ledger(member_store(story_member(story, 0)), 0);

    EXPECT_INT(ledger->value_bytes, 10 * 40);
    story_end(story);
    EXPECT(ledger->value_bytes > 8 * 1000);
}

static const TestCase cases[] = {
    TEST(test_every_write_of_a_value_sends_its_size),
    TEST(test_both_members_store_what_was_sent),
    TEST(test_fields_are_what_a_key_starts_with),
    TEST(test_memory_follows_fields),
    TEST(test_a_sketch_of_the_start_can_still_learn),
    TEST(test_a_workload_of_pops_takes_an_element_each),
    TEST(test_positions_are_drawn_from_the_elements_held),
};
TEST_MAIN("family fields", cases)
