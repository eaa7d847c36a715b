/* Places, scores and cells; tests/judge compares whole replies with a real Redis. */
#include "tests/test.h"

#include <math.h>
#include <string.h>

#include "models/data/earth.h"
#include "sim/rng.h"

static const EarthPoint palermo = {13.361389, 38.115556};
static const EarthPoint catania = {15.087269, 37.502669};

static EarthPoint draw_point(Rng *rng)
{
    return (EarthPoint){(2 * rng_unit(rng) - 1) * EARTH_LONGITUDE_MAX,
                        (2 * rng_unit(rng) - 1) * EARTH_LATITUDE_MAX};
}

/* The examples of GEOADD, GEODIST and GEOHASH in Redis's documentation. */
static void test_sicily_is_where_the_documentation_has_it(void)
{
    EarthPoint a = earth_point(earth_score(palermo));
    EarthPoint b = earth_point(earth_score(catania));
    char text[EARTH_HASH_BYTES];

    EXPECT(earth_score(palermo) == 3479099956230698.0);
    EXPECT_NEAR(earth_distance_m(a, b), 166274.1516, 0.00005);
    earth_hash(a, text);
    EXPECT(memcmp(text, "sqc8b49rny0", EARTH_HASH_BYTES) == 0);
    earth_hash(b, text);
    EXPECT(memcmp(text, "sqdtr74hyu0", EARTH_HASH_BYTES) == 0);
}

static void test_a_score_keeps_a_place_to_a_metre_and_reads_back_as_itself(void)
{
    Rng rng = rng_stream(1, "test/earth");

    for (long i = 0; i < test_count(20000, 1000000); i++) {
        EarthPoint point = draw_point(&rng);
        double score = earth_score(point);
        EarthPoint seen = earth_point(score);

        EXPECT(score >= 0 && score < 0x1p52);
        EXPECT(earth_distance_m(point, seen) < 1.0);
        EXPECT(earth_score(seen) == score);
    }
}

static void test_every_number_is_some_place(void)
{
    static const double scores[] = {-1,     -1.5,   0.5,      1e20,     -1e20,
                                    0x1p63, 0x1p64, INFINITY, -INFINITY};

    for (size_t i = 0; i < G_N_ELEMENTS(scores); i++)
        EXPECT(earth_has(earth_point(scores[i])));
    EXPECT(!earth_has((EarthPoint){180.1, 0}));
    EXPECT(!earth_has((EarthPoint){0, -86}));
}

static bool is_covered(const EarthShape *shape, double score)
{
    EarthCell cells[EARTH_CELLS];
    uint32_t count = earth_cover(shape, cells);
    uint32_t hits = 0;

    for (uint32_t i = 0; i < count; i++)
        hits += score >= cells[i].low && score < cells[i].high;
    EXPECT(hits <= 1); /* or a search would give an element twice */
    return hits == 1;
}

/* Away from the poles and the date line, where Redis itself loses some. */
static void test_cells_cover_what_the_shape_holds(void)
{
    Rng rng = rng_stream(2, "test/earth");
    long inside = 0;

    for (long i = 0; i < test_count(20000, 1000000); i++) {
        double far_m = exp(rng_unit(&rng) * 12); /* up to 160 km */
        EarthShape shape = {
            .centre = {(2 * rng_unit(&rng) - 1) * 170, (2 * rng_unit(&rng) - 1) * 60},
            .is_box = rng_below(&rng, 2) == 0,
            .radius_m = far_m,
            .width_m = far_m,
            .height_m = far_m * 2 * rng_unit(&rng)};
        double degrees = far_m / 111000;
        EarthPoint point = {shape.centre.longitude + (2 * rng_unit(&rng) - 1) * degrees,
                            shape.centre.latitude + (2 * rng_unit(&rng) - 1) * degrees};
        double score = earth_score(point);
        double distance_m;

        if (!earth_shape_holds(&shape, earth_point(score), &distance_m))
            continue;
        inside++;
        EXPECT(is_covered(&shape, score));
    }
    EXPECT(inside > test_count(20000, 1000000) / 4);
}

static void test_a_search_of_the_whole_earth_sees_each_place_once(void)
{
    EarthShape shape = {.centre = palermo, .radius_m = INFINITY};
    Rng rng = rng_stream(3, "test/earth");

    for (int i = 0; i < 2000; i++)
        EXPECT(is_covered(&shape, earth_score(draw_point(&rng))));
}

static const TestCase cases[] = {
    TEST(test_sicily_is_where_the_documentation_has_it),
    TEST(test_a_score_keeps_a_place_to_a_metre_and_reads_back_as_itself),
    TEST(test_every_number_is_some_place),
    TEST(test_cells_cover_what_the_shape_holds),
    TEST(test_a_search_of_the_whole_earth_sees_each_place_once),
};
TEST_MAIN("earth", cases)
