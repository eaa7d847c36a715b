/* Why it works: an expected reply is a tree like the reply itself; each form compares one level and
 * asks again for those below.
 */
#include "tools/conform_match.h"

#include <string.h>

#define APPROX_WITHIN 1e-9 /* tests/conformance/FORMAT.md */

static bool is_list(const Reply *reply)
{
    return reply->kind == REPLY_ARRAY || reply->kind == REPLY_SEVERAL;
}

static bool match_ordered(const Reply *reply, const JsonNode *expected)
{
    if (!is_list(reply) || reply->count != expected->count)
        return false;
    for (size_t i = 0; i < expected->count; i++)
        if (!conform_reply_matches(&reply->items[i], expected->items[i]))
            return false;
    return true;
}

/* Gives expected item `at` a reply of its own, moving earlier items to another where they have one:
 * an item may fit several replies (one_of, approx), so the first fit need not be the right one. */
static bool match_claim(const Reply *reply, const JsonNode *expected, size_t at, size_t *owners,
                        bool *asked)
{
    for (uint32_t i = 0; i < reply->count; i++) {
        if (asked[i] || !conform_reply_matches(&reply->items[i], expected->items[at]))
            continue;
        asked[i] = true;
        if (owners[i] != 0 && !match_claim(reply, expected, owners[i] - 1, owners, asked))
            continue;
        owners[i] = at + 1;
        return true;
    }
    return false;
}

/* As a multiset: a perfect matching (augmenting paths). */
static bool match_unordered(const Reply *reply, const JsonNode *expected)
{
    g_autofree size_t *owners = NULL; /* of each reply item, the expected one plus 1; 0: none */
    g_autofree bool *asked = NULL;

    if (!is_list(reply) || reply->count != expected->count)
        return false;
    owners = g_new0(size_t, (size_t)reply->count + 1);
    asked = g_new0(bool, (size_t)reply->count + 1);
    for (size_t i = 0; i < expected->count; i++) {
        memset(asked, 0, reply->count * sizeof(bool));
        if (!match_claim(reply, expected, i, owners, asked))
            return false;
    }
    return true;
}

/* "ERR" stands for every error, all of which begin with a word in capitals. */
static bool match_error(const Reply *reply, const char *prefix)
{
    if (reply->kind != REPLY_ERROR || !reply->text)
        return false;
    if (strcmp(prefix, "ERR") != 0)
        return g_str_has_prefix(reply->text, prefix);
    for (const char *at = reply->text; *at && *at != ' '; at++)
        if (!g_ascii_isupper(*at))
            return false;
    return reply->text[0] != '\0' && reply->text[0] != ' ';
}

static bool match_approx(const Reply *reply, double expected)
{
    double actual;
    char *end;

    if (reply->kind == REPLY_INTEGER) {
        actual = (double)reply->integer;
    } else if (reply->kind == REPLY_BULK && reply->text && reply->bytes > 0) {
        actual = g_ascii_strtod(reply->text, &end);
        if (end != reply->text + reply->bytes)
            return false;
    } else {
        return false;
    }
    return actual == expected ||
           (actual - expected <= APPROX_WITHIN && expected - actual <= APPROX_WITHIN);
}

static bool match_text(const Reply *reply, const char *expected)
{
    size_t size = strlen(expected);

    return (reply->kind == REPLY_BULK || reply->kind == REPLY_STATUS) && reply->text &&
           reply->bytes == size && memcmp(reply->text, expected, size) == 0;
}

static bool match_form(const Reply *reply, const JsonNode *form)
{
    if (strcmp(form->key, "unordered") == 0)
        return match_unordered(reply, form);
    if (strcmp(form->key, "error") == 0)
        return match_error(reply, form->text);
    if (strcmp(form->key, "approx") == 0)
        return match_approx(reply, form->number);
    for (size_t i = 0; i < form->count; i++)
        if (conform_reply_matches(reply, form->items[i]))
            return true;
    return false;
}

bool conform_reply_matches(const Reply *reply, const JsonNode *expected)
{
    if (!expected)
        return reply->kind != REPLY_ERROR;
    switch (expected->kind) {
    case JSON_NULL:
        return reply->kind == REPLY_NIL;
    case JSON_NUMBER: /* compared as written: a double would round large ones */
        return reply->kind == REPLY_INTEGER &&
               reply->integer == g_ascii_strtoll(expected->text, NULL, 10);
    case JSON_TEXT:
        return match_text(reply, expected->text);
    case JSON_ARRAY:
        return match_ordered(reply, expected);
    case JSON_OBJECT:
        return match_form(reply, expected->items[0]);
    case JSON_BOOL:
        break;
    }
    return false;
}

/* Bytes that are no text stand as the escape of their value. */
static void append_bytes(GString *out, const char *text, size_t size)
{
    g_string_append_c(out, '"');
    for (size_t i = 0; i < size;) {
        const char *at = text + i;
        gunichar letter = g_utf8_get_char_validated(at, (gssize)(size - i));

        if (*at == '"' || *at == '\\') {
            g_string_append_printf(out, "\\%c", *at);
            i++;
        } else if (letter >= 0x20 && letter < 0x110000 && letter != 0x7f) {
            g_string_append_unichar(out, letter);
            i += (size_t)g_unichar_to_utf8(letter, NULL);
        } else {
            g_string_append_printf(out, "\\u%04x", (unsigned)(unsigned char)*at);
            i++;
        }
    }
    g_string_append_c(out, '"');
}

static void append_reply(GString *out, const Reply *reply)
{
    switch (reply->kind) {
    case REPLY_NIL:
        g_string_append(out, "null");
        return;
    case REPLY_INTEGER:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, reply->integer);
        return;
    case REPLY_ARRAY:
    case REPLY_SEVERAL:
        g_string_append_c(out, '[');
        for (uint32_t i = 0; i < reply->count; i++) {
            g_string_append(out, i > 0 ? "," : "");
            append_reply(out, &reply->items[i]);
        }
        g_string_append_c(out, ']');
        return;
    case REPLY_ERROR:
        g_string_append(out, "{\"error\":");
        append_bytes(out, reply->text, strlen(reply->text));
        g_string_append_c(out, '}');
        return;
    case REPLY_STATUS:
    case REPLY_BULK:
        if (reply->text)
            append_bytes(out, reply->text, reply->bytes);
        else
            g_string_append_printf(out, "(%" G_GUINT64_FORMAT " synthetic bytes)", reply->bytes);
        return;
    }
}

char *conform_reply_text(const Reply *reply)
{
    GString *out = g_string_new(NULL);

    append_reply(out, reply);
    return g_string_free(out, FALSE);
}

char *conform_expected_text(const JsonNode *expected)
{
    return expected ? json_to_text(expected) : g_strdup("any reply but an error");
}
