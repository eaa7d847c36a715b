/* Why it works: an arrival process with a changing rate is one with rate 1 on a stretched clock.
 * Each gap is drawn once, in units of expected arrivals, and the clock finds when the rate has
 * added up to it: exactly, because the rate is linear between the points where anything changes.  A
 * burst that begins while a gap is running only changes how fast the rest of it passes, so the
 * draws never move and variants with other bursts see the same numbers (common random numbers).
 *
 * What arrives is computed from keyed draws.  Families, operations and the shares a slice keeps are
 * folded into one table of thresholds, so choosing is one word, one look-up in a guide of 256
 * entries and, rarely, a step.
 */
#include "models/clients/workload.h"

#include "sim/ensure.h"
#include "sim/math.h"
#include "sim/rng.h"

#include <math.h>

#define GUIDE_COUNT 256

/* INCR, ZINCRBY and EXPIRE carry a number (rehearsal.md 3.1, Ops). */
#define NUMBER_BYTES 16

enum { DRAW_MIX, DRAW_KEY, DRAW_CLIENT, DRAW_ELEMENT, DRAW_BYTES, DRAW_TTL, DRAW_TOKEN };

typedef struct MixEntry {
    uint64_t threshold; /* this entry up to and including this word */
    OpKind kind;
    const Family *family;
    const OpConfig *op;
    const Dist *bytes; /* NULL: fixed_bytes */
    const Dist *ttl;   /* NULL: fixed_ttl_ns */
    SimTime fixed_ttl_ns;
    uint32_t fixed_bytes;
    uint32_t bytes_divisor;
    uint32_t element_count;   /* touched */
    uint32_t element_choices; /* where the first may be */
} MixEntry;

/* A stretch of time in which the rate is linear. */
typedef struct {
    SimTime begin_ns, end_ns;
    double rate_per_ns; /* at begin */
    double slope;       /* per ns and ns */
} Stretch;

struct Workload {
    const WorkloadConfig *config;
    SimTime day_start_ns;
    uint32_t index;
    uint32_t client_count;
    RngKey ops;
    Rng arrivals;

    double gaps[SIM_LOGS]; /* drawn ahead; nothing else draws from arrivals by then */
    uint32_t gap_next;

    double base_rate_per_ns; /* kept share included */
    double kept_share;
    double burst;  /* set from outside */
    bool has_rate; /* now or ever, if the burst stays */
    Stretch stretch;
    SimTime mark_ns; /* the gap in progress counts from here */
    double mark_fraction_ns;
    double gap; /* what must add up from mark on */
    SimTime next_ns;
    double next_fraction_ns; /* sums of gaps must not lose their fractions */
    OpPick next;             /* known one arrival ahead */

    uint32_t entry_count;
    MixEntry *entries;
    uint16_t guide[GUIDE_COUNT];
};

static double family_kept_share(const Family *family)
{
    if (family->type < 0 || !family->popularity)
        return 1.0;
    return popularity_kept_share(family->popularity);
}

static void entry_set_bytes(MixEntry *entry)
{
    const CommandSpec *spec = entry->op->spec;
    CommandShape shape = spec->shape;

    entry->bytes_divisor = 1;
    entry->bytes = entry->op->bytes;
    if (entry->bytes)
        return;
    if (shape == SHAPE_NUMBER || shape == SHAPE_TTL ||
        (shape == SHAPE_MEMBERS && spec->op_class == OP_ACCUM)) {
        entry->fixed_bytes = spec->writes ? NUMBER_BYTES : 0;
    } else if (shape == SHAPE_VALUE || shape == SHAPE_PATCH || shape == SHAPE_FIELDS ||
               shape == SHAPE_MEMBERS) {
        entry->bytes = spec->writes ? entry->family->value_bytes : NULL;
        if (entry->family->field_count > 1) /* one element of several */
            entry->bytes_divisor = entry->family->field_count;
    }
}

/* What never varies needs no draw. */
static void entry_fix(MixEntry *entry)
{
    if (entry->bytes && dist_min(entry->bytes) == dist_max(entry->bytes)) {
        entry->fixed_bytes = (uint32_t)dist_min(entry->bytes) / entry->bytes_divisor;
        entry->bytes = NULL;
    }
    if (entry->ttl && dist_min(entry->ttl) == dist_max(entry->ttl)) {
        entry->fixed_ttl_ns = dist_min(entry->ttl);
        entry->ttl = NULL;
    }
}

static MixEntry entry_make(const MixConfig *mix, uint32_t op_index)
{
    const OpConfig *op = &mix->ops[op_index];
    MixEntry entry = {
        .kind = {.spec = op->spec, .family = mix->family->index, .op_index = (uint16_t)op_index},
        .family = mix->family,
        .op = op};
    uint32_t fields = MAX(mix->family->field_count, 1);

    entry.element_count = 1;
    entry.element_choices = 1;
    if (!op->spec)
        return entry;
    if (op->spec->shape == SHAPE_FIELDS || op->spec->shape == SHAPE_MEMBERS) {
        entry.element_count = CLAMP(op->field_count, 1, fields);
        entry.element_choices = fields - entry.element_count + 1;
    } else if (op->spec->shape == SHAPE_INDEX || op->spec->shape == SHAPE_PATCH) {
        entry.element_choices = UINT32_MAX; /* spread over what the key will have: ARG_SPOT */
    }
    entry_set_bytes(&entry);
    if (op->spec->writes) {
        entry.ttl = op->ttl ? op->ttl : mix->family->ttl;
        entry.fixed_ttl_ns = mix->family->ttl_ns;
    }
    entry_fix(&entry);
    return entry;
}

static double ops_total(const MixConfig *mix)
{
    double total = 0;

    for (uint32_t i = 0; i < mix->op_count; i++)
        total += mix->ops[i].share;
    return total;
}

/* Weight of an entry: its share of the whole workload's operations times what the slice keeps of
 * it. */
static double entry_weight(const MixConfig *mix, uint32_t op_index, double mix_total)
{
    return mix->share / mix_total * (mix->ops[op_index].share / ops_total(mix)) *
           family_kept_share(mix->family);
}

static uint64_t threshold_of(double share)
{
    double scaled = share * 0x1.0p64;

    return scaled >= 0x1.0p64 ? UINT64_MAX : (uint64_t)scaled;
}

static void build_guide(Workload *workload)
{
    uint32_t entry = 0;

    for (uint32_t i = 0; i < GUIDE_COUNT; i++) {
        while (workload->entries[entry].threshold < (uint64_t)i << 56)
            entry++;
        workload->guide[i] = (uint16_t)entry;
    }
}

static void build_mix(Workload *workload)
{
    const WorkloadConfig *config = workload->config;
    double mix_total = 0, sum = 0;
    uint32_t count = 0;

    for (uint32_t i = 0; i < config->mix_count; i++) {
        mix_total += config->mix[i].share;
        count += config->mix[i].op_count;
    }
    ensure(count > 0 && count <= UINT16_MAX && mix_total > 0);
    workload->entries = g_new0(MixEntry, count);
    for (uint32_t i = 0; i < config->mix_count; i++)
        for (uint32_t j = 0; j < config->mix[i].op_count; j++)
            workload->kept_share += entry_weight(&config->mix[i], j, mix_total);
    for (uint32_t i = 0; i < config->mix_count; i++) {
        for (uint32_t j = 0; j < config->mix[i].op_count; j++) {
            double weight = entry_weight(&config->mix[i], j, mix_total);
            MixEntry *entry = &workload->entries[workload->entry_count];

            if (!(weight > 0))
                continue;
            *entry = entry_make(&config->mix[i], j);
            sum += weight;
            entry->threshold = threshold_of(sum / workload->kept_share);
            workload->entry_count++;
        }
    }
    if (workload->entry_count == 0)
        return;
    workload->entries[workload->entry_count - 1].threshold = UINT64_MAX;
    build_guide(workload);
}

/* Lowers *end to the next change after at, and returns the product of the bursts in force. */
static double bursts_at(const Workload *workload, SimTime at_ns, SimTime *end_ns)
{
    double factor = workload->burst;

    for (uint32_t i = 0; i < workload->config->burst_count; i++) {
        const BurstConfig *burst = &workload->config->bursts[i];

        if (at_ns < burst->from_ns) {
            *end_ns = MIN(*end_ns, burst->from_ns);
        } else if (at_ns < burst->to_ns) {
            *end_ns = MIN(*end_ns, burst->to_ns);
            factor *= burst->factor;
        }
    }
    return factor;
}

/* The curve's factor at at_ns and its slope per ns; lowers *end_ns to its next point. */
static double curve_at(const Workload *workload, SimTime at_ns, SimTime *end_ns, double *out_slope)
{
    const WorkloadConfig *config = workload->config;
    SimTime period = config->curve_period_ns > 0 ? config->curve_period_ns : SIM_DAY;
    SimTime clock = (workload->day_start_ns + at_ns) % period;
    uint32_t count = config->curve_count;
    uint32_t after = 0;
    SimTime from, to;
    double low, high;

    *out_slope = 0;
    if (count == 0)
        return 1.0;
    if (count == 1)
        return config->curve_factor[0];
    while (after < count && config->curve_at[after] <= clock)
        after++;
    from = after > 0 ? config->curve_at[after - 1] : config->curve_at[count - 1] - period;
    to = after < count ? config->curve_at[after] : config->curve_at[0] + period;
    low = config->curve_factor[after > 0 ? after - 1 : count - 1];
    high = config->curve_factor[after < count ? after : 0];
    *end_ns = MIN(*end_ns, at_ns + (to - clock));
    *out_slope = (high - low) / (double)(to - from);
    return low + *out_slope * (double)(clock - from);
}

static Stretch stretch_at(const Workload *workload, SimTime at_ns)
{
    Stretch stretch = {.begin_ns = at_ns, .end_ns = SIM_TIME_NEVER};
    double slope;
    double level = workload->base_rate_per_ns * bursts_at(workload, at_ns, &stretch.end_ns);
    double curve = curve_at(workload, at_ns, &stretch.end_ns, &slope);

    stretch.rate_per_ns = level * curve;
    stretch.slope = level * slope;
    return stretch;
}

static inline double rate_within(const Stretch *stretch, SimTime at_ns)
{
    double rate = stretch->rate_per_ns;

    if (stretch->slope != 0)
        rate += stretch->slope * (double)(at_ns - stretch->begin_ns);
    return rate > 0 ? rate : 0;
}

static double area_between(const Stretch *stretch, SimTime from_ns, SimTime to_ns)
{
    double span = (double)(to_ns - from_ns);

    return span * (rate_within(stretch, from_ns) + rate_within(stretch, to_ns)) / 2;
}

/* How long the rate takes to add up to gap, were the stretch endless; negative: it never does. */
static inline double time_to_reach(const Stretch *stretch, SimTime from_ns, double gap)
{
    double rate = rate_within(stretch, from_ns);
    double square;

    if (stretch->slope == 0)
        return rate > 0 ? gap / rate : -1;
    square = rate * rate + 2 * stretch->slope * gap;
    if (square < 0 || !(rate + sqrt(square) > 0))
        return -1;
    return 2 * gap / (rate + sqrt(square));
}

static bool has_any_rate(const Workload *workload)
{
    if (!(workload->base_rate_per_ns > 0) || !(workload->burst > 0))
        return false;
    for (uint32_t i = 0; i < workload->config->curve_count; i++)
        if (workload->config->curve_factor[i] > 0)
            return true;
    return workload->config->curve_count == 0;
}

/* Finds the next arrival: where the rate from mark on has added up to the gap. */
static void find_next(Workload *workload)
{
    SimTime at_ns = workload->mark_ns;
    double fraction = workload->mark_fraction_ns;
    double gap = workload->gap;

    workload->next_ns = SIM_TIME_NEVER;
    if (!workload->has_rate)
        return;
    for (;;) {
        Stretch *stretch = &workload->stretch;
        double wait;

        if (at_ns >= stretch->end_ns) /* time never goes back */
            *stretch = stretch_at(workload, at_ns);
        wait = time_to_reach(stretch, at_ns, gap);
        if (wait >= 0 && wait + fraction < (double)(stretch->end_ns - at_ns)) {
            wait += fraction;
            workload->next_ns = at_ns + (SimTime)wait;
            workload->next_fraction_ns = wait - (double)(SimTime)wait;
            return;
        }
        if (stretch->end_ns == SIM_TIME_NEVER)
            return;
        gap -= area_between(stretch, at_ns, stretch->end_ns);
        gap = gap > 0 ? gap : 0;
        at_ns = stretch->end_ns;
        fraction = 0;
    }
}

static __attribute__((noinline)) void draw_gaps(Workload *workload)
{
    for (uint32_t i = 0; i < SIM_LOGS; i++)
        workload->gaps[i] = 1.0 - rng_unit(&workload->arrivals);
    sim_logs(workload->gaps);
    workload->gap_next = 0;
}

static inline double draw_gap(Workload *workload)
{
    if (workload->config->arrivals == ARRIVALS_CONSTANT)
        return 1.0;
    if (workload->gap_next == SIM_LOGS)
        draw_gaps(workload);
    return -workload->gaps[workload->gap_next++];
}

static inline const MixEntry *pick_entry(const Workload *workload, uint64_t u64)
{
    const MixEntry *entry = &workload->entries[workload->guide[u64 >> 56]];

    while (u64 > entry->threshold)
        entry++;
    return entry;
}

static inline OpPick pick_of(const Workload *workload, uint64_t number)
{
    RngRow draws = rng_row(workload->ops, number);

    return (OpPick){.number = number,
                    .draws = draws,
                    .entry = pick_entry(workload, rng_in_row(draws, DRAW_MIX)),
                    .key_word = rng_in_row(draws, DRAW_KEY),
                    .token = rng_in_row(draws, DRAW_TOKEN)};
}

/* Chooses what the next arrival is about.  A popularity's table is far larger than the caches near
 * the core and is met at random; asking for the column one arrival ahead hides the wait for it. */
static void pick_next(Workload *workload, uint64_t number)
{
    const Popularity *popularity;

    if (workload->entry_count == 0)
        return;
    workload->next = pick_of(workload, number);
    popularity = workload->next.entry->family->popularity;
    if (popularity)
        popularity_prefetch(popularity, workload->next.key_word);
}

Workload *workload_new(const WorkloadSetup *setup)
{
    Workload *workload = g_new0(Workload, 1);
    g_autofree char *label = g_strdup_printf("site/%s/%s", setup->site_name, setup->config->name);
    g_autofree char *arrivals = g_strconcat(label, "/arrivals", NULL);
    g_autofree char *ops = g_strconcat(label, "/ops", NULL);

    ensure(setup->client_count > 0);
    workload->config = setup->config;
    workload->day_start_ns = setup->day_start_ns;
    workload->index = setup->index;
    workload->client_count = setup->client_count;
    workload->arrivals = rng_stream(setup->seed, arrivals);
    workload->ops = rng_key(setup->seed, ops);
    workload->burst = 1.0;
    workload->gap_next = SIM_LOGS;
    build_mix(workload);
    workload->base_rate_per_ns = setup->config->rate_per_s * 1e-9 * workload->kept_share;
    workload->has_rate = has_any_rate(workload);
    /* Evenly spaced streams of several sites must not tick together. */
    workload->gap = setup->config->arrivals == ARRIVALS_CONSTANT ? rng_unit(&workload->arrivals)
                                                                 : draw_gap(workload);
    find_next(workload);
    pick_next(workload, 0);
    return workload;
}

void workload_free(Workload *workload)
{
    if (!workload)
        return;
    g_free(workload->entries);
    g_free(workload);
}

SimTime workload_next_ns(const Workload *workload)
{
    return workload->next_ns;
}

uint64_t workload_next_number(const Workload *workload)
{
    return workload->next.number;
}

const OpPick *workload_next_pick(const Workload *workload)
{
    return &workload->next;
}

void workload_advance(Workload *workload)
{
    ensure(workload->next_ns != SIM_TIME_NEVER);
    workload->mark_ns = workload->next_ns;
    workload->mark_fraction_ns = workload->next_fraction_ns;
    workload->gap = draw_gap(workload);
    find_next(workload);
    pick_next(workload, workload->next.number + 1);
}

void workload_set_burst(Workload *workload, double factor, SimTime now_ns)
{
    ensure(factor >= 0 && workload->mark_ns <= now_ns && now_ns <= workload->next_ns);
    for (SimTime at_ns = workload->mark_ns; at_ns < now_ns;) {
        Stretch stretch = stretch_at(workload, at_ns);
        SimTime end_ns = MIN(stretch.end_ns, now_ns);

        workload->gap -= area_between(&stretch, at_ns, end_ns);
        at_ns = end_ns;
    }
    workload->gap = workload->gap > 0 ? workload->gap : 0;
    workload->mark_ns = now_ns;
    workload->mark_fraction_ns = 0;
    workload->burst = factor;
    workload->has_rate = has_any_rate(workload);
    workload->stretch = (Stretch){0}; /* covers nothing: found anew */
    find_next(workload);
}

static inline uint64_t pick_kept_index(const Family *family, uint64_t u64)
{
    if (family->popularity)
        return popularity_draw(family->popularity, u64);
    return family->kept_count ? rng_scale(u64, family->kept_count) : 0;
}

OpPick workload_pick(const Workload *workload, uint64_t seq)
{
    uint64_t number = seq & ((UINT64_C(1) << OP_NUMBER_BITS) - 1);

    ensure(op_seq_workload(seq) == workload->index && number <= workload->next.number);
    return pick_of(workload, number);
}

void workload_draw(const Workload *workload, const OpPick *pick, Operation *out)
{
    const Family *family = pick->entry->family;
    uint64_t kept_index = pick_kept_index(family, pick->key_word);

    out->seq = (uint64_t)workload->index << OP_NUMBER_BITS | pick->number;
    out->key = family->base + kept_index;
    out->kind = &pick->entry->kind;
    out->client = (uint32_t)rng_scale(rng_in_row(pick->draws, DRAW_CLIENT), workload->client_count);
    out->weight = family->type < 0 ? 1 : family_weight(family, kept_index);
}

void workload_draw_request(const OpPick *pick, Request *out)
{
    const MixEntry *entry = pick->entry;

    out->spec = entry->kind.spec;
    out->family = entry->kind.family;
    out->token = pick->token;
    out->element_count = entry->element_count;
    out->element = 0;
    if (entry->element_choices != 1)
        out->element =
            (uint32_t)rng_scale(rng_in_row(pick->draws, DRAW_ELEMENT), entry->element_choices);
    out->value_bytes = entry->fixed_bytes;
    if (entry->bytes) {
        out->value_bytes = (uint32_t)dist_sample(entry->bytes, rng_in_row(pick->draws, DRAW_BYTES));
        if (entry->bytes_divisor > 1) /* a division is slow even by 1 */
            out->value_bytes /= entry->bytes_divisor;
    }
    out->block_ns = entry->op->block_ns;
    out->ttl_ns = entry->fixed_ttl_ns;
    if (entry->ttl)
        out->ttl_ns = dist_sample(entry->ttl, rng_in_row(pick->draws, DRAW_TTL));
}

double workload_kept_share(const Workload *workload)
{
    return workload->kept_share;
}

double workload_rate_per_s(const Workload *workload, SimTime at_ns)
{
    return stretch_at(workload, at_ns).rate_per_ns * 1e9;
}
