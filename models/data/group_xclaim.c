/* Commands that give pending entries to another consumer: XCLAIM, XAUTOCLAIM.
 *
 * Why it works: ownership is this member's alone (crdt-semantics.md 7), so claiming makes no
 * effect. What is pending but deleted meanwhile is forgotten when it is met, as in Redis 7. */
#include <string.h>

#include "models/data/stream_run.h"

#define SCANS_PER_COUNT 10 /* entries XAUTOCLAIM looks at for each it may claim, as documented */

typedef struct {
    StreamGroup *group;
    const CrdtBody *body;
    StreamConsumer *consumer; /* NULL until something is claimed */
    PayloadText name;
    int64_t min_idle_ms;
    WallTime delivered;
    int64_t delivery_count; /* -1: one more than before */
    bool force, just_id;
} Claim;

static bool take_min_idle(CommandRun *run, const char *error, Claim *out)
{
    if (!run_stream_integer(run, 3, error, &out->min_idle_ms))
        return false;
    out->min_idle_ms = MAX(out->min_idle_ms, 0);
    return true;
}

static bool claim_find(CommandRun *run, Claim *claim)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STREAM, &key, &exists))
        return false;
    claim->body = stream_body(run, &key, exists);
    claim->group = group_of(run, &key, exists, 1);
    claim->name = run_text(run, 2);
    if (!claim->group)
        group_reply_missing(run, 0, 1);
    return claim->group != NULL;
}

static StreamConsumer *claim_consumer(CommandRun *run, Claim *claim)
{
    if (!claim->consumer)
        claim->consumer = stream_consumer_create(claim->group, claim->name, run->now);
    claim->consumer->seen = run->now;
    return claim->consumer;
}

static void claim_one(CommandRun *run, Claim *claim, StreamPending *pending,
                      const StreamEntryView *entry)
{
    stream_pending_move(pending, claim_consumer(run, claim));
    claim->consumer->active = run->now;
    pending->delivered = claim->delivered;
    if (claim->delivery_count >= 0)
        pending->delivery_count = (uint64_t)claim->delivery_count;
    else if (!claim->just_id)
        pending->delivery_count++;
    if (claim->just_id)
        push_id(run, pending->id);
    else
        push_entry(run, entry);
}

/* --- XCLAIM key group consumer min-idle id... */
static const char *claim_option_error(const Arg *arg)
{
    if (arg_is(arg, "IDLE"))
        return "ERR Invalid IDLE option argument for XCLAIM";
    if (arg_is(arg, "TIME"))
        return "ERR Invalid TIME option argument for XCLAIM";
    return "ERR Invalid RETRYCOUNT option argument for XCLAIM";
}

static bool take_claim_number(CommandRun *run, uint32_t at, Claim *claim)
{
    const Arg *arg = run_arg(run, at);
    int64_t number;

    if (!run_stream_integer(run, at + 1, claim_option_error(arg), &number))
        return false;
    if (arg_is(arg, "RETRYCOUNT")) {
        claim->delivery_count = MAX(number, -1);
        return true;
    }
    claim->delivered.ms = arg_is(arg, "IDLE") ? run->now.ms - number : number;
    if (claim->delivered.ms < 0 || claim->delivered.ms > run->now.ms)
        claim->delivered = run->now; /* a wrong clock must not make entries unclaimable */
    return true;
}

static bool take_claim_options(CommandRun *run, uint32_t at, Claim *claim)
{
    for (; at < run_count(run); at++) {
        const Arg *arg = run_arg(run, at);
        bool has_more = at + 1 < run_count(run);
        StreamId unused;

        if (arg_is(arg, "FORCE")) {
            claim->force = true;
        } else if (arg_is(arg, "JUSTID")) {
            claim->just_id = true;
        } else if (has_more &&
                   (arg_is(arg, "IDLE") || arg_is(arg, "TIME") || arg_is(arg, "RETRYCOUNT"))) {
            if (!take_claim_number(run, at++, claim))
                return false;
        } else if (has_more && arg_is(arg, "LASTID")) {
            /* For the replica of a primary; the model's replicas are exact. */
            if (!run_stream_id(run, ++at, 0, &unused))
                return false;
        } else {
            PayloadText text = run_text(run, at);

            stream_reply_error(run, "ERR Unrecognized XCLAIM option",
                               "ERR Unrecognized XCLAIM option '%.*s'", (int)text.bytes,
                               text.data ? text.data : "");
            return false;
        }
    }
    return true;
}

/* All that is pending under an id: the entries of several regions may share it. */
static void claim_id(CommandRun *run, Claim *claim, StreamId id)
{
    StreamIter iter = stream_iter(claim->body, id, id, false);
    StreamPending *pending;
    StreamEntryView entry;

    while (stream_iter_next(&iter, &entry)) {
        pending = stream_pending_seek(claim->group, id, entry.dot);
        if (pending && pending->dot == entry.dot) {
            if (run->now.ms - pending->delivered.ms >= claim->min_idle_ms)
                claim_one(run, claim, pending, &entry);
        } else if (claim->force) {
            pending =
                stream_pending_add(claim->group, &entry, claim_consumer(run, claim), run->now);
            claim_one(run, claim, pending, &entry);
        }
    }
    pending = stream_pending_seek(claim->group, id, 0);
    while (pending && stream_id_compare(pending->id, id) == 0) {
        StreamPending *next = stream_pending_next(claim->group, pending);

        if (!stream_find_dot(claim->body, pending->id, pending->dot, &entry))
            stream_pending_drop(claim->group, pending);
        pending = next;
    }
}

static void run_xclaim(CommandRun *run)
{
    g_autofree StreamId *ids = g_new(StreamId, run_count(run));
    uint32_t id_count = 0;
    Claim claim = {.delivered = run->now, .delivery_count = -1};

    if (!claim_find(run, &claim) ||
        !take_min_idle(run, "ERR Invalid min-idle-time argument for XCLAIM", &claim))
        return;
    while (4 + id_count < run_count(run) &&
           stream_id_parse(run_text(run, 4 + id_count), 0, &ids[id_count]))
        id_count++;
    if (!take_claim_options(run, 4 + id_count, &claim))
        return;
    run_reply_array(run, id_count * (MEMBER_MAX + 1));
    for (uint32_t i = 0; i < id_count; i++)
        claim_id(run, &claim, ids[i]);
}

/* --- XAUTOCLAIM key group consumer min-idle start */
static bool take_autoclaim(CommandRun *run, StreamId *start, int64_t *count, Claim *claim)
{
    StreamId unused;

    if (!run_interval(run, 4, 4, start, &unused))
        return false;
    for (uint32_t i = 5; i < run_count(run); i++) {
        if (i + 1 < run_count(run) && arg_is(run_arg(run, i), "COUNT")) {
            if (!run_stream_integer(run, ++i, "ERR COUNT must be > 0", count))
                return false;
            if (*count < 1 || *count > INT32_MAX / SCANS_PER_COUNT) {
                run_reply_error(run, "ERR COUNT must be > 0");
                return false;
            }
        } else if (arg_is(run_arg(run, i), "JUSTID")) {
            claim->just_id = true;
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* Claims from pending on; the ids of what was deleted meanwhile go to deleted. */
static StreamPending *autoclaim(CommandRun *run, Claim *claim, StreamPending *pending,
                                int64_t count, GArray *deleted)
{
    int64_t scans = count * SCANS_PER_COUNT;

    while (pending && count > 0 && scans-- > 0) {
        StreamPending *next = stream_pending_next(claim->group, pending);
        StreamEntryView entry;

        if (!stream_find_dot(claim->body, pending->id, pending->dot, &entry)) {
            g_array_append_val(deleted, pending->id);
            stream_pending_drop(claim->group, pending);
            count--;
        } else if (run->now.ms - pending->delivered.ms >= claim->min_idle_ms) {
            claim_one(run, claim, pending, &entry);
            count--;
        }
        pending = next;
    }
    return pending;
}

static void run_xautoclaim(CommandRun *run)
{
    g_autoptr(GArray) deleted = g_array_new(FALSE, FALSE, sizeof(StreamId));
    int64_t count = 100;
    StreamPending *next;
    StreamId start;
    Reply *outer;
    Reply claimed;
    Claim claim = {.delivered = run->now, .delivery_count = -1};
    Nest nest;

    if (!take_min_idle(run, "ERR Invalid min-idle-time argument for XAUTOCLAIM", &claim) ||
        !take_autoclaim(run, &start, &count, &claim) || !claim_find(run, &claim))
        return;
    outer = run->reply;
    run->reply = &claimed;
    run_reply_array(run, (uint32_t)MIN(count, (int64_t)stream_group_pending_count(claim.group)));
    next = autoclaim(run, &claim, stream_pending_seek(claim.group, start, 0), count, deleted);
    run->reply = outer;
    run_reply_array(run, 3);
    push_id(run, next ? next->id : STREAM_ID_MIN);
    nest_end(run, &(Nest){.outer = outer, .inner = claimed});
    nest_begin(run, &nest, deleted->len);
    for (guint i = 0; i < deleted->len; i++)
        push_id(run, g_array_index(deleted, StreamId, i));
    nest_end(run, &nest);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("XCLAIM", "give pending entries to a consumer", -6, true, OP_LWW, SHAPE_KEY, 1.3,
                 run_xclaim),
    COMMAND_SPEC("XAUTOCLAIM", "give what has been pending long to a consumer", -6, true, OP_LWW,
                 SHAPE_KEY, 1.5, run_xautoclaim),
};

const CommandGroup command_group_xclaim = {
    .head = {.name = "xclaim", .summary = "ownership of pending entries"},
    .serves = "stream",
    .specs = specs,
    .count = sizeof(specs) / sizeof(specs[0]),
};
