/* Why it works: a filter is a tree of "or" over "and" over comparisons, read by one function per
 * level.  An operand is a literal or a path; a comparison holds when the first value of each side
 * is there and they compare so; values of different kinds are only ever unequal.
 */
#include <string.h>

#include "models/crdt/json_path_private.h"
#include "sim/ensure.h"

typedef enum { FILTER_OR, FILTER_AND, FILTER_NOT, FILTER_EXISTS, FILTER_COMPARE } FilterKind;
typedef enum { COMPARE_EQ, COMPARE_NE, COMPARE_LE, COMPARE_GE, COMPARE_LT, COMPARE_GT } Comparison;

typedef struct {
    JsonPath *path; /* NULL: a literal */
    Content literal;
    GString *text; /* of the literal */
} Operand;

struct JsonFilter {
    FilterKind kind;
    JsonFilter *left, *right;
    Operand operands[2];
    Comparison comparison;
};

static void operand_clear(Operand *operand)
{
    json_path_free(operand->path);
    if (operand->text)
        g_string_free(operand->text, TRUE);
}

void json_filter_free(JsonFilter *filter)
{
    if (!filter)
        return;
    json_filter_free(filter->left);
    json_filter_free(filter->right);
    operand_clear(&filter->operands[0]);
    operand_clear(&filter->operands[1]);
    g_free(filter);
}

static bool parse_number(PathText *text, Content *out)
{
    const char *first = text->at;
    g_autofree char *number = NULL;
    char *end;

    while (text->at < text->end && (g_ascii_isdigit(*text->at) || strchr("+-.eE", *text->at)) &&
           *text->at != '\0')
        text->at++;
    number = g_strndup(first, (gsize)(text->at - first));
    out->kind = CONTENT_INTEGER;
    if (g_ascii_string_to_signed(number, 10, G_MININT64, G_MAXINT64, &out->integer, NULL))
        return true;
    *out = (Content){.kind = CONTENT_DOUBLE, .real = g_ascii_strtod(number, &end)};
    return end > number && *end == '\0';
}

static bool parse_operand(PathText *text, Operand *out)
{
    bool is_absolute;

    if (path_text_accept(text, "true")) {
        out->literal = (Content){.kind = CONTENT_BOOL, .truth = true};
        return true;
    }
    if (path_text_accept(text, "false")) {
        out->literal = (Content){.kind = CONTENT_BOOL, .truth = false};
        return true;
    }
    if (path_text_accept(text, "null")) {
        out->literal = (Content){.kind = CONTENT_NULL};
        return true;
    }
    if (text->at >= text->end)
        return false;
    if (*text->at == '"' || *text->at == '\'') {
        out->text = path_text_quoted(text);
        if (out->text)
            out->literal =
                (Content){.kind = CONTENT_TEXT, .text = {out->text->str, (uint32_t)out->text->len}};
        return out->text != NULL;
    }
    is_absolute = *text->at == '$';
    if (is_absolute || *text->at == '@') {
        text->at++;
        out->path = path_text_steps(text);
        if (out->path)
            out->path->is_absolute = is_absolute;
        return out->path != NULL;
    }
    return parse_number(text, &out->literal);
}

static JsonFilter *filter_new(FilterKind kind, JsonFilter *left, JsonFilter *right)
{
    JsonFilter *filter = g_new0(JsonFilter, 1);

    filter->kind = kind;
    filter->left = left;
    filter->right = right;
    return filter;
}

static JsonFilter *parse_or(PathText *text);

static JsonFilter *parse_comparison(PathText *text)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
    JsonFilter *filter = filter_new(FILTER_EXISTS, NULL, NULL);
    bool is_good = parse_operand(text, &filter->operands[0]);

    for (uint32_t i = 0; is_good && i < G_N_ELEMENTS(signs); i++)
        if (path_text_accept(text, signs[i])) {
            filter->kind = FILTER_COMPARE;
            filter->comparison = (Comparison)i;
            is_good = parse_operand(text, &filter->operands[1]);
            break;
        }
    if (is_good && (filter->kind == FILTER_COMPARE || filter->operands[0].path))
        return filter;
    json_filter_free(filter);
    return NULL;
}

static JsonFilter *parse_term(PathText *text)
{
    JsonFilter *inner = NULL;

    if (++text->depth > PATH_DEPTH_MAX)
        return NULL;
    if (path_text_accept(text, "!")) {
        inner = parse_term(text);
        inner = inner ? filter_new(FILTER_NOT, inner, NULL) : NULL;
    } else if (path_text_accept(text, "(")) {
        inner = parse_or(text);
        if (inner && !path_text_accept(text, ")")) {
            json_filter_free(inner);
            inner = NULL;
        }
    } else {
        inner = parse_comparison(text);
    }
    text->depth--;
    return inner;
}

/* One level: terms joined by sign. */
static JsonFilter *parse_joined(PathText *text, FilterKind kind)
{
    const char *sign = kind == FILTER_OR ? "||" : "&&";
    JsonFilter *left = kind == FILTER_OR ? parse_joined(text, FILTER_AND) : parse_term(text);

    while (left && path_text_accept(text, sign)) {
        JsonFilter *right = kind == FILTER_OR ? parse_joined(text, FILTER_AND) : parse_term(text);

        if (!right) {
            json_filter_free(left);
            return NULL;
        }
        left = filter_new(kind, left, right);
    }
    return left;
}

static JsonFilter *parse_or(PathText *text)
{
    return parse_joined(text, FILTER_OR);
}

JsonFilter *json_filter_parse(PathText *text)
{
    return parse_or(text);
}

/* False: there is none. */
static bool operand_value(const Operand *operand, const JsonHeld *root, const JsonHeld *value,
                          Content *out)
{
    g_autoptr(GPtrArray) found = NULL;

    if (!operand->path) {
        *out = operand->literal;
        return true;
    }
    found = g_ptr_array_new();
    json_path_walk(operand->path, root, value, found);
    if (found->len == 0)
        return false;
    *out = json_view_head(g_ptr_array_index(found, 0));
    return true;
}

static bool is_number(const Content *value)
{
    return value->kind == CONTENT_INTEGER || value->kind == CONTENT_DOUBLE;
}

static int number_compare(const Content *a, const Content *b)
{
    double x, y;

    if (a->kind == CONTENT_INTEGER && b->kind == CONTENT_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    x = a->kind == CONTENT_INTEGER ? (double)a->integer : a->real;
    y = b->kind == CONTENT_INTEGER ? (double)b->integer : b->real;
    return (x > y) - (x < y);
}

/* False: these two have no order. */
static bool compare(const Content *a, const Content *b, int *out)
{
    if (is_number(a) && is_number(b)) {
        *out = number_compare(a, b);
        return true;
    }
    if (a->kind != b->kind)
        return false;
    if (a->kind == CONTENT_TEXT) {
        *out = payload_text_compare(a->text, b->text);
        return true;
    }
    *out = a->kind == CONTENT_BOOL ? a->truth - b->truth : 0;
    return a->kind == CONTENT_BOOL || a->kind == CONTENT_NULL;
}

static bool comparison_holds(const JsonFilter *filter, const JsonHeld *root, const JsonHeld *value)
{
    Content a, b;
    int order;

    if (!operand_value(&filter->operands[0], root, value, &a) ||
        !operand_value(&filter->operands[1], root, value, &b))
        return false;
    if (!compare(&a, &b, &order))
        return filter->comparison == COMPARE_NE;
    switch (filter->comparison) {
    case COMPARE_EQ:
        return order == 0;
    case COMPARE_NE:
        return order != 0;
    case COMPARE_LE:
        return order <= 0;
    case COMPARE_GE:
        return order >= 0;
    case COMPARE_LT:
        return order < 0;
    case COMPARE_GT:
        return order > 0;
    }
    return false;
}

bool json_filter_matches(const JsonFilter *filter, const JsonHeld *root, const JsonHeld *value)
{
    Content unused;

    switch (filter->kind) {
    case FILTER_OR:
        return json_filter_matches(filter->left, root, value) ||
               json_filter_matches(filter->right, root, value);
    case FILTER_AND:
        return json_filter_matches(filter->left, root, value) &&
               json_filter_matches(filter->right, root, value);
    case FILTER_NOT:
        return !json_filter_matches(filter->left, root, value);
    case FILTER_EXISTS:
        return operand_value(&filter->operands[0], root, value, &unused);
    case FILTER_COMPARE:
        return comparison_holds(filter, root, value);
    }
    return false;
}
