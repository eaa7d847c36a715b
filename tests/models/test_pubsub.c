/* Stories of channels: members that exchange effects, clients that listen and publish. */
#include "tests/effect_tape.h"
#include "tests/test.h"

#include <string.h>

#include "models/data/session.h"
#include "sim/rng.h"

#define MEMBERS 3
#define CLIENTS 3 /* of each member */

typedef struct {
    Store *store;
    Session *clients[CLIENTS];
    EffectTape *tape;
} Member;

typedef struct {
    Member members[MEMBERS + 1]; /* by id */
    Arena *arena;
} Fixture;

static void begin(Fixture *f)
{
    *f = (Fixture){.arena = arena_new()};
    for (uint32_t id = 1; id <= MEMBERS; id++) {
        Member *member = &f->members[id];

        member->tape = effect_tape_new();
        member->store = store_new(&(StoreConfig){
            .member_id = id, .member_count = MEMBERS, .sink = effect_tape_sink(member->tape)});
        for (uint32_t i = 0; i < CLIENTS; i++)
            member->clients[i] = session_new(member->store);
    }
}

static void end(Fixture *f)
{
    for (uint32_t id = 1; id <= MEMBERS; id++) {
        for (uint32_t i = 0; i < CLIENTS; i++)
            session_free(f->members[id].clients[i]);
        store_free(f->members[id].store);
        effect_tape_free(f->members[id].tape);
    }
    arena_free(f->arena);
}

static Reply ask(Fixture *f, Session *client, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Arg args[16];
    uint32_t count = 0;
    Reply reply;

    for (; words[count]; count++)
        args[count] =
            (Arg){.kind = ARG_BYTES, .data = words[count], .bytes = (uint32_t)strlen(words[count])};
    session_execute(client, args, count, (WallTime){1000}, f->arena, &reply);
    return reply;
}

static void append(GString *text, const Reply *reply)
{
    if (reply->kind == REPLY_INTEGER)
        g_string_append_printf(text, "%d", (int)reply->integer);
    else if (reply->kind == REPLY_NIL)
        g_string_append(text, "nil");
    else if (reply->kind == REPLY_ARRAY || reply->kind == REPLY_SEVERAL)
        for (uint32_t i = 0; i < reply->count; i++) {
            g_string_append(text, i == 0 ? "" : reply->kind == REPLY_SEVERAL ? ", " : " ");
            append(text, &reply->items[i]);
        }
    else
        g_string_append_len(text, reply->text, (gssize)reply->bytes);
}

static void expect(Fixture *f, Session *client, const char *line, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Reply reply = ask(f, client, line);

    append(text, &reply);
    EXPECT_TEXT(text->str, expected);
}

/* Everything that waits, oldest first. */
static void expect_messages(Fixture *f, Session *client, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Reply message;

    while (session_take_message(client, f->arena, &message)) {
        g_string_append(text, text->len > 0 ? ", " : "");
        append(text, &message);
    }
    EXPECT_TEXT(text->str, expected);
}

/* to learns the next effect of from that it lacks; false: it has all. */
static bool deliver(Fixture *f, uint32_t from, uint32_t to)
{
    return effect_tape_play(f->members[from].tape, f->members[to].store, (WallTime){1000});
}

static void exchange(Fixture *f)
{
    for (uint32_t from = 1; from <= MEMBERS; from++)
        for (uint32_t to = 1; to <= MEMBERS; to++)
            while (from != to && deliver(f, from, to))
                ;
}

static uint64_t digest_of(const Store *store)
{
    Digest digest = digest_begin();

    store_digest(store, &digest);
    return digest.value;
}

static void test_pubsub_a_message_reaches_who_listens_at_every_member_once(void)
{
    Fixture f;
    Session *here, *there;

    begin(&f);
    here = f.members[1].clients[0];
    there = f.members[2].clients[0];
    expect(&f, here, "SUBSCRIBE news", "subscribe news 1");
    expect(&f, there, "SUBSCRIBE news", "subscribe news 1");
    expect(&f, f.members[1].clients[1], "PUBLISH news one", "1"); /* those at this member */
    expect(&f, f.members[1].clients[1], "PUBLISH other zero", "0");
    expect(&f, f.members[1].clients[1], "PUBLISH news two", "1");
    expect_messages(&f, here, "message news one, message news two");
    expect_messages(&f, there, "");
    exchange(&f);
    expect_messages(&f, there, "message news one, message news two");
    EXPECT(
        !store_apply(f.members[2].store, effect_tape_at(f.members[1].tape, 1), (WallTime){1000}));
    expect_messages(&f, there, "");
    expect_messages(&f, here, "");
    end(&f);
}

static void test_pubsub_patterns_come_after_channels_and_in_order_of_age(void)
{
    Fixture f;
    Session *client, *other, *publisher;

    begin(&f);
    client = f.members[1].clients[0];
    other = f.members[1].clients[1];
    publisher = f.members[1].clients[2];
    ask(&f, client, "PSUBSCRIBE n[a-f]* *s");
    ask(&f, client, "SUBSCRIBE news");
    ask(&f, other, "PSUBSCRIBE *s old*");
    expect(&f, publisher, "PUBLISH news x", "4"); /* a connection may take it several times */
    expect(&f, publisher, "PUBLISH old y", "1");
    expect_messages(&f, client, "message news x, pmessage n[a-f]* news x, pmessage *s news x");
    expect_messages(&f, other, "pmessage *s news x, pmessage old* old y");
    end(&f);
}

static void test_pubsub_each_name_is_confirmed_with_what_is_left(void)
{
    Fixture f;
    Session *client;

    begin(&f);
    client = f.members[1].clients[0];
    expect(&f, client, "UNSUBSCRIBE", "unsubscribe nil 0");
    expect(&f, client, "SUBSCRIBE a b a", "subscribe a 1, subscribe b 2, subscribe a 2");
    expect(&f, client, "PSUBSCRIBE a", "psubscribe a 3"); /* counted with the channels */
    expect(&f, client, "SSUBSCRIBE a", "ssubscribe a 1"); /* counted on their own */
    expect(&f, client, "UNSUBSCRIBE c", "unsubscribe c 3");
    expect(&f, client, "UNSUBSCRIBE", "unsubscribe a 2, unsubscribe b 1");
    expect(&f, client, "PUNSUBSCRIBE", "punsubscribe a 0");
    expect(&f, client, "SUNSUBSCRIBE a", "sunsubscribe a 0");
    expect(&f, client, "SUBSCRIBE", "ERR wrong number of arguments for 'subscribe' command");
    end(&f);
}

#define ONLY                                                                                       \
    ": only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"

static void test_pubsub_who_listens_may_ask_for_little_else(void)
{
    Fixture f;
    Session *client;

    begin(&f);
    client = f.members[1].clients[0];
    expect(&f, client, "PING", "PONG");
    ask(&f, client, "SSUBSCRIBE a");
    expect(&f, client, "PING", "pong ");
    expect(&f, client, "PING x", "pong x");
    expect(&f, client, "Get k", "ERR Can't execute 'get'" ONLY);
    expect(&f, client, "PUBLISH a x", "ERR Can't execute 'publish'" ONLY);
    expect(&f, client, "PUBSUB NUMPAT", "ERR Can't execute 'pubsub|numpat'" ONLY);
    expect(&f, client, "MULTI", "ERR Can't execute 'multi'" ONLY);
    expect(&f, client, "EXEC",
           "EXECABORT Transaction discarded because of: Can't execute 'exec'" ONLY);
    expect(&f, client, "GET", "ERR wrong number of arguments for 'get' command");
    ask(&f, client, "SUNSUBSCRIBE");
    expect(&f, client, "GET k", "nil");
    end(&f);
}

static void test_pubsub_a_transaction_may_publish_and_subscribe(void)
{
    Fixture f;
    Session *client, *other;

    begin(&f);
    client = f.members[1].clients[0];
    other = f.members[1].clients[1];
    ask(&f, other, "SUBSCRIBE c");
    ask(&f, client, "MULTI");
    expect(&f, client, "PUBLISH c before", "QUEUED");
    ask(&f, client, "SUBSCRIBE c d");
    ask(&f, client, "PUBLISH c after");
    ask(&f, client, "SSUBSCRIBE c");
    ask(&f, client, "GET k");
    expect_messages(&f, other, "");
    expect(&f, client, "EXEC",
           "1 subscribe c 1, subscribe d 2 2 ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING "
           "client nil");
    expect_messages(&f, other, "message c before, message c after");
    expect_messages(&f, client, "message c after");
    expect(&f, client, "GET k", "ERR Can't execute 'get'" ONLY);
    end(&f);
}

static void test_pubsub_shard_channels_have_names_of_their_own(void)
{
    Fixture f;
    Session *client, *publisher;

    begin(&f);
    client = f.members[1].clients[0];
    publisher = f.members[2].clients[0];
    ask(&f, client, "SSUBSCRIBE c");
    ask(&f, client, "PSUBSCRIBE *");
    expect(&f, publisher, "PUBLISH c plain", "0");
    expect(&f, publisher, "SPUBLISH c sharded", "0");
    exchange(&f);
    expect_messages(&f, client, "pmessage * c plain, smessage c sharded");
    end(&f);
}

static void test_pubsub_tells_who_listens_at_this_member(void)
{
    Fixture f;
    Session *asker;

    begin(&f);
    asker = f.members[1].clients[0];
    ask(&f, f.members[1].clients[1], "SUBSCRIBE b a");
    ask(&f, f.members[1].clients[2], "SUBSCRIBE a c");
    ask(&f, f.members[1].clients[2], "PSUBSCRIBE x* y*");
    ask(&f, f.members[1].clients[1], "PSUBSCRIBE x*");
    ask(&f, f.members[1].clients[1], "SSUBSCRIBE s");
    ask(&f, f.members[2].clients[1], "SUBSCRIBE elsewhere");
    expect(&f, asker, "PUBSUB CHANNELS", "b a c");
    expect(&f, asker, "PUBSUB channels [ab]", "b a");
    expect(&f, asker, "PUBSUB NUMSUB a z b", "a 2 z 0 b 1");
    expect(&f, asker, "PUBSUB NUMSUB", "");
    expect(&f, asker, "PUBSUB NUMPAT", "2"); /* patterns, not subscriptions to them */
    expect(&f, asker, "PUBSUB SHARDCHANNELS", "s");
    expect(&f, asker, "PUBSUB SHARDNUMSUB s a", "s 1 a 0");
    expect(&f, asker, "PUBSUB NUMPAT x",
           "ERR wrong number of arguments for 'pubsub|numpat' command");
    expect(&f, asker, "PUBSUB CHANNELS a b",
           "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.");
    expect(&f, asker, "PUBSUB nope", "ERR unknown subcommand 'nope'. Try PUBSUB HELP.");
    EXPECT(ask(&f, asker, "PUBSUB HELP").count > 0);
    session_free(f.members[1].clients[2]); /* with its connection a subscription ends */
    f.members[1].clients[2] = session_new(f.members[1].store);
    expect(&f, asker, "PUBSUB CHANNELS", "b a");
    expect(&f, asker, "PUBSUB NUMPAT", "1");
    end(&f);
}

static void test_pubsub_a_message_leaves_no_state(void)
{
    Fixture f;
    Session *client;
    uint64_t before;

    begin(&f);
    client = f.members[1].clients[0];
    ask(&f, client, "INCR c");
    ask(&f, client, "INCR c"); /* its record takes the place of the first */
    exchange(&f);
    EXPECT_INT(store_superseded_seq(f.members[1].store), 1);
    EXPECT_INT(store_superseded_seq(f.members[2].store), 1);
    before = digest_of(f.members[2].store);
    ask(&f, client, "WATCH c");
    ask(&f, f.members[1].clients[1], "PUBLISH c x");
    ask(&f, f.members[1].clients[1], "PUBLISH d x");
    exchange(&f);
    EXPECT_INT(digest_of(f.members[1].store), before);
    EXPECT_INT(digest_of(f.members[2].store), before);
    EXPECT_INT(store_ledger(f.members[2].store, 0)->key_count, 1);
    EXPECT_INT(store_ledger(f.members[2].store, 0)->header_count, 1);
    EXPECT_INT(store_superseded_seq(f.members[1].store), 0);
    EXPECT_INT(store_superseded_seq(f.members[2].store), 0);
    EXPECT_INT(store_clock(f.members[2].store)->seq[1], 4);
    ask(&f, client, "MULTI");
    EXPECT_INT(ask(&f, client, "EXEC").kind, REPLY_ARRAY); /* a channel is no key */
    end(&f);
}

/* A state knows what was published and has no messages; what follows is heard again. */
static void test_pubsub_a_state_carries_no_messages(void)
{
    Fixture f;
    Session *client;

    begin(&f);
    client = f.members[2].clients[0];
    ask(&f, client, "SUBSCRIBE c");
    ask(&f, f.members[1].clients[0], "PUBLISH c one");
    store_merge(f.members[2].store, f.members[1].store, (WallTime){1000});
    ask(&f, f.members[1].clients[0], "PUBLISH c two");
    EXPECT(store_pass_message(f.members[2].store, effect_tape_at(f.members[1].tape, 2)));
    ask(&f, f.members[1].clients[0], "PUBLISH c three");
    exchange(&f);
    expect_messages(&f, client, "message c three");
    end(&f);
}

static void test_pubsub_names_and_messages_are_any_bytes(void)
{
    Fixture f;
    Session *client, *publisher;
    Arg words[3] = {{.kind = ARG_BYTES, .data = "SUBSCRIBE", .bytes = 9},
                    {.kind = ARG_BYTES, .data = "a\0b", .bytes = 3},
                    {.kind = ARG_BYTES, .data = "", .bytes = 0}};
    Reply reply;

    begin(&f);
    client = f.members[2].clients[0];
    publisher = f.members[1].clients[0];
    session_execute(client, words, 3, (WallTime){1000}, f.arena, &reply);
    EXPECT_INT(reply.kind, REPLY_SEVERAL);
    EXPECT_INT(reply.items[1].items[2].integer, 2);
    words[0] = (Arg){.kind = ARG_BYTES, .data = "PUBLISH", .bytes = 7};
    session_execute(publisher, words, 3, (WallTime){1000}, f.arena, &reply);
    words[1] = words[2];
    words[2] = (Arg){.kind = ARG_BYTES, .data = "\r\n\0", .bytes = 3};
    session_execute(publisher, words, 3, (WallTime){1000}, f.arena, &reply);
    exchange(&f);
    EXPECT(session_take_message(client, f.arena, &reply));
    EXPECT(reply.items[1].bytes == 3 && memcmp(reply.items[1].text, "a\0b", 3) == 0);
    EXPECT(reply.items[2].kind == REPLY_BULK && reply.items[2].bytes == 0);
    EXPECT(session_take_message(client, f.arena, &reply));
    EXPECT_INT(reply.items[1].bytes, 0);
    EXPECT(reply.items[2].bytes == 3 && memcmp(reply.items[2].text, "\r\n\0", 3) == 0);
    EXPECT(!session_take_message(client, f.arena, &reply));
    end(&f);
}

/* Messages between writes, in any interleaving: every listener hears each origin's messages in the
 * order of that origin, each once, also where effects come twice. */
static void history(uint64_t seed)
{
    Rng rng = rng_stream(seed, "pubsub");
    uint32_t sent[MEMBERS + 1] = {0};
    Fixture f;

    begin(&f);
    for (uint32_t id = 1; id <= MEMBERS; id++)
        ask(&f, f.members[id].clients[0], "SUBSCRIBE 1 2 3");
    for (int i = 0; i < 120; i++) {
        uint32_t id = 1 + (uint32_t)rng_below(&rng, MEMBERS);
        uint32_t from = 1 + (uint32_t)rng_below(&rng, MEMBERS);
        char line[64];

        switch (rng_below(&rng, 6)) {
        case 0:
            g_snprintf(line, sizeof(line), "PUBLISH %u %u", id, ++sent[id]);
            break;
        case 1:
            g_snprintf(line, sizeof(line), "DEL k");
            break;
        default:
            g_snprintf(line, sizeof(line), "SADD k %d", (int)rng_below(&rng, 5));
        }
        ask(&f, f.members[id].clients[1], line);
        if (from != id && rng_below(&rng, 2) && !deliver(&f, from, id) &&
            effect_tape_count(f.members[from].tape) > 0)
            EXPECT(!store_apply(f.members[id].store, effect_tape_at(f.members[from].tape, 1),
                                (WallTime){1000}));
    }
    exchange(&f);
    for (uint32_t id = 1; id <= MEMBERS; id++) {
        uint32_t heard[MEMBERS + 1] = {0};
        Reply message;

        while (session_take_message(f.members[id].clients[0], f.arena, &message)) {
            uint32_t from = (uint32_t)(message.items[1].text[0] - '0');

            EXPECT_INT(g_ascii_strtoull(message.items[2].text, NULL, 10), ++heard[from]);
        }
        EXPECT(memcmp(heard, sent, sizeof(heard)) == 0);
        EXPECT_INT(digest_of(f.members[id].store), digest_of(f.members[1].store));
    }
    end(&f);
}

static void test_pubsub_every_message_is_heard_once_and_in_order(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(200, 5000); seed++)
        history(seed);
}

static const TestCase cases[] = {
    TEST(test_pubsub_a_message_reaches_who_listens_at_every_member_once),
    TEST(test_pubsub_patterns_come_after_channels_and_in_order_of_age),
    TEST(test_pubsub_each_name_is_confirmed_with_what_is_left),
    TEST(test_pubsub_who_listens_may_ask_for_little_else),
    TEST(test_pubsub_a_transaction_may_publish_and_subscribe),
    TEST(test_pubsub_shard_channels_have_names_of_their_own),
    TEST(test_pubsub_tells_who_listens_at_this_member),
    TEST(test_pubsub_a_message_leaves_no_state),
    TEST(test_pubsub_a_state_carries_no_messages),
    TEST(test_pubsub_names_and_messages_are_any_bytes),
    TEST(test_pubsub_every_message_is_heard_once_and_in_order),
};
TEST_MAIN("pubsub", cases)
