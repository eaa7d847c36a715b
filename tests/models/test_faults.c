/* Faults: what each kind does between its begin and its end, and that the end takes it back.
 *
 * Why it works: a small whole world is stopped just before and just after an instant and looked at
 * through the public readings of members and links; what clients felt is read from the recording.
 */
#include "tests/world/world_fixture.h"

#define MS SIM_MS

enum { A, B, C };

/* Clients of b alone, so that what happens to b is what clients feel. */
static const char base[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"faults\", \"duration\": \"60s\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": {\"max\": "
    "\"1GB\"}},"
    "               \"c\": {\"memory\": {\"max\": \"1GB\"}}},"
    " \"links\": {\"*\": {\"delay\": \"40ms\"}},"
    " \"sites\": {\"web\": {\"home\": \"b\", \"rtt\": {\"a\": \"80ms\", \"b\": \"2ms\", \"c\": "
    "\"80ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 10, \"ops\": {\"SET\": 1, \"GET\": "
    "1}}},"
    " \"workloads\": {\"w\": {\"site\": \"web\", \"rate\": \"20/s\", \"mix\": {\"f\": 1}}},"
    " \"routing\": {\"select\": \"pin\", \"retry\": {\"attempts\": 1, \"timeout\": \"500ms\"}}}";

/* One letter a direction: whether it carries. */
static char *open_links(const Story *story)
{
    GString *text = g_string_new(NULL);
    static const char *const names[] = {"a", "b", "c"};

    for (uint32_t from = A; from <= C; from++)
        for (uint32_t to = A; to <= C; to++)
            if (from != to && !link_is_partitioned(story_link(story, from, to)))
                g_string_append_printf(text, "%s%s>%s", text->len > 0 ? " " : "", names[from],
                                       names[to]);
    return g_string_free(text, FALSE);
}

static void expect_links(const Story *story, const char *expected)
{
    g_autofree char *links = open_links(story);

    EXPECT_TEXT(links, expected);
}

#define ALL_OPEN "a>b a>c b>a b>c c>a c>b"

/* Clients hear nothing, peers hear nothing, and after the end all is as before. */
static void test_isolate_silences_a_member_for_everybody(void)
{
    g_autoptr(Story) story = story_new(
        base, "{\"faults\": {\"x\": {\"at\": \"20s\", \"for\": \"15s\", \"isolate\": \"b\"}}}", 1);

    story_run(story, 20 * SIM_S - 1);
    expect_links(story, ALL_OPEN);
    EXPECT(member_is_reachable(story_member(story, B)));
    story_run(story, 20 * SIM_S);
    expect_links(story, "a>c c>a");
    EXPECT(!member_is_reachable(story_member(story, B)));
    EXPECT(!member_is_crashed(story_member(story, B)));
    EXPECT(member_is_reachable(story_member(story, A)));
    story_run(story, 35 * SIM_S);
    expect_links(story, ALL_OPEN);
    EXPECT(member_is_reachable(story_member(story, B)));
    story_end(story);
    EXPECT(story_measure(story, "sum(errors{outcome=timeout})", "fault:x") > 100);
    EXPECT_NEAR(story_measure(story, "sum(errors{outcome=refused})", "all"), 0, 0);
    EXPECT_NEAR(story_measure(story, "max(availability{member=b})", "fault:x"), 0, 0);
    EXPECT_NEAR(story_measure(story, "min(availability{member=a})", "all"), 1, 0);
    EXPECT_NEAR(story_measure(story, "sum(errors)", "steady"), 0, 0);
    EXPECT(world_has_converged(story->world));
}

/* A crashed member says no at once; it has its data when it is back, and learns what it missed. */
static void test_crash_refuses_clients_and_keeps_the_data(void)
{
    g_autoptr(Story) story = story_new(
        base,
        "{\"sites\": {\"other\": {\"home\": \"a\", \"rtt\": {\"a\": \"2ms\"}}},"
        " \"workloads\": {\"o\": {\"site\": \"other\", \"rate\": \"20/s\", \"mix\": {\"f\": 1}}},"
        " \"faults\": {\"x\": {\"at\": \"20s\", \"for\": \"15s\", \"crash\": \"b\"}}}",
        1);
    Digest before = digest_begin(), after = digest_begin();

    story_run(story, 20 * SIM_S);
    expect_links(story, "a>c c>a");
    EXPECT(member_is_crashed(story_member(story, B)));
    EXPECT(member_is_reachable(story_member(story, B)));
    store_digest(member_store(story_member(story, B)), &before);
    story_run(story, 35 * SIM_S - 1);
    store_digest(member_store(story_member(story, B)), &after);
    EXPECT(before.value == after.value);
    story_run(story, 35 * SIM_S);
    EXPECT(!member_is_crashed(story_member(story, B)));
    expect_links(story, ALL_OPEN);
    story_end(story);
    EXPECT(story_measure(story, "sum(errors{outcome=refused,site=web})", "fault:x") > 100);
    EXPECT(story_measure(story, "sum(errors{outcome=timeout})", "all") <= 1);
    EXPECT_NEAR(story_measure(story, "sum(errors{site=other})", "all"), 0, 0);
    EXPECT(world_has_converged(story->world));
}

/* Replication stops between the two sides, in both directions; clients notice nothing. */
static void test_partition_cuts_both_ways_and_clients_go_on(void)
{
    g_autoptr(Story) story = story_new(
        base,
        "{\"faults\": {\"x\": {\"at\": \"20s\", \"for\": \"15s\", \"partition\": \"a,c|b\"}}}", 1);

    story_run(story, 20 * SIM_S - 1);
    expect_links(story, ALL_OPEN);
    story_run(story, 20 * SIM_S);
    expect_links(story, "a>c c>a");
    EXPECT(member_is_reachable(story_member(story, B)));
    story_run(story, 35 * SIM_S - 1);
    EXPECT(member_unacked_count(story_member(story, B), 1) > 50);
    story_run(story, 35 * SIM_S);
    expect_links(story, ALL_OPEN);
    story_end(story);
    EXPECT_NEAR(story_measure(story, "sum(errors)", "all"), 0, 0);
    EXPECT_NEAR(story_measure(story, "max(replication.lag{member=a})", "fault:x"), 15e9, 1.1e9);
    EXPECT(world_has_converged(story->world));
}

/* b>a alone is cut: a hears nothing of b, while b hears of a as ever. */
static void test_partition_one_way_leaves_the_other_way_alone(void)
{
    g_autoptr(Story) story = story_new(
        base, "{\"faults\": {\"x\": {\"at\": \"20s\", \"for\": \"15s\", \"partition\": \"b>a\"}}}",
        1);

    story_run(story, 30 * SIM_S);
    expect_links(story, "a>b a>c b>c c>a c>b");
    EXPECT(member_peer_known_ns(story_member(story, A), 2) < 20 * SIM_S);
    EXPECT(member_peer_known_ns(story_member(story, B), 1) > 28 * SIM_S);
    story_run(story, 35 * SIM_S);
    expect_links(story, ALL_OPEN);
    story_end(story);
    EXPECT(world_has_converged(story->world));
}

/* 40 ms, then 90 or 3 x 40 or both, then 40 again; nothing is lost and the other way is as ever. */
static void test_delay_adds_and_multiplies_then_is_gone(void)
{
    static const struct {
        const char *how;
        SimTime expected_ns;
    } delays[] = {{"\"add\": \"50ms\"", 90 * MS},
                  {"\"x\": 3", 120 * MS},
                  {"\"add\": \"50ms\", \"x\": 3", 170 * MS}};

    for (uint32_t i = 0; i < G_N_ELEMENTS(delays); i++) {
        g_autofree char *patch =
            g_strdup_printf("{\"faults\": {\"x\": {\"at\": \"20s\", \"for\": \"15s\", \"delay\": "
                            "{\"link\": \"b>a\", %s}}}}",
                            delays[i].how);
        g_autoptr(Story) story = story_new(base, patch, 1);

        story_run(story, 20 * SIM_S - 1);
        EXPECT_INT(link_delay_ns(story_link(story, B, A), 20 * SIM_S - 1), 40 * MS);
        story_run(story, 20 * SIM_S);
        EXPECT_INT(link_delay_ns(story_link(story, B, A), 20 * SIM_S), delays[i].expected_ns);
        EXPECT_INT(link_delay_ns(story_link(story, A, B), 20 * SIM_S), 40 * MS);
        story_run(story, 35 * SIM_S);
        EXPECT_INT(link_delay_ns(story_link(story, B, A), 35 * SIM_S), 40 * MS);
        story_end(story);
        EXPECT_NEAR(story_measure(story, "sum(errors)", "all"), 0, 0);
        EXPECT(world_has_converged(story->world));
    }
}

/* us~eu slows both directions. */
static void test_delay_of_a_pair_slows_both_ways(void)
{
    g_autoptr(Story) story = story_new(base,
                                       "{\"faults\": {\"x\": {\"at\": \"20s\", \"delay\": "
                                       "{\"link\": \"a~b\", \"add\": \"7ms\"}}}}",
                                       1);

    story_run(story, 21 * SIM_S);
    EXPECT_INT(link_delay_ns(story_link(story, A, B), 21 * SIM_S), 47 * MS);
    EXPECT_INT(link_delay_ns(story_link(story, B, A), 21 * SIM_S), 47 * MS);
    EXPECT_INT(link_delay_ns(story_link(story, A, C), 21 * SIM_S), 40 * MS);
}

/* A random delay is drawn once per fault, from the fault's own stream. */
static void test_delay_draw_is_the_faults_own(void)
{
    static const char x[] = "\"x\": {\"at\": \"20s\", \"delay\": {\"link\": \"b>a\", \"add\": "
                            "{\"uniform\": {\"min\": \"10ms\", \"max\": \"90ms\"}}}}";
    g_autofree char *alone_patch = g_strdup_printf("{\"faults\": {%s}}", x);
    g_autofree char *both_patch =
        g_strdup_printf("{\"faults\": {\"w\": {\"at\": \"10s\", \"delay\": {\"link\": \"c>a\", "
                        "\"add\": {\"exp\": {\"mean\": \"9ms\"}}}}, %s}}",
                        x);
    g_autoptr(Story) alone = story_new(base, alone_patch, 1);
    g_autoptr(Story) both = story_new(base, both_patch, 1);
    g_autoptr(Story) other_seed = story_new(base, alone_patch, 2);
    SimTime drawn_ns;

    story_run(alone, 30 * SIM_S);
    story_run(both, 30 * SIM_S);
    story_run(other_seed, 30 * SIM_S);
    drawn_ns = link_delay_ns(story_link(alone, B, A), 30 * SIM_S);
    EXPECT(drawn_ns >= 50 * MS && drawn_ns <= 130 * MS);
    EXPECT_INT(link_delay_ns(story_link(both, B, A), 30 * SIM_S), drawn_ns);
    EXPECT(link_delay_ns(story_link(other_seed, B, A), 30 * SIM_S) != drawn_ns);
}

/* Each link is open again only when the last fault that cut it has ended. */
static void test_overlapping_cuts_end_when_the_last_one_ends(void)
{
    g_autoptr(Story) story =
        story_new(base,
                  "{\"faults\": {\"x\": {\"at\": \"10s\", \"for\": \"20s\", \"isolate\": \"b\"},"
                  " \"y\": {\"at\": \"20s\", \"for\": \"20s\", \"partition\": \"a|b\"},"
                  " \"z\": {\"at\": \"25s\", \"for\": \"1s\", \"partition\": \"a>c\"}}}",
                  1);

    story_run(story, 25 * SIM_S);
    expect_links(story, "c>a");
    story_run(story, 26 * SIM_S);
    expect_links(story, "a>c c>a");
    story_run(story, 30 * SIM_S);
    EXPECT(member_is_reachable(story_member(story, B)));
    expect_links(story, "a>c b>c c>a c>b");
    story_run(story, 40 * SIM_S);
    expect_links(story, ALL_OPEN);
    story_end(story);
    EXPECT(world_has_converged(story->world));
}

/* The same member isolated twice at a time stays away until the later end, and so does one that
 * crashed twice. */
static void test_overlapping_faults_of_one_kind_hold_until_the_last_ends(void)
{
    static const char *const kinds[] = {"isolate", "crash"};

    for (uint32_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *patch = g_strdup_printf(
            "{\"faults\": {\"x\": {\"at\": \"10s\", \"for\": \"10s\", \"%s\": \"b\"},"
            " \"y\": {\"at\": \"15s\", \"for\": \"15s\", \"%s\": \"b\"},"
            " \"z\": {\"at\": \"15s\", \"for\": \"20s\", \"%s\": \"c\"}}}",
            kinds[i], kinds[i], kinds[i]);
        g_autoptr(Story) story = story_new(base, patch, 1);
        const Member *b = story_member(story, B);

        story_run(story, 25 * SIM_S);
        EXPECT(!member_is_reachable(b) || member_is_crashed(b));
        expect_links(story, "");
        story_run(story, 30 * SIM_S);
        EXPECT(member_is_reachable(b) && !member_is_crashed(b));
        expect_links(story, "a>b b>a");
        story_end(story);
        EXPECT_NEAR(story_measure(story, "max(availability{site=web})", "fault:y"), 0, 0);
        EXPECT(world_has_converged(story->world));
    }
}

/* Two delays on one link add up, and the end of one leaves the other in force. */
static void test_overlapping_delays_add_up(void)
{
    g_autoptr(Story) story = story_new(
        base,
        "{\"faults\": {"
        " \"x\": {\"at\": \"10s\", \"for\": \"20s\", \"delay\": {\"link\": \"a~b\", \"add\": "
        "\"10ms\"}},"
        " \"y\": {\"at\": \"20s\", \"for\": \"20s\", \"delay\": {\"link\": \"b>a\", \"add\": "
        "\"5ms\", \"x\": 2}}}}",
        1);

    story_run(story, 25 * SIM_S);
    EXPECT_INT(link_delay_ns(story_link(story, B, A), 25 * SIM_S), 95 * MS);
    EXPECT_INT(link_delay_ns(story_link(story, A, B), 25 * SIM_S), 50 * MS);
    story_run(story, 35 * SIM_S);
    EXPECT_INT(link_delay_ns(story_link(story, B, A), 35 * SIM_S), 85 * MS);
    EXPECT_INT(link_delay_ns(story_link(story, A, B), 35 * SIM_S), 40 * MS);
    story_run(story, 45 * SIM_S);
    EXPECT_INT(link_delay_ns(story_link(story, B, A), 45 * SIM_S), 40 * MS);
}

/* "after" begins when the other has ended, plus the wait; without "for" it lasts to the end. */
static void test_faults_follow_each_other(void)
{
    g_autoptr(Story) story = story_new(
        base,
        "{\"faults\": {\"second\": {\"after\": \"first\", \"wait\": \"2s\", \"isolate\": \"c\"},"
        " \"first\": {\"at\": \"10s\", \"for\": \"5s\", \"crash\": \"b\"}}}",
        1);

    story_end(story);
    EXPECT_INT(story_when(story, "first", "begins", 0), 10 * SIM_S);
    EXPECT_INT(story_when(story, "first", "ends", 0), 15 * SIM_S);
    EXPECT_INT(story_when(story, "second", "begins", 0), 17 * SIM_S);
    EXPECT_INT(story_when(story, "second", "ends", 0), SIM_TIME_NEVER);
    EXPECT(!member_is_reachable(story_member(story, C)));
}

typedef struct {
    const char *fault, *message;
} Refusal;

static void test_bad_parameters_are_refused_in_words(void)
{
    static const Refusal refusals[] = {
        {"\"isolate\": \"bb\"",
         "faults.x.isolate: no member is called \"bb\"; did you mean \"b\"?"},
        {"\"isolate\": 3", "faults.x.isolate: 3 is not an id; write one such as \"us-east\""},
        {"\"crash\": \"mars\"", "faults.x.crash: no member is called \"mars\"; there are a, b, c"},
        {"\"crash\": {}",
         "faults.x.crash: \"member\" is missing; write, for example, \"member\": \"us-east\""},
        {"\"partition\": \"a,b\"", "faults.x.partition: \"a,b\" cuts nothing; write \"us,eu|asia\" "
                                   "for both ways or \"us>asia\" for one"},
        {"\"partition\": \"a|\"", "faults.x.partition: \"a|\" cuts nothing; write \"us,eu|asia\" "
                                  "for both ways or \"us>asia\" for one"},
        {"\"partition\": \"|b\"", "faults.x.partition: \"|b\" cuts nothing; write \"us,eu|asia\" "
                                  "for both ways or \"us>asia\" for one"},
        {"\"partition\": \"a|b|c\"",
         "faults.x.partition: \"a|b|c\" cuts more than once; write one \"|\" or \">\", and a "
         "second fault for a second cut"},
        {"\"partition\": \"a,b|b\"",
         "faults.x.partition: \"a,b|b\" has a member on both sides; each belongs to one"},
        {"\"partition\": \"a,mars|b\"",
         "faults.x.partition: no member is called \"mars\"; there are a, b, c"},
        {"\"delay\": {\"link\": \"a~mars\", \"add\": \"1ms\"}",
         "faults.x.delay: no member is called \"mars\"; there are a, b, c"},
        {"\"delay\": {\"link\": \"a\", \"add\": \"1ms\"}",
         "faults.x.delay: \"a\" names no link; write \"us~eu\" for both ways or \"us>eu\" for one"},
        {"\"delay\": {\"link\": \"a>a\", \"add\": \"1ms\"}",
         "faults.x.delay: \"a>a\" links a member to itself; name two members"},
        {"\"delay\": {\"link\": \"a~b\"}",
         "faults.x.delay: this delay changes nothing; give \"add\" (such as \"50ms\") or \"x\" "
         "(such as 3)"},
        {"\"delay\": {\"link\": \"a~b\", \"add\": 50}",
         "faults.x.delay.add: 50 has no unit; write a duration such as \"50s\""},
        {"\"delay\": {\"link\": \"a~b\", \"x\": -3}",
         "faults.x.delay.x: -3 is too small; write a value from 0.1 to 1000"},
        {"\"delay\": {\"add\": \"50ms\"}",
         "faults.x.delay: \"link\" is missing; write, for example, \"link\": \"...\""},
        {"\"isolate\": \"a\", \"crash\": \"b\"",
         "faults.x: \"crash\" beside \"isolate\": one fault at a time; make two entries"},
        {"\"for\": \"1s\"",
         "faults.x: no fault here; write one of crash, delay, isolate, partition"},
    };

    for (uint32_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *patch =
            g_strdup_printf("{\"faults\": {\"x\": {\"at\": \"10s\", %s}}}", refusals[i].fault);
        g_autofree char *message = fixture_refusal(base, patch);

        EXPECT_TEXT(message, refusals[i].message);
    }
}

static const TestCase cases[] = {
    TEST(test_isolate_silences_a_member_for_everybody),
    TEST(test_crash_refuses_clients_and_keeps_the_data),
    TEST(test_partition_cuts_both_ways_and_clients_go_on),
    TEST(test_partition_one_way_leaves_the_other_way_alone),
    TEST(test_delay_adds_and_multiplies_then_is_gone),
    TEST(test_delay_of_a_pair_slows_both_ways),
    TEST(test_delay_draw_is_the_faults_own),
    TEST(test_overlapping_cuts_end_when_the_last_one_ends),
    TEST(test_overlapping_faults_of_one_kind_hold_until_the_last_ends),
    TEST(test_overlapping_delays_add_up),
    TEST(test_faults_follow_each_other),
    TEST(test_bad_parameters_are_refused_in_words),
};
TEST_MAIN("faults", cases)
