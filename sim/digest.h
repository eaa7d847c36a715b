/* A running 64-bit digest of what an actor did.
 *
 * Not cryptographic: it tells equal runs from different ones.  Fold plain integers only; never a
 * pointer, never a struct with padding.  Digests of actors are combined in id order
 * (digest_combine), never in the order in which places or threads ran.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t value;
} Digest;

static inline Digest digest_begin(void)
{
    return (Digest){UINT64_C(0x243f6a8885a308d3)};
}

static inline void digest_u64(Digest *digest, uint64_t x)
{
    uint64_t z = (digest->value ^ x) * UINT64_C(0x9fb21c651e98df25);

    digest->value = (z ^ (z >> 32)) + UINT64_C(0x9e3779b97f4a7c15);
}

void digest_bytes(Digest *digest, const void *bytes, size_t size);

/* Text with its length, so that "ab","c" differs from "a","bc". */
void digest_text(Digest *digest, const char *text);

static inline void digest_combine(Digest *digest, Digest other)
{
    digest_u64(digest, other.value);
}
