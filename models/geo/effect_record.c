/* Why it works: an origin observes its own effects at once, so in a context its own part is the seq
 * before the dot's and need not be said; the four others take the places of members 1 to 4, where
 * the fifth stands in for the origin.  Contexts beyond 2^32 - 1 do not fit; there the effect is
 * kept whole. */
#include "models/geo/effect_record.h"

#include <string.h>

#define LAST MEMBER_MAX

static bool fits(const Effect *effect)
{
    const Clock *ctx = &effect->ctx;
    uint32_t origin = dot_member(effect->dot);
    uint64_t all = 0;

    if (effect->payload_bytes > 0 || effect->element_count != 1 || effect->value.data ||
        origin == 0 || ctx->seq[0] != 0 || ctx->seq[origin] + 1 != dot_seq(effect->dot))
        return false;
    for (uint32_t id = 1; id <= LAST; id++)
        all |= ctx->seq[id];
    return all <= UINT32_MAX;
}

bool effect_record_pack(EffectRecord *record, const Effect *effect)
{
    uint32_t origin = dot_member(effect->dot);

    if (!fits(effect))
        return false;
    record->key = effect->key;
    record->number = effect->value.number;
    record->value_bytes = effect->value.bytes;
    record->value_kind = effect->value.kind;
    record->amount = effect->amount;
    record->ts_ms = effect->ts.ms;
    for (uint32_t id = 1; id < LAST; id++)
        record->ctx[id - 1] = (uint32_t)effect->ctx.seq[id];
    if (origin < LAST)
        record->ctx[origin - 1] = (uint32_t)effect->ctx.seq[LAST];
    record->element = effect->element;
    record->family = effect->family;
    record->op = effect->op;
    record->type = effect->type;
    return true;
}

void effect_record_refer(EffectRecord *record, const Effect *whole)
{
    memset(record, 0, sizeof *record);
    record->key = whole->key;
    record->whole = whole;
    record->element = whole->element;
    record->family = whole->family;
    record->op = EFFECT_RECORD_WHOLE;
}

void effect_record_unpack(const EffectRecord *record, Dot dot, Effect *out)
{
    uint32_t origin = dot_member(dot);

    out->dot = dot;
    out->ts.ms = record->ts_ms;
    out->ctx.seq[0] = 0;
    for (uint32_t id = 1; id < LAST; id++)
        out->ctx.seq[id] = record->ctx[id - 1];
    out->ctx.seq[LAST] = record->ctx[(origin - 1) % (LAST - 1)];
    out->ctx.seq[origin] = dot_seq(dot) - 1;
    out->key = record->key;
    out->element = record->element;
    out->element_count = 1;
    out->value.number = record->number;
    out->value.data = NULL;
    out->value.bytes = record->value_bytes;
    out->value.kind = record->value_kind;
    out->amount = record->amount;
    out->family = record->family;
    out->op = record->op;
    out->type = record->type;
    out->payload_bytes = 0;
    out->payload = NULL;
}
