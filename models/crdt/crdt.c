/* Why it works: the list in crdt.h makes declarations and tables in one order, so an index names
 * the same type everywhere. */
#include "models/crdt/crdt.h"

#define CRDT_RECORD(name) &crdt_##name,
const CrdtType *const crdt_types[CRDT_TYPE_COUNT] = {CRDT_TYPES(CRDT_RECORD)};

#define CRDT_HEAD(name) &crdt_##name.head,
static const PluginHead *const heads[CRDT_TYPE_COUNT] = {CRDT_TYPES(CRDT_HEAD)};

const PluginFamily crdt_type_family = {
    .name = "types",
    .noun = "type",
    .summary = "replicated data types: how concurrent writes merge",
    .form = PLUGIN_ONE_KEY,
    .records = heads,
    .count = CRDT_TYPE_COUNT,
};
