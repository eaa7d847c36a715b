/* Why it works: what a path names is looked up once, before anything is written, so the values of
 * one command do not see each other's changes; all of these are one edit, which is sent when every
 * value has been answered without an error.
 */
#include "models/data/document.h"

#include <string.h>

#include "models/crdt/crdt.h"

void document_clear(Document *doc)
{
    json_path_free(doc->path);
    if (doc->found)
        g_ptr_array_unref(doc->found);
    payload_clear(&doc->content);
    payload_clear(&doc->edit);
}

bool document_open(CommandRun *run, uint32_t key_at, bool writes, Document *doc)
{
    doc->run = run;
    if (writes ? !run_find_to_write(run, key_at, CRDT_JSON, &doc->key, &doc->exists)
               : !run_find(run, key_at, CRDT_JSON, &doc->key, &doc->exists))
        return false;
    doc->body = doc->exists ? run_body(run, &doc->key, CRDT_JSON) : NULL;
    return true;
}

bool document_find(Document *doc, PayloadText path)
{
    json_path_free(doc->path);
    doc->path_text = path;
    doc->path = json_path_parse(path.data ? path : (PayloadText){"", 0});
    if (!doc->path) {
        run_reply_error(doc->run, ERROR_SYNTAX);
        return false;
    }
    if (doc->found)
        g_ptr_array_set_size(doc->found, 0);
    else
        doc->found = g_ptr_array_new();
    json_path_find(doc->path, json_view_root(doc->body), doc->found);
    return true;
}

bool document_open_path(CommandRun *run, uint32_t path_at, const char *fallback, bool writes,
                        Document *doc)
{
    PayloadText path = {fallback, (uint32_t)strlen(fallback)};

    if (path_at < run_count(run) && run_arg(run, path_at)->kind == ARG_BYTES)
        path = run_text(run, path_at);
    return document_open(run, 0, writes, doc) && document_find(doc, path);
}

/* A workload says the value alone, without a path; NULL: not even that. */
static const Arg *value_arg(const CommandRun *run, uint32_t at)
{
    return at < run_count(run) ? run_arg(run, at) : run_first_of(run, ARG_SYNTHETIC);
}

bool document_read_json(Document *doc, uint32_t at)
{
    g_autoptr(GString) message = g_string_new(NULL);
    const Arg *arg = value_arg(doc->run, at);
    PayloadText text;

    if (!arg) {
        run_reply_arity(doc->run);
        return false;
    }
    doc->content_count++;
    if (arg->kind == ARG_SYNTHETIC) {
        Content opaque = {.kind = CONTENT_OPAQUE, .token = arg->number, .count = arg->bytes};

        content_put(&doc->content, &opaque);
        doc->synthetic_bytes += arg->bytes;
        return true;
    }
    text = run_text(doc->run, at);
    if (content_parse(text.data ? text : (PayloadText){"", 0}, &doc->content, message))
        return true;
    run_reply_error_about(doc->run, "ERR %s", message->str, message->len);
    return false;
}

PayloadText document_content(const Document *doc)
{
    return (PayloadText){(const char *)doc->content.data, doc->content.bytes};
}

void document_send(Document *doc)
{
    Value value = {.kind = doc->synthetic_bytes > 0 ? VALUE_SYNTHETIC : VALUE_NONE,
                   .bytes = doc->synthetic_bytes};

    if (doc->edit.bytes > 0)
        run_edit(doc->run, &doc->key, CRDT_JSON, &doc->edit, value);
}

void document_error(const Document *doc, const char *format)
{
    const PayloadText *path = &doc->path_text;
    g_autoptr(GString) name = g_string_new(NULL);

    if (json_path_is_legacy(doc->path))
        g_string_append(name, path->data[0] == '.' ? "$" : "$.");
    if (!json_path_is_legacy(doc->path) || !json_path_is_root(doc->path))
        g_string_append_len(name, path->data, path->bytes);
    run_reply_error_about(doc->run, format, name->str, name->len);
}

const char *document_kind_name(ContentKind kind)
{
    static const char *const names[] = {
        [CONTENT_NULL] = "null",     [CONTENT_BOOL] = "boolean",  [CONTENT_INTEGER] = "integer",
        [CONTENT_DOUBLE] = "number", [CONTENT_TEXT] = "string",   [CONTENT_ARRAY] = "array",
        [CONTENT_OBJECT] = "object", [CONTENT_OPAQUE] = "string",
    };

    return names[kind];
}

void document_error_kind(const Document *doc, ContentKind kind, const char *found)
{
    g_autofree char *kinds = g_strdup_printf("%s but found %s", document_kind_name(kind), found);

    run_reply_error_about(doc->run, "WRONGTYPE wrong type of path value - expected %s", kinds,
                          strlen(kinds));
}

void document_say_nil(Document *doc)
{
    if (json_path_is_legacy(doc->path))
        run_reply_nil(doc->run);
    else
        run_push_nil(doc->run);
}

void document_say_integer(Document *doc, int64_t value)
{
    if (json_path_is_legacy(doc->path))
        run_reply_integer(doc->run, value);
    else
        run_push_integer(doc->run, value);
}

void document_say_text(Document *doc, const GString *text)
{
    PayloadText words = {text->str, (uint32_t)text->len};

    if (json_path_is_legacy(doc->path))
        run_reply_text(doc->run, words);
    else
        run_push_text(doc->run, words);
}

Reply *document_begin_array(Document *doc, uint32_t count)
{
    if (!json_path_is_legacy(doc->path))
        return run_open_array(doc->run, count);
    run_reply_array(doc->run, count);
    return doc->run->reply;
}

void document_end_array(Document *doc, Reply *outer)
{
    run_close_array(doc->run, outer);
}

static void reply_missing(const Document *doc, const char *error)
{
    if (error)
        document_error(doc, error);
    else
        run_reply_nil(doc->run);
}

/* A synthetic value is a text of which only the size is real. */
static bool is_of_kind(const JsonHeld *held, int kind)
{
    ContentKind found = json_view_head(held).kind;

    return kind < 0 || (int)found == kind || (kind == CONTENT_TEXT && found == CONTENT_OPAQUE);
}

static void ask_first(Document *doc, const DocumentQuestion *question)
{
    const JsonHeld *held;

    if (doc->found->len == 0) {
        reply_missing(doc, question->no_value);
        return;
    }
    held = g_ptr_array_index(doc->found, 0);
    if (is_of_kind(held, question->kind))
        question->answer(doc, held);
    else if (question->other_kind)
        document_error(doc, question->other_kind);
    else
        document_error_kind(doc, (ContentKind)question->kind,
                            document_kind_name(json_view_head(held).kind));
}

void document_answer(Document *doc, const DocumentQuestion *question)
{
    bool is_legacy = json_path_is_legacy(doc->path);

    if (!doc->exists) {
        reply_missing(doc, is_legacy ? question->no_document_legacy : question->no_document);
        return;
    }
    if (is_legacy) {
        ask_first(doc, question);
        return;
    }
    run_reply_array(doc->run, doc->found->len);
    for (uint32_t i = 0; i < doc->found->len; i++) {
        const JsonHeld *held = g_ptr_array_index(doc->found, i);

        if (is_of_kind(held, question->kind))
            question->answer(doc, held);
        else
            document_say_nil(doc);
    }
}

void document_ask(CommandRun *run, const DocumentQuestion *question)
{
    g_auto(Document) doc = {0};

    if (document_open_path(run, 1, ".", false, &doc))
        document_answer(&doc, question);
}

void document_change(Document *doc, DocumentChange *change, const char *no_value)
{
    bool is_legacy = json_path_is_legacy(doc->path), has_changed = false;

    if (!doc->exists) {
        run_reply_error(doc->run, ERROR_NO_DOCUMENT);
        return;
    }
    if (!is_legacy)
        run_reply_array(doc->run, doc->found->len);
    for (uint32_t i = 0; i < doc->found->len; i++) {
        bool is_good = change(doc, g_ptr_array_index(doc->found, i));

        if (doc->run->reply->kind == REPLY_ERROR)
            return;
        if (!is_good && !is_legacy)
            document_say_nil(doc);
        has_changed |= is_good;
    }
    if (is_legacy && !has_changed)
        document_error(doc, no_value);
    document_send(doc);
}
