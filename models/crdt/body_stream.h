/* Stream: entries of every region and consumer groups (crdt-semantics.md 7).
 *
 *     effects:  ADD(id, fields) | REMOVE(entries) | TRIM(entries)     (key DEL = REMOVE of all
 * observed) CREATE(group, start) | DESTROY(group) | ACK(group, marks) entry   is live while no
 * REMOVE names its dot and no key DEL had observed it CREATE, ACK count while they had observed
 * every DESTROY of the group and every key DEL known: delete wins start   = the smallest of the
 * live CREATEs (newest of each origin) marks   = join of the live ACKs (newest of each origin): per
 * region, entries up to that dot are acknowledged everywhere present = a live entry or a group with
 * a live CREATE
 *
 * Each region appends to a tree of its own; readers see all trees merged by id, equal ids by
 * region. Consumers, pending entries, cursors, XSETID and ownership stay with this member: they
 * live in the body, are changed without an edit, and neither merge nor digest knows them.
 */
#pragma once

#include "models/crdt/body.h"

extern const BodyRule body_stream;

/* --- ids */
typedef struct {
    uint64_t ms, seq;
} StreamId;

#define STREAM_ID_MIN      ((StreamId){0, 0})
#define STREAM_ID_MAX      ((StreamId){UINT64_MAX, UINT64_MAX})
#define STREAM_ID_TEXT_MAX 42

static inline int stream_id_compare(StreamId a, StreamId b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return a.seq < b.seq ? -1 : a.seq > b.seq;
}

bool stream_id_next(StreamId *id); /* the id right after; false: there is none */
bool stream_id_prev(StreamId *id);

/* "ms" (its sequence becomes missing_seq) or "ms-seq"; false for anything else. */
bool stream_id_parse(PayloadText text, uint64_t missing_seq, StreamId *out);
uint32_t stream_id_format(StreamId id, char out[STREAM_ID_TEXT_MAX]);

typedef enum {
    STREAM_IDS_STRICT,      /* "*" or a time; the region gives the sequence */
    STREAM_IDS_SEMI_STRICT, /* also whole ids */
    STREAM_IDS_LIBERAL,     /* any id that ascends; a time alone means sequence 0, as in Redis */
} StreamIdMode;

typedef struct {
    StreamIdMode mode;
    uint32_t region; /* 1 to MEMBER_MAX */
    WallTime now;
    PayloadText text; /* XADD's argument: "*", "ms", "ms-*" or "ms-seq" */
} StreamIdRequest;

/* The id XADD gives its entry; body NULL: no such key yet.  Returns NULL or the error to reply. */
const char *stream_make_id(const CrdtBody *body, const StreamIdRequest *request, StreamId *out);

/* --- entries */
typedef struct {
    StreamId id;
    Dot dot;     /* its member is the region that added it */
    Value value; /* BYTES: fields as stream_put_fields wrote them, borrowed from the body */
} StreamEntryView;

/* Names and values in turn; false at the end and for synthetic entries.  *cursor starts at 0. */
bool stream_next_text(const StreamEntryView *entry, uint32_t *cursor, PayloadText *out);

typedef struct {
    const CrdtBody *body;
    StreamId first, last; /* both included */
    bool reverse;
    uint32_t at[MEMBER_MAX + 1];
} StreamIter;

/* Valid until the body changes. */
StreamIter stream_iter(const CrdtBody *body, StreamId first, StreamId last, bool reverse);
bool stream_iter_next(StreamIter *iter, StreamEntryView *out);

/* The entry an id names; the lower region's of equal ones. */
bool stream_find(const CrdtBody *body, StreamId id, StreamEntryView *out);
bool stream_find_dot(const CrdtBody *body, StreamId id, Dot dot, StreamEntryView *out);

typedef struct {
    uint64_t length;
    StreamId last_id;        /* the largest this member knew or XSETID set, since the key exists */
    StreamId max_deleted_id; /* likewise, by XDEL */
    uint64_t entries_added;
    uint32_t group_count; /* live ones */
} StreamInfo;

StreamInfo stream_info(const CrdtBody *body);
void stream_set_info(CrdtBody *body,
                     const StreamInfo *info); /* XSETID: all but length and groups */

/* --- edits: each begins writer anew */
void stream_put_add(PayloadWriter *writer, StreamId id);
void stream_put_fields(PayloadWriter *writer, const PayloadText *texts,
                       uint32_t count); /* ADD's value */

/* Entries with these ids (all of equal ones).  Returns how many; 0: there is nothing to send. */
uint32_t stream_put_remove(PayloadWriter *writer, const CrdtBody *body, const StreamId *ids,
                           uint32_t id_count);

typedef struct {
    bool by_id;          /* entries below min_id; else until max_length are left */
    StreamId min_id;     /* MINID */
    uint64_t max_length; /* MAXLEN */
    uint64_t limit;      /* at most so many; 0: no limit */
    uint32_t step;       /* only whole multiples of it; 0: 1 */
} StreamTrim;

uint32_t stream_put_trim(PayloadWriter *writer, const CrdtBody *body, const StreamTrim *trim);

void stream_put_group_create(PayloadWriter *writer, PayloadText group, StreamId start);
void stream_put_group_destroy(PayloadWriter *writer, PayloadText group);

/* --- groups and what of them is local */
typedef struct StreamGroup StreamGroup;
typedef struct StreamConsumer StreamConsumer;

StreamGroup *stream_group(const CrdtBody *body, PayloadText name);  /* NULL: no live one */
StreamGroup *stream_group_at(const CrdtBody *body, uint32_t index); /* live ones, by name */
PayloadText stream_group_name(const StreamGroup *group);
StreamId stream_group_last_id(const StreamGroup *group); /* largest delivered, or where it began */
uint64_t stream_group_entries_read(const StreamGroup *group);
uint64_t stream_group_lag(const CrdtBody *body, const StreamGroup *group); /* O(entries) */
uint32_t stream_group_consumer_count(const StreamGroup *group);
uint32_t stream_group_pending_count(const StreamGroup *group);

/* XGROUP SETID: what comes next is after id, in every region's tree. */
void stream_group_set_id(StreamGroup *group, StreamId id);

/* NULL: unknown.  Names are bytes; consumers are ordered by them. */
StreamConsumer *stream_consumer(const StreamGroup *group, PayloadText name);
StreamConsumer *stream_consumer_at(const StreamGroup *group, uint32_t index);
StreamConsumer *stream_consumer_create(StreamGroup *group, PayloadText name, WallTime now);
uint32_t stream_consumer_delete(StreamGroup *group,
                                StreamConsumer *consumer); /* what was pending */

struct StreamConsumer {
    char *name; /* owned */
    uint32_t name_bytes;
    uint32_t pending_count;
    WallTime seen;   /* last attempt to read or claim */
    WallTime active; /* last that gave it something; -1: never */
};

/* The next entry for ">": the lowest id among the first undelivered of each region. */
bool stream_group_next(const CrdtBody *body, const StreamGroup *group, StreamEntryView *out);

/* Counts it as delivered; consumer NULL (NOACK): and as acknowledged. */
void stream_group_take(StreamGroup *group, const StreamEntryView *entry, StreamConsumer *consumer,
                       WallTime now);

typedef struct {
    StreamId id;
    Dot dot;
    StreamConsumer *consumer;
    WallTime delivered;
    uint64_t delivery_count;
} StreamPending;

/* The first pending at or after (id, dot), NULL at the end. */
StreamPending *stream_pending_seek(const StreamGroup *group, StreamId id, Dot dot);
StreamPending *stream_pending_last(const StreamGroup *group);
StreamPending *stream_pending_next(const StreamGroup *group, const StreamPending *pending);
void stream_pending_move(StreamPending *pending, StreamConsumer *to); /* XCLAIM, XAUTOCLAIM */
void stream_pending_drop(StreamGroup *group, StreamPending *pending); /* its entry was deleted */
/* XCLAIM FORCE: not pending before. */
StreamPending *stream_pending_add(StreamGroup *group, const StreamEntryView *entry,
                                  StreamConsumer *consumer, WallTime now);

/* XACK.  Returns how many were pending; writes the edit when a region's gap-free prefix grew, else
 * leaves writer empty. */
uint32_t stream_ack(const CrdtBody *body, StreamGroup *group, const StreamId *ids,
                    uint32_t id_count, PayloadWriter *writer);
