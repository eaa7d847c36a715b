/* Judges a scenario's expectations over the runs of one call. */
#pragma once

#include "tools/run_plan.h"

typedef struct {
    const Expectation *expectation;
    Verdict verdict;
    char *seeds; /* that it pools */
} Judgement;

/* One for each expectation, in document order; free with judgements_free. */
GArray *judge(const RunPlan *plan);
void judgements_free(GArray *judgements);

/* Whether it makes the program end with 1: a must that failed, had no data, or does not follow from
 * this slice.  strict: also one that could not be evaluated. */
bool judgement_fails(const Judgement *judgement, bool strict);
