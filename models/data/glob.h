/* Patterns of KEYS, SCAN MATCH and PSUBSCRIBE: * ? [a-c] [^a] and a backslash before a literal. */
#pragma once

#include "models/crdt/payload.h"

bool glob_matches(PayloadText pattern, PayloadText text);
