/* Why it works: the strict reader has refused what is no JSON and knows the place of every value;
 * what is left is one pass over the tree that refuses what no runner could carry out, so that the
 * runner need not ask again.
 */
#include "tools/conform_read_parts.h"

#include <string.h>

struct ConformFile {
    JsonDoc *doc;
    char *path;
    const char *type;
    GArray *cases;     /* of ConformCase */
    GPtrArray *steps;  /* of ConformStep[] and ConformClient[], one of each per case */
    GHashTable *lines; /* of the cases, by name */
};

static const char *const file_keys[] = {"type", "source", "cases"};
static const char *const case_keys[] = {"name", "source", "about", "members", "options", "steps"};
static const char *const option_keys[] = {"causal_consistency", "clustered", "xadd_id_mode"};
static const char *const xadd_id_modes[] = {[XADD_ID_STRICT] = "strict",
                                            [XADD_ID_SEMI_STRICT] = "semi-strict",
                                            [XADD_ID_LIBERAL] = "liberal"};

const char *conform_kind_name(const JsonNode *node)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",   [JSON_BOOL] = "true or false", [JSON_NUMBER] = "a number",
        [JSON_TEXT] = "a text", [JSON_ARRAY] = "a list",       [JSON_OBJECT] = "an object"};

    return names[node->kind];
}

static bool names_have(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool conform_check_keys(const JsonNode *node, const ConformKeys *keys, GError **error)
{
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->items[i]->key;
        const char *nearest;
        g_autoptr(GString) known = g_string_new(NULL);

        if (names_have(keys->names, keys->count, key))
            continue;
        nearest = nearest_name(key, keys->names, keys->count);
        for (size_t k = 0; k < keys->count; k++)
            g_string_append_printf(known, "%s%s", k == 0 ? "" : ", ", keys->names[k]);
        if (nearest)
            json_error_key(error, node->items[i], "\"%s\" is no part of %s; did you mean \"%s\"?",
                           key, keys->of, nearest);
        else
            json_error_key(error, node->items[i], "\"%s\" is no part of %s; its parts are %s", key,
                           keys->of, known->str);
        return false;
    }
    return true;
}

const JsonNode *conform_need(const JsonNode *object, const char *key, JsonKind kind,
                             const char *remedy, GError **error)
{
    const JsonNode *node = json_get(object, key);

    if (node && node->kind == kind)
        return node;
    if (node)
        json_error(error, node, "\"%s\" is %s; %s", key, conform_kind_name(node), remedy);
    else
        json_error(error, object, "\"%s\" is missing; %s", key, remedy);
    return NULL;
}

/* A text that may be left out; false after an error. */
static bool read_text(const JsonNode *object, const char *key, const char **out, GError **error)
{
    const JsonNode *node = json_get(object, key);

    *out = node && node->kind == JSON_TEXT ? node->text : "";
    if (!node || node->kind == JSON_TEXT)
        return true;
    json_error(error, node, "\"%s\" is %s; write a text", key, conform_kind_name(node));
    return false;
}

bool conform_whole_number(const JsonNode *node, int64_t min, int64_t max, int64_t *out)
{
    gint64 value;

    if (node->kind != JSON_NUMBER ||
        !g_ascii_string_to_signed(node->text, 10, min, max, &value, NULL))
        return false;
    *out = value;
    return true;
}

/* A truth that may be left out, which is false; returns false after an error. */
static bool read_bool(const JsonNode *object, const char *key, bool *out, GError **error)
{
    const JsonNode *node = json_get(object, key);

    *out = node && node->kind == JSON_BOOL && node->number != 0;
    if (!node || node->kind == JSON_BOOL)
        return true;
    json_error(error, node, "\"%s\" is %s; write true or false", key, conform_kind_name(node));
    return false;
}

static bool read_options(const JsonNode *node, ConformCase *out, GError **error)
{
    static const ConformKeys keys = {option_keys, G_N_ELEMENTS(option_keys), "options"};
    const JsonNode *mode;

    if (node->kind != JSON_OBJECT) {
        json_error(error, node, "\"options\" is %s; write {\"causal_consistency\": true}",
                   conform_kind_name(node));
        return false;
    }
    if (!conform_check_keys(node, &keys, error))
        return false;
    if (!read_bool(node, "causal_consistency", &out->is_causal, error) ||
        !read_bool(node, "clustered", &out->is_clustered, error))
        return false;
    mode = json_get(node, "xadd_id_mode");
    for (size_t i = 0; mode && mode->kind == JSON_TEXT && i < G_N_ELEMENTS(xadd_id_modes); i++) {
        if (strcmp(mode->text, xadd_id_modes[i]) != 0)
            continue;
        out->xadd_id = (ConformXaddId)i;
        mode = NULL;
    }
    if (!mode)
        return true;
    json_error(error, mode, "%s is no mode of XADD ids; take strict, semi-strict or liberal",
               mode->kind == JSON_TEXT ? mode->text : conform_kind_name(mode));
    return false;
}

static bool read_steps(ConformFile *file, const JsonNode *list, ConformCase *out, GError **error)
{
    ConformStep *steps = g_new0(ConformStep, list->count + 1);
    g_autoptr(GArray) clients = g_array_new(FALSE, FALSE, sizeof(ConformClient));

    g_ptr_array_add(file->steps, steps);
    for (uint32_t id = 1; id <= out->member_count; id++) {
        ConformClient own = {"", id};

        g_array_append_val(clients, own);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!conform_read_step(list->items[i], out->member_count, clients, &steps[i], error))
            return false;
        if (i > 0 && steps[i].at_s < steps[i - 1].at_s) {
            json_error(error, json_get(list->items[i], "t"),
                       "t goes back from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                       "; put the steps in the order of their times",
                       steps[i - 1].at_s, steps[i].at_s);
            return false;
        }
    }
    out->steps = steps;
    out->step_count = (uint32_t)list->count;
    out->client_count = clients->len;
    out->clients = (ConformClient *)(void *)g_array_free(g_steal_pointer(&clients), FALSE);
    g_ptr_array_add(file->steps, (void *)(uintptr_t)out->clients);
    return true;
}

static bool read_head(const ConformFile *file, const JsonNode *node, ConformCase *out,
                      GError **error)
{
    const JsonNode *name =
        conform_need(node, "name", JSON_TEXT, "give the case a name of its own", error);
    const JsonNode *members;
    int other_line;
    int64_t count;

    if (!name)
        return false;
    out->name = name->text;
    if (name->text[0] == '\0') {
        json_error(error, name, "the name is empty; give the case a name of its own");
        return false;
    }
    other_line = GPOINTER_TO_INT(g_hash_table_lookup(file->lines, out->name));
    if (other_line > 0) {
        json_error(error, name, "\"%s\" is the name of the case in line %d too; give it another",
                   out->name, other_line);
        return false;
    }
    g_hash_table_insert(file->lines, (gpointer)(uintptr_t)out->name, GINT_TO_POINTER(node->line));
    members = conform_need(node, "members", JSON_NUMBER, "say how many there are, 2 to 5", error);
    if (!members)
        return false;
    if (!conform_whole_number(members, 2, MEMBER_MAX, &count)) {
        json_error(error, members, "%s members are no group; take 2 to %d", members->text,
                   MEMBER_MAX);
        return false;
    }
    out->member_count = (uint32_t)count;
    return read_text(node, "about", &out->about, error) &&
           read_text(node, "source", &out->source, error);
}

static bool read_case(ConformFile *file, const JsonNode *node, GError **error)
{
    static const ConformKeys keys = {case_keys, G_N_ELEMENTS(case_keys), "a case"};
    ConformCase result = {.node = node};
    const JsonNode *options, *steps;

    if (node->kind != JSON_OBJECT) {
        json_error(error, node,
                   "a case is %s; write {\"name\": ..., \"members\": 2, \"steps\": []}",
                   conform_kind_name(node));
        return false;
    }
    if (!conform_check_keys(node, &keys, error) || !read_head(file, node, &result, error))
        return false;
    options = json_get(node, "options");
    if (options && !read_options(options, &result, error))
        return false;
    steps = conform_need(node, "steps", JSON_ARRAY, "list what the members do", error);
    if (!steps)
        return false;
    if (steps->count == 0) {
        json_error(error, steps, "\"steps\" is empty; list what the members do");
        return false;
    }
    if (!read_steps(file, steps, &result, error))
        return false;
    g_array_append_val(file->cases, result);
    return true;
}

static bool read_file(ConformFile *file, GError **error)
{
    static const ConformKeys keys = {file_keys, G_N_ELEMENTS(file_keys), "a conformance file"};
    const JsonNode *root = json_root(file->doc);
    const JsonNode *type, *cases;
    const char *source;

    if (root->kind != JSON_OBJECT) {
        json_error(error, root,
                   "a conformance file is %s; write {\"type\": ..., \"source\": ..., "
                   "\"cases\": [...]}",
                   conform_kind_name(root));
        return false;
    }
    if (!conform_check_keys(root, &keys, error) || !read_text(root, "source", &source, error))
        return false;
    type = conform_need(root, "type", JSON_TEXT, "say what its cases are about, as in \"hash\"",
                        error);
    cases = type ? conform_need(root, "cases", JSON_ARRAY, "list its cases", error) : NULL;
    if (!cases)
        return false;
    if (cases->count == 0) {
        json_error(error, cases,
                   "\"cases\" is empty; write at least one case: {\"name\": ..., "
                   "\"members\": 2, \"steps\": [...]}");
        return false;
    }
    file->type = type->text;
    for (size_t i = 0; i < cases->count; i++)
        if (!read_case(file, cases->items[i], error))
            return false;
    return true;
}

/* Takes doc, which may be NULL after an error. */
static ConformFile *file_of(const char *path, JsonDoc *doc, GError **error)
{
    g_autoptr(ConformFile) file = NULL;

    if (!doc)
        return NULL;
    file = g_new0(ConformFile, 1);
    file->doc = doc;
    file->path = g_strdup(path);
    file->cases = g_array_new(FALSE, FALSE, sizeof(ConformCase));
    file->steps = g_ptr_array_new_with_free_func(g_free);
    file->lines = g_hash_table_new(g_str_hash, g_str_equal);
    return read_file(file, error) ? g_steal_pointer(&file) : NULL;
}

ConformFile *conform_file_read(const char *path, GError **error)
{
    return file_of(path, json_read_file(path, error), error);
}

ConformFile *conform_file_parse(const char *path, const char *text, size_t size, GError **error)
{
    return file_of(path, json_parse(path, text, size, error), error);
}

void conform_file_free(ConformFile *file)
{
    if (!file)
        return;
    g_array_free(file->cases, TRUE);
    g_ptr_array_unref(file->steps);
    g_hash_table_unref(file->lines);
    json_doc_free(file->doc);
    g_free(file->path);
    g_free(file);
}

const char *conform_file_path(const ConformFile *file)
{
    return file->path;
}

const char *conform_file_type(const ConformFile *file)
{
    return file->type;
}

uint32_t conform_case_count(const ConformFile *file)
{
    return file->cases->len;
}

const ConformCase *conform_case_at(const ConformFile *file, uint32_t index)
{
    return &g_array_index(file->cases, ConformCase, index);
}
