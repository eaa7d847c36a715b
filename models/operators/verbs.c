/* The list of operator verbs; adding one is one line in OPERATOR_VERBS and one file. */
#include "models/operators/operators.h"

#define VERB_DECLARE(verb) extern const OperatorVerb operator_verb_##verb;
OPERATOR_VERBS(VERB_DECLARE)

#define VERB_RECORD(verb) &operator_verb_##verb.head,
static const PluginHead *const records[] = {OPERATOR_VERBS(VERB_RECORD)};

const PluginFamily operator_verb_family = {
    .name = "verbs",
    .noun = "operator verb",
    .summary = "what a runbook's step can do",
    .form = PLUGIN_INLINE,
    .kind_key = "do",
    .records = records,
    .count = G_N_ELEMENTS(records),
};
