/* Why it works: a form decides only where a record's parameters stand, so each form is the same
 * members put in another place: in an object under the name, beside the name, or among the keys
 * around it.
 */
#include "sim/schema_parts.h"

#include <string.h>

#include "sim/param_value.h"

/* What stands under a plug-in's own name. */
void schema_plugin_member(Schema *schema, const PluginHead *head)
{
    SchemaWriter *writer = &schema->writer;

    schema_open(writer, head->name, '{');
    if (head->summary)
        schema_text(writer, "description", head->summary);
    if (head->params) {
        schema_table_ref(schema, head->params);
    } else {
        schema_open(writer, "anyOf", '[');
        schema_open(writer, NULL, '{');
        schema_bool(writer, "const", true);
        schema_close(writer, '{');
        schema_open(writer, NULL, '{');
        schema_text(writer, "type", "object");
        schema_number(writer, "maxProperties", 0);
        schema_close(writer, '{');
        schema_close(writer, '[');
    }
    schema_close(writer, '{');
}

static void required_item(Schema *schema, const char *name)
{
    SchemaWriter *writer = &schema->writer;

    schema_open(writer, NULL, '{');
    schema_open(writer, "required", '[');
    schema_text(writer, NULL, name);
    schema_close(writer, '[');
    schema_close(writer, '{');
}

/* Exactly one verb; none at all where the choice may be absent. */
void schema_verb_choice(Schema *schema, const Param *verb)
{
    SchemaWriter *writer = &schema->writer;
    const PluginFamily *family = verb->family;

    schema_open(writer, "oneOf", '[');
    for (size_t i = 0; i < family->count; i++)
        required_item(schema, family->records[i]->name);
    if (!verb->required) {
        schema_open(writer, NULL, '{');
        schema_open(writer, "not", '{');
        schema_open(writer, "anyOf", '[');
        for (size_t i = 0; i < family->count; i++)
            required_item(schema, family->records[i]->name);
        schema_close(writer, '[');
        schema_close(writer, '{');
        schema_close(writer, '{');
    }
    schema_close(writer, '[');
}

const Param *schema_table_find(const ParamTable *table, const char *name)
{
    for (size_t i = 0; table && i < table->count; i++) {
        if (table->params[i].name && strcmp(table->params[i].name, name) == 0)
            return &table->params[i];
    }
    return NULL;
}

static bool same_shape(const Param *a, const Param *b)
{
    return a->kind == b->kind && a->table == b->table && a->item == b->item &&
           a->names == b->names && a->family == b->family && a->nullable == b->nullable;
}

/* A parameter several INLINE plug-ins may share by name: any of its shapes. */
static void shared_member(Schema *schema, const PluginFamily *family, size_t first,
                          const Param *param)
{
    SchemaWriter *writer = &schema->writer;
    g_autoptr(GPtrArray) shapes = g_ptr_array_new();

    for (size_t i = first; i < family->count; i++) {
        const Param *other = schema_table_find(family->records[i]->params, param->name);
        bool is_new = other != NULL;

        for (guint k = 0; is_new && k < shapes->len; k++)
            is_new = !same_shape(other, g_ptr_array_index(shapes, k));
        if (is_new)
            g_ptr_array_add(shapes, (void *)other);
    }
    if (shapes->len == 1) {
        schema_param_member(schema, param);
        return;
    }
    schema_open(writer, param->name, '{');
    schema_open(writer, "anyOf", '[');
    for (guint k = 0; k < shapes->len; k++) {
        schema_open(writer, NULL, '{');
        schema_param_body(schema, g_ptr_array_index(shapes, k));
        schema_close(writer, '{');
    }
    schema_close(writer, '[');
    schema_close(writer, '{');
}

void schema_inline_members(Schema *schema, const ParamTable *table, const PluginFamily *family)
{
    for (size_t i = 0; i < family->count; i++) {
        const ParamTable *own = family->records[i]->params;

        for (size_t k = 0; own && k < own->count; k++) {
            const char *name = own->params[k].name;
            bool is_first = name && !schema_table_find(table, name);

            for (size_t before = 0; is_first && before < i; before++)
                is_first = !schema_table_find(family->records[before]->params, name);
            if (is_first)
                shared_member(schema, family, i, &own->params[k]);
        }
    }
}

void schema_kind_names(Schema *schema, const PluginFamily *family)
{
    SchemaWriter *writer = &schema->writer;

    schema_open(writer, family->kind_key, '{');
    schema_open(writer, "enum", '[');
    for (size_t i = 0; i < family->count; i++)
        schema_text(writer, NULL, family->records[i]->name);
    schema_close(writer, '[');
    schema_close(writer, '{');
}

/* "required": first (or nothing) and the table's own; nothing is written when there is none. */
void schema_required(Schema *schema, const char *first, const ParamTable *table)
{
    SchemaWriter *writer = &schema->writer;
    bool any = first != NULL;

    for (size_t i = 0; table && i < table->count; i++)
        any = any || (table->params[i].required && table->params[i].name);
    if (!any)
        return;
    schema_open(writer, "required", '[');
    if (first)
        schema_text(writer, NULL, first);
    for (size_t i = 0; table && i < table->count; i++) {
        if (table->params[i].required && table->params[i].name)
            schema_text(writer, NULL, table->params[i].name);
    }
    schema_close(writer, '[');
}

/* Each INLINE plug-in with what it requires. */
void schema_inline_choice(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;
    const PluginFamily *family = param->family;

    schema_open(writer, "anyOf", '[');
    for (size_t i = 0; i < family->count; i++) {
        schema_open(writer, NULL, '{');
        schema_open(writer, "properties", '{');
        schema_open(writer, family->kind_key, '{');
        schema_text(writer, "const", family->records[i]->name);
        schema_close(writer, '{');
        schema_close(writer, '{');
        schema_required(schema, family->kind_key, family->records[i]->params);
        schema_close(writer, '{');
    }
    if (!param->required) {
        schema_open(writer, NULL, '{');
        schema_open(writer, "not", '{');
        schema_open(writer, "required", '[');
        schema_text(writer, NULL, family->kind_key);
        schema_close(writer, '[');
        schema_close(writer, '{');
        schema_close(writer, '{');
    }
    schema_close(writer, '[');
}

static bool needs_nothing(const PluginHead *head)
{
    if (param_table_whole(head->params))
        return false;
    for (size_t i = 0; head->params && i < head->params->count; i++) {
        if (head->params->params[i].required)
            return false;
    }
    return true;
}

/* The plug-ins that a bare name may choose. */
static void bare_names(Schema *schema, const PluginFamily *family)
{
    SchemaWriter *writer = &schema->writer;
    bool any = false;

    for (size_t i = 0; i < family->count; i++)
        any = any || needs_nothing(family->records[i]);
    if (!any)
        return;
    schema_open(writer, NULL, '{');
    schema_open(writer, "enum", '[');
    for (size_t i = 0; i < family->count; i++) {
        if (needs_nothing(family->records[i]))
            schema_text(writer, NULL, family->records[i]->name);
    }
    schema_close(writer, '[');
    schema_close(writer, '{');
}

/* One plug-in as an object: its parameters under its name, or beside the name, or both. */
static void record_item(Schema *schema, const PluginFamily *family, const PluginHead *head)
{
    SchemaWriter *writer = &schema->writer;
    bool by_kind = family->form == PLUGIN_KIND || family->form == PLUGIN_INLINE;
    bool beside =
        head->params && !param_table_whole(head->params) && family->form != PLUGIN_ONE_KEY;
    bool may_omit = by_kind && family->fallback && strcmp(family->fallback, head->name) == 0;

    schema_open(writer, NULL, '{');
    if (head->summary)
        schema_text(writer, "description", head->summary);
    schema_text(writer, "type", "object");
    schema_open(writer, "properties", '{');
    schema_about(schema);
    if (by_kind) {
        schema_open(writer, family->kind_key, '{');
        schema_text(writer, "const", head->name);
        schema_close(writer, '{');
    } else {
        schema_plugin_member(schema, head);
    }
    for (size_t i = 0; beside && i < head->params->count; i++) {
        const char *name = head->params->params[i].name;

        if (name && (by_kind || strcmp(name, head->name) != 0))
            schema_param_member(schema, &head->params->params[i]);
    }
    schema_close(writer, '{');
    schema_required(schema, by_kind ? may_omit ? NULL : family->kind_key : head->name,
                    by_kind ? head->params : NULL);
    schema_bool(writer, "additionalProperties", false);
    schema_close(writer, '{');
}

void schema_family_body(Schema *schema, const PluginFamily *family)
{
    if (family->summary)
        schema_text(&schema->writer, "description", family->summary);
    schema_open(&schema->writer, "anyOf", '[');
    bare_names(schema, family);
    for (size_t i = 0; i < family->count; i++)
        record_item(schema, family, family->records[i]);
    schema_close(&schema->writer, '[');
}
