/* Channels of one member: who listens to them, and the messages that wait for each listener.
 *
 * A subscriber is one connection.  Messages are delivered by name to the subscribers of a channel,
 * in the order of their subscriptions, and then to those of every pattern that the name matches;
 * a connection with both gets both.  Shard channels have names of their own and no patterns.
 * Nothing here is replicated, kept or counted as data: a message that nobody listens to is gone.
 * What waits is bounded by whoever takes it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/crdt/payload.h"
#include "models/data/reply.h"

typedef enum { PUBSUB_CHANNEL, PUBSUB_PATTERN, PUBSUB_SHARD_CHANNEL, PUBSUB_KINDS } PubsubKind;

typedef struct Pubsub Pubsub;
typedef struct Subscriber Subscriber;

Pubsub *pubsub_new(void);
void pubsub_free(Pubsub *pubsub); /* every subscriber is freed before */

/* Borrows pubsub.  Freeing ends the subscriptions and drops what waits. */
Subscriber *subscriber_new(Pubsub *pubsub);
void subscriber_free(Subscriber *subscriber);

/* name is copied.  What is there already, or is not, stays as it is. */
void subscriber_add(Subscriber *subscriber, PubsubKind kind, PayloadText name);
void subscriber_remove(Subscriber *subscriber, PubsubKind kind, PayloadText name);

/* The earliest subscription of the kind, borrowed until it is removed; false: there is none. */
bool subscriber_first(const Subscriber *subscriber, PubsubKind kind, PayloadText *out);
uint32_t subscriber_count(const Subscriber *subscriber, PubsubKind kind);
bool subscriber_is_listening(const Subscriber *subscriber); /* to anything */

/* Takes the oldest message that waits, as a client sees it: "message", channel, text, or "pmessage"
 * with the pattern before the channel.  false: none waits. */
bool subscriber_take(Subscriber *subscriber, Arena *arena, Reply *out);

/* Delivers text (data NULL: synthetic bytes) to channel, of kind PUBSUB_CHANNEL or
 * PUBSUB_SHARD_CHANNEL.  How many subscriptions took it. */
uint32_t pubsub_deliver(Pubsub *pubsub, PubsubKind kind, PayloadText channel, PayloadText text);

/* As glob_matches, but that Redis's short cut for "*" is one of keys: it matches no channel without
 * a name. */
bool pubsub_matches(PayloadText pattern, PayloadText channel);

uint32_t pubsub_count(const Pubsub *pubsub, PubsubKind kind); /* names with subscribers */
uint32_t pubsub_subscriber_count(const Pubsub *pubsub, PubsubKind kind, PayloadText name);

/* Names with subscribers, in the order in which they got one; *cursor starts as NULL. */
bool pubsub_next(const Pubsub *pubsub, PubsubKind kind, const GList **cursor, PayloadText *out);
