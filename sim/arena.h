/* Memory that lives as long as its run: allocated in blocks, freed at once. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena);

/* Zeroed, aligned to 16 bytes; never NULL. */
void *arena_alloc(Arena *arena, size_t bytes);
#define arena_array(arena, Type, count) ((Type *)arena_alloc(arena, sizeof(Type) * (count)))
char *arena_text(Arena *arena, const char *text); /* NULL gives NULL */
char *arena_printf(Arena *arena, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Calls release(thing) when the arena is freed, last added first. */
void arena_own(Arena *arena, void *thing, void (*release)(void *thing));

/* The first thing with that release for which is_same(it, thing) says so, or NULL. */
void *arena_find_owned(const Arena *arena, void (*release)(void *thing),
                       bool (*is_same)(const void *owned, const void *thing), const void *thing);

size_t arena_bytes(const Arena *arena); /* handed out so far */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arena, arena_free)
