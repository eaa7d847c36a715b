/* The string that Redis keeps for a HyperLogLog (redis/redis, src/hyperloglog.c, the comment at its
 * top): 16 bytes of header, then either all registers in 6 bits each or runs of equal registers.
 *
 * Why it works: the writer walks the non-zero registers in order, so a run of zeros is the distance
 * to the next one; one function both measures and writes, and a size can never differ from its
 * string.  The reader fills a sketch of its own first and joins it only when the runs add up to all
 * registers: a broken string changes nothing.
 */
#include "models/crdt/hll.h"

#include <string.h>

#define HEADER_BYTES  16
#define ENCODING_AT   4
#define CACHE_FLAG_AT 15   /* highest byte of the cached count */
#define CACHE_STALE   0x80 /* its highest bit */

#define ZERO_RUN_MAX 64   /* 00zzzzzz: zzzzzz + 1 zeros */
#define XZERO        0x40 /* 01zzzzzz zzzzzzzz: up to 16384 zeros */
#define VALUE        0x80 /* 1vvvvvrr: rr + 1 registers of rank vvvvv + 1 */
#define VALUE_RUN    4

enum { ENCODING_DENSE, ENCODING_SPARSE };

/* writer NULL: measures only. */
static uint32_t put_zeros(PayloadWriter *writer, uint32_t run)
{
    uint8_t codes[2];
    uint32_t bytes = run > ZERO_RUN_MAX ? 2 : 1;

    if (run == 0)
        return 0;
    if (bytes == 1) {
        codes[0] = (uint8_t)(run - 1);
    } else {
        codes[0] = (uint8_t)(XZERO | (run - 1) >> 8);
        codes[1] = (uint8_t)(run - 1);
    }
    if (writer)
        payload_put_bytes(writer, codes, bytes);
    return bytes;
}

static uint32_t put_values(PayloadWriter *writer, uint32_t rank, uint32_t run)
{
    uint8_t code = (uint8_t)(VALUE | (rank - 1) << 2 | (run - 1));

    if (writer)
        payload_put_bytes(writer, &code, 1);
    return 1;
}

static uint32_t put_sparse(PayloadWriter *writer, const Hll *hll)
{
    uint32_t next = 0; /* first register not yet told */
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < hll->count;) {
        uint32_t index = hll->sparse[i] >> 8;
        uint32_t rank = hll->sparse[i] & 0xff;
        uint32_t run = 1;

        /* The same rank at the next index is the same entry with that index. */
        while (run < VALUE_RUN && i + run < hll->count &&
               hll->sparse[i + run] == hll->sparse[i] + (run << 8))
            run++;
        bytes += put_zeros(writer, index - next);
        bytes += put_values(writer, rank, run);
        next = index + run;
        i += run;
    }
    return bytes + put_zeros(writer, HLL_REGISTER_COUNT - next);
}

uint32_t hll_encoded_bytes(const Hll *hll)
{
    return HEADER_BYTES + (hll->dense ? HLL_DENSE_BYTES : put_sparse(NULL, hll));
}

void hll_write_redis(const Hll *hll, PayloadWriter *out)
{
    uint8_t header[HEADER_BYTES] = "HYLL";

    header[ENCODING_AT] = hll->dense ? ENCODING_DENSE : ENCODING_SPARSE;
    header[CACHE_FLAG_AT] = CACHE_STALE;
    payload_put_bytes(out, header, HEADER_BYTES);
    if (hll->dense)
        payload_put_bytes(out, hll->dense->bits, HLL_DENSE_BYTES);
    else
        put_sparse(out, hll);
}

static bool raise_run(Hll *hll, uint32_t first, uint32_t run, uint32_t rank)
{
    if (run > HLL_REGISTER_COUNT - first || rank > HLL_RANK_MAX)
        return false;
    for (uint32_t i = 0; rank > 0 && i < run; i++)
        hll_raise(hll, (HllRaise){.index = (uint16_t)(first + i), .rank = (uint8_t)rank});
    return true;
}

static bool read_sparse(Hll *hll, const uint8_t *at, const uint8_t *end)
{
    uint32_t next = 0;

    while (at < end) {
        uint32_t code = *at++;
        uint32_t rank = 0;
        uint32_t run = code + 1;

        if (code & VALUE) {
            rank = (code >> 2 & 31) + 1;
            run = (code & 3) + 1;
        } else if (code & XZERO) {
            if (at == end)
                return false;
            run = ((code & 63) << 8 | *at++) + 1;
        }
        if (!raise_run(hll, next, run, rank))
            return false;
        next += run;
    }
    return next == HLL_REGISTER_COUNT;
}

static bool read_dense(Hll *hll, const uint8_t *at)
{
    /* Four registers are three bytes. */
    for (uint32_t i = 0; i < HLL_REGISTER_COUNT; i += 4, at += 3) {
        uint32_t four = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;

        for (uint32_t k = 0; k < 4; k++)
            if (!raise_run(hll, i + k, 1, four >> (6 * k) & 63))
                return false;
    }
    return true;
}

bool hll_read_redis(Hll *into, PayloadText text, bool *out_is_corrupt)
{
    const uint8_t *data = (const uint8_t *)text.data;
    g_auto(Hll) read = {0};
    bool has_header;
    bool is_whole;

    has_header =
        data && text.bytes >= HEADER_BYTES && memcmp(data, "HYLL", 4) == 0 &&
        data[ENCODING_AT] <= ENCODING_SPARSE &&
        (data[ENCODING_AT] == ENCODING_SPARSE || text.bytes == HEADER_BYTES + HLL_DENSE_BYTES);
    is_whole = has_header && (data[ENCODING_AT] == ENCODING_SPARSE
                                  ? read_sparse(&read, data + HEADER_BYTES, data + text.bytes)
                                  : read_dense(&read, data + HEADER_BYTES));
    if (out_is_corrupt)
        *out_is_corrupt = has_header && !is_whole;
    if (is_whole)
        hll_join(into, &read);
    return is_whole;
}
