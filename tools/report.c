/* Why it works: histograms are kept whole in the file, so pooling runs is merging them; a quantile
 * of quantiles is never taken.
 */
#include "tools/report.h"

#include <math.h>
#include <string.h>

#include "tools/store_statement.h"

static void report_site_free(gpointer data)
{
    ReportSite *site = data;

    g_free(site->site);
    g_free(site->phase);
    histogram_free(site->latency);
    g_free(site);
}

static void report_peak_free(gpointer data)
{
    ReportPeak *peak = data;

    g_free(peak->member);
    g_free(peak->model);
    g_free(peak);
}

static void report_variant_free(gpointer data)
{
    ReportVariant *variant = data;

    g_free(variant->variant);
    g_free(variant->digest);
    g_ptr_array_unref(variant->sites);
    g_ptr_array_unref(variant->peaks);
    g_free(variant);
}

static void report_verdict_free(gpointer data)
{
    ReportVerdict *verdict = data;

    g_free(verdict->id);
    g_free(verdict->severity);
    g_free(verdict->verdict);
    g_free(verdict->measured);
    g_free(verdict->allowed);
    g_free(verdict->variant);
    g_free(verdict->phase);
    g_free(verdict->that);
    g_free(verdict->why);
    g_free(verdict->note);
    g_free(verdict);
}

void report_free(Report *report)
{
    if (!report)
        return;
    g_free(report->path);
    g_free(report->name);
    g_free(report->title);
    g_free(report->hash);
    g_ptr_array_unref(report->variants);
    g_ptr_array_unref(report->verdicts);
    g_free(report);
}

static ReportVariant *report_variant(Report *report, const char *name)
{
    ReportVariant *variant;

    for (guint i = 0; i < report->variants->len; i++) {
        variant = g_ptr_array_index(report->variants, i);
        if (strcmp(variant->variant, name) == 0)
            return variant;
    }
    variant = g_new0(ReportVariant, 1);
    variant->variant = g_strdup(name);
    variant->sites = g_ptr_array_new_with_free_func(report_site_free);
    variant->peaks = g_ptr_array_new_with_free_func(report_peak_free);
    g_ptr_array_add(report->variants, variant);
    return variant;
}

static ReportSite *report_site(ReportVariant *variant, const char *site, const char *phase)
{
    ReportSite *row;

    for (guint i = 0; i < variant->sites->len; i++) {
        row = g_ptr_array_index(variant->sites, i);
        if (strcmp(row->site, site) == 0 && strcmp(row->phase, phase) == 0)
            return row;
    }
    row = g_new0(ReportSite, 1);
    row->site = g_strdup(site);
    row->phase = g_strdup(phase);
    row->latency = histogram_new();
    g_ptr_array_add(variant->sites, row);
    return row;
}

/* A query about one run; its only parameter. */
static Statement *query_run(StoreFile *store, const char *sql, const char *run_id, GError **error)
{
    Statement *query = statement_new(store, sql, error);

    if (query)
        statement_text(query, run_id);
    return query;
}

/* statement_row that says through *worked whether it ended well. */
static bool next_row(Statement *query, bool *worked, GError **error)
{
    g_autoptr(GError) failure = NULL;
    bool more = statement_row(query, &failure);

    if (failure) {
        *worked = false;
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return more;
}

static bool load_run(StoreFile *store, ReportVariant *variant, const char *run_id, GError **error)
{
    bool worked = true;
    g_autoptr(Statement) query = query_run(
        store,
        "SELECT seed, ended_ns, stopped, kept_share, digest, client_op_count / kept_share, "
        "(SELECT sum(total) FROM total WHERE total.run = run.run AND metric = 'ops' AND phase = "
        "'all') FROM run WHERE run = ?",
        run_id, error);

    if (!query)
        return false;
    while (next_row(query, &worked, error)) {
        SimTime ended_ns = statement_column_int(query, 1);
        double sent_ops = statement_column_real(query, 5);
        double estimated_ops = statement_column_real(query, 6);

        if (variant->run_count == 0) {
            variant->first_seed = (uint64_t)statement_column_int(query, 0);
            variant->kept_share = statement_column_real(query, 3);
            variant->digest = g_strdup(statement_column_text(query, 4));
        }
        if (isfinite(sent_ops) && isfinite(estimated_ops)) {
            variant->sent_ops += sent_ops;
            variant->estimated_ops += estimated_ops;
        }
        variant->run_count++;
        variant->simulated_s += (double)ended_ns / 1e9;
        variant->stopped_count += statement_column_int(query, 2) ? 1 : 0;
        variant->ended_ns = MAX(variant->ended_ns, ended_ns);
    }
    return worked;
}

/* Sites by phase: how long the phase lasted, how many operations ended well, and how fast. */
static bool load_sites(StoreFile *store, ReportVariant *variant, const char *run_id, GError **error)
{
    bool worked = true;
    g_autoptr(Statement) query = query_run(
        store,
        "SELECT pool.site, pool.phase, pool.histogram, "
        "max(0, min(phase.to_ns, run.ended_ns) - phase.from_ns) / 1e9, "
        "(SELECT sum(part.count) FROM latency AS part WHERE part.run = pool.run AND part.metric = "
        "pool.metric AND part.phase = pool.phase AND part.site = pool.site AND part.member <> '*' "
        "AND part.outcome = 'ok'), pool.count, "
        /* Operations on the same keys rise and fall together, families do not. */
        "(SELECT sum(variance) FROM (SELECT sum(standard_error) * sum(standard_error) AS variance "
        "FROM total WHERE total.run = pool.run AND total.metric = 'ops' AND total.phase = "
        "pool.phase AND total.site = pool.site GROUP BY total.family)) "
        "FROM latency AS pool JOIN phase USING (run, phase) JOIN run USING (run) "
        "WHERE pool.run = ? AND pool.metric = 'latency.op' AND pool.member = '*' "
        "ORDER BY pool.site, phase.position",
        run_id, error);

    if (!query)
        return false;
    while (next_row(query, &worked, error)) {
        ReportSite *row =
            report_site(variant, statement_column_text(query, 0), statement_column_text(query, 1));
        g_autoptr(GBytes) bytes = statement_column_blob(query, 2);
        g_autoptr(Histogram) part = histogram_from_bytes(bytes, error);

        if (!part)
            return false;
        histogram_merge(row->latency, part);
        row->seconds += statement_column_real(query, 3);
        row->ok_count += (double)statement_column_int(query, 4);
        row->op_count += (double)statement_column_int(query, 5);
        if (isfinite(statement_column_real(query, 6)))
            row->op_variance += statement_column_real(query, 6);
    }
    return worked;
}

static bool load_peaks(StoreFile *store, ReportVariant *variant, const char *run_id, GError **error)
{
    bool worked = true;
    g_autoptr(Statement) query = query_run(
        store,
        "SELECT used.member, used.max, used.max_at_s, (SELECT share.max FROM memory AS share WHERE "
        "share.run = used.run AND share.metric = 'memory.used_pct' AND share.member = used.member "
        "AND share.phase = 'all'), coalesce(model.model, ''), coalesce(model.overhead, 0) "
        "FROM memory AS used LEFT JOIN memory_model AS model USING (run, member) WHERE used.run = "
        "? AND "
        "used.metric = 'memory.used' AND used.phase = 'all' ORDER BY used.member",
        run_id, error);

    if (!query)
        return false;
    while (next_row(query, &worked, error)) {
        const char *member = statement_column_text(query, 0);
        double bytes = statement_column_real(query, 1);
        ReportPeak *peak = NULL;

        for (guint i = 0; i < variant->peaks->len && !peak; i++) {
            ReportPeak *known = g_ptr_array_index(variant->peaks, i);

            peak = strcmp(known->member, member) == 0 ? known : NULL;
        }
        if (!peak) {
            peak = g_new0(ReportPeak, 1);
            peak->member = g_strdup(member);
            peak->model = g_strdup(statement_column_text(query, 4));
            peak->overhead = statement_column_real(query, 5);
            g_ptr_array_add(variant->peaks, peak);
        } else if (bytes <= peak->bytes) {
            continue;
        }
        peak->bytes = bytes;
        peak->at_s = statement_column_int(query, 2);
        peak->share = statement_column_real(query, 3);
    }
    return worked;
}

/* Nothing without causal consistency; of several seeds the sum. */
static bool load_traffic(StoreFile *store, ReportTraffic *traffic, const char *run_id,
                         GError **error)
{
    bool worked = true;
    g_autoptr(Statement) query = query_run(store,
                                           "SELECT members, bytes, direct_bytes, relayed_bytes "
                                           "FROM causal_traffic WHERE run = ? AND phase = 'all'",
                                           run_id, error);

    if (!query)
        return false;
    while (next_row(query, &worked, error)) {
        traffic->member_count = (uint32_t)statement_column_int(query, 0);
        traffic->bytes += statement_column_real(query, 1);
        traffic->direct_bytes += statement_column_real(query, 2);
        traffic->relayed_bytes += statement_column_real(query, 3);
    }
    return worked;
}

static bool load_verdict(StoreFile *store, Report *report, const StoreRun *run,
                         const ReportVerdictKey *key, GError **error)
{
    bool worked = true;
    g_autoptr(Statement) query = query_run(
        store,
        "SELECT expectation, severity, verdict, measured, allowed, variant, phase, that, why, note "
        "FROM verdict WHERE scenario = ? AND expectation = ? AND slice = ? AND until_ns = ? AND "
        "seeds = ?",
        run->scenario->hash, error);

    if (!query)
        return false;
    statement_text(query, key->expectation);
    statement_int(query, (int64_t)run->slice);
    statement_int(query, run->until_ns);
    statement_text(query, key->seeds);
    while (next_row(query, &worked, error)) {
        ReportVerdict *verdict = g_new0(ReportVerdict, 1);
        char **fields[] = {&verdict->id,       &verdict->severity, &verdict->verdict,
                           &verdict->measured, &verdict->allowed,  &verdict->variant,
                           &verdict->phase,    &verdict->that,     &verdict->why,
                           &verdict->note};

        for (uint32_t i = 0; i < G_N_ELEMENTS(fields); i++)
            *fields[i] = g_strdup(statement_column_text(query, i));
        g_ptr_array_add(report->verdicts, verdict);
    }
    return worked;
}

static bool load_other_runs(StoreFile *store, Report *report, uint32_t own, GError **error)
{
    bool worked = true;
    g_autoptr(Statement) query =
        query_run(store,
                  "SELECT count(*) FROM run JOIN scenario ON scenario.hash = run.scenario WHERE "
                  "status = 'done' AND name = ?",
                  report->name, error);

    if (query && next_row(query, &worked, error))
        report->other_runs = (uint32_t)MAX(0, statement_column_int(query, 0) - (int64_t)own);
    return query && worked;
}

Report *report_load(StoreFile *store, const ReportQuery *query, GError **error)
{
    g_autoptr(Report) report = g_new0(Report, 1);

    report->path = g_strdup(store_file_path(store));
    report->variants = g_ptr_array_new_with_free_func(report_variant_free);
    report->verdicts = g_ptr_array_new_with_free_func(report_verdict_free);
    for (uint32_t i = 0; i < query->run_count; i++) {
        const StoreRun *run = &query->runs[i];
        g_autofree char *run_id = store_run_id(run);
        ReportVariant *variant = report_variant(report, run->variant);

        if (i == 0) {
            report->name = g_strdup(run->scenario->name);
            report->title = g_strdup(run->scenario->title);
            report->hash = g_strdup(run->scenario->hash);
            report->slice = run->slice;
        }
        if (!load_run(store, variant, run_id, error) ||
            !load_sites(store, variant, run_id, error) ||
            !load_peaks(store, variant, run_id, error) ||
            !load_traffic(store, &variant->traffic, run_id, error))
            return NULL;
    }
    if (query->run_count > 0 && !load_other_runs(store, report, query->run_count, error))
        return NULL;
    for (uint32_t i = 0; i < query->verdict_count; i++)
        if (!load_verdict(store, report, &query->runs[0], &query->verdicts[i], error))
            return NULL;
    return g_steal_pointer(&report);
}

double report_relay_factor(const ReportTraffic *traffic)
{
    return traffic->direct_bytes > 0.0 ? traffic->relayed_bytes / traffic->direct_bytes
                                       : (double)NAN;
}

double report_relay_factor_documented(const ReportTraffic *traffic)
{
    return traffic->member_count > 2 ? (double)traffic->member_count - 2.0 : (double)NAN;
}

double report_messages_per_write(const ReportTraffic *traffic)
{
    return ((double)traffic->member_count - 1.0) * (1.0 + report_relay_factor(traffic));
}

double report_messages_per_write_bound(const ReportTraffic *traffic)
{
    return ((double)traffic->member_count - 1.0) * ((double)traffic->member_count - 1.0);
}

uint32_t report_count_musts(const Report *report, const char *verdict)
{
    uint32_t count = 0;

    for (guint i = 0; i < report->verdicts->len; i++) {
        const ReportVerdict *row = g_ptr_array_index(report->verdicts, i);

        if (strcmp(row->severity, "must") == 0 && strcmp(row->verdict, verdict) == 0)
            count++;
    }
    return count;
}

uint32_t report_count(const Report *report, const char *verdict)
{
    uint32_t count = 0;

    for (guint i = 0; i < report->verdicts->len; i++) {
        const ReportVerdict *row = g_ptr_array_index(report->verdicts, i);

        count += strcmp(row->verdict, verdict) == 0 ? 1 : 0;
    }
    return count;
}
