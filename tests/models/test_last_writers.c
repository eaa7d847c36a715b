/* The table of last writers against a plain list of all of them. */
#include "models/observe/last_writers.h"

#include <glib.h>

#include "sim/rng.h"
#include "tests/test.h"

#define KEYS 4000u

static void put(LastWriters *writers, const Writer *writer)
{
    last_writers_set(writers, last_writers_find(writers, writer->key, writer->element), writer);
}

static bool holds(const LastWriters *writers, const Writer *writer)
{
    const Writer *found = last_writers_find(writers, writer->key, writer->element);

    return found->key == writer->key && found->element == writer->element &&
           found->dot == writer->dot && found->ts_ms == writer->ts_ms;
}

/* Keys come and go in bursts, now and then all but the latest writes become stale, and at last no
 * key comes back, so the table grows and shrinks. */
static void test_last_writers_keep_all_that_are_not_stale(void)
{
    g_autofree Writer *model = g_new0(Writer, KEYS);
    long count = test_count(200000, 5000000);
    Rng rng = rng_stream(1, "test/last_writers");
    LastWriters writers;
    uint32_t most = 0;

    last_writers_init(&writers);
    for (long i = 1; i <= count; i++) {
        uint32_t key = (uint32_t)rng_below(&rng, i / 20000 % 2 ? 50 : KEYS);
        uint32_t member = 1 + (uint32_t)rng_below(&rng, 3);

        model[key] = (Writer){
            .key = key / 3, .element = key % 3, .dot = dot_make(member, (uint64_t)i), .ts_ms = i};
        put(&writers, &model[key]);
        most = MAX(most, writers.size);
        if (i % 500 != 0)
            continue;
        for (uint32_t m = 1; m <= 3; m++)
            writers.stable.seq[m] = (uint64_t)MAX(i / 10000 * 10000 - 300 * (long)m, 0);
        for (uint32_t k = 0; k < KEYS; k++)
            if (model[k].dot != 0 && !clock_covers(&writers.stable, model[k].dot))
                EXPECT(holds(&writers, &model[k]));
        EXPECT(2 * writers.used <= writers.size);
    }
    EXPECT(most >= 2 * KEYS);
    for (uint64_t i = 1; i <= 100000; i++) { /* none is written twice */
        uint64_t seq = (uint64_t)count + i;

        put(&writers, &(Writer){.key = KEYS + i, .dot = dot_make(1, seq)});
        writers.stable = (Clock){{0, seq - 50, seq, seq}};
    }
    EXPECT(writers.size < most / 4);
    last_writers_clear(&writers);
}

static const TestCase cases[] = {
    TEST(test_last_writers_keep_all_that_are_not_stale),
};
TEST_MAIN("last_writers", cases)
