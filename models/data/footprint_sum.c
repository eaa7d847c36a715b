/* Why it works: a listpack is as long as its entries together, a table's strings are allocated one
 * by one, and which of the two it is depends on counts.  So sums suffice; nothing is ever walked.
 */
#include "models/data/footprint_sum.h"

#include <glib.h>
#include <string.h>

#include "models/crdt/decimal.h"
#include "models/data/footprint_parts.h"
#include "sim/ensure.h"

#define SCORE_TEXT_MAX     64
#define STREAM_GAP_MS      1000
#define STREAM_NAME_LEN    1
#define JSON_VALUE_BYTES   24
#define SKETCH_HEAD        18 /* an empty one: its head and a run of zeros */
#define SKETCH_MOST_GROWTH 3  /* room made for one register more */
#define SKETCH_FEW_BYTES   64
#define SKETCH_BUFFERS_MAX 256

static bool number_of(PayloadText text, int64_t *out)
{
    return text.data && integer_parse(text.data, text.bytes, out);
}

static uint64_t packed_bytes(PayloadText text)
{
    int64_t number;

    return number_of(text, &number) ? footprint_listpack_integer(number)
                                    : footprint_listpack_text(text.bytes);
}

uint64_t footprint_score(double score)
{
    const double whole_max = 9e18;
    char text[SCORE_TEXT_MAX];

    if (score > -whole_max && score < whole_max && score == (double)(int64_t)score)
        return footprint_listpack_integer((int64_t)score);
    g_ascii_formatd(text, sizeof text, "%.17g", score);
    return footprint_listpack_text(strlen(text));
}

FootprintSum footprint_field(const FootprintRules *rules, PayloadText name, PayloadText value)
{
    return (FootprintSum){
        .elements = 1,
        .packed_bytes = (int64_t)(packed_bytes(name) + packed_bytes(value)),
        .string_bytes = (int64_t)(footprint_string_bytes(rules, name.bytes) +
                                  footprint_string_bytes(rules, value.bytes)),
        .long_count = MAX(name.bytes, value.bytes) > rules->hash_max_listpack_value,
    };
}

FootprintSum footprint_member(const FootprintRules *rules, PayloadText member)
{
    FootprintSum sum = {.elements = 1};
    int64_t number = 0;

    sum.string_bytes = (int64_t)footprint_string_bytes(rules, member.bytes);
    sum.text_count = !number_of(member, &number);
    sum.wide_count = number < INT16_MIN || number > INT16_MAX;
    sum.widest_count = number < INT32_MIN || number > INT32_MAX;
    return sum;
}

FootprintSum footprint_scored_member(const FootprintRules *rules, PayloadText member,
                                     uint64_t score_bytes)
{
    return (FootprintSum){
        .elements = 1,
        .packed_bytes = (int64_t)(packed_bytes(member) + score_bytes),
        .string_bytes = (int64_t)footprint_string_bytes(rules, member.bytes),
        .long_count = member.bytes > rules->zset_max_listpack_value,
    };
}

void footprint_sum_add(FootprintSum *sum, const FootprintSum *other, int64_t times)
{
    sum->elements += times * other->elements;
    sum->packed_bytes += times * other->packed_bytes;
    sum->string_bytes += times * other->string_bytes;
    sum->long_count += times * other->long_count;
    sum->text_count += times * other->text_count;
    sum->wide_count += times * other->wide_count;
    sum->widest_count += times * other->widest_count;
}

static int64_t object_bytes(const FootprintRules *rules)
{
    return (int64_t)footprint_class(rules, FOOTPRINT_OBJECT_BYTES);
}

static int64_t listpack_bytes(const FootprintRules *rules, const FootprintSum *sum)
{
    return (int64_t)footprint_class(rules, FOOTPRINT_LISTPACK_FRAME + (uint64_t)sum->packed_bytes);
}

static int64_t hash_bytes(const FootprintRules *rules, const FootprintSum *sum)
{
    uint64_t elements = (uint64_t)sum->elements;

    if (elements <= rules->hash_max_listpack_entries && sum->long_count == 0)
        return listpack_bytes(rules, sum);
    return (int64_t)footprint_hash_frame(rules, elements, sum->long_count > 0) + sum->string_bytes;
}

static int64_t set_bytes(const FootprintRules *rules, const FootprintSum *sum)
{
    uint64_t elements = (uint64_t)sum->elements;
    uint64_t width = sum->widest_count > 0 ? 8 : sum->wide_count > 0 ? 4 : 2;

    if (sum->text_count == 0 && elements <= rules->set_max_intset_entries)
        return (int64_t)footprint_intset_bytes(rules, elements, width);
    return (int64_t)footprint_set_frame(rules, elements, sum->text_count == 0) + sum->string_bytes;
}

static int64_t zset_bytes(const FootprintRules *rules, const FootprintSum *sum)
{
    uint64_t elements = (uint64_t)sum->elements;

    if (elements <= rules->zset_max_listpack_entries && sum->long_count == 0)
        return listpack_bytes(rules, sum);
    return (int64_t)footprint_zset_frame(rules, elements) + sum->string_bytes;
}

int64_t footprint_sum_bytes(const FootprintRules *rules, FootprintType type,
                            const FootprintSum *sum)
{
    ensure(sum->elements >= 0 && sum->packed_bytes >= 0 && sum->string_bytes >= 0);
    if (sum->elements == 0)
        return 0;
    if (type == FOOTPRINT_HASH)
        return object_bytes(rules) + hash_bytes(rules, sum);
    if (type == FOOTPRINT_SET)
        return object_bytes(rules) + set_bytes(rules, sum);
    ensure(type == FOOTPRINT_ZSET);
    return object_bytes(rules) + zset_bytes(rules, sum);
}

int64_t footprint_text_bytes(const FootprintRules *rules, uint64_t len)
{
    return (int64_t)footprint_string_value(rules, len);
}

int64_t footprint_number_bytes(const FootprintRules *rules, int64_t number)
{
    return footprint_is_shared(number) ? 0 : object_bytes(rules);
}

/* Nodes as of equal items of the mean length; what the mean leaves over is content too. */
int64_t footprint_list_bytes(const FootprintRules *rules, uint64_t items, uint64_t text_bytes)
{
    if (items == 0)
        return 0;
    return object_bytes(rules) +
           (int64_t)(footprint_list_value(rules, items, text_bytes / items) + text_bytes % items);
}

int64_t footprint_stream_bytes(const FootprintRules *rules, uint64_t entries, uint64_t text_bytes)
{
    FootprintShape shape = {.type = FOOTPRINT_STREAM,
                            .elements = entries,
                            .field_len = STREAM_NAME_LEN,
                            .entry_fields = 1,
                            .entry_gap_ms = STREAM_GAP_MS};

    if (entries > 0)
        shape.value_len = text_bytes / entries;
    return object_bytes(rules) + (int64_t)footprint_stream_quick(rules, &shape);
}

/* Sketches of one length whose buffers grew alike, as a share of all. */
typedef struct {
    FootprintBuffer buffer;
    double share;
} SketchBuffers;

static void sketches_add(SketchBuffers *all, uint32_t *count, const FootprintBuffer *buffer,
                         double share)
{
    uint32_t at = 0;

    while (at < *count && all[at].buffer.bytes != buffer->bytes)
        at++;
    if (at == *count) {
        ensure(*count < SKETCH_BUFFERS_MAX);
        all[(*count)++] = (SketchBuffers){.buffer = *buffer};
    }
    all[at].share += share;
}

/* Whether a sketch that fills a buffer of so much room meets this length on its way.  While few
 * registers are set, each adds exactly what one can add at most. */
static bool sketch_meets(uint64_t room, uint64_t len)
{
    return room >= SKETCH_FEW_BYTES || (len - SKETCH_HEAD) % SKETCH_MOST_GROWTH == 0;
}

/* Moves on those among the sketches in this buffer that grew before they were so long. */
static void sketches_grow(const FootprintRules *rules, SketchBuffers *all, uint32_t *count,
                          uint32_t index, uint64_t encoded_bytes)
{
    uint64_t room = all[index].buffer.room;
    double part = all[index].share / (room < SKETCH_FEW_BYTES ? 1 : SKETCH_MOST_GROWTH);

    for (uint64_t len = room + 1 - SKETCH_MOST_GROWTH; len <= room && len <= encoded_bytes; len++) {
        FootprintBuffer grown = all[index].buffer;

        if (!sketch_meets(room, len))
            continue;
        grown.len = len;
        footprint_buffer_reserve(rules, &grown, SKETCH_MOST_GROWTH);
        all[index].share -= part;
        sketches_add(all, count, &grown, part);
    }
}

/* A buffer grows when the next register may find no room, and asks for twice what it needs.  A
 * register adds up to three bytes, so the length at which that happens is one of three, equally
 * often: the sketches part there, and meet again in the size classes.  Buffers only grow, so those
 * further down the list are larger. */
int64_t footprint_sketch_bytes(const FootprintRules *rules, uint64_t encoded_bytes)
{
    SketchBuffers all[SKETCH_BUFFERS_MAX];
    FootprintBuffer buffer = footprint_buffer_new(rules, SKETCH_HEAD);
    uint32_t count = 0;
    double mean = 0;

    if (encoded_bytes > rules->hll_sparse_max_bytes)
        return object_bytes(rules) + (int64_t)footprint_string_bytes(rules, encoded_bytes);
    footprint_buffer_reserve(rules, &buffer, SKETCH_MOST_GROWTH);
    sketches_add(all, &count, &buffer, 1);
    for (uint32_t i = 0; i < count; i++) {
        sketches_grow(rules, all, &count, i, encoded_bytes);
        mean += all[i].share * (double)all[i].buffer.bytes;
    }
    return object_bytes(rules) + (int64_t)(mean + 0.5);
}

int64_t footprint_json_bytes(const FootprintRules *rules, uint64_t values, uint64_t text_bytes)
{
    return object_bytes(rules) + (int64_t)(values * JSON_VALUE_BYTES + text_bytes);
}

int64_t footprint_name_bytes(const FootprintRules *rules, uint64_t key_len)
{
    return (int64_t)(footprint_dict_entry_bytes(rules) + footprint_string_bytes(rules, key_len));
}

int64_t footprint_expiry_bytes(const FootprintRules *rules)
{
    return (int64_t)footprint_dict_entry_bytes(rules);
}
