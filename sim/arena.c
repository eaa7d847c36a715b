/* Why it works: blocks are zeroed when made and never reused, so handing out memory is one
 * addition. Each block doubles the last up to a limit; a request that would waste much of a block
 * gets one of its own behind the current one, so the room left in that stays usable.  Owned things
 * are released before any block goes, last added first, since a later thing may borrow from an
 * earlier one. */
#include "sim/arena.h"

#include <stdint.h>
#include <string.h>

#include "sim/ensure.h"

#define ALIGNMENT       16
#define BLOCK_BYTES_MIN ((size_t)4096)
#define BLOCK_BYTES_MAX ((size_t)1 << 20)

typedef struct Block {
    struct Block *older;
    size_t used_bytes;
    size_t room_bytes;
    size_t padding; /* keeps what follows aligned */
} Block;

_Static_assert(sizeof(Block) % ALIGNMENT == 0, "memory behind a block's head must be aligned");

typedef struct {
    void *thing;
    void (*release)(void *thing);
} Owned;

struct Arena {
    Block *newest;
    size_t next_bytes; /* room of the next ordinary block */
    size_t handed_out_bytes;
    GArray *owned; /* of Owned, in the order added */
};

static Block *block_new(size_t room_bytes, Block *older)
{
    Block *block = g_malloc0(sizeof *block + room_bytes);

    block->older = older;
    block->room_bytes = room_bytes;
    return block;
}

static void *block_take(Block *block, size_t bytes)
{
    char *memory = (char *)(block + 1) + block->used_bytes;

    block->used_bytes += bytes;
    return memory;
}

Arena *arena_new(void)
{
    Arena *arena = g_new0(Arena, 1);

    arena->next_bytes = BLOCK_BYTES_MIN;
    arena->owned = g_array_new(FALSE, FALSE, sizeof(Owned));
    return arena;
}

void arena_free(Arena *arena)
{
    if (arena == NULL)
        return;
    for (guint i = arena->owned->len; i > 0; i--) {
        Owned *owned = &g_array_index(arena->owned, Owned, i - 1);

        owned->release(owned->thing);
    }
    g_array_free(arena->owned, TRUE);
    while (arena->newest != NULL) {
        Block *older = arena->newest->older;

        g_free(arena->newest);
        arena->newest = older;
    }
    g_free(arena);
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    Block *block = arena->newest;

    ensure(bytes <= SIZE_MAX / 2);
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    arena->handed_out_bytes += bytes;
    if (block != NULL && block->room_bytes - block->used_bytes >= bytes)
        return block_take(block, bytes);
    if (bytes > arena->next_bytes / 4) {
        Block *single = block_new(bytes, block != NULL ? block->older : NULL);

        if (block != NULL)
            block->older = single;
        else
            arena->newest = single;
        return block_take(single, bytes);
    }
    arena->newest = block_new(arena->next_bytes, block);
    if (arena->next_bytes < BLOCK_BYTES_MAX)
        arena->next_bytes *= 2;
    return block_take(arena->newest, bytes);
}

char *arena_text(Arena *arena, const char *text)
{
    size_t size;
    char *copy;

    if (text == NULL)
        return NULL;
    size = strlen(text) + 1;
    copy = arena_alloc(arena, size);
    memcpy(copy, text, size);
    return copy;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return arena_text(arena, text);
}

void arena_own(Arena *arena, void *thing, void (*release)(void *thing))
{
    Owned owned = {.thing = thing, .release = release};

    g_array_append_val(arena->owned, owned);
}

void *arena_find_owned(const Arena *arena, void (*release)(void *thing),
                       bool (*is_same)(const void *owned, const void *thing), const void *thing)
{
    for (guint i = 0; i < arena->owned->len; i++) {
        const Owned *owned = &g_array_index(arena->owned, Owned, i);

        if (owned->release == release && is_same(owned->thing, thing))
            return owned->thing;
    }
    return NULL;
}

size_t arena_bytes(const Arena *arena)
{
    return arena->handed_out_bytes;
}
