/* A few threads that do one job together and then wait for the next.
 *
 * The barrier blocks: a window may be short and the machine shared, so a waiting thread must not
 * spin.
 */
#pragma once

#include <stdint.h>

typedef struct KernelThreads KernelThreads;

/* job(actor) is called once on each of `count` threads, the caller's being one of them. */
KernelThreads *kernel_threads_new(uint32_t count, void (*job)(void *actor), void *actor);
void kernel_threads_free(KernelThreads *threads);

void kernel_threads_run(KernelThreads *threads); /* returns when all have done it */
