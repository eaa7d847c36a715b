/* What a value takes when its parts are known one by one, and change one by one.
 *
 * footprint.h asks how a whole family looks; a simulated member knows each key's own elements, and
 * may not count them again for every write.  A FootprintSum adds up what the encodings depend on;
 * adding and taking away an element are a few additions, and the bytes follow from the sum alone.
 * For equal elements they are those of footprint_key_bytes, which a test holds them to.
 *
 * Whole bytes; inside models/data only.  Simplified: a value is as loading its present elements
 * would leave it.  Redis does not pack a hash, set or sorted set again once it has shrunk, and
 * members of one group would then weigh the same content differently.
 */
#pragma once

#include "models/crdt/payload.h"
#include "models/data/footprint.h"

/* Of fields, members or scored members; one element is a sum of one. */
typedef struct {
    int64_t elements;
    int64_t packed_bytes; /* as entries of a listpack */
    int64_t string_bytes; /* as strings of their own */
    int64_t long_count;   /* elements past the listpack's limit of length */
    int64_t text_count;   /* members that are no whole numbers */
    int64_t wide_count;   /* members past 16 bits, of these ... */
    int64_t widest_count; /* ... past 32 bits */
} FootprintSum;

/* Texts without data are of unknown content: no numbers. */
FootprintSum footprint_field(const FootprintRules *rules, PayloadText name, PayloadText value);
FootprintSum footprint_member(const FootprintRules *rules, PayloadText member);
FootprintSum footprint_scored_member(const FootprintRules *rules, PayloadText member,
                                     uint64_t score_bytes);
/* A score as a listpack keeps it: a whole number, or its 17 significant digits. */
uint64_t footprint_score(double score);

void footprint_sum_add(FootprintSum *sum, const FootprintSum *other, int64_t times);

/* Of a hash, set or sorted set with its object, without name and entry of the key; 0 elements take
 * nothing. */
int64_t footprint_sum_bytes(const FootprintRules *rules, FootprintType type,
                            const FootprintSum *sum);

/* The same of what is no sum of elements. */
int64_t footprint_text_bytes(const FootprintRules *rules, uint64_t len); /* a string's text */
int64_t footprint_number_bytes(const FootprintRules *rules, int64_t number);
int64_t footprint_list_bytes(const FootprintRules *rules, uint64_t items, uint64_t text_bytes);
/* Entries of one field each; ids are a second apart. */
int64_t footprint_stream_bytes(const FootprintRules *rules, uint64_t entries, uint64_t text_bytes);
/* From the sketch's encoded length, which tells in which steps its buffer grew. */
int64_t footprint_sketch_bytes(const FootprintRules *rules, uint64_t encoded_bytes);
/* Simplified: no layout of documents is published; redis.io's page "Redis JSON RAM usage" gives 24
 * bytes for every value and what a text holds beside them. */
int64_t footprint_json_bytes(const FootprintRules *rules, uint64_t values, uint64_t text_bytes);

/* Name and entry of a key; its entry among the expiries. */
int64_t footprint_name_bytes(const FootprintRules *rules, uint64_t key_len);
int64_t footprint_expiry_bytes(const FootprintRules *rules);
