/* What one store emits, in order, for other stores to take when a test says so.
 *
 *     EffectTape *tape = effect_tape_new();
 *     Store *from = store_new(&(StoreConfig){..., .sink = effect_tape_sink(tape)});
 *     ...
 *     while (effect_tape_play(tape, to, now))
 *         ;
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "models/data/store.h"
#include "sim/ensure.h"

typedef struct {
    GPtrArray *effects; /* of Effect, each with its payload behind it; the first has seq 1 */
} EffectTape;

static inline EffectTape *effect_tape_new(void)
{
    EffectTape *tape = g_new0(EffectTape, 1);

    tape->effects = g_ptr_array_new_with_free_func(g_free);
    return tape;
}

static inline void effect_tape_free(EffectTape *tape)
{
    if (tape)
        g_ptr_array_unref(tape->effects);
    g_free(tape);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EffectTape, effect_tape_free)

static inline void effect_tape_record(void *tape, const Effect *effect)
{
    GPtrArray *effects = ((EffectTape *)tape)->effects;
    Effect *copy = g_malloc(sizeof(Effect) + effect->payload_bytes);

    ensure(dot_seq(effect->dot) == effects->len + 1);
    *copy = *effect;
    copy->value.data = NULL; /* receivers must take it from the payload */
    copy->payload = (const uint8_t *)(copy + 1);
    if (effect->payload_bytes > 0)
        memcpy(copy + 1, effect->payload, effect->payload_bytes);
    g_ptr_array_add(effects, copy);
}

/* Borrows tape, which must outlive the store. */
static inline EffectSink effect_tape_sink(EffectTape *tape)
{
    return (EffectSink){.emit = effect_tape_record, .actor = tape};
}

/* Also the seq of the newest. */
static inline uint64_t effect_tape_count(const EffectTape *tape)
{
    return tape->effects->len;
}

static inline const Effect *effect_tape_at(const EffectTape *tape, uint64_t seq)
{
    ensure(seq >= 1 && seq <= tape->effects->len);
    return tape->effects->pdata[seq - 1];
}

/* The first effect that store lacks; NULL: it has all. */
static inline const Effect *effect_tape_next(const EffectTape *tape, const Store *store)
{
    const Effect *first = tape->effects->len > 0 ? effect_tape_at(tape, 1) : NULL;
    uint64_t known = first ? store_clock(store)->seq[dot_member(first->dot)] : 0;

    return known < tape->effects->len ? effect_tape_at(tape, known + 1) : NULL;
}

/* Gives store that effect; false: it has all. */
static inline bool effect_tape_play(const EffectTape *tape, Store *store, WallTime now)
{
    const Effect *effect = effect_tape_next(tape, store);

    if (effect)
        ensure(store_apply(store, effect, now)); /* it is news */
    return effect != NULL;
}
