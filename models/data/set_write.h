/* What the commands on sets share. */
#pragma once

#include "models/data/command_run.h"

void set_add(CommandRun *run, Key *key, const ElementRef *ref);
bool set_holds(CommandRun *run, const Key *key, bool exists, const ElementRef *ref);

/* The next present element; *cursor as in key_next_slot. */
bool set_next(CommandRun *run, const Key *key, uint32_t *cursor, ElementRef *out);
