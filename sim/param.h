/* Parameter tables: one description from which objects are parsed, checked, listed and given a
 * schema.
 *
 * A table names the keys of a JSON object, their units, ranges and defaults, and where each goes in
 * a C struct.  param_parse fills the struct or reports the first error with place, finding and
 * remedy (an unknown key gets the nearest match).  The JSON Schema and `quintet list` read the same
 * tables, so the three cannot disagree.  Plug-in families hang their own tables in, so parsing
 * knows no plug-in by name.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/arena.h"
#include "sim/json_read.h"

typedef struct Param Param;
typedef struct ParamTable ParamTable;
typedef struct PluginFamily PluginFamily;

typedef enum {
    PARAM_DURATION,   /* SimTime */
    PARAM_SIZE,       /* uint64_t bytes */
    PARAM_RATE,       /* double, per second */
    PARAM_BANDWIDTH,  /* uint64_t bytes per second */
    PARAM_SHARE,      /* double; "5%" or 0.05 */
    PARAM_COUNT,      /* uint64_t; 27 or "27M" */
    PARAM_NUMBER,     /* double */
    PARAM_INTEGER,    /* int64_t */
    PARAM_BOOL,       /* bool */
    PARAM_TEXT,       /* const char * */
    PARAM_ID,         /* const char *, [a-z][a-z0-9-]* */
    PARAM_ENUM,       /* int: index into names */
    PARAM_EXPRESSION, /* const char *; parsed later by the observers */
    PARAM_DIST_TIME,  /* const Dist *; a duration or a one-key object */
    PARAM_DIST_SIZE,  /* const Dist * */
    PARAM_OBJECT,     /* struct in place, filled by table */
    PARAM_MAP,        /* ParamMap of structs, filled by table */
    PARAM_LIST, /* ParamMap without ids: a JSON array, items filled by item (scalars) or table */
    PARAM_ID_SHARES, /* ParamMap of double: {"overlay": 0.86, ...} */
    PARAM_PLUGIN,    /* PluginChoice, spelled as family->form says */
    PARAM_NODE,      /* const JsonNode *: kept as it is, the owner parses it later */
} ParamKind;

/* What people also call one of the names of a PARAM_ENUM. */
typedef struct {
    const char *said;
    const char *meant;
} ParamAlias;

struct Param {
    /* The JSON key.  NULL: a PLUGIN_VERB choice, one of whose names is a key of this object; or, in
     * a table of one PARAM_MAP, PARAM_LIST or PARAM_ID_SHARES, the whole value is that map: {"mix":
     * {"a": {...}}}. */
    const char *name;
    const char *summary; /* one line, for lists and the schema */
    ParamKind kind;
    size_t offset; /* of the field in the struct */
    bool required;
    bool positional;      /* may be given as a bare scalar instead of the object ("isolate": "asia",
                             "GET": 0.9) */
    bool nullable;        /* null is accepted and means absent */
    const char *fallback; /* parsed as if written when absent (JSON, else a text); NULL: the field
                             stays zero */
    const char *example;  /* of the value, as JSON, for messages; NULL: one of its kind */
    double min, max; /* inclusive, base units (ns, bytes, per second, plain); equal: unchecked */
    const ParamTable *table;    /* PARAM_OBJECT, PARAM_MAP, PARAM_LIST of objects */
    const Param *item;          /* PARAM_MAP, PARAM_LIST of scalars or choices: offset 0 */
    const char *const *names;   /* PARAM_ENUM: NULL-terminated */
    const ParamAlias *aliases;  /* PARAM_ENUM: not accepted, but understood in messages; ends with
                                   said == NULL; may be NULL */
    const PluginFamily *family; /* PARAM_PLUGIN */
    const char
        *key_pattern; /* PARAM_MAP: regular expression of keys, NULL: ids; shown in the schema */
    size_t count_min, count_max; /* PARAM_MAP, PARAM_LIST: 0, 0 unchecked */
};

struct ParamTable {
    const char *name; /* "member": the schema's $defs key */
    const char *summary;
    const Param *params;
    size_t count;
    size_t struct_size;
    size_t node_offset; /* where a `const JsonNode *` of the whole object goes; SIZE_MAX: nowhere */
    bool (*check)(const void *object, const JsonNode *at,
                  GError **error); /* relations; may be NULL */
};

typedef struct {
    size_t count;
    const char **ids; /* in document order; NULL entries for lists */
    const JsonNode **nodes;
    void *items; /* count structs (or scalars) of the table's size */
} ParamMap;

#define param_map_at(map, Type, index) (&((Type *)(map)->items)[index])

/* The first member of every plug-in record of every family. */
typedef struct {
    const char *name;
    const char *summary;      /* one line for `quintet list` */
    const ParamTable *params; /* NULL: takes none */
} PluginHead;

typedef enum {
    PLUGIN_ONE_KEY, /* {"lognormal": {...}}; a bare text names one without parameters ("uniform") */
    PLUGIN_KIND,    /* "priority" or {"kind": "priority", ...parameters...} */
    PLUGIN_VERB,    /* one key of the enclosing object: {"at": .., "isolate": "asia"} */
    PLUGIN_INLINE,  /* {"do": "redirect", ...parameters beside the enclosing object's own...} */
} PluginForm;

struct PluginFamily {
    const char *name; /* "faults", as in `quintet list faults` */
    const char *noun; /* "fault", for messages: "partiton" is not a fault; did you mean ... */
    const char *summary;
    PluginForm form;
    const char *kind_key; /* PLUGIN_KIND, PLUGIN_INLINE: "kind", "do" */
    const char
        *fallback; /* the record meant by an object without kind_key; NULL: it must be given */
    const PluginHead *const *records; /* in list order */
    size_t count;
};

typedef struct {
    const PluginHead *head; /* NULL: absent */
    const void *params;     /* struct of head->params, or NULL */
    const JsonNode *node;   /* where it was written */
} PluginChoice;

const PluginHead *plugin_find(const PluginFamily *family, const char *name);
/* The error for an unknown name: finding, nearest match, the list. */
void plugin_unknown(GError **error, const JsonNode *at, const PluginFamily *family,
                    const char *found);

/* Fills *out (table->struct_size bytes, zeroed here).  Everything it allocates (maps, texts,
 * distributions) lives in arena (distributions are freed with it).  On failure *out is unspecified
 * and must not be used. */
bool param_parse(const ParamTable *table, const JsonNode *node, Arena *arena, void *out,
                 GError **error);
bool plugin_parse(const PluginFamily *family, const JsonNode *node, Arena *arena, PluginChoice *out,
                  GError **error);

/* JSON Schema (2020-12) of a document described by table, as pretty-printed text.  id becomes $id;
 * it is an absolute URI, against which validators resolve the $refs. */
char *param_schema(const ParamTable *table, const char *id, const char *title);

/* One line per parameter: name, unit, range, default, summary; for `quintet list FAMILY NAME`. */
char *param_describe(const ParamTable *table);
