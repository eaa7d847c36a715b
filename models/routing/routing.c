/* The lists of selectors, detectors and retries, and the object that names one of each.
 *
 * A preset is merged under the keys the user wrote as a JSON merge patch, so overriding one of its
 * values, or removing it with null, needs no rule of its own.  The one exception is a plug-in
 * exchanged for another: the preset's parameters belong to the plug-in that went and go with it.
 */
#include "models/routing/routing.h"

#include <string.h>

#include "models/routing/retry_backoff.h"
#include "sim/ensure.h"

#define SELECTOR_DECLARE(kind) extern const Selector selector_##kind;
#define SELECTOR_RECORD(kind)  &selector_##kind.head,
#define DETECTOR_DECLARE(kind) extern const Detector detector_##kind;
#define DETECTOR_RECORD(kind)  &detector_##kind.head,
#define RETRY_DECLARE(kind)    extern const RetryKind retry_##kind;
#define RETRY_RECORD(kind)     &retry_##kind.head,

SELECTORS(SELECTOR_DECLARE)
DETECTORS(DETECTOR_DECLARE)
RETRIES(RETRY_DECLARE)

static const PluginHead *const selectors[] = {SELECTORS(SELECTOR_RECORD)};
static const PluginHead *const detectors[] = {DETECTORS(DETECTOR_RECORD)};
static const PluginHead *const retries[] = {RETRIES(RETRY_RECORD)};

const PluginFamily selector_family = {
    .name = "selectors",
    .noun = "selector",
    .summary = "which endpoint a client uses",
    .form = PLUGIN_KIND,
    .kind_key = "kind",
    .records = selectors,
    .count = G_N_ELEMENTS(selectors),
};
const PluginFamily detector_family = {
    .name = "detectors",
    .noun = "detector",
    .summary = "which endpoints a client believes healthy",
    .form = PLUGIN_KIND,
    .kind_key = "kind",
    .records = detectors,
    .count = G_N_ELEMENTS(detectors),
};
const PluginFamily retry_family = {
    .name = "retries",
    .noun = "retry",
    .summary = "whether a failed operation is tried again",
    .form = PLUGIN_KIND,
    .kind_key = "kind",
    .records = retries,
    .count = G_N_ELEMENTS(retries),
};

/* As parsed. */
typedef struct {
    const char *preset;
    PluginChoice select;
    PluginChoice detect;
    RetryParams retry;
} RoutingParams;

static const Param params[] = {
    {.name = "preset",
     .summary = "a named routing, under the keys written here",
     .kind = PARAM_TEXT,
     .nullable = true,
     .offset = offsetof(RoutingParams, preset)},
    {.name = "select",
     .summary = "which endpoint a client uses",
     .kind = PARAM_PLUGIN,
     .nullable = true,
     .family = &selector_family,
     .offset = offsetof(RoutingParams, select),
     .fallback = "geo-nearest"},
    {.name = "detect",
     .summary = "which endpoints a client believes healthy",
     .kind = PARAM_PLUGIN,
     .nullable = true,
     .family = &detector_family,
     .offset = offsetof(RoutingParams, detect),
     .fallback = "none"},
    {.name = "retry",
     .summary = "whether a failed operation is tried again",
     .kind = PARAM_OBJECT,
     .nullable = true,
     .table = &retry_backoff_table,
     .offset = offsetof(RoutingParams, retry),
     .fallback = "{}"},
};

const ParamTable routing_table = {
    .name = "routing",
    .summary = "which endpoint clients use, what they believe, when they try again",
    .params = params,
    .count = G_N_ELEMENTS(params),
    .struct_size = sizeof(RoutingParams),
    .node_offset = SIZE_MAX};

bool routing_parse(const JsonNode *node, Arena *arena, RoutingConfig *out, GError **error)
{
    RoutingParams parsed;

    if (!param_parse(&routing_table, node, arena, &parsed, error))
        return false;
    *out = (RoutingConfig){
        .select = parsed.select,
        .detect = parsed.detect,
        .retry = retry_config_of(&parsed.retry),
    };
    return true;
}

static void free_doc(void *doc)
{
    json_doc_free(doc);
}

static JsonDoc *own_doc(Arena *arena, JsonDoc *doc)
{
    if (doc)
        arena_own(arena, doc, free_doc);
    return doc;
}

/* The name of the plug-in a "select" or "detect" asks for, NULL when it cannot be told. */
static const char *kind_of(const JsonNode *choice)
{
    const JsonNode *kind;

    if (!choice)
        return NULL;
    if (choice->kind == JSON_TEXT)
        return choice->text;
    kind = choice->kind == JSON_OBJECT ? json_get(choice, "kind") : NULL;
    return kind && kind->kind == JSON_TEXT ? kind->text : NULL;
}

static const JsonNode *parse_owned(const char *file, const char *text, Arena *arena)
{
    JsonDoc *doc = own_doc(arena, json_parse(file, text, strlen(text), NULL));

    ensure(doc != NULL); /* a text of this program */
    return json_root(doc);
}

static bool is_exchanged(const JsonNode *base, const JsonNode *layer, const char *key)
{
    const char *below = kind_of(json_get(base, key));
    const char *above = kind_of(json_get(layer, key));

    return below && above && strcmp(below, above) != 0;
}

/* layer over base as a merge patch, without the parameters of a plug-in that layer exchanges. */
static const JsonNode *merge_over(JsonDoc *doc, const JsonNode *base, const JsonNode *layer,
                                  Arena *arena)
{
    if (is_exchanged(base, layer, "select"))
        base = json_merge_patch(doc, base, parse_owned("routing", "{\"select\": null}", arena));
    if (is_exchanged(base, layer, "detect"))
        base = json_merge_patch(doc, base, parse_owned("routing", "{\"detect\": null}", arena));
    return json_merge_patch(doc, base, layer);
}

static void unknown_preset(const JsonNode *at, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autofree const char **names = g_new0(const char *, routing_preset_count());
    const char *nearest;

    if (at->kind != JSON_TEXT) {
        json_error(error, at, "a preset is a name in quotes, such as \"jedis\"");
        return;
    }
    for (size_t i = 0; i < routing_preset_count(); i++) {
        names[i] = routing_preset_at(i)->name;
        g_string_append_printf(list, "%s%s", i ? ", " : "", names[i]);
    }
    nearest = nearest_name(at->text, names, routing_preset_count());
    if (nearest)
        json_error(error, at, "no preset is called \"%s\"; did you mean \"%s\"?", at->text,
                   nearest);
    else
        json_error(error, at, "no preset is called \"%s\"; there are %s", at->text, list->str);
}

const JsonNode *routing_layer(const JsonNode *base, const JsonNode *layer, Arena *arena,
                              GError **error)
{
    JsonDoc *doc = own_doc(arena, json_doc_new());
    const JsonNode *named = layer->kind == JSON_OBJECT ? json_get(layer, "preset") : NULL;

    if (layer->kind != JSON_OBJECT) {
        json_error(error, layer, "a routing is an object, such as {\"select\": \"priority\"}");
        return NULL;
    }
    if (!base)
        base = parse_owned("routing", "{}", arena);
    if (named && named->kind != JSON_NULL) {
        const RoutingPreset *preset =
            named->kind == JSON_TEXT ? routing_preset_find(named->text) : NULL;

        if (!preset) {
            unknown_preset(named, error);
            return NULL;
        }
        base = merge_over(
            doc, base,
            parse_owned(arena_printf(arena, "preset %s", preset->name), preset->json, arena),
            arena);
    }
    base = merge_over(doc, base, layer, arena);
    return json_merge_patch(doc, base, parse_owned("routing", "{\"preset\": null}", arena));
}
