/* A HyperLogLog key: DEL wins (crdt-semantics.md 6), and the laws over random histories.
 *
 * The model keeps every effect with all it was meant to raise, and computes the visible registers
 * by the rule's own words: the maximum over the additions whose clock has observed every DEL that
 * is known.
 */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/body_hll.h"
#include "models/crdt/crdt.h"
#include "sim/rng.h"

#define EFFECT_MAX  160 /* of a history */
#define INDEX_COUNT 4   /* registers that histories touch */
#define RAISE_MAX   3

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

static Fixture *fixture_new(uint32_t member_count)
{
    Fixture *f = g_new0(Fixture, 1);

    f->member_count = member_count;
    for (uint32_t m = 1; m <= member_count; m++) {
        f->members[m].body = body_hll.create();
        causality_init(&f->members[m].causality);
    }
    return f;
}

static void member_end(Member *member)
{
    body_hll.destroy(member->body);
    causality_clear(&member->causality);
}

static void fixture_free(Fixture *f)
{
    for (uint32_t m = 1; m <= f->member_count; m++)
        member_end(&f->members[m]);
    for (uint32_t i = 0; i < f->made_count; i++)
        payload_clear(&f->made[i].edit);
    g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* --- what happens to a member */

static void receive(Member *member, const Made *made)
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

static Made *make(Fixture *f, uint32_t m, EffectOp op)
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

static uint32_t add(Fixture *f, uint32_t m, const HllRaise *raises, uint32_t count)
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

static uint32_t add_text(Fixture *f, uint32_t m, const char *element)
{
    HllRaise raise = hll_hash(element, (uint32_t)strlen(element));

    return add(f, m, &raise, 1);
}

static void delete_key(Fixture *f, uint32_t m)
{
    receive(&f->members[m], make(f, m, EFFECT_DELETE));
}

/* All of one origin's effects that the member lacks; false when there were none. */
static bool deliver(Fixture *f, uint32_t to, uint32_t from, uint64_t most)
{
    Member *member = &f->members[to];
    const uint64_t *seen = &member->causality.clock.seq[from];
    uint64_t last = f->members[from].causality.clock.seq[from];
    uint64_t first = *seen;

    while (*seen < last && *seen - first < most)
        receive(member, &f->made[f->of[from][*seen + 1]]);
    return *seen > first;
}

static void exchange(Fixture *f)
{
    for (uint32_t to = 1; to <= f->member_count; to++)
        for (uint32_t from = 1; from <= f->member_count; from++)
            if (to != from)
                deliver(f, to, from, UINT64_MAX);
}

/* The member's state learns all that from's state knows: a full sync. */
static void merge_into(Member *into, const Member *from)
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
static void collect(Fixture *f, uint32_t m)
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

/* --- the model */

typedef struct {
    uint32_t ranks[INDEX_COUNT];
    uint64_t oldest;
    bool is_present;
} Seen;

/* What an edit left out, because it was that high at its origin, is somebody else's living addition
 * and so arrives with that: all_meant asks for it too, which must hold once everything is here. */
static Seen model_of(const Fixture *f, const Clock *clock, bool all_meant)
{
    Seen seen = {.oldest = UINT64_MAX};
    Clock deleted = {0};

    for (uint32_t i = 0; i < f->made_count; i++) {
        Dot dot = f->made[i].effect.dot;

        if (f->made[i].effect.op == EFFECT_DELETE && clock_covers(clock, dot))
            deleted.seq[dot_member(dot)] = dot_seq(dot);
    }
    for (uint32_t i = 0; i < f->made_count; i++) {
        const Made *made = &f->made[i];
        Dot dot = made->effect.dot;
        bool counts = made->effect.op == EFFECT_EDIT && clock_covers(clock, dot);

        for (uint32_t k = 1; k <= MEMBER_MAX; k++)
            counts = counts && made->effect.ctx.seq[k] >= deleted.seq[k];
        if (!counts)
            continue;
        seen.is_present = true;
        seen.oldest = MIN(seen.oldest, (uint64_t)dot_member(dot) << 60 | dot_seq(dot));
        for (uint32_t k = 0; k < made->raise_count; k++) {
            uint32_t *rank = &seen.ranks[made->raises[k].index];

            if (all_meant || made->rose[k])
                *rank = MAX(*rank, made->raises[k].rank);
        }
    }
    return seen;
}

static bool agrees(const Member *member, const Seen *seen)
{
    g_auto(Hll) joined = {0};
    g_auto(Hll) modelled = {0};
    bool same = body_hll.is_present(member->body) == seen->is_present &&
                body_hll.oldest_rank(member->body) == seen->oldest;

    body_hll_join(&joined, member->body);
    for (uint32_t i = 0; i < INDEX_COUNT; i++) {
        same = same && hll_rank(&joined, i) == seen->ranks[i];
        if (seen->ranks[i] > 0)
            hll_raise(&modelled, (HllRaise){.index = (uint16_t)i, .rank = (uint8_t)seen->ranks[i]});
    }
    return same && body_hll_count(member->body) == hll_count(&modelled);
}

static uint64_t digest_of(const CrdtBody *body)
{
    Digest digest = digest_begin();

    body_hll.digest(body, &digest);
    return digest.value;
}

/* A member that got what clock names: in the order of making, or in any order across origins. */
static Member replay(const Fixture *f, const Clock *clock, Rng *any_order)
{
    Member member = {.body = body_hll.create()};

    causality_init(&member.causality);
    if (!any_order) {
        for (uint32_t i = 0; i < f->made_count; i++)
            if (clock_covers(clock, f->made[i].effect.dot))
                receive(&member, &f->made[i]);
        return member;
    }
    for (;;) {
        uint32_t waiting[MEMBER_MAX];
        uint32_t count = 0;
        uint32_t m;

        for (m = 1; m <= f->member_count; m++)
            if (member.causality.clock.seq[m] < clock->seq[m])
                waiting[count++] = m;
        if (count == 0)
            return member;
        m = waiting[rng_below(any_order, count)];
        receive(&member, &f->made[f->of[m][member.causality.clock.seq[m] + 1]]);
    }
}

static void expect_replay_is_equal(const Fixture *f, const Member *member, Rng *any_order)
{
    Member again = replay(f, &member->causality.clock, any_order);

    EXPECT_FATAL(digest_of(again.body) == digest_of(member->body));
    member_end(&again);
}

/* --- random histories */

static void draw_add(Fixture *f, uint32_t m, Rng *rng)
{
    uint32_t count = (uint32_t)rng_below(rng, RAISE_MAX + 1);
    HllRaise raises[RAISE_MAX];

    for (uint32_t i = 0; i < count; i++)
        raises[i] = (HllRaise){.index = (uint16_t)rng_below(rng, INDEX_COUNT),
                               .rank = (uint8_t)(rng_below(rng, 6) + 1)};
    add(f, m, raises, count);
}

/* One thing happens to member m; returns whether it may have changed what is visible there. */
static void draw_step(Fixture *f, uint32_t m, Rng *rng, bool collects)
{
    uint32_t other = (uint32_t)rng_below(rng, f->member_count) + 1;
    uint64_t choice = rng_below(rng, 20);
    uint64_t before;

    if (choice < 5) {
        draw_add(f, m, rng);
    } else if (choice < 7) {
        delete_key(f, m);
    } else if (choice < 16) {
        if (other != m)
            deliver(f, m, other, rng_below(rng, 4) + 1);
    } else if (choice < 17) {
        if (other != m) {
            merge_into(&f->members[m], &f->members[other]);
            clock_join(&f->members[m].reported[other], &f->members[other].causality.clock);
        }
    } else if (collects) {
        before = digest_of(f->members[m].body);
        collect(f, m);
        EXPECT_FATAL(digest_of(f->members[m].body) == before);
    }
}

static void run_history(Fixture *f, Rng *rng, bool collects)
{
    while (f->made_count < 60) {
        uint32_t m = (uint32_t)rng_below(rng, f->member_count) + 1;
        Seen seen;

        draw_step(f, m, rng, collects);
        seen = model_of(f, &f->members[m].causality.clock, false);
        EXPECT_FATAL(agrees(&f->members[m], &seen));
        expect_replay_is_equal(f, &f->members[m], collects ? NULL : rng);
    }
}

static void expect_converged(Fixture *f)
{
    Seen seen;

    exchange(f);
    seen = model_of(f, &f->members[1].causality.clock, true);
    for (uint32_t m = 1; m <= f->member_count; m++) {
        EXPECT_FATAL(agrees(&f->members[m], &seen));
        EXPECT(digest_of(f->members[m].body) == digest_of(f->members[1].body));
    }
}

static void test_hll_any_order_of_arrival_gives_what_the_rule_says(void)
{
    Rng rng = rng_stream(1, "hll/orders");

    for (long round = test_count(300, 20000); round > 0; round--) {
        g_autoptr(Fixture) f = fixture_new(2 + (uint32_t)(round % 4));

        run_history(f, &rng, false);
        expect_converged(f);
    }
}

static void test_hll_collecting_changes_nothing_now_or_later(void)
{
    Rng rng = rng_stream(2, "hll/collect");

    for (long round = test_count(300, 20000); round > 0; round--) {
        g_autoptr(Fixture) f = fixture_new(2 + (uint32_t)(round % 4));

        run_history(f, &rng, true);
        expect_converged(f);
        for (uint32_t m = 1; m <= f->member_count; m++) {
            collect(f, m);
            EXPECT_INT(body_hll.summary(f->members[m].body).tombstone_count, 0);
            EXPECT(body_hll.is_empty(f->members[m].body, &f->members[m].causality) !=
                   body_hll.is_present(f->members[m].body));
        }
        expect_converged(f);
    }
}

static Clock draw_clock(const Fixture *f, Rng *rng)
{
    Clock clock = {0};

    for (uint32_t m = 1; m <= f->member_count; m++)
        clock.seq[m] = rng_below(rng, f->members[m].causality.clock.seq[m] + 1);
    return clock;
}

/* The state of a member that knew `first` and then merged with those of others, in that order. */
static uint64_t digest_of_merges(const Fixture *f, const Clock *clocks, const int order[4])
{
    Member merged = replay(f, &clocks[order[0]], NULL);
    uint64_t digest;

    for (int i = 1; i < 4 && order[i] >= 0; i++) {
        Member other = replay(f, &clocks[order[i]], NULL);

        merge_into(&merged, &other);
        member_end(&other);
    }
    digest = digest_of(merged.body);
    member_end(&merged);
    return digest;
}

/* A join of the last two first: a + (b + c). */
static uint64_t digest_of_nested(const Fixture *f, const Clock clocks[3])
{
    Member a = replay(f, &clocks[0], NULL);
    Member b = replay(f, &clocks[1], NULL);
    Member c = replay(f, &clocks[2], NULL);
    uint64_t digest;

    merge_into(&b, &c);
    merge_into(&a, &b);
    digest = digest_of(a.body);
    member_end(&a);
    member_end(&b);
    member_end(&c);
    return digest;
}

static void test_hll_merge_equals_apply_in_any_grouping(void)
{
    Rng rng = rng_stream(3, "hll/merge");

    for (long round = test_count(150, 5000); round > 0; round--) {
        g_autoptr(Fixture) f = fixture_new(2 + (uint32_t)(round % 4));

        run_history(f, &rng, false);
        for (int i = 0; i < 20; i++) {
            Clock clocks[3] = {draw_clock(f, &rng), draw_clock(f, &rng), draw_clock(f, &rng)};
            Clock all = clocks[0];
            Member applied;
            uint64_t expected;

            clock_join(&all, &clocks[1]);
            clock_join(&all, &clocks[2]);
            applied = replay(f, &all, &rng);
            expected = digest_of(applied.body);
            EXPECT(digest_of_merges(f, clocks, (int[4]){0, 1, 2, -1}) == expected);
            EXPECT(digest_of_merges(f, clocks, (int[4]){2, 1, 0, -1}) == expected);
            EXPECT(digest_of_merges(f, clocks, (int[4]){1, 2, 0, 1}) == expected);
            EXPECT(digest_of_nested(f, clocks) == expected);
            EXPECT(digest_of_merges(f, clocks, (int[4]){0, 0, -1, -1}) ==
                   digest_of_merges(f, clocks, (int[4]){0, -1, -1, -1}));
            member_end(&applied);
        }
    }
}

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
    TEST(test_hll_books_follow_the_key_through_its_life),
    TEST(test_hll_merged_keys_are_one_edit),
    TEST(test_hll_any_order_of_arrival_gives_what_the_rule_says),
    TEST(test_hll_collecting_changes_nothing_now_or_later),
    TEST(test_hll_merge_equals_apply_in_any_grouping),
};
TEST_MAIN("body_hll", cases)
