/* Expressions: what parses, what is refused and in which words. */
#include "tests/models/expression_fixture.h"

static void expect_refused(const char *text, const char *message)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(GError) error = NULL;
    JsonNode node = node_of(text);

    EXPECT(expression_parse(&node, &scope, arena, &error) == NULL);
    EXPECT_FATAL(error != NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_INPUT));
    EXPECT_TEXT(error->message, message);
}

/* Every condition of the three worked scenarios, with their parameters put in. */
static const char *const worked[] = {
    "p50(latency.op{site=asia-viewers}) within 5% of 180ms",
    "p50(runbook.duration{ends=drill}) <= 12m",
    "max(failover.time{site=asia-viewers}) <= 85s",
    "sum(data.lost_writes{family=official}) == 0",
    "max(memory.used_pct) <= 75%",
    "count(unlink) == 0",
    "rate(anomaly.A12{family=reaction}) == 0/s",
    "max(failover.time{site=asia-viewers,variant=slow-dns}) > 3 * "
    "max(failover.time{site=asia-viewers})",
    "alert.lead{alert=peer-silent} < 0s",
    "max(replication.lag{member=us}) > 45s",
    "last(availability{member=asia}) < 50%",
    "last(availability{site=asia-viewers}) >= 99.9%",
    "max(replication.lag{member=asia}) < 2s",
    "sum(oom.rejections) > 100k",
    "p99(latency.op{site=west-field,family=hint,outcome=ok}) < 80ms",
    "max(rebuild.time) within 5% of 45m",
    "alert.lead{alert=mem-warn} >= 60m",
    "sum(data.discarded_keys{member=west}) <= 5k",
    "max(step.at{step=verify}) <= 7h",
    "rate(anomaly.A4{family=hint}) <= 0.1/s",
    "max(replication.lag{member=east}) > 60s",
    "max(memory.used_pct{member=east}) >= 70%",
    "last(errors{site=west-field,outcome=refused}) == 0",
    "sum(data.lost_writes{member=west}) >= 0",
    "count(unlink) > 0",
    "max(replication.lag{member=west}) < 100ms",
    "last(replication.backlog) < 1MB",
    "1 - p50(latency.request{site=eu-app}) / "
    "p50(latency.request{site=eu-app,variant=single-region}) "
    "within 5% of 48%",
    "p50(latency.request{site=us-app}) <= 1.02 * "
    "p50(latency.request{site=us-app,variant=single-region})",
    "mean(availability{site=eu-app}) >= 99.95%",
    "rate(anomaly.A15{family=prefs}) <= 1/s",
    "rate(bytes.cross_region) * 30d <= 4.5TB",
    "rate(bytes.cross_region{variant=sliding-ttl}) >= 1.6 * rate(bytes.cross_region)",
    "p99(load.utilisation{member=backup}) <= 80%",
    "p99(latency.op{site=eu-app}) > 250ms",
    "p95(load.utilisation{member=backup}) >= 85%",
};

static void test_expression_reads_every_worked_scenario(void)
{
    g_autoptr(Arena) arena = arena_new();

    for (size_t i = 0; i < G_N_ELEMENTS(worked); i++) {
        JsonNode node = node_of(worked[i]);
        g_autoptr(GError) error = NULL;

        if (!expression_parse(&node, NULL, arena, &error))
            g_printerr("%s\n", error->message);
        EXPECT(error == NULL);
    }
}

static void test_expression_reads_values_of_notes_and_reports(void)
{
    static const char *const values[] = {"memory.headroom{member=east}", "cost.total",
                                         "p99(latency.op{site=eu-app})", "count(unlink)",
                                         "7h + 2m"};
    g_autoptr(Arena) arena = arena_new();

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        JsonNode node = node_of(values[i]);

        EXPECT(expression_parse_value(&node, NULL, arena, NULL) != NULL);
    }
}

static void test_expression_names_its_metrics_and_variants(void)
{
    g_autoptr(Arena) arena = arena_new();
    const Expression *expression = parse(
        "max(failover.time{variant=slow-dns}) > 3 * max(failover.time) + p50(latency.op)", arena);
    const Metric *metrics[4];
    const char *named[4];

    EXPECT_INT(expression_metrics(expression, metrics, 4), 2);
    EXPECT_TEXT(metrics[0]->head.name, "failover.time");
    EXPECT_TEXT(metrics[1]->head.name, "latency.op");
    EXPECT_INT(expression_variants(expression, named, 4), 1);
    EXPECT_TEXT(named[0], "slow-dns");
    EXPECT(expression_unmeasured(expression) == NULL);
    EXPECT_TEXT(expression_unmeasured(parse("alert.lead < 0s", arena))->head.name, "alert.lead");
}

static void test_expression_refuses_unknown_names(void)
{
    expect_refused("max(memory.usd) > 5GB",
                   "s.json:3:15: expect.e.that: unknown metric \"memory.usd\"; "
                   "did you mean \"memory.used\"?");
    expect_refused("max(weather) > 5", "s.json:3:15: expect.e.that: unknown metric \"weather\"; "
                                       "\"quintet list metrics\" names them");
    expect_refused("p98(latency.op) > 5ms",
                   "s.json:3:11: expect.e.that: unknown statistic \"p98\"; did you mean \"p90\"?");
    expect_refused("p50(latency.op{site=asia-viewer}) > 5ms",
                   "s.json:3:31: expect.e.that: unknown site \"asia-viewer\"; did you mean "
                   "\"asia-viewers\"?");
    expect_refused("max(memory.used{member=mars}) > 5GB",
                   "s.json:3:34: expect.e.that: unknown member \"mars\"; known: us, eu, asia");
    expect_refused("max(memory.used{site=us}) > 5GB",
                   "s.json:3:27: expect.e.that: memory.used has no label \"site\"; known: member, "
                   "phase, variant");
    expect_refused("p50(latency.op{famly=overlay}) > 5ms",
                   "s.json:3:26: expect.e.that: latency.op has no label \"famly\"; did you mean "
                   "\"family\"?");
    expect_refused("p50(latency.op{phase=stedy}) > 5ms",
                   "s.json:3:32: expect.e.that: unknown phase \"stedy\"; did you mean \"steady\"?");
    expect_refused("p50(latency.op{variant=fast}) > 5ms",
                   "s.json:3:34: expect.e.that: unknown variant \"fast\"; known: slow-dns, "
                   "single-region");
}

/* Nothing discards in this version: `== 0` would pass without having been measured. */
static void test_expression_refuses_causes_that_nothing_has(void)
{
    expect_refused(
        "sum(data.lost_writes{cause=discarded}) == 0",
        "s.json:3:38: expect.e.that: cause \"discarded\" is not measured: in this version "
        "no member rejoins, so nothing is discarded");
    expect_refused("sum(data.lost_writes{cause=unreplicted}) == 0",
                   "s.json:3:38: expect.e.that: unknown cause \"unreplicted\"; did you mean "
                   "\"unreplicated\"?");
    expect_refused("max(memory.bytes{cause=tombstone}) < 1GB",
                   "s.json:3:34: expect.e.that: unknown cause \"tombstone\"; did you mean "
                   "\"tombstones\"?");
}

/* The message, NULL when it is understood, where nobody counts what of "overlay" is overwritten. */
static char *refusal_of_uncounted(const char *text)
{
    static const char *const uncounted[] = {"overlay", NULL};
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(GError) error = NULL;
    ExpressionScope here = scope;
    JsonNode node = node_of(text);

    here.uncounted = uncounted;
    (void)expression_parse(&node, &here, arena, &error);
    return error ? g_strdup(error->message) : NULL;
}

/* Absent counts as 0, so what was never counted must not be asked for. */
static void test_expression_refuses_losses_that_nobody_counts(void)
{
    static const char *const counted[] = {
        "sum(data.lost_writes{family=official}) == 0",
        "sum(data.lost_writes{family=overlay,cause=unreplicated}) == 0",
        "sum(data.lost_writes{cause=unreplicated}) == 0",
        "rate(anomaly.A12{family=overlay}) == 0/s",
    };
    g_autofree char *own = refusal_of_uncounted("sum(data.lost_writes{family=overlay}) == 0");
    g_autofree char *all = refusal_of_uncounted("sum(data.lost_writes) == 0");
    g_autofree char *anomaly = refusal_of_uncounted("count(anomaly.A1{family=overlay}) == 0");

    EXPECT_TEXT(own,
                "s.json:3:15: expect.e.that: overwritten writes of family overlay are not "
                "counted, so a 0 would mean nothing; ask for cause=unreplicated, or drop this");
    EXPECT_TEXT(all, "s.json:3:15: expect.e.that: overwritten writes of family overlay are not "
                     "counted, so a 0 would mean nothing; name another family, or ask for "
                     "cause=unreplicated");
    EXPECT(anomaly != NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(counted); i++) {
        g_autofree char *message = refusal_of_uncounted(counted[i]);

        EXPECT_TEXT(message, NULL);
    }
}

static void test_expression_refuses_mixed_units(void)
{
    expect_refused("max(memory.used) > 5ms",
                   "s.json:3:28: expect.e.that: compares bytes with time: "
                   "\"max(memory.used)\" and \"5ms\"; both sides need the same unit");
    expect_refused("max(memory.used) > 5",
                   "s.json:3:28: expect.e.that: compares bytes with a plain "
                   "number: \"max(memory.used)\" and \"5\"; both sides need the same unit");
    expect_refused("rate(ops) > 5",
                   "s.json:3:21: expect.e.that: compares per time with a plain number: "
                   "\"rate(ops)\" and \"5\"; both sides need the same unit");
    expect_refused("p50(latency.op) + 1GB > 5ms",
                   "s.json:3:27: expect.e.that: adds time and bytes: "
                   "\"p50(latency.op)\" and \"1GB\"; both need the same unit");
    expect_refused("p50(latency.op) / p50(latency.op) > 5ms",
                   "s.json:3:45: expect.e.that: compares a plain number with time: "
                   "\"p50(latency.op) / p50(latency.op)\" and \"5ms\"; both sides need the "
                   "same unit");
    expect_refused(
        "p50(latency.op) within 5 of 34ms",
        "s.json:3:34: expect.e.that: \"within\" wants a share such as 5%, and \"5\" is 500%; write "
        "\"5%\"");
    expect_refused("p50(latency.op) / 0 < 34ms",
                   "s.json:3:27: expect.e.that: divides \"p50(latency.op)\" by 0; take another "
                   "divisor");
    expect_refused(
        "p50(latency.op) within 5ms of 34ms",
        "s.json:3:34: expect.e.that: \"within\" wants a share such as 5%, found \"5ms\"");
}

static void test_expression_refuses_statistics_that_do_not_fit(void)
{
    expect_refused("p50(ops) > 5",
                   "s.json:3:11: expect.e.that: no \"p50\" of ops: that is an event; it "
                   "has sum, count, rate, last and first");
    expect_refused(
        "sum(memory.used) > 5GB",
        "s.json:3:11: expect.e.that: no \"sum\" of memory.used: that is a gauge; it has p50, "
        "p90, p95, p99, p999, mean, max, min, last and first");
    expect_refused(
        "last(latency.op) > 5ms",
        "s.json:3:11: expect.e.that: no \"last\" of latency.op: that is a sample; it has p50, "
        "p90, p95, p99, p999, mean, max, min, sum and count");
    expect_refused(
        "count(bytes.cross_region) > 5",
        "s.json:3:11: expect.e.that: no \"count\" of bytes.cross_region: that is an amount of "
        "bytes; it has sum, rate, last and first");
}

static void test_expression_refuses_broken_grammar(void)
{
    expect_refused(
        "", "s.json:3:11: expect.e.that: expected a quantity, a statistic or a metric, found "
            "the end");
    expect_refused("max(memory.used)",
                   "s.json:3:27: expect.e.that: expected a comparison (<, <=, >, >=, "
                   "==, != or \"within 5% of\"), found the end");
    expect_refused("max(memory.used > 5GB",
                   "s.json:3:27: expect.e.that: expected \")\" after the metric, found \">\"");
    expect_refused("max(5GB) > 5GB",
                   "s.json:3:15: expect.e.that: expected a metric after \"max(\", found \"5GB\"");
    expect_refused("max(memory.used) > 5GB ?",
                   "s.json:3:34: expect.e.that: unexpected \"?\" after the "
                   "condition");
    expect_refused("max(memory.used) > 5GX", "s.json:3:30: expect.e.that: cannot read the quantity "
                                             "\"5GX\"; quantities look like 85ms, 20GB, 5k/s, 5%");
    expect_refused(
        "max(memory.used) > $limit",
        "s.json:3:30: expect.e.that: \"$\" begins the name of a parameter, and params has no "
        "such entry");
    expect_refused("max(memory.used{member}) > 5GB",
                   "s.json:3:33: expect.e.that: expected label=value, found \"}\"");
    expect_refused("max(memory.used{member=us,member=eu}) > 5GB",
                   "s.json:3:37: expect.e.that: label \"member\" is given twice");
    expect_refused("max(memory.used{member=us) > 5GB",
                   "s.json:3:34: expect.e.that: unknown member \"us) > 5GB\"; known: us, eu, asia");
    expect_refused("p50(latency.op) within 5% 34ms",
                   "s.json:3:37: expect.e.that: expected \"of\", found \"34ms\"");
    expect_refused(
        "p50(latency.op) within x of 34ms",
        "s.json:3:34: expect.e.that: expected a share such as 5% after \"within\", found \"x\"");
    expect_refused("((((((((((((((((((((((((((((((((((1",
                   "s.json:3:44: expect.e.that: nested deeper than 32");
}

static void test_expression_refuses_what_is_not_text(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(GError) error = NULL;
    JsonNode node = {
        .kind = JSON_NUMBER, .line = 1, .column = 2, .file = "s.json", .path = "p", .text = "5"};

    EXPECT(expression_parse(&node, NULL, arena, &error) == NULL);
    EXPECT_TEXT(error->message, "s.json:1:2: p: expected an expression in quotes, such as "
                                "\"max(memory.used_pct) <= 75%\"");
}

static const TestCase cases[] = {
    TEST(test_expression_reads_every_worked_scenario),
    TEST(test_expression_reads_values_of_notes_and_reports),
    TEST(test_expression_names_its_metrics_and_variants),
    TEST(test_expression_refuses_unknown_names),
    TEST(test_expression_refuses_causes_that_nothing_has),
    TEST(test_expression_refuses_losses_that_nobody_counts),
    TEST(test_expression_refuses_mixed_units),
    TEST(test_expression_refuses_statistics_that_do_not_fit),
    TEST(test_expression_refuses_broken_grammar),
    TEST(test_expression_refuses_what_is_not_text),
};
TEST_MAIN("expression", cases)
