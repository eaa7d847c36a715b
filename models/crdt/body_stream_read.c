/* Why it works: every tree ascends by id, so a reader takes the smallest of at most one candidate
 * per region; equal ids fall to the lower region because it is asked first.  The edits name what
 * this member sees, entry by entry: what it had observed and no more. */
#include "models/crdt/body_stream.h"

#include <assert.h>
#include <string.h>

#include "models/crdt/body_stream_private.h"

/* Between sequences of one region in one ms. */
#define REGION_STRIDE 8

static_assert(REGION_STRIDE > MEMBER_MAX, "regions never give each other's sequences");

/* --- ids */
bool stream_id_next(StreamId *id)
{
    if (id->seq < UINT64_MAX) {
        id->seq++;
        return true;
    }
    if (id->ms == UINT64_MAX)
        return false;
    *id = (StreamId){id->ms + 1, 0};
    return true;
}

bool stream_id_prev(StreamId *id)
{
    if (id->seq > 0) {
        id->seq--;
        return true;
    }
    if (id->ms == 0)
        return false;
    *id = (StreamId){id->ms - 1, UINT64_MAX};
    return true;
}

/* As Redis reads the parts of an id: blanks and a plus may stand before the digits. */
static bool number_parse(const char *text, uint32_t bytes, uint64_t *out)
{
    uint64_t number = 0;

    while (bytes > 0 && (*text == ' ' || (*text >= '\t' && *text <= '\r'))) {
        text++;
        bytes--;
    }
    if (bytes > 0 && *text == '+') {
        text++;
        bytes--;
    }
    if (bytes == 0)
        return false;
    for (uint32_t i = 0; i < bytes; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');

        if (text[i] < '0' || text[i] > '9' || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

static uint32_t time_bytes(PayloadText text)
{
    uint32_t bytes = 0;

    while (bytes < text.bytes && text.data[bytes] != '-')
        bytes++;
    return bytes;
}

bool stream_id_parse(PayloadText text, uint64_t missing_seq, StreamId *out)
{
    StreamId id = {.seq = missing_seq};
    uint32_t split = text.data ? time_bytes(text) : 0;

    if (!text.data || !number_parse(text.data, split, &id.ms))
        return false;
    if (split < text.bytes && !number_parse(text.data + split + 1, text.bytes - split - 1, &id.seq))
        return false;
    *out = id;
    return true;
}

uint32_t stream_id_format(StreamId id, char out[STREAM_ID_TEXT_MAX])
{
    return (uint32_t)g_snprintf(out, STREAM_ID_TEXT_MAX, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT,
                                id.ms, id.seq);
}

#define ERROR_ID      "ERR Invalid stream ID specified as stream command argument"
#define ERROR_ID_ZERO "ERR The ID specified in XADD must be greater than 0-0"
#define ERROR_ID_SMALL                                                                             \
    "ERR The ID specified in XADD is equal or smaller than the target stream top item"
#define ERROR_ID_LAST "ERR The stream has exhausted the last possible ID, unable to add more items"
#define ERROR_ID_STRICT                                                                            \
    "ERR A full ID is not allowed in strict ID mode, use * or a time in milliseconds"

/* The region's first sequence above last within ms; false: no number is left. */
static bool region_seq(uint32_t region, StreamId last, uint64_t ms, uint64_t *out)
{
    uint64_t steps;

    *out = region;
    if (ms != last.ms || region > last.seq)
        return true;
    steps = (last.seq - region) / REGION_STRIDE + 1;
    if (steps > (UINT64_MAX - region) / REGION_STRIDE)
        return false;
    *out = region + steps * REGION_STRIDE;
    return true;
}

static const char *make_auto(const StreamIdRequest *request, StreamId last, StreamId *out)
{
    StreamId id = {.ms = request->now.ms > 0 ? (uint64_t)request->now.ms : 0};

    if (id.ms < last.ms)
        id.ms = last.ms;
    if (!region_seq(request->region, last, id.ms, &id.seq)) {
        if (id.ms == UINT64_MAX)
            return ERROR_ID_LAST;
        id = (StreamId){id.ms + 1, request->region};
    }
    *out = id;
    return NULL;
}

/* A time alone: the region gives the sequence, or Redis's rule does. */
static const char *make_timed(const StreamIdRequest *request, StreamId last, StreamId *id,
                              bool seq_is_auto)
{
    if (request->mode != STREAM_IDS_LIBERAL) {
        if (id->ms < last.ms || !region_seq(request->region, last, id->ms, &id->seq))
            return ERROR_ID_SMALL;
        return NULL;
    }
    id->seq = 0;
    if (!seq_is_auto)
        return NULL;
    if (id->ms == last.ms) {
        if (last.seq == UINT64_MAX)
            return ERROR_ID_SMALL;
        id->seq = last.seq + 1;
    }
    return NULL;
}

const char *stream_make_id(const CrdtBody *body, const StreamIdRequest *request, StreamId *out)
{
    StreamId last = body ? body->last_id : STREAM_ID_MIN;
    PayloadText text = request->text;
    uint32_t split = text.data ? time_bytes(text) : 0;
    const char *error = NULL;
    StreamId id;
    bool seq_is_auto;

    if (!text.data)
        return ERROR_ID;
    if (text.bytes == 1 && text.data[0] == '*')
        return make_auto(request, last, out);
    seq_is_auto = text.bytes == split + 2 && text.data[split + 1] == '*';
    if (!stream_id_parse((PayloadText){text.data, seq_is_auto ? split : text.bytes}, 0, &id))
        return ERROR_ID;
    if (split < text.bytes && !seq_is_auto && request->mode == STREAM_IDS_STRICT)
        return ERROR_ID_STRICT;
    if (split == text.bytes || seq_is_auto)
        error = make_timed(request, last, &id, seq_is_auto);
    if (error)
        return error;
    if (id.ms == 0 && id.seq == 0) {
        if (!seq_is_auto)
            return ERROR_ID_ZERO;
        id.seq = 1;
    }
    if (stream_id_compare(id, last) <= 0)
        return ERROR_ID_SMALL;
    *out = id;
    return NULL;
}

/* --- reading */
StreamEntryView entry_view(const StreamEntry *entry)
{
    StreamEntryView view = {.id = entry->id,
                            .dot = entry->dot,
                            .value = {.bytes = entry->bytes, .kind = (ValueKind)entry->kind}};

    if (entry->kind == VALUE_BYTES)
        view.value.data = (const char *)(uintptr_t)entry->number;
    else
        view.value.number = entry->number;
    return view;
}

bool stream_next_text(const StreamEntryView *entry, uint32_t *cursor, PayloadText *out)
{
    if (entry->value.kind != VALUE_BYTES)
        return false;
    if (*cursor == 0)
        *cursor = sizeof(uint32_t);
    if (*cursor >= entry->value.bytes)
        return false;
    memcpy(&out->bytes, entry->value.data + *cursor, sizeof(uint32_t));
    out->data = entry->value.data + *cursor + sizeof(uint32_t);
    *cursor += (uint32_t)sizeof(uint32_t) + out->bytes;
    return true;
}

/* Of a tree walked backwards, at is one past the candidate. */
StreamIter stream_iter(const CrdtBody *body, StreamId first, StreamId last, bool reverse)
{
    StreamIter iter = {.body = body, .first = first, .last = last, .reverse = reverse};

    for (uint32_t i = 0; i <= MEMBER_MAX; i++)
        iter.at[i] = reverse ? tree_lower(&body->trees[i], last, UINT64_MAX)
                             : tree_lower(&body->trees[i], first, 0);
    return iter;
}

static const StreamEntry *iter_candidate(StreamIter *iter, uint32_t origin)
{
    const StreamTree *tree = &iter->body->trees[origin];
    uint32_t *at = &iter->at[origin];

    if (iter->reverse) {
        while (*at > tree->first && tree->entries[*at - 1].dead)
            (*at)--;
        if (*at == tree->first || stream_id_compare(tree->entries[*at - 1].id, iter->first) < 0)
            return NULL;
        return &tree->entries[*at - 1];
    }
    while (*at < tree->end && tree->entries[*at].dead)
        (*at)++;
    if (*at >= tree->end || stream_id_compare(tree->entries[*at].id, iter->last) > 0)
        return NULL;
    return &tree->entries[*at];
}

/* Backwards is the exact reverse of forwards: of equal ids the higher region comes first. */
bool stream_iter_next(StreamIter *iter, StreamEntryView *out)
{
    const StreamEntry *best = NULL;
    uint32_t best_origin = 0;

    for (uint32_t i = 0; i <= MEMBER_MAX; i++) {
        const StreamEntry *entry = iter_candidate(iter, i);
        int order = entry && best ? stream_id_compare(entry->id, best->id) : 0;

        if (!entry || (best && (iter->reverse ? order < 0 : order >= 0)))
            continue;
        best = entry;
        best_origin = i;
    }
    if (!best)
        return false;
    *out = entry_view(best);
    if (iter->reverse)
        iter->at[best_origin]--;
    else
        iter->at[best_origin]++;
    return true;
}

bool stream_find(const CrdtBody *body, StreamId id, StreamEntryView *out)
{
    StreamIter iter = stream_iter(body, id, id, false);

    return stream_iter_next(&iter, out);
}

bool stream_find_dot(const CrdtBody *body, StreamId id, Dot dot, StreamEntryView *out)
{
    const StreamTree *tree = &body->trees[dot_member(dot)];
    uint32_t at = tree_lower(tree, id, dot);

    if (at == tree->end || tree->entries[at].dot != dot || tree->entries[at].dead)
        return false;
    *out = entry_view(&tree->entries[at]);
    return true;
}

StreamInfo stream_info(const CrdtBody *body)
{
    return (StreamInfo){.length = (uint64_t)body->summary.element_count,
                        .last_id = body->last_id,
                        .max_deleted_id = body->max_deleted_id,
                        .entries_added = body->entries_added,
                        .group_count = body->live_group_count};
}

void stream_set_info(CrdtBody *body, const StreamInfo *info)
{
    body->last_id = info->last_id;
    body->max_deleted_id = info->max_deleted_id;
    body->entries_added = info->entries_added;
}

/* --- edits */
static void put_op(PayloadWriter *writer, uint8_t op)
{
    payload_begin(writer);
    payload_put_bytes(writer, &op, 1);
}

void stream_put_add(PayloadWriter *writer, StreamId id)
{
    put_op(writer, EDIT_ADD);
    payload_put_bytes(writer, &id, sizeof(id));
}

void stream_put_fields(PayloadWriter *writer, const PayloadText *texts, uint32_t count)
{
    payload_begin(writer);
    payload_put_bytes(writer, &count, sizeof(count));
    for (uint32_t i = 0; i < count; i++) {
        payload_put_bytes(writer, &texts[i].bytes, sizeof(uint32_t));
        payload_put_bytes(writer, texts[i].data, texts[i].bytes);
    }
}

static void put_entry(PayloadWriter *writer, const StreamEntryView *entry)
{
    payload_put_bytes(writer, &entry->id, sizeof(entry->id));
    payload_put_bytes(writer, &entry->dot, sizeof(entry->dot));
}

static bool is_named_before(const StreamId *ids, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (stream_id_compare(ids[i], ids[index]) == 0)
            return true;
    return false;
}

uint32_t stream_put_remove(PayloadWriter *writer, const CrdtBody *body, const StreamId *ids,
                           uint32_t id_count)
{
    uint32_t count = 0;

    put_op(writer, EDIT_REMOVE);
    for (uint32_t i = 0; i < id_count; i++) {
        StreamIter iter = stream_iter(body, ids[i], ids[i], false);
        StreamEntryView entry;

        while (stream_iter_next(&iter, &entry) && !is_named_before(ids, i)) {
            put_entry(writer, &entry);
            count++;
        }
    }
    return count;
}

/* How many of the oldest entries are to go. */
static uint64_t trim_count(const CrdtBody *body, const StreamTrim *trim)
{
    uint64_t length = (uint64_t)body->summary.element_count;
    uint64_t count = length > trim->max_length ? length - trim->max_length : 0;
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, trim->min_id, false);
    StreamEntryView entry;

    if (trim->by_id)
        for (count = 0; stream_iter_next(&iter, &entry); count++)
            if (stream_id_compare(entry.id, trim->min_id) >= 0)
                break;
    if (trim->limit > 0 && count > trim->limit)
        count = trim->limit;
    return trim->step > 0 ? count - count % trim->step : count;
}

uint32_t stream_put_trim(PayloadWriter *writer, const CrdtBody *body, const StreamTrim *trim)
{
    StreamIter iter = stream_iter(body, STREAM_ID_MIN, STREAM_ID_MAX, false);
    uint64_t count = trim_count(body, trim);
    StreamEntryView entry;

    put_op(writer, EDIT_TRIM);
    for (uint64_t i = 0; i < count && stream_iter_next(&iter, &entry); i++)
        put_entry(writer, &entry);
    return (uint32_t)count;
}
