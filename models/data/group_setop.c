/* Intersection, union and difference of sets, read or stored (crdt-semantics.md 4).
 *
 * Why it works: an element of the result is told from one set at a time: a union takes each
 * operand's elements that no earlier one has, an intersection and a difference those of one operand
 * that all, or none, of the others have.  A stored result is DEL and adds, so elements that others
 * add to the target meanwhile survive. */
#include <string.h>

#include <glib.h>

#include "models/data/set_write.h"

typedef enum { COMBINE_INTER, COMBINE_UNION, COMBINE_DIFF } Combine;

typedef struct {
    Key key;
    bool exists;
} SetOperand;

typedef struct {
    Combine how;
    SetOperand *operands;
    uint32_t count;
    uint32_t capacity; /* elements of all operands */
} SetQuery;

/* Takes one element of the result; false ends the walk. */
typedef bool (*TakeMember)(CommandRun *run, void *taker, const Key *key, const ElementRef *ref);

/* In how many of the operands from first to before last the element is. */
static uint32_t count_in(CommandRun *run, const SetQuery *query, uint32_t first, uint32_t last,
                         const ElementRef *ref)
{
    uint32_t found = 0;

    for (uint32_t i = first; i < last; i++)
        found += set_holds(run, &query->operands[i].key, query->operands[i].exists, ref);
    return found;
}

/* Argument first and the count - 1 after it; false: the error is the reply. */
static bool find_operands(CommandRun *run, uint32_t first, uint32_t count, SetQuery *query)
{
    query->operands = g_new0(SetOperand, count);
    query->count = count;
    query->capacity = 0;
    for (uint32_t i = 0; i < count; i++) {
        SetOperand *operand = &query->operands[i];

        if (!run_find(run, first + i, CRDT_SET, &operand->key, &operand->exists)) {
            g_free(query->operands);
            return false;
        }
        query->capacity += operand->exists ? key_live(run->store, &operand->key, CRDT_SET) : 0;
    }
    return true;
}

/* The smallest operand is walked through for an intersection. */
static uint32_t walked_operand(CommandRun *run, const SetQuery *query)
{
    uint32_t least = 0;

    for (uint32_t i = 1; i < query->count && query->how == COMBINE_INTER; i++)
        if (!query->operands[i].exists ||
            (query->operands[least].exists &&
             key_live(run->store, &query->operands[i].key, CRDT_SET) <
                 key_live(run->store, &query->operands[least].key, CRDT_SET)))
            least = i;
    return least;
}

static void combine(CommandRun *run, const SetQuery *query, TakeMember take, void *taker)
{
    uint32_t first = walked_operand(run, query);
    uint32_t last = query->how == COMBINE_UNION ? query->count : first + 1;

    for (uint32_t i = first; i < last; i++) {
        const SetOperand *operand = &query->operands[i];
        uint32_t cursor = 0;
        ElementRef ref;

        while (operand->exists && set_next(run, &operand->key, &cursor, &ref)) {
            bool in = query->how == COMBINE_UNION ? count_in(run, query, 0, i, &ref) == 0
                      : query->how == COMBINE_DIFF
                          ? count_in(run, query, 1, query->count, &ref) == 0
                          : count_in(run, query, 0, query->count, &ref) == query->count;

            if (in && !take(run, taker, &operand->key, &ref))
                return;
        }
    }
}

static bool push_member(CommandRun *run, void *taker, const Key *key, const ElementRef *ref)
{
    (void)taker;
    run_push_text(run, element_name(key, ref));
    return true;
}

static void reply_combined(CommandRun *run, Combine how)
{
    SetQuery query = {.how = how};

    if (!find_operands(run, 0, run_count(run), &query))
        return;
    run_reply_array(run, query.capacity);
    combine(run, &query, push_member, NULL);
    g_free(query.operands);
}

static void run_sinter(CommandRun *run)
{
    reply_combined(run, COMBINE_INTER);
}

static void run_sunion(CommandRun *run)
{
    reply_combined(run, COMBINE_UNION);
}

static void run_sdiff(CommandRun *run)
{
    reply_combined(run, COMBINE_DIFF);
}

/* --- stored: names are copied, because the target may be an operand */

static bool keep_member(CommandRun *run, void *taker, const Key *key, const ElementRef *ref)
{
    (void)run;
    g_ptr_array_add(taker, key->state ? g_bytes_new(&ref->index, sizeof(ref->index))
                                      : g_bytes_new(ref->name.data, ref->name.bytes));
    return true;
}

static void release_name(void *name)
{
    g_bytes_unref(name);
}

static void store_combined(CommandRun *run, Combine how)
{
    SetQuery query = {.how = how};
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(release_name);
    bool exists;
    Key target;

    if (run_count(run) < 2 || !find_operands(run, 1, run_count(run) - 1, &query)) {
        if (run_count(run) < 2)
            run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    combine(run, &query, keep_member, names);
    g_free(query.operands);
    if (!run_find_to_write(run, 0, -1, &target, &exists))
        return;
    if (target.state) {
        run_reply_error(run, "ERR storing into a declared key is not simulated");
        return;
    }
    store_delete(run->store, &target, run->now);
    for (uint32_t i = 0; i < names->len; i++) {
        gsize bytes;
        ElementRef ref = {.name.data = g_bytes_get_data(names->pdata[i], &bytes)};

        ref.name.data = ref.name.data ? ref.name.data : "";
        ref.name.bytes = (uint32_t)bytes;
        ref.hash = name_hash(ref.name.data, ref.name.bytes);
        set_add(run, &target, &ref);
    }
    run_reply_integer(run, names->len);
}

static void run_sinterstore(CommandRun *run)
{
    store_combined(run, COMBINE_INTER);
}

static void run_sunionstore(CommandRun *run)
{
    store_combined(run, COMBINE_UNION);
}

static void run_sdiffstore(CommandRun *run)
{
    store_combined(run, COMBINE_DIFF);
}

/* --- SINTERCARD */

typedef struct {
    int64_t found, limit; /* limit 0: none */
} Counting;

static bool count_member(CommandRun *run, void *taker, const Key *key, const ElementRef *ref)
{
    Counting *counting = taker;

    (void)run;
    (void)key;
    (void)ref;
    return ++counting->found != counting->limit;
}

static bool read_limit(CommandRun *run, uint32_t index, int64_t *out_limit)
{
    for (; index < run_count(run); index += 2) {
        if (!arg_is(run_arg(run, index), "LIMIT") || index + 1 >= run_count(run)) {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
        if (!run_integer_within(run, index + 1, 0, "ERR LIMIT can't be negative", out_limit))
            return false;
    }
    return true;
}

/* Workload: a key in place of their number is the only one. */
static void run_sintercard(CommandRun *run)
{
    uint32_t first = run_arg(run, 0)->kind != ARG_KEY;
    SetQuery query = {.how = COMBINE_INTER};
    Counting counting = {0};
    int64_t count = 1;

    if (first > 0 && !run_integer_within(run, 0, 1, "ERR numkeys should be greater than 0", &count))
        return;
    if (count > (int64_t)run_count(run) - first) {
        run_reply_error(run, "ERR Number of keys can't be greater than number of args");
        return;
    }
    if (!read_limit(run, first + (uint32_t)count, &counting.limit) ||
        !find_operands(run, first, (uint32_t)count, &query))
        return;
    combine(run, &query, count_member, &counting);
    g_free(query.operands);
    run_reply_integer(run, counting.found);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("SINTER", "elements in all sets", -2, false, OP_READ, SHAPE_KEY, 5.6, run_sinter),
    COMMAND_SPEC("SUNION", "elements in any set", -2, false, OP_READ, SHAPE_KEY, 5.6, run_sunion),
    COMMAND_SPEC("SDIFF", "elements in the first set alone", -2, false, OP_READ, SHAPE_KEY, 5.6,
                 run_sdiff),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SINTERSTORE", "SINTER into another key", -3, true, OP_LWW,
                      SHAPE_KEY, 8.0, run_sinterstore),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SUNIONSTORE", "SUNION into another key", -3, true, OP_LWW,
                      SHAPE_KEY, 8.0, run_sunionstore),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "SDIFFSTORE", "SDIFF into another key", -3, true, OP_LWW,
                      SHAPE_KEY, 8.0, run_sdiffstore),
    COMMAND_SPEC("SINTERCARD", "how many elements are in all sets", -3, false, OP_READ, SHAPE_KEY,
                 5.0, run_sintercard),
};

const CommandGroup command_group_setop = {
    .head = {.name = "setop", .summary = "sets against sets"},
    .serves = "set",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
