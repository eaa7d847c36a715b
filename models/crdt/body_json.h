/* JSON documents: crdt-semantics.md 8, arrays by 5 (model of Kleppmann, Beresford: A Conflict-Free
 * Replicated JSON Datatype, arXiv 1608.03960, with the documented changes).
 *
 * Where the documents are silent: assigning a key keeps its place in the object when a value was
 * visible there, as RedisJSON does; else it comes last by the origin's wall clock, ties by member.
 *
 * Stable clocks must have come in order with their member's effects (heartbeats do): whoever knows
 * of a removal hangs nothing new from that element but under its full position.
 */
#pragma once

#include "models/crdt/body.h"

extern const BodyRule body_json;
