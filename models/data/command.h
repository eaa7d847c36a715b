/* Commands: what a client may ask one member, and how each becomes effects.
 *
 * A command is a list of arguments; an argument is real bytes or, in a simulated workload, a
 * declared key, an element's index, a synthetic value or a number.  One implementation serves both,
 * so a workload, a conformance case and a live endpoint execute the same code.  Groups of commands
 * are a family (COMMAND_GROUPS); each group is one file that exports a table of specs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/crdt/effect.h"
#include "models/data/family.h"
#include "models/data/reply.h"
#include "sim/param.h"

#define COMMAND_GROUPS(X)                                                                          \
    X(bitfield)                                                                                    \
    X(bitmap)                                                                                      \
    X(connection)                                                                                  \
    X(expire)                                                                                      \
    X(generic)                                                                                     \
    X(geo)                                                                                         \
    X(geosearch)                                                                                   \
    X(hash)                                                                                        \
    X(hyperloglog)                                                                                 \
    X(json)                                                                                        \
    X(jsonarray)                                                                                   \
    X(jsonvalue)                                                                                   \
    X(list)                                                                                        \
    X(lpop)                                                                                        \
    X(lpos)                                                                                        \
    X(object)                                                                                      \
    X(pubsub)                                                                                      \
    X(scan)                                                                                        \
    X(set)                                                                                         \
    X(setop)                                                                                       \
    X(sort)                                                                                        \
    X(stream)                                                                                      \
    X(string)                                                                                      \
    X(text)                                                                                        \
    X(transactions)                                                                                \
    X(xclaim)                                                                                      \
    X(xgroup)                                                                                      \
    X(xinfo)                                                                                       \
    X(xread)                                                                                       \
    X(zpop)                                                                                        \
    X(zrange)                                                                                      \
    X(zset)                                                                                        \
    X(zsetop)

typedef enum {
    ARG_BYTES,
    ARG_KEY,
    ARG_ELEMENT,
    ARG_SYNTHETIC,
    ARG_INTEGER,
    ARG_SPOT, /* a share of the positions a key turns out to have, see run_spot */
} ArgKind;

typedef struct {
    uint64_t number;  /* KEY: id; ELEMENT: index; SYNTHETIC: token; INTEGER: int64; SPOT: of 2^32 */
    const char *data; /* BYTES */
    uint32_t bytes;   /* BYTES, SYNTHETIC: size */
    uint32_t count;   /* ELEMENT: how many from number on (at least 1) */
    ArgKind kind;
} Arg;

/* How dangerous it is to send a command twice, rising (after StackExchange.Redis; routing.md 1.1).
 */
typedef enum { OP_READ, OP_CHECKED, OP_LWW, OP_ACCUM } OpClass;

typedef struct CommandSpec CommandSpec;
typedef struct Key Key;               /* a key found in a store: see models/data/store_private.h */
typedef struct CommandRun CommandRun; /* one execution in progress: see models/data/command_run.h */

/* How a family's operation without explicit arguments looks (rehearsal.md 3.1, Ops). */
typedef enum {
    SHAPE_KEY,     /* the key alone: GET, HGETALL, DEL, ... */
    SHAPE_VALUE,   /* key and whole value: SET */
    SHAPE_FIELDS,  /* key and elements with values: HSET; whole value when it creates the key */
    SHAPE_MEMBERS, /* key and elements: SADD, ZINCRBY, ... */
    SHAPE_NUMBER,  /* key and an increment: INCR (16 B) */
    SHAPE_TTL,     /* key and a time to live: EXPIRE (16 B) */
    SHAPE_INDEX,   /* key and one of the positions it has: LINDEX, GETBIT */
    SHAPE_PATCH,   /* the same and a value: LSET, SETBIT, SETRANGE */
    SHAPE_RANGE,   /* key and an index range: ZREVRANGE 0 9 */
    SHAPE_WAIT,    /* key and how long to wait for something in it: BLPOP */
} CommandShape;

#define SHAPE_RANGE_COUNT 10 /* elements a workload's range is about */

/* What a command does to the life of its key, for keys in their long run (prefill "steady"). */
typedef enum {
    LIFE_BY_SHAPE, /* VALUE creates and renews, FIELDS, MEMBERS and NUMBER create, TTL renews, KEY
                      ends */
    LIFE_CREATES,  /* creates, keeps the time to live */
    LIFE_OTHER,    /* depends on what is in the key: no closed form */
} CommandLife;

struct CommandSpec {
    const char *name; /* upper case */
    const char *summary;
    int8_t arity; /* as in Redis: negative is a minimum, counts the name itself */
    bool writes;
    OpClass op_class;
    CommandShape shape;
    double relative_cost; /* service time relative to GET of a small value (scenarios/data) */
    void (*run)(CommandRun *run);
    CommandLife life;
};

typedef struct {
    PluginHead head;
    const char *serves; /* the type whose keys it works on, as TYPE replies (of keys that are one
                           structure: its name); NULL: every type, "": none */
    const CommandSpec *specs;
    size_t count;

    /* Of types whose keys are one structure, in one group of each: makes what source shows again
     * under the name of target, which shows nothing, with new dots.  For COPY and RENAME. */
    void (*copy)(CommandRun *run, const Key *source, Key *target);
} CommandGroup;

#define COMMAND_DECLARE(name) extern const CommandGroup command_group_##name;
COMMAND_GROUPS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/* A row of a group's table.  COST: user time per call against GET of 64 B, both pipelined
 * (scenarios/data/redis-service-times.csv; commands it lacks take their nearest relative's). */
#define COMMAND_SPEC(NAME, SUMMARY, ARITY, WRITES, CLASS, SHAPE, COST, RUN)                        \
    {                                                                                              \
        .name = (NAME), .summary = (SUMMARY), .arity = (ARITY), .writes = (WRITES),                \
        .op_class = (CLASS), .shape = (SHAPE), .relative_cost = (COST), .run = (RUN)               \
    }

/* The same for a command whose effect on its key's life is not its shape's. */
#define COMMAND_SPEC_LIFE(LIFE, NAME, SUMMARY, ARITY, WRITES, CLASS, SHAPE, COST, RUN)             \
    {                                                                                              \
        .name = (NAME), .summary = (SUMMARY), .arity = (ARITY), .writes = (WRITES),                \
        .op_class = (CLASS), .shape = (SHAPE), .relative_cost = (COST), .run = (RUN),              \
        .life = (LIFE)                                                                             \
    }

extern const PluginFamily command_group_family;

/* The group that copies keys of type (index in CRDT_TYPES); NULL: none does. */
const CommandGroup *command_group_that_copies(int type);

/* Any case; NULL when no group has it.  size is the name's length. */
const CommandSpec *command_find(const char *name, size_t size);
size_t command_count(void);
const CommandSpec *command_at(size_t index); /* all commands, group by group */

typedef struct {
    const CommandSpec *spec;
    const Arg *args; /* without the name: args[0] is usually the key */
    uint32_t count;
} Command;
