/* Why it works: a step is what its keys make it, told by the one that only that kind has; what is
 * expected is checked down to its leaves, so that whoever compares meets only forms that it knows.
 */
#include "tools/conform_read_parts.h"

#include <string.h>

#define AT_MAX_S INT64_C(100000000000) /* wall clocks in ms stay far from the end of int64 */

static const char *const sync_keys[] = {"t", "sync"};
static const char *const send_keys[] = {"t", "send", "effects"};
static const char *const command_keys[] = {"t", "member", "client", "cmd", "reply"};
static const char *const message_keys[] = {"t", "member", "client", "messages"};
static const char *const form_keys[] = {"unordered", "error", "approx", "one_of"};

static bool check_reply(const JsonNode *node, GError **error);

static bool check_replies(const JsonNode *node, GError **error)
{
    if (node->kind != JSON_ARRAY) {
        json_error(error, node, "\"%s\" is %s; list the replies: [...]", node->key,
                   conform_kind_name(node));
        return false;
    }
    for (size_t i = 0; i < node->count; i++)
        if (!check_reply(node->items[i], error))
            return false;
    return true;
}

static bool check_form(const JsonNode *node, GError **error)
{
    static const ConformKeys keys = {form_keys, G_N_ELEMENTS(form_keys), "a reply"};
    const JsonNode *form;

    if (!conform_check_keys(node, &keys, error))
        return false;
    if (node->count != 1) {
        json_error(error, node,
                   "a reply has %zu forms; give exactly one of unordered, error, approx, one_of",
                   node->count);
        return false;
    }
    form = node->items[0];
    if (strcmp(form->key, "error") == 0) {
        if (form->kind == JSON_TEXT && form->text[0] != '\0')
            return true;
        json_error(error, form, "an error is told by how it begins: {\"error\": \"WRONGTYPE\"}");
        return false;
    }
    if (strcmp(form->key, "approx") == 0) {
        if (form->kind == JSON_NUMBER)
            return true;
        json_error(error, form, "\"approx\" is %s; give a number", conform_kind_name(form));
        return false;
    }
    if (!check_replies(form, error))
        return false;
    if (strcmp(form->key, "one_of") == 0 && form->count == 0) {
        json_error(error, form, "\"one_of\" is empty, so nothing could match; list the replies");
        return false;
    }
    return true;
}

static bool check_reply(const JsonNode *node, GError **error)
{
    int64_t value;

    switch (node->kind) {
    case JSON_NULL:
    case JSON_TEXT:
        return true;
    case JSON_ARRAY:
        for (size_t i = 0; i < node->count; i++)
            if (!check_reply(node->items[i], error))
                return false;
        return true;
    case JSON_OBJECT:
        return check_form(node, error);
    case JSON_NUMBER:
        if (conform_whole_number(node, INT64_MIN, INT64_MAX, &value))
            return true;
        json_error(error, node,
                   "%s is no integer reply; write {\"approx\": %s}, or a text for one exactly so",
                   node->text, node->text);
        return false;
    case JSON_BOOL:
        break;
    }
    json_error(error, node, "no reply is true or false; write 1, 0, \"OK\" or null");
    return false;
}

static bool read_sync(const JsonNode *sync, uint32_t member_count, ConformStep *out, GError **error)
{
    if (sync->kind == JSON_BOOL && sync->number != 0) {
        out->sync_members = (1u << member_count) - 1;
        return true;
    }
    for (size_t i = 0; sync->kind == JSON_ARRAY && i < sync->count; i++) {
        int64_t member;

        if (!conform_whole_number(sync->items[i], 1, member_count, &member)) {
            g_autofree char *found = json_to_text(sync->items[i]);

            json_error(error, sync->items[i], "%s is no member of this case; take 1 to %u", found,
                       member_count);
            return false;
        }
        if (out->sync_members & (1u << (member - 1))) {
            json_error(error, sync->items[i], "member %d is named twice; name it once",
                       (int)member);
            return false;
        }
        out->sync_members |= 1u << (member - 1);
    }
    if (sync->kind == JSON_ARRAY && sync->count >= 2)
        return true;
    json_error(error, sync,
               "\"sync\" takes true for all members, or a list of at least two: [1, 2]");
    return false;
}

/* One way, and not all that is missing, or more: a state tells what third members made, too. */
static bool read_send(const JsonNode *step, uint32_t member_count, ConformStep *out, GError **error)
{
    const JsonNode *send = json_get(step, "send");
    const JsonNode *effects = json_get(step, "effects");
    int64_t sender;

    if (send->kind != JSON_ARRAY || send->count != 2) {
        json_error(error, send, "\"send\" takes who gives and who gets: [1, 2]");
        return false;
    }
    if (!read_sync(send, member_count, out, error))
        return false;
    if (conform_whole_number(send->items[0], 1, member_count, &sender))
        out->sender = (uint32_t)sender;
    if (!effects || conform_whole_number(effects, 1, INT32_MAX, &out->effect_count))
        return true;
    json_error(error, effects, "\"effects\" is how many, from 1 on; leave it out for the state");
    return false;
}

static bool read_member(const JsonNode *step, uint32_t member_count, ConformStep *out,
                        GError **error)
{
    const JsonNode *member = json_get(step, "member");
    int64_t id = 0;

    if (!member && json_get(step, "client") && !json_get(step, "cmd"))
        return true; /* the client's */
    if (!member) {
        json_error(error, step, "\"member\" is missing; take 1 to %u", member_count);
        return false;
    }
    if (!conform_whole_number(member, 1, member_count, &id)) {
        g_autofree char *found = json_to_text(member);

        json_error(error, member, "%s is no member of this case; take 1 to %u", found,
                   member_count);
        return false;
    }
    out->member = (uint32_t)id;
    return true;
}

/* A client is known from its first command on, and stays at its member; steps without a name are
 * of the member's own. */
static bool find_client(const JsonNode *step, GArray *clients, ConformStep *out, GError **error)
{
    const JsonNode *client = json_get(step, "client");
    ConformClient made;

    if (!client) {
        out->client = out->member - 1;
        return true;
    }
    if (client->kind != JSON_TEXT || client->text[0] == '\0') {
        json_error(error, client, "\"client\" is %s; give it a name: \"a\"",
                   client->kind == JSON_TEXT ? "empty" : conform_kind_name(client));
        return false;
    }
    for (out->client = 0; out->client < clients->len; out->client++) {
        const ConformClient *known = &g_array_index(clients, ConformClient, out->client);

        if (strcmp(known->name, client->text) != 0)
            continue;
        if (out->member == 0)
            out->member = known->member;
        if (out->member == known->member)
            return true;
        json_error(error, client, "\"%s\" is a client of member %u, not of %u; name another",
                   client->text, known->member, out->member);
        return false;
    }
    if (!json_get(step, "cmd")) {
        json_error(error, client, "\"%s\" has not asked for anything; give it a command first",
                   client->text);
        return false;
    }
    made = (ConformClient){client->text, out->member};
    g_array_append_val(clients, made);
    return true;
}

static bool read_messages(const JsonNode *step, ConformStep *out, GError **error)
{
    out->messages = json_get(step, "messages");
    if (out->messages->kind == JSON_ARRAY || out->messages->kind == JSON_OBJECT)
        return check_reply(out->messages, error);
    json_error(error, out->messages,
               "\"messages\" is %s; list them: [[\"message\", \"channel\", \"text\"]]",
               conform_kind_name(out->messages));
    return false;
}

static bool read_words(const JsonNode *step, ConformStep *out, GError **error)
{
    out->words =
        conform_need(step, "cmd", JSON_ARRAY, "list the command's words: [\"GET\", \"k\"]", error);
    if (!out->words)
        return false;
    if (out->words->count == 0) {
        json_error(error, out->words,
                   "\"cmd\" is empty; list the command's words: [\"GET\", \"k\"]");
        return false;
    }
    for (size_t i = 0; i < out->words->count; i++) {
        const JsonNode *word = out->words->items[i];

        if (word->kind == JSON_TEXT)
            continue;
        json_error(error, word, "a word of a command is %s; write a text: \"%s\"",
                   conform_kind_name(word), word->kind == JSON_NUMBER ? word->text : "...");
        return false;
    }
    return true;
}

/* What a step expects: a reply, or {"waits": true}. */
static bool read_expected(const JsonNode *step, ConformStep *out, GError **error)
{
    const JsonNode *reply = json_get(step, "reply");
    const JsonNode *waits = reply && reply->kind == JSON_OBJECT ? json_get(reply, "waits") : NULL;

    out->waits = waits && reply->count == 1 && waits->kind == JSON_BOOL && waits->number != 0;
    if (out->waits)
        return true;
    if (waits) {
        json_error(error, waits, "a client that waits is told by {\"waits\": true} alone");
        return false;
    }
    out->reply = reply;
    return !reply || check_reply(reply, error);
}

/* Whose step it is and what it does: take messages, ask, or, without a command, hear the reply to
 * what was asked before. */
static bool read_client(const JsonNode *step, uint32_t member_count, GArray *clients,
                        ConformStep *out, GError **error)
{
    if (!read_member(step, member_count, out, error) || !find_client(step, clients, out, error))
        return false;
    if (json_get(step, "messages"))
        return read_messages(step, out, error);
    if ((json_get(step, "cmd") || !json_get(step, "reply")) && !read_words(step, out, error))
        return false;
    return read_expected(step, out, error);
}

static bool check_kind(const JsonNode *step, GError **error)
{
    static const ConformKeys of_sync = {sync_keys, G_N_ELEMENTS(sync_keys), "a sync"};
    static const ConformKeys of_send = {send_keys, G_N_ELEMENTS(send_keys), "a send"};
    static const ConformKeys of_command = {command_keys, G_N_ELEMENTS(command_keys),
                                           "a step with a command"};
    static const ConformKeys of_messages = {message_keys, G_N_ELEMENTS(message_keys),
                                            "a step with messages"};

    if (json_get(step, "sync"))
        return conform_check_keys(step, &of_sync, error);
    if (json_get(step, "send"))
        return conform_check_keys(step, &of_send, error);
    if (json_get(step, "messages"))
        return conform_check_keys(step, &of_messages, error);
    if (json_get(step, "cmd") || json_get(step, "reply") || json_get(step, "member"))
        return conform_check_keys(step, &of_command, error);
    json_error(error, step,
               "a step has neither \"cmd\", \"messages\", \"sync\" nor \"send\"; give it one");
    return false;
}

bool conform_read_step(const JsonNode *step, uint32_t member_count, GArray *clients,
                       ConformStep *out, GError **error)
{
    const JsonNode *at, *sync;

    *out = (ConformStep){.node = step};
    if (step->kind != JSON_OBJECT) {
        json_error(error, step, "a step is %s; write {\"t\": 1, \"member\": 1, \"cmd\": [...]}",
                   conform_kind_name(step));
        return false;
    }
    if (!check_kind(step, error))
        return false;
    at = conform_need(step, "t", JSON_NUMBER, "give the step's time, a whole number", error);
    if (!at)
        return false;
    if (!conform_whole_number(at, 0, AT_MAX_S, &out->at_s)) {
        json_error(error, at, "%s is no time of a step; take a whole number from 0 on", at->text);
        return false;
    }
    sync = json_get(step, "sync");
    if (json_get(step, "send"))
        return read_send(step, member_count, out, error);
    return sync ? read_sync(sync, member_count, out, error)
                : read_client(step, member_count, clients, out, error);
}
