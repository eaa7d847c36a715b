/* Commands on single bits and on whole bitmaps (crdt-semantics.md 3.2).
 *
 * Why it works: a bitmap is a string; a changed bit assigns the whole value, so bits set at two
 * members at once are not joined: the last writer's whole value wins.
 *
 * Simplified: the bits of a synthetic value read as zeros; writing them changes its size alone. */
#include <string.h>

#include <glib.h>

#include "models/data/string_edit.h"

#define ERROR_BIT_OFFSET "ERR bit offset is not an integer or out of range"

static bool read_offset(CommandRun *run, uint32_t index, int64_t *out)
{
    if (run_integer(run, index, out) && *out >= 0 && *out / 8 < STRING_BYTES_MAX)
        return true;
    run_reply_error(run, ERROR_BIT_OFFSET);
    return false;
}

static int bit_at(PayloadText text, int64_t offset)
{
    if (!text.data || offset / 8 >= text.bytes)
        return 0;
    return (unsigned char)text.data[offset / 8] >> (7 - offset % 8) & 1;
}

static void run_setbit(CommandRun *run)
{
    int64_t offset;
    int64_t bit = 0;
    uint64_t bytes;
    char *edited;
    ViewText old;
    Key key;

    if (!read_offset(run, 1, &offset))
        return;
    if (run_arg(run, 2)->kind == ARG_SYNTHETIC) {
        bit = (int64_t)(run_arg(run, 2)->number & 1); /* workload: the token tells */
    } else if (!run_integer(run, 2, &bit) || (bit != 0 && bit != 1)) {
        run_reply_error(run, "ERR bit is not an integer or out of range");
        return;
    }
    if (!string_find_to_write(run, 0, &key, &old))
        return;
    run_spot(run, 1, MAX(8 * (uint64_t)old.text.bytes, 1), &offset);
    run_reply_integer(run, bit_at(old.text, offset));
    bytes = MAX((uint64_t)offset / 8 + 1, old.text.bytes);
    edited = string_copy(old.text, bytes);
    if (edited) {
        unsigned mask = 0x80U >> (offset % 8);
        unsigned byte = (unsigned char)edited[offset / 8];

        edited[offset / 8] = (char)(bit ? byte | mask : byte & ~mask);
    }
    string_assign_edited(run, &key, edited, bytes);
}

static void run_getbit(CommandRun *run)
{
    int64_t offset;
    ViewText text;
    Key key;

    if (!read_offset(run, 1, &offset) || !string_find(run, 0, &key, &text))
        return;
    run_spot(run, 1, MAX(8 * (uint64_t)text.text.bytes, 1), &offset);
    run_reply_integer(run, bit_at(text.text, offset));
}

/* A range of bits, both ends in it; empty when first > last. */
typedef struct {
    int64_t first, last;
    bool end_given;
} BitRange;

/* Reads "BYTE" or "BIT"; false: the error is the reply. */
static bool read_unit(CommandRun *run, uint32_t index, int64_t *out_unit_bits)
{
    *out_unit_bits = 8;
    if (index >= run_count(run) || arg_is(run_arg(run, index), "BYTE"))
        return true;
    *out_unit_bits = 1;
    if (arg_is(run_arg(run, index), "BIT"))
        return true;
    run_reply_error(run, ERROR_SYNTAX);
    return false;
}

static BitRange range_of(int64_t start, int64_t end, int64_t bytes, int64_t unit_bits)
{
    int64_t units = bytes * 8 / unit_bits;

    start = start < 0 ? MAX(start + units, 0) : start;
    end = end < 0 ? MAX(end + units, 0) : end;
    end = MIN(end, units - 1);
    if (start > end)
        return (BitRange){.first = 0, .last = -1};
    return (BitRange){.first = start * unit_bits, .last = (end + 1) * unit_bits - 1};
}

/* In each byte of the sum, how many of that byte's bits are set in the words: at most 31 of them,
 * as then none overflows. */
static uint64_t count_by_byte(const char *data, size_t words)
{
    const uint64_t pairs = UINT64_C(0x5555555555555555), fours = UINT64_C(0x3333333333333333);
    const uint64_t bytes = UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t sum = 0;
    uint64_t word;

    for (size_t i = 0; i < words; i++) {
        memcpy(&word, data + i * sizeof(word), sizeof(word));
        word -= word >> 1 & pairs;
        word = (word & fours) + (word >> 2 & fours);
        sum += (word + (word >> 4)) & bytes;
    }
    return sum;
}

static int64_t count_in_bytes(const char *data, size_t bytes)
{
    int64_t count = 0;
    size_t words;

    for (; bytes >= sizeof(uint64_t); bytes -= words * sizeof(uint64_t)) {
        words = MIN(bytes / sizeof(uint64_t), 31);
        for (uint64_t sum = count_by_byte(data, words); sum != 0; sum >>= 8)
            count += (int64_t)(sum & 0xff);
        data += words * sizeof(uint64_t);
    }
    while (bytes-- > 0)
        count += __builtin_popcount((unsigned char)*data++);
    return count;
}

static int64_t count_bits(PayloadText text, const BitRange *range)
{
    int64_t at = range->first;
    int64_t end = range->last + 1;
    int64_t count = 0;

    if (!text.data)
        return 0;
    for (; at < end && at % 8 != 0; at++)
        count += bit_at(text, at);
    if (at < end)
        count += count_in_bytes(text.data + at / 8, (size_t)(end - at) / 8);
    for (at = MAX(at, end - end % 8); at < end; at++)
        count += bit_at(text, at);
    return count;
}

static void run_bitcount(CommandRun *run)
{
    int64_t start = 0;
    int64_t end = -1;
    int64_t unit_bits = 8;
    ViewText text;
    BitRange range;
    Key key;

    if (!string_find(run, 0, &key, &text))
        return;
    if (text.text.bytes == 0 && !key_exists(run->store, &key)) {
        run_reply_integer(run, 0);
        return;
    }
    if (run_count(run) == 2 || run_count(run) > 4) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if (run_count(run) > 2) {
        if (!run_integer(run, 1, &start) || !run_integer(run, 2, &end))
            return;
        if (start < 0 && end < 0 && start > end) {
            run_reply_integer(run, 0);
            return;
        }
        if (!read_unit(run, 3, &unit_bits))
            return;
    }
    range = range_of(start, end, text.text.bytes, unit_bits);
    run_reply_integer(run, count_bits(text.text, &range));
}

/* BITPOS's range: start, then end, then the unit, each only with the one before. */
static bool bitpos_read_range(CommandRun *run, PayloadText text, BitRange *out)
{
    int64_t start = 0;
    int64_t end = -1;
    int64_t unit_bits = 8;

    if (run_count(run) > 5) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (run_count(run) > 2 && !run_integer(run, 2, &start))
        return false;
    if (!read_unit(run, 4, &unit_bits))
        return false;
    if (run_count(run) > 3 && !run_integer(run, 3, &end))
        return false;
    *out = range_of(start, end, text.bytes, unit_bits);
    out->end_given = run_count(run) > 3;
    return true;
}

/* -1: there is none. */
static int64_t find_bit(PayloadText text, const BitRange *range, int64_t bit)
{
    const unsigned char unlike = bit ? 0 : 0xff;

    for (int64_t i = range->first; i <= range->last; i++) {
        if (i % 8 == 0 && i + 7 <= range->last && text.data &&
            (unsigned char)text.data[i / 8] == unlike)
            i += 7;
        else if (bit_at(text, i) == bit)
            return i;
    }
    return -1;
}

/* A zero that is not there is found behind the end, unless the end was asked for. */
static void run_bitpos(CommandRun *run)
{
    int64_t bit = 0;
    int64_t found;
    ViewText text;
    BitRange range;
    Key key;

    if (!run_integer(run, 1, &bit))
        return;
    if (bit != 0 && bit != 1) {
        run_reply_error(run, "ERR The bit argument must be 1 or 0.");
        return;
    }
    if (!string_find(run, 0, &key, &text))
        return;
    if (text.text.bytes == 0 && !key_exists(run->store, &key)) {
        run_reply_integer(run, bit ? -1 : 0);
        return;
    }
    if (!bitpos_read_range(run, text.text, &range))
        return;
    found = find_bit(text.text, &range, bit);
    if (found >= 0) {
        run_reply_integer(run, found);
        return;
    }
    run_reply_integer(run, bit || range.end_given || range.first > range.last
                               ? -1
                               : (int64_t)text.text.bytes * 8);
}

/* --- BITOP */

typedef enum { BITOP_AND, BITOP_OR, BITOP_XOR, BITOP_NOT, BITOP_NONE } BitOperation;

static BitOperation read_operation(const Arg *arg)
{
    static const char *const names[] = {"AND", "OR", "XOR", "NOT"};
    int operation = 0;

    while (operation < BITOP_NONE && !arg_is(arg, names[operation]))
        operation++;
    return (BitOperation)operation;
}

static void combine(BitOperation operation, char *into, PayloadText with, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        unsigned own = (unsigned char)into[i];
        unsigned other = i < with.bytes ? (unsigned char)with.data[i] : 0;

        into[i] = (char)(operation == BITOP_AND  ? own & other
                         : operation == BITOP_OR ? own | other
                                                 : own ^ other);
    }
}

/* Texts of the sources from argument 2 on; false: the error is the reply. */
static bool find_sources(CommandRun *run, ViewText *texts, uint64_t *out_bytes)
{
    Key key;

    *out_bytes = 0;
    for (uint32_t i = 2; i < run_count(run); i++) {
        if (!string_find(run, i, &key, &texts[i - 2]))
            return false;
        *out_bytes = MAX(*out_bytes, texts[i - 2].text.bytes);
    }
    return true;
}

/* NULL: one source is synthetic, and so is the result. */
static char *bitop_result(BitOperation operation, const ViewText *texts, uint32_t count,
                          uint64_t bytes)
{
    char *result = string_copy(texts[0].text, bytes);

    for (uint32_t i = 1; result && i < count; i++) {
        if (texts[i].text.data) {
            combine(operation, result, texts[i].text, bytes);
        } else {
            g_free(result);
            return NULL;
        }
    }
    for (uint64_t i = 0; result && operation == BITOP_NOT && i < bytes; i++)
        result[i] = (char)~result[i];
    return result;
}

/* A view's number may stand in its own buffer: texts must not move once they point there. */
static void bitop_run(CommandRun *run, BitOperation operation, ViewText *texts)
{
    uint64_t bytes;
    bool exists;
    char *result;
    Key key;

    if (!find_sources(run, texts, &bytes) || !run_find_to_write(run, 1, -1, &key, &exists))
        return;
    if (bytes == 0) {
        store_delete(run->store, &key, run->now);
    } else {
        result = bitop_result(operation, texts, run_count(run) - 2, bytes);
        string_assign(run, &key,
                      (Value){.kind = result ? VALUE_BYTES : VALUE_SYNTHETIC,
                              .data = result,
                              .bytes = (uint32_t)bytes},
                      &(SetOptions){0});
        g_free(result);
    }
    run_reply_integer(run, (int64_t)bytes);
}

static void run_bitop(CommandRun *run)
{
    BitOperation operation = read_operation(run_arg(run, 0));
    ViewText *texts;

    if (operation == BITOP_NONE || run_count(run) < 3) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if (operation == BITOP_NOT && run_count(run) != 3) {
        run_reply_error(run, "ERR BITOP NOT must be called with a single source key.");
        return;
    }
    texts = g_new0(ViewText, run_count(run));
    bitop_run(run, operation, texts);
    g_free(texts);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_CREATES, "SETBIT", "set one bit; assigns the whole value", 4, true,
                      OP_LWW, SHAPE_PATCH, 1.13, run_setbit),
    COMMAND_SPEC("GETBIT", "one bit", 3, false, OP_READ, SHAPE_INDEX, 0.9, run_getbit),
    COMMAND_SPEC("BITCOUNT", "how many bits are set", -2, false, OP_READ, SHAPE_KEY, 1.0,
                 run_bitcount),
    COMMAND_SPEC("BITPOS", "the first bit that is set, or is not", -3, false, OP_READ, SHAPE_KEY,
                 1.0, run_bitpos),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "BITOP", "combine bitmaps into another key", -4, true, OP_LWW,
                      SHAPE_KEY, 2.0, run_bitop),
};

const CommandGroup command_group_bitmap = {
    .head = {.name = "bitmap", .summary = "single bits of strings"},
    .serves = "string",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
