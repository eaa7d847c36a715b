/* Members that hold one HyperLogLog key each, and all effects they ever made. */
#pragma once

#include "tests/test.h"

#include <string.h>

#include "models/crdt/body_hll.h"
#include "models/crdt/crdt.h"

#define EFFECT_MAX 160 /* of a history */
#define RAISE_MAX  3

typedef struct {
    Effect effect;
    PayloadWriter edit;
    HllRaise raises[RAISE_MAX];
    bool rose[RAISE_MAX]; /* and so was shipped */
    uint32_t raise_count;
} Made;

typedef struct {
    CrdtBody *body;
    Causality causality;
    Clock reported[MEMBER_MAX + 1]; /* what each member has told this one that it knows */
} Member;

typedef struct {
    Member members[MEMBER_MAX + 1];
    uint32_t member_count;
    Made made[EFFECT_MAX]; /* in the order they were made: an effect comes after all it observed */
    uint32_t made_count;
    uint32_t of[MEMBER_MAX + 1][EFFECT_MAX + 1]; /* [origin][seq]: index in made */
} Fixture;

static inline Fixture *fixture_new(uint32_t member_count)
{
    Fixture *f = g_new0(Fixture, 1);

    f->member_count = member_count;
    for (uint32_t m = 1; m <= member_count; m++) {
        f->members[m].body = body_hll.create();
        causality_init(&f->members[m].causality);
    }
    return f;
}

static inline void member_end(Member *member)
{
    body_hll.destroy(member->body);
    causality_clear(&member->causality);
}

static inline void fixture_free(Fixture *f)
{
    for (uint32_t m = 1; m <= f->member_count; m++)
        member_end(&f->members[m]);
    for (uint32_t i = 0; i < f->made_count; i++)
        payload_clear(&f->made[i].edit);
    g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* --- what happens to a member */

static inline void receive(Member *member, const Made *made)
{
    const Effect *effect = &made->effect;
    BodyEffect in = {.effect = effect,
                     .edit = {(const char *)made->edit.data, made->edit.bytes},
                     .causality = &member->causality};
    Clock *reported = &member->reported[dot_member(effect->dot)];

    body_hll.apply(member->body, &in);
    causality_receive(&member->causality, effect->dot, &effect->ctx,
                      causality_is_ctx_ahead(&member->causality, &effect->ctx));
    clock_join(reported, &effect->ctx);
    reported->seq[dot_member(effect->dot)] = dot_seq(effect->dot);
}

static inline Made *make(Fixture *f, uint32_t m, EffectOp op)
{
    Member *member = &f->members[m];
    uint64_t seq = member->causality.clock.seq[m] + 1;
    Made *made = &f->made[f->made_count];

    EXPECT_FATAL(f->made_count < EFFECT_MAX);
    f->of[m][seq] = f->made_count++;
    made->effect = (Effect){.dot = dot_make(m, seq),
                            .ctx = member->causality.clock,
                            .op = (uint8_t)op,
                            .type = CRDT_HYPERLOGLOG};
    return made;
}

static inline uint32_t add(Fixture *f, uint32_t m, const HllRaise *raises, uint32_t count)
{
    Made *made = make(f, m, EFFECT_EDIT);
    uint32_t risen = body_hll_edit_add(f->members[m].body, raises, count, &made->edit);
    g_auto(Hll) before = {0};

    body_hll_join(&before, f->members[m].body);
    EXPECT_FATAL(count <= RAISE_MAX);
    for (uint32_t i = 0; i < count; i++) {
        made->raises[i] = raises[i];
        made->rose[i] = raises[i].rank > hll_rank(&before, raises[i].index);
    }
    made->raise_count = count;
    receive(&f->members[m], made);
    return risen;
}

static inline uint32_t add_text(Fixture *f, uint32_t m, const char *element)
{
    HllRaise raise = hll_hash(element, (uint32_t)strlen(element));

    return add(f, m, &raise, 1);
}

static inline void delete_key(Fixture *f, uint32_t m)
{
    receive(&f->members[m], make(f, m, EFFECT_DELETE));
}

/* All of one origin's effects that the member lacks; false when there were none. */
static inline bool deliver(Fixture *f, uint32_t to, uint32_t from, uint64_t most)
{
    Member *member = &f->members[to];
    const uint64_t *seen = &member->causality.clock.seq[from];
    uint64_t last = f->members[from].causality.clock.seq[from];
    uint64_t first = *seen;

    while (*seen < last && *seen - first < most)
        receive(member, &f->made[f->of[from][*seen + 1]]);
    return *seen > first;
}

static inline void exchange(Fixture *f)
{
    for (uint32_t to = 1; to <= f->member_count; to++)
        for (uint32_t from = 1; from <= f->member_count; from++)
            if (to != from)
                deliver(f, to, from, UINT64_MAX);
}

/* The member's state learns all that from's state knows: a full sync. */
static inline void merge_into(Member *into, const Member *from)
{
    Causality joined;

    causality_init(&joined);
    causality_join(&joined, &into->causality, &from->causality);
    body_hll.merge(
        &(BodyMerge){.into = &into->causality, .from = &from->causality, .joined = &joined},
        into->body, from->body);
    causality_clear(&into->causality);
    into->causality = joined;
}

/* What every member is known to have observed.  A report comes behind the effects its member made
 * before it: one that is ahead of what has arrived does not count. */
static inline void collect(Fixture *f, uint32_t m)
{
    Member *member = &f->members[m];
    Clock stable = member->causality.clock;

    for (uint32_t k = 1; k <= f->member_count; k++) {
        if (k == m)
            continue;
        if (member->causality.clock.seq[k] == f->members[k].causality.clock.seq[k])
            clock_join(&member->reported[k], &f->members[k].causality.clock); /* a heartbeat */
        clock_meet(&stable, &member->reported[k]);
    }
    body_hll.collect(member->body, &stable);
}
