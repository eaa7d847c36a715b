/* Parameter tables: what they fill, and the words in which they refuse. */
#include "sim/param.h"

#include <string.h>

#include "tests/sim/param_cases.h"
#include "tests/test.h"

typedef struct {
    JsonDoc *doc;
    Arena *arena;
    Everything all;
} Parsed;

static Parsed parsed(const char *text)
{
    Parsed result = {.arena = arena_new()};
    GError *error = NULL;

    result.doc = json_parse("a.json", text, strlen(text), &error);
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(result.doc != NULL);
    EXPECT(
        param_parse(&everything_table, json_root(result.doc), result.arena, &result.all, &error));
    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(error == NULL);
    return result;
}

static void parsed_clear(Parsed *result)
{
    arena_free(result->arena);
    json_doc_free(result->doc);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parsed, parsed_clear)

static void expect_refused(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(JsonDoc) doc = json_parse("a.json", text, strlen(text), NULL);
    Everything all;

    EXPECT_FATAL(doc != NULL);
    EXPECT(!param_parse(&everything_table, json_root(doc), arena, &all, &error));
    EXPECT_TEXT(error ? error->message : NULL, message);
}

static void test_every_kind_reaches_its_field(void)
{
    g_auto(Parsed) p = parsed(
        "{\"duration\": \"1h\", \"size\": \"24GB\", \"rate\": \"300/min\", \"bandwidth\": "
        "\"1Gbps\","
        " \"share\": \"5%\", \"count\": \"6.43M\", \"number\": -2.5, \"integer\": -3, \"flag\": "
        "false,"
        " \"text\": \"x\", \"id\": \"us-1\", \"evict\": \"volatile-ttl\", \"when\": \"a > 1\","
        " \"delay\": \"85ms\", \"value\": {\"exp\": {\"mean\": \"2KB\"}}, \"about\": \"prose\","
        " \"memory\": {\"max\": \"24GB\"}, \"variants\": {\"x\": null}}");

    EXPECT_INT(p.all.duration, SIM_HOUR);
    EXPECT_INT(p.all.size, 24000000000);
    EXPECT(p.all.rate == 5);
    EXPECT_INT(p.all.bandwidth, 125000000);
    EXPECT(p.all.share == 0.05);
    EXPECT_INT(p.all.count, 6430000);
    EXPECT(p.all.number == -2.5);
    EXPECT_INT(p.all.integer, -3);
    EXPECT(!p.all.flag);
    EXPECT_TEXT(p.all.text, "x");
    EXPECT_TEXT(p.all.id, "us-1");
    EXPECT_INT(p.all.evict, 2);
    EXPECT_TEXT(p.all.when, "a > 1");
    EXPECT_INT(dist_min(p.all.delay), 85 * SIM_MS);
    EXPECT_INT(dist_max(p.all.delay), 85 * SIM_MS);
    EXPECT_NEAR(dist_mean(p.all.value), 2000, 20);
    EXPECT_INT(p.all.memory.max, 24000000000);
    EXPECT(p.all.memory.reserve == 0.05);
    EXPECT_TEXT(p.all.variants->path, "variants");
}

static void test_what_is_absent_takes_its_default_or_stays_zero(void)
{
    g_auto(Parsed) p = parsed("{\"share\": null, \"detect\": null}");

    EXPECT(p.all.rate == 5000);
    EXPECT_INT(p.all.count, 27000000);
    EXPECT(p.all.number == 1.5);
    EXPECT(p.all.flag);
    EXPECT_TEXT(p.all.text, "true");
    EXPECT_INT(p.all.evict, 1);
    EXPECT_NEAR(dist_mean(p.all.delay), 1e6, 1e4);
    EXPECT_INT(p.all.duration, 0);
    EXPECT(p.all.value == NULL && p.all.id == NULL && p.all.variants == NULL);
    EXPECT(p.all.share == 0);
    EXPECT(p.all.detect.head == NULL && p.all.popularity.head == NULL);
    EXPECT_INT(p.all.faults.count + p.all.memory.max, 0);
}

static void test_maps_and_lists_keep_document_order(void)
{
    g_auto(Parsed) p =
        parsed("{\"mix\": {\"about\": \"x\", \"b\": 0.25, \"a\": \"75%\"},"
               " \"ops\": {\"GET\": 0.7, \"SET\": {\"share\": 0.3, \"bytes\": \"1KB\"}},"
               " \"rtt\": {\"us\": \"28ms\", \"eu\": {\"exp\": {\"mean\": \"9ms\"}}},"
               " \"weights\": [3, 1]}");
    const Op *ops = p.all.ops.items;

    EXPECT_INT(p.all.mix.count, 2);
    EXPECT_TEXT(p.all.mix.ids[0], "b");
    EXPECT(*param_map_at(&p.all.mix, double, 1) == 0.75);
    EXPECT_TEXT(p.all.mix.nodes[1]->path, "mix.a");
    EXPECT(ops[0].share == 0.7 && ops[0].bytes == 16);
    EXPECT(ops[1].share == 0.3 && ops[1].bytes == 1000);
    EXPECT_INT(dist_min(*param_map_at(&p.all.rtt, const Dist *, 0)), 28 * SIM_MS);
    EXPECT_INT(p.all.weights.count, 2);
    EXPECT(p.all.weights.ids[0] == NULL);
    EXPECT(*param_map_at(&p.all.weights, double, 0) == 3);
}

static void test_a_verb_is_a_key_of_the_object_around_it(void)
{
    g_auto(Parsed) p =
        parsed("{\"faults\": {\"a\": {\"at\": \"40m\", \"isolate\": \"asia\"},"
               " \"b\": {\"delay\": {\"link\": \"us~eu\"}, \"at\": \"1s\", \"for\": \"2m\"}}}");
    const Fault *a = param_map_at(&p.all.faults, Fault, 0);
    const Fault *b = param_map_at(&p.all.faults, Fault, 1);

    EXPECT(a->choice.head == &isolate);
    EXPECT_TEXT(((const OnMember *)a->choice.params)->member, "asia");
    EXPECT_TEXT(a->choice.node->path, "faults.a.isolate");
    EXPECT_TEXT(a->node->path, "faults.a");
    EXPECT_INT(a->lasts, 5 * SIM_MIN);
    EXPECT(b->choice.head == &delay);
    EXPECT_TEXT(((const OnLink *)b->choice.params)->link, "us~eu");
    EXPECT(((const OnLink *)b->choice.params)->x == 1);
    EXPECT_INT(b->lasts, 2 * SIM_MIN);
}

static void test_an_inline_choice_shares_the_object(void)
{
    g_auto(Parsed) p =
        parsed("{\"steps\": {\"a\": {\"takes\": \"2m\", \"to\": \"us\", \"do\": \"redirect\"},"
               " \"b\": {\"do\": \"note\"}, \"c\": {\"do\": \"wait\", \"until\": \"x < 1\"}}}");
    const StepOf *steps = p.all.steps.items;

    EXPECT(steps[0].choice.head == &redirect);
    EXPECT_TEXT(((const Redirect *)steps[0].choice.params)->to, "us");
    EXPECT_INT(steps[0].takes, 2 * SIM_MIN);
    EXPECT(steps[1].choice.head == &note && steps[1].choice.params == NULL);
    EXPECT_TEXT(((const Wait *)steps[2].choice.params)->until, "x < 1");
    EXPECT_INT(((const Wait *)steps[2].choice.params)->timeout, 40 * SIM_MIN);
}

static void test_a_whole_choice_is_a_name_or_an_object(void)
{
    g_auto(Parsed) p =
        parsed("{\"popularity\": {\"zipf\": 0.9, \"scrambled\": true, \"about\": \"hot\"},"
               " \"detect\": {\"kind\": \"ping-all\", \"tolerated\": 2},"
               " \"arrivals\": {\"mmpp\": {\"low\": {\"x\": 1, \"mean\": \"1m\"},"
               " \"high\": {\"x\": 3, \"mean\": \"10s\"}}}}");
    g_auto(Parsed) q = parsed("{\"popularity\": {\"hotset\": {\"keys\": 0.1, \"hits\": 0.9}},"
                              " \"detect\": \"ping-all\", \"arrivals\": \"poisson\"}");
    g_auto(Parsed) r = parsed("{\"popularity\": \"uniform\", \"detect\": \"none\"}");
    const Zipf *few = p.all.popularity.params;
    const Probe *probe = p.all.detect.params;
    const Modulated *states = p.all.arrivals.params;

    EXPECT(few->exponent == 0.9 && few->scrambled);
    EXPECT(probe->tolerated == 2 && probe->interval == 10 * SIM_S);
    EXPECT_INT(states->states.count, 2);
    EXPECT_INT(param_map_at(&states->states, State, 1)->mean, 10 * SIM_S);
    EXPECT(((const Hotset *)q.all.popularity.params)->hits == 0.9);
    EXPECT_INT(((const Probe *)q.all.detect.params)->tolerated, 3);
    EXPECT(q.all.arrivals.head == &poisson && q.all.arrivals.params == NULL);
    EXPECT(r.all.popularity.head == &uniform && r.all.detect.head == &none);
}

static void test_an_object_without_a_kind_means_the_familys_own(void)
{
    g_auto(Parsed) p = parsed("{\"retry\": {\"tolerated\": 7}}");
    g_auto(Parsed) q = parsed("{\"retry\": {\"kind\": \"none\"}}");

    EXPECT(p.all.retry.head == &ping);
    EXPECT_INT(((const Probe *)p.all.retry.params)->tolerated, 7);
    EXPECT(q.all.retry.head == &none);
}

static void test_a_missing_unit_is_named_with_the_number(void)
{
    expect_refused("{\"memory\": {\"max\": 24}}",
                   "a.json:1:20: memory.max: 24 has no unit; write a size such as \"24GB\"");
    expect_refused("{\"duration\": 1e3}",
                   "a.json:1:14: duration: 1e3 has no unit; write a duration such as \"85ms\"");
    expect_refused("{\"rate\": 5}",
                   "a.json:1:10: rate: 5 has no unit; write a rate such as \"5/s\"");
    expect_refused("{\"bandwidth\": 40}",
                   "a.json:1:15: bandwidth: 40 has no unit; write a bandwidth such as \"40Mbps\"");
    expect_refused("{\"delay\": 85}",
                   "a.json:1:11: delay: 85 has no unit; write a duration such as \"85s\"");
    expect_refused("{\"value\": 2}",
                   "a.json:1:11: value: 2 has no unit; write a size such as \"2B\"");
}

/* 5000s are more than the hour there is; the default of header, "64B", says what it is counted in.
 */
static void test_a_missing_unit_is_one_that_makes_sense(void)
{
    expect_refused("{\"duration\": 3000}",
                   "a.json:1:14: duration: 3000 has no unit; write a duration such as \"3000s\"");
    expect_refused("{\"duration\": 5000}",
                   "a.json:1:14: duration: 5000 has no unit; write a duration such as \"5000ms\"");
    expect_refused("{\"header\": 160}",
                   "a.json:1:12: header: 160 has no unit; write a size such as \"160B\"");
}

static void test_a_number_too_long_to_be_read_is_too_large(void)
{
    expect_refused("{\"duration\": \"100000000000h\"}",
                   "a.json:1:14: duration: \"100000000000h\" is too large; write a value from 1s "
                   "to 1h");
    expect_refused(
        "{\"size\": \"99999999999999999999GB\"}",
        "a.json:1:10: size: \"99999999999999999999GB\" is too large; write at most 1000000TB");
    expect_refused(
        "{\"size\": \"99999999999999999999x\"}",
        "a.json:1:10: size: \"99999999999999999999x\" is not a size; write one such as \"24GB\"");
    expect_refused(
        "{\"delay\": \"100000000000h\"}",
        "a.json:1:11: delay: \"100000000000h\" is too large; write at most 11574d1h46m40s");
}

/* What people call a name here leads to it. */
static void test_an_alias_is_answered_with_the_name(void)
{
    expect_refused("{\"evict\": \"LRU\"}",
                   "a.json:1:11: evict: \"LRU\" is unknown; write \"allkeys-lru\" for it");
}

static void test_a_wrong_type_is_named_with_what_belongs(void)
{
    expect_refused("[]", "a.json:1:1: a list is not an object; write {...} with all kinds");
    expect_refused("{\"duration\": \"soon\"}",
                   "a.json:1:14: duration: \"soon\" is not a duration; write one such as \"85ms\"");
    expect_refused("{\"size\": null}",
                   "a.json:1:10: size: null is not a size; write one such as \"24GB\"");
    expect_refused("{\"size\": \"-5GB\"}",
                   "a.json:1:10: size: \"-5GB\" is negative; write a size such as \"24GB\"");
    expect_refused("{\"rate\": \"-5/s\"}",
                   "a.json:1:10: rate: \"-5/s\" is negative; write a rate such as \"5k/s\"");
    expect_refused("{\"share\": -0.1}",
                   "a.json:1:11: share: -0.1 is negative; write a share such as \"5%\"");
    expect_refused("{\"count\": 1.5}",
                   "a.json:1:11: count: 1.5 is not a count; write one such as \"27M\"");
    expect_refused("{\"count\": -1}",
                   "a.json:1:11: count: -1 is negative; write a count such as 27 or \"27M\"");
    expect_refused("{\"number\": \"3\"}",
                   "a.json:1:12: number: \"3\" is a text; write a number without quotes");
    expect_refused("{\"integer\": 1.5}",
                   "a.json:1:13: integer: 1.5 is not a whole number; write one such as 3");
    expect_refused("{\"flag\": \"true\"}",
                   "a.json:1:10: flag: \"true\" is a text; write true or false without quotes");
    expect_refused("{\"flag\": 1}", "a.json:1:10: flag: 1 is not true or false");
    expect_refused("{\"text\": {}}",
                   "a.json:1:10: text: an object is not a text; write it in double quotes");
    expect_refused(
        "{\"id\": \"Asia East\"}",
        "a.json:1:8: id: \"Asia East\" is not an id; write a-z, 0-9 and \"-\", beginning with "
        "a letter");
    expect_refused("{\"evict\": \"allkeys-lur\"}",
                   "a.json:1:11: evict: \"allkeys-lur\" is unknown; did you mean \"allkeys-lru\"?");
    expect_refused("{\"evict\": \"never\"}", "a.json:1:11: evict: \"never\" is unknown; write "
                                             "\"noeviction\", \"allkeys-lru\" or \"volatile-ttl\"");
    expect_refused("{\"about\": 1}",
                   "a.json:1:11: about: 1 is not a text; \"about\" is a comment in double quotes");
    expect_refused("{\"weights\": 1}",
                   "a.json:1:13: weights: 1 is not a list; write one such as [...]");
}

static void test_a_value_out_of_range_is_told_the_range(void)
{
    expect_refused("{\"duration\": \"2h\"}",
                   "a.json:1:14: duration: \"2h\" is too large; write a value from 1s to 1h");
    expect_refused("{\"duration\": \"-5s\"}",
                   "a.json:1:14: duration: \"-5s\" is too small; write a value from 1s to 1h");
    expect_refused("{\"bandwidth\": \"1kbps\"}",
                   "a.json:1:15: bandwidth: \"1kbps\" is too small; write at least 1kB/s");
    expect_refused(
        "{\"memory\": {\"max\": \"1GB\", \"reserve\": \"60%\"}}",
        "a.json:1:38: memory.reserve: \"60%\" is too large; write a value from 0% to 50%");
    expect_refused("{\"memory\": {\"max\": \"2TB\"}}",
                   "a.json:1:20: memory.max: \"2TB\" is too large; write a value from 1GB to 1TB");
    expect_refused("{\"integer\": 4}",
                   "a.json:1:13: integer: 4 is too large; write a value from -3 to 3");
    expect_refused("{\"weights\": [1, 11]}",
                   "a.json:1:17: weights.1: 11 is too large; write a value from 0 to 10");
}

static void test_unknown_and_missing_keys_are_told_apart(void)
{
    expect_refused("{\"duratoin\": 1}",
                   "a.json:1:2: \"duratoin\" is unknown; did you mean \"duration\"?");
    expect_refused("{\"memory\": {\"max\": \"1GB\", \"x\": 1}}",
                   "a.json:1:27: memory: \"x\" is unknown; the keys here are max, reserve");
    expect_refused("{\"wholly-other\": 1}",
                   "a.json:1:2: \"wholly-other\" is unknown here; remove it");
    expect_refused(
        "{\"memory\": {}}",
        "a.json:1:12: memory: \"max\" is missing; write, for example, \"max\": \"24GB\"");
    expect_refused(
        "{\"memory\": {\"about\": \"\"}}",
        "a.json:1:12: memory: \"max\" is missing; write, for example, \"max\": \"24GB\"");
}

static void test_only_the_first_error_in_the_document_is_told(void)
{
    expect_refused("{\"text\": 1, \"zzzzzzzz\": 2, \"size\": 3}",
                   "a.json:1:10: text: 1 is not a text; write it in double quotes");
}

static void test_a_map_has_its_keys_and_its_count_checked(void)
{
    expect_refused("{\"mix\": {\"A\": 1}}",
                   "a.json:1:10: mix: \"A\" is not an id; write a-z, 0-9 and "
                   "\"-\", beginning with a letter");
    expect_refused("{\"ops\": {\"get\": 1}}",
                   "a.json:1:10: ops: \"get\" is not a key for ops; it must match ^[A-Z]+$");
    expect_refused("{\"faults\": {\"a\": {}, \"b\": {}, \"c\": {}, \"about\": \"\"}}",
                   "a.json:1:12: faults: 3 entries here; write at most 2");
    expect_refused("{\"weights\": []}", "a.json:1:13: weights: 0 items here; write at least 1");
    expect_refused("{\"weights\": [1, 1, 1, 1]}",
                   "a.json:1:13: weights: 4 items here; write at most 3");
    expect_refused("{\"mix\": {\"a\": \"x\"}}",
                   "a.json:1:15: mix.a: \"x\" is not a share; write one such as \"5%\"");
}

static void test_a_wrong_verb_is_told_the_nearest(void)
{
    expect_refused("{\"faults\": {\"x\": {\"at\": \"1m\", \"partiton\": true}}}",
                   "a.json:1:31: faults.x: \"partiton\" is unknown; did you mean \"partition\"?");
    expect_refused(
        "{\"faults\": {\"x\": {\"at\": \"1m\"}}}",
        "a.json:1:18: faults.x: no fault here; write one of crash, delay, isolate, partition");
    expect_refused(
        "{\"faults\": {\"x\": {\"at\": \"1m\", \"crash\": \"us\", \"isolate\": \"us\"}}}",
        "a.json:1:46: faults.x: \"isolate\" beside \"crash\": one fault at a time; make two "
        "entries");
    expect_refused("{\"faults\": {\"x\": {\"at\": \"1m\", \"crash\": \"U S\"}}}",
                   "a.json:1:40: faults.x.crash: \"U S\" is not an id; write a-z, 0-9 and \"-\", "
                   "beginning with a letter");
    expect_refused(
        "{\"faults\": {\"x\": {\"at\": \"1m\", \"delay\": {\"x\": 2}}}}",
        "a.json:1:40: faults.x.delay: \"link\" is missing; write, for example, \"link\": \"...\"");
    expect_refused("{\"faults\": {\"x\": {\"at\": \"1m\", \"delay\": \"us\"}}}",
                   "a.json:1:40: faults.x.delay: \"us\" is not an object; write {...}");
    expect_refused("{\"faults\": {\"x\": {\"at\": \"1m\", \"partition\": \"us\"}}}",
                   "a.json:1:44: faults.x.partition: \"partition\" takes no parameters; write {}");
}

static void test_a_wrong_choice_is_told_the_list(void)
{
    expect_refused("{\"detect\": \"ping-al\"}",
                   "a.json:1:12: detect: \"ping-al\" is not a detector; did you "
                   "mean \"ping-all\"? Known: none, ping-all");
    expect_refused("{\"detect\": {\"kind\": \"sonar\"}}",
                   "a.json:1:21: detect.kind: \"sonar\" is not a detector; known: none, ping-all");
    expect_refused("{\"detect\": {\"tolerated\": 1}}",
                   "a.json:1:12: detect: \"kind\" is missing; it is one of none, ping-all");
    expect_refused("{\"detect\": {\"kind\": \"none\", \"x\": 1}}",
                   "a.json:1:29: detect: \"x\" is unknown; no key belongs here");
    expect_refused("{\"detect\": 3}",
                   "a.json:1:12: detect: 3 is not a detector; write its name, such as "
                   "\"none\", or an object");
    expect_refused("{\"arrivals\": \"mmpp\"}",
                   "a.json:1:14: arrivals: \"mmpp\" needs parameters; write {\"mmpp\": ...}");
    expect_refused("{\"arrivals\": {\"mmpp\": {}}}",
                   "a.json:1:23: arrivals.mmpp: 0 entries here; write at least 2");
    expect_refused("{\"arrivals\": {\"possion\": {}}}",
                   "a.json:1:15: arrivals: \"possion\" is not an arrival process; did you mean "
                   "\"poisson\"? Known: mmpp, poisson");
    expect_refused(
        "{\"arrivals\": {}}",
        "a.json:1:14: arrivals: this object names no arrival process; write {\"mmpp\": ...}");
    expect_refused(
        "{\"popularity\": {\"zipf\": 0.9, \"hotset\": {}}}",
        "a.json:1:30: popularity: \"hotset\" beside \"zipf\": one popularity at a time; keep one");
    expect_refused("{\"popularity\": {\"zipf\": 9}}",
                   "a.json:1:25: popularity.zipf: 9 is too large; write a value from 0 to 5");
    expect_refused("{\"popularity\": \"zipf\"}",
                   "a.json:1:16: popularity: \"zipf\" needs parameters; write {\"zipf\": ...}");
    expect_refused("{\"steps\": {\"a\": {\"do\": \"redirekt\"}}}",
                   "a.json:1:24: steps.a.do: \"redirekt\" is not an operator verb; did you mean "
                   "\"redirect\"? Known: note, redirect, wait");
    expect_refused("{\"steps\": {\"a\": {\"do\": \"note\", \"to\": \"us\"}}}",
                   "a.json:1:32: steps.a: \"to\" is unknown; did you mean \"do\"?");
    expect_refused("{\"steps\": {\"a\": {\"takes\": \"1m\"}}}",
                   "a.json:1:17: steps.a: \"do\" is missing; it is one of note, redirect, wait");
}

static void test_a_distribution_is_checked_like_a_value(void)
{
    expect_refused("{\"delay\": \"-5ms\"}",
                   "a.json:1:11: delay: \"-5ms\" is negative; write a duration "
                   "or a distribution of durations such as \"85ms\"");
    expect_refused("{\"delay\": {\"expp\": {}}}",
                   "a.json:1:12: delay: \"expp\" is not a distribution; "
                   "did you mean \"exp\"? Known: empirical, exp, lognormal, "
                   "mix, normal, pareto, shift, uniform");
    expect_refused("{\"delay\": {\"exp\": {\"mean\": 3}}}",
                   "a.json:1:28: delay.exp.mean: 3 has no unit; write a duration such as \"3s\"");
    expect_refused(
        "{\"delay\": {\"uniform\": {\"min\": \"-5ms\", \"max\": \"5ms\"}}}",
        "a.json:1:11: delay: this distribution can be as low as -5ms; keep it at 0s or more");
}

/* Five regions with one network have one table of it; the default stands in the same table. */
static void test_the_same_distribution_is_made_once(void)
{
    g_auto(Parsed) p = parsed("{\"rtt\": {\"us\": {\"exp\": {\"mean\": \"1ms\"}},"
                              " \"eu\": {\"exp\": {\"mean\": \"1000us\"}},"
                              " \"asia\": {\"exp\": {\"mean\": \"9ms\"}}}}");
    const Dist *us = *param_map_at(&p.all.rtt, const Dist *, 0);

    EXPECT(us == *param_map_at(&p.all.rtt, const Dist *, 1));
    EXPECT(us == p.all.delay);
    EXPECT(us != *param_map_at(&p.all.rtt, const Dist *, 2));
}

static void test_a_tables_own_check_speaks_last(void)
{
    expect_refused("{\"faults\": {\"x\": {\"at\": \"1m\", \"for\": \"13s\", \"crash\": \"us\"}}}",
                   "a.json:1:38: faults.x.for: 13s brings bad luck");
}

static void test_a_description_has_a_line_per_parameter(void)
{
    g_autofree char *memory = param_describe(&memory_table);
    g_autofree char *none_at_all = param_describe(NULL);

    EXPECT_TEXT(memory, "max      size, 1GB to 1TB, required: the max\n"
                        "reserve  share, 0% to 50%, default 5%: the reserve\n");
    EXPECT_TEXT(none_at_all, "");
}

/* A node by its path of keys and indices. */
static const JsonNode *at(const JsonNode *root, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);

    for (size_t i = 0; root && names[i]; i++) {
        if (root->kind == JSON_ARRAY) {
            size_t index = (size_t)g_ascii_strtoull(names[i], NULL, 10);

            root = index < root->count ? root->items[index] : NULL;
        } else {
            root = json_get(root, names[i]);
        }
    }
    return root;
}

static void expect_at(const JsonNode *root, const char *path, const char *json)
{
    const JsonNode *node = at(root, path);
    g_autofree char *text = node ? json_to_text(node) : NULL;

    if (g_strcmp0(text, json) != 0)
        g_printerr("at %s:\n", path);
    EXPECT_TEXT(text, json);
}

static void expect_refs_resolve(const JsonNode *node, const JsonNode *defs)
{
    const JsonNode *ref = json_get(node, "$ref");

    if (ref && ref->kind == JSON_TEXT) {
        EXPECT_FATAL(g_str_has_prefix(ref->text, "#/$defs/"));
        EXPECT(json_get(defs, ref->text + strlen("#/$defs/")) != NULL);
    }
    for (size_t i = 0; i < node->count; i++)
        expect_refs_resolve(node->items[i], defs);
}

static void test_the_schema_is_json_and_says_what_the_tables_say(void)
{
    g_autofree char *text = param_schema(&everything_table, "urn:test", "a title");
    g_autofree char *again = param_schema(&everything_table, "urn:test", "a title");
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) doc = json_parse("schema", text, strlen(text), &error);
    const JsonNode *root;

    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(doc != NULL);
    EXPECT_TEXT(again, text);
    root = json_root(doc);
    expect_at(root, "$schema", "\"https://json-schema.org/draft/2020-12/schema\"");
    expect_at(root, "$id", "\"urn:test\"");
    expect_at(root, "additionalProperties", "false");
    expect_at(root, "properties/about", "{\"type\":\"string\"}");
    expect_at(root, "properties/duration",
              "{\"description\":\"the duration; 1s to 1h\",\"$ref\":\"#/$defs/duration\"}");
    expect_at(root, "properties/share/anyOf/1", "{\"type\":\"null\"}");
    expect_at(root, "properties/integer/anyOf/0",
              "{\"type\":\"integer\",\"minimum\":-3,\"maximum\":3}");
    expect_at(root, "properties/evict/anyOf/0/enum",
              "[\"noeviction\",\"allkeys-lru\",\"volatile-ttl\"]");
    expect_at(root, "properties/evict/description", "\"the evict; default allkeys-lru\"");
    expect_at(root, "properties/weights/minItems", "1");
    expect_at(root, "properties/variants", "{\"description\":\"the variants\"}");
    expect_at(root, "$defs/memory/required", "[\"max\"]");
    expect_at(root, "$defs/fault/required", "[\"at\"]");
    expect_at(root, "$defs/fault/oneOf/2", "{\"required\":[\"isolate\"]}");
    expect_at(root, "$defs/fault/properties/isolate",
              "{\"description\":\"cuts a member off\",\"$ref\":\"#/$defs/on-member\"}");
    expect_at(root, "$defs/on-member/anyOf/0/$ref", "\"#/$defs/id\"");
    expect_at(root, "$defs/step/properties/do", "{\"enum\":[\"note\",\"redirect\",\"wait\"]}");
    expect_at(root, "$defs/step/anyOf/1",
              "{\"properties\":{\"do\":{\"const\":\"redirect\"}},\"required\":[\"do\",\"to\"]}");
    expect_at(root, "$defs/popularities/anyOf/0", "{\"enum\":[\"uniform\"]}");
    expect_at(root, "$defs/detectors/anyOf/0", "{\"enum\":[\"none\",\"ping-all\"]}");
    expect_at(root, "$defs/detectors/anyOf/2/required", "[\"kind\"]");
    EXPECT(at(root, "$defs/retries/anyOf/2/properties/kind") != NULL);
    EXPECT(at(root, "$defs/retries/anyOf/2/required") == NULL);
    expect_at(root, "$defs/durations/anyOf/1/$ref", "\"#/$defs/distributions\"");
    expect_at(root, "$defs/mmpp/if", "{\"required\":[\"about\"]}");
    expect_at(root, "$defs/mmpp/then", "{\"minProperties\":3}");
    expect_refs_resolve(root, json_get(root, "$defs"));
}

static const TestCase cases[] = {
    TEST(test_every_kind_reaches_its_field),
    TEST(test_what_is_absent_takes_its_default_or_stays_zero),
    TEST(test_maps_and_lists_keep_document_order),
    TEST(test_a_verb_is_a_key_of_the_object_around_it),
    TEST(test_an_inline_choice_shares_the_object),
    TEST(test_a_whole_choice_is_a_name_or_an_object),
    TEST(test_an_object_without_a_kind_means_the_familys_own),
    TEST(test_a_missing_unit_is_named_with_the_number),
    TEST(test_a_missing_unit_is_one_that_makes_sense),
    TEST(test_a_number_too_long_to_be_read_is_too_large),
    TEST(test_an_alias_is_answered_with_the_name),
    TEST(test_a_wrong_type_is_named_with_what_belongs),
    TEST(test_a_value_out_of_range_is_told_the_range),
    TEST(test_unknown_and_missing_keys_are_told_apart),
    TEST(test_only_the_first_error_in_the_document_is_told),
    TEST(test_a_map_has_its_keys_and_its_count_checked),
    TEST(test_a_wrong_verb_is_told_the_nearest),
    TEST(test_a_wrong_choice_is_told_the_list),
    TEST(test_a_distribution_is_checked_like_a_value),
    TEST(test_the_same_distribution_is_made_once),
    TEST(test_a_tables_own_check_speaks_last),
    TEST(test_a_description_has_a_line_per_parameter),
    TEST(test_the_schema_is_json_and_says_what_the_tables_say),
};
TEST_MAIN("param", cases)
