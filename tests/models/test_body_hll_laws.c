/* The laws of a HyperLogLog key, over random histories.
 *
 * The model keeps every effect with all it was meant to raise, and computes the visible registers
 * by the rule's own words: the maximum over the additions whose clock has observed every DEL that
 * is known.
 */
#include "tests/models/body_hll_fixture.h"

#include "sim/rng.h"

#define INDEX_COUNT 4 /* registers that histories touch */

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

static const TestCase cases[] = {
    TEST(test_hll_any_order_of_arrival_gives_what_the_rule_says),
    TEST(test_hll_collecting_changes_nothing_now_or_later),
    TEST(test_hll_merge_equals_apply_in_any_grouping),
};
TEST_MAIN("body_hll_laws", cases)
