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

typedef struct FaultsInForce FaultsInForce;

typedef struct {
    PluginHead head;
    bool adds_up; /* two of the same at once are more than one */
    /* Checks names and returns the fault's immutable state, in arena; NULL with error set. */
    const void *(*resolve)(const void *params, const NameScope *scope, const JsonNode *at,
                           Arena *arena, GError **error);
    /* Partitions of links nest by themselves; what else a kind pulls may still be held by a fault
     * of its kind that overlaps, which all says. */
    void (*begin)(const void *state, const Levers *levers, SimTime now_ns,
                  const FaultsInForce *all);
    void (*end)(const void *state, const Levers *levers, SimTime now_ns, const FaultsInForce *all);
} FaultKind;

extern const PluginFamily fault_family;

/* One fault of a scenario, times resolved. */
typedef struct {
    const char *id;
    const FaultKind *kind;
    const void *state;
    SimTime begin_ns, end_ns; /* end: the run's end when the fault has no `for` */
} Fault;

/* The faults of a run by index, and which of them last now: one that begins does, one that ends
 * does not. */
struct FaultsInForce {
    const Fault *faults;
    const bool *lasts;
    const uint64_t *words; /* one random word of each fault's own */
    uint32_t count;
};

/* The next fault of this kind that lasts, from *index on; NULL when there is no more. */
const Fault *fault_next(const FaultsInForce *all, const FaultKind *kind, uint32_t *index);
