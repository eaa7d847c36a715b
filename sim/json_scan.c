/* Why it works: one pass over the bytes with one rule per kind of value, each leaving the cursor
 * behind the value.  UTF-8 is checked as a whole before, so the pass may count a character per byte
 * that is not a continuation.  Recursion is as deep as the text, and JSON_DEPTH_MAX bounds that.
 */
#include "sim/json_scan.h"

#include <string.h>

/* cJSON copies a number into 64 bytes before it converts it; a longer one carries no more meaning.
 */
#define NUMBER_BYTES_MAX 60
#define FOUND_BYTES_MAX  24

typedef struct {
    const char *file;
    const char *text;
    size_t size;
    size_t at;
    int line, column;
    int depth;
    GArray *marks;
    GError **error;
} Scan;

typedef struct {
    int line, column;
} Place;

static bool scan_value(Scan *scan, Place key);

static G_GNUC_PRINTF(3, 4) bool scan_fail_at(Scan *scan, Place place, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list list;

    va_start(list, format);
    message = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(scan->error, QUINTET_ERROR, QUINTET_ERROR_INPUT, "%s:%d:%d: %s", scan->file,
                place.line, place.column, message);
    return false;
}

static Place scan_place(const Scan *scan)
{
    return (Place){scan->line, scan->column};
}

static bool scan_at_end(const Scan *scan)
{
    return scan->at == scan->size;
}

/* NUL at the end; the text itself has none. */
static char scan_peek(const Scan *scan)
{
    return scan_at_end(scan) ? '\0' : scan->text[scan->at];
}

/* A character counts once, at its lead byte. */
static void scan_advance(Scan *scan)
{
    unsigned char byte = (unsigned char)scan->text[scan->at++];

    if (byte == '\n') {
        scan->line++;
        scan->column = 1;
    } else if ((byte & 0xc0) != 0x80) {
        scan->column++;
    }
}

static void scan_skip_space(Scan *scan)
{
    while (!scan_at_end(scan) && strchr(" \t\r\n", scan_peek(scan)))
        scan_advance(scan);
}

/* What stands at the cursor, for messages: a word, or one character. */
static char *scan_found(const Scan *scan)
{
    const char *begin = scan->text + scan->at;
    size_t left = scan->size - scan->at;
    size_t length = 0;

    while (length < left && length < FOUND_BYTES_MAX &&
           (g_ascii_isalnum(begin[length]) || strchr("+-._$", begin[length])))
        length++;
    if (length == 0)
        length = (size_t)(g_utf8_next_char(begin) - begin);
    if (length == 1 && (*begin == '"' || *begin == '\''))
        return g_strdup(*begin == '"' ? "a text" : "a single quote");
    if ((unsigned char)*begin < 0x20)
        return g_strdup_printf("control character U+%04X", (unsigned)*begin);
    return g_strdup_printf("\"%.*s\"", (int)length, begin);
}

static bool scan_fail_here(Scan *scan, const char *wanted)
{
    g_autofree char *found = NULL;

    if (scan_peek(scan) == '/' && scan->at + 1 < scan->size &&
        strchr("/*", scan->text[scan->at + 1]))
        return scan_fail_at(scan, scan_place(scan),
                            "found a comment; JSON has none, write an \"about\" key");
    found = scan_found(scan);
    return scan_fail_at(scan, scan_place(scan), "found %s; %s", found, wanted);
}

static bool scan_hex4(Scan *scan, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int digit = scan_at_end(scan) ? -1 : g_ascii_xdigit_value(scan_peek(scan));

        if (digit < 0)
            return false;
        *out = *out * 16 + (unsigned)digit;
        scan_advance(scan);
    }
    return true;
}

/* Behind "\u".  UTF-16 halves come in pairs; a half alone is no character. */
static bool scan_unicode_escape(Scan *scan, Place place)
{
    static const char wanted[] = "\\u takes four hexadecimal digits, as in \\u00e9";
    unsigned high, low;

    if (!scan_hex4(scan, &high))
        return scan_fail_at(scan, place, "%s", wanted);
    if (high == 0)
        return scan_fail_at(scan, place, "\\u0000 is not allowed; a text cannot hold NUL");
    if (high < 0xd800 || high > 0xdfff)
        return true;
    if (high < 0xdc00 && scan->size - scan->at >= 2 && scan_peek(scan) == '\\' &&
        scan->text[scan->at + 1] == 'u') {
        scan_advance(scan);
        scan_advance(scan);
        if (!scan_hex4(scan, &low))
            return scan_fail_at(scan, place, "%s", wanted);
        if (low >= 0xdc00 && low <= 0xdfff)
            return true;
    }
    return scan_fail_at(scan, place,
                        "\\u%04x is one half of a surrogate pair; write both halves or the "
                        "character itself",
                        high);
}

static bool scan_escape(Scan *scan)
{
    Place place = scan_place(scan);
    char letter;

    scan_advance(scan);
    if (scan_at_end(scan))
        return true; /* the text's own rule reports the missing quote */
    letter = scan_peek(scan);
    if (letter != 'u' && !strchr("\"\\/bfnrt", letter))
        return scan_fail_at(scan, place,
                            "unknown escape; write \\\" \\\\ \\/ \\b \\f \\n \\r \\t, or \\u and "
                            "four hexadecimal digits");
    scan_advance(scan);
    return letter != 'u' || scan_unicode_escape(scan, place);
}

static bool scan_text(Scan *scan)
{
    Place begin = scan_place(scan);

    scan_advance(scan);
    while (!scan_at_end(scan)) {
        char byte = scan_peek(scan);

        if (byte == '"') {
            scan_advance(scan);
            return true;
        }
        if (byte == '\n' || byte == '\r')
            return scan_fail_at(scan, begin,
                                "this text does not end on its line; close it with a double quote, "
                                "or write \\n for a line break");
        if ((unsigned char)byte < 0x20)
            return scan_fail_at(scan, scan_place(scan),
                                "control character U+%04X inside a text; write it as \\u%04x",
                                (unsigned)byte, (unsigned)byte);
        if (byte == '\\') {
            if (!scan_escape(scan))
                return false;
        } else {
            scan_advance(scan);
        }
    }
    return scan_fail_at(scan, begin, "the file ends inside this text; is it truncated?");
}

static size_t skip_digits(const char *text, size_t size, size_t at)
{
    while (at < size && g_ascii_isdigit(text[at]))
        at++;
    return at;
}

/* The length of the JSON number that text begins with; 0: none. */
static size_t number_length(const char *text, size_t size)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    size_t end = skip_digits(text, size, at);

    if (end == at || (text[at] == '0' && end > at + 1))
        return 0;
    at = end;
    if (at < size && text[at] == '.') {
        end = skip_digits(text, size, at + 1);
        if (end == at + 1)
            return 0;
        at = end;
    }
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < size && (text[at] == '+' || text[at] == '-'))
            at++;
        end = skip_digits(text, size, at);
        if (end == at)
            return 0;
        at = end;
    }
    return at;
}

static bool scan_number(Scan *scan)
{
    const char *begin = scan->text + scan->at;
    size_t size = 0;
    size_t left = scan->size - scan->at;

    while (size < left && (g_ascii_isalnum(begin[size]) || strchr("+-.", begin[size])))
        size++;
    if (size > NUMBER_BYTES_MAX)
        return scan_fail_at(scan, scan_place(scan),
                            "a number of %" G_GSIZE_FORMAT " characters; write at most %d", size,
                            NUMBER_BYTES_MAX);
    if (number_length(begin, size) != size)
        return scan_fail_here(scan, "write a number like 12, 0.5 or 2e6, and a quantity with its "
                                    "unit in quotes, like \"85ms\"");
    for (size_t i = 0; i < size; i++)
        scan_advance(scan);
    return true;
}

static bool scan_word(Scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *begin = scan->text + scan->at;

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t length = strlen(words[i]);

        if (scan->size - scan->at < length || strncmp(begin, words[i], length) != 0)
            continue;
        if (scan->size - scan->at > length && g_ascii_isalnum(begin[length]))
            continue;
        for (size_t k = 0; k < length; k++)
            scan_advance(scan);
        return true;
    }
    return scan_fail_here(
        scan, "a value is a text in double quotes, a number, true, false, null, [...] or {...}");
}

static bool scan_truncated(Scan *scan, Place begin, const char *what, char close)
{
    return scan_fail_at(scan, scan_place(scan),
                        "the file ends inside the %s that begins at line %d, column %d; is it "
                        "truncated? \"%c\" is missing",
                        what, begin.line, begin.column, close);
}

static bool scan_member(Scan *scan, Place begin)
{
    Place key;

    if (scan_at_end(scan))
        return scan_truncated(scan, begin, "object", '}');
    key = scan_place(scan);
    if (scan_peek(scan) != '"')
        return scan_fail_here(scan, "a key in double quotes belongs here");
    if (!scan_text(scan))
        return false;
    scan_skip_space(scan);
    if (scan_at_end(scan))
        return scan_truncated(scan, begin, "object", '}');
    if (scan_peek(scan) != ':')
        return scan_fail_here(scan, "\":\" belongs between a key and its value");
    scan_advance(scan);
    scan_skip_space(scan);
    if (scan_at_end(scan))
        return scan_truncated(scan, begin, "object", '}');
    return scan_value(scan, key);
}

/* Behind the opening bracket of what begins at begin. */
static bool scan_items(Scan *scan, Place begin, char close)
{
    const char *what = close == '}' ? "object" : "list";
    bool first = true;

    for (;;) {
        scan_skip_space(scan);
        if (scan_at_end(scan))
            return scan_truncated(scan, begin, what, close);
        if (scan_peek(scan) == close)
            break;
        if (!first) {
            if (scan_peek(scan) != ',')
                return scan_fail_here(scan, close == '}' ? "\",\" or \"}\" belongs here"
                                                         : "\",\" or \"]\" belongs here");
            scan_advance(scan);
            scan_skip_space(scan);
            if (scan_at_end(scan))
                return scan_truncated(scan, begin, what, close);
            if (scan_peek(scan) == close)
                return scan_fail_here(scan, "remove the comma before it");
        }
        if (close == '}' ? !scan_member(scan, begin) : !scan_value(scan, (Place){0, 0}))
            return false;
        first = false;
    }
    scan_advance(scan);
    return true;
}

static bool scan_nested(Scan *scan, char close)
{
    Place begin = scan_place(scan);
    bool good;

    if (scan->depth == JSON_DEPTH_MAX)
        return scan_fail_at(scan, begin, "nested deeper than %d levels; flatten the document",
                            JSON_DEPTH_MAX);
    scan->depth++;
    scan_advance(scan);
    good = scan_items(scan, begin, close);
    scan->depth--;
    return good;
}

static bool scan_value(Scan *scan, Place key)
{
    JsonMark mark = {scan->at, 1, scan->line, scan->column, key.line, key.column};
    guint index = scan->marks->len;
    char byte = scan_peek(scan);
    bool good;

    g_array_append_val(scan->marks, mark);
    if (byte == '{' || byte == '[')
        return scan_nested(scan, byte == '{' ? '}' : ']');
    if (byte == '"')
        good = scan_text(scan);
    else if (g_ascii_isdigit(byte) || (byte != '\0' && strchr("+-.", byte)))
        good = scan_number(scan);
    else
        good = scan_word(scan);
    g_array_index(scan->marks, JsonMark, index).size = scan->at - mark.offset;
    return good;
}

static bool scan_encoding(Scan *scan)
{
    const char *end = NULL;
    Scan walk = *scan;

    if (scan->size >= 3 && memcmp(scan->text, "\xef\xbb\xbf", 3) == 0)
        return scan_fail_at(scan, scan_place(scan),
                            "the file begins with a byte order mark; save it as UTF-8 without one");
    if (g_utf8_validate_len(scan->text, scan->size, &end))
        return true;
    while (walk.text + walk.at < end)
        scan_advance(&walk);
    if (*end == '\0')
        return scan_fail_at(scan, scan_place(&walk), "found a NUL byte; JSON is plain text");
    return scan_fail_at(scan, scan_place(&walk),
                        "byte 0x%02x is not valid UTF-8; save the file as UTF-8",
                        (unsigned)(unsigned char)*end);
}

static bool scan_document(Scan *scan)
{
    if (!scan_encoding(scan))
        return false;
    scan_skip_space(scan);
    if (scan_at_end(scan))
        return scan_fail_at(scan, scan_place(scan), "the file is empty; write one JSON value");
    if (!scan_value(scan, (Place){0, 0}))
        return false;
    scan_skip_space(scan);
    if (!scan_at_end(scan))
        return scan_fail_here(scan, "nothing may follow the document; remove it");
    return true;
}

GArray *json_scan(const char *file, const char *text, size_t size, GError **error)
{
    g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(JsonMark));
    Scan scan = {file, text, size, 0, 1, 1, 0, marks, error};

    if (!scan_document(&scan))
        return NULL;
    return g_steal_pointer(&marks);
}
