/* What a client names an element of a list by: its value. */
#pragma once

#include "models/data/command_run.h"

Value list_argument(CommandRun *run, const Key *key, uint32_t index); /* numbers are text */
