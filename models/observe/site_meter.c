/* Why it works: facts fall into cells, one per member, family, operation and outcome, found by
 * arithmetic. A cell holds its latency instrument, the latencies that still have to go there, and
 * counts by weight; all other instruments are sums over cells, made when the second ends.  A
 * histogram takes many latencies in less time than one by one; their order does not matter to it,
 * and the flush that goes before every reading leaves none behind.  A new cell's instrument is made
 * apart (see recording.h) because other places may be running, and is adopted at the next flush.
 */
#include "models/observe/site_meter.h"

#include <string.h>

#include "sim/ensure.h"

#define FLAP_WITHIN_NS (2 * SIM_MIN)

#define LATE_COUNT 32u

typedef struct Cell {
    HistogramSample *late; /* LATE_COUNT of them; NULL: nothing fell here yet */
    uint32_t late_count;
    Instrument *latency;
    KeyCounts counts; /* since the last flush */
    Instrument *ops, *writes, *errors,
        *rejections; /* from the first flush; NULL: not this cell's */
    const CommandSpec *spec;
    uint32_t member; /* index + 1, 0: none was chosen */
    uint16_t family;
    uint8_t outcome;
    bool is_adopted;
} Cell;

typedef struct {
    int32_t left; /* the endpoint it left last, -1 none */
    SimTime at_ns;
} Wander;

struct SiteMeter {
    Recording *recording;
    char *site;
    uint32_t site_index;
    char **members; /* NULL-terminated */
    uint32_t member_count, family_count, client_count;
    char **families;
    uint32_t *weights;  /* by family */
    uint32_t *op_begin; /* by family, and the end */
    Cell *cells;
    GPtrArray *active;       /* Cell, in order of first use */
    Instrument **duplicates; /* by family, and one for keys born during the run */
    Instrument *failover, *flaps, *availability;
    Wander *wanders; /* by client */
    SimTime flap_within_ns;
    double *member_ok, *member_done; /* of this second, by member index */
    double *shown_ok, *shown_done;   /* of the last one */
    uint64_t heard_count;
};

static void make_instruments(SiteMeter *meter)
{
    Labels labels = {.site = meter->site};

    meter->failover = recording_instrument(meter->recording, "failover.time", &labels);
    meter->flaps = recording_instrument(meter->recording, "failover.flaps", &labels);
    meter->availability = recording_instrument(meter->recording, "availability", &labels);
    labels.anomaly = "A12";
    meter->duplicates = g_new0(Instrument *, meter->family_count + 1);
    for (uint32_t i = 0; i <= meter->family_count; i++) {
        labels.family = i < meter->family_count ? meter->families[i] : NULL;
        meter->duplicates[i] = recording_instrument(meter->recording, "anomaly.A12", &labels);
        if (i < meter->family_count)
            instrument_set_weight_max(meter->duplicates[i], meter->weights[i]);
    }
    /* These are made ahead so that a 0 measured in a slice knows what it may hide. */
    for (uint32_t i = 0; i < meter->family_count; i++) {
        Labels refused = {.site = meter->site, .family = meter->families[i]};
        Instrument *none = recording_instrument(meter->recording, "oom.rejections", &refused);

        instrument_set_weight_max(none, meter->weights[i]);
    }
}

SiteMeter *site_meter_new(const SiteMeterConfig *config)
{
    SiteMeter *meter = g_new0(SiteMeter, 1);
    uint32_t op_count = 0;

    meter->recording = config->recording;
    meter->site = g_strdup(config->site);
    meter->site_index = config->site_index;
    meter->member_count = config->member_count;
    meter->family_count = config->family_count;
    meter->client_count = config->client_count;
    meter->flap_within_ns = config->flap_within_ns > 0 ? config->flap_within_ns : FLAP_WITHIN_NS;
    meter->members = g_new0(char *, config->member_count + 1);
    for (uint32_t i = 0; i < config->member_count; i++)
        meter->members[i] = g_strdup(config->members[i]);
    meter->families = g_new0(char *, config->family_count + 1);
    meter->weights = g_new0(uint32_t, config->family_count + 1);
    meter->op_begin = g_new0(uint32_t, config->family_count + 1);
    for (uint32_t i = 0; i < config->family_count; i++) {
        meter->families[i] = g_strdup(config->families[i].name);
        meter->weights[i] = MAX(config->families[i].weight_max, 1);
        meter->op_begin[i] = op_count;
        op_count += config->families[i].op_count;
    }
    meter->op_begin[config->family_count] = op_count;
    meter->cells = g_new0(Cell, (size_t)(config->member_count + 1) * op_count * OUTCOME_COUNT);
    meter->active = g_ptr_array_new();
    meter->wanders = g_new0(Wander, config->client_count);
    for (uint32_t i = 0; i < config->client_count; i++)
        meter->wanders[i].left = -1;
    meter->member_ok = g_new0(double, 4 * (size_t)config->member_count);
    meter->member_done = meter->member_ok + config->member_count;
    meter->shown_ok = meter->member_done + config->member_count;
    meter->shown_done = meter->shown_ok + config->member_count;
    make_instruments(meter);
    return meter;
}

static Labels cell_labels(const SiteMeter *meter, const Cell *cell)
{
    return (Labels){
        .site = meter->site,
        .member = cell->member > 0 ? meter->members[cell->member - 1] : NULL,
        .family = meter->families[cell->family],
        .op = cell->spec->name,
    };
}

static void open_cell(SiteMeter *meter, Cell *cell, const OpFact *fact)
{
    Labels labels;

    cell->spec = fact->spec;
    cell->member = (uint32_t)(fact->member_index + 1);
    cell->family = fact->family;
    cell->outcome = fact->outcome;
    labels = cell_labels(meter, cell);
    labels.outcome = outcome_name((Outcome)fact->outcome);
    cell->latency = instrument_new_apart(meter->recording, "latency.op", &labels);
    cell->late = g_new(HistogramSample, LATE_COUNT);
    g_ptr_array_add(meter->active, cell);
}

static void flush_late(Cell *cell)
{
    instrument_sample_all(cell->latency, cell->late, cell->late_count);
    cell->late_count = 0;
}

/* Hot: once per operation. */
static void hear_op(void *actor, const OpFact *fact)
{
    SiteMeter *meter = actor;
    uint32_t op_count = meter->op_begin[meter->family_count];
    size_t index;
    Cell *cell;

    meter->heard_count++;
    if (!fact->spec)
        return; /* a system of record, never in Redis */
    ensure(fact->family < meter->family_count && fact->outcome < OUTCOME_COUNT);
    index = (size_t)(fact->member_index + 1) * op_count + meter->op_begin[fact->family] +
            fact->op_index;
    cell = &meter->cells[index * OUTCOME_COUNT + fact->outcome];
    if (__builtin_expect(!cell->late, 0))
        open_cell(meter, cell, fact);
    cell->late[cell->late_count++] = (HistogramSample){fact->end_ns - fact->start_ns, fact->weight};
    if (cell->late_count == LATE_COUNT)
        flush_late(cell);
    key_counts_add(&cell->counts, fact->key, fact->weight);
}

static void hear_switch(SiteMeter *meter, const ClientFact *fact)
{
    Wander *wander = &meter->wanders[fact->client];

    ensure(fact->client < meter->client_count);
    if (fact->to_index >= 0 && fact->to_index == wander->left &&
        fact->at_ns - wander->at_ns <= meter->flap_within_ns)
        instrument_count(meter->flaps, fact->weight);
    *wander = (Wander){.left = fact->from_index, .at_ns = fact->at_ns};
}

static void hear_client(void *actor, const ClientFact *fact)
{
    SiteMeter *meter = actor;

    switch (fact->kind) {
    case CLIENT_FAILOVER:
        instrument_sample(meter->failover, fact->duration_ns, fact->weight);
        break;
    case CLIENT_SWITCH:
        hear_switch(meter, fact);
        break;
    case CLIENT_DUPLICATE:
        /* The fact names no key, so the estimate of a slice stays without an error. */
        instrument_count(meter->duplicates[MIN(fact->family, meter->family_count)], fact->weight);
        break;
    }
}

ClientListener site_meter_listener(SiteMeter *meter)
{
    return (ClientListener){.op_done = hear_op, .client = hear_client, .actor = meter};
}

static void adopt_cell(SiteMeter *meter, Cell *cell)
{
    Labels labels = cell_labels(meter, cell);
    bool is_ok = cell->outcome == OUTCOME_OK;

    recording_adopt(meter->recording, cell->latency);
    cell->ops = recording_instrument(meter->recording, "ops", &labels);
    instrument_set_weight_max(cell->ops, meter->weights[cell->family]);
    if (is_ok && cell->spec->writes)
        cell->writes = recording_instrument(meter->recording, "writes", &labels);
    if (cell->outcome == OUTCOME_OOM) {
        cell->rejections = recording_instrument(meter->recording, "oom.rejections", &labels);
        instrument_set_weight_max(cell->rejections, meter->weights[cell->family]);
    }
    if (!is_ok) {
        labels.outcome = outcome_name((Outcome)cell->outcome);
        cell->errors = recording_instrument(meter->recording, "errors", &labels);
        instrument_set_weight_max(cell->errors, meter->weights[cell->family]);
    }
    cell->is_adopted = true;
}

static double flush_cell(Cell *cell)
{
    Instrument *const targets[] = {cell->ops, cell->writes, cell->errors, cell->rejections};
    uint64_t total = cell->counts.exact;

    for (uint32_t i = 0; i < RECORDING_GROUPS; i++)
        total += cell->counts.groups[i];
    if (total == 0)
        return 0;
    for (uint32_t i = 0; i < G_N_ELEMENTS(targets); i++)
        if (targets[i])
            instrument_count_keys(targets[i], &cell->counts);
    cell->counts = (KeyCounts){0};
    return (double)total;
}

void site_meter_flush(SiteMeter *meter)
{
    for (uint32_t i = 0; i < meter->active->len; i++) {
        Cell *cell = meter->active->pdata[i];
        double ok, done;

        if (!cell->is_adopted)
            adopt_cell(meter, cell);
        if (cell->late_count > 0)
            flush_late(cell);
        done = flush_cell(cell);
        ok = cell->outcome == OUTCOME_OK ? done : 0;
        instrument_ratio(meter->availability, ok, done);
        if (cell->member == 0)
            continue;
        meter->member_ok[cell->member - 1] += ok;
        meter->member_done[cell->member - 1] += done;
    }
}

void site_meter_tick(SiteMeter *meter)
{
    size_t bytes = 2 * (size_t)meter->member_count * sizeof(double);

    site_meter_flush(meter);
    memcpy(meter->shown_ok, meter->member_ok, bytes);
    memset(meter->member_ok, 0, bytes);
}

void site_meter_member_ops(const SiteMeter *meter, uint32_t member_index, double *out_ok,
                           double *out_done)
{
    ensure(member_index < meter->member_count);
    *out_ok = meter->shown_ok[member_index];
    *out_done = meter->shown_done[member_index];
}

uint64_t site_meter_op_count(const SiteMeter *meter)
{
    return meter->heard_count;
}

void site_meter_free(SiteMeter *meter)
{
    if (!meter)
        return;
    /* Latencies not yet adopted would belong to nobody. */
    for (uint32_t i = 0; i < meter->active->len; i++) {
        Cell *cell = meter->active->pdata[i];

        if (!cell->is_adopted)
            recording_adopt(meter->recording, cell->latency);
        g_free(cell->late);
    }
    g_ptr_array_unref(meter->active);
    g_strfreev(meter->members);
    g_strfreev(meter->families);
    g_free(meter->site);
    g_free(meter->weights);
    g_free(meter->op_begin);
    g_free(meter->cells);
    g_free(meter->duplicates);
    g_free(meter->wanders);
    g_free(meter->member_ok);
    g_free(meter);
}
