/* Commands on parts of strings (crdt-semantics.md 3.1).
 *
 * Why it works: whatever edits a string replicates the whole resulting value.  The longest common
 * subsequence is the table of its prefixes' lengths, walked back from the end. */
#include <string.h>

#include <glib.h>

#include "models/data/string_edit.h"

static void run_append(CommandRun *run)
{
    PayloadText tail = run_text(run, 1);
    char *edited = NULL;
    ViewText old;
    uint64_t bytes;
    Key key;

    if (!string_find_to_write(run, 0, &key, &old))
        return;
    bytes = (uint64_t)old.text.bytes + tail.bytes;
    if (bytes > STRING_BYTES_MAX) {
        run_reply_error(run, ERROR_STRING_SIZE);
        return;
    }
    if (old.text.data && tail.data) {
        edited = g_malloc(bytes + 1);
        memcpy(edited, old.text.data, old.text.bytes);
        memcpy(edited + old.text.bytes, tail.data, tail.bytes);
    }
    string_assign_edited(run, &key, edited, bytes);
    run_reply_integer(run, (int64_t)bytes);
}

static void run_strlen(CommandRun *run)
{
    ViewText text;
    Key key;

    if (string_find(run, 0, &key, &text))
        run_reply_integer(run, text.text.bytes);
}

static void run_setrange(CommandRun *run)
{
    PayloadText patch = run_text(run, 2);
    char *edited = NULL;
    int64_t offset;
    uint64_t bytes;
    ViewText old;
    Key key;

    if (!run_integer(run, 1, &offset))
        return;
    if (offset < 0) {
        run_reply_error(run, "ERR offset is out of range");
        return;
    }
    if (!string_find_to_write(run, 0, &key, &old))
        return;
    if (patch.bytes == 0) {
        run_reply_integer(run, old.text.bytes);
        return;
    }
    run_spot(run, 1, old.text.bytes > patch.bytes ? old.text.bytes - patch.bytes + 1 : 1, &offset);
    bytes = (uint64_t)offset + patch.bytes;
    if (bytes > STRING_BYTES_MAX || offset > STRING_BYTES_MAX) {
        run_reply_error(run, ERROR_STRING_SIZE);
        return;
    }
    bytes = MAX(bytes, old.text.bytes);
    if (old.text.data && patch.data) {
        edited = g_malloc0(bytes + 1);
        memcpy(edited, old.text.data, old.text.bytes);
        memcpy(edited + offset, patch.data, patch.bytes);
    }
    string_assign_edited(run, &key, edited, bytes);
    run_reply_integer(run, (int64_t)bytes);
}

static void run_getrange(CommandRun *run)
{
    int64_t start;
    int64_t end;
    ViewText text;
    int64_t bytes;
    Key key;

    if (!run_integer(run, 1, &start) || !run_integer(run, 2, &end) ||
        !string_find(run, 0, &key, &text))
        return;
    bytes = text.text.bytes;
    if (start < 0 && end < 0 && start > end)
        bytes = 0; /* backwards, even where both would be cut off to the first byte */
    start = start < 0 ? MAX(start + bytes, 0) : start;
    end = end < 0 ? MAX(end + bytes, 0) : MIN(end, bytes - 1);
    if (bytes == 0 || start > end)
        run_reply_text(run, (PayloadText){"", 0});
    else
        run_reply_text(run, (PayloadText){text.text.data ? text.text.data + start : NULL,
                                          (uint32_t)(end - start + 1)});
}

/* --- longest common subsequence */

typedef struct {
    bool length_only, ranges, with_lengths;
    int64_t least; /* shorter ranges are left out */
} LcsOptions;

static bool lcs_read_options(CommandRun *run, LcsOptions *options)
{
    for (uint32_t i = 2; i < run_count(run); i++) {
        const Arg *arg = run_arg(run, i);

        if (arg_is(arg, "LEN")) {
            options->length_only = true;
        } else if (arg_is(arg, "IDX")) {
            options->ranges = true;
        } else if (arg_is(arg, "WITHMATCHLEN")) {
            options->with_lengths = true;
        } else if (arg_is(arg, "MINMATCHLEN") && i + 1 < run_count(run)) {
            if (!run_integer(run, ++i, &options->least))
                return false;
        } else {
            run_reply_error(run, ERROR_SYNTAX);
            return false;
        }
    }
    if (options->length_only && options->ranges) {
        run_reply_error(run, "ERR If you want both the length and indexes, please just use IDX.");
        return false;
    }
    return true;
}

typedef struct {
    PayloadText a, b;
    uint32_t *lengths; /* [(a.bytes + 1) * (b.bytes + 1)] of the prefixes */
} Lcs;

static uint32_t *lcs_at(const Lcs *lcs, uint32_t i, uint32_t j)
{
    return &lcs->lengths[(size_t)i * ((size_t)lcs->b.bytes + 1) + j];
}

static void lcs_fill(const Lcs *lcs)
{
    for (uint32_t i = 0; i <= lcs->a.bytes; i++)
        for (uint32_t j = 0; j <= lcs->b.bytes; j++) {
            if (i == 0 || j == 0)
                *lcs_at(lcs, i, j) = 0;
            else if (lcs->a.data[i - 1] == lcs->b.data[j - 1])
                *lcs_at(lcs, i, j) = *lcs_at(lcs, i - 1, j - 1) + 1;
            else
                *lcs_at(lcs, i, j) = MAX(*lcs_at(lcs, i - 1, j), *lcs_at(lcs, i, j - 1));
        }
}

/* One step back from the end of both prefixes; true when it went over a common byte. */
static bool lcs_step(const Lcs *lcs, uint32_t *i, uint32_t *j)
{
    if (lcs->a.data[*i - 1] == lcs->b.data[*j - 1]) {
        (*i)--;
        (*j)--;
        return true;
    }
    if (*lcs_at(lcs, *i - 1, *j) > *lcs_at(lcs, *i, *j - 1))
        (*i)--;
    else
        (*j)--;
    return false;
}

static void push_pair(CommandRun *run, int64_t first, int64_t last)
{
    Reply *outer = run_open_array(run, 2);

    run_push_integer(run, first);
    run_push_integer(run, last);
    run_close_array(run, outer);
}

static void lcs_reply_ranges(CommandRun *run, const Lcs *lcs, const LcsOptions *options)
{
    uint32_t i = lcs->a.bytes;
    uint32_t j = lcs->b.bytes;
    Reply *top;

    run_reply_array(run, 4);
    run_push_text(run, (PayloadText){"matches", 7});
    top = run_open_array(run, MIN(i, j));
    while (i > 0 && j > 0) {
        uint32_t end_a = i;
        uint32_t end_b = j;
        Reply *outer;

        if (lcs->a.data[i - 1] != lcs->b.data[j - 1]) {
            lcs_step(lcs, &i, &j);
            continue;
        }
        while (i > 0 && j > 0 && lcs->a.data[i - 1] == lcs->b.data[j - 1])
            lcs_step(lcs, &i, &j);
        if (end_a - i < options->least)
            continue;
        outer = run_open_array(run, 3);
        push_pair(run, i, end_a - 1);
        push_pair(run, j, end_b - 1);
        if (options->with_lengths)
            run_push_integer(run, end_a - i);
        run_close_array(run, outer);
    }
    run_close_array(run, top);
    run_push_text(run, (PayloadText){"len", 3});
    run_push_integer(run, *lcs_at(lcs, lcs->a.bytes, lcs->b.bytes));
}

static void lcs_reply_text(CommandRun *run, const Lcs *lcs)
{
    uint32_t i = lcs->a.bytes;
    uint32_t j = lcs->b.bytes;
    uint32_t bytes = *lcs_at(lcs, i, j);
    g_autofree char *text = g_malloc((size_t)bytes + 1);

    for (uint32_t left = bytes; left > 0;)
        if (lcs_step(lcs, &i, &j))
            text[--left] = lcs->a.data[i];
    run_reply_text(run, (PayloadText){text, bytes});
}

/* Simplified: synthetic values have no bytes to compare, so they have nothing in common. */
static void run_lcs(CommandRun *run)
{
    LcsOptions options = {0};
    ViewText a;
    ViewText b;
    Lcs lcs;
    Key key;

    if (!string_find(run, 0, &key, &a) || !string_find(run, 1, &key, &b)) {
        run_reply_error(run, "ERR The specified keys must contain string values");
        return;
    }
    if (!lcs_read_options(run, &options))
        return;
    lcs = (Lcs){.a = a.text.data ? a.text : (PayloadText){"", 0},
                .b = b.text.data ? b.text : (PayloadText){"", 0}};
    if (((uint64_t)lcs.a.bytes + 1) * ((uint64_t)lcs.b.bytes + 1) * sizeof(uint32_t) >
        STRING_BYTES_MAX) {
        run_reply_error(
            run, "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
        return;
    }
    lcs.lengths = g_new(uint32_t, ((size_t)lcs.a.bytes + 1) * ((size_t)lcs.b.bytes + 1));
    lcs_fill(&lcs);
    if (options.ranges)
        lcs_reply_ranges(run, &lcs, &options);
    else if (options.length_only)
        run_reply_integer(run, *lcs_at(&lcs, lcs.a.bytes, lcs.b.bytes));
    else
        lcs_reply_text(run, &lcs);
    g_free(lcs.lengths);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC_LIFE(LIFE_CREATES, "APPEND", "lengthen; concurrent ones are lost", 3, true,
                      OP_ACCUM, SHAPE_VALUE, 1.15, run_append),
    COMMAND_SPEC("STRLEN", "length of the value", 2, false, OP_READ, SHAPE_KEY, 0.95, run_strlen),
    COMMAND_SPEC_LIFE(LIFE_CREATES, "SETRANGE", "overwrite a part", 4, true, OP_LWW, SHAPE_PATCH,
                      1.13, run_setrange),
    COMMAND_SPEC("GETRANGE", "a part of the value", 4, false, OP_READ, SHAPE_RANGE, 1.0,
                 run_getrange),
    COMMAND_SPEC("LCS", "the longest common subsequence of two values", -3, false, OP_READ,
                 SHAPE_KEY, 4.0, run_lcs),
};

const CommandGroup command_group_text = {
    .head = {.name = "text", .summary = "parts of strings"},
    .serves = "string",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
