/* The slot: heads, covers that come early, counters (crdt-semantics.md 3). */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/slot.h"

typedef struct {
    SlotWorld world;
    Slot slot;
    bool add_wins;
} Fixture;

static void fixture_begin(Fixture *f, bool add_wins)
{
    *f = (Fixture){.add_wins = add_wins};
    slot_pool_init(&f->world.pool);
    causality_init(&f->world.causality);
}

static void fixture_end(Fixture *f)
{
    slot_clear(&f->world.pool, &f->slot);
    slot_pool_clear(&f->world.pool);
    causality_clear(&f->world.causality);
}

/* The next effect of member arrives; ctx says how many effects of members 1, 2, 3 it had observed.
 */
static void arrive(Fixture *f, EffectOp op, uint32_t member, int64_t ts, const uint64_t ctx[3],
                   uint64_t token)
{
    Clock clock = {.seq = {0, ctx[0], ctx[1], ctx[2]}};
    Dot dot = dot_make(member, f->world.causality.clock.seq[member] + 1);
    SlotWrite write = {.dot = dot,
                       .ts = ts,
                       .ctx = &clock,
                       .value = {.kind = VALUE_SYNTHETIC, .number = token, .bytes = 1},
                       .op = op,
                       .add_wins = f->add_wins,
                       .ahead = causality_is_ctx_ahead(&f->world.causality, &clock)};

    slot_write(&f->world, &f->slot, &write);
    causality_receive(&f->world.causality, dot, &clock,
                      causality_is_ctx_ahead(&f->world.causality, &clock));
}

#define CTX(a, b, c) ((const uint64_t[3]){a, b, c})

static uint64_t shown(const Fixture *f)
{
    return slot_view(&f->world.pool, &f->slot).base.number;
}

static void test_slot_later_wall_clock_wins_and_both_stay(void)
{
    Fixture f;

    fixture_begin(&f, false);
    arrive(&f, EFFECT_ASSIGN, 1, 20, CTX(0, 0, 0), 111);
    arrive(&f, EFFECT_ASSIGN, 2, 10, CTX(0, 0, 0), 222);
    EXPECT_INT(shown(&f), 111);
    EXPECT_INT(slot_summary(&f.world.pool, &f.slot).sibling_count, 1);
    fixture_end(&f);
}

static void test_slot_equal_time_goes_to_the_lower_member(void)
{
    Fixture f;

    fixture_begin(&f, false);
    arrive(&f, EFFECT_ASSIGN, 3, 10, CTX(0, 0, 0), 333);
    arrive(&f, EFFECT_ASSIGN, 2, 10, CTX(0, 0, 0), 222);
    EXPECT_INT(shown(&f), 222);
    fixture_end(&f);
}

/* A clock that runs behind does not undo causality. */
static void test_slot_observed_write_loses_whatever_its_clock(void)
{
    Fixture f;

    fixture_begin(&f, false);
    arrive(&f, EFFECT_ASSIGN, 1, 1000, CTX(0, 0, 0), 111);
    arrive(&f, EFFECT_ASSIGN, 2, 1, CTX(1, 0, 0), 222);
    EXPECT_INT(shown(&f), 222);
    EXPECT_INT(slot_summary(&f.world.pool, &f.slot).sibling_count, 0);
    fixture_end(&f);
}

static void test_slot_remove_before_its_assign_covers_it(void)
{
    Fixture f;

    fixture_begin(&f, false);
    arrive(&f, EFFECT_REMOVE, 2, 10, CTX(1, 0, 0), 0);
    arrive(&f, EFFECT_ASSIGN, 1, 5, CTX(0, 0, 0), 111);
    EXPECT(!slot_is_present(&f.world.pool, &f.slot));
    arrive(&f, EFFECT_ASSIGN, 1, 6, CTX(1, 0, 0), 112);
    EXPECT_INT(shown(&f), 112);
    EXPECT(slot_chain(&f.slot) == 0);
    fixture_end(&f);
}

/* Our clocks are not closed: member 3 saw member 2's write, not the older one that write had
 * covered. */
static void test_slot_cover_outlives_the_head_that_brought_it(void)
{
    Fixture f;

    fixture_begin(&f, false);
    arrive(&f, EFFECT_ASSIGN, 2, 10, CTX(1, 0, 0), 222);
    arrive(&f, EFFECT_ASSIGN, 3, 11, CTX(0, 1, 0), 333);
    arrive(&f, EFFECT_ASSIGN, 1, 99, CTX(0, 0, 0), 111);
    EXPECT_INT(shown(&f), 333);
    EXPECT_INT(slot_summary(&f.world.pool, &f.slot).sibling_count, 0);
    fixture_end(&f);
}

/* An add had observed another add; being removed must not turn it into a cover of that one. */
static void test_slot_removed_add_covers_nothing(void)
{
    Fixture f;

    fixture_begin(&f, true);
    arrive(&f, EFFECT_ADD, 2, 10, CTX(1, 0, 0), 0);
    arrive(&f, EFFECT_REMOVE, 3, 11, CTX(0, 1, 0), 0);
    EXPECT(!slot_is_present(&f.world.pool, &f.slot));
    arrive(&f, EFFECT_ADD, 1, 5, CTX(0, 0, 0), 0);
    EXPECT(slot_is_present(&f.world.pool, &f.slot));
    fixture_end(&f);
}

static void test_slot_adds_of_two_members_both_stay(void)
{
    Fixture f;

    fixture_begin(&f, true);
    arrive(&f, EFFECT_ADD, 1, 10, CTX(0, 0, 0), 0);
    arrive(&f, EFFECT_ADD, 2, 11, CTX(1, 0, 0), 0);
    arrive(&f, EFFECT_REMOVE, 3, 12, CTX(1, 0, 0), 0);
    EXPECT(slot_is_present(&f.world.pool, &f.slot));
    arrive(&f, EFFECT_REMOVE, 3, 12, CTX(0, 1, 1), 0);
    EXPECT(!slot_is_present(&f.world.pool, &f.slot));
    fixture_end(&f);
}

/* ZADD 4.1, sync, ZREM | ZINCRBY 2: the assign is covered, the increment is not. */
static void test_slot_unseen_increment_survives_a_remove(void)
{
    Fixture f;
    SlotView view;

    fixture_begin(&f, false);
    arrive(&f, EFFECT_ASSIGN, 1, 10, CTX(0, 0, 0), 111);
    arrive(&f, EFFECT_REMOVE, 1, 11, CTX(1, 0, 0), 0);
    slot_increment(&f.world, &f.slot, dot_make(2, 1), 2 * (Decimal)DECIMAL_ONE);
    view = slot_view(&f.world.pool, &f.slot);
    EXPECT(view.present && !view.has_base);
    EXPECT(view.increments == 2 * (Decimal)DECIMAL_ONE);
    fixture_end(&f);
}

/* A cover that names increments not here yet takes exactly those, whenever they come. */
static void test_slot_cover_of_increments_works_in_any_order(void)
{
    Fixture f;

    fixture_begin(&f, false);
    slot_increment(&f.world, &f.slot, dot_make(2, 1), 5);
    slot_cover_increments(&f.world, &f.slot, &(IncrementCover){.origin = 2, .seq = 2, .sum = 12});
    EXPECT(!slot_is_present(&f.world.pool, &f.slot));
    slot_increment(&f.world, &f.slot, dot_make(2, 2), 7);
    EXPECT(!slot_is_present(&f.world.pool, &f.slot));
    slot_increment(&f.world, &f.slot, dot_make(2, 3), 100);
    EXPECT(slot_view(&f.world.pool, &f.slot).increments == 100);
    fixture_end(&f);
}

static void test_slot_pool_does_not_leak(void)
{
    Fixture f;
    uint32_t count = 0;

    fixture_begin(&f, false);
    for (int round = 0; round < 50; round++) {
        uint64_t seen = f.world.causality.clock.seq[1];

        arrive(&f, EFFECT_ASSIGN, 1, 10, CTX(seen, 0, 0), 1);
        arrive(&f, EFFECT_ASSIGN, 2, 10, CTX(0, f.world.causality.clock.seq[2], 0), 2);
        arrive(&f, EFFECT_REMOVE, 3, 10, CTX(seen + 1, f.world.causality.clock.seq[2], 0), 2);
        if (round == 5)
            count = f.world.pool.count;
    }
    EXPECT_INT(f.world.pool.count, count);
    fixture_end(&f);
}

static const TestCase cases[] = {
    TEST(test_slot_later_wall_clock_wins_and_both_stay),
    TEST(test_slot_equal_time_goes_to_the_lower_member),
    TEST(test_slot_observed_write_loses_whatever_its_clock),
    TEST(test_slot_remove_before_its_assign_covers_it),
    TEST(test_slot_cover_outlives_the_head_that_brought_it),
    TEST(test_slot_removed_add_covers_nothing),
    TEST(test_slot_adds_of_two_members_both_stay),
    TEST(test_slot_unseen_increment_survives_a_remove),
    TEST(test_slot_cover_of_increments_works_in_any_order),
    TEST(test_slot_pool_does_not_leak),
};
TEST_MAIN("slot", cases)
