/* Alerts, people and runbooks: when they act, in which order, and what their acts do.
 *
 * Why it works: traffic is constant but for two bursts, and an alert looks at the last completed
 * ten seconds, so it begins to hold at a known instant.  Delays are constants where a story times
 * them; the timeline is compared as text, in milliseconds since the alert.
 */
#include "tests/models/operations_fixture.h"

enum { A, B, C };

/* One runbook on the alert, with these steps. */
static Story *with_steps(const char *steps)
{
    g_autofree char *patch =
        g_strdup_printf("{\"runbooks\": {\"drill\": {\"on\": \"busy\", \"steps\": {%s}}}}", steps);

    return story_new(operations_base, patch, 1);
}

/* What the steps did in the first incident, in milliseconds since its alert. */
static void expect_first_incident(const char *steps, const char *expected)
{
    g_autoptr(Story) story = with_steps(steps);
    g_autofree char *text = NULL;

    story_run(story, 100 * SIM_S);
    text = story_steps(story, story_when(story, "busy", "fires", 0));
    EXPECT_TEXT(text, expected);
}

/* It is looked at every `every`, at a phase of its own: the wait for the next look is uniform. */
static void test_alert_fires_at_its_next_look(void)
{
    uint32_t count = (uint32_t)test_count(60, 400);
    SimTime least_ns = SIM_TIME_NEVER, most_ns = 0, sum_ns = 0;

    for (uint32_t seed = 1; seed <= count; seed++) {
        g_autoptr(Story) story =
            story_new(operations_base, "{\"alerts\": {\"busy\": {\"every\": \"8s\"}}}", seed);
        SimTime wait_ns;

        story_run(story, 70 * SIM_S);
        wait_ns = story_when(story, "busy", "fires", 0) - BURST_SEEN;
        least_ns = MIN(least_ns, wait_ns);
        most_ns = MAX(most_ns, wait_ns);
        sum_ns += wait_ns;
    }
    EXPECT(least_ns >= 0 && least_ns < SIM_S);
    EXPECT(most_ns < 8 * SIM_S && most_ns > 7 * SIM_S);
    /* Four standard errors of the mean of a uniform on 8 s. */
    EXPECT_NEAR((double)sum_ns / count / 1e9, 4, 4 * 8 / sqrt(12.0 * count));
}

/* "for" counts from the first look at which it held, and only looks count. */
static void test_alert_must_hold_for_its_time(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"alerts\": {\"busy\": {\"every\": \"2s\"}, \"long\": {\"when\": \"rate(ops) > "
        "30/s\", \"for\": \"6s\", \"every\": \"2s\", \"notify\": \"oncall\"}, \"never\": "
        "{\"when\": \"rate(ops) > 30/s\", \"for\": \"21s\", \"every\": \"2s\", \"notify\": "
        "\"oncall\"}}}",
        1);
    SimTime fired_ns;

    story_end(story);
    fired_ns = story_when(story, "long", "fires", 0);
    EXPECT(fired_ns >= BURST_SEEN + 6 * SIM_S && fired_ns < BURST_SEEN + 8 * SIM_S);
    EXPECT_INT(story_count(story, "never", "fires"), 0);
}

/* Once a burst, however long it holds; cleared in between. */
static void test_alert_fires_again_only_after_it_cleared(void)
{
    g_autoptr(Story) story = with_steps("\"look\": {\"do\": \"wait\", \"for\": \"2s\"}");
    SimTime first_ns, clear_ns, second_ns;

    story_end(story);
    first_ns = story_when(story, "busy", "fires", 0);
    clear_ns = story_when(story, "busy", "clears", 0);
    second_ns = story_when(story, "busy", "fires", first_ns + 1);
    EXPECT(first_ns < clear_ns && clear_ns < second_ns);
    EXPECT_INT(clear_ns - first_ns, 20 * SIM_S);
    EXPECT_INT(second_ns - first_ns, 60 * SIM_S);
    EXPECT_INT(story_count(story, "busy", "fires"), 2);
    EXPECT_INT(story_count(story, "drill", "done"), 2);
    EXPECT_NEAR(story_measure(story, "count(alert.fired_at)", "all"), 2, 0);
}

/* Acknowledge, decide, then one step after the other; a note says what it read. */
static void test_people_and_steps_take_their_time(void)
{
    expect_first_incident(
        "\"look\": {\"do\": \"wait\", \"for\": \"2s\"},"
        "\"tell\": {\"do\": \"note\", \"print\": \"rate(ops)\", \"takes\": \"1s\","
        "           \"after\": \"look\"},"
        "\"aside\": {\"do\": \"wait\", \"for\": \"1500ms\"}",
        "   7000 drill: begins\n"
        "   7000 look: begins\n"
        "   7000 aside: begins\n"
        "   9000 look: done\n"
        "   9000 tell: begins\n"
        "   9000 aside: done\n"
        "  10000 tell: done 40/s\n"
        "  10000 drill: done\n");
}

/* A step whose guard does not hold is skipped, and what follows it goes on at once. */
static void test_skipped_step_counts_as_done(void)
{
    expect_first_incident(
        "\"first\": {\"do\": \"wait\", \"for\": \"5s\", \"if\": \"rate(ops) > 90/s\"},"
        "\"second\": {\"do\": \"wait\", \"for\": \"1s\", \"if\": \"rate(ops) > 30/s\", \"after\": "
        "\"first\"},"
        "\"third\": {\"do\": \"wait\", \"for\": \"1s\", \"if\": \"max(failover.time) > 1s\","
        "            \"after\": \"second\"}",
        "   7000 drill: begins\n"
        "   7000 first: skipped\n"
        "   7000 second: begins\n"
        "   8000 second: done\n"
        "   8000 third: skipped\n" /* nobody failed over: no sample, a guard is false */
        "   8000 drill: done\n");
}

/* Nothing after it, and nothing beside it, goes on. */
static void test_failed_verify_ends_the_runbook(void)
{
    expect_first_incident(
        "\"check\": {\"do\": \"verify\", \"that\": \"rate(ops) > 90/s\", \"takes\": \"2s\"},"
        "\"then\": {\"do\": \"wait\", \"for\": \"1s\", \"after\": \"check\"},"
        "\"aside\": {\"do\": \"wait\", \"for\": \"4s\"}",
        "   7000 drill: begins\n"
        "   7000 check: begins\n"
        "   7000 aside: begins\n"
        "   9000 check: failed\n"
        "   9000 drill: failed check\n");
    expect_first_incident(
        "\"check\": {\"do\": \"verify\", \"that\": \"rate(ops) > 30/s\", \"takes\": \"2s\"},"
        "\"then\": {\"do\": \"wait\", \"for\": \"1s\", \"after\": \"check\"}",
        "   7000 drill: begins\n"
        "   7000 check: begins\n"
        "   9000 check: done\n"
        "   9000 then: begins\n"
        "  10000 then: done\n"
        "  10000 drill: done\n");
}

/* The burst leaves the last ten seconds at 70 s; a wait sees that at its next sample, or gives up.
 */
static void test_wait_ends_with_its_condition_or_its_timeout(void)
{
    g_autoptr(Story) story = with_steps(
        "\"calm\": {\"do\": \"wait\", \"until\": \"rate(ops) < 30/s\", \"timeout\": \"1m\"}");
    SimTime done_ns;

    story_run(story, 100 * SIM_S);
    done_ns = story_when(story, "calm", "done", 0);
    EXPECT(done_ns >= 70 * SIM_S && done_ns < 71 * SIM_S);
    expect_first_incident(
        "\"calm\": {\"do\": \"wait\", \"until\": \"rate(ops) > 90/s\", \"timeout\": \"5s\"},"
        "\"then\": {\"do\": \"wait\", \"for\": \"1s\", \"after\": \"calm\"}",
        "   7000 drill: begins\n"
        "   7000 calm: begins\n"
        "  12000 calm: failed\n"
        "  12000 drill: failed calm\n");
}

/* A second person first, then the step's own time. */
static void test_approval_comes_before_the_step(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"operators\": {\"oncall\": {\"approve\": \"6s\"}}, \"runbooks\": {\"drill\": "
        "{\"on\": \"busy\", \"steps\": {\"go\": {\"do\": \"note\", \"print\": \"count(ops)\","
        " \"takes\": \"2s\", \"approval\": true}, \"free\": {\"do\": \"note\", \"print\": "
        "\"count(ops)\", \"takes\": \"2s\"}}}}}",
        1);
    SimTime fired_ns;

    story_run(story, 100 * SIM_S);
    fired_ns = story_when(story, "busy", "fires", 0);
    EXPECT_INT(story_when(story, "go", "done", 0) - fired_ns, 15 * SIM_S);
    EXPECT_INT(story_when(story, "free", "done", 0) - fired_ns, 9 * SIM_S);
}

/* From 18:00 to 07:00 over midnight people take three times as long. */
static void test_people_are_slower_off_hours(void)
{
    static const struct {
        const char *clock;
        int64_t expected_s;
    } hours[] = {{"12:00", 7}, {"18:00", 21}, {"23:59", 21}, {"06:58", 21}, {"07:00", 7}};

    for (uint32_t i = 0; i < G_N_ELEMENTS(hours); i++) {
        g_autofree char *patch = g_strdup_printf(
            "{\"clock\": \"%s\", \"operators\": {\"oncall\": {\"off_hours\": {\"from\": \"18:00\","
            " \"to\": \"07:00\", \"x\": 3}}}, \"runbooks\": {\"drill\": {\"on\": \"busy\","
            " \"steps\": {\"go\": {\"do\": \"wait\", \"for\": \"1s\"}}}}}",
            hours[i].clock);
        g_autoptr(Story) story = story_new(operations_base, patch, 1);

        story_run(story, 100 * SIM_S);
        EXPECT_INT(story_when(story, "drill", "begins", 0) - story_when(story, "busy", "fires", 0),
                   hours[i].expected_s * SIM_S);
    }
}

/* From the start of the fault before the alert; without a fault, from the alert. */
static void test_ends_measures_from_the_fault(void)
{
    static const char steps[] = "\"go\": {\"do\": \"wait\", \"for\": \"1s\", \"ends\": \"over\"}";
    g_autofree char *patch = g_strdup_printf(
        "{\"faults\": {\"x\": {\"at\": \"45s\", \"for\": \"10s\", \"crash\": \"c\"}},"
        " \"runbooks\": {\"drill\": {\"on\": \"busy\", \"steps\": {%s}}}}",
        steps);
    g_autoptr(Story) with_fault = story_new(operations_base, patch, 1);
    g_autoptr(Story) without = with_steps(steps);

    story_end(with_fault);
    story_end(without);
    EXPECT_NEAR(story_measure(with_fault, "min(runbook.duration{ends=over})", "all"),
                story_when(with_fault, "go", "done", 0) - 45 * SIM_S, 1e6);
    EXPECT_NEAR(story_measure(without, "min(runbook.duration{ends=over})", "all"), 8e9, 1e6);
    EXPECT_NEAR(story_measure(without, "min(step.at{step=go})", "all"),
                story_when(without, "go", "done", 0), 1e8);
}

/* A runbook on a fault needs nobody to decide. */
static void test_runbook_on_a_fault_begins_with_it(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"faults\": {\"x\": {\"at\": \"20500ms\", \"for\": \"10s\", \"crash\": \"c\"}},"
        " \"runbooks\": {\"during\": {\"on\": \"fault:x\", \"steps\": {\"d\": {\"do\": \"wait\","
        " \"for\": \"1s\"}}}, \"later\": {\"on\": \"after:x\", \"steps\": {\"l\": {\"do\": "
        "\"wait\","
        " \"for\": \"1s\"}}}}}",
        1);

    story_end(story);
    EXPECT_INT(story_when(story, "during", "begins", 0), 20500 * SIM_MS);
    EXPECT_INT(story_when(story, "later", "begins", 0), 30500 * SIM_MS);
    EXPECT_INT(story_when(story, "l", "done", 0), 31500 * SIM_MS);
    EXPECT_INT(story_count(story, "later", "begins"), 1);
}

/* One that runs is not started twice, and an earlier incident leaves nothing behind that acts in a
 * later one: here the first fails with `slow` under way, which would be due in the second. */
static void test_incidents_do_not_mix(void)
{
    g_autoptr(Story) busy = with_steps("\"slow\": {\"do\": \"wait\", \"for\": \"80s\"}");
    g_autoptr(Story) failed =
        with_steps("\"check\": {\"do\": \"verify\", \"that\": \"count(ops) > 2000\"},"
                   "\"slow\": {\"do\": \"note\", \"print\": \"count(ops)\", \"takes\": \"65s\"}");
    SimTime second_ns;

    story_end(busy);
    EXPECT_INT(story_count(busy, "busy", "fires"), 2);
    EXPECT_INT(story_count(busy, "drill", "begins"), 1);
    story_end(failed);
    EXPECT_INT(story_count(failed, "drill", "failed"), 1);
    second_ns = story_when(failed, "drill", "begins", 100 * SIM_S);
    EXPECT_INT(story_when(failed, "slow", "done", 0), SIM_TIME_NEVER);
    EXPECT(second_ns + 65 * SIM_S > 175 * SIM_S);
}

static const char random_people[] =
    "\"operators\": {\"oncall\": {\"ack\": {\"lognormal\": {\"p50\": \"1s\", \"p95\": \"5s\"}},"
    " \"decide\": {\"lognormal\": {\"p50\": \"1s\", \"p95\": \"5s\"}}}}";
static const char random_drill[] =
    "\"drill\": {\"on\": \"busy\", \"steps\": {\"go\": {\"do\": \"note\", \"print\": "
    "\"count(ops)\","
    " \"takes\": {\"lognormal\": {\"p50\": \"1s\", \"p95\": \"5s\"}}}}}";

/* Delays are keyed by runbook, stage and incident: another runbook or operator shifts nothing, the
 * second incident has delays of its own. */
static void test_draws_belong_to_the_incident_and_the_stage(void)
{
    g_autofree char *alone_patch =
        g_strdup_printf("{%s, \"runbooks\": {%s}}", random_people, random_drill);
    g_autofree char *crowded_patch = g_strdup_printf(
        "{%s, \"alerts\": {\"early\": {\"when\": \"count(ops) > 10\", \"notify\": \"oncall\"}},"
        " \"runbooks\": {\"another\": {\"on\": \"busy\", \"steps\": {\"go\": {\"do\": \"note\","
        " \"print\": \"count(ops)\", \"takes\": {\"exp\": {\"mean\": \"1s\"}}}}}, \"more\": "
        "{\"on\": "
        "\"early\", \"steps\": {\"m\": {\"do\": \"wait\", \"for\": \"1s\"}}}, %s}}",
        random_people, random_drill);
    g_autoptr(Story) alone = story_new(operations_base, alone_patch, 3);
    g_autoptr(Story) crowded = story_new(operations_base, crowded_patch, 3);
    SimTime first_ns, second_ns;

    story_end(alone);
    story_end(crowded);
    first_ns = story_when(alone, "drill", "begins", 0);
    second_ns = story_when(alone, "drill", "begins", first_ns + 1);
    EXPECT_INT(story_when(crowded, "drill", "begins", 0), first_ns);
    EXPECT_INT(story_when(crowded, "drill", "begins", first_ns + 1), second_ns);
    EXPECT_INT(story_when(crowded, "drill", "done", 0), story_when(alone, "drill", "done", 0));
    EXPECT(story_when(crowded, "another", "begins", 0) != first_ns);
    EXPECT(second_ns - first_ns != 60 * SIM_S);
}

/* With b silent everybody keeps metadata for it; once it is dropped they keep none, and go on. */
static void test_force_unlink_frees_metadata_and_survivors_go_on(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"faults\": {\"x\": {\"at\": \"20s\", \"isolate\": \"b\"}}, \"runbooks\": {\"drop\": "
        "{\"on\": \"fault:x\", \"steps\": {\"unlink\": {\"do\": \"force-unlink\", \"target\": "
        "\"b\","
        " \"takes\": \"30s\"}}}}}",
        1);

    story_run(story, 20 * SIM_S);
    EXPECT(member_record_count(story_member(story, A)) < 30);
    story_run(story, 50 * SIM_S - 1);
    EXPECT(member_record_count(story_member(story, A)) > 300);
    EXPECT(member_memory_bytes(story_member(story, C), MEMORY_HISTORY) > 30000);
    EXPECT(member_has_peer(story_member(story, A), 2));
    story_run(story, 53 * SIM_S);
    EXPECT(!member_has_peer(story_member(story, A), 2));
    EXPECT(!member_has_peer(story_member(story, C), 2));
    EXPECT(member_has_peer(story_member(story, A), 3));
    EXPECT(member_record_count(story_member(story, A)) < 100);
    EXPECT(member_record_count(story_member(story, C)) < 100);
    story_end(story);
    EXPECT_NEAR(story_measure(story, "count(unlink{member=b})", "all"), 1, 0);
    EXPECT_NEAR(story_measure(story, "count(unlink)", "all"), 1, 0);
    EXPECT_NEAR(story_measure(story, "sum(errors)", "all"), 0, 0);
    EXPECT(member_unacked_count(story_member(story, A), 3) < 30);
    EXPECT(member_lag_ns(story_member(story, C), 180 * SIM_S) < 3 * SIM_S);
}

/* The partition heals, but b is out: what its clients write there never reaches the others, and
 * those go on agreeing with each other. */
static void test_an_unlinked_member_stays_out_after_the_heal(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"sites\": {\"other\": {\"home\": \"b\", \"rtt\": {\"b\": \"2ms\"}}}, \"workloads\": "
        "{\"o\": "
        "{\"site\": \"other\", \"rate\": \"20/s\", \"mix\": {\"f\": 1}}}, \"faults\": {\"x\": "
        "{\"at\": "
        "\"20s\", \"for\": \"40s\", \"partition\": \"b|a,c\"}}, \"runbooks\": {\"drop\": {\"on\": "
        "\"fault:x\", \"steps\": {\"unlink\": {\"do\": \"force-unlink\", \"target\": \"b\", "
        "\"takes\": "
        "\"10s\"}}}}}",
        1);
    uint64_t known, written;

    story_run(story, 30 * SIM_S);
    known = store_clock(member_store(story_member(story, A)))->seq[2];
    EXPECT(known > 100);
    story_end(story);
    EXPECT(!link_is_partitioned(story_link(story, B, A)));
    EXPECT(store_clock(member_store(story_member(story, B)))->seq[2] > 1000);
    EXPECT_INT(store_clock(member_store(story_member(story, A)))->seq[2], known);
    EXPECT_INT(store_clock(member_store(story_member(story, C)))->seq[2], known);
    EXPECT(member_unacked_count(story_member(story, A), 3) < 30);
    EXPECT(member_record_count(story_member(story, A)) < 100);
    /* All that b wrote and nobody else has, before and after it was dropped, is lost: one effect a
     * write here. */
    written = store_clock(member_store(story_member(story, B)))->seq[2];
    EXPECT_NEAR(story_measure(story, "sum(data.lost_writes{cause=unreplicated})", "all"),
                (double)(written - known), 0);
}

/* Nobody is linked to it any more: the second order fails, and with it its runbook. */
static void test_force_unlink_of_a_stranger_fails(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"runbooks\": {\"drop\": {\"on\": \"busy\", \"steps\": {\"unlink\": {\"do\": "
        "\"force-unlink\", \"target\": \"b\", \"takes\": \"1s\"}, \"again\": {\"do\": "
        "\"force-unlink\", \"target\": \"b\", \"takes\": \"1s\", \"after\": \"unlink\"}}}}}",
        1);
    g_autofree char *text = NULL;

    story_run(story, 100 * SIM_S);
    text = story_steps(story, story_when(story, "busy", "fires", 0));
    EXPECT_TEXT(text, "   7000 drop: begins\n"
                      "   7000 unlink: begins\n"
                      "   8000 unlink: done b\n"
                      "   8000 again: begins\n"
                      "   9000 again: failed b was not linked\n"
                      "   9000 drop: failed again\n");
}

static uint32_t clients_at(const Story *story, int32_t member)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < 5; i++)
        count += site_client_endpoint(story->world->sites[0], i) == member;
    return count;
}

/* Clients leave a, for the nearest other or the one named, and come back one by one. */
static void test_redirect_moves_clients_and_restore_moves_them_back(void)
{
    static const struct {
        const char *to;
        int32_t member;
    } ways[] = {{"nearest-healthy", B}, {"c", C}};

    for (uint32_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *patch = g_strdup_printf(
            "{\"runbooks\": {\"move\": {\"on\": \"busy\", \"steps\": {\"out\": {\"do\": "
            "\"redirect\", \"from\": \"a\", \"to\": \"%s\", \"takes\": \"1s\"}, \"back\": {\"do\": "
            "\"restore-routing\", \"to\": \"a\", \"over\": \"20s\", \"takes\": \"10s\", \"after\": "
            "\"out\"}}}}}",
            ways[i].to);
        g_autoptr(Story) story = story_new(operations_base, patch, 1);
        SimTime fired_ns;

        story_run(story, 57 * SIM_S);
        EXPECT_INT(clients_at(story, A), 5);
        fired_ns = story_when(story, "busy", "fires", 0);
        story_run(story, fired_ns + 12 * SIM_S);
        EXPECT_INT(clients_at(story, ways[i].member), 5);
        story_run(story, fired_ns + 28 * SIM_S);
        EXPECT(clients_at(story, A) > 0 && clients_at(story, A) < 5);
        story_run(story, fired_ns + 42 * SIM_S);
        EXPECT_INT(clients_at(story, A), 5);
        story_run(story, 100 * SIM_S);
        EXPECT_INT(story_count(story, "move", "done"), 1);
    }
}

/* A redirect by configuration reaches clients that see only silence. */
static void test_redirect_restores_service_but_frees_no_memory(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"faults\": {\"x\": {\"at\": \"20s\", \"isolate\": \"a\"}}, \"runbooks\": {\"move\": "
        "{\"on\": \"fault:x\", \"steps\": {\"out\": {\"do\": \"redirect\", \"from\": \"a\","
        " \"takes\": \"10s\"}}}}}",
        1);
    int64_t records;

    story_run(story, 32 * SIM_S);
    records = member_record_count(story_member(story, B));
    story_end(story);
    EXPECT_NEAR(story_measure(story, "last(availability{site=web})", "all"), 1, 0);
    EXPECT(story_measure(story, "sum(errors{outcome=timeout})", "all") > 150);
    EXPECT(member_record_count(story_member(story, B)) > records + 1000);
}

/* A run that has told enough stops; one that only notes it goes on. */
static void test_abort_stops_the_run_when_its_condition_has_held(void)
{
    static const struct {
        const char *act;
        SimTime end_s;
    } acts[] = {{"stop", 54}, {"report", 180}};

    for (uint32_t i = 0; i < G_N_ELEMENTS(acts); i++) {
        g_autofree char *patch =
            g_strdup_printf("{\"abort\": {\"enough\": {\"when\": \"rate(ops) > 30/s\", \"for\": "
                            "\"4s\", \"do\": \"%s\"}}}",
                            acts[i].act);
        g_autoptr(Story) story = story_new(operations_base, patch, 1);

        story_end(story);
        EXPECT_INT(world_end_ns(story->world), acts[i].end_s * SIM_S);
        EXPECT_INT(story_count(story, "enough", i == 0 ? "stops the run" : "noted"), 1);
    }
}

/* What the control plane says replaces a verb's own duration, what the step says replaces both. */
static void test_durations_step_over_control_plane_over_verb(void)
{
    g_autoptr(Story) story = story_new(
        operations_base,
        "{\"control_plane\": {\"redirect\": \"5s\"}, \"runbooks\": {\"drill\": {\"on\": \"busy\","
        " \"steps\": {\"one\": {\"do\": \"redirect\", \"from\": \"b\"}, \"two\": {\"do\": "
        "\"redirect\", \"from\": \"b\", \"takes\": \"2s\"}, \"three\": {\"do\": \"force-unlink\","
        " \"target\": \"b\"}}}}}",
        1);
    SimTime begins_ns;

    story_end(story);
    begins_ns = story_when(story, "drill", "begins", 0);
    EXPECT_INT(story_when(story, "one", "done", 0) - begins_ns, 5 * SIM_S);
    EXPECT_INT(story_when(story, "two", "done", 0) - begins_ns, 2 * SIM_S);
    EXPECT(story_when(story, "three", "done", 0) - begins_ns > 20 * SIM_S);
}

static const TestCase cases[] = {
    TEST(test_alert_fires_at_its_next_look),
    TEST(test_alert_must_hold_for_its_time),
    TEST(test_alert_fires_again_only_after_it_cleared),
    TEST(test_people_and_steps_take_their_time),
    TEST(test_skipped_step_counts_as_done),
    TEST(test_failed_verify_ends_the_runbook),
    TEST(test_wait_ends_with_its_condition_or_its_timeout),
    TEST(test_approval_comes_before_the_step),
    TEST(test_people_are_slower_off_hours),
    TEST(test_ends_measures_from_the_fault),
    TEST(test_runbook_on_a_fault_begins_with_it),
    TEST(test_incidents_do_not_mix),
    TEST(test_draws_belong_to_the_incident_and_the_stage),
    TEST(test_force_unlink_frees_metadata_and_survivors_go_on),
    TEST(test_an_unlinked_member_stays_out_after_the_heal),
    TEST(test_force_unlink_of_a_stranger_fails),
    TEST(test_redirect_moves_clients_and_restore_moves_them_back),
    TEST(test_redirect_restores_service_but_frees_no_memory),
    TEST(test_abort_stops_the_run_when_its_condition_has_held),
    TEST(test_durations_step_over_control_plane_over_verb),
};
TEST_MAIN("operations", cases)
