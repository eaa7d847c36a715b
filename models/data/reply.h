/* A reply as a Redis client would see it.
 *
 * The tree lives in the arena of whoever asked (conformance, live endpoints).  A simulated workload
 * asks for no tree: it gets kind, size and, for integers, the number, and nothing is allocated.
 */
#pragma once

#include <stdint.h>

#include "sim/arena.h"

typedef enum {
    REPLY_NIL,
    REPLY_STATUS, /* +OK */
    REPLY_ERROR,  /* text begins with its code: "WRONGTYPE Operation ..." */
    REPLY_INTEGER,
    REPLY_BULK,
    REPLY_ARRAY,
    REPLY_SEVERAL, /* as an ARRAY, but each item is a reply of its own: SUBSCRIBE a b */
} ReplyKind;

typedef struct Reply {
    ReplyKind kind;
    int64_t integer;
    const char *text;    /* STATUS, ERROR, BULK (may hold NULs); NULL when no tree was asked for */
    uint64_t bytes;      /* of text, or of everything below: what the reply weighs on the wire */
    uint32_t count;      /* ARRAY, SEVERAL */
    struct Reply *items; /* likewise; NULL when no tree was asked for */
} Reply;
