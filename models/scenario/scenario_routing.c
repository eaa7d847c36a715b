/* Routing per site: preset, then the scenario's own keys, then the site's; null removes one.
 *
 * "sites" and "session" are keys of the scenario, not of a site's policy, and are taken out before
 * parsing.
 */
#include <string.h>

#include "models/scenario/scenario_resolve.h"

/* A small document of our own, kept as long as the scenario. */
static const JsonNode *parse_owned(const char *text, Arena *arena)
{
    JsonDoc *doc = json_parse("default", text, strlen(text), NULL);

    arena_own(arena, doc, (void (*)(void *))json_doc_free);
    return json_root(doc);
}

static bool check_sites(const Scenario *scenario, const JsonNode *sites, GError **error)
{
    for (size_t i = 0; sites && i < sites->count; i++)
        if (strcmp(sites->items[i]->key, "about") != 0 &&
            name_index(scenario->names.sites, sites->items[i]->key) < 0)
            return scenario_unknown(error, sites->items[i], "site", sites->items[i]->key,
                                    scenario->names.sites);
    return true;
}

/* One traffic manager serves all sites: two sites may not ask for different ones. */
static bool check_one_manager(const Scenario *scenario, GError **error)
{
    const PluginChoice *first = NULL;

    for (size_t i = 0; i < scenario->params.sites.count; i++) {
        const PluginChoice *detect = &scenario->routing[i].detect;
        g_autofree char *mine = NULL, *theirs = NULL;

        if (!detect->head || ((const Detector *)detect->head)->at != DETECT_DNS)
            continue;
        first = first ? first : detect;
        mine = json_to_text(detect->node);
        theirs = json_to_text(first->node);
        if (strcmp(mine, theirs) == 0)
            continue;
        json_error(
            error, detect->node,
            "site %s asks for another traffic manager than the sites before it; this version "
            "simulates one for all sites: use the same parameters",
            scenario->names.sites[i]);
        return false;
    }
    return true;
}

bool scenario_resolve_routing(Scenario *scenario, GError **error)
{
    Arena *arena = scenario->arena;
    JsonDoc *doc = json_doc_new();
    const JsonNode *strip = parse_owned("{\"sites\": null, \"session\": null}", arena);
    const JsonNode *routing = scenario->params.routing;
    const JsonNode *sites = routing ? json_get(routing, "sites") : NULL;
    const JsonNode *base = routing ? routing : parse_owned("{}", arena);

    arena_own(arena, doc, (void (*)(void *))json_doc_free);
    if (!check_sites(scenario, sites, error))
        return false;
    base = routing_layer(NULL, json_merge_patch(doc, base, strip), arena, error);
    scenario->routing = arena_array(arena, RoutingConfig, scenario->params.sites.count);
    for (size_t i = 0; base && i < scenario->params.sites.count; i++) {
        const JsonNode *own = sites ? json_get(sites, scenario->params.sites.ids[i]) : NULL;
        const JsonNode *merged = own ? routing_layer(base, own, arena, error) : base;

        if (!merged || !routing_parse(merged, arena, &scenario->routing[i], error))
            return false;
    }
    return base && check_one_manager(scenario, error);
}
