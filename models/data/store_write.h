/* Local writes: each makes one effect, applies it here and hands it to the sink. */
#pragma once

#include "models/data/store_private.h"

typedef struct {
    EffectOp op;
    int type;
    ElementRef element;     /* with elements */
    uint32_t element_count; /* declared keys: from element.index on; 0 means 1 */
    Value value;            /* ASSIGN, EDIT */
    PayloadText edit;       /* EDIT: the type's own bytes */
    Decimal amount;         /* INCREMENT */
    int64_t deadline_ms;    /* ASSIGN, ADD, EDIT: 0 leaves it alone; EXPIRE: the new one;
                               DEADLINE_NONE: none */
    WallTime now;
} LocalWrite;

void store_write(Store *store, Key *key, const LocalWrite *write);
void store_delete(Store *store, Key *key,
                  WallTime now); /* nothing happens to a key that does not exist */

/* A message of now to channel, of kind PUBSUB_CHANNEL or PUBSUB_SHARD_CHANNEL: heard here at once
 * and by the other members as its effect reaches them.  How many subscriptions here took it. */
typedef struct {
    PubsubKind kind;
    PayloadText channel;
    PayloadText text; /* data NULL: synthetic */
    WallTime now;
} Publication;

uint32_t store_publish(Store *store, const Publication *publication);

/* What the ttl of a declared family gives from now. */
int64_t store_family_deadline_ms(const Store *store, const Key *key, WallTime now);
