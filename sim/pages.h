/* Large tables that are met at random, in huge pages where the machine grants them.
 *
 * With small pages most visits of a table of some megabytes also miss the processor's table of
 * pages, and a prefetch then waits for the walk it was meant to hide.
 */
#pragma once

#include <stddef.h>

#define PAGES_HUGE_BYTES ((size_t)2 * 1024 * 1024)

/* Once, at the start of a program: large blocks of any kind come fresh from the machine from then
 * on. Left to itself the heap keeps large blocks it once got back, and hands them out in small
 * pages, zeroed by hand. */
void pages_begin(void);

/* Zeroed, aligned to a cache line; *out_memory is what to give to g_free. */
void *pages_alloc(size_t bytes, void **out_memory);

/* A larger table that begins with the first used_bytes of start.  *memory is the old one's, NULL if
 * there was none; it is freed and becomes the new one's. */
void *pages_grow(const void *start, size_t used_bytes, size_t bytes, void **memory);
