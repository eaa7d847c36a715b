/* How nodes of a document are made; for the json_*.c files only.  Everybody else reads JsonNode. */
#pragma once

#include "sim/arena.h"
#include "sim/json_read.h"

struct JsonDoc {
    Arena *arena;
    const JsonNode *root;
};

/* A copy of like in doc's arena, to be changed before it is handed out. */
JsonNode *json_node_like(JsonDoc *doc, const JsonNode *like);

/* Takes the nodes in children (const JsonNode *) as node's items. */
void json_node_fill(JsonDoc *doc, JsonNode *node, const GPtrArray *children);

/* "members.us" and "memory" make "members.us.memory"; key NULL stands for an array item. */
const char *json_path_join(JsonDoc *doc, const char *parent, const char *key, size_t index);

/* text in double quotes, escaped as JSON asks. */
void json_append_quoted(GString *out, const char *text);
