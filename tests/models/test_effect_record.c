#include "models/geo/effect_record.h"

#include <string.h>

#include "sim/rng.h"
#include "tests/test.h"

static uint64_t seq_of(Rng *rng)
{
    return rng_u64(rng) >> (33 + rng_below(rng, 31));
}

/* Declared, with one element and no payload: what a record can hold. */
static Effect plain_effect(Rng *rng)
{
    uint32_t origin = 1 + (uint32_t)rng_below(rng, MEMBER_MAX);
    Effect effect = {.dot = dot_make(origin, 1 + seq_of(rng)),
                     .ts = {(int64_t)rng_u64(rng)},
                     .key = rng_u64(rng),
                     .element = (uint32_t)rng_u64(rng),
                     .element_count = 1,
                     .amount = (int64_t)rng_u64(rng),
                     .family = (uint16_t)rng_u64(rng),
                     .op = (uint8_t)rng_below(rng, EFFECT_PUBLISH + 1),
                     .type = (uint8_t)rng_below(rng, 16)};

    effect.value = (Value){.number = rng_u64(rng),
                           .bytes = (uint32_t)rng_u64(rng),
                           .kind = rng_below(rng, 2) ? VALUE_SYNTHETIC : VALUE_SCORE};
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        effect.ctx.seq[id] = seq_of(rng);
    effect.ctx.seq[origin] = dot_seq(effect.dot) - 1;
    return effect;
}

static bool clocks_equal(const Clock *a, const Clock *b)
{
    return memcmp(a->seq, b->seq, sizeof a->seq) == 0;
}

static void expect_equal(const Effect *a, const Effect *b)
{
    EXPECT(a->dot == b->dot && a->ts.ms == b->ts.ms && clocks_equal(&a->ctx, &b->ctx));
    EXPECT(a->key == b->key && a->element == b->element && a->element_count == b->element_count);
    EXPECT(a->value.number == b->value.number && a->value.data == b->value.data);
    EXPECT(a->value.bytes == b->value.bytes && a->value.kind == b->value.kind);
    EXPECT(a->amount == b->amount && a->family == b->family && a->op == b->op);
    EXPECT(a->type == b->type && a->payload == b->payload);
    EXPECT(a->payload_bytes == b->payload_bytes);
}

static void test_what_is_packed_reads_as_it_was(void)
{
    Rng rng = rng_stream(1, "record");

    for (long i = 0; i < test_count(20000, 2000000); i++) {
        Effect effect = plain_effect(&rng);
        EffectRecord record;
        Effect room;

        memset(&room, 0xff, sizeof room);
        EXPECT(effect_record_pack(&record, &effect));
        expect_equal(effect_record_read(&record, effect.dot, &room), &effect);
    }
}

static bool fits(const Effect *effect)
{
    EffectRecord record;

    return effect_record_pack(&record, effect);
}

/* What a record has no place for is refused, one by one. */
static void test_what_does_not_fit_is_refused(void)
{
    Rng rng = rng_stream(2, "record");
    Effect plain = plain_effect(&rng);
    uint32_t origin = dot_member(plain.dot);
    uint32_t other = origin == 1 ? 2 : 1;
    uint8_t payload[] = {1};
    Effect effect;

    EXPECT(fits(&plain));
    effect = plain;
    effect.payload = payload;
    effect.payload_bytes = 1;
    EXPECT(!fits(&effect));
    effect = plain;
    effect.value.data = (const char *)payload;
    EXPECT(!fits(&effect));
    effect = plain;
    effect.element_count = 2;
    EXPECT(!fits(&effect));
    effect = plain;
    effect.ctx.seq[other] = UINT64_C(1) << 32;
    EXPECT(!fits(&effect));
    effect.ctx.seq[other]--;
    EXPECT(fits(&effect));
    effect = plain;
    effect.ctx.seq[origin]++; /* has not observed its own */
    EXPECT(!fits(&effect));
}

static void test_what_is_kept_whole_is_read_there(void)
{
    Effect whole = {
        .dot = dot_make(3, 9), .key = 77, .element = 5, .element_count = 4, .family = 2};
    EffectRecord record;
    Effect room;

    effect_record_refer(&record, &whole);
    EXPECT(effect_record_read(&record, whole.dot, &room) == &whole);
    EXPECT_INT(record.key, 77);
    EXPECT_INT(record.element, 5);
    EXPECT_INT(record.family, 2);
}

static const TestCase cases[] = {
    TEST(test_what_is_packed_reads_as_it_was),
    TEST(test_what_does_not_fit_is_refused),
    TEST(test_what_is_kept_whole_is_read_there),
};
TEST_MAIN("effect_record", cases)
