/* Asks for a line of memory that will be needed soon.
 *
 * A function that does nothing but prefetch has no effect the compiler knows of, so gcc takes calls
 * of it for dead code and drops them.  The empty assembly line is an effect it must keep; it costs
 * no instruction.
 */
#pragma once

#define CACHE_LINE_BYTES 64 /* bytes */

static inline void prefetch(const void *address)
{
    __builtin_prefetch(address);
    __asm__ volatile("");
}
