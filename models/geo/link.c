/* Why it works: an arrival is computed when the entry is sent (queue, transmission, delay in
 * force), so a link has no events of its own.  The draw of interval k is keyed by k, so silence,
 * partitions and cuts never shift a later delay.
 *
 * Entries lie in segments that never move.  Inside a window the sender appends behind what is
 * published and the receiver reads up to there, so they share no word; link_publish, between
 * windows, says how far the receiver may go now, and gives the segments it is done with back.
 *
 * Simplified: loss is its mean, each lost transmission costs a round trip; a connection of TCP
 * would show it as spikes.
 */
#include "models/geo/link.h"

#include <glib.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

#define FRACTION_BITS      20 /* of a nanosecond and of a byte */
#define SEGMENT_ENTRIES    256
#define SPARE_SEGMENTS_MAX 64
#define FAR_AHEAD          16 /* entries */

typedef struct Segment {
    LinkEntry entries[SEGMENT_ENTRIES]; /* in lines of the cache of their own, two in each */
    struct Segment *next;
} Segment;

/* Growing, addressed by count. */
typedef struct {
    Clock *clocks;
    uint64_t capacity;
    uint64_t head, tail;
} ClockRing;

/* The sender's and the receiver's parts lie on cache lines of their own: two threads may use them
 * at once. */
struct Link {
    /* the sender's */
    _Alignas(64) Segment *last;
    uint32_t last_count;  /* entries in it */
    uint32_t spare_count; /* segments */
    Segment *spare;
    uint64_t sent_count; /* entries so far */
    SimTime busy_until_ns;
    uint64_t busy_fraction;
    uint64_t unit_ns;    /* per byte before compression, in 2^-20; 0: unlimited */
    uint64_t unit_bytes; /* on the wire per byte before compression, in 2^-20 */
    int64_t interval;    /* whose delay is in drawn_ns, -1: none yet */
    SimTime drawn_ns;
    SimTime delay_ns; /* what faults and loss make of it */
    SimTime interval_begin_ns, interval_end_ns;
    SimTime last_arrival_ns;
    uint64_t wire_bytes; /* sent so far, before compression; of these */
    uint64_t effect_bytes, relay_bytes;
    Place *from;
    SimTime jitter_every_ns;
    SimTime add_ns;
    double factor; /* of the fault and of loss */
    int partition_depth;
    ClockRing staged_clocks;

    /* the receiver's */
    _Alignas(64) Segment *first;
    uint32_t first_at;        /* the next entry in it */
    uint64_t read_count;      /* entries taken or lost so far; of sent_count */
    uint64_t published_count; /* what may be read */
    uint64_t taken_count;
    Segment *spent; /* read, and not given back yet */
    ClockRing visible_clocks;

    /* set up once, or between windows */
    _Alignas(64) LinkConfig config;
    char *name;
    RngKey draws;
    LinkEnd sender, receiver;
    double fault_factor;
};

static Segment *segment_take(Link *link)
{
    Segment *segment = link->spare;

    if (segment) {
        link->spare = segment->next;
        link->spare_count--;
    } else {
        segment = g_aligned_alloc(1, sizeof(Segment), 64);
    }
    segment->next = NULL;
    return segment;
}

/* A backlog needs many once; of these a link keeps half a megabyte, enough for a steady flow. */
static void segment_give(Link *link, Segment *segment)
{
    if (link->spare_count >= SPARE_SEGMENTS_MAX) {
        g_aligned_free(segment);
        return;
    }
    segment->next = link->spare;
    link->spare = segment;
    link->spare_count++;
}

static void segments_free(Segment *segment)
{
    while (segment) {
        Segment *next = segment->next;

        g_aligned_free(segment);
        segment = next;
    }
}

static void clocks_reserve(ClockRing *ring, uint64_t more)
{
    uint64_t capacity = ring->capacity ? ring->capacity : 4;
    Clock *clocks;

    if (ring->tail - ring->head + more <= ring->capacity)
        return;
    while (capacity < ring->tail - ring->head + more)
        capacity *= 2;
    clocks = g_new(Clock, capacity);
    for (uint64_t i = ring->head; i < ring->tail; i++)
        clocks[i & (capacity - 1)] = ring->clocks[i & (ring->capacity - 1)];
    g_free(ring->clocks);
    ring->clocks = clocks;
    ring->capacity = capacity;
}

static void rate_apply(Link *link, uint64_t rate_bytes_per_s)
{
    double ratio = (double)link->unit_bytes / (double)(1 << FRACTION_BITS);

    link->config.rate_bytes_per_s = rate_bytes_per_s;
    link->unit_ns = 0;
    if (rate_bytes_per_s > 0)
        link->unit_ns =
            (uint64_t)(1e9 * (double)(1 << FRACTION_BITS) * ratio / (double)rate_bytes_per_s + 0.5);
}

static void factor_apply(Link *link)
{
    double loss = link->config.loss;

    ensure(loss >= 0 && loss < 1);
    link->factor = link->fault_factor * (1 + 2 * loss / (1 - loss));
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
    link->jitter_every_ns = config->jitter_every_ns;
    link->draws = rng_key(config->seed, label);
    link->interval = -1;
    link->fault_factor = 1;
    link->unit_bytes = (uint64_t)(ratio * (double)(1 << FRACTION_BITS) + 0.5);
    factor_apply(link);
    rate_apply(link, config->rate_bytes_per_s);
    link->first = link->last = segment_take(link);
    return link;
}

void link_free(Link *link)
{
    if (!link)
        return;
    segments_free(link->first);
    segments_free(link->spent);
    segments_free(link->spare);
    g_free(link->staged_clocks.clocks);
    g_free(link->visible_clocks.clocks);
    g_free(link->name);
    g_aligned_free(link);
}

void link_set_sender(Link *link, const LinkEnd *end)
{
    link->sender = *end;
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

static SimTime delay_shaped(const Link *link, SimTime drawn_ns)
{
    SimTime delay = drawn_ns;

    if (link->factor != 1)
        delay = (SimTime)((double)drawn_ns * link->factor);
    delay += link->add_ns;
    return delay > 0 ? delay : 0;
}

static int64_t interval_at(const Link *link, SimTime now_ns)
{
    return link->jitter_every_ns > 0 ? now_ns / link->jitter_every_ns : 0;
}

SimTime link_delay_ns(const Link *link, SimTime now_ns)
{
    int64_t interval = interval_at(link, now_ns);

    return delay_shaped(link,
                        interval == link->interval ? link->drawn_ns : delay_drawn(link, interval));
}

SimTime link_delay_min_ns(const Link *link)
{
    return delay_shaped(link, dist_min(link->config.delay));
}

static void interval_begin(Link *link, int64_t interval)
{
    bool endless = link->jitter_every_ns <= 0;

    link->interval = interval;
    link->drawn_ns = delay_drawn(link, interval);
    link->delay_ns = delay_shaped(link, link->drawn_ns);
    link->interval_begin_ns = endless ? 0 : interval * link->jitter_every_ns;
    link->interval_end_ns =
        endless ? SIM_TIME_NEVER : link->interval_begin_ns + link->jitter_every_ns;
}

/* When an entry sent now arrives; the link is busy with its bytes until then, less the delay. */
static SimTime arrival_of(Link *link, SimTime now_ns, uint64_t wire_bytes)
{
    SimTime at_ns = now_ns;

    if (now_ns < link->interval_begin_ns || now_ns >= link->interval_end_ns)
        interval_begin(link, interval_at(link, now_ns));
    link->wire_bytes += wire_bytes;
    if (G_UNLIKELY(link->unit_ns > 0)) {
        unsigned __int128 units = (unsigned __int128)wire_bytes * link->unit_ns;

        if (link->busy_until_ns < now_ns) {
            link->busy_until_ns = now_ns;
            link->busy_fraction = 0;
        }
        units += link->busy_fraction;
        link->busy_until_ns += (SimTime)(units >> FRACTION_BITS);
        link->busy_fraction = (uint64_t)units & ((1 << FRACTION_BITS) - 1);
        at_ns = link->busy_until_ns;
    }
    at_ns += link->delay_ns;
    if (at_ns < link->last_arrival_ns)
        at_ns = link->last_arrival_ns;
    link->last_arrival_ns = at_ns;
    return at_ns;
}

/* Entries are written where they lie: copying one that was just written waits for its stores. */
static inline LinkEntry *stage(Link *link)
{
    LinkEntry *entry;

    if (G_UNLIKELY(link->last_count == SEGMENT_ENTRIES)) {
        link->last->next = segment_take(link);
        link->last = link->last->next;
        link->last_count = 0;
    }
    if (link->from)
        place_mark_sent(link->from);
    link->sent_count++;
    entry = &link->last->entries[link->last_count++];
    prefetch(entry + 4); /* written before long; past the end lies what is written next */
    return entry;
}

void link_send_effect(Link *link, SimTime now_ns, const EffectRecord *record, uint64_t seq,
                      uint64_t wire_bytes)
{
    LinkEntry *entry;

    if (link->partition_depth > 0)
        return;
    entry = stage(link);
    link->effect_bytes += wire_bytes;
    entry->at_ns = arrival_of(link, now_ns, wire_bytes);
    entry->sent_ns = now_ns;
    entry->seq = seq & LINK_SEQ_MAX;
    entry->origin = 0;
    entry->kind = LINK_EFFECT;
    entry->record = record;
}

void link_send_relay(Link *link, SimTime now_ns, const EffectRecord *record, LinkOrigin origin,
                     uint64_t wire_bytes)
{
    LinkEntry *entry;

    if (link->partition_depth > 0)
        return;
    entry = stage(link);
    link->relay_bytes += wire_bytes;
    entry->at_ns = arrival_of(link, now_ns, wire_bytes);
    entry->sent_ns = now_ns;
    entry->seq = origin.seq & LINK_SEQ_MAX;
    entry->origin = origin.id & 7;
    entry->kind = LINK_RELAY;
    entry->record = record;
}

void link_send_clock(Link *link, SimTime now_ns, LinkEntryKind kind, const Clock *clock,
                     uint64_t wire_bytes)
{
    ClockRing *clocks = &link->staged_clocks;
    LinkEntry *entry;

    if (link->partition_depth > 0)
        return;
    entry = stage(link);
    entry->at_ns = arrival_of(link, now_ns, wire_bytes);
    entry->sent_ns = now_ns;
    entry->seq = 0;
    entry->origin = 0;
    entry->kind = kind & 15;
    entry->record = NULL;
    clocks_reserve(clocks, 1);
    clocks->clocks[clocks->tail++ & (clocks->capacity - 1)] = *clock;
}

/* The next entry is in the first segment, unless there is none. */
static inline void first_advance(Link *link)
{
    Segment *done = link->first;

    if (link->first_at < SEGMENT_ENTRIES || link->read_count == link->published_count)
        return;
    link->first = done->next;
    link->first_at = 0;
    done->next = link->spent;
    link->spent = done;
}

SimTime link_peek_ns(const Link *link)
{
    if (link->read_count == link->published_count)
        return SIM_TIME_NEVER;
    return link->first->entries[link->first_at].at_ns;
}

/* Where an entry may lie that is soon looked at. */
static inline const LinkEntry *far_ahead(const Link *link)
{
    uint32_t at = link->first_at + FAR_AHEAD;

    if (G_LIKELY(at < SEGMENT_ENTRIES))
        return &link->first->entries[at];
    if (link->published_count - link->read_count <= FAR_AHEAD)
        return &link->first->entries[SEGMENT_ENTRIES - 1];
    return &link->first->next->entries[at - SEGMENT_ENTRIES];
}

const LinkEntry *link_take(Link *link, Clock *out_clock)
{
    ClockRing *clocks = &link->visible_clocks;
    const LinkEntry *entry = &link->first->entries[link->first_at];

    if (link->read_count == link->published_count)
        return NULL;
    prefetch(far_ahead(link));
    link->first_at++;
    link->read_count++;
    link->taken_count++;
    first_advance(link);
    if (entry->kind != LINK_EFFECT && entry->kind != LINK_RELAY)
        *out_clock = clocks->clocks[clocks->head++ & (clocks->capacity - 1)];
    return entry;
}

const LinkEntry *link_ahead(const Link *link, uint32_t n)
{
    const Segment *segment = link->first;
    uint64_t at = (uint64_t)link->first_at + n;

    if (link->published_count - link->read_count <= n)
        return NULL;
    for (; at >= SEGMENT_ENTRIES; at -= SEGMENT_ENTRIES)
        segment = segment->next;
    return &segment->entries[at];
}

uint64_t link_taken_count(const Link *link)
{
    return link->taken_count;
}

static void spent_give(Link *link)
{
    while (link->spent) {
        Segment *segment = link->spent;

        link->spent = segment->next;
        segment_give(link, segment);
    }
}

void link_publish(Link *link)
{
    ClockRing *from = &link->staged_clocks;
    ClockRing *to = &link->visible_clocks;

    spent_give(link);
    link->published_count = link->sent_count;
    first_advance(link);
    clocks_reserve(to, from->tail - from->head);
    while (from->head < from->tail)
        to->clocks[to->tail++ & (to->capacity - 1)] =
            from->clocks[from->head++ & (from->capacity - 1)];
    from->head = from->tail = 0; /* so that the next window writes where the cache is warm */
}

void link_clear(Link *link)
{
    while (link->first != link->last) {
        Segment *segment = link->first;

        link->first = segment->next;
        segment_give(link, segment);
    }
    spent_give(link);
    link->last_count = link->first_at = 0;
    link->read_count = link->published_count = link->sent_count;
    link->staged_clocks.head = link->staged_clocks.tail;
    link->visible_clocks.head = link->visible_clocks.tail;
    link->busy_until_ns = 0;
    link->busy_fraction = 0;
    link->last_arrival_ns = 0;
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
    link_clear(link);
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
    link->add_ns = add_ns;
    link->fault_factor = factor;
    factor_apply(link);
    link->delay_ns = delay_shaped(link, link->drawn_ns);
}

void link_set_rate(Link *link, uint64_t rate_bytes_per_s)
{
    rate_apply(link, rate_bytes_per_s);
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

uint64_t link_carried_bytes(const Link *link)
{
    return compressed(link, link->wire_bytes);
}

uint64_t link_effect_bytes(const Link *link)
{
    return compressed(link, link->effect_bytes);
}

uint64_t link_relay_bytes(const Link *link)
{
    return compressed(link, link->relay_bytes);
}

uint64_t link_in_flight(const Link *link)
{
    return link->sent_count - link->read_count;
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
