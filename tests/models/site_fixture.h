/* A site before three members that answer by rote: a member here is a place, some counters and
 * switches, so that a story can say exactly what the clients meet.  It stands in for models/geo.
 */
#pragma once

#include <string.h>

#include "models/clients/site.h"
#include "models/clients/traffic_manager.h"
#include "sim/kernel.h"
#include "tests/test.h"

struct Member {
    Place *place;
    Handler handler;
    uint32_t id;
    bool is_silent, is_refusing, ignores_probes;
    SimTime service_ns; /* added to each answer */
    uint64_t epoch, post_seq, write_seq;
    uint64_t request_count, probe_count, write_count;
    uint64_t asked; /* what was asked an even number of times cancels out */
};

const Handler *member_request_handler(const Member *member)
{
    return &member->handler;
}

Place *member_place(const Member *member)
{
    return member->place;
}

uint64_t member_reach_epoch(const Member *member)
{
    return member->epoch;
}

/* Nothing to fetch: these members keep no keys. */
void member_prefetch(Member *member, const Request *request)
{
    (void)member;
    (void)request;
}

static void member_answer(void *actor, Place *place, void *body)
{
    Member *member = actor;
    const Request *request = body;
    Response response = {.call = request->call,
                         .reach_epoch = member->epoch,
                         .member_index = (uint8_t)(member->id - 1)};

    if (member->is_silent || (member->ignores_probes && !request->spec))
        return;
    if (request->spec) {
        member->request_count++;
        member->asked ^= rng_mix(request->key ^ rng_mix(request->token)) ^
                         rng_mix(request->token + request->value_bytes) ^
                         rng_mix(request->token + (uint64_t)request->spec->shape);
    } else {
        member->probe_count++;
    }
    if (member->is_refusing) {
        response.outcome = OUTCOME_REFUSED;
    } else if (request->spec && request->spec->writes) {
        response.dot = dot_make(member->id, ++member->write_seq);
        member->write_count++;
    }
    place_post(place, request->reply_place,
               &(Post){.at_ns = place_now_ns(place) + member->service_ns + request->return_ns,
                       .rank = RANK_MESSAGE,
                       .source = 1000 + member->id,
                       .seq = member->post_seq++,
                       .handler = request->reply_to,
                       .body = &response,
                       .body_bytes = sizeof(response)});
}

static const CommandSpec spec_get = {.name = "GET", .op_class = OP_READ, .shape = SHAPE_KEY};
static const CommandSpec spec_set = {
    .name = "SET", .op_class = OP_LWW, .shape = SHAPE_VALUE, .writes = true};
static const CommandSpec spec_incr = {
    .name = "INCR", .op_class = OP_ACCUM, .shape = SHAPE_NUMBER, .writes = true};

/* What one family's operations came to. */
typedef struct {
    uint64_t done, weighted, attempts;
    uint64_t by_outcome[OUTCOME_COUNT];
    uint64_t by_member[4]; /* successes; the last: none */
    SimTime last_latency_ns, latency_max_ns;
} Tally;

enum { FAMILY_READ, FAMILY_WRITE, FAMILY_COUNTER, FAMILY_RECORD, FAMILY_ALL };

typedef struct {
    Kernel *kernel;
    Member members[3];
    Member *member_list[3];
    Dist *rtt[3];
    Dist *dns_rtt;
    Dist *size;
    Family families[FAMILY_ALL];
    OpConfig ops[FAMILY_ALL];
    MixConfig mix[FAMILY_ALL];
    BurstConfig burst;
    WorkloadConfig workload;
    Arena *arena;
    RoutingConfig routing;
    TrafficManager *manager;
    SiteConfig config;
    Site *site;

    Tally tally[FAMILY_ALL];
    uint64_t done_per_s[4096];
    uint64_t arrivals; /* order-free digest of what arrived and when */
    uint64_t failover_count, switch_count, duplicate_count;
    SimTime failover_max_ns, failover_min_ns, failover_sum_ns, last_switch_ns, first_switch_ns;
} Fixture;

static void hear_op(void *actor, const OpFact *fact)
{
    Fixture *f = actor;
    Tally *tally = &f->tally[fact->family];

    tally->done++;
    tally->weighted += fact->weight;
    tally->attempts += fact->attempts;
    tally->by_outcome[fact->outcome]++;
    if (fact->outcome == OUTCOME_OK)
        tally->by_member[fact->member_index < 0 ? 3 : fact->member_index]++;
    tally->last_latency_ns = fact->end_ns - fact->start_ns;
    tally->latency_max_ns = MAX(tally->latency_max_ns, tally->last_latency_ns);
    f->done_per_s[MIN(fact->start_ns / SIM_S, 4095)]++;
    f->arrivals +=
        rng_mix((uint64_t)fact->start_ns ^ rng_mix(fact->key + fact->op_seq) ^ fact->client);
}

static void hear_client(void *actor, const ClientFact *fact)
{
    Fixture *f = actor;

    if (fact->kind == CLIENT_FAILOVER) {
        f->failover_min_ns =
            f->failover_count ? MIN(f->failover_min_ns, fact->duration_ns) : fact->duration_ns;
        f->failover_max_ns = MAX(f->failover_max_ns, fact->duration_ns);
        f->failover_sum_ns += fact->duration_ns;
        f->failover_count++;
    } else if (fact->kind == CLIENT_SWITCH) {
        f->first_switch_ns = f->switch_count ? f->first_switch_ns : fact->at_ns;
        f->last_switch_ns = fact->at_ns;
        f->switch_count++;
    } else {
        f->duplicate_count++;
    }
}

typedef struct {
    const char *routing; /* JSON */
    double rate_per_s;
    double shares[FAMILY_ALL]; /* of the mix */
    uint32_t clients;
    uint32_t threads;
    uint64_t seed;
    SimTime dns_rtt_ns; /* 0: 20 ms */
    bool constant;
    BurstConfig burst;
} FixtureConfig;

static void free_doc(void *doc)
{
    json_doc_free(doc);
}

static void fixture_parse_routing(Fixture *f, const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonDoc *doc = json_parse("routing.json", text, strlen(text), &error);
    const JsonNode *node;

    EXPECT_FATAL(doc != NULL);
    arena_own(f->arena, doc, free_doc);
    node = routing_layer(NULL, json_root(doc), f->arena, &error);
    if (!node || !routing_parse(node, f->arena, &f->routing, &error)) {
        g_printerr("%s\n", error->message);
        EXPECT_FATAL(false);
    }
}

static void fixture_make_mix(Fixture *f, const FixtureConfig *config)
{
    static const CommandSpec *const specs[FAMILY_ALL] = {&spec_get, &spec_set, &spec_incr, NULL};

    f->size = dist_new_constant(100);
    for (uint16_t i = 0; i < FAMILY_ALL; i++) {
        f->families[i] = (Family){.name = "family",
                                  .index = i,
                                  .type = i == FAMILY_RECORD ? -1 : 0,
                                  .key_count = 1000,
                                  .kept_count = 1000,
                                  .hot_count = 1000,
                                  .weight = 1,
                                  .base = i * 1000u,
                                  .field_count = 1,
                                  .value_bytes = f->size};
        f->ops[i] = (OpConfig){.spec = specs[i], .share = 1, .field_count = 1};
        if (config->shares[i] > 0)
            f->mix[f->workload.mix_count++] = (MixConfig){.family = &f->families[i],
                                                          .share = config->shares[i],
                                                          .ops = &f->ops[i],
                                                          .op_count = 1};
    }
    f->burst = config->burst;
    f->workload.name = "load";
    f->workload.rate_per_s = config->rate_per_s;
    f->workload.arrivals = config->constant ? ARRIVALS_CONSTANT : ARRIVALS_POISSON;
    f->workload.mix = f->mix;
    f->workload.bursts = &f->burst;
    f->workload.burst_count = config->burst.to_ns > 0 ? 1 : 0;
}

static void fixture_make_members(Fixture *f, const FixtureConfig *config)
{
    static const SimTime rtt_ns[] = {30 * SIM_MS, 100 * SIM_MS, 200 * SIM_MS};

    f->kernel = kernel_new(&(KernelConfig){.place_count = 4, .thread_count = config->threads});
    for (uint32_t i = 0; i < 3; i++) {
        f->members[i] = (Member){.place = kernel_place(f->kernel, i), .id = i + 1};
        f->members[i].handler = (Handler){member_answer, &f->members[i]};
        f->member_list[i] = &f->members[i];
        f->rtt[i] = dist_new_constant(rtt_ns[i]);
    }
    f->dns_rtt = dist_new_constant(config->dns_rtt_ns ? config->dns_rtt_ns : 20 * SIM_MS);
}

/* The site is in the first member's region; nothing has run yet. */
static Fixture *fixture_new(FixtureConfig config)
{
    Fixture *f = g_new0(Fixture, 1);

    f->arena = arena_new();
    fixture_parse_routing(f, config.routing);
    fixture_make_mix(f, &config);
    fixture_make_members(f, &config);
    if (((const Detector *)(const void *)f->routing.detect.head)->at == DETECT_DNS)
        f->manager =
            traffic_manager_new(&(TrafficManagerConfig){.place = kernel_place(f->kernel, 3),
                                                        .source = 500,
                                                        .seed = config.seed,
                                                        .detect = &f->routing.detect,
                                                        .members = f->member_list,
                                                        .member_count = 3,
                                                        .probe_rtt = f->dns_rtt});
    f->config = (SiteConfig){
        .name = "viewers",
        .place = kernel_place(f->kernel, 0),
        .source = 64,
        .seed = config.seed,
        .client_count = config.clients ? config.clients : 1,
        .members = f->member_list,
        .member_count = 3,
        .rtt = (const Dist *const *)f->rtt,
        .dns_rtt = f->dns_rtt,
        .routing = &f->routing,
        .traffic_manager = f->manager,
        .workloads = &f->workload,
        .workload_count = 1,
        .listener = {hear_op, hear_client, f},
    };
    f->site = site_new(&f->config);
    kernel_set_lookahead(f->kernel, MIN(site_lookahead_ns(f->site), 10 * SIM_MS));
    return f;
}

/* After the workload or a family was changed by hand, before the start. */
static inline void fixture_renew_site(Fixture *f)
{
    site_free(f->site);
    f->site = site_new(&f->config);
}

static void fixture_start(Fixture *f)
{
    if (f->manager)
        traffic_manager_start(f->manager);
    site_start(f->site);
}

static void fixture_run_until(Fixture *f, SimTime until_ns)
{
    kernel_run_until(f->kernel, until_ns);
}

static void fixture_silence(Fixture *f, uint32_t member, SimTime now_ns)
{
    f->members[member].is_silent = true;
    f->members[member].epoch++;
    site_note_fault(f->site, member, now_ns);
}

static void fixture_free(Fixture *f)
{
    site_free(f->site);
    traffic_manager_free(f->manager);
    kernel_free(f->kernel);
    for (uint32_t i = 0; i < 3; i++)
        dist_free(f->rtt[i]);
    dist_free(f->dns_rtt);
    dist_free(f->size);
    arena_free(f->arena);
    g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)
#define fixture(...) fixture_new((FixtureConfig){.seed = 1, __VA_ARGS__})
