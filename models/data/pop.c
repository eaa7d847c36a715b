/* Why it works: these commands differ between types only in what an element is, how many there are
 * and how the ends are called, which is what a PopKind says; their words, their errors and the
 * order of these are the same (as redis-server 7.0.15 replies).  A blocking form is the other one
 * about a single key, tried when it comes and again whenever a key it waits for has changed; it
 * reads its words each time, so that nothing but they need be kept. */
#include "models/data/pop.h"

#include <glib.h>

typedef struct {
    uint32_t first, keys; /* arguments that are keys */
    int64_t count;
    PopEnd end;
} Several;

uint32_t pop_clip(CommandRun *run, const Key *key, const PopKind *kind, int64_t asked)
{
    return (uint32_t)MIN(asked, (int64_t)kind->count(run, key));
}

static bool read_end(CommandRun *run, uint32_t at, const PopKind *kind, PopEnd *out)
{
    *out = arg_is(run_arg(run, at), kind->words[POP_LAST]) ? POP_LAST : POP_FIRST;
    if (*out == POP_LAST || arg_is(run_arg(run, at), kind->words[POP_FIRST]))
        return true;
    run_reply_error(run, ERROR_SYNTAX);
    return false;
}

/* [COUNT count], from argument `at` to the end. */
static bool read_count(CommandRun *run, uint32_t at, int64_t *out)
{
    if (at >= run_count(run))
        return true;
    if (!arg_is(run_arg(run, at), "COUNT") || at + 1 >= run_count(run)) {
        run_reply_error(run, ERROR_SYNTAX);
        return false;
    }
    if (!run_integer_within(run, at + 1, 1, "ERR count should be greater than 0", out))
        return false;
    if (at + 2 < run_count(run))
        run_reply_error(run, ERROR_SYNTAX);
    return at + 2 >= run_count(run);
}

/* From argument `at` on. */
static bool read_several(CommandRun *run, uint32_t at, const PopKind *kind, Several *out)
{
    int64_t keys;

    *out = (Several){.first = at, .keys = 1, .count = 1};
    if (run_arg(run, at)->kind == ARG_KEY)
        return true;
    if (!run_integer_within(run, at, 1, "ERR numkeys should be greater than 0", &keys))
        return false;
    out->first = at + 1;
    out->keys = (uint32_t)MIN(keys, (int64_t)run_count(run) - out->first);
    at = out->first + out->keys; /* past the end when keys are missing: no word for an end */
    return read_end(run, at, kind, &out->end) && read_count(run, at + 1, &out->count);
}

static void reply_several(CommandRun *run, Key *key, uint32_t index, const PopKind *kind,
                          const Several *query)
{
    uint32_t count = pop_clip(run, key, kind, query->count);
    Reply *outer;

    run_reply_array(run, 2);
    run_push_key(run, key, index);
    outer = run_open_array(run, count);
    kind->pop(run, key, query->end, count, true);
    run_close_array(run, outer);
}

void pop_several(CommandRun *run, const PopKind *kind)
{
    Several query;

    if (!read_several(run, 0, kind, &query))
        return;
    for (uint32_t i = query.first; i < query.first + query.keys; i++) {
        bool exists;
        Key key;

        if (!run_find_to_write(run, i, kind->type, &key, &exists))
            return;
        if (!exists)
            continue;
        reply_several(run, &key, i, kind, &query);
        return;
    }
    run_reply_nil(run);
}

/* --- the same, waiting for a key that has elements */

/* How long to wait comes before the rest; in a workload after the key, or not at all. */
static uint32_t several_at(CommandRun *run)
{
    return run_arg(run, 0)->kind == ARG_KEY ? 0 : 1;
}

bool pop_several_serve(CommandRun *run, uint32_t index, const PopKind *kind)
{
    Several query;
    bool exists;
    Key key;

    if (!read_several(run, several_at(run), kind, &query) ||
        !run_find_to_write(run, index, kind->type, &key, &exists) || !exists)
        return false;
    reply_several(run, &key, index, kind, &query);
    return true;
}

void pop_several_or_wait(CommandRun *run, const PopKind *kind,
                         bool (*serve)(CommandRun *run, uint32_t index))
{
    Wait wait = {.type = kind->type, .serve = serve};
    uint32_t at = several_at(run);
    Several query;

    if (!read_several(run, at, kind, &query) || !run_timeout(run, 1 - at, &wait.timeout_ms))
        return;
    wait.first = query.first;
    wait.count = query.keys;
    run_serve_or_wait(run, &wait);
}

bool pop_one_serve(CommandRun *run, uint32_t index, const PopKind *kind, PopEnd end)
{
    bool exists;
    Key key;

    if (!run_find_to_write(run, index, kind->type, &key, &exists) || !exists)
        return false;
    run_reply_array(run, 1 + kind->element_replies);
    run_push_key(run, &key, index);
    kind->pop(run, &key, end, 1, false);
    return true;
}

void pop_one_or_wait(CommandRun *run, const PopKind *kind,
                     bool (*serve)(CommandRun *run, uint32_t index))
{
    Wait wait = {.type = kind->type, .count = run_wait_keys(run), .serve = serve};

    if (run_timeout(run, wait.count, &wait.timeout_ms))
        run_serve_or_wait(run, &wait);
}
