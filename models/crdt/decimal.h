/* Decimal numbers with 17 places: what increments are made of.
 *
 * Binary floating point depends on the order of additions; replicated increments arrive in any
 * order.  So amounts are integers counted in 10^-17, and adding them is exact.  The integer part is
 * bounded like an int64, which leaves room for the sums of all members.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __int128 Decimal;

#define DECIMAL_PLACES   17
#define DECIMAL_ONE      INT64_C(100000000000000000)
#define DECIMAL_TEXT_MAX 48

typedef enum {
    DECIMAL_READ,
    DECIMAL_MALFORMED, /* no number, or none that Redis's long double holds */
    DECIMAL_TOO_LARGE, /* such a number, but the integer part does not fit an int64 */
    DECIMAL_INFINITE,
} DecimalReading;

/* The whole text, with sign, point and exponent, or hexadecimal, as Redis reads what INCRBYFLOAT
 * takes: rounded to 17 places.  *out is left alone unless it was read. */
DecimalReading decimal_read(const char *text, size_t size, Decimal *out);
bool decimal_parse(const char *text, size_t size, Decimal *out); /* whether it was read */

/* Shortest text: no trailing zeros, no exponent.  Returns its length. */
size_t decimal_format(Decimal value, char buffer[DECIMAL_TEXT_MAX]);

bool decimal_from_double(double value, Decimal *out); /* by its shortest text */
double decimal_to_double(Decimal value);              /* the nearest */
bool decimal_in_range(Decimal value);                 /* the integer part fits an int64 */

static inline bool decimal_is_integer(Decimal value)
{
    return value % DECIMAL_ONE == 0;
}

/* Redis's own reading of an int64: optional minus, no leading zeros, no blanks. */
bool integer_parse(const char *text, size_t size, int64_t *out);

/* The shortest text that reads back as the same double ("inf", "-inf" for infinities). */
size_t double_format(double value, char buffer[DECIMAL_TEXT_MAX]);

/* The whole text, also inf, never nan.  As Redis reads a score: what is too large or too small for
 * a double is no number. */
bool double_parse(const char *text, size_t size, double *out);

/* Likewise, but as strtod alone does: infinite or 0 then. */
bool double_parse_any(const char *text, size_t size, double *out);
