/* Why it works: knowledge of an origin is a prefix, so what has arrived but waits is a number per
 * origin, and what is missing of what an effect had observed is the seqs between two clocks.  Each
 * delivery may free others, so all origins are tried until none moves; the order in which they are
 * tried decides nothing that the rule leaves open but the instant, and it is fixed.
 */
#include "models/crdt/causal_order.h"

#include "models/crdt/payload.h"

/* A channel counts as a key of its own kind, a shard channel as one of another. */
static bool same_key(const Effect *a, const Effect *b)
{
    PayloadText name, other;

    if (a->family != b->family || a->key != b->key)
        return false;
    if (a->family != FAMILY_NONE)
        return true;
    if ((a->op == EFFECT_PUBLISH || b->op == EFFECT_PUBLISH) &&
        (a->op != b->op || a->element != b->element))
        return false;
    name = payload_read(a->payload, a->payload_bytes).key;
    other = payload_read(b->payload, b->payload_bytes).key;
    return payload_text_is_equal(name, other);
}

static bool is_ready(const CausalLogs *logs, const Clock *known, const Effect *effect)
{
    Effect room;

    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        for (uint64_t seq = known->seq[id] + 1; logs->logs[id] && seq <= effect->ctx.seq[id]; seq++)
            if (same_key(effect, logs->read(logs->logs[id], dot_make(id, seq), &room)))
                return false;
    return true;
}

void causal_order_deliver(const CausalLogs *logs, const Clock *known,
                          const uint64_t arrived[MEMBER_MAX + 1], CausalDeliver deliver,
                          void *actor)
{
    bool moved = true;
    Effect room;

    while (moved) {
        moved = false;
        for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
            while (logs->logs[id] && known->seq[id] < arrived[id]) {
                const Effect *effect =
                    logs->read(logs->logs[id], dot_make(id, known->seq[id] + 1), &room);

                if (!is_ready(logs, known, effect))
                    break;
                deliver(actor, effect);
                moved = true;
            }
        }
    }
}
