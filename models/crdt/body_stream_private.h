/* What the files of the stream body share. */
#pragma once

#include <glib.h>

#include "models/crdt/body_stream_tree.h"

enum { EDIT_ADD = 1, EDIT_REMOVE, EDIT_TRIM, EDIT_CREATE, EDIT_DESTROY, EDIT_ACK };

/* What one origin's newest CREATE and ACK say; dots 0: nothing that counts. */
typedef struct {
    Dot create;
    Clock create_ctx;
    StreamId start;
    Dot ack;
    Clock ack_ctx;
    Clock acked;
} GroupVoice;

/* This member's own part of a live group. */
typedef struct {
    Clock cursor;     /* per region, delivered up to here */
    Clock marks;      /* acknowledged up to here, as far as worked into the rest */
    StreamId from;    /* entries up to here are before the group's time */
    bool from_is_set; /* by SETID */
    StreamId last_id; /* largest delivered, at least from */
    uint64_t read_count;
    DotSet gaps[MEMBER_MAX + 1]; /* acknowledged here, above marks */
    GTree *pending;              /* StreamPending by (id, dot) */
    uint32_t pending_of[MEMBER_MAX + 1];
    GPtrArray *consumers; /* by name */
} GroupLocal;

struct StreamGroup {
    char *name;
    uint32_t name_bytes;
    Clock destroyed; /* dots of DESTROYs */
    GroupVoice *voices[MEMBER_MAX + 1];
    bool begun_anew;   /* a newer CREATE took the place of one that counted */
    StreamId start;    /* of the live CREATEs */
    Clock acked;       /* of the live ACKs */
    GroupLocal *local; /* NULL: not live */
};

struct CrdtBody {
    StreamTree trees[MEMBER_MAX + 1];
    DotSet early[MEMBER_MAX + 1]; /* removed, not arrived yet */
    Clock deleted;                /* what key DELs had observed */
    Clock group_deleted;          /* dots of key DELs */
    StreamGroup **groups;         /* by name, live or not */
    uint32_t group_count, group_capacity;
    uint32_t live_group_count;
    StreamId last_id, max_deleted_id; /* local, as is the next */
    uint64_t entries_added;
    BodySummary summary;
};

/* body_stream_groups.c */
void groups_apply(CrdtBody *body, const Effect *effect, uint8_t op, PayloadText rest);
void groups_delete(CrdtBody *body, const Effect *effect); /* the key */
void groups_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from);
void groups_collect(CrdtBody *body, const Clock *stable);
void group_put_ack(PayloadWriter *writer, const StreamGroup *group, const Clock *acked);
void groups_free(CrdtBody *body);
void groups_digest(const CrdtBody *body, Digest *digest);
uint64_t groups_oldest_rank(const CrdtBody *body);

/* body_stream_read.c */
StreamEntryView entry_view(const StreamEntry *entry);

/* body_stream_local.c */
GroupLocal *group_local_new(const StreamGroup *group);
void group_local_free(GroupLocal *local);
void group_local_follow(StreamGroup *group); /* its marks or start may have changed */
