/* A key as an object of the server: OBJECT, DUMP.
 *
 * Why it works: what is dumped is what readers see, so a key of any history gives the same bytes as
 * one written just now; nothing of the conflict resolution is in them.
 *
 * Simplified: no value is shared, so each has one reference (Redis shares small whole numbers); the
 * eviction policy is noeviction, under which Redis counts no accesses; streams and documents are
 * not dumped. */
#include <string.h>

#include "models/crdt/body_hll.h"
#include "models/crdt/body_list.h"
#include "models/data/rdb.h"
#include "models/data/subcommand.h"

#define ERROR_NO_FREQUENCY                                                                         \
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that " \
    "when switching between policies at runtime LRU and LFU data will take some time to adjust."

static const char *const object_help[] = {
    "OBJECT FREQ key: an error, as no eviction policy counts accesses",
    "OBJECT REFCOUNT key: how often the value is referred to; 1", "OBJECT HELP: this list", NULL};

static void run_object(CommandRun *run)
{
    bool of_frequency = arg_is(run_arg(run, 0), "FREQ");
    bool of_references = arg_is(run_arg(run, 0), "REFCOUNT");
    bool exists;
    Key key;

    if (arg_is(run_arg(run, 0), "HELP")) {
        subcommand_reply_help(run, "object|help", object_help);
        return;
    }
    if (!of_frequency && !of_references) {
        subcommand_reply_unknown(run, "OBJECT");
        return;
    }
    if (run_count(run) != 2) {
        subcommand_reply_arity(run, of_frequency ? "object|freq" : "object|refcount");
        return;
    }
    if (!run_find(run, 1, -1, &key, &exists))
        return;
    if (!exists)
        run_reply_nil(run);
    else if (of_frequency)
        run_reply_error(run, ERROR_NO_FREQUENCY);
    else
        run_reply_integer(run, 1);
}

/* --- DUMP */

static void put_string(CommandRun *run, const Key *key, int type, RdbWriter *out)
{
    SlotView view = run_view(run, key, type, &(ElementRef){0});
    ViewText text;

    view_text(&view, &text);
    rdb_begin(out, RDB_STRING);
    rdb_put_text(out, text.text);
}

static void put_sketch(CommandRun *run, const Key *key, RdbWriter *out)
{
    PayloadWriter text = {0};

    body_hll_write_redis(run_body(run, key, CRDT_HYPERLOGLOG), &text);
    rdb_begin(out, RDB_STRING);
    rdb_put_text(out, (PayloadText){(const char *)text.data, text.bytes});
    payload_clear(&text);
}

static void put_list(CommandRun *run, const Key *key, RdbWriter *out)
{
    const CrdtBody *list = run_body(run, key, CRDT_LIST);
    ListCursor at = list_cursor(list, 0);

    rdb_begin(out, RDB_LIST);
    rdb_put_count(out, list_count(list));
    for (; list_cursor_is_valid(&at); list_cursor_forward(&at)) {
        Value value = list_cursor_value(&at);

        rdb_put_text(out,
                     (PayloadText){value.kind == VALUE_BYTES ? value.data : NULL, value.bytes});
    }
}

/* Hashes, sets and sorted sets. */
static void put_elements(CommandRun *run, const Key *key, int type, RdbWriter *out)
{
    uint32_t cursor = 0;
    ElementRef ref;
    Slot *slot;

    rdb_begin(out, type == CRDT_HASH ? RDB_HASH : type == CRDT_SET ? RDB_SET : RDB_ZSET);
    rdb_put_count(out, key_live(run->store, key, type));
    while (key_next_slot(run->store, key, type, &cursor, &ref, &slot)) {
        SlotView view = slot_view(&run->store->world.pool, slot);
        ViewText text;

        if (!view.present)
            continue;
        rdb_put_text(out, element_name(key, &ref));
        if (type == CRDT_HASH) {
            view_text(&view, &text);
            rdb_put_text(out, text.text);
        } else if (type == CRDT_ZSET) {
            rdb_put_score(out, view_score(&view));
        }
    }
}

static void run_dump(CommandRun *run)
{
    g_autoptr(GByteArray) bytes = run->arena ? g_byte_array_new() : NULL;
    RdbWriter writer = {.bytes = bytes};
    bool exists;
    Key key;
    int type;

    if (!run_find(run, 0, -1, &key, &exists))
        return;
    if (!exists) {
        run_reply_nil(run);
        return;
    }
    type = key_type(run->store, &key);
    if (type == CRDT_STRING || type == CRDT_COUNTER) {
        put_string(run, &key, type, &writer);
    } else if (type == CRDT_HYPERLOGLOG) {
        put_sketch(run, &key, &writer);
    } else if (type == CRDT_LIST) {
        put_list(run, &key, &writer);
    } else if (crdt_types[type]->has_elements) {
        put_elements(run, &key, type, &writer);
    } else {
        run_reply_error(run, "ERR DUMP of a stream or a document is not simulated");
        return;
    }
    rdb_end(&writer);
    run_reply_text(run,
                   (PayloadText){bytes && !writer.has_synthetic ? (const char *)bytes->data : NULL,
                                 (uint32_t)writer.size});
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("OBJECT", "what the server knows of a value", -2, false, OP_READ, SHAPE_KEY, 0.6,
                 run_object),
    COMMAND_SPEC("DUMP", "the value as RESTORE of another server reads it", 2, false, OP_READ,
                 SHAPE_KEY, 1.5, run_dump),
};

const CommandGroup command_group_object = {
    .head = {.name = "object", .summary = "keys as objects: references, and their bytes"},
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
