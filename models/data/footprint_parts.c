/* Why it works: the server counts what the allocator handed out, so a figure is right when every
 * allocation is made up with its true size and then rounded to its class.
 */
#include "models/data/footprint_parts.h"

#include "sim/ensure.h"

/* jemalloc: four classes between two powers of two, but none nearer than the quantum.  Below the
 * quantum there are the powers of two from 8. */
uint64_t footprint_class(const FootprintRules *rules, uint64_t bytes)
{
    uint64_t quantum = rules->jemalloc_quantum;
    uint64_t step;

    if (bytes <= 8)
        return bytes == 0 ? 0 : 8;
    step = UINT64_C(1) << (61 - __builtin_clzll(bytes - 1)); /* an eighth of the power above it */
    if (step < quantum)
        step = quantum;
    return (bytes + step - 1) & ~(step - 1);
}

/* Strings: sds.h.  The head's width follows the length; below 32 bytes it is one byte and knows no
 * spare room. */
static uint64_t head_bytes(uint64_t len)
{
    if (len < 32)
        return 1;
    if (len < 256)
        return 3;
    if (len < 65536)
        return 5;
    return len <= UINT32_MAX ? 9 : 17;
}

static FootprintBuffer buffer_of(const FootprintRules *rules, uint64_t len, uint64_t head)
{
    FootprintBuffer buffer = {.len = len, .room = len};
    uint64_t limit = head == 3 ? 255 : head == 5 ? 65535 : UINT64_MAX;

    buffer.bytes = footprint_class(rules, head + len + 1);
    if (head > 1) {
        buffer.room = buffer.bytes - head - 1;
        if (buffer.room > limit)
            buffer.room = limit;
    }
    return buffer;
}

FootprintBuffer footprint_buffer_new(const FootprintRules *rules, uint64_t len)
{
    return buffer_of(rules, len, len == 0 ? 3 : head_bytes(len));
}

void footprint_buffer_reserve(const FootprintRules *rules, FootprintBuffer *buffer, uint64_t more)
{
    const uint64_t greed_max = UINT64_C(1) << 20;
    uint64_t len = buffer->len;
    uint64_t wanted = len + more;
    uint64_t head;

    if (buffer->room >= wanted)
        return;
    wanted += wanted < greed_max ? wanted : greed_max;
    head = head_bytes(wanted);
    *buffer = buffer_of(rules, wanted, head == 1 ? 3 : head);
    buffer->len = len;
}

uint64_t footprint_string_bytes(const FootprintRules *rules, uint64_t len)
{
    return footprint_buffer_new(rules, len).bytes;
}

/* Each entry ends with its own length, seven bits a byte, so that it can be read backwards. */
static uint64_t with_back_length(uint64_t bytes)
{
    if (bytes <= 127)
        return bytes + 1;
    if (bytes < 16383)
        return bytes + 2;
    if (bytes < 2097151)
        return bytes + 3;
    return bytes + (bytes < 268435455 ? 4 : 5);
}

uint64_t footprint_listpack_text(uint64_t len)
{
    return with_back_length(len + (len < 64 ? 1 : len < 4096 ? 2 : 5));
}

uint64_t footprint_listpack_integer(int64_t value)
{
    if (value >= 0 && value <= 127)
        return with_back_length(1);
    if (value >= -4096 && value <= 4095)
        return with_back_length(2);
    if (value >= INT16_MIN && value <= INT16_MAX)
        return with_back_length(3);
    if (value >= -8388608 && value <= 8388607)
        return with_back_length(4);
    return with_back_length(value >= INT32_MIN && value <= INT32_MAX ? 5 : 9);
}

uint64_t footprint_dict_entry_bytes(const FootprintRules *rules)
{
    return footprint_class(rules, FOOTPRINT_DICT_ENTRY_BYTES);
}

/* Expected buckets in use when as many elements as there are buckets hash into them:
 * size * (1 - (1 - 1/size)^size), size being a power of two. */
static double used_buckets(uint64_t size)
{
    double empty = 1 - 1 / (double)size;

    for (uint64_t power = 1; power < size; power *= 2)
        empty *= empty;
    return (double)size * (1 - empty);
}

/* A full table gets a successor of twice its size.  The old one empties by one used bucket for each
 * step, steps come with inserts and look-ups, and only then is it freed: a value whose table grew
 * late still has both. */
uint64_t footprint_dict_bytes(const FootprintRules *rules, FootprintDict dict)
{
    uint64_t size = 4;
    uint64_t first;
    uint64_t bytes = footprint_class(rules, FOOTPRINT_DICT_BYTES);

    ensure(dict.elements > 0);
    while (size < dict.presized)
        size *= 2;
    first = size;
    while (size < dict.elements)
        size *= 2;
    bytes += footprint_class(rules, size * 8);
    if (size > first) {
        uint64_t inserts = dict.elements - size / 2 - 1;

        if ((double)(inserts * dict.steps) < used_buckets(size / 2))
            bytes += footprint_class(rules, size / 2 * 8);
    }
    return bytes;
}

uint64_t footprint_keyspace_buckets(uint64_t keys)
{
    uint64_t size = 4;

    while (size < keys)
        size *= 2;
    return keys == 0 ? 0 : size;
}

/* Asked for with every write, so it divides nothing: `size` a shard holds size x shards keys. */
static uint64_t shards_buckets(uint64_t keys, uint64_t shards)
{
    int keys_log = 63 - __builtin_clzll(keys | 1);
    int shards_log = 63 - __builtin_clzll(shards);
    int size_log = keys_log - shards_log - 1;
    uint64_t buckets = shards << (size_log < 2 ? 2 : size_log);

    while (buckets < keys)
        buckets *= 2;
    return keys == 0 ? 0 : buckets;
}

uint64_t footprint_shards_bytes(uint64_t keys, uint64_t keys_with_ttl, uint32_t shards)
{
    return 8 * (shards_buckets(keys, shards) + shards_buckets(keys_with_ttl, shards));
}

uint64_t footprint_keyspace_bytes(uint64_t keys, uint64_t keys_with_ttl)
{
    return 8 * (footprint_keyspace_buckets(keys) + footprint_keyspace_buckets(keys_with_ttl));
}
