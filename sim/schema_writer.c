/* Why it works: every member first ends the one before it, so no caller counts commas. */
#include "sim/schema_writer.h"

#include "sim/json_tree.h"
#include "sim/param_value.h"

static void begin_member(SchemaWriter *writer, const char *key)
{
    if (writer->has_member)
        g_string_append_c(writer->out, ',');
    if (writer->depth > 0)
        g_string_append_printf(writer->out, "\n%*s", writer->depth * 2, "");
    writer->has_member = true;
    if (!key)
        return;
    json_append_quoted(writer->out, key);
    g_string_append(writer->out, ": ");
}

void schema_open(SchemaWriter *writer, const char *key, char bracket)
{
    begin_member(writer, key);
    g_string_append_c(writer->out, bracket);
    writer->depth++;
    writer->has_member = false;
}

void schema_close(SchemaWriter *writer, char bracket)
{
    writer->depth--;
    if (writer->has_member)
        g_string_append_printf(writer->out, "\n%*s", writer->depth * 2, "");
    g_string_append_c(writer->out, bracket == '{' ? '}' : ']');
    writer->has_member = true;
}

void schema_text(SchemaWriter *writer, const char *key, const char *value)
{
    begin_member(writer, key);
    json_append_quoted(writer->out, value);
}

void schema_number(SchemaWriter *writer, const char *key, double value)
{
    char text[UNIT_TEXT_MAX];

    begin_member(writer, key);
    g_string_append(writer->out, param_number_text(value, text));
}

void schema_bool(SchemaWriter *writer, const char *key, bool value)
{
    begin_member(writer, key);
    g_string_append(writer->out, value ? "true" : "false");
}
