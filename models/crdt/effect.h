/* An effect: what a command ships to the other members.
 *
 * It carries its dot, the origin's wall time and the origin's observed clock before it, the key and
 * element it touches, and the outcome (a whole value, an increment, a removal).  Effects are
 * immutable once their origin has logged them; receivers only read.  Keys and elements of declared
 * families are numbers; those born during a run travel as bytes with a 64-bit hash.  Values are
 * synthetic (size and token) or bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/clock.h"
#include "models/crdt/decimal.h"
#include "sim/time.h"

#define FAMILY_NONE UINT16_MAX /* a key born during the run */

typedef enum {
    VALUE_NONE,
    VALUE_SYNTHETIC, /* size and token */
    VALUE_BYTES,     /* size and data */
    VALUE_INTEGER,   /* number is an int64 */
    VALUE_SCORE,     /* number is the bits of a double */
} ValueKind;

typedef struct {
    uint64_t number;  /* token, integer, or bits of a double, as kind says */
    const char *data; /* VALUE_BYTES; borrowed from whoever made the value */
    uint32_t bytes;
    ValueKind kind;
} Value;

typedef enum {
    EFFECT_ASSIGN,    /* a register's whole value: string, hash field, sorted-set score */
    EFFECT_INCREMENT, /* an amount; covers nothing */
    EFFECT_ADD,       /* a set's element */
    EFFECT_REMOVE,    /* one element (or the string), as far as observed */
    EFFECT_DELETE,    /* the whole key, as far as observed */
    EFFECT_EXPIRE,    /* deadline in wall ms, INT64_MAX for PERSIST */
    EFFECT_EDIT,      /* a type's own operation on a key that is one structure: crdt/body.h */
    EFFECT_PUBLISH,   /* a message for those who listen to a channel; changes no key */
} EffectOp;

typedef struct {
    Dot dot;
    WallTime ts;            /* origin's wall clock */
    Clock ctx;              /* origin's observed clock before this effect */
    uint64_t key;           /* declared: id; born, and a channel: 64-bit hash of the name */
    uint32_t element;       /* declared: index of the first element touched; PUBLISH: 1 for a shard
                               channel */
    uint32_t element_count; /* declared: how many elements, each with this value; 1 otherwise */
    Value value;    /* ASSIGN, EDIT, PUBLISH; its data lives in payload.  DELETE: effect_deletes */
    int64_t amount; /* INCREMENT: integer part, the fraction is value.number (see effect_increment);
                     * EXPIRE: the deadline; ASSIGN and ADD: the deadline set with it (family ttl,
                     * SET EX), 0: left alone */
    uint16_t family; /* FAMILY_NONE for born keys and channels */
    uint8_t op;      /* EffectOp */
    uint8_t type;    /* index in CRDT_TYPES */
    uint32_t payload_bytes;
    /* Key name, element name, real value, counter covers: see models/crdt/payload.h.  A copy of an
     * effect needs its own copy of these bytes and nothing else: receivers take value.data from
     * here. */
    const uint8_t *payload;
} Effect;

/* Whether a DELETE is one of this type: the key showed it at the origin, or held it behind the type
 * it showed (a bit per type in value.number).  Told by the effect alone, for what a delete wins
 * over. */
static inline bool effect_deletes(const Effect *effect, int type)
{
    return effect->type == type || (effect->value.number >> type & 1) != 0;
}

static inline Decimal effect_increment(const Effect *effect)
{
    return (Decimal)effect->amount * DECIMAL_ONE + (int64_t)effect->value.number;
}
