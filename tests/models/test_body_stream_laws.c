/* The laws of the stream's body (crdt-semantics.md 7).
 *
 * A slow model keeps every effect received and works out what is visible by the formula; members
 * that write, exchange in part, merge whole states and collect must show the same at every step.
 */
#include "tests/models/stream_fixture.h"

#include "sim/ensure.h"
#include "sim/rng.h"

/* --- the slow model */
static uint8_t sent_op(const Sent *sent)
{
    return sent->effect.op == EFFECT_DELETE ? 0 : (uint8_t)sent->edit[0];
}

static bool names_dot(const Sent *sent, Dot dot)
{
    for (uint32_t at = 1; at < sent->edit_bytes; at += 24) {
        Dot named;

        memcpy(&named, sent->edit + at + 16, sizeof(named));
        if (named == dot)
            return true;
    }
    return false;
}

static PayloadText group_of(const Sent *sent)
{
    uint32_t skip = sent_op(sent) == EDIT_CREATE ? 17 : sent_op(sent) == EDIT_ACK ? 49 : 1;

    return (PayloadText){sent->edit + skip, sent->edit_bytes - skip};
}

static bool same_group(const Sent *a, const Sent *b)
{
    PayloadText x = group_of(a);
    PayloadText y = group_of(b);

    return x.bytes == y.bytes && memcmp(x.data, y.data, x.bytes) == 0;
}

static bool counts(const Member *m, const Sent *sent)
{
    uint8_t op = sent_op(sent);

    for (guint i = 0; i < m->received->len; i++) {
        const Sent *other = g_ptr_array_index(m->received, i);
        uint8_t by = sent_op(other);
        Dot dot = sent->effect.dot;

        if (by == 0 && clock_covers(&other->effect.ctx, dot))
            return false;
        if (op == EDIT_ADD && (by == EDIT_REMOVE || by == EDIT_TRIM) && names_dot(other, dot))
            return false;
        if ((op == EDIT_CREATE || op == EDIT_ACK) &&
            ((by == 0 && other->effect.type == CRDT_STREAM) ||
             (by == EDIT_DESTROY && same_group(sent, other))) &&
            !clock_covers(&sent->effect.ctx, other->effect.dot))
            return false;
    }
    return true;
}

static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_newest_that_counts(const Member *m, const Sent *sent)
{
    if (!counts(m, sent))
        return false;
    for (guint i = 0; i < m->received->len; i++) {
        const Sent *other = g_ptr_array_index(m->received, i);

        if (sent_op(other) == sent_op(sent) && other->effect.dot > sent->effect.dot &&
            dot_member(other->effect.dot) == dot_member(sent->effect.dot) &&
            same_group(sent, other) && counts(m, other))
            return false;
    }
    return true;
}

static bool saw_live_create(const Member *m, const Sent *ack)
{
    for (guint i = 0; i < m->received->len; i++) {
        const Sent *other = g_ptr_array_index(m->received, i);

        if (sent_op(other) == EDIT_CREATE && same_group(ack, other) &&
            clock_covers(&ack->effect.ctx, other->effect.dot) && is_newest_that_counts(m, other))
            return true;
    }
    return false;
}

static void model_group(const Member *m, const Sent *create, GPtrArray *lines)
{
    PayloadText name = group_of(create);
    StreamId start = STREAM_ID_MAX;
    Clock acked = {0};

    for (guint i = 0; i < m->received->len; i++) {
        const Sent *other = g_ptr_array_index(m->received, i);
        uint8_t op = sent_op(other);
        StreamId id;
        Clock marks;

        if ((op != EDIT_CREATE && op != EDIT_ACK) || !same_group(create, other) ||
            !is_newest_that_counts(m, other))
            continue;
        if (op == EDIT_CREATE) {
            memcpy(&id, other->edit + 1, sizeof(id));
            if (stream_id_compare(id, start) < 0)
                start = id;
        } else if (saw_live_create(m, other)) {
            memcpy(&marks, other->edit + 1, sizeof(marks));
            clock_join(&acked, &marks);
        }
    }
    g_ptr_array_add(lines, g_strdup_printf("%.*s from %d-%d: %d %d %d %d %d", (int)name.bytes,
                                           name.data, (int)start.ms, (int)start.seq,
                                           (int)acked.seq[1], (int)acked.seq[2], (int)acked.seq[3],
                                           (int)acked.seq[4], (int)acked.seq[5]));
}

static char *lines_join(GPtrArray *lines)
{
    GString *text = g_string_new(NULL);

    if (lines->len > 0)
        qsort(lines->pdata, lines->len, sizeof(char *), line_order);
    for (guint i = 0; i < lines->len; i++) /* a group's line comes once per CREATE */
        if (i == 0 || strcmp(lines->pdata[i], lines->pdata[i - 1]) != 0)
            g_string_append_printf(text, "%s\n", (char *)lines->pdata[i]);
    g_ptr_array_free(lines, TRUE);
    return g_string_free(text, FALSE);
}

static char *entry_line(StreamId id, Dot dot, uint64_t token)
{
    return g_strdup_printf("%06d-%06d %d.%04d =%d", (int)id.ms, (int)id.seq, (int)dot_member(dot),
                           (int)dot_seq(dot), (int)token);
}

static char *model_text(const Member *m)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    ensure(m->received);
    for (guint i = 0; i < m->received->len; i++) {
        const Sent *sent = g_ptr_array_index(m->received, i);
        uint8_t op = sent_op(sent);

        if ((op != EDIT_ADD && op != EDIT_CREATE) || !counts(m, sent))
            continue;
        if (op == EDIT_CREATE) {
            model_group(m, sent, lines);
        } else {
            StreamId id;

            memcpy(&id, sent->edit + 1, sizeof(id));
            g_ptr_array_add(lines, entry_line(id, sent->effect.dot, sent->effect.value.number));
        }
    }
    return lines_join(lines);
}

/* What the body shows; checks its order and its books on the way. */
static char *body_text(const Member *m)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    StreamIter iter = stream_iter(m->body, STREAM_ID_MIN, STREAM_ID_MAX, false);
    BodySummary summary = body_stream.summary(m->body);
    StreamId last = STREAM_ID_MIN;
    int64_t bytes = 0;
    int64_t count = 0;
    StreamEntryView view;
    StreamGroup *group;

    for (; stream_iter_next(&iter, &view); count++) {
        EXPECT(stream_id_compare(last, view.id) <= 0);
        last = view.id;
        bytes += view.value.bytes;
        g_ptr_array_add(lines, entry_line(view.id, view.dot, view.value.number));
    }
    EXPECT_INT(summary.element_count, count);
    EXPECT_INT(summary.value_bytes, bytes);
    for (uint32_t i = 0; (group = stream_group_at(m->body, i)); i++)
        g_ptr_array_add(lines, g_strdup_printf("%s from %d-%d: %d %d %d %d %d", group->name,
                                               (int)group->start.ms, (int)group->start.seq,
                                               (int)group->acked.seq[1], (int)group->acked.seq[2],
                                               (int)group->acked.seq[3], (int)group->acked.seq[4],
                                               (int)group->acked.seq[5]));
    EXPECT(body_stream.is_present(m->body) == (lines->len > 0));
    return lines_join(lines);
}

static bool shows_model(const Member *m)
{
    g_autofree char *shown = body_text(m);
    g_autofree char *expected = model_text(m);

    EXPECT_TEXT(shown, expected);
    return strcmp(shown, expected) == 0;
}

/* --- random histories */
static StreamId any_id(Rng *rng, const CrdtBody *body)
{
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, STREAM_ID_MAX, rng_below(rng, 2) == 0);
    uint64_t skip = rng_below(rng, 6);
    StreamId id = {1, 1};
    StreamEntryView view;

    while (stream_iter_next(&iter, &view)) {
        id = view.id;
        if (skip-- == 0)
            break;
    }
    return id;
}

static void draw_add(World *w, Rng *rng, uint32_t member)
{
    char text[24];
    StreamId id;

    g_snprintf(text, sizeof text, "%d-%d", (int)rng_below(rng, 12), (int)rng_below(rng, 3));
    if (stream_make_id(w->members[member].body,
                       &(StreamIdRequest){.mode = rng_below(rng, 3) == 0 ? STREAM_IDS_LIBERAL
                                                                         : STREAM_IDS_STRICT,
                                          .region = member,
                                          .now = {(int64_t)rng_below(rng, 20)},
                                          .text = rng_below(rng, 4) == 0
                                                      ? (PayloadText){text, (uint32_t)strlen(text)}
                                                      : (PayloadText){"*", 1}},
                       &id))
        return;
    stream_put_add(&w->writer, id);
    emit(w, member, EFFECT_EDIT, CRDT_STREAM);
}

static void draw_ack(World *w, Rng *rng, uint32_t member, StreamGroup *group)
{
    CrdtBody *body = w->members[member].body;
    StreamConsumer *consumer = stream_consumer_create(group, (PayloadText){"c", 1}, (WallTime){1});
    StreamEntryView entry;
    StreamId ids[3];

    for (uint64_t n = rng_below(rng, 4); n > 0 && stream_group_next(body, group, &entry); n--)
        stream_group_take(group, &entry, rng_below(rng, 8) > 0 ? consumer : NULL, (WallTime){1});
    if (rng_below(rng, 30) == 0)
        stream_group_set_id(group, any_id(rng, body));
    for (int i = 0; i < 3; i++)
        ids[i] = any_id(rng, body);
    (void)stream_ack(body, group, ids, 3, &w->writer);
    if (w->writer.bytes > 0)
        emit(w, member, EFFECT_EDIT, CRDT_STREAM);
}

static void draw_group_write(World *w, Rng *rng, uint32_t member)
{
    CrdtBody *body = w->members[member].body;
    PayloadText name = {rng_below(rng, 2) == 0 ? "g" : "group", 1};
    StreamGroup *group;

    if (name.data[1] != '\0')
        name.bytes = 5;
    group = stream_group(body, name);
    if (!group) {
        stream_put_group_create(&w->writer, name,
                                rng_below(rng, 2) == 0 ? STREAM_ID_MIN : stream_info(body).last_id);
        emit(w, member, EFFECT_EDIT, CRDT_STREAM);
    } else if (rng_below(rng, 6) == 0) {
        stream_put_group_destroy(&w->writer, name);
        emit(w, member, EFFECT_EDIT, CRDT_STREAM);
    } else {
        draw_ack(w, rng, member, group);
    }
}

static void draw_write(World *w, Rng *rng, uint32_t member)
{
    CrdtBody *body = w->members[member].body;
    uint64_t choice = rng_below(rng, 40);
    StreamId ids[2] = {any_id(rng, body), any_id(rng, body)};

    if (choice < 16) {
        draw_add(w, rng, member);
    } else if (choice < 22) {
        if (stream_put_remove(&w->writer, body, ids, 2) > 0)
            emit(w, member, EFFECT_EDIT, CRDT_STREAM);
    } else if (choice < 24) {
        if (stream_put_trim(&w->writer, body,
                            &(StreamTrim){.by_id = choice == 22,
                                          .min_id = ids[0],
                                          .max_length = rng_below(rng, 6)}) > 0)
            emit(w, member, EFFECT_EDIT, CRDT_STREAM);
    } else if (choice < 26) {
        emit(w, member, EFFECT_DELETE, choice == 24 ? CRDT_STREAM : CRDT_STRING);
    } else {
        draw_group_write(w, rng, member);
    }
}

/* Reports travel behind what their sender made, as heartbeats on a link do. */
static void draw_collect(World *w, Rng *rng, uint32_t member)
{
    Member *m = &w->members[member];
    Clock stable = m->causality.clock;
    g_autofree char *before = body_text(m);
    g_autofree char *after = NULL;
    uint64_t digest = digest_of(m);

    for (uint32_t i = 1; i <= w->count; i++) {
        const Clock *theirs = &w->members[i].causality.clock;

        if (m->causality.clock.seq[i] == theirs->seq[i] && rng_below(rng, 3) > 0)
            m->reported[i] = *theirs;
        if (i != member)
            clock_meet(&stable, &m->reported[i]);
    }
    body_stream.collect(m->body, &stable);
    after = body_text(m);
    EXPECT_TEXT(after, before);
    EXPECT(digest_of(m) == digest);
}

/* a and b in both orders, twice, with c before and after; and each effect by itself. */
static void check_merges(const World *w, Rng *rng)
{
    const Member *a = &w->members[1 + rng_below(rng, w->count)];
    const Member *b = &w->members[1 + rng_below(rng, w->count)];
    const Member *c = &w->members[1 + rng_below(rng, w->count)];
    Member ab = member_copy(a);
    Member ba = member_copy(b);
    Member bc = member_copy(b);
    Member a_bc = member_copy(a);
    Member applied;

    EXPECT(digest_of(&ab) == digest_of(a));
    state_merge(&ab, b);
    state_merge(&ba, a);
    EXPECT(digest_of(&ab) == digest_of(&ba));
    state_merge(&ab, b);
    state_merge(&ab, &ba);
    EXPECT(digest_of(&ab) == digest_of(&ba));
    EXPECT(shows_model(&ab));
    state_merge(&bc, c);
    state_merge(&a_bc, &bc);
    state_merge(&ab, c);
    EXPECT(digest_of(&ab) == digest_of(&a_bc));

    member_begin(&applied);
    for (;;) {
        uint32_t origin = 1 + (uint32_t)rng_below(rng, w->count);
        uint64_t left = 0;
        uint64_t seq;

        for (uint32_t i = 1; i <= w->count; i++)
            left += ab.causality.clock.seq[i] - applied.causality.clock.seq[i];
        if (left == 0)
            break;
        seq = applied.causality.clock.seq[origin];
        if (seq < ab.causality.clock.seq[origin])
            receive(&applied, g_ptr_array_index(w->logs[origin], seq));
    }
    EXPECT(digest_of(&applied) == digest_of(&ab));
    member_end(&applied);
    member_end(&ab);
    member_end(&ba);
    member_end(&bc);
    member_end(&a_bc);
}

static void check_end(World *w)
{
    sync_all(w);
    for (uint32_t i = 1; i <= w->count; i++) {
        Member *m = &w->members[i];
        BodySummary summary;

        EXPECT(shows_model(m));
        EXPECT(digest_of(m) == digest_of(&w->members[1]));
        body_stream.collect(m->body, &m->causality.clock);
        summary = body_stream.summary(m->body);
        EXPECT_INT(summary.tombstone_count, 0);
        EXPECT(body_stream.is_empty(m->body, &m->causality) == !body_stream.is_present(m->body));
        EXPECT(shows_model(m));
    }
}

static bool play(uint64_t seed)
{
    Rng rng = rng_stream(seed, "stream");
    unsigned before = CU_get_number_of_failures();
    World w;

    world_begin(&w, 2 + (uint32_t)rng_below(&rng, MEMBER_MAX - 1));
    for (int step = 0; step < 160; step++) {
        uint32_t a = 1 + (uint32_t)rng_below(&rng, w.count);
        uint32_t b = 1 + (uint32_t)rng_below(&rng, w.count);
        uint64_t choice = rng_below(&rng, 20);

        if (choice < 9)
            draw_write(&w, &rng, a);
        else if (choice < 16)
            for (uint64_t n = rng_below(&rng, 5); n > 0 && deliver_one(&w, b, a); n--)
                ;
        else if (choice < 17)
            state_merge(&w.members[a], &w.members[b]);
        else if (choice < 19)
            draw_collect(&w, &rng, a);
        else
            check_merges(&w, &rng);
        if (!shows_model(&w.members[a]))
            break;
    }
    check_end(&w);
    world_end(&w);
    return CU_get_number_of_failures() == before;
}

static void test_stream_agrees_with_the_formula_in_any_history(void)
{
    for (long seed = 1; seed <= test_count(150, 3000); seed++) {
        if (play((uint64_t)seed))
            continue;
        g_printerr("seed %ld\n", seed);
        return;
    }
}

static const TestCase cases[] = {
    TEST(test_stream_agrees_with_the_formula_in_any_history),
};
TEST_MAIN("body_stream_laws", cases)
