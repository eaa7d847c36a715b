/* The list of fault kinds; adding one is one line in FAULTS and one file. */
#include "models/faults/fault.h"

#define FAULT_DECLARE(kind) extern const FaultKind fault_##kind;
FAULTS(FAULT_DECLARE)

#define FAULT_RECORD(kind) &fault_##kind.head,
static const PluginHead *const records[] = {FAULTS(FAULT_RECORD)};

const PluginFamily fault_family = {
    .name = "faults",
    .noun = "fault",
    .summary = "what goes wrong, and for how long",
    .form = PLUGIN_VERB,
    .records = records,
    .count = G_N_ELEMENTS(records),
};

const Fault *fault_next(const FaultsInForce *all, const FaultKind *kind, uint32_t *index)
{
    while (*index < all->count) {
        uint32_t at = (*index)++;

        if (all->lasts[at] && all->faults[at].kind == kind)
            return &all->faults[at];
    }
    return NULL;
}
