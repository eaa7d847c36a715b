/* Why it works: a cursor per region says what was delivered of its tree, so an entry that arrives
 * late with a low id is still delivered.  What was acknowledged here above the common marks is a
 * set of dots per region; when an XACK closes the gap behind a mark, the mark moves over all that
 * follows without one, and that is what the other members are told.
 *
 * Simplified: XREADGROUP NOACK counts as acknowledged, but tells the others only with the next
 * XACK; the pending entries of one consumer are found by walking those of its group. */
#include "models/crdt/body_stream_private.h"

#include <string.h>

#include "sim/ensure.h"

static int pending_compare(const void *a, const void *b, void *unused)
{
    const StreamPending *left = a;
    const StreamPending *right = b;
    int order = stream_id_compare(left->id, right->id);

    (void)unused;
    if (order != 0)
        return order;
    if (dot_member(left->dot) != dot_member(right->dot))
        return dot_member(left->dot) < dot_member(right->dot) ? -1 : 1;
    return left->dot < right->dot ? -1 : left->dot > right->dot;
}

static void consumer_free(void *data)
{
    StreamConsumer *consumer = data;

    g_free(consumer->name);
    g_free(consumer);
}

GroupLocal *group_local_new(const StreamGroup *group)
{
    GroupLocal *local = g_new0(GroupLocal, 1);

    local->from = group->start;
    local->last_id = group->start;
    local->pending = g_tree_new_full(pending_compare, NULL, NULL, g_free);
    local->consumers = g_ptr_array_new_with_free_func(consumer_free);
    return local;
}

void group_local_free(GroupLocal *local)
{
    if (!local)
        return;
    g_tree_destroy(local->pending);
    g_ptr_array_free(local->consumers, TRUE);
    for (int i = 0; i <= MEMBER_MAX; i++)
        dot_set_clear(&local->gaps[i]);
    g_free(local);
}

void stream_pending_drop(StreamGroup *group, StreamPending *pending)
{
    group->local->pending_of[dot_member(pending->dot)]--;
    pending->consumer->pending_count--;
    g_tree_remove(group->local->pending, pending);
}

StreamPending *stream_pending_seek(const StreamGroup *group, StreamId id, Dot dot)
{
    StreamPending key = {.id = id, .dot = dot};
    GTreeNode *node = g_tree_lower_bound(group->local->pending, &key);

    return node ? g_tree_node_value(node) : NULL;
}

StreamPending *stream_pending_next(const StreamGroup *group, const StreamPending *pending)
{
    GTreeNode *node = g_tree_upper_bound(group->local->pending, pending);

    return node ? g_tree_node_value(node) : NULL;
}

StreamPending *stream_pending_last(const StreamGroup *group)
{
    GTreeNode *node = g_tree_node_last(group->local->pending);

    return node ? g_tree_node_value(node) : NULL;
}

/* What other members acknowledged counts as delivered and leaves our pending entries. */
static void pending_follow(StreamGroup *group, uint32_t origin, Dot mark)
{
    GroupLocal *local = group->local;
    uint32_t left = local->pending_of[origin];
    StreamPending *pending = left > 0 ? stream_pending_seek(group, STREAM_ID_MIN, 0) : NULL;

    while (pending && left > 0) {
        StreamPending *next = stream_pending_next(group, pending);

        if (dot_member(pending->dot) == origin) {
            left--;
            if (pending->dot <= mark)
                stream_pending_drop(group, pending);
        }
        pending = next;
    }
}

void group_local_follow(StreamGroup *group)
{
    GroupLocal *local = group->local;

    if (!local->from_is_set && stream_id_compare(local->from, group->start) != 0) {
        if (local->read_count == 0)
            local->last_id = group->start;
        local->from = group->start;
    }
    for (uint32_t i = 0; i <= MEMBER_MAX; i++) {
        Dot mark = dot_make(i, group->acked.seq[i]);

        if (group->acked.seq[i] <= local->marks.seq[i])
            continue;
        local->marks.seq[i] = group->acked.seq[i];
        if (local->cursor.seq[i] < group->acked.seq[i])
            local->cursor.seq[i] = group->acked.seq[i];
        dot_set_drop_up_to(&local->gaps[i], mark);
        pending_follow(group, i, mark);
    }
}

/* --- the group as a reader sees it */
StreamId stream_group_last_id(const StreamGroup *group)
{
    return group->local->last_id;
}

uint64_t stream_group_entries_read(const StreamGroup *group)
{
    return group->local->read_count;
}

uint32_t stream_group_consumer_count(const StreamGroup *group)
{
    return group->local->consumers->len;
}

uint32_t stream_group_pending_count(const StreamGroup *group)
{
    return (uint32_t)g_tree_nnodes(group->local->pending);
}

void stream_group_set_id(StreamGroup *group, StreamId id)
{
    group->local->cursor = (Clock){0};
    group->local->from = id;
    group->local->from_is_set = true;
    group->local->last_id = id;
}

/* --- consumers */
static int consumer_compare(const StreamConsumer *consumer, PayloadText name)
{
    return payload_text_compare((PayloadText){consumer->name, consumer->name_bytes}, name);
}

static uint32_t consumer_lower(const GroupLocal *local, PayloadText name)
{
    uint32_t low = 0;
    uint32_t high = local->consumers->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (consumer_compare(local->consumers->pdata[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

StreamConsumer *stream_consumer_at(const StreamGroup *group, uint32_t index)
{
    return index < group->local->consumers->len ? group->local->consumers->pdata[index] : NULL;
}

StreamConsumer *stream_consumer(const StreamGroup *group, PayloadText name)
{
    StreamConsumer *consumer = stream_consumer_at(group, consumer_lower(group->local, name));

    return consumer && consumer_compare(consumer, name) == 0 ? consumer : NULL;
}

StreamConsumer *stream_consumer_create(StreamGroup *group, PayloadText name, WallTime now)
{
    StreamConsumer *consumer = stream_consumer(group, name);

    if (consumer)
        return consumer;
    consumer = g_new0(StreamConsumer, 1);
    consumer->name = g_malloc(name.bytes + 1);
    if (name.bytes > 0)
        memcpy(consumer->name, name.data, name.bytes);
    consumer->name[name.bytes] = '\0';
    consumer->name_bytes = name.bytes;
    consumer->seen = now;
    consumer->active = (WallTime){-1};
    g_ptr_array_insert(group->local->consumers, (int)consumer_lower(group->local, name), consumer);
    return consumer;
}

uint32_t stream_consumer_delete(StreamGroup *group, StreamConsumer *consumer)
{
    uint32_t count = consumer->pending_count;
    StreamPending *pending = stream_pending_seek(group, STREAM_ID_MIN, 0);

    while (pending && consumer->pending_count > 0) {
        StreamPending *next = stream_pending_next(group, pending);

        if (pending->consumer == consumer)
            stream_pending_drop(group, pending);
        pending = next;
    }
    g_ptr_array_remove(group->local->consumers, consumer);
    return count;
}

/* --- delivery */
/* Of a disordered tree the oldest dot comes first: nothing is ever skipped. */
static const StreamEntry *next_of_disordered(const GroupLocal *local, const StreamTree *tree,
                                             Dot delivered)
{
    const StreamEntry *best = NULL;

    for (uint32_t i = tree->first; i < tree->end; i++) {
        const StreamEntry *entry = &tree->entries[i];

        if (!entry->dead && entry->dot > delivered && (!best || entry->dot < best->dot) &&
            stream_id_compare(entry->id, local->from) > 0)
            best = entry;
    }
    return best;
}

static const StreamEntry *next_of_tree(const GroupLocal *local, const StreamTree *tree,
                                       uint32_t origin)
{
    Dot delivered = dot_make(origin, local->cursor.seq[origin]);
    uint32_t at;

    if (tree->disordered)
        return next_of_disordered(local, tree, delivered);
    at = MAX(tree_lower(tree, local->from, UINT64_MAX), tree_lower_dot(tree, delivered + 1));
    while (at < tree->end && tree->entries[at].dead)
        at++;
    return at < tree->end ? &tree->entries[at] : NULL;
}

bool stream_group_next(const CrdtBody *body, const StreamGroup *group, StreamEntryView *out)
{
    const StreamEntry *best = NULL;

    for (uint32_t i = 0; i <= MEMBER_MAX; i++) {
        const StreamEntry *entry = next_of_tree(group->local, &body->trees[i], i);

        if (entry && (!best || stream_id_compare(entry->id, best->id) < 0))
            best = entry;
    }
    if (best)
        *out = entry_view(best);
    return best != NULL;
}

uint64_t stream_group_lag(const CrdtBody *body, const StreamGroup *group)
{
    const GroupLocal *local = group->local;
    uint64_t lag = 0;

    for (uint32_t k = 0; k <= MEMBER_MAX; k++) {
        const StreamTree *tree = &body->trees[k];

        for (uint32_t i = tree->first; i < tree->end; i++)
            if (!tree->entries[i].dead &&
                tree->entries[i].dot > dot_make(k, local->cursor.seq[k]) &&
                stream_id_compare(tree->entries[i].id, local->from) > 0)
                lag++;
    }
    return lag;
}

StreamPending *stream_pending_add(StreamGroup *group, const StreamEntryView *entry,
                                  StreamConsumer *consumer, WallTime now)
{
    StreamPending key = {.id = entry->id, .dot = entry->dot};
    StreamPending *pending = g_tree_lookup(group->local->pending, &key);

    if (pending) {
        stream_pending_move(pending, consumer);
    } else {
        pending = g_new0(StreamPending, 1);
        pending->id = entry->id;
        pending->dot = entry->dot;
        pending->consumer = consumer;
        consumer->pending_count++;
        group->local->pending_of[dot_member(entry->dot)]++;
        g_tree_insert(group->local->pending, pending, pending);
    }
    pending->delivered = now;
    pending->delivery_count = 1;
    return pending;
}

void stream_pending_move(StreamPending *pending, StreamConsumer *to)
{
    pending->consumer->pending_count--;
    pending->consumer = to;
    to->pending_count++;
}

void stream_group_take(StreamGroup *group, const StreamEntryView *entry, StreamConsumer *consumer,
                       WallTime now)
{
    GroupLocal *local = group->local;
    uint32_t origin = dot_member(entry->dot);

    if (local->cursor.seq[origin] < dot_seq(entry->dot))
        local->cursor.seq[origin] = dot_seq(entry->dot);
    if (stream_id_compare(local->last_id, entry->id) < 0)
        local->last_id = entry->id;
    local->read_count++;
    if (consumer)
        stream_pending_add(group, entry, consumer, now);
    else if (dot_seq(entry->dot) > local->marks.seq[origin])
        dot_set_add(&local->gaps[origin], entry->dot);
}

/* --- acknowledgement */
/* The oldest entry above the mark that counts for the group and is not acknowledged. */
static Dot first_unacked(const GroupLocal *local, const StreamTree *tree, uint32_t origin)
{
    Dot mark = dot_make(origin, local->marks.seq[origin]);
    Dot oldest = UINT64_MAX;
    uint32_t at = tree->disordered ? tree->first : tree_lower_dot(tree, mark + 1);

    for (; at < tree->end; at++) {
        const StreamEntry *entry = &tree->entries[at];

        if (entry->dead || entry->dot <= mark || entry->dot >= oldest ||
            stream_id_compare(entry->id, local->from) <= 0 ||
            dot_set_has(&local->gaps[origin], entry->dot))
            continue;
        oldest = entry->dot;
        if (!tree->disordered)
            break;
    }
    return oldest;
}

/* Moves the mark over all that is acknowledged without a gap. */
static bool mark_advance(const CrdtBody *body, GroupLocal *local, uint32_t origin)
{
    DotSet *gaps = &local->gaps[origin];
    Dot limit;
    uint32_t end;

    if (dot_set_count(gaps) == 0)
        return false;
    limit = first_unacked(local, &body->trees[origin], origin);
    end = dot_set_lower(gaps, limit);
    if (end == gaps->first)
        return false;
    local->marks.seq[origin] = dot_seq(gaps->dots[end - 1]);
    gaps->first = end;
    return true;
}

uint32_t stream_ack(const CrdtBody *body, StreamGroup *group, const StreamId *ids,
                    uint32_t id_count, PayloadWriter *writer)
{
    GroupLocal *local = group->local;
    uint32_t count = 0;
    bool grew = false;

    payload_begin(writer);
    for (uint32_t i = 0; i < id_count; i++) {
        StreamPending *pending = stream_pending_seek(group, ids[i], 0);

        while (pending && stream_id_compare(pending->id, ids[i]) == 0) {
            StreamPending *next = stream_pending_next(group, pending);
            uint32_t origin = dot_member(pending->dot);

            if (dot_seq(pending->dot) > local->marks.seq[origin])
                dot_set_add(&local->gaps[origin], pending->dot);
            stream_pending_drop(group, pending);
            count++;
            pending = next;
        }
    }
    for (uint32_t k = 0; count > 0 && k <= MEMBER_MAX; k++)
        grew = mark_advance(body, local, k) || grew;
    if (grew)
        group_put_ack(writer, group, &local->marks);
    return count;
}
