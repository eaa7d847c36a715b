/* One line on the terminal of whoever waits: how far the runs are and how long it will take.
 *
 * It is drawn a few times a second, on a terminal only, and leaves nothing behind.
 */
#pragma once

#include "tools/run_job.h"

typedef struct Progress Progress;

/* jobs are borrowed until progress_free.  visible false: draws nothing, ever. */
Progress *progress_new(const char *title, const RunJob *jobs, uint32_t count, bool visible);
void progress_free(Progress *progress); /* clears the line */
void progress_draw(Progress *progress);
char *progress_line(const Progress *progress); /* what it draws, whole */
void progress_clear(Progress *progress);       /* before anything else is printed */

/* Share done and wall-clock seconds left (negative: unknown) after elapsed_s. */
void progress_estimate(const RunJob *jobs, uint32_t count, double elapsed_s, double *out_share,
                       double *out_left_s);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)
