/* Why it works: open addressing, at most half full.  A stale writer keeps its slot, so searches go
 * on over it, until another that looks there takes it or no room is left; then all that are stale
 * are dropped in one pass in place.  Nothing is ever moved to a second table unless the first was
 * the wrong size.
 */
#include "models/observe/last_writers.h"

#include <string.h>

#include <glib.h>

#include "sim/pages.h"
#include "sim/prefetch.h"
#include "sim/rng.h"

#define SIZE_START 1024

void last_writers_init(LastWriters *writers)
{
    *writers = (LastWriters){.size = SIZE_START};
    writers->slots = pages_alloc(SIZE_START * sizeof(Writer), &writers->memory);
}

void last_writers_clear(LastWriters *writers)
{
    g_free(writers->memory);
}

static inline uint32_t home_of(const LastWriters *writers, uint64_t key, uint64_t element)
{
    uint64_t hash = rng_mix(key + (element + 1) * UINT64_C(0x9e3779b97f4a7c15));

    return (uint32_t)hash & (writers->size - 1);
}

void last_writers_prefetch(const LastWriters *writers, uint64_t key, uint64_t element)
{
    prefetch(&writers->slots[home_of(writers, key, element)]);
}

Writer *last_writers_find(const LastWriters *writers, uint64_t key, uint64_t element)
{
    uint32_t mask = writers->size - 1;
    uint32_t at = home_of(writers, key, element);
    Writer *stale = NULL;

    for (;; at = (at + 1) & mask) {
        Writer *writer = &writers->slots[at];

        if (writer->dot == 0)
            return stale ? stale : writer;
        if (writer->key == key && writer->element == element)
            return writer;
        if (!stale && clock_covers(&writers->stable, writer->dot))
            stale = writer;
    }
}

/* Frees a slot; writers behind it that a search would no longer reach move up. */
static void drop(LastWriters *writers, uint32_t hole)
{
    uint32_t mask = writers->size - 1;
    Writer *slots = writers->slots;

    for (uint32_t at = (hole + 1) & mask; slots[at].dot != 0; at = (at + 1) & mask) {
        uint32_t home = home_of(writers, slots[at].key, slots[at].element);

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        slots[hole] = slots[at];
        hole = at;
    }
    slots[hole].dot = 0;
    writers->used--;
}

static void drop_stale(LastWriters *writers)
{
    for (uint32_t i = 0; i < writers->size;) {
        Dot dot = writers->slots[i].dot;

        if (dot != 0 && clock_covers(&writers->stable, dot))
            drop(writers, i); /* another may be in its place now */
        else
            i++;
    }
}

static void resize(LastWriters *writers, uint32_t size)
{
    Writer *old = writers->slots;
    void *old_memory = writers->memory;
    uint32_t old_size = writers->size;

    writers->slots = pages_alloc(size * sizeof(Writer), &writers->memory);
    writers->size = size;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].dot != 0)
            *last_writers_find(writers, old[i].key, old[i].element) = old[i];
    g_free(old_memory);
}

static __attribute__((noinline)) void make_room(LastWriters *writers)
{
    uint32_t size = writers->size;

    drop_stale(writers);
    if (writers->used > size / 4)
        size *= 2;
    while (size > SIZE_START && writers->used < size / 32)
        size /= 2;
    if (size != writers->size)
        resize(writers, size);
}

void last_writers_set(LastWriters *writers, Writer *slot, const Writer *writer)
{
    writers->used += slot->dot == 0;
    *slot = *writer;
    if (2 * writers->used > writers->size)
        make_room(writers);
}
