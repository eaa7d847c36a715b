/* Why it works: each group exports its table, and the list of groups gives them one order.  A
 * look-up by name scans a few dozen short names; workloads look their commands up once, before the
 * run. */
#include "models/data/command.h"

#include <glib.h>
#include <string.h>

#include "models/crdt/crdt.h"

#define GROUP_RECORD(name) &command_group_##name,
static const CommandGroup *const groups[] = {COMMAND_GROUPS(GROUP_RECORD)};

#define GROUP_HEAD(name) &command_group_##name.head,
static const PluginHead *const heads[] = {COMMAND_GROUPS(GROUP_HEAD)};

const PluginFamily command_group_family = {
    .name = "commands",
    .noun = "command group",
    .summary = "what clients may ask a member",
    .form = PLUGIN_ONE_KEY,
    .records = heads,
    .count = G_N_ELEMENTS(heads),
};

const CommandGroup *command_group_that_copies(int type)
{
    for (size_t g = 0; g < G_N_ELEMENTS(groups); g++)
        if (groups[g]->copy && strcmp(groups[g]->serves, crdt_types[type]->head.name) == 0)
            return groups[g];
    return NULL;
}

const CommandSpec *command_find(const char *name, size_t size)
{
    for (size_t g = 0; g < G_N_ELEMENTS(groups); g++)
        for (size_t i = 0; i < groups[g]->count; i++) {
            const char *own = groups[g]->specs[i].name;

            if (strlen(own) == size && g_ascii_strncasecmp(own, name, size) == 0)
                return &groups[g]->specs[i];
        }
    return NULL;
}

size_t command_count(void)
{
    size_t count = 0;

    for (size_t g = 0; g < G_N_ELEMENTS(groups); g++)
        count += groups[g]->count;
    return count;
}

const CommandSpec *command_at(size_t index)
{
    size_t g = 0;

    while (index >= groups[g]->count)
        index -= groups[g++]->count;
    return &groups[g]->specs[index];
}
