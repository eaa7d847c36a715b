/* What a member is made of; for the files of models/geo alone.
 *
 * member.c serves clients, held.c those who wait, replication.c moves effects, sync.c repairs and
 * acknowledges, membership.c says who counts.
 */
#pragma once

#include "models/crdt/causal_order.h"
#include "models/geo/effect_log.h"
#include "models/geo/history.h"
#include "models/geo/link.h"
#include "models/geo/member.h"
#include "models/geo/memory.h"
#include "sim/rng.h"

#define HEARTBEAT_EVERY_NS SIM_S
#define EFFECT_OPS         8  /* room for every EffectOp */
#define EFFECT_TYPES       32 /* and every type */

/* Source numbers of a member's own events, from config.source on. */
enum {
    SOURCE_REPLY,
    SOURCE_EXPIRY,
    SOURCE_HELLO,
    SOURCE_HEARTBEAT, /* one per peer: + peer id */
    SOURCE_HELD = SOURCE_HEARTBEAT + MEMBER_MAX + 1,
};

/* How this member stands to one other.  The two directions of a pair fail apart: the session out is
 * open while the link out follows our log, the session in while we are `hearing`. */
typedef struct {
    Member *owner;
    Member *member; /* the peer itself: only its log is ever read */
    Link *out, *in;
    uint32_t id;
    uint32_t stream;
    bool linked;  /* counts for metadata; false after force-unlink, and while not attached */
    bool cut_off; /* the peer has unlinked us: its log is not ours to read any more */
    bool hearing; /* the session in is open and complete */
    bool asked;   /* a HELLO of ours is out, and no break since could have lost it */
    uint64_t restarts_seen; /* of the peer: a HELLO it did not live to read is lost too */
    Clock known;            /* what it said it knows */
    Clock retired;          /* what it has collected, and all it made before is here; */
    Clock retiring;         /* the same, when its effects up to */
    uint64_t retiring_seq;  /* this have come */
    uint64_t resumed_seq;   /* its effects up to here come late, from a backlog */
    uint64_t waiting_seq;   /* causal: the newest of its effects that came in time, */
    SimTime waiting_ns;     /* and when it was sent */
    uint64_t sync_seq;      /* a whole state with our effects up to here is on its way; 0: none */
    uint64_t sync_bytes;    /* of our log at that moment */
    uint64_t release_count; /* what the link out had sent when Member.release_seq was set */
    uint64_t hello_attempt;
    uint64_t heartbeat_seq;
    SimTime known_ns; /* we know everything it did up to then */
    Handler in_handler, heartbeat_handler;
} Peer;

typedef struct Held Held;

/* Requests that wait: held.c. */
typedef struct {
    Held *first, *last; /* in the order they came */
    GTree *closing;     /* of Held, by when the client is known to be gone */
    Handler timer;
    SimTime armed_ns;
    uint64_t seq, post_seq;
} HeldRequests;

/* A key that a request under way names. */
typedef struct {
    uint64_t key;
    uint16_t family;
} KeyAhead;

#define KEYS_AHEAD 8u

struct Member {
    MemberConfig config;
    char *name;
    Store *store;
    EffectLog *log;
    Shards *shards;
    Memory memory;
    HistoryClasses classes;
    HistoryBooks books;
    History histories[MEMBER_MAX + 1]; /* by origin */
    Peer peers[MEMBER_MAX + 1];        /* by id; attached ones have links */
    double apply_cost[EFFECT_TYPES][EFFECT_OPS];
    Handler request_handler, expiry_handler, hello_handler;
    RngKey service_draws;
    SimTime now_ns; /* of the event in progress */
    SimTime skew_ns;
    SimTime expiry_armed_ns;
    int64_t memory_limit; /* above it client writes are refused; INT64_MAX: never */
    uint64_t reply_seq, expiry_seq, hello_seq;
    uint64_t reach_epoch;
    uint64_t restart_count;
    uint64_t acked_bytes_min; /* over linked peers */
    uint64_t drop_seq; /* causal: own effects up to here leave the log when the window ends */
    uint64_t
        release_seq; /* own effects that were dropped when the peers' release_counts were taken */
    CausalOrder *causal_order; /* NULL: effects are applied as they come */
    Dot last_dot;
    uint32_t linked_count; /* peers that count */
    uint32_t syncing;      /* a bit per peer id with a sync_seq */
    uint32_t body_bytes;   /* of the operation in progress, 0 without */
    uint32_t effect_count; /* of the client's write in progress */
    HeldRequests held;
    Digest digest;
    double slowdown; /* of the extra service time; the shards keep their own */
    bool reachable, crashed, refusing;
    bool writing;               /* a client's write is in progress */
    KeyAhead ahead[KEYS_AHEAD]; /* of the latest requests, a ring */
    uint32_t ahead_count;
};

static inline uint32_t family_slot(const Member *member, uint16_t family)
{
    return family == FAMILY_NONE ? member->config.family_count : family;
}

static inline void member_tell(const Member *member, const GeoFact *fact)
{
    if (member->config.listener.hear)
        member->config.listener.hear(member->config.listener.actor, fact);
}

/* replication.c: effects out and in. */
void replication_emit(void *actor, const Effect *effect); /* the store's sink */
void replication_apply(Member *member, const Effect *effect);
/* The same as part of a state merge: it queues before no shard, and a message is heard by nobody.
 */
void replication_merge(Member *member, const Effect *effect);
void replication_set_costs(Member *member);

/* sync.c: sessions, acknowledgements, collection. */
void sync_attach(Member *member, Peer *peer);
void sync_start(Member *member);
void sync_collect(Member *member); /* after anything that moves what all linked members know */
void sync_end(Peer *peer); /* the state on its way to it has arrived, or is not waited for */
void sync_restart(Member *member); /* asks every peer for what was missed */
void sync_schedule_hello(Peer *peer, SimTime now_ns);

/* causal.c: the option of causal consistency. */
void causal_arrive(Member *member, uint32_t origin, uint64_t seq); /* effects up to seq are here */
void causal_deliver(Member *member);                /* after anything that may have ended a wait */
void causal_resend(Peer *peer, const Clock *known); /* what others made and the peer lacks */
void causal_restart(Member *member);                /* what waited is lost with the connections */

/* membership.c */
void membership_restart(Member *member); /* what was levelled out while it was down */

/* held.c: requests that wait. */
void held_init(Member *member);
void held_clear(Member *member);
/* false: it waits, and will be answered later or never. */
bool held_execute(Member *member, const Request *request, const Command *command, Reply *out);
void held_serve_all(Member *member);                  /* in an event of the member's own place */
void held_serve_soon(Member *member, SimTime now_ns); /* between windows too */
void held_drop_all(Member *member);                   /* their connections are closed */
void held_rearm(Member *member, SimTime now_ns);      /* the member's clock was set */

/* After anything that may have changed keys. */
static inline void held_serve(Member *member)
{
    if (member->held.first)
        held_serve_all(member);
}

/* member.c */
void member_watch_memory(Member *member);
/* Around a client's command, for what its effects are told with. */
void member_begin_command(Member *member, uint32_t value_bytes, bool writes);
void member_end_command(Member *member);
/* The command was executed: takes its turn in the shard and sends the reply. */
void member_complete(Member *member, const Request *request, Response *response);
SimTime member_time_of(const Member *member, WallTime at); /* when the member's clock shows it */
