/* Why it works: a case fixes the order of everything, so a store per member, a list of effects per
 * origin and a session per client are the whole world; replies are compared as trees.  Who waits is
 * served by that store's sessions, as at a member with links. */
#include "tools/conform_run.h"

#include <string.h>

#include "models/crdt/causal_order.h"
#include "models/data/command_known.h"
#include "models/data/session.h"
#include "sim/ensure.h"
#include "tools/conform_match.h"

typedef struct {
    Effect effect;
    uint8_t *payload;
} Shipped;

#define CONFORM_WAITS_TEXT "{\"waits\":true}"

typedef struct {
    Store *store;
    GArray *log; /* of Shipped, own effects in order */
} ConformMember;

typedef struct {
    ConformMember members[MEMBER_MAX];
    uint32_t member_count;
    const ConformCase *of;
    GPtrArray *sessions; /* of the case's clients */
    bool is_causal;
    Arena *arena;
    ConformOutcome outcome;
    ConformWatch watch;
    void *user;
} Conform;

static void keep_effect(void *actor, const Effect *effect)
{
    ConformMember *member = actor;
    Shipped shipped = {.effect = *effect};

    shipped.payload = g_memdup2(effect->payload, effect->payload_bytes);
    shipped.effect.payload = shipped.payload;
    g_array_append_val(member->log, shipped);
}

static const StreamIdMode stream_ids[] = {
    [XADD_ID_STRICT] = STREAM_IDS_STRICT,
    [XADD_ID_SEMI_STRICT] = STREAM_IDS_SEMI_STRICT,
    [XADD_ID_LIBERAL] = STREAM_IDS_LIBERAL,
};

static void conform_begin(Conform *conform, const ConformCase *of)
{
    conform->member_count = of->member_count;
    conform->is_causal = of->is_causal;
    conform->arena = arena_new();
    for (uint32_t i = 0; i < conform->member_count; i++) {
        ConformMember *member = &conform->members[i];
        StoreConfig config = {.member_id = i + 1,
                              .member_count = conform->member_count,
                              .stream_ids = stream_ids[of->xadd_id],
                              .is_clustered = of->is_clustered,
                              .sink = {.emit = keep_effect, .actor = member}};

        member->log = g_array_new(FALSE, FALSE, sizeof(Shipped));
        member->store = store_new(&config);
    }
    conform->of = of;
    conform->sessions = g_ptr_array_new_with_free_func((GDestroyNotify)session_free);
    for (uint32_t i = 0; i < of->client_count; i++)
        g_ptr_array_add(conform->sessions,
                        session_new(conform->members[of->clients[i].member - 1].store));
}

static void conform_end(Conform *conform)
{
    g_ptr_array_unref(conform->sessions);
    for (uint32_t i = 0; i < conform->member_count; i++) {
        ConformMember *member = &conform->members[i];

        for (guint k = 0; k < member->log->len; k++)
            g_free(g_array_index(member->log, Shipped, k).payload);
        g_array_free(member->log, TRUE);
        store_free(member->store);
    }
    arena_free(conform->arena);
}

/* false: it was known. */
static bool apply(Store *target, const Effect *effect, WallTime now)
{
    bool news = store_apply(target, effect, now);

    sessions_serve(target, now);
    return news;
}

/* The oldest effects of `from` that `to` lacks. */
static bool hand_over(Conform *conform, uint32_t from, uint32_t to, int64_t most, WallTime now)
{
    const ConformMember *source = &conform->members[from];
    Store *target = conform->members[to].store;
    bool moved = false;

    ensure(source->log && target);
    for (uint64_t seq = store_clock(target)->seq[from + 1]; seq < source->log->len && most-- > 0;
         seq++)
        moved |= apply(target, &g_array_index(source->log, Shipped, seq).effect, now);
    return moved;
}

static const Effect *shipped(const void *log, Dot dot, Effect *room)
{
    (void)room;
    return &g_array_index((const GArray *)log, Shipped, dot_seq(dot) - 1).effect;
}

typedef struct {
    Store *target;
    WallTime now;
    bool moved;
} Exchange;

static void deliver(void *actor, const Effect *effect)
{
    Exchange *exchange = actor;

    exchange->moved |= apply(exchange->target, effect, exchange->now);
}

/* Under causal consistency a member passes on all it knows, and delivery is as between members
 * with links. */
static bool sync_pair_causally(Conform *conform, uint32_t from, uint32_t to, WallTime now)
{
    Exchange exchange = {.target = conform->members[to].store, .now = now};
    const Clock *known = store_clock(conform->members[from].store);
    g_autoptr(CausalOrder) order = causal_order_new();
    CausalLogs logs = {.read = shipped};

    for (uint32_t origin = 1; origin <= conform->member_count; origin++) {
        logs.logs[origin] = conform->members[origin - 1].log;
        (void)causal_order_arrive(order, origin, known->seq[origin]);
    }
    causal_order_deliver(order, &logs, store_clock(exchange.target), deliver, &exchange);
    return exchange.moved;
}

static bool sync_pair(Conform *conform, uint32_t from, uint32_t to, WallTime now)
{
    if (conform->is_causal)
        return sync_pair_causally(conform, from, to, now);
    return hand_over(conform, from, to, INT64_MAX, now);
}

static void step_send(Conform *conform, const ConformStep *step, WallTime now)
{
    uint32_t from = step->sender - 1;
    uint32_t to = (uint32_t)g_bit_nth_lsf(step->sync_members & ~(1u << from), -1);

    if (step->effect_count > 0) {
        hand_over(conform, from, to, step->effect_count, now);
        return;
    }
    store_merge(conform->members[to].store, conform->members[from].store, now);
    sessions_serve(conform->members[to].store, now);
}

/* Again until nothing is missing: whoever is served on the way writes. */
static void step_sync(Conform *conform, const ConformStep *step, WallTime now)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t from = 0; from < conform->member_count; from++)
            for (uint32_t to = 0; to < conform->member_count; to++)
                if (from != to && (step->sync_members & (1u << from)) &&
                    (step->sync_members & (1u << to)))
                    moved |= sync_pair(conform, from, to, now);
    }
}

/* What all have exchanged all know alike (store_digest: now and later). */
static bool members_agree(const Conform *conform)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < conform->member_count; i++) {
        Digest digest = digest_begin();

        store_digest(conform->members[i].store, &digest);
        if (i > 0 && digest.value != first)
            return false;
        first = digest.value;
    }
    return true;
}

static void step_exchange(Conform *conform, const ConformStep *step, WallTime now,
                          ConformSeen *seen)
{
    if (step->sender > 0) {
        step_send(conform, step, now);
        return;
    }
    step_sync(conform, step, now);
    if (step->sync_members != (1u << conform->member_count) - 1 || members_agree(conform))
        return;
    seen->outcome = CONFORM_FAILED;
    seen->expected = "\"all members alike\"";
    seen->got = "\"members differ\"";
}

/* A word that a reader could not tell from its neighbours stands in quotes, as in a shell. */
static void append_word(GString *text, const JsonNode *word)
{
    g_autofree char *quoted = json_to_text(word);

    if (word->text[0] != '\0' && strpbrk(word->text, " \t\r\n\"'") == NULL)
        g_string_append(text, word->text);
    else if (strpbrk(word->text, "\t\r\n'") == NULL)
        g_string_append_printf(text, "'%s'", word->text);
    else
        g_string_append(text, quoted);
}

static char *command_text(const ConformCase *of, const ConformStep *step)
{
    GString *text = g_string_new(NULL);

    if (step->sync_members)
        g_string_append(text, step->sender > 0 ? "send" : "sync");
    else if (of->clients[step->client].name[0])
        g_string_append_printf(text, "%s: ", of->clients[step->client].name);
    if (step->messages)
        g_string_append(text, "(messages)");
    else if (!step->sync_members && !step->words)
        g_string_append(text, "(reply)");
    for (size_t i = 0; step->words && i < step->words->count; i++) {
        g_string_append(text, i > 0 ? " " : "");
        append_word(text, step->words->items[i]);
    }
    return g_string_free(text, FALSE);
}

typedef enum { GOT_REPLY, GOT_NOTHING, GOT_TO_WAIT } Got;

static Got step_command(Conform *conform, const ConformStep *step, WallTime now, Reply *out,
                        char **missing)
{
    Session *session = conform->sessions->pdata[step->client];
    uint32_t count = (uint32_t)step->words->count;
    Arg *words = arena_array(conform->arena, Arg, count);

    if (session_is_waiting(session)) /* it cannot ask anything now */
        return GOT_NOTHING;
    for (uint32_t i = 0; i < count; i++)
        words[i] = (Arg){.kind = ARG_BYTES,
                         .data = step->words->items[i]->text,
                         .bytes = (uint32_t)strlen(step->words->items[i]->text)};
    /* A refusal is an answer; that a command is not there is none, whatever the case expects. */
    if (!command_find_words(words, count) && !command_is_refused(words, count))
        *missing = g_strdup_printf("the program does not have the command \"%s\"", words[0].data);
    return session_execute(session, words, count, now, conform->arena, out) ? GOT_REPLY
                                                                            : GOT_TO_WAIT;
}

/* All that has come for the client since it was last asked, as one list. */
static Got step_messages(Conform *conform, const ConformStep *step, Reply *out)
{
    g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(Reply));
    Reply message;

    while (session_take_message(conform->sessions->pdata[step->client], conform->arena, &message))
        g_array_append_val(messages, message);
    *out = (Reply){.kind = REPLY_ARRAY, .count = messages->len};
    out->items = arena_array(conform->arena, Reply, messages->len + 1);
    for (guint i = 0; i < messages->len; i++)
        out->items[i] = g_array_index(messages, Reply, i);
    return GOT_REPLY;
}

static Got step_late(Conform *conform, const ConformStep *step, Reply *out)
{
    Session *session = conform->sessions->pdata[step->client];

    if (session_is_waiting(session))
        return GOT_TO_WAIT;
    return session_take_late(session, out) ? GOT_REPLY : GOT_NOTHING;
}

static char *got_text(Got got, const ConformStep *step, const Reply *reply)
{
    if (got == GOT_REPLY)
        return conform_reply_text(reply);
    if (got == GOT_TO_WAIT)
        return g_strdup(CONFORM_WAITS_TEXT);
    return g_strdup(step->words ? "no turn: it waits for a reply" : "nothing");
}

static char *expected_text(const ConformStep *step)
{
    if (step->waits)
        return g_strdup(CONFORM_WAITS_TEXT);
    return conform_expected_text(step->messages ? step->messages : step->reply);
}

static bool is_expected(Got got, const ConformStep *step, const Reply *reply)
{
    if (got == GOT_REPLY)
        return !step->waits &&
               conform_reply_matches(reply, step->messages ? step->messages : step->reply);
    return got == GOT_TO_WAIT && (step->waits || !step->reply);
}

static void tell(Conform *conform, const ConformSeen *seen)
{
    conform->outcome = MAX(conform->outcome, seen->outcome);
    if (conform->watch)
        conform->watch(conform->user, seen);
}

static Got step_client(Conform *conform, const ConformStep *step, WallTime now, Reply *out,
                       char **missing)
{
    if (step->messages)
        return step_messages(conform, step, out);
    return step->words ? step_command(conform, step, now, out, missing)
                       : step_late(conform, step, out);
}

static void step_run(Conform *conform, const ConformStep *step)
{
    WallTime now = {step->at_s * 1000};
    g_autofree char *command = command_text(conform->of, step);
    g_autofree char *expected = NULL, *got = NULL, *missing = NULL;
    ConformSeen seen = {.step = step, .command = command, .expected = "", .got = "", .missing = ""};
    Reply reply;
    Got result;

    for (uint32_t i = 0; i < conform->member_count; i++) {
        store_expire_due(conform->members[i].store, now);
        sessions_serve(conform->members[i].store, now);
    }
    if (step->sync_members) {
        step_exchange(conform, step, now, &seen);
        tell(conform, &seen);
        return;
    }
    result = step_client(conform, step, now, &reply, &missing);
    expected = expected_text(step);
    got = got_text(result, step, &reply);
    seen.expected = expected;
    seen.got = got;
    seen.missing = missing ? missing : "";
    if (missing)
        seen.outcome = CONFORM_UNSUPPORTED;
    else if (!is_expected(result, step, &reply))
        seen.outcome = CONFORM_FAILED;
    tell(conform, &seen);
}

ConformOutcome conform_case_run(const ConformCase *of, ConformWatch watch, void *user)
{
    Conform conform = {.watch = watch, .user = user};

    conform_begin(&conform, of);
    for (uint32_t i = 0; i < of->step_count; i++)
        step_run(&conform, &of->steps[i]);
    conform_end(&conform);
    return conform.outcome;
}
