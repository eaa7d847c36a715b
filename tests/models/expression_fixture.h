/* What the tests of expressions share: names a scenario might declare, and parsing a text as if it
 * stood in line 3, column 10 of s.json. */
#pragma once

#include "models/observe/expression.h"
#include "tests/test.h"

static const char *const sites[] = {"us-viewers", "eu-viewers", "asia-viewers", NULL};
static const char *const members[] = {"us", "eu", "asia", NULL};
static const char *const families[] = {"overlay", "official", NULL};
static const char *const variants[] = {"slow-dns", "single-region", NULL};
static const char *const phase_names[] = {"steady", "fault:x", "after:x", "all", NULL};

static const ExpressionScope scope = {
    .site = sites,
    .member = members,
    .family = families,
    .variant = variants,
    .phase = phase_names,
};

static inline JsonNode node_of(const char *text)
{
    return (JsonNode){.kind = JSON_TEXT,
                      .line = 3,
                      .column = 10,
                      .file = "s.json",
                      .path = "expect.e.that",
                      .text = text};
}

static inline const Expression *parse(const char *text, Arena *arena)
{
    JsonNode node = node_of(text);
    g_autoptr(GError) error = NULL;
    const Expression *expression = expression_parse(&node, &scope, arena, &error);

    if (error)
        g_printerr("%s\n  %s\n", text, error->message);
    EXPECT_FATAL(expression != NULL);
    return expression;
}
