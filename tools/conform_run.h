/* Runs conformance cases: stories of members that write, exchange and read
 * (tests/conformance/FORMAT.md).
 *
 * Members are stores and nothing else: no links, no delay.  A sync hands over the effects the named
 * members made themselves, oldest first, until nothing is missing; with causal consistency all that
 * they know.  After a sync of all, all must know the same.  A case is run to its end also after a
 * step that failed.
 */
#pragma once

#include "tools/conform_read.h"

typedef enum {
    CONFORM_PASSED,
    CONFORM_FAILED,
    CONFORM_UNSUPPORTED, /* asks for what the program does not have: a failure as well */
} ConformOutcome;

/* What a step did.  All texts are borrowed for the call. */
typedef struct {
    const ConformStep *step;
    ConformOutcome outcome;
    const char *command;  /* "SET k v", "a: (messages)" of client a, "(reply)", "sync", "send" */
    const char *expected; /* as JSON, as is the next; "" for an exchange that went well */
    const char *got;
    const char *missing; /* UNSUPPORTED: what the program does not have; else "" */
} ConformSeen;

typedef void (*ConformWatch)(void *user, const ConformSeen *seen);

/* Calls watch, which may be NULL, after each step.  The outcome is that of the worst step.  */
ConformOutcome conform_case_run(const ConformCase *of, ConformWatch watch, void *user);
