#include "tests/test.h"

#include <math.h>

#include "sim/json_read.h"
#include "sim/popularity.h"
#include "sim/rng.h"
#include "sim/zipf.h"
#include "tests/sim/choice.h"

static PluginChoice zipf_choice(Arena *arena, double exponent, bool is_scrambled)
{
    PluginChoice choice = choice_make(arena, &popularity_family, "zipf");

    choice_set_number(&choice, "exponent", exponent);
    choice_set_bool(&choice, "scrambled", is_scrambled);
    return choice;
}

static PluginChoice hotset_choice(Arena *arena, double keys, double hits)
{
    PluginChoice choice = choice_make(arena, &popularity_family, "hotset");

    choice_set_number(&choice, "keys", keys);
    choice_set_number(&choice, "hits", hits);
    return choice;
}

static Popularity *popularity_of(const PluginChoice *choice, uint64_t key_count)
{
    return popularity_new(&(PopularityConfig){.choice = choice, .key_count = key_count});
}

static double share_of_first(const Popularity *popularity, uint64_t count)
{
    double sum = 0.0;

    for (uint64_t i = 0; i < count; i++)
        sum += popularity_share_of(popularity, i);
    return sum;
}

/* The table's own probabilities: words evenly spread over their range hit a rank in proportion to
 * what its columns give it, so counting them needs no chance. */
static void expect_table_gives_shares(const Popularity *popularity, uint64_t words)
{
    uint64_t count = popularity_kept_count(popularity);
    g_autofree uint64_t *hits = g_new0(uint64_t, count);
    double kept = popularity_kept_share(popularity);
    double columns = (double)words / (double)count;

    for (uint64_t i = 0; i < words; i++) {
        uint64_t index = popularity_draw(popularity, i * (UINT64_MAX / words));

        EXPECT_FATAL(index < count);
        hits[index]++;
    }
    for (uint64_t i = 0; i < count; i++) {
        double expected = popularity_share_of(popularity, i) / kept;

        /* Each column that gives to this rank may be off by one word. */
        EXPECT_NEAR((double)hits[i] / (double)words, expected,
                    (2.0 + expected * (double)count) * 2.0 / (double)words);
    }
    EXPECT(columns >= 16.0);
}

/* Cooper et al. 2010; figures for theta 0.99 and a million keys. */
static void test_zipf_meets_the_ycsb_figures(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice choice = zipf_choice(arena, 0.99, false);
    g_autoptr(Popularity) popularity = popularity_of(&choice, 1000000);
    long count = test_count(400000, 10000000), first = 0, ten = 0, thousand = 0;
    Rng rng = rng_stream(1, "test/zipf");

    EXPECT_NEAR(zipf_total(0.99, 1000000), 15.391849746, 5e-10);
    EXPECT_NEAR(popularity_share_of(popularity, 0), 0.06497, 5e-6);
    EXPECT_NEAR(share_of_first(popularity, 10), 0.1921, 5e-5);
    EXPECT_NEAR(share_of_first(popularity, 1000), 0.5021, 5e-5);
    EXPECT_NEAR(share_of_first(popularity, 10000), 0.6643, 5e-5);
    EXPECT_NEAR(share_of_first(popularity, 1000000), 1.0, 1e-9);
    for (long i = 0; i < count; i++) {
        uint64_t rank = popularity_draw(popularity, rng_u64(&rng));

        first += rank < 1;
        ten += rank < 10;
        thousand += rank < 1000;
    }
    EXPECT_NEAR((double)first / (double)count, 0.06497, 4.0 * 0.25 / sqrt((double)count));
    EXPECT_NEAR((double)ten / (double)count, 0.1921, 4.0 * 0.4 / sqrt((double)count));
    EXPECT_NEAR((double)thousand / (double)count, 0.5021, 4.0 * 0.5 / sqrt((double)count));
}

static void test_table_gives_every_rank_its_share(void)
{
    static const double exponents[] = {0.0, 0.5, 0.99, 1.0, 1.1, 2.0, 5.0};
    g_autoptr(Arena) arena = arena_new();

    for (size_t e = 0; e < G_N_ELEMENTS(exponents); e++)
        for (uint64_t n = 1; n <= 4000; n = 3 * n + 1) {
            PluginChoice choice = zipf_choice(arena, exponents[e], false);
            g_autoptr(Popularity) popularity = popularity_of(&choice, n);

            EXPECT_INT(popularity_kept_count(popularity), (int64_t)n);
            EXPECT(popularity_kept_share(popularity) == 1.0);
            expect_table_gives_shares(popularity, 1 << 18);
        }
}

static void test_zipf_total_is_the_sum_of_its_weights(void)
{
    static const double exponents[] = {0.0, 0.3, 0.99, 1.0, 1.0000001, 1.1, 2.5, 5.0};
    static const uint64_t counts[] = {1, 2, 63, 64, 65, 66, 1000, 100000};

    for (size_t e = 0; e < G_N_ELEMENTS(exponents); e++)
        for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
            long double sum = 0.0L;

            for (uint64_t k = counts[c]; k > 0; k--)
                sum += powl((long double)k, -(long double)exponents[e]);
            EXPECT_NEAR(zipf_total(exponents[e], counts[c]) / (double)sum, 1.0, 1e-13);
        }
    EXPECT_INT(zipf_total(0.99, 0), 0);
    for (uint64_t rank = 0; rank < 1000000; rank += 1 + rank / 3)
        EXPECT_NEAR(zipf_weight(0.99, rank) / pow((double)(rank + 1), -0.99), 1.0, 1e-14);
}

static void test_uniform_needs_no_parameters(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice uniform = choice_make(arena, &popularity_family, "uniform");
    PluginChoice absent = {NULL, NULL, NULL};
    const PluginChoice *const choices[] = {&uniform, &absent, NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        g_autoptr(Popularity) popularity = popularity_of(choices[i], 1000);

        EXPECT(popularity_share_of(popularity, 999) == 0.001);
        expect_table_gives_shares(popularity, 1 << 16);
    }
}

static void test_hotset_splits_hits_evenly_on_either_side(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice choice = hotset_choice(arena, 0.2, 0.8);
    PluginChoice only = hotset_choice(arena, 0.1, 1.0);
    PluginChoice tiny = hotset_choice(arena, 0.001, 0.05);
    g_autoptr(Popularity) popularity = popularity_of(&choice, 1000);
    g_autoptr(Popularity) alone = popularity_of(&only, 1000);
    g_autoptr(Popularity) rounded = popularity_of(&tiny, 10);

    EXPECT_NEAR(popularity_share_of(popularity, 0), 0.004, 1e-15);
    EXPECT_NEAR(popularity_share_of(popularity, 199), 0.004, 1e-15);
    EXPECT_NEAR(popularity_share_of(popularity, 200), 0.00025, 1e-15);
    expect_table_gives_shares(popularity, 1 << 18);
    EXPECT(popularity_share_of(alone, 100) == 0.0);
    expect_table_gives_shares(alone, 1 << 18);
    EXPECT_NEAR(popularity_share_of(rounded, 0), 0.1, 1e-15);
}

static bool keep_some(void *context, uint64_t rank)
{
    const RngKey *key = context;

    return rank < 10 || rng_keyed(*key, rank, 0) % 16 == 0;
}

static bool keep_none(void *context, uint64_t rank)
{
    (void)context;
    (void)rank;
    return false;
}

static void test_slice_keeps_its_ranks_at_their_own_rates(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice choice = zipf_choice(arena, 0.9, false);
    RngKey key = rng_key(1, "slice");
    PopularityConfig config = {
        .choice = &choice, .key_count = 40000, .keep = keep_some, .context = &key};
    g_autoptr(Popularity) slice = popularity_new(&config), whole = popularity_of(&choice, 40000);
    uint64_t count = 0;
    double share = 0.0;

    for (uint64_t rank = 0; rank < 40000; rank++) {
        if (!keep_some(&key, rank))
            continue;
        EXPECT_FATAL(count < popularity_kept_count(slice));
        EXPECT_INT(popularity_rank_of(slice, count), (int64_t)rank);
        EXPECT(popularity_share_of(slice, count) == popularity_share_of(whole, rank));
        share += popularity_share_of(slice, count);
        count++;
    }
    EXPECT_INT(popularity_kept_count(slice), (int64_t)count);
    EXPECT_NEAR(popularity_kept_share(slice), share, 1e-12);
    expect_table_gives_shares(slice, 1 << 20);
}

static void test_slice_may_be_empty(void)
{
    g_autoptr(Popularity) slice =
        popularity_new(&(PopularityConfig){.key_count = 100, .keep = keep_none});
    g_autoptr(Popularity) empty = popularity_new(&(PopularityConfig){.key_count = 0});

    EXPECT_INT(popularity_kept_count(slice), 0);
    EXPECT(popularity_kept_share(slice) == 0.0);
    EXPECT_INT(popularity_kept_count(empty), 0);
}

static void expect_bijection(const Popularity *popularity, uint64_t n)
{
    g_autofree bool *seen = g_new0(bool, n);

    for (uint64_t rank = 0; rank < n; rank++) {
        uint64_t key = popularity_key_of(popularity, rank);

        EXPECT_FATAL(key < n);
        EXPECT(!seen[key]);
        seen[key] = true;
        EXPECT_INT(popularity_rank_of_key(popularity, key), (int64_t)rank);
    }
}

static void test_every_order_is_a_bijection(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice scrambled = zipf_choice(arena, 0.99, true);
    PluginChoice latest = choice_make(arena, &popularity_family, "latest");

    choice_set_number(&latest, "exponent", 0.99);
    for (uint64_t n = 1; n < 70000; n = n < 40 ? n + 1 : 2 * n + 7) {
        g_autoptr(Popularity) a = popularity_of(&scrambled, n), b = popularity_of(&latest, n);

        expect_bijection(a, n);
        expect_bijection(b, n);
        EXPECT_INT(popularity_key_of(b, 0), (int64_t)n - 1);
    }
}

static void test_scrambled_spreads_the_hot_keys(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice choice = zipf_choice(arena, 0.99, true);
    g_autoptr(Popularity) popularity = popularity_of(&choice, 1000000);
    int tenths[10] = {0};

    for (uint64_t rank = 0; rank < 1000; rank++)
        tenths[popularity_key_of(popularity, rank) / 100000]++;
    for (int i = 0; i < 10; i++)
        EXPECT_NEAR(tenths[i], 100, 5);
}

static Popularity *parse(const char *text, Arena *arena, GError **error)
{
    g_autoptr(JsonDoc) doc = json_parse("a.json", text, strlen(text), error);
    PluginChoice choice;

    if (doc == NULL || !plugin_parse(&popularity_family, json_root(doc), arena, &choice, error))
        return NULL;
    return popularity_of(&choice, 100);
}

static void test_every_kind_is_read_from_a_scenario(void)
{
    static const struct {
        const char *text;
        double first_share;
        uint64_t hottest_key, second_key;
    } cases[] = {
        {"\"uniform\"", 0.01, 0, 1},
        {"{\"zipf\": 1}", 1.0 / 5.187377517639621, 0, 1},
        {"{\"zipf\": 1, \"scrambled\": true}", 1.0 / 5.187377517639621, 0, 61},
        {"{\"latest\": 1}", 1.0 / 5.187377517639621, 99, 98},
        {"{\"hotset\": {\"keys\": \"20%\", \"hits\": 0.8}}", 0.04, 0, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Arena) arena = arena_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(Popularity) popularity = parse(cases[i].text, arena, &error);

        if (error != NULL)
            g_printerr("%s\n", error->message);
        EXPECT_FATAL(popularity != NULL);
        EXPECT_NEAR(popularity_share_of(popularity, 0), cases[i].first_share, 1e-12);
        EXPECT_INT(popularity_key_of(popularity, 0), (int64_t)cases[i].hottest_key);
        EXPECT_INT(popularity_key_of(popularity, 1), (int64_t)cases[i].second_key);
    }
}

static void test_hot_keys_must_be_hotter_than_the_rest(void)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(GError) error = NULL;

    EXPECT(parse("{\"hotset\": {\"keys\": 0.5, \"hits\": 0.4}}", arena, &error) == NULL);
    EXPECT_FATAL(error != NULL);
    EXPECT_TEXT(error->message, "a.json:1:1: the hot keys get a smaller share of hits than "
                                "they are of keys; raise hits or lower keys");
}

/* Bits, not values: a table is the same on every machine and under every compiler. */
static void test_draws_are_pinned(void)
{
    g_autoptr(Arena) arena = arena_new();
    PluginChoice choice = zipf_choice(arena, 1.1, false);
    g_autoptr(Popularity) popularity = popularity_of(&choice, 12345);
    Rng rng = rng_stream(7, "test/pinned");
    uint64_t folded = 0;

    for (int i = 0; i < 100000; i++)
        folded = rng_mix(folded ^ popularity_draw(popularity, rng_u64(&rng)));
    EXPECT_INT(folded, INT64_C(-8378806110740367993));
}

static const TestCase cases[] = {
    TEST(test_zipf_meets_the_ycsb_figures),
    TEST(test_table_gives_every_rank_its_share),
    TEST(test_zipf_total_is_the_sum_of_its_weights),
    TEST(test_uniform_needs_no_parameters),
    TEST(test_hotset_splits_hits_evenly_on_either_side),
    TEST(test_slice_keeps_its_ranks_at_their_own_rates),
    TEST(test_slice_may_be_empty),
    TEST(test_every_order_is_a_bijection),
    TEST(test_scrambled_spreads_the_hot_keys),
    TEST(test_every_kind_is_read_from_a_scenario),
    TEST(test_hot_keys_must_be_hotter_than_the_rest),
    TEST(test_draws_are_pinned),
};
TEST_MAIN("popularity", cases)
