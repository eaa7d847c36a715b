/* The stream's body: entries, removals, groups, merges and collection (crdt-semantics.md 7).
 *
 * A slow model keeps every effect received and works out what is visible by the formula; members
 * that write, exchange in part, merge whole states and collect must show the same at every step.
 */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/body_stream_private.h"
#include "models/crdt/crdt.h"
#include "sim/rng.h"

typedef struct {
    Effect effect;
    char *edit;
    uint32_t edit_bytes;
} Sent;

typedef struct {
    CrdtBody *body;
    Causality causality;
    GPtrArray *received;            /* of Sent, borrowed */
    Clock reported[MEMBER_MAX + 1]; /* by others, behind all that they had made */
} Member;

typedef struct {
    uint32_t count;
    Member members[MEMBER_MAX + 1]; /* from 1 */
    GPtrArray *logs[MEMBER_MAX + 1];
    PayloadWriter writer;
    uint64_t token;
} World;

static void sent_free(void *data)
{
    Sent *sent = data;

    g_free(sent->edit);
    g_free(sent);
}

static void member_begin(Member *m)
{
    *m = (Member){.body = body_stream.create(), .received = g_ptr_array_new()};
    causality_init(&m->causality);
}

static void member_end(Member *m)
{
    body_stream.destroy(m->body);
    causality_clear(&m->causality);
    g_ptr_array_free(m->received, TRUE);
}

static void world_begin(World *w, uint32_t count)
{
    *w = (World){.count = count};
    for (uint32_t i = 1; i <= count; i++) {
        member_begin(&w->members[i]);
        w->logs[i] = g_ptr_array_new_with_free_func(sent_free);
    }
}

static void world_end(World *w)
{
    for (uint32_t i = 1; i <= w->count; i++) {
        member_end(&w->members[i]);
        g_ptr_array_free(w->logs[i], TRUE);
    }
    payload_clear(&w->writer);
}

static void receive(Member *m, const Sent *sent)
{
    const Effect *effect = &sent->effect;
    BodyEffect be = {
        .effect = effect, .edit = {sent->edit, sent->edit_bytes}, .causality = &m->causality};

    body_stream.apply(m->body, &be);
    causality_receive(&m->causality, effect->dot, &effect->ctx,
                      causality_is_ctx_ahead(&m->causality, &effect->ctx));
    g_ptr_array_add(m->received, (void *)sent);
}

/* A local effect of member with the edit in the writer. */
static void emit(World *w, uint32_t member, EffectOp op, int type)
{
    Member *m = &w->members[member];
    Sent *sent = g_new0(Sent, 1);

    sent->effect = (Effect){.dot = dot_make(member, m->causality.clock.seq[member] + 1),
                            .ctx = m->causality.clock,
                            .op = (uint8_t)op,
                            .type = (uint8_t)type,
                            .value = {.kind = VALUE_SYNTHETIC,
                                      .number = ++w->token,
                                      .bytes = (uint32_t)(w->token % 50)}};
    if (op == EFFECT_EDIT) {
        sent->edit = g_memdup2(w->writer.data, w->writer.bytes);
        sent->edit_bytes = w->writer.bytes;
    }
    g_ptr_array_add(w->logs[member], sent);
    receive(m, sent);
}

static bool deliver_one(World *w, uint32_t from, uint32_t to)
{
    uint64_t seq = w->members[to].causality.clock.seq[from];

    if (from == to || seq >= w->logs[from]->len)
        return false;
    receive(&w->members[to], g_ptr_array_index(w->logs[from], seq));
    return true;
}

static void sync_all(World *w)
{
    for (uint32_t to = 1; to <= w->count; to++)
        for (uint32_t from = 1; from <= w->count; from++)
            while (deliver_one(w, from, to))
                ;
}

static void state_merge(Member *into, const Member *from)
{
    Causality joined;
    BodyMerge merge = {&into->causality, &from->causality, &joined};

    causality_init(&joined);
    causality_join(&joined, &into->causality, &from->causality);
    body_stream.merge(&merge, into->body, from->body);
    for (guint i = 0; i < from->received->len; i++) {
        Sent *sent = g_ptr_array_index(from->received, i);

        if (!clock_covers(&into->causality.clock, sent->effect.dot))
            g_ptr_array_add(into->received, sent);
    }
    causality_clear(&into->causality);
    into->causality = joined;
}

static Member member_copy(const Member *m)
{
    Member copy;

    member_begin(&copy);
    state_merge(&copy, m);
    return copy;
}

static uint64_t digest_of(const Member *m)
{
    Digest digest = digest_begin();

    body_stream.digest(m->body, &digest);
    return digest.value;
}

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

/* --- stories */
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
    EXPECT(shows_model(&w.members[2]));
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
    EXPECT(shows_model(&w.members[1]));
    world_end(&w);
}

static const TestCase cases[] = {
    TEST(test_stream_agrees_with_the_formula_in_any_history),
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
