/* Why it works: an object is filled key by key in document order, so the first error is the first a
 * reader meets; what was not written is then required, taken from its default, or left zero.  A
 * plug-in's own table is filled by the same steps, whether its parameters stand in an object of
 * their own, under a verb, or beside the keys of the object around it.
 */
#include "sim/param.h"

#include <string.h>

#include "sim/dist.h"
#include "sim/ensure.h"
#include "sim/json_tree.h"
#include "sim/param_fill.h"
#include "sim/param_value.h"

/* Longer lists of names do not help in a message. */
#define LISTED_NAMES_MAX 14
#define PARAMS_MAX       64

static bool value_parse(const Param *param, const JsonNode *node, Arena *arena, void *field,
                        GError **error);

ParamFill param_fill_begin(const ParamTable *table, const JsonNode *node, Arena *arena, void *out,
                           GError **error)
{
    bool has_node = table->node_offset != SIZE_MAX;

    ensure(table->count <= PARAMS_MAX);
    memset(out, 0, table->struct_size);
    /* A table that leaves node_offset out, so 0, keeps its first field to itself. */
    for (size_t i = 0; i < table->count; i++)
        has_node = has_node && table->params[i].offset != table->node_offset;
    if (has_node)
        memcpy((char *)out + table->node_offset, &node, sizeof node);
    return (ParamFill){table, node, arena, out, 0, error};
}

static const Param *find_param(const ParamTable *table, const char *key)
{
    for (size_t i = 0; table && i < table->count; i++) {
        if (table->params[i].name && strcmp(table->params[i].name, key) == 0)
            return &table->params[i];
    }
    return NULL;
}

bool param_fill(ParamFill *fill, const Param *param, const JsonNode *node)
{
    if (node->kind == JSON_NULL && param->nullable)
        return true;
    fill->seen |= UINT64_C(1) << (param - fill->table->params);
    return value_parse(param, node, fill->arena, fill->out + param->offset, fill->error);
}

static void own_doc_free(void *doc)
{
    json_doc_free(doc);
}

/* The default as if it stood in the object: text kinds are never read as JSON. */
static const JsonNode *default_node(const ParamFill *fill, const Param *param)
{
    JsonDoc *doc;
    JsonNode *node;

    if (param->kind != PARAM_TEXT && param->kind != PARAM_ID && param->kind != PARAM_ENUM &&
        param->kind != PARAM_EXPRESSION) {
        doc = json_doc_new();
        arena_own(fill->arena, doc, own_doc_free);
        return json_value_at(doc, fill->node, param->name, param->fallback);
    }
    node = arena_alloc(fill->arena, sizeof *node);
    *node = *fill->node;
    node->kind = JSON_TEXT;
    node->key = param->name;
    node->text = param->fallback;
    node->path = *fill->node->path
                     ? arena_printf(fill->arena, "%s.%s", fill->node->path, param->name)
                     : param->name;
    return node;
}

static void missing_param(const ParamFill *fill, const Param *param)
{
    if (param->kind == PARAM_PLUGIN)
        plugin_missing(fill, param);
    else if (param->kind == PARAM_ENUM)
        json_error(fill->error, fill->node, "\"%s\" is missing; write, for example, \"%s\": \"%s\"",
                   param->name, param->name, param->names[0]);
    else
        json_error(fill->error, fill->node, "\"%s\" is missing; write, for example, \"%s\": %s",
                   param->name, param->name, param_example(param));
}

bool param_fill_end(ParamFill *fill)
{
    const ParamTable *table = fill->table;

    for (size_t i = 0; i < table->count; i++) {
        const Param *param = &table->params[i];

        if (fill->seen >> i & 1)
            continue;
        if (param->required) {
            missing_param(fill, param);
            return false;
        }
        if (param->fallback && !param_fill(fill, param, default_node(fill, param)))
            return false;
    }
    return !table->check || table->check(fill->out, fill->node, fill->error);
}

bool param_check_about(const JsonNode *item, GError **error)
{
    char found[PARAM_TEXT_MAX];

    if (item->kind == JSON_TEXT)
        return true;
    json_error(error, item, "%s is not a text; \"about\" is a comment in double quotes",
               param_found(item, found));
    return false;
}

static void add_names(GPtrArray *names, const ParamTable *table)
{
    for (size_t i = 0; table && i < table->count; i++) {
        if (table->params[i].name)
            g_ptr_array_add(names, (void *)table->params[i].name);
    }
}

static bool unknown_key(const JsonNode *item, const GPtrArray *names, GError **error)
{
    const char *nearest = nearest_name(item->key, (const char *const *)names->pdata, names->len);
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ",
                               (const char *)g_ptr_array_index(names, i));
    if (nearest)
        json_error_key(error, item, "\"%s\" is unknown; did you mean \"%s\"?", item->key, nearest);
    else if (names->len == 0)
        json_error_key(error, item, "\"%s\" is unknown; no key belongs here", item->key);
    else if (names->len <= LISTED_NAMES_MAX)
        json_error_key(error, item, "\"%s\" is unknown; the keys here are %s", item->key,
                       list->str);
    else
        json_error_key(error, item, "\"%s\" is unknown here; remove it", item->key);
    return false;
}

/* In a table of verbs "kind" is what the other forms of plug-ins would have said. */
static bool kind_of_verb(const ParamFill *fill, const Param *verb, const JsonNode *item)
{
    bool known = item->kind == JSON_TEXT && plugin_find(verb->family, item->text);
    g_autoptr(GString) list = g_string_new(NULL);

    for (size_t i = 0; !known && i < verb->family->count; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "; <verb> is one of " : ", ",
                               verb->family->records[i]->name);
    json_error_key(fill->error, item,
                   "\"kind\" is unknown; what a %s does is a key of its own: write \"<name>\": { "
                   "\"%s\": ..., \"%s\": ... }%s",
                   verb->family->noun, fill->table->params[0].name, known ? item->text : "<verb>",
                   list->str);
    return false;
}

static bool unknown_param(const ParamFill *fill, const ParamFill *inner, const JsonNode *item)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const Param *verb = param_table_verb(fill->table);

    if (verb && strcmp(item->key, "kind") == 0)
        return kind_of_verb(fill, verb, item);
    add_names(names, fill->table);
    if (inner)
        add_names(names, inner->table);
    if (verb)
        plugin_add_names(names, verb->family);
    return unknown_key(item, names, fill->error);
}

static bool fill_verb(ParamFill *fill, const Param *verb, const PluginHead *head,
                      const JsonNode *item)
{
    PluginChoice *choice = (PluginChoice *)(void *)(fill->out + verb->offset);

    if (choice->head) {
        json_error_key(fill->error, item,
                       "\"%s\" beside \"%s\": one %s at a time; make two entries", head->name,
                       choice->head->name, verb->family->noun);
        return false;
    }
    fill->seen |= UINT64_C(1) << (verb - fill->table->params);
    *choice = (PluginChoice){.head = head, .node = item};
    return plugin_parse_params(choice, item, fill->arena, fill->error);
}

/* inner: the table of the INLINE choice, or NULL. */
bool param_fill_item(ParamFill *fill, ParamFill *inner, const JsonNode *item)
{
    const Param *verb = param_table_verb(fill->table);
    const Param *param = find_param(fill->table, item->key);
    const PluginHead *head;

    if (param)
        return param == param_table_inline(fill->table) || param_fill(fill, param, item);
    if (strcmp(item->key, "about") == 0)
        return param_check_about(item, fill->error);
    param = inner ? find_param(inner->table, item->key) : NULL;
    if (param)
        return param_fill(inner, param, item);
    head = verb ? plugin_find(verb->family, item->key) : NULL;
    if (head)
        return fill_verb(fill, verb, head, item);
    return unknown_param(fill, inner, item);
}

static bool fill_object(ParamFill *fill, ParamFill *inner)
{
    const JsonNode *node = fill->node;

    for (size_t i = 0; i < node->count; i++) {
        if (!param_fill_item(fill, inner, node->items[i]))
            return false;
    }
    return param_fill_end(fill) && (!inner || param_fill_end(inner));
}

static bool fill_inline(ParamFill *fill, const Param *param)
{
    PluginChoice *choice = (PluginChoice *)(void *)(fill->out + param->offset);
    ParamFill inner;

    if (!plugin_parse_name(param->family, fill->node, choice, fill->error))
        return false;
    if (!choice->head)
        return fill_object(fill, NULL);
    fill->seen |= UINT64_C(1) << (param - fill->table->params);
    if (!choice->head->params)
        return fill_object(fill, NULL);
    inner = param_fill_begin(choice->head->params, fill->node, fill->arena,
                             plugin_params_new(choice, fill->arena), fill->error);
    return fill_object(fill, &inner);
}

bool param_parse(const ParamTable *table, const JsonNode *node, Arena *arena, void *out,
                 GError **error)
{
    ParamFill fill = param_fill_begin(table, node, arena, out, error);
    const Param *whole = param_table_whole(table);
    const Param *scalar = param_table_positional(table);
    const Param *inlined = param_table_inline(table);
    char found[PARAM_TEXT_MAX];

    if (!whole && scalar && node->kind != JSON_OBJECT && node->kind != JSON_NULL)
        whole = scalar;
    if (whole)
        return param_fill(&fill, whole, node) && param_fill_end(&fill);
    if (node->kind != JSON_OBJECT) {
        json_error(error, node, "%s is not an object; write {...}%s%s", param_found(node, found),
                   table->summary ? " with " : "", table->summary ? table->summary : "");
        return false;
    }
    return inlined ? fill_inline(&fill, inlined) : fill_object(&fill, NULL);
}

static bool is_comment(const JsonNode *item)
{
    return item->key && strcmp(item->key, "about") == 0;
}

static bool check_count(const Param *param, const JsonNode *node, GError **error)
{
    bool is_list = node->kind == JSON_ARRAY;
    size_t count = node->count;
    bool too_many, too_few;

    for (size_t i = 0; i < node->count; i++)
        count -= is_comment(node->items[i]) ? 1 : 0;
    too_many = param->count_max > 0 && count > param->count_max;
    too_few = count < param->count_min;
    if (too_many || too_few)
        json_error(error, node, "%" G_GSIZE_FORMAT " %s here; write at %s %" G_GSIZE_FORMAT, count,
                   count == 1 ? is_list ? "item" : "entry"
                   : is_list  ? "items"
                              : "entries",
                   too_many ? "most" : "least", too_many ? param->count_max : param->count_min);
    return !too_many && !too_few;
}

static bool check_key(const Param *param, const JsonNode *item, GError **error)
{
    if (!param->key_pattern) {
        if (param_is_id(item->key))
            return true;
        json_error_key(error, item,
                       "\"%s\" is not an id; write a-z, 0-9 and \"-\", beginning with a letter",
                       item->key);
        return false;
    }
    if (g_regex_match_simple(param->key_pattern, item->key, 0, 0))
        return true;
    json_error_key(error, item, "\"%s\" is not a key for %s; it must match %s", item->key,
                   param->name ? param->name : "this object", param->key_pattern);
    return false;
}

static bool entry_parse(const Param *param, const JsonNode *item, Arena *arena, void *entry,
                        GError **error)
{
    if (param->kind == PARAM_ID_SHARES) {
        Param share = *param;

        share.kind = PARAM_SHARE;
        return param_scalar_parse(&share, item, arena, entry, error);
    }
    if (param->item)
        return value_parse(param->item, item, arena, entry, error);
    return param_parse(param->table, item, arena, entry, error);
}

static bool entries_parse(const Param *param, const JsonNode *node, Arena *arena, ParamMap *out,
                          GError **error)
{
    size_t entry_size = param->kind == PARAM_ID_SHARES ? sizeof(double)
                        : param->item                  ? param_field_size(param->item)
                                                       : param->table->struct_size;
    bool is_list = param->kind == PARAM_LIST;

    if (node->kind != (is_list ? JSON_ARRAY : JSON_OBJECT))
        return param_wrong_kind(param, node, error);
    if (!check_count(param, node, error))
        return false;
    *out = (ParamMap){0};
    out->ids = arena_array(arena, const char *, node->count + 1);
    out->nodes = arena_array(arena, const JsonNode *, node->count + 1);
    out->items = arena_alloc(arena, (node->count + 1) * entry_size);
    for (size_t i = 0; i < node->count; i++) {
        const JsonNode *item = node->items[i];
        void *entry = (char *)out->items + out->count * entry_size;

        if (is_comment(item)) {
            if (!param_check_about(item, error))
                return false;
            continue;
        }
        if ((!is_list && !check_key(param, item, error)) ||
            !entry_parse(param, item, arena, entry, error))
            return false;
        out->ids[out->count] = is_list ? NULL : arena_text(arena, item->key);
        out->nodes[out->count++] = item;
    }
    return true;
}

static void own_dist_free(void *dist)
{
    dist_free(dist);
}

static bool is_same_dist(const void *owned, const void *dist)
{
    return dist_equals(owned, dist);
}

/* The same in several places is one table, which takes less of the processor's caches. */
static const Dist *dist_shared(Dist *dist, Arena *arena)
{
    const Dist *same = arena_find_owned(arena, own_dist_free, is_same_dist, dist);

    if (same != NULL) {
        dist_free(dist);
        return same;
    }
    arena_own(arena, dist, own_dist_free);
    return dist;
}

/* A distribution is taken to be of lasting things: it may be negative only where a range says so.
 */
static bool dist_parse(const Param *param, const JsonNode *node, Arena *arena, const Dist **out,
                       GError **error)
{
    const PluginFamily *family =
        param->kind == PARAM_DIST_TIME ? &dist_time_family : &dist_size_family;
    double least = param_is_ranged(param) ? param->min : 0;
    char low[UNIT_TEXT_MAX], wanted[UNIT_TEXT_MAX];
    PluginChoice choice;
    const Dist *dist;

    if (node->kind != JSON_OBJECT)
        return param_scalar_parse(param, node, arena, (void *)out, error);
    if (!plugin_parse(family, node, arena, &choice, error))
        return false;
    dist = dist_shared(dist_new(&choice), arena);
    *out = dist;
    if ((double)dist_min(dist) >= least)
        return true;
    json_error(error, node, "this %s can be as low as %s; keep it at %s or more", family->noun,
               param_bound_text(param->kind, (double)dist_min(dist), low),
               param_bound_text(param->kind, least, wanted));
    return false;
}

static bool value_parse(const Param *param, const JsonNode *node, Arena *arena, void *field,
                        GError **error)
{
    switch (param->kind) {
    case PARAM_OBJECT:
        return param_parse(param->table, node, arena, field, error);
    case PARAM_MAP:
    case PARAM_LIST:
    case PARAM_ID_SHARES:
        return entries_parse(param, node, arena, field, error);
    case PARAM_PLUGIN:
        return plugin_parse(param->family, node, arena, field, error);
    case PARAM_DIST_TIME:
    case PARAM_DIST_SIZE:
        return dist_parse(param, node, arena, field, error);
    case PARAM_NODE:
        memcpy(field, &node, sizeof node);
        return true;
    default:
        return param_scalar_parse(param, node, arena, field, error);
    }
}
