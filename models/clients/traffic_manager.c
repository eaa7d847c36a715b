/* Why it works: the manager is a prober in a place of its own, so all that reaches a client is an
 * answer that took its time, and it can be probed and asked by many sites without sharing anything
 * with them.
 */
#include "models/clients/traffic_manager.h"

#include "models/clients/prober.h"
#include "sim/ensure.h"

struct TrafficManager {
    TrafficManagerConfig config;
    const Detector *detector;
    Prober *prober;
    const Dist *rtt[MEMBER_MAX];
    Handler queried;
    uint64_t post_seq;
    Digest digest;
};

uint32_t traffic_manager_healthy(const TrafficManager *manager)
{
    uint32_t healthy = prober_healthy(manager->prober, 0);

    /* All degraded: as if all were healthy (routing.md section 2). */
    return healthy ? healthy : (UINT32_C(1) << manager->config.member_count) - 1;
}

static void on_query(void *actor, Place *place, void *body)
{
    TrafficManager *manager = actor;
    const DnsQuery *query = body;
    DnsAnswer answer = {
        .call = query->call,
        .healthy = traffic_manager_healthy(manager),
        .ttl_ns = manager->detector->ttl_ns(manager->config.detect->params),
    };

    place_post(place, query->reply_place,
               &(Post){.at_ns = place_now_ns(place) + query->return_ns,
                       .rank = RANK_MESSAGE,
                       .source = manager->config.source,
                       .seq = manager->post_seq++,
                       .handler = query->reply_to,
                       .body = &answer,
                       .body_bytes = sizeof(answer)});
}

static void hear_change(void *actor, uint32_t healthy)
{
    TrafficManager *manager = actor;

    digest_u64(&manager->digest, (uint64_t)place_now_ns(manager->config.place));
    digest_u64(&manager->digest, healthy);
}

TrafficManager *traffic_manager_new(const TrafficManagerConfig *config)
{
    TrafficManager *manager = g_new0(TrafficManager, 1);

    ensure(config->member_count <= MEMBER_MAX);
    manager->config = *config;
    manager->detector = (const Detector *)(const void *)config->detect->head;
    ensure(manager->detector->at == DETECT_DNS);
    manager->queried = (Handler){on_query, manager};
    manager->digest = digest_begin();
    for (uint32_t i = 0; i < config->member_count; i++)
        manager->rtt[i] = config->probe_rtt;
    manager->prober = prober_new(&(ProberConfig){
        .place = config->place,
        .source = config->source,
        .post_seq = &manager->post_seq,
        .detect = config->detect,
        .members = config->members,
        .member_count = config->member_count,
        .rtt = manager->rtt,
        .key = rng_key(config->seed, "traffic-manager/probes"),
        .changed = hear_change,
        .actor = manager,
    });
    return manager;
}

void traffic_manager_free(TrafficManager *manager)
{
    if (!manager)
        return;
    prober_free(manager->prober);
    g_free(manager);
}

void traffic_manager_start(TrafficManager *manager)
{
    prober_start(manager->prober, 0);
}

const Handler *traffic_manager_handler(const TrafficManager *manager)
{
    return &manager->queried;
}

Place *traffic_manager_place(const TrafficManager *manager)
{
    return manager->config.place;
}

SimTime traffic_manager_lookahead_ns(const TrafficManager *manager)
{
    SimTime least_ns = SIM_TIME_NEVER;

    for (uint32_t i = 0; i < manager->config.member_count; i++)
        if (member_place(manager->config.members[i]) != manager->config.place)
            least_ns = MAX(dist_min(manager->config.probe_rtt), 0) / 2;
    return least_ns;
}

void traffic_manager_digest(const TrafficManager *manager, Digest *digest)
{
    digest_combine(digest, manager->digest);
}
