/* What is known of a stream, its groups and its consumers: XINFO (crdt-semantics.md 7).
 *
 * Why it works: nothing is asked that the stream does not keep.  Entries and groups are the same at
 * every member; consumers, what is pending, the last delivered id and what XSETID sets are this
 * member's alone, so two members may answer differently.
 *
 * Simplified: the counts of radix tree nodes are those of Redis for entries that fill its nodes by
 * number.  What a group has read is counted here, never estimated, so it is never nil. */
#include <string.h>

#include "models/data/stream_run.h"
#include "models/data/subcommand.h"

#define NODE_ENTRIES 100
#define FULL_COUNT   10 /* entries, and pending ones of each group and consumer; COUNT 0: all */

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

/* The first fields of both forms of XINFO STREAM. */
static void push_totals(CommandRun *run, const CrdtBody *body)
{
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, STREAM_ID_MAX, false);
    StreamInfo info = stream_info(body);
    uint64_t nodes = (info.length + NODE_ENTRIES - 1) / NODE_ENTRIES;
    StreamEntryView first = {0};

    (void)stream_iter_next(&iter, &first);
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
}

static void info_stream(CommandRun *run, const CrdtBody *body)
{
    run_reply_array(run, 20);
    push_totals(run, body);
    push_number(run, "groups", stream_info(body).group_count);
    push_nth(run, body, "first-entry", false);
    push_nth(run, body, "last-entry", true);
}

/* --- XINFO STREAM key FULL */
static void push_entries(CommandRun *run, const CrdtBody *body, uint64_t limit)
{
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, STREAM_ID_MAX, false);
    uint64_t count = MIN(limit, stream_info(body).length);
    StreamEntryView entry;
    Nest nest;

    push_literal(run, "entries");
    nest_begin(run, &nest, (uint32_t)count);
    while (count-- > 0 && stream_iter_next(&iter, &entry))
        push_entry(run, &entry);
    nest_end(run, &nest);
}

/* Of one consumer, which is then not named; NULL: of all. */
static void push_pending(CommandRun *run, const StreamGroup *group, const StreamConsumer *consumer,
                         uint64_t limit)
{
    uint64_t count =
        MIN(limit, consumer ? consumer->pending_count : stream_group_pending_count(group));
    const StreamPending *pending = stream_pending_seek(group, STREAM_ID_MIN, 0);
    Nest list;

    push_literal(run, "pending");
    nest_begin(run, &list, (uint32_t)count);
    for (; pending && count > 0; pending = stream_pending_next(group, pending)) {
        Nest nest;

        if (consumer && pending->consumer != consumer)
            continue;
        nest_begin(run, &nest, 4);
        push_id(run, pending->id);
        if (!consumer)
            run_push_text(run, consumer_name(pending->consumer));
        run_push_integer(run, pending->delivered.ms);
        run_push_integer(run, (int64_t)pending->delivery_count);
        nest_end(run, &nest);
        count--;
    }
    nest_end(run, &list);
}

static void push_consumers(CommandRun *run, const StreamGroup *group, uint64_t limit)
{
    uint32_t count = stream_group_consumer_count(group);
    Nest list;

    push_literal(run, "consumers");
    nest_begin(run, &list, count);
    for (uint32_t i = 0; i < count; i++) {
        const StreamConsumer *consumer = stream_consumer_at(group, i);
        Nest nest;

        nest_begin(run, &nest, 8);
        push_literal(run, "name");
        run_push_text(run, consumer_name(consumer));
        push_number(run, "seen-time", (uint64_t)consumer->seen.ms);
        push_number(run, "pel-count", consumer->pending_count);
        push_pending(run, group, consumer, limit);
        nest_end(run, &nest);
    }
    nest_end(run, &list);
}

static void info_full(CommandRun *run, const CrdtBody *body, uint64_t limit)
{
    uint32_t count = stream_info(body).group_count;
    Nest list;

    run_reply_array(run, 18);
    push_totals(run, body);
    push_entries(run, body, limit);
    push_literal(run, "groups");
    nest_begin(run, &list, count);
    for (uint32_t i = 0; i < count; i++) {
        const StreamGroup *group = stream_group_at(body, i);
        Nest nest;

        nest_begin(run, &nest, 14);
        push_literal(run, "name");
        run_push_text(run, stream_group_name(group));
        push_literal(run, "last-delivered-id");
        push_id(run, stream_group_last_id(group));
        push_number(run, "entries-read", stream_group_entries_read(group));
        push_number(run, "lag", stream_group_lag(body, group));
        push_number(run, "pel-count", stream_group_pending_count(group));
        push_pending(run, group, NULL, limit);
        push_consumers(run, group, limit);
        nest_end(run, &nest);
    }
    nest_end(run, &list);
}

/* FULL [COUNT n], and nothing else; false: the error is the reply. */
static bool take_full(CommandRun *run, uint64_t *out_limit)
{
    int64_t limit = FULL_COUNT;

    if ((run_count(run) != 3 && run_count(run) != 5) || !arg_is(run_arg(run, 2), "FULL") ||
        (run_count(run) == 5 && !arg_is(run_arg(run, 3), "COUNT"))) {
        subcommand_reply_syntax(run, "XINFO");
        return false;
    }
    if (run_count(run) == 5 && !run_integer(run, 4, &limit))
        return false;
    *out_limit = limit == 0 ? UINT64_MAX : limit < 0 ? FULL_COUNT : (uint64_t)limit;
    return true;
}

/* --- XINFO GROUPS, XINFO CONSUMERS */
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
    "XINFO STREAM key [FULL [COUNT count]]: length, ids and ends of a stream; FULL: its entries, "
    "groups and consumers too, at most count (10) of each list, 0 for all",
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
    uint64_t limit;
    bool exists;
    Key key;

    if (arg_is(run_arg(run, 0), "HELP")) {
        subcommand_reply_help(run, "xinfo|help", info_help);
        return;
    }
    if (!of_stream && !of_groups && !of_consumers) {
        subcommand_reply_unknown(run, "XINFO");
        return;
    }
    if (run_count(run) < (of_consumers ? 3U : 2U) ||
        (!of_stream && run_count(run) > (of_consumers ? 3U : 2U))) {
        subcommand_reply_arity(run, of_stream   ? "xinfo|stream"
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
    if (run_count(run) == 2)
        info_stream(run, body);
    else if (take_full(run, &limit))
        info_full(run, body, limit);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("XINFO", "what is known of a stream, its groups, its consumers", -2, false,
                 OP_READ, SHAPE_KEY, 1.0, run_xinfo),
};

const CommandGroup command_group_xinfo = {
    .head = {.name = "xinfo", .summary = "what is known of streams"},
    .serves = "stream",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
