/* What Redis 7 keeps in memory for one key of a given shape.
 *
 * The figure follows from the documented data structures and from the allocator's size classes; no
 * measurement is looked up.  tests/calibration holds measured figures to judge it by, and
 * `quintet calibrate` compares it with anybody's own.  Sources, all of Redis 7.0: the pages "Memory
 * optimization" and "Redis data types" of redis.io, redis.conf for the limits, and for the layouts
 * the comments of src/sds.h, server.h, dict.h, listpack.c, intset.h, quicklist.h, rax.h, stream.h
 * and hyperloglog.c; jemalloc's manual, section "Implementation notes", for the size classes.
 *
 * A shape says what every key of a family looks like; where content is random (numbers of different
 * widths, sketches) the figure is the mean over keys drawn from fixed streams, the same every time.
 * Bytes are those of keys as loading leaves them.  Simplified: slack that deletes and overwrites
 * leave behind, fragmentation, and active rehashing of values by later reads are not in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    FOOTPRINT_STRING,
    FOOTPRINT_HASH,
    FOOTPRINT_SET,
    FOOTPRINT_ZSET,
    FOOTPRINT_LIST,
    FOOTPRINT_STREAM,
    FOOTPRINT_HYPERLOGLOG,
    FOOTPRINT_BITMAP,
    FOOTPRINT_TYPES
} FootprintType;

/* Limits as in redis.conf, and how finely the allocator divides its smallest classes. */
typedef struct {
    uint64_t hash_max_listpack_entries;
    uint64_t hash_max_listpack_value;
    uint64_t zset_max_listpack_entries;
    uint64_t zset_max_listpack_value;
    uint64_t set_max_intset_entries;
    uint64_t list_max_listpack_bytes; /* 8192: list-max-listpack-size -2 */
    uint64_t stream_node_max_bytes;
    uint64_t stream_node_max_entries;
    uint64_t hll_sparse_max_bytes;
    uint64_t jemalloc_quantum; /* 16: distributions' jemalloc; 8: the one bundled with Redis */
} FootprintRules;

extern const FootprintRules footprint_rules_default; /* redis.conf of 7.0, quantum 16 */

/* Whole numbers as values, members or items. */
typedef struct {
    bool given;       /* the values are numbers; value_len counts for texts only */
    int64_t min, max; /* both included */
    /* 0: each drawn on its own.  Else a key's numbers count up by one, and the keys' first numbers
     * are spread over the first so many from min; past max they go on at min. */
    uint64_t starts;
} FootprintIntegers;

typedef struct {
    FootprintType type;
    uint64_t key_len;
    /* Fields, members, items, stream entries, distinct elements of a sketch, bits of a bitmap;
     * strings: not looked at.  0: there is no key, hence no bytes. */
    uint64_t elements;
    uint64_t value_len; /* of the string, or of each value, member, item */
    bool has_ttl;
    FootprintIntegers integers;
    uint64_t field_len;      /* hash and stream: of each field's name */
    uint64_t entry_fields;   /* stream: fields an entry, the same names in each */
    uint64_t entry_gap_ms;   /* stream: between the ids of two entries */
    uint64_t score_max;      /* zset: scores are spread over 0 to this */
    uint32_t score_decimals; /* zset: 0: whole scores; at most 9 */
    uint64_t growth_writes;  /* string, bitmap: in so many writes of equal length; 0: in one */
} FootprintShape;

/* Mean bytes of one key with its value and expiry, without the buckets of the keyspace. */
double footprint_key_bytes(const FootprintRules *rules, const FootprintShape *shape);

/* As OBJECT ENCODING says; "sparse" or "dense" for a HyperLogLog, whichever most keys are. */
const char *footprint_encoding(const FootprintRules *rules, const FootprintShape *shape);

/* Buckets of one of the two dictionaries of a keyspace (keys, expiries) of so many keys, and their
 * bytes once rehashing has finished; while it runs the old half is there as well. */
uint64_t footprint_keyspace_buckets(uint64_t keys);
uint64_t footprint_keyspace_bytes(uint64_t keys, uint64_t keys_with_ttl);
/* The same of keys spread evenly over shards, which are processes of their own. */
uint64_t footprint_shards_bytes(uint64_t keys, uint64_t keys_with_ttl, uint32_t shards);
