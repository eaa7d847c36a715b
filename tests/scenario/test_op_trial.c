/* Which commands a workload can send to a key of each type, and why not the others.
 *
 * A workload gives a key and what the command's shape says.  What a command needs beyond that
 * nobody would give, so a family that names it is refused with the reason.
 */
#include <string.h>

#include "models/scenario/op_trial.h"
#include "models/scenario/scenario.h"
#include "tests/test.h"

static const char one_op[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"x\", \"duration\": \"1m\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}},"
    " \"sites\": {\"s\": {\"home\": \"a\", \"rtt\": {\"a\": \"1ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"%s\", \"keys\": 100, \"ops\": {\"%s\": %s}}},"
    " \"workloads\": {\"w\": {\"site\": \"s\", \"rate\": \"1/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\"}}";

/* The message, NULL when it loads. */
static char *refusal(const char *type, const char *op, const char *how)
{
    g_autofree char *text = g_strdup_printf(one_op, type, op, how);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenarioFile) file = scenario_file_load(
        &(ScenarioSource){.file = "x.json", .text = text, .size = strlen(text)}, &error);

    return file ? NULL : g_strdup(error->message);
}

static void test_what_a_workload_cannot_give_is_refused_with_the_reason(void)
{
    static const struct {
        const char *type, *op, *reason;
    } refused[] = {
        /* arguments that nobody gives */
        {"string", "BITPOS", "ERR wrong number of arguments for 'bitpos' command"},
        {"string", "LCS", "ERR The specified keys must contain string values"},
        {"list", "LREM", "ERR wrong number of arguments for 'lrem' command"},
        {"list", "RPOPLPUSH", "ERR wrong number of arguments for 'rpoplpush' command"},
        {"set", "SUNIONSTORE", "ERR syntax error"},
        {"hll", "PFMERGE", "ERR PFMERGE without another key is not simulated"},
        {"stream", "XTRIM", "ERR syntax error"},
        {"json", "JSON.ARRINDEX", "ERR wrong number of arguments for 'json.arrindex' command"},
        {"json", "JSON.STRAPPEND", "ERR wrong number of arguments for 'json.strappend' command"},
        /* keys of another type, no key, another key */
        {"hash", "SORT", "WRONGTYPE Operation against a key holding the wrong kind of value"},
        {"hash", "SORT_RO", "WRONGTYPE Operation against a key holding the wrong kind of value"},
        {"string", "KEYS", "it is about no key"},
        {"hash", "SCAN", "it is about no key"},
        {"zset", "RANDOMKEY", "it is about no key"},
        {"set", "DBSIZE", "it is about no key"},
        {"set", "SMOVE", "it writes to a second key"},
        /* writes without an effect, or with another one */
        {"stream", "XDEL", "it would change nothing"},
        {"string", "GETEX", "it would change nothing"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *message = refusal(refused[i].type, refused[i].op, "1");
        g_autofree char *expected =
            g_strdup_printf("x.json: families.f.ops: \"%s\" cannot work as a workload sends "
                            "it, with one key and the family's sizes and times: %s; take another "
                            "command",
                            refused[i].op, refused[i].reason);
        const char *found = message ? strchr(message, ' ') : "none";

        EXPECT_TEXT(found, strchr(expected, ' '));
    }
}

static void test_what_only_lacks_a_ttl_says_where_to_give_it(void)
{
    static const char of_both[] = "; give the family or this operation a \"ttl\" such as \"10m\"";
    static const char of_family[] = "; give the family a \"ttl\" such as \"10m\"";
    static const struct {
        const char *type, *op, *remedy;
    } lacking[] = {
        {"hash", "EXPIRE", of_both},   {"list", "PEXPIRE", of_both},   {"string", "SETEX", of_both},
        {"string", "PSETEX", of_both}, {"hash", "PERSIST", of_family},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lacking); i++) {
        g_autofree char *message = refusal(lacking[i].type, lacking[i].op, "1");
        g_autofree char *with_ttl =
            refusal(lacking[i].type, lacking[i].op, "{\"share\": 1, \"ttl\": \"10m\"}");

        EXPECT(message && g_str_has_suffix(message, lacking[i].remedy));
        EXPECT((with_ttl == NULL) == (lacking[i].remedy == of_both));
    }
}

/* Bytes and times that would be read and never sent. */
static void test_what_a_command_does_not_carry_is_refused(void)
{
    static const struct {
        const char *type, *op, *key;
        bool loads;
    } given[] = {
        {"string", "GET", "bytes", false},  {"string", "DEL", "bytes", false},
        {"set", "SREM", "bytes", false},    {"list", "BLPOP", "bytes", false},
        {"hll", "PFADD", "bytes", false},   {"string", "SET", "bytes", true},
        {"hash", "HSET", "bytes", true},    {"set", "SADD", "bytes", true},
        {"counter", "INCR", "bytes", true}, {"zset", "ZINCRBY", "bytes", true},
        {"list", "LPUSH", "bytes", true},   {"list", "LSET", "bytes", true},
        {"stream", "XADD", "bytes", true},  {"json", "JSON.SET", "bytes", true},
        {"string", "GET", "ttl", false},    {"hash", "HSET", "ttl", false},
        {"counter", "INCR", "ttl", false},  {"string", "SET", "ttl", true},
        {"external", "READ", "ttl", false}, {"external", "READ", "bytes", false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        g_autofree char *how = g_strdup_printf("{\"share\": 1, \"%s\": \"%s\"}", given[i].key,
                                               given[i].key[0] == 't' ? "10m" : "50B");
        g_autofree char *drop = g_strdup_printf("drop \"%s\"", given[i].key);
        g_autofree char *message = refusal(given[i].type, given[i].op, how);

        if (message ? given[i].loads || !strstr(message, drop) : !given[i].loads)
            g_printerr("%s %s: %s\n", given[i].op, how, message ? message : "loads");
        EXPECT((message == NULL) == given[i].loads);
        EXPECT(given[i].loads || (message && strstr(message, drop) != NULL));
    }
}

static void test_a_deadline_of_long_ago_is_refused(void)
{
    g_autofree char *message = refusal("hash", "EXPIREAT", "{\"share\": 1, \"ttl\": \"1m\"}");

    EXPECT(message && strstr(message, "times: its time has passed, so it deletes the key;"));
}

/* One of the positions, the first ten, all entries: what a workload does give. */
static void test_what_can_be_drawn_or_is_understood_loads(void)
{
    static const char *const good[][2] = {
        {"list", "LINDEX"},      {"list", "LSET"},       {"list", "LRANGE"},
        {"list", "LTRIM"},       {"string", "GETBIT"},   {"string", "SETBIT"},
        {"string", "SETRANGE"},  {"string", "GETRANGE"}, {"stream", "XRANGE"},
        {"stream", "XREVRANGE"}, {"stream", "XREAD"},    {"hash", "HSCAN"},
        {"set", "SINTERCARD"},   {"zset", "ZUNION"},     {"zset", "ZRANGEBYLEX"},
        {"zset", "GEODIST"},     {"json", "JSON.MGET"},  {"json", "JSON.MERGE"},
        {"set", "SORT"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *message = refusal(good[i][0], good[i][1], "1");

        if (message)
            g_printerr("%s\n", message);
        EXPECT(message == NULL);
    }
}

/* What `quintet list commands` offers is all that loads. */
static void test_what_loads_is_what_the_list_says_can_be_sent(void)
{
    uint32_t sent = 0;

    for (size_t i = 0; i < command_count(); i++)
        for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
            const CommandSpec *spec = command_at(i);
            g_autofree char *message = refusal(family_type_names[type], spec->name, "1");

            EXPECT(message || op_trial_can_send(spec, type));
            sent += message == NULL;
        }
    EXPECT(sent > 100);
}

static const TestCase cases[] = {
    TEST(test_what_loads_is_what_the_list_says_can_be_sent),
    TEST(test_what_a_workload_cannot_give_is_refused_with_the_reason),
    TEST(test_what_only_lacks_a_ttl_says_where_to_give_it),
    TEST(test_what_a_command_does_not_carry_is_refused),
    TEST(test_a_deadline_of_long_ago_is_refused),
    TEST(test_what_can_be_drawn_or_is_understood_loads),
};
TEST_MAIN("op trial", cases)
