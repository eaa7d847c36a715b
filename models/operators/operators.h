/* People, alerts and runbooks: who acts, when, and what they do.
 *
 * An alert watches an expression over the run's own recording; when it has held for its window, the
 * operator it notifies acknowledges and decides (delays drawn from their distributions), and each
 * runbook on that alert runs its steps.  A step's verb (OPERATOR_VERBS) takes its time, then pulls
 * public levers.  Draws are keyed by (incident, stage), so nothing shifts when another incident
 * appears.  At one instant operators act on the last completed sample (rehearsal.md sections 1 and
 * 3).
 */
#pragma once

#include "models/clients/levers.h"
#include "models/observe/expression.h"
#include "sim/arena.h"
#include "sim/kernel.h"
#include "sim/param.h"

#define OPERATOR_VERBS(X)                                                                          \
    X(force_unlink)                                                                                \
    X(note)                                                                                        \
    X(redirect)                                                                                    \
    X(restore_routing)                                                                             \
    X(verify)                                                                                      \
    X(wait)

typedef enum { STEP_DONE, STEP_FAILED, STEP_AGAIN /* ask again at the next sample */ } StepOutcome;

/* What a verb may touch. */
typedef struct {
    const Levers *levers;
    Recording *recording;
    SimTime now_ns;
    SimTime started_ns; /* when the step's own time began */
    char detail[96];    /* a verb may say what it did, for the timeline */
} StepActions;

typedef struct {
    PluginHead head;
    const char *takes; /* default duration as scenario JSON, NULL: none */
    /* The condition it reads while the run goes on; may be NULL, as may be what it returns. */
    const Expression *(*reads)(const void *state);
    /* Checks names and expressions; returns immutable state in arena, NULL with error set. */
    const void *(*resolve)(const void *params, const NameScope *names, const ExpressionScope *scope,
                           const JsonNode *step, Arena *arena, GError **error);
    StepOutcome (*act)(const void *state, StepActions *actions);
} OperatorVerb;

extern const PluginFamily operator_verb_family;

typedef struct {
    const char *id;
    const Expression *when;
    SimTime for_ns, every_ns;
    uint32_t operator_index;
} AlertSpec;

typedef struct {
    const char *id;
    const Dist *ack, *decide, *approve; /* NULL: at once */
    SimTime off_from_ns, off_to_ns;     /* times of day; equal: no off hours */
    double off_factor;
} OperatorSpec;

typedef struct {
    const char *id;
    const OperatorVerb *verb;
    const void *state;
    int32_t after;           /* step index, -1: at the runbook's start */
    const Expression *guard; /* `if`, NULL: always */
    const Dist *takes;       /* NULL: no time */
    bool approval;
    const char *ends; /* label of runbook.duration, NULL: none */
} StepSpec;

typedef enum { RUNBOOK_ON_ALERT, RUNBOOK_ON_FAULT, RUNBOOK_AFTER_FAULT } RunbookTrigger;

typedef struct {
    const char *id;
    RunbookTrigger trigger;
    uint32_t trigger_index; /* of the alert or fault */
    const StepSpec *steps;
    uint32_t step_count;
} RunbookSpec;

typedef struct {
    const AlertSpec *alerts;
    const OperatorSpec *operators;
    const RunbookSpec *runbooks;
    uint32_t alert_count, operator_count, runbook_count;
} OperationsSpec;

/* Tables of the scenario's objects "alerts", "operators", "runbooks", "control_plane". */
typedef struct {
    ParamMap alerts, operators, runbooks;
    const JsonNode *control_plane;
} OperationsParams;

extern const ParamTable alert_table, operator_table, runbook_table;

/* names->alerts and ->faults must be set.  control_plane (may be NULL) replaces the verbs' default
 * durations. */
bool operations_resolve(const OperationsParams *params, const NameScope *names,
                        const ExpressionScope *scope, Arena *arena, OperationsSpec *out,
                        GError **error);

/* Every condition that alerts, guards, waits and checks read live, one call each. */
void operations_each_condition(const OperationsSpec *spec,
                               void (*visit)(void *actor, const Expression *expression),
                               void *actor);

typedef struct Operations Operations;

typedef struct {
    const OperationsSpec *spec;
    const Levers *levers;
    Recording *recording;
    Kernel *kernel;
    uint64_t seed;
    uint32_t source; /* base of its event sources */
    SimTime day_start_ns;
    const char *const *fault_names; /* by fault index, for labels */
    /* Timeline: kind is "alert", "runbook" or "step".  Texts are borrowed for the call. */
    void (*log)(void *actor, SimTime at_ns, const char *kind, const char *subject, const char *what,
                const char *detail);
    void *log_actor;
} OperationsConfig;

Operations *operations_new(const OperationsConfig *config);
void operations_free(Operations *operations);
void operations_start(Operations *operations); /* arms the alerts at t=0 */

/* The world tells of faults, by index, between windows. */
void operations_fault_begins(Operations *operations, uint32_t fault_index, SimTime now_ns);
void operations_fault_ends(Operations *operations, uint32_t fault_index, SimTime now_ns);

void operations_digest(const Operations *operations, Digest *digest);
