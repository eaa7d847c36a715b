/* Why it works: names are checked against what the program and the scenario know while they are
 * read, so the error stands at the name itself and can propose the nearest one that exists.
 */
#include "models/observe/expression_parser.h"

#include <stdarg.h>
#include <string.h>

#include "models/geo/member.h"
#include "models/observe/metrics.h"
#include "sim/ensure.h"

void *expression_fail(ExpressionParser *parser, const char *at, const char *format, ...)
{
    JsonNode place = *parser->node;
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    /* 1 for the opening quote.  An escape in the text would make the column a little short. */
    place.column += 1 + (int)g_utf8_strlen(parser->text, at - parser->text);
    json_error(parser->error, &place, "%s", message);
    return NULL;
}

void expression_skip_spaces(ExpressionParser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\t')
        parser->at++;
}

bool expression_take(ExpressionParser *parser, char c)
{
    expression_skip_spaces(parser);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

/* What stands at `at`, as a message shows it. */
const char *expression_found(ExpressionParser *parser, const char *at)
{
    size_t size = 0;

    if (*at == '\0')
        return "the end";
    while (g_ascii_isalnum(at[size]) || (at[size] && strchr("._%", at[size])))
        size++;
    if (size == 0)
        size = (size_t)(g_utf8_next_char(at) - at);
    return arena_printf(parser->arena, "\"%.*s\"", (int)size, at);
}

const char *expression_span(ExpressionParser *parser, const char *from)
{
    const char *to = parser->at;

    while (to > from && to[-1] == ' ')
        to--;
    return arena_printf(parser->arena, "%.*s", (int)(to - from), from);
}

const char *expression_take_name(ExpressionParser *parser)
{
    const char *from = parser->at;

    while (g_ascii_isalnum(*parser->at) || *parser->at == '_' || *parser->at == '.')
        parser->at++;
    return expression_span(parser, from);
}

const char *expression_advice(ExpressionParser *parser, const char *found, const char *const *names,
                              size_t count)
{
    const char *nearest = nearest_name(found, names, count);
    GString *list;
    const char *text;

    if (nearest)
        return arena_printf(parser->arena, "did you mean \"%s\"?", nearest);
    list = g_string_new("known: ");
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", names[i]);
    text = count > 0 ? arena_text(parser->arena, list->str) : "there are none";
    g_string_free(list, TRUE);
    return text;
}

Node *expression_node(ExpressionParser *parser, NodeKind kind)
{
    Node *node = arena_alloc(parser->arena, sizeof *node);

    node->kind = kind;
    return node;
}

static const Metric *find_metric(ExpressionParser *parser, const char *at, const char *name)
{
    const Metric *metric = metric_find(name);
    const char *names[256];
    const char *nearest;

    if (metric)
        return metric;
    ensure(metric_family.count <= G_N_ELEMENTS(names));
    for (size_t i = 0; i < metric_family.count; i++)
        names[i] = metric_family.records[i]->name;
    nearest = nearest_name(name, names, metric_family.count);
    if (nearest)
        return expression_fail(parser, at, "unknown metric \"%s\"; did you mean \"%s\"?", name,
                               nearest);
    return expression_fail(parser, at, "unknown metric \"%s\"; \"quintet list metrics\" names them",
                           name);
}

/* A value must be one of those the scenario declares, where it says so. */
static bool check_value(ExpressionParser *parser, const char *at, const char *label,
                        const char *value)
{
    const char *const *known = NULL;
    size_t count = 0;

    if (!parser->scope)
        return true;
#define SCOPE_LIST(name)                                                                           \
    if (strcmp(label, #name) == 0)                                                                 \
        known = parser->scope->name;
    LABELS(SCOPE_LIST)
    SCOPE_LIST(variant)
    SCOPE_LIST(phase)
#undef SCOPE_LIST
    if (!known)
        return true;
    for (; known[count]; count++)
        if (strcmp(known[count], value) == 0)
            return true;
    expression_fail(parser, at, "unknown %s \"%s\"; %s", label, value,
                    expression_advice(parser, value, known, count));
    return false;
}

/* Causes are the program's own words, so an unknown one is refused without a scope.  What nothing
 * in this version can cause is refused too: absent counts as 0, and a 0 nobody measured would pass.
 */
static bool check_cause(ExpressionParser *parser, const char *at, const Metric *metric,
                        const char *value)
{
    static const char *const lost[] = {"overwritten", "unreplicated"};
    const char *names[MEMORY_CAUSE_COUNT];
    size_t count = 0;

    if (strcmp(metric->head.name, "data.lost_writes") == 0) {
        if (strcmp(value, "discarded") == 0) {
            expression_fail(parser, at,
                            "cause \"discarded\" is not measured: in this version no member "
                            "rejoins, so nothing is discarded");
            return false;
        }
        for (; count < G_N_ELEMENTS(lost); count++)
            names[count] = lost[count];
    } else if (strcmp(metric->head.name, "memory.bytes") == 0) {
        for (; count < MEMORY_CAUSE_COUNT; count++)
            names[count] = memory_cause_name((MemoryCause)count);
    } else {
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], value) == 0)
            return true;
    expression_fail(parser, at, "unknown cause \"%s\"; %s", value,
                    expression_advice(parser, value, names, count));
    return false;
}

static const char *take_value(ExpressionParser *parser)
{
    const char *from;

    expression_skip_spaces(parser);
    from = parser->at;
    while (*parser->at && *parser->at != ',' && *parser->at != '}')
        parser->at++;
    return expression_span(parser, from);
}

static bool unknown_label(ExpressionParser *parser, const char *at, const Metric *metric,
                          const char *label)
{
    g_auto(GStrv) own = g_strsplit(metric->labels, " ", -1);
    const char *names[LABEL_COUNT + 2];
    size_t count = 0;

    for (; own[count]; count++)
        names[count] = own[count];
    names[count++] = "phase";
    names[count++] = "variant";
    expression_fail(parser, at, "%s has no label \"%s\"; %s", metric->head.name, label,
                    expression_advice(parser, label, names, count));
    return false;
}

static bool set_label(ExpressionParser *parser, Node *node, const char *at, const char *label,
                      const char *value)
{
    const char **slot = strcmp(label, "variant") == 0 ? &node->variant
                        : strcmp(label, "phase") == 0 ? &node->phase
                                                      : NULL;

    if (slot) {
        *slot = value;
        return true;
    }
    if (!metric_has_label(node->metric, label))
        return unknown_label(parser, at, node->metric, label);
    for (uint32_t i = 0; i < LABEL_COUNT; i++) {
        if (strcmp(label_names[i], label) != 0)
            continue;
        if (labels_get(&node->filter, i)) {
            expression_fail(parser, at, "label \"%s\" is given twice", label);
            return false;
        }
        labels_set(&node->filter, i, value);
    }
    return true;
}

/* { label=value, ... }, after the opening brace. */
static bool parse_labels(ExpressionParser *parser, Node *node)
{
    do {
        const char *at, *label, *value_at, *value;

        expression_skip_spaces(parser);
        at = parser->at;
        label = expression_take_name(parser);
        if (!*label || !expression_take(parser, '=')) {
            expression_fail(parser, *label ? parser->at : at, "expected label=value, found %s",
                            expression_found(parser, *label ? parser->at : at));
            return false;
        }
        expression_skip_spaces(parser);
        value_at = parser->at;
        value = take_value(parser);
        if (!set_label(parser, node, at, label, value) ||
            !check_value(parser, value_at, label, value))
            return false;
        if (strcmp(label, "cause") == 0 && !check_cause(parser, value_at, node->metric, value))
            return false;
    } while (expression_take(parser, ','));
    if (expression_take(parser, '}'))
        return true;
    expression_fail(parser, parser->at, "expected \"}\" after the labels, found %s",
                    expression_found(parser, parser->at));
    return false;
}

static void note_once(GPtrArray *array, const void *item)
{
    if (item && !g_ptr_array_find(array, item, NULL))
        g_ptr_array_add(array, (void *)item);
}

static void note_text_once(GPtrArray *array, const char *text)
{
    if (text && !g_ptr_array_find_with_equal_func(array, text, g_str_equal, NULL))
        g_ptr_array_add(array, (void *)text);
}

/* What nobody counts would read as 0, alone or as part of a sum. */
static bool check_counted(ExpressionParser *parser, const char *at, const Node *node)
{
    const char *const *uncounted = parser->scope ? parser->scope->uncounted : NULL;
    bool is_lost = strcmp(node->metric->head.name, "data.lost_writes") == 0;

    if (!uncounted || (is_lost && g_strcmp0(node->filter.cause, "unreplicated") == 0) ||
        (!is_lost && strcmp(node->metric->head.name, "anomaly.A1") != 0))
        return true;
    for (; *uncounted; uncounted++) {
        if (node->filter.family && strcmp(node->filter.family, *uncounted) != 0)
            continue;
        expression_fail(
            parser, at,
            "overwritten writes of family %s are not counted, so a 0 would mean nothing; "
            "%s",
            *uncounted,
            node->filter.family ? "ask for cause=unreplicated, or drop this"
                                : "name another family, or ask for cause=unreplicated");
        return false;
    }
    return true;
}

Node *expression_parse_metric(ExpressionParser *parser, const char *at, const char *name)
{
    Node *node = expression_node(parser, NODE_METRIC);

    node->metric = find_metric(parser, at, name);
    if (!node->metric)
        return NULL;
    if (expression_take(parser, '{') && !parse_labels(parser, node))
        return NULL;
    if (!check_counted(parser, at, node))
        return NULL;
    node->stat = STAT_EVERY;
    node->dimension = node->metric->dimension;
    node->is_share = node->metric->is_share;
    node->source = expression_span(parser, at);
    note_once(parser->metrics, node->metric);
    note_text_once(parser->variants, node->variant);
    return node;
}
