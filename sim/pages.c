/* Why it works: a range that begins and ends on the bounds of huge pages can be backed by them;
 * asking is a hint, and a refusal changes nothing but speed. */
#include "sim/pages.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <glib.h>

#include "sim/prefetch.h"

#define LARGE_BLOCK_BYTES (1024 * 1024)

void pages_begin(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
}

void *pages_alloc(size_t bytes, void **out_memory)
{
    bool is_large = bytes >= PAGES_HUGE_BYTES;
    size_t align = is_large ? PAGES_HUGE_BYTES : CACHE_LINE_BYTES;
    /* Up to a whole number of huge pages, or the last part would have small ones. */
    size_t room = is_large ? (bytes + align - 1) / align * align : bytes;
    void *start;

    *out_memory = g_malloc0(room + align);
    start = (void *)(((uintptr_t)*out_memory + align - 1) & ~(uintptr_t)(align - 1));
    if (is_large)
        (void)madvise(start, room, MADV_HUGEPAGE);
    return start;
}

void *pages_grow(const void *start, size_t used_bytes, size_t bytes, void **memory)
{
    void *old_memory = *memory;
    void *grown = pages_alloc(bytes, memory);

    if (used_bytes > 0)
        memcpy(grown, start, used_bytes);
    g_free(old_memory);
    return grown;
}
