/* What kind of reader is at the other end: a person at a terminal, or a pipe.
 *
 * Colour and progress are for people; NO_COLOR (https://no-color.org) and TERM=dumb are respected.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

typedef enum {
    INK_PLAIN,
    INK_STRONG,
    INK_QUIET,
    INK_GOOD,
    INK_BAD,
    INK_WARN,
} Ink;

bool terminal_is_person(FILE *stream);
bool terminal_has_colour(FILE *stream);
unsigned terminal_columns(FILE *stream); /* 80 when unknown */

/* Escape sequences, "" without colour. */
const char *ink_begin(Ink ink, bool colour);
const char *ink_end(Ink ink, bool colour);
