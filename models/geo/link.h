/* One direction of the replication path between two members.
 *
 * A link delays what it carries and keeps the order.  Its delay wanders: it is redrawn every
 * jitter_every_ns and constant between, so that keeping order does not distort it; bandwidth adds
 * the time the bytes take.  What is sent in a window becomes visible to the receiving place when
 * the window ends (link_publish).  A partitioned link loses what is in flight; recovering it is the
 * business of geo/sync.h. The way back is another link, so one-way faults need no special case.
 *
 * A link that follows its sender's log carries every effect from the instant the log has it, and
 * nothing is done per effect and peer before the receiver takes it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/geo/effect_log.h"
#include "sim/dist.h"
#include "sim/kernel.h"
#include "sim/rng.h"

typedef struct Link Link;

typedef struct {
    const char *name; /* "us>eu" */
    uint32_t from_id, to_id;
    uint32_t source;           /* of its events */
    const Dist *delay;         /* one way */
    SimTime jitter_every_ns;   /* how long one draw of the delay lasts */
    uint64_t rate_bytes_per_s; /* 0: unlimited */
    double loss;               /* retransmission delay per lost share; 0: none */
    double compression_ratio;  /* bytes on the wire per byte; 1: none */
    const Dist *reconnect;     /* from the heal to the receiver's HELLO; NULL: LINK_RECONNECT_NS */
    uint64_t seed;
    Place *from, *to;
} LinkConfig;

#define LINK_RECONNECT_NS SIM_S
#define LINK_CLOCK_BYTES                                                                           \
    80 /* a heartbeat, HELLO or RESUME on the wire: as an effect without payload */

typedef enum {
    LINK_EFFECT,    /* of the sender's log */
    LINK_HEARTBEAT, /* "this is what I know": also the acknowledgement */
    LINK_HELLO,     /* "send me what I lack, this is what I know" */
    LINK_RESUME,  /* "here it comes": the effects that follow are complete from the HELLO's clock */
    LINK_SYNC,    /* the end of a whole state: "you now know all of this" */
    LINK_RELAY,   /* of another member's log, passed on */
    LINK_RETIRED, /* goes with a heartbeat: "this is what I have collected everywhere" */
} LinkEntryKind;

#define LINK_SEQ_MAX ((UINT64_C(1) << 57) - 1)

typedef struct {
    uint32_t id; /* of the member that made the effect */
    uint64_t seq;
} LinkOrigin;

typedef struct {
    SimTime at_ns; /* arrival */
    SimTime sent_ns;
    uint64_t seq : 57;          /* EFFECT, RELAY: of its log; others: 0 */
    uint64_t origin : 3;        /* RELAY: whose log; else 0 */
    uint64_t kind : 4;          /* LinkEntryKind */
    const EffectRecord *record; /* EFFECT, RELAY: where the log keeps it; that of a RELAY may be
                                   over if the receiver has it already; others: NULL */
} LinkEntry;

/* Borrows config->delay and places; they must outlive the link.  Places may be NULL in tests. */
Link *link_new(const LinkConfig *config);
void link_free(Link *link);

/* Who stands at the two ends, set when members attach; changed is called between windows whenever
 * the link begins or ceases to carry. */
typedef struct {
    void *actor; /* of changed */
    void (*changed)(void *actor, Link *link);
    void *member; /* opaque here */
} LinkEnd;

/* log: the sender's, which outlives the link's use. */
void link_set_sender(Link *link, const LinkEnd *end, const EffectLog *log);
void link_set_receiver(Link *link, const LinkEnd *end);
void *link_sending_member(const Link *link); /* NULL before it attached */
void *link_receiving_member(const Link *link);

/* Sender's side, inside its place or between windows.  Bytes are those before compression, weighted
 * as the slice says. */
void link_follow(Link *link); /* carries what the log appends from now on; not while partitioned */
bool link_follows(const Link *link);
/* Everything of the log from there on goes once more, at this instant; the link follows. */
void link_resend(Link *link, SimTime now_ns, uint64_t from_seq);
void link_send_relay(Link *link, SimTime now_ns, const EffectRecord *record, LinkOrigin origin,
                     uint64_t wire_bytes);
void link_send_clock(Link *link, SimTime now_ns, LinkEntryKind kind, const Clock *clock,
                     uint64_t wire_bytes);

/* Receiver's side, inside its place; entries come in order. */
SimTime link_peek_ns(const Link *link); /* SIM_TIME_NEVER: nothing visible */
/* NULL: nothing visible.  The entry is the link's until the next is taken; out_clock is set for one
 * that carries a clock. */
const LinkEntry *link_take(Link *link, Clock *out_clock);
/* The effect that comes n entries after the next; NULL: there is none, or it is not known yet. */
const EffectRecord *link_ahead(const Link *link, uint32_t n);

uint64_t link_taken_count(const Link *link); /* entries taken so far: numbers the next event */

/* Called by the kernel when a window ends; then the receiver's stream is set from link_peek_ns. */
void link_publish(Link *link);

/* Levers, between windows. */
void link_partition(
    Link *link); /* idempotent, as is healing; partitions nest: healed when each ended */
void link_heal(Link *link);
bool link_is_partitioned(const Link *link);
void link_add_delay(Link *link, SimTime add_ns,
                    double factor); /* replaces the last call's; 0 and 1: normal */
void link_set_rate(Link *link, uint64_t rate_bytes_per_s);
void link_close(Link *link); /* loses what is in flight and follows no more */

/* Readings. */
SimTime
link_delay_min_ns(const Link *link); /* the least delay it can have now, for the lookahead */
SimTime link_delay_ns(const Link *link, SimTime now_ns);       /* in force at that instant */
SimTime link_reconnect_ns(const Link *link, uint64_t attempt); /* drawn for that attempt */
uint64_t link_carried_bytes(const Link *link); /* on the wire so far, compressed and weighted */
uint64_t link_effect_bytes(const Link *link);  /* of these, the sender's own effects */
uint64_t link_relay_bytes(const Link *link);   /* and those of others that it passed on */
uint64_t link_sent_count(const Link *link);    /* entries so far, lost ones too */
/* Of these, taken or lost when the last window ended.  For the sender's place. */
uint64_t link_seen_count(const Link *link);
uint32_t link_from(const Link *link);
uint32_t link_to(const Link *link);
const char *link_name(const Link *link);
uint32_t link_source(const Link *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Link, link_free)
