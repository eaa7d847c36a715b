/* Why it works: bytes are folded eight at a time as a little-endian number assembled by shifts, so
 * the digest does not depend on alignment.  The last, partly filled word is padded with zeros; the
 * size is folded first, so padding cannot be taken for content. */
#include "sim/digest.h"

#include <string.h>

void digest_bytes(Digest *digest, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t word = 0;
    unsigned filled_bits = 0;

    digest_u64(digest, (uint64_t)size);
    for (size_t i = 0; i < size; i++) {
        word |= (uint64_t)at[i] << filled_bits;
        filled_bits += 8;
        if (filled_bits == 64) {
            digest_u64(digest, word);
            word = 0;
            filled_bits = 0;
        }
    }
    if (filled_bits > 0)
        digest_u64(digest, word);
}

void digest_text(Digest *digest, const char *text)
{
    digest_bytes(digest, text, strlen(text));
}
