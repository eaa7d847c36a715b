/* JSON documents: the documented outcomes (redis/docs, active-active JSON conflict resolution) and
 * what commands ask for. */
#include "tests/models/json_fixture.h"

static void expect_all(World *w, const char *expected)
{
    sync_all(w);
    for (uint32_t m = 1; m <= w->members; m++)
        expect_shown(w, m, expected);
    world_free(w);
}

/* redis/docs, JSON conflict resolution: different types. */
static void test_json_smaller_member_wins_with_what_it_put_inside(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{}");
    sync_all(w);
    set(w, 1, "$.a", "{}");
    set(w, 2, "$.a", "[]");
    set(w, 1, "$.a.x", "\"y\"");
    set(w, 2, "$.a", "[\"z\"]");
    expect_shown(w, 2, "{\"a\":[\"z\"]}");
    expect_all(w, "{\"a\":{\"x\":\"y\"}}");
}

static void test_json_creating_beats_updating_inside(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"a\":1}");
    sync_all(w);
    set(w, 1, "$.a", "100");
    set(w, 2, "$", "{\"b\":2}");
    expect_all(w, "{\"b\":2}");
}

static void test_json_deleting_beats_updating_inside_but_not_creating(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"a\":1}");
    sync_all(w);
    EXPECT_INT(del(w, 1, "$"), 1);
    EXPECT(!body_json.is_present(w->member[1].body));
    set(w, 2, "$.a", "[1,2,3]");
    expect_all(w, "");

    w = world_new(2);
    set(w, 1, "$", "{\"a\":1}");
    sync_all(w);
    del(w, 1, "$");
    set(w, 2, "$", "{\"a\":2}");
    expect_all(w, "{\"a\":2}");
}

static void test_json_fresh_object_discards_an_addition_to_the_old_one(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"colors\":{\"blue\":1}}");
    sync_all(w);
    set(w, 1, "$.colors.red", "2");
    set(w, 2, "$.colors", "{}");
    set(w, 2, "$.colors.green", "3");
    expect_all(w, "{\"colors\":{\"green\":3}}");
}

static void test_json_clear_merges_with_an_addition(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"colors\":{\"blue\":1}}");
    sync_all(w);
    set(w, 1, "$.colors.red", "2");
    EXPECT_INT(clear(w, 2, "$.colors"), 1);
    expect_shown(w, 2, "{\"colors\":{}}");
    set(w, 2, "$.colors.green", "3");
    expect_all(w, "{\"colors\":{\"red\":2,\"green\":3}}");
}

static void test_json_array_edits_keep_each_sides_order(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "[\"a\",\"b\",\"c\"]");
    sync_all(w);
    pop(w, 1, "$", 1);
    insert(w, 2, "$", 0, "\"y\"");
    insert(w, 1, "$", 1, "\"x\"");
    insert(w, 2, "$", 2, "\"z\"");
    expect_shown(w, 1, "[\"a\",\"x\",\"c\"]");
    expect_shown(w, 2, "[\"y\",\"a\",\"z\",\"b\",\"c\"]");
    expect_all(w, "[\"y\",\"a\",\"x\",\"z\",\"c\"]");

    w = world_new(2);
    set(w, 1, "$", "{\"grocery\":[]}");
    sync_all(w);
    insert(w, 1, "$.grocery", 0, "\"eggs\"");
    insert(w, 2, "$.grocery", 0, "\"milk\"");
    insert(w, 1, "$.grocery", 1, "\"ham\"");
    insert(w, 2, "$.grocery", 1, "\"flour\"");
    expect_all(w, "{\"grocery\":[\"eggs\",\"ham\",\"milk\",\"flour\"]}");
}

static void test_json_removing_an_element_beats_an_update_in_it(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"todo\":[{\"done\":false}]}");
    sync_all(w);
    pop(w, 1, "$.todo", 0);
    set(w, 2, "$.todo[0].done", "true");
    set(w, 2, "$.todo[0]", "7");
    expect_all(w, "{\"todo\":[]}");
}

static void test_json_later_update_wins_whoever_made_it(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"f\":1,\"g\":[1]}");
    sync_all(w);
    set(w, 2, "$.f", "2");
    set(w, 2, "$.g[0]", "5");
    expect_all(w, "{\"f\":2,\"g\":[5]}");
}

static void test_json_set_of_a_key_survives_its_concurrent_removal(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"f\":1}");
    sync_all(w);
    del(w, 1, "$.f");
    set(w, 2, "$.f", "2");
    expect_all(w, "{\"f\":2}");
}

/* The update of 2 reaches 3 before the document of 1 it is in. */
static void test_json_update_waits_for_its_container(void)
{
    World *w = world_new(3);

    set(w, 1, "$", "{\"a\":{\"l\":[1]}}");
    EXPECT(deliver(w, 1, 2));
    set(w, 2, "$.a.b", "{\"c\":[]}");
    insert(w, 2, "$.a.l", 1, "2");
    insert(w, 2, "$.a.b.c", 0, "3");
    while (deliver(w, 2, 3))
        ;
    EXPECT(!body_json.is_present(w->member[3].body));
    EXPECT(!body_json.is_empty(w->member[3].body, &w->member[3].causality));
    EXPECT(deliver(w, 1, 3));
    expect_shown(w, 3, "{\"a\":{\"l\":[1,2],\"b\":{\"c\":[3]}}}");
    expect_all(w, "{\"a\":{\"l\":[1,2],\"b\":{\"c\":[3]}}}");
}

/* Member 2's removal reaches 3 before the document, and covers it when it comes. */
static void test_json_delete_may_come_before_what_it_deletes(void)
{
    World *w = world_new(3);

    set(w, 1, "$", "{\"a\":[1,[2]]}");
    EXPECT(deliver(w, 1, 2));
    insert(w, 2, "$.a", 1, "9");
    del(w, 2, "$");
    while (deliver(w, 2, 3))
        ;
    EXPECT(!body_json.is_empty(w->member[3].body, &w->member[3].causality));
    EXPECT(deliver(w, 1, 3));
    EXPECT(!body_json.is_present(w->member[3].body));
    EXPECT(body_json.is_empty(w->member[3].body, &w->member[3].causality));
    EXPECT_INT(body_json.summary(w->member[3].body).header_count, 0);
    expect_all(w, "");
}

static void test_json_assigned_key_keeps_its_place_and_a_new_one_is_last(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"a\":1,\"b\":2,\"c\":3}");
    set(w, 1, "$.a", "4");
    del(w, 1, "$.b");
    set(w, 1, "$.b", "5");
    expect_all(w, "{\"a\":4,\"c\":3,\"b\":5}");
}

static void test_json_merge_patches_key_by_key(void)
{
    World *w = world_new(2);

    set(w, 1, "$", "{\"a\":{\"x\":1,\"y\":2},\"b\":[1],\"c\":3}");
    sync_all(w);
    merge_patch(w, 1, "$", "{\"a\":{\"x\":null,\"z\":{\"q\":null,\"r\":1}},\"b\":{\"k\":null}}");
    expect_shown(w, 1, "{\"a\":{\"y\":2,\"z\":{\"r\":1}},\"b\":{},\"c\":3}");
    merge_patch(w, 2, "$.a", "{\"y\":5,\"w\":null}");
    merge_patch(w, 2, "$.d", "[null]");
    expect_all(w, "{\"a\":{\"y\":5,\"z\":{\"r\":1}},\"b\":{},\"c\":3,\"d\":[null]}");
}

static void test_json_set_says_why_it_does_nothing(void)
{
    World *w = world_new(1);

    EXPECT_INT(set(w, 1, "$.a", "1"), JSON_EDIT_NOT_ROOT);
    set(w, 1, "$", "{\"a\":[1],\"b\":{\"b\":2}}");
    EXPECT_INT(set(w, 1, "$.x.y", "1"), JSON_EDIT_NOTHING);
    EXPECT_INT(set(w, 1, "$.a.k", "1"), JSON_EDIT_NOTHING);
    EXPECT_INT(set(w, 1, "$.a[4]", "1"), JSON_EDIT_NO_INDEX);
    EXPECT_INT(set(w, 1, "$.a[4].k", "1"), JSON_EDIT_NOTHING);
    EXPECT_INT(set(w, 1, "$..nope", "1"), JSON_EDIT_NOT_STATIC);
    EXPECT_INT(set(w, 1, "$.*.n", "1"), JSON_EDIT_NOT_STATIC);
    EXPECT_INT(set(w, 1, "$.b.n", "1"), JSON_EDIT_DONE);
    expect_shown(w, 1, "{\"a\":[1],\"b\":{\"b\":2,\"n\":1}}");
    EXPECT_INT(del(w, 1, "$..b"), 1);
    expect_all(w, "{\"a\":[1]}");
}

static void test_json_numbers_texts_and_truths_change_in_place(void)
{
    World *w = world_new(1);
    Content by = {.kind = CONTENT_INTEGER, .integer = 5}, result;
    PayloadWriter edit = {0};
    uint32_t bytes;
    bool now;

    set(w, 1, "$", "[1,1.5,\"ab\",true,9223372036854775807,null]");
    EXPECT(json_edit_number(at(w, 1, "$[0]"), &by, false, &edit, &result));
    EXPECT(json_edit_number(at(w, 1, "$[1]"), &by, true, &edit, &result));
    EXPECT(json_edit_append_text(at(w, 1, "$[2]"), text_of("c"), &edit, &bytes));
    EXPECT_INT(bytes, 3);
    EXPECT(json_edit_toggle(at(w, 1, "$[3]"), &edit, &now) && !now);
    EXPECT(json_edit_number(at(w, 1, "$[4]"), &by, false, &edit, &result));
    EXPECT(!json_edit_toggle(at(w, 1, "$[0]"), &edit, &now));
    EXPECT(!json_edit_append_text(at(w, 1, "$[0]"), text_of("c"), &edit, &bytes));
    local(w, 1, EFFECT_EDIT, &edit);
    expect_all(w, "[6,7.5,\"abc\",false,9.223372036854776e18,null]");
}

/* Appending, prepending and taking from both ends stays in order, and nothing is left behind. */
static void test_json_long_array_is_a_queue(void)
{
    World *w = world_new(1);
    Clock stable;

    set(w, 1, "$", "[]");
    for (uint32_t i = 0; i < 60; i++) {
        char number[12];

        g_snprintf(number, sizeof(number), "%u", i);
        insert(w, 1, "$", json_view_head(at(w, 1, "$")).count, number);
        if (i >= 2)
            pop(w, 1, "$", 0);
    }
    expect_shown(w, 1, "[58,59]");
    EXPECT_INT(body_json.summary(w->member[1].body).tombstone_count, 58);
    stable = w->member[1].causality.clock;
    body_json.collect(w->member[1].body, &stable);
    EXPECT_INT(body_json.summary(w->member[1].body).tombstone_count, 0);
    expect_shown(w, 1, "[58,59]");
    pop(w, 1, "$", 1);
    pop(w, 1, "$", 0);
    stable = w->member[1].causality.clock;
    body_json.collect(w->member[1].body, &stable);
    EXPECT_INT(body_json.summary(w->member[1].body).tombstone_count, 0);
    EXPECT_INT(body_json.summary(w->member[1].body).header_count, 1);
    expect_all(w, "[]");
}

static const TestCase cases[] = {
    TEST(test_json_smaller_member_wins_with_what_it_put_inside),
    TEST(test_json_creating_beats_updating_inside),
    TEST(test_json_deleting_beats_updating_inside_but_not_creating),
    TEST(test_json_fresh_object_discards_an_addition_to_the_old_one),
    TEST(test_json_clear_merges_with_an_addition),
    TEST(test_json_array_edits_keep_each_sides_order),
    TEST(test_json_removing_an_element_beats_an_update_in_it),
    TEST(test_json_later_update_wins_whoever_made_it),
    TEST(test_json_set_of_a_key_survives_its_concurrent_removal),
    TEST(test_json_update_waits_for_its_container),
    TEST(test_json_delete_may_come_before_what_it_deletes),
    TEST(test_json_assigned_key_keeps_its_place_and_a_new_one_is_last),
    TEST(test_json_merge_patches_key_by_key),
    TEST(test_json_set_says_why_it_does_nothing),
    TEST(test_json_numbers_texts_and_truths_change_in_place),
    TEST(test_json_long_array_is_a_queue),
};
TEST_MAIN("body_json", cases)
