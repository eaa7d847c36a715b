/* Why it works: only what stands between the first opening brace and the first closing one after it
 * is hashed, if anything does; so who writes the same tag into several names has them in one slot.
 * Slots count for born keys of clustered members alone, where eight steps a byte cost nothing that
 * a table would save. */
#include "models/data/hash_slot.h"

#include <string.h>

#define CRC16_POLYNOMIAL 0x1021U
#define CRC16_TOP_BIT    0x8000U

uint16_t crc16_xmodem(const char *data, uint32_t size)
{
    uint32_t crc = 0;

    for (uint32_t i = 0; i < size; i++) {
        crc ^= (uint32_t)(unsigned char)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = ((crc & CRC16_TOP_BIT) != 0 ? crc << 1 ^ CRC16_POLYNOMIAL : crc << 1) & 0xffffU;
    }
    return (uint16_t)crc;
}

/* What of the key is hashed. */
static PayloadText tag_of(PayloadText key)
{
    const char *open = memchr(key.data, '{', key.bytes);
    const char *tag, *close;

    if (!open)
        return key;
    tag = open + 1;
    close = memchr(tag, '}', key.bytes - (size_t)(tag - key.data));
    if (!close || close == tag)
        return key;
    return (PayloadText){tag, (uint32_t)(close - tag)};
}

int hash_slot_of(PayloadText key)
{
    PayloadText tag = key.bytes > 0 ? tag_of(key) : key;

    return crc16_xmodem(tag.data, tag.bytes) % HASH_SLOT_COUNT;
}
