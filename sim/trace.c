/* One growing string: a trace is for short runs and for tests, which compare it as a whole. */
#include "sim/trace.h"

#include <stdarg.h>

struct Trace {
    GString *text;
};

Trace *trace_new(void)
{
    Trace *trace = g_new(Trace, 1);

    trace->text = g_string_new(NULL);
    return trace;
}

void trace_free(Trace *trace)
{
    if (!trace)
        return;
    g_string_free(trace->text, TRUE);
    g_free(trace);
}

void trace_line(Trace *trace, SimTime at_ns, const char *format, ...)
{
    va_list args;

    g_string_append_printf(trace->text, "[%9" G_GINT64_FORMAT "] ", at_ns / SIM_US);
    va_start(args, format);
    g_string_append_vprintf(trace->text, format, args);
    va_end(args);
    g_string_append_c(trace->text, '\n');
}

const char *trace_text(const Trace *trace)
{
    return trace->text->str;
}
