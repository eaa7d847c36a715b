/* Dots and observed clocks: who wrote what, and who knew of it.
 *
 * An effect is named by its dot: the member that made it and that member's count, from 1.  Channels
 * are FIFO per origin, so what a member knows of an origin is always a prefix, and a clock (the
 * highest seq known from each member) says exactly what was observed (crdt-semantics.md 1.2).
 * Member 0 is the genesis: keys that exist from the start carry its dot, which every clock covers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "models/limits.h"

/* seq << 3 | member; 0 is no dot.  Comparable only between dots of one member. */
typedef uint64_t Dot;

#define DOT_GENESIS ((Dot)1 << 3)

static inline Dot dot_make(uint32_t member, uint64_t seq)
{
    return (seq << 3) | member;
}

static inline uint32_t dot_member(Dot dot)
{
    return (uint32_t)(dot & 7);
}

static inline uint64_t dot_seq(Dot dot)
{
    return dot >> 3;
}

/* The highest seq known from each member; index 0 (the genesis) is always covered. */
typedef struct {
    uint64_t seq[MEMBER_MAX + 1];
} Clock;

static inline bool clock_covers(const Clock *clock, Dot dot)
{
    uint32_t member = dot_member(dot);

    return member == 0 || dot_seq(dot) <= clock->seq[member];
}

static inline void clock_join(Clock *into, const Clock *from)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (from->seq[i] > into->seq[i])
            into->seq[i] = from->seq[i];
}

static inline void clock_meet(Clock *into, const Clock *from)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (from->seq[i] < into->seq[i])
            into->seq[i] = from->seq[i];
}
