/* Writes one JSON document as text, indented for people and stable for machines.
 *
 * Keys come out in the order of calls; numbers are locale-free and whole ones have no point.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct JsonWriter JsonWriter;

JsonWriter *json_writer_new(void);
void json_writer_free(JsonWriter *writer);

/* key is NULL inside arrays and for the document itself. */
void json_write_begin_object(JsonWriter *writer, const char *key);
void json_write_end_object(JsonWriter *writer);
void json_write_begin_array(JsonWriter *writer, const char *key);
void json_write_end_array(JsonWriter *writer);
void json_write_text(JsonWriter *writer, const char *key, const char *text); /* NULL: null */
void json_write_number(JsonWriter *writer, const char *key, double value);   /* not finite: null */
void json_write_int(JsonWriter *writer, const char *key, int64_t value);
void json_write_bool(JsonWriter *writer, const char *key, bool value);

char *json_writer_finish(const JsonWriter *writer); /* the text, ending with a newline */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonWriter, json_writer_free)
