/* Why it works: a nested reply is built where the outer one would be, then pushed as its item, so
 * sizes add up whether or not a tree is asked for. */
#include "models/data/stream_run.h"

#include <stdarg.h>
#include <string.h>

const CrdtBody *stream_body(CommandRun *run, const Key *key, bool exists)
{
    return exists ? run_body(run, key, CRDT_STREAM) : NULL;
}

void nest_begin(CommandRun *run, Nest *nest, uint32_t capacity)
{
    nest->outer = run->reply;
    run->reply = &nest->inner;
    run_reply_array(run, capacity);
}

void nest_end(CommandRun *run, Nest *nest)
{
    run->reply = nest->outer;
    run->reply->bytes += nest->inner.bytes;
    if (run->reply->items)
        run->reply->items[run->reply->count] = nest->inner;
    run->reply->count++;
}

void push_literal(CommandRun *run, const char *text)
{
    run_push_text(run, (PayloadText){text, (uint32_t)strlen(text)});
}

void push_id(CommandRun *run, StreamId id)
{
    char text[STREAM_ID_TEXT_MAX];

    run_push_text(run, (PayloadText){text, stream_id_format(id, text)});
}

void push_entry(CommandRun *run, const StreamEntryView *entry)
{
    uint32_t cursor = 0;
    uint32_t count = 0;
    PayloadText text;
    Nest pair;
    Nest fields;

    nest_begin(run, &pair, 2);
    push_id(run, entry->id);
    while (stream_next_text(entry, &cursor, &text))
        count++;
    nest_begin(run, &fields, count + 1);
    cursor = 0;
    while (stream_next_text(entry, &cursor, &text))
        run_push_text(run, text);
    if (entry->value.kind != VALUE_BYTES)
        run_push_text(run, (PayloadText){NULL, entry->value.bytes});
    nest_end(run, &fields);
    nest_end(run, &pair);
}

void stream_reply_error(CommandRun *run, const char *what, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    run_reply_error(run, what);
    if (!run->arena)
        return;
    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_strdelimit(text, "\r\n", ' '); /* a line of the protocol has no breaks */
    run_reply_error(run, arena_text(run->arena, text));
}

bool run_stream_id(CommandRun *run, uint32_t index, uint64_t missing_seq, StreamId *out)
{
    if (stream_id_parse(run_text(run, index), missing_seq, out))
        return true;
    run_reply_error(run, ERROR_STREAM_ID);
    return false;
}

/* One end of an interval; *open: it is not itself in. */
static bool interval_end(CommandRun *run, uint32_t index, uint64_t missing_seq, StreamId *out,
                         bool *open)
{
    PayloadText text = run_text(run, index);

    *open = false;
    if (text.data && text.bytes == 1 && text.data[0] == '-')
        *out = STREAM_ID_MIN;
    else if (text.data && text.bytes == 1 && text.data[0] == '+')
        *out = STREAM_ID_MAX;
    else if (text.data && text.bytes > 1 && text.data[0] == '(') {
        *open = true;
        if (!stream_id_parse((PayloadText){text.data + 1, text.bytes - 1}, missing_seq, out)) {
            run_reply_error(run, ERROR_STREAM_ID);
            return false;
        }
    } else {
        return run_stream_id(run, index, missing_seq, out);
    }
    return true;
}

bool run_interval(CommandRun *run, uint32_t first_index, uint32_t last_index, StreamId *first,
                  StreamId *last)
{
    bool open;

    if (!interval_end(run, first_index, 0, first, &open))
        return false;
    if (open && !stream_id_next(first)) {
        run_reply_error(run, "ERR invalid start ID for the interval");
        return false;
    }
    if (!interval_end(run, last_index, UINT64_MAX, last, &open))
        return false;
    if (open && !stream_id_prev(last)) {
        run_reply_error(run, "ERR invalid end ID for the interval");
        return false;
    }
    return true;
}

bool run_stream_integer(CommandRun *run, uint32_t index, const char *error, int64_t *out)
{
    if (run_integer(run, index, out))
        return true;
    run_reply_error(run, error);
    return false;
}

StreamGroup *group_of(CommandRun *run, const Key *key, bool exists, uint32_t index)
{
    const CrdtBody *body = stream_body(run, key, exists);
    PayloadText name = run_text(run, index);

    return body && name.data ? stream_group(body, name) : NULL;
}

void group_reply_missing(CommandRun *run, uint32_t key_index, uint32_t group_index)
{
    PayloadText key = run_text(run, key_index);
    PayloadText group = run_text(run, group_index);

    stream_reply_error(run, "NOGROUP", "NOGROUP No such key '%.*s' or consumer group '%.*s'",
                       (int)key.bytes, key.data ? key.data : "", (int)group.bytes,
                       group.data ? group.data : "");
}

PayloadText consumer_name(const StreamConsumer *consumer)
{
    return (PayloadText){consumer->name, consumer->name_bytes};
}

void stream_reply_no_group(CommandRun *run, uint32_t key_index, uint32_t group_index)
{
    PayloadText key = run_text(run, key_index);
    PayloadText group = run_text(run, group_index);

    stream_reply_error(run, "NOGROUP", "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                       (int)group.bytes, group.data ? group.data : "", (int)key.bytes,
                       key.data ? key.data : "");
}
