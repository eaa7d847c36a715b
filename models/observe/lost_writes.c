/* Why it works: per key and element only the last writer in timestamp order is kept.  A new write
 * either has seen it, and then replaces it whatever the clocks say (crdt-semantics.md 1.3: only
 * concurrent assignments are compared by time), or has not, and then the one that is earlier in
 * timestamp order is lost: usually the old one, with an equal millisecond or a skewed clock perhaps
 * the new.  A standing writer cannot have seen a write made after it.  All that is one look-up in
 * an open-addressing table.
 *
 * What every member has observed can no longer be lost, because every later write has seen it: it
 * is forgotten, so the table holds only what is in flight (or kept from a silent member).
 * Forgetting changes no answer, hence the moment of it does not matter.
 *
 * Facts may be consumed in pieces of any size before they are asked for, while they are still near
 * at hand; what that finds is put aside and counted in its second.
 *
 * What a member writes after it was unlinked nobody else will ever see, and nothing of the others
 * competes with it: each such write is lost at once, and the table does not hear of it.
 */
#include "models/observe/lost_writes.h"

#include <string.h>

#include "models/crdt/body_list.h"
#include "models/crdt/crdt.h"
#include "sim/ensure.h"
#include "sim/pages.h"
#include "sim/prefetch.h"
#include "sim/rng.h"

#define TABLE_START 1024

typedef struct {
    uint64_t key;
    Dot dot; /* 0: the slot is free */
    int64_t ts_ms;
    uint64_t element; /* its index; in a list its id */
} Writer;

_Static_assert(sizeof(Writer) == 32, "fit.md allows 32 bytes per live key");

/* A write as heard. */
typedef struct {
    SimTime at_ns;
    Dot dot;
    int64_t ts_ms;
    uint64_t key;
    uint64_t seen[MEMBER_MAX];
    uint64_t element; /* as in Writer */
    uint32_t element_count;
    uint32_t weight;
    uint16_t family;
    bool is_assign;
    bool is_document; /* whose conflicts go by member */
    bool by_client;   /* else a deadline came due: nobody acknowledged that */
    bool is_first;    /* effect of its command */
} Heard;

/* A client's write of one member that nobody else may know yet. */
typedef struct {
    uint64_t seq; /* of its last effect */
    uint64_t key;
    uint32_t weight;
    uint32_t family;
} Alone;

/* [next, count) wait; plain arrays, because each write passes through both. */
typedef struct {
    Heard *items; /* in time order */
    uint32_t next, count, capacity;
} HeardQueue;

typedef struct {
    Alone *items; /* in seq order */
    uint32_t next, count, capacity;
} AloneQueue;

typedef struct {
    LostWrites *lost;
    HeardQueue heard;
    AloneQueue alone;
} Ear;

/* Counted under one family; the last set is for keys born during the run. */
typedef struct {
    Instrument *overwritten[MEMBER_MAX], *a1[MEMBER_MAX];
    Instrument *unreplicated[MEMBER_MAX], *a23[MEMBER_MAX];
} FamilyCounts;

/* A write found lost, not counted yet. */
typedef struct {
    uint64_t key_hash;
    uint32_t weight;
    uint16_t family;
    uint8_t member; /* index */
    bool is_alone;  /* unreplicated; else overwritten */
} Loss;

struct LostWrites {
    uint32_t member_count, family_count;
    uint32_t outcasts; /* bit per member index: unlinked, not linked again */
    Ear ears[MEMBER_MAX];
    FamilyCounts *counts;
    GArray *losses; /* of Loss */
    Writer *table;  /* in huge pages: it is met at random */
    void *table_memory;
    uint32_t table_size, table_used; /* size is a power of two */
    Writer *spare;                   /* for the next rebuild; NULL: none yet */
    void *spare_memory;
    uint32_t spare_size;
    uint32_t collect_above; /* used slots at which looking for what to forget is worth it */
};

#define QUEUE_FIRST 1024u
#define ADVANCE_MIN 512u /* facts worth a pass */

static __attribute__((noinline)) void heard_grow(HeardQueue *queue)
{
    queue->capacity = MAX(QUEUE_FIRST, 2 * queue->capacity);
    ensure(queue->capacity > queue->count);
    queue->items = g_renew(Heard, queue->items, queue->capacity);
}

static __attribute__((noinline)) void alone_grow(AloneQueue *queue)
{
    queue->capacity = MAX(QUEUE_FIRST, 2 * queue->capacity);
    ensure(queue->capacity > queue->count);
    queue->items = g_renew(Alone, queue->items, queue->capacity);
}

/* A type that is not named here is not counted: a new one must say so, or nothing about it can be
 * expected. */
Overwrites lost_writes_of_type(int type)
{
    switch (type) {
    case CRDT_STRING:
    case CRDT_COUNTER: /* SET; increments merge */
    case CRDT_HASH:
    case CRDT_ZSET: /* scores */
    case CRDT_LIST: /* LSET; pushes and insertions merge */
    case CRDT_JSON:
        return OVERWRITES_COUNTED;
    case CRDT_SET:
    case CRDT_HYPERLOGLOG:
    case CRDT_STREAM:
        return OVERWRITES_NOTHING;
    default:
        return type >= 0 && type < CRDT_TYPE_COUNT ? OVERWRITES_NOT_COUNTED : OVERWRITES_NOTHING;
    }
}

static Instrument *new_counter(const LostWritesConfig *config, const char *metric, Labels labels,
                               uint32_t family)
{
    Instrument *instrument;

    if (family < config->family_count)
        labels.family = config->family_names[family];
    instrument = recording_instrument(config->recording, metric, &labels);
    if (family < config->family_count && config->family_weights)
        instrument_set_weight_max(instrument, config->family_weights[family]);
    return instrument;
}

static void make_counters(LostWrites *lost, const LostWritesConfig *config, uint32_t family)
{
    FamilyCounts *counts = &lost->counts[family];
    bool is_counted = family == config->family_count || !config->family_overwrites ||
                      config->family_overwrites[family] != OVERWRITES_NOT_COUNTED;

    for (uint32_t m = 0; m < config->member_count; m++) {
        const char *member = config->member_names[m];

        if (is_counted) {
            counts->overwritten[m] =
                new_counter(config, "data.lost_writes",
                            (Labels){.member = member, .cause = "overwritten"}, family);
            counts->a1[m] = new_counter(config, "anomaly.A1",
                                        (Labels){.member = member, .anomaly = "A1"}, family);
        }
        counts->unreplicated[m] =
            new_counter(config, "data.lost_writes",
                        (Labels){.member = member, .cause = "unreplicated"}, family);
        counts->a23[m] = new_counter(config, "anomaly.A23",
                                     (Labels){.member = member, .anomaly = "A23"}, family);
    }
}

LostWrites *lost_writes_new(const LostWritesConfig *config)
{
    LostWrites *lost = g_new0(LostWrites, 1);

    ensure(config->member_count >= 1 && config->member_count <= MEMBER_MAX);
    lost->member_count = config->member_count;
    lost->family_count = config->family_count;
    lost->counts = g_new0(FamilyCounts, config->family_count + 1);
    lost->table_size = TABLE_START;
    lost->collect_above = TABLE_START / 4;
    lost->table = pages_alloc(lost->table_size * sizeof(Writer), &lost->table_memory);
    lost->losses = g_array_new(FALSE, FALSE, sizeof(Loss));
    for (uint32_t m = 0; m < config->member_count; m++)
        lost->ears[m].lost = lost;
    for (uint32_t family = 0; family <= config->family_count; family++)
        make_counters(lost, config, family);
    return lost;
}

void lost_writes_free(LostWrites *lost)
{
    if (!lost)
        return;
    for (uint32_t m = 0; m < lost->member_count; m++) {
        g_free(lost->ears[m].heard.items);
        g_free(lost->ears[m].alone.items);
    }
    g_array_free(lost->losses, TRUE);
    g_free(lost->counts);
    g_free(lost->table_memory);
    g_free(lost->spare_memory);
    g_free(lost);
}

void *lost_writes_ear(LostWrites *lost, uint32_t member_id)
{
    ensure(member_id >= 1 && member_id <= lost->member_count);
    return &lost->ears[member_id - 1];
}

/* A declared document is one opaque value, so every edit that brings one replaces it. */
static inline bool is_document(const Effect *effect)
{
    return effect->op == EFFECT_EDIT && effect->type == CRDT_JSON &&
           effect->family != FAMILY_NONE && effect->value.kind == VALUE_SYNTHETIC;
}

/* The element of a list that is replaced in its place; 0: none is. */
static inline Dot list_element(const Effect *effect)
{
    if (effect->op != EFFECT_EDIT || effect->type != CRDT_LIST || effect->family == FAMILY_NONE)
        return 0;
    return list_edit_set_of(payload_read(effect->payload, effect->payload_bytes).edit);
}

void lost_writes_hear(void *actor, const GeoFact *fact)
{
    Ear *ear = actor;
    const Effect *effect = fact->effect;
    Dot in_list;
    Heard *heard;

    if (fact->kind != GEO_WRITE || effect->op == EFFECT_PUBLISH) /* a message is no write */
        return;
    if (__builtin_expect(ear->heard.count == ear->heard.capacity, 0))
        heard_grow(&ear->heard);
    heard = &ear->heard.items[ear->heard.count++];
    heard->at_ns = fact->at_ns;
    heard->dot = effect->dot;
    heard->ts_ms = effect->ts.ms;
    heard->key = effect->key;
    memcpy(heard->seen, &effect->ctx.seq[1], sizeof heard->seen);
    in_list = list_element(effect);
    heard->element = in_list != 0 ? in_list : effect->element;
    heard->element_count = effect->element_count;
    heard->weight = fact->weight;
    heard->family = effect->family;
    heard->is_document = is_document(effect);
    heard->is_assign = (effect->op == EFFECT_ASSIGN && effect->family != FAMILY_NONE) ||
                       heard->is_document || in_list != 0;
    heard->by_client = fact->nth > 0;
    heard->is_first = fact->nth == 1;
}

static uint64_t writer_hash(uint64_t key, uint64_t element)
{
    return rng_mix(key + (element + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* The slot of key and element, or the free one where it belongs. */
static Writer *find_writer(const LostWrites *lost, uint64_t key, uint64_t element)
{
    uint32_t mask = lost->table_size - 1;
    uint32_t at = (uint32_t)writer_hash(key, element) & mask;

    while (lost->table[at].dot != 0 &&
           (lost->table[at].key != key || lost->table[at].element != element))
        at = (at + 1) & mask;
    return &lost->table[at];
}

/* An empty table of the present size; the one in use becomes the spare.  The two take turns, so
 * nothing comes fresh from the machine while sizes stay. */
static void table_turn(LostWrites *lost, uint32_t old_size)
{
    Writer *old = lost->table;
    void *old_memory = lost->table_memory;

    if (lost->spare_size == lost->table_size) {
        memset(lost->spare, 0, lost->spare_size * sizeof(Writer));
    } else {
        g_free(lost->spare_memory);
        lost->spare = pages_alloc(lost->table_size * sizeof(Writer), &lost->spare_memory);
    }
    lost->table = lost->spare;
    lost->table_memory = lost->spare_memory;
    lost->spare = old;
    lost->spare_memory = old_memory;
    lost->spare_size = old_size;
}

/* Moves all but those that `stable` covers (NULL: all) into a table that has room. */
static void rebuild(LostWrites *lost, const Clock *stable)
{
    Writer *old = lost->table;
    uint32_t old_size = lost->table_size;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i].dot != 0 && stable && clock_covers(stable, old[i].dot))
            old[i].dot = 0;
        kept += old[i].dot != 0;
    }
    while (lost->table_size < 4 * kept)
        lost->table_size *= 2;
    while (lost->table_size > TABLE_START && lost->table_size > 16 * kept)
        lost->table_size /= 2;
    table_turn(lost, old_size);
    lost->table_used = kept;
    lost->collect_above = MAX(2 * kept, TABLE_START / 4);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].dot != 0)
            *find_writer(lost, old[i].key, old[i].element) = old[i];
}

static bool has_seen(const Heard *heard, Dot dot)
{
    uint32_t member = dot_member(dot);

    return member == dot_member(heard->dot) || dot_seq(dot) <= heard->seen[member - 1];
}

/* Whether heard comes after writer: later, at one instant the lower id, of one member the later
 * seq; between documents the lower id alone (crdt-semantics.md 1.3). */
static bool comes_after(const Heard *heard, const Writer *writer)
{
    uint32_t id = dot_member(heard->dot), other = dot_member(writer->dot);

    if (heard->ts_ms != writer->ts_ms && !heard->is_document)
        return heard->ts_ms > writer->ts_ms;
    return id != other ? id < other : dot_seq(heard->dot) > dot_seq(writer->dot);
}

static void note_loss(LostWrites *lost, const Heard *heard, Dot lost_dot)
{
    Loss loss = {
        .key_hash = rng_mix(heard->key),
        .weight = heard->weight,
        .family = (uint16_t)MIN(heard->family, lost->family_count),
        .member = (uint8_t)(dot_member(lost_dot) - 1),
    };

    g_array_append_val(lost->losses, loss);
}

static void consume_assign(LostWrites *lost, const Heard *heard, uint64_t element)
{
    Writer *writer = find_writer(lost, heard->key, element);

    if (writer->dot == 0) {
        lost->table_used++;
    } else if (!has_seen(heard, writer->dot)) {
        bool heard_wins = comes_after(heard, writer);

        note_loss(lost, heard, heard_wins ? writer->dot : heard->dot);
        if (!heard_wins)
            return;
    }
    *writer =
        (Writer){.key = heard->key, .dot = heard->dot, .ts_ms = heard->ts_ms, .element = element};
    if (2 * lost->table_used > lost->table_size)
        rebuild(lost, NULL);
}

static void note_alone_loss(LostWrites *lost, uint32_t m, const Alone *alone)
{
    Loss loss = {
        .key_hash = rng_mix(alone->key),
        .weight = alone->weight,
        .family = (uint16_t)alone->family,
        .member = (uint8_t)m,
        .is_alone = true,
    };

    g_array_append_val(lost->losses, loss);
}

static void losses_count(LostWrites *lost)
{
    for (guint i = 0; i < lost->losses->len; i++) {
        const Loss *loss = &g_array_index(lost->losses, Loss, i);
        FamilyCounts *counts = &lost->counts[loss->family];
        Instrument *cause =
            loss->is_alone ? counts->unreplicated[loss->member] : counts->overwritten[loss->member];
        Instrument *anomaly = loss->is_alone ? counts->a23[loss->member] : counts->a1[loss->member];

        if (!cause) /* of a type whose overwrites are not counted */
            continue;
        instrument_count_key(cause, loss->key_hash, loss->weight, 1);
        instrument_count_key(anomaly, loss->key_hash, loss->weight, 1);
    }
    g_array_set_size(lost->losses, 0);
}

/* One entry per command: it is safe when the last of its effects is. */
static inline void note_alone(AloneQueue *queue, const Heard *heard, const Alone *alone)
{
    if (heard->is_first) {
        if (__builtin_expect(queue->count == queue->capacity, 0))
            alone_grow(queue);
        queue->items[queue->count++] = *alone;
    } else if (queue->count > queue->next) {
        queue->items[queue->count - 1].seq = alone->seq;
    }
}

static void consume(LostWrites *lost, Ear *ear, const Heard *heard)
{
    uint32_t m = dot_member(heard->dot) - 1;
    Alone alone = {
        .seq = dot_seq(heard->dot),
        .key = heard->key,
        .weight = heard->weight,
        .family = MIN(heard->family, lost->family_count),
    };

    if (lost->outcasts >> m & 1) {
        if (heard->is_first)
            note_alone_loss(lost, m, &alone);
        return;
    }
    if (lost->member_count > 1 && heard->by_client)
        note_alone(&ear->alone, heard, &alone);
    for (uint32_t i = 0; heard->is_assign && i < heard->element_count; i++)
        consume_assign(lost, heard, heard->element + i);
}

/* Drops what was consumed, once that is half of it; the arrays keep their memory. */
static void heard_compact(HeardQueue *queue)
{
    if (queue->next == 0 || 2 * queue->next < queue->count)
        return;
    queue->count -= queue->next;
    memmove(queue->items, &queue->items[queue->next], queue->count * sizeof(Heard));
    queue->next = 0;
}

static void alone_compact(AloneQueue *queue)
{
    if (queue->next == 0 || 2 * queue->next < queue->count)
        return;
    queue->count -= queue->next;
    memmove(queue->items, &queue->items[queue->next], queue->count * sizeof(Alone));
    queue->next = 0;
}

/* The table is met at random: the entry of a write a few places behind the next is fetched ahead.
 */
static inline void prefetch_writer(const LostWrites *lost, const HeardQueue *queue)
{
    uint32_t at = queue->next + 4;

    if (at < queue->count) {
        const Heard *heard = &queue->items[at];
        uint64_t hash = writer_hash(heard->key, heard->element);

        prefetch(&lost->table[(uint32_t)hash & (lost->table_size - 1)]);
    }
}

static inline SimTime heard_next_ns(const HeardQueue *queue)
{
    return queue->next < queue->count ? queue->items[queue->next].at_ns : SIM_TIME_NEVER;
}

static void consume_until(LostWrites *lost, SimTime until_ns)
{
    SimTime next_ns[MEMBER_MAX];

    for (uint32_t m = 0; m < MEMBER_MAX; m++)
        next_ns[m] = heard_next_ns(&lost->ears[m].heard); /* beyond member_count: never */
    for (;;) {
        SimTime least_ns = next_ns[0];
        uint32_t first = 0;
        HeardQueue *queue;

        /* At one instant the lower id goes first, so the order is total. */
        for (uint32_t m = 1; m < MEMBER_MAX; m++) {
            first = next_ns[m] < least_ns ? m : first;
            least_ns = MIN(least_ns, next_ns[m]);
        }
        if (least_ns > until_ns || least_ns == SIM_TIME_NEVER)
            break;
        queue = &lost->ears[first].heard;
        prefetch_writer(lost, queue);
        consume(lost, &lost->ears[first], &queue->items[queue->next]);
        queue->next++;
        next_ns[first] = heard_next_ns(queue);
    }
    for (uint32_t m = 0; m < lost->member_count; m++)
        heard_compact(&lost->ears[m].heard);
}

void lost_writes_merge(LostWrites *lost, SimTime until_ns)
{
    consume_until(lost, until_ns);
    losses_count(lost);
}

void lost_writes_advance(LostWrites *lost, SimTime before_ns)
{
    uint32_t waiting = 0;

    for (uint32_t m = 0; m < lost->member_count; m++)
        waiting += lost->ears[m].heard.count - lost->ears[m].heard.next;
    if (waiting >= ADVANCE_MIN && before_ns > 0)
        consume_until(lost, before_ns - 1);
}

/* The seq up to which some member of `mask` other than m knows member m's writes. */
static uint64_t known_elsewhere(const LostWrites *lost, uint32_t m, const Clock *known,
                                uint32_t mask)
{
    uint64_t seq = 0;

    for (uint32_t other = 0; other < lost->member_count; other++)
        if (other != m && (mask >> other & 1))
            seq = MAX(seq, known[other].seq[m + 1]);
    return seq;
}

void lost_writes_collect(LostWrites *lost, const Clock *known)
{
    Clock stable = {0};
    bool any = false;

    for (uint32_t m = 0; m < lost->member_count; m++) {
        if (lost->outcasts >> m & 1)
            continue; /* it will never know more */
        if (any)
            clock_meet(&stable, &known[m]);
        else
            stable = known[m];
        any = true;
    }
    for (uint32_t m = 0; m < lost->member_count; m++) {
        AloneQueue *queue = &lost->ears[m].alone;
        uint64_t seq = known_elsewhere(lost, m, known, ~lost->outcasts);

        while (queue->next < queue->count && queue->items[queue->next].seq <= seq)
            queue->next++;
        alone_compact(queue);
    }
    if (lost->table_used > lost->collect_above)
        rebuild(lost, &stable);
}

uint64_t lost_writes_unlink(LostWrites *lost, uint32_t member_id, const Clock *known,
                            uint32_t survivors)
{
    uint32_t m = member_id - 1;
    AloneQueue *queue = &lost->ears[m].alone;
    uint64_t seq = known_elsewhere(lost, m, known, survivors);
    uint64_t total = 0;

    ensure(member_id >= 1 && member_id <= lost->member_count);
    for (; queue->next < queue->count; queue->next++) {
        const Alone *alone = &queue->items[queue->next];

        if (alone->seq <= seq)
            continue;
        note_alone_loss(lost, m, alone);
        total += alone->weight;
    }
    lost->outcasts |= 1u << m;
    losses_count(lost);
    return total;
}

void lost_writes_relink(LostWrites *lost, uint32_t member_id)
{
    ensure(member_id >= 1 && member_id <= lost->member_count);
    lost->outcasts &= ~(1u << (member_id - 1));
}

uint32_t lost_writes_kept_count(const LostWrites *lost)
{
    return lost->table_used;
}
