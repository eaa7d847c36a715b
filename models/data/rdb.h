/* One value in the form DUMP replies and RESTORE reads: what an RDB file of version 10 holds for a
 * key, then that version and a checksum (redis/redis 7.0, src/rdb.h, src/cluster.c; CRC-64 of
 * src/crc64.c).
 *
 * Plain encodings alone: strings as their bytes, collections as a count and their elements.  Redis
 * reads them like its own, which differ in their bytes: it packs small collections, writes short
 * integers as such and compresses long strings.
 */
#pragma once

#include <glib.h>

#include "models/crdt/payload.h"

typedef enum {
    RDB_STRING = 0,
    RDB_LIST = 1,
    RDB_SET = 2,
    RDB_HASH = 4,
    RDB_ZSET = 5, /* scores in binary */
} RdbKind;

typedef struct {
    GByteArray *bytes; /* NULL: only measured */
    uint64_t size;
    bool has_synthetic; /* then bytes are not the value's */
} RdbWriter;

void rdb_begin(RdbWriter *writer, RdbKind kind);
void rdb_put_count(RdbWriter *writer, uint64_t count);
void rdb_put_text(RdbWriter *writer, PayloadText text); /* data NULL: synthetic */
void rdb_put_score(RdbWriter *writer, double score);
void rdb_end(RdbWriter *writer);
