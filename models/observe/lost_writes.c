/* Why it works: per key and element only the last writer in timestamp order is kept.  A new write
 * either has seen it, and then replaces it whatever the clocks say (crdt-semantics.md 1.3: only
 * concurrent assignments are compared by time), or has not, and then the one that is earlier in
 * timestamp order is lost: usually the old one, with an equal millisecond or a skewed clock perhaps
 * the new.  A standing writer cannot have seen a write made after it.  All that is one look-up
 * (last_writers.h).
 *
 * What every member has observed can no longer be lost, because every later write has seen it: it
 * is forgotten, so only what is in flight is kept (or kept from a silent member).  Forgetting
 * changes no answer, hence the moment of it does not matter.
 *
 * Facts may be consumed in pieces of any size before they are asked for, while they are still near
 * at hand; what that finds is put aside and counted in its second.  Until then they lie in memory
 * that other work has long pushed out of the caches, so each fits one line of them.
 *
 * What a member writes after it was unlinked nobody else will ever see, and nothing of the others
 * competes with it: each such write is lost at once, and the table does not hear of it.
 */
#include "models/observe/lost_writes.h"

#include <string.h>

#include "models/crdt/body_list.h"
#include "models/crdt/crdt.h"
#include "models/observe/last_writers.h"
#include "sim/ensure.h"
#include "sim/pages.h"
#include "sim/prefetch.h"

/* What a write is to its key. */
typedef enum {
    WRITE_MERGES, /* nothing of another is overwritten */
    WRITE_ASSIGNS,
    WRITE_DOCUMENT, /* assigns one, whose conflicts go by member */
} WriteKind;

/* A write as heard.  Its seqs count from the queue's base. */
typedef struct {
    SimTime at_ns;
    int64_t ts_ms;
    uint64_t key;
    uint64_t element;          /* as in Writer */
    uint32_t seqs[MEMBER_MAX]; /* by member index: what it had seen, and its own */
    uint32_t element_count;
    uint32_t weight;
    uint16_t family; /* below family_count, or that: born during the run */
    uint8_t kind;    /* WriteKind */
    uint8_t nth;     /* of its command's effects: 1, 2 (or later); 0: a deadline came due, which
                        nobody acknowledged */
} Heard;

_Static_assert(sizeof(Heard) == CACHE_LINE_BYTES, "one line is written and read for each");

/* A client's write of one member that nobody else may know yet. */
typedef struct {
    uint64_t seq; /* of its last effect */
    uint32_t weight;
    uint16_t family;
    uint8_t group; /* of a sampled key */
} Alone;

/* [next, count) wait; plain arrays, because each write passes through both. */
typedef struct {
    Heard *items; /* in time order */
    void *memory;
    uint64_t base[MEMBER_MAX]; /* what the seqs of all that wait count from */
    uint32_t next, count, capacity;
} HeardQueue;

typedef struct {
    Alone *items; /* in seq order */
    uint32_t next, count, capacity;
} AloneQueue;

typedef struct {
    LostWrites *lost;
    uint32_t member; /* index */
    HeardQueue heard;
    AloneQueue alone;
} Ear;

/* Writes found lost for one cause. */
typedef struct {
    Instrument *cause, *anomaly; /* NULL: of a type whose overwrites are not counted */
    KeyCounts found;             /* since they were counted last */
} Losses;

/* Counted under one family; the last set is for keys born during the run. */
typedef struct {
    Losses overwritten[MEMBER_MAX];  /* A1; by member index */
    Losses unreplicated[MEMBER_MAX]; /* A23 */
} FamilyLosses;

struct LostWrites {
    uint32_t member_count, family_count;
    uint32_t outcasts; /* bit per member index: unlinked, not linked again */
    Ear ears[MEMBER_MAX];
    FamilyLosses *losses;
    LastWriters writers;
};

#define QUEUE_FIRST 1024u
#define ADVANCE_MIN 512u /* facts worth a pass */

static __attribute__((noinline)) void heard_grow(HeardQueue *queue)
{
    uint32_t capacity = MAX(QUEUE_FIRST, 2 * queue->capacity);

    ensure(capacity > queue->count);
    queue->items = pages_grow(queue->items, queue->count * sizeof(Heard), capacity * sizeof(Heard),
                              &queue->memory);
    queue->capacity = capacity;
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
    FamilyLosses *losses = &lost->losses[family];
    bool is_counted = family == config->family_count || !config->family_overwrites ||
                      config->family_overwrites[family] != OVERWRITES_NOT_COUNTED;

    for (uint32_t m = 0; m < config->member_count; m++) {
        const char *member = config->member_names[m];
        Losses *overwritten = &losses->overwritten[m], *unreplicated = &losses->unreplicated[m];

        if (is_counted) {
            overwritten->cause =
                new_counter(config, "data.lost_writes",
                            (Labels){.member = member, .cause = "overwritten"}, family);
            overwritten->anomaly = new_counter(config, "anomaly.A1",
                                               (Labels){.member = member, .anomaly = "A1"}, family);
        }
        unreplicated->cause =
            new_counter(config, "data.lost_writes",
                        (Labels){.member = member, .cause = "unreplicated"}, family);
        unreplicated->anomaly = new_counter(config, "anomaly.A23",
                                            (Labels){.member = member, .anomaly = "A23"}, family);
    }
}

LostWrites *lost_writes_new(const LostWritesConfig *config)
{
    LostWrites *lost = g_new0(LostWrites, 1);

    ensure(config->member_count >= 1 && config->member_count <= MEMBER_MAX);
    lost->member_count = config->member_count;
    lost->family_count = config->family_count;
    lost->losses = g_new0(FamilyLosses, config->family_count + 1);
    last_writers_init(&lost->writers);
    for (uint32_t m = 0; m < config->member_count; m++) {
        lost->ears[m].lost = lost;
        lost->ears[m].member = m;
    }
    for (uint32_t family = 0; family <= config->family_count; family++)
        make_counters(lost, config, family);
    return lost;
}

void lost_writes_free(LostWrites *lost)
{
    if (!lost)
        return;
    for (uint32_t m = 0; m < lost->member_count; m++) {
        g_free(lost->ears[m].heard.memory);
        g_free(lost->ears[m].alone.items);
    }
    g_free(lost->losses);
    last_writers_clear(&lost->writers);
    g_free(lost);
}

void *lost_writes_ear(LostWrites *lost, uint32_t member_id)
{
    ensure(member_id >= 1 && member_id <= lost->member_count);
    return &lost->ears[member_id - 1];
}

/* The element of a list that is replaced in its place; 0: none is. */
static inline Dot list_element(const Effect *effect)
{
    if (effect->op != EFFECT_EDIT || effect->type != CRDT_LIST || effect->family == FAMILY_NONE)
        return 0;
    return list_edit_set_of(payload_read(effect->payload, effect->payload_bytes).edit);
}

/* A declared document is one opaque value, so every edit that brings one replaces it. */
static inline WriteKind kind_of(const Effect *effect, Dot in_list)
{
    if (effect->family == FAMILY_NONE)
        return WRITE_MERGES;
    if (effect->op == EFFECT_EDIT && effect->type == CRDT_JSON &&
        effect->value.kind == VALUE_SYNTHETIC)
        return WRITE_DOCUMENT;
    return effect->op == EFFECT_ASSIGN || in_list != 0 ? WRITE_ASSIGNS : WRITE_MERGES;
}

/* false: one is too far from the base. */
static inline bool seqs_pack(const uint64_t *base, const uint64_t *seqs, uint32_t *out)
{
    uint64_t all = 0;

    for (uint32_t m = 0; m < MEMBER_MAX; m++) {
        uint64_t since = seqs[m] - base[m];

        out[m] = (uint32_t)since;
        all |= since;
    }
    return all >> 32 == 0;
}

static inline uint64_t heard_seq(const HeardQueue *queue, const Heard *heard, uint32_t m)
{
    return queue->base[m] + heard->seqs[m];
}

/* Moves the base to the least of what waits and what comes. */
static __attribute__((noinline)) void heard_rebase(HeardQueue *queue, const uint64_t *seqs)
{
    uint64_t base[MEMBER_MAX];

    for (uint32_t m = 0; m < MEMBER_MAX; m++) {
        base[m] = seqs[m];
        for (uint32_t i = queue->next; i < queue->count; i++)
            base[m] = MIN(base[m], heard_seq(queue, &queue->items[i], m));
    }
    for (uint32_t i = queue->next; i < queue->count; i++) {
        Heard *heard = &queue->items[i];
        uint64_t own[MEMBER_MAX];

        for (uint32_t m = 0; m < MEMBER_MAX; m++)
            own[m] = heard_seq(queue, heard, m);
        ensure(seqs_pack(base, own, heard->seqs)); /* 2^32 effects do not wait at once */
    }
    memcpy(queue->base, base, sizeof base);
}

static inline void heard_set_seqs(HeardQueue *queue, Heard *heard, uint32_t m, const Effect *effect)
{
    uint64_t seqs[MEMBER_MAX];

    memcpy(seqs, &effect->ctx.seq[1], sizeof seqs);
    seqs[m] = dot_seq(effect->dot);
    if (__builtin_expect(seqs_pack(queue->base, seqs, heard->seqs), 1))
        return;
    heard_rebase(queue, seqs);
    ensure(seqs_pack(queue->base, seqs, heard->seqs));
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
    heard = &ear->heard.items[ear->heard.count];
    in_list = list_element(effect);
    heard_set_seqs(&ear->heard, heard, ear->member, effect);
    heard->at_ns = fact->at_ns;
    heard->ts_ms = effect->ts.ms;
    heard->key = effect->key;
    heard->element = in_list != 0 ? in_list : effect->element;
    heard->element_count = effect->element_count;
    heard->weight = fact->weight;
    heard->family = (uint16_t)MIN(effect->family, ear->lost->family_count);
    heard->kind = (uint8_t)kind_of(effect, in_list);
    heard->nth = (uint8_t)MIN(fact->nth, 2);
    ear->heard.count++;
}

static bool has_seen(const Ear *ear, const Heard *heard, Dot dot)
{
    uint32_t m = dot_member(dot) - 1;

    return m == ear->member || dot_seq(dot) <= heard_seq(&ear->heard, heard, m);
}

static inline Dot heard_dot(const Ear *ear, const Heard *heard)
{
    return dot_make(ear->member + 1, heard_seq(&ear->heard, heard, ear->member));
}

/* Whether heard comes after writer: later, at one instant the lower id, of one member the later
 * seq; between documents the lower id alone (crdt-semantics.md 1.3). */
static bool comes_after(const Ear *ear, const Heard *heard, const Writer *writer)
{
    uint32_t id = ear->member + 1, other = dot_member(writer->dot);

    if (heard->ts_ms != writer->ts_ms && heard->kind != WRITE_DOCUMENT)
        return heard->ts_ms > writer->ts_ms;
    return id != other ? id < other : heard_dot(ear, heard) > writer->dot;
}

static void consume_assign(const Ear *ear, const Heard *heard, uint64_t element)
{
    LostWrites *lost = ear->lost;
    Writer *writer = last_writers_find(&lost->writers, heard->key, element);
    Writer now = {
        .key = heard->key, .dot = heard_dot(ear, heard), .ts_ms = heard->ts_ms, .element = element};

    if (writer->dot != 0 && !has_seen(ear, heard, writer->dot)) {
        bool heard_wins = comes_after(ear, heard, writer);
        uint32_t m = heard_wins ? dot_member(writer->dot) - 1 : ear->member;

        /* What lies here of another key is stale, and every later write has seen it. */
        ensure(writer->key == heard->key && writer->element == element);
        key_counts_add(&lost->losses[heard->family].overwritten[m].found, heard->key,
                       heard->weight);
        if (!heard_wins)
            return;
    }
    last_writers_set(&lost->writers, writer, &now);
}

static void losses_count_one(Losses *losses)
{
    if (losses->cause) { /* else of a type whose overwrites are not counted */
        instrument_count_keys(losses->cause, &losses->found);
        instrument_count_keys(losses->anomaly, &losses->found);
    }
    losses->found = (KeyCounts){0};
}

static void losses_count(LostWrites *lost)
{
    for (uint32_t family = 0; family <= lost->family_count; family++)
        for (uint32_t m = 0; m < lost->member_count; m++) {
            losses_count_one(&lost->losses[family].overwritten[m]);
            losses_count_one(&lost->losses[family].unreplicated[m]);
        }
}

static void find_unreplicated(Ear *ear, const Alone *alone)
{
    Losses *losses = &ear->lost->losses[alone->family].unreplicated[ear->member];

    key_counts_add_group(&losses->found, alone->group, alone->weight);
}

static Alone alone_of(const Ear *ear, const Heard *heard)
{
    return (Alone){.seq = heard_seq(&ear->heard, heard, ear->member),
                   .weight = heard->weight,
                   .family = heard->family,
                   .group = heard->weight > 1 ? (uint8_t)recording_group(heard->key) : 0};
}

/* One entry per command: it is safe when the last of its effects is. */
static inline void note_alone(Ear *ear, const Heard *heard)
{
    AloneQueue *queue = &ear->alone;

    if (heard->nth == 1) {
        if (__builtin_expect(queue->count == queue->capacity, 0))
            alone_grow(queue);
        queue->items[queue->count++] = alone_of(ear, heard);
    } else if (queue->count > queue->next) {
        queue->items[queue->count - 1].seq = heard_seq(&ear->heard, heard, ear->member);
    }
}

static void consume_outcast(Ear *ear, const Heard *heard)
{
    Alone alone = alone_of(ear, heard);

    if (heard->nth == 1)
        find_unreplicated(ear, &alone);
}

static inline void consume(Ear *ear, const Heard *heard)
{
    const LostWrites *lost = ear->lost;
    uint32_t count = heard->kind == WRITE_MERGES ? 0 : heard->element_count;

    if (lost->outcasts >> ear->member & 1) {
        consume_outcast(ear, heard);
        return;
    }
    if (lost->member_count > 1 && heard->nth > 0)
        note_alone(ear, heard);
    for (uint32_t i = 0; i < count; i++)
        consume_assign(ear, heard, heard->element + i);
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

/* The slot of a write a few places behind the next is fetched ahead. */
static inline void prefetch_writer(const LostWrites *lost, const HeardQueue *queue)
{
    uint32_t at = queue->next + 4;

    if (at < queue->count)
        last_writers_prefetch(&lost->writers, queue->items[at].key, queue->items[at].element);
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
        consume(&lost->ears[first], &queue->items[queue->next]);
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

static uint32_t waiting_count(const LostWrites *lost)
{
    uint32_t waiting = 0;

    for (uint32_t m = 0; m < lost->member_count; m++)
        waiting += lost->ears[m].heard.count - lost->ears[m].heard.next;
    return waiting;
}

bool lost_writes_advance(LostWrites *lost, SimTime before_ns)
{
    if (waiting_count(lost) < ADVANCE_MIN || before_ns == 0)
        return false;
    consume_until(lost, before_ns - 1);
    return waiting_count(lost) == 0;
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

    ensure(waiting_count(lost) == 0); /* it may not have seen all of that */

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
    lost->writers.stable = stable;
}

uint64_t lost_writes_unlink(LostWrites *lost, uint32_t member_id, const Clock *known,
                            uint32_t survivors)
{
    uint32_t m = member_id - 1;
    Ear *ear = &lost->ears[m];
    AloneQueue *queue = &ear->alone;
    uint64_t seq = known_elsewhere(lost, m, known, survivors);
    uint64_t total = 0;

    ensure(member_id >= 1 && member_id <= lost->member_count);
    for (; queue->next < queue->count; queue->next++) {
        const Alone *alone = &queue->items[queue->next];

        if (alone->seq <= seq)
            continue;
        find_unreplicated(ear, alone);
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
    lost->writers.stable = (Clock){0}; /* until it is known what this one has seen */
}

uint32_t lost_writes_kept_count(const LostWrites *lost)
{
    return lost->writers.used;
}
