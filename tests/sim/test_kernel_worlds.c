/* Random worlds of five places whose actors do everything the kernel allows: streams, timers,
 * bodies, posts and links between places, events at the present instant with a lower rank, controls
 * that change the world, and samples that read all of it.  Times lie on a coarse grid, so that most
 * of them coincide. However such a world is run, each actor must have seen the same.
 */
#include <string.h>

#include "sim/digest.h"
#include "sim/kernel.h"
#include "sim/rng.h"
#include "tests/test.h"

#define PLACES     5u
#define DELAY_NS   (5 * SIM_MS) /* the least between two places */
#define GRID_NS    SIM_MS
#define RUN_NS     (2 * SIM_S)
#define SAMPLE_NS  (50 * SIM_MS)
#define FAULT_NS   (7 * SIM_MS)
#define STAGED_MAX 1024u /* more than any wire carries in a run */

typedef struct Node Node;
typedef struct World World;

/* One direction: the sender stages, publishing moves it to the receiver's side, the receiver's
 * stream takes it from there in order. */
typedef struct {
    Handler handler;
    Node *to;
    uint32_t stream;
    SimTime last_ns;
    uint64_t sent_seq;
    uint64_t published_seq;
    uint64_t taken_seq;
    struct {
        SimTime at_ns;
        uint64_t payload;
    } ring[STAGED_MAX];
} Wire;

struct Node {
    World *world;
    Place *place;
    Rng rng;
    Digest digest;
    Handler tick;
    Handler timer;
    Handler message;
    uint32_t tick_stream;
    uint64_t seq;           /* of everything this node sends */
    uint32_t reply_percent; /* changed by faults */
    uint64_t wrong_count;   /* CUnit's own counters are not for threads */
};

struct World {
    Kernel *kernel;
    Node nodes[PLACES];
    Wire wires[PLACES][PLACES]; /* from, to */
    Rng rng;                    /* of controls */
    Digest samples;
    Handler fault;
    Handler sample;
    uint64_t control_seq;
    bool is_switching; /* faults change the lookahead */
    bool is_watched;   /* serial: all places keep one time */
    SimTime watched_ns;
    SimTime delay_ns; /* the least between two places */
};

typedef struct {
    uint64_t payload;
    uint32_t hop_count;
    uint32_t from;
    unsigned char filling[24];
} Body;

static SimTime grid_steps(Rng *rng, uint64_t step_count)
{
    return (SimTime)rng_below(rng, step_count) * GRID_NS;
}

static void fold(Node *node, uint64_t what, uint64_t payload)
{
    World *world = node->world;

    if (world->is_watched) {
        node->wrong_count += place_now_ns(node->place) < world->watched_ns;
        world->watched_ns = place_now_ns(node->place);
    }
    digest_u64(&node->digest, what);
    digest_u64(&node->digest, (uint64_t)place_now_ns(node->place));
    digest_u64(&node->digest, payload);
}

static void send_body(Node *node, Node *to, SimTime at_ns, Rank rank, const Body *body)
{
    place_post(node->place, to->place,
               &(Post){.at_ns = at_ns,
                       .rank = rank,
                       .source = 10 + place_index(node->place),
                       .seq = ++node->seq,
                       .handler = node == to ? &to->timer : &to->message,
                       .body = body,
                       .body_bytes = sizeof(*body)});
}

static Node *any_other(Node *node)
{
    uint64_t step = 1 + rng_below(&node->rng, PLACES - 1);

    return &node->world->nodes[(place_index(node->place) + step) % PLACES];
}

static void send_by_wire(Node *node)
{
    Node *to = any_other(node);
    Wire *wire = &node->world->wires[place_index(node->place)][place_index(to->place)];
    SimTime at_ns = place_now_ns(node->place) + node->world->delay_ns + grid_steps(&node->rng, 3);
    uint64_t slot = wire->sent_seq % STAGED_MAX;

    wire->last_ns = MAX(wire->last_ns, at_ns);
    wire->ring[slot].at_ns = wire->last_ns;
    wire->ring[slot].payload = rng_u64(&node->rng);
    wire->sent_seq++;
    node->wrong_count += wire->sent_seq > STAGED_MAX;
    place_mark_sent(node->place);
}

static void wire_set_stream(Wire *wire, Place *receiver)
{
    SimTime next_ns = SIM_TIME_NEVER;

    if (wire->taken_seq < wire->published_seq)
        next_ns = wire->ring[wire->taken_seq % STAGED_MAX].at_ns;
    place_set_stream(receiver, wire->stream, next_ns, wire->taken_seq);
}

static void wire_publish(void *actor, Place *receiver)
{
    Wire *wire = actor;

    wire->published_seq = wire->sent_seq;
    wire_set_stream(wire, receiver);
}

static void wire_arrive(void *actor, Place *place, void *body)
{
    Wire *wire = actor;

    wire->to->wrong_count += body != NULL;
    fold(wire->to, 1, wire->ring[wire->taken_seq % STAGED_MAX].payload);
    wire->taken_seq++;
    wire_set_stream(wire, place);
}

/* A client of the place: its own timers, posts to others, wires, and its next arrival.  Draws stand
 * in statements of their own: compilers differ in the order in which they evaluate arguments. */
static void node_tick(void *actor, Place *place, void *nothing)
{
    Node *node = actor;
    SimTime now_ns = place_now_ns(place);
    Body body = {.payload = rng_u64(&node->rng), .from = place_index(place)};
    uint64_t choice = rng_below(&node->rng, 4);
    SimTime wait_ns = grid_steps(&node->rng, 40);
    SimTime next_ns = now_ns + grid_steps(&node->rng, 4);

    node->wrong_count += nothing != NULL;
    fold(node, 2, node->seq);
    if (choice == 0)
        send_body(node, node, now_ns + wait_ns, RANK_CLIENT, &body);
    else if (choice == 1)
        send_body(node, any_other(node), now_ns + node->world->delay_ns + wait_ns, RANK_MESSAGE,
                  &body);
    else if (choice == 2)
        send_by_wire(node);
    place_set_stream(place, node->tick_stream, next_ns, ++node->seq);
}

/* One in three posts again at this very instant, under a rank that has already gone by. */
static void node_timer(void *actor, Place *place, void *data)
{
    Node *node = actor;
    Body body = *(Body *)data;

    fold(node, 3, body.payload);
    if (body.hop_count++ < 3 && rng_below(&node->rng, 3) == 0)
        send_body(node, node, place_now_ns(place), (Rank)rng_below(&node->rng, 4), &body);
}

static void node_message(void *actor, Place *place, void *data)
{
    Node *node = actor;
    Body *body = data;

    fold(node, 4, body->payload ^ body->hop_count);
    if (rng_below(&node->rng, 100) < node->reply_percent) {
        Body reply = {.payload = rng_mix(body->payload),
                      .hop_count = body->hop_count + 1,
                      .from = place_index(place)};

        send_body(node, &node->world->nodes[body->from],
                  place_now_ns(place) + node->world->delay_ns, RANK_MESSAGE, &reply);
    }
}

static void control_add(World *world, SimTime at_ns, Rank rank, const Handler *handler)
{
    kernel_at(world->kernel, &(Control){.at_ns = at_ns,
                                        .rank = rank,
                                        .source = 1,
                                        .seq = ++world->control_seq,
                                        .handler = handler});
}

/* Changes one place, posts to another at this instant, stages on a wire, and asks for a sample now.
 */
static void world_fault(void *actor, Place *place, void *body)
{
    static const SimTime lookaheads_ns[] = {DELAY_NS, 0, SIM_MS, 10 * SIM_US, 2 * SIM_MS};
    World *world = actor;
    SimTime now_ns = kernel_now_ns(world->kernel);
    Node *node = &world->nodes[rng_below(&world->rng, PLACES)];
    Body post = {.payload = rng_u64(&world->rng)};
    Rank rank;

    EXPECT(place == NULL && body == NULL);
    node->reply_percent = (uint32_t)rng_below(&world->rng, 95);
    node = &world->nodes[rng_below(&world->rng, PLACES)];
    send_body(node, node, now_ns, RANK_CLIENT, &post);
    send_by_wire(node);
    if (world->is_switching)
        kernel_set_lookahead(world->kernel,
                             lookaheads_ns[rng_below(&world->rng, G_N_ELEMENTS(lookaheads_ns))]);
    else
        (void)rng_u64(&world->rng);
    if (rng_below(&world->rng, 3) == 0)
        control_add(world, now_ns, RANK_SAMPLE, &world->sample);
    rank = rng_below(&world->rng, 2) ? RANK_FAULT : RANK_OPERATOR;
    control_add(world, now_ns + FAULT_NS + grid_steps(&world->rng, 30), rank, &world->fault);
}

static void world_sample(void *actor, Place *place, void *body)
{
    World *world = actor;

    EXPECT(place == NULL && body == NULL);
    digest_u64(&world->samples, (uint64_t)kernel_now_ns(world->kernel));
    digest_u64(&world->samples, kernel_event_count(world->kernel));
    for (uint32_t i = 0; i < PLACES; i++)
        digest_combine(&world->samples, world->nodes[i].digest);
    if (kernel_now_ns(world->kernel) % SAMPLE_NS == 0)
        control_add(world, kernel_now_ns(world->kernel) + SAMPLE_NS, RANK_SAMPLE, &world->sample);
}

static void node_init(World *world, uint32_t index, uint64_t seed)
{
    Node *node = &world->nodes[index];
    char label[] = "node/0";

    label[5] = (char)('0' + index);
    *node = (Node){.world = world,
                   .place = kernel_place(world->kernel, index),
                   .rng = rng_stream(seed, label),
                   .digest = digest_begin(),
                   .tick = {node_tick, node},
                   .timer = {node_timer, node},
                   .message = {node_message, node},
                   .reply_percent = 50};
    node->tick_stream = place_add_stream(node->place, RANK_CLIENT, 30 + index, &node->tick);
    place_set_stream(node->place, node->tick_stream, (SimTime)index * GRID_NS, 0);
}

static World *world_new(uint64_t seed, const KernelConfig *config, SimTime lookahead_ns)
{
    World *world = g_new0(World, 1);

    world->kernel = kernel_new(config);
    world->delay_ns = DELAY_NS;
    kernel_set_lookahead(world->kernel, lookahead_ns);
    kernel_set_run(world->kernel, "random world", NULL, seed);
    world->rng = rng_stream(seed, "world");
    world->samples = digest_begin();
    world->fault = (Handler){world_fault, world};
    world->sample = (Handler){world_sample, world};
    for (uint32_t i = 0; i < PLACES; i++)
        node_init(world, i, seed);
    for (uint32_t from = 0; from < PLACES; from++) {
        for (uint32_t to = 0; to < PLACES; to++) {
            Wire *wire = &world->wires[from][to];

            if (from == to)
                continue;
            wire->to = &world->nodes[to];
            wire->handler = (Handler){wire_arrive, wire};
            wire->stream = place_add_stream(wire->to->place, RANK_MESSAGE, 100 + from * PLACES + to,
                                            &wire->handler);
            kernel_on_publish(world->kernel, wire_publish, wire, wire->to->place);
        }
    }
    control_add(world, FAULT_NS, RANK_FAULT, &world->fault);
    control_add(world, SAMPLE_NS, RANK_SAMPLE, &world->sample);
    send_by_wire(&world->nodes[0]); /* staged before the run */
    return world;
}

/* Of everything any actor has seen, in id order. */
static uint64_t world_end(World *world)
{
    Digest digest = world->samples;

    for (uint32_t i = 0; i < PLACES; i++) {
        EXPECT_INT(world->nodes[i].wrong_count, 0);
        digest_combine(&digest, world->nodes[i].digest);
    }
    digest_u64(&digest, kernel_event_count(world->kernel));
    kernel_free(world->kernel);
    g_free(world);
    return digest.value;
}

static uint64_t run_whole(uint64_t seed, const KernelConfig *config, SimTime lookahead_ns)
{
    World *world = world_new(seed, config, lookahead_ns);

    EXPECT(kernel_run_until(world->kernel, RUN_NS));
    return world_end(world);
}

static const KernelConfig one_thread = {.place_count = PLACES};
static const KernelConfig serial = {.place_count = PLACES, .serial = true};

static void expect_same(uint64_t actual, uint64_t expected, uint64_t seed)
{
    if (actual != expected)
        g_printerr("world %" G_GUINT64_FORMAT " differs\n", seed);
    EXPECT(actual == expected);
}

static void test_two_seeds_differ_and_one_repeats(void)
{
    EXPECT(run_whole(1, &one_thread, DELAY_NS) == run_whole(1, &one_thread, DELAY_NS));
    EXPECT(run_whole(1, &one_thread, DELAY_NS) != run_whole(2, &one_thread, DELAY_NS));
}

/* Changes only with the order law, the generator or this file. */
static void test_a_known_world_is_the_same_on_every_machine(void)
{
    EXPECT_INT(run_whole(1, &one_thread, DELAY_NS), INT64_C(-3748776250428052498));
}

static void test_threads_never_matter(void)
{
    for (uint64_t seed = 0; seed < (uint64_t)test_count(3, 100); seed++) {
        uint64_t expected = run_whole(seed, &one_thread, DELAY_NS);

        for (uint32_t threads = 2; threads <= 5; threads += 3) {
            KernelConfig config = {.place_count = PLACES, .thread_count = threads};

            expect_same(run_whole(seed, &config, DELAY_NS), expected, seed);
        }
    }
}

static void test_serial_mode_sees_the_same(void)
{
    for (uint64_t seed = 0; seed < (uint64_t)test_count(10, 300); seed++) {
        uint64_t expected = run_whole(seed, &one_thread, DELAY_NS);

        expect_same(run_whole(seed, &serial, DELAY_NS), expected, seed);
        expect_same(run_whole(seed, &one_thread, 0), expected, seed);
    }
}

/* A lookahead below the true least delay is only less efficient. */
static void test_the_length_of_windows_never_matters(void)
{
    static const SimTime lookaheads_ns[] = {DELAY_NS - 1, 3333 * SIM_US, SIM_MS, 100 * SIM_US,
                                            99 * SIM_US};

    for (uint64_t seed = 0; seed < (uint64_t)test_count(5, 100); seed++) {
        uint64_t expected = run_whole(seed, &one_thread, DELAY_NS);

        for (size_t i = 0; i < G_N_ELEMENTS(lookaheads_ns); i++)
            expect_same(run_whole(seed, &one_thread, lookaheads_ns[i]), expected, seed);
    }
}

static void test_switching_between_modes_during_a_run_never_matters(void)
{
    for (uint64_t seed = 0; seed < (uint64_t)test_count(10, 300); seed++) {
        KernelConfig config = {.place_count = PLACES, .thread_count = seed % 4 == 0 ? 2 : 1};
        World *world = world_new(seed, &config, DELAY_NS);

        world->is_switching = true;
        EXPECT(kernel_run_until(world->kernel, RUN_NS));
        expect_same(world_end(world), run_whole(seed, &one_thread, DELAY_NS), seed);
    }
}

/* Messages may take no time at all; whoever has the least key runs, so time never goes back
 * anywhere. */
static void test_without_a_delay_all_places_keep_one_time(void)
{
    for (uint64_t seed = 0; seed < (uint64_t)test_count(10, 300); seed++) {
        World *world = world_new(seed, &one_thread, 0);

        world->is_watched = true;
        world->delay_ns = 0;
        EXPECT(kernel_run_until(world->kernel, RUN_NS));
        EXPECT(world_end(world) != run_whole(seed, &serial, 0));
    }
}

/* Stops at random instants, every fourth of them on the grid where events lie. */
static uint64_t run_cut(uint64_t seed, const KernelConfig *config, uint64_t cut_count)
{
    World *world = world_new(seed, config, DELAY_NS);
    Rng rng = rng_stream(seed, "cuts");
    uint64_t step_ns = (uint64_t)RUN_NS / cut_count;
    SimTime now_ns = 0;

    for (uint64_t i = 0; i < cut_count; i++) {
        SimTime cut_ns = (SimTime)(i * step_ns + rng_below(&rng, step_ns));

        if (i % 4 == 0)
            cut_ns = MAX(now_ns, cut_ns / GRID_NS * GRID_NS);
        now_ns = cut_ns;
        EXPECT(kernel_run_until(world->kernel, now_ns));
        EXPECT_INT(kernel_now_ns(world->kernel), now_ns);
    }
    EXPECT(kernel_run_until(world->kernel, RUN_NS));
    return world_end(world);
}

static void test_cuts_are_invisible(void)
{
    for (uint64_t seed = 0; seed < (uint64_t)test_count(2, 20); seed++) {
        KernelConfig two_threads = {.place_count = PLACES, .thread_count = 2};
        uint64_t expected = run_whole(seed, &one_thread, DELAY_NS);

        expect_same(run_cut(seed, &one_thread, 10000), expected, seed);
        expect_same(run_cut(seed, &serial, 10000), expected, seed);
        expect_same(run_cut(seed, &two_threads, 500), expected, seed);
    }
}

static const TestCase cases[] = {
    TEST(test_two_seeds_differ_and_one_repeats),
    TEST(test_a_known_world_is_the_same_on_every_machine),
    TEST(test_threads_never_matter),
    TEST(test_serial_mode_sees_the_same),
    TEST(test_the_length_of_windows_never_matters),
    TEST(test_switching_between_modes_during_a_run_never_matters),
    TEST(test_without_a_delay_all_places_keep_one_time),
    TEST(test_cuts_are_invisible),
};
TEST_MAIN("kernel worlds", cases)
