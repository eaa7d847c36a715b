/* The phases of a scenario, derived from its warm-up, its faults and its length.
 *
 * steady: from the end of the warm-up to the first fault, or the end.  fault:<id>: while that fault
 * lasts.  after:<id>: from its end to the next fault's begin, or the end.  all: everything.  Phases
 * may overlap; a phase that lies past the end of the run is there and empty.
 */
#pragma once

#include "models/observe/recording.h"
#include "sim/arena.h"

/* A variant's comparisons with others use the base's intervals; its recording holds them under
 * their names with this in front, where they differ from its own. */
#define PHASE_OF_BASE "base/"

typedef struct {
    const char *id;
    SimTime from_ns, to_ns; /* to_ns SIM_TIME_NEVER: to the end */
} FaultInterval;

typedef struct {
    SimTime duration_ns, warmup_ns;
    const FaultInterval *faults;
    uint32_t fault_count;
} PhasesConfig;

/* All in arena, also the names: steady, then fault and after of each fault in order, then all. */
const Phase *phases_derive(const PhasesConfig *config, Arena *arena, uint32_t *out_count);

/* A variant's own phases, followed by those of its base that are different or missing. */
const Phase *phases_join_base(const Phase *own, uint32_t own_count, const Phase *base,
                              uint32_t base_count, Arena *arena, uint32_t *out_count);

/* Instants at which some phase begins or ends inside (0, duration), ascending, each once.  out has
 * room for max; the true number is returned, so the caller sees whether it fits. */
uint32_t phases_boundaries(const Phase *phases, uint32_t count, SimTime duration_ns, SimTime *out,
                           uint32_t max);
