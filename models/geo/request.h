/* What a client sends to a member and what comes back: the bodies of messages between places.
 *
 * A request names the operation by numbers (declared key, elements, sizes), so it is small and
 * copying it is all that crossing a place costs.  The reply goes to `reply_to` in `reply_place`
 * after the rest of the round trip the client drew for this attempt.  A member that cannot be
 * reached answers nothing.
 */
#pragma once

#include <stdint.h>

#include "models/data/command.h"
#include "sim/kernel.h"

typedef enum {
    OUTCOME_OK,
    OUTCOME_TIMEOUT, /* decided by the client */
    OUTCOME_REFUSED, /* nobody listens, or no credentials */
    OUTCOME_RESET,   /* the connection broke while waiting */
    OUTCOME_OOM,     /* the member is out of memory for client writes */
    OUTCOME_ERROR,   /* the command itself failed (WRONGTYPE ...) */
    OUTCOME_STALE,   /* refused by a session policy */
    OUTCOME_COUNT,
} Outcome;

const char *outcome_name(Outcome outcome); /* "ok", "timeout", ... */

typedef struct {
    const CommandSpec *spec; /* NULL: a probe (PING) */
    const Handler *reply_to;
    Place *reply_place;
    uint64_t key;        /* declared id */
    uint64_t token;      /* of the value */
    uint64_t call;       /* the caller's own reference, returned as it is */
    SimTime return_ns;   /* how long the reply travels */
    SimTime ttl_ns;      /* 0: none */
    SimTime block_ns;    /* of a command that waits: how long at most; 0: for ever */
    SimTime patience_ns; /* how long after sending the client gives up; 0: never */
    uint32_t element, element_count;
    uint32_t value_bytes;
    uint32_t weight; /* of the key */
    uint16_t family;
} Request;

typedef struct {
    uint64_t call;
    uint64_t reach_epoch; /* member_reach_epoch when it was sent */
    Dot dot;              /* of the last effect made, 0 for reads */
    uint8_t outcome;      /* Outcome */
    uint8_t member_index; /* from 0 */
    uint32_t reply_bytes;
    SimTime service_ns; /* execution, without waiting */
    SimTime wait_ns;    /* in the shard's queue */
} Response;

/* The command's arguments, in the order its shape says; out needs room for REQUEST_ARGS_MAX.
 * Returns how many. */
#define REQUEST_ARGS_MAX 4
uint32_t request_args(const Request *request, Arg *out);
