/* One operation of a family, tried before the run as its workload will send it.
 *
 * A workload gives a command one key and what its shape says.  A command that needs more (a second
 * key, a subcommand, another type) would only ever fail, and one that needs what nobody gives (the
 * id of XDEL, the array of JSON.ARRAPPEND) would never change anything; so it is refused when the
 * scenario is loaded.  Simplified: what a command reads as 0 or as nothing when it is missing, as
 * the position of LINDEX, is not asked for.
 */
#pragma once

#include "models/scenario/scenario_parts.h"

/* NULL: it works on a key of the family that exists; else why not, mostly the error it replies
 * with, in arena.  op_index: in family->ops, all of whose commands are resolved ones. */
const char *op_trial(const FamilyParams *family, size_t op_index, Arena *arena);

/* How many elements a key that exists has more after it; negative: fewer. */
int64_t op_trial_elements_added(const FamilyParams *family, size_t op_index);
