/* The table of a born key's elements against a plain list, through random histories. */
#include "tests/test.h"

#include <string.h>

#include "models/data/store_private.h"

#define NAMES 400

typedef struct {
    ElementTable table;
    SlotPool pool;
    GPtrArray *names;
    bool is_in[NAMES];
    uint32_t count;
} World;

/* Few different hashes, so that many share a bucket. */
static ElementRef ref_of(const World *world, uint32_t number)
{
    const char *name = world->names->pdata[number];
    ElementRef ref = {.name = {name, (uint32_t)strlen(name)}};

    ref.hash = name_hash(ref.name.data, ref.name.bytes) % 97;
    return ref;
}

static uint32_t place_of(const World *world, uint32_t number)
{
    ElementRef ref = ref_of(world, number);

    return (uint32_t)(element_find(&world->table, &ref) - world->table.entries);
}

static void world_init(World *world)
{
    *world = (World){.names = g_ptr_array_new_with_free_func(g_free)};
    slot_pool_init(&world->pool);
    for (uint32_t i = 0; i < NAMES; i++)
        g_ptr_array_add(world->names, g_strdup_printf("%u", i));
}

static void world_clear(World *world)
{
    element_table_clear(&world->table, &world->pool);
    slot_pool_clear(&world->pool);
    g_ptr_array_free(world->names, TRUE);
}

static void add(World *world, uint32_t number)
{
    ElementRef ref = ref_of(world, number);

    element_add(&world->table, &ref)->slot.ts = number;
    world->is_in[number] = true;
    world->count++;
}

static void take(World *world, uint32_t number)
{
    element_remove(&world->table, place_of(world, number));
    world->is_in[number] = false;
    world->count--;
}

/* What is in is found, with what was put there; all else is not. */
static bool agrees(const World *world)
{
    bool same = world->table.count == world->count;

    for (uint32_t i = 0; i < NAMES && same; i++) {
        ElementRef ref = ref_of(world, i);
        const Element *found = element_find(&world->table, &ref);

        same = (found != NULL) == world->is_in[i] && (!found || found->slot.ts == i);
    }
    return same;
}

static void test_elements_are_found_until_they_are_removed(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(10, 300); seed++) {
        Rng rng = rng_stream(seed, "element-table");
        World world;
        bool same = true;

        world_init(&world);
        for (int step = 0; step < 2000 && same; step++) {
            uint32_t number = (uint32_t)rng_below(&rng, NAMES);
            bool growing = step / 500 % 2 == 0;

            if (!world.is_in[number] && (growing || rng_below(&rng, 4) == 0))
                add(&world, number);
            else if (world.is_in[number] && (!growing || rng_below(&rng, 4) == 0))
                take(&world, number);
            if (step % 20 == 0)
                same = agrees(&world);
        }
        EXPECT(same);
        world_clear(&world);
    }
}

/* Else a walk would meet gaps, and an index of places name what is not there. */
static void test_the_last_element_takes_the_place_of_one_that_goes(void)
{
    World world;

    world_init(&world);
    for (uint32_t i = 0; i < 10; i++)
        add(&world, i);
    EXPECT_INT(place_of(&world, 9), 9);
    take(&world, 3);
    EXPECT_INT(place_of(&world, 9), 3);
    EXPECT_INT(place_of(&world, 4), 4);
    take(&world, 8);
    EXPECT_INT(place_of(&world, 7), 7);
    EXPECT(agrees(&world));
    world_clear(&world);
}

static void test_each_element_is_in_one_bucket(void)
{
    bool seen[NAMES] = {0};
    uint32_t count = 0;
    World world;

    world_init(&world);
    for (uint32_t i = 0; i < NAMES; i++)
        add(&world, i);
    for (uint32_t i = 0; i < NAMES; i += 3)
        take(&world, i);
    for (uint32_t bucket = 0; bucket < world.table.capacity; bucket++) {
        uint32_t place;

        if (!element_in_bucket(&world.table, bucket, &place))
            continue;
        EXPECT(!seen[world.table.entries[place].slot.ts]);
        seen[world.table.entries[place].slot.ts] = true;
        count++;
    }
    EXPECT_INT(count, world.count);
    world_clear(&world);
}

static const TestCase cases[] = {
    TEST(test_elements_are_found_until_they_are_removed),
    TEST(test_the_last_element_takes_the_place_of_one_that_goes),
    TEST(test_each_element_is_in_one_bucket),
};
TEST_MAIN("element_table", cases)
