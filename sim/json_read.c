/* Why it works: the scanner accepts exactly the texts cJSON accepts and more strictly so, and marks
 * values in document order; a walk over cJSON's tree meets the same values in the same order, so
 * the n-th value has the n-th mark.  Numbers are kept as written and converted here, because cJSON
 * asks the locale.
 */
#include "sim/json_read.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/arena.h"
#include "sim/ensure.h"
#include "sim/json_scan.h"
#include "sim/json_tree.h"

typedef struct {
    JsonDoc *doc;
    const char *file;
    const char *text;
    const GArray *marks;
    guint next;
    GError **error;
} Join;

GQuark quintet_error_quark(void)
{
    return g_quark_from_static_string("quintet-error");
}

static void json_error_at(GError **error, const JsonNode *at, bool at_key, const char *message)
{
    const char *key = at ? at->key : NULL;
    g_autofree char *place = NULL;
    int path_length, line, column;

    if (!at) {
        g_set_error_literal(error, QUINTET_ERROR, QUINTET_ERROR_INPUT, message);
        return;
    }
    path_length = (int)strlen(at->path);
    if (at_key && key && g_str_has_suffix(at->path, key)) {
        path_length -= (int)strlen(key);
        path_length -= path_length > 0 ? 1 : 0;
    }
    at_key = at_key && at->key_line > 0;
    line = at_key ? at->key_line : at->line;
    column = at_key ? at->key_column : at->column;
    /* An argument of --set begins at its value; that is no place to look for. */
    if (line > 1 || column > 1 || !g_str_has_prefix(at->file, "--set "))
        place = g_strdup_printf("%s:%d:%d", at->file, line, column);
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_INPUT, "%s: %.*s%s%s", place ? place : at->file,
                path_length, at->path, path_length > 0 ? ": " : "", message);
}

void json_error(GError **error, const JsonNode *at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list list;

    va_start(list, format);
    message = g_strdup_vprintf(format, list);
    va_end(list);
    json_error_at(error, at, false, message);
}

void json_error_key(GError **error, const JsonNode *at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list list;

    va_start(list, format);
    message = g_strdup_vprintf(format, list);
    va_end(list);
    json_error_at(error, at, true, message);
}

JsonDoc *json_doc_new(void)
{
    JsonDoc *doc = g_new0(JsonDoc, 1);

    doc->arena = arena_new();
    return doc;
}

void json_doc_free(JsonDoc *doc)
{
    if (!doc)
        return;
    arena_free(doc->arena);
    g_free(doc);
}

const JsonNode *json_root(const JsonDoc *doc)
{
    return doc->root;
}

const JsonNode *json_get(const JsonNode *object, const char *key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->count; i++) {
        if (strcmp(object->items[i]->key, key) == 0)
            return object->items[i];
    }
    return NULL;
}

JsonNode *json_node_like(JsonDoc *doc, const JsonNode *like)
{
    JsonNode *node = arena_alloc(doc->arena, sizeof *node);

    *node = *like;
    return node;
}

void json_node_fill(JsonDoc *doc, JsonNode *node, const GPtrArray *children)
{
    const JsonNode **items = NULL;

    node->count = children->len;
    if (children->len > 0)
        items = arena_array(doc->arena, const JsonNode *, children->len);
    for (guint i = 0; i < children->len; i++)
        items[i] = g_ptr_array_index(children, i);
    node->items = items;
}

const char *json_path_join(JsonDoc *doc, const char *parent, const char *key, size_t index)
{
    const char *dot = *parent ? "." : "";

    if (key)
        return arena_printf(doc->arena, "%s%s%s", parent, dot, key);
    return arena_printf(doc->arena, "%s%s%" G_GSIZE_FORMAT, parent, dot, index);
}

static const JsonNode *join_value(Join *join, const cJSON *value, const JsonNode *parent,
                                  size_t index);

static bool join_number(Join *join, JsonNode *node, const JsonMark *mark)
{
    g_autofree char *text = g_strndup(join->text + mark->offset, mark->size);

    node->kind = JSON_NUMBER;
    node->text = arena_text(join->doc->arena, text);
    node->number = g_ascii_strtod(text, NULL);
    if (node->number - node->number == 0)
        return true;
    json_error(join->error, node, "%s is too large for a number; write it smaller", text);
    return false;
}

static bool join_is_new_key(Join *join, GHashTable *seen, const JsonNode *child)
{
    const JsonNode *first;

    if (!child->key)
        return true;
    first = g_hash_table_lookup(seen, child->key);
    if (!first) {
        g_hash_table_insert(seen, (void *)child->key, (void *)child);
        return true;
    }
    json_error_key(join->error, child,
                   "\"%s\" is given twice, first at line %d, column %d; keep one", child->key,
                   first->key_line, first->key_column);
    return false;
}

static bool join_items(Join *join, const cJSON *value, JsonNode *node)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    size_t index = 0;

    node->kind = cJSON_IsObject(value) ? JSON_OBJECT : JSON_ARRAY;
    for (const cJSON *item = value->child; item; item = item->next) {
        const JsonNode *child = join_value(join, item, node, index++);

        if (!child || !join_is_new_key(join, seen, child))
            return false;
        g_ptr_array_add(children, (void *)child);
    }
    json_node_fill(join->doc, node, children);
    return true;
}

/* NULL with the error set when a number or key is wrong. */
static const JsonNode *join_value(Join *join, const cJSON *value, const JsonNode *parent,
                                  size_t index)
{
    JsonNode *node = arena_alloc(join->doc->arena, sizeof *node);
    const JsonMark *mark;

    ensure(join->next < join->marks->len);
    mark = &g_array_index(join->marks, JsonMark, join->next++);
    node->file = join->file;
    node->line = mark->line;
    node->column = mark->column;
    node->key_line = mark->key_line;
    node->key_column = mark->key_column;
    node->key = arena_text(join->doc->arena, value->string);
    node->path = parent ? json_path_join(join->doc, parent->path, node->key, index) : "";
    if (cJSON_IsNumber(value))
        return join_number(join, node, mark) ? node : NULL;
    if (cJSON_IsObject(value) || cJSON_IsArray(value))
        return join_items(join, value, node) ? node : NULL;
    if (cJSON_IsString(value)) {
        node->kind = JSON_TEXT;
        node->text = arena_text(join->doc->arena, value->valuestring);
    } else if (cJSON_IsBool(value)) {
        node->kind = JSON_BOOL;
        node->number = cJSON_IsTrue(value) ? 1 : 0;
    }
    return node;
}

static bool json_fits(const char *file, size_t size, GError **error)
{
    if (size <= JSON_BYTES_MAX)
        return true;
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_INPUT,
                "%s:1:1: the file is larger than %d MB; make it smaller", file,
                JSON_BYTES_MAX / (1024 * 1024));
    return false;
}

JsonDoc *json_parse(const char *file, const char *text, size_t size, GError **error)
{
    g_autoptr(GArray) marks = NULL;
    g_autoptr(JsonDoc) doc = NULL;
    Join join;
    cJSON *tree;

    if (!json_fits(file, size, error))
        return NULL;
    marks = json_scan(file, text, size, error);
    if (!marks)
        return NULL;
    doc = json_doc_new();
    tree = cJSON_ParseWithLength(text, size);
    ensure(tree != NULL); /* what the scanner accepts is JSON */
    join = (Join){doc, arena_text(doc->arena, file), text, marks, 0, error};
    doc->root = join_value(&join, tree, NULL, 0);
    cJSON_Delete(tree);
    if (!doc->root)
        return NULL;
    ensure(join.next == marks->len);
    return g_steal_pointer(&doc);
}

static JsonDoc *json_read_failed(const char *file, GError **error)
{
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "%s: cannot be read: %s", file,
                g_strerror(errno));
    return NULL;
}

JsonDoc *json_read_file(const char *file, GError **error)
{
    const size_t room =
        JSON_BYTES_MAX + 1; /* one byte tells a file of the limit from a longer one */
    g_autofree char *text = NULL;
    size_t size;
    bool failed;
    FILE *stream = fopen(file, "rb");

    if (!stream)
        return json_read_failed(file, error);
    text = g_malloc(room);
    errno = 0;
    size = fread(text, 1, room, stream);
    failed = ferror(stream) != 0;
    if (failed) {
        int cause = errno;

        fclose(stream);
        errno = cause;
        return json_read_failed(file, error);
    }
    fclose(stream);
    return json_parse(file, text, size, error);
}
