/* Transactions of three sessions against those of three connections to a real Redis.
 *
 * What is queued has replies without an order of its own, so that an array of them is compared item
 * by item. */
#include "tests/test.h"

#include "tests/judge/judge.h"

static const char *const keys[] = {"k1", "k2", "k3", NULL};

static const JudgeForm forms[] = {
    {.form = "@ ( 1 | 2 | 3 )"},
    {.form = "@ ( 1 | 2 | 3 )"},
    {.form = "@ ( 1 | 2 | 3 )"},
    {.form = "@ ( 1 | 2 | 3 )"},
    {.form = "MULTI"},
    {.form = "MULTI"},
    {.form = "EXEC"},
    {.form = "EXEC"},
    {.form = "EXEC"},
    {.form = "DISCARD"},
    {.form = "WATCH { <key> }"},
    {.form = "WATCH <key>"},
    {.form = "UNWATCH"},
    {.form = "SET <key> <value>"},
    {.form = "SET <key> ( 5 | 5 | 6 )"},
    {.form = "GET <key>"},
    {.form = "INCR <key>"},
    {.form = "APPEND <key> ( x | yz )"},
    {.form = "SADD <key> { <name> }"},
    {.form = "SREM <key> <name>"},
    {.form = "SCARD <key>"},
    {.form = "HSET <key> <name> ( 1 | 2 )"},
    {.form = "HDEL <key> <name>"},
    {.form = "RPUSH <key> { <name> }"},
    {.form = "LRANGE <key> 0 -1"},
    {.form = "LPOP <key>"},
    {.form = "ZADD <key> ( 1 | 2 ) <name>"},
    {.form = "ZRANGE <key> 0 -1"},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "PERSIST <key>"},
    {.form = "RENAME <key> <key>"},
    {.form = "DEL { <key> }"},
    {.form = "DEL { <key> }"},
    {.form = "EXISTS { <key> }"},
    {.form = "NOSUCHCOMMAND <key>"},
};

static const JudgeType type = {
    .type = "transactions", .keys = keys, .forms = forms, .form_count = G_N_ELEMENTS(forms)};

/* Counters hold 59 bits (crdt-semantics.md 3.3), inside a transaction as well. */
static bool counter_is_full(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (redis->kind == REPLY_ARRAY && ours->kind == REPLY_ARRAY && redis->count == ours->count) {
        for (uint32_t i = 0; i < ours->count; i++)
            if (counter_is_full(command, &redis->items[i], &ours->items[i]))
                return true;
        return false;
    }
    return redis->kind == REPLY_INTEGER && ours->kind == REPLY_ERROR &&
           strcmp(ours->text, "ERR increment or decrement would overflow") == 0;
}

static const JudgeDifference differences[] = {
    {"counters hold 59 bits", counter_is_full},
};

static void test_transactions_reply_as_redis(void)
{
    judge_run(&(Judge){.differences = differences, .difference_count = G_N_ELEMENTS(differences)},
              &type, test_count(6000, 200000));
}

static const TestCase cases[] = {
    TEST(test_transactions_reply_as_redis),
};
JUDGE_MAIN("judge_transactions", cases)
