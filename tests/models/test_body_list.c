/* Lists: the documented cases (crdt-semantics.md 5) and what comes early or late. */
#include "tests/models/list_fixture.h"

#include "models/crdt/body_list_private.h"

static World world_of(int member_count, const uint64_t *tokens, uint32_t count)
{
    World world;

    world_begin(&world, member_count);
    for (uint32_t i = 0; i < count; i++)
        do_insert(&world, 1, i, tokens[i]);
    deliver_all(&world);
    return world;
}

#define WORLD(members, ...)                                                                        \
    world_of(members, (const uint64_t[]){__VA_ARGS__},                                             \
             (uint32_t)(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)))

/* LINSERT AFTER x by both: the lower member's comes first though the other is newer. */
static void test_list_concurrent_inserts_go_by_member(void)
{
    World world = WORLD(2, 10);

    do_insert(&world, 2, 1, 12);
    do_insert(&world, 1, 1, 11);
    expect_everywhere(&world, "10 11 12 ");
    do_insert(&world, 2, 0, 9); /* LPUSH after the sync goes in front */
    expect_everywhere(&world, "9 10 11 12 ");
    world_end(&world);
}

/* [a,b,c]: 1 removes b and puts x after a, 2 puts y in front and z before b. */
static void test_list_tombstone_keeps_the_documented_order(void)
{
    World world = WORLD(2, 1, 2, 3);

    do_remove(&world, 1, 1, 1);
    do_insert(&world, 1, 1, 77);
    do_insert(&world, 2, 0, 88);
    do_insert(&world, 2, 2, 99);
    expect_everywhere(&world, "88 1 77 99 3 ");
    world_end(&world);
}

static void test_list_runs_do_not_interleave(void)
{
    World world = WORLD(3, 1);

    for (uint64_t i = 0; i < 4; i++) {
        do_insert(&world, 1, 1 + (uint32_t)i, 11 + i);
        do_insert(&world, 2, 1 + 2 * (uint32_t)i, 21 + i);
        do_insert(&world, 3, 0, 31 + i);
        do_insert(&world, 2, 0, 41 + i);
    }
    expect_everywhere(&world, "44 43 42 41 34 33 32 31 1 11 12 13 14 21 22 23 24 ");
    world_end(&world);
}

static void test_list_delete_spares_an_unseen_push(void)
{
    World world = WORLD(3, 1, 2);

    do_delete(&world, 1);
    do_insert(&world, 2, 2, 3);
    do_insert(&world, 2, 0, 4);
    expect_list(&world, 1, "");
    EXPECT(!body_list.is_present(world.sites[1].body));
    expect_everywhere(&world, "4 3 ");
    world_end(&world);
}

/* Member 3 hears of the DEL and of the removal before it hears of what they took. */
static void test_list_removal_may_come_before_its_element(void)
{
    World world;

    world_begin(&world, 3);
    do_insert(&world, 1, 0, 1);
    deliver(&world, 2, 1, 9);
    do_delete(&world, 2);
    do_insert(&world, 1, 1, 2);
    deliver(&world, 2, 1, 9);
    do_remove(&world, 2, 0, 1);
    deliver(&world, 3, 2, 9);
    EXPECT_INT(body_list.summary(world.sites[3].body).tombstone_count, 1);
    deliver(&world, 3, 1, 9);
    expect_list(&world, 3, "");
    EXPECT_INT(body_list.summary(world.sites[3].body).tombstone_count, 2);
    do_insert(&world, 1, 2, 3);
    expect_everywhere(&world, "3 ");
    world_end(&world);
}

/* 2 pushes after what 1 pushed; 3 hears of 2 first. */
static void test_list_element_waits_for_its_parent(void)
{
    World world;

    world_begin(&world, 3);
    do_insert(&world, 1, 0, 1);
    deliver(&world, 2, 1, 9);
    do_insert(&world, 2, 1, 2);
    do_insert(&world, 2, 1, 3);
    deliver(&world, 3, 2, 9);
    expect_list(&world, 3, "");
    EXPECT(!body_list.is_empty(world.sites[3].body, &world.sites[3].causality));
    EXPECT_INT(body_list.summary(world.sites[3].body).header_count, 3);
    expect_everywhere(&world, "1 3 2 ");
    world_end(&world);
}

static void test_list_both_pops_of_one_element_take_it_once(void)
{
    World world = WORLD(2, 1, 2, 3);

    do_remove(&world, 1, 0, 1);
    do_remove(&world, 2, 0, 2);
    expect_everywhere(&world, "3 ");
    world_end(&world);
}

static void test_list_set_goes_by_time_then_member(void)
{
    World world = WORLD(3, 1, 2);

    do_set(&world, 1, 0, 11, 5);
    do_set(&world, 2, 0, 12, 6);
    do_set(&world, 3, 1, 23, 5);
    do_set(&world, 2, 1, 22, 5);
    expect_everywhere(&world, "12 22 ");
    EXPECT_INT(body_list.summary(world.sites[1].body).sibling_count, 2);
    do_set(&world, 3, 0, 950, 1); /* a clock far behind does not undo what it has seen */
    expect_everywhere(&world, "950 22 ");
    EXPECT_INT(body_list.summary(world.sites[1].body).sibling_count, 1);
    world_end(&world);
}

/* 2 covers what 1 set; 3 hears of 2, and only then of 1. */
static void test_list_covered_set_that_comes_late_stays_covered(void)
{
    World world = WORLD(3, 1);

    do_set(&world, 1, 0, 11, 99);
    deliver(&world, 2, 1, 9);
    do_set(&world, 2, 0, 12, 1);
    deliver(&world, 3, 2, 9);
    expect_list(&world, 3, "12 ");
    expect_everywhere(&world, "12 ");
    EXPECT_INT(body_list.summary(world.sites[3].body).sibling_count, 0);
    world_end(&world);
}

static void test_list_removal_wins_over_a_set(void)
{
    World world = WORLD(2, 1, 2);

    do_remove(&world, 1, 0, 1);
    do_set(&world, 2, 0, 12, 100);
    expect_everywhere(&world, "2 ");
    world_end(&world);
}

/* What was removed stays in the books until all have observed it; what hangs on it stays in place.
 */
static void test_list_collects_what_everybody_saw_removed(void)
{
    World world = WORLD(2, 1, 2, 3, 4);
    CrdtBody *body = world.sites[1].body;

    do_remove(&world, 1, 1, 2);
    world_collect(&world);
    EXPECT_INT(body_list.summary(body).tombstone_count, 2);
    EXPECT_INT(body_list.summary(body).header_count, 4);
    do_insert(&world, 2, 2, 25); /* between two elements that are gone at 1 */
    deliver_all(&world);
    world_collect(&world);
    EXPECT_INT(body_list.summary(body).tombstone_count, 0);
    EXPECT_INT(body_list.summary(body).header_count, 3);
    expect_everywhere(&world, "1 25 4 ");
    world_end(&world);
}

/* At 3 the newer removal of member 1 comes to hold a tombstone first. */
static void test_list_removal_out_of_turn_keeps_no_other_back(void)
{
    World world;
    CrdtBody *body;

    world_begin(&world, 3);
    body = world.sites[3].body;
    do_insert(&world, 2, 0, 1);
    deliver(&world, 1, 2, 9);
    do_delete(&world, 1);
    do_insert(&world, 2, 1, 2);
    deliver(&world, 1, 2, 9);
    do_remove(&world, 1, 0, 1);
    deliver(&world, 3, 1, 9);
    deliver(&world, 3, 2, 9);
    deliver(&world, 2, 1, 1);
    EXPECT_INT(body_list.summary(body).tombstone_count, 2);
    world_collect(&world);
    EXPECT_INT(body_list.summary(body).tombstone_count, 1);
    deliver_all(&world);
    world_collect(&world);
    EXPECT_INT(body_list.summary(body).tombstone_count, 0);
    world_end(&world);
}

/* 1 and 2 pop one element, and each goes by its own pop.  All have collected up to 1's pop, which 1
 * may rely on, when 2 has still not heard that all know of its own. */
static void test_list_popped_twice_is_named_by_neither(void)
{
    World world = WORLD(3, 1, 2, 3);

    do_remove(&world, 1, 1, 1);
    do_remove(&world, 2, 1, 1);
    deliver(&world, 3, 1, 9);
    deliver(&world, 1, 2, 9);
    deliver(&world, 2, 1, 9);
    for (int m = 1; m <= 3; m++)
        site_report(&world, m);
    site_hear_reports(&world, 2);
    site_collect(&world, 2);
    EXPECT(!clock_covers(&world.sites[2].retired, record_at(&world, 2, 1)->effect.dot));
    deliver(&world, 3, 2, 9);
    for (int m = 3; m > 0; m -= 2) {
        site_hear_reports(&world, m);
        site_collect(&world, m);
    }
    for (int m = 2; m <= 3; m++)
        site_report(&world, m);
    site_hear_reports(&world, 1);
    site_drop(&world, 1);
    EXPECT(!body_list.drop(world.sites[1].body, NULL));
    do_insert(&world, 2, 1, 4);
    expect_everywhere(&world, "1 4 3 ");
    world_end(&world);
}

/* A state brings one of the two pops, and the clock that covers both. */
static void test_list_popped_twice_is_named_no_more_where_a_state_brings_it(void)
{
    World world = WORLD(3, 1);
    const Sequence *sequence = &world.sites[3].body->sequence;

    do_remove(&world, 1, 0, 1);
    do_remove(&world, 2, 0, 1);
    deliver(&world, 1, 2, 9);
    site_merge(&world.sites[3], &world.sites[1]);
    do_insert(&world, 3, 0, 2);
    EXPECT_INT(sequence->nodes[sequence_at(sequence, 0)].parent, SEQUENCE_ROOT);
    expect_everywhere(&world, "2 ");
    world_end(&world);
}

/* Each DEL's origin goes by its own, and here one of the two stands for both. */
static void test_list_element_that_two_deletes_await_is_named_no_more(void)
{
    const Sequence *sequence;
    World world;

    world_begin(&world, 4);
    do_insert(&world, 1, 0, 1);
    for (int m = 2; m <= 3; m++) {
        deliver(&world, m, 1, 9);
        do_delete(&world, m);
        deliver(&world, 4, m, 9);
    }
    deliver(&world, 4, 1, 9);
    expect_list(&world, 4, "");
    do_insert(&world, 4, 0, 2);
    sequence = &world.sites[4].body->sequence;
    EXPECT_INT(sequence->nodes[sequence_at(sequence, 0)].parent, SEQUENCE_ROOT);
    expect_everywhere(&world, "2 ");
    world_end(&world);
}

/* For ever: what is kept grows with the elements there are, not with those there were. */
static void expect_queue_stays_small(uint32_t push_at, uint32_t pop_at)
{
    World world = WORLD(2, 1, 2, 3, 4);
    const CrdtBody *body = world.sites[2].body;

    for (uint32_t i = 0; i < (uint32_t)test_count(3000, 100000); i++) {
        int m = 1 + (int)(i % 2);
        uint32_t count = list_count(world.sites[m].body);

        do_insert(&world, m, MIN(push_at, count), 5 + i % 800);
        do_remove(&world, m, MIN(pop_at, count), 1);
        deliver_all(&world);
        if (i % 7 == 0)
            world_collect(&world);
        EXPECT(body->sequence.count <= 64);
    }
    EXPECT_INT(list_count(body), 4);
    do_remove(&world, 1, 0, 4);
    deliver_all(&world);
    world_collect(&world);
    for (int m = 1; m <= 2; m++)
        EXPECT(body_list.is_empty(world.sites[m].body, &world.sites[m].causality));
    EXPECT_INT(body->sequence.capacity, 4);
    world_end(&world);
}

static void test_list_queues_stay_small_whichever_way_they_run(void)
{
    expect_queue_stays_small(UINT32_MAX, 0); /* RPUSH, LPOP */
    expect_queue_stays_small(0, UINT32_MAX); /* LPUSH, RPOP */
    expect_queue_stays_small(2, 2);          /* LINSERT, LREM in the middle */
    expect_queue_stays_small(0, 0);
    expect_queue_stays_small(UINT32_MAX, UINT32_MAX);
}

static void test_list_from_the_start_is_the_same_everywhere(void)
{
    World world;

    world_begin(&world, 2);
    for (int m = 1; m <= 2; m++)
        body_list.fill(world.sites[m].body, 3, 100);
    EXPECT_INT(body_list.summary(world.sites[1].body).value_bytes, 100);
    EXPECT(body_list.oldest_rank(world.sites[1].body) == 1);
    do_insert(&world, 1, 1, 11);
    do_delete(&world, 2);
    do_insert(&world, 2, 0, 22);
    expect_everywhere(&world, "22 11 ");
    world_end(&world);
}

static void test_list_fresh_body_is_empty_until_a_delete_is_ahead(void)
{
    World world = WORLD(3, 1);
    Site *late = &world.sites[4]; /* a member that has heard nothing yet */

    EXPECT(body_list.is_empty(late->body, &late->causality));
    do_delete(&world, 2);
    site_apply(late, record_at(&world, 2, 1));
    EXPECT(!body_list.is_empty(late->body, &late->causality));
    late->causality.clock.seq[1] = 1; /* the element was another key's */
    EXPECT(body_list.is_empty(late->body, &late->causality));
    world_end(&world);
}

static void test_list_oldest_rank_is_the_lowest_members_oldest(void)
{
    World world = WORLD(2, 1, 2);
    CrdtBody *body = world.sites[1].body;

    do_insert(&world, 2, 0, 3);
    deliver_all(&world);
    EXPECT(body_list.oldest_rank(body) == (UINT64_C(1) << 60 | 1));
    do_remove(&world, 1, 1, 1);
    EXPECT(body_list.oldest_rank(body) == (UINT64_C(1) << 60 | 2));
    do_remove(&world, 1, 1, 1);
    EXPECT(body_list.oldest_rank(body) == (UINT64_C(2) << 60 | 1));
    world_end(&world);
}

static void test_list_finds_equal_values_from_either_end(void)
{
    World world = WORLD(2, 5, 950, 5, 7, 950);
    const CrdtBody *body = world.sites[2].body;
    const Value five = {.kind = VALUE_SYNTHETIC, .number = 5, .bytes = 3};
    const Value longer = {.kind = VALUE_SYNTHETIC, .number = 5, .bytes = 4};
    const Value real = {.kind = VALUE_BYTES, .data = "950", .bytes = 3};
    ListCursor at = list_cursor(body, 1);

    EXPECT(list_find(&at, LIST_FORWARD, &five) && at.index == 2);
    EXPECT(list_find(&at, LIST_FORWARD, &real) && at.index == 4);
    list_cursor_back(&at);
    EXPECT(list_find(&at, LIST_BACK, &real) && at.index == 1);
    at = list_cursor(body, 4);
    EXPECT(list_find(&at, LIST_BACK, &five) && at.index == 2);
    EXPECT(!list_find(&at, LIST_FORWARD, &longer) && !list_cursor_is_valid(&at));
    EXPECT(!list_cursor_is_valid(&(ListCursor){0}));
    EXPECT_INT(list_count(NULL), 0);
    at = list_cursor(NULL, 0);
    EXPECT(!list_cursor_is_valid(&at));
    world_end(&world);
}

/* Two long queues grown apart, from both ends: chains as deep as they are long. */
static void test_list_long_runs_meet(void)
{
    const uint32_t count = (uint32_t)test_count(20000, 200000);
    World world = WORLD(2, 1);
    const CrdtBody *body = world.sites[1].body;

    for (uint32_t i = 0; i < count; i++) {
        do_insert(&world, 1, list_count(world.sites[1].body), 100);
        do_insert(&world, 2, list_count(world.sites[2].body), 200);
        do_insert(&world, 1, 0, 300);
        do_insert(&world, 2, 0, 400);
    }
    deliver_all(&world);
    EXPECT_INT(list_count(body), 4 * count + 1);
    EXPECT(digest_of(body) == digest_of(world.sites[2].body));
    EXPECT_INT(list_at(body, count - 1).number, 300);
    EXPECT_INT(list_at(body, count).number, 400);
    EXPECT_INT(list_at(body, 2 * count).number, 1);
    EXPECT_INT(list_at(body, 2 * count + 1).number, 100);
    EXPECT_INT(list_at(body, 3 * count).number, 100);
    EXPECT_INT(list_at(body, 3 * count + 1).number, 200);
    do_remove(&world, 2, 1, 4 * count - 1);
    expect_everywhere(&world, "300 200 ");
    world_end(&world);
}

static const TestCase cases[] = {
    TEST(test_list_concurrent_inserts_go_by_member),
    TEST(test_list_tombstone_keeps_the_documented_order),
    TEST(test_list_runs_do_not_interleave),
    TEST(test_list_delete_spares_an_unseen_push),
    TEST(test_list_removal_may_come_before_its_element),
    TEST(test_list_element_waits_for_its_parent),
    TEST(test_list_both_pops_of_one_element_take_it_once),
    TEST(test_list_set_goes_by_time_then_member),
    TEST(test_list_covered_set_that_comes_late_stays_covered),
    TEST(test_list_removal_wins_over_a_set),
    TEST(test_list_collects_what_everybody_saw_removed),
    TEST(test_list_removal_out_of_turn_keeps_no_other_back),
    TEST(test_list_popped_twice_is_named_by_neither),
    TEST(test_list_popped_twice_is_named_no_more_where_a_state_brings_it),
    TEST(test_list_element_that_two_deletes_await_is_named_no_more),
    TEST(test_list_queues_stay_small_whichever_way_they_run),
    TEST(test_list_from_the_start_is_the_same_everywhere),
    TEST(test_list_fresh_body_is_empty_until_a_delete_is_ahead),
    TEST(test_list_oldest_rank_is_the_lowest_members_oldest),
    TEST(test_list_finds_equal_values_from_either_end),
    TEST(test_list_long_runs_meet),
};
TEST_MAIN("body_list", cases)
