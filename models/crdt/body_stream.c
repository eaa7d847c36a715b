/* Why it works: an entry is live while its dot was neither named by a removal nor observed by a key
 * DEL.  Removals name dots; one that comes before its entry waits in a set until the entry arrives
 * and both are forgotten.  What the key DELs had observed is one clock, the join of theirs, because
 * what a member knows of an origin is a prefix.  Two states need no tombstones to be merged: an
 * entry one side lacks although its clock covers the dot was removed there. */
#include "models/crdt/body_stream.h"

#include <string.h>

#include "models/crdt/body_stream_private.h"
#include "sim/ensure.h"

static CrdtBody *stream_create(void)
{
    return g_new0(CrdtBody, 1);
}

static void stream_destroy(CrdtBody *body)
{
    if (!body)
        return;
    for (uint32_t i = 0; i <= MEMBER_MAX; i++) {
        tree_clear(&body->trees[i]);
        dot_set_clear(&body->early[i]);
    }
    groups_free(body);
    g_free(body);
}

static bool stream_is_present(const CrdtBody *body)
{
    return body->summary.element_count > 0 || body->live_group_count > 0;
}

static bool clock_is_zero(const Clock *clock)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (clock->seq[i] > 0)
            return false;
    return true;
}

/* The books of what is not an entry, and the end of the key for a reader: what comes after it
 * begins anew, as after a DEL in Redis. */
static void stream_settle(CrdtBody *body)
{
    int64_t early_count = 0;

    for (uint32_t i = 0; i <= MEMBER_MAX; i++)
        early_count += dot_set_count(&body->early[i]);
    body->summary.tombstone_count = early_count + (body->group_count - body->live_group_count) +
                                    (clock_is_zero(&body->group_deleted) ? 0 : 1);
    body->summary.header_count =
        body->summary.element_count + body->live_group_count + body->summary.tombstone_count;
    if (!stream_is_present(body)) {
        body->last_id = STREAM_ID_MIN;
        body->max_deleted_id = STREAM_ID_MIN;
        body->entries_added = 0;
    }
}

/* --- entries */
static void entry_insert(CrdtBody *body, const StreamEntry *entry)
{
    tree_insert(&body->trees[dot_member(entry->dot)], entry);
    body->summary.element_count++;
    body->summary.value_bytes += entry_text_bytes(entry);
    body->entries_added++;
    if (stream_id_compare(body->last_id, entry->id) < 0)
        body->last_id = entry->id;
}

static void entry_kill(CrdtBody *body, StreamTree *tree, uint32_t at)
{
    body->summary.element_count--;
    body->summary.value_bytes -= entry_text_bytes(&tree->entries[at]);
    tree_kill(tree, at);
}

/* Entries from the start have dots of the genesis, which every clock covers, each its own. */
static void stream_fill(CrdtBody *body, uint32_t element_count, uint32_t value_bytes)
{
    for (uint32_t i = 0; i < element_count; i++) {
        StreamEntry entry = {.id = {i + 1, 0},
                             .dot = dot_make(0, i + 1),
                             .bytes =
                                 value_bytes / element_count + (i < value_bytes % element_count),
                             .kind = VALUE_SYNTHETIC};

        entry_insert(body, &entry);
    }
    stream_settle(body);
}

static void apply_add(CrdtBody *body, const BodyEffect *be, PayloadText rest)
{
    const Value *value = &be->effect->value;
    StreamEntry entry = {.dot = be->effect->dot};
    DotSet *early = &body->early[dot_member(entry.dot)];

    ensure(rest.bytes == sizeof(StreamId));
    memcpy(&entry.id, rest.data, sizeof(StreamId));
    if (dot_set_take(early, entry.dot) || clock_covers(&body->deleted, entry.dot))
        return;
    entry.kind = (uint8_t)(be->value.data ? VALUE_BYTES : VALUE_SYNTHETIC);
    entry.bytes = be->value.data ? be->value.bytes : value->bytes;
    entry.number = be->value.data ? (uint64_t)(uintptr_t)g_memdup2(be->value.data, be->value.bytes)
                                  : value->number;
    entry_insert(body, &entry);
}

typedef struct {
    StreamId id;
    Dot dot;
} RemovedEntry;

static void apply_remove(CrdtBody *body, const BodyEffect *be, bool by_id, PayloadText rest)
{
    bool touched[MEMBER_MAX + 1] = {false};

    ensure(rest.bytes % sizeof(RemovedEntry) == 0);
    for (uint32_t at = 0; at < rest.bytes; at += (uint32_t)sizeof(RemovedEntry)) {
        RemovedEntry removed;
        uint32_t origin;
        StreamTree *tree;
        uint32_t index;

        memcpy(&removed, rest.data + at, sizeof(removed));
        origin = dot_member(removed.dot);
        tree = &body->trees[origin];
        index = tree_lower(tree, removed.id, removed.dot);
        if (by_id && stream_id_compare(body->max_deleted_id, removed.id) < 0)
            body->max_deleted_id = removed.id;
        if (index < tree->end && tree->entries[index].dot == removed.dot) {
            if (!tree->entries[index].dead) /* two members may remove the same one */
                entry_kill(body, tree, index);
            touched[origin] = true;
        } else if (!clock_covers(&be->causality->clock, removed.dot)) {
            dot_set_add(&body->early[origin], removed.dot);
        }
    }
    for (uint32_t i = 0; i <= MEMBER_MAX; i++)
        if (touched[i])
            tree_tidy(&body->trees[i]);
}

static void kill_observed(CrdtBody *body, const Clock *observed)
{
    for (uint32_t i = 0; i <= MEMBER_MAX; i++) {
        StreamTree *tree = &body->trees[i];

        if (tree->live_count == 0)
            continue;
        for (uint32_t at = tree->first; at < tree->end; at++)
            if (!tree->entries[at].dead && clock_covers(observed, tree->entries[at].dot))
                entry_kill(body, tree, at);
        tree_tidy(tree);
    }
}

static void stream_apply(CrdtBody *body, const BodyEffect *be)
{
    PayloadText rest = be->edit;
    uint8_t op;

    if (be->effect->op == EFFECT_DELETE) {
        clock_join(&body->deleted, &be->effect->ctx);
        kill_observed(body, &be->effect->ctx);
        groups_delete(body, be->effect);
        stream_settle(body);
        return;
    }
    ensure(rest.data && rest.bytes > 0);
    op = (uint8_t)rest.data[0];
    rest.data++;
    rest.bytes--;
    if (op == EDIT_ADD)
        apply_add(body, be, rest);
    else if (op == EDIT_REMOVE || op == EDIT_TRIM)
        apply_remove(body, be, op == EDIT_REMOVE, rest);
    else
        groups_apply(body, be->effect, op, rest);
    stream_settle(body);
}

/* --- merge */
/* Whether a side that lacks an entry had it once, or knows that it is to go. */
static bool is_removed(const CrdtBody *body, const Causality *causality, Dot dot)
{
    return clock_covers(&causality->clock, dot) || clock_covers(&body->deleted, dot) ||
           dot_set_has(&body->early[dot_member(dot)], dot);
}

static const StreamEntry *tree_find(const StreamTree *tree, const StreamEntry *like)
{
    uint32_t at = tree_lower(tree, like->id, like->dot);

    if (at == tree->end || tree->entries[at].dot != like->dot || tree->entries[at].dead)
        return NULL;
    return &tree->entries[at];
}

static void merge_tree(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from,
                       uint32_t origin)
{
    StreamTree *own = &into->trees[origin];
    const StreamTree *other = &from->trees[origin];

    for (uint32_t i = own->first; i < own->end; i++)
        if (!own->entries[i].dead && !tree_find(other, &own->entries[i]) &&
            is_removed(from, merge->from, own->entries[i].dot))
            entry_kill(into, own, i);
    tree_tidy(own);
    for (uint32_t i = other->first; i < other->end; i++) {
        StreamEntry copy;

        if (other->entries[i].dead || tree_find(own, &other->entries[i]) ||
            is_removed(into, merge->into, other->entries[i].dot))
            continue;
        copy = entry_copy(&other->entries[i]);
        entry_insert(into, &copy);
    }
}

static void merge_early(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from,
                        uint32_t origin)
{
    DotSet *own = &into->early[origin];
    const DotSet *other = &from->early[origin];

    for (uint32_t i = other->first; i < other->end; i++)
        dot_set_add(own, other->dots[i]);
    dot_set_drop_up_to(own, dot_make(origin, merge->joined->clock.seq[origin]));
}

static void stream_merge(const BodyMerge *merge, CrdtBody *into, const CrdtBody *from)
{
    for (uint32_t i = 0; i <= MEMBER_MAX; i++)
        merge_tree(merge, into, from, i);
    for (uint32_t i = 1; i <= MEMBER_MAX; i++)
        merge_early(merge, into, from, i);
    clock_join(&into->deleted, &from->deleted);
    groups_merge(merge, into, from);
    stream_settle(into);
}

/* --- the rest of the rule */
static bool stream_is_empty(CrdtBody *body, const Causality *causality)
{
    for (uint32_t i = 1; i <= MEMBER_MAX; i++)
        if (body->deleted.seq[i] > causality->clock.seq[i])
            return false;
    return body->summary.header_count == 0;
}

static BodySummary stream_summary(const CrdtBody *body)
{
    return body->summary;
}

/* What key DELs had observed is of no use once it has arrived here. */
static void stream_collect(CrdtBody *body, const Clock *stable)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (body->deleted.seq[i] <= stable->seq[i])
            body->deleted.seq[i] = 0;
    groups_collect(body, stable);
    stream_settle(body);
}

static uint64_t stream_oldest_rank(const CrdtBody *body)
{
    uint64_t rank = groups_oldest_rank(body);

    for (uint64_t i = 0; i <= MEMBER_MAX; i++) {
        Dot oldest = tree_oldest(&body->trees[i]);

        if (oldest != UINT64_MAX && (i << 60 | dot_seq(oldest)) < rank)
            rank = i << 60 | dot_seq(oldest);
    }
    return rank;
}

static void stream_digest(const CrdtBody *body, Digest *digest)
{
    for (uint32_t i = 0; i <= MEMBER_MAX; i++) {
        const StreamTree *tree = &body->trees[i];
        const DotSet *early = &body->early[i];

        digest_u64(digest, tree->live_count);
        for (uint32_t at = tree->first; at < tree->end; at++) {
            const StreamEntry *entry = &tree->entries[at];

            if (entry->dead)
                continue;
            digest_u64(digest, entry->id.ms);
            digest_u64(digest, entry->id.seq);
            digest_u64(digest, entry->dot);
            digest_u64(digest, entry->bytes);
            if (entry->kind == VALUE_BYTES)
                digest_bytes(digest, (const char *)(uintptr_t)entry->number, entry->bytes);
            else
                digest_u64(digest, entry->number);
        }
        digest_u64(digest, dot_set_count(early));
        for (uint32_t at = early->first; at < early->end; at++)
            digest_u64(digest, early->dots[at]);
    }
    groups_digest(body, digest);
}

const BodyRule body_stream = {
    .create = stream_create,
    .destroy = stream_destroy,
    .fields = BODY_FIELDS_HELD,
    .fill = stream_fill,
    .apply = stream_apply,
    .merge = stream_merge,
    .is_present = stream_is_present,
    .is_empty = stream_is_empty,
    .summary = stream_summary,
    .collect = stream_collect,
    .oldest_rank = stream_oldest_rank,
    .digest = stream_digest,
};
