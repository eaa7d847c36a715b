/* Transactions: a session runs them (models/data/session.h).
 *
 * Why it works: these rows give the session their arity and the lists their names; a store alone,
 * as a workload has it, knows no connection and says so.  UNWATCH inside a transaction is queued
 * and then does nothing, as EXEC forgets the watches anyway. */
#include <glib.h>

#include "models/data/command_run.h"

static void run_without_session(CommandRun *run)
{
    run_reply_error(run, "ERR transactions need a connection");
}

static void run_unwatch(CommandRun *run)
{
    run_reply_ok(run);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_OTHER, "MULTI", "queue the commands that follow", 1, false, OP_READ,
                      SHAPE_KEY, 0.5, run_without_session),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "EXEC", "run the queue at one instant of this member", 1, true,
                      OP_ACCUM, SHAPE_KEY, 1.0, run_without_session),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "DISCARD", "drop the queue", 1, false, OP_READ, SHAPE_KEY, 0.5,
                      run_without_session),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "WATCH", "EXEC does nothing if a key changes before", -2, false,
                      OP_READ, SHAPE_KEY, 0.6, run_without_session),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "UNWATCH", "forget the watched keys", 1, false, OP_READ,
                      SHAPE_KEY, 0.5, run_unwatch),
};

const CommandGroup command_group_transactions = {
    .head = {.name = "transactions", .summary = "MULTI, EXEC and WATCH of one connection"},
    .serves = "",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
