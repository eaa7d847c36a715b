/* Edits of a JSON document, made from what is visible at their origin.
 *
 * Each function appends operations to out, the bytes of one EFFECT_EDIT; several may be put into
 * one edit as long as no slot is written twice (paths never name a value twice).  Values below are
 * visible ones of body; contents are JSON values as crdt/json_content.h writes them.  Deleting the
 * root is deleting the key: an EFFECT_DELETE, not an edit.
 * Simplified: where a path names values inside one another, DEL, CLEAR and MERGE take the
 * outermost.
 */
#pragma once

#include "models/crdt/json_path.h"

typedef enum { JSON_SET_ANY, JSON_SET_NEW, JSON_SET_OLD } JsonSetMode; /* NX, XX */

typedef enum {
    JSON_EDIT_DONE,
    JSON_EDIT_NOTHING,    /* the path names nothing to change: nil */
    JSON_EDIT_NOT_ROOT,   /* no document: it must be made at the root */
    JSON_EDIT_NOT_STATIC, /* nothing is there, and the path does not say where to put it */
    JSON_EDIT_NO_INDEX,   /* the path names an element the array does not have */
    JSON_EDIT_TOO_DEEP,   /* nested past JSON_NESTING_MAX */
} JsonEditResult;

/* A document where none is visible. */
void json_edit_create(PayloadText content, PayloadWriter *out);

/* JSON.SET: every value the path names; or, when it names none, the key it ends in. */
JsonEditResult json_edit_set(const CrdtBody *body, const JsonPath *path, PayloadText content,
                             JsonSetMode mode, PayloadWriter *out);

/* JSON.MERGE (RFC 7396): null removes a key, objects merge key by key, all else is assigned.
 * out_deletes_root: null was merged into the root. */
JsonEditResult json_edit_merge(const CrdtBody *body, const JsonPath *path, PayloadText content,
                               PayloadWriter *out, bool *out_deletes_root);

/* JSON.DEL: how many values go; those inside others that go are not counted.  out_deletes_root: the
 * path names the root, out is left alone. */
uint32_t json_edit_del(const CrdtBody *body, const JsonPath *path, PayloadWriter *out,
                       bool *out_deletes_root);

/* JSON.CLEAR: containers lose their children, numbers become 0; how many changed. */
uint32_t json_edit_clear(const CrdtBody *body, const JsonPath *path, PayloadWriter *out);

/* The visible value gives way to another. */
void json_edit_assign(const JsonHeld *held, PayloadText content, PayloadWriter *out);

/* JSON.NUMINCRBY and NUMMULTBY, of a number: false when the result is not finite.  Integers stay
 * integers while they fit (RedisJSON 2.8 lets them wrap around). */
bool json_edit_number(const JsonHeld *held, const Content *by, bool is_product, PayloadWriter *out,
                      Content *out_result);

bool json_edit_append_text(const JsonHeld *held, PayloadText text, PayloadWriter *out,
                           uint32_t *out_bytes); /* JSON.STRAPPEND; false: no string */
bool json_edit_toggle(const JsonHeld *held, PayloadWriter *out, bool *out_now);

/* count contents, one after the other, become the elements from index on; index at most the
 * length. */
JsonEditResult json_edit_insert(const JsonHeld *array, uint32_t index, uint32_t count,
                                PayloadText contents, PayloadWriter *out);
/* Elements from to before to leave; both within the length. */
void json_edit_remove_elements(const JsonHeld *array, uint32_t from, uint32_t to,
                               PayloadWriter *out);
