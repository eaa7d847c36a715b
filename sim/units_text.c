/* Why it works: a value is divided by the largest unit that leaves it at one or more after
 * rounding, then printed with the decimals its size calls for, without trailing zeros.  Exact times
 * are made of integers.
 */
#include "sim/units.h"

#include <math.h>
#include <string.h>

typedef struct {
    double size;
    const char *name;
} Scale;

/* At most digits significant, no exponent while avoidable, no trailing zeros. */
static void number_text(double value, int digits, char *buffer, size_t size)
{
    char format[8];
    int decimals = digits - 1;
    double ten = 10;
    size_t length;

    for (; decimals > 0 && fabs(value) >= ten; ten *= 10)
        decimals--;
    for (double unit = 1; value != 0 && fabs(value) < unit && decimals < 12; unit /= 10)
        decimals++;
    g_snprintf(format, sizeof format, "%%.%df", decimals);
    g_ascii_formatd(buffer, (int)size, format, value);
    length = strlen(buffer);
    if (!memchr(buffer, '.', length))
        return;
    while (buffer[length - 1] == '0')
        length--;
    if (buffer[length - 1] == '.')
        length--;
    buffer[length] = '\0';
}

static const char *fixed_text(const char *text, char buffer[UNIT_TEXT_MAX])
{
    g_strlcpy(buffer, text, UNIT_TEXT_MAX);
    return buffer;
}

/* For values past any sensible size, which must not overflow the buffer. */
static const char *huge_text(double value, const char *unit, char buffer[UNIT_TEXT_MAX])
{
    g_ascii_formatd(buffer, UNIT_TEXT_MAX, "%.3g", value);
    g_strlcat(buffer, unit, UNIT_TEXT_MAX);
    return buffer;
}

/* scales: ascending.  A value that would print as 1000 of one unit prints as 1 of the next. */
static const char *scaled_text(double value, const Scale *scales, size_t count,
                               char buffer[UNIT_TEXT_MAX])
{
    char number[UNIT_TEXT_MAX - 16];
    size_t k = 0;

    while (k + 1 < count && fabs(value) >= scales[k + 1].size * 0.9995)
        k++;
    if (!(fabs(value / scales[k].size) < 1e15))
        return huge_text(value / scales[k].size, scales[k].name, buffer);
    number_text(value / scales[k].size, 3, number, sizeof number);
    g_snprintf(buffer, UNIT_TEXT_MAX, "%s%s", number, scales[k].name);
    return buffer;
}

/* "12m 30s": two neighbouring units of a duration of a minute or more. */
static const char *long_duration_text(double ns, char buffer[UNIT_TEXT_MAX])
{
    const char *sign = ns < 0 ? "-" : "";
    double seconds = floor(fabs(ns) / 1e9 + 0.5);
    uint64_t s, minutes;

    if (!(seconds < 1e12))
        return huge_text(ns / 1e9, " s", buffer);
    minutes = (uint64_t)seconds / 60;
    s = (uint64_t)seconds % 60;
    if (minutes < 60 && s > 0)
        g_snprintf(buffer, UNIT_TEXT_MAX, "%s%um %us", sign, (unsigned)minutes, (unsigned)s);
    else if (minutes < 60)
        g_snprintf(buffer, UNIT_TEXT_MAX, "%s%um", sign, (unsigned)minutes);
    else if (minutes < 48 * 60 && minutes % 60 > 0)
        g_snprintf(buffer, UNIT_TEXT_MAX, "%s%uh %um", sign, (unsigned)(minutes / 60),
                   (unsigned)(minutes % 60));
    else if (minutes < 48 * 60)
        g_snprintf(buffer, UNIT_TEXT_MAX, "%s%uh", sign, (unsigned)(minutes / 60));
    else if (minutes / 60 % 24 > 0)
        g_snprintf(buffer, UNIT_TEXT_MAX, "%s%" G_GUINT64_FORMAT "d %uh", sign, minutes / 1440,
                   (unsigned)(minutes / 60 % 24));
    else
        g_snprintf(buffer, UNIT_TEXT_MAX, "%s%" G_GUINT64_FORMAT "d", sign, minutes / 1440);
    return buffer;
}

const char *format_duration(double ns, char buffer[UNIT_TEXT_MAX])
{
    static const Scale scales[] = {{1, " ns"}, {1e3, " us"}, {1e6, " ms"}, {1e9, " s"}};

    if (fabs(ns) >= 59.95e9)
        return long_duration_text(ns, buffer);
    if (ns == 0)
        return fixed_text("0 s", buffer);
    return scaled_text(ns, scales, G_N_ELEMENTS(scales), buffer);
}

/* "1.5ms": value units of 10^digits parts each, exactly. */
static void append_exact(char *buffer, uint64_t parts, int digits, const char *unit)
{
    uint64_t one = 1;
    size_t at = strlen(buffer);
    uint64_t rest;

    for (int i = 0; i < digits; i++)
        one *= 10;
    rest = parts % one;
    while (rest > 0 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    if (rest > 0)
        g_snprintf(buffer + at, UNIT_TEXT_MAX - at,
                   "%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT "%s", parts / one, digits, rest,
                   unit);
    else
        g_snprintf(buffer + at, UNIT_TEXT_MAX - at, "%" G_GUINT64_FORMAT "%s", parts / one, unit);
}

const char *format_time(SimTime at_ns, char buffer[UNIT_TEXT_MAX])
{
    static const struct {
        SimTime ns;
        const char *name;
    } units[] = {{SIM_DAY, "d"}, {SIM_HOUR, "h"}, {SIM_MIN, "m"}};
    uint64_t left = at_ns < 0 ? -(uint64_t)at_ns : (uint64_t)at_ns;

    if (at_ns == SIM_TIME_NEVER)
        return fixed_text("never", buffer);
    g_strlcpy(buffer, at_ns < 0 ? "-" : "", UNIT_TEXT_MAX);
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        uint64_t count = left / (uint64_t)units[i].ns;

        if (count > 0)
            append_exact(buffer, count, 0, units[i].name);
        left %= (uint64_t)units[i].ns;
    }
    if (left == 0 && at_ns != 0)
        return buffer;
    if (left >= (uint64_t)SIM_S || left == 0)
        append_exact(buffer, left, 9, "s");
    else if (left >= (uint64_t)SIM_MS)
        append_exact(buffer, left, 6, "ms");
    else if (left >= (uint64_t)SIM_US)
        append_exact(buffer, left, 3, "us");
    else
        append_exact(buffer, left, 0, "ns");
    return buffer;
}

const char *format_bytes(double bytes, char buffer[UNIT_TEXT_MAX])
{
    static const Scale scales[] = {
        {1, " B"}, {1e3, " kB"}, {1e6, " MB"}, {1e9, " GB"}, {1e12, " TB"}};

    return scaled_text(bytes, scales, G_N_ELEMENTS(scales), buffer);
}

const char *format_count(double count, char buffer[UNIT_TEXT_MAX])
{
    static const Scale scales[] = {{1, ""}, {1e3, " k"}, {1e6, " M"}, {1e9, " G"}};

    /* Four digits read as well in full, and people compare small counts exactly. */
    if (fabs(count) < 9999.5 && fabs(count) >= 999.5) {
        number_text(count, 4, buffer, UNIT_TEXT_MAX);
        return buffer;
    }
    return scaled_text(count, scales, G_N_ELEMENTS(scales), buffer);
}

const char *format_share(double share, char buffer[UNIT_TEXT_MAX])
{
    double percent = share * 100;

    /* Almost all is not all, and almost none is not none: availability lives on that difference. */
    if (share < 1 && percent >= 99.995)
        return fixed_text(">99.99%", buffer);
    if (share > 0 && percent < 0.000001)
        return fixed_text("<0.000001%", buffer);
    if (!(fabs(percent) < 1e15))
        return huge_text(percent, "%", buffer);
    number_text(percent, 4, buffer, UNIT_TEXT_MAX - 2);
    g_strlcat(buffer, "%", UNIT_TEXT_MAX);
    return buffer;
}

static const char *with_per_second(const char *text, char buffer[UNIT_TEXT_MAX])
{
    g_strlcat(buffer, "/s", UNIT_TEXT_MAX);
    return text;
}

const char *format_quantity(Quantity quantity, bool as_percent, char buffer[UNIT_TEXT_MAX])
{
    Dimension dimension = quantity.dimension;
    char name[UNIT_TEXT_MAX];
    size_t length;

    if (dimension_equal(dimension, (Dimension){0, 0}))
        return as_percent ? format_share(quantity.value, buffer)
                          : format_count(quantity.value, buffer);
    if (dimension_equal(dimension, (Dimension){1, 0}))
        return format_duration(quantity.value, buffer);
    if (dimension_equal(dimension, (Dimension){0, 1}))
        return format_bytes(quantity.value, buffer);
    if (dimension_equal(dimension, (Dimension){-1, 0}))
        return with_per_second(format_count(quantity.value * 1e9, buffer), buffer);
    if (dimension_equal(dimension, (Dimension){-1, 1}))
        return with_per_second(format_bytes(quantity.value * 1e9, buffer), buffer);
    g_ascii_formatd(buffer, UNIT_TEXT_MAX, "%.4g", quantity.value);
    length = strlen(buffer);
    g_snprintf(buffer + length, UNIT_TEXT_MAX - length, " (%s)", dimension_name(dimension, name));
    return buffer;
}

/* "bytes", "bytes^2"; nothing for an exponent of 0. */
static void append_power(char *buffer, const char *before, const char *name, int power)
{
    size_t at = strlen(buffer);

    if (power > 1)
        g_snprintf(buffer + at, UNIT_TEXT_MAX - at, "%s%s^%d", before, name, power);
    else if (power == 1)
        g_snprintf(buffer + at, UNIT_TEXT_MAX - at, "%s%s", before, name);
}

const char *dimension_name(Dimension dimension, char buffer[UNIT_TEXT_MAX])
{
    buffer[0] = '\0';
    append_power(buffer, "", "bytes", dimension.bytes);
    append_power(buffer, *buffer ? " " : "", "time", dimension.time);
    append_power(buffer, *buffer ? " per " : "per ", "bytes", -dimension.bytes);
    append_power(buffer, *buffer ? " per " : "per ", "time", -dimension.time);
    if (!*buffer)
        g_strlcpy(buffer, "number", UNIT_TEXT_MAX);
    return buffer;
}
