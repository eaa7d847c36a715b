/* Commands on strings and counters.
 *
 * Why it works: whatever edits a string replicates the whole resulting value, so concurrent edits
 * are last writer wins; INCR and its like replicate the amount, so they add up
 * (crdt-semantics.md 3.1, 3.3). */
#include <string.h>

#include <glib.h>

#include "models/data/command_run.h"

#define STRING_BYTES_MAX (512 * 1024 * 1024)
#define DEADLINE_MS_MAX  (INT64_C(1) << 49)

static const ElementRef whole = {0};

typedef struct {
    bool nx, xx, get, keep_ttl;
    int64_t deadline_ms; /* 0: none given */
} SetOptions;

static bool set_read_deadline(CommandRun *run, uint32_t index, SetOptions *options)
{
    const Arg *unit = run_arg(run, index);
    int64_t unit_ms = arg_is(unit, "EX") || arg_is(unit, "EXAT") ? 1000 : 1;
    bool absolute = arg_is(unit, "EXAT") || arg_is(unit, "PXAT");
    int64_t amount;

    if (options->deadline_ms != 0 || options->keep_ttl || index + 1 >= run_count(run)) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (!run_integer(run, index + 1, &amount))
        return false;
    if (amount <= 0 || amount > DEADLINE_MS_MAX / unit_ms) {
        run_reply_error(run, "ERR invalid expire time in 'set' command");
        return false;
    }
    options->deadline_ms = amount * unit_ms + (absolute ? 0 : run->now.ms);
    return true;
}

static bool set_read_options(CommandRun *run, SetOptions *options)
{
    for (uint32_t i = 2; i < run_count(run); i++) {
        const Arg *arg = run_arg(run, i);

        if (arg_is(arg, "NX")) {
            options->nx = true;
        } else if (arg_is(arg, "XX")) {
            options->xx = true;
        } else if (arg_is(arg, "GET")) {
            options->get = true;
        } else if (arg_is(arg, "KEEPTTL") && options->deadline_ms == 0) {
            options->keep_ttl = true;
        } else if (arg_is(arg, "EX") || arg_is(arg, "PX") || arg_is(arg, "EXAT") ||
                   arg_is(arg, "PXAT")) {
            if (!set_read_deadline(run, i++, options))
                return false;
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    if (options->nx && options->xx) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    return true;
}

/* A SET without a deadline drops the one there was (PERSIST), or sets its family's
 * (rehearsal.md 3.1). */
static int64_t set_deadline(CommandRun *run, const Key *key, const SetOptions *options)
{
    if (options->keep_ttl || options->deadline_ms != 0)
        return options->deadline_ms;
    if (key->state && key->state->family->ttl_ns != 0)
        return store_family_deadline_ms(run->store, key, run->now);
    return key_deadline_ms(run->store, key) == DEADLINE_NONE ? 0 : DEADLINE_NONE;
}

/* Assigns the whole string.  A value of another type shown under the name is deleted first. */
static void set_value(CommandRun *run, Key *key, Value value, const SetOptions *options)
{
    LocalWrite write = {
        .op = EFFECT_ASSIGN, .type = run_type(key, CRDT_STRING), .value = value, .now = run->now};

    if (!key->state && key->born && key_type(run->store, key) > CRDT_STRING)
        store_delete(run->store, key, run->now);
    write.deadline_ms = set_deadline(run, key, options);
    if (!run_set_sketch(run, key, &write))
        store_write(run->store, key, &write);
}

static void reply_value(CommandRun *run, const Key *key, bool exists)
{
    ViewText text;
    SlotView view;

    if (!exists) {
        run_reply_nil(run);
        return;
    }
    view = run_view(run, key, run_type(key, CRDT_STRING), &whole);
    view_text(&view, &text);
    run_reply_text(run, text.text);
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
    if (!run_find_to_write(run, 0, options.get ? CRDT_STRING : -1, &key, asks ? &exists : NULL) ||
        !family_takes_strings(run, &key))
        return;
    if (options.get)
        reply_value(run, &key, exists);
    else if (options.nx ? exists : options.xx && !exists)
        run_reply_nil(run);
    else
        run_reply_ok(run);
    if (!(options.nx ? exists : options.xx && !exists))
        set_value(run, &key, run_value(run, &key, 1), &options);
}

static void run_setnx(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, -1, &key, &exists) || !family_takes_strings(run, &key))
        return;
    if (!exists)
        set_value(run, &key, run_value(run, &key, 1), &(SetOptions){0});
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
    set_value(run, &key, run_value(run, &key, 2), &options);
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

static void run_get(CommandRun *run)
{
    bool exists;
    Key key;

    if (run_find(run, 0, CRDT_STRING, &key, &exists))
        reply_value(run, &key, exists);
    else
        run_get_sketch(run);
}

static void run_getset(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
        return;
    reply_value(run, &key, exists);
    set_value(run, &key, run_value(run, &key, 1), &(SetOptions){0});
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

static void run_mget(CommandRun *run)
{
    run_reply_array(run, run_count(run));
    for (uint32_t i = 0; i < run_count(run); i++) {
        Reply array = *run->reply;
        bool exists;
        Key key;
        SlotView view;
        ViewText text;

        if (!run_find(run, i, CRDT_STRING, &key, &exists))
            *run->reply = array; /* a key of another type reads as nil */
        else if (exists) {
            view = run_view(run, &key, run_type(&key, CRDT_STRING), &whole);
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
        run_reply_error(run, "ERR wrong number of arguments for 'mset' command");
        return;
    }
    for (uint32_t i = 0; i < run_count(run); i += 2) {
        if (!run_find_to_write(run, i, -1, &key, &exists) || !family_takes_strings(run, &key))
            return;
        set_value(run, &key, run_value(run, &key, i + 1), &(SetOptions){0});
    }
    run_reply_ok(run);
}

/* --- edits: the old text, changed, assigned as a whole; the deadline stays */

static bool find_text(CommandRun *run, bool to_write, Key *out, ViewText *out_text)
{
    SlotView view = {0};
    bool exists;

    if (!(to_write ? run_find_to_write : run_find)(run, 0, CRDT_STRING, out, &exists))
        return false;
    *out_text = (ViewText){.text = {.data = "", .bytes = 0}};
    if (exists) {
        view = run_view(run, out, run_type(out, CRDT_STRING), &whole);
        view_text(&view, out_text);
    }
    return true;
}

/* text is freed; NULL stands for synthetic bytes. */
static void assign_edited(CommandRun *run, Key *key, char *text, uint64_t bytes)
{
    Value value = {
        .kind = text ? VALUE_BYTES : VALUE_SYNTHETIC, .data = text, .bytes = (uint32_t)bytes};

    set_value(run, key, value, &(SetOptions){.keep_ttl = true});
    g_free(text);
}

static void run_append(CommandRun *run)
{
    PayloadText tail = run_text(run, 1);
    char *edited = NULL;
    ViewText old;
    uint64_t bytes;
    Key key;

    if (!find_text(run, true, &key, &old))
        return;
    bytes = (uint64_t)old.text.bytes + tail.bytes;
    if (bytes > STRING_BYTES_MAX) {
        run_reply_error(run, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        return;
    }
    if (old.text.data && tail.data) {
        edited = g_malloc(bytes + 1);
        memcpy(edited, old.text.data, old.text.bytes);
        memcpy(edited + old.text.bytes, tail.data, tail.bytes);
    }
    assign_edited(run, &key, edited, bytes);
    run_reply_integer(run, (int64_t)bytes);
}

static void run_strlen(CommandRun *run)
{
    ViewText text;
    Key key;

    if (find_text(run, false, &key, &text))
        run_reply_integer(run, text.text.bytes);
}

static void run_setrange(CommandRun *run)
{
    PayloadText patch = run_text(run, 2);
    char *edited = NULL;
    int64_t offset;
    uint64_t bytes;
    ViewText old;
    Key key;

    if (!run_integer(run, 1, &offset))
        return;
    if (offset < 0) {
        run_reply_error(run, "ERR offset is out of range");
        return;
    }
    if (!find_text(run, true, &key, &old))
        return;
    bytes = (uint64_t)offset + patch.bytes;
    if (bytes > STRING_BYTES_MAX || offset > STRING_BYTES_MAX) {
        run_reply_error(run, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        return;
    }
    if (patch.bytes == 0) {
        run_reply_integer(run, old.text.bytes);
        return;
    }
    bytes = MAX(bytes, old.text.bytes);
    if (old.text.data && patch.data) {
        edited = g_malloc0(bytes + 1);
        memcpy(edited, old.text.data, old.text.bytes);
        memcpy(edited + offset, patch.data, patch.bytes);
    }
    assign_edited(run, &key, edited, bytes);
    run_reply_integer(run, (int64_t)bytes);
}

static void run_getrange(CommandRun *run)
{
    int64_t start;
    int64_t end;
    ViewText text;
    int64_t bytes;
    Key key;

    if (!run_integer(run, 1, &start) || !run_integer(run, 2, &end) ||
        !find_text(run, false, &key, &text))
        return;
    bytes = text.text.bytes;
    start = start < 0 ? MAX(start + bytes, 0) : start;
    end = end < 0 ? MAX(end + bytes, 0) : MIN(end, bytes - 1);
    if (bytes == 0 || start > end)
        run_reply_text(run, (PayloadText){"", 0});
    else
        run_reply_text(run, (PayloadText){text.text.data ? text.text.data + start : NULL,
                                          (uint32_t)(end - start + 1)});
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
    PayloadText text = run_text(run, 1);
    IncrementWrite write = {.not_a_number = ERROR_FLOAT};
    char buffer[DECIMAL_TEXT_MAX];
    Decimal value;
    bool exists;
    Key key;

    if (!text.data || !decimal_parse(text.data, text.bytes, &write.amount)) {
        run_reply_error(run, ERROR_FLOAT);
        return;
    }
    if (!run_find_to_write(run, 0, CRDT_STRING, &key, &exists))
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
    COMMAND_SPEC_LIFE(LIFE_CREATES, "APPEND", "lengthen; concurrent ones are lost", 3, true,
                      OP_ACCUM, SHAPE_VALUE, 1.15, run_append),
    COMMAND_SPEC("STRLEN", "length of the value", 2, false, OP_READ, SHAPE_KEY, 0.95, run_strlen),
    COMMAND_SPEC_LIFE(LIFE_CREATES, "SETRANGE", "overwrite a part", 4, true, OP_LWW, SHAPE_VALUE,
                      1.13, run_setrange),
    COMMAND_SPEC("GETRANGE", "a part of the value", 4, false, OP_READ, SHAPE_KEY, 1.0,
                 run_getrange),
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
