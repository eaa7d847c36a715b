/* The inside of a store, for the files of models/data alone.
 *
 * Whatever changes a key, local or remote, goes through change_apply (store_change.c), so books,
 * deadlines and counters are kept in one place.  Local writes make an effect first (store_write.h)
 * and apply it like any other.
 */
#pragma once

#include "models/crdt/payload.h"
#include "models/data/footprint_sum.h"
#include "models/data/store.h"

#define DEADLINE_NONE INT64_MAX

/* An element of a born key: 48 bytes.  name begins with its length. */
typedef struct {
    Slot slot;
    uint64_t hash;
    char *name;
} Element;

typedef struct {
    Element *entries; /* side by side; they move when one comes or goes */
    uint32_t count;
    uint32_t capacity; /* buckets: a power of two or 0 */
} ElementTable;

typedef struct ZsetIndex ZsetIndex;

/* What a member keeps of a key that is one structure (crdt/body.h). */
typedef struct {
    CrdtBody *body;                   /* NULL: nothing happened to the key yet */
    uint64_t records[MEMBER_MAX + 1]; /* newest record by origin: retention by key */
    int64_t live_bytes;               /* as last counted in the books */
    bool collects;                    /* in the queue of what has something to collect */
    bool leaves;                      /* in the queue of what has something to drop */
} BodyKeep;

/* One for each type of which the key has been a structure, mostly a single one. */
typedef struct BornBody {
    BodyKeep keep;
    struct BornBody *next;
    int type;
} BornBody;

/* What the present elements of one type add up to; likewise. */
typedef struct BornSum {
    FootprintSum sum;
    struct BornSum *next;
    int type;
} BornSum;

/* A key that appeared during the run; one sub-state per type (crdt-semantics.md 2, type conflict).
 */
typedef struct {
    uint64_t hash;
    char *name; /* begins with its length */
    Slot string;
    Slot expiry;
    ElementTable elements[CRDT_TYPE_COUNT]; /* of the types that have elements */
    ZsetIndex *order;                       /* of its sorted set; NULL: none is kept */
    uint32_t live[CRDT_TYPE_COUNT];         /* present slots (bodies) by type */
    BornBody *bodies;                       /* NULL: none ever */
    BornSum *sums;                          /* NULL: none ever */
    int64_t string_live_bytes;              /* as last counted in the books */
    uint32_t collect_count;                 /* entries in the queues of what waits for collection */
    Dot deletes[MEMBER_MAX]; /* DELs that came ahead of what they cover, newest per origin */
    uint32_t delete_count;
    int64_t queued_ms; /* as in FamilyState */
} BornKey;

typedef struct {
    BornKey **entries;
    uint32_t count, capacity;
} BornTable;

typedef struct {
    uint64_t base, kept_count; /* as in family: what every key found is compared with */
    Slot *slots;               /* [kept_index * fields + element]; NULL with bodies */
    Slot *expiry;              /* NULL: no key has ever had a deadline */
    uint32_t *live;            /* with elements: live count + 1; 0: untouched */
    const Family *family;
    const CrdtType *type;
    Slot start; /* of an existing key, ... */
    uint32_t fields;
    bool start_varies;  /* ... but for its size: the family's keys differ in it */
    bool is_register;   /* one slot a key, whose history records are kept by operation */
    BodyKeep *bodies;   /* [kept_index], for types that have bodies */
    ZsetIndex **orders; /* [kept_index], as in BornKey; NULL: none of any key is kept */
    int64_t *queued_ms; /* beside expiry: when the key's entry in the heap is due, 0 without */
    void *slot_memory;  /* what slots and expiry were cut from, at a cache line */
    void *expiry_memory;
    StoreLedger ledger;
    uint32_t key_bytes;     /* name and entry of one key */
    FootprintSum element;   /* of types with elements: each as the family says, ... */
    uint32_t element_bytes; /* of which its text, when is_sized */
    uint16_t *text_frames;  /* with one slot a key: of short values, by their length */
    int64_t *frames;        /* with elements: by their number, a key's value less their texts */
} FamilyState;

typedef struct {
    int64_t at_ms;
    uint64_t key; /* family << 48 | kept index; born: bit 63 and hash without its top bit */
} Deadline;

typedef struct {
    Deadline *items;
    size_t count, capacity;
} DeadlineHeap;

/* A body with tombstones or siblings: worth a look when everybody has observed dot.  Or one with
 * something to drop: when everybody has collected up to dot. */
typedef struct {
    FamilyState *state; /* NULL: born */
    BornKey *born;
    uint64_t kept;
    Dot dot;
    int type;
} CollectEntry;

typedef struct {
    CollectEntry *entries; /* ring; capacity is a power of two or 0 */
    uint64_t head, tail, capacity;
} CollectQueue;

struct Store {
    StoreConfig config;
    SlotWorld world;
    FamilyState *families;
    BornTable born;
    StoreLedger born_ledger;
    DeadlineHeap deadlines;
    CollectQueue collect, drop;
    Clock retired;           /* all bodies have been told that this is stable */
    Clock retiring;          /* and this, as soon as */
    uint64_t retiring_until; /* the queue to collect has come so far */
    bool has_bodies;         /* some declared family's keys are one structure */
    bool has_dropping;       /* a body has been made whose type drops things */
    GPtrArray *watches;      /* of StoreWatch; NULL: nobody ever watched */
    Pubsub *pubsub;
    int64_t *sketches; /* bytes of a sparse sketch by its length, 0: not asked for; NULL: none */
    struct Waiters *waiters; /* NULL: nobody ever waited */
    PayloadWriter payload;
    char number_text[2]
                    [DECIMAL_TEXT_MAX]; /* of numbers read as text; the last two, of any command */
    uint32_t number_text_next;
    uint64_t superseded_seq;
    bool last_was_remove;
};

/* A key as found by a command or an effect.  born is NULL when it does not exist (yet). */
typedef struct Key {
    FamilyState *state; /* NULL: born */
    uint64_t kept;
    BornKey *born;
    PayloadText name;
    uint64_t hash;
} Key;

/* An element as found likewise: an index, or a name with its hash. */
typedef struct {
    uint32_t index;
    PayloadText name;
    uint64_t hash;
} ElementRef;

/* --- keyspace.c: finding */

uint64_t name_hash(const char *name, uint32_t bytes);
PayloadText stored_name(const char *name); /* of the length-prefixed form */
char *name_store(PayloadText name);        /* in that form, for g_free */
bool stored_name_equal(const char *stored, PayloadText name);

bool key_of_id(Store *store, uint64_t id, Key *out); /* false: no family has it */
Key key_of_name(Store *store, PayloadText name, uint64_t hash);
void key_create(Store *store, Key *key); /* makes born, if it is a born key that is not there */
void key_drop_if_empty(Store *store, Key *key); /* frees a born key that holds nothing any more */
void born_free(SlotPool *pool, BornKey *born);

/* The slot of (type, element); NULL when the born key or element does not exist and create is
 * false.  Slots of declared keys are given their starting value here. */
Slot *key_slot(Store *store, const Key *key, int type, const ElementRef *element, bool create);
void key_drop_element_if_empty(Store *store, const Key *key, int type, const ElementRef *element);
void key_drop_empty_elements(Store *store, const Key *key, int type); /* of a born key */
Slot *key_expiry(Store *store, const Key *key, bool create);

/* Starting value of a declared slot, without touching it. */
static inline Slot state_start_slot(const FamilyState *state, uint64_t kept)
{
    Slot slot = {0};

    slot_touch(&slot);
    if (!family_is_prefilled(state->family, kept))
        return slot;
    slot = state->start;
    if (state->start_varies) {
        ensure(state->fields > 0);
        slot.bytes = family_value_bytes(state->family, kept) / state->fields;
    }
    return slot;
}

Slot state_start_expiry(const Store *store, const FamilyState *state, uint64_t kept);
uint32_t state_live(const FamilyState *state, uint64_t kept);
void state_add_live(FamilyState *state, uint64_t kept, int change);

uint32_t key_live(const Store *store, const Key *key,
                  int type);                                /* present elements (slots) of type */
bool key_exists(const Store *store, const Key *key);        /* whatever its deadline */
int key_type(const Store *store, const Key *key);           /* the type shown; -1: does not exist */
int64_t key_kept_deadline_ms(Store *store, const Key *key); /* for the next */
bool key_is_deadline_owner(Store *store, const Key *key);

/* Elements of a key, in index or table order; *cursor starts at 0.  The slot may be absent (not
 * present). */
bool key_next_slot(Store *store, const Key *key, int type, uint32_t *cursor, ElementRef *out,
                   Slot **out_slot);

/* DEADLINE_NONE without. */
static inline int64_t key_deadline_ms(Store *store, const Key *key)
{
    return key->state && !key->state->expiry ? DEADLINE_NONE : key_kept_deadline_ms(store, key);
}

static inline bool key_is_expired(Store *store, const Key *key, WallTime now)
{
    return key_deadline_ms(store, key) <= now.ms;
}

static inline uint32_t key_weight(const Key *key)
{
    return key->state ? family_weight(key->state->family, key->kept) : 1;
}

/* --- element_table.c: a born key's elements */

Element *element_find(const ElementTable *table, const ElementRef *ref); /* NULL: none */
Element *element_add(ElementTable *table, const ElementRef *ref);        /* one that is not there */
void element_remove(ElementTable *table,
                    uint32_t place); /* its slot is empty; the last moves here */
/* false: the bucket is free. */
bool element_in_bucket(const ElementTable *table, uint32_t bucket, uint32_t *out_place);
void element_table_clear(ElementTable *table, SlotPool *pool);

/* --- zset_order.c: the order kept of a sorted set, if one is: around every change of a score */

static inline ZsetIndex *key_order(const Key *key, int type)
{
    if (type != CRDT_ZSET)
        return NULL;
    if (key->state)
        return key->state->orders ? key->state->orders[key->kept] : NULL;
    return key->born ? key->born->order : NULL;
}

void order_leave(Store *store, const Key *key, const ElementRef *element);
void order_enter(Store *store, const Key *key, const ElementRef *element);
void order_move(Store *store, const Key *key, uint32_t from, uint32_t to);
void order_drop(const Key *key); /* made again when asked for */

/* --- store_change.c: applying */

typedef struct {
    const Effect *effect;
    Key key;
    Payload payload;
    bool ahead;
} Change;

void change_apply(Store *store, Change *change);

/* The path nearly every effect of a string workload takes: a declared register gets a synthetic
 * value.  The same as what change_apply does for it, without looking for what cannot be there. */
static inline bool change_is_register(const FamilyState *state, const Effect *effect)
{
    return state->is_register && effect->op == EFFECT_ASSIGN && effect->payload_bytes == 0 &&
           effect->amount == 0;
}

void change_register(Store *store, FamilyState *state, const Effect *effect, bool ahead);

/* A slot for the books, before a change; then call slot_changed. */
typedef struct {
    SlotSummary summary;
    FootprintSum element; /* of born keys with elements */
} SlotBooks;

void slot_books(const Store *store, const Key *key, int type, PayloadText element, const Slot *slot,
                SlotBooks *out);
void slot_changed(Store *store, const Key *key, int type, PayloadText element, const Slot *slot,
                  const SlotBooks *before);

/* key_body.c: what an effect does to the key's body of a type. */
void body_change(Store *store, const Change *change, int type);

/* Frees what the change left empty; call when the clock has moved, for only then is it known what
 * is ahead. */
void change_tidy(Store *store, Change *change);

/* A message changes no key: it takes the place of no record and leaves none. */
static inline void message_pass(Store *store)
{
    store->superseded_seq = 0;
    store->last_was_remove = false;
}

/* --- key_body.c: keys that are one structure */

/* NULL: nothing happened to it yet, and create is false.  A declared key that exists from the start
 * is filled here. */
CrdtBody *key_body(Store *store, const Key *key, int type, bool create);
/* What a declared key is filled with at the start, value_bytes without the key's own if it has any.
 */
typedef struct {
    BodySummary summary;
    bool is_sized;
} BodyStart;

void body_start(const FamilyState *state, BodyStart *out);
bool body_is_present(const Store *store, const Key *key, int type);
uint64_t body_note_record(Store *store, const Key *key, int type,
                          Dot dot); /* as slot_note_record */

/* Books: a view before and body_changed after any change of a body.  dot: of the effect (the newest
 * of them) that may have left something to collect; 0: none. */
typedef struct {
    BodySummary summary;
    bool present;
} BodyView;

BodyView body_view(Store *store, const Key *key, int type);
void body_changed(Store *store, const Key *key, int type, const BodyView *before, Dot dot);

/* A declared key's body will be met soon: where it is told, the body, what that leads to; each a
 * while after the one before. */
void body_prefetch_place(const FamilyState *state, uint64_t kept);
void body_prefetch(const FamilyState *state, uint64_t kept);
void body_prefetch_inside(const FamilyState *state, uint64_t kept);

bool bodies_are_empty(Store *store, const BornKey *born);
BodyKeep *born_body(const BornKey *born, int type); /* NULL: it has never been of that type */
void born_bodies_free(BornKey *born);
void collect_clear(CollectQueue *queue);

/* --- store_live.c: what existing keys would take in Redis */

void live_init(FamilyState *state);
/* What all keys of the start have alike: names, deadlines, the frames of equal elements. */
int64_t live_start_key(FamilyState *state);

/* The value of a declared key of one slot, less its text when the family is sized. */
#define LIVE_SHORT_TEXT 2048
int64_t live_long_register(const FamilyState *state, uint32_t value_bytes);

static inline int64_t live_register(const FamilyState *state, uint32_t value_bytes)
{
    return value_bytes < LIVE_SHORT_TEXT ? state->text_frames[value_bytes]
                                         : live_long_register(state, value_bytes);
}

int64_t live_body(Store *store, int type, const BodySummary *summary); /* of one that exists */

/* The key came (1) or went (-1): counts it, with the deadline it has at that moment. */
void live_key_changed(Store *store, const Key *key, int presence);
bool live_has_deadline(Store *store, const Key *key);
void live_deadline_changed(Store *store, const Key *key, bool had); /* after any change of it */

void live_elements_changed(FamilyState *state, uint64_t kept,
                           int change); /* after state_add_live */
void live_body_changed(Store *store, const Key *key, BodyKeep *keep, int64_t live_bytes);
FootprintSum live_born_element(const Store *store, int type, PayloadText name, const Slot *slot);
void live_born_element_changed(Store *store, BornKey *born, int type, const FootprintSum *before,
                               const FootprintSum *after);
void live_born_string_changed(Store *store, BornKey *born);
void live_born_free(BornKey *born);

/* --- watch.c: key (NULL: any) was changed */

void watches_tell(Store *store, const Key *key);

/* --- waiter.c: key (NULL: any) was changed, and somebody has waited some time */

void waiters_tell(Store *store, const Key *key);
void waiters_free(Store *store);

/* --- expiry.c */

void expiry_start(Store *store); /* queues the deadlines of prefilled keys this member owns */
void expiry_changed(Store *store, const Key *key); /* after key's deadline changed */
void deadline_heap_clear(DeadlineHeap *heap);
