/* What sim/param_schema.c and sim/schema_plugin.c write for each other. */
#pragma once

#include "sim/param.h"
#include "sim/schema_writer.h"

typedef struct {
    SchemaWriter writer;
    GPtrArray *defs; /* of definitions, in order of first use */
} Schema;

/* Members of the object being written. */
void schema_param_body(Schema *schema, const Param *param);
void schema_param_member(Schema *schema, const Param *param);
void schema_table_ref(Schema *schema, const ParamTable *table);
void schema_about(Schema *schema);

const Param *schema_table_find(const ParamTable *table, const char *name);

/* "required": first (or NULL) and what the table (or NULL) requires; nothing is written for none.
 */
void schema_required(Schema *schema, const char *first, const ParamTable *table);

/* What stands under a plug-in's own name, and the rule that one verb is there. */
void schema_plugin_member(Schema *schema, const PluginHead *head);
void schema_verb_choice(Schema *schema, const Param *verb);

/* An INLINE choice in table: its key, its records' parameters, and what each record requires. */
void schema_kind_names(Schema *schema, const PluginFamily *family);
void schema_inline_members(Schema *schema, const ParamTable *table, const PluginFamily *family);
void schema_inline_choice(Schema *schema, const Param *param);

/* A choice standing alone as a value. */
void schema_family_body(Schema *schema, const PluginFamily *family);
