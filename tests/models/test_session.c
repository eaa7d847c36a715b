#include "tests/effect_tape.h"
#include "tests/test.h"

#include <string.h>

#include "models/data/session.h"

typedef struct {
    Store *store;
    Session *session, *other; /* two connections to one member */
    Arena *arena;
    int64_t now_ms;
} Fixture;

static void begin(Fixture *f)
{
    *f = (Fixture){.arena = arena_new(), .now_ms = 1000};
    f->store = store_new(&(StoreConfig){.member_id = 1, .member_count = 1});
    f->session = session_new(f->store);
    f->other = session_new(f->store);
}

static void end(Fixture *f)
{
    session_free(f->session);
    session_free(f->other);
    store_free(f->store);
    arena_free(f->arena);
}

static Reply ask(Fixture *f, Session *session, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Arg args[16];
    uint32_t count = 0;
    Reply reply;

    for (; words[count]; count++)
        args[count] =
            (Arg){.kind = ARG_BYTES, .data = words[count], .bytes = (uint32_t)strlen(words[count])};
    session_execute(session, args, count, (WallTime){f->now_ms}, f->arena, &reply);
    return reply;
}

static void expect_text(Fixture *f, const char *line, const char *text)
{
    EXPECT_TEXT(ask(f, f->session, line).text, text);
}

static void test_session_exec_replies_to_the_whole_queue(void)
{
    Fixture f;
    Reply reply;

    begin(&f);
    expect_text(&f, "MULTI", "OK");
    expect_text(&f, "SET k 1", "QUEUED");
    expect_text(&f, "INCR k", "QUEUED");
    ask(&f, f.session, "HGET k f");
    EXPECT_INT(ask(&f, f.other, "EXISTS k").integer, 0); /* nothing ran yet */
    reply = ask(&f, f.session, "EXEC");
    EXPECT_INT(reply.kind, REPLY_ARRAY);
    EXPECT_INT(reply.count, 3);
    EXPECT_TEXT(reply.items[0].text, "OK");
    EXPECT_INT(reply.items[1].integer, 2);
    EXPECT_INT(reply.items[2].kind, REPLY_ERROR); /* one command's error stops no other */
    expect_text(&f, "GET k", "2");
    end(&f);
}

static void test_session_a_bad_command_aborts_the_transaction(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.session, "MULTI");
    ask(&f, f.session, "SET k 1");
    expect_text(&f, "NOSUCH a", "ERR unknown command 'NOSUCH', with args beginning with: 'a' ");
    expect_text(&f, "GET", "ERR wrong number of arguments for 'get' command");
    expect_text(&f, "EXEC", "EXECABORT Transaction discarded because of previous errors.");
    EXPECT_INT(ask(&f, f.session, "EXISTS k").integer, 0);
    expect_text(&f, "EXEC", "ERR EXEC without MULTI");
    ask(&f, f.session, "MULTI");
    expect_text(&f, "EXEC now",
                "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
                "command");
    expect_text(&f, "GET k", NULL); /* queued no more */
    end(&f);
}

static void test_session_words_out_of_place_are_refused(void)
{
    Fixture f;

    begin(&f);
    expect_text(&f, "DISCARD", "ERR DISCARD without MULTI");
    ask(&f, f.session, "MULTI");
    expect_text(&f, "MULTI", "ERR MULTI calls can not be nested");
    expect_text(&f, "WATCH k", "ERR WATCH inside MULTI is not allowed");
    ask(&f, f.session, "SET k 1");
    expect_text(&f, "DISCARD", "OK");
    EXPECT_INT(ask(&f, f.session, "EXISTS k").integer, 0);
    ask(&f, f.session, "MULTI");
    ask(&f, f.session, "SET k 1");
    expect_text(&f, "EXEC now",
                "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
                "command");
    EXPECT_INT(ask(&f, f.session, "EXISTS k").integer, 0); /* the transaction is over */
    end(&f);
}

static void test_session_watch_sees_what_others_change(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.session, "WATCH k");
    ask(&f, f.other, "SET k theirs");
    ask(&f, f.session, "MULTI");
    ask(&f, f.session, "SET k mine");
    EXPECT_INT(ask(&f, f.session, "EXEC").kind, REPLY_NIL);
    expect_text(&f, "GET k", "theirs");
    /* The watch is over with its transaction, and other keys do not matter. */
    ask(&f, f.session, "WATCH k");
    ask(&f, f.other, "SET l theirs");
    ask(&f, f.session, "MULTI");
    ask(&f, f.session, "SET k mine");
    EXPECT_INT(ask(&f, f.session, "EXEC").kind, REPLY_ARRAY);
    expect_text(&f, "GET k", "mine");
    end(&f);
}

static void test_session_watch_sees_a_deadline_pass(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.session, "SET k v PX 500");
    ask(&f, f.session, "WATCH k");
    f.now_ms += 1000;
    ask(&f, f.session, "MULTI");
    ask(&f, f.session, "SET l v");
    EXPECT_INT(ask(&f, f.session, "EXEC").kind, REPLY_NIL);
    EXPECT_INT(ask(&f, f.session, "EXISTS l").integer, 0);
    end(&f);
}

static void test_session_watch_sees_effects_of_other_members(void)
{
    Fixture f;
    g_autoptr(EffectTape) tape = effect_tape_new();
    Store *remote = store_new(
        &(StoreConfig){.member_id = 2, .member_count = 2, .sink = effect_tape_sink(tape)});
    Session *there = session_new(remote);

    begin(&f);
    ask(&f, there, "SET k remote");
    ask(&f, f.session, "WATCH k");
    ask(&f, f.session, "MULTI");
    ask(&f, f.session, "SET k local");
    EXPECT(effect_tape_play(tape, f.store, (WallTime){f.now_ms}));
    EXPECT_INT(ask(&f, f.session, "EXEC").kind, REPLY_NIL);
    expect_text(&f, "GET k", "remote");
    session_free(there);
    store_free(remote);
    end(&f);
}

static const TestCase cases[] = {
    TEST(test_session_exec_replies_to_the_whole_queue),
    TEST(test_session_a_bad_command_aborts_the_transaction),
    TEST(test_session_words_out_of_place_are_refused),
    TEST(test_session_watch_sees_what_others_change),
    TEST(test_session_watch_sees_a_deadline_pass),
    TEST(test_session_watch_sees_effects_of_other_members),
};
TEST_MAIN("session", cases)
