/* All metrics by name, and the labels by which their instruments are told apart.
 *
 * The table of rehearsal.md 3.2, plus memory by cause.  A metric that nothing measures yet is
 * listed all the same, marked LATER; scenarios that name it are refused, but for those that AWAIT
 * something, whose expectations load and are not evaluated.
 */
#pragma once

#include "models/observe/recording.h"

/* X(id, name, kind, dimension, traits, labels, summary) */
#define METRICS(X)                                                                                 \
    X(ops, "ops", EVENT, PLAIN, COUNTED, "site member family op", "client operations finished")    \
    X(writes, "writes", EVENT, PLAIN, COUNTED, "site member family op",                            \
      "writes acknowledged to clients")                                                            \
    X(errors, "errors", EVENT, PLAIN, COUNTED, "site member family op outcome",                    \
      "client operations whose final answer was not ok")                                           \
    X(oom_rejections, "oom.rejections", EVENT, PLAIN, COUNTED, "site member family op",            \
      "writes refused for want of memory")                                                         \
    X(failover_flaps, "failover.flaps", EVENT, PLAIN, COUNTED, "site",                             \
      "clients that soon went back to the endpoint they had left")                                 \
    X(unlink, "unlink", EVENT, PLAIN, COUNTED, "member", "force-unlinks, by the member unlinked")  \
    X(lost_writes, "data.lost_writes", EVENT, PLAIN, COUNTED, "family cause member",               \
      "acknowledged writes gone for good: overwritten (of sets, HyperLogLogs and streams none "    \
      "can "                                                                                       \
      "be), unreplicated")                                                                         \
    X(discarded_keys, "data.discarded_keys", EVENT, PLAIN, LATER, "family member",                 \
      "keys removed at a rejoin that others do not hold")                                          \
    X(bytes_cross_region, "bytes.cross_region", EVENT, BYTES, COUNTED, "link member",              \
      "bytes between members after compression, by link and sender")                               \
    X(bytes_direct, "bytes.direct", EVENT, BYTES, COUNTED, "link member",                          \
      "of these, effects from the member that made them; with causal consistency only")            \
    X(bytes_relayed, "bytes.relayed", EVENT, BYTES, COUNTED, "link member",                        \
      "of these, effects of others passed on, as causal consistency does")                         \
    X(cost_total, "cost.total", EVENT, PLAIN, LATER, "member cause", "price of the run")           \
    X(latency_op, "latency.op", SAMPLE, TIME, COUNTED, "site member family op outcome",            \
      "first attempt to final answer of an operation")                                             \
    X(latency_request, "latency.request", SAMPLE, TIME, LATER, "site",                             \
      "user request: fixed work and its operations")                                               \
    X(failover_time, "failover.time", SAMPLE, TIME, COUNTED, "site",                               \
      "per client instance, from the fault to its first success elsewhere")                        \
    X(rebuild_time, "rebuild.time", SAMPLE, TIME, COUNTED, "member",                               \
      "how long a cold standby took to fill")                                                      \
    X(sync_time, "sync.time", SAMPLE, TIME, COUNTED, "member", "duration of a full sync")          \
    X(runbook_duration, "runbook.duration", SAMPLE, TIME, COUNTED, "runbook ends fault alert",     \
      "from the fault before the alert to the end of the step that carries the label")             \
    X(step_at, "step.at", SAMPLE, TIME, COUNTED, "runbook step", "when a step ended, from t=0")    \
    X(alert_fired_at, "alert.fired_at", SAMPLE, TIME, COUNTED, "alert",                            \
      "when an alert fired, from t=0")                                                             \
    X(alert_lead, "alert.lead", SAMPLE, TIME, AWAIT_TWIN, "alert",                                 \
      "from the alert to the memory limit in the run without operators")                           \
    X(availability, "availability", GAUGE, PLAIN, RATIO, "site member",                            \
      "share of operations that succeed; of a member with the monitor's probes")                   \
    X(memory_used, "memory.used", GAUGE, BYTES, COUNTED, "member", "all memory of a member")       \
    X(memory_used_pct, "memory.used_pct", GAUGE, PLAIN, SHARE, "member",                           \
      "memory used as a share of the maximum")                                                     \
    X(memory_headroom, "memory.headroom", GAUGE, BYTES, COUNTED, "member",                         \
      "bytes left until client writes are refused")                                                \
    X(memory_bytes, "memory.bytes", GAUGE, BYTES, COUNTED, "member cause",                         \
      "memory of a member by cause")                                                               \
    X(replication_lag, "replication.lag", GAUGE, TIME, COUNTED, "member",                          \
      "age of what a member knows of its peers, the oldest")                                       \
    X(replication_backlog, "replication.backlog", GAUGE, BYTES, COUNTED, "member",                 \
      "bytes not yet acknowledged by the slowest linked peer")                                     \
    X(load_utilisation, "load.utilisation", GAUGE, PLAIN, SHARE, "member",                         \
      "busy share of the busiest shard")                                                           \
    X(connections, "connections", GAUGE, PLAIN, LATER, "site member", "open client connections")   \
    X(cpu, "cpu", GAUGE, PLAIN, LATER_SHARE, "member", "processor use")                            \
    X(geo_healthy, "geo.healthy", GAUGE, PLAIN, COUNTED, "member",                                 \
      "1 while all links of the member are up and in sync")

/* X(id, traits, summary): the taxonomy of fit.md section 2; each has an event and an age. */
#define ANOMALIES(X)                                                                               \
    X(A1, COUNTED, "lost update")                                                                  \
    X(A2, LATER, "discarded branch")                                                               \
    X(A3, LATER, "session overwrite")                                                              \
    X(A4, LATER, "resurrected delete")                                                             \
    X(A5, LATER, "vanished write")                                                                 \
    X(A6, LATER, "limit overshoot")                                                                \
    X(A7, LATER, "oversell")                                                                       \
    X(A8, LATER, "counter reset surprise")                                                         \
    X(A9, LATER, "duplicate unique value")                                                         \
    X(A10, LATER, "lock safety")                                                                   \
    X(A11, LATER, "double pop")                                                                    \
    X(A12, COUNTED, "duplicate effect")                                                            \
    X(A13, LATER, "rank error")                                                                    \
    X(A14, LATER, "stale read")                                                                    \
    X(A15, LATER, "read-your-writes violation")                                                    \
    X(A16, LATER, "monotonic reads violation")                                                     \
    X(A17, LATER, "monotonic writes violation")                                                    \
    X(A18, LATER, "writes-follow-reads violation")                                                 \
    X(A19, LATER, "read skew")                                                                     \
    X(A20, LATER, "TTL surprise")                                                                  \
    X(A21, LATER, "remote eviction")                                                               \
    X(A22, LATER, "OOM rejection; see oom.rejections")                                             \
    X(A23, COUNTED, "unreplicated loss")                                                           \
    X(A24, LATER, "rejoin discard")                                                                \
    X(A25, LATER, "clock inversion")                                                               \
    X(A26, LATER, "convergence lag")

const Metric *metric_find(const char *name); /* NULL: unknown */

#define LABEL_ONE(name) +1
#define LABEL_COUNT     (0 LABELS(LABEL_ONE))

extern const char *const label_names[LABEL_COUNT];
const char *labels_get(const Labels *labels, uint32_t index);
void labels_set(Labels *labels, uint32_t index, const char *value);
bool metric_has_label(const Metric *metric, const char *label);
/* Every label that filter sets is set alike in labels. */
bool labels_match(const Labels *labels, const Labels *filter);
