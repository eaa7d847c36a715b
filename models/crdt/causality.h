/* What one member has observed, and what it has been told of ahead of that.
 *
 * Effects of one origin arrive in order, so a member's knowledge is a clock.  Effects of different
 * origins arrive in any order: an effect of member r may have observed effects of member i that
 * have not arrived here yet.  Whether a stored dot (r, m) covers an arriving effect (i, n) must
 * then be answered from r's observed clock at m.  That clock only ever grows with m; so it is
 * enough to keep, per pair (r, i), the steps that are ahead of our own clock.  They vanish as the
 * clock catches up: no tombstone outlives its use.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/effect.h"
#include "sim/ensure.h"

/* From seq on, the origin had observed `observed` effects of the other; both grow along the ring.
 */
typedef struct {
    uint64_t seq;
    uint64_t observed;
} AheadStep;

typedef struct {
    AheadStep *steps;
    uint32_t first, count, capacity; /* capacity is a power of two or 0 */
} AheadRing;

typedef struct {
    Clock clock;
    uint64_t ahead_seq[MEMBER_MAX + 1]
                      [MEMBER_MAX + 1]; /* [r][i]: first step's seq, UINT64_MAX when none */
    AheadRing rings[MEMBER_MAX + 1][MEMBER_MAX + 1];
    uint32_t step_count; /* in all rings; mostly none, which answers everything at once */
} Causality;

void causality_init(Causality *causality);
void causality_clear(Causality *causality);

/* Whether ctx names effects that have not arrived here. */
static inline bool causality_is_ctx_ahead(const Causality *causality, const Clock *ctx);

/* Whether dot is the next of its origin; else it must have been taken into account already. */
static inline bool causality_is_next(const Causality *causality, Dot dot)
{
    bool is_next = dot_seq(dot) == causality->clock.seq[dot_member(dot)] + 1;

    if (!is_next)
        ensure(clock_covers(&causality->clock, dot));
    return is_next;
}

/* Takes the next effect of its origin (see causality_is_next) into account; call after the state
 * was changed by it.  ahead: causality_is_ctx_ahead(ctx), which the effect itself does not change.
 */
static inline void causality_receive(Causality *causality, Dot dot, const Clock *ctx, bool ahead);

void causality_receive_ahead(Causality *causality, Dot dot, const Clock *ctx); /* for the next */

static_assert(MEMBER_MAX == 5, "causality_is_ctx_ahead is unrolled");

/* No seq comes near 2^63, so the difference is negative where more is told of than seen. */
static inline bool causality_is_ctx_ahead(const Causality *causality, const Clock *ctx)
{
    const uint64_t *seen = causality->clock.seq;
    const uint64_t *told = ctx->seq;

    return (int64_t)((seen[1] - told[1]) | (seen[2] - told[2]) | (seen[3] - told[3]) |
                     (seen[4] - told[4]) | (seen[5] - told[5])) < 0;
}

static inline void causality_receive(Causality *causality, Dot dot, const Clock *ctx, bool ahead)
{
    uint64_t *seq = &causality->clock.seq[dot_member(dot)];

    ensure(dot_seq(dot) == *seq + 1);
    *seq = dot_seq(dot);
    if (causality->step_count > 0 || ahead) /* rare where members are as far from each other */
        causality_receive_ahead(causality, dot, ctx);
}

/* Whether the effect named held, stored here, had observed arriving: the next effect of another
 * origin. */
static inline bool causality_covers_next(const Causality *causality, Dot held, Dot arriving)
{
    return dot_seq(held) >= causality->ahead_seq[dot_member(held)][dot_member(arriving)];
}

/* Whether held had observed anything that has not arrived: its cover must be remembered. */
static inline bool causality_is_ahead(const Causality *causality, Dot held)
{
    const uint64_t *ahead = causality->ahead_seq[dot_member(held)];
    uint64_t seq = dot_seq(held);

    if (causality->step_count == 0)
        return false;
    return seq >= ahead[1] || seq >= ahead[2] || seq >= ahead[3] || seq >= ahead[4] ||
           seq >= ahead[5];
}

/* The same question for any dot that has not arrived here, not only the next. */
bool causality_covers_unseen(const Causality *causality, Dot held, Dot unseen);

/* What a member knows that knows all a and b know.  Fills an initialised out. */
void causality_join(Causality *out, const Causality *a, const Causality *b);
