/* JSON text written member by member, two spaces deep per level; for sim/param_schema.c only. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    GString *out;
    int depth;
    bool has_member; /* of the object or list being written */
} SchemaWriter;

/* key NULL: an item of a list, or the root.  bracket: '{' or '['. */
void schema_open(SchemaWriter *writer, const char *key, char bracket);
void schema_close(SchemaWriter *writer, char bracket);
void schema_text(SchemaWriter *writer, const char *key, const char *value);
void schema_number(SchemaWriter *writer, const char *key, double value);
void schema_bool(SchemaWriter *writer, const char *key, bool value);
