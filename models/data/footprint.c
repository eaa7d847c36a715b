/* Why it works: every type is the sum of its allocations in the encoding its limits choose.  Where
 * the contents' widths vary from key to key the size class makes the mean jump, so the mean is
 * taken over drawn keys after rounding and not of the contents before it.
 */
#include "models/data/footprint_parts.h"

#include <glib.h>
#include "models/data/footprint_sum.h"
#include "sim/ensure.h"
#include "sim/rng.h"

#define EMBEDDED_TEXT_MAX   44    /* a shorter string shares its object's allocation */
#define EMBEDDED_HEAD       4     /* of the string within it, with the byte that ends it */
#define SHARED_INTEGER_MAX  9999  /* objects all keys share, without a maxmemory policy of ages */
#define WHOLE_ARGUMENT_MIN  32768 /* longer arguments keep the buffer they were received in ... */
#define WHOLE_ARGUMENT_TAIL 2     /* ... and with it room for the CR LF after them */
#define INTSET_HEAD         8     /* width and count */
#define ZSET_BYTES          16    /* dictionary and skip list */
#define SKIPLIST_BYTES      32    /* head, tail, length, level */
#define SKIPLIST_NODE_HEAD  24    /* element, score, the node before */
#define SKIPLIST_LEVEL      16    /* next node and how far it is */
#define SKIPLIST_LEVELS     32
#define QUICKLIST_BYTES     40
#define QUICKLIST_NODE      40
#define QUICKLIST_MARGIN    8     /* estimated overhead of one more item */
#define WALKED_ITEMS_MAX    16384 /* Simplified: a longer list of integers is scaled up from these */
#define HASH_INSERT_STEPS   2     /* an insert looks the element up and then adds it */
#define SET_INSERT_STEPS    1
#define ZSET_INSERT_STEPS   2

const FootprintRules footprint_rules_default = {
    .hash_max_listpack_entries = 512,
    .hash_max_listpack_value = 64,
    .zset_max_listpack_entries = 128,
    .zset_max_listpack_value = 64,
    .set_max_intset_entries = 512,
    .list_max_listpack_bytes = 8192,
    .stream_node_max_bytes = 4096,
    .stream_node_max_entries = 100,
    .hll_sparse_max_bytes = 3000,
    .jemalloc_quantum = 16,
};

/* One drawn key's contents. */
typedef struct {
    const FootprintShape *shape;
    uint64_t span; /* of the integers; 0: all 2^64 */
    uint64_t next; /* counted from min */
    Rng integers;
    Rng scores;
} Draw;

static Draw draw_begin(const FootprintShape *shape, uint32_t key)
{
    Draw draw = {.shape = shape};

    draw.span = (uint64_t)shape->integers.max - (uint64_t)shape->integers.min + 1;
    draw.next = (shape->integers.starts * (2 * (uint64_t)key + 1)) / (2 * FOOTPRINT_DRAWN_KEYS);
    draw.integers = rng_stream(key, "footprint/integers");
    draw.scores = rng_stream(key, "footprint/scores");
    return draw;
}

static int64_t draw_integer(Draw *draw)
{
    uint64_t offset;

    if (draw->shape->integers.starts > 0)
        offset = draw->span ? draw->next++ % draw->span : draw->next++;
    else
        offset = draw->span ? rng_below(&draw->integers, draw->span) : rng_u64(&draw->integers);
    return (int64_t)((uint64_t)draw->shape->integers.min + offset);
}

static uint64_t draw_score_bytes(Draw *draw)
{
    double unit = 1;
    double score;

    for (uint32_t d = 0; d < draw->shape->score_decimals; d++)
        unit *= 10;
    score =
        (double)(int64_t)(rng_unit(&draw->scores) * ((double)draw->shape->score_max * unit + 1)) /
        unit;
    return footprint_score(score);
}

static uint64_t digits_of(int64_t value)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t digits = value < 0 ? 2 : 1;

    for (; rest >= 10; rest /= 10)
        digits++;
    return digits;
}

/* How many of the integers lie in low..high, as a share of all. */
static double integer_share(const FootprintIntegers *integers, int64_t low, int64_t high)
{
    int64_t from = MAX(integers->min, low);
    int64_t to = MIN(integers->max, high);

    if (from > to)
        return 0;
    return ((double)to - (double)from + 1) / ((double)integers->max - (double)integers->min + 1);
}

/* Mean allocation of the integers as decimal texts. */
static double integer_string_bytes(const FootprintRules *rules, const FootprintIntegers *integers)
{
    double mean = 0;
    int64_t low = 0;
    int64_t high = 9;

    for (uint64_t digits = 1; digits <= 19; digits++) {
        mean += integer_share(integers, low, high) * (double)footprint_string_bytes(rules, digits);
        mean += integer_share(integers, digits == 19 ? INT64_MIN : -high, digits == 1 ? -1 : -low) *
                (double)footprint_string_bytes(rules, digits + 1);
        low = digits < 19 ? high + 1 : high;
        high = digits < 18 ? high * 10 + 9 : INT64_MAX;
    }
    return mean;
}

/* The longest text among the values. */
static uint64_t value_len_max(const FootprintShape *shape)
{
    if (!shape->integers.given)
        return shape->value_len;
    return MAX(digits_of(shape->integers.min), digits_of(shape->integers.max));
}

static double value_string_bytes(const FootprintRules *rules, const FootprintShape *shape)
{
    if (shape->integers.given)
        return integer_string_bytes(rules, &shape->integers);
    return (double)footprint_string_bytes(rules, shape->value_len);
}

static uint64_t draw_value_bytes(Draw *draw)
{
    if (draw->shape->integers.given)
        return footprint_listpack_integer(draw_integer(draw));
    return footprint_listpack_text(draw->shape->value_len);
}

/* Buffers that grew write by write: the k-th reaches k / writes of the whole. */
static uint64_t grown_bytes(const FootprintRules *rules, uint64_t units, uint64_t writes,
                            uint64_t units_per_byte)
{
    FootprintBuffer buffer = {0};

    for (uint64_t k = 1; k <= writes; k++) {
        uint64_t reached = (uint64_t)((unsigned __int128)units * k / writes);
        uint64_t len = (reached + units_per_byte - 1) / units_per_byte;

        if (k == 1)
            buffer = footprint_buffer_new(rules, len);
        else
            footprint_buffer_reserve(rules, &buffer, len - buffer.len);
        buffer.len = len;
    }
    return buffer.bytes;
}

uint64_t footprint_string_value(const FootprintRules *rules, uint64_t len)
{
    if (len <= EMBEDDED_TEXT_MAX)
        return footprint_class(rules, FOOTPRINT_OBJECT_BYTES + EMBEDDED_HEAD + len);
    if (len >= WHOLE_ARGUMENT_MIN)
        len += WHOLE_ARGUMENT_TAIL;
    return footprint_class(rules, FOOTPRINT_OBJECT_BYTES) + footprint_string_bytes(rules, len);
}

bool footprint_is_shared(int64_t number)
{
    return number >= 0 && number <= SHARED_INTEGER_MAX;
}

static double string_value(const FootprintRules *rules, const FootprintShape *shape)
{
    uint64_t object = footprint_class(rules, FOOTPRINT_OBJECT_BYTES);

    if (shape->integers.given)
        return (1 - integer_share(&shape->integers, 0, SHARED_INTEGER_MAX)) * (double)object;
    if (shape->growth_writes > 1)
        return (double)(object + grown_bytes(rules, shape->value_len, shape->growth_writes, 1));
    return (double)footprint_string_value(rules, shape->value_len);
}

static double bitmap_value(const FootprintRules *rules, const FootprintShape *shape)
{
    return (double)(footprint_class(rules, FOOTPRINT_OBJECT_BYTES) +
                    grown_bytes(rules, shape->elements, MAX(shape->growth_writes, 1), 8));
}

static bool hash_is_listpack(const FootprintRules *rules, const FootprintShape *shape)
{
    return shape->elements <= rules->hash_max_listpack_entries &&
           MAX(value_len_max(shape), shape->field_len) <= rules->hash_max_listpack_value;
}

/* Mean of a listpack of elements, each one of them two entries for hashes and sorted sets. */
static double listpack_value(const FootprintRules *rules, const FootprintShape *shape)
{
    bool is_random = shape->integers.given || shape->type == FOOTPRINT_ZSET;
    uint32_t keys = is_random ? FOOTPRINT_DRAWN_KEYS : 1;
    uint64_t sum = 0;

    for (uint32_t k = 0; k < keys; k++) {
        Draw draw = draw_begin(shape, k);
        uint64_t bytes = FOOTPRINT_LISTPACK_FRAME;

        for (uint64_t e = 0; e < shape->elements; e++) {
            bytes += draw_value_bytes(&draw);
            bytes += shape->type == FOOTPRINT_ZSET ? draw_score_bytes(&draw)
                                                   : footprint_listpack_text(shape->field_len);
        }
        sum += footprint_class(rules, bytes);
    }
    return (double)sum / keys;
}

/* A hash that outgrew its listpack by count gets a table of the right size at once; one that did by
 * a long value begins with the smallest. */
double footprint_hash_frame(const FootprintRules *rules, uint64_t elements, bool has_long)
{
    FootprintDict dict = {.elements = elements, .steps = HASH_INSERT_STEPS};

    if (!has_long)
        dict.presized = rules->hash_max_listpack_entries + 1;
    return (double)footprint_dict_bytes(rules, dict) +
           (double)elements * (double)footprint_dict_entry_bytes(rules);
}

static double hash_value(const FootprintRules *rules, const FootprintShape *shape)
{
    bool has_long = MAX(value_len_max(shape), shape->field_len) > rules->hash_max_listpack_value;

    if (hash_is_listpack(rules, shape))
        return listpack_value(rules, shape);
    return footprint_hash_frame(rules, shape->elements, has_long) +
           (double)shape->elements * ((double)footprint_string_bytes(rules, shape->field_len) +
                                      value_string_bytes(rules, shape));
}

static bool set_is_intset(const FootprintRules *rules, const FootprintShape *shape)
{
    return shape->integers.given && shape->elements <= rules->set_max_intset_entries;
}

/* All members of an integer set are as wide as the widest. */
static uint64_t intset_width(const FootprintIntegers *integers)
{
    if (integers->min >= INT16_MIN && integers->max <= INT16_MAX)
        return sizeof(int16_t);
    if (integers->min >= INT32_MIN && integers->max <= INT32_MAX)
        return sizeof(int32_t);
    return sizeof(int64_t);
}

double footprint_set_frame(const FootprintRules *rules, uint64_t elements, bool was_intset)
{
    FootprintDict dict = {.elements = elements, .steps = SET_INSERT_STEPS};

    if (was_intset)
        dict.presized = rules->set_max_intset_entries + 1;
    return (double)footprint_dict_bytes(rules, dict) +
           (double)elements * (double)footprint_dict_entry_bytes(rules);
}

uint64_t footprint_intset_bytes(const FootprintRules *rules, uint64_t elements, uint64_t width)
{
    return footprint_class(rules, INTSET_HEAD + elements * width);
}

static double set_value(const FootprintRules *rules, const FootprintShape *shape)
{
    if (set_is_intset(rules, shape))
        return (double)footprint_intset_bytes(rules, shape->elements,
                                              intset_width(&shape->integers));
    return footprint_set_frame(rules, shape->elements, shape->integers.given) +
           (double)shape->elements * value_string_bytes(rules, shape);
}

static bool zset_is_listpack(const FootprintRules *rules, const FootprintShape *shape)
{
    return shape->elements <= rules->zset_max_listpack_entries &&
           value_len_max(shape) <= rules->zset_max_listpack_value;
}

/* A node has one level, and each further one with probability 1/4. */
static double skiplist_node_bytes(const FootprintRules *rules)
{
    double mean = 0;
    double left = 1;

    for (uint64_t level = 1; level <= SKIPLIST_LEVELS; level++) {
        double share = level < SKIPLIST_LEVELS ? left * 3 / 4 : left;

        mean += share * (double)footprint_class(rules, SKIPLIST_NODE_HEAD + level * SKIPLIST_LEVEL);
        left -= share;
    }
    return mean;
}

/* Dictionary and skip list share the members. */
double footprint_zset_frame(const FootprintRules *rules, uint64_t elements)
{
    FootprintDict dict = {.elements = elements, .steps = ZSET_INSERT_STEPS};
    uint64_t head_node = SKIPLIST_NODE_HEAD + SKIPLIST_LEVELS * SKIPLIST_LEVEL;

    return (double)(footprint_dict_bytes(rules, dict) + footprint_class(rules, ZSET_BYTES) +
                    footprint_class(rules, SKIPLIST_BYTES) + footprint_class(rules, head_node)) +
           (double)elements *
               ((double)footprint_dict_entry_bytes(rules) + skiplist_node_bytes(rules));
}

static double zset_value(const FootprintRules *rules, const FootprintShape *shape)
{
    if (zset_is_listpack(rules, shape))
        return listpack_value(rules, shape);
    return footprint_zset_frame(rules, shape->elements) +
           (double)shape->elements * value_string_bytes(rules, shape);
}

/* Equal items: as many in each node as go in before the limit would be passed. */
uint64_t footprint_list_value(const FootprintRules *rules, uint64_t items, uint64_t len)
{
    uint64_t item = footprint_listpack_text(len);
    uint64_t taken = FOOTPRINT_LISTPACK_FRAME + QUICKLIST_MARGIN + len;
    uint64_t limit = rules->list_max_listpack_bytes;
    uint64_t per_node = taken > limit ? 1 : (limit - taken) / item + 1;
    uint64_t nodes = items / per_node;
    uint64_t rest = items % per_node;
    uint64_t node = footprint_class(rules, QUICKLIST_NODE);
    uint64_t bytes =
        footprint_class(rules, QUICKLIST_BYTES) +
        nodes * (node + footprint_class(rules, FOOTPRINT_LISTPACK_FRAME + per_node * item));

    if (rest > 0)
        bytes += node + footprint_class(rules, FOOTPRINT_LISTPACK_FRAME + rest * item);
    return bytes;
}

/* The room an item needs is judged by its decimal text, and taken by its encoding. */
static uint64_t integer_nodes_bytes(const FootprintRules *rules, Draw *draw, uint64_t items)
{
    uint64_t node = footprint_class(rules, QUICKLIST_NODE);
    uint64_t packed = FOOTPRINT_LISTPACK_FRAME;
    uint64_t bytes = node;

    for (uint64_t i = 0; i < items; i++) {
        int64_t value = draw_integer(draw);

        if (packed > FOOTPRINT_LISTPACK_FRAME &&
            packed + digits_of(value) + QUICKLIST_MARGIN > rules->list_max_listpack_bytes) {
            bytes += node + footprint_class(rules, packed);
            packed = FOOTPRINT_LISTPACK_FRAME;
        }
        packed += footprint_listpack_integer(value);
    }
    return bytes + footprint_class(rules, packed);
}

static double list_value(const FootprintRules *rules, const FootprintShape *shape)
{
    double head = (double)footprint_class(rules, QUICKLIST_BYTES);
    uint64_t walked = MIN(shape->elements, WALKED_ITEMS_MAX);
    double sum = 0;

    if (!shape->integers.given)
        return (double)footprint_list_value(rules, shape->elements, shape->value_len);
    for (uint32_t k = 0; k < FOOTPRINT_DRAWN_KEYS; k++) {
        Draw draw = draw_begin(shape, k);

        sum += (double)integer_nodes_bytes(rules, &draw, walked);
    }
    return head + sum / FOOTPRINT_DRAWN_KEYS * ((double)shape->elements / (double)walked);
}

/* Without the object, except for strings, whose object may hold them or be shared. */
static double content_bytes(const FootprintRules *rules, const FootprintShape *shape)
{
    double dense;

    switch (shape->type) {
    case FOOTPRINT_HASH:
        return hash_value(rules, shape);
    case FOOTPRINT_SET:
        return set_value(rules, shape);
    case FOOTPRINT_ZSET:
        return zset_value(rules, shape);
    case FOOTPRINT_LIST:
        return list_value(rules, shape);
    case FOOTPRINT_STREAM:
        return (double)footprint_stream_value(rules, shape);
    case FOOTPRINT_HYPERLOGLOG:
        return footprint_hyperloglog_value(rules, shape, &dense);
    case FOOTPRINT_STRING:
    case FOOTPRINT_BITMAP:
    case FOOTPRINT_TYPES:
        break;
    }
    ensure(false);
    return 0;
}

double footprint_key_bytes(const FootprintRules *rules, const FootprintShape *shape)
{
    uint64_t entry = footprint_dict_entry_bytes(rules);
    double key = (double)(entry * (shape->has_ttl ? 2 : 1) + /* the expiry shares the key's name */
                          footprint_string_bytes(rules, shape->key_len));

    ensure(!shape->integers.given || shape->integers.min <= shape->integers.max);
    if (shape->type == FOOTPRINT_STRING)
        return key + string_value(rules, shape);
    if (shape->elements == 0)
        return 0;
    if (shape->type == FOOTPRINT_BITMAP)
        return key + bitmap_value(rules, shape);
    return key + (double)footprint_class(rules, FOOTPRINT_OBJECT_BYTES) +
           content_bytes(rules, shape);
}

const char *footprint_encoding(const FootprintRules *rules, const FootprintShape *shape)
{
    double dense;

    switch (shape->type) {
    case FOOTPRINT_STRING:
        if (shape->integers.given)
            return "int";
        return shape->value_len <= EMBEDDED_TEXT_MAX && shape->growth_writes <= 1 ? "embstr"
                                                                                  : "raw";
    case FOOTPRINT_HASH:
        return hash_is_listpack(rules, shape) ? "listpack" : "hashtable";
    case FOOTPRINT_SET:
        return set_is_intset(rules, shape) ? "intset" : "hashtable";
    case FOOTPRINT_ZSET:
        return zset_is_listpack(rules, shape) ? "listpack" : "skiplist";
    case FOOTPRINT_LIST:
        return "quicklist";
    case FOOTPRINT_STREAM:
        return "stream";
    case FOOTPRINT_HYPERLOGLOG:
        footprint_hyperloglog_value(rules, shape, &dense);
        return dense > 0.5 ? "dense" : "sparse";
    case FOOTPRINT_BITMAP:
        return "raw";
    case FOOTPRINT_TYPES:
        break;
    }
    ensure(false);
    return "";
}
