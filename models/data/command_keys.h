/* Which words of a command are keys, and whether these lie in one hash slot.
 *
 * The keys of a command are a run of words, evenly spaced, and at most one more beside it; of words
 * that cannot be read (a count that is none) there are none, and the command
 * says what is wrong with them.
 */
#pragma once

#include "models/data/command.h"
#include "models/data/hash_slot.h"

typedef struct {
    uint32_t first, count, step; /* of the run, counting from the command's args[0] */
    bool has_other;              /* a destination or the like */
    uint32_t other;
} CommandKeys;

/* Of words whose number the command accepts. */
CommandKeys command_keys(const Command *command);

/* False: it is about a member or a channel, as SCAN and PUBLISH. */
bool command_names_keys(const CommandSpec *spec);

/* MGET, EXISTS, TOUCH and JSON.MGET, outside of transactions: an active-active database answers
 * them from all its shards (redis/docs operate/rs/databases/durability-ha/clustering.md and
 * develop/using-commands/multi-key-operations.md).
 *
 * Simplified: JSON.MGET may leave out there what lies on other shards than the one asked; here it
 * finds every key. */
bool command_may_cross_slots(const CommandSpec *spec);

#define ERROR_CROSS_SLOT "CROSSSLOT Keys in request don't hash to the same slot"

/* Whether all keys lie in *slot, which HASH_SLOT_NONE leaves to the first of them; false leaves it
 * as it was.
 *
 * Simplified: declared keys lie in no slot.  A workload's command is about one of them. */
bool command_keys_share_slot(const Command *command, int *slot);
