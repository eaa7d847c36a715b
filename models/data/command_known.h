/* Commands by what became of them: supported, refused with a reason, or still to come.
 *
 * The list is that of Redis 7.0's COMMAND LIST (subcommands as "xgroup|create") and the JSON
 * commands.  A command is supported when a group has it, and a subcommand when its command is.
 * What is refused, is so because the product does not offer it to clients of an active-active
 * database, or because the model has no part it could act on; the reason says which.
 */
#pragma once

#include "models/data/command.h"

typedef enum { COMMAND_SUPPORTED, COMMAND_LATER, COMMAND_REFUSED } CommandStanding;

typedef struct {
    const char *name; /* lower case, as COMMAND LIST prints it */
    CommandStanding standing;
    const char *reason;      /* REFUSED: a sentence without its subject; else "" */
    const char *source;      /* REFUSED by the product: the page, of redis/docs; else "" */
    const CommandSpec *spec; /* SUPPORTED: of the command or of the one it is a part of */
} KnownCommand;

size_t command_known_count(void);
KnownCommand command_known_at(size_t index); /* in the order of names */

/* name in any case, "OBJECT" or "object|encoding"; false: nobody knows it. */
bool command_known_find(const char *name, size_t size, KnownCommand *out);

/* What words (the name and its arguments) ask for: NULL when there is no such command, or when it
 * or its subcommand is refused.  All words are bytes. */
const CommandSpec *command_find_words(const Arg *words, uint32_t count);
/* Of words that ask for a command of the program: its name as COMMAND LIST prints it. */
const char *command_known_name(const Arg *words, uint32_t count);
bool command_is_refused(const Arg *words, uint32_t count);

/* The error for words of which command_find_words knows nothing: the reason of the refusal, or what
 * Redis says of unknown commands.  The text is the arena's. */
void command_reply_unfound(const Arg *words, uint32_t count, Arena *arena, Reply *out);
