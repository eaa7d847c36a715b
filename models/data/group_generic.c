/* Commands on keys of any type: DEL EXISTS TYPE EXPIRE PERSIST TTL and their like.
 *
 * Why it works: DEL is one effect per key that covers what was observed; a deadline is a register
 * of its own beside the key (crdt-semantics.md 2). */
#include <string.h>

#include <glib.h>

#include "models/data/command_run.h"

#define DEADLINE_MS_MAX (INT64_C(1) << 49) /* documented range of deadlines */

static void run_del(CommandRun *run)
{
    int64_t deleted = 0;

    for (uint32_t i = 0; i < run_count(run); i++) {
        bool exists;
        Key key;

        if (!run_find_to_write(run, i, -1, &key, &exists))
            return;
        if (exists)
            store_delete(run->store, &key, run->now);
        deleted += exists;
    }
    run_reply_integer(run, deleted);
}

static void run_exists(CommandRun *run)
{
    int64_t found = 0;

    for (uint32_t i = 0; i < run_count(run); i++) {
        bool exists;
        Key key;

        if (!run_find(run, i, -1, &key, &exists))
            return;
        found += exists;
    }
    run_reply_integer(run, found);
}

static void run_type_of(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find(run, 0, -1, &key, &exists))
        return;
    run_reply_status(run, exists ? crdt_types[key_type(run->store, &key)]->redis_name : "none");
}

/* NX: only without a deadline; XX: only with one; GT, LT: only a later, an earlier one (none counts
 * as endless). */
static bool expire_allowed(CommandRun *run, int64_t old_ms, int64_t new_ms, bool *out_syntax)
{
    bool allowed = true;

    *out_syntax = true;
    for (uint32_t i = 2; i < run_count(run); i++) {
        const Arg *arg = run_arg(run, i);

        if (arg_is(arg, "NX"))
            allowed &= old_ms == DEADLINE_NONE;
        else if (arg_is(arg, "XX"))
            allowed &= old_ms != DEADLINE_NONE;
        else if (arg_is(arg, "GT"))
            allowed &= new_ms > old_ms;
        else if (arg_is(arg, "LT"))
            allowed &= new_ms < old_ms;
        else
            *out_syntax = false;
    }
    return allowed;
}

static void set_deadline(CommandRun *run, Key *key, int64_t deadline_ms)
{
    store_write(run->store, key,
                &(LocalWrite){.op = EFFECT_EXPIRE,
                              .type = key_type(run->store, key),
                              .deadline_ms = deadline_ms,
                              .now = run->now});
}

/* A deadline that has passed already deletes at once, as in Redis. */
static void expire(CommandRun *run, int64_t unit_ms, bool absolute)
{
    int64_t deadline_ms;
    bool exists;
    bool syntax;
    Key key;

    if (!run_find_to_write(run, 0, -1, &key, &exists))
        return;
    if (run_count(run) > 1 && run_arg(run, 1)->kind != ARG_SYNTHETIC) {
        if (!run_integer(run, 1, &deadline_ms))
            return;
        if (deadline_ms > DEADLINE_MS_MAX / unit_ms || deadline_ms < -DEADLINE_MS_MAX / unit_ms) {
            run_reply_error(run, "ERR invalid expire time");
            return;
        }
        deadline_ms = deadline_ms * unit_ms + (absolute ? 0 : run->now.ms);
    } else {
        deadline_ms =
            key.state ? store_family_deadline_ms(run->store, &key, run->now) : run->now.ms;
    }
    if (!exists) {
        run_reply_integer(run, 0);
        return;
    }
    if (!expire_allowed(run, key_deadline_ms(run->store, &key), deadline_ms, &syntax) || !syntax) {
        if (syntax)
            run_reply_integer(run, 0);
        else
            run_reply_error(run, "ERR Unsupported option");
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

/* Writes what the source shows under the target's name, element by element, with new dots.
 * Deadlines go along. */
static void copy_content(CommandRun *run, const Key *source, Key *target, int type)
{
    int64_t deadline_ms = key_deadline_ms(run->store, source);
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    while (key_next_slot(run->store, source, type, &cursor, &ref, &slot)) {
        SlotView view = crdt_types[type]->view(&run->store->world.pool, slot);
        LocalWrite write = {.op = crdt_types[type]->add_wins ? EFFECT_ADD : EFFECT_ASSIGN,
                            .type = type,
                            .element = ref,
                            .value = view.base,
                            .now = run->now};
        ViewText text;
        double score;

        if (!view.present)
            continue;
        if (type == CRDT_ZSET) {
            score = view_score(&view);
            write.value = (Value){.kind = VALUE_SCORE, .bytes = sizeof(score)};
            memcpy(&write.value.number, &score, sizeof(score));
        } else if (view.has_increments) {
            view_text(&view, &text);
            write.value =
                (Value){.kind = VALUE_BYTES, .data = text.text.data, .bytes = text.text.bytes};
        }
        store_write(run->store, target, &write);
    }
    if (deadline_ms != DEADLINE_NONE)
        set_deadline(run, target, deadline_ms);
}

/* DEL(target observed), content re-created under target, DEL(source observed) (crdt-semantics.md 2,
 * RENAME). */
static void run_rename(CommandRun *run)
{
    bool exists;
    bool target_exists;
    Key source;
    Key target;

    if (!run_find_to_write(run, 0, -1, &source, &exists) ||
        !run_find_to_write(run, 1, -1, &target, &target_exists))
        return;
    if (source.state || target.state) {
        run_reply_error(run, "ERR RENAME of a declared key is not simulated");
        return;
    }
    if (!exists) {
        run_reply_error(run, "ERR no such key");
        return;
    }
    if (source.born != target.born) {
        store_delete(run->store, &target, run->now);
        copy_content(run, &source, &target, key_type(run->store, &source));
        store_delete(run->store, &source, run->now);
    }
    run_reply_ok(run);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("DEL", "remove keys, as far as observed", -2, true, OP_LWW, SHAPE_KEY, 0.62,
                 run_del),
    COMMAND_SPEC("UNLINK", "DEL", -2, true, OP_LWW, SHAPE_KEY, 0.62, run_del),
    COMMAND_SPEC("EXISTS", "how many of the keys exist", -2, false, OP_READ, SHAPE_KEY, 0.61,
                 run_exists),
    COMMAND_SPEC("TYPE", "type of a key", 2, false, OP_READ, SHAPE_KEY, 0.6, run_type_of),
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
    COMMAND_SPEC_LIFE(LIFE_OTHER, "RENAME", "move what is observed to another key", 3, true,
                      OP_ACCUM, SHAPE_KEY, 2.0, run_rename),
};

const CommandGroup command_group_generic = {
    .head = {.name = "generic", .summary = "keys of any type: existence and deadlines"},
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
