/* Commands on keys of any type: DEL EXISTS TYPE RENAME COPY and their like.
 *
 * Why it works: DEL is one effect per key that covers what was observed; moving a key writes what
 * is seen of it under its other name, with new dots (crdt-semantics.md 2). */
#include <string.h>

#include <glib.h>

#include "models/data/command_run.h"

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

/* One slot's content as a write to another key; false: it shows nothing. */
static bool copy_slot(const SlotView *view, int type, LocalWrite *write, ViewText *text)
{
    double score;

    write->value = view->base;
    if (type == CRDT_ZSET) {
        score = view_score(view);
        write->value = (Value){.kind = VALUE_SCORE, .bytes = sizeof(score)};
        memcpy(&write->value.number, &score, sizeof(score));
    } else if (view->has_increments) {
        view_text(view, text);
        write->value =
            (Value){.kind = VALUE_BYTES, .data = text->text.data, .bytes = text->text.bytes};
    }
    return view->present;
}

/* Writes what the source shows under the target's name, element by element, with new dots.
 * Deadlines go along. */
static void copy_content(CommandRun *run, const Key *source, Key *target, int type)
{
    int64_t deadline_ms = key_deadline_ms(run->store, source);
    const CommandGroup *group = crdt_types[type]->body ? command_group_that_copies(type) : NULL;
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    if (group)
        group->copy(run, source, target);
    while (key_next_slot(run->store, source, type, &cursor, &ref, &slot)) {
        SlotView view = slot_view(&run->store->world.pool, slot);
        LocalWrite write = {.op = crdt_types[type]->add_wins ? EFFECT_ADD : EFFECT_ASSIGN,
                            .type = type,
                            .element = ref,
                            .now = run->now};
        ViewText text;

        if (copy_slot(&view, type, &write, &text))
            store_write(run->store, target, &write);
    }
    if (deadline_ms != DEADLINE_NONE)
        store_write(run->store, target,
                    &(LocalWrite){.op = EFFECT_EXPIRE,
                                  .type = key_type(run->store, target),
                                  .deadline_ms = deadline_ms,
                                  .now = run->now});
}

/* Both keys of a move, found to be written to; false: the error is the reply. */
typedef struct {
    Key source, target;
    bool exists, target_exists, same;
} Move;

static bool find_move(CommandRun *run, Move *move)
{
    static const char error[] = "ERR %s of a declared key is not simulated";

    if (!run_find_to_write(run, 0, -1, &move->source, &move->exists) ||
        !run_find_to_write(run, 1, -1, &move->target, &move->target_exists))
        return false;
    move->same = move->exists && move->source.born == move->target.born;
    if (!move->source.state && !move->target.state)
        return true;
    run_reply_error_about(run, error, run->command->spec->name, strlen(run->command->spec->name));
    return false;
}

/* DEL(target observed), content re-created under target, DEL(source observed) (crdt-semantics.md 2,
 * RENAME).  Of a stream that has groups alone nothing moves: they stay behind, and without an entry
 * or a group a stream does not exist (7). */
static void move_content(CommandRun *run, Move *move)
{
    store_delete(run->store, &move->target, run->now);
    copy_content(run, &move->source, &move->target, key_type(run->store, &move->source));
    store_delete(run->store, &move->source, run->now);
}

static void run_rename(CommandRun *run)
{
    Move move;

    if (!find_move(run, &move))
        return;
    if (!move.exists) {
        run_reply_error(run, ERROR_NO_KEY);
        return;
    }
    if (!move.same)
        move_content(run, &move);
    run_reply_ok(run);
}

static void run_renamenx(CommandRun *run)
{
    Move move;

    if (!find_move(run, &move))
        return;
    if (!move.exists) {
        run_reply_error(run, ERROR_NO_KEY);
        return;
    }
    if (!move.target_exists)
        move_content(run, &move);
    run_reply_integer(run, !move.target_exists);
}

/* There is one database: 0 (AA/planning.md). */
static bool copy_read_options(CommandRun *run, bool *out_replace)
{
    *out_replace = false;
    for (uint32_t i = 2; i < run_count(run); i++) {
        int64_t database;

        if (arg_is(run_arg(run, i), "REPLACE")) {
            *out_replace = true;
        } else if (arg_is(run_arg(run, i), "DB") && i + 1 < run_count(run)) {
            if (!run_integer(run, ++i, &database))
                return false;
            if (database != 0) {
                run_reply_error(run, database > INT32_MAX || database < INT32_MIN
                                         ? "ERR value is out of range, value must between "
                                           "-2147483648 and 2147483647"
                                         : "ERR DB index is out of range");
                return false;
            }
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

static void run_copy(CommandRun *run)
{
    PayloadText source_name = run_text(run, 0);
    PayloadText target_name = run_text(run, 1);
    bool replace;
    Move move;

    if (!copy_read_options(run, &replace))
        return;
    if (source_name.data && target_name.data && payload_text_is_equal(source_name, target_name)) {
        run_reply_error(run, "ERR source and destination objects are the same");
        return;
    }
    if (!find_move(run, &move))
        return;
    if (!move.exists || (move.target_exists && !replace)) {
        run_reply_integer(run, 0);
        return;
    }
    store_delete(run->store, &move.target, run->now);
    copy_content(run, &move.source, &move.target, key_type(run->store, &move.source));
    run_reply_integer(run, 1);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("DEL", "remove keys, as far as observed", -2, true, OP_LWW, SHAPE_KEY, 0.62,
                 run_del),
    COMMAND_SPEC("UNLINK", "DEL", -2, true, OP_LWW, SHAPE_KEY, 0.62, run_del),
    COMMAND_SPEC("EXISTS", "how many of the keys exist", -2, false, OP_READ, SHAPE_KEY, 0.61,
                 run_exists),
    COMMAND_SPEC("TYPE", "type of a key", 2, false, OP_READ, SHAPE_KEY, 0.6, run_type_of),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "RENAME", "move what is observed to another key", 3, true,
                      OP_ACCUM, SHAPE_KEY, 2.0, run_rename),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "RENAMENX", "RENAME if the other key is not there", 3, true,
                      OP_CHECKED, SHAPE_KEY, 2.0, run_renamenx),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "COPY", "write what is observed under another key too", -3, true,
                      OP_LWW, SHAPE_KEY, 2.0, run_copy),
    COMMAND_SPEC("TOUCH", "how many of the keys exist", -2, false, OP_READ, SHAPE_KEY, 0.61,
                 run_exists),
};

const CommandGroup command_group_generic = {
    .head = {.name = "generic", .summary = "keys of any type: existence and names"},
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
