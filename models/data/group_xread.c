/* Commands that read several streams or what is known about one: XREAD, XREADGROUP, XINFO
 * (crdt-semantics.md 7).
 *
 * Why it works: deliveries to groups are this member's alone, so reading makes no effect.  What is
 * after an id is read from all regions' trees at once: an entry that arrives late with a lower id
 * is skipped by XREAD, as documented; groups go by a cursor for each tree and skip nothing.
 *
 * Simplified: nothing blocks; what would wait is answered as if its time were up.  The counts of
 * radix tree nodes that XINFO shows are those of Redis for entries that fill its nodes by number.
 */
#include <string.h>

#include "models/data/stream_run.h"

#define NODE_ENTRIES 100

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

static bool take_block(CommandRun *run, uint32_t index)
{
    int64_t timeout_ms;

    if (!run_stream_integer(run, index, "ERR timeout is not an integer or out of range",
                            &timeout_ms))
        return false;
    if (timeout_ms < 0)
        run_reply_error(run, "ERR timeout is negative");
    return timeout_ms >= 0;
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

static bool take_read_options(CommandRun *run, ReadOptions *out)
{
    for (uint32_t i = 0; i < run_count(run); i++) {
        const Arg *arg = run_arg(run, i);
        uint32_t more = run_count(run) - i - 1;

        if (more > 0 && arg_is(arg, "BLOCK")) {
            if (!take_block(run, ++i))
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
    CrdtBody *body; /* NULL: no such key */
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

static bool find_stream(CommandRun *run, const ReadOptions *options, uint32_t nth, ReadStream *out)
{
    uint32_t key_index = options->keys_at + nth;
    uint32_t id_index = key_index + options->key_count;
    PayloadText id = run_text(run, id_index);
    bool is_new = id.data && id.bytes == 1 && id.data[0] == '>';
    bool is_last = id.data && id.bytes == 1 && id.data[0] == '$';
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
    run_push_text(run, run_text(run, key_index));
    nest_end(run, &(Nest){.outer = &pair, .inner = entries});
    nest_end(run, &(Nest){.outer = outer, .inner = pair});
    return true;
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
    if (!any)
        run_reply_nil(run);
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

/* --- XINFO */
static void push_nth(CommandRun *run, const CrdtBody *body, const char *name, bool reverse)
{
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, STREAM_ID_MAX, reverse);
    StreamEntryView entry;

    push_literal(run, name);
    if (stream_iter_next(&iter, &entry))
        push_entry(run, &entry);
    else
        run_push_nil(run);
}

static void push_number(CommandRun *run, const char *name, uint64_t value)
{
    push_literal(run, name);
    run_push_integer(run, (int64_t)value);
}

static void info_stream(CommandRun *run, const CrdtBody *body)
{
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, STREAM_ID_MAX, false);
    StreamInfo info = stream_info(body);
    uint64_t nodes = (info.length + NODE_ENTRIES - 1) / NODE_ENTRIES;
    StreamEntryView first = {0};

    (void)stream_iter_next(&iter, &first);
    run_reply_array(run, 20);
    push_number(run, "length", info.length);
    push_number(run, "radix-tree-keys", nodes);
    push_number(run, "radix-tree-nodes", nodes + 1);
    push_literal(run, "last-generated-id");
    push_id(run, info.last_id);
    push_literal(run, "max-deleted-entry-id");
    push_id(run, info.max_deleted_id);
    push_number(run, "entries-added", info.entries_added);
    push_literal(run, "recorded-first-entry-id");
    push_id(run, first.id);
    push_number(run, "groups", info.group_count);
    push_nth(run, body, "first-entry", false);
    push_nth(run, body, "last-entry", true);
}

/* Of a key that does not exist the documents show an empty list; Redis replies an error. */
static void info_groups(CommandRun *run, const CrdtBody *body)
{
    uint32_t count = body ? stream_info(body).group_count : 0;

    run_reply_array(run, count);
    for (uint32_t i = 0; i < count; i++) {
        const StreamGroup *group = stream_group_at(body, i);
        Nest nest;

        nest_begin(run, &nest, 12);
        push_literal(run, "name");
        run_push_text(run, stream_group_name(group));
        push_number(run, "consumers", stream_group_consumer_count(group));
        push_number(run, "pending", stream_group_pending_count(group));
        push_literal(run, "last-delivered-id");
        push_id(run, stream_group_last_id(group));
        push_number(run, "entries-read", stream_group_entries_read(group));
        push_number(run, "lag", stream_group_lag(body, group));
        nest_end(run, &nest);
    }
}

static void info_consumers(CommandRun *run, const StreamGroup *group)
{
    uint32_t count = stream_group_consumer_count(group);

    run_reply_array(run, count);
    for (uint32_t i = 0; i < count; i++) {
        const StreamConsumer *consumer = stream_consumer_at(group, i);
        int64_t idle_ms = run->now.ms - consumer->seen.ms;
        Nest nest;

        nest_begin(run, &nest, 6);
        push_literal(run, "name");
        run_push_text(run, consumer_name(consumer));
        push_number(run, "pending", consumer->pending_count);
        push_number(run, "idle", idle_ms > 0 ? (uint64_t)idle_ms : 0);
        nest_end(run, &nest);
    }
}

static const char *const info_help[] = {
    "XINFO STREAM key: length, ids and ends of a stream",
    "XINFO GROUPS key: its consumer groups as this member sees them",
    "XINFO CONSUMERS key group: the group's consumers at this member", "XINFO HELP: this list",
    NULL};

static void run_xinfo(CommandRun *run)
{
    bool of_stream = arg_is(run_arg(run, 0), "STREAM");
    bool of_groups = arg_is(run_arg(run, 0), "GROUPS");
    bool of_consumers = arg_is(run_arg(run, 0), "CONSUMERS");
    const StreamGroup *group;
    const CrdtBody *body;
    bool exists;
    Key key;

    if (arg_is(run_arg(run, 0), "HELP")) {
        stream_reply_help(run, info_help);
        return;
    }
    if (!of_stream && !of_groups && !of_consumers) {
        stream_reply_subcommand(run, "XINFO");
        return;
    }
    if (run_count(run) < (of_consumers ? 3U : 2U) ||
        (!of_stream && run_count(run) > (of_consumers ? 3U : 2U))) {
        stream_reply_arity(run, of_stream   ? "xinfo|stream"
                                : of_groups ? "xinfo|groups"
                                            : "xinfo|consumers");
        return;
    }
    if (!run_find(run, 1, CRDT_STREAM, &key, &exists))
        return;
    body = stream_body(run, &key, exists);
    if (of_groups) {
        info_groups(run, body);
        return;
    }
    if (!body) {
        run_reply_error(run, ERROR_NO_KEY);
        return;
    }
    if (of_consumers) {
        group = group_of(run, &key, exists, 2);
        if (group)
            info_consumers(run, group);
        else
            stream_reply_no_group(run, 1, 2);
        return;
    }
    if (run_count(run) > 2 && !arg_is(run_arg(run, 2), "FULL"))
        run_reply_error(run,
                        "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try "
                        "XINFO HELP.");
    else if (run_count(run) > 2)
        run_reply_error(run, "ERR XINFO STREAM FULL is not supported");
    else
        info_stream(run, body);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("XREAD", "entries after an id, of several streams", -4, false, OP_READ, SHAPE_KEY,
                 1.5, run_xread),
    COMMAND_SPEC("XREADGROUP", "entries not yet delivered to a group", -7, true, OP_ACCUM,
                 SHAPE_KEY, 1.8, run_xreadgroup),
    COMMAND_SPEC("XINFO", "what is known of a stream, its groups, its consumers", -2, false,
                 OP_READ, SHAPE_KEY, 1.0, run_xinfo),
};

const CommandGroup command_group_xread = {
    .head = {.name = "xread", .summary = "reading streams, also for groups"},
    .serves = "stream",
    .specs = specs,
    .count = sizeof(specs) / sizeof(specs[0]),
};
