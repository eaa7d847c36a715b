/* Why it works: steps behind our clock are dropped as the clock moves, so for the next effect (i,
 * n) of member i every step left has observed >= n; the first of them is where r's effects begin to
 * cover it.  One comparison answers what would otherwise need the observed clock of every stored
 * effect. */
#include "models/crdt/causality.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"

void causality_init(Causality *causality)
{
    memset(causality, 0, sizeof(*causality));
    memset(causality->ahead_seq, 0xff, sizeof(causality->ahead_seq));
}

void causality_clear(Causality *causality)
{
    for (int r = 1; r <= MEMBER_MAX; r++)
        for (int i = 1; i <= MEMBER_MAX; i++)
            g_free(causality->rings[r][i].steps);
    causality_init(causality);
}

static AheadStep *ring_at(const AheadRing *ring, uint32_t index)
{
    return &ring->steps[(ring->first + index) & (ring->capacity - 1)];
}

static void ring_push(Causality *causality, AheadRing *ring, AheadStep step)
{
    causality->step_count++;
    if (ring->count == ring->capacity) {
        uint32_t capacity = ring->capacity > 0 ? ring->capacity * 2 : 64;

        ring->steps = g_renew(AheadStep, ring->steps, capacity);
        /* What had gone round lies behind the rest again. */
        if (ring->first > 0)
            memcpy(&ring->steps[ring->capacity], ring->steps, ring->first * sizeof(AheadStep));
        ring->capacity = capacity;
    }
    *ring_at(ring, ring->count) = step;
    ring->count++;
}

/* Drops the steps that clock has caught up with and notes the first one left. */
static void ring_trim(Causality *causality, uint32_t r, uint32_t i)
{
    AheadRing *ring = &causality->rings[r][i];

    while (ring->count > 0 && ring_at(ring, 0)->observed <= causality->clock.seq[i]) {
        ring->first = (ring->first + 1) & (ring->capacity - 1);
        ring->count--;
        causality->step_count--;
    }
    causality->ahead_seq[r][i] = ring->count > 0 ? ring_at(ring, 0)->seq : UINT64_MAX;
}

/* Drops the steps the effect makes good and notes those it is ahead by. */
void causality_receive_ahead(Causality *causality, Dot dot, const Clock *ctx)
{
    uint32_t r = dot_member(dot);

    for (uint32_t s = 1; s <= MEMBER_MAX; s++)
        if (causality->ahead_seq[s][r] != UINT64_MAX)
            ring_trim(causality, s, r);
    for (uint32_t i = 1; i <= MEMBER_MAX; i++) {
        AheadRing *ring = &causality->rings[r][i];

        if (i == r || ctx->seq[i] <= causality->clock.seq[i])
            continue;
        if (ring->count > 0 && ring_at(ring, ring->count - 1)->observed >= ctx->seq[i])
            continue;
        ring_push(causality, ring, (AheadStep){.seq = dot_seq(dot), .observed = ctx->seq[i]});
        causality->ahead_seq[r][i] = ring_at(ring, 0)->seq;
    }
}

bool causality_covers_unseen(const Causality *causality, Dot held, Dot unseen)
{
    const AheadRing *ring = &causality->rings[dot_member(held)][dot_member(unseen)];
    uint32_t low = 0;
    uint32_t high = ring->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ring_at(ring, middle)->observed >= dot_seq(unseen))
            high = middle;
        else
            low = middle + 1;
    }
    return low < ring->count && ring_at(ring, low)->seq <= dot_seq(held);
}

/* Both sides hold the steps of one growing function up to their own clock of r; the longer one has
 * all. */
void causality_join(Causality *out, const Causality *a, const Causality *b)
{
    out->clock = a->clock;
    clock_join(&out->clock, &b->clock);
    for (uint32_t r = 1; r <= MEMBER_MAX; r++) {
        const Causality *longer = a->clock.seq[r] >= b->clock.seq[r] ? a : b;

        for (uint32_t i = 1; i <= MEMBER_MAX; i++) {
            const AheadRing *ring = &longer->rings[r][i];

            ensure(out->rings[r][i].count == 0);
            for (uint32_t k = 0; k < ring->count; k++)
                ring_push(out, &out->rings[r][i], *ring_at(ring, k));
            ring_trim(out, r, i);
        }
    }
}
