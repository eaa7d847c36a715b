/* JSON documents as wholes: what is assigned, merged, removed and read by path.
 *
 * Why it works: crdt/json_edit.h makes the edits; what the commands share is in data/document.h.
 * JSON.MSET is tried on all its documents before it is done on any, so it does all or nothing; then
 * each assignment is made on what the ones before it left, as a path may lead into one of them.
 */
#include "models/data/command.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "models/data/document.h"

static void reply_edited(Document *doc, JsonEditResult result)
{
    switch (result) {
    case JSON_EDIT_DONE:
        document_send(doc);
        run_reply_ok(doc->run);
        break;
    case JSON_EDIT_NOTHING:
        run_reply_nil(doc->run);
        break;
    case JSON_EDIT_NOT_ROOT:
        run_reply_error(doc->run, ERROR_NOT_ROOT);
        break;
    case JSON_EDIT_NOT_STATIC:
        run_reply_error(doc->run, "ERR wrong static path");
        break;
    case JSON_EDIT_NO_INDEX:
        run_reply_error(doc->run, "ERR array index out of range");
        break;
    case JSON_EDIT_TOO_DEEP:
        run_reply_error(doc->run, ERROR_TOO_DEEP);
        break;
    }
}

static bool read_set_mode(CommandRun *run, JsonSetMode *out)
{
    *out = JSON_SET_ANY;
    if (run_count(run) <= 3)
        return true;
    if (arg_is(run_arg(run, 3), "NX"))
        *out = JSON_SET_NEW;
    else if (arg_is(run_arg(run, 3), "XX"))
        *out = JSON_SET_OLD;
    if (*out != JSON_SET_ANY && run_count(run) == 4)
        return true;
    run_reply_error(run, ERROR_SYNTAX);
    return false;
}

static void run_set(CommandRun *run)
{
    JsonSetMode mode;
    g_auto(Document) doc = {0};

    if (!document_open_path(run, 1, "$", true, &doc) || !document_read_json(&doc, 2) ||
        !read_set_mode(run, &mode))
        return;
    reply_edited(&doc, json_edit_set(doc.body, doc.path, document_content(&doc), mode, &doc.edit));
}

/* The assignment at arguments i to i + 2.  False: the error is the reply. */
static bool set_one(CommandRun *run, uint32_t i, bool is_trial)
{
    g_auto(Document) doc = {0};
    JsonEditResult result;

    if (!document_open(run, i, true, &doc) || !document_find(&doc, run_text(run, i + 1)) ||
        !document_read_json(&doc, i + 2))
        return false;
    result = json_edit_set(doc.body, doc.path, document_content(&doc), JSON_SET_ANY, &doc.edit);
    if (!is_trial)
        document_send(&doc);
    else if (result != JSON_EDIT_DONE && result != JSON_EDIT_NOTHING)
        reply_edited(&doc, result);
    return run->reply->kind != REPLY_ERROR;
}

static void run_mset(CommandRun *run)
{
    uint32_t count = run_count(run);

    if (count % 3 != 0) {
        run_reply_arity(run);
        return;
    }
    for (uint32_t i = 0; i < count; i += 3)
        if (!set_one(run, i, true))
            return;
    for (uint32_t i = 0; i < count; i += 3)
        set_one(run, i, false);
    run_reply_ok(run);
}

static void run_merge(CommandRun *run)
{
    g_auto(Document) doc = {0};
    JsonEditResult result;
    bool deletes;

    if (!document_open_path(run, 1, "$", true, &doc) || !document_read_json(&doc, 2))
        return;
    result = json_edit_merge(doc.body, doc.path, document_content(&doc), &doc.edit, &deletes);
    if (deletes)
        store_delete(run->store, &doc.key, run->now);
    reply_edited(&doc, result);
}

/* --- reading */

/* What the path names: all of it as an array, or the first alone. */
static void print_found(const Document *doc, bool is_array, const JsonStyle *style, uint32_t level,
                        GString *out)
{
    if (!is_array) {
        json_view_print(g_ptr_array_index(doc->found, 0), style, level, out);
        return;
    }
    g_string_append_c(out, '[');
    for (uint32_t i = 0; i < doc->found->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        json_style_break(style, level + 1, out);
        json_view_print(g_ptr_array_index(doc->found, i), style, level + 1, out);
    }
    if (doc->found->len > 0)
        json_style_break(style, level, out);
    g_string_append_c(out, ']');
}

/* A synthetic document has no text but the weight of one. */
static PayloadText text_of(const Document *doc, const GString *printed)
{
    if (doc->found->len > 0) {
        Content first = json_view_head(g_ptr_array_index(doc->found, 0));

        if (first.kind == CONTENT_OPAQUE)
            return (PayloadText){NULL, first.count};
    }
    return (PayloadText){printed->str, (uint32_t)printed->len};
}

/* What JSON.GET was asked for. */
typedef struct {
    JsonStyle style;
    GArray *paths; /* PayloadText, each once; borrowed */
    bool is_array; /* one of them is no legacy path */
} GetQuery;

static bool add_path(GetQuery *query, PayloadText path)
{
    for (uint32_t i = 0; i < query->paths->len; i++)
        if (payload_text_is_equal(g_array_index(query->paths, PayloadText, i), path))
            return false;
    query->is_array |= path.bytes > 0 && path.data[0] == '$';
    g_array_append_val(query->paths, path);
    return true;
}

/* Options may stand before, between and after the paths.  NOESCAPE, of older versions, says
 * nothing. False: the error is the reply. */
static bool read_get_query(CommandRun *run, GetQuery *query, bool *out_is_map)
{
    *out_is_map = false;
    for (uint32_t i = 1; i < run_count(run); i++) {
        PayloadText *option = arg_is(run_arg(run, i), "INDENT")    ? &query->style.indent
                              : arg_is(run_arg(run, i), "NEWLINE") ? &query->style.newline
                              : arg_is(run_arg(run, i), "SPACE")   ? &query->style.space
                                                                   : NULL;

        if (option && ++i == run_count(run)) {
            run_reply_arity(run);
            return false;
        }
        if (arg_is(run_arg(run, i), "FORMAT") && !option) {
            run_reply_error(run, "ERR FORMAT argument is not supported on RESP2");
            return false;
        }
        if (option)
            *option = run_text(run, i);
        else if (run_arg(run, i)->kind == ARG_BYTES && !arg_is(run_arg(run, i), "NOESCAPE"))
            *out_is_map |= !add_path(query, run_text(run, i));
    }
    if (query->paths->len == 0)
        add_path(query, (PayloadText){".", 1});
    *out_is_map |= query->paths->len > 1;
    return true;
}

/* Appends the values of each path, as a map when there are several.  False: the error is the
 * reply. */
static bool print_query(Document *doc, const GetQuery *query, bool is_map, GString *out)
{
    if (is_map)
        g_string_append_c(out, '{');
    for (uint32_t i = 0; i < query->paths->len; i++) {
        PayloadText path = g_array_index(query->paths, PayloadText, i);

        if (!document_find(doc, path))
            return false;
        if (doc->found->len == 0 && !query->is_array) {
            document_error(doc, ERROR_PATH);
            return false;
        }
        if (is_map) {
            if (i > 0)
                g_string_append_c(out, ',');
            json_style_break(&query->style, 1, out);
            content_print_text(path, out);
            g_string_append_c(out, ':');
            g_string_append_len(out, query->style.space.data, query->style.space.bytes);
        }
        print_found(doc, query->is_array, &query->style, is_map, out);
    }
    if (is_map) {
        json_style_break(&query->style, 0, out);
        g_string_append_c(out, '}');
    }
    return true;
}

static void run_get(CommandRun *run)
{
    g_autoptr(GArray) paths = g_array_new(FALSE, FALSE, sizeof(PayloadText));
    GetQuery query = {.style = {{"", 0}, {"", 0}, {"", 0}}, .paths = paths};
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(Document) doc = {0};
    bool is_map;

    if (!read_get_query(run, &query, &is_map) || !document_open(run, 0, false, &doc))
        return;
    if (!doc.exists)
        run_reply_nil(run);
    else if (print_query(&doc, &query, is_map, out))
        run_reply_text(run, text_of(&doc, out));
}

/* Keys of other types read as nil, as do legacy paths that name nothing. */
static void run_mget(CommandRun *run)
{
    uint32_t last = run_count(run) - 1, count = MAX(last, 1);
    PayloadText path = last > 0 ? run_text(run, last) : (PayloadText){".", 1};

    run_reply_array(run, count);
    for (uint32_t i = 0; i < count; i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        Reply array = *run->reply;
        g_auto(Document) doc = {0};
        bool is_found = document_open(run, i, false, &doc);

        *run->reply = array;
        if (!document_find(&doc, path))
            return;
        if (is_found && doc.exists && (doc.found->len > 0 || !json_path_is_legacy(doc.path))) {
            print_found(&doc, !json_path_is_legacy(doc.path), NULL, 0, out);
            run_push_text(run, text_of(&doc, out));
        } else {
            run_push_nil(run);
        }
    }
}

static void answer_type(Document *doc, const JsonHeld *held)
{
    g_autoptr(GString) name = g_string_new(document_kind_name(json_view_head(held).kind));

    document_say_text(doc, name);
}

static void run_kinds(CommandRun *run)
{
    static const DocumentQuestion question = {.kind = -1, .answer = answer_type};

    document_ask(run, &question);
}

/* --- removing */

static void run_del(CommandRun *run)
{
    g_auto(Document) doc = {0};
    bool deletes;
    uint32_t count;

    if (!document_open_path(run, 1, "$", true, &doc))
        return;
    count = json_edit_del(doc.body, doc.path, &doc.edit, &deletes);
    if (deletes)
        store_delete(run->store, &doc.key, run->now);
    document_send(&doc);
    run_reply_integer(run, count);
}

static void run_clear(CommandRun *run)
{
    g_auto(Document) doc = {0};
    uint32_t count;

    if (!document_open_path(run, 1, "$", true, &doc))
        return;
    if (!doc.exists) {
        run_reply_error(run, ERROR_NO_DOCUMENT);
        return;
    }
    count = json_edit_clear(doc.body, doc.path, &doc.edit);
    document_send(&doc);
    run_reply_integer(run, count);
}

static void copy_document(CommandRun *run, const Key *source, Key *target)
{
    PayloadWriter content = {0}, edit = {0};

    json_view_write(json_view_root(run_body(run, source, CRDT_JSON)), &content);
    json_edit_create((PayloadText){(const char *)content.data, content.bytes}, &edit);
    run_edit(run, target, CRDT_JSON, &edit, (Value){0});
    payload_clear(&content);
    payload_clear(&edit);
}

/* Costs: no service times of RedisJSON are at hand; those of HSET and HGET stand in. */
static const CommandSpec specs[] = {
    COMMAND_SPEC("JSON.SET", "assign a document, or a value in it", -4, true, OP_LWW, SHAPE_VALUE,
                 1.5, run_set),
    COMMAND_SPEC("JSON.MSET", "assign values of several documents, all or none", -4, true, OP_LWW,
                 SHAPE_VALUE, 1.5, run_mset),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.MERGE", "merge a patch (RFC 7396)", 4, true, OP_LWW,
                      SHAPE_VALUE, 1.5, run_merge),
    COMMAND_SPEC("JSON.GET", "values of a document as text", -2, false, OP_READ, SHAPE_KEY, 1.2,
                 run_get),
    COMMAND_SPEC("JSON.MGET", "values of several documents by one path", -3, false, OP_READ,
                 SHAPE_KEY, 1.2, run_mget),
    COMMAND_SPEC("JSON.TYPE", "kinds of values", -2, false, OP_READ, SHAPE_KEY, 1, run_kinds),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.DEL", "remove values, or the document", -2, true, OP_LWW,
                      SHAPE_KEY, 1.2, run_del),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.FORGET", "JSON.DEL", -2, true, OP_LWW, SHAPE_KEY, 1.2,
                      run_del),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.CLEAR", "empty containers, numbers to 0", -2, true, OP_LWW,
                      SHAPE_KEY, 1.2, run_clear),
};

const CommandGroup command_group_json = {
    .head = {.name = "json", .summary = "documents: assigned, merged and read by path"},
    .serves = "json",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
    .copy = copy_document,
};
