/* Why it works: an addition lives until a DEL arrives that its member had not observed.  Whether it
 * had observed the DELs known here is told by the effect's clock.  For the DELs still to come, the
 * edit names the newest DELs of this key its member knew: only those that have not arrived here
 * matter, and only they can tell two living additions apart.  So additions fall into groups by the
 * DELs they are ahead of us by.  Nearly always there is one group, ahead of nothing, and its
 * registers are the maximum of all living additions; any DEL that arrives ends it.
 *
 * A DEL may be forgotten when it is stable.  Every linked member had observed it when it reported
 * so, and what it sent before came before its report: an addition that a forgotten DEL would have
 * covered cannot arrive any more.  The same holds for a snapshot: who sends one has observed all
 * that any linked member has collected.
 *
 * Only a DEL of a key that held a HyperLogLog at the DEL's origin, shown or hidden behind another
 * type, counts: whether a DEL counts must be told by the effect alone, and a DEL of anything else
 * need not reach members that hold no sketch.
 *
 * An edit: a byte with a bit per member whose DEL is named, their seqs of 8 bytes, then 3 bytes per
 * raise.
 */
#include "models/crdt/body_hll.h"

#include <string.h>

#include "models/crdt/crdt.h"
#include "sim/ensure.h"

#define RAISE_BYTES 3

typedef struct {
    Clock ahead; /* DELs observed by its additions that have not arrived here; 0: none of that
                    member */
    uint64_t oldest_rank;
    Hll hll;
} Group;

struct CrdtBody {
    Clock deleted; /* the newest DEL of each member, until stable; 0: none */
    Group *groups; /* in the order of ahead, no two equal; none: the key does not exist */
    uint32_t group_count;
    int64_t value_bytes;
};

static CrdtBody *create(void)
{
    return g_new0(CrdtBody, 1);
}

static void destroy(CrdtBody *body)
{
    if (!body)
        return;
    for (uint32_t i = 0; i < body->group_count; i++)
        hll_clear(&body->groups[i].hll);
    g_free(body->groups);
    g_free(body);
}

/* Ahead of nothing comes first. */
static int compare_ahead(const Clock *a, const Clock *b)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (a->seq[i] != b->seq[i])
            return a->seq[i] < b->seq[i] ? -1 : 1;
    return 0;
}

/* The group that is ahead by that much, made when there is none. */
static Group *find_group(CrdtBody *body, const Clock *ahead)
{
    uint32_t at = 0;

    while (at < body->group_count && compare_ahead(&body->groups[at].ahead, ahead) < 0)
        at++;
    if (at < body->group_count && compare_ahead(&body->groups[at].ahead, ahead) == 0)
        return &body->groups[at];
    body->groups = g_renew(Group, body->groups, body->group_count + 1);
    memmove(body->groups + at + 1, body->groups + at, (body->group_count - at) * sizeof(Group));
    body->group_count++;
    body->groups[at] = (Group){.ahead = *ahead, .oldest_rank = UINT64_MAX};
    return &body->groups[at];
}

static void count_bytes(CrdtBody *body)
{
    body->value_bytes = 0;
    for (uint32_t i = 0; i < body->group_count; i++)
        body->value_bytes += hll_encoded_bytes(&body->groups[i].hll);
}

/* Tokens from 0 on.  Simplified: the same ones in every key, so the union of two keys as they were
 * at the start counts no more than the larger. */
static void fill(CrdtBody *body, uint32_t element_count, uint32_t value_bytes)
{
    const Clock none = {0};
    Group *group = find_group(body, &none);

    (void)value_bytes; /* follows from the elements */
    group->oldest_rank = dot_seq(DOT_GENESIS);
    for (uint64_t token = 0; token < element_count; token++)
        hll_raise(&group->hll, hll_hash_token(token));
    count_bytes(body);
}

/* --- effects */

/* The DELs named by an edit; returns where its raises begin. */
static uint32_t read_named(PayloadText edit, Clock *out_named)
{
    uint32_t at = 1;

    ensure(edit.bytes >= 1);
    memset(out_named, 0, sizeof(*out_named));
    for (uint32_t i = 1; i <= MEMBER_MAX; i++)
        if ((uint8_t)edit.data[0] >> i & 1) {
            ensure(at + sizeof(uint64_t) <= edit.bytes);
            memcpy(&out_named->seq[i], edit.data + at, sizeof(uint64_t));
            at += (uint32_t)sizeof(uint64_t);
        }
    ensure((edit.bytes - at) % RAISE_BYTES == 0);
    return at;
}

static void apply_edit(CrdtBody *body, const BodyEffect *in)
{
    const Clock *seen = &in->causality->clock;
    Dot dot = in->effect->dot;
    bool rises = false;
    uint32_t at;
    Clock ahead;
    Group *group;

    for (int i = 1; i <= MEMBER_MAX; i++)
        if (in->effect->ctx.seq[i] < body->deleted.seq[i])
            return;
    at = read_named(in->edit, &ahead);
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (ahead.seq[i] <= seen->seq[i])
            ahead.seq[i] = 0;
    group = find_group(body, &ahead);
    rises = group->oldest_rank == UINT64_MAX; /* a new group weighs something */
    group->oldest_rank = MIN(group->oldest_rank, (uint64_t)dot_member(dot) << 60 | dot_seq(dot));
    for (; at < in->edit.bytes; at += RAISE_BYTES) {
        const uint8_t *raise = (const uint8_t *)in->edit.data + at;
        uint16_t index = (uint16_t)(raise[0] | raise[1] << 8);

        rises |= hll_raise(&group->hll, (HllRaise){.index = index, .rank = raise[2]});
    }
    if (rises)
        count_bytes(body);
}

/* What had observed the DEL lives on, and is no longer ahead by it. */
static void apply_delete(CrdtBody *body, Dot dot)
{
    uint32_t member = dot_member(dot);
    uint32_t kept = 0;

    body->deleted.seq[member] = dot_seq(dot);
    for (uint32_t i = 0; i < body->group_count; i++) {
        Group *group = &body->groups[i];

        if (group->ahead.seq[member] >= dot_seq(dot))
            body->groups[kept++] = *group;
        else
            hll_clear(&group->hll);
    }
    body->group_count = kept;
}

/* Moves a group's content to where it belongs; the source is empty afterwards. */
static void move_group(CrdtBody *into, Group *from)
{
    Group *group = find_group(into, &from->ahead);

    group->oldest_rank = MIN(group->oldest_rank, from->oldest_rank);
    if (group->hll.count == 0) {
        hll_clear(&group->hll);
        group->hll = from->hll;
        hll_init(&from->hll);
        return;
    }
    hll_join(&group->hll, &from->hll);
    hll_clear(&from->hll);
}

/* Groups that have become equal are one, in order again. */
static void regroup(CrdtBody *body, const Clock *seen)
{
    CrdtBody again = {.deleted = body->deleted};

    for (uint32_t i = 0; i < body->group_count; i++) {
        Group *group = &body->groups[i];

        for (int k = 1; k <= MEMBER_MAX; k++)
            if (group->ahead.seq[k] <= seen->seq[k])
                group->ahead.seq[k] = 0;
        move_group(&again, group);
    }
    g_free(body->groups);
    *body = again;
    count_bytes(body);
}

static void apply(CrdtBody *body, const BodyEffect *in)
{
    Clock seen;

    if (in->effect->op == EFFECT_EDIT) {
        apply_edit(body, in);
        return;
    }
    ensure(in->effect->op == EFFECT_DELETE);
    if (!effect_deletes(in->effect, CRDT_HYPERLOGLOG))
        return;
    apply_delete(body, in->effect->dot);
    seen = in->causality->clock;
    seen.seq[dot_member(in->effect->dot)] = dot_seq(in->effect->dot);
    regroup(body, &seen);
}

/* --- merge */

/* Whether a group of a side that knew `seen` had observed all the DELs of the other side.  A DEL
 * its own side had seen, it has outlived there. */
static bool outlives(const Group *group, const Clock *seen, const Clock *deleted)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (deleted->seq[i] > seen->seq[i] && deleted->seq[i] > group->ahead.seq[i])
            return false;
    return true;
}

static void merge(const BodyMerge *sides, CrdtBody *into, const CrdtBody *from)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < into->group_count; i++) {
        Group *group = &into->groups[i];

        if (outlives(group, &sides->into->clock, &from->deleted))
            into->groups[kept++] = *group;
        else
            hll_clear(&group->hll);
    }
    into->group_count = kept;
    for (uint32_t i = 0; i < from->group_count; i++) {
        const Group *theirs = &from->groups[i];
        Group *group;

        if (!outlives(theirs, &sides->from->clock, &into->deleted))
            continue;
        group = find_group(into, &theirs->ahead);
        group->oldest_rank = MIN(group->oldest_rank, theirs->oldest_rank);
        hll_join(&group->hll, &theirs->hll);
    }
    clock_join(&into->deleted, &from->deleted);
    regroup(into, &sides->joined->clock);
}

/* --- the books */

static bool is_present(const CrdtBody *body)
{
    return body->group_count > 0;
}

static bool is_empty(CrdtBody *body, const Causality *causality)
{
    const Clock none = {0};

    (void)causality;
    return body->group_count == 0 && compare_ahead(&body->deleted, &none) == 0;
}

static BodySummary summary(const CrdtBody *body)
{
    int64_t deleted_count = 0;

    for (int i = 1; i <= MEMBER_MAX; i++)
        deleted_count += body->deleted.seq[i] > 0;
    return (BodySummary){.value_bytes = body->value_bytes,
                         .element_count = body->group_count > 0,
                         .header_count = body->group_count + deleted_count,
                         .tombstone_count = deleted_count,
                         .sibling_count = body->group_count > 0 ? body->group_count - 1 : 0};
}

static void collect(CrdtBody *body, const Clock *stable)
{
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (body->deleted.seq[i] <= stable->seq[i])
            body->deleted.seq[i] = 0;
}

static uint64_t oldest_rank(const CrdtBody *body)
{
    uint64_t oldest = UINT64_MAX;

    for (uint32_t i = 0; i < body->group_count; i++)
        oldest = MIN(oldest, body->groups[i].oldest_rank);
    return oldest;
}

/* Without the DELs: what they will still filter cannot be told from those that are stable. */
static void digest(const CrdtBody *body, Digest *out)
{
    digest_u64(out, body->group_count);
    for (uint32_t i = 0; i < body->group_count; i++) {
        const Group *group = &body->groups[i];
        uint32_t cursor = 0;
        HllRaise raise;

        for (int k = 1; k <= MEMBER_MAX; k++)
            digest_u64(out, group->ahead.seq[k]);
        digest_u64(out, group->oldest_rank);
        digest_u64(out, group->hll.count);
        while (hll_next(&group->hll, &cursor, &raise))
            digest_u64(out, (uint64_t)raise.index << 8 | raise.rank);
    }
}

/* --- for commands */

void body_hll_join(Hll *into, const CrdtBody *body)
{
    for (uint32_t i = 0; body && i < body->group_count; i++)
        hll_join(into, &body->groups[i].hll);
}

int64_t body_hll_count(const CrdtBody *body)
{
    g_auto(Hll) joined = {0};

    if (body && body->group_count == 1)
        return hll_count(&body->groups[0].hll);
    body_hll_join(&joined, body);
    return hll_count(&joined);
}

void body_hll_write_redis(const CrdtBody *body, PayloadWriter *out)
{
    g_auto(Hll) joined = {0};

    if (body && body->group_count == 1) {
        hll_write_redis(&body->groups[0].hll, out);
        return;
    }
    body_hll_join(&joined, body);
    hll_write_redis(&joined, out);
}

static void begin_edit(const CrdtBody *body, PayloadWriter *edit)
{
    uint8_t named = 0;

    payload_begin(edit);
    for (int i = 1; body && i <= MEMBER_MAX; i++)
        if (body->deleted.seq[i] > 0)
            named |= (uint8_t)(1 << i);
    payload_put_bytes(edit, &named, sizeof(named));
    for (int i = 1; i <= MEMBER_MAX; i++)
        if (named >> i & 1)
            payload_put_bytes(edit, &body->deleted.seq[i], sizeof(body->deleted.seq[i]));
}

static bool put_raise(const CrdtBody *body, HllRaise raise, PayloadWriter *edit)
{
    const uint8_t bytes[RAISE_BYTES] = {(uint8_t)raise.index, (uint8_t)(raise.index >> 8),
                                        raise.rank};

    for (uint32_t i = 0; body && i < body->group_count; i++)
        if (hll_rank(&body->groups[i].hll, raise.index) >= raise.rank)
            return false;
    payload_put_bytes(edit, bytes, RAISE_BYTES);
    return true;
}

uint32_t body_hll_edit_add(const CrdtBody *body, const HllRaise *raises, uint32_t count,
                           PayloadWriter *edit)
{
    uint32_t risen = 0;

    begin_edit(body, edit);
    for (uint32_t i = 0; i < count; i++)
        risen += put_raise(body, raises[i], edit);
    return risen;
}

uint32_t body_hll_edit_join(const CrdtBody *body, const Hll *hll, PayloadWriter *edit)
{
    uint32_t cursor = 0;
    uint32_t risen = 0;
    HllRaise raise;

    begin_edit(body, edit);
    while (hll_next(hll, &cursor, &raise))
        risen += put_raise(body, raise, edit);
    return risen;
}

const BodyRule body_hll = {
    .create = create,
    .destroy = destroy,
    .fields = BODY_FIELDS_DRAWN,
    .fill = fill,
    .apply = apply,
    .merge = merge,
    .is_present = is_present,
    .is_empty = is_empty,
    .summary = summary,
    .collect = collect,
    .oldest_rank = oldest_rank,
    .digest = digest,
};
