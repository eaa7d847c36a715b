/* Why it works: everything is read through the members' and links' public readings between windows,
 * when all places stand still at one instant, so a sample is a consistent picture.  Instruments are
 * made at the start; a sample is a row of stores.
 */
#include "models/observe/member_meter.h"

#include "sim/ensure.h"

typedef struct {
    Instrument *used, *used_pct, *headroom;
    Instrument *by_cause[MEMORY_CAUSE_COUNT];
    Instrument *lag, *backlog, *utilisation, *healthy, *availability, *sync_time;
    SimTime sync_from_ns[MEMBER_MAX + 1]; /* by id of the sender, begin + 1; 0: none under way */
    double limit_bytes;
    bool probe_ok; /* of the second that runs */
} Gauges;

/* A count that a link keeps from its start, as an instrument of what was added. */
typedef struct {
    Instrument *bytes; /* NULL: not asked for */
    uint64_t counted;
} Wire;

static const struct {
    const char *metric;
    uint64_t (*read)(const Link *link);
    bool causal; /* counted with causal consistency only */
} wire_kinds[] = {
    {"bytes.cross_region", link_carried_bytes, false},
    {"bytes.direct", link_effect_bytes, true},
    {"bytes.relayed", link_relay_bytes, true},
};

struct MemberMeter {
    Member **members;
    Gauges *gauges;
    uint32_t member_count;
    Link **links;
    Wire (*wires)[G_N_ELEMENTS(wire_kinds)]; /* by link */
    uint32_t link_count;
    SiteMeter **sites;
    uint32_t site_count;
};

static bool probe(const Member *member)
{
    return member_is_reachable(member) && !member_is_crashed(member);
}

static void make_gauges(Recording *recording, const Member *member, double reserve, Gauges *gauges)
{
    Labels labels = {.member = member_name(member)};

    gauges->used = recording_instrument(recording, "memory.used", &labels);
    gauges->used_pct = recording_instrument(recording, "memory.used_pct", &labels);
    gauges->headroom = recording_instrument(recording, "memory.headroom", &labels);
    gauges->lag = recording_instrument(recording, "replication.lag", &labels);
    gauges->backlog = recording_instrument(recording, "replication.backlog", &labels);
    gauges->utilisation = recording_instrument(recording, "load.utilisation", &labels);
    gauges->healthy = recording_instrument(recording, "geo.healthy", &labels);
    gauges->availability = recording_instrument(recording, "availability", &labels);
    gauges->sync_time = recording_instrument(recording, "sync.time", &labels);
    for (int cause = 0; cause < MEMORY_CAUSE_COUNT; cause++) {
        labels.cause = memory_cause_name((MemoryCause)cause);
        gauges->by_cause[cause] = recording_instrument(recording, "memory.bytes", &labels);
    }
    gauges->limit_bytes = (double)member_memory_max(member) * (1 - reserve);
    gauges->probe_ok = probe(member);
}

static void make_wires(const MemberMeterConfig *config, const Link *link, const Member *sender,
                       Wire wires[G_N_ELEMENTS(wire_kinds)])
{
    Labels labels = {.link = link_name(link), .member = member_name(sender)};

    for (size_t kind = 0; kind < G_N_ELEMENTS(wire_kinds); kind++) {
        if (wire_kinds[kind].causal && !config->causal)
            continue;
        wires[kind] =
            (Wire){recording_instrument(config->recording, wire_kinds[kind].metric, &labels),
                   wire_kinds[kind].read(link)};
    }
}

static const Member *member_by_id(const MemberMeter *meter, uint32_t id)
{
    for (uint32_t i = 0; i < meter->member_count; i++)
        if (member_id(meter->members[i]) == id)
            return meter->members[i];
    return NULL;
}

MemberMeter *member_meter_new(const MemberMeterConfig *config)
{
    MemberMeter *meter = g_new0(MemberMeter, 1);

    meter->member_count = config->member_count;
    meter->members = g_memdup2(config->members, config->member_count * sizeof(Member *));
    meter->gauges = g_new0(Gauges, config->member_count);
    meter->link_count = config->link_count;
    meter->links = g_memdup2(config->links, config->link_count * sizeof(Link *));
    meter->wires = g_malloc0_n(config->link_count, sizeof *meter->wires);
    meter->site_count = config->site_count;
    meter->sites = g_memdup2(config->sites, config->site_count * sizeof(SiteMeter *));
    for (uint32_t i = 0; i < config->member_count; i++)
        make_gauges(config->recording, config->members[i], config->reserve_shares[i],
                    &meter->gauges[i]);
    for (uint32_t i = 0; i < config->link_count; i++)
        make_wires(config, config->links[i], member_by_id(meter, link_from(config->links[i])),
                   meter->wires[i]);
    return meter;
}

void member_meter_free(MemberMeter *meter)
{
    if (!meter)
        return;
    g_free(meter->members);
    g_free(meter->gauges);
    g_free(meter->links);
    g_free(meter->wires);
    g_free(meter->sites);
    g_free(meter);
}

static void read_memory(const Member *member, Gauges *gauges)
{
    double used = (double)member_memory_used(member);
    double max = (double)member_memory_max(member);

    instrument_set(gauges->used, used);
    if (max > 0) {
        instrument_set(gauges->used_pct, used / max);
        instrument_set(gauges->headroom, gauges->limit_bytes - used);
    }
    for (int cause = 0; cause < MEMORY_CAUSE_COUNT; cause++)
        instrument_set(gauges->by_cause[cause],
                       (double)member_memory_bytes(member, (MemoryCause)cause));
}

static void read_availability(const MemberMeter *meter, uint32_t index, Gauges *gauges)
{
    instrument_ratio(gauges->availability, gauges->probe_ok ? 1 : 0, 1);
    for (uint32_t i = 0; i < meter->site_count; i++) {
        double ok, done;

        site_meter_member_ops(meter->sites[i], index, &ok, &done);
        instrument_ratio(gauges->availability, ok, done);
    }
    gauges->probe_ok = probe(meter->members[index]);
}

void member_meter_flush(MemberMeter *meter)
{
    for (uint32_t i = 0; i < meter->link_count; i++) {
        for (size_t kind = 0; kind < G_N_ELEMENTS(wire_kinds); kind++) {
            Wire *wire = &meter->wires[i][kind];
            uint64_t carried = wire_kinds[kind].read(meter->links[i]);

            if (!wire->bytes)
                continue;
            instrument_count(wire->bytes, (double)(carried - wire->counted));
            wire->counted = carried;
        }
    }
}

void member_meter_tick(MemberMeter *meter, SimTime now_ns)
{
    for (uint32_t i = 0; i < meter->member_count; i++) {
        Member *member = meter->members[i];
        Gauges *gauges = &meter->gauges[i];

        read_memory(member, gauges);
        read_availability(meter, i, gauges);
        instrument_set(gauges->lag, (double)member_lag_ns(member, now_ns));
        instrument_set(gauges->backlog, (double)member_backlog_unacked_bytes(member));
        instrument_set(gauges->utilisation, member_take_utilisation(member, now_ns));
        instrument_set(gauges->healthy, member_is_healthy(member, now_ns) ? 1 : 0);
    }
    member_meter_flush(meter);
}

static Gauges *gauges_by_id(MemberMeter *meter, uint32_t id)
{
    for (uint32_t i = 0; i < meter->member_count; i++)
        if (member_id(meter->members[i]) == id)
            return &meter->gauges[i];
    return NULL;
}

void member_meter_hear(MemberMeter *meter, const GeoFact *fact)
{
    bool begins =
        fact->kind == GEO_FULL_SYNC_BEGIN; /* told by the sender, the end by the receiver */
    uint32_t sender = begins ? fact->member_id : fact->peer_id;
    Gauges *receiver;

    if (!begins && fact->kind != GEO_FULL_SYNC_END)
        return;
    receiver = gauges_by_id(meter, begins ? fact->peer_id : fact->member_id);
    ensure(receiver && sender >= 1 && sender <= MEMBER_MAX);
    if (begins) {
        receiver->sync_from_ns[sender] = fact->at_ns + 1;
    } else if (receiver->sync_from_ns[sender] > 0) {
        instrument_sample(receiver->sync_time, fact->at_ns + 1 - receiver->sync_from_ns[sender], 1);
        receiver->sync_from_ns[sender] = 0;
    }
}

void member_meter_collect(const MemberMeter *meter, LostWrites *lost)
{
    Clock known[MEMBER_MAX];

    ensure(meter->member_count <= MEMBER_MAX);
    for (uint32_t i = 0; i < meter->member_count; i++)
        known[i] = *store_clock(member_store(meter->members[i]));
    lost_writes_collect(lost, known);
}
