/* What the commands on streams and on their groups share: replies within replies, ids, intervals.
 */
#pragma once

#include "models/crdt/body_stream.h"
#include "models/data/command_run.h"

#define ERROR_STREAM_ID      "ERR Invalid stream ID specified as stream command argument"
#define ERROR_STREAM_ID_ZERO "ERR The ID specified in XADD must be greater than 0-0"

/* The key's body, NULL when it does not exist for a reader. */
const CrdtBody *stream_body(CommandRun *run, const Key *key, bool exists);

/* The reply being written is, until the end, an item of the one before. */
typedef struct {
    Reply *outer;
    Reply inner;
} Nest;

void nest_begin(CommandRun *run, Nest *nest, uint32_t capacity);
void nest_end(CommandRun *run, Nest *nest);

void push_literal(CommandRun *run, const char *text);
void push_id(CommandRun *run, StreamId id);
void push_entry(CommandRun *run, const StreamEntryView *entry); /* id and fields */

/* A text made for this reply; without a tree it is what. */
void stream_reply_error(CommandRun *run, const char *what, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* false: the error is the reply. */
bool run_stream_id(CommandRun *run, uint32_t index, uint64_t missing_seq, StreamId *out);
/* "-", "+", an id, or "(" and an id; a time alone is its first or last id. */
bool run_interval(CommandRun *run, uint32_t first_index, uint32_t last_index, StreamId *first,
                  StreamId *last);
bool run_stream_integer(CommandRun *run, uint32_t index, const char *error, int64_t *out);

#define ERROR_NO_KEY "ERR no such key"

/* The live group named by an argument; NULL: not there. */
StreamGroup *group_of(CommandRun *run, const Key *key, bool exists, uint32_t index);
void group_reply_missing(CommandRun *run, uint32_t key_index, uint32_t group_index); /* NOGROUP */
PayloadText consumer_name(const StreamConsumer *consumer);
void stream_reply_no_group(CommandRun *run, uint32_t key_index, uint32_t group_index);
