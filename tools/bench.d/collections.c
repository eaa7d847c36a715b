/* Commands on one big collection, of 10^4 and of 10^5 elements, here and in a real redis-server.
 *
 *     collections [SOCKET]    prints lines "NAME US"
 *
 * NAME is big_COMMAND_ours_SIZE or big_COMMAND_redis_SIZE, US microseconds a call.  Ours are CPU
 * time of store_execute as workloads run it (no reply tree); Redis's are what its INFO commandstats
 * says, which counts the command alone, without the network.  Its clock ticks in whole
 * microseconds, but starts anywhere, so the mean of many calls is right.  Both get the same
 * commands on the same elements.  Each command is called once before the clock starts: what is made
 * when first asked for (the order of a sorted set) is there then.  Without the SOCKET of a
 * redis-server, which loses what it holds, or built without hiredis, there are only lines of ours.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#ifdef BENCH_HIREDIS
#include <hiredis/hiredis.h>
#endif

#include "models/data/store.h"
#include "sim/rng.h"

#define PARTS       5    /* of a row's calls; the quickest counts: what else runs here only adds */
#define CALLS       4000 /* of a command that takes its time from a few elements */
#define CALLS_WHOLE 10   /* of one that goes through all of them */
#define CALLS_WALK  60   /* of one that looks for an element */

/* Words of a form: %k the next element of those there from the start, %e a random one of them, %n
 * one that is new, %o the newest such again, %s a score, %t one above it, %r a rank, %R the ninth
 * after it, %q the next stream ID, %p the ID of a random entry, %x and %y a place, %z as many bytes
 * as there are elements. */
typedef struct {
    const char *name; /* what the row is called; NULL: the command's name */
    const char *form;
    long calls;
} Row;

typedef struct {
    const char *setup[3]; /* each runs once per element; the one with %z once */
    Row rows[16];
} Collection;

static const Collection collections[] = {
    {{"HSET big %k 12345"},
     {{NULL, "HGET big %e", CALLS},
      {NULL, "HSET big %e 54321", CALLS},
      {"HSET_new", "HSET big %n 12345", CALLS},
      {NULL, "HDEL big %o", CALLS},
      {NULL, "HINCRBY big %e 1", CALLS},
      {NULL, "HRANDFIELD big", CALLS},
      {NULL, "HSCAN big 0", CALLS},
      {NULL, "HGETALL big", CALLS_WHOLE}}},
    {{"SADD big %k", "SADD other %k"},
     {{NULL, "SISMEMBER big %e", CALLS},
      {NULL, "SADD big %n", CALLS},
      {NULL, "SREM big %o", CALLS},
      {NULL, "SRANDMEMBER big", CALLS},
      {NULL, "SPOP big", CALLS},
      {NULL, "SSCAN big 0", CALLS},
      {NULL, "SMEMBERS big", CALLS_WHOLE},
      {NULL, "SINTER big other", CALLS_WHOLE}}},
    {{"ZADD big %s %k"},
     {{NULL, "ZRANK big %e", CALLS},
      {NULL, "ZSCORE big %e", CALLS},
      {NULL, "ZADD big %s %e", CALLS},
      {"ZADD_new", "ZADD big %s %n", CALLS},
      {NULL, "ZINCRBY big 1 %e", CALLS},
      {NULL, "ZPOPMIN big", CALLS},
      {"ZRANGE_0_9", "ZRANGE big 0 9", CALLS},
      {"ZRANGE_ten_in_the_middle", "ZRANGE big %r %R", CALLS},
      {"ZRANGEBYSCORE_ten", "ZRANGEBYSCORE big %s +inf LIMIT 0 10", CALLS},
      {NULL, "ZCOUNT big %s %t", CALLS},
      {NULL, "ZRANDMEMBER big", CALLS},
      {NULL, "ZREMRANGEBYRANK big 5 5", CALLS / 2},
      {"ZRANGE_all", "ZRANGE big 0 -1", CALLS_WHOLE}}},
    {{"GEOADD big %x %y %k"},
     {{"GEOSEARCH_ten_nearest", "GEOSEARCH big FROMLONLAT %x %y BYRADIUS 20 km ASC COUNT 10",
       CALLS / 10}}},
    {{"RPUSH big %k"},
     {{NULL, "LPUSH big %n", CALLS},
      {NULL, "LPOP big", CALLS},
      {NULL, "LINDEX big %r", CALLS / 4},
      {NULL, "LSET big %r 12345", CALLS / 4},
      {"LRANGE_0_9", "LRANGE big 0 9", CALLS},
      {"LRANGE_ten_in_the_middle", "LRANGE big %r %R", CALLS / 4},
      {NULL, "LINSERT big BEFORE %e %n", CALLS_WALK},
      {NULL, "LPOS big %e", CALLS_WALK},
      {"LRANGE_all", "LRANGE big 0 -1", CALLS_WHOLE}}},
    {{"SET big %z"},
     {{NULL, "GETRANGE big %r %R", CALLS},
      {NULL, "SETRANGE big %r x", CALLS},
      {NULL, "APPEND big x", CALLS},
      {NULL, "GETBIT big %r", CALLS},
      {NULL, "SETBIT big %r 1", CALLS},
      {NULL, "BITCOUNT big", CALLS / 4}}},
    {{"XADD big %q field 12345"},
     {{NULL, "XADD big %q field 12345", CALLS},
      {"XRANGE_ten_in_the_middle", "XRANGE big %p + COUNT 10", CALLS},
      {"XREVRANGE_newest_ten", "XREVRANGE big + - COUNT 10", CALLS},
      {"XREAD_ten", "XREAD COUNT 10 STREAMS big %p", CALLS},
      {NULL, "XDEL big %p", CALLS},
      {"XRANGE_all", "XRANGE big - +", CALLS_WHOLE}}},
};

typedef struct {
    uint32_t size;
    uint64_t seen, added, streamed, rank, score; /* what the next word follows from */
    Rng rng;
    Store *store;
    void *redis; /* redisContext; NULL: there is none */
} Bench;

static char *word_of(Bench *bench, const char *token)
{
    Rng *rng = &bench->rng;

    if (token[0] != '%')
        return g_strdup(token);
    switch (token[1]) {
    case 'k':
        return g_strdup_printf("e%" G_GUINT64_FORMAT, bench->seen++);
    case 'e':
        return g_strdup_printf("e%" G_GUINT64_FORMAT, rng_below(rng, bench->size));
    case 'n':
        return g_strdup_printf("n%" G_GUINT64_FORMAT, bench->added++);
    case 'o':
        return g_strdup_printf("n%" G_GUINT64_FORMAT, --bench->added);
    case 's':
        bench->score = rng_below(rng, bench->size);
        return g_strdup_printf("%" G_GUINT64_FORMAT, bench->score);
    case 't':
        return g_strdup_printf("%" G_GUINT64_FORMAT, bench->score + bench->size / 10);
    case 'r':
        bench->rank = rng_below(rng, bench->size / 2);
        return g_strdup_printf("%" G_GUINT64_FORMAT, bench->rank);
    case 'R':
        return g_strdup_printf("%" G_GUINT64_FORMAT, bench->rank + 9);
    case 'q':
        return g_strdup_printf("%" G_GUINT64_FORMAT "-1", ++bench->streamed);
    case 'p':
        return g_strdup_printf("%" G_GUINT64_FORMAT "-1", 1 + rng_below(rng, bench->size));
    case 'x':
    case 'y': /* all over Europe */
        return g_strdup_printf("%.4f",
                               (token[1] == 'x' ? 0 : 40) + (double)rng_below(rng, 200000) / 10000);
    default:
        return g_strnfill(bench->size, 'z');
    }
}

static GPtrArray *draw_commands(Bench *bench, const char *form, long count)
{
    GPtrArray *commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_auto(GStrv) tokens = g_strsplit(form, " ", -1);
    guint length = g_strv_length(tokens);

    for (long i = 0; i < count; i++) {
        char **words = g_new0(char *, length + 1);

        for (guint w = 0; w < length; w++)
            words[w] = word_of(bench, tokens[w]);
        g_ptr_array_add(commands, words);
    }
    return commands;
}

/* Some of them. */
typedef struct {
    char ***commands; /* words, NULL at the end */
    long count;
} Calls;

static Calls part_of(const GPtrArray *commands, long part, long parts)
{
    long first = (long)commands->len * part / parts;
    long end = (long)commands->len * (part + 1) / parts;

    return (Calls){(char ***)commands->pdata + first, end - first};
}

/* --- ours */

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

/* Microseconds a call; the arguments are made before the clock starts. */
static double run_ours(Bench *bench, const Calls *calls)
{
    guint length = g_strv_length(calls->commands[0]);
    g_autofree Arg *args = g_new0(Arg, (size_t)calls->count * length);
    g_autofree Command *ready = g_new0(Command, (size_t)calls->count);
    double begin_us;

    for (long i = 0; i < calls->count; i++) {
        char **words = calls->commands[i];
        Arg *own = args + i * length;

        for (guint w = 1; w < length; w++)
            own[w - 1] =
                (Arg){.kind = ARG_BYTES, .data = words[w], .bytes = (uint32_t)strlen(words[w])};
        ready[i] = (Command){command_find(words[0], strlen(words[0])), own, length - 1};
    }
    begin_us = cpu_us();
    for (long i = 0; i < calls->count; i++) {
        Reply reply;

        store_execute(bench->store, &ready[i], (WallTime){1}, NULL, &reply);
        if (reply.kind == REPLY_ERROR)
            g_error("%s: %s", ready[i].spec->name, reply.text);
    }
    return (cpu_us() - begin_us) / (double)calls->count;
}

/* --- Redis's */

#ifdef BENCH_HIREDIS
#define PIPELINE 500

static void *connect_to(const char *socket)
{
    redisContext *context = redisConnectUnix(socket);

    if (!context || context->err != 0)
        g_error("%s: %s", socket, context ? context->errstr : "out of memory");
    return context;
}

static redisReply *receive(Bench *bench)
{
    void *reply = NULL;

    if (redisGetReply(bench->redis, &reply) != REDIS_OK)
        g_error("redis-server went away");
    if (((redisReply *)reply)->type == REDIS_REPLY_ERROR)
        g_error("redis-server: %s", ((redisReply *)reply)->str);
    return reply;
}

static void run_redis(Bench *bench, const Calls *calls)
{
    for (long first = 0; bench->redis && first < calls->count; first += PIPELINE) {
        long end = MIN(first + PIPELINE, calls->count);

        for (long i = first; i < end; i++)
            redisAppendCommandArgv(bench->redis, (int)g_strv_length(calls->commands[i]),
                                   (const char **)calls->commands[i], NULL);
        for (long i = first; i < end; i++)
            freeReplyObject(receive(bench));
    }
}

static void tell_redis(Bench *bench, const char *command)
{
    if (!bench->redis)
        return;
    redisAppendCommand(bench->redis, command);
    freeReplyObject(receive(bench));
}

/* Microseconds a call since CONFIG RESETSTAT. */
static double redis_us(Bench *bench, const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    g_autofree char *field = g_strdup_printf("cmdstat_%s:", lower);
    const char *found;
    redisReply *reply;
    double us;

    redisAppendCommand(bench->redis, "INFO commandstats");
    reply = receive(bench);
    found = strstr(reply->str, field);
    found = found ? strstr(found, "usec_per_call=") : NULL;
    if (!found)
        g_error("redis-server: no usec_per_call of %s in INFO commandstats", name);
    us = g_ascii_strtod(found + strlen("usec_per_call="), NULL);
    freeReplyObject(reply);
    return us;
}
#else
static void *connect_to(const char *socket)
{
    (void)socket;
    return NULL;
}

static void run_redis(Bench *bench, const Calls *calls)
{
    (void)bench;
    (void)calls;
}

static void tell_redis(Bench *bench, const char *command)
{
    (void)bench;
    (void)command;
}

static double redis_us(Bench *bench, const char *name)
{
    (void)bench;
    (void)name;
    return -1;
}
#endif

/* --- rows */

static void run_row(Bench *bench, const Row *row)
{
    g_autoptr(GPtrArray) first = draw_commands(bench, row->form, 1);
    g_autoptr(GPtrArray) commands = draw_commands(bench, row->form, row->calls);
    g_autofree char *name = g_strndup(row->form, strcspn(row->form, " "));
    const char *shown = row->name ? row->name : name;
    Calls calls = part_of(first, 0, 1);
    double ours = INFINITY;
    double redis = INFINITY;

    run_ours(bench, &calls);
    run_redis(bench, &calls);
    for (long part = 0; part < PARTS; part++) {
        calls = part_of(commands, part, PARTS);
        ours = fmin(ours, run_ours(bench, &calls)); /* MIN would run it twice */
        tell_redis(bench, "CONFIG RESETSTAT");
        run_redis(bench, &calls);
        if (bench->redis)
            redis = fmin(redis, redis_us(bench, name));
    }
    printf("big_%s_ours_%u %.4f\n", shown, bench->size, ours);
    if (bench->redis)
        printf("big_%s_redis_%u %.4f\n", shown, bench->size, redis);
}

static void run_collection(const Collection *collection, uint32_t size, void *redis)
{
    Bench bench = {.size = size, .redis = redis, .rng = rng_stream(size, "collections")};

    bench.store = store_new(
        &(StoreConfig){.member_id = 1, .member_count = 1, .stream_ids = STREAM_IDS_LIBERAL});
    tell_redis(&bench, "FLUSHALL");
    for (size_t i = 0; i < G_N_ELEMENTS(collection->setup) && collection->setup[i]; i++) {
        long count = strstr(collection->setup[i], "%z") ? 1 : (long)size;
        g_autoptr(GPtrArray) commands = NULL;
        Calls all;

        bench.seen = 0;
        commands = draw_commands(&bench, collection->setup[i], count);
        all = part_of(commands, 0, 1);
        run_ours(&bench, &all);
        run_redis(&bench, &all);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(collection->rows) && collection->rows[i].form; i++)
        run_row(&bench, &collection->rows[i]);
    store_free(bench.store);
}

int main(int argc, char **argv)
{
    void *redis = argc > 1 ? connect_to(argv[1]) : NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(collections); i++)
        for (uint32_t size = 10000; size <= 100000; size *= 10)
            run_collection(&collections[i], size, redis);
    return 0; /* the connection ends with the process */
}
