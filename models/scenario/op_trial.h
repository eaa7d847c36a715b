/* One operation of a family, tried before the run as its workload will send it.
 *
 * A workload gives a command one key and what its shape says.  A command that needs more (a second
 * key, a subcommand, the bit of BITPOS, another type) would only ever fail, one that needs what
 * nobody gives (the id of XDEL) would never change anything, and one that is about no key (SCAN)
 * has nothing to do with the family; so it is refused when the scenario is loaded.  Simplified:
 * what has a widest sense when it is missing has that: XRANGE reads all entries, HSCAN, SSCAN and
 * ZSCAN begin at the start, JSON.MGET asks for the root, SINTER, ZUNION, ZMPOP and the like are
 * about the one key.
 */
#pragma once

#include "models/scenario/scenario_parts.h"

/* NULL: it works on a key of the family that exists; else why not, mostly the error it replies
 * with, in arena.  op_index: in family->ops, all of whose commands are resolved ones. */
const char *op_trial(const FamilyParams *family, size_t op_index, Arena *arena);

/* Of one that does not work: whether it would if keys of the family had a time to live. */
bool op_trial_wants_ttl(const FamilyParams *family, size_t op_index);

/* Whether the `bytes` and the `ttl` of an operation reach anybody. */
bool op_trial_sends_bytes(const FamilyParams *family, size_t op_index);
bool op_trial_sends_ttl(const CommandSpec *spec);

/* Whether a command works on keys of this type (index in CRDT_TYPES): its group serves that type,
 * or every type. */
bool op_trial_serves(const CommandSpec *spec, int type);

/* Whether a workload can send it to keys of this type that have a time to live: what `quintet list
 * commands` says of it. */
bool op_trial_can_send(const CommandSpec *spec, int type);

/* How many elements a key that exists has more after it; negative: fewer. */
int64_t op_trial_elements_added(const FamilyParams *family, size_t op_index);
