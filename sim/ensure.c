/* Why it works: an ensure fails at most once in a process, so printing may be slow and needs no
 * lock. The context is one pointer per thread, borrowed from the run, so keeping it up to date
 * costs the run nothing beyond the fields it has anyway.  This is the one place of sim/ that writes
 * to stderr and ends the process. */
#include "sim/ensure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static __thread const EnsureContext *current_context;

void ensure_context_set(const EnsureContext *context)
{
    current_context = context;
}

_Noreturn void ensure_fail(const char *condition, const char *file, int line)
{
    const EnsureContext *at = current_context;

    fprintf(stderr, "%s:%d: ensure failed: %s\n", file, line, condition);
    if (at != NULL)
        fprintf(stderr,
                "  in scenario %s, variant %s, seed %" PRIu64 ", at %" PRId64 " ns, after %" PRIu64
                " events\n",
                at->scenario != NULL ? at->scenario : "(none)",
                at->variant != NULL ? at->variant : "base", at->seed, at->now_ns, at->event_count);
    fputs("  This is a defect of the simulator, not of the scenario.\n", stderr);
    fflush(stderr);
    abort();
}
