/* Commands on JSON documents at one member.  Replies and errors are those RedisJSON 2.8 documents
 * (redis/docs, commands/json.*), and where these say nothing those of its own tests. */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "models/data/store.h"

#define ARGS_MAX 16

typedef struct {
    Store *store;
    Arena *arena;
    Family family;
    const Family *list[1];
    int effect_count;
} Fixture;

static void count_effect(void *actor, const Effect *effect)
{
    Fixture *f = actor;

    (void)effect;
    f->effect_count++;
}

/* Keys 0 to 9 are declared documents that do not exist yet. */
static void fixture_begin(Fixture *f)
{
    StoreConfig config = {.member_id = 1,
                          .member_count = 1,
                          .family_count = 1,
                          .sink = {.emit = count_effect, .actor = f}};

    *f = (Fixture){.arena = arena_new()};
    f->family = (Family){.name = "carts",
                         .type = CRDT_JSON,
                         .key_count = 10,
                         .kept_count = 10,
                         .hot_count = 10,
                         .weight = 1,
                         .field_count = 1};
    f->list[0] = &f->family;
    config.families = f->list;
    f->store = store_new(&config);
}

static void fixture_end(Fixture *f)
{
    store_free(f->store);
    arena_free(f->arena);
}

static Reply run_args(Fixture *f, const char *name, const Arg *args, uint32_t count)
{
    Command command = {.spec = command_find(name, strlen(name)), .args = args, .count = count};
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    store_execute(f->store, &command, (WallTime){1000}, f->arena, &reply);
    return reply;
}

/* Words are parted by blanks; "_" stands for a blank within a word, "~" for a line break. */
static Reply run_line(Fixture *f, const char *line)
{
    g_autofree char *parted = g_strdup(line);
    g_auto(GStrv) words = g_strsplit(parted, " ", -1);
    Arg args[ARGS_MAX];
    uint32_t count = 0;

    for (; words[count + 1]; count++) {
        EXPECT_FATAL(count < ARGS_MAX);
        g_strdelimit(g_strdelimit(words[count + 1], "_", ' '), "~", '\n');
        args[count] = (Arg){.kind = ARG_BYTES,
                            .data = words[count + 1],
                            .bytes = (uint32_t)strlen(words[count + 1])};
    }
    return run_args(f, words[0], args, count);
}

/* Texts as they are, integers after ":", statuses and errors after "+" and "-", arrays in brackets,
 * items parted by blanks, and "nil". */
static void print_reply(const Reply *reply, GString *out)
{
    switch (reply->kind) {
    case REPLY_NIL:
        g_string_append(out, "nil");
        break;
    case REPLY_STATUS:
        g_string_append_printf(out, "+%s", reply->text);
        break;
    case REPLY_ERROR:
        g_string_append_printf(out, "-%s", reply->text);
        break;
    case REPLY_INTEGER:
        g_string_append_printf(out, ":%" G_GINT64_FORMAT, reply->integer);
        break;
    case REPLY_BULK:
        g_string_append_len(out, reply->text, (gssize)reply->bytes);
        break;
    case REPLY_ARRAY:
    case REPLY_SEVERAL:
        g_string_append_c(out, '(');
        for (uint32_t i = 0; i < reply->count; i++) {
            if (i > 0)
                g_string_append_c(out, ' ');
            print_reply(&reply->items[i], out);
        }
        g_string_append_c(out, ')');
        break;
    }
}

static void expect(Fixture *f, const char *line, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Reply reply = run_line(f, line);

    print_reply(&reply, text);
    if (strcmp(text->str, expected) != 0)
        g_printerr("%s\n", line);
    EXPECT_TEXT(text->str, expected);
}

static void expect_all(Fixture *f, const char *const (*rows)[2], size_t count)
{
    fixture_begin(f);
    for (size_t i = 0; i < count; i++)
        expect(f, rows[i][0], rows[i][1]);
    fixture_end(f);
}

#define EXPECT_ALL(rows) expect_all(&(Fixture){0}, rows, G_N_ELEMENTS(rows))

static void test_json_set_makes_replaces_and_adds_a_key(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $.a 1", "-ERR new objects must be created at the root"},
        {"JSON.SET k $ {\"a\":1} XX", "nil"},
        {"JSON.SET k $ {\"a\":{\"b\":1},\"l\":[1]} NX", "+OK"},
        {"JSON.SET k $ 1 NX", "nil"},
        {"JSON.SET k $.a.b 2 NX", "nil"},
        {"JSON.SET k $.a.c 3 XX", "nil"},
        {"JSON.SET k $.a.c 3 nx", "+OK"},
        {"JSON.SET k .a.b 2 XX", "+OK"},
        {"JSON.SET k $.x.y 1", "nil"},
        {"JSON.SET k $..nope 1", "-ERR wrong static path"},
        {"JSON.SET k $.l[3] 1", "-ERR array index out of range"},
        {"JSON.SET k $.l.[0] 5", "+OK"},
        {"JSON.SET k $.a 1 NX XX", "-ERR syntax error"},
        {"JSON.SET k $.a 1 YY", "-ERR syntax error"},
        {"JSON.SET k $.a {", "-ERR EOF while parsing an object at line 1 column 1"},
        {"JSON.SET k $[ 1", "-ERR syntax error"},
        {"JSON.GET k", "{\"a\":{\"b\":2,\"c\":3},\"l\":[5]}"},
        {"SET s v", "+OK"},
        {"JSON.SET s $ 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
    };

    EXPECT_ALL(rows);
}

static void test_json_mset_does_all_or_nothing(void)
{
    static const char *const rows[][2] = {
        {"JSON.MSET a $ {\"n\":1} b . [1]", "+OK"},
        {"JSON.MSET a $.n 2 c $.x 1", "-ERR new objects must be created at the root"},
        {"JSON.MSET a $.n 2 b $[7] 1", "-ERR array index out of range"},
        {"JSON.MSET a $.n 2 b $ {", "-ERR EOF while parsing an object at line 1 column 1"},
        {"JSON.MSET a $.n 2 b", "-ERR wrong number of arguments for 'json.mset' command"},
        {"JSON.MGET a b $", "([{\"n\":1}] [[1]])"},
        {"JSON.MSET a $ {} a $.m 5 a $.m 6 b $.no 1", "+OK"},
        {"JSON.MGET a b .", "({\"m\":6} [1])"},
    };

    EXPECT_ALL(rows);
}

static void test_json_mget_is_nil_where_nothing_is(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET a $ {\"n\":1,\"in\":{\"n\":2}}", "+OK"},
        {"JSON.SET b $ {}", "+OK"},
        {"SET s v", "+OK"},
        {"JSON.MGET a b none s $..n", "([1,2] [] nil nil)"},
        {"JSON.MGET a b none s .n", "(1 nil nil nil)"},
        {"JSON.MGET a $[", "-ERR syntax error"},
    };

    EXPECT_ALL(rows);
}

static void test_json_get_prints_paths_as_asked_for(void)
{
    static const char *const rows[][2] = {
        {"JSON.GET k", "nil"},
        {"JSON.SET k $ {\"a\":1,\"in\":{\"a\":[2,{}]}}", "+OK"},
        {"JSON.GET k .", "{\"a\":1,\"in\":{\"a\":[2,{}]}}"},
        {"JSON.GET k $..a", "[1,[2,{}]]"},
        {"JSON.GET k ..a", "1"},
        {"JSON.GET k $.no", "[]"},
        {"JSON.GET k .no", "-ERR Path '$.no' does not exist"},
        {"JSON.GET k no.x", "-ERR Path '$.no.x' does not exist"},
        {"JSON.GET k .a in.a", "{\".a\":1,\"in.a\":[2,{}]}"},
        {"JSON.GET k .a $.in.a", "{\".a\":[1],\"$.in.a\":[[2,{}]]}"},
        {"JSON.GET k .a $.no", "{\".a\":[1],\"$.no\":[]}"},
        {"JSON.GET k .a .no", "-ERR Path '$.no' does not exist"},
        {"JSON.GET k $.a $.a", "{\"$.a\":[1]}"},
        {"JSON.GET k INDENT > NEWLINE ~ SPACE _ .in", "{\n>\"a\": [\n>>2,\n>>{}\n>]\n}"},
        {"JSON.GET k $.in NEWLINE ~ INDENT >", "[\n>{\n>>\"a\":[\n>>>2,\n>>>{}\n>>]\n>}\n]"},
        {"JSON.GET k INDENT > $.a SPACE _ $.no NEWLINE ~",
         "{\n>\"$.a\": [\n>>1\n>],\n>\"$.no\": []\n}"},
        {"JSON.GET k NOESCAPE .a", "1"},
        {"JSON.GET k .a INDENT", "-ERR wrong number of arguments for 'json.get' command"},
        {"JSON.GET k FORMAT STRING", "-ERR FORMAT argument is not supported on RESP2"},
    };

    EXPECT_ALL(rows);
}

static void test_json_lengths_and_kinds_by_path(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"a\":[1,2],\"b\":{\"a\":\"xyz\",\"c\":2.5},\"t\":true,\"n\":null,\"i\":3}",
         "+OK"},
        {"JSON.ARRLEN k $..a", "(:2 nil)"},
        {"JSON.ARRLEN k .a", ":2"},
        {"JSON.ARRLEN k", "-ERR Path '$' does not exist or not an array"},
        {"JSON.ARRLEN k .no", "-ERR Path '$.no' does not exist"},
        {"JSON.ARRLEN k $.no", "()"},
        {"JSON.ARRLEN none .a", "nil"},
        {"JSON.ARRLEN none $.a",
         "-ERR could not perform this operation on a key that doesn't exist"},
        {"JSON.OBJLEN k", ":5"},
        {"JSON.OBJLEN k $.*", "(nil :2 nil nil nil)"},
        {"JSON.OBJLEN k .no", "nil"},
        {"JSON.OBJLEN k .a",
         "-WRONGTYPE wrong type of path value - expected object but found array"},
        {"JSON.OBJLEN none .", "nil"},
        {"JSON.OBJLEN none $", "-ERR Path '$' does not exist or not an object"},
        {"JSON.STRLEN k $..a", "(nil :3)"},
        {"JSON.STRLEN k .b.a", ":3"},
        {"JSON.STRLEN k .i",
         "-WRONGTYPE wrong type of path value - expected string but found integer"},
        {"JSON.STRLEN k .no", "-ERR Path '$.no' does not exist"},
        {"JSON.STRLEN none .a", "nil"},
        {"JSON.OBJKEYS k .b", "(a c)"},
        {"JSON.OBJKEYS k $.*", "(nil (a c) nil nil nil)"},
        {"JSON.OBJKEYS k .no", "nil"},
        {"JSON.OBJKEYS k .a", "-ERR Path '$.a' does not exist or not an object"},
        {"JSON.OBJKEYS none", "nil"},
        {"JSON.OBJKEYS none $",
         "-ERR could not perform this operation on a key that doesn't exist"},
        {"JSON.TYPE k", "object"},
        {"JSON.TYPE k $..*", "(array object boolean null integer integer integer string number)"},
        {"JSON.TYPE k .no", "nil"},
        {"JSON.TYPE k $.no", "()"},
        {"JSON.TYPE none $", "nil"},
    };

    EXPECT_ALL(rows);
}

/* The rows on "r" are those of RedisJSON's own test. */
static void test_json_arrindex_looks_from_start_to_before_stop(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET r . {\"arr\":[0,1,2,3,2,1,0]}", "+OK"},
        {"JSON.ARRINDEX r .arr 0", ":0"},
        {"JSON.ARRINDEX r .arr 4", ":-1"},
        {"JSON.ARRINDEX r .arr 0 1", ":6"},
        {"JSON.ARRINDEX r .arr 0 -1", ":6"},
        {"JSON.ARRINDEX r .arr 0 6", ":6"},
        {"JSON.ARRINDEX r .arr 0 4 0", ":6"},
        {"JSON.ARRINDEX r .arr 0 5 -1", ":-1"},
        {"JSON.ARRINDEX r .arr 2 -2 6", ":-1"},
        {"JSON.ARRINDEX r .arr \"foo\"", ":-1"},
        {"JSON.ARRINDEX r .arr 0 99", ":6"},
        {"JSON.ARRINDEX r .arr 0 -99 99", ":0"},
        {"JSON.ARRINDEX r .arr 0 1 -99", ":-1"},
        {"JSON.ARRINDEX r .arr 0 x", "-ERR value is not an integer or out of range"},
        {"JSON.ARRINDEX r .arr 0 0 0 0",
         "-ERR wrong number of arguments for 'json.arrindex' command"},
        {"JSON.SET k $ {\"a\":[1.0,{\"x\":[1],\"y\":2},null],\"b\":{\"a\":[]},\"c\":{\"a\":7}}",
         "+OK"},
        {"JSON.ARRINDEX k $..a {\"y\":2,\"x\":[1]}", "(:1 :-1 nil)"},
        {"JSON.ARRINDEX k $.a 1", "(:-1)"},
        {"JSON.ARRINDEX k $.a null", "(:2)"},
        {"JSON.ARRINDEX k .c.a 1",
         "-WRONGTYPE wrong type of path value - expected array but found integer"},
        {"JSON.ARRINDEX k .no 1", "-ERR Path '$.no' does not exist"},
        {"JSON.ARRINDEX none $ 1", "-ERR Path '$' does not exist"},
    };

    EXPECT_ALL(rows);
}

static void test_json_arrtrim_keeps_a_range_of_any_indexes(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"a\":[0,1,2,3,4],\"b\":{\"a\":[7]},\"c\":{\"a\":1},\"d\":[0,1,2]}", "+OK"},
        {"JSON.ARRTRIM k $..a 1 -1", "(:4 :0 nil)"},
        {"JSON.GET k $..a", "[[1,2,3,4],[],1]"},
        {"JSON.ARRTRIM k .a -3 2", ":2"},
        {"JSON.GET k .a", "[2,3]"},
        {"JSON.ARRTRIM k .a -9 9", ":2"},
        {"JSON.ARRTRIM k .a 1 0", ":0"},
        {"JSON.ARRTRIM k .a -1 5", ":0"},
        {"JSON.ARRTRIM k .d 3 9", ":0"},
        {"JSON.GET k .d", "[]"},
        {"JSON.ARRTRIM k .c 0 0", "-ERR Path '$.c' does not exist or not an array"},
        {"JSON.ARRTRIM k .d 0 x", "-ERR value is not an integer or out of range"},
        {"JSON.ARRTRIM none $ 0 0",
         "-ERR could not perform this operation on a key that doesn't exist"},
    };

    EXPECT_ALL(rows);
}

static void test_json_elements_come_and_go_by_index(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"a\":[1],\"b\":{\"a\":[1,2,3]},\"c\":{\"a\":{}}}", "+OK"},
        {"JSON.ARRAPPEND k $..a 8 [9]", "(:3 :5 nil)"},
        {"JSON.ARRAPPEND k ..a 0", ":6"},
        {"JSON.ARRAPPEND k .c 1", "-ERR Path '$.c' does not exist or not an array"},
        {"JSON.ARRAPPEND k $.a 1 {", "-ERR EOF while parsing an object at line 1 column 1"},
        {"JSON.GET k ..a", "[1,8,[9],0]"},
        {"JSON.ARRINSERT k $..a 5 7", "-ERR index out of bounds"},
        {"JSON.ARRINSERT k $..a -4 5 6", "(:6 :8 nil)"},
        {"JSON.GET k $..a", "[[5,6,1,8,[9],0],[1,2,5,6,3,8,[9],0],{}]"},
        {"JSON.ARRINSERT k .a 6 2", ":7"},
        {"JSON.ARRINSERT k .c 0 2", "-ERR Path '$.c' does not exist or not an array"},
        {"JSON.ARRPOP k $..a", "(2 0 nil)"},
        {"JSON.ARRPOP k .a -2", "[9]"},
        {"JSON.ARRPOP k .a 99", "0"},
        {"JSON.ARRPOP k .a -99", "5"},
        {"JSON.ARRPOP k ..a 0", "1"},
        {"JSON.GET k $..a", "[[1,8],[2,5,6,3,8,[9]],{}]"},
        {"JSON.ARRPOP k .c", "-ERR Path '$.c' does not exist or not an array"},
        {"JSON.ARRPOP k", "-ERR Path '$' does not exist or not an array"},
        {"JSON.ARRPOP none", "-ERR could not perform this operation on a key that doesn't exist"},
        {"JSON.SET l $ []", "+OK"},
        {"JSON.ARRPOP l", "nil"},
        {"JSON.ARRPOP l $", "(nil)"},
    };

    EXPECT_ALL(rows);
}

static void test_json_numbers_answer_for_every_match(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"a\":\"b\",\"b\":[{\"a\":2},{\"a\":5.5},{\"a\":\"c\"}]}", "+OK"},
        {"JSON.NUMINCRBY k $..a 2", "[null,4,7.5,null]"},
        {"JSON.NUMINCRBY k ..a -2.5", "5.0"},
        {"JSON.NUMMULTBY k $..a 2", "[null,3.0,10.0,null]"},
        {"JSON.NUMINCRBY k $.no 2", "[]"},
        {"JSON.NUMINCRBY k .a 2", "-ERR Path '$.a' does not exist or does not contains a number"},
        {"JSON.NUMINCRBY k $..a true", "-ERR bad input number"},
        {"JSON.NUMINCRBY k $..a x", "-ERR expected value at line 1 column 1"},
        {"JSON.NUMMULTBY k $..a 1e308", "-ERR result is not a number"},
        {"JSON.GET k $..a", "[\"b\",3.0,10.0,\"c\"]"},
        {"JSON.NUMINCRBY none . 2",
         "-ERR could not perform this operation on a key that doesn't exist"},
    };

    EXPECT_ALL(rows);
}

static void test_json_texts_and_truths_change_in_place(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"a\":\"x\",\"b\":{\"a\":\"yz\",\"t\":true},\"t\":0}", "+OK"},
        {"JSON.STRAPPEND k $..a \"!\"", "(:2 :3)"},
        {"JSON.STRAPPEND k $.* \"?\"", "(:3 nil nil)"},
        {"JSON.STRAPPEND k ..a \"\"", ":3"},
        {"JSON.STRAPPEND k .t \"x\"", "-ERR Path '$.t' does not exist or not a string"},
        {"JSON.STRAPPEND k .a 5",
         "-WRONGTYPE wrong type of path value - expected string but found integer"},
        {"JSON.STRAPPEND none \"x\"",
         "-ERR could not perform this operation on a key that doesn't exist"},
        {"JSON.TOGGLE k $..t", "(nil :0)"},
        {"JSON.TOGGLE k .b.t", "true"},
        {"JSON.TOGGLE k .b.t", "false"},
        {"JSON.TOGGLE k .a", "-ERR Path '$.a' does not exist or not a bool"},
        {"JSON.GET k", "{\"a\":\"x!?\",\"b\":{\"a\":\"yz!\",\"t\":false},\"t\":0}"},
        {"JSON.SET s $ \"ab\"", "+OK"},
        {"JSON.STRAPPEND s \"c\"", ":3"},
        {"JSON.GET s", "\"abc\""},
    };

    EXPECT_ALL(rows);
}

static void test_json_del_and_clear_count_what_they_change(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"a\":1,\"in\":{\"a\":{\"a\":2}},\"l\":[1,2],\"s\":\"x\",\"z\":0}", "+OK"},
        {"JSON.CLEAR k $.*", ":3"},
        {"JSON.GET k", "{\"a\":0,\"in\":{},\"l\":[],\"s\":\"x\",\"z\":0}"},
        {"JSON.CLEAR k .no", ":0"},
        {"JSON.CLEAR none", "-ERR could not perform this operation on a key that doesn't exist"},
        {"JSON.SET k $.in {\"a\":{\"a\":2}}", "+OK"},
        {"JSON.DEL k $..a", ":2"},
        {"JSON.DEL k $..a", ":0"},
        {"JSON.FORGET none ..a", ":0"},
        {"JSON.MERGE k $ {\"l\":null,\"n\":{\"x\":null,\"y\":1}}", "+OK"},
        {"JSON.GET k", "{\"in\":{},\"s\":\"x\",\"z\":0,\"n\":{\"y\":1}}"},
        {"JSON.CLEAR k", ":1"},
        {"JSON.GET k", "{}"},
        {"JSON.DEL k", ":1"},
        {"EXISTS k", ":0"},
    };

    EXPECT_ALL(rows);
}

/* redis/docs, commands/json.resp: the document of its example. */
static void test_json_resp_has_the_types_of_the_protocol(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET k $ {\"n\":\"w\",\"c\":{\"w\":true,\"t\":null},\"p\":64.99,\"s\":[80,[]]}",
         "+OK"},
        {"JSON.RESP k", "(+{ n w c (+{ w +true t nil) p 64.989999999999995 s (+[ :80 (+[)))"},
        {"JSON.RESP k .s[0]", ":80"},
        {"JSON.RESP k $.c.*", "(+true nil)"},
        {"JSON.RESP k .no", "-ERR Path '$.no' does not exist"},
        {"JSON.RESP none", "nil"},
    };

    EXPECT_ALL(rows);
}

static void test_json_documents_are_renamed_and_copied_whole(void)
{
    static const char *const rows[][2] = {
        {"JSON.SET {d}a $ {\"z\":[1,{}],\"a\":null}", "+OK"},
        {"JSON.SET {d}a $.m 1.5", "+OK"},
        {"EXPIRE {d}a 100", ":1"},
        {"SET {d}t text", "+OK"},
        {"COPY {d}a {d}t", ":0"},
        {"COPY {d}a {d}t REPLACE", ":1"},
        {"RENAME {d}a {d}b", "+OK"},
        {"EXISTS {d}a", ":0"},
        {"JSON.MGET {d}b {d}t .",
         "({\"z\":[1,{}],\"a\":null,\"m\":1.5} {\"z\":[1,{}],\"a\":null,\"m\":1.5})"},
        {"JSON.ARRAPPEND {d}b .z 2", ":3"},
        {"JSON.GET {d}t .z", "[1,{}]"},
        {"TTL {d}b", ":100"},
        {"TTL {d}t", ":100"},
        {"RENAMENX {d}b {d}t", ":0"},
        {"TYPE {d}t", "+ReJSON-RL"},
    };

    EXPECT_ALL(rows);
}

static void test_json_failed_commands_ship_nothing(void)
{
    static const char *const lines[] = {
        "JSON.MSET k $.a 5 none $.x 1",
        "JSON.ARRINSERT k $..l 3 1",
        "JSON.NUMMULTBY k $..n 1e308",
        "JSON.STRAPPEND k $..s 5",
        "JSON.ARRAPPEND k $.l 1 {",
        "JSON.ARRINDEX k $.l 1",
        "JSON.DEL k $.no",
        "JSON.ARRTRIM k $.l 0 -1",
        "JSON.ARRPOP k $.s",
        "JSON.CLEAR k $.s",
        "JSON.SET k $.no.x 1",
        "JSON.TOGGLE k .l",
    };
    Fixture f;

    fixture_begin(&f);
    run_line(
        &f,
        "JSON.SET k $ {\"l\":[1,2,3],\"in\":{\"l\":[1]},\"n\":1,\"m\":{\"n\":1e9},\"s\":\"x\"}");
    f.effect_count = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        run_line(&f, lines[i]);
        if (f.effect_count != 0)
            g_printerr("%s\n", lines[i]);
        EXPECT_INT(f.effect_count, 0);
        f.effect_count = 0;
    }
    run_line(&f, "JSON.ARRAPPEND k $..l 1");
    EXPECT_INT(f.effect_count, 1);
    fixture_end(&f);
}

/* A workload says key and value; the value's size is the document's, and that of replies. */
static void test_json_workload_sets_a_document_of_its_size(void)
{
    Arg args[2] = {{.kind = ARG_KEY, .number = 3},
                   {.kind = ARG_SYNTHETIC, .number = 77, .bytes = 500}};
    Fixture f;

    fixture_begin(&f);
    EXPECT_INT(run_args(&f, "JSON.SET", args, 2).kind, REPLY_STATUS);
    EXPECT_INT(store_ledger(f.store, 0)->value_bytes, 500);
    EXPECT_INT(run_args(&f, "JSON.GET", args, 1).bytes, 500);
    EXPECT_INT(run_args(&f, "JSON.MGET", args, 1).bytes, 500);
    EXPECT_INT(run_args(&f, "JSON.RESP", args, 1).bytes, 500);
    EXPECT_INT(run_args(&f, "JSON.TYPE", args, 1).kind, REPLY_BULK);
    EXPECT_INT(run_args(&f, "JSON.STRLEN", args, 1).integer, 500); /* of the string it is then */
    EXPECT_TEXT(run_args(&f, "JSON.ARRLEN", args, 1).text,
                "ERR Path '$' does not exist or not an array");
    fixture_end(&f);
}

static const TestCase cases[] = {
    TEST(test_json_set_makes_replaces_and_adds_a_key),
    TEST(test_json_mset_does_all_or_nothing),
    TEST(test_json_mget_is_nil_where_nothing_is),
    TEST(test_json_get_prints_paths_as_asked_for),
    TEST(test_json_lengths_and_kinds_by_path),
    TEST(test_json_arrindex_looks_from_start_to_before_stop),
    TEST(test_json_arrtrim_keeps_a_range_of_any_indexes),
    TEST(test_json_elements_come_and_go_by_index),
    TEST(test_json_numbers_answer_for_every_match),
    TEST(test_json_texts_and_truths_change_in_place),
    TEST(test_json_del_and_clear_count_what_they_change),
    TEST(test_json_resp_has_the_types_of_the_protocol),
    TEST(test_json_documents_are_renamed_and_copied_whole),
    TEST(test_json_failed_commands_ship_nothing),
    TEST(test_json_workload_sets_a_document_of_its_size),
};
TEST_MAIN("group_json", cases)
