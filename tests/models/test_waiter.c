#include "tests/effect_tape.h"
#include "tests/test.h"

#include <string.h>

#include "models/data/command_run.h"
#include "models/data/session.h"
#include "tools/conform_match.h"

#define CLIENT_COUNT 4

/* A and B are two members; each has four clients. */
typedef struct {
    Store *store;
    EffectTape *tape;
    Session *clients[CLIENT_COUNT];
} Side;

typedef struct {
    Side a, b;
    Arena *arena;
    int64_t now_ms;
} Fixture;

static void side_begin(Side *side, uint32_t id)
{
    side->tape = effect_tape_new();
    side->store = store_new(&(StoreConfig){.member_id = id,
                                           .member_count = 2,
                                           .stream_ids = STREAM_IDS_LIBERAL,
                                           .sink = effect_tape_sink(side->tape)});
    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        side->clients[i] = session_new(side->store);
}

static void side_end(Side *side)
{
    for (uint32_t i = 0; i < CLIENT_COUNT; i++)
        session_free(side->clients[i]);
    store_free(side->store);
    effect_tape_free(side->tape);
}

static void begin(Fixture *f)
{
    *f = (Fixture){.arena = arena_new(), .now_ms = 1000};
    side_begin(&f->a, 1);
    side_begin(&f->b, 2);
}

static void end(Fixture *f)
{
    side_end(&f->a);
    side_end(&f->b);
    arena_free(f->arena);
}

/* "waits" or the reply as JSON; the text is the arena's. */
static const char *ask(Fixture *f, Session *session, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autofree char *text = NULL;
    Arg args[16];
    uint32_t count = 0;
    Reply reply;

    for (; words[count]; count++)
        args[count] =
            (Arg){.kind = ARG_BYTES, .data = words[count], .bytes = (uint32_t)strlen(words[count])};
    if (!session_execute(session, args, count, (WallTime){f->now_ms}, f->arena, &reply))
        return "waits";
    text = conform_reply_text(&reply);
    return arena_text(f->arena, text);
}

/* "waits", "nothing" or the reply that has come. */
static const char *late(Fixture *f, Session *session)
{
    g_autofree char *text = NULL;
    Reply reply;

    if (session_is_waiting(session))
        return "waits";
    if (!session_take_late(session, &reply))
        return "nothing";
    text = conform_reply_text(&reply);
    return arena_text(f->arena, text);
}

static void sync_to(Fixture *f, Side *to, const Side *from)
{
    WallTime now = {f->now_ms};

    while (effect_tape_play(from->tape, to->store, now))
        sessions_serve(to->store, now);
}

static void pass(Fixture *f, int64_t ms)
{
    f->now_ms += ms;
    sessions_serve(f->a.store, (WallTime){f->now_ms});
    sessions_serve(f->b.store, (WallTime){f->now_ms});
}

static void test_waiter_is_served_by_a_push(void)
{
    Fixture f;

    begin(&f);
    EXPECT_TEXT(ask(&f, f.a.clients[0], "BLPOP q r 0"), "waits");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "waits");
    EXPECT_TEXT(ask(&f, f.a.clients[1], "RPUSH r x y"), "2"); /* the length before it was taken */
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"r\",\"x\"]");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "nothing");
    EXPECT_TEXT(ask(&f, f.a.clients[1], "LRANGE r 0 -1"), "[\"y\"]");
    EXPECT_TEXT(ask(&f, f.a.clients[0], "BRPOP q r 0"), "[\"r\",\"y\"]"); /* no need to wait */
    EXPECT_INT(store_waiter_count(f.a.store), 0);
    end(&f);
}

static void test_waiter_who_came_first_is_served_first(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BLPOP q 0");
    ask(&f, f.a.clients[1], "BRPOP q 0");
    ask(&f, f.a.clients[2], "BLPOP q 0");
    ask(&f, f.a.clients[3], "RPUSH q 1 2");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"q\",\"1\"]");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[\"q\",\"2\"]");
    EXPECT_TEXT(late(&f, f.a.clients[2]), "waits");
    end(&f);
}

static void test_waiter_sees_a_transaction_only_when_it_is_over(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BLPOP q r 0");
    ask(&f, f.a.clients[1], "MULTI");
    ask(&f, f.a.clients[1], "RPUSH r 1");
    ask(&f, f.a.clients[1], "RPUSH q 2");
    ask(&f, f.a.clients[1], "LPOP r");
    ask(&f, f.a.clients[1], "BLPOP s 0");
    EXPECT_TEXT(ask(&f, f.a.clients[1], "EXEC"), "[1,1,\"1\",null]"); /* blocks not in there */
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"q\",\"2\"]");
    end(&f);
}

static void test_waiter_moves_may_serve_another(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BLPOP third 0");
    ask(&f, f.a.clients[1], "BLMOVE second third LEFT RIGHT 0");
    ask(&f, f.a.clients[2], "BRPOPLPUSH first second 0");
    ask(&f, f.a.clients[3], "RPUSH first x");
    EXPECT_TEXT(late(&f, f.a.clients[2]), "\"x\"");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "\"x\"");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"third\",\"x\"]");
    EXPECT_TEXT(ask(&f, f.a.clients[3], "EXISTS first second third"), "0");
    end(&f);
}

static void test_waiter_whose_target_is_no_list_learns_it(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[3], "SET b text");
    ask(&f, f.a.clients[0], "BLMOVE a b LEFT LEFT 0");
    ask(&f, f.a.clients[1], "BLPOP a 0");
    ask(&f, f.a.clients[3], "RPUSH a 1");
    EXPECT_TEXT(late(&f, f.a.clients[0]),
                "{\"error\":\"WRONGTYPE Operation against a key holding the wrong kind of "
                "value\"}");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[\"a\",\"1\"]"); /* it was not taken */
    end(&f);
}

static void test_waiter_overlooks_keys_of_other_types(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BZPOPMAX k 0");
    ask(&f, f.a.clients[1], "BLPOP k 0");
    ask(&f, f.a.clients[3], "SET k 1");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "waits");
    EXPECT_TEXT(ask(&f, f.a.clients[2], "BLPOP k 0"),
                "{\"error\":\"WRONGTYPE Operation against a key holding the wrong kind of "
                "value\"}");
    ask(&f, f.a.clients[3], "DEL k");
    ask(&f, f.a.clients[3], "ZADD k 1 a 2 b");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"k\",\"b\",\"2\"]");
    ask(&f, f.a.clients[3], "ZREM k a");
    ask(&f, f.a.clients[3], "LPUSH k x");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[\"k\",\"x\"]");
    end(&f);
}

static void test_waiter_is_served_by_whatever_makes_the_key(void)
{
    static const char *const makers[] = {"RENAME s k", "COPY s k", "SORT s ALPHA STORE k",
                                         "LMOVE s k LEFT LEFT"};
    Fixture f;

    begin(&f);
    for (uint32_t i = 0; i < G_N_ELEMENTS(makers); i++) {
        ask(&f, f.a.clients[3], "DEL s k");
        ask(&f, f.a.clients[3], "RPUSH s x");
        EXPECT_TEXT(ask(&f, f.a.clients[0], "BLPOP k 0"), "waits");
        ask(&f, f.a.clients[3], makers[i]);
        EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"k\",\"x\"]");
    }
    end(&f);
}

static void test_waiter_takes_several_when_asked_to(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BLMPOP 0 2 a b RIGHT COUNT 2");
    ask(&f, f.a.clients[1], "BZMPOP 0 2 z y MIN COUNT 2");
    ask(&f, f.a.clients[3], "RPUSH b 1 2 3");
    ask(&f, f.a.clients[3], "ZADD y 1 one 2 two 3 three");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"b\",[\"3\",\"2\"]]");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[\"y\",[[\"one\",\"1\"],[\"two\",\"2\"]]]");
    end(&f);
}

static void test_waiter_gets_nil_when_its_time_is_up(void)
{
    Fixture f;
    WallTime at;

    begin(&f);
    ask(&f, f.a.clients[0], "BLPOP q 2");
    ask(&f, f.a.clients[1], "BLMOVE q r LEFT LEFT 0.0101");
    ask(&f, f.a.clients[2], "BLPOP q 0");
    EXPECT(store_next_timeout(f.a.store, &at));
    EXPECT_INT(at.ms, 1011); /* a part of a millisecond counts as one */
    pass(&f, 10);
    EXPECT_TEXT(late(&f, f.a.clients[1]), "waits");
    pass(&f, 1);
    EXPECT_TEXT(late(&f, f.a.clients[1]), "null");
    pass(&f, 1989);
    EXPECT_TEXT(late(&f, f.a.clients[0]), "null");
    EXPECT(!store_next_timeout(f.a.store, &at));
    pass(&f, INT64_C(1) << 40);
    EXPECT_TEXT(late(&f, f.a.clients[2]), "waits");
    end(&f);
}

static void test_waiter_whose_connection_closed_takes_nothing(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BLPOP q 5");
    ask(&f, f.a.clients[1], "BLPOP q 0");
    session_free(f.a.clients[0]);
    f.a.clients[0] = session_new(f.a.store);
    EXPECT_INT(store_waiter_count(f.a.store), 1);
    ask(&f, f.a.clients[3], "RPUSH q x");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[\"q\",\"x\"]");
    end(&f);
}

static void test_waiter_is_served_by_a_push_elsewhere(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.b.clients[0], "BLPOP q 0");
    ask(&f, f.a.clients[0], "RPUSH q x");
    EXPECT_TEXT(late(&f, f.b.clients[0]), "waits");
    sync_to(&f, &f.b, &f.a);
    EXPECT_TEXT(late(&f, f.b.clients[0]), "[\"q\",\"x\"]");
    EXPECT_TEXT(ask(&f, f.a.clients[0], "LLEN q"), "1");
    sync_to(&f, &f.a, &f.b); /* the pop is an effect like any other's */
    EXPECT_TEXT(ask(&f, f.a.clients[0], "LLEN q"), "0");
    end(&f);
}

static void test_waiters_at_two_members_get_the_same_element(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "BLPOP q 0");
    ask(&f, f.b.clients[0], "BLPOP q 0");
    ask(&f, f.a.clients[3], "RPUSH q x");
    sync_to(&f, &f.b, &f.a);
    sync_to(&f, &f.a, &f.b);
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[\"q\",\"x\"]");
    EXPECT_TEXT(late(&f, f.b.clients[0]), "[\"q\",\"x\"]");
    EXPECT_TEXT(ask(&f, f.a.clients[0], "LLEN q"), "0");
    end(&f);
}

static void test_waiter_is_served_by_a_whole_state(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.b.clients[0], "BZPOPMIN z 0");
    ask(&f, f.b.clients[1], "BLPOP q 0");
    ask(&f, f.a.clients[0], "ZADD z 1 x");
    store_merge(f.b.store, f.a.store, (WallTime){f.now_ms});
    sessions_serve(f.b.store, (WallTime){f.now_ms});
    EXPECT_TEXT(late(&f, f.b.clients[0]), "[\"z\",\"x\",\"1\"]");
    EXPECT_TEXT(late(&f, f.b.clients[1]), "waits");
    end(&f);
}

static void test_waiter_reads_what_came_since_it_asked(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[3], "XADD s 1-1 old 1");
    ask(&f, f.a.clients[0], "XREAD COUNT 1 BLOCK 0 STREAMS t s $ $");
    ask(&f, f.a.clients[1], "XREAD BLOCK 0 STREAMS s $");
    EXPECT_TEXT(ask(&f, f.a.clients[2], "XREAD BLOCK 0 STREAMS s 0"),
                "[[\"s\",[[\"1-1\",[\"old\",\"1\"]]]]]"); /* no need to wait */
    ask(&f, f.a.clients[3], "XADD s 2-1 new 2");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[[\"s\",[[\"2-1\",[\"new\",\"2\"]]]]]");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[[\"s\",[[\"2-1\",[\"new\",\"2\"]]]]]");
    end(&f);
}

static void test_waiters_of_a_group_share_its_entries(void)
{
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[3], "XGROUP CREATE s g $ MKSTREAM");
    ask(&f, f.a.clients[0], "XREADGROUP GROUP g one COUNT 1 BLOCK 0 STREAMS s >");
    ask(&f, f.a.clients[1], "XREADGROUP GROUP g two BLOCK 0 NOACK STREAMS s >");
    ask(&f, f.a.clients[2], "XREADGROUP GROUP g three BLOCK 100 STREAMS s >");
    ask(&f, f.a.clients[3], "XADD s 1-1 a b");
    EXPECT_TEXT(late(&f, f.a.clients[0]), "[[\"s\",[[\"1-1\",[\"a\",\"b\"]]]]]");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "waits");
    ask(&f, f.a.clients[3], "XADD s 2-1 c d");
    EXPECT_TEXT(late(&f, f.a.clients[1]), "[[\"s\",[[\"2-1\",[\"c\",\"d\"]]]]]");
    EXPECT_TEXT(ask(&f, f.a.clients[3], "XPENDING s g"), "[1,\"1-1\",\"1-1\",[[\"one\",\"1\"]]]");
    pass(&f, 100);
    EXPECT_TEXT(late(&f, f.a.clients[2]), "null");
    end(&f);
}

static void test_waiter_of_a_group_learns_that_it_is_gone(void)
{
    static const char *const gone = "{\"error\":\"UNBLOCKED the stream key no longer exists\"}";
    static const struct {
        const char *command, *reply;
    } cases[] = {{"XGROUP DESTROY s g", "{\"error\":\"NOGROUP the consumer group this client was "
                                        "blocked on no longer exists\"}"},
                 {"DEL s", NULL},
                 {"SET s text", NULL},
                 {"XGROUP SETID s g 0", "waits"}};
    Fixture f;

    begin(&f);
    for (uint32_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ask(&f, f.a.clients[3], "DEL s");
        ask(&f, f.a.clients[3], "XADD s 1-1 a b");
        ask(&f, f.a.clients[3], "XGROUP CREATE s g $");
        ask(&f, f.a.clients[0], "XREAD BLOCK 0 STREAMS s $");
        ask(&f, f.a.clients[1], "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        ask(&f, f.a.clients[3], cases[i].command);
        EXPECT_TEXT(late(&f, f.a.clients[1]), cases[i].reply ? cases[i].reply : gone);
        EXPECT_TEXT(late(&f, f.a.clients[0]), "waits"); /* it asked for no group */
        session_free(f.a.clients[0]);
        f.a.clients[0] = session_new(f.a.store);
    }
    end(&f);
}

static void test_waiter_words_are_checked_as_redis_does(void)
{
    static const struct {
        const char *command, *error;
    } cases[] = {
        {"BLPOP k abc", "ERR timeout is not a float or out of range"},
        {"BLPOP k nan", "ERR timeout is not a float or out of range"},
        {"BLPOP k -1", "ERR timeout is negative"},
        {"BLPOP k inf", "ERR timeout is negative"},
        {"BLPOP k 9999999999999999", "ERR timeout is negative"},
        {"XREAD BLOCK 1.5 STREAMS s $", "ERR timeout is not an integer or out of range"},
        {"XREAD BLOCK -1 STREAMS s $", "ERR timeout is negative"},
        {"BLMOVE a b X LEFT z", "ERR syntax error"},
        {"BLMOVE a b LEFT LEFT z", "ERR timeout is not a float or out of range"},
        {"BLMPOP x 0 k LEFT", "ERR numkeys should be greater than 0"},
        {"BLMPOP x 1 k LEFT", "ERR timeout is not a float or out of range"},
        {"BLMPOP 0 2 k LEFT", "ERR syntax error"},
        {"BZMPOP 0 1 k MIN COUNT 0", "ERR count should be greater than 0"},
        {"BLPOP k", "ERR wrong number of arguments for 'blpop' command"},
    };
    Fixture f;

    begin(&f);
    for (uint32_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *expected = g_strdup_printf("{\"error\":\"%s\"}", cases[i].error);

        EXPECT_TEXT(ask(&f, f.a.clients[0], cases[i].command), expected);
    }
    EXPECT_TEXT(ask(&f, f.a.clients[0], "BLPOP k -0.0001"), "waits"); /* rounded up to for ever */
    end(&f);
}

/* Lists and sorted sets, waiting or not: the same words are wrong, and the same of several first.
 */
static void test_waiter_pops_of_several_keys_say_what_is_wrong_as_redis_does(void)
{
    static const char *const commands[][3] = {{"LMPOP", "LEFT", "MIN"},
                                              {"ZMPOP", "MAX", "RIGHT"},
                                              {"BLMPOP 0", "RIGHT", "MAX"},
                                              {"BZMPOP 0", "MIN", "LEFT"}};
    static const struct {
        const char *keys, *count, *error;
        bool other_end; /* the word of the other type */
    } cases[] = {
        {"0 k", "", "ERR numkeys should be greater than 0", true},
        {"-1 k", "", "ERR numkeys should be greater than 0", false},
        {"x k", "COUNT 0", "ERR numkeys should be greater than 0", false},
        {"1 k", "", ERROR_SYNTAX, true},
        {"1 k", "COUNT 0", ERROR_SYNTAX, true},
        {"3 k", "", ERROR_SYNTAX, false},
        {"2 k", "", ERROR_SYNTAX, false},
        {"9223372036854775807 k", "", ERROR_SYNTAX, false},
        {"1 k", "COUNT", ERROR_SYNTAX, false},
        {"1 k", "COUNTS 1", ERROR_SYNTAX, false},
        {"1 k", "COUNT 0", "ERR count should be greater than 0", false},
        {"1 k", "COUNT x", "ERR count should be greater than 0", false},
        {"1 k", "COUNT 0 COUNT 1", "ERR count should be greater than 0", false},
        {"1 k", "COUNT 1 COUNT 1", ERROR_SYNTAX, false},
        {"1 k", "COUNT 1 more", ERROR_SYNTAX, false},
        {"1 text", "COUNT 1", ERROR_WRONGTYPE, false},
        {"2 none text", "", ERROR_WRONGTYPE, false},
    };
    Fixture f;

    begin(&f);
    ask(&f, f.a.clients[0], "SET text x");
    for (uint32_t c = 0; c < G_N_ELEMENTS(commands); c++)
        for (uint32_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            const char *blank = cases[i].count[0] ? " " : "";
            g_autofree char *line =
                g_strdup_printf("%s %s %s%s%s", commands[c][0], cases[i].keys,
                                commands[c][1 + cases[i].other_end], blank, cases[i].count);
            g_autofree char *expected = g_strdup_printf("{\"error\":\"%s\"}", cases[i].error);

            EXPECT_TEXT(ask(&f, f.a.clients[0], line), expected);
        }
    end(&f);
}

static const TestCase cases[] = {
    TEST(test_waiter_is_served_by_a_push),
    TEST(test_waiter_who_came_first_is_served_first),
    TEST(test_waiter_sees_a_transaction_only_when_it_is_over),
    TEST(test_waiter_moves_may_serve_another),
    TEST(test_waiter_whose_target_is_no_list_learns_it),
    TEST(test_waiter_overlooks_keys_of_other_types),
    TEST(test_waiter_is_served_by_whatever_makes_the_key),
    TEST(test_waiter_takes_several_when_asked_to),
    TEST(test_waiter_gets_nil_when_its_time_is_up),
    TEST(test_waiter_whose_connection_closed_takes_nothing),
    TEST(test_waiter_is_served_by_a_push_elsewhere),
    TEST(test_waiters_at_two_members_get_the_same_element),
    TEST(test_waiter_is_served_by_a_whole_state),
    TEST(test_waiter_reads_what_came_since_it_asked),
    TEST(test_waiters_of_a_group_share_its_entries),
    TEST(test_waiter_of_a_group_learns_that_it_is_gone),
    TEST(test_waiter_pops_of_several_keys_say_what_is_wrong_as_redis_does),
    TEST(test_waiter_words_are_checked_as_redis_does),
};
TEST_MAIN("waiter", cases)
