/* Random commands drawn from templates.
 *
 *     "SET <key> <value> [ ( EX <ttl> | KEEPTTL ) ] { NX }"
 *
 * A word stands for itself, <atom> for a drawn argument, [ ... ] is there half of the time, { ... }
 * one to three times, ( ... | ... ) is one of the alternatives.  Atoms draw invalid arguments now
 * and then; one command in twelve is also damaged as a whole: an argument dropped, doubled,
 * replaced or emptied.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "models/crdt/hll.h"
#include "sim/rng.h"
#include "tests/test.h"

typedef struct {
    Rng *rng;
    GPtrArray *out;
    GStrv tokens;
    const char *const *atoms_key; /* keys of the type under test, NULL at the end */
} JudgeDraw;

static uint64_t judge_below(JudgeDraw *draw, uint64_t bound)
{
    return rng_below(draw->rng, bound);
}

static bool judge_one_in(JudgeDraw *draw, uint64_t n)
{
    return judge_below(draw, n) == 0;
}

static void judge_free_word(void *word)
{
    g_string_free(word, TRUE);
}

static void judge_put(JudgeDraw *draw, const char *text)
{
    g_ptr_array_add(draw->out, g_string_new(text));
}

#define JUDGE_PICK(draw, list) ((list)[judge_below((draw), G_N_ELEMENTS(list))])

static void judge_put_odd_text(JudgeDraw *draw)
{
    static const char *const texts[] = {"",   " 12",  "007", "-0",   "+5",       "1e3",  "abc",
                                        "1 ", "3.50", "0",   "-1",   "99999999", "text", "0.1",
                                        "5",  "10",   "a b", "0x1F", "12.0"};
    GString *word;

    switch (judge_below(draw, 6)) {
    case 0: /* binary */
        g_ptr_array_add(draw->out, g_string_new_len("\0\xff\r\n\x80z", 6));
        return;
    case 1: /* long */
        word = g_string_new(NULL);
        for (uint64_t left = 20 + judge_below(draw, 150); left > 0; left--)
            g_string_append_c(word, (char)judge_below(draw, 256));
        g_ptr_array_add(draw->out, word);
        return;
    default:
        judge_put(draw, JUDGE_PICK(draw, texts));
    }
}

static void judge_put_key(JudgeDraw *draw)
{
    static const char *const others[] = {"other:string", "other:hash", "other:set", "other:zset"};
    uint32_t count = 0;

    while (draw->atoms_key[count])
        count++;
    if (judge_one_in(draw, 14))
        judge_put(draw, JUDGE_PICK(draw, others));
    else if (judge_one_in(draw, 25))
        judge_put_odd_text(draw);
    else
        judge_put(draw, draw->atoms_key[judge_below(draw, count)]);
}

static void judge_put_number(JudgeDraw *draw, int64_t from, uint64_t size)
{
    g_autofree char *text =
        g_strdup_printf("%" G_GINT64_FORMAT, from + (int64_t)judge_below(draw, size));

    judge_put(draw, text);
}

/* Past every limit on lengths and offsets, or no integer at all. */
static void judge_put_odd_integer(JudgeDraw *draw)
{
    static const char *const texts[] = {"9223372036854775807",
                                        "-9223372036854775808",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999999",
                                        "abc",
                                        "1.5",
                                        "",
                                        " 1",
                                        "01",
                                        "+1",
                                        "-",
                                        "-0",
                                        "0",
                                        "1000000000000000000",
                                        "-1000000000000000000",
                                        "-1"};

    judge_put(draw, JUDGE_PICK(draw, texts));
}

static void judge_put_integer(JudgeDraw *draw, int64_t from, uint64_t size)
{
    if (judge_one_in(draw, 12))
        judge_put_odd_integer(draw);
    else
        judge_put_number(draw, from, size);
}

/* Past the ranges and the digits of a double, a long double and a decimal of 17 places.  Not for
 * forms beside SORT, for which Redis 7.0 takes the range error of any earlier command as its own.
 */
static void judge_put_far_number(JudgeDraw *draw)
{
    static const char *const texts[] = {"1e308",
                                        "1e309",
                                        "-1e309",
                                        "1e5000",
                                        "1e-5000",
                                        "-1e-400",
                                        "5e-324",
                                        "1e-310",
                                        "2.2250738585072014e-308",
                                        "0e5000",
                                        "1.7976931348623159e308",
                                        "123456789012345678",
                                        "9007199254740993",
                                        "9223372036854775807",
                                        "0.123456789012345678",
                                        "123456789.123456789123456789",
                                        "0x10",
                                        "-0X1.8p1",
                                        "0x1p-1074",
                                        "0x1p-1080",
                                        "0x",
                                        "Infinity"};
    g_autoptr(GString) word = g_string_new(NULL);

    if (judge_one_in(draw, 2)) {
        judge_put(draw, JUDGE_PICK(draw, texts));
        return;
    }
    g_string_append(word, judge_one_in(draw, 3) ? "-" : "");
    for (uint64_t left = judge_below(draw, 20); left > 0; left--)
        g_string_append_c(word, (char)('0' + judge_below(draw, 10)));
    g_string_append(word, judge_one_in(draw, 2) ? "." : "");
    for (uint64_t left = judge_below(draw, 22); left > 0; left--)
        g_string_append_c(word, (char)('0' + judge_below(draw, 10)));
    if (judge_one_in(draw, 3))
        g_string_append_printf(word, "e%d", (int)judge_below(draw, 50) - 30);
    judge_put(draw, word->str);
}

/* Eighths, which binary and decimal sums agree on. */
static void judge_put_float(JudgeDraw *draw)
{
    static const char *const odd[] = {"abc", "",  "1.5e2", "1e3", " 1", "1 ", "--1",
                                      "-0",  "+", ".5",    "5.",  "e1", "1e", "nan"};
    char text[32];

    if (judge_one_in(draw, 14)) {
        judge_put(draw, JUDGE_PICK(draw, odd));
        return;
    }
    g_ascii_formatd(text, sizeof(text), "%.15g", ((double)judge_below(draw, 401) - 200) / 8);
    judge_put(draw, text);
}

static void judge_put_score(JudgeDraw *draw)
{
    static const char *const odd[] = {"inf", "-inf", "+inf", "1e20", "1e300", "-0", "3.1", "0.1"};

    if (judge_one_in(draw, 10))
        judge_put(draw, JUDGE_PICK(draw, odd));
    else
        judge_put_float(draw);
}

static void judge_put_bound(JudgeDraw *draw)
{
    static const char *const odd[] = {"-inf",  "+inf",   "inf",     "(inf",    "(-inf",   "(",
                                      "nan",   "((1",    "(abc",    "[1",      "(1.5",    "(nan",
                                      "1e309", "-1e309", "(1e5000", "1e-5000", "(1e-400", "0x10"};
    g_autofree char *text = NULL;

    if (judge_one_in(draw, 3)) {
        judge_put(draw, JUDGE_PICK(draw, odd));
        return;
    }
    text =
        g_strdup_printf("%s%d", judge_one_in(draw, 3) ? "(" : "", (int)judge_below(draw, 40) - 20);
    judge_put(draw, text);
}

static void judge_put_lex(JudgeDraw *draw)
{
    static const char *const bounds[] = {"-",  "+",  "[m1", "(m1", "[m5", "(m5", "[",  "(",
                                         "[z", "(a", "m3",  "",    "-x",  "[m3", "[m", "(m7"};

    judge_put(draw, JUDGE_PICK(draw, bounds));
}

static void judge_put_member(JudgeDraw *draw)
{
    if (judge_one_in(draw, 12)) {
        judge_put_odd_text(draw);
    } else if (judge_one_in(draw, 6)) {
        judge_put_number(draw, -2, 12);
    } else {
        g_autofree char *text = g_strdup_printf("m%d", (int)judge_below(draw, 9));

        judge_put(draw, text);
    }
}

/* Ranges by name are defined where all scores are equal, and Redis walks other sets in a way of its
 * own only once a name is long: so the sets they are drawn on have short names. */
static void judge_put_name(JudgeDraw *draw)
{
    static const char *const names[] = {"m0", "m1", "m2", "m3", "m4",  "m5", "m6", "m7",
                                        "",   "a",  "z",  "m",  "m3x", "-",  "+",  "[m1"};

    judge_put(draw, JUDGE_PICK(draw, names));
}

static void judge_put_value(JudgeDraw *draw)
{
    if (judge_one_in(draw, 3))
        judge_put_odd_text(draw);
    else if (judge_one_in(draw, 3))
        judge_put_number(draw, -100, 1000);
    else if (judge_one_in(draw, 3))
        judge_put_float(draw);
    else
        judge_put(draw, judge_one_in(draw, 2) ? "hello world" : "abracadabra");
}

static void judge_put_pattern(JudgeDraw *draw)
{
    static const char *const patterns[] = {"*",  "m*",      "m?",   "m[1-4]", "m[^1-4]", "*[0-9]",
                                           "",   "m\\1",    "k*",   "?",      "**",      "m[",
                                           "[^", "other:*", "m[13", "a",      "*:s*",    "m[4-1]",
                                           "\\", "k\\",     "[]",   "m[\\1]"};

    judge_put(draw, JUDGE_PICK(draw, patterns));
}

/* Lives are so long that neither side's clock ends one, or over already; the moments are far apart,
 * so that no comparison of two of them is close. */
static void judge_put_ttl(JudgeDraw *draw, int64_t unit, bool absolute)
{
    static const char *const odd[] = {
        "0", "-1", "abc", "", "9223372036854775807", "1.5", "-50", "-9223372036854775808"};
    int64_t life = 1000 + (int64_t)judge_below(draw, 1000000) * 40;
    g_autofree char *text = NULL;

    if (judge_one_in(draw, 10)) {
        judge_put(draw, JUDGE_PICK(draw, odd));
        return;
    }
    if (absolute)
        life += g_get_real_time() / G_USEC_PER_SEC;
    text = g_strdup_printf("%" G_GINT64_FORMAT, life * unit);
    judge_put(draw, text);
}

static void judge_put_bitfield_type(JudgeDraw *draw)
{
    static const char *const odd[] = {"u64", "i65", "i0", "x8", "u", "", "u0", "i64", "u63"};
    g_autofree char *text = NULL;

    if (judge_one_in(draw, 8)) {
        judge_put(draw, JUDGE_PICK(draw, odd));
        return;
    }
    text =
        g_strdup_printf("%c%d", judge_one_in(draw, 2) ? 'u' : 'i', 1 + (int)judge_below(draw, 33));
    judge_put(draw, text);
}

static void judge_put_bitfield_offset(JudgeDraw *draw)
{
    g_autofree char *text = NULL;

    if (judge_one_in(draw, 14)) {
        judge_put_odd_integer(draw);
        return;
    }
    text = g_strdup_printf("%s%d", judge_one_in(draw, 3) ? "#" : "", (int)judge_below(draw, 60));
    judge_put(draw, text);
}

static void judge_flip_bit(uint8_t *byte, uint64_t bit)
{
    *byte = (uint8_t)(*byte ^ (1u << bit));
}

/* What Redis keeps for a HyperLogLog, of few or many registers; broken: one with bytes changed or
 * cut off. */
static void judge_put_sketch(JudgeDraw *draw, bool broken)
{
    PayloadWriter writer = {0};
    g_auto(Hll) hll = {0};

    for (uint64_t left = judge_below(draw, judge_one_in(draw, 4) ? 9000 : 40); left > 0; left--)
        hll_raise(&hll, hll_hash_token(judge_below(draw, 100000)));
    hll_write_redis(&hll, &writer);
    if (broken && judge_one_in(draw, 2))
        writer.bytes -= (uint32_t)judge_below(draw, MIN(writer.bytes, 30));
    else if (broken)
        judge_flip_bit(&writer.data[judge_below(draw, MIN(writer.bytes, 40))],
                       judge_below(draw, 8));
    g_ptr_array_add(draw->out, g_string_new_len((const char *)writer.data, writer.bytes));
    payload_clear(&writer);
}

static bool judge_is(const char *token, const char *atom)
{
    return strcmp(token, atom) == 0;
}

static void judge_put_atom(JudgeDraw *draw, const char *atom)
{
    if (judge_is(atom, "<key>"))
        judge_put_key(draw);
    else if (judge_is(atom, "<member>"))
        judge_put_member(draw);
    else if (judge_is(atom, "<name>"))
        judge_put_name(draw);
    else if (judge_is(atom, "<sketch>"))
        judge_put_sketch(draw, false);
    else if (judge_is(atom, "<broken-sketch>"))
        judge_put_sketch(draw, true);
    else if (judge_is(atom, "<element>"))
        judge_put_number(draw, 0, 100000);
    else if (judge_is(atom, "<value>"))
        judge_put_value(draw);
    else if (judge_is(atom, "<integer>"))
        judge_put_integer(draw, -20, 60);
    else if (judge_is(atom, "<index>"))
        judge_put_integer(draw, -15, 31);
    else if (judge_is(atom, "<offset>"))
        judge_put_integer(draw, 0, 40);
    else if (judge_is(atom, "<bit>"))
        judge_put_integer(draw, 0, 2);
    else if (judge_is(atom, "<count>"))
        judge_put_integer(draw, -2, 12);
    else if (judge_is(atom, "<few>"))
        judge_put_integer(draw, 1, 3);
    else if (judge_is(atom, "<float>"))
        judge_put_float(draw);
    else if (judge_is(atom, "<number>"))
        judge_put_far_number(draw);
    else if (judge_is(atom, "<score>"))
        judge_put_score(draw);
    else if (judge_is(atom, "<bound>"))
        judge_put_bound(draw);
    else if (judge_is(atom, "<lex>"))
        judge_put_lex(draw);
    else if (judge_is(atom, "<pattern>"))
        judge_put_pattern(draw);
    else if (judge_is(atom, "<ttl>") || judge_is(atom, "<ttl-ms>"))
        judge_put_ttl(draw, judge_is(atom, "<ttl>") ? 1 : 1000, false);
    else if (judge_is(atom, "<at>") || judge_is(atom, "<at-ms>"))
        judge_put_ttl(draw, judge_is(atom, "<at>") ? 1 : 1000, true);
    else if (judge_is(atom, "<bits>"))
        judge_put_bitfield_type(draw);
    else if (judge_is(atom, "<bits-at>"))
        judge_put_bitfield_offset(draw);
    else
        judge_put(draw, atom);
}

/* The token that closes the group opened at `at`. */
static uint32_t judge_closing(JudgeDraw *draw, uint32_t at)
{
    int depth = 0;

    for (;; at++) {
        const char *token = draw->tokens[at];

        g_assert(token);
        if (judge_is(token, "[") || judge_is(token, "{") || judge_is(token, "("))
            depth++;
        if (judge_is(token, "]") || judge_is(token, "}") || judge_is(token, ")"))
            if (--depth == 0)
                return at;
    }
}

static void judge_expand(JudgeDraw *draw, uint32_t from, uint32_t to);

static void judge_expand_choice(JudgeDraw *draw, uint32_t from, uint32_t to)
{
    uint32_t starts[24] = {from};
    uint32_t count = 1;
    uint32_t chosen;
    int depth = 0;

    for (uint32_t i = from; i < to; i++) {
        const char *token = draw->tokens[i];

        depth += judge_is(token, "[") || judge_is(token, "{") || judge_is(token, "(");
        depth -= judge_is(token, "]") || judge_is(token, "}") || judge_is(token, ")");
        if (depth == 0 && judge_is(token, "|"))
            starts[count++] = i + 1;
    }
    starts[count] = to + 1;
    chosen = (uint32_t)judge_below(draw, count);
    judge_expand(draw, starts[chosen], starts[chosen + 1] - 1);
}

static void judge_expand(JudgeDraw *draw, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const char *token = draw->tokens[i];
        uint32_t end;

        if (!judge_is(token, "[") && !judge_is(token, "{") && !judge_is(token, "(")) {
            judge_put_atom(draw, token);
            continue;
        }
        end = judge_closing(draw, i);
        if (judge_is(token, "("))
            judge_expand_choice(draw, i + 1, end);
        else if (judge_is(token, "["))
            judge_expand(draw, i + 1, judge_one_in(draw, 2) ? end : i + 1);
        else
            for (uint64_t times = 1 + judge_below(draw, 3); times > 0; times--)
                judge_expand(draw, i + 1, end);
        i = end;
    }
}

/* Bounded numbers alone come in place of another argument: a drawn length or offset near the limit
 * of 512 MB would only cost time. */
static void judge_damage(JudgeDraw *draw)
{
    GPtrArray *words = draw->out;
    uint32_t at;

    if (words->len < 2) {
        judge_put_odd_text(draw);
        return;
    }
    at = 1 + (uint32_t)judge_below(draw, words->len - 1);
    switch (judge_below(draw, 4)) {
    case 0:
        g_ptr_array_remove_index(words, at);
        break;
    case 1: {
        const GString *word = words->pdata[at];

        g_ptr_array_insert(words, (int)at, g_string_new_len(word->str, (gssize)word->len));
        break;
    }
    case 2:
        judge_put_odd_text(draw);
        break;
    default:
        judge_put_odd_integer(draw);
        g_string_free(words->pdata[at], TRUE);
        words->pdata[at] = g_ptr_array_steal_index(words, words->len - 1);
    }
}

static GPtrArray *judge_draw_command(Rng *rng, const char *template, const char *const *keys)
{
    g_auto(GStrv) tokens = g_strsplit(template, " ", -1);
    JudgeDraw draw = {.rng = rng,
                      .out = g_ptr_array_new_with_free_func(judge_free_word),
                      .tokens = tokens,
                      .atoms_key = keys};

    judge_expand(&draw, 0, g_strv_length(tokens));
    if (template[0] != '@' && judge_one_in(&draw, 12)) /* who speaks is no command */
        judge_damage(&draw);
    return draw.out;
}
