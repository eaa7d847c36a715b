/* Expectations, alerts, guards and aborts as expressions (grammar: rehearsal.md 3.2).
 *
 * Parsed once at load, where metrics, labels and units are checked; evaluated over recordings.  An
 * expectation looks at its phase, pooled over the runs of its variant; an alert looks at the last
 * completed ten seconds of its own run (sum and count: from t=0).
 */
#pragma once

#include "models/observe/recording.h"
#include "sim/arena.h"
#include "sim/json_read.h"

typedef struct Expression Expression;

/* Positions in errors count characters of the text as it stands after "$param" was replaced, from
 * the place where the scenario file holds the value. */

/* Names a scenario declares, for checking labels at load: each a NULL-terminated list, or NULL for
 * unchecked. */
typedef struct {
#define SCOPE_FIELD(name) const char *const *name;
    LABELS(SCOPE_FIELD)
#undef SCOPE_FIELD
    const char *const *variant;
    const char *const *phase;
    const char *const *uncounted; /* families whose overwritten writes nobody counts; NULL: none */
} ExpressionScope;

/* A condition ("max(memory.used_pct) <= 75%").  The error points into node's text.  Lives in arena.
 */
const Expression *expression_parse(const JsonNode *node, const ExpressionScope *scope, Arena *arena,
                                   GError **error);
/* A bare quantity expression without comparison (a runbook's note prints one). */
const Expression *expression_parse_value(const JsonNode *node, const ExpressionScope *scope,
                                         Arena *arena, GError **error);

/* Metrics it reads, so that a world can arm what only some runs need; returns how many were put
 * into out. */
uint32_t expression_metrics(const Expression *expression, const Metric **out, uint32_t max);
/* Variants it names besides its own, for deciding what must run; same form. */
uint32_t expression_variants(const Expression *expression, const char **out, uint32_t max);
/* The first metric it reads that nothing supplies yet, NULL: none.  Judging gives
 * VERDICT_NOT_EVALUATED. */
const Metric *expression_unmeasured(const Expression *expression);

typedef enum { VERDICT_PASS, VERDICT_FAIL, VERDICT_NO_DATA, VERDICT_NOT_EVALUATED } VerdictKind;

const char *verdict_kind_name(VerdictKind kind); /* "pass", "fail", "no data", "not evaluated" */

typedef struct {
    VerdictKind kind;
    Quantity left, right;       /* the compared values, for the report; left is what was measured */
    double left_low, left_high; /* 95 % interval under a slice, equal to left otherwise */
    bool left_is_share, one_draw; /* one_draw: rests on a single sample */
    bool not_from_slice;          /* the interval's half-width exceeds 25 % of the value */
    double zero_bound;            /* under a slice a measured 0: upper bound 3/share, else 0 */
    char measured[64];            /* left as a person reads it, with its unit */
    char limit[64];               /* with its comparison: "<= 75%", "within 5% of 180 ms" */
    char note[160]; /* e.g. "0 seen, upper bound 192", "no data: nothing was measured", which side
                       or seed failed */
} Verdict;

/* The runs that an expectation can see: recordings of each variant ("" is the base) that ran. */
typedef struct {
    const char *variant;
    const Recording *const *recordings; /* one per seed */
    uint32_t count;
} VariantRuns;

typedef struct {
    const VariantRuns *variants;
    uint32_t variant_count;
    const char *variant; /* the expectation's own, "" for the base */
    const char *phase;
} ExpectationContext;

/* Quantiles, mean, max and min pool the runs; sum, count, rate, first and last are taken run by
 * run, the comparison must hold in each, and the verdict shows the worst.  An expression that names
 * another variant uses the base's interval of the phase everywhere. */
void expression_judge(const Expression *expression, const ExpectationContext *context,
                      Verdict *out);

/* For alerts, guards, waits, aborts: over the run so far.  No sample at all: false.  Samples need
 * recording_watch for each metric of expression_metrics, before the run. */
bool expression_holds_now(const Expression *expression, const Recording *recording);
/* For notes: the value now, as text with its unit into buffer. */
void expression_print_now(const Expression *expression, const Recording *recording, char *buffer,
                          size_t size);
