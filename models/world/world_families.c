/* A slice keeps whole keys: small families and the hottest keys always, of the others those whose
 * hash says so, so that the choice depends on the key alone and every kept key goes on at its own
 * rate.
 *
 * Which keys exist at t=0 follows from their own rates in closed form (rehearsal.md 3.1, prefill
 * "steady"), so that nothing drifts: with h, e, d the rates of creating writes, TTL renewals and
 * deletes of a key, E = (1 - exp(-(e + d) ttl)) / (e + d), L = E / (1 - e E) is its mean life and h
 * L / (1 + h L) the probability that it exists.
 */
#include "models/world/world_families.h"

#include <string.h>

#include "sim/ensure.h"
#include "sim/math.h"

#define RECORD_BYTES_DEFAULT                                                                       \
    120 /* one history record: dot, context of five members, key hash, element (assumed) */

/* Rates per second of what makes, renews and ends keys, over the whole family. */
typedef struct {
    double create, renew, end;
} LifeRates;

typedef struct {
    Family family; /* first, so that a Family of ours leads to its rates */
    LifeRates rates;
} WorldFamily;

struct WorldFamilies {
    WorldFamily *families;
    const Family **list;
    uint32_t count;
    Arena *arena;
};

typedef struct {
    uint64_t salt;
    uint64_t key_count;
    uint32_t slice;
} KeepRule;

static bool keep_rank(void *context, uint64_t rank)
{
    const KeepRule *rule = context;

    if (rule->slice <= 1 || rule->key_count < SLICE_SMALL_KEYS || rank < SLICE_HOT_KEYS)
        return true;
    return rng_mix(rule->salt ^ rng_mix(rank + 1)) % rule->slice == 0;
}

static void add_op(const CommandSpec *spec, double rate, LifeRates *rates)
{
    if (!spec || !spec->writes || spec->life == LIFE_OTHER)
        return;
    if (spec->life == LIFE_CREATES) {
        rates->create += rate;
        return;
    }
    switch (spec->shape) {
    case SHAPE_VALUE:
    case SHAPE_PATCH:
        rates->create += rate;
        rates->renew += rate;
        break;
    case SHAPE_FIELDS:
    case SHAPE_MEMBERS:
    case SHAPE_NUMBER:
        rates->create += rate;
        break;
    case SHAPE_TTL:
        rates->renew += rate;
        break;
    case SHAPE_KEY:
        rates->end += rate;
        break;
    case SHAPE_INDEX:
    case SHAPE_RANGE:
    case SHAPE_WAIT:
        break;
    }
}

static double workload_family_share(const WorkloadParams *workload, uint32_t family_index)
{
    double total = 0, share = 0;

    for (size_t i = 0; i < workload->mix.count; i++) {
        double part = *param_map_at(&workload->mix, double, i);

        total += part;
        share += workload->family_indexes[i] == family_index ? part : 0;
    }
    return share / total;
}

static LifeRates life_rates(const Scenario *scenario, uint32_t family_index)
{
    const FamilyParams *p = param_map_at(&scenario->params.families, FamilyParams, family_index);
    LifeRates rates = {0};
    double rate = 0, total = 0;

    for (size_t i = 0; i < scenario->params.workloads.count; i++) {
        const WorkloadParams *workload =
            param_map_at(&scenario->params.workloads, WorkloadParams, i);

        rate += workload->rate_per_s * workload_family_share(workload, family_index);
    }
    for (size_t i = 0; i < p->ops.count; i++)
        total += param_map_at(&p->ops, OpParams, i)->share;
    for (size_t i = 0; i < p->ops.count; i++)
        add_op(p->specs[i], rate * param_map_at(&p->ops, OpParams, i)->share / total, &rates);
    return rates;
}

/* The long-run probability that a key with this share of the family's operations exists.  1 - e E
 * is written out, so that a key renewed far more often than its ttl does not divide by nothing. */
static double steady_probability(const LifeRates *rates, double share, double ttl_s)
{
    double h = rates->create * share, e = rates->renew * share, d = rates->end * share;
    double a = e + d, unrenewed, born, dying;

    if (h <= 0)
        return 0;
    if (ttl_s <= 0)
        return d <= 0 ? 1 : h / (h + d);
    if (a <= 0)
        return h * ttl_s / (1 + h * ttl_s);
    unrenewed = sim_exp(-a * ttl_s);
    born = h * (1 - unrenewed) / a;  /* h E */
    dying = (d + e * unrenewed) / a; /* 1 - e E */
    return born / (born + dying);
}

/* The time since the last renewal has density exp(-(e + d) s) on (0, ttl): by inversion. */
static int64_t steady_life_left_ms(const Family *family, uint64_t kept_index)
{
    const LifeRates *rates = &((const WorldFamily *)family)->rates;
    double share = popularity_share_of(family->popularity, kept_index);
    double a = (rates->renew + rates->end) * share, ttl_s = (double)family->ttl_ns * 1e-9;
    double u = rng_unit_of(rng_mix(family->salt + 0x2545f4914f6cdd1dULL * (kept_index + 1)));
    double since_s = a * ttl_s < 1e-6 ? u * ttl_s : -sim_log(1 - u * (1 - sim_exp(-a * ttl_s))) / a;

    return (int64_t)((ttl_s - since_s) * 1e3);
}

static const uint64_t *prefill(const Scenario *scenario, const Family *family, Arena *arena)
{
    const FamilyParams *p = param_map_at(&scenario->params.families, FamilyParams, family->index);
    const LifeRates *rates = &((const WorldFamily *)family)->rates;
    double ttl_s = (double)family->ttl_ns * 1e-9;
    uint64_t *bits;

    if (p->prefill_share >= 1 || family->type < 0)
        return NULL;
    bits = arena_array(arena, uint64_t, family->kept_count / 64 + 1);
    for (uint64_t i = 0; i < family->kept_count; i++) {
        double share = popularity_share_of(family->popularity, i);
        double probability =
            p->prefill_share >= 0 ? p->prefill_share : steady_probability(rates, share, ttl_s);

        if (rng_unit_of(rng_mix(family->salt + 0x5851f42d4c957f2dULL * (i + 1))) < probability)
            bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
    return bits;
}

static Retention retention_of(const FamilyParams *p)
{
    if (p->retention > 0)
        return (Retention)(p->retention - 1);
    return p->type != FAMILY_TYPE_EXTERNAL && crdt_types[p->type]->retains_by_key ? RETENTION_KEY
                                                                                  : RETENTION_OP;
}

static void family_fill(WorldFamilies *families, const Scenario *scenario, uint64_t seed,
                        uint32_t slice, uint32_t index)
{
    const FamilyParams *p = param_map_at(&scenario->params.families, FamilyParams, index);
    WorldFamily *entry = &families->families[index];
    Family *family = &entry->family;
    g_autofree char *label = g_strdup_printf("family/%s", scenario->params.families.ids[index]);
    KeepRule rule = {rng_key(seed, label).key, p->keys, slice};
    bool whole = slice <= 1 || p->keys < SLICE_SMALL_KEYS;
    PopularityConfig popularity = {.choice = &p->popularity,
                                   .key_count = p->keys,
                                   .keep = whole ? NULL : keep_rank,
                                   .context = &rule};

    *family = (Family){.name = scenario->params.families.ids[index],
                       .index = (uint16_t)index,
                       .type = p->type == FAMILY_TYPE_EXTERNAL ? -1 : (int8_t)p->type,
                       .key_count = p->keys,
                       .weight = whole ? 1 : slice,
                       .value_bytes = p->value,
                       .ttl = p->ttl,
                       .ttl_ns = p->ttl ? (SimTime)dist_mean(p->ttl) : 0,
                       .retention = retention_of(p),
                       .record_bytes = p->metadata_bytes > 0 ? (uint32_t)p->metadata_bytes
                                                             : RECORD_BYTES_DEFAULT,
                       .tombstone_bytes = (uint32_t)p->tombstone_bytes,
                       .key_name_bytes = (uint32_t)p->key_name_bytes,
                       .field_name_bytes = (uint32_t)p->field_name_bytes,
                       .salt = rule.salt};
    family->popularity = popularity_new(&popularity);
    arena_own(families->arena, (void *)(uintptr_t)family->popularity,
              (void (*)(void *))popularity_free);
    family->kept_count = popularity_kept_count(family->popularity);
    family->hot_count = whole ? family->kept_count : SLICE_HOT_KEYS;
    family->field_count =
        family->type >= 0 && family_type_has_fields(family->type) ? (uint32_t)p->fields : 1;
    family->base =
        index == 0 ? 1 : families->list[index - 1]->base + families->list[index - 1]->kept_count;
    entry->rates = life_rates(scenario, index);
    if (p->prefill_share < 0 && family->ttl_ns > 0)
        family->life_left_ms = steady_life_left_ms;
    family->prefilled = prefill(scenario, family, families->arena);
}

WorldFamilies *world_families_new(const Scenario *scenario, uint64_t seed, uint32_t slice)
{
    WorldFamilies *families = g_new0(WorldFamilies, 1);

    families->arena = arena_new();
    families->count = (uint32_t)scenario->params.families.count;
    families->families = arena_array(families->arena, WorldFamily, families->count);
    families->list = arena_array(families->arena, const Family *, families->count);
    for (uint32_t i = 0; i < families->count; i++) {
        families->list[i] = &families->families[i].family;
        family_fill(families, scenario, seed, slice, i);
    }
    return families;
}

void world_families_free(WorldFamilies *families)
{
    if (!families)
        return;
    arena_free(families->arena);
    g_free(families);
}

uint32_t world_families_count(const WorldFamilies *families)
{
    return families->count;
}

const Family *const *world_families_list(const WorldFamilies *families)
{
    return families->list;
}

const Family *const *world_families_empty(WorldFamilies *families)
{
    const Family **list = arena_array(families->arena, const Family *, families->count);

    for (uint32_t i = 0; i < families->count; i++) {
        WorldFamily *copy = arena_array(families->arena, WorldFamily, 1);

        *copy = families->families[i];
        copy->family.prefilled =
            arena_array(families->arena, uint64_t, copy->family.kept_count / 64 + 1);
        list[i] = &copy->family;
    }
    return list;
}
