/* Why it works: a CREATE or an ACK counts while its origin had observed every removal of the group,
 * a DESTROY of its name or a DEL of the key as a stream; a DEL made while the key showed another
 * type takes only what it had observed, as members that hold no stream need not keep it.  An
 * origin's observed clock only grows, so of each origin the newest counts whenever an older one
 * does, and it says all: at most one CREATE and one ACK per origin are kept.  Removals are kept as
 * the join of their dots: to have observed (r, n) is to have observed all of r before it.
 *
 * A removal may be forgotten once every member has observed it and has said so behind all it had
 * made before: whatever arrives later has observed it.  That needs more of the stable cut than
 * observed removes do: a report counts only when the effects its sender made before have arrived
 * (links are FIFO, so they have). */
#include "models/crdt/body_stream_private.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "sim/ensure.h"

static int group_compare(const StreamGroup *group, PayloadText name)
{
    return payload_text_compare((PayloadText){group->name, group->name_bytes}, name);
}

/* Index of the first group not before name. */
static uint32_t group_lower(const CrdtBody *body, PayloadText name)
{
    uint32_t low = 0;
    uint32_t high = body->group_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const StreamGroup *group = body->groups[middle];

        if (group_compare(group, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static StreamGroup *group_find(const CrdtBody *body, PayloadText name)
{
    uint32_t at = group_lower(body, name);
    StreamGroup *group = at < body->group_count ? body->groups[at] : NULL;

    return group && group_compare(group, name) == 0 ? group : NULL;
}

StreamGroup *stream_group(const CrdtBody *body, PayloadText name)
{
    StreamGroup *group = group_find(body, name);

    return group && group->local ? group : NULL;
}

StreamGroup *stream_group_at(const CrdtBody *body, uint32_t index)
{
    for (uint32_t i = 0; i < body->group_count; i++)
        if (body->groups[i]->local && index-- == 0)
            return body->groups[i];
    return NULL;
}

PayloadText stream_group_name(const StreamGroup *group)
{
    return (PayloadText){group->name, group->name_bytes};
}

static StreamGroup *group_need(CrdtBody *body, PayloadText name)
{
    uint32_t at = group_lower(body, name);
    StreamGroup *group = group_find(body, name);

    if (group)
        return group;
    group = g_new0(StreamGroup, 1);
    group->name = g_malloc(name.bytes + 1);
    if (name.bytes > 0)
        memcpy(group->name, name.data, name.bytes);
    group->name[name.bytes] = '\0';
    group->name_bytes = name.bytes;
    if (body->group_count == body->group_capacity) {
        body->group_capacity = body->group_capacity > 0 ? body->group_capacity * 2 : 2;
        body->groups = g_renew(StreamGroup *, body->groups, body->group_capacity);
    }
    memmove(&body->groups[at + 1], &body->groups[at],
            (body->group_count - at) * sizeof(StreamGroup *));
    body->groups[at] = group;
    body->group_count++;
    return group;
}

static void group_free(StreamGroup *group)
{
    for (int i = 0; i <= MEMBER_MAX; i++)
        g_free(group->voices[i]);
    group_local_free(group->local);
    g_free(group->name);
    g_free(group);
}

void groups_free(CrdtBody *body)
{
    for (uint32_t i = 0; i < body->group_count; i++)
        group_free(body->groups[i]);
    g_free(body->groups);
}

static bool has_observed(const Clock *ctx, const Clock *removals)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (ctx->seq[i] < removals->seq[i])
            return false;
    return true;
}

/* Clocks of dots here have a seq for the genesis too: entries from the start have dots of their
 * own. */
static void marks_join(Clock *into, const Clock *from)
{
    clock_join(into, from);
    into->seq[0] = MAX(into->seq[0], from->seq[0]);
}

static Clock group_removals(const CrdtBody *body, const StreamGroup *group)
{
    Clock removals = body->group_deleted;

    clock_join(&removals, &group->destroyed);
    return removals;
}

/* Drops what no longer counts.  Returns whether a CREATE was among it. */
static bool group_prune(StreamGroup *group, const Clock *removals, const Clock *deleted)
{
    bool lost = false;

    for (int i = 0; i <= MEMBER_MAX; i++) {
        GroupVoice *voice = group->voices[i];

        if (!voice)
            continue;
        if (voice->create != 0 &&
            (!has_observed(&voice->create_ctx, removals) || clock_covers(deleted, voice->create))) {
            voice->create = 0;
            lost = true;
        }
        if (voice->ack != 0 &&
            (!has_observed(&voice->ack_ctx, removals) || clock_covers(deleted, voice->ack)))
            voice->ack = 0;
        if (voice->create == 0 && voice->ack == 0)
            g_clear_pointer(&group->voices[i], g_free);
    }
    return lost;
}

/* An ACK speaks of the group its origin saw: one of the CREATEs it had observed must still count.
 */
static bool ack_counts(const StreamGroup *group, const GroupVoice *voice)
{
    for (int i = 1; voice->ack != 0 && i <= MEMBER_MAX; i++)
        if (group->voices[i] && group->voices[i]->create != 0 &&
            clock_covers(&voice->ack_ctx, group->voices[i]->create))
            return true;
    return false;
}

/* What the voices left say.  A group that lost a CREATE but has another is another group of the
 * same name: who was reading begins anew. */
static void group_settle(CrdtBody *body, StreamGroup *group)
{
    Clock removals = group_removals(body, group);
    bool lost = group_prune(group, &removals, &body->deleted) || group->begun_anew;
    bool live = false;

    group->begun_anew = false;
    group->start = STREAM_ID_MAX;
    group->acked = (Clock){0};
    for (int i = 0; i <= MEMBER_MAX; i++) {
        const GroupVoice *voice = group->voices[i];

        if (voice && voice->create != 0) {
            live = true;
            if (stream_id_compare(voice->start, group->start) < 0)
                group->start = voice->start;
        }
        if (voice && ack_counts(group, voice))
            marks_join(&group->acked, &voice->acked);
    }
    if (group->local && (!live || lost)) {
        g_clear_pointer(&group->local, group_local_free);
        body->live_group_count--;
    }
    if (live && !group->local) {
        group->local = group_local_new(group);
        body->live_group_count++;
    }
    if (live)
        group_local_follow(group);
}

/* Groups of which nothing is left to remember go. */
static void groups_tidy(CrdtBody *body)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < body->group_count; i++) {
        StreamGroup *group = body->groups[i];
        bool held = group->local != NULL;

        for (int k = 1; k <= MEMBER_MAX; k++)
            held = held || group->voices[k] || group->destroyed.seq[k] > 0;
        if (held)
            body->groups[count++] = group;
        else
            group_free(group);
    }
    body->group_count = count;
}

static void voice_create(StreamGroup *group, GroupVoice *voice, const GroupVoice *newer)
{
    group->begun_anew = group->begun_anew || voice->create != 0;
    voice->create = newer->create;
    voice->create_ctx = newer->create_ctx;
    voice->start = newer->start;
}

static GroupVoice *group_voice(StreamGroup *group, uint32_t origin)
{
    if (!group->voices[origin])
        group->voices[origin] = g_new0(GroupVoice, 1);
    return group->voices[origin];
}

static void take_part(PayloadText *rest, void *out, uint32_t bytes)
{
    ensure(rest->bytes >= bytes);
    memcpy(out, rest->data, bytes);
    rest->data += bytes;
    rest->bytes -= bytes;
}

void groups_apply(CrdtBody *body, const Effect *effect, uint8_t op, PayloadText rest)
{
    uint32_t origin = dot_member(effect->dot);
    StreamId start = STREAM_ID_MIN;
    Clock acked = {0};
    StreamGroup *group;
    GroupVoice *voice;

    if (op == EDIT_CREATE)
        take_part(&rest, &start, sizeof(start));
    else if (op == EDIT_ACK)
        take_part(&rest, &acked, sizeof(acked));
    group = group_need(body, rest);
    if (op == EDIT_DESTROY) {
        group->destroyed.seq[origin] = dot_seq(effect->dot);
    } else {
        ensure(op == EDIT_CREATE || op == EDIT_ACK);
        voice = group_voice(group, origin);
        if (op == EDIT_CREATE) {
            voice_create(
                group, voice,
                &(GroupVoice){.create = effect->dot, .create_ctx = effect->ctx, .start = start});
        } else {
            voice->ack = effect->dot;
            voice->ack_ctx = effect->ctx;
            voice->acked = acked;
        }
    }
    group_settle(body, group);
    groups_tidy(body);
}

void groups_delete(CrdtBody *body, const Effect *effect)
{
    if (effect_deletes(effect, CRDT_STREAM))
        body->group_deleted.seq[dot_member(effect->dot)] = dot_seq(effect->dot);
    for (uint32_t i = 0; i < body->group_count; i++)
        group_settle(body, body->groups[i]);
    groups_tidy(body);
}

/* What one side has and the other lacks, though its clock covers the dot, is over there; of two of
 * one origin the newer says all. */
static void merge_voice(const BodyMerge *merge, StreamGroup *group, uint32_t origin,
                        const GroupVoice *theirs)
{
    static const GroupVoice nothing = {0};
    GroupVoice *voice = group_voice(group, origin);

    if (!theirs)
        theirs = &nothing;
    if (theirs->create > voice->create) {
        if (!clock_covers(&merge->into->clock, theirs->create))
            voice_create(group, voice, theirs);
    } else if (voice->create > theirs->create && clock_covers(&merge->from->clock, voice->create)) {
        voice->create = 0;
        group->begun_anew = true;
    }
    if (theirs->ack > voice->ack) {
        if (!clock_covers(&merge->into->clock, theirs->ack)) {
            voice->ack = theirs->ack;
            voice->ack_ctx = theirs->ack_ctx;
            voice->acked = theirs->acked;
        }
    } else if (voice->ack > theirs->ack && clock_covers(&merge->from->clock, voice->ack)) {
        voice->ack = 0;
    }
}

void groups_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from)
{
    clock_join(&into->group_deleted, &from->group_deleted);
    for (uint32_t i = 0; i < from->group_count; i++)
        group_need(into, stream_group_name(from->groups[i]));
    for (uint32_t i = 0; i < into->group_count; i++) {
        StreamGroup *group = into->groups[i];
        const StreamGroup *other = group_find(from, stream_group_name(group));

        if (other)
            clock_join(&group->destroyed, &other->destroyed);
        for (uint32_t k = 1; k <= MEMBER_MAX; k++)
            if (group->voices[k] || (other && other->voices[k]))
                merge_voice(merge, group, k, other ? other->voices[k] : NULL);
        group_settle(into, group);
    }
    groups_tidy(into);
}

static void clock_drop_stable(Clock *removals, const Clock *stable)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (removals->seq[i] <= stable->seq[i])
            removals->seq[i] = 0;
}

/* All CREATEs an ACK had observed have arrived, and none counts: none ever will. */
static void drop_idle_acks(StreamGroup *group, const Clock *stable)
{
    for (int i = 1; i <= MEMBER_MAX; i++) {
        GroupVoice *voice = group->voices[i];

        if (!voice || ack_counts(group, voice) || !has_observed(stable, &voice->ack_ctx))
            continue;
        voice->ack = 0;
        if (voice->create == 0)
            g_clear_pointer(&group->voices[i], g_free);
    }
}

void groups_collect(CrdtBody *body, const Clock *stable)
{
    clock_drop_stable(&body->group_deleted, stable);
    for (uint32_t i = 0; i < body->group_count; i++) {
        clock_drop_stable(&body->groups[i]->destroyed, stable);
        drop_idle_acks(body->groups[i], stable);
    }
    groups_tidy(body);
}

uint64_t groups_oldest_rank(const CrdtBody *body)
{
    uint64_t rank = UINT64_MAX;

    for (uint32_t i = 0; i < body->group_count; i++) {
        for (uint64_t k = 0; k <= MEMBER_MAX; k++) {
            const GroupVoice *voice = body->groups[i]->voices[k];

            if (voice && voice->create != 0 && (k << 60 | dot_seq(voice->create)) < rank)
                rank = k << 60 | dot_seq(voice->create);
        }
    }
    return rank;
}

static void voice_digest(const StreamGroup *group, uint32_t origin, Digest *digest)
{
    const GroupVoice *voice = group->voices[origin];

    digest_u64(digest, origin);
    digest_u64(digest, voice->create);
    if (voice->create != 0) {
        digest_u64(digest, voice->start.ms);
        digest_u64(digest, voice->start.seq);
    }
    for (int i = 0; ack_counts(group, voice) && i <= MEMBER_MAX; i++)
        digest_u64(digest, voice->acked.seq[i]);
}

/* Removals are left out: a forgotten one and one that nothing under way can meet are the same. */
void groups_digest(const CrdtBody *body, Digest *digest)
{
    for (uint32_t i = 0; i < body->group_count; i++) {
        const StreamGroup *group = body->groups[i];

        if (!group->local)
            continue;
        digest_bytes(digest, group->name, group->name_bytes);
        for (uint32_t k = 1; k <= MEMBER_MAX; k++)
            if (group->voices[k] &&
                (group->voices[k]->create != 0 || ack_counts(group, group->voices[k])))
                voice_digest(group, k, digest);
    }
}

/* --- edits */
static void put_group(PayloadWriter *writer, uint8_t op, const void *part, uint32_t bytes,
                      PayloadText name)
{
    payload_begin(writer);
    payload_put_bytes(writer, &op, 1);
    payload_put_bytes(writer, part, bytes);
    payload_put_bytes(writer, name.data, name.bytes);
}

void stream_put_group_create(PayloadWriter *writer, PayloadText group, StreamId start)
{
    put_group(writer, EDIT_CREATE, &start, sizeof(start), group);
}

void stream_put_group_destroy(PayloadWriter *writer, PayloadText group)
{
    put_group(writer, EDIT_DESTROY, NULL, 0, group);
}

void group_put_ack(PayloadWriter *writer, const StreamGroup *group, const Clock *acked)
{
    put_group(writer, EDIT_ACK, acked, sizeof(*acked), stream_group_name(group));
}
