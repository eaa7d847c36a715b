/* What other commands do with lists: COPY, RENAME and SORT STORE append to them. */
#pragma once

#include "models/crdt/body_list.h"
#include "models/data/command_run.h"

void list_append(CommandRun *run, Key *key, Value value);
