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

/* Made of keys and indexes alone, so that it names one place, whether a value is there or not. */
bool json_path_is_static(const JsonPath *path);
/* Of a static path other than the root: the value the last step is taken of, NULL when there is
 * none.  out_name: the key of that step, borrowed from path; data NULL: it is an index. */
const JsonHeld *json_path_find_parent(const JsonPath *path, const JsonHeld *root,
                                      PayloadText *out_name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonPath, json_path_free)
