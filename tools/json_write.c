/* Why it works: the only state is the depth and whether something stands before in the open
 * container, which is all that commas and indents depend on.
 */
#include "tools/json_write.h"

#include <math.h>

#include "sim/ensure.h"
#include "sim/json_read.h"

struct JsonWriter {
    GString *text;
    guint depth;
    bool has_item[JSON_DEPTH_MAX + 1];
};

JsonWriter *json_writer_new(void)
{
    JsonWriter *writer = g_new0(JsonWriter, 1);

    writer->text = g_string_new(NULL);
    return writer;
}

void json_writer_free(JsonWriter *writer)
{
    if (!writer)
        return;
    g_string_free(writer->text, TRUE);
    g_free(writer);
}

static void append_line(JsonWriter *writer)
{
    if (writer->text->len == 0)
        return;
    g_string_append_c(writer->text, '\n');
    for (guint i = 0; i < writer->depth; i++)
        g_string_append(writer->text, "  ");
}

static void append_quoted(GString *to, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_string_append_c(to, '"');
    for (const char *at = valid; *at; at++) {
        unsigned char c = (unsigned char)*at;

        if (c == '"' || c == '\\')
            g_string_append_printf(to, "\\%c", c);
        else if (c == '\n')
            g_string_append(to, "\\n");
        else if (c < 0x20)
            g_string_append_printf(to, "\\u%04x", c);
        else
            g_string_append_c(to, (char)c);
    }
    g_string_append_c(to, '"');
}

static void begin_value(JsonWriter *writer, const char *key)
{
    if (writer->has_item[writer->depth])
        g_string_append_c(writer->text, ',');
    writer->has_item[writer->depth] = true;
    append_line(writer);
    if (!key)
        return;
    append_quoted(writer->text, key);
    g_string_append(writer->text, ": ");
}

static void begin_container(JsonWriter *writer, const char *key, char open)
{
    begin_value(writer, key);
    g_string_append_c(writer->text, open);
    writer->depth++;
    ensure(writer->depth <= JSON_DEPTH_MAX);
    writer->has_item[writer->depth] = false;
}

static void end_container(JsonWriter *writer, char close)
{
    bool had = writer->has_item[writer->depth];

    ensure(writer->depth > 0);
    writer->depth--;
    if (had)
        append_line(writer);
    g_string_append_c(writer->text, close);
}

void json_write_begin_object(JsonWriter *writer, const char *key)
{
    begin_container(writer, key, '{');
}

void json_write_end_object(JsonWriter *writer)
{
    end_container(writer, '}');
}

void json_write_begin_array(JsonWriter *writer, const char *key)
{
    begin_container(writer, key, '[');
}

void json_write_end_array(JsonWriter *writer)
{
    end_container(writer, ']');
}

void json_write_text(JsonWriter *writer, const char *key, const char *text)
{
    begin_value(writer, key);
    if (text)
        append_quoted(writer->text, text);
    else
        g_string_append(writer->text, "null");
}

void json_write_int(JsonWriter *writer, const char *key, int64_t value)
{
    begin_value(writer, key);
    g_string_append_printf(writer->text, "%" G_GINT64_FORMAT, value);
}

void json_write_number(JsonWriter *writer, const char *key, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    if (isfinite(value) && fabs(value) < 1e15 && floor(value) == value) {
        json_write_int(writer, key, (int64_t)value);
        return;
    }
    begin_value(writer, key);
    g_string_append(writer->text, isfinite(value)
                                      ? g_ascii_formatd(buffer, sizeof(buffer), "%.12g", value)
                                      : "null");
}

void json_write_bool(JsonWriter *writer, const char *key, bool value)
{
    begin_value(writer, key);
    g_string_append(writer->text, value ? "true" : "false");
}

char *json_writer_finish(const JsonWriter *writer)
{
    ensure(writer->depth == 0);
    return g_strconcat(writer->text->str, "\n", NULL);
}
