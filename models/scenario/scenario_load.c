/* From text to checked scenarios, the base and every variant.
 *
 * A variant is the base's tree patched (RFC 7396) and parsed like a file of its own, so everything
 * that holds for a base holds for it; nodes keep the position where each value was written.  $names
 * are replaced per variant, after its patch, so that a variant may change a parameter.
 */
#include <string.h>

#include "models/scenario/scenario_resolve.h"
#include "sim/digest.h"

static void scenario_free(Scenario *scenario)
{
    if (!scenario)
        return;
    arena_free(scenario->arena);
    g_free(scenario);
}

void scenario_file_free(ScenarioFile *file)
{
    if (!file)
        return;
    for (uint32_t i = 0; i < file->scenario_count; i++)
        scenario_free(file->scenarios[i]);
    g_free(file->scenarios);
    if (file->lints)
        g_array_free(file->lints, TRUE);
    arena_free(file->arena);
    json_doc_free(file->doc);
    json_doc_free(file->source_doc);
    g_free(file->text);
    g_free(file);
}

/* The tree without one key of the root. */
static const JsonNode *without(ScenarioFile *file, const JsonNode *root, const char *key)
{
    g_autofree char *text = g_strdup_printf("{\"%s\": null}", key);
    JsonDoc *patch = json_parse("patch", text, strlen(text), NULL);

    arena_own(file->arena, patch, (void (*)(void *))json_doc_free);
    return json_merge_patch(file->doc, root, json_root(patch));
}

static Scenario *scenario_parse(ScenarioFile *file, const JsonNode *tree, const char *variant,
                                GError **error)
{
    Scenario *scenario = g_new0(Scenario, 1);
    const JsonNode *params = json_get(tree, "params");
    const JsonNode *root = json_substitute(file->doc, tree, params, error);

    scenario->arena = arena_new();
    scenario->variant = arena_text(scenario->arena, variant);
    if (!root || !param_parse(&scenario_table, root, scenario->arena, &scenario->params, error) ||
        !scenario_resolve(scenario, error)) {
        scenario_free(scenario);
        return NULL;
    }
    return scenario;
}

static const char *about_of(const JsonNode *object)
{
    const JsonNode *about = object ? json_get(object, "about") : NULL;

    return about && about->kind == JSON_TEXT ? about->text : "";
}

static const JsonNode *get(const JsonNode *object, const char *key)
{
    return object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;
}

/* A variant removes what is there.  A merge patch would pass over a name mistyped, and the variant
 * would be the base under another name.  What stood in the file before --set took it may still be
 * removed. */
static bool check_removals(const JsonNode *patch, const JsonNode *base, const JsonNode *source,
                           GError **error)
{
    for (size_t i = 0; patch->kind == JSON_OBJECT && i < patch->count; i++) {
        const JsonNode *item = patch->items[i];
        const JsonNode *in_base = get(base, item->key), *in_source = get(source, item->key);
        const char *nearest;

        if (item->kind != JSON_NULL) {
            if (!check_removals(item, in_base, in_source, error))
                return false;
            continue;
        }
        if (in_base || in_source)
            continue;
        nearest = json_nearest_key(base, item->key);
        json_error_key(error, item, "null removes \"%s\", which is not there%s%s%s", item->key,
                       nearest ? "; did you mean \"" : "; remove this null", nearest ? nearest : "",
                       nearest ? "\"?" : "");
        return false;
    }
    return true;
}

static bool is_used(const char *text, const char *name)
{
    g_autofree char *mark = g_strconcat("$", name, NULL);
    size_t length = strlen(mark);

    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark))
        if (!g_ascii_isalnum(at[length]) && at[length] != '_')
            return true;
    return false;
}

static bool param_unused(const ScenarioFile *file, const JsonNode *params, const JsonNode *item,
                         GError **error)
{
    const char **names = g_newa(const char *, params ? params->count + 1 : 1);
    size_t count = 0;
    const char *nearest;

    for (size_t i = 0; params && i < params->count; i++)
        if (is_used(file->text, params->items[i]->key))
            names[count++] = params->items[i]->key;
    nearest = nearest_name(item->key, names, count);
    json_error_key(error, item, "nothing uses \"$%s\"%s%s%s", item->key,
                   nearest ? "; did you mean \"" : "; remove it", nearest ? nearest : "",
                   nearest ? "\"?" : "");
    return false;
}

/* A parameter that a variant alone has is used, or the variant changes nothing by it. */
static bool check_variant_params(const ScenarioFile *file, const JsonNode *patch,
                                 const JsonNode *base, GError **error)
{
    const JsonNode *params = get(patch, "params"), *known = get(base, "params");

    for (size_t i = 0; params && params->kind == JSON_OBJECT && i < params->count; i++) {
        const JsonNode *item = params->items[i];

        if (!get(known, item->key) && !is_used(file->text, item->key) &&
            strcmp(item->key, "about") != 0)
            return param_unused(file, known, item, error);
    }
    return true;
}

static Scenario *load_variant(ScenarioFile *file, const JsonNode *base, const JsonNode *patch,
                              GError **error)
{
    Scenario *scenario = NULL;

    if (check_removals(patch, base, json_root(file->source_doc), error) &&
        check_variant_params(file, patch, base, error))
        scenario =
            scenario_parse(file, json_merge_patch(file->doc, base, patch), patch->key, error);
    if (scenario && !scenario_join_base_phases(scenario, file->scenarios[0], error))
        g_clear_pointer(&scenario, scenario_free);
    if (scenario)
        scenario->about = about_of(patch);
    else
        g_prefix_error(error, "in variant %s: ", patch->key);
    return scenario;
}

static bool load_variants(ScenarioFile *file, const JsonNode *base, const JsonNode *variants,
                          GError **error)
{
    if (variants && variants->kind != JSON_OBJECT) {
        json_error(error, variants, "variants are named: write {\"slow-dns\": {...}}");
        return false;
    }
    for (size_t i = 0; variants && i < variants->count; i++) {
        const JsonNode *patch = variants->items[i];
        Scenario *scenario;

        if (strcmp(patch->key, "about") == 0 && patch->kind == JSON_TEXT)
            continue;
        if (strcmp(patch->key, "base") == 0) {
            json_error_key(error, patch,
                           "\"base\" is the scenario itself; give the variant another name");
            return false;
        }
        if (patch->kind != JSON_OBJECT) {
            json_error(error, patch,
                       "a variant is an object that patches the document; write {...}");
            return false;
        }
        scenario = load_variant(file, base, patch, error);
        if (!scenario)
            return false;
        file->scenarios[file->scenario_count++] = scenario;
    }
    return true;
}

/* A parameter that nothing uses: an error after --set, which then changes nothing, else advice. */
static bool check_params_used(ScenarioFile *file, const JsonNode *root, GError **error)
{
    const JsonNode *params = json_get(root, "params");

    for (size_t i = 0; params && i < params->count; i++) {
        const JsonNode *item = params->items[i];

        if (is_used(file->text, item->key) || strcmp(item->key, "about") == 0)
            continue;
        if (g_str_has_prefix(item->file, "--set "))
            return param_unused(file, params, item, error);
        scenario_add_lint(file, LINT_WARNING, item->path, "", "nothing uses \"$%s\"", item->key);
    }
    return true;
}

static bool load_all(ScenarioFile *file, const JsonNode *tree, GError **error)
{
    const JsonNode *variants = json_get(tree, "variants");
    const JsonNode *base = without(file, tree, "variants");
    Scenario *scenario = scenario_parse(file, base, "", error);

    file->scenarios = g_new0(Scenario *, 1 + (variants ? variants->count : 0));
    if (!scenario)
        return false;
    scenario->about = about_of(tree);
    file->scenarios[file->scenario_count++] = scenario;
    return load_variants(file, base, variants, error) && scenario_resolve_expectations(file, error);
}

static const JsonNode *apply_sets(ScenarioFile *file, const JsonNode *root, const char *const *sets,
                                  GError **error)
{
    for (uint32_t i = 0; root && sets && sets[i]; i++) {
        const char *equals = strchr(sets[i], '=');
        g_autofree char *path = equals ? g_strndup(sets[i], (gsize)(equals - sets[i])) : NULL;

        if (!equals) {
            g_set_error(
                error, QUINTET_ERROR, QUINTET_ERROR_INPUT,
                "--set %s: there is no value; write path=value, such as params.isolation=45m",
                sets[i]);
            return NULL;
        }
        root = json_set(file->doc, root, path, equals + 1, error);
    }
    return root;
}

ScenarioFile *scenario_file_load(const ScenarioSource *source, GError **error)
{
    ScenarioFile *file = g_new0(ScenarioFile, 1);
    const JsonNode *root = NULL;
    Digest digest = digest_begin();

    file->doc = json_doc_new();
    file->arena = arena_new();
    file->lints = g_array_new(FALSE, TRUE, sizeof(Lint));
    file->source_doc = json_parse(source->file, source->text, source->size, error);
    if (file->source_doc)
        root = apply_sets(file, json_root(file->source_doc), source->sets, error);
    if (root && root->kind != JSON_OBJECT) {
        json_error(error, root,
                   "a scenario is an object; write {\"quintet\": \"scenario/1\", ...}");
        root = NULL;
    }
    file->text = root ? json_to_text(root) : NULL;
    if (!root || !load_all(file, root, error) || !check_params_used(file, root, error)) {
        scenario_file_free(file);
        return NULL;
    }
    digest_text(&digest, file->text);
    file->hash = digest.value;
    scenario_lint(file);
    return file;
}

/* Readers. */

const Scenario *scenario_base(const ScenarioFile *file)
{
    return file->scenarios[0];
}

uint32_t scenario_variant_count(const ScenarioFile *file)
{
    return file->scenario_count - 1;
}

const Scenario *scenario_variant_at(const ScenarioFile *file, uint32_t index)
{
    return file->scenarios[index + 1];
}

const Scenario *scenario_variant(const ScenarioFile *file, const char *name)
{
    for (uint32_t i = 0; i < file->scenario_count; i++)
        if (strcmp(file->scenarios[i]->variant, name ? name : "") == 0)
            return file->scenarios[i];
    return NULL;
}

const char *scenario_text(const ScenarioFile *file)
{
    return file->text;
}

uint64_t scenario_hash(const ScenarioFile *file)
{
    return file->hash;
}

const char *scenario_name(const Scenario *scenario)
{
    return scenario->params.name;
}

const char *scenario_title(const Scenario *scenario)
{
    return scenario->params.title ? scenario->params.title : "";
}

const char *scenario_about(const Scenario *scenario)
{
    return scenario->about;
}

const char *scenario_variant_name(const Scenario *scenario)
{
    return scenario->variant;
}

uint64_t scenario_seed(const Scenario *scenario)
{
    return (uint64_t)scenario->params.seed;
}

uint32_t scenario_seeds(const Scenario *scenario)
{
    return (uint32_t)scenario->params.seeds;
}

SimTime scenario_duration_ns(const Scenario *scenario)
{
    return scenario->params.duration_ns;
}

uint32_t scenario_slice(const Scenario *scenario)
{
    return scenario->slice;
}

uint32_t scenario_expectation_count(const ScenarioFile *file)
{
    return file->expectation_count;
}

const Expectation *scenario_expectation_at(const ScenarioFile *file, uint32_t index)
{
    return &file->expectations[index];
}

bool scenario_runs_by_default(const ScenarioFile *file, const Scenario *scenario)
{
    uint32_t named = 0, judged = 0;

    for (uint32_t i = 0; i < file->expectation_count; i++)
        if (strcmp(file->expectations[i].variant, scenario->variant) == 0) {
            named++;
            judged += file->expectations[i].expression != NULL;
        }
    return !*scenario->variant || named == 0 || judged > 0;
}

uint32_t scenario_member_count(const Scenario *scenario)
{
    return (uint32_t)scenario->params.members.count;
}

const char *scenario_member_name(const Scenario *scenario, uint32_t index)
{
    return scenario->params.members.ids[index];
}

uint32_t scenario_site_count(const Scenario *scenario)
{
    return (uint32_t)scenario->params.sites.count;
}

const char *scenario_site_name(const Scenario *scenario, uint32_t index)
{
    return scenario->params.sites.ids[index];
}

uint32_t scenario_lint_count(const ScenarioFile *file)
{
    return file->lints->len;
}

const Lint *scenario_lint_at(const ScenarioFile *file, uint32_t index)
{
    return &g_array_index(file->lints, Lint, index);
}
