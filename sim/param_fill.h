/* Filling one struct from one table, key by key; for the param*.c files only. */
#pragma once

#include "sim/param.h"

typedef struct {
    const ParamTable *table;
    const JsonNode *node; /* the object being read, for what is missing */
    Arena *arena;
    char *out;
    uint64_t seen; /* a bit per parameter */
    GError **error;
} ParamFill;

/* Zeroes out. */
ParamFill param_fill_begin(const ParamTable *table, const JsonNode *node, Arena *arena, void *out,
                           GError **error);
/* One parameter from its value. */
bool param_fill(ParamFill *fill, const Param *param, const JsonNode *node);
/* One key of the object: a parameter of fill or of inner (an INLINE choice, or NULL), a verb,
 * "about". */
bool param_fill_item(ParamFill *fill, ParamFill *inner, const JsonNode *item);
/* What was not written: required, default or zero; then the table's own check. */
bool param_fill_end(ParamFill *fill);

bool param_check_about(const JsonNode *item, GError **error);

void plugin_add_names(GPtrArray *names, const PluginFamily *family);
void plugin_missing(const ParamFill *fill, const Param *param);
/* Room for the chosen record's parameters; NULL when it takes none. */
void *plugin_params_new(PluginChoice *choice, Arena *arena);
/* The value standing for a plug-in's parameters: its object, or one scalar. */
bool plugin_parse_params(PluginChoice *choice, const JsonNode *node, Arena *arena, GError **error);
/* Reads which plug-in an object names under the family's kind_key; absent: the family's fallback.
 */
bool plugin_parse_name(const PluginFamily *family, const JsonNode *node, PluginChoice *out,
                       GError **error);
