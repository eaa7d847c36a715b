/* One ear per member and one meter per site, so that each hears only inside its own place; between
 * windows the ears are emptied in member order and what happened goes to the timeline in the order
 * of time.
 *
 * Simplified: switching observers off drops lost writes (A1, A23) unless an alert, guard or abort
 * reads them; the other meters are cheap and always run.
 */
#include "models/world/world_watch.h"

#include <string.h>

#include "models/observe/lost_writes.h"
#include "models/observe/member_meter.h"
#include "models/observe/site_meter.h"
#include "sim/ensure.h"
#include "sim/units.h"

#define METRICS_MAX 32u /* one expression reads no more */

typedef struct {
    GeoFactKind kind;
    uint32_t peer_id;
    SimTime at_ns;
    int64_t amount;
} HeardEvent;

typedef struct {
    WorldWatch *watch;
    uint32_t member_index;
    void *lost_ear; /* NULL: not watched */
    GArray *events; /* of HeardEvent, since the last sample */
    bool is_traced;
} MemberEar;

struct WorldWatch {
    WorldWatchConfig config;
    MemberEar member_ears[MEMBER_MAX];
    SiteMeter *site_meters[SITE_MAX];
    MemberMeter *member_meter;
    LostWrites *lost;
    uint32_t member_count, site_count;
    uint32_t unlinked; /* bit per member id */
    const Levers *levers;
};

static __attribute__((noinline)) void trace_fact(const WorldWatch *watch, const GeoFact *fact)
{
    static const char *const op_names[] = {
        [EFFECT_ASSIGN] = "assign", [EFFECT_INCREMENT] = "increment", [EFFECT_ADD] = "add",
        [EFFECT_REMOVE] = "remove", [EFFECT_DELETE] = "delete",       [EFFECT_EXPIRE] = "expire",
        [EFFECT_EDIT] = "edit",     [EFFECT_PUBLISH] = "publish",
    };
    const Effect *effect = fact->effect;
    const char *family;

    if (!effect)
        return;
    ensure(effect->op < G_N_ELEMENTS(op_names));
    family = effect->family == FAMILY_NONE ? "born" : watch->config.families[effect->family]->name;
    trace_line(watch->config.trace, fact->at_ns,
               "%u: %s %u@%" G_GUINT64_FORMAT " %s %s %" G_GUINT64_FORMAT, fact->member_id,
               fact->kind == GEO_WRITE ? "write" : "apply", dot_member(effect->dot),
               dot_seq(effect->dot), op_names[effect->op], family, effect->key);
}

/* A member is unlinked by the first survivor that drops it; what no survivor knows is lost.  Whom
 * an unlinked member drops in turn is no loss of the group.  Levers are pulled between windows, so
 * everybody may be looked at. */
static void hear_unlink(WorldWatch *watch, const GeoFact *fact)
{
    Clock known[MEMBER_MAX];
    uint32_t survivors = 0;

    if (!watch->lost || (watch->unlinked >> fact->peer_id | watch->unlinked >> fact->member_id) & 1)
        return;
    watch->unlinked |= 1u << fact->peer_id;
    for (uint32_t i = 0; i < watch->member_count; i++) {
        known[i] = *store_clock(member_store(watch->levers->members[i]));
        survivors |= watch->unlinked >> (i + 1) & 1 ? 0 : 1u << i;
    }
    lost_writes_merge(watch->lost, fact->at_ns);
    lost_writes_unlink(watch->lost, fact->peer_id, known, survivors);
}

static void hear_relink(WorldWatch *watch, const GeoFact *fact)
{
    if (!watch->lost || !(watch->unlinked >> fact->peer_id & 1))
        return;
    watch->unlinked &= ~(1u << fact->peer_id);
    lost_writes_merge(watch->lost, fact->at_ns);
    lost_writes_relink(watch->lost, fact->peer_id);
}

static __attribute__((noinline)) void hear_event(MemberEar *ear, const GeoFact *fact)
{
    HeardEvent event = {fact->kind, fact->peer_id, fact->at_ns, fact->amount};

    if (fact->kind == GEO_UNLINK)
        hear_unlink(ear->watch, fact);
    if (fact->kind == GEO_RELINK)
        hear_relink(ear->watch, fact);
    g_array_append_val(ear->events, event);
}

/* Hot: once per effect made and once per effect applied; so little is done here that nothing needs
 * to be put aside for it. */
static void hear_geo(void *actor, const GeoFact *fact)
{
    MemberEar *ear = actor;

    if (__builtin_expect(ear->is_traced, 0))
        trace_fact(ear->watch, fact);
    if (fact->kind == GEO_APPLY)
        return;
    if (fact->kind != GEO_WRITE)
        hear_event(ear, fact);
    else if (ear->lost_ear)
        lost_writes_hear(ear->lost_ear, fact);
}

typedef struct {
    bool found;
} LostReader;

static void look_for_lost_writes(void *actor, const Expression *expression)
{
    LostReader *reader = actor;
    const Metric *metrics[METRICS_MAX];
    uint32_t count = expression_metrics(expression, metrics, METRICS_MAX);

    ensure(count <= METRICS_MAX);
    for (uint32_t k = 0; k < count; k++)
        reader->found |= strcmp(metrics[k]->head.name, "data.lost_writes") == 0 ||
                         strcmp(metrics[k]->head.name, "anomaly.A1") == 0 ||
                         strcmp(metrics[k]->head.name, "anomaly.A23") == 0;
}

/* Whether something that acts on the world reads a metric of lost writes. */
static bool acts_on_lost_writes(const Scenario *scenario)
{
    LostReader reader = {false};

    operations_each_condition(&scenario->operations, look_for_lost_writes, &reader);
    for (size_t i = 0; i < scenario->params.abort.count; i++)
        look_for_lost_writes(&reader,
                             param_map_at(&scenario->params.abort, AbortParams, i)->expression);
    return reader.found;
}

static void make_lost_writes(WorldWatch *watch)
{
    const Scenario *scenario = watch->config.scenario;
    uint32_t count = (uint32_t)scenario->params.families.count;
    g_autofree uint32_t *weights = g_new0(uint32_t, count);
    g_autofree const char **names = g_new0(const char *, count);
    g_autofree Overwrites *overwrites = g_new0(Overwrites, count);

    if (watch->config.without_observers && !acts_on_lost_writes(scenario))
        return;
    for (uint32_t i = 0; i < count; i++) {
        weights[i] = watch->config.families[i]->weight;
        names[i] = watch->config.families[i]->name;
        overwrites[i] = lost_writes_of_type(watch->config.families[i]->type);
    }
    watch->lost = lost_writes_new(&(LostWritesConfig){.recording = watch->config.recording,
                                                      .member_names = scenario->names.members,
                                                      .member_count = watch->member_count,
                                                      .family_names = names,
                                                      .family_weights = weights,
                                                      .family_overwrites = overwrites,
                                                      .family_count = count});
    for (uint32_t i = 0; i < watch->member_count; i++)
        watch->member_ears[i].lost_ear = lost_writes_ear(watch->lost, i + 1);
}

static void make_site_meters(WorldWatch *watch)
{
    const Scenario *scenario = watch->config.scenario;
    uint32_t count = (uint32_t)scenario->params.families.count;
    g_autofree MeterFamily *families = g_new0(MeterFamily, count);

    for (uint32_t i = 0; i < count; i++)
        families[i] = (MeterFamily){
            .name = watch->config.families[i]->name,
            .op_count =
                (uint32_t)param_map_at(&scenario->params.families, FamilyParams, i)->ops.count,
            .weight_max = watch->config.families[i]->weight};
    for (uint32_t i = 0; i < watch->site_count; i++) {
        SiteMeterConfig config = {
            .recording = watch->config.recording,
            .site = scenario->names.sites[i],
            .site_index = i,
            .members = scenario->names.members,
            .member_count = watch->member_count,
            .families = families,
            .family_count = count,
            .client_count =
                (uint32_t)param_map_at(&scenario->params.sites, SiteParams, i)->clients};

        watch->site_meters[i] = site_meter_new(&config);
    }
}

WorldWatch *world_watch_new(const WorldWatchConfig *config)
{
    WorldWatch *watch = g_new0(WorldWatch, 1);

    watch->config = *config;
    watch->member_count = (uint32_t)config->scenario->params.members.count;
    watch->site_count = (uint32_t)config->scenario->params.sites.count;
    for (uint32_t i = 0; i < watch->member_count; i++)
        watch->member_ears[i] = (MemberEar){.watch = watch,
                                            .member_index = i,
                                            .events = g_array_new(FALSE, FALSE, sizeof(HeardEvent)),
                                            .is_traced = config->trace != NULL};
    make_site_meters(watch);
    make_lost_writes(watch);
    return watch;
}

void world_watch_free(WorldWatch *watch)
{
    if (!watch)
        return;
    member_meter_free(watch->member_meter);
    lost_writes_free(watch->lost);
    for (uint32_t i = 0; i < watch->site_count; i++)
        site_meter_free(watch->site_meters[i]);
    for (uint32_t i = 0; i < watch->member_count; i++)
        g_array_free(watch->member_ears[i].events, TRUE);
    g_free(watch);
}

GeoListener world_watch_geo_listener(WorldWatch *watch, uint32_t member_index)
{
    return (GeoListener){.hear = hear_geo,
                         .actor = &watch->member_ears[member_index],
                         .hears_applies = watch->config.trace != NULL};
}

ClientListener world_watch_client_listener(WorldWatch *watch, uint32_t site_index)
{
    return site_meter_listener(watch->site_meters[site_index]);
}

static void hear_settled(void *actor, SimTime before_ns)
{
    WorldWatch *watch = actor;

    if (lost_writes_advance(watch->lost, before_ns))
        member_meter_collect(watch->member_meter, watch->lost);
}

void world_watch_attach(WorldWatch *watch, const Levers *levers, Kernel *kernel)
{
    double reserve[MEMBER_MAX];

    if (watch->lost)
        kernel_on_settled(kernel, hear_settled, watch);
    watch->levers = levers;
    for (uint32_t i = 0; i < watch->member_count; i++)
        reserve[i] = scenario_member(watch->config.scenario, i)->memory.reserve;
    watch->member_meter =
        member_meter_new(&(MemberMeterConfig){.recording = watch->config.recording,
                                              .members = levers->members,
                                              .reserve_shares = reserve,
                                              .member_count = watch->member_count,
                                              .links = levers->links,
                                              .link_count = levers->link_count,
                                              .causal = watch->config.scenario->params.causal,
                                              .sites = watch->site_meters,
                                              .site_count = watch->site_count});
}

static const char *event_text(const HeardEvent *event, const char *peer, char *detail, size_t size)
{
    char amount[UNIT_TEXT_MAX];

    g_strlcpy(detail, peer, size);
    switch (event->kind) {
    case GEO_RESEND:
        g_snprintf(detail, size, "%s, %s effects", peer,
                   format_count((double)event->amount, amount));
        return "resends to";
    case GEO_FULL_SYNC_BEGIN:
        g_snprintf(detail, size, "%s, %s", peer, format_bytes((double)event->amount, amount));
        return "sends its whole state to";
    case GEO_FULL_SYNC_END:
        return "has merged the whole state of";
    case GEO_LINK_DOWN:
        return "link down to";
    case GEO_LINK_UP:
        return "link up to";
    case GEO_UNLINK:
        return "unlinks";
    case GEO_RELINK:
        return "links again";
    case GEO_OOM_BEGIN:
        return "refuses client writes: out of memory";
    case GEO_OOM_END:
        return "takes client writes again";
    case GEO_WRITE:
    case GEO_APPLY:
        break;
    }
    return "";
}

/* The least (time, member) among the heads of all ears, until none is left. */
static void settle_events(WorldWatch *watch)
{
    uint32_t heads[MEMBER_MAX] = {0};
    const char *const *names = watch->config.scenario->names.members;
    char detail[96];

    for (;;) {
        int32_t least = -1;
        const HeardEvent *event = NULL;

        for (uint32_t i = 0; i < watch->member_count; i++) {
            const GArray *events = watch->member_ears[i].events;
            const HeardEvent *head =
                heads[i] < events->len ? &g_array_index(events, HeardEvent, heads[i]) : NULL;

            if (head && (!event || head->at_ns < event->at_ns)) {
                event = head;
                least = (int32_t)i;
            }
        }
        if (!event)
            break;
        heads[least]++;
        member_meter_hear(watch->member_meter, &(GeoFact){.kind = event->kind,
                                                          .member_id = (uint32_t)least + 1,
                                                          .peer_id = event->peer_id,
                                                          .at_ns = event->at_ns,
                                                          .amount = event->amount});
        {
            const char *peer = event->peer_id > 0 ? names[event->peer_id - 1] : "";
            const char *what = event_text(event, peer, detail, sizeof detail);

            watch->config.log(watch->config.log_actor, event->at_ns, "member", names[least], what,
                              detail);
        }
    }
    for (uint32_t i = 0; i < watch->member_count; i++)
        g_array_set_size(watch->member_ears[i].events, 0);
}

void world_watch_sample(WorldWatch *watch, SimTime now_ns)
{
    settle_events(watch);
    if (watch->lost) {
        lost_writes_merge(watch->lost, now_ns);
        member_meter_collect(watch->member_meter, watch->lost);
    }
    for (uint32_t i = 0; i < watch->site_count; i++)
        site_meter_tick(watch->site_meters[i]);
    member_meter_tick(watch->member_meter, now_ns);
}

void world_watch_settle(WorldWatch *watch, SimTime now_ns)
{
    settle_events(watch);
    if (watch->lost)
        lost_writes_merge(watch->lost, now_ns);
    for (uint32_t i = 0; i < watch->site_count; i++)
        site_meter_flush(watch->site_meters[i]);
    member_meter_flush(watch->member_meter);
}

uint64_t world_watch_op_count(const WorldWatch *watch)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < watch->site_count; i++)
        count += site_meter_op_count(watch->site_meters[i]);
    return count;
}
