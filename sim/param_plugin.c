/* Why it works: every form names one record of a family and leaves a set of keys to that record's
 * own table; which keys these are is all that differs between the forms.
 */
#include "sim/param.h"

#include <string.h>

#include "sim/param_fill.h"
#include "sim/param_value.h"

void plugin_add_names(GPtrArray *names, const PluginFamily *family)
{
    for (size_t i = 0; i < family->count; i++)
        g_ptr_array_add(names, (void *)family->records[i]->name);
}

const PluginHead *plugin_find(const PluginFamily *family, const char *name)
{
    for (size_t i = 0; i < family->count; i++) {
        if (strcmp(family->records[i]->name, name) == 0)
            return family->records[i];
    }
    return NULL;
}

static const char *article(const char *noun)
{
    return strchr("aeiou", *noun) ? "an" : "a";
}

/* Finding, nearest match, list. */
static char *unknown_text(const PluginFamily *family, const char *found)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GString *text = g_string_new(NULL);
    const char *nearest;

    plugin_add_names(names, family);
    nearest = nearest_name(found, (const char *const *)names->pdata, names->len);
    g_string_printf(text, "\"%s\" is not %s %s; ", found, article(family->noun), family->noun);
    if (nearest)
        g_string_append_printf(text, "did you mean \"%s\"? ", nearest);
    g_string_append(text, nearest ? "Known: " : "known: ");
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ",
                               (const char *)g_ptr_array_index(names, i));
    return g_string_free(text, FALSE);
}

void plugin_unknown(GError **error, const JsonNode *at, const PluginFamily *family,
                    const char *found)
{
    g_autofree char *text = unknown_text(family, found);

    json_error(error, at, "%s", text);
}

void plugin_missing(const ParamFill *fill, const Param *param)
{
    const PluginFamily *family = param->family;
    g_autoptr(GString) list = g_string_new(NULL);

    for (size_t i = 0; i < family->count; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", family->records[i]->name);
    if (param->name)
        json_error(fill->error, fill->node, "\"%s\" is missing; it is one of %s", param->name,
                   list->str);
    else
        json_error(fill->error, fill->node, "no %s here; write one of %s", family->noun, list->str);
}

void *plugin_params_new(PluginChoice *choice, Arena *arena)
{
    void *params = NULL;

    if (choice->head->params) {
        params = arena_alloc(arena, choice->head->params->struct_size);
        choice->params = params;
    }
    return params;
}

bool plugin_parse_params(PluginChoice *choice, const JsonNode *node, Arena *arena, GError **error)
{
    void *params = plugin_params_new(choice, arena);
    bool empty = (node->kind == JSON_OBJECT && node->count == 0) ||
                 (node->kind == JSON_BOOL && node->number != 0);

    if (params)
        return param_parse(choice->head->params, node, arena, params, error);
    if (!empty)
        json_error(error, node, "\"%s\" takes no parameters; write {}", choice->head->name);
    return empty;
}

bool plugin_parse_name(const PluginFamily *family, const JsonNode *node, PluginChoice *out,
                       GError **error)
{
    const JsonNode *kind = json_get(node, family->kind_key);
    char found[PARAM_TEXT_MAX];

    *out = (PluginChoice){.node = node};
    if (!kind && family->fallback)
        out->head = plugin_find(family, family->fallback);
    if (!kind)
        return true;
    if (kind->kind != JSON_TEXT) {
        json_error(error, kind, "%s is not %s %s; write its name in double quotes",
                   param_found(kind, found), article(family->noun), family->noun);
        return false;
    }
    out->head = plugin_find(family, kind->text);
    if (!out->head)
        plugin_unknown(error, kind, family, kind->text);
    return out->head != NULL;
}

/* A bare name: all its parameters take their defaults. */
static bool plugin_parse_text(const PluginFamily *family, const JsonNode *node, Arena *arena,
                              PluginChoice *out, GError **error)
{
    PluginChoice choice = {.head = plugin_find(family, node->text), .node = node};
    const ParamTable *table;
    ParamFill fill;

    if (!choice.head) {
        plugin_unknown(error, node, family, node->text);
        return false;
    }
    table = choice.head->params;
    for (size_t i = 0; table && i < table->count; i++) {
        if (!table->params[i].required && !param_table_whole(table))
            continue;
        if (family->form == PLUGIN_KIND || family->form == PLUGIN_INLINE)
            json_error(error, node, "\"%s\" needs parameters; write {\"%s\": \"%s\", \"%s\": %s}",
                       choice.head->name, family->kind_key, choice.head->name,
                       table->params[i].name ? table->params[i].name : "...",
                       param_example(&table->params[i]));
        else
            json_error(error, node, "\"%s\" needs parameters; write {\"%s\": ...}",
                       choice.head->name, choice.head->name);
        return false;
    }
    *out = choice;
    if (!table)
        return true;
    fill = param_fill_begin(table, node, arena, plugin_params_new(out, arena), error);
    return param_fill_end(&fill);
}

/* The key that names a plug-in.  NULL with the error set when there is none, or more than one. */
static const JsonNode *find_naming_key(const PluginFamily *family, const JsonNode *node,
                                       GError **error)
{
    const JsonNode *naming = NULL;
    const JsonNode *first = NULL;

    for (size_t i = 0; i < node->count; i++) {
        const JsonNode *item = node->items[i];

        if (strcmp(item->key, "about") == 0)
            continue;
        first = first ? first : item;
        if (!plugin_find(family, item->key))
            continue;
        if (naming) {
            json_error_key(error, item, "\"%s\" beside \"%s\": one %s at a time; keep one",
                           item->key, naming->key, family->noun);
            return NULL;
        }
        naming = item;
    }
    if (!naming && first) {
        g_autofree char *text = unknown_text(family, first->key);

        json_error_key(error, first, "%s", text);
    } else if (!naming) {
        json_error(error, node, "this object names no %s; write {\"%s\": ...}", family->noun,
                   family->records[0]->name);
    }
    return naming;
}

/* Beside the naming key only a comment may stand. */
static bool check_alone(const JsonNode *node, const JsonNode *naming, GError **error)
{
    for (size_t i = 0; i < node->count; i++) {
        const JsonNode *item = node->items[i];

        if (item == naming)
            continue;
        if (strcmp(item->key, "about") != 0) {
            json_error_key(error, item, "\"%s\" is unknown beside \"%s\"; remove it", item->key,
                           naming->key);
            return false;
        }
        if (!param_check_about(item, error))
            return false;
    }
    return true;
}

/* {"zipf": 0.9, "scrambled": true}: parameters under the naming key, and beside it. */
static bool plugin_parse_verb(const PluginFamily *family, const JsonNode *node, Arena *arena,
                              PluginChoice *out, GError **error)
{
    const JsonNode *naming = find_naming_key(family, node, error);
    const ParamTable *table;
    const Param *scalar;
    ParamFill fill;

    if (!naming)
        return false;
    *out = (PluginChoice){.head = plugin_find(family, naming->key), .node = node};
    table = out->head->params;
    scalar = param_table_positional(table);
    if (!table || param_table_whole(table) || (!scalar && naming->kind != JSON_OBJECT))
        return check_alone(node, naming, error) && plugin_parse_params(out, naming, arena, error);
    fill = param_fill_begin(table, node, arena, plugin_params_new(out, arena), error);
    if (naming->kind != JSON_OBJECT && !param_fill(&fill, scalar, naming))
        return false;
    for (size_t i = 0; naming->kind == JSON_OBJECT && i < naming->count; i++) {
        if (!param_fill_item(&fill, NULL, naming->items[i]))
            return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i] != naming && !param_fill_item(&fill, NULL, node->items[i]))
            return false;
    }
    return param_fill_end(&fill);
}

static bool plugin_parse_one_key(const PluginFamily *family, const JsonNode *node, Arena *arena,
                                 PluginChoice *out, GError **error)
{
    const JsonNode *naming = find_naming_key(family, node, error);

    if (!naming)
        return false;
    *out = (PluginChoice){.head = plugin_find(family, naming->key), .node = node};
    return check_alone(node, naming, error) && plugin_parse_params(out, naming, arena, error);
}

/* {"kind": "priority", ...}: the family's key is no parameter, all others are. */
static bool plugin_parse_kind(const PluginFamily *family, const JsonNode *node, Arena *arena,
                              PluginChoice *out, GError **error)
{
    const Param marker = {.name = family->kind_key, .kind = PARAM_PLUGIN, .family = family};
    const ParamTable none = {.params = &marker, .count = 0, .node_offset = SIZE_MAX};
    char nothing = 0;
    ParamFill fill;

    if (!plugin_parse_name(family, node, out, error))
        return false;
    if (!out->head) {
        const Param *need = &marker;
        ParamFill outer = {&none, node, arena, &nothing, 0, error};

        plugin_missing(&outer, need);
        return false;
    }
    fill = out->head->params ? param_fill_begin(out->head->params, node, arena,
                                                plugin_params_new(out, arena), error)
                             : (ParamFill){&none, node, arena, &nothing, 0, error};
    for (size_t i = 0; i < node->count; i++) {
        const JsonNode *item = node->items[i];

        if (strcmp(item->key, family->kind_key) != 0 && !param_fill_item(&fill, NULL, item))
            return false;
    }
    return param_fill_end(&fill);
}

bool plugin_parse(const PluginFamily *family, const JsonNode *node, Arena *arena, PluginChoice *out,
                  GError **error)
{
    char found[PARAM_TEXT_MAX];

    *out = (PluginChoice){.node = node};
    if (node->kind == JSON_TEXT)
        return plugin_parse_text(family, node, arena, out, error);
    if (node->kind != JSON_OBJECT) {
        json_error(error, node, "%s is not %s %s; write its name, such as \"%s\", or an object",
                   param_found(node, found), article(family->noun), family->noun,
                   family->records[0]->name);
        return false;
    }
    switch (family->form) {
    case PLUGIN_VERB:
        return plugin_parse_verb(family, node, arena, out, error);
    case PLUGIN_ONE_KEY:
        return plugin_parse_one_key(family, node, arena, out, error);
    case PLUGIN_KIND:
    case PLUGIN_INLINE:
        break;
    }
    return plugin_parse_kind(family, node, arena, out, error);
}
