/* A real Redis as the judge of live memory: a member that holds 10 000 keys of a shape says within
 * 5 % what used_memory of a server that was given the same keys has grown by.
 *
 * Needs redis-server on this machine; without it the program is skipped and says so. */
#include "tests/models/memory_fixture.h"
#include "tests/judge/judge_server.h"

#define KEYS 10000

/* Writes key number `key` of a shape as commands, one a line. */
typedef struct {
    const char *name;
    void (*write)(GString *lines, unsigned key);
} Shape;

static void write_text(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "SET text:%u ", key);
    for (unsigned i = 0; i < 20 + key % 200; i++)
        g_string_append_c(lines, 'x');
    g_string_append_c(lines, '\n');
}

static void write_number(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "INCRBY number:%u %u\n", key, 100000 + key);
}

static void write_expiring(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "SET session:%u token-%u EX 100000\n", key, key);
}

static void write_small_hash(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "HSET cart:%u", key);
    for (unsigned f = 0; f < 4 + key % 8; f++)
        g_string_append_printf(lines, " field%u value-%u", f, key * f);
    g_string_append_c(lines, '\n');
}

/* Some fields are too long for a listpack. */
static void write_long_hash(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "HSET page:%u title %u body ", key, key);
    for (unsigned i = 0; i < 100 + key % 50; i++)
        g_string_append_c(lines, 'y');
    g_string_append_c(lines, '\n');
}

static void write_set(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "SADD tags:%u", key);
    for (unsigned e = 0; e < 1 + key % 20; e++)
        g_string_append_printf(lines, " tag-%u", e);
    g_string_append_c(lines, '\n');
}

static void write_number_set(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "SADD ids:%u", key);
    for (unsigned e = 0; e < 1 + key % 20; e++)
        g_string_append_printf(lines, " %u", e * 5000);
    g_string_append_c(lines, '\n');
}

static void write_zset(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "ZADD board:%u", key);
    for (unsigned e = 0; e < 10 + key % 30; e++)
        g_string_append_printf(lines, " %u player-%u", e * 1000, e);
    g_string_append_c(lines, '\n');
}

static void write_list(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "RPUSH queue:%u", key);
    for (unsigned e = 0; e < 5 + key % 20; e++)
        g_string_append_printf(lines, " entry-number-%u", e);
    g_string_append_c(lines, '\n');
}

static void write_sketch(GString *lines, unsigned key)
{
    g_string_append_printf(lines, "PFADD visitors:%u", key);
    for (unsigned e = 0; e < 1 + key % 30; e++)
        g_string_append_printf(lines, " visitor-%u-%u", key, e);
    g_string_append_c(lines, '\n');
}

static const Shape shapes[] = {
    {"texts", write_text},
    {"numbers", write_number},
    {"expiring", write_expiring},
    {"small hashes", write_small_hash},
    {"long hashes", write_long_hash},
    {"sets", write_set},
    {"number sets", write_number_set},
    {"sorted sets", write_zset},
    {"lists", write_list},
    {"sketches", write_sketch},
};

static redisReply *ask(JudgeServer *server, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    return redisCommandArgv(server->connections[0], (int)g_strv_length(words), (const char **)words,
                            NULL);
}

static double used_memory(JudgeServer *server)
{
    redisReply *reply = ask(server, "INFO memory");
    const char *at = reply && reply->str ? strstr(reply->str, "used_memory:") : NULL;
    double bytes = at ? g_ascii_strtod(at + strlen("used_memory:"), NULL) : 0;

    freeReplyObject(reply);
    return bytes;
}

/* Many at once; none may be refused. */
static void ask_all(JudgeServer *server, char **lines, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);

        redisAppendCommandArgv(server->connections[0], (int)g_strv_length(words),
                               (const char **)words, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        redisReply *reply = NULL;

        EXPECT_FATAL(redisGetReply(server->connections[0], (void **)&reply) == REDIS_OK);
        EXPECT(reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
    }
}

/* A dictionary that grew moves one bucket with each command. */
static double settled_memory(JudgeServer *server)
{
    g_autofree char **reads = g_new(char *, KEYS);

    for (uint32_t i = 0; i < KEYS; i++)
        reads[i] = "EXISTS nothing";
    for (int times = 0; times < 2; times++)
        ask_all(server, reads, KEYS);
    return used_memory(server);
}

static double given_to_redis(JudgeServer *server, char **lines)
{
    double before;

    freeReplyObject(ask(server, "FLUSHALL"));
    before = settled_memory(server);
    ask_all(server, lines, KEYS);
    return settled_memory(server) - before;
}

static double given_to_member(char **lines)
{
    MemoryWorld *world = memory_world_new(1, false, 100, 1);
    g_autofree Memory *memory = g_new0(Memory, 1);
    double live;

    for (; **lines != '\0'; lines++)
        memory_world_line(world, 0, *lines);
    memory_init(memory, world->stores[0], NULL, 0, &(MemoryConfig){.shard_count = 1});
    live = (double)memory_total(memory).live;
    memory_world_free(world);
    return live;
}

static void test_judge_memory_grows_as_a_real_server_s(void)
{
    JudgeServer server;
    const char *problem = judge_server_start(&server);

    if (problem)
        g_printerr("judge: %s\n", problem);
    EXPECT_FATAL(!problem);
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_auto(GStrv) lines = NULL;
        double real;
        double ours;

        for (unsigned key = 0; key < KEYS; key++)
            shapes[i].write(text, key);
        lines = g_strsplit(text->str, "\n", -1);
        real = given_to_redis(&server, lines);
        ours = given_to_member(lines);
        if (test_is_long())
            g_printerr("judge: %s: %.1f bytes a key, a member says %.1f\n", shapes[i].name,
                       real / KEYS, ours / KEYS);
        EXPECT_NEAR(ours / KEYS, real / KEYS, 0.05 * real / KEYS);
    }
    judge_server_stop(&server);
}

static const TestCase cases[] = {
    TEST(test_judge_memory_grows_as_a_real_server_s),
};
JUDGE_MAIN("judge_memory", cases)
