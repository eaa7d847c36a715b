/* Why it works: knowledge of an origin is a prefix, so what has arrived but waits is a number per
 * origin, and what is missing of what an effect had observed is the seqs between two clocks.  Each
 * delivery may free others, so all origins are tried until none moves; the order in which they are
 * tried decides nothing that the rule leaves open but the instant, and it is fixed.
 *
 * What is missing is read once, when an effect that had observed it is first looked at, and counted
 * by a hash of its key until it is delivered.  Where nothing is counted nothing is waited for; else
 * the missing ones are looked through, and who is waited for is remembered until it has come.
 */
#include "models/crdt/causal_order.h"

#include <glib.h>
#include <string.h>

#include "models/crdt/payload.h"
#include "sim/rng.h"

#define BUCKET_COUNT 16384u

/* The first of an origin that waits, and one it waits for; 0: none does. */
typedef struct {
    uint64_t seq;
    Dot missing;
} Wait;

struct CausalOrder {
    uint64_t arrived[MEMBER_MAX + 1]; /* delivered or waiting */
    Clock from, to;                   /* counted: what comes after from, up to to */
    uint64_t count;                   /* of these, of all origins together */
    uint32_t counts[BUCKET_COUNT];    /* by hash of the key */
    Wait waits[MEMBER_MAX + 1];
};

CausalOrder *causal_order_new(void)
{
    return g_new0(CausalOrder, 1);
}

void causal_order_free(CausalOrder *order)
{
    g_free(order);
}

bool causal_order_arrive(CausalOrder *order, uint32_t origin, uint64_t seq)
{
    if (seq <= order->arrived[origin])
        return false;
    order->arrived[origin] = seq;
    return true;
}

void causal_order_restart(CausalOrder *order, const Clock *known)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        order->arrived[id] = known->seq[id];
}

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

static uint32_t *count_of(CausalOrder *order, uint64_t key)
{
    return &order->counts[rng_mix(key) % BUCKET_COUNT];
}

/* The clock has moved past what is counted by something else than a delivery: a whole state. */
static void counts_begin(CausalOrder *order, const Clock *known)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
        if (order->from.seq[id] == known->seq[id])
            continue;
        if (order->from.seq[id] < order->to.seq[id]) {
            memset(order->counts, 0, sizeof order->counts);
            order->count = 0;
            order->from = order->to = *known;
            return;
        }
        order->from.seq[id] = order->to.seq[id] = known->seq[id];
    }
}

static void counts_reach(CausalOrder *order, const CausalLogs *logs, const Clock *ctx)
{
    Effect room;

    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        while (logs->logs[id] && order->to.seq[id] < ctx->seq[id]) {
            Dot dot = dot_make(id, ++order->to.seq[id]);

            ++*count_of(order, logs->read(logs->logs[id], dot, &room)->key);
            order->count++;
        }
}

static void counts_deliver(CausalOrder *order, uint32_t id, uint64_t key)
{
    if (order->from.seq[id] == order->to.seq[id]) {
        order->to.seq[id]++;
    } else {
        --*count_of(order, key);
        order->count--;
    }
    order->from.seq[id]++;
}

/* One that effect waits for; 0: none. */
static Dot missing_for(const CausalLogs *logs, const Clock *known, const Effect *effect)
{
    Effect room;

    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        for (uint64_t seq = known->seq[id] + 1; logs->logs[id] && seq <= effect->ctx.seq[id]; seq++)
            if (same_key(effect, logs->read(logs->logs[id], dot_make(id, seq), &room)))
                return dot_make(id, seq);
    return 0;
}

static bool is_ready(CausalOrder *order, const CausalLogs *logs, const Clock *known,
                     const Effect *effect)
{
    Wait *wait = &order->waits[dot_member(effect->dot)];

    if (wait->seq == dot_seq(effect->dot) && !clock_covers(known, wait->missing) &&
        logs->logs[dot_member(wait->missing)])
        return false;
    counts_reach(order, logs, &effect->ctx);
    if (order->count == 0 || *count_of(order, effect->key) == 0)
        return true;
    *wait = (Wait){dot_seq(effect->dot), missing_for(logs, known, effect)};
    return wait->missing == 0;
}

void causal_order_deliver(CausalOrder *order, const CausalLogs *logs, const Clock *known,
                          CausalDeliver deliver, void *actor)
{
    bool moved = true;
    Effect room;

    counts_begin(order, known);
    while (moved) {
        moved = false;
        for (uint32_t id = 1; id <= MEMBER_MAX; id++) {
            while (logs->logs[id] && known->seq[id] < order->arrived[id]) {
                const Effect *effect =
                    logs->read(logs->logs[id], dot_make(id, known->seq[id] + 1), &room);
                uint64_t key = effect->key;

                if (!is_ready(order, logs, known, effect))
                    break;
                deliver(actor, effect);
                counts_deliver(order, id, key);
                moved = true;
            }
        }
    }
}
