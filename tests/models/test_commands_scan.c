/* Going through collections: nothing is missed, picks differ, and synthetic values have sizes. */
#include "tests/test.h"

#include <string.h>

#include "models/data/glob.h"
#include "models/data/store.h"
#include "sim/rng.h"

typedef struct {
    Store *store;
    Arena *arena;
} Fixture;

static void ignore_effect(void *actor, const Effect *effect)
{
    (void)actor;
    (void)effect;
}

static Fixture fixture_begin(void)
{
    StoreConfig config = {.member_id = 1, .member_count = 1, .sink = {.emit = ignore_effect}};

    return (Fixture){.store = store_new(&config), .arena = arena_new()};
}

static void fixture_end(Fixture *f)
{
    store_free(f->store);
    arena_free(f->arena);
}

static Reply run_args(Fixture *f, const char *name, const Arg *args, uint32_t count)
{
    Command command = {.spec = command_find(name, strlen(name)), .args = args, .count = count};
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    store_execute(f->store, &command, (WallTime){1000}, f->arena, &reply);
    return reply;
}

static Reply run(Fixture *f, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Arg args[16];
    uint32_t count = 0;

    for (; words[count + 1]; count++)
        args[count] = (Arg){.kind = ARG_BYTES,
                            .data = words[count + 1],
                            .bytes = (uint32_t)strlen(words[count + 1])};
    return run_args(f, words[0], args, count);
}

static void add_numbered(Fixture *f, const char *form, int from, int to)
{
    for (int i = from; i < to; i++) {
        g_autofree char *line = g_strdup_printf(form, i);

        run(f, line);
    }
}

/* Marks what one page of a scan lists; returns the next cursor. */
static char *mark_page(Fixture *f, const char *scan, const char *cursor, GHashTable *seen)
{
    g_autofree char *line = g_strdup_printf(scan, cursor);
    Reply reply = run(f, line);

    EXPECT_FATAL(reply.kind == REPLY_ARRAY && reply.count == 2);
    for (uint32_t i = 0; i < reply.items[1].count; i++)
        g_hash_table_add(seen, g_strdup(reply.items[1].items[i].text));
    return g_strdup(reply.items[0].text);
}

/* What was there all along is listed at least once, though the table grows eightfold meanwhile. */
static void scan_while_growing(const char *add, const char *scan, const char *stem)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *cursor = g_strdup("0");
    Fixture f = fixture_begin();
    int pages = 0;

    add_numbered(&f, add, 0, 500);
    do {
        char *next = mark_page(&f, scan, cursor, seen);

        g_free(cursor);
        cursor = next;
        pages++;
        if (pages <= 35)
            add_numbered(&f, add, 500 + 100 * pages, 600 + 100 * pages);
    } while (strcmp(cursor, "0") != 0 && pages < 5000);
    EXPECT(pages > 35 && pages < 5000);
    for (int i = 0; i < 500; i++) {
        g_autofree char *name = g_strdup_printf("%s%d", stem, i);

        EXPECT(g_hash_table_contains(seen, name));
    }
    fixture_end(&f);
}

static void test_scan_misses_no_key_of_a_growing_store(void)
{
    scan_while_growing("SET key%d v", "SCAN %s COUNT 10", "key");
}

static void test_scan_misses_no_element_of_a_growing_set(void)
{
    scan_while_growing("SADD s m%d", "SSCAN s %s COUNT 10", "m");
}

/* As strtoul reads it. */
static void test_cursor_ends_at_a_nul(void)
{
    Fixture f = fixture_begin();
    Arg args[] = {{.kind = ARG_BYTES, .data = "s", .bytes = 1},
                  {.kind = ARG_BYTES, .data = "\0x", .bytes = 2}};

    EXPECT_INT(run_args(&f, "HSCAN", args, 2).kind, REPLY_ARRAY);
    args[1].data = "-\0";
    EXPECT_INT(run_args(&f, "HSCAN", args, 2).kind, REPLY_ERROR);
    fixture_end(&f);
}

static void test_picks_are_different_elements(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    Fixture f = fixture_begin();
    Reply reply;

    add_numbered(&f, "SADD s m%d", 0, 100);
    reply = run(&f, "SRANDMEMBER s 60");
    EXPECT_INT(reply.count, 60);
    for (uint32_t i = 0; i < reply.count; i++)
        g_hash_table_add(seen, (void *)(uintptr_t)reply.items[i].text);
    EXPECT_INT(g_hash_table_size(seen), 60);
    EXPECT_INT(run(&f, "SRANDMEMBER s -250").count, 250);
    EXPECT_INT(run(&f, "SPOP s 1000").count, 100);
    EXPECT_INT(run(&f, "EXISTS s").integer, 0);
    fixture_end(&f);
}

static bool matches(const char *pattern, const char *text)
{
    return glob_matches((PayloadText){pattern, (uint32_t)strlen(pattern)},
                        (PayloadText){text, (uint32_t)strlen(text)});
}

static void test_glob_stars_classes_and_escapes(void)
{
    g_autofree char *many_stars = g_strnfill(2000, '*');
    g_autofree char *many_a = g_strnfill(2000, 'a');

    EXPECT(matches("*", "") && matches("", "") && !matches("", "a") && !matches("**", ""));
    EXPECT(matches("a*c*e", "abcde") && !matches("a*c*e", "abcdf"));
    EXPECT(matches("h[a-c]t", "hbt") && matches("h[c-a]t", "hbt") && !matches("h[^a-c]t", "hbt"));
    EXPECT(matches("\\*", "*") && !matches("\\*", "a") && matches("[\\]]", "]"));
    EXPECT(matches("a[bc", "ab") && !matches("a[", "a"));
    for (int i = 1; i < 2000; i += 2)
        many_stars[i] = 'a';
    many_stars[1999] = 'b';
    EXPECT(!matches(many_stars, many_a)); /* would take for ever if every star went back */
}

/* A synthetic value has a size, which edits change, and bits that read as zeros. */
static void test_bits_of_synthetic_values_have_a_size(void)
{
    Fixture f = fixture_begin();
    const Arg key = {.kind = ARG_BYTES, .data = "k", .bytes = 1};
    const Arg synthetic = {.kind = ARG_SYNTHETIC, .number = 7, .bytes = 100};

    run_args(&f, "SET", (Arg[]){key, synthetic}, 2);
    EXPECT_INT(run(&f, "SETBIT k 807 1").integer, 0);
    EXPECT_INT(run(&f, "STRLEN k").integer, 101);
    EXPECT_INT(run(&f, "BITFIELD k SET u8 #200 5").items[0].integer, 0);
    EXPECT_INT(run(&f, "STRLEN k").integer, 201);
    EXPECT_INT(run(&f, "BITOP NOT n k").integer, 201);
    EXPECT_INT(run(&f, "BITCOUNT n").integer, 0);
    EXPECT_INT(run(&f, "LCS k n LEN").integer, 0);
    EXPECT_INT(run(&f, "SETRANGE k 300 abc").integer, 303);
    fixture_end(&f);
}

/* Bits of bytes asked for one by one. */
static void expect_bits_of_range(Fixture *f, const unsigned char *bytes, int first, int last)
{
    g_autofree char *count = g_strdup_printf("BITCOUNT k %d %d BIT", first, last);
    g_autofree char *one = g_strdup_printf("BITPOS k 1 %d %d BIT", first, last);
    g_autofree char *zero = g_strdup_printf("BITPOS k 0 %d %d BIT", first, last);
    int set = 0, first_of[2] = {-1, -1};

    for (int i = first; i <= last; i++) {
        int bit = bytes[i / 8] >> (7 - i % 8) & 1;

        set += bit;
        first_of[bit] = first_of[bit] < 0 ? i : first_of[bit];
    }
    EXPECT_INT(run(f, count).integer, set);
    EXPECT_INT(run(f, one).integer, first_of[1]);
    EXPECT_INT(run(f, zero).integer, first_of[0]);
}

/* Long enough for sums of many words, with long stretches of one kind. */
static void test_bits_of_a_range_are_those_of_its_bytes(void)
{
    const Arg key = {.kind = ARG_BYTES, .data = "k", .bytes = 1};
    unsigned char bytes[600];
    Arg value = {.kind = ARG_BYTES, .data = (const char *)bytes, .bytes = sizeof(bytes)};
    Fixture f = fixture_begin();
    Rng rng = rng_stream(1, "bits");

    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i < 300 ? 0xff : i < 500 ? 0 : (unsigned char)rng_below(&rng, 256);
    run_args(&f, "SET", (Arg[]){key, value}, 2);
    expect_bits_of_range(&f, bytes, 0, sizeof(bytes) * 8 - 1);
    for (int i = 0; i < 500; i++) {
        int a = (int)rng_below(&rng, sizeof(bytes) * 8), b = (int)rng_below(&rng, 300);

        expect_bits_of_range(&f, bytes, a, MIN(a + b * b / 9, (int)sizeof(bytes) * 8 - 1));
    }
    fixture_end(&f);
}

/* Renaming keeps the order of a list, the deadline and the source of a copy. */
static void test_moves_take_all_along(void)
{
    Fixture f = fixture_begin();
    Reply reply;

    run(&f, "RPUSH l c a b");
    run(&f, "EXPIRE l 100");
    run(&f, "RENAME l m");
    EXPECT_INT(run(&f, "TTL m").integer, 100);
    EXPECT_INT(run(&f, "COPY m l").integer, 1);
    EXPECT_INT(run(&f, "SORT l ALPHA STORE m").integer, 3);
    EXPECT_INT(run(&f, "TTL m").integer, -1);
    reply = run(&f, "LRANGE m 0 -1");
    EXPECT_INT(reply.count, 3);
    EXPECT_TEXT(reply.items[0].text, "a");
    EXPECT_TEXT(run(&f, "LINDEX l 0").text, "c");
    fixture_end(&f);
}

static const TestCase cases[] = {
    TEST(test_scan_misses_no_key_of_a_growing_store),
    TEST(test_scan_misses_no_element_of_a_growing_set),
    TEST(test_cursor_ends_at_a_nul),
    TEST(test_picks_are_different_elements),
    TEST(test_glob_stars_classes_and_escapes),
    TEST(test_bits_of_synthetic_values_have_a_size),
    TEST(test_bits_of_a_range_are_those_of_its_bytes),
    TEST(test_moves_take_all_along),
};
TEST_MAIN("commands_scan", cases)
