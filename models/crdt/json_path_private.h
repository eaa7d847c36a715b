/* The parts of a parsed path; for the json_path*.c files alone. */
#pragma once

#include "models/crdt/json_path.h"

typedef struct JsonFilter JsonFilter;

typedef enum { SELECT_NAME, SELECT_INDEX, SELECT_SLICE, SELECT_ALL, SELECT_FILTER } SelectorKind;

#define PATH_DEPTH_MAX 32 /* of filters within filters */

#define SLICE_OPEN INT64_MIN /* a bound left out */

typedef struct {
    SelectorKind kind;
    GString *name;
    int64_t from, to, step; /* from: the index of SELECT_INDEX */
    JsonFilter *filter;
} Selector;

typedef struct {
    bool is_deep;         /* "..": of the value and all below it */
    GPtrArray *selectors; /* Selector; their results come in this order */
} Step;

struct JsonPath {
    GPtrArray *steps; /* Step */
    bool is_legacy;
    bool is_absolute; /* in filters: of the root */
};

/* Where a path's text is being read. */
typedef struct {
    const char *at, *end;
    uint32_t depth; /* of filters and brackets */
} PathText;

bool path_text_accept(PathText *text, const char *word); /* after blanks */
GString *path_text_quoted(PathText *text);               /* at a quote; NULL: it has no end */
JsonPath *path_text_steps(PathText *text);               /* as many as there are; NULL: malformed */

/* After "?"; NULL: malformed. */
JsonFilter *json_filter_parse(PathText *text);
void json_filter_free(JsonFilter *filter);
bool json_filter_matches(const JsonFilter *filter, const JsonHeld *root, const JsonHeld *value);

/* As json_path_find, for paths that begin at base. */
void json_path_walk(const JsonPath *path, const JsonHeld *root, const JsonHeld *base,
                    GPtrArray *out);
