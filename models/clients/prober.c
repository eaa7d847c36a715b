/* Why it works: one probe of an endpoint is in flight at a time and each has a number.  Its answer
 * and its timeout carry that number, whichever comes first ends the probe, and the other one finds
 * the number gone. Answers of a member that became unreachable since are lost, as for any request.
 */
#include "models/clients/prober.h"

#include <glib.h>

#include "sim/ensure.h"

typedef struct {
    uint64_t number; /* of the probe in flight or last ended */
    SimTime sent_ns;
    bool is_in_flight;
} Probe;

struct Prober {
    ProberConfig config;
    const Detector *detector;
    void *state;
    uint32_t believed;
    Handler due, answered, expired;
    Probe probes[MEMBER_MAX];
};

typedef struct {
    uint64_t call;
} ProbeTimer;

static uint64_t call_of(uint32_t member, uint64_t number)
{
    return number << 8 | member;
}

static void post_timer(Prober *prober, const Handler *handler, SimTime at_ns, uint64_t call)
{
    ProbeTimer body = {call};
    Place *place = prober->config.place;

    place_post(place, place,
               &(Post){.at_ns = at_ns,
                       .rank = RANK_CLIENT,
                       .source = prober->config.source,
                       .seq = (*prober->config.post_seq)++,
                       .handler = handler,
                       .body = &body,
                       .body_bytes = sizeof(body)});
}

static void await_next(Prober *prober, uint32_t member, SimTime now_ns)
{
    uint64_t phase = rng_keyed(prober->config.key, prober->config.number * MEMBER_MAX + member, 0);
    SimTime at_ns = prober->detector->probe_at(prober->state, prober->config.detect->params, member,
                                               now_ns, rng_unit_of(phase));

    if (at_ns != SIM_TIME_NEVER)
        post_timer(prober, &prober->due, MAX(at_ns, now_ns), member);
}

static void tell_change(Prober *prober, SimTime now_ns)
{
    uint32_t healthy = prober_healthy(prober, now_ns);

    if (healthy == prober->believed)
        return;
    prober->believed = healthy;
    if (prober->config.changed)
        prober->config.changed(prober->config.actor, healthy);
}

static void end_probe(Prober *prober, uint64_t call, Outcome outcome, SimTime now_ns)
{
    uint32_t member = (uint32_t)(call & 0xff);
    Probe *probe = &prober->probes[member];

    if (!probe->is_in_flight || probe->number != call >> 8)
        return;
    probe->is_in_flight = false;
    prober->detector->on_probe(prober->state, prober->config.detect->params, member, outcome,
                               probe->sent_ns, now_ns);
    tell_change(prober, now_ns);
    await_next(prober, member, now_ns);
}

static void on_due(void *actor, Place *place, void *body)
{
    Prober *prober = actor;
    uint32_t member = (uint32_t)((ProbeTimer *)body)->call;
    Probe *probe = &prober->probes[member];
    const ProberConfig *config = &prober->config;
    SimTime now_ns = place_now_ns(place);
    SimTime rtt_ns =
        dist_sample(config->rtt[member],
                    rng_keyed(config->key, config->number * MEMBER_MAX + member, ++probe->number));
    Request request = {
        .reply_to = &prober->answered,
        .reply_place = place,
        .call = call_of(member, probe->number),
        .return_ns = rtt_ns - rtt_ns / 2,
        .weight = 1,
        .family = FAMILY_NONE,
    };

    probe->sent_ns = now_ns;
    probe->is_in_flight = true;
    place_post(place, member_place(config->members[member]),
               &(Post){.at_ns = now_ns + rtt_ns / 2,
                       .rank = RANK_MESSAGE,
                       .source = config->source,
                       .seq = (*config->post_seq)++,
                       .handler = member_request_handler(config->members[member]),
                       .body = &request,
                       .body_bytes = sizeof(request)});
    post_timer(prober, &prober->expired,
               now_ns + prober->detector->probe_timeout_ns(config->detect->params), request.call);
}

static void on_answered(void *actor, Place *place, void *body)
{
    Prober *prober = actor;
    const Response *response = body;
    const Member *member = prober->config.members[response->call & 0xff];

    if (response->reach_epoch == member_reach_epoch(member))
        end_probe(prober, response->call, (Outcome)response->outcome, place_now_ns(place));
}

static void on_expired(void *actor, Place *place, void *body)
{
    end_probe(actor, ((ProbeTimer *)body)->call, OUTCOME_TIMEOUT, place_now_ns(place));
}

Prober *prober_new(const ProberConfig *config)
{
    Prober *prober = g_new0(Prober, 1);
    const Detector *detector = (const Detector *)(const void *)config->detect->head;

    ensure(config->member_count <= MEMBER_MAX);
    prober->config = *config;
    prober->detector = detector;
    prober->due = (Handler){on_due, prober};
    prober->answered = (Handler){on_answered, prober};
    prober->expired = (Handler){on_expired, prober};
    if (detector->state_size)
        prober->state =
            g_malloc0(detector->state_size(config->detect->params, config->member_count));
    if (detector->init)
        detector->init(prober->state, config->detect->params, config->member_count, 0);
    prober->believed = prober_healthy(prober, 0);
    return prober;
}

void prober_free(Prober *prober)
{
    if (!prober)
        return;
    g_free(prober->state);
    g_free(prober);
}

void prober_start(Prober *prober, SimTime now_ns)
{
    if (!prober->detector->probe_at)
        return;
    for (uint32_t i = 0; i < prober->config.member_count; i++)
        if (prober->config.rtt[i])
            await_next(prober, i, now_ns);
}

uint32_t prober_healthy(const Prober *prober, SimTime now_ns)
{
    return prober->detector->healthy(prober->state, prober->config.detect->params,
                                     prober->config.member_count, now_ns);
}

void prober_hear_result(Prober *prober, uint32_t member, Outcome outcome, SimTime now_ns)
{
    if (!prober->detector->on_result)
        return;
    prober->detector->on_result(prober->state, prober->config.detect->params, member, outcome,
                                now_ns);
    tell_change(prober, now_ns);
}
