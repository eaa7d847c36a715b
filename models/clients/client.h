/* The client instances of a site: each one's connection, what it believes, and how it chooses.
 *
 * An instance has one pooled connection.  While it lives the policy is not asked, and a new DNS
 * answer does not move it (routing.md section 2).  When it dies, or when the instance's own
 * detector changes its mind, the policy chooses again.
 *
 * With a DNS detector each instance's host keeps its answer fresh: it asks again when the answer's
 * TTL ends, and whoever needs an endpoint meanwhile waits for the answer.  Its pool renews a
 * connection at the end of its life, and the policy is asked as for any new one.  That is how
 * clients fail back without an operator: within a probe, a TTL and a connection's life of the
 * recovery.  Nobody asks whether the member has caught up by then.
 *
 * Simplified: opening a connection costs no round trip of its own; a renewal that finds the same
 * member best keeps the connection, and one that does not still hears what was under way on the old
 * one; and connections of clients that probe for themselves, who hear of a change without a
 * renewal, live until they die.
 */
#pragma once

#include "models/clients/prober.h"
#include "models/clients/site.h"

#define CLIENT_NO_ENDPOINT (-1) /* no candidate: the attempt fails at once */
#define CLIENT_RESOLVING   (-2) /* waits for a DNS answer */

#define CLIENT_NOBODY_WAITS UINT32_MAX

/* Each instance's connections live for a share of this, evenly between half and all of it, so that
 * those who failed over together do not come back together.
 *
 * [A] No documented default covers Redis clients: a single multiplexed connection lives until it
 * breaks, while pools retire theirs by age (HikariCP's maxLifetime: 30 minutes, shortened at random
 * for the same reason).  Ten minutes stands for a pool that somebody has told to follow DNS.
 */
#define CLIENT_LIFE_MAX_NS (10 * SIM_MIN)

typedef struct {
    SimTime fault_ns;                    /* when fault_member failed under it */
    SimTime renew_ns;                    /* when the connection's life ends; DNS detectors only */
    uint32_t connection;                 /* number of the connection in use */
    uint32_t life_seq;                   /* counts connections and renewals */
    uint32_t healthy;                    /* the DNS answer it holds; all, if nobody detects */
    uint32_t waiting_head, waiting_tail; /* operations that wait for it; the site's */
    uint32_t query_count;
    int8_t endpoint;      /* member index, -1: no connection */
    int8_t last_endpoint; /* of the last connection */
    int8_t fault_member;  /* -1: none */
    uint8_t barred;       /* bit per member an operator took out */
    bool is_resolving;
    bool awaits_result; /* how an attempt ends is news: to a policy that learns, or after a fault */
    bool awaits_renewal; /* a timer is set for the end of some connection's life */
} Client;

typedef struct ClientPool ClientPool;

typedef struct {
    const SiteConfig *site;
    uint64_t *post_seq;                             /* counts the posts of site->source */
    void (*resolved)(void *actor, uint32_t client); /* an answer came: those who wait may go on */
    void *actor;
} ClientPoolConfig;

ClientPool *client_pool_new(const ClientPoolConfig *config);
void client_pool_free(ClientPool *pool);
void client_pool_start(ClientPool *pool);

/* For the owner's lists and for readings. */
Client *client_at(ClientPool *pool, uint32_t client);
const Client *client_peek(const ClientPool *pool, uint32_t client);

/* Opens a connection for an attempt: the member index, or one of the two above.  Only for a client
 * without a connection. */
int32_t client_open(ClientPool *pool, uint32_t client, const OpView *op, SimTime now_ns);
/* The connection of that number died; a newer one stays. */
void client_lose(ClientPool *pool, uint32_t client, uint32_t connection);

typedef struct {
    uint32_t client;
    uint32_t member;
    Outcome outcome;
    SimTime sent_ns;
    SimTime now_ns;
} ClientResult;

/* An attempt ended. */
void client_hear_result(ClientPool *pool, const ClientResult *result);

/* Levers, between windows; see site.h. */
void client_pool_redirect(ClientPool *pool, uint32_t from, int32_t to);
void client_pool_restore(ClientPool *pool, uint32_t member, SimTime now_ns, SimTime over_ns);
void client_pool_note_fault(ClientPool *pool, uint32_t member, SimTime now_ns);
