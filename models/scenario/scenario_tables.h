/* Parameter tables of a scenario's parts; for models/scenario only. */
#pragma once

#include "models/scenario/scenario_parts.h"

#define ROWS(rows) .params = rows, .count = G_N_ELEMENTS(rows)
#define FOREVER    1e18 /* bound of durations and sizes */

extern const ParamTable member_table, link_table, site_table;
extern const ParamTable family_table, workload_table;
