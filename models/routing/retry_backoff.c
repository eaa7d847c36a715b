/* Backoff: so many attempts, waiting longer each time, for operations that are not too dangerous to
 * repeat.
 *
 * Commands rank read < checked < lww < accum by what sending them twice can do; by default
 * everything up to a last-write-wins write is tried again and an increment is not
 * (StackExchange.Redis, routing.md 1.1).  The wait before attempt a + 1 is min(backoff x^(a-1),
 * cap) + jitter.
 */
#include "models/routing/retry_backoff.h"

#include "sim/dist.h"

static const char *const class_names[] = {"read", "checked", "lww", "accum", NULL};

static const Param params[] = {
    {.name = "attempts",
     .summary = "how often an operation is sent at most, the first time included",
     .kind = PARAM_COUNT,
     .offset = offsetof(RetryParams, attempt_count),
     .fallback = "1",
     .min = 1,
     .max = 100},
    {.name = "timeout",
     .summary = "how long one attempt waits for its answer",
     .kind = PARAM_DURATION,
     .offset = offsetof(RetryParams, timeout_ns),
     .fallback = "1s",
     .min = 1e6,
     .max = 3600e9},
    {.name = "backoff",
     .summary = "wait before the second attempt",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(RetryParams, backoff)},
    {.name = "jitter",
     .summary = "added to each wait",
     .kind = PARAM_DIST_TIME,
     .offset = offsetof(RetryParams, jitter)},
    {.name = "x",
     .summary = "growth of the wait from attempt to attempt",
     .kind = PARAM_NUMBER,
     .offset = offsetof(RetryParams, factor),
     .fallback = "1",
     .min = 1,
     .max = 100},
    {.name = "cap",
     .summary = "the longest wait before jitter",
     .kind = PARAM_DURATION,
     .offset = offsetof(RetryParams, cap_ns),
     .fallback = "1h",
     .min = 0,
     .max = 3600e9},
    {.name = "max_class",
     .summary = "the most dangerous class of operation that is tried again",
     .kind = PARAM_ENUM,
     .offset = offsetof(RetryParams, max_class),
     .names = class_names,
     .fallback = "lww"},
};

const ParamTable retry_backoff_table = {.name = "retry",
                                        .summary =
                                            "whether and when a failed operation is tried again",
                                        .params = params,
                                        .count = G_N_ELEMENTS(params),
                                        .struct_size = sizeof(RetryParams),
                                        .node_offset = SIZE_MAX};

RetryConfig retry_config_of(const RetryParams *parsed)
{
    return (RetryConfig){
        .attempts = (uint32_t)parsed->attempt_count,
        .timeout_ns = parsed->timeout_ns,
        .backoff = parsed->backoff,
        .jitter = parsed->jitter,
        .backoff_factor = parsed->factor,
        .backoff_cap_ns = parsed->cap_ns,
        .max_class = (OpClass)parsed->max_class,
    };
}

SimTime retry_wait_ns(const RetryConfig *retry, uint32_t made, uint64_t backoff_u64,
                      uint64_t jitter_u64)
{
    double wait = retry->backoff ? (double)dist_sample(retry->backoff, backoff_u64) : 0;
    double cap = (double)retry->backoff_cap_ns;
    SimTime wait_ns;

    for (uint32_t i = 1; i < made && wait < cap; i++)
        wait *= retry->backoff_factor;
    wait_ns = wait < cap ? (SimTime)wait : retry->backoff_cap_ns;
    if (retry->jitter)
        wait_ns += dist_sample(retry->jitter, jitter_u64);
    return wait_ns > 0 ? wait_ns : 0;
}

const RetryKind retry_backoff = {
    .head = {"backoff", "a number of attempts with growing waits, up to a class of operation",
             &retry_backoff_table},
};
