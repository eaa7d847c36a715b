/* What the readers of conformance files share: conform_read.c has files and cases,
 * conform_read_step.c their steps and the replies expected.
 */
#pragma once

#include "tools/conform_read.h"

/* The keys an object may have. */
typedef struct {
    const char *const *names;
    size_t count;
    const char *of; /* "a step" */
} ConformKeys;

const char *conform_kind_name(const JsonNode *node); /* "a number" */
bool conform_check_keys(const JsonNode *node, const ConformKeys *keys, GError **error);
/* The value of a key that must be there with that kind; NULL after an error. */
const JsonNode *conform_need(const JsonNode *object, const char *key, JsonKind kind,
                             const char *remedy, GError **error);
/* Digits alone, so that no number is rounded on its way. */
bool conform_whole_number(const JsonNode *node, int64_t min, int64_t max, int64_t *out);

/* clients: of ConformClient, first each member's own; one that the step names first is added. */
bool conform_read_step(const JsonNode *step, uint32_t member_count, GArray *clients,
                       ConformStep *out, GError **error);
