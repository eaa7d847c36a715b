/* Strict JSON with a position for every value.
 *
 * The text is checked by a scanner of our own (UTF-8, duplicate keys, depth, size, trailing text),
 * which notes where each value begins; cJSON then reads the values, and both are joined in document
 * order into one immutable tree.  Every node knows its file, line, column and path, also after a
 * merge patch, so an error always names the place the user wrote.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_BYTES_MAX (16 * 1024 * 1024)
#define JSON_DEPTH_MAX 64

typedef enum { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT } JsonKind;

typedef struct JsonDoc JsonDoc; /* owns every node made from it */

typedef struct JsonNode {
    JsonKind kind;
    int line, column;         /* from 1, in characters; where the value begins */
    int key_line, key_column; /* where its key begins, 0 for array items and the root */
    const char *file;
    const char *path;                    /* "faults.asia-isolated.for"; "" for the root */
    const char *key;                     /* NULL for array items and the root */
    const char *text;                    /* JSON_TEXT: the string; JSON_NUMBER: as written */
    double number;                       /* JSON_NUMBER; JSON_BOOL: 0 or 1 */
    size_t count;                        /* JSON_ARRAY, JSON_OBJECT */
    const struct JsonNode *const *items; /* in document order; objects: values, each with its key */
} JsonNode;

#define QUINTET_ERROR (quintet_error_quark())
GQuark quintet_error_quark(void);
typedef enum {
    QUINTET_ERROR_INPUT, /* bad scenario or usage: exit 2 */
    QUINTET_ERROR_IO,    /* could not read or write: exit 3 */
} QuintetErrorCode;

/* file is the name used in messages.  Text need not end with NUL. */
JsonDoc *json_parse(const char *file, const char *text, size_t size, GError **error);
JsonDoc *json_read_file(const char *file, GError **error); /* unreadable: QUINTET_ERROR_IO */
void json_doc_free(JsonDoc *doc);
const JsonNode *json_root(const JsonDoc *doc);

const JsonNode *json_get(const JsonNode *object, const char *key); /* NULL when absent */

/* "file:line:column: path: message", code QUINTET_ERROR_INPUT.  at may be NULL (message alone). */
void json_error(GError **error, const JsonNode *at, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same, pointing at the node's key instead of its value: for unknown keys. */
void json_error_key(GError **error, const JsonNode *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* RFC 7396: base changed by patch; position and path of each value stay those of where it was
 * written.  base and patch may belong to other docs; parts are shared, so these must outlive doc.
 */
const JsonNode *json_merge_patch(JsonDoc *doc, const JsonNode *base, const JsonNode *patch);
JsonDoc *json_doc_new(void);

/* A copy of the tree in which every "$name" stands for the value of that name in params (an object,
 * or NULL for none).  A whole text may become any value (a number, an object) and keeps the
 * position of use; inside a longer text texts and numbers are put in as written.  "about" is prose
 * and kept.  Parameters may use others. An unknown name is an error naming the nearest.  root and
 * params must outlive doc. */
const JsonNode *json_substitute(JsonDoc *doc, const JsonNode *root, const JsonNode *params,
                                GError **error);

/* --set path=value: the tree with the value at dotted path replaced (made, if its parent exists;
 * null removes it, which must be there).  value is JSON, or taken as a string when it is not valid
 * JSON.  root must outlive doc. */
const JsonNode *json_set(JsonDoc *doc, const JsonNode *root, const char *path, const char *value,
                         GError **error);

/* A value read as json_set reads it, standing under key in parent and at parent's position; for
 * defaults. */
const JsonNode *json_value_at(JsonDoc *doc, const JsonNode *parent, const char *key,
                              const char *value);

/* The nearest of names to found (edit distance at most 3 and half its length), or NULL; for "did
 * you mean". */
const char *nearest_name(const char *found, const char *const *names, size_t count);

/* The same among the keys of an object; NULL also for what is no object, or NULL. */
const char *json_nearest_key(const JsonNode *object, const char *name);

/* Canonical compact text (keys in document order), for hashes and for the copy kept in results. */
char *json_to_text(const JsonNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonDoc, json_doc_free)
