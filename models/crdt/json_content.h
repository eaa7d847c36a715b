/* JSON values as bytes: what an edit carries and what a JSON text is read into.
 *
 * A value is a head (kind and number, text or count) followed by its children in document order; an
 * object's children come each after its key.  Numbers without fraction and exponent stay integers
 * while they fit int64; others are doubles and print as the shortest text that reads back.
 * Simplified: integers past int64 become doubles (RedisJSON keeps those below 2^64).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/payload.h"

#define JSON_NESTING_MAX 128 /* as the parser of RedisJSON allows */

typedef enum {
    CONTENT_NULL,
    CONTENT_BOOL,
    CONTENT_INTEGER,
    CONTENT_DOUBLE,
    CONTENT_TEXT,
    CONTENT_ARRAY,
    CONTENT_OBJECT,
    CONTENT_OPAQUE, /* a synthetic value: size and token, no structure */
} ContentKind;

typedef struct {
    ContentKind kind;
    union {
        bool truth;
        int64_t integer;
        double real;
        uint64_t token;
        PayloadText text; /* borrowed */
    };
    uint32_t count; /* children of arrays and objects; bytes of opaque values */
} Content;

/* Reads a JSON text and appends its value.  A key that comes twice keeps its first place and its
 * last value.  False, with a message for the client: not JSON, or nested too deeply. */
bool content_parse(PayloadText text, PayloadWriter *out, GString *message);

void content_put(PayloadWriter *out, const Content *head);
void content_put_key(PayloadWriter *out, PayloadText key);

/* The head at *cursor; the children follow.  The bytes are our own, so damage is a bug of ours. */
Content content_read(PayloadText bytes, uint32_t *cursor);
PayloadText content_read_key(PayloadText bytes, uint32_t *cursor);
/* Moves past one whole value and returns how many values it is made of, itself included. */
uint32_t content_skip(PayloadText bytes, uint32_t *cursor);

void content_print_scalar(const Content *head, GString *out);
void content_print_text(PayloadText text, GString *out); /* in double quotes, escaped */
void content_print_double(double number, GString *out);

/* How deep the value is nested; a scalar is 1. */
uint32_t content_depth(PayloadText bytes);
