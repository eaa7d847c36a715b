/* Commands on HyperLogLogs (crdt-semantics.md 6).
 *
 * Why it works: PFADD and PFMERGE ship the registers that rise, all in one effect; one that raises
 * nothing in a key that exists ships nothing, because what already holds those registers so high is
 * an addition that outlives it everywhere.  PFCOUNT of several keys counts their union. */
#include "models/crdt/body_hll.h"
#include "models/data/command_run.h"

#define ERROR_NO_SKETCH "WRONGTYPE Key is not a valid HyperLogLog string value."
#define ERROR_CORRUPT   "INVALIDOBJ Corrupted HLL object detected"

#define RAISES_MAX 64 /* of one PFADD, without asking for memory */
#define EDIT_BYTES (1 + MEMBER_MAX * 8 + RAISES_MAX * 3) /* see crdt/body_hll.c */

/* A string that begins as a sketch and goes on as none. */
static bool is_corrupt(CommandRun *run, const Key *key)
{
    static const ElementRef whole = {0};
    SlotView view = run_view(run, key, run_type(key, CRDT_STRING), &whole);
    bool corrupt = false;
    g_auto(Hll) hll = {0};
    ViewText text;

    view_text(&view, &text);
    if (text.text.data)
        hll_read_redis(&hll, text.text, &corrupt);
    return corrupt;
}

/* A string that is no sketch has errors of its own. */
static bool find_sketch(CommandRun *run, uint32_t index, bool writes, Key *out, bool *out_exists)
{
    bool found = writes ? run_find_to_write(run, index, CRDT_HYPERLOGLOG, out, out_exists)
                        : run_find(run, index, CRDT_HYPERLOGLOG, out, out_exists);
    int type;

    if (found || g_strcmp0(run->reply->text, ERROR_WRONGTYPE) != 0)
        return found;
    type = out->state ? out->state->family->type : key_type(run->store, out);
    if (type == CRDT_STRING || type == CRDT_COUNTER)
        run_reply_error(run, is_corrupt(run, out) ? ERROR_CORRUPT : ERROR_NO_SKETCH);
    return false;
}

static HllRaise raise_of(CommandRun *run, uint32_t index)
{
    const Arg *arg = run_arg(run, index);
    PayloadText text;

    if (arg->kind == ARG_SYNTHETIC || arg->kind == ARG_ELEMENT)
        return hll_hash_token(arg->number);
    text = run_text(run, index);
    return hll_hash(text.data, text.bytes);
}

/* Declared keys: the elements a workload's command is about are tokens.  A new sketch holds no
 * others. */
static uint32_t elements_asked(CommandRun *run, const Key *key, LocalWrite *out_range)
{
    if (key->state && run_arg(run, 1)->kind != ARG_BYTES) {
        run_declared_range(run, key, true, out_range);
        return out_range->element_count;
    }
    return run_count(run) > 0 ? run_count(run) - 1 : 0;
}

/* Returns whether the sketch has changed, a new one has. */
static bool add_raises(CommandRun *run, Key *key, bool exists, const HllRaise *raises,
                       uint32_t count)
{
    uint8_t room[EDIT_BYTES];
    PayloadWriter edit = {0};
    uint32_t risen;

    if (count <= RAISES_MAX)
        edit = (PayloadWriter){.data = room, .capacity = sizeof(room)};
    risen = body_hll_edit_add(run_body(run, key, CRDT_HYPERLOGLOG), raises, count, &edit);
    if (risen > 0 || !exists)
        run_edit(run, key, CRDT_HYPERLOGLOG, &edit, (Value){0});
    if (edit.data != room)
        payload_clear(&edit);
    return risen > 0 || !exists;
}

static void run_pfadd(CommandRun *run)
{
    HllRaise few[RAISES_MAX];
    g_autofree HllRaise *many = NULL;
    HllRaise *raises;
    LocalWrite range = {0};
    uint32_t count;
    bool exists;
    Key key;

    if (!find_sketch(run, 0, true, &key, &exists))
        return;
    count = elements_asked(run, &key, &range);
    many = count > RAISES_MAX ? g_new(HllRaise, count) : NULL;
    raises = many ? many : few;
    for (uint32_t i = 0; i < count; i++)
        raises[i] = range.element_count > 0 ? hll_hash_token((uint64_t)range.element.index + i)
                                            : raise_of(run, i + 1);
    run_reply_integer(run, add_raises(run, &key, exists, raises, count));
}

/* The union of the keys named from argument `first` on; false: the error is the reply. */
static bool join_named(CommandRun *run, uint32_t first, Hll *into)
{
    for (uint32_t i = first; i < run_count(run); i++) {
        bool exists;
        Key key;

        if (!find_sketch(run, i, false, &key, &exists))
            return false;
        if (exists)
            body_hll_join(into, run_body(run, &key, CRDT_HYPERLOGLOG));
    }
    return true;
}

static void run_pfcount(CommandRun *run)
{
    g_auto(Hll) joined = {0};
    bool exists;
    Key key;

    if (run_count(run) > 1) {
        if (join_named(run, 0, &joined))
            run_reply_integer(run, hll_count(&joined));
        return;
    }
    if (find_sketch(run, 0, false, &key, &exists))
        run_reply_integer(run, exists ? body_hll_count(run_body(run, &key, CRDT_HYPERLOGLOG)) : 0);
}

static void run_pfmerge(CommandRun *run)
{
    PayloadWriter edit = {0};
    g_auto(Hll) joined = {0};
    uint32_t risen;
    bool exists;
    Key key;

    if (run_arg(run, 0)->kind == ARG_KEY &&
        run_count(run) == 1) { /* a workload's: for ever in vain */
        run_reply_error(run, "ERR PFMERGE without another key is not simulated");
        return;
    }
    if (!find_sketch(run, 0, true, &key, &exists) || !join_named(run, 1, &joined))
        return;
    risen = body_hll_edit_join(run_body(run, &key, CRDT_HYPERLOGLOG), &joined, &edit);
    if (risen > 0 || !exists)
        run_edit(run, &key, CRDT_HYPERLOGLOG, &edit, (Value){0});
    payload_clear(&edit);
    run_reply_ok(run);
}

void run_get_sketch(CommandRun *run)
{
    PayloadWriter text = {0};
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_HYPERLOGLOG, &key, &exists))
        return;
    if (!exists) {
        run_reply_nil(run);
        return;
    }
    body_hll_write_redis(run_body(run, &key, CRDT_HYPERLOGLOG), &text);
    run_reply_text(run, (PayloadText){(const char *)text.data, text.bytes});
    payload_clear(&text);
}

static void copy_sketch(CommandRun *run, const Key *source, Key *target)
{
    PayloadWriter edit = {0};
    g_auto(Hll) hll = {0};

    body_hll_join(&hll, run_body(run, source, CRDT_HYPERLOGLOG));
    body_hll_edit_join(run_body(run, target, CRDT_HYPERLOGLOG), &hll, &edit);
    run_edit(run, target, CRDT_HYPERLOGLOG, &edit, (Value){0});
    payload_clear(&edit);
}

/* What was there goes first: DEL wins, so nothing of it is left beside the new sketch anywhere. */
static bool set_bytes(CommandRun *run, Key *key, const LocalWrite *assign)
{
    PayloadWriter edit = {0};
    LocalWrite write = *assign;
    int64_t before_ms;
    g_auto(Hll) hll = {0};

    if (!hll_read_redis(&hll, (PayloadText){write.value.data, write.value.bytes}, NULL))
        return false;
    before_ms = key_deadline_ms(run->store, key);
    store_delete(run->store, key, run->now);
    if (write.deadline_ms == 0 && before_ms != DEADLINE_NONE)
        write.deadline_ms = before_ms; /* left alone */
    body_hll_edit_join(run_body(run, key, CRDT_HYPERLOGLOG), &hll, &edit);
    write.op = EFFECT_EDIT;
    write.type = CRDT_HYPERLOGLOG;
    write.value = (Value){0};
    write.edit = (PayloadText){(const char *)edit.data, edit.bytes};
    store_write(run->store, key, &write);
    payload_clear(&edit);
    return true;
}

bool run_set_sketch(CommandRun *run, Key *key, const LocalWrite *assign)
{
    return !key->state && assign->value.kind == VALUE_BYTES && set_bytes(run, key, assign);
}

/* PFMERGE visits all registers: 106 times the user time of PFADD (redis-server 7.0.15, a dense
 * sketch and one of 300 elements).  PFCOUNT of one key is answered from Redis's cached count. */
static const CommandSpec specs[] = {
    COMMAND_SPEC("PFADD", "add elements; lost to a concurrent DEL", -2, true, OP_LWW, SHAPE_MEMBERS,
                 0.27, run_pfadd),
    COMMAND_SPEC("PFCOUNT", "estimate of different elements in the union of keys", -2, false,
                 OP_READ, SHAPE_KEY, 0.27, run_pfcount),
    COMMAND_SPEC_LIFE(LIFE_CREATES, "PFMERGE", "add all that other keys have", -2, true, OP_LWW,
                      SHAPE_KEY, 28.5, run_pfmerge),
};

const CommandGroup command_group_hyperloglog = {
    .head = {.name = "hyperloglog", .summary = "estimates of how many different elements"},
    .serves = "hll",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
    .copy = copy_sketch,
};
