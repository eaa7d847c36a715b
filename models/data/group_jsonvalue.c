/* Single values in JSON documents: numbers, texts, truths, keys of objects, and any as RESP.
 *
 * Why it works: a changed value is an assignment of the result, so of concurrent changes one is
 * seen (crdt-semantics.md 8).
 */
#include "models/data/command.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "models/data/document.h"

/* --- numbers */

static bool is_number(const Content *value)
{
    return value->kind == CONTENT_INTEGER || value->kind == CONTENT_DOUBLE;
}

/* Adds the edits, and to out the results: all in an array, or the last alone.  False: the error is
 * the reply. */
static bool change_numbers(Document *doc, bool is_product, GString *out)
{
    bool is_legacy = json_path_is_legacy(doc->path);
    Content by = content_read(document_content(doc), &(uint32_t){0});

    for (uint32_t i = 0; i < doc->found->len; i++) {
        const JsonHeld *held = g_ptr_array_index(doc->found, i);
        Content value = json_view_head(held);
        bool is_changed = is_number(&value);

        if (is_changed && !json_edit_number(held, &by, is_product, &doc->edit, &value)) {
            run_reply_error(doc->run, "ERR result is not a number");
            return false;
        }
        if (is_legacy && is_changed)
            g_string_truncate(out, 0);
        else if (!is_legacy && i > 0)
            g_string_append_c(out, ',');
        if (is_changed)
            content_print_scalar(&value, out);
        else if (!is_legacy)
            g_string_append(out, "null");
    }
    if (!is_legacy || out->len > 0)
        return true;
    document_error(doc, ERROR_PATH_NO_NUMBER);
    return false;
}

/* JSON.NUMINCRBY and NUMMULTBY. */
static void run_number(CommandRun *run)
{
    bool is_product = strcmp(run->command->spec->name, "JSON.NUMMULTBY") == 0;
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(Document) doc = {0};
    Content by;

    if (!document_open_path(run, 1, "$", true, &doc) || !document_read_json(&doc, 2))
        return;
    by = content_read(document_content(&doc), &(uint32_t){0});
    if (!doc.exists || !is_number(&by)) {
        run_reply_error(run, doc.exists ? "ERR bad input number" : ERROR_NO_DOCUMENT);
        return;
    }
    if (!change_numbers(&doc, is_product, out))
        return;
    document_send(&doc);
    if (!json_path_is_legacy(doc.path)) {
        g_string_prepend_c(out, '[');
        g_string_append_c(out, ']');
    }
    run_reply_text(run, (PayloadText){out->str, (uint32_t)out->len});
}

/* --- truths and texts */

static bool change_toggle(Document *doc, const JsonHeld *held)
{
    bool now;

    if (!json_edit_toggle(held, &doc->edit, &now))
        return false;
    if (json_path_is_legacy(doc->path)) {
        g_autoptr(GString) text = g_string_new(now ? "true" : "false");

        document_say_text(doc, text);
    } else {
        document_say_integer(doc, now);
    }
    return true;
}

static void run_toggle(CommandRun *run)
{
    g_auto(Document) doc = {0};

    if (document_open_path(run, 1, "$", true, &doc))
        document_change(&doc, change_toggle, ERROR_PATH_NO_BOOL);
}

static bool change_append(Document *doc, const JsonHeld *held)
{
    Content tail = content_read(document_content(doc), &(uint32_t){0});
    uint32_t bytes;

    if (!json_edit_append_text(held, tail.text, &doc->edit, &bytes))
        return false;
    document_say_integer(doc, bytes);
    return true;
}

static void run_strappend(CommandRun *run)
{
    bool has_path = run_count(run) > 2;
    g_auto(Document) doc = {0};
    Content tail;

    if (!document_open(run, 0, true, &doc) ||
        !document_find(&doc, has_path ? run_text(run, 1) : (PayloadText){".", 1}) ||
        !document_read_json(&doc, has_path ? 2 : 1))
        return;
    tail = content_read(document_content(&doc), &(uint32_t){0});
    if (tail.kind == CONTENT_TEXT)
        document_change(&doc, change_append, ERROR_PATH_NO_STRING);
    else if (tail.kind == CONTENT_OPAQUE)
        run_reply_error(run, "ERR JSON.STRAPPEND of a synthetic value is not simulated");
    else
        document_error_kind(&doc, CONTENT_TEXT, document_kind_name(tail.kind));
}

static void answer_bytes(Document *doc, const JsonHeld *held)
{
    Content head = json_view_head(held);

    document_say_integer(doc, head.kind == CONTENT_OPAQUE ? head.count : head.text.bytes);
}

static void run_strlen(CommandRun *run)
{
    static const DocumentQuestion question = {.kind = CONTENT_TEXT,
                                              .answer = answer_bytes,
                                              .no_document = ERROR_NO_DOCUMENT,
                                              .no_value = ERROR_PATH};

    document_ask(run, &question);
}

/* --- objects */

static void answer_count(Document *doc, const JsonHeld *held)
{
    document_say_integer(doc, json_view_head(held).count);
}

static void run_objlen(CommandRun *run)
{
    static const DocumentQuestion question = {
        .kind = CONTENT_OBJECT, .answer = answer_count, .no_document = ERROR_PATH_NO_OBJECT};

    document_ask(run, &question);
}

static void answer_keys(Document *doc, const JsonHeld *held)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    Reply *outer;

    json_view_children(held, children);
    outer = document_begin_array(doc, children->len);
    for (uint32_t i = 0; i < children->len; i++)
        run_push_text(doc->run, json_view_name(g_ptr_array_index(children, i)));
    document_end_array(doc, outer);
}

static void run_objkeys(CommandRun *run)
{
    static const DocumentQuestion question = {.kind = CONTENT_OBJECT,
                                              .answer = answer_keys,
                                              .no_document = ERROR_NO_DOCUMENT,
                                              .other_kind = ERROR_PATH_NO_OBJECT};

    document_ask(run, &question);
}

/* --- RESP */

/* As an item of the array that is open. */
static void push_resp(CommandRun *run, const JsonHeld *held)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    Content head = json_view_head(held);
    g_autoptr(GPtrArray) children = NULL;
    Reply *outer;

    switch (head.kind) {
    case CONTENT_NULL:
        run_push_nil(run);
        return;
    case CONTENT_BOOL:
        run_push_status(run, head.truth ? "true" : "false");
        return;
    case CONTENT_INTEGER:
        run_push_integer(run, head.integer);
        return;
    case CONTENT_DOUBLE:
        g_ascii_formatd(digits, sizeof(digits), "%.17g", head.real);
        run_push_text(run, (PayloadText){digits, (uint32_t)strlen(digits)});
        return;
    case CONTENT_TEXT:
        run_push_text(run, head.text);
        return;
    case CONTENT_OPAQUE:
        run_push_text(run, (PayloadText){NULL, head.count});
        return;
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        break;
    }
    children = g_ptr_array_new();
    json_view_children(held, children);
    outer = run_open_array(run, 2 * children->len + 1);
    run_push_status(run, head.kind == CONTENT_ARRAY ? "[" : "{");
    for (uint32_t i = 0; i < children->len; i++) {
        const JsonHeld *child = g_ptr_array_index(children, i);

        if (head.kind == CONTENT_OBJECT)
            run_push_text(run, json_view_name(child));
        push_resp(run, child);
    }
    run_close_array(run, outer);
}

/* A legacy path's one value is made as the only item of an array and then taken out of it. */
static void answer_resp(Document *doc, const JsonHeld *held)
{
    CommandRun *run = doc->run;

    if (!json_path_is_legacy(doc->path)) {
        push_resp(run, held);
        return;
    }
    run_reply_array(run, 1);
    push_resp(run, held);
    if (run->reply->items)
        *run->reply = run->reply->items[0];
}

static void run_resp(CommandRun *run)
{
    static const DocumentQuestion question = {
        .kind = -1, .answer = answer_resp, .no_value = ERROR_PATH};

    document_ask(run, &question);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.NUMINCRBY", "add to numbers", 4, true, OP_ACCUM, SHAPE_KEY,
                      1.2, run_number),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.NUMMULTBY", "multiply numbers", 4, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_number),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.TOGGLE", "true to false and back", 3, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_toggle),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.STRAPPEND", "append to texts", -3, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_strappend),
    COMMAND_SPEC("JSON.STRLEN", "bytes of texts", -2, false, OP_READ, SHAPE_KEY, 1, run_strlen),
    COMMAND_SPEC("JSON.OBJKEYS", "keys of objects", -2, false, OP_READ, SHAPE_KEY, 1.2,
                 run_objkeys),
    COMMAND_SPEC("JSON.OBJLEN", "how many keys", -2, false, OP_READ, SHAPE_KEY, 1, run_objlen),
    COMMAND_SPEC("JSON.RESP", "values in the protocol's own types", -2, false, OP_READ, SHAPE_KEY,
                 1.2, run_resp),
};

const CommandGroup command_group_jsonvalue = {
    .head = {.name = "jsonvalue", .summary = "numbers, texts, truths and keys in documents"},
    .serves = "json",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
