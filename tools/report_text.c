/* Why it works: each part is a table of its own, so a long name in one widens no other. */
#include <math.h>
#include <string.h>

#include "models/observe/phases.h"
#include "sim/units.h"
#include "tools/report.h"
#include "tools/text_table.h"

#define NOT_FROM_SLICE "~" /* stands for a figure that the slice does not give */

/* Rounded down: 99.9999 % is not all. */
static const char *availability_text(const ReportSite *row, char buffer[UNIT_TEXT_MAX])
{
    double percent = row->op_count > 0.0 ? 100.0 * row->ok_count / row->op_count : 0.0;

    if (row->op_count == 0.0)
        return "-";
    if (row->ok_count == row->op_count)
        return "100 %";
    g_snprintf(buffer, UNIT_TEXT_MAX, "%.3f %%", floor(percent * 1000.0) / 1000.0);
    return buffer;
}

static void append_head(const Report *report, GString *to, bool colour)
{
    const ReportVariant *first = g_ptr_array_index(report->variants, 0);
    char text[UNIT_TEXT_MAX];

    g_string_append_printf(to, "\n%s%s%s", ink_begin(INK_STRONG, colour), report->name,
                           ink_end(INK_STRONG, colour));
    if (report->title[0])
        g_string_append_printf(to, ": %s", report->title);
    g_string_append_printf(to, "\nseed %" G_GUINT64_FORMAT ", %s simulated", first->first_seed,
                           format_time(first->ended_ns, text));
    if (report->slice > 1)
        g_string_append_printf(
            to, ", slice 1/%u: %s of client operations simulated, the rest estimated",
            report->slice, format_share(first->kept_share, text));
    g_string_append_c(to, '\n');
}

static void append_variant_head(const ReportVariant *variant, GString *to, bool colour)
{
    g_string_append_printf(to, "\n%s%s%s", ink_begin(INK_STRONG, colour),
                           variant->variant[0] ? variant->variant : "base",
                           ink_end(INK_STRONG, colour));
    if (variant->run_count > 1)
        g_string_append_printf(to, " (%u runs pooled)", variant->run_count);
    if (variant->stopped_count > 0)
        g_string_append_printf(to, " (%u stopped early by an abort condition)",
                               variant->stopped_count);
    g_string_append_c(to, '\n');
}

/* One cell: the figure, or the mark when the slice does not give it; says whether it was marked. */
static bool add_estimate(TextTable *table, const Estimate *estimate, const char *text)
{
    text_table_cell(table, estimate->not_from_slice ? NOT_FROM_SLICE : text);
    return estimate->not_from_slice;
}

/* Half of the 95 % interval, in per cent of the figure: what the estimate leaves open. */
static void add_margin(TextTable *table, const Estimate *estimate)
{
    double half = (estimate->high - estimate->low) / 2.0;
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "";

    if (!estimate->not_from_slice && estimate->value > 0.0)
        g_strlcat(g_ascii_formatd(text, sizeof(text), "%.1f", 100.0 * half / estimate->value), " %",
                  sizeof(text));
    text_table_ink(table, text, INK_QUIET);
}

static bool add_site(TextTable *table, const ReportVariant *variant, const ReportSite *row)
{
    Estimate p50 = report_quantile(variant, row, 0.5);
    Estimate p99 = report_quantile(variant, row, 0.99);
    Estimate availability = report_availability(variant, row);
    Estimate rate = report_rate(variant, row);
    char text[UNIT_TEXT_MAX];
    bool marked = false;

    marked |= add_estimate(table, &p50, format_duration(p50.value, text));
    marked |= add_estimate(table, &p99, format_duration(p99.value, text));
    marked |= add_estimate(table, &availability, availability_text(row, text));
    marked |= add_estimate(table, &rate, isnan(rate.value) ? "-" : format_count(rate.value, text));
    if (variant->kept_share < 1.0)
        add_margin(table, &rate);
    return marked;
}

/* What the rows are that one would not expect. */
static void append_site_notes(const ReportVariant *variant, bool marked, bool of_base, GString *to)
{
    char text[UNIT_TEXT_MAX];

    if (report_variant_lacks_keys(variant))
        g_string_append_printf(to,
                               "  " NOT_FROM_SLICE " not from this slice: its keys stand for %s of "
                               "the clients' operations; take a larger one\n",
                               format_share(report_variant_coverage(variant), text));
    else if (marked)
        g_string_append(to, "  " NOT_FROM_SLICE " not from this slice: the 95 % interval is wider "
                            "than 25 % to either side; take a larger one\n");
    if (of_base)
        g_string_append(to, "  rows base/...: the base's phase of that name, for comparison\n");
}

/* Much less than this of the base's load, and latency and memory are not to be compared. */
#define LOAD_THIN 0.5

static void append_load_note(const ReportVariant *variant, const ReportVariant *base, GString *to)
{
    char text[UNIT_TEXT_MAX];
    double share;

    if (variant->simulated_s <= 0.0 || base->simulated_s <= 0.0 || base->sent_ops <= 0.0)
        return;
    share = variant->sent_ops / variant->simulated_s / (base->sent_ops / base->simulated_s);
    if (share < LOAD_THIN)
        g_string_append_printf(to, "  note: clients send %s of the base's operations\n",
                               format_share(share, text));
}

static void append_sites(const ReportVariant *variant, GString *to, bool colour)
{
    static const char *const titles[] = {"site",         "phase", "p50", "p99",
                                         "availability", "ops/s", "+-"};
    bool estimated = variant->kept_share < 1.0;
    g_autoptr(TextTable) table = text_table_new(estimated ? "llrrrrr" : "llrrrr");
    const char *before = "";
    bool marked = false;
    bool of_base = false;

    for (size_t i = 0; i < G_N_ELEMENTS(titles) - (estimated ? 0 : 1); i++)
        text_table_ink(table, titles[i], INK_QUIET);
    for (guint i = 0; i < variant->sites->len; i++) {
        const ReportSite *row = g_ptr_array_index(variant->sites, i);

        text_table_cell(table, strcmp(before, row->site) == 0 ? "" : row->site);
        text_table_cell(table, row->phase);
        marked |= add_site(table, variant, row);
        of_base |= g_str_has_prefix(row->phase, PHASE_OF_BASE);
        before = row->site;
    }
    text_table_append(table, to, "  ", colour);
    append_site_notes(variant, marked, of_base, to);
}

/* What stands for keys, values and headers of the member. */
static void add_model(TextTable *table, const ReportPeak *peak)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *text = NULL;

    g_ascii_formatd(number, sizeof number, "%.6g", peak->overhead);
    text = peak->overhead > 0 ? g_strdup_printf("%s x %s", peak->model, number)
                              : g_strdup(peak->model);
    text_table_ink(table, text, INK_QUIET);
}

static void append_peaks(const ReportVariant *variant, GString *to, bool colour)
{
    g_autoptr(TextTable) table = text_table_new("llrrll");
    bool lacks_keys = report_variant_lacks_keys(variant);

    for (guint i = 0; i < variant->peaks->len; i++) {
        const ReportPeak *peak = g_ptr_array_index(variant->peaks, i);
        g_autofree char *when = NULL;
        char text[UNIT_TEXT_MAX];

        text_table_ink(table, i == 0 ? "memory peak" : "", INK_QUIET);
        text_table_cell(table, peak->member);
        text_table_cell(table, lacks_keys ? NOT_FROM_SLICE : format_bytes(peak->bytes, text));
        text_table_cell(table, isnan(peak->share) ? ""
                               : lacks_keys       ? NOT_FROM_SLICE
                                                  : format_share(peak->share, text));
        when = g_strdup_printf("at %s", format_time(peak->at_s * SIM_S, text));
        text_table_cell(table, lacks_keys ? "" : when);
        add_model(table, peak);
    }
    if (variant->peaks->len > 0)
        text_table_append(table, to, "  ", colour);
}

/* How much passing on adds, beside what is documented. */
static char *relay_note(const ReportTraffic *traffic)
{
    double factor = report_relay_factor(traffic);
    double documented = report_relay_factor_documented(traffic);

    if (isnan(documented))
        return g_strdup("two members have no third to pass anything on to");
    if (isnan(factor))
        return g_strdup("");
    return g_strdup_printf("%.2f of direct, documented factor N-2 = %.0f", factor, documented);
}

static void append_traffic(const ReportVariant *variant, GString *to, bool colour)
{
    const ReportTraffic *traffic = &variant->traffic;
    g_autofree char *note = relay_note(traffic);
    const struct {
        const char *what;
        double bytes;
        const char *note;
    } rows[] = {{"all", traffic->bytes, ""},
                {"direct", traffic->direct_bytes, ""},
                {"relayed", traffic->relayed_bytes, note}};
    g_autoptr(TextTable) table = text_table_new("llrl");
    bool lacks_keys = report_variant_lacks_keys(variant);
    char text[UNIT_TEXT_MAX];

    if (traffic->member_count == 0)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        text_table_ink(table, i == 0 ? "causal traffic" : "", INK_QUIET);
        text_table_cell(table, rows[i].what);
        text_table_cell(table, lacks_keys ? NOT_FROM_SLICE : format_bytes(rows[i].bytes, text));
        text_table_cell(table, lacks_keys ? "" : rows[i].note);
    }
    text_table_append(table, to, "  ", colour);
    if (!lacks_keys && !isnan(report_relay_factor(traffic)))
        g_string_append_printf(
            to,
            "  a write is %.2f messages between regions, documented bound (N-1)(1+(N-2)) = %.0f\n",
            report_messages_per_write(traffic), report_messages_per_write_bound(traffic));
}

static Ink verdict_ink(const ReportVerdict *verdict)
{
    if (strcmp(verdict->verdict, "PASS") == 0)
        return INK_GOOD;
    if (strcmp(verdict->verdict, "NOT EVALUATED") == 0)
        return INK_QUIET;
    return strcmp(verdict->severity, "must") == 0 ? INK_BAD : INK_WARN;
}

/* Why the program ends with 1, when it does; and what would make it, so that nobody takes the 0 for
 * success. */
static void append_exit(const Report *report, GString *to)
{
    static const struct {
        const char *verdict;
        const char *words;
    } reasons[] = {
        {"FAIL", "failed"},
        {"NO DATA", "without data"},
        {VERDICT_NOT_FROM_SLICE, "not from this slice"},
        {"NOT EVALUATED", "not evaluated"},
    };
    const uint32_t open = G_N_ELEMENTS(reasons) - 1;
    uint32_t open_count = report_count_musts(report, reasons[open].verdict);
    const char *gap = "; ";
    bool fails = false;

    if (report_count(report, "NOT EVALUATED") == report->verdicts->len) {
        g_string_append_printf(to, "%snothing was judged", gap);
        gap = ", ";
    }
    for (uint32_t i = 0; i < open + report->strict; i++) {
        uint32_t count = report_count_musts(report, reasons[i].verdict);

        if (count == 0)
            continue;
        g_string_append_printf(to, "%s%u must %s", gap, count, reasons[i].words);
        gap = ", ";
        fails = true;
    }
    if (!fails && open_count > 0)
        g_string_append_printf(to, "%s%u must not evaluated: exit 1 only with --strict", gap,
                               open_count);
    g_string_append(to, fails ? ": exit 1\n" : "\n");
}

static void append_counts(const Report *report, GString *to, bool colour)
{
    uint32_t open = report_count(report, VERDICT_NOT_FROM_SLICE);

    g_string_append_printf(
        to, "\n%sexpectations%s: %u passed, %u failed, %u without data, %u not evaluated",
        ink_begin(INK_STRONG, colour), ink_end(INK_STRONG, colour), report_count(report, "PASS"),
        report_count(report, "FAIL"), report_count(report, "NO DATA"),
        report_count(report, "NOT EVALUATED"));
    if (open > 0)
        g_string_append_printf(to, ", %u not from this slice", open);
    append_exit(report, to);
}

static void append_verdicts(const Report *report, GString *to, bool colour)
{
    g_autoptr(TextTable) table = text_table_new("lllllll");

    if (report->verdicts->len == 0)
        return;
    append_counts(report, to, colour);
    for (guint i = 0; i < report->verdicts->len; i++) {
        const ReportVerdict *verdict = g_ptr_array_index(report->verdicts, i);
        g_autofree char *where = g_strdup_printf(
            "%s, %s", verdict->variant[0] ? verdict->variant : "base", verdict->phase);

        text_table_ink(table, verdict->verdict, verdict_ink(verdict));
        text_table_cell(table, verdict->severity);
        text_table_cell(table, verdict->id);
        text_table_cell(table, verdict->measured[0] ? verdict->measured : "-");
        text_table_cell(table, verdict->allowed);
        text_table_cell(table, where);
        text_table_ink(table, verdict->why, INK_QUIET);
    }
    text_table_append(table, to, "  ", colour);
    for (guint i = 0; i < report->verdicts->len; i++) {
        const ReportVerdict *verdict = g_ptr_array_index(report->verdicts, i);

        if (verdict->note[0])
            g_string_append_printf(to, "  note: %s: %s\n", verdict->id, verdict->note);
    }
}

void report_append_text(const Report *report, GString *to, bool colour)
{
    const ReportVariant *first = g_ptr_array_index(report->variants, 0);

    append_head(report, to, colour);
    for (guint i = 0; i < report->variants->len; i++) {
        const ReportVariant *variant = g_ptr_array_index(report->variants, i);

        append_variant_head(variant, to, colour);
        append_sites(variant, to, colour);
        append_peaks(variant, to, colour);
        append_traffic(variant, to, colour);
        if (!first->variant[0])
            append_load_note(variant, first, to);
    }
    append_verdicts(report, to, colour);
}
