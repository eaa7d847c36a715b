/* Commands that read several streams: XREAD, XREADGROUP (crdt-semantics.md 7).
 *
 * Why it works: deliveries to groups are this member's alone, so reading makes no effect.  What is
 * after an id is read from all regions' trees at once: an entry that arrives late with a lower id
 * is skipped by XREAD, as documented; groups go by a cursor for each tree and skip nothing.
 *
 * A read that blocks keeps the ids it came with, "$" as the id it then stood for, and reads again
 * when one of its streams has changed.
 *
 * Simplified: an entry that is added and deleted within one transaction wakes nobody (Redis shows
 * an empty stream). */
#include <string.h>

#include "models/data/stream_run.h"

#define ERROR_UNBALANCED                                                                           \
    "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
#define ERROR_NEW_ONLY_GROUP                                                                       \
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "          \
    "<consumer> option."
#define ERROR_LAST_IN_GROUP                                                                        \
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of "   \
    "this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID "      \
    "would "                                                                                       \
    "just return an empty result set."

typedef struct {
    bool is_group;     /* XREADGROUP */
    uint32_t group_at; /* argument; 0: none */
    bool no_ack;
    bool blocks;
    int64_t timeout_ms; /* of one that blocks */
    uint64_t limit;
    uint32_t keys_at, key_count; /* ids follow */
} ReadOptions;

static bool take_count(CommandRun *run, uint32_t index, uint64_t *out)
{
    int64_t count;

    if (!run_integer(run, index, &count))
        return false;
    *out = count > 0 ? (uint64_t)count : UINT64_MAX;
    return true;
}

static bool take_block(CommandRun *run, uint32_t index, ReadOptions *out)
{
    out->blocks = true;
    if (!run_stream_integer(run, index, "ERR timeout is not an integer or out of range",
                            &out->timeout_ms))
        return false;
    if (out->timeout_ms < 0)
        run_reply_error(run, ERROR_TIMEOUT_NEGATIVE);
    return out->timeout_ms >= 0;
}

static bool refuse(CommandRun *run, const char *text)
{
    run_reply_error(run, text);
    return false;
}

static bool take_streams(CommandRun *run, uint32_t at, ReadOptions *out)
{
    uint32_t count = run_count(run) - at;

    if (count % 2 != 0)
        return refuse(run, ERROR_UNBALANCED);
    out->keys_at = at;
    out->key_count = count / 2;
    return true;
}

/* A workload follows one stream: it names the key and how long to wait for what comes next, or on
 * reading again the id. */
static bool take_workload(CommandRun *run, ReadOptions *out)
{
    out->key_count = 1;
    out->blocks = true;
    return run_arg(run, 1)->kind == ARG_BYTES || run_timeout(run, 1, &out->timeout_ms);
}

static bool take_read_options(CommandRun *run, ReadOptions *out)
{
    if (run_arg(run, 0)->kind == ARG_KEY && !out->is_group)
        return take_workload(run, out);
    for (uint32_t i = 0; i < run_count(run); i++) {
        const Arg *arg = run_arg(run, i);
        uint32_t more = run_count(run) - i - 1;

        if (more > 0 && arg_is(arg, "BLOCK")) {
            if (!take_block(run, ++i, out))
                return false;
        } else if (more > 0 && arg_is(arg, "COUNT")) {
            if (!take_count(run, ++i, &out->limit))
                return false;
        } else if (more > 0 && arg_is(arg, "STREAMS")) {
            return take_streams(run, i + 1, out);
        } else if (more > 1 && arg_is(arg, "GROUP")) {
            if (!out->is_group)
                return refuse(run,
                              "ERR The GROUP option is only supported by XREADGROUP. You called "
                              "XREAD instead.");
            out->group_at = i + 1;
            i += 2;
        } else if (arg_is(arg, "NOACK")) {
            if (!out->is_group)
                return refuse(run,
                              "ERR The NOACK option is only supported by XREADGROUP. You called "
                              "XREAD instead.");
            out->no_ack = true;
        } else {
            return refuse(run, ERROR_SYNTAX);
        }
    }
    return refuse(run, ERROR_SYNTAX);
}

/* One stream as it is asked for. */
typedef struct {
    Key key;
    const CrdtBody *body; /* NULL: no such key */
    StreamGroup *group;
    StreamId after;
    bool is_new; /* ">" */
} ReadStream;

static bool missing_in_read(CommandRun *run, uint32_t key_index, uint32_t group_index)
{
    PayloadText key = run_text(run, key_index);
    PayloadText group = run_text(run, group_index);

    stream_reply_error(
        run, "NOGROUP",
        "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP with GROUP option",
        (int)key.bytes, key.data ? key.data : "", (int)group.bytes, group.data ? group.data : "");
    return false;
}

/* Workloads give no id. */
static bool is_last_id(const Arg *arg)
{
    return arg->kind != ARG_BYTES || (arg->bytes == 1 && arg->data[0] == '$');
}

static bool find_stream(CommandRun *run, const ReadOptions *options, uint32_t nth, ReadStream *out)
{
    uint32_t key_index = options->keys_at + nth;
    uint32_t id_index = key_index + options->key_count;
    PayloadText id = run_text(run, id_index);
    bool is_new = id.data && id.bytes == 1 && id.data[0] == '>';
    bool is_last = is_last_id(run_arg(run, id_index));
    bool exists;

    *out = (ReadStream){.is_new = is_new};
    if (!run_find(run, key_index, CRDT_STREAM, &out->key, &exists))
        return false;
    out->body = stream_body(run, &out->key, exists);
    if (options->is_group) {
        out->group = group_of(run, &out->key, exists, options->group_at);
        if (!out->group)
            return missing_in_read(run, key_index, options->group_at);
        if (is_last)
            return refuse(run, ERROR_LAST_IN_GROUP);
    } else if (is_new) {
        return refuse(run, ERROR_NEW_ONLY_GROUP);
    }
    if (is_last)
        out->after = out->body ? stream_info(out->body).last_id : STREAM_ID_MIN;
    else if (!is_new)
        return run_stream_id(run, id_index, 0, &out->after);
    return true;
}

static uint32_t capped(uint64_t limit, uint64_t count)
{
    return (uint32_t)(limit < count ? limit : count);
}

/* --- what one stream gives; returns whether there is anything to show */
static bool push_after(CommandRun *run, const ReadStream *stream, uint64_t limit)
{
    StreamId first = stream->after;
    StreamEntryView entry;
    StreamIter iter;
    uint64_t count = 0;

    if (!stream->body || !stream_id_next(&first))
        return false;
    iter = stream_iter(stream->body, first, STREAM_ID_MAX, false);
    for (StreamIter walk = iter; count < limit && stream_iter_next(&walk, &entry);)
        count++;
    if (count == 0)
        return false;
    run_reply_array(run, (uint32_t)count);
    while (count-- > 0 && stream_iter_next(&iter, &entry))
        push_entry(run, &entry);
    return true;
}

static bool push_new(CommandRun *run, const ReadStream *stream, StreamConsumer *consumer,
                     const ReadOptions *options)
{
    uint64_t undelivered = run->arena ? stream_group_lag(stream->body, stream->group) : 0;
    StreamEntryView entry;
    uint64_t count = 0;

    run_reply_array(run, capped(options->limit, undelivered));
    while (count < options->limit && stream_group_next(stream->body, stream->group, &entry)) {
        push_entry(run, &entry);
        stream_group_take(stream->group, &entry, options->no_ack ? NULL : consumer, run->now);
        count++;
    }
    if (count > 0)
        consumer->active = run->now;
    return count > 0;
}

/* What is pending for the consumer after an id; deleted entries show as nil. */
static void push_history(CommandRun *run, const ReadStream *stream, const StreamConsumer *consumer,
                         uint64_t limit)
{
    StreamId first = stream->after;
    bool has_next = stream_id_next(&first);
    StreamPending *pending = has_next ? stream_pending_seek(stream->group, first, 0) : NULL;
    uint64_t count = 0;

    run_reply_array(run, capped(limit, consumer->pending_count));
    for (; pending && count < limit; pending = stream_pending_next(stream->group, pending)) {
        StreamEntryView entry;
        Nest pair;

        if (pending->consumer != consumer)
            continue;
        count++;
        if (stream_find_dot(stream->body, pending->id, pending->dot, &entry)) {
            pending->delivered = run->now;
            pending->delivery_count++;
            push_entry(run, &entry);
            continue;
        }
        nest_begin(run, &pair, 2);
        push_id(run, pending->id);
        run_push_nil(run);
        nest_end(run, &pair);
    }
}

static bool push_for_group(CommandRun *run, const ReadStream *stream, const ReadOptions *options)
{
    StreamConsumer *consumer;
    StreamEntryView unused;

    if (stream->is_new && !stream_group_next(stream->body, stream->group, &unused))
        return false; /* as Redis 7.0: nothing to give makes no consumer */
    consumer =
        stream_consumer_create(stream->group, run_text(run, options->group_at + 1), run->now);
    consumer->seen = run->now;
    if (stream->is_new)
        return push_new(run, stream, consumer, options);
    push_history(run, stream, consumer, options->limit);
    return true;
}

/* A key and what it gives, when it gives something. */
static bool push_stream(CommandRun *run, const ReadStream *stream, const ReadOptions *options,
                        uint32_t key_index)
{
    Reply *outer = run->reply;
    Reply entries;
    Reply pair;
    bool any;

    run->reply = &entries;
    any = options->is_group ? push_for_group(run, stream, options)
                            : push_after(run, stream, options->limit);
    run->reply = outer;
    if (!any)
        return false;
    run->reply = &pair;
    run_reply_array(run, 2);
    run_push_key(run, &stream->key, key_index);
    nest_end(run, &(Nest){.outer = &pair, .inner = entries});
    nest_end(run, &(Nest){.outer = outer, .inner = pair});
    return true;
}

/* --- waiting for more */

/* What came to one of the streams; false: nothing. */
static bool serve_again(CommandRun *run, uint32_t key_index, ReadOptions *options)
{
    ReadStream stream;

    if (!take_read_options(run, options) ||
        !find_stream(run, options, key_index - options->keys_at, &stream))
        return true; /* the error is the reply */
    run_reply_array(run, 1);
    return push_stream(run, &stream, options, key_index);
}

static bool serve_read(CommandRun *run, uint32_t index)
{
    return serve_again(run, index, &(ReadOptions){.limit = UINT64_MAX});
}

/* Whoever waits for a group learns that it is gone. */
static bool serve_group(CommandRun *run, uint32_t index)
{
    ReadOptions options = {.is_group = true, .limit = UINT64_MAX};
    bool exists;
    Key key;

    if (!take_read_options(run, &options) || !run_find(run, index, -1, &key, &exists))
        return true;
    if (!exists || key_type(run->store, &key) != CRDT_STREAM) {
        run_reply_error(run, "UNBLOCKED the stream key no longer exists");
        return true;
    }
    if (!group_of(run, &key, exists, options.group_at)) {
        run_reply_error(run, "NOGROUP the consumer group this client was blocked on no longer "
                             "exists");
        return true;
    }
    return serve_again(run, index, &(ReadOptions){.is_group = true, .limit = UINT64_MAX});
}

static void wait_for_more(CommandRun *run, const ReadOptions *options, const ReadStream *streams)
{
    Wait wait = {.type = CRDT_STREAM,
                 .first = options->keys_at,
                 .count = options->key_count,
                 .timeout_ms = options->timeout_ms,
                 .sees_loss = options->is_group,
                 .serve = options->is_group ? serve_group : serve_read};
    const Command *asked = run->command;
    uint32_t count = options->keys_at + 2 * options->key_count;
    g_autofree Arg *args = g_new0(Arg, count);
    g_autofree char *ids = g_malloc((gsize)options->key_count * STREAM_ID_TEXT_MAX + 1);
    Command again = {.spec = asked->spec, .args = args, .count = count};

    memcpy(args, asked->args, MIN(count, asked->count) * sizeof(Arg));
    for (uint32_t i = 0; i < options->key_count; i++) {
        Arg *id = &args[options->keys_at + options->key_count + i];

        if (!is_last_id(run_arg(run, options->keys_at + options->key_count + i)))
            continue;
        id->kind = ARG_BYTES;
        id->data = ids + (gsize)i * STREAM_ID_TEXT_MAX;
        id->bytes = stream_id_format(streams[i].after, ids + (gsize)i * STREAM_ID_TEXT_MAX);
    }
    run->command = &again;
    run_wait(run, &wait);
    run->command = asked;
}

static void read_streams(CommandRun *run, const ReadOptions *options)
{
    g_autofree ReadStream *streams = g_new(ReadStream, options->key_count + 1);
    bool any = false;

    for (uint32_t i = 0; i < options->key_count; i++)
        if (!find_stream(run, options, i, &streams[i]))
            return;
    run_reply_array(run, options->key_count);
    for (uint32_t i = 0; i < options->key_count; i++)
        any = push_stream(run, &streams[i], options, options->keys_at + i) || any;
    if (any)
        return;
    run_reply_nil(run);
    if (options->blocks)
        wait_for_more(run, options, streams);
}

static void run_xread(CommandRun *run)
{
    ReadOptions options = {.limit = UINT64_MAX};

    if (take_read_options(run, &options))
        read_streams(run, &options);
}

static void run_xreadgroup(CommandRun *run)
{
    ReadOptions options = {.is_group = true, .limit = UINT64_MAX};

    if (!take_read_options(run, &options))
        return;
    if (options.group_at == 0)
        run_reply_error(run, "ERR Missing GROUP option for XREADGROUP");
    else
        read_streams(run, &options);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("XREAD", "entries after an id, of several streams", -4, false, OP_READ, SHAPE_WAIT,
                 1.5, run_xread),
    COMMAND_SPEC("XREADGROUP", "entries not yet delivered to a group", -7, true, OP_ACCUM,
                 SHAPE_KEY, 1.8, run_xreadgroup),
};

const CommandGroup command_group_xread = {
    .head = {.name = "xread", .summary = "reading streams, also for groups"},
    .serves = "stream",
    .specs = specs,
    .count = sizeof(specs) / sizeof(specs[0]),
};
