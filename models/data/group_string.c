/* Commands on strings and counters.
 *
 * Why it works: whatever edits a string replicates the whole resulting value, so concurrent edits
 * are last writer wins; INCR and its like replicate the amount, so they add up
 * (crdt-semantics.md 3.1, 3.3). */
#include <string.h>

#include <glib.h>

#include "models/data/string_edit.h"

#define DEADLINE_MS_MAX (INT64_C(1) << 49)

static const ElementRef whole = {0};

/* Where the deadline of an option stands among the arguments; it is read once all options are known
 * to be right. */
typedef struct {
    uint32_t unit_index; /* 0: none given */
    bool persist;
} DeadlineOption;

/* EX, PX, EXAT, PXAT with a number; *index moves to it. */
static bool read_deadline_option(CommandRun *run, uint32_t *index, bool excluded,
                                 DeadlineOption *option)
{
    const Arg *unit = run_arg(run, *index);

    if (!arg_is(unit, "EX") && !arg_is(unit, "PX") && !arg_is(unit, "EXAT") &&
        !arg_is(unit, "PXAT"))
        return false;
    if (option->unit_index != 0 || excluded || *index + 1 >= run_count(run))
        return false;
    option->unit_index = (*index)++;
    return true;
}

static bool read_deadline(CommandRun *run, const DeadlineOption *option, const char *error,
                          int64_t *out_ms)
{
    const Arg *unit = run_arg(run, option->unit_index);
    int64_t unit_ms = arg_is(unit, "EX") || arg_is(unit, "EXAT") ? 1000 : 1;
    bool absolute = arg_is(unit, "EXAT") || arg_is(unit, "PXAT");
    int64_t amount;

    if (option->unit_index == 0)
        return true;
    if (!run_integer(run, option->unit_index + 1, &amount))
        return false;
    if (amount <= 0 || amount > DEADLINE_MS_MAX / unit_ms) {
        run_reply_error(run, error);
        return false;
    }
    *out_ms = amount * unit_ms + (absolute ? 0 : run->now.ms);
    return true;
}

static bool set_read_options(CommandRun *run, SetOptions *options)
{
    DeadlineOption deadline = {0};
    bool right = true;

    for (uint32_t i = 2; i < run_count(run) && right; i++) {
        const Arg *arg = run_arg(run, i);

        if (arg_is(arg, "NX") && !options->xx)
            options->nx = true;
        else if (arg_is(arg, "XX") && !options->nx)
            options->xx = true;
        else if (arg_is(arg, "GET"))
            options->get = true;
        else if (arg_is(arg, "KEEPTTL") && deadline.unit_index == 0)
            options->keep_ttl = true;
        else
            right = read_deadline_option(run, &i, options->keep_ttl, &deadline);
    }
    if (!right)
        run_reply_error(run, ERROR_SYNTAX);
    return right && read_deadline(run, &deadline, "ERR invalid expire time in 'set' command",
                                  &options->deadline_ms);
}

static void reply_view(CommandRun *run, const SlotView *view)
{
    ViewText text;

    if (!view->present) {
        run_reply_nil(run);
        return;
    }
    view_text(view, &text);
    run_reply_text(run, text.text);
}

static void reply_value(CommandRun *run, const Key *key, bool exists)
{
    SlotView view = {0};

    if (exists)
        view = run_view(run, key, run_type(key, CRDT_STRING), &whole);
    reply_view(run, &view);
}

static void run_get(CommandRun *run)
{
    SlotView view;
    Key key;

    if (run_find_view(run, 0, &key, &view))
        reply_view(run, &view);
    else
        run_get_sketch(run);
}

static bool family_takes_strings(CommandRun *run, const Key *key)
{
    if (!key->state || (!key->state->type->has_elements && !key->state->type->body))
        return true;
    run_reply_error(run, ERROR_WRONGTYPE);
    return false;
}

static void run_set(CommandRun *run)
{
    SetOptions options = {0};
    bool exists = true;
    bool asks;
    Key key;

    if (run_count(run) > 2 && !set_read_options(run, &options))
        return;
    asks = options.get || options.nx || options.xx;
    if (!run_find_to_write(run, 0, -1, &key, asks ? &exists : NULL) ||
        !family_takes_strings(run, &key))
        return;
    if (options.get) {
        run_get(run);
        if (run->reply->kind == REPLY_ERROR)
            return;
    } else if (options.nx ? exists : options.xx && !exists) {
        run_reply_nil(run);
    } else {
        run_reply_ok(run);
    }
    if (!(options.nx ? exists : options.xx && !exists))
        string_assign(run, &key, run_value(run, &key, 1), &options);
}

static void run_setnx(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, -1, &key, &exists) || !family_takes_strings(run, &key))
        return;
    if (!exists)
        string_assign(run, &key, run_value(run, &key, 1), &(SetOptions){0});
    run_reply_integer(run, !exists);
}

static void set_with_ttl(CommandRun *run, int64_t unit_ms)
{
    SetOptions options = {0};
    int64_t amount;
    bool exists;
    Key key;

    if (!run_integer(run, 1, &amount))
        return;
    if (amount <= 0 || amount > DEADLINE_MS_MAX / unit_ms) {
        run_reply_error(run, unit_ms == 1 ? "ERR invalid expire time in 'psetex' command"
                                          : "ERR invalid expire time in 'setex' command");
        return;
    }
    if (!run_find_to_write(run, 0, -1, &key, &exists) || !family_takes_strings(run, &key))
        return;
    options.deadline_ms = run->now.ms + amount * unit_ms;
    string_assign(run, &key, run_value(run, &key, 2), &options);
    run_reply_ok(run);
}

static void run_setex(CommandRun *run)
{
    set_with_ttl(run, 1000);
}

static void run_psetex(CommandRun *run)
{
    set_with_ttl(run, 1);
}

static void run_getset(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
        return;
    reply_value(run, &key, exists);
    string_assign(run, &key, run_value(run, &key, 1), &(SetOptions){0});
}

static void run_getdel(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
        return;
    reply_value(run, &key, exists);
    store_delete(run->store, &key, run->now);
}

static bool getex_read_options(CommandRun *run, DeadlineOption *option)
{
    for (uint32_t i = 1; i < run_count(run); i++) {
        if (arg_is(run_arg(run, i), "PERSIST") && option->unit_index == 0)
            option->persist = true;
        else if (!read_deadline_option(run, &i, option->persist, option)) {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* A read that also writes the deadline: the value is not assigned again. */
static void run_getex(CommandRun *run)
{
    DeadlineOption option = {0};
    LocalWrite write = {.op = EFFECT_EXPIRE, .now = run->now};
    bool exists;
    Key key;

    if (!getex_read_options(run, &option) || !run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
        return;
    if (exists && !read_deadline(run, &option, "ERR invalid expire time in 'getex' command",
                                 &write.deadline_ms))
        return;
    reply_value(run, &key, exists);
    if (!exists || (write.deadline_ms == 0 && !option.persist))
        return;
    if (write.deadline_ms != 0 && write.deadline_ms <= run->now.ms) {
        store_delete(run->store, &key, run->now);
        return;
    }
    if (option.persist && key_deadline_ms(run->store, &key) == DEADLINE_NONE)
        return;
    if (option.persist)
        write.deadline_ms = DEADLINE_NONE;
    write.type = run_type(&key, CRDT_STRING);
    store_write(run->store, &key, &write);
}

static void run_mget(CommandRun *run)
{
    run_reply_array(run, run_count(run));
    for (uint32_t i = 0; i < run_count(run); i++) {
        Reply array = *run->reply;
        Key key;
        SlotView view;
        ViewText text;

        if (!run_find_view(run, i, &key, &view))
            *run->reply = array; /* a key of another type reads as nil */
        else if (view.present) {
            view_text(&view, &text);
            run_push_text(run, text.text);
            continue;
        }
        run_push_nil(run);
    }
}

static void run_mset(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_count(run) % 2 != 0) {
        run_reply_arity(run);
        return;
    }
    for (uint32_t i = 0; i < run_count(run); i += 2) {
        if (!run_find_to_write(run, i, -1, &key, &exists) || !family_takes_strings(run, &key))
            return;
        string_assign(run, &key, run_value(run, &key, i + 1), &(SetOptions){0});
    }
    run_reply_ok(run);
}

static void run_msetnx(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_count(run) % 2 != 0) {
        run_reply_arity(run);
        return;
    }
    for (uint32_t i = 0; i < run_count(run); i += 2) {
        if (!run_find(run, i, -1, &key, &exists))
            return;
        if (exists) {
            run_reply_integer(run, 0);
            return;
        }
    }
    run_mset(run);
    if (run->reply->kind != REPLY_ERROR)
        run_reply_integer(run, 1);
}

/* --- counters */

static void increment_whole(CommandRun *run, int64_t amount)
{
    IncrementWrite write = {
        .amount = (Decimal)amount * DECIMAL_ONE, .integer = true, .not_a_number = ERROR_INTEGER};
    Decimal value;
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
        return;
    write.type = run_type(&key, CRDT_STRING);
    if (run_increment_checked(run, &key, &write, &value))
        run_reply_integer(run, (int64_t)(value / DECIMAL_ONE));
}

static void run_incr(CommandRun *run)
{
    increment_whole(run, 1);
}

static void run_decr(CommandRun *run)
{
    increment_whole(run, -1);
}

/* A workload may leave the amount out: it is 1. */
static void increment_by(CommandRun *run, int64_t sign)
{
    int64_t amount = 1;

    if (run_count(run) > 1 && run_arg(run, 1)->kind != ARG_SYNTHETIC &&
        !run_integer(run, 1, &amount))
        return;
    if (sign < 0 && amount == INT64_MIN) {
        run_reply_error(run, "ERR decrement would overflow");
        return;
    }
    increment_whole(run, sign * amount);
}

static void run_incrby(CommandRun *run)
{
    increment_by(run, 1);
}

static void run_decrby(CommandRun *run)
{
    increment_by(run, -1);
}

static void run_incrbyfloat(CommandRun *run)
{
    IncrementWrite write = {.not_a_number = ERROR_FLOAT};
    char buffer[DECIMAL_TEXT_MAX];
    Decimal value;
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
        return;
    write.reading = run_amount(run, 1, &write.amount);
    if (write.reading == DECIMAL_MALFORMED)
        return;
    write.type = run_type(&key, CRDT_STRING);
    if (run_increment_checked(run, &key, &write, &value))
        run_reply_text(run, (PayloadText){buffer, (uint32_t)decimal_format(value, buffer)});
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("GET", "the value", 2, false, OP_READ, SHAPE_KEY, 1.0, run_get),
    COMMAND_SPEC("SET", "assign the value; drops the deadline", -3, true, OP_LWW, SHAPE_VALUE, 1.0,
                 run_set),
    COMMAND_SPEC("SETEX", "assign with a deadline in seconds", 4, true, OP_LWW, SHAPE_VALUE, 1.89,
                 run_setex),
    COMMAND_SPEC("PSETEX", "assign with a deadline in ms", 4, true, OP_LWW, SHAPE_VALUE, 1.89,
                 run_psetex),
    COMMAND_SPEC_LIFE(LIFE_CREATES, "SETNX", "assign if there is none here", 3, true, OP_CHECKED,
                      SHAPE_VALUE, 1.0, run_setnx),
    COMMAND_SPEC("GETSET", "assign and reply the old value", 3, true, OP_LWW, SHAPE_VALUE, 1.2,
                 run_getset),
    COMMAND_SPEC("GETDEL", "delete and reply the old value", 2, true, OP_LWW, SHAPE_KEY, 1.0,
                 run_getdel),
    COMMAND_SPEC("MGET", "values of several keys", -2, false, OP_READ, SHAPE_KEY, 6.2, run_mget),
    COMMAND_SPEC("MSET", "assign several keys", -3, true, OP_LWW, SHAPE_VALUE, 6.4, run_mset),
    COMMAND_SPEC_LIFE(LIFE_CREATES, "MSETNX", "assign several keys if none is here", -3, true,
                      OP_CHECKED, SHAPE_VALUE, 6.4, run_msetnx),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "GETEX", "the value; sets or drops the deadline", -2, true,
                      OP_LWW, SHAPE_KEY, 1.0, run_getex),
    COMMAND_SPEC("INCR", "add 1", 2, true, OP_ACCUM, SHAPE_NUMBER, 0.53, run_incr),
    COMMAND_SPEC("DECR", "subtract 1", 2, true, OP_ACCUM, SHAPE_NUMBER, 0.53, run_decr),
    COMMAND_SPEC("INCRBY", "add a whole number", 3, true, OP_ACCUM, SHAPE_NUMBER, 0.53, run_incrby),
    COMMAND_SPEC("DECRBY", "subtract a whole number", 3, true, OP_ACCUM, SHAPE_NUMBER, 0.53,
                 run_decrby),
    COMMAND_SPEC("INCRBYFLOAT", "add a decimal number", 3, true, OP_ACCUM, SHAPE_NUMBER, 0.8,
                 run_incrbyfloat),
};

const CommandGroup command_group_string = {
    .head = {.name = "string", .summary = "registers and counters"},
    .serves = "string",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
