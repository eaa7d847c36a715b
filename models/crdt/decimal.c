/* Why it works: a decimal text is read digit by digit into a 128-bit integer scaled by 10^17.  The
 * integer part is below 2^63, so the scaled value stays below 2^120 and a sum of many of them
 * cannot wrap.  Rounding looks at the one digit after the last kept, so it happens once however
 * many digits are dropped. */
#include "models/crdt/decimal.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#define LIMIT ((Decimal)INT64_MAX * DECIMAL_ONE)

bool decimal_in_range(Decimal value)
{
    return value <= LIMIT && value >= -LIMIT;
}

/* The decades, and powers of two, that Redis's long double (the 80 bits of x86) has.
 *
 * Simplified: it ends within the first and the last decade, here at their ends. */
#define DECADE_MAX 4932
#define DECADE_MIN (-4951)
#define BINARY_MAX 16383
#define BINARY_MIN (-16445)

/* Reads "[+-]ddd"; false when malformed. */
static bool exponent_parse(const char *text, size_t size, int64_t *out)
{
    size_t i = 0;
    int64_t value = 0;
    bool negative = false;

    if (i < size && (text[i] == '+' || text[i] == '-'))
        negative = text[i++] == '-';
    if (i == size)
        return false;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (value < 100000000)
            value = value * 10 + (text[i] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

typedef struct {
    Decimal digits;   /* the first 35 or 36 significant ones, in hexadecimal 16 */
    int dropped;      /* the digit after them, -1: none */
    int64_t exponent; /* of the base: the number is digits * base^exponent */
    int64_t decade;   /* the place of the first digit, 0: units */
    size_t used;
    bool any;
} Mantissa;

static Mantissa mantissa_parse(const char *text, size_t size, int base)
{
    Decimal limit = base == 16 ? UINT64_MAX / 16 : LIMIT / 10;
    Mantissa mantissa = {.dropped = -1};
    bool point = false;

    for (; mantissa.used < size; mantissa.used++) {
        char c = text[mantissa.used];
        int digit = base == 16 || g_ascii_isdigit(c) ? g_ascii_xdigit_value(c) : -1;

        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (digit < 0)
            break;
        mantissa.any = true;
        mantissa.decade += !point && mantissa.digits > 0;
        mantissa.decade -= point && mantissa.digits == 0;
        if (mantissa.digits <= limit) {
            mantissa.digits = mantissa.digits * base + digit;
            mantissa.exponent -= point;
            continue;
        }
        if (mantissa.dropped < 0)
            mantissa.dropped = digit;
        mantissa.exponent += !point;
    }
    return mantissa;
}

/* "0x1.8p3" after its "0x".
 *
 * Simplified: digits after the 16th are cut off. */
static DecimalReading hexadecimal_read(const char *text, size_t size, Decimal *out)
{
    Mantissa mantissa = mantissa_parse(text, size, 16);
    Decimal value = mantissa.digits;
    int64_t exponent = 0;
    bool half = false;

    if (mantissa.used < size && (text[mantissa.used] == 'p' || text[mantissa.used] == 'P')) {
        if (!exponent_parse(text + mantissa.used + 1, size - mantissa.used - 1, &exponent))
            return DECIMAL_MALFORMED;
        mantissa.used = size;
    }
    if (!mantissa.any || mantissa.used != size ||
        (value != 0 && (4 * mantissa.decade + exponent > BINARY_MAX ||
                        4 * mantissa.decade + exponent < BINARY_MIN)))
        return DECIMAL_MALFORMED;
    for (exponent += 4 * mantissa.exponent; exponent > 0 && value != 0; exponent--) {
        if (value > INT64_MAX / 2)
            return DECIMAL_TOO_LARGE;
        value *= 2;
    }
    if (value > INT64_MAX && exponent == 0)
        return DECIMAL_TOO_LARGE;
    for (value *= DECIMAL_ONE; exponent < 0 && (value != 0 || half); exponent++) {
        half = value % 2 != 0;
        value /= 2;
    }
    value += half;
    if (!decimal_in_range(value))
        return DECIMAL_TOO_LARGE;
    *out = value;
    return DECIMAL_READ;
}

static DecimalReading decimal_read_unsigned(const char *text, size_t size, Decimal *out)
{
    Mantissa mantissa = mantissa_parse(text, size, 10);
    Decimal value = mantissa.digits;
    int dropped = MAX(mantissa.dropped, 0);
    int64_t shift;
    int64_t exponent = 0;

    if (mantissa.used < size && (text[mantissa.used] == 'e' || text[mantissa.used] == 'E')) {
        if (!exponent_parse(text + mantissa.used + 1, size - mantissa.used - 1, &exponent))
            return DECIMAL_MALFORMED;
        mantissa.used = size;
    }
    if (!mantissa.any || mantissa.used != size ||
        (value != 0 &&
         (mantissa.decade + exponent > DECADE_MAX || mantissa.decade + exponent < DECADE_MIN)))
        return DECIMAL_MALFORMED;
    for (shift = DECIMAL_PLACES + mantissa.exponent + exponent; shift > 0 && value != 0; shift--) {
        if (value > LIMIT / 10)
            return DECIMAL_TOO_LARGE;
        value *= 10;
    }
    for (; shift < 0 && (value != 0 || dropped != 0); shift++) {
        dropped = (int)(value % 10);
        value /= 10;
    }
    value += dropped >= 5;
    if (!decimal_in_range(value))
        return DECIMAL_TOO_LARGE;
    *out = value;
    return DECIMAL_READ;
}

static bool is_infinite(const char *text, size_t size)
{
    return (size == 3 && g_ascii_strncasecmp(text, "inf", 3) == 0) ||
           (size == 8 && g_ascii_strncasecmp(text, "infinity", 8) == 0);
}

DecimalReading decimal_read(const char *text, size_t size, Decimal *out)
{
    bool negative = size > 0 && text[0] == '-';
    size_t sign = size > 0 && (text[0] == '-' || text[0] == '+');
    DecimalReading reading;
    Decimal value = 0;

    text += sign;
    size -= sign;
    if (is_infinite(text, size))
        return DECIMAL_INFINITE;
    reading = size > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')
                  ? hexadecimal_read(text + 2, size - 2, &value)
                  : decimal_read_unsigned(text, size, &value);
    if (reading == DECIMAL_READ)
        *out = negative ? -value : value;
    return reading;
}

bool decimal_parse(const char *text, size_t size, Decimal *out)
{
    return decimal_read(text, size, out) == DECIMAL_READ;
}

/* Whole numbers, which counters nearly always are: one division of 128 bits instead of twenty. */
static size_t whole_format(uint64_t rest, bool negative, char buffer[DECIMAL_TEXT_MAX])
{
    size_t length = negative;

    for (uint64_t left = rest; left >= 10; left /= 10)
        length++;
    buffer[0] = '-';
    buffer[++length] = '\0';
    for (size_t at = length; at-- > negative; rest /= 10)
        buffer[at] = (char)('0' + (int)(rest % 10));
    return length;
}

size_t decimal_format(Decimal value, char buffer[DECIMAL_TEXT_MAX])
{
    char reversed[DECIMAL_TEXT_MAX];
    size_t count = 0;
    size_t length = 0;
    bool negative = value < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)value : (unsigned __int128)value;
    unsigned __int128 whole = rest / (uint64_t)DECIMAL_ONE;
    int places = DECIMAL_PLACES;

    if (whole <= UINT64_MAX && whole * (uint64_t)DECIMAL_ONE == rest)
        return whole_format((uint64_t)whole, negative, buffer);
    while (places > 0 && rest % 10 == 0) {
        rest /= 10;
        places--;
    }
    for (int i = 0; i < places; i++, rest /= 10)
        reversed[count++] = (char)('0' + (int)(rest % 10));
    if (places > 0)
        reversed[count++] = '.';
    do {
        reversed[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (negative)
        buffer[length++] = '-';
    while (count > 0)
        buffer[length++] = reversed[--count];
    buffer[length] = '\0';
    return length;
}

bool decimal_from_double(double value, Decimal *out)
{
    char text[DECIMAL_TEXT_MAX];
    size_t size = double_format(value, text);

    return decimal_parse(text, size, out);
}

/* 10^17 is 2^17 * 5^17.  The value is moved up until the quotient by 5^17 has far more bits than a
 * double; a remainder is told by its last bit, so that rounding happens once. */
double decimal_to_double(Decimal value)
{
    static const uint64_t five_17 = UINT64_C(762939453125);
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    unsigned __int128 quotient;
    uint64_t scale_bits;
    double scale;
    int moved;

    if (rest < UINT64_C(1) << 53) /* exact, and so is 10^17 */
        return (double)value / (double)DECIMAL_ONE;
    moved =
        rest >> 64 ? __builtin_clzll((uint64_t)(rest >> 64)) : 64 + __builtin_clzll((uint64_t)rest);
    rest <<= moved;
    quotient = rest / five_17;
    quotient |= rest % five_17 != 0;
    scale_bits = (uint64_t)(1023 - moved - DECIMAL_PLACES) << 52;
    memcpy(&scale, &scale_bits, sizeof(scale));
    return value < 0 ? -((double)quotient * scale) : (double)quotient * scale;
}

bool integer_parse(const char *text, size_t size, int64_t *out)
{
    bool negative = size > 0 && text[0] == '-';
    size_t i = negative;
    uint64_t value = 0;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;

    if (i == size || (text[i] == '0' && size != 1))
        return false;
    for (; i < size; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text[i] - '0';

        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

size_t double_format(double value, char buffer[DECIMAL_TEXT_MAX])
{
    if (value > 1.7976931348623157e308 || value < -1.7976931348623157e308) {
        g_strlcpy(buffer, value > 0 ? "inf" : "-inf", DECIMAL_TEXT_MAX);
        return strlen(buffer);
    }
    if (value >= -1e15 && value <= 1e15 && value == (double)(int64_t)value)
        return (size_t)g_snprintf(buffer, DECIMAL_TEXT_MAX, "%" G_GINT64_FORMAT, (int64_t)value);
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];

        g_snprintf(format, sizeof(format), "%%.%dg", digits);
        g_ascii_formatd(buffer, DECIMAL_TEXT_MAX, format, value);
        if (g_ascii_strtod(buffer, NULL) == value)
            break;
    }
    return strlen(buffer);
}

static bool parse_with_errno(const char *text, size_t size, double *out, int *out_errno)
{
    g_autofree char *far = NULL;
    char near[128];
    char *copy;
    char *end;
    double value;

    if (size == 0 || g_ascii_isspace(text[0]) || memchr(text, 0, size))
        return false;
    if (size >= sizeof(near))
        far = g_malloc(size + 1);
    copy = far ? far : near;
    memcpy(copy, text, size);
    copy[size] = '\0';
    errno = 0;
    value = g_ascii_strtod(copy, &end);
    *out_errno = errno;
    if (end != copy + size || value != value)
        return false;
    *out = value;
    return true;
}

bool double_parse(const char *text, size_t size, double *out)
{
    double value;
    int number;

    if (!parse_with_errno(text, size, &value, &number) ||
        (number == ERANGE && (value == 0 || value - value != 0)))
        return false;
    *out = value;
    return true;
}

bool double_parse_any(const char *text, size_t size, double *out)
{
    int number;

    return parse_with_errno(text, size, out, &number);
}
