/* Why it works: what a link carries lies in its sender's log already, so the link copies nothing
 * while it follows the log: each effect the log appends is on its way, and the receiver walks the
 * log behind it.  Only what breaks such a run is a parcel of its own, and parcels are few.  An
 * arrival (queue, transmission, delay in force) is computed when the receiver comes to the entry,
 * in the order in which all was sent, so it is the same as if it had been when it was sent; what
 * changes the link's shape in between therefore travels as a parcel, too.  The draw of interval k
 * is keyed by k, so silence, partitions and cuts never shift a later delay.
 *
 * Inside a window the sender adds parcels of its own and the receiver reads what was published, so
 * they share no word; link_publish, between windows, says how far the receiver may go now.
 *
 * Simplified: loss is its mean, each lost transmission costs a round trip; a connection of TCP
 * would show it as spikes.
 */
#include "models/geo/link.h"

#include <glib.h>

#include "models/geo/parcel.h"
#include "sim/ensure.h"

#define FRACTION_BITS 20 /* of a nanosecond and of a byte */

/* The sender's and the receiver's parts lie on cache lines of their own: two threads may use them
 * at once. */
struct Link {
    /* the sender's */
    _Alignas(64) const EffectLog *log;
    bool follows; /* what the log appends is on its way */
    int partition_depth;
    uint64_t sent_seq;   /* of the log, in parcels: what lies beyond is on its way without one */
    uint64_t sent_bytes; /* of the log up to there */
    uint64_t sent_count; /* entries in parcels so far */
    uint64_t wire_bytes; /* in parcels so far, before compression; of these */
    uint64_t effect_bytes, relay_bytes;
    Shape shape; /* of what is sent now */
    Place *from;
    ParcelRing staged;

    /* the receiver's */
    _Alignas(64) LinkEntry next; /* at_ns SIM_TIME_NEVER: none may be read */
    EffectSpan span;             /* what follows it in its run and lies side by side */
    uint64_t run_seq;            /* of the first in span */
    uint64_t run_until_seq;
    SimTime run_sent_ns;
    SimTime delay_ns; /* what the shape makes of the delay drawn */
    SimTime interval_begin_ns, interval_end_ns;
    SimTime last_arrival_ns;
    uint64_t read_count; /* entries taken or lost so far; of sent_count */
    uint64_t taken_count;
    LinkEntry taken;
    Shape read_shape; /* of what is read now */
    SimTime drawn_ns;
    SimTime busy_until_ns;
    uint64_t busy_fraction;
    Clock next_clock;         /* of the next entry, if it has one */
    uint64_t next_wire_bytes; /* of one that is no effect */
    ParcelRing visible;

    /* set up once, or between windows */
    _Alignas(64) LinkConfig config;
    char *name;
    RngKey draws;
    LinkEnd sender, receiver;
    uint64_t unit_bytes; /* on the wire per byte before compression, in 2^-20 */
    double fault_factor;
    uint64_t seen_count; /* read_count when the last window ended */
};

/* What the log has appended since the last parcel is on its way as one, from now on. */
static void run_close(Link *link)
{
    uint64_t last_seq, bytes;

    if (!link->follows)
        return;
    last_seq = effect_log_last_seq(link->log);
    if (last_seq == link->sent_seq)
        return;
    bytes = effect_log_total_bytes(link->log) - link->sent_bytes;
    *parcel_ring_add(&link->staged) = (Parcel){
        .kind = PARCEL_RUN, .sent_ns = PARCEL_AS_MADE, .run = {link->sent_seq + 1, last_seq}};
    link->sent_count += last_seq - link->sent_seq;
    link->wire_bytes += bytes;
    link->effect_bytes += bytes;
    link->sent_seq = last_seq;
    link->sent_bytes += bytes;
}

/* What is sent from now on is shaped anew; what is on its way is not. */
static void shape_send(Link *link)
{
    run_close(link);
    *parcel_ring_add(&link->staged) = (Parcel){.kind = PARCEL_SHAPE, .shape = link->shape};
}

static void rate_apply(Link *link, uint64_t rate_bytes_per_s)
{
    double ratio = (double)link->unit_bytes / (double)(1 << FRACTION_BITS);

    link->shape.unit_ns = 0;
    if (rate_bytes_per_s > 0)
        link->shape.unit_ns =
            (uint64_t)(1e9 * (double)(1 << FRACTION_BITS) * ratio / (double)rate_bytes_per_s + 0.5);
}

static void factor_apply(Link *link)
{
    double loss = link->config.loss;

    ensure(loss >= 0 && loss < 1);
    link->shape.factor = link->fault_factor * (1 + 2 * loss / (1 - loss));
}

Link *link_new(const LinkConfig *config)
{
    Link *link = g_aligned_alloc0(1, sizeof(Link), 64);
    g_autofree char *label = g_strconcat("link/", config->name, "/delay", NULL);
    double ratio = config->compression_ratio > 0 ? config->compression_ratio : 1;

    ensure(config->delay != NULL);
    link->config = *config;
    link->name = g_strdup(config->name);
    link->config.name = link->name;
    link->from = config->from;
    link->draws = rng_key(config->seed, label);
    link->fault_factor = 1;
    link->unit_bytes = (uint64_t)(ratio * (double)(1 << FRACTION_BITS) + 0.5);
    factor_apply(link);
    rate_apply(link, config->rate_bytes_per_s);
    link->read_shape = link->shape;
    link->next.at_ns = SIM_TIME_NEVER;
    link->run_seq = 1; /* after an empty run */
    return link;
}

void link_free(Link *link)
{
    if (!link)
        return;
    g_free(link->staged.parcels);
    g_free(link->visible.parcels);
    g_free(link->name);
    g_aligned_free(link);
}

void link_set_sender(Link *link, const LinkEnd *end, const EffectLog *log)
{
    link->sender = *end;
    link->log = log;
}

void link_set_receiver(Link *link, const LinkEnd *end)
{
    link->receiver = *end;
}

void *link_sending_member(const Link *link)
{
    return link->sender.member;
}

void *link_receiving_member(const Link *link)
{
    return link->receiver.member;
}

static SimTime delay_drawn(const Link *link, int64_t interval)
{
    return dist_sample(link->config.delay, rng_keyed(link->draws, (uint64_t)interval, 0));
}

static SimTime delay_shaped(const Shape *shape, SimTime drawn_ns)
{
    SimTime delay = drawn_ns;

    if (shape->factor != 1)
        delay = (SimTime)((double)drawn_ns * shape->factor);
    delay += shape->add_ns;
    return delay > 0 ? delay : 0;
}

static int64_t interval_at(const Link *link, SimTime now_ns)
{
    return link->config.jitter_every_ns > 0 ? now_ns / link->config.jitter_every_ns : 0;
}

SimTime link_delay_ns(const Link *link, SimTime now_ns)
{
    return delay_shaped(&link->shape, delay_drawn(link, interval_at(link, now_ns)));
}

SimTime link_delay_min_ns(const Link *link)
{
    return delay_shaped(&link->shape, dist_min(link->config.delay));
}

static __attribute__((noinline)) void interval_begin(Link *link, SimTime now_ns)
{
    int64_t interval = interval_at(link, now_ns);
    SimTime every_ns = link->config.jitter_every_ns;

    link->drawn_ns = delay_drawn(link, interval);
    link->delay_ns = delay_shaped(&link->read_shape, link->drawn_ns);
    link->interval_begin_ns = every_ns > 0 ? interval * every_ns : 0;
    link->interval_end_ns = every_ns > 0 ? link->interval_begin_ns + every_ns : SIM_TIME_NEVER;
}

static uint64_t next_wire_bytes(const Link *link)
{
    if (link->next.kind == LINK_EFFECT)
        return effect_log_wire_bytes(link->log, link->next.seq);
    return link->next_wire_bytes;
}

/* When the next entry's last byte has left; the link is busy until then. */
static SimTime transmit(Link *link, SimTime sent_ns)
{
    unsigned __int128 units = (unsigned __int128)next_wire_bytes(link) * link->read_shape.unit_ns;

    if (link->busy_until_ns < sent_ns) {
        link->busy_until_ns = sent_ns;
        link->busy_fraction = 0;
    }
    units += link->busy_fraction;
    link->busy_until_ns += (SimTime)(units >> FRACTION_BITS);
    link->busy_fraction = (uint64_t)units & ((1 << FRACTION_BITS) - 1);
    return link->busy_until_ns;
}

/* When the next entry arrives, which was sent then. */
static inline void next_arrives(Link *link, SimTime sent_ns)
{
    SimTime at_ns = sent_ns;

    if (sent_ns < link->interval_begin_ns || sent_ns >= link->interval_end_ns)
        interval_begin(link, sent_ns);
    if (G_UNLIKELY(link->read_shape.unit_ns > 0))
        at_ns = transmit(link, sent_ns);
    at_ns += link->delay_ns;
    if (at_ns < link->last_arrival_ns)
        at_ns = link->last_arrival_ns;
    link->last_arrival_ns = at_ns;
    link->next.at_ns = at_ns;
    link->next.sent_ns = sent_ns;
}

/* A parcel of its own takes its place behind all that was sent. */
static Parcel *parcel_send(Link *link, SimTime now_ns, ParcelKind kind, uint64_t wire_bytes)
{
    Parcel *parcel;

    run_close(link);
    if (link->from)
        place_mark_sent(link->from);
    parcel = parcel_ring_add(&link->staged);
    parcel->kind = kind;
    parcel->sent_ns = now_ns;
    parcel->wire_bytes = wire_bytes;
    link->sent_count++;
    link->wire_bytes += wire_bytes;
    return parcel;
}

void link_follow(Link *link)
{
    if (link->follows || link->partition_depth > 0)
        return;
    link->follows = true;
    link->sent_seq = effect_log_last_seq(link->log);
    link->sent_bytes = effect_log_total_bytes(link->log);
}

bool link_follows(const Link *link)
{
    return link->follows;
}

void link_resend(Link *link, SimTime now_ns, uint64_t from_seq)
{
    uint64_t last_seq = effect_log_last_seq(link->log), bytes;

    ensure(link->follows);
    run_close(link);
    if (from_seq > last_seq)
        return;
    if (link->from)
        place_mark_sent(link->from);
    bytes = effect_log_total_bytes(link->log) - effect_log_bytes_before(link->log, from_seq);
    *parcel_ring_add(&link->staged) =
        (Parcel){.kind = PARCEL_RUN, .sent_ns = now_ns, .run = {from_seq, last_seq}};
    link->sent_count += last_seq + 1 - from_seq;
    link->wire_bytes += bytes;
    link->effect_bytes += bytes;
}

void link_send_relay(Link *link, SimTime now_ns, const EffectRecord *record, LinkOrigin origin,
                     uint64_t wire_bytes)
{
    Parcel *parcel;

    if (link->partition_depth > 0)
        return;
    parcel = parcel_send(link, now_ns, PARCEL_RELAY, wire_bytes);
    parcel->relay.origin = origin;
    parcel->relay.record = record;
    link->relay_bytes += wire_bytes;
}

void link_send_clock(Link *link, SimTime now_ns, LinkEntryKind kind, const Clock *clock,
                     uint64_t wire_bytes)
{
    Parcel *parcel;

    if (link->partition_depth > 0)
        return;
    parcel = parcel_send(link, now_ns, PARCEL_CLOCK, wire_bytes);
    parcel->entry_kind = kind;
    parcel->clock = *clock;
}

/* The next entry is the run's; it is not read to its end. */
static inline void next_of_run(Link *link)
{
    EffectSpan *span = &link->span;
    LinkEntry *next = &link->next;

    if (G_UNLIKELY(span->count == 0)) {
        *span = effect_log_span(link->log, link->run_seq);
        span->count = (uint32_t)MIN(span->count, link->run_until_seq + 1 - link->run_seq);
    }
    next->kind = LINK_EFFECT;
    next->origin = 0;
    next->seq = link->run_seq++ & LINK_SEQ_MAX;
    next->record = span->records++;
    next_arrives(link, link->run_sent_ns == PARCEL_AS_MADE ? *span->made_ns : link->run_sent_ns);
    span->made_ns++;
    span->count--;
}

/* False: it was no entry or a run that is read when its turn comes. */
static bool parcel_open(Link *link, const Parcel *parcel)
{
    switch (parcel->kind) {
    case PARCEL_RUN:
        link->run_seq = parcel->run.seq;
        link->run_until_seq = parcel->run.until_seq;
        link->run_sent_ns = parcel->sent_ns;
        return false;
    case PARCEL_SHAPE:
        link->read_shape = parcel->shape;
        link->delay_ns = delay_shaped(&link->read_shape, link->drawn_ns);
        return false;
    case PARCEL_RELAY:
        link->next.kind = LINK_RELAY;
        link->next.origin = parcel->relay.origin.id & 7;
        link->next.seq = parcel->relay.origin.seq & LINK_SEQ_MAX;
        link->next.record = parcel->relay.record;
        break;
    case PARCEL_CLOCK:
        link->next.kind = parcel->entry_kind & 15;
        link->next.origin = 0;
        link->next.seq = 0;
        link->next.record = NULL;
        link->next_clock = parcel->clock;
        break;
    }
    link->next_wire_bytes = parcel->wire_bytes;
    next_arrives(link, parcel->sent_ns);
    return true;
}

/* The next entry that may be read. */
static inline void next_find(Link *link)
{
    ParcelRing *ring = &link->visible;

    while (link->run_seq > link->run_until_seq) {
        if (ring->head == ring->tail) {
            link->next.at_ns = SIM_TIME_NEVER;
            return;
        }
        if (parcel_open(link, &ring->parcels[ring->head++ & (ring->capacity - 1)]))
            return;
    }
    next_of_run(link);
}

SimTime link_peek_ns(const Link *link)
{
    return link->next.at_ns;
}

const LinkEntry *link_take(Link *link, Clock *out_clock)
{
    if (link->next.at_ns == SIM_TIME_NEVER)
        return NULL;
    link->taken = link->next;
    if (link->taken.kind != LINK_EFFECT && link->taken.kind != LINK_RELAY)
        *out_clock = link->next_clock;
    link->read_count++;
    link->taken_count++;
    next_find(link);
    return &link->taken;
}

const EffectRecord *link_ahead(const Link *link, uint32_t n)
{
    bool is_run = link->next.kind == LINK_EFFECT && link->next.at_ns != SIM_TIME_NEVER;

    return is_run && n <= link->span.count ? link->next.record + n : NULL;
}

uint64_t link_taken_count(const Link *link)
{
    return link->taken_count;
}

/* A run that is being read goes on with what was appended to it; false: the parcel waits its turn.
 */
static bool run_extend(Link *link, const Parcel *parcel)
{
    bool extends = link->visible.head == link->visible.tail && parcel->kind == PARCEL_RUN &&
                   parcel->sent_ns == PARCEL_AS_MADE && link->run_sent_ns == PARCEL_AS_MADE &&
                   parcel->run.seq == link->run_until_seq + 1;

    if (extends)
        link->run_until_seq = parcel->run.until_seq;
    return extends;
}

void link_publish(Link *link)
{
    ParcelRing *from = &link->staged;

    run_close(link);
    link->seen_count = link->read_count;
    for (; from->head < from->tail; from->head++) {
        const Parcel *parcel = &from->parcels[from->head & (from->capacity - 1)];

        if (!run_extend(link, parcel))
            *parcel_ring_add(&link->visible) = *parcel;
    }
    parcel_ring_clear(from); /* so that the next window writes where the cache is warm */
    if (link->next.at_ns == SIM_TIME_NEVER)
        next_find(link);
}

/* What is in flight is lost. */
static void flight_clear(Link *link)
{
    run_close(link);
    parcel_ring_clear(&link->staged);
    parcel_ring_clear(&link->visible);
    link->span.count = 0;
    link->run_seq = link->run_until_seq + 1;
    link->next.at_ns = SIM_TIME_NEVER;
    link->read_shape = link->shape;
    link->delay_ns = delay_shaped(&link->shape, link->drawn_ns);
    link->seen_count = link->read_count = link->sent_count;
    link->busy_until_ns = 0;
    link->busy_fraction = 0;
    link->last_arrival_ns = 0;
}

void link_close(Link *link)
{
    flight_clear(link);
    link->follows = false;
}

static void ends_tell(Link *link)
{
    if (link->sender.changed)
        link->sender.changed(link->sender.actor, link);
    if (link->receiver.changed)
        link->receiver.changed(link->receiver.actor, link);
}

void link_partition(Link *link)
{
    if (link->partition_depth++ > 0)
        return;
    link_close(link);
    ends_tell(link);
}

void link_heal(Link *link)
{
    if (link->partition_depth == 0)
        return;
    if (--link->partition_depth == 0)
        ends_tell(link);
}

bool link_is_partitioned(const Link *link)
{
    return link->partition_depth > 0;
}

void link_add_delay(Link *link, SimTime add_ns, double factor)
{
    link->shape.add_ns = add_ns;
    link->fault_factor = factor;
    factor_apply(link);
    shape_send(link);
}

void link_set_rate(Link *link, uint64_t rate_bytes_per_s)
{
    rate_apply(link, rate_bytes_per_s);
    shape_send(link);
}

SimTime link_reconnect_ns(const Link *link, uint64_t attempt)
{
    if (!link->config.reconnect)
        return LINK_RECONNECT_NS;
    return dist_sample(link->config.reconnect, rng_keyed(link->draws, attempt, 1));
}

static uint64_t compressed(const Link *link, uint64_t bytes)
{
    return (uint64_t)(((unsigned __int128)bytes * link->unit_bytes) >> FRACTION_BITS);
}

/* On its way without a parcel yet. */
static uint64_t open_bytes(const Link *link)
{
    return link->follows ? effect_log_total_bytes(link->log) - link->sent_bytes : 0;
}

uint64_t link_carried_bytes(const Link *link)
{
    return compressed(link, link->wire_bytes + open_bytes(link));
}

uint64_t link_effect_bytes(const Link *link)
{
    return compressed(link, link->effect_bytes + open_bytes(link));
}

uint64_t link_relay_bytes(const Link *link)
{
    return compressed(link, link->relay_bytes);
}

uint64_t link_sent_count(const Link *link)
{
    return link->sent_count + (link->follows ? effect_log_last_seq(link->log) - link->sent_seq : 0);
}

uint64_t link_seen_count(const Link *link)
{
    return link->seen_count;
}

uint32_t link_from(const Link *link)
{
    return link->config.from_id;
}

uint32_t link_to(const Link *link)
{
    return link->config.to_id;
}

const char *link_name(const Link *link)
{
    return link->name;
}

uint32_t link_source(const Link *link)
{
    return link->config.source;
}
