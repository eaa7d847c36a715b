/* What the two halves of the parser share: the text, the place in it, and how to fail there. */
#pragma once

#include "models/observe/expression_private.h"

typedef struct {
    const JsonNode *node;
    const ExpressionScope *scope;
    Arena *arena;
    GError **error;
    const char *text, *at;
    int depth;
    GPtrArray *metrics, *variants;
} ExpressionParser;

/* Sets the error at a place in the text; NULL, so that parsers can return it. */
void *expression_fail(ExpressionParser *parser, const char *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

void expression_skip_spaces(ExpressionParser *parser);
bool expression_take(ExpressionParser *parser, char c); /* after spaces */
const char *
expression_take_name(ExpressionParser *parser); /* letters, digits, "_" and "."; may be "" */
const char *expression_span(ExpressionParser *parser, const char *from); /* from there to here */
const char *expression_found(ExpressionParser *parser,
                             const char *at); /* what stands there, quoted */
/* "did you mean "x"?", or the list when nothing is near. */
const char *expression_advice(ExpressionParser *parser, const char *found, const char *const *names,
                              size_t count);
Node *expression_node(ExpressionParser *parser, NodeKind kind);

/* name [ "{" labels "}" ]; the name was read and began at `at`. */
Node *expression_parse_metric(ExpressionParser *parser, const char *at, const char *name);
