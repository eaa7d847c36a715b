/* A plug-in's choice made in a test without a text: parameters are set by name through its own
 * table.
 *
 *     PluginChoice exp = choice_make(arena, &dist_time_family, "exp");
 *     choice_set_int(&exp, "mean", 5 * SIM_MS);
 */
#pragma once

#include <string.h>

#include "sim/param.h"
#include "tests/test.h"

static inline PluginChoice choice_make(Arena *arena, const PluginFamily *family, const char *name)
{
    PluginChoice choice = {NULL, NULL, NULL};

    for (size_t i = 0; i < family->count; i++)
        if (strcmp(family->records[i]->name, name) == 0)
            choice.head = family->records[i];
    EXPECT_FATAL(choice.head != NULL);
    if (choice.head->params != NULL)
        choice.params = arena_alloc(arena, choice.head->params->struct_size);
    return choice;
}

/* The field of the parameter called name, NULL for the one without a name. */
static inline void *choice_field(const PluginChoice *choice, const char *name)
{
    const ParamTable *table = choice->head->params;

    for (size_t i = 0; i < table->count; i++)
        if (g_strcmp0(table->params[i].name, name) == 0)
            return (char *)(uintptr_t)choice->params + table->params[i].offset;
    CU_FAIL_FATAL("no such parameter");
    return NULL;
}

static inline void choice_set_int(const PluginChoice *choice, const char *name, int64_t value)
{
    memcpy(choice_field(choice, name), &value, sizeof value);
}

static inline void choice_set_number(const PluginChoice *choice, const char *name, double value)
{
    memcpy(choice_field(choice, name), &value, sizeof value);
}

static inline void choice_set_bool(const PluginChoice *choice, const char *name, bool value)
{
    memcpy(choice_field(choice, name), &value, sizeof value);
}

static inline void choice_set_pointer(const PluginChoice *choice, const char *name,
                                      const void *value)
{
    memcpy(choice_field(choice, name), &value, sizeof value);
}

static inline void choice_set_map(const PluginChoice *choice, const char *name, ParamMap value)
{
    memcpy(choice_field(choice, name), &value, sizeof value);
}
