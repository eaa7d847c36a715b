/* Why it works: a recursive descent over the grammar of rehearsal.md 3.2, one function a rule. Each
 * node knows its dimension when it is made, so units are checked on the way up, before any run.  An
 * error is raised at a pointer into the text; its distance from the beginning is added to the
 * column of the JSON value, so the message names the very character.
 */
#include "models/observe/expression_parser.h"

#include <stdlib.h>
#include <string.h>

#include "models/observe/metrics.h"

#define DEPTH_MAX    32 /* of parentheses: keeps the recursion bounded */
#define EXPONENT_MAX 8  /* of a dimension: nobody needs bytes^9 */

static const Node *parse_sum(ExpressionParser *parser);

static const Node *parse_quantity(ExpressionParser *parser)
{
    const char *from = parser->at;
    Node *node = expression_node(parser, NODE_QUANTITY);
    Quantity quantity;
    size_t used;

    if (!quantity_parse(from, &quantity, &used) || g_ascii_isalnum(from[used]) || from[used] == '.')
        return expression_fail(
            parser, from, "cannot read the quantity %s; quantities look like 85ms, 20GB, 5k/s, 5%%",
            expression_found(parser, from));
    parser->at += used;
    node->value = quantity.value;
    node->dimension = quantity.dimension;
    node->is_share = parser->at[-1] == '%';
    node->source = expression_span(parser, from);
    return node;
}

static const char *const stat_names[] = {
#define STAT_NAME(name) #name,
    STATS(STAT_NAME)
#undef STAT_NAME
};

bool stat_is_per_run(Stat stat, MetricKind kind)
{
    if (kind == METRIC_EVENT)
        return true;
    return stat == STAT_sum || stat == STAT_count || stat == STAT_last || stat == STAT_first;
}

/* NULL when stat suits metric, else what would. */
static const char *stat_misfit(Stat stat, const Metric *metric)
{
    bool is_total = stat == STAT_sum || stat == STAT_count || stat == STAT_rate;
    bool is_end = stat == STAT_last || stat == STAT_first;

    if (metric->kind == METRIC_EVENT && !is_total && !is_end)
        return "an event; it has sum, count, rate, last and first";
    if (metric->kind == METRIC_EVENT && stat == STAT_count && metric->dimension.bytes != 0)
        return "an amount of bytes; it has sum, rate, last and first";
    if (metric->kind == METRIC_SAMPLE && (is_end || stat == STAT_rate))
        return "a sample; it has p50, p90, p95, p99, p999, mean, max, min, sum and count";
    if (metric->kind == METRIC_GAUGE && is_total)
        return "a gauge; it has p50, p90, p95, p99, p999, mean, max, min, last and first";
    return NULL;
}

static bool find_stat(ExpressionParser *parser, const char *at, const char *name, Stat *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(stat_names); i++) {
        if (strcmp(stat_names[i], name) == 0) {
            *out = (Stat)i;
            return true;
        }
    }
    expression_fail(parser, at, "unknown statistic \"%s\"; %s", name,
                    expression_advice(parser, name, stat_names, G_N_ELEMENTS(stat_names)));
    return false;
}

/* stat "(" metric ")", after the opening parenthesis. */
static const Node *parse_call(ExpressionParser *parser, const char *at, const char *name)
{
    const char *metric_at;
    const char *misfit;
    Node *node;
    Stat stat;

    if (!find_stat(parser, at, name, &stat))
        return NULL;
    expression_skip_spaces(parser);
    metric_at = parser->at;
    if (!g_ascii_isalpha(*metric_at))
        return expression_fail(parser, metric_at, "expected a metric after \"%s(\", found %s", name,
                               expression_found(parser, metric_at));
    node = expression_parse_metric(parser, metric_at, expression_take_name(parser));
    if (!node)
        return NULL;
    if (!expression_take(parser, ')'))
        return expression_fail(parser, parser->at, "expected \")\" after the metric, found %s",
                               expression_found(parser, parser->at));
    misfit = stat_misfit(stat, node->metric);
    if (misfit)
        return expression_fail(parser, at, "no \"%s\" of %s: that is %s", name,
                               node->metric->head.name, misfit);
    node->stat = stat;
    node->source = expression_span(parser, at);
    node->is_share = node->is_share && stat != STAT_count;
    if (stat == STAT_count)
        node->dimension = (Dimension){0, 0};
    if (stat == STAT_rate)
        node->dimension.time = (int8_t)(node->dimension.time - 1);
    return node;
}

static const Node *parse_group(ExpressionParser *parser)
{
    const Node *node;

    if (++parser->depth > DEPTH_MAX)
        return expression_fail(parser, parser->at, "nested deeper than %d", DEPTH_MAX);
    node = parse_sum(parser);
    if (node && !expression_take(parser, ')'))
        return expression_fail(parser, parser->at, "expected \")\", found %s",
                               expression_found(parser, parser->at));
    parser->depth--;
    return node;
}

static const Node *parse_factor(ExpressionParser *parser)
{
    const char *at;
    const char *name;

    if (expression_take(parser, '('))
        return parse_group(parser);
    at = parser->at;
    if (g_ascii_isdigit(*at) || *at == '.' || (*at == '-' && g_ascii_isdigit(at[1])))
        return parse_quantity(parser);
    if (*at == '$')
        return expression_fail(
            parser, at, "\"$\" begins the name of a parameter, and params has no such entry");
    if (!g_ascii_isalpha(*at))
        return expression_fail(parser, at, "expected a quantity, a statistic or a metric, found %s",
                               expression_found(parser, at));
    name = expression_take_name(parser);
    if (expression_take(parser, '('))
        return parse_call(parser, at, name);
    return expression_parse_metric(parser, at, name);
}

static const char *dimension_text(ExpressionParser *parser, Dimension dimension)
{
    char buffer[UNIT_TEXT_MAX];

    if (dimension_equal(dimension, (Dimension){0, 0}))
        return "a plain number";
    return arena_text(parser->arena, dimension_name(dimension, buffer));
}

static const Node *join(ExpressionParser *parser, const char *at, const Node *left,
                        const Node *right)
{
    bool adds = *at == '+' || *at == '-';
    int sign = *at == '/' ? -1 : 1;
    int time = left->dimension.time + sign * right->dimension.time;
    int bytes = left->dimension.bytes + sign * right->dimension.bytes;
    Node *node = expression_node(parser, NODE_BINARY);

    if (adds && !dimension_equal(left->dimension, right->dimension))
        return expression_fail(
            parser, at, "%s %s and %s: \"%s\" and \"%s\"; both need the same unit",
            *at == '+' ? "adds" : "subtracts", dimension_text(parser, left->dimension),
            dimension_text(parser, right->dimension), left->source, right->source);
    if (*at == '/' && right->kind == NODE_QUANTITY && !(right->value > 0) && !(right->value < 0))
        return expression_fail(parser, at, "divides \"%s\" by 0; take another divisor",
                               left->source);
    if (abs(time) > EXPONENT_MAX || abs(bytes) > EXPONENT_MAX)
        return expression_fail(parser, at, "the unit of \"%s\" and \"%s\" makes no sense",
                               left->source, right->source);
    node->sign = *at;
    node->left = left;
    node->right = right;
    node->dimension = adds ? left->dimension : (Dimension){(int8_t)time, (int8_t)bytes};
    node->is_share = adds && (left->is_share || right->is_share);
    node->source = arena_printf(parser->arena, "%s %c %s", left->source, *at, right->source);
    return node;
}

static const Node *parse_product(ExpressionParser *parser)
{
    const Node *left = parse_factor(parser);

    while (left) {
        const char *at;
        const Node *right;

        expression_skip_spaces(parser);
        at = parser->at;
        if (*at != '*' && *at != '/')
            break;
        parser->at++;
        right = parse_factor(parser);
        left = right ? join(parser, at, left, right) : NULL;
    }
    return left;
}

static const Node *parse_sum(ExpressionParser *parser)
{
    const Node *left = parse_product(parser);

    while (left) {
        const char *at;
        const Node *right;

        expression_skip_spaces(parser);
        at = parser->at;
        if (*at != '+' && *at != '-')
            break;
        parser->at++;
        right = parse_product(parser);
        left = right ? join(parser, at, left, right) : NULL;
    }
    return left;
}

static bool take_word(ExpressionParser *parser, const char *word)
{
    size_t size = strlen(word);

    expression_skip_spaces(parser);
    if (strncmp(parser->at, word, size) != 0 || g_ascii_isalnum(parser->at[size]))
        return false;
    parser->at += size;
    return true;
}

static bool parse_comparison(ExpressionParser *parser, Expression *expression)
{
    static const struct {
        const char *text;
        Comparison comparison;
    } signs[] = {{"<=", COMPARE_LESS_EQUAL}, {">=", COMPARE_GREATER_EQUAL}, {"==", COMPARE_EQUAL},
                 {"!=", COMPARE_NOT_EQUAL},  {"<", COMPARE_LESS},           {">", COMPARE_GREATER}};
    const Node *tolerance;

    for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (g_str_has_prefix(parser->at, signs[i].text)) {
            parser->at += strlen(signs[i].text);
            expression->comparison = signs[i].comparison;
            return true;
        }
    }
    if (!take_word(parser, "within")) {
        expression_fail(
            parser, parser->at,
            "expected a comparison (<, <=, >, >=, ==, != or \"within 5%% of\"), found %s",
            expression_found(parser, parser->at));
        return false;
    }
    expression_skip_spaces(parser);
    tolerance = g_ascii_isdigit(*parser->at)
                    ? parse_quantity(parser)
                    : expression_fail(parser, parser->at,
                                      "expected a share such as 5%% "
                                      "after \"within\", found %s",
                                      expression_found(parser, parser->at));
    if (!tolerance)
        return false;
    if (!dimension_equal(tolerance->dimension, (Dimension){0, 0}) || tolerance->value < 0) {
        expression_fail(parser, parser->at - strlen(tolerance->source),
                        "\"within\" wants a share such as 5%%, found \"%s\"", tolerance->source);
        return false;
    }
    if (!tolerance->is_share && tolerance->value > 1) {
        char share[UNIT_TEXT_MAX];

        expression_fail(parser, parser->at - strlen(tolerance->source),
                        "\"within\" wants a share such as 5%%, and \"%s\" is %s; write \"%s%%\"",
                        tolerance->source, format_share(tolerance->value, share),
                        tolerance->source);
        return false;
    }
    if (!take_word(parser, "of")) {
        expression_fail(parser, parser->at, "expected \"of\", found %s",
                        expression_found(parser, parser->at));
        return false;
    }
    expression->tolerance = tolerance->value;
    expression->comparison = COMPARE_WITHIN;
    return true;
}

static bool parse_check(ExpressionParser *parser, Expression *expression)
{
    const char *at;

    expression_skip_spaces(parser);
    at = parser->at;
    if (!parse_comparison(parser, expression))
        return false;
    expression->right = parse_sum(parser);
    if (!expression->right)
        return false;
    if (dimension_equal(expression->left->dimension, expression->right->dimension))
        return true;
    expression_fail(parser, at,
                    "compares %s with %s: \"%s\" and \"%s\"; both sides need the same unit",
                    dimension_text(parser, expression->left->dimension),
                    dimension_text(parser, expression->right->dimension), expression->left->source,
                    expression->right->source);
    return false;
}

static bool node_is_per_run(const Node *node)
{
    if (!node || node->kind == NODE_QUANTITY)
        return false;
    if (node->kind == NODE_METRIC)
        return stat_is_per_run(node->stat, node->metric->kind);
    return node_is_per_run(node->left) || node_is_per_run(node->right);
}

static const void **keep(ExpressionParser *parser, const GPtrArray *array)
{
    const void **items = arena_array(parser->arena, const void *, array->len + 1);

    for (uint32_t i = 0; i < array->len; i++)
        items[i] = array->pdata[i];
    return items;
}

static const Expression *parse_whole(ExpressionParser *parser, bool is_check)
{
    Expression *expression = arena_alloc(parser->arena, sizeof *expression);

    expression->left = parse_sum(parser);
    if (!expression->left || (is_check && !parse_check(parser, expression)))
        return NULL;
    expression_skip_spaces(parser);
    if (*parser->at)
        return expression_fail(parser, parser->at, "unexpected %s after the %s",
                               expression_found(parser, parser->at),
                               is_check ? "condition" : "value");
    expression->is_per_run =
        node_is_per_run(expression->left) || node_is_per_run(expression->right);
    expression->metrics = (const Metric **)keep(parser, parser->metrics);
    expression->metric_count = parser->metrics->len;
    expression->variants = (const char **)keep(parser, parser->variants);
    expression->variant_count = parser->variants->len;
    return expression;
}

static const Expression *parse(ExpressionParser *parser, bool is_check)
{
    const Expression *expression;

    if (parser->node->kind != JSON_TEXT) {
        json_error(parser->error, parser->node,
                   "expected an expression in quotes, such as "
                   "\"max(memory.used_pct) <= 75%%\"");
        return NULL;
    }
    parser->text = parser->at = parser->node->text;
    parser->metrics = g_ptr_array_new();
    parser->variants = g_ptr_array_new();
    expression = parse_whole(parser, is_check);
    g_ptr_array_unref(parser->metrics);
    g_ptr_array_unref(parser->variants);
    return expression;
}

const Expression *expression_parse(const JsonNode *node, const ExpressionScope *scope, Arena *arena,
                                   GError **error)
{
    return parse(&(ExpressionParser){.node = node, .scope = scope, .arena = arena, .error = error},
                 true);
}

const Expression *expression_parse_value(const JsonNode *node, const ExpressionScope *scope,
                                         Arena *arena, GError **error)
{
    return parse(&(ExpressionParser){.node = node, .scope = scope, .arena = arena, .error = error},
                 false);
}

uint32_t expression_metrics(const Expression *expression, const Metric **out, uint32_t max)
{
    uint32_t count = MIN(expression->metric_count, max);

    memcpy(out, expression->metrics, count * sizeof *out);
    return count;
}

uint32_t expression_variants(const Expression *expression, const char **out, uint32_t max)
{
    uint32_t count = MIN(expression->variant_count, max);

    memcpy(out, expression->variants, count * sizeof *out);
    return count;
}

const Metric *expression_unmeasured(const Expression *expression)
{
    for (uint32_t i = 0; i < expression->metric_count; i++)
        if (!expression->metrics[i]->is_measured)
            return expression->metrics[i];
    return NULL;
}
