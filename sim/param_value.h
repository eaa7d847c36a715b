/* Single values of a parameter table: reading, checking and naming them; for the param*.c files
 * only. */
#pragma once

#include "sim/param.h"
#include "sim/units.h"

#define PARAM_TEXT_MAX 96

size_t param_field_size(const Param *param);

/* Every kind but objects, maps, lists, plug-ins, nodes and distributions written as objects. */
bool param_scalar_parse(const Param *param, const JsonNode *node, Arena *arena, void *field,
                        GError **error);

bool param_is_ranged(const Param *param);
bool param_in_range(const Param *param, const JsonNode *at, double value, GError **error);

/* [a-z][a-z0-9-]* */
bool param_is_id(const char *text);

/* "a duration", "an object": what the kind is called, and values to copy. */
const char *param_noun(ParamKind kind);
const char *param_example(const Param *param);

/* A value of the kind in base units, as one would write it. */
const char *param_bound_text(ParamKind kind, double bound, char buffer[UNIT_TEXT_MAX]);

/* "1s to 1h", "at least 1s"; "" when unchecked. */
const char *param_range_text(const Param *param, char buffer[PARAM_TEXT_MAX]);

/* What was written, for messages: texts in quotes, shortened; "an object", "a list". */
const char *param_found(const JsonNode *node, char buffer[PARAM_TEXT_MAX]);

/* "X is not a duration; write one such as ...".  Always false. */
bool param_wrong_kind(const Param *param, const JsonNode *node, GError **error);

/* The shortest decimal that reads back as value. */
const char *param_number_text(double value, char buffer[UNIT_TEXT_MAX]);

/* A table whose one parameter has no name is that map or list itself; else NULL. */
const Param *param_table_whole(const ParamTable *table);
/* The parameter a bare scalar fills, or NULL. */
const Param *param_table_positional(const ParamTable *table);
/* The PLUGIN_VERB choice of this table, or NULL; likewise the PLUGIN_INLINE choice. */
const Param *param_table_verb(const ParamTable *table);
const Param *param_table_inline(const ParamTable *table);
