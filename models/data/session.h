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
 *
 * A command that blocks (models/data/waiter.h) leaves the session waiting for its reply, which
 * comes when another session's command, an effect of another member or the time brings it.
 */
#pragma once

#include "models/data/waiter.h"

typedef struct Session Session;

/* Borrows store, whose waiters must all be sessions.  One that is freed while it waits is never
 * served, as when a connection closes. */
Session *session_new(Store *store);
void session_free(Session *session);

/* words[0] is the command's name; all words are bytes.  As store_execute, and unknown commands,
 * wrong arity and the commands of transactions get their replies too.  arena is needed.  Then all
 * sessions that wait for what this changed are served.  false: the command blocks and out has no
 * meaning.  Not for a session that is waiting already. */
bool session_execute(Session *session, const Arg *words, uint32_t count, WallTime now, Arena *arena,
                     Reply *out);
bool session_is_waiting(const Session *session);
/* The reply that came since the session began to wait; its texts live until the session's next
 * command.  false: none came, or it was taken. */
bool session_take_late(Session *session, Reply *out);

/* After anything but a session changed store (an effect of another member, a deadline), and when
 * store_next_timeout has come: every session that waits and can be served, or has waited long
 * enough, gets its reply. */
void sessions_serve(Store *store, WallTime now);

/* Takes the oldest message that waits; false: none does.  A client sees what waits before a command
 * before that command's reply. */
bool session_take_message(Session *session, Arena *arena, Reply *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)
