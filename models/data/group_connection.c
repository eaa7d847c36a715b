/* What a client asks to see whether a member is there.
 *
 * Why it works: the reply is in the question; only a connection that listens to channels gets its
 * pong in the form of a message, as it would not expect another (RESP2).
 */
#include <glib.h>
#include <string.h>

#include "models/data/command_run.h"

static const PayloadText pong = {"pong", 4};
static const PayloadText empty = {"", 0};

static void run_ping(CommandRun *run)
{
    bool has_text = run_count(run) == 1;

    if (run_count(run) > 1) {
        run_reply_arity(run);
    } else if (run->subscriber && subscriber_is_listening(run->subscriber)) {
        run_reply_array(run, 2);
        run_push_text(run, pong);
        run_push_text(run, has_text ? run_text(run, 0) : empty);
    } else if (has_text) {
        run_reply_text(run, run_text(run, 0));
    } else {
        run_reply_status(run, "PONG");
    }
}

static void run_echo(CommandRun *run)
{
    run_reply_text(run, run_text(run, 0));
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_OTHER, "PING", "whether the member answers", -1, false, OP_READ,
                      SHAPE_KEY, 0.5, run_ping),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "ECHO", "the same text back", 2, false, OP_READ, SHAPE_KEY, 0.5,
                      run_echo),
};

const CommandGroup command_group_connection = {
    .head = {.name = "connection", .summary = "PING and ECHO"},
    .serves = "",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
