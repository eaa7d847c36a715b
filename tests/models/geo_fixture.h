/* A small group for stories about replication: members with a place each, constant delays, one
 * client.
 *
 * Commands are requests that arrive at the instant given; the client sits in the member's own
 * place.  Facts are kept and can be counted.  Levers may be pulled between two calls of geo_run.
 */
#pragma once

#include <string.h>

#include "models/geo/link.h"
#include "models/geo/member.h"
#include "tests/test.h"

#define GEO_KEYS 65536

typedef struct {
    uint32_t members;
    SimTime delay_ns;
    uint64_t rate_bytes_per_s;
    uint64_t backlog_bytes; /* 0: 1 GB */
    Retention retention;
    uint64_t memory_max_bytes;
    double overhead;
    double ops_per_s;
    uint32_t threads;
    bool serial;
    bool empty;                    /* no key exists at the start */
    SimTime ttl_ns;                /* of every key, set by SET */
    SimTime skew_ns;               /* of member 2 */
    uint64_t seed;                 /* of phases and delays */
    bool sets;                     /* keys are sets, not strings */
    bool causal;                   /* causal consistency */
    bool sketches;                 /* keys are HyperLogLogs */
    bool streams;                  /* keys are streams */
    bool lists;                    /* keys are lists */
    SimTime block_ns, patience_ns; /* of every request: see Request */
} GeoOptions;

typedef struct {
    GeoFactKind kind;
    uint32_t member_id, peer_id;
    SimTime at_ns;
    int64_t amount;
} GeoHeard;

typedef struct GeoFixture GeoFixture;

typedef struct {
    GeoFixture *fixture;
    GArray *heard; /* of GeoHeard; one per member, so that threads do not meet */
    Handler reply;
    Response last;
    SimTime last_ns;
    uint64_t reply_count, ok_count, oom_count;
    uint64_t request_count;
    uint64_t write_count,
        deadline_count; /* commands that made effects, deletes no client asked for */
} GeoClient;

struct GeoFixture {
    GeoOptions options;
    Kernel *kernel;
    Member *members[MEMBER_MAX + 1];
    Link *links[MEMBER_MAX + 1][MEMBER_MAX + 1];
    GeoClient clients[MEMBER_MAX + 1];
    Dist *delay;
    Dist *value;
    Family family;
    uint64_t nobody[GEO_KEYS / 64];
    const Family *families[1];
    void (*watch)(GeoFixture *f, const GeoFact *fact); /* each fact too, as it happens; NULL: no */
};

static inline void geo_hear(void *actor, const GeoFact *fact)
{
    GeoClient *client = actor;
    GeoHeard heard = {fact->kind, fact->member_id, fact->peer_id, fact->at_ns, fact->amount};

    if (client->fixture->watch)
        client->fixture->watch(client->fixture, fact);
    if (fact->kind != GEO_WRITE)
        g_array_append_val(client->heard, heard);
    else if (fact->nth == 0)
        client->deadline_count++;
    else if (fact->nth == 1)
        client->write_count++;
}

static inline void geo_reply(void *actor, Place *place, void *body)
{
    GeoClient *client = actor;

    client->last = *(const Response *)body;
    client->last_ns = place_now_ns(place);
    client->reply_count++;
    client->ok_count += client->last.outcome == OUTCOME_OK;
    client->oom_count += client->last.outcome == OUTCOME_OOM;
}

static inline void geo_make_members(GeoFixture *f)
{
    const GeoOptions *options = &f->options;
    static const char *const names[] = {"", "us", "eu", "asia", "uk", "au"};

    for (uint32_t id = 1; id <= options->members; id++) {
        GeoClient *client = &f->clients[id];
        MemberConfig config = {
            .id = id,
            .name = names[id],
            .kernel = f->kernel,
            .place = kernel_place(f->kernel, id - 1),
            .source = id * 16,
            .seed = f->options.seed + 1,
            .families = f->families,
            .family_count = 1,
            .shard_count = 1,
            .ops_per_s = options->ops_per_s,
            .memory_max_bytes = options->memory_max_bytes,
            .reserve_share = 0.05,
            .overhead = options->overhead,
            .backlog_bytes = options->backlog_bytes > 0 ? options->backlog_bytes : 1000000000,
            .clock_skew_ns = id == 2 ? options->skew_ns : 0,
            .clock_start_ms = 1000000,
            .causal = options->causal,
            .listener = {.hear = geo_hear, .actor = client, .hears_applies = true},
        };

        client->fixture = f;
        client->heard = g_array_new(FALSE, TRUE, sizeof(GeoHeard));
        client->reply = (Handler){.run = geo_reply, .actor = client};
        f->members[id] = member_new(&config, NULL);
        EXPECT_FATAL(f->members[id] != NULL);
    }
}

static inline void geo_make_links(GeoFixture *f)
{
    uint32_t n = f->options.members;

    for (uint32_t a = 1; a <= n; a++)
        for (uint32_t b = 1; b <= n; b++) {
            g_autofree char *name = g_strdup_printf("%u>%u", a, b);
            LinkConfig config = {.name = name,
                                 .from_id = a,
                                 .to_id = b,
                                 .source = 200 + a * 8 + b,
                                 .delay = f->delay,
                                 .jitter_every_ns = 10 * SIM_S,
                                 .rate_bytes_per_s = f->options.rate_bytes_per_s,
                                 .seed = f->options.seed + 1,
                                 .from = kernel_place(f->kernel, a - 1),
                                 .to = kernel_place(f->kernel, b - 1)};

            if (a != b)
                f->links[a][b] = link_new(&config);
        }
    for (uint32_t a = 1; a <= n; a++)
        for (uint32_t b = 1; b <= n; b++)
            if (a != b)
                member_attach(f->members[a], f->links[a][b], f->links[b][a]);
}

static inline GeoFixture *geo_new(const GeoOptions *options)
{
    GeoFixture *f = g_new0(GeoFixture, 1);
    KernelConfig kernel = {.place_count = options->members,
                           .thread_count = options->threads,
                           .serial = options->serial};

    f->options = *options;
    f->kernel = kernel_new(&kernel);
    kernel_set_lookahead(f->kernel, options->delay_ns);
    f->delay = dist_new_constant(options->delay_ns);
    f->value = dist_new_constant(100);
    f->family = (Family){.name = "stock",
                         .key_count = GEO_KEYS,
                         .kept_count = GEO_KEYS,
                         .hot_count = GEO_KEYS,
                         .weight = 1,
                         .field_count = 1,
                         .value_bytes = f->value,
                         .type = options->streams    ? CRDT_STREAM
                                 : options->lists    ? CRDT_LIST
                                 : options->sketches ? CRDT_HYPERLOGLOG
                                 : options->sets     ? CRDT_SET
                                                     : CRDT_STRING,
                         .retention = options->retention,
                         .record_bytes = 64,
                         .ttl_ns = options->ttl_ns,
                         .prefilled = options->empty ? f->nobody : NULL};
    f->families[0] = &f->family;
    geo_make_members(f);
    geo_make_links(f);
    for (uint32_t id = 1; id <= options->members; id++)
        member_start(f->members[id]);
    return f;
}

static inline void geo_free(GeoFixture *f)
{
    for (uint32_t a = 1; a <= f->options.members; a++) {
        member_free(f->members[a]);
        g_array_free(f->clients[a].heard, TRUE);
        for (uint32_t b = 1; b <= f->options.members; b++)
            link_free(f->links[a][b]);
    }
    kernel_free(f->kernel);
    dist_free(f->delay);
    dist_free(f->value);
    g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GeoFixture, geo_free)

/* The member's client sends name (NULL: a probe) on key; it arrives at at_ns. */
static inline void geo_send(GeoFixture *f, uint32_t member, SimTime at_ns, const char *name,
                            uint64_t key)
{
    GeoClient *client = &f->clients[member];
    Place *place = member_place(f->members[member]);
    uint64_t seq = ++client->request_count;
    Request request = {.spec = name ? command_find(name, strlen(name)) : NULL,
                       .reply_to = &client->reply,
                       .reply_place = place,
                       .key = key,
                       .token = seq,
                       .call = seq,
                       .element_count = 1,
                       .value_bytes = 100,
                       .block_ns = f->options.block_ns,
                       .patience_ns = f->options.patience_ns,
                       .weight = 1};
    Post post = {.at_ns = at_ns,
                 .rank = RANK_CLIENT,
                 .source = member,
                 .seq = seq,
                 .handler = member_request_handler(f->members[member]),
                 .body = &request,
                 .body_bytes = sizeof request};

    EXPECT_FATAL(!name || request.spec != NULL);
    place_post(place, place, &post);
}

static inline void geo_run(GeoFixture *f, SimTime until_ns)
{
    kernel_run_until(f->kernel, until_ns);
}

static inline void geo_isolate(GeoFixture *f, uint32_t member, bool down)
{
    for (uint32_t other = 1; other <= f->options.members; other++) {
        if (other == member)
            continue;
        (down ? link_partition : link_heal)(f->links[member][other]);
        (down ? link_partition : link_heal)(f->links[other][member]);
    }
}

/* The n-th fact (from 0) of that kind at a member, NULL: there are fewer. */
static inline const GeoHeard *geo_heard(const GeoFixture *f, uint32_t member, GeoFactKind kind,
                                        uint32_t n)
{
    const GArray *heard = f->clients[member].heard;

    for (guint i = 0; i < heard->len; i++) {
        const GeoHeard *fact = &g_array_index(heard, GeoHeard, i);

        if (fact->kind == kind && n-- == 0)
            return fact;
    }
    return NULL;
}

static inline uint32_t geo_count(const GeoFixture *f, uint32_t member, GeoFactKind kind)
{
    uint32_t count = 0;

    while (geo_heard(f, member, kind, count))
        count++;
    return count;
}

static inline uint64_t geo_seq(const GeoFixture *f, uint32_t member, uint32_t origin)
{
    return store_clock(member_store(f->members[member]))->seq[origin];
}

static inline uint64_t geo_state(const GeoFixture *f, uint32_t member)
{
    Digest digest = digest_begin();

    store_digest(member_store(f->members[member]), &digest);
    return digest.value;
}

static inline bool geo_converged(const GeoFixture *f)
{
    for (uint32_t id = 2; id <= f->options.members; id++)
        if (geo_state(f, id) != geo_state(f, 1))
            return false;
    return true;
}

static inline int64_t geo_metadata(const GeoFixture *f, uint32_t member)
{
    return member_memory_bytes(f->members[member], MEMORY_HISTORY) +
           member_memory_bytes(f->members[member], MEMORY_TOMBSTONES);
}

static inline uint64_t geo_digest(const GeoFixture *f)
{
    Digest digest = digest_begin();

    for (uint32_t id = 1; id <= f->options.members; id++)
        member_digest(f->members[id], &digest);
    return digest.value;
}
