/* Why it works: an edit replicates the whole resulting value, so concurrent edits are last writer
 * wins and none is ever applied to half of another (crdt-semantics.md 3.1, 3.2). */
#include "models/data/string_edit.h"

#include <string.h>

#include <glib.h>

static const ElementRef whole = {0};

/* A SET without a deadline drops the one there was (PERSIST), or sets its family's
 * (rehearsal.md 3.1). */
static int64_t set_deadline(CommandRun *run, const Key *key, const SetOptions *options)
{
    if (options->keep_ttl || options->deadline_ms != 0)
        return options->deadline_ms;
    if (key->state && key->state->family->ttl_ns != 0)
        return store_family_deadline_ms(run->store, key, run->now);
    return key_deadline_ms(run->store, key) == DEADLINE_NONE ? 0 : DEADLINE_NONE;
}

void string_assign(CommandRun *run, Key *key, Value value, const SetOptions *options)
{
    LocalWrite write = {
        .op = EFFECT_ASSIGN, .type = run_type(key, CRDT_STRING), .value = value, .now = run->now};

    bool replaces = !key->state && key->born && key_type(run->store, key) > CRDT_STRING;
    int64_t before_ms = replaces ? key_deadline_ms(run->store, key) : DEADLINE_NONE;

    if (replaces)
        store_delete(run->store, key, run->now);
    write.deadline_ms = set_deadline(run, key, options);
    if (options->keep_ttl && before_ms != DEADLINE_NONE)
        write.deadline_ms = before_ms; /* the DEL above took it away */
    if (!run_set_sketch(run, key, &write))
        store_write(run->store, key, &write);
}

static void text_of(const SlotView *view, ViewText *out)
{
    *out = (ViewText){.text = {.data = "", .bytes = 0}};
    if (view->present)
        view_text(view, out);
}

bool string_find(CommandRun *run, uint32_t index, Key *out, ViewText *out_text)
{
    SlotView view;

    if (!run_find_view(run, index, out, &view))
        return false;
    text_of(&view, out_text);
    return true;
}

bool string_find_to_write(CommandRun *run, uint32_t index, Key *out, ViewText *out_text)
{
    SlotView view = {0};
    bool exists;

    if (!run_find_to_write(run, index, CRDT_STRING, out, &exists))
        return false;
    if (exists)
        view = run_view(run, out, run_type(out, CRDT_STRING), &whole);
    text_of(&view, out_text);
    return true;
}

char *string_copy(PayloadText text, uint64_t bytes)
{
    char *copy;

    if (!text.data)
        return NULL;
    copy = g_malloc0(bytes + 1);
    memcpy(copy, text.data, MIN(bytes, text.bytes));
    return copy;
}

void string_assign_edited(CommandRun *run, Key *key, char *text, uint64_t bytes)
{
    Value value = {
        .kind = text ? VALUE_BYTES : VALUE_SYNTHETIC, .data = text, .bytes = (uint32_t)bytes};

    string_assign(run, key, value, &(SetOptions){.keep_ttl = true});
    g_free(text);
}
