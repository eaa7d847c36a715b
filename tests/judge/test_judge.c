/* A real Redis as the judge: random commands give the same replies here, errors by their exact
 * text.
 *
 * Needs redis-server on this machine; without it the program is skipped and says so. */
#include <math.h>

#include "tests/judge/judge.h"

/* --- documented differences */

static bool error_is(const Reply *reply, const char *text)
{
    return reply->kind == REPLY_ERROR && strcmp(reply->text, text) == 0;
}

static const char *name_of(const GPtrArray *command)
{
    return ((const GString *)command->pdata[0])->str;
}

/* Redis counts on where we do not, or finds a number at its own end where we find none. */
static bool counter_has_59_bits(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    bool beyond = redis->kind == REPLY_INTEGER &&
                  (redis->integer >= INT64_C(1) << 58 || redis->integer < -(INT64_C(1) << 58));

    return (strstr(name_of(command), "INCR") || strstr(name_of(command), "DECR")) &&
           (beyond || error_is(redis, "ERR increment or decrement would overflow")) &&
           (error_is(ours, "ERR increment or decrement would overflow") ||
            error_is(ours, "ERR value is not an integer or out of range") ||
            error_is(ours, "ERR hash value is not an integer"));
}

/* Both are the sum but for what a double loses at the size of what was added. */
static bool are_near(const Reply *redis, const Reply *ours, const GString *amount)
{
    double x;
    double y;
    double added;

    return redis->kind == REPLY_BULK && ours->kind == REPLY_BULK &&
           double_parse(redis->text, redis->bytes, &x) &&
           double_parse(ours->text, ours->bytes, &y) &&
           double_parse_any(amount->str, amount->len, &added) &&
           fabs(x - y) <= 5e-17 + 1e-15 * MAX(fabs(added), MAX(fabs(x), fabs(y)));
}

/* Increments of scores add in decimal, so that 1.1 + 1 + 1 is 3.1 at every member. */
static bool scores_add_in_decimal(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    return (strcmp(name_of(command), "ZINCRBY") == 0 || strcmp(name_of(command), "ZADD") == 0) &&
           are_near(redis, ours, command->pdata[command->len - 2]);
}

/* A float increment adds in decimal, whose integer part is an int64: the amount, the value before
 * it or the sum is beyond. */
static bool floats_have_64_bits(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    const GString *amount = command->pdata[command->len - 1];
    double added;
    double sum;

    return strstr(name_of(command), "INCRBYFLOAT") && redis->kind == REPLY_BULK &&
           error_is(ours, "ERR increment or decrement would overflow") &&
           double_parse_any(amount->str, amount->len, &added) &&
           double_parse_any(redis->text, redis->bytes, &sum) && fabs(added) + fabs(sum) > 9.2e18;
}

/* Redis adds in a long double, which shows in the 16th digit or so. */
static bool floats_are_exact(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    return strstr(name_of(command), "INCRBYFLOAT") && MAX(redis->bytes, ours->bytes) >= 16 &&
           are_near(redis, ours, command->pdata[command->len - 1]);
}

/* Texts that BY finds equal or does not find, and BY nosort, leave elements in any order. */
static bool order_is_open(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    return g_str_has_prefix(name_of(command), "SORT") && judge_has_word(command, "BY") &&
           redis->kind == REPLY_ARRAY && ours->kind == REPLY_ARRAY && redis->count == ours->count;
}

/* Redis refers to small whole numbers from many keys. */
static bool nothing_is_shared(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    return strcmp(name_of(command), "OBJECT") == 0 && redis->kind == REPLY_INTEGER &&
           redis->integer == INT32_MAX && ours->kind == REPLY_INTEGER && ours->integer == 1;
}

static bool deadlines_end_at_2_49(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    (void)command;
    return redis->kind != REPLY_ERROR && ours->kind == REPLY_ERROR &&
           g_str_has_prefix(ours->text, "ERR invalid expire time in ");
}

/* Only cursor 0 means the same on both sides. */
static bool cursors_are_private(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    const char *name = ((const GString *)command->pdata[0])->str;
    guint at = strcmp(name, "SCAN") == 0 ? 1 : 2;

    return g_str_has_suffix(name, "SCAN") && command->len > at &&
           strcmp(((const GString *)command->pdata[at])->str, "0") != 0 &&
           redis->kind == REPLY_ARRAY && ours->kind == REPLY_ARRAY;
}

static const JudgeDifference differences[] = {
    {"increments of scores add in decimal (crdt-semantics.md 3)", scores_add_in_decimal},
    {"float increments are exact, not sums of long doubles", floats_are_exact},
    {"SORT BY leaves elements of equal weight, or of none, in any order", order_is_open},
    {"the cursors of SCAN are private to whoever gave them", cursors_are_private},
    {"float increments add in decimal (issue 3), whose integer part is an int64",
     floats_have_64_bits},
    {"no value is shared by keys, small whole numbers neither", nothing_is_shared},
    {"deadlines are below 2^49 ms (crdt-semantics.md 2)", deadlines_end_at_2_49},
    {"counters hold 59 bits, so that concurrent increments cannot overflow "
     "(crdt-semantics.md 3.3)",
     counter_has_59_bits},
};

/* --- what is drawn */

static const char *const keys[] = {"k1", "k2", "k3", "k4", NULL};

static const JudgeForm string_forms[] = {
    {.form = "SET <key> <value> [ ( NX | XX | GET | KEEPTTL | EX <ttl> | PX <ttl-ms> | EXAT <at> | "
             "PXAT <at-ms> | NX GET | XX GET | GET EX <ttl> | ch ) ]"},
    {.form = "SET <key> <value>"},
    {.form = "GET <key>"},
    {.form = "GETSET <key> <value>"},
    {.form = "GETDEL <key>"},
    {.form =
         "GETEX <key> [ ( PERSIST | EX <ttl> | PX <ttl-ms> | EXAT <at> | PXAT <at-ms> | ZZ ) ]"},
    {.form = "SETNX <key> <value>"},
    {.form = "SETEX <key> <ttl> <value>"},
    {.form = "PSETEX <key> <ttl-ms> <value>"},
    {.form = "MGET { <key> }"},
    {.form = "MSET { <key> <value> }"},
    {.form = "MSETNX { <key> <value> }"},
    {.form = "APPEND <key> <value>"},
    {.form = "STRLEN <key>"},
    {.form = "SETRANGE <key> <offset> <value>"},
    {.form = "GETRANGE <key> <index> <index>"},
    {.form = "INCR <key>"},
    {.form = "DECR <key>"},
    {.form = "INCRBY <key> <integer>"},
    {.form = "DECRBY <key> <integer>"},
    {.form = "INCRBYFLOAT <key> <float>"},
    {.form = "INCRBYFLOAT <key> <number>"},
    {.form = "SET <key> <number>"},
    {.form = "LCS <key> <key> [ ( LEN | IDX | IDX WITHMATCHLEN | IDX MINMATCHLEN <few> | LEN IDX | "
             "IDX MINMATCHLEN <few> WITHMATCHLEN | ZZ ) ]"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "TYPE <key>"},
    {.form = "DEL <key>"},
};

static const JudgeForm bitmap_forms[] = {
    {.form = "SET <key> <value>"},
    {.form = "GET <key>"},
    {.form = "SETBIT <key> <offset> <bit>"},
    {.form = "GETBIT <key> <offset>"},
    {.form = "BITCOUNT <key> [ <index> <index> [ ( BYTE | BIT | ZZ ) ] ]"},
    {.form = "BITPOS <key> <bit> [ <index> [ <index> [ ( BYTE | BIT | ZZ ) ] ] ]"},
    {.form = "BITOP ( AND | OR | XOR | NOT | ZZ ) <key> { <key> }"},
    {.form = "BITOP NOT <key> <key>"},
    {.form = "BITFIELD <key> { ( GET <bits> <bits-at> | SET <bits> <bits-at> <integer> | "
             "INCRBY <bits> <bits-at> <integer> | OVERFLOW ( WRAP | SAT | FAIL | ZZ ) ) }"},
    {.form = "BITFIELD <key> OVERFLOW ( WRAP | SAT | FAIL ) INCRBY <bits> <bits-at> <integer> "
             "INCRBY <bits> <bits-at> <integer>"},
    {.form = "BITFIELD_RO <key> { GET <bits> <bits-at> }"},
    {.form = "BITFIELD_RO <key> ( SET <bits> <bits-at> <integer> | GET <bits> <bits-at> )"},
    {.form = "APPEND <key> <value>"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "DEL <key>"},
};

static const JudgeForm hash_forms[] = {
    {.form = "HSET <key> { <member> <value> }"},
    {.form = "HSET <key> <member> <integer>"},
    {.form = "HMSET <key> { <member> <value> }"},
    {.form = "HSETNX <key> <member> <value>"},
    {.form = "HGET <key> <member>"},
    {.form = "HMGET <key> { <member> }"},
    {.form = "HGETALL <key>", .rule = RULE_UNORDERED_PAIRS},
    {.form = "HKEYS <key>", .rule = RULE_UNORDERED},
    {.form = "HVALS <key>", .rule = RULE_UNORDERED},
    {.form = "HLEN <key>"},
    {.form = "HEXISTS <key> <member>"},
    {.form = "HSTRLEN <key> <member>"},
    {.form = "HDEL <key> { <member> }"},
    {.form = "HINCRBY <key> <member> <integer>"},
    {.form = "HINCRBYFLOAT <key> <member> <float>"},
    {.form = "HINCRBYFLOAT <key> <member> <number>"},
    {.form = "HSET <key> <member> <number>"},
    {.form = "HRANDFIELD <key> [ <count> [ WITHVALUES ] ]", .rule = RULE_RANDOM, .whole = "HKEYS"},
    {.form = "HSCAN <key> 0 COUNT 10000 [ MATCH <pattern> ]", .rule = RULE_SCAN_PAIRS},
    {.form = "TYPE <key>"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "DEL <key>"},
};

static const JudgeForm set_forms[] = {
    {.form = "SADD <key> { <member> }"},
    {.form = "SADD <key> <member> <member> <member>"},
    {.form = "SREM <key> { <member> }"},
    {.form = "SISMEMBER <key> <member>"},
    {.form = "SMISMEMBER <key> { <member> }"},
    {.form = "SMEMBERS <key>", .rule = RULE_UNORDERED},
    {.form = "SCARD <key>"},
    {.form = "SPOP <key> [ <count> ]",
     .rule = RULE_RANDOM,
     .whole = "SMEMBERS",
     .undone = "SADD",
     .taken = "SREM"},
    {.form = "SRANDMEMBER <key> [ <count> ]", .rule = RULE_RANDOM, .whole = "SMEMBERS"},
    {.form = "SMOVE <key> <key> <member>"},
    {.form = "SINTER { <key> }", .rule = RULE_UNORDERED},
    {.form = "SUNION { <key> }", .rule = RULE_UNORDERED},
    {.form = "SDIFF { <key> }", .rule = RULE_UNORDERED},
    {.form = "SINTERSTORE <key> { <key> }"},
    {.form = "SUNIONSTORE <key> { <key> }"},
    {.form = "SDIFFSTORE <key> { <key> }"},
    {.form = "SINTERCARD <few> { <key> } [ LIMIT <count> ]"},
    {.form = "SINTERCARD 2 <key> <key> [ ( LIMIT <count> | ZZ ) ]"},
    {.form = "SSCAN <key> 0 COUNT 10000 [ MATCH <pattern> ]", .rule = RULE_SCAN},
    {.form = "TYPE <key>"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "DEL <key>"},
};

static const JudgeForm zset_forms[] = {
    {.form = "ZADD <key> [ ( NX | XX | GT | LT | CH | GT CH | XX CH | NX CH | GT XX | NX GT ) ] "
             "{ <score> <member> }",
     .scores = true},
    {.form = "ZADD <key> { <score> <member> }"},
    {.form = "ZADD <key> 0 <member> 0 <member> 0 <member>"},
    {.form = "ZADD <key> [ ( NX | XX | GT | LT ) ] INCR <score> <member>", .scores = true},
    {.form = "ZADD <key> [ ( GT | LT ) ] [ CH ] <number> <member>"},
    {.form = "ZADD <key> [ ( NX | XX | GT | LT ) ] INCR <number> <member>", .scores = true},
    {.form = "ZINCRBY <key> <score> <member>", .scores = true},
    {.form = "ZINCRBY <key> <number> <member>", .scores = true},
    {.form = "ZRANGEBYSCORE <key> <number> <number> [ WITHSCORES ]", .scores = true},
    {.form = "ZUNION 2 <key> <key> WEIGHTS <number> <number> [ WITHSCORES ]", .scores = true},
    {.form = "ZADD ( lex1 | lex2 ) { 0 <name> }"},
    {.form = "ZADD ( lex1 | lex2 ) <float> <name>"},
    {.form = "ZRANGESTORE <key> ( lex1 | lex2 ) <lex> <lex> BYLEX"},
    {.form = "ZREM <key> { <member> }"},
    {.form = "ZSCORE <key> <member>", .scores = true},
    {.form = "ZMSCORE <key> { <member> }", .scores = true},
    {.form = "ZCARD <key>"},
    {.form = "ZCOUNT <key> <bound> <bound>"},
    {.form = "ZLEXCOUNT ( lex1 | lex2 ) <lex> <lex>"},
    {.form = "ZRANK <key> <member>"},
    {.form = "ZREVRANK <key> <member>"},
    {.form = "ZPOPMIN <key> [ <count> ]", .scores = true},
    {.form = "ZPOPMAX <key> [ <count> ]", .scores = true},
    {.form = "ZMPOP <few> { <key> } ( MIN | MAX ) [ COUNT <count> ]", .scores = true},
    {.form = "ZMPOP 1 <key> ( MIN | MAX | ZZ ) [ COUNT <count> ] [ COUNT <count> ]",
     .scores = true},
    {.form = "ZRANGE <key> <index> <index> [ REV ] [ WITHSCORES ]", .scores = true},
    {.form =
         "ZRANGE <key> <bound> <bound> BYSCORE [ REV ] [ LIMIT <count> <count> ] [ WITHSCORES ]",
     .scores = true},
    {.form = "ZRANGE ( lex1 | lex2 ) <lex> <lex> BYLEX [ REV ] [ LIMIT <count> <count> ] [ "
             "WITHSCORES ]",
     .scores = true},
    {.form = "ZREVRANGE <key> <index> <index> [ WITHSCORES ]", .scores = true},
    {.form = "ZRANGEBYSCORE <key> <bound> <bound> [ WITHSCORES ] [ LIMIT <count> <count> ]",
     .scores = true},
    {.form = "ZREVRANGEBYSCORE <key> <bound> <bound> [ WITHSCORES ] [ LIMIT <count> <count> ]",
     .scores = true},
    {.form = "ZRANGEBYLEX ( lex1 | lex2 ) <lex> <lex> [ LIMIT <count> <count> ]"},
    {.form = "ZREVRANGEBYLEX ( lex1 | lex2 ) <lex> <lex> [ LIMIT <count> <count> ]"},
    {.form = "ZRANGESTORE <key> <key> <index> <index> [ REV ]"},
    {.form = "ZRANGESTORE <key> <key> <bound> <bound> BYSCORE [ LIMIT <count> <count> ]"},
    {.form = "ZREMRANGEBYRANK <key> <index> <index>"},
    {.form = "ZREMRANGEBYSCORE <key> <bound> <bound>"},
    {.form = "ZREMRANGEBYLEX ( lex1 | lex2 ) <lex> <lex>"},
    {.form = "ZRANDMEMBER <key> [ <count> [ WITHSCORES ] ]",
     .rule = RULE_RANDOM,
     .whole = "ZRANGE"},
    {.form =
         "ZINTER <few> { <key> } [ WEIGHTS { <float> } ] [ AGGREGATE ( SUM | MIN | MAX | ZZ ) ] "
         "[ WITHSCORES ]",
     .scores = true},
    {.form = "ZUNION 2 <key> <key> [ WEIGHTS <score> <score> ] [ AGGREGATE ( SUM | MIN | MAX ) ] "
             "[ WITHSCORES ]",
     .scores = true},
    {.form = "ZDIFF 2 <key> <key> [ WITHSCORES ]", .scores = true},
    {.form = "ZINTERSTORE <key> 2 <key> <key> [ WEIGHTS <float> <float> ] "
             "[ AGGREGATE ( SUM | MIN | MAX ) ]"},
    {.form = "ZUNIONSTORE <key> <few> { <key> } [ AGGREGATE ( SUM | MIN | MAX ) ]"},
    {.form = "ZDIFFSTORE <key> <few> { <key> }"},
    {.form = "ZINTERCARD <few> { <key> } [ LIMIT <count> ]"},
    {.form = "ZINTERCARD 2 <key> <key> [ LIMIT <count> ]"},
    {.form = "ZSCAN <key> 0 COUNT 10000 [ MATCH <pattern> ]",
     .rule = RULE_SCAN_PAIRS,
     .scores = true},
    {.form = "TYPE <key>"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "DEL <key>"},
};

static const JudgeForm list_forms[] = {
    {.form = "LPUSH <key> { <member> }"},
    {.form = "RPUSH <key> { <member> }"},
    {.form = "RPUSH <key> <member> <member> <member>"},
    {.form = "LPUSHX <key> { <member> }"},
    {.form = "RPUSHX <key> { <member> }"},
    {.form = "LPOP <key> [ <count> ]"},
    {.form = "RPOP <key> [ <count> ]"},
    {.form = "LMPOP <few> { <key> } ( LEFT | RIGHT ) [ COUNT <count> ]"},
    {.form = "LMPOP 1 <key> ( LEFT | RIGHT | ZZ ) [ COUNT <count> ] [ COUNT <count> ]"},
    {.form = "LLEN <key>"},
    {.form = "LINDEX <key> <index>"},
    {.form = "LSET <key> <index> <value>"},
    {.form = "LRANGE <key> <index> <index>"},
    {.form = "LRANGE <key> 0 -1"},
    {.form = "LTRIM <key> <index> <index>"},
    {.form = "LREM <key> <count> <member>"},
    {.form = "LINSERT <key> ( BEFORE | AFTER | ZZ ) <member> <value>"},
    {.form = "LPOS <key> <member> [ RANK <count> ] [ COUNT <count> ] [ MAXLEN <count> ]"},
    {.form = "LMOVE <key> <key> ( LEFT | RIGHT ) ( LEFT | RIGHT | ZZ )"},
    {.form = "RPOPLPUSH <key> <key>"},
    {.form = "TYPE <key>"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRE <key> <ttl>"},
    {.form = "DEL <key>"},
};

static const char *const generic_keys[] = {
    "k1", "k2", "k3", "other:string", "k4", "other:hash", "other:set", "other:zset", NULL};

static const JudgeForm generic_forms[] = {
    {.form = "SET <key> <value>"},
    {.form = "HSET <key> { <member> <value> }"},
    {.form = "SADD <key> { <member> }"},
    {.form = "SADD <key> <integer> <integer>"},
    {.form = "ZADD <key> { <score> <member> }"},
    {.form = "RPUSH <key> { <member> }"},
    {.form = "LRANGE <key> 0 -1"},
    {.form = "INCR <key>"},
    {.form = "ZINCRBY <key> <float> <member>", .scores = true},
    {.form = "GET <key>"},
    {.form = "HGETALL <key>", .rule = RULE_UNORDERED_PAIRS},
    {.form = "SMEMBERS <key>", .rule = RULE_UNORDERED},
    {.form = "ZRANGE <key> 0 -1 WITHSCORES", .scores = true},
    {.form = "DEL { <key> }"},
    {.form = "UNLINK { <key> }"},
    {.form = "EXISTS { <key> }"},
    {.form = "TOUCH { <key> }"},
    {.form = "TYPE <key>"},
    {.form = "EXPIRE <key> <ttl> [ ( NX | XX | GT | LT | XX GT | NX GT | GT LT | ZZ ) ]"},
    {.form = "PEXPIRE <key> <ttl-ms> [ ( NX | XX | GT | LT ) ]"},
    {.form = "EXPIREAT <key> <at> [ ( NX | XX | GT | LT ) ]"},
    {.form = "PEXPIREAT <key> <at-ms> [ ( NX | XX | GT | LT ) ]"},
    {.form = "PERSIST <key>"},
    {.form = "TTL <key>", .rule = RULE_TIME},
    {.form = "PTTL <key>", .rule = RULE_TIME},
    {.form = "EXPIRETIME <key>", .rule = RULE_TIME},
    {.form = "PEXPIRETIME <key>", .rule = RULE_TIME},
    {.form = "OBJECT ( FREQ <key> | REFCOUNT <key> | ZZ <key> | FREQ | REFCOUNT <key> <key> )"},
    {.form = "RENAME <key> <key>"},
    {.form = "RENAMENX <key> <key>"},
    {.form = "COPY <key> <key> [ ( REPLACE | DB 0 | DB <few> | DB abc | ZZ ) ]"},
    {.form = "KEYS <pattern>", .rule = RULE_UNORDERED},
    {.form = "DBSIZE"},
    {.form = "RANDOMKEY", .rule = RULE_RANDOM, .whole = "KEYS"},
    {.form = "SCAN 0 COUNT 10000 [ MATCH <pattern> ] "
             "[ TYPE ( string | hash | set | zset | list | ZZ ) ]",
     .rule = RULE_SCAN},
    {.form = "SORT <key> [ BY ( nosort | k* | m* | k*->m1 ) ] [ LIMIT <count> <count> ] "
             "[ GET ( # | k* | other:*->m1 ) ] [ ( ASC | DESC ) ] ALPHA"},
    {.form = "SORT <key> [ LIMIT <count> <count> ] [ ( ASC | DESC ) ]"},
    {.form = "SORT <key> ALPHA [ DESC ] [ LIMIT <count> <count> ] [ GET # ] [ BY nosort ] "
             "STORE <key>"},
    {.form = "SORT_RO <key> [ LIMIT <count> <count> ] ALPHA"},
};

#define TYPE(name, list, own_keys)                                                                 \
    {                                                                                              \
        .type = (name), .keys = (own_keys), .forms = (list), .form_count = G_N_ELEMENTS(list)      \
    }

static const JudgeType types[] = {
    TYPE("string", string_forms, keys), TYPE("bitmap", bitmap_forms, keys),
    TYPE("hash", hash_forms, keys),     TYPE("set", set_forms, keys),
    TYPE("zset", zset_forms, keys),     TYPE("generic", generic_forms, generic_keys),
    TYPE("list", list_forms, keys),
};

static void judge_one(size_t type)
{
    judge_run(&(Judge){.differences = differences, .difference_count = G_N_ELEMENTS(differences)},
              &types[type], test_count(6000, 200000));
}

static void test_strings_reply_as_redis(void)
{
    judge_one(0);
}

static void test_bitmaps_reply_as_redis(void)
{
    judge_one(1);
}

static void test_hashes_reply_as_redis(void)
{
    judge_one(2);
}

static void test_sets_reply_as_redis(void)
{
    judge_one(3);
}

static void test_sorted_sets_reply_as_redis(void)
{
    judge_one(4);
}

static void test_keys_of_any_type_reply_as_redis(void)
{
    judge_one(5);
}

static void test_lists_reply_as_redis(void)
{
    judge_one(6);
}

static const TestCase cases[] = {
    TEST(test_lists_reply_as_redis),
    TEST(test_strings_reply_as_redis),
    TEST(test_bitmaps_reply_as_redis),
    TEST(test_hashes_reply_as_redis),
    TEST(test_sets_reply_as_redis),
    TEST(test_sorted_sets_reply_as_redis),
    TEST(test_keys_of_any_type_reply_as_redis),
};
JUDGE_MAIN("judge", cases)
