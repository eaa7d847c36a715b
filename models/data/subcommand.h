/* Replies of commands that have subcommands: XGROUP, XINFO, OBJECT, PUBSUB. */
#pragma once

#include "models/data/command_run.h"

/* The first argument names no subcommand of container ("XINFO"). */
void subcommand_reply_unknown(CommandRun *run, const char *container);
/* The subcommand, as it was written, cannot be read. */
void subcommand_reply_syntax(CommandRun *run, const char *container);
void subcommand_reply_arity(CommandRun *run, const char *name); /* "xinfo|stream" */

/* HELP, which takes no further word; name is "xinfo|help", lines end with NULL. */
void subcommand_reply_help(CommandRun *run, const char *name, const char *const *lines);
