/* The strict half of reading JSON: is this text well formed, and where does each value begin?
 *
 * The scanner accepts RFC 8259 and nothing more.  It decodes no value; it leaves one mark per
 * value, in document order, with which sim/json_read.c gives positions to what cJSON read.
 * Duplicate keys are found there, because two spellings ("a", "\u0061") can be one key.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "sim/json_read.h"

typedef struct {
    size_t offset, size; /* the value's bytes: "[" alone for arrays, "{" alone for objects */
    int line, column;
    int key_line, key_column; /* 0 for array items and the root */
} JsonMark;

/* The marks of every value, parents before children; NULL and error when text is not strict JSON.
 * The text must not be larger than JSON_BYTES_MAX. */
GArray *json_scan(const char *file, const char *text, size_t size, GError **error);
