/* Why it works: most commands have one key, their first argument, so the table names only the
 * others: those with more keys, with none, or with their key elsewhere.  Positions count words as
 * Redis's COMMAND INFO does, the name being word 0 and -1 the last; tests/judge compares all
 * commands with COMMAND GETKEYS. */
#include "models/data/command_keys.h"

#include <stdlib.h>
#include <string.h>

#include "models/data/command_run.h"

typedef enum {
    KEYS_RUN,     /* words first to last, each step-th */
    KEYS_COUNTED, /* as many as word first says, behind it, and last is a destination if not 0 */
    KEYS_STREAMS, /* the first half of what follows STREAMS, which is word first or later */
    KEYS_STORE,   /* word 1, and what the options from first on say where to store */
    KEYS_SORT,    /* the same; some options take values */
} KeyForm;

typedef struct {
    const char *name;
    KeyForm form;
    int8_t first, last, step;
} KeyRow;

/* In the order of names. */
static const KeyRow rows[] = {
    {"BITOP", KEYS_RUN, 2, -1, 1},
    {"BLMOVE", KEYS_RUN, 1, 2, 1},
    {"BLMPOP", KEYS_COUNTED, 2, 0, 1},
    {"BLPOP", KEYS_RUN, 1, -2, 1},
    {"BRPOP", KEYS_RUN, 1, -2, 1},
    {"BRPOPLPUSH", KEYS_RUN, 1, 2, 1},
    {"BZMPOP", KEYS_COUNTED, 2, 0, 1},
    {"BZPOPMAX", KEYS_RUN, 1, -2, 1},
    {"BZPOPMIN", KEYS_RUN, 1, -2, 1},
    {"COPY", KEYS_RUN, 1, 2, 1},
    {"DBSIZE", KEYS_RUN, 0, 0, 0},
    {"DEL", KEYS_RUN, 1, -1, 1},
    {"DISCARD", KEYS_RUN, 0, 0, 0},
    {"ECHO", KEYS_RUN, 0, 0, 0},
    {"EXEC", KEYS_RUN, 0, 0, 0},
    {"EXISTS", KEYS_RUN, 1, -1, 1},
    {"GEORADIUS", KEYS_STORE, 6, 0, 0},
    {"GEORADIUSBYMEMBER", KEYS_STORE, 5, 0, 0},
    {"GEOSEARCHSTORE", KEYS_RUN, 1, 2, 1},
    {"JSON.MGET", KEYS_RUN, 1, -2, 1},
    {"JSON.MSET", KEYS_RUN, 1, -1, 3},
    {"KEYS", KEYS_RUN, 0, 0, 0},
    {"LCS", KEYS_RUN, 1, 2, 1},
    {"LMOVE", KEYS_RUN, 1, 2, 1},
    {"LMPOP", KEYS_COUNTED, 1, 0, 1},
    {"MGET", KEYS_RUN, 1, -1, 1},
    {"MSET", KEYS_RUN, 1, -1, 2},
    {"MSETNX", KEYS_RUN, 1, -1, 2},
    {"MULTI", KEYS_RUN, 0, 0, 0},
    {"OBJECT", KEYS_RUN, 2, 2, 1},
    {"PFCOUNT", KEYS_RUN, 1, -1, 1},
    {"PFMERGE", KEYS_RUN, 1, -1, 1},
    {"PING", KEYS_RUN, 0, 0, 0},
    {"PSUBSCRIBE", KEYS_RUN, 0, 0, 0},
    {"PUBLISH", KEYS_RUN, 0, 0, 0},
    {"PUBSUB", KEYS_RUN, 0, 0, 0},
    {"PUNSUBSCRIBE", KEYS_RUN, 0, 0, 0},
    {"RANDOMKEY", KEYS_RUN, 0, 0, 0},
    {"RENAME", KEYS_RUN, 1, 2, 1},
    {"RENAMENX", KEYS_RUN, 1, 2, 1},
    {"RPOPLPUSH", KEYS_RUN, 1, 2, 1},
    {"SCAN", KEYS_RUN, 0, 0, 0},
    {"SDIFF", KEYS_RUN, 1, -1, 1},
    {"SDIFFSTORE", KEYS_RUN, 1, -1, 1},
    {"SINTER", KEYS_RUN, 1, -1, 1},
    {"SINTERCARD", KEYS_COUNTED, 1, 0, 1},
    {"SINTERSTORE", KEYS_RUN, 1, -1, 1},
    {"SMOVE", KEYS_RUN, 1, 2, 1},
    {"SORT", KEYS_SORT, 2, 0, 0},
    {"SPUBLISH", KEYS_RUN, 0, 0, 0},
    {"SSUBSCRIBE", KEYS_RUN, 0, 0, 0},
    {"SUBSCRIBE", KEYS_RUN, 0, 0, 0},
    {"SUNION", KEYS_RUN, 1, -1, 1},
    {"SUNIONSTORE", KEYS_RUN, 1, -1, 1},
    {"SUNSUBSCRIBE", KEYS_RUN, 0, 0, 0},
    {"TOUCH", KEYS_RUN, 1, -1, 1},
    {"UNLINK", KEYS_RUN, 1, -1, 1},
    {"UNSUBSCRIBE", KEYS_RUN, 0, 0, 0},
    {"UNWATCH", KEYS_RUN, 0, 0, 0},
    {"WATCH", KEYS_RUN, 1, -1, 1},
    {"XGROUP", KEYS_RUN, 2, 2, 1},
    {"XINFO", KEYS_RUN, 2, 2, 1},
    {"XREAD", KEYS_STREAMS, 1, 0, 0},
    {"XREADGROUP", KEYS_STREAMS, 4, 0, 0},
    {"ZDIFF", KEYS_COUNTED, 1, 0, 1},
    {"ZDIFFSTORE", KEYS_COUNTED, 2, 1, 1},
    {"ZINTER", KEYS_COUNTED, 1, 0, 1},
    {"ZINTERCARD", KEYS_COUNTED, 1, 0, 1},
    {"ZINTERSTORE", KEYS_COUNTED, 2, 1, 1},
    {"ZMPOP", KEYS_COUNTED, 1, 0, 1},
    {"ZRANGESTORE", KEYS_RUN, 1, 2, 1},
    {"ZUNION", KEYS_COUNTED, 1, 0, 1},
    {"ZUNIONSTORE", KEYS_COUNTED, 2, 1, 1},
};

static int compare_row(const void *name, const void *row)
{
    return strcmp(name, ((const KeyRow *)row)->name);
}

static CommandKeys keys_in_run(const KeyRow *row, uint32_t word_count)
{
    int64_t last = row->last < 0 ? (int64_t)word_count + row->last : row->last;

    last = MIN(last, (int64_t)word_count - 1);
    if (row->first == 0 || last < row->first)
        return (CommandKeys){0};
    return (CommandKeys){.first = (uint32_t)row->first - 1,
                         .count = (uint32_t)((last - row->first) / row->step + 1),
                         .step = (uint32_t)row->step};
}

static CommandKeys keys_counted(const KeyRow *row, const Command *command)
{
    uint32_t first = (uint32_t)row->first; /* the word behind the count, as an argument */
    int64_t count;

    if (first > command->count || command->args[first - 1].kind != ARG_BYTES ||
        !integer_parse(command->args[first - 1].data, command->args[first - 1].bytes, &count) ||
        count < 1 || count > command->count - first)
        return (CommandKeys){0};
    return (CommandKeys){.first = first,
                         .count = (uint32_t)count,
                         .step = 1,
                         .has_other = row->last > 0,
                         .other = row->last > 0 ? (uint32_t)row->last - 1 : 0};
}

static CommandKeys keys_behind_streams(const KeyRow *row, const Command *command)
{
    uint32_t at = (uint32_t)row->first - 1;

    while (at < command->count && !arg_is(&command->args[at], "STREAMS"))
        at++;
    if (at >= command->count)
        return (CommandKeys){0};
    return (CommandKeys){.first = at + 1, .count = (command->count - at - 1) / 2, .step = 1};
}

/* How many values an option of SORT takes that must not be mistaken for options. */
static uint32_t values_of(const Arg *option)
{
    static const struct {
        const char *name;
        uint32_t count;
    } options[] = {{"BY", 1}, {"GET", 1}, {"LIMIT", 2}};

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (arg_is(option, options[i].name))
            return options[i].count;
    return 0;
}

/* Of several places to store, the last one counts. */
static CommandKeys keys_with_store(const KeyRow *row, const Command *command)
{
    CommandKeys keys = {.count = 1, .step = 1};

    for (uint32_t at = (uint32_t)row->first - 1; at + 1 < command->count; at++) {
        const Arg *option = &command->args[at];

        if (arg_is(option, "STORE") || arg_is(option, "STOREDIST")) {
            keys.has_other = true;
            keys.other = ++at;
        } else if (row->form == KEYS_SORT) {
            at += values_of(option);
        }
    }
    return keys;
}

static const KeyRow *row_of(const CommandSpec *spec)
{
    static const KeyRow first_argument = {"", KEYS_RUN, 1, 1, 1};
    const KeyRow *row = bsearch(spec->name, rows, G_N_ELEMENTS(rows), sizeof(rows[0]), compare_row);

    return row ? row : &first_argument;
}

bool command_names_keys(const CommandSpec *spec)
{
    const KeyRow *row = row_of(spec);

    return row->form != KEYS_RUN || row->first > 0;
}

CommandKeys command_keys(const Command *command)
{
    const KeyRow *row = row_of(command->spec);

    switch (row->form) {
    case KEYS_COUNTED:
        return keys_counted(row, command);
    case KEYS_STREAMS:
        return keys_behind_streams(row, command);
    case KEYS_STORE:
    case KEYS_SORT:
        return keys_with_store(row, command);
    case KEYS_RUN:
        break;
    }
    return keys_in_run(row, command->count + 1);
}

bool command_may_cross_slots(const CommandSpec *spec)
{
    static const char *const names[] = {"MGET", "EXISTS", "TOUCH", "JSON.MGET"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(spec->name, names[i]) == 0)
            return true;
    return false;
}

static bool joins(const Arg *key, int *slot)
{
    int own;

    if (key->kind != ARG_BYTES)
        return true;
    own = hash_slot_of((PayloadText){key->data, key->bytes});
    if (*slot == HASH_SLOT_NONE)
        *slot = own;
    return own == *slot;
}

bool command_keys_share_slot(const Command *command, int *slot)
{
    CommandKeys keys = command_keys(command);
    int common = *slot;

    if (keys.has_other && !joins(&command->args[keys.other], &common))
        return false;
    for (uint32_t i = 0; i < keys.count; i++)
        if (!joins(&command->args[keys.first + i * keys.step], &common))
            return false;
    *slot = common;
    return true;
}
