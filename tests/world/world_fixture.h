/* Small worlds for tests: a scenario from text, a world from it, or the test stops with the
 * loader's message. */
#pragma once

#include <string.h>

#include "models/world/world.h"
#include "tests/test.h"

typedef struct {
    ScenarioFile *file;
    World *world;
} WorldFixture;

static inline ScenarioFile *fixture_load(const char *text)
{
    GError *error = NULL;
    ScenarioFile *file = scenario_file_load(
        &(ScenarioSource){.file = "test.json", .text = text, .size = strlen(text)}, &error);

    if (!file)
        g_printerr("%s\n%s\n", error->message, text);
    g_clear_error(&error);
    return file;
}

static inline World *fixture_world(const ScenarioFile *file, const WorldConfig *config)
{
    WorldConfig full = *config;
    GError *error = NULL;
    World *world;

    full.scenario = full.scenario ? full.scenario : scenario_base(file);
    full.seed = full.seed ? full.seed : scenario_seed(full.scenario);
    full.slice = full.slice ? full.slice : 1;
    world = world_new(&full, &error);
    if (!world)
        g_printerr("%s\n", error->message);
    g_clear_error(&error);
    return world;
}
