/* Why it works: a row is read by the columns' names, checked number by number, and becomes a shape;
 * what only the note tells (numbers or texts, how a buffer grew) is a short list of phrases.  A
 * phrase that is none of them is a remark: it is kept and shown, never guessed at.
 */
#include "tools/calibration.h"

#include <stdlib.h>
#include <string.h>

#include "sim/json_read.h"

#define FILE_BYTES_MAX   (16 * 1024 * 1024)
#define STRING_BYTES_MAX UINT64_C(536870912) /* proto-max-bulk-len */
#define ELEMENTS_MAX     (UINT64_C(1) << 32)
#define LIMIT_MAX        1000000 /* of a setting: more than any listpack is good for */

/* The file's README does not name the two fields of its streams nor the gap of their ids.  Six
 * bytes is the one length that fills a listpack as often as measured: with entries of 100-byte
 * values its 19th begins below 4096 bytes and ends above them. */
#define STREAM_FIELDS    2
#define STREAM_FIELD_LEN 6
#define STREAM_GAP_MS    3
#define HASH_FIELD_LEN   8

static const char *const type_names[FOOTPRINT_TYPES] = {
    [FOOTPRINT_STRING] = "string",   [FOOTPRINT_HASH] = "hash",     [FOOTPRINT_SET] = "set",
    [FOOTPRINT_ZSET] = "zset",       [FOOTPRINT_LIST] = "list",     [FOOTPRINT_STREAM] = "stream",
    [FOOTPRINT_HYPERLOGLOG] = "hll", [FOOTPRINT_BITMAP] = "bitmap",
};

typedef enum {
    COLUMN_TYPE,
    COLUMN_KEY_LEN,
    COLUMN_ELEMENTS,
    COLUMN_VALUE_LEN,
    COLUMN_TTL,
    COLUMN_BYTES,
    COLUMN_REQUIRED, /* up to here */
    COLUMN_ENCODING = COLUMN_REQUIRED,
    COLUMN_KEYS,
    COLUMN_NOTE,
    COLUMN_IGNORED, /* from here */
    COLUMN_COUNT = COLUMN_IGNORED + 4
} Column;

static const char *const column_names[COLUMN_COUNT] = {
    "type",
    "key_len",
    "elements",
    "value_len",
    "ttl",
    "bytes_per_key",
    "encoding",
    "keys",
    "note",
    "memory_usage_cmd",
    "bytes_per_key_total",
    "main_dict_slots",
    "expires_dict_slots",
};

typedef struct {
    const char *name;
    uint32_t line;
    int at[COLUMN_COUNT]; /* field of each column; -1: not in this file */
    GPtrArray *fields;    /* of the current line */
    GError **error;
} Reader;

const char *calibration_type_name(FootprintType type)
{
    return type_names[type];
}

G_GNUC_PRINTF(2, 3) static bool fail(const Reader *reader, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list list;

    va_start(list, format);
    message = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(reader->error, QUINTET_ERROR, QUINTET_ERROR_INPUT, "%s:%u: %s", reader->name,
                reader->line, message);
    return false;
}

/* One line into fields; a field with commas stands in double quotes, a quote in it twice. */
static bool split(Reader *reader, const char *line)
{
    const char *c = line;

    g_ptr_array_set_size(reader->fields, 0);
    for (;;) {
        GString *field = g_string_new(NULL);

        if (*c == '"') {
            for (c++; *c && (*c != '"' || c[1] == '"'); c++) {
                if (*c == '"')
                    c++;
                g_string_append_c(field, *c);
            }
            g_ptr_array_add(reader->fields, g_string_free(field, FALSE));
            if (*c != '"')
                return fail(reader, "a quoted field does not end; close it with \" on this line");
            c++;
            if (*c && *c != ',')
                return fail(reader, "text after a closing quote; write a quote inside as \"\"");
        } else {
            size_t len = strcspn(c, ",");

            g_string_append_len(field, c, (gssize)len);
            c += len;
            g_ptr_array_add(reader->fields, g_string_free(field, FALSE));
        }
        if (!*c)
            return true;
        c++;
    }
}

static const char *field_of(const Reader *reader, Column column)
{
    return reader->at[column] < 0 ? ""
                                  : g_ptr_array_index(reader->fields, (guint)reader->at[column]);
}

static bool read_header(Reader *reader, const char *line)
{
    if (!split(reader, line))
        return false;
    for (guint i = 0; i < reader->fields->len; i++) {
        const char *found = g_ptr_array_index(reader->fields, i);
        const char *nearest;
        uint32_t column = 0;

        while (column < COLUMN_COUNT && strcmp(column_names[column], found) != 0)
            column++;
        if (column < COLUMN_COUNT) {
            if (reader->at[column] >= 0)
                return fail(reader, "column \"%s\" is there twice; keep one", found);
            reader->at[column] = (int)i;
            continue;
        }
        nearest = nearest_name(found, column_names, COLUMN_COUNT);
        if (nearest)
            return fail(reader, "column \"%s\" is unknown; did you mean \"%s\"?", found, nearest);
        return fail(reader,
                    "column \"%s\" is unknown; the first line names the columns, as in "
                    "type,encoding,key_len,elements,value_len,ttl,keys,bytes_per_key,note",
                    found);
    }
    for (uint32_t column = 0; column < COLUMN_REQUIRED; column++)
        if (reader->at[column] < 0)
            return fail(reader, "column \"%s\" is missing; the first line must name it",
                        column_names[column]);
    return true;
}

static bool read_number(const Reader *reader, Column column, uint64_t max, uint64_t *out)
{
    const char *text = field_of(reader, column);

    if (g_ascii_string_to_unsigned(text, 10, 0, max, out, NULL))
        return true;
    return fail(reader, "%s: \"%s\" is not a whole number from 0 to %" G_GUINT64_FORMAT,
                column_names[column], text, max);
}

static bool read_type(const Reader *reader, FootprintType *out)
{
    const char *text = field_of(reader, COLUMN_TYPE);
    const char *nearest = nearest_name(text, type_names, FOOTPRINT_TYPES);

    for (uint32_t t = 0; t < FOOTPRINT_TYPES; t++) {
        if (strcmp(type_names[t], text) == 0) {
            *out = (FootprintType)t;
            return true;
        }
    }
    if (nearest)
        return fail(reader, "type: \"%s\" is unknown; did you mean \"%s\"?", text, nearest);
    return fail(reader,
                "type: \"%s\" is unknown; use string, hash, set, zset, list, stream, hll or bitmap",
                text);
}

/* All numbers of so many digits: what an `int` string of that length may hold. */
static FootprintIntegers integers_of_digits(uint64_t digits)
{
    FootprintIntegers integers = {.given = true, .max = 9};

    for (uint64_t d = 1; d < digits; d++) {
        integers.min = integers.max + 1;
        integers.max = d + 1 >= 19 ? INT64_MAX : integers.max * 10 + 9;
    }
    return integers;
}

static bool read_range(const char *text, FootprintIntegers *out)
{
    g_auto(GStrv) ends = g_strsplit(text, " to ", 3);
    FootprintIntegers integers = {.given = true};

    if (g_strv_length(ends) != 2 ||
        !g_ascii_string_to_signed(ends[0], 10, INT64_MIN, INT64_MAX, &integers.min, NULL) ||
        !g_ascii_string_to_signed(ends[1], 10, integers.min, INT64_MAX, &integers.max, NULL))
        return false;
    *out = integers;
    return true;
}

/* "8-byte field names" with after "-byte field names": the number it begins with. */
static bool read_counted(const char *phrase, const char *before, const char *after, uint64_t *out)
{
    g_autofree char *number = NULL;

    if (!g_str_has_prefix(phrase, before) || !g_str_has_suffix(phrase, after) ||
        strlen(phrase) <= strlen(before) + strlen(after))
        return false;
    number = g_strndup(phrase + strlen(before), strlen(phrase) - strlen(before) - strlen(after));
    return g_ascii_string_to_unsigned(number, 10, 1, LIMIT_MAX, out, NULL);
}

/* Numbers of the file: list items and hash values count up within a key from 1000, the first of
 * each key being one more than that of the key before, and go on at 1000 after 9999.  Its README
 * gives the range; that they count follows from the share of keys in each size class. */
static bool read_integers(const char *phrase, CalibrationRow *row)
{
    FootprintIntegers *integers = &row->shape.integers;

    if (strcmp(phrase, "integers") == 0 || strcmp(phrase, "integer values") == 0)
        *integers =
            (FootprintIntegers){.given = true, .min = 1000, .max = 9999, .starts = row->keys};
    else if (strcmp(phrase, "integers below 32768") == 0)
        *integers = (FootprintIntegers){.given = true, .max = INT16_MAX};
    else if (strcmp(phrase, "integers below 2^31") == 0)
        *integers = (FootprintIntegers){.given = true, .max = INT32_MAX};
    else if (strcmp(phrase, "integers above 2^32") == 0)
        *integers = (FootprintIntegers){
            .given = true, .min = INT64_C(1) << 32, .max = (INT64_C(1) << 33) - 1};
    else if (!g_str_has_prefix(phrase, "integers ") ||
             !read_range(phrase + strlen("integers "), integers))
        return false;
    return true;
}

static bool read_phrase(const char *phrase, CalibrationRow *row)
{
    static const char *const plain[] = {"text members", "value_len each", "written by INCRBY",
                                        "0-9999 are shared objects", "one SETBIT of the last bit"};
    FootprintShape *shape = &row->shape;

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (strcmp(plain[i], phrase) == 0)
            return true;
    if (strcmp(phrase, "integer scores") == 0) {
        shape->score_max = 99999;
        return true;
    }
    if (strcmp(phrase, "fractional scores") == 0) {
        shape->score_max = 42949;
        shape->score_decimals = 6;
        return true;
    }
    if (strcmp(phrase, "SET half then APPEND half") == 0) {
        shape->growth_writes = 2;
        return true;
    }
    return read_counted(phrase, "grown by ", " SETBITs in rising order", &shape->growth_writes) ||
           read_counted(phrase, "", "-byte field names", &shape->field_len) ||
           read_counted(phrase, "", " fields an entry", &shape->entry_fields) ||
           read_counted(phrase, "entries ", " ms apart", &shape->entry_gap_ms) ||
           read_integers(phrase, row);
}

static void read_note(CalibrationRow *row)
{
    g_auto(GStrv) phrases = g_strsplit(row->note, ", ", -1);

    for (char **phrase = phrases; *phrase && !row->unused; phrase++)
        if (**phrase && !read_phrase(*phrase, row))
            row->unused = g_strdup(*phrase);
}

static bool read_measured(const Reader *reader, double *out)
{
    const char *text = field_of(reader, COLUMN_BYTES);
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);

    if (end == text || *end || !(value > 0 && value < 1e15))
        return fail(reader, "bytes_per_key: \"%s\" is not a number above 0, like 112.5", text);
    *out = value;
    return true;
}

static bool read_row(const Reader *reader, CalibrationRow *row)
{
    FootprintShape *shape = &row->shape;
    uint64_t ttl;

    row->keys = 9000;
    if (!read_type(reader, &shape->type) ||
        !read_number(reader, COLUMN_KEY_LEN, STRING_BYTES_MAX, &shape->key_len) ||
        !read_number(reader, COLUMN_ELEMENTS, ELEMENTS_MAX, &shape->elements) ||
        !read_number(reader, COLUMN_VALUE_LEN, STRING_BYTES_MAX, &shape->value_len) ||
        !read_number(reader, COLUMN_TTL, 1, &ttl) || !read_measured(reader, &row->measured_bytes))
        return false;
    if (field_of(reader, COLUMN_KEYS)[0] &&
        !read_number(reader, COLUMN_KEYS, ELEMENTS_MAX, &row->keys))
        return false;
    if (shape->elements == 0)
        return fail(reader, "elements: 0 elements are no key; strings have 1");
    shape->has_ttl = ttl == 1;
    row->encoding = g_strdup(field_of(reader, COLUMN_ENCODING));
    row->note = g_strdup(field_of(reader, COLUMN_NOTE));
    shape->field_len = shape->type == FOOTPRINT_STREAM ? STREAM_FIELD_LEN : HASH_FIELD_LEN;
    shape->entry_fields = STREAM_FIELDS;
    shape->entry_gap_ms = STREAM_GAP_MS;
    shape->score_max = 99999;
    if (shape->type == FOOTPRINT_STRING && strcmp(row->encoding, "int") == 0) {
        if (shape->value_len < 1 || shape->value_len > 19)
            return fail(reader,
                        "value_len: an int string has 1 to 19 digits, not %" G_GUINT64_FORMAT,
                        shape->value_len);
        shape->integers = integers_of_digits(shape->value_len);
    }
    read_note(row);
    return true;
}

static void row_clear(void *data)
{
    CalibrationRow *row = data;

    g_free(row->encoding);
    g_free(row->note);
    g_free(row->unused);
}

static bool add_row(Reader *reader, const char *line, const FootprintRules *rules, GArray *rows)
{
    CalibrationRow row = {.line = reader->line};
    guint columns = reader->fields->len;

    if (!split(reader, line))
        return false;
    if (reader->fields->len != columns)
        return fail(reader, "%u fields where the first line names %u columns; %s",
                    reader->fields->len, columns,
                    reader->fields->len > columns ? "put a field with commas in double quotes"
                                                  : "a field may be empty, its comma not left out");
    if (!read_row(reader, &row)) {
        row_clear(&row);
        return false;
    }
    row.model_bytes = footprint_key_bytes(rules, &row.shape);
    row.model_encoding = footprint_encoding(rules, &row.shape);
    row.error = (row.model_bytes - row.measured_bytes) / row.measured_bytes;
    g_array_append_val(rows, row);
    return true;
}

GArray *calibration_parse(const char *name, const char *text, const FootprintRules *rules,
                          GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(CalibrationRow));
    Reader reader = {.name = name, .fields = fields, .error = error};

    if (g_str_has_prefix(text, "\xef\xbb\xbf")) {
        reader.line = 1;
        fail(&reader, "the file begins with a byte order mark; save it as UTF-8 without one");
        return NULL;
    }
    g_array_set_clear_func(rows, row_clear);
    for (uint32_t c = 0; c < COLUMN_COUNT; c++)
        reader.at[c] = -1;
    for (char **line = lines; *line; line++) {
        bool is_header = reader.line++ == 0;

        g_strchomp(*line); /* CR of files from elsewhere */
        if (!is_header && !**line)
            continue;
        if (is_header ? !read_header(&reader, *line) : !add_row(&reader, *line, rules, rows))
            return NULL;
    }
    if (rows->len == 0) {
        reader.line = MAX(reader.line, 1);
        fail(&reader, "no row of measurements; add one line for each experiment");
        return NULL;
    }
    return g_steal_pointer(&rows);
}

GArray *calibration_read(const char *path, const FootprintRules *rules, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    size_t size = 0;

    if (!g_file_get_contents(path, &text, &size, &cause)) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "%s: cannot read the measurements: %s",
                    path, cause->message);
        return NULL;
    }
    if (size > FILE_BYTES_MAX || strlen(text) != size || !g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_INPUT,
                    "%s:1: not a CSV text in UTF-8 of at most 16 MiB", path);
        return NULL;
    }
    return calibration_parse(path, text, rules, error);
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return left < right ? -1 : left > right;
}

CalibrationSummary calibration_summary(const GArray *rows, FootprintType type, double tolerance)
{
    g_autofree double *sizes = g_new(double, rows->len + 1);
    CalibrationSummary summary = {0};

    for (guint i = 0; i < rows->len; i++) {
        const CalibrationRow *row = &g_array_index(rows, CalibrationRow, i);
        double size = ABS(row->error);

        if (type != FOOTPRINT_TYPES && row->shape.type != type)
            continue;
        if (summary.rows == 0 || size > ABS(summary.worst)) {
            summary.worst = row->error;
            summary.worst_line = row->line;
        }
        sizes[summary.rows++] = size;
        summary.within += size <= tolerance;
    }
    if (summary.rows == 0)
        return summary;
    qsort(sizes, summary.rows, sizeof(double), by_size);
    summary.median = (sizes[(summary.rows - 1) / 2] + sizes[summary.rows / 2]) / 2;
    return summary;
}
