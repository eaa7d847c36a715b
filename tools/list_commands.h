/* What `quintet list commands` adds to its groups: what became of each command of a real Redis. */
#pragma once

#include "tools/json_write.h"

/* How many are supported, which of them a workload can send to which types of key, which are to
 * come, and which are refused for which reason. */
void list_commands_append(GString *to);

/* "commands": [...], a key of an object that has been begun: each command as COMMAND LIST names it,
 * a supported one with "workload_types", those of the families whose operation it can be. */
void list_commands_write(JsonWriter *writer);

/* One command, "OBJECT ENCODING" or "object|encoding", for people or as an object; false: nobody
 * knows it. */
bool list_command_append(const char *name, GString *to);
bool list_command_write(const char *name, JsonWriter *writer);

/* The command that name, which is none, looks most like; NULL: none.  Free with g_free. */
char *list_command_nearest(const char *name);
