/* Tables of every kind of parameter and every form of plug-in, shared by the tests of sim/param. */
#pragma once

#include <glib.h>
#include <string.h>

#include "sim/dist.h"
#include "sim/param.h"
#include "sim/units.h"

#define TABLE(table_name, list, Struct, ...)                                                       \
    {                                                                                              \
        .name = table_name, .params = list, .count = G_N_ELEMENTS(list),                           \
        .struct_size = sizeof(Struct), .node_offset = SIZE_MAX, __VA_ARGS__                        \
    }
#define FIELD(Struct, field, the_kind, ...)                                                        \
    {                                                                                              \
        .name = #field, .summary = "the " #field, .kind = the_kind,                                \
        .offset = offsetof(Struct, field), __VA_ARGS__                                             \
    }

typedef struct {
    const char *member;
} OnMember;

typedef struct {
    const char *link;
    double x;
} OnLink;

typedef struct {
    double exponent;
    bool scrambled;
} Zipf;

typedef struct {
    double keys, hits;
} Hotset;

typedef struct {
    ParamMap states;
} Modulated;

typedef struct {
    double x;
    SimTime mean;
} State;

typedef struct {
    SimTime interval;
    uint64_t tolerated;
} Probe;

typedef struct {
    const char *to;
} Redirect;

typedef struct {
    const char *until;
    SimTime timeout;
} Wait;

typedef struct {
    SimTime at, lasts;
    PluginChoice choice;
    const JsonNode *node;
} Fault;

typedef struct {
    SimTime takes;
    PluginChoice choice;
} StepOf;

typedef struct {
    double share;
    uint64_t bytes;
} Op;

typedef struct {
    uint64_t max;
    double reserve;
} Memory;

typedef struct {
    SimTime duration;
    uint64_t size;
    uint64_t header;
    double rate;
    uint64_t bandwidth;
    double share;
    uint64_t count;
    double number;
    int64_t integer;
    bool flag;
    const char *text;
    const char *id;
    int evict;
    const char *when;
    const Dist *delay;
    const Dist *value;
    Memory memory;
    ParamMap faults;
    ParamMap steps;
    ParamMap mix;
    ParamMap ops;
    ParamMap rtt;
    ParamMap weights;
    PluginChoice popularity;
    PluginChoice detect;
    PluginChoice arrivals;
    PluginChoice retry;
    const JsonNode *variants;
} Everything;

static const Param on_member_params[] = {
    FIELD(OnMember, member, PARAM_ID, .required = true, .positional = true),
};
static const ParamTable on_member_table =
    TABLE("on-member", on_member_params, OnMember, .summary = NULL);
static const Param on_link_params[] = {
    FIELD(OnLink, link, PARAM_TEXT, .required = true),
    FIELD(OnLink, x, PARAM_NUMBER, .min = 0, .max = 100, .fallback = "1"),
};
static const ParamTable on_link_table = TABLE("on-link", on_link_params, OnLink, .summary = NULL);
static const PluginHead isolate = {"isolate", "cuts a member off", &on_member_table};
static const PluginHead crash = {"crash", "stops a member", &on_member_table};
static const PluginHead delay = {"delay", "slows a link", &on_link_table};
static const PluginHead partition = {"partition", "cuts all links", NULL};
static const PluginHead *const fault_records[] = {&crash, &delay, &isolate, &partition};
static const PluginFamily fault_family = {.name = "faults",
                                          .noun = "fault",
                                          .summary = "what breaks",
                                          .form = PLUGIN_VERB,
                                          .records = fault_records,
                                          .count = G_N_ELEMENTS(fault_records)};

static bool fault_check(const void *object, const JsonNode *at, GError **error)
{
    const Fault *fault = object;
    char text[UNIT_TEXT_MAX];

    if (fault->lasts != 13 * SIM_S)
        return true;
    json_error(error, json_get(at, "for"), "%s brings bad luck", format_time(fault->lasts, text));
    return false;
}

static const Param fault_params[] = {
    FIELD(Fault, at, PARAM_DURATION, .required = true, .min = 0, .max = (double)SIM_DAY),
    {.name = "for",
     .summary = "how long",
     .kind = PARAM_DURATION,
     .offset = offsetof(Fault, lasts),
     .fallback = "5m"},
    {.name = NULL,
     .kind = PARAM_PLUGIN,
     .offset = offsetof(Fault, choice),
     .required = true,
     .family = &fault_family},
};
static const ParamTable fault_table = {.name = "fault",
                                       .params = fault_params,
                                       .count = G_N_ELEMENTS(fault_params),
                                       .struct_size = sizeof(Fault),
                                       .node_offset = offsetof(Fault, node),
                                       .check = fault_check};

static const Param redirect_params[] = {FIELD(Redirect, to, PARAM_ID, .required = true)};
static const ParamTable redirect_table =
    TABLE("redirect", redirect_params, Redirect, .summary = NULL);
static const Param wait_params[] = {
    FIELD(Wait, until, PARAM_EXPRESSION, .required = true),
    FIELD(Wait, timeout, PARAM_DURATION, .fallback = "40m"),
};
static const ParamTable wait_table = TABLE("wait", wait_params, Wait, .summary = NULL);
static const PluginHead redirect = {"redirect", "sends clients elsewhere", &redirect_table};
static const PluginHead wait_verb = {"wait", "waits", &wait_table};
static const PluginHead note = {"note", "writes it down", NULL};
static const PluginHead *const verb_records[] = {&note, &redirect, &wait_verb};
static const PluginFamily verb_family = {.name = "verbs",
                                         .noun = "operator verb",
                                         .form = PLUGIN_INLINE,
                                         .kind_key = "do",
                                         .records = verb_records,
                                         .count = G_N_ELEMENTS(verb_records)};
static const Param step_params[] = {
    {.name = "do",
     .kind = PARAM_PLUGIN,
     .offset = offsetof(StepOf, choice),
     .required = true,
     .family = &verb_family},
    FIELD(StepOf, takes, PARAM_DURATION),
};
static const ParamTable step_table = TABLE("step", step_params, StepOf, .summary = NULL);

static const Param zipf_params[] = {
    FIELD(Zipf, exponent, PARAM_NUMBER, .required = true, .positional = true, .min = 0, .max = 5),
    FIELD(Zipf, scrambled, PARAM_BOOL),
};
static const ParamTable zipf_table = TABLE("zipf", zipf_params, Zipf, .summary = NULL);
static const Param hotset_params[] = {
    FIELD(Hotset, keys, PARAM_SHARE, .required = true),
    FIELD(Hotset, hits, PARAM_SHARE, .required = true),
};
static const ParamTable hotset_table = TABLE("hotset", hotset_params, Hotset, .summary = NULL);
static const PluginHead uniform = {"uniform", "all alike", NULL};
static const PluginHead zipf = {"zipf", "few are hot", &zipf_table};
static const PluginHead hotset = {"hotset", "a hot share", &hotset_table};
static const PluginHead *const popularity_records[] = {&hotset, &uniform, &zipf};
static const PluginFamily test_popularity_family = {.name = "popularities",
                                                    .noun = "popularity",
                                                    .form = PLUGIN_VERB,
                                                    .records = popularity_records,
                                                    .count = G_N_ELEMENTS(popularity_records)};

static const Param state_params[] = {
    FIELD(State, x, PARAM_NUMBER, .required = true),
    FIELD(State, mean, PARAM_DURATION, .required = true),
};
static const ParamTable state_table = TABLE("state", state_params, State, .summary = NULL);
static const Param modulated_params[] = {
    {.name = NULL,
     .kind = PARAM_MAP,
     .offset = offsetof(Modulated, states),
     .table = &state_table,
     .count_min = 2},
};
static const ParamTable modulated_table =
    TABLE("mmpp", modulated_params, Modulated, .summary = NULL);
static const PluginHead poisson = {"poisson", "without memory", NULL};
static const PluginHead mmpp = {"mmpp", "between states", &modulated_table};
static const PluginHead *const arrival_records[] = {&mmpp, &poisson};
static const PluginFamily arrival_family = {.name = "arrivals",
                                            .noun = "arrival process",
                                            .form = PLUGIN_ONE_KEY,
                                            .records = arrival_records,
                                            .count = G_N_ELEMENTS(arrival_records)};

static const Param probe_params[] = {
    FIELD(Probe, interval, PARAM_DURATION, .fallback = "10s", .min = 1e9, .max = 3600e9),
    FIELD(Probe, tolerated, PARAM_COUNT, .fallback = "3"),
};
static const ParamTable probe_table = TABLE("probe", probe_params, Probe, .summary = NULL);
static const PluginHead none = {"none", "never", NULL};
static const PluginHead ping = {"ping-all", "asks everybody", &probe_table};
static const PluginHead *const detect_records[] = {&none, &ping};
static const PluginFamily detect_family = {.name = "detectors",
                                           .noun = "detector",
                                           .form = PLUGIN_KIND,
                                           .kind_key = "kind",
                                           .records = detect_records,
                                           .count = G_N_ELEMENTS(detect_records)};

static const PluginHead *const retry_records[] = {&none, &ping};
static const PluginFamily retry_family = {.name = "retries",
                                          .noun = "retry",
                                          .form = PLUGIN_KIND,
                                          .kind_key = "kind",
                                          .fallback = "ping-all",
                                          .records = retry_records,
                                          .count = G_N_ELEMENTS(retry_records)};

static const Param op_params[] = {
    FIELD(Op, share, PARAM_SHARE, .required = true, .positional = true),
    FIELD(Op, bytes, PARAM_SIZE, .fallback = "16B"),
};
static const ParamTable op_table = TABLE("op", op_params, Op, .summary = NULL);
static const Param memory_params[] = {
    FIELD(Memory, max, PARAM_SIZE, .required = true, .min = 1e9, .max = 1e12),
    FIELD(Memory, reserve, PARAM_SHARE, .fallback = "5%", .min = 0, .max = 0.5),
};
static const ParamTable memory_table = TABLE("memory", memory_params, Memory, .summary = NULL);
static const char *const evict_names[] = {"noeviction", "allkeys-lru", "volatile-ttl", NULL};
static const ParamAlias evict_aliases[] = {{"lru", "allkeys-lru"}, {0}};
static const Param rtt_item = {.name = "rtt", .kind = PARAM_DIST_TIME};
static const Param weight_item = {.name = "weight", .kind = PARAM_NUMBER, .min = 0, .max = 10};

static const Param everything_params[] = {
    FIELD(Everything, duration, PARAM_DURATION, .min = 1e9, .max = 3600e9),
    FIELD(Everything, size, PARAM_SIZE),
    FIELD(Everything, header, PARAM_SIZE, .fallback = "64B", .min = 0, .max = 1e6),
    FIELD(Everything, rate, PARAM_RATE, .fallback = "5k/s"),
    FIELD(Everything, bandwidth, PARAM_BANDWIDTH, .min = 1e3, .max = 1e300),
    FIELD(Everything, share, PARAM_SHARE, .nullable = true),
    FIELD(Everything, count, PARAM_COUNT, .fallback = "27M", .min = 1, .max = 1e9),
    FIELD(Everything, number, PARAM_NUMBER, .fallback = "1.5"),
    FIELD(Everything, integer, PARAM_INTEGER, .min = -3, .max = 3),
    FIELD(Everything, flag, PARAM_BOOL, .fallback = "true"),
    FIELD(Everything, text, PARAM_TEXT, .fallback = "true"),
    FIELD(Everything, id, PARAM_ID),
    FIELD(Everything, evict, PARAM_ENUM, .fallback = "allkeys-lru", .names = evict_names,
          .aliases = evict_aliases),
    FIELD(Everything, when, PARAM_EXPRESSION),
    FIELD(Everything, delay, PARAM_DIST_TIME, .fallback = "{\"exp\": {\"mean\": \"1ms\"}}"),
    FIELD(Everything, value, PARAM_DIST_SIZE),
    FIELD(Everything, memory, PARAM_OBJECT, .table = &memory_table),
    FIELD(Everything, faults, PARAM_MAP, .table = &fault_table, .count_max = 2),
    FIELD(Everything, steps, PARAM_MAP, .table = &step_table),
    FIELD(Everything, mix, PARAM_ID_SHARES),
    FIELD(Everything, ops, PARAM_MAP, .table = &op_table, .key_pattern = "^[A-Z]+$"),
    FIELD(Everything, rtt, PARAM_MAP, .item = &rtt_item),
    FIELD(Everything, weights, PARAM_LIST, .item = &weight_item, .count_min = 1, .count_max = 3),
    FIELD(Everything, popularity, PARAM_PLUGIN, .family = &test_popularity_family),
    FIELD(Everything, detect, PARAM_PLUGIN, .family = &detect_family, .nullable = true),
    FIELD(Everything, arrivals, PARAM_PLUGIN, .family = &arrival_family),
    FIELD(Everything, retry, PARAM_PLUGIN, .family = &retry_family),
    FIELD(Everything, variants, PARAM_NODE),
};
static const ParamTable everything_table =
    TABLE("everything", everything_params, Everything, .summary = "all kinds");
