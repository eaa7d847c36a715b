/* A HyperLogLog key: DEL wins (crdt-semantics.md 6). */
#include "tests/models/body_hll_fixture.h"

/* --- the documented stories (redis/docs, Active-Active, develop/data-types/hyperloglog.md) */

static void expect_count(const Fixture *f, int64_t count)
{
    for (uint32_t m = 1; m <= f->member_count; m++) {
        EXPECT_INT(body_hll_count(f->members[m].body), count);
        EXPECT_INT(body_hll.is_present(f->members[m].body), count > 0);
    }
}

static void test_hll_additions_before_and_after_a_sync_are_counted(void)
{
    g_autoptr(Fixture) f = fixture_new(2);

    EXPECT_INT(add_text(f, 1, "x"), 1);
    exchange(f);
    EXPECT_INT(add_text(f, 2, "y"), 1);
    EXPECT_INT(add_text(f, 2, "x"), 0);
    exchange(f);
    expect_count(f, 2);
}

static void test_hll_concurrent_additions_are_all_counted(void)
{
    g_autoptr(Fixture) f = fixture_new(2);

    add_text(f, 1, "x");
    add_text(f, 2, "y");
    add_text(f, 2, "x");
    exchange(f);
    expect_count(f, 2);
}

static void test_hll_del_beats_a_concurrent_addition(void)
{
    g_autoptr(Fixture) f = fixture_new(2);

    add_text(f, 1, "e1");
    exchange(f);
    add_text(f, 2, "e2");
    delete_key(f, 1);
    EXPECT_INT(body_hll_count(f->members[2].body), 2);
    exchange(f);
    expect_count(f, 0);
}

static void test_hll_addition_that_saw_the_del_lives(void)
{
    g_autoptr(Fixture) f = fixture_new(3);

    add_text(f, 1, "e1");
    exchange(f);
    add_text(f, 3, "lost");
    delete_key(f, 1);
    add_text(f, 1, "own");
    deliver(f, 2, 1, UINT64_MAX);
    add_text(f, 2, "e2");
    exchange(f);
    expect_count(f, 2);
}

/* The DEL comes last to member 3: what was added after it is told from what was added before. */
static void test_hll_del_that_arrives_late_spares_what_had_seen_it(void)
{
    g_autoptr(Fixture) f = fixture_new(3);

    add_text(f, 3, "lost");
    delete_key(f, 1);
    deliver(f, 2, 1, UINT64_MAX);
    add_text(f, 2, "e2");
    deliver(f, 3, 2, UINT64_MAX);
    EXPECT_INT(body_hll_count(f->members[3].body), 2);
    EXPECT_INT(body_hll.summary(f->members[3].body).sibling_count, 1);
    exchange(f);
    expect_count(f, 1);
    EXPECT_INT(body_hll.summary(f->members[3].body).sibling_count, 0);
}

/* A DEL of a key that showed another type at its origin may not come where nothing is: it counts
 * nowhere. */
static void test_hll_del_of_another_type_does_not_count(void)
{
    g_autoptr(Fixture) f = fixture_new(2);
    Made *made;

    add_text(f, 1, "x");
    made = make(f, 1, EFFECT_DELETE);
    made->effect.type = CRDT_SET;
    receive(&f->members[1], made);
    exchange(f);
    expect_count(f, 1);
    EXPECT_INT(body_hll.summary(f->members[1].body).tombstone_count, 0);
}

/* What exists from the start is older than everything and goes with the first DEL. */
static void test_hll_content_from_the_start_is_like_any_other(void)
{
    g_autoptr(Fixture) f = fixture_new(2);

    for (uint32_t m = 1; m <= 2; m++)
        body_hll.fill(f->members[m].body, 100, 0);
    EXPECT_INT(body_hll.oldest_rank(f->members[1].body), 1);
    expect_count(f, 100);
    add_text(f, 2, "x");
    exchange(f);
    expect_count(f, 101);
    delete_key(f, 1);
    exchange(f);
    expect_count(f, 0);
}

/* --- the books and the commands' side */

static void test_hll_books_follow_the_key_through_its_life(void)
{
    g_autoptr(Fixture) f = fixture_new(2);
    CrdtBody *body = f->members[1].body;
    PayloadWriter string = {0};

    EXPECT(body_hll.is_empty(body, &f->members[1].causality));
    add(f, 1, NULL, 0); /* PFADD without elements makes the key */
    EXPECT(body_hll.is_present(body));
    add_text(f, 1, "x");
    EXPECT_INT(body_hll.summary(body).element_count, 1);
    EXPECT_INT(body_hll.summary(body).header_count, 1);
    body_hll_write_redis(body, &string);
    EXPECT_INT(body_hll.summary(body).value_bytes, string.bytes);
    EXPECT_INT(string.bytes, 20);
    delete_key(f, 1);
    EXPECT_INT(body_hll.summary(body).value_bytes, 0);
    EXPECT_INT(body_hll.summary(body).element_count, 0);
    EXPECT_INT(body_hll.summary(body).tombstone_count, 1);
    collect(f, 1);
    EXPECT(!body_hll.is_empty(body, &f->members[1].causality)); /* 2 may still add unseeing */
    exchange(f);
    collect(f, 1);
    EXPECT(body_hll.is_empty(body, &f->members[1].causality));
    payload_clear(&string);
}

/* PFMERGE: one edit with the registers of the union, the target's own among them. */
static void test_hll_merged_keys_are_one_edit(void)
{
    g_autoptr(Fixture) f = fixture_new(2);
    Made *made;
    g_auto(Hll) sources = {0};
    g_auto(Hll) result = {0};

    for (uint64_t token = 0; token < 30000; token++)
        hll_raise(&sources, hll_hash_token(token));
    add_text(f, 1, "x");
    made = make(f, 1, EFFECT_EDIT);
    EXPECT(body_hll_edit_join(f->members[1].body, &sources, &made->edit) >= sources.count - 1);
    receive(&f->members[1], made);
    exchange(f);
    hll_raise(&sources, hll_hash("x", 1));
    expect_count(f, hll_count(&sources));
    body_hll_join(&result, f->members[2].body);
    EXPECT_INT(result.count, sources.count);
    EXPECT_INT(body_hll.summary(f->members[2].body).value_bytes, 12304);
}

static const TestCase cases[] = {
    TEST(test_hll_additions_before_and_after_a_sync_are_counted),
    TEST(test_hll_concurrent_additions_are_all_counted),
    TEST(test_hll_del_beats_a_concurrent_addition),
    TEST(test_hll_addition_that_saw_the_del_lives),
    TEST(test_hll_del_that_arrives_late_spares_what_had_seen_it),
    TEST(test_hll_del_of_another_type_does_not_count),
    TEST(test_hll_content_from_the_start_is_like_any_other),
    TEST(test_hll_books_follow_the_key_through_its_life),
    TEST(test_hll_merged_keys_are_one_edit),
};
TEST_MAIN("body_hll", cases)
