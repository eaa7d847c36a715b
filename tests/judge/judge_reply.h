/* Replies of both sides in one form: compared by the command's rule, printed as redis-cli would. */
#pragma once

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "models/crdt/decimal.h"
#include "models/crdt/hll.h"
#include "models/data/reply.h"

typedef enum {
    RULE_EXACT,
    RULE_UNORDERED,       /* as a multiset */
    RULE_UNORDERED_PAIRS, /* likewise, two items at a time */
    RULE_TIME,            /* a deadline or what is left of it: the clocks are not the same one */
    RULE_TIMES,           /* exact, but for points in time anywhere in it */
    RULE_RANDOM,          /* as many items, each of them in the collection: see judge.h */
    RULE_SCAN,            /* cursor, and items as a multiset */
    RULE_SCAN_PAIRS,
    RULE_SKETCH, /* texts that are HyperLogLogs of the same registers are equal */
} ReplyRule;

#define TIME_TOLERANCE 20000 /* ms; lives drawn are far longer */

static Reply judge_reply_of(const redisReply *from, Arena *arena)
{
    Reply reply = {.kind = REPLY_NIL};
    char *text;

    switch (from->type) {
    case REDIS_REPLY_INTEGER:
        return (Reply){.kind = REPLY_INTEGER, .integer = from->integer};
    case REDIS_REPLY_NIL:
        return reply;
    case REDIS_REPLY_ARRAY:
        reply = (Reply){.kind = REPLY_ARRAY, .count = (uint32_t)from->elements};
        reply.items = arena_array(arena, Reply, from->elements + 1);
        for (size_t i = 0; i < from->elements; i++)
            reply.items[i] = judge_reply_of(from->element[i], arena);
        return reply;
    default:
        reply.kind = from->type == REDIS_REPLY_ERROR    ? REPLY_ERROR
                     : from->type == REDIS_REPLY_STATUS ? REPLY_STATUS
                                                        : REPLY_BULK;
        text = arena_alloc(arena, (size_t)from->len + 1);
        memcpy(text, from->str, (size_t)from->len);
        text[from->len] = '\0';
        reply.text = text;
        reply.bytes = (uint64_t)from->len;
        return reply;
    }
}

static int judge_reply_order(const Reply *a, const Reply *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == REPLY_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    if (a->kind == REPLY_NIL)
        return 0;
    if (a->kind == REPLY_ARRAY) {
        for (uint32_t i = 0; i < MIN(a->count, b->count); i++) {
            int order = judge_reply_order(&a->items[i], &b->items[i]);

            if (order != 0)
                return order;
        }
        return (a->count > b->count) - (a->count < b->count);
    }
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    return a->bytes > 0 ? memcmp(a->text, b->text, a->bytes) : 0;
}

static int judge_order_one(const void *a, const void *b)
{
    return judge_reply_order(a, b);
}

static int judge_order_pair(const void *a, const void *b)
{
    const Reply *x = a;
    const Reply *y = b;
    int order = judge_reply_order(x, y);

    return order != 0 ? order : judge_reply_order(x + 1, y + 1);
}

/* Redis 7.0 prints a score with 17 digits, which the product's later versions and we do not: the
 * same double is the same score. */
static bool judge_same_score(const Reply *a, const Reply *b)
{
    double x;
    double y;

    return a->kind == REPLY_BULK && b->kind == REPLY_BULK && double_parse(a->text, a->bytes, &x) &&
           double_parse(b->text, b->bytes, &y) && x == y;
}

static bool judge_equal(const Reply *a, const Reply *b, bool scores)
{
    if (a->kind == REPLY_ARRAY && b->kind == REPLY_ARRAY) {
        if (a->count != b->count)
            return false;
        for (uint32_t i = 0; i < a->count; i++)
            if (!judge_equal(&a->items[i], &b->items[i], scores))
                return false;
        return true;
    }
    return judge_reply_order(a, b) == 0 || (scores && judge_same_score(a, b));
}

/* Points in time, which no other number in a reply is as large as, become one and the same. */
static void judge_blank_times(Reply *reply)
{
    if (reply->kind == REPLY_INTEGER && reply->integer > INT64_C(1000000000000))
        reply->integer = INT64_C(1000000000000);
    for (uint32_t i = 0; reply->kind == REPLY_ARRAY && i < reply->count; i++)
        judge_blank_times(&reply->items[i]);
}

static void judge_sort(Reply *reply, bool pairs)
{
    if (reply->kind != REPLY_ARRAY || reply->count == 0)
        return;
    if (pairs && reply->count % 2 == 0)
        qsort(reply->items, reply->count / 2, 2 * sizeof(Reply), judge_order_pair);
    else
        qsort(reply->items, reply->count, sizeof(Reply), judge_order_one);
}

/* Which of two encodings, and how runs of registers are cut, is nobody's business. */
static bool judge_same_sketch(const Reply *a, const Reply *b)
{
    g_auto(Hll) x = {0}, y = {0};
    uint32_t at_x = 0, at_y = 0;
    HllRaise p, q;

    if (a->kind != REPLY_BULK || b->kind != REPLY_BULK ||
        !hll_read_redis(&x, (PayloadText){a->text, (uint32_t)a->bytes}, NULL) ||
        !hll_read_redis(&y, (PayloadText){b->text, (uint32_t)b->bytes}, NULL) || x.count != y.count)
        return false;
    while (hll_next(&x, &at_x, &p) && hll_next(&y, &at_y, &q))
        if (p.index != q.index || p.rank != q.rank)
            return false;
    return true;
}

/* scores: texts that are the same double are equal. */
static bool judge_same(Reply *redis, Reply *ours, ReplyRule rule, bool scores)
{
    bool pairs = rule == RULE_UNORDERED_PAIRS || rule == RULE_SCAN_PAIRS;

    if (rule == RULE_TIME && redis->kind == REPLY_INTEGER && ours->kind == REPLY_INTEGER &&
        redis->integer > 0 && ours->integer > 0)
        return redis->integer - ours->integer <= TIME_TOLERANCE &&
               ours->integer - redis->integer <= TIME_TOLERANCE;
    if (rule == RULE_TIMES) {
        judge_blank_times(redis);
        judge_blank_times(ours);
    }
    if (rule == RULE_UNORDERED || rule == RULE_UNORDERED_PAIRS) {
        judge_sort(redis, pairs);
        judge_sort(ours, pairs);
    }
    if ((rule == RULE_SCAN || rule == RULE_SCAN_PAIRS) && redis->kind == REPLY_ARRAY &&
        ours->kind == REPLY_ARRAY && redis->count == 2 && ours->count == 2) {
        judge_sort(&redis->items[1], pairs);
        judge_sort(&ours->items[1], pairs);
    }
    return judge_equal(redis, ours, scores) ||
           (rule == RULE_SKETCH && judge_same_sketch(redis, ours));
}

static void judge_print_text(GString *out, const char *text, uint64_t bytes)
{
    g_string_append_c(out, '"');
    for (uint64_t i = 0; i < bytes; i++) {
        if (i == 60 && bytes > 80) {
            g_string_append_printf(out, "...(%" G_GUINT64_FORMAT " bytes)", bytes);
            break;
        }
        if (g_ascii_isprint(text[i]) && text[i] != '"' && text[i] != '\\')
            g_string_append_c(out, text[i]);
        else
            g_string_append_printf(out, "\\x%02x", (unsigned char)text[i]);
    }
    g_string_append_c(out, '"');
}

static void judge_print_reply(GString *out, const Reply *reply)
{
    switch (reply->kind) {
    case REPLY_NIL:
        g_string_append(out, "nil");
        break;
    case REPLY_INTEGER:
        g_string_append_printf(out, ":%" G_GINT64_FORMAT, reply->integer);
        break;
    case REPLY_ARRAY:
        g_string_append_c(out, '[');
        for (uint32_t i = 0; i < reply->count; i++) {
            g_string_append(out, i > 0 ? " " : "");
            judge_print_reply(out, &reply->items[i]);
        }
        g_string_append_c(out, ']');
        break;
    case REPLY_BULK:
        judge_print_text(out, reply->text, reply->bytes);
        break;
    default:
        g_string_append_c(out, reply->kind == REPLY_ERROR ? '-' : '+');
        judge_print_text(out, reply->text, reply->bytes);
    }
}
