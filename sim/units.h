/* Quantities as people write them: "85ms", "1h30m", "20GB", "5k/s", "1Gbps", "5%".
 *
 * A quantity is a value in base units (ns, bytes, per second, plain) and a dimension, so that
 * expressions can be checked before a run.  Units follow shared rules: GB is 10^9 and GiB 2^30, bps
 * are bits, k M G are powers of ten, a day is 24 h.  Parsing is exact decimal arithmetic; the
 * result never depends on locale.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/time.h"

/* Exponents of time and of bytes; {0, 0} is a plain number (counts, shares). */
typedef struct {
    int8_t time;
    int8_t bytes;
} Dimension;

static inline bool dimension_equal(Dimension a, Dimension b)
{
    return a.time == b.time && a.bytes == b.bytes;
}

typedef struct {
    double value; /* ns^time * bytes^bytes, e.g. bytes per ns for a bandwidth */
    Dimension dimension;
} Quantity;

/* The longest quantity at the start of text; *out_used is its length in bytes.  false: none there.
 */
bool quantity_parse(const char *text, Quantity *out, size_t *out_used);

/* Whole-text readers; false when text is not exactly one such quantity.  No GError: the caller
 * knows the place. */
bool parse_duration(const char *text, SimTime *out_ns); /* may be negative */
bool parse_size(const char *text, uint64_t *out_bytes);
bool parse_rate(const char *text, double *out_per_s);
bool parse_bandwidth(const char *text, uint64_t *out_bytes_per_s);
bool parse_share(const char *text, double *out);   /* "5%" or "0.05" */
bool parse_count(const char *text, uint64_t *out); /* "27M" */

/* Human text into buffer, e.g. "12m 30s", "34.2 ms", "10.8 GB", "52 k/s"; returns buffer. */
#define UNIT_TEXT_MAX 48
const char *format_duration(double ns, char buffer[UNIT_TEXT_MAX]); /* 3 significant digits */
const char *format_time(SimTime at_ns, char buffer[UNIT_TEXT_MAX]); /* exact: "1h30m", "85ms" */
const char *format_bytes(double bytes, char buffer[UNIT_TEXT_MAX]);
const char *format_count(double count, char buffer[UNIT_TEXT_MAX]);
const char *format_share(double share, char buffer[UNIT_TEXT_MAX]); /* percent */
const char *format_quantity(Quantity quantity, bool as_percent, char buffer[UNIT_TEXT_MAX]);
const char *dimension_name(Dimension dimension,
                           char buffer[UNIT_TEXT_MAX]); /* "time", "bytes per time" */
