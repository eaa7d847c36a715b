/* The kernel's law of order, told in small stories; whole random worlds are in
 * test_kernel_worlds.c. */
#include "sim/kernel.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

/* A kernel and the text its actors leave behind: "name@ms" for each event. */
typedef struct {
    Kernel *kernel;
    GString *trace;
} Story;

typedef struct {
    Handler handler;
    Story *story;
    const char *name;
} Teller;

static void tell(void *actor, Place *place, void *body)
{
    Teller *teller = actor;
    SimTime now_ns = place ? place_now_ns(place) : kernel_now_ns(teller->story->kernel);

    (void)body;
    g_string_append_printf(teller->story->trace, "%s@%d ", teller->name, (int)(now_ns / SIM_MS));
}

static Story *story_new(uint32_t place_count, SimTime lookahead_ns)
{
    Story *story = g_new0(Story, 1);

    story->kernel = kernel_new(&(KernelConfig){.place_count = place_count});
    story->trace = g_string_new(NULL);
    kernel_set_lookahead(story->kernel, lookahead_ns);
    return story;
}

static void story_free(Story *story)
{
    kernel_free(story->kernel);
    g_string_free(story->trace, TRUE);
    g_free(story);
}

static Teller *teller(Story *story, Teller *storage, const char *name)
{
    *storage = (Teller){.handler = {tell, storage}, .story = story, .name = name};
    return storage;
}

static void post_at(Place *place, SimTime at_ns, Rank rank, uint64_t seq, const Handler *handler)
{
    place_post(place, place,
               &(Post){.at_ns = at_ns, .rank = rank, .source = 1, .seq = seq, .handler = handler});
}

static void control_at(Kernel *kernel, SimTime at_ns, Rank rank, uint64_t seq,
                       const Handler *handler)
{
    kernel_at(kernel, &(Control){.at_ns = at_ns, .rank = rank, .seq = seq, .handler = handler});
}

/* Runs body in a child; true when it died by ensure. */
static bool dies(void (*body)(void))
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr))
            body();
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

static void test_one_instant_runs_by_rank_controls_around_places(void)
{
    Story *story = story_new(2, 5 * SIM_MS);
    Place *place = kernel_place(story->kernel, 1);
    Teller tellers[5];

    post_at(place, 9 * SIM_MS, RANK_CLIENT, 1, &teller(story, &tellers[0], "client")->handler);
    control_at(story->kernel, 9 * SIM_MS, RANK_SAMPLE, 1,
               &teller(story, &tellers[1], "sample")->handler);
    control_at(story->kernel, 9 * SIM_MS, RANK_OPERATOR, 1,
               &teller(story, &tellers[2], "operator")->handler);
    post_at(place, 9 * SIM_MS, RANK_MESSAGE, 1, &teller(story, &tellers[3], "message")->handler);
    control_at(story->kernel, 9 * SIM_MS, RANK_FAULT, 1,
               &teller(story, &tellers[4], "fault")->handler);
    EXPECT(kernel_run_until(story->kernel, SIM_S));
    EXPECT_TEXT(story->trace->str, "fault@9 operator@9 message@9 client@9 sample@9 ");
    EXPECT_INT(kernel_event_count(story->kernel), 5);
    EXPECT_INT(kernel_now_ns(story->kernel), SIM_S);
    EXPECT_INT(place_now_ns(place), SIM_S);
    story_free(story);
}

typedef struct {
    Handler handler;
    Place *to;
    const Handler *then;
    SimTime delay_ns;
} Sender;

static void send_on(void *actor, Place *place, void *body)
{
    Sender *sender = actor;

    (void)body;
    place_post(place, sender->to,
               &(Post){.at_ns = place_now_ns(place) + sender->delay_ns,
                       .rank = RANK_MESSAGE,
                       .source = 2,
                       .handler = sender->then});
}

/* The least delay, a client event and a sample all fall on the window's last instant. */
static void test_a_message_arriving_at_the_windows_end_precedes_clients_and_samples(void)
{
    Story *story = story_new(2, 5 * SIM_MS);
    Place *from = kernel_place(story->kernel, 0);
    Place *to = kernel_place(story->kernel, 1);
    Teller tellers[3];
    Sender sender = {.to = to, .delay_ns = 5 * SIM_MS};

    sender.handler = (Handler){send_on, &sender};
    sender.then = &teller(story, &tellers[0], "message")->handler;
    post_at(from, 2 * SIM_MS, RANK_CLIENT, 1, &sender.handler);
    post_at(to, 7 * SIM_MS, RANK_CLIENT, 2, &teller(story, &tellers[1], "client")->handler);
    control_at(story->kernel, 7 * SIM_MS, RANK_SAMPLE, 1,
               &teller(story, &tellers[2], "sample")->handler);
    kernel_run_until(story->kernel, 7 * SIM_MS);
    EXPECT_TEXT(story->trace->str, "message@7 client@7 sample@7 ");
    story_free(story);
}

/* Without a delay between places the receiver's answer precedes the sender's own next event. */
static void test_serially_a_message_without_delay_overtakes_what_its_sender_does_next(void)
{
    Story *story = story_new(2, 0);
    Place *from = kernel_place(story->kernel, 0);
    Teller tellers[2];
    Sender sender = {.to = kernel_place(story->kernel, 1), .delay_ns = 0};

    sender.handler = (Handler){send_on, &sender};
    sender.then = &teller(story, &tellers[0], "there")->handler;
    post_at(from, SIM_MS, RANK_CLIENT, 1, &sender.handler);
    post_at(from, 2 * SIM_MS, RANK_CLIENT, 2, &teller(story, &tellers[1], "here")->handler);
    kernel_run_until(story->kernel, SIM_S);
    EXPECT_TEXT(story->trace->str, "there@1 here@2 ");
    story_free(story);
}

/* A mailbox is the smallest link: one message staged, taken over by publishing. */
typedef struct {
    Place *receiver;
    uint32_t stream;
    SimTime staged_ns;
} Mailbox;

static void mailbox_publish(void *actor, Place *receiver)
{
    Mailbox *mailbox = actor;

    if (mailbox->staged_ns != SIM_TIME_NEVER)
        place_set_stream(receiver, mailbox->stream, mailbox->staged_ns, 1);
    mailbox->staged_ns = SIM_TIME_NEVER;
}

static void mailbox_stage(void *actor, Place *place, void *body)
{
    Mailbox *mailbox = actor;

    (void)place;
    (void)body;
    mailbox->staged_ns = 8 * SIM_MS;
    place_mark_sent(mailbox->receiver);
}

/* Both are due inside the window that the first event opens at 6 ms. */
static void test_what_set_up_or_a_control_stages_is_visible_before_the_next_window(void)
{
    for (int from_control = 0; from_control < 2; from_control++) {
        Story *story = story_new(2, 5 * SIM_MS);
        Mailbox mailbox = {.receiver = kernel_place(story->kernel, 1), .staged_ns = SIM_TIME_NEVER};
        Handler stage = {mailbox_stage, &mailbox};
        Teller tellers[2];

        mailbox.stream = place_add_stream(mailbox.receiver, RANK_MESSAGE, 1,
                                          &teller(story, &tellers[0], "mail")->handler);
        kernel_on_publish(story->kernel, mailbox_publish, &mailbox, mailbox.receiver);
        post_at(mailbox.receiver, 6 * SIM_MS, RANK_CLIENT, 1,
                &teller(story, &tellers[1], "client")->handler);
        post_at(mailbox.receiver, 9 * SIM_MS, RANK_CLIENT, 2, &tellers[1].handler);
        if (from_control)
            control_at(story->kernel, 3 * SIM_MS, RANK_OPERATOR, 1, &stage);
        else
            mailbox_stage(&mailbox, NULL, NULL);
        kernel_run_until(story->kernel, SIM_S);
        EXPECT_TEXT(story->trace->str, "client@6 mail@8 client@9 ");
        story_free(story);
    }
}

static void silence(void *actor, Place *place, void *body)
{
    (void)body;
    place_set_stream(place, *(uint32_t *)actor, SIM_TIME_NEVER, 0);
}

static void test_a_stream_may_be_silenced_by_another_event(void)
{
    Story *story = story_new(1, 0);
    Place *place = kernel_place(story->kernel, 0);
    Teller tellers[2];
    uint32_t first =
        place_add_stream(place, RANK_CLIENT, 1, &teller(story, &tellers[0], "first")->handler);
    uint32_t second =
        place_add_stream(place, RANK_CLIENT, 2, &teller(story, &tellers[1], "second")->handler);
    Handler silencer = {silence, &first};

    place_set_stream(place, first, 5 * SIM_MS, 1);
    place_set_stream(place, second, 6 * SIM_MS, 1);
    post_at(place, 4 * SIM_MS, RANK_MESSAGE, 1, &silencer);
    kernel_run_until(story->kernel, SIM_S);
    EXPECT_TEXT(story->trace->str, "second@6 ");
    story_free(story);
}

typedef struct {
    Handler handler;
    Place *other;
    uint64_t hit_count;
} Paddle;

static void hit(void *actor, Place *place, void *body)
{
    Paddle *paddle = actor;
    Paddle *opponent = *(Paddle **)body;

    paddle->hit_count++;
    place_post(place, paddle->other,
               &(Post){.at_ns = place_now_ns(place) + 40 * SIM_MS,
                       .rank = RANK_MESSAGE,
                       .source = place_index(place),
                       .seq = paddle->hit_count,
                       .handler = &opponent->handler,
                       .body = &paddle,
                       .body_bytes = sizeof(paddle)});
}

static void test_ping_pong_takes_one_delay_a_hit(void)
{
    Story *story = story_new(2, 40 * SIM_MS);
    Place *left = kernel_place(story->kernel, 0);
    Place *right = kernel_place(story->kernel, 1);
    Paddle paddles[2] = {{.other = right}, {.other = left}};
    Paddle *opponent = &paddles[1];

    paddles[0].handler = (Handler){hit, &paddles[0]};
    paddles[1].handler = (Handler){hit, &paddles[1]};
    place_post(left, left,
               &(Post){.rank = RANK_CLIENT,
                       .handler = &paddles[0].handler,
                       .body = &opponent,
                       .body_bytes = sizeof(opponent)});
    kernel_run_until(story->kernel, 40 * SIM_S);
    EXPECT_INT(paddles[0].hit_count, 501);
    EXPECT_INT(paddles[1].hit_count, 500);
    story_free(story);
}

/* Stepping through two hundred simulated years window by window would never end. */
static void test_an_idle_stretch_is_skipped(void)
{
    Story *story = story_new(3, SIM_MS);
    Teller tellers[2];
    SimTime late_ns = 200 * 365 * SIM_DAY;

    post_at(kernel_place(story->kernel, 0), SIM_MS, RANK_CLIENT, 1,
            &teller(story, &tellers[0], "early")->handler);
    post_at(kernel_place(story->kernel, 2), late_ns, RANK_CLIENT, 2,
            &teller(story, &tellers[1], "late")->handler);
    kernel_run_until(story->kernel, SIM_TIME_NEVER);
    EXPECT_INT(kernel_event_count(story->kernel), 2);
    EXPECT_INT(kernel_now_ns(story->kernel), late_ns);
    story_free(story);
}

static void stop_run(void *actor, Place *place, void *body)
{
    (void)place;
    (void)body;
    kernel_stop(actor);
}

static void test_a_stopped_run_ends_at_that_instant_for_good(void)
{
    Story *story = story_new(2, 5 * SIM_MS);
    Handler stop = {stop_run, story->kernel};
    Teller tellers[3];
    Place *place = kernel_place(story->kernel, 0);

    post_at(place, 3 * SIM_MS, RANK_CLIENT, 1, &teller(story, &tellers[0], "before")->handler);
    control_at(story->kernel, 4 * SIM_MS, RANK_OPERATOR, 1, &stop);
    post_at(place, 4 * SIM_MS, RANK_CLIENT, 2, &teller(story, &tellers[1], "same")->handler);
    control_at(story->kernel, 4 * SIM_MS, RANK_SAMPLE, 2,
               &teller(story, &tellers[2], "sample")->handler);
    EXPECT(!kernel_run_until(story->kernel, SIM_S));
    EXPECT_INT(kernel_now_ns(story->kernel), 4 * SIM_MS);
    EXPECT(!kernel_run_until(story->kernel, SIM_S));
    EXPECT_TEXT(story->trace->str, "before@3 ");
    story_free(story);
}

typedef struct {
    Handler handler;
    Story *story;
    Teller fault;
    Teller sample;
    Teller client;
} Chain;

/* A sample adds a fault, a sample and a client event at its own instant. */
static void add_at_same_instant(void *actor, Place *place, void *body)
{
    Chain *chain = actor;
    Kernel *kernel = chain->story->kernel;
    SimTime now_ns = kernel_now_ns(kernel);

    (void)place;
    (void)body;
    g_string_append(chain->story->trace, "first ");
    control_at(kernel, now_ns, RANK_SAMPLE, 9, &chain->sample.handler);
    control_at(kernel, now_ns, RANK_FAULT, 9, &chain->fault.handler);
    post_at(kernel_place(kernel, 1), now_ns, RANK_CLIENT, 9, &chain->client.handler);
    EXPECT_INT(place_now_ns(kernel_place(kernel, 1)), now_ns);
}

static void test_what_a_control_adds_at_its_own_instant_comes_next(void)
{
    Story *story = story_new(2, 5 * SIM_MS);
    Chain chain = {.story = story};

    chain.handler = (Handler){add_at_same_instant, &chain};
    teller(story, &chain.fault, "fault");
    teller(story, &chain.sample, "sample");
    teller(story, &chain.client, "client");
    control_at(story->kernel, 6 * SIM_MS, RANK_SAMPLE, 1, &chain.handler);
    kernel_run_until(story->kernel, SIM_S);
    EXPECT_TEXT(story->trace->str, "first fault@6 client@6 sample@6 ");
    story_free(story);
}

static void send_too_fast(void)
{
    Story *story = story_new(2, 40 * SIM_MS);
    Teller late;
    Sender sender = {.to = kernel_place(story->kernel, 1), .delay_ns = 40 * SIM_MS - 1};

    sender.handler = (Handler){send_on, &sender};
    sender.then = &teller(story, &late, "late")->handler;
    post_at(kernel_place(story->kernel, 0), SIM_MS, RANK_CLIENT, 1, &sender.handler);
    kernel_run_until(story->kernel, SIM_S);
}

static void test_sending_faster_than_the_lookahead_dies(void)
{
    EXPECT(dies(send_too_fast));
}

static void send_twice_under_one_key(void)
{
    Story *story = story_new(1, 0);
    Teller twin;
    Place *place = kernel_place(story->kernel, 0);

    post_at(place, SIM_MS, RANK_CLIENT, 1, &teller(story, &twin, "twin")->handler);
    post_at(place, SIM_MS, RANK_CLIENT, 1, &twin.handler);
    kernel_run_until(story->kernel, SIM_S);
}

static void test_two_events_of_one_key_die(void)
{
    EXPECT(dies(send_twice_under_one_key));
}

static void reach_over(void *actor, Place *place, void *body)
{
    (void)body;
    place_set_stream(actor, 0, place_now_ns(place) + SIM_S, 1);
}

static void touch_another_place(void)
{
    Story *story = story_new(2, 40 * SIM_MS);
    Place *other = kernel_place(story->kernel, 1);
    Handler handler = {reach_over, other};
    Teller never;

    place_add_stream(other, RANK_CLIENT, 1, &teller(story, &never, "never")->handler);
    post_at(kernel_place(story->kernel, 0), SIM_MS, RANK_CLIENT, 1, &handler);
    kernel_run_until(story->kernel, SIM_S);
}

static void test_touching_another_place_in_a_window_dies(void)
{
    EXPECT(dies(touch_another_place));
}

static void ask_time(void *actor, Place *receiver)
{
    (void)actor;
    (void)place_now_ns(receiver);
}

static void mark(void *actor, Place *place, void *body)
{
    (void)actor;
    (void)body;
    place_mark_sent(place);
}

static void read_a_windows_boundary(void)
{
    Story *story = story_new(2, 40 * SIM_MS);
    Place *place = kernel_place(story->kernel, 0);
    Handler handler = {mark, NULL};

    kernel_on_publish(story->kernel, ask_time, NULL, place);
    post_at(place, SIM_MS, RANK_CLIENT, 1, &handler);
    kernel_run_until(story->kernel, SIM_S);
}

static void test_asking_for_the_time_while_publishing_dies(void)
{
    EXPECT(dies(read_a_windows_boundary));
}

static const TestCase cases[] = {
    TEST(test_one_instant_runs_by_rank_controls_around_places),
    TEST(test_a_message_arriving_at_the_windows_end_precedes_clients_and_samples),
    TEST(test_serially_a_message_without_delay_overtakes_what_its_sender_does_next),
    TEST(test_what_set_up_or_a_control_stages_is_visible_before_the_next_window),
    TEST(test_a_stream_may_be_silenced_by_another_event),
    TEST(test_ping_pong_takes_one_delay_a_hit),
    TEST(test_an_idle_stretch_is_skipped),
    TEST(test_a_stopped_run_ends_at_that_instant_for_good),
    TEST(test_what_a_control_adds_at_its_own_instant_comes_next),
    TEST(test_sending_faster_than_the_lookahead_dies),
    TEST(test_two_events_of_one_key_die),
    TEST(test_touching_another_place_in_a_window_dies),
    TEST(test_asking_for_the_time_while_publishing_dies),
};
TEST_MAIN("kernel", cases)
