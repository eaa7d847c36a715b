/* The tree of an expression, shared by its parser and its evaluator. */
#pragma once

#include "models/observe/expression.h"

#define STATS(X)                                                                                   \
    X(p50)                                                                                         \
    X(p90)                                                                                         \
    X(p95)                                                                                         \
    X(p99)                                                                                         \
    X(p999)                                                                                        \
    X(mean)                                                                                        \
    X(max)                                                                                         \
    X(min)                                                                                         \
    X(sum)                                                                                         \
    X(count)                                                                                       \
    X(rate)                                                                                        \
    X(last)                                                                                        \
    X(first)

typedef enum {
#define STAT_ENUM(name) STAT_##name,
    STATS(STAT_ENUM)
#undef STAT_ENUM
        STAT_EVERY, /* a bare metric: every sample or reading; of events, their sum */
} Stat;

typedef enum { NODE_QUANTITY, NODE_METRIC, NODE_BINARY } NodeKind;

typedef struct Node {
    NodeKind kind;
    char sign; /* BINARY: + - * / */
    bool is_share;
    Dimension dimension;
    const char *source;              /* as written */
    double value;                    /* QUANTITY */
    const struct Node *left, *right; /* BINARY */
    Stat stat;                       /* METRIC */
    const Metric *metric;
    Labels filter;
    const char *variant, *phase; /* NULL: the expectation's own */
} Node;

typedef enum {
    COMPARE_NONE,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
    COMPARE_EQUAL,
    COMPARE_NOT_EQUAL,
    COMPARE_WITHIN,
} Comparison;

struct Expression {
    const Node *left, *right;
    Comparison comparison;
    double tolerance; /* WITHIN: share of right */
    bool is_per_run;  /* some statistic is taken run by run */
    const Metric **metrics;
    const char **variants;
    uint32_t metric_count, variant_count;
};

bool stat_is_per_run(Stat stat, MetricKind kind);

/* What a node is worth: the least and the greatest of the values that must all satisfy the
 * comparison (equal for a statistic), each with the 95 % interval of its estimate. */
typedef struct {
    double low, high;
    double sure_low, sure_high;
    double zero_bound;   /* what a measured 0 of a slice may hide */
    const Node *missing; /* where nothing was measured; the rest is void then */
    bool one_draw;
} Measure;

typedef struct {
    const ExpectationContext *context; /* expectations */
    const Recording *live;             /* alerts: over the run so far */
    uint32_t run;                      /* which run the run-by-run statistics read */
    bool prefers_base_phase;
    bool reads_last; /* a bare gauge is its last reading, as in a note */
} Scene;

/* The value of one metric node (models/observe/expression_measure.c). */
Measure measure_metric(const Node *node, const Scene *scene);
