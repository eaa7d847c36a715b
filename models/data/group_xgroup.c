/* Commands on consumer groups and what is pending in them (crdt-semantics.md 7).
 *
 * Why it works: CREATE and DESTROY make an effect each; XACK makes one when the gap-free prefix of
 * a region's entries grew.  Everything else about a group is this member's alone and is changed in
 * place. */
#include <string.h>

#include "models/data/stream_run.h"
#include "models/data/subcommand.h"

#define ERROR_KEY_NEEDED                                                                           \
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to "   \
    "use the MKSTREAM option to create an empty stream automatically."

/* --- XGROUP: argument 0 is the subcommand, 1 the key, 2 the group */
static bool take_start(CommandRun *run, const CrdtBody *body, StreamId *out)
{
    PayloadText text = run_text(run, 3);

    if (text.data && text.bytes == 1 && text.data[0] == '$') {
        *out = body ? stream_info(body).last_id : STREAM_ID_MIN;
        return true;
    }
    return run_stream_id(run, 3, 0, out);
}

/* MKSTREAM and ENTRIESREAD; the number is checked and not kept: the model counts for itself. */
static bool take_group_options(CommandRun *run, bool *make_stream)
{
    *make_stream = false;
    for (uint32_t i = 4; i < run_count(run); i++) {
        int64_t read;

        if (arg_is(run_arg(run, 0), "CREATE") && arg_is(run_arg(run, i), "MKSTREAM")) {
            *make_stream = true;
        } else if (arg_is(run_arg(run, i), "ENTRIESREAD") && i + 1 < run_count(run)) {
            if (!run_integer(run, ++i, &read))
                return false;
            if (read < 0 && read != -1) {
                run_reply_error(run, "ERR value for ENTRIESREAD must be positive or -1");
                return false;
            }
        } else {
            subcommand_reply_syntax(run, "XGROUP");
            return false;
        }
    }
    return true;
}

static void group_create(CommandRun *run)
{
    PayloadWriter edit = {0};
    bool make_stream;
    StreamId start;
    bool exists;
    Key key;

    if (!take_group_options(run, &make_stream) ||
        !run_find_to_write(run, 1, CRDT_STREAM, &key, &exists))
        return;
    if (!exists && !make_stream) {
        run_reply_error(run, ERROR_KEY_NEEDED);
        return;
    }
    if (!take_start(run, stream_body(run, &key, exists), &start))
        return;
    if (group_of(run, &key, exists, 2)) {
        run_reply_error(run, "BUSYGROUP Consumer Group name already exists");
        return;
    }
    stream_put_group_create(&edit, run_text(run, 2), start);
    run_edit(run, &key, CRDT_STREAM, &edit, (Value){0});
    payload_clear(&edit);
    run_reply_ok(run);
}

static void group_destroy(CommandRun *run, Key *key, StreamGroup *group)
{
    PayloadWriter edit = {0};

    if (group) {
        stream_put_group_destroy(&edit, run_text(run, 2));
        run_edit(run, key, CRDT_STREAM, &edit, (Value){0});
    }
    payload_clear(&edit);
    run_reply_integer(run, group != NULL);
}

static void group_set_id(CommandRun *run, const CrdtBody *body, StreamGroup *group)
{
    StreamId id;

    if (!take_start(run, body, &id))
        return;
    stream_group_set_id(group, id);
    run_reply_ok(run);
}

typedef enum { SUB_CREATE, SUB_SETID, SUB_DESTROY, SUB_CREATECONSUMER, SUB_DELCONSUMER } GroupSub;

typedef struct {
    const char *name;
    uint32_t least, most; /* arguments */
    const char *full_name;
} GroupSubSpec;

static const GroupSubSpec group_subs[] = {
    [SUB_CREATE] = {"CREATE", 4, 7, "xgroup|create"},
    [SUB_SETID] = {"SETID", 4, 6, "xgroup|setid"},
    [SUB_DESTROY] = {"DESTROY", 3, 3, "xgroup|destroy"},
    [SUB_CREATECONSUMER] = {"CREATECONSUMER", 4, 4, "xgroup|createconsumer"},
    [SUB_DELCONSUMER] = {"DELCONSUMER", 4, 4, "xgroup|delconsumer"},
};

static void group_change(CommandRun *run, GroupSub sub)
{
    StreamConsumer *consumer;
    StreamGroup *group;
    bool unused;
    bool exists;
    Key key;

    if ((sub == SUB_SETID && !take_group_options(run, &unused)) ||
        !run_find_to_write(run, 1, CRDT_STREAM, &key, &exists))
        return;
    if (!exists) {
        run_reply_error(run, ERROR_KEY_NEEDED);
        return;
    }
    group = group_of(run, &key, exists, 2);
    if (sub == SUB_DESTROY) {
        group_destroy(run, &key, group);
        return;
    }
    if (!group) {
        stream_reply_no_group(run, 1, 2);
        return;
    }
    if (sub == SUB_SETID) {
        group_set_id(run, stream_body(run, &key, exists), group);
        return;
    }
    consumer = stream_consumer(group, run_text(run, 3));
    if (sub == SUB_CREATECONSUMER) {
        if (!consumer)
            stream_consumer_create(group, run_text(run, 3), run->now);
        run_reply_integer(run, !consumer);
    } else {
        run_reply_integer(run, consumer ? stream_consumer_delete(group, consumer) : 0);
    }
}

static const char *const group_help[] = {
    "XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]: make a group, here and elsewhere",
    "XGROUP SETID key group id|$ [ENTRIESREAD n]: what this member delivers next",
    "XGROUP DESTROY key group: remove a group; wins over creations it had not seen",
    "XGROUP CREATECONSUMER key group consumer: make a consumer at this member",
    "XGROUP DELCONSUMER key group consumer: remove it; replies how many entries were pending",
    "XGROUP HELP: this list",
    NULL};

static void run_xgroup(CommandRun *run)
{
    if (arg_is(run_arg(run, 0), "HELP")) {
        subcommand_reply_help(run, "xgroup|help", group_help);
        return;
    }
    for (GroupSub sub = SUB_CREATE; sub <= SUB_DELCONSUMER; sub++) {
        const GroupSubSpec *spec = &group_subs[sub];

        if (!arg_is(run_arg(run, 0), spec->name))
            continue;
        if (run_count(run) < spec->least ||
            (spec->least == spec->most && run_count(run) > spec->most))
            subcommand_reply_arity(run, spec->full_name);
        else if (sub == SUB_CREATE)
            group_create(run);
        else
            group_change(run, sub);
        return;
    }
    subcommand_reply_unknown(run, "XGROUP");
}

/* --- XACK */
static void run_xack(CommandRun *run)
{
    uint32_t id_count = run_count(run) > 2 ? run_count(run) - 2 : 0;
    g_autofree StreamId *ids = g_new(StreamId, id_count + 1);
    PayloadWriter edit = {0};
    StreamGroup *group;
    uint32_t acked = 0;
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STREAM, &key, &exists))
        return;
    group = group_of(run, &key, exists, 1);
    for (uint32_t i = 0; group && i < id_count; i++)
        if (!run_stream_id(run, i + 2, 0, &ids[i]))
            return;
    if (group)
        acked = stream_ack(stream_body(run, &key, exists), group, ids, id_count, &edit);
    if (edit.bytes > 0)
        run_edit(run, &key, CRDT_STREAM, &edit, (Value){0});
    payload_clear(&edit);
    run_reply_integer(run, acked);
}

/* --- XPENDING */
static void pending_summary(CommandRun *run, const StreamGroup *group)
{
    uint32_t count = stream_group_pending_count(group);
    StreamPending *first = stream_pending_seek(group, STREAM_ID_MIN, 0);
    StreamId last;
    Nest all;

    run_reply_array(run, 4);
    run_push_integer(run, count);
    if (!first) {
        run_push_nil(run);
        run_push_nil(run);
        run_push_nil(run);
        return;
    }
    last = stream_pending_last(group)->id;
    push_id(run, first->id);
    push_id(run, last);
    nest_begin(run, &all, stream_group_consumer_count(group));
    for (uint32_t i = 0; i < stream_group_consumer_count(group); i++) {
        const StreamConsumer *consumer = stream_consumer_at(group, i);
        char text[16];
        Nest pair;

        if (consumer->pending_count == 0)
            continue;
        g_snprintf(text, sizeof(text), "%u", consumer->pending_count);
        nest_begin(run, &pair, 2);
        run_push_text(run, consumer_name(consumer));
        push_literal(run, text);
        nest_end(run, &pair);
    }
    nest_end(run, &all);
}

typedef struct {
    StreamId first, last;
    int64_t limit;
    int64_t idle_ms;
    bool by_consumer;
    const StreamConsumer *consumer; /* NULL: unknown */
} PendingQuery;

static bool pending_matches(const CommandRun *run, const PendingQuery *query,
                            const StreamPending *pending)
{
    return (!query->by_consumer || pending->consumer == query->consumer) &&
           (query->idle_ms <= 0 || run->now.ms - pending->delivered.ms >= query->idle_ms);
}

static void pending_list(CommandRun *run, const StreamGroup *group, const PendingQuery *query)
{
    uint32_t all = query->by_consumer && !query->consumer ? 0
                   : query->by_consumer                   ? query->consumer->pending_count
                                                          : stream_group_pending_count(group);
    StreamPending *pending = stream_pending_seek(group, query->first, 0);
    int64_t left = query->limit > 0 ? query->limit : 0;

    run_reply_array(run, (uint32_t)MIN((int64_t)all, left));
    for (; pending && left > 0 && stream_id_compare(pending->id, query->last) <= 0;
         pending = stream_pending_next(group, pending)) {
        int64_t idle_ms = run->now.ms - pending->delivered.ms;
        Nest nest;

        if (!pending_matches(run, query, pending))
            continue;
        left--;
        nest_begin(run, &nest, 4);
        push_id(run, pending->id);
        run_push_text(run, consumer_name(pending->consumer));
        run_push_integer(run, MAX(idle_ms, 0));
        run_push_integer(run, (int64_t)pending->delivery_count);
        nest_end(run, &nest);
    }
}

/* [IDLE ms] start end count [consumer], from argument 2 on */
static bool take_pending_query(CommandRun *run, PendingQuery *out, uint32_t *consumer_at)
{
    uint32_t at = 2;

    *consumer_at = 0;
    if (arg_is(run_arg(run, at), "IDLE")) {
        if (run_count(run) < 4) {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
        if (!run_integer(run, at + 1, &out->idle_ms))
            return false;
        at += 2;
    }
    if (run_count(run) < at + 3 || run_count(run) > at + 4) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (!run_integer(run, at + 2, &out->limit) ||
        !run_interval(run, at, at + 1, &out->first, &out->last))
        return false;
    if (run_count(run) == at + 4)
        *consumer_at = at + 3;
    return true;
}

static void run_xpending(CommandRun *run)
{
    PendingQuery query = {0};
    uint32_t consumer_at = 0;
    bool listed = run_count(run) > 2;
    const StreamGroup *group;
    bool exists;
    Key key;

    if (listed && !take_pending_query(run, &query, &consumer_at))
        return;
    if (!run_find(run, 0, CRDT_STREAM, &key, &exists))
        return;
    group = group_of(run, &key, exists, 1);
    if (!group) {
        group_reply_missing(run, 0, 1);
        return;
    }
    if (!listed) {
        pending_summary(run, group);
        return;
    }
    query.by_consumer = consumer_at > 0;
    if (consumer_at > 0)
        query.consumer = stream_consumer(group, run_text(run, consumer_at));
    pending_list(run, group, &query);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("XGROUP", "make, move and destroy consumer groups", -2, true, OP_LWW, SHAPE_KEY,
                 1.0, run_xgroup),
    COMMAND_SPEC("XACK", "acknowledge entries", -4, true, OP_LWW, SHAPE_KEY, 0.8, run_xack),
    COMMAND_SPEC("XPENDING", "entries delivered and not acknowledged", -3, false, OP_READ,
                 SHAPE_KEY, 1.0, run_xpending),
};

const CommandGroup command_group_xgroup = {
    .head = {.name = "xgroup", .summary = "consumer groups of streams"},
    .serves = "stream",
    .specs = specs,
    .count = sizeof(specs) / sizeof(specs[0]),
};
