/* The index of sorted sets against a sorted array, through long random histories. */
#include "tests/test.h"

#include <math.h>
#include <string.h>

#include "models/data/zset_index.h"

#define PLACES 40000

typedef struct {
    double scores[PLACES];
    const char *names[PLACES]; /* NULL: a declared element, whose index is its place */
    bool is_in[PLACES];
    uint32_t count;
} Set;

static Scored read_place(const void *data, uint32_t place)
{
    const Set *set = data;
    Scored item = {.score = set->scores[place]};

    if (set->names[place])
        item.ref.name = (PayloadText){set->names[place], (uint32_t)strlen(set->names[place])};
    else
        item.ref.index = place;
    return item;
}

static ZsetPlaces places_of(const Set *set)
{
    return (ZsetPlaces){read_place, set};
}

typedef struct {
    Scored item;
    uint32_t place;
} Sorted;

static int compare(const void *a, const void *b)
{
    return scored_compare(&((const Sorted *)a)->item, &((const Sorted *)b)->item);
}

static Sorted *sorted(const Set *set)
{
    Sorted *list = g_new(Sorted, set->count + 1);
    uint32_t count = 0;

    for (uint32_t place = 0; place < PLACES; place++)
        if (set->is_in[place])
            list[count++] = (Sorted){read_place(set, place), place};
    qsort(list, count, sizeof(Sorted), compare);
    return list;
}

static bool is_below(const void *bound, const Scored *item)
{
    return item->score < *(const double *)bound;
}

static bool comes_before(const void *bound, const Scored *item)
{
    return scored_compare(item, bound) < 0;
}

/* Every rank by way of the runs; an element's rank and a score's, drawn. */
static bool agrees(const ZsetIndex *index, const Set *set, Rng *rng)
{
    g_autofree Sorted *list = sorted(set);
    ZsetPlaces places = places_of(set);
    bool same = zset_index_count(index) == set->count;
    uint32_t drawn;
    uint32_t below;
    double score;

    for (uint32_t rank = 0; same && rank < set->count;) {
        ZsetRun run = zset_index_run(index, rank);

        same = run.first == rank && run.count > 0;
        for (uint32_t i = 0; same && i < run.count; i++, rank++)
            same = run.places[i] == list[rank].place;
    }
    if (!same || set->count == 0)
        return same;
    drawn = (uint32_t)rng_below(rng, set->count);
    score = list[drawn].item.score;
    for (below = 0; below < set->count && list[below].item.score < score; below++)
        ;
    return zset_index_below(index, &places, comes_before, &list[drawn].item) == drawn &&
           zset_index_below(index, &places, is_below, &score) == below &&
           zset_index_run(index, drawn).first <= drawn;
}

/* Few different scores, so that many tie; all the odd ones a double can be. */
static double draw_score(Rng *rng)
{
    switch (rng_below(rng, 12)) {
    case 0:
        return INFINITY;
    case 1:
        return -INFINITY;
    case 2:
        return 0.0;
    case 3:
        return -0.0;
    default:
        return (double)rng_below(rng, 1000) / 8 - 60;
    }
}

static void take_in(ZsetIndex *index, Set *set, uint32_t place, double score)
{
    ZsetPlaces places = places_of(set);

    set->scores[place] = score;
    set->is_in[place] = true;
    set->count++;
    zset_index_enter(index, &places, place);
}

static void take_out(ZsetIndex *index, Set *set, uint32_t place)
{
    ZsetPlaces places = places_of(set);

    zset_index_leave(index, &places, place);
    set->is_in[place] = false;
    set->count--;
}

static void move(ZsetIndex *index, Set *set, uint32_t from, uint32_t to)
{
    ZsetPlaces places = places_of(set);

    zset_index_move(index, &places, from, to);
    set->scores[to] = set->scores[from];
    set->names[to] = set->names[from];
    set->is_in[to] = true;
    set->is_in[from] = false;
}

static bool holds_through_history(uint64_t seed, uint32_t size, int steps)
{
    g_autofree Set *set = g_new0(Set, 1);
    Rng rng = rng_stream(seed, "zset-index");
    ZsetIndex *index = zset_index_new(NULL, 0);
    bool same = true;

    for (int step = 0; same && step < steps; step++) {
        uint32_t place = (uint32_t)rng_below(&rng, size);
        bool growing = step / (steps / 4) % 2 == 0;

        if (!set->is_in[place] && (growing || rng_below(&rng, 4) == 0))
            take_in(index, set, place, draw_score(&rng));
        else if (set->is_in[place] && (!growing || rng_below(&rng, 4) == 0))
            take_out(index, set, place);
        if (size < 500 || step % (steps / 8) == 0)
            same = agrees(index, set, &rng);
    }
    for (uint32_t place = 0; place < size; place++)
        if (set->is_in[place])
            take_out(index, set, place);
    same &= zset_index_count(index) == 0 && agrees(index, set, &rng);
    zset_index_free(index);
    return same;
}

static void test_order_is_that_of_a_sorted_array(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(10, 200); seed++)
        EXPECT(holds_through_history(seed, 1 + (uint32_t)(seed * 37 % 400), 1000));
    EXPECT(holds_through_history(1, PLACES, 200000));
}

static void test_sorted_places_make_the_same_order(void)
{
    static const uint32_t counts[] = {0, 1, 93, 94, 125, 126, 3000, PLACES};
    g_autofree Set *set = g_new0(Set, 1);
    g_autofree uint32_t *in_order = g_new(uint32_t, PLACES);
    Rng rng = rng_stream(1, "zset-index");

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autofree Sorted *list = NULL;
        ZsetIndex *index;

        for (; set->count < counts[i]; set->count++) {
            set->scores[set->count] = draw_score(&rng);
            set->is_in[set->count] = true;
        }
        list = sorted(set);
        for (uint32_t rank = 0; rank < set->count; rank++)
            in_order[rank] = list[rank].place;
        index = zset_index_new(in_order, set->count);
        EXPECT(agrees(index, set, &rng));
        zset_index_free(index);
    }
}

static void test_ties_go_by_the_bytes_of_the_name(void)
{
    static const char *const names[] = {"b", "ab", "a", "abc", "", "\xff", "B"};
    static const char *const in_order[] = {"", "B", "a", "ab", "abc", "b", "\xff"};
    g_autofree Set *set = g_new0(Set, 1);
    ZsetIndex *index = zset_index_new(NULL, 0);

    for (uint32_t i = 0; i < G_N_ELEMENTS(names); i++) {
        set->names[i] = names[i];
        take_in(index, set, i, i % 2 ? 0.0 : -0.0);
    }
    for (uint32_t rank = 0; rank < G_N_ELEMENTS(in_order); rank++)
        EXPECT_TEXT(set->names[zset_index_run(index, rank).places[rank]], in_order[rank]);
    zset_index_free(index);
}

/* As in a table whose last entry takes the place of one that goes. */
static void test_elements_keep_their_rank_when_they_change_place(void)
{
    g_autofree Set *set = g_new0(Set, 1);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    ZsetIndex *index = zset_index_new(NULL, 0);
    Rng rng = rng_stream(2, "zset-index");

    for (uint32_t place = 0; place < 3000; place++) {
        g_ptr_array_add(names, g_strdup_printf("%u", place * 7919 % 3000));
        set->names[place] = names->pdata[place];
        take_in(index, set, place, (double)rng_below(&rng, 20));
    }
    while (set->count > 0) {
        uint32_t place = (uint32_t)rng_below(&rng, set->count);

        take_out(index, set, place);
        if (place != set->count)
            move(index, set, set->count, place);
        if (set->count % 64 == 0)
            EXPECT(agrees(index, set, &rng));
    }
    zset_index_free(index);
}

/* With the 32 bytes of a slot: at most 48 for an element. */
static void test_an_element_costs_no_more_than_sixteen_bytes(void)
{
    g_autofree Set *set = g_new0(Set, 1);
    ZsetIndex *index = zset_index_new(NULL, 0);
    Rng rng = rng_stream(3, "zset-index");

    for (uint32_t place = 0; place < PLACES; place++) /* leaves half full: the worst to grow by */
        take_in(index, set, place, place);
    EXPECT(zset_index_bytes(index) <= UINT64_C(10) * PLACES);
    for (uint32_t place = 0; place < PLACES; place++)
        if (rng_below(&rng, 20) != 0)
            take_out(index, set, place);
    EXPECT(zset_index_bytes(index) <= UINT64_C(16) * set->count);
    zset_index_free(index);
}

static const TestCase cases[] = {
    TEST(test_order_is_that_of_a_sorted_array),
    TEST(test_sorted_places_make_the_same_order),
    TEST(test_ties_go_by_the_bytes_of_the_name),
    TEST(test_elements_keep_their_rank_when_they_change_place),
    TEST(test_an_element_costs_no_more_than_sixteen_bytes),
};
TEST_MAIN("zset_index", cases)
