/* BITFIELD: integers of any width inside a string (crdt-semantics.md 3.2).
 *
 * Why it works: all operations are read before any is done, the string is edited in a copy, and
 * what replicates is the whole resulting value, INCRBY included.  Overflow is decided on the exact
 * result, which 128 bits always hold. */
#include <string.h>

#include <glib.h>

#include "models/data/string_edit.h"

typedef enum { OVERFLOW_WRAP, OVERFLOW_SAT, OVERFLOW_FAIL } Overflow;
typedef enum { FIELD_GET, FIELD_SET, FIELD_INCRBY } FieldVerb;

typedef struct {
    FieldVerb verb;
    Overflow overflow;
    bool is_signed;
    uint32_t bits;
    int64_t offset; /* in bits */
    int64_t number;
} FieldOperation;

typedef struct {
    FieldOperation *items;
    uint32_t count;
    int64_t write_end; /* bits that writes need; 0: no writes */
} FieldProgram;

static bool read_type(CommandRun *run, uint32_t index, FieldOperation *out)
{
    PayloadText text = run_text(run, index);
    int64_t bits = 0;

    out->is_signed = text.data && text.bytes > 0 && text.data[0] == 'i';
    if (text.data && text.bytes > 1 && (out->is_signed || text.data[0] == 'u') &&
        integer_parse(text.data + 1, text.bytes - 1, &bits) && bits >= 1 &&
        bits <= (out->is_signed ? 64 : 63)) {
        out->bits = (uint32_t)bits;
        return true;
    }
    run_reply_error(run,
                    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not "
                    "supported but i64 is.");
    return false;
}

/* "#3" is the third field of that width. */
static bool read_offset(CommandRun *run, uint32_t index, FieldOperation *out)
{
    PayloadText text = run_text(run, index);
    bool in_fields = text.data && text.bytes > 0 && text.data[0] == '#';
    int64_t unit = in_fields ? out->bits : 1;

    if (text.data && integer_parse(text.data + in_fields, text.bytes - in_fields, &out->offset) &&
        out->offset >= 0 && out->offset <= INT64_MAX / unit) {
        out->offset *= unit;
        if (out->offset / 8 < STRING_BYTES_MAX)
            return true;
    }
    run_reply_error(run, "ERR bit offset is not an integer or out of range");
    return false;
}

static bool read_overflow(CommandRun *run, uint32_t index, Overflow *out)
{
    const Arg *arg = run_arg(run, index);

    if (arg_is(arg, "WRAP"))
        *out = OVERFLOW_WRAP;
    else if (arg_is(arg, "SAT"))
        *out = OVERFLOW_SAT;
    else if (arg_is(arg, "FAIL"))
        *out = OVERFLOW_FAIL;
    else {
        run_reply_error(run, "ERR Invalid OVERFLOW type specified");
        return false;
    }
    return true;
}

/* One operation; *index moves to its last argument. */
static bool read_operation(CommandRun *run, uint32_t *index, FieldOperation *out)
{
    const Arg *verb = run_arg(run, *index);
    uint32_t left = run_count(run) - *index - 1;
    uint32_t at = *index;

    if (arg_is(verb, "GET") && left >= 2) {
        out->verb = FIELD_GET;
    } else if (arg_is(verb, "SET") && left >= 3) {
        out->verb = FIELD_SET;
    } else if (arg_is(verb, "INCRBY") && left >= 3) {
        out->verb = FIELD_INCRBY;
    } else {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (!read_type(run, at + 1, out) || !read_offset(run, at + 2, out))
        return false;
    *index = at + (out->verb == FIELD_GET ? 2 : 3);
    return out->verb == FIELD_GET || run_integer(run, at + 3, &out->number);
}

static bool read_program(CommandRun *run, FieldProgram *program)
{
    Overflow overflow = OVERFLOW_WRAP;

    for (uint32_t i = 1; i < run_count(run); i++) {
        FieldOperation *operation = &program->items[program->count];

        if (arg_is(run_arg(run, i), "OVERFLOW") && i + 1 < run_count(run)) {
            if (!read_overflow(run, ++i, &overflow))
                return false;
            continue;
        }
        operation->overflow = overflow;
        if (!read_operation(run, &i, operation))
            return false;
        program->count++;
        if (operation->verb != FIELD_GET)
            program->write_end = MAX(program->write_end, operation->offset + operation->bits);
    }
    return true;
}

static unsigned __int128 field_mask(uint32_t bits)
{
    return ((unsigned __int128)1 << bits) - 1;
}

static __int128 field_read(PayloadText text, const FieldOperation *field)
{
    unsigned __int128 value = 0;

    for (int64_t i = field->offset; i < field->offset + field->bits; i++) {
        unsigned byte = text.data && i / 8 < text.bytes ? (unsigned char)text.data[i / 8] : 0;

        value = value << 1 | (byte >> (7 - i % 8) & 1);
    }
    if (field->is_signed && value >> (field->bits - 1) & 1)
        return (__int128)value - ((__int128)1 << field->bits);
    return (__int128)value;
}

static void field_store(char *text, const FieldOperation *field, __int128 value)
{
    for (uint32_t i = 0; i < field->bits; i++) {
        int64_t at = field->offset + i;
        unsigned mask = 0x80U >> (at % 8);
        unsigned byte = (unsigned char)text[at / 8];
        bool bit = (unsigned __int128)value >> (field->bits - 1 - i) & 1;

        text[at / 8] = (char)(bit ? byte | mask : byte & ~mask);
    }
}

/* Where the distance from a number to the top of a narrow signed field takes more than 63 bits,
 * Redis takes it for too high. */
static bool is_above(const FieldOperation *field, __int128 value, __int128 high)
{
    return value > high || (field->verb == FIELD_SET && field->is_signed && field->bits < 64 &&
                            high - value > INT64_MAX);
}

/* The exact result as the field can hold it; false: it does not fit, and must not be written. */
static bool field_fit(const FieldOperation *field, __int128 *value)
{
    __int128 high = (__int128)field_mask(field->is_signed ? field->bits - 1 : field->bits);
    __int128 low = field->is_signed ? -high - 1 : 0;
    unsigned __int128 wrapped = (unsigned __int128)*value & field_mask(field->bits);

    if (*value >= low && *value <= high)
        return true;
    if (field->overflow == OVERFLOW_SAT)
        *value = is_above(field, *value, high) ? high : low;
    else
        *value = field->is_signed && wrapped >> (field->bits - 1) & 1
                     ? (__int128)wrapped - ((__int128)1 << field->bits)
                     : (__int128)wrapped;
    return field->overflow != OVERFLOW_FAIL;
}

/* What is set in an unsigned field is read as unsigned, so that -1 is past its top. */
static void run_one(CommandRun *run, const FieldOperation *field, PayloadText view, char *edited)
{
    __int128 old = field_read(view, field);
    __int128 value = field->verb == FIELD_INCRBY ? old + field->number
                     : field->is_signed          ? (__int128)field->number
                                                 : (__int128)(uint64_t)field->number;

    if (field->verb == FIELD_GET) {
        run_push_integer(run, (int64_t)old);
    } else if (!field_fit(field, &value)) {
        run_push_nil(run);
    } else {
        if (edited)
            field_store(edited, field, value);
        run_push_integer(run, (int64_t)(field->verb == FIELD_SET ? old : value));
    }
}

static void run_program(CommandRun *run, const FieldProgram *program)
{
    bool writes = program->write_end > 0;
    char *edited = NULL;
    ViewText old;
    PayloadText view;
    Key key;

    if (!(writes ? string_find_to_write : string_find)(run, 0, &key, &old))
        return;
    view = old.text;
    if (writes) {
        view.bytes = MAX(view.bytes, (uint32_t)((program->write_end + 7) / 8));
        edited = string_copy(old.text, view.bytes);
        view.data = edited;
    }
    run_reply_array(run, program->count);
    for (uint32_t i = 0; i < program->count; i++)
        run_one(run, &program->items[i], view, edited);
    if (writes)
        string_assign_edited(run, &key, edited, view.bytes);
}

static void bitfield(CommandRun *run, bool reads_only)
{
    FieldProgram program = {.items = g_new0(FieldOperation, run_count(run))};

    if (read_program(run, &program)) {
        if (reads_only && program.write_end > 0)
            run_reply_error(run, "ERR BITFIELD_RO only supports the GET subcommand");
        else
            run_program(run, &program);
    }
    g_free(program.items);
}

static void run_bitfield(CommandRun *run)
{
    bitfield(run, false);
}

static void run_bitfield_ro(CommandRun *run)
{
    bitfield(run, true);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_CREATES, "BITFIELD", "integers inside a string; assigns the whole value",
                      -2, true, OP_ACCUM, SHAPE_KEY, 1.3, run_bitfield),
    COMMAND_SPEC("BITFIELD_RO", "integers inside a string", -2, false, OP_READ, SHAPE_KEY, 1.1,
                 run_bitfield_ro),
};

const CommandGroup command_group_bitfield = {
    .head = {.name = "bitfield", .summary = "integers inside strings"},
    .serves = "string",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
