/* Why it works: numbers stay in base units named by their keys (ns, bytes, shares), so that no
 * reader parses text made for people.
 */
#include <math.h>

#include "tools/json_write.h"
#include "tools/report.h"
#include "tools/version.h"

/* KEY_low, KEY_high and whether a slice leaves it open; nothing without a slice. */
static void write_interval(JsonWriter *writer, const char *key, const Estimate *estimate)
{
    g_autofree char *low = g_strconcat(key, "_low", NULL);
    g_autofree char *high = g_strconcat(key, "_high", NULL);
    g_autofree char *open = g_strconcat(key, "_not_from_slice", NULL);

    json_write_number(writer, low, estimate->low);
    json_write_number(writer, high, estimate->high);
    json_write_bool(writer, open, estimate->not_from_slice);
}

static void write_intervals(JsonWriter *writer, const ReportVariant *variant, const ReportSite *row)
{
    Estimate p50 = report_quantile(variant, row, 0.5);
    Estimate p99 = report_quantile(variant, row, 0.99);
    Estimate availability = report_availability(variant, row);
    Estimate rate = report_rate(variant, row);

    write_interval(writer, "p50_ns", &p50);
    write_interval(writer, "p99_ns", &p99);
    write_interval(writer, "availability", &availability);
    write_interval(writer, "ops_per_s", &rate);
}

static void write_site(JsonWriter *writer, const ReportVariant *variant, const ReportSite *row)
{
    const Histogram *latency = row->latency;

    json_write_begin_object(writer, NULL);
    json_write_text(writer, "site", row->site);
    json_write_text(writer, "phase", row->phase);
    json_write_int(writer, "p50_ns", histogram_quantile(latency, 0.5));
    json_write_int(writer, "p90_ns", histogram_quantile(latency, 0.9));
    json_write_int(writer, "p95_ns", histogram_quantile(latency, 0.95));
    json_write_int(writer, "p99_ns", histogram_quantile(latency, 0.99));
    json_write_int(writer, "p999_ns", histogram_quantile(latency, 0.999));
    json_write_int(writer, "max_ns", histogram_max(latency));
    json_write_number(writer, "availability",
                      row->op_count > 0.0 ? row->ok_count / row->op_count : (double)NAN);
    json_write_number(writer, "op_count", row->op_count);
    json_write_number(writer, "ops_per_s",
                      row->seconds > 0.0 ? row->op_count / row->seconds : (double)NAN);
    if (variant->kept_share < 1.0)
        write_intervals(writer, variant, row);
    json_write_end_object(writer);
}

static void write_traffic(JsonWriter *writer, const ReportVariant *variant)
{
    const ReportTraffic *traffic = &variant->traffic;

    json_write_begin_object(writer, "causal_traffic");
    json_write_int(writer, "members", traffic->member_count);
    json_write_number(writer, "bytes", traffic->bytes);
    json_write_number(writer, "direct_bytes", traffic->direct_bytes);
    json_write_number(writer, "relayed_bytes", traffic->relayed_bytes);
    json_write_number(writer, "relayed_per_direct", report_relay_factor(traffic));
    json_write_number(writer, "documented_factor", report_relay_factor_documented(traffic));
    json_write_number(writer, "messages_per_write", report_messages_per_write(traffic));
    json_write_number(writer, "messages_per_write_bound", report_messages_per_write_bound(traffic));
    if (variant->kept_share < 1.0)
        json_write_bool(writer, "not_from_slice", report_variant_lacks_keys(variant));
    json_write_end_object(writer);
}

static void write_variant(JsonWriter *writer, const ReportVariant *variant)
{
    json_write_begin_object(writer, NULL);
    json_write_text(writer, "variant", variant->variant);
    json_write_int(writer, "runs", variant->run_count);
    json_write_int(writer, "stopped_by_abort", variant->stopped_count);
    json_write_number(writer, "first_seed", (double)variant->first_seed);
    json_write_text(writer, "digest", variant->digest);
    json_write_int(writer, "ended_ns", variant->ended_ns);
    json_write_number(writer, "kept_share", variant->kept_share);
    json_write_bool(writer, "lacks_keys", report_variant_lacks_keys(variant));
    json_write_begin_array(writer, "sites");
    for (guint i = 0; i < variant->sites->len; i++)
        write_site(writer, variant, g_ptr_array_index(variant->sites, i));
    json_write_end_array(writer);
    json_write_begin_array(writer, "memory_peaks");
    for (guint i = 0; i < variant->peaks->len; i++) {
        const ReportPeak *peak = g_ptr_array_index(variant->peaks, i);

        json_write_begin_object(writer, NULL);
        json_write_text(writer, "member", peak->member);
        json_write_number(writer, "bytes", peak->bytes);
        json_write_number(writer, "share", peak->share);
        json_write_int(writer, "at_s", peak->at_s);
        json_write_text(writer, "model", peak->model);
        if (peak->overhead > 0)
            json_write_number(writer, "overhead", peak->overhead);
        if (variant->kept_share < 1.0)
            json_write_bool(writer, "not_from_slice", report_variant_lacks_keys(variant));
        json_write_end_object(writer);
    }
    json_write_end_array(writer);
    if (variant->traffic.member_count > 0)
        write_traffic(writer, variant);
    json_write_end_object(writer);
}

static void write_verdict(JsonWriter *writer, const ReportVerdict *verdict)
{
    json_write_begin_object(writer, NULL);
    json_write_text(writer, "expectation", verdict->id);
    json_write_text(writer, "verdict", verdict->verdict);
    json_write_text(writer, "severity", verdict->severity);
    json_write_text(writer, "that", verdict->that);
    json_write_text(writer, "measured", verdict->measured);
    json_write_text(writer, "limit", verdict->allowed);
    json_write_text(writer, "variant", verdict->variant);
    json_write_text(writer, "phase", verdict->phase);
    json_write_text(writer, "why", verdict->why);
    json_write_text(writer, "note", verdict->note);
    json_write_end_object(writer);
}

char *report_json(const Report *report)
{
    g_autoptr(JsonWriter) writer = json_writer_new();

    json_write_begin_object(writer, NULL);
    json_write_text(writer, "quintet", "report/1");
    json_write_text(writer, "version", QUINTET_VERSION);
    json_write_text(writer, "scenario", report->name);
    json_write_text(writer, "title", report->title);
    json_write_text(writer, "scenario_hash", report->hash);
    json_write_text(writer, "results", report->path);
    json_write_int(writer, "slice", report->slice);
    json_write_int(writer, "other_runs", report->other_runs);
    json_write_begin_array(writer, "variants");
    for (guint i = 0; i < report->variants->len; i++)
        write_variant(writer, g_ptr_array_index(report->variants, i));
    json_write_end_array(writer);
    json_write_begin_array(writer, "expectations");
    for (guint i = 0; i < report->verdicts->len; i++)
        write_verdict(writer, g_ptr_array_index(report->verdicts, i));
    json_write_end_array(writer);
    json_write_end_object(writer);
    return json_writer_finish(writer);
}
