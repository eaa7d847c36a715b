/* The HyperLogLog sketch: counts and strings as Redis 7 has them.
 *
 * Source of all figures and strings: redis-server 7.0.15 (Debian), default configuration, tokens
 * added as decimal text with PFADD, read with PFCOUNT, PFMERGE and GET.
 */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/hll.h"
#include "sim/digest.h"
#include "sim/rng.h"

typedef struct {
    uint32_t first, end; /* tokens first to end - 1 */
} Range;

static void add_range(Hll *hll, Range range)
{
    for (uint64_t token = range.first; token < range.end; token++)
        hll_raise(hll, hll_hash_token(token));
}

/* PFCOUNT after every PFADD of the tokens 0, 1, 2, ...; the folded digest has all 200 000 of them.
 */
static void test_hll_counts_are_those_of_redis(void)
{
    static const struct {
        uint32_t added;
        int64_t count;
    } rows[] = {
        {1, 1},         {2, 2},          {3, 3},           {10, 10},         {100, 100},
        {500, 503},     {1000, 1001},    {1500, 1512},     {2000, 2007},     {3000, 3004},
        {5000, 4985},   {10000, 9987},   {20000, 19891},   {30000, 29850},   {50000, 50354},
        {70000, 69923}, {100000, 99565}, {150000, 150048}, {200000, 200305},
    };
    Digest digest = digest_begin();
    g_auto(Hll) hll = {0};
    size_t row = 0;

    EXPECT_INT(hll_count(&hll), 0);
    for (uint32_t added = 1; added <= 200000; added++) {
        hll_raise(&hll, hll_hash_token(added - 1));
        digest_u64(&digest, (uint64_t)hll_count(&hll));
        if (row < G_N_ELEMENTS(rows) && rows[row].added == added)
            EXPECT_INT(hll_count(&hll), rows[row++].count);
    }
    EXPECT_INT(row, G_N_ELEMENTS(rows));
    EXPECT(digest.value == UINT64_C(0x68d2e2e1067c441f));
}

/* PFCOUNT a, PFCOUNT b, PFCOUNT c, PFCOUNT a b c; PFMERGE d a b c then PFCOUNT d was the same. */
static void test_hll_unions_are_those_of_redis(void)
{
    static const struct {
        Range ranges[3];
        int64_t counts[3];
        int64_t joined;
    } rows[] = {
        {{{0, 10}, {5, 15}, {100, 103}}, {10, 10, 3}, 18},
        {{{0, 100}, {50, 150}, {90, 95}}, {100, 100, 5}, 151},
        {{{0, 1000}, {1000, 1600}, {0, 1}}, {1001, 599, 1}, 1611},
        {{{0, 1500}, {700, 2200}, {5000, 5400}}, {1512, 1506, 399}, 2594},
        {{{0, 20000}, {10000, 15000}, {7, 8}}, {19891, 4992, 1}, 19891},
        {{{0, 100000}, {50000, 150000}, {140000, 200000}}, {99565, 100781, 60122}, 200305},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Hll) joined = {0};

        for (int k = 0; k < 3; k++) {
            g_auto(Hll) hll = {0};

            add_range(&hll, rows[i].ranges[k]);
            EXPECT_INT(hll_count(&hll), rows[i].counts[k]);
            hll_join(&joined, &hll);
        }
        EXPECT_INT(hll_count(&joined), rows[i].joined);
    }
}

static void expect_string(const Hll *hll, const char *hex)
{
    GString *text = g_string_new(NULL);
    PayloadWriter writer = {0};

    hll_write_redis(hll, &writer);
    EXPECT_INT(writer.bytes, hll_encoded_bytes(hll));
    for (uint32_t i = 0; i < writer.bytes; i++)
        g_string_append_printf(text, "%02x", writer.data[i]);
    EXPECT_TEXT(text->str, hex);
    g_string_free(text, TRUE);
    payload_clear(&writer);
}

/* GET after PFADD of one element: every length of the hash's tail that differs in kind. */
static void test_hll_small_strings_are_those_of_redis(void)
{
    static const struct {
        const char *element;
        const char *hex;
    } rows[] = {
        {"", "48594c4c01000000000000000000008057318468cc"},
        {"x", "48594c4c0100000000000000000000807ff58408"},
        {"hello", "48594c4c01000000000000000000008063ff805bfe"},
        {"1234567", "48594c4c01000000000000000000008068568857a7"},
        {"12345678", "48594c4c01000000000000000000008069528856ab"},
        {"123456789", "48594c4c010000000000000000000080644c845bb1"},
    };
    g_auto(Hll) seven = {0};
    g_auto(Hll) empty = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Hll) hll = {0};

        hll_raise(&hll, hll_hash(rows[i].element, (uint32_t)strlen(rows[i].element)));
        expect_string(&hll, rows[i].hex);
    }
    for (const char *element = "abcdefg"; *element; element++)
        hll_raise(&seven, hll_hash(element, 1));
    expect_string(&seven, "48594c4c010000000000000000000080466d80560c80443c84388050b184498c80"
                          "426d80425a");
    expect_string(&empty, "48594c4c0100000000000000000000807fff");
}

static void expect_equal(const Hll *a, const Hll *b)
{
    uint32_t different = 0;

    for (uint32_t i = 0; i < HLL_REGISTER_COUNT; i++)
        different += hll_rank(a, i) != hll_rank(b, i);
    EXPECT_INT(different, 0);
    EXPECT_INT(a->count, b->count);
    EXPECT_INT(hll_count(a), hll_count(b));
    EXPECT_INT(hll_encoded_bytes(a), hll_encoded_bytes(b));
}

static void test_hll_string_reads_back(void)
{
    static const uint32_t sizes[] = {0, 1, 7, 300, 1600, 1800, 60000, 3000000};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        PayloadWriter writer = {0};
        g_auto(Hll) hll = {0};
        g_auto(Hll) read = {0};

        add_range(&hll, (Range){0, sizes[i]});
        hll_write_redis(&hll, &writer);
        EXPECT(hll_read_redis(&read, (PayloadText){(const char *)writer.data, writer.bytes}, NULL));
        expect_equal(&hll, &read);
        payload_clear(&writer);
    }
}

/* Ordinary strings are not sketches; what has the header and is broken says so and adds nothing. */
static void test_hll_broken_string_is_refused(void)
{
    static const struct {
        const char *body; /* behind "HYLL", the encoding, and 11 zeros */
        uint32_t bytes;
        uint8_t encoding;
        bool is_corrupt;
    } rows[] = {
        {"\x7f\xff", 1, 1, true},     /* an opcode cut in half */
        {"\x7f\xfe", 2, 1, true},     /* one register too few */
        {"\x7f\xff\x80", 3, 1, true}, /* one too many */
        {"\x80\x7f\xff", 3, 1, true}, /* a register, then one too many */
        {"", 0, 1, true},             /* no registers */
        {"\x7f\xff", 2, 0, false},    /* dense of a wrong size */
        {"\x7f\xff", 2, 2, false},    /* no such encoding */
    };
    g_auto(Hll) hll = {0};
    bool is_corrupt;

    EXPECT(!hll_read_redis(&hll, (PayloadText){NULL, 12304}, &is_corrupt));
    EXPECT(!is_corrupt);
    EXPECT(!hll_read_redis(&hll, (PayloadText){"HYLL", 4}, &is_corrupt));
    EXPECT(!is_corrupt);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char text[32] = "HYLL";

        text[4] = (char)rows[i].encoding;
        memcpy(text + 16, rows[i].body, rows[i].bytes);
        EXPECT(!hll_read_redis(&hll, (PayloadText){text, 16 + rows[i].bytes}, &is_corrupt));
        EXPECT_INT(is_corrupt, rows[i].is_corrupt);
    }
    EXPECT_INT(hll.count, 0);
}

/* The switch to the dense form, and everything said before and after it, is a matter of the
 * registers alone. */
static void test_hll_order_of_additions_does_not_matter(void)
{
    Rng rng = rng_stream(11, "hll/order");

    for (long round = test_count(20, 400); round > 0; round--) {
        uint32_t count = (uint32_t)rng_below(&rng, 2200) + 1;
        g_auto(Hll) forth = {0};
        g_auto(Hll) back = {0};

        for (uint32_t i = 0; i < count; i++)
            hll_raise(&forth, hll_hash_token(i * UINT64_C(7919)));
        for (uint32_t i = count; i-- > 0;)
            hll_raise(&back, hll_hash_token(i * UINT64_C(7919)));
        EXPECT_INT(forth.dense != NULL, forth.count > HLL_SPARSE_MAX);
        expect_equal(&forth, &back);
    }
}

/* Every rank in either form: the rare ones never come from a hash in a test. */
static void test_hll_holds_every_rank(void)
{
    g_auto(Hll) low = {0};
    g_auto(Hll) high = {0};

    for (uint8_t rank = 1; rank <= HLL_RANK_MAX; rank++) {
        HllRaise raise = {.index = (uint16_t)(HLL_REGISTER_COUNT - rank), .rank = rank};

        EXPECT(hll_raise(&high, raise));
        EXPECT(!hll_raise(&high, raise));
        EXPECT_INT(hll_rank(&high, raise.index), rank);
        if (rank <= 32)
            hll_raise(&low, raise);
    }
    EXPECT(high.dense != NULL);
    EXPECT(low.dense == NULL);
    hll_join(&low, &high);
    expect_equal(&low, &high);
}

static void test_hll_small_sketches_take_little_memory(void)
{
    g_auto(Hll) hll = {0};

    add_range(&hll, (Range){0, 10});
    EXPECT(hll_memory_bytes(&hll) <= 64);
    EXPECT(hll_encoded_bytes(&hll) <= 16 + 3 * 10 + 2);
    add_range(&hll, (Range){10, 100000});
    EXPECT(hll_memory_bytes(&hll) <= 12 * 1024 + 256);
    EXPECT_INT(hll_encoded_bytes(&hll), 12304);
}

static const TestCase cases[] = {
    TEST(test_hll_counts_are_those_of_redis),
    TEST(test_hll_unions_are_those_of_redis),
    TEST(test_hll_small_strings_are_those_of_redis),
    TEST(test_hll_string_reads_back),
    TEST(test_hll_broken_string_is_refused),
    TEST(test_hll_order_of_additions_does_not_matter),
    TEST(test_hll_holds_every_rank),
    TEST(test_hll_small_sketches_take_little_memory),
};
TEST_MAIN("hll", cases)
