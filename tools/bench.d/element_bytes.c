/* What one member keeps for an element of a declared family.
 *
 *     element_bytes hash|set|zset    prints {"bytes_per_element": ...}
 *
 * 1000 keys of 1000 elements, each written twice; of sorted sets the order has been asked for, and
 * every tenth score changes after that.  Bytes are what malloc has handed out for the store since
 * there was none, which is all of it: the log of effects and other members have none here.  Further
 * dots of an element are siblings, not counted here: what another member adds or assigns without
 * having seen the first costs a node of 64 bytes for as long as both stand.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "models/data/store.h"
#include "sim/dist.h"
#include "sim/rng.h"

#define KEYS     1000
#define ELEMENTS 1000

static uint64_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void execute(Store *store, const char *name, uint64_t key, uint32_t element, uint64_t number)
{
    Arg args[] = {{.kind = ARG_KEY, .number = key},
                  {.kind = ARG_ELEMENT, .number = element, .count = 1},
                  {.kind = ARG_SYNTHETIC, .number = number, .bytes = 20}};
    Command command = {command_find(name, strlen(name)), args, 3};
    Reply reply;

    store_execute(store, &command, (WallTime){1}, NULL, &reply);
    if (reply.kind == REPLY_ERROR)
        g_error("%s: %s", name, reply.text);
}

/* As far as a workload can: it asks for ranks of an element in words alone. */
static void ask_for_order(Store *store, uint64_t key)
{
    Arg args[] = {{.kind = ARG_KEY, .number = key},
                  {.kind = ARG_BYTES, .data = "0", .bytes = 1},
                  {.kind = ARG_BYTES, .data = "1000", .bytes = 4}};
    Command command = {command_find("ZCOUNT", strlen("ZCOUNT")), args, 3};
    Reply reply;

    store_execute(store, &command, (WallTime){1}, NULL, &reply);
}

int main(int argc, char **argv)
{
    const char *type = argc > 1 ? argv[1] : "zset";
    bool ordered = strcmp(type, "zset") == 0;
    const char *write = ordered ? "ZADD" : strcmp(type, "set") == 0 ? "SADD" : "HSET";
    static const uint64_t nothing[KEYS / 64 + 1]; /* no key exists at the start */
    Dist *value_bytes = dist_new_constant(20 * ELEMENTS);
    Family family = {.name = "f",
                     .type = (int8_t)(ordered                    ? CRDT_ZSET
                                      : strcmp(type, "set") == 0 ? CRDT_SET
                                                                 : CRDT_HASH),
                     .key_count = KEYS,
                     .kept_count = KEYS,
                     .hot_count = KEYS,
                     .prefilled = nothing,
                     .weight = 1,
                     .field_count = ELEMENTS,
                     .value_bytes = value_bytes};
    const Family *families[] = {&family};
    Rng rng = rng_stream(1, "element-bytes");
    uint64_t before = allocated_bytes();
    Store *store = store_new(
        &(StoreConfig){.member_id = 1, .member_count = 1, .families = families, .family_count = 1});

    for (uint64_t i = 0; i < 2 * KEYS * ELEMENTS; i++)
        execute(store, write, i % KEYS, (uint32_t)(i / KEYS % ELEMENTS), rng_u64(&rng));
    for (uint64_t key = 0; ordered && key < KEYS; key++)
        ask_for_order(store, key);
    for (uint64_t i = 0; ordered && i < KEYS * ELEMENTS / 10; i++)
        execute(store, write, i % KEYS, (uint32_t)rng_below(&rng, ELEMENTS), rng_u64(&rng));
    printf("{\"program\": \"element_bytes\", \"type\": \"%s\", \"bytes_per_element\": %.2f}\n",
           type, (double)(allocated_bytes() - before) / (KEYS * ELEMENTS));
    store_free(store);
    dist_free(value_bytes);
    return 0;
}
