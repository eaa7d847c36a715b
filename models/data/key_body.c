/* Why it works: a body is opaque, so the books are kept from its summaries before and after each
 * change, as for slots.  A body that begins to hold what only history needs enters a queue once,
 * with the effect that brought it; when everybody has observed that effect the body is looked at
 * again.  Dots of one queue become stable in nearly the order they entered it, so looking at the
 * front is enough; what is behind it waits a little longer at worst.
 *
 * What a type drops waits in a second queue.  Every body with tombstones stands in the first; so
 * when that has come past where it ended once, every tombstone of then has been collected with what
 * was stable then, and the member can tell the others so. */
#include "models/data/store_private.h"

#include <string.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

#define BODY_BEGINS 320 /* bytes */

static const BodyRule *rule_of(int type)
{
    return crdt_types[type]->body;
}

BodyKeep *born_body(const BornKey *born, int type)
{
    for (BornBody *at = born->bodies; at; at = at->next)
        if (at->type == type)
            return &at->keep;
    return NULL;
}

static BodyKeep *born_body_new(BornKey *born, int type)
{
    BornBody *made = g_new0(BornBody, 1);

    made->type = type;
    made->next = born->bodies;
    born->bodies = made;
    return &made->keep;
}

static BodyKeep *keep_of(const Key *key, int type)
{
    if (key->state)
        return key->state->bodies ? &key->state->bodies[key->kept] : NULL;
    return key->born ? born_body(key->born, type) : NULL;
}

static bool starts_present(const Key *key)
{
    return key->state && family_is_prefilled(key->state->family, key->kept);
}

CrdtBody *key_body(Store *store, const Key *key, int type, bool create)
{
    BodyKeep *keep = keep_of(key, type);
    const Family *family;

    if (keep && keep->body)
        return keep->body;
    if (!create && !starts_present(key))
        return NULL;
    if (!keep) {
        ensure(key->born);
        keep = born_body_new(key->born, type);
    }
    keep->body = rule_of(type)->create();
    store->has_dropping |= rule_of(type)->drop != NULL;
    if (starts_present(key)) {
        BodySummary summary;

        family = key->state->family;
        rule_of(type)->fill(keep->body, family_start_elements(family),
                            family_value_bytes(family, key->kept));
        summary = rule_of(type)->summary(keep->body);
        keep->live_bytes = live_body(store, type, &summary);
    }
    return keep->body;
}

/* A key's figures at the start: those of one that is filled, and what its own size adds. */
void body_start(const FamilyState *state, BodyStart *out)
{
    const BodyRule *rule = state->type->body;
    uint32_t elements = family_start_elements(state->family);
    CrdtBody *none = rule->create();
    CrdtBody *some = rule->create();
    BodySummary summary;

    rule->fill(none, elements, 0);
    rule->fill(some, elements, elements);
    out->summary = rule->summary(none);
    summary = rule->summary(some);
    out->is_sized = summary.value_bytes != out->summary.value_bytes;
    rule->destroy(none);
    rule->destroy(some);
}

bool body_is_present(const Store *store, const Key *key, int type)
{
    const BodyKeep *keep = keep_of(key, type);

    (void)store;
    if (!keep || !keep->body)
        return starts_present(key);
    return rule_of(type)->is_present(keep->body);
}

uint64_t body_note_record(Store *store, const Key *key, int type, Dot dot)
{
    BodyKeep *keep;
    uint64_t before;

    (void)key_body(store, key, type, true);
    keep = keep_of(key, type);
    before = keep->records[dot_member(dot)];
    keep->records[dot_member(dot)] = dot_seq(dot);
    return before;
}

static void collect_push(CollectQueue *queue, const CollectEntry *entry)
{
    if (queue->tail - queue->head == queue->capacity) {
        uint64_t capacity = queue->capacity > 0 ? queue->capacity * 2 : 64;
        CollectEntry *entries = g_new(CollectEntry, capacity);

        for (uint64_t i = queue->head; i != queue->tail; i++)
            entries[i & (capacity - 1)] = queue->entries[i & (queue->capacity - 1)];
        g_free(queue->entries);
        queue->entries = entries;
        queue->capacity = capacity;
    }
    queue->entries[queue->tail++ & (queue->capacity - 1)] = *entry;
    if (entry->born)
        entry->born->collect_count++;
}

void collect_clear(CollectQueue *queue)
{
    g_free(queue->entries);
    *queue = (CollectQueue){0};
}

static int64_t collectable(const BodySummary *summary)
{
    return summary->tombstone_count + summary->sibling_count;
}

static void presence_changed(Store *store, const Key *key, int type, int presence)
{
    if (key->state) {
        live_key_changed(store, key, presence);
        return;
    }
    if (presence < 0)
        key->born->live[type] -= 1;
    if (!key_exists(store, key))
        live_key_changed(store, key, presence);
    if (presence > 0)
        key->born->live[type] += 1;
}

BodyView body_view(Store *store, const Key *key, int type)
{
    const CrdtBody *body = key_body(store, key, type, true);

    return (BodyView){rule_of(type)->summary(body), rule_of(type)->is_present(body)};
}

void body_changed(Store *store, const Key *key, int type, const BodyView *before, Dot dot)
{
    StoreLedger *ledger = key->state ? &key->state->ledger : &store->born_ledger;
    BodyView view = body_view(store, key, type);
    BodyKeep *keep = keep_of(key, type);
    const BodySummary *old = &before->summary;
    const BodySummary *now = &view.summary;
    int64_t weight = key_weight(key);
    int presence = (int)view.present - (int)before->present;

    ledger->value_bytes += weight * (now->value_bytes - old->value_bytes);
    ledger->element_count += weight * (now->element_count - old->element_count);
    ledger->header_count += weight * (now->header_count - old->header_count);
    ledger->sibling_count += weight * (now->sibling_count - old->sibling_count);
    if (presence != 0)
        presence_changed(store, key, type, presence);
    if (presence != 0 || now->element_count != old->element_count ||
        now->value_bytes != old->value_bytes)
        live_body_changed(store, key, keep, view.present ? live_body(store, type, now) : 0);
    if (dot != 0 && !keep->collects && collectable(now) > 0) {
        keep->collects = true;
        collect_push(&store->collect, &(CollectEntry){key->state, key->born, key->kept, dot, type});
    }
}

void body_change(Store *store, const Change *change, int type)
{
    const Key *key = &change->key;
    CrdtBody *body = key_body(store, key, type, true);
    BodyView before = body_view(store, key, type);
    BodyEffect effect = {.effect = change->effect,
                         .edit = change->payload.edit,
                         .value = change->payload.value,
                         .causality = &store->world.causality};

    rule_of(type)->apply(body, &effect);
    body_changed(store, key, type, &before, change->effect->dot);
}

void body_prefetch_place(const FamilyState *state, uint64_t kept)
{
    if (state->bodies)
        prefetch(&state->bodies[kept]);
}

void body_prefetch(const FamilyState *state, uint64_t kept)
{
    const char *body = state->bodies ? (const char *)state->bodies[kept].body : NULL;

    for (size_t at = 0; body && at < BODY_BEGINS; at += CACHE_LINE_BYTES)
        prefetch(body + at);
}

void body_prefetch_inside(const FamilyState *state, uint64_t kept)
{
    if (state->bodies && state->bodies[kept].body && state->type->body->prefetch)
        state->type->body->prefetch(state->bodies[kept].body);
}

/* The declared key of the n-th entry from the front; NULL: there is none. */
static const CollectEntry *collect_ahead(const CollectQueue *queue, uint64_t n)
{
    const CollectEntry *entry = &queue->entries[(queue->head + n) & (queue->capacity - 1)];

    return queue->head + n < queue->tail && entry->state ? entry : NULL;
}

/* Bodies that wait have not been met for a while. */
static void collect_prefetch(const CollectQueue *queue)
{
    const CollectEntry *far = collect_ahead(queue, 6);
    const CollectEntry *middle = collect_ahead(queue, 4);
    const CollectEntry *near = collect_ahead(queue, 2);

    if (far)
        body_prefetch_place(far->state, far->kept);
    if (middle)
        body_prefetch(middle->state, middle->kept);
    if (near)
        body_prefetch_inside(near->state, near->kept);
}

static Key key_of_entry(const CollectEntry *entry)
{
    Key key = {.state = entry->state, .born = entry->born, .kept = entry->kept};

    if (key.born) {
        key.name = stored_name(key.born->name);
        key.hash = key.born->hash;
        key.born->collect_count--;
    }
    return key;
}

static void push_again(Store *store, CollectQueue *queue, const CollectEntry *entry)
{
    uint32_t self = store->config.member_id;
    CollectEntry again = *entry;

    again.dot = dot_make(self, store->world.causality.clock.seq[self]);
    collect_push(queue, &again);
}

static void collect_one(Store *store, const CollectEntry *entry, const Clock *stable)
{
    const BodyRule *rule = rule_of(entry->type);
    Key key = key_of_entry(entry);
    BodyKeep *keep = keep_of(&key, entry->type);
    BodyView before = body_view(store, &key, entry->type);
    BodySummary after;

    rule->collect(keep->body, stable);
    body_changed(store, &key, entry->type, &before, 0);
    after = rule->summary(keep->body);
    keep->collects = collectable(&after) > 0;
    if (rule->drop && !keep->leaves && rule->drop(keep->body, NULL)) {
        keep->leaves = true;
        push_again(store, &store->drop, entry);
    }
    if (keep->collects)
        push_again(store, &store->collect, entry);
    else
        key_drop_if_empty(store, &key);
}

/* Stable may fall when a peer is linked again: then what was begun with it has not been told to
 * all. */
static void retired_advance(Store *store, const Clock *stable)
{
    Clock least = store->retiring;

    clock_meet(&least, stable);
    if (memcmp(&least.seq[1], &store->retiring.seq[1], MEMBER_MAX * sizeof(least.seq[1])) == 0) {
        if (store->collect.head < store->retiring_until)
            return;
        clock_join(&store->retired, &store->retiring);
    }
    store->retiring = *stable;
    store->retiring_until = store->collect.tail;
}

void store_collect(Store *store, const Clock *stable)
{
    CollectQueue *queue = &store->collect;

    /* What is put back waits for the next call. */
    for (uint64_t end = queue->tail; queue->head < end;) {
        CollectEntry entry = queue->entries[queue->head & (queue->capacity - 1)];

        if (!clock_covers(stable, entry.dot))
            break;
        collect_prefetch(queue);
        queue->head++;
        collect_one(store, &entry, stable);
    }
    retired_advance(store, stable);
}

const Clock *store_retired(const Store *store)
{
    return store->has_dropping ? &store->retired : NULL;
}

void store_drop(Store *store, const Clock *retired_by_all)
{
    CollectQueue *queue = &store->drop;

    for (uint64_t end = queue->tail; queue->head < end;) {
        CollectEntry entry = queue->entries[queue->head & (queue->capacity - 1)];
        Key key;
        BodyKeep *keep;

        if (!clock_covers(retired_by_all, entry.dot))
            return;
        collect_prefetch(queue);
        queue->head++;
        key = key_of_entry(&entry);
        keep = keep_of(&key, entry.type);
        keep->leaves = rule_of(entry.type)->drop(keep->body, retired_by_all);
        if (keep->leaves)
            push_again(store, queue, &entry);
        else
            key_drop_if_empty(store, &key);
    }
}

bool bodies_are_empty(Store *store, const BornKey *born)
{
    if (born->collect_count > 0)
        return false;
    for (const BornBody *at = born->bodies; at; at = at->next)
        if (!rule_of(at->type)->is_empty(at->keep.body, &store->world.causality))
            return false;
    return true;
}

void born_bodies_free(BornKey *born)
{
    while (born->bodies) {
        BornBody *next = born->bodies->next;

        rule_of(born->bodies->type)->destroy(born->bodies->keep.body);
        g_free(born->bodies);
        born->bodies = next;
    }
}
