/* A client's connection to one member: what its commands need beyond the store.
 *
 * MULTI queues, EXEC runs the queue at one instant and DISCARD drops it; WATCH makes EXEC do
 * nothing when one of the keys was changed meanwhile, by whomever: effects of other members count
 * like local writes (they are applied between commands, never inside one).  A transaction is atomic
 * at the member it runs at; its effects reach the others one by one.
 *
 * SUBSCRIBE and its kin make it listen to channels of its member (models/data/pubsub.h): messages
 * published at any member then wait here.  As over RESP2, a session that listens may ask for little
 * else.
 */
#pragma once

#include "models/data/store.h"

typedef struct Session Session;

/* Borrows store. */
Session *session_new(Store *store);
void session_free(Session *session);

/* words[0] is the command's name; all words are bytes.  As store_execute, and unknown commands,
 * wrong arity and the commands of transactions get their replies too.  arena is needed. */
void session_execute(Session *session, const Arg *words, uint32_t count, WallTime now, Arena *arena,
                     Reply *out);

/* Takes the oldest message that waits; false: none does.  A client sees what waits before a command
 * before that command's reply. */
bool session_take_message(Session *session, Arena *arena, Reply *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)
