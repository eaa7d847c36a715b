#include "models/geo/history.h"

#include "sim/rng.h"
#include "tests/test.h"

static const Family families_data[] = {
    {.name = "op", .index = 0, .record_bytes = 300, .weight = 16, .retention = RETENTION_OP},
    {.name = "low", .index = 1, .record_bytes = 64, .weight = 1, .retention = RETENTION_TOMBSTONE},
};
static const Family *const families[] = {&families_data[0], &families_data[1]};

static void start(HistoryClasses *classes, HistoryBooks *books, History *history)
{
    EXPECT_FATAL(history_classes_init(classes, families, 2));
    *books = (HistoryBooks){0};
    history_init(history, classes, books);
}

static void test_records_weigh_what_their_family_says(void)
{
    HistoryClasses classes;
    HistoryBooks books;
    History history;

    start(&classes, &books, &history);
    history_push(&history, 1, classes.code[0][HISTORY_RECORD][0]);
    history_push(&history, 2, classes.code[0][HISTORY_RECORD][1]);
    history_push(&history, 3, classes.code[0][HISTORY_TOMBSTONE][0]);
    history_push(&history, 4, classes.code[1][HISTORY_RECORD][0]);
    history_push(&history, 5, classes.code[1][HISTORY_TOMBSTONE][0]);
    EXPECT_INT(books.bytes[HISTORY_RECORD], 300 + 16 * 300);
    EXPECT_INT(books.bytes[HISTORY_TOMBSTONE], 300 + 64);
    EXPECT_INT(books.record_count, 4);
    history_clear(&history);
}

static void test_collect_walks_to_the_floor_and_stops(void)
{
    HistoryClasses classes;
    HistoryBooks books;
    History history;
    uint8_t code;

    start(&classes, &books, &history);
    code = classes.code[0][HISTORY_RECORD][0];
    for (uint64_t seq = 1; seq <= 100000; seq++)
        history_push(&history, seq, code);
    history_collect(&history, 40000);
    EXPECT_INT(books.bytes[HISTORY_RECORD], 60000 * 300);
    history_collect(&history, 200000);
    EXPECT_INT(books.bytes[HISTORY_RECORD], 0);
    history_push(&history, 100001, code); /* everybody has it already */
    EXPECT_INT(books.record_count, 0);
    history_clear(&history);
}

static void test_superseded_record_is_forgotten_once(void)
{
    HistoryClasses classes;
    HistoryBooks books;
    History history;
    uint8_t code;

    start(&classes, &books, &history);
    code = classes.code[0][HISTORY_RECORD][0];
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        history_push(&history, seq, code);
        history_supersede(&history, seq - 1);
        history_supersede(&history, seq - 1);
    }
    EXPECT_INT(books.record_count, 1);
    EXPECT_INT(books.bytes[HISTORY_RECORD], 300);
    history_collect(&history, 999);
    history_supersede(&history, 500); /* long gone */
    EXPECT_INT(books.record_count, 1);
    history_collect(&history, 1000);
    EXPECT_INT(books.record_count, 0);
    history_clear(&history);
}

/* Random pushes, floors and replacements against a plain array of records. */
static void test_books_agree_with_a_plain_array(void)
{
    HistoryClasses classes;
    HistoryBooks books;
    History history;
    Rng rng = rng_stream(7, "test/history");
    static int64_t weight[20001];
    uint64_t floor = 0;
    int64_t sum = 0;

    start(&classes, &books, &history);
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        uint8_t code = classes.code[rng_below(&rng, 2)][HISTORY_RECORD][rng_below(&rng, 2)];
        uint64_t older = rng_below(&rng, seq);

        weight[seq] = seq > floor ? classes.bytes[code] : 0;
        history_push(&history, seq, code);
        if (rng_below(&rng, 3) == 0) {
            weight[older] = 0;
            history_supersede(&history, older);
        }
        if (rng_below(&rng, 500) == 0) {
            floor += rng_below(&rng, seq + 300 - floor);
            for (uint64_t i = 1; i <= floor && i <= seq; i++)
                weight[i] = 0;
            history_collect(&history, floor);
        }
    }
    for (uint64_t seq = 1; seq <= 20000; seq++)
        sum += weight[seq];
    EXPECT_INT(books.bytes[HISTORY_RECORD], sum);
    history_clear(&history);
}

static void test_too_many_sizes_are_refused(void)
{
    static Family many[FAMILY_MAX];
    const Family *list[FAMILY_MAX];
    HistoryClasses classes;

    for (uint32_t f = 0; f < FAMILY_MAX; f++) {
        many[f] = (Family){.record_bytes = 1000 + f, .weight = 5000};
        list[f] = &many[f];
    }
    EXPECT(!history_classes_init(&classes, list, FAMILY_MAX));
    EXPECT(history_classes_init(&classes, list, FAMILY_MAX / 2));
}

/* A tombstone has a size of its own, or the record's. */
static void test_history_tombstones_weigh_what_the_family_says(void)
{
    for (uint32_t tombstone = 0; tombstone <= 30; tombstone += 30) {
        const Family family = {.weight = 4, .record_bytes = 100, .tombstone_bytes = tombstone};
        const Family *const one[] = {&family};
        HistoryClasses classes;

        EXPECT(history_classes_init(&classes, one, 1));
        EXPECT_INT(classes.bytes[classes.code[0][HISTORY_RECORD][0]], 100);
        EXPECT_INT(classes.bytes[classes.code[0][HISTORY_TOMBSTONE][0]],
                   tombstone > 0 ? tombstone : 100);
        EXPECT_INT(classes.bytes[classes.code[0][HISTORY_TOMBSTONE][1]],
                   4 * (tombstone > 0 ? tombstone : 100));
    }
}

static const TestCase cases[] = {
    TEST(test_history_tombstones_weigh_what_the_family_says),
    TEST(test_records_weigh_what_their_family_says),
    TEST(test_collect_walks_to_the_floor_and_stops),
    TEST(test_superseded_record_is_forgotten_once),
    TEST(test_books_agree_with_a_plain_array),
    TEST(test_too_many_sizes_are_refused),
};
TEST_MAIN("history", cases)
