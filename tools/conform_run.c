/* Why it works: a case fixes the order of everything, so a store per member and a list of effects
 * per origin are the whole world; replies are compared as trees. */
#include "tools/conform_run.h"

#include <string.h>

#include "models/data/store.h"
#include "sim/json_read.h"

typedef struct {
    Effect effect;
    uint8_t *payload;
} Shipped;

typedef struct {
    Store *store;
    GArray *log; /* of Shipped, own effects in order */
} ConformMember;

typedef struct {
    ConformMember members[MEMBER_MAX];
    uint32_t member_count;
    Arena *arena;
    GString *message;
    ConformOutcome outcome;
    const JsonNode *step;
} Conform;

static void keep_effect(void *actor, const Effect *effect)
{
    ConformMember *member = actor;
    Shipped shipped = {.effect = *effect};

    shipped.payload = g_memdup2(effect->payload, effect->payload_bytes);
    shipped.effect.payload = shipped.payload;
    g_array_append_val(member->log, shipped);
}

static void conform_begin(Conform *conform, uint32_t member_count)
{
    *conform = (Conform){
        .member_count = member_count, .arena = arena_new(), .message = g_string_new(NULL)};
    for (uint32_t i = 0; i < member_count; i++) {
        ConformMember *member = &conform->members[i];
        StoreConfig config = {.member_id = i + 1,
                              .member_count = member_count,
                              .sink = {.emit = keep_effect, .actor = member}};

        member->log = g_array_new(FALSE, FALSE, sizeof(Shipped));
        member->store = store_new(&config);
    }
}

static void conform_end(Conform *conform)
{
    for (uint32_t i = 0; i < conform->member_count; i++) {
        ConformMember *member = &conform->members[i];

        for (guint k = 0; k < member->log->len; k++)
            g_free(g_array_index(member->log, Shipped, k).payload);
        g_array_free(member->log, TRUE);
        store_free(member->store);
    }
    g_string_free(conform->message, TRUE);
    arena_free(conform->arena);
}

static void conform_fail(Conform *conform, ConformOutcome outcome, const char *finding,
                         const char *detail)
{
    if (conform->outcome != CONFORM_PASSED)
        return;
    conform->outcome = outcome;
    g_string_printf(conform->message, "%s:%d: %s%s", conform->step->file, conform->step->line,
                    finding, detail);
}

static void sync_pair(Conform *conform, uint32_t from, uint32_t to, WallTime now)
{
    const ConformMember *source = &conform->members[from];
    Store *target = conform->members[to].store;

    for (uint64_t seq = store_clock(target)->seq[from + 1]; seq < source->log->len; seq++)
        store_apply(target, &g_array_index(source->log, Shipped, seq).effect, now);
}

static bool sync_names(const JsonNode *sync, uint32_t member)
{
    if (sync->kind != JSON_ARRAY)
        return true;
    for (size_t i = 0; i < sync->count; i++)
        if ((uint32_t)sync->items[i]->number == member + 1)
            return true;
    return false;
}

static void step_sync(Conform *conform, const JsonNode *sync, WallTime now)
{
    for (uint32_t from = 0; from < conform->member_count; from++)
        for (uint32_t to = 0; to < conform->member_count; to++)
            if (from != to && sync_names(sync, from) && sync_names(sync, to))
                sync_pair(conform, from, to, now);
}

static void reply_text(const Reply *reply, GString *out)
{
    switch (reply->kind) {
    case REPLY_NIL:
        g_string_append(out, "null");
        break;
    case REPLY_INTEGER:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, reply->integer);
        break;
    case REPLY_ARRAY:
        g_string_append_c(out, '[');
        for (uint32_t i = 0; i < reply->count; i++) {
            g_string_append(out, i > 0 ? ", " : "");
            reply_text(&reply->items[i], out);
        }
        g_string_append_c(out, ']');
        break;
    default:
        g_string_append_printf(out, "\"%s\"", reply->text ? reply->text : "(synthetic)");
    }
}

static bool reply_matches(const Reply *reply, const JsonNode *expected);

static bool match_ordered(const Reply *reply, const JsonNode *expected)
{
    if (reply->kind != REPLY_ARRAY || reply->count != expected->count)
        return false;
    for (size_t i = 0; i < expected->count; i++)
        if (!reply_matches(&reply->items[i], expected->items[i]))
            return false;
    return true;
}

/* As a multiset: each expected item takes one reply item. */
static bool match_unordered(const Reply *reply, const JsonNode *expected)
{
    g_autofree bool *taken = g_new0(bool, reply->count + 1);

    if (reply->kind != REPLY_ARRAY || reply->count != expected->count)
        return false;
    for (size_t i = 0; i < expected->count; i++) {
        uint32_t at = 0;

        while (at < reply->count &&
               (taken[at] || !reply_matches(&reply->items[at], expected->items[i])))
            at++;
        if (at == reply->count)
            return false;
        taken[at] = true;
    }
    return true;
}

static bool match_error(const Reply *reply, const char *prefix)
{
    if (reply->kind != REPLY_ERROR)
        return false;
    return strcmp(prefix, "ERR") == 0 ? g_ascii_isupper(reply->text[0])
                                      : g_str_has_prefix(reply->text, prefix);
}

static bool match_approx(const Reply *reply, double expected)
{
    double actual;

    if (reply->kind == REPLY_INTEGER)
        actual = (double)reply->integer;
    else if (reply->kind == REPLY_BULK)
        actual = g_ascii_strtod(reply->text, NULL);
    else
        return false;
    return actual - expected <= 1e-9 && expected - actual <= 1e-9;
}

static bool match_object(const Reply *reply, const JsonNode *expected)
{
    const JsonNode *form;

    if ((form = json_get(expected, "unordered")))
        return match_unordered(reply, form);
    if ((form = json_get(expected, "error")))
        return match_error(reply, form->text);
    if ((form = json_get(expected, "approx")))
        return match_approx(reply, form->number);
    form = json_get(expected, "one_of");
    for (size_t i = 0; form && i < form->count; i++)
        if (reply_matches(reply, form->items[i]))
            return true;
    return false;
}

static bool reply_matches(const Reply *reply, const JsonNode *expected)
{
    switch (expected->kind) {
    case JSON_NULL:
        return reply->kind == REPLY_NIL;
    case JSON_NUMBER:
        return reply->kind == REPLY_INTEGER && (double)reply->integer == expected->number;
    case JSON_TEXT:
        return (reply->kind == REPLY_BULK || reply->kind == REPLY_STATUS) &&
               strcmp(reply->text, expected->text) == 0;
    case JSON_ARRAY:
        return match_ordered(reply, expected);
    case JSON_OBJECT:
        return match_object(reply, expected);
    default:
        return false;
    }
}

static void step_command(Conform *conform, const JsonNode *words, WallTime now, Reply *out)
{
    uint32_t member = (uint32_t)json_get(conform->step, "member")->number - 1;
    Command command = {.spec = command_find(words->items[0]->text, strlen(words->items[0]->text))};
    Arg *args = arena_array(conform->arena, Arg, words->count);

    if (!command.spec) {
        *out = (Reply){.kind = REPLY_ERROR, .text = "ERR unknown command"};
        return;
    }
    command.args = args;
    command.count = (uint32_t)words->count - 1;
    for (uint32_t i = 0; i < command.count; i++)
        args[i] = (Arg){.kind = ARG_BYTES,
                        .data = words->items[i + 1]->text,
                        .bytes = (uint32_t)strlen(words->items[i + 1]->text)};
    store_execute(conform->members[member].store, &command, now, conform->arena, out);
}

static void step_run(Conform *conform, WallTime now)
{
    const JsonNode *words = json_get(conform->step, "cmd");
    const JsonNode *expected = json_get(conform->step, "reply");
    const JsonNode *sync = json_get(conform->step, "sync");
    g_autoptr(GString) found = g_string_new(NULL);
    bool matches;
    Reply reply;

    for (uint32_t i = 0; i < conform->member_count; i++)
        store_expire_due(conform->members[i].store, now);
    if (sync) {
        step_sync(conform, sync, now);
        return;
    }
    step_command(conform, words, now, &reply);
    matches = expected ? reply_matches(&reply, expected) : reply.kind != REPLY_ERROR;
    if (matches)
        return;
    reply_text(&reply, found);
    if (!command_find(words->items[0]->text, strlen(words->items[0]->text)))
        conform_fail(conform, CONFORM_UNSUPPORTED, "no such command: ", words->items[0]->text);
    else
        conform_fail(conform, CONFORM_FAILED, "the reply is ", found->str);
}

static bool case_check(const JsonNode *node, GError **error)
{
    const JsonNode *members = json_get(node, "members");
    const JsonNode *steps = json_get(node, "steps");
    const JsonNode *name = json_get(node, "name");

    if (name && name->kind == JSON_TEXT && members && members->kind == JSON_NUMBER &&
        members->number >= 1 && members->number <= MEMBER_MAX && steps && steps->kind == JSON_ARRAY)
        return true;
    json_error(error, node, "a case has a name, 1 to %d members and steps", MEMBER_MAX);
    return false;
}

static bool step_check(const JsonNode *step, uint32_t member_count, GError **error)
{
    const JsonNode *at = json_get(step, "t");
    const JsonNode *words = json_get(step, "cmd");
    const JsonNode *member = json_get(step, "member");

    if (at && at->kind == JSON_NUMBER && json_get(step, "sync"))
        return true;
    if (at && at->kind == JSON_NUMBER && words && words->kind == JSON_ARRAY && words->count > 0 &&
        member && member->number >= 1 && member->number <= member_count) {
        for (size_t i = 0; i < words->count; i++)
            if (words->items[i]->kind != JSON_TEXT)
                break;
            else if (i + 1 == words->count)
                return true;
    }
    json_error(error, step, "a step has t and either sync, or a member and cmd, a list of texts");
    return false;
}

static bool case_run(const JsonNode *node, const char *type,
                     void (*report)(void *, const ConformResult *), void *user, GError **error)
{
    const JsonNode *steps = json_get(node, "steps");
    Conform conform;
    bool good = true;

    if (!case_check(node, error))
        return false;
    conform_begin(&conform, (uint32_t)json_get(node, "members")->number);
    for (size_t i = 0; i < steps->count && good && conform.outcome == CONFORM_PASSED; i++) {
        conform.step = steps->items[i];
        good = step_check(conform.step, conform.member_count, error);
        if (good)
            step_run(&conform, (WallTime){(int64_t)(json_get(conform.step, "t")->number * 1000)});
    }
    if (good)
        report(user, &(ConformResult){type, json_get(node, "name")->text, conform.outcome,
                                      conform.message->str});
    conform_end(&conform);
    return good;
}

bool conform_run_file(const char *path, void (*report)(void *user, const ConformResult *result),
                      void *user, GError **error)
{
    g_autoptr(JsonDoc) doc = json_read_file(path, error);
    const JsonNode *cases;
    const JsonNode *type;

    if (!doc)
        return false;
    cases = json_get(json_root(doc), "cases");
    type = json_get(json_root(doc), "type");
    if (!cases || cases->kind != JSON_ARRAY || !type || type->kind != JSON_TEXT) {
        json_error(error, json_root(doc), "a conformance file has a type and a list of cases");
        return false;
    }
    for (size_t i = 0; i < cases->count; i++)
        if (!case_run(cases->items[i], type->text, report, user, error))
            return false;
    return true;
}
