/* Arrays in JSON documents: JSON.ARRLEN ARRINDEX ARRAPPEND ARRINSERT ARRPOP ARRTRIM.
 *
 * Why it works: indexes are looked up here and never leave; edits name elements.  Each command says
 * what it does with one array, data/document.h does that with all of them.
 */
#include "models/data/command.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "models/data/document.h"

static uint32_t length_of(const JsonHeld *array)
{
    return json_view_head(array).count;
}

static bool is_array(const JsonHeld *held)
{
    return json_view_head(held).kind == CONTENT_ARRAY;
}

/* Negative: from the end.  What lies outside is the first or the last element. */
static int64_t index_within(int64_t index, int64_t length)
{
    if (index < 0)
        return MAX(index + length, 0);
    return MAX(MIN(index, length - 1), 0);
}

static void answer_length(Document *doc, const JsonHeld *held)
{
    document_say_integer(doc, length_of(held));
}

static void run_arrlen(CommandRun *run)
{
    static const DocumentQuestion question = {.kind = CONTENT_ARRAY,
                                              .answer = answer_length,
                                              .no_document = ERROR_NO_DOCUMENT,
                                              .no_value = ERROR_PATH,
                                              .other_kind = ERROR_PATH_NO_ARRAY};

    document_ask(run, &question);
}

/* A stop of 0 is the end, any other one is past the last element looked at. */
static void answer_index(Document *doc, const JsonHeld *held)
{
    int64_t length = length_of(held);
    int64_t stop = doc->to < 0    ? MAX(doc->to + length, 0)
                   : doc->to == 0 ? length
                                  : MIN(doc->to, length);

    for (int64_t i = index_within(doc->from, length); i < stop; i++)
        if (json_view_is_equal(json_view_at(held, (uint32_t)i), document_content(doc))) {
            document_say_integer(doc, i);
            return;
        }
    document_say_integer(doc, -1);
}

static void run_arrindex(CommandRun *run)
{
    static const DocumentQuestion question = {.kind = CONTENT_ARRAY,
                                              .answer = answer_index,
                                              .no_document = ERROR_PATH,
                                              .no_document_legacy = ERROR_PATH,
                                              .no_value = ERROR_PATH};
    g_auto(Document) doc = {0};

    if (run_count(run) > 5) {
        run_reply_arity(run);
        return;
    }
    if (document_open_path(run, 1, "$", false, &doc) && document_read_json(&doc, 2) &&
        (run_count(run) < 4 || run_integer(run, 3, &doc.from)) &&
        (run_count(run) < 5 || run_integer(run, 4, &doc.to)))
        document_answer(&doc, &question);
}

/* The contents become elements from index on. */
static void insert(Document *doc, const JsonHeld *array, uint32_t index)
{
    if (json_edit_insert(array, index, doc->content_count, document_content(doc), &doc->edit) ==
        JSON_EDIT_DONE)
        document_say_integer(doc, (int64_t)length_of(array) + doc->content_count);
    else
        run_reply_error(doc->run, ERROR_TOO_DEEP);
}

static bool change_append(Document *doc, const JsonHeld *held)
{
    if (!is_array(held))
        return false;
    insert(doc, held, length_of(held));
    return true;
}

static bool change_insert(Document *doc, const JsonHeld *held)
{
    int64_t length, index = doc->from;

    if (!is_array(held))
        return false;
    length = length_of(held);
    index = index < 0 ? index + length : index;
    if (index >= 0 && index <= length)
        insert(doc, held, (uint32_t)index);
    else
        run_reply_error(doc->run, "ERR index out of bounds");
    return true;
}

static bool read_contents(Document *doc, uint32_t first)
{
    for (uint32_t i = first; i < MAX(run_count(doc->run), first + 1); i++)
        if (!document_read_json(doc, i))
            return false;
    return true;
}

static void run_arrappend(CommandRun *run)
{
    g_auto(Document) doc = {0};

    if (document_open_path(run, 1, "$", true, &doc) && read_contents(&doc, 2))
        document_change(&doc, change_append, ERROR_PATH_NO_ARRAY);
}

static void run_arrinsert(CommandRun *run)
{
    g_auto(Document) doc = {0};

    if (document_open_path(run, 1, "$", true, &doc) && run_integer(run, 2, &doc.from) &&
        read_contents(&doc, 3))
        document_change(&doc, change_insert, ERROR_PATH_NO_ARRAY);
}

static bool change_pop(Document *doc, const JsonHeld *held)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint32_t index;

    if (!is_array(held))
        return false;
    if (length_of(held) == 0) {
        document_say_nil(doc);
        return true;
    }
    index = (uint32_t)index_within(doc->from, length_of(held));
    json_view_print(json_view_at(held, index), NULL, 0, text);
    json_edit_remove_elements(held, index, index + 1, &doc->edit);
    document_say_text(doc, text);
    return true;
}

static void run_arrpop(CommandRun *run)
{
    g_auto(Document) doc = {.from = -1};

    if (document_open_path(run, 1, ".", true, &doc) &&
        (run_count(run) < 3 || run_integer(run, 2, &doc.from)))
        document_change(&doc, change_pop, ERROR_PATH_NO_ARRAY);
}

/* Both indexes are of elements that stay. */
static bool change_trim(Document *doc, const JsonHeld *held)
{
    uint32_t length, from, end;

    if (!is_array(held))
        return false;
    length = length_of(held);
    from = (uint32_t)index_within(doc->from, length);
    end = (uint32_t)index_within(doc->to, length) + 1;
    if (length == 0 || doc->from >= length || from >= end)
        from = end = 0;
    json_edit_remove_elements(held, 0, from, &doc->edit);
    json_edit_remove_elements(held, end, length, &doc->edit);
    document_say_integer(doc, end - from);
    return true;
}

static void run_arrtrim(CommandRun *run)
{
    g_auto(Document) doc = {0};

    if (document_open_path(run, 1, "$", true, &doc) && run_integer(run, 2, &doc.from) &&
        run_integer(run, 3, &doc.to))
        document_change(&doc, change_trim, ERROR_PATH_NO_ARRAY);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("JSON.ARRLEN", "lengths of arrays", -2, false, OP_READ, SHAPE_KEY, 1, run_arrlen),
    COMMAND_SPEC("JSON.ARRINDEX", "the first element equal to a value", -4, false, OP_READ,
                 SHAPE_KEY, 1.2, run_arrindex),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRAPPEND", "elements at the end", -4, true, OP_ACCUM,
                      SHAPE_KEY, 1.5, run_arrappend),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRINSERT", "elements before an index", -5, true, OP_ACCUM,
                      SHAPE_KEY, 1.5, run_arrinsert),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRPOP", "take an element out", -2, true, OP_ACCUM,
                      SHAPE_KEY, 1.2, run_arrpop),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "JSON.ARRTRIM", "remove all but a range, as far as observed", 5,
                      true, OP_LWW, SHAPE_KEY, 1.5, run_arrtrim),
};

const CommandGroup command_group_jsonarray = {
    .head = {.name = "jsonarray", .summary = "arrays in documents"},
    .serves = "json",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
