/* Why it works: a number is read into an integer mantissa and a power of ten, its unit is a ratio
 * of integers, and the two meet in 128-bit arithmetic.  So "0.9ms" is 900000 ns exactly, and what
 * is not a whole number of base units is rounded once.  Human text is made with GLib's locale-free
 * formatter.
 */
#include "sim/units.h"

#include <string.h>

#define DIGITS_MAX 19 /* every number of so many digits fits in 64 bits */
#define POINTS_MAX 19

typedef unsigned __int128 Wide;

typedef struct {
    uint64_t mantissa;
    int points; /* the value is mantissa / 10^points */
} Decimal;

/* One unit is up / down base units. */
typedef struct {
    const char *name;
    uint64_t up;
    uint64_t down;
} Unit;

static const Unit time_units[] = {
    {"ns", 1, 1},      {"us", SIM_US, 1},  {"ms", SIM_MS, 1}, {"s", SIM_S, 1},
    {"m", SIM_MIN, 1}, {"h", SIM_HOUR, 1}, {"d", SIM_DAY, 1},
};

static const Unit size_units[] = {
    {"B", 1, 1},
    {"kB", 1000, 1},
    {"KB", 1000, 1},
    {"MB", 1000000, 1},
    {"GB", 1000000000, 1},
    {"TB", UINT64_C(1000000000000), 1},
    {"KiB", UINT64_C(1) << 10, 1},
    {"MiB", UINT64_C(1) << 20, 1},
    {"GiB", UINT64_C(1) << 30, 1},
    {"TiB", UINT64_C(1) << 40, 1},
};

static const Unit bit_units[] = {
    {"kbps", 125, 1},
    {"Mbps", 125000, 1},
    {"Gbps", 125000000, 1},
};

static const Unit count_units[] = {
    {"k", 1000, 1},
    {"M", 1000000, 1},
    {"G", 1000000000, 1},
};

/* What may stand behind "/", in seconds. */
static const Unit per_units[] = {
    {"s", 1, 1},
    {"min", 60, 1},
    {"h", 3600, 1},
    {"day", 86400, 1},
};

static uint64_t power_of_ten(int exponent)
{
    uint64_t power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* Digits with at most one point between them; the length read, 0 when text begins otherwise. */
static size_t read_decimal(const char *text, Decimal *out)
{
    size_t at = 0;
    bool in_fraction = false;
    int digits = 0;

    *out = (Decimal){0, 0};
    for (;; at++) {
        if (text[at] == '.' && !in_fraction && at > 0 && g_ascii_isdigit(text[at + 1])) {
            in_fraction = true;
            continue;
        }
        if (!g_ascii_isdigit(text[at]))
            return at;
        if (out->mantissa > 0 || text[at] != '0')
            digits++;
        if (digits > DIGITS_MAX || out->points == POINTS_MAX)
            return 0;
        out->mantissa = out->mantissa * 10 + (uint64_t)(text[at] - '0');
        out->points += in_fraction ? 1 : 0;
    }
}

static const Unit *find_unit(const Unit *units, size_t count, const char *text, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) == length && strncmp(units[i].name, text, length) == 0)
            return &units[i];
    }
    return NULL;
}

#define FIND_UNIT(units, text, length) find_unit(units, G_N_ELEMENTS(units), text, length)

static size_t letters_length(const char *text)
{
    size_t length = 0;

    while (g_ascii_isalpha(text[length]))
        length++;
    return length;
}

/* decimal * up / down in whole base units, nearest, halves up; exact: false unless nothing is lost.
 */
static bool scale_whole(Decimal decimal, const Unit *unit, bool exact, uint64_t *out)
{
    Wide numerator = (Wide)decimal.mantissa * unit->up;
    Wide denominator = (Wide)power_of_ten(decimal.points) * unit->down;
    Wide whole = numerator / denominator;
    Wide rest = numerator % denominator;

    if (exact && rest != 0)
        return false;
    whole += rest * 2 >= denominator ? 1 : 0;
    if (whole > UINT64_MAX)
        return false;
    *out = (uint64_t)whole;
    return true;
}

/* One division of two exact integers, so the result is the nearest double while both are below
 * 2^53. */
static double scale_real(Decimal decimal, uint64_t up, uint64_t down)
{
    Wide numerator = (Wide)decimal.mantissa * up;
    Wide denominator = (Wide)power_of_ten(decimal.points) * down;

    return (double)numerator / (double)denominator;
}

/* "1h30m" without its sign; the length read. */
static size_t read_duration(const char *text, uint64_t *out_ns)
{
    size_t at = 0;

    *out_ns = 0;
    for (;;) {
        Decimal decimal;
        size_t digits = read_decimal(text + at, &decimal);
        size_t letters = digits > 0 ? letters_length(text + at + digits) : 0;
        const Unit *unit = FIND_UNIT(time_units, text + at + digits, letters);
        uint64_t part;

        if (digits == 0 || !unit || !scale_whole(decimal, unit, false, &part))
            return at;
        if (part > (uint64_t)INT64_MAX - *out_ns)
            return 0;
        *out_ns += part;
        at += digits + letters;
    }
}

bool parse_duration(const char *text, SimTime *out_ns)
{
    bool negative = text[0] == '-';
    const char *begin = text + (negative ? 1 : 0);
    uint64_t ns;
    size_t used = read_duration(begin, &ns);

    if (used == 0 || begin[used] != '\0' || ns == (uint64_t)SIM_TIME_NEVER)
        return false;
    *out_ns = negative ? -(SimTime)ns : (SimTime)ns;
    return true;
}

static bool parse_whole(const char *text, const Unit *units, size_t count, uint64_t *out)
{
    Decimal decimal;
    size_t digits = read_decimal(text, &decimal);
    const Unit *unit = find_unit(units, count, text + digits, strlen(text + digits));

    return digits > 0 && unit && scale_whole(decimal, unit, true, out);
}

bool parse_size(const char *text, uint64_t *out_bytes)
{
    return parse_whole(text, size_units, G_N_ELEMENTS(size_units), out_bytes);
}

bool parse_count(const char *text, uint64_t *out)
{
    static const Unit one = {"", 1, 1};

    return parse_whole(text, &one, 1, out) ||
           parse_whole(text, count_units, G_N_ELEMENTS(count_units), out);
}

bool parse_rate(const char *text, double *out_per_s)
{
    Decimal decimal;
    size_t digits = read_decimal(text, &decimal);
    size_t letters = letters_length(text + digits);
    const Unit *times = FIND_UNIT(count_units, text + digits, letters);
    const char *slash = text + digits + letters;
    const Unit *per;

    if (digits == 0 || (letters > 0 && !times) || *slash != '/')
        return false;
    per = FIND_UNIT(per_units, slash + 1, strlen(slash + 1));
    if (!per)
        return false;
    *out_per_s = scale_real(decimal, times ? times->up : 1, per->up);
    return true;
}

bool parse_bandwidth(const char *text, uint64_t *out_bytes_per_s)
{
    Decimal decimal;
    size_t digits = read_decimal(text, &decimal);
    size_t letters = letters_length(text + digits);
    const char *name = text + digits;
    const Unit *unit = FIND_UNIT(bit_units, name, letters);

    if (digits == 0)
        return false;
    if (unit)
        return name[letters] == '\0' && scale_whole(decimal, unit, false, out_bytes_per_s);
    unit = FIND_UNIT(size_units, name, letters);
    return unit && letters == 2 && *name != 'T' && strcmp(name + letters, "/s") == 0 &&
           scale_whole(decimal, unit, false, out_bytes_per_s);
}

bool parse_share(const char *text, double *out)
{
    Decimal decimal;
    size_t digits = read_decimal(text, &decimal);
    bool percent = digits > 0 && text[digits] == '%';

    if (digits == 0 || text[digits + (percent ? 1 : 0)] != '\0')
        return false;
    *out = scale_real(decimal, 1, percent ? 100 : 1);
    return true;
}

static bool is_word_byte(char byte)
{
    return g_ascii_isalnum(byte) || byte == '_';
}

/* "/s" and the like at text: its length and its seconds; 0 when it is a division by something else.
 */
static size_t read_per(const char *text, uint64_t *out_s)
{
    size_t letters = text[0] == '/' ? letters_length(text + 1) : 0;
    const Unit *per = letters > 0 ? FIND_UNIT(per_units, text + 1, letters) : NULL;
    char next = text[letters > 0 ? letters + 1 : 0];

    if (!per || is_word_byte(next) || next == '.' || next == '(' || next == '{')
        return 0;
    *out_s = per->up;
    return letters + 1;
}

/* A number with one unit or none; the length read, 0: none. */
static size_t read_quantity(const char *text, Quantity *out)
{
    Decimal decimal;
    size_t at = read_decimal(text, &decimal);
    size_t letters = letters_length(text + at);
    const char *name = text + at;
    const Unit *unit = NULL;
    uint64_t up = 1, per_s = 0;
    size_t per;

    if (at == 0)
        return 0;
    *out = (Quantity){scale_real(decimal, 1, 1), {0, 0}};
    if (*name == '%') {
        out->value = scale_real(decimal, 1, 100);
        return at + 1;
    }
    if (letters > 0 && !is_word_byte(name[letters])) {
        if ((unit = FIND_UNIT(count_units, name, letters)) != NULL)
            out->dimension = (Dimension){0, 0};
        else if ((unit = FIND_UNIT(size_units, name, letters)) != NULL)
            out->dimension = (Dimension){0, 1};
        else if ((unit = FIND_UNIT(bit_units, name, letters)) != NULL)
            out->dimension = (Dimension){-1, 1};
    }
    if (unit) {
        up = unit->up;
        at += letters;
    }
    if (out->dimension.time == -1) {
        out->value = scale_real(decimal, up, SIM_S);
        return at;
    }
    per = letters == 0 || unit ? read_per(text + at, &per_s) : 0;
    if (per > 0)
        out->dimension.time = -1;
    out->value = scale_real(decimal, up, per > 0 ? per_s * (uint64_t)SIM_S : 1);
    return at + per;
}

bool quantity_parse(const char *text, Quantity *out, size_t *out_used)
{
    bool negative = text[0] == '-';
    const char *begin = text + (negative ? 1 : 0);
    Quantity quantity;
    uint64_t ns;
    size_t used = read_duration(begin, &ns);

    if (used > 0)
        quantity = (Quantity){(double)ns, {1, 0}};
    else
        used = read_quantity(begin, &quantity);
    if (used == 0)
        return false;
    if (negative)
        quantity.value = -quantity.value;
    *out = quantity;
    *out_used = used + (negative ? 1 : 0);
    return true;
}
