/* A text trace: one line per fact, "[   540000] 2: apply 1@1 counter stock +3" (microseconds).
 *
 * For tests and for --trace; it changes nothing.  Lines of one instant keep the order of their
 * making.
 */
#pragma once

#include <glib.h>

#include "sim/time.h"

typedef struct Trace Trace;

Trace *trace_new(void);
void trace_free(Trace *trace);
void trace_line(Trace *trace, SimTime at_ns, const char *format, ...) G_GNUC_PRINTF(3, 4);
const char *trace_text(const Trace *trace); /* all lines so far */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trace, trace_free)
