/* Why it works: every part is a count or bytes in one order, so what is written says all that is
 * needed to read it again; a part that is only a size adds to the size alone. */
#include "models/data/rdb.h"

#include <string.h>

#define RDB_VERSION 10

/* The polynomial ad93d23594c935a9 with its bits reversed, as bits come in lowest first. */
#define CRC64_JONES UINT64_C(0x95ac9329ac4bc9b5)

static uint64_t crc64(const uint8_t *data, size_t size)
{
    uint64_t crc = 0;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC64_JONES : 0);
    }
    return crc;
}

static void put(RdbWriter *writer, const void *data, uint32_t size)
{
    writer->size += size;
    if (writer->bytes && size > 0)
        g_byte_array_append(writer->bytes, data, size);
}

/* The lowest byte first, or last. */
static void put_number(RdbWriter *writer, uint64_t number, uint32_t size, bool lowest_first)
{
    uint8_t bytes[8];

    for (uint32_t i = 0; i < size; i++)
        bytes[lowest_first ? i : size - 1 - i] = (uint8_t)(number >> 8 * i);
    put(writer, bytes, size);
}

void rdb_begin(RdbWriter *writer, RdbKind kind)
{
    put_number(writer, kind, 1, true);
}

/* 6, 14, 32 or 64 bits, told apart by the first byte's two highest bits and the two ends of a third
 * form. */
void rdb_put_count(RdbWriter *writer, uint64_t count)
{
    if (count < 1 << 6) {
        put_number(writer, count, 1, false);
    } else if (count < 1 << 14) {
        put_number(writer, count | 1 << 14, 2, false);
    } else if (count <= UINT32_MAX) {
        put_number(writer, 0x80, 1, false);
        put_number(writer, count, 4, false);
    } else {
        put_number(writer, 0x81, 1, false);
        put_number(writer, count, 8, false);
    }
}

void rdb_put_text(RdbWriter *writer, PayloadText text)
{
    rdb_put_count(writer, text.bytes);
    if (text.data) {
        put(writer, text.data, text.bytes);
    } else {
        writer->size += text.bytes;
        writer->has_synthetic = true;
    }
}

void rdb_put_score(RdbWriter *writer, double score)
{
    uint64_t bits;

    memcpy(&bits, &score, sizeof(bits));
    put_number(writer, bits, 8, true);
}

void rdb_end(RdbWriter *writer)
{
    put_number(writer, RDB_VERSION, 2, true);
    put_number(writer, writer->bytes ? crc64(writer->bytes->data, writer->bytes->len) : 0, 8, true);
}
