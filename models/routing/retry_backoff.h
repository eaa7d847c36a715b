/* The keys of a routing's "retry" and what they become. */
#pragma once

#include "models/routing/routing.h"

/* As parsed; RetryConfig has the program's own types. */
typedef struct {
    uint64_t attempt_count;
    SimTime timeout_ns;
    const Dist *backoff;
    const Dist *jitter;
    double factor;
    SimTime cap_ns;
    int max_class;
} RetryParams;

extern const ParamTable retry_backoff_table;

RetryConfig retry_config_of(const RetryParams *params);
