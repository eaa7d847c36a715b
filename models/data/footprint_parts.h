/* The pieces footprints are made of: allocations, strings, listpacks, dictionaries.
 *
 * Inside models/data only.  Every *_bytes is what the allocator hands out unless its comment says
 * content.
 */
#pragma once

#include "models/data/footprint.h"

#define FOOTPRINT_OBJECT_BYTES     16 /* the head of every value: type, encoding, count, pointer */
#define FOOTPRINT_DICT_BYTES       56 /* two tables' pointers, counts and sizes */
#define FOOTPRINT_DICT_ENTRY_BYTES 24 /* key, value, next */
#define FOOTPRINT_LISTPACK_FRAME   7  /* 4 bytes of length, 2 of count, 1 that ends it */
#define FOOTPRINT_DRAWN_KEYS       64 /* keys a mean over random content is taken of */

/* The size class an allocation falls in.  0 stays 0. */
uint64_t footprint_class(const FootprintRules *rules, uint64_t bytes);

/* A string buffer that may grow: what it holds, has room for, and takes. */
typedef struct {
    uint64_t len;
    uint64_t room; /* of which len is used */
    uint64_t bytes;
} FootprintBuffer;

FootprintBuffer footprint_buffer_new(const FootprintRules *rules, uint64_t len);
/* Room for `more` bytes; asks for twice what is needed when there is none (1 MiB more at most). */
void footprint_buffer_reserve(const FootprintRules *rules, FootprintBuffer *buffer, uint64_t more);
uint64_t footprint_string_bytes(const FootprintRules *rules, uint64_t len);

/* Content of one listpack entry. */
uint64_t footprint_listpack_text(uint64_t len);
uint64_t footprint_listpack_integer(int64_t value);

/* One entry of a dictionary without what it points to. */
uint64_t footprint_dict_entry_bytes(const FootprintRules *rules);

/* The struct and the tables of a dictionary that was filled one by one after it was made for
 * `presized` elements; an insert moves `steps` buckets while the table grows. */
typedef struct {
    uint64_t elements, presized;
    uint32_t steps;
} FootprintDict;
uint64_t footprint_dict_bytes(const FootprintRules *rules, FootprintDict dict);

/* Without their object: text of a string, with it; a table, skip list or list of nodes as such,
 * without the strings of its elements. */
uint64_t footprint_string_value(const FootprintRules *rules, uint64_t len);
bool footprint_is_shared(int64_t number); /* an object all keys share, without ages for eviction */
double footprint_hash_frame(const FootprintRules *rules, uint64_t elements, bool has_long);
double footprint_set_frame(const FootprintRules *rules, uint64_t elements, bool was_intset);
double footprint_zset_frame(const FootprintRules *rules, uint64_t elements);
uint64_t footprint_intset_bytes(const FootprintRules *rules, uint64_t elements, uint64_t width);
uint64_t footprint_list_value(const FootprintRules *rules, uint64_t items, uint64_t len);

uint64_t footprint_stream_value(const FootprintRules *rules, const FootprintShape *shape);
/* The same in a time that does not depend on the entries: without walking the tree.  An empty
 * stream may exist. */
uint64_t footprint_stream_quick(const FootprintRules *rules, const FootprintShape *shape);

/* Mean bytes of the sketch's string; *out_dense is the share of drawn keys that became dense. */
double footprint_hyperloglog_value(const FootprintRules *rules, const FootprintShape *shape,
                                   double *out_dense);
