/* What the commands on lists share, and what other commands do with lists (COPY, RENAME, SORT
 * STORE). */
#pragma once

#include "models/crdt/body_list.h"
#include "models/data/command_run.h"

typedef enum { END_LEFT, END_RIGHT } ListEnd;

void list_push(CommandRun *run, Key *key, ListEnd end, Value value);
void list_edit_send(CommandRun *run, Key *key, PayloadWriter *edit, Value value); /* clears edit */
void list_reply_range(CommandRun *run, const CrdtBody *list, uint32_t from,
                      uint32_t count); /* into the array that is open */
PayloadText list_value_text(const Value *value);
