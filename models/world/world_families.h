/* The declared families of one run: which keys the slice keeps, what exists at the start. */
#pragma once

#include "models/data/family.h"
#include "models/scenario/scenario_parts.h"

#define SLICE_SMALL_KEYS UINT64_C(10000) /* smaller families are kept whole */
#define SLICE_HOT_KEYS   UINT64_C(64)    /* the most popular keys of a family are always in */

typedef struct WorldFamilies WorldFamilies;

/* Borrows scenario. */
WorldFamilies *world_families_new(const Scenario *scenario, uint64_t seed, uint32_t slice);
void world_families_free(WorldFamilies *families);

uint32_t world_families_count(const WorldFamilies *families);
const Family *const *world_families_list(const WorldFamilies *families);

/* The same keys, none of which exists at the start: for a member that starts empty. */
const Family *const *world_families_empty(WorldFamilies *families);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorldFamilies, world_families_free)
