/* Stores that write and exchange at random, and a slow count of what their keys would take. */
#pragma once

#include <string.h>

#include "models/data/command_run.h"
#include "models/data/footprint_parts.h"
#include "models/data/store_private.h"
#include "models/geo/memory.h"
#include "models/geo/request.h"
#include "tests/effect_tape.h"
#include "tests/test.h"

#define MEMORY_STORES 3 /* two that write, one that only hears */

typedef struct {
    Store *stores[MEMORY_STORES];
    EffectTape *tapes[MEMORY_STORES];
    Family families[FAMILY_MAX];
    const Family *list[FAMILY_MAX];
    uint32_t family_count;
    Dist *value;
    Arena *arena;
    Rng rng;
    int64_t now_ms;
} MemoryWorld;

static inline Store *memory_world_store(MemoryWorld *world, uint32_t index)
{
    world->tapes[index] = effect_tape_new();
    return store_new(&(StoreConfig){.member_id = index + 1,
                                    .member_count = MEMORY_STORES,
                                    .families = world->list,
                                    .family_count = world->family_count,
                                    .sink = effect_tape_sink(world->tapes[index])});
}

/* A family of each type when declared: 30 keys, of which 10 are hot and the others weigh 4. */
static inline MemoryWorld *memory_world_new(uint64_t seed, bool declared, int64_t value_bytes,
                                            uint32_t fields)
{
    MemoryWorld *world = g_new0(MemoryWorld, 1);
    uint64_t base = 1000;

    world->rng = rng_stream(seed, "memory");
    world->arena = arena_new();
    world->value = dist_new_constant(value_bytes);
    world->family_count = declared ? CRDT_TYPE_COUNT : 0;
    for (uint32_t f = 0; f < world->family_count; f++) {
        world->families[f] = (Family){.name = crdt_types[f]->head.name,
                                      .index = (uint16_t)f,
                                      .type = (int8_t)f,
                                      .key_count = 90,
                                      .kept_count = 30,
                                      .hot_count = 10,
                                      .weight = 4,
                                      .base = base,
                                      .field_count = crdt_types[f]->has_elements ? fields : 1,
                                      .value_bytes = world->value,
                                      .ttl_ns = f % 2 == seed % 2 ? 300 * SIM_MS : 0,
                                      .salt = seed};
        world->list[f] = &world->families[f];
        base += 30;
    }
    for (uint32_t i = 0; i < MEMORY_STORES; i++)
        world->stores[i] = memory_world_store(world, i);
    return world;
}

static inline void memory_world_free(MemoryWorld *world)
{
    for (uint32_t i = 0; i < MEMORY_STORES; i++) {
        store_free(world->stores[i]);
        effect_tape_free(world->tapes[i]);
    }
    dist_free(world->value);
    arena_free(world->arena);
    g_free(world);
}

/* The next effect of origin that store lacks; false: none. */
static inline bool memory_world_deliver(MemoryWorld *world, uint32_t to, uint32_t from)
{
    return effect_tape_play(world->tapes[from], world->stores[to], (WallTime){world->now_ms});
}

static inline void memory_world_run(MemoryWorld *world, uint32_t store, const char *command,
                                    const Arg *args, uint32_t count)
{
    Command call = {.spec = command_find(command, strlen(command)), .args = args, .count = count};
    Reply reply;

    EXPECT_FATAL(call.spec != NULL);
    store_execute(world->stores[store], &call, (WallTime){world->now_ms}, world->arena, &reply);
}

/* Words are separated by single blanks. */
static inline void memory_world_line(MemoryWorld *world, uint32_t store, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    uint32_t count = g_strv_length(words) - 1;
    g_autofree Arg *args = g_new0(Arg, count + 1);

    for (uint32_t i = 0; i < count; i++)
        args[i] =
            (Arg){.kind = ARG_BYTES, .data = words[i + 1], .bytes = (uint32_t)strlen(words[i + 1])};
    memory_world_run(world, store, words[0], args, count);
}

/* --- the slow count, in which nothing is remembered */

typedef struct {
    int64_t bytes, keys, deadlines; /* weighted */
} MemoryCount;

static inline void count_key(Store *store, Key *key, uint32_t name_len, int64_t value_bytes,
                             MemoryCount *out)
{
    bool has_deadline = key_deadline_ms(store, key) != DEADLINE_NONE;
    int64_t weight = key_weight(key);

    if (!key_exists(store, key))
        return;
    /* 32: an entry of a dictionary. */
    out->keys += weight;
    out->deadlines += has_deadline ? weight : 0;
    out->bytes += weight * (value_bytes + 32 + (has_deadline ? 32 : 0) +
                            (int64_t)footprint_string_bytes(&footprint_rules_default, name_len));
}

static inline int64_t count_body(Store *store, const Key *key, int type)
{
    const CrdtBody *body = key_body(store, key, type, false);
    BodySummary summary;

    if (!body || !crdt_types[type]->body->is_present(body))
        return 0;
    summary = crdt_types[type]->body->summary(body);
    return live_body(store, type, &summary);
}

static inline int64_t count_born_elements(Store *store, const Key *key, int type)
{
    static const FootprintType types[] = {
        [CRDT_HASH] = FOOTPRINT_HASH, [CRDT_SET] = FOOTPRINT_SET, [CRDT_ZSET] = FOOTPRINT_ZSET};
    FootprintSum sum = {0};
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    while (key_next_slot(store, key, type, &cursor, &ref, &slot)) {
        FootprintSum one = live_born_element(store, type, ref.name, slot);

        footprint_sum_add(&sum, &one, 1);
    }
    return footprint_sum_bytes(&footprint_rules_default, types[type], &sum);
}

static inline int64_t count_born_string(Store *store, const Slot *slot)
{
    SlotView view = slot_view(&store->world.pool, slot);
    ViewText text;
    int64_t number;

    if (!view.present)
        return 0;
    view_text(&view, &text);
    if (text.text.data && integer_parse(text.text.data, text.text.bytes, &number))
        return number >= 0 && number < 10000 ? 0 : 16;
    return footprint_text_bytes(&footprint_rules_default, text.text.bytes);
}

static inline MemoryCount count_born(Store *store)
{
    MemoryCount count = {0};

    for (uint32_t i = 0; i < store->born.capacity; i++) {
        Key key = {.born = store->born.entries[i]};
        int64_t bytes = 0;

        if (!key.born)
            continue;
        key.name = stored_name(key.born->name);
        key.hash = key.born->hash;
        bytes += count_born_string(store, &key.born->string);
        for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
            bytes += crdt_types[type]->body ? count_body(store, &key, type) : 0;
            bytes += crdt_types[type]->has_elements ? count_born_elements(store, &key, type) : 0;
        }
        count_key(store, &key, key.name.bytes, bytes, &count);
    }
    return count;
}

/* Equal elements as the family says, and what their texts are longer or shorter than that. */
static inline int64_t count_declared_elements(Store *store, const Key *key)
{
    const Family *family = key->state->family;
    uint64_t each = (uint64_t)dist_mean(family->value_bytes) / family->field_count;
    FootprintShape shape = {.type = family->type == CRDT_HASH  ? FOOTPRINT_HASH
                                    : family->type == CRDT_SET ? FOOTPRINT_SET
                                                               : FOOTPRINT_ZSET,
                            .value_len = each,
                            .field_len = family_field_name_bytes(family),
                            .score_max = 0};
    FootprintShape name_only = {.type = FOOTPRINT_STRING, .integers = {.given = true}};
    int64_t texts = 0;
    ElementRef ref;
    uint32_t cursor = 0;
    Slot *slot;

    while (key_next_slot(store, key, family->type, &cursor, &ref, &slot)) {
        SlotSummary summary = slot_summary(&store->world.pool, slot);

        shape.elements += summary.present;
        texts += summary.present ? (int64_t)summary.value_bytes - (int64_t)each : 0;
    }
    if (shape.elements == 0)
        return 0;
    /* Scores of 24 bits take 3 bytes more than the 0 of the shape: a wider member stands for it. */
    if (family->type == CRDT_ZSET)
        shape.value_len +=
            shape.elements <= footprint_rules_default.zset_max_listpack_entries ? 3 : 0;
    return (int64_t)(footprint_key_bytes(&footprint_rules_default, &shape) -
                     footprint_key_bytes(&footprint_rules_default, &name_only)) +
           (family->type == CRDT_ZSET ? 0 : texts);
}

static inline MemoryCount count_declared(Store *store, uint32_t family_index)
{
    FamilyState *state = &store->families[family_index];
    MemoryCount count = {0};
    Key key = {.state = state};

    for (; key.kept < state->family->kept_count; key.kept++) {
        int64_t bytes;
        ElementRef whole = {0};

        if (state->type->body)
            bytes = count_body(store, &key, state->family->type);
        else if (state->type->has_elements)
            bytes = count_declared_elements(store, &key);
        else if (state->family->type == CRDT_COUNTER)
            bytes = 16;
        else
            bytes = footprint_text_bytes(
                &footprint_rules_default,
                slot_summary(&store->world.pool, key_slot(store, &key, CRDT_STRING, &whole, true))
                    .value_bytes);
        count_key(store, &key, family_key_name_bytes(state->family), bytes, &count);
    }
    return count;
}

static inline MemoryCount count_all(Store *store)
{
    MemoryCount total = {0};

    for (uint32_t f = 0; f <= store->config.family_count; f++) {
        MemoryCount count =
            f < store->config.family_count ? count_declared(store, f) : count_born(store);

        total.bytes += count.bytes;
        total.keys += count.keys;
        total.deadlines += count.deadlines;
    }
    return total;
}
