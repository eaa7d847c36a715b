/* What a member's data weighs: the books against a slow count, and what the parameters do. */
#include "models/data/command_run.h"
#include "tests/models/memory_fixture.h"

static Memory *memory_of(Store *store, const MemoryConfig *config)
{
    Memory *memory = g_new0(Memory, 1);

    memory_init(memory, store, store->config.families, store->config.family_count, config);
    return memory;
}

static DataBytes total_of(Store *store, const MemoryConfig *config)
{
    g_autofree Memory *memory = memory_of(store, config);

    return memory_total(memory);
}

static void expect_counted(Store *store, uint32_t shards)
{
    MemoryCount count = count_all(store);
    DataBytes total = total_of(store, &(MemoryConfig){.shard_count = shards});
    uint64_t keys = ((uint64_t)count.keys + shards - 1) / shards;
    uint64_t deadlines = ((uint64_t)count.deadlines + shards - 1) / shards;

    EXPECT_INT(total.keys, count.keys);
    EXPECT_INT(total.deadlines, count.deadlines);
    EXPECT_INT(total.live,
               count.bytes + (int64_t)(shards * footprint_keyspace_bytes(keys, deadlines)));
}

#define SKETCHES 100

/* --- random histories */

static void add_word(GString *line, Rng *rng, uint32_t len_max)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    uint32_t len = 1 + (uint32_t)rng_below(rng, len_max);

    g_string_append_c(line, ' ');
    if (rng_below(rng, 3) == 0) {
        g_string_append_printf(line, "%d", (int)rng_below(rng, 100000));
        return;
    }
    for (uint32_t i = 0; i < len; i++)
        g_string_append_c(line, letters[rng_below(rng, 26)]);
}

/* Many elements at once, so that some keys pass the listpack's limits and come back. */
static void draw_many(GString *line, Rng *rng, const char *key)
{
    uint32_t count = rng_below(rng, 3) == 0 ? 1 + (uint32_t)rng_below(rng, 300) : 2;
    uint32_t first = (uint32_t)rng_below(rng, 400);
    uint32_t kind = (uint32_t)rng_below(rng, 7);
    static const char *const commands[] = {"HSET", "SADD", "ZADD", "HDEL", "SREM", "ZREM", "SADD"};

    g_string_printf(line, "%s %s", commands[kind], key);
    for (uint32_t i = first; i < first + count; i++) {
        if (kind == 2)
            g_string_append_printf(line, " %u", i * 1000);
        g_string_append_printf(line, kind == 6 ? " %u" : " e%u", kind == 6 ? i * 200 : i);
        if (kind == 0)
            add_word(line, rng, rng_below(rng, 60) == 0 ? 100 : 12);
    }
}

static void draw_born(GString *line, Rng *rng)
{
    char key[16];
    char drawn[128];

    g_snprintf(key, sizeof key, "key:%u", (unsigned)rng_below(rng, 6));
    switch (rng_below(rng, 9)) {
    case 0:
        g_string_printf(line, "PEXPIRE %s %d", key, 1 + (int)rng_below(rng, 60));
        break;
    case 1:
        g_string_printf(line, "PERSIST %s", key);
        break;
    case 2:
        g_string_printf(line, "SET %s", key);
        add_word(line, rng, rng_below(rng, 8) == 0 ? 40000 : 80);
        break;
    case 3:
        g_string_printf(line, "INCRBY %s 4000", key);
        break;
    case 4:
    case 5:
        draw_many(line, rng, key);
        break;
    default:
        crdt_types[rng_below(rng, CRDT_TYPE_COUNT)]->draw(rng, key, drawn, sizeof drawn);
        g_string_assign(line, drawn);
    }
}

static void write_declared(MemoryWorld *world, uint32_t store)
{
    static const char *const commands[CRDT_TYPE_COUNT][4] = {
        [CRDT_STRING] = {"SET", "DEL", "PEXPIRE", "SET"},
        [CRDT_COUNTER] = {"INCR", "DEL", "PEXPIRE", "INCRBY"},
        [CRDT_HASH] = {"HSET", "HDEL", "DEL", "HINCRBY"},
        [CRDT_SET] = {"SADD", "SREM", "DEL", "PEXPIRE"},
        [CRDT_ZSET] = {"ZADD", "ZREM", "DEL", "PEXPIRE"},
        [CRDT_HYPERLOGLOG] = {"PFADD", "DEL", "PFADD", "PEXPIRE"},
        [CRDT_LIST] = {"LPUSH", "LPOP", "DEL", "RPUSH"},
        [CRDT_STREAM] = {"XADD", "DEL", "XADD", "PEXPIRE"},
        [CRDT_JSON] = {"JSON.SET", "DEL", "JSON.SET", "PEXPIRE"},
    };
    uint32_t f = (uint32_t)rng_below(&world->rng, world->family_count);
    const Family *family = world->list[f];
    const char *name = commands[f][rng_below(&world->rng, 4)];
    uint32_t count = 1 + (uint32_t)rng_below(&world->rng, family->field_count);
    Request request = {.spec = command_find(name, strlen(name)),
                       .key = family->base + rng_below(&world->rng, family->kept_count),
                       .token = rng_u64(&world->rng),
                       .ttl_ns = (SimTime)(1 + rng_below(&world->rng, 50)) * SIM_MS,
                       .element = (uint32_t)rng_below(&world->rng, family->field_count - count + 1),
                       .element_count = count,
                       .value_bytes = (uint32_t)rng_below(&world->rng, 200),
                       .weight = 1,
                       .family = (uint16_t)f};
    Arg args[REQUEST_ARGS_MAX];

    EXPECT_FATAL(request.spec != NULL);
    memory_world_run(world, store, name, args, request_args(&request, args));
}

static void run_history(MemoryWorld *world, int steps)
{
    g_autoptr(GString) line = g_string_new(NULL);

    for (int step = 0; step < steps; step++) {
        uint32_t store = (uint32_t)rng_below(&world->rng, 2);

        world->now_ms += (int64_t)rng_below(&world->rng, 4);
        store_expire_due(world->stores[store], (WallTime){world->now_ms});
        if (rng_below(&world->rng, 2) == 0) {
            for (int n = (int)rng_below(&world->rng, 200); n > 0; n--)
                memory_world_deliver(world, store, 1 - store);
        } else if (world->family_count > 0) {
            write_declared(world, store);
        } else {
            draw_born(line, &world->rng);
            memory_world_line(world, store, line->str);
        }
    }
}

/* Every write, delivery, collection and merge of a state leaves the books as a count finds them. */
static void expect_books_hold(bool declared)
{
    long count = test_count(60, 2000);

    for (long seed = 1; seed <= count; seed++) {
        MemoryWorld *world = memory_world_new((uint64_t)seed, declared, 240, seed % 3 ? 8 : 200);
        uint32_t shards = 1 + (uint32_t)(seed % 5);

        run_history(world, 60);
        expect_counted(world->stores[0], shards);
        expect_counted(world->stores[1], shards);
        for (int n = 0; n < 100; n++)
            memory_world_deliver(world, 2, (uint32_t)rng_below(&world->rng, 2));
        expect_counted(world->stores[2], shards);
        store_merge(world->stores[2], world->stores[0], (WallTime){world->now_ms});
        expect_counted(world->stores[2], shards);
        store_merge(world->stores[2], world->stores[1], (WallTime){world->now_ms});
        store_collect(world->stores[2], store_clock(world->stores[2]));
        expect_counted(world->stores[2], shards);
        while (memory_world_deliver(world, 0, 1))
            ;
        while (memory_world_deliver(world, 1, 0))
            ;
        EXPECT_INT(count_all(world->stores[0]).bytes, count_all(world->stores[1]).bytes);
        expect_counted(world->stores[0], shards);
        memory_world_free(world);
    }
}

static void test_memory_of_born_keys_is_what_a_count_finds(void)
{
    expect_books_hold(false);
}

static void test_memory_of_declared_keys_is_what_a_count_finds(void)
{
    expect_books_hold(true);
}

static void expect_running_total_holds(uint64_t seed, double overhead)
{
    MemoryConfig config = {.overhead = overhead, .shard_count = 3};
    MemoryWorld *world = memory_world_new(seed, true, 240, 8);
    g_autofree Memory *running = memory_of(world->stores[2], &config);
    g_autoptr(GString) line = g_string_new(NULL);

    for (long step = 0; step < test_count(2000, 50000); step++) {
        uint32_t from = (uint32_t)rng_below(&world->rng, 2);
        const Effect *effect;
        DataBytes total;

        world->now_ms += (int64_t)rng_below(&world->rng, 4);
        draw_born(line, &world->rng);
        if (rng_below(&world->rng, 8) == 0)
            memory_world_line(world, from, line->str);
        else
            write_declared(world, from);
        while ((effect = effect_tape_next(world->tapes[from], world->stores[2]))) {
            uint16_t family = effect->family;

            memory_world_deliver(world, 2, from);
            memory_touch(running, family == FAMILY_NONE ? world->family_count : family);
        }
        if (rng_below(&world->rng, 3) > 0)
            continue;
        total = total_of(world->stores[2], &config);
        EXPECT_INT(memory_total(running).live, total.live);
        EXPECT_INT(memory_data_bytes(running), total.live + total.headers + total.siblings);
    }
    memory_world_free(world);
}

/* What a member asks before every write is kept up family by family, and is what one finds who
 * comes new to the same store. */
static void test_memory_kept_up_is_what_a_newcomer_finds(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        expect_running_total_holds(seed, 0);
        expect_running_total_holds(seed, 2);
    }
}

/* --- against footprint_key_bytes */

static int64_t live_of_one(MemoryWorld *world)
{
    return total_of(world->stores[0], &(MemoryConfig){.shard_count = 1}).live -
           (int64_t)footprint_keyspace_bytes(1, 0);
}

/* Adds element number of a key of this type, or takes it away. */
static void change_element(MemoryWorld *world, FootprintType type, unsigned number, bool adds)
{
    char line[64];

    if (type == FOOTPRINT_HASH)
        g_snprintf(line, sizeof line, adds ? "HSET k e%04u 12letters.ab" : "HDEL k e%04u", number);
    else if (type == FOOTPRINT_SET)
        g_snprintf(line, sizeof line, adds ? "SADD k member.%04u" : "SREM k member.%04u", number);
    else
        g_snprintf(line, sizeof line, adds ? "ZADD k 0 member.%04u" : "ZREM k member.%04u", number);
    memory_world_line(world, 0, line);
}

/* A key that grows past the limits of its listpack and shrinks again weighs at each step what a key
 * of that shape does. */
static void test_memory_of_equal_elements_is_their_shapes(void)
{
    static const FootprintType types[] = {FOOTPRINT_HASH, FOOTPRINT_SET, FOOTPRINT_ZSET};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        MemoryWorld *world = memory_world_new(1, false, 100, 1);
        FootprintShape shape = {.type = types[i], .key_len = 1, .field_len = 5};

        shape.value_len = types[i] == FOOTPRINT_HASH ? 12 : 11;
        for (unsigned step = 0; step < 2 * 600; step++) {
            change_element(world, types[i], step % 600, step < 600);
            shape.elements = step < 600 ? step + 1 : 1199 - step;
            if (shape.elements > 0)
                EXPECT_NEAR(live_of_one(world),
                            footprint_key_bytes(&footprint_rules_default, &shape), 1);
        }
        EXPECT_INT(total_of(world->stores[0], &(MemoryConfig){0}).live, 0);
        memory_world_free(world);
    }
}

static void test_memory_of_texts_lists_and_streams_is_their_shapes(void)
{
    static const uint32_t lens[] = {1, 44, 45, 100, 1000, 40000};
    static const uint32_t counts[] = {1, 50, 500, 3000};

    for (size_t i = 0; i < G_N_ELEMENTS(lens); i++) {
        MemoryWorld *world = memory_world_new(1, false, 100, 1);
        FootprintShape shape = {.type = FOOTPRINT_STRING, .key_len = 1, .value_len = lens[i]};
        g_autofree char *text = g_strnfill(lens[i], 'x');
        g_autofree char *line = g_strconcat("SET k ", text, NULL);

        memory_world_line(world, 0, line);
        EXPECT_NEAR(live_of_one(world), footprint_key_bytes(&footprint_rules_default, &shape), 0);
        memory_world_free(world);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        FootprintShape list = {
            .type = FOOTPRINT_LIST, .key_len = 0, .elements = counts[i], .value_len = 30};
        FootprintShape stream = {.type = FOOTPRINT_STREAM,
                                 .elements = counts[i],
                                 .value_len = 20,
                                 .field_len = 1,
                                 .entry_fields = 1,
                                 .entry_gap_ms = 1000};
        double name = (double)footprint_name_bytes(&footprint_rules_default, 0);
        double of_list = footprint_key_bytes(&footprint_rules_default, &list) - name;
        double of_stream = footprint_key_bytes(&footprint_rules_default, &stream) - name;

        EXPECT_NEAR(footprint_list_bytes(&footprint_rules_default, counts[i], counts[i] * 30),
                    of_list, 0);
        EXPECT_NEAR(footprint_stream_bytes(&footprint_rules_default, counts[i], counts[i] * 20),
                    of_stream, 0.03 * of_stream);
    }
}

/* A sketch's length tells its steps of growth: as the mean of drawn sketches of so many elements.
 */
static void test_memory_of_sketches_follows_from_their_length(void)
{
    static const unsigned counts[] = {1, 10, 60, 200, 700, 1500, 4000};

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        FootprintShape shape = {.type = FOOTPRINT_HYPERLOGLOG, .key_len = 4, .elements = counts[i]};
        double sum = 0;
        char line[64];

        for (unsigned key = 0; key < SKETCHES; key++) {
            MemoryWorld *world = memory_world_new(1, false, 100, 1);

            for (unsigned e = 0; e < counts[i]; e++) {
                g_snprintf(line, sizeof line, "PFADD k%03u %u.%u", key, key, e);
                memory_world_line(world, 0, line);
            }
            sum += (double)live_of_one(world);
            memory_world_free(world);
        }
        EXPECT_NEAR(sum / SKETCHES, footprint_key_bytes(&footprint_rules_default, &shape),
                    0.07 * sum / SKETCHES);
    }
}

/* --- headers */

/* Declared keys of one type with their headers, over the same keys without. */
static double expansion(int type, int64_t value_bytes, uint32_t fields)
{
    MemoryWorld *world = memory_world_new(1, true, value_bytes, fields);
    const uint32_t keys = 10 + 20 * 4;
    g_autofree Memory *memory = memory_of(world->stores[0], &(MemoryConfig){.shard_count = 1});
    const DataBytes *bytes = &memory->families[type].bytes;
    double live = (double)bytes->live + (double)footprint_keyspace_bytes(keys, 0) +
                  (double)footprint_keyspace_bytes((uint64_t)bytes->deadlines, 0);
    double ratio = (live + (double)bytes->headers) / live;

    memory_world_free(world);
    return ratio;
}

/* The documented "up to twice": typical data comes near it, larger values stay below. */
static void test_memory_headers_reach_twice_for_typical_data(void)
{
    double string = expansion(CRDT_STRING, 100, 1);
    double hash = expansion(CRDT_HASH, 100, 10);

    EXPECT(string > 1.75 && string <= 2);
    EXPECT(hash > 1.75 && hash <= 2);
    EXPECT(expansion(CRDT_STRING, 1000, 1) < 1.25);
    EXPECT(expansion(CRDT_HASH, 1000, 10) < 1.3);
    EXPECT(expansion(CRDT_STRING, 10000, 1) < 1.03);
}

static void test_memory_header_sizes_are_per_key_and_element(void)
{
    MemoryWorld *world = memory_world_new(2, true, 100, 10);
    const HeaderSizes sizes = {.key = 1000000, .element = 1};
    g_autofree Memory *memory =
        memory_of(world->stores[0], &(MemoryConfig){.headers = &sizes, .shard_count = 1});

    EXPECT_INT(memory->families[CRDT_HASH].bytes.headers, 90 * 1000000 + 900);
    EXPECT_INT(memory->families[CRDT_STRING].bytes.headers, 90 * 1000000 + 90);
    memory_world_free(world);
}

/* Two values side by side: one is a sibling, with its header and its bytes. */
static void test_memory_siblings_weigh_value_and_header(void)
{
    for (int sibling = 0; sibling <= 500; sibling += 500) {
        MemoryWorld *world = memory_world_new(1, false, 100, 1);
        const HeaderSizes sizes = {.sibling = sibling};
        MemoryConfig config = {.headers = &sizes, .shard_count = 1};

        memory_world_line(world, 0, "SET k 1234567890");
        memory_world_line(world, 1, "SET k abcdefghij");
        EXPECT_INT(total_of(world->stores[0], &config).siblings, 0);
        memory_world_deliver(world, 0, 1);
        EXPECT_INT(total_of(world->stores[0], &config).siblings, 10 + sibling);
        memory_world_free(world);
    }
}

/* A factor replaces encodings, buckets and headers, and nothing else. */
static void test_memory_overhead_replaces_live_data_and_headers(void)
{
    MemoryWorld *world = memory_world_new(1, true, 240, 8);
    DataBytes total;

    memory_world_line(world, 0, "SET born 1234567890");
    total = total_of(world->stores[0], &(MemoryConfig){.overhead = 2, .shard_count = 4});
    EXPECT_INT(total.live, CRDT_TYPE_COUNT * 90 * 240 * 2 + 10 * 2);
    EXPECT_INT(total.headers, 0);
    memory_world_free(world);
}

static void test_memory_names_are_as_long_as_the_family_says(void)
{
    Family family = {.name = "cart", .key_count = 20000, .field_count = 10};

    EXPECT_INT(family_key_name_bytes(&family), strlen("cart:20000"));
    EXPECT_INT(family_field_name_bytes(&family), strlen("f10"));
    family.key_name_bytes = 40;
    family.field_name_bytes = 7;
    EXPECT_INT(family_key_name_bytes(&family), 40);
    EXPECT_INT(family_field_name_bytes(&family), 7);
}

static void test_memory_buckets_are_those_of_each_shard(void)
{
    for (uint32_t shards = 1; shards <= 40; shards++)
        for (uint64_t keys = 0; keys < 5000; keys += 1 + keys / 16)
            EXPECT_INT(footprint_shards_bytes(keys, keys / 3, shards),
                       shards * footprint_keyspace_bytes((keys + shards - 1) / shards,
                                                         (keys / 3 + shards - 1) / shards));
}

static const TestCase cases[] = {
    TEST(test_memory_of_born_keys_is_what_a_count_finds),
    TEST(test_memory_of_declared_keys_is_what_a_count_finds),
    TEST(test_memory_kept_up_is_what_a_newcomer_finds),
    TEST(test_memory_of_equal_elements_is_their_shapes),
    TEST(test_memory_of_texts_lists_and_streams_is_their_shapes),
    TEST(test_memory_of_sketches_follows_from_their_length),
    TEST(test_memory_headers_reach_twice_for_typical_data),
    TEST(test_memory_header_sizes_are_per_key_and_element),
    TEST(test_memory_siblings_weigh_value_and_header),
    TEST(test_memory_overhead_replaces_live_data_and_headers),
    TEST(test_memory_names_are_as_long_as_the_family_says),
    TEST(test_memory_buckets_are_those_of_each_shard),
};
TEST_MAIN("memory of data", cases)
