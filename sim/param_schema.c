/* Why it works: a definition is named at its first use and written when its turn comes, so tables
 * and families may contain themselves, and the order depends on the tables alone.  The schema
 * checks shape; ranges in units are told in descriptions, and relations are the loader's.
 */
#include "sim/param.h"

#include <string.h>

#include "sim/dist.h"
#include "sim/param_value.h"
#include "sim/schema_parts.h"

#define PARAM_REF  "\\$[a-z][a-z0-9_]*"
#define ID_PATTERN "[a-z][a-z0-9-]*"
#define DECIMAL    "[0-9]+(\\.[0-9]+)?"

typedef enum { DEF_UNIT, DEF_TABLE, DEF_FAMILY, DEF_DIST } DefKind;

typedef struct {
    DefKind kind;
    const void *subject; /* UnitDef, ParamTable or PluginFamily */
    char *name;
} Def;

typedef struct {
    const char *name;
    const char *also; /* the type a value may have besides the text, or NULL */
    const char *pattern;
    const char *summary;
} UnitDef;

static const UnitDef unit_defs[] = {
    [PARAM_DURATION] = {"duration", NULL, "^(-?(" DECIMAL "(ns|us|ms|s|m|h|d))+|" PARAM_REF ")$",
                        "85ms, 12m, 1h30m, or $param"},
    [PARAM_SIZE] = {"size", NULL, "^(" DECIMAL "(B|[kKMGT]B|[KMGT]iB)|" PARAM_REF ")$",
                    "20GB is 10^9, 20GiB is 2^30"},
    [PARAM_RATE] = {"rate", NULL, "^(" DECIMAL "[kMG]?/(s|min|h|day)|" PARAM_REF ")$",
                    "5k/s, 300/min"},
    [PARAM_BANDWIDTH] = {"bandwidth", NULL, "^(" DECIMAL "([kMG]bps|[kKMG]B/s)|" PARAM_REF ")$",
                         "1Gbps, 40MB/s"},
    [PARAM_SHARE] = {"share", "number", "^(" DECIMAL "%?|" PARAM_REF ")$", "5%, 0.05 or $param"},
    [PARAM_COUNT] = {"count", "integer", "^(" DECIMAL "[kMG]?|" PARAM_REF ")$", "27 or 27M"},
    [PARAM_ID] = {"id", NULL, "^(" ID_PATTERN "|" PARAM_REF ")$", "a name, or $param"},
};

static const UnitDef param_def = {"param", NULL, "^" PARAM_REF "$", "the value of params.<name>"};

static void object_body(Schema *schema, const ParamTable *table);

static void def_free(void *data)
{
    Def *def = data;

    g_free(def->name);
    g_free(def);
}

static bool def_has_name(const Schema *schema, const char *name)
{
    for (guint i = 0; i < schema->defs->len; i++) {
        if (strcmp(((const Def *)g_ptr_array_index(schema->defs, i))->name, name) == 0)
            return true;
    }
    return false;
}

/* The definition of subject, made at its first use; a name that is taken gets a number. */
static const Def *def_of(Schema *schema, DefKind kind, const void *subject, const char *name)
{
    Def *def;

    for (guint i = 0; i < schema->defs->len; i++) {
        def = g_ptr_array_index(schema->defs, i);
        if (def->kind == kind && def->subject == subject)
            return def;
    }
    def = g_new0(Def, 1);
    def->kind = kind;
    def->subject = subject;
    def->name = g_strdup(name);
    for (int i = 2; def_has_name(schema, def->name); i++) {
        g_free(def->name);
        def->name = g_strdup_printf("%s-%d", name, i);
    }
    g_ptr_array_add(schema->defs, def);
    return def;
}

static void write_ref(Schema *schema, const Def *def)
{
    g_autofree char *ref = g_strconcat("#/$defs/", def->name, NULL);

    schema_text(&schema->writer, "$ref", ref);
}

static void unit_ref(Schema *schema, const UnitDef *unit)
{
    write_ref(schema, def_of(schema, DEF_UNIT, unit, unit->name));
}

void schema_table_ref(Schema *schema, const ParamTable *table)
{
    write_ref(schema, def_of(schema, DEF_TABLE, table, table->name));
}

/* An item that is any parameter reference, beside what the value itself may be. */
static void param_ref_item(Schema *schema)
{
    schema_open(&schema->writer, NULL, '{');
    unit_ref(schema, &param_def);
    schema_close(&schema->writer, '{');
}

static void number_body(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;

    schema_open(writer, "anyOf", '[');
    schema_open(writer, NULL, '{');
    schema_text(writer, "type", param->kind == PARAM_INTEGER ? "integer" : "number");
    if (param_is_ranged(param) && param->min > -1e18)
        schema_number(writer, "minimum", param->min);
    if (param_is_ranged(param) && param->max < 1e18)
        schema_number(writer, "maximum", param->max);
    schema_close(writer, '{');
    param_ref_item(schema);
    schema_close(writer, '[');
}

static void bool_body(Schema *schema)
{
    schema_open(&schema->writer, "anyOf", '[');
    schema_open(&schema->writer, NULL, '{');
    schema_text(&schema->writer, "type", "boolean");
    schema_close(&schema->writer, '{');
    param_ref_item(schema);
    schema_close(&schema->writer, '[');
}

static void enum_body(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;

    schema_open(writer, "anyOf", '[');
    schema_open(writer, NULL, '{');
    schema_open(writer, "enum", '[');
    for (size_t i = 0; param->names[i]; i++)
        schema_text(writer, NULL, param->names[i]);
    schema_close(writer, '[');
    schema_close(writer, '{');
    param_ref_item(schema);
    schema_close(writer, '[');
}

void schema_about(Schema *schema)
{
    schema_open(&schema->writer, "about", '{');
    schema_text(&schema->writer, "type", "string");
    schema_close(&schema->writer, '{');
}

/* What a map's or list's entries are. */
static void entry_member(Schema *schema, const char *key, const Param *param)
{
    schema_open(&schema->writer, key, '{');
    if (param->kind == PARAM_ID_SHARES)
        unit_ref(schema, &unit_defs[PARAM_SHARE]);
    else if (param->item)
        schema_param_body(schema, param->item);
    else
        schema_table_ref(schema, param->table);
    schema_close(&schema->writer, '{');
}

/* extra: entries that do not count. */
static void count_bounds(Schema *schema, const Param *param, const char *what, size_t extra)
{
    g_autofree char *least = g_strconcat("min", what, NULL);
    g_autofree char *most = g_strconcat("max", what, NULL);

    if (param->count_min > 0)
        schema_number(&schema->writer, least, (double)(param->count_min + extra));
    if (param->count_max > 0)
        schema_number(&schema->writer, most, (double)(param->count_max + extra));
}

static void map_names(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;

    schema_open(writer, "propertyNames", '{');
    if (param->key_pattern) {
        schema_open(writer, "anyOf", '[');
        schema_open(writer, NULL, '{');
        schema_text(writer, "pattern", param->key_pattern);
        schema_close(writer, '{');
        schema_open(writer, NULL, '{');
        schema_text(writer, "const", "about");
        schema_close(writer, '{');
        schema_close(writer, '[');
    } else {
        schema_text(writer, "pattern", "^" ID_PATTERN "$");
    }
    schema_close(writer, '{');
}

static void map_body(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;

    schema_text(writer, "type", "object");
    map_names(schema, param);
    schema_open(writer, "properties", '{');
    schema_about(schema);
    schema_close(writer, '{');
    entry_member(schema, "additionalProperties", param);
    if (param->count_min == 0 && param->count_max == 0)
        return;
    schema_open(writer, "if", '{');
    schema_open(writer, "required", '[');
    schema_text(writer, NULL, "about");
    schema_close(writer, '[');
    schema_close(writer, '{');
    schema_open(writer, "then", '{');
    count_bounds(schema, param, "Properties", 1);
    schema_close(writer, '{');
    schema_open(writer, "else", '{');
    count_bounds(schema, param, "Properties", 0);
    schema_close(writer, '{');
}

static void list_body(Schema *schema, const Param *param)
{
    schema_text(&schema->writer, "type", "array");
    entry_member(schema, "items", param);
    count_bounds(schema, param, "Items", 0);
}

static void dist_ref(Schema *schema, const Param *param)
{
    bool is_time = param->kind == PARAM_DIST_TIME;

    write_ref(schema, def_of(schema, DEF_DIST, is_time ? &dist_time_family : &dist_size_family,
                             is_time ? "durations" : "sizes"));
}

/* The members that describe a value of the kind, without its description. */
static void kind_body(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;

    switch (param->kind) {
    case PARAM_DURATION:
    case PARAM_SIZE:
    case PARAM_RATE:
    case PARAM_BANDWIDTH:
    case PARAM_SHARE:
    case PARAM_COUNT:
    case PARAM_ID:
        unit_ref(schema, &unit_defs[param->kind]);
        break;
    case PARAM_NUMBER:
    case PARAM_INTEGER:
        number_body(schema, param);
        break;
    case PARAM_BOOL:
        bool_body(schema);
        break;
    case PARAM_TEXT:
        schema_text(writer, "type", "string");
        break;
    case PARAM_EXPRESSION:
        schema_text(writer, "type", "string");
        schema_number(writer, "minLength", 1);
        break;
    case PARAM_ENUM:
        enum_body(schema, param);
        break;
    case PARAM_DIST_TIME:
    case PARAM_DIST_SIZE:
        dist_ref(schema, param);
        break;
    case PARAM_OBJECT:
        schema_table_ref(schema, param->table);
        break;
    case PARAM_MAP:
    case PARAM_ID_SHARES:
        map_body(schema, param);
        break;
    case PARAM_LIST:
        list_body(schema, param);
        break;
    case PARAM_PLUGIN:
        write_ref(schema, def_of(schema, DEF_FAMILY, param->family, param->family->name));
        break;
    case PARAM_NODE:
        break;
    }
}

static void write_description(Schema *schema, const Param *param)
{
    char range[PARAM_TEXT_MAX];
    g_autoptr(GString) text = g_string_new(param->summary);

    param_range_text(param, range);
    if (*range)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", range);
    if (param->fallback)
        g_string_append_printf(text, "%sdefault %s", text->len > 0 ? "; " : "", param->fallback);
    if (text->len > 0)
        schema_text(&schema->writer, "description", text->str);
}

void schema_param_body(Schema *schema, const Param *param)
{
    SchemaWriter *writer = &schema->writer;

    write_description(schema, param);
    if (!param->nullable) {
        kind_body(schema, param);
        return;
    }
    schema_open(writer, "anyOf", '[');
    schema_open(writer, NULL, '{');
    kind_body(schema, param);
    schema_close(writer, '{');
    schema_open(writer, NULL, '{');
    schema_text(writer, "type", "null");
    schema_close(writer, '{');
    schema_close(writer, '[');
}

void schema_param_member(Schema *schema, const Param *param)
{
    schema_open(&schema->writer, param->name, '{');
    schema_param_body(schema, param);
    schema_close(&schema->writer, '{');
}

static void object_members(Schema *schema, const ParamTable *table)
{
    const Param *inlined = param_table_inline(table);
    const Param *verb = param_table_verb(table);

    if (!schema_table_find(table, "about"))
        schema_about(schema);
    for (size_t i = 0; i < table->count; i++) {
        const Param *param = &table->params[i];

        if (param == inlined)
            schema_kind_names(schema, param->family);
        else if (param->name)
            schema_param_member(schema, param);
    }
    for (size_t i = 0; verb && i < verb->family->count; i++)
        schema_plugin_member(schema, verb->family->records[i]);
    if (inlined)
        schema_inline_members(schema, table, inlined->family);
}

static void object_body(Schema *schema, const ParamTable *table)
{
    SchemaWriter *writer = &schema->writer;
    const Param *inlined = param_table_inline(table);
    const Param *verb = param_table_verb(table);

    schema_text(writer, "type", "object");
    schema_open(writer, "properties", '{');
    object_members(schema, table);
    schema_close(writer, '{');
    schema_required(schema, NULL, table);
    schema_bool(writer, "additionalProperties", false);
    if (verb)
        schema_verb_choice(schema, verb);
    if (inlined)
        schema_inline_choice(schema, inlined);
}

static void table_body(Schema *schema, const ParamTable *table)
{
    SchemaWriter *writer = &schema->writer;
    const Param *whole = param_table_whole(table);
    const Param *scalar = param_table_positional(table);

    if (whole) {
        schema_param_body(schema, whole);
        return;
    }
    if (table->summary)
        schema_text(writer, "description", table->summary);
    if (!scalar) {
        object_body(schema, table);
        return;
    }
    schema_open(writer, "anyOf", '[');
    schema_open(writer, NULL, '{');
    schema_param_body(schema, scalar);
    schema_close(writer, '{');
    schema_open(writer, NULL, '{');
    object_body(schema, table);
    schema_close(writer, '{');
    schema_close(writer, '[');
}

static void dist_body(Schema *schema, const PluginFamily *family)
{
    SchemaWriter *writer = &schema->writer;
    bool is_time = family == &dist_time_family;

    schema_open(writer, "anyOf", '[');
    schema_open(writer, NULL, '{');
    unit_ref(schema, &unit_defs[is_time ? PARAM_DURATION : PARAM_SIZE]);
    schema_close(writer, '{');
    schema_open(writer, NULL, '{');
    write_ref(schema, def_of(schema, DEF_FAMILY, family, family->name));
    schema_close(writer, '{');
    schema_close(writer, '[');
}

static void unit_body(Schema *schema, const UnitDef *unit)
{
    SchemaWriter *writer = &schema->writer;

    schema_text(writer, "description", unit->summary);
    if (unit->also) {
        schema_open(writer, "anyOf", '[');
        schema_open(writer, NULL, '{');
        schema_text(writer, "type", unit->also);
        schema_number(writer, "minimum", 0);
        schema_close(writer, '{');
        schema_open(writer, NULL, '{');
    }
    schema_text(writer, "type", "string");
    schema_text(writer, "pattern", unit->pattern);
    if (unit->also) {
        schema_close(writer, '{');
        schema_close(writer, '[');
    }
}

static void def_body(Schema *schema, const Def *def)
{
    switch (def->kind) {
    case DEF_UNIT:
        unit_body(schema, def->subject);
        break;
    case DEF_TABLE:
        table_body(schema, def->subject);
        break;
    case DEF_FAMILY:
        schema_family_body(schema, def->subject);
        break;
    case DEF_DIST:
        dist_body(schema, def->subject);
        break;
    }
}

char *param_schema(const ParamTable *table, const char *id, const char *title)
{
    g_autoptr(GPtrArray) defs = g_ptr_array_new_with_free_func(def_free);
    Schema schema = {{g_string_new(NULL), 0, false}, defs};
    SchemaWriter *writer = &schema.writer;

    schema_open(writer, NULL, '{');
    schema_text(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    schema_text(writer, "$id", id);
    schema_text(writer, "title", title);
    table_body(&schema, table);
    schema_open(writer, "$defs", '{');
    /* Writing one may add more behind it. */
    for (guint i = 0; i < defs->len; i++) {
        const Def *def = g_ptr_array_index(defs, i);

        schema_open(writer, def->name, '{');
        def_body(&schema, def);
        schema_close(writer, '{');
    }
    schema_close(writer, '{');
    schema_close(writer, '{');
    g_string_append_c(writer->out, '\n');
    return g_string_free(writer->out, FALSE);
}
