/* Going through what is there: KEYS SCAN HSCAN SSCAN ZSCAN RANDOMKEY DBSIZE.
 *
 * Why it works: a cursor names a home bucket of an open-addressing table, and buckets are taken in
 * the order of their reversed bits (after dictScan of Redis).  A table that doubles splits each
 * bucket into two that come one after the other in that order, so whatever was there from the first
 * call to the last is reported at least once.  Items of one bucket stand in the unbroken run of
 * taken ones that begins at it.
 *
 * Simplified: keys of declared families have no names, so they are counted by DBSIZE and listed by
 * none of the others. */
#include <string.h>

#include <glib.h>

#include "models/data/glob.h"
#include "models/data/zset_order.h"

#define SCAN_WHOLE_MAX 128 /* collections Redis keeps in one listpack come in one reply */

typedef struct {
    uint64_t cursor;
    int64_t count;
    PayloadText pattern; /* data NULL: any */
    PayloadText type;    /* likewise */
} Scan;

/* As strtoul reads it, which ends at a NUL and takes an empty text for 0. */
static bool read_cursor(CommandRun *run, uint32_t index, uint64_t *out)
{
    PayloadText text = run_text(run, index);
    uint64_t value = 0;
    uint32_t at = text.bytes > 0 && text.data && (text.data[0] == '-' || text.data[0] == '+');
    bool negative = at > 0 && text.data[0] == '-';
    bool right = at == 0 || (text.bytes > 1 && text.data[1] != '\0');

    for (; text.data && at < text.bytes && text.data[at] != '\0' && right; at++) {
        uint64_t digit = (uint64_t)(unsigned char)text.data[at] - '0';

        right = digit <= 9 && value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    *out = negative ? 0 - value : value;
    if (!right)
        run_reply_error(run, "ERR invalid cursor");
    return right;
}

static bool read_options(CommandRun *run, uint32_t index, bool keyspace, Scan *scan)
{
    scan->count = 10;
    for (; index < run_count(run); index += 2) {
        const Arg *arg = run_arg(run, index);
        bool known =
            arg_is(arg, "COUNT") || arg_is(arg, "MATCH") || (keyspace && arg_is(arg, "TYPE"));

        if (!known || index + 1 >= run_count(run)) {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
        if (arg_is(arg, "COUNT")) {
            if (!run_integer(run, index + 1, &scan->count))
                return false;
            if (scan->count < 1) {
                run_reply_error(run, ERROR_SYNTAX);
                return false;
            }
        } else {
            *(arg_is(arg, "MATCH") ? &scan->pattern : &scan->type) = run_text(run, index + 1);
        }
    }
    return true;
}

/* --- tables */

/* Of a bucket: whether it is taken, and the hash of what is there. */
typedef bool (*BucketHash)(const void *buckets, uint32_t at, uint64_t *out_hash);

typedef struct {
    const void *buckets;
    uint32_t capacity;
    BucketHash hash;
} ScanTable;

static uint64_t reversed(uint64_t bits)
{
    uint64_t result = 0;

    for (int i = 0; i < 64; i++, bits >>= 1)
        result = result << 1 | (bits & 1);
    return result;
}

/* Buckets of what has its home in the one given. */
static void take_bucket(const ScanTable *table, uint32_t bucket, GArray *positions)
{
    uint32_t mask = table->capacity - 1;
    uint64_t hash;

    for (uint32_t at = bucket; table->hash(table->buckets, at, &hash); at = (at + 1) & mask)
        if (((uint32_t)hash & mask) == bucket)
            g_array_append_val(positions, at);
}

/* From the cursor on until count entries are found; leaves the next cursor, 0 at the end. */
static GArray *take_table(const ScanTable *table, Scan *scan)
{
    GArray *positions = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint64_t mask = (uint64_t)table->capacity - 1;
    int64_t buckets_left = scan->count < INT64_MAX / 10 ? scan->count * 10 : INT64_MAX;

    if (table->capacity == 0) {
        scan->cursor = 0;
        return positions;
    }
    do {
        take_bucket(table, (uint32_t)(scan->cursor & mask), positions);
        scan->cursor = reversed(reversed(scan->cursor | ~mask) + 1);
    } while (scan->cursor != 0 && --buckets_left > 0 && positions->len < scan->count);
    return positions;
}

static bool born_hash(const void *buckets, uint32_t at, uint64_t *out_hash)
{
    const BornKey *born = ((BornKey *const *)buckets)[at];

    if (born)
        *out_hash = born->hash;
    return born != NULL;
}

static bool element_hash(const void *buckets, uint32_t at, uint64_t *out_hash)
{
    const ElementTable *table = buckets;
    uint32_t place;

    if (!element_in_bucket(table, at, &place))
        return false;
    *out_hash = table->entries[place].hash;
    return true;
}

static bool is_asked_for(const Scan *scan, PayloadText name)
{
    return !scan->pattern.data || !name.data || glob_matches(scan->pattern, name);
}

static void reply_cursor(CommandRun *run, uint64_t cursor)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, cursor);
    run_reply_array(run, 2);
    run_push_text(run, (PayloadText){text, (uint32_t)strlen(text)});
}

/* --- collections */

static void push_element(CommandRun *run, int type, const Scan *scan, PayloadText name,
                         const Slot *slot)
{
    SlotView view = slot_view(&run->store->world.pool, slot);
    ViewText text;

    if (!(type == CRDT_SET ? slot_is_present(&run->store->world.pool, slot) : view.present) ||
        !is_asked_for(scan, name))
        return;
    run_push_text(run, name);
    if (type == CRDT_ZSET) {
        run_push_score(run, view_score(&view));
    } else if (type == CRDT_HASH) {
        view_text(&view, &text);
        run_push_text(run, text.text);
    }
}

static void scan_born(CommandRun *run, const Key *key, int type, Scan *scan)
{
    const ElementTable *elements = &key->born->elements[type];
    ScanTable table = {elements, elements->capacity, element_hash};
    GArray *positions = take_table(&table, scan);
    Reply *outer;

    reply_cursor(run, scan->cursor);
    outer = run_open_array(run, 2 * positions->len);
    for (uint32_t i = 0; i < positions->len; i++) {
        const Element *element;
        uint32_t place;

        element_in_bucket(elements, g_array_index(positions, uint32_t, i), &place);
        element = &elements->entries[place];
        push_element(run, type, scan, stored_name(element->name), &element->slot);
    }
    run_close_array(run, outer);
    g_array_free(positions, TRUE);
}

/* A declared key's cursor is an index. */
static void scan_declared(CommandRun *run, const Key *key, int type, const Scan *scan)
{
    uint64_t fields = key->state->fields;
    uint64_t from = MIN(scan->cursor, fields);
    uint64_t to = scan->count < (int64_t)(fields - from) ? from + (uint64_t)scan->count : fields;
    Reply *outer;

    reply_cursor(run, to < fields ? to : 0);
    outer = run_open_array(run, (uint32_t)(2 * (to - from)));
    for (; from < to; from++) {
        ElementRef ref = {.index = (uint32_t)from};

        push_element(run, type, scan, element_name(key, &ref),
                     key_slot(run->store, key, type, &ref, false));
    }
    run_close_array(run, outer);
}

static void scan_collection(CommandRun *run, int type)
{
    Scan scan = {0};
    Reply *outer;
    bool exists;
    Key key;

    if (!read_cursor(run, 1, &scan.cursor) || !run_find(run, 0, type, &key, &exists))
        return;
    if (!exists) {
        reply_cursor(run, 0);
        outer = run_open_array(run, 0);
        run_close_array(run, outer);
        return;
    }
    if (!read_options(run, 2, false, &scan))
        return;
    if (key_live(run->store, &key, type) <= SCAN_WHOLE_MAX) {
        scan.cursor = 0;
        scan.count = INT64_MAX;
    }
    if (key.state)
        scan_declared(run, &key, type, &scan);
    else
        scan_born(run, &key, type, &scan);
}

static void run_hscan(CommandRun *run)
{
    scan_collection(run, CRDT_HASH);
}

static void run_sscan(CommandRun *run)
{
    scan_collection(run, CRDT_SET);
}

static void run_zscan(CommandRun *run)
{
    scan_collection(run, CRDT_ZSET);
}

/* --- the keyspace */

/* The born key in that entry, when a reader sees it. */
static bool visible_at(CommandRun *run, uint32_t at, Key *out)
{
    BornKey *born = run->store->born.entries[at];

    if (!born)
        return false;
    *out = (Key){.born = born, .name = stored_name(born->name), .hash = born->hash};
    return key_exists(run->store, out) && !key_is_expired(run->store, out, run->now);
}

static bool has_type(CommandRun *run, const Scan *scan, const Key *key)
{
    const char *name;

    if (!scan->type.data)
        return true;
    name = crdt_types[key_type(run->store, key)]->redis_name;
    return strlen(name) == scan->type.bytes &&
           g_ascii_strncasecmp(name, scan->type.data, scan->type.bytes) == 0;
}

static void run_scan(CommandRun *run)
{
    const BornTable *born = &run->store->born;
    ScanTable table = {born->entries, born->capacity, born_hash};
    Scan scan = {0};
    GArray *positions;
    Reply *outer;
    Key key;

    if (!read_cursor(run, 0, &scan.cursor) || !read_options(run, 1, true, &scan))
        return;
    positions = take_table(&table, &scan);
    reply_cursor(run, scan.cursor);
    outer = run_open_array(run, positions->len);
    for (uint32_t i = 0; i < positions->len; i++)
        if (visible_at(run, g_array_index(positions, uint32_t, i), &key) &&
            is_asked_for(&scan, key.name) && has_type(run, &scan, &key))
            run_push_text(run, key.name);
    run_close_array(run, outer);
    g_array_free(positions, TRUE);
}

static void run_keys(CommandRun *run)
{
    Scan scan = {.pattern = run_text(run, 0)};
    Key key;

    run_reply_array(run, run->store->born.count);
    for (uint32_t i = 0; i < run->store->born.capacity; i++)
        if (visible_at(run, i, &key) && is_asked_for(&scan, key.name))
            run_push_text(run, key.name);
}

/* An arbitrary key, repeatable: chosen by how many writes this member has made. */
static void run_randomkey(CommandRun *run)
{
    uint64_t seq = store_clock(run->store)->seq[run->store->config.member_id];
    uint32_t capacity = run->store->born.capacity;
    uint32_t start = capacity > 0 ? (uint32_t)rng_scale(rng_mix(seq + 1), capacity) : 0;
    Key key;

    for (uint32_t i = 0; i < capacity; i++) {
        if (!visible_at(run, (start + i) & (capacity - 1), &key))
            continue;
        run_reply_text(run, key.name);
        return;
    }
    run_reply_nil(run);
}

static void run_dbsize(CommandRun *run)
{
    int64_t count = 0;

    for (uint32_t i = 0; i <= run->store->config.family_count; i++)
        count += store_ledger(run->store, i)->key_count;
    run_reply_integer(run, count);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("SCAN", "keys from a cursor on", -2, false, OP_READ, SHAPE_KEY, 2.0, run_scan),
    COMMAND_SPEC("HSCAN", "fields from a cursor on", -3, false, OP_READ, SHAPE_KEY, 2.0, run_hscan),
    COMMAND_SPEC("SSCAN", "elements from a cursor on", -3, false, OP_READ, SHAPE_KEY, 2.0,
                 run_sscan),
    COMMAND_SPEC("ZSCAN", "elements and scores from a cursor on", -3, false, OP_READ, SHAPE_KEY,
                 2.0, run_zscan),
    COMMAND_SPEC("KEYS", "all keys that match", 2, false, OP_READ, SHAPE_KEY, 5.0, run_keys),
    COMMAND_SPEC("RANDOMKEY", "an arbitrary key", 1, false, OP_READ, SHAPE_KEY, 0.6, run_randomkey),
    COMMAND_SPEC("DBSIZE", "how many keys there are", 1, false, OP_READ, SHAPE_KEY, 0.5,
                 run_dbsize),
};

const CommandGroup command_group_scan = {
    .head = {.name = "scan", .summary = "going through keys and elements"},
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
