/* JSONPath: which values of a document a command means.
 *
 * Understood: $  .name  ..name  .*  ..*  ['name']  ["name"]  [n]  [-n]  [a:b:c]  [*]  unions of
 * these ([0,2], ['a','b']) and filters [?(...)] of comparisons (== != < <= > >=) and existence
 * tests over @ and $, joined by && and || with brackets.  A path that does not begin with $ is a
 * legacy one (".", ".a.b", "a[0]"): the same values, but commands answer with the first alone.
 * Simplified: no regular expressions (=~), a value met twice is named once.
 */
#pragma once

#include <glib.h>

#include "models/crdt/json_view.h"

typedef struct JsonPath JsonPath;

JsonPath *json_path_parse(PayloadText text); /* NULL: not a path */
void json_path_free(JsonPath *path);
bool json_path_is_legacy(const JsonPath *path);
bool json_path_is_root(const JsonPath *path);

/* Appends the values (const JsonHeld *) path names below root, in the order they are met; root NULL
 * has none. */
void json_path_find(const JsonPath *path, const JsonHeld *root, GPtrArray *out);

/* The last step names one key: out_name is it (borrowed from path), and out gets the values that
 * the steps before it name. False: a last step of another kind. */
bool json_path_find_parents(const JsonPath *path, const JsonHeld *root, PayloadText *out_name,
                            GPtrArray *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonPath, json_path_free)
