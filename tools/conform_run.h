/* Runs conformance cases: stories of members that write, exchange and read
 * (tests/conformance/FORMAT.md).
 *
 * Members are stores and nothing else: no links, no delay.  A sync hands over the effects the named
 * members made themselves, oldest first, until nothing is missing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    CONFORM_PASSED,
    CONFORM_FAILED,
    CONFORM_UNSUPPORTED, /* uses a command the program does not have */
} ConformOutcome;

typedef struct {
    const char *type; /* of the file */
    const char *name; /* of the case */
    ConformOutcome outcome;
    const char *message; /* what went wrong and where; "" when passed.  Borrowed for the call. */
} ConformResult;

/* Calls report for each case in order.  false: the file cannot be read or is no conformance file.
 */
bool conform_run_file(const char *path, void (*report)(void *user, const ConformResult *result),
                      void *user, GError **error);
