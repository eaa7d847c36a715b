/* Strict JSON: what is refused and in which words, and that positions survive every change of the
 * tree. */
#include "sim/json_read.h"

#include <glib/gstdio.h>
#include <string.h>

#include "sim/rng.h"
#include "tests/test.h"

static JsonDoc *good(const char *text)
{
    GError *error = NULL;
    JsonDoc *doc = json_parse("a.json", text, strlen(text), &error);

    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(doc != NULL);
    return doc;
}

static void expect_bytes_refused(const char *text, size_t size, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) doc = json_parse("a.json", text, size, &error);

    EXPECT(doc == NULL);
    EXPECT_FATAL(error != NULL);
    EXPECT_TEXT(error->message, message);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_INPUT));
}

static void expect_refused(const char *text, const char *message)
{
    expect_bytes_refused(text, strlen(text), message);
}

static void expect_json(const JsonNode *node, const char *text)
{
    g_autofree char *actual = node ? json_to_text(node) : NULL;

    EXPECT_TEXT(actual, text);
}

static void test_values_keep_their_kind_and_place(void)
{
    g_autoptr(JsonDoc) doc = good("{\"a\": [1, -2.5e3, true, null],\n"
                                  " \"b\": {\"\\u00e9\": \"x\\ty\"}}");
    const JsonNode *root = json_root(doc);
    const JsonNode *list = json_get(root, "a");
    const JsonNode *inner = json_get(json_get(root, "b"), "\xc3\xa9");

    EXPECT_INT(list->count, 4);
    EXPECT_INT(list->items[1]->kind, JSON_NUMBER);
    EXPECT_TEXT(list->items[1]->text, "-2.5e3");
    EXPECT(list->items[1]->number == -2500.0);
    EXPECT_INT(list->items[1]->column, 11);
    EXPECT_TEXT(list->items[1]->path, "a.1");
    EXPECT_INT(list->items[2]->kind, JSON_BOOL);
    EXPECT_INT(list->items[3]->kind, JSON_NULL);
    EXPECT_FATAL(inner != NULL);
    EXPECT_TEXT(inner->text, "x\ty");
    EXPECT_TEXT(inner->path, "b.\xc3\xa9");
    EXPECT_INT(inner->line, 2);
    EXPECT_INT(inner->column, 18);
    EXPECT_INT(inner->key_column, 8);
    EXPECT(json_get(root, "c") == NULL);
    EXPECT(json_get(list, "a") == NULL);
}

static void test_columns_count_characters_not_bytes(void)
{
    expect_refused("{\"\xc3\xa9\xe2\x82\xac\": x}",
                   "a.json:1:8: found \"x\"; a value is a text in double quotes, a number, true, "
                   "false, null, [...] or {...}");
}

static void test_numbers_never_depend_on_cjson_or_locale(void)
{
    g_autoptr(JsonDoc) doc = good("[0.1, 123456789012345678901234567890, -0, 1E-2]");
    const JsonNode *root = json_root(doc);

    EXPECT(root->items[0]->number == 0.1);
    EXPECT(root->items[1]->number == 123456789012345678901234567890.0);
    EXPECT_TEXT(root->items[2]->text, "-0");
    EXPECT(root->items[3]->number == 0.01);
}

static void test_bad_numbers_are_refused(void)
{
    static const char *const bad[] = {"01", "1.",   ".5",   "+1",  "1e",
                                      "-",  "0x10", "1.e3", "--1", "1_0"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("[%s]", bad[i]);
        g_autoptr(JsonDoc) doc = json_parse("a.json", text, strlen(text), &error);

        EXPECT(doc == NULL);
        EXPECT(error && g_str_has_prefix(error->message, "a.json:1:"));
    }
    expect_refused("[1, 012]",
                   "a.json:1:5: found \"012\"; write a number like 12, 0.5 or 2e6, and a "
                   "quantity with its unit in quotes, like \"85ms\"");
    expect_refused("{\"for\": 85ms}",
                   "a.json:1:9: found \"85ms\"; write a number like 12, 0.5 or 2e6, and a quantity "
                   "with its unit in quotes, like \"85ms\"");
    expect_refused("[1e999]", "a.json:1:2: 0: 1e999 is too large for a number; write it smaller");
    expect_refused("[NaN]", "a.json:1:2: found \"NaN\"; a value is a text in double quotes, a "
                            "number, true, false, null, [...] or {...}");
}

static void test_a_number_longer_than_any_use_is_refused(void)
{
    g_autofree char *digits = g_strnfill(61, '7');

    expect_refused(digits, "a.json:1:1: a number of 61 characters; write at most 60");
}

static void test_structure_errors_say_what_belongs_there(void)
{
    expect_refused("", "a.json:1:1: the file is empty; write one JSON value");
    expect_refused(" \n ", "a.json:2:2: the file is empty; write one JSON value");
    expect_refused("{\"a\": 1} x",
                   "a.json:1:10: found \"x\"; nothing may follow the document; remove it");
    expect_refused("{\"a\" 1}",
                   "a.json:1:6: found \"1\"; \":\" belongs between a key and its value");
    expect_refused("{\"a\": 1 \"b\": 2}", "a.json:1:9: found a text; \",\" or \"}\" belongs here");
    expect_refused("[1 2]", "a.json:1:4: found \"2\"; \",\" or \"]\" belongs here");
    expect_refused("{\"a\": 1,}", "a.json:1:9: found \"}\"; remove the comma before it");
    expect_refused("[1,]", "a.json:1:4: found \"]\"; remove the comma before it");
    expect_refused("{a: 1}", "a.json:1:2: found \"a\"; a key in double quotes belongs here");
    expect_refused("{'a': 1}",
                   "a.json:1:2: found a single quote; a key in double quotes belongs here");
    expect_refused("{\n// no\n}",
                   "a.json:2:1: found a comment; JSON has none, write an \"about\" key");
    expect_refused("[tru]",
                   "a.json:1:2: found \"tru\"; a value is a text in double quotes, a number, "
                   "true, false, null, [...] or {...}");
}

static void test_every_prefix_of_a_document_is_refused(void)
{
    static const char text[] = "{\"a\": [1, {\"b\": \"\\u00e9\\n\"}, true], \"c\": null}";

    for (size_t size = 0; size < strlen(text); size++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonDoc) doc = json_parse("a.json", text, size, &error);

        EXPECT(doc == NULL && error != NULL);
    }
    expect_refused(
        "{\"a\": {\n\"b\": [1",
        "a.json:2:8: the file ends inside the list that begins at line 2, column 6; is it "
        "truncated? \"]\" is missing");
    expect_refused("{\"a\": \"b", "a.json:1:7: the file ends inside this text; is it truncated?");
}

static void test_texts_are_checked_to_the_letter(void)
{
    expect_refused("[\"a\nb\"]", "a.json:1:2: this text does not end on its line; close it with a "
                                 "double quote, or write \\n for a line break");
    expect_refused("[\"a\tb\"]",
                   "a.json:1:4: control character U+0009 inside a text; write it as \\u0009");
    expect_refused("[\"\\x\"]",
                   "a.json:1:3: unknown escape; write \\\" \\\\ \\/ \\b \\f \\n \\r \\t, or "
                   "\\u and four hexadecimal digits");
    expect_refused("[\"\\u12g4\"]", "a.json:1:3: \\u takes four hexadecimal digits, as in \\u00e9");
    expect_refused("[\"\\ud800x\"]",
                   "a.json:1:3: \\ud800 is one half of a surrogate pair; write both "
                   "halves or the character itself");
    expect_refused("[\"\\udc00\"]",
                   "a.json:1:3: \\udc00 is one half of a surrogate pair; write both "
                   "halves or the character itself");
    expect_refused("[\"\\ud800\\u0041\"]",
                   "a.json:1:3: \\ud800 is one half of a surrogate pair; write "
                   "both halves or the character itself");
    expect_refused("[\"\\u0000\"]", "a.json:1:3: \\u0000 is not allowed; a text cannot hold NUL");
}

static void test_a_surrogate_pair_is_one_character(void)
{
    g_autoptr(JsonDoc) doc = good("[\"\\ud83d\\ude00\"]");

    EXPECT_TEXT(json_root(doc)->items[0]->text, "\xf0\x9f\x98\x80");
}

static void test_bytes_that_are_no_utf8_are_refused(void)
{
    expect_refused("[\"\xc3\xa9\xff\"]",
                   "a.json:1:4: byte 0xff is not valid UTF-8; save the file as UTF-8");
    expect_refused("[\"\xc0\xaf\"]",
                   "a.json:1:3: byte 0xc0 is not valid UTF-8; save the file as UTF-8");
    expect_refused("[\"\xed\xa0\x80\"]",
                   "a.json:1:3: byte 0xed is not valid UTF-8; save the file as UTF-8");
    expect_refused("\xef\xbb\xbf{}",
                   "a.json:1:1: the file begins with a byte order mark; save it as "
                   "UTF-8 without one");
    expect_bytes_refused("[1\0]", 4, "a.json:1:3: found a NUL byte; JSON is plain text");
}

static void test_duplicate_keys_are_refused_however_spelt(void)
{
    expect_refused("{\"m\": {\"us\": 1,\n \"eu\": 2, \"us\": 3}}",
                   "a.json:2:11: m: \"us\" is given twice, first at line 1, column 8; keep one");
    expect_refused("{\"a\": 1, \"\\u0061\": 2}",
                   "a.json:1:10: \"a\" is given twice, first at line 1, column 2; keep one");
}

static void test_depth_is_bounded(void)
{
    g_autofree char *open = g_strnfill(JSON_DEPTH_MAX, '[');
    g_autofree char *close = g_strnfill(JSON_DEPTH_MAX, ']');
    g_autofree char *deepest = g_strconcat(open, close, NULL);
    g_autofree char *deeper = g_strconcat("[", deepest, "]", NULL);
    g_autofree char *endless = g_strnfill(1000000, '[');
    g_autoptr(JsonDoc) doc = good(deepest);

    EXPECT(doc != NULL);
    expect_refused(deeper, "a.json:1:65: nested deeper than 64 levels; flatten the document");
    expect_refused(endless, "a.json:1:65: nested deeper than 64 levels; flatten the document");
}

static void test_size_is_bounded_also_for_files(void)
{
    g_autofree char *text = g_strnfill(JSON_BYTES_MAX + 1, ' ');
    g_autofree char *name = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) doc = NULL;
    g_autofree char *message = NULL;
    int file = g_file_open_tmp("quintet-XXXXXX.json", &name, NULL);

    EXPECT_FATAL(file >= 0);
    g_close(file, NULL);
    text[JSON_BYTES_MAX] = '1';
    expect_refused(text, "a.json:1:1: the file is larger than 16 MB; make it smaller");
    EXPECT(g_file_set_contents(name, text, JSON_BYTES_MAX + 1, NULL));
    doc = json_read_file(name, &error);
    message = g_strdup_printf("%s:1:1: the file is larger than 16 MB; make it smaller", name);
    EXPECT(doc == NULL);
    EXPECT_TEXT(error ? error->message : NULL, message);
    text[JSON_BYTES_MAX - 1] = '1';
    EXPECT(g_file_set_contents(name, text, JSON_BYTES_MAX, NULL));
    doc = json_read_file(name, NULL);
    EXPECT_FATAL(doc != NULL);
    EXPECT_INT(json_root(doc)->column, JSON_BYTES_MAX);
    g_unlink(name);
}

static void test_an_unreadable_file_is_the_machines_error(void)
{
    g_autoptr(GError) error = NULL;

    EXPECT(json_read_file("/nowhere/x.json", &error) == NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO));
    EXPECT(error && g_str_has_prefix(error->message, "/nowhere/x.json: cannot be read: "));
    g_clear_error(&error);
    EXPECT(json_read_file("/tmp", &error) == NULL);
    EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO));
}

static void test_errors_name_place_and_path(void)
{
    g_autoptr(JsonDoc) doc = good("{\n  \"faults\": {\"x\": {\"partiton\": 1}}}");
    const JsonNode *x = json_get(json_get(json_root(doc), "faults"), "x");
    g_autoptr(GError) error = NULL;

    json_error(&error, x->items[0], "wrong %d", 7);
    EXPECT_TEXT(error->message, "a.json:2:32: faults.x.partiton: wrong 7");
    g_clear_error(&error);
    json_error_key(&error, x->items[0], "unknown");
    EXPECT_TEXT(error->message, "a.json:2:20: faults.x: unknown");
    g_clear_error(&error);
    json_error(&error, json_root(doc), "whole");
    EXPECT_TEXT(error->message, "a.json:1:1: whole");
    g_clear_error(&error);
    json_error(&error, NULL, "nowhere");
    EXPECT_TEXT(error->message, "nowhere");
}

/* The cases of RFC 7396, appendix A. */
static void test_merge_patch_does_what_the_rfc_lists(void)
{
    static const char *const cases[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonDoc) base = good(cases[i][0]);
        g_autoptr(JsonDoc) patch = good(cases[i][1]);
        g_autoptr(JsonDoc) doc = json_doc_new();

        expect_json(json_merge_patch(doc, json_root(base), json_root(patch)), cases[i][2]);
    }
}

static void test_merged_values_remember_where_they_were_written(void)
{
    g_autoptr(JsonDoc) base = good("{\"links\":\n{\"delay\": 1, \"loss\": 2}}");
    static const char patch_text[] = "{\"links\": {\"loss\": 3, \"keep\": {\"x\": null}}}";
    g_autoptr(JsonDoc) patch = json_parse("p.json", patch_text, strlen(patch_text), NULL);
    g_autoptr(JsonDoc) doc = json_doc_new();
    const JsonNode *links;

    EXPECT_FATAL(patch != NULL);
    links = json_get(json_merge_patch(doc, json_root(base), json_root(patch)), "links");
    EXPECT_TEXT(json_get(links, "delay")->file, "a.json");
    EXPECT_INT(json_get(links, "delay")->line, 2);
    EXPECT_TEXT(json_get(links, "loss")->file, "p.json");
    EXPECT_INT(json_get(links, "loss")->column, 20);
    EXPECT_TEXT(json_get(links, "loss")->path, "links.loss");
    EXPECT_INT(json_get(links, "keep")->count, 0);
    expect_json(json_root(base), "{\"links\":{\"delay\":1,\"loss\":2}}");
}

static const JsonNode *substituted(JsonDoc *doc, const JsonDoc *from, GError **error)
{
    return json_substitute(doc, json_root(from), json_get(json_root(from), "params"), error);
}

static void test_parameters_stand_for_their_values(void)
{
    g_autoptr(JsonDoc) from =
        good("{\"params\": {\"t\": \"20m\", \"n\": 80, \"d\": {\"exp\": \"$t\"}, \"b\": true},\n"
             " \"a\": \"$t\", \"c\": [\"$n\", \"$d\"],\n"
             " \"when\": \"x >= $n% or $t_\", \"when2\": \"$n$t $b\",\n"
             " \"about\": \"costs $t\", \"price\": \"$5 $\"}");
    g_autoptr(JsonDoc) doc = json_doc_new();
    g_autoptr(GError) error = NULL;
    const JsonNode *root = substituted(doc, from, &error);

    EXPECT(root == NULL);
    EXPECT_TEXT(error ? error->message : NULL,
                "a.json:3:10: when: \"$t_\" is not in params; did you mean \"$t\"?");
    g_clear_error(&error);
    g_clear_pointer(&from, json_doc_free);
    from = good("{\"params\": {\"t\": \"20m\", \"n\": 80, \"d\": {\"exp\": \"$t\"}, \"b\": true},\n"
                " \"a\": \"$t\", \"c\": [\"$n\", \"$d\"],\n"
                " \"when\": \"x >= $n% or $t\", \"when2\": \"$n$t $b\",\n"
                " \"about\": \"costs $t\", \"price\": \"$5 $\"}");
    root = substituted(doc, from, &error);
    EXPECT_FATAL(root != NULL);
    expect_json(json_get(root, "a"), "\"20m\"");
    expect_json(json_get(root, "c"), "[80,{\"exp\":\"20m\"}]");
    expect_json(json_get(root, "when"), "\"x >= 80% or 20m\"");
    expect_json(json_get(root, "when2"), "\"8020m true\"");
    expect_json(json_get(root, "about"), "\"costs $t\"");
    expect_json(json_get(root, "price"), "\"$5 $\"");
    EXPECT_INT(json_get(root, "a")->line, 2);
    EXPECT_TEXT(json_get(root, "c")->items[1]->path, "c.1");
    EXPECT_TEXT(json_get(root, "c")->items[1]->items[0]->path, "c.1.exp");
    EXPECT_INT(json_get(root, "c")->items[0]->kind, JSON_NUMBER);
}

static void expect_not_substituted(const char *text, const char *message)
{
    g_autoptr(JsonDoc) from = good(text);
    g_autoptr(JsonDoc) doc = json_doc_new();
    g_autoptr(GError) error = NULL;

    EXPECT(substituted(doc, from, &error) == NULL);
    EXPECT_TEXT(error ? error->message : NULL, message);
}

static void test_a_parameter_that_cannot_stand_there_is_refused(void)
{
    expect_not_substituted("{\"params\": {\"isolation\": 1}, \"for\": \"$isolatoin\"}",
                           "a.json:1:37: for: \"$isolatoin\" is not in params; did you mean "
                           "\"$isolation\"?");
    expect_not_substituted("{\"for\": \"$x\"}",
                           "a.json:1:9: for: \"$x\" is not in params; add it there");
    expect_not_substituted(
        "{\"params\": {\"x\": {}}, \"for\": \"a $x\"}",
        "a.json:1:30: for: \"$x\" is no text or number and cannot stand inside a "
        "longer text; write it alone");
    expect_not_substituted(
        "{\"params\": {\"x\": \"$y\", \"y\": \"$x\"}, \"for\": \"1\"}",
        "a.json:1:18: params.x: \"$y\" stands for itself in the end; give it a value");
}

static const JsonNode *set(JsonDoc *doc, const JsonDoc *from, const char *path, const char *value)
{
    GError *error = NULL;
    const JsonNode *root = json_set(doc, json_root(from), path, value, &error);

    EXPECT_TEXT(error ? error->message : NULL, NULL);
    EXPECT_FATAL(root != NULL);
    return root;
}

static void test_set_changes_one_value_and_nothing_else(void)
{
    g_autoptr(JsonDoc) from = good("{\"m\":{\"us\":{\"max\":\"1GB\"},\"eu\":{}},\"l\":[1,2]}");
    g_autoptr(JsonDoc) doc = json_doc_new();
    const JsonNode *root = set(doc, from, "m.us.max", "2GB");
    const JsonNode *max = json_get(json_get(json_get(root, "m"), "us"), "max");

    expect_json(root, "{\"m\":{\"us\":{\"max\":\"2GB\"},\"eu\":{}},\"l\":[1,2]}");
    EXPECT_TEXT(max->file, "--set m.us.max=2GB");
    EXPECT_TEXT(max->path, "m.us.max");
    EXPECT_INT(json_get(root, "l")->column, 39);
    expect_json(set(doc, from, "m.eu.max", "24"),
                "{\"m\":{\"us\":{\"max\":\"1GB\"},\"eu\":{\"max\":24}},\"l\":[1,2]}");
    expect_json(set(doc, from, "m.us", "{\"max\": [true]}"),
                "{\"m\":{\"us\":{\"max\":[true]},\"eu\":{}},\"l\":[1,2]}");
    expect_json(set(doc, from, "m.us", "null"), "{\"m\":{\"eu\":{}},\"l\":[1,2]}");
    expect_json(set(doc, from, "l.1", "5%"),
                "{\"m\":{\"us\":{\"max\":\"1GB\"},\"eu\":{}},\"l\":[1,\"5%\"]}");
}

static void test_errors_in_a_set_value_name_the_option(void)
{
    g_autoptr(JsonDoc) from = good("{\"m\":{}}");
    g_autoptr(JsonDoc) doc = json_doc_new();
    const JsonNode *root = set(doc, from, "m.us", "{\"max\": 24}");
    const JsonNode *bare = set(doc, from, "m.eu", "24");
    const JsonNode *later =
        set(doc, from, "m.x", "                                                         24");
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) whole = NULL;
    g_autoptr(GError) elided = NULL;

    json_error(&whole, json_get(json_get(bare, "m"), "eu"), "no unit");
    EXPECT_TEXT(whole->message, "--set m.eu=24: m.eu: no unit");
    json_error(&elided, json_get(json_get(later, "m"), "x"), "no unit");
    EXPECT_TEXT(elided->message, "--set m.x=...:1:58: m.x: no unit");
    json_error(&error, json_get(json_get(root, "m"), "us")->items[0], "no unit");
    EXPECT_TEXT(error->message, "--set m.us={\"max\": 24}:1:9: m.us.max: no unit");
}

static void expect_not_set_to(const char *path, const char *value, const char *message)
{
    g_autoptr(JsonDoc) from = good("{\"members\":{\"us\":{\"max\":1}},\"l\":[1]}");
    g_autoptr(JsonDoc) doc = json_doc_new();
    g_autoptr(GError) error = NULL;

    EXPECT(json_set(doc, json_root(from), path, value, &error) == NULL);
    EXPECT_TEXT(error ? error->message : NULL, message);
}

static void expect_not_set(const char *path, const char *message)
{
    expect_not_set_to(path, "1", message);
}

static void test_set_says_where_a_path_goes_astray(void)
{
    expect_not_set(
        "member.us.max",
        "--set member.us.max: \"member\" is not in the document; did you mean \"members\"?");
    expect_not_set("members.asia.max",
                   "--set members.asia.max: \"asia\" is not in members; set it whole: "
                   "--set 'members.asia={...}'");
    expect_not_set("links.a.delay", "--set links.a.delay: \"links\" is not in the document; set it "
                                    "whole: --set 'links={...}'");
    expect_not_set("members.us.max.x",
                   "--set members.us.max.x: members.us.max has no \"x\" to set");
    expect_not_set("l.1", "--set l.1: l has no \"1\" to set");
    expect_not_set(
        "members..max",
        "--set members..max: an empty name; write a path such as members.us.memory.max=32GB");
    expect_not_set_to("members.su", "null",
                      "--set members.su: \"su\" is not in members; did you mean \"us\"?");
    expect_not_set_to(
        "members.europe", "null",
        "--set members.europe: \"europe\" is not in members, so null removes nothing");
    expect_not_set("", "--set : an empty name; write a path such as members.us.memory.max=32GB");
}

static void test_the_nearest_name_is_a_slip_away(void)
{
    static const char *const names[] = {"partition", "isolate", "crash", "delay"};

    EXPECT_TEXT(nearest_name("partiton", names, 4), "partition");
    EXPECT_TEXT(nearest_name("dealy", names, 4), "delay");
    EXPECT_TEXT(nearest_name("isolat", names, 4), "isolate");
    EXPECT_TEXT(nearest_name("flood", names, 4), NULL);
    EXPECT_TEXT(nearest_name("", names, 4), NULL);
    EXPECT_TEXT(nearest_name("delay", names, 0), NULL);
}

static void test_text_of_a_tree_reads_back_as_the_same_tree(void)
{
    static const char text[] =
        "{\"a\":[1.50,-0,true,false,null],\"b\\\"\\\\\":\"\\u0001\\u000a\xc3\xa9\",\"c\":{}}";
    g_autoptr(JsonDoc) doc = good(text);

    expect_json(json_root(doc), text);
}

/* The scanner and cJSON are two readers of one text: wherever they disagreed, json_parse would stop
 * the program.  What is accepted must also read back from its own text. */
static void test_damaged_documents_are_refused_or_read_back(void)
{
    static const char whole[] = "{\"a\": [1, -0.5e+3, \"\\ud83d\\ude00\\n\xc3\xa9\", {}], "
                                "\"b\\u0062\": {\"c\": true, \"d\": null}}";
    static const char bytes[] = "{}[]\",:\\u0aeE+-.19tfn \n\x01\xff\xc3\xa9/'$";
    long rounds = test_count(20000, 1000000);
    long accepted = 0;
    Rng rng = rng_stream(1, "test/damage");

    for (long round = 0; round < rounds; round++) {
        char text[sizeof whole];
        size_t size = sizeof whole - 1;
        g_autoptr(JsonDoc) doc = NULL;
        g_autoptr(GError) error = NULL;

        memcpy(text, whole, sizeof whole);
        for (uint64_t change = 0; change <= rng_below(&rng, 3); change++) {
            size_t at = (size_t)rng_below(&rng, size);

            if (rng_below(&rng, 2) == 0)
                text[at] = bytes[rng_below(&rng, sizeof bytes - 1)];
            else
                memmove(text + at, text + at + 1, size-- - at - 1);
        }
        doc = json_parse("a.json", text, size, &error);
        EXPECT_FATAL((doc != NULL) != (error != NULL));
        if (doc) {
            g_autofree char *once = json_to_text(json_root(doc));
            g_autoptr(JsonDoc) again = json_parse("again", once, strlen(once), NULL);

            EXPECT_FATAL(again != NULL);
            expect_json(json_root(again), once);
            accepted++;
        }
    }
    EXPECT(accepted > rounds / 100 && accepted < rounds);
}

static const TestCase cases[] = {
    TEST(test_values_keep_their_kind_and_place),
    TEST(test_columns_count_characters_not_bytes),
    TEST(test_numbers_never_depend_on_cjson_or_locale),
    TEST(test_bad_numbers_are_refused),
    TEST(test_a_number_longer_than_any_use_is_refused),
    TEST(test_structure_errors_say_what_belongs_there),
    TEST(test_every_prefix_of_a_document_is_refused),
    TEST(test_texts_are_checked_to_the_letter),
    TEST(test_a_surrogate_pair_is_one_character),
    TEST(test_bytes_that_are_no_utf8_are_refused),
    TEST(test_duplicate_keys_are_refused_however_spelt),
    TEST(test_depth_is_bounded),
    TEST(test_size_is_bounded_also_for_files),
    TEST(test_an_unreadable_file_is_the_machines_error),
    TEST(test_errors_name_place_and_path),
    TEST(test_merge_patch_does_what_the_rfc_lists),
    TEST(test_merged_values_remember_where_they_were_written),
    TEST(test_parameters_stand_for_their_values),
    TEST(test_a_parameter_that_cannot_stand_there_is_refused),
    TEST(test_set_changes_one_value_and_nothing_else),
    TEST(test_errors_in_a_set_value_name_the_option),
    TEST(test_set_says_where_a_path_goes_astray),
    TEST(test_the_nearest_name_is_a_slip_away),
    TEST(test_text_of_a_tree_reads_back_as_the_same_tree),
    TEST(test_damaged_documents_are_refused_or_read_back),
};
TEST_MAIN("json_read", cases)
