/* The bytes of an effect that are not numbers: names, real values, and what its cover takes from
 * counters.
 *
 * An effect on declared keys with synthetic values has none.  The layout is private to this module;
 * the log and the links copy it as it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "models/crdt/decimal.h"

typedef struct {
    const char *data; /* NULL: absent */
    uint32_t bytes;
} PayloadText;

/* Of texts that are there: by their bytes, then the shorter first; below 0: a comes before b. */
static inline int payload_text_compare(PayloadText a, PayloadText b)
{
    uint32_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

    return order != 0 ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static inline bool payload_text_is_equal(PayloadText a, PayloadText b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

/* One counter as its coverer saw it: the increments of origin that ctx[origin] names sum up to sum.
 */
typedef struct {
    Decimal sum;
    PayloadText element;    /* born keys */
    uint32_t element_index; /* declared keys */
    uint8_t type;           /* index in CRDT_TYPES */
    uint8_t origin;
} PayloadCover;

typedef struct {
    uint8_t *data;
    uint32_t bytes, capacity;
} PayloadWriter;

void payload_begin(PayloadWriter *writer); /* keeps the memory */
void payload_put_key(PayloadWriter *writer, PayloadText name);
void payload_put_element(PayloadWriter *writer, PayloadText name);
void payload_put_value(PayloadWriter *writer, PayloadText value);
void payload_put_edit(PayloadWriter *writer, PayloadText edit);
void payload_put_cover(PayloadWriter *writer, const PayloadCover *cover);
void payload_clear(PayloadWriter *writer);

/* Bytes of one's own layout, for the writer of an edit: as the machine has them. */
void payload_put_bytes(PayloadWriter *writer, const void *data, uint32_t bytes);

typedef struct {
    PayloadText key;
    PayloadText element;
    PayloadText value;
    PayloadText edit;
    uint32_t covers_at; /* where payload_next_cover begins */
} Payload;

/* Texts are borrowed from data. */
Payload payload_read(const uint8_t *data, uint32_t bytes);

/* Starts at payload.covers_at; false at the end. */
bool payload_next_cover(const uint8_t *data, uint32_t bytes, uint32_t *cursor, PayloadCover *out);
