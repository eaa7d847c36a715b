#include "models/geo/effect_log.h"

#include <string.h>

#include "tests/test.h"

static const EffectRecord *append(EffectLog *log, uint64_t wire_bytes)
{
    uint64_t seq = effect_log_last_seq(log) + 1;
    Effect effect = {.dot = dot_make(2, seq), .key = seq * 7, .op = EFFECT_ASSIGN};

    effect_log_append(log, &effect, (SimTime)seq * 10, wire_bytes);
    return effect_log_at(log, seq);
}

/* What a reader was given stays where it is while the log grows over many chunks. */
static void test_effects_never_move(void)
{
    g_autoptr(EffectLog) log = effect_log_new();
    const EffectRecord *first = append(log, 100);
    const EffectRecord *last = NULL;

    for (int i = 0; i < 10000; i++)
        last = append(log, 100);
    EXPECT(effect_log_at(log, 1) == first);
    EXPECT(effect_log_at(log, 10001) == last);
    EXPECT_INT(first->key, 7);
    EXPECT_INT(last->key, 70007);
    EXPECT_INT(effect_log_made_ns(log, 5000), 50000);
}

static void test_bytes_count_every_effect_once(void)
{
    g_autoptr(EffectLog) log = effect_log_new();
    uint64_t sum = 0;

    for (uint64_t i = 1; i <= 3000; i++) {
        append(log, i % 17);
        sum += i % 17;
        EXPECT_INT(effect_log_wire_bytes(log, i), i % 17);
    }
    EXPECT_INT(effect_log_bytes_before(log, 3001), sum);
    EXPECT_INT(effect_log_bytes_before(log, 1), 0);
    EXPECT_INT(effect_log_bytes_before(log, 1026) - effect_log_bytes_before(log, 1025), 1025 % 17);
}

/* The backlog's bound is met from below: one more effect would not fit. */
static void test_first_within_is_the_oldest_that_fits(void)
{
    g_autoptr(EffectLog) log = effect_log_new();

    for (int i = 0; i < 5000; i++)
        append(log, 10);
    EXPECT_INT(effect_log_first_within(log, 10 * 700), 5000 - 700 + 1);
    EXPECT_INT(effect_log_first_within(log, 10 * 700 + 9), 5000 - 700 + 1);
    EXPECT_INT(effect_log_first_within(log, 9), 5001);
    EXPECT_INT(effect_log_first_within(log, 1000000), 1);
}

static void test_drop_releases_whole_chunks_only(void)
{
    g_autoptr(EffectLog) log = effect_log_new();

    for (int i = 0; i < 5000; i++)
        append(log, 10);
    effect_log_drop(log, 3000);
    EXPECT(effect_log_kept_count(log) >= 2000);
    EXPECT(effect_log_kept_count(log) < 2000 + 1024);
    EXPECT_INT(effect_log_at(log, 3001)->key, 3001 * 7);
    effect_log_drop(log, 5000);
    append(log, 10);
    EXPECT_INT(effect_log_at(log, 5001)->key, 5001 * 7);
    EXPECT_INT(effect_log_bytes_before(log, 5002), 50010);
}

/* Dropping exactly at a chunk's end leaves a log that can go on. */
static void test_drop_of_everything_goes_on(void)
{
    g_autoptr(EffectLog) log = effect_log_new();

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 1024; i++)
            append(log, 1);
        effect_log_drop(log, effect_log_last_seq(log));
        EXPECT_INT(effect_log_kept_count(log), 0);
        EXPECT_INT(effect_log_first_within(log, 100), effect_log_last_seq(log) + 1);
    }
}

/* What a link walks over outlives the drop; released, its room is used again. */
static void test_dropped_effects_stay_until_released(void)
{
    g_autoptr(EffectLog) log = effect_log_new();
    const EffectRecord *first;
    EffectSpan span;

    for (int i = 0; i < 5000; i++)
        append(log, 10);
    effect_log_drop(log, 4100);
    EXPECT_INT(effect_log_dropped_seq(log), 4096);
    effect_log_release(log, 1023);
    span = effect_log_span(log, 24);
    EXPECT_INT(span.count, 1001);
    EXPECT_INT(span.records[1000].key, 1024 * 7);
    EXPECT_INT(span.made_ns[1000], 10240);
    first = effect_log_at(log, 1);
    effect_log_release(log, 1024);
    for (int i = 0; i < 1000; i++)
        append(log, 10);
    EXPECT_INT(first->key, 5121 * 7);
    effect_log_release(log, 5000); /* of what was dropped */
    EXPECT_INT(effect_log_at(log, 4097)->key, 4097 * 7);
}

/* Payloads are the log's own copies, and a value inside its payload points into the copy. */
static void test_payload_is_copied_with_its_value(void)
{
    g_autoptr(EffectLog) log = effect_log_new();
    uint8_t payload[300];
    Effect effect = {.dot = dot_make(1, 1), .payload = payload, .payload_bytes = sizeof payload};
    const EffectRecord *record;
    const Effect *kept;
    Effect room;

    memset(payload, 'x', sizeof payload);
    memcpy(payload + 100, "hello", 5);
    effect.value = (Value){.kind = VALUE_BYTES, .bytes = 5, .data = (const char *)payload + 100};
    effect_log_append(log, &effect, 0, 380);
    record = effect_log_at(log, 1);
    kept = effect_record_read(record, effect.dot, &room);
    memset(payload, 0, sizeof payload);
    EXPECT(memcmp(kept->value.data, "hello", 5) == 0);
    EXPECT_INT(kept->payload[299], 'x');
    for (uint64_t seq = 2; seq < 4000; seq++) {
        effect.dot = dot_make(1, seq);
        effect_log_append(log, &effect, 0, 380);
    }
    EXPECT(memcmp(kept->value.data, "hello", 5) == 0);
    effect_log_drop(log, 2048);
}

/* An effect on several elements has no payload; its copy has none either. */
static void test_an_effect_without_payload_is_kept_as_it_was(void)
{
    g_autoptr(EffectLog) log = effect_log_new();
    Effect effect = {.dot = dot_make(1, 1), .key = 5, .element_count = 3};
    const Effect *kept;
    Effect room;

    effect.value = (Value){.kind = VALUE_SYNTHETIC, .number = 9, .bytes = 100};
    effect_log_append(log, &effect, 0, 380);
    kept = effect_log_read(log, effect.dot, &room);
    EXPECT_INT(kept->element_count, 3);
    EXPECT_INT(kept->value.number, 9);
    EXPECT(kept->value.data == NULL);
    EXPECT(kept->payload == NULL);
}

static const TestCase cases[] = {
    TEST(test_effects_never_move),
    TEST(test_bytes_count_every_effect_once),
    TEST(test_first_within_is_the_oldest_that_fits),
    TEST(test_drop_releases_whole_chunks_only),
    TEST(test_drop_of_everything_goes_on),
    TEST(test_dropped_effects_stay_until_released),
    TEST(test_payload_is_copied_with_its_value),
    TEST(test_an_effect_without_payload_is_kept_as_it_was),
};
TEST_MAIN("effect_log", cases)
