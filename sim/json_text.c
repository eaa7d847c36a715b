/* Why it works: a node keeps a number as it was written and its children in document order, so its
 * text is a plain walk and equal trees give equal text.
 */
#include "sim/json_read.h"

#include <string.h>

#include "sim/json_tree.h"

#define NEAREST_EDITS_MAX 3
#define NAME_BYTES_MAX    64

/* Optimal string alignment: insert, delete, replace a letter, or swap two neighbours. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);

    for (size_t k = 0; k <= b_length; k++)
        last[k] = k;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t k = 1; k <= b_length; k++) {
            size_t replaced = last[k - 1] + (a[i - 1] != b[k - 1]);

            row[k] = MIN(replaced, MIN(last[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = MIN(row[k], before[k - 2] + 1);
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[b_length];
}

const char *nearest_name(const char *found, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = NEAREST_EDITS_MAX + 1;

    if (strlen(found) > NAME_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t longer = MAX(strlen(found), strlen(names[i]));
        size_t edits;

        if (longer > NAME_BYTES_MAX)
            continue;
        edits = edit_distance(found, names[i]);
        /* More than half changed is another word, not a slip. */
        if (edits < least && 2 * edits <= longer) {
            least = edits;
            nearest = names[i];
        }
    }
    return nearest;
}

void json_append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            g_string_append_c(out, '\\');
        if ((unsigned char)*at < 0x20)
            g_string_append_printf(out, "\\u%04x", (unsigned)*at);
        else
            g_string_append_c(out, *at);
    }
    g_string_append_c(out, '"');
}

static void append_node(GString *out, const JsonNode *node)
{
    switch (node->kind) {
    case JSON_NULL:
        g_string_append(out, "null");
        break;
    case JSON_BOOL:
        g_string_append(out, node->number != 0 ? "true" : "false");
        break;
    case JSON_NUMBER:
        g_string_append(out, node->text);
        break;
    case JSON_TEXT:
        json_append_quoted(out, node->text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        g_string_append_c(out, node->kind == JSON_ARRAY ? '[' : '{');
        for (size_t i = 0; i < node->count; i++) {
            if (i > 0)
                g_string_append_c(out, ',');
            if (node->kind == JSON_OBJECT) {
                json_append_quoted(out, node->items[i]->key);
                g_string_append_c(out, ':');
            }
            append_node(out, node->items[i]);
        }
        g_string_append_c(out, node->kind == JSON_ARRAY ? ']' : '}');
        break;
    }
}

char *json_to_text(const JsonNode *node)
{
    GString *out = g_string_new(NULL);

    append_node(out, node);
    return g_string_free(out, FALSE);
}
