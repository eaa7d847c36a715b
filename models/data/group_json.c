/* JSON documents: what RedisJSON answers, by its documented commands.
 *
 * Why it works: a command finds the values its path names, writes one edit for all of them and
 * answers per value: an array for a path from $, the first alone for a legacy one.
 * Simplified: a document of a declared family is one synthetic value, without paths.
 */
#include "models/data/command.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "models/crdt/json_edit.h"
#include "models/data/command_run.h"

#define ERROR_PATH     "ERR Path does not exist"
#define ERROR_NOT_ROOT "ERR new objects must be created at the root"
#define ERROR_TOO_DEEP "ERR recursion limit exceeded"
#define ERROR_JSON     "ERR expected a JSON value: %s"
#define ERROR_MISSING  "ERR could not perform this operation on a key that doesn't exist"

/* One command on one document. */
typedef struct {
    CommandRun *run;
    Key key;
    bool exists;
    const CrdtBody *body;
    JsonPath *path;
    GPtrArray *found; /* what path names */
    PayloadWriter edit;
    PayloadWriter content;
} Doc;

static void doc_clear(Doc *doc)
{
    json_path_free(doc->path);
    if (doc->found)
        g_ptr_array_unref(doc->found);
    payload_clear(&doc->edit);
    payload_clear(&doc->content);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Doc, doc_clear)

/* Finds the key and reads the path at argument `at` (absent: fallback).  False: answered. */
static bool doc_open(CommandRun *run, uint32_t at, const char *fallback, bool writes, Doc *doc)
{
    PayloadText path = {fallback, (uint32_t)strlen(fallback)};

    doc->run = run;
    if (writes ? !run_find_to_write(run, 0, CRDT_JSON, &doc->key, &doc->exists)
               : !run_find(run, 0, CRDT_JSON, &doc->key, &doc->exists))
        return false;
    if (at < run_count(run) && run_arg(run, at)->kind == ARG_BYTES)
        path = run_text(run, at);
    doc->path = json_path_parse(path.data ? path : (PayloadText){"", 0});
    if (!doc->path) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    doc->body = doc->exists ? run_body(run, &doc->key, CRDT_JSON) : NULL;
    doc->found = g_ptr_array_new();
    json_path_find(doc->path, json_view_root(doc->body), doc->found);
    return true;
}

/* Appends the JSON at argument `at` to the contents.  False: answered. */
static bool doc_read(Doc *doc, uint32_t at)
{
    g_autoptr(GString) message = g_string_new(NULL);
    PayloadText text = run_text(doc->run, at);
    const Arg *arg = run_arg(doc->run, at);

    if (arg->kind == ARG_SYNTHETIC) {
        Content opaque = {.kind = CONTENT_OPAQUE, .token = arg->number, .count = arg->bytes};

        content_put(&doc->content, &opaque);
        return true;
    }
    if (content_parse(text.data ? text : (PayloadText){"", 0}, &doc->content, message))
        return true;
    run_reply_error_about(doc->run, ERROR_JSON, message->str, message->len);
    return false;
}

static PayloadText doc_content(const Doc *doc)
{
    return (PayloadText){(const char *)doc->content.data, doc->content.bytes};
}

static void doc_send(Doc *doc)
{
    if (doc->edit.bytes > 0)
        run_edit(doc->run, &doc->key, CRDT_JSON, &doc->edit, (Value){0});
}

static void reply_string(CommandRun *run, const GString *text)
{
    run_reply_text(run, (PayloadText){text->str, (uint32_t)text->len});
}

static void run_set(CommandRun *run)
{
    JsonSetMode mode = JSON_SET_ANY;
    g_auto(Doc) doc = {0};

    if (!doc_open(run, 1, "$", true, &doc) || !doc_read(&doc, 2))
        return;
    if (run_count(run) > 3 && arg_is(run_arg(run, 3), "NX"))
        mode = JSON_SET_NEW;
    else if (run_count(run) > 3 && arg_is(run_arg(run, 3), "XX"))
        mode = JSON_SET_OLD;
    else if (run_count(run) > 3) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    switch (json_edit_set(doc.body, doc.path, doc_content(&doc), mode, &doc.edit)) {
    case JSON_EDIT_DONE:
        doc_send(&doc);
        run_reply_ok(run);
        break;
    case JSON_EDIT_NOTHING:
        run_reply_nil(run);
        break;
    case JSON_EDIT_NOT_ROOT:
        run_reply_error(run, ERROR_NOT_ROOT);
        break;
    case JSON_EDIT_TOO_DEEP:
        run_reply_error(run, ERROR_TOO_DEEP);
        break;
    }
}

static void run_merge(CommandRun *run)
{
    g_auto(Doc) doc = {0};
    bool deletes;

    if (!doc_open(run, 1, "$", true, &doc) || !doc_read(&doc, 2))
        return;
    switch (json_edit_merge(doc.body, doc.path, doc_content(&doc), &doc.edit, &deletes)) {
    case JSON_EDIT_DONE:
        if (deletes)
            store_delete(run->store, &doc.key, run->now);
        else
            doc_send(&doc);
        run_reply_ok(run);
        break;
    case JSON_EDIT_NOTHING:
        run_reply_nil(run);
        break;
    case JSON_EDIT_NOT_ROOT:
        run_reply_error(run, ERROR_NOT_ROOT);
        break;
    case JSON_EDIT_TOO_DEEP:
        run_reply_error(run, ERROR_TOO_DEEP);
        break;
    }
}

static void print_found(const Doc *doc, const JsonStyle *style, GString *out)
{
    bool is_legacy = json_path_is_legacy(doc->path);

    if (!is_legacy)
        g_string_append_c(out, '[');
    for (uint32_t i = 0; i < doc->found->len && (i == 0 || !is_legacy); i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        json_view_print(g_ptr_array_index(doc->found, i), style, out);
    }
    if (!is_legacy)
        g_string_append_c(out, ']');
}

/* Simplified: indents of a path from $ begin anew in each value. */
static void run_get(CommandRun *run)
{
    JsonStyle style = {{"", 0}, {"", 0}, {"", 0}};
    g_autoptr(GString) out = g_string_new(NULL);
    uint32_t first = 1, count;

    for (; first + 1 < run_count(run); first += 2)
        if (arg_is(run_arg(run, first), "INDENT"))
            style.indent = run_text(run, first + 1);
        else if (arg_is(run_arg(run, first), "NEWLINE"))
            style.newline = run_text(run, first + 1);
        else if (arg_is(run_arg(run, first), "SPACE"))
            style.space = run_text(run, first + 1);
        else
            break;
    count = run_count(run) > first ? run_count(run) - first : 1;
    for (uint32_t i = 0; i < count; i++) {
        g_auto(Doc) doc = {0};

        if (!doc_open(run, first + i, ".", false, &doc))
            return;
        if (!doc.exists) {
            run_reply_nil(run);
            return;
        }
        if (doc.found->len == 0 && json_path_is_legacy(doc.path)) {
            run_reply_error(run, ERROR_PATH);
            return;
        }
        if (count > 1) {
            g_string_append_c(out, i == 0 ? '{' : ',');
            content_print_text(run_text(run, first + i), out);
            g_string_append_c(out, ':');
        }
        print_found(&doc, &style, out);
    }
    if (count > 1)
        g_string_append_c(out, '}');
    reply_string(run, out);
}

static void run_del(CommandRun *run)
{
    g_auto(Doc) doc = {0};
    bool deletes;
    uint32_t count;

    if (!doc_open(run, 1, "$", true, &doc))
        return;
    count = json_edit_del(doc.body, doc.path, &doc.edit, &deletes);
    if (deletes)
        store_delete(run->store, &doc.key, run->now);
    else
        doc_send(&doc);
    run_reply_integer(run, count);
}

static void run_clear(CommandRun *run)
{
    g_auto(Doc) doc = {0};
    uint32_t count;

    if (!doc_open(run, 1, "$", true, &doc))
        return;
    if (!doc.exists) {
        run_reply_error(run, ERROR_MISSING);
        return;
    }
    count = json_edit_clear(doc.body, doc.path, &doc.edit);
    doc_send(&doc);
    run_reply_integer(run, count);
}

/* One value's answer: false is nil (of a legacy path an error). */
typedef bool AnswerFn(Doc *doc, const JsonHeld *held, int64_t *out);

/* An integer per value that path names. */
static void answer_integers(Doc *doc, AnswerFn *answer)
{
    CommandRun *run = doc->run;
    bool is_legacy = json_path_is_legacy(doc->path);
    int64_t value;

    if (!doc->exists) {
        run_reply_error(run, ERROR_MISSING);
        return;
    }
    if (is_legacy && doc->found->len == 0) {
        run_reply_error(run, ERROR_PATH);
        return;
    }
    if (!is_legacy)
        run_reply_array(run, doc->found->len);
    for (uint32_t i = 0; i < doc->found->len; i++) {
        bool is_good = answer(doc, g_ptr_array_index(doc->found, i), &value);

        if (!is_legacy && is_good)
            run_push_integer(run, value);
        else if (!is_legacy)
            run_push_nil(run);
        else if (is_good && i == 0)
            run_reply_integer(run, value);
        else if (i == 0)
            run_reply_error(run, ERROR_WRONGTYPE);
    }
    doc_send(doc);
}

static bool count_of_kind(const JsonHeld *held, ContentKind kind, int64_t *out)
{
    Content head = json_view_head(held);

    *out = kind == CONTENT_TEXT ? head.text.bytes : head.count;
    return head.kind == kind;
}

static bool answer_arrlen(Doc *doc, const JsonHeld *held, int64_t *out)
{
    (void)doc;
    return count_of_kind(held, CONTENT_ARRAY, out);
}

static bool answer_objlen(Doc *doc, const JsonHeld *held, int64_t *out)
{
    (void)doc;
    return count_of_kind(held, CONTENT_OBJECT, out);
}

static bool answer_strlen(Doc *doc, const JsonHeld *held, int64_t *out)
{
    (void)doc;
    return json_view_head(held).kind == CONTENT_TEXT && count_of_kind(held, CONTENT_TEXT, out);
}

static bool answer_toggle(Doc *doc, const JsonHeld *held, int64_t *out)
{
    bool now = false, is_good = json_edit_toggle(held, &doc->edit, &now);

    *out = now;
    return is_good;
}

static bool answer_arrappend(Doc *doc, const JsonHeld *held, int64_t *out)
{
    Content head = json_view_head(held);
    uint32_t count = run_count(doc->run) - 2;

    *out = (int64_t)head.count + count;
    return head.kind == CONTENT_ARRAY && json_edit_insert(held, head.count, count, doc_content(doc),
                                                          &doc->edit) == JSON_EDIT_DONE;
}

static bool answer_arrinsert(Doc *doc, const JsonHeld *held, int64_t *out)
{
    Content head = json_view_head(held);
    uint32_t count = run_count(doc->run) - 3;
    int64_t index = 0;

    run_integer(doc->run, 2, &index); /* read before */
    index = index < 0 ? MAX(index + head.count, 0) : MIN(index, head.count);
    *out = (int64_t)head.count + count;
    return head.kind == CONTENT_ARRAY &&
           json_edit_insert(held, (uint32_t)index, count, doc_content(doc), &doc->edit) ==
               JSON_EDIT_DONE;
}

static void run_arrlen(CommandRun *run)
{
    g_auto(Doc) doc = {0};

    if (doc_open(run, 1, ".", false, &doc))
        answer_integers(&doc, answer_arrlen);
}

static void run_objlen(CommandRun *run)
{
    g_auto(Doc) doc = {0};

    if (doc_open(run, 1, ".", false, &doc))
        answer_integers(&doc, answer_objlen);
}

static void run_strlen(CommandRun *run)
{
    g_auto(Doc) doc = {0};

    if (doc_open(run, 1, ".", false, &doc))
        answer_integers(&doc, answer_strlen);
}

static void run_toggle(CommandRun *run)
{
    g_auto(Doc) doc = {0};

    if (doc_open(run, 1, "$", true, &doc))
        answer_integers(&doc, answer_toggle);
}

static void run_arrappend(CommandRun *run)
{
    g_auto(Doc) doc = {0};

    if (!doc_open(run, 1, "$", true, &doc))
        return;
    for (uint32_t i = 2; i < run_count(run); i++)
        if (!doc_read(&doc, i))
            return;
    answer_integers(&doc, answer_arrappend);
}

static void run_arrinsert(CommandRun *run)
{
    g_auto(Doc) doc = {0};
    int64_t index;

    if (!doc_open(run, 1, "$", true, &doc) || !run_integer(run, 2, &index))
        return;
    for (uint32_t i = 3; i < run_count(run); i++)
        if (!doc_read(&doc, i))
            return;
    answer_integers(&doc, answer_arrinsert);
}

/* The text of the value popped; false: no array, or an empty one. */
static bool pop(Doc *doc, const JsonHeld *held, int64_t index, GString *out)
{
    Content head = json_view_head(held);

    if (head.kind != CONTENT_ARRAY || head.count == 0)
        return false;
    index = index < 0 ? MAX(index + head.count, 0) : MIN(index, (int64_t)head.count - 1);
    g_string_truncate(out, 0);
    json_view_print(json_view_at(held, (uint32_t)index), NULL, out);
    json_edit_remove_elements(held, (uint32_t)index, (uint32_t)index + 1, &doc->edit);
    return true;
}

static void run_arrpop(CommandRun *run)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(Doc) doc = {0};
    int64_t index = -1;
    bool is_legacy;

    if (!doc_open(run, 1, ".", true, &doc) || (run_count(run) > 2 && !run_integer(run, 2, &index)))
        return;
    if (!doc.exists) {
        run_reply_error(run, ERROR_MISSING);
        return;
    }
    is_legacy = json_path_is_legacy(doc.path);
    if (is_legacy)
        run_reply_nil(run);
    else
        run_reply_array(run, doc.found->len);
    for (uint32_t i = 0; i < doc.found->len; i++) {
        bool is_good = pop(&doc, g_ptr_array_index(doc.found, i), index, text);

        if (is_legacy && is_good && i == 0)
            reply_string(run, text);
        else if (!is_legacy && is_good)
            run_push_text(run, (PayloadText){text->str, (uint32_t)text->len});
        else if (!is_legacy)
            run_push_nil(run);
    }
    doc_send(&doc);
}

static void change_numbers(CommandRun *run, bool is_product)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(Doc) doc = {0};
    uint32_t cursor = 0;
    bool is_legacy;
    Content by;

    if (!doc_open(run, 1, "$", true, &doc) || !doc_read(&doc, 2))
        return;
    by = content_read(doc_content(&doc), &cursor);
    is_legacy = json_path_is_legacy(doc.path);
    if (!doc.exists || (is_legacy && doc.found->len == 0) ||
        (by.kind != CONTENT_INTEGER && by.kind != CONTENT_DOUBLE)) {
        run_reply_error(run, !doc.exists           ? ERROR_MISSING
                             : doc.found->len == 0 ? ERROR_PATH
                                                   : ERROR_FLOAT);
        return;
    }
    for (uint32_t i = 0; i < doc.found->len; i++) {
        Content result = {.kind = CONTENT_NULL};

        g_string_append_c(out, i == 0 ? '[' : ',');
        json_edit_number(g_ptr_array_index(doc.found, i), &by, is_product, &doc.edit, &result);
        if (is_legacy) {
            g_string_truncate(out, 0);
            content_print_scalar(&result, out);
            break;
        }
        content_print_scalar(&result, out);
    }
    if (!is_legacy)
        g_string_append(out, doc.found->len == 0 ? "[]" : "]");
    doc_send(&doc);
    reply_string(run, out);
}

static void run_numincrby(CommandRun *run)
{
    change_numbers(run, false);
}

static void run_nummultby(CommandRun *run)
{
    change_numbers(run, true);
}

static void run_type_of(CommandRun *run)
{
    static const char *const names[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object",  "string"};
    g_auto(Doc) doc = {0};
    bool is_legacy;

    if (!doc_open(run, 1, ".", false, &doc))
        return;
    is_legacy = json_path_is_legacy(doc.path);
    if (!doc.exists || (is_legacy && doc.found->len == 0)) {
        run_reply_nil(run);
        return;
    }
    if (!is_legacy)
        run_reply_array(run, doc.found->len);
    for (uint32_t i = 0; i < doc.found->len && (i == 0 || !is_legacy); i++) {
        const char *name = names[json_view_head(g_ptr_array_index(doc.found, i)).kind];
        PayloadText text = {name, (uint32_t)strlen(name)};

        if (is_legacy)
            run_reply_text(run, text);
        else
            run_push_text(run, text);
    }
}

/* Costs: no service times of RedisJSON are at hand; those of HSET and HGET stand in. */
static const CommandSpec specs[] = {
    COMMAND_SPEC("JSON.SET", "assign a document, or a value in it", -4, true, OP_LWW, SHAPE_VALUE,
                 1.5, run_set),
    COMMAND_SPEC("JSON.GET", "values of a document as text", -2, false, OP_READ, SHAPE_KEY, 1.2,
                 run_get),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.DEL", "remove values, or the document", -2, true, OP_LWW,
                      SHAPE_KEY, 1.2, run_del),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.FORGET", "JSON.DEL", -2, true, OP_LWW, SHAPE_KEY, 1.2,
                      run_del),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.MERGE", "merge a patch (RFC 7396)", 4, true, OP_LWW,
                      SHAPE_VALUE, 1.5, run_merge),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.CLEAR", "empty containers, numbers to 0", -2, true, OP_LWW,
                      SHAPE_KEY, 1.2, run_clear),
    COMMAND_SPEC("JSON.TYPE", "kinds of values", -2, false, OP_READ, SHAPE_KEY, 1, run_type_of),
    COMMAND_SPEC("JSON.ARRLEN", "lengths of arrays", -2, false, OP_READ, SHAPE_KEY, 1, run_arrlen),
    COMMAND_SPEC("JSON.OBJLEN", "how many keys", -2, false, OP_READ, SHAPE_KEY, 1, run_objlen),
    COMMAND_SPEC("JSON.STRLEN", "bytes of texts", -2, false, OP_READ, SHAPE_KEY, 1, run_strlen),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.TOGGLE", "true to false and back", 3, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_toggle),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRAPPEND", "elements at the end", -4, true, OP_ACCUM,
                      SHAPE_KEY, 1.5, run_arrappend),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRINSERT", "elements before an index", -5, true, OP_ACCUM,
                      SHAPE_KEY, 1.5, run_arrinsert),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRPOP", "take an element out", -2, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_arrpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.NUMINCRBY", "add to numbers", 4, true, OP_ACCUM, SHAPE_KEY,
                      1.2, run_numincrby),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.NUMMULTBY", "multiply numbers", 4, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_nummultby),
};

const CommandGroup command_group_json = {
    .head = {.name = "json", .summary = "documents: values, arrays and numbers by path"},
    .serves = "json",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
