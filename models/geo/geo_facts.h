/* Facts that arise in geo-replication, for whoever listens (observers, the text trace).
 *
 * A listener is called inside the place where the fact arises, in that place's order; it must not
 * change anything.  A NULL listener costs one comparison.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/effect.h"
#include "sim/time.h"

typedef enum {
    GEO_WRITE,           /* member made an effect (amount: wire bytes) */
    GEO_APPLY,           /* member applied an effect of peer (traced only) */
    GEO_RESEND,          /* member resends amount effects to peer after a heal, from dot */
    GEO_FULL_SYNC_BEGIN, /* member begins to send its state (amount: bytes) to peer */
    GEO_FULL_SYNC_END,   /* member has merged peer's state */
    GEO_LINK_DOWN,       /* member -> peer stops carrying */
    GEO_LINK_UP,
    GEO_UNLINK,    /* member stops keeping metadata for peer */
    GEO_RELINK,    /* peer has member's state and counts again */
    GEO_OOM_BEGIN, /* client writes are refused from now on */
    GEO_OOM_END,
} GeoFactKind;

typedef struct {
    GeoFactKind kind;
    uint32_t member_id; /* where it arises */
    uint32_t peer_id;   /* 0 when none */
    SimTime at_ns;
    int64_t amount;
    const Effect *effect; /* WRITE, APPLY; borrowed for the call */
    uint32_t weight;      /* of the effect's key */
    uint32_t nth; /* WRITE: the n-th effect of a client's command, from 1; 0: no client asked
                     for it, a deadline came due */
} GeoFact;

typedef struct {
    void (*hear)(void *actor, const GeoFact *fact);
    void *actor;
    bool hears_applies; /* GEO_APPLY is by far the most frequent fact: only for who asks */
} GeoListener;
