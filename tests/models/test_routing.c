/* Policies alone: which endpoint, healthy or not, again or not. */
#include <string.h>

#include "models/routing/routing.h"
#include "sim/dist.h"
#include "tests/test.h"

#define PHASE_COUNT 10000

/* Keeps what it parsed alive. */
typedef struct {
    Arena *arena;
    RoutingConfig config;
    GError *error;
    bool ok;
} Parsed;

static void free_doc(void *doc)
{
    json_doc_free(doc);
}

static Parsed parse(const char *text)
{
    Parsed parsed = {.arena = arena_new()};
    JsonDoc *doc = json_parse("a.json", text, strlen(text), &parsed.error);
    const JsonNode *node;

    EXPECT_FATAL(doc != NULL);
    arena_own(parsed.arena, doc, free_doc);
    node = routing_layer(NULL, json_root(doc), parsed.arena, &parsed.error);
    parsed.ok = node && routing_parse(node, parsed.arena, &parsed.config, &parsed.error);
    return parsed;
}

static void parsed_clear(Parsed *parsed)
{
    g_clear_error(&parsed->error);
    arena_free(parsed->arena);
}

static void expect_error(const char *text, const char *message)
{
    Parsed parsed = parse(text);

    EXPECT(!parsed.ok);
    EXPECT_TEXT(parsed.error ? parsed.error->message : NULL, message);
    parsed_clear(&parsed);
}

static const Detector *detector_of(const Parsed *parsed)
{
    return (const Detector *)(const void *)parsed->config.detect.head;
}

/* One endpoint that answers at once until it goes silent. */
typedef struct {
    const Detector *detector;
    const void *params;
    void *state;
    double phase;
} Watch;

static Watch watch_new(const Parsed *parsed, double phase)
{
    Watch watch = {
        .detector = detector_of(parsed), .params = parsed->config.detect.params, .phase = phase};

    watch.state = g_malloc0(watch.detector->state_size(watch.params, 1));
    watch.detector->init(watch.state, watch.params, 1, 0);
    return watch;
}

/* Lets the detector probe from now on until its belief changes; answers come until silent_ns and
 * again from heal_ns on.  Returns the time of the change. */
static SimTime watch_until_change(Watch *watch, SimTime now_ns, SimTime silent_ns, SimTime heal_ns)
{
    uint32_t before = watch->detector->healthy(watch->state, watch->params, 1, now_ns);

    for (int i = 0; i < 1000000; i++) {
        SimTime sent_ns =
            watch->detector->probe_at(watch->state, watch->params, 0, now_ns, watch->phase);
        bool answers;

        sent_ns = MAX(sent_ns, now_ns);
        answers = sent_ns < silent_ns || sent_ns >= heal_ns;
        now_ns = sent_ns + (answers ? 0 : watch->detector->probe_timeout_ns(watch->params));
        watch->detector->on_probe(watch->state, watch->params, 0,
                                  answers ? OUTCOME_OK : OUTCOME_TIMEOUT, sent_ns, now_ns);
        if (watch->detector->healthy(watch->state, watch->params, 1, now_ns) != before)
            return now_ns;
    }
    return SIM_TIME_NEVER;
}

typedef struct {
    double mean_s, max_s, min_s;
} Detection;

static Detection detect_black_hole(const char *json)
{
    Parsed parsed = parse(json);
    Rng rng = rng_stream(7, "test/phases");
    Detection detection = {.min_s = 1e9};
    SimTime silent_ns = 600 * SIM_S;

    EXPECT_FATAL(parsed.ok);
    for (int i = 0; i < PHASE_COUNT; i++) {
        Watch watch = watch_new(&parsed, rng_unit(&rng));
        SimTime took_ns = watch_until_change(&watch, 0, silent_ns, SIM_TIME_NEVER) - silent_ns;
        double took_s;

        if (watch.detector->ttl_ns) /* the time a client's answer has left */
            took_ns += (SimTime)(rng_unit(&rng) * (double)watch.detector->ttl_ns(watch.params));
        took_s = (double)took_ns / 1e9;
        detection.mean_s += took_s / PHASE_COUNT;
        detection.max_s = MAX(detection.max_s, took_s);
        detection.min_s = MIN(detection.min_s, took_s);
        g_free(watch.state);
    }
    parsed_clear(&parsed);
    return detection;
}

static void expect_detection(const char *json, double mean_s, double worst_s)
{
    Detection detection = detect_black_hole(json);

    EXPECT_NEAR(detection.mean_s, mean_s, mean_s / 100);
    EXPECT(detection.max_s <= worst_s);
    EXPECT(detection.max_s > worst_s * 0.95);
}

/* D = phi + T: mean I/2 + T, worst I + T (routing.md section 3, row 1). */
static void test_ping_all_detects_within_interval_and_timeout(void)
{
    expect_detection("{\"detect\": {\"kind\": \"ping-all\", \"probes\": 1}}", 3.5, 6);
    expect_detection(
        "{\"preset\": \"jedis-docs\", \"detect\": {\"kind\": \"ping-all\", \"probes\": 1}}", 1.5,
        2);
    expect_detection(
        "{\"preset\": \"redis-py\", \"detect\": {\"kind\": \"ping-all\", \"probes\": 1}}", 5.5, 8);
}

/* With more probes a check, phi runs to the next probe of a running check too: gaps 0.5, 0.5 and 4
 * s of 5 s give a mean phi of (0.5^2 + 0.5^2 + 4^2) / (2 x 5) = 1.65 s. */
static void test_ping_all_meets_an_outage_inside_a_check_sooner(void)
{
    Detection detection = detect_black_hole("{\"preset\": \"jedis\"}");

    EXPECT_NEAR(detection.mean_s, 2.65, 0.0265);
    EXPECT(detection.max_s <= 5 && detection.max_s > 4.9);
    EXPECT(detection.min_s >= 1);
}

/* D = phi + k I + T + R (row 6): mean 130 s and 59 s, worst I (k + 1) + T + TTL. */
static void test_dns_tm_detects_by_its_closed_form(void)
{
    expect_detection("{\"preset\": \"traffic-manager-30s\", \"detect\": {\"ttl\": \"30s\", "
                     "\"kind\": \"dns-tm\"}}",
                     130, 160);
    expect_detection("{\"preset\": \"traffic-manager-10s\", \"detect\": {\"ttl\": \"30s\", "
                     "\"kind\": \"dns-tm\"}}",
                     59, 79);
}

/* An endpoint that failed stays out for the grace period and comes back with the first check that
 * passes after. */
static void test_ping_all_comes_back_after_the_grace(void)
{
    Parsed parsed = parse("{\"detect\": {\"kind\": \"ping-all\", \"probes\": 1, \"interval\": "
                          "\"5s\", \"grace\": \"60s\"}}");
    Watch watch = watch_new(&parsed, 0.5);
    SimTime down_ns = watch_until_change(&watch, 0, 100 * SIM_S, 110 * SIM_S);

    EXPECT_INT(down_ns, 103500 * SIM_MS); /* probe at 102.5 s, a second of silence */
    EXPECT_INT(watch_until_change(&watch, down_ns, 100 * SIM_S, 110 * SIM_S), 167500 * SIM_MS);
    g_free(watch.state);
    parsed_clear(&parsed);
}

static void test_dns_tm_is_healthy_again_after_one_good_probe(void)
{
    Parsed parsed = parse("{\"preset\": \"traffic-manager-10s\", \"detect\": {\"kind\": "
                          "\"dns-tm\", \"ttl\": \"30s\"}}");
    Watch watch = watch_new(&parsed, 0.5);
    SimTime down_ns = watch_until_change(&watch, 0, 100 * SIM_S, 200 * SIM_S);

    EXPECT_INT(down_ns, 144 * SIM_S); /* probes at 105, 115, 125, 135 s; the fourth ends at 144 s */
    EXPECT_INT(watch_until_change(&watch, down_ns, 100 * SIM_S, 200 * SIM_S), 205 * SIM_S);
    g_free(watch.state);
    parsed_clear(&parsed);
}

/* Three failures are tolerated and one good probe forgets them. */
static void test_dns_tm_tolerates_what_it_says(void)
{
    Parsed parsed = parse("{\"preset\": \"traffic-manager-10s\", \"detect\": {\"kind\": "
                          "\"dns-tm\", \"ttl\": \"30s\"}}");
    const Detector *detector = detector_of(&parsed);
    Watch watch = watch_new(&parsed, 0);

    for (int i = 0; i < 3; i++)
        detector->on_probe(watch.state, watch.params, 0, OUTCOME_TIMEOUT, 0, 0);
    detector->on_probe(watch.state, watch.params, 0, OUTCOME_OK, 0, 0);
    for (int i = 0; i < 3; i++)
        detector->on_probe(watch.state, watch.params, 0, OUTCOME_TIMEOUT, 0, 0);
    EXPECT_INT(detector->healthy(watch.state, watch.params, 1, 0), 1);
    detector->on_probe(watch.state, watch.params, 0, OUTCOME_REFUSED, 0, 0);
    EXPECT_INT(detector->healthy(watch.state, watch.params, 1, 0), 0);
    g_free(watch.state);
    parsed_clear(&parsed);
}

static int32_t choose(const char *json, EndpointView endpoints[3], uint32_t home, int32_t active)
{
    Parsed parsed = parse(json);
    const Selector *selector = (const Selector *)(const void *)parsed.config.select.head;
    ClientView view = {.endpoints = endpoints, .endpoint_count = 3, .home = home, .active = active};
    OpView op = {0};
    int32_t choice;

    EXPECT_FATAL(parsed.ok);
    choice = selector->choose(NULL, parsed.config.select.params, &view, &op, 0);
    parsed_clear(&parsed);
    return choice;
}

#define THREE_ENDPOINTS                                                                            \
    {                                                                                              \
        {.base_rtt_ns = 30 * SIM_MS, .priority = 2, .healthy = true, .usable = true},              \
            {.base_rtt_ns = 90 * SIM_MS, .priority = 0, .healthy = true, .usable = true},          \
            {.base_rtt_ns = 95 * SIM_MS, .priority = 1, .healthy = true, .usable = true},          \
    }

static void test_pin_stays_home_though_unhealthy(void)
{
    EndpointView endpoints[3] = THREE_ENDPOINTS;

    endpoints[2].healthy = false;
    EXPECT_INT(choose("{\"select\": \"pin\"}", endpoints, 2, -1), 2);
    endpoints[2].barred = true;
    EXPECT_INT(choose("{\"select\": \"pin\"}", endpoints, 2, -1), -1);
}

static void test_priority_takes_the_first_healthy(void)
{
    EndpointView endpoints[3] = THREE_ENDPOINTS;

    EXPECT_INT(choose("{\"select\": \"priority\"}", endpoints, 1, -1), 1);
    endpoints[1].healthy = false;
    EXPECT_INT(choose("{\"select\": \"priority\"}", endpoints, 1, -1), 2);
    endpoints[2].barred = true;
    EXPECT_INT(choose("{\"select\": \"priority\"}", endpoints, 1, -1), 0);
    endpoints[0].usable = false;
    EXPECT_INT(choose("{\"select\": \"priority\"}", endpoints, 1, -1), -1);
}

static void test_geo_nearest_leaves_only_for_clearly_nearer(void)
{
    EndpointView endpoints[3] = THREE_ENDPOINTS;

    EXPECT_INT(choose("{\"select\": \"geo-nearest\"}", endpoints, 1, 1), 0);
    endpoints[0].healthy = false;
    EXPECT_INT(choose("{\"select\": \"geo-nearest\"}", endpoints, 1, -1), 1);
    EXPECT_INT(choose("{\"select\": \"geo-nearest\"}", endpoints, 1, 2),
               2); /* 90 ms is within 10 % of 95 ms */
    EXPECT_INT(choose("{\"select\": {\"kind\": \"geo-nearest\", \"hysteresis\": \"1%\"}}",
                      endpoints, 1, 2),
               1);
}

static void test_retry_waits_grow_up_to_the_cap(void)
{
    Parsed parsed = parse("{\"retry\": {\"attempts\": 5, \"backoff\": \"100ms\", \"x\": 2, "
                          "\"cap\": \"300ms\", \"jitter\": \"7ms\","
                          " \"max_class\": \"lww\"}}");
    const RetryConfig *retry = &parsed.config.retry;

    EXPECT_FATAL(parsed.ok);
    EXPECT_INT(retry_wait_ns(retry, 1, 0, 0), 107 * SIM_MS);
    EXPECT_INT(retry_wait_ns(retry, 2, 0, 0), 207 * SIM_MS);
    EXPECT_INT(retry_wait_ns(retry, 3, 0, 0), 307 * SIM_MS);
    EXPECT(retry_allows(retry, 4, OP_LWW));
    EXPECT(!retry_allows(retry, 5, OP_LWW));
    EXPECT(!retry_allows(retry, 1, OP_ACCUM));
    parsed_clear(&parsed);
}

static void test_every_preset_parses(void)
{
    for (size_t i = 0; i < routing_preset_count(); i++) {
        const char *name = routing_preset_at(i)->name;
        bool needs_ttl = g_str_has_prefix(name, "traffic-manager");
        g_autofree char *text = g_strdup_printf(
            "{\"preset\": \"%s\"%s}", name,
            needs_ttl ? ", \"detect\": {\"kind\": \"dns-tm\", \"ttl\": \"1m\"}" : "");
        Parsed parsed = parse(text);

        EXPECT(parsed.ok);
        parsed_clear(&parsed);
    }
}

static void test_explicit_keys_override_the_preset(void)
{
    Parsed parsed =
        parse("{\"preset\": \"jedis\", \"retry\": {\"timeout\": \"1s\", \"backoff\": null}}");

    EXPECT_FATAL(parsed.ok);
    EXPECT_TEXT(parsed.config.select.head->name, "priority");
    EXPECT_INT(parsed.config.retry.timeout_ns, SIM_S);
    EXPECT_INT(parsed.config.retry.attempts, 3);
    EXPECT(parsed.config.retry.backoff == NULL);
    parsed_clear(&parsed);

    parsed = parse("{\"preset\": \"jedis\", \"detect\": null}");
    EXPECT_FATAL(parsed.ok);
    EXPECT_TEXT(parsed.config.detect.head->name, "none");
    parsed_clear(&parsed);
}

/* The probes of jedis's ping-all mean nothing to dns-tm. */
static void test_exchanged_detector_takes_no_parameters_along(void)
{
    Parsed parsed =
        parse("{\"preset\": \"jedis\", \"detect\": {\"kind\": \"dns-tm\", \"ttl\": \"5s\"}}");

    EXPECT(parsed.ok);
    EXPECT_INT(detector_of(&parsed)->ttl_ns(parsed.config.detect.params), 5 * SIM_S);
    parsed_clear(&parsed);
}

/* A site's own keys over those of all sites: its preset comes between. */
static void test_layers_lie_over_each_other(void)
{
    static const char base_text[] = "{\"select\": \"pin\", \"detect\": {\"kind\": \"dns-tm\", "
                                    "\"ttl\": \"5s\"}, \"retry\": {\"attempts\": 7}}";
    static const char layer_text[] =
        "{\"preset\": \"jedis\", \"detect\": {\"kind\": \"ping-all\", \"probes\": 1}}";
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(JsonDoc) base = json_parse("base.json", base_text, strlen(base_text), NULL);
    g_autoptr(JsonDoc) layer = json_parse("layer.json", layer_text, strlen(layer_text), NULL);
    const JsonNode *merged = routing_layer(json_root(base), json_root(layer), arena, NULL);
    g_autofree char *text = merged ? json_to_text(merged) : NULL;

    EXPECT_TEXT(text, "{\"retry\":{\"attempts\":3,\"timeout\":\"2s\",\"backoff\":\"500ms\",\"x\":2,"
                      "\"max_class\":\"accum\"},\"select\":\"priority\","
                      "\"detect\":{\"kind\":\"ping-all\",\"interval\":\"5s\",\"timeout\":\"1s\","
                      "\"probes\":1,\"delay\":\"500ms\",\"grace\":\"60s\"}}");
}

static void test_unknown_names_get_the_nearest(void)
{
    expect_error("{\"preset\": \"jedi\"}",
                 "a.json:1:12: preset: no preset is called \"jedi\"; did you mean \"jedis\"?");
    expect_error("{\"select\": \"geo-nearst\"}",
                 "a.json:1:12: select: \"geo-nearst\" is not a selector; did you mean "
                 "\"geo-nearest\"? Known: pin, geo-nearest, priority");
    expect_error("{\"detect\": {\"kind\": \"dns-tm\", \"interval\": \"10s\", \"timeout\": \"11s\", "
                 "\"ttl\": \"1s\"}}",
                 "a.json:1:12: detect: the timeout of a probe is longer than the interval between "
                 "probes; make it at "
                 "most as long");
}

static void test_traffic_manager_needs_its_ttl(void)
{
    Parsed parsed = parse("{\"preset\": \"traffic-manager-10s\"}");

    EXPECT(!parsed.ok);
    EXPECT(parsed.error && strstr(parsed.error->message, "ttl"));
    parsed_clear(&parsed);
}

static const TestCase cases[] = {
    TEST(test_ping_all_detects_within_interval_and_timeout),
    TEST(test_ping_all_meets_an_outage_inside_a_check_sooner),
    TEST(test_dns_tm_detects_by_its_closed_form),
    TEST(test_ping_all_comes_back_after_the_grace),
    TEST(test_dns_tm_is_healthy_again_after_one_good_probe),
    TEST(test_dns_tm_tolerates_what_it_says),
    TEST(test_pin_stays_home_though_unhealthy),
    TEST(test_priority_takes_the_first_healthy),
    TEST(test_geo_nearest_leaves_only_for_clearly_nearer),
    TEST(test_retry_waits_grow_up_to_the_cap),
    TEST(test_every_preset_parses),
    TEST(test_explicit_keys_override_the_preset),
    TEST(test_exchanged_detector_takes_no_parameters_along),
    TEST(test_layers_lie_over_each_other),
    TEST(test_unknown_names_get_the_nearest),
    TEST(test_traffic_manager_needs_its_ttl),
};
TEST_MAIN("routing", cases)
