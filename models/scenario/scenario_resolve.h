/* The loader's steps after parsing: names to indexes, defaults, references; for models/scenario
 * only. */
#pragma once

#include "models/scenario/scenario_parts.h"

/* Everything but expectations; on failure error names the place. */
bool scenario_resolve(Scenario *scenario, GError **error);
bool scenario_resolve_links(Scenario *scenario, GError **error);
bool scenario_resolve_data(Scenario *scenario, GError **error); /* families and workloads */
bool scenario_resolve_faults(Scenario *scenario, GError **error);
bool scenario_resolve_routing(Scenario *scenario, GError **error);

bool scenario_join_base_phases(Scenario *scenario, const Scenario *base, GError **error);
bool scenario_resolve_expectations(ScenarioFile *file, GError **error);

/* An error when the expression reads a metric that this version does not measure. */
bool scenario_check_measured(const Expression *expression, const JsonNode *at, GError **error);

/* "no WHAT is called FOUND; did you mean ..." over a NULL-terminated list; returns false. */
bool scenario_unknown(GError **error, const JsonNode *at, const char *what, const char *found,
                      const char *const *names);
