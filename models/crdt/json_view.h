/* Reading a JSON document: what is visible of it at this member.
 *
 * A JsonHeld is one visible value.  All pointers are borrowed and last until the body changes.
 */
#pragma once

#include "models/crdt/body.h"
#include "models/crdt/json_content.h"

typedef struct JsonHeld JsonHeld;

/* What JSON.GET puts before each level, after each value's line and after each colon. */
typedef struct {
    PayloadText indent, newline, space;
} JsonStyle;

const JsonHeld *json_view_root(const CrdtBody *body); /* body may be NULL; NULL: no document */
Content json_view_head(const JsonHeld *held);         /* count: visible children */
const JsonHeld *json_view_parent(const JsonHeld *held);
PayloadText json_view_name(const JsonHeld *held); /* its key; data NULL: not in an object */
uint32_t json_view_depth(const JsonHeld *held);   /* containers above it */

const JsonHeld *json_view_member(const JsonHeld *object, PayloadText name); /* NULL: none */
const JsonHeld *json_view_at(const JsonHeld *array, uint32_t index);        /* must exist */

/* Appends the children to out: of an object in the order of their places, of an array in its own.
 */
void json_view_children(const JsonHeld *held, GPtrArray *out);

/* style NULL: compact.  level: of the containers printed around it. */
void json_view_print(const JsonHeld *held, const JsonStyle *style, uint32_t level, GString *out);
/* What comes before a child at that level, and before the end of its container, one level up. */
void json_style_break(const JsonStyle *style, uint32_t level, GString *out);
void json_view_write(const JsonHeld *held, PayloadWriter *out); /* as content */

/* Equal as JSON: the order of keys does not count; 1 and 1.0 are not equal (as in RedisJSON). */
bool json_view_is_equal(const JsonHeld *held, PayloadText content);
