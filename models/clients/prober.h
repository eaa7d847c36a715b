/* A prober: one detector's belief about the endpoints, kept fresh by its own probes.
 *
 * A client instance has one, a DNS traffic manager has one.  A probe is a request without a
 * command; it fails when no answer came within the detector's timeout, or at once when it was
 * refused.
 */
#pragma once

#include "models/geo/member.h"
#include "models/routing/routing.h"

typedef struct Prober Prober;

typedef struct {
    Place *place;
    uint32_t source;
    uint64_t *post_seq; /* the owner's, counts the posts of `source` */
    const PluginChoice *detect;
    Member *const *members;
    uint32_t member_count;
    const Dist *const *rtt; /* by member index; NULL: never probed */
    RngKey key;
    uint64_t number; /* of this prober among those of its key */
    void (*changed)(void *actor,
                    uint32_t healthy); /* the belief is another than before; may be NULL */
    void *actor;
} ProberConfig;

/* Copies config, borrows what it points to. */
Prober *prober_new(const ProberConfig *config);
void prober_free(Prober *prober);
void prober_start(Prober *prober, SimTime now_ns);

uint32_t prober_healthy(const Prober *prober, SimTime now_ns); /* bit per member index */
/* What the owner learned from an operation of its own. */
void prober_hear_result(Prober *prober, uint32_t member, Outcome outcome, SimTime now_ns);
