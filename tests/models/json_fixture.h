/* Members that exchange edits of one JSON document, step by step. */
#pragma once

#include "tests/test.h"

#include <string.h>

#include "models/crdt/body_json.h"
#include "models/crdt/json_edit.h"

#define EFFECTS_MAX 160

typedef struct {
    Effect effect;
    PayloadWriter edit;
} Logged;

typedef struct {
    Causality causality;
    CrdtBody *body;
    Clock known[MEMBER_MAX + 1];   /* what each member is known to know */
    Clock settled[MEMBER_MAX + 1]; /* and to have collected */
    Clock retired;                 /* collected here */
} Member;

typedef struct {
    uint32_t members;
    Logged log[MEMBER_MAX + 1][EFFECTS_MAX]; /* by origin, from 1 */
    uint64_t counts[MEMBER_MAX + 1];
    Member member[MEMBER_MAX + 1];
    int64_t now_ms;
} World;

static inline PayloadText text_of(const char *text)
{
    return (PayloadText){text, (uint32_t)strlen(text)};
}

static inline PayloadText written(const PayloadWriter *writer)
{
    return (PayloadText){(const char *)writer->data, writer->bytes};
}

static inline World *world_new(uint32_t members)
{
    World *w = g_new0(World, 1);

    w->members = members;
    for (uint32_t m = 1; m <= members; m++) {
        causality_init(&w->member[m].causality);
        w->member[m].body = body_json.create();
    }
    return w;
}

static inline void world_free(World *w)
{
    for (uint32_t m = 1; m <= w->members; m++) {
        body_json.destroy(w->member[m].body);
        causality_clear(&w->member[m].causality);
        for (uint64_t i = 1; i <= w->counts[m]; i++)
            payload_clear(&w->log[m][i].edit);
    }
    g_free(w);
}

static inline void apply(Member *at, const Logged *logged)
{
    const Effect *effect = &logged->effect;
    BodyEffect in = {.effect = effect, .edit = written(&logged->edit), .causality = &at->causality};

    body_json.apply(at->body, &in);
    causality_receive(&at->causality, effect->dot, &effect->ctx,
                      causality_is_ctx_ahead(&at->causality, &effect->ctx));
}

/* The edit in writer (taken) happens at member m. */
static inline void local(World *w, uint32_t m, EffectOp op, PayloadWriter *writer)
{
    Member *here = &w->member[m];
    Logged *logged = &w->log[m][++w->counts[m]];

    logged->effect = (Effect){.dot = dot_make(m, w->counts[m]),
                              .ts = {w->now_ms},

                              .ctx = here->causality.clock,
                              .op = (uint8_t)op,
                              .element_count = 1};
    logged->edit = *writer;
    *writer = (PayloadWriter){0};
    apply(here, logged);
}

static inline bool deliver(World *w, uint32_t origin, uint32_t to)
{
    Member *at = &w->member[to];
    uint64_t next = at->causality.clock.seq[origin] + 1;

    if (origin == to || next > w->counts[origin])
        return false;
    apply(at, &w->log[origin][next]);
    return true;
}

static inline void sync_all(World *w)
{
    for (uint32_t to = 1; to <= w->members; to++)
        for (uint32_t origin = 1; origin <= w->members; origin++)
            while (deliver(w, origin, to))
                ;
}

static inline char *shown(const CrdtBody *body)
{
    GString *out = g_string_new(NULL);

    if (json_view_root(body))
        json_view_print(json_view_root(body), NULL, 0, out);
    return g_string_free(out, FALSE);
}

static inline void expect_shown(const World *w, uint32_t m, const char *expected)
{
    g_autofree char *text = shown(w->member[m].body);

    EXPECT_TEXT(text, expected);
}

static inline JsonEditResult set(World *w, uint32_t m, const char *path, const char *json)
{
    g_autoptr(JsonPath) parsed = json_path_parse(text_of(path));
    g_autoptr(GString) message = g_string_new(NULL);
    PayloadWriter content = {0}, edit = {0};
    JsonEditResult result;

    w->now_ms++;
    EXPECT_FATAL(parsed && content_parse(text_of(json), &content, message));
    result = json_edit_set(w->member[m].body, parsed, written(&content), JSON_SET_ANY, &edit);
    if (result == JSON_EDIT_DONE)
        local(w, m, EFFECT_EDIT, &edit);
    payload_clear(&content);
    payload_clear(&edit);
    return result;
}

static inline void merge_patch(World *w, uint32_t m, const char *path, const char *json)
{
    g_autoptr(JsonPath) parsed = json_path_parse(text_of(path));
    g_autoptr(GString) message = g_string_new(NULL);
    PayloadWriter content = {0}, edit = {0};
    bool deletes_root;

    w->now_ms++;
    EXPECT_FATAL(parsed && content_parse(text_of(json), &content, message));
    if (json_edit_merge(w->member[m].body, parsed, written(&content), &edit, &deletes_root) ==
        JSON_EDIT_DONE)
        local(w, m, deletes_root ? EFFECT_DELETE : EFFECT_EDIT, &edit);
    payload_clear(&content);
    payload_clear(&edit);
}

static inline uint32_t del(World *w, uint32_t m, const char *path)
{
    g_autoptr(JsonPath) parsed = json_path_parse(text_of(path));
    PayloadWriter edit = {0};
    bool deletes_root;
    uint32_t count;

    w->now_ms++;
    EXPECT_FATAL(parsed != NULL);
    count = json_edit_del(w->member[m].body, parsed, &edit, &deletes_root);
    if (count > 0)
        local(w, m, deletes_root ? EFFECT_DELETE : EFFECT_EDIT, &edit);
    payload_clear(&edit);
    return count;
}

/* The one value path names at m. */
static inline const JsonHeld *at(const World *w, uint32_t m, const char *path)
{
    g_autoptr(JsonPath) parsed = json_path_parse(text_of(path));
    g_autoptr(GPtrArray) values = g_ptr_array_new();

    EXPECT_FATAL(parsed != NULL);
    json_path_find(parsed, json_view_root(w->member[m].body), values);
    EXPECT_FATAL(values->len == 1);
    return g_ptr_array_index(values, 0);
}

static inline void insert(World *w, uint32_t m, const char *path, uint32_t index, const char *json)
{
    g_autoptr(GString) message = g_string_new(NULL);
    PayloadWriter content = {0}, edit = {0};

    w->now_ms++;
    EXPECT_FATAL(content_parse(text_of(json), &content, message));
    if (json_edit_insert(at(w, m, path), index, 1, written(&content), &edit) == JSON_EDIT_DONE)
        local(w, m, EFFECT_EDIT, &edit);
    payload_clear(&content);
}

static inline void pop(World *w, uint32_t m, const char *path, uint32_t index)
{
    PayloadWriter edit = {0};

    w->now_ms++;
    json_edit_remove_elements(at(w, m, path), index, index + 1, &edit);
    local(w, m, EFFECT_EDIT, &edit);
}

static inline uint32_t clear(World *w, uint32_t m, const char *path)
{
    g_autoptr(JsonPath) parsed = json_path_parse(text_of(path));
    PayloadWriter edit = {0};
    uint32_t count;

    w->now_ms++;
    EXPECT_FATAL(parsed != NULL);
    count = json_edit_clear(w->member[m].body, parsed, &edit);
    if (count > 0)
        local(w, m, EFFECT_EDIT, &edit);
    payload_clear(&edit);
    return count;
}
