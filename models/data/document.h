/* What the commands on JSON documents share: finding values by a path, and answering per value.
 *
 * A path from $ is answered with an array, an item per value it names; a legacy path with one
 * reply: of commands that read, for the first value; of commands that write, for the last one
 * changed. Errors have the texts of RedisJSON 2.8, but that each begins with a code.  A command
 * that fails changes nothing. Simplified: a document of a declared family is one synthetic value,
 * without paths.
 */
#pragma once

#include "models/crdt/json_edit.h"
#include "models/data/command_run.h"

/* %s is the path. */
#define ERROR_PATH           "ERR Path '%s' does not exist"
#define ERROR_PATH_NO_ARRAY  "ERR Path '%s' does not exist or not an array"
#define ERROR_PATH_NO_BOOL   "ERR Path '%s' does not exist or not a bool"
#define ERROR_PATH_NO_NUMBER "ERR Path '%s' does not exist or does not contains a number"
#define ERROR_PATH_NO_OBJECT "ERR Path '%s' does not exist or not an object"
#define ERROR_PATH_NO_STRING "ERR Path '%s' does not exist or not a string"

#define ERROR_NO_DOCUMENT "ERR could not perform this operation on a key that doesn't exist"
#define ERROR_NOT_ROOT    "ERR new objects must be created at the root"
#define ERROR_TOO_DEEP    "ERR recursion limit exceeded"

/* One command on one document.  Zeroed, opened, and cleared at last (g_auto). */
typedef struct {
    CommandRun *run;
    Key key;
    bool exists;
    const CrdtBody *body; /* NULL: no document */
    PayloadText path_text;
    JsonPath *path;
    GPtrArray *found;      /* const JsonHeld *: what path names */
    PayloadWriter content; /* the JSON values given, one after the other */
    uint32_t content_count;
    uint32_t synthetic_bytes; /* of these, the size of what has no bytes; it travels as a value's */
    int64_t from, to;         /* indexes given */
    PayloadWriter edit;
} Document;

/* False, here and below: the error is the reply. */
bool document_open(CommandRun *run, uint32_t key_at, bool writes, Document *doc);
bool document_find(Document *doc, PayloadText path); /* again with another path, too */
/* The key at argument 0 and the path at path_at; fallback, a literal, when that is left out. */
bool document_open_path(CommandRun *run, uint32_t path_at, const char *fallback, bool writes,
                        Document *doc);
bool document_read_json(Document *doc, uint32_t at); /* adds a value to the contents */

PayloadText document_content(const Document *doc);
void document_send(Document *doc); /* the edit, if there is any */
void document_clear(Document *doc);

/* The reply is format, with the path from its root in place of %s. */
void document_error(const Document *doc, const char *format);
/* WRONGTYPE: a value of kind was wanted; found is what was there in its place. */
void document_error_kind(const Document *doc, ContentKind kind, const char *found);
const char *document_kind_name(ContentKind kind); /* as JSON.TYPE says it */

/* --- one value's answer: an item of the array, or the reply */
void document_say_nil(Document *doc);
void document_say_integer(Document *doc, int64_t value);
void document_say_text(Document *doc, const GString *text);
/* Items follow by run_push_*, up to document_end_array, which takes what this gave. */
Reply *document_begin_array(Document *doc, uint32_t count);
void document_end_array(Document *doc, Reply *outer);

/* A command that reads.  Values of another kind are nil in an array. */
typedef struct {
    int kind; /* a ContentKind; -1: any */
    void (*answer)(Document *doc, const JsonHeld *held);
    /* Errors, about the path where they hold a %s; NULL: nil. */
    const char *no_document;        /* a path from $ */
    const char *no_document_legacy; /* a legacy one */
    const char *no_value;           /* a legacy path names nothing */
    const char *other_kind;         /* a legacy path names something else; NULL: WRONGTYPE */
} DocumentQuestion;

void document_answer(Document *doc, const DocumentQuestion *question);
/* The whole of a command whose only argument is a path, the root when it is left out. */
void document_ask(CommandRun *run, const DocumentQuestion *question);

/* A command that writes: change adds to the edit and says its answer; false: held is of no kind it
 * changes.  An error it left as the reply ends the command.  no_value: of a legacy path that names
 * nothing it changes. */
typedef bool DocumentChange(Document *doc, const JsonHeld *held);

void document_change(Document *doc, DocumentChange *change, const char *no_value);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Document, document_clear)
