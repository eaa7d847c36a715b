/* Stories of the stream's body: groups, ids, removals, what is local (crdt-semantics.md 7).  Its
 * laws are in test_body_stream_laws.c. */
#include "tests/models/stream_fixture.h"

static void add(World *w, uint32_t member, uint64_t ms, uint64_t seq)
{
    stream_put_add(&w->writer, (StreamId){ms, seq});
    emit(w, member, EFFECT_EDIT, CRDT_STREAM);
}

static StreamGroup *create_group(World *w, uint32_t member, const char *name)
{
    stream_put_group_create(&w->writer, (PayloadText){name, (uint32_t)strlen(name)}, STREAM_ID_MIN);
    emit(w, member, EFFECT_EDIT, CRDT_STREAM);
    return stream_group(w->members[member].body, (PayloadText){name, (uint32_t)strlen(name)});
}

static StreamGroup *group_at(World *w, uint32_t member)
{
    return stream_group_at(w->members[member].body, 0);
}

/* Reads all with ">": the ids' times in the order they came. */
static void expect_read(World *w, uint32_t member, const char *expected)
{
    StreamGroup *group = group_at(w, member);
    StreamConsumer *consumer = stream_consumer_create(group, (PayloadText){"c", 1}, (WallTime){1});
    g_autoptr(GString) text = g_string_new(NULL);
    StreamEntryView entry;

    while (stream_group_next(w->members[member].body, group, &entry)) {
        stream_group_take(group, &entry, consumer, (WallTime){1});
        g_string_append_printf(text, "%d ", (int)entry.id.ms);
    }
    EXPECT_TEXT(text->str, expected);
}

/* Returns whether the others are told. */
static bool ack(World *w, uint32_t member, uint64_t ms)
{
    StreamId id = {ms, 0};

    EXPECT_INT(stream_ack(w->members[member].body, group_at(w, member), &id, 1, &w->writer), 1);
    if (w->writer.bytes == 0)
        return false;
    emit(w, member, EFFECT_EDIT, CRDT_STREAM);
    return true;
}

static void test_stream_acks_travel_as_gap_free_prefixes(void)
{
    World w;

    world_begin(&w, 2);
    for (uint64_t ms = 110; ms <= 130; ms += 10)
        add(&w, 1, ms, 0);
    create_group(&w, 1, "g");
    expect_read(&w, 1, "110 120 130 ");
    EXPECT(ack(&w, 1, 110));
    EXPECT(!ack(&w, 1, 130));
    sync_all(&w);
    expect_read(&w, 2, "120 130 ");
    EXPECT_INT(stream_group_pending_count(group_at(&w, 2)), 2);
    EXPECT(ack(&w, 1, 120));
    sync_all(&w);
    EXPECT_INT(stream_group_pending_count(group_at(&w, 2)), 0);
    expect_read(&w, 2, "");
    world_end(&w);
}

/* A removed entry leaves no gap. */
static void test_stream_prefix_passes_over_what_was_deleted(void)
{
    StreamId id = {120, 0};
    World w;

    world_begin(&w, 2);
    for (uint64_t ms = 110; ms <= 130; ms += 10)
        add(&w, 1, ms, 0);
    create_group(&w, 1, "g");
    expect_read(&w, 1, "110 120 130 ");
    EXPECT(ack(&w, 1, 110));
    EXPECT_INT(stream_put_remove(&w.writer, w.members[1].body, &id, 1), 1);
    emit(&w, 1, EFFECT_EDIT, CRDT_STREAM);
    EXPECT(ack(&w, 1, 130));
    sync_all(&w);
    expect_read(&w, 2, "");
    world_end(&w);
}

static void test_stream_group_reads_late_lower_ids(void)
{
    World w;

    world_begin(&w, 2);
    add(&w, 1, 110, 1);
    add(&w, 2, 115, 2);
    add(&w, 1, 120, 1);
    create_group(&w, 1, "g");
    expect_read(&w, 1, "110 120 ");
    sync_all(&w);
    expect_read(&w, 1, "115 ");
    world_end(&w);
}

/* Region 1 ends the key and begins anew with a smaller id; region 2 has heard of neither when its
 * group reads. */
static void test_stream_group_reads_a_key_that_began_anew(void)
{
    World w;

    world_begin(&w, 3);
    add(&w, 1, 100, 1);
    sync_all(&w);
    create_group(&w, 2, "g");
    expect_read(&w, 2, "100 ");
    emit(&w, 3, EFFECT_DELETE, CRDT_STREAM);
    EXPECT(deliver_one(&w, 3, 1));
    add(&w, 1, 50, 1);
    add(&w, 1, 60, 1);
    while (deliver_one(&w, 1, 2))
        ;
    EXPECT(w.members[2].body->trees[1].disordered);
    expect_read(&w, 2, "50 60 ");
    EXPECT(deliver_one(&w, 3, 2)); /* the DEL, which the group had not seen */
    EXPECT(!group_at(&w, 2));
    EXPECT(!w.members[2].body->trees[1].disordered);
    EXPECT_INT(stream_info(w.members[2].body).length, 2);
    world_end(&w);
}

static void test_stream_remove_before_its_entry_leaves_nothing(void)
{
    StreamId id = {5, 1};
    World w;

    world_begin(&w, 3);
    add(&w, 1, 5, 1);
    deliver_one(&w, 1, 2);
    EXPECT_INT(stream_put_remove(&w.writer, w.members[2].body, &id, 1), 1);
    emit(&w, 2, EFFECT_EDIT, CRDT_STREAM);
    deliver_one(&w, 2, 3);
    EXPECT_INT(body_stream.summary(w.members[3].body).tombstone_count, 1);
    deliver_one(&w, 1, 3);
    EXPECT(body_stream.is_empty(w.members[3].body, &w.members[3].causality));
    world_end(&w);
}

static void test_stream_del_spares_unseen_entries_and_kills_unseen_groups(void)
{
    World w;

    world_begin(&w, 2);
    create_group(&w, 1, "g1");
    sync_all(&w);
    emit(&w, 1, EFFECT_DELETE, CRDT_STREAM);
    create_group(&w, 2, "g2");
    add(&w, 2, 7, 2);
    sync_all(&w);
    for (uint32_t i = 1; i <= 2; i++) {
        EXPECT_INT(stream_info(w.members[i].body).group_count, 0);
        EXPECT_INT(stream_info(w.members[i].body).length, 1);
    }
    EXPECT(create_group(&w, 2, "g2") != NULL); /* knows the DEL now */
    world_end(&w);
}

/* Members that hold no stream need not keep a DEL of a string. */
static void test_stream_del_of_another_type_spares_unseen_groups(void)
{
    World w;

    world_begin(&w, 2);
    create_group(&w, 1, "seen");
    sync_all(&w);
    emit(&w, 1, EFFECT_DELETE, CRDT_STRING);
    create_group(&w, 2, "unseen");
    sync_all(&w);
    for (uint32_t i = 1; i <= 2; i++) {
        EXPECT_INT(stream_info(w.members[i].body).group_count, 1);
        EXPECT_TEXT(group_at(&w, i)->name, "unseen");
    }
    world_end(&w);
}

static void test_stream_destroy_wins_over_an_unseen_create_of_that_name(void)
{
    World w;

    world_begin(&w, 3);
    create_group(&w, 1, "g");
    deliver_one(&w, 1, 2);
    stream_put_group_destroy(&w.writer, (PayloadText){"g", 1});
    emit(&w, 2, EFFECT_EDIT, CRDT_STREAM);
    create_group(&w, 3, "g");
    create_group(&w, 3, "h");
    sync_all(&w);
    for (uint32_t i = 1; i <= 3; i++) {
        EXPECT_INT(stream_info(w.members[i].body).group_count, 1);
        EXPECT_TEXT(group_at(&w, i)->name, "h");
    }
    world_end(&w);
}

/* Who reads the same name after DESTROY and CREATE reads from the start. */
static void test_stream_group_created_again_begins_anew(void)
{
    World w;

    world_begin(&w, 2);
    add(&w, 1, 5, 1);
    create_group(&w, 1, "g");
    sync_all(&w);
    expect_read(&w, 2, "5 ");
    stream_put_group_destroy(&w.writer, (PayloadText){"g", 1});
    emit(&w, 1, EFFECT_EDIT, CRDT_STREAM);
    create_group(&w, 1, "g");
    sync_all(&w);
    EXPECT_INT(stream_group_consumer_count(group_at(&w, 2)), 0);
    expect_read(&w, 2, "5 ");
    world_end(&w);
}

static void test_stream_claims_move_and_deleting_a_consumer_forgets(void)
{
    World w;
    StreamGroup *group;
    StreamConsumer *other;
    StreamPending *pending;

    world_begin(&w, 1);
    add(&w, 1, 5, 1);
    add(&w, 1, 6, 1);
    group = create_group(&w, 1, "g");
    expect_read(&w, 1, "5 6 ");
    other = stream_consumer_create(group, (PayloadText){"a", 1}, (WallTime){2});
    pending = stream_pending_seek(group, (StreamId){6, 0}, 0);
    EXPECT_INT(pending->id.ms, 6);
    stream_pending_move(pending, other);
    EXPECT_INT(other->pending_count, 1);
    EXPECT(stream_consumer_at(group, 0) == other);
    EXPECT_INT(stream_consumer_delete(group, stream_consumer(group, (PayloadText){"c", 1})), 1);
    EXPECT_INT(stream_group_pending_count(group), 1);
    EXPECT(stream_pending_seek(group, STREAM_ID_MIN, 0) == pending);
    world_end(&w);
}

/* --- ids */
static void expect_id(World *w, StreamIdMode mode, const char *text, const char *expected)
{
    StreamIdRequest request = {
        .mode = mode, .region = 1, .now = {100}, .text = {text, (uint32_t)strlen(text)}};
    char out[STREAM_ID_TEXT_MAX];
    StreamId id;
    const char *error = stream_make_id(w->members[1].body, &request, &id);

    if (!error)
        stream_id_format(id, out);
    EXPECT_TEXT(error ? error : out, expected);
}

static void test_stream_ids_follow_their_mode(void)
{
    const char *small =
        "ERR The ID specified in XADD is equal or smaller than the target stream top item";
    const char *invalid = "ERR Invalid stream ID specified as stream command argument";
    World w;

    world_begin(&w, 1);
    expect_id(&w, STREAM_IDS_STRICT, "*", "100-1");
    expect_id(&w, STREAM_IDS_STRICT, "0", "0-1");
    expect_id(&w, STREAM_IDS_LIBERAL, "0", "ERR The ID specified in XADD must be greater than 0-0");
    expect_id(&w, STREAM_IDS_LIBERAL, "0-*", "0-1");
    add(&w, 1, 200, 9);
    expect_id(&w, STREAM_IDS_STRICT, "*", "200-17"); /* the clock is behind the last id */
    expect_id(&w, STREAM_IDS_STRICT, "200", "200-17");
    expect_id(&w, STREAM_IDS_STRICT, "199", small);
    expect_id(&w, STREAM_IDS_STRICT, "300-1",
              "ERR A full ID is not allowed in strict ID mode, use * or a time in milliseconds");
    expect_id(&w, STREAM_IDS_SEMI_STRICT, "300", "300-1");
    expect_id(&w, STREAM_IDS_SEMI_STRICT, "300-0", "300-0");
    expect_id(&w, STREAM_IDS_SEMI_STRICT, "200-9", small);
    expect_id(&w, STREAM_IDS_LIBERAL, "300", "300-0");
    expect_id(&w, STREAM_IDS_LIBERAL, "200", small);
    expect_id(&w, STREAM_IDS_LIBERAL, "200-*", "200-10");
    expect_id(&w, STREAM_IDS_LIBERAL, "x", invalid);
    expect_id(&w, STREAM_IDS_LIBERAL, "1-", invalid);
    expect_id(&w, STREAM_IDS_LIBERAL, "-1", invalid);
    expect_id(&w, STREAM_IDS_LIBERAL, "18446744073709551616", invalid);
    expect_id(&w, STREAM_IDS_LIBERAL, "", invalid);
    add(&w, 1, UINT64_MAX, UINT64_MAX);
    expect_id(&w, STREAM_IDS_STRICT, "*",
              "ERR The stream has exhausted the last possible ID, unable to add more items");
    world_end(&w);
}

static void test_stream_keeps_real_fields(void)
{
    PayloadText texts[4] = {{"f", 1}, {"hello", 5}, {"", 0}, {"x\0y", 3}};
    PayloadWriter fields = {0};
    Effect effect = {.dot = dot_make(1, 1), .op = EFFECT_EDIT, .type = CRDT_STREAM};
    Member m;
    Member copy;
    PayloadWriter edit = {0};
    StreamEntryView view;
    uint32_t cursor = 0;
    PayloadText text;

    member_begin(&m);
    stream_put_add(&edit, (StreamId){5, 1});
    stream_put_fields(&fields, texts, 4);
    body_stream.apply(m.body, &(BodyEffect){.effect = &effect,
                                            .edit = {(const char *)edit.data, edit.bytes},
                                            .value = {(const char *)fields.data, fields.bytes},
                                            .causality = &m.causality});
    causality_receive(&m.causality, effect.dot, &effect.ctx, false);
    copy = member_copy(&m);
    EXPECT(digest_of(&copy) == digest_of(&m));
    EXPECT_INT(body_stream.summary(copy.body).value_bytes, 9);
    EXPECT(stream_find(copy.body, (StreamId){5, 1}, &view));
    for (int i = 0; i < 4; i++) {
        EXPECT_FATAL(stream_next_text(&view, &cursor, &text));
        EXPECT(text.bytes == texts[i].bytes && memcmp(text.data, texts[i].data, text.bytes) == 0);
    }
    EXPECT(!stream_next_text(&view, &cursor, &text));
    member_end(&copy);
    member_end(&m);
    payload_clear(&edit);
    payload_clear(&fields);
}

static void test_stream_from_the_start_is_read_acked_and_trimmed(void)
{
    World w;

    world_begin(&w, 1);
    body_stream.fill(w.members[1].body, 10, 1003);
    EXPECT_INT(body_stream.summary(w.members[1].body).value_bytes, 1003);
    create_group(&w, 1, "g");
    expect_read(&w, 1, "1 2 3 4 5 6 7 8 9 10 ");
    EXPECT(!ack(&w, 1, 2));
    EXPECT(ack(&w, 1, 1));
    EXPECT_INT(stream_put_trim(&w.writer, w.members[1].body, &(StreamTrim){.max_length = 4}), 6);
    emit(&w, 1, EFFECT_EDIT, CRDT_STREAM);
    EXPECT_INT(stream_info(w.members[1].body).length, 4);
    emit(&w, 1, EFFECT_DELETE, CRDT_STREAM);
    EXPECT(!body_stream.is_present(w.members[1].body));
    world_end(&w);
}

/* Many removals from the front and the middle: holes are closed, what is left stays in order. */
static void test_stream_closes_holes(void)
{
    const StreamTree *tree;
    World w;

    world_begin(&w, 1);
    tree = &w.members[1].body->trees[1];
    for (uint64_t ms = 1; ms <= 4000; ms++) {
        StreamId middle = {ms / 2 + 1, 1};

        add(&w, 1, ms, 1);
        if (ms % 3 > 0 && stream_put_remove(&w.writer, w.members[1].body, &middle, 1) > 0)
            emit(&w, 1, EFFECT_EDIT, CRDT_STREAM);
        EXPECT(tree->end - tree->first <= 2 * tree->live_count + 16);
    }
    EXPECT(!tree->disordered);
    stream_put_trim(&w.writer, w.members[1].body, &(StreamTrim){.max_length = 10});
    emit(&w, 1, EFFECT_EDIT, CRDT_STREAM);
    EXPECT(tree->live_count == 10 && tree->capacity < 2000);
    world_end(&w);
}

static const TestCase cases[] = {
    TEST(test_stream_acks_travel_as_gap_free_prefixes),
    TEST(test_stream_prefix_passes_over_what_was_deleted),
    TEST(test_stream_group_reads_late_lower_ids),
    TEST(test_stream_group_reads_a_key_that_began_anew),
    TEST(test_stream_remove_before_its_entry_leaves_nothing),
    TEST(test_stream_del_spares_unseen_entries_and_kills_unseen_groups),
    TEST(test_stream_del_of_another_type_spares_unseen_groups),
    TEST(test_stream_destroy_wins_over_an_unseen_create_of_that_name),
    TEST(test_stream_group_created_again_begins_anew),
    TEST(test_stream_claims_move_and_deleting_a_consumer_forgets),
    TEST(test_stream_ids_follow_their_mode),
    TEST(test_stream_keeps_real_fields),
    TEST(test_stream_from_the_start_is_read_acked_and_trimmed),
    TEST(test_stream_closes_holes),
};
TEST_MAIN("body_stream", cases)
