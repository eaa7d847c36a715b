/* Why it works: only the stream itself is asked, so output and errors are judged apart: a table in
 * a pipe stays plain while progress still reaches the person who started it.
 */
#include "tools/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is_person(FILE *stream)
{
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) && !(term && strcmp(term, "dumb") == 0);
}

bool terminal_has_colour(FILE *stream)
{
    const char *refused = getenv("NO_COLOR");

    return terminal_is_person(stream) && !(refused && refused[0]);
}

unsigned terminal_columns(FILE *stream)
{
    struct winsize size;

    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

const char *ink_begin(Ink ink, bool colour)
{
    static const char *const codes[] = {
        [INK_PLAIN] = "",        [INK_STRONG] = "\033[1m", [INK_QUIET] = "\033[2m",
        [INK_GOOD] = "\033[32m", [INK_BAD] = "\033[1;31m", [INK_WARN] = "\033[33m",
    };

    return colour ? codes[ink] : "";
}

const char *ink_end(Ink ink, bool colour)
{
    return colour && ink != INK_PLAIN ? "\033[0m" : "";
}
