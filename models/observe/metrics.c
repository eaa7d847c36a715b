/* Why it works: the list in the header is expanded three times, into the records, into the table of
 * their heads, and (by the anomalies' own list) into two metrics for each anomaly, so a metric is
 * one line.  Labels is a struct of texts only; a table of offsets lets code walk it by index.
 */
#include "models/observe/metrics.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define DIMENSION_PLAIN                                                                            \
    {                                                                                              \
        0, 0                                                                                       \
    }
#define DIMENSION_TIME                                                                             \
    {                                                                                              \
        1, 0                                                                                       \
    }
#define DIMENSION_BYTES                                                                            \
    {                                                                                              \
        0, 1                                                                                       \
    }
#define TRAITS_COUNTED .is_measured = true
#define TRAITS_LATER   .is_measured = false
#define TRAITS_AWAIT_TWIN                                                                          \
    .awaits = "alert.lead needs the twin run without operators, which a later version brings"
#define TRAITS_SHARE       .is_measured = true, .is_share = true
#define TRAITS_LATER_SHARE .is_measured = false, .is_share = true
#define TRAITS_RATIO       .is_measured = true, .is_share = true, .is_ratio = true
#define ANOMALY_LABELS     "site member family anomaly"

#define METRIC_RECORD(id, metric_name, metric_kind, unit, traits, label_list, text)                \
    static const Metric metric_##id = {                                                            \
        .head = {.name = metric_name, .summary = text},                                            \
        .kind = METRIC_##metric_kind,                                                              \
        .dimension = DIMENSION_##unit,                                                             \
        .labels = label_list,                                                                      \
        TRAITS_##traits,                                                                           \
    };
METRICS(METRIC_RECORD)

#define ANOMALY_RECORD(id, traits, text)                                                           \
    METRIC_RECORD(anomaly_##id, "anomaly." #id, EVENT, PLAIN, traits, ANOMALY_LABELS, text)        \
    METRIC_RECORD(age_##id, "anomaly." #id ".age", SAMPLE, TIME, LATER, ANOMALY_LABELS,            \
                  "age at detection: " text)
ANOMALIES(ANOMALY_RECORD)

#define METRIC_HEAD(id, metric_name, kind, unit, traits, label_list, text) &metric_##id.head,
#define ANOMALY_HEADS(id, traits, text)                                    &metric_anomaly_##id.head, &metric_age_##id.head,

static const PluginHead *const metric_heads[] = {METRICS(METRIC_HEAD) ANOMALIES(ANOMALY_HEADS)};

const PluginFamily metric_family = {
    .name = "metrics",
    .noun = "metric",
    .summary = "what a run measures, for expectations, alerts, guards and reports",
    .form = PLUGIN_ONE_KEY,
    .records = metric_heads,
    .count = G_N_ELEMENTS(metric_heads),
};

static_assert(offsetof(Metric, head) == 0, "a head is the first member of its record");

const Metric *metric_find(const char *name)
{
    for (size_t i = 0; i < metric_family.count; i++)
        if (strcmp(metric_heads[i]->name, name) == 0)
            return (const Metric *)(const void *)metric_heads[i];
    return NULL;
}

#define LABEL_NAME(name) #name,
const char *const label_names[LABEL_COUNT] = {LABELS(LABEL_NAME)};

#define LABEL_OFFSET(name) offsetof(Labels, name),
static const size_t label_offsets[LABEL_COUNT] = {LABELS(LABEL_OFFSET)};

const char *labels_get(const Labels *labels, uint32_t index)
{
    const char *value;

    memcpy(&value, (const char *)labels + label_offsets[index], sizeof value);
    return value;
}

void labels_set(Labels *labels, uint32_t index, const char *value)
{
    memcpy((char *)labels + label_offsets[index], &value, sizeof value);
}

bool metric_has_label(const Metric *metric, const char *label)
{
    size_t size = strlen(label);

    for (const char *at = metric->labels; (at = strstr(at, label)) != NULL; at += size) {
        bool begins = at == metric->labels || at[-1] == ' ';

        if (begins && (at[size] == ' ' || at[size] == '\0'))
            return true;
    }
    return false;
}

bool labels_match(const Labels *labels, const Labels *filter)
{
    for (uint32_t i = 0; i < LABEL_COUNT; i++) {
        const char *wanted = labels_get(filter, i);
        const char *have = labels_get(labels, i);

        if (wanted && (!have || strcmp(wanted, have) != 0))
            return false;
    }
    return true;
}
