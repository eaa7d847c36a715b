/* Small worlds for tests: a scenario from text, a world from it, or the test stops with the
 * loader's message. */
#pragma once

#include <math.h>
#include <string.h>

#include "models/world/world_private.h"
#include "tests/test.h"

typedef struct {
    ScenarioFile *file;
    World *world;
} WorldFixture;

static inline ScenarioFile *fixture_load(const char *text)
{
    GError *error = NULL;
    ScenarioFile *file = scenario_file_load(
        &(ScenarioSource){.file = "test.json", .text = text, .size = strlen(text)}, &error);

    if (!file)
        g_printerr("%s\n%s\n", error->message, text);
    g_clear_error(&error);
    return file;
}

static inline World *fixture_world(const ScenarioFile *file, const WorldConfig *config)
{
    WorldConfig full = *config;
    GError *error = NULL;
    World *world;

    full.scenario = full.scenario ? full.scenario : scenario_base(file);
    full.seed = full.seed ? full.seed : scenario_seed(full.scenario);
    full.slice = full.slice ? full.slice : 1;
    world = world_new(&full, &error);
    if (!world)
        g_printerr("%s\n", error->message);
    g_clear_error(&error);
    return world;
}

/* base changed by patch (RFC 7396), both as text.  NULL or "" patches nothing. */
static inline char *fixture_patch(const char *base, const char *patch)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonDoc) below = json_parse("base", base, strlen(base), &error);
    g_autoptr(JsonDoc) above = NULL;
    g_autoptr(JsonDoc) merged = json_doc_new();

    if (below && patch && *patch)
        above = json_parse("patch", patch, strlen(patch), &error);
    if (error)
        g_error("%s in\n%s", error->message, patch ? patch : base);
    return json_to_text(above ? json_merge_patch(merged, json_root(below), json_root(above))
                              : json_root(below));
}

/* What the loader says of text, without the place in the file; NULL: nothing, it loads. */
static inline char *fixture_refusal(const char *base, const char *patch)
{
    g_autofree char *text = fixture_patch(base, patch);
    g_autoptr(GError) error = NULL;
    const ScenarioSource source = {.file = "test.json", .text = text, .size = strlen(text)};
    ScenarioFile *file = scenario_file_load(&source, &error);
    const char *message = error ? strstr(error->message, ": ") : NULL;

    scenario_file_free(file);

    return message ? g_strdup(message + 2) : NULL;
}

/* One run of one small scenario. */
typedef struct {
    ScenarioFile *file;
    World *world;
} Story;

static inline Story *story_sliced(const char *base, const char *patch, uint64_t seed,
                                  uint32_t slice)
{
    g_autofree char *text = fixture_patch(base, patch);
    Story *story = g_new0(Story, 1);

    story->file = fixture_load(text);
    if (!story->file)
        g_error("the story does not load");
    story->world = fixture_world(story->file, &(WorldConfig){.seed = seed, .slice = slice});
    return story;
}

static inline Story *story_new(const char *base, const char *patch, uint64_t seed)
{
    return story_sliced(base, patch, seed, 1);
}

static inline void story_free(Story *story)
{
    world_free(story->world);
    scenario_file_free(story->file);
    g_free(story);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Story, story_free)

static inline void story_run(Story *story, SimTime until_ns)
{
    world_run_until(story->world, until_ns);
    world_check(story->world);
}

static inline void story_end(Story *story)
{
    story_run(story, SIM_TIME_NEVER - 1);
    world_finish(story->world);
}

static inline Member *story_member(const Story *story, uint32_t index)
{
    return story->world->members[index];
}

static inline Link *story_link(const Story *story, uint32_t from, uint32_t to)
{
    return levers_link(&story->world->levers, from, to);
}

/* What an expectation would see of an ended story: "sum(errors{outcome=timeout})" in a phase. */
static inline Verdict story_judge(const Story *story, const char *text, const char *phase)
{
    const Recording *recording = world_recording(story->world);
    const VariantRuns runs = {"", &recording, 1};
    const ExpectationContext context = {&runs, 1, "", phase};
    g_autofree char *document = g_strdup_printf("{\"that\": \"%s >= %s\"}", text, text);
    g_autoptr(JsonDoc) doc = json_parse("measure", document, strlen(document), NULL);
    Arena *arena = arena_new();
    GError *error = NULL;
    const Expression *expression =
        expression_parse(json_get(json_root(doc), "that"), NULL, arena, &error);
    Verdict verdict = {.kind = VERDICT_NO_DATA};

    if (expression)
        expression_judge(expression, &context, &verdict);
    else
        g_printerr("%s\n", error->message);
    g_clear_error(&error);
    arena_free(arena);
    return verdict;
}

/* Its value in base units (ns, bytes, per ns), NaN when nothing was measured. */
static inline double story_measure(const Story *story, const char *text, const char *phase)
{
    Verdict verdict = story_judge(story, text, phase);

    return verdict.kind == VERDICT_PASS || verdict.kind == VERDICT_FAIL ? verdict.left.value
                                                                        : (double)NAN;
}

/* When kind and subject first did that (from `from` on), SIM_TIME_NEVER: it did not. */
static inline SimTime story_when(const Story *story, const char *subject, const char *what,
                                 SimTime from_ns)
{
    for (uint32_t i = 0; i < world_log_count(story->world); i++) {
        const WorldEvent *event = world_log_at(story->world, i);

        if (event->at_ns >= from_ns && strcmp(event->subject, subject) == 0 &&
            strcmp(event->what, what) == 0)
            return event->at_ns;
    }
    return SIM_TIME_NEVER;
}

static inline uint32_t story_count(const Story *story, const char *subject, const char *what)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < world_log_count(story->world); i++) {
        const WorldEvent *event = world_log_at(story->world, i);

        count += strcmp(event->subject, subject) == 0 && strcmp(event->what, what) == 0;
    }
    return count;
}

/* The timeline's runbooks and steps, one a line, in milliseconds since `from`. */
static inline char *story_steps(const Story *story, SimTime from_ns)
{
    GString *text = g_string_new(NULL);

    for (uint32_t i = 0; i < world_log_count(story->world); i++) {
        const WorldEvent *event = world_log_at(story->world, i);
        bool is_step = strcmp(event->kind, "step") == 0 || strcmp(event->kind, "runbook") == 0;

        if (is_step && event->at_ns >= from_ns)
            g_string_append_printf(text, "%7d %s: %s%s%s\n",
                                   (int)((event->at_ns - from_ns) / SIM_MS), event->subject,
                                   event->what, *event->detail ? " " : "", event->detail);
    }
    return g_string_free(text, FALSE);
}
