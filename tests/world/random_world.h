/* A random scenario: members, links, data, clients, faults and people, all drawn from one seed.
 *
 * Every world has ninety seconds; faults and people act in the first fifty, all traffic ends at
 * 55 s, and what remains is time to agree.  Each draw is a statement of its own: C does not say in
 * which order arguments are evaluated, and two compilers must draw the same world.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/rng.h"

#define RANDOM_WORLD_S       90
#define RANDOM_WORLD_QUIET_S 55

typedef struct {
    Rng rng;
    GString *text;
    uint32_t members; /* the last may be a cold standby */
    uint32_t faults;
    bool has_standby, has_big, is_tight, has_unlink;
    int victim, at_ms; /* of the first fault */
} RandomWorld;

static inline int draw(RandomWorld *world, int from, int to)
{
    return from + (int)rng_below(&world->rng, (uint64_t)(to - from + 1));
}

static inline bool draw_one_in(RandomWorld *world, int n)
{
    return draw(world, 1, n) == 1;
}

static inline int draw_member(RandomWorld *world)
{
    return draw(world, 1, (int)world->members);
}

static inline void say(RandomWorld *world, const char *format, ...) G_GNUC_PRINTF(2, 3);

static inline void say(RandomWorld *world, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(world->text, format, args);
    va_end(args);
}

/* A tight member refuses writes when metadata piles up; its data alone has room. */
static inline void say_members(RandomWorld *world)
{
    say(world, "\"members\": {");
    for (uint32_t i = 1; i <= world->members; i++) {
        int max_kb = world->is_tight ? draw(world, 1200, 2400) : 2000000;
        int backlog_kb = draw(world, 20, 2000), shards = draw(world, 1, 4);
        int skew_ms = draw(world, -25, 25), kops = draw(world, 5, 50);

        say(world,
            "%s\"m%u\": {\"memory\": {\"max\": \"%dkB\"}, \"backlog\": \"%dkB\", \"shards\": %d, "
            "\"clock_skew\": \"%dms\", \"capacity\": {\"ops\": \"%dk/s\"}",
            i > 1 ? ", " : "", i, max_kb, backlog_kb, shards, skew_ms, kops);
        if (world->has_standby && i == world->members) {
            int rate = draw(world, 30, 500);

            say(world,
                ", \"role\": \"cold-standby\", \"rebuild\": {\"keys\": 600, \"rate\": "
                "\"%d/s\"}",
                rate);
        }
        say(world, "}");
    }
    say(world, "}, ");
}

static inline void say_link(RandomWorld *world, uint32_t a, uint32_t b)
{
    int delay_ms = draw(world, 5, 105), tail_ms = draw(world, 1, 40), back_ms = draw(world, 5, 105);
    int kbps = draw_one_in(world, 3) ? draw(world, 800, 3000) : draw(world, 5000, 200000);

    say(world,
        "%s\"m%u~m%u\": {\"delay\": {\"lognormal\": {\"p50\": \"%dms\", \"p99\": \"%dms\"}}, "
        "\"delay_ba\": \"%dms\", \"bandwidth\": \"%dkbps\", \"jitter_every\": \"3s\"",
        a + b > 3 ? ", " : "", a, b, delay_ms, delay_ms + tail_ms, back_ms, kbps);
    if (draw_one_in(world, 3))
        say(world, ", \"loss\": \"%d%%\"", draw(world, 1, 40));
    if (draw_one_in(world, 4))
        say(world, ", \"bandwidth_ba\": \"%dkbps\"", draw(world, 800, 9000));
    if (draw_one_in(world, 4))
        say(world, ", \"compression\": {\"ratio\": \"%d%%\"}", draw(world, 20, 90));
    say(world, "}");
}

static inline void say_links(RandomWorld *world)
{
    say(world, "\"links\": {");
    for (uint32_t a = 1; a <= world->members; a++)
        for (uint32_t b = a + 1; b <= world->members; b++)
            say_link(world, a, b);
    say(world, "}, ");
}

static inline void say_routing(RandomWorld *world)
{
    static const char *const routes[] = {"pin", "priority", "geo-nearest"};
    static const char *const detects[] = {
        "{\"kind\": \"none\"}", "{\"kind\": \"ping-all\", \"interval\": \"2s\"}",
        ("{\"kind\": \"dns-tm\", \"interval\": \"5s\", \"timeout\": \"2s\", \"tolerated\": 1, "
         "\"ttl\": \"5s\"}")};
    const char *route = routes[draw(world, 0, 2)], *detect = detects[draw(world, 0, 2)];
    int attempts = draw(world, 1, 3), accum = draw(world, 0, 1);

    say(world,
        "\"routing\": {\"select\": \"%s\", \"detect\": %s, \"retry\": {\"attempts\": %d, "
        "\"timeout\": \"500ms\", \"backoff\": \"50ms\", \"max_class\": \"%s\"}}, ",
        route, detect, attempts, accum ? "accum" : "lww");
}

/* Nobody is at home at a cold standby, so that clients come to it in trouble alone. */
static inline void say_sites(RandomWorld *world)
{
    say(world, "\"sites\": {");
    for (uint32_t s = 1; s <= world->members; s++) {
        uint32_t home = world->has_standby && s == world->members ? 1 : s;

        say(world, "%s\"s%u\": {\"home\": \"m%u\", \"clients\": %d, \"rtt\": {", s > 1 ? ", " : "",
            s, home, draw(world, 1, 8));
        for (uint32_t m = 1; m <= world->members; m++)
            say(world, "%s\"m%u\": \"%dms\"", m > 1 ? ", " : "", m,
                m == home ? 1 : draw(world, 10, 210));
        say(world, "}}");
    }
    say(world, "}, ");
}

static inline void say_families(RandomWorld *world)
{
    static const char *const families[] = {
        "\"str\": {\"type\": \"string\", \"keys\": 200, \"ops\": {\"GET\": 1, \"SET\": 1, \"DEL\": "
        "0.2, \"APPEND\": 0.1, \"EXPIRE\": {\"share\": 0.1, \"ttl\": \"5s\"}, \"PERSIST\": 0.1}",
        "\"cnt\": {\"type\": \"counter\", \"keys\": 20, \"ops\": {\"INCR\": 1, \"GET\": 1, "
        "\"DEL\": 0.05, \"EXPIRE\": {\"share\": 0.05, \"ttl\": \"3s\"}}",
        "\"hsh\": {\"type\": \"hash\", \"keys\": 300, \"fields\": 4, \"ops\": {\"HSET\": 1, "
        "\"HGETALL\": 1, \"HDEL\": 0.2, \"DEL\": 0.1}",
        "\"set\": {\"type\": \"set\", \"keys\": 50, \"fields\": 8, \"ops\": {\"SADD\": 1, "
        "\"SREM\": 0.5, \"SISMEMBER\": 1, \"SPOP\": 0.1}",
        "\"zst\": {\"type\": \"zset\", \"keys\": 30, \"fields\": 6, \"ops\": {\"ZADD\": 1, "
        "\"ZINCRBY\": 1, \"ZREM\": 0.3, \"ZREVRANGE\": 1}",
        "\"tmp\": {\"type\": \"string\", \"keys\": 100, \"value\": \"2kB\", \"ttl\": {\"exp\": "
        "{\"mean\": \"6s\"}}, \"ops\": {\"GET\": 1, \"SET\": 1, \"SETEX\": {\"share\": 0.3, "
        "\"ttl\": \"2s\"}, \"DEL\": 0.1}",
        "\"lst\": {\"type\": \"list\", \"keys\": 30, \"fields\": 5, \"ops\": {\"LPUSH\": 1, "
        "\"RPOP\": 0.8, \"BLPOP\": {\"share\": 0.6, \"block\": \"300ms\"}, \"BRPOP\": 0.1, "
        "\"LRANGE\": 1, \"LTRIM\": 0.1, \"DEL\": 0.3}",
        "\"hll\": {\"type\": \"hll\", \"keys\": 20, \"fields\": 5, \"ops\": {\"PFADD\": 1, "
        "\"PFCOUNT\": 0.5, \"DEL\": 0.1, \"EXPIRE\": {\"share\": 0.05, \"ttl\": \"3s\"}}",
        "\"stm\": {\"type\": \"stream\", \"keys\": 20, \"ops\": {\"XADD\": 1, \"XRANGE\": 0.5, "
        "\"XREAD\": {\"share\": 0.3, \"block\": \"200ms\"}, "
        "\"DEL\": 0.05}",
        "\"doc\": {\"type\": \"json\", \"keys\": 30, \"ops\": {\"JSON.SET\": 1, \"JSON.GET\": 1, "
        "\"DEL\": 0.1}",
    };

    say(world, "\"families\": {");
    for (uint32_t i = 0; i < G_N_ELEMENTS(families); i++) {
        bool skewed = draw_one_in(world, 2), part = draw_one_in(world, 3);

        say(world, "%s%s%s%s%s}", i ? ", " : "", families[i],
            i == 0 && world->is_tight ? ", \"value\": \"3kB\"" : "",
            skewed ? ", \"popularity\": {\"zipf\": 0.9}" : "", part ? ", \"prefill\": 0.5" : "");
    }
    if (world->has_big) /* big enough for a slice to leave keys out */
        say(world, ", \"big\": {\"type\": \"hash\", \"keys\": 12000, \"fields\": 2, \"value\": "
                   "\"40B\", \"prefill\": 0.1, \"popularity\": {\"zipf\": 0.8}, "
                   "\"ops\": {\"HSET\": 1, \"HGETALL\": 1, \"DEL\": 0.1}}");
    say(world, "}, ");
}

static inline void say_workloads(RandomWorld *world)
{
    say(world, "\"workloads\": {");
    for (uint32_t i = 1; i <= world->members; i++) {
        int rate = draw(world, 10, 70), at_s = draw(world, 0, 35), times = draw(world, 2, 6);

        say(world,
            "%s\"w%u\": {\"site\": \"s%u\", \"rate\": \"%d/s\", \"arrivals\": \"%s\", \"mix\": "
            "{\"str\": 1, \"cnt\": 1, \"hsh\": 1, \"set\": 1, \"zst\": 1, \"tmp\": 1, "
            "\"lst\": 1, \"hll\": 0.5, \"stm\": 0.5, \"doc\": 0.5%s}",
            i > 1 ? ", " : "", i, i, rate, draw_one_in(world, 4) ? "constant" : "poisson",
            world->has_big ? ", \"big\": 2" : "");
        say(world, ", \"bursts\": {\"quiet\": {\"at\": \"%ds\", \"for\": \"%ds\", \"x\": 0}",
            RANDOM_WORLD_QUIET_S, RANDOM_WORLD_S - RANDOM_WORLD_QUIET_S);
        if (draw_one_in(world, 3))
            say(world, ", \"up\": {\"at\": \"%ds\", \"for\": \"4s\", \"x\": %d}", at_s, times);
        say(world, "}");
        if (draw_one_in(world, 3))
            say(world,
                ", \"curve\": {\"period\": \"20s\", \"points\": {\"0s\": 0.2, \"5s\": 1.5, "
                "\"%ds\": 0}}",
                draw(world, 6, 19));
        say(world, "}");
    }
    say(world, "}, ");
}

static inline void say_fault(RandomWorld *world, uint32_t index)
{
    int a = draw_member(world), b = draw_member(world), kind = draw(world, 0, 3);
    int at_ms = draw(world, 1000, 31000), lasts_s = draw(world, 3, 18);

    if (index == 1) {
        world->victim = a;
        world->at_ms = at_ms;
    }
    say(world, "%s\"f%u\": {\"for\": \"%ds\", ", index > 1 ? ", " : "", index, lasts_s);
    if (index > 1 && draw_one_in(world, 4)) /* then it ends by 50 s at the latest */
        say(world, "\"after\": \"f1\", \"wait\": \"%dms\", ", draw(world, 0, 999));
    else
        say(world, "\"at\": \"%dms\", ", at_ms);
    if (draw_one_in(world, 4))
        say(world, "\"hidden\": true, ");
    if (kind == 0 || a == b)
        say(world, "\"isolate\": \"m%d\"}", a);
    else if (kind == 1)
        say(world, "\"partition\": \"m%d%sm%d\"}", a, draw_one_in(world, 2) ? "|" : ">", b);
    else if (kind == 2)
        say(world, "\"crash\": \"m%d\"}", a);
    else
        say(world, "\"delay\": {\"link\": \"m%d~m%d\", \"add\": \"%dms\"}}", a, b,
            draw(world, 1, 200));
}

static inline void say_faults(RandomWorld *world)
{
    say(world, "\"faults\": {");
    for (uint32_t i = 1; i <= world->faults; i++)
        say_fault(world, i);
    if (world->faults > 0 && world->has_unlink) {
        /* Nobody looks at this one: it may be a survivor, down while the order is given. */
        int at_ms = world->at_ms + draw(world, 0, 6000), lasts_s = draw(world, 6, 14);

        say(world,
            ", \"hide\": {\"at\": \"%dms\", \"for\": \"%ds\", \"hidden\": true, "
            "\"crash\": \"m%d\"}",
            at_ms, lasts_s, draw_member(world));
    }
    say(world, "}, ");
}

/* Redirect, wait and restore, on an alert or on a fault. */
static inline void say_move(RandomWorld *world)
{
    int from = draw_member(world), takes_ms = draw(world, 0, 6000), over_s = draw(world, 0, 8);
    bool on_fault = world->faults > 0 && draw_one_in(world, 2);

    say(world,
        "\"move\": {\"on\": \"%s\", \"steps\": {"
        "\"look\": {\"do\": \"note\", \"print\": \"max(replication.lag)\"}, "
        "\"leave\": {\"do\": \"redirect\", \"from\": \"m%d\", \"to\": \"nearest-healthy\", "
        "\"after\": \"look\", \"takes\": \"%dms\"}, "
        "\"sound\": {\"do\": \"wait\", \"until\": \"max(replication.lag) < 2s\", \"timeout\": "
        "\"20s\", \"after\": \"leave\"}, ",
        on_fault ? "fault:f1" : "behind", from, takes_ms);
    say(world,
        "\"back\": {\"do\": \"restore-routing\", \"to\": \"m%d\", \"over\": \"%ds\", "
        "\"after\": \"sound\", \"takes\": {\"exp\": {\"mean\": \"2s\"}}}, "
        "\"ok\": {\"do\": \"verify\", \"that\": \"last(availability{member=m%d}) >= 50%%\", "
        "\"after\": \"back\", \"takes\": \"3s\", \"ends\": \"moved\"}}}",
        from, over_s, from);
}

/* Force-unlink, often of the one in trouble, while another may be down. */
static inline void say_unlink(RandomWorld *world)
{
    bool on_fault = world->faults > 0 && draw_one_in(world, 2);
    int other = draw_member(world), takes_ms = draw(world, 0, 12000);
    int target = on_fault && draw_one_in(world, 2) ? world->victim : other;
    bool guarded = draw_one_in(world, 3);

    say(world,
        ", \"drop\": {\"on\": \"%s\", \"steps\": {\"unlink\": {\"do\": \"force-unlink\", "
        "\"target\": \"m%d\", \"takes\": \"%dms\"",
        on_fault ? "fault:f1" : "behind", target, takes_ms);
    if (guarded)
        say(world, ", \"if\": \"last(availability{member=m%d}) < 50%%\"", target);
    say(world, "}}}");
}

static inline void say_people(RandomWorld *world)
{
    int lag_s = draw(world, 2, 4), for_s = draw(world, 0, 2);

    say(world,
        "\"alerts\": {\"behind\": {\"when\": \"max(replication.lag) > %ds\", \"for\": \"%ds\", "
        "\"every\": \"1s\", \"notify\": \"oncall\"}, \"full\": {\"when\": "
        "\"max(memory.used_pct) >= 60%%\", \"every\": \"2s\", \"notify\": \"oncall\"}}, ",
        lag_s, for_s);
    say(world, "\"operators\": {\"oncall\": {\"ack\": {\"exp\": {\"mean\": \"2s\"}}, \"decide\": "
               "\"1s\"}}, \"runbooks\": {");
    say_move(world);
    if (world->has_unlink)
        say_unlink(world);
    say(world, "}, \"abort\": {\"noted\": {\"when\": \"sum(oom.rejections) > 10\", \"do\": "
               "\"report\"}}");
}

static inline char *random_scenario(uint64_t seed)
{
    RandomWorld world = {.rng = rng_stream(seed, "test/worlds"), .text = g_string_new(NULL)};

    world.members = draw_one_in(&world, 10) ? 1 : (uint32_t)draw(&world, 2, 5);
    world.faults = draw_one_in(&world, 6) ? 0 : (uint32_t)draw(&world, 1, 3);
    world.has_standby = world.members > 1 && draw_one_in(&world, 4);
    world.has_big = draw_one_in(&world, 3);
    world.is_tight = draw_one_in(&world, 4);
    world.has_unlink = !draw_one_in(&world, 3);
    say(&world,
        "{\"quintet\": \"scenario/1\", \"name\": \"random\", \"seed\": %d, \"duration\": \"%ds\", ",
        (int)seed, RANDOM_WORLD_S);
    say_members(&world);
    say_links(&world);
    say_sites(&world);
    say_routing(&world);
    say_families(&world);
    say_workloads(&world);
    say_faults(&world);
    say_people(&world);
    say(&world, draw_one_in(&world, 4) ? ", \"causal\": true}" : "}");
    return g_string_free(world.text, FALSE);
}
