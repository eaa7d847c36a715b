/* Why it works: a decimal text is read digit by digit into a 128-bit integer scaled by 10^17.  The
 * integer part is below 2^63, so the scaled value stays below 2^120 and a sum of many of them
 * cannot wrap. */
#include "models/crdt/decimal.h"

#include <string.h>

#include <glib.h>

#define LIMIT ((Decimal)INT64_MAX * DECIMAL_ONE)

bool decimal_in_range(Decimal value)
{
    return value <= LIMIT && value >= -LIMIT;
}

/* Reads "e[+-]ddd"; false when malformed. */
static bool exponent_parse(const char *text, size_t size, int *out)
{
    size_t i = 0;
    int value = 0;
    bool negative = false;

    if (i < size && (text[i] == '+' || text[i] == '-'))
        negative = text[i++] == '-';
    if (i == size)
        return false;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (value < 1000)
            value = value * 10 + (text[i] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

typedef struct {
    Decimal digits; /* up to 36 significant digits */
    int places;     /* digits after the point among them */
    size_t used;
    bool any;
    bool overflow;
} Mantissa;

static Mantissa mantissa_parse(const char *text, size_t size)
{
    Mantissa mantissa = {0};
    bool point = false;

    for (; mantissa.used < size; mantissa.used++) {
        char c = text[mantissa.used];

        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        mantissa.any = true;
        if (mantissa.digits > LIMIT / 10) {
            mantissa.overflow |= !point;
            continue;
        }
        mantissa.digits = mantissa.digits * 10 + (c - '0');
        mantissa.places += point;
    }
    return mantissa;
}

bool decimal_parse(const char *text, size_t size, Decimal *out)
{
    bool negative = size > 0 && text[0] == '-';
    size_t sign = size > 0 && (text[0] == '-' || text[0] == '+');
    Mantissa mantissa = mantissa_parse(text + sign, size - sign);
    size_t used = sign + mantissa.used;
    Decimal value = mantissa.digits;
    int shift;
    int exponent = 0;

    if (!mantissa.any || mantissa.overflow)
        return false;
    if (used < size && (text[used] == 'e' || text[used] == 'E')) {
        if (!exponent_parse(text + used + 1, size - used - 1, &exponent))
            return false;
        used = size;
    }
    if (used != size)
        return false;
    for (shift = DECIMAL_PLACES - mantissa.places + exponent; shift > 0 && value != 0; shift--) {
        if (value > LIMIT / 10)
            return false;
        value *= 10;
    }
    for (; shift < 0 && value != 0; shift++)
        value /= 10;
    if (!decimal_in_range(value))
        return false;
    *out = negative ? -value : value;
    return true;
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

double decimal_to_double(Decimal value)
{
    return (double)value / (double)DECIMAL_ONE;
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

bool double_parse(const char *text, size_t size, double *out)
{
    char copy[128];
    char *end;
    double value;

    if (size == 0 || size >= sizeof(copy) || g_ascii_isspace(text[0]) || memchr(text, 0, size))
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    value = g_ascii_strtod(copy, &end);
    if (end != copy + size || value != value)
        return false;
    *out = value;
    return true;
}
