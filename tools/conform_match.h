/* Replies against what a conformance case expects of them (tests/conformance/FORMAT.md).
 *
 * Both are written as the same JSON, so that what was got can be pasted where it was expected.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "models/data/reply.h"
#include "sim/json_read.h"

/* expected NULL: any reply but an error.  expected was checked by conform_file_read. */
bool conform_reply_matches(const Reply *reply, const JsonNode *expected);

char *conform_reply_text(const Reply *reply);
char *conform_expected_text(const JsonNode *expected);
