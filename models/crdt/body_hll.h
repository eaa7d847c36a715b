/* A HyperLogLog key: DEL wins (crdt-semantics.md 6).
 *
 * An addition counts only if its member had observed every DEL of the key that is known here; what
 * is added concurrently with a DEL is lost, unlike in all other collections.  An edit raises
 * registers; PFADD and PFMERGE differ only in where the raises come from.
 *
 * For commands: read the body with body_hll_count or, for several keys, by joining them in a
 * sketch; write with body_hll_edit_* and hand the bytes to run_edit.  SET of a string that
 * hll_read_redis accepts is a DEL of the key followed by body_hll_edit_join; GET is
 * body_hll_write_redis.
 */
#pragma once

#include "models/crdt/body.h"
#include "models/crdt/hll.h"

extern const BodyRule body_hll;

/* Reads.  body NULL: nothing there, an empty sketch. */
int64_t body_hll_count(const CrdtBody *body);
void body_hll_join(Hll *into, const CrdtBody *body);
void body_hll_write_redis(const CrdtBody *body, PayloadWriter *out);

/* One edit that raises what is not that high yet; returns how many registers rise.  An edit that
 * raises nothing is still one that creates the key: whether it is needed (0 returned and the key
 * exists: PFADD replies 0 and ships nothing) is the command's business.  Begins edit anew. */
uint32_t body_hll_edit_add(const CrdtBody *body, const HllRaise *raises, uint32_t count,
                           PayloadWriter *edit);
uint32_t body_hll_edit_join(const CrdtBody *body, const Hll *hll, PayloadWriter *edit);
