/* Commands on deadlines: EXPIRE, PERSIST, TTL and their like (crdt-semantics.md 2).
 *
 * Why it works: a deadline is a register of its own beside the key, written in absolute ms of the
 * member's wall clock; conditions are decided on what is seen here, and only the outcome
 * replicates. */
#include <string.h>

#include <glib.h>

#include "models/data/command_run.h"

#define DEADLINE_MS_MAX (INT64_C(1) << 49) /* documented range of deadlines */

typedef struct {
    bool nx, xx, gt, lt;
} ExpireOptions;

static bool expire_read_options(CommandRun *run, ExpireOptions *options)
{
    for (uint32_t i = 2; i < run_count(run); i++) {
        const Arg *arg = run_arg(run, i);
        bool *flag = arg_is(arg, "NX")   ? &options->nx
                     : arg_is(arg, "XX") ? &options->xx
                     : arg_is(arg, "GT") ? &options->gt
                     : arg_is(arg, "LT") ? &options->lt
                                         : NULL;
        if (!flag) {
            PayloadText text = run_text(run, i);

            run_reply_error_about(run, "ERR Unsupported option %s", text.data ? text.data : "",
                                  text.data ? text.bytes : 0);
            return false;
        }
        *flag = true;
    }
    if (options->nx && (options->xx || options->gt || options->lt))
        run_reply_error(run, "ERR NX and XX, GT or LT options at the same time are not compatible");
    else if (options->gt && options->lt)
        run_reply_error(run, "ERR GT and LT options at the same time are not compatible");
    else
        return true;
    return false;
}

/* NX: only without a deadline; XX: only with one; GT, LT: only a later, an earlier one (none counts
 * as endless). */
static bool expire_allowed(const ExpireOptions *options, int64_t old_ms, int64_t new_ms)
{
    return !(options->nx && old_ms != DEADLINE_NONE) && !(options->xx && old_ms == DEADLINE_NONE) &&
           !(options->gt && new_ms <= old_ms) && !(options->lt && new_ms >= old_ms);
}

static void set_deadline(CommandRun *run, Key *key, int64_t deadline_ms)
{
    store_write(run->store, key,
                &(LocalWrite){.op = EFFECT_EXPIRE,
                              .type = key_type(run->store, key),
                              .deadline_ms = deadline_ms,
                              .now = run->now});
}

static bool expire_read_deadline(CommandRun *run, int64_t unit_ms, bool absolute, int64_t *out_ms)
{
    g_autofree char *name = NULL;

    if (!run_integer(run, 1, out_ms))
        return false;
    if (*out_ms <= DEADLINE_MS_MAX / unit_ms && *out_ms >= -DEADLINE_MS_MAX / unit_ms) {
        *out_ms = *out_ms * unit_ms + (absolute ? 0 : run->now.ms);
        return true;
    }
    name = g_ascii_strdown(run->command->spec->name, -1);
    run_reply_error_about(run, "ERR invalid expire time in '%s' command", name, strlen(name));
    return false;
}

/* A deadline that has passed already deletes at once, as in Redis. */
static void expire(CommandRun *run, int64_t unit_ms, bool absolute)
{
    bool given = run_is_given(run, 1);
    ExpireOptions options = {0};
    int64_t deadline_ms = 0;
    bool exists;
    Key key;

    if (!expire_read_options(run, &options) ||
        (given && !expire_read_deadline(run, unit_ms, absolute, &deadline_ms)) ||
        !run_find_to_write(run, 0, -1, &key, &exists))
        return;
    if (!given)
        deadline_ms =
            key.state ? store_family_deadline_ms(run->store, &key, run->now) : run->now.ms;
    if (!exists || !expire_allowed(&options, key_deadline_ms(run->store, &key), deadline_ms)) {
        run_reply_integer(run, 0);
        return;
    }
    if (deadline_ms <= run->now.ms)
        store_delete(run->store, &key, run->now);
    else
        set_deadline(run, &key, deadline_ms);
    run_reply_integer(run, 1);
}

static void run_expire(CommandRun *run)
{
    expire(run, 1000, false);
}

static void run_pexpire(CommandRun *run)
{
    expire(run, 1, false);
}

static void run_expireat(CommandRun *run)
{
    expire(run, 1000, true);
}

static void run_pexpireat(CommandRun *run)
{
    expire(run, 1, true);
}

static void run_persist(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, -1, &key, &exists))
        return;
    if (!exists || key_deadline_ms(run->store, &key) == DEADLINE_NONE) {
        run_reply_integer(run, 0);
        return;
    }
    set_deadline(run, &key, DEADLINE_NONE);
    run_reply_integer(run, 1);
}

/* -2: no key, -1: no deadline; else what remains, or the deadline itself, in units rounded as Redis
 * does. */
static void reply_deadline(CommandRun *run, int64_t unit_ms, bool absolute)
{
    int64_t deadline_ms;
    bool exists;
    Key key;

    if (!run_find(run, 0, -1, &key, &exists))
        return;
    deadline_ms = key_deadline_ms(run->store, &key);
    if (!exists)
        run_reply_integer(run, -2);
    else if (deadline_ms == DEADLINE_NONE)
        run_reply_integer(run, -1);
    else
        run_reply_integer(run,
                          (deadline_ms - (absolute ? 0 : run->now.ms) + unit_ms / 2) / unit_ms);
}

static void run_ttl(CommandRun *run)
{
    reply_deadline(run, 1000, false);
}

static void run_pttl(CommandRun *run)
{
    reply_deadline(run, 1, false);
}

static void run_expiretime(CommandRun *run)
{
    reply_deadline(run, 1000, true);
}

static void run_pexpiretime(CommandRun *run)
{
    reply_deadline(run, 1, true);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("EXPIRE", "deadline in seconds from now", -3, true, OP_LWW, SHAPE_TTL, 0.98,
                 run_expire),
    COMMAND_SPEC("PEXPIRE", "deadline in ms from now", -3, true, OP_LWW, SHAPE_TTL, 0.98,
                 run_pexpire),
    COMMAND_SPEC("EXPIREAT", "deadline at a second", -3, true, OP_LWW, SHAPE_TTL, 0.98,
                 run_expireat),
    COMMAND_SPEC("PEXPIREAT", "deadline at a ms", -3, true, OP_LWW, SHAPE_TTL, 0.98, run_pexpireat),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "PERSIST", "drop the deadline; wins over concurrent ones", 2,
                      true, OP_LWW, SHAPE_KEY, 0.98, run_persist),
    COMMAND_SPEC("TTL", "seconds to the deadline", 2, false, OP_READ, SHAPE_KEY, 0.52, run_ttl),
    COMMAND_SPEC("PTTL", "ms to the deadline", 2, false, OP_READ, SHAPE_KEY, 0.52, run_pttl),
    COMMAND_SPEC("EXPIRETIME", "the deadline in seconds", 2, false, OP_READ, SHAPE_KEY, 0.52,
                 run_expiretime),
    COMMAND_SPEC("PEXPIRETIME", "the deadline in ms", 2, false, OP_READ, SHAPE_KEY, 0.52,
                 run_pexpiretime),
};

const CommandGroup command_group_expire = {
    .head = {.name = "expire", .summary = "deadlines of keys"},
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
