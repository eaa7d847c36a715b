/* Why it works: a value is a pair of bounds (see Measure), so arithmetic is interval arithmetic and
 * a comparison asks for both bounds.  An expectation with run-by-run statistics is evaluated once
 * per run; the run with the least margin is the verdict, for if that one holds, all do.
 */
#include <math.h>
#include <string.h>

#include "models/observe/expression_private.h"
#include "models/observe/metrics.h"
#include "models/observe/phases.h"
#include "sim/ensure.h"

#define NOT_FROM_SLICE                                                                             \
    0.25 /* half-width of the interval, as a share of the value (design section 4) */

typedef struct {
    double low, high;
} Range;

static Range range_of(const double *values, uint32_t count)
{
    Range range = {values[0], values[0]};

    for (uint32_t i = 1; i < count; i++) {
        range.low = MIN(range.low, values[i]);
        range.high = MAX(range.high, values[i]);
    }
    return range;
}

static bool is_zero(double x)
{
    return !(x > 0) && !(x < 0);
}

static Range combine(char sign, Range a, Range b)
{
    if (sign == '+')
        return (Range){a.low + b.low, a.high + b.high};
    if (sign == '-')
        return (Range){a.low - b.high, a.high - b.low};
    if (sign == '*')
        return range_of(
            (const double[]){a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high}, 4);
    return range_of(
        (const double[]){a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high}, 4);
}

/* The interval of a divisor may reach past 0 although its value does not: then nothing bounds the
 * quotient. */
static Range combine_sure(char sign, Range a, Range b)
{
    if (sign == '/' && b.low <= 0 && b.high >= 0)
        return (Range){-HUGE_VAL, HUGE_VAL};
    return combine(sign, a, b);
}

static Measure measure_node(const Node *node, const Scene *scene)
{
    Measure left, right, joined;
    Range value, sure;

    if (node->kind == NODE_QUANTITY)
        return (Measure){.low = node->value,
                         .high = node->value,
                         .sure_low = node->value,
                         .sure_high = node->value};
    if (node->kind == NODE_METRIC)
        return measure_metric(node, scene);
    left = measure_node(node->left, scene);
    if (left.missing)
        return left;
    right = measure_node(node->right, scene);
    if (right.missing)
        return right;
    if (node->sign == '/' &&
        (is_zero(right.low) || is_zero(right.high) || (right.low < 0) != (right.high < 0)))
        return (Measure){.missing = node};
    value = combine(node->sign, (Range){left.low, left.high}, (Range){right.low, right.high});
    sure = combine_sure(node->sign, (Range){left.sure_low, left.sure_high},
                        (Range){right.sure_low, right.sure_high});
    joined = (Measure){
        .low = value.low, .high = value.high, .sure_low = sure.low, .sure_high = sure.high};
    joined.one_draw = left.one_draw || right.one_draw;
    joined.zero_bound = MAX(left.zero_bound, right.zero_bound);
    return joined;
}

/* How far the comparison is from failing, negative when it fails; strict ones fail at 0.  *out_end
 * is the end of left that decides. */
static double margin_of(const Expression *expression, const Measure *left, const Measure *right,
                        double *out_end)
{
    double below = right->high - left->low, above = left->high - right->low;
    bool low_decides;

    switch (expression->comparison) {
    case COMPARE_LESS:
    case COMPARE_LESS_EQUAL:
        *out_end = left->high;
        return right->low - left->high;
    case COMPARE_GREATER:
    case COMPARE_GREATER_EQUAL:
        *out_end = left->low;
        return left->low - right->high;
    case COMPARE_NOT_EQUAL:
        *out_end = left->low;
        return MAX(left->low - right->high, right->low - left->high);
    case COMPARE_NONE:
    case COMPARE_EQUAL:
    case COMPARE_WITHIN:
        break;
    }
    low_decides = below >= above;
    *out_end = low_decides ? left->low : left->high;
    if (expression->comparison == COMPARE_WITHIN)
        return expression->tolerance * fabs(low_decides ? right->high : right->low) -
               MAX(below, above);
    return -MAX(below, above);
}

static bool margin_holds(Comparison comparison, double margin)
{
    if (comparison == COMPARE_LESS || comparison == COMPARE_GREATER ||
        comparison == COMPARE_NOT_EQUAL)
        return margin > 0;
    return margin >= 0;
}

typedef struct {
    Measure left, right;
    double margin, end;
    uint32_t run;
    bool holds;
} Trial;

static Trial try_run(const Expression *expression, const Scene *scene)
{
    Trial trial = {.run = scene->run};

    trial.left = measure_node(expression->left, scene);
    if (trial.left.missing)
        return trial;
    trial.right = measure_node(expression->right, scene);
    if (trial.right.missing)
        return trial;
    trial.margin = margin_of(expression, &trial.left, &trial.right, &trial.end);
    trial.holds = margin_holds(expression->comparison, trial.margin);
    return trial;
}

static const Node *trial_missing(const Trial *trial)
{
    return trial->left.missing ? trial->left.missing : trial->right.missing;
}

const char *verdict_kind_name(VerdictKind kind)
{
    static const char *const names[] = {"pass", "fail", "no data", "not evaluated"};

    return names[kind];
}

static const char *comparison_text(Comparison comparison)
{
    static const char *const texts[] = {"", "<", "<=", ">", ">=", "==", "!=", "within"};

    return texts[comparison];
}

G_GNUC_PRINTF(2, 3)
static void add_note(Verdict *out, const char *format, ...)
{
    size_t used = strlen(out->note);
    va_list arguments;

    if (used > 0)
        used = g_strlcat(out->note, "; ", sizeof out->note);
    if (used >= sizeof out->note)
        return;
    va_start(arguments, format);
    g_vsnprintf(out->note + used, sizeof out->note - used, format, arguments);
    va_end(arguments);
}

static void write_texts(const Expression *expression, Verdict *out)
{
    char number[UNIT_TEXT_MAX], share[UNIT_TEXT_MAX];

    g_strlcpy(out->measured, format_quantity(out->left, out->left_is_share, number),
              sizeof out->measured);
    format_quantity(out->right, out->left_is_share, number);
    if (expression->comparison == COMPARE_WITHIN)
        g_snprintf(out->limit, sizeof out->limit, "within %s of %s",
                   format_share(expression->tolerance, share), number);
    else
        g_snprintf(out->limit, sizeof out->limit, "%s %s", comparison_text(expression->comparison),
                   number);
}

/* What a slice leaves open about the measured value. */
static void write_uncertainty(const Trial *trial, Verdict *out)
{
    Dimension dimension = out->left.dimension;
    double half = (out->left_high - out->left_low) / 2;
    char low[UNIT_TEXT_MAX], high[UNIT_TEXT_MAX];

    out->zero_bound = trial->left.zero_bound;
    if (is_zero(out->left.value) && out->zero_bound > 0) {
        format_quantity((Quantity){out->zero_bound, dimension}, false, high);
        add_note(out, "0 seen, upper bound %s", high);
    }
    if (half > NOT_FROM_SLICE * fabs(out->left.value)) {
        out->not_from_slice = true;
        format_quantity((Quantity){out->left_low, dimension}, out->left_is_share, low);
        format_quantity((Quantity){out->left_high, dimension}, out->left_is_share, high);
        add_note(out, "not from this slice: 95 %% interval %s to %s", low, high);
    }
}

static void write_verdict(const Expression *expression, const Trial *trial, Verdict *out)
{
    const Measure *left = &trial->left;
    bool is_plain = dimension_equal(expression->left->dimension, (Dimension){0, 0});
    bool is_point = !(left->high > left->low);

    out->left = (Quantity){trial->end, expression->left->dimension};
    out->right = (Quantity){is_zero(trial->end - left->high) ? trial->right.low : trial->right.high,
                            expression->right->dimension};
    out->left_low = is_point ? left->sure_low : trial->end;
    out->left_high = is_point ? left->sure_high : trial->end;
    out->left_is_share = is_plain && (expression->left->is_share || expression->right->is_share);
    out->one_draw = left->one_draw || trial->right.one_draw;
    out->kind = trial->holds ? VERDICT_PASS : VERDICT_FAIL;
    write_texts(expression, out);
    write_uncertainty(trial, out);
    if (out->one_draw)
        add_note(out, "rests on one draw");
}

static const VariantRuns *find_variant(const ExpectationContext *context, const char *name)
{
    for (uint32_t i = 0; i < context->variant_count; i++)
        if (strcmp(context->variants[i].variant, name) == 0 && context->variants[i].count > 0)
            return &context->variants[i];
    return NULL;
}

static bool has_phase(const VariantRuns *runs, const char *name)
{
    g_autofree char *of_base = g_strconcat(PHASE_OF_BASE, name, NULL);

    for (uint32_t i = 0; i < runs->count; i++)
        if (!recording_phase(runs->recordings[i], name) &&
            !recording_phase(runs->recordings[i], of_base))
            return false;
    return true;
}

/* Whether everything the node reads was run; else a note says what was not. */
static bool can_judge(const Node *node, const ExpectationContext *context, Verdict *out)
{
    const char *variant, *phase;
    const VariantRuns *runs;

    if (node->kind == NODE_QUANTITY)
        return true;
    if (node->kind == NODE_BINARY)
        return can_judge(node->left, context, out) && can_judge(node->right, context, out);
    variant = node->variant ? node->variant : context->variant;
    phase = node->phase ? node->phase : context->phase;
    runs = find_variant(context, variant);
    if (!node->metric->is_measured)
        add_note(out, "%s is not measured by this version", node->metric->head.name);
    else if (!runs && *variant)
        add_note(out, "variant %s was not run", variant);
    else if (!runs)
        add_note(out, "the base was not run");
    else if (!has_phase(runs, phase))
        add_note(out, "no phase %s in %s", phase, *variant ? variant : "the base");
    else
        return true;
    return false;
}

static void write_missing(const Node *missing, Verdict *out)
{
    out->kind = VERDICT_NO_DATA;
    if (missing->kind == NODE_BINARY) /* all else that can be missing is a metric */
        add_note(out, "no data: %s is 0 or may be, and nothing can be divided by that",
                 missing->right->source);
    else
        add_note(out, "no data: nothing was measured for %s", missing->source);
}

static void judge_runs(const Expression *expression, Scene *scene, uint32_t run_count, Verdict *out)
{
    const VariantRuns *own = find_variant(scene->context, scene->context->variant);
    uint32_t failed = 0;
    Trial worst = {0};

    for (uint32_t i = 0; i < run_count; i++) {
        Trial trial;

        scene->run = i;
        trial = try_run(expression, scene);
        if (trial_missing(&trial)) {
            write_missing(trial_missing(&trial), out);
            return;
        }
        failed += trial.holds ? 0 : 1;
        if (i == 0 || trial.margin < worst.margin)
            worst = trial;
    }
    write_verdict(expression, &worst, out);
    if (failed > 0 && run_count > 1 && own)
        add_note(out, "fails in %u of %u runs, worst with seed %" G_GUINT64_FORMAT, failed,
                 run_count, recording_seed(own->recordings[worst.run % own->count]));
}

/* As many as the variant with most runs among those it names. */
static uint32_t most_runs(const Expression *expression, const ExpectationContext *context)
{
    const VariantRuns *own = find_variant(context, context->variant);
    uint32_t count = own ? own->count : 1;

    for (uint32_t i = 0; i < expression->variant_count; i++) {
        const VariantRuns *other = find_variant(context, expression->variants[i]);

        count = MAX(count, other ? other->count : 1);
    }
    return count;
}

static bool names_other_variant(const Expression *expression, const char *own)
{
    for (uint32_t i = 0; i < expression->variant_count; i++)
        if (strcmp(expression->variants[i], own) != 0)
            return true;
    return false;
}

void expression_judge(const Expression *expression, const ExpectationContext *context, Verdict *out)
{
    Scene scene = {.context = context};

    ensure(expression->comparison != COMPARE_NONE);
    *out = (Verdict){.kind = VERDICT_NOT_EVALUATED};
    if (!can_judge(expression->left, context, out) || !can_judge(expression->right, context, out))
        return;
    scene.prefers_base_phase = names_other_variant(expression, context->variant);
    judge_runs(expression, &scene, expression->is_per_run ? most_runs(expression, context) : 1,
               out);
}

bool expression_holds_now(const Expression *expression, const Recording *recording)
{
    Scene scene = {.live = recording};
    Trial trial;

    ensure(expression->comparison != COMPARE_NONE);
    trial = try_run(expression, &scene);
    return !trial_missing(&trial) && trial.holds;
}

void expression_print_now(const Expression *expression, const Recording *recording, char *buffer,
                          size_t size)
{
    Scene scene = {.live = recording, .reads_last = true};
    Measure measure = measure_node(expression->left, &scene);
    Dimension dimension = expression->left->dimension;
    bool is_share = expression->left->is_share;
    char low[UNIT_TEXT_MAX], high[UNIT_TEXT_MAX];

    if (measure.missing) {
        g_strlcpy(buffer, "no data", size);
        return;
    }
    format_quantity((Quantity){measure.low, dimension}, is_share, low);
    format_quantity((Quantity){measure.high, dimension}, is_share, high);
    if (measure.high > measure.low)
        g_snprintf(buffer, size, "%s to %s", low, high);
    else
        g_strlcpy(buffer, low, size);
}
