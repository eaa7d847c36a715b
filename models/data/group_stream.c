/* Commands on the entries of streams (crdt-semantics.md 7).
 *
 * Why it works: XADD makes one effect, whose dot is the entry's; XDEL and XTRIM name the entries
 * this member sees.  Reading merges the regions' trees by id.
 *
 * Simplified: "~" trims the oldest entries by whole hundreds, as many as Redis keeps in a node,
 * whatever nodes XDEL would have left. */
#include <string.h>

#include "models/data/stream_run.h"

#define NODE_ENTRIES        100
#define APPROXIMATE_ENTRIES 10000 /* trimmed at once by "~" without LIMIT */

#define ERROR_TRIM_TWICE                                                                           \
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
#define ERROR_TRIM_LIMIT "ERR syntax error, LIMIT cannot be used without the special ~ option"
#define ERROR_FIRST_ID   "ERR The ID specified in XSETID is smaller than the target stream top item"

typedef struct {
    StreamTrim trim;
    bool is_given, is_approximate, has_limit;
    bool no_create; /* NOMKSTREAM */
} AddOptions;

static bool take_strategy(CommandRun *run, uint32_t *at, AddOptions *out)
{
    int64_t length;

    if (out->is_given) {
        run_reply_error(run, ERROR_TRIM_TWICE);
        return false;
    }
    out->is_given = true;
    out->trim.by_id = arg_is(run_arg(run, *at), "MINID");
    ++*at;
    if (*at + 1 < run_count(run) &&
        (arg_is(run_arg(run, *at), "~") || arg_is(run_arg(run, *at), "=")))
        out->is_approximate = arg_is(run_arg(run, (*at)++), "~");
    if (out->trim.by_id)
        return run_stream_id(run, *at, 0, &out->trim.min_id);
    if (!run_integer(run, *at, &length))
        return false;
    if (length < 0) {
        run_reply_error(run, "ERR The MAXLEN argument must be >= 0.");
        return false;
    }
    out->trim.max_length = (uint64_t)length;
    return true;
}

static bool take_limit(CommandRun *run, uint32_t *at, AddOptions *out)
{
    int64_t limit;

    if (!run_integer(run, ++*at, &limit))
        return false;
    if (limit < 0) {
        run_reply_error(run, "ERR The LIMIT argument must be >= 0.");
        return false;
    }
    out->trim.limit = (uint64_t)limit;
    out->has_limit = true;
    return true;
}

/* From *at on; ends at XADD's id or the end.  false: the error is the reply. */
static bool take_options(CommandRun *run, uint32_t *at, bool is_add, AddOptions *out)
{
    for (; *at < run_count(run); ++*at) {
        const Arg *arg = run_arg(run, *at);
        bool has_more = *at + 1 < run_count(run);

        if (is_add && arg_is(arg, "*"))
            break;
        if (is_add && arg_is(arg, "NOMKSTREAM")) {
            out->no_create = true;
        } else if (has_more && (arg_is(arg, "MAXLEN") || arg_is(arg, "MINID"))) {
            if (!take_strategy(run, at, out))
                return false;
        } else if (has_more && arg_is(arg, "LIMIT")) {
            if (!take_limit(run, at, out))
                return false;
        } else if (is_add) {
            break;
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    if (out->has_limit && !out->is_approximate) {
        run_reply_error(run, ERROR_TRIM_LIMIT);
        return false;
    }
    if (out->is_approximate) {
        out->trim.step = NODE_ENTRIES;
        out->trim.limit = out->has_limit ? out->trim.limit : APPROXIMATE_ENTRIES;
    }
    return true;
}

static int64_t trim(CommandRun *run, Key *key, const StreamTrim *trim)
{
    const CrdtBody *body = run_body(run, key, CRDT_STREAM);
    PayloadWriter edit = {0};
    uint32_t count = stream_put_trim(&edit, body, trim);

    if (count > 0)
        run_edit(run, key, CRDT_STREAM, &edit, (Value){0});
    payload_clear(&edit);
    return count;
}

static void reply_id(CommandRun *run, StreamId id)
{
    char text[STREAM_ID_TEXT_MAX];

    run_reply_text(run, (PayloadText){text, stream_id_format(id, text)});
}

/* Fields and values from argument first on; any synthetic one makes the whole entry a size. */
static Value fields_value(CommandRun *run, uint32_t first, PayloadWriter *fields)
{
    uint32_t count = run_count(run) - first;
    g_autofree PayloadText *texts = g_new(PayloadText, count);
    Value value = {.kind = VALUE_BYTES};

    for (uint32_t i = 0; i < count; i++) {
        texts[i] = run_text(run, first + i);
        value.bytes += texts[i].bytes;
        if (run_arg(run, first + i)->kind != ARG_BYTES)
            value.kind = VALUE_SYNTHETIC;
    }
    if (value.kind == VALUE_SYNTHETIC) {
        value.number = run_arg(run, run_count(run) - 1)->number;
        return value;
    }
    stream_put_fields(fields, texts, count);
    value.data = (const char *)fields->data;
    value.bytes = fields->bytes;
    return value;
}

static bool make_id(CommandRun *run, const CrdtBody *body, PayloadText text, StreamId *out)
{
    const char *error = stream_make_id(body,
                                       &(StreamIdRequest){.mode = run->store->config.stream_ids,
                                                          .region = run->store->config.member_id,
                                                          .now = run->now,
                                                          .text = text},
                                       out);

    if (error)
        run_reply_error(run, error);
    return !error;
}

static void add(CommandRun *run, Key *key, StreamId id, Value value)
{
    PayloadWriter edit = {0};

    stream_put_add(&edit, id);
    run_edit(run, key, CRDT_STREAM, &edit, value);
    payload_clear(&edit);
    reply_id(run, id);
}

/* A workload's XADD: the key and the size of the entry. */
static void add_declared(CommandRun *run)
{
    bool exists;
    StreamId id;
    Key key;

    if (run_find_to_write(run, 0, CRDT_STREAM, &key, &exists) &&
        make_id(run, stream_body(run, &key, exists), (PayloadText){"*", 1}, &id))
        add(run, &key, id, run_value(run, &key, 1));
}

/* After the id, fields and values come in pairs. */
static bool has_fields(const CommandRun *run, uint32_t at)
{
    return run_count(run) >= at + 3 && (run_count(run) - at) % 2 == 1;
}

/* Redis looks at an id as far as it can before it looks for the key. */
static bool check_id(CommandRun *run, uint32_t at)
{
    bool whole = run->store->config.stream_ids == STREAM_IDS_LIBERAL;
    PayloadText text = run_text(run, at);
    StreamId id;

    if (text.data && text.bytes == 1 && text.data[0] == '*')
        return true;
    if (text.data && text.bytes > 2 && memcmp(text.data + text.bytes - 2, "-*", 2) == 0) {
        text.bytes -= 2;
        whole = false;
    } else if (text.data && memchr(text.data, '-', text.bytes)) {
        whole = true;
    }
    if (!stream_id_parse(text, 0, &id)) {
        run_reply_error(run, ERROR_STREAM_ID);
        return false;
    }
    if (whole && stream_id_compare(id, STREAM_ID_MIN) == 0 && has_fields(run, at)) {
        run_reply_error(run, ERROR_STREAM_ID_ZERO);
        return false;
    }
    return true;
}

static void run_xadd(CommandRun *run)
{
    PayloadWriter fields = {0};
    AddOptions options = {0};
    uint32_t at = 1;
    bool exists;
    StreamId id;
    Key key;

    if (run_arg(run, 0)->kind == ARG_KEY && run_arg(run, 1)->kind != ARG_BYTES) {
        add_declared(run);
        return;
    }
    if (!take_options(run, &at, true, &options) || !check_id(run, at))
        return;
    if (!has_fields(run, at)) {
        run_reply_error(run, "ERR wrong number of arguments for 'xadd' command");
        return;
    }
    if (!run_find_to_write(run, 0, CRDT_STREAM, &key, &exists))
        return;
    if (!exists && options.no_create) {
        run_reply_nil(run);
        return;
    }
    if (!make_id(run, stream_body(run, &key, exists), run_text(run, at), &id))
        return;
    add(run, &key, id, fields_value(run, at + 1, &fields));
    payload_clear(&fields);
    if (options.is_given)
        trim(run, &key, &options.trim);
}

static void run_xtrim(CommandRun *run)
{
    AddOptions options = {0};
    uint32_t at = 1;
    bool exists;
    Key key;

    if (!take_options(run, &at, false, &options))
        return;
    if (!options.is_given) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if (run_find_to_write(run, 0, CRDT_STREAM, &key, &exists))
        run_reply_integer(run, exists ? trim(run, &key, &options.trim) : 0);
}

static void run_xdel(CommandRun *run)
{
    uint32_t count = run_count(run) - 1;
    g_autofree StreamId *ids = g_new(StreamId, count + 1);
    PayloadWriter edit = {0};
    uint32_t removed = 0;
    bool exists;
    Key key;

    if (!run_find_to_write(run, 0, CRDT_STREAM, &key, &exists))
        return;
    for (uint32_t i = 0; exists && i < count; i++)
        if (!run_stream_id(run, i + 1, 0, &ids[i]))
            return;
    if (exists)
        removed = stream_put_remove(&edit, stream_body(run, &key, exists), ids, count);
    if (removed > 0)
        run_edit(run, &key, CRDT_STREAM, &edit, (Value){0});
    payload_clear(&edit);
    run_reply_integer(run, removed);
}

static void run_xlen(CommandRun *run)
{
    const CrdtBody *body;
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_STREAM, &key, &exists))
        return;
    body = stream_body(run, &key, exists);
    run_reply_integer(run, body ? (int64_t)stream_info(body).length : 0);
}

static uint32_t count_entries(StreamIter iter, uint64_t limit)
{
    StreamEntryView entry;
    uint32_t count = 0;

    while (count < limit && stream_iter_next(&iter, &entry))
        count++;
    return count;
}

static void range(CommandRun *run, bool reverse)
{
    StreamId first = STREAM_ID_MIN;
    StreamId last = STREAM_ID_MAX;
    int64_t limit = run_count(run) > 2 ? INT64_MAX : SHAPE_RANGE_COUNT; /* a workload's */
    uint32_t count;
    StreamIter iter;
    StreamEntryView entry;
    bool exists;
    Key key;

    if (run_count(run) > 2 && !run_interval(run, reverse ? 2 : 1, reverse ? 1 : 2, &first, &last))
        return;
    for (uint32_t i = 3; i < run_count(run); i += 2) {
        if (!arg_is(run_arg(run, i), "COUNT") || i + 1 == run_count(run)) {
            run_reply_error(run, ERROR_SYNTAX);
            return;
        }
        if (!run_integer(run, i + 1, &limit))
            return;
    }
    if (!run_find(run, 0, CRDT_STREAM, &key, &exists))
        return;
    if (!exists || limit <= 0) {
        if (exists)
            run_reply_nil(run);
        else
            run_reply_array(run, 0);
        return;
    }
    iter = stream_iter(stream_body(run, &key, exists), first, last, reverse);
    count = count_entries(iter, (uint64_t)limit);
    run_reply_array(run, count);
    while (count-- > 0 && stream_iter_next(&iter, &entry))
        push_entry(run, &entry);
}

static void run_xrange(CommandRun *run)
{
    range(run, false);
}

static void run_xrevrange(CommandRun *run)
{
    range(run, true);
}

/* --- XSETID */
static bool take_setid_options(CommandRun *run, StreamInfo *info, bool *has_added)
{
    for (uint32_t i = 2; i < run_count(run); i += 2) {
        int64_t added;

        if (i + 1 < run_count(run) && arg_is(run_arg(run, i), "ENTRIESADDED")) {
            if (!run_integer(run, i + 1, &added))
                return false;
            if (added < 0) {
                run_reply_error(run, "ERR entries_added must be positive");
                return false;
            }
            info->entries_added = (uint64_t)added;
            *has_added = true;
        } else if (i + 1 < run_count(run) && arg_is(run_arg(run, i), "MAXDELETEDID")) {
            if (!run_stream_id(run, i + 1, 0, &info->max_deleted_id))
                return false;
            if (stream_id_compare(info->last_id, info->max_deleted_id) < 0) {
                run_reply_error(run, "ERR The ID specified in XSETID is smaller than the provided "
                                     "max_deleted_entry_id");
                return false;
            }
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* Only this member's own view of the last id (it is not replicated).  An id below the current one
 * fails, by the documents of the product; Redis allows it down to the newest entry. */
static void run_xsetid(CommandRun *run)
{
    StreamInfo info = {0};
    bool has_added = false;
    StreamInfo old;
    CrdtBody *body;
    bool exists;
    Key key;

    if (!run_stream_id(run, 1, 0, &info.last_id) || !take_setid_options(run, &info, &has_added) ||
        !run_find(run, 0, CRDT_STREAM, &key, &exists))
        return;
    if (!exists) {
        run_reply_error(run, ERROR_NO_KEY);
        return;
    }
    body = run_local_body(run, &key, CRDT_STREAM);
    old = stream_info(body);
    if (stream_id_compare(info.last_id, old.last_id) < 0) {
        run_reply_error(run, ERROR_FIRST_ID);
        return;
    }
    if (!has_added)
        info.entries_added = old.entries_added;
    if (has_added && info.entries_added < old.length) {
        run_reply_error(
            run,
            "ERR The entries_added specified in XSETID is smaller than the target stream length");
        return;
    }
    if (stream_id_compare(info.max_deleted_id, STREAM_ID_MIN) == 0)
        info.max_deleted_id = old.max_deleted_id;
    stream_set_info(body, &info);
    run_reply_ok(run);
}

/* Ids stay; groups are lost, by the documents of the product.  The last id and what else XSETID
 * sets go along at this member only, as XSETID does. */
static void stream_copy(CommandRun *run, const Key *source, Key *target)
{
    const CrdtBody *from = run_body(run, source, CRDT_STREAM);
    StreamIter iter = stream_iter(from, STREAM_ID_MIN, STREAM_ID_MAX, false);
    StreamInfo info = stream_info(from);
    StreamEntryView entry;
    PayloadWriter edit = {0};

    while (stream_iter_next(&iter, &entry)) {
        stream_put_add(&edit, entry.id);
        run_edit(run, target, CRDT_STREAM, &edit, entry.value);
    }
    payload_clear(&edit);
    if (info.length > 0)
        stream_set_info(run_local_body(run, target, CRDT_STREAM), &info);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("XADD", "append an entry", -5, true, OP_ACCUM, SHAPE_VALUE, 1.3, run_xadd),
    COMMAND_SPEC("XTRIM", "remove the oldest entries", -4, true, OP_LWW, SHAPE_KEY, 1.0, run_xtrim),
    COMMAND_SPEC("XDEL", "remove entries", -3, true, OP_LWW, SHAPE_KEY, 1.0, run_xdel),
    COMMAND_SPEC("XLEN", "number of entries", 2, false, OP_READ, SHAPE_KEY, 0.6, run_xlen),
    COMMAND_SPEC("XRANGE", "entries of an interval", -4, false, OP_READ, SHAPE_KEY, 1.5,
                 run_xrange),
    COMMAND_SPEC("XREVRANGE", "entries of an interval, newest first", -4, false, OP_READ, SHAPE_KEY,
                 1.5, run_xrevrange),
    COMMAND_SPEC("XSETID", "set the last id at this member", -3, true, OP_LWW, SHAPE_KEY, 1.0,
                 run_xsetid),
};

const CommandGroup command_group_stream = {
    .head = {.name = "stream", .summary = "entries of streams"},
    .serves = "stream",
    .specs = specs,
    .count = sizeof(specs) / sizeof(specs[0]),
    .copy = stream_copy,
};
