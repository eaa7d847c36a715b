/* Why it works: between MULTI and EXEC nothing runs, so a queue of copied words is all the state a
 * transaction has; whether a watched key changed is noted by the store where every change passes.
 * A subscriber of the store's channels is all that subscriptions need.  Waiters are served after
 * the whole command or transaction, when nothing is half done.
 *
 * Simplified: what a transaction publishes to its own connection waits until EXEC has replied;
 * redis-server writes it into the middle of that reply.
 */
#include "models/data/session.h"

#include <string.h>

#include "models/data/command_keys.h"
#include "models/data/command_known.h"
#include "models/data/command_run.h"
#include "sim/ensure.h"

#define ERROR_NESTED        "ERR MULTI calls can not be nested"
#define ERROR_EXEC_ALONE    "ERR EXEC without MULTI"
#define ERROR_DISCARD_ALONE "ERR DISCARD without MULTI"
#define ERROR_WATCH_INSIDE  "ERR WATCH inside MULTI is not allowed"
#define ERROR_LISTENING                                                                            \
    "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "    \
    "allowed"                                                                                      \
    " in this context"
#define ERROR_ABORTED "EXECABORT Transaction discarded because of previous errors."

typedef struct {
    Arg *words; /* their bytes are owned */
    uint32_t count;
} Queued;

struct Session {
    Store *store;
    GPtrArray *queue;   /* of Queued; NULL outside a transaction */
    GPtrArray *watches; /* of StoreWatch */
    Subscriber *subscriber;
    Waiter *waiter;    /* of the command that blocks; NULL: none */
    Arena *late_arena; /* of its reply; made when first needed */
    Reply late;
    bool has_late;
    int slot;       /* of a clustered member: of the keys that are watched and queued */
    bool is_broken; /* a command could not be queued: EXEC will refuse */
};

static void queued_free(void *item)
{
    Queued *queued = item;

    for (uint32_t i = 0; i < queued->count; i++)
        g_free((char *)queued->words[i].data);
    g_free(queued->words);
    g_free(queued);
}

static Queued *queued_new(const Arg *words, uint32_t count)
{
    Queued *queued = g_new(Queued, 1);

    *queued = (Queued){g_new(Arg, count), count};
    for (uint32_t i = 0; i < count; i++) {
        queued->words[i] = words[i];
        queued->words[i].data = g_memdup2(words[i].data, words[i].bytes);
    }
    return queued;
}

Session *session_new(Store *store)
{
    Session *session = g_new0(Session, 1);

    session->store = store;
    session->slot = HASH_SLOT_NONE;
    session->watches = g_ptr_array_new();
    session->subscriber = subscriber_new(store_pubsub(store));
    return session;
}

static void unwatch(Session *session)
{
    for (guint i = 0; i < session->watches->len; i++)
        store_watch_end(session->store, session->watches->pdata[i]);
    g_ptr_array_set_size(session->watches, 0);
    session->slot = HASH_SLOT_NONE;
}

static void transaction_end(Session *session)
{
    if (session->queue)
        g_ptr_array_unref(session->queue);
    session->queue = NULL;
    session->is_broken = false;
    unwatch(session);
}

void session_free(Session *session)
{
    if (!session)
        return;
    if (session->waiter)
        waiter_end(session->store, session->waiter);
    transaction_end(session);
    subscriber_free(session->subscriber);
    g_ptr_array_unref(session->watches);
    arena_free(session->late_arena);
    g_free(session);
}

static void reply_error(Reply *out, const char *text)
{
    *out = (Reply){.kind = REPLY_ERROR, .text = text, .bytes = strlen(text)};
}

static void reply_status(Reply *out, const char *text)
{
    *out = (Reply){.kind = REPLY_STATUS, .text = text, .bytes = strlen(text)};
}

/* What running the command would say of its arity. */
static bool check_arity(Session *session, const CommandSpec *spec, const Arg *words, uint32_t count,
                        Arena *arena, Reply *out)
{
    Command command = {.spec = spec, .args = words + 1, .count = count - 1};
    CommandRun run = {.store = session->store, .command = &command, .arena = arena, .reply = out};

    return run_check_arity(&run);
}

/* As store_execute_or_wait, for a command that may be about the connection. */
static Waiter *run_command(Session *session, const Command *command, WallTime now, Arena *arena,
                           Reply *out, const WaiterClient *client)
{
    CommandRun run = {.store = session->store,
                      .command = command,
                      .now = now,
                      .arena = arena,
                      .reply = out,
                      .client = client,
                      .subscriber = session->subscriber,
                      .in_transaction = session->queue != NULL};

    return run_execute(&run);
}

static void exec(Session *session, WallTime now, Arena *arena, Reply *out)
{
    GPtrArray *queue = session->queue;
    bool changed = false;

    for (guint i = 0; i < session->watches->len; i++)
        changed |= store_watch_changed(session->store, session->watches->pdata[i], now);
    if (session->is_broken) {
        reply_error(out, ERROR_ABORTED);
    } else if (changed) {
        *out = (Reply){.kind = REPLY_NIL};
    } else {
        *out = (Reply){.kind = REPLY_ARRAY, .count = queue->len};
        out->items = arena_array(arena, Reply, queue->len + 1);
        for (guint i = 0; i < queue->len; i++) {
            const Queued *queued = queue->pdata[i];
            Command command = {.spec = command_find_words(queued->words, queued->count),
                               .args = queued->words + 1,
                               .count = queued->count - 1};

            run_command(session, &command, now, arena, &out->items[i], NULL);
            out->bytes += out->items[i].bytes;
        }
    }
    transaction_end(session);
}

static void watch(Session *session, const Arg *words, uint32_t count, WallTime now, Reply *out)
{
    for (uint32_t i = 1; i < count; i++)
        g_ptr_array_add(
            session->watches,
            store_watch_begin(session->store, (PayloadText){words[i].data, words[i].bytes}, now));
    reply_status(out, "OK");
}

typedef enum { WORD_MULTI, WORD_EXEC, WORD_DISCARD, WORD_WATCH, WORD_UNWATCH, WORD_OTHER } Word;

static Word word_of(const Arg *name)
{
    static const char *const names[] = {"MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"};

    for (uint32_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (arg_is(name, names[i]))
            return (Word)i;
    return WORD_OTHER;
}

/* The commands of transactions that act at once; false: it is another command. */
static bool execute_word(Session *session, Word word, WallTime now, Arena *arena, Reply *out)
{
    switch (word) {
    case WORD_MULTI:
        if (session->queue) {
            reply_error(out, ERROR_NESTED);
            return true;
        }
        session->queue = g_ptr_array_new_with_free_func(queued_free);
        reply_status(out, "OK");
        return true;
    case WORD_EXEC:
        if (session->queue)
            exec(session, now, arena, out);
        else
            reply_error(out, ERROR_EXEC_ALONE);
        return true;
    case WORD_DISCARD:
        if (!session->queue) {
            reply_error(out, ERROR_DISCARD_ALONE);
            return true;
        }
        transaction_end(session);
        reply_status(out, "OK");
        return true;
    case WORD_UNWATCH:
        if (session->queue)
            return false;
        unwatch(session);
        reply_status(out, "OK");
        return true;
    case WORD_WATCH:
    case WORD_OTHER:
        break;
    }
    return false;
}

/* What a connection that listens may still ask (RESP2). */
static bool is_allowed_listening(const Arg *name)
{
    static const char *const names[] = {"SUBSCRIBE",  "UNSUBSCRIBE",  "PSUBSCRIBE", "PUNSUBSCRIBE",
                                        "SSUBSCRIBE", "SUNSUBSCRIBE", "PING"};

    for (uint32_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (arg_is(name, names[i]))
            return true;
    return false;
}

/* A command that may not even be queued: EXEC will refuse the transaction.  EXEC itself, asked
 * wrongly, ends it and says why. */
static void reject(Session *session, const Arg *name, Arena *arena, Reply *out)
{
    if (!arg_is(name, "EXEC")) {
        session->is_broken |= session->queue != NULL;
        return;
    }
    transaction_end(session);
    reply_error(out, arena_printf(arena, "EXECABORT Transaction discarded because of: %s",
                                  out->text + strlen("ERR ")));
}

/* On a clustered member all that is watched and queued must share one slot, MGET and its kin too
 * (redis/docs operate/rs/databases/durability-ha/clustering.md, "Transactions"). */
static bool fits_transaction(Session *session, const CommandSpec *spec, const Arg *words,
                             uint32_t count)
{
    Command command = {.spec = spec, .args = words + 1, .count = count - 1};
    bool is_watch = word_of(&words[0]) == WORD_WATCH;

    if (!session->store->config.is_clustered)
        return true;
    if (is_watch == (session->queue != NULL))
        return true; /* no part of a transaction, or an error in itself */
    return command_keys_share_slot(&command, &session->slot);
}

/* Whether the words can be run or queued now; false: the error is the reply. */
static bool check(Session *session, const Arg *words, uint32_t count, Arena *arena, Reply *out)
{
    const CommandSpec *spec = command_find_words(words, count);

    if (!spec)
        command_reply_unfound(words, count, arena, out);
    else if (!check_arity(session, spec, words, count, arena, out))
        return false;
    else if (subscriber_is_listening(session->subscriber) && !is_allowed_listening(&words[0]))
        reply_error(out, arena_printf(arena, ERROR_LISTENING, command_known_name(words, count)));
    else if (!fits_transaction(session, spec, words, count))
        reply_error(out, ERROR_CROSS_SLOT);
    else
        return true;
    return false;
}

static void hear_late(Session *session, const Reply *reply)
{
    session->waiter = NULL;
    session->late = *reply;
    session->has_late = true;
}

void sessions_serve(Store *store, WallTime now)
{
    Session *session;
    Reply reply;

    while ((session = store_serve_next(store, now, &reply)) != NULL)
        hear_late(session, &reply);
    while ((session = store_time_out_next(store, now, &reply)) != NULL)
        hear_late(session, &reply);
}

bool session_is_waiting(const Session *session)
{
    return session->waiter != NULL;
}

bool session_take_late(Session *session, Reply *out)
{
    if (!session->has_late)
        return false;
    *out = session->late;
    session->has_late = false;
    return true;
}

static void execute_or_wait(Session *session, const Command *command, WallTime now, Arena *arena,
                            Reply *out)
{
    WaiterClient client = {.owner = session};

    if (session->late_arena && arena_bytes(session->late_arena) > 0)
        g_clear_pointer(&session->late_arena, arena_free);
    if (!session->late_arena)
        session->late_arena = arena_new();
    client.arena = session->late_arena;
    session->has_late = false;
    session->waiter = run_command(session, command, now, arena, out, &client);
}

/* What is no matter of transactions. */
static void execute_command(Session *session, const Arg *words, uint32_t count, WallTime now,
                            Arena *arena, Reply *out)
{
    Command command = {
        .spec = command_find_words(words, count), .args = words + 1, .count = count - 1};

    if (session->queue) {
        g_ptr_array_add(session->queue, queued_new(words, count));
        reply_status(out, "QUEUED");
    } else {
        execute_or_wait(session, &command, now, arena, out);
    }
}

bool session_execute(Session *session, const Arg *words, uint32_t count, WallTime now, Arena *arena,
                     Reply *out)
{
    Word word = word_of(&words[0]);
    bool waits;

    ensure(!session->waiter);
    if (!check(session, words, count, arena, out)) {
        reject(session, &words[0], arena, out);
        return true;
    }
    if (word == WORD_WATCH && session->queue)
        reply_error(out, ERROR_WATCH_INSIDE);
    else if (word == WORD_WATCH)
        watch(session, words, count, now, out);
    else if (!execute_word(session, word, now, arena, out))
        execute_command(session, words, count, now, arena, out);
    waits = session->waiter != NULL;
    sessions_serve(session->store, now);
    return !waits;
}

bool session_take_message(Session *session, Arena *arena, Reply *out)
{
    return subscriber_take(session->subscriber, arena, out);
}
