/* Opens a scenario file: the one place where scenarios meet the disk. */
#pragma once

#include "models/scenario/scenario.h"

/* sets: "path=value", NULL-terminated, or NULL. */
ScenarioFile *scenario_open(const char *path, char *const *sets, GError **error);
