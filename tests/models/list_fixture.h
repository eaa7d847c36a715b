/* Members that make lists' effects, log them, and exchange them as a test says: test_body_list.c
 * and test_body_list_laws.c. */
#pragma once

#include <string.h>

#include "models/crdt/body_list.h"
#include "tests/test.h"

/* An effect as the origins' logs hold it. */
typedef struct {
    Effect effect;
    PayloadWriter edit;
    char *bytes; /* of a real value */
} Record;

typedef struct {
    CrdtBody *body;
    Causality causality;
    Clock retired;                 /* collected up to there */
    Clock known[MEMBER_MAX + 1];   /* what the others reported last: what they have observed, */
    Clock settled[MEMBER_MAX + 1]; /* and collected */
} Site;

/* What a member tells: it comes behind the effects it had made by then. */
typedef struct {
    uint64_t seq;
    Clock known, retired;
} Report;

typedef struct {
    Site sites[MEMBER_MAX + 1];
    GArray *reports[MEMBER_MAX + 1]; /* of Report */
    GPtrArray *logs[MEMBER_MAX + 1]; /* of Record, by seq */
    int member_count;
} World;

static inline void record_free(void *data)
{
    Record *record = data;

    payload_clear(&record->edit);
    g_free(record->bytes);
    g_free(record);
}

static inline void site_begin(Site *site)
{
    *site = (Site){.body = body_list.create()};
    causality_init(&site->causality);
}

static inline void site_end(Site *site)
{
    body_list.destroy(site->body);
    causality_clear(&site->causality);
}

static inline void world_begin(World *world, int member_count)
{
    *world = (World){.member_count = member_count};
    for (int m = 1; m <= MEMBER_MAX; m++) {
        site_begin(&world->sites[m]);
        world->reports[m] = g_array_new(FALSE, FALSE, sizeof(Report));
        world->logs[m] = g_ptr_array_new_with_free_func(record_free);
    }
}

static inline void world_end(World *world)
{
    for (int m = 1; m <= MEMBER_MAX; m++) {
        site_end(&world->sites[m]);
        g_array_free(world->reports[m], TRUE);
        g_ptr_array_free(world->logs[m], TRUE);
    }
}

static inline const Record *record_at(const World *world, int origin, uint64_t seq)
{
    return g_ptr_array_index(world->logs[origin], seq - 1);
}

static inline void site_apply(Site *site, const Record *record)
{
    const Effect *effect = &record->effect;
    bool ahead = causality_is_ctx_ahead(&site->causality, &effect->ctx);
    BodyEffect change = {.effect = effect,
                         .edit = {(const char *)record->edit.data, record->edit.bytes},
                         .value = {record->bytes, record->bytes ? effect->value.bytes : 0},
                         .causality = &site->causality};

    body_list.apply(site->body, &change);
    causality_receive(&site->causality, effect->dot, &effect->ctx, ahead);
}

/* Takes the record's edit; made and applied at member now. */
static inline void world_make(World *world, int member, int64_t ts, Record *record)
{
    Site *site = &world->sites[member];

    record->effect.dot = dot_make((uint32_t)member, world->logs[member]->len + 1);
    record->effect.ts.ms = ts;
    record->effect.ctx = site->causality.clock;
    g_ptr_array_add(world->logs[member], record);
    site_apply(site, record);
}

static inline Record *record_new(EffectOp op)
{
    Record *record = g_new0(Record, 1);

    record->effect.op = (uint8_t)op;
    record->effect.family = FAMILY_NONE;
    return record;
}

/* A token over 900 comes as real bytes. */
static inline void record_value(Record *record, uint64_t token)
{
    record->effect.value = (Value){.kind = VALUE_SYNTHETIC, .number = token, .bytes = 3};
    if (token > 900) {
        record->bytes = g_strdup_printf("%" G_GUINT64_FORMAT, token);
        record->effect.value = (Value){
            .kind = VALUE_BYTES, .data = record->bytes, .bytes = (uint32_t)strlen(record->bytes)};
    }
}

static inline void do_insert(World *world, int member, uint32_t index, uint64_t token)
{
    Record *record = record_new(EFFECT_EDIT);

    list_edit_insert(world->sites[member].body, index, &record->edit);
    record_value(record, token);
    world_make(world, member, 0, record);
}

static inline void do_set(World *world, int member, uint32_t index, uint64_t token, int64_t ts)
{
    Record *record = record_new(EFFECT_EDIT);

    list_edit_set(world->sites[member].body, index, &record->edit);
    record_value(record, token);
    world_make(world, member, ts, record);
}

static inline void do_remove(World *world, int member, uint32_t from, uint32_t count)
{
    Record *record = record_new(EFFECT_EDIT);

    list_edit_remove(world->sites[member].body, from, count, &record->edit);
    world_make(world, member, 0, record);
}

static inline void do_delete(World *world, int member)
{
    world_make(world, member, 0, record_new(EFFECT_DELETE));
}

/* All that to lacks of origin, up to limit effects. */
static inline void deliver(World *world, int to, int origin, uint64_t limit)
{
    Site *site = &world->sites[to];

    while (limit-- > 0 && site->causality.clock.seq[origin] < world->logs[origin]->len)
        site_apply(site, record_at(world, origin, site->causality.clock.seq[origin] + 1));
}

static inline void deliver_all(World *world)
{
    for (int to = 1; to <= world->member_count; to++)
        for (int origin = 1; origin <= world->member_count; origin++)
            deliver(world, to, origin, UINT64_MAX);
}

static inline void site_merge(Site *into, const Site *from)
{
    Causality joined;
    BodyMerge merge = {.into = &into->causality, .from = &from->causality, .joined = &joined};

    causality_init(&joined);
    causality_join(&joined, &into->causality, &from->causality);
    body_list.merge(&merge, into->body, from->body);
    causality_clear(&into->causality);
    into->causality = joined;
}

static inline void site_report(World *world, int member)
{
    const Site *site = &world->sites[member];
    Report report = {world->logs[member]->len, site->causality.clock, site->retired};

    g_array_append_val(world->reports[member], report);
}

/* The newest of each other that can have come. */
static inline void site_hear_reports(World *world, int member)
{
    Site *site = &world->sites[member];

    for (int m = 1; m <= world->member_count; m++)
        for (guint i = world->reports[m]->len; i > 0; i--) {
            const Report *report = &g_array_index(world->reports[m], Report, i - 1);

            if (report->seq > site->causality.clock.seq[m])
                continue;
            site->known[m] = report->known;
            site->settled[m] = report->retired;
            break;
        }
}

static inline void site_collect(World *world, int member)
{
    Site *site = &world->sites[member];
    Clock stable = site->causality.clock;

    for (int m = 1; m <= world->member_count; m++)
        if (m != member)
            clock_meet(&stable, &site->known[m]);
    body_list.collect(site->body, &stable);
    clock_join(&site->retired, &stable);
}

static inline void site_drop(World *world, int member)
{
    Site *site = &world->sites[member];
    Clock cut = site->retired;

    for (int m = 1; m <= world->member_count; m++)
        if (m != member)
            clock_meet(&cut, &site->settled[m]);
    (void)body_list.drop(site->body, &cut);
}

/* Everywhere, as far as it goes. */
static inline void world_collect(World *world)
{
    for (int step = 0; step < 2; step++) {
        for (int m = 1; m <= world->member_count; m++)
            site_report(world, m);
        for (int m = 1; m <= world->member_count; m++) {
            site_hear_reports(world, m);
            site_collect(world, m);
        }
    }
    for (int m = 1; m <= world->member_count; m++)
        site_report(world, m);
    for (int m = 1; m <= world->member_count; m++) {
        site_hear_reports(world, m);
        site_drop(world, m);
    }
}

static inline uint64_t digest_of(const CrdtBody *body)
{
    Digest digest = digest_begin();

    body_list.digest(body, &digest);
    return digest.value;
}

static inline uint64_t token_of(Value value)
{
    g_autofree char *text = NULL;

    if (value.kind != VALUE_BYTES)
        return value.number;
    text = g_strndup(value.data, value.bytes);
    return g_ascii_strtoull(text, NULL, 10);
}

static inline char *text_of(const CrdtBody *body)
{
    GString *text = g_string_new(NULL);

    for (ListCursor at = list_cursor(body, 0); list_cursor_is_valid(&at); list_cursor_forward(&at))
        g_string_append_printf(text, "%" G_GUINT64_FORMAT " ", token_of(list_cursor_value(&at)));
    return g_string_free(text, FALSE);
}

static inline void expect_list(const World *world, int member, const char *expected)
{
    g_autofree char *text = text_of(world->sites[member].body);

    EXPECT_TEXT(text, expected);
}

static inline void expect_everywhere(World *world, const char *expected)
{
    deliver_all(world);
    for (int m = 1; m <= world->member_count; m++)
        expect_list(world, m, expected);
}
