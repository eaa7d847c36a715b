/* An effect as it lies in a log: one line of the cache.
 *
 * Nearly all effects of a busy group are declared elements that get a synthetic value, and what
 * such an effect says fits in 64 bytes: its dot follows from its place in its origin's log, and its
 * origin's own part of the context from its dot.  Any other effect is kept whole elsewhere, and its
 * record points to it.
 */
#pragma once

#include <glib.h>

#include "models/crdt/effect.h"

typedef struct {
    uint64_t key; /* as in the effect, also of one kept whole */
    union {
        uint64_t number;     /* of the value */
        const Effect *whole; /* op EFFECT_RECORD_WHOLE */
    };
    uint32_t value_bytes;
    ValueKind value_kind;
    int64_t amount;
    int64_t ts_ms;
    uint32_t ctx[MEMBER_MAX - 1]; /* of members 1 to 4; the last one's stands for the origin's */
    uint32_t element;             /* likewise */
    uint16_t family;              /* likewise */
    uint8_t op;                   /* EffectOp or EFFECT_RECORD_WHOLE */
    uint8_t type;
} EffectRecord;
G_STATIC_ASSERT(sizeof(EffectRecord) == 64);

#define EFFECT_RECORD_WHOLE UINT8_MAX

/* False: it does not fit, and record is as it was. */
bool effect_record_pack(EffectRecord *record, const Effect *effect);

/* whole must stay where it is as long as the record is read. */
void effect_record_refer(EffectRecord *record, const Effect *whole);

/* Never called for a whole one; for effect_record_read. */
void effect_record_unpack(const EffectRecord *record, Dot dot, Effect *out);

/* The effect with this dot: made in room, or where it is kept whole. */
static inline const Effect *effect_record_read(const EffectRecord *record, Dot dot, Effect *room)
{
    if (G_UNLIKELY(record->op == EFFECT_RECORD_WHOLE))
        return record->whole;
    effect_record_unpack(record, dot, room);
    return room;
}
