/* JSON texts and JSONPath: what is read, printed and found. */
#include "tests/test.h"

#include <string.h>

#include "models/crdt/body_json.h"
#include "models/crdt/json_edit.h"

static PayloadText text_of(const char *text)
{
    return (PayloadText){text, (uint32_t)strlen(text)};
}

/* A document at member 1; NULL: text is not JSON. */
static CrdtBody *document(const char *text)
{
    PayloadWriter content = {0}, edit = {0};
    g_autoptr(GString) message = g_string_new(NULL);
    g_autoptr(JsonPath) root = json_path_parse(text_of("$"));
    Causality causality;
    CrdtBody *body = NULL;

    causality_init(&causality);
    if (content_parse(text_of(text), &content, message)) {
        Effect effect = {.dot = dot_make(1, 1), .op = EFFECT_EDIT, .element_count = 1};
        BodyEffect in = {.effect = &effect, .causality = &causality};

        body = body_json.create();
        json_edit_set(body, root, (PayloadText){(const char *)content.data, content.bytes},
                      JSON_SET_ANY, &edit);
        in.edit = (PayloadText){(const char *)edit.data, edit.bytes};
        body_json.apply(body, &in);
    }
    payload_clear(&content);
    payload_clear(&edit);
    causality_clear(&causality);
    return body;
}

/* What path finds in document, one after the other; "?" for what is no path. */
static char *found(const CrdtBody *body, const char *path)
{
    g_autoptr(JsonPath) parsed = json_path_parse(text_of(path));
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    GString *out = g_string_new(NULL);

    if (!parsed)
        return g_string_free(g_string_append_c(out, '?'), FALSE);
    json_path_find(parsed, json_view_root(body), values);
    for (uint32_t i = 0; i < values->len; i++) {
        if (i > 0)
            g_string_append_c(out, ' ');
        json_view_print(g_ptr_array_index(values, i), NULL, 0, out);
    }
    return g_string_free(out, FALSE);
}

static void expect_found(const char *text, const char *path, const char *expected)
{
    CrdtBody *body = document(text);
    g_autofree char *values = found(body, path);

    EXPECT_TEXT(values, expected);
    body_json.destroy(body);
}

static void expect_printed(const char *text, const char *expected)
{
    expect_found(text, "$", expected);
}

static void test_json_integers_stay_exact_and_doubles_print_shortest(void)
{
    expect_printed("[9007199254740993,-9223372036854775808,9223372036854775807]",
                   "[9007199254740993,-9223372036854775808,9223372036854775807]");
    expect_printed("[1.0,1e2,0.1,-2.50,1e-5,0.00001234,-0]",
                   "[1.0,100.0,0.1,-2.5,0.00001,0.00001234,-0.0]");
    expect_printed("[1e16,1e15,1.7976931348623157e308,5e-324,1e-6]",
                   "[1e16,1000000000000000.0,1.7976931348623157e308,5e-324,1e-6]");
    expect_printed("[0.30000000000000004,3.3,123456789.125,9223372036854775808]",
                   "[0.30000000000000004,3.3,123456789.125,9.223372036854776e18]");
}

static void test_json_text_is_unescaped_and_escaped_again(void)
{
    expect_printed(" { \"a\\u0062\" : \"\\\"\\\\\\/\\n\\u0001\\ud83d\\ude00\" } ",
                   "{\"ab\":\"\\\"\\\\/\\n\\u0001\xf0\x9f\x98\x80\"}");
    expect_printed("\"\\u0000x\"", "\"\\u0000x\"");
}

static void test_json_repeated_key_keeps_first_place_and_last_value(void)
{
    expect_printed("{\"a\":1,\"b\":{\"c\":1,\"c\":[2]},\"a\":{\"z\":3}}",
                   "{\"a\":{\"z\":3},\"b\":{\"c\":[2]}}");
    expect_printed("{\"z\":1,\"y\":2,\"x\":3}", "{\"z\":1,\"y\":2,\"x\":3}");
}

static void test_json_refuses_what_is_not_json(void)
{
    static const char *const wrong[] = {
        "",      "{",      "[1,]",    "{\"a\"}",     "{a:1}",       "01",  "1.",  "- 1",
        "nul",   "\"\n\"", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "1 2", "'a'", "[1 2]",
        "1e999", "\xff",   "+1",      "\"abc",       "{\"a\":1,}",  "tru", "[1}", "\"\\u12g4\"",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        CrdtBody *body = document(wrong[i]);

        EXPECT(body == NULL);
        if (body)
            body_json.destroy(body);
    }
}

static void test_json_refuses_nesting_past_the_limit(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    CrdtBody *body;

    for (int i = 0; i < JSON_NESTING_MAX; i++)
        g_string_append_c(text, '[');
    for (int i = 0; i < JSON_NESTING_MAX; i++)
        g_string_append_c(text, ']');
    expect_printed(text->str, text->str);
    g_string_prepend_c(text, '[');
    g_string_append_c(text, ']');
    body = document(text->str);
    EXPECT(body == NULL);
}

#define STORE                                                                                      \
    "{\"store\":{\"book\":[{\"title\":\"A\",\"price\":8},{\"title\":\"B\",\"price\":12.5},"        \
    "{\"title\":\"C\",\"price\":9,\"tag\":null}],\"price\":3},\"k.x\":true}"

static void test_json_path_names_and_brackets(void)
{
    expect_found(STORE, "$.store.price", "3");
    expect_found(STORE, "$['store'][\"price\"]", "3");
    expect_found(STORE, "$[\"k.x\"]", "true");
    expect_found(STORE, "$.store.book[0].title", "\"A\"");
    expect_found(STORE, "$.store.book[-1].title", "\"C\"");
    expect_found(STORE, "$.store.book[3].title", "");
    expect_found(STORE, "$.store.book[-4]", "");
    expect_found(STORE, "$.store.nothing", "");
    expect_found(STORE, "$.store.book.title", "");
}

static void test_json_path_slices_and_unions(void)
{
    expect_found("[0,1,2,3,4,5]", "$[1:3]", "1 2");
    expect_found("[0,1,2,3,4,5]", "$[:2]", "0 1");
    expect_found("[0,1,2,3,4,5]", "$[-2:]", "4 5");
    expect_found("[0,1,2,3,4,5]", "$[::2]", "0 2 4");
    expect_found("[0,1,2,3,4,5]", "$[4:1]", "");
    expect_found("[0,1,2,3,4,5]", "$[-9:9:4]", "0 4");
    expect_found("[0,1,2,3,4,5]", "$[5, 0,-2]", "5 0 4");
    expect_found("{\"a\":1,\"b\":2,\"c\":3}", "$['c','a']", "3 1");
    expect_found("{\"a\":1,\"b\":2,\"c\":3}", "$.*", "1 2 3");
    expect_found("[[1,2],[3]]", "$[*][*]", "1 2 3");
}

static void test_json_path_deep(void)
{
    expect_found(STORE, "$..price", "3 8 12.5 9");
    expect_found(STORE, "$..book[1].price", "12.5");
    expect_found("{\"a\":{\"a\":[1]}}", "$..a", "{\"a\":[1]} [1]");
    expect_found("{\"a\":[1,[2]]}", "$..*", "[1,[2]] 1 [2] 2");
    expect_found("{\"a\":[1,[2]]}", "$..[0]", "1 2");
    expect_found("[[[[1]]]]", "$..*..*", "[[1]] [1] 1");
}

static void test_json_path_filters(void)
{
    expect_found(STORE, "$.store.book[?(@.price<10)].title", "\"A\" \"C\"");
    expect_found(STORE, "$.store.book[?(@.price>=9 && @.title!='C')].title", "\"B\"");
    expect_found(STORE, "$.store.book[?(@.title==\"A\"||@.price==12.5)].price", "8 12.5");
    expect_found(STORE, "$..book[?(@.tag)].title", "\"C\"");
    expect_found(STORE, "$..book[?(!@.tag)].title", "\"A\" \"B\"");
    expect_found(STORE, "$..book[?(@.tag==null)].title", "\"C\"");
    expect_found(STORE, "$..book[?(@.price>$.store.price)].title", "\"A\" \"B\" \"C\"");
    expect_found("[1,2,\"2\",3]", "$[?(@==2)]", "2");
    expect_found("[1,2,\"2\",3]", "$[?@>1]", "2 3");
}

static void test_json_path_legacy(void)
{
    expect_found(STORE, ".", STORE);
    expect_found(STORE, ".store.price", "3");
    expect_found(STORE, "store.book[1].title", "\"B\"");
    expect_found("[7,8]", "[1]", "8");
    g_autoptr(JsonPath) legacy = json_path_parse(text_of(".a"));
    g_autoptr(JsonPath) modern = json_path_parse(text_of("$.a"));

    EXPECT(json_path_is_legacy(legacy) && !json_path_is_legacy(modern));
}

static void test_json_path_refuses_what_is_no_path(void)
{
    static const char *const wrong[] = {
        "",    "$.",        "$[",          "$[]",     "$.a[",    "$['a",  "$[a]",
        "$..", "$.a.",      "$[1:2:0]",    "$[?(@.a", "$[?(1)]", "$.a b", "$[?(@.a==)]",
        "$x",  "$[1:2:-1]", "$[?(@.a=1)]", "$[1,]",   "$.a]"};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(JsonPath) path = json_path_parse(text_of(wrong[i]));

        if (path)
            g_printerr("taken for a path: %s\n", wrong[i]);
        EXPECT(path == NULL);
    }
}

static void test_json_prints_with_the_indents_asked_for(void)
{
    CrdtBody *body = document("{\"a\":[1,{}],\"b\":2}");
    JsonStyle style = {text_of("  "), text_of("\n"), text_of(" ")};
    g_autoptr(GString) out = g_string_new(NULL);

    json_view_print(json_view_root(body), &style, 0, out);
    EXPECT_TEXT(out->str, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": 2\n}");
    body_json.destroy(body);
}

static void test_json_equality_ignores_the_order_of_keys(void)
{
    CrdtBody *body = document("{\"a\":[1,{}],\"b\":2}");
    PayloadWriter same = {0}, other = {0};
    g_autoptr(GString) message = g_string_new(NULL);

    EXPECT(content_parse(text_of("{\"b\":2,\"a\":[1,{}]}"), &same, message));
    EXPECT(content_parse(text_of("{\"b\":2,\"a\":[{},1]}"), &other, message));
    EXPECT(json_view_is_equal(json_view_root(body),
                              (PayloadText){(const char *)same.data, same.bytes}));
    EXPECT(!json_view_is_equal(json_view_root(body),
                               (PayloadText){(const char *)other.data, other.bytes}));
    payload_clear(&same);
    payload_clear(&other);
    body_json.destroy(body);
}

static const TestCase cases[] = {
    TEST(test_json_integers_stay_exact_and_doubles_print_shortest),
    TEST(test_json_text_is_unescaped_and_escaped_again),
    TEST(test_json_repeated_key_keeps_first_place_and_last_value),
    TEST(test_json_refuses_what_is_not_json),
    TEST(test_json_refuses_nesting_past_the_limit),
    TEST(test_json_path_names_and_brackets),
    TEST(test_json_path_slices_and_unions),
    TEST(test_json_path_deep),
    TEST(test_json_path_filters),
    TEST(test_json_path_legacy),
    TEST(test_json_path_refuses_what_is_no_path),
    TEST(test_json_prints_with_the_indents_asked_for),
    TEST(test_json_equality_ignores_the_order_of_keys),
};
TEST_MAIN("json_path", cases)
