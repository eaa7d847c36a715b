/* Why it works: a command with subcommands is one command to its callers, so what Redis says of a
 * subcommand that is unknown or given too few words is said by the command itself. */
#include "models/data/subcommand.h"

#include <string.h>

#define NAME_SHOWN_MAX 128 /* as Redis shows of an unknown name */

/* what, of the first argument and container. */
static void reply_about(CommandRun *run, const char *what, const char *container)
{
    PayloadText name = run_text(run, 0);
    char *text;

    run_reply_error(run, what);
    if (!run->arena)
        return;
    text =
        arena_printf(run->arena, "%s '%.*s'. Try %s HELP.", what,
                     (int)MIN(name.bytes, NAME_SHOWN_MAX), name.data ? name.data : "", container);
    run_reply_error(run, g_strdelimit(text, "\r\n", ' ')); /* an error is one line */
}

void subcommand_reply_unknown(CommandRun *run, const char *container)
{
    reply_about(run, "ERR unknown subcommand", container);
}

void subcommand_reply_syntax(CommandRun *run, const char *container)
{
    reply_about(run, "ERR unknown subcommand or wrong number of arguments for", container);
}

void subcommand_reply_arity(CommandRun *run, const char *name)
{
    run_reply_error_about(run, "ERR wrong number of arguments for '%s' command", name,
                          strlen(name));
}

void subcommand_reply_help(CommandRun *run, const char *name, const char *const *lines)
{
    if (run_count(run) > 1) {
        subcommand_reply_arity(run, name);
        return;
    }
    run_reply_array(run, g_strv_length((char **)lines));
    for (; *lines; lines++)
        run_push_text(run, (PayloadText){*lines, (uint32_t)strlen(*lines)});
}
