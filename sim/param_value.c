/* Why it works: each kind has one row with its name, an example and the unit people forget, so that
 * every message about a value is made from the same words.
 */
#include "sim/param_value.h"

#include <math.h>
#include <string.h>

#include "sim/dist.h"
#include "sim/ensure.h"

#define FOUND_CHARS_MAX 40
/* A bound as far out as this only guards arithmetic; nobody need read it. */
#define BOUND_MAX     1e18
#define WHOLE_MAX     9007199254740992.0 /* 2^53: whole numbers of JSON are exact up to here */
#define TEXT_OF(node) ((node)->kind == JSON_TEXT ? (node)->text : "")

typedef struct {
    const char *noun;
    const char *example;
    const char *unit; /* what a bare number lacks; NULL: it may be bare */
    const char *with_unit;
    const char *small_unit; /* what it lacks where unit would make it too large; may be NULL */
    size_t size;            /* 0: the table's struct */
} KindRow;

static const KindRow kind_rows[] = {
    [PARAM_DURATION] = {"a duration", "\"85ms\"", "s", "\"85ms\"", "ms", sizeof(SimTime)},
    [PARAM_SIZE] = {"a size", "\"24GB\"", "GB", "\"24GB\"", "B", sizeof(uint64_t)},
    [PARAM_RATE] = {"a rate", "\"5k/s\"", "/s", "\"5k/s\"", NULL, sizeof(double)},
    [PARAM_BANDWIDTH] = {"a bandwidth", "\"1Gbps\"", "Mbps", "\"1Gbps\"", NULL, sizeof(uint64_t)},
    [PARAM_SHARE] = {"a share", "\"5%\"", NULL, NULL, NULL, sizeof(double)},
    [PARAM_COUNT] = {"a count", "\"27M\"", NULL, NULL, NULL, sizeof(uint64_t)},
    [PARAM_NUMBER] = {"a number", "1.5", NULL, NULL, NULL, sizeof(double)},
    [PARAM_INTEGER] = {"a whole number", "3", NULL, NULL, NULL, sizeof(int64_t)},
    [PARAM_BOOL] = {"true or false", "true", NULL, NULL, NULL, sizeof(bool)},
    [PARAM_TEXT] = {"a text", "\"...\"", NULL, NULL, NULL, sizeof(char *)},
    [PARAM_ID] = {"an id", "\"us-east\"", NULL, NULL, NULL, sizeof(char *)},
    [PARAM_ENUM] = {"one of the names known here", "\"...\"", NULL, NULL, NULL, sizeof(int)},
    [PARAM_EXPRESSION] = {"an expression", "\"max(memory.used_pct) >= 70%\"", NULL, NULL, NULL,
                          sizeof(char *)},
    [PARAM_DIST_TIME] = {"a duration or a distribution of durations", "\"85ms\"", "s", "\"85ms\"",
                         "ms", sizeof(Dist *)},
    [PARAM_DIST_SIZE] = {"a size or a distribution of sizes", "\"2KB\"", "B", "\"2KB\"", NULL,
                         sizeof(Dist *)},
    [PARAM_OBJECT] = {"an object", "{...}", NULL, NULL, NULL, 0},
    [PARAM_MAP] = {"an object", "{...}", NULL, NULL, NULL, sizeof(ParamMap)},
    [PARAM_LIST] = {"a list", "[...]", NULL, NULL, NULL, sizeof(ParamMap)},
    [PARAM_ID_SHARES] = {"an object of shares", "{\"a\": 0.9, \"b\": 0.1}", NULL, NULL, NULL,
                         sizeof(ParamMap)},
    [PARAM_PLUGIN] = {"a choice", "\"...\"", NULL, NULL, NULL, sizeof(PluginChoice)},
    [PARAM_NODE] = {"a value", "...", NULL, NULL, NULL, sizeof(JsonNode *)},
};

size_t param_field_size(const Param *param)
{
    size_t size = kind_rows[param->kind].size;

    return size > 0 ? size : param->table->struct_size;
}

const char *param_noun(ParamKind kind)
{
    return kind_rows[kind].noun;
}

const char *param_example(const Param *param)
{
    return param->example ? param->example : kind_rows[param->kind].example;
}

bool param_is_ranged(const Param *param)
{
    return param->min < param->max;
}

bool param_is_id(const char *text)
{
    if (!g_ascii_islower(*text))
        return false;
    while (g_ascii_islower(*text) || g_ascii_isdigit(*text) || *text == '-')
        text++;
    return *text == '\0';
}

const Param *param_table_whole(const ParamTable *table)
{
    const Param *only = table && table->count == 1 ? &table->params[0] : NULL;

    return only && !only->name && only->kind != PARAM_PLUGIN ? only : NULL;
}

const Param *param_table_positional(const ParamTable *table)
{
    for (size_t i = 0; table && i < table->count; i++) {
        if (table->params[i].positional)
            return &table->params[i];
    }
    return NULL;
}

const Param *param_table_verb(const ParamTable *table)
{
    for (size_t i = 0; table && i < table->count; i++) {
        if (table->params[i].kind == PARAM_PLUGIN && !table->params[i].name)
            return &table->params[i];
    }
    return NULL;
}

const Param *param_table_inline(const ParamTable *table)
{
    for (size_t i = 0; table && i < table->count; i++) {
        const Param *param = &table->params[i];

        if (param->kind == PARAM_PLUGIN && param->name && param->family->form == PLUGIN_INLINE)
            return param;
    }
    return NULL;
}

const char *param_found(const JsonNode *node, char buffer[PARAM_TEXT_MAX])
{
    const char *end;

    switch (node->kind) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return node->number != 0 ? "true" : "false";
    case JSON_ARRAY:
        return "a list";
    case JSON_OBJECT:
        return "an object";
    case JSON_NUMBER:
        return node->text;
    case JSON_TEXT:
        break;
    }
    end = node->text;
    for (int i = 0; i < FOUND_CHARS_MAX && *end && end - node->text < PARAM_TEXT_MAX - 12; i++)
        end = g_utf8_next_char(end);
    g_snprintf(buffer, PARAM_TEXT_MAX, "\"%.*s%s\"", (int)(end - node->text), node->text,
               *end ? "..." : "");
    return buffer;
}

const char *param_number_text(double value, char buffer[UNIT_TEXT_MAX])
{
    g_ascii_formatd(buffer, UNIT_TEXT_MAX, "%.15g", value);
    if (g_ascii_strtod(buffer, NULL) != value)
        g_ascii_formatd(buffer, UNIT_TEXT_MAX, "%.17g", value);
    return buffer;
}

static const char *without_spaces(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from != ' ')
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

const char *param_bound_text(ParamKind kind, double bound, char buffer[UNIT_TEXT_MAX])
{
    switch (kind) {
    case PARAM_DURATION:
    case PARAM_DIST_TIME:
        return format_time((SimTime)bound, buffer);
    case PARAM_SIZE:
    case PARAM_DIST_SIZE:
        format_bytes(bound, buffer);
        return without_spaces(buffer);
    case PARAM_BANDWIDTH:
        format_bytes(bound, buffer);
        g_strlcat(buffer, "/s", UNIT_TEXT_MAX);
        return without_spaces(buffer);
    case PARAM_RATE:
        format_count(bound, buffer);
        g_strlcat(buffer, "/s", UNIT_TEXT_MAX);
        return without_spaces(buffer);
    case PARAM_SHARE:
    case PARAM_ID_SHARES:
        return format_share(bound, buffer);
    default:
        return param_number_text(bound, buffer);
    }
}

const char *param_range_text(const Param *param, char buffer[PARAM_TEXT_MAX])
{
    char low[UNIT_TEXT_MAX], high[UNIT_TEXT_MAX];
    bool has_low = param->min > -BOUND_MAX, has_high = param->max < BOUND_MAX;

    buffer[0] = '\0';
    if (!param_is_ranged(param))
        return buffer;
    if (has_low)
        param_bound_text(param->kind, param->min, low);
    if (has_high)
        param_bound_text(param->kind, param->max, high);
    if (has_low && has_high)
        g_snprintf(buffer, PARAM_TEXT_MAX, "%s to %s", low, high);
    else if (has_low)
        g_snprintf(buffer, PARAM_TEXT_MAX, "at least %s", low);
    else if (has_high)
        g_snprintf(buffer, PARAM_TEXT_MAX, "at most %s", high);
    return buffer;
}

static void complain_range(const Param *param, const JsonNode *at, bool small, GError **error)
{
    char buffer[PARAM_TEXT_MAX], range[PARAM_TEXT_MAX], bound[UNIT_TEXT_MAX];
    const char *found = param_found(at, buffer);
    bool has_low = param_is_ranged(param) && param->min > -BOUND_MAX;
    bool has_high = param_is_ranged(param) && param->max < BOUND_MAX;

    if (small || has_high)
        json_error(error, at, "%s is too %s; write %s%s", found, small ? "small" : "large",
                   has_low && has_high ? "a value from " : "", param_range_text(param, range));
    else /* whoever meets the far bound has to read it */
        json_error(error, at, "%s is too large; write at most %s", found,
                   param_bound_text(param->kind, BOUND_MAX, bound));
}

bool param_in_range(const Param *param, const JsonNode *at, double value, GError **error)
{
    if (!param_is_ranged(param) || (value >= param->min && value <= param->max))
        return true;
    complain_range(param, at, value < param->min, error);
    return false;
}

/* "ms" of a default "200ms"; NULL where it has no single unit. */
static const char *fallback_unit(const Param *param)
{
    const char *text = param->fallback ? param->fallback : "";
    const char *unit = text + strspn(text, "0123456789.");
    size_t letters = 0;

    while (g_ascii_isalpha(unit[letters]))
        letters++;
    return unit > text && letters > 0 && unit[letters] == '\0' ? unit : NULL;
}

/* number with unit in base units. */
static bool value_with_unit(const char *number, const char *unit, double *out)
{
    g_autofree char *text = g_strconcat(number, unit, NULL);
    Quantity quantity;
    size_t used;
    bool good = quantity_parse(text, &quantity, &used) && text[used] == '\0';

    *out = good ? quantity.value : 0;
    return good;
}

/* The unit a bare number most probably lacks: the default's where it is a finer one, then the one
 * people forget, then a small one; the first that makes a value in range. */
static const char *unit_meant(const Param *param, const KindRow *row, const char *number)
{
    const char *const units[] = {fallback_unit(param), row->unit, row->small_unit};
    double coarsest, one, value;

    for (size_t i = 0; row->small_unit && i < G_N_ELEMENTS(units); i++) {
        if (units[i] && value_with_unit("1", row->unit, &coarsest) &&
            value_with_unit("1", units[i], &one) && one <= coarsest &&
            value_with_unit(number, units[i], &value) &&
            (!param_is_ranged(param) || (value >= param->min && value <= param->max)))
            return units[i];
    }
    return row->unit;
}

static bool is_bare_number(const char *text)
{
    return g_ascii_isdigit(text[0]) && text[strspn(text, "0123456789.")] == '\0';
}

/* 24 or "24" where "24GB" belongs: the message gives the number back with the unit it lacks. */
static bool wrong_unit(const Param *param, const JsonNode *node, GError **error)
{
    const KindRow *row = &kind_rows[param->kind];
    const char *noun = strchr(row->noun, ' ') + 1;
    int length = (int)strcspn(noun, " ");
    char buffer[PARAM_TEXT_MAX];
    const char *found = param_found(node, buffer);

    if (is_bare_number(node->text))
        json_error(error, node, "%s has no unit; write a %.*s such as \"%s%s\"", found, length,
                   noun, node->text, unit_meant(param, row, node->text));
    else
        json_error(error, node, "%s has no unit; write a %.*s such as %s", found, length, noun,
                   row->with_unit);
    return false;
}

static bool is_value_of(ParamKind kind, const char *text)
{
    SimTime ns;
    uint64_t whole;
    double real;

    switch (kind) {
    case PARAM_DURATION:
    case PARAM_DIST_TIME:
        return parse_duration(text, &ns);
    case PARAM_SIZE:
    case PARAM_DIST_SIZE:
        return parse_size(text, &whole);
    case PARAM_RATE:
        return parse_rate(text, &real);
    case PARAM_BANDWIDTH:
        return parse_bandwidth(text, &whole);
    case PARAM_COUNT:
        return parse_count(text, &whole);
    default:
        return false;
    }
}

/* Whether text is a value but for the length of its numbers: with their first digits alone it is
 * one. */
static bool is_beyond_reading(ParamKind kind, const char *text)
{
    g_autofree char *first_digits = g_strdup(text);
    char *to = first_digits;

    for (const char *from = text; *from; from++)
        if (from == text || !g_ascii_isdigit(*from) || !g_ascii_isdigit(from[-1]))
            *to++ = *from;
    *to = '\0';
    return !strchr(text, '.') && is_value_of(kind, first_digits) && !is_value_of(kind, text);
}

/* NULL when the nearest name says more than the list. */
static char *names_list(const char *const *names)
{
    GString *list = g_string_new(NULL);

    for (size_t i = 0; names[i]; i++)
        g_string_append_printf(list, "%s\"%s\"",
                               i == 0         ? ""
                               : names[i + 1] ? ", "
                                              : " or ",
                               names[i]);
    return g_string_free(list, FALSE);
}

static bool wrong_enum(const Param *param, const JsonNode *node, GError **error)
{
    size_t count = g_strv_length((gchar **)param->names);
    const char *nearest = nearest_name(TEXT_OF(node), param->names, count);
    g_autofree char *list = names_list(param->names);
    char found[PARAM_TEXT_MAX];

    for (const ParamAlias *alias = param->aliases; alias && alias->said; alias++) {
        if (g_ascii_strcasecmp(alias->said, TEXT_OF(node)) != 0)
            continue;
        json_error(error, node, "%s is unknown; write \"%s\" for it", param_found(node, found),
                   alias->meant);
        return false;
    }
    if (nearest)
        json_error(error, node, "%s is unknown; did you mean \"%s\"?", param_found(node, found),
                   nearest);
    else
        json_error(error, node, "%s is unknown; write %s", param_found(node, found), list);
    return false;
}

bool param_wrong_kind(const Param *param, const JsonNode *node, GError **error)
{
    const KindRow *row = &kind_rows[param->kind];
    bool is_number = param->kind == PARAM_NUMBER || param->kind == PARAM_INTEGER;
    char found[PARAM_TEXT_MAX];

    param_found(node, found);
    if (row->unit &&
        (node->kind == JSON_NUMBER || (node->kind == JSON_TEXT && is_bare_number(node->text))))
        return wrong_unit(param, node, error);
    if (param->kind == PARAM_ENUM)
        return wrong_enum(param, node, error);
    if (node->kind == JSON_TEXT && node->text[0] == '-' && g_ascii_isdigit(node->text[1]) &&
        (row->unit || param->kind == PARAM_SHARE || param->kind == PARAM_COUNT))
        json_error(error, node, "%s is negative; write %s such as %s", found, row->noun,
                   row->example);
    else if (node->kind == JSON_TEXT && is_beyond_reading(param->kind, node->text))
        complain_range(param, node, false, error);
    else if (param->kind == PARAM_ID && node->kind == JSON_TEXT)
        json_error(error, node,
                   "%s is not an id; write a-z, 0-9 and \"-\", beginning with a letter", found);
    else if (node->kind == JSON_TEXT && (is_number || param->kind == PARAM_BOOL))
        json_error(error, node, "%s is a text; write %s without quotes", found, row->noun);
    else if (param->kind == PARAM_BOOL)
        json_error(error, node, "%s is not true or false", param_found(node, found));
    else if (param->kind == PARAM_TEXT)
        json_error(error, node, "%s is not a text; write it in double quotes",
                   param_found(node, found));
    else
        json_error(error, node, "%s is not %s; write one such as %s", param_found(node, found),
                   row->noun, row->example);
    return false;
}

static bool is_whole(double value)
{
    return value == floor(value) && fabs(value) <= WHOLE_MAX;
}

/* A number or a percentage; a share has no sign unless its range says so. */
static bool share_parse(const Param *param, const JsonNode *node, double *out, GError **error)
{
    if (node->kind == JSON_NUMBER)
        *out = node->number;
    else if (!parse_share(TEXT_OF(node), out))
        return param_wrong_kind(param, node, error);
    if (*out >= 0 || param_is_ranged(param))
        return param_in_range(param, node, *out, error);
    json_error(error, node, "%s is negative; write a share such as \"5%%\"", node->text);
    return false;
}

static bool count_parse(const Param *param, const JsonNode *node, uint64_t *out, GError **error)
{
    if (node->kind == JSON_NUMBER && node->number < 0) {
        json_error(error, node, "%s is negative; write a count such as 27 or \"27M\"", node->text);
        return false;
    }
    if (node->kind == JSON_NUMBER && is_whole(node->number))
        *out = (uint64_t)node->number;
    else if (node->kind == JSON_NUMBER || !parse_count(TEXT_OF(node), out))
        return param_wrong_kind(param, node, error);
    return param_in_range(param, node, (double)*out, error);
}

static bool enum_parse(const Param *param, const JsonNode *node, int *out, GError **error)
{
    for (int i = 0; node->kind == JSON_TEXT && param->names[i]; i++) {
        if (strcmp(param->names[i], node->text) == 0) {
            *out = i;
            return true;
        }
    }
    return wrong_enum(param, node, error);
}

static bool text_parse(const Param *param, const JsonNode *node, Arena *arena, const char **out,
                       GError **error)
{
    if (node->kind != JSON_TEXT || (param->kind == PARAM_ID && !param_is_id(node->text)) ||
        (param->kind == PARAM_EXPRESSION && node->text[0] == '\0'))
        return param_wrong_kind(param, node, error);
    *out = arena_text(arena, node->text);
    return true;
}

static void own_dist_free(void *dist)
{
    dist_free(dist);
}

static bool constant_dist_parse(const Param *param, const JsonNode *node, Arena *arena,
                                const Dist **out, GError **error)
{
    int64_t value = 0;
    uint64_t bytes = 0;
    bool good;
    Dist *dist;

    if (param->kind == PARAM_DIST_TIME) {
        good = parse_duration(TEXT_OF(node), &value) && value >= 0;
    } else {
        good = parse_size(TEXT_OF(node), &bytes) && bytes <= INT64_MAX;
        value = (int64_t)bytes;
    }
    if (!good)
        return param_wrong_kind(param, node, error);
    if (!param_in_range(param, node, (double)value, error))
        return false;
    dist = dist_new_constant(value);
    arena_own(arena, dist, own_dist_free);
    *out = dist;
    return true;
}

static bool number_parse(const Param *param, const JsonNode *node, void *field, GError **error)
{
    bool whole = param->kind == PARAM_INTEGER;

    if (node->kind != JSON_NUMBER || (whole && !is_whole(node->number)))
        return param_wrong_kind(param, node, error);
    if (!param_in_range(param, node, node->number, error))
        return false;
    if (whole)
        *(int64_t *)field = (int64_t)node->number;
    else
        *(double *)field = node->number;
    return true;
}

/* The kinds that are always a text with a unit. */
static bool quantity_scalar_parse(const Param *param, const JsonNode *node, void *field,
                                  GError **error)
{
    const char *text = TEXT_OF(node);
    double value = 0;
    bool good = false;

    if (param->kind == PARAM_DURATION) {
        good = parse_duration(text, field);
        value = good ? (double)*(SimTime *)field : 0;
    } else if (param->kind == PARAM_RATE) {
        good = parse_rate(text, field);
        value = good ? *(double *)field : 0;
    } else {
        good = param->kind == PARAM_SIZE ? parse_size(text, field) : parse_bandwidth(text, field);
        value = good ? (double)*(uint64_t *)field : 0;
    }
    return good ? param_in_range(param, node, value, error) : param_wrong_kind(param, node, error);
}

bool param_scalar_parse(const Param *param, const JsonNode *node, Arena *arena, void *field,
                        GError **error)
{
    switch (param->kind) {
    case PARAM_DURATION:
    case PARAM_SIZE:
    case PARAM_RATE:
    case PARAM_BANDWIDTH:
        return quantity_scalar_parse(param, node, field, error);
    case PARAM_SHARE:
        return share_parse(param, node, field, error);
    case PARAM_COUNT:
        return count_parse(param, node, field, error);
    case PARAM_NUMBER:
    case PARAM_INTEGER:
        return number_parse(param, node, field, error);
    case PARAM_BOOL:
        if (node->kind != JSON_BOOL)
            return param_wrong_kind(param, node, error);
        *(bool *)field = node->number != 0;
        return true;
    case PARAM_TEXT:
    case PARAM_ID:
    case PARAM_EXPRESSION:
        return text_parse(param, node, arena, field, error);
    case PARAM_ENUM:
        return enum_parse(param, node, field, error);
    case PARAM_DIST_TIME:
    case PARAM_DIST_SIZE:
        return constant_dist_parse(param, node, arena, field, error);
    default:
        ensure(param->kind == PARAM_DURATION); /* the caller keeps other kinds away */
        return false;
    }
}
