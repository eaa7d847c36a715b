/* A declared family of keys: one type, popularity and meaning; its ids are arithmetic.
 *
 * Immutable and shared by all members of a run.  Keys are numbered by popularity rank among those
 * the slice keeps: key id = base + kept index.  Kept indexes below hot_count are always in (weight
 * 1); the others were hash-chosen and each stands for `weight` keys.  Without a slice everything
 * has weight 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/effect.h"
#include "sim/dist.h"
#include "sim/popularity.h"

typedef enum { RETENTION_OP, RETENTION_KEY, RETENTION_TOMBSTONE } Retention;

typedef struct Family {
    const char *name;
    uint16_t index;          /* in the run's families */
    int8_t type;             /* index in CRDT_TYPES, -1: external, never in Redis */
    uint64_t key_count;      /* of the whole family */
    uint64_t kept_count;     /* in this run's slice */
    uint64_t hot_count;      /* kept indexes below this have weight 1 */
    uint32_t weight;         /* of the other kept keys */
    uint64_t base;           /* id of kept index 0; ids of families do not overlap */
    uint32_t field_count;    /* elements of a key with elements, see BodyFields; else 1 */
    const Dist *value_bytes; /* whole value */
    SimTime ttl_ns;  /* 0: keys do not expire; else the time to live set by creating writes, SET and
                        EXPIRE */
    const Dist *ttl; /* its distribution, NULL without */
    Retention retention;
    uint32_t record_bytes;     /* one history record */
    uint32_t tombstone_bytes;  /* one tombstone; 0: as a record */
    uint32_t key_name_bytes;   /* of a key's name; 0: see family_key_name_bytes */
    uint32_t field_name_bytes; /* of a hash field's name; 0: see family_field_name_bytes */
    const Popularity *popularity;
    const uint64_t *prefilled; /* bit per kept index: exists at t=0; NULL: all do */
    /* Life left at t=0 of a prefilled key of a family with ttl; NULL: uniform on (0, ttl), hashed.
     */
    int64_t (*life_left_ms)(const struct Family *family, uint64_t kept_index);
    uint64_t salt; /* of hashes that give a key its fixed properties */
} Family;

static inline uint32_t family_weight(const Family *family, uint64_t kept_index)
{
    return kept_index < family->hot_count ? 1 : family->weight;
}

static inline bool family_is_prefilled(const Family *family, uint64_t kept_index)
{
    return !family->prefilled || (family->prefilled[kept_index / 64] >> (kept_index % 64) & 1);
}

/* Bytes of names nobody gave: "family:123" with the digits of the last key, and "f1" with those of
 * the last field. */
uint32_t family_key_name_bytes(const Family *family);
uint32_t family_field_name_bytes(const Family *family);

/* Whether keys of a type (index in CRDT_TYPES) have elements, which `fields` of a scenario count.
 */
bool family_type_has_fields(int type);

/* Elements of a key that exists at the start; at least 1. */
uint32_t family_start_elements(const Family *family);

/* Size of kept_index's whole value when the family says (at the start, and when a write creates the
 * key). */
static inline uint32_t family_value_bytes(const Family *family, uint64_t kept_index)
{
    if (!family->value_bytes)
        return 0;
    return (uint32_t)dist_sample(family->value_bytes, rng_mix(family->salt ^ (kept_index + 1)));
}
