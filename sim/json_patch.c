/* Why it works: nodes are immutable, so a changed tree is a new spine that shares every part left
 * alone. A node keeps the file, line, column and path of where it was written, whichever tree it
 * ends up in.
 */
#include "sim/json_read.h"

#include <string.h>

#include "sim/json_tree.h"

#define SUBSTITUTE_DEPTH_MAX 16
#define SET_SHOWN_MAX        48 /* bytes of a value in a message */

typedef struct {
    JsonDoc *doc;
    const JsonNode *params;
    int depth; /* how many parameters stand inside each other here */
    GError **error;
} Substitute;

/* base may be NULL: then the patch stands alone, but still without its nulls. */
const JsonNode *json_merge_patch(JsonDoc *doc, const JsonNode *base, const JsonNode *patch)
{
    g_autoptr(GPtrArray) children = NULL;
    JsonNode *node;

    if (patch->kind != JSON_OBJECT)
        return patch;
    if (base && base->kind != JSON_OBJECT)
        base = NULL;
    children = g_ptr_array_new();
    for (size_t i = 0; base && i < base->count; i++) {
        const JsonNode *item = base->items[i];
        const JsonNode *change = json_get(patch, item->key);

        if (!change)
            g_ptr_array_add(children, (void *)item);
        else if (change->kind != JSON_NULL)
            g_ptr_array_add(children, (void *)json_merge_patch(doc, item, change));
    }
    for (size_t i = 0; i < patch->count; i++) {
        const JsonNode *change = patch->items[i];

        if (change->kind != JSON_NULL && !json_get(base, change->key))
            g_ptr_array_add(children, (void *)json_merge_patch(doc, NULL, change));
    }
    node = json_node_like(doc, base ? base : patch);
    json_node_fill(doc, node, children);
    return node;
}

/* The length of the parameter name behind a "$"; 0: that "$" is an ordinary character. */
static size_t param_name_length(const char *text)
{
    size_t length = 0;

    if (!g_ascii_islower(text[0]))
        return 0;
    while (g_ascii_islower(text[length]) || g_ascii_isdigit(text[length]) || text[length] == '_')
        length++;
    return length;
}

const char *json_nearest_key(const JsonNode *object, const char *name)
{
    size_t count = object && object->kind == JSON_OBJECT ? object->count : 0;
    g_autofree const char **names = g_new0(const char *, count + 1);

    for (size_t i = 0; i < count; i++)
        names[i] = object->items[i]->key;
    return nearest_name(name, names, count);
}

static void substitute_unknown(Substitute *sub, const JsonNode *at, const char *name)
{
    const char *nearest = json_nearest_key(sub->params, name);

    if (nearest)
        json_error(sub->error, at, "\"$%s\" is not in params; did you mean \"$%s\"?", name,
                   nearest);
    else
        json_error(sub->error, at, "\"$%s\" is not in params; add it there", name);
}

/* The parameter named by the length bytes at text, or NULL with the error set. */
static const JsonNode *substitute_find(Substitute *sub, const JsonNode *at, const char *text,
                                       size_t length)
{
    g_autofree char *name = g_strndup(text, length);
    const JsonNode *found = json_get(sub->params, name);

    if (!found) {
        substitute_unknown(sub, at, name);
    } else if (sub->depth >= SUBSTITUTE_DEPTH_MAX) {
        json_error(sub->error, at, "\"$%s\" stands for itself in the end; give it a value", name);
        found = NULL;
    }
    return found;
}

static const JsonNode *substitute_node(Substitute *sub, const JsonNode *node, const char *path);

static const JsonNode *substitute_whole(Substitute *sub, const JsonNode *node, const char *path)
{
    const JsonNode *found = substitute_find(sub, node, node->text + 1, strlen(node->text + 1));
    const JsonNode *value;
    JsonNode *copy;

    if (!found)
        return NULL;
    sub->depth++;
    value = substitute_node(sub, found, path);
    sub->depth--;
    if (!value)
        return NULL;
    copy = json_node_like(sub->doc, node);
    copy->kind = value->kind;
    copy->text = value->text;
    copy->number = value->number;
    copy->count = value->count;
    copy->items = value->items;
    copy->path = path;
    return copy;
}

/* Appends what stands for the parameter; objects have no place inside a text. */
static bool substitute_append(Substitute *sub, const JsonNode *at, const JsonNode *found,
                              GString *out)
{
    const JsonNode *value;

    sub->depth++;
    value = substitute_node(sub, found, at->path);
    sub->depth--;
    if (!value)
        return false;
    if (value->kind == JSON_TEXT || value->kind == JSON_NUMBER) {
        g_string_append(out, value->text);
    } else if (value->kind == JSON_BOOL) {
        g_string_append(out, value->number != 0 ? "true" : "false");
    } else {
        json_error(sub->error, at,
                   "\"$%s\" is no text or number and cannot stand inside a longer text; write it "
                   "alone",
                   found->key);
        return false;
    }
    return true;
}

static const JsonNode *substitute_inside(Substitute *sub, const JsonNode *node, const char *path)
{
    g_autoptr(GString) out = g_string_new(NULL);
    JsonNode *copy;

    for (const char *at = node->text; *at;) {
        size_t length = *at == '$' ? param_name_length(at + 1) : 0;
        const JsonNode *found;

        if (length == 0) {
            g_string_append_c(out, *at++);
            continue;
        }
        found = substitute_find(sub, node, at + 1, length);
        if (!found || !substitute_append(sub, node, found, out))
            return NULL;
        at += 1 + length;
    }
    copy = json_node_like(sub->doc, node);
    copy->text = arena_text(sub->doc->arena, out->str);
    copy->path = path;
    return copy;
}

static const JsonNode *substitute_items(Substitute *sub, const JsonNode *node, const char *path)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    JsonNode *copy = json_node_like(sub->doc, node);

    for (size_t i = 0; i < node->count; i++) {
        const JsonNode *item = node->items[i];
        /* Inside a parameter's value the path is that of use; elsewhere every node keeps its own.
         */
        const char *item_path =
            sub->depth > 0 ? json_path_join(sub->doc, path, item->key, i) : item->path;
        const JsonNode *child = substitute_node(sub, item, item_path);

        if (!child)
            return NULL;
        g_ptr_array_add(children, (void *)child);
    }
    copy->path = path;
    json_node_fill(sub->doc, copy, children);
    return copy;
}

static const JsonNode *substitute_node(Substitute *sub, const JsonNode *node, const char *path)
{
    size_t length;

    if (node->kind == JSON_ARRAY || node->kind == JSON_OBJECT)
        return substitute_items(sub, node, path);
    /* Prose may hold any sign. */
    if (node->kind != JSON_TEXT || !strchr(node->text, '$') || g_strcmp0(node->key, "about") == 0)
        return node;
    length = node->text[0] == '$' ? param_name_length(node->text + 1) : 0;
    if (length > 0 && node->text[length + 1] == '\0')
        return substitute_whole(sub, node, path);
    return substitute_inside(sub, node, path);
}

const JsonNode *json_substitute(JsonDoc *doc, const JsonNode *root, const JsonNode *params,
                                GError **error)
{
    Substitute sub = {doc, params, 0, error};

    return substitute_node(&sub, root, root->path);
}

/* A parsed value becomes part of another tree: it stands at one place, its paths continue that
 * one's. */
static const JsonNode *graft(JsonDoc *doc, const JsonNode *value, const JsonNode *place)
{
    JsonNode *node = json_node_like(doc, value);
    g_autoptr(GPtrArray) children = g_ptr_array_new();

    node->file = place->file;
    node->path = place->path;
    if (place->line > 0) {
        node->line = place->line;
        node->column = place->column;
        node->key_line = place->key_line;
        node->key_column = place->key_column;
    }
    for (size_t i = 0; i < value->count; i++) {
        JsonNode inner = *place;

        inner.path = json_path_join(doc, place->path, value->items[i]->key, i);
        g_ptr_array_add(children, (void *)graft(doc, value->items[i], &inner));
    }
    json_node_fill(doc, node, children);
    return node;
}

static void own_doc_free(void *doc)
{
    json_doc_free(doc);
}

/* place->line 0 keeps the positions within the value's own text. */
static const JsonNode *value_from_text(JsonDoc *doc, const JsonNode *place, const char *value)
{
    JsonDoc *parsed = json_parse(place->file, value, strlen(value), NULL);
    JsonNode *node;

    if (parsed) {
        arena_own(doc->arena, parsed, own_doc_free);
        node = json_node_like(doc, graft(doc, json_root(parsed), place));
    } else {
        node = arena_alloc(doc->arena, sizeof *node);
        *node = *place;
        node->kind = JSON_TEXT;
        node->text = arena_text(doc->arena, value);
        node->line = MAX(place->line, 1);
        node->column = MAX(place->column, 1);
        node->count = 0;
        node->items = NULL;
    }
    node->key = place->key;
    return node;
}

const JsonNode *json_value_at(JsonDoc *doc, const JsonNode *parent, const char *key,
                              const char *value)
{
    JsonNode place = *parent;

    place.key = arena_text(doc->arena, key);
    place.path = json_path_join(doc, parent->path, key, 0);
    return value_from_text(doc, &place, value);
}

/* Where in parent the name leads; parent->count when it is not there. */
static size_t set_index(const JsonNode *parent, const char *name)
{
    char *end = NULL;
    guint64 index;

    if (parent->kind == JSON_OBJECT) {
        for (size_t i = 0; i < parent->count; i++) {
            if (strcmp(parent->items[i]->key, name) == 0)
                return i;
        }
        return parent->count;
    }
    index = g_ascii_strtoull(name, &end, 10);
    if (parent->kind != JSON_ARRAY || !g_ascii_isdigit(name[0]) || *end != '\0')
        return parent->count;
    return index < parent->count ? (size_t)index : parent->count;
}

typedef struct {
    JsonDoc *doc;
    const char *path; /* the whole, for messages and the new value's path */
    const char *value;
    GError **error;
} Set;

/* Says at which name the path leaves the tree. */
static void set_lost(const Set *set, const JsonNode *parent, const char *name, bool last)
{
    const char *where = *parent->path ? parent->path : "the document";
    const char *nearest = json_nearest_key(parent, name);

    if (parent->kind != JSON_OBJECT)
        json_error(set->error, NULL, "--set %s: %s has no \"%s\" to set", set->path, where, name);
    else if (nearest)
        json_error(set->error, NULL, "--set %s: \"%s\" is not in %s; did you mean \"%s\"?",
                   set->path, name, where, nearest);
    else if (last)
        json_error(set->error, NULL, "--set %s: \"%s\" is not in %s, so null removes nothing",
                   set->path, name, where);
    else
        json_error(set->error, NULL,
                   "--set %s: \"%s\" is not in %s; set it whole: --set '%s%s%s={...}'", set->path,
                   name, where, parent->path, *parent->path ? "." : "", name);
}

static const JsonNode *set_leaf(const Set *set, const char *name)
{
    /* A long value is left out: the message tells what of it is wrong. */
    const char *value = strlen(set->value) <= SET_SHOWN_MAX ? set->value : "...";
    JsonNode place = {.file = arena_printf(set->doc->arena, "--set %s=%s", set->path, value),
                      .path = arena_text(set->doc->arena, set->path)};

    place.key = arena_text(set->doc->arena, name);
    return value_from_text(set->doc, &place, set->value);
}

static const JsonNode *set_in(const Set *set, const JsonNode *parent, char **names)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    size_t index = set_index(parent, names[0]);
    bool last = names[1] == NULL;
    const JsonNode *child;
    JsonNode *node;

    if (index == parent->count && (!last || parent->kind != JSON_OBJECT)) {
        set_lost(set, parent, names[0], last);
        return NULL;
    }
    child = last ? set_leaf(set, names[0]) : set_in(set, parent->items[index], names + 1);
    if (!child)
        return NULL;
    if (child->kind == JSON_NULL && index == parent->count) {
        set_lost(set, parent, names[0], last);
        return NULL;
    }
    if (parent->kind == JSON_ARRAY && last) {
        JsonNode *item = json_node_like(set->doc, child);

        item->key = NULL;
        child = item;
    }
    for (size_t i = 0; i < parent->count; i++)
        g_ptr_array_add(children, (void *)(i == index ? child : parent->items[i]));
    if (index == parent->count)
        g_ptr_array_add(children, (void *)child);
    if (last && child->kind == JSON_NULL && parent->kind == JSON_OBJECT)
        g_ptr_array_remove_index(children, (guint)index);
    node = json_node_like(set->doc, parent);
    json_node_fill(set->doc, node, children);
    return node;
}

const JsonNode *json_set(JsonDoc *doc, const JsonNode *root, const char *path, const char *value,
                         GError **error)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    Set set = {doc, path, value, error};

    for (size_t i = 0; i == 0 || names[i]; i++) {
        if (!names[i] || !*names[i]) {
            json_error(error, NULL,
                       "--set %s: an empty name; write a path such as members.us.memory.max=32GB",
                       path);
            return NULL;
        }
    }
    return set_in(&set, root, names);
}
