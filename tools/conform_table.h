/* A case as the documents show it: a row per moment, a column per member, in each cell what the
 * member was asked and what it saw.
 */
#pragma once

#include "tools/conform_run.h"
#include "tools/json_write.h"

/* Runs the case and appends the table. */
ConformOutcome conform_table_append(const ConformCase *of, GString *to, bool colour);

/* The same as an object: the case with its steps. */
ConformOutcome conform_table_write(const ConformCase *of, JsonWriter *writer);

/* Keys of the object that stands for a step, begun and not ended by the caller. */
void conform_seen_write(const ConformSeen *seen, JsonWriter *writer);
