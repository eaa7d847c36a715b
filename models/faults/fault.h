/* Faults: what goes wrong, from when until when, by pulling public levers between windows.
 *
 * Each kind is one file and one record (FAULTS).  A kind resolves its names once, at load, into its
 * state; its begin and end are called by the world at the fault's instants and cannot fail.
 */
#pragma once

#include "models/clients/levers.h"
#include "sim/arena.h"
#include "sim/param.h"

#define FAULTS(X)                                                                                  \
    X(crash)                                                                                       \
    X(delay)                                                                                       \
    X(isolate)                                                                                     \
    X(partition)

typedef struct {
    PluginHead head;
    /* Checks names and returns the fault's immutable state, in arena; NULL with error set. */
    const void *(*resolve)(const void *params, const NameScope *scope, const JsonNode *at,
                           Arena *arena, GError **error);
    /* u64 is one random word of this fault's own. */
    void (*begin)(const void *state, const Levers *levers, SimTime now_ns, uint64_t u64);
    void (*end)(const void *state, const Levers *levers, SimTime now_ns);
} FaultKind;

extern const PluginFamily fault_family;

/* One fault of a scenario, times resolved. */
typedef struct {
    const char *id;
    const FaultKind *kind;
    const void *state;
    SimTime begin_ns, end_ns; /* end: the run's end when the fault has no `for` */
} Fault;
