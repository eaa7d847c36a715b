/* One operation of a family, tried before the run as its workload will send it.
 *
 * A workload gives a command one key and what its shape says.  A command that needs more (a second
 * key, a position, an id) would only ever fail; so it is refused when the scenario is loaded.
 */
#pragma once

#include "models/scenario/scenario_parts.h"

/* NULL: it works on a key of the family, present or absent; else why not, mostly the error it
 * replies with, in arena.  op_index: in family->ops, whose command is a resolved one. */
const char *op_trial(const FamilyParams *family, size_t op_index, Arena *arena);
