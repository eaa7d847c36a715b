/* Why it works: tables are records, so that creating them, emptying them for a run and digesting
 * them follow one list.  All are WITHOUT ROWID, which makes the primary key the order on disk and
 * in the digest.  Absent labels are '' and not NULL, because NULLs in a key would all differ.
 */
#include "tools/store_schema.h"

#include <glib.h>

#define LABEL_COLUMNS                                                                              \
    "metric TEXT NOT NULL, labels TEXT NOT NULL, site TEXT NOT NULL, member TEXT NOT NULL, "       \
    "link TEXT NOT NULL, family TEXT NOT NULL, cause TEXT NOT NULL, "

#define QUANTILE_COLUMNS                                                                           \
    "count INTEGER NOT NULL, samples INTEGER NOT NULL, p50 INTEGER NOT NULL, p90 INTEGER NOT "     \
    "NULL, p95 INTEGER NOT NULL, p99 INTEGER NOT NULL, p999 INTEGER NOT NULL, mean REAL NOT "      \
    "NULL, max INTEGER NOT NULL, histogram BLOB NOT NULL"

#define TOTAL_COLUMNS                                                                              \
    "run TEXT NOT NULL, " LABEL_COLUMNS                                                            \
    "phase TEXT NOT NULL, total REAL NOT NULL, standard_error REAL NOT NULL"

#define GAUGE_COLUMNS                                                                              \
    "run TEXT NOT NULL, " LABEL_COLUMNS                                                            \
    "phase TEXT NOT NULL, readings INTEGER NOT NULL, min REAL NOT NULL, mean REAL NOT NULL, "      \
    "max REAL NOT NULL, max_at_s INTEGER NOT NULL, last REAL NOT NULL"

const StoreTable store_tables[] = {
    {.name = "scenario",
     .key = "hash",
     .in_digest = true,
     .results = "hash IN (SELECT scenario FROM run WHERE status = 'done')",
     .columns = "hash TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL"},
    {.name = "run",
     .key = "run",
     .of_run = true,
     .in_digest = true,
     .results = "status = 'done'",
     .columns = "run TEXT NOT NULL, scenario TEXT NOT NULL REFERENCES scenario (hash), "
                "variant TEXT NOT NULL, point TEXT NOT NULL, seed INTEGER NOT NULL, "
                "slice INTEGER NOT NULL, until_ns INTEGER NOT NULL, version TEXT NOT NULL, "
                "status TEXT NOT NULL CHECK (status IN ('running', 'done')), digest TEXT, "
                "ended_ns INTEGER, stopped INTEGER, event_count INTEGER, client_op_count INTEGER, "
                "kept_share REAL"},
    {.name = "phase",
     .key = "run, position",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, position INTEGER NOT NULL, phase TEXT NOT NULL, "
                "from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL"},
    {.name = "series",
     .key = "run, metric, labels",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, " LABEL_COLUMNS
                "kind TEXT NOT NULL, unit TEXT NOT NULL, step_s INTEGER NOT NULL, "
                "readings TEXT NOT NULL"},
    {.name = "latency",
     .key = "run, metric, phase, site, member, family, op, outcome",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, metric TEXT NOT NULL, phase TEXT NOT NULL, site TEXT NOT NULL, "
                "member TEXT NOT NULL, family TEXT NOT NULL, op TEXT NOT NULL, "
                "outcome TEXT NOT NULL, " QUANTILE_COLUMNS},
    {.name = "latency_by_time",
     .key = "run, site, from_s",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, site TEXT NOT NULL, from_s INTEGER NOT NULL, "
                "length_s INTEGER NOT NULL, count INTEGER NOT NULL, p50 INTEGER NOT NULL, "
                "p99 INTEGER NOT NULL, max INTEGER NOT NULL"},
    {.name = "sample",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, " LABEL_COLUMNS
                "phase TEXT NOT NULL, unit TEXT NOT NULL, " QUANTILE_COLUMNS},
    {.name = "total",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = TOTAL_COLUMNS},
    {.name = "traffic",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = TOTAL_COLUMNS},
    {.name = "conflict",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = TOTAL_COLUMNS},
    {.name = "anomaly",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = TOTAL_COLUMNS},
    {.name = "gauge",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = GAUGE_COLUMNS},
    {.name = "memory",
     .key = "run, metric, labels, phase",
     .of_run = true,
     .in_digest = true,
     .columns = GAUGE_COLUMNS},
    /* How a member's data was weighed: 'footprint', the calibrated encodings and these headers, or
     * 'overhead', a factor in their place. */
    {.name = "memory_model",
     .key = "run, member",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, member TEXT NOT NULL, "
                "model TEXT NOT NULL CHECK (model IN ('footprint', 'overhead')), "
                "overhead REAL NOT NULL, key_header_bytes INTEGER NOT NULL, "
                "element_header_bytes INTEGER NOT NULL, sibling_header_bytes INTEGER NOT NULL"},
    {.name = "event",
     .key = "run, position",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, position INTEGER NOT NULL, at_ns INTEGER NOT NULL, "
                "kind TEXT NOT NULL, subject TEXT NOT NULL, what TEXT NOT NULL, "
                "detail TEXT NOT NULL"},
    {.name = "witness",
     .key = "run, anomaly, position",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, anomaly TEXT NOT NULL, position INTEGER NOT NULL, "
                "at_ns INTEGER NOT NULL, text TEXT NOT NULL"},
    {.name = "history",
     .key = "run, site, op_seq",
     .of_run = true,
     .in_digest = true,
     .columns = "run TEXT NOT NULL, site TEXT NOT NULL, op_seq INTEGER NOT NULL, "
                "start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, member TEXT NOT NULL, "
                "family TEXT NOT NULL, op TEXT NOT NULL, outcome TEXT NOT NULL"},
    {.name = "verdict",
     .key = "scenario, expectation, slice, until_ns, seeds",
     .in_digest = true,
     .columns = "scenario TEXT NOT NULL REFERENCES scenario (hash), expectation TEXT NOT NULL, "
                "slice INTEGER NOT NULL, until_ns INTEGER NOT NULL, seeds TEXT NOT NULL, "
                "variant TEXT NOT NULL, phase TEXT NOT NULL, severity TEXT NOT NULL, "
                "verdict TEXT NOT NULL, measured TEXT NOT NULL, allowed TEXT NOT NULL, "
                "value REAL, value_low REAL, value_high REAL, that TEXT NOT NULL, "
                "why TEXT NOT NULL, note TEXT NOT NULL"},
    {.name = "provenance",
     .key = "run",
     .of_run = true,
     .columns = "run TEXT NOT NULL, version TEXT NOT NULL, compiler TEXT NOT NULL, "
                "started TEXT NOT NULL, took_s REAL NOT NULL"},
};
const size_t store_table_count = G_N_ELEMENTS(store_tables);

/* Who a row belongs to, first in every view. */
#define VARIANT_NAME "CASE variant WHEN '' THEN 'base' ELSE variant END AS variant, "
#define WHOSE        "scenario.name AS scenario, " VARIANT_NAME "run.seed, "
/* Which of several runs it is, last in every view: NULL minutes for one that was not cut short. */
#define UNTIL_MIN " CASE WHEN until_ns > 0 THEN round(until_ns / 6e10, 3) END AS until_min "
#define WHICH_RUN                                                                                  \
    ", run.slice, round(run.ended_ns / 6e10, 3) AS ended_min," UNTIL_MIN ", run.run AS run "
#define OF_DONE_RUNS                                                                               \
    " JOIN run USING (run) JOIN scenario ON scenario.hash = run.scenario WHERE run.status = "      \
    "'done'"

#define IN_ORDER_OF_PHASES                                                                         \
    "ORDER BY run.run, latency.site, (SELECT position FROM phase WHERE phase.run = run.run AND "   \
    "phase.phase = latency.phase)"

static const char *const views[] = {
    "CREATE VIEW runs AS SELECT scenario.name AS scenario, " VARIANT_NAME "point, seed, slice, "
    "CASE status WHEN 'done' THEN 'done' ELSE 'incomplete' END AS status, "
    "round(ended_ns / 6e10, 3) AS ended_min, CASE stopped WHEN 1 THEN 'abort' ELSE '' END AS "
    "stopped_by, "
    "client_op_count, round(kept_share, 6) AS kept_share, digest, run.version, scenario.title, "
    "run, " UNTIL_MIN "FROM run JOIN scenario ON scenario.hash = run.scenario;",

    "CREATE VIEW latency_by_phase AS SELECT " WHOSE "latency.site, latency.phase, "
    "p50 / 1e6 AS p50_ms, p90 / 1e6 AS p90_ms, p95 / 1e6 AS p95_ms, p99 / 1e6 AS p99_ms, "
    "p999 / 1e6 AS p999_ms, mean / 1e6 AS mean_ms, max / 1e6 AS max_ms, count AS ops " WHICH_RUN
    "FROM latency" OF_DONE_RUNS " AND metric = 'latency.op' AND member = '*' " IN_ORDER_OF_PHASES
    ";",

    "CREATE VIEW latency_by_member AS SELECT " WHOSE "latency.site, latency.member, "
    "latency.family, latency.op, latency.outcome, latency.phase, p50 / 1e6 AS p50_ms, "
    "p99 / 1e6 AS p99_ms, max / 1e6 AS max_ms, count AS ops " WHICH_RUN "FROM latency" OF_DONE_RUNS
    " AND metric = 'latency.op' AND member <> '*';",

    "CREATE VIEW availability_by_phase AS SELECT " WHOSE "latency.site, latency.phase, "
    "100.0 * sum(CASE outcome WHEN 'ok' THEN count ELSE 0 END) / sum(count) AS availability_pct, "
    "sum(count) AS ops, sum(CASE outcome WHEN 'ok' THEN 0 ELSE count END) AS failed " WHICH_RUN
    "FROM latency" OF_DONE_RUNS " AND metric = 'latency.op' AND member <> '*' "
    "GROUP BY run, latency.site, latency.phase " IN_ORDER_OF_PHASES ";",

    "CREATE VIEW availability_by_member AS SELECT " WHOSE "gauge.member, gauge.phase, "
    "100.0 * mean AS availability_pct, 100.0 * min AS worst_second_pct " WHICH_RUN
    "FROM gauge" OF_DONE_RUNS " AND metric = 'availability' AND member <> '';",

    "CREATE VIEW memory_peak AS SELECT " WHOSE "used.member, used.max AS peak_bytes, "
    "round(used.max / 1e9, 3) AS peak_gb, (SELECT round(100 * max, 2) FROM memory AS share WHERE "
    "share.run = run.run AND share.metric = 'memory.used_pct' AND share.member = used.member AND "
    "share.phase = 'all') AS peak_pct, used.max_at_s AS at_s, "
    "(SELECT model FROM memory_model WHERE memory_model.run = run.run AND memory_model.member = "
    "used.member) AS model " WHICH_RUN "FROM memory AS used" OF_DONE_RUNS
    " AND used.metric = 'memory.used' AND used.phase = 'all';",

    "CREATE VIEW memory_by_cause AS SELECT " WHOSE "memory.member, memory.cause, memory.phase, "
    "mean AS mean_bytes, max AS peak_bytes, max_at_s AS at_s " WHICH_RUN "FROM memory" OF_DONE_RUNS
    " AND metric = 'memory.bytes';",

    "CREATE VIEW lag_by_member AS SELECT " WHOSE "gauge.member, gauge.phase, mean / 1e6 AS "
    "mean_ms, max / 1e6 AS max_ms, max_at_s AS at_s " WHICH_RUN "FROM gauge" OF_DONE_RUNS
    " AND metric = 'replication.lag';",

    "CREATE VIEW traffic_by_link AS SELECT " WHOSE "traffic.link, traffic.phase, "
    "total AS bytes, standard_error " WHICH_RUN "FROM traffic" OF_DONE_RUNS
    " AND metric = 'bytes.cross_region';",

    /* Only of runs with causal consistency; whoever relays sends, so senders are the members. */
    "CREATE VIEW causal_traffic AS SELECT " WHOSE "traffic.phase, count(DISTINCT traffic.member) "
    "AS members, "
    "sum(CASE metric WHEN 'bytes.cross_region' THEN total ELSE 0 END) AS bytes, "
    "sum(CASE metric WHEN 'bytes.direct' THEN total ELSE 0 END) AS direct_bytes, "
    "sum(CASE metric WHEN 'bytes.relayed' THEN total ELSE 0 END) AS relayed_bytes, "
    "sum(CASE metric WHEN 'bytes.relayed' THEN total ELSE 0 END) / "
    "nullif(sum(CASE metric WHEN 'bytes.direct' THEN total ELSE 0 END), 0) AS relayed_per_direct, "
    "nullif(count(DISTINCT traffic.member) - 2, 0) AS documented_factor " WHICH_RUN
    "FROM traffic" OF_DONE_RUNS " GROUP BY run.run, traffic.phase "
    "HAVING sum(metric = 'bytes.relayed') > 0;",

    /* What belongs to no family is told only when there is any. */
    "CREATE VIEW lost_writes AS SELECT " WHOSE "conflict.member, conflict.family, conflict.cause, "
    "conflict.phase, "
    "total AS writes, standard_error " WHICH_RUN "FROM conflict" OF_DONE_RUNS
    " AND metric = 'data.lost_writes' AND (conflict.family <> '' OR total <> 0);",

    "CREATE VIEW anomalies AS SELECT " WHOSE "anomaly.metric, anomaly.site, anomaly.member, "
    "anomaly.family, anomaly.phase, total, standard_error " WHICH_RUN "FROM anomaly" OF_DONE_RUNS
    " AND (anomaly.family <> '' OR total <> 0);",

    "CREATE VIEW timeline AS SELECT " WHOSE "at_ns / 1e9 AS at_s, "
    "printf('%02d:%02d:%02d', at_ns / 3600000000000, at_ns / 60000000000 % 60, "
    "at_ns / 1000000000 % 60) AS at, event.kind, event.subject, event.what, event.detail " WHICH_RUN
    "FROM event" OF_DONE_RUNS ";",

    "CREATE VIEW verdicts AS SELECT scenario.name AS scenario, expectation, verdict, severity, "
    "measured, allowed, " VARIANT_NAME "phase, that, why, note, slice, seeds, " UNTIL_MIN
    "FROM verdict JOIN scenario ON scenario.hash = verdict.scenario;",

    "CREATE VIEW series_by_second AS SELECT " WHOSE "series.metric, series.site, series.member, "
    "series.link, series.family, series.cause, series.labels, series.unit, "
    "reading.key * series.step_s AS at_s, reading.atom AS value " WHICH_RUN "FROM series JOIN "
    "json_each(series.readings) AS reading" OF_DONE_RUNS ";",
};

char *store_schema_sql(void)
{
    GString *sql = g_string_new(NULL);

    for (size_t i = 0; i < store_table_count; i++)
        g_string_append_printf(sql, "CREATE TABLE %s (%s, PRIMARY KEY (%s)) WITHOUT ROWID;\n",
                               store_tables[i].name, store_tables[i].columns, store_tables[i].key);
    for (size_t i = 0; i < G_N_ELEMENTS(views); i++)
        g_string_append_printf(sql, "%s\n", views[i]);
    g_string_append_printf(sql, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n",
                           STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
    return g_string_free(sql, FALSE);
}
