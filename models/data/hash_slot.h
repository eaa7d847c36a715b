/* The hash slot of a key: which of the 16384 parts of a clustered database it lies in.
 *
 * The rule is that of the Redis cluster specification ("Key distribution model", "Hash tags"),
 * which the standard hashing policy of Redis Enterprise shares (redis/docs
 * operate/rs/databases/durability-ha/clustering.md).  Custom hashing policies are not modelled.
 */
#pragma once

#include <stdint.h>

#include "models/crdt/payload.h"

#define HASH_SLOT_COUNT 16384
#define HASH_SLOT_NONE  (-1) /* where a slot may be missing */

uint16_t crc16_xmodem(const char *data, uint32_t size); /* polynomial 0x1021, begins with 0 */

/* 0 .. HASH_SLOT_COUNT - 1; key has its bytes. */
int hash_slot_of(PayloadText key);
