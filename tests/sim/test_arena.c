#include "tests/test.h"

#include <stdint.h>
#include <string.h>

#include "sim/arena.h"
#include "sim/rng.h"

static void test_memory_is_zeroed_aligned_and_separate(void)
{
    enum { COUNT = 2000 };
    g_autoptr(Arena) arena = arena_new();
    Rng rng = rng_stream(1, "test/arena");
    unsigned char *pieces[COUNT];
    size_t sizes[COUNT];

    for (int i = 0; i < COUNT; i++) {
        sizes[i] = (size_t)rng_below(&rng, i % 50 == 0 ? 100000 : 100);
        pieces[i] = arena_alloc(arena, sizes[i]);
        EXPECT_FATAL(pieces[i] != NULL);
        EXPECT((uintptr_t)pieces[i] % 16 == 0);
        for (size_t k = 0; k < sizes[i]; k++)
            EXPECT_FATAL(pieces[i][k] == 0);
        if (sizes[i] > 0)
            memset(pieces[i], i % 255 + 1, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            EXPECT_FATAL(pieces[i][k] == i % 255 + 1);
}

static void test_handed_out_bytes_are_counted(void)
{
    g_autoptr(Arena) arena = arena_new();

    EXPECT_INT(arena_bytes(arena), 0);
    arena_alloc(arena, 100);
    EXPECT_INT(arena_bytes(arena), 112);
    EXPECT(arena_array(arena, uint64_t, 1000) != NULL);
    EXPECT_INT(arena_bytes(arena), 8112);
}

static void test_texts_are_copies(void)
{
    g_autoptr(Arena) arena = arena_new();
    char original[] = "asia";
    char *copy = arena_text(arena, original);

    original[0] = 'A';
    EXPECT_TEXT(copy, "asia");
    EXPECT_TEXT(arena_printf(arena, "%s-%d", "link", 12), "link-12");
    EXPECT(arena_text(arena, NULL) == NULL);
}

static void note_release(void *thing)
{
    GString *const *noted = thing;

    g_string_append_printf(noted[0], "%s ", noted[1]->str);
}

static void test_owned_things_go_last_first_and_before_the_memory(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(GString) one = g_string_new("one"), two = g_string_new("two");
    Arena *arena = arena_new();
    GString **first = arena_array(arena, GString *, 2);
    GString **second = arena_array(arena, GString *, 2);

    first[0] = second[0] = log;
    first[1] = one;
    second[1] = two;
    arena_own(arena, first, note_release);
    arena_own(arena, second, note_release);
    arena_free(arena);
    EXPECT_TEXT(log->str, "two one ");
    arena_free(NULL);
}

static void release_nothing(void *thing)
{
    (void)thing;
}

static bool is_same_number(const void *owned, const void *thing)
{
    return *(const int *)owned == *(const int *)thing;
}

static void test_owned_things_are_found_among_those_of_their_kind(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(Arena) arena = arena_new();
    GString *noted[] = {log, log};
    int numbers[] = {7, 8, 8};
    int wanted = 8, absent = 9;

    arena_own(arena, noted, note_release);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        arena_own(arena, &numbers[i], release_nothing);
    EXPECT(arena_find_owned(arena, release_nothing, is_same_number, &wanted) == &numbers[1]);
    EXPECT(arena_find_owned(arena, release_nothing, is_same_number, &absent) == NULL);
    EXPECT(arena_find_owned(arena, note_release, is_same_number, &wanted) == NULL);
}

static const TestCase cases[] = {
    TEST(test_memory_is_zeroed_aligned_and_separate),
    TEST(test_handed_out_bytes_are_counted),
    TEST(test_texts_are_copies),
    TEST(test_owned_things_go_last_first_and_before_the_memory),
    TEST(test_owned_things_are_found_among_those_of_their_kind),
};
TEST_MAIN("arena", cases)
